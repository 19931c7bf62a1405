/* The functions of vmath.h against the libm's long double ones, whose 64-bit mantissa makes them
 * a reference good to a thousandth of an ULP of double.
 *
 * The one idea: a function is a row of a table (name, reference, range, bound in ULP), and every
 * row is tried at the same kinds of points: even over its range, even over the exponents, around
 * 1, and at the specials. Results are computed in a loop, as the kernels do, so it is the vector
 * code that is tested. The bounds hold with FMA; without one a row may miss by one ULP more.
 * `vmath_test --speed` reports ns an element beside a loop over the libm instead. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>
#include "vmath.h"

enum { POINTS = 1000000, BLOCK = 4096 };
#define SLACK (VM_FUSED ? 0 : 1)

/* ---- references that the libm does not have, and rivals for the timing ---- */
typedef long double Long;
static Long sigmoid_l(Long x) { return x < 0 ? expl(x) / (1 + expl(x)) : 1 / (1 + expl(-x)); }
static Long softplus_l(Long x) { return (x > 0 ? x : 0) + log1pl(expl(-fabsl(x))); }
static Long log_sigmoid_l(Long x) { return -softplus_l(-x); }
static Long rsqrt_l(Long x) { return 1 / sqrtl(x); }
static Long gelu_l(Long x) { return x == -INFINITY ? -0.0L : x * erfcl(-x * sqrtl(0.5L)) / 2; }
#define POWER(name, exponent)                                                                      \
    static Long pow_##name##_l(Long x) { return powl(x, exponent); }                               \
    static double pow_##name(double x) { return pow(x, exponent); }
POWER(inverse_square, -2)
POWER(inverse_root, -0.5f)
POWER(root_cube, 1.5f)
POWER(cube, 3) POWER(fourth, 4)
static double sigmoid(double x) { return 1 / (1 + exp(-x)); }
static double softplus(double x) { return fmax(x, 0) + log1p(exp(-fabs(x))); }
static double log_sigmoid(double x) { return -softplus(-x); }
static double rsqrt(double x) { return 1 / sqrt(x); }
static float rsqrtf(float x) { return 1 / sqrtf(x); }
static float sigmoidf(float x) { return 1 / (1 + expf(-x)); }
static float softplusf(float x) { return fmaxf(x, 0) + log1pf(expf(-fabsf(x))); }
static float log_sigmoidf(float x) { return -softplusf(-x); }
static float geluf(float x) { return 0.5f * x * (1 + erff(x * sqrtf(0.5f))); }
static double gelu(double x) { return 0.5 * x * (1 + erf(x * sqrt(0.5))); }

