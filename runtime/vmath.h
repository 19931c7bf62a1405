/* Elementary functions of one double (and of one float) for the loops of the elementwise
 * kernels.
 *
 * The one idea: every function is a straight line of multiplications, additions, shifts and
 * selects, without a branch, a table or a call, so a loop over it becomes SIMD code on whatever
 * instruction set the including file is compiled for. The same text is a good scalar function
 * too.
 *
 * What the includer owes it: -ffp-contract=off (rounding errors are computed, not guessed), and
 * for vector loops -O3 -fno-math-errno -fno-trapping-math; never -ffast-math. Only two things
 * depend on the target: where there is a fused multiply-add, VM_FMA is one, and the error of a
 * product costs one operation instead of a dozen. All targets with FMA agree bit for bit; one
 * without stays within an ULP of them.
 *
 * Far arguments. vm_sin, vm_cos and vm_tan reduce by Cody and Waite's method and are right for
 * |x| <= VM_TRIG_LIMIT (and for inf and NaN); what is farther needs a table of 1200 bits of
 * 2/pi, which does not belong into a vector loop. A loop over them therefore also asks
 * vm_far(x), e.g.
 *
 *     bool far = false;
 *     for (i = 0; i < n; i++) { r[i] = vm_sin(x[i]); far |= vm_far(x[i]); }
 *     if (far) for (i = 0; i < n; i++) r[i] = vm_sin_any(x[i]);
 *
 * vm_sin_any(x) is vm_sin(x) where that is right and the libm's sin(x) elsewhere, so an
 * element's result does not depend on its neighbours. The float versions need the same care.
 *
 * Methods, and where they are from:
 *   argument reduction in parts        Cody and Waite, Software Manual for the Elementary
 *                                      Functions (1980)
 *   rounding by adding 1.5 * 2^52      the same; the sum has the integer in its low bits
 *   log by s = f / (2 + f)             Tang, ACM TOMS 16 (1990); also Sun's fdlibm (1993)
 *   sums and products with their error Dekker, Numerische Mathematik 18 (1971); Knuth, TAOCP 2
 * The coefficients are minimax, from Remez' exchange algorithm in 60-digit arithmetic. */
#ifndef VMATH_H
#define VMATH_H
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define VM static inline __attribute__((always_inline, unused, const))

#if defined(__FMA__) || defined(VMATH_FMA) || defined(__ARM_FEATURE_FMA)
#define VM_FUSED 1
#define VM_FMA(a, b, c) __builtin_fma(a, b, c)
#define VM_FMAF(a, b, c) __builtin_fmaf(a, b, c)
#else
#define VM_FUSED 0
#define VM_FMA(a, b, c) ((a) * (b) + (c))
#define VM_FMAF(a, b, c) ((a) * (b) + (c))
#endif

#define VM_TRIG_LIMIT 0x1p20   /* 33-bit parts of pi/2 times a 20-bit integer are exact */
#define VM_PI 0x1.921fb54442d18p+1
#define VM_INFINITY __builtin_inf()
#define VM_NAN __builtin_nan("")
#define VM_SHIFT 0x1.8p52      /* added to |x| < 2^51, it leaves x rounded to an integer */
#define VM_LN2_HI 0x1.62e42feep-1         /* 32 bits: times an exponent it is exact */
#define VM_LN2_LO 0x1.a39ef35793c76p-33
#define VM_LOG2_E 0x1.71547652b82fep+0

/* An unevaluated sum. After vm_sum and vm_product lo is the rounding error of hi; elsewhere it may
 * be larger, as the comments say. */
typedef struct VmPair { double hi, lo; } VmPair;

/* ---- bits ---- */
VM uint64_t vm_bits(double x) { uint64_t bits; memcpy(&bits, &x, sizeof bits); return bits; }
VM double vm_of_bits(uint64_t bits) { double x; memcpy(&x, &bits, sizeof x); return x; }
VM double vm_flip_sign(double x, uint64_t sign) { return vm_of_bits(vm_bits(x) ^ sign); }
VM uint64_t vm_sign(double x) { return vm_bits(x) & ((uint64_t)1 << 63); }

/* 2^k for -1022 <= k <= 1023. Only the low 12 bits of k matter. */
VM double vm_power_of_two(uint64_t k) { return vm_of_bits((k + 1023) << 52); }

/* x 2^k, for -2046 <= k <= 2046, rounded once also if it is subnormal: 2^k is applied in two
 * halves. */
VM double vm_scale(double x, uint64_t k) {
    uint64_t both = k + 2046, half = both >> 1;
    return x * vm_of_bits(half << 52) * vm_of_bits((both - half) << 52);
}

/* ---- sums and products with their rounding errors ---- */

/* |a| >= |b|, or a = 0. */
VM VmPair vm_sum_ordered(double a, double b) {
    double sum = a + b;
    return (VmPair){ sum, b - (sum - a) };
}

VM VmPair vm_sum(double a, double b) {
    double sum = a + b, part = sum - a;
    return (VmPair){ sum, (a - (sum - part)) + (b - part) };
}

