/* What lies below a mean, of lines and of rows: loops of line_kernels.c. Meanwhile the next line
 * comes into the cache. */
#ifndef LINE_STANDARDIZE_H
#define LINE_STANDARDIZE_H
#include "line_parts.h"

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
    static void affine_##suffix(int64_t n, void *x_, const void *scale_, const void *shift_) {     \
        const T *scale = scale_, *shift = shift_;                                                  \
        T *x = x_;                                                                                 \
        EACH x[i] = x[i] * scale[i] + shift[i];                                                    \
    }                                                                                              \
    static void weigh_##suffix(int64_t n, void *out, const void *g_, const void *scale_) {         \
        const T *g = g_, *scale = scale_;                                                          \
        T *o = out;                                                                                \
        EACH o[i] = g[i] * scale[i];                                                               \
    }                                                                                              \
    static void affine_sums_##suffix(int64_t n, double *scale, double *shift, const void *x_,      \
                                     const void *g_, double centre, double by) {                   \
        const T *x = x_, *g = g_;                                                                  \
        EACH {                                                                                     \
            scale[i] += (double)g[i] * (((double)x[i] - centre) * by);                             \
            shift[i] += (double)g[i];                                                              \
        }                                                                                          \
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
#endif
