/* The pullback of an elementwise operation on small vectors (array.h), in a plain sweep: what most
 * nodes of models on few numbers are. The one idea: contributions are made on the C stack and
 * added in place, and where nobody else knows the node's adjoint, its memory travels on to the
 * input. So a chain of operations sweeps without allocating. Whatever is not that simple is left
 * to pull_elementwise(). Data of small vectors is aligned (mem.h), and so is what is made here. */
#include <string.h>
#include "line_kernels.h"
#include "pullback.h"

enum { ALIGNED = 64 };
typedef double Tile[SMALL_SIZE] __attribute__((aligned(ALIGNED)));
#define aligned(data) __builtin_assume_aligned(data, ALIGNED)

typedef struct Contribution {
    uint32_t input;
    bool made;
    const double *data;          /* the node's own adjoint, or what was made of it */
} Contribution;

static inline bool is_like(const Array *a, const Array *g) {
    return is_inlined_vector(a) && a->size == g->size;
}
/* Is this operand an array like g? */
static inline bool is_kept(Operand operand, bool array, const Array *g) {
    return array && operand.array && is_like(operand.array, g);
}
/* May the rule do without it? An input that it does not mention may be missing, since the tape only
 * drops what has the shape of the result; a constant may be anything. */
static inline bool goes_unmentioned(Operand operand, bool array, uint32_t id, const Array *g) {
    return !id || (array && (!operand.array || is_like(operand.array, g)));
}

/* The data of an operand beside g, NULL if it is of another shape; of a constant number as often
 * as g has elements, in `tile`. */
static inline __attribute__((always_inline)) const double *
data_of(Operand operand, bool array, uint32_t id, const Array *g, double *tile) {
    if (array) return is_kept(operand, true, g) ? operand.array->data : NULL;
    if (id) return NULL;
    for (int64_t i = 0; i < g->size; i++) tile[i] = operand.num;
    return tile;
}

/* ---- loops ---- */
static inline void add_in_place(double *restrict sum, const double *restrict part, int64_t n) {
    sum = aligned(sum), part = aligned(part);
    for (int64_t i = 0; i < n; i++) sum[i] += part[i];
}

static inline void copy(double *restrict out, const double *restrict in, int64_t n) {
    out = aligned(out), in = aligned(in);
    for (int64_t i = 0; i < n; i++) out[i] = in[i];
}

/* ---- adding up ---- */
/* Nobody but the sweep knows it. */
static inline bool is_ours(const Array *a) {
    static const Obj sole = { .refs = 1, .tag = V_ARRAY };
    return memcmp(&a->head, &sole, sizeof sole) == 0;
}
static inline bool is_free(Array *const *place) {
    return ((const Operand *)(const void *)place)->bits == NOT_REACHED;
}

/* The general way, for chunks touched for the first time and the like. */
static __attribute__((noinline)) void add_slowly(Sweep *s, const Contribution *c, Array *g) {
    size_t pool = pool_mark();
    Array *part = g;
    if (c->made) {
        part = pool_own(small_vector_like(g));
        memcpy(part->data, c->data, (size_t)g->size * sizeof(double));
    }
    add_value(s, c->input, object(part));
    pool_unwind(pool);
}

/* Where the adjoint of an input stands in this sweep; NULL if there is no place yet. */
static inline __attribute__((always_inline)) Array **place_of_adjoint(Sweep *s, uint32_t id) {
    if (id >= LEAF) {
        int64_t at = s->last_vector_leaf_at;
        if (id != s->last_vector_leaf) at = idmap_get(&s->leaf_index, id);
        if (at < 0 || s->leaf_adjoint[at].tag != V_ARRAY) return NULL;
        s->last_vector_leaf = id;
        s->last_vector_leaf_at = at;
        return &s->leaf_adjoint[at].as.array;
    }
    Chunk *c = chunk_of(id);
    return c->owner == s->id ? &c->block->number[id & CHUNK_MASK].array : NULL;
}

/* Adds to the adjoint at `place`, where one has arrived before; somebody else may know that one. */
static inline void add_to_arrived(Sweep *s, Array **place, const Contribution *c, Array *g) {
    Array *sum = *place;
    if (!is_like(sum, g)) {
        add_slowly(s, c, g);
    } else if (is_ours(sum)) {
        add_in_place(sum->data, c->data, g->size);
    } else {
        Array *own = small_vector_like(sum);
        copy(own->data, sum->data, g->size);
        add_in_place(own->data, c->data, g->size);
        *place = own;
        array_drop(sum);
    }
}

/* Gives an input its adjoint, where none has arrived. last: g is not needed any more; true if its
 * memory went there. */
static inline bool add_to_free(Array **place, const Contribution *c, Array *g, bool last) {
    if (c->made && !(last && is_ours(g))) {
        Array *fresh = small_vector_like(g);
        copy(fresh->data, c->data, g->size);
        *place = fresh;
        return false;
    }
    if (c->made) copy(g->data, c->data, g->size);
    *place = g;
    if (!last) obj_keep(g);
    return last;
}

/* Adds to an input's adjoint; last and the result as above. */
static inline bool add_small(Sweep *s, Array **place, const Contribution *c, Array *g, bool last) {
    if (!place) {
        add_slowly(s, c, g);
        return false;
    }
    if (!is_free(place)) {
        add_to_arrived(s, place, c, g);
        return false;
    }
    return add_to_free(place, c, g, last);
}

