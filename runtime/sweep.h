/* Sweeps. The one idea: walk the tape backwards, hand each node's adjoint to its row's rule, and
 * add what comes out to the adjoints of its inputs. Undoing broadcasting, adding several uses, and
 * the zero rule (zero.h) happen here, once, not in the rules.
 *
 * While recording, the sweep runs in recorded operations and stays on the tape; else in plain
 * numbers. */
#ifndef SWEEP_H
#define SWEEP_H
#include "tape.h"

/* Sweeps the heads into the leaf slots. heads[i] with head gradient gradients[i] (nil: ones).
 * Keeps the tape if `retain` or while recording; else the nodes it passed cannot be swept again. */
void sweep_backward(int count, const Value *heads, const Value *gradients, bool retain);

/* The gradient of the leaf or held recorded value x; E_GRADIENT if there is none. */
Value sweep_gradient(Value x);

/* The gradient of sum of g[k] * y[k] over all heads with respect to each of `count` recorded
 * values or leaves x, into out; zeros where no head depends on it. g NULL or g[k] nil: ones. Keeps
 * the tape. */
void sweep_gradients(int heads, const Value *y, const Value *g, int count, const Value *x,
                     Value *out);

/* The same, but nothing below position `floor` is swept: what arrives at an x there stays there. */
void sweep_gradients_above(uint64_t floor, int heads, const Value *y, const Value *g, int count,
                           const Value *x, Value *out);

/* Calls hook(g) with the complete adjoint of x, a leaf or recorded value, in each sweep that
 * reaches it; what it gives, unless nil, takes the adjoint's place. */
void sweep_hook(Value x, Value hook);

/* An operation with a rule of its own: returns y, whose gradient is rule(g, y, *in), an array for
 * one input else a list. y may be a list of results; then g is a list too, with zeros where
 * nothing came. */
Value sweep_custom(Value rule, int count, const Value *in, Value y);

/* A sweep for those who look: as sweep_backward would run, but unrecorded, without hooks, and
 * leaving no trace: no slot is written, no adjoint kept, nothing counts as swept. Each node behind
 * the heads must have what its rule mentions. */
typedef struct SweepLook {
    /* The complete adjoint of a node, from the heads down, and at the end of each leaf. */
    void (*arrived)(void *env, uint32_t id, Value g);
    /* What takes the place of the adjoint that arrived at a node; g itself, or NULL: none does. */
    Value (*replaced)(void *env, uint32_t id, Value g);
    /* What a node's rule gives to an input; from 0: a head gradient. May be NULL. */
    void (*sent)(void *env, uint32_t from, uint32_t to, Value contribution);
    void *env;
} SweepLook;
void sweep_look(int heads, const Value *head, const Value *gradients, const SweepLook *look);

void sweep_open(
    void); /* once, after ops_open(): makes guard() close the sweeps that an error left open */
#endif
