/* Walking arrays: any number of them in one loop, whatever their layouts; copying and filling.
 *
 * The one idea: axes that continue each other are merged, and what is left is walked as an odometer
 * counts, in runs along one axis, so that a kernel is one loop. It must not know any operation. */
#include "array.h"
#include <string.h>

/* ---- walking ---- */
enum { SHORT_ROW = 16, STRETCH = 256 };
typedef struct Walk {
    int count, axes;
    char *at[WALK_ARRAYS];
    size_t element[WALK_ARRAYS];
    int64_t length[MAX_AXES];                    /* outermost first, none of them 1 */
    int64_t stride[MAX_AXES][WALK_ARRAYS];
} Walk;

/* Does the last axis of the walk, outside an axis of `length` with these strides, continue it? */
static bool continues(const Walk *w, int64_t length, const int64_t *stride) {
    const int64_t *outer = w->stride[w->axes - 1];
    for (int k = 0; k < w->count; k++)
        if (outer[k] != stride[k] * length) return false;
    return true;
}

static void walk_open(Walk *w, int count, Array *const *arrays) {
    w->count = count;
    w->axes = 0;
    for (int k = 0; k < count; k++) {
        w->at[k] = arrays[k]->data;
        w->element[k] = dtype_bytes(arrays[k]->dtype);
    }
    for (int i = 0; i < arrays[0]->axes; i++) {
        int64_t length = shape_of(arrays[0])[i], stride[WALK_ARRAYS];
        if (length == 1) continue;
        for (int k = 0; k < count; k++) stride[k] = strides_of(arrays[k])[i];
        if (w->axes && continues(w, length, stride)) w->length[w->axes - 1] *= length;
        else w->length[w->axes++] = length;
        memcpy(w->stride[w->axes - 1], stride, (size_t)count * sizeof *stride);
    }
    if (w->axes) return;
    w->axes = 1;                                 /* one element: a run of 1 */
    w->length[0] = 1;
    for (int k = 0; k < count; k++) w->stride[0][k] = 1;
}

static void advance(Walk *w, int axis, int64_t steps) {
    for (int k = 0; k < w->count; k++)
        w->at[k] += w->stride[axis][k] * steps * (int64_t)w->element[k];
}

/* The innermost axis, in pieces. */
static void walk_row(Walk *w, Run *body, void *env) {
    int last = w->axes - 1;
    int64_t length = w->length[last];
    char *at[WALK_ARRAYS];
    for (int64_t done = 0; done < length; done += RUN) {
        int64_t n = length - done < RUN ? length - done : RUN;
        memcpy(at, w->at, (size_t)w->count * sizeof *at);
        body(n, at, w->stride[last], env);
        if (n < length) {
            poll();
            advance(w, last, n);
        }
    }
    if (length > RUN) advance(w, last, -length);
}

/* The two innermost axes where rows are so short that a call for each would cost more than its
 * work: the axis outside them becomes the runs, a stretch at a time, so that what one run has
 * brought into the cache is there for the next. */
static void walk_short_rows(Walk *w, Run *body, void *env) {
    int last = w->axes - 1, outer = last - 1;
    char *at[WALK_ARRAYS];
    for (int64_t done = 0; done < w->length[outer]; done += STRETCH) {
        int64_t left = w->length[outer] - done, n = left < STRETCH ? left : STRETCH;
        for (int64_t j = 0; j < w->length[last]; j++) {
            for (int k = 0; k < w->count; k++) {
                int64_t element = done * w->stride[outer][k] + j * w->stride[last][k];
                at[k] = w->at[k] + element * (int64_t)w->element[k];
            }
            body(n, at, w->stride[outer], env);
        }
        poll_at(done);
    }
}

static bool has_short_rows(const Walk *w) {
    return w->axes > 1 && w->length[w->axes - 1] < SHORT_ROW &&
           w->length[w->axes - 2] > w->length[w->axes - 1];
}

/* inner: how many axes one call of `part` takes care of */
static void walk_outside(Walk *w, int inner, void (*part)(Walk *, Run *, void *), Run *body,
                         void *env) {
    int64_t turn[MAX_AXES] = { 0 }, since_poll = 0, elements = 1;
    for (int i = w->axes - inner; i < w->axes; i++) elements *= w->length[i];
    for (;;) {
        part(w, body, env);
        if ((since_poll += elements) >= RUN) {
            poll();
            since_poll = 0;
        }
        int axis = w->axes - 1 - inner;          /* count up as an odometer does */
        while (axis >= 0 && ++turn[axis] == w->length[axis]) {
            advance(w, axis, 1 - w->length[axis]);
            turn[axis--] = 0;
        }
        if (axis < 0) return;
        advance(w, axis, 1);
    }
}

static bool walk_begins(Walk *w, int count, Array *const *arrays) {
    if (count < 1 || count > WALK_ARRAYS) fail(E_INTERNAL, "array_walk() got %d arrays", count);
    if (arrays[0]->size == 0) return false;
    walk_open(w, count, arrays);
    return true;
}

void array_walk(int count, Array *const *arrays, Run *body, void *env) {
    Walk w;
    if (walk_begins(&w, count, arrays)) walk_outside(&w, 1, walk_row, body, env);
}

void array_walk_freely(int count, Array *const *arrays, Run *body, void *env) {
    Walk w;
    if (!walk_begins(&w, count, arrays)) return;
    if (has_short_rows(&w)) walk_outside(&w, 2, walk_short_rows, body, env);
    else walk_outside(&w, 1, walk_row, body, env);
}

