/* Calls. The one idea: a call costs a Frame on the C stack and its locals on one stack of
 * variables, into which the arguments are evaluated directly; nothing is allocated for a function
 * that captures nothing.
 *
 * Whatever is not that simple (named, spread, collected or destructured arguments, own captured
 * variables) goes through the binder of bind.c. */
#include "bind.h"
#include "elem.h"
#include "ffi_call.h"
#include <string.h>

/* ---- the stack of variables ---- */

_Noreturn void stack_full(void) {
    hint("a recursion without an end? Every function needs a case that does not call itself");
    fail(E_LIMIT, "too many calls inside each other: no room for more variables");
}

Value *stack_push(Value v) {
    if (interp.top == interp.limit) stack_full();
    *interp.top = value_hold(v);
    return interp.top++;
}

/* ---- running a closure ---- */

/* Parameter i is local i, and nothing more is to be done with the arguments. */
static bool is_lean(const Fn *fn) {
    if (fn->collects || fn->cell_count != fn->captured_count) return false;
    for (uint32_t i = 0; i < fn->parameter_count; i++) {
        const Parameter *p = &fn->parameters[i];
        if (p->pattern || p->scope != S_LOCAL || p->slot != i) return false;
    }
    return true;
}

static Value first_run(Ast *body, Frame *frame) {
    body->eval = NULL;
    choose(body);
    if (body->kind == A_BLOCK) body->eval = eval_block;
    frame->fn->body = only_expression(body);
    return eval(frame->fn->body, frame);
}

static Value eval_default(Ast *node, Frame *frame) {
    if (!node->eval) choose(node);
    return eval(node, frame);
}

static __attribute__((noinline)) void lean_defaults(Frame *frame, uint32_t count) {
    Fn *fn = frame->fn;
    for (uint32_t i = count; i < fn->parameter_count; i++) {
        value_store(&frame->variables[S_LOCAL][i],
                    eval_default(fn->parameters[i].default_value, frame));
    }
}

/* The value a body gave, past the end of its frame. */
static inline Value leave(Frame *frame, Value *base, Value *end, size_t mark, Value v) {
    if (frame->flow == FLOW_RETURN) v = frame->result;
    if (rt.pool_count != mark) v = settle(mark, v);
    else if (is_object(v)) pool_own(value_keep(v).as.obj);   /* a local variable's */
    for (Value *p = base; p < end; p++) {
        if (__builtin_expect(head_of(*p) >= V_ARRAY, 0)) value_release(*p);
    }
    interp.top = base;
    interp.frame = frame->caller;
    return v;
}

/* The frame of a call whose locals begin at base, the first `count` of them set. */
static inline void enter(Frame *frame, Closure *closure, Value *base, Value *end, Cell **cells,
                         Span span) {
    frame->variables[S_LOCAL] = base;
    frame->variables[S_GLOBAL] = closure->module->globals;
    frame->cells = cells;
    frame->fn = closure->fn;
    frame->module = closure->module;
    frame->caller = interp.frame;
    frame->tape_mark = tape_position();
    frame->called_from = span;
    frame->flow = FLOW_ON;
    interp.top = end;
    interp.frame = frame;
}

/* base[0 .. count) are the arguments, held. */
static inline __attribute__((always_inline)) Value run_lean(Closure *closure, Value *base,
                                                            uint32_t count, Span called_from) {
    check_stack();
    poll();
    Fn *fn = closure->fn;
    Value *end = base + fn->local_count + (fn->local_count == 0);
    size_t mark = pool_mark();
    for (Value *p = base + count; p < end; p++) *p = UNSET;
    Frame frame;
    enter(&frame, closure, base, end, closure->cells, called_from);
    if (count < fn->parameter_count) lean_defaults(&frame, count);
    return leave(&frame, base, end, mark, fn->body->eval(fn->body, &frame));
}

static Cell **own_cells(const Closure *closure) {
    const Fn *fn = closure->fn;
    Cell **cells = pool_bytes((fn->cell_count + 1) * sizeof *cells);
    for (uint32_t i = 0; i < fn->cell_count; i++)
        cells[i] = i < fn->captured_count ? closure->cells[i] : cell_new(UNSET);
    return cells;
}

static void set_parameter(const Parameter *p, Frame *frame, Value v) {
    if (v.tag == V_UNSET) v = eval_default(p->default_value, frame);
    value_store(p->scope == S_CELL ? &frame->cells[p->slot]->value
                                   : &frame->variables[S_LOCAL][p->slot],
                v);
    if (!p->pattern) return;
    choose(p->pattern);
    assign(p->pattern, frame, v);
}

