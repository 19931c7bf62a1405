/* Which kernels OpenBLAS uses. An OpenBLAS older than the processor does not know it and falls back to the
 * kernels of 2004 ("Prescott", SSE3), which take four times as long; then it is told to take those of the
 * newest processor that it knows and that this one can replace. OPENBLAS_CORETYPE, if set, is obeyed. */
#include <stdlib.h>
#include <string.h>
#include "kernels.h"

/* Only builds of OpenBLAS for several processors have these. */
extern char *openblas_get_corename(void) __attribute__((weak));
extern void gotoblas_dynamic_quit(void) __attribute__((weak));
extern void gotoblas_dynamic_init(void) __attribute__((weak));

static const char *known_equal(void) {
#ifdef __x86_64__
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) return "SkylakeX";
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return "Haswell";
#endif
    return NULL;
}

void blas_open(void) {
    const char *better = known_equal();
    if (!better || getenv("OPENBLAS_CORETYPE") || !openblas_get_corename || !gotoblas_dynamic_quit ||
        !gotoblas_dynamic_init || strcmp(openblas_get_corename(), "Prescott")) return;
    setenv("OPENBLAS_CORETYPE", better, true);
    gotoblas_dynamic_quit();
    gotoblas_dynamic_init();
    unsetenv("OPENBLAS_CORETYPE");
}
