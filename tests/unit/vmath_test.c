/* The functions of vmath.h against the libm's long double ones, whose 64-bit mantissa makes them a
 * reference good to a thousandth of an ULP of double.
 *
 * The one idea: a function is a row of a table (name, reference, range, bound in ULP), and every row is
 * tried at the same kinds of points: even over its range, even over the exponents, around 1, and at the
 * specials. Results are computed in a loop, as the kernels do, so it is the vector code that is tested.
 * The bounds hold with FMA; without one a row may miss by one ULP more. `vmath_test --speed` reports
 * ns an element beside a loop over the libm instead. */
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

enum { POINTS = 100000, BLOCK = 4096 };
#define SLACK (VM_FUSED ? 0 : 1)

/* ---- references that the libm does not have ---- */
typedef long double Long;
static Long sigmoid_l(Long x) { return x < 0 ? expl(x) / (1 + expl(x)) : 1 / (1 + expl(-x)); }

static double sigmoid_of_libm(double x) { return 1 / (1 + exp(-x)); }

/*      name      reference       its rival       from   to    ULP */
#define FUNCTIONS(ROW)                                                                                 \
    ROW(exp,      expl,           exp,            -746,  710,   0.90)                                  \
    ROW(expm1,    expm1l,         expm1,          -40,   710,   0.90)                                  \
    ROW(log,      logl,           log,            0,     1e3,   0.90)                                  \
    ROW(log1p,    log1pl,         log1p,          -1,    1e3,   0.90)                                  \
    ROW(tanh,     tanhl,          tanh,           -22,   22,    1.00)                                  \
    ROW(sigmoid,  sigmoid_l,      sigmoid_of_libm, -746, 40,    1.00)                                  \
    ROW(sin,      sinl,           sin,            -1e6,  1e6,   0.90)                                  \
    ROW(cos,      cosl,           cos,            -1e6,  1e6,   0.90)

/* ---- the loops ---- */
typedef void Loop(double *restrict r, const double *restrict x, int count);
#define LOOPS(name, reference, rival, ...)                                                              \
    static void name##_loop(double *restrict r, const double *restrict x, int count) {                  \
        for (int i = 0; i < count; i++) r[i] = vm_##name(x[i]);                                         \
    }                                                                                                   \
    static void name##_rival(double *restrict r, const double *restrict x, int count) {                 \
        for (int i = 0; i < count; i++) r[i] = rival(x[i]);                                             \
    }
FUNCTIONS(LOOPS)