/* What flows on through a chain goes last, and takes g's memory. A place is looked for again where
 * adding to another may have made room for it. */
static inline void hand_on(Sweep *s, const Contribution *part, int parts, Array *g) {
    Array **place = parts ? place_of_adjoint(s, part->input) : NULL;
    int last = parts - 1;
    if (parts == 2) {
        bool first_flows = place && is_free(place);
        const Contribution *other = &part[first_flows];
        if (first_flows) last = 0;
        add_small(s, first_flows ? place_of_adjoint(s, other->input) : place, other, g, false);
        place = place_of_adjoint(s, part[last].input);
    }
    bool moved = parts && add_small(s, place, &part[last], g, true);
    if (!moved) array_drop(g);
}

/* ---- one node ---- */
/* g times the derivative by one input; false if the zero rule has to look. */
static bool contribute(int op, int which, const Array *g, const double *x, const double *y,
                       const double *r, Contribution *c, double *made) {
    c->made = elem_traits[op].slope[which] != SLOPE_ONE;
    c->data = c->made ? made : g->data;
    if (!c->made) return true;
    bool nans = elem_kernels[op].pull[which][F64](g->size, made, g->data, x, y, r);
    return !nans || operations[op].class == C_SELECT;
}

/* Any elementwise operation, by its kernels. False: it is not that simple. */
static bool pull_any(Sweep *s, const Node *n, Array *g, bool by_x, bool by_y) {
    int op = node_op(n), parts = 0;
    const ElemTraits *t = &elem_traits[op];
    Tile x_tile, y_tile, made[2];
    Contribution part[2];
    const double *x = g->data, *y = x, *r = x;
    if (t->needs_x) x = data_of(n->x, n->head & N_X, n->a, g, x_tile);
    else if (!goes_unmentioned(n->x, n->head & N_X, n->a, g)) return false;
    if (t->needs_y) y = data_of(n->y, n->head & N_Y, n->b, g, y_tile);
    else if (!goes_unmentioned(n->y, n->head & N_Y, n->b, g)) return false;
    if (t->needs_r) r = data_of(n->r, true, 0, g, NULL);
    if (!x || !y || !r) return false;
    if (by_x) {
        part->input = n->a;
        if (!contribute(op, 0, g, x, y, r, &part[parts++], made[0])) return false;
    }
    if (by_y) {
        part[parts].input = n->b;
        if (!contribute(op, 1, g, x, y, r, &part[parts++], made[1])) return false;
    }
    hand_on(s, part, parts, g);
    return true;
}

static inline bool is_wanted(const Sweep *s, uint32_t id) {
    return s->tape_mode ? id != 0 : wanted(s, id);
}

/* A link of a chain, a sum or product: one input has its whole adjoint from here, and takes the
 * memory of g; the other, most often a leaf, has got some before. False: it is not that simple. */
static inline bool pull_link(Sweep *s, const Node *n, Array *g, Way way) {
    Array **a = place_of_adjoint(s, n->a), **b = place_of_adjoint(s, n->b);
    if (!a || !b || is_free(a) == is_free(b)) return false;
    bool a_flows = is_free(a);
    Array *sum = a_flows ? *b : *a, **flows = a_flows ? a : b;
    if (!is_ours(g) || !is_ours(sum) || !is_like(sum, g)) return false;
    if (way == WAY_SUM) {
        if (!goes_unmentioned(n->x, n->head & N_X, n->a, g) ||
            !goes_unmentioned(n->y, n->head & N_Y, n->b, g)) return false;
        line_kernels->add[F64](g->size, sum->data, g->data);
    } else {
        if (!is_kept(n->x, n->head & N_X, g) || !is_kept(n->y, n->head & N_Y, g)) return false;
        const Array *by_sum = a_flows ? n->x.array : n->y.array;
        const Array *by_flow = a_flows ? n->y.array : n->x.array;
        if (!line_kernels->pull_product(g->size, g->data, sum->data, by_sum->data, by_flow->data))
            return false;
    }
    *flows = g;
    return true;
}

static inline bool pull_one(Sweep *s, const Node *n, Array *g) {
    bool by_x = is_wanted(s, n->a), by_y = is_wanted(s, n->b);
    Way way = pull_ways[node_op(n)];
    if (by_x && by_y && (way == WAY_SUM || way == WAY_PRODUCT) && pull_link(s, n, g, way))
        return true;
    return pull_any(s, n, g, by_x, by_y);
}

uint32_t pull_small(Sweep *s, Chunk *c, uint32_t first, uint32_t i, uint32_t stop) {
    Operand *adjoint = c->block->number;
    const uint16_t passed = s->tape_mode && !s->retain ? N_SWEPT : 0;
    stop &= ~(uint32_t)(N_X | N_Y);
    for (; i > first; i--) {
        Node *n = &c->node[i - 1];
        if ((((uint32_t)n->held << 16 | n->head) & stop) != N_R || node_op(n) >= OP_ELEMS) break;
        if (adjoint[i - 1].bits == NOT_REACHED) continue;
        Array *g = adjoint[i - 1].array;
        if (!is_small_vector(g)) break;
        if (!pull_one(s, n, g)) break;
        n->head |= passed;
        adjoint[i - 1].bits = NOT_REACHED;
    }
    return i;
}
