/* The zero rule, "live + finite" (AUTODIFF.md, section 2): what an adjoint of zero contributes
 * through a derivative that is not finite.
 *
 *   dropped by a selection (where, maximum, indexing ...)   nothing, whatever the derivative is
 *   any other zero, and the node's own value is finite      nothing
 *   otherwise                                               IEEE: 0 * inf = NaN, which why(x)
 * explains
 *
 * Which elements a selection dropped is found by a boolean pass from the heads down, run only when
 * a zero has met such a derivative. */
#ifndef ZERO_H
#define ZERO_H
#include "sweep.h"

typedef struct Liveness Liveness;
/* Whether each element of node `id` reaches a head other than through a dropped element: an array
 * or number of zeros and ones in the shape of its value, or UNSET if none does. Cached in *state;
 * heads: recorded values. */
Value liveness_of(Liveness **state, int heads, const Value *head, uint32_t id, uint64_t low);
void liveness_free(Liveness *state);

/* g * d by the rule, r the node's value. Recorded as a product, so that the next order is loud
 * where it must be. */
Value mended_product(Value g, Value d, Value r, Value live);
/* Is every element finite? */
bool all_finite(Value v);
#endif
