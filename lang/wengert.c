/* Building the list and sweeping it. See wengert.h. Names and places are in wengert_text.c, what
 * repeats in wengert_folds.c.
 *
 * Marking goes down the tape once from the heads; numbering goes up and copies each marked node's
 * inputs. What sweeps did is undone for the time of the view's own sweep: the flag "swept" is taken
 * off the steps and put back, also after an error. */
#include "wengert.h"
#include "elem.h"
#include "eval.h"
#include "forward.h"
#include "looking.h"
#include "mistakes.h"

/* Codes in w->input: a step, -1 - a leaf, or one of these. */
enum { CODE_CONSTANT = INT32_MIN, CODE_LOST };

/* ---- the inputs of a node ---- */
/* Of a custom operation the first two are its rule and its value. */
static int first_input(int op) { return op == OP_custom ? 2 : 0; }

static int input_count(const Node *n) {
    int op = node_op(n);
    if (!has_extra(n)) return operations[op].arity;
    return n->x.extra ? n->x.extra->count - first_input(op) : 0;
}

static uint32_t input_id(const Node *n, int k) {
    if (!has_extra(n)) return k ? n->b : n->a;
    return n->x.extra->in[k + first_input(node_op(n))].node;
}

static Value without_node(Value v) {
    v.node = 0;
    return v;
}

static Value input_operand(const Node *n, int k) {
    if (!has_extra(n)) return k ? node_y(n) : node_x(n);
    Value v = without_node(n->x.extra->in[k + first_input(node_op(n))]);
    return v.tag == V_NIL ? UNSET : v;      /* the whole that a part is taken from */
}

/* Has a sweep released what the rule of the node needs? */
static bool is_released(const Node *n) {
    if (has_extra(n)) return !n->x.extra || (n->head & N_R && !n->r.array);
    if (!(n->head & N_SWEPT)) return false;
    const ElemTraits *t = &elem_traits[node_op(n)];
    return (n->head & N_X && t->needs_x && !n->x.array) ||
           (n->head & N_Y && t->needs_y && !n->y.array) ||
           (n->head & N_R && t->needs_r && !n->r.array);
}

/* ---- marking and numbering ---- */
/* By slot: 1 + the number, in the order in which leaves were attached. */
typedef struct Leaves { uint32_t *at; size_t count; } Leaves;

static size_t ids(void) { return rt.tape->slots << CHUNK_SHIFT; }

static void mark(Wengert *w, Leaves *leaves, uint32_t id, uint64_t position) {
    if (id >= LEAF && (id & ~LEAF) < leaves->count) leaves->at[id & ~LEAF] = 1;
    else if (tape_has(id, position)) w->step_at[id] = 1;
}

static void mark_behind(Wengert *w, Leaves *leaves, const Node *n, uint64_t position) {
    int count = input_count(n);
    for (int k = 0; k < count; k++) mark(w, leaves, input_id(n, k), position);
    w->inputs += (uint32_t)count;
    w->count++;
}

static void mark_all(Wengert *w, Leaves *leaves) {
    for (int i = 0; i < w->heads; i++) mark(w, leaves, w->head[i].node, UINT64_MAX);
    for (const Chunk *c = rt.tape->top; c; c = c->previous) {
        const uint32_t *marked = &w->step_at[c->slot << CHUNK_SHIFT];
        for (uint32_t i = c->used; i-- > 0;)
            if (marked[i]) mark_behind(w, leaves, &c->node[i], c->base + i);
        poll();
    }
}

static int32_t leaf_code(Wengert *w, Leaves *leaves, uint32_t id, Value operand) {
    uint32_t slot = id & ~LEAF;
    if (slot >= leaves->count || !leaves->at[slot]) return CODE_LOST;
    WengertLeaf *leaf = &w->leaf[leaves->at[slot] - 1];
    if (leaf->value.tag == V_UNSET) leaf->value = operand;
    return -(int32_t)leaves->at[slot];
}

