/* The reverse sweep. Reads best from sweep_run() at the bottom up: seeds the heads, walks the chunks
 * backwards, and for every node that was reached calls one of three pullbacks: of a node on numbers, of
 * an elementwise node, of a ROW.
 *
 * Adjoints live in one Block per chunk, made at first touch and freed when the sweep has passed the
 * chunk. In a plain sweep an adjoint is 8 bytes, a number or an array by what the node's value is; in a
 * recorded sweep it is a Value. A block belongs to one sweep: a sweep inside another (a hook, a custom
 * rule) puts its own in front and takes it away again. */
#include <math.h>
#include <string.h>
#include "elem.h"
#include "idmap.h"
#include "depend.h"
#include "sweep.h"
#include "zero.h"

typedef struct Block Block;
struct Block {
    Block *next, *previous;          /* the sweep's open blocks */
    Chunk *chunk;
    Block *hidden;                   /* what the chunk had before: an outer sweep's */
    uint64_t hidden_owner;
    Operand number[];                /* a plain sweep's adjoints */
};

/* "Not reached": a NaN that no arithmetic makes. It must differ from zero. */
#define NOT_REACHED (~(uint64_t)0)

typedef struct Sweep Sweep;
struct Sweep {
    Sweep *outer;
    uint64_t id, low, high;          /* positions: from the heads down to the lowest target */
    uint64_t floor;                  /* or down to this one, unless 0: targets below it only collect */
    bool recorded, tape_mode, retain;
    int heads, targets;
    const Value *head, *target;
    Value *result;                   /* by target; held objects, not nodes */
    IdMap target_index, leaf_index;
    Value *leaf_adjoint;             /* contributions to leaves, by leaf_index */
    uint32_t *leaf_id;
    size_t leaves, leaf_capacity, leaf_id_capacity;
    uint32_t last_leaf;              /* whose number was added to last: most often it is the next, too */
    int64_t last_leaf_at;
    Block *open;
    Dependence depends;              /* in recorded sweeps */
    Chunk **passed;                  /* whose objects go at the end */
    size_t passed_count, passed_capacity;
    Liveness *live;
};

/* ---- blocks ---- */
static size_t block_bytes(const Sweep *s) {
    return sizeof(Block) + CHUNK * (s->recorded ? sizeof(Value) : sizeof(Operand));
}
static Value *values_of(const Block *b) { return (Value *)(void *)b->number; }

static Block *open_block(Sweep *s, Chunk *c) {
    Block *b = mem_alloc(block_bytes(s));
    if (s->recorded) for (int i = 0; i < CHUNK; i++) values_of(b)[i] = UNSET;
    else memset(b->number, 0xff, CHUNK * sizeof(Operand));
    b->chunk = c;
    b->hidden = c->block;
    b->hidden_owner = c->owner;
    b->previous = NULL;
    b->next = s->open;
    if (s->open) s->open->previous = b;
    s->open = b;
    c->block = b;
    c->owner = s->id;
    return b;
}

/* The adjoints of several results are in a list. */
static bool adjoint_is_object(const Node *n) { return n->head & N_R; }

static void close_block(Sweep *s, Block *b) {
    Chunk *c = b->chunk;
    for (uint32_t i = 0; i < c->used && i < CHUNK; i++) {
        if (s->recorded) {
            Value v = values_of(b)[i];
            if (v.tag != V_UNSET) value_drop(v);
        } else if (c->objects && b->number[i].bits != NOT_REACHED && adjoint_is_object(&c->node[i])) {
            obj_drop(b->number[i].obj);
        }
    }
    c->block = b->hidden;
    c->owner = b->hidden_owner;
    *(b->previous ? &b->previous->next : &s->open) = b->next;
    if (b->next) b->next->previous = b->previous;
    mem_free(b, block_bytes(s));
}

static Block *block_of(Sweep *s, uint32_t id) {
    Chunk *c = chunk_of(id);
    return c->owner == s->id ? c->block : open_block(s, c);
}

/* The adjoint that has arrived at a node, UNSET if none. */
static Value adjoint_at(const Sweep *s, const Block *b, const Node *n, uint32_t offset) {
    if (s->recorded) return values_of(b)[offset];
    Operand o = b->number[offset];
    if (o.bits == NOT_REACHED) return UNSET;
    return adjoint_is_object(n) ? object(o.obj) : number(o.num);
}

