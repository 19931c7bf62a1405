/* What an index means on one array, and moving elements there.
 *
 * The one idea: pick() turns an index into a view (slices, new axes, plain numbers) and, if
 * there are gathers, a list of offsets into it; reading, writing and adding are then the same
 * walk with another move. */
#include <math.h>
#include <string.h>
#include "line_kernels.h"
#include "pick.h"

typedef struct Picking {        /* on the way to a Pick */
    Array *x;
    int source, axes;           /* axis of x, axes of the view so far */
    int64_t dim[MAX_ITEMS + MAX_AXES], stride[MAX_ITEMS + MAX_AXES], start;
    Pick *pick;
} Picking;

static int64_t checked_index(double index, int64_t length, int axis) {
    if (index >= 0 && index < (double)length && index == (double)(int64_t)index)
        return (int64_t)index;
    if (index != floor(index))
        fail(E_INDEX, "an index must be an integral number, and this one is %g", index);
    if (index >= (double)length || index < -(double)length)
        fail(E_INDEX, "index %.0f is out of range for axis %d with length %lld", index, axis,
             (long long)length);
    return (int64_t)index + length;
}

static void add_axis(Picking *p, int64_t dim, int64_t stride) {
    if (p->axes >= MAX_AXES) fail(E_LIMIT, "an array has at most %d axes", MAX_AXES);
    p->dim[p->axes] = dim;
    p->stride[p->axes++] = stride;
}

static void pass_axes(Picking *p, int count) {
    for (; count > 0; count--, p->source++)
        add_axis(p, shape_of(p->x)[p->source], strides_of(p->x)[p->source]);
}

static int64_t clamp(int64_t i, int64_t low, int64_t high) {
    return i < low ? low : i > high ? high : i;
}

/* As in Python: ends outside the axis are moved to it. */
static void slice_axis(Picking *p, const Attr *word) {
    int64_t n = shape_of(p->x)[p->source], stride = strides_of(p->x)[p->source], step = word[3];
    int64_t low = step > 0 ? 0 : -1, high = step > 0 ? n : n - 1;
    int64_t start = step > 0 ? 0 : n - 1, stop = step > 0 ? n : -1;
    if (word[0] & HAS_START) start = clamp(word[1] < 0 ? word[1] + n : word[1], low, high);
    if (word[0] & HAS_STOP) stop = clamp(word[2] < 0 ? word[2] + n : word[2], low, high);
    int64_t distance = step > 0 ? stop - start : start - stop, size = step > 0 ? step : -step;
    int64_t count = distance > 0 ? (distance - 1) / size + 1 : 0;
    if (count) p->start += start * stride;
    add_axis(p, count, count > 1 ? stride * step : stride);
    p->source++;
}

static void gather_axis(Picking *p, Array *places) {
    Pick *pick = p->pick;
    pick->axis[pick->gathered] = p->axes;
    pick->source[pick->gathered] = p->source;
    pick->places[pick->gathered++] = places;
    pass_axes(p, 1);
}

/* The first `wanted` places, or fewer, where one of n flags is set. There is no branch for each: a
 * place that is not one is overwritten by the next. */
static int64_t true_places(const uint8_t *flags, int64_t n, double *to, int64_t wanted) {
    int64_t found = 0;
    for (int64_t i = 0; i < n && found < wanted; i++) {
        to[found] = (double)i;
        found += flags[i] != 0;
        poll_at(i);
    }
    return found;
}

/* A mask over k axes is k gathers of the places where it is true. */
static void mask_axes(Picking *p, Array *mask) {
    for (int i = 0; i < mask->axes; i++) {
        if (shape_of(mask)[i] == shape_of(p->x)[p->source + i]) continue;
        char left[120], right[120];
        shape_text(mask->axes, shape_of(mask), left, sizeof left);
        shape_text(p->x->axes, shape_of(p->x), right, sizeof right);
        fail(E_INDEX, "a mask of shape %s does not fit an array of shape %s", left, right);
    }
    Array *flags = array_contiguous(mask), *places[MAX_AXES];
    int last = mask->axes - 1;
    if (last < 0) return;
    int64_t n = shape_of(mask)[last], k = 0,
            count = (int64_t)line_kernels->nonzeros[BOOL](flags->data, mask->size);
    for (int a = 0; a < mask->axes; a++) places[a] = array_new(F64, 1, &count);
    for (int64_t row = 0; k < count; row++) {
        int64_t found = true_places(bool_of(flags) + row * n, n, f64_of(places[last]) + k,
                                    count - k);
        int64_t rest = row;
        for (int a = last - 1; a >= 0; rest /= shape_of(mask)[a--]) {
            double at = (double)(rest % shape_of(mask)[a]);
            for (int64_t i = 0; i < found; i++) f64_of(places[a])[k + i] = at;
        }
        k += found;
    }
    for (int a = 0; a < mask->axes; a++) gather_axis(p, places[a]);
}