VM VmPair vm_product(double a, double b) {
    double product = a * b;
#if VM_FUSED
    return (VmPair){ product, VM_FMA(a, b, -product) };
#else
    const uint64_t high = ~(uint64_t)0 << 27;   /* 26 bits of a factor: all products are exact */
    double a_hi = vm_of_bits(vm_bits(a) & high), a_lo = a - a_hi;
    double b_hi = vm_of_bits(vm_bits(b) & high), b_lo = b - b_hi;
    return (VmPair){ product, ((a_hi * b_hi - product) + a_hi * b_lo + a_lo * b_hi) + a_lo * b_lo };
#endif
}

/* a - q b, in which nearly everything cancels: what division and square root left over. */
VM double vm_rest(double a, double q, double b) {
#if VM_FUSED
    return VM_FMA(-q, b, a);
#else
    VmPair product = vm_product(q, b);
    return (a - product.hi) - product.lo;
#endif
}

/* (a.hi + a.lo) / (b.hi + b.lo), rounded nearly once. b.lo and a.lo are rounding errors. */
VM VmPair vm_quotient_pair(VmPair a, VmPair b) {
    double inverse = 1 / b.hi, q = a.hi * inverse;
    return (VmPair){ q, (vm_rest(a.hi, q, b.hi) + (a.lo - q * b.lo)) * inverse };
}

/* The square root of x.hi + x.lo >= 0. */
VM VmPair vm_root_pair(VmPair x) {
    double root = __builtin_sqrt(x.hi);
    return (VmPair){ root, root > 0 ? (vm_rest(x.hi, root, root) + x.lo) / (2 * root) : 0 };
}

/* ---- polynomials ----
 * Pairs of terms by Horner's rule in x^2, which halves the chain of dependencies. */
#define VM_TERM(a, b) VM_FMA(x, b, a)
VM double vm_poly4(double x, double a, double b, double c, double d) {
    return VM_FMA(x * x, VM_TERM(c, d), VM_TERM(a, b));
}
VM double vm_poly5(double x, double a, double b, double c, double d, double e) {
    double z = x * x;
    return VM_FMA(z, VM_FMA(z, e, VM_TERM(c, d)), VM_TERM(a, b));
}
VM double vm_poly6(double x, double a, double b, double c, double d, double e, double f) {
    double z = x * x;
    return VM_FMA(z, VM_FMA(z, VM_TERM(e, f), VM_TERM(c, d)), VM_TERM(a, b));
}
VM double vm_poly7(double x, double a, double b, double c, double d, double e, double f, double g) {
    return VM_FMA(x * x, vm_poly5(x, c, d, e, f, g), VM_TERM(a, b));
}
VM double vm_poly8(double x, double a, double b, double c, double d, double e, double f, double g,
                   double h) {
    return VM_FMA(x * x, vm_poly6(x, c, d, e, f, g, h), VM_TERM(a, b));
}
VM double vm_poly11(double x, double a, double b, double c, double d, double e, double f, double g,
                    double h, double i, double j, double k) {
    double z = x * x;
    return VM_FMA(z, VM_FMA(z, vm_poly7(x, e, f, g, h, i, j, k), VM_TERM(c, d)), VM_TERM(a, b));
}
VM double vm_poly12(double x, double a, double b, double c, double d, double e, double f, double g,
                    double h, double i, double j, double k, double l) {
    double z = x * x;
    return VM_FMA(z, VM_FMA(z, vm_poly8(x, e, f, g, h, i, j, k, l), VM_TERM(c, d)), VM_TERM(a, b));
}
VM double vm_poly13(double x, double a, double b, double c, double d, double e, double f, double g,
                    double h, double i, double j, double k, double l, double m) {
    return VM_FMA(x * x, vm_poly11(x, c, d, e, f, g, h, i, j, k, l, m), VM_TERM(a, b));
}
#undef VM_TERM

/* ---- the families ---- */
#include "vmath_exp.h"
#include "vmath_log.h"
#include "vmath_power.h"
#include "vmath_trig.h"
#include "vmath_erf.h"

/* ---- scalar functions: calls and loops, which no vector code is made of ---- */

static inline double vm_lgamma(double x) { int sign; return lgamma_r(x, &sign); }

/* psi(x): by psi(x) = psi(x + 1) - 1 / x to x >= 10, where log x - 1 / (2x) - sum B_2n / (2n
 * x^2n) is exact to double (Abramowitz and Stegun 6.3.5, 6.3.18); by psi(1 - x) - pi / tan(pi x)
 * for negative x (6.3.7). */
static inline double vm_digamma(double x) {
    double r = 0;
    if (x == 0) return __builtin_copysign(VM_INFINITY, -x);
    if (x < 0) {
        double part = x - __builtin_floor(x);
        if (part == 0 || x == -VM_INFINITY) return VM_NAN;
        r = -VM_PI / tan(VM_PI * (part > 0.5 ? part - 1 : part));
        x = 1 - x;
    }
    double above = 0, below = 1;     /* the sum of 1 / x, as one quotient */
    for (; x < 10; x++) above = VM_FMA(above, x, below), below *= x;
    r -= above / below;
    double z = 1 / (x * x);
    double tail = z * vm_poly7(z, 1.0 / 12, -1.0 / 120, 1.0 / 252, -1.0 / 240, 1.0 / 132,
                               -691.0 / 32760, 1.0 / 12);
    return r + (vm_log(x) - 0.5 / x - tail);
}

#include "vmathf.h"
#endif