/* ---- adding up ---- */
/* a + b where b may be added in place: a is only in its place, nobody else's. */
static Value add_adjoint(Value a, Value b) {
    if (a.tag == V_LIST) {          /* of several results: nil where nothing came */
        Value sum = list_new(a.as.list->count);
        for (size_t i = 0; i < a.as.list->count; i++) {
            Value p = a.as.list->item[i], q = b.as.list->item[i];
            list_set(sum, i, p.tag == V_NIL ? q : q.tag == V_NIL ? p : op_add(p, q));
        }
        return sum;
    }
    bool sole = !a.node && !b.node && a.tag == V_ARRAY && array_is_sole(a.as.array, 1);
    return apply2_reusing(OP_add, a, b, sole ? REUSE_X : 0);
}

static void replace(Value *place, Value v) {
    value_keep(v);
    Value old = *place;
    *place = v;
    if (old.tag != V_UNSET) value_drop(old);
}

static void add_to_leaf(Sweep *s, uint32_t id, Value g) {
    int64_t at = idmap_get(&s->leaf_index, id);
    if (at < 0) {
        if (!s->tape_mode) return;  /* not a target */
        s->leaf_adjoint = mem_grow(s->leaf_adjoint, &s->leaf_capacity, s->leaves + 1, sizeof *s->leaf_adjoint);
        s->leaf_id = mem_grow(s->leaf_id, &s->leaf_id_capacity, s->leaves + 1, sizeof *s->leaf_id);
        at = (int64_t)s->leaves;
        idmap_put(&s->leaf_index, id, (uint32_t)at);
        s->leaf_adjoint[at] = UNSET;
        s->leaf_id[at] = id;
        s->leaves++;
    }
    Value *place = &s->leaf_adjoint[at];
    s->last_leaf = 0;
    replace(place, place->tag == V_UNSET ? g : add_adjoint(*place, g));
}

/* Below the range, and no target that collects there? */
static inline bool below(const Sweep *s, uint32_t id) {
    if (!s->low) return false;
    return position_of(id) < s->low && !(s->floor && idmap_get(&s->target_index, id) >= 0);
}

/* Is a contribution to this input wanted? */
static inline bool wanted(const Sweep *s, uint32_t id) {
    if (!id) return false;
    if (s->tape_mode) return true;
    if (id >= LEAF) return idmap_get(&s->leaf_index, id) >= 0;
    uint64_t position = position_of(id);
    if (position < s->low) return s->floor && idmap_get(&s->target_index, id) >= 0;
    return !s->depends.bits || depends_at(&s->depends, position) & DEPENDS_ON_TARGET;
}

/* A leaf's number, or a chunk that is touched for the first time, or one below the range. */
static __attribute__((noinline)) void add_number_slow(Sweep *s, uint32_t id, double g) {
    if (id >= LEAF) {
        int64_t at = idmap_get(&s->leaf_index, id);
        if (at >= 0 && s->leaf_adjoint[at].tag == V_NUM) {
            s->leaf_adjoint[at].as.num += g;
            s->last_leaf = id;
            s->last_leaf_at = at;
        } else add_to_leaf(s, id, number(g));
        return;
    }
    Chunk *c = chunk_of(id);
    if (c->base + c->used <= s->low && below(s, id)) return;
    open_block(s, c)->number[id & CHUNK_MASK].num = g;
}

static inline void add_number(Sweep *s, uint32_t id, double g) {
    if (id >= LEAF) {
        if (id == s->last_leaf) s->leaf_adjoint[s->last_leaf_at].as.num += g;
        else add_number_slow(s, id, g);
        return;
    }
    Chunk *c = chunk_of(id);
    if (__builtin_expect(c->owner != s->id, 0)) {
        add_number_slow(s, id, g);
        return;
    }
    Operand *place = &c->block->number[id & CHUNK_MASK];
    place->num = place->bits == NOT_REACHED ? g : place->num + g;
}

