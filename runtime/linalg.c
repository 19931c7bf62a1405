/* Linear algebra: the matrix product.
 *
 * The one idea: BLAS gets the strides as they are. A matrix whose rows or columns are contiguous
 * is passed with a transposition flag, never copied; only other layouts are. Large products are
 * cut into panels so that Ctrl-C is answered; products that are not worth packing for BLAS have a
 * kernel of their own, and those of at most 8 by 8 stay in C, where a call costs more than the
 * work. */
#include <limits.h>
#include <math.h>
#include <string.h>
#include "blas.h"
#include "par.h"
#include "product_kernels.h"
#include "rules.h"

enum { TINY = 8, PANEL = 128, STRIP = 64 };
/* Multiply-adds of one BLAS call: 60 ms with AVX-512, 90 ms with AVX2, so that Ctrl-C is answered
 * in 100 ms. Each call packs its operands anew: for 2048 by 2048, seven of them take 3 % longer
 * than four. */
static const double PANEL_WORK = 2.2e9;
static const double SHARED_WORK = 4e6;    /* and what is worth two threads */

/* One matrix as BLAS sees it. */
typedef struct Matrix {
    const char *at;
    int64_t rows, columns, row_stride, column_stride;
} Matrix;

typedef struct Product {
    int dtype;
    Matrix x, y;          /* of the first item of the batch */
    int64_t m, n, k;
    bool adds;            /* to what is in `out` */
    Array *out;
} Product;

static int64_t width_of(const Product *p) { return (int64_t)dtype_bytes(p->dtype); }

/* ---- plain C ---- */
#define TINY_PRODUCT(name, T)                                                                      \
    static void name(const Product *p, const Matrix *x, const Matrix *y, T *out) {                 \
        const T *a = (const T *)x->at, *b = (const T *)y->at;                                      \
        for (int64_t i = 0; i < p->m; i++)                                                         \
            for (int64_t j = 0; j < p->n; j++) {                                                   \
                double total = 0;                                                                  \
                for (int64_t k = 0; k < p->k; k++)                                                 \
                    total += (double)a[i * x->row_stride + k * x->column_stride] *                 \
                             (double)b[k * y->row_stride + j * y->column_stride];                  \
                *out++ = (T)total;                                                                 \
            }                                                                                      \
    }
TINY_PRODUCT(tiny_f64, double)
TINY_PRODUCT(tiny_f32, float)

/* ---- few rows ---- */
const ProductKernels *product_kernels;

/* BLAS copies y into the order of its kernel: worth it if many rows meet it, or if it would not
 * stay in the caches by itself. Measured from 2 to 128 rows, 16 to 784 by 16 to 1024: below these
 * limits a product takes 0.3 to 0.9 of BLAS' time. */
enum { FEW = 16, FEW_BYTES = 1 << 20, MANY_BYTES = 64 << 10, MANY_ROW = 4096 };

bool product_is_unpacked(int dtype, int64_t m, int64_t k, int64_t n) {
    int64_t row = n * (int64_t)dtype_bytes(dtype), bytes = k * row;
    if (!product_kernels->multiply[dtype] || row < PRODUCT_ROW || m < 2) return false;
    return m <= FEW ? bytes <= FEW_BYTES : bytes <= MANY_BYTES && row < MANY_ROW;
}

/* A panel of m by n that is at least as wide as the kernel wants it. */
static bool multiply_unpacked(const Product *p, const Matrix *x, const Matrix *y, char *out, int m,
                              int n) {
    if (y->column_stride != 1 || p->adds || n * width_of(p) < PRODUCT_ROW) return false;
    if (!product_is_unpacked(p->dtype, p->m, p->k, p->n)) return false;
    product_kernels->multiply[p->dtype](&(FewRows){ m, n, p->k, x->at, y->at, x->row_stride,
                                                    x->column_stride, y->row_stride, out, p->n });
    return true;
}

/* ---- BLAS ---- */
static bool suits_blas(const Matrix *m) {
    if (m->column_stride == 1) return m->row_stride >= m->columns || m->rows == 1;
    return m->row_stride == 1 && (m->column_stride >= m->rows || m->columns == 1);
}

static bool is_flipped(const Matrix *m) {
    return !(m->column_stride == 1 && (m->row_stride >= m->columns || m->rows == 1));
}

/* The distance of rows (of columns, if flipped), as BLAS wants it even where there is only one. */
static int leading(const Matrix *m) {
    bool flipped = is_flipped(m);
    int64_t distance = flipped ? m->column_stride : m->row_stride;
    int64_t least = flipped ? m->rows : m->columns;
    if (flipped ? m->columns == 1 : m->rows == 1) distance = least;
    return (int)(distance > least ? distance : least);
}

