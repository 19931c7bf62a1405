/* softmax, log_softmax, logsumexp and cross_entropy, and their adjoints.
 *
 * The one idea: short lines are taken one by one, while they are in the cache; long ones in pieces
 * of a fixed length, twice: the greatest of each piece and the sum of exponentials below it, then
 * the result. Each piece is a chunk of work for a thread, and sums of pieces, brought below the
 * greatest of all, are joined pairwise, so a result does not depend on the number of threads. */
#include <math.h>
#include <string.h>
#include "line_kernels.h"
#include "lines.h"
#include "par.h"
#include "text.h"
#include "tiles.h"

enum { BLOCK = 1024, PIECE = 16 << 10 };

typedef enum Result { SOFTMAX, LOG_SOFTMAX, LOG_SUM } Result;

typedef struct Job {
    Lines in;
    Result result;
    int dtype;
    int64_t width, pieces, together;   /* pieces of a line; lines of a chunk if that is one */
    bool streams;                      /* the result is larger than the caches */
    char *out;
    double *top, *sum;                 /* by line, or by piece */
    const double *weight;              /* by line: softmax is multiplied by it; NULL: by 1 */
} Job;

static const char *element(const Job *j, int64_t line, int64_t at) {
    return (const char *)j->in.data->data + (line * j->in.length + at) * j->width;
}

/* ---- one piece ---- */
/* exp(x - top) by, where an infinite top is 0 below itself. */
static void exponentials(const Job *j, int64_t n, void *out, const void *x, double top, double by) {
    line_kernels->exp_scaled[j->dtype](n, out, x, top, by);
    if (top - top == 0) return;
    for (int64_t i = 0; i < n; i++) {
        bool f32 = j->dtype == F32;
        if ((f32 ? (double)((const float *)x)[i] : ((const double *)x)[i]) != top) continue;
        if (f32) ((float *)out)[i] = (float)by;
        else ((double *)out)[i] = by;
    }
}

/* The sum of the exponentials, which also go to out unless it is NULL. */
static double sum_exponentials(const Job *j, int64_t n, char *out, const char *x, double top) {
    if (n > BLOCK) {
        int64_t half = (n / 2 + BLOCK - 1) / BLOCK * BLOCK, bytes = half * j->width;
        double first = sum_exponentials(j, half, out, x, top);
        return first + sum_exponentials(j, n - half, out ? out + bytes : NULL, x + bytes, top);
    }
    if (top - top == 0) return line_kernels->exp_sum[j->dtype](n, out, x, top);
    double tile[BLOCK] __attribute__((aligned(64)));
    void *to = out ? (void *)out : tile;
    exponentials(j, n, to, x, top, 1);
    return line_kernels->sum[j->dtype](to, n);
}

/* ---- short lines ---- */
/* Several side by side; false: they are to be taken one by one. */
static bool sides(const Job *j, int64_t line, int64_t lines) {
    ShortKind kind = j->result == SOFTMAX       ? SHORT_SOFTMAX
                     : j->result == LOG_SOFTMAX ? SHORT_LOG_SOFTMAX
                                                : SHORT_SUM;
    char *out = j->out ? j->out + line * j->in.length * j->width : NULL;
    return j->in.length <= SHORT
        && line_kernels->short_softmax[j->dtype](j->in.length, lines, kind, out,
                                                 element(j, line, 0), j->top + line,
                                                 j->sum + line,
                                                 j->weight ? j->weight + line : NULL);
}

static void one_by_one(const Job *j, int64_t first, int64_t last) {
    int64_t n = j->in.length;
    for (int64_t line = first; line < last; line++) {
        const char *x = element(j, line, 0);
        char *out = j->out ? j->out + line * n * j->width : NULL;
        double top = j->top[line] = line_kernels->greatest[j->dtype](x, n);
        j->sum[line] = sum_exponentials(j, n, j->result == SOFTMAX ? out : NULL, x, top);
        if (j->result == SOFTMAX)
            line_kernels->scale[j->dtype](n, out, 1 / j->sum[line]);
        if (j->weight) line_kernels->times[j->dtype](n, out, j->weight[line]);
        if (j->result == LOG_SOFTMAX)
            line_kernels->lower[j->dtype](n, out, x, top + log(j->sum[line]));
    }
}

static void short_lines(int64_t chunk, void *env) {
    Job *j = env;
    int64_t first = chunk * j->together, last = first + j->together;
    if (rt.interrupted) return;
    if (last > j->in.count) last = j->in.count;
    for (int64_t line = first; line < last; line += SIDE) {
        int64_t lines = last - line < SIDE ? last - line : SIDE;
        if (!sides(j, line, lines)) one_by_one(j, line, line + lines);
    }
}

