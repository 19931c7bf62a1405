/* Loops over lines (line_kernels.h), compiled once per instruction set with LINE_TABLE naming the
 * table this makes.
 *
 * The one idea: sixteen totals side by side, whatever the width of the registers is. They hide how
 * long an addition takes, and since each level adds the same elements to the same total, a result
 * does not depend on the processor. */
#include <float.h>
#include <math.h>
#include <string.h>
#ifdef __SSE2__
#include <immintrin.h>
#endif
#include "line_kernels.h"
#include "vlanes.h"
#include "vmath.h"

#ifndef LINE_TABLE
#define LINE_TABLE line_kernels_v2
#endif
enum { WAYS = 16 };

/* ---- elementwise ---- */
/* Choosing is done in integers: a branch would be guessed wrong half the time. */
#define ELEMENTWISE(T, suffix, Bits)                                                               \
    static void choose_##suffix(int64_t n, void *out, const void *condition, const void *x_,       \
                                const void *y_) {                                                  \
        const uint8_t *c = condition;                                                              \
        typedef Bits May __attribute__((may_alias));                                               \
        const May *x = x_, *y = y_;                                                                \
        May *o = out;                                                                              \
        _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) {                                     \
            Bits taken = -(Bits)(c[i] != 0);                                                       \
            o[i] = (x[i] & taken) | (y[i] & ~taken);                                               \
        }                                                                                          \
    }                                                                                              \
    static void add_##suffix(int64_t n, void *out, const void *x_) {                               \
        const T *x = x_;                                                                           \
        T *o = out;                                                                                \
        _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) o[i] += x[i];                         \
    }
ELEMENTWISE(double, f64, int64_t)
ELEMENTWISE(float, f32, int32_t)

/* To multiply twice is cheaper than to store what may not be needed. */
static bool pull_product(int64_t n, void *g_, void *sum_, const void *x_, const void *y_) {
    double *g = g_, *sum = sum_;
    const double *x = x_, *y = y_;
    int64_t nans = 0;
    for (int64_t i = 0; i < n; i++) {
        double a = g[i] * x[i], b = g[i] * y[i];
        nans |= (int64_t)(a != a) | (int64_t)(b != b);
    }
    if (nans) return false;
    _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) {
        double a = g[i] * x[i], b = g[i] * y[i];
        sum[i] += a;
        g[i] = b;
    }
    return true;
}

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
static inline double join_totals(const double *t) {
    double a[WAYS / 2], b[WAYS / 4];
    for (int k = 0; k < WAYS / 2; k++) a[k] = t[k] + t[k + WAYS / 2];
    for (int k = 0; k < WAYS / 4; k++) b[k] = a[k] + a[k + WAYS / 4];
    return (b[0] + b[2]) + (b[1] + b[3]);
}

/* A probability below the least normal number is 0: beside a sum of 1 it is nothing, and whatever
 * computes with denormal numbers (a product with these weights) takes many times as long. */
#define normal_f64 DBL_MIN
#define normal_f32 FLT_MIN
/* exp() of what is below these is not computed at all, as of a masked -inf. */
#define far_f64 -708.0
#define far_f32 -87.0f

/* exp(x[i] - top) by, sixteen at a time; they go to out, unless that is NULL, and are added up as
 * in sum() if `adds`, else they are probabilities. */
