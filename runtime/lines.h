/* Lines of elements along some axes: what operations that need a whole line at once share (lines.c,
 * softmax.c, sort.c). */
#ifndef LINES_H
#define LINES_H
#include "rules.h"

typedef struct Lines {
    Array *data;              /* contiguous: count lines of `length` elements */
    int64_t count, length;
    Shape moved;              /* the shape with the line's axes at the end */
    int back[MAX_AXES];       /* where each axis of the input stands in it */
    int kept;                 /* axes that do not belong to the line */
} Lines;

/* x with these axes (a bit set) at the end, contiguous and of this dtype. */
Lines lines_of(Value x, uint64_t axes, int dtype);
/* A result with one element per element of the lines, contiguous in their order; not cleared. */
Array *lines_like(const Lines *l);
/* Such a result in the input's order of axes. */
Value lines_value(const Lines *l, Array *result, int dtype);
/* A result with one element per line, with the line's axes left out or of length 1. */
Value lines_reduced(const Lines *l, Array *result, bool keepdims, int dtype);
/* The axis argument of such an operation, or `otherwise` (-1: the last); E_SHAPE for a number. */
int axis_of_lines(Value x, Value axis, int otherwise, const char *name);
static inline uint64_t axis_bit(int64_t axis) { return (uint64_t)1 << axis; }
/* An index as a place on a line of `length` elements along `axis`, negative from the end; E_INDEX
 * if it is none. */
int64_t line_place(double index, int64_t length, int64_t axis);
#endif
