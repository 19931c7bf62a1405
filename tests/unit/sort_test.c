/* Sorting by the kernels of each instruction set, compared bit for bit with the C library's qsort:
 * lines of every kind of length, of numbers that are odd in every way. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "array.h"
#include "kernels.h"
#include "runtime_fixture.h"
#include "sort_kernels.h"
#include <cmocka.h>   /* last: it has a fail() of its own */

/* ---- the reference ---- */
typedef struct Ranked { double x; int64_t place; } Ranked;

static bool zeros_differ;   /* to sort they do, to argsort they are equal */

static int compare(const void *a_, const void *b_) {
    const Ranked *a = a_, *b = b_;
    bool a_nan = a->x != a->x, b_nan = b->x != b->x;
    if (a_nan != b_nan) return a_nan - b_nan;
    if (a->x < b->x || a->x > b->x) return a->x < b->x ? -1 : 1;
    int signs = zeros_differ && !a_nan ? !!signbit(b->x) - !!signbit(a->x) : 0;
    return signs ? signs : (a->place > b->place) - (a->place < b->place);
}

/* ---- lines ---- */
static double draw(int64_t i) { return rand_unit((uint64_t)i * 7919) - .5; }
static double wide(int64_t i) {
    return ldexp(draw(i), (int)(rand_bits((uint64_t)i) % 2000) - 1000);
}
static double few(int64_t i) { return floor(draw(i) * 10) / 7; }
static double two(int64_t i) { return draw(i) < 0; }
static double equal(int64_t i) { (void)i; return 1; }
static double rising(int64_t i) { return (double)(i / 3); }
static double falling(int64_t i) { return (double)(-i / 3); }
static double organ_pipes(int64_t i) { return (double)(i % 512 < 256 ? i % 512 : 512 - i % 512); }
/* Doubles that differ in their last bits alone. */
static double near(int64_t i) {
    return copysign(1 + floor(draw(i) * 50) * DBL_EPSILON, draw(i + 1));
}
static double odd(int64_t i) {
    const double some[] = { NAN, -NAN, INFINITY, -INFINITY, 0.0, -0.0, 5e-324, -5e-324, DBL_MAX,
                            -DBL_MAX, 1, -1, 1e-40, -1e-40, FLT_MAX, -FLT_MAX };
    return some[rand_bits((uint64_t)i) % 16];
}
static double zeros(int64_t i) { return copysign(0, draw(i)); }
static double nans(int64_t i) { return draw(i) < -.2 ? draw(i + 1) : NAN; }
static double (*const kinds[])(int64_t) = { draw,   wide,    few,         two,  equal, rising,
                                            falling, organ_pipes, near, odd,  zeros, nans };
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static void assert_sorted(const double *x, const Array *sorted, int64_t lines, int64_t length,
                          bool places) {
    Ranked *line = calloc((size_t)length + 1, sizeof *line);
    zeros_differ = !places;
    for (int64_t i = 0; i < lines; i++) {
        for (int64_t j = 0; j < length; j++) line[j] = (Ranked){ x[i * length + j], j };
        qsort(line, (size_t)length, sizeof *line, compare);
        for (int64_t j = 0; j < length; j++) {
            int64_t at = i * length + j;
            double value = line[j].x == line[j].x ? line[j].x : NAN;
            double expected = places ? (double)line[j].place : value;
            double got = sorted->dtype == F32 ? (double)((const float *)sorted->data)[at]
                                              : f64_of(sorted)[at];
            assert_memory_equal(&expected, &got, sizeof got);
        }
    }
    free(line);
}

static void sort_lines(int dtype, int64_t lines, int64_t length, double (*kind)(int64_t)) {
    size_t mark = pool_mark();
    Array *exact = array_new(F64, 2, (int64_t[]){ lines, length });
    for (int64_t i = 0; i < exact->size; i++)
        f64_of(exact)[i] = dtype == F32 ? (double)(float)kind(i) : kind(i);
    Value x = value_of_dtype(exact, dtype), key = array_value(exact);
    Attr attr[] = { 0, 1 };
    assert_sorted(f64_of(exact), array_of(kernel_sort(1, &x, attr)), lines, length, false);
    assert_sorted(f64_of(exact), array_of(kernel_argsort(1, &key, attr)), lines, length, true);
    pool_unwind(mark);
}

static void sort_all_with(const SortKernels *kernels) {
    const int64_t shapes[][2] = {
        { 1, 1 },   { 3, 2 },   { 50, 8 },  { 100, 10 }, { 70, 13 }, { 40, 16 },
        { 1, 17 },  { 1, 33 },  { 1, 64 },  { 1, 65 },   { 1, 127 }, { 1, 128 },
        { 1, 129 }, { 1, 256 }, { 1, 257 }, { 2, 700 },  { 1, 5000 },
    };
    const SortKernels *chosen = sort_kernels;
    sort_kernels = kernels;
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        for (int kind = 0; kind < KINDS; kind++)
            for (int dtype = 0; dtype < 2; dtype++)
                sort_lines(dtype ? F32 : F64, shapes[i][0], shapes[i][1], kinds[kind]);
    sort_kernels = chosen;
}

/* ---- a network that sorts all lines of zeros and ones sorts all lines ---- */
static double digit(int64_t i) { return (double)(i / 16 >> i % 16 & 1); }

static void sort_zeros_and_ones_with(const SortKernels *kernels) {
    const SortKernels *chosen = sort_kernels;
    sort_kernels = kernels;
    sort_lines(F32, 1 << 16, 16, digit);
    sort_kernels = chosen;
}

static void chosen_kernels_sort_as_qsort(void **state) {
    (void)state;
    sort_all_with(sort_kernels);
    sort_zeros_and_ones_with(sort_kernels);
}

#ifdef __x86_64__
static void kernels_of_avx2_sort_as_qsort(void **state) {
    (void)state;
    if (sort_kernels != &sort_kernels_v4) skip();
    sort_all_with(&sort_kernels_v3);
}

static void kernels_of_sse2_sort_as_qsort(void **state) {
    (void)state;
    sort_all_with(&sort_kernels_v2);
}
#endif

static double scattered(int64_t i) { return (double)(i * (int64_t)2654435761 % 99991); }
static void long_lines_sort_as_qsort(void **state) {
    (void)state;
    sort_lines(F64, 1, 200000, scattered);
    sort_lines(F32, 1, 200000, wide);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_runtime, close_runtime)
int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(chosen_kernels_sort_as_qsort),
#ifdef __x86_64__
        TEST(kernels_of_avx2_sort_as_qsort),
        TEST(kernels_of_sse2_sort_as_qsort),
#endif
        TEST(long_lines_sort_as_qsort),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
