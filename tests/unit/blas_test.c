/* The kernels of OpenBLAS fit the processor, even if this OpenBLAS is older than it. */
#include "blas.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void a_processor_with_avx2_does_not_get_kernels_without(void **state) {
    (void)state;
#ifdef __x86_64__
    if (getenv("OPENBLAS_CORETYPE") || !__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) skip();
    assert_string_not_equal(blas_core(), "Prescott");
#endif
}

static void the_choice_leaves_the_environment_as_it_was(void **state) {
    (void)state;
    if (getenv("OPENBLAS_CORETYPE")) skip();
    blas();
    assert_null(getenv("OPENBLAS_CORETYPE"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_processor_with_avx2_does_not_get_kernels_without),
        cmocka_unit_test(the_choice_leaves_the_environment_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