static Value run_general(Closure *closure, const Arguments *a, Span called_from) {
    check_stack();
    poll();
    Fn *fn = closure->fn;
    size_t mark = pool_mark();
    const Signature *signature = fn_signature(fn);
    Value *bound = pool_bytes((signature->count + 1) * sizeof *bound);
    bind_arguments(&closure->head, signature, a, bound);
    Cell **cells = own_cells(closure);
    Value *base = interp.top, *end = base + fn->local_count + 1;
    if (end > interp.limit) stack_full();
    for (Value *p = base; p < end; p++) *p = UNSET;
    Frame frame;
    enter(&frame, closure, base, end, cells, called_from);
    for (uint32_t i = 0; i < fn->parameter_count; i++)
        set_parameter(&fn->parameters[i], &frame, bound[i]);
    return leave(&frame, base, end, mark, fn->body->eval(fn->body, &frame));
}

static inline bool takes_lean(const Fn *fn, uint32_t count) {
    return fn->lean && count >= fn->required && count <= fn->parameter_count;
}

/* From C: see Function in value.h. */
Value closure_call(Function *self, int count, const Value *args) {
    Closure *closure = (Closure *)self;
    if (!takes_lean(closure->fn, (uint32_t)count)) {
        return run_general(closure, &(Arguments){ .count = (uint32_t)count, .positional = args },
                           rt.here);
    }
    Value *base = interp.top;
    if (base + count + closure->fn->local_count + 1 > interp.limit) stack_full();
    for (int i = 0; i < count; i++) base[i] = value_hold(args[i]);
    interp.top = base + count;
    return run_lean(closure, base, (uint32_t)count, rt.here);
}

/* Arguments straight into the callee's locals. */
static inline __attribute__((always_inline)) Value call_lean(Ast *node, Frame *frame,
                                                             Closure *closure,
                                                             const Value *receiver) {
    Value *base = interp.top, *next = base;
    if (__builtin_expect(base + node->count + closure->fn->local_count + 2 > interp.limit, 0))
        stack_full();
    if (receiver) {
        *next++ = value_hold(*receiver);
        interp.top = next;
    }
    for (Ast **kid = node->kids, **end = kid + node->count; kid < end; kid++) {
        Value v = eval(*kid, frame);
        *next++ = __builtin_expect(head_of(v) < V_ARRAY, 1) ? v : value_hold(v);
        interp.top = next;
    }
    return run_lean(closure, base, (uint32_t)(next - base), node->span);
}

/* ---- closures ---- */

static void closure_free(Function *self) {
    Closure *closure = (Closure *)self;
    for (uint32_t i = 0; i < closure->fn->captured_count; i++) {
        if (closure->cells[i]) obj_drop(closure->cells[i]);
    }
}

static void closure_visit(Function *self, void (*each)(Value v, void *env), void *env) {
    Closure *closure = (Closure *)self;
    for (uint32_t i = 0; i < closure->fn->captured_count; i++) {
        if (closure->cells[i]) each(object(closure->cells[i]), env);
    }
}

Value eval_closure(Ast *node, Frame *frame) {
    Fn *fn = node->fn;
    if (!fn->body->eval) {
        fn->body->eval = first_run;
        fn->lean = is_lean(fn);
    }
    size_t bytes = sizeof(Closure) + fn->captured_count * sizeof(Cell *);
    Closure *closure = (Closure *)function_new(bytes, fn_name(fn), closure_call);
    closure->fn = fn;
    closure->module = frame->module;
    closure->head.free = closure_free;
    closure->head.visit = closure_visit;
    for (uint32_t i = 0; i < fn->captured_count; i++) {
        closure->cells[i] = frame->cells[fn->captured[i]];
        obj_keep(closure->cells[i]);
    }
    return object(closure);
}

Value eval_fn(Ast *node, Frame *frame) {
    value_store(variable_place(node, frame), eval_closure(node, frame));
    return NIL;
}

/* ---- calls ---- */

/* The arguments of a foreign function that were given by name, put where they belong. */
static Value call_foreign_named(Function *f, const Arguments *a) {
    const CSignature *foreign = foreign_signature(f);
    String *names[C_MAX_PARAMETERS];
    Signature s = { .name = f->name->text, .rest = -1, .parameter = names };
    for (int i = 0; i < foreign->count; i++) {
        if (foreign->parameter[i].way != C_OUT) names[s.count++] = foreign->parameter[i].name;
    }
    s.required = s.count;
    Value bound[C_MAX_PARAMETERS];
    bind_arguments(f, &s, a, bound);
    return f->call(f, (int)s.count, bound);
}