/*      name         reference     rival        from    to    ULP */
#define FUNCTIONS(ROW)                                                                             \
    ROW(exp,         expl,         exp,         -746,   710,  1.00)                                \
    ROW(exp2,        exp2l,        exp2,        -1075,  1024, 1.00)                                \
    ROW(expm1,       expm1l,       expm1,       -40,    710,  1.00)                                \
    ROW(log,         logl,         log,         0,      1e3,  1.00)                                \
    ROW(log2,        log2l,        log2,        0,      1e3,  1.00)                                \
    ROW(log10,       log10l,       log10,       0,      1e3,  1.00)                                \
    ROW(log1p,       log1pl,       log1p,       -1,     1e3,  1.00)                                \
    ROW(tanh,        tanhl,        tanh,        -22,    22,   3.00)                                \
    ROW(sinh,        sinhl,        sinh,        -711,   711,  1.00)                                \
    ROW(cosh,        coshl,        cosh,        -711,   711,  1.00)                                \
    ROW(asinh,       asinhl,       asinh,       -1e300, 1e300, 1.00)                               \
    ROW(acosh,       acoshl,       acosh,       1,      1e300, 1.00)                               \
    ROW(atanh,       atanhl,       atanh,       -1,     1,    1.00)                                \
    ROW(sigmoid,     sigmoid_l,    sigmoid,     -746,   40,   1.00)                                \
    ROW(log_sigmoid, log_sigmoid_l, log_sigmoid, -800,  746,  1.00)                                \
    ROW(softplus,    softplus_l,   softplus,    -746,   800,  1.00)                                \
    ROW(rsqrt,       rsqrt_l,      rsqrt,       0,      1e3,  1.00)                                \
    ROW(cbrt,        cbrtl,        cbrt,        -1e300, 1e300, 0.51)                               \
    ROW(sin,         sinl,         sin,         -0x1p20, 0x1p20, 1.00)                             \
    ROW(cos,         cosl,         cos,         -0x1p20, 0x1p20, 1.00)                             \
    ROW(tan,         tanl,         tan,         -0x1p20, 0x1p20, 1.00)                             \
    ROW(asin,        asinl,        asin,        -1,     1,    1.00)                                \
    ROW(acos,        acosl,        acos,        -1,     1,    1.00)                                \
    ROW(atan,        atanl,        atan,        -1e300, 1e300, 1.00)                               \
    ROW(erf,         erfl,         erf,         -6.5,   6.5,  1.30)                                \
    ROW(erfc,        erfcl,        erfc,        -6.5,   28,   1.20)                                \
    ROW(gelu,        gelu_l,       gelu,        -40,    40,   3.00)                                \
    ROW(pow_inverse_square, pow_inverse_square_l, pow_inverse_square, -1e170, 1e170, 1.00)         \
    ROW(pow_inverse_root, pow_inverse_root_l, pow_inverse_root, 0, 1e3, 1.00)                      \
    ROW(pow_root_cube, pow_root_cube_l, pow_root_cube, 0, 1e3, 1.00)                               \
    ROW(pow_cube,    pow_cube_l,   pow_cube,    -1e103, 1e103, 1.00)                               \
    ROW(pow_fourth,  pow_fourth_l, pow_fourth,  -1e77,  1e77, 1.00)

/*      name         reference    rival     from      to      ULP of float */
#define FLOAT_FUNCTIONS(ROW)                                                                       \
    ROW(expf,        exp,         expf,     -105,     90,     1.00)                                \
    ROW(expm1f,      expm1,       expm1f,   -20,      90,     1.30)                                \
    ROW(logf,        log,         logf,     0,        1e3,    1.00)                                \
    ROW(log1pf,      log1p,       log1pf,   -1,       1e3,    1.00)                                \
    ROW(tanhf,       tanh,        tanhf,    -10,      10,     3.00)                                \
    ROW(sigmoidf,    sigmoid,     sigmoidf, -105,     20,     2.00)                                \
    ROW(sinf,        sin,         sinf,     -0x1p20,  0x1p20, 0.51)                                \
    ROW(cosf,        cos,         cosf,     -0x1p20,  0x1p20, 0.51)                                \
    ROW(tanf,        tan,         tanf,     -0x1p20,  0x1p20, 0.51)                                \
    ROW(sqrtf,       sqrt,        sqrtf,    0,        1e3,    0.51)                                \
    ROW(rsqrtf,      rsqrt,       rsqrtf,   0,        1e3,    0.51)                                \
    ROW(erff,        erf,         erff,     -4,       4,      0.51)                                \
    ROW(atanf,       atan,        atanf,    -1e30,    1e30,   0.51)                                \
    ROW(exp2f,       exp2,        exp2f,    -150,     128,    0.51)                                \
    ROW(log2f,       log2,        log2f,    0,        1e3,    0.51)                                \
    ROW(log10f,      log10,       log10f,   0,        1e3,    0.51)                                \
    ROW(softplusf,   softplus_l,  softplusf, -105,    200,    0.51)                                \
    ROW(log_sigmoidf, log_sigmoid_l, log_sigmoidf, -200, 105, 0.51)                                \
    ROW(sinhf,       sinh,        sinhf,    -90,      90,     0.51)                                \
    ROW(coshf,       cosh,        coshf,    -90,      90,     0.51)                                \
    ROW(cbrtf,       cbrt,        cbrtf,    -1e30,    1e30,   0.51)                                \
    ROW(asinf,       asin,        asinf,    -1,       1,      0.51)                                \
    ROW(acosf,       acos,        acosf,    -1,       1,      0.51)                                \
    ROW(asinhf,      asinh,       asinhf,   -1e30,    1e30,   0.51)                                \
    ROW(acoshf,      acosh,       acoshf,   1,        1e30,   0.51)                                \
    ROW(atanhf,      atanh,       atanhf,   -1,       1,      0.51)                                \
    ROW(erfcf,       erfc,        erfcf,    -4,       10.2,   0.51)                                \
    ROW(geluf,       gelu_l,      geluf,    -16,      40,     0.51)                                \
    ROW(pow_inverse_squaref, pow_inverse_square_l, pow_inverse_square, -1e25, 1e25, 1.00)          \
    ROW(pow_inverse_rootf, pow_inverse_root_l, pow_inverse_root, 0, 1e3, 1.00)                     \
    ROW(pow_root_cubef, pow_root_cube_l, pow_root_cube, 0, 1e3, 1.00)                              \
    ROW(pow_cubef,   pow_cube_l, pow_cube, -1e14,   1e14,   1.00)                                  \
    ROW(pow_fourthf, pow_fourth_l, pow_fourth, -1e10, 1e10,  1.00)

