/* Convolution in steps of one, without unfolding (conv.c has every other kind). Images are [batch,
 * groups * channels, rows, columns], weights [groups * outputs, channels, window], results [batch,
 * groups * outputs, down, across], all contiguous and of one dtype, F64 or F32. */
#ifndef CONV_DIRECT_H
#define CONV_DIRECT_H
#include <stdbool.h>
#include <stdint.h>

typedef struct Sliding {
    int64_t batch, groups, channels, outputs;         /* channels and outputs of one group */
    int64_t rows, columns, window_rows, window_columns, row_border, column_border;
    int64_t down, across;                             /* of the result */
    int dtype;
} Sliding;

/* The result. */
void slide(const Sliding *s, const void *images, const void *weights, void *result);
/* The adjoint of the images, from that of the result; the borders must be narrower than the window.
 */
void slide_back(const Sliding *s, const void *result, const void *weights, void *images);
/* The adjoint of the weights. False if it has to be computed in another way: too many weights, or
 * something that is not finite, which would reach places where it does not belong. */
bool slide_weights(const Sliding *s, const void *images, const void *result, void *weights);
#endif
