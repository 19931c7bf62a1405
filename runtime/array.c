/* Arrays: making them, their layouts, walking them, and reading arguments.
 *
 * The one idea: every layout is a pointer, a shape and strides, and array_walk() turns any number
 * of them into runs along one axis, so that a kernel is one loop. It must not know any operation.
 */
#include "array.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ALIGNED = 64 };
#define MOST_BYTES (INT64_C(1) << 47)             /* what an address space holds */
static const uint8_t dtype_shift[] = { [F64] = 3, [F32] = 2, [BOOL] = 0 };   /* log2 of its bytes */

const char *dtype_name(int dtype) {
    static const char *const names[] = { [F64] = "f64", [F32] = "f32", [BOOL] = "bool" };
    return names[dtype];
}

/* ---- shapes ---- */
/* Ends in ", ...]" if there is no room. */
void shape_text(int axes, const int64_t *shape, char *buffer, size_t bytes) {
    static const char cut[] = "...]";
    char one[24];
    size_t used = 1;
    if (bytes < sizeof cut + 2) {
        if (bytes) buffer[0] = 0;
        return;
    }
    buffer[0] = '[';
    for (int i = 0; i < axes; i++) {
        int length = snprintf(one, sizeof one, "%s%lld", i ? ", " : "", (long long)shape[i]);
        if (used + (size_t)length + sizeof cut + 2 > bytes) {
            snprintf(buffer + used, bytes - used, "%s%s", i ? ", " : "", cut);
            return;
        }
        memcpy(buffer + used, one, (size_t)length);
        used += (size_t)length;
    }
    buffer[used] = ']';
    buffer[used + 1] = 0;
}

bool shapes_join(const Shape *a, const Shape *b, Shape *out) {
    out->axes = a->axes > b->axes ? a->axes : b->axes;
    for (int i = 1; i <= out->axes; i++) {
        int64_t x = i <= a->axes ? a->dim[a->axes - i] : 1;
        int64_t y = i <= b->axes ? b->dim[b->axes - i] : 1;
        if (x != y && x != 1 && y != 1) return false;
        out->dim[out->axes - i] = x == 1 ? y : x;
    }
    return true;
}

void must_expand(const Shape *from, const Shape *to, const char *format) {
    Shape joined;
    if (shapes_join(from, to, &joined) &&
        same_shape(joined.axes, joined.dim, to->axes, to->dim))
        return;
    char left[128], right[128];
    shape_text(from->axes, from->dim, left, sizeof left);
    shape_text(to->axes, to->dim, right, sizeof right);
    fail(E_SHAPE, format, left, right);
}

static _Noreturn void absurd(int dtype, int axes, const int64_t *shape) {
    char text[128];
    shape_text(axes, shape, text, sizeof text);
    for (int i = 0; i < axes; i++)
        if (shape[i] < 0) fail(E_SHAPE, "a shape has no negative axes, but this one is %s", text);
    if (axes > MAX_AXES)
        fail(E_LIMIT, "shape %s has %d axes, but at most %d fit", text, axes, MAX_AXES);
    fail(E_LIMIT, "shape %s is too large: more %s elements than any memory can hold", text,
         dtype_name(dtype));
}

/* Strides are products of the other axes, so an axis of length 0 makes nothing small. */
static inline int64_t count_elements(int dtype, int axes, const int64_t *shape) {
    int64_t size = 1;
    bool wrong = axes > MAX_AXES, empty = false;
    for (int i = 0; i < axes; i++) {
        empty |= shape[i] == 0;
        wrong |= shape[i] < 0 || __builtin_mul_overflow(size, shape[i] + (shape[i] == 0), &size);
    }
    wrong |= size > MOST_BYTES >> dtype_shift[dtype];
    if (__builtin_expect(wrong, 0)) absurd(dtype, axes, shape);
    return empty ? 0 : size;
}

int64_t shape_size(int dtype, int axes, const int64_t *shape) {
    return count_elements(dtype, axes, shape);
}

