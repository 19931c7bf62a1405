/* The derivatives of the factorizations, in recorded operations, so that every order follows.
 *
 * The formulas are those of Giles, "An extended collection of matrix derivative results" (Oxford
 * NA-08-01), Murray, "Differentiation of the Cholesky decomposition" (arXiv:1602.07527), Walter and
 * Lehmann, "Algorithmic differentiation of linear algebra functions" (arXiv:1001.1654) for QR,
 * Townsend, "Differentiating the singular value decomposition" (2016), and Golub and Pereyra, "The
 * differentiation of pseudo-inverses" (1973). In the comments a bar marks an adjoint, ' a
 * transpose. */
#include <float.h>
#include <math.h>
#include "rules.h"

/* ---- words ---- */
static Value flip(Value x) { return op_transpose(x, NULL); }
static Value product(Value x, Value y, Value z) { return op_matmul(op_matmul(x, y), z); }
static int64_t last_axis(Value x) {
    Shape shape = value_shape(x);
    return shape.dim[shape.axes - 1];
}
static int64_t rows_of(Value x) {
    Shape shape = value_shape(x);
    return shape.dim[shape.axes - 2];
}

/* x with a new axis of length 1, the last one or the last but one. */
static Value as_column(Value x) {
    Shape shape = value_shape(x);
    shape.dim[shape.axes++] = 1;
    return op_reshape(x, shape.axes, shape.dim);
}
static Value as_row(Value x) {
    Shape shape = value_shape(x);
    int last = shape.axes++;
    shape.dim[last] = shape.dim[last - 1];
    shape.dim[last - 1] = 1;
    return op_reshape(x, shape.axes, shape.dim);
}
/* Numbers of a stack, one for each matrix, to be multiplied with the matrices. */
static Value for_matrices(Value x) { return as_column(as_column(x)); }

/* A matrix by its elements: 1 where column - row is from `low` to `high`, 0 elsewhere. */
static Value band(int64_t n, int64_t low, int64_t high) {
    Array *a = array_zeros(F64, 2, (int64_t[]){ n, n });
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            if (j - i >= low && j - i <= high) f64_of(a)[i * n + j] = 1;
    return object(a);
}
static Value unit_matrix(int64_t n) { return band(n, 0, 0); }
static Value within(Value mask, Value x) { return op_where(op_ne(mask, number(0)), x, number(0)); }
static Value lower_part(Value x) { return within(band(last_axis(x), -last_axis(x), 0), x); }
static Value strictly_lower_part(Value x) {
    return within(band(last_axis(x), -last_axis(x), -1), x);
}

static bool has(Value part) { return part.tag != V_NIL; }
static const Value *parts(Value list) { return list.as.list->item; }
static Value plus(Value a, Value b) { return a.tag == V_UNSET ? b : op_add(a, b); }

/* ---- inverse, systems ---- */
/* -C' Cbar C' */
Value op_inv_rule(Value g, Value r) { return op_neg(product(flip(r), g, flip(r))); }

/* bbar = solve(A', xbar), Abar = -bbar x' */
Value op_solve_rule(int which, Value g, Value r, const Value *in) {
    Value b = op_solve(flip(in[0]), g);
    if (which == 1) return op_sum_to(b, in[1]);
    return op_sum_to(op_neg(op_matmul(b, flip(r))), in[0]);
}

/* The same within the triangle. Of T' x = b: Tbar = -x bbar'. */
Value op_solve_triangular_rule(int which, Value g, Value r, const Value *in, const Attr *attr) {
    bool lower = attr[1], flipped = attr[2];
    Value b = op_solve_triangular(in[0], g, lower, !flipped);
    if (which == 1) return op_sum_to(b, in[1]);
    Value full = flipped ? op_matmul(r, flip(b)) : op_matmul(b, flip(r));
    return op_sum_to(op_neg(lower ? lower_part(full) : flip(lower_part(flip(full)))), in[0]);
}

/* ---- determinant ---- */
/* The cofactors of a small matrix, which may be singular, by the method of Faddeev and LeVerrier:
 * polynomials in its elements, without a division by one. *det: the determinant, from the same
 * sums. */
