/* Pullbacks: from the adjoint of one node to contributions to its inputs. The sweep chooses one of
 * three: of a node on numbers, of an elementwise node, of a ROW. */
#ifndef PULLBACK_H
#define PULLBACK_H
#include "adjoint.h"
#include "elem.h"

/* Undoes broadcasting: a contribution in the result's shape becomes one in the input's. */
Value fit(Value c, Value input);
/* A sum's adjoint reaches its elements as 1. Then the adjoint of a factor is the other factor, and
 * needs no array of its own, since values never change in place while others hold them. Is g 1
 * everywhere, and is the derivative an operand of g's shape and dtype? UNSET if not. */
bool is_all_ones(Value g);
Value operand_as_slope(Op op, int which, Value g, Value x, Value y);
void pull_elementwise(Sweep *s, uint32_t id, const Node *n, Value g);
void pull_row(Sweep *s, uint32_t id, const Node *n, Value g);

/* Nodes on numbers in a plain sweep, in chunk c from node i - 1 down to `first`, as far as none of
 * them has a flag of `stop` (held: the upper half). Gives the i where it stopped. */
uint32_t pull_numbers(Sweep *s, Chunk *c, uint32_t first, uint32_t i, uint32_t stop);
/* The same with nodes on small vectors, as far as nobody wants to look at one. */
uint32_t pull_small(Sweep *s, Chunk *c, uint32_t first, uint32_t i, uint32_t stop);
/* How an elementwise node hands its adjoint on, by its operation: the commonest local derivatives
 * need no call. */
typedef enum Way { WAY_NOT_HERE, WAY_SUM, WAY_DIFFERENCE, WAY_PRODUCT, WAY_CALL } Way;
extern uint8_t pull_ways[OP_COUNT];
void pullbacks_open(void);
/* What a custom rule gives for (adjoint, value, argument ...): a list, one for each of the count
 * arguments. */
Value custom_gradients(Function *rule, int count, const Value *arguments);
#endif
