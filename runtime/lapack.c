/* Solving, inverting and factoring stacks of matrices with LAPACK.
 *
 * The one idea: a row-major matrix is, to LAPACK, its transpose stored column by column. Where the
 * transpose serves as well (inverse, determinant, a symmetric matrix, the singular values with
 * their vectors exchanged), nothing is turned round; else the copy that LAPACK overwrites is laid
 * out by columns, and the result is a view with its last two axes exchanged. Everything is
 * calculated in f64. The derivatives are in lapack_rules.c. */
#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "blas.h"
#include "rules.h"

/* ---- stacks of matrices ---- */
/* A copy to be overwritten: `count` matrices of rows by columns, one behind the other. */
typedef struct Stack {
    Array *array;
    int64_t count;
    int rows, columns;
    int dtype;            /* of the result */
} Stack;

static double *matrix_at(const Stack *s, int64_t k) {
    return f64_of(s->array) + k * s->rows * s->columns;
}

static Array *last_axes_exchanged(Array *a) {
    Shape shape = { .axes = a->axes }, stride = { .axes = a->axes };
    memcpy(shape.dim, shape_of(a), (size_t)a->axes * sizeof *shape.dim);
    memcpy(stride.dim, strides_of(a), (size_t)a->axes * sizeof *stride.dim);
    int last = a->axes - 1;
    shape.dim[last] = shape_of(a)[last - 1];
    shape.dim[last - 1] = shape_of(a)[last];
    stride.dim[last] = strides_of(a)[last - 1];
    stride.dim[last - 1] = strides_of(a)[last];
    return array_view(a, a->axes, shape.dim, stride.dim, 0);
}

static int length(int64_t n) {
    if (n > INT_MAX) fail(E_LIMIT, "this matrix is too large");
    return (int)n;
}

static Stack stack_of(Value x) {
    Array *a = array_of(x);
    const int64_t *dim = shape_of(a) + a->axes - 2;
    Stack s = { .rows = length(dim[0]), .columns = length(dim[1]), .count = 1,
                .dtype = float_dtype(a->dtype) };
    for (int i = 0; i < a->axes - 2; i++) s.count *= shape_of(a)[i];
    s.array = array_like(a, F64);
    array_assign(s.array, a);
    return s;
}

/* The same with each matrix stored column by column: the array has its last axes exchanged. */
static Stack stack_by_columns(Value x) {
    Array *a = array_of(x);
    Stack s = stack_of(object(last_axes_exchanged(a)));
    int rows = s.columns;
    s.columns = s.rows;
    s.rows = rows;
    return s;
}

/* An array for results beside the stack: its leading axes, then these. */
static Array *beside(const Stack *s, int axes, int64_t m, int64_t n) {
    Shape shape = { .axes = s->array->axes - 2 };
    memcpy(shape.dim, shape_of(s->array), (size_t)shape.axes * sizeof *shape.dim);
    if (axes > 0) shape.dim[shape.axes++] = m;
    if (axes > 1) shape.dim[shape.axes++] = n;
    return array_new(F64, shape.axes, shape.dim);
}

static Value result_of(const Stack *s, Array *a) { return value_of_dtype(a, s->dtype); }
static int at_least_one(int n) { return n > 1 ? n : 1; }

/* ---- errors ---- */
/* " in matrix 3 of 5", or nothing for a single matrix */
static const char *which_matrix(int64_t k, int64_t count, char *buffer, size_t bytes) {
    buffer[0] = 0;
    if (count > 1)
        snprintf(buffer, bytes, " in matrix %lld of the stack of %lld", (long long)k,
                 (long long)count);
    return buffer;
}

static _Noreturn void singular(const char *name, int pivot, int n, int64_t k, int64_t count) {
    char where[80];
    hint("its rows are linearly dependent; pinv and lstsq take such matrices");
    fail(E_VALUE, "%s: the matrix is singular: pivot %d of %d is 0%s", name, pivot, n,
         which_matrix(k, count, where, sizeof where));
}

static _Noreturn void no_convergence(const char *name) {
    fail(E_VALUE, "%s: the iteration did not converge", name);
}

#define LAPACK(call)                                                                               \
    do {                                                                                           \
        blas();                                                                                    \
        OUTSIDE(call);                                                                             \
    } while (0)

/* ---- LU: inverse and determinant ---- */
/* Returns 0, or the first pivot that is zero, from 1. */
static int factor(double *a, int n, int *pivots) {
    int info = 0, lda = at_least_one(n);
    if (n) LAPACK(dgetrf_(&n, &n, a, &lda, pivots, &info));
    return info;
}

