/* The loops of vlanes.h, as they stand in the kernels of x86-64-v3 and v4: bit for bit what vmath.h
 * gives for each number alone, wherever it stands, in place and at any alignment. That vmath.h is
 * right is vmath_test's to say. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#pragma GCC target("arch=x86-64-v3")
#endif
#include "elem.h"
#include "vmath.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>

enum { POINTS = 250000, LONGEST = 300 };

static double silu(double x) { return x * vm_sigmoid(x); }
static float siluf(float x) { return x * vm_sigmoidf(x); }
#define ALONE(name, f64, f32)                                                                      \
    static __attribute__((noinline)) double name##_alone(double x) { return f64(x); }              \
    static __attribute__((noinline)) float name##_alonef(float x) { return f32(x); }
ALONE(exp, vm_exp, vm_expf)
ALONE(tanh, vm_tanh, vm_tanhf)
ALONE(sigmoid, vm_sigmoid, vm_sigmoidf)
ALONE(silu, silu, siluf)
static const struct { Op op; double (*f64)(double); float (*f32)(float); } rows[] = {
    { OP_exp, exp_alone, exp_alonef },
    { OP_tanh, tanh_alone, tanh_alonef },
    { OP_sigmoid, sigmoid_alone, sigmoid_alonef },
    { OP_silu, silu_alone, silu_alonef },
};
enum { ROWS = sizeof rows / sizeof *rows };

static uint64_t random_state = 0x9e3779b97f4a7c15;
static uint64_t random_bits(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    return random_state ^= random_state << 17;
}

static const double specials[] = {
    0.0, -0.0, INFINITY, -INFINITY, NAN, 0x1p-1074, -0x1p-1074, 0x1p-149, -0x1p-149, 0x1p-126,
    88.72283, 88.72284, -103.97208, -103.97209, 709.7827128933841, -745.1332191019412, 1e300,
    -1e300,
};
enum { SPECIALS = sizeof specials / sizeof *specials };

/* Numbers of any size, numbers where the functions bend, and specials. */
static double draw(void) {
    uint64_t bits = random_bits(), kind = random_bits() % 8;
    if (kind == 0) return specials[bits % SPECIALS];
    if (kind == 1) return vm_of_bits(bits);
    double unit = (double)(int64_t)bits * 0x1p-63;
    return unit * (kind == 2 ? 800 : kind == 3 ? 110 : kind == 4 ? 0.01 : 8);
}

#define SAME(T, suffix, bits_of)                                                                   \
    static void same_##suffix(ElemLoop *loop, T (*alone)(T), int row) {                            \
        T x[LONGEST + 8], r[LONGEST + 8];                                                          \
        for (int done = 0; done < POINTS; done += LONGEST / 2) {                                   \
            int n = (int)(random_bits() % LONGEST), from = (int)(random_bits() % 8);               \
            for (int i = 0; i < n + from; i++) r[i] = x[i] = (T)draw();                            \
            loop(n, r + from, r + from, x);                                                        \
            for (int i = 0; i < n + from; i++) {                                                   \
                T expected = i < from ? x[i] : alone(x[i]);                                        \
                bool nan = r[i] != r[i] && x[i] != x[i];                                           \
                if (nan || bits_of(r[i]) == bits_of(expected)) continue;                           \
                fail_msg("row %d, " #T ": of %a %a, not %a", row, (double)x[i], (double)r[i],      \
                         (double)expected);                                                        \
            }                                                                                      \
        }                                                                                          \
    }
SAME(double, f64, vm_bits)
SAME(float, f32, vm_bitsf)

#ifdef __x86_64__
static void compare(const ElemKernels *table) {
    for (int i = 0; i < ROWS; i++) {
        same_f64(table[rows[i].op].loop[F64], rows[i].f64, i);
        same_f32(table[rows[i].op].loop[F32], rows[i].f32, i);
    }
}

static void v3_gives_what_each_number_alone_gives(void **state) {
    (void)state;
    compare(elem_table_v3);
}

static void v4_gives_the_same(void **state) {
    (void)state;
    compare(elem_table_v4);
}

int main(void) {
    const struct CMUnitTest v3[] = { cmocka_unit_test(v3_gives_what_each_number_alone_gives) };
    const struct CMUnitTest v4[] = { cmocka_unit_test(v4_gives_the_same) };
    __builtin_cpu_init();
    int failures = 0;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        failures += cmocka_run_group_tests(v3, NULL, NULL);
    if (__builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        failures += cmocka_run_group_tests(v4, NULL, NULL);
    return failures;
}
#else
int main(void) { return 0; }    /* there are no such kernels */
#endif
