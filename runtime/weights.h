/* Matrices that many products of a sweep share, as the weights that each turn of a loop uses: what
 * is the same for all of them is done once. */
#ifndef WEIGHTS_H
#define WEIGHTS_H
#include "adjoint.h"

/* Keeps x and g for later, when all that was kept is added to the adjoint `sum` of id as one
 * product, sum += x' g. x and g are rows, or vectors as one row each. False if that would not pay.
 */
bool weights_collect(Sweep *s, uint32_t id, const Array *sum, Value x, Value g);
/* g @ y', from the second time on with a copy of y' that the next ones take too; UNSET if the
 * product would not be faster for it. */
Value weights_turned(Sweep *s, Value g, Value y);

/* Adds what was kept for this adjoint, before anybody reads it; id 0: for all. */
void weights_add(Sweep *s, uint32_t id);
static inline void weights_settle(Sweep *s, uint32_t id) {
    if (__builtin_expect(s->weights != NULL, 0)) weights_add(s, id);
}
void weights_free(Sweep *s);
#endif