/* ---- long lines ---- */
typedef struct Piece { int64_t line, at, n; char *out; const char *x; } Piece;

static Piece piece_of(const Job *j, int64_t chunk) {
    Piece p = { .line = chunk / j->pieces, .at = chunk % j->pieces * PIECE };
    p.n = j->in.length - p.at < PIECE ? j->in.length - p.at : PIECE;
    p.x = element(j, p.line, p.at);
    p.out = j->out ? j->out + (p.line * j->in.length + p.at) * j->width : NULL;
    return p;
}

/* The tops and sums of parts become those of the whole. */
static void join_parts(double *tops, double *sums, int64_t parts) {
    double top = line_max(tops, parts);
    for (int64_t i = 0; i < parts; i++)
        if (tops[i] != top) sums[i] *= exp(tops[i] - top);
    tops[0] = top;
    sums[0] = line_sum(sums, parts);
}

/* Block by block, so that each is read from memory once. */
static void find_sum(int64_t chunk, void *env) {
    Job *j = env;
    Piece p = piece_of(j, chunk);
    double top[PIECE / BLOCK], sum[PIECE / BLOCK];
    int blocks = 0;
    if (rt.interrupted) return;
    for (int64_t i = 0; i < p.n; i += BLOCK, blocks++) {
        int64_t n = p.n - i < BLOCK ? p.n - i : BLOCK;
        const char *x = p.x + i * j->width;
        top[blocks] = line_kernels->greatest[j->dtype](x, n);
        sum[blocks] = sum_exponentials(j, n, NULL, x, top[blocks]);
    }
    join_parts(top, sum, blocks);
    j->top[chunk] = top[0];
    j->sum[chunk] = sum[0];
}

static void finish_piece(int64_t chunk, void *env) {
    Job *j = env;
    Piece p = piece_of(j, chunk);
    double tile[BLOCK] __attribute__((aligned(64)));
    double top = j->top[p.line * j->pieces], sum = j->sum[p.line * j->pieces];
    if (rt.interrupted) return;
    for (int64_t i = 0; i < p.n; i += BLOCK) {
        int64_t n = p.n - i < BLOCK ? p.n - i : BLOCK, at = i * j->width;
        void *to = j->streams ? (void *)tile : p.out + at;
        if (j->result == SOFTMAX) exponentials(j, n, to, p.x + at, top, 1 / sum);
        else line_kernels->lower[j->dtype](n, to, p.x + at, top + log(sum));
        if (j->weight) line_kernels->times[j->dtype](n, to, j->weight[p.line]);
        if (j->streams) line_kernels->stream(p.out + at, tile, n * j->width);
    }
    if (j->streams) line_kernels->streamed();
}

static void run_long(Job *j) {
    int64_t chunks = j->in.count * j->pieces;
    par_for(chunks, find_sum, j);
    poll();
    for (int64_t line = 0; line < j->in.count; line++)
        join_parts(j->top + line * j->pieces, j->sum + line * j->pieces, j->pieces);
    if (j->result != LOG_SUM) par_for(chunks, finish_piece, j);
    poll();
}

static Job run_weighted(Value x, uint64_t axes, Result result, const double *weight,
                        Array **out) {
    Job j = { .result = result, .dtype = float_dtype(dtype_of(x)), .weight = weight };
    j.in = lines_of(x, axes, j.dtype);
    j.width = (int64_t)dtype_bytes(j.dtype);
    j.pieces = j.in.length ? par_chunks(j.in.length, PIECE) : 1;
    if (out) *out = lines_like(&j.in);
    j.out = out ? (*out)->data : NULL;
    int64_t bytes = j.in.length * j.width;
    j.streams = j.in.count * bytes >= STREAM_FROM && bytes % 64 == 0;
    size_t sums = (size_t)(j.in.count * j.pieces + 1) * sizeof(double);
    j.top = pool_bytes(sums);
    j.sum = pool_bytes(sums);
    if (!j.in.length) return j;
    if (j.pieces > 1) {
        run_long(&j);
    } else {
        j.together = PIECE / j.in.length;
        par_for(par_chunks(j.in.count, j.together), short_lines, &j);
        poll();
    }
    return j;
}

static Job run(Value x, uint64_t axes, Result result, Array **out) {
    return run_weighted(x, axes, result, NULL, out);
}

/* ---- the kernels ---- */
Value kernel_softmax(int count, const Value *in, const Attr *attr) {
    (void)count;
    Array *out;
    Job j = run(in[0], (uint64_t)attr[1], SOFTMAX, &out);
    return lines_value(&j.in, out, j.dtype);
}

