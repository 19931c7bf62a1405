/* The rewrite adviser: expressions that are right on paper and bad in floating point, or bad for
 * gradients, and the function that does the same well. The one idea: a pattern is a small tree of
 * operations that is matched against the steps of a tape, so the way a program is written does not
 * matter. */
#ifndef ADVICE_H
#define ADVICE_H
#include "wengert.h"

typedef struct Advice {
    uint32_t step;
    const char *text;
} Advice; /* "sqrt(sum(x * x)): norm(x) has ..." */
/* In order of the steps, each place of the text once; in the pool. */
const Advice *advice_for(const Wengert *w, size_t *count);
#endif
