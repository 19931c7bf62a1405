/* The tape. The one idea: one list of nodes in execution order, without levels; a recorded sweep
 * appends to the same list, so derivatives of any order and mixture need nothing more.
 *
 * A node id is 0 (constant), a chunk's slot and an offset in it, or LEAF | the number of a leaf
 * slot. Order is position() and never the id, since chunk slots are recycled. A node lives as long
 * as somebody holds it (a variable, a list, a closure: node_hold) or a held node depends on it;
 * only the end of a statement reclaims, and only what was recorded since the running call began,
 * since older nodes may be named by temporaries of the callers. See sweep.h for differentiation. */
#ifndef TAPE_H
#define TAPE_H
#include "elem.h"

#ifndef CHUNK_SHIFT
#define CHUNK_SHIFT 7          /* 128 nodes; tests also build with 1 */
#endif
enum { CHUNK = 1 << CHUNK_SHIFT, CHUNK_MASK = CHUNK - 1 };
#define LEAF 0x80000000u
static inline bool is_leaf(Value v) { return v.node >= LEAF; }
static inline bool is_recorded(Value v) { return v.node && v.node < LEAF; }

/* ---- nodes ---- */
/* What a node with more than two inputs, or with settings, keeps. */
typedef struct Extra { int count; size_t bytes; Attr *attr; Value in[]; } Extra;

typedef union Operand { double num; Array *array; Extra *extra; Obj *obj; uint64_t bits; } Operand;

enum {
    N_OP = 255,          /* the operation */
    N_INNER = 1 << 8,    /* inside a fused expression: its value is kept nowhere (fuse.h) */
    N_X = 1 << 9,        /* x is an array; NULL if no rule mentions it and it has the shape of r */
    N_Y = 1 << 10,       /* likewise y */
    N_R = 1 << 11,       /* likewise r, the result; of a row with several results, their list */
    N_SWEPT = 1 << 12,   /* an unretained sweep has passed */
    N_KEPT = 1 << 13,    /* its adjoint is readable (tape_adjoint) */
    N_TARGET = 1 << 14,  /* a sweep wants its adjoint, or it has a hook */
    N_LIVE = 1 << 15,    /* scratch of the reclaiming scan */
};

/* 40 bytes. An elementwise node has inputs a, b with operands x, y; a ROW node has x.extra
 * instead. */
typedef struct Node {
    uint16_t head, held;  /* held: by how many variables and containers; sticks at 65 535 */
    Span span;
    uint32_t a, b;        /* the inputs' ids */
    Operand x, y, r;
} Node;
_Static_assert(sizeof(Node) == 40, "a scalar node takes 40 bytes");
_Static_assert(OP_COUNT <= N_OP + 1, "an operation fits into the head of a node");
static inline int node_op(const Node *n) { return n->head & N_OP; }
static inline bool has_extra(const Node *n) { return (n->head & N_OP) >= OP_ELEMS; }

typedef struct Chunk Chunk;
struct Chunk {
    Chunk *previous, *next;
    uint64_t base;        /* position of node[0] */
    uint32_t slot, used;
    uint32_t held;        /* nodes with held > 0 */
    bool objects;         /* some node's value is an object */
    bool keeps;           /* some node may still keep one: releasing has to look */
    uint64_t owner;       /* the sweep whose adjoints `block` has */
    struct Block *block;
    Node node[CHUNK];
};

/* ---- leaves ---- */
typedef enum Req { REQ_WRITE, REQ_ADD, REQ_NULL } Req;
typedef struct Leaf {
    Value gradient;       /* held */
    Value hook;           /* held: a function, or nil */
    uint32_t holders;
    uint8_t req;
    bool used;
    String *name;         /* the variable it was attached to, or NULL */
    Span span;
    uint64_t sweep;       /* the last sweep that reached it; 0: none */
    Span swept_at;        /* where that one was called */
} Leaf;

