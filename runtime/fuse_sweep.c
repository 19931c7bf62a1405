/* The sweep of a fused expression (fuse_pull). The one idea: for each tile, the values that the
 * rules need are computed again, and then the adjoint of the tile is handed from step to step,
 * while all of it is in the cache; only contributions to what is outside are written to memory.
 *
 * A contribution to an array is written to a fresh one, and fit() undoes its broadcasting later; a
 * contribution to a number is summed tile by tile. Where the adjoint of the whole reaches an
 * operand unchanged, through additions, nothing is computed. */
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include "fuse_group.h"
#include "kernels.h"
#include "line_kernels.h"
#include "par.h"
#include "pullback.h"

/* Where a contribution to a source goes: to an array, added to what is in it if `adds`; or to a
 * number, as totals of blocks, which are two tiles each as in any sum. */
enum { NUMBERS = 4, BLOCK = 2 * FUSED };
typedef struct Out {
    Array *array;
    double *totals;
    int number;
    bool adds, grows;       /* added to the array; others are added to it */
} Out;

typedef struct Inside {
    Group g;
    int dtype;
    int64_t size, width;
    bool missing[2 * PROGRAM_STEPS + 2], root_is_kept, streams;
    Value whole;                     /* the adjoint of the expression */
    bool all_ones;                   /* ... and it is 1 everywhere */
    int numbers;
    bool computed[PROGRAM_STEPS];    /* its value is needed */
    bool active[PROGRAM_STEPS];      /* its adjoint is needed */
    bool through[PROGRAM_STEPS];     /* ... and is that of the whole */
    Array *stored[PROGRAM_STEPS];    /* ... and goes to memory, as contributions to its operands */
    PassLoop *loop[PROGRAM_STEPS];   /* ... by this loop, with its operand negated or not */
    bool negated[PROGRAM_STEPS];
    int8_t fetched[FETCHED];
    Out out[PROGRAM_STEPS][3];
    _Atomic bool nans;
    Source source[2 * PROGRAM_STEPS + 2], adjoint;   /* the first sources are opened; not cleared */
} Inside;

static bool passes_on(const Step *s, int k) {
    return s->op < OP_ELEMS && elem_traits[s->op].slope[k] == SLOPE_ONE;
}

static bool differentiable(const Step *s, int k) {
    return s->op == OP_where ? k > 0 : operations[s->op].class <= C_SELECT;
}

/* ---- planning ---- */
static bool source_wanted(const Sweep *sweep, const Inside *in, const Step *s, int k) {
    return s->in[k] < 0 && differentiable(s, k) && wanted(sweep, in->g.source[~s->in[k]].node);
}

/* How many operands of the expression are this node? */
static int uses(const Inside *in, uint32_t node) {
    int count = 0;
    for (int i = 0; i < in->g.steps; i++)
        for (int k = 0; k < in->g.step[i].count; k++) {
            int at = ~in->g.step[i].in[k];
            count += at >= 0 && in->g.source[at].node == node;
        }
    return count;
}

/* The contribution to a source where that is an array which exists: the factor beside it, if the
 * adjoint that arrives is 1. Several contributions are better added up where they are computed. */
static Value existing(const Inside *in, int i, int k) {
    const Step *s = &in->g.step[i];
    if (!in->all_ones || !in->through[i] || s->count != 2 || s->in[1 - k] >= 0) return UNSET;
    if (uses(in, in->g.source[~s->in[k]].node) > 1) return UNSET;
    Value other = in->g.source[~s->in[1 - k]];
    return operand_as_slope(s->op, k, in->whole, k ? other : UNSET, k ? UNSET : other);
}

/* From the first step to the last: which adjoints reach something that is wanted. */
static void find_active(const Sweep *sweep, Inside *in) {
    const Group *g = &in->g;
    for (int i = 0; i < g->steps; i++)
        for (int k = 0; k < g->step[i].count; k++)
            in->active[i] |= g->step[i].in[k] >= 0 ? in->active[g->step[i].in[k]]
                                                   : source_wanted(sweep, in, &g->step[i], k);
    in->through[g->steps - 1] = true;
    for (int i = g->steps - 1; i >= 0; i--)
        for (int k = 0; k < g->step[i].count; k++)
            if (g->step[i].in[k] >= 0)
                in->through[g->step[i].in[k]] = in->through[i] && passes_on(&g->step[i], k);
}