Value kernel_log_softmax(int count, const Value *in, const Attr *attr) {
    (void)count;
    Array *out;
    Job j = run(in[0], (uint64_t)attr[1], LOG_SOFTMAX, &out);
    return lines_value(&j.in, out, j.dtype);
}

Value kernel_logsumexp(int count, const Value *in, const Attr *attr) {
    (void)count;
    Job j = run(in[0], (uint64_t)attr[1], LOG_SUM, NULL);
    Array *out = array_new(F64, j.in.kept, j.in.moved.dim);
    for (int64_t i = 0; i < j.in.count; i++)
        f64_of(out)[i] = j.in.length ? j.top[i * j.pieces] + log(j.sum[i * j.pieces]) : -HUGE_VAL;
    return lines_reduced(&j.in, out, attr[2] != 0, j.dtype);
}

/* Where on each line the label says; E_INDEX if it is no place. */
static int64_t *places_of_labels(Value labels, int64_t length, int axis) {
    Array *a = array_contiguous(array_cast(array_of(labels), F64));
    int64_t *place = pool_bytes((size_t)(a->size + 1) * sizeof *place);
    for (int64_t i = 0; i < a->size; i++) place[i] = line_place(f64_of(a)[i], length, axis);
    return place;
}

static double element_of(const Job *j, int64_t line, int64_t at) {
    const char *x = element(j, line, at);
    return j->dtype == F32 ? (double)*(const float *)(const void *)x
                           : *(const double *)(const void *)x;
}

/* logits, labels: log(sum(exp(x))) - x[label] of each line of the last axis, as the greatest logit
 * is far from neither. */
Value kernel_cross_entropy(int count, const Value *in, const Attr *attr) {
    (void)count, (void)attr;
    int axis = axes_of(in[0]) - 1;
    const int64_t *place = places_of_labels(in[1], value_shape(in[0]).dim[axis], axis);
    Job j = run(in[0], (uint64_t)1 << axis, LOG_SUM, NULL);
    Array *out = array_new(F64, j.in.kept, j.in.moved.dim);
    for (int64_t i = 0; i < j.in.count; i++)
        f64_of(out)[i] =
            log(j.sum[i * j.pieces]) + (j.top[i * j.pieces] - element_of(&j, i, place[i]));
    return value_of_dtype(out, j.dtype);
}

Value op_softmax(Value x, uint64_t axes) { return apply(OP_softmax, 1, &x, ATTR((int64_t)axes)); }

/* ---- the rules ----
 * g and r are of one shape. What a recorded sweep computes in operations, a plain one computes line
 * by line in one pass. */
typedef struct Pulling {
    Lines g, r;
    int dtype;
    bool log;
    char *out;
    int64_t width, together;
} Pulling;

static double line_total(int dtype, const char *x, const char *y, int64_t n) {
    if (n <= BLOCK) return y ? line_kernels->dot[dtype](x, y, n) : line_kernels->sum[dtype](x, n);
    int64_t half = (n / 2 + BLOCK - 1) / BLOCK * BLOCK, bytes = half * (int64_t)dtype_bytes(dtype);
    double first = line_total(dtype, x, y, half);
    return first + line_total(dtype, x + bytes, y ? y + bytes : NULL, n - half);
}

static void pull_lines(int64_t chunk, void *env) {
    Pulling *p = env;
    int64_t n = p->g.length, first = chunk * p->together, last = first + p->together;
    if (rt.interrupted) return;
    if (last > p->g.count) last = p->g.count;
    bool side = n <= SHORT && !p->log;
    for (int64_t line = first; side && line < last; line += SIDE) {
        int64_t at = line * n * p->width, lines = last - line < SIDE ? last - line : SIDE;
        const char *g = (const char *)p->g.data->data + at, *r = (const char *)p->r.data->data + at;
        line_kernels->short_pull_softmax[p->dtype](n, lines, p->out + at, g, r);
    }
    for (int64_t line = first; !side && line < last; line++) {
        int64_t at = line * n * p->width;
        const char *g = (const char *)p->g.data->data + at, *r = (const char *)p->r.data->data + at;
        double c = line_total(p->dtype, g, p->log ? NULL : r, n);
        (p->log ? line_kernels->pull_log_softmax : line_kernels->pull_softmax)[p->dtype](
            n, p->out + at, g, r, c);
    }
}

static Value pull_plainly(Value g, Value r, uint64_t axes, bool log) {
    Pulling p = { .dtype = float_dtype(dtype_of(r)), .log = log };
    p.g = lines_of(g, axes, p.dtype);
    p.r = lines_of(r, axes, p.dtype);
    p.width = (int64_t)dtype_bytes(p.dtype);
    Array *out = lines_like(&p.g);
    p.out = out->data;
    p.together = p.g.length && p.g.length < PIECE ? PIECE / p.g.length : 1;
    par_for(par_chunks(p.g.count, p.together), pull_lines, &p);
    poll();
    return lines_value(&p.g, out, p.dtype);
}

