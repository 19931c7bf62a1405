/* Adjoints that come slice by slice: the parts of an array that lie side by side along one axis, as
 * the gates of a recurrent layer or the turns of a loop, are written into its adjoint one after the
 * other. What no slice has written is zeroed when somebody reads the adjoint, not before. */
#ifndef SLICES_H
#define SLICES_H
#include "adjoint.h"

/* The contribution g of an index node to its operand; false if it is not that simple. */
bool slices_write(Sweep *s, const Extra *extra, Value g);
/* Zeroes what is not written of this adjoint, before anybody reads it or adds to it; 0: of all. */
void slices_finish(Sweep *s, uint32_t id);
static inline void slices_settle(Sweep *s, uint32_t id) {
    if (__builtin_expect(s->slices != 0, 0)) slices_finish(s, id);
}
#endif