#if LANES
#define PROBABILITY(Lane, suffix, e)                                                               \
    ZERO_WHERE(Lane, (e) < (Lane){ 0 } + normal_##suffix, e)
#define ZERO_WHERE(Lane, condition, e) (Lane)((__typeof__((e) < (e)))(e) & ~(condition))
#define POWER(Lane, suffix, d, by)                                                                 \
    ZERO_WHERE(Lane, (d) < (Lane){ 0 } + far_##suffix,                                             \
               (by) * lane_exp_##suffix(ZERO_WHERE(Lane, (d) < (Lane){ 0 } + far_##suffix, d)))
/* The k-th register of sixteen numbers, to their totals. */
VR void widen_one_f64(LaneF64 *total, int k, LaneF64 e) { total[k] += e; }
VR void widen_one_f32(LaneF64 *total, int k, LaneF32 e) {
    total[2 * k] += lane_low_half(e);
    total[2 * k + 1] += lane_high_half(e);
}
#define EXPONENTIALS(T, suffix, Lane, exp)                                                         \
    static inline __attribute__((always_inline)) double exponentials_##suffix(                     \
        int64_t n, T *out, const T *x, T top, T by, bool adds) {                                   \
        enum { WIDTH = sizeof(Lane) / sizeof(T), PARTS = WAYS / WIDTH };                           \
        typedef T Loose __attribute__((vector_size(sizeof(Lane)), aligned(sizeof(T)), may_alias)); \
        LaneF64 totals[WAYS * 8 / sizeof(LaneF64)] = { 0 };                                        \
        double total[WAYS];                                                                        \
        int64_t i = 0;                                                                             \
        for (; i + WAYS <= n; i += WAYS) {                                                         \
            Lane e[PARTS];                                                                         \
            for (int k = 0; k < WAYS; k += 64 / (int)sizeof(T))                                    \
                __builtin_prefetch(x + i + k + 1024);                                              \
            for (int k = 0; k < PARTS; k++) {                                                      \
                Lane d = (Lane)*(const Loose *)(x + i + k * WIDTH) - top;                          \
                e[k] = POWER(Lane, suffix, d, by);                                                 \
            }                                                                                      \
            if (!adds)                                                                             \
                for (int k = 0; k < PARTS; k++) e[k] = PROBABILITY(Lane, suffix, e[k]);            \
            if (out)                                                                               \
                for (int k = 0; k < PARTS; k++) *(Loose *)(out + i + k * WIDTH) = (Loose)e[k];     \
            if (adds)                                                                              \
                for (int k = 0; k < PARTS; k++) widen_one_##suffix(totals, k, e[k]);               \
        }                                                                                          \
        for (int k = 0; i + k * WIDTH < n; k++) {                                                  \
            int64_t at = i + k * WIDTH;                                                            \
            Lane d = lane_load_##suffix(x + at, n - at) - top, e = POWER(Lane, suffix, d, by);     \
            if (!adds) e = PROBABILITY(Lane, suffix, e);                                           \
            if (out) lane_store_##suffix(out + at, n - at, e);                                     \
            if (adds) widen_one_##suffix(totals, k, lane_part_##suffix(e, n - at));                \
        }                                                                                          \
        memcpy(total, totals, sizeof total);                                                       \
        return adds ? join_totals(total) : 0;                                                      \
    }
EXPONENTIALS(double, f64, LaneF64, vm_exp)
EXPONENTIALS(float, f32, LaneF32, vm_expf)
#else
#define EXPONENTIALS(T, suffix, Lane, exp)                                                         \
    static inline __attribute__((always_inline)) double exponentials_##suffix(                     \
        int64_t n, T *out, const T *x, T top, T by, bool adds) {                                   \
        double total[WAYS] = { 0 };                                                                \
        for (int64_t i = 0; i < n; i += WAYS) {                                                    \
            T e[WAYS];                                                                             \
            int count = n - i < WAYS ? (int)(n - i) : WAYS;                                        \
            for (int k = 0; k < count; k++)                                                        \
                e[k] = x[i + k] - top < far_##suffix ? 0 : by * exp(x[i + k] - top);               \
            for (int k = 0; !adds && k < count; k++) e[k] = e[k] < normal_##suffix ? 0 : e[k];     \
            if (out) memcpy(out + i, e, (size_t)count * sizeof(T));                                \
            for (int k = 0; k < count; k++) total[k] += (double)e[k];                              \
        }                                                                                          \
        return adds ? join_totals(total) : 0;                                                      \
    }
EXPONENTIALS(double, f64, double, vm_exp)
EXPONENTIALS(float, f32, float, vm_expf)
#endif