/* ---- making ---- */
static inline Array *header_new(size_t bytes, int dtype, int axes, int64_t size) {
    Array *a = mem_alloc(bytes);
    a->head = (Obj){ .refs = 1, .tag = V_ARRAY };
    a->dtype = (uint8_t)dtype;
    a->axes = (uint8_t)axes;
    a->inlined = a->contiguous = true;
    a->span = rt.here;
    a->size = size;
    a->data = NULL;
    a->owner = NULL;
    a->bytes = bytes;
    return a;
}

static size_t header_bytes(int axes) { return sizeof(Array) + (size_t)axes * 2 * sizeof(int64_t); }

static inline void set_row_major(Array *a, const int64_t *shape) {
    int64_t stride = 1, *dims = shape_of(a), *strides = strides_of(a);
    for (int i = a->axes - 1; i >= 0; i--) {
        dims[i] = shape[i];
        strides[i] = stride;
        stride *= shape[i];
    }
}

/* Data of its own. It may fail, so the header is in the pool before. */
static Array *array_new_large(int dtype, int axes, const int64_t *shape, bool cleared) {
    Array *a = header_new(header_bytes(axes), dtype, axes, count_elements(dtype, axes, shape));
    a->inlined = false;
    a->contiguous = true;
    set_row_major(a, shape);
    pool_own(a);
    a->data = cleared ? mem_alloc_zeroed(array_bytes(a)) : mem_alloc(array_bytes(a));
    return a;
}

static inline Array *array_make(int dtype, int axes, const int64_t *shape, bool cleared) {
    int64_t size = count_elements(dtype, axes, shape);
    size_t payload = (size_t)size << dtype_shift[dtype], before = header_bytes(axes);
    if (payload >= ALIGNED) before = (before + ALIGNED - 1) & ~(size_t)(ALIGNED - 1);
    if (before + payload > MEM_SMALL) return array_new_large(dtype, axes, shape, cleared);
    Array *a = header_new(before + payload, dtype, axes, size);
    a->data = (char *)a + before;
    set_row_major(a, shape);
    if (cleared) memset(a->data, 0, payload);
    return pool_own(a);
}

/* A small vector without the general path's loops and checks: 9.6 ns with its end instead of 13. */
static inline Array *vector_make(int dtype, int64_t length) {
    size_t payload = (size_t)length << dtype_shift[dtype];
    size_t before = sizeof(Array) + 2 * sizeof(int64_t);
    Array *a = header_new(before + payload, dtype, 1, length);
    a->data = (char *)a + before;
    a->dims[0] = length;
    a->dims[1] = 1;
    return pool_own(a);
}

Array *array_new(int dtype, int axes, const int64_t *shape) {
    if (axes == 1 && (uint64_t)shape[0] <= 64) return vector_make(dtype, shape[0]);
    return array_make(dtype, axes, shape, false);
}

Array *array_zeros(int dtype, int axes, const int64_t *shape) {
    return array_make(dtype, axes, shape, true);
}

Array *array_like(const Array *a, int dtype) { return array_new(dtype, a->axes, shape_of(a)); }

static bool is_row_major(const Array *a) {
    if (a->size == 0) return true;
    int64_t expected = 1;
    for (int i = a->axes - 1; i >= 0; i--) {
        int64_t length = shape_of(a)[i];
        if (length != 1 && strides_of(a)[i] != expected) return false;
        expected *= length;
    }
    return true;
}

Array *array_view(Array *a, int axes, const int64_t *shape, const int64_t *strides,
                  int64_t offset) {
    int64_t size = count_elements(a->dtype, axes, shape);
    Array *view = header_new(header_bytes(axes), a->dtype, axes, size);
    size_t row = (size_t)axes * sizeof *shape;
    if (axes) {
        memcpy(shape_of(view), shape, row);
        memcpy(strides_of(view), strides, row);
    }
    view->inlined = false;
    view->contiguous = is_row_major(view);
    view->data = (char *)a->data + offset * (int64_t)dtype_bytes(a->dtype);
    view->owner = a->owner ? a->owner : &a->head;
    obj_keep(view->owner);
    return pool_own(view);
}

