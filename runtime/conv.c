/* Convolution over the last one or two axes.
 *
 * The one idea: unfolding writes every window of an image as a column (window.h), and then a
 * convolution is a matrix product. Images are [batch, channels, rows, columns], weights [outputs,
 * channels / groups, rows, columns]. */
#include <limits.h>
#include <string.h>
#include "blas.h"
#include "conv_direct.h"
#include "rules.h"
#include "window.h"

/* ---- convolution ----
 * With columns X = unfold(x) and weights W, each cut into groups, the result is W X, and its two
 * derivatives are Xbar = W' G, folded, and Wbar = the sum of G X' over the batch. All three go
 * through one image and group after the other, a band of places at a time, so that the columns stay
 * in the cache. Each is linear in both of its inputs, with the other two as its derivatives. */
typedef struct Convolution {
    Grid grid;
    int64_t batch, channels, outputs, groups, depth;     /* depth: rows of an unfolded group */
    int dtype;
} Convolution;

/* x: the shape of the images, w: that of the weights. */
static Convolution convolution_of(Shape x, Shape w, const Attr *attr) {
    Convolution c = {
        .grid = grid_of(window_of(attr + 1), x.dim[2], x.dim[3]), .batch = x.dim[0],
        .channels = x.dim[1], .outputs = w.dim[0], .groups = attr[1 + WINDOW_WORDS],
        .depth = w.dim[1] * w.dim[2] * w.dim[3],
    };
    if (c.depth > INT_MAX || c.grid.down * c.grid.across > INT_MAX || c.outputs > INT_MAX)
        fail(E_LIMIT, "this convolution is too large");
    return c;
}

static void multiply(int dtype, bool turn_x, bool turn_y, int64_t m, int64_t n, int64_t k,
                     const void *x, int64_t x_row, const void *y, int64_t y_row, double add,
                     void *out, int64_t out_row) {
    int by_x = turn_x ? CblasTrans : CblasNoTrans, by_y = turn_y ? CblasTrans : CblasNoTrans;
    if (dtype == F64)
        cblas_dgemm(CblasRowMajor, by_x, by_y, (int)m, (int)n, (int)k, 1, x, (int)x_row, y,
                    (int)y_row, add, (double *)out, (int)out_row);
    else
        cblas_sgemm(CblasRowMajor, by_x, by_y, (int)m, (int)n, (int)k, 1, x, (int)x_row, y,
                    (int)y_row, (float)add, (float *)out, (int)out_row);
    poll();
}

/* The channels of one group, a band of places: their columns from the image, or back into it. */
static void unfold_group(const Convolution *c, const char *image, char *columns, int64_t top,
                         int64_t bottom) {
    int64_t width = (int64_t)dtype_bytes(c->dtype), places = (bottom - top) * c->grid.across;
    int64_t window = c->grid.window.rows * c->grid.window.columns;
    int64_t plane = c->grid.rows * c->grid.columns;
    for (int64_t k = 0; k < c->channels / c->groups; k++) {
        const char *from = image + k * plane * width;
        char *to = columns + k * window * places * width;
        if (c->dtype == F64)
            unfold_double(&c->grid, (const double *)from, (double *)to, top, bottom);
        else unfold_float(&c->grid, (const float *)from, (float *)to, top, bottom);
    }
}

static void fold_group(const Convolution *c, const char *columns, char *image, int64_t top,
                       int64_t bottom) {
    int64_t width = (int64_t)dtype_bytes(c->dtype), places = (bottom - top) * c->grid.across;
    int64_t window = c->grid.window.rows * c->grid.window.columns;
    int64_t plane = c->grid.rows * c->grid.columns;
    for (int64_t k = 0; k < c->channels / c->groups; k++) {
        const char *from = columns + k * window * places * width;
        char *to = image + k * plane * width;
        if (c->dtype == F64)
            fold_double(&c->grid, (const double *)from, (double *)to, top, bottom);
        else fold_float(&c->grid, (const float *)from, (float *)to, top, bottom);
    }
}

