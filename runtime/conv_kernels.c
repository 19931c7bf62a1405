/* The inner loops of convolution (conv_kernels.h), compiled once per instruction set with
 * CONV_TABLE naming the table this makes, and with -ffp-contract=fast: a product that is added to a
 * sum is one fused operation where there is one.
 *
 * The one idea: a block of results stays in the registers while all that adds to it goes by. A
 * block is as large as the registers are many, so that an operand once loaded serves several
 * products; its size changes nothing about the order in which a single result is summed. */
#include <string.h>
#include "conv_kernels.h"

#ifndef CONV_TABLE
#define CONV_TABLE conv_kernels_v2
#endif
#if defined __AVX512F__
enum { BYTES = 64, OUTPUTS = 8, VECTORS = 3, ROWS = 4, TAPS = 6 };
#elif defined __AVX__
enum { BYTES = 32, OUTPUTS = 4, VECTORS = 3, ROWS = 4, TAPS = 3 };
#else
enum { BYTES = 16, OUTPUTS = 4, VECTORS = 2, ROWS = 4, TAPS = 2 };
#endif
enum { PARTS = CORRELATED / BYTES };
#define UNROLLED _Pragma("GCC unroll 32") for

#define CONVOLUTION(T, suffix)                                                                     \
    typedef T Line_##suffix __attribute__((vector_size(BYTES), aligned(sizeof(T)), may_alias));    \
    typedef T Block_##suffix __attribute__((vector_size(BYTES)));                                  \
    static void slide_##suffix(int64_t depth, const int64_t *offset, const void *w_,               \
                               const void *x_, int64_t n, void *out_, int64_t out_row) {           \
        enum { LANES = BYTES / sizeof(T), STEP = VECTORS * LANES };                                \
        for (int64_t p = 0; p < n; p += STEP) {                                                    \
            const T *w = w_, *x = (const T *)x_ + p;                                               \
            T *out = (T *)out_ + p;                                                                \
            Block_##suffix sum[OUTPUTS][VECTORS] = { 0 };                                          \
            for (int64_t k = 0; k < depth; k++, w += OUTPUTS) {                                    \
                Block_##suffix v[VECTORS];                                                         \
                UNROLLED (int j = 0; j < VECTORS; j++)                                             \
                    v[j] = *(const Line_##suffix *)(x + offset[k] + j * LANES);                    \
                UNROLLED (int o = 0; o < OUTPUTS; o++)                                             \
                    UNROLLED (int j = 0; j < VECTORS; j++) sum[o][j] += w[o] * v[j];               \
            }                                                                                      \
            UNROLLED (int o = 0; o < OUTPUTS; o++)                                                 \
                UNROLLED (int j = 0; j < VECTORS; j++)                                             \
                    *(Line_##suffix *)(out + o * out_row + j * LANES) = sum[o][j];                 \
        }                                                                                          \
    }                                                                                              \
    static void correlate_##suffix(int64_t n, const int64_t *offset, const void *x_,               \
                                   const void *g_, int64_t g_row, void *sums_) {                   \
        enum { LANES = BYTES / sizeof(T) };                                                        \
        for (int part = 0; part < PARTS; part++) {                                                 \
            const T *x = (const T *)x_ + part * LANES, *g = (const T *)g_ + part * LANES;          \
            Line_##suffix *sums = (Line_##suffix *)sums_ + part;                                   \
            Block_##suffix sum[ROWS][TAPS];                                                        \
            UNROLLED (int i = 0; i < ROWS * TAPS; i++) (&sum[0][0])[i] = sums[i * PARTS];          \
            for (int64_t p = 0; p < n; p += PARTS * LANES) {                                       \
                Block_##suffix v[TAPS];                                                            \
                UNROLLED (int k = 0; k < TAPS; k++)                                                \
                    v[k] = *(const Line_##suffix *)(x + offset[k] + p);                            \
                UNROLLED (int o = 0; o < ROWS; o++) {                                              \
                    Block_##suffix u = *(const Line_##suffix *)(g + o * g_row + p);                \
                    UNROLLED (int k = 0; k < TAPS; k++) sum[o][k] += u * v[k];                     \
                }                                                                                  \
            }                                                                                      \
            UNROLLED (int i = 0; i < ROWS * TAPS; i++) sums[i * PARTS] = (&sum[0][0])[i];          \
        }                                                                                          \
    }
CONVOLUTION(double, f64)
CONVOLUTION(float, f32)

/* The last register of a row overlaps the one before: no row is worth a call. */
static void rows_to(char *to, int64_t to_pitch, const char *from, int64_t from_pitch, int64_t rows,
                    int64_t bytes) {
    for (; rows > 0; rows--, to += to_pitch, from += from_pitch) {
        if (bytes < BYTES) {
            memcpy(to, from, (size_t)bytes);
            continue;
        }
        for (int64_t i = 0; i < bytes - BYTES; i += BYTES)
            *(Line_f32 *)(to + i) = *(const Line_f32 *)(from + i);
        *(Line_f32 *)(to + bytes - BYTES) = *(const Line_f32 *)(from + bytes - BYTES);
    }
}

const ConvKernels CONV_TABLE = {
    .outputs = OUTPUTS,
    .step = { VECTORS * BYTES / sizeof(double), VECTORS * BYTES / sizeof(float) },
    .slide = { slide_f64, slide_f32 },
    .rows_to = rows_to,
    .rows = ROWS,
    .taps = TAPS,
    .correlate = { correlate_f64, correlate_f32 },
};
