/* The tape. The one idea: one list of nodes in execution order, without levels; a recorded sweep
 * appends to the same list, so derivatives of any order and mixture need nothing more.
 *
 * A node id is 0 (constant), a chunk's slot and an offset in it, or LEAF | the number of a leaf slot.
 * Order is position() and never the id, since chunk slots are recycled. A node lives as long as somebody
 * holds it (a variable, a list, a closure: node_hold) or a held node depends on it; only the end of a
 * statement reclaims, and only what was recorded since the running call began, since older nodes may be
 * named by temporaries of the callers. See sweep.h for differentiation. */
#ifndef TAPE_H
#define TAPE_H
#include "ops.h"

#ifndef CHUNK_SHIFT
#define CHUNK_SHIFT 7          /* 128 nodes; tests also build with 1 */
#endif
enum { CHUNK = 1 << CHUNK_SHIFT, CHUNK_MASK = CHUNK - 1 };
#define LEAF 0x80000000u
static inline bool is_leaf(Value v) { return v.node >= LEAF; }
static inline bool is_recorded(Value v) { return v.node && v.node < LEAF; }

typedef enum Req { REQ_WRITE, REQ_ADD, REQ_NULL } Req;

/* ---- recording ---- */
uint64_t tape_position(void);                     /* where the next node will stand */
uint32_t tape_append(Op op, int count, const Value *in, Value result, const Attr *attr);
/* The end of every statement. mark: tape_position() when the running call began. */
void tape_statement_end_slow(uint64_t mark);
extern uint64_t tape_used;                        /* nodes now on the tape */
static inline void tape_statement_end(uint64_t mark) { if (tape_used) tape_statement_end_slow(mark); }

/* ---- leaves ---- */
Value leaf_attach(Value x, Req req, const char *name);  /* an array or number; name may be NULL */
Value leaf_gradient(Value leaf);                        /* zeros before any sweep; nil with REQ_NULL */
void leaf_clear(Value leaf);

void tape_open(void);
void tape_close(void);
size_t tape_bytes(void);
#endif
