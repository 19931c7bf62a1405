/* vmath_test.c once more, as the kernels of an x86-64-v3 processor are compiled: with FMA, in
 * AVX2 vectors. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#pragma GCC target("arch=x86-64-v3")
#pragma GCC optimize("O3")
#define AT_LEVEL "x86-64-v3"
#endif
#include "vmath_test.c"
