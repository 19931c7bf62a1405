/* Calling foreign functions. The one idea: everything that can fail is done before C runs and
 * everything that comes back is looked at after it, so between the two there is nothing but the
 * call.
 *
 * A number parameter that gets an array maps the call over it, with broadcasting. Functions of
 * doubles alone, called with plain numbers, are called directly, without libffi. A result that
 * depends on recorded values is a step on the tape whose rule is an error: it says how to write the
 * rule (custom_grad). */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "ffi_parts.h"
#include "leaves.h"
#include "sweep.h"
#include "text.h"

enum { MAX_ARGUMENTS = C_MAX_PARAMETERS + 8 };
typedef union Slot { double num; void *pointer; uint64_t bits[2]; } Slot;

/* A call on its way: what C will get, and what is needed to read what it gives. */
typedef struct Invocation {
    CCall call;
    CSignature *s;
    int extras;                    /* arguments behind an open `...` */
    Value arg[MAX_ARGUMENTS];      /* by parameter, then the extras */
    Slot slot[MAX_ARGUMENTS];
    void *value[MAX_ARGUMENTS];    /* where libffi finds each */
    Value kept[C_MAX_PARAMETERS];
    ffi_type *extra_type[MAX_ARGUMENTS];
    void *result;
    int error_number;
} Invocation;

static CPlace place_at(Invocation *in, int i) {
    return (CPlace){ .call = &in->call,
                     .parameter = i < in->s->count ? in->s->parameter[i].name->text : "..." };
}

static bool is_out(const CSignature *s, int i) { return s->parameter[i].way == C_OUT; }
static bool comes_back(const CSignature *s, int i) {
    return is_out(s, i) || s->parameter[i].way == C_INOUT;
}

/* ---- arguments ---- */

static _Noreturn void fail_count(const CSignature *s, int wanted, int count) {
    fail(E_ARGUMENT, "%s takes %s%d argument%s, but %d %s given", s->text,
         s->open ? "at least " : "", wanted, wanted == 1 ? "" : "s", count,
         count == 1 ? "was" : "were");
}

static void bind(Invocation *in, int count, const Value *args) {
    CSignature *s = in->s;
    int wanted = 0, at = 0;
    for (int i = 0; i < s->count; i++) wanted += !is_out(s, i);
    if (count < wanted || (count > wanted && !s->open)) fail_count(s, wanted, count);
    in->extras = count - wanted;
    if (in->extras > MAX_ARGUMENTS - s->count)
        fail(E_ARGUMENT, "%s cannot take %d arguments: %d is the limit", s->text, count,
             MAX_ARGUMENTS);
    for (int i = 0; i < s->count; i++) in->arg[i] = is_out(s, i) ? UNSET : args[at++];
    for (int i = 0; i < in->extras; i++) in->arg[s->count + i] = args[at++];
}

/* Freed by this call: as the signature says, or because it is the function the handle is freed
 * with. */
static void note_freed(Invocation *in, int i) {
    Value v = in->arg[i];
    if (v.tag != V_HANDLE) return;
    Handle *h = v.as.handle;
    bool by_itself = in->s->count == 1 && h->free && (void (*)(void))h->free == in->call.f->address;
    if (in->s->parameter[i].way != C_FREES && !by_itself) return;
    h->pointer = NULL;
    h->free = NULL;
}

static void store_argument(Invocation *in, int i) {
    const CParameter *p = &in->s->parameter[i];
    CPlace place = place_at(in, i);
    in->value[i] = &in->slot[i];
    in->slot[i] = (Slot){ 0 };
    if (comes_back(in->s, i)) {
        in->slot[i].pointer = c_room(p->type, in->arg[i], &place, &in->kept[i]);
    } else {
        if (p->type->bytes > sizeof(Slot)) in->value[i] = pool_bytes(p->type->bytes);
        c_store(p->type, in->value[i], in->arg[i], &place);
    }
}

