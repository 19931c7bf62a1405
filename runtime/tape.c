/* The tape's memory: appending nodes, who holds them, and when they go. The one idea of
 * reclaiming: a node that nothing holds can only be named by temporaries of a running statement,
 * so the end of a statement may take it; most often that means emptying the tape, else one
 * backward scan.
 *
 * Differentiation is in sweep.c and its relatives; nothing here knows what a rule is, only which
 * operands it mentions. */
#include <string.h>
#include "idmap.h"
#include "tape.h"

enum { FIRST_COLLECT_CHUNKS = 65536 / CHUNK, SMALL_ARRAY = 32 };
static const uint64_t first_collect_bytes = 8 << 20;

/* ---- chunks ---- */
static uint32_t take_slot(Tape *t) {
    if (t->free_slots) return t->free_slot[--t->free_slots];
    if (t->slots >= LEAF >> CHUNK_SHIFT) fail(E_LIMIT, "the tape is full: it has 2^31 nodes");
    t->slot = mem_grow(t->slot, &t->slot_capacity, t->slots + 1, sizeof *t->slot);
    t->free_slot =
        mem_grow(t->free_slot, &t->free_capacity, t->slot_capacity, sizeof *t->free_slot);
    return (uint32_t)t->slots++;
}

void tape_new_chunk(void) {
    Tape *t = rt.tape;
    Chunk *c = t->spare;
    if (c) t->spare = c->next;
    else c = mem_alloc(sizeof *c);
    c->next = t->spare;   /* so that a failing take_slot loses nothing */
    t->spare = c;
    uint32_t slot = take_slot(t);
    t->spare = c->next;
    c->previous = t->top;
    c->next = NULL;
    c->base = t->top ? t->top->base + CHUNK : 0;
    c->slot = slot;
    c->used = c->held = 0;
    c->objects = c->keeps = false;
    c->owner = 0;
    c->block = NULL;
    t->slot[slot] = c;
    if (t->top) t->top->next = c;
    else t->first = c;
    t->top = c;
    t->chunks++;
    t->busy |= t->chunks > t->collect_chunks;
}

static void free_chunk(Chunk *c) {
    Tape *t = rt.tape;
    *(c->previous ? &c->previous->next : &t->first) = c->next;
    *(c->next ? &c->next->previous : &t->top) = c->previous;
    t->free_slot[t->free_slots++] = c->slot;
    t->slot[c->slot] = NULL;
    t->chunks--;
    c->next = t->spare;
    t->spare = c;
}

/* ---- appending ---- */
static inline size_t array_weight(const Array *a) { return array_bytes(a); }

/* Of an array, or of a list of results. */
static inline size_t object_weight(Obj *o) {
    if (__builtin_expect(o->tag == V_ARRAY, 1)) return array_weight((Array *)o);
    size_t weight = 0;
    const List *list = (List *)o;
    for (size_t i = 0; i < list->count; i++)
        if (list->item[i].tag == V_ARRAY) weight += array_weight(list->item[i].as.array);
    return weight;
}

static void node_weigh(void *object) {
    rt.tape->bytes += object_weight(object);
    rt.tape->busy |= rt.tape->bytes > rt.tape->collect_bytes;
}

void *node_keep(void *object) {
    obj_keep(object);
    node_weigh(object);
    return object;
}

void node_drop(void *object) {
    if (!object) return;
    rt.tape->bytes -= object_weight(object);
    obj_drop(object);
}

static Operand scalar_operand(Value v) { return (Operand){ .num = is_number(v) ? num_of(v) : 0 }; }

/* Does the node have to keep this operand? Small ones stay for those who look at the tape. */
static Operand array_operand(Value v, bool mentioned, const Array *result) {
    if (v.tag != V_ARRAY) return scalar_operand(v);
    Array *a = v.as.array;
    bool droppable = !mentioned && a->size > SMALL_ARRAY && result && arrays_alike(a, result);
    return (Operand){ .array = droppable ? NULL : node_keep(a) };
}

static Value plain_number(Value v) { return (Value){ V_NUM, v.node, { .num = num_of(v) } }; }

static bool broadcasts(Value v, Value result) { return v.node && !shapes_equal(v, result); }