/* attr: the operation to be named if the matrix is singular */
Value kernel_inv(int count, const Value *in, const Attr *attr) {
    (void)count;
    Stack s = stack_of(in[0]);
    int n = s.rows, lda = at_least_one(n), work_size = 64 * lda, info;
    int *pivots = pool_bytes((size_t)lda * sizeof *pivots);
    double *work = pool_bytes((size_t)work_size * sizeof *work);
    for (int64_t k = 0; k < s.count && n; k++) {
        int pivot = factor(matrix_at(&s, k), n, pivots);
        if (pivot) singular(operations[attr[1]].name, pivot, n, k, s.count);
        LAPACK(dgetri_(&n, matrix_at(&s, k), &lda, pivots, work, &work_size, &info));
        poll();
    }
    return result_of(&s, s.array);
}

/* The diagonal of LU, with the sign of the row exchanges on *sign. */
static const double *pivots_of(double *a, int n, int *exchanges, double *sign) {
    factor(a, n, exchanges);
    *sign = 1;
    for (int i = 0; i < n; i++) {
        if (exchanges[i] != i + 1) *sign = -*sign;
        a[i] = a[(int64_t)i * n + i];
    }
    return a;
}

Value kernel_det(int count, const Value *in, const Attr *attr) {
    (void)count, (void)attr;
    Stack s = stack_of(in[0]);
    int *exchanges = pool_bytes((size_t)at_least_one(s.rows) * sizeof *exchanges);
    Array *out = beside(&s, 0, 0, 0);
    for (int64_t k = 0; k < s.count; k++) {
        double product;
        const double *pivot = pivots_of(matrix_at(&s, k), s.rows, exchanges, &product);
        for (int i = 0; i < s.rows; i++) product *= pivot[i];
        f64_of(out)[k] = product;
        poll();
    }
    return result_of(&s, out);
}

Value kernel_slogdet(int count, const Value *in, const Attr *attr) {
    (void)count, (void)attr;
    Stack s = stack_of(in[0]);
    int *exchanges = pool_bytes((size_t)at_least_one(s.rows) * sizeof *exchanges);
    Array *signs = beside(&s, 0, 0, 0), *logs = beside(&s, 0, 0, 0);
    for (int64_t k = 0; k < s.count; k++) {
        double sign, total = 0;
        const double *pivot = pivots_of(matrix_at(&s, k), s.rows, exchanges, &sign);
        for (int i = 0; i < s.rows; i++) {
            sign *= pivot[i] > 0 ? 1 : pivot[i] < 0 ? -1 : pivot[i];
            total += log(fabs(pivot[i]));
        }
        f64_of(signs)[k] = sign + 0.0;      /* 0, not -0, of a singular matrix */
        f64_of(logs)[k] = total;
        poll();
    }
    return list_of(2, (Value[]){ result_of(&s, signs), result_of(&s, logs) });
}

/* ---- systems of equations ---- */
/* Matrices a and right sides x, both batches broadcast; x is stored by columns and becomes the
 * solution. */
typedef struct Systems {
    Stack a, x;
    Odometer over;       /* the offsets in a, over the matrices of x */
} Systems;

static Systems systems_of(const Value *in, const char *name) {
    Shape a = value_shape(in[0]), b = value_shape(in[1]), batch;
    int64_t n = b.dim[b.axes - 2], columns = b.dim[b.axes - 1];
    a.axes -= 2;
    b.axes -= 2;
    if (!shapes_join(&a, &b, &batch)) {
        note_operand(0, in[0]);
        note_operand(1, in[1]);
        fail(E_SHAPE, "%s: the axes before the last two do not broadcast", name);
    }
    if (batch.axes + 2 > MAX_AXES) fail(E_LIMIT, "an array has at most %d axes", MAX_AXES);
    Systems s = { .a = stack_of(in[0]) };
    Shape wide = batch;
    wide.dim[wide.axes++] = n;
    wide.dim[wide.axes++] = n;
    const Array *spread = array_broadcast(s.a.array, wide.axes, wide.dim);
    for (int i = 0; i < batch.axes; i++)
        odometer_push(&s.over, batch.dim[i], strides_of(spread)[i]);
    wide.dim[wide.axes - 1] = columns;
    s.x = stack_by_columns(object(array_broadcast(array_of(in[1]), wide.axes, wide.dim)));
    s.x.dtype = float_dtype(joint_dtype(2, in));
    return s;
}

static Value solution_of(const Systems *s) {
    return result_of(&s->x, last_axes_exchanged(s->x.array));
}

