/* The words that the rules of ROW operations are written in (ops.def): recorded operations that no
 * program calls by name. A rule returns an adjoint of exactly its input's shape and dtype. */
#ifndef RULES_H
#define RULES_H
#include "kernels.h"

/* ---- reduce_rules.c ---- */
/* g, the adjoint of a reduction with these settings, along x again. */
Value op_spread(Value g, Value x, const Attr *attr);
/* x with these axes moved to the end and made one. order: axis i of `moved`, the shape before they
 * are made one, is order[i] of x. */
Value op_axes_last(Value x, uint64_t axes, int *order, Shape *moved);
/* max, min: g shared evenly among the elements of x that equal r. */
Value op_share(Value g, Value x, Value r, const Attr *attr);
/* The derivative of extremes over these axes by the elements of x, in the shape of x; UNSET if the
 * axes do not stand side by side. (chosen.c) */
Value op_extreme_weights(Value x, Value extreme, uint64_t axes);
/* prod: g times the product of all the others, exact where some are zero. */
Value op_prod_rule(Value g, Value x, const Attr *attr);
/* norm: g x / r, and 0 where r is 0. */
Value op_norm_rule(Value g, Value x, Value r, const Attr *attr);

/* ---- lines.c ---- */
Value op_softmax(Value x, uint64_t axes);                          /* softmax.c */
Value op_softmax_rule(Value g, Value r, uint64_t axes);
Value op_log_softmax_rule(Value g, Value r, uint64_t axes);
Value op_logsumexp_rule(Value g, Value x, const Attr *attr);
Value op_cross_entropy_rule(Value g, Value x, Value labels);
Value op_standardize_rule(const Pull *p);                          /* standardize.c */
Value op_cumsum(Value x, int axis, bool reverse);
Value op_cumprod(Value x, int axis, bool reverse);
/* r[k] = b[k] + a[k] r[k - 1] along an axis; reversed: r[k] = b[k] + a[k] r[k + 1]. */
Value op_recurrence(Value a, Value b, int axis, bool reverse);
/* Elements moved along an axis by `by` places, 0 where none came. */
Value op_shift(Value x, int axis, int64_t by);
Value op_cumprod_rule(Value g, Value x, Value r, const Attr *attr);
Value op_argsort(Value x, int axis);
Value op_take_along(Value x, Value index, int axis);
/* The adjoint of take_along on an axis of this length: repeated places add. */
Value op_put_along(Value g, Value index, int axis, int64_t length);

/* ---- shape.c ---- */
Value op_reshape_like(Value g, Value x);
Value op_flatten(Value x);
Value op_expand(Value x, const Shape *shape);
Value op_transpose_back(Value g, const Attr *attr);
Value op_cast_like(Value g, Value x);

/* ---- join.c ---- */
/* stack, concat: the part of g that came from in[which]. */
Value op_unstack(Value g, const Value *in, int which, const Attr *attr);
Value op_unconcat(Value g, const Value *in, int which, const Attr *attr);

/* ---- index.c ---- */
/* Zeros like x with g added at the indexed places; gathers = the index arrays of attr. */
Value op_unindex(Value g, Value x, const Value *gathers, const Attr *attr);
Value op_index_like(Value g, int count, const Value *in, const Attr *attr);
Value op_put_rule(int which, Value g, int count, const Value *in, const Attr *attr);

/* ---- where.c ---- */
Value op_where_rule(int which, Value g, const Value *in);

/* ---- linalg.c ---- */
Value op_matmul_rule(int which, Value g, Value x, Value y);

/* ---- lapack.c ---- */
Value op_inv(Value x);
/* The same, and the error of a singular matrix names this operation. */
Value op_inv_for(Value x, Op op);
Value op_det(Value x);
/* a x = b; a right side with one axis is one column. */
Value op_solve(Value a, Value b);
/* t x = b or, flipped, t' x = b, where t is a triangle. */
Value op_solve_triangular(Value t, Value b, bool lower, bool flip);
Value op_svd(Value x);

/* ---- lapack_rules.c ---- */
Value op_inv_rule(Value g, Value r);
Value op_solve_rule(int which, Value g, Value r, const Value *in);
Value op_solve_triangular_rule(int which, Value g, Value r, const Value *in, const Attr *attr);
Value op_det_rule(Value g, Value x, Value r);
Value op_slogdet_rule(Value g, Value x);
Value op_cholesky_rule(Value g, Value r);
Value op_qr_rule(Value g, Value r);
Value op_eigh_rule(const Pull *p);
Value op_svd_rule(const Pull *p);
Value op_pinv_rule(Value g, Value x, Value r);
/* Forward, from the tangent of the matrix: the list of the tangents of the results. A text in the
 * place of one says why it is not defined, and is an error for whoever uses it. */
Value op_eigh_push(Value t, Value r);
Value op_svd_push(Value t, Value r);
/* The same for any row; UNSET where it has no forward rule of its own. */
Value row_push(int op, Value t, Value r);

/* ---- conv.c ---- */
Value op_unfold_rule(Value g, Value x, const Attr *attr);
Value op_fold_rule(Value g, const Attr *attr);
Value op_conv2d_rule(int which, Value g, const Value *in, const Attr *attr);
Value op_conv2d_image_rule(int which, Value g, const Value *in, const Attr *attr);
Value op_conv2d_weights_rule(int which, Value g, const Value *in, const Attr *attr);
Value op_max_pool_rule(Value g, Value x, Value r, const Attr *attr);
Value op_max_pool_back_rule(Value t, const Value *in, const Attr *attr);
Value op_max_pool_along_rule(Value g, const Value *in, const Attr *attr);
/* Which share of the gradient each place of each window gets: 1 / n at one of n greatest elements,
 * else 0. */
Value op_max_pool_shares(Value x, Value r, const Attr *attr);
#endif
