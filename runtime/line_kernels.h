/* Loops over contiguous lines that are no operations of their own: choosing, adding up, extremes.
 * Compiled once per instruction set like the elementwise kernels (elem.h); all levels agree bit for
 * bit, since each sum has the same sixteen partial sums in the same order on all of them. */
#ifndef LINE_KERNELS_H
#define LINE_KERNELS_H
#include <stdint.h>
#include <stdbool.h>

typedef enum FoldKind {
    FOLD_SUM,
    FOLD_PROD,
    FOLD_SQUARES,
    FOLD_NONZEROS,
    FOLD_GREATEST,
    FOLD_LEAST,
    FOLD_KINDS
} FoldKind;

enum { SIDE = 16, SHORT = 32, RUNNING_LINES = 8 };
typedef enum ShortKind { SHORT_SUM, SHORT_SOFTMAX, SHORT_LOG_SOFTMAX } ShortKind;

/* What standardized lines are multiplied by and get added, by column; and in the adjoint, f64 sums
 * to which the adjoints of both are added. */
typedef struct Affine {
    const void *scale, *shift;
    double *scale_sum, *shift_sum;
} Affine;

typedef struct LineKernels {
    /* out[i] = condition[i] ? x[i] : y[i]; out may be x or y. By dtype: F64, F32. */
    void (*choose[2])(int64_t n, void *out, const void *condition, const void *x, const void *y);
    /* Copies past the cache: for what is written once and larger than it. `to` is 64-byte aligned.
     * Before another thread reads it, who wrote it calls streamed(). */
    void (*stream)(void *to, const void *from, int64_t bytes);
    void (*streamed)(void);
    void (*add[2])(int64_t n, void *out, const void *x);          /* out[i] += x[i] */
    /* The adjoints of a product in a chain, f64: x[i] g[i] is added to sum[i], and y[i] g[i]
     * becomes g[i]. False, with nothing written, if one of them is NaN. */
    bool (*pull_product)(int64_t n, void *g, void *sum, const void *x, const void *y);
    /* exp(x[i] - top) to out, unless that is NULL, and their sum; exp(x[i] - top) by to out. */
    double (*exp_sum[2])(int64_t n, void *out, const void *x, double top);
    void (*exp_scaled[2])(int64_t n, void *out, const void *x, double top, double by);
    /* x[i] *= by: of probabilities, of which those below the least normal number become 0; of any
     * numbers. */
    void (*scale[2])(int64_t n, void *x, double by);
    void (*times[2])(int64_t n, void *x, double by);
    void (*lower[2])(int64_t n, void *out, const void *x, double by);         /* x[i] - by */
    double (*dot[2])(const void *x, const void *y, int64_t n);
    /* The adjoints of softmax and log_softmax: r[i] (g[i] - c), and g[i] - c exp(r[i]). */
    void (*pull_softmax[2])(int64_t n, void *out, const void *g, const void *r, double c);
    void (*pull_log_softmax[2])(int64_t n, void *out, const void *g, const void *r, double c);
    /* Of what lies below a mean (standardize.c): the sum of (x[i] - centre)^2; added to total[0],
     * with that of g[i] (x[i] - centre) to total[1]; both for n columns of some rows, without the
     * second if g is NULL. */
    double (*spread[2])(int64_t n, const void *x, double centre);
    void (*spread_with[2])(int64_t n, const void *x, const void *g, double centre, double *total);
    void (*spread_rows[2])(int64_t n, double *squares, double *products, const void *x,
                           const void *g, int64_t rows, const double *centre);
    /* (x[i] - centre) by; its adjoint, by g[i] - level - tilt (x[i] - centre), with the four in one
     * array; and either of the two, the second if there is a g, with four of each column. */
    void (*standardize[2])(int64_t n, void *out, const void *x, double centre, double by);
    void (*unstandardize[2])(int64_t n, void *out, const void *x, const void *g, const double *f);
    void (*standardize_row[2])(int64_t n, void *out, const void *x, const void *g,
                               const double *const *f);
    /* x[i] scale[i] + shift[i] in the place of x[i]; g[i] scale[i]; and to the sums are added g[i]
     * (x[i] - centre) by, and g[i]. */
    void (*affine[2])(int64_t n, void *x, const void *scale, const void *shift);
    void (*weigh[2])(int64_t n, void *out, const void *g, const void *scale);
    void (*affine_sums[2])(int64_t n, double *scale, double *shift, const void *x, const void *g,
                           double centre, double by);
    /* Up to SIDE lines of n <= SHORT elements, side by side in registers: standardized, or its
     * adjoint if there is a g; the greatest of each and the sum of exponentials below it,
     * and by kind what becomes of them (SHORT_SUM: nothing). As the loops above have it, bit for
     * bit; false: a greatest element is not finite, and nothing is written. A softmax is multiplied
     * by the weight of its line, unless that is NULL. */
    void (*short_standardize[2])(int64_t n, int64_t lines, void *out, const void *x, const void *g,
                                 double eps, const Affine *by_column);
    bool (*short_softmax[2])(int64_t n, int64_t lines, ShortKind kind, void *out, const void *x,
                             double *top, double *sum, const double *weight);
    void (*short_pull_softmax[2])(int64_t n, int64_t lines, void *out, const void *g,
                                  const void *r);                 /* pull_softmax of such lines */
    void (*accumulate[3])(int64_t n, double *total, const void *x);           /* total[i] += x[i] */
    /* Totals of a line by dtype: F64, F32, BOOL; squares: of the squares, nonzeros: how many. */
    double (*sum[3])(const void *x, int64_t n);
    double (*squares[3])(const void *x, int64_t n);
    double (*nonzeros[3])(const void *x, int64_t n);
    double (*greatest[3])(const void *x, int64_t n);              /* NaN if one is */
    double (*least[3])(const void *x, int64_t n);
    /* The first place of a value on a line, or of a NaN if it is one. n: there is none. */
    int64_t (*place_of[2])(const void *x, int64_t n, double value);
    /* For lines of a few elements, n of them, the first place of the greatest, or of the least;
     * of the first NaN if there is one. */
    void (*short_places[2])(int64_t n, int64_t lines, bool least, const void *x, double *out);
    /* Running sums of up to RUNNING_LINES lines of n elements, `apart` elements from each other, on
     * top of their totals so far, from the front or the back; and one more row of n columns. */
    void (*running[2])(int64_t lines, int64_t n, int64_t apart, bool reverse, const void *x,
                       void *r, double *total);
    void (*running_row[2])(int64_t n, double *total, const void *x, void *r);
    /* n totals side by side take in one row of elements after the other: `down` elements apart, and
     * `right` from column to column. */
    void (*rows[FOLD_KINDS][3])(int64_t n, double *total, const void *x, int64_t rows, int64_t down,
                                int64_t right);
} LineKernels;

extern const LineKernels line_kernels_v2, line_kernels_v3, line_kernels_v4;
extern const LineKernels *line_kernels;                           /* the chosen one */
#endif
