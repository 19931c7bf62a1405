/* Loops over lines (line_kernels.h), compiled once per instruction set with LINE_TABLE naming the
 * table this makes.
 *
 * The one idea: sixteen totals side by side, whatever the width of the registers is. They hide how
 * long an addition takes, and since each level adds the same elements to the same total, a result
 * does not depend on the processor. */
#include <math.h>
#include <string.h>
#ifdef __SSE2__
#include <immintrin.h>
#endif
#include "line_kernels.h"
#include "vmath.h"

#ifndef LINE_TABLE
#define LINE_TABLE line_kernels_v2
#endif
enum { LANES = 16 };

/* ---- elementwise ---- */
#define ELEMENTWISE(T, suffix)                                                                     \
    static void choose_##suffix(int64_t n, void *out, const void *condition, const void *x_,       \
                                const void *y_) {                                                  \
        const uint8_t *c = condition;                                                              \
        const T *x = x_, *y = y_;                                                                  \
        T *o = out;                                                                                \
        _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) {                                     \
            T a = x[i], b = y[i];                                                                  \
            o[i] = c[i] ? a : b;                                                                   \
        }                                                                                          \
    }                                                                                              \
    static void add_##suffix(int64_t n, void *out, const void *x_) {                               \
        const T *x = x_;                                                                           \
        T *o = out;                                                                                \
        _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) o[i] += x[i];                         \
    }
ELEMENTWISE(double, f64)
ELEMENTWISE(float, f32)

/* ---- past the cache ----
 * An ordinary store first reads what it overwrites; a third of the traffic of adding two arrays. */
#ifdef __AVX512F__
#define STREAM(to, from) _mm512_stream_si512((__m512i *)(to), _mm512_loadu_si512(from))
enum { STREAMED = 64 };
#elif defined __AVX__
#define STREAM(to, from)                                                                           \
    _mm256_stream_si256((__m256i *)(to), _mm256_loadu_si256((const __m256i *)(from)))
enum { STREAMED = 32 };
#elif defined __SSE2__
#define STREAM(to, from) _mm_stream_si128((__m128i *)(to), _mm_loadu_si128((const __m128i *)(from)))
enum { STREAMED = 16 };
#else
#define STREAM(to, from) memcpy(to, from, 16)
#define _mm_sfence() ((void)0)
enum { STREAMED = 16 };
#endif
static void stream(void *to_, const void *from_, int64_t bytes) {
    char *to = to_;
    const char *from = from_;
    int64_t i = 0;
    for (; i + STREAMED <= bytes; i += STREAMED) STREAM(to + i, from + i);
    memcpy(to + i, from + i, (size_t)(bytes - i));
}
/* What was streamed waits in buffers of the processor; waiting for it after each tile would double
 * the time. */
static void streamed(void) { _mm_sfence(); }

/* ---- softmax and its relatives ---- */
#define EACH _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++)
#define SOFTMAX(T, suffix, exp)                                                                    \
    static void exp_below_##suffix(int64_t n, void *out, const void *x_, double top_) {            \
        const T *x = x_, top = (T)top_;                                                            \
        T *o = out;                                                                                \
        EACH o[i] = exp(x[i] - top);                                                               \
    }                                                                                              \
    static void scale_##suffix(int64_t n, void *x_, double by_) {                                  \
        T *x = x_, by = (T)by_;                                                                    \
        EACH x[i] *= by;                                                                           \
    }                                                                                              \
    static void lower_##suffix(int64_t n, void *out, const void *x_, double by) {                  \
        const T *x = x_;                                                                           \
        T *o = out;                                                                                \
        EACH o[i] = (T)((double)x[i] - by);                                                        \
    }                                                                                              \
    static void pull_softmax_##suffix(int64_t n, void *out, const void *g_, const void *r_,        \
                                      double c) {                                                  \
        const T *g = g_, *r = r_;                                                                  \
        T *o = out;                                                                                \
        EACH o[i] = (T)((double)r[i] * ((double)g[i] - c));                                        \
    }                                                                                              \
    static void pull_log_softmax_##suffix(int64_t n, void *out, const void *g_, const void *r_,    \
                                          double c) {                                              \
        const T *g = g_, *r = r_;                                                                  \
        T *o = out;                                                                                \
        EACH o[i] = (T)((double)g[i] - (double)exp(r[i]) * c);                                     \
    }                                                                                              \
    static double dot_##suffix(const void *x_, const void *y_, int64_t n) {                        \
        const T *x = x_, *y = y_;                                                                  \
        double total[LANES] = { 0 };                                                               \
        int64_t i = 0;                                                                             \
        for (; i + LANES <= n; i += LANES)                                                         \
            for (int k = 0; k < LANES; k++) total[k] += (double)x[i + k] * (double)y[i + k];       \
        for (int k = 0; i < n; i++, k++) total[k] += (double)x[i] * (double)y[i];                  \
        for (int half = LANES / 2; half; half /= 2)                                                \
            for (int k = 0; k < half; k++) total[k] += total[k + half];                            \
        return total[0];                                                                           \
    }
SOFTMAX(double, f64, vm_exp)
SOFTMAX(float, f32, vm_expf)

#define ACCUMULATE(T, suffix)                                                                      \
    static void accumulate_##suffix(int64_t n, double *total, const void *x_) {                    \
        const T *x = x_;                                                                           \
        EACH total[i] += (double)x[i];                                                             \
    }
ACCUMULATE(double, f64)
ACCUMULATE(float, f32)
ACCUMULATE(uint8_t, bool)