static int32_t input_code(Wengert *w, Leaves *leaves, const Node *n, int k, uint64_t position) {
    uint32_t id = input_id(n, k);
    if (!id) return CODE_CONSTANT;
    if (id >= LEAF) return leaf_code(w, leaves, id, input_operand(n, k));
    return tape_has(id, position) && w->step_at[id] ? (int32_t)w->step_at[id] - 1 : CODE_LOST;
}

static void number_node(Wengert *w, Leaves *leaves, const Node *n, uint32_t id, uint64_t position) {
    Step *step = &w->step[w->count];
    *step = (Step){ .node = id, .first = w->inputs, .op = (uint16_t)node_op(n),
                    .inputs = (uint16_t)input_count(n), .lost = is_released(n) };
    for (int k = 0; k < step->inputs; k++)
        w->input[w->inputs++] = input_code(w, leaves, n, k, position);
    if (step->lost) w->lost = true;
    for (int k = 0; k < step->inputs; k++)
        if (w->input[step->first + (uint32_t)k] == CODE_LOST) w->lost = true;
    if (tape_hook(id)) w->hooked = true;
    w->step_at[id] = ++w->count;
}

static void number_leaves(Wengert *w, Leaves *leaves) {
    w->leaf = pool_bytes((leaves->count + 1) * sizeof *w->leaf);
    for (uint32_t slot = 0; slot < leaves->count; slot++) {
        if (!leaves->at[slot]) continue;
        w->leaf[w->leaves] =
            (WengertLeaf){ LEAF | slot, leaf_at(LEAF | slot)->span, UNSET, UNSET, UNSET };
        leaves->at[slot] = ++w->leaves;
    }
}

static void number_all(Wengert *w, Leaves *leaves) {
    number_leaves(w, leaves);
    w->step = pool_bytes((w->count + 1) * sizeof *w->step);
    w->input = pool_bytes((w->inputs + 1) * sizeof *w->input);
    w->count = w->inputs = 0;
    for (int i = 0; i < w->heads; i++)
        if (is_leaf(w->head[i])) leaf_code(w, leaves, w->head[i].node, without_node(w->head[i]));
    for (const Chunk *c = rt.tape->first; c; c = c->next) {
        uint32_t *marked = &w->step_at[c->slot << CHUNK_SHIFT];
        for (uint32_t i = 0; i < c->used; i++)
            if (marked[i])
                number_node(w, leaves, &c->node[i], c->slot << CHUNK_SHIFT | i, c->base + i);
        poll();
    }
    for (uint32_t i = 0; i < w->leaves; i++)
        if (leaf_at(w->leaf[i].id)->hook.tag != V_NIL) w->hooked = true;
}

/* ---- heads ---- */
static void check_head(Value head, const char *view) {
    char what[80];
    if (!is_numeric(head)) {
        note_operand(0, head);
        if (head.tag == V_FUNCTION) hint("record < y = f(x) > first, then %s(y)", view);
        fail(E_GRADIENT, "%s looks at the steps that lead to an array or a number, not to %s", view,
             describe(head, what, sizeof what));
    }
    if (!head.node) fail_unrecorded_by(head, "no steps to look at");
}

static void set_heads(Wengert *w, Value f, const char *view) {
    bool list = f.tag == V_LIST;
    w->heads = list ? (int)f.as.list->count : 1;
    if (!w->heads) fail(E_GRADIENT, "%s needs at least one value, not an empty list", view);
    w->head = pool_bytes((size_t)w->heads * sizeof *w->head);
    w->gradient = pool_bytes((size_t)w->heads * sizeof *w->gradient);
    for (int i = 0; i < w->heads; i++) {
        w->head[i] = list ? f.as.list->item[i] : f;
        w->gradient[i] = UNSET;
        check_head(w->head[i], view);
    }
}

/* What the last sweep left at the heads; of a leaf, what is in its slot. */
static void find_gradients(Wengert *w) {
    for (int i = 0; i < w->heads; i++) {
        Value head = w->head[i];
        const Value *kept = tape_adjoint(head.node);
        if (kept) w->gradient[i] = *kept;
        if (kept) w->swept_at = tape_adjoint_span(head.node);
        if (is_leaf(head) && leaf_at(head.node)->sweep) w->gradient[i] = leaf_gradient(head);
        if (w->gradient[i].tag != V_UNSET) w->swept = true;
    }
}

