/* The elementwise kernels, expanded from ops.def in plain arithmetic. Compiled once per instruction
 * set with ELEM_TABLE naming the table it makes (see the Makefile); the functions below are what
 * the rows' texts mean on doubles. Nothing here fails, allocates or knows of values.
 *
 * The table is read twice: for single numbers, where far angles may take a slow branch, and for
 * loops, which vectorise because nothing in them branches (vmath.h); a loop over angles looks first
 * whether one of them is far, and then goes number by number. */
#include <math.h>
#include <string.h>
#include "elem.h"
#include "elem_power.h"
#include "vlanes.h"
#include "vmath.h"

#ifndef ELEM_TABLE
#define ELEM_TABLE elem_table_v2
#endif
#define INLINE static inline __attribute__((always_inline))

/* ---- what the rows' texts mean; in an f32 loop x is a float, and the functions that have one use
 * it ---- */
#define BY_WIDTH(name, x) _Generic((x), float: vm_##name##f, default: vm_##name)(x)
#define exp(x) BY_WIDTH(exp, x)
#define expm1(x) BY_WIDTH(expm1, x)
#define tanh(x) BY_WIDTH(tanh, x)
#define sigmoid(x) BY_WIDTH(sigmoid, x)
#define log(x) BY_WIDTH(log, x)
#define log1p(x) BY_WIDTH(log1p, x)
#define BY_WIDTH2(name, x, y) _Generic((x), float: vm_##name##f, default: vm_##name)(x, y)
#define exp2(x) BY_WIDTH(exp2, x)
#define log2(x) BY_WIDTH(log2, x)
#define log10(x) BY_WIDTH(log10, x)
#define softplus(x) BY_WIDTH(softplus, x)
#define log_sigmoid(x) BY_WIDTH(log_sigmoid, x)
#define cbrt(x) BY_WIDTH(cbrt, x)
#define sinh(x) BY_WIDTH(sinh, x)
#define cosh(x) BY_WIDTH(cosh, x)
#define asinh(x) BY_WIDTH(asinh, x)
#define acosh(x) BY_WIDTH(acosh, x)
#define atanh(x) BY_WIDTH(atanh, x)
#define asin(x) BY_WIDTH(asin, x)
#define acos(x) BY_WIDTH(acos, x)
#define atan(x) BY_WIDTH(atan, x)
#define erf(x) BY_WIDTH(erf, x)
#define erfc(x) BY_WIDTH(erfc, x)
#define gelu(x) BY_WIDTH(gelu, x)
#define hypot(x, y) BY_WIDTH2(hypot, x, y)
#define atan2(y, x) BY_WIDTH2(atan2, y, x)
#define power(x, y) BY_WIDTH2(pow_any, x, y)

/* Quotient and remainder as Python has them: the remainder takes the divisor's sign. */
INLINE double modulo(double x, double y) {
    double m = fmod(x, y);
    if (m != 0 && (m < 0) != (y < 0)) m += y;
    return m == 0 ? copysign(0, y) : m;
}
INLINE double floor_divide(double x, double y) {
    if (y == 0) return x / y;
    double quotient = (x - modulo(x, y)) / y, low = floor(quotient);
    return quotient - low > 0.5 ? low + 1 : low;
}

/* The same where the quotient is small against the precision, without a call or a loop: below 2^52
 * in double, in float below 2^21, so that the quotient in doubt is nearer than 1/2. The truncated
 * quotient is the right one, or one too far from 0 because it was rounded to an integer; either way
 * what is left of x is a number of that type, so that a fused multiply-add gives it exactly. */
#define NEAR(T, f, limit)                                                                          \
    INLINE bool far_apart##f(T x, T y) {                                                           \
        return (__builtin_fabs##f(x / y) >= limit) | (__builtin_fabs##f(y) == __builtin_inf##f()); \
    }                                                                                              \
    INLINE T modulo_near##f(T x, T y) {                                                            \
        T left = __builtin_fma##f(-__builtin_trunc##f(x / y), y, x);                               \
        T back = (left < 0) != (x < 0) ? __builtin_copysign##f(y, x) : 0;                          \
        T m = left == 0 ? 0 : left + back;                                                         \
        T more = (m < 0) != (y < 0) ? y : 0;                                                       \
        return m == 0 ? __builtin_copysign##f(0, y) : m + more;                                    \
    }                                                                                              \
    INLINE T floor_divide_near##f(T x, T y) {                                                      \
        T quotient = (x - modulo_near##f(x, y)) / y, low = __builtin_floor##f(quotient);           \
        return quotient - low > (T)0.5 ? low + 1 : low;                                            \
    }
