/* Shape: the same elements in another arrangement.
 *
 * The one idea: what can be a view is one, with other strides on the same data, and copies
 * nothing. Few rows are primitive (reshape, transpose, expand_to, stack, concat, cast); the
 * other names are composed of them and of indexing, here where the arguments need care that adl
 * text would be slow at. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "fuse.h"
#include "rules.h"
#include "text.h"

static Shape shape_from(const Attr *attr) {
    Shape shape = { .axes = (int)attr[0] };
    memcpy(shape.dim, attr + 1, (size_t)attr[0] * sizeof *attr);
    return shape;
}

/* ---- reshape, transpose, expand_to, cast ---- */
Value kernel_reshape(int count, const Value *in, const Attr *attr) {
    (void)count;
    Array *x = array_contiguous(array_of(in[0]));
    Shape shape = shape_from(attr);
    int64_t strides[MAX_AXES], step = 1;
    for (int i = shape.axes - 1; i >= 0; step *= shape.dim[i--]) strides[i] = step;
    return array_value(array_view(x, shape.axes, shape.dim, strides, 0));
}

Value op_reshape(Value x, int axes, const int64_t *shape) {
    Shape old = value_shape(x);
    if (same_shape(old.axes, old.dim, axes, shape)) return x;
    Attr attr[1 + MAX_AXES] = { axes };
    if (axes) memcpy(attr + 1, shape, (size_t)axes * sizeof *attr);
    return apply(OP_reshape, 1, &x, attr);
}

Value op_reshape_like(Value g, Value x) {
    Shape shape = value_shape(x);
    return op_reshape(g, shape.axes, shape.dim);
}

Value op_flatten(Value x) { return op_reshape(x, 1, (int64_t[]){ size_of(x) }); }

Value kernel_transpose(int count, const Value *in, const Attr *attr) {
    (void)count;
    Array *x = array_of(in[0]);
    int64_t shape[MAX_AXES], strides[MAX_AXES];
    for (int i = 0; i < x->axes; i++) {
        shape[i] = shape_of(x)[attr[i + 1]];
        strides[i] = strides_of(x)[attr[i + 1]];
    }
    return array_value(array_view(x, x->axes, shape, strides, 0));
}

static Value transpose_by(Value x, int axes, const Attr *order) {
    bool moves = false;
    Attr attr[1 + MAX_AXES] = { axes };
    for (int i = 0; i < axes; i++) {
        attr[i + 1] = order[i];
        moves |= order[i] != i;
    }
    return moves ? apply(OP_transpose, 1, &x, attr) : x;
}

Value op_transpose(Value x, const int *order) {
    int n = axes_of(x);
    if (!order && n < 2) {
        hint("x[:, new] makes a column of a vector, outer(x, x) a matrix of all products");
        fail(E_SHAPE, "a transpose needs at least two axes, and this has %d", n);
    }
    Attr wide[MAX_AXES];
    for (int i = 0; i < n; i++) wide[i] = order ? order[i] : i < n - 2 ? i : 2 * n - 3 - i;
    return transpose_by(x, n, wide);
}

Value op_transpose_back(Value g, const Attr *attr) {
    Attr back[MAX_AXES];
    for (int i = 0; i < attr[0]; i++) back[attr[i + 1]] = i;
    return transpose_by(g, (int)attr[0], back);
}

Value kernel_expand_to(int count, const Value *in, const Attr *attr) {
    (void)count;
    Shape shape = shape_from(attr);
    return array_value(array_broadcast(array_of(in[0]), shape.axes, shape.dim));
}

Value op_expand(Value x, const Shape *shape) {
    Shape old = value_shape(x);
    if (same_shape(old.axes, old.dim, shape->axes, shape->dim)) return x;
    Attr attr[1 + MAX_AXES] = { shape->axes };
    memcpy(attr + 1, shape->dim, (size_t)shape->axes * sizeof *attr);
    return apply(OP_expand_to, 1, &x, attr);
}

Value op_expand_to(Value x, Value like) {
    Shape shape = value_shape(like);
    return op_expand(x, &shape);
}

Value kernel_cast(int count, const Value *in, const Attr *attr) {
    (void)count;
    return value_of_dtype(array_of(in[0]), (int)attr[1]);
}

