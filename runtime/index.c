/* Indexing: reading, replacing and adding to parts of an array.
 *
 * The one idea: pick() turns an index into a view (slices, new axes, plain numbers) and, if
 * there are gathers, a list of offsets into it; reading, writing and adding are then the same
 * walk with another move. An index stands in the attr as it was written, relative to no shape,
 * so that the tape can show it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "line_kernels.h"
#include "rules.h"

enum {
    ITEM_WORDS = INDEX_WORDS,
    KIND_BITS = 7,
    HAS_START = 8,
    HAS_STOP = 16,
    MAX_ITEMS = 2 * MAX_AXES
};

/* ---- items as attr words: kind and flags, start, stop, step ---- */
static int pack_items(Attr *words, Value *gathers, int count, const IndexItem *items) {
    int gathered = 0;
    if (count > MAX_ITEMS) fail(E_INDEX, "an index has at most %d items", MAX_ITEMS);
    for (int i = 0; i < count; i++, words += ITEM_WORDS) {
        const IndexItem *item = &items[i];
        words[0] = item->kind | (item->has_start ? HAS_START : 0) | (item->has_stop ? HAS_STOP : 0);
        words[1] = item->start;
        words[2] = item->stop;
        words[3] = item->step;
        if (item->kind == I_GATHER && item->gather.node) rt.off_tape++;
        if (item->kind == I_GATHER) gathers[gathered++] = constant(item->gather);
    }
    return gathered;
}

IndexItem index_item(const Attr *words, int i) {
    const Attr *word = words + i * INDEX_WORDS;
    return (IndexItem){ .kind = (IndexKind)(word[0] & KIND_BITS),
                        .has_start = word[0] & HAS_START,
                        .has_stop = word[0] & HAS_STOP,
                        .start = word[1],
                        .stop = word[2],
                        .step = word[3] };
}

/* ---- what an index means on one array ---- */
typedef struct Pick {
    Array *view;                /* the array with slices, new axes and plain numbers applied */
    int gathered;               /* how many axes of the view are gathered */
    int axis[MAX_AXES];         /* which ones */
    int source[MAX_AXES];       /* the axes of the array they come from, for messages */
    Array *places[MAX_AXES];    /* the indices along each, f64 of any shape */
    Shape pair;                 /* the shape in which the gathers pair up */
    int first;                  /* where that shape stands in the result */
    int64_t *offset, offsets;   /* in elements of the view, one per element of `pair` */
    Shape result;
} Pick;

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

