/* The zero rule: mended products, and liveness, the boolean pass that finds what a selection
 * dropped.
 *
 * The pass is a reverse sweep on masks of zeros and ones: an elementwise node hands its mask on, a
 * selection hands it on where its weight is not zero, a C_LINEAR or C_SELECTION row runs its own
 * pullback on the mask, any other row makes all of its inputs live if one element of it is. */
#include <math.h>
#include "elem.h"
#include "fuse.h"
#include "zero.h"

typedef struct MaskBlock { Chunk *chunk; Value mask[CHUNK]; } MaskBlock;

struct Liveness {
    MaskBlock **block;     /* by chunk slot, as many as there were when the pass began */
    size_t slots;
    uint64_t at;           /* nodes above this position have handed on their masks */
    uint64_t low;
};

bool all_finite(Value v) {
    if (is_number(v)) return isfinite(num_of(v));
    Value sum =
        op_sum(op_mul((Value){ V_ARRAY, 0, { .array = v.as.array } }, number(0)), ALL_AXES, false);
    Array *a = array_of(sum);
    return array_get(a, 0) == 0;
}

static Value *mask_at(Liveness *l, uint32_t id) {
    size_t slot = id >> CHUNK_SHIFT;
    if (slot >= l->slots) return NULL;
    if (!l->block[slot]) {
        MaskBlock *b = l->block[slot] = mem_alloc(sizeof *b);
        for (int i = 0; i < CHUNK; i++) b->mask[i] = UNSET;
    }
    return &l->block[slot]->mask[id & CHUNK_MASK];
}

static Value as_mask(Value v) { return op_cast(op_ne(v, number(0)), F64); }

static void add_mask(Liveness *l, uint32_t id, Value mask) {
    if (!id || id >= LEAF || position_of(id) < l->low) return;
    Value *place = mask_at(l, id);
    if (!place) return;
    Value old = *place, sum = old.tag == V_UNSET ? mask : op_maximum(old, mask);
    *place = value_keep(sum);
    if (old.tag != V_UNSET) value_drop(old);
}

static Value input_mask(Value mask, Value input) {
    if (input.tag == V_UNSET) return mask;
    if (is_number(input)) return as_mask(is_number(mask) ? mask : op_sum_to(mask, number(0)));
    return as_mask(op_sum_to(mask, op_cast(input, F64)));
}

static void spread_elementwise(Liveness *l, const Node *n, Value mask) {
    int op = node_op(n);
    Value x = node_x(n), y = node_y(n), r = node_r(n);
    for (int which = 0; which < operations[op].arity; which++) {
        uint32_t input = which ? n->b : n->a;
        if (!input) continue;
        Value m = mask;
        if (elem_selects(op, which))
            m = op_mul(m, op_cast(op_ne(elem_slope(op, which, x, y, r), number(0)), F64));
        add_mask(l, input, input_mask(m, which ? y : x));
    }
}

static void spread_row(Liveness *l, const Node *n, Value mask) {
    const Extra *extra = n->x.extra;
    int op = node_op(n), class = operations[op].class;
    Value *in = pool_bytes((size_t)extra->count * sizeof *in);
    for (int i = 0; i < extra->count; i++) {
        in[i] = extra->in[i];
        in[i].node = 0;
    }
    bool exact = op != OP_part && (class == C_LINEAR || class == C_SELECTION);
    Pull p = {
        .op = op, .count = extra->count, .g = mask, .r = node_r(n), .in = in, .attr = extra->attr
    };
    for (p.which = 0; p.which < extra->count; p.which++) {
        uint32_t id = extra->in[p.which].node;
        if (!id || id >= LEAF) continue;
        Value m =
            exact && row_differentiable(op, p.which) ? row_pullback(&p) : ones_like(in[p.which]);
        if (m.tag != V_UNSET) add_mask(l, id, as_mask(m));
    }
}

static void begin(Liveness **state, int heads, const Value *head, uint64_t low) {
    Liveness *l = *state = mem_alloc_zeroed(sizeof *l);
    l->block = mem_alloc_zeroed(rt.tape->slots * sizeof *l->block);
    l->slots = rt.tape->slots;
    l->low = low;
    for (int i = 0; i < heads; i++) {
        if (!is_recorded(head[i])) continue;
        Value constant = head[i];
        constant.node = 0;
        add_mask(l, head[i].node, op_cast(ones_like(constant), F64));
        uint64_t position = position_of(head[i].node);
        if (position > l->at) l->at = position;
    }
    fuse_expand(low, l->at);
}

/* Hands masks on from the highest node down to just above `stop`. */
static void spread_down_to(Liveness *l, uint64_t stop) {
    Chunk *c = rt.tape->top;
    while (c && c->base > l->at) c = c->previous;
    for (; c && l->at > stop; c = c->previous) {
        if (c->base + c->used <= stop) break;
        for (; l->at > stop && l->at >= c->base && l->at > 0; l->at--) {
            uint32_t offset = (uint32_t)(l->at - c->base), id = c->slot << CHUNK_SHIFT | offset;
            if (offset >= c->used) continue;
            const Node *n = &c->node[offset];
            Value *mask = mask_at(l, id);
            if (!mask || mask->tag == V_UNSET) continue;
            size_t pool = pool_mark();
            if (!has_extra(n)) spread_elementwise(l, n, *mask);
            else if (n->x.extra) spread_row(l, n, *mask);
            pool_unwind(pool);
        }
    }
}

Value liveness_of(Liveness **state, int heads, const Value *head, uint32_t id, uint64_t low) {
    bool was = rt.recording;
    rt.recording = false;
    if (!*state) begin(state, heads, head, low);
    spread_down_to(*state, position_of(id));
    rt.recording = was;
    const Value *mask = mask_at(*state, id);
    return mask ? *mask : UNSET;
}

void liveness_free(Liveness *l) {
    if (!l) return;
    for (size_t s = 0; s < l->slots; s++) {
        if (!l->block[s]) continue;
        for (int i = 0; i < CHUNK; i++)
            if (l->block[s]->mask[i].tag != V_UNSET) value_drop(l->block[s]->mask[i]);
        mem_free(l->block[s], sizeof *l->block[s]);
    }
    mem_free(l->block, l->slots * sizeof *l->block);
    mem_free(l, sizeof *l);
}

static Value constant_of(Value v) {
    v.node = 0;
    return v;
}

/* A zero against a derivative that is not finite. */
static Value zero_meets_nonfinite(Value g, Value d) {
    return op_logical_and(op_eq(g, number(0)), op_logical_not(op_isfinite(d)));
}

Value mended_product(Value g, Value d, Value r, Value live) {
    bool was = rt.recording;
    rt.recording = false;
    Value gc = constant_of(g), dc = constant_of(d), rc = constant_of(r);
    Value clash = zero_meets_nonfinite(gc, dc);
    Value dead = live.tag == V_UNSET ? clash : op_logical_and(clash, op_eq(live, number(0)));
    Value mend = op_logical_or(dead, op_logical_and(clash, op_isfinite(rc)));
    Value product = op_where(mend, number(0), op_mul(gc, dc));
    product = op_cast(product, dtype_of(gc) == F32 ? F32 : F64);
    rt.recording = was;
    if (!was) return product;
    Value in[2] = { g, d };
    if (g.node | d.node) product.node = tape_append(OP_mul, 2, in, product, NULL);
    Value any = op_sum(op_cast(dead, F64), ALL_AXES, false);
    return num_of(constant_of(any)) > 0 ? op_where(op_logical_not(dead), product, number(0))
                                        : product;
}