static void add_value(Sweep *s, uint32_t id, Value g) {
    if (id >= LEAF) {
        add_to_leaf(s, id, g);
        return;
    }
    if (below(s, id)) return;
    Block *b = block_of(s, id);
    uint32_t offset = id & CHUNK_MASK;
    const Node *n = &b->chunk->node[offset];
    Value old = adjoint_at(s, b, n, offset);
    Value sum = old.tag == V_UNSET ? g : add_adjoint(old, g);
    if (s->recorded) {
        replace(&values_of(b)[offset], sum);
    } else if (adjoint_is_object(n)) {
        value_keep(sum);
        if (old.tag != V_UNSET) value_drop(old);
        b->number[offset].obj = sum.as.obj;
    } else {
        b->number[offset].num = num_of(sum);
    }
}

/* Undoes broadcasting: a contribution in the result's shape becomes one in the input's. */
static Value fit(Value c, Value input) {
    if (input.tag == V_UNSET) return c;          /* of the result's shape */
    if (is_number(input)) return is_number(c) ? c : op_sum_to(c, number(0));
    return c.tag == V_ARRAY && arrays_alike(c.as.array, input.as.array) ? c : op_sum_to(c, input);
}

/* ---- elementwise derivatives as values ---- */
/* Runs a kernel over g, x, y, r broadcast to g's shape. */
typedef struct PullRun { ElemPull *pull; int dtype; const int *dtypes; bool nans; } PullRun;

static bool pull_lanes(ElemPull *pull, int dtype, int64_t n, char *out, const Lane *lane) {
    double tile[4][TILE];
    bool nans = false, plain = true;
    for (int k = 0; k < 4; k++) plain = plain && lane[k].stride == 1 && lane[k].dtype == dtype;
    int64_t step = plain ? 1 << 16 : TILE, bytes = (int64_t)dtype_bytes(dtype);
    for (int64_t i = 0; i < n; i += step) {
        int64_t count = n - i < step ? n - i : step;
        const void *p[4];
        for (int k = 0; k < 4; k++) p[k] = lane_load(&lane[k], i, count, dtype, tile[k]);
        nans |= pull(count, out + i * bytes, p[0], p[1], p[2], p[3]);
        poll();
    }
    return nans;
}

static void run_pull(int64_t n, char **at, const int64_t *strides, void *env) {
    PullRun *run = env;
    Lane lane[4];
    for (int k = 0; k < 4; k++) lane[k] = (Lane){ at[k + 1], strides[k + 1], run->dtypes[k] };
    run->nans |= pull_lanes(run->pull, run->dtype, n, at[0], lane);
}

/* An operand that the rule does not mention may be missing: any numbers will do. */
static bool flat_lane(Value v, const Array *model, double *zero, Lane *lane) {
    if (v.tag == V_UNSET || is_number(v)) {
        *zero = v.tag == V_UNSET ? 1 : num_of(v);
        *lane = (Lane){ (const char *)zero, 0, F64 };
        return true;
    }
    const Array *a = v.as.array;
    *lane = (Lane){ a->data, 1, a->dtype };
    if (!same_shape(a->axes, shape_of(a), model->axes, shape_of(model))) return false;
    if (array_is_contiguous(a)) return true;
    lane->stride = 0;
    for (int i = 0; i < a->axes; i++)
        if (strides_of(a)[i] != 0) return false;
    return true;
}

/* Contiguous, of the model's shape and dtype; or missing, because the rule does not mention it. */
static inline bool lies_like(Value v, const Array *model) {
    if (v.tag != V_ARRAY) return v.tag == V_UNSET;
    return v.as.array->contiguous && (v.as.array == model || arrays_alike(v.as.array, model));
}
static inline const void *data_or(Value v, const Array *model) { return v.tag == V_ARRAY ? v.as.array->data : model->data; }

enum { SMALL = 1 << 14 };    /* elements that need no poll() in between */