/* The block that a's elements begin, if it is longer along the first axis and only a has it. */
static Array *room_behind(const Array *a) {
    if (!a->owner || a->owner->tag != V_ARRAY || a->owner->refs != 1) return NULL;
    Array *block = (Array *)a->owner;
    bool fits = !block->owner && block->data == a->data && block->dtype == a->dtype &&
                block->axes == a->axes && block->contiguous && shape_of(block)[0] > shape_of(a)[0];
    size_t rest = (size_t)(a->axes - 1) * sizeof(int64_t);
    return fits && memcmp(shape_of(block) + 1, shape_of(a) + 1, rest) == 0 ? block : NULL;
}

/* A view of a's elements at the beginning of a block of twice its rows. */
static Array *with_room(Array *a) {
    Shape shape = { a->axes, { 0 } };
    memcpy(shape.dim, shape_of(a), a->axes * sizeof *shape.dim);
    shape.dim[0] *= 2;
    size_t mark = pool_mark();
    Array *block = array_new(a->dtype, shape.axes, shape.dim);
    memcpy(block->data, a->data, array_bytes(a));
    Array *view = array_view(block, a->axes, shape_of(a), strides_of(block), 0);
    return pool_pass(mark, object(view)).as.array;
}

Array *array_with_row(Array *a, Array *row, uint32_t holders) {
    enum { SHORT = 64 };
    if (a->axes == 0 || shape_of(a)[0] < SHORT || !a->contiguous || a->dtype != row->dtype ||
        !same_shape(a->axes - 1, shape_of(a) + 1, row->axes, shape_of(row)))
        return NULL;
    row = array_contiguous(row);
    if (a->head.refs != holders || !room_behind(a)) a = with_room(a);
    memcpy((char *)a->data + array_bytes(a), row->data, array_bytes(row));
    shape_of(a)[0]++;
    a->size += row->size;
    a->span = rt.here;
    return a;
}

Array *array_on(void *bytes, int dtype, int axes, const int64_t *shape, Obj *keeper) {
    int64_t size = count_elements(dtype, axes, shape);
    Array *a = header_new(header_bytes(axes), dtype, axes, size);
    a->inlined = false;
    set_row_major(a, shape);
    a->data = bytes;
    a->owner = keeper;
    obj_keep(keeper);
    return pool_own(a);
}

Array *array_of(Value v) {
    if (v.tag == V_ARRAY) return v.as.array;
    if (!is_number(v)) {
        char text[80];
        fail(E_TYPE, "a number or an array is needed here, not %s", describe(v, text, sizeof text));
    }
    Array *a = array_new(dtype_of(v), 0, NULL);
    if (v.tag == V_NUM) *f64_of(a) = v.as.num;
    else *bool_of(a) = v.as.truth;
    return a;
}

Value array_value(Array *a) {
    if (a->axes || a->dtype == F32) return object(a);
    return a->dtype == F64 ? number(*f64_of(a)) : boolean(*bool_of(a));
}

Array *array_copy(const Array *a) {
    Array *copy = array_like(a, a->dtype);
    array_assign(copy, (Array *)a);
    return copy;
}

Array *array_contiguous(Array *a) { return array_is_contiguous(a) ? a : array_copy(a); }

Array *array_cast(Array *a, int dtype) {
    if (a->dtype == dtype) return a;
    Array *cast = array_like(a, dtype);
    array_assign(cast, a);
    return cast;
}

static _Noreturn void no_broadcast(const Array *a, int axes, const int64_t *shape) {
    char from[96], to[96];
    shape_text(a->axes, shape_of(a), from, sizeof from);
    shape_text(axes, shape, to, sizeof to);
    hint("axes are compared from the last one: each must be equal to the other's, or 1");
    fail(E_SHAPE, "shape %s does not broadcast to shape %s", from, to);
}

