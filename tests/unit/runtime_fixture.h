/* Around every unit test of the runtime: opened before it, closed behind it with nothing left
 * allocated. Include it before cmocka.h. */
#ifndef RUNTIME_FIXTURE_H
#define RUNTIME_FIXTURE_H
#include "mem.h"
#include "ops.h"
#include "rand.h"
#include "sweep.h"
#include "tape.h"

static inline int open_runtime(void **state) {
    (void)state;
    runtime_open(), ops_open(), tape_open(), sweep_open();
    rand_seed(1);
    return 0;
}

static inline int close_runtime(void **state) {
    (void)state;
    mem_set_limit(0);
    pool_unwind(0);
    tape_close();
    runtime_close();
    return mem_counts().blocks == 0 && mem_counts().used == 0 ? 0 : -1;
}
#endif