static uint32_t append_elementwise(Op op, int count, const Value *in, Value result) {
    Value x = in[0], y = count == 2 ? in[1] : number(0);
    bool objects = x.tag == V_ARRAY || y.tag == V_ARRAY || result.tag == V_ARRAY;
    if (!objects) return tape_append_scalar(op, plain_number(x), plain_number(y), result.as.num);
    uint32_t id;
    Node *n = tape_push(&id);
    const ElemTraits *t = &elem_traits[op];
    const Array *r = result.tag == V_ARRAY ? result.as.array : NULL;
    bool all = tape_keeps(),
         keep_r = all || t->needs_r || broadcasts(x, result) || broadcasts(y, result);
    chunk_has_objects(rt.tape->top);
    *n = (Node){ .head = (uint16_t)op, .span = rt.here, .a = x.node, .b = y.node };
    if (x.tag == V_ARRAY) n->head |= N_X;
    if (y.tag == V_ARRAY) n->head |= N_Y;
    if (r) n->head |= N_R;
    n->x = array_operand(x, all || t->needs_x, r);
    n->y = array_operand(y, all || t->needs_y, r);
    n->r = array_operand(result, keep_r, r);
    return id;
}

uint32_t tape_append(Op op, int count, const Value *in, Value result, const Attr *attr) {
    if (op < OP_ELEMS) return append_elementwise(op, count, in, result);
    size_t settings = attr ? (size_t)(attr[0] + 1) * sizeof *attr : 0;
    size_t bytes = sizeof(Extra) + (size_t)count * sizeof *in + settings;
    if (rt.tape->top->used == CHUNK) tape_new_chunk();  /* nothing fails once extra is made */
    Extra *extra = mem_alloc(bytes);
    *extra = (Extra){ .count = count, .bytes = bytes };
    if (attr) extra->attr = memcpy(&extra->in[count], attr, settings);
    for (int i = 0; i < count; i++) {
        extra->in[i] = value_keep(in[i]);
        if (in[i].tag == V_ARRAY) node_weigh(in[i].as.array);
    }
    uint32_t id;
    Node *n = tape_push(&id);
    chunk_has_objects(rt.tape->top);
    *n = (Node){ .head = (uint16_t)op, .span = rt.here, .x = { .extra = extra } };
    n->r = scalar_operand(result);
    if (result.tag == V_ARRAY || result.tag == V_LIST) {
        n->head |= N_R;
        n->r.obj = node_keep(result.as.obj);
    }
    return id;
}

Value tape_parts(uint32_t whole, Value results) {
    size_t count = results.as.list->count;
    Value in = { V_NIL, whole, { .num = 0 } }, parts = list_new(count);
    for (size_t i = 0; i < count; i++) {
        Value part = results.as.list->item[i];
        part.node = tape_append(OP_part, 1, &in, part, ATTR((int64_t)i, (int64_t)count));
        list_set(parts, i, part);
    }
    return parts;
}

static Value operand_value(Operand operand, bool array) {
    if (!array) return number(operand.num);
    return operand.array ? object(operand.array) : UNSET;
}
Value node_x(const Node *n) { return operand_value(n->x, n->head & N_X); }
Value node_y(const Node *n) { return operand_value(n->y, n->head & N_Y); }
Value node_r(const Node *n) { return operand_value(n->r, n->head & N_R); }

static void let_go(Operand *operand) {
    Obj *object = operand->obj;
    if (!object) return;
    operand->obj = NULL;
    rt.tape->bytes -= object_weight(object);
    obj_drop(object);
}

/* The same of an elementwise node's operand, which is an array. */
static inline void let_go_array(Operand *operand) {
    Array *a = operand->array;
    if (!a) return;
    operand->array = NULL;
    rt.tape->bytes -= array_weight(a);
    array_drop(a);
}

static __attribute__((noinline)) void release_row(Node *n) {
    Extra *extra = n->x.extra;
    n->x.extra = NULL;
    for (int i = 0; extra && i < extra->count; i++) {
        if (extra->in[i].tag == V_ARRAY) node_drop(extra->in[i].as.array);
        else value_drop(extra->in[i]);
    }
    if (extra) mem_free(extra, extra->bytes);
    if (n->head & N_R) let_go(&n->r);
}

static inline void release_objects(Node *n) {
    if (has_extra(n)) {
        release_row(n);
        return;
    }
    if (n->head & N_X) let_go_array(&n->x);
    if (n->head & N_Y) let_go_array(&n->y);
    if (n->head & N_R) let_go_array(&n->r);
}

void tape_release_swept(Chunk *c) {
    bool all = true;
    for (uint32_t i = c->base == 0; i < c->used; i++) {
        if (c->node[i].head & N_SWEPT) release_objects(&c->node[i]);
        else all = false;
    }
    if (all) c->keeps = false;
}

