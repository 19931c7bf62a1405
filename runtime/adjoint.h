/* Adjoints: what has arrived at each node and leaf while a sweep runs, and adding to it. The
 * sweep's own header: sweep.c, pullback.c and adjoint.c share it, nobody else.
 *
 * Adjoints live in one Block per chunk, made at first touch and freed when the sweep has passed
 * the chunk. In a plain sweep an adjoint is 8 bytes, a number or an array by what the node's value
 * is; in a recorded sweep it is a Value. A block belongs to one sweep: a sweep inside another (a
 * hook, a custom rule) puts its own in front and takes it away again. */
#ifndef ADJOINT_H
#define ADJOINT_H
#include "depend.h"
#include "sweep.h"
#include "zero.h"

typedef struct Block Block;
struct Block {
    Block *next, *previous;          /* the sweep's open blocks */
    Chunk *chunk;
    Block *hidden;                   /* what the chunk had before: an outer sweep's */
    uint64_t hidden_owner;
    uint32_t used;                   /* nodes that have a place here */
    Operand number[];                /* a plain sweep's adjoints */
};

/* "Not reached": a NaN that no arithmetic makes. It must differ from zero. */
#define NOT_REACHED (~(uint64_t)0)

/* An adjoint of which only an interval of one axis is written (slices.h). */
typedef struct Interval { int axis; int64_t low, high; } Interval;
typedef struct Sliced { uint32_t id; Array *whole; Interval written; } Sliced;
enum { SLICED = 8 };

typedef struct Sweep Sweep;
typedef struct Weights Weights;         /* weights.h */
struct Sweep {
    Sweep *outer;
    uint64_t id, low, high;          /* positions: from the heads down to the lowest target */
    uint64_t floor;                  /* or to this one, unless 0: targets below it only collect */
    bool recorded, tape_mode, retain;
    int heads, targets;
    const Value *head, *target;
    Value *result;                   /* by target; held objects, not nodes */
    IdMap target_index, leaf_index;
    Value *leaf_adjoint;             /* contributions to leaves, by leaf_index */
    uint32_t *leaf_id;
    size_t leaves, leaf_capacity, leaf_id_capacity;
    uint32_t last_leaf;              /* whose number was added to last: often the next, too */
    int64_t last_leaf_at;
    uint32_t last_vector_leaf;       /* the same of small vectors */
    int64_t last_vector_leaf_at;
    Block *open;
    Dependence depends;              /* in recorded sweeps */
    Chunk **passed;                  /* whose objects go at the end */
    size_t passed_count, passed_capacity;
    Liveness *live;
    Sliced sliced[SLICED];           /* adjoints that are not wholly written */
    int slices;
    Weights *weights;                /* matrices that many products share; or NULL */
    const SweepLook *look;           /* an onlooker, or NULL */
    uint32_t at;                     /* for it: the node that is visited, 0 while seeding */
};

/* ---- blocks ---- */
Block *open_block(Sweep *s, Chunk *c);
/* count: behind that many nodes no adjoint is left, as the sweep has passed. */
void close_block(Sweep *s, Block *b, uint32_t count);
static inline Value *values_of(const Block *b) { return (Value *)(void *)b->number; }

/* The adjoints of several results are in a list. */
static inline bool adjoint_is_object(const Node *n) { return n->head & N_R; }

/* The adjoint that has arrived at a node, UNSET if none. */
static inline Value adjoint_at(const Sweep *s, const Block *b, const Node *n, uint32_t offset) {
    if (s->recorded) return values_of(b)[offset];
    Operand o = b->number[offset];
    if (o.bits == NOT_REACHED) return UNSET;
    return adjoint_is_object(n) ? object(o.obj) : number(o.num);
}

static inline void replace(Value *place, Value v) {
    value_keep(v);
    Value old = *place;
    *place = v;
    if (old.tag != V_UNSET) value_drop(old);
}

/* This chunk has nodes whose objects go at the end. */
void note_passed(Sweep *s, Chunk *c);

/* ---- adding up ---- */
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
void add_number_slow(Sweep *s, uint32_t id, double g);

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

/* The adjoint that has arrived at id, if it is an array that only its place holds; else NULL. */
Array *sole_adjoint(Sweep *s, uint32_t id);
void add_value(Sweep *s, uint32_t id, Value g);
#endif
