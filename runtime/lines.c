/* What needs a whole line of elements at once: softmax and its relatives, cumulative sums and
 * products, the place of the greatest element.
 *
 * The one idea: lines_of() brings the axes in question to the end, as contiguous f64, and
 * lines_value() brings a result back into the input's order of axes and dtype; each operation
 * between the two is a plain loop over lines. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "line_kernels.h"
#include "lines.h"

Lines lines_of(Value x, uint64_t axes, int dtype) {
    Array *a = array_of(x);
    Lines l = { .count = 1, .length = 1, .moved.axes = a->axes };
    int64_t strides[MAX_AXES];
    int n = 0;
    for (int inside = 0; inside < 2; inside++) {
        for (int i = 0; i < a->axes; i++) {
            if ((int)(axes >> i & 1) != inside) continue;
            *(inside ? &l.length : &l.count) *= shape_of(a)[i];
            l.kept += !inside;
            l.moved.dim[n] = shape_of(a)[i];
            strides[n] = strides_of(a)[i];
            l.back[i] = n++;
        }
    }
    Array *view = array_view(a, n, l.moved.dim, strides, 0);
    l.data = array_contiguous(array_cast(view, dtype));
    return l;
}

static double *line(const Lines *l, int64_t i) { return f64_of(l->data) + i * l->length; }

Array *lines_like(const Lines *l) { return array_new(l->data->dtype, l->moved.axes, l->moved.dim); }

Value lines_value(const Lines *l, Array *result, int dtype) {
    int64_t shape[MAX_AXES], strides[MAX_AXES];
    for (int i = 0; i < l->moved.axes; i++) {
        shape[i] = shape_of(result)[l->back[i]];
        strides[i] = strides_of(result)[l->back[i]];
    }
    return value_of_dtype(array_view(result, l->moved.axes, shape, strides, 0), dtype);
}

Value lines_reduced(const Lines *l, Array *result, bool keepdims, int dtype) {
    if (!keepdims) return value_of_dtype(result, dtype);
    int64_t shape[MAX_AXES], strides[MAX_AXES];
    for (int i = 0; i < l->moved.axes; i++) {
        bool kept = l->back[i] < l->kept;
        shape[i] = kept ? l->moved.dim[l->back[i]] : 1;
        strides[i] = kept ? strides_of(result)[l->back[i]] : 1;
    }
    return value_of_dtype(array_view(result, l->moved.axes, shape, strides, 0), dtype);
}

/* ---- a whole line: its sum, pairwise, and its greatest element ---- */
double line_sum(const double *x, int64_t n) {
    enum { BLOCK = 1024 };
    if (n <= BLOCK) return line_kernels->sum[F64](x, n);
    return line_sum(x, n / 2) + line_sum(x + n / 2, n - n / 2);
}

double line_max(const double *x, int64_t n) { return line_kernels->greatest[F64](x, n); }

/* ---- the place of the greatest and the least ---- */
/* The first of equals; a NaN is the greatest and the least. Only the part of a line that has it is
 * searched. */
static double place_of_extreme(const char *x, int64_t n, int dtype, bool greatest) {
    enum { PARTS = 1024 };
    const LineKernels *k = line_kernels;
    int64_t width = (int64_t)dtype_bytes(dtype), found = 0;
    double best = 0;
    for (int64_t i = 0; i < n && best == best; i += PARTS) {
        int64_t count = n - i < PARTS ? n - i : PARTS;
        double top = (greatest ? k->greatest : k->least)[dtype](x + i * width, count);
        poll();
        if (i && top == top && !(greatest ? top > best : top < best)) continue;
        best = top;
        found = i;
    }
    return (double)(found + k->place_of[dtype](x + found * width, n - found, best));
}

static Value places(Value x, const Attr *attr, bool greatest, const char *name) {
    enum { TOGETHER = 1024 };   /* short lines */
    int dtype = float_dtype(dtype_of(x));
    Lines l = lines_of(x, (uint64_t)attr[1], dtype);
    Array *out = array_new(F64, l.kept, l.moved.dim);
    if (l.count && !l.length) {
        char text[120];
        Shape shape = value_shape(x);
        shape_text(shape.axes, shape.dim, text, sizeof text);
        fail(E_VALUE, "%s of nothing: the shape is %s", name, text);
    }
    const char *from = l.data->data;
    int64_t bytes = l.length * (int64_t)dtype_bytes(dtype);
    int64_t together = l.length <= SHORT ? TOGETHER : 1;
    for (int64_t i = 0; i < l.count; i += together, from += together * bytes, poll_at(i)) {
        int64_t lines = l.count - i < together ? l.count - i : together;
        double *to = f64_of(out) + i;
        if (together == 1) *to = place_of_extreme(from, l.length, dtype, greatest);
        else line_kernels->short_places[dtype](l.length, lines, !greatest, from, to);
    }
    return lines_reduced(&l, out, attr[2] != 0, F64);
}

