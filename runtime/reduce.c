/* Reductions: sum, prod, max, min, any, all, norm over any set of axes.
 *
 * The one idea: a Fold is three loops (a run of elements into one total, a row of elements into
 * as many totals, two totals into one), and a plan brings any layout into runs or rows,
 * whichever reads memory in order. Totals are f64 whatever the input is, and are joined pairwise
 * over blocks of 1024 elements, so that a sum of n terms has an error that grows with log n and
 * does not depend on how it was cut up. What needs a whole line of elements at once (softmax,
 * cumsum, sort) is in lines.c. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "line_kernels.h"
#include "par.h"
#include "rules.h"

enum { BLOCK = 1024, PART_OF_RUN = 64 * BLOCK, ROWS = 128, COLUMNS = 1024, FEW = 32 };

typedef struct Fold {
    double start;
    FoldKind kind;
    double (*run[3])(const void *at, int64_t n, int64_t stride);               /* by dtype */
    double (*join)(double a, double b);
} Fold;

/* ---- the loops, once per fold and dtype ---- */
/* Contiguous runs have loops of their own, one for each instruction set (line_kernels.h). */
#define RUN_LOOP(fold, suffix, T, dtype)                                                           \
    static double fold##_run_##suffix(const void *at, int64_t n, int64_t stride) {                 \
        const T *x = at;                                                                           \
        double total = fold##_start;                                                               \
        if (stride == 1) return fold##_line(dtype, at, n);                                         \
        for (int64_t i = 0; i < n; i++) total = fold##_one(total, (double)x[i * stride]);          \
        return total;                                                                              \
    }

#define FOLD(fold, kind)                                                                           \
    RUN_LOOP(fold, f64, double, F64)                                                               \
    RUN_LOOP(fold, f32, float, F32)                                                                \
    RUN_LOOP(fold, bool, uint8_t, BOOL)                                                            \
    static const Fold fold = {                                                                     \
        fold##_start, kind, { fold##_run_f64, fold##_run_f32, fold##_run_bool }, fold##_join,      \
    };

/* Each fold: where a total starts, one element into a total, two totals into one. */
#define sum_start 0.0
#define sum_line(dtype, x, n) line_kernels->sum[dtype](x, n)
static inline double sum_one(double t, double x) { return t + x; }
static double sum_join(double a, double b) { return a + b; }
FOLD(sum, FOLD_SUM)

#define prod_start 1.0
static double prod_line(int dtype, const void *at, int64_t n) {
    double total = 1;
    for (int64_t i = 0; i < n; i++)
        total *= dtype == F64   ? ((const double *)at)[i]
                 : dtype == F32 ? (double)((const float *)at)[i]
                                : ((const uint8_t *)at)[i];
    return total;
}
static inline double prod_one(double t, double x) { return t * x; }
static double prod_join(double a, double b) { return a * b; }
FOLD(prod, FOLD_PROD)

#define squares_start 0.0
#define squares_line(dtype, x, n) line_kernels->squares[dtype](x, n)
static inline double squares_one(double t, double x) { return t + x * x; }
static double squares_join(double a, double b) { return a + b; }
FOLD(squares, FOLD_SQUARES)

#define nonzeros_start 0.0
#define nonzeros_line(dtype, x, n) line_kernels->nonzeros[dtype](x, n)
static inline double nonzeros_one(double t, double x) { return t + (x != 0); }
static double nonzeros_join(double a, double b) { return a + b; }
FOLD(nonzeros, FOLD_NONZEROS)

/* A NaN wins, as an extreme of something unknown is unknown. */
#define greatest_start (-HUGE_VAL)
#define greatest_line(dtype, x, n) line_kernels->greatest[dtype](x, n)
static inline double greatest_one(double t, double x) { return (x > t) | (x != x) ? x : t; }
static double greatest_join(double a, double b) { return greatest_one(a, b); }
FOLD(greatest, FOLD_GREATEST)

#define least_start HUGE_VAL
#define least_line(dtype, x, n) line_kernels->least[dtype](x, n)
static inline double least_one(double t, double x) { return (x < t) | (x != x) ? x : t; }
static double least_join(double a, double b) { return least_one(a, b); }
FOLD(least, FOLD_LEAST)

/* ---- pairwise joining ---- */
/* Partial totals of 1, 2, 4 ... blocks, as the bits of a counter: adding a block carries like
 * adding 1. */
typedef struct Cascade {
    const Fold *fold;
    uint64_t blocks;
    double part[64];
} Cascade;