NEAR(double, , 0x1p52)
NEAR(float, f, 0x1p21f)
INLINE double sign_of(double x) { return x > 0 ? 1 : x < 0 ? -1 : x; }
INLINE float sign_off(float x) { return x > 0 ? 1 : x < 0 ? -1 : x; }
#define sign(x) _Generic((x), float: sign_off, default: sign_of)(x)
INLINE double mul_or_zero(double x, double y) { return x == 0 ? 0 : x * y; }
INLINE double ratio_or_zero(double x, double y) { return y == 0 ? 0 : x / y; }
INLINE double one_over_sqrt(double x) { return 1 / sqrt(x); }
#define rsqrt(x) _Generic((x), float: vm_rsqrtf, default: one_over_sqrt)(x)
INLINE double log_unless(double x, double y) { return y == 0 && x - x == 0 ? 0 : log(y); }
INLINE double power_log(double x, double y) { return y == 0 && x - x == 0 ? 0 : x * log(y); }
INLINE double nonnegative(double x) { return x < 0 ? (double)NAN : x; }
INLINE double digamma(double x) { return polygamma(0, x); }

/* The words of the derivative texts. */
#define add(a, b) ((a) + (b))
#define sub(a, b) ((a) - (b))
#define mul(a, b) ((a) * (b))
#define div(a, b) ((double)(a) / (b))
#define neg(a) (-(a))

/* ---- single numbers ---- */
#define sin(x) vm_sin_any(x)
#define cos(x) vm_cos_any(x)
#define tan(x) vm_tan_any(x)
#define SCALAR(name, forward)                                                                      \
    static double name##_scalar(double x, double y) {                                              \
        (void)x, (void)y;                                                                          \
        return forward;                                                                            \
    }
#define SLOPE(name, which, slope)                                                                  \
    static double name##_slope##which(double x, double y, double r) {                              \
        (void)x, (void)y, (void)r;                                                                 \
        return slope;                                                                              \
    }
#define ELEM1(name, prints, forward, domain, dx, ...) SCALAR(name, forward) SLOPE(name, 0, dx)
#define ELEM2(name, prints, forward, domain, dx, dy, ...)                                          \
    SCALAR(name, forward) SLOPE(name, 0, dx) SLOPE(name, 1, dy)
#define SELECT1 ELEM1
#define SELECT2 ELEM2
#define FLAT1(name, prints, forward, ...) SCALAR(name, forward)
#define FLAT2 FLAT1
#define TEST1 FLAT1
#define TEST2 FLAT1
#include "ops.def"
#undef sin
#undef cos
#undef tan

/* ---- loops ---- */
/* Remainders: sixty-four at a time; where one is far, floats once more by double, and number by
 * number what is far there, too. out may be x. */
#define DIVIDING(name, T, dtype, f)                                                                \
    INLINE void name##_part_##dtype(int count, T *r, const T *x, const T *y) {                     \
        int64_t far = 0;                                                                           \
        for (int k = 0; k < count; k++) {                                                          \
            far |= far_apart((double)x[k], (double)y[k]);                                          \
            r[k] = (T)name##_near((double)x[k], (double)y[k]);                                     \
        }                                                                                          \
        for (int k = 0; k < count && far; k++) r[k] = (T)name((double)x[k], (double)y[k]);         \
    }                                                                                              \
    INLINE void name##_near_##dtype(int64_t n, T *out, const T *x, const T *y) {                   \
        enum { PART = 64 };                                                                        \
        for (int64_t i = 0; i < n; i += PART, x += PART, y += PART) {                              \
            T r[PART] __attribute__((aligned(64)));                                                \
            int count = n - i < PART ? (int)(n - i) : PART;                                        \
            __typeof__(_Generic((T)0, float: (int32_t)0, default: (int64_t)0)) far = 0;            \
            for (int k = 0; k < count; k++) {                                                      \
                far |= far_apart##f(x[k], y[k]);                                                   \
                r[k] = name##_near##f(x[k], y[k]);                                                 \
            }                                                                                      \
            if (far) name##_part_##dtype(count, r, x, y);                                          \
            memcpy(out + i, r, (size_t)count * sizeof(T));                                         \
        }                                                                                          \
    }
