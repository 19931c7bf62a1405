/* Pooling over the last one or two axes: the greatest or the mean of each window. */
#include <math.h>
#include <string.h>
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

/* The sweep of max_pool: g goes to the greatest element of each window, evenly to equal ones. A row
 * of windows at a time, element after element of the window, so that the loops go along lines. For
 * that, in steps of n columns the image is dealt out into n images, each of every n-th column. */
typedef struct Line { int64_t row, start, first, stop; } Line;     /* of the dealt image, at 0 */
typedef struct Dealt { Grid grid; int64_t count, wide, part; Line *line; } Dealt;

/* Where the k-th elements of the windows of a row lie; those outside of the image left out. */
static Dealt dealt_of(const Grid *g) {
    const Window *w = &g->window;
    int64_t step = w->column_step, count = w->rows * w->columns;
    Dealt d = { *g, count, step == 1 ? g->columns : g->columns / step + 1, 0, NULL };
    d.part = d.wide * g->rows;
    d.line = pool_bytes((size_t)count * sizeof *d.line);
    for (int64_t k = 0; k < count; k++) {
        int64_t shift = k % w->columns - w->column_border, part = (shift % step + step) % step;
        Inside a = inside(shift, step, g->columns, g->across);
        d.line[k] = (Line){ k / w->columns - w->row_border, part * d.part + (shift - part) / step,
                            a.first, a.stop };
    }
    return d;
}

/* Line by line, what the windows see whose first row is y, and where each starts. */
#define EACH_LINE(d, y)                                                                            \
    for (const Line *a = (d)->line; a < (d)->line + (d)->count; a++)                               \
        if ((y) + a->row >= 0 && (y) + a->row < (d)->grid.rows)
#define START(d, y, a) (((y) + (a)->row) * (d)->wide + (a)->start)

