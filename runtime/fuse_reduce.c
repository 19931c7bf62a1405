/* Reductions that consume an expression (fuse_reduce in fuse.h).
 *
 * The one idea: the elements are computed a part at a time, which stays in the cache, and each part
 * goes through the very loops that would reduce the whole array; so the result is the same bit for
 * bit. Where the first axis stays, parts are some of its rows; where the first axes go and the last
 * stay, columns of totals are handed from part to part; of all elements, blocks are added up.
 *
 * On the tape stands an array that has a shape and no elements, which is all the rule of sum asks
 * for. The rule of an extreme asks for the elements: recorded, it is not for here. */
#include <string.h>
#include "fuse_tape.h"
#include "kernels.h"

enum { LARGEST_ROW = 256 << 10, FEW_ROWS = 32 };

static void fill_part(int64_t first, int64_t n, void *out, const void *env) {
    program_run_part(env, first, n, out);
}

static void fill_block(int64_t first, int64_t n, void *out, const void *env) {
    program_fill(env, first, n, out);
}

/* The first axis stays. Rows left over that are too few for a part of their own join the last. */
static void by_rows(Op op, const Program *p, int dtype, uint64_t axes, Array *out) {
    int64_t rows = p->shape[0], row = p->size / rows, together = PART / row > 1 ? PART / row : 1;
    int64_t dim[MAX_AXES], strides[MAX_AXES], step = row;
    if (together > rows) together = rows;
    for (int i = 0; i < p->axes; i++) {
        dim[i] = i ? p->shape[i] : together + FEW_ROWS;
        strides[i] = i ? (step /= p->shape[i]) : row;
    }
    Array *part = array_new(dtype, p->axes, dim);
    for (int64_t at = 0; at < rows; at += dim[0]) {
        dim[0] = rows - at <= together + FEW_ROWS ? rows - at : together;
        program_run_part(p, at * row, dim[0] * row, part->data);
        fold_part(op, array_view(part, p->axes, dim, strides, 0), axes,
                  f64_of(out) + at * (out->size / rows));
        poll();
    }
}

typedef enum Way { NO_WAY, ALL, BY_ROWS, BY_COLUMNS } Way;

static Way way_of(Op op, const Deferred *d, uint64_t axes) {
    if (op != OP_sum && d->recorded) return NO_WAY;
    if (axes == ALL_AXES >> (64 - d->axes))
        return op == OP_sum && d->dtype != BOOL ? ALL : NO_WAY;
    if (!axes) return NO_WAY;
    if (!(axes & 1)) return d->size / d->shape[0] <= LARGEST_ROW ? BY_ROWS : NO_WAY;
    int64_t columns = 1;
    for (int i = 0; i < d->axes; i++)
        if (!(axes >> i & 1)) columns *= d->shape[i];
    bool first_axes = !(axes & (axes + 1));
    return first_axes && columns > 1 && columns <= PART / FEW_ROWS ? BY_COLUMNS : NO_WAY;
}

/* What stands on the tape for an array that was never stored: its shape and dtype. */
static Value stand_in(const Deferred *d) {
    int64_t strides[MAX_AXES] = { 0 };
    Array *one = array_new(d->dtype, 0, NULL);
    memset(one->data, 0, dtype_bytes(d->dtype));
    return object(array_view(one, d->axes, d->shape, strides, 0));
}

static Value record(const Deferred *d, const Program *p, const Value *source, uint64_t axes,
                    bool keepdims, Value total, Span here) {
    Value x = stand_in(d);
    rt.here = d->span;
    x.node = fuse_record(p, source, UNSET);
    rt.here = here;
    total.node = tape_append(OP_sum, 1, &x, total, ATTR((int64_t)axes, keepdims));
    return total;
}

bool fuse_reduce(Op op, Value v, uint64_t axes, bool keepdims, Value *result) {
    const Deferred *d = deferred_of(v);
    Way way = way_of(op, d, axes);
    if (way == NO_WAY) return false;
    Program p;
    Value source[PROGRAM_SOURCES];
    Span here = rt.here;
    Shape shape = { .axes = d->axes };
    memcpy(shape.dim, d->shape, (size_t)d->axes * sizeof *shape.dim);
    Shape kept = reduced_shape(&shape, axes, keepdims);
    fuse_program(&p, source, d);
    Array *out = array_new(F64, kept.axes, kept.dim);
    if (way == ALL) *f64_of(out) = sum_of_blocks(d->size, d->dtype, fill_block, &p, p.heavy);
    else if (way == BY_ROWS) by_rows(op, &p, d->dtype, axes, out);
    else fold_columns(op, d->dtype, d->size / out->size, out->size, fill_part, &p, f64_of(out));
    int dtype = op == OP_sum ? float_dtype(d->dtype) : d->dtype;
    *result = !kept.axes && dtype == F64 ? number(*f64_of(out)) : value_of_dtype(out, dtype);
    if (d->recorded) *result = record(d, &p, source, axes, keepdims, *result, here);
    return true;
}
