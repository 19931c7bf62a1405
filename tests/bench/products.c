/* The products of products.adl by cblas called directly. Prints "row microseconds" lines. */
#include <cblas.h>
#include <string.h>
#include <unistd.h>
#include "clock.h"

extern char *openblas_get_corename(void) __attribute__((weak));
extern void openblas_set_num_threads(int count) __attribute__((weak));

static void product(int n) {
    size_t size = (size_t)n * (size_t)n;
    double *a = malloc(size * 8), *b = malloc(size * 8), *c = malloc(size * 8), took[64];
    int turns = n <= 512 ? 63 : n <= 1024 ? 11 : 5;
    for (size_t i = 0; i < size; i++) a[i] = b[i] = rand() / (double)RAND_MAX, c[i] = 0;
    for (int turn = 0; turn < turns; turn++) {
        double start = now();
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, n, n, 1, a, n, b, n, 0, c, n);
        took[turn] = now() - start;
    }
    char name[32];
    snprintf(name, sizeof name, "product_%d", n);
    say(name, took, turns, 1e3);
    free(a), free(b), free(c);
}

/* An OpenBLAS that does not know the processor takes kernels of 2004; adl tells it better (blas.c), and so
 * does this. */
static void use_good_kernels(char **arguments) {
    if (!openblas_get_corename || strcmp(openblas_get_corename(), "Prescott")) return;
    if (getenv("OPENBLAS_CORETYPE")) return;
    setenv("OPENBLAS_CORETYPE", __builtin_cpu_supports("avx512vl") ? "SkylakeX" : "Haswell", 1);
    execv(arguments[0], arguments);
}

int main(int count, char **arguments) {
    (void)count;
    use_good_kernels(arguments);
    if (openblas_set_num_threads) openblas_set_num_threads(1);
    for (int n = 64; n <= 2048; n *= 2) product(n);
    return 0;
}
