/* What the kernels of ROW operations share, and their names for the table (ops.c).
 *
 * A kernel computes from values that it treats as constants; a call binds the arguments of a
 * user's call, in the order of the signature, to the recording function op_NAME. In a signature
 * `*name` takes the remaining positional arguments as one list; what stands behind it can be
 * given by name only. */
#ifndef KERNELS_H
#define KERNELS_H
#include "ops.h"

typedef Value Kernel(int count, const Value *in, const Attr *attr);
typedef Value Call(int count, const Value *bound);
/* A call that is one expression in `bound`. */
#define BIND(name, result)                                                                         \
    Value call_##name(int count, const Value *bound) { (void)count; return result; }

/* ---- the table's ---- */
/* reduce.c, and its calls in reduce_rules.c */
Kernel kernel_sum, kernel_prod, kernel_max, kernel_min, kernel_any, kernel_all, kernel_norm;
Kernel kernel_sum_to;
Call call_sum, call_prod, call_max, call_min, call_any, call_all, call_norm;
/* lines.c */
Kernel kernel_argmax, kernel_argmin;
Kernel kernel_logsumexp, kernel_softmax, kernel_log_softmax;      /* softmax.c */
Kernel kernel_cross_entropy;
Call call_cross_entropy;
Kernel kernel_cumsum, kernel_cumprod, kernel_recurrence, kernel_shift;
Kernel kernel_take_along, kernel_put_along;
Kernel kernel_standardize;                                        /* standardize.c */
Call call_standardize;
Call call_argmax, call_argmin, call_logsumexp, call_softmax, call_log_softmax;
Call call_cumsum, call_cumprod, call_take_along;
Kernel kernel_sort, kernel_argsort;                               /* sort.c */
Call call_sort, call_argsort, call_median;
/* shape.c */
Kernel kernel_reshape, kernel_transpose, kernel_expand_to, kernel_cast;
Call call_reshape, call_transpose, call_broadcast_to, call_swapaxes, call_squeeze, call_expand_dims;
Call call_round, call_f64, call_f32, call_bool, call_array, call_asscalar;
Call call_shape, call_size, call_ndim, call_dtype;
/* join.c */
Kernel kernel_stack, kernel_concat;
Call call_stack, call_concat, call_split, call_tile, call_repeat, call_flip, call_roll, call_pad;
/* index.c */
Kernel kernel_index, kernel_unindex, kernel_put;
/* where.c */
Kernel kernel_where;
Call call_where, call_take, call_diag, call_triu, call_tril;
/* linalg.c */
Kernel kernel_matmul;
Call call_matmul;
Kernel kernel_inv, kernel_det, kernel_slogdet, kernel_solve, kernel_solve_triangular,
    kernel_cholesky; /* lapack.c */
Kernel kernel_qr, kernel_svd, kernel_eigh, kernel_pinv;
Call call_inv, call_det, call_slogdet, call_solve, call_cholesky, call_qr, call_svd, call_eigh,
    call_pinv;
Call call_einsum;                                                 /* einsum.c */
Kernel kernel_conv2d, kernel_conv2d_image, kernel_conv2d_weights; /* conv.c */
Kernel kernel_max_pool, kernel_max_pool_back, kernel_max_pool_along, kernel_unfold, kernel_fold;
Call call_conv2d, call_conv1d, call_max_pool, call_avg_pool;
/* make.c */
Call call_zeros, call_ones, call_full, call_eye, call_arange, call_linspace;
Call call_zeros_like, call_ones_like, call_full_like;

/* ---- values ---- */
static inline Value constant(Value v) { v.node = 0; return v; }
static inline bool is_given(Value v) { return v.tag != V_UNSET && v.tag != V_NIL; }
/* Computing with this dtype gives that one: bool becomes f64. */
static inline int float_dtype(int dtype) { return dtype == F32 ? F32 : F64; }
/* The dtype of several values together: f32 if one is and no other has axes; bool if all are. */
int joint_dtype(int count, const Value *in);
static inline Value value_of_dtype(Array *a, int dtype) {
    return array_value(array_cast(a, dtype));
}

/* ---- arguments ---- */
/* The array that an operation works on; E_TYPE naming the operation. */
Array *operand(Value v, const char *operation);
/* An axis argument as a bit set: nil is all axes; with exclude, the complement. `what` is the
 * operation. */
uint64_t arg_axes(Value axis, Value exclude, int axes, const char *what);
/* A shape given as one list or array, or number by number: the list of a `*shape` parameter. */
Shape arg_shape_rest(Value rest, const char *what);
static inline bool arg_flag(Value v, const char *what) { return is_given(v) && arg_bool(v, what); }
/* The values of a list, or the slices of an array along its first axis, as *count pooled values. */
const Value *arg_items(Value v, int *count, const char *what);
/* Several axes or shifts, as a list or an array? */
bool is_tree_of_axes(Value v);

/* A shape without these axes, or with length 1 in their places. */
Shape reduced_shape(const Shape *shape, uint64_t axes, bool keepdims);

/* ---- contiguous lines (lines.c), and reduce.c's loops ---- */
double line_sum(const double *x, int64_t n);
double line_max(const double *x, int64_t n);   /* NaN if one is */
/* The sum of `size` elements that fill() gives in blocks of at most 1024, as sum() of an array of
 * them; with threads if making them is worth that. join_sums: from the sums of those blocks. */
typedef void FillBlock(int64_t first, int64_t n, void *out, const void *env);
double join_sums(const double *sum_of_block, int64_t blocks);
double sum_of_blocks(int64_t size, int dtype, FillBlock *fill, const void *env, bool heavy);
/* For sum, max and min, as they are over such axes of a whole array: x reduced to `out`; and n
 * columns of as many rows, which fill() gives in parts of about PART elements. */
enum { PART = 32 << 10 };
void fold_part(Op op, const Array *x, uint64_t axes, double *out);
void fold_columns(Op op, int dtype, int64_t rows, int64_t n, FillBlock *fill, const void *env,
                  double *out);

/* ---- counting through the indices of some axes while moving an offset ---- */
typedef struct Odometer {
    int axes;
    int64_t dim[MAX_AXES], stride[MAX_AXES], at[MAX_AXES];
} Odometer;

static inline void odometer_open(Odometer *o) { o->axes = 0; }

static inline int64_t odometer_turns(const Odometer *o) {
    int64_t turns = 1;
    for (int i = 0; i < o->axes; i++) turns *= o->dim[i];
    return turns;
}

/* Adds an axis inside the others, merged into the last one where memory allows. */
static inline void odometer_push(Odometer *o, int64_t dim, int64_t stride) {
    if (dim == 1) return;
    int last = o->axes - 1;
    if (last >= 0 && o->stride[last] == dim * stride) {
        o->dim[last] *= dim;
        o->stride[last] = stride;
        return;
    }
    o->dim[o->axes] = dim;
    o->stride[o->axes] = stride;
    o->at[o->axes++] = 0;
}

/* The step to the next index as a change of the offset, in elements; back to the start after the
 * last one. */
static inline int64_t odometer_step(Odometer *o) {
    int64_t change = 0;
    for (int i = o->axes - 1; i >= 0; i--) {
        change += o->stride[i];
        if (++o->at[i] < o->dim[i]) return change;
        change -= o->dim[i] * o->stride[i];
        o->at[i] = 0;
    }
    return change;
}
#endif