#define SOFTMAX(T, suffix, exp)                                                                    \
    static double exp_sum_##suffix(int64_t n, void *out, const void *x, double top) {              \
        return exponentials_##suffix(n, out, x, (T)top, 1, true);                                  \
    }                                                                                              \
    static void exp_scaled_##suffix(int64_t n, void *out, const void *x, double top, double by) {  \
        exponentials_##suffix(n, out, x, (T)top, (T)by, false);                                    \
    }                                                                                              \
    static void scale_##suffix(int64_t n, void *x_, double by_) {                                  \
        T *x = x_, by = (T)by_;                                                                    \
        EACH x[i] = x[i] * by < normal_##suffix ? 0 : x[i] * by;                                   \
    }                                                                                              \
    static void times_##suffix(int64_t n, void *x_, double by_) {                                  \
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
        double total[WAYS] = { 0 };                                                                \
        int64_t i = 0;                                                                             \
        for (; i + WAYS <= n; i += WAYS)                                                           \
            for (int k = 0; k < WAYS; k++) total[k] += (double)x[i + k] * (double)y[i + k];        \
        for (int k = 0; i < n; i++, k++) total[k] += (double)x[i] * (double)y[i];                  \
        return join_totals(total);                                                                 \
    }
SOFTMAX(double, f64, vm_exp)
SOFTMAX(float, f32, vm_expf)

/* ---- below a mean ----
 * Meanwhile the next line comes into the cache. */
#define AHEAD(at)                                                                                  \
    for (int b = 0; b < WAYS * (int)sizeof *(at); b += 64)                                         \
        __builtin_prefetch((const char *)(at) + b);
#define STANDARDIZE(T, suffix)                                                                     \
    static double spread_##suffix(int64_t n, const void *x_, double centre) {                      \
        const T *x = x_;                                                                           \
        double total[WAYS] = { 0 };                                                                \
        int64_t i = 0;                                                                             \
        for (; i + WAYS <= n; i += WAYS) {                                                         \
            AHEAD(x + n + i)                                                                       \
            for (int k = 0; k < WAYS; k++) {                                                       \
                double d = (double)x[i + k] - centre;                                              \
                total[k] += d * d;                                                                 \
            }                                                                                      \
        }                                                                                          \
        for (int k = 0; i < n; i++, k++) {                                                         \
            double d = (double)x[i] - centre;                                                      \
            total[k] += d * d;                                                                     \
        }                                                                                          \
        return join_totals(total);                                                                 \
    }                                                                                              \
    static void spread_with_##suffix(int64_t n, const void *x_, const void *g_, double centre,     \
                                     double *sums) {                                               \
        const T *x = x_, *g = g_;                                                                  \
        double total[WAYS] = { 0 }, product[WAYS] = { 0 };                                         \
        int64_t i = 0;                                                                             \
        for (; i + WAYS <= n; i += WAYS) {                                                         \
            AHEAD(x + n + i)                                                                       \
            AHEAD(g + n + i)                                                                       \
            for (int k = 0; k < WAYS; k++) {                                                       \
                double d = (double)x[i + k] - centre;                                              \
                total[k] += d * d;                                                                 \
                product[k] += d * (double)g[i + k];                                                \
            }                                                                                      \
        }                                                                                          \
        for (int k = 0; i < n; i++, k++) {                                                         \
            double d = (double)x[i] - centre;                                                      \
            total[k] += d * d;                                                                     \
            product[k] += d * (double)g[i];                                                        \
        }                                                                                          \
        sums[0] += join_totals(total);                                                             \
        sums[1] += join_totals(product);                                                           \
    }                                                                                              \
    static void spread_rows_##suffix(int64_t n, double *squares, double *products, const void *x_, \
                                     const void *g_, int64_t rows, const double *centre) {         \
        const T *x = x_, *g = g_;                                                                  \
        for (; rows > 0 && !g; rows--, x += n) EACH {                                              \
            double d = (double)x[i] - centre[i];                                                   \
            squares[i] += d * d;                                                                   \
        }                                                                                          \
        for (; rows > 0; rows--, x += n, g += n) EACH {                                            \
            double d = (double)x[i] - centre[i];                                                   \
            squares[i] += d * d;                                                                   \
            products[i] += d * (double)g[i];                                                       \
        }                                                                                          \
    }                                                                                              \
    static void standardize_##suffix(int64_t n, void *out, const void *x_, double centre,          \
                                     double by) {                                                  \
        const T *x = x_;                                                                           \
        T *o = out;                                                                                \
        EACH o[i] = (T)(((double)x[i] - centre) * by);                                             \
    }                                                                                              \
    static void unstandardize_##suffix(int64_t n, void *out, const void *x_, const void *g_,       \
                                       const double *f) {                                          \
        const T *x = x_, *g = g_;                                                                  \
        T *o = out;                                                                                \
        double centre = f[0], by = f[1], level = f[2], tilt = f[3];                                \
        EACH o[i] = (T)(((double)g[i] * by - level) - ((double)x[i] - centre) * tilt);             \
    }                                                                                              \
    static void standardize_row_##suffix(int64_t n, void *out, const void *x_, const void *g_,     \
                                         const double *const *f) {                                 \
        const T *x = x_, *g = g_;                                                                  \
        T *o = out;                                                                                \
        const double *centre = f[0], *by = f[1], *level = f[2], *tilt = f[3];                      \
        if (!g) EACH o[i] = (T)(((double)x[i] - centre[i]) * by[i]);                               \
        else EACH o[i] = (T)(((double)g[i] * by[i] - level[i])                                     \
                             - ((double)x[i] - centre[i]) * tilt[i]);                              \
    }
