/* Elementary functions of one double (and of one float) for the loops of the elementwise kernels.
 *
 * The one idea: every function is a straight line of multiplications, additions, shifts and selects,
 * without a branch, a table or a call, so a loop over it becomes SIMD code on whatever instruction
 * set the including file is compiled for. The same text is a good scalar function too.
 *
 * What the includer owes it: -ffp-contract=off (rounding errors are computed, not guessed), and for
 * vector loops -O3 -fno-math-errno -fno-trapping-math; never -ffast-math. Only two things depend on
 * the target: where there is a fused multiply-add, VM_FMA is one, and the error of a product costs
 * one operation instead of a dozen. All targets with FMA agree bit for bit; one without stays
 * within an ULP of them.
 *
 * Far arguments. vm_sin, vm_cos and vm_tan reduce by Cody and Waite's method and are right for
 * |x| <= VM_TRIG_LIMIT (and for inf and NaN); what is farther needs a table of 1200 bits of 2/pi,
 * which does not belong into a vector loop. A loop over them therefore also asks vm_far(x), e.g.
 *
 *     bool far = false;
 *     for (i = 0; i < n; i++) { r[i] = vm_sin(x[i]); far |= vm_far(x[i]); }
 *     if (far) for (i = 0; i < n; i++) r[i] = vm_sin_any(x[i]);
 *
 * vm_sin_any(x) is vm_sin(x) where that is right and the libm's sin(x) elsewhere, so an element's
 * result does not depend on its neighbours. The float versions need the same care.
 *
 * Methods, and where they are from:
 *   argument reduction in parts        Cody and Waite, Software Manual for the Elementary Functions (1980)
 *   rounding by adding 1.5 * 2^52      the same; it also yields the integer, in the low bits of the sum
 *   log by s = f / (2 + f)             Tang, ACM TOMS 16 (1990); also Sun's fdlibm (1993)
 *   sums and products with their error Dekker, Numerische Mathematik 18 (1971); Knuth, TAOCP 2, 4.2.2
 * The coefficients are minimax, by Remez' exchange algorithm in 60-digit arithmetic, rounded to double. */
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

/* x 2^k, for -2046 <= k <= 2046, rounded once also if it is subnormal: 2^k is applied in two halves. */
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
    const uint64_t high = ~(uint64_t)0 << 27;   /* 26 bits of each factor, so that all four products are exact */
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

/* ---- polynomials: pairs of terms by Horner's rule in x^2, which halves the chain of dependencies ---- */
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
VM double vm_poly8(double x, double a, double b, double c, double d, double e, double f, double g, double h) {
    return VM_FMA(x * x, vm_poly6(x, c, d, e, f, g, h), VM_TERM(a, b));
}
VM double vm_poly11(double x, double a, double b, double c, double d, double e, double f, double g, double h,
                    double i, double j, double k) {
    double z = x * x;
    return VM_FMA(z, VM_FMA(z, vm_poly7(x, e, f, g, h, i, j, k), VM_TERM(c, d)), VM_TERM(a, b));
}
#undef VM_TERM

/* ---- exp and its relatives ---- */

/* e^(x + x_lo) = 2^k (1 + p.hi + p.lo), where p.hi is exact, |p.hi| < 0.35 and |p.lo| < 0.08; |x| < 2^10. */
typedef struct VmExp { uint64_t k; VmPair p; } VmExp;
VM VmExp vm_exp_parts(double x, double x_lo) {
    double shifted = VM_FMA(x, VM_LOG2_E, VM_SHIFT), k = shifted - VM_SHIFT;
    double r_hi = VM_FMA(-k, VM_LN2_HI, x), r_lo = VM_FMA(-k, VM_LN2_LO, x_lo), r = r_hi + r_lo;
    double q = vm_poly11(r, 0.5, 0.16666666666666674, 0.041666666666666692, 0.0083333333333228416,
                         0.0013888888888869328, 0.00019841269883512857, 2.4801587356862835e-05,
                         2.7557246530023269e-06, 2.7557245277790503e-07, 2.510830791075881e-08,
                         2.0923798072188301e-09);
    return (VmExp){ vm_bits(shifted), { r_hi, VM_FMA(r * r, q, r_lo) } };
}

VM double vm_clamp(double x, double low, double high) {
    x = x > high ? high : x;
    return x < low ? low : x;   /* NaN passes */
}

VM double vm_exp(double x) {
    VmExp e = vm_exp_parts(vm_clamp(x, -746, 710), 0);
    return vm_scale(1 + (e.p.hi + e.p.lo), e.k);
}