Wengert *wengert_of(Value f, const char *view) {
    Wengert *w = memset(pool_bytes(sizeof *w), 0, sizeof *w);
    w->adjoint = w->tangent = w->sent = w->given = UNSET;
    set_heads(w, f, view);
    fuse_expand_all();
    w->step_at =
        memset(pool_bytes((ids() + 1) * sizeof *w->step_at), 0, (ids() + 1) * sizeof *w->step_at);
    Leaves leaves = { pool_bytes((rt.tape->leaves + 1) * sizeof(uint32_t)), rt.tape->leaves };
    memset(leaves.at, 0, (rt.tape->leaves + 1) * sizeof(uint32_t));
    mark_all(w, &leaves);
    number_all(w, &leaves);
    find_gradients(w);
    w->naming = naming_new();
    return w;
}

/* ---- values ---- */
/* The node's own value, computed again if the node did not keep it. */
static Value value_again(const Node *n) {
    Value x = node_x(n), y = node_y(n), in[2] = { x, y };
    int op = node_op(n), arity = operations[op].arity;
    if (x.tag == V_UNSET || (arity == 2 && y.tag == V_UNSET)) return UNSET;
    bool was = rt.recording;
    rt.recording = false;
    Value r = apply((Op)op, arity, in, NULL);
    rt.recording = was;
    return r;
}

Value wengert_value(const Wengert *w, uint32_t step) {
    const Node *n = node_at(w->step[step].node);
    Value r = node_r(n);
    return r.tag == V_UNSET && !has_extra(n) ? value_again(n) : r;
}

Input wengert_input(const Wengert *w, uint32_t step, int k) {
    const Node *n = node_at(w->step[step].node);
    int32_t code = w->input[w->step[step].first + (uint32_t)k];
    Value value = code == CODE_LOST ? UNSET : input_operand(n, k);
    if (code == CODE_LOST || code == CODE_CONSTANT)
        return (Input){ code == CODE_LOST ? FROM_LOST : FROM_CONSTANT, 0, value };
    if (code < 0) return (Input){ FROM_LEAF, (uint32_t)(-code - 1), value };
    if (value.tag == V_UNSET) value = wengert_value(w, (uint32_t)code);
    return (Input){ FROM_STEP, (uint32_t)code, value };
}

static Value item_of(Value list, uint32_t at) {
    if (list.tag == V_UNSET) return UNSET;
    Value v = list.as.list->item[at];
    return v.tag == V_NIL ? UNSET : v;
}
Value wengert_adjoint(const Wengert *w, uint32_t step) { return item_of(w->adjoint, step); }
Value wengert_tangent(const Wengert *w, uint32_t step) { return item_of(w->tangent, step); }
Value wengert_sent(const Wengert *w, uint32_t step, int k) {
    return item_of(w->sent, w->step[step].first + (uint32_t)k);
}

int64_t wengert_step_of(const Wengert *w, Value v) {
    return is_recorded(v) && v.node < ids() ? (int64_t)w->step_at[v.node] - 1 : -1;
}

int64_t wengert_leaf_of(const Wengert *w, Value v) {
    for (uint32_t i = 0; i < w->leaves; i++)
        if (w->leaf[i].id == v.node) return i;
    return -1;
}

void wengert_give_adjoint(Wengert *w, uint32_t step, Value g) {
    if (w->given.tag == V_UNSET) w->given = list_new(w->count);
    list_set(w->given, step, g.tag == V_UNSET ? NIL : g);
}

