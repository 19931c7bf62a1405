/* Windows over images (window.h): unfolding and folding, and the arguments that say how a window
 * steps.
 *
 * The one idea: unfolding writes every window of an image as a column, and then a convolution is a
 * matrix product. Folding, which adds columns back to where they came from, is the adjoint of
 * unfolding; so the rules are written with the two, to every order. */
#include <string.h>
#include "line_kernels.h"
#include "rules.h"
#include "window.h"

Grid grid_of(Window w, int64_t rows, int64_t columns) {
    return (Grid){ w, rows, columns, (rows + 2 * w.row_border - w.rows) / w.row_step + 1,
                   (columns + 2 * w.column_border - w.columns) / w.column_step + 1 };
}

Grid grid_over(Window w, const Array *a) {
    const int64_t *dim = shape_of(a) + a->axes - 2;
    return grid_of(w, dim[0], dim[1]);
}

/* ---- unfolding and folding ---- */
#define FOLDING(T, dtype)                                                                          \
    void unfold_##T(const Grid *g, const T *image, T *out, int64_t top, int64_t bottom) {          \
        const Window *w = &g->window;                                                              \
        for (int64_t i = 0; i < w->rows; i++)                                                      \
            for (int64_t j = 0; j < w->columns; j++) {                                             \
                int64_t shift = j - w->column_border;                                              \
                Inside a = inside(shift, w->column_step, g->columns, g->across);                   \
                for (int64_t y = top; y < bottom; y++, out += g->across) {                         \
                    int64_t row = y * w->row_step - w->row_border + i;                             \
                    memset(out, 0, (size_t)g->across * sizeof *out);                               \
                    if (row < 0 || row >= g->rows) continue;                                       \
                    const T *from = image + row * g->columns + shift;                              \
                    if (w->column_step == 1 && a.stop > a.first)                                   \
                        memcpy(out + a.first, from + a.first,                                      \
                               (size_t)(a.stop - a.first) * sizeof *out);                          \
                    else                                                                           \
                        for (int64_t x = a.first; x < a.stop; x++)                                 \
                            out[x] = from[x * w->column_step];                                     \
                }                                                                                  \
            }                                                                                      \
    }                                                                                              \
    void fold_##T(const Grid *g, const T *in, T *image, int64_t top, int64_t bottom) {             \
        const Window *w = &g->window;                                                              \
        for (int64_t i = 0; i < w->rows; i++)                                                      \
            for (int64_t j = 0; j < w->columns; j++) {                                             \
                int64_t shift = j - w->column_border;                                              \
                Inside a = inside(shift, w->column_step, g->columns, g->across);                   \
                for (int64_t y = top; y < bottom; y++, in += g->across) {                          \
                    int64_t row = y * w->row_step - w->row_border + i;                             \
                    if (row < 0 || row >= g->rows) continue;                                       \
                    T *to = image + row * g->columns + shift;                                      \
                    if (w->column_step == 1 && a.stop > a.first)                                   \
                        line_kernels->add[dtype](a.stop - a.first, to + a.first, in + a.first);    \
                    else                                                                           \
                        for (int64_t x = a.first; x < a.stop; x++)                                 \
                            to[x * w->column_step] += in[x];                                       \
                }                                                                                  \
            }                                                                                      \
    }
FOLDING(double, F64)
FOLDING(float, F32)

int64_t planes_of(const Array *a) {
    int64_t planes = 1;
    for (int i = 0; i < a->axes - 2; i++) planes *= shape_of(a)[i];
    return planes;
}

Array *with_last(const Array *a, int64_t m, int64_t n, bool zeros) {
    Shape shape = { .axes = a->axes };
    memcpy(shape.dim, shape_of(a), (size_t)a->axes * sizeof *shape.dim);
    shape.dim[a->axes - 2] = m;
    shape.dim[a->axes - 1] = n;
    return (zeros ? array_zeros : array_new)(a->dtype, shape.axes, shape.dim);
}

Array *float_array(Value x) {
    Array *a = array_of(x);
    return array_contiguous(array_cast(a, float_dtype(a->dtype)));
}

