/* vmap(f): f over the first axis of its arguments, its results stacked; on trees.
 *
 * The plain meaning is a loop. Two things make it faster with the same answer: the gradient of f
 * for each example is the gradient of vmap(f), since no example depends on another; and a function
 * whose course no number decides (batchable.h) is recorded for one example, and its tape run again
 * for all (batch.h). */
#include <stdio.h>
#include <string.h>
#include "batch.h"
#include "batchable.h"
#include "builtins.h"
#include "builtins_function.h"
#include "function.h"
#include "leaves.h"

enum { NOT_MAPPED = INT32_MIN };
typedef struct VmapFunction { Function head; Value f, axes; } VmapFunction;

/* One call of a vmapped function: every leaf of its arguments, and the axis that it is mapped over.
 */
typedef struct Batch {
    Value f, arguments;        /* the arguments as a list */
    size_t leaves;
    Value *leaf;
    int *axis;                 /* not negative, or NOT_MAPPED */
    int64_t length;
} Batch;

/* ---- axes ---- */
static _Noreturn void bad_axes(Value axes, Value argument) {
    char what[80], other[80];
    fail(E_ARGUMENT,
         "vmap: in_axes gives each argument an axis, nil, or a tree of these like the argument, "
         "not %s for %s",
         describe(axes, what, sizeof what), describe(argument, other, sizeof other));
}

static int axis_of_leaf(Value leaf, Value axis) {
    if (!is_numeric(leaf) || axis.tag == V_NIL) return NOT_MAPPED;
    int64_t at = arg_int(axis, "in_axes of vmap"), axes = axes_of(leaf);
    char what[80];
    if (!axes) {
        note_operand(0, leaf);
        hint("in_axes = (0, nil) maps over the first argument only");
        fail(E_SHAPE, "vmap: %s has no axis to map over", describe(leaf, what, sizeof what));
    }
    if (at < -axes || at >= axes)
        fail(E_SHAPE, "vmap: axis %lld is not one of the %lld axes of %s", (long long)at,
             (long long)axes, describe(leaf, what, sizeof what));
    return (int)(at < 0 ? at + axes : at);
}

/* The axes of all leaves of one argument: one for all of them, or a tree of axes. */
static int *axes_of_tree(Value tree, Value axes, int *out) {
    if (!is_tree(tree)) {
        if (is_tree(axes)) bad_axes(axes, tree);
        *out = axis_of_leaf(tree, axes);
        return out + 1;
    }
    check_stack();
    bool apart = is_tree(axes);
    if (apart && axes.tag != tree.tag) bad_axes(axes, tree);
    if (tree.tag == V_LIST) {
        const List *list = tree.as.list;
        if (apart && axes.as.list->count != list->count) bad_axes(axes, tree);
        for (size_t i = 0; i < list->count; i++)
            out = axes_of_tree(list->item[i], apart ? axes.as.list->item[i] : axes, out);
        return out;
    }
    const Struct *record = tree.as.record;
    for (size_t i = 0; i < record->count; i++) {
        const Value *one = apart ? struct_find(axes, record->field[i].name) : &axes;
        if (!one) bad_axes(axes, tree);
        out = axes_of_tree(record->field[i].value, *one, out);
    }
    return out;
}

static void find_length(Batch *b) {
    b->length = -1;
    for (size_t i = 0; i < b->leaves; i++) {
        if (b->axis[i] == NOT_MAPPED) continue;
        int64_t length = value_shape(b->leaf[i]).dim[b->axis[i]];
        if (b->length >= 0 && length != b->length)
            fail(E_SHAPE,
                 "vmap: the mapped axes have lengths %lld and %lld, but all should be equal",
                 (long long)b->length, (long long)length);
        b->length = length;
    }
    if (b->length >= 0) return;
    hint("in_axes says which axis of each argument is mapped over; nil: none");
    fail(E_ARGUMENT, "vmap: no argument is mapped over");
}