STANDARDIZE(double, f64)
STANDARDIZE(float, f32)

/* ---- short lines ----
 * Sixteen lines side by side: the k-th elements of all are a row, and so each line has the same
 * partial sums in the same order as a long one. */
#define ACROSS for (int l = 0; l < SIDE; l++)
typedef double Side[SIDE];

/* As many of the sixteen as lines of n elements have. */
static inline __attribute__((always_inline)) void clear_sides(Side *total, int64_t n) {
    memset(total, 0, (size_t)(n < WAYS ? n : WAYS) * sizeof *total);
}

static inline __attribute__((always_inline)) void join_sides(Side *total, int64_t n,
                                                             double *restrict out) {
    for (int half = WAYS / 2; half; half /= 2)
        for (int k = 0; k < half && k + half < n; k++)
            ACROSS total[k][l] += total[k + half][l];
    ACROSS out[l] = total[0][l];
}

#if LANES
#define SIDE_EXP(T, suffix, Lane, exp)                                                             \
    static inline void side_exp_##suffix(T *x, const T *top) {                                     \
        enum { WIDTH = sizeof(Lane) / sizeof(T) };                                                 \
        typedef T Loose __attribute__((vector_size(sizeof(Lane)), aligned(sizeof(T)), may_alias)); \
        for (int l = 0; l < SIDE; l += WIDTH) {                                                    \
            Lane below = (Lane)(*(Loose *)(x + l) - *(const Loose *)(top + l));                    \
            *(Loose *)(x + l) = (Loose)lane_exp_##suffix(below);                                   \
        }                                                                                          \
    }
#else
#define SIDE_EXP(T, suffix, Lane, exp)                                                             \
    static inline void side_exp_##suffix(T *x, const T *top) { ACROSS x[l] = exp(x[l] - top[l]); }
#endif
SIDE_EXP(double, f64, LaneF64, vm_exp)
SIDE_EXP(float, f32, LaneF32, vm_expf)