/* ---- who holds a node ---- */
static void drop_adjoint(uint32_t id);

static void leaf_release(uint32_t id) {
    if (--leaf_at(id)->holders) return;
    rt.tape->dying++;
    rt.tape->busy = true;
}

void node_hold(uint32_t id) {
    if (id >= LEAF) {
        leaf_at(id)->holders++;
        return;
    }
    Chunk *c = chunk_of(id);
    Node *n = &c->node[id & CHUNK_MASK];
    if (n->held == 0) {
        c->held++;
        rt.tape->held++;
    }
    if (n->held != UINT16_MAX) n->held++;
}

void node_release(uint32_t id) {
    if (id >= LEAF) {
        leaf_release(id);
        return;
    }
    Chunk *c = chunk_of(id);
    Node *n = &c->node[id & CHUNK_MASK];
    if (n->held == UINT16_MAX || --n->held) return;
    c->held--;
    if (--rt.tape->held == 0) rt.tape->busy = true;
    if (n->head & N_KEPT) drop_adjoint(id);
}

bool tape_any_held(uint64_t position) {
    for (Chunk *c = rt.tape->top; c && c->base + c->used > position; c = c->previous) {
        if (!c->held) continue;
        if (c->base >= position) return true;
        for (uint32_t i = (uint32_t)(position - c->base); i < c->used; i++)
            if (c->node[i].held) return true;
    }
    return false;
}

/* ---- hooks ---- */
const Value *tape_hook(uint32_t id) {
    for (size_t i = 0; i < rt.tape->hooks; i++)
        if (rt.tape->hook[i].node == id) return &rt.tape->hook[i].function;
    return NULL;
}

void tape_set_hook(uint32_t id, Value function) {
    Tape *t = rt.tape;
    Value *place = (Value *)tape_hook(id);
    if (!place) {
        t->hook = mem_grow(t->hook, &t->hook_capacity, t->hooks + 1, sizeof *t->hook);
        t->hook[t->hooks] = (Hook){ id, NIL };
        place = &t->hook[t->hooks++].function;
    }
    value_store(place, function);
    node_at(id)->head |= N_TARGET;
}

/* Hooks go with their nodes: from this position on, or where the node is dead. */
static void drop_hooks(uint64_t position) {
    Tape *t = rt.tape;
    size_t kept = 0;
    for (size_t i = 0; i < t->hooks; i++) {
        Hook h = t->hook[i];
        bool gone = position_of(h.node) >= position || node_at(h.node)->head & N_SWEPT;
        if (!gone) t->hook[kept++] = h;
        else value_release(h.function);
    }
    t->hooks = kept;
}

/* ---- reclaiming ---- */
void tape_truncate(uint64_t position) {
    Tape *t = rt.tape;
    if (t->hooks) drop_hooks(position);
    for (Chunk *c = t->top; c; c = t->top) {
        uint64_t below = c->base >= position ? 0 : position - c->base;
        uint32_t keep = below < c->used ? (uint32_t)below : c->used;
        if (!c->previous && keep == 0) keep = 1;              /* id 0 is never a node */
        if (c->keeps)
            for (uint32_t i = keep; i < c->used; i++) release_objects(&c->node[i]);
        if (keep < c->used) c->used = keep;
        if (keep || !c->previous) return;
        free_chunk(c);
    }
}

static void free_leaf(Leaf *leaf) {
    Value gradient = leaf->gradient;
    Value hook = leaf->hook;
    *leaf = (Leaf){ .gradient = NIL, .hook = NIL };
    rt.tape->free_leaves++;
    value_release(gradient);
    value_release(hook);
}

/* Leaves that nobody holds; only while no node can name one. */
static void free_dying_leaves(void) {
    Tape *t = rt.tape;
    for (size_t i = 0; t->dying && i < t->leaves; i++)
        if (t->leaf[i].used && t->leaf[i].holders == 0) free_leaf(&t->leaf[i]);
    t->dying = 0;
}

static void empty_tape(void) {
    tape_truncate(1);
    free_dying_leaves();
    rt.tape->collect_chunks = FIRST_COLLECT_CHUNKS;
    rt.tape->collect_bytes = first_collect_bytes;
}

static void mark_input(uint32_t id) {
    if (id && id < LEAF) node_at(id)->head |= N_LIVE;
}

