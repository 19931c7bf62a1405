/* The reverse sweep. Reads best from sweep_run() upwards: it seeds the heads, walks the chunks
 * backwards, and hands the adjoint of every node that was reached to its pullback (pullback.h),
 * which adds contributions to the adjoints of the inputs (adjoint.h). */
#include <string.h>
#include "fuse.h"
#include "pullback.h"
#include "slices.h"
#include "weights.h"

/* ---- one sweep ---- */
static void note_target(Sweep *s, uint32_t id, Value g) {
    int64_t at = idmap_get(&s->target_index, id);
    if (at >= 0) replace(&s->result[at], g);
}

static _Noreturn void already_swept(const Node *n) {
    Tape *t = rt.tape;
    if (t->failed_sweep && t->failed_sweep == t->sweeps - 1) {
        hint("compute the value again inside record < ... > and sweep that");
        fail(E_GRADIENT, "the last sweep of this value ended in an error, half way");
    }
    if (rt.on_swept) rt.on_swept(n->span, t->sweep_span);
    hint("keep the tape with retain = true, or compute the value again");
    fail(E_GRADIENT, "this value, or one it was computed from, was already swept");
}

static Value run_hook(const Value *hook, Value g) {
    if (!hook || hook->tag != V_FUNCTION) return g;
    Value replaced = hook->as.function->call(hook->as.function, 1, &g);
    if (replaced.tag == V_NIL) return g;
    Shape have = value_shape(g), want = have;
    if (is_numeric(replaced)) have = value_shape(replaced);
    if (!is_numeric(replaced) || !same_shape(have.axes, have.dim, want.axes, want.dim)) {
        char what[80], shape[80];
        shape_text(want.axes, want.dim, shape, sizeof shape);
        fail(E_GRADIENT, "on_grad: the hook gave %s, but the adjoint it replaces has shape %s",
             describe(replaced, what, sizeof what), shape);
    }
    return op_cast(replaced, dtype_of(g));
}

static inline void pull(Sweep *s, uint32_t id, const Node *n, Value g) {
    Span here = rt.here;
    rt.here = n->span;
    if (has_extra(n)) pull_row(s, id, n, g);
    else pull_elementwise(s, id, n, g);
    rt.here = here;
}

static __attribute__((noinline)) void look_at(Sweep *s, uint32_t id, const Node *n, Value g) {
    if (s->look->replaced) g = s->look->replaced(s->look->env, id, g);
    s->look->arrived(s->look->env, id, g);
    s->at = id;
    pull(s, id, n, g);
}

static void visit(Sweep *s, Chunk *c, uint32_t offset, Value g) {
    Node *n = &c->node[offset];
    uint32_t id = c->slot << CHUNK_SHIFT | offset;
    if (__builtin_expect(s->look != NULL, 0)) {
        look_at(s, id, n, g);
        return;
    }
    if (n->head & N_SWEPT) already_swept(n);
    if (n->head & N_TARGET) g = run_hook(tape_hook(id), g);
    if (s->tape_mode && n->held) tape_keep_adjoint(id, g);
    if (s->tape_mode && !s->retain) n->head |= N_SWEPT;
    if (n->head & N_TARGET) note_target(s, id, g);
    pull(s, id, n, g);
}

/* The adjoint of a node that was visited: nothing more can arrive at it, and if nobody keeps it its
 * memory serves the next. */
static void forget(const Sweep *s, Block *b, const Node *n, uint32_t offset) {
    Value g = adjoint_at(s, b, n, offset);
    if (!is_object(g)) return;
    if (s->recorded) values_of(b)[offset] = UNSET;
    else b->number[offset].bits = NOT_REACHED;
    value_drop(g);
}

