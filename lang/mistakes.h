/* The mistakes of differentiation: why a value cannot be swept, in the words of the program. The
 * one idea: the text says what the values cannot: where a name was assigned, whether inside record,
 * and from what. */
#ifndef MISTAKES_H
#define MISTAKES_H
#include "value.h"

/* backward of a value that is not on the tape: computed outside record, or from nothing attached,
 * or from a variable that lost its slot. rt.here: the call, whose first operand is the head. */
_Noreturn void fail_unrecorded(Value head);
/* The same for others than backward: the message begins with `nothing`. */
_Noreturn void fail_unrecorded_by(Value head, const char *nothing);
/* The same for a call whose head is another operand. */
_Noreturn void fail_unrecorded_operand(Value head, int operand, const char *nothing);
/* grad of a value that has none: never attached or recorded, its slot lost, or not reached by a
 * sweep. */
_Noreturn void fail_no_gradient(Value x);
/* For rt.on_swept: a state carried over, two heads with a trunk in common, or the same value again.
 */
void fail_swept(Span node, Span swept_at);
#endif