Value kernel_argmax(int count, const Value *in, const Attr *attr) {
    (void)count;
    return places(in[0], attr, true, "argmax");
}

Value kernel_argmin(int count, const Value *in, const Attr *attr) {
    (void)count;
    return places(in[0], attr, false, "argmin");
}

/* ---- cumulative ---- */
/* One line of r[k] = b[k] + a[k] r[k - 1], from either end. A NULL a is all ones; a NULL b is 1,
 * 0, 0 ... */
static void recur(int64_t n, bool reverse, const double *a, const double *b, double *r) {
    int64_t step = reverse ? -1 : 1, i = reverse ? n - 1 : 0;
    double total = b ? 0 : 1;
    for (int64_t k = 0; k < n; k++, i += step) {
        total = a ? total * a[i] : total;
        total = b ? total + b[i] : total;
        r[i] = total;
        poll_at(k);
    }
}

static Value cumulate(const Value *a, const Value *b, const Attr *attr) {
    Value x = a ? *a : *b;
    Lines as, bs;
    if (a) as = lines_of(*a, axis_bit(attr[1]), F64);
    if (b) bs = lines_of(*b, axis_bit(attr[1]), F64);
    const Lines *l = a ? &as : &bs;
    Array *out = lines_like(l);
    for (int64_t i = 0; i < l->count; i++) {
        recur(l->length, attr[2] != 0, a ? line(&as, i) : NULL, b ? line(&bs, i) : NULL,
              f64_of(out) + i * l->length);
        poll();
    }
    return lines_value(l, out, float_dtype(dtype_of(x)));
}

/* Totals of running sums are f64, and each line's are in its own order. */
enum { STEPS = 8192, COLUMNS = 1024 };

static void sum_lines(const Lines *l, bool reverse, int dtype, char *r) {
    const char *x = l->data->data;
    int64_t width = (int64_t)dtype_bytes(dtype), n = l->length;
    for (int64_t i = 0; i < l->count; i += RUNNING_LINES) {
        int64_t lines = l->count - i < RUNNING_LINES ? l->count - i : RUNNING_LINES;
        double total[RUNNING_LINES] = { 0 };
        for (int64_t k = 0; k < n; k += STEPS, poll()) {
            int64_t steps = n - k < STEPS ? n - k : STEPS;
            int64_t at = (i * n + (reverse ? n - k - steps : k)) * width;
            line_kernels->running[dtype](lines, steps, n, reverse, x + at, r + at, total);
        }
    }
}

/* Row after row of each block, where a line goes down through them. */
static void sum_down(const Array *x, int axis, bool reverse, char *r) {
    int64_t length = shape_of(x)[axis], inner = strides_of(x)[axis];
    int64_t width = (int64_t)dtype_bytes(x->dtype), block = length * inner;
    const char *from = x->data;
    for (int64_t start = 0; start < x->size; start += block)
        for (int64_t j = 0; j < inner; j += COLUMNS) {
            int64_t n = inner - j < COLUMNS ? inner - j : COLUMNS;
            double total[COLUMNS] = { 0 };
            for (int64_t k = 0; k < length; k++) {
                int64_t at = (start + (reverse ? length - 1 - k : k) * inner + j) * width;
                line_kernels->running_row[x->dtype](n, total, from + at, r + at);
                poll_at(k);
            }
        }
}

Value kernel_cumsum(int count, const Value *in, const Attr *attr) {
    enum { ROW = 8 };          /* a shorter one is no work for a call */
    (void)count;
    int dtype = float_dtype(dtype_of(in[0]));
    Array *x = array_of(in[0]);
    if (array_is_contiguous(x) && x->dtype == dtype && strides_of(x)[attr[1]] >= ROW) {
        Array *out = array_new(dtype, x->axes, shape_of(x));
        sum_down(x, (int)attr[1], attr[2] != 0, out->data);
        return array_value(out);
    }
    Lines l = lines_of(in[0], axis_bit(attr[1]), dtype);
    Array *out = lines_like(&l);
    sum_lines(&l, attr[2] != 0, dtype, out->data);
    return lines_value(&l, out, dtype);
}

