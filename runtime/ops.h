/* Operations. The one idea: ops.def has one row per operation; this header is its expansion into an
 * enum, C functions that record (op_mul, op_sum ...), and a table to look things up in.
 *
 * Every op_NAME takes values, broadcasts, records if recording is on and an input is on the tape,
 * and returns a pooled result. Rules of differentiation are written with the same functions. */
#ifndef OPS_H
#define OPS_H
#include "array.h"

typedef enum OpClass {
    C_ELEM,        /* elementwise; the row gives the local derivative by each input */
    C_SELECT,      /* elementwise; picks an input: the row gives its weight, 0 = dropped */
    C_FLAT,        /* elementwise; derivative zero */
    C_TEST,        /* elementwise; gives bool */
    C_LINEAR,      /* linear in all differentiable inputs together, coefficients 0 or 1: views, sum,
                      concat */
    C_MULTILINEAR, /* linear in each input: matmul, conv */
    C_SELECTION,   /* picks elements by their values: max and min along axes */
    C_GENERAL,     /* anything else: prod, solve, cholesky */
    C_CONSTANT,    /* never differentiable: argmax, shape, draws */
    C_COMPOSED,    /* no kernel: its call is written in other rows, and those are recorded */
} OpClass;

/* Where the tests draw inputs from. */
typedef enum Domain {
    D_ANY,
    D_POSITIVE,
    D_UNIT,
    D_ABOVE_ONE,
    D_NONZERO,
    D_MATRIX,
    D_SQUARE,
    D_SPD,
    D_NONE
} Domain;

/* One number per row, the elementwise ones first: OP_add, OP_exp ... OP_sum ... */
typedef enum Op {
    OP_NONE,
#define ELEM1(name, ...) OP_##name,
#define ELEM2(name, ...) OP_##name,
#define SELECT1(name, ...) OP_##name,
#define SELECT2(name, ...) OP_##name,
#define FLAT1(name, ...) OP_##name,
#define FLAT2(name, ...) OP_##name,
#define TEST1(name, ...) OP_##name,
#define TEST2(name, ...) OP_##name,
#include "ops.def"
    OP_ELEMS,                      /* op < OP_ELEMS: elementwise */
    OP_BEFORE_ROWS = OP_ELEMS - 1,
#define ROW(name, ...) OP_##name,
#include "ops.def"
    OP_COUNT
} Op;

/* An operation's settings that are not values: axes, shapes, index items. attr[0] counts the rest.
 */
typedef int64_t Attr;
#define ATTR_COUNT(...) (sizeof((int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t))
#define ATTR(...) (const Attr[]){ ATTR_COUNT(__VA_ARGS__), __VA_ARGS__ }

/* What a pullback sees. g has r's shape; the result is added to the adjoint of in[which] after
 * broadcasting is undone. NOTHING means: no contribution. A kernel may give a list of several
 * results; then r is that list, and g a list with nil where no adjoint came. */
typedef struct Pull {
    int op, count, which;
    bool any_g; /* g stands for any adjoint (a forward sweep): nothing can be told from its numbers
                 */
    Value g, r;
    const Value *in;
    const Attr *attr;
    Value *shared;  /* of all inputs of one node, UNSET at first: what the rule for one leaves for
                       the others. NULL: each for itself */
} Pull;
#define NOTHING UNSET

typedef struct Operation {
    const char *name,
        *prints;           /* prints: "+" infix, "-" prefix if one input, CALL, or "" internal */
    const char *signature; /* "(x, axis = nil, keepdims = false)"; NULL: not callable by name */
    const char *doc, *example;
    uint8_t class, arity, domain;  /* arity: inputs of an elementwise row; 0 for ROW rows (any) */
    Value (*kernel)(int count, const Value *in, const Attr *attr);  /* ROW */
    Value (*call)(int count,
                  const Value *bound); /* arguments in signature order, UNSET if not given */
    const char
        *rule[3]; /* the texts of the derivatives; from the third input on they share the last */
} Operation;
extern const Operation operations[OP_COUNT];
#define CALL "()"

/* A ROW's rule for input p->which, in recorded operations; NOTHING if it has none. (rules.c) */
Value row_pullback(const Pull *p);
bool row_differentiable(Op op, int which);

/* The only way to run an operation. apply() records; kernels do not. */
Value apply(Op op, int count, const Value *in, const Attr *attr);
Value apply1(Op op, Value x);
Value apply2(Op op, Value x, Value y);
/* May overwrite an operand that only the pool holds: for operands the evaluator knows are
 * temporaries. */
