/* Joining and parting: stack, concat and their adjoints, and the calls that are made of these and
 * of slices: split, tile, repeat, flip, roll, pad. */
#include <string.h>
#include "rules.h"
#include "text.h"

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

/* ---- calls ---- */
static void check_arrays(const Value *items, int count, const char *what) {
    for (int i = 0; i < count; i++) operand(items[i], what);
}

/* concat(a, b), for concat((a, b)): then b stands where the axis does. */
static void must_be_axis(Value axis, const char *what) {
    char text[80];
    if (!is_given(axis) || !axes_of(axis)) return;
    hint("the arrays go into one list: %s((a, b))", what);
    fail(E_TYPE, "%s: axis must be a number, not %s", what, describe(axis, text, sizeof text));
}

Value call_stack(int count, const Value *bound) {
    must_be_axis(bound[1], "stack");
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
    must_be_axis(bound[1], "concat");
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