/* {int: 3} passes 3 as an int; a bare number is a double, a bool an int, all else a pointer. */
static ffi_type *store_extra(Invocation *in, int i, Value v) {
    CPlace place = place_at(in, i);
    Slot *slot = &in->slot[i];
    in->value[i] = slot;
    *slot = (Slot){ 0 };
    const CNumber *number = c_number("double", 6);
    if (v.tag == V_BOOL) number = c_number("int", 3);
    if (v.tag == V_STRUCT && v.as.record->count == 1) {
        String *name = v.as.record->field[0].name;
        number = c_number(name->text, name->bytes);
        if (!number || number->bytes < sizeof(int) || number->dtype == F32)
            c_fail(&place, E_TYPE,
                   "cannot be passed as %s: C passes int, uint, long, double and the like",
                   name->text);
        v = v.as.record->field[0].value;
    } else if (!is_number(v) && axes_of(v) + (v.tag != V_ARRAY)) {
        CType any = { .kind = v.tag == V_STRING ? C_STRING : C_ANY };
        c_store(&any, slot, v, &place);
        return &ffi_type_pointer;
    }
    c_store_number(number, slot, v, &place);
    return number->ffi;
}

/* ---- the call ---- */

static void prepare_variadic(Invocation *in, ffi_cif *cif, ffi_type **types) {
    CSignature *s = in->s;
    int total = s->count + in->extras;
    for (int i = 0; i < total; i++)
        types[i] = i < s->count ? in->call.f->types[i] : in->extra_type[i];
    if (ffi_prep_cif_var(cif, FFI_DEFAULT_ABI, (unsigned)s->fixed, (unsigned)total, s->result->ffi,
                         types) != FFI_OK)
        fail(E_FOREIGN, "this machine cannot call %s", s->text);
}

static void invoke_with(Invocation *in, ffi_cif *cif) {
    in->call.outer = rt.foreign;
    rt.foreign = &in->call;
    if (in->s->gives_errno) errno = 0;
    ffi_call(cif, in->call.f->address, in->result, in->value);
    in->error_number = errno;
    rt.foreign = in->call.outer;
    if (in->call.failed || in->call.stranger) callback_check(&in->call);
    poll();
}

static void invoke(Invocation *in) {
    if (!in->s->variadic) {
        invoke_with(in, (ffi_cif *)&in->call.f->cif);
        return;
    }
    ffi_cif cif;
    ffi_type *types[MAX_ARGUMENTS];
    prepare_variadic(in, &cif, types);
    invoke_with(in, &cif);
}

/* ---- results ---- */

static int count_results(const CSignature *s) {
    int count = (s->result->kind != C_VOID) + s->gives_errno;
    for (int i = 0; i < s->count; i++) count += comes_back(s, i);
    return count;
}

/* The result, what came back in parameters, errno: alone, or as a list. */
static Value take_results(Invocation *in) {
    CSignature *s = in->s;
    int count = count_results(s), at = 0;
    Value item[C_MAX_PARAMETERS + 2];
    if (s->result->kind != C_VOID)
        item[at++] = c_load(s->result, in->result, &(CPlace){ .call = &in->call });
    for (int i = 0; i < s->count; i++) {
        if (!comes_back(s, i)) continue;
        CPlace place = place_at(in, i);
        item[at++] = c_room_value(s->parameter[i].type, in->slot[i].pointer, in->kept[i], &place);
    }
    if (s->gives_errno) item[at++] = number(in->error_number);
    return count == 0 ? NIL : count == 1 ? item[0] : list_of((size_t)count, item);
}

/* ---- mapping ---- */

typedef struct Mapping {
    Invocation *in;
    int results, mapped;
    int parameter[C_MAX_PARAMETERS];          /* of each mapped argument */
    const CNumber *from[C_MAX_PARAMETERS];    /* of each result, and where C leaves it */
    void *at[C_MAX_PARAMETERS];
} Mapping;

static bool is_mapped(const Invocation *in, int i) {
    return in->s->parameter[i].type->kind == C_NUMBER && in->arg[i].tag == V_ARRAY &&
           axes_of(in->arg[i]) > 0;
}

static void map_run(int64_t n, char **at, const int64_t *strides, void *env) {
    Mapping *m = env;
    Invocation *in = m->in;
    for (int64_t k = 0; k < n; k++) {
        for (int j = 0; j < m->mapped; j++) {
            int i = m->parameter[j], walked = m->results + j;
            CPlace place = place_at(in, i);
            double x = ((double *)at[walked])[k * strides[walked]];
            c_store_number(in->s->parameter[i].type->number, &in->slot[i], number(x), &place);
        }
        invoke(in);
        for (int j = 0; j < m->results; j++)
            ((double *)at[j])[k * strides[j]] = m->from[j]->load(m->at[j]);
    }
}

