/* The text of a derivative rule, for the manual. */
#ifndef DOC_RULE_H
#define DOC_RULE_H
#include "ops.h"
#include "text.h"

/* Writes what the adjoint g of the operation's result adds to the adjoint of input `which`, as an
 * expression in the inputs' names, r (the result) and g: "g * cos(x)". false: there is no rule to
 * show. */
bool rule_text(Op op, int which, Buffer *out);
/* "x", "condition": what the operation's signature calls the input. */
const char *rule_input(Op op, int which, char *name, size_t bytes);
int rule_inputs(Op op);           /* how many inputs have a rule */
#endif
