/* Pooling over the last one or two axes: the greatest or the mean of each window. */
#include <math.h>
#include "rules.h"
#include "window.h"

#define POOLING(T)                                                                                 \
    /* The greatest of each window; NaN wins. */                                                   \
    static void pool_##T(const Grid *g, const T *image, T *out) {                                  \
        const Window *w = &g->window;                                                              \
        for (int64_t p = 0; p < g->down * g->across; p++) {                                        \
            int64_t top = p / g->across * w->row_step - w->row_border;                             \
            int64_t left = p % g->across * w->column_step - w->column_border;                      \
            int64_t right = left + w->columns;                                                     \
            T best = (T)-HUGE_VAL;                                                                 \
            for (int64_t y = top < 0 ? 0 : top; y < top + w->rows && y < g->rows; y++)             \
                for (int64_t x = left < 0 ? 0 : left; x < right && x < g->columns; x++) {          \
                    T v = image[y * g->columns + x];                                               \
                    if (!(v <= best) && best == best) best = v;                                    \
                }                                                                                  \
            out[p] = best;                                                                         \
        }                                                                                          \
    }                                                                                              \
    /* Unfolded windows become weights: each greatest element's part of the gradient. */           \
    static void share_##T(const Grid *g, const T *image, const T *best, T *out) {                  \
        const Window *w = &g->window;                                                              \
        int64_t places = g->down * g->across;                                                      \
        for (int64_t p = 0; p < places; p++) {                                                     \
            int64_t top = p / g->across * w->row_step - w->row_border, ties = 0;                   \
            int64_t left = p % g->across * w->column_step - w->column_border;                      \
            for (int64_t k = 0; k < w->rows * w->columns; k++) {                                   \
                int64_t y = top + k / w->columns, x = left + k % w->columns;                       \
                bool in = y >= 0 && y < g->rows && x >= 0 && x < g->columns;                       \
                T v = in ? image[y * g->columns + x] : 0;                                          \
                bool chosen = in && (v == best[p] || (v != v && best[p] != best[p]));              \
                out[k * places + p] = chosen;                                                      \
                ties += chosen;                                                                    \
            }                                                                                      \
            for (int64_t k = 0; ties > 1 && k < w->rows * w->columns; k++)                         \
                out[k * places + p] /= (T)ties;                                                    \
        }                                                                                          \
    }
POOLING(double)
POOLING(float)

/* attr: the window */
Value kernel_max_pool(int count, const Value *in, const Attr *attr) {
    (void)count;
    Array *x = float_array(in[0]);
    Grid g = grid_over(window_of(attr + 1), x);
    Array *out = with_last(x, g.down, g.across, false);
    int64_t places = g.down * g.across, plane = g.rows * g.columns;
    for (int64_t k = 0; k < planes_of(x) && out->size; k++, poll()) {
        if (x->dtype == F64) pool_double(&g, f64_of(x) + k * plane, f64_of(out) + k * places);
        else pool_float(&g, f32_of(x) + k * plane, f32_of(out) + k * places);
    }
    return object(out);
}

static Value shares(Value image, Value best, Window w) {
    Array *x = float_array(image), *r = float_array(best);
    Grid g = grid_over(w, x);
    int64_t window = w.rows * w.columns, places = g.down * g.across, plane = g.rows * g.columns;
    Array *out = with_last(x, window, places, false);
    for (int64_t k = 0; k < planes_of(x) && out->size; k++, poll()) {
        if (x->dtype == F64)
            share_double(&g, f64_of(x) + k * plane, f64_of(r) + k * places,
                         f64_of(out) + k * window * places);
        else
            share_float(&g, f32_of(x) + k * plane, f32_of(r) + k * places,
                        f32_of(out) + k * window * places);
    }
    return object(out);
}

/* [.., down, across] to [.., 1, places] */
static Value one_line(Value g) {
    Shape shape = value_shape(g);
    shape.dim[shape.axes - 1] *= shape.dim[shape.axes - 2];
    shape.dim[shape.axes - 2] = 1;
    return op_reshape(g, shape.axes, shape.dim);
}

Value op_max_pool_shares(Value x, Value r, const Attr *attr) {
    return shares(x, r, window_of(attr + 1));
}

/* g goes to the greatest element of each window, evenly to equal ones. */
Value op_max_pool_rule(Value g, Value x, Value r, const Attr *attr) {
    Window w = window_of(attr + 1);
    Shape shape = value_shape(x);
    Value weights = shares(x, r, w);
    Value chosen = op_where(op_ne(weights, number(0)), op_mul(weights, one_line(g)), number(0));
    return op_cast_like(op_fold(chosen, w, shape.dim[shape.axes - 2], shape.dim[shape.axes - 1]),
                        x);
}

/* ---- calls ---- */
/* A window over one axis is given as a list of one number. */
static bool is_single(Value size) {
    return is_given(size) && !is_number(size) && arg_shape(size, "size").axes == 1;
}

static Window pooling_window(const Value *bound, bool line, const char *name) {
    Window w = { .rows = 2, .columns = 2 };
    arg_pair(bound[1], 1, 1, name, "size", &w.rows, &w.columns);
    w.row_step = w.rows;
    w.column_step = w.columns;
    arg_pair(bound[2], 1, 1, name, "stride", &w.row_step, &w.column_step);
    arg_pair(bound[3], 0, 0, name, "padding", &w.row_border, &w.column_border);
    if (line) w = (Window){ 1, w.columns, 1, w.column_step, 0, w.column_border };
    if (w.row_border >= w.rows || w.column_border >= w.columns)
        fail(E_VALUE, "%s: the padding must be less than the size of the window", name);
    return w;
}

static Value op_max_pool(Value x, Window w) { return apply(OP_max_pool, 1, &x, ATTR(WINDOW(w))); }

static Value op_avg_pool(Value x, Window w) {
    Shape shape = value_shape(x);
    Grid g = grid_of(w, shape.dim[shape.axes - 2], shape.dim[shape.axes - 1]);
    Value total = op_sum(op_unfold(x, w), (uint64_t)1 << (shape.axes - 2), false);
    shape.dim[shape.axes - 2] = g.down;
    shape.dim[shape.axes - 1] = g.across;
    return op_div(op_reshape(total, shape.axes, shape.dim), number((double)(w.rows * w.columns)));
}

/* bound: x, size, stride, padding */
static Value pool_with(Value (*pool)(Value x, Window w), const Value *bound, const char *name) {
    Value x = bound[0];
    int axes = operand(x, name)->axes;
    if (!axes) fail(E_SHAPE, "%s needs an axis to step along, and this is a number", name);
    bool line = axes == 1 || is_single(bound[1]);
    if (line) x = as_image(x);
    Window w = pooling_window(bound, line, name);
    Shape shape = value_shape(x);
    need_room(w, shape.dim[shape.axes - 2], shape.dim[shape.axes - 1], name);
    Value r = pool(x, w);
    return line ? as_line(r) : r;
}

Value call_max_pool(int count, const Value *bound) {
    (void)count;
    return pool_with(op_max_pool, bound, "max_pool");
}
Value call_avg_pool(int count, const Value *bound) {
    (void)count;
    return pool_with(op_avg_pool, bound, "avg_pool");
}