/* The same for a function of doubles alone: what is not mapped stands still. */
static void map_run_quick(int64_t n, char **at, const int64_t *strides, void *env) {
    Mapping *m = env;
    const double *x[3];
    int64_t step[3] = { 0 };
    for (int i = 0; i < m->in->s->count; i++) x[i] = &m->in->slot[i].num;
    for (int j = 0; j < m->mapped; j++) {
        x[m->parameter[j]] = (const double *)at[m->results + j];
        step[m->parameter[j]] = strides[m->results + j];
    }
    m->in->call.f->quick->loop(m->in->call.f, n, (double *)at[0], strides[0], x, step);
}

static void add_result(Mapping *m, const CType *type, void *at, const char *of) {
    const CSignature *s = m->in->s;
    if (type->kind != C_NUMBER)
        fail(E_ARGUMENT,
             "%s takes one number at a time: %s is no number, so it cannot be mapped over arrays",
             s->text, of);
    m->from[m->results] = type->number;
    m->at[m->results++] = at;
}

static void find_results(Mapping *m) {
    Invocation *in = m->in;
    if (in->s->result->kind != C_VOID) add_result(m, in->s->result, in->result, "its result");
    for (int i = 0; i < in->s->count; i++) {
        const CType *type = in->s->parameter[i].type;
        if (!comes_back(in->s, i)) continue;
        bool single = is_out(in->s, i) && !type->dims;
        add_result(m, single ? type->element : type, in->slot[i].pointer,
                   in->s->parameter[i].name->text);
    }
    if (in->s->gives_errno || m->results == 0)
        fail(E_ARGUMENT, "%s takes one number at a time: it is not mapped over arrays",
             in->s->text);
}

static Shape mapped_shape(const Mapping *m) {
    Shape shape = { 0 };
    for (int j = 0; j < m->mapped; j++) {
        Shape other = value_shape(m->in->arg[m->parameter[j]]), joined;
        if (!shapes_join(&shape, &other, &joined)) {
            char a[80], b[80];
            shape_text(shape.axes, shape.dim, a, sizeof a);
            shape_text(other.axes, other.dim, b, sizeof b);
            fail(E_SHAPE, "cannot map %s over shapes %s and %s", m->in->s->text, a, b);
        }
        shape = joined;
    }
    return shape;
}

/* Of bools a bool array, of f32 arrays or floats an f32 array, else f64. */
static int result_dtype(const Mapping *m, const CNumber *from) {
    if (from->dtype != F64) return from->dtype;
    for (int j = 0; j < m->mapped; j++)
        if (dtype_of(m->in->arg[m->parameter[j]]) != F32) return F64;
    return F32;
}

static Value map_call(Invocation *in) {
    Mapping m = { .in = in };
    for (int i = 0; i < in->s->count; i++) {
        if (is_mapped(in, i))
            m.parameter[m.mapped++] = i, in->slot[i].num = 0, in->value[i] = &in->slot[i];
        else store_argument(in, i);
    }
    find_results(&m);
    Shape shape = mapped_shape(&m);
    Array *walked[WALK_ARRAYS];
    if (m.results + m.mapped > WALK_ARRAYS)
        fail(E_LIMIT, "%s is mapped over too many arrays", in->s->text);
    for (int j = 0; j < m.results; j++) walked[j] = array_new(F64, shape.axes, shape.dim);
    for (int j = 0; j < m.mapped; j++)
        walked[m.results + j] = array_broadcast(array_cast(in->arg[m.parameter[j]].as.array, F64),
                                                shape.axes, shape.dim);
    in->call.outer = rt.foreign;
    bool quick = in->call.f->quick != NULL;
    if (quick) rt.foreign = &in->call;
    array_walk(m.results + m.mapped, walked, quick ? map_run_quick : map_run, &m);
    rt.foreign = in->call.outer;
    callback_check(&in->call);
    Value item[C_MAX_PARAMETERS];
    for (int j = 0; j < m.results; j++)
        item[j] = array_value(array_cast(walked[j], result_dtype(&m, m.from[j])));
    return m.results == 1 ? item[0] : list_of((size_t)m.results, item);
}

/* ---- the tape ---- */

typedef struct ForeignRule { Function head; Value f; bool captured; } ForeignRule;