Value kernel_cumprod(int count, const Value *in, const Attr *attr) {
    (void)count;
    return cumulate(&in[0], NULL, attr);
}

Value kernel_recurrence(int count, const Value *in, const Attr *attr) {
    (void)count;
    return cumulate(&in[0], &in[1], attr);
}

Value kernel_shift(int count, const Value *in, const Attr *attr) {
    (void)count;
    Lines l = lines_of(in[0], axis_bit(attr[1]), F64);
    Array *out = array_zeros(F64, l.moved.axes, l.moved.dim);
    int64_t by = attr[2], n = l.length - llabs(by);
    for (int64_t i = 0; i < l.count && n > 0; i++)
        memcpy(f64_of(out) + i * l.length + (by > 0 ? by : 0), line(&l, i) + (by < 0 ? -by : 0),
               (size_t)n * sizeof(double));
    return lines_value(&l, out, float_dtype(dtype_of(in[0])));
}

/* ---- elements along an axis, by their places ---- */
static _Noreturn void no_place(double place, int64_t length, int64_t axis) {
    if (place != floor(place))
        fail(E_INDEX, "an index must be an integral number, and this one is %g", place);
    fail(E_INDEX, "index %.0f is out of range for axis %d with length %lld", place, (int)axis,
         (long long)length);
}

static inline int64_t place_in(double place, int64_t length, int64_t axis) {
    bool inside = place < (double)length && place >= -(double)length;
    int64_t at = inside ? (int64_t)place : 0;
    if (!inside || (double)at != place) no_place(place, length, axis);
    return at + (at < 0 ? length : 0);
}

int64_t line_place(double index, int64_t length, int64_t axis) {
    return place_in(index, length, axis);
}

#define TAKE_LINES(T, suffix)                                                                      \
    static void take_lines_##suffix(const Lines *l, const Lines *index, int64_t axis, T *to) {     \
        const T *from = l->data->data;                                                             \
        for (int64_t i = 0; i < l->count; i++, from += l->length) {                                \
            const double *places = line(index, i);                                                 \
            for (int64_t j = 0; j < index->length; j++)                                            \
                *to++ = from[place_in(places[j], l->length, axis)];                                \
            poll();                                                                                \
        }                                                                                          \
    }
TAKE_LINES(double, f64)
TAKE_LINES(float, f32)

Value kernel_take_along(int count, const Value *in, const Attr *attr) {
    (void)count;
    int dtype = float_dtype(dtype_of(in[0]));
    Lines l = lines_of(in[0], axis_bit(attr[1]), dtype),
          index = lines_of(in[1], axis_bit(attr[1]), F64);
    Array *out = array_new(dtype, index.moved.axes, index.moved.dim);
    if (dtype == F32) take_lines_f32(&l, &index, attr[1], out->data);
    else take_lines_f64(&l, &index, attr[1], out->data);
    return lines_value(&index, out, dtype_of(in[0]));
}

Value kernel_put_along(int count, const Value *in, const Attr *attr) {
    (void)count;
    Lines g = lines_of(in[0], axis_bit(attr[1]), F64),
          index = lines_of(in[1], axis_bit(attr[1]), F64);
    int64_t length = attr[2];
    g.moved.dim[g.moved.axes - 1] = length;
    Array *out = array_zeros(F64, g.moved.axes, g.moved.dim);
    for (int64_t i = 0; i < g.count; i++) {
        double *line_to = f64_of(out) + i * length;
        const double *from = line(&g, i), *places = line(&index, i);
        for (int64_t j = 0; j < g.length; j++)
            line_to[place_in(places[j], length, attr[1])] += from[j];
        poll();
    }
    return lines_value(&g, out, float_dtype(dtype_of(in[0])));
}

/* ---- recording ---- */
Value op_cumsum(Value x, int axis, bool reverse) {
    return apply(OP_cumsum, 1, &x, ATTR(axis, reverse));
}

Value op_cumprod(Value x, int axis, bool reverse) {
    return apply(OP_cumprod, 1, &x, ATTR(axis, reverse));
}

Value op_shift(Value x, int axis, int64_t by) { return apply(OP_shift, 1, &x, ATTR(axis, by)); }

