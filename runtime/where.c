/* where: one of two arrays, element by element; and the calls that are made of it and of indexing:
 * take, diag, triu, tril. */
#include <stdlib.h>
#include "line_kernels.h"
#include "rules.h"

/* ---- where ---- */
#define CHOOSE(name, T, dtype)                                                                     \
    static void name(int64_t n, char **at, const int64_t *stride, void *env) {                     \
        T *out = (T *)at[0];                                                                       \
        const uint8_t *condition = (const uint8_t *)at[1];                                         \
        const T *x = (const T *)at[2], *y = (const T *)at[3];                                      \
        int64_t c = stride[1], s = stride[2], t = stride[3];                                       \
        (void)env;                                                                                 \
        if (c == 1 && s == 1 && t == 1 && dtype != BOOL)                                           \
            line_kernels->choose[dtype & 1](n, out, condition, x, y);                              \
        else if (c == 1 && s == 1 && t == 0)                                                       \
            for (int64_t i = 0; i < n; i++) out[i] = *(condition[i] ? x + i : y);                  \
        else                                                                                       \
            for (int64_t i = 0; i < n; i++) out[i] = *(condition[i * c] ? x + i * s : y + i * t);  \
    }
CHOOSE(choose_f64, double, F64)
CHOOSE(choose_f32, float, F32)
CHOOSE(choose_bool, uint8_t, BOOL)

Value kernel_where(int count, const Value *in, const Attr *attr) {
    (void)attr;
    Shape shape = value_shape(in[0]);
    int dtype = joint_dtype(2, in + 1);
    for (int i = 1; i < count; i++) {
        Shape other = value_shape(in[i]), joined;
        if (!shapes_join(&shape, &other, &joined)) {
            char left[120], right[120];
            shape_text(shape.axes, shape.dim, left, sizeof left);
            shape_text(other.axes, other.dim, right, sizeof right);
            fail(E_SHAPE, "where: shapes %s and %s do not broadcast", left, right);
        }
        shape = joined;
    }
    Array *arrays[4] = { array_new(dtype, shape.axes, shape.dim) };
    for (int i = 0; i < 3; i++) {
        Array *a = i ? array_cast(array_of(in[i]), dtype)
            : array_of(op_cast(constant(in[0]), BOOL));
        arrays[i + 1] = array_broadcast(a, shape.axes, shape.dim);
    }
    array_walk(4, arrays, dtype == F64 ? choose_f64 : dtype == F32 ? choose_f32 : choose_bool,
               NULL);
    return array_value(arrays[0]);
}

Value op_where(Value condition, Value x, Value y) {
    if (is_number(condition) && is_number(x) && is_number(y)
        && !(rt.recording && (x.node | y.node))) {
        Value chosen = constant(num_of(condition) != 0 ? x : y);
        return x.tag == y.tag ? chosen : number(num_of(chosen));
    }
    return apply(OP_where, 3, (Value[]){ constant(condition), x, y }, ATTR(0));
}

Value op_where_rule(int which, Value g, const Value *in) {
    Value chosen = which == 1 ? op_where(in[0], g, number(0)) : op_where(in[0], number(0), g);
    return op_sum_to(chosen, in[which]);
}

/* ---- calls ---- */
Value call_where(int count, const Value *bound) {
    for (int i = 0; i < count; i++) operand(bound[i], "where");
    return op_where(bound[0], bound[1], bound[2]);
}

static IndexItem gather_of(Value places) {
    if (is_number(places)) return (IndexItem){ .kind = I_AT, .start = arg_int(places, "index") };
    return (IndexItem){ .kind = I_GATHER, .gather = places };
}

/* (x, indices, axis = nil): nil is the flattened array, as in NumPy */
Value call_take(int count, const Value *bound) {
    (void)count;
    int n = operand(bound[0], "take")->axes;
    Value places = bound[1].tag == V_LIST ? call_array(1, &bound[1]) : bound[1];
    operand(places, "take");
    if (!is_given(bound[2])) {
        IndexItem item = gather_of(places);
        return op_index(op_flatten(bound[0]), 1, &item);
    }
    int axis = arg_axis(bound[2], n, "axis");
    IndexItem items[MAX_AXES];
    for (int i = 0; i < axis; i++) items[i] = (IndexItem){ .kind = I_SLICE, .step = 1 };
    items[axis] = gather_of(places);
    return op_index(bound[0], axis + 1, items);
}

/* The places of the k-th diagonal, as two gathers. */
static void diagonal_items(IndexItem *items, int64_t rows, int64_t columns, int64_t k) {
    int64_t first = k < 0 ? -k : 0, right = k > 0 ? k : 0, length = rows - first;
    if (columns - right < length) length = columns - right;
    if (length < 0) length = 0;
    for (int i = 0; i < 2; i++) {
        Array *places = array_new(F64, 1, &length);
        for (int64_t j = 0; j < length; j++) f64_of(places)[j] = (double)(j + (i ? right : first));
        items[i] = (IndexItem){ .kind = I_GATHER, .gather = object(places) };
    }
}

/* (x, k = 0): the k-th diagonal of a matrix, or the matrix with this diagonal */
Value call_diag(int count, const Value *bound) {
    (void)count;
    Value x = bound[0];
    const Array *a = operand(x, "diag");
    int64_t k = is_given(bound[1]) ? arg_int(bound[1], "k") : 0;
    IndexItem items[2];
    if (a->axes == 2) {
        diagonal_items(items, shape_of(a)[0], shape_of(a)[1], k);
        return op_index(x, 2, items);
    }
    if (a->axes != 1)
        fail(E_SHAPE, "diag needs one or two axes, and this array has %d", a->axes);
    int64_t n = shape_of(a)[0] + llabs(k);
    diagonal_items(items, n, n, k);
    Array *square = array_zeros(float_dtype(dtype_of(x)), 2, (int64_t[]){ n, n });
    return op_put(object(square), 2, items, x, false, 0);
}

/* x where the column is at most (lower) or at least the row plus k, else 0, in the last two axes */
static Value triangle(const Value *bound, bool lower, const char *name) {
    Value x = bound[0];
    Shape shape = value_shape(object(operand(x, name)));
    if (shape.axes < 2) fail(E_SHAPE, "%s needs a matrix, and this has %d axes", name, shape.axes);
    int64_t k = is_given(bound[1]) ? arg_int(bound[1], "k") : 0;
    const int64_t *dim = shape.dim + shape.axes - 2;
    Array *mask = array_new(BOOL, 2, dim);
    for (int64_t i = 0; i < dim[0]; i++)
        for (int64_t j = 0; j < dim[1]; j++)
            bool_of(mask)[i * dim[1] + j] = lower ? j <= i + k : j >= i + k;
    return op_where(object(mask), x, number(0));
}

BIND(triu, triangle(bound, false, "triu"))
BIND(tril, triangle(bound, true, "tril"))