/* Does an active step hand on more than its own adjoint, so that its rule has to be computed? */
static bool has_work(const Sweep *sweep, const Inside *in, int i) {
    const Step *s = &in->g.step[i];
    for (int k = 0; k < s->count; k++) {
        bool wants = s->in[k] >= 0 ? in->active[s->in[k]] : source_wanted(sweep, in, s, k);
        bool exists = s->in[k] < 0 && existing(in, i, k).tag != V_UNSET;
        if (wants && !exists && !passes_on(s, k)) return true;
    }
    return false;
}

static void find_computed(const Sweep *sweep, Inside *in) {
    const Group *g = &in->g;
    Value r = node_r(node_at(g->id[g->steps - 1]));
    in->root_is_kept = r.tag == V_ARRAY && !r.as.array->owner;    /* a view stands for its shape */
    for (int i = g->steps - 1; i >= 0; i--) {
        const Step *s = &g->step[i];
        bool work = in->active[i] && has_work(sweep, in, i);
        const ElemTraits *t = s->op == OP_where ? NULL : &elem_traits[s->op];
        if (work && t && t->needs_r) in->computed[i] = true;
        bool again = in->computed[i] && !(in->root_is_kept && i == g->steps - 1);
        for (int k = 0; k < s->count; k++)
            if (s->in[k] >= 0 && (again || (work && (!t || (k ? t->needs_y : t->needs_x)))))
                in->computed[s->in[k]] = true;
    }
}

/* Opens the sources; the last step's result is one if the tape kept it and a rule needs it. */
static void open_sources(Inside *in, const Array *model) {
    Group *g = &in->g;
    int last = g->steps - 1;
    for (int i = 0; i < g->steps; i++)
        for (int k = 0; k < g->step[i].count; k++) {
            int at = ~g->step[i].in[k];
            if (at < 0) continue;
            in->missing[at] = g->source[at].tag == V_UNSET;
            int dtype = g->step[i].op == OP_where && k == 0 ? BOOL : in->dtype;
            source_open(&in->source[at], in->missing[at] ? number(0) : g->source[at], dtype,
                        model->axes, shape_of(model));
        }
    Value r = node_r(node_at(g->id[last]));
    if (!in->root_is_kept || !in->computed[last]) return;
    g->source[g->sources] = r;
    source_open(&in->source[g->sources], r, in->dtype, model->axes, shape_of(model));
    g->step[last].slot = (int8_t)~g->sources++;
}

/* Kept as a source? Then slot says where. */
static bool is_kept(const Step *s) { return s->slot < 0; }

static bool has_adjoint(const Sweep *s, uint32_t id) {
    if (id >= LEAF) {
        int64_t at = idmap_get(&s->leaf_index, id);
        return at >= 0 && s->leaf_adjoint[at].tag != V_UNSET;
    }
    Chunk *c = chunk_of(id);
    if (c->owner != s->id) return false;
    return adjoint_at(s, c->block, node_at(id), id & CHUNK_MASK).tag != V_UNSET;
}

/* May the contributions to this node be added up before they are added to its adjoint? Only if that
 * is the same sum: nothing has arrived yet, and none goes another way. */
static bool adds_up(const Sweep *s, const Inside *in, uint32_t id) {
    for (int i = 0; i < in->g.steps; i++)
        for (int k = 0; k < in->g.step[i].count; k++)
            if (source_wanted(s, in, &in->g.step[i], k) && passes_on(&in->g.step[i], k) &&
                in->g.source[~in->g.step[i].in[k]].node == id) return false;
    return !has_adjoint(s, id);
}