enum { REUSE_X = 1, REUSE_Y = 2 };
Value apply2_reusing(Op op, Value x, Value y, int reuse);
Value apply1_reusing(Op op, Value x, int reuse);
/* apply2_reusing() on two arrays, if both are small vectors of one length; else UNSET. */
Value apply_small(Op op, Value x, Value y, int reuse);
/* The same as the new value of a variable, which may be an operand; false: nothing was done. */
bool apply_small_into(Op op, Value *place, Value x, Value y, int reuse);
Op op_named(const char *name);   /* OP_NONE if there is none */

#define ELEM1(name, ...) static inline Value op_##name(Value x) { return apply1(OP_##name, x); }
#define SELECT1 ELEM1
#define FLAT1 ELEM1
#define TEST1 ELEM1
#define ELEM2(name, ...)                                                                           \
    static inline Value op_##name(Value x, Value y) { return apply2(OP_##name, x, y); }
#define SELECT2 ELEM2
#define FLAT2 ELEM2
#define TEST2 ELEM2
#include "ops.def"

/* ---- recorded operations with settings ----
 * In reduce_rules.c, shape.c, join.c, where.c, linalg.c, make.c. Axes are given as a bit set of
 * non-negative axes; ALL_AXES reduces everything. */
#define ALL_AXES (~(uint64_t)0)
Value op_sum(Value x, uint64_t axes, bool keepdims);
Value op_max(Value x, uint64_t axes, bool keepdims);
Value op_min(Value x, uint64_t axes, bool keepdims);
Value op_sum_to(Value x,
                Value like); /* undoes broadcasting: sums x to the shape (and dtype) of like */
Value op_expand_to(Value x, Value like);    /* broadcasts x to the shape of like */
Value op_reshape(Value x, int axes, const int64_t *shape);
Value op_transpose(
    Value x,
    const int *order); /* axis i of the result is order[i] of x; NULL: swaps the last two */
Value op_where(Value condition, Value x, Value y);
Value op_matmul(Value x, Value y);
Value op_stack(int count, const Value *items, int axis);
Value op_concat(int count, const Value *items, int axis);
Value op_cast(Value x, int dtype);
/* Views of one element: to be read, not written into. */
Value zeros_like(Value x);
Value ones_like(Value x);
Value full_like(Value x, double value);     /* same shape and dtype (bool: f64) */

/* ---- indexing (index.c) ---- */
typedef enum IndexKind { I_AT, I_SLICE, I_ELLIPSIS, I_NEW, I_GATHER } IndexKind;
typedef struct IndexItem {
    IndexKind kind;
    bool has_start, has_stop;
    int64_t start, stop,
        step; /* I_AT: start; I_SLICE: as written, negative from the end, step never 0 */
    Value gather;                /* I_GATHER: an array of indices, or a bool mask */
} IndexItem;
Value op_index(Value x, int count, const IndexItem *items);
enum { INDEX_WORDS = 4 };
/* The i-th item of an index as the tape has it: attr of OP_index and OP_put, from its second word
 * on. */
IndexItem index_item(const Attr *words, int i);
/* x with the indexed elements replaced by v (broadcast to them). With reuse, x's data may be
 * written in place if only `holders` holders know it. */
Value op_put(Value x, int count, const IndexItem *items, Value v, bool reuse, uint32_t holders);

/* Adds g to the indexed places of an array that nobody else knows; as attr and gathers of its node.
 */
void index_add(Array *whole, Value g, const Value *gathers, const Attr *attr);
/* The same, but what was there before is overwritten. */
void index_write(Array *whole, Value g, const Value *gathers, const Attr *attr);
/* Adds to an adjoint of x (which: 0) or y (1), which nobody else knows, what g of x @ y
 * contributes; false if it is not that simple. */
bool matmul_add_adjoint(Array *sum, int which, Value g, Value x, Value y);
/* Would the product of m by k and k by n be made by the kernel that reads its second matrix as it
 * lies, row by row? */
bool product_is_unpacked(int dtype, int64_t m, int64_t k, int64_t n);

void ops_open(void);   /* chooses kernels for this processor */

/* The level of the kernels chosen: "x86-64-v2", "x86-64-v3", "x86-64-v4" or "portable". */
const char *kernel_level_name(void);
#endif