/* (e^x - 1) / 2 for -50 < x <= 710, as a pair with a small lo. The half keeps 2^k finite. */
VM VmPair vm_half_expm1(double x) {
    VmExp e = vm_exp_parts(x, 0);
    double power = vm_power_of_two(e.k - 1);
    VmPair less = vm_sum(power, -0.5), sum = vm_sum_ordered(less.hi, e.p.hi * power);
    return vm_sum_ordered(sum.hi, VM_FMA(e.p.lo, power, sum.lo + less.lo));
}

VM double vm_expm1(double x) {
    VmPair half = vm_half_expm1(vm_clamp(x, -40, 710));
    return __builtin_fabs(x) < 0x1p-54 ? x : 2 * half.hi;
}

/* tanh |x| = -(e^(-2|x|) - 1) / (e^(-2|x|) + 1), and the quotient with the error of both. */
VM double vm_tanh(double x) {
    double a = __builtin_fabs(x);
    VmPair below = vm_half_expm1(-2 * (a > 20 ? 20 : a));
    VmPair above = vm_sum_ordered(1, below.hi);
    VmPair q = vm_quotient_pair(below, (VmPair){ above.hi, above.lo + below.lo });
    double r = __builtin_copysign(q.hi + q.lo, x);
    return a < 0x1p-28 ? x : r;
}

/* e^x for -1074 < x <= 0 and more below, as (p.hi + p.lo) first second, the latter two powers of two. */
typedef struct VmScaled { VmPair p; double first, second; } VmScaled;
VM VmScaled vm_exp_scaled(double x) {
    VmExp e = vm_exp_parts(x < -746 ? -746 : x, 0);
    VmPair sum = vm_sum_ordered(1, e.p.hi);
    uint64_t both = e.k + 2046, half = both >> 1;
    return (VmScaled){ vm_sum_ordered(sum.hi, sum.lo + e.p.lo), vm_of_bits(half << 52), vm_of_bits((both - half) << 52) };
}

/* For e = e^-|x|: 1 / (1 + e), or e / (1 + e) for a negative x, there scaled last so that it may be subnormal. */
VM double vm_sigmoid(double x) {
    VmScaled e = vm_exp_scaled(-__builtin_fabs(x));
    VmPair below = vm_sum_ordered(1, e.p.hi * e.first * e.second);
    below.lo += e.p.lo * e.first * e.second;
    bool negative = x < 0;
    VmPair above = { negative ? e.p.hi : 1, negative ? e.p.lo : 0 };
    VmPair q = vm_quotient_pair(above, below);
    return (q.hi + q.lo) * (negative ? e.first : 1) * (negative ? e.second : 1);
}

/* ---- log and its relatives ---- */

/* x = 2^k (1 + f) for a normal x > 0, sqrt(1/2) <= 1 + f < sqrt(2); s = f / (2 + f); power = 2 / 2^k (0 if k = 1024). */
typedef struct VmLog { double k, f, s, power; } VmLog;
VM VmLog vm_log_parts(double x) {
    const uint64_t root = 0x3fe6a09e667f3bcd, one = 0x3ff0000000000000;   /* the bits of sqrt(1/2) and of 1 */
    uint64_t shifted = vm_bits(x) + (one - root), exponent = shifted >> 52;
    double k = vm_of_bits(exponent | 0x4330000000000000) - (0x1p52 + 1023);
    double f = vm_of_bits((shifted & 0x000fffffffffffff) + root) - 1;
    return (VmLog){ k, f, f / (2 + f), vm_of_bits((2047 - exponent) << 52) };
}

/* log(1 + f) = f - f^2/2 + s (f^2/2 + R(s^2)): the part after f. */
VM double vm_log_tail(double f, double s) {
    double z = s * s, half = 0.5 * f * f;
    double r = z * vm_poly7(z, 0.66666666666666696, 0.399999999998982, 0.28571428626511181, 0.2222221105459887,
                            0.1818289454566594, 0.1533155291557555, 0.14618416415338947);
    return VM_FMA(s, half + r, -half);
}

/* k ln 2 + log(1 + f) + more, as a pair. |lo| is below 0.1 and small against hi unless that is 0. */
VM VmPair vm_log_sum(double k, double f, double s, double more) {
    double hi = VM_FMA(k, VM_LN2_HI, f), error = VM_FMA(k, VM_LN2_HI, -hi) + f;
    return (VmPair){ hi, error + (vm_log_tail(f, s) + VM_FMA(k, VM_LN2_LO, more)) };
}

/* log(x + x_lo) + extra ln 2 for a normal x > 0 and a rounding error x_lo: 1 / (1 + f) = (1 - s) / (1 + s). */
VM VmPair vm_log_pair(double x, double x_lo, double extra) {
    VmLog l = vm_log_parts(x);
    double c = x_lo * l.power * (0.5 - 0.5 * l.s) * VM_FMA(l.s, l.s - 1, 1);
    return vm_log_sum(l.k + extra, l.f, l.s, c);
}