Value op_recurrence(Value a, Value b, int axis, bool reverse) {
    return apply(OP_recurrence, 2, (Value[]){ a, b }, ATTR(axis, reverse));
}

Value op_take_along(Value x, Value index, int axis) {
    return apply(OP_take_along, 2, (Value[]){ x, constant(index) }, ATTR(axis));
}

Value op_put_along(Value g, Value index, int axis, int64_t length) {
    return apply(OP_put_along, 2, (Value[]){ g, constant(index) }, ATTR(axis, length));
}

/* With p the products and s[k] = g[k] + x[k + 1] s[k + 1]: x[k] is in all products from k on,
 * and the factor it meets there is p[k - 1] times what follows, so that its adjoint is p[k - 1]
 * s[k]. */
Value op_cumprod_rule(Value g, Value x, Value r, const Attr *attr) {
    int axis = (int)attr[1], ahead = attr[2] ? 1 : -1;
    Value following = op_recurrence(op_shift(x, axis, ahead), g, axis, !attr[2]);
    Shape shape = value_shape(x);
    Array *end = array_zeros(F64, shape.axes, shape.dim);
    int64_t length = shape.dim[axis], inner = strides_of(end)[axis];
    int64_t first = attr[2] ? length - 1 : 0;
    for (int64_t i = 0; i < end->size; i++)
        if (i / inner % length == first) f64_of(end)[i] = 1;
    Value before = op_add(op_shift(r, axis, -ahead), value_of_dtype(end, float_dtype(dtype_of(x))));
    return op_mul(following, before);
}

/* ---- calls ---- */
int axis_of_lines(Value x, Value axis, int otherwise, const char *name) {
    int n = operand(x, name)->axes;
    if (n == 0)
        fail(E_SHAPE, "%s needs an array with at least one axis, and this is a number", name);
    return is_given(axis) ? arg_axis(axis, n, "axis") : otherwise < 0 ? n - 1 : otherwise;
}

/* (x, axis = nil, keepdims = false, exclude = false), all axes together */
static Value call_lines(Op op, const Value *bound, const char *name) {
    int n = operand(bound[0], name)->axes;
    uint64_t axes = arg_axes(bound[1], bound[3], n, name);
    return apply(op, 1, bound, ATTR((int64_t)axes, arg_flag(bound[2], "keepdims")));
}

BIND(logsumexp, call_lines(OP_logsumexp, bound, "logsumexp"))
BIND(argmax, call_lines(OP_argmax, bound, "argmax"))
BIND(argmin, call_lines(OP_argmin, bound, "argmin"))

/* (x, axis = -1) */
static Value call_normalised(Op op, const Value *bound, const char *name) {
    int n = operand(bound[0], name)->axes;
    Value axis = n == 0 ? NIL : bound[1].tag == V_UNSET ? number(-1) : bound[1];
    return apply(op, 1, bound, ATTR((int64_t)arg_axes(axis, UNSET, n, name)));
}

BIND(softmax, call_normalised(OP_softmax, bound, "softmax"))
BIND(log_softmax, call_normalised(OP_log_softmax, bound, "log_softmax"))

/* (x, axis = nil): nil is the flattened array, as in NumPy */
static Value call_cumulative(Op op, const Value *bound, const char *name) {
    operand(bound[0], name);
    Value x = is_given(bound[1]) ? bound[0] : op_flatten(bound[0]);
    return apply(op, 1, &x, ATTR(axis_of_lines(x, bound[1], 0, name), false));
}

BIND(cumsum, call_cumulative(OP_cumsum, bound, "cumsum"))
BIND(cumprod, call_cumulative(OP_cumprod, bound, "cumprod"))

/* (x, indices, axis = -1) */
Value call_take_along(int count, const Value *bound) {
    (void)count;
    int axis = axis_of_lines(bound[0], bound[2], -1, "take_along");
    Shape x = value_shape(bound[0]), index = value_shape(object(arg_array(bound[1], "indices")));
    Shape expected = x;
    if (index.axes == x.axes) expected.dim[axis] = index.dim[axis];
    if (!same_shape(expected.axes, expected.dim, index.axes, index.dim)) {
        char left[120], right[120];
        shape_text(x.axes, x.dim, left, sizeof left);
        shape_text(index.axes, index.dim, right, sizeof right);
        fail(E_SHAPE, "take_along: indices of shape %s do not fit shape %s off axis %d", right,
             left, axis);
    }
    return op_take_along(bound[0], bound[1], axis);
}