static void cascade_add(Cascade *c, double total) {
    int level = 0;
    for (uint64_t bits = c->blocks++; bits & 1; bits >>= 1)
        total = c->fold->join(c->part[level++], total);
    c->part[level] = total;
}

/* With what is left after the blocks, if there is something. */
static double cascade_end(const Cascade *c, const double *rest) {
    double total = rest ? *rest : c->fold->start;
    bool first = !rest;
    for (int level = 0; level < 64 && c->blocks >> level; level++) {
        if (!(c->blocks >> level & 1)) continue;
        total = first ? c->part[level] : c->fold->join(c->part[level], total);
        first = false;
    }
    return total;
}

static double cascade_total(const Cascade *c) { return cascade_end(c, NULL); }

/* ---- the plan ---- */
typedef struct Plan {
    const Fold *fold;
    int dtype;
    int64_t width;          /* bytes of an element */
    Odometer kept, gone;    /* the axes that stay and those that are reduced, merged */
} Plan;

static void make_plan(Plan *plan, const Array *x, uint64_t axes, const Fold *fold) {
    plan->fold = fold;
    plan->dtype = x->dtype;
    plan->width = (int64_t)dtype_bytes(x->dtype);
    odometer_open(&plan->kept);
    odometer_open(&plan->gone);
    for (int i = 0; i < x->axes; i++)
        odometer_push(axes >> i & 1 ? &plan->gone : &plan->kept, shape_of(x)[i], strides_of(x)[i]);
}

/* Takes the innermost axis out of an odometer; a single step if there is none. */
static void take_inner(Odometer *o, int64_t *dim, int64_t *stride) {
    *dim = 1;
    *stride = 1;
    if (!o->axes) return;
    o->axes--;
    *dim = o->dim[o->axes];
    *stride = o->stride[o->axes];
}

/* A long run in parts of a power of two blocks, each on any thread: their totals are joined as the
 * blocks would be. */
typedef struct Parts {
    const Plan *plan;
    const char *at;
    int64_t n, stride;
    double *total;
} Parts;

static void fold_of_part(int64_t part, void *env) {
    const Parts *p = env;
    const Fold *fold = p->plan->fold;
    Cascade cascade = { .fold = fold };
    int64_t end = (part + 1) * PART_OF_RUN < p->n ? (part + 1) * PART_OF_RUN : p->n;
    for (int64_t i = part * PART_OF_RUN; i < end && !rt.interrupted; i += BLOCK) {
        int64_t count = end - i < BLOCK ? end - i : BLOCK;
        const char *block = p->at + i * p->stride * p->plan->width;
        cascade_add(&cascade, fold->run[p->plan->dtype](block, count, p->stride));
    }
    p->total[part] = cascade_total(&cascade);
}

static double fold_in_parts(const Plan *plan, const char *at, int64_t n, int64_t stride) {
    int64_t parts = par_chunks(n, PART_OF_RUN), whole = n / PART_OF_RUN;
    Parts p = { plan, at, n, stride, pool_bytes((size_t)parts * sizeof(double)) };
    par_for(parts, fold_of_part, &p);
    poll();
    Cascade cascade = { .fold = plan->fold };
    for (int64_t i = 0; i < whole; i++) cascade_add(&cascade, p.total[i]);
    return cascade_end(&cascade, whole < parts ? &p.total[whole] : NULL);
}

/* All that is reduced into one total: runs along its innermost axis, joined pairwise. */
static double fold_runs(Plan *plan, const char *at, int64_t n, int64_t stride) {
    Odometer *outer = &plan->gone;
    if (!outer->axes && n <= BLOCK) return plan->fold->run[plan->dtype](at, n, stride);
    if (!outer->axes && n >= 4 * PART_OF_RUN && par_threads() > 1)
        return fold_in_parts(plan, at, n, stride);
    Cascade cascade = { .fold = plan->fold };
    for (int64_t turn = odometer_turns(outer); turn > 0; turn--) {
        for (int64_t i = 0; i < n; i += BLOCK) {
            int64_t count = n - i < BLOCK ? n - i : BLOCK;
            const char *block = at + i * stride * plan->width;
            cascade_add(&cascade, plan->fold->run[plan->dtype](block, count, stride));
            poll();
        }
        at += odometer_step(outer) * plan->width;
    }
    return cascade_total(&cascade);
}

