/* Windows that step over the last two axes of an image (unfold.c): what convolution (conv.c) and
 * pooling (pool.c) share. */
#ifndef WINDOW_H
#define WINDOW_H
#include <string.h>
#include "rules.h"

/* How a window of rows by columns steps over an image. */
typedef struct Window {
    int64_t rows, columns, row_step, column_step, row_border, column_border;
} Window;
enum { WINDOW_WORDS = sizeof(Window) / sizeof(int64_t) };
#define WINDOW(w)                                                                                  \
    (w).rows, (w).columns, (w).row_step, (w).column_step, (w).row_border, (w).column_border

static inline Window window_of(const Attr *words) {
    Window w;
    memcpy(&w, words, sizeof w);
    return w;
}

/* An image, and how many windows fit along its axes. */
typedef struct Grid { Window window; int64_t rows, columns, down, across; } Grid;

/* The places along an axis, first to stop, whose window element at `offset` lies inside the
 * image. */
typedef struct Inside { int64_t first, stop; } Inside;

static inline Inside inside(int64_t offset, int64_t step, int64_t length, int64_t places) {
    int64_t first = offset < 0 ? (-offset + step - 1) / step : 0;
    int64_t stop = offset < length ? (length - 1 - offset) / step + 1 : 0;
    if (stop > places) stop = places;
    return (Inside){ first, stop };
}
Grid grid_of(Window w, int64_t rows, int64_t columns);
Grid grid_over(Window w, const Array *a);

/* The windows from `top` to `bottom` down the image, as columns and back. */
void unfold_double(const Grid *g, const double *image, double *out, int64_t top, int64_t bottom);
void unfold_float(const Grid *g, const float *image, float *out, int64_t top, int64_t bottom);
void fold_double(const Grid *g, const double *in, double *image, int64_t top, int64_t bottom);
void fold_float(const Grid *g, const float *in, float *image, int64_t top, int64_t bottom);

int64_t planes_of(const Array *a);
/* An array like `a` with other last two axes. */
Array *with_last(const Array *a, int64_t m, int64_t n, bool zeros);
Array *float_array(Value x);
Value op_unfold(Value x, Window w);
Value op_fold(Value x, Window w, int64_t rows, int64_t columns);

/* ---- for calls ---- */
void need_room(Window w, int64_t rows, int64_t columns, const char *name);
/* A number for both axes, or one for each; a list of one is for the last axis alone. */
void arg_pair(Value v, int64_t other, int64_t least, const char *name, const char *what,
              int64_t *down, int64_t *across);
/* A line is an image of one row. */
Value as_image(Value x);
Value as_line(Value r);
#endif
