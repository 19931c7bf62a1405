/* Elementwise kernels. The one idea: a kernel is one plain loop over contiguous data of one dtype;
 * whoever calls it (ops.c, pullback.c) brings other layouts into that form tile by tile.
 *
 * elem_kernels.c expands the table three times, for three instruction sets; ops_open() chooses. */
#ifndef ELEM_H
#define ELEM_H
#include "ops.h"

enum { TILE = 256 };  /* elements: four tiles of f64 stay in the first-level cache */

/* out[i] = forward(x[i], y[i]); a one-input row reads no y. out may be x or y. */
typedef void ElemLoop(int64_t n, void *out, const void *x, const void *y);
/* out[i] = g[i] * derivative(x[i], y[i], r[i]); true if any is NaN, so that the zero rule has to
 * look. */
typedef bool ElemPull(int64_t n, void *out, const void *g, const void *x, const void *y,
                      const void *r);

typedef struct ElemKernels {
    ElemLoop *loop[2];                                  /* by dtype: F64, F32 */
    ElemPull *pull[2][2];                               /* by input, by dtype */
    double (*scalar)(double x, double y);
    double (*slope[2])(double x, double y, double r); /* the derivative, or a selection's weight */
} ElemKernels;

extern const ElemKernels elem_table_v2[], elem_table_v3[], elem_table_v4[];
extern const ElemKernels *elem_kernels;                 /* the chosen one, by Op */

/* What a local derivative is, read off its text in the row: the sweep shortcuts the plain ones. */
typedef enum Slope {
    SLOPE_NONE,
    SLOPE_ONE,
    SLOPE_MINUS_ONE,
    SLOPE_X,
    SLOPE_Y,
    SLOPE_R,
    SLOPE_CALL
} Slope;
typedef struct ElemTraits {
    uint8_t slope[2];
    bool needs_x, needs_y, needs_r;  /* which of its values the reverse rule mentions */
    bool traces;                     /* it is recorded: its class is C_ELEM or C_SELECT */
} ElemTraits;
extern ElemTraits elem_traits[OP_ELEMS];

/* An operand of a tiled loop: any dtype, any one stride; 0 repeats one element. */
typedef struct Lane { const char *at; int64_t stride; int dtype; } Lane;
/* n elements from lane starting at `first`, as contiguous data of `dtype`: the data itself or
 * `tile` filled. */
const void *lane_load(const Lane *lane, int64_t first, int64_t n, int dtype, void *tile);

/* The weights of a selection, or the derivatives of any elementwise row, as unrecorded values. */
Value elem_slope(Op op, int which, Value x, Value y, Value r);
/* Does a derivative of 0 by this input mean that the operation dropped it? */
static inline bool elem_selects(Op op, int which) {
    return operations[op].class == C_SELECT || (op == OP_mul_or_zero && which == 1);
}
/* The adjoint of input `which`, of r's shape (not yet summed to the input's): g times the
 * derivative, unrecorded. *mend is set if an element is NaN. */
Value elem_pull(Op op, int which, Value g, Value x, Value y, Value r, bool *mend);
/* The same derivative in recorded operations. Defined in rules.c. */
Value elem_rule(Op op, int which, Value x, Value y, Value r);

/* special.c */
double polygamma(double order, double x);
#endif