static void reduce_by_runs(Plan *plan, const char *at, double *out) {
    int64_t n, stride;
    take_inner(&plan->gone, &n, &stride);
    for (int64_t turn = odometer_turns(&plan->kept); turn > 0; turn--) {
        *out++ = fold_runs(plan, at, n, stride);
        at += odometer_step(&plan->kept) * plan->width;
    }
}

/* Totals side by side, from blocks of ROWS rows that are joined pairwise as in a Cascade. parts:
 * one scratch row, then one row per level. */
typedef struct Columns {
    const Fold *fold;
    int dtype;
    int64_t n;
    uint64_t blocks;
    double *parts;
} Columns;

static Columns columns_open(const Fold *fold, int dtype, int64_t n, int64_t rows) {
    size_t levels = 2;
    for (int64_t blocks = rows / ROWS; blocks; blocks /= 2) levels++;
    return (Columns){ fold, dtype, n, 0, pool_bytes(levels * (size_t)n * sizeof(double)) };
}

/* Where the totals of the next block begin, and taking them in when it is full. */
static double *columns_block(Columns *c) {
    double *fresh = c->parts + (c->blocks & 1 ? 0 : c->n);
    for (int64_t j = 0; j < c->n; j++) fresh[j] = c->fold->start;
    return fresh;
}

static void columns_take(Columns *c, double *fresh) {
    int level = 0;
    for (uint64_t bits = c->blocks++; bits & 1; bits >>= 1, level++)
        for (int64_t j = 0; j < c->n; j++)
            fresh[j] = c->fold->join(c->parts[(level + 1) * c->n + j], fresh[j]);
    if (level) memcpy(c->parts + (level + 1) * c->n, fresh, (size_t)c->n * sizeof *fresh);
}

static void columns_rows(const Columns *c, double *totals, const char *at, int64_t rows,
                         int64_t down, int64_t right) {
    line_kernels->rows[c->fold->kind][c->dtype](c->n, totals, at, rows, down, right);
}

static void columns_total(const Columns *c, double *out) {
    bool first = true;
    for (int level = 0; level < 64 && c->blocks >> level; level++) {
        if (!(c->blocks >> level & 1)) continue;
        double *part = c->parts + (level + 1) * c->n;
        for (int64_t j = 0; j < c->n; j++)
            out[j] = first ? part[j] : c->fold->join(part[j], out[j]);
        first = false;
    }
}

static void fold_rows(const Plan *plan, const char *at, Columns c, int64_t stride, double *out) {
    Odometer gone = plan->gone;
    int64_t rows = odometer_turns(&gone);
    for (int64_t row = 0; row < rows; row += ROWS) {
        int64_t count = rows - row < ROWS ? rows - row : ROWS;
        double *fresh = columns_block(&c);
        if (gone.axes == 1) {
            columns_rows(&c, fresh, at, count, gone.stride[0], stride);
            at += count * gone.stride[0] * plan->width;
        } else {
            for (; count > 0; count--, at += odometer_step(&gone) * plan->width)
                columns_rows(&c, fresh, at, 1, 0, stride);
        }
        columns_take(&c, fresh);
        poll();
    }
    columns_total(&c, out);
}

static void reduce_by_rows(Plan *plan, const char *at, double *out) {
    int64_t n, stride;
    take_inner(&plan->kept, &n, &stride);
    Columns c = columns_open(plan->fold, plan->dtype, n < COLUMNS ? n : COLUMNS,
                             odometer_turns(&plan->gone));
    for (int64_t turn = odometer_turns(&plan->kept); turn > 0; turn--) {
        for (int64_t j = 0; j < n; j += COLUMNS) {
            c.n = n - j < COLUMNS ? n - j : COLUMNS;
            fold_rows(plan, at + j * stride * plan->width, c, stride, out);
            out += c.n;
        }
        at += odometer_step(&plan->kept) * plan->width;
    }
}

static int64_t inner_stride(const Odometer *o) {
    return o->axes ? llabs(o->stride[o->axes - 1]) : INT64_MAX;
}

/* Side by side where memory is read in order that way, or where the runs are short. */
static bool goes_by_rows(const Plan *plan) {
    if (!plan->kept.axes) return false;
    bool few = odometer_turns(&plan->gone) <= FEW && plan->kept.dim[plan->kept.axes - 1] > FEW;
    return few || inner_stride(&plan->kept) < inner_stride(&plan->gone);
}