/* ---- the loops ---- */
typedef void Loop(void *restrict r, const void *restrict x, int count);
#define LOOPS(type, name, rival)                                                                   \
    static void name##_loop(void *restrict r, const void *restrict x, int count) {                 \
        for (int i = 0; i < count; i++) ((type *)r)[i] = vm_##name(((const type *)x)[i]);          \
    }                                                                                              \
    static void name##_rival(void *restrict r, const void *restrict x, int count) {                \
        for (int i = 0; i < count; i++) ((type *)r)[i] = (type)rival(((const type *)x)[i]);        \
    }                                                                                              \
    static __attribute__((noinline)) type name##_alone(type x) { return vm_##name(x); }            \
    static double name##_scalar(double x) { return (double)name##_alone((type)x); }
#define DOUBLE_LOOPS(name, reference, rival, ...) LOOPS(double, name, rival)
#define FLOAT_LOOPS(name, reference, rival, ...)                                                   \
    LOOPS(float, name, rival)                                                                      \
    static Long name##_reference(Long x) { return reference((double)x); }
FUNCTIONS(DOUBLE_LOOPS)
FLOAT_FUNCTIONS(FLOAT_LOOPS)

typedef struct Function {
    const char *name;
    bool single;              /* of float */
    Long (*reference)(Long);
    Loop *loop, *rival;
    double (*scalar)(double);
    double from, to, bound;
} Function;
static const Function functions[] = {
#define DOUBLE_ENTRY(name, reference, rival, from, to, bound)                                      \
    { #name, false, reference, name##_loop, name##_rival, name##_scalar, from, to, bound },
#define FLOAT_ENTRY(name, reference, rival, from, to, bound)                                       \
    { #name, true, name##_reference, name##_loop, name##_rival, name##_scalar, from, to, bound },
    FUNCTIONS(DOUBLE_ENTRY)
    FLOAT_FUNCTIONS(FLOAT_ENTRY)
};
enum { FUNCTION_COUNT = sizeof functions / sizeof *functions };

/* r[i] = f(x[i]) by the vector loop, whatever its element type; count <= BLOCK. */
static void run(const Function *f, double *r, const double *x, int count) {
    static float narrow_x[BLOCK], narrow_r[BLOCK];
    if (!f->single) { f->loop(r, x, count); return; }
    for (int i = 0; i < count; i++) narrow_x[i] = (float)x[i];
    f->loop(narrow_r, narrow_x, count);
    for (int i = 0; i < count; i++) r[i] = (double)narrow_r[i];
}

/* ---- points and errors ---- */
static uint64_t random_state = 0x9e3779b97f4a7c15;
static uint64_t random_bits(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    return random_state ^= random_state << 17;
}
static double random_unit(void) { return (double)(random_bits() >> 11) * 0x1p-53; }
static double clamped(double x, double from, double to) {
    return x < from ? from : x > to ? to : x;
}

/* The i-th point in the range: four kinds in turn. */
static double point(int i, double from, double to, bool single) {
    int low = single ? -149 : -1074, high = single ? 127 : 1023;
    double sign = random_bits() & 1 ? 1 : -1;
    const double kinds[] = {
        from + (to - from) * random_unit(),
        sign * ldexp(1 + random_unit(), low + (int)(random_bits() % (uint64_t)(high - low + 1))),
        sign * 8 * random_unit(),
        sign * (1 + ldexp(random_unit() - 0.5, -(int)(random_bits() % 50))),
    };
    double x = clamped(kinds[i % 4], from, to);
    return single ? (double)(float)x : x;
}

/* How far got is from the exact value, in units of the last place of a double or float there. */
static double ulps(double got, Long exact, bool single) {
    double rounded = single ? (double)(float)exact : (double)exact;
    if (isnan(rounded)) return isnan(got) ? 0 : INFINITY;
    if (isinf(rounded) || isinf(got)) return got == rounded ? 0 : INFINITY;
    int lowest = single ? -126 : -1022, exponent = exact == 0 ? lowest : ilogbl(exact);
    Long unit = ldexpl(1, (exponent < lowest ? lowest : exponent) - (single ? 23 : 52));
    return (double)(fabsl(got - exact) / unit);
}

static double worst(const Function *f, double *at) {
    static double x[BLOCK], r[BLOCK];
    double most = 0;
    for (int done = 0; done < POINTS; done += BLOCK) {
        for (int i = 0; i < BLOCK; i++) x[i] = point(i, f->from, f->to, f->single);
        run(f, r, x, BLOCK);
        for (int i = 0; i < BLOCK; i++) {
            double error = ulps(r[i], f->reference(x[i]), f->single);
            if (!(error <= most)) { most = error; *at = x[i]; }
        }
    }
    return most;
}

static void every_function_is_accurate(void **state) {
    (void)state;
    int failures = 0;
    for (int i = 0; i < FUNCTION_COUNT; i++) {
        double at = 0, most = worst(&functions[i], &at);
        bool bad = !(most <= functions[i].bound + SLACK);
        printf("%-12s %7.3f ULP at %.17g%s\n", functions[i].name, most, at,
               bad ? "   TOO MUCH" : "");
        failures += bad;
    }
    assert_int_equal(failures, 0);
}

/* ---- special values ---- */
static const double specials[] = {
    0.0, -0.0, INFINITY, -INFINITY, NAN, 1, -1, 0.5, -0.5, 2, -2, 3, -3, 10, 1000, 1e-300, -1e-300,
    0x1p-1074, -0x1p-1074, 0x1p-1022, 0x1.fffffffffffffp-1023, DBL_MAX, -DBL_MAX,
    0x1p-149, FLT_MIN, FLT_MAX,
    0x1p-54, 0x1p-27, 1 + 0x1p-52, 1 - 0x1p-53, -1 + 0x1p-53, 1 + 0x1p-23, 1 - 0x1p-24,
    709.782712893384, 709.7827128933841, 710, 710.4758600739439, 710.475860073944,
    -708.3964185322641, -745.1332191019411, -745.1332191019412, -746,
    88.72283, 88.72284, -103.97208, -103.97209, 36.7, -36.7,
    18.4, 22, 26.5432, 27.2260, 27.3, -38.4, -38.6, 0x1.921fb54442d18p+0, 0x1.921fb54442d18p+1,
    0x1.6ac5b262ca1ffp+19, 1e5, 0x1p20, 1023.5, 1024, -1074, -1075, -1076, 170,
};
enum { SPECIAL_COUNT = sizeof specials / sizeof *specials };

static bool same_sign(double got, double expected) {
    return isnan(expected) || !signbit(got) == !signbit(expected);
}

static bool is_trigonometric(const Function *f) {
    Loop *const loops[] = { sin_loop, cos_loop, tan_loop, sinf_loop, cosf_loop, tanf_loop };
    for (int i = 0; i < 6; i++)
        if (f->loop == loops[i]) return true;
    return false;
}

static void special_values_are_right(void **state) {
    (void)state;
    int failures = 0;
    for (int i = 0; i < FUNCTION_COUNT; i++) {
        const Function *f = &functions[i];
        double r[SPECIAL_COUNT];
        run(f, r, specials, SPECIAL_COUNT);
        for (int j = 0; j < SPECIAL_COUNT; j++) {
            double x = f->single ? (double)(float)specials[j] : specials[j];
            Long exact = f->reference(x);
            if (is_trigonometric(f) && vm_far(x) && isfinite(x)) continue;
            bool accurate = ulps(r[j], exact, f->single) <= f->bound + SLACK;
            if (accurate && same_sign(r[j], (double)exact)) continue;
            printf("%s(%a) = %a, not %a\n", f->name, x, r[j], (double)exact);
            failures++;
        }
    }
    assert_int_equal(failures, 0);
}

/* What a loop gives may not depend on where in it an element stands, or on its being a loop. */
static void a_loop_and_a_call_agree_bit_for_bit(void **state) {
    (void)state;
    static double x[BLOCK], r[BLOCK];
    for (int i = 0; i < FUNCTION_COUNT; i++) {
        const Function *f = &functions[i];
        for (int j = 0; j < BLOCK; j++) x[j] = point(j, f->from, f->to, f->single);
        run(f, r, x, BLOCK);
        for (int j = 0; j < BLOCK; j++) {
            double alone = f->scalar(x[j]);
            if (memcmp(&alone, &r[j], sizeof alone) && !isnan(alone))
                fail_msg("%s(%a)", f->name, x[j]);
        }
    }
}

static void far_angles_are_left_to_the_libm(void **state) {
    (void)state;
    const double far[] = { 0x1.8p20, 1e10, -1e22, 1e300, DBL_MAX };
    for (int i = 0; i < 5; i++) {
        assert_true(vm_far(far[i]));
        assert_true(vm_sin_any(far[i]) == sin(far[i]));
        assert_true(vm_cos_any(far[i]) == cos(far[i]));
        assert_true(vm_tan_any(far[i]) == tan(far[i]));
    }
    assert_false(vm_far(0x1p20));
    assert_false(vm_far(NAN));
    assert_true(vm_sin_any(1.25) == vm_sin(1.25));
    assert_true(isnan(vm_sin_any(INFINITY)));
}

/* ---- two arguments ---- */
typedef void Loop2(double *restrict r, const double *x, const double *y, int count);
#define LOOPS2(name, bound)                                                                        \
    static void name##_loop(double *restrict r, const double *x, const double *y, int count) {     \
        for (int i = 0; i < count; i++) r[i] = vm_##name(x[i], y[i]);                              \
    }                                                                                              \
    static void name##_rival(double *restrict r, const double *x, const double *y, int count) {    \
        for (int i = 0; i < count; i++) r[i] = name(x[i], y[i]);                                   \
    }