/* What is computed of one group of one image, from its places top to bottom. */
typedef void Band(const Convolution *c, char *image, char *weights, char *result, char *columns,
                  int64_t top, int64_t bottom);

static void band_of_result(const Convolution *c, char *image, char *weights, char *result,
                           char *columns, int64_t top, int64_t bottom) {
    int64_t across = c->grid.across, places = (bottom - top) * across;
    char *here = result + top * across * (int64_t)dtype_bytes(c->dtype);
    unfold_group(c, image, columns, top, bottom);
    multiply(c->dtype, false, false, c->outputs / c->groups, places, c->depth, weights, c->depth,
             columns, places, 0, here, c->grid.down * across);
}

static void band_of_image(const Convolution *c, char *image, char *weights, char *result,
                          char *columns, int64_t top, int64_t bottom) {
    int64_t across = c->grid.across, places = (bottom - top) * across;
    char *here = result + top * across * (int64_t)dtype_bytes(c->dtype);
    multiply(c->dtype, true, false, c->depth, places, c->outputs / c->groups, weights, c->depth,
             here, c->grid.down * across, 0, columns, places);
    fold_group(c, columns, image, top, bottom);
}

static void band_of_weights(const Convolution *c, char *image, char *weights, char *result,
                            char *columns, int64_t top, int64_t bottom) {
    int64_t across = c->grid.across, places = (bottom - top) * across;
    char *here = result + top * across * (int64_t)dtype_bytes(c->dtype);
    unfold_group(c, image, columns, top, bottom);
    multiply(c->dtype, false, true, c->outputs / c->groups, c->depth, places, here,
             c->grid.down * across, columns, places, 1, weights, c->depth);
}

static void convolve(const Convolution *c, Band *each, Array *x, Array *w, Array *r) {
    int64_t across = c->grid.across, rows = (1 << 17) / (c->depth * across + 1) + 1;
    int64_t width = (int64_t)dtype_bytes(c->dtype), group = c->outputs / c->groups;
    int64_t image = c->channels / c->groups * c->grid.rows * c->grid.columns;
    if (!r->size || !c->depth) return;
    if (rows > c->grid.down) rows = c->grid.down;
    size_t pool = pool_mark();
    char *columns = pool_bytes((size_t)(c->depth * rows * across * width));
    for (int64_t k = 0; k < c->batch * c->groups; k++)
        for (int64_t top = 0; top < c->grid.down; top += rows) {
            int64_t bottom = top + rows < c->grid.down ? top + rows : c->grid.down;
            each(c, (char *)x->data + k * image * width,
                 (char *)w->data + k % c->groups * group * c->depth * width,
                 (char *)r->data + k * group * c->grid.down * across * width, columns, top, bottom);
        }
    pool_unwind(pool);
}

/* In steps of one there is a way without columns, if the border is narrower than the window. A
 * window of one element needs no unfolding to be a product, which is faster still. */
static bool slides(const Convolution *c, Sliding *s) {
    const Window *w = &c->grid.window;
    *s = (Sliding){ c->batch, c->groups, c->channels / c->groups, c->outputs / c->groups,
                    c->grid.rows, c->grid.columns, w->rows, w->columns, w->row_border,
                    w->column_border, c->grid.down, c->grid.across, c->dtype };
    return w->row_step == 1 && w->column_step == 1 && w->rows * w->columns > 1 && c->depth &&
           w->row_border < w->rows && w->column_border < w->columns;
}

static Array *plain_array(Value v, int dtype) {
    return array_contiguous(array_cast(array_of(v), dtype));
}

/* in: x, w; attr: the window, groups */
Value kernel_conv2d(int count, const Value *in, const Attr *attr) {
    (void)count;
    Convolution c = convolution_of(value_shape(in[0]), value_shape(in[1]), attr);
    c.dtype = float_dtype(joint_dtype(2, in));
    int64_t shape[4] = { c.batch, c.outputs, c.grid.down, c.grid.across };
    Array *out = (c.depth ? array_new : array_zeros)(c.dtype, 4, shape);
    Array *x = plain_array(in[0], c.dtype), *w = plain_array(in[1], c.dtype);
    Sliding s;
    if (slides(&c, &s)) slide(&s, x->data, w->data, out->data);
    else convolve(&c, band_of_result, x, w, out);
    return object(out);
}