static void open_out(const Sweep *sweep, Inside *in, int i, int k, const Array *model) {
    const Step *s = &in->g.step[i];
    if (!source_wanted(sweep, in, s, k) || passes_on(s, k)) return;
    if (existing(in, i, k).tag != V_UNSET) return;
    Value v = in->g.source[~s->in[k]];
    Out *out = &in->out[i][k];
    if (is_number(v) && in->numbers < NUMBERS) {
        out->totals = pool_bytes((size_t)par_chunks(in->size, BLOCK) * sizeof(double));
        out->number = in->numbers++;
        return;
    }
    bool one_place = v.tag != V_NUM && adds_up(sweep, in, v.node);
    for (int j = in->g.steps - 1; one_place && j >= i; j--)
        for (int m = 0; m < in->g.step[j].count; m++) {
            Out *earlier = &in->out[j][m];
            if ((j == i && m >= k) || !earlier->array || in->g.step[j].in[m] >= 0) continue;
            Value w = in->g.source[~in->g.step[j].in[m]];
            if (w.node != v.node) continue;
            *out = (Out){ .array = earlier->array, .adds = true };
            earlier->grows = true;
            return;
        }
    out->array = array_like(model, in->dtype);
}

/* An adjoint that additions hand on unchanged to an operand from outside is stored once for all. */
static void open_stored(const Sweep *sweep, Inside *in, int i, const Array *model) {
    const Step *s = &in->g.step[i];
    if (in->through[i]) return;
    for (int k = 0; k < s->count; k++)
        if (source_wanted(sweep, in, s, k) && passes_on(s, k) && !in->stored[i])
            in->stored[i] = array_like(model, in->dtype);
}

/* Steps that are computed beside memory; so is a negation that nothing else asks for. */
static void choose_loops(Inside *in) {
    int last = in->g.steps - 1;
    choose_fetched(in->g.sources, in->source, in->fetched);
    for (int i = 0; i <= last; i++) {
        const Step *s = &in->g.step[i];
        if (!in->computed[i] || s->slot < 0 || s->count != 1) continue;
        int j = s->in[0];
        bool asked = in->active[i] && elem_traits[s->op].needs_x;
        in->negated[i] = j >= 0 && in->g.step[j].op == OP_neg && !asked;
        in->loop[i] = fetching_loop(s->op, in->negated[i], in->dtype);
        if (!in->loop[i]) in->negated[i] = false;
        else if (in->negated[i]) in->computed[j] = false;
    }
}

/* ---- tiles ---- */
typedef double Tile[FUSED] __attribute__((aligned(64)));

typedef struct Tiles {
    const void *source[2 * PROGRAM_STEPS + 2], *value[PROGRAM_STEPS], *adjoint[PROGRAM_STEPS];
    Tile loaded[PROGRAM_SOURCES + 2], result[PROGRAM_STEPS], slot[PROGRAM_STEPS], spare, zeros;
    Tile number[NUMBERS][2];
    Ahead next;
} Tiles;

static const void *operand_tile(const Tiles *t, const Step *s, int k) {
    return s->in[k] < 0 ? t->source[~s->in[k]] : t->value[s->in[k]];
}

static void compute_values(const Inside *in, Tiles *t, int64_t n) {
    for (int i = 0; i < in->g.steps; i++) {
        const Step *s = &in->g.step[i];
        t->value[i] = t->source[in->g.sources];                    /* something to point to */
        if (!in->computed[i]) continue;
        if (is_kept(s)) {
            t->value[i] = t->source[~s->slot];
            continue;
        }
        const void *x[3];
        for (int k = 0; k < s->count; k++) x[k] = operand_tile(t, s, k);
        if (s->count == 1) x[1] = x[0];
        if (in->negated[i]) x[0] = operand_tile(t, &in->g.step[s->in[0]], 0);
        if (in->loop[i]) in->loop[i](n, t->result[i], x, &t->next);
        else step_run(s, in->dtype, n, t->result[i], x);
        t->value[i] = t->result[i];
    }
}

static void *element_at(const Inside *in, const Array *a, int64_t at) {
    return (char *)a->data + at * in->width;
}

