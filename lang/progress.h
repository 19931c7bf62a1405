/* The line on the screen while `for v in progress(xs)` runs. The one idea: it looks at the clock at
 * each turn and draws at most ten times a second, on standard error and only on a terminal;
 * whatever is printed goes above it (io_status).
 *
 * An open loop is a Progress on the C stack of whoever runs it; loops inside each other are shown
 * on one line, the outer ones as 3/10. */
#ifndef PROGRESS_H
#define PROGRESS_H
#include <stdint.h>

typedef struct Progress Progress;
struct Progress {
    Progress *outer;
    int64_t done, count;      /* count < 0: nobody knows */
    double start, drawn;      /* seconds */
};

void progress_begin(Progress *p, int64_t count);
void progress_turn(Progress *p);   /* before each turn */
void progress_end(Progress *p);
#endif
