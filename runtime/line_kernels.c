/* Loops over lines (line_kernels.h), compiled once per instruction set with LINE_TABLE naming the
 * table this makes.
 *
 * The one idea: sixteen totals side by side, whatever the width of the registers is. They hide how
 * long an addition takes, and since each level adds the same elements to the same total, a result
 * does not depend on the processor. */
#ifdef __SSE2__
#include <immintrin.h>
#endif
#include "line_running.h"
#include "line_short.h"
#include "line_softmax.h"
#include "line_standardize.h"
#include "line_totals.h"

#ifndef LINE_TABLE
#define LINE_TABLE line_kernels_v2
#endif

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
    .affine = { affine_f64, affine_f32 },
    .weigh = { weigh_f64, weigh_f32 },
    .affine_sums = { affine_sums_f64, affine_sums_f32 },
    .short_standardize = { short_standardize_f64, short_standardize_f32 },
    .short_softmax = { short_softmax_f64, short_softmax_f32 },
    .short_pull_softmax = { short_pull_softmax_f64, short_pull_softmax_f32 },
    .accumulate = { accumulate_f64, accumulate_f32, accumulate_bool },
    .sum = BY_DTYPE(sum),
    .squares = BY_DTYPE(squares),
    .nonzeros = BY_DTYPE(nonzeros),
    .greatest = BY_DTYPE(greatest),
    .least = BY_DTYPE(least),
    .place_of = { place_of_f64, place_of_f32 },
    .short_places = { short_places_f64, short_places_f32 },
    .running = { running_f64, running_f32 },
    .running_row = { running_row_f64, running_row_f32 },
    .rows = {
        [FOLD_SUM] = ROWS_BY_DTYPE(sum),
        [FOLD_PROD] = ROWS_BY_DTYPE(prod),
        [FOLD_SQUARES] = ROWS_BY_DTYPE(squares),
        [FOLD_NONZEROS] = ROWS_BY_DTYPE(nonzeros),
        [FOLD_GREATEST] = ROWS_BY_DTYPE(greatest),
        [FOLD_LEAST] = ROWS_BY_DTYPE(least),
    },
};