/* Nothing flows back through a bool: that cast is the test x != 0. */
Value op_cast(Value x, int dtype) {
    if (dtype_of(x) == dtype) return x;
    return dtype == BOOL ? op_ne(x, number(0)) : apply(OP_cast, 1, &x, ATTR(dtype));
}

Value op_cast_like(Value g, Value x) { return op_cast(g, float_dtype(dtype_of(x))); }

int joint_dtype(int count, const Value *in) {
    bool narrow = false, wide = false, all_bool = count > 0;
    for (int i = 0; i < count; i++) {
        int dtype = dtype_of(in[i]);
        all_bool &= dtype == BOOL;
        narrow |= dtype == F32;
        wide |= dtype != F32 && axes_of(in[i]) > 0;
    }
    return all_bool ? BOOL : narrow && !wide ? F32 : F64;
}

/* ---- stack and concat ---- */
/* The place in `whole` of a part that starts at `first` along the axis, with the part's shape. */
static Array *part_of(Array *whole, const Shape *part, int axis, int64_t first) {
    return array_view(whole, part->axes, part->dim, strides_of(whole),
                      first * strides_of(whole)[axis]);
}

/* [a, b, c] of plain numbers, the most frequent case by far */
static bool fill_numbers(Array *out, int count, const Value *in) {
    for (int i = 0; i < count; i++) {
        if (in[i].tag != V_NUM) return false;
        f64_of(out)[i] = in[i].as.num;
    }
    return true;
}

/* Along the first axis contiguous parts stand one behind the other in memory. */
static bool copy_parts(Array *out, int count, const Value *in) {
    for (int i = 0; i < count; i++)
        if (dtype_of(in[i]) != out->dtype || !array_is_contiguous(array_of(in[i]))) return false;
    char *to = out->data;
    for (int i = 0; i < count; i++) {
        Array *part = array_of(in[i]);
        memcpy(to, part->data, array_bytes(part));
        to += array_bytes(part);
        poll();
    }
    return true;
}

Value kernel_stack(int count, const Value *in, const Attr *attr) {
    int axis = (int)attr[1];
    Shape item = value_shape(in[0]), shape = { .axes = item.axes + 1 }, part;
    for (int i = 0; i < shape.axes; i++)
        shape.dim[i] = i < axis ? item.dim[i] : i == axis ? count : item.dim[i - 1];
    Array *out = array_new(joint_dtype(count, in), shape.axes, shape.dim);
    if (!item.axes && out->dtype == F64 && fill_numbers(out, count, in)) return object(out);
    if (axis == 0 && copy_parts(out, count, in)) return object(out);
    part = shape;
    part.dim[axis] = 1;
    for (int i = 0; i < count; i++) {
        Array *a = array_of(in[i]);
        int64_t strides[MAX_AXES];
        for (int k = 0; k < shape.axes; k++)
            strides[k] = k < axis ? strides_of(a)[k] : k == axis ? 1 : strides_of(a)[k - 1];
        array_assign(part_of(out, &part, axis, i), array_view(a, part.axes, part.dim, strides, 0));
    }
    return object(out);
}

static _Noreturn void parts_clash(const char *name, int which, Value first, Value other, int axis) {
    Shape a = value_shape(first), b = value_shape(other);
    char left[120], right[120];
    shape_text(a.axes, a.dim, left, sizeof left);
    shape_text(b.axes, b.dim, right, sizeof right);
    if (axis < 0)
        fail(E_SHAPE, "%s: element 0 has shape %s and element %d has shape %s", name, left, which,
             right);
    fail(E_SHAPE, "%s along axis %d: element 0 has shape %s and element %d has shape %s",
         name, axis, left, which, right);
}

Value op_stack(int count, const Value *items, int axis) {
    if (!count) return object(array_new(F64, 1, (int64_t[]){ 0 }));
    Shape first = value_shape(items[0]);
    if (first.axes == MAX_AXES) fail(E_LIMIT, "an array has at most %d axes", MAX_AXES);
    for (int i = 1; i < count; i++) {
        if (is_number(items[i]) && !first.axes) continue;
        Shape shape = value_shape(items[i]);
        if (!same_shape(first.axes, first.dim, shape.axes, shape.dim))
            parts_clash("all elements of an array must have one shape", i, items[0], items[i], -1);
    }
    return apply(OP_stack, count, items, ATTR(axis));
}

static IndexItem whole(void) { return (IndexItem){ .kind = I_SLICE, .step = 1 }; }
static IndexItem between(int64_t start, int64_t stop) {
    return (IndexItem){ I_SLICE, true, true, start, stop, 1, UNSET };
}

