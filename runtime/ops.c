/* The operation table and apply(). The one idea: every operation, from wherever it is called, goes
 * through here: compute with a kernel, then, if recording is on and an input is on the tape,
 * append.
 *
 * Elementwise operations run in tiles (elem.h): operands of any layout are brought into contiguous
 * runs of one dtype. ROW operations have kernels of their own. Nothing here knows how to
 * differentiate. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "elem.h"
#include "fuse.h"
#include "conv_kernels.h"
#include "line_kernels.h"
#include "product_kernels.h"
#include "sort_kernels.h"
#include "tiles.h"
#include "kernels.h"
#include "rand.h"
#include "tape.h"

/* ---- the table ---- */
static Value kernel_identity(int count, const Value *in, const Attr *attr) {
    (void)count, (void)attr;
    return in[0];
}

#define ELEM_ENTRY(n, p, cl, ar, dom, d, e, ...)                                                   \
    [OP_##n] = { .name = #n,                                                                       \
                 .prints = p,                                                                      \
                 .signature = ar == 1 ? "(x)" : "(x, y)",                                          \
                 .doc = d,                                                                         \
                 .example = e,                                                                     \
                 .class = cl,                                                                      \
                 .arity = ar,                                                                      \
                 .domain = dom,                                                                    \
                 __VA_ARGS__ },