/* The contribution of operand k where it is the other operand as it is: the adjoint is 1. */
static const void *as_it_is(const Inside *in, const Tiles *t, int i, int k) {
    const Step *s = &in->g.step[i];
    if (!in->all_ones || !in->through[i] || s->op >= OP_ELEMS) return NULL;
    int slope = elem_traits[s->op].slope[k];
    if (slope == SLOPE_R) return t->value[i];
    return slope == SLOPE_X || slope == SLOPE_Y ? operand_tile(t, s, slope == SLOPE_Y) : NULL;
}

/* The contribution of operand k to `to`. */
static bool pull_one(const Inside *in, const Tiles *t, int i, int k, int64_t n, void *to) {
    const Step *s = &in->g.step[i];
    const void *g = t->adjoint[i], *x = operand_tile(t, s, 0);
    if (s->op == OP_where) {
        line_kernels->choose[in->dtype](n, to, x, k == 1 ? g : t->zeros, k == 1 ? t->zeros : g);
        return false;
    }
    const void *y = s->count == 2 ? operand_tile(t, s, 1) : x;
    bool nan = elem_kernels[s->op].pull[k][in->dtype](n, to, g, x, y, t->value[i]);
    return nan && operations[s->op].class != C_SELECT;
}

static void store(const Inside *in, void *to, const void *from, int64_t n) {
    if (in->streams) line_kernels->stream(to, from, n * in->width);
    else memcpy(to, from, (size_t)(n * in->width));
}

static bool pull_source(const Inside *in, Tiles *t, int i, int k, int64_t at, int64_t n) {
    const Out *out = &in->out[i][k];
    void *place = out->array ? element_at(in, out->array, at) : NULL;
    if (out->totals) {
        char *block = (char *)t->number[out->number];
        bool second = at / FUSED % 2;
        bool nan = pull_one(in, t, i, k, n, block + (second ? FUSED * in->width : 0));
        if (second || at + n == in->size)
            out->totals[at / BLOCK] = line_kernels->sum[in->dtype](block, second ? FUSED + n : n);
        return nan;
    }
    const void *other = as_it_is(in, t, i, k);
    if (other && !out->adds && !out->grows) {
        store(in, place, other, n);
        return false;
    }
    bool spare = out->adds || (in->streams && !out->grows);
    bool nan = pull_one(in, t, i, k, n, spare ? t->spare : place);
    if (out->adds) line_kernels->add[in->dtype](n, place, t->spare);
    else if (spare) line_kernels->stream(place, t->spare, n * in->width);
    return nan;
}

static bool pull_inner(const Inside *in, Tiles *t, int i, int k, int64_t at, int64_t n) {
    int j = in->g.step[i].in[k];
    void *stored = in->stored[j] ? element_at(in, in->stored[j], at) : NULL;
    if (passes_on(&in->g.step[i], k)) {
        t->adjoint[j] = t->adjoint[i];
        if (stored) store(in, stored, t->adjoint[i], n);
        return false;
    }
    const void *other = as_it_is(in, t, i, k);
    if (other && !stored) {
        t->adjoint[j] = other;
        return false;
    }
    void *to = stored && !in->streams ? stored : t->slot[j];
    t->adjoint[j] = to;
    bool nan = pull_one(in, t, i, k, n, to);
    if (stored && in->streams) store(in, stored, to, n);
    return nan;
}

static bool pull_tile(const Inside *in, Tiles *t, int64_t at, int64_t n) {
    int last = in->g.steps - 1;
    bool nan = false;
    for (int k = 0; k < in->g.sources; k++)
        t->source[k] = in->missing[k] ? (void *)t->zeros
                                      : source_load(&in->source[k], at, n, t->loaded[k]);
    t->source[in->g.sources] = t->zeros;
    t->next = sources_ahead(in->source, in->fetched, at + FUSED);
    t->adjoint[last] = source_load(&in->adjoint, at, n, t->loaded[PROGRAM_SOURCES + 1]);
    compute_values(in, t, n);
    for (int i = last; i >= 0; i--) {
        const Step *s = &in->g.step[i];
        if (!in->active[i]) continue;
        for (int k = 0; k < s->count; k++) {
            if (s->in[k] >= 0 && in->active[s->in[k]]) nan |= pull_inner(in, t, i, k, at, n);
            else if (in->out[i][k].array || in->out[i][k].totals)
                nan |= pull_source(in, t, i, k, at, n);
        }
    }
    return nan;
}

