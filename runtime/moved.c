/* The zero rule (zero.h), forward: what a tangent of zero becomes under a derivative that is not
 * finite, and a tangent that is not finite under a derivative of zero.
 *
 * The first depends on whether the element moves at all when the seeds do. The masks that tell are
 * found by one walk upwards, as far as they are asked for. */
#include "elem.h"
#include "forward_inside.h"
#include "zero.h"

static Value moved(Forward *f, uint32_t id);
static Value as_mask(Value v) { return op_cast(op_ne(constant_of(v), number(0)), F64); }

static Value any_to_ones(Value mask, Value like) {
    Value total = is_number(mask) ? mask : op_sum(mask, ALL_AXES, false);
    return num_of(constant_of(total)) > 0 ? op_cast(ones_like(constant_of(like)), F64) : UNSET;
}

static Value join_masks(Value a, Value b) {
    return a.tag == V_UNSET ? b : b.tag == V_UNSET ? a : op_maximum(a, b);
}

static Value moved_elementwise(Forward *f, const Node *n) {
    int op = node_op(n);
    Value x = node_x(n), y = node_y(n), r = node_r(n), sum = UNSET;
    for (int which = 0; which < operations[op].arity; which++) {
        Value m = moved(f, which ? n->b : n->a);
        if (m.tag == V_UNSET) continue;
        if (elem_selects(op, which)) m = op_mul(m, as_mask(elem_slope(op, which, x, y, r)));
        sum = join_masks(sum, m);
    }
    if (sum.tag == V_UNSET || is_number(r) || r.tag == V_UNSET) return sum;
    return op_expand_to(sum, op_cast(r, F64));
}

static Value moved_row(Forward *f, const Node *n) {
    const Extra *extra = n->x.extra;
    int op = node_op(n);
    bool ruled = op != OP_custom && op != OP_part;      /* the table knows its inputs */
    Value *in = pool_bytes((size_t)extra->count * sizeof *in), any = UNSET;
    for (int i = 0; i < extra->count; i++) {
        Value m = moved(f, extra->in[i].node);
        in[i] = constant_of(extra->in[i]);
        if (ruled && !row_differentiable(op, i)) continue;
        in[i] = m.tag != V_UNSET ? m : is_numeric(in[i]) ? op_cast(zeros_like(in[i]), F64) : in[i];
        if (m.tag != V_UNSET) any = join_masks(any, is_number(m) ? m : op_max(m, ALL_AXES, false));
    }
    if (any.tag == V_UNSET) return UNSET;
    if (operations[op].class == C_LINEAR && ruled)
        return as_mask(apply(op, extra->count, in, extra->attr));
    return any_to_ones(any, node_r(n));
}

static Value seed_mask(const Forward *f, uint32_t id) {
    Value sum = UNSET;
    for (int i = 0; i < f->count; i++)
        if (f->x[i].node == id) sum = join_masks(sum, as_mask(f->seed[i]));
    return sum;
}

static Value moved(Forward *f, uint32_t id) {
    if (!id) return UNSET;
    if (id >= LEAF) return seed_mask(f, id);
    uint64_t position = position_of(id);
    if (position < f->low || position >= f->masked) return UNSET;
    Value m = f->masks.as.list->item[0].as.list->item[position - f->low];
    return m.tag == V_NIL ? UNSET : m;
}

/* The masks of all nodes below `position`. */
static void find_masks(Forward *f, uint64_t position) {
    if (f->masks.as.list->item[0].tag == V_NIL)
        list_set(f->masks, 0, list_new(f->high - f->low + 1));
    Chunk *c = rt.tape->first;
    while (c->next && c->next->base <= f->masked) c = c->next;
    for (; c && f->masked < position; c = c->next) {
        for (; f->masked < position && f->masked < c->base + c->used; f->masked++) {
            if (f->masked < c->base) f->masked = c->base;
            uint32_t offset = (uint32_t)(f->masked - c->base), id = c->slot << CHUNK_SHIFT | offset;
            const Node *n = &c->node[offset];
            if (tangent_at(f, n, f->masked).tag == V_UNSET) continue;
            size_t pool = pool_mark();
            Value m = seed_mask(f, id);
            if (m.tag == V_UNSET) m = has_extra(n) ? moved_row(f, n) : moved_elementwise(f, n);
            if (m.tag != V_UNSET) list_set(f->masks.as.list->item[0], f->masked - f->low, m);
            pool_unwind(pool);
        }
    }
}

static Value input_moved(Forward *f, uint32_t id, uint64_t position) {
    bool was = rt.recording;
    rt.recording = false;
    find_masks(f, position);
    rt.recording = was;
    return moved(f, id);
}

/* Where a value is finite by itself: a product of something that is not finite was mended (zero.h),
 * and hides it. */
static Value honestly_finite(Value v, uint32_t id) {
    Value finite = op_isfinite(constant_of(v));
    if (!id || id >= LEAF || node_op(node_at(id)) != OP_mul) return finite;
    Value factor[2] = { node_x(node_at(id)), node_y(node_at(id)) };
    for (int i = 0; i < 2; i++)
        if (factor[i].tag != V_UNSET)
            finite = op_logical_and(finite, op_isfinite(constant_of(factor[i])));
    return finite;
}

/* t * d: 0 where d is 0, t is not finite and the input is; and where t is 0, d is not finite and
 * the element does not move. */
Value mended_tangent(Forward *f, Value t, Value d, Value input, uint32_t id, uint64_t position) {
    Value still = input_moved(f, id, position);
    bool was = rt.recording;
    rt.recording = false;
    Value tc = constant_of(t), dc = constant_of(d);
    Value unmoved = still.tag == V_UNSET ? boolean(true) : op_eq(still, number(0));
    Value dead = op_logical_and(
        op_logical_and(op_eq(tc, number(0)), op_logical_not(op_isfinite(dc))), unmoved);
    Value flat = op_logical_and(op_eq(dc, number(0)), op_logical_not(op_isfinite(tc)));
    if (input.tag != V_UNSET) flat = op_logical_and(flat, honestly_finite(input, id));
    Value product = op_where(op_logical_or(dead, flat), number(0), op_mul(tc, dc));
    rt.recording = was;
    if (!was) return product;
    Value in[2] = { t, d };
    if (t.node | d.node) product.node = tape_append(OP_mul, 2, in, product, NULL);
    return op_where(op_logical_not(dead), product, number(0));
}