#define CHOSEN(v, best) (((v) == (best)) | (((v) != (v)) & ((best) != (best))))
#define CHOOSING(T)                                                                                \
    static void deal_##T(const Dealt *d, T *image, T *dealt, bool back) {                          \
        int64_t step = d->grid.window.column_step, columns = d->grid.columns, half = columns / 2;  \
        for (int64_t y = 0; y < d->grid.rows; y++, image += columns, dealt += d->wide) {           \
            T *restrict whole = image, *restrict even = dealt, *restrict odd = dealt + d->part;    \
            int64_t done = step == 2 ? 2 * half : 0;                                               \
            for (int64_t x = 0; x < half && step == 2 && !back; x++) {                             \
                even[x] = whole[2 * x];                                                            \
                odd[x] = whole[2 * x + 1];                                                         \
            }                                                                                      \
            for (int64_t x = 0; x < half && step == 2 && back; x++) {                              \
                whole[2 * x] = even[x];                                                            \
                whole[2 * x + 1] = odd[x];                                                         \
            }                                                                                      \
            for (int64_t i = 0; i < step; i++)                                                     \
                for (int64_t x = done + i; x < columns; x += step) {                               \
                    T *other = dealt + i * d->part + x / step;                                     \
                    if (back) image[x] = *other;                                                   \
                    else *other = image[x];                                                        \
                }                                                                                  \
        }                                                                                          \
    }                                                                                              \
    /* part[x] = 1 / the number of elements that are as great as the greatest. */                  \
    static void parts_##T(const Dealt *d, int64_t y, const T *image, const T *best,                \
                          T *restrict part) {                                                      \
        int64_t across = d->grid.across;                                                           \
        memset(part, 0, (size_t)across * sizeof *part);                                            \
        EACH_LINE(d, y) {                                                                          \
            const T *v = image + START(d, y, a);                                                   \
            for (int64_t x = a->first; x < a->stop; x++)                                           \
                part[x] += CHOSEN(v[x], best[x]) ? (T)1 : (T)0;                                    \
        }                                                                                          \
        for (int64_t x = 0; x < across; x++) part[x] = 1 / part[x];                                \
    }                                                                                              \
    static void give_##T(const Dealt *d, const T *image, const T *best, const T *from,             \
                         T *restrict part, T *restrict out) {                                      \
        int64_t across = d->grid.across, step = d->grid.window.row_step;                           \
        for (int64_t y = 0; y < d->grid.down; y++, best += across, from += across) {               \
            parts_##T(d, y * step, image, best, part);                                             \
            for (int64_t x = 0; x < across; x++) part[x] *= from[x];                               \
            EACH_LINE(d, y * step) {                                                               \
                const T *v = image + START(d, y * step, a);                                        \
                T *to = out + START(d, y * step, a);                                               \
                for (int64_t x = a->first; x < a->stop; x++) {                                     \
                    const T own = part[x];                                                         \
                    to[x] += CHOSEN(v[x], best[x]) ? own : 0;                                      \
                }                                                                                  \
            }                                                                                      \
        }                                                                                          \
    }                                                                                              \
    static void take_##T(const Dealt *d, const T *image, const T *best, const T *from,             \
                         T *restrict part, T *restrict out) {                                      \
        int64_t across = d->grid.across, step = d->grid.window.row_step;                           \
        for (int64_t y = 0; y < d->grid.down; y++, best += across, out += across) {                \
            parts_##T(d, y * step, image, best, part);                                             \
            EACH_LINE(d, y * step) {                                                               \
                const T *v = image + START(d, y * step, a), *t = from + START(d, y * step, a);     \
                for (int64_t x = a->first; x < a->stop; x++) {                                     \
                    const T own = part[x] * t[x];                                                  \
                    out[x] += CHOSEN(v[x], best[x]) ? own : 0;                                     \
                }                                                                                  \
            }                                                                                      \
        }                                                                                          \
    }                                                                                              \
    /* along: of the results, or of the image; scratch: a row of results, and two dealt images */  \
    static void choose_##T(const Dealt *d, T *image, const T *best, T *along, T *scratch, T *out,  \
                           bool back) {                                                            \
        int64_t step = d->grid.window.column_step, size = step * d->part;                          \
        T *dealt = scratch + d->grid.across, *other = dealt + size;                                \
        if (step == 1) {                                                                           \
            (back ? give_##T : take_##T)(d, image, best, along, scratch, out);                     \
            return;                                                                                \
        }                                                                                          \
        deal_##T(d, image, dealt, false);                                                          \
        if (back) memset(other, 0, (size_t)size * sizeof *other);                                  \
        else deal_##T(d, along, other, false);                                                     \
        if (back) give_##T(d, dealt, best, along, scratch, other);                                 \
        else take_##T(d, dealt, best, other, scratch, out);                                        \
        if (back) deal_##T(d, out, other, true);                                                   \
    }
CHOOSING(double)
CHOOSING(float)

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

Value op_max_pool_shares(Value x, Value r, const Attr *attr) {
    return shares(x, r, window_of(attr + 1));
}

/* x with the leading axes of `to`, in front of its last two. */
static Array *spread_planes(Array *x, Shape to, int dtype) {
    for (int i = 0; i < 2; i++) to.dim[to.axes - 2 + i] = shape_of(x)[x->axes - 2 + i];
    return array_contiguous(array_broadcast(array_cast(x, dtype), to.axes, to.dim));
}

/* The leading axes of all three broadcast. */
static Shape joint_planes(const Value *in) {
    Shape joint = { .axes = 0 };
    for (int i = 0; i < 3; i++) {
        Shape next = value_shape(in[i]), one = joint;
        next.axes -= 2;
        if (!shapes_join(&one, &next, &joint)) fail(E_SHAPE, "max_pool: shapes do not fit");
    }
    joint.axes += 2;
    return joint;
}

/* in: along, image, greatest; back: along has the shape of the greatest and the result that of the
 * image, or the other way round */
static Value along_chosen(const Value *in, Window w, bool back) {
    int dtype = float_dtype(joint_dtype(3, in));
    Shape planes = joint_planes(in);
    Array *a[3];
    for (int i = 0; i < 3; i++) a[i] = spread_planes(array_of(in[i]), planes, dtype);
    Grid g = grid_over(w, a[1]);
    Array *like = a[back ? 1 : 2], *out = array_zeros(dtype, like->axes, shape_of(like));
    int64_t places = g.down * g.across, plane = g.rows * g.columns;
    size_t pool = pool_mark();
    Dealt d = dealt_of(&g);
    size_t dealt = (size_t)(w.column_step * d.part);
    void *scratch = pool_bytes(((size_t)g.across + 2 * dealt) * dtype_bytes(dtype));
    int64_t from = back ? places : plane, to = back ? plane : places;
    for (int64_t k = 0; k < planes_of(a[1]) && out->size; k++, poll()) {
        if (dtype == F64)
            choose_double(&d, f64_of(a[1]) + k * plane, f64_of(a[2]) + k * places,
                          f64_of(a[0]) + k * from, scratch, f64_of(out) + k * to, back);
        else
            choose_float(&d, f32_of(a[1]) + k * plane, f32_of(a[2]) + k * places,
                         f32_of(a[0]) + k * from, scratch, f32_of(out) + k * to, back);
    }
    pool_unwind(pool);
    return object(out);
}

/* in: an adjoint of the result, x, the result; attr: the window */
Value kernel_max_pool_back(int count, const Value *in, const Attr *attr) {
    (void)count;
    return along_chosen(in, window_of(attr + 1), true);
}

/* in: a tangent of x, x, the result; attr: the window */
Value kernel_max_pool_along(int count, const Value *in, const Attr *attr) {
    (void)count;
    return along_chosen(in, window_of(attr + 1), false);
}

Value op_max_pool_rule(Value g, Value x, Value r, const Attr *attr) {
    const Window w = window_of(attr + 1);
    return op_cast_like(apply(OP_max_pool_back, 3, (Value[]){ g, x, r }, ATTR(WINDOW(w))), x);
}
Value op_max_pool_back_rule(Value t, const Value *in, const Attr *attr) {
    const Window w = window_of(attr + 1);
    return op_cast_like(apply(OP_max_pool_along, 3, (Value[]){ t, in[1], in[2] }, ATTR(WINDOW(w))),
                        in[0]);
}
Value op_max_pool_along_rule(Value g, const Value *in, const Attr *attr) {
    const Window w = window_of(attr + 1);
    return op_cast_like(apply(OP_max_pool_back, 3, (Value[]){ g, in[1], in[2] }, ATTR(WINDOW(w))),
                        in[0]);
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

/* A window as large as the image, as networks end in, is unfolded already. */
static bool covers(const Grid *g) {
    const Window *w = &g->window;
    return w->rows == g->rows && w->columns == g->columns && !w->row_border && !w->column_border;
}

static Value op_avg_pool(Value x, Window w) {
    Shape shape = value_shape(x);
    Grid g = grid_of(w, shape.dim[shape.axes - 2], shape.dim[shape.axes - 1]);
    Value count = number((double)(w.rows * w.columns));
    if (covers(&g)) return op_div(op_sum(x, (uint64_t)3 << (shape.axes - 2), true), count);
    Value total = op_sum(op_unfold(x, w), (uint64_t)1 << (shape.axes - 2), false);
    shape.dim[shape.axes - 2] = g.down;
    shape.dim[shape.axes - 1] = g.across;
    return op_div(op_reshape(total, shape.axes, shape.dim), count);
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