/* `j0 = custom_grad(j0, (g, y, x) -> g * ...)`: what to write, with the function's own names. */
static void hint_rule(const CSignature *s) {
    Buffer names = { 0 }, gradients = { 0 };
    int count = 0;
    for (int i = 0; i < s->count; i++) {
        if (is_out(s, i)) continue;
        const CType *type = s->parameter[i].type;
        if (type->kind == C_POINTER) type = type->element;
        bool smooth = type->kind == C_NUMBER && !type->number->whole && type->number->dtype != BOOL;
        buffer_format(&names, ", %s", s->parameter[i].name->text);
        buffer_format(&gradients, "%s%s", count++ ? ", " : "", smooth ? "g * ..." : "nil");
    }
    const char *open = count > 1 ? "(" : "", *close = count > 1 ? ")" : "", *name = s->name->text;
    hint("write its rule, with the derivative for ...:  %s = custom_grad(%s, (g, y%.*s) -> "
         "%s%.*s%s)",
         name, name, (int)names.bytes, names.text, open, (int)gradients.bytes, gradients.text,
         close);
}

static Value call_rule(Function *self, int count, const Value *args) {
    (void)count, (void)args;
    const ForeignRule *rule = (const ForeignRule *)self;
    const CSignature *s = foreign_signature(rule->f.as.function);
    if (rule->captured) {
        hint("only the arguments of a function with a rule (custom_grad) have gradients: hand the "
             "values over as such");
        fail(E_GRADIENT,
             "no gradient passes through %s: a function given to it uses recorded values", s->text);
    }
    hint_rule(s);
    fail(E_GRADIENT, "no gradient passes through the foreign function %s", s->text);
}

static void free_rule(Function *self) { value_release(((ForeignRule *)self)->f); }

static Value rule_of(const Invocation *in) {
    ForeignRule *rule = (ForeignRule *)function_new(sizeof *rule, in->s->name->text, call_rule);
    rule->f = value_hold(object((void *)in->call.f));
    rule->captured = in->call.seen.tag == V_LIST;
    rule->head.free = free_rule;
    return object(rule);
}

/* The recorded numbers and arrays that the call saw, in its arguments or through callbacks. */
static Value recorded_inputs(const Invocation *in) {
    Value inputs = list_new(0);
    for (int i = 0; i < in->s->count + in->extras; i++) {
        size_t count = 0;
        if (!is_numeric(in->arg[i]) && !is_tree(in->arg[i])) continue;
        Value *leaf = tree_leaves(in->arg[i], &count);
        for (size_t k = 0; k < count; k++)
            if (leaf[k].node) inputs = list_push(inputs, leaf[k]);
    }
    if (in->call.seen.tag == V_LIST && in->call.seen.as.list->item[0].node)
        inputs = list_push(inputs, in->call.seen.as.list->item[0]);
    return inputs;
}

static Value join_tape(Invocation *in, Value y) {
    if (in->call.seen.tag == V_LIST && in->call.seen.as.list->item[0].tag == V_NIL)
        in->call.seen = NIL;
    Value inputs = recorded_inputs(in);
    size_t results = tree_numeric(y, NULL), count = inputs.as.list->count;
    if (!count || !results) return y;
    Value *result = pool_bytes(results * sizeof *result);
    tree_numeric(y, result);
    Value whole = results == 1 ? result[0] : list_of(results, result);
    Value recorded = sweep_custom(rule_of(in), (int)count, inputs.as.list->item, whole);
    return tree_with_numeric(y, results == 1 ? &recorded : recorded.as.list->item, false);
}

/* ---- calling ---- */

static bool takes_functions(const CSignature *s) {
    for (int i = 0; i < s->count; i++) {
        const CType *type = s->parameter[i].type;
        if (type->kind == C_FUNCTION || type->kind == C_STRUCT || type->kind == C_POINTER)
            return true;
    }
    return false;
}

static Value call_in_general(const ForeignFunction *f, int count, const Value *args) {
    Invocation in;
    in.call = (CCall){ .f = f, .args = in.arg, .seen = NIL };
    in.s = f->signature;
    bind(&in, count, args);
    if (rt.recording && takes_functions(in.s)) in.call.seen = list_new(1);
    in.result = pool_bytes(in.s->result->bytes + sizeof(Slot));
    for (int i = 0; i < in.s->count; i++)
        if (is_mapped(&in, i)) return join_tape(&in, map_call(&in));
    for (int i = 0; i < in.s->count; i++) store_argument(&in, i);
    for (int i = in.s->count; i < in.s->count + in.extras; i++)
        in.extra_type[i] = store_extra(&in, i, in.arg[i]);
    for (int i = 0; i < in.s->count; i++) note_freed(&in, i);
    invoke(&in);
    Value y = take_results(&in);
    return rt.recording ? join_tape(&in, y) : y;
}

