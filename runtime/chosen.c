/* Where the extremes of an array lie. The one idea: the derivative of a maximum or a minimum by its
 * elements is one array of weights, 0 but where an element equals the extreme, and 1 divided by the
 * number of such elements there; it is found in one go over each line, and the rule multiplies. NaN
 * equals NaN here, since an extreme is NaN where an element is. */
#include <string.h>
#include "mem.h"
#include "par.h"
#include "rules.h"

/* x as [blocks, length, width]: the extremes [blocks, width] are those over the middle. */
typedef struct Blocks {
    int64_t blocks, length, width;
    const Array *x, *best;
    Array *out;
    double *found;           /* [width], while width > 1 */
} Blocks;

/* One test for numbers and one for NaN, since loops with both are not turned into SIMD. */
#define WEIGH(T, INT, x, n, out, same)                                                             \
    do {                                                                                           \
        INT found = 0;                                                                             \
        for (int64_t i = 0; i < n; i++) found += (same);                                           \
        T weight = 1 / (T)found;                                                                   \
        for (int64_t i = 0; i < n; i++) out[i] = (same) ? weight : 0;                              \
    } while (0)

#define CHOSEN(T, INT)                                                                             \
    static void weigh_line_##T(const T *x, T best, int64_t n, T *out) {                            \
        if (best == best) WEIGH(T, INT, x, n, out, x[i] == best);                                  \
        else WEIGH(T, INT, x, n, out, x[i] != x[i]);                                               \
    }                                                                                              \
    static void weigh_columns_##T(const Blocks *b, const T *x, const T *best, T *out) {            \
        int64_t width = b->width, size = b->length * width;                                        \
        double *found = b->found;                                                                  \
        memset(found, 0, (size_t)width * sizeof *found);                                           \
        for (int64_t i = 0; i < size; i += width)                                                  \
            for (int64_t j = 0; j < width; j++) found[j] += SAME(x[i + j], best[j]);               \
        for (int64_t j = 0; j < width; j++) found[j] = 1 / found[j];                               \
        for (int64_t i = 0; i < size; i += width)                                                  \
            for (int64_t j = 0; j < width; j++)                                                    \
                out[i + j] = SAME(x[i + j], best[j]) ? (T)found[j] : 0;                            \
    }
#define SAME(a, b) (((a) == (b)) | (((a) != (a)) & ((b) != (b))))
CHOSEN(double, int64_t)
CHOSEN(float, int32_t)

static void weigh_lines(int64_t chunk, void *env) {
    const Blocks *b = env;
    int64_t lines = PART / b->length + 1, end = (chunk + 1) * lines;
    for (int64_t k = chunk * lines; k < end && k < b->blocks; k++) {
        int64_t at = k * b->length;
        if (b->x->dtype == F64)
            weigh_line_double(f64_of(b->x) + at, f64_of(b->best)[k], b->length,
                              f64_of(b->out) + at);
        else
            weigh_line_float(f32_of(b->x) + at, f32_of(b->best)[k], b->length, f32_of(b->out) + at);
    }
}

static void weigh_columns(const Blocks *b) {
    for (int64_t k = 0; k < b->blocks; k++) {
        int64_t at = k * b->length * b->width, to = k * b->width;
        if (b->x->dtype == F64)
            weigh_columns_double(b, f64_of(b->x) + at, f64_of(b->best) + to, f64_of(b->out) + at);
        else
            weigh_columns_float(b, f32_of(b->x) + at, f32_of(b->best) + to, f32_of(b->out) + at);
    }
}

/* The axes that are reduced as the middle of three, if they stand side by side. */
static bool as_blocks(const Array *x, uint64_t axes, Blocks *b) {
    int axis = 0;
    b->blocks = b->length = b->width = 1;
    for (; axis < x->axes && !(axes >> axis & 1); axis++) b->blocks *= shape_of(x)[axis];
    for (; axis < x->axes && (axes >> axis & 1); axis++) b->length *= shape_of(x)[axis];
    for (; axis < x->axes && !(axes >> axis & 1); axis++) b->width *= shape_of(x)[axis];
    return axis == x->axes;
}

Value op_extreme_weights(Value x, Value extreme, uint64_t axes) {
    Array *a = array_of(x), *r = array_of(extreme);
    Blocks b;
    if (a->dtype == BOOL || a->dtype != r->dtype || !as_blocks(a, axes, &b)) return UNSET;
    b.x = array_contiguous(a);
    b.best = array_contiguous(r);
    b.out = array_like(b.x, a->dtype);
    if (!a->size) return object(b.out);
    if (b.width == 1) par_for(par_chunks(b.blocks, PART / b.length + 1), weigh_lines, &b);
    else {
        b.found = pool_bytes((size_t)b.width * sizeof *b.found);
        weigh_columns(&b);
    }
    return object(b.out);
}
