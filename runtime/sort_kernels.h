/* The inner loops of sorting (sort.c), compiled once per instruction set with SORT_TABLE naming the
 * table this makes. By dtype: F64, F32.
 *
 * None of those that compare may meet a NaN, and zeros of either sign are equal to them: what order
 * they leave those in differs from level to level, and sort.c puts it right. */
#ifndef SORT_KERNELS_H
#define SORT_KERNELS_H
#include <stdbool.h>
#include <stdint.h>

enum { SHORT_LINE = 16 };

typedef struct SortKernels {
    int64_t few[2];                         /* at most what sort_few() takes */
    /* How many elements are NaN, and in *zeros how many are -0; a copy with infinity for NaN. */
    int64_t (*count_odd[2])(int64_t n, const void *x, int64_t *zeros);
    void (*tidy[2])(int64_t n, void *to, const void *from);
    void (*sort_few[2])(int64_t n, void *to, const void *from);      /* `to` may be `from` */
    /* Whatever is less than the pivot (or equal to it, if `equal`) to `low`, the rest to `high`,
     * both in the order they had; gives how many are at `low`. One of the two may be `from`; both
     * have room for n. */
    int64_t (*partition[2])(int64_t n, void *low, void *high, const void *from, double pivot,
                            bool equal);
    /* How many of the lines, `length` elements each, are sorted to `to`: from the first on, but for
     * a few at the end, and up to the first with NaN or -0. length is at most SHORT_LINE. */
    int64_t (*sort_short[2])(int64_t lines, int64_t length, void *to, const void *from);
    /* Doubles with their place in the lowest `bits`, in the order of the elements and then of the
     * places; gives all bits that there was no room for. And the places back, in place. */
    uint64_t (*pack)(int64_t n, int bits, double *to, const double *from);
    void (*unpack)(int64_t n, int bits, double *x);
} SortKernels;

extern const SortKernels sort_kernels_v2, sort_kernels_v3, sort_kernels_v4;
extern const SortKernels *sort_kernels;     /* the chosen one */
#endif