static Value cofactors_by_sums(Value s, Value *det) {
    int64_t n = last_axis(s);
    Value one = unit_matrix(n), m = one, sm = s;
    for (int64_t k = 1; k < n; k++) {
        Value trace = op_sum(op_mul(sm, one), ALL_AXES, false);
        m = op_sub(sm, op_mul(op_div(trace, number((double)k)), one));
        sm = op_matmul(s, m);
    }
    double sign = n % 2 ? 1 : -1;
    *det = op_mul(number(sign / (double)n), op_sum(op_mul(sm, one), ALL_AXES, false));
    return op_mul(number(sign), flip(m));
}

static IndexItem slice(int64_t first, int64_t count) {
    return (IndexItem){ .kind = I_SLICE, .step = 1, .has_start = true, .start = first,
                        .has_stop = true, .stop = first + count };
}

/* x[first_row : first_row + rows, first_column : first_column + columns] */
static Value block(Value x, int64_t first_row, int64_t rows, int64_t first_column,
                   int64_t columns) {
    IndexItem items[2] = { slice(first_row, rows), slice(first_column, columns) };
    return op_index(x, 2, items);
}

/* The cofactors of B with a well conditioned leading block of p rows. With S the Schur complement
 * of that block, det B = det B11 det S, and this is its gradient by the four blocks. */
static Value cofactors_by_blocks(Value b, int64_t p) {
    int64_t k = last_axis(b) - p;
    Value det_s;
    if (p == 0) return cofactors_by_sums(b, &det_s);
    Value b11 = block(b, 0, p, 0, p), inverse = op_inv(b11), det = op_det(b11);
    Value x = op_matmul(inverse, block(b, 0, p, p, k));
    Value y = op_matmul(block(b, p, k, 0, p), inverse);
    Value s = op_sub(block(b, p, k, p, k), op_matmul(block(b, p, k, 0, p), x));
    Value w = op_mul(det, cofactors_by_sums(s, &det_s));
    Value corner = op_add(op_mul(op_mul(det, det_s), flip(inverse)), product(flip(y), w, flip(x)));
    Value above = op_concat(2, (Value[]){ corner, op_neg(op_matmul(flip(y), w)) }, 1);
    Value below = op_concat(2, (Value[]){ op_neg(op_matmul(w, flip(x))), w }, 1);
    return op_concat(2, (Value[]){ above, below }, 0);
}

/* How many singular values are well above 0. */
static int64_t safe_rank(Value s) {
    Array *a = array_of(s);
    int64_t rank = 0;
    for (int64_t i = 0; i < a->size; i++)
        if (!(array_get(a, i) <= 1e-6 * array_get(a, 0))) rank++;
    return rank;
}

/* The singular vectors, as constants, turn the matrix so that what is nearly singular stands in the
 * last rows and columns. A determinant is the same, up to its sign, of the turned matrix: exact for
 * every rank, in every order. */
static Value cofactors_of_one(Value x) {
    Value factors = op_svd(constant(x));
    const Value *part = parts(factors);
    int64_t rank = safe_rank(part[1]);
    if (rank == last_axis(x)) return op_mul(op_det(x), flip(op_inv(x)));
    Value sign = op_mul(op_det(part[0]), op_det(part[2]));
    Value turned = product(flip(part[0]), x, flip(part[2]));
    return op_mul(op_rint(sign), product(part[0], cofactors_by_blocks(turned, rank), part[2]));
}

static bool all_well_conditioned(Value x) {
    Value factors = op_svd(constant(x)), s = parts(factors)[1];
    int64_t n = last_axis(s);
    Array *a = array_of(s);
    for (int64_t i = 0; i < a->size; i++)
        if (array_get(a, i) <= 1e-6 * array_get(a, i / n * n)) return false;
    return true;
}

static Value cofactors(Value x, Value r) {
    if (!size_of(x)) return x;
    if (all_well_conditioned(x)) return op_mul(for_matrices(r), flip(op_inv(x)));
    Shape shape = value_shape(x);
    if (shape.axes == 2) return cofactors_of_one(x);
    int64_t n = last_axis(x), count = size_of(x) / (n * n);
    Value stack = op_reshape(x, 3, (int64_t[]){ count, n, n });
    Value *items = pool_bytes((size_t)count * sizeof *items);
    for (int64_t k = 0; k < count; k++)
        items[k] = cofactors_of_one(op_index(stack, 1, &(IndexItem){ .kind = I_AT, .start = k }));
    return op_reshape(op_stack((int)count, items, 0), shape.axes, shape.dim);
}

Value op_det_rule(Value g, Value x, Value r) { return op_mul(for_matrices(g), cofactors(x, r)); }

