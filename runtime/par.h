/* The thread pool. The one idea: a loop is cut into chunks of a fixed size, and whoever is free
 * takes the next one, so a result depends on the size of the chunks but never on the number of
 * threads.
 *
 * Rules for a body. It may run on any thread, several at once, in any order. It may not fail(),
 * poll(), allocate or touch values and the tape: an error cannot jump from one thread to
 * another, and memory and the pool belong to the interpreter's thread. So the caller makes all
 * arrays first, and what a body finds wrong it writes down for the caller to raise. A long body
 * may return at once if rt.interrupted is set; the caller polls when par_for() is back. */
#ifndef PAR_H
#define PAR_H
#include <stdint.h>

enum { PAR_THREADS = 64 };   /* at most */

/* Calls body(chunk, env) for each chunk in 0 .. chunks - 1 and returns when all are done. The
 * caller takes chunks too. With one thread, one chunk, or inside another par_for, a plain loop.
 * Only the interpreter's thread (and bodies) may call it. */
void par_for(int64_t chunks, void (*body)(int64_t chunk, void *env), void *env);

/* How many threads may work, the caller among them; clamped to 1 .. PAR_THREADS. They start at
 * the first par_for() that wants them, and a forked child starts its own. At first 1. */
void par_threads_set(int count);
int par_threads(void);
/* As many of `wanted` (0: all) as there are processors for this process: more would wait for each
 * other. */
int par_limit(int wanted);

void par_close(void);        /* ends the threads; a later par_for() starts them again */

/* How many chunks of `size` items `count` items make. */
static inline int64_t par_chunks(int64_t count, int64_t size) {
    return count / size + (count % size != 0);
}
#endif
