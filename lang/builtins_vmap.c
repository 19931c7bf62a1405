/* vmap(f): f over the first axis of its arguments, its results stacked; on trees. */
#include <stdio.h>
#include "builtins.h"
#include "builtins_function.h"
#include "leaves.h"

enum { NOT_MAPPED = INT32_MIN };
typedef struct VmapFunction { Function head; Value f, axes; } VmapFunction;

/* One call of a vmapped function: every leaf of its arguments, and the axis that it is mapped over. */
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
    fail(E_ARGUMENT, "vmap: in_axes gives each argument an axis, nil, or a tree of these like the argument, not %s for %s",
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
        fail(E_SHAPE, "vmap: axis %lld is not one of the %lld axes of %s", (long long)at, (long long)axes,
             describe(leaf, what, sizeof what));
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
        for (size_t i = 0; i < list->count; i++) out = axes_of_tree(list->item[i], apart ? axes.as.list->item[i] : axes, out);
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
            fail(E_SHAPE, "vmap: the mapped axes have lengths %lld and %lld, but all should be equal",
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
    for (int axis = 0; axis < b->axis[i]; axis++) items[axis] = (IndexItem){ .kind = I_SLICE, .step = 1 };
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
            fail(E_TYPE, "vmap: the function gave %s, but results that can be stacked are arrays and trees of arrays",
                 describe(row[k], what, sizeof what));
        Shape have = value_shape(row[k]), want = value_shape(first);
        if (same_shape(have.axes, have.dim, want.axes, want.dim)) continue;
        char a[80], z[80];
        shape_text(want.axes, want.dim, a, sizeof a);
        shape_text(have.axes, have.dim, z, sizeof z);
        fail(E_SHAPE, "vmap: the function gave shape %s for element 0 and %s for element %lld", a, z, (long long)k);
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
            fail(E_TYPE, "vmap: the function gave %zu arrays for element 0 and %zu for element %lld", leaves, more, (long long)k);
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
    for (int axis = b->axis[i]; axis + 1 < shape.axes; axis++) shape.dim[axis] = shape.dim[axis + 1];
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

/* ---- the builtin ---- */
static Value call_vmap(Function *head, int count, const Value *args) {
    Batch b = batch_of((const VmapFunction *)head, count, args);
    return b.length ? call_in_turn(&b) : call_on_nothing(&b);
}

static void free_vmap(Function *self) {
    value_release(((VmapFunction *)self)->f);
    value_release(((VmapFunction *)self)->axes);
}
static void visit_vmap(Function *self, void (*each)(Value v, void *env), void *env) {
    each(((VmapFunction *)self)->f, env);
    each(((VmapFunction *)self)->axes, env);
}

Value builtin_vmap(int count, const Value *arg) {
    (void)count;
    check_function(arg[0], "vmap");
    char name[120];
    snprintf(name, sizeof name, "vmap(%.80s)", arg[0].as.function->name->text);
    VmapFunction *self = (VmapFunction *)function_new(sizeof *self, name, call_vmap);
    self->f = self->axes = NIL;
    self->head.free = free_vmap;
    self->head.visit = visit_vmap;
    self->f = value_hold(arg[0]);
    self->axes = value_hold(arg[1].tag == V_UNSET ? number(0) : arg[1]);
    return object(self);
}
