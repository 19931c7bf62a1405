/* Which kernels and how many threads OpenBLAS uses. An OpenBLAS older than the processor does not
 * know it and falls back to the kernels of 2004 ("Prescott", SSE3), which take four times as long;
 * then it is told to take those of the newest processor that it knows and that this one can
 * replace. OPENBLAS_CORETYPE, if set, is obeyed. */
#include <stdlib.h>
#include <string.h>
#include "kernels.h"

/* Only builds of OpenBLAS for several processors have these. */
extern char *openblas_get_corename(void) __attribute__((weak));
extern void gotoblas_dynamic_quit(void) __attribute__((weak));
extern void gotoblas_dynamic_init(void) __attribute__((weak));
/* Other BLAS libraries do not. */
extern void openblas_set_num_threads(int count) __attribute__((weak));

extern void openblas_set_num_threads(int threads) __attribute__((weak));
extern int openblas_get_num_threads(void) __attribute__((weak));

static const char *known_equal(void) {
#ifdef __x86_64__
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) return "SkylakeX";
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return "Haswell";
#endif
    return NULL;
}

/* Its own threads stay out of the way: products are cut up for those of par.c (linalg.c), which
 * sleep when there is nothing to do, where OpenBLAS' go on asking for the processor. */
void blas_open(void) {
    if (openblas_set_num_threads) openblas_set_num_threads(1);
    const char *better = known_equal();
    if (!better || getenv("OPENBLAS_CORETYPE") || !openblas_get_corename ||
        !gotoblas_dynamic_quit || !gotoblas_dynamic_init ||
        strcmp(openblas_get_corename(), "Prescott"))
        return;
    setenv("OPENBLAS_CORETYPE", better, true);
    gotoblas_dynamic_quit();
    gotoblas_dynamic_init();
    unsetenv("OPENBLAS_CORETYPE");
}

/* Some of its functions share out even a matrix of 3 by 3, and then wait for a thread, which on a
 * busy machine takes a thousand times as long as the work. */
void blas_threads(double multiplications) {
    static int most, now;
    if (!openblas_set_num_threads || !openblas_get_num_threads) return;
    if (!most) most = now = openblas_get_num_threads();
    int wanted = multiplications < 1e6 ? 1 : most;
    if (wanted != now) openblas_set_num_threads(now = wanted);
}