Array *array_broadcast(Array *a, int axes, const int64_t *shape) {
    if (same_shape(a->axes, shape_of(a), axes, shape)) return a;
    int64_t strides[MAX_AXES];
    int added = axes - a->axes;
    if (added < 0) no_broadcast(a, axes, shape);
    if (axes > MAX_AXES) absurd(a->dtype, axes, shape);
    for (int i = 0; i < axes; i++) {
        int64_t length = i < added ? 1 : shape_of(a)[i - added];
        if (length != shape[i] && length != 1) no_broadcast(a, axes, shape);
        strides[i] = length == 1 ? 0 : strides_of(a)[i - added];
    }
    return array_view(a, axes, shape, strides, 0);
}

bool array_is_sole(const Array *a, uint32_t holders) {
    return !a->owner && a->head.refs == holders;
}

double array_get(const Array *a, int64_t flat) {
    int64_t at = 0;
    if (array_is_contiguous(a)) {
        at = flat;
    } else {
        for (int i = a->axes - 1; i >= 0; i--) {
            at += flat % shape_of(a)[i] * strides_of(a)[i];
            flat /= shape_of(a)[i];
        }
    }
    if (a->dtype == F64) return f64_of(a)[at];
    return a->dtype == F32 ? (double)f32_of(a)[at] : bool_of(a)[at];
}

/* ---- arguments ---- */
static _Noreturn void wrong_argument(Value v, const char *what, const char *needed) {
    char text[80];
    fail(E_TYPE, "%s must be %s, not %s", what, needed, describe(v, text, sizeof text));
}

/* The only element; fails if there is not exactly one. */
static double only_element(Value v, const char *what, const char *needed) {
    if (v.node) rt.off_tape++;
    if (is_number(v)) return num_of(v);
    if (v.tag != V_ARRAY || v.as.array->size != 1) wrong_argument(v, what, needed);
    return array_get(v.as.array, 0);
}

double arg_number(Value v, const char *what) { return only_element(v, what, "a number"); }

static int64_t to_int(double x, const char *what) {
    if (fabs(x) <= 0x1p53 && x == floor(x)) return (int64_t)x;
    fail(E_VALUE, "%s must be a whole number, not %g", what, x);
}

int64_t arg_int(Value v, const char *what) {
    return to_int(only_element(v, what, "a whole number"), what);
}

bool arg_bool(Value v, const char *what) {
    double x = only_element(v, what, "true or false");
    if (isnan(x)) fail(E_VALUE, "%s must be true or false, not nan", what);
    return x != 0;
}

Array *arg_array(Value v, const char *what) {
    if (!is_numeric(v)) wrong_argument(v, what, "a number or an array");
    if (v.node) rt.off_tape++;
    return array_of(v);
}

int arg_axis(Value v, int axes, const char *what) {
    int64_t axis = arg_int(v, what);
    if (axis >= -axes && axis < axes) return (int)(axis < 0 ? axis + axes : axis);
    if (axes == 0) fail(E_INDEX, "%s is %lld, but a number has no axes", what, (long long)axis);
    if (axes == 1)
        fail(E_INDEX, "%s is %lld, but there is 1 axis, number 0", what, (long long)axis);
    fail(E_INDEX, "%s is %lld, but there are %d axes: 0 to %d, or -1 to -%d from the end", what,
         (long long)axis, axes, axes - 1, axes);
}

static void shape_add(Shape *shape, int64_t length, const char *what) {
    if (shape->axes == MAX_AXES) fail(E_LIMIT, "%s has more than %d axes", what, MAX_AXES);
    shape->dim[shape->axes++] = length;
}

