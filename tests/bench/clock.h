/* What the C programs of the bench share: the clock of clock.adl. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The median of these seconds as nanoseconds per item. */
static void say(const char *name, double *seconds, int turns, double items) {
    qsort(seconds, (size_t)turns, sizeof *seconds, ascending);
    printf("%s %.6g\n", name, seconds[turns / 2] / items * 1e9);
}
