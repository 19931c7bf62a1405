/* The words that the loops over lines are written in (line_kernels.c includes this and what follows
 * it): sixteen partial sums, and how they become one. */
#ifndef LINE_PARTS_H
#define LINE_PARTS_H
#include <float.h>
#include <math.h>
#include <string.h>
#include "line_kernels.h"
#include "vlanes.h"
#include "vmath.h"

enum { WAYS = 16 };
#define EACH _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++)
static inline double join_totals(const double *t) {
    double a[WAYS / 2], b[WAYS / 4];
    for (int k = 0; k < WAYS / 2; k++) a[k] = t[k] + t[k + WAYS / 2];
    for (int k = 0; k < WAYS / 4; k++) b[k] = a[k] + a[k + WAYS / 4];
    return (b[0] + b[2]) + (b[1] + b[3]);
}
#endif
