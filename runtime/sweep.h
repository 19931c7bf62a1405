/* Sweeps. The one idea: walk the tape backwards, hand each node's adjoint to its row's rule, and add
 * what comes out to the adjoints of its inputs. Undoing broadcasting, adding several uses, and the zero
 * rule (AUTODIFF: live + finite) happen here, once, not in the rules.
 *
 * While recording, the sweep runs in recorded operations and stays on the tape; else in plain numbers. */
#ifndef SWEEP_H
#define SWEEP_H
#include "tape.h"

/* Sweeps the heads into the leaf slots. heads[i] with head gradient gradients[i] (nil: ones). */
void sweep_backward(int count, const Value *heads, const Value *gradients, bool retain);
/* The gradient of the leaf or held recorded value x; E_GRADIENT if there is none. */
Value sweep_gradient(Value x);
/* d sum(g * y) / d each of x[0..count), returned in out; zeros where y does not depend on it. Keeps the tape. */
void sweep_gradients(Value y, Value g, int count, const Value *x, Value *out);

/* Function mode. Lifts the count inputs, calls body(lifted, env), sweeps, and cuts off what was recorded if
 * nothing holds it. y comes back as a constant unless an outer recording wants it. */
typedef Value Body(const Value *lifted, void *env);
Value sweep_function(Body *body, void *env, int count, const Value *x, Value head, Value *out);
#endif
