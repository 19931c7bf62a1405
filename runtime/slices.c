/* Adjoints that come slice by slice (slices.h). The one idea: what is written of such an adjoint is
 * one interval of one axis. A slice beside it is copied and makes it longer, with zeros in between
 * if there is a gap; a slice inside it is added. */
#include <string.h>
#include "slices.h"

enum { LEAST = 256 };       /* elements of an array that is worth it */

static bool is_whole(const IndexItem *item) {
    return item->kind == I_SLICE && !item->has_start && !item->has_stop && item->step == 1;
}

static int64_t inside(int64_t i, int64_t n) {
    if (i < 0) i += n;
    return i < 0 ? 0 : i > n ? n : i;
}

/* The interval that an index picks, if it picks one of one axis and all of the others. */
static bool find_interval(const Attr *attr, const Array *x, Interval *found) {
    int items = (int)(attr[0] / INDEX_WORDS), axis = 0;
    found->axis = -1;
    for (int i = 0; i < items; i++) {
        IndexItem item = index_item(attr + 1, i);
        if (item.kind == I_ELLIPSIS) {
            axis = x->axes - (items - 1 - i);
            continue;
        }
        if (item.kind != I_AT && item.kind != I_SLICE) return false;
        int at = axis++;
        if (is_whole(&item)) continue;
        if (found->axis >= 0 || at < 0 || at >= x->axes) return false;
        if (item.kind == I_SLICE && item.step != 1) return false;
        int64_t n = shape_of(x)[at];
        found->axis = at;
        found->low = item.kind == I_AT || item.has_start ? inside(item.start, n) : 0;
        found->high = item.kind == I_AT ? found->low + 1 : item.has_stop ? inside(item.stop, n) : n;
    }
    return found->axis >= 0 && found->low < found->high;
}

static void zero(Array *whole, int axis, int64_t from, int64_t to) {
    if (from >= to) return;
    int64_t dim[MAX_AXES];
    memcpy(dim, shape_of(whole), (size_t)whole->axes * sizeof *dim);
    dim[axis] = to - from;
    array_fill(array_view(whole, whole->axes, dim, strides_of(whole),
                          from * strides_of(whole)[axis]), 0);
}

static bool has_arrived(const Sweep *s, uint32_t id) {
    if (id >= LEAF) {
        int64_t at = idmap_get(&s->leaf_index, id);
        return at >= 0 && s->leaf_adjoint[at].tag != V_UNSET;
    }
    const Chunk *c = chunk_of(id);
    return c->owner == s->id &&
           adjoint_at(s, c->block, node_at(id), id & CHUNK_MASK).tag != V_UNSET;
}

static Sliced *find(Sweep *s, uint32_t id) {
    for (int i = 0; i < s->slices; i++) if (s->sliced[i].id == id) return &s->sliced[i];
    return NULL;
}

static void finish(Sweep *s, Sliced *one) {
    Sliced done = *one;
    *one = s->sliced[--s->slices];
    const Interval *in = &done.written;
    size_t pool = pool_mark();
    zero(done.whole, in->axis, 0, in->low);
    zero(done.whole, in->axis, in->high, shape_of(done.whole)[in->axis]);
    pool_unwind(pool);
}

void slices_finish(Sweep *s, uint32_t id) {
    for (int i = s->slices - 1; i >= 0; i--)
        if (!id || s->sliced[i].id == id) finish(s, &s->sliced[i]);
}

/* The first slice: the adjoint is made, and nothing but the slice is written. */
static bool begin(Sweep *s, const Extra *extra, Value g, Interval slice) {
    uint32_t id = extra->in[0].node;
    const Array *x = extra->in[0].as.array;
    if (s->slices == SLICED || x->size < LEAST || has_arrived(s, id)) return false;
    Array *whole = array_like(x, x->dtype == F32 ? F32 : F64);
    index_write(whole, g, extra->in + 1, extra->attr);
    add_value(s, id, object(whole));
    s->sliced[s->slices++] = (Sliced){ id, whole, slice };
    return true;
}

bool slices_write(Sweep *s, const Extra *extra, Value g) {
    Interval slice = { 0 };
    if (extra->in[0].tag != V_ARRAY || !find_interval(extra->attr, extra->in[0].as.array, &slice))
        return false;
    Sliced *one = find(s, extra->in[0].node);
    if (!one) return begin(s, extra, g, slice);
    Interval *written = &one->written;
    bool below = slice.high <= written->low, above = slice.low >= written->high;
    bool within = slice.low >= written->low && slice.high <= written->high;
    if (slice.axis != written->axis || !(below || above || within)) return false;
    if (within) {
        index_add(one->whole, g, extra->in + 1, extra->attr);
        return true;
    }
    if (below) zero(one->whole, slice.axis, slice.high, written->low);
    if (above) zero(one->whole, slice.axis, written->high, slice.low);
    index_write(one->whole, g, extra->in + 1, extra->attr);
    if (below) written->low = slice.low;
    if (above) written->high = slice.high;
    return true;
}