Value elem_pull(Op op, int which, Value g, Value x, Value y, Value r, bool *mend) {
    if (g.tag != V_ARRAY) {
        double d = elem_kernels[op].slope[which](x.tag == V_UNSET ? 0 : num_of(x), y.tag == V_UNSET ? 0 : num_of(y),
                                                 r.tag == V_UNSET ? 0 : num_of(r));
        if (operations[op].class == C_SELECT && d == 0) return number(0);
        double product = num_of(g) * d;
        *mend |= product != product;
        return number(product);
    }
    Array *model = g.as.array;
    int dtype = model->dtype == F32 ? F32 : F64;
    ElemPull *pull = elem_kernels[op].pull[which][dtype];
    Array *out = array_like(model, dtype);
    if (model->size <= SMALL && lies_like(g, model) && lies_like(x, model) && lies_like(y, model) && lies_like(r, model)) {
        *mend |= pull(model->size, out->data, model->data, data_or(x, model), data_or(y, model), data_or(r, model));
        return array_value(out);
    }
    Value v[4] = { g, x, y, r };
    Lane lane[4];
    double constant[4];
    bool flat = true;
    for (int k = 0; k < 4; k++) flat = flat && flat_lane(v[k], model, &constant[k], &lane[k]);
    if (flat) {
        *mend |= pull_lanes(pull, dtype, model->size, out->data, lane);
        return array_value(out);
    }
    Array *arrays[5] = { out };
    int dtypes[4];
    for (int k = 0; k < 4; k++) {
        Array *a = array_of(v[k].tag == V_UNSET ? number(1) : v[k]);
        dtypes[k] = a->dtype;
        arrays[k + 1] = array_broadcast(a, model->axes, shape_of(model));
    }
    PullRun run = { pull, dtype, dtypes, false };
    array_walk(5, arrays, run_pull, &run);
    *mend |= run.nans;
    return array_value(out);
}

Value elem_slope(Op op, int which, Value x, Value y, Value r) {
    bool was = rt.recording, mend = false;
    rt.recording = false;
    Value model = r.tag != V_UNSET ? r : x.tag == V_ARRAY ? x : y.tag == V_ARRAY ? y : number(0), d;
    if (operations[op].class == C_ELEM) d = elem_rule(op, which, x, y, r);
    else if (x.tag == V_ARRAY && y.tag == V_ARRAY) d = elem_pull(op, which, ones_like(op_add(x, y)), x, y, r, &mend);
    else d = elem_pull(op, which, ones_like(model), x, y, r, &mend);
    rt.recording = was;
    d.node = 0;
    return d;
}

/* ---- the pullbacks of one node ---- */
static Value live_elements(Sweep *s, uint32_t id) { return liveness_of(&s->live, s->heads, s->head, id, s->low); }

/* A zero adjoint at a node on numbers. */
static void pull_zero(Sweep *s, uint32_t id, const Node *n) {
    int op = node_op(n);
    bool select = operations[op].class == C_SELECT;
    for (int which = 0; which < operations[op].arity; which++) {
        uint32_t input = which ? n->b : n->a;
        if (!input) continue;
        double d = elem_kernels[op].slope[which](n->x.num, n->y.num, n->r.num), c = 0;
        if (select && d == 0) continue;
        if (!isfinite(d) && !isfinite(n->r.num)) {
            Value live = live_elements(s, id);
            if (live.tag == V_UNSET || num_of(live) == 0) continue;
            c = NAN;
        }
        add_number(s, input, c);
    }
}

/* Numbers in a plain sweep: the plain derivatives need no call. A selection's dropped input gets nothing. */
static inline void pull_input(Sweep *s, const Node *n, int op, int which, uint32_t input, double g) {
    double d;
    switch (elem_traits[op].slope[which]) {
    case SLOPE_ONE: d = 1; break;
    case SLOPE_MINUS_ONE: d = -1; break;
    case SLOPE_X: d = n->x.num; break;
    case SLOPE_Y: d = n->y.num; break;
    case SLOPE_R: d = n->r.num; break;
    default:
        d = elem_kernels[op].slope[which](n->x.num, n->y.num, n->r.num);
        if (d == 0 && operations[op].class == C_SELECT) return;
    }
    add_number(s, input, g * d);
}

static inline void pull_numbers(Sweep *s, uint32_t id, const Node *n, double g) {
    int op = node_op(n);
    if (__builtin_expect(g == 0, 0)) {
        pull_zero(s, id, n);
        return;
    }
    if (n->a) pull_input(s, n, op, 0, n->a, g);
    if (n->b) pull_input(s, n, op, 1, n->b, g);
}