/* in: g, w; attr: the window, groups, the images' rows and columns */
Value kernel_conv2d_image(int count, const Value *in, const Attr *attr) {
    (void)count;
    Shape g = value_shape(in[0]), w = value_shape(in[1]), x = { .axes = 4, .dim = { g.dim[0],
        w.dim[1] * attr[1 + WINDOW_WORDS], attr[2 + WINDOW_WORDS], attr[3 + WINDOW_WORDS] } };
    Convolution c = convolution_of(x, w, attr);
    c.dtype = float_dtype(joint_dtype(2, in));
    Array *out = array_zeros(c.dtype, 4, x.dim);
    Array *r = plain_array(in[0], c.dtype), *weights = plain_array(in[1], c.dtype);
    Sliding s;
    if (slides(&c, &s) && c.outputs) slide_back(&s, r->data, weights->data, out->data);
    else convolve(&c, band_of_image, out, weights, r);
    return object(out);
}

/* in: x, g; attr: the window, groups */
Value kernel_conv2d_weights(int count, const Value *in, const Attr *attr) {
    (void)count;
    Window window = window_of(attr + 1);
    Shape x = value_shape(in[0]), w = { .axes = 4, .dim = { value_shape(in[1]).dim[1],
        x.dim[1] / attr[1 + WINDOW_WORDS], window.rows, window.columns } };
    Convolution c = convolution_of(x, w, attr);
    c.dtype = float_dtype(joint_dtype(2, in));
    Array *out = array_zeros(c.dtype, 4, w.dim);
    Array *images = plain_array(in[0], c.dtype), *r = plain_array(in[1], c.dtype);
    Sliding s;
    if (slides(&c, &s) && slide_weights(&s, images->data, r->data, out->data)) return object(out);
    array_fill(out, 0);
    convolve(&c, band_of_weights, images, out, r);
    return object(out);
}

static Value op_conv2d(Value x, Value w, const Attr *attr) {
    const Window v = window_of(attr + 1);
    return apply(OP_conv2d, 2, (Value[]){ x, w }, ATTR(WINDOW(v), attr[1 + WINDOW_WORDS]));
}
static Value op_conv2d_image(Value g, Value w, Value x, const Attr *attr) {
    const Window v = window_of(attr + 1);
    Shape s = value_shape(x);
    Value image = apply(OP_conv2d_image, 2, (Value[]){ g, w },
                        ATTR(WINDOW(v), attr[1 + WINDOW_WORDS], s.dim[2], s.dim[3]));
    return op_cast_like(image, x);
}
static Value op_conv2d_weights(Value x, Value g, Value w, const Attr *attr) {
    const Window v = window_of(attr + 1);
    Value weights = apply(OP_conv2d_weights, 2, (Value[]){ x, g },
                          ATTR(WINDOW(v), attr[1 + WINDOW_WORDS]));
    return op_cast_like(weights, w);
}

/* in: x, w */
Value op_conv2d_rule(int which, Value g, const Value *in, const Attr *attr) {
    return which == 0 ? op_conv2d_image(g, in[1], in[0], attr)
                      : op_conv2d_weights(in[0], g, in[1], attr);
}

/* in: an adjoint of the result, w; g: of the image */
Value op_conv2d_image_rule(int which, Value g, const Value *in, const Attr *attr) {
    return which == 0 ? op_cast_like(op_conv2d(g, in[1], attr), in[0])
                      : op_conv2d_weights(g, in[0], in[1], attr);
}

/* in: x, an adjoint of the result; g: of the weights */
Value op_conv2d_weights_rule(int which, Value g, const Value *in, const Attr *attr) {
    return which == 0 ? op_conv2d_image(in[1], g, in[0], attr)
                      : op_cast_like(op_conv2d(in[0], g, attr), in[1]);
}

