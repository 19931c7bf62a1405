/* What the language calls of linear algebra. The one idea: shapes are looked at before anything is
 * recorded, so that a message can name what was given; then a row of the table is applied, whose
 * kernel is in lapack.c. A right side that is a vector is one column on the way. */
#include "rules.h"

/* ---- shapes ---- */
static void need_matrix(Value x, const char *name) {
    Shape shape = value_shape(object(operand(x, name)));
    char text[120];
    if (shape.axes >= 2) return;
    shape_text(shape.axes, shape.dim, text, sizeof text);
    note_operand(0, x);
    fail(E_SHAPE, "%s needs a matrix, an array of at least two axes, not one of shape %s", name,
         text);
}

static void need_square(Value x, const char *name) {
    need_matrix(x, name);
    Shape shape = value_shape(x);
    char text[120];
    if (shape.dim[shape.axes - 1] == shape.dim[shape.axes - 2]) return;
    shape_text(shape.axes, shape.dim, text, sizeof text);
    note_operand(0, x);
    fail(E_SHAPE, "%s needs a square matrix over the last two axes, not shape %s", name, text);
}

/* ---- the recording functions ---- */
Value op_inv_for(Value x, Op op) {
    need_square(x, operations[op].name);
    return apply(OP_inv, 1, &x, ATTR(op));
}
Value op_inv(Value x) { return op_inv_for(x, OP_inv); }

Value op_det(Value x) {
    need_square(x, "det");
    return apply(OP_det, 1, &x, ATTR(0));
}

/* The right side as a matrix: a single vector is one column. */
static Value as_columns(Value b) {
    return axes_of(b) == 1 ? op_reshape(b, 2, (int64_t[]){ size_of(b), 1 }) : b;
}

static Value as_given(Value x, Value b) {
    Shape shape = value_shape(x);
    return axes_of(b) == 1 ? op_reshape(x, shape.axes - 1, shape.dim) : x;
}

static void need_right_side(Value a, Value b, const char *name) {
    need_square(a, name);
    Shape left = value_shape(a), right = value_shape(object(operand(b, name)));
    char first[120], second[120];
    int64_t rows = right.axes ? right.dim[right.axes > 1 ? right.axes - 2 : 0] : -1;
    if (rows == left.dim[left.axes - 1]) return;
    shape_text(left.axes, left.dim, first, sizeof first);
    shape_text(right.axes, right.dim, second, sizeof second);
    note_operand(0, a);
    note_operand(1, b);
    fail(E_SHAPE, "%s: a matrix of shape %s needs a right side with %lld rows, not shape %s", name,
         first, (long long)left.dim[left.axes - 1], second);
}

Value op_solve(Value a, Value b) {
    need_right_side(a, b, "solve");
    return as_given(apply(OP_solve, 2, (Value[]){ a, as_columns(b) }, ATTR(0)), b);
}

Value op_solve_triangular(Value a, Value b, bool lower, bool flip) {
    need_right_side(a, b, "solve_triangular");
    return as_given(apply(OP_solve_triangular, 2, (Value[]){ a, as_columns(b) }, ATTR(lower, flip)),
                    b);
}

Value op_svd(Value x) {
    need_matrix(x, "svd");
    return apply(OP_svd, 1, &x, ATTR(0));
}

/* The first `count` columns, or those from there on. */
static Value columns_until(Value x, int64_t count, bool rest) {
    IndexItem items[2] = { { .kind = I_ELLIPSIS }, { .kind = I_SLICE, .step = 1 } };
    items[1].has_start = rest;
    items[1].has_stop = !rest;
    items[1].start = items[1].stop = count;
    return op_index(x, 2, items);
}

/* With more columns than rows, those beyond the square part are turned by the same Q. */
static Value op_qr(Value x) {
    need_matrix(x, "qr");
    Shape shape = value_shape(x);
    int64_t m = shape.dim[shape.axes - 2], n = shape.dim[shape.axes - 1];
    if (m >= n) return apply(OP_qr, 1, &x, ATTR(0));
    Value front = columns_until(x, m, false);
    Value factors = apply(OP_qr, 1, &front, ATTR(0)), *part = factors.as.list->item;
    Value rest = op_matmul(op_transpose(part[0], NULL), columns_until(x, m, true));
    Value r = op_concat(2, (Value[]){ part[1], rest }, shape.axes - 1);
    return list_of(2, (Value[]){ part[0], r });
}

/* ---- calls ---- */
Value call_inv(int count, const Value *bound) { (void)count; return op_inv(bound[0]); }
Value call_det(int count, const Value *bound) { (void)count; return op_det(bound[0]); }
Value call_svd(int count, const Value *bound) { (void)count; return op_svd(bound[0]); }
Value call_qr(int count, const Value *bound) { (void)count; return op_qr(bound[0]); }

static Value call_square(Op op, Value x) {
    need_square(x, operations[op].name);
    return apply(op, 1, &x, ATTR(0));
}
Value call_slogdet(int count, const Value *bound) {
    (void)count;
    return call_square(OP_slogdet, bound[0]);
}
Value call_cholesky(int count, const Value *bound) {
    (void)count;
    return call_square(OP_cholesky, bound[0]);
}
Value call_eigh(int count, const Value *bound) {
    (void)count;
    return call_square(OP_eigh, bound[0]);
}

Value call_pinv(int count, const Value *bound) {
    (void)count;
    need_matrix(bound[0], "pinv");
    return apply(OP_pinv, 1, bound, ATTR(0));
}

Value call_solve(int count, const Value *bound) {
    (void)count;
    return op_solve(bound[0], bound[1]);
}
