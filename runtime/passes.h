/* Passes over tiles. The one idea: to read and write a tile costs as much as an addition, even in
 * the first-level cache; where one kernel can do two steps of a program, the result of the first
 * stays in a register. Each step is rounded as it is alone, and so a program gives the
 * same bits in whatever passes it runs.
 *
 * Beside a step that computes for long, the next tile's operands are fetched from memory, a line of
 * each at a time: all at once, they would stand in each other's way. */
#ifndef PASSES_H
#define PASSES_H
#include "elem.h"

enum { FETCHED = 4, PAIR_OPS = 4, LONG_OPS = 4 };

/* Where the next tile of some operands begins; the same twice where there are fewer. */
typedef struct Ahead { const char *at[FETCHED]; } Ahead;
typedef void PassLoop(int64_t n, void *out, const void *const in[3], const Ahead *ahead);

/* By the places of operations in pair_op and long_op. NULL: there is none. */
typedef struct PassKernels {
    /* (x inner y) outer z, or z outer (x inner y) if which is 1. */
    PassLoop *pair[PAIR_OPS][PAIR_OPS][2][2];       /* inner, outer, which, dtype */
    PassLoop *long_one[LONG_OPS][2][2];             /* of x; of -x if the second is 1; by dtype */
} PassKernels;

extern const PassKernels pass_kernels_v2, pass_kernels_v3, pass_kernels_v4;
extern const PassKernels *pass_kernels;             /* the chosen one */
#endif