static void sweep_chunk(Sweep *s, Chunk *c) {
    Block *b = c->block;
    uint32_t first = c->base < s->low ? (uint32_t)(s->low - c->base) : 0;
    uint32_t last = c->base + c->used - 1 > s->high ? (uint32_t)(s->high - c->base) : c->used - 1;
    uint32_t stop = N_X | N_Y | N_R | N_SWEPT | N_TARGET;
    if (s->tape_mode) stop |= 0xffff0000;    /* held: its adjoint stays readable */
    bool plain = !s->recorded && !s->look;
    poll();
    for (uint32_t i = last + 1; i > first; i--) {
        if (plain && !(c->node[i - 1].head & N_R)) {
            i = pull_numbers(s, c, first, i, stop);
            if (i == first) return;
        }
        if (plain && c->node[i - 1].head & N_R) {
            i = pull_small(s, c, first, i, stop);
            if (i == first) return;
            if (!(c->node[i - 1].head & N_R)) { i++; continue; }
        }
        slices_settle(s, c->slot << CHUNK_SHIFT | (i - 1));
        weights_settle(s, c->slot << CHUNK_SHIFT | (i - 1));
        Value g = adjoint_at(s, b, &c->node[i - 1], i - 1);
        if (g.tag == V_UNSET || (i == 1 && c->base == 0)) continue;
        size_t pool = pool_mark();
        visit(s, c, i - 1, g);
        pool_unwind(pool);
        forget(s, b, &c->node[i - 1], i - 1);
        poll();
    }
}

static void find_range(Sweep *s) {
    s->low = 0;
    s->high = 0;
    for (int i = 0; i < s->heads; i++) {
        uint64_t position = is_recorded(s->head[i]) ? position_of(s->head[i].node) : 0;
        if (position > s->high) s->high = position;
    }
    if (s->tape_mode) return;
    uint64_t low = UINT64_MAX;
    for (int i = 0; i < s->targets; i++) {
        uint32_t id = s->target[i].node;
        if (id && id < LEAF && position_of(id) < low) low = position_of(id);
        if (id >= LEAF) low = 0;    /* a leaf may be named by any node */
    }
    s->low = s->floor ? s->floor : low == UINT64_MAX ? s->high + 1 : low;
}

static void index_targets(Sweep *s) {
    for (int i = 0; i < s->targets; i++) {
        uint32_t id = s->target[i].node;
        if (id >= LEAF && idmap_get(&s->leaf_index, id) < 0) {
            s->leaf_adjoint = mem_grow(s->leaf_adjoint, &s->leaf_capacity, s->leaves + 1,
                                       sizeof *s->leaf_adjoint);
            s->leaf_adjoint[s->leaves] = UNSET;
            idmap_put(&s->leaf_index, id, (uint32_t)s->leaves++);
        }
        if (id) idmap_put(&s->target_index, id, (uint32_t)i);
        if (id && id < LEAF) node_at(id)->head |= N_TARGET;
    }
}

/* Ends a sweep, finished or not. */
static void close_sweep(Sweep *s) {
    while (s->open) close_block(s, s->open, UINT32_MAX);
    for (int i = 0; i < s->targets; i++)
        if (is_recorded(s->target[i]) && !tape_hook(s->target[i].node))
            node_at(s->target[i].node)->head &= (uint16_t)~N_TARGET;
    for (Sweep *o = s->outer; o; o = o->outer)      /* an outer sweep may want the same nodes */
        for (int i = 0; i < o->targets; i++)
            if (is_recorded(o->target[i])) node_at(o->target[i].node)->head |= N_TARGET;
    for (size_t i = 0; i < s->leaves; i++)
        if (s->leaf_adjoint[i].tag != V_UNSET) value_drop(s->leaf_adjoint[i]);
    if (s->leaf_capacity) mem_free(s->leaf_adjoint, s->leaf_capacity * sizeof *s->leaf_adjoint);
    if (s->leaf_id_capacity) mem_free(s->leaf_id, s->leaf_id_capacity * sizeof *s->leaf_id);
    if (s->passed_capacity) mem_free(s->passed, s->passed_capacity * sizeof *s->passed);
    for (int i = 0; i < s->targets; i++)
        if (s->result[i].tag != V_UNSET) value_drop(s->result[i]);
    if (s->targets) mem_free(s->result, (size_t)s->targets * sizeof *s->result);
    idmap_free(&s->target_index);
    idmap_free(&s->leaf_index);
    liveness_free(s->live);
    weights_free(s);
    rt.tape->sweep = s->outer;
    mem_free(s, sizeof *s);
}

static void *sweep_mark(void) { return rt.tape ? rt.tape->sweep : NULL; }
static void sweep_unwind(void *mark) {
    while (rt.tape && rt.tape->sweep != mark) {
        rt.tape->failed_sweep = rt.tape->sweeps;
        close_sweep(rt.tape->sweep);
    }
}