#define FUNCTIONS2(ROW) ROW(pow, 1.00) ROW(hypot, 1.00) ROW(atan2, 1.00)
FUNCTIONS2(LOOPS2)

/* Pairs of floats against the functions of double, which are right for them. */
#define FUNCTIONS2F(ROW) ROW(pow, 1.00) ROW(hypot, 0.51) ROW(atan2, 0.51)
#define ALONE2F(name, bound)                                                                       \
    static __attribute__((noinline)) float name##_f(float x, float y) { return vm_##name##f(x, y); }
FUNCTIONS2F(ALONE2F)
static const struct {
    const char *name;
    float (*ours)(float, float);
    double (*reference)(double, double), bound;
} functions2f[] = {
#define ENTRY2F(name, bound) { #name "f", name##_f, name, bound },
    FUNCTIONS2F(ENTRY2F)
};

static float drawn_float(int i) {
    static const float special[] = { 0.0f, -0.0f, 1, -1, 2, 3, -3, 0.5f, INFINITY, -INFINITY, NAN,
                                     0x1p-149f, FLT_MIN, FLT_MAX };
    uint64_t bits = random_bits();
    if (i % 4 == 0) return special[bits % 14];
    return (float)point(i, i % 4 == 1 ? -3e38 : -20, i % 4 == 1 ? 3e38 : 20, true);
}

