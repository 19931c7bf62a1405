/* Batches: a stretch of tape run again for many examples at once. The one idea: the tape of one
 * example says what is computed, and a row's class how to do it for an axis of examples in front:
 * elementwise rows as they are, rows with axes with these moved by one, matrix functions over
 * leading axes; a row that has no such way is run for one example after the other, and only that
 * row. */
#ifndef BATCH_H
#define BATCH_H
#include "tape.h"

/* The values of y[0..heads) for all `length` examples, into out, the examples along a new first
 * axis. x[0..inputs): where the one example came in, the nodes just above `mark`; many[i]: all
 * examples of x[i]. False if the tape does not tell everything. Nodes must have kept their operands
 * (tape_keeps). */
bool batch_replay(uint64_t mark, int inputs, const Value *x, const Value *many, int64_t length,
                  int heads, const Value *y, Value *out);
#endif