DIVIDING(modulo, double, f64, )
DIVIDING(modulo, float, f32, f)
DIVIDING(floor_divide, double, f64, )
DIVIDING(floor_divide, float, f32, f)
#define DIVIDES(name) (VM_FUSED && (!strcmp(#name, "mod") || !strcmp(#name, "floor_divide")))

/* Rows that vlanes.h has a loop for: true if it ran. The compiler drops the question from all
 * others. */
#if LANES
#define IN_LANES(T, dtype, Lane)                                                                   \
    LANES_LOOP(exp, dtype, T, Lane)                                                                \
    LANES_LOOP(tanh, dtype, T, Lane)                                                               \
    LANES_LOOP(sigmoid, dtype, T, Lane)                                                            \
    LANES_LOOP(silu, dtype, T, Lane)                                                               \
    INLINE bool in_lanes_##dtype(const char *name, int64_t n, void *out, const void *x) {          \
        void (*loop)(int64_t, T *, const T *) =                                                    \
            !strcmp(name, "exp")       ? exp_lanes_##dtype                                         \
            : !strcmp(name, "tanh")    ? tanh_lanes_##dtype                                        \
            : !strcmp(name, "sigmoid") ? sigmoid_lanes_##dtype                                     \
            : !strcmp(name, "silu")    ? silu_lanes_##dtype                                        \
                                       : NULL;                                                     \
        if (loop) loop(n, out, x);                                                                 \
        return loop != NULL;                                                                       \
    }
IN_LANES(double, f64, LaneF64)
IN_LANES(float, f32, LaneF32)
#else
#define in_lanes_f64(name, n, out, x) false
#define in_lanes_f32(name, n, out, x) false
#endif

#define sin(x) BY_WIDTH(sin, x)
#define cos(x) BY_WIDTH(cos, x)
#define tan(x) BY_WIDTH(tan, x)
/* Rows that reduce angles; the compiler drops the question from all others. */
#define IS_ANGULAR(name) (!strcmp(#name, "sin") || !strcmp(#name, "cos") || !strcmp(#name, "tan"))
#define IS_POWER(name) (!strcmp(#name, "power"))
/* Counted in integers as wide as the elements, without leaving their width. */
#define ANY_FAR(type)                                                                              \
    __typeof__(_Generic((type)0, float: (int32_t)0, default: (int64_t)0)) far = 0;                 \
    for (int64_t i = 0; i < n; i++) {                                                              \
        type angle = ((const type *)x_)[i];                                                        \
        far |= (angle > (type)VM_TRIG_LIMIT) | (angle < (type)-VM_TRIG_LIMIT);                     \
    }

#define LOOP(name, out_type, type, dtype, forward)                                                 \
    static void name##_##dtype(int64_t n, void *out, const void *x_, const void *y_) {             \
        out_type *o = out;                                                                         \
        const type *xs = x_, *ys = y_;                                                             \
        if (in_lanes_##dtype(#name, n, out, x_)) return;                                           \
        if (DIVIDES(name)) {                                                                       \
            if (!strcmp(#name, "mod")) modulo_near_##dtype(n, out, xs, ys);                        \
            else floor_divide_near_##dtype(n, out, xs, ys);                                        \
            return;                                                                                \
        }                                                                                          \
        if (IS_POWER(name)) {                                                                      \
            powers_##dtype(n, (type *)out, xs, ys);                                                \
            return;                                                                                \
        }                                                                                          \
        if (IS_ANGULAR(name)) {                                                                    \
            ANY_FAR(type)                                                                          \
            if (far) {                                                                             \
                for (int64_t i = 0; i < n; i++) o[i] = (out_type)name##_scalar((double)xs[i], 0);  \
                return;                                                                            \
            }                                                                                      \
        }                                                                                          \
        _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) {                                     \
            type x = xs[i], y = ys[i];                                                             \
            (void)x, (void)y;                                                                      \
            o[i] = (out_type)(forward);                                                            \
        }                                                                                          \
    }
/* NaN is counted in integers as wide as the elements, which vectorises where a float sum would not.
 */
#define PULL(name, which, type, bits, dtype, slope, product)                                       \
    static bool name##_pull##which##_##dtype(int64_t n, void *out, const void *g_, const void *x_, \
                                             const void *y_, const void *r_) {                     \
        type *o = out;                                                                             \
        const type *gs = g_, *xs = x_, *ys = y_, *rs = r_;                                         \
        bits nans = 0;                                                                             \
        if (IS_POWER(name) && which == 0)                                                          \
            return power_pulls_##dtype(n, out, gs, xs, ys);                                        \
        bool far_away = false;                                                                     \
        if (IS_ANGULAR(name)) {                                                                    \
            ANY_FAR(type)                                                                          \
            far_away = far != 0;                                                                   \
        }                                                                                          \
        if (far_away) {                                                                            \
            for (int64_t i = 0; i < n; i++) {                                                      \
                double g = (double)gs[i];                                                          \
                double d = name##_slope##which((double)xs[i], (double)ys[i], (double)rs[i]);       \
                type t = (type)(product);                                                          \
                nans |= (bits)(t != t);                                                            \
                o[i] = t;                                                                          \
            }                                                                                      \
            return nans != 0;                                                                      \
        }                                                                                          \
        _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) {                                     \
            double g = (double)gs[i], x = (double)xs[i], y = (double)ys[i], r = (double)rs[i];     \
            (void)x, (void)y, (void)r;                                                             \
            double d = slope;                                                                      \
            type t = (type)(product);                                                              \
            nans |= (bits)(t != t);                                                                \
            o[i] = t;                                                                              \
        }                                                                                          \
        return nans != 0;                                                                          \
    }
