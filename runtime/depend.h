/* Dependence: which nodes of a stretch of tape depend on the targets of a sweep, and which on
 * anything else that a later sweep may follow (an older node, a leaf). Recorded and forward sweeps
 * ask it: only what depends on something else stays a recorded operand, and levels of nested
 * derivatives never mix. */
#ifndef DEPEND_H
#define DEPEND_H
#include "idmap.h"
#include "tape.h"

enum { DEPENDS_ON_TARGET = 1, DEPENDS_ON_OTHER = 2 };
typedef struct Dependence { uint64_t low, high; uint8_t *bits; } Dependence;

/* Marks the positions low..high, in the pool's memory. Targets, nodes and leaves alike, are in the
 * map; nodes among them carry N_TARGET. */
Dependence depend_mark(uint64_t low, uint64_t high, const IdMap *targets);
static inline int depends_at(const Dependence *d, uint64_t position) {
    return d->bits[position - d->low];
}
#endif