Value kernel_solve(int count, const Value *in, const Attr *attr) {
    (void)count, (void)attr;
    Systems s = systems_of(in, "solve");
    int n = s.a.rows, lda = at_least_one(n), info;
    int *pivots = pool_bytes((size_t)(s.a.count * n + 1) * sizeof *pivots);
    if (!s.x.array->size) return solution_of(&s);
    for (int64_t k = 0; k < s.a.count; k++) {
        int pivot = factor(matrix_at(&s.a, k), n, pivots + k * n);
        if (pivot) singular("solve", pivot, n, k, s.a.count);
        poll();
    }
    for (int64_t k = 0, at = 0; k < s.x.count; k++, at += odometer_step(&s.over)) {
        LAPACK(dgetrs_("T", &n, &s.x.columns, f64_of(s.a.array) + at, &lda, pivots + at / n,
                matrix_at(&s.x, k), &lda, &info, 1));
        poll();
    }
    return solution_of(&s);
}

/* attr: is the matrix lower triangular, is it to be transposed */
Value kernel_solve_triangular(int count, const Value *in, const Attr *attr) {
    (void)count;
    Systems s = systems_of(in, "solve_triangular");
    int n = s.a.rows, lda = at_least_one(n), info;
    /* of the transpose */
    const char *triangle = attr[1] ? "U" : "L", *flip = attr[2] ? "N" : "T";
    if (!s.x.array->size) return solution_of(&s);
    for (int64_t k = 0, at = 0; k < s.x.count; k++, at += odometer_step(&s.over)) {
        LAPACK(dtrtrs_(triangle, flip, "N", &n, &s.x.columns, f64_of(s.a.array) + at, &lda,
                matrix_at(&s.x, k), &lda, &info, 1, 1, 1));
        if (info > 0) {
            hint("the columns of the matrix that was factored are linearly dependent");
            fail(E_VALUE, "the triangular factor is singular: element %d of its diagonal is 0",
                 info);
        }
        poll();
    }
    return solution_of(&s);
}

/* ---- symmetric matrices ---- */
/* The mean of the matrices and their transposes. */
static Stack symmetric_stack(Value x) {
    Stack s = stack_of(x);
    int64_t n = s.rows;
    for (int64_t k = 0; k < s.count; k++) {
        double *a = matrix_at(&s, k);
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j < i; j++)
                a[i * n + j] = a[j * n + i] = 0.5 * (a[i * n + j] + a[j * n + i]);
    }
    return s;
}

Value kernel_cholesky(int count, const Value *in, const Attr *attr) {
    (void)count, (void)attr;
    Stack s = symmetric_stack(in[0]);
    int n = s.rows, lda = at_least_one(n), info = 0;
    for (int64_t k = 0; k < s.count && n; k++) {
        double *a = matrix_at(&s, k);
        /* the upper triangle of the transpose is our lower one */
        LAPACK(dpotrf_("U", &n, a, &lda, &info, 1));
        if (info) {
            char where[80];
            hint("adding a small multiple of eye(%d) mends a nearly singular matrix", n);
            fail(E_VALUE,
                 "cholesky: the matrix is not positive definite: pivot %d of %d is not above 0%s",
                 info, n, which_matrix(k, s.count, where, sizeof where));
        }
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = i + 1; j < n; j++) a[i * n + j] = 0;
        poll();
    }
    return result_of(&s, s.array);
}

static bool is_finite(const double *a, int64_t n) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += a[i] * 0;
    return sum == 0;
}

static void fill_nan(double *a, int64_t n) {
    for (int64_t i = 0; i < n; i++) a[i] = NAN;
}

Value kernel_eigh(int count, const Value *in, const Attr *attr) {
    (void)count, (void)attr;
    Stack s = symmetric_stack(in[0]);
    int n = s.rows, lda = at_least_one(n), query = -1, size = 1, integers = 1, info;
    Array *values = beside(&s, 1, n, 0);
    double best = 1;
    if (s.array->size)
        LAPACK(dsyevd_("V", "U", &n, NULL, &lda, NULL, &best, &query, &integers, &query, &info,
                          1, 1));
    size = (int)best;
    double *work = pool_bytes((size_t)size * sizeof *work);
    int *iwork = pool_bytes((size_t)integers * sizeof *iwork);
    for (int64_t k = 0; k < s.count && n; k++) {
        double *a = matrix_at(&s, k), *value = f64_of(values) + k * n;
        if (!is_finite(a, (int64_t)n * n)) {
            fill_nan(a, (int64_t)n * n);
            fill_nan(value, n);
            continue;
        }
        LAPACK(dsyevd_("V", "U", &n, a, &lda, value, work, &size, iwork, &integers, &info, 1, 1));
        if (info) no_convergence("eigh");
        poll();
    }
    return list_of(2,
                   (Value[]){ result_of(&s, values), result_of(&s, last_axes_exchanged(s.array)) });
}

