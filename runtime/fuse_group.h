/* A fused expression as it stands on the tape: read by the files that expand it and sweep it. */
#ifndef FUSE_GROUP_H
#define FUSE_GROUP_H
#include "fuse_tape.h"

/* As in a Program, but each operand from outside is a source of its own, UNSET where the tape did
 * not keep it. */
typedef struct Group {
    int steps, sources;
    uint32_t id[PROGRAM_STEPS];
    Step step[PROGRAM_STEPS];
    Value source[2 * PROGRAM_STEPS + 2];
} Group;

/* Adds the expression that ends in this node; gives the place of its step. */
int group_read(Group *g, uint32_t id);
/* Operand k of an elementwise node or of a `where`, with its id; UNSET if it was not kept. */
Value node_operand(const Node *n, int k);
#endif
