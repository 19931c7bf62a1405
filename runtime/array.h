/* Arrays. The one idea: one block holds header, shape, strides and, when small, the data; a view is
 * a header of its own on the owner's data.
 *
 * Strides count elements, may be zero (broadcast) or negative (reversed). dtypes are f64, f32,
 * bool. A 0-d f64 or bool never is an Array: array_value() turns one into a V_NUM or V_BOOL, and
 * array_of() makes a temporary 0-d Array from any numeric value: kernels see one kind of thing. */
#ifndef ARRAY_H
#define ARRAY_H
#include "value.h"
#include <string.h>

typedef enum DType { F64, F32, BOOL } DType;
enum { MAX_AXES = 32 };

struct Array {
    Obj head;              /* tag V_ARRAY */
    uint8_t dtype, axes;
    uint8_t inlined;       /* data lies behind dims in this block */
    uint8_t contiguous;    /* row-major, without gaps */
    Span span;             /* the expression that made it */
    int64_t size;          /* elements */
    void *data;            /* the first element */
    Obj *owner; /* a view keeps this one alive, an array or who has its bytes; NULL for an
                   array that owns its data */
    size_t bytes;          /* of this block; an owner's separate data has array_bytes() */
    int64_t dims[];        /* shape[axes], then strides[axes] */
};
static inline int64_t *shape_of(const Array *a) { return (int64_t *)a->dims; }
static inline int64_t *strides_of(const Array *a) { return (int64_t *)a->dims + a->axes; }

typedef struct Shape { int axes; int64_t dim[MAX_AXES]; } Shape;

static inline size_t dtype_bytes(int dtype) { return dtype == F64 ? 8 : dtype == F32 ? 4 : 1; }
const char *dtype_name(int dtype);
/* Of the elements, were they contiguous. */
static inline size_t array_bytes(const Array *a) { return (size_t)a->size * dtype_bytes(a->dtype); }
static inline double *f64_of(const Array *a) { return a->data; }
static inline float *f32_of(const Array *a) { return a->data; }
static inline uint8_t *bool_of(const Array *a) { return a->data; }

/* ---- making: all results are pooled ---- */
Array *array_new(int dtype, int axes, const int64_t *shape);   /* not cleared; E_LIMIT if absurd */
Array *array_zeros(int dtype, int axes, const int64_t *shape);
Array *array_like(const Array *a, int dtype);          /* same shape, contiguous, not cleared */
Array *array_view(Array *a, int axes, const int64_t *shape, const int64_t *strides, int64_t offset);
/* A row-major array on bytes that `keeper` keeps alive: a mapped file, say. They are only read,
 * since only the sole owner of an array writes into it. */
Array *array_on(void *bytes, int dtype, int axes, const int64_t *shape, Obj *keeper);
Array *array_of(Value v);             /* any number, bool or array; else E_TYPE */
Value array_value(Array *a);          /* canonical: 0-d f64 and bool become V_NUM, V_BOOL */
Array *array_contiguous(Array *a);    /* itself if it is row-major contiguous, else a copy */
Array *array_copy(const Array *a);    /* contiguous, owns its data */
Array *array_cast(Array *a, int dtype);  /* itself if it has that dtype, else a contiguous copy */
Array *array_broadcast(Array *a, int axes, const int64_t *shape);  /* a view with zero strides */
static inline bool array_is_contiguous(const Array *a) { return a->contiguous; }
/* a, which `holders` hold, with one more row at its end: a itself, where there is room behind it
 * that nobody else knows, or a view of a block with such room, so that a loop of these takes the
 * time of its rows. NULL: a is short, or the row is not just of its kind. */
Array *array_with_row(Array *a, Array *row, uint32_t holders);
/* May the caller write into a's data? Only holder, owns it, no view on it. */
bool array_is_sole(const Array *a, uint32_t holders);

/* A small vector: f64, its data in the block, so that one comparison tells its layout. */
enum { SMALL_SIZE = 64 };
static inline bool is_inlined_vector(const Array *a) {
    static const uint8_t layout[4] = { F64, 1, true, true }; /* dtype, axes, inlined, contiguous */
    return memcmp(&a->dtype, layout, sizeof layout) == 0;
}
static inline bool is_small_vector(const Array *a) {
    return is_inlined_vector(a) && (uint64_t)a->size <= SMALL_SIZE;
}
/* Another of its length, not cleared, and not in the pool. */
static inline Array *small_vector_like(const Array *model) {
    Array *a = mem_alloc(model->bytes);
    a->head = (Obj){ .refs = 1, .tag = V_ARRAY };
    memcpy(&a->dtype, &model->dtype, 4);
    a->span = rt.here;
    a->size = model->size;
    a->data = a->dims + 2;
    a->owner = NULL;
    a->bytes = model->bytes;
    a->dims[0] = model->size;
    a->dims[1] = 1;
    return a;
}

/* obj_drop() of an array, without a call for most small ones. */
static inline void array_drop(Array *a) {
    if (--a->head.refs) return;
    if (a->inlined) mem_free(a, a->bytes);      /* it is no view, and its data is in its block */
    else obj_free(&a->head);
}