/* x[..., item] with the item at this axis. */
static Value index_axis(Value x, int axis, IndexItem item) {
    IndexItem items[MAX_AXES];
    for (int i = 0; i < axis; i++) items[i] = whole();
    items[axis] = item;
    return op_index(x, axis + 1, items);
}

Value op_unstack(Value g, const Value *in, int which, const Attr *attr) {
    return op_cast_like(index_axis(g, (int)attr[1], (IndexItem){ .kind = I_AT, .start = which }),
                        in[which]);
}

Value kernel_concat(int count, const Value *in, const Attr *attr) {
    int axis = (int)attr[1];
    Shape shape = value_shape(in[0]);
    shape.dim[axis] = 0;
    for (int i = 0; i < count; i++) shape.dim[axis] += value_shape(in[i]).dim[axis];
    Array *out = array_new(joint_dtype(count, in), shape.axes, shape.dim);
    if (axis == 0 && copy_parts(out, count, in)) return object(out);
    int64_t first = 0;
    for (int i = 0; i < count; i++) {
        Shape part = value_shape(in[i]);
        array_assign(part_of(out, &part, axis, first), array_of(in[i]));
        first += part.dim[axis];
    }
    return object(out);
}

Value op_concat(int count, const Value *items, int axis) {
    if (!count) fail(E_VALUE, "concat needs at least one array");
    Shape first = value_shape(items[0]);
    if (!first.axes) {
        hint("stack((a, b)) makes an array of numbers");
        fail(E_SHAPE, "concat joins arrays along an axis, and element 0 is a number");
    }
    for (int i = 1; i < count; i++) {
        Shape shape = value_shape(items[i]), aligned = shape;
        if (shape.axes == first.axes) aligned.dim[axis] = first.dim[axis];
        if (!same_shape(first.axes, first.dim, aligned.axes, aligned.dim))
            parts_clash("concat", i, items[0], items[i], axis);
    }
    return apply(OP_concat, count, items, ATTR(axis));
}

Value op_unconcat(Value g, const Value *in, int which, const Attr *attr) {
    int axis = (int)attr[1];
    int64_t first = 0;
    for (int i = 0; i < which; i++) first += value_shape(in[i]).dim[axis];
    Value part = index_axis(g, axis, between(first, first + value_shape(in[which]).dim[axis]));
    return op_cast_like(part, in[which]);
}

/* ---- arguments ---- */
Array *operand(Value v, const char *operation) {
    char got[100];
    if (is_numeric(v)) return array_of(v);
    if (v.tag == V_LIST) hint("array(x) makes one array of a list");
    fail(E_TYPE, "%s needs a number or an array, not %s", operation, describe(v, got, sizeof got));
}

uint64_t arg_axes(Value axis, Value exclude, int axes, const char *what) {
    uint64_t all = axes ? ALL_AXES >> (64 - axes) : 0, set = 0;
    if (!is_given(axis)) return all;
    if (axis.tag == V_NUM) set = (uint64_t)1 << arg_axis(axis, axes, "axis");
    else {
        int count;
        const Value *items = arg_items(axis, &count, what);
        for (int i = 0; i < count; i++) {
            uint64_t bit = (uint64_t)1 << arg_axis(items[i], axes, "axis");
            if (set & bit)
                fail(E_ARGUMENT, "%s: axis %g is given twice", what, arg_number(items[i], "axis"));
            set |= bit;
        }
    }
    return arg_flag(exclude, "exclude") ? all & ~set : set;
}

Shape arg_shape_rest(Value rest, const char *what) {
    if (rest.tag == V_LIST && rest.as.list->count == 1)
        return arg_shape(rest.as.list->item[0], what);
    return arg_shape(rest, what);
}

const Value *arg_items(Value v, int *count, const char *what) {
    if (v.tag == V_LIST) {
        *count = (int)v.as.list->count;
        return v.as.list->item;
    }
    char got[100];
    if (v.tag != V_ARRAY || !v.as.array->axes)
        fail(E_TYPE, "%s needs a list or an array, not %s", what, describe(v, got, sizeof got));
    Array *a = v.as.array;
    *count = (int)shape_of(a)[0];
    Value *items = pool_bytes((size_t)(*count + 1) * sizeof *items);
    for (int i = 0; i < *count; i++)
        items[i] = op_index(v, 1, &(IndexItem){ .kind = I_AT, .start = i });
    return items;
}

