/* Pullbacks: from the adjoint of one node to contributions to its inputs. The sweep chooses one of
 * three: of a node on numbers, of an elementwise node, of a ROW. */
#ifndef PULLBACK_H
#define PULLBACK_H
#include "adjoint.h"
#include "elem.h"

/* Undoes broadcasting: a contribution in the result's shape becomes one in the input's. */
Value fit(Value c, Value input);
void pull_elementwise(Sweep *s, uint32_t id, const Node *n, Value g);
void pull_row(Sweep *s, uint32_t id, const Node *n, Value g);

/* Nodes on numbers in a plain sweep, in chunk c from node i - 1 down to `first`, as far as none of
 * them has a flag of `stop` (held: the upper half). Gives the i where it stopped. */
uint32_t pull_numbers(Sweep *s, Chunk *c, uint32_t first, uint32_t i, uint32_t stop);
/* Node i of chunk c, if it is an operation on small vectors in a plain sweep and nobody wants to
 * look at it; else false. */
bool pull_small(Sweep *s, Chunk *c, uint32_t i);
void pullbacks_open(void);
/* What a custom rule gives for (adjoint, value, argument ...): a list, one for each of the count
 * arguments. */
Value custom_gradients(Function *rule, int count, const Value *arguments);
#endif
