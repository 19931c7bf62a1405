/* Forward sweeps: tangents along the same tape, from the inputs up. The one idea: a tangent needs
 * no tape of its own; once the values are recorded, one walk upwards applies each row's derivative
 * to the tangents of its inputs, and while recording these are recorded operations, so forward and
 * reverse nest. */
#ifndef FORWARD_H
#define FORWARD_H
#include "sweep.h"

/* The tangents of y[0..heads) when x[0..count) move by tangent[0..count), into out; zeros where y
 * does not depend on x. Keeps the tape. */
void forward_tangents(int heads, const Value *y, int count, const Value *x, const Value *tangent,
                      Value *out);

/* For those who look: unrecorded, each(env, node, tangent) for every node behind the heads that
 * moves, upwards. Nothing is left behind. */
void forward_look(int heads, const Value *y, int count, const Value *x, const Value *tangent,
                  void (*each)(void *env, uint32_t id, Value t), void *env);
#endif