/* ---- calls ---- */
/* The one -1 of a shape, filled in from the size. */
static Shape fitted_shape(Value x, Value rest) {
    Shape old = value_shape(x), shape = { 0 };
    int count = 1, open = -1;
    if (rest.tag == V_LIST && rest.as.list->count == 1) rest = rest.as.list->item[0];
    const Value *dims = is_number(rest) ? &rest : arg_items(rest, &count, "the shape");
    if (count > MAX_AXES) fail(E_LIMIT, "an array has at most %d axes", MAX_AXES);
    int64_t known = 1;
    for (int i = 0; i < count; i++) {
        int64_t dim = shape.dim[shape.axes++] = arg_int(dims[i], "the shape");
        if (dim < -1 || (dim == -1 && open >= 0))
            fail(E_SHAPE, "a shape has lengths from 0, and at most one -1");
        if (dim == -1) open = i;
        else if (__builtin_mul_overflow(known, dim, &known))
            fail(E_LIMIT, "this shape is too large");
    }
    if (open >= 0 && known && size_of(x) % known == 0) shape.dim[open] = size_of(x) / known;
    if (open >= 0 ? shape.dim[open] < 0 : known != size_of(x)) {
        char from[120], to[120];
        shape_text(old.axes, old.dim, from, sizeof from);
        shape_text(shape.axes, shape.dim, to, sizeof to);
        fail(E_SHAPE, "cannot reshape %s with %lld elements to %s", from, (long long)size_of(x),
             to);
    }
    return shape;
}

Value call_reshape(int count, const Value *bound) {
    (void)count;
    operand(bound[0], "reshape");
    Shape shape = fitted_shape(bound[0], bound[1]);
    return op_reshape(bound[0], shape.axes, shape.dim);
}

/* transpose(x) reverses the axes; transpose(x, 1, 0, 2) or transpose(x, [1, 0, 2]) orders them. */
Value call_transpose(int count, const Value *bound) {
    (void)count;
    int n = operand(bound[0], "transpose")->axes, given = 0;
    Value rest = bound[1];
    if (rest.tag == V_LIST && rest.as.list->count == 1 && !is_number(rest.as.list->item[0]))
        rest = rest.as.list->item[0];
    const Value *axes = is_given(rest) ? arg_items(rest, &given, "transpose") : NULL;
    if (given && given != n)
        fail(E_ARGUMENT, "transpose: %d axes are given and the array has %d", given, n);
    Attr order[MAX_AXES];
    uint64_t seen = 0;
    for (int i = 0; i < n; i++) {
        order[i] = given ? arg_axis(axes[i], n, "axis") : n - 1 - i;
        if (seen >> order[i] & 1)
            fail(E_ARGUMENT, "transpose: axis %d is given twice", (int)order[i]);
        seen |= (uint64_t)1 << order[i];
    }
    return transpose_by(bound[0], n, order);
}

/* (x, decimals = 0) */
Value call_round(int count, const Value *bound) {
    (void)count;
    int64_t decimals = is_given(bound[1]) ? arg_int(bound[1], "decimals") : 0;
    if (!decimals) return op_rint(bound[0]);
    Value scale = number(pow(10, (double)llabs(decimals)));
    if (decimals > 0) return op_div(op_rint(op_mul(bound[0], scale)), scale);
    return op_mul(op_rint(op_div(bound[0], scale)), scale);
}

Value call_swapaxes(int count, const Value *bound) {
    (void)count;
    int n = operand(bound[0], "swapaxes")->axes;
    int a = arg_axis(bound[1], n, "axis"), b = arg_axis(bound[2], n, "axis");
    Attr order[MAX_AXES];
    for (int i = 0; i < n; i++) order[i] = i == a ? b : i == b ? a : i;
    return transpose_by(bound[0], n, order);
}

Value call_broadcast_to(int count, const Value *bound) {
    (void)count;
    operand(bound[0], "broadcast_to");
    Shape from = value_shape(bound[0]), to = arg_shape_rest(bound[1], "the shape of broadcast_to");
    must_expand(&from, &to, "cannot broadcast shape %s to %s");
    return op_expand(bound[0], &to);
}

