/* Totals and extremes, of lines and of columns: loops of line_kernels.c. */
#ifndef LINE_TOTALS_H
#define LINE_TOTALS_H
#include "line_parts.h"

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
/* An extreme is one of the elements, and needs no wider totals.
 *
Part of the next four rows comes into the cache: they begin too far away for the processor to
 * see them coming. */
enum { PIECE = 64, MOST_COLUMNS = 1024 };
#define FETCH_ROWS(x, down, count)                                                                 \
    for (int row = 4; row < 8; row++)                                                              \
        for (int64_t b = 0; b < (count) * (int64_t)sizeof *(x); b += 64)                           \
            __builtin_prefetch((const char *)((x) + row * (down)) + b);
#define EXTREME_ROWS(name, beats)                                                                  \
    ROWS(name, f64, double, (e beats t) | (e != e) ? e : t)                                        \
    ROWS(name, bool, uint8_t, e beats t ? e : t)                                                   \
    static inline __attribute__((always_inline)) void name##_four_f32(                             \
        int64_t n, float *best, const float *x, int64_t down) {                                    \
        const float *x1 = x + down, *x2 = x1 + down, *x3 = x2 + down;                              \
        EACH {                                                                                     \
            float t = best[i];                                                                     \
            t = (x[i] beats t) | (x[i] != x[i]) ? x[i] : t;                                        \
            t = (x1[i] beats t) | (x1[i] != x1[i]) ? x1[i] : t;                                    \
            t = (x2[i] beats t) | (x2[i] != x2[i]) ? x2[i] : t;                                    \
            best[i] = (x3[i] beats t) | (x3[i] != x3[i]) ? x3[i] : t;                              \
        }                                                                                          \
    }                                                                                              \
    static void name##_some_f32(int64_t n, double *total, const float *x, int64_t rows,            \
                                int64_t down, int64_t right) {                                     \
        float best[MOST_COLUMNS];                                                                  \
        EACH best[i] = (float)total[i];                                                            \
        for (; rows >= 4 && right == 1; rows -= 4, x += 4 * down) {                                \
            int64_t from = 0;                                                                      \
            for (; from + PIECE <= n; from += PIECE) {                                             \
                FETCH_ROWS(x + from, down, PIECE)                                                  \
                name##_four_f32(PIECE, best + from, x + from, down);                               \
            }                                                                                      \
            name##_four_f32(n - from, best + from, x + from, down);                                \
        }                                                                                          \
        for (; rows > 0; rows--, x += down) EACH {                                                 \
            float e = x[i * right];                                                                \
            best[i] = (e beats best[i]) | (e != e) ? e : best[i];                                  \
        }                                                                                          \
        EACH total[i] = (double)best[i];                                                           \
    }                                                                                              \
    static void name##_rows_f32(int64_t n, double *total, const void *at, int64_t rows,            \
                                int64_t down, int64_t right) {                                     \
        for (int64_t i = 0; i < n; i += MOST_COLUMNS) {                                            \
            int64_t count = n - i < MOST_COLUMNS ? n - i : MOST_COLUMNS;                           \
            name##_some_f32(count, total + i, (const float *)at + i * right, rows, down, right);   \
        }                                                                                          \
    }
EXTREME_ROWS(greatest, >)
EXTREME_ROWS(least, <)

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
#endif