static int axes_used(int count, const Attr *words, const Value *gathers) {
    int used = 0;
    for (int i = 0; i < count; i++, words += ITEM_WORDS) {
        int kind = (int)(words[0] & KIND_BITS);
        if (kind == I_AT || kind == I_SLICE) used++;
        if (kind != I_GATHER) continue;
        used += dtype_of(*gathers) == BOOL ? axes_of(*gathers) : 1;
        gathers++;
    }
    return used;
}

static void pick_items(Picking *p, int count, const Attr *words, const Value *gathers,
                       bool gathering) {
    int spare = p->x->axes - axes_used(count, words, gathers);
    if (spare < 0) {
        char text[120];
        shape_text(p->x->axes, shape_of(p->x), text, sizeof text);
        fail(E_INDEX, "too many indices: the index is for %d axes and the shape is %s",
             p->x->axes - spare, text);
    }
    bool expanded = false;
    for (int i = 0; i < count; i++, words += ITEM_WORDS) {
        switch ((IndexKind)(words[0] & KIND_BITS)) {
        case I_AT:
            if (gathering) gather_axis(p, array_of(number((double)words[1])));
            else {
                int64_t n = shape_of(p->x)[p->source];
                int64_t at = checked_index((double)words[1], n, p->source);
                p->start += at * strides_of(p->x)[p->source++];
            }
            break;
        case I_SLICE: slice_axis(p, words); break;
        case I_NEW: add_axis(p, 1, 1); break;
        case I_ELLIPSIS:
            if (expanded) fail(E_INDEX, "an index has at most one ...");
            expanded = true;
            pass_axes(p, spare);
            break;
        case I_GATHER:
            if (dtype_of(*gathers) == BOOL) mask_axes(p, arg_array(*gathers, "index"));
            else gather_axis(p, array_cast(arg_array(*gathers, "index"), F64));
            gathers++;
            break;
        }
    }
    pass_axes(p, p->x->axes - p->source);
}

static void pair_gathers(Pick *pick) {
    for (int i = 0; i < pick->gathered; i++) {
        Shape shape = value_shape(object(pick->places[i])), joined;
        if (!shapes_join(&pick->pair, &shape, &joined)) {
            char left[120], right[120];
            shape_text(pick->pair.axes, pick->pair.dim, left, sizeof left);
            shape_text(shape.axes, shape.dim, right, sizeof right);
            fail(E_INDEX, "index arrays of shapes %s and %s do not pair up", left, right);
        }
        pick->pair = joined;
    }
    pick->offsets = 1;
    for (int i = 0; i < pick->pair.axes; i++) pick->offsets *= pick->pair.dim[i];
}

static void find_offsets(Pick *pick) {
    pick->offset = pool_bytes((size_t)(pick->offsets + 1) * sizeof *pick->offset);
    memset(pick->offset, 0, (size_t)pick->offsets * sizeof *pick->offset);
    for (int i = 0; i < pick->gathered; i++) {
        int64_t length = shape_of(pick->view)[pick->axis[i]];
        int64_t stride = strides_of(pick->view)[pick->axis[i]];
        Array *paired = array_broadcast(pick->places[i], pick->pair.axes, pick->pair.dim);
        Array *places = array_contiguous(paired);
        for (int64_t k = 0; k < pick->offsets; k++) {
            pick->offset[k] += stride * checked_index(f64_of(places)[k], length, pick->source[i]);
            poll_at(k);
        }
        poll();
    }
}

static bool is_gathered(const Pick *pick, int axis) {
    for (int i = 0; i < pick->gathered; i++) if (pick->axis[i] == axis) return true;
    return false;
}

static void append_dim(Shape *shape, int64_t dim) {
    if (shape->axes >= MAX_AXES) fail(E_LIMIT, "an array has at most %d axes", MAX_AXES);
    shape->dim[shape->axes++] = dim;
}

/* The pairs stand where the gathers stood if those were side by side, else in front (as in
 * NumPy). */
static void shape_result(Pick *pick) {
    bool together = pick->axis[pick->gathered - 1] - pick->axis[0] == pick->gathered - 1;
    pick->first = together ? pick->axis[0] : 0;
    int passed = 0;
    for (int i = 0; i <= pick->view->axes; i++) {
        if (passed == pick->first && pick->result.axes == passed)
            for (int k = 0; k < pick->pair.axes; k++) append_dim(&pick->result, pick->pair.dim[k]);
        if (i == pick->view->axes || is_gathered(pick, i)) continue;
        append_dim(&pick->result, shape_of(pick->view)[i]);
        passed++;
    }
}

void pick(Pick *made, Array *x, int count, const Attr *words, const Value *gathers) {
    bool gathering = false;
    Picking p;
    for (int i = 0; i < count; i++) gathering |= (words[i * ITEM_WORDS] & KIND_BITS) == I_GATHER;
    made->gathered = made->pair.axes = made->result.axes = 0;
    p.x = x;
    p.pick = made;
    p.source = p.axes = 0;
    p.start = 0;
    pick_items(&p, count, words, gathers, gathering);
    made->view = array_view(x, p.axes, p.dim, p.stride, p.start);
    if (!gathering) return;
    pair_gathers(made);
    find_offsets(made);
    shape_result(made);
}