static bool all_plain_numbers(int count, const Value *args) {
    for (int i = 0; i < count; i++)
        if (args[i].tag != V_NUM || args[i].node) return false;
    return true;
}

static Value foreign_call(Function *self, int count, const Value *args) {
    const ForeignFunction *f = (const ForeignFunction *)self;
    check_stack();
    if (!f->quick || count != f->signature->count || !all_plain_numbers(count, args))
        return call_in_general(f, count, args);
    CCall call = { .f = f, .outer = rt.foreign, .seen = NIL };
    rt.foreign = &call;
    Value y = f->quick->call(f, args);
    rt.foreign = call.outer;
    if (call.failed || call.stranger) callback_check(&call);
    poll();
    return y;
}

const CSignature *foreign_signature(const Function *f) {
    return f->call == foreign_call ? ((const ForeignFunction *)f)->signature : NULL;
}

/* ---- functions of doubles alone ---- */

#define QUICK(n, parameters, arguments, elements)                                                  \
    static Value quick##n(const ForeignFunction *f, const Value *a) {                              \
        (void)a;                                                                                   \
        return number(((double(*) parameters)f->address)arguments);                                \
    }                                                                                              \
    static void loop##n(const ForeignFunction *f, int64_t count, double *y, int64_t to,            \
                        const double *const *x, const int64_t *step) {                             \
        double(*function) parameters = (double(*) parameters)f->address;                           \
        (void)x, (void)step;                                                                       \
        for (int64_t k = 0; k < count; k++) y[k * to] = function elements;                         \
    }
#define A(i) a[i].as.num
#define X(i) x[i][k * step[i]]
QUICK(0, (void), (), ())
QUICK(1, (double), (A(0)), (X(0)))
QUICK(2, (double, double), (A(0), A(1)), (X(0), X(1)))
QUICK(3, (double, double, double), (A(0), A(1), A(2)), (X(0), X(1), X(2)))
#undef A
#undef X

static const Quick quicks[] = {
    { quick0, loop0 }, { quick1, loop1 }, { quick2, loop2 }, { quick3, loop3 }
};

static bool is_double(const CType *type) {
    return type->kind == C_NUMBER && type->bytes == sizeof(double) && !type->number->whole;
}

static void choose_quick(ForeignFunction *f) {
    const CSignature *s = f->signature;
    if (s->count > 3 || s->variadic || s->gives_errno || !is_double(s->result)) return;
    for (int i = 0; i < s->count; i++)
        if (!is_double(s->parameter[i].type)) return;
    f->quick = &quicks[s->count];
}

/* ---- making ---- */

/* C widens what stands behind `...`. */
static void widen(CType *type) {
    if (type->kind != C_NUMBER) return;
    if (type->number->dtype == F32) type->number = c_number("double", 6);
    else if (type->bytes < sizeof(int)) type->number = c_number("int", 3);
    c_layout(type);
}

Value foreign_function(CLibrary library, CSignature *s) {
    void *address = symbol_address(library, s->symbol);
    if (!address) fail(E_FOREIGN, "`%s` is no function: its address is 0", s->symbol->text);
    c_find_release(library, s->result);
    ForeignFunction *f = (ForeignFunction *)function_new(sizeof *f, s->name->text, foreign_call);
    f->signature = s;
    f->library = library_of(address, library);
    memcpy(&f->address, &address, sizeof address);
    for (int i = 0; i < s->count; i++) {
        if (i >= s->fixed) widen(s->parameter[i].type);
        c_find_release(library, s->parameter[i].type);
        f->types[i] = s->parameter[i].type->ffi;
    }
    if (!s->variadic && ffi_prep_cif(&f->cif, FFI_DEFAULT_ABI, (unsigned)s->count, s->result->ffi,
                                     f->types) != FFI_OK)
        fail(E_FOREIGN, "this machine cannot call %s", s->text);
    choose_quick(f);
    return object(f);
}