typedef struct Function {
    const char *name;
    Long (*reference)(Long);
    Loop *loop, *rival;
    double from, to, bound;
} Function;
static const Function functions[] = {
#define ENTRY(name, reference, rival, from, to, bound)                                                  \
    { #name, reference, name##_loop, name##_rival, from, to, bound },
    FUNCTIONS(ENTRY)
};
enum { FUNCTION_COUNT = sizeof functions / sizeof *functions };

/* ---- points ---- */
static uint64_t random_state = 0x9e3779b97f4a7c15;
static uint64_t random_bits(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    return random_state ^= random_state << 17;
}
static double random_unit(void) { return (double)(random_bits() >> 11) * 0x1p-53; }

static double clamped(double x, double from, double to) { return x < from ? from : x > to ? to : x; }

/* The i-th point in the range: four kinds in turn. */
static double point(int i, double from, double to) {
    double even = from + (to - from) * random_unit();
    double sign = random_bits() & 1 ? 1 : -1;
    double any_size = sign * ldexp(1 + random_unit(), (int)(random_bits() % 2098) - 1074);
    double moderate = sign * 8 * random_unit();
    double near_one = sign * (1 + ldexp(random_unit() - 0.5, -(int)(random_bits() % 50)));
    const double kinds[] = { even, any_size, moderate, near_one };
    return clamped(kinds[i % 4], from, to);
}

/* How far from the exact value, in units of the last place of a double there. */
static double ulps(double got, Long exact) {
    if (isnan(exact)) return isnan(got) ? 0 : INFINITY;
    if (isinf((double)exact) || isinf(got)) return got == (double)exact ? 0 : INFINITY;
    int exponent = exact == 0 ? -1022 : ilogbl(exact);
    return (double)(fabsl(got - exact) / ldexpl(1, (exponent < -1022 ? -1022 : exponent) - 52));
}

static double worst(const Function *f, double *at) {
    static double x[BLOCK], r[BLOCK];
    double most = 0;
    for (int done = 0; done < POINTS; done += BLOCK) {
        for (int i = 0; i < BLOCK; i++) x[i] = point(i, f->from, f->to);
        f->loop(r, x, BLOCK);
        for (int i = 0; i < BLOCK; i++) {
            double error = ulps(r[i], f->reference(x[i]));
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
        printf("%-12s %7.3f ULP at %.17g%s\n", functions[i].name, most, at, bad ? "   TOO MUCH" : "");
        failures += bad;
    }
    assert_int_equal(failures, 0);
}

/* ---- special values ---- */
static const double specials[] = {
    0.0, -0.0, INFINITY, -INFINITY, NAN, 1, -1, 0.5, -0.5, 2, -2, 3, 1e-300, -1e-300, 0x1p-1074, -0x1p-1074,
    0x1p-1022, 0x1.fffffffffffffp-1023, DBL_MAX, -DBL_MAX, 0x1p-54, 0x1p-27, 1 + 0x1p-52, 1 - 0x1p-53, -1 + 0x1p-53,
    709.782712893384, 709.7827128933841, 710, 710.4758600739439, 710.475860073944, -708.3964185322641, -745.1332191019411, -745.1332191019412, -746, 36.7,
    -36.7, 18.4, 22, 0x1.921fb54442d18p+0, 0x1.921fb54442d18p+1, 0x1.6ac5b262ca1ffp+19, 1e5, 0x1p20, 1023.5, 1024, -1074, -1075, 170, 1.5707963267948966,
};
enum { SPECIAL_COUNT = sizeof specials / sizeof *specials };

static bool same_special(double got, double expected) {
    if (isnan(expected)) return isnan(got);
    return !signbit(got) == !signbit(expected);
}

static void special_values_are_right(void **state) {
    (void)state;
    int failures = 0;
    for (int i = 0; i < FUNCTION_COUNT; i++) {
        const Function *f = &functions[i];
        double r[SPECIAL_COUNT];
        f->loop(r, specials, SPECIAL_COUNT);
        bool trig = f->rival == sin_rival || f->rival == cos_rival;
        for (int j = 0; j < SPECIAL_COUNT; j++) {
            Long exact = f->reference(specials[j]);
            if (trig && vm_far(specials[j]) && isfinite(specials[j])) continue;
            if (same_special(r[j], (double)exact) && ulps(r[j], exact) <= f->bound + SLACK) continue;
            printf("%s(%a) = %a, not %a\n", f->name, specials[j], r[j], (double)exact);
            failures++;
        }
    }
    assert_int_equal(failures, 0);
}

/* ---- speed ---- */
static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double best_time(Loop *loop, const Function *f) {
    static double x[BLOCK], r[BLOCK];
    double best = INFINITY;
    for (int i = 0; i < BLOCK; i++) x[i] = clamped(10 * (random_unit() - 0.4), f->from, f->to);
    for (int run = 0; run < 60; run++) {
        double start = seconds();
        for (int i = 0; i < 4; i++) {
            loop(r, x, BLOCK);
            __asm__ volatile("" : : "r"(r) : "memory");
        }
        double took = (seconds() - start) / 4 / BLOCK * 1e9;
        best = took < best ? took : best;
    }
    return best;
}

static int report_speed(void) {
    printf("%-12s %8s %8s   ns an element, vmath and libm\n", "", "vmath", "libm");
    for (int i = 0; i < FUNCTION_COUNT; i++)
        printf("%-12s %8.2f %8.2f\n", functions[i].name, best_time(functions[i].loop, &functions[i]),
               best_time(functions[i].rival, &functions[i]));
    return 0;
}

int main(int count, char **arguments) {
    if (count > 1 && strcmp(arguments[1], "--speed") == 0) return report_speed();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_function_is_accurate),
        cmocka_unit_test(special_values_are_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
