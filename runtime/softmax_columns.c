/* softmax along an axis that others follow in memory.
 *
 * The one idea: a strip of columns that fits the cache is taken row by row, three times (the
 * greatest, the exponentials and their sums, the quotients), which spares bringing the axis to the
 * end and back. A strip is a chunk of work for a thread; how wide it is depends on the shape
 * alone. */
#include "line_kernels.h"
#include "lines.h"
#include "par.h"

enum { CACHED = 128 << 10, NARROW = 16 };

typedef struct Columns {
    int64_t outer, rows, across, wide, strips;      /* columns of a strip; strips of an outer */
    int dtype;
    int64_t bytes;
    const char *x;
    char *out;
    bool odd;                                       /* a strip has what only lines can do */
} Columns;

static void strip(int64_t chunk, void *env) {
    Columns *c = env;
    int64_t first = chunk % c->strips * c->wide, left = c->across - first;
    int64_t at = (chunk / c->strips * c->rows * c->across + first) * c->bytes;
    if (rt.interrupted) return;
    if (!line_kernels->softmax_columns[c->dtype](left < c->wide ? left : c->wide, c->rows,
                                                 c->across, c->out + at, c->x + at))
        __atomic_store_n(&c->odd, true, __ATOMIC_RELAXED);
}

/* How many columns of so many rows stay in the cache: a multiple of NARROW, up to STRIP. */
static int64_t columns_of_strip(int64_t rows, int64_t bytes) {
    int64_t wide = CACHED / (rows * bytes) / NARROW * NARROW;
    return wide < NARROW ? NARROW : wide > STRIP ? STRIP : wide;
}

Value softmax_of_columns(Value x, uint64_t axes) {
    Array *a = array_of(x);
    Columns c = { .outer = 1, .rows = 1, .across = 1, .dtype = float_dtype(dtype_of(x)) };
    int axis = 0;
    while (axis < a->axes && !(axes >> axis & 1)) axis++;
    if (axis == a->axes || axes != axis_bit(axis)) return UNSET;
    for (int i = 0; i < a->axes; i++)
        *(i < axis ? &c.outer : i == axis ? &c.rows : &c.across) *= shape_of(a)[i];
    if (c.across < NARROW || c.rows < 2 || !c.outer) return UNSET;
    a = array_contiguous(array_cast(a, c.dtype));
    Array *out = array_new(c.dtype, a->axes, shape_of(a));
    c.bytes = (int64_t)dtype_bytes(c.dtype);
    c.wide = columns_of_strip(c.rows, c.bytes);
    c.strips = par_chunks(c.across, c.wide);
    c.x = a->data;
    c.out = out->data;
    par_for(c.outer * c.strips, strip, &c);
    poll();
    return c.odd ? UNSET : value_of_dtype(out, c.dtype);
}
