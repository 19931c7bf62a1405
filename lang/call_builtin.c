/* Calls of builtins. The one idea: a builtin is a row (builtins.def), and its arguments are bound to
 * the row's parameters; what the row says decides whether they may come not yet computed, or as
 * lists and structs. */
#include "bind.h"
#include "kernels.h"

enum { MAX_BUILTIN_PARAMETERS = 16 };

Value elementwise(const BuiltinRow *row, int count, const Value *arg, int reuse) {
    bool deferred = false, numeric = true;
    for (int i = 0; i < count; i++) {
        deferred |= is_deferred(arg[i]) || (reuse & DEFER && is_worth_deferring(arg[i]));
        numeric &= is_numeric_or_deferred(arg[i]);
    }
    if (deferred && numeric) return fuse_apply(row->op, count, arg, reuse);
    Value forced[2];
    for (int i = 0; i < count && deferred; i++) forced[i] = fuse_force(arg[i]);
    if (deferred) arg = forced;
    reuse &= ~DEFER;
    for (int i = 0; i < count; i++) {
        if (is_tree(arg[i]))
            return count == 1 ? tree_map1(row->op, arg[0]) : tree_map2(row->op, arg[0], arg[1]);
    }
    for (int i = 0; i < count; i++) {
        if (is_numeric(arg[i])) continue;
        char text[80];
        if (arg[i].tag == V_FUNCTION) hint("a function of a function: x -> %s(f(x))", row->name);
        fail(E_TYPE, "%s takes numbers and arrays, not %s", row->name,
             describe(arg[i], text, sizeof text));
    }
    return count == 1 ? apply1_reusing(row->op, arg[0], reuse)
                      : apply2_reusing(row->op, arg[0], arg[1], reuse);
}

static bool has_tree(uint32_t count, const Value *arg) {
    for (uint32_t i = 0; i < count; i++) {
        if (is_tree(arg[i])) return true;
    }
    return false;
}

static Value run_builtin(Function *f, const Arguments *a) {
    BuiltinRow *row = (BuiltinRow *)f->row;
    const Signature *s = row_signature(row);
    Value bound[MAX_BUILTIN_PARAMETERS];
    bind_arguments(f, s, a, bound);
    bool trees = row->maps && has_tree(s->count, bound);
    for (uint32_t i = 0; i < s->count; i++)
        if (row->op == OP_NONE && (i || !reduces_deferred(row))) bound[i] = fuse_force(bound[i]);
    if (row->op != OP_NONE) return elementwise(row, (int)s->count, bound, 0);
    if (trees) return tree_call(row->call, (int)s->count, bound);
    return row->call((int)s->count, bound);
}

static Value builtin_call(Function *self, int count, const Value *args) {
    check_stack();
    return run_builtin(self, &(Arguments){ .count = (uint32_t)count, .positional = args });
}

Value builtin_value(BuiltinRow *row) {
    Function *f = function_new(sizeof *f, row->name, builtin_call);
    f->row = row;
    return object(f);
}

bool is_builtin(Value v, Builtin *call) {
    return v.tag == V_FUNCTION && v.as.function->row &&
           ((const BuiltinRow *)v.as.function->row)->call == call;
}

/* An elementwise builtin with just its arguments: no binding, and temporaries may be overwritten.
 */
static Value call_elementwise(Ast *node, Frame *frame, const BuiltinRow *row,
                              const Value *receiver) {
    Value arg[2];
    int count = 0, reuse = node->flags & AST_DEFERS ? DEFER : 0;
    if (receiver) {
        if (node->a->flags & AST_TEMPORARY) reuse |= REUSE_X;
        arg[count++] = *receiver;
    }
    for (uint32_t i = 0; i < node->count; i++) {
        if (node->kids[i]->flags & AST_TEMPORARY) reuse |= count ? REUSE_Y : REUSE_X;
        arg[count++] = eval(node->kids[i], frame);
    }
    rt.here = node->span;
    return elementwise(row, count, arg, reuse);
}

/* Arguments of where() that may be deferred, or defer it. */
static bool is_tiled_where(const Arguments *a) {
    bool large = false;
    if (a->count != 3 || a->named_count) return false;
    for (int i = 0; i < 3; i++) {
        if (!is_numeric_or_deferred(a->positional[i])) return false;
        large |= is_worth_deferring(a->positional[i]);
    }
    return large;
}

Value call_builtin(Ast *node, Frame *frame, Function *f, const Value *receiver) {
    const BuiltinRow *row = f->row;
    uint32_t count = node->count + (receiver != NULL);
    if (row->op != OP_NONE && node->op && count == operations[row->op].arity) {
        return call_elementwise(node, frame, row, receiver);
    }
    Arguments a;
    eval_arguments(node, frame, receiver, &a);
    if (frame->flow != FLOW_ON) return NIL;
    check_stack();
    rt.here = node->span;
    if (row->call == call_where && is_tiled_where(&a))
        return fuse_apply(OP_where, 3, a.positional, node->flags & AST_DEFERS ? DEFER : 0);
    note_values(node, a.positional, a.count);
    Value v = run_builtin(f, &a);
    interp.noted.node = NULL;
    return v;
}