static __attribute__((noinline)) void pull_chunk(int64_t chunk, void *env) {
    Inside *in = env;
    Tiles t;
    int64_t first = chunk * FUSED * CHUNK_TILES, end = first + FUSED * CHUNK_TILES;
    if (rt.interrupted || in->nans) return;
    if (end > in->size) end = in->size;
    memset(t.zeros, 0, sizeof t.zeros);
    for (int k = 0; k < in->g.sources; k++)
        if (in->source[k].kind == SOURCE_REPEATED) source_fill(&in->source[k], t.loaded[k]);
    if (in->adjoint.kind == SOURCE_REPEATED)
        source_fill(&in->adjoint, t.loaded[PROGRAM_SOURCES + 1]);
    for (int64_t at = first; at < end; at += FUSED)
        if (pull_tile(in, &t, at, end - at < FUSED ? end - at : FUSED)) in->nans = true;
    if (in->streams) line_kernels->streamed();
}

/* ---- one expression ---- */
static bool has_outputs(const Inside *in) {
    for (int i = 0; i < in->g.steps; i++) {
        if (in->stored[i]) return true;
        for (int k = 0; k < 3; k++)
            if (in->out[i][k].array || in->out[i][k].totals) return true;
    }
    return false;
}

static void contribute(Sweep *s, const Inside *in, int i, int k, Value g) {
    const Step *step = &in->g.step[i];
    if (!source_wanted(s, in, step, k)) return;
    Value v = in->g.source[~step->in[k]], c;
    const Out *out = &in->out[i][k];
    Value exists = existing(in, i, k);
    if (exists.tag != V_UNSET) c = exists;
    else if (passes_on(step, k)) c = in->through[i] ? g : object(in->stored[i]);
    else if (out->totals) c = number(join_sums(out->totals, par_chunks(in->size, BLOCK)));
    else if (out->adds) return;
    else c = object(out->array);
    uint32_t node = v.node;
    v.node = 0;
    add_value(s, node, fit(c, v));
}

/* The nodes inside are passed with the last one. */
static void mark_passed(Sweep *s, const Group *g) {
    if (!s->tape_mode || s->retain) return;
    for (int i = 0; i < g->steps - 1; i++) {
        node_at(g->id[i])->head |= N_SWEPT;
        if (!tape_keeps()) note_passed(s, chunk_of(g->id[i]));
    }
}

bool fuse_pull(Sweep *s, uint32_t id, Value g) {
    Inside in;
    memset(&in, 0, offsetof(Inside, source));
    const Array *model = g.as.array;
    in.size = model->size;
    in.dtype = dtype_of(g) == F32 ? F32 : F64;
    in.width = (int64_t)dtype_bytes(in.dtype);
    in.streams = in.size * in.width >= STREAM_FROM;
    in.whole = g;
    in.all_ones = is_all_ones(g);
    group_read(&in.g, id);
    find_active(s, &in);
    find_computed(s, &in);
    open_sources(&in, model);
    choose_loops(&in);
    source_open(&in.adjoint, g, in.dtype, model->axes, shape_of(model));
    for (int i = in.g.steps - 1; i >= 0; i--) {
        open_stored(s, &in, i, model);
        for (int k = 0; k < in.g.step[i].count; k++) open_out(s, &in, i, k, model);
    }
    if (has_outputs(&in)) par_for(par_chunks(in.size, FUSED * CHUNK_TILES), pull_chunk, &in);
    poll();
    if (in.nans) {
        fuse_expand(position_of(id), position_of(id));
        return false;
    }
    for (int i = in.g.steps - 1; i >= 0; i--)
        for (int k = 0; k < in.g.step[i].count; k++) contribute(s, &in, i, k, g);
    mark_passed(s, &in.g);
    return true;
}
