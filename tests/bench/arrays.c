/* The expression of arrays.adl as a loop fused by hand. Prints "row nanoseconds" lines. */
#include "clock.h"
#include "vmath.h"

enum { N = 10000000, TURNS = 9 };

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

int main(void) {
    expression_f64();
    expression_f32();
    return 0;
}