/* The logarithm r of x where x is 0, negative, infinite or NaN; log(0) is at x = zero. */
VM double vm_log_special(double x, double zero, double r) {
    r = x > zero ? r : x == zero ? -VM_INFINITY : VM_NAN;
    return x < VM_INFINITY ? r : x;
}

/* A subnormal x times 2^54; k is then -54, else 0. */
typedef struct VmNormal { double x, k; } VmNormal;
VM VmNormal vm_normal(double x) {
    bool small = x < 0x1p-1022;
    return (VmNormal){ small ? x * 0x1p54 : x, small ? -54 : 0 };
}

VM double vm_log(double x) {
    VmNormal normal = vm_normal(x);
    VmLog l = vm_log_parts(normal.x);
    VmPair r = vm_log_sum(l.k + normal.k, l.f, l.s, 0);
    return vm_log_special(x, 0, r.hi + r.lo);
}

VM double vm_log1p(double x) {
    VmPair u = vm_sum(1, x), log = vm_log_pair(u.hi, u.lo, 0);
    double r = vm_log_special(x, -1, log.hi + log.lo);
    return __builtin_fabs(x) < 0x1p-54 ? x : r;
}

/* ---- trigonometry ---- */

/* |x| = quadrant pi/2 + hi + lo, |hi| <= pi/4. The parts of pi/2 have 33, 33, 33 and 53 bits. */
typedef struct VmAngle { uint64_t quadrant; double hi, lo; } VmAngle;
VM VmAngle vm_angle(double x) {
    const double part1 = 0x1.921fb544p+0, part2 = 0x1.0b4611a6p-34, part3 = 0x1.3198a2ep-69, part4 = 0x1.b839a252049c1p-104;
    double shifted = VM_FMA(x, 0x1.45f306dc9c883p-1, VM_SHIFT), n = VM_SHIFT - shifted;
    double a = VM_FMA(n, part1, x);
    double b = VM_FMA(n, part2, a), b_lo = VM_FMA(n, part2, a - b);
    double c = VM_FMA(n, part3, b), c_lo = VM_FMA(n, part3, b - c);
    VmPair r = vm_sum_ordered(c, VM_FMA(n, part4, b_lo + c_lo));
    return (VmAngle){ vm_bits(shifted), r.hi, r.lo };
}

/* sin(x + x_lo) for |x| <= pi/4, as a pair whose lo is below 0.1 */
VM VmPair vm_sin_near(double x, double x_lo) {
    double z = x * x;
    double p = vm_poly6(z, -0.16666666666666657, 0.0083333333333271194, -0.00019841269832852589,
                        2.7557314585649889e-06, -2.5050880060748881e-08, 1.5903083458650889e-10);
    return (VmPair){ x, VM_FMA(z * x, p, VM_FMA(-0.5 * z, x_lo, x_lo)) };
}

/* cos(x + x_lo) for |x| <= pi/4, as a pair whose lo is below 0.02 */
VM VmPair vm_cos_near(double x, double x_lo) {
    double z = x * x, half = 0.5 * z;
    double p = vm_poly6(z, 0.041666666666666637, -0.0013888888888879958, 2.4801587292662068e-05,
                        -2.7557315171653447e-07, 2.0875824162921314e-09, -1.1364435916586884e-11);
    VmPair main = vm_sum_ordered(1, -half);
    return (VmPair){ main.hi, main.lo + VM_FMA(z * z, p, -x * x_lo) };
}

/* sin(a + quadrant pi/2) */
VM double vm_sin_of(VmAngle a) {
    VmPair sin = vm_sin_near(a.hi, a.lo), cos = vm_cos_near(a.hi, a.lo);
    double r = a.quadrant & 1 ? cos.hi + cos.lo : sin.hi + sin.lo;
    return vm_flip_sign(r, (a.quadrant & 2) << 62);
}

VM double vm_sin(double x) {
    return vm_flip_sign(vm_sin_of(vm_angle(__builtin_fabs(x))), vm_sign(x));
}

VM double vm_cos(double x) {
    VmAngle a = vm_angle(__builtin_fabs(x));
    a.quadrant++;
    return vm_sin_of(a);
}

/* Finite, and too far for vm_sin, vm_cos and vm_tan. */
VM bool vm_far(double x) { return __builtin_fabs(x) > VM_TRIG_LIMIT; }
VM double vm_sin_any(double x) { return vm_far(x) ? sin(x) : vm_sin(x); }
VM double vm_cos_any(double x) { return vm_far(x) ? cos(x) : vm_cos(x); }
#endif
