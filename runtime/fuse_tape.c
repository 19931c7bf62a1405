/* Fused expressions on the tape (fuse.h): recording their nodes, and turning them back into nodes
 * that keep their values.
 *
 * A node inside an expression (N_INNER) is missing as an operand of the one node that takes it: the
 * place of the array is empty although the node's id is there. So the nodes of an expression are
 * found from its root, and nothing else has to be written down. What the rules do not need is not
 * kept, and what only the inside needs is kept as the sources it is computed from. */
#include <string.h>
#include "fuse_group.h"

/* ---- recording ---- */
enum { SMALL = 32 };         /* elements of arrays that stay for those who look at the tape */

/* Does the rule of this operation, or computing its result again, need operand k? */
static bool mentions(Op op, int k) {
    if (op == OP_where) return k == 0;
    return k == 0 ? elem_traits[op].needs_x : elem_traits[op].needs_y;
}

static bool needs_result(Op op) { return op != OP_where && elem_traits[op].needs_r; }

/* needed[i]: whether the result of step i has to be computed again by a sweep. */
static void find_needed(const Program *p, bool root_is_kept, bool *needed) {
    memset(needed, 0, (size_t)p->steps);
    for (int i = p->steps - 1; i >= 0; i--) {
        const Step *s = &p->step[i];
        if (needs_result(s->op) && !(i == p->steps - 1 && root_is_kept)) needed[i] = true;
        for (int k = 0; k < s->count; k++)
            if (s->in[k] >= 0) needed[s->in[k]] |= needed[i] || mentions(s->op, k);
    }
}

typedef struct Recording {
    const Program *program;
    const Value *source;
    Value shape_only;            /* in place of a result that only its shape is asked of */
    uint32_t id[PROGRAM_STEPS];
} Recording;

static bool of_the_shape(const Recording *r, const Array *a) {
    const Program *p = r->program;
    return a->dtype == p->dtype && same_shape(a->axes, shape_of(a), p->axes, p->shape);
}

/* Operand k of a step as the tape keeps it: UNSET with a node for one from inside the expression,
 * or one that nothing needs. */
static Value operand_kept(const Recording *r, const Step *s, int k, bool needed) {
    Value v = UNSET;
    if (s->in[k] >= 0) {
        v.node = r->id[s->in[k]];
        return v;
    }
    v = r->source[~s->in[k]];
    if (v.tag != V_ARRAY || needed || tape_keeps() || mentions(s->op, k) ||
        v.as.array->size <= SMALL || !of_the_shape(r, v.as.array))
        return v;
    Value dropped = s->op == OP_where ? r->shape_only : UNSET;   /* its rule asks for the shape */
    dropped.node = v.node;
    return dropped;
}

static Operand tape_operand(Node *n, Value v, uint16_t flag) {
    if (is_number(v)) return (Operand){ .num = num_of(v) };
    n->head |= flag;
    return (Operand){ .array = v.tag == V_ARRAY ? node_keep(v.as.array) : NULL };
}

/* Is this the operand of a `where`, whose rule asks for its shape? */
static bool goes_into_where(const Program *p, int i) {
    for (int j = i + 1; j < p->steps; j++)
        for (int k = 0; k < 3 && p->step[j].op == OP_where; k++)
            if (p->step[j].in[k] == i) return true;
    return false;
}

static bool is_broadcast(const Recording *r, const Step *s) {
    for (int k = 0; k < s->count; k++) {
        Value v = s->in[k] < 0 ? r->source[~s->in[k]] : UNSET;
        if (v.tag != V_UNSET && !(v.tag == V_ARRAY && of_the_shape(r, v.as.array))) return true;
    }
    return false;
}

static uint32_t append(Recording *r, int i, bool needed, Value kept) {
    const Step *s = &r->program->step[i];
    Value in[3] = { number(0), number(0), number(0) };
    for (int k = 0; k < s->count; k++) in[k] = operand_kept(r, s, k, needed);
    bool asked = is_broadcast(r, s) || goes_into_where(r->program, i);
    if (kept.tag == V_UNSET && asked) kept = r->shape_only;
    rt.here = s->span;
    uint32_t id;
    if (s->op == OP_where) {
        id = tape_append(OP_where, 3, in, kept.tag == V_UNSET ? number(0) : kept, ATTR(0));
        node_at(id)->head |= N_R;
        if (kept.tag == V_UNSET) node_at(id)->r.array = NULL;
    } else {
        Node *n = tape_push(&id);
        *n = (Node){ .head = (uint16_t)(s->op | N_R), .span = s->span, .a = in[0].node,
                     .b = in[1].node };
        n->x = tape_operand(n, in[0], N_X);
        n->y = tape_operand(n, in[1], N_Y);
        n->r.array = kept.tag == V_ARRAY ? node_keep(kept.as.array) : NULL;
    }
    chunk_has_objects(rt.tape->top);
    if (i < r->program->steps - 1) node_at(id)->head |= N_INNER;
    return id;
}