#define SHORT_LINES(T, suffix)                                                                     \
    /* Places that no line has are filled with the last one. */                                    \
    static inline __attribute__((always_inline)) void side_##suffix(                               \
        int64_t n, int64_t lines, T (*restrict to)[SIDE], const T *restrict x) {                   \
        if (lines == SIDE) {                                                                       \
            for (int64_t i = 0; i < n; i++) ACROSS to[i][l] = x[l * n + i];                        \
            return;                                                                                \
        }                                                                                          \
        for (int64_t i = 0; i < n; i++)                                                            \
            ACROSS to[i][l] = x[(l < lines ? l : lines - 1) * n + i];                              \
    }                                                                                              \
    static inline __attribute__((always_inline)) void back_##suffix(                               \
        int64_t n, int64_t lines, T *restrict out, const T (*restrict from)[SIDE]) {               \
        for (int64_t l = 0; l < lines; l++)                                                        \
            for (int64_t i = 0; i < n; i++) out[l * n + i] = from[i][l];                           \
    }                                                                                              \
    static void short_standardize_##suffix(int64_t n, int64_t lines, void *out, const void *x_,    \
                                           const void *g_, double eps) {                           \
        T x[SHORT][SIDE], g[SHORT][SIDE];                                                          \
        Side total[WAYS], square[WAYS], product[WAYS], centre, level, by, tilt;                    \
        clear_sides(total, n);                                                                     \
        clear_sides(square, n);                                                                    \
        clear_sides(product, n);                                                                   \
        side_##suffix(n, lines, x, x_);                                                            \
        for (int64_t i = 0; i < n; i++) ACROSS total[i % WAYS][l] += (double)x[i][l];              \
        join_sides(total, n, centre);                                                              \
        ACROSS centre[l] /= (double)n;                                                             \
        for (int64_t i = 0; i < n; i++) ACROSS {                                                   \
            double d = (double)x[i][l] - centre[l];                                                \
            square[i % WAYS][l] += d * d;                                                          \
        }                                                                                          \
        join_sides(square, n, by);                                                                 \
        ACROSS by[l] = 1 / sqrt(by[l] / (double)n + eps);                                          \
        if (!g_) {                                                                                 \
            for (int64_t i = 0; i < n; i++)                                                        \
                ACROSS x[i][l] = (T)(((double)x[i][l] - centre[l]) * by[l]);                       \
            back_##suffix(n, lines, out, (const T(*)[SIDE])x);                                     \
            return;                                                                                \
        }                                                                                          \
        side_##suffix(n, lines, g, g_);                                                            \
        clear_sides(total, n);                                                                     \
        for (int64_t i = 0; i < n; i++) ACROSS {                                                   \
            total[i % WAYS][l] += (double)g[i][l];                                                 \
            product[i % WAYS][l] += ((double)x[i][l] - centre[l]) * (double)g[i][l];               \
        }                                                                                          \
        join_sides(total, n, level);                                                               \
        join_sides(product, n, tilt);                                                              \
        ACROSS level[l] = level[l] / (double)n * by[l];                                            \
        ACROSS tilt[l] = by[l] * by[l] * by[l] * (tilt[l] / (double)n);                            \
        for (int64_t i = 0; i < n; i++)                                                            \
            ACROSS x[i][l] = (T)(((double)g[i][l] * by[l] - level[l])                              \
                                 - ((double)x[i][l] - centre[l]) * tilt[l]);                       \
        back_##suffix(n, lines, out, (const T(*)[SIDE])x);                                         \
    }                                                                                              \
    static bool short_softmax_##suffix(int64_t n, int64_t lines, ShortKind kind, void *out,        \
                                       const void *x_, double *tops, double *sums) {               \
        T x[SHORT][SIDE], e[SHORT][SIDE], top[SIDE], by[SIDE];                                     \
        Side total[WAYS], sum;                                                                     \
        bool finite = true;                                                                        \
        clear_sides(total, n);                                                                     \
        side_##suffix(n, lines, x, x_);                                                            \
        ACROSS top[l] = (T)-HUGE_VAL;                                                              \
        for (int64_t i = 0; i < n; i++)                                                            \
            ACROSS top[l] = x[i][l] > top[l] ? x[i][l] : top[l];                                   \
        memcpy(e, x, (size_t)n * sizeof *x);                                                       \
        for (int64_t i = 0; i < n; i++) {                                                          \
            side_exp_##suffix(e[i], top);                                                          \
            ACROSS total[i % WAYS][l] += (double)e[i][l];                                          \
        }                                                                                          \
        join_sides(total, n, sum);                                                                 \
        ACROSS finite &= (top[l] - top[l] == 0) & (sum[l] == sum[l]);       /* a NaN: no sum */    \
        if (!finite) return false;                                                                 \
        for (int64_t l = 0; l < lines; l++) tops[l] = (double)top[l], sums[l] = sum[l];            \
        if (kind == SHORT_SOFTMAX) {                                                               \
            ACROSS by[l] = (T)(1 / sum[l]);                                                        \
            for (int64_t i = 0; i < n; i++)                                                        \
                ACROSS e[i][l] = e[i][l] * by[l] < normal_##suffix ? 0 : e[i][l] * by[l];          \
            back_##suffix(n, lines, out, (const T(*)[SIDE])e);                                     \
        } else if (kind == SHORT_LOG_SOFTMAX) {                                                    \
            ACROSS sum[l] = (double)top[l] + log(sum[l]);                                          \
            for (int64_t i = 0; i < n; i++) ACROSS x[i][l] = (T)((double)x[i][l] - sum[l]);        \
            back_##suffix(n, lines, out, (const T(*)[SIDE])x);                                     \
        }                                                                                          \
        return true;                                                                               \
    }
