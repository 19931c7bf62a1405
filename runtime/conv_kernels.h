/* The inner loops of convolution in steps of one (conv_direct.c). Compiled once per instruction set
 * like the elementwise kernels; those with a fused multiply-add agree bit for bit, since each
 * result is the same sum in the same order on all of them.
 *
 * Both work on an image whose border has been written out, so that an element of the window lies at
 * a fixed distance from the place of the result: offset[k] for the k-th of `depth` elements. */
#ifndef CONV_KERNELS_H
#define CONV_KERNELS_H
#include <stdint.h>

/* Bytes of one element's partial sums: SIMD lanes, in any register size. */
enum { CORRELATED = 64 };

typedef struct ConvKernels {
    int outputs;                    /* that slide() computes at once */
    int step[2];                    /* places at a time; n is rounded up to them. By dtype */
    /* out[o][p] = the sum over k of w[k][o] x[offset[k] + p], for p in 0 .. n - 1 */
    void (*slide[2])(int64_t depth, const int64_t *offset, const void *w, const void *x, int64_t n,
                     void *out, int64_t out_row);
    /* Rows of `bytes` from one pitch to another. */
    void (*rows_to)(char *to, int64_t to_pitch, const char *from, int64_t from_pitch, int64_t rows,
                    int64_t bytes);
    int rows, taps;                 /* of the block that correlate() computes at once */
    /* sums[o][k] += the products g[o][p] x[offset[k] + p], lane by lane; n is a multiple of the
     * lanes, and so is the place of the sums */
    void (*correlate[2])(int64_t n, const int64_t *offset, const void *x, const void *g,
                         int64_t g_row, void *sums);
} ConvKernels;

extern const ConvKernels conv_kernels_v2, conv_kernels_v3, conv_kernels_v4;
extern const ConvKernels *conv_kernels;                         /* the chosen one */
#endif
