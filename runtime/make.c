/* Making arrays from nothing but numbers: zeros, eye, arange. None of them is a step of a
 * computation, so none is a row with a kernel; where a value in them may be recorded (full,
 * linspace), they are composed of rows that are. */
#include <math.h>
#include <string.h>
#include "leaves.h"
#include "rules.h"

/* ---- like another ---- */
/* One element with zero strides, so that it costs nothing whatever the shape is. */
Value full_like(Value x, double value) {
    int dtype = float_dtype(dtype_of(x));
    if (!axes_of(x) && dtype == F64) return number(value);
    Array *one = array_new(dtype, 0, NULL);
    array_fill(one, value);
    Shape shape = value_shape(x);
    return array_value(array_broadcast(one, shape.axes, shape.dim));
}

Value zeros_like(Value x) { return full_like(x, 0); }
Value ones_like(Value x) { return full_like(x, 1); }

/* ---- arguments ---- */
static int arg_dtype(Value v) {
    if (!is_given(v)) return F64;
    if (v.tag == V_STRING)
        for (int dtype = F64; dtype <= BOOL; dtype++)
            if (v.as.string == symbol(dtype_name(dtype), strlen(dtype_name(dtype)))) return dtype;
    hint("dtype is \"f64\", \"f32\" or \"bool\"");
    fail(E_ARGUMENT, "this is no dtype");
}

static Value filled(Shape shape, double value, int dtype) {
    Array *out = value == 0 ? array_zeros(dtype, shape.axes, shape.dim)
        : array_new(dtype, shape.axes, shape.dim);
    if (value != 0) array_fill(out, value);
    return array_value(out);
}

/* ---- calls ---- */
Value call_zeros(int count, const Value *bound) {
    (void)count;
    return filled(arg_shape_rest(bound[0], "the shape of zeros"), 0, arg_dtype(bound[1]));
}

Value call_ones(int count, const Value *bound) {
    (void)count;
    return filled(arg_shape_rest(bound[0], "the shape of ones"), 1, arg_dtype(bound[1]));
}

Value call_full(int count, const Value *bound) {
    (void)count;
    Shape shape = arg_shape_rest(bound[0], "the shape of full");
    Shape from = value_shape(object(operand(bound[1], "full")));
    if (!bound[1].node && bound[1].tag == V_NUM) return filled(shape, bound[1].as.num, F64);
    must_expand(&from, &shape, "full: a value of shape %s does not fill the shape %s");
    return op_expand(bound[1], &shape);
}

/* (n, m = nil, k = 0) */
Value call_eye(int count, const Value *bound) {
    (void)count;
    int64_t n = arg_int(bound[0], "n"), m = is_given(bound[1]) ? arg_int(bound[1], "m") : n;
    int64_t k = is_given(bound[2]) ? arg_int(bound[2], "k") : 0;
    if (n < 0 || m < 0) fail(E_VALUE, "eye: a length must not be negative");
    Array *out = array_zeros(F64, 2, (int64_t[]){ n, m });
    for (int64_t i = k < 0 ? -k : 0; i < n && i + k < m; i++) {
        f64_of(out)[i * m + i + k] = 1;
        poll();
    }
    return object(out);
}

/* arange(stop), arange(start, stop), arange(start, stop, step) */
Value call_arange(int count, const Value *bound) {
    (void)count;
    double start = is_given(bound[1]) ? arg_number(bound[0], "start") : 0;
    double stop = is_given(bound[1]) ? arg_number(bound[1], "stop") : arg_number(bound[0], "stop");
    double step = is_given(bound[2]) ? arg_number(bound[2], "step") : 1;
    double length = ceil((stop - start) / step);
    if (step == 0 || !(fabs(length) < 9e15))
        fail(E_VALUE, "arange from %g to %g by %g has no end", start, stop, step);
    int64_t n = length > 0 ? (int64_t)length : 0;
    Array *out = array_new(F64, 1, &n);
    for (int64_t i = 0; i < n; i++) {
        f64_of(out)[i] = start + (double)i * step;
        poll_at(i);
    }
    return object(out);
}

/* (start, stop, n = 50): both ends are exact */
Value call_linspace(int count, const Value *bound) {
    (void)count;
    Value start = bound[0], stop = bound[1];
    int64_t n = is_given(bound[2]) ? arg_int(bound[2], "num") : 50;
    if (n < 0) fail(E_VALUE, "linspace: a length must not be negative");
    int start_axes = arg_array(start, "start")->axes, stop_axes = arg_array(stop, "stop")->axes;
    Shape steps = { .axes = 1 + (start_axes > stop_axes ? start_axes : stop_axes), .dim = { n } };
    if (steps.axes > MAX_AXES) fail(E_LIMIT, "an array has at most %d axes", MAX_AXES);
    for (int axis = 1; axis < steps.axes; axis++) steps.dim[axis] = 1;
    Array *place = array_new(F64, steps.axes, steps.dim),
          *last = array_zeros(BOOL, steps.axes, steps.dim);
    for (int64_t i = 0; i < n; i++) {
        f64_of(place)[i] = (double)i;
        poll_at(i);
    }
    if (n > 1) bool_of(last)[n - 1] = 1;
    double parts = n > 1 ? (double)(n - 1) : 1;
    Value way = op_div(op_mul(object(place), op_sub(stop, start)), number(parts));
    return op_where(object(last), stop, op_add(start, way));
}

/* zeros_like and ones_like map over trees; a leaf that is no array becomes nil. */
static Value leaf_like(Value leaf, void *value) {
    return is_numeric(leaf) ? full_like(leaf, *(double *)value) : NIL;
}

static Value tree_like(Value v, double value, const char *name) {
    if (!is_tree(v)) operand(v, name);
    return tree_map(v, leaf_like, &value);
}

BIND(zeros_like, tree_like(bound[0], 0, "zeros_like"))
BIND(ones_like, tree_like(bound[0], 1, "ones_like"))

Value call_full_like(int count, const Value *bound) {
    (void)count;
    operand(bound[0], "full_like");
    Shape shape = value_shape(bound[0]);
    if (!bound[1].node && is_number(bound[1]))
        return full_like(bound[0], arg_number(bound[1], "value"));
    return op_cast_like(op_expand(bound[1], &shape), bound[0]);
}