/* (x, axis = nil): without axes of length 1, all of them or those named */
Value call_squeeze(int count, const Value *bound) {
    (void)count;
    int n = operand(bound[0], "squeeze")->axes;
    Shape old = value_shape(bound[0]), shape = { 0 };
    uint64_t gone = arg_axes(bound[1], UNSET, n, "squeeze");
    for (int i = 0; i < n; i++) {
        bool named = gone >> i & 1;
        if (named && is_given(bound[1]) && old.dim[i] != 1)
            fail(E_SHAPE, "squeeze: axis %d has length %lld, not 1", i, (long long)old.dim[i]);
        if (!named || old.dim[i] != 1) shape.dim[shape.axes++] = old.dim[i];
    }
    return op_reshape(bound[0], shape.axes, shape.dim);
}

/* Several axes or shifts, as a list or an array? */
static bool is_tree_of_axes(Value v) {
    return v.tag == V_LIST || (is_numeric(v) && axes_of(v) == 1);
}

/* axis: one, or a list of them, counted in the result, as in NumPy */
Value call_expand_dims(int count, const Value *bound) {
    (void)count;
    int n = operand(bound[0], "expand_dims")->axes, fresh = 1;
    const Value *axis = &bound[1];
    if (is_tree_of_axes(bound[1])) axis = arg_items(bound[1], &fresh, "axis");
    if (n + fresh > MAX_AXES) fail(E_LIMIT, "an array has at most %d axes", MAX_AXES);
    Shape old = value_shape(bound[0]), shape = { .axes = n + fresh };
    for (int i = 0; i < fresh; i++) {
        int64_t *place = &shape.dim[arg_axis(axis[i], n + fresh, "axis")];
        if (*place) fail(E_ARGUMENT, "expand_dims: an axis is given twice");
        *place = 1;
    }
    for (int i = 0, from = 0; i < shape.axes; i++)
        if (!shape.dim[i]) shape.dim[i] = old.dim[from++];
    return op_reshape(bound[0], shape.axes, shape.dim);
}

static void check_arrays(const Value *items, int count, const char *what) {
    for (int i = 0; i < count; i++) operand(items[i], what);
}

Value call_stack(int count, const Value *bound) {
    const Value *items = arg_items(bound[0], &count, "stack");
    check_arrays(items, count, "stack");
    int n = count ? axes_of(items[0]) : 0;
    return op_stack(count, items, is_given(bound[1]) ? arg_axis(bound[1], n + 1, "axis") : 0);
}

static Value concat_lists(const Value *items, int count) {
    size_t total = 0, n = 0;
    for (int i = 0; i < count; i++) {
        if (items[i].tag != V_LIST)
            fail(E_TYPE, "concat joins arrays or lists, and element %d is no list", i);
        total += items[i].as.list->count;
    }
    Value joined = list_new(total);
    for (int i = 0; i < count; i++)
        for (size_t j = 0; j < items[i].as.list->count; j++)
            list_set(joined, n++, items[i].as.list->item[j]);
    return joined;
}

Value call_concat(int count, const Value *bound) {
    const Value *items = arg_items(bound[0], &count, "concat");
    if (count && items[0].tag == V_LIST) return concat_lists(items, count);
    check_arrays(items, count, "concat");
    int n = count ? axes_of(items[0]) : 0;
    return op_concat(count, items, is_given(bound[1]) && n ? arg_axis(bound[1], n, "axis") : 0);
}

static Value split_text(const Value *bound) {
    if (!is_given(bound[1])) return string_split(bound[0].as.string, NULL);
    if (bound[1].tag != V_STRING) fail(E_TYPE, "split: the separator of a text is a text too");
    return string_split(bound[0].as.string, bound[1].as.string);
}

/* (x, parts = nil, axis = 0): a number of equal parts, or the places to cut at; for a text the
 * separator */
Value call_split(int count, const Value *bound) {
    Value x = bound[0];
    if (x.tag == V_STRING) return split_text(bound);
    if (!is_given(bound[1]))
        fail(E_ARGUMENT, "split: expected a number of parts, or the places to cut at");
    int n = operand(x, "split")->axes;
    if (!n) fail(E_SHAPE, "split needs an array with at least one axis, and this is a number");
    int axis = is_given(bound[2]) ? arg_axis(bound[2], n, "axis") : 0;
    int64_t length = value_shape(x).dim[axis], parts, first = 0;
    const Value *cuts = NULL;
    if (is_number(bound[1])) {
        parts = arg_int(bound[1], "parts");
        if (parts < 1 || length % parts)
            fail(E_SHAPE, "split: axis %d of length %lld cannot be cut into %lld equal parts", axis,
                 (long long)length, (long long)parts);
    } else {
        cuts = arg_items(bound[1], &count, "split");
        parts = count + 1;
    }
    Value list = list_new((size_t)parts);
    for (int64_t i = 0; i < parts; i++) {
        int64_t end = length;
        if (!cuts) end = first + length / parts;
        else if (i < parts - 1) end = arg_int(cuts[i], "a place to cut at");
        list_set(list, (size_t)i, index_axis(x, axis, between(first, end)));
        first = end;
    }
    return list;
}

