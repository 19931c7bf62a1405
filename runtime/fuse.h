/* Fusion. The one idea: an elementwise operation on large arrays, whose result another elementwise
 * operation takes at once, is not computed but deferred; when the whole expression is known it runs
 * as one program of tiles (tiles.h), and nothing between its operands and its result is stored.
 *
 * Whoever evaluates an expression says with DEFER where a deferred value may be given; it must go
 * into fuse_apply(), fuse_reduce() or fuse_force() and nowhere else, once. Operands are checked
 * when an operation is deferred, so that errors come in the order in which they are written.
 *
 * On the tape each operation has its usual node, but those inside an expression keep no values and
 * are marked N_INNER: the sweep treats the whole as one step and computes the inside again, tile by
 * tile (fuse_pull). Whoever wants to look at the nodes one by one calls fuse_expand() first: then
 * the tape is as if nothing had been fused. */
#ifndef FUSE_H
#define FUSE_H
#include "tape.h"

/* As a flag beside REUSE_X and REUSE_Y: the result may be deferred. */
enum { REUSE_Z = 4, DEFER = 8 };

typedef struct Deferred {
    Obj head;
    uint16_t op;
    uint8_t count, reuse;        /* operands; which of them are temporaries, by REUSE_X ... */
    uint8_t dtype, width;        /* of the result; in which its program computes */
    uint8_t steps, sources;      /* of the whole expression */
    bool recorded;
    Span span;
    size_t bytes;
    Value in[3];                 /* numbers, arrays and deferred values, held */
    int64_t size;
    int axes;
    int64_t shape[];
} Deferred;
void deferred_free(Deferred *d);

static inline bool is_deferred(Value v) { return v.tag == V_DEFERRED; }
static inline Deferred *deferred_of(Value v) { return (Deferred *)v.as.obj; }

/* From how many elements on an operation is worth deferring; ADL_FUSE_FROM changes it (tests). */
extern int64_t fuse_from;
static inline bool is_worth_deferring(Value v) {
    return v.tag == V_DEFERRED || (v.tag == V_ARRAY && v.as.array->size >= fuse_from);
}

/* Runs or defers an operation of one program step: flags are REUSE_X, REUSE_Y, REUSE_Z, DEFER. */
Value fuse_apply(Op op, int count, const Value *in, int flags);
/* The value itself, computed and recorded if it was deferred. */
Value fuse_force(Value v);
/* OP_sum, OP_max or OP_min of a deferred v, whose elements are never stored but a part at a time;
 * false if it has to be computed first. */
bool fuse_reduce(Op op, Value v, uint64_t axes, bool keepdims, Value *result);

/* ---- on the tape ---- */
/* Does a fused expression end in this node, whose inside is not stored? */
bool fuse_is_root(const Node *n);
/* Stores the values inside the expressions between two positions, as if they had not been fused. */
void fuse_expand(uint64_t low, uint64_t high);
void fuse_expand_all(void);
void fuse_open(void);
#endif