Shape arg_shape(Value v, const char *of) {
    char what[80];
    snprintf(what, sizeof what, "%s: a length", of);
    static const char needed[] = "lengths, as 3, [2, 3] or (2, 3)";
    Shape shape = { .axes = 0 };
    while (v.tag == V_LIST && v.as.list->count == 1) v = v.as.list->item[0];
    if (v.tag == V_LIST) {
        const List *list = v.as.list;
        for (size_t i = 0; i < list->count; i++)
            shape_add(&shape, arg_int(list->item[i], what), what);
    } else if (v.tag == V_ARRAY && v.as.array->axes == 1) {
        const Array *a = v.as.array;
        if (v.node) rt.off_tape++;
        for (int64_t i = 0; i < a->size; i++)
            shape_add(&shape, to_int(array_get(a, i), what), what);
    } else {
        shape_add(&shape, to_int(only_element(v, of, needed), what), what);
    }
    return shape;
}

/* ---- walking ---- */
enum { SHORT_ROW = 16, STRETCH = 256 };
typedef struct Walk {
    int count, axes;
    char *at[WALK_ARRAYS];
    size_t element[WALK_ARRAYS];
    int64_t length[MAX_AXES];                    /* outermost first, none of them 1 */
    int64_t stride[MAX_AXES][WALK_ARRAYS];
} Walk;

/* Does the last axis of the walk, outside an axis of `length` with these strides, continue it? */
static bool continues(const Walk *w, int64_t length, const int64_t *stride) {
    const int64_t *outer = w->stride[w->axes - 1];
    for (int k = 0; k < w->count; k++)
        if (outer[k] != stride[k] * length) return false;
    return true;
}

static void walk_open(Walk *w, int count, Array *const *arrays) {
    w->count = count;
    w->axes = 0;
    for (int k = 0; k < count; k++) {
        w->at[k] = arrays[k]->data;
        w->element[k] = dtype_bytes(arrays[k]->dtype);
    }
    for (int i = 0; i < arrays[0]->axes; i++) {
        int64_t length = shape_of(arrays[0])[i], stride[WALK_ARRAYS];
        if (length == 1) continue;
        for (int k = 0; k < count; k++) stride[k] = strides_of(arrays[k])[i];
        if (w->axes && continues(w, length, stride)) w->length[w->axes - 1] *= length;
        else w->length[w->axes++] = length;
        memcpy(w->stride[w->axes - 1], stride, (size_t)count * sizeof *stride);
    }
    if (w->axes) return;
    w->axes = 1;                                 /* one element: a run of 1 */
    w->length[0] = 1;
    for (int k = 0; k < count; k++) w->stride[0][k] = 1;
}

static void advance(Walk *w, int axis, int64_t steps) {
    for (int k = 0; k < w->count; k++)
        w->at[k] += w->stride[axis][k] * steps * (int64_t)w->element[k];
}

/* The innermost axis, in pieces. */
static void walk_row(Walk *w, Run *body, void *env) {
    int last = w->axes - 1;
    int64_t length = w->length[last];
    char *at[WALK_ARRAYS];
    for (int64_t done = 0; done < length; done += RUN) {
        int64_t n = length - done < RUN ? length - done : RUN;
        memcpy(at, w->at, (size_t)w->count * sizeof *at);
        body(n, at, w->stride[last], env);
        if (n < length) {
            poll();
            advance(w, last, n);
        }
    }
    if (length > RUN) advance(w, last, -length);
}

/* The two innermost axes where rows are so short that a call for each would cost more than its
 * work: the axis outside them becomes the runs, a stretch at a time, so that what one run has
 * brought into the cache is there for the next. */
static void walk_short_rows(Walk *w, Run *body, void *env) {
    int last = w->axes - 1, outer = last - 1;
    char *at[WALK_ARRAYS];
    for (int64_t done = 0; done < w->length[outer]; done += STRETCH) {
        int64_t left = w->length[outer] - done, n = left < STRETCH ? left : STRETCH;
        for (int64_t j = 0; j < w->length[last]; j++) {
            for (int k = 0; k < w->count; k++) {
                int64_t element = done * w->stride[outer][k] + j * w->stride[last][k];
                at[k] = w->at[k] + element * (int64_t)w->element[k];
            }
            body(n, at, w->stride[outer], env);
        }
        poll_at(done);
    }
}

