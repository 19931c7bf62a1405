/* The pullback of an elementwise operation on small vectors (array.h), in a plain sweep: what most
 * nodes of models on few numbers are. The one idea: contributions are made on the C stack and
 * added in place, and where nobody else knows the node's adjoint, its memory travels on to the
 * input. So a chain of operations sweeps without allocating. Whatever is not that simple is left
 * to pull_elementwise(). */
#include <string.h>
#include "pullback.h"

typedef struct Contribution {
    uint32_t input;
    const double *data;          /* the node's own adjoint, or: */
    double made[SMALL_SIZE];
} Contribution;

/* The data of an operand beside an adjoint like g, NULL if it is of another shape. What the rule
 * does not mention may be anything, unless it gets a contribution that would have to be summed; or
 * missing, since the tape only drops what has the shape of the result. */
static inline __attribute__((always_inline)) const double *
data_of(Operand operand, bool array, bool mentioned, uint32_t id, const Array *g, double *tile) {
    if (!mentioned && !id) return g->data;
    if (array) {
        const Array *a = operand.array;
        if (!a) return mentioned ? NULL : g->data;
        return is_small_vector(a) && a->size == g->size ? a->data : NULL;
    }
    if (id) return NULL;
    for (int64_t i = 0; i < g->size; i++) tile[i] = operand.num;
    return tile;
}

static inline void add_in_place(double *restrict sum, const double *restrict part, int64_t n) {
    for (int64_t i = 0; i < n; i++) sum[i] += part[i];
}

/* Nobody but the sweep knows it. */
static bool is_ours(const Array *a) { return a->head.refs == 1 && !a->head.pooled; }

/* The general way, for chunks touched for the first time and the like. */
static void add_slowly(Sweep *s, const Contribution *c, Array *g) {
    size_t pool = pool_mark();
    Array *part = g;
    if (c->data == c->made) {
        part = pool_own(small_vector_like(g));
        memcpy(part->data, c->made, (size_t)g->size * sizeof(double));
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

/* Adds to an input's adjoint, which stands at `place`. last: g is not needed any more; true if its
 * memory went to the input. */
static inline bool add_small(Sweep *s, Array **place, const Contribution *c, Array *g, bool last) {
    if (!place) {
        add_slowly(s, c, g);
        return false;
    }
    bool made = c->data == c->made;
    if (((Operand *)(void *)place)->bits != NOT_REACHED) {
        Array *sum = *place;
        bool alike = is_small_vector(sum) && sum->size == g->size;
        if (is_ours(sum) && alike) add_in_place(sum->data, c->data, g->size);
        else add_slowly(s, c, g);
        return false;
    }
    if (made && !(last && is_ours(g))) {
        Array *fresh = small_vector_like(g);
        memcpy(fresh->data, c->made, (size_t)g->size * sizeof(double));
        *place = fresh;
        return false;
    }
    if (made) memcpy(g->data, c->made, (size_t)g->size * sizeof(double));
    *place = g;
    if (!last) obj_keep(g);
    return last;
}

/* g times the derivative by one input; false if the zero rule has to look. */
static inline bool contribute(int op, int which, const Array *g, const double *x, const double *y,
                              const double *r, Contribution *c) {
    if (elem_traits[op].slope[which] == SLOPE_ONE) {
        c->data = g->data;
        return true;
    }
    c->data = c->made;
    bool nans = elem_kernels[op].pull[which][F64](g->size, c->made, g->data, x, y, r);
    return !nans || operations[op].class == C_SELECT;
}

/* What flows on through a chain goes last, and takes g's memory. A place is looked for again where
 * adding to another may have made room for it. */
static void hand_on(Sweep *s, const Contribution *part, int parts, Array *g) {
    Array **place = parts ? place_of_adjoint(s, part->input) : NULL;
    int last = parts - 1;
    if (parts == 2) {
        bool first_flows = place && ((Operand *)(void *)place)->bits == NOT_REACHED;
        const Contribution *other = &part[first_flows];
        if (first_flows) last = 0;
        add_small(s, first_flows ? place_of_adjoint(s, other->input) : place, other, g, false);
        place = place_of_adjoint(s, part[last].input);
    }
    bool moved = parts && add_small(s, place, &part[last], g, true);
    if (!moved) obj_drop(g);
}

bool pull_small(Sweep *s, Chunk *c, uint32_t i) {
    Node *n = &c->node[i];
    int op = node_op(n);
    Operand *place = &c->block->number[i];
    if (op >= OP_ELEMS || (n->head & (N_R | N_SWEPT | N_TARGET)) != N_R) return false;
    if (place->bits == NOT_REACHED) return true;
    Array *g = place->array;
    if (!is_small_vector(g) || (s->tape_mode && n->held)) return false;
    const ElemTraits *t = &elem_traits[op];
    double x_tile[SMALL_SIZE], y_tile[SMALL_SIZE];
    const double *x = data_of(n->x, n->head & N_X, t->needs_x, n->a, g, x_tile);
    const double *y = data_of(n->y, n->head & N_Y, t->needs_y, n->b, g, y_tile);
    const double *r = t->needs_r ? data_of(n->r, true, true, 0, g, NULL) : g->data;
    if (!x || !y || !r) return false;
    Contribution part[2];
    int parts = 0;
    bool all = s->tape_mode;
    if (all ? n->a != 0 : wanted(s, n->a)) {
        part[parts].input = n->a;
        if (!contribute(op, 0, g, x, y, r, &part[parts++])) return false;
    }
    if (all ? n->b != 0 : wanted(s, n->b)) {
        part[parts].input = n->b;
        if (!contribute(op, 1, g, x, y, r, &part[parts++])) return false;
    }
    if (s->tape_mode && !s->retain) n->head |= N_SWEPT;
    place->bits = NOT_REACHED;
    hand_on(s, part, parts, g);
    return true;
}
