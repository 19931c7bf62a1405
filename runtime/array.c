/* Arrays: making them, their layouts, and reading arguments.
 *
 * The one idea: every layout is a pointer, a shape and strides, so that a view is a header of its
 * own on the owner's data. It must not know any operation. */
#include "array.h"
#include "format.h"
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
        if (shape[i] < 0) fail(E_SHAPE, "a shape has no negative lengths, but this one is %s", text);
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
    if (isfinite(x) && x == floor(x))
        fail(E_VALUE, "%s must be a whole number up to 2^53, not %g", what, x);
    char text[NUMBER_TEXT];
    format_number(text, x);
    fail(E_VALUE, "%s must be a whole number, not %s", what, text);
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

static void must_be_axes(int64_t lengths, const char *of) {
    if (lengths > MAX_AXES)
        fail(E_LIMIT, "%s has %lld lengths, but an array has at most %d axes", of,
             (long long)lengths, MAX_AXES);
}

Shape arg_shape(Value v, const char *of) {
    char what[80];
    snprintf(what, sizeof what, "%s: a length", of);
    static const char needed[] = "lengths, as 3, [2, 3] or (2, 3)";
    Shape shape = { .axes = 0 };
    while (v.tag == V_LIST && v.as.list->count == 1) v = v.as.list->item[0];
    if (v.tag == V_LIST) {
        const List *list = v.as.list;
        must_be_axes((int64_t)list->count, of);
        for (size_t i = 0; i < list->count; i++)
            shape.dim[shape.axes++] = arg_int(list->item[i], what);
    } else if (v.tag == V_ARRAY && v.as.array->axes == 1) {
        const Array *a = v.as.array;
        if (v.node) rt.off_tape++;
        must_be_axes(a->size, of);
        for (int64_t i = 0; i < a->size; i++)
            shape.dim[shape.axes++] = to_int(array_get(a, i), what);
    } else {
        shape.dim[shape.axes++] = to_int(only_element(v, of, needed), what);
    }
    return shape;
}
