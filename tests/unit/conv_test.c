/* Convolution by the kernels of each instruction set: those with a fused multiply-add agree bit for
 * bit, and all agree with each other within rounding. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "array.h"
#include "conv_direct.h"
#include "conv_kernels.h"
#include "ops.h"
#include "par.h"
#include "runtime_fixture.h"
#include <cmocka.h>   /* last: it has a fail() of its own */

enum { IMAGES = 2 * 3 * 11 * 13, WEIGHTS = 7 * 3 * 3 * 2, RESULTS = 2 * 7 * 11 * 12 };
typedef struct Results { float result[RESULTS], images[IMAGES], weights[WEIGHTS]; } Results;

static void convolve_with(const ConvKernels *kernels, Results *to) {
    const Sliding s = { .batch = 2, .groups = 1, .channels = 3, .outputs = 7, .rows = 11,
                        .columns = 13, .window_rows = 3, .window_columns = 2, .row_border = 1,
                        .column_border = 0, .down = 11, .across = 12, .dtype = F32 };
    const ConvKernels *chosen = conv_kernels;
    float x[IMAGES], w[WEIGHTS], g[RESULTS];
    for (int i = 0; i < IMAGES; i++) x[i] = sinf((float)i);
    for (int i = 0; i < WEIGHTS; i++) w[i] = cosf((float)i * 3);
    for (int i = 0; i < RESULTS; i++) g[i] = sinf((float)i * 7);
    conv_kernels = kernels;
    slide(&s, x, w, to->result);
    slide_back(&s, g, w, to->images);
    assert_true(slide_weights(&s, x, g, to->weights));
    conv_kernels = chosen;
}

#ifdef __x86_64__
static void fused_kernels_agree_bit_for_bit(void **state) {
    (void)state;
    Results v3, v4;
    if (conv_kernels != &conv_kernels_v4) skip();
    convolve_with(&conv_kernels_v3, &v3);
    convolve_with(&conv_kernels_v4, &v4);
    assert_memory_equal(&v3, &v4, sizeof v3);
}

static void kernels_without_fusing_are_as_near_as_rounding_lets_them(void **state) {
    (void)state;
    Results v2, best;
    convolve_with(&conv_kernels_v2, &v2);
    convolve_with(conv_kernels, &best);
    const float *a = v2.result, *b = best.result;
    for (size_t i = 0; i < sizeof v2 / sizeof *a; i++) assert_true(fabsf(a[i] - b[i]) < 2e-5f);
}
#endif

static void threads_change_no_bit(void **state) {
    (void)state;
    Results one, many;
    convolve_with(conv_kernels, &one);
    par_threads_set(2);
    convolve_with(conv_kernels, &many);
    par_threads_set(1);
    assert_memory_equal(&one, &many, sizeof one);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_runtime, close_runtime)
int main(void) {
    const struct CMUnitTest tests[] = {
#ifdef __x86_64__
        TEST(fused_kernels_agree_bit_for_bit),
        TEST(kernels_without_fusing_are_as_near_as_rounding_lets_them),
#endif
        TEST(threads_change_no_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