static void gemm(const Product *p, const Matrix *x, const Matrix *y, char *out, int m, int n) {
    if (multiply_unpacked(p, x, y, out, m, n)) return;
    enum CBLAS_TRANSPOSE flip_x = is_flipped(x) ? CblasTrans : CblasNoTrans;
    enum CBLAS_TRANSPOSE flip_y = is_flipped(y) ? CblasTrans : CblasNoTrans;
    int k = (int)p->k, old = p->adds;
    if (p->dtype == F64)
        cblas_dgemm(CblasRowMajor, flip_x, flip_y, m, n, k, 1, (const double *)x->at, leading(x),
                    (const double *)y->at, leading(y), old, (double *)out, (int)p->n);
    else
        cblas_sgemm(CblasRowMajor, flip_x, flip_y, m, n, k, 1, (const float *)x->at, leading(x),
                    (const float *)y->at, leading(y), (float)old, (float *)out, (int)p->n);
}

/* matrix times vector: `a` of the given rows and columns, flipped or not */
static void gemv(const Product *p, const Matrix *a, const char *v, int64_t step, char *out) {
    bool flipped = is_flipped(a);
    enum CBLAS_TRANSPOSE flip = flipped ? CblasTrans : CblasNoTrans;
    int rows = (int)(flipped ? a->columns : a->rows);
    int columns = (int)(flipped ? a->rows : a->columns);
    if (p->dtype == F64)
        cblas_dgemv(CblasRowMajor, flip, rows, columns, 1, (const double *)a->at, leading(a),
                    (const double *)v, (int)step, 0, (double *)out, 1);
    else
        cblas_sgemv(CblasRowMajor, flip, rows, columns, 1, (const float *)a->at, leading(a),
                    (const float *)v, (int)step, 0, (float *)out, 1);
}

static void inner_product(const Product *p, const Matrix *x, const Matrix *y, char *out) {
    int k = (int)p->k, x_step = (int)x->column_stride, y_step = (int)y->row_stride;
    if (p->dtype == F64) {
        double total = cblas_ddot(k, (const double *)x->at, x_step, (const double *)y->at, y_step);
        memcpy(out, &total, sizeof total);
    } else {
        const float *a = (const float *)x->at, *b = (const float *)y->at;
        float total = (float)cblas_dsdot(k, a, x_step, b, y_step);
        memcpy(out, &total, sizeof total);
    }
}

static Matrix rows_from(Matrix m, int64_t first, int64_t rows, int64_t width) {
    m.at += first * m.row_stride * width;
    m.rows = rows;
    return m;
}

static Matrix columns_from(Matrix m, int64_t first, int64_t columns, int64_t width) {
    m.at += first * m.column_stride * width;
    m.columns = columns;
    return m;
}

static Matrix flipped(const Matrix *m) {
    return (Matrix){ m->at, m->columns, m->rows, m->column_stride, m->row_stride };
}

typedef struct Panels {
    const Product *p;
    const Matrix *x, *y;
    char *out;
    int64_t rows, columns, across;     /* of a panel; panels side by side */
} Panels;

static void multiply_panel(int64_t chunk, void *env) {
    const Panels *cut = env;
    const Product *p = cut->p;
    int64_t i = chunk / cut->across * cut->rows, j = chunk % cut->across * cut->columns;
    int64_t m = p->m - i < cut->rows ? p->m - i : cut->rows;
    int64_t n = p->n - j < cut->columns ? p->n - j : cut->columns, width = width_of(p);
    if (rt.interrupted) return;
    Matrix top = rows_from(*cut->x, i, m, width), left = columns_from(*cut->y, j, n, width);
    gemm(p, &top, &left, cut->out + (i * p->n + j) * width, (int)m, (int)n);
}

static int64_t in_strips(int64_t n) { return (n + STRIP - 1) / STRIP * STRIP; }

/* The panels: none takes long, so that Ctrl-C is answered, and a large product has some for each
 * thread, side by side or below one another so that the smaller operand is the one packed twice.
 * How it is cut depends on its size alone, since the last bits of an element depend on its panel. */
