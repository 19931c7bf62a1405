/* Indexing: reading, replacing and adding to parts of an array.
 *
 * The one idea: an index stands in the attr as it was written, relative to no shape, so that the
 * tape can show it; what it means on one array, pick.c finds. */
#include <string.h>
#include "line_kernels.h"
#include "pick.h"

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

/* ---- v in the place that an index picks ---- */
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

/* ---- a mask over all axes ----
 * The places where it is true need not be listed: elements are taken or stored while the flags go
 * by, without a branch for each. */
#define MASKED(suffix, T)                                                                          \
    static int64_t take_##suffix(int64_t n, const void *x_, const uint8_t *flags, void *to_,       \
                                 int64_t wanted) {                                                 \
        const T *x = x_;                                                                           \
        T *to = to_;                                                                               \
        int64_t taken = 0;                                                                         \
        for (int64_t i = 0; i < n && taken < wanted; i++) {                                        \
            to[taken] = x[i];                                                                      \
            taken += flags[i] != 0;                                                                \
        }                                                                                          \
        return taken;                                                                              \
    }                                                                                              \
    static int64_t store_##suffix(int64_t n, void *x_, const uint8_t *flags, const void *from_,    \
                                  int64_t step, int64_t wanted) {                                  \
        T *x = x_;                                                                                 \
        const T *from = from_;                                                                     \
        int64_t stored = 0;                                                                        \
        for (int64_t i = 0; i < n && stored < wanted; i++) {                                       \
            const T *one = flags[i] ? from : x + i;                                                \
            x[i] = *one;                                                                           \
            from += flags[i] ? step : 0;                                                           \
            stored += flags[i] != 0;                                                               \
        }                                                                                          \
        return stored;                                                                             \
    }
MASKED(f64, double)
MASKED(f32, float)
MASKED(bool, uint8_t)

enum { FLAGS = 1 << 16 };   /* between two polls */

/* The mask, if the index is one and it has the shape of x, and both lie in order. */
static const Array *whole_mask(const Array *x, int count, const Attr *words,
                               const Value *gathers) {
    if (count != 1 || (words[0] & KIND_BITS) != I_GATHER) return NULL;
    if (gathers->tag != V_ARRAY || gathers->as.array->dtype != BOOL) return NULL;
    const Array *mask = gathers->as.array;
    bool fits = x->axes && same_shape(mask->axes, shape_of(mask), x->axes, shape_of(x));
    return fits && array_is_contiguous(mask) && array_is_contiguous(x) ? mask : NULL;
}

static int64_t trues(const Array *mask) {
    return (int64_t)line_kernels->nonzeros[BOOL](mask->data, mask->size);
}

static Array *take_masked(const Array *x, const Array *mask) {
    static int64_t (*const take[])(int64_t, const void *, const uint8_t *, void *, int64_t) = {
        [F64] = take_f64, [F32] = take_f32, [BOOL] = take_bool
    };
    int64_t wanted = trues(mask), width = (int64_t)dtype_bytes(x->dtype);
    Array *out = array_new(x->dtype, 1, &wanted);
    char *to = out->data;
    for (int64_t i = 0; i < x->size && wanted; i += FLAGS) {
        int64_t n = x->size - i < FLAGS ? x->size - i : FLAGS;
        int64_t taken = take[x->dtype](n, (const char *)x->data + i * width, bool_of(mask) + i, to,
                                       wanted);
        wanted -= taken;
        to += taken * width;
        poll();
    }
    return out;
}

/* from: one element, or as many as the mask has true ones; of the dtype of x. */
static void store_masked(Array *x, const Array *mask, const Array *from) {
    static int64_t (*const store[])(int64_t, void *, const uint8_t *, const void *, int64_t,
                                    int64_t) = {
        [F64] = store_f64, [F32] = store_f32, [BOOL] = store_bool
    };
    int64_t wanted = trues(mask), width = (int64_t)dtype_bytes(x->dtype), step = from->size > 1;
    const char *at = from->data;
    for (int64_t i = 0; i < x->size && wanted; i += FLAGS) {
        int64_t n = x->size - i < FLAGS ? x->size - i : FLAGS;
        char *to = (char *)x->data + i * width;
        int64_t stored = store[x->dtype](n, to, bool_of(mask) + i, at, step, wanted);
        wanted -= stored;
        at += stored * step * width;
        poll();
    }
}

/* ---- reading ---- */
Value kernel_index(int count, const Value *in, const Attr *attr) {
    (void)count;
    Pick p;
    int items = (int)(attr[0] / ITEM_WORDS);
    const Array *mask = whole_mask(array_of(in[0]), items, attr + 1, in + 1);
    if (mask) return array_value(take_masked(array_of(in[0]), mask));
    pick(&p, array_of(in[0]), items, attr + 1, in + 1);
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
    const Array *mask = whole_mask(out, items, attr + 2 + axes, in + 1);
    if (mask && size_of(in[0]) == trues(mask)) {
        store_masked(out, mask, array_contiguous(array_cast(array_of(in[0]), out->dtype)));
        return array_value(out);
    }
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

void index_write(Array *whole, Value g, const Value *gathers, const Attr *attr) {
    Pick p;
    pick(&p, whole, (int)(attr[0] / ITEM_WORDS), attr + 1, gathers);
    write_picked(&p, g, WRITE);
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
    const Array *mask = whole_mask(x, count, words, gathers);
    bool fits = mask && axes_of(v) < 2 && (size_of(v) == 1 || size_of(v) == trues(mask));
    if (fits && (x->dtype != BOOL || dtype_of(v) == BOOL)) {
        store_masked(x, mask, array_contiguous(array_cast(array_of(v), x->dtype)));
        return;
    }
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

/* May it name a place several times? The true places of a mask differ from each other. */
static bool may_repeat(const Attr *attr, const Value *gathers) {
    bool gathered = false;
    for (int i = 0; i < attr[0]; i += ITEM_WORDS) {
        if ((attr[1 + i] & KIND_BITS) != I_GATHER) continue;
        if (dtype_of(*gathers++) == BOOL) return false;
        gathered = true;
    }
    return gathered;
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
    if (may_repeat(attr, in + 2))
        part = op_where(stored_last(in[0], count, in, attr), part, number(0));
    return op_sum_to(part, in[1]);
}