typedef struct Hook { uint32_t node; Value function; } Hook;
typedef struct KeptAdjoint { uint32_t node; Value adjoint; Span span; } KeptAdjoint;

struct Tape {
    Chunk **slot;         /* by chunk slot */
    Chunk *first, *top, *spare;
    uint32_t *free_slot;
    size_t slots, slot_capacity, free_slots, free_capacity;
    uint64_t held;        /* nodes that somebody holds */
    uint64_t chunks, bytes, collect_chunks, collect_bytes, collections;
    uint64_t keep_bytes;  /* 0, or: for those who look at the tape (tape_keeps) */
    bool fused;           /* some expression was recorded as one step (fuse.h) */
    bool busy;            /* a statement's end may have something to reclaim: see tape_reclaim() */
    Leaf *leaf;
    size_t leaves, leaf_capacity, free_leaves, dying;
    KeptAdjoint *kept;
    size_t kept_count, kept_capacity;
    struct IdMap *kept_index;
    Hook *hook;
    size_t hooks, hook_capacity;
    uint64_t sweeps, failed_sweep;   /* how many; the last one that ended in an error */
    struct Sweep *sweep;             /* the running one */
    Span sweep_span;                 /* where the last unretained sweep was called */
    uint64_t swept; /* the last backward(), where it was called, and its heads as a list: */
    Span swept_at;                   /* for those who look, so nil unless the tape keeps */
    Value swept_heads;
};

static inline void chunk_has_objects(Chunk *c) { c->objects = c->keeps = true; }
static inline Chunk *chunk_of(uint32_t id) { return rt.tape->slot[id >> CHUNK_SHIFT]; }
static inline Node *node_at(uint32_t id) { return &chunk_of(id)->node[id & CHUNK_MASK]; }
static inline uint64_t position_of(uint32_t id) { return chunk_of(id)->base + (id & CHUNK_MASK); }
static inline Leaf *leaf_at(uint32_t id) { return &rt.tape->leaf[id & ~LEAF]; }

/* Whoever looks at the tape (the teaching views) wants what rules do not mention, also after a
 * sweep. While the tape keeps, every node has its operands and its result, and an unretained sweep
 * releases nothing; past keep_bytes it is a tape like any other, and what is lost is lost. */
static inline bool tape_keeps(void) { return rt.tape->bytes < rt.tape->keep_bytes; }
/* Is the input `id` of a node at this position still on the tape? Behind a node that a sweep has
 * passed it may be gone, and its chunk's slot may have a later chunk. */
static inline bool tape_has(uint32_t id, uint64_t position) {
    return id && id < LEAF && chunk_of(id) && position_of(id) < position;
}

/* ---- recording ---- */
/* Where the next node will stand. */
static inline uint64_t tape_position(void) { return rt.tape->top->base + rt.tape->top->used; }
void tape_new_chunk(void);
static inline Node *tape_push(uint32_t *id) {
    Tape *t = rt.tape;
    if (__builtin_expect(t->top->used == CHUNK, 0)) tape_new_chunk();
    t->busy |= t->held == 0;
    Chunk *c = t->top;
    *id = c->slot << CHUNK_SHIFT | c->used;
    return &c->node[c->used++];
}
/* A recorded operation on two numbers; y is number(0) for one input. Returns the id of the node. */
static inline uint32_t tape_append_scalar(Op op, Value x, Value y, double result) {
    uint32_t id;
    Node *n = tape_push(&id);
    *n = (Node){ (uint16_t)op, 0, rt.here, x.node, y.node,
                 { .num = x.as.num }, { .num = y.as.num }, { .num = result } };
    return id;
}
/* node_release() of a node that has one holder left while others are held; false if it is not that
 * easy. */
static inline bool node_release_one(uint32_t id) {
    Chunk *c = chunk_of(id);
    Node *n = &c->node[id & CHUNK_MASK];
    if (__builtin_expect(n->held != 1 || n->head & N_KEPT, 0)) return false;
    n->held = 0;
    c->held--;
    rt.tape->held--;
    return true;
}