#define PULLS(name, which, slope, product)                                                         \
    PULL(name, which, double, int64_t, f64, slope, product)                                        \
    PULL(name, which, float, int32_t, f32, slope, product)
#define NUMERIC(name, forward)                                                                     \
    LOOP(name, double, double, f64, forward)                                                       \
    LOOP(name, float, float, f32, forward)
#define TEST(name, forward)                                                                        \
    LOOP(name, uint8_t, double, f64, forward)                                                      \
    LOOP(name, uint8_t, float, f32, forward)

#define ELEM1(name, prints, forward, domain, dx, ...)                                              \
    NUMERIC(name, forward) PULLS(name, 0, dx, g *d)
#define ELEM2(name, prints, forward, domain, dx, dy, ...)                                          \
    NUMERIC(name, forward) PULLS(name, 0, dx, g *d) PULLS(name, 1, dy, g *d)
#define SELECT1(name, prints, forward, domain, wx, ...)                                            \
    NUMERIC(name, forward) PULLS(name, 0, wx, d != 0 ? g * d : 0)
#define SELECT2(name, prints, forward, domain, wx, wy, ...)                                        \
    NUMERIC(name, forward)                                                                         \
    PULLS(name, 0, wx, d != 0 ? g * d : 0) PULLS(name, 1, wy, d != 0 ? g * d : 0)
#define FLAT1(name, prints, forward, ...) NUMERIC(name, forward)
#define FLAT2(name, prints, forward, ...) NUMERIC(name, forward)
#define TEST1(name, prints, forward, ...) TEST(name, forward)
#define TEST2(name, prints, forward, ...) TEST(name, forward)
#include "ops.def"

/* ---- the table ---- */
#define LOOP_ENTRY(name) .loop = { name##_f64, name##_f32 }, .scalar = name##_scalar
#define PULL_ENTRY(name, which) { name##_pull##which##_f64, name##_pull##which##_f32 }
#define ONE(name)                                                                                  \
    [OP_##name] = { LOOP_ENTRY(name), .pull = { PULL_ENTRY(name, 0) }, .slope = { name##_slope0 } },
#define TWO(name)                                                                                  \
    [OP_##name] = { LOOP_ENTRY(name), .pull = { PULL_ENTRY(name, 0), PULL_ENTRY(name, 1) },        \
                    .slope = { name##_slope0, name##_slope1 } },
const ElemKernels ELEM_TABLE[OP_ELEMS] = {
#define ELEM1(name, ...) ONE(name)
#define ELEM2(name, ...) TWO(name)
#define SELECT1(name, ...) ONE(name)
#define SELECT2(name, ...) TWO(name)
#define FLAT1(name, ...) [OP_##name] = { LOOP_ENTRY(name) },
#define FLAT2(name, ...) [OP_##name] = { LOOP_ENTRY(name) },
#define TEST1(name, ...) [OP_##name] = { LOOP_ENTRY(name) },
#define TEST2(name, ...) [OP_##name] = { LOOP_ENTRY(name) },
#include "ops.def"
};