static void functions_of_two_floats_are_accurate(void **state) {
    (void)state;
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < POINTS / 4; i++) {
            float x = drawn_float(i), y = drawn_float((int)(random_bits() % 4)), r;
            r = functions2f[k].ours(x, y);
            double exact = functions2f[k].reference((double)x, (double)y);
            bool near = ulps((double)r, exact, true) <= functions2f[k].bound + SLACK;
            if (!near || !same_sign((double)r, exact))
                fail_msg("%s(%a, %a) = %a, not %a", functions2f[k].name, (double)x, (double)y,
                         (double)r, exact);
        }
}

typedef struct Function2 {
    const char *name;
    Long (*reference)(Long, Long);
    Loop2 *loop, *rival;
    double bound;
} Function2;
static const Function2 functions2[] = {
#define ENTRY2(name, bound) { #name, name##l, name##_loop, name##_rival, bound },
    FUNCTIONS2(ENTRY2)
};
enum { FUNCTION2_COUNT = sizeof functions2 / sizeof *functions2 };

/* Pairs of any size, pairs of nearly one size, and for pow pairs whose power is a number. */
static void draw_pair(int i, double *x, double *y) {
    double any = point(1, -DBL_MAX, DBL_MAX, false), other = point(1, -DBL_MAX, DBL_MAX, false);
    double moderate = point(2, -8, 8, false), near_one = point(3, 0, 8, false);
    double power = 1100 * (2 * random_unit() - 1);
    const double pairs[][2] = {
        { any, other }, { any, any * moderate }, { moderate, near_one },
        { fabs(any), power / log2(fabs(any)) }, { near_one, power / log2(near_one) },
        { moderate, rint(power / 8) },
    };
    *x = pairs[i % 6][0];
    *y = pairs[i % 6][1];
}

