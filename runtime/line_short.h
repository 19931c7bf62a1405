/* Short lines: loops of line_kernels.c.
 *
 * Sixteen lines side by side: the k-th elements of all are a row, and so each line has the same
 * partial sums in the same order as a long one. */
#ifndef LINE_SHORT_H
#define LINE_SHORT_H
#include "line_softmax.h"

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
                                           const void *g_, double eps, const Affine *by_column) {  \
        const T *scale = by_column ? by_column->scale : NULL;                                      \
        const T *shift = by_column ? by_column->shift : NULL;                                      \
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
            for (int64_t i = 0; scale && i < n; i++)                                               \
                ACROSS x[i][l] = x[i][l] * scale[i] + shift[i];                                    \
            back_##suffix(n, lines, out, (const T(*)[SIDE])x);                                     \
            return;                                                                                \
        }                                                                                          \
        side_##suffix(n, lines, g, g_);                                                            \
        clear_sides(total, n);                                                                     \
        for (int64_t i = 0; scale && i < n; i++) {                                                 \
            double unit[SIDE], sum[SIDE];                                                          \
            ACROSS sum[l] = l < lines ? (double)g[i][l] : 0;                                       \
            ACROSS unit[l] = ((double)x[i][l] - centre[l]) * by[l];                                \
            ACROSS unit[l] = l < lines ? sum[l] * unit[l] : 0;                                     \
            by_column->scale_sum[i] += join_totals(unit);                                          \
            by_column->shift_sum[i] += join_totals(sum);                                           \
            ACROSS g[i][l] *= scale[i];                                                            \
        }                                                                                          \
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
                                       const void *x_, double *tops, double *sums,                 \
                                       const double *weight) {                                     \
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
            for (int64_t l = 0; weight && l < SIDE; l++) by[l] = l < lines ? (T)weight[l] : 1;     \
            for (int64_t i = 0; weight && i < n; i++) ACROSS e[i][l] *= by[l];                     \
            back_##suffix(n, lines, out, (const T(*)[SIDE])e);                                     \
        } else if (kind == SHORT_LOG_SOFTMAX) {                                                    \
            ACROSS sum[l] = (double)top[l] + log(sum[l]);                                          \
            for (int64_t i = 0; i < n; i++) ACROSS x[i][l] = (T)((double)x[i][l] - sum[l]);        \
            back_##suffix(n, lines, out, (const T(*)[SIDE])x);                                     \
        }                                                                                          \
        return true;                                                                               \
    }                                                                                              \
    static void short_pull_softmax_##suffix(int64_t n, int64_t lines, void *out, const void *g_,   \
                                            const void *r_) {                                      \
        T g[SHORT][SIDE], r[SHORT][SIDE];                                                          \
        Side total[WAYS], c;                                                                       \
        clear_sides(total, n);                                                                     \
        side_##suffix(n, lines, g, g_);                                                            \
        side_##suffix(n, lines, r, r_);                                                            \
        for (int64_t i = 0; i < n; i++)                                                            \
            ACROSS total[i % WAYS][l] += (double)g[i][l] * (double)r[i][l];                        \
        join_sides(total, n, c);                                                                   \
        for (int64_t i = 0; i < n; i++)                                                            \
            ACROSS g[i][l] = (T)((double)r[i][l] * ((double)g[i][l] - c[l]));                      \
        back_##suffix(n, lines, out, (const T(*)[SIDE])g);                                         \
    }
SHORT_LINES(double, f64)
SHORT_LINES(float, f32)
#endif
