/* The same as in arrays.adl and matmul.adl where C has something to say: a loop fused by hand, and
 * cblas called directly. Prints "name nanoseconds" lines. */
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "vmath.h"

enum { N = 10000000, TURNS = 9 };
extern void openblas_set_num_threads(int count) __attribute__((weak));

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void say(const char *name, double *seconds, int turns, double items) {
    qsort(seconds, (size_t)turns, sizeof *seconds, ascending);
    printf("%s %.6g\n", name, seconds[turns / 2] / items * 1e9);
}

#define EXPRESSION(T, suffix, exp)                                                                 \
    static void expression_##suffix(void) {                                                        \
        T *v[5];                                                                                   \
        double took[TURNS];                                                                        \
        for (int k = 0; k < 5; k++) {                                                              \
            v[k] = malloc(N * sizeof(T));                                                          \
            for (int i = 0; i < N; i++) v[k][i] = (T)(rand() / (double)RAND_MAX + 0.1);            \
        }                                                                                          \
        const T *a = v[0], *b = v[1], *c = v[2], *d = v[3];                                        \
        T *r = v[4];                                                                               \
        for (int turn = 0; turn < TURNS; turn++) {                                                 \
            double start = now();                                                                  \
            _Pragma("GCC ivdep") for (int i = 0; i < N; i++) r[i] = a[i] * b[i] + c[i] * exp(-d[i]); \
            took[turn] = now() - start;                                                            \
        }                                                                                          \
        for (int k = 0; k < 5; k++) free(v[k]);                                                    \
        say("expression_" #suffix, took, TURNS, N);                                                \
    }
EXPRESSION(double, f64, vm_exp)
EXPRESSION(float, f32, vm_expf)

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

int main(void) {
    if (openblas_set_num_threads) openblas_set_num_threads(1);
    expression_f64();
    expression_f32();
    for (int n = 64; n <= 2048; n *= 2) product(n);
    return 0;
}
