/* Where the extremes of an array lie. The one idea: the derivative of a maximum or a minimum by its
 * elements is one array of weights, 0 but where an element equals the extreme, and 1 divided by the
 * number of such elements there; it is found in one go over each line, and the rule multiplies. NaN
 * equals NaN here, since an extreme is NaN where an element is. */
#include <string.h>
#include "mem.h"
#include "par.h"
#include "rules.h"

/* x as [blocks, length, width]: the extremes [blocks, width] are those over the middle. */
typedef struct Lines {
    int64_t blocks, length, width;
    const Array *x, *best;
    Array *out;
    double *found;           /* [width], while width > 1 */
} Lines;

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
    static void weigh_columns_##T(const Lines *l, const T *x, const T *best, T *out) {             \
        int64_t width = l->width, size = l->length * width;                                        \
        double *found = l->found;                                                                  \
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
    const Lines *l = env;
    int64_t lines = PART / l->length + 1, end = (chunk + 1) * lines;
    for (int64_t k = chunk * lines; k < end && k < l->blocks; k++) {
        int64_t at = k * l->length;
        if (l->x->dtype == F64)
            weigh_line_double(f64_of(l->x) + at, f64_of(l->best)[k], l->length,
                              f64_of(l->out) + at);
        else
            weigh_line_float(f32_of(l->x) + at, f32_of(l->best)[k], l->length, f32_of(l->out) + at);
    }
}

static void weigh_columns(const Lines *l) {
    for (int64_t k = 0; k < l->blocks; k++) {
        int64_t at = k * l->length * l->width, to = k * l->width;
        if (l->x->dtype == F64)
            weigh_columns_double(l, f64_of(l->x) + at, f64_of(l->best) + to, f64_of(l->out) + at);
        else
            weigh_columns_float(l, f32_of(l->x) + at, f32_of(l->best) + to, f32_of(l->out) + at);
    }
}

/* The axes that are reduced as the middle of three, if they stand side by side. */
static bool as_lines(const Array *x, uint64_t axes, Lines *l) {
    int axis = 0;
    l->blocks = l->length = l->width = 1;
    for (; axis < x->axes && !(axes >> axis & 1); axis++) l->blocks *= shape_of(x)[axis];
    for (; axis < x->axes && (axes >> axis & 1); axis++) l->length *= shape_of(x)[axis];
    for (; axis < x->axes && !(axes >> axis & 1); axis++) l->width *= shape_of(x)[axis];
    return axis == x->axes;
}

Value op_extreme_weights(Value x, Value extreme, uint64_t axes) {
    Array *a = array_of(x), *r = array_of(extreme);
    Lines l;
    if (a->dtype == BOOL || a->dtype != r->dtype || !as_lines(a, axes, &l)) return UNSET;
    l.x = array_contiguous(a);
    l.best = array_contiguous(r);
    l.out = array_like(l.x, a->dtype);
    if (!a->size) return object(l.out);
    if (l.width == 1) par_for(par_chunks(l.blocks, PART / l.length + 1), weigh_lines, &l);
    else {
        l.found = pool_bytes((size_t)l.width * sizeof *l.found);
        weigh_columns(&l);
    }
    return object(l.out);
}