/* A function that is neither written in adl nor a row: made by an operation, as grad(f) is, or
 * foreign. */
static Value call_other(Ast *node, Frame *frame, Function *f, const Value *receiver) {
    Arguments a;
    Value few[FEW_ARGUMENTS];
    uint32_t count = node->count + (receiver != NULL);
    if (node->op && count <= FEW_ARGUMENTS) {
        uint32_t at = 0;
        if (receiver) few[at++] = *receiver;
        for (uint32_t i = 0; i < node->count; i++) few[at++] = eval(node->kids[i], frame);
        rt.here = node->span;
        return f->call(f, (int)count, few);
    }
    eval_arguments(node, frame, receiver, &a);
    check_stack();
    rt.here = node->span;
    if (a.named_count && foreign_signature(f)) return call_foreign_named(f, &a);
    if (a.named_count)
        fail_at(a.named[0].span, E_ARGUMENT,
                "this function takes no named arguments: its values go by their places");
    return f->call(f, (int)a.count, a.positional);
}

static _Noreturn void fail_callee(Ast *node, Value callee) {
    char text[80], name[60];
    rt.here = node->span;
    span_whole_text(node->a->span, name, sizeof name);
    if (is_numeric(callee)) hint("write * for a product, [ ] for an element");
    fail(E_TYPE, "`%s` is %s, not a function", node->kind == A_METHOD ? node->name->text : name,
         describe(callee, text, sizeof text));
}

static Value call_with(Ast *node, Frame *frame, Value callee, const Value *receiver) {
    if (callee.tag != V_FUNCTION) fail_callee(node, callee);
    Function *f = callee.as.function;
    if (f->call == closure_call) {
        Closure *closure = (Closure *)f;
        uint32_t count = node->count + (receiver != NULL);
        if (node->op && takes_lean(closure->fn, count))
            return call_lean(node, frame, closure, receiver);
        Arguments a;
        eval_arguments(node, frame, receiver, &a);
        rt.here = node->span;
        return run_general(closure, &a, node->span);
    }
    return f->row ? call_builtin(node, frame, f, receiver) : call_other(node, frame, f, receiver);
}

Value eval_call(Ast *node, Frame *frame) {
    return call_with(node, frame, eval(node->a, frame), NULL);
}

/* An elementwise builtin that makes a number of a number. */
static inline bool makes_number(const BuiltinRow *row) {
    const Operation *o = &operations[row->op];
    return row->op != OP_NONE && o->arity == 1 && o->class != C_TEST;
}

/* An elementwise builtin of one input and a plain number; else the general way. */
static Value call_on_number(Ast *node, Frame *frame, Function *f) {
    const BuiltinRow *row = f->row;
    if (node->count != 1 || !makes_number(row)) return call_builtin(node, frame, f, NULL);
    Value x = eval(node->kids[0], frame);
    if (head_of(x) == 0) return number(elem_kernels[row->op].scalar(x.as.num, 0));
    rt.here = node->span;
    int reuse = node->kids[0]->flags & AST_TEMPORARY ? REUSE_X : 0;
    return elementwise(row, 1, &x, node->flags & AST_DEFERS ? reuse | DEFER : reuse);
}

/* A call of a function that takes deferred arguments, unless a variable has its name. */
Value eval_call_deferring(Ast *node, Frame *frame) {
    Value f = eval(node->a, frame);
    if (f.tag == V_FUNCTION && takes_deferred(f.as.function))
        return node->op && f.as.function->row ? call_on_number(node, frame, f.as.function)
                        : call_with(node, frame, f, NULL);
    for (uint32_t i = 0; i < node->count; i++) node->kids[i]->flags &= (uint8_t)~AST_DEFERS;
    if (node->eval == eval_call_deferring) node->eval = choose_call(node);
    return call_with(node, frame, f, NULL);
}

/* f(...) where f is a variable or the library's and all arguments are plain. `cache` is the last
 * function that was found to take this many of them into its locals. */
