/* The kernel for products of few rows: each element is the sum in the order of k, whatever the
 * shape, and the levels with a fused multiply-add agree bit for bit. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "array.h"
#include "product_kernels.h"
#include "runtime_fixture.h"
#include <cmocka.h>   /* last: it has a fail() of its own */

enum { M = 21, N = 71, K = 9, LEAST = PRODUCT_ROW / sizeof(float) };

/* Calls each(x, y, p) for results of 1 .. M by LEAST .. N elements, x as it lies or flipped. */
static void for_each_shape(void (*each)(const float *x, const float *y, FewRows *p)) {
    float x[M * K], y[K * N], out[M * N];
    for (int i = 0; i < M * K; i++) x[i] = sinf((float)i * 3);
    for (int i = 0; i < K * N; i++) y[i] = cosf((float)i * 7);
    for (int m = 1; m <= M; m++)
        for (int n = LEAST; n <= N; n++)
            for (int flip = 0; flip < 2; flip++) {
                FewRows p = { m, n, K, x, y, flip ? 1 : K, flip ? m : 1, n, out, n };
                each(x, y, &p);
            }
}

static void check_sums(const float *x, const float *y, FewRows *p) {
    product_kernels->multiply[F32](p);
    for (int64_t i = 0; i < p->m; i++)
        for (int64_t j = 0; j < p->n; j++) {
            float sum = 0;
            for (int64_t k = 0; k < p->k; k++)
                sum = fmaf(x[i * p->x_row + k * p->x_column], y[k * p->y_row + j], sum);
            assert_memory_equal(&sum, (float *)p->out + i * p->n + j, sizeof sum);
        }
}

static void each_element_is_the_sum_in_the_order_of_k(void **state) {
    (void)state;
    if (!product_kernels->multiply[F32]) skip();
    for_each_shape(check_sums);
}

static void numbers_of_f64_are_multiplied_too(void **state) {
    (void)state;
    if (!product_kernels->multiply[F64]) skip();
    double x[3] = { 1, 2, 3 }, y[3 * 9], out[9];
    for (int i = 0; i < 27; i++) y[i] = i;
    product_kernels->multiply[F64](&(FewRows){ 1, 9, 3, x, y, 3, 1, 9, out, 9 });
    for (int j = 0; j < 9; j++) assert_true(out[j] == j + 2 * (j + 9) + 3 * (j + 18));
}

#ifdef __x86_64__
static void check_levels(const float *x, const float *y, FewRows *p) {
    float v3[M * N];
    size_t bytes = (size_t)(p->m * p->n) * sizeof *v3;
    (void)x, (void)y;
    product_kernels_v3.multiply[F32](p);
    memcpy(v3, p->out, bytes);
    product_kernels_v4.multiply[F32](p);
    assert_memory_equal(v3, p->out, bytes);
}

static void levels_agree_bit_for_bit(void **state) {
    (void)state;
    if (product_kernels != &product_kernels_v4) skip();
    for_each_shape(check_levels);
}
#endif

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_runtime, close_runtime)
int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(each_element_is_the_sum_in_the_order_of_k),
        TEST(numbers_of_f64_are_multiplied_too),
#ifdef __x86_64__
        TEST(levels_agree_bit_for_bit),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