static bool has_short_rows(const Walk *w) {
    return w->axes > 1 && w->length[w->axes - 1] < SHORT_ROW &&
           w->length[w->axes - 2] > w->length[w->axes - 1];
}

/* inner: how many axes one call of `part` takes care of */
static void walk_outside(Walk *w, int inner, void (*part)(Walk *, Run *, void *), Run *body,
                         void *env) {
    int64_t turn[MAX_AXES] = { 0 }, since_poll = 0, elements = 1;
    for (int i = w->axes - inner; i < w->axes; i++) elements *= w->length[i];
    for (;;) {
        part(w, body, env);
        if ((since_poll += elements) >= RUN) {
            poll();
            since_poll = 0;
        }
        int axis = w->axes - 1 - inner;          /* count up as an odometer does */
        while (axis >= 0 && ++turn[axis] == w->length[axis]) {
            advance(w, axis, 1 - w->length[axis]);
            turn[axis--] = 0;
        }
        if (axis < 0) return;
        advance(w, axis, 1);
    }
}

static bool walk_begins(Walk *w, int count, Array *const *arrays) {
    if (count < 1 || count > WALK_ARRAYS) fail(E_INTERNAL, "array_walk() got %d arrays", count);
    if (arrays[0]->size == 0) return false;
    walk_open(w, count, arrays);
    return true;
}

void array_walk(int count, Array *const *arrays, Run *body, void *env) {
    Walk w;
    if (walk_begins(&w, count, arrays)) walk_outside(&w, 1, walk_row, body, env);
}

void array_walk_freely(int count, Array *const *arrays, Run *body, void *env) {
    Walk w;
    if (!walk_begins(&w, count, arrays)) return;
    if (has_short_rows(&w)) walk_outside(&w, 2, walk_short_rows, body, env);
    else walk_outside(&w, 1, walk_row, body, env);
}

/* ---- copying ---- */
#define COPY_RUN(name, to, from, convert)                                                         \
    static void name(int64_t n, char **at, const int64_t *strides, void *env) {                   \
        (void)env;                                                                                \
        to *target = (to *)at[0];                                                                 \
        const from *source = (const from *)at[1];                                                 \
        int64_t by = strides[0], with = strides[1];                                               \
        if (by == 1 && with == 1)                                                                 \
            for (int64_t i = 0; i < n; i++) target[i] = (to)(convert(source[i]));                 \
        else                                                                                      \
            for (int64_t i = 0; i < n; i++) target[i * by] = (to)(convert(source[i * with]));     \
    }
#define AS_IS(x) (x)
#define TRUTH(x) ((x) != 0)
COPY_RUN(f64_from_f32, double, float, AS_IS)
COPY_RUN(f64_from_bool, double, uint8_t, AS_IS)
COPY_RUN(f32_from_f64, float, double, AS_IS)
COPY_RUN(f32_from_bool, float, uint8_t, AS_IS)
COPY_RUN(bool_from_f64, uint8_t, double, TRUTH)
COPY_RUN(bool_from_f32, uint8_t, float, TRUTH)

#define SAME_RUN(name, type)                                                                      \
    static void name(int64_t n, char **at, const int64_t *strides, void *env) {                   \
        (void)env;                                                                                \
        type *target = (type *)at[0];                                                             \
        const type *source = (const type *)at[1];                                                 \
        int64_t by = strides[0], with = strides[1];                                               \
        type first = *source;                                                                     \
        if (by == 1 && with == 1) memmove(target, source, (size_t)n * sizeof *target);            \
        else if (by == 1 && with == 0) for (int64_t i = 0; i < n; i++) target[i] = first;         \
        else for (int64_t i = 0; i < n; i++) target[i * by] = source[i * with];                   \
    }