static Panels cut_up(const Product *p, const Matrix *x, const Matrix *y, char *out) {
    Panels cut = { p, x, y, out, p->m, p->n, 1 };
    double row = (double)p->k * (double)p->n, work = row * (double)p->m;
    if (work >= SHARED_WORK && p->m >= p->n) cut.rows = (p->m + 1) / 2;
    if (work >= SHARED_WORK && p->m < p->n) cut.columns = in_strips((p->n + 1) / 2);
    if (row * (double)cut.rows > PANEL_WORK)
        cut.rows = (int64_t)ceil((double)p->m / ceil(work / PANEL_WORK));
    if (cut.rows < PANEL) cut.rows = PANEL;
    if (cut.rows < p->m) cut.rows = in_strips(cut.rows);
    if (cut.rows > p->m) cut.rows = p->m;
    double column = (double)p->k * (double)cut.rows;
    if (column * (double)cut.columns > 2 * PANEL_WORK)
        cut.columns = in_strips((int64_t)(PANEL_WORK / column) + 1);
    if (cut.columns > p->n) cut.columns = p->n;
    cut.across = par_chunks(p->n, cut.columns);
    return cut;
}

static void multiply_in_panels(const Product *p, const Matrix *x, const Matrix *y, char *out) {
    Panels cut = cut_up(p, x, y, out);
    int64_t panels = par_chunks(p->m, cut.rows) * cut.across;
    blas();                  /* what can fail is done before the threads begin */
    if (par_threads() > 1) {
        par_for(panels, multiply_panel, &cut);
        return;
    }
    for (int64_t chunk = 0; chunk < panels; chunk++) {
        multiply_panel(chunk, &cut);
        poll();
    }
}

static void multiply(const Product *p, const Matrix *x, const Matrix *y, char *out) {
    if (p->m <= TINY && p->n <= TINY && p->k <= TINY) {
        if (p->dtype == F64) tiny_f64(p, x, y, (double *)out);
        else tiny_f32(p, x, y, (float *)out);
    } else if (p->m == 1 && p->n == 1) {
        inner_product(p, x, y, out);
    } else if (p->n == 1) {
        gemv(p, x, y->at, y->row_stride, out);
    } else if (p->m == 1) {
        Matrix turned = flipped(y);
        gemv(p, &turned, x->at, x->column_stride, out);
    } else {
        multiply_in_panels(p, x, y, out);
    }
    poll();
}

/* ---- operands ---- */
static Matrix matrix_of(const Array *a) {
    const int64_t *dim = shape_of(a) + a->axes - 2, *stride = strides_of(a) + a->axes - 2;
    return (Matrix){ a->data, dim[0], dim[1], stride[0], stride[1] };
}

/* Vectors need a positive step, matrices one axis that is contiguous. */
static bool is_usable(const Array *a) {
    Matrix m = matrix_of(a);
    if (m.rows <= TINY && m.columns <= TINY) return true;
    if (m.rows == 1) return m.column_stride > 0 && m.column_stride < INT_MAX;
    if (m.columns == 1) return m.row_stride > 0 && m.row_stride < INT_MAX;
    return suits_blas(&m) && m.row_stride < INT_MAX && m.column_stride < INT_MAX;
}

static Array *as_matrix(Array *a, int dtype, bool column) {
    a = array_cast(a, dtype);
    if (a->axes == 1) {
        int64_t n = shape_of(a)[0], step = strides_of(a)[0];
        a = column ? array_view(a, 2, (int64_t[]){ n, 1 }, (int64_t[]){ step, 1 }, 0)
                   : array_view(a, 2, (int64_t[]){ 1, n }, (int64_t[]){ n, step }, 0);
    }
    return is_usable(a) ? a : array_contiguous(a);
}

static _Noreturn void do_not_fit(Value x, Value y, const char *why) {
    Shape a = value_shape(x), b = value_shape(y);
    char left[120], right[120];
    shape_text(a.axes, a.dim, left, sizeof left);
    shape_text(b.axes, b.dim, right, sizeof right);
    note_operand(0, x);
    note_operand(1, y);
    if (!a.axes || !b.axes) hint("* multiplies by a number");
    else if (a.axes == 2 && b.axes == 2 && a.dim[1] == b.dim[1])
        hint("x @ y' would fit: %s @ [%lld, %lld]", left, (long long)b.dim[1], (long long)b.dim[0]);
    else if (a.axes == 2 && b.axes == 2 && a.dim[0] == b.dim[0])
        hint("x' @ y would fit: [%lld, %lld] @ %s", (long long)a.dim[1], (long long)a.dim[0],
             right);
    fail(E_SHAPE, "cannot multiply matrices of shapes %s and %s: %s", left, right, why);
}