static void pick(Pick *made, Array *x, int count, const Attr *words, const Value *gathers) {
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

static Shape picked_shape(const Pick *p) {
    return p->gathered ? p->result : value_shape(object(p->view));
}

/* ---- moving elements between a pick and an array of its result's shape ---- */
typedef enum Move { READ, WRITE, ADD } Move;

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
static void move_gathered(Pick *p, Move move, Array *flat) {
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

/* v in the shape and dtype that the pick expects */
static Array *fitted(const Pick *p, Value v) {
    Array *a = array_cast(array_of(v), p->view->dtype);
    Shape shape = picked_shape(p);
    return array_broadcast(a, shape.axes, shape.dim);
}

static void write_picked(Pick *p, Value v, Move move) {
    Array *from = fitted(p, v);
    if (p->gathered) move_gathered(p, move, array_contiguous(from));
    else array_assign(p->view, from);
}

/* ---- reading ---- */
Value kernel_index(int count, const Value *in, const Attr *attr) {
    (void)count;
    Pick p;
    pick(&p, array_of(in[0]), (int)(attr[0] / ITEM_WORDS), attr + 1, in + 1);
    if (!p.gathered) return array_value(p.view);
    Array *out = array_new(p.view->dtype, p.result.axes, p.result.dim);
    move_gathered(&p, READ, out);
    return array_value(out);
}

/* Where the one element lies that the items name: whole numbers in range, one for each axis. */
static bool element_at(const Array *a, int count, const IndexItem *items, int64_t *offset) {
    if (count != a->axes) return false;
    *offset = 0;
    for (int i = 0; i < count; i++) {
        if (items[i].kind != I_AT) return false;
        int64_t n = shape_of(a)[i], at = items[i].start;
        if (at < 0) at += n;
        if (at < 0 || at >= n) return false;
        *offset += at * strides_of(a)[i];
    }
    return true;
}

/* x[2], x[1, 0] of a constant: one load */
static bool index_at_once(Value x, int count, const IndexItem *items, Value *out) {
    if (x.tag != V_ARRAY || x.as.array->dtype == F32) return false;
    if (x.node && rt.recording) return false;
    const Array *a = x.as.array;
    int64_t offset;
    if (!element_at(a, count, items, &offset)) return false;
    *out = a->dtype == F64 ? number(f64_of(a)[offset]) : boolean(bool_of(a)[offset] != 0);
    return true;
}

Value op_index(Value x, int count, const IndexItem *items) {
    Value out, in[1 + MAX_ITEMS];
    if (index_at_once(x, count, items, &out)) return out;
    Attr attr[1 + MAX_ITEMS * ITEM_WORDS];
    in[0] = x;
    int gathers = pack_items(attr + 1, in + 1, count, items);
    attr[0] = count * ITEM_WORDS;
    return apply(OP_index, 1 + gathers, in, attr);
}

/* ---- adding to zeros: the adjoint of reading. attr: axes, shape, items ---- */
Value kernel_unindex(int count, const Value *in, const Attr *attr) {
    (void)count;
    int axes = (int)attr[1], items = (int)(attr[0] - 1 - axes) / ITEM_WORDS;
    Array *out = array_zeros(float_dtype(dtype_of(in[0])), axes, attr + 2);
    Pick p;
    pick(&p, out, items, attr + 2 + axes, in + 1);
    write_picked(&p, in[0], ADD);
    return array_value(out);
}

/* Adds along the runs of two arrays of one shape. */
#define ADD_RUN(name, T, dtype)                                                                    \
    static void name(int64_t n, char **at, const int64_t *strides, void *env) {                    \
        T *to = (T *)at[0];                                                                        \
        const T *from = (const T *)at[1];                                                          \
        int64_t step = strides[0], with = strides[1];                                              \
        (void)env;                                                                                 \
        if (step == 1 && with == 1) line_kernels->add[dtype](n, to, from);                         \
        else for (int64_t i = 0; i < n; i++) to[i * step] += from[i * with];                       \
    }
ADD_RUN(add_f64, double, F64)
ADD_RUN(add_f32, float, F32)

void index_add(Array *whole, Value g, const Value *gathers, const Attr *attr) {
    Pick p;
    pick(&p, whole, (int)(attr[0] / ITEM_WORDS), attr + 1, gathers);
    Array *from = fitted(&p, g);
    if (p.gathered) move_gathered(&p, ADD, array_contiguous(from));
    else array_walk_freely(2, (Array *[]){ p.view, from },
                           whole->dtype == F32 ? add_f32 : add_f64, NULL);
}

Value op_unindex(Value g, Value x, const Value *gathers, const Attr *attr) {
    Shape shape = value_shape(x);
    Attr wide[2 + MAX_AXES + MAX_ITEMS * ITEM_WORDS];
    Value in[1 + MAX_ITEMS] = { g };
    int used = 0;
    for (int i = 0; i < attr[0]; i += ITEM_WORDS)
        if ((attr[1 + i] & KIND_BITS) == I_GATHER) { in[1 + used] = gathers[used]; used++; }
    wide[0] = 1 + shape.axes + attr[0];
    wide[1] = shape.axes;
    memcpy(wide + 2, shape.dim, (size_t)shape.axes * sizeof *wide);
    memcpy(wide + 2 + shape.axes, attr + 1, (size_t)attr[0] * sizeof *wide);
    return apply(OP_unindex, 1 + used, in, wide);
}

/* g at the indexed places: the adjoint of unindex */
Value op_index_like(Value g, int count, const Value *in, const Attr *attr) {
    int axes = (int)attr[1];
    Attr items[1 + MAX_ITEMS * ITEM_WORDS] = { attr[0] - 1 - axes };
    memcpy(items + 1, attr + 2 + axes, (size_t)items[0] * sizeof *items);
    Value all[1 + MAX_ITEMS] = { g };
    memcpy(all + 1, in + 1, (size_t)(count - 1) * sizeof *all);
    return apply(OP_index, count, all, items);
}

/* ---- replacing ---- */
/* Stores v and says in the array's own words what does not fit. */
static void put_into(Array *x, Value v, int count, const Attr *words, const Value *gathers) {
    Pick p;
    pick(&p, x, count, words, gathers);
    Shape from = value_shape(v), to = picked_shape(&p);
    must_expand(&from, &to, "cannot store shape %s where the index picks shape %s");
    if (x->dtype == BOOL && dtype_of(v) != BOOL) {
        Array *a = array_of(v);
        for (int64_t i = 0; i < a->size; i++) {
            double e = array_get(a, i);
            if (e == 0 || e == 1) continue;
            hint("f64(x) makes an array of numbers of it first");
            fail(E_TYPE, "a bool array holds true and false, and %g is neither", e);
        }
    }
    write_picked(&p, v, WRITE);
}

Value kernel_put(int count, const Value *in, const Attr *attr) {
    (void)count;
    Array *copy = array_copy(array_of(in[0]));
    put_into(copy, in[1], (int)(attr[0] / ITEM_WORDS), attr + 1, in + 2);
    return array_value(copy);
}

static bool put_at_once(Value x, int count, const IndexItem *items, Value v) {
    Array *a = x.as.array;
    if (a->dtype != F64 || v.tag != V_NUM) return false;
    int64_t offset;
    if (!element_at(a, count, items, &offset)) return false;
    f64_of(a)[offset] = v.as.num;
    return true;
}

Value op_put(Value x, int count, const IndexItem *items, Value v, bool reuse, uint32_t holders) {
    bool recorded = rt.recording && (x.node | v.node);
    bool writable = reuse && !recorded && x.tag == V_ARRAY && array_is_sole(x.as.array, holders);
    if (writable && put_at_once(x, count, items, v)) return constant(x);
    arg_array(v, "the stored value");
    if (!recorded && !writable && x.tag == V_ARRAY && v.tag == V_NUM && count == x.as.array->axes) {
        Value copy = object(array_copy(x.as.array));
        if (put_at_once(copy, count, items, v)) return copy;
    }
    Attr attr[1 + MAX_ITEMS * ITEM_WORDS];
    Value in[2 + MAX_ITEMS];
    in[0] = x;
    in[1] = v;
    int gathers = pack_items(attr + 1, in + 2, count, items);
    attr[0] = count * ITEM_WORDS;
    if (!writable) return apply(OP_put, 2 + gathers, in, attr);
    /* v may be made of x itself, as in x[1:] = x[:-1]: then it is read before x is written */
    bool shared = v.tag == V_ARRAY && v.as.array->owner == x.as.obj;
    Value source = shared ? object(array_copy(v.as.array)) : v;
    put_into(x.as.array, source, count, attr + 1, in + 2);
    return constant(x);
}

static bool has_gathers(const Attr *attr) {
    for (int i = 0; i < attr[0]; i += ITEM_WORDS)
        if ((attr[1 + i] & KIND_BITS) == I_GATHER) return true;
    return false;
}

/* Where a place is stored to several times the last value stays, and only that one gets an
 * adjoint. */
static Value stored_last(Value x, int count, const Value *in, const Attr *attr) {
    Value all[1 + MAX_ITEMS] = { zeros_like(x) };
    memcpy(all + 1, in + 2, (size_t)(count - 2) * sizeof *all);
    Value picked = apply(OP_index, count - 1, all, attr);
    Shape shape = value_shape(picked);
    Array *turn = array_new(F64, shape.axes, shape.dim);
    for (int64_t i = 0; i < turn->size; i++) f64_of(turn)[i] = (double)i;
    Array *board = array_zeros(F64, axes_of(x), value_shape(x).dim);
    put_into(board, object(turn), (int)(attr[0] / ITEM_WORDS), attr + 1, in + 2);
    all[0] = object(board);
    return op_eq(apply(OP_index, count - 1, all, attr), object(turn));
}

Value op_put_rule(int which, Value g, int count, const Value *in, const Attr *attr) {
    Value all[2 + MAX_ITEMS] = { g, number(0) };
    memcpy(all + 2, in + 2, (size_t)(count - 2) * sizeof *all);
    if (which == 0) return apply(OP_put, count, all, attr);
    all[1] = g;
    Value part = apply(OP_index, count - 1, all + 1, attr);
    if (has_gathers(attr)) part = op_where(stored_last(in[0], count, in, attr), part, number(0));
    return op_sum_to(part, in[1]);
}

/* ---- where ---- */
#define CHOOSE(name, T, dtype)                                                                     \
    static void name(int64_t n, char **at, const int64_t *stride, void *env) {                     \
        T *out = (T *)at[0];                                                                       \
        const uint8_t *condition = (const uint8_t *)at[1];                                         \
        const T *x = (const T *)at[2], *y = (const T *)at[3];                                      \
        int64_t c = stride[1], s = stride[2], t = stride[3];                                       \
        (void)env;                                                                                 \
        if (c == 1 && s == 1 && t == 1 && dtype != BOOL)                                           \
            line_kernels->choose[dtype & 1](n, out, condition, x, y);                              \
        else if (c == 1 && s == 1 && t == 0)                                                       \
            for (int64_t i = 0; i < n; i++) out[i] = *(condition[i] ? x + i : y);                  \
        else                                                                                       \
            for (int64_t i = 0; i < n; i++) out[i] = *(condition[i * c] ? x + i * s : y + i * t);  \
    }
CHOOSE(choose_f64, double, F64)
CHOOSE(choose_f32, float, F32)
CHOOSE(choose_bool, uint8_t, BOOL)

Value kernel_where(int count, const Value *in, const Attr *attr) {
    (void)attr;
    Shape shape = value_shape(in[0]);
    int dtype = joint_dtype(2, in + 1);
    for (int i = 1; i < count; i++) {
        Shape other = value_shape(in[i]), joined;
        if (!shapes_join(&shape, &other, &joined)) {
            char left[120], right[120];
            shape_text(shape.axes, shape.dim, left, sizeof left);
            shape_text(other.axes, other.dim, right, sizeof right);
            fail(E_SHAPE, "where: shapes %s and %s do not broadcast", left, right);
        }
        shape = joined;
    }
    Array *arrays[4] = { array_new(dtype, shape.axes, shape.dim) };
    for (int i = 0; i < 3; i++) {
        Array *a = i ? array_cast(array_of(in[i]), dtype)
            : array_of(op_cast(constant(in[0]), BOOL));
        arrays[i + 1] = array_broadcast(a, shape.axes, shape.dim);
    }
    array_walk(4, arrays, dtype == F64 ? choose_f64 : dtype == F32 ? choose_f32 : choose_bool,
               NULL);
    return array_value(arrays[0]);
}

Value op_where(Value condition, Value x, Value y) {
    if (is_number(condition) && is_number(x) && is_number(y)
        && !(rt.recording && (x.node | y.node))) {
        Value chosen = constant(num_of(condition) != 0 ? x : y);
        return x.tag == y.tag ? chosen : number(num_of(chosen));
    }
    return apply(OP_where, 3, (Value[]){ constant(condition), x, y }, ATTR(0));
}

Value op_where_rule(int which, Value g, const Value *in) {
    Value chosen = which == 1 ? op_where(in[0], g, number(0)) : op_where(in[0], number(0), g);
    return op_sum_to(chosen, in[which]);
}

/* ---- calls ---- */
Value call_where(int count, const Value *bound) {
    for (int i = 0; i < count; i++) operand(bound[i], "where");
    return op_where(bound[0], bound[1], bound[2]);
}

static IndexItem gather_of(Value places) {
    if (is_number(places)) return (IndexItem){ .kind = I_AT, .start = arg_int(places, "index") };
    return (IndexItem){ .kind = I_GATHER, .gather = places };
}

/* (x, indices, axis = nil): nil is the flattened array, as in NumPy */
Value call_take(int count, const Value *bound) {
    (void)count;
    int n = operand(bound[0], "take")->axes;
    Value places = bound[1].tag == V_LIST ? call_array(1, &bound[1]) : bound[1];
    operand(places, "take");
    if (!is_given(bound[2])) {
        IndexItem item = gather_of(places);
        return op_index(op_flatten(bound[0]), 1, &item);
    }
    int axis = arg_axis(bound[2], n, "axis");
    IndexItem items[MAX_AXES];
    for (int i = 0; i < axis; i++) items[i] = (IndexItem){ .kind = I_SLICE, .step = 1 };
    items[axis] = gather_of(places);
    return op_index(bound[0], axis + 1, items);
}

/* The places of the k-th diagonal, as two gathers. */
static void diagonal_items(IndexItem *items, int64_t rows, int64_t columns, int64_t k) {
    int64_t first = k < 0 ? -k : 0, right = k > 0 ? k : 0, length = rows - first;
    if (columns - right < length) length = columns - right;
    if (length < 0) length = 0;
    for (int i = 0; i < 2; i++) {
        Array *places = array_new(F64, 1, &length);
        for (int64_t j = 0; j < length; j++) f64_of(places)[j] = (double)(j + (i ? right : first));
        items[i] = (IndexItem){ .kind = I_GATHER, .gather = object(places) };
    }
}

/* (x, k = 0): the k-th diagonal of a matrix, or the matrix with this diagonal */
Value call_diag(int count, const Value *bound) {
    (void)count;
    Value x = bound[0];
    const Array *a = operand(x, "diag");
    int64_t k = is_given(bound[1]) ? arg_int(bound[1], "k") : 0;
    IndexItem items[2];
    if (a->axes == 2) {
        diagonal_items(items, shape_of(a)[0], shape_of(a)[1], k);
        return op_index(x, 2, items);
    }
    if (a->axes != 1)
        fail(E_SHAPE, "diag needs one or two axes, and this array has %d", a->axes);
    int64_t n = shape_of(a)[0] + llabs(k);
    diagonal_items(items, n, n, k);
    Array *square = array_zeros(float_dtype(dtype_of(x)), 2, (int64_t[]){ n, n });
    return op_put(object(square), 2, items, x, false, 0);
}

/* x where the column is at most (lower) or at least the row plus k, else 0, in the last two axes */
static Value triangle(const Value *bound, bool lower, const char *name) {
    Value x = bound[0];
    Shape shape = value_shape(object(operand(x, name)));
    if (shape.axes < 2) fail(E_SHAPE, "%s needs a matrix, and this has %d axes", name, shape.axes);
    int64_t k = is_given(bound[1]) ? arg_int(bound[1], "k") : 0;
    const int64_t *dim = shape.dim + shape.axes - 2;
    Array *mask = array_new(BOOL, 2, dim);
    for (int64_t i = 0; i < dim[0]; i++)
        for (int64_t j = 0; j < dim[1]; j++)
            bool_of(mask)[i * dim[1] + j] = lower ? j <= i + k : j >= i + k;
    return op_where(object(mask), x, number(0));
}

BIND(triu, triangle(bound, false, "triu"))
BIND(tril, triangle(bound, true, "tril"))