/* An operand for a recorded rule: a tape value only if the derivative has to follow it further. */
static Value operand(const Sweep *s, Value v, uint32_t id) {
    if (!s->recorded || !id || v.tag == V_UNSET) return v;
    if (id < LEAF && s->depends.bits) {
        uint64_t position = position_of(id);
        if (position >= s->low && !(depends_at(&s->depends, position) & DEPENDS_ON_OTHER)) return v;
    }
    v.node = id;
    return v.tag == V_LIST ? tape_parts(id, v) : v;
}

static Value pull_selection(Op op, int which, Value g, Value x, Value y, Value r) {
    Value weight = elem_slope(op, which, x, y, r);
    Value product = op_mul(g, weight);
    return all_finite(g) ? product : op_where(op_ne(weight, number(0)), product, number(0));
}

/* The node's own value, computed again if the node did not keep it. */
static Value value_again(Op op, Value g, Value x, Value y, Value r) {
    if (r.tag != V_UNSET) return r;
    bool was = rt.recording;
    rt.recording = false;
    r = operations[op].arity == 1 ? apply1(op, x.tag == V_UNSET ? g : x)
                                  : apply2(op, x.tag == V_UNSET ? g : x, y.tag == V_UNSET ? g : y);
    rt.recording = was;
    return r;
}

static Value pull_recorded(Sweep *s, uint32_t id, Op op, int which, Value g, Value x, Value y, Value r) {
    Value d = elem_rule(op, which, x, y, r);
    if (d.tag == V_NUM && !d.node && d.as.num == 1) return g;
    if (all_finite(d)) return op_mul(g, d);
    return mended_product(g, d, value_again(op, g, x, y, r), live_elements(s, id));
}

static Value pull_plain(Sweep *s, uint32_t id, Op op, int which, Value g, Value x, Value y, Value r) {
    if (elem_traits[op].slope[which] == SLOPE_ONE) return g;
    bool nans = false;
    Value c = elem_pull(op, which, g, x, y, r, &nans);
    if (!nans || operations[op].class == C_SELECT) return c;
    Value known = value_again(op, g, x, y, r);
    return mended_product(g, elem_slope(op, which, x, y, known), known, live_elements(s, id));
}

static void pull_elementwise(Sweep *s, uint32_t id, const Node *n, Value g) {
    int op = node_op(n);
    Value x = node_x(n), y = node_y(n), r = node_r(n);
    if (s->recorded) {
        x = operand(s, x, n->a);
        y = operand(s, y, n->b);
        r = operand(s, r, id);
    }
    uint32_t inputs[2] = { n->a, n->b };
    Value operands[2] = { x, y };
    for (int which = 0; which < operations[op].arity; which++) {
        uint32_t input = inputs[which];
        if (!wanted(s, input)) continue;
        Value c = s->recorded && operations[op].class == C_SELECT ? pull_selection(op, which, g, x, y, r)
                  : s->recorded ? pull_recorded(s, id, op, which, g, x, y, r)
                                : pull_plain(s, id, op, which, g, x, y, r);
        add_value(s, input, fit(c, operands[which]));
    }
}