/* (x, reps): each axis [n] becomes [reps, n], broadcast and joined */
Value call_tile(int count, const Value *bound) {
    Shape x = value_shape(object(operand(bound[0], "tile")));
    Shape reps = arg_shape_rest(bound[1], "reps");
    int n = x.axes > reps.axes ? x.axes : reps.axes;
    (void)count;
    if (2 * n > MAX_AXES) fail(E_LIMIT, "tile: at most %d axes", MAX_AXES / 2);
    Shape apart = { .axes = 2 * n }, wide = apart, joined = { .axes = n };
    for (int i = 0; i < n; i++) {
        int64_t dim = i < n - x.axes ? 1 : x.dim[i - (n - x.axes)];
        int64_t times = i < n - reps.axes ? 1 : reps.dim[i - (n - reps.axes)];
        apart.dim[2 * i] = 1;
        wide.dim[2 * i] = times;
        apart.dim[2 * i + 1] = wide.dim[2 * i + 1] = dim;
        joined.dim[i] = times * dim;
    }
    Value spread = op_expand(op_reshape(bound[0], apart.axes, apart.dim), &wide);
    return op_reshape(spread, joined.axes, joined.dim);
}

/* (x, repeats, axis = nil): nil is the flattened array, as in NumPy */
Value call_repeat(int count, const Value *bound) {
    (void)count;
    operand(bound[0], "repeat");
    Value x = is_given(bound[2]) ? bound[0] : op_flatten(bound[0]);
    int axis = is_given(bound[2]) ? arg_axis(bound[2], axes_of(x), "axis") : 0;
    int64_t length = value_shape(x).dim[axis], total = 0;
    Array *repeats = arg_array(bound[1], "repeats");
    if (repeats->size != 1 && repeats->size != length)
        fail(E_SHAPE, "repeat: %lld repeats for %lld elements", (long long)repeats->size,
             (long long)length);
    for (int pass = 0; pass < 2; pass++) {
        Array *places = pass ? array_new(F64, 1, &total) : NULL;
        total = 0;
        for (int64_t i = 0; i < length; i++) {
            double given = array_get(repeats, repeats->size == 1 ? 0 : i);
            int64_t times = arg_int(number(given), "repeats");
            if (times < 0) fail(E_VALUE, "repeats must not be negative, and one is %g", given);
            for (int64_t k = 0; pass && k < times; k++) f64_of(places)[total + k] = (double)i;
            total += times;
            poll_at(i);
        }
        IndexItem item = { .kind = I_GATHER };
        if (pass) item.gather = object(places);
        if (pass) return index_axis(x, axis, item);
    }
    return x;
}

/* (x, axis = nil): all axes, or those named */
Value call_flip(int count, const Value *bound) {
    (void)count;
    int n = operand(bound[0], "flip")->axes;
    uint64_t axes = arg_axes(bound[1], UNSET, n, "flip");
    IndexItem items[MAX_AXES];
    for (int i = 0; i < n; i++) {
        items[i] = whole();
        if (axes >> i & 1) items[i].step = -1;
    }
    return n ? op_index(bound[0], n, items) : bound[0];
}

static Value roll_axis(Value x, int axis, int64_t by) {
    int64_t length = value_shape(x).dim[axis];
    if (!length || by % length == 0) return x;
    int64_t cut = length - (by % length + length) % length;
    Value end = index_axis(x, axis, between(cut, length));
    Value start = index_axis(x, axis, between(0, cut));
    return op_concat(2, (Value[]){ end, start }, axis);
}

/* (x, shift, axis = nil): nil rolls the flattened array and restores its shape, as in NumPy; lists
 * of axes and shifts go in pairs, or one shift for all. */