/* ---- sums of what comes block by block ---- */
typedef struct BlockSums {
    FillBlock *fill;
    const void *env;
    int64_t size;
    int dtype;
    double *sum;        /* by block; NULL: added up at once */
} BlockSums;

static double block_sum(const BlockSums *b, int64_t block) {
    double out[BLOCK] __attribute__((aligned(64)));
    int64_t first = block * BLOCK, n = b->size - first < BLOCK ? b->size - first : BLOCK;
    b->fill(first, n, out, b->env);
    return line_kernels->sum[b->dtype](out, n);
}

static void sum_block(int64_t block, void *env) {
    BlockSums *b = env;
    if (!rt.interrupted) b->sum[block] = block_sum(b, block);
}

double join_sums(const double *sum_of_block, int64_t blocks) {
    Cascade cascade = { .fold = &sum };
    for (int64_t i = 0; i < blocks; i++) cascade_add(&cascade, sum_of_block[i]);
    return cascade_total(&cascade);
}

double sum_of_blocks(int64_t size, int dtype, FillBlock *fill, const void *env, bool heavy) {
    BlockSums b = { fill, env, size, dtype, NULL };
    Cascade cascade = { .fold = &sum };
    int64_t blocks = par_chunks(size, BLOCK);
    if (heavy && par_threads() > 1 && blocks > 1) {
        b.sum = pool_bytes((size_t)blocks * sizeof *b.sum);
        par_for(blocks, sum_block, &b);
        poll();
    }
    for (int64_t block = 0; block < blocks; block++) {
        cascade_add(&cascade, b.sum ? b.sum[block] : block_sum(&b, block));
        if (block % 64 == 0) poll();
    }
    return cascade_total(&cascade);
}

/* ---- reducing ---- */
Shape reduced_shape(const Shape *shape, uint64_t axes, bool keepdims) {
    Shape out;
    out.axes = 0;
    for (int i = 0; i < shape->axes; i++) {
        bool gone = axes >> i & 1;
        if (!gone || keepdims) out.dim[out.axes++] = gone ? 1 : shape->dim[i];
    }
    return out;
}

static void reduce_into(const Array *x, uint64_t axes, const Fold *fold, double *out) {
    Plan plan;
    make_plan(&plan, x, axes, fold);
    if (goes_by_rows(&plan)) reduce_by_rows(&plan, x->data, out);
    else reduce_by_runs(&plan, x->data, out);
}

static Array *reduce(Array *x, uint64_t axes, bool keepdims, const Fold *fold) {
    Shape shape = value_shape(object(x)), out_shape = reduced_shape(&shape, axes, keepdims);
    Array *out = array_new(F64, out_shape.axes, out_shape.dim);
    if (!out->size) return out;
    if (!x->size) array_fill(out, fold->start);
    else reduce_into(x, axes, fold, f64_of(out));
    return out;
}

/* ---- for expressions that are reduced as they are computed (fuse_reduce.c) ---- */
static const Fold *fold_of(Op op) {
    return op == OP_max ? &greatest : op == OP_min ? &least : &sum;
}

void fold_part(Op op, const Array *x, uint64_t axes, double *out) {
    reduce_into(x, axes, fold_of(op), out);
}

void fold_columns(Op op, int dtype, int64_t rows, int64_t n, FillBlock *fill, const void *env,
                  double *out) {
    int64_t together = PART / (ROWS * n) > 1 ? PART / (ROWS * n) * ROWS : ROWS;
    int64_t width = (int64_t)dtype_bytes(dtype);
    Columns c = columns_open(fold_of(op), dtype, n, rows);
    char *part = pool_bytes((size_t)(together * n * width));
    for (int64_t row = 0; row < rows; row++) {
        int64_t in_part = row % together, left = rows - row;
        if (!in_part) fill(row * n, (left < together ? left : together) * n, part, env);
        if (in_part % ROWS) continue;
        double *fresh = columns_block(&c);
        columns_rows(&c, fresh, part + in_part * n * width, left < ROWS ? left : ROWS, n, 1);
        columns_take(&c, fresh);
        row += (left < ROWS ? left : ROWS) - 1;
        poll();
    }
    columns_total(&c, out);
}

/* All of a small contiguous array, without a plan. */
static bool reduce_at_once(const Array *x, uint64_t axes, const Fold *fold, double *out) {
    if (x->size > BLOCK || !x->size || !array_is_contiguous(x)) return false;
    if (x->axes && axes != ALL_AXES >> (64 - x->axes)) return false;
    *out = fold->run[x->dtype](x->data, x->size, 1);
    return true;
}