static void mark_inputs(const Node *n) {
    mark_input(n->a);
    mark_input(n->b);
    if (!has_extra(n) || !n->x.extra) return;
    for (int i = 0; i < n->x.extra->count; i++) mark_input(n->x.extra->in[i].node);
}

static void mark_swept_input(uint32_t id, uint64_t position) {
    if (tape_has(id, position)) mark_input(id);
}

/* Behind a node that a sweep has passed an earlier scan may have taken something. */
static void mark_swept_inputs(const Node *n, uint64_t position) {
    mark_swept_input(n->a, position);
    mark_swept_input(n->b, position);
    if (!has_extra(n) || !n->x.extra) return;
    const Extra *extra = n->x.extra;
    for (int i = 0; i < extra->count; i++) mark_swept_input(extra->in[i].node, position);
}

/* What a held node, or one that a caller's temporary may name, depends on stays; the rest goes.
 * The scan looks behind nodes that an unretained sweep has passed only for those who look. */
static void collect(uint64_t mark) {
    Tape *t = rt.tape;
    uint64_t seen = 0, kept = 0;
    bool keeps = tape_keeps();
    t->collections++;
    for (Chunk *c = t->top, *previous; c; c = previous) {
        previous = c->previous;
        uint32_t live = 0;
        for (uint32_t i = c->used; i-- > 0;) {
            Node *n = &c->node[i];
            if (c->base + i == 0 || n->held || c->base + i < mark || n->head & N_LIVE) {
                n->head &= (uint16_t)~N_LIVE;
                live++;
                if (!(n->head & N_SWEPT)) mark_inputs(n);
                else if (keeps) mark_swept_inputs(n, c->base + i);
            } else {
                if (c->keeps) release_objects(n);
                n->head |= N_SWEPT;
            }
        }
        seen += c->used;
        kept += live;
        if (!live && c != t->first && c != t->top) {
            if (t->hooks) drop_hooks(UINT64_MAX);
            free_chunk(c);
        }
    }
    /* Where nearly all was alive, the next scan may wait longer. */
    uint64_t growth = kept * 10 > seen * 9 ? 4 : 2;
    uint64_t chunks = t->chunks * growth, bytes = t->bytes * growth;
    t->collect_chunks = chunks < FIRST_COLLECT_CHUNKS ? FIRST_COLLECT_CHUNKS : chunks;
    t->collect_bytes = bytes < first_collect_bytes ? first_collect_bytes : bytes;
}

void tape_reclaim(uint64_t mark) {
    Tape *t = rt.tape;
    if (t->sweep) return;     /* adl code that a rule or a hook runs: the sweep names its nodes */
    if (t->held == 0 && mark <= 1) empty_tape();
    else if (t->chunks > t->collect_chunks || t->bytes > t->collect_bytes) collect(mark);
    t->busy = t->held == 0 && tape_position() > 1;
}

/* ---- leaves ---- */
static uint32_t take_leaf(Tape *t) {
    if (t->free_leaves)
        for (size_t i = 0; i < t->leaves; i++)
            if (!t->leaf[i].used) {
                t->free_leaves--;
                return (uint32_t)i;
            }
    t->leaf = mem_grow(t->leaf, &t->leaf_capacity, t->leaves + 1, sizeof *t->leaf);
    t->leaf[t->leaves] = (Leaf){ .gradient = NIL, .hook = NIL };
    return (uint32_t)t->leaves++;
}

Value leaf_attach(Value x, Req req, String *name) {
    char what[80];
    if (!is_numeric(x))
        fail(E_GRADIENT, "attach_grad needs an array or a number, not %s",
             describe(x, what, sizeof what));
    if (dtype_of(x) == BOOL) {
        hint("f64(x) makes numbers of a bool array");
        fail(E_GRADIENT, "attach_grad cannot attach a gradient to bool values");
    }
    x.node = 0;
    Value gradient = req == REQ_NULL ? NIL : zeros_like(x);
    uint32_t slot = take_leaf(rt.tape);
    rt.tape->leaf[slot] = (Leaf){ .gradient = value_hold(gradient), .hook = NIL, .used = true,
                                  .req = (uint8_t)req, .name = name, .span = rt.here };
    rt.tape->dying++;               /* nobody holds it yet */
    rt.tape->busy = true;
    x.node = LEAF | slot;
    return x;
}

Value leaf_gradient(Value leaf) { return leaf_at(leaf.node)->gradient; }

