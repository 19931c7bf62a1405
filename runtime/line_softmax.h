/* softmax and its relatives, of one line: loops of line_kernels.c. */
#ifndef LINE_SOFTMAX_H
#define LINE_SOFTMAX_H
#include "line_parts.h"

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
#endif