static int misses2(const Function2 *f, const double *x, const double *y, int count, double *most) {
    static double r[BLOCK];
    int misses = 0;
    f->loop(r, x, y, count);
    for (int i = 0; i < count; i++) {
        Long exact = f->reference(x[i], y[i]);
        double error = ulps(r[i], exact, false);
        *most = error > *most ? error : *most;
        if (error <= f->bound + SLACK && same_sign(r[i], (double)exact)) continue;
        printf("%s(%a, %a) = %a, not %a\n", f->name, x[i], y[i], r[i], (double)exact);
        misses++;
    }
    return misses;
}

static void functions_of_two_are_accurate(void **state) {
    (void)state;
    static double x[BLOCK], y[BLOCK];
    int misses = 0;
    for (int i = 0; i < FUNCTION2_COUNT; i++) {
        double most = 0;
        for (int done = 0; done < POINTS; done += BLOCK) {
            for (int j = 0; j < BLOCK; j++) draw_pair(j, &x[j], &y[j]);
            misses += misses2(&functions2[i], x, y, BLOCK, &most);
        }
        printf("%-12s %7.3f ULP\n", functions2[i].name, most);
    }
    assert_int_equal(misses, 0);
}

static void special_pairs_are_right(void **state) {
    (void)state;
    double y[SPECIAL_COUNT], most = 0;
    int misses = 0;
    for (int i = 0; i < FUNCTION2_COUNT; i++)
        for (int j = 0; j < SPECIAL_COUNT; j++) {
            for (int k = 0; k < SPECIAL_COUNT; k++) y[k] = specials[j];
            misses += misses2(&functions2[i], specials, y, SPECIAL_COUNT, &most);
        }
    assert_int_equal(misses, 0);
}