/* ---- copying ---- */
#define COPY_RUN(name, to, from, convert)                                                         \
    static void name(int64_t n, char **at, const int64_t *strides, void *env) {                   \
        (void)env;                                                                                \
        to *target = (to *)at[0];                                                                 \
        const from *source = (const from *)at[1];                                                 \
        int64_t by = strides[0], with = strides[1];                                               \
        if (by == 1 && with == 1)                                                                 \
            for (int64_t i = 0; i < n; i++) target[i] = (to)(convert(source[i]));                 \
        else                                                                                      \
            for (int64_t i = 0; i < n; i++) target[i * by] = (to)(convert(source[i * with]));     \
    }
#define AS_IS(x) (x)
#define TRUTH(x) ((x) != 0)
COPY_RUN(f64_from_f32, double, float, AS_IS)
COPY_RUN(f64_from_bool, double, uint8_t, AS_IS)
COPY_RUN(f32_from_f64, float, double, AS_IS)
COPY_RUN(f32_from_bool, float, uint8_t, AS_IS)
COPY_RUN(bool_from_f64, uint8_t, double, TRUTH)
COPY_RUN(bool_from_f32, uint8_t, float, TRUTH)

#define SAME_RUN(name, type)                                                                      \
    static void name(int64_t n, char **at, const int64_t *strides, void *env) {                   \
        (void)env;                                                                                \
        type *target = (type *)at[0];                                                             \
        const type *source = (const type *)at[1];                                                 \
        int64_t by = strides[0], with = strides[1];                                               \
        type first = *source;                                                                     \
        if (by == 1 && with == 1) memmove(target, source, (size_t)n * sizeof *target);            \
        else if (by == 1 && with == 0) for (int64_t i = 0; i < n; i++) target[i] = first;         \
        else for (int64_t i = 0; i < n; i++) target[i * by] = source[i * with];                   \
    }
SAME_RUN(f64_from_f64, double)
SAME_RUN(f32_from_f32, float)
SAME_RUN(bool_from_bool, uint8_t)

static Run *const copy_runs[3][3] = {
    [F64] = { f64_from_f64, f64_from_f32, f64_from_bool },
    [F32] = { f32_from_f64, f32_from_f32, f32_from_bool },
    [BOOL] = { bool_from_f64, bool_from_f32, bool_from_bool },
};

/* Where rows of dst are columns of src: squares, so that each line of src that is brought into the
 * cache is used up before it leaves. env is unused, as is the body. */
enum { SQUARE = 16 };
#define TURN(name, type)                                                                          \
    static void name(Walk *w, Run *body, void *env) {                                             \
        int last = w->axes - 1;                                                                   \
        int64_t rows = w->length[last - 1], columns = w->length[last];                            \
        int64_t pitch = w->stride[last - 1][0], step = w->stride[last][1];                        \
        (void)body, (void)env;                                                                    \
        for (int64_t i = 0; i < rows; i += SQUARE)                                                \
            for (int64_t j = 0; j < columns; j += SQUARE) {                                       \
                type *to = (type *)w->at[0] + i * pitch + j;                                      \
                const type *from = (const type *)w->at[1] + j * step + i;                         \
                int64_t m = rows - i < SQUARE ? rows - i : SQUARE;                                \
                int64_t n = columns - j < SQUARE ? columns - j : SQUARE;                          \
                for (int64_t k = 0; k < m; k++)                                                   \
                    for (int64_t l = 0; l < n; l++) to[k * pitch + l] = from[l * step + k];       \
                poll_at(j);                                                                       \
            }                                                                                     \
    }
TURN(turn_f64, double)
TURN(turn_f32, float)

/* Brings the axis along which src is contiguous next to the one along which dst is. */
static bool turns(Walk *w) {
    int last = w->axes - 1;
    if (last < 1 || w->stride[last][0] != 1 || w->stride[last][1] == 1) return false;
    for (int axis = last - 1; axis >= 0; axis--) {
        if (w->stride[axis][1] != 1) continue;
        int64_t stride[WALK_ARRAYS], length = w->length[axis];
        memcpy(stride, w->stride[axis], sizeof stride);
        memcpy(w->stride[axis], w->stride[last - 1], sizeof stride);
        memcpy(w->stride[last - 1], stride, sizeof stride);
        w->length[axis] = w->length[last - 1];
        w->length[last - 1] = length;
        return length >= SQUARE && w->length[last] >= SQUARE;
    }
    return false;
}

static bool assign_turned(Array *dst, Array *src) {
    Walk w;
    if (dst->dtype != src->dtype || dst->dtype == BOOL) return false;
    if (!walk_begins(&w, 2, (Array *[]){ dst, src }) || !turns(&w)) return false;
    walk_outside(&w, 2, dst->dtype == F64 ? turn_f64 : turn_f32, NULL, NULL);
    return true;
}

void array_assign(Array *dst, Array *src) {
    if (assign_turned(dst, src)) return;
    array_walk_freely(2, (Array *[]){ dst, src }, copy_runs[dst->dtype][src->dtype], NULL);
}

#define FILL_RUN(name, type, convert)                                                             \
    static void name(int64_t n, char **at, const int64_t *strides, void *env) {                   \
        type value = (type)(convert(*(double *)env)), *target = (type *)at[0];                    \
        for (int64_t i = 0; i < n; i++) target[i * strides[0]] = value;                           \
    }
FILL_RUN(fill_f64, double, AS_IS)
FILL_RUN(fill_f32, float, AS_IS)
FILL_RUN(fill_bool, uint8_t, TRUTH)

void array_fill(Array *dst, double value) {
    static Run *const fills[] = { [F64] = fill_f64, [F32] = fill_f32, [BOOL] = fill_bool };
    array_walk_freely(1, &dst, fills[dst->dtype], &value);
}