static Value shape_only(const Program *p) {
    int64_t strides[MAX_AXES] = { 0 };
    Array *one = array_new(p->dtype, 0, NULL);
    memset(one->data, 0, dtype_bytes(p->dtype));
    return object(array_view(one, p->axes, p->shape, strides, 0));
}

uint32_t fuse_record(const Program *p, const Value *source, Value result) {
    Recording r = { .program = p, .source = source, .shape_only = shape_only(p) };
    bool needed[PROGRAM_STEPS];
    Span here = rt.here;
    int last = p->steps - 1;
    bool keeps = result.tag == V_ARRAY && (tape_keeps() || needs_result(p->step[last].op) ||
                                           is_broadcast(&r, &p->step[last]));
    find_needed(p, keeps, needed);
    for (int i = 0; i <= last; i++)
        r.id[i] = append(&r, i, needed[i], i == last && keeps ? result : UNSET);
    rt.tape->fused |= last > 0;
    rt.here = here;
    return r.id[last];
}

/* ---- reading ---- */
Value node_operand(const Node *n, int k) {
    if (has_extra(n)) return n->x.extra ? n->x.extra->in[k] : UNSET;
    Value v = k ? node_y(n) : node_x(n);
    v.node = k ? n->b : n->a;
    return v;
}

static bool is_inner(Value v) {
    return v.tag == V_UNSET && v.node && v.node < LEAF && node_at(v.node)->head & N_INNER;
}

bool fuse_is_root(const Node *n) {
    int op = node_op(n);
    if (n->head & N_INNER || !op_is_tiled(op)) return false;
    int count = op == OP_where ? 3 : operations[op].arity;
    for (int k = 0; k < count; k++)
        if (is_inner(node_operand(n, k))) return true;
    return false;
}

int group_read(Group *g, uint32_t id) {
    const Node *n = node_at(id);
    int op = node_op(n);
    Step step = { .op = (uint16_t)op, .span = n->span,
                  .count = (uint8_t)(op == OP_where ? 3 : operations[op].arity) };
    for (int k = 0; k < step.count; k++) {
        Value v = node_operand(n, k);
        if (is_inner(v)) {
            step.in[k] = (int8_t)group_read(g, v.node);
        } else {
            step.in[k] = (int8_t)~g->sources;
            g->source[g->sources++] = v;
        }
    }
    g->id[g->steps] = id;
    g->step[g->steps] = step;
    return g->steps++;
}

/* ---- expanding ---- */
static void store_operand(Node *n, int k, Value v) {
    if (has_extra(n)) {
        v.node = n->x.extra->in[k].node;
        n->x.extra->in[k] = v;
        node_keep(v.as.array);
    } else {
        (k ? &n->y : &n->x)->array = node_keep(v.as.array);
    }
}

static Value compute(const Node *n) {
    Value in[3];
    int op = node_op(n), count = op == OP_where ? 3 : operations[op].arity;
    for (int k = 0; k < count; k++) {
        in[k] = node_operand(n, k);
        in[k].node = 0;
        if (in[k].tag == V_UNSET) return UNSET;
    }
    return apply(op, count, in, ATTR(0));
}

static void expand(uint32_t root) {
    Group g = { .steps = 0 };
    size_t pool = pool_mark();
    group_read(&g, root);
    for (int i = 0; i < g.steps; i++) {
        Node *n = node_at(g.id[i]);
        bool inner = n->head & N_INNER;
        chunk_of(g.id[i])->keeps = true;
        rt.here = n->span;
        Value r = inner || !n->r.array ? compute(n) : UNSET;
        n->head &= (uint16_t)~N_INNER;
        bool shape_only = r.tag != V_ARRAY;
        if (shape_only) {
            r = node_r(n);
            if (r.tag != V_ARRAY) continue;
        } else {
            Array *old = n->r.array;
            n->r.array = node_keep(r.as.array);
            node_drop(old);
        }
        for (int j = i + 1; j < g.steps; j++)
            for (int k = 0; k < g.step[j].count; k++)
                if (g.step[j].in[k] == i && (!shape_only || g.step[j].op == OP_where))
                    store_operand(node_at(g.id[j]), k, r);
    }
    pool_unwind(pool);
}

void fuse_expand(uint64_t low, uint64_t high) {
    if (!rt.tape->fused) return;
    bool was = rt.recording;
    Span here = rt.here;
    rt.recording = false;
    for (Chunk *c = rt.tape->first; c && c->base <= high; c = c->next) {
        if (c->base + c->used <= low || !c->objects) continue;
        for (uint32_t i = 0; i < c->used; i++) {
            bool inside = c->base + i >= low && c->base + i <= high;
            if (inside && c->base + i && fuse_is_root(&c->node[i]))
                expand(c->slot << CHUNK_SHIFT | i);
        }
    }
    rt.recording = was;
    rt.here = here;
}

void fuse_expand_all(void) { fuse_expand(0, UINT64_MAX); }