Value call_roll(int count, const Value *bound) {
    Value x = bound[0];
    int n = operand(x, "roll")->axes, axes = 1, shifts = 1;
    const Value *shift = &bound[1], *axis = &bound[2];
    (void)count;
    if (is_tree_of_axes(bound[1])) shift = arg_items(bound[1], &shifts, "shift");
    if (is_tree_of_axes(bound[2])) axis = arg_items(bound[2], &axes, "axis");
    if (shifts != 1 && shifts != axes)
        fail(E_ARGUMENT, "roll: %d shifts for %d axes", shifts, axes);
    if (!is_given(bound[2]))
        return op_reshape_like(roll_axis(op_flatten(x), 0, arg_int(shift[0], "shift")), x);
    for (int i = 0; i < axes; i++)
        x = roll_axis(x, arg_axis(axis[i], n, "axis"),
                      arg_int(shift[shifts == 1 ? 0 : i], "shift"));
    return x;
}

/* (x, width, value = 0): width is one number, (before, after), or one such pair per axis */
Value call_pad(int count, const Value *bound) {
    (void)count;
    Value x = bound[0];
    int n = operand(x, "pad")->axes;
    Shape shape = value_shape(x), pair = { 2, { n, 2 } };
    Value widths = bound[1].tag == V_LIST ? call_array(1, &bound[1]) : bound[1];
    Array *width = array_broadcast(arg_array(widths, "width"), pair.axes, pair.dim);
    IndexItem items[MAX_AXES];
    for (int i = 0; i < n; i++) {
        int64_t before = arg_int(number(array_get(width, 2 * i)), "width");
        int64_t after = arg_int(number(array_get(width, 2 * i + 1)), "width");
        if (before < 0 || after < 0) fail(E_VALUE, "pad: a width must not be negative");
        items[i] = between(before, before + shape.dim[i]);
        shape.dim[i] += before + after;
    }
    Value around = is_given(bound[2]) ? bound[2] : number(0);
    Value frame = op_expand(op_cast(around, float_dtype(dtype_of(x))), &shape);
    return op_put(frame, n, items, x, false, 0);
}

/* ---- conversions ---- */
static Value call_cast(const Value *bound, int dtype, const char *name) {
    operand(bound[0], name);
    return op_cast(bound[0], dtype);
}
BIND(f64, call_cast(bound, F64, "f64"))
BIND(f32, call_cast(bound, F32, "f32"))
BIND(bool, call_cast(bound, BOOL, "bool"))

/* A list of lists of numbers or arrays, as an array. */
static Value array_from(Value v) {
    check_stack();
    if (v.tag != V_LIST) {
        operand(v, "array");
        return v;
    }
    size_t count = v.as.list->count;
    if (count > INT32_MAX) fail(E_LIMIT, "this list is too long");
    Value *items = pool_bytes((count + 1) * sizeof *items);
    for (size_t i = 0; i < count; i++) items[i] = array_from(v.as.list->item[i]);
    return op_stack((int)count, items, 0);
}

BIND(array, array_from(bound[0]))

Value call_asscalar(int count, const Value *bound) {
    (void)count;
    Array *a = operand(bound[0], "asscalar");
    if (a->size != 1) {
        char text[120];
        shape_text(a->axes, shape_of(a), text, sizeof text);
        fail(E_SHAPE, "asscalar needs an array with exactly one element, and this has shape %s",
             text);
    }
    Value one = op_reshape(bound[0], 0, NULL);
    return dtype_of(one) == BOOL ? one : op_cast(one, F64);
}

/* ---- asking ---- */
Value call_shape(int count, const Value *bound) {
    (void)count;
    Shape shape = value_shape(object(operand(bound[0], "shape")));
    Array *out = array_new(F64, 1, (int64_t[]){ shape.axes });
    for (int i = 0; i < shape.axes; i++) f64_of(out)[i] = (double)shape.dim[i];
    return object(out);
}

/* How many elements, also of what is not yet computed. */
Value call_size(int count, const Value *bound) {
    (void)count;
    if (is_deferred(bound[0])) return number((double)deferred_of(bound[0])->size);
    return number((double)operand(bound[0], "size")->size);
}

BIND(ndim, number(operand(bound[0], "ndim")->axes))
Value call_dtype(int count, const Value *bound) {
    (void)count;
    operand(bound[0], "dtype");
    return string_of(dtype_name(dtype_of(bound[0])));
}
