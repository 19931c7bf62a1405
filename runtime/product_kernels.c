/* The matrix product of few rows (product_kernels.h), compiled once per instruction set with
 * PRODUCT_TABLE naming the table this makes, and with -ffp-contract=fast: a product that is added
 * to a sum is one fused operation.
 *
 * The one idea: a block of the result stays in the registers while a column of x and a row of y go
 * by. The last block of a row overlaps the one before, whose elements it computes again. */
#include "product_kernels.h"

#ifndef PRODUCT_TABLE
#define PRODUCT_TABLE product_kernels_v2
#endif
#if defined __AVX512F__
enum { BYTES = 64, ROWS = 8 };
#elif defined __AVX2__
enum { BYTES = 32, ROWS = 6 };
#endif

#ifdef __AVX2__
#define UNROLLED _Pragma("GCC unroll 16") for
#define INLINED static inline __attribute__((always_inline))

#define PRODUCT(T, suffix)                                                                         \
    typedef T Line_##suffix __attribute__((vector_size(BYTES), aligned(sizeof(T)), may_alias));    \
    typedef T Block_##suffix __attribute__((vector_size(BYTES)));                                  \
    /* `rows` by `vectors` of the result, from row i and column j on; both are constants */        \
    INLINED void block_##suffix(const FewRows *p, int64_t i, int64_t j, int rows, int vectors) {   \
        enum { LANES = BYTES / sizeof(T) };                                                        \
        const T *x = (const T *)p->x + i * p->x_row, *y = (const T *)p->y + j;                     \
        const int64_t x_row = p->x_row;                                                            \
        Block_##suffix sum[ROWS][2] = { 0 };                                                       \
        for (int64_t k = 0; k < p->k; k++, x += p->x_column, y += p->y_row) {                      \
            Block_##suffix v[2];                                                                   \
            UNROLLED (int c = 0; c < vectors; c++) v[c] = *(const Line_##suffix *)(y + c * LANES); \
            UNROLLED (int r = 0; r < rows; r++)                                                    \
                UNROLLED (int c = 0; c < vectors; c++) sum[r][c] += x[r * x_row] * v[c];           \
        }                                                                                          \
        T *out = (T *)p->out + i * p->out_row + j;                                                 \
        UNROLLED (int r = 0; r < rows; r++)                                                        \
            UNROLLED (int c = 0; c < vectors; c++)                                                 \
                *(Line_##suffix *)(out + r * p->out_row + c * LANES) = sum[r][c];                  \
    }                                                                                              \
    /* The columns from j on, as wide as a block is, all rows. */                                  \
    INLINED void columns_##suffix(const FewRows *p, int64_t j, int vectors) {                      \
        int64_t i = 0;                                                                             \
        for (; p->m - i >= ROWS; i += ROWS) block_##suffix(p, i, j, ROWS, vectors);                \
        if (p->m - i >= 4) block_##suffix(p, i, j, 4, vectors), i += 4;                            \
        switch (p->m - i) {                                                                        \
        case 3: block_##suffix(p, i, j, 3, vectors); break;                                        \
        case 2: block_##suffix(p, i, j, 2, vectors); break;                                        \
        case 1: block_##suffix(p, i, j, 1, vectors); break;                                        \
        default: break;                                                                            \
        }                                                                                          \
    }                                                                                              \
    static void multiply_##suffix(const FewRows *p) {                                              \
        enum { LANES = BYTES / sizeof(T), LEAST = PRODUCT_ROW / sizeof(T) };                       \
        int64_t j = 0;                                                                             \
        for (; p->n - j >= 2 * LANES; j += 2 * LANES) columns_##suffix(p, j, 2);                   \
        if (j < p->n) columns_##suffix(p, p->n - LEAST, LEAST / LANES);                            \
        if (p->n - j > LEAST) columns_##suffix(p, j, LEAST / LANES);                               \
    }
PRODUCT(double, f64)
PRODUCT(float, f32)

const ProductKernels PRODUCT_TABLE = { { multiply_f64, multiply_f32 } };
#else
const ProductKernels PRODUCT_TABLE = { { 0 } };
#endif
