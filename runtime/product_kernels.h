/* The matrix product of few rows (linalg.c), compiled once per instruction set. BLAS packs its
 * operands before it multiplies, which pays where many rows meet what was packed; here the second
 * matrix is read as it lies. Each element is one sum in the order of k, so that the levels with a
 * fused multiply-add agree bit for bit; the others have none, and leave all products to BLAS. */
#ifndef PRODUCT_KERNELS_H
#define PRODUCT_KERNELS_H
#include <stdint.h>

/* Bytes of the narrowest row of a result, on all levels. */
enum { PRODUCT_ROW = 64 };

/* An m by k matrix x of any strides times k rows of n elements, `y_row` elements apart. */
typedef struct FewRows {
    int64_t m, n, k;
    const void *x, *y;
    int64_t x_row, x_column, y_row;
    void *out;                       /* rows of n elements, `out_row` elements apart */
    int64_t out_row;
} FewRows;

typedef struct ProductKernels {
    void (*multiply[2])(const FewRows *p);       /* by dtype; NULL: by BLAS */
} ProductKernels;

extern const ProductKernels product_kernels_v2, product_kernels_v3, product_kernels_v4;
extern const ProductKernels *product_kernels;                   /* the chosen one */
#endif