/* tape_append_scalar() where there is room, with one holder from the start. */
static inline bool tape_has_room(void) { return rt.tape->top->used < CHUNK; }
static inline uint32_t tape_append_held(Op op, Value x, Value y, double result) {
    Tape *t = rt.tape;
    Chunk *c = t->top;
    Node *n = &c->node[c->used];
    *n = (Node){ (uint16_t)op, 1, rt.here, x.node, y.node,
                 { .num = x.as.num }, { .num = y.as.num }, { .num = result } };
    c->held++;
    t->held++;
    return c->slot << CHUNK_SHIFT | c->used++;
}
/* An elementwise operation on two small vectors and its result (is_small_vector); held: by how many
 * from the start, 0 or 1. */
static inline __attribute__((always_inline)) uint32_t
tape_append_small(Op op, Value x, Value y, Array *r, uint16_t held) {
    uint32_t id;
    Node *n = tape_push(&id);
    Tape *tape = rt.tape;
    Chunk *c = tape->top;
    const ElemTraits *t = &elem_traits[op];
    bool all = tape_keeps(), kept_x = all | t->needs_x, kept_y = all | t->needs_y,
         kept_r = all | t->needs_r;
    *n = (Node){ .head = (uint16_t)(op | N_X | N_Y | N_R), .held = held, .span = rt.here,
                 .a = x.node, .b = y.node };
    if (kept_x) obj_keep(n->x.array = x.as.array);
    if (kept_y) obj_keep(n->y.array = y.as.array);
    if (kept_r) obj_keep(n->r.array = r);
    chunk_has_objects(c);               /* adjoints, if nothing else */
    c->held += held;
    tape->held += held;
    tape->bytes += (uint64_t)(kept_x + kept_y + kept_r) * (uint64_t)r->size * sizeof(double);
    tape->busy |= tape->bytes > tape->collect_bytes;
    return id;
}
uint32_t tape_append(Op op, int count, const Value *in, Value result, const Attr *attr);
/* The list of a node's several results, each at a place of its own (OP_part) that hands its
 * adjoint to the node. */
Value tape_parts(uint32_t whole, Value results);
/* The operands of a node as values without their nodes; UNSET where the node did not keep it. */
Value node_x(const Node *n);
Value node_y(const Node *n);
Value node_r(const Node *n);

/* The end of every statement. mark: tape_position() when the running call began. */
void tape_reclaim(uint64_t mark);
static inline void tape_statement_end(uint64_t mark) {
    if (rt.tape->busy) tape_reclaim(mark);
}
/* Cuts off everything from this position on. */
void tape_truncate(uint64_t position);
bool tape_any_held(uint64_t position);
/* Lets go of what the nodes of a chunk keep that a sweep has passed. */
void tape_release_swept(Chunk *c);
/* An array or a list that a node keeps or drops; both count its bytes. NULL is nothing to drop. */
void *node_keep(void *object);
void node_drop(void *object);

/* ---- leaves and adjoints that stay readable ---- */
/* x with a zero-filled gradient slot: an array or number of f64 or f32. name may be NULL. */
Value leaf_attach(Value x, Req req, String *name);
/* Zeros before any sweep; nil with REQ_NULL. */
Value leaf_gradient(Value leaf);
void leaf_clear(Value leaf);
void tape_keep_adjoint(uint32_t node, Value adjoint);
/* The adjoint that the last sweep left at a held node, or NULL. */
const Value *tape_adjoint(uint32_t node);
/* Where that sweep was called. */
Span tape_adjoint_span(uint32_t node);

/* A hook on a node: it carries N_TARGET, so that sweeps stop to look. NULL: it has none. */
void tape_set_hook(uint32_t node, Value function);
const Value *tape_hook(uint32_t node);

void tape_open(void);
void tape_close(void);
#endif