/* A custom operation: in[0] is its rule, in[1] its value, then the arguments (sweep_custom). */
static void pull_custom(Sweep *s, const Extra *extra, Value g) {
    Function *rule = extra->in[0].as.function;
    int count = extra->count - 2;
    Value *arguments = pool_bytes((size_t)(count + 2) * sizeof *arguments);
    Value y = extra->in[1];
    if (g.tag == V_LIST) {
        Value full = list_new(g.as.list->count);
        for (size_t i = 0; i < g.as.list->count; i++) {
            Value part = g.as.list->item[i];
            list_set(full, i, part.tag == V_NIL ? zeros_like(y.as.list->item[i]) : part);
        }
        g = full;
    }
    arguments[0] = g;
    arguments[1] = y;
    for (int i = 0; i < count; i++) arguments[i + 2] = operand(s, extra->in[i + 2], extra->in[i + 2].node);
    if (!s->recorded) for (int i = 0; i < count; i++) arguments[i + 2].node = 0;
    Value result = rule->call(rule, count + 2, arguments);
    if (result.tag != V_LIST) result = list_of(1, &result);
    if (result.as.list->count != (size_t)count)
        fail(E_GRADIENT, "the rule of a custom gradient gave %zu gradients for %d arguments", result.as.list->count, count);
    for (int i = 0; i < count; i++) {
        Value input = extra->in[i + 2], c = result.as.list->item[i];
        if (!wanted(s, input.node) || c.tag == V_NIL) continue;
        if (!is_numeric(c)) fail(E_GRADIENT, "the rule of a custom gradient gave %s for argument %d", type_name(c), i + 1);
        Shape have = value_shape(c), want = value_shape(input), joined;
        if (!shapes_join(&have, &want, &joined) || !same_shape(joined.axes, joined.dim, want.axes, want.dim)) {
            char a[80], b[80];
            shape_text(have.axes, have.dim, a, sizeof a);
            shape_text(want.axes, want.dim, b, sizeof b);
            fail(E_SHAPE, "the rule of a custom gradient gave shape %s for argument %d, which has shape %s", a, i + 1, b);
        }
        add_value(s, input.node, op_expand_to(c, (Value){ input.tag, 0, { input.as.num } }));
    }
}

/* The adjoint of one of several results goes to its place in the list of the operation that gave them. */
static void pull_part(Sweep *s, const Extra *extra, Value g) {
    Value whole = extra->in[0], parts = list_new((size_t)extra->attr[2]);
    list_set(parts, (size_t)extra->attr[1], g);
    add_value(s, whole.node, parts);
}

static void pull_row(Sweep *s, uint32_t id, const Node *n, Value g) {
    const Extra *extra = n->x.extra;
    int op = node_op(n);
    if (op == OP_custom) {
        pull_custom(s, extra, g);
        return;
    }
    if (op == OP_part) {
        pull_part(s, extra, g);
        return;
    }
    Value *in = pool_bytes((size_t)extra->count * sizeof *in);
    for (int i = 0; i < extra->count; i++) {
        in[i] = extra->in[i];
        in[i].node = 0;
        in[i] = operand(s, in[i], extra->in[i].node);
    }
    Pull p = { .op = op, .count = extra->count, .g = g, .r = operand(s, node_r(n), id), .in = in, .attr = extra->attr };
    for (p.which = 0; p.which < extra->count; p.which++) {
        uint32_t input = extra->in[p.which].node;
        if (!row_differentiable(op, p.which) || !wanted(s, input)) continue;
        Value c = row_pullback(&p);
        if (c.tag != V_UNSET) add_value(s, input, fit(c, in[p.which]));
    }
}

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

static void visit(Sweep *s, Chunk *c, uint32_t offset, Value g) {
    Node *n = &c->node[offset];
    uint32_t id = c->slot << CHUNK_SHIFT | offset;
    if (n->head & N_SWEPT) already_swept(n);
    if (n->head & N_TARGET) g = run_hook(tape_hook(id), g);
    if (s->tape_mode && n->held) tape_keep_adjoint(id, g);
    if (s->tape_mode && !s->retain) n->head |= N_SWEPT;
    if (n->head & N_TARGET) note_target(s, id, g);
    Span here = rt.here;
    rt.here = n->span;
    if (has_extra(n)) pull_row(s, id, n, g);
    else pull_elementwise(s, id, n, g);
    rt.here = here;
}

static void sweep_chunk(Sweep *s, Chunk *c) {
    Block *b = c->block;
    uint32_t first = c->base < s->low ? (uint32_t)(s->low - c->base) : 0;
    uint32_t last = c->base + c->used - 1 > s->high ? (uint32_t)(s->high - c->base) : c->used - 1;
    uint16_t slow = N_X | N_Y | N_R | N_SWEPT | N_TARGET;
    bool flag = s->tape_mode && !s->retain;
    for (uint32_t i = last + 1; i-- > first;) {
        Node *n = &c->node[i];
        if (!s->recorded && !(n->head & slow) && node_op(n) < OP_ELEMS) {
            if (b->number[i].bits == NOT_REACHED) continue;
            double g = b->number[i].num;
            if (flag) n->head |= N_SWEPT;
            if (__builtin_expect(s->tape_mode && n->held, 0)) tape_keep_adjoint(c->slot << CHUNK_SHIFT | i, number(g));
            pull_numbers(s, c->slot << CHUNK_SHIFT | i, n, g);
            continue;
        }
        Value g = adjoint_at(s, b, n, i);
        if (g.tag == V_UNSET || (i == 0 && c->base == 0)) continue;
        size_t pool = pool_mark();
        visit(s, c, i, g);
        pool_unwind(pool);
        poll();
    }
}