double wengert_bytes(const Wengert *w, uint32_t step) {
    const Node *n = node_at(w->step[step].node);
    double bytes = sizeof *n;
    if (has_extra(n)) {
        if (n->x.extra) bytes += (double)n->x.extra->bytes;
        for (int i = 0; n->x.extra && i < n->x.extra->count; i++)
            if (n->x.extra->in[i].tag == V_ARRAY)
                bytes += (double)array_bytes(n->x.extra->in[i].as.array);
        if (n->head & N_R && n->r.array && n->r.array->head.tag == V_ARRAY)
            bytes += (double)array_bytes(n->r.array);
        return bytes;
    }
    const ElemTraits *t = &elem_traits[node_op(n)];
    if (n->head & N_X && t->needs_x && n->x.array) bytes += (double)array_bytes(n->x.array);
    if (n->head & N_Y && t->needs_y && n->y.array) bytes += (double)array_bytes(n->y.array);
    if (n->head & N_R && t->needs_r && n->r.array) bytes += (double)array_bytes(n->r.array);
    return bytes;
}

/* ---- sweeping ---- */
/* A sweep of the view's own, with the flag "swept" off the steps. */
typedef struct OwnSweep {
    Wengert *w;
    void (*sweep)(struct OwnSweep *run);
    int heads;
    Value *head, *gradient;
    const Value *tangent;       /* by leaf */
    uint32_t last; /* the step that sent last, and how many of its inputs got something */
    int sent;
} OwnSweep;

/* Which steps were swept: bits by step. */
static uint8_t *take_flags(const Wengert *w) {
    uint8_t *flags = memset(pool_bytes(w->count / 8 + 1), 0, w->count / 8 + 1);
    for (uint32_t i = 0; i < w->count; i++) {
        Node *n = node_at(w->step[i].node);
        if (n->head & N_SWEPT) flags[i / 8] |= (uint8_t)(1 << i % 8);
        n->head &= (uint16_t)~N_SWEPT;
    }
    return flags;
}

static void put_flags(const Wengert *w, const uint8_t *flags) {
    for (uint32_t i = 0; i < w->count; i++)
        if (flags[i / 8] & 1 << i % 8) node_at(w->step[i].node)->head |= N_SWEPT;
}

void wengert_run(Wengert *w, void (*sweep)(void *env), void *env) {
    Error error;
    uint64_t failed = rt.tape->failed_sweep;
    uint8_t *flags = take_flags(w);
    bool good = guard(sweep, env, &error);
    put_flags(w, flags);
    rt.tape->failed_sweep = failed;
    if (!good) fail_again(&error);
}

static void call_sweep(void *env) {
    OwnSweep *run = env;
    run->sweep(run);
}
static void run_unflagged(OwnSweep *run) { wengert_run(run->w, call_sweep, run); }

static Value owned(Value v) {
    if (is_object(v)) pool_own(value_keep(v).as.obj);
    return v;
}

static Value replaced_adjoint(void *env, uint32_t id, Value g) {
    Wengert *w = ((OwnSweep *)env)->w;
    Value given = w->step_at[id] ? item_of(w->given, w->step_at[id] - 1) : UNSET;
    return given.tag == V_UNSET ? g : given;
}

static void put_adjoint(void *env, uint32_t id, Value g) {
    OwnSweep *run = env;
    Wengert *w = run->w;
    if (id < LEAF) {
        if (w->step_at[id]) list_set(w->adjoint, w->step_at[id] - 1, without_node(g));
        return;
    }
    for (uint32_t i = 0; i < w->leaves; i++)
        if (w->leaf[i].id == id) w->leaf[i].adjoint = owned(without_node(g));
}

/* The next input of the step that comes from this place. */
static void put_sent(void *env, uint32_t from, uint32_t to, Value c) {
    OwnSweep *run = env;
    Wengert *w = run->w;
    if (!from || !w->step_at[from]) return;
    uint32_t step = w->step_at[from] - 1;
    const Node *n = node_at(from);
    if (step != run->last) run->sent = 0;
    run->last = step;
    for (int k = run->sent; k < w->step[step].inputs; k++) {
        if (input_id(n, k) != to) continue;
        list_set(w->sent, w->step[step].first + (uint32_t)k, without_node(c));
        run->sent = k + 1;
        return;
    }
}