SAME_RUN(f64_from_f64, double)
SAME_RUN(f32_from_f32, float)
SAME_RUN(bool_from_bool, uint8_t)

static Run *const copy_runs[3][3] = {
    [F64] = { f64_from_f64, f64_from_f32, f64_from_bool },
    [F32] = { f32_from_f64, f32_from_f32, f32_from_bool },
    [BOOL] = { bool_from_f64, bool_from_f32, bool_from_bool },
};

/* Where rows of dst are columns of src: squares, so that each line of src that is brought into the
 * cache is used up before it leaves. env is unused, as is the body. */
enum { SQUARE = 16 };
#define TURN(name, type)                                                                          \
    static void name(Walk *w, Run *body, void *env) {                                             \
        int last = w->axes - 1;                                                                   \
        int64_t rows = w->length[last - 1], columns = w->length[last];                            \
        int64_t pitch = w->stride[last - 1][0], step = w->stride[last][1];                        \
        (void)body, (void)env;                                                                    \
        for (int64_t i = 0; i < rows; i += SQUARE)                                                \
            for (int64_t j = 0; j < columns; j += SQUARE) {                                       \
                type *to = (type *)w->at[0] + i * pitch + j;                                      \
                const type *from = (const type *)w->at[1] + j * step + i;                         \
                int64_t m = rows - i < SQUARE ? rows - i : SQUARE;                                \
                int64_t n = columns - j < SQUARE ? columns - j : SQUARE;                          \
                for (int64_t k = 0; k < m; k++)                                                   \
                    for (int64_t l = 0; l < n; l++) to[k * pitch + l] = from[l * step + k];       \
                poll_at(j);                                                                       \
            }                                                                                     \
    }
TURN(turn_f64, double)
TURN(turn_f32, float)

/* Brings the axis along which src is contiguous next to the one along which dst is. */
static bool turns(Walk *w) {
    int last = w->axes - 1;
    if (last < 1 || w->stride[last][0] != 1 || w->stride[last][1] == 1) return false;
    for (int axis = last - 1; axis >= 0; axis--) {
        if (w->stride[axis][1] != 1) continue;
        int64_t stride[WALK_ARRAYS], length = w->length[axis];
        memcpy(stride, w->stride[axis], sizeof stride);
        memcpy(w->stride[axis], w->stride[last - 1], sizeof stride);
        memcpy(w->stride[last - 1], stride, sizeof stride);
        w->length[axis] = w->length[last - 1];
        w->length[last - 1] = length;
        return length >= SQUARE && w->length[last] >= SQUARE;
    }
    return false;
}

static bool assign_turned(Array *dst, Array *src) {
    Walk w;
    if (dst->dtype != src->dtype || dst->dtype == BOOL) return false;
    if (!walk_begins(&w, 2, (Array *[]){ dst, src }) || !turns(&w)) return false;
    walk_outside(&w, 2, dst->dtype == F64 ? turn_f64 : turn_f32, NULL, NULL);
    return true;
}

void array_assign(Array *dst, Array *src) {
    if (assign_turned(dst, src)) return;
    array_walk_freely(2, (Array *[]){ dst, src }, copy_runs[dst->dtype][src->dtype], NULL);
}

#define FILL_RUN(name, type, convert)                                                             \
    static void name(int64_t n, char **at, const int64_t *strides, void *env) {                   \
        type value = (type)(convert(*(double *)env)), *target = (type *)at[0];                    \
        for (int64_t i = 0; i < n; i++) target[i * strides[0]] = value;                           \
    }
FILL_RUN(fill_f64, double, AS_IS)
FILL_RUN(fill_f32, float, AS_IS)
FILL_RUN(fill_bool, uint8_t, TRUTH)

void array_fill(Array *dst, double value) {
    static Run *const fills[] = { [F64] = fill_f64, [F32] = fill_f32, [BOOL] = fill_bool };
    array_walk_freely(1, &dst, fills[dst->dtype], &value);
}
