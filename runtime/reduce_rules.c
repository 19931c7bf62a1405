/* Reductions as operations: how they are recorded, the words that their rules are made of, and their
 * calls.
 *
 * The one idea: the adjoint of a reduction spreads what came for a total over the elements it was
 * made of, weighed by what each one meant to it. The loops over elements are in reduce.c. */
#include <math.h>
#include <string.h>
#include "fuse.h"
#include "rules.h"

/* ---- recording ---- */
static Value apply_over(Op op, Value x, uint64_t axes, bool keepdims) {
    int n = axes_of(x);
    uint64_t all = n ? ALL_AXES >> (64 - n) : 0;
    return apply(op, 1, &x, ATTR((int64_t)(axes & all), keepdims));
}

Value op_sum(Value x, uint64_t axes, bool keepdims) {
    if (x.tag == V_NUM) return x;
    return apply_over(OP_sum, x, axes, keepdims);
}

Value op_max(Value x, uint64_t axes, bool keepdims) {
    return apply_over(OP_max, x, axes, keepdims);
}

Value op_min(Value x, uint64_t axes, bool keepdims) {
    return apply_over(OP_min, x, axes, keepdims);
}

Value op_sum_to(Value x, Value like) {
    Shape from = value_shape(x), to = value_shape(like);
    int dtype = float_dtype(dtype_of(like));
    if (same_shape(from.axes, from.dim, to.axes, to.dim)) return op_cast(x, dtype);
    Attr attr[2 + MAX_AXES] = { to.axes + 1, dtype };
    memcpy(attr + 2, to.dim, (size_t)to.axes * sizeof *attr);
    return apply(OP_sum_to, 1, &x, attr);
}

/* ---- the words of the rules ---- */
static Value with_kept_axes(Value g, Value x, const Attr *attr) {
    if (attr[2]) return g;
    Shape shape = value_shape(x), kept = reduced_shape(&shape, (uint64_t)attr[1], true);
    return op_reshape(g, kept.axes, kept.dim);
}

Value op_spread(Value g, Value x, const Attr *attr) {
    return op_expand_to(with_kept_axes(g, x, attr), x);
}

/* By an array of weights (chosen.c), or for axes that do not stand side by side in operations. */
Value op_share(Value g, Value x, Value r, const Attr *attr) {
    x = constant(x);
    g = with_kept_axes(g, x, attr);
    Value weights = op_extreme_weights(x, constant(r), (uint64_t)attr[1]);
    if (weights.tag != V_UNSET) return op_cast_like(op_mul_or_zero(weights, g), x);
    Value chosen = with_kept_axes(constant(r), x, attr);
    Value same = op_logical_or(op_eq(x, chosen), op_logical_and(op_isnan(x), op_isnan(chosen)));
    Value share = op_div(g, op_sum(same, (uint64_t)attr[1], true));
    return op_cast_like(op_where(same, share, number(0)), x);
}

Value op_axes_last(Value x, uint64_t axes, int *order, Shape *moved) {
    Shape shape = value_shape(x);
    int n = 0;
    for (int i = 0; i < shape.axes; i++) if (!(axes >> i & 1)) order[n++] = i;
    int kept = n;
    for (int i = 0; i < shape.axes; i++) if (axes >> i & 1) order[n++] = i;
    Shape joined = { .axes = kept + 1 };
    moved->axes = n;
    joined.dim[kept] = 1;
    for (int i = 0; i < n; i++) {
        moved->dim[i] = shape.dim[order[i]];
        if (i < kept) joined.dim[i] = moved->dim[i];
        else joined.dim[kept] *= moved->dim[i];
    }
    return op_reshape(op_transpose(x, order), joined.axes, joined.dim);
}

/* 1 at one end of an axis of x's shape, 0 elsewhere: what an empty product is. */
static Value one_at_end(Value x, int axis, bool last) {
    Shape shape = { .axes = axes_of(x) - axis };
    int64_t length = value_shape(x).dim[axis];
    for (int i = 0; i < shape.axes; i++) shape.dim[i] = 1;
    shape.dim[0] = length;
    Array *end = array_zeros(F64, shape.axes, shape.dim);
    if (length) f64_of(end)[last ? length - 1 : 0] = 1;
    return value_of_dtype(end, float_dtype(dtype_of(x)));
}

