/* Which functions vmap can run for many examples at once: those whose course no number decides. */
#ifndef BATCHABLE_H
#define BATCHABLE_H
#include "value.h"

/* Does f, called with such arguments, only compute: assignments to its own variables and
 * expressions of operations that are recorded, no branch, no comparison, no effect? */
bool is_batchable(Value f, int count, const Value *args);
#endif
