/* The loops of x^y and of its derivative by x; a part of elem_kernels.c.
 *
 * The one idea: most exponents are one number for the whole array, and that number is small, so a
 * loop looks first whether all are the same and vmath.h has a product or a root for it. Elsewhere
 * each element still gets that product where its exponent asks for it, so a result does not depend
 * on its neighbours. */
#ifndef ELEM_POWER_H
#define ELEM_POWER_H
#include "elem.h"
#include "vmath.h"

#define POWER_LOOPS(T, bits, dtype, f)                                                             \
    static bool powers_alike_##dtype(int64_t n, const T *y) {                                      \
        bits differ = 0;                                                                           \
        if (y[0] != y[n - 1]) return false;                                                        \
        for (int64_t i = 0; i < n; i++) differ |= y[i] != y[0];                                    \
        return !differ;                                                                            \
    }                                                                                              \
    static void powers_##dtype(int64_t n, T *out, const T *x, const T *y) {                        \
        if (n <= 0) return;                                                                        \
        if (powers_alike_##dtype(n, y)) { VM_FIXED_POWERS(POWERS_IF_##dtype) }                     \
        enum { PART = 64 };                                                                        \
        for (int64_t i = 0; i < n; i += PART, x += PART, y += PART) {                              \
            T r[PART] __attribute__((aligned(64)));                                                \
            int count = n - i < PART ? (int)(n - i) : PART, fixed = 0;                             \
            for (int k = 0; k < count; k++) r[k] = vm_pow##f(x[k], y[k]);                          \
            for (int k = 0; k < count; k++) fixed |= vm_maybe_fixed((double)y[k]);                 \
            for (int k = 0; k < count && fixed; k++)                                               \
                if (vm_maybe_fixed((double)y[k])) r[k] = vm_pow_any##f(x[k], y[k]);                \
            memcpy(out + i, r, (size_t)count * sizeof(T));                                         \
        }                                                                                          \
    }
#define POWERS_FIXED(exponent, function)                                                           \
    if (y[0] == exponent) {                                                                        \
        _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) out[i] = function(x[i]);              \
        return;                                                                                    \
    }
#define POWERS_IF_f64(exponent, name) POWERS_FIXED(exponent, vm_pow_##name)
#define POWERS_IF_f32(exponent, name) POWERS_FIXED(exponent, vm_pow_##name##f)
POWER_LOOPS(double, int64_t, f64, )
POWER_LOOPS(float, int32_t, f32, f)

/* g y x^(y - 1), and 0 where y is 0; true if one is NaN. By double for both dtypes, since the power
 * may leave the range of float where the product does not. */
#define POWER_PULL(T, dtype)                                                                       \
    static bool power_pulls_##dtype(int64_t n, T *out, const T *g, const T *x, const T *y) {       \
        enum { PART = 64 };                                                                        \
        int nans = 0;                                                                              \
        for (int64_t i = 0; i < n; i += PART) {                                                    \
            double base[PART], less[PART];                                                         \
            int count = n - i < PART ? (int)(n - i) : PART;                                        \
            for (int k = 0; k < count; k++) base[k] = (double)x[i + k];                            \
            for (int k = 0; k < count; k++) less[k] = (double)y[i + k] - 1;                        \
            powers_f64(count, base, base, less);                                                   \
            for (int k = 0; k < count; k++) {                                                      \
                double d = y[i + k] == 0 ? 0 : (double)y[i + k] * base[k];                         \
                T r = (T)((double)g[i + k] * d);                                                   \
                nans |= r != r;                                                                    \
                out[i + k] = r;                                                                    \
            }                                                                                      \
        }                                                                                          \
        return nans != 0;                                                                          \
    }
POWER_PULL(double, f64)
POWER_PULL(float, f32)
#endif