/* The product of all elements before each one, or after it. */
static Value product_before(Value x, int axis, bool after) {
    Value products = op_cumprod(x, axis, after);
    return op_add(op_shift(products, axis, after ? -1 : 1), one_at_end(x, axis, after));
}

Value op_prod_rule(Value g, Value x, const Attr *attr) {
    if (!axes_of(x)) return g;
    int order[MAX_AXES], back[MAX_AXES];
    Shape moved;
    Value line = op_axes_last(x, (uint64_t)attr[1], order, &moved);
    int axis = axes_of(line) - 1;
    Value others = op_mul(product_before(line, axis, false), product_before(line, axis, true));
    for (int i = 0; i < moved.axes; i++) back[order[i]] = i;
    return op_mul(op_spread(g, x, attr),
                  op_transpose(op_reshape(others, moved.axes, moved.dim), back));
}

Value op_norm_rule(Value g, Value x, Value r, const Attr *attr) {
    return op_mul(op_spread(g, x, attr), op_ratio_or_zero(x, with_kept_axes(r, x, attr)));
}

/* An expression that is not yet computed is reduced as it is computed, if it can be. */
static Value reduce_deferred(Op op, const Value *bound, const char *name) {
    int n = deferred_of(bound[0])->axes;
    uint64_t axes = arg_axes(bound[1], bound[3], n, name);
    bool keepdims = arg_flag(bound[2], "keepdims");
    Value result;
    if (fuse_reduce(op, bound[0], axes, keepdims, &result)) return result;
    return apply_over(op, fuse_force(bound[0]), axes, keepdims);
}

/* ---- calls: (x, axis = nil, keepdims = false, exclude = false) ---- */
static Value call_over(Op op, const Value *bound, const char *name) {
    if (is_deferred(bound[0])) return reduce_deferred(op, bound, name);
    int n = operand(bound[0], name)->axes;
    return apply_over(op, bound[0], arg_axes(bound[1], bound[3], n, name),
                      arg_flag(bound[2], "keepdims"));
}

/* max(a, b) is meant elementwise by whoever writes it: b is no axis of a. */
static Value call_extreme(Op op, const Value *bound, const char *name) {
    int n = is_deferred(bound[0]) ? deferred_of(bound[0])->axes : operand(bound[0], name)->axes;
    Value axis = bound[1];
    bool fits = !is_numeric(axis) || (axis.tag != V_BOOL && dtype_of(axis) == F64);
    if (fits && is_numeric(axis)) {
        Array *list = array_of(axis);
        for (int64_t i = 0; i < list->size; i++) {
            double a = array_get(list, i);
            if (a != floor(a) || a >= n || a < -n) fits = false;
        }
        if (!list->size) fits = false;
    }
    if (!fits) {
        hint("the %s of two values, element by element, is %simum(a, b)",
             op == OP_max ? "greater" : "smaller", name);
        fail(E_ARGUMENT, "%s takes one array and its axes, not two arrays", name);
    }
    return call_over(op, bound, name);
}

BIND(sum, call_over(OP_sum, bound, "sum"))
BIND(prod, call_over(OP_prod, bound, "prod"))
BIND(max, call_extreme(OP_max, bound, "max"))
BIND(min, call_extreme(OP_min, bound, "min"))
BIND(any, call_over(OP_any, bound, "any"))
BIND(all, call_over(OP_all, bound, "all"))

/* (x, ord = 2, axis = nil, keepdims = false, exclude = false): only the euclidean norm is a row
 * of its own, since only it needs care at 0. */
Value call_norm(int count, const Value *bound) {
    (void)count;
    Value x = bound[0];
    int n = operand(x, "norm")->axes;
    double order = is_given(bound[1]) ? arg_number(bound[1], "ord") : 2;
    uint64_t axes = arg_axes(bound[2], bound[4], n, "norm");
    bool keepdims = arg_flag(bound[3], "keepdims");
    if (order == 2) return apply_over(OP_norm, x, axes, keepdims);
    Value size = op_abs(x);
    if (order == HUGE_VAL) return op_max(size, axes, keepdims);
    if (order == -HUGE_VAL) return op_min(size, axes, keepdims);
    if (order == 0) return op_sum(op_ne(x, number(0)), axes, keepdims);
    if (order == 1) return op_sum(size, axes, keepdims);
    Value total = op_sum(op_power(size, number(order)), axes, keepdims);
    return op_power(total, number(1 / order));
}
