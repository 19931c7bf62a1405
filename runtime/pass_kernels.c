/* Two steps of a program in one loop (passes.h). Compiled once per instruction set with PASS_TABLE
 * naming the table it makes, without contraction: a product that is added to is rounded first. */
#include "passes.h"
#include "vlanes.h"

#ifndef PASS_TABLE
#define PASS_TABLE pass_kernels_v2
#endif

/* ---- arithmetic on the result of arithmetic ---- */
#define PAIR(name, T, result)                                                                      \
    static void name(int64_t n, void *out, const void *const in[3], const Ahead *ahead) {          \
        T *o = out;                                                                                \
        const T *xs = in[0], *ys = in[1], *zs = in[2];                                             \
        (void)ahead;                                                                               \
        _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) {                                     \
            T x = xs[i], y = ys[i], z = zs[i];                                                     \
            o[i] = result;                                                                         \
        }                                                                                          \
    }
#define BOTH(name, result) PAIR(name##_f64, double, result) PAIR(name##_f32, float, result)
#define OUTER(inner, outer, I, O)                                                                  \
    BOTH(inner##_##outer, (x I y) O z)                                                             \
    BOTH(outer##_##inner##_last, z O (x I y))
#define INNER(inner, I)                                                                            \
    OUTER(inner, add, I, +)                                                                        \
    OUTER(inner, sub, I, -)                                                                        \
    OUTER(inner, mul, I, *)                                                                        \
    OUTER(inner, div, I, /)
INNER(add, +)
INNER(sub, -)
INNER(mul, *)
INNER(div, /)

/* ---- what computes for long, beside memory ---- */
#if LANES
#define LONG_ONE(name, dtype, T, Lane, sign, minus)                                                \
    static void name##sign##_##dtype(int64_t n, void *out, const void *const in[3],                \
                                     const Ahead *ahead) {                                         \
        enum { WIDTH = sizeof(Lane) / sizeof(T) };                                                 \
        typedef T Loose __attribute__((vector_size(sizeof(Lane)), aligned(sizeof(T)), may_alias)); \
        const T *x = in[0];                                                                        \
        T *o = out;                                                                                \
        int64_t i = 0;                                                                             \
        for (; i + 2 * WIDTH <= n; i += 2 * WIDTH) {                                               \
            for (int k = 0; k < FETCHED; k++)                                                      \
                __builtin_prefetch(ahead->at[k] + i * (int64_t)sizeof(T));                         \
            Lane a = (Lane)*(const Loose *)(x + i), b = (Lane)*(const Loose *)(x + i + WIDTH);     \
            *(Loose *)(o + i) = (Loose)lane_##name##_##dtype(minus a);                             \
            *(Loose *)(o + i + WIDTH) = (Loose)lane_##name##_##dtype(minus b);                     \
        }                                                                                          \
        for (; i < n; i += WIDTH)                                                                  \
            lane_store_##dtype(o + i, n - i,                                                       \
                               lane_##name##_##dtype(minus lane_load_##dtype(x + i, n - i)));      \
    }
#define LONG(name)                                                                                 \
    LONG_ONE(name, f64, double, LaneF64, , )                                                       \
    LONG_ONE(name, f32, float, LaneF32, , )                                                        \
    LONG_ONE(name, f64, double, LaneF64, _of_neg, -)                                               \
    LONG_ONE(name, f32, float, LaneF32, _of_neg, -)
LONG(exp)
LONG(tanh)
LONG(sigmoid)
LONG(silu)
#define LONG_ENTRY(name) { { name##_f64, name##_f32 }, { name##_of_neg_f64, name##_of_neg_f32 } }
#define LONG_TABLE { LONG_ENTRY(exp), LONG_ENTRY(tanh), LONG_ENTRY(sigmoid), LONG_ENTRY(silu) }
#else
#define LONG_TABLE { { { NULL } } }
#endif

/* ---- the table ---- */
#define PAIR_ENTRY(inner, outer)                                                                   \
    { { inner##_##outer##_f64, inner##_##outer##_f32 },                                            \
      { outer##_##inner##_last_f64, outer##_##inner##_last_f32 } }
#define PAIR_ROW(inner)                                                                            \
    { PAIR_ENTRY(inner, add), PAIR_ENTRY(inner, sub), PAIR_ENTRY(inner, mul),                      \
      PAIR_ENTRY(inner, div) }
const PassKernels PASS_TABLE = {
    .pair = { PAIR_ROW(add), PAIR_ROW(sub), PAIR_ROW(mul), PAIR_ROW(div) },
    .long_one = LONG_TABLE,
};