static Value head_gradient(Value head, Value g) {
    Value constant = head;
    constant.node = 0;
    if (g.tag == V_NIL || g.tag == V_UNSET) return ones_like(constant);
    if (!is_numeric(g)) {
        char what[80];
        fail(E_GRADIENT, "a head gradient is an array or a number, not %s",
             describe(g, what, sizeof what));
    }
    Shape have = value_shape(g), want = value_shape(head), joined;
    if (!shapes_join(&have, &want, &joined) ||
        !same_shape(joined.axes, joined.dim, want.axes, want.dim)) {
        char a[80], b[80];
        shape_text(have.axes, have.dim, a, sizeof a);
        shape_text(want.axes, want.dim, b, sizeof b);
        note_operand(0, head);
        note_operand(1, g);
        hint("a head gradient weighs each element of the head: "
             "backward(f, g) is backward(sum(f * g))");
        fail(E_SHAPE, "the head gradient has shape %s, but the head has shape %s", a, b);
    }
    return op_expand_to(op_cast(g, dtype_of(head) == F32 ? F32 : F64), constant);
}

static void seed(Sweep *s, const Value *gradients) {
    for (int i = 0; i < s->heads; i++) {
        if (!s->head[i].node) continue;
        Value g = head_gradient(s->head[i], gradients ? gradients[i] : NIL);
        if (!s->recorded) g.node = 0;
        if (wanted(s, s->head[i].node)) add_value(s, s->head[i].node, g);
    }
}

static void release_passed(Sweep *s) {
    for (size_t k = 0; k < s->passed_count; k++) tape_release_swept(s->passed[k]);
}

static Sweep *begin(int heads, const Value *head, int targets, const Value *target, bool retain) {
    Tape *t = rt.tape;
    Sweep *s = mem_alloc_zeroed(sizeof *s);
    *s = (Sweep){ .outer = t->sweep, .id = ++t->sweeps, .tape_mode = !target,
                  .retain = retain || rt.recording, .heads = heads, .head = head,
                  .target = target };
    t->sweep = s;
    if (targets) s->result = mem_alloc((size_t)targets * sizeof *s->result);
    for (int i = 0; i < targets; i++) s->result[i] = UNSET;
    s->targets = targets;
    return s;
}

/* Does what the sweep will compute depend on something that a later sweep may follow? */
static bool worth_recording(const Sweep *s) {
    for (int i = 0; i < s->heads; i++) {
        uint32_t id = s->head[i].node;
        if (!id || id >= LEAF) continue;
        uint64_t position = position_of(id);
        if (position >= s->low && depends_at(&s->depends, position) & DEPENDS_ON_OTHER) return true;
    }
    return false;
}

/* What has arrived at a target below the floor. */
static void collect_below(Sweep *s, uint32_t id) {
    if (!id || id >= LEAF || position_of(id) >= s->low || chunk_of(id)->owner != s->id) return;
    Value g = adjoint_at(s, chunk_of(id)->block, node_at(id), id & CHUNK_MASK);
    if (g.tag != V_UNSET) note_target(s, id, g);
}

static void sweep_run(Sweep *s, const Value *gradients) {
    bool was = rt.recording;
    Span here = rt.here;
    index_targets(s);
    find_range(s);
    s->recorded = was;
    bool gradient_recorded = false;
    for (int i = 0; gradients && i < s->heads; i++) gradient_recorded |= gradients[i].node != 0;
    if (was && !s->tape_mode && s->low <= s->high) {
        s->depends = depend_mark(s->low, s->high, &s->target_index);
        if (!worth_recording(s) && !gradient_recorded) s->recorded = false;
    }
    if (s->recorded) fuse_expand(s->low, s->high);
    rt.recording = s->recorded;
    seed(s, gradients);
    Chunk *c = rt.tape->top;
    while (c && c->base > s->high) c = c->previous;
    for (; c && s->open && c->base + c->used > s->low; c = c->previous) {
        if (c->owner != s->id) continue;
        sweep_chunk(s, c);
        if (s->tape_mode && !s->retain && c->objects && !tape_keeps()) note_passed(s, c);
        if (c->base >= s->low) close_block(s, c->block, 0);
        else if (!s->floor) close_block(s, c->block, (uint32_t)(s->low - c->base));
    }
    slices_settle(s, 0);
    weights_settle(s, 0);
    for (int i = 0; s->floor && i < s->targets; i++) collect_below(s, s->target[i].node);
    rt.recording = was;
    rt.here = here;
}

