/* Function mode: differentiating a call. The one idea: the inputs are lifted to fresh nodes at the
 * top of the one tape, the call is recorded above them, swept in whatever way, and cut off again if
 * nothing names it; so calls nest to any depth and a million of them leave no trace.
 *
 *     Lifted call = function_lift(count, x);
 *     Value y = ... computed from call.x while recording ...;
 *     function_stop(&call);                  recording is as it was
 *     sweep_gradients(y, NIL, count, call.x, out);
 *     y = function_end(&call, y, count, out);
 */
#ifndef FUNCTION_H
#define FUNCTION_H
#include "sweep.h"

typedef struct Lifted {
    uint64_t mark;             /* what stands above it belongs to the call */
    bool recording, training;  /* of the caller */
    int count;
    Value *x; /* the inputs at places of their own, tied to the caller's only if it records */
} Lifted;

/* Lifts the inputs and starts recording. */
Lifted function_lift(int count, const Value *x);
void function_stop(const Lifted *call);
/* Cuts off the call's part of the tape, unless y, a result or a holder names it. Gives y: a
 * constant unless the caller records. */
Value function_end(const Lifted *call, Value y, int results, const Value *result);
#endif