static Batch batch_of(const VmapFunction *self, int count, const Value *args) {
    Batch b = { .f = self->f, .arguments = list_of((size_t)count, args) };
    b.leaf = tree_leaves(b.arguments, &b.leaves);
    b.axis = pool_bytes((b.leaves + 1) * sizeof *b.axis);
    axes_of_tree(b.arguments, self->axes, b.axis);
    find_length(&b);
    return b;
}

/* ---- the loop ---- */
static Value leaf_of_example(const Batch *b, size_t i, int64_t k) {
    if (b->axis[i] == NOT_MAPPED) return b->leaf[i];
    IndexItem items[MAX_AXES];
    for (int axis = 0; axis < b->axis[i]; axis++)
        items[axis] = (IndexItem){ .kind = I_SLICE, .step = 1 };
    items[b->axis[i]] = (IndexItem){ .kind = I_AT, .start = k };
    return op_index(b->leaf[i], b->axis[i] + 1, items);
}

static Value call_example(const Batch *b, int64_t k) {
    size_t pool = pool_mark();
    Value *leaf = pool_bytes((b->leaves + 1) * sizeof *leaf);
    for (size_t i = 0; i < b->leaves; i++) leaf[i] = leaf_of_example(b, i, k);
    const List *args = tree_rebuild(b->arguments, leaf).as.list;
    return pool_pass(pool, call_value(b->f, (int)args->count, args->item));
}

/* The i-th leaves of all results, as one array. */
static Value stack_leaves(int64_t count, Value **result, size_t i) {
    char what[80];
    Value *row = pool_bytes((size_t)count * sizeof *row), first = result[0][i];
    for (int64_t k = 0; k < count; k++) {
        row[k] = result[k][i];
        if (first.tag == V_NIL && row[k].tag == V_NIL) continue;
        if (!is_numeric(row[k]))
            fail(E_TYPE,
                 "vmap: the function gave %s, but results that can be stacked are arrays and trees "
                 "of arrays",
                 describe(row[k], what, sizeof what));
        Shape have = value_shape(row[k]), want = value_shape(first);
        if (same_shape(have.axes, have.dim, want.axes, want.dim)) continue;
        char a[80], z[80];
        shape_text(want.axes, want.dim, a, sizeof a);
        shape_text(have.axes, have.dim, z, sizeof z);
        fail(E_SHAPE, "vmap: the function gave shape %s for element 0 and %s for element %lld", a,
             z, (long long)k);
    }
    return first.tag == V_NIL ? NIL : op_stack((int)count, row, 0);
}

static Value stack_results(int64_t count, const Value *y) {
    size_t leaves, more;
    Value **result = pool_bytes((size_t)count * sizeof *result);
    result[0] = tree_leaves(y[0], &leaves);
    for (int64_t k = 1; k < count; k++) {
        result[k] = tree_leaves(y[k], &more);
        if (more != leaves)
            fail(E_TYPE,
                 "vmap: the function gave %zu arrays for element 0 and %zu for element %lld",
                 leaves, more, (long long)k);
    }
    Value *stacked = pool_bytes((leaves + 1) * sizeof *stacked);
    for (size_t i = 0; i < leaves; i++) stacked[i] = stack_leaves(count, result, i);
    return tree_rebuild(y[0], stacked);
}

static Value call_in_turn(const Batch *b) {
    Value *y = pool_bytes((size_t)b->length * sizeof *y);
    for (int64_t k = 0; k < b->length; k++) y[k] = call_example(b, k);
    return stack_results(b->length, y);
}

/* ---- nothing to map over: f of zeros tells the shapes ---- */
static Value zero_example(const Batch *b, size_t i) {
    if (b->axis[i] == NOT_MAPPED) return b->leaf[i];
    Shape shape = value_shape(b->leaf[i]);
    for (int axis = b->axis[i]; axis + 1 < shape.axes; axis++)
        shape.dim[axis] = shape.dim[axis + 1];
    return array_value(array_zeros(dtype_of(b->leaf[i]), shape.axes - 1, shape.dim));
}