static Value reduce_to(Value x, const Attr *attr, const Fold *fold, int dtype) {
    double total;
    if (dtype == F64 && x.tag == V_ARRAY && !attr[2]
        && reduce_at_once(x.as.array, (uint64_t)attr[1], fold, &total))
        return number(total);
    return value_of_dtype(reduce(array_of(x), (uint64_t)attr[1], attr[2] != 0, fold), dtype);
}

static void refuse_empty(Value x, const Attr *attr, const char *name) {
    Shape shape = value_shape(x);
    char text[120];
    for (int i = 0; i < shape.axes; i++) {
        if (shape.dim[i] || !(attr[1] >> i & 1)) continue;
        shape_text(shape.axes, shape.dim, text, sizeof text);
        fail(E_VALUE, "%s of nothing: axis %d of shape %s has no elements", name, i, text);
    }
}

Value kernel_sum(int count, const Value *in, const Attr *attr) {
    (void)count;
    return reduce_to(in[0], attr, &sum, float_dtype(dtype_of(in[0])));
}

Value kernel_prod(int count, const Value *in, const Attr *attr) {
    (void)count;
    return reduce_to(in[0], attr, &prod, float_dtype(dtype_of(in[0])));
}

Value kernel_max(int count, const Value *in, const Attr *attr) {
    (void)count;
    refuse_empty(in[0], attr, "max");
    return reduce_to(in[0], attr, &greatest, dtype_of(in[0]));
}

Value kernel_min(int count, const Value *in, const Attr *attr) {
    (void)count;
    refuse_empty(in[0], attr, "min");
    return reduce_to(in[0], attr, &least, dtype_of(in[0]));
}

Value kernel_any(int count, const Value *in, const Attr *attr) {
    (void)count;
    return op_ne(reduce_to(in[0], attr, &nonzeros, F64), number(0));
}

Value kernel_all(int count, const Value *in, const Attr *attr) {
    (void)count;
    Value nonzero = reduce_to(in[0], attr, &nonzeros, F64);
    double outputs = (double)size_of(nonzero), inputs = (double)size_of(in[0]);
    return op_eq(nonzero, number(outputs ? inputs / outputs : 0));
}

/* Squares that overflow or vanish are taken again, divided by a power of two near the greatest
 * element, which rounds nothing. */
static Value scaled_norm(Value x, uint64_t axes, bool keepdims) {
    Value top = op_max(op_abs(x), axes, true);
    Value fits = op_logical_and(op_gt(top, number(0)), op_isfinite(top));
    Value power = op_exp2(op_floor(op_log2(op_where(fits, top, number(1)))));
    Value small = op_div(x, power);
    Value length = op_mul(op_sqrt(op_sum(op_mul(small, small), axes, true)), power);
    return op_sum(op_where(op_isinf(top), top, length), axes, keepdims);
}

static bool squares_are_unsafe(const Array *total) {
    for (int64_t i = 0; i < total->size; i++) {
        double t = f64_of(total)[i];
        if (t < 1e-280 || t == HUGE_VAL) return true;
    }
    return false;
}

Value kernel_norm(int count, const Value *in, const Attr *attr) {
    (void)count;
    Value x = constant(in[0]);
    uint64_t axes = (uint64_t)attr[1];
    Array *total = reduce(array_of(x), axes, attr[2] != 0, &squares);
    if (size_of(x) && dtype_of(x) == F64 && squares_are_unsafe(total))
        return scaled_norm(x, axes, attr[2] != 0);
    for (int64_t i = 0; i < total->size; i++) f64_of(total)[i] = sqrt(f64_of(total)[i]);
    return value_of_dtype(total, float_dtype(dtype_of(x)));
}

/* Sums over what x has more than the shape in attr, and gives it that shape and dtype. */
Value kernel_sum_to(int count, const Value *in, const Attr *attr) {
    (void)count;
    Array *x = array_of(in[0]);
    int axes = (int)attr[0] - 1, extra = x->axes - axes;
    const int64_t *shape = attr + 2;
    uint64_t gone = 0;
    for (int i = 0; i < x->axes; i++)
        if (i < extra || (shape[i - extra] == 1 && shape_of(x)[i] != 1)) gone |= (uint64_t)1 << i;
    Array *total = gone ? reduce(x, gone, true, &sum) : x;
    return op_reshape(value_of_dtype(total, (int)attr[1]), axes, shape);
}
