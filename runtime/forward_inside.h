/* What the files of the forward sweep share: its state, and the tangents that have been found. The
 * one idea: a tangent is kept by the position of its node, as a Value while recording, else as 8
 * bytes, a number or an array by what the node's value is. The pool owns what they name. */
#ifndef FORWARD_INSIDE_H
#define FORWARD_INSIDE_H
#include "depend.h"
#include "forward.h"

typedef struct Forward {
    uint64_t low, high;
    bool recorded;
    Dependence depends;             /* while recording: what depends on something besides x */
    int count;
    const Value *x, *seed;
    Operand *plain;                 /* the tangents of a plain sweep, by position - low */
    Value *values;                  /* ... of a recorded one; UNSET: none */
    Value masks;                    /* a list with the list of masks, once it is needed */
    uint64_t masked;                /* masks are known below this position */
} Forward;

/* "Does not depend on x": a NaN that no arithmetic makes. */
#define NO_TANGENT (~(uint64_t)0)

static inline Value constant_of(Value v) {
    v.node = 0;
    return v;
}

/* ---- tangents of inputs ---- */
static inline Value leaf_tangent(const Forward *f, uint32_t id) {
    for (int i = 0; i < f->count; i++)
        if (f->x[i].node == id) return f->seed[i];
    return UNSET;
}

static inline bool is_known_object(const Node *n) { return n->head & N_R; }

static inline Value tangent_at(const Forward *f, const Node *n, uint64_t position) {
    if (f->recorded) return f->values[position - f->low];
    Operand t = f->plain[position - f->low];
    return t.bits == NO_TANGENT ? UNSET : is_known_object(n) ? object(t.obj) : number(t.num);
}

/* ---- the zero rule (moved.c) ---- */
/* t * d, the derivative d by `input` of tangent t, a node's at `position`, mended where it is not
 * finite. */
Value mended_tangent(Forward *f, Value t, Value d, Value input, uint32_t id, uint64_t position);
#endif