static Value none_of(Value leaf, void *env) {
    (void)env;
    if (!is_numeric(leaf)) return leaf;
    Shape shape = { 1 + axes_of(leaf), { 0 } }, inner = value_shape(leaf);
    for (int axis = 0; axis < inner.axes; axis++) shape.dim[axis + 1] = inner.dim[axis];
    return array_value(array_zeros(dtype_of(leaf), shape.axes, shape.dim));
}

static Value call_on_nothing(const Batch *b) {
    bool recording = rt.recording;
    rt.recording = false;
    Value *leaf = pool_bytes((b->leaves + 1) * sizeof *leaf);
    for (size_t i = 0; i < b->leaves; i++) leaf[i] = zero_example(b, i);
    const List *args = tree_rebuild(b->arguments, leaf).as.list;
    Value y = tree_map(call_value(b->f, (int)args->count, args->item), none_of, NULL);
    rt.recording = recording;
    return y;
}

/* ---- all at once ---- */
/* x with this axis in front. */
static Value examples_first(Value x, int axis) {
    if (!axis) return x;
    int order[MAX_AXES] = { axis };
    for (int i = 1; i < axes_of(x); i++) order[i] = i <= axis ? i - 1 : i;
    return op_transpose(x, order);
}

typedef struct AtOnce {
    const Batch *batch;
    Value result;
} AtOnce; /* result: unset if it did not work */

static void run_at_once(void *env) {
    AtOnce *run = env;
    const Batch *b = run->batch;
    Value *leaf = pool_bytes((b->leaves + 1) * sizeof *leaf),
          *many = pool_bytes((b->leaves + 1) * sizeof *many);
    Value *one = pool_bytes((b->leaves + 1) * sizeof *one);
    int inputs = 0, outputs;
    for (size_t i = 0; i < b->leaves; i++) {
        if (b->axis[i] == NOT_MAPPED) continue;
        many[inputs] = examples_first(b->leaf[i], b->axis[i]);
        one[inputs++] = leaf_of_example(b, i, 0);
    }
    Lifted call = function_lift(inputs, one);
    rt.training = call.training;
    for (size_t i = 0, k = 0; i < b->leaves; i++)
        leaf[i] = b->axis[i] == NOT_MAPPED ? b->leaf[i] : call.x[k++];
    const List *args = tree_rebuild(b->arguments, leaf).as.list;
    uint32_t off_tape = rt.off_tape;
    Value y = call_value(b->f, (int)args->count, args->item);
    function_stop(&call);
    if (rt.off_tape != off_tape || tree_numeric(y, NULL) != tree_count(y)) return;
    Value *heads = outputs_of(y, &outputs, "vmap"),
          *out = pool_bytes((size_t)outputs * sizeof *out);
    if (!batch_replay(call.mark, inputs, call.x, many, b->length, outputs, heads, out)) return;
    run->result = function_end(&call, tree_with_numeric(y, out, false), 0, NULL);
}

/* Unset if it cannot be: the loop then says what is wrong, if anything is. */
static Value call_at_once(const Batch *b) {
    AtOnce run = { b, UNSET };
    Error error;
    uint64_t keep_bytes = rt.tape->keep_bytes;
    rt.tape->keep_bytes = UINT64_MAX;
    bool fine = guard(run_at_once, &run, &error);
    rt.tape->keep_bytes = keep_bytes;
    if (!fine && error.kind == E_INTERRUPT) fail_again(&error);
    return fine ? run.result : UNSET;
}

static bool can_be_at_once(const Batch *b) {
    for (size_t i = 0; i < b->leaves; i++)
        if (b->axis[i] != NOT_MAPPED && dtype_of(b->leaf[i]) == BOOL) return false;
    return b->length > 1 &&
           is_batchable(b->f, (int)b->arguments.as.list->count, b->arguments.as.list->item);
}