/* ---- totals ---- */
#define TOTAL(name, suffix, T, W, start, step, join)                                               \
    static double name##_##suffix(const void *at, int64_t n) {                                     \
        const T *x = at;                                                                           \
        W total[LANES];                                                                            \
        for (int k = 0; k < LANES; k++) total[k] = start;                                          \
        int64_t i = 0;                                                                             \
        for (; i + LANES <= n; i += LANES)                                                         \
            for (int k = 0; k < LANES; k++) {                                                      \
                W t = total[k], e = (W)x[i + k];                                                   \
                total[k] = step;                                                                   \
            }                                                                                      \
        for (int k = 0; i < n; i++, k++) {                                                         \
            W t = total[k], e = (W)x[i];                                                           \
            total[k] = step;                                                                       \
        }                                                                                          \
        for (int half = LANES / 2; half; half /= 2)                                                \
            for (int k = 0; k < half; k++) {                                                       \
                W t = total[k], e = total[k + half];                                               \
                total[k] = join;                                                                   \
            }                                                                                      \
        return (double)total[0];                                                                   \
    }
#define TOTALS(name, start, step, join)                                                            \
    TOTAL(name, f64, double, double, start, step, join)                                            \
    TOTAL(name, f32, float, double, start, step, join)                                             \
    TOTAL(name, bool, uint8_t, double, start, step, join)
TOTALS(sum, 0, t + e, t + e)
TOTALS(squares, 0, t + e * e, t + e)
TOTALS(nonzeros, 0, t + (e != 0 ? 1 : 0), t + e)

/* ---- extremes ---- */
/* An extreme needs no wider totals than its elements. A NaN wins, being unknown: they are counted
 * beside, in integers as wide as the elements. */
#ifdef __AVX2__
#define REGISTER 32
#else
#define REGISTER 16
#endif
typedef double Wide __attribute__((vector_size(REGISTER), aligned(8)));
typedef float Narrow __attribute__((vector_size(REGISTER), aligned(4)));
typedef int64_t WideMask __attribute__((vector_size(REGISTER), aligned(8)));
typedef int32_t NarrowMask __attribute__((vector_size(REGISTER), aligned(4)));

#define EXTREME(name, suffix, T, V, M, beats)                                                      \
    static double name##_##suffix(const void *at, int64_t n) {                                     \
        enum { WIDTH = sizeof(V) / sizeof(T), ROWS = 4 };                                          \
        const T *x = at;                                                                           \
        T best = name##_start;                                                                     \
        bool nan = false;                                                                          \
        int64_t i = 0;                                                                             \
        if (n >= ROWS * WIDTH) {                                                                   \
            V total[ROWS];                                                                         \
            M nans = { 0 };                                                                        \
            for (int k = 0; k < ROWS; k++) total[k] = *(const V *)(x + k * WIDTH);                 \
            for (; i + ROWS * WIDTH <= n; i += ROWS * WIDTH) {                                     \
                _Pragma("GCC unroll 4") for (int k = 0; k < ROWS; k++) {                           \
                    V e = *(const V *)(x + i + k * WIDTH);                                         \
                    M better = (M)(e beats total[k]);                                              \
                    nans |= (M)(e != e);                                                           \
                    total[k] = (V)((better & (M)e) | (~better & (M)total[k]));                     \
                }                                                                                  \
            }                                                                                      \
            for (int k = 0; k < ROWS; k++)                                                         \
                for (int j = 0; j < WIDTH; j++) {                                                  \
                    best = total[k][j] beats best ? total[k][j] : best;                            \
                    nan |= nans[j] != 0;                                                           \
                }                                                                                  \
        }                                                                                          \
        for (; i < n; i++) {                                                                       \
            nan |= x[i] != x[i];                                                                   \
            best = x[i] beats best ? x[i] : best;                                                  \
        }                                                                                          \
        return nan ? (double)NAN : (double)best;                                                   \
    }
#define greatest_start -HUGE_VALF
#define least_start HUGE_VALF
#define EXTREMES(name, beats)                                                                      \
    EXTREME(name, f64, double, Wide, WideMask, beats)                                              \
    EXTREME(name, f32, float, Narrow, NarrowMask, beats)                                           \
    static double name##_bool(const void *at, int64_t n) {                                         \
        const uint8_t *x = at;                                                                     \
        double best = name##_start;                                                                \
        for (int64_t i = 0; i < n; i++) best = x[i] beats best ? x[i] : best;                      \
        return best;                                                                               \
    }
EXTREMES(greatest, >)
EXTREMES(least, <)

#define BY_DTYPE(name) { name##_f64, name##_f32, name##_bool }
const LineKernels LINE_TABLE = {
    .choose = { choose_f64, choose_f32 },
    .stream = stream,
    .streamed = streamed,
    .add = { add_f64, add_f32 },
    .exp_below = { exp_below_f64, exp_below_f32 },
    .scale = { scale_f64, scale_f32 },
    .lower = { lower_f64, lower_f32 },
    .dot = { dot_f64, dot_f32 },
    .pull_softmax = { pull_softmax_f64, pull_softmax_f32 },
    .pull_log_softmax = { pull_log_softmax_f64, pull_log_softmax_f32 },
    .accumulate = { accumulate_f64, accumulate_f32, accumulate_bool },
    .sum = BY_DTYPE(sum),
    .squares = BY_DTYPE(squares),
    .nonzeros = BY_DTYPE(nonzeros),
    .greatest = BY_DTYPE(greatest),
    .least = BY_DTYPE(least),
};
