/* Who uses a value: the inputs of a Wengert list the other way round. The one idea: a node's
 * adjoint is complete when all its uses have handed back their share, which is why a sweep goes on
 * with it. A step that uses a value twice, x * x, is one use. */
#ifndef USES_H
#define USES_H
#include "wengert.h"

typedef struct Uses {
    const Wengert *w;
    uint32_t *start;        /* by node: uses are step[start[node] .. start[node + 1]) */
    uint32_t *step;         /* rising */
} Uses;

/* Of all steps and leaves; belongs to the pool. */
Uses uses_of(const Wengert *w);

/* A node is a step by its number, or count + a leaf's. -1: the input is neither. */
int64_t uses_node(const Wengert *w, Input input);
uint32_t uses_count(const Uses *u, uint32_t node);
/* How many of the uses are below this step: those that a sweep which has come down to it has still
 * to pass. */
uint32_t uses_below(const Uses *u, uint32_t node, uint32_t step);
/* "#4", "#4 and #5", "#4, #5 and 7 more": of the first `count` uses. */
const char *uses_text(const Uses *u, uint32_t node, uint32_t count);
#endif