void leaf_clear(Value leaf) {
    Leaf *l = leaf_at(leaf.node);
    if (l->req == REQ_NULL) return;
    Value constant = leaf;
    constant.node = 0;
    value_store(&l->gradient, zeros_like(constant));
    l->sweep = 0;
}

/* ---- adjoints of held nodes ---- */
void tape_keep_adjoint(uint32_t id, Value adjoint) {
    Tape *t = rt.tape;
    int64_t at = node_at(id)->head & N_KEPT ? idmap_get(t->kept_index, id) : -1;
    if (at < 0) {
        t->kept = mem_grow(t->kept, &t->kept_capacity, t->kept_count + 1, sizeof *t->kept);
        at = (int64_t)t->kept_count;
        idmap_put(t->kept_index, id, (uint32_t)at);
        t->kept[t->kept_count++] = (KeptAdjoint){ .node = id, .adjoint = NIL };
        node_at(id)->head |= N_KEPT;
    }
    adjoint.node = 0;
    value_store(&t->kept[at].adjoint, adjoint);
    t->kept[at].span = rt.here;
}

/* The map has no deletion: a dropped entry stays as a dead one until there are only dead ones. */
static void drop_adjoint(uint32_t id) {
    Tape *t = rt.tape;
    int64_t at = idmap_get(t->kept_index, id);
    node_at(id)->head &= (uint16_t)~N_KEPT;
    if (at < 0) return;
    value_store(&t->kept[at].adjoint, UNSET);
    t->kept[at].node = 0;
    while (t->kept_count && !t->kept[t->kept_count - 1].node) t->kept_count--;
    if (!t->kept_count) idmap_free(t->kept_index);
}

const Value *tape_adjoint(uint32_t id) {
    if (!id || id >= LEAF || !(node_at(id)->head & N_KEPT)) return NULL;
    int64_t at = idmap_get(rt.tape->kept_index, id);
    return at < 0 ? NULL : &rt.tape->kept[at].adjoint;
}

Span tape_adjoint_span(uint32_t id) {
    int64_t at = idmap_get(rt.tape->kept_index, id);
    return at < 0 ? 0 : rt.tape->kept[at].span;
}

/* ---- life ---- */
void tape_open(void) {
    Tape *t = rt.tape = mem_alloc_zeroed(sizeof *t);
    t->kept_index = mem_alloc_zeroed(sizeof *t->kept_index);
    t->swept_heads = NIL;
    t->collect_chunks = FIRST_COLLECT_CHUNKS;
    t->collect_bytes = first_collect_bytes;
    tape_new_chunk();
    t->first->used = 1;
    t->first->node[0] = (Node){ 0 };
}

/* What the tape itself keeps may hold nodes (a recorded gradient does), so that it goes before
 * them. */
static void drop_gradients(void) {
    Tape *t = rt.tape;
    value_store(&t->swept_heads, NIL);
    for (size_t i = 0; i < t->leaves; i++) {
        value_store(&t->leaf[i].gradient, NIL);
        value_store(&t->leaf[i].hook, NIL);
    }
    for (size_t i = 0; i < t->kept_count; i++) value_store(&t->kept[i].adjoint, UNSET);
}

void tape_close(void) {
    Tape *t = rt.tape;
    if (!t) return;
    mem_fail_at(0);
    drop_gradients();
    cells_collect();     /* values in cycles may hold nodes still */
    tape_truncate(1);
    for (size_t i = 0; i < t->leaves; i++)
        if (t->leaf[i].used) free_leaf(&t->leaf[i]);
    for (Chunk *c = t->spare, *next; c; c = next) {
        next = c->next;
        mem_free(c, sizeof *c);
    }
    mem_free(t->first, sizeof *t->first);
    if (t->kept_index) idmap_free(t->kept_index);
    mem_free(t->kept_index, sizeof *t->kept_index);
    if (t->slot_capacity) mem_free(t->slot, t->slot_capacity * sizeof *t->slot);
    if (t->free_capacity) mem_free(t->free_slot, t->free_capacity * sizeof *t->free_slot);
    if (t->leaf_capacity) mem_free(t->leaf, t->leaf_capacity * sizeof *t->leaf);
    if (t->hook_capacity) mem_free(t->hook, t->hook_capacity * sizeof *t->hook);
    if (t->kept_capacity) mem_free(t->kept, t->kept_capacity * sizeof *t->kept);
    mem_free(t, sizeof *t);
    rt.tape = NULL;
}