/* ---- asking ---- */
static inline bool is_number(Value v) { return v.tag == V_NUM || v.tag == V_BOOL; }
static inline bool is_numeric(Value v) { return is_number(v) || v.tag == V_ARRAY; }
static inline int dtype_of(Value v) {
    return v.tag == V_ARRAY ? v.as.array->dtype : v.tag == V_BOOL ? BOOL : F64;
}
static inline int axes_of(Value v) { return v.tag == V_ARRAY ? v.as.array->axes : 0; }
static inline int64_t size_of(Value v) { return v.tag == V_ARRAY ? v.as.array->size : 1; }
/* Of a V_NUM or V_BOOL. */
static inline double num_of(Value v) { return v.tag == V_BOOL ? v.as.truth : v.as.num; }
/* Lengths beyond the axes are left as they are: clearing them would cost more than the rest. */
static inline Shape value_shape(Value v) {
    Shape shape;
    shape.axes = axes_of(v);
    const int64_t *length = shape.axes ? shape_of(v.as.array) : NULL;
    for (int i = 0; i < shape.axes; i++) shape.dim[i] = length[i];
    return shape;
}
/* How many elements such an array has; E_LIMIT or E_SHAPE if there can be none. */
int64_t shape_size(int dtype, int axes, const int64_t *shape);
static inline bool same_shape(int axes_a, const int64_t *a, int axes_b, const int64_t *b) {
    if (axes_a != axes_b) return false;
    for (int i = 0; i < axes_a; i++)
        if (a[i] != b[i]) return false;
    return true;
}
/* One shape and one dtype? */
static inline bool arrays_alike(const Array *a, const Array *b) {
    return a->dtype == b->dtype && same_shape(a->axes, shape_of(a), b->axes, shape_of(b));
}
/* Has v the shape of a result: an array of its shape, or a number for a number? */
static inline bool shapes_equal(Value v, Value w) {
    if (v.tag != V_ARRAY || w.tag != V_ARRAY) return axes_of(v) == axes_of(w) && axes_of(v) == 0;
    const Array *a = v.as.array, *b = w.as.array;
    return same_shape(a->axes, shape_of(a), b->axes, shape_of(b));
}
double array_get(const Array *a,
                 int64_t flat); /* element in row-major order, any dtype or layout */
void shape_text(int axes, const int64_t *shape, char *buffer, size_t bytes);   /* "[2, 3]" */
/* Element i of an f64 vector (one axis), i in range. */
static inline double *vector_at(const Array *a, int64_t i) {
    return f64_of(a) + i * strides_of(a)[0];
}
/* Element [i, j] of an f64 matrix (two axes), negative ones counted from the end; NULL where there
 * is none. */
static inline double *matrix_element(const Array *a, double i, double j) {
    const int64_t *shape = shape_of(a), *stride = strides_of(a);
    const double rows = (double)shape[0], columns = (double)shape[1];
    if (!(i >= -rows && i < rows && j >= -columns && j < columns)) return NULL;
    int64_t row = (int64_t)i, column = (int64_t)j;
    if ((double)row != i || (double)column != j) return NULL;
    row += row < 0 ? shape[0] : 0;
    column += column < 0 ? shape[1] : 0;
    return f64_of(a) + row * stride[0] + column * stride[1];
}
/* The broadcast of two shapes; false if they do not broadcast. */
bool shapes_join(const Shape *a, const Shape *b, Shape *out);
/* E_SHAPE unless `from` broadcasts to just `to`; the format takes the texts of both. */
void must_expand(const Shape *from, const Shape *to, const char *format);

/* ---- arguments of operations: each fails with a message that names `what` ---- */
double arg_number(Value v, const char *what);         /* any one-element number */
int64_t arg_int(Value v, const char *what);           /* an integral number */
bool arg_bool(Value v, const char *what);
Array *arg_array(Value v, const char *what);          /* as array_of, E_TYPE naming `what` */
int arg_axis(Value v, int axes, const char *what);    /* negative from the end */
Shape arg_shape(Value v, const char *what);   /* [2, 3], 3, (2, 3), ([2, 3],); may hold -1 */

/* ---- walking ----
 * Calls body(n, pointers, strides, env) for runs along the last axis (merged where layouts allow)
 * over `count` arrays already broadcast to one shape. Pointers are bytes, strides are elements.
 * Runs come in row-major order, none longer than RUN elements, with a poll() after about each RUN.
 */
enum { RUN = 64 << 10, WALK_ARRAYS = 32 };
typedef void Run(int64_t n, char **at, const int64_t *strides, void *env);
void array_walk(int count, Array *const *arrays, Run *body, void *env);
/* The same for a body that takes any strides and any order: faster where rows are short. */
void array_walk_freely(int count, Array *const *arrays, Run *body, void *env);
/* Copies src into dst (same shape, any dtypes and layouts). */
void array_assign(Array *dst, Array *src);
void array_fill(Array *dst, double value);
#endif