static void find_range(Sweep *s) {
    s->low = 0;
    s->high = 0;
    for (int i = 0; i < s->heads; i++)
        if (is_recorded(s->head[i]) && position_of(s->head[i].node) > s->high) s->high = position_of(s->head[i].node);
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
            s->leaf_adjoint = mem_grow(s->leaf_adjoint, &s->leaf_capacity, s->leaves + 1, sizeof *s->leaf_adjoint);
            s->leaf_adjoint[s->leaves] = UNSET;
            idmap_put(&s->leaf_index, id, (uint32_t)s->leaves++);
        }
        if (id) idmap_put(&s->target_index, id, (uint32_t)i);
        if (id && id < LEAF) node_at(id)->head |= N_TARGET;
    }
}

/* Ends a sweep, finished or not. */
static void close_sweep(Sweep *s) {
    while (s->open) close_block(s, s->open);
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
        fail(E_GRADIENT, "a head gradient is an array or a number, not %s", describe(g, what, sizeof what));
    }
    Shape have = value_shape(g), want = value_shape(head), joined;
    if (!shapes_join(&have, &want, &joined) || !same_shape(joined.axes, joined.dim, want.axes, want.dim)) {
        char a[80], b[80];
        shape_text(have.axes, have.dim, a, sizeof a);
        shape_text(want.axes, want.dim, b, sizeof b);
        note_operand(0, head);
        note_operand(1, g);
        hint("a head gradient weighs each element of the head: backward(f, g) is backward(sum(f * g))");
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
    for (size_t k = 0; k < s->passed_count; k++) {
        Chunk *c = s->passed[k];
        for (uint32_t i = 0; i < c->used; i++)
            if (c->node[i].head & N_SWEPT) node_release_objects(&c->node[i]);
    }
}

static Sweep *begin(int heads, const Value *head, int targets, const Value *target, bool retain) {
    Tape *t = rt.tape;
    Sweep *s = mem_alloc_zeroed(sizeof *s);
    *s = (Sweep){ .outer = t->sweep, .id = ++t->sweeps, .tape_mode = !target, .retain = retain || rt.recording,
                  .heads = heads, .head = head, .target = target };
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
    rt.recording = s->recorded;
    seed(s, gradients);
    Chunk *c = rt.tape->top;
    while (c && c->base > s->high) c = c->previous;
    for (; c && s->open && c->base + c->used > s->low; c = c->previous) {
        if (c->owner != s->id) continue;
        sweep_chunk(s, c);
        if (s->tape_mode && !s->retain && c->objects) {
            s->passed = mem_grow(s->passed, &s->passed_capacity, s->passed_count + 1, sizeof *s->passed);
            s->passed[s->passed_count++] = c;
        }
        if (!s->floor || c->base >= s->low) close_block(s, c->block);
    }
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
    }
    if (!s->retain) {
        release_passed(s);
        rt.tape->sweep_span = rt.here;
    }
    close_sweep(s);
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

void sweep_gradients_above(uint64_t floor, int heads, const Value *y, const Value *g, int count, const Value *x, Value *out) {
    Sweep *s = begin(heads, y, count, x, true);
    s->floor = floor;
    sweep_run(s, g);
    for (int i = 0; i < count; i++) out[i] = target_result(s, i);
    close_sweep(s);
}

void sweep_gradients(int heads, const Value *y, const Value *g, int count, const Value *x, Value *out) {
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
        hint("backward(f) from a value f that depends on it fills it in; grad(f, x) computes one at once");
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
    rt.sweep_mark = sweep_mark;
    rt.sweep_unwind = sweep_unwind;
}