Value eval_call_name(Ast *node, Frame *frame) {
    Value callee = *near_variable(frame, node->a->near[0]);
    if (callee.tag == V_UNSET) callee = library_or_fail(node->a, frame);
    if (callee.tag != V_FUNCTION) return call_with(node, frame, callee, NULL);
    Function *f = callee.as.function;
    if (f->row) return call_on_number(node, frame, f);
    if (f->call != closure_call) return call_with(node, frame, callee, NULL);
    Closure *closure = (Closure *)f;
    if (closure->fn != node->cache) {
        if (!takes_lean(closure->fn, node->count)) return call_with(node, frame, callee, NULL);
        node->cache = closure->fn;
    }
    return call_lean(node, frame, closure, NULL);
}

/* The nearest function of a method's name: variables from the inside out, then the library. */
static Value method_of(Ast *node, Frame *frame) {
    for (Ast *name = node; name; name = name->b) {
        Value v = *variable_place(name, frame);
        if (v.tag == V_FUNCTION) return v;
    }
    if (!node->cache) node->cache = library_find(node->name);
    Value *library = node->cache;
    return library && library->tag == V_FUNCTION ? *library : UNSET;
}

static _Noreturn void fail_method(Ast *node, Value receiver) {
    char text[80];
    rt.here = node->span;
    if (receiver.tag == V_STRUCT) field_value(receiver, node->name, node->span);
    hint_nearest(node->name, interp.frame);
    fail(E_NAME, "there is no function `%s` to call with %s", node->name->text,
         describe(receiver, text, sizeof text));
}

/* The field of a struct that has it, or NULL; a module has nothing else. */
static Value *field_of(Ast *node, Value x) {
    if (x.tag != V_STRUCT) return NULL;
    Value *field = struct_find(x, node->name);
    if (!field && x.as.record->module) field_value(x, node->name, node->span);
    return field;
}

Value eval_method(Ast *node, Frame *frame) {
    Value x = eval(node->a, frame);
    Value *field = field_of(node, x);
    if (field) return call_with(node, frame, *field, NULL);
    Value f = method_of(node, frame);
    if (head_of(x) == 0 && node->count == 0 && f.tag == V_FUNCTION && f.as.function->row &&
        makes_number(f.as.function->row)) {
        const BuiltinRow *row = f.as.function->row;
        return number(elem_kernels[row->op].scalar(x.as.num, 0));
    }
    if (is_deferred(x) && (f.tag != V_FUNCTION || !takes_deferred(f.as.function)))
        x = fuse_force(x);
    if (f.tag == V_UNSET) fail_method(node, x);
    return call_with(node, frame, f, &x);
}

Value eval_field(Ast *node, Frame *frame) {
    Value x = eval(node->a, frame);
    Value *field = field_of(node, x);
    if (field) return *field;
    Value f = method_of(node, frame);
    if (is_deferred(x) && (f.tag != V_FUNCTION || !takes_deferred(f.as.function)))
        x = fuse_force(x);
    if (f.tag == V_UNSET) fail_method(node, x);
    return call_with(node, frame, f, &x);
}

Value call_value(Value f, int count, const Value *args) {
    if (f.tag != V_FUNCTION) {
        char text[80];
        fail(E_TYPE, "a function is needed here, not %s", describe(f, text, sizeof text));
    }
    return f.as.function->call(f.as.function, count, args);
}

Eval *choose_call(const Ast *node) {
    if (node->kind == A_METHOD) return eval_method;
    if (node->count && node->kids[0]->flags & AST_DEFERS) return eval_call_deferring;
    bool near = node->a->kind == A_NAME && node->a->scope != S_CELL && !(node->a->flags & AST_PIN);
    return near && node->op ? eval_call_name : eval_call;
}

/* ---- results that nobody takes ---- */

/* The builtin that a call means, as far as can be told before it runs; NULL if it may be something
 * else. */
static const BuiltinRow *builtin_meant(Ast *node, Frame *frame) {
    if (node->a->kind != A_NAME) return NULL;
    Value v = *variable_place(node->a, frame);
    if (node->kind == A_METHOD) {
        v = v.tag == V_STRUCT ? UNSET : method_of(node, frame);
    } else if (v.tag == V_UNSET && node->a->scope == S_GLOBAL) {
        Value *library = library_find(node->a->name);
        v = library ? *library : UNSET;
    }
    return v.tag == V_FUNCTION ? v.as.function->row : NULL;
}

Value eval_thrown_away(Ast *node, Frame *frame) {
    node->eval = choose_call(node);
    const BuiltinRow *row = builtin_meant(node, frame);
    Value v = eval(node, frame);
    if (row && row->pure && !frame->module->library) {
        warn_at(node->span,
                "values never change in place: store the result, as in x = append(x, v)",
                "the result of `%s` is thrown away", row->name);
    }
    return v;
}