static void look(OwnSweep *run) {
    sweep_look(run->heads, run->head, run->gradient,
               &(SweepLook){ put_adjoint, replaced_adjoint, put_sent, run });
}

/* What arrives at a head from the heads above it: its own head gradient is what is left of what is
 * there. */
typedef struct Arriving { uint32_t id; Value g; } Arriving;     /* g: a list of one */
static void note_arriving(void *env, uint32_t id, Value g) {
    Arriving *a = env;
    if (id == a->id) list_set(a->g, 0, without_node(g));
}
static void look_at_head(OwnSweep *run) {
    int i = run->heads;
    Arriving a = { run->head[i].node, list_new(1) };
    sweep_look(i, run->head, run->gradient, &(SweepLook){ .arrived = note_arriving, .env = &a });
    Value came = a.g.as.list->item[0];
    if (came.tag != V_NIL) run->gradient[i] = op_sub(run->gradient[i], came);
}

static void sort_heads(OwnSweep *run) {
    for (int i = 1; i < run->heads; i++)
        for (int k = i; k > 0; k--) {
            uint64_t here = is_recorded(run->head[k]) ? position_of(run->head[k].node) : 0;
            uint64_t before =
                is_recorded(run->head[k - 1]) ? position_of(run->head[k - 1].node) : 0;
            if (before >= here) break;
            Value head = run->head[k], g = run->gradient[k];
            run->head[k] = run->head[k - 1], run->head[k - 1] = head;
            run->gradient[k] = run->gradient[k - 1], run->gradient[k - 1] = g;
        }
}

/* A head of several that the last sweep did not start from gets zeros; if none was swept, all get
 * ones. */
static Value head_gradient_of(const Wengert *w, int i) {
    if (!w->swept) return NIL;
    if (w->gradient[i].tag != V_UNSET) return w->gradient[i];
    return zeros_like(without_node(w->head[i]));
}

bool wengert_sweep(Wengert *w) {
    if (w->lost) return false;
    OwnSweep run = { .w = w, .heads = w->heads, .last = UINT32_MAX };
    run.head = pool_bytes((size_t)w->heads * sizeof *run.head);
    run.gradient = pool_bytes((size_t)w->heads * sizeof *run.gradient);
    for (int i = 0; i < w->heads; i++) {
        run.head[i] = w->head[i];
        run.gradient[i] = head_gradient_of(w, i);
    }
    w->adjoint = list_new(w->count);
    w->sent = list_new(w->inputs);
    bool was = rt.recording;
    rt.recording = false;
    sort_heads(&run);
    if (w->swept && w->heads > 1) {
        int heads = run.heads;
        run.sweep = look_at_head;
        for (run.heads = 1; run.heads < heads; run.heads++) run_unflagged(&run);
    }
    run.sweep = look;
    run_unflagged(&run);
    rt.recording = was;
    return true;
}

static void put_tangent(void *env, uint32_t id, Value t) {
    Wengert *w = env;
    if (w->step_at[id]) list_set(w->tangent, w->step_at[id] - 1, without_node(t));
}

static void look_forward(OwnSweep *run) {
    Wengert *w = run->w;
    Value *x = pool_bytes((w->leaves + 1) * sizeof *x),
          *seed = pool_bytes((w->leaves + 1) * sizeof *seed);
    int count = 0;
    for (uint32_t i = 0; i < w->leaves; i++) {
        if (run->tangent[i].tag == V_UNSET || w->leaf[i].value.tag == V_UNSET) continue;
        x[count] = w->leaf[i].value;
        x[count].node = w->leaf[i].id;
        seed[count++] = run->tangent[i];
    }
    forward_look(w->heads, w->head, count, x, seed, put_tangent, w);
}

bool wengert_forward(Wengert *w, const Value *tangent) {
    if (w->lost) return false;
    w->tangent = list_new(w->count);
    for (uint32_t i = 0; i < w->leaves; i++) w->leaf[i].tangent = tangent[i];
    OwnSweep run = { .w = w, .sweep = look_forward, .tangent = tangent };
    run_unflagged(&run);
    return true;
}