/* The sign is flat; log|det| has the inverse transposed. */
Value op_slogdet_rule(Value g, Value x) {
    Value by_log = parts(g)[1];
    return has(by_log) ? op_mul(for_matrices(by_log), flip(op_inv_for(x, OP_slogdet))) : NOTHING;
}

/* ---- triangular and orthogonal factors ---- */
static Value symmetric_part(Value x) { return op_mul(number(0.5), op_add(x, flip(x))); }

/* L^-' Phi(L' Lbar) L^-1, made symmetric; Phi: the lower triangle with half the diagonal. */
Value op_cholesky_rule(Value g, Value r) {
    int64_t n = last_axis(r);
    Value weights = op_sub(band(n, -n, 0), op_mul(number(0.5), unit_matrix(n)));
    Value phi = op_mul(lower_part(op_matmul(flip(r), g)), weights);
    Value left = op_solve_triangular(r, phi, true, true);
    return symmetric_part(op_solve_triangular(r, flip(left), true, true));
}

/* (Qbar + Q copyltu(M)) R^-', M = R Rbar' - Qbar' Q; copyltu: the lower triangle on both sides. */
Value op_qr_rule(Value g, Value r) {
    Value q = parts(r)[0], upper = parts(r)[1], by_q = parts(g)[0], by_r = parts(g)[1], m = UNSET;
    if (has(by_r)) m = op_matmul(upper, flip(by_r));
    if (has(by_q)) m = plus(m, op_neg(op_matmul(flip(by_q), q)));
    Value both = op_matmul(q, op_add(lower_part(m), flip(strictly_lower_part(m))));
    if (has(by_q)) both = op_add(by_q, both);
    return flip(op_solve_triangular(upper, flip(both), false, false));
}

/* ---- eigenvalues and singular values ---- */
/* The pairs of equal values, off the diagonal, as a mask; `values` a row in ascending
 * or descending order. What counts as equal is equal up to rounding. */
static Value equal_pairs(Value values) {
    Value v = constant(values), size = op_abs(v);
    uint64_t last = (uint64_t)1 << (axes_of(v) - 1);
    int64_t n = last_axis(v);
    if (!size_of(v)) return op_expand_to(boolean(false), op_mul(as_row(v), as_column(v)));
    Value least = op_mul(op_max(size, last, true), number(8 * (double)n * DBL_EPSILON));
    Value gap = op_abs(op_sub(as_row(v), as_column(v)));
    least = op_reshape(least, axes_of(v) - 1, shape_of(array_of(least)));
    Value off_diagonal = op_eq(unit_matrix(n), number(0));
    return op_logical_and(op_le(gap, for_matrices(least)), off_diagonal);
}

/* A pair of equal values between which m, of vectors turning into each other, does not vanish: what
 * is to be said of it, or UNSET. */
static Value turning_pair(Value m, Value same, Value values, const char *name, const char *what) {
    Array *a = array_of(constant(m)), *pairs = array_of(same), *v = array_of(constant(values));
    int64_t n = last_axis(values);
    double greatest = 0;
    for (int64_t i = 0; i < a->size; i++)
        if (fabs(array_get(a, i)) > greatest) greatest = fabs(array_get(a, i));
    for (int64_t i = 0; i < a->size; i++) {
        if (array_get(pairs, i) == 0 || fabs(array_get(a, i)) <= 1e-14 * (double)n * greatest)
            continue;
        int64_t row = i / n % n, column = i % n;
        return string_format("%s: %ss %lld and %lld are equal (%.6g), so the derivative of their "
                             "vectors is not defined", name, what,
                             (long long)(row < column ? row : column),
                             (long long)(row < column ? column : row),
                             array_get(v, i / (n * n) * n + row));
    }
    return UNSET;
}

static void check_pairs(Value m, Value same, Value values, const char *name, const char *what) {
    Value pair = turning_pair(m, same, values, name, what);
    if (pair.tag == V_UNSET) return;
    hint("functions of the %ss alone, and vectors of others, are differentiable there", what);
    fail(E_GRADIENT, "%s", pair.as.string->text);
}

/* 1 / gaps, and on the diagonal 0; at equal pairs 0, or NaN where nothing is known of the
 * adjoint. */