const Operation operations[OP_COUNT] = {
    [OP_NONE] = { .name = "none", .prints = "", .doc = "no operation", .class = C_CONSTANT },
#define ELEM1(n, p, f, dom, dx, d, e) ELEM_ENTRY(n, p, C_ELEM, 1, dom, d, e, .rule = { #dx })
#define ELEM2(n, p, f, dom, dx, dy, d, e)                                                          \
    ELEM_ENTRY(n, p, C_ELEM, 2, dom, d, e, .rule = { #dx, #dy })
#define SELECT1(n, p, f, dom, wx, d, e) ELEM_ENTRY(n, p, C_SELECT, 1, dom, d, e, .rule = { #wx })
#define SELECT2(n, p, f, dom, wx, wy, d, e)                                                        \
    ELEM_ENTRY(n, p, C_SELECT, 2, dom, d, e, .rule = { #wx, #wy })
#define FLAT1(n, p, f, dom, d, e) ELEM_ENTRY(n, p, C_FLAT, 1, dom, d, e)
#define FLAT2(n, p, f, dom, d, e) ELEM_ENTRY(n, p, C_FLAT, 2, dom, d, e)
#define TEST1(n, p, f, dom, d, e) ELEM_ENTRY(n, p, C_TEST, 1, dom, d, e)
#define TEST2(n, p, f, dom, d, e) ELEM_ENTRY(n, p, C_TEST, 2, dom, d, e)
#include "ops.def"
#define ROW(n, p, sig, cl, k, c, dom, dx, dy, dz, d, e)                                            \
    [OP_##n] = { .name = #n,                                                                       \
                 .prints = p,                                                                      \
                 .signature = sig,                                                                 \
                 .doc = d,                                                                         \
                 .example = e,                                                                     \
                 .class = cl,                                                                      \
                 .domain = dom,                                                                    \
                 .kernel = k,                                                                      \
                 .call = c,                                                                        \
                 .rule = { #dx, #dy, #dz } },
#include "ops.def"
};

const ElemKernels *elem_kernels;
ElemTraits elem_traits[OP_ELEMS];

static bool in_word(char c) {
    return c == '_' || (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z');
}

/* Does the text of a rule mention this one-letter name? */
static bool mentions(const char *rule, char name) {
    for (const char *c = rule; c && *c; c++)
        if (*c == name && !in_word(c[1]) && (c == rule || !in_word(c[-1]))) return true;
    return false;
}

static Slope slope_of_rule(const char *rule) {
    if (!rule) return SLOPE_NONE;
    if (!strcmp(rule, "1")) return SLOPE_ONE;
    if (!strcmp(rule, "-1")) return SLOPE_MINUS_ONE;
    if (!strcmp(rule, "x")) return SLOPE_X;
    if (!strcmp(rule, "y")) return SLOPE_Y;
    if (!strcmp(rule, "r")) return SLOPE_R;
    return SLOPE_CALL;
}

const LineKernels *line_kernels;

#if KERNEL_LEVELS
/* The level of the kernels that this processor runs: 2, 3 or 4, as in x86-64-v3. */
static int best_level(void) {
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") ||
        !__builtin_cpu_supports("bmi2")) return 2;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) return 4;
    return 3;
}

/* ADL_KERNELS=v2 or v3 asks for a lower level than the processor's, so that each can be tried on
 * the best. */
static int kernel_level(void) {
    int level = best_level();
    const char *asked = getenv("ADL_KERNELS");
    if (asked && asked[0] == 'v' && asked[1] >= '2' && asked[1] - '0' < level && !asked[2])
        level = asked[1] - '0';
    return level;
}
#endif

const char *kernel_level_name(void) {
#if KERNEL_LEVELS
    static const char *const names[] = { "x86-64-v2", "x86-64-v3", "x86-64-v4" };
    return names[kernel_level() - 2];
#else
    return "portable";
#endif
}

/* Portable builds have one set, under the name of v2. */
static void choose_kernels(void) {
    elem_kernels = elem_table_v2;
    line_kernels = &line_kernels_v2;
    pass_kernels = &pass_kernels_v2;
    conv_kernels = &conv_kernels_v2;
    sort_kernels = &sort_kernels_v2;
    product_kernels = &product_kernels_v2;
#if KERNEL_LEVELS
    int level = kernel_level();
    if (level >= 3) {
        elem_kernels = level == 4 ? elem_table_v4 : elem_table_v3;
        line_kernels = level == 4 ? &line_kernels_v4 : &line_kernels_v3;
        pass_kernels = level == 4 ? &pass_kernels_v4 : &pass_kernels_v3;
        conv_kernels = level == 4 ? &conv_kernels_v4 : &conv_kernels_v3;
        sort_kernels = level == 4 ? &sort_kernels_v4 : &sort_kernels_v3;
        product_kernels = level == 4 ? &product_kernels_v4 : &product_kernels_v3;
    }
#endif
}

void ops_open(void) {
    choose_kernels();
    fuse_open();
    for (int op = 1; op < OP_ELEMS; op++) {
        const char *const *rule = operations[op].rule;
        ElemTraits *t = &elem_traits[op];
        for (int i = 0; i < 2; i++) t->slope[i] = slope_of_rule(rule[i]);
        t->traces = operations[op].class <= C_SELECT;
        t->needs_x = mentions(rule[0], 'x') || mentions(rule[1], 'x');
        t->needs_y = mentions(rule[0], 'y') || mentions(rule[1], 'y');
        t->needs_r = mentions(rule[0], 'r') || mentions(rule[1], 'r');
    }
}

Op op_named(const char *name) {
    for (int op = 1; op < OP_COUNT; op++)
        if (!strcmp(operations[op].name, name)) return op;
    return OP_NONE;
}

/* ---- tiles ---- */
static double lane_get(const Lane *lane, int64_t i) {
    switch ((DType)lane->dtype) {
    case F64: return ((const double *)lane->at)[i * lane->stride];
    case F32: return ((const float *)lane->at)[i * lane->stride];
    case BOOL: return ((const uint8_t *)lane->at)[i * lane->stride];
    }
    return 0;
}

const void *lane_load(const Lane *lane, int64_t first, int64_t n, int dtype, void *tile) {
    if (lane->dtype == dtype && lane->stride == 1)
        return lane->at + first * (int64_t)dtype_bytes(dtype);
    double *wide = tile;
    float *narrow = tile;
    if (lane->stride == 0) {
        if (first) return tile;    /* filled by the first tile */
        double value = lane_get(lane, 0);
        int64_t fill = n < TILE ? n : TILE;
        if (dtype == F64) for (int64_t i = 0; i < fill; i++) wide[i] = value;
        else for (int64_t i = 0; i < fill; i++) narrow[i] = (float)value;
    } else if (dtype == F64) {
        for (int64_t i = 0; i < n; i++) wide[i] = lane_get(lane, first + i);
    } else {
        for (int64_t i = 0; i < n; i++) narrow[i] = (float)lane_get(lane, first + i);
    }
    return tile;
}

static bool lane_is_plain(const Lane *lane, int dtype) {
    return lane->dtype == dtype && lane->stride == 1;
}

static Lane lane_of(Value v, double *number_here) {
    if (v.tag == V_ARRAY) return (Lane){ v.as.array->data, 1, v.as.array->dtype };
    *number_here = num_of(v);
    return (Lane){ (const char *)number_here, 0, F64 };
}

/* n elements through a loop: in one piece where nothing has to be loaded, else tile by tile. */
static void run_lanes(ElemLoop *loop, int dtype, int64_t n, char *out, size_t out_bytes,
                      const Lane *x, const Lane *y) {
    int64_t step = lane_is_plain(x, dtype) && lane_is_plain(y, dtype) ? 1 << 16 : TILE;
    double x_tile[TILE], y_tile[TILE];
    for (int64_t i = 0; i < n; i += step) {
        int64_t count = n - i < step ? n - i : step;
        const void *xs = lane_load(x, i, count, dtype, x_tile);
        const void *ys = y == x ? xs : lane_load(y, i, count, dtype, y_tile);
        loop(count, out + i * (int64_t)out_bytes, xs, ys);
        poll();
    }
}

/* ---- elementwise on arrays ---- */
/* The output is fresh, so that a run of it is contiguous whatever the inputs are. */
typedef struct Broadcast {
    ElemLoop *loop;
    int dtype;
    size_t out_bytes;
    const int *dtypes;
    int inputs;
} Broadcast;

static void run_broadcast(int64_t n, char **at, const int64_t *strides, void *env) {
    const Broadcast *b = env;
    Lane x = { at[1], strides[1], b->dtypes[0] };
    Lane y = b->inputs == 2 ? (Lane){ at[2], strides[2], b->dtypes[1] } : x;
    run_lanes(b->loop, b->dtype, n, at[0], b->out_bytes, &x, b->inputs == 2 ? &y : &x);
}

/* f32 only if no f64 array takes part: 0-d numbers do not widen. */
static int compute_dtype(int count, const Value *in) {
    bool narrow = false, wide = false;
    for (int i = 0; i < count; i++) {
        if (in[i].tag != V_ARRAY) continue;
        if (in[i].as.array->dtype == F32) narrow = true;
        else if (in[i].as.array->axes) wide = true;
    }
    return narrow && !wide ? F32 : F64;
}

/* How a message calls the operation: "add", "multiply". */
static const char *verb_of(Op op) {
    switch ((int)op) {
    case OP_add: return "add";
    case OP_sub: return "subtract";
    case OP_mul: return "multiply";
    case OP_div: return "divide";
    case OP_eq: case OP_ne: case OP_lt: case OP_le: case OP_gt: case OP_ge: return "compare";
    default: return NULL;
    }
}

static _Noreturn void shapes_clash(Op op, Value x, Value y) {
    Shape a = value_shape(x), b = value_shape(y);
    char left[80], right[80], action[80];
    shape_text(a.axes, a.dim, left, sizeof left);
    shape_text(b.axes, b.dim, right, sizeof right);
    int axis = 1;
    int64_t m = 1, n = 1;
    for (; axis <= a.axes && axis <= b.axes; axis++) {
        m = a.dim[a.axes - axis];
        n = b.dim[b.axes - axis];
        if (m != n && m != 1 && n != 1) break;
    }
    note_operand(0, x);
    note_operand(1, y);
    bool product =
        op == OP_mul && a.axes == 2 && (b.axes == 2 || b.axes == 1) && a.dim[1] == b.dim[0];
    if (product) hint("the matrix product is written @: %s @ %s would fit", left, right);
    else hint("they broadcast if, from the last axis on, lengths are equal or one of them is 1");
    if (verb_of(op)) snprintf(action, sizeof action, "cannot %s shapes", verb_of(op));
    else snprintf(action, sizeof action, "%s: cannot broadcast shapes", operations[op].name);
    if (axis == 1)
        fail(E_SHAPE, "%s %s and %s: the last axes are %lld and %lld", action, left, right,
             (long long)m, (long long)n);
    fail(E_SHAPE, "%s %s and %s: axis -%d is %lld and %lld", action, left, right, axis,
         (long long)m, (long long)n);
}

static _Noreturn void not_numeric(Op op, int count, const Value *in) {
    char what[2][80];
    for (int i = 0; i < count; i++) note_operand(i, in[i]);
    for (int i = 0; i < count; i++) describe(in[i], what[i], sizeof what[i]);
    bool strings = count == 2 && (in[0].tag == V_STRING || in[1].tag == V_STRING);
    if (strings && op == OP_add) hint("f\"{a}{b}\" joins texts; str(x) makes a text of a number");
    else if (in[0].tag == V_NIL || (count == 2 && in[1].tag == V_NIL))
        hint("a function without a last expression gives nil");
    if (count == 1)
        fail(E_TYPE, "%s needs a number or an array, not %s", operations[op].name, what[0]);
    if (verb_of(op)) fail(E_TYPE, "cannot %s %s and %s", verb_of(op), what[0], what[1]);
    fail(E_TYPE, "%s needs numbers or arrays, not %s and %s", operations[op].name, what[0],
         what[1]);
}

static bool is_plain(Value v) { return v.tag != V_ARRAY || array_is_contiguous(v.as.array); }

/* One flat run: every array operand is contiguous and of the result's shape. */
static bool fits_flat(Value v, const Array *model) {
    if (v.tag != V_ARRAY) return true;
    const Array *a = v.as.array;
    return same_shape(a->axes, shape_of(a), model->axes, shape_of(model)) && is_plain(v);
}

static Array *reusable(Value v, int flag, int reuse, int dtype, int axes, const int64_t *shape) {
    if (!(reuse & flag) || v.tag != V_ARRAY || v.node) return NULL;
    Array *a = v.as.array;
    bool fits = a->dtype == dtype && same_shape(a->axes, shape_of(a), axes, shape) && is_plain(v);
    return fits && is_temporary(v) && array_is_sole(a, 1) ? a : NULL;
}

enum { LARGE = 8 << 10 };    /* elements from which on tiles, and threads, are worth it */

/* Contiguous arrays of one shape and dtype, which is most of what is small: no lanes, no tiles. */
static inline bool runs_at_once(int count, const Value *in) {
    if (in[0].tag != V_ARRAY || in[0].as.array->dtype == BOOL || !in[0].as.array->contiguous)
        return false;
    if (count == 1) return true;
    return in[1].tag == V_ARRAY && in[1].as.array->contiguous &&
           arrays_alike(in[0].as.array, in[1].as.array);
}

static Value run_at_once(Op op, int count, const Value *in, int reuse) {
    enum { STEP = 1 << 16 };
    const Array *x = in[0].as.array, *y = count == 2 ? in[1].as.array : x;
    int dtype = x->dtype, out_dtype = operations[op].class == C_TEST ? BOOL : dtype;
    Array *out = reuse ? reusable(in[0], REUSE_X, reuse, out_dtype, x->axes, shape_of(x)) : NULL;
    if (!out && reuse && count == 2)
        out = reusable(in[1], REUSE_Y, reuse, out_dtype, x->axes, shape_of(x));
    if (!out) out = array_new(out_dtype, x->axes, shape_of(x));
    else out->span = rt.here;
    if (x->size > LARGE) {
        program_one(op, dtype, count, in, out);
        return array_value(out);
    }
    ElemLoop *loop = elem_kernels[op].loop[dtype];
    int64_t n = x->size, in_bytes = (int64_t)dtype_bytes(dtype),
            out_bytes = (int64_t)dtype_bytes(out_dtype);
    for (int64_t i = 0; i < n; i += STEP) {
        loop(n - i < STEP ? n - i : STEP, (char *)out->data + i * out_bytes,
             (const char *)x->data + i * in_bytes, (const char *)y->data + i * in_bytes);
        poll();
    }
    return array_value(out);
}

static Value elementwise(Op op, int count, const Value *in, int reuse) {
    if (runs_at_once(count, in)) return run_at_once(op, count, in, reuse);
    for (int i = 0; i < count; i++)
        if (!is_numeric(in[i])) not_numeric(op, count, in);
    int dtype = compute_dtype(count, in), out_dtype = operations[op].class == C_TEST ? BOOL : dtype;
    const ElemKernels *k = &elem_kernels[op];
    double number_x = 0, number_y = 0;
    Array *model = in[0].tag == V_ARRAY ? in[0].as.array : in[1].as.array;
    if (count == 2 && in[1].tag == V_ARRAY && in[1].as.array->axes > model->axes)
        model = in[1].as.array;
    if (fits_flat(in[0], model) && (count == 1 || fits_flat(in[1], model))) {
        Array *out = reusable(in[0], REUSE_X, reuse, out_dtype, model->axes, shape_of(model));
        if (!out && count == 2)
            out = reusable(in[1], REUSE_Y, reuse, out_dtype, model->axes, shape_of(model));
        if (!out) out = array_new(out_dtype, model->axes, shape_of(model));
        else out->span = rt.here;
        if (model->size > LARGE) {
            program_one(op, dtype, count, in, out);
            return array_value(out);
        }
        Lane x = lane_of(in[0], &number_x), y = count == 2 ? lane_of(in[1], &number_y) : x;
        run_lanes(k->loop[dtype], dtype, model->size, out->data, dtype_bytes(out_dtype), &x,
                  count == 2 ? &y : &x);
        return array_value(out);
    }
    Shape shape = value_shape(in[0]), other = count == 2 ? value_shape(in[1]) : shape, joined;
    if (!shapes_join(&shape, &other, &joined)) shapes_clash(op, in[0], in[1]);
    Array *arrays[3] = { array_new(out_dtype, joined.axes, joined.dim) };
    if (arrays[0]->size >= fuse_from) {
        program_one(op, dtype, count, in, arrays[0]);
        return array_value(arrays[0]);
    }
    int dtypes[2];
    for (int i = 0; i < count; i++) {
        Array *a = array_of(in[i]);
        dtypes[i] = a->dtype;
        arrays[i + 1] = array_broadcast(a, joined.axes, joined.dim);
    }
    Broadcast b = { k->loop[dtype], dtype, dtype_bytes(out_dtype), dtypes, count };
    array_walk(count + 1, arrays, run_broadcast, &b);
    return array_value(arrays[0]);
}

/* ---- small vectors ---- */
/* Vectors of one length, and an operation whose result is another. */
static inline bool are_small(Op op, const Array *a, const Array *b) {
    return is_small_vector(a) && is_inlined_vector(b) && a->size == b->size &&
           elem_traits[op].traces;
}

static inline void run_small(Op op, Array *out, const Array *a, const Array *b) {
    elem_kernels[op].loop[F64](a->size, out->data, a->data, b->data);
}

static inline Array *small_output(Value x, Value y, int reuse) {
    bool into_x = reuse & REUSE_X && is_temporary(x), into_y = reuse & REUSE_Y && is_temporary(y);
    Array *a = into_x ? x.as.array : into_y ? y.as.array : NULL;
    if (!a) return pool_own(small_vector_like(x.as.array));
    a->span = rt.here;
    return a;
}

Value apply_small(Op op, Value x, Value y, int reuse) {
    if (!are_small(op, x.as.array, y.as.array)) return UNSET;
    bool recorded = rt.recording && (x.node | y.node);
    Array *out = small_output(x, y, recorded ? 0 : reuse);
    run_small(op, out, x.as.array, y.as.array);
    Value r = object(out);
    if (recorded) r.node = tape_append_small(op, x, y, out, 0);
    return r;
}

/* What the variable holds may be overwritten by what it will hold: nobody else knows it. */
static inline bool is_own(Value old, Value operand) {
    return old.tag == V_ARRAY && old.as.obj == operand.as.obj && old.as.obj->refs == 1 && !old.node;
}

bool apply_small_into(Op op, Value *place, Value x, Value y, int reuse) {
    if (!are_small(op, x.as.array, y.as.array)) return false;
    Value old = *place, r;
    if (rt.recording && (x.node | y.node)) {
        if (!tape_has_room()) return false;   /* so that nothing fails once the result is made */
        r = object(small_vector_like(x.as.array));
        run_small(op, r.as.array, x.as.array, y.as.array);
        r.node = tape_append_small(op, x, y, r.as.array, 1);
    } else if (is_own(old, x) || is_own(old, y)) {
        run_small(op, old.as.array, x.as.array, y.as.array);
        old.as.array->span = rt.here;
        return true;
    } else {
        r = object(small_output(x, y, reuse));
        run_small(op, r.as.array, x.as.array, y.as.array);
        pool_take(r);
    }
    *place = r;
    if (old.node && !(is_recorded(old) && node_release_one(old.node))) node_release(old.node);
    if (old.tag == V_ARRAY) array_drop(old.as.array);
    else if (is_object(old)) obj_drop(old.as.obj);
    return true;
}

/* ---- apply ---- */
static inline bool records(Op op, Value x, Value y) {
    if (!rt.recording || !(x.node | y.node)) return false;
    bool traces = operations[op].class <= C_SELECT;
    rt.off_tape += !traces;
    return traces;
}

static inline Value scalar_result(Op op, double result) {
    return operations[op].class == C_TEST ? boolean(result != 0) : number(result);
}

/* Numbers, and no bools. */
static inline Value apply_numbers(Op op, Value x, Value y) {
    Value r = scalar_result(op, elem_kernels[op].scalar(x.as.num, y.as.num));
    if (records(op, x, y)) r.node = tape_append_scalar(op, x, y, r.as.num);
    return r;
}

/* What a tape keeps must not be overwritten: a recorded operation reuses nothing. */
Value apply1_reusing(Op op, Value x, int reuse) {
    if (x.tag == V_NUM) return apply_numbers(op, x, number(0));
    if (rt.recording && x.node) reuse = 0;
    Value r = is_number(x) ? scalar_result(op, elem_kernels[op].scalar(num_of(x), 0))
                           : elementwise(op, 1, &x, reuse);
    if (records(op, x, NIL)) r.node = tape_append(op, 1, &x, r, NULL);
    return r;
}

/* A fixed power is cheaper as what it is; the square is most powers that people write. */
static inline bool is_square(Op op, Value y) {
    return op == OP_power && y.tag == V_NUM && y.as.num == 2 && !y.node;
}

Value apply2_reusing(Op op, Value x, Value y, int reuse) {
    if (is_square(op, y)) return apply1_reusing(OP_square, x, reuse);
    if ((x.tag | y.tag) == V_NUM) return apply_numbers(op, x, y);
    if (x.tag == V_ARRAY && y.tag == V_ARRAY) {
        Value r = apply_small(op, x, y, reuse);
        if (r.tag != V_UNSET) return r;
    }
    if (rt.recording && (x.node | y.node)) reuse = 0;
    Value in[2] = { x, y };
    bool recorded = records(op, x, y);
    if (recorded) reuse = 0;  /* the tape names both operands */
    Value r = is_number(x) && is_number(y)
                  ? scalar_result(op, elem_kernels[op].scalar(num_of(x), num_of(y)))
                  : elementwise(op, 2, in, reuse);
    if (recorded) r.node = tape_append(op, 2, in, r, NULL);
    return r;
}

Value apply1(Op op, Value x) { return apply1_reusing(op, x, 0); }
Value apply2(Op op, Value x, Value y) { return apply2_reusing(op, x, y, 0); }

/* A kernel sees constants; its result is a constant. */
static Value run_kernel(Op op, int count, const Value *in, const Attr *attr) {
    Value r = operations[op].kernel(count, in, attr);
    r.node = 0;
    return r;
}

static Value recorded(Op op, int count, const Value *in, Value r, const Attr *attr) {
    uint32_t node = tape_append(op, count, in, r, attr);
    if (r.tag == V_LIST) return tape_parts(node, r);
    r.node = node;
    return r;
}

Value apply(Op op, int count, const Value *in, const Attr *attr) {
    if (op < OP_ELEMS) return count == 1 ? apply1(op, in[0]) : apply2(op, in[0], in[1]);
    Value r = run_kernel(op, count, in, attr);
    if (!rt.recording) return r;
    uint32_t any = 0;
    for (int i = 0; i < count; i++) {
        if (!in[i].node) continue;
        if (operations[op].class != C_CONSTANT && row_differentiable(op, i)) any |= in[i].node;
        else rt.off_tape++;
    }
    return any ? recorded(op, count, in, r, attr) : r;
}