/* ---- the public calls ---- */
void sweep_backward(int count, const Value *heads, const Value *gradients, bool retain) {
    Sweep *s = begin(count, heads, 0, NULL, retain);
    sweep_run(s, gradients);
    for (size_t i = 0; i < s->leaves; i++) {
        Leaf *leaf = leaf_at(s->leaf_id[i]);
        if (leaf->req == REQ_NULL) continue;
        Value g = run_hook(&leaf->hook, s->leaf_adjoint[i]);
        leaf = leaf_at(s->leaf_id[i]);
        if (leaf->req == REQ_ADD) g = op_add(leaf->gradient, g);
        leaf = leaf_at(s->leaf_id[i]);
        value_store(&leaf->gradient, g);
        leaf->sweep = s->id;
        leaf->swept_at = rt.here;
    }
    rt.tape->swept = s->id;
    rt.tape->swept_at = rt.here;
    if (tape_keeps()) value_store(&rt.tape->swept_heads, list_of((size_t)count, heads));
    if (!s->retain) {
        release_passed(s);
        rt.tape->sweep_span = rt.here;
    }
    close_sweep(s);
}

void sweep_look(int heads, const Value *head, const Value *gradients, const SweepLook *look) {
    bool was = rt.recording;
    rt.recording = false;
    Sweep *s = begin(heads, head, 0, NULL, true);
    s->look = look;
    sweep_run(s, gradients);
    for (size_t i = 0; i < s->leaves; i++)
        look->arrived(look->env, s->leaf_id[i], s->leaf_adjoint[i]);
    close_sweep(s);
    rt.recording = was;
}

static Value constant_of(Value v) {
    v.node = 0;
    return v;
}

static Value target_result(const Sweep *s, int i) {
    Value x = s->target[i], g = UNSET;
    if (x.node >= LEAF) {
        int64_t at = idmap_get(&s->leaf_index, x.node);
        if (at >= 0) g = s->leaf_adjoint[at];
    } else if (x.node) {
        int64_t at = idmap_get(&s->target_index, x.node);    /* a value given twice has one place */
        if (at >= 0) g = s->result[at];
    }
    if (g.tag == V_UNSET) return zeros_like(constant_of(x));
    if (is_object(g)) pool_own(value_keep(g).as.obj);
    return g;
}

void sweep_gradients_above(uint64_t floor, int heads, const Value *y, const Value *g, int count,
                           const Value *x, Value *out) {
    Sweep *s = begin(heads, y, count, x, true);
    s->floor = floor;
    sweep_run(s, g);
    for (int i = 0; i < count; i++) out[i] = target_result(s, i);
    close_sweep(s);
}

void sweep_gradients(int heads, const Value *y, const Value *g, int count, const Value *x,
                     Value *out) {
    sweep_gradients_above(0, heads, y, g, count, x, out);
}

void sweep_hook(Value x, Value hook) {
    if (is_leaf(x)) value_store(&leaf_at(x.node)->hook, hook);
    else tape_set_hook(x.node, hook);
}

Value sweep_gradient(Value x) {
    if (is_leaf(x)) return leaf_gradient(x);
    const Value *kept = tape_adjoint(x.node);
    if (kept) return *kept;
    if (x.node) {
        hint("backward(f) from a value f that depends on it fills it in; "
             "grad(f, x) computes one at once");
        fail(E_GRADIENT, "no sweep has reached this value, so it has no gradient");
    }
    hint("attach_grad(x) before record < ... > gives x a gradient");
    fail(E_GRADIENT, "this value was never attached or recorded, so it has no gradient");
}

Value sweep_custom(Value rule, int count, const Value *in, Value y) {
    uint32_t any = 0;
    for (int i = 0; i < count; i++) any |= in[i].node;
    if (y.tag != V_LIST) y.node = 0;
    if (!rt.recording || !any) return y;
    Value *inputs = pool_bytes((size_t)(count + 2) * sizeof *inputs);
    inputs[0] = rule;
    inputs[1] = y;
    memcpy(inputs + 2, in, (size_t)count * sizeof *in);
    if (y.tag != V_LIST) {
        y.node = tape_append(OP_custom, count + 2, inputs, y, NULL);
        return y;
    }
    return tape_parts(tape_append(OP_custom, count + 2, inputs, y, NULL), y);
}

void sweep_open(void) {
    pullbacks_open();
    rt.sweep_mark = sweep_mark;
    rt.sweep_unwind = sweep_unwind;
}