/* ---- scalar functions: values from Abramowitz and Stegun, tables 6.1 and 6.3 ---- */
static bool near(double got, double expected, double error) {
    return fabs(got - expected) <= error;
}

static void digamma_and_lgamma_are_right(void **state) {
    (void)state;
    const double gamma = 0.57721566490153286061;
    assert_true(near(vm_digamma(1), -gamma, 1e-15));
    assert_true(near(vm_digamma(0.5), -gamma - 2 * log(2), 1e-15));
    assert_true(near(vm_digamma(10), 2.25175258906672110764, 1e-15));
    assert_true(near(vm_digamma(-0.5), 0.03648997397857652056, 1e-14));
    assert_true(near(vm_digamma(1e10), 23.02585092989045684, 1e-14));
    assert_true(vm_digamma(0.0) == -INFINITY && vm_digamma(-0.0) == INFINITY);
    assert_true(isnan(vm_digamma(-3)) && isnan(vm_digamma(NAN)) && isnan(vm_digamma(-INFINITY)));
    assert_true(vm_digamma(INFINITY) == INFINITY);
    assert_true(near(vm_lgamma(10), log(362880), 1e-14));
    assert_true(vm_lgamma(-1) == INFINITY);
}

/* ---- speed ---- */
static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static union { double wide[BLOCK]; float narrow[BLOCK]; } speed_x, speed_y, speed_r;

/* ns an element of one run of a loop over a block, at best. */
static double best_time(Loop *one, Loop2 *two) {
    double best = INFINITY;
    for (int run = 0; run < 200; run++) {
        double start = seconds();
        if (one) one(&speed_r, &speed_x, BLOCK);
        else two(speed_r.wide, speed_x.wide, speed_y.wide, BLOCK);
        double took = (seconds() - start) / BLOCK * 1e9;
        best = took < best ? took : best;
    }
    return best;
}

static int report_speed(void) {
    printf("%-12s %8s %8s   ns an element, vmath and libm\n", "", "vmath", "libm");
    for (int i = 0; i < FUNCTION_COUNT; i++) {
        const Function *f = &functions[i];
        for (int j = 0; j < BLOCK; j++) {
            double x = clamped(10 * (random_unit() - 0.4), f->from, f->to);
            if (f->single) speed_x.narrow[j] = (float)x;
            else speed_x.wide[j] = x;
        }
        printf("%-12s %8.2f %8.2f\n", f->name, best_time(f->loop, NULL), best_time(f->rival, NULL));
    }
    for (int j = 0; j < BLOCK; j++) {
        speed_x.wide[j] = 10 * random_unit();
        speed_y.wide[j] = 10 * (random_unit() - 0.5);
    }
    for (int i = 0; i < FUNCTION2_COUNT; i++)
        printf("%-12s %8.2f %8.2f\n", functions2[i].name, best_time(NULL, functions2[i].loop),
               best_time(NULL, functions2[i].rival));
    return 0;
}

int main(int count, char **arguments) {
#ifdef AT_LEVEL
    if (!__builtin_cpu_supports(AT_LEVEL))
        return puts("skipped: this processor is older than " AT_LEVEL) < 0;
#endif
    if (count > 1 && strcmp(arguments[1], "--speed") == 0) return report_speed();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_function_is_accurate),
        cmocka_unit_test(special_values_are_right),
        cmocka_unit_test(a_loop_and_a_call_agree_bit_for_bit),
        cmocka_unit_test(far_angles_are_left_to_the_libm),
        cmocka_unit_test(functions_of_two_are_accurate),
        cmocka_unit_test(functions_of_two_floats_are_accurate),
        cmocka_unit_test(special_pairs_are_right),
        cmocka_unit_test(digamma_and_lgamma_are_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
