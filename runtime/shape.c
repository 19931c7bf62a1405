/* Shape: the same elements in another arrangement.
 *
 * The one idea: what can be a view is one, with other strides on the same data, and copies
 * nothing. Few rows are primitive (reshape, transpose, expand_to, cast; stack and concat in
 * join.c); the other names are composed of them and of indexing, here where the arguments need
 * care that adl text would be slow at. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "fuse.h"
#include "rules.h"

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

bool is_tree_of_axes(Value v) {
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