/* [.., rows, columns] to [.., window, places]; attr: the window */
Value kernel_unfold(int count, const Value *in, const Attr *attr) {
    (void)count;
    Array *x = float_array(in[0]);
    Grid g = grid_over(window_of(attr + 1), x);
    int64_t window = g.window.rows * g.window.columns, places = g.down * g.across;
    int64_t plane = g.rows * g.columns;
    Array *out = with_last(x, window, places, false);
    for (int64_t k = 0; k < planes_of(x) && out->size; k++, poll()) {
        if (x->dtype == F64)
            unfold_double(&g, f64_of(x) + k * plane, f64_of(out) + k * window * places, 0, g.down);
        else unfold_float(&g, f32_of(x) + k * plane, f32_of(out) + k * window * places, 0, g.down);
    }
    return object(out);
}

/* The adjoint; attr: the window, then the image's rows and columns */
Value kernel_fold(int count, const Value *in, const Attr *attr) {
    (void)count;
    Array *x = float_array(in[0]);
    Grid g = grid_of(window_of(attr + 1), attr[1 + WINDOW_WORDS], attr[2 + WINDOW_WORDS]);
    int64_t block = g.window.rows * g.window.columns * g.down * g.across;
    int64_t plane = g.rows * g.columns;
    Array *out = with_last(x, g.rows, g.columns, true);
    for (int64_t k = 0; k < planes_of(x) && x->size; k++, poll()) {
        if (x->dtype == F64)
            fold_double(&g, f64_of(x) + k * block, f64_of(out) + k * plane, 0, g.down);
        else fold_float(&g, f32_of(x) + k * block, f32_of(out) + k * plane, 0, g.down);
    }
    return object(out);
}

Value op_unfold(Value x, Window w) { return apply(OP_unfold, 1, &x, ATTR(WINDOW(w))); }
Value op_fold(Value x, Window w, int64_t rows, int64_t columns) {
    return apply(OP_fold, 1, &x, ATTR(WINDOW(w), rows, columns));
}

Value op_unfold_rule(Value g, Value x, const Attr *attr) {
    Shape shape = value_shape(x);
    return op_fold(g, window_of(attr + 1), shape.dim[shape.axes - 2], shape.dim[shape.axes - 1]);
}

Value op_fold_rule(Value g, const Attr *attr) { return op_unfold(g, window_of(attr + 1)); }
/* ---- calls ---- */
static const char *axes_text(int64_t rows, int64_t columns, char *buffer, size_t bytes) {
    shape_text(2, (int64_t[]){ rows, columns }, buffer, bytes);
    return buffer;
}

void need_room(Window w, int64_t rows, int64_t columns, const char *name) {
    char window[80], image[80];
    if (rows + 2 * w.row_border >= w.rows && columns + 2 * w.column_border >= w.columns) return;
    fail(E_SHAPE, "%s: a window of %s does not fit into an image of %s", name,
         axes_text(w.rows, w.columns, window, sizeof window),
         axes_text(rows + 2 * w.row_border, columns + 2 * w.column_border, image, sizeof image));
}

void arg_pair(Value v, int64_t other, int64_t least, const char *name, const char *what,
                     int64_t *down, int64_t *across) {
    if (!is_given(v)) return;
    Shape pair = arg_shape(v, what);
    if (pair.axes < 1 || pair.axes > 2)
        fail(E_ARGUMENT, "%s: %s is a number or a list of two, not of %d", name, what, pair.axes);
    *across = pair.dim[pair.axes - 1];
    *down = pair.axes == 2 || is_number(v) ? pair.dim[0] : other;
    if (*down < least || *across < least)
        fail(E_VALUE, "%s: %s must be at least %lld", name, what, (long long)least);
}

Value as_image(Value x) {
    Shape shape = value_shape(object(operand(x, "conv1d")));
    if (shape.axes < 1 || shape.axes >= MAX_AXES)
        fail(E_SHAPE, "conv1d needs an axis to step along, and this is a number");
    int last = shape.axes++;
    shape.dim[last] = shape.dim[last - 1];
    shape.dim[last - 1] = 1;
    return op_reshape(x, shape.axes, shape.dim);
}

Value as_line(Value r) {
    Shape shape = value_shape(r);
    shape.dim[shape.axes - 2] = shape.dim[shape.axes - 1];
    return op_reshape(r, shape.axes - 1, shape.dim);
}