Shape picked_shape(const Pick *p) {
    return p->gathered ? p->result : value_shape(object(p->view));
}

/* ---- moving elements between a pick and an array of its result's shape ---- */
#define MOVE_RUN(name, T)                                                                          \
    static inline void add_##name(T *to, T from) { *to = (T)(*to + from); }                        \
    static void name(Move move, T *picked, int64_t stride, T *flat, int64_t n) {                   \
        switch (move) {                                                                            \
        case READ: for (int64_t i = 0; i < n; i++) flat[i] = picked[i * stride]; break;            \
        case WRITE: for (int64_t i = 0; i < n; i++) picked[i * stride] = flat[i]; break;           \
        case ADD: for (int64_t i = 0; i < n; i++) add_##name(&picked[i * stride], flat[i]); break; \
        }                                                                                          \
    }
MOVE_RUN(move_run_f64, double)
MOVE_RUN(move_run_f32, float)
MOVE_RUN(move_run_bool, uint8_t)

/* Runs of one element, the plain x[[3, 1, 2]]. */
#define MOVE_POINTS(name, T)                                                                       \
    static inline void add_##name(T *to, T from) { *to = (T)(*to + from); }                        \
    static void name(Move move, T *picked, const int64_t *offset, T *flat, int64_t n) {            \
        switch (move) {                                                                            \
        case READ: for (int64_t i = 0; i < n; i++) flat[i] = picked[offset[i]]; break;             \
        case WRITE: for (int64_t i = 0; i < n; i++) picked[offset[i]] = flat[i]; break;            \
        case ADD: for (int64_t i = 0; i < n; i++) add_##name(&picked[offset[i]], flat[i]); break;  \
        }                                                                                          \
    }
MOVE_POINTS(move_points_f64, double)
MOVE_POINTS(move_points_f32, float)
MOVE_POINTS(move_points_bool, uint8_t)

/* Runs that lie together, as rows do. */
static bool move_line(Move move, int dtype, char *picked, char *flat, int64_t n) {
    size_t bytes = (size_t)n * dtype_bytes(dtype);
    switch (move) {
    case READ: memcpy(flat, picked, bytes); return true;
    case WRITE: memcpy(picked, flat, bytes); return true;
    case ADD:
        if (dtype != BOOL) line_kernels->add[dtype](n, picked, flat);
        return dtype != BOOL;
    }
    return false;
}

static void move_run(Move move, int dtype, char *picked, int64_t stride, char *flat, int64_t n) {
    if (stride == 1 && move_line(move, dtype, picked, flat, n)) return;
    switch ((DType)dtype) {
    case F64: move_run_f64(move, (double *)picked, stride, (double *)flat, n); break;
    case F32: move_run_f32(move, (float *)picked, stride, (float *)flat, n); break;
    case BOOL: move_run_bool(move, (uint8_t *)picked, stride, (uint8_t *)flat, n); break;
    }
}

enum { POINTS = 1 << 16 };   /* moved between two polls */
static void move_points(Move move, int dtype, char *picked, const int64_t *offset, char *flat,
                        int64_t n) {
    switch ((DType)dtype) {
    case F64: move_points_f64(move, (double *)picked, offset, (double *)flat, n); break;
    case F32: move_points_f32(move, (float *)picked, offset, (float *)flat, n); break;
    case BOOL: move_points_bool(move, (uint8_t *)picked, offset, (uint8_t *)flat, n); break;
    }
}

/* flat: contiguous, of the view's dtype and the pick's result shape. The axes before the pairs are
 * walked outside the offsets, those behind them inside, the innermost as a run. */
void move_gathered(Pick *p, Move move, Array *flat) {
    Odometer before, behind;
    odometer_open(&before);
    odometer_open(&behind);
    int passed = 0, dtype = p->view->dtype;
    for (int i = 0; i < p->view->axes; i++) {
        if (is_gathered(p, i)) continue;
        odometer_push(passed++ < p->first ? &before : &behind, shape_of(p->view)[i],
                      strides_of(p->view)[i]);
    }
    int64_t run = 1, stride = 1, width = (int64_t)dtype_bytes(dtype);
    if (behind.axes) {
        run = behind.dim[--behind.axes];
        stride = behind.stride[behind.axes];
    }
    char *picked = p->view->data, *to = flat->data;
    int64_t turns = flat->size ? odometer_turns(&before) : 0, inner = odometer_turns(&behind);
    for (; turns > 0; turns--, picked += odometer_step(&before) * width) {
        if (run == 1 && inner == 1) {
            for (int64_t k = 0; k < p->offsets; k += POINTS) {
                int64_t count = p->offsets - k < POINTS ? p->offsets - k : POINTS;
                move_points(move, dtype, picked, p->offset + k, to, count);
                to += count * width;
                poll();
            }
            continue;
        }
        for (int64_t k = 0; k < p->offsets; k++) {
            char *at = picked + p->offset[k] * width;
            for (int64_t turn = inner; turn > 0; turn--) {
                move_run(move, dtype, at, stride, to, run);
                at += odometer_step(&behind) * width;
                to += run * width;
            }
            poll();
        }
    }
}