SHORT_LINES(double, f64)
SHORT_LINES(float, f32)

#define ACCUMULATE(T, suffix)                                                                      \
    static void accumulate_##suffix(int64_t n, double *total, const void *x_) {                    \
        const T *x = x_;                                                                           \
        EACH total[i] += (double)x[i];                                                             \
    }
ACCUMULATE(double, f64)
ACCUMULATE(float, f32)
ACCUMULATE(uint8_t, bool)

/* ---- totals of columns ----
 * Four rows at a time, so that the totals are read and written once for the four. */
#define ROWS(name, suffix, T, step)                                                                \
    static void name##_rows_##suffix(int64_t n, double *total, const void *at, int64_t rows,       \
                                     int64_t down, int64_t right) {                                \
        const T *x = at;                                                                           \
        for (; rows >= 4 && right == 1; rows -= 4, x += 4 * down) {                                \
            const T *x1 = x + down, *x2 = x1 + down, *x3 = x2 + down;                              \
            EACH {                                                                                 \
                double t = total[i], e = (double)x[i];                                             \
                t = step, e = (double)x1[i];                                                       \
                t = step, e = (double)x2[i];                                                       \
                t = step, e = (double)x3[i];                                                       \
                total[i] = step;                                                                   \
            }                                                                                      \
        }                                                                                          \
        for (; rows > 0; rows--, x += down) {                                                      \
            if (right == 1) EACH {                                                                 \
                double t = total[i], e = (double)x[i];                                             \
                total[i] = step;                                                                   \
            }                                                                                      \
            else EACH {                                                                            \
                double t = total[i], e = (double)x[i * right];                                     \
                total[i] = step;                                                                   \
            }                                                                                      \
        }                                                                                          \
    }
#define COLUMNS(name, step)                                                                        \
    ROWS(name, f64, double, step) ROWS(name, f32, float, step) ROWS(name, bool, uint8_t, step)
COLUMNS(sum, t + e)
COLUMNS(prod, t * e)
COLUMNS(squares, t + e * e)
COLUMNS(nonzeros, t + (e != 0 ? 1 : 0))
COLUMNS(greatest, (e > t) | (e != e) ? e : t)
COLUMNS(least, (e < t) | (e != e) ? e : t)

/* ---- totals ---- */
#define TOTAL(name, suffix, T, step)                                                               \
    static double name##_##suffix(const void *at, int64_t n) {                                     \
        const T *x = at;                                                                           \
        double total[WAYS] = { 0 };                                                                \
        int64_t i = 0;                                                                             \
        for (; i + WAYS <= n; i += WAYS)                                                           \
            for (int k = 0; k < WAYS; k++) {                                                       \
                double t = total[k], e = (double)x[i + k];                                         \
                total[k] = step;                                                                   \
            }                                                                                      \
        for (int k = 0; i < n; i++, k++) {                                                         \
            double t = total[k], e = (double)x[i];                                                 \
            total[k] = step;                                                                       \
        }                                                                                          \
        return join_totals(total);                                                                 \
    }
#define TOTALS(name, step)                                                                         \
    TOTAL(name, f64, double, step)                                                                 \
    TOTAL(name, f32, float, step)                                                                  \
    TOTAL(name, bool, uint8_t, step)