static Value call_batch(const Batch *b) {
    if (!b->length) return call_on_nothing(b);
    Value y = can_be_at_once(b) ? call_at_once(b) : UNSET;
    return y.tag == V_UNSET ? call_in_turn(b) : y;
}

/* ---- gradients ---- */
/* The arguments of vmap(grad(f)) for grad(vmap(f)): all examples in front, and an argument that is
 * differentiated by has them even if it is the same for all. */
static Value *arguments_first(const Batch *b, const Argnums *argnums) {
    const List *args = b->arguments.as.list;
    Value *leaf = pool_bytes((b->leaves + 1) * sizeof *leaf);
    for (size_t i = 0, k = 0; i < args->count; i++) {
        bool chosen = false;
        for (int n = 0; n < argnums->count; n++) chosen |= argnums->at[n] == (int)i;
        for (size_t stop = k + tree_count(args->item[i]); k < stop; k++) {
            leaf[k] = b->leaf[k];
            if (b->axis[k] != NOT_MAPPED) leaf[k] = examples_first(leaf[k], b->axis[k]);
            else if (chosen && is_numeric(leaf[k])) {
                Shape inner = value_shape(leaf[k]),
                      shape = { .axes = inner.axes + 1, .dim = { b->length } };
                memcpy(shape.dim + 1, inner.dim, (size_t)inner.axes * sizeof *inner.dim);
                leaf[k] =
                    op_expand_to(leaf[k], array_value(array_zeros(F64, shape.axes, shape.dim)));
            } else continue;
            b->axis[k] = 0;
        }
    }
    return tree_rebuild(b->arguments, leaf).as.list->item;
}

/* The axes of all leaves as in_axes says it. */
static Value axes_tree(const Batch *b) {
    Value *axis = pool_bytes((b->leaves + 1) * sizeof *axis);
    for (size_t i = 0; i < b->leaves; i++)
        axis[i] = b->axis[i] == NOT_MAPPED ? NIL : number(b->axis[i]);
    return tree_rebuild(b->arguments, axis);
}

static Value vmap_of(Value f, Value axes);

static Value call_gradient(const Batch *b, Value f, const Argnums *argnums, bool with_value) {
    Value *args = arguments_first(b, argnums),
          at = argnums->list ? list_new((size_t)argnums->count) : number(argnums->at[0]);
    for (int i = 0; argnums->list && i < argnums->count; i++)
        list_set(at, (size_t)i, number(argnums->at[i]));
    Value gradient = grad_function(vmap_of(f, axes_tree(b)), at, with_value);
    return call_value(gradient, (int)b->arguments.as.list->count, args);
}

/* ---- the builtin ---- */
static Value call_vmap(Function *head, int count, const Value *args) {
    Batch b = batch_of((const VmapFunction *)head, count, args);
    Value f;
    Argnums argnums;
    bool with_value;
    if (b.length && is_grad_function(b.f, &f, &argnums, &with_value))
        return call_gradient(&b, f, &argnums, with_value);
    return call_batch(&b);
}

static void free_vmap(Function *self) {
    value_release(((VmapFunction *)self)->f);
    value_release(((VmapFunction *)self)->axes);
}
static void visit_vmap(Function *self, void (*each)(Value v, void *env), void *env) {
    each(((VmapFunction *)self)->f, env);
    each(((VmapFunction *)self)->axes, env);
}

static Value vmap_of(Value f, Value axes) {
    char name[120];
    snprintf(name, sizeof name, "vmap(%.80s)", f.as.function->name->text);
    VmapFunction *self = (VmapFunction *)function_new(sizeof *self, name, call_vmap);
    self->f = self->axes = NIL;
    self->head.free = free_vmap;
    self->head.visit = visit_vmap;
    self->f = value_hold(f);
    self->axes = value_hold(axes);
    return object(self);
}

Value builtin_vmap(int count, const Value *arg) {
    (void)count;
    check_function(arg[0], "vmap");
    return vmap_of(arg[0], arg[1].tag == V_UNSET ? number(0) : arg[1]);
}