/* ---- calls ---- */
static _Noreturn void unfit_weights(Value x, Value w, int spatial, const char *name) {
    Shape image = value_shape(x), kernel = value_shape(w);
    char a[120], b[120];
    shape_text(image.axes, image.dim, a, sizeof a);
    shape_text(kernel.axes, kernel.dim, b, sizeof b);
    note_operand(0, x);
    note_operand(1, w);
    if (spatial == 1)
        hint("x is [batch, channels, length], the weights [outputs, channels / groups, length]; "
             "or both are vectors");
    else
        hint("x is [batch, channels, rows, columns], the weights [outputs, channels / groups, "
             "rows, columns]; or both are matrices");
    fail(E_SHAPE, "%s: weights of shape %s do not fit x of shape %s", name, b, a);
}

/* x with axes of length 1 in front, up to four. */
static Value with_four_axes(Value x) {
    Shape old = value_shape(x), shape = { .axes = 4, .dim = { 1, 1, 1, 1 } };
    memcpy(shape.dim + 4 - old.axes, old.dim, (size_t)old.axes * sizeof *old.dim);
    return op_reshape(x, 4, shape.dim);
}

static Value with_bias(Value r, Value bias, int64_t outputs, const char *name) {
    if (!is_given(bias)) return r;
    Array *b = operand(bias, name);
    if (b->size != outputs)
        fail(E_SHAPE, "%s: the bias has %lld elements and there are %lld outputs", name,
             (long long)b->size, (long long)outputs);
    return op_add(r, op_reshape(bias, 3, (int64_t[]){ outputs, 1, 1 }));
}

/* x and w with two axes to step over; `spatial` of them are the user's. bound: x, weights, bias,
 * stride, padding, groups */
static Value convolution(Value x, Value w, const Value *bound, int spatial, const char *name) {
    Shape image = value_shape(x), kernel = value_shape(w);
    bool plain = kernel.axes == 2;
    if (!(plain && image.axes == 2) && !(kernel.axes == 4 && (image.axes == 4 || image.axes == 3)))
        unfit_weights(bound[0], bound[1], spatial, name);
    int64_t groups = is_given(bound[5]) ? arg_int(bound[5], "groups") : 1;
    Window window = { kernel.dim[kernel.axes - 2], kernel.dim[kernel.axes - 1], 1, 1, 0, 0 };
    arg_pair(bound[3], 1, 1, name, "stride", &window.row_step, &window.column_step);
    arg_pair(bound[4], 0, 0, name, "padding", &window.row_border, &window.column_border);
    if (spatial == 1) window.row_step = 1, window.row_border = 0;
    x = with_four_axes(x);
    w = with_four_axes(w);
    Shape four = value_shape(x), weights = value_shape(w);
    if (groups < 1 || weights.dim[0] % groups || four.dim[1] != weights.dim[1] * groups) {
        if (groups != 1)
            hint("with %lld groups, each weight sees 1 / %lld of the channels of x, and outputs "
                 "come in as many groups", (long long)groups, (long long)groups);
        unfit_weights(bound[0], bound[1], spatial, name);
    }
    need_room(window, four.dim[2], four.dim[3], name);
    Value r = apply(OP_conv2d, 2, (Value[]){ x, w }, ATTR(WINDOW(window), groups));
    r = with_bias(r, bound[2], weights.dim[0], name);
    Shape result = value_shape(r);
    int left_out = 4 - image.axes;
    return op_reshape(r, image.axes, result.dim + left_out);
}

Value call_conv2d(int count, const Value *bound) {
    (void)count;
    operand(bound[0], "conv2d");
    operand(bound[1], "conv2d");
    return convolution(bound[0], bound[1], bound, 2, "conv2d");
}

Value call_conv1d(int count, const Value *bound) {
    (void)count;
    return as_line(convolution(as_image(bound[0]), as_image(bound[1]), bound, 1, "conv1d"));
}