static Value inverse_gaps(Value gaps, Value same, bool any_g) {
    Value diagonal = op_ne(unit_matrix(last_axis(gaps)), number(0));
    Value off = op_logical_or(diagonal, same);
    Value inverse = op_where(off, number(0), op_div(number(1), op_where(off, number(1), gaps)));
    return any_g ? op_where(same, number(NAN), inverse) : inverse;
}

/* V (diag(lbar) + F o (V' Vbar)) V', F_ij = 1 / (l_j - l_i) off the diagonal; made symmetric. */
Value op_eigh_rule(const Pull *p) {
    Value values = parts(p->r)[0], vectors = parts(p->r)[1], by_values = parts(p->g)[0];
    Value by_vectors = parts(p->g)[1];
    if (!has(by_vectors)) return op_matmul(op_mul(vectors, as_row(by_values)), flip(vectors));
    Value same = equal_pairs(values), turning = op_matmul(flip(vectors), by_vectors);
    if (!p->any_g) check_pairs(turning, same, values, "eigh", "eigenvalue");
    Value gaps = op_sub(as_row(values), as_column(values));
    Value inner = op_mul(inverse_gaps(gaps, same, p->any_g), turning);
    if (has(by_values))
        inner = op_add(inner, op_mul(as_row(by_values), unit_matrix(last_axis(values))));
    return symmetric_part(product(vectors, inner, flip(vectors)));
}

/* What the vectors of one side contribute inside U ... V': F o (X - X'), X = U' Ubar. */
static Value turn_part(const Pull *p, Value vectors, Value by_vectors, Value inverse, Value same) {
    Value turning = op_matmul(flip(vectors), by_vectors);
    if (!p->any_g) check_pairs(turning, same, parts(p->r)[1], "svd", "singular value");
    return op_mul(inverse, op_sub(turning, flip(turning)));
}

/* 1 / s; where s is 0 the vectors that complete the space have no derivative. */
static Value inverse_values(const Pull *p, Value s, Value outside) {
    Value size = constant(s);
    uint64_t last = (uint64_t)1 << (axes_of(s) - 1);
    Value least = op_mul(op_max(size, last, true), number(8 * (double)last_axis(s) * DBL_EPSILON));
    Value zero = op_le(size, least);
    Value weight = op_max(op_abs(constant(outside)), (uint64_t)1 << (axes_of(outside) - 2), false);
    Array *where = array_of(zero), *weights = array_of(weight);
    for (int64_t i = 0; i < where->size && !p->any_g; i++) {
        if (array_get(where, i) == 0 || array_get(weights, i) <= 1e-14) continue;
        hint("functions of the singular values alone are differentiable there");
        fail(E_GRADIENT,
             "svd: singular value %lld is 0, so the derivative of its vectors is not defined",
             (long long)(i % last_axis(s)));
    }
    Value inverse = op_where(zero, number(0), op_div(number(1), op_where(zero, number(1), s)));
    return p->any_g ? op_where(zero, number(NAN), inverse) : inverse;
}

/* (1 - U U') Ubar / s: the part of the adjoint that leaves the space of the vectors. */
static Value outside_part(const Pull *p, Value vectors, Value by_vectors, Value s) {
    Value outside = op_sub(by_vectors, op_matmul(vectors, op_matmul(flip(vectors), by_vectors)));
    return op_mul(outside, as_row(inverse_values(p, s, outside)));
}

/* U ((F o (U' Ubar - Ubar' U)) S + S (F o (V' Vbar - Vbar' V)) + diag(sbar)) V', F_ij = 1 / (s_j^2
 * - s_i^2), and for each side that is longer than the other what leaves the space of its
 * vectors. */
Value op_svd_rule(const Pull *p) {
    Value u = parts(p->r)[0], s = parts(p->r)[1], vt = parts(p->r)[2], inner = UNSET, sum = UNSET;
    Value by_u = parts(p->g)[0], by_s = parts(p->g)[1], by_vt = parts(p->g)[2];
    if (!has(by_u) && !has(by_vt)) return op_matmul(op_mul(u, as_row(by_s)), vt);
    Value same = equal_pairs(s), row = as_row(s), column = as_column(s);
    Value inverse = inverse_gaps(op_mul(op_sub(row, column), op_add(row, column)), same, p->any_g);
    if (has(by_s)) inner = op_mul(as_row(by_s), unit_matrix(last_axis(s)));
    if (has(by_u)) inner = plus(inner, op_mul(turn_part(p, u, by_u, inverse, same), row));
    if (has(by_vt))
        inner = plus(inner, op_mul(column, turn_part(p, flip(vt), flip(by_vt), inverse, same)));
    sum = product(u, inner, vt);
    if (has(by_u) && rows_of(u) > last_axis(u))
        sum = op_add(sum, op_matmul(outside_part(p, u, by_u, s), vt));
    if (has(by_vt) && last_axis(vt) > rows_of(vt))
        sum = op_add(sum, op_matmul(u, flip(outside_part(p, flip(vt), flip(by_vt), s))));
    return sum;
}