TOTALS(sum, t + e)
TOTALS(squares, t + e * e)
TOTALS(nonzeros, t + (e != 0 ? 1 : 0))

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
        if (n < WIDTH) {                                                                           \
            for (int64_t i = 0; i < n; i++) {                                                      \
                nan |= x[i] != x[i];                                                               \
                best = x[i] beats best ? x[i] : best;                                              \
            }                                                                                      \
            return nan ? (double)NAN : (double)best;                                               \
        }                                                                                          \
        V total[ROWS];                                                                             \
        M nans = { 0 };                                                                            \
        for (int k = 0; k < ROWS; k++) total[k] = *(const V *)x;                                   \
        int64_t i = 0;                                                                             \
        for (; i + ROWS * WIDTH <= n; i += ROWS * WIDTH)                                           \
            _Pragma("GCC unroll 4") for (int k = 0; k < ROWS; k++)                                 \
                BETTER(V, M, total[k], x + i + k * WIDTH, beats)                                   \
        for (; i + WIDTH <= n; i += WIDTH) BETTER(V, M, total[0], x + i, beats)                    \
        BETTER(V, M, total[1], x + n - WIDTH, beats)    /* some once more */                       \
        for (int k = 1; k < ROWS; k++) BETTER(V, M, total[0], &total[k], beats)                    \
        for (int j = 0; j < WIDTH; j++) {                                                          \
            best = total[0][j] beats best ? total[0][j] : best;                                    \
            nan |= nans[j] != 0;                                                                   \
        }                                                                                          \
        return nan ? (double)NAN : (double)best;                                                   \
    }
/* What is better at `at` takes its place in best; NaN is better than nothing. */
#define BETTER(V, M, best, at, beats)                                                              \
    {                                                                                              \
        V e = *(const V *)(at);                                                                    \
        M better = (M)(e beats best);                                                              \
        nans |= (M)(e != e);                                                                       \
        best = (V)((better & (M)e) | (~better & (M)best));                                         \
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
#define ROWS_BY_DTYPE(name) { name##_rows_f64, name##_rows_f32, name##_rows_bool }
const LineKernels LINE_TABLE = {
    .choose = { choose_f64, choose_f32 },
    .stream = stream,
    .streamed = streamed,
    .add = { add_f64, add_f32 },
    .pull_product = pull_product,
    .exp_sum = { exp_sum_f64, exp_sum_f32 },
    .exp_scaled = { exp_scaled_f64, exp_scaled_f32 },
    .scale = { scale_f64, scale_f32 },
    .times = { times_f64, times_f32 },
    .lower = { lower_f64, lower_f32 },
    .dot = { dot_f64, dot_f32 },
    .pull_softmax = { pull_softmax_f64, pull_softmax_f32 },
    .pull_log_softmax = { pull_log_softmax_f64, pull_log_softmax_f32 },
    .spread = { spread_f64, spread_f32 },
    .spread_with = { spread_with_f64, spread_with_f32 },
    .spread_rows = { spread_rows_f64, spread_rows_f32 },
    .standardize = { standardize_f64, standardize_f32 },
    .unstandardize = { unstandardize_f64, unstandardize_f32 },
    .standardize_row = { standardize_row_f64, standardize_row_f32 },
    .short_standardize = { short_standardize_f64, short_standardize_f32 },
    .short_softmax = { short_softmax_f64, short_softmax_f32 },
    .accumulate = { accumulate_f64, accumulate_f32, accumulate_bool },
    .sum = BY_DTYPE(sum),
    .squares = BY_DTYPE(squares),
    .nonzeros = BY_DTYPE(nonzeros),
    .greatest = BY_DTYPE(greatest),
    .least = BY_DTYPE(least),
    .rows = {
        [FOLD_SUM] = ROWS_BY_DTYPE(sum),
        [FOLD_PROD] = ROWS_BY_DTYPE(prod),
        [FOLD_SQUARES] = ROWS_BY_DTYPE(squares),
        [FOLD_NONZEROS] = ROWS_BY_DTYPE(nonzeros),
        [FOLD_GREATEST] = ROWS_BY_DTYPE(greatest),
        [FOLD_LEAST] = ROWS_BY_DTYPE(least),
    },
};