/* ---- orthogonal factors ---- */
/* The upper triangle of the factored matrix, stored by columns, as R. */
static void copy_triangle(double *r, const double *a, int64_t rows, int64_t n) {
    for (int64_t j = 0; j < n; j++)
        for (int64_t i = 0; i < n; i++) r[j * n + i] = i <= j ? a[j * rows + i] : 0;
}

/* Not more columns than rows. */
Value kernel_qr(int count, const Value *in, const Attr *attr) {
    (void)count, (void)attr;
    Stack s = stack_by_columns(in[0]);
    int m = s.rows, n = s.columns, lda = at_least_one(m), size = 64 * at_least_one(n), info;
    Array *r = beside(&s, 2, n, n);
    double *tau = pool_bytes((size_t)at_least_one(n) * sizeof *tau);
    double *work = pool_bytes((size_t)size * sizeof *work);
    for (int64_t k = 0; k < s.count && n; k++) {
        double *a = matrix_at(&s, k);
        LAPACK(dgeqrf_(&m, &n, a, &lda, tau, work, &size, &info));
        copy_triangle(f64_of(r) + k * n * n, a, m, n);
        LAPACK(dorgqr_(&m, &n, &n, a, &lda, tau, work, &size, &info));
        poll();
    }
    return list_of(2, (Value[]){ result_of(&s, last_axes_exchanged(s.array)),
                                 result_of(&s, last_axes_exchanged(r)) });
}

/* To LAPACK our matrix is its transpose: its left vectors are our right ones, and already where we
 * want them. */
Value kernel_svd(int count, const Value *in, const Attr *attr) {
    (void)count, (void)attr;
    Stack s = stack_of(in[0]);
    int m = s.columns, n = s.rows, least = m < n ? m : n, query = -1, info;
    int lda = at_least_one(m), ldvt = at_least_one(least);
    Array *u = beside(&s, 2, n, least), *values = beside(&s, 1, least, 0);
    Array *vt = beside(&s, 2, least, m);
    double best = 1;
    int *iwork = pool_bytes((size_t)(8 * least + 1) * sizeof *iwork);
    if (least)
        LAPACK(dgesdd_("S", &m, &n, NULL, &lda, NULL, NULL, &lda, NULL, &ldvt, &best, &query,
                          iwork, &info, 1));
    int size = (int)best;
    double *work = pool_bytes((size_t)size * sizeof *work);
    for (int64_t k = 0; k < s.count && least; k++) {
        double *a = matrix_at(&s, k), *left = f64_of(u) + k * n * least;
        double *value = f64_of(values) + k * least;
        double *right = f64_of(vt) + k * least * m;
        if (!is_finite(a, (int64_t)m * n)) {
            fill_nan(left, (int64_t)n * least);
            fill_nan(value, least);
            fill_nan(right, (int64_t)least * m);
            continue;
        }
        LAPACK(dgesdd_("S", &m, &n, a, &lda, value, right, &lda, left, &ldvt, work, &size, iwork,
                          &info, 1));
        if (info) no_convergence("svd");
        poll();
    }
    return list_of(3, (Value[]){ result_of(&s, u), result_of(&s, values), result_of(&s, vt) });
}

/* Singular values up to this part of the greatest count as 0, as in MATLAB's pinv. */
static double rank_tolerance(Value x) {
    Shape shape = value_shape(x);
    int64_t m = shape.dim[shape.axes - 2], n = shape.dim[shape.axes - 1];
    double unit = dtype_of(x) == F32 ? (double)FLT_EPSILON : DBL_EPSILON;
    return (double)(m > n ? m : n) * unit;
}

Value kernel_pinv(int count, const Value *in, const Attr *attr) {
    (void)count, (void)attr;
    if (!size_of(in[0]))
        return object(last_axes_exchanged(array_like(array_of(in[0]),
                                                     float_dtype(dtype_of(in[0])))));
    Value factors = kernel_svd(1, in, ATTR(0)), *part = factors.as.list->item, s = part[1];
    uint64_t last = (uint64_t)1 << (axes_of(s) - 1);
    Value least = op_mul(op_max(s, last, true), number(rank_tolerance(in[0])));
    Value inverse = op_where(op_le(s, least), number(0), op_div(number(1), s));
    Shape column = value_shape(inverse);
    column.dim[column.axes++] = 1;
    Value scaled =
        op_mul(op_reshape(inverse, column.axes, column.dim), op_transpose(part[0], NULL));
    return op_cast(op_matmul(op_transpose(part[2], NULL), scaled), float_dtype(dtype_of(in[0])));
}