/* The batch axes of both broadcast against each other; each product goes straight to its place. */
static void multiply_batch(Product *p, Value in_x, Value in_y, Array *x, Array *y) {
    Shape a, b, batch;
    a.axes = x->axes - 2;
    b.axes = y->axes - 2;
    memcpy(a.dim, shape_of(x), (size_t)a.axes * sizeof *a.dim);
    memcpy(b.dim, shape_of(y), (size_t)b.axes * sizeof *b.dim);
    if (!shapes_join(&a, &b, &batch))
        do_not_fit(in_x, in_y, "the axes before the last two do not broadcast");
    Odometer over_x, over_y;
    odometer_open(&over_x);
    odometer_open(&over_y);
    int64_t count = 1;
    for (int i = 0; i < batch.axes; i++) {
        int from_a = i - (batch.axes - a.axes), from_b = i - (batch.axes - b.axes);
        bool moves_a = from_a >= 0 && a.dim[from_a] > 1, moves_b = from_b >= 0 && b.dim[from_b] > 1;
        odometer_push(&over_x, batch.dim[i], moves_a ? strides_of(x)[from_a] : 0);
        odometer_push(&over_y, batch.dim[i], moves_b ? strides_of(y)[from_b] : 0);
        count *= batch.dim[i];
    }
    if (batch.axes + 2 > MAX_AXES) fail(E_LIMIT, "an array has at most %d axes", MAX_AXES);
    batch.dim[batch.axes++] = p->m;
    batch.dim[batch.axes++] = p->n;
    p->out = array_new(p->dtype, batch.axes, batch.dim);
    if (p->k == 0) array_fill(p->out, 0);
    Matrix at_x = p->x, at_y = p->y;
    char *out = p->out->data;
    for (int64_t i = 0; i < count && p->out->size && p->k; i++) {
        multiply(p, &at_x, &at_y, out);
        at_x.at += odometer_step(&over_x) * width_of(p);
        at_y.at += odometer_step(&over_y) * width_of(p);
        out += p->m * p->n * width_of(p);
    }
}

/* [.., n, k] @ [k, m]: the batch axes of x are more rows of one product. */
static Array *rows_together(Array *x, const Array *y) {
    if (y->axes > 2 || x->axes <= 2 || !array_is_contiguous(x)) return x;
    int64_t columns = shape_of(x)[x->axes - 1];
    if (!columns) return x;
    int64_t shape[] = { x->size / columns, columns }, strides[] = { columns, 1 };
    return array_view(x, 2, shape, strides, 0);
}

Value kernel_matmul(int count, const Value *in, const Attr *attr) {
    (void)count, (void)attr;
    Array *x = array_of(in[0]), *y = array_of(in[1]);
    int dtype = joint_dtype(2, in);
    Shape shape = value_shape(in[0]);
    bool x_is_vector = x->axes == 1, y_is_vector = y->axes == 1;
    Product p = { .dtype = float_dtype(dtype) };
    x = rows_together(as_matrix(x, p.dtype, false), y);
    y = as_matrix(y, p.dtype, true);
    p.x = matrix_of(x);
    p.y = matrix_of(y);
    p.m = p.x.rows;
    p.k = p.x.columns;
    p.n = p.y.columns;
    if (p.k > INT_MAX || p.n > INT_MAX) fail(E_LIMIT, "this matrix product is too large");
    multiply_batch(&p, in[0], in[1], x, y);
    if (x->axes == 2 && y->axes == 2 && shape.axes == 2 && !y_is_vector) return array_value(p.out);
    Shape result;
    int batch = p.out->axes - 2;
    if (x->axes == 2 && shape.axes > 2) {      /* rows were put together: apart again */
        result = shape;
        result.axes -= 1;
    } else {
        memcpy(result.dim, shape_of(p.out), (size_t)batch * sizeof *result.dim);
        result.axes = batch;
        if (!x_is_vector) result.dim[result.axes++] = p.m;
    }
    if (!y_is_vector) result.dim[result.axes++] = p.n;
    return op_reshape(array_value(p.out), result.axes, result.dim);
}

Value op_matmul(Value x, Value y) {
    Shape a = value_shape(x), b = value_shape(y);
    if (!a.axes || !b.axes) do_not_fit(x, y, "a number is no matrix");
    int64_t k = a.dim[a.axes - 1], rows = b.dim[b.axes > 1 ? b.axes - 2 : 0];
    if (k != rows) {
        char why[120];
        snprintf(why, sizeof why, "rows of %lld elements meet columns of %lld", (long long)k,
                 (long long)rows);
        do_not_fit(x, y, why);
    }
    return apply(OP_matmul, 2, (Value[]){ x, y }, ATTR(0));
}