Value op_softmax_rule(Value g, Value r, uint64_t axes) {
    if (!rt.recording && shapes_equal(g, r)) return pull_plainly(g, r, axes, false);
    return op_mul(r, op_sub(g, op_sum(op_mul(g, r), axes, true)));
}

Value op_log_softmax_rule(Value g, Value r, uint64_t axes) {
    if (!rt.recording && shapes_equal(g, r)) return pull_plainly(g, r, axes, true);
    return op_sub(g, op_mul(op_exp(r), op_sum(g, axes, true)));
}

/* softmax(x) with each line times its element of g. */
static Job weighted_softmax(Value x, Value g, uint64_t axes, Array **out) {
    return run_weighted(x, axes, SOFTMAX, f64_of(array_contiguous(array_cast(array_of(g), F64))),
                        out);
}

Value op_logsumexp_rule(Value g, Value x, const Attr *attr) {
    uint64_t axes = (uint64_t)attr[1];
    if (rt.recording) return op_mul(op_spread(g, x, attr), op_softmax(x, axes));
    Array *out;
    Job j = weighted_softmax(x, g, axes, &out);
    return lines_value(&j.in, out, j.dtype);
}

/* x with a last axis of length 1. */
static Value as_column(Value x) {
    Shape shape = value_shape(x);
    shape.dim[shape.axes++] = 1;
    return op_reshape(x, shape.axes, shape.dim);
}

/* g (softmax(x) - 1 at the label) */
Value op_cross_entropy_rule(Value g, Value x, Value labels) {
    int axis = axes_of(x) - 1;
    uint64_t axes = (uint64_t)1 << axis;
    int64_t length = value_shape(x).dim[axis];
    if (rt.recording) {
        Value by = as_column(g), at_labels = op_put_along(by, as_column(labels), axis, length);
        return op_sub(op_mul(by, op_softmax(x, axes)), at_labels);
    }
    Array *out;
    Job j = weighted_softmax(x, g, axes, &out);
    const int64_t *place = places_of_labels(labels, length, axis);
    for (int64_t i = 0; i < j.in.count; i++) {
        int64_t at = i * length + place[i];
        if (j.dtype == F32) ((float *)out->data)[at] -= (float)j.weight[i];
        else f64_of(out)[at] -= j.weight[i];
    }
    return lines_value(&j.in, out, j.dtype);
}

/* ---- the call: (logits, labels, reduction = "mean") ---- */
static Value reduced_losses(Value losses, const char *how) {
    Value total = op_sum(losses, ALL_AXES, false);
    if (!strcmp(how, "sum")) return total;
    return op_div(total, number((double)size_of(losses)));
}

static Value losses_of(Value logits, Value labels, int axis) {
    uint64_t axes = (uint64_t)1 << axis;
    Shape shape = value_shape(logits), other = value_shape(labels);
    if (same_shape(shape.axes, shape.dim, other.axes, other.dim)) {     /* probabilities */
        Value logs = apply(OP_log_softmax, 1, &logits, ATTR((int64_t)axes));
        return op_neg(op_sum(op_mul(labels, logs), axes, false));
    }
    if (!same_shape(axis, shape.dim, other.axes, other.dim)) {
        char all[120], want[120], have[120];
        shape_text(shape.axes, shape.dim, all, sizeof all);
        shape_text(axis, shape.dim, want, sizeof want);
        shape_text(other.axes, other.dim, have, sizeof have);
        fail(E_SHAPE, "cross_entropy: logits of shape %s need labels of shape %s, not %s", all,
             want, have);
    }
    return apply(OP_cross_entropy, 2, (Value[]){ logits, constant(labels) }, NULL);
}

Value call_cross_entropy(int count, const Value *bound) {
    (void)count;
    Value logits = bound[0], labels = bound[1];
    const char *how = bound[2].tag == V_UNSET ? "mean" : arg_string(bound[2], "reduction")->text;
    int axes = operand(logits, "cross_entropy")->axes, last = arg_axis(number(-1), axes, "axis");
    operand(labels, "cross_entropy");
    bool none = !strcmp(how, "none");
    if (!none && strcmp(how, "mean") && strcmp(how, "sum"))
        fail(E_ARGUMENT, "reduction is \"mean\", \"sum\" or \"none\", not \"%s\"", how);
    Value losses = losses_of(logits, labels, last);
    return none ? losses : reduced_losses(losses, how);
}