/* ---- forward ---- */
static Value diagonal_of(Value x) {
    uint64_t last = (uint64_t)1 << (axes_of(x) - 1);
    return op_sum(op_mul(x, unit_matrix(last_axis(x))), last, false);
}

/* ldot = diag(P), Vdot = V (F o P), P = V' Adot V of the symmetric part; F as in the reverse rule.
 */
Value op_eigh_push(Value t, Value r) {
    Value values = parts(r)[0], vectors = parts(r)[1], same = equal_pairs(values);
    Value p = product(flip(vectors), symmetric_part(t), vectors);
    Value inverse = inverse_gaps(op_sub(as_row(values), as_column(values)), same, false);
    Value tangents[2] = { diagonal_of(p), turning_pair(p, same, values, "eigh", "eigenvalue") };
    if (tangents[1].tag == V_UNSET) tangents[1] = op_matmul(vectors, op_mul(inverse, p));
    return list_of(2, tangents);
}

/* Of the vectors of one side, where `turn` turns them into each other and `leaving` out of their
 * space: U (F o turn) + (1 - U U') leaving / s. What is to be said where that is not defined. */
static Value push_vectors(Value u, Value s, Value turn, Value leaving, Value same, Value inverse) {
    Value undefined = turning_pair(turn, same, s, "svd", "singular value");
    if (undefined.tag != V_UNSET) return undefined;
    Value inside = op_matmul(u, op_mul(inverse, turn));
    if (rows_of(u) == last_axis(u)) return inside;
    Value size = constant(s);
    uint64_t last = (uint64_t)1 << (axes_of(s) - 1);
    Value least = op_mul(op_max(size, last, true), number(8 * (double)last_axis(s) * DBL_EPSILON));
    Value zero = op_le(size, least), any = op_max(op_cast(zero, F64), ALL_AXES, false);
    if (num_of(constant(any)) > 0)
        return string_of(
            "svd: a singular value is 0, so the derivative of its vectors is not defined");
    Value outside = op_sub(leaving, op_matmul(u, op_matmul(flip(u), leaving)));
    return op_add(inside, op_div(outside, as_row(s)));
}

/* sdot = diag(P), Udot = U (F o (P S + S P')) + (1 - U U') Adot V / s, likewise Vdot;
 * P = U' Adot V. */
Value op_svd_push(Value t, Value r) {
    Value u = parts(r)[0], s = parts(r)[1], v = flip(parts(r)[2]), row = as_row(s);
    Value column = as_column(s), same = equal_pairs(s), p = product(flip(u), t, v),
          turned = flip(p);
    Value inverse = inverse_gaps(op_mul(op_sub(row, column), op_add(row, column)), same, false);
    Value turn_u = op_add(op_mul(p, row), op_mul(column, turned));
    Value turn_v = op_add(op_mul(column, p), op_mul(turned, row));
    Value by_u = push_vectors(u, s, turn_u, op_matmul(t, v), same, inverse);
    Value by_v = push_vectors(v, s, turn_v, op_matmul(flip(t), u), same, inverse);
    return list_of(3, (Value[]){ by_u, diagonal_of(p), is_numeric(by_v) ? flip(by_v) : by_v });
}

/* -P' Pbar P' + (1 - A P) Pbar' P P' + P' P Pbar' (1 - P A), never as large as A P. */
Value op_pinv_rule(Value g, Value x, Value r) {
    Value by_left = op_matmul(flip(g), op_matmul(r, flip(r)));
    Value by_right = op_sub(flip(g), op_matmul(op_matmul(flip(g), r), x));
    Value sum = op_sub(by_left, product(flip(r), g, flip(r)));
    sum = op_sub(sum, op_matmul(x, op_matmul(r, by_left)));
    return op_add(sum, op_matmul(flip(r), op_matmul(r, by_right)));
}