/* ---- the rule ----
 * g @ y' and x' @ g, with vectors as matrices and batches summed to what was broadcast */
static Value as_rows(Value v, int64_t columns) {
    return op_reshape(v, 2, (int64_t[]){ size_of(v) / columns, columns });
}

Value op_matmul_rule(int which, Value g, Value x, Value y) {
    Shape a = value_shape(x), b = value_shape(y), wide = value_shape(g);
    Value like = which ? y : x;
    if (a.axes == 1 && b.axes == 1) return op_cast_like(op_mul(g, which ? x : y), like);
    if (b.axes == 1) wide.dim[wide.axes++] = 1;
    if (a.axes == 1) {
        int last = wide.axes++;
        wide.dim[last] = wide.dim[last - 1];
        wide.dim[last - 1] = 1;
    }
    Value rows = a.axes == 1 ? op_reshape(x, 2, (int64_t[]){ 1, a.dim[0] }) : x;
    Value columns = b.axes == 1 ? op_reshape(y, 2, (int64_t[]){ b.dim[0], 1 }) : y;
    g = op_reshape(g, wide.axes, wide.dim);
    if (!size_of(x) || !size_of(y) || !size_of(g)) return op_cast_like(zeros_like(like), like);
    if (which == 0) {
        Value all = op_matmul(g, op_transpose(columns, NULL));
        return op_reshape_like(op_sum_to(all, rows), x);
    }
    if (b.axes <= 2 && a.axes > 2) {
        rows = as_rows(rows, a.dim[a.axes - 1]);
        g = as_rows(g, wide.dim[wide.axes - 1]);
    }
    return op_reshape_like(op_sum_to(op_matmul(op_transpose(rows, NULL), g), columns), y);
}

/* A matrix that BLAS can take as it is. */
static bool lies_ready(Value v, int dtype) {
    return v.tag == V_ARRAY && v.as.array->axes == 2 && v.as.array->dtype == dtype &&
           is_usable(v.as.array);
}

static bool is_line(Value v, int dtype) {
    if (v.tag != V_ARRAY || v.as.array->axes != 1 || v.as.array->dtype != dtype) return false;
    int64_t step = strides_of(v.as.array)[0];
    return step > 0 && step < INT_MAX;
}

/* sum += x y', of a product of a matrix and a vector. */
static bool add_outer(Array *sum, Value x, Value y) {
    if (!is_line(x, sum->dtype) || !is_line(y, sum->dtype) || !sum->size) return false;
    int m = (int)shape_of(sum)[0], n = (int)shape_of(sum)[1];
    int by = (int)strides_of(x.as.array)[0], with = (int)strides_of(y.as.array)[0];
    if (sum->dtype == F64)
        cblas_dger(CblasRowMajor, m, n, 1, f64_of(x.as.array), by, f64_of(y.as.array), with,
                   f64_of(sum), n);
    else
        cblas_sger(CblasRowMajor, m, n, 1, f32_of(x.as.array), by, f32_of(y.as.array), with,
                   f32_of(sum), n);
    return true;
}

bool matmul_add_adjoint(Array *sum, int which, Value g, Value x, Value y) {
    int dtype = sum->dtype;
    if (dtype == BOOL || sum->axes != 2 || !array_is_contiguous(sum)) return false;
    if (axes_of(g) == 1) return which ? add_outer(sum, x, g) : add_outer(sum, g, y);
    if (!lies_ready(g, dtype) || !lies_ready(x, dtype) || !lies_ready(y, dtype)) return false;
    Product p = { .dtype = dtype, .adds = true, .out = sum };
    Matrix whole = matrix_of(g.as.array), left = matrix_of(x.as.array),
           right = matrix_of(y.as.array);
    p.x = which ? flipped(&left) : whole;
    p.y = which ? whole : flipped(&right);
    p.m = p.x.rows;
    p.k = p.x.columns;
    p.n = p.y.columns;
    if (p.m <= TINY || p.n <= TINY || p.k < 1 || !suits_blas(&p.x) || !suits_blas(&p.y))
        return false;
    multiply_in_panels(&p, &p.x, &p.y, sum->data);
    poll();
    return true;
}

Value call_matmul(int count, const Value *bound) {
    (void)count;
    operand(bound[0], "matmul");
    operand(bound[1], "matmul");
    return op_matmul(bound[0], bound[1]);
}
