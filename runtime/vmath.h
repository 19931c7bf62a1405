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

/* ---- exp and its relatives ---- */

/* e^(x + x_lo) = 2^k (1 + p.hi + p.lo) for |x| < 2^10, where |p.hi| < 0.35 and |p.lo| < 0.08.
 * lost is the rounding error of the reduced argument; its effect, p.hi * lost, is not in p.lo. */
typedef struct VmExp { uint64_t k; VmPair p; double lost; } VmExp;
VM VmExp vm_exp_parts(double x, double x_lo) {
    double shifted = VM_FMA(x, VM_LOG2_E, VM_SHIFT), k = shifted - VM_SHIFT;
    double r_hi = VM_FMA(-k, VM_LN2_HI, x), r_lo = VM_FMA(-k, VM_LN2_LO, x_lo), r = r_hi + r_lo;
    double q = vm_poly11(r, 0.5, 0.16666666666666674, 0.041666666666666692, 0.0083333333333228416,
                         0.0013888888888869328, 0.00019841269883512857, 2.4801587356862835e-05,
                         2.7557246530023269e-06, 2.7557245277790503e-07, 2.510830791075881e-08,
                         2.0923798072188301e-09);
    return (VmExp){ vm_bits(shifted), { r_hi, VM_FMA(r * r, q, r_lo) }, r_lo - (r - r_hi) };
}

VM double vm_clamp(double x, double low, double high) {
    x = x > high ? high : x;
    return x < low ? low : x;   /* NaN passes */
}

VM double vm_exp(double x) {
    VmExp e = vm_exp_parts(vm_clamp(x, -746, 710), 0);
    return vm_scale(1 + (e.p.hi + e.p.lo), e.k);
}

VM double vm_exp2(double x) {
    double bounded = vm_clamp(x, -1080, 1025), shifted = bounded + VM_SHIFT;
    double r = bounded - (shifted - VM_SHIFT);
    double q = vm_poly11(r, 0.24022650695910072, 0.055504108664821611, 0.0096181291076284856,
                         0.0013333558146409697, 0.00015403530393357618, 1.525273383857114e-05,
                         1.3215486821274121e-06, 1.0178058289287597e-07, 7.0548921306532874e-09,
                         4.4556426483028894e-10, 2.573699577505646e-11);
    return vm_scale(1 + VM_FMA(r, 0x1.62e42fefa39efp-1, r * r * q), vm_bits(shifted));
}

/* (e^x - 1) / 2 for -50 < x <= 710, as a pair with a small lo. The half keeps 2^k finite. */
VM VmPair vm_half_expm1(double x) {
    VmExp e = vm_exp_parts(x, 0);
    double power = vm_power_of_two(e.k - 1);
    VmPair less = vm_sum(power, -0.5), sum = vm_sum_ordered(less.hi, e.p.hi * power);
    double lo = VM_FMA(e.p.hi, e.lost, e.p.lo);
    return vm_sum_ordered(sum.hi, VM_FMA(lo, power, sum.lo + less.lo));
}

VM double vm_expm1(double x) {
    VmPair half = vm_half_expm1(vm_clamp(x, -40, 710));
    return __builtin_fabs(x) < 0x1p-54 ? x : 2 * half.hi;
}

/* tanh |x| = E / (E + 2) with E = e^(2|x|) - 1 = 2^k (1 + p) - 1, in which nothing cancels: k is
 * not negative. 1 + p is e^(2r), so the coefficients are those of vm_exp_parts times powers of
 * two. Within 3 ULP. */
VM double vm_tanh(double x) {
    double a = __builtin_fabs(x), bounded = a > 20 ? 20 : a;
    double shifted = VM_FMA(bounded, 2 * VM_LOG2_E, VM_SHIFT), k = shifted - VM_SHIFT;
    double r = VM_FMA(-k, 0.5 * VM_LN2_LO, VM_FMA(-k, 0.5 * VM_LN2_HI, bounded));
    double q = vm_poly11(r, 0x1p2 * 0.5, 0x1p3 * 0.16666666666666674, 0x1p4 * 0.041666666666666692,
                         0x1p5 * 0.0083333333333228416, 0x1p6 * 0.0013888888888869328,
                         0x1p7 * 0.00019841269883512857, 0x1p8 * 2.4801587356862835e-05,
                         0x1p9 * 2.7557246530023269e-06, 0x1p10 * 2.7557245277790503e-07,
                         0x1p11 * 2.510830791075881e-08, 0x1p12 * 2.0923798072188301e-09);
    double p = VM_FMA(r * r, q, r + r), power = vm_power_of_two(vm_bits(shifted));
    double less = VM_FMA(p, power, power - 1);
    return __builtin_copysign(less / (less + 2), x);
}

/* e^(x + x_lo) for x <= 0, as a pair with a small lo, to be multiplied by first and by second,
 * powers of two. */
typedef struct VmScaled { VmPair p; double first, second; } VmScaled;
VM VmScaled vm_exp_scaled(double x, double x_lo) {
    VmExp e = vm_exp_parts(x < -746 ? -746 : x, x_lo);
    VmPair sum = vm_sum_ordered(1, e.p.hi);
    uint64_t both = e.k + 2046, half = both >> 1;
    return (VmScaled){ vm_sum_ordered(sum.hi, sum.lo + e.p.lo), vm_of_bits(half << 52),
                       vm_of_bits((both - half) << 52) };
}

VM VmPair vm_unscaled(VmScaled e) {
    return (VmPair){ e.p.hi * e.first * e.second, e.p.lo * e.first * e.second };
}

/* 1 + e for 0 <= e <= 1 */
VM VmPair vm_one_plus(VmPair e) {
    VmPair sum = vm_sum_ordered(1, e.hi);
    return (VmPair){ sum.hi, sum.lo + e.lo };
}

/* With e = e^-|x|: 1 / (1 + e), or for a negative x e / (1 + e), scaled last because it may be
 * subnormal. */
VM double vm_sigmoid(double x) {
    VmScaled e = vm_exp_scaled(-__builtin_fabs(x), 0);
    bool negative = x < 0;
    VmPair above = { negative ? e.p.hi : 1, negative ? e.p.lo : 0 };
    VmPair q = vm_quotient_pair(above, vm_one_plus(vm_unscaled(e)));
    return (q.hi + q.lo) * (negative ? e.first : 1) * (negative ? e.second : 1);
}

/* For x >= 0: e^x = 2^k (cosh r + sinh r), and so cosh x and sinh x are linear in cosh r = 1 + c
 * and in sinh r = r + s, with the factors (2^k + 2^-k) / 2 and (2^k - 2^-k) / 2; the results
 * here are half as big. */
typedef struct VmHyperbolic { VmPair plus, minus; double r, s, c; } VmHyperbolic;
VM VmHyperbolic vm_hyperbolic(double x) {
    double bounded = x > 710.6 ? 710.6 : x;
    double shifted = VM_FMA(bounded, VM_LOG2_E, VM_SHIFT), k = shifted - VM_SHIFT;
    double up = vm_power_of_two(vm_bits(shifted) - 2);
    double down = k > 100 ? 0 : vm_power_of_two(-vm_bits(shifted) - 2);
    double r_hi = VM_FMA(-k, VM_LN2_HI, bounded), r_lo = -k * VM_LN2_LO, r = r_hi + r_lo, z = r * r;
    double sinh_tail = vm_poly5(z, 0.16666666666666671, 0.0083333333333258704,
                                0.00019841269876727524, 2.7557252727942246e-06,
                                2.5106315729539499e-08);
    double cosh_tail = vm_poly6(z, 0.5, 0.041666666666666692, 0.0013888888888870705,
                                2.4801587353148982e-05, 2.7557249036649163e-07,
                                2.0922507251277509e-09);
    return (VmHyperbolic){ vm_sum_ordered(up, down), vm_sum_ordered(up, -down),
                           r_hi, VM_FMA(z * r, sinh_tail, r_lo), z * cosh_tail };
}

/* (1 + c) main + (r + s) other, twice. */
VM double vm_hyperbolic_sum(VmPair main, VmPair other, VmHyperbolic h) {
    VmPair product = vm_product(h.r, other.hi), sum = vm_sum_ordered(main.hi, product.hi);
    return 2 * (sum.hi + (sum.lo + product.lo + main.lo + VM_FMA(h.s, other.hi, h.c * main.hi)));
}

VM double vm_cosh(double x) {
    VmHyperbolic h = vm_hyperbolic(__builtin_fabs(x));
    return vm_hyperbolic_sum(h.plus, h.minus, h);
}

VM double vm_sinh(double x) {
    VmHyperbolic h = vm_hyperbolic(__builtin_fabs(x));
    double r = __builtin_copysign(vm_hyperbolic_sum(h.minus, h.plus, h), x);
    return __builtin_fabs(x) < 0x1p-28 ? x : r;
}

/* ---- log and its relatives ---- */

/* x = 2^k (1 + f) for a normal x > 0, where sqrt(1/2) <= 1 + f < sqrt(2); s = f / (2 + f), and
 * power is 2 / 2^k (0 if k = 1024). */
typedef struct VmLog { double k, f, s, power; } VmLog;
VM VmLog vm_log_parts(double x) {
    const uint64_t root = 0x3fe6a09e667f3bcd, one = 0x3ff0000000000000;  /* sqrt(1/2) and 1 */
    uint64_t shifted = vm_bits(x) + (one - root), exponent = shifted >> 52;
    double k = vm_of_bits(exponent | 0x4330000000000000) - (0x1p52 + 1023);
    double f = vm_of_bits((shifted & 0x000fffffffffffff) + root) - 1;
    return (VmLog){ k, f, f / (2 + f), vm_of_bits((2047 - exponent) << 52) };
}

/* log(1 + f) = f - f^2/2 + s (f^2/2 + R(s^2)): the part after f. */
VM double vm_log_tail(double f, double s) {
    double z = s * s, half = 0.5 * f * f;
    double r = z * vm_poly7(z, 0.66666666666666696, 0.399999999998982, 0.28571428626511181,
                            0.2222221105459887, 0.1818289454566594, 0.1533155291557555,
                            0.14618416415338947);
    return VM_FMA(s, half + r, -half);
}

/* k ln 2 + log(1 + f) + more, as a pair. |lo| is below 0.1 and small against hi unless that is
 * 0. */
VM VmPair vm_log_sum(double k, double f, double s, double more) {
    double hi = VM_FMA(k, VM_LN2_HI, f), error = VM_FMA(k, VM_LN2_HI, -hi) + f;
    return (VmPair){ hi, error + (vm_log_tail(f, s) + VM_FMA(k, VM_LN2_LO, more)) };
}

/* log(x + x_lo) + extra ln 2 for a normal x > 0 and a rounding error x_lo. To first order x_lo adds
 * c / (1 + f), where c = x_lo / 2^k and 1 / (1 + f) = 1 - 2s / (1 + s). */
VM VmPair vm_log_pair(double x, double x_lo, double extra) {
    VmLog l = vm_log_parts(x);
    double c = x_lo * l.power * 0.5, less = 2 * l.s * VM_FMA(l.s, l.s - 1, 1);
    return vm_log_sum(l.k + extra, l.f, l.s, VM_FMA(-c, less, c));
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

/* log(x) / log(b) = k unit + log(1 + f) inverse, where both factors are pairs and k unit.hi is
 * exact. */
VM double vm_log_to_base(double x, VmPair unit, VmPair inverse) {
    VmNormal normal = vm_normal(x);
    VmLog l = vm_log_parts(normal.x);
    double k = l.k + normal.k, tail = vm_log_tail(l.f, l.s);
    VmPair product = vm_product(l.f, inverse.hi), sum = vm_sum_ordered(k * unit.hi, product.hi);
    double lo = VM_FMA(tail, inverse.hi, VM_FMA(l.f, inverse.lo, product.lo));
    return vm_log_special(x, 0, sum.hi + (lo + VM_FMA(k, unit.lo, sum.lo)));
}

VM double vm_log2(double x) {
    return vm_log_to_base(x, (VmPair){ 1, 0 },
                          (VmPair){ 0x1.71547652b82fep+0, 0x1.777d0ffda0d24p-56 });
}

VM double vm_log10(double x) {
    return vm_log_to_base(x, (VmPair){ 0x1.34413509f6p-2, 0x1.9fef311f12b36p-42 },
                          (VmPair){ 0x1.bcb7b1526e50ep-2, 0x1.95355baaafad3p-57 });
}

/* log(1 + e^x) = max(x, 0) + log(1 + e) with e = e^-|x|, and e - e^2/2 for a tiny e. */
VM double vm_softplus(double x) {
    VmPair e = vm_unscaled(vm_exp_scaled(-__builtin_fabs(x), 0)), u = vm_one_plus(e);
    VmPair log = vm_log_pair(u.hi, u.lo, 0), sum = vm_sum(x > 0 ? x : 0, log.hi);
    double r = sum.hi + (sum.lo + log.lo);
    r = x > 40 ? x : r;
    return x < -30 ? e.hi + VM_FMA(-0.5 * e.hi, e.hi, e.lo) : r;
}

VM double vm_log_sigmoid(double x) { return -vm_softplus(-x); }

/* asinh |x| = log(|x| + sqrt(x^2 + 1)); where x^2 could overflow, log(2 |x|). */
VM double vm_asinh(double x) {
    double a = __builtin_fabs(x);
    bool big = a > 0x1p28;
    double b = big ? 1 : a;
    VmPair square = vm_product(b, b), one = vm_sum(1, square.hi);
    VmPair root = vm_root_pair((VmPair){ one.hi, one.lo + square.lo });
    VmPair sum = vm_sum_ordered(root.hi, b);
    VmPair log = vm_log_pair(big ? a : sum.hi, big ? 0 : sum.lo + root.lo, big ? 1 : 0);
    double r = __builtin_copysign(vm_log_special(a, 0, log.hi + log.lo), x);
    return a < 0x1p-28 ? x : r;
}

/* acosh x = log(x + sqrt((x - 1) (x + 1))) */
VM double vm_acosh(double x) {
    bool big = x > 0x1p28;
    double b = big ? 1 : x;
    VmPair above = vm_sum_ordered(b, 1), product = vm_product(b - 1, above.hi);
    VmPair root = vm_root_pair((VmPair){ product.hi, VM_FMA(b - 1, above.lo, product.lo) });
    VmPair sum = vm_sum_ordered(b, root.hi);
    VmPair log = vm_log_pair(big ? x : sum.hi, big ? 0 : sum.lo + root.lo, big ? 1 : 0);
    double r = x < VM_INFINITY ? log.hi + log.lo : x;
    return x < 1 ? VM_NAN : r;
}

/* atanh |x| = log((1 + |x|) / (1 - |x|)) / 2 */
VM double vm_atanh(double x) {
    double a = __builtin_fabs(x);
    VmPair q = vm_quotient_pair(vm_sum_ordered(1, a), vm_sum_ordered(1, -a));
    VmPair u = vm_sum_ordered(q.hi, q.lo), log = vm_log_pair(u.hi, u.lo, 0);
    double r = 0.5 * (log.hi + log.lo);
    r = a < 1 ? r : a == 1 ? VM_INFINITY : VM_NAN;
    return a < 0x1p-28 ? x : __builtin_copysign(r, x);
}

/* ---- powers and roots ---- */

VM double vm_sqrt(double x) { return __builtin_sqrt(x); }
VM float vm_sqrtf(float x) { return __builtin_sqrtf(x); }

/* 1 / sqrt(x), with the errors e of 1 / root and rest of the root. */
VM double vm_rsqrt(double x) {
    bool small = x < 0x1p-900;   /* the rest must not be subnormal */
    double normal = small ? x * 0x1p54 : x, root = __builtin_sqrt(normal), y = 1 / root;
    double rest = vm_rest(normal, root, root), e = vm_rest(1, y, root);
    double r = VM_FMA(y, e - 0.5 * rest * y * y, y) * (small ? 0x1p27 : 1);
    return y > 0 ? y < VM_INFINITY ? r : y : y;
}

/* x = 2^3q v with 1/2 <= v < 4, for a normal x > 0. A polynomial gives inverse = v^(-1/3) to 10
 * bits, a step of fourth order 40. */
typedef struct VmRoot { double v, inverse; uint64_t q; } VmRoot;
VM VmRoot vm_cbrt_parts(double x) {
    double exponent = vm_of_bits(vm_bits(x) >> 52 | 0x4330000000000000) - (0x1p52 + 1023);
    double shifted = VM_FMA(exponent, 0x1.5555555555555p-2, VM_SHIFT);
    double v = vm_of_bits(vm_bits(x) - (3 * vm_bits(shifted) << 52));
    double y = vm_poly8(v, 1.9814479981710369, -2.3646403205216284, 2.542670006523823,
                        -1.7214797306361462, 0.71641766812773044, -0.17756376120112113,
                        0.023992339424497244, -0.0013581266344488661);
    double h = VM_FMA(-v * y, y * y, 1);
    y = VM_FMA(y * h, VM_FMA(h, VM_FMA(h, 14.0 / 81, 2.0 / 9), 1.0 / 3), y);
    return (VmRoot){ v, y, vm_bits(shifted) };
}

/* One Newton step on v^(1/3), with the exact remainder v - c^3, gives the rest. */
VM double vm_cbrt(double x) {
    double a = __builtin_fabs(x);
    VmRoot root = vm_cbrt_parts(vm_normal(a).x);
    double y = root.inverse, c = root.v * y * y;
    VmPair square = vm_product(c, c);
    double rest = vm_rest(root.v, square.hi, c) - square.lo * c;
    double power = vm_power_of_two(root.q) * (a < 0x1p-1022 ? 0x1p-18 : 1);
    double r = VM_FMA(rest, y * y * (1.0 / 3), c) * power;
    return a > 0 ? a < VM_INFINITY ? __builtin_copysign(r, x) : x : x;
}

VM double vm_hypot(double x, double y) {
    double a = __builtin_fabs(x), b = __builtin_fabs(y), high = a > b ? a : b, low = a > b ? b : a;
    double scale = high > 0x1p500 ? 0x1p-600 : high < 0x1p-400 ? 0x1p600 : 1;
    VmPair p = vm_product(high * scale, high * scale), q = vm_product(low * scale, low * scale);
    VmPair sum = vm_sum_ordered(p.hi, q.hi);
    VmPair root = vm_root_pair((VmPair){ sum.hi, sum.lo + (p.lo + q.lo) });
    double r = (root.hi + root.lo) * (high > 0x1p500 ? 0x1p600 : high < 0x1p-400 ? 0x1p-600 : 1);
    return a == VM_INFINITY ? a : b == VM_INFINITY ? b : r;
}

/* log x to 68 bits, for a normal x > 0: log(1 + f) = 2s + s^3 (2/3 + s^2 t(s^2)), where s is a
 * pair, and everything but t is calculated with its rounding errors. */
VM VmPair vm_log_long(double x, double extra) {
    VmLog l = vm_log_parts(x);
    double k = l.k + extra;
    VmPair below = vm_sum_ordered(2, l.f), s = vm_quotient_pair((VmPair){ l.f, 0 }, below);
    VmPair z = vm_product(s.hi, s.hi);
    z.lo = VM_FMA(2 * s.hi, s.lo, z.lo);
    double t = vm_poly8(z.hi, 0.40000000000000002, 0.28571428571429375, 0.22222222221649926,
                        0.18181818336639191, 0.15384594838467727, 0.13334811027167412,
                        0.11706076108541628, 0.1172477022186314);
    VmPair r = vm_sum_ordered(0x1.5555555555555p-1, z.hi * t);
    r.lo += 0x1.5555555555555p-55;
    VmPair cube = vm_product(z.hi, s.hi);
    cube.lo += VM_FMA(z.hi, s.lo, z.lo * s.hi);
    VmPair tail = vm_product(cube.hi, r.hi);
    tail.lo += VM_FMA(cube.hi, r.lo, cube.lo * r.hi);
    VmPair first = vm_sum_ordered(k * VM_LN2_HI, 2 * s.hi), sum = vm_sum_ordered(first.hi, tail.hi);
    double lo = VM_FMA(k, VM_LN2_LO, VM_FMA(2, s.lo, tail.lo));
    return vm_sum_ordered(sum.hi, (first.lo + sum.lo) + lo);
}

/* a^y = e^(y log a) for a finite a > 0. */
VM double vm_power_of(double a, double y) {
    VmNormal normal = vm_normal(a);
    VmPair log = vm_log_long(normal.x, normal.k);
    double bounded = vm_clamp(y, -0x1p80, 0x1p80);    /* log is 0 or more than 2^-54 */
    VmPair p = vm_product(bounded, log.hi);
    double main = vm_clamp(p.hi, -746, 710);
    double rest = main == p.hi ? VM_FMA(bounded, log.lo, p.lo) : 0;
    VmExp e = vm_exp_parts(main, rest);
    VmPair sum = vm_sum_ordered(1, e.p.hi);
    return vm_scale(sum.hi + (sum.lo + e.p.lo), e.k);
}

/* x^y, which is r for |x|, as C has it in every special case: 1 for y = 0 and for x = 1 even beside
 * NaN, the sign of x for odd y. */
VM double vm_pow_special(double x, double y, double r) {
    double a = __builtin_fabs(x), size = __builtin_fabs(y), half = 0.5 * y;
    bool whole = __builtin_floor(size) == size, odd = whole & (__builtin_floor(half) != half);
    double huge = y > 0 ? VM_INFINITY : 0, tiny = y > 0 ? 0 : VM_INFINITY;
    r = a == VM_INFINITY ? huge : a == 0 ? tiny : r;
    r = x < 0 ? whole | (a == VM_INFINITY) ? r : VM_NAN : r;
    r = vm_flip_sign(r, odd ? vm_sign(x) : 0);
    r = x == x ? r : x;
    r = y == y ? r : y;
    return x == 1 ? 1 : y == 0 ? 1 : r;
}

VM double vm_pow(double x, double y) {
    return vm_pow_special(x, y, vm_power_of(__builtin_fabs(x), y));
}

/* ---- trigonometry ---- */

/* x = quadrant pi/2 + hi + lo with |hi| <= pi/4 for x >= 0; of the quadrant only the low bits are
 * right. The parts of pi/2 have 33, 33, 33 and 53 bits. */
typedef struct VmAngle { uint64_t quadrant; double hi, lo; } VmAngle;
VM VmAngle vm_angle(double x) {
    const double part1 = 0x1.921fb544p+0, part2 = 0x1.0b4611a6p-34;
    const double part3 = 0x1.3198a2ep-69, part4 = 0x1.b839a252049c1p-104;
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

VM double vm_tan(double x) {
    VmAngle a = vm_angle(__builtin_fabs(x));
    VmPair sin = vm_sin_near(a.hi, a.lo), cos = vm_cos_near(a.hi, a.lo);
    sin = vm_sum_ordered(sin.hi, sin.lo);
    cos = vm_sum_ordered(cos.hi, cos.lo);
    bool odd = a.quadrant & 1;
    VmPair above = { odd ? -cos.hi : sin.hi, odd ? -cos.lo : sin.lo };
    VmPair q = vm_quotient_pair(above, (VmPair){ odd ? sin.hi : cos.hi, odd ? sin.lo : cos.lo });
    return vm_flip_sign(q.hi + q.lo, vm_sign(x));
}

/* Too far for vm_sin, vm_cos and vm_tan. */
VM bool vm_far(double x) { return __builtin_fabs(x) > VM_TRIG_LIMIT; }
VM double vm_sin_any(double x) { return vm_far(x) ? sin(x) : vm_sin(x); }
VM double vm_cos_any(double x) { return vm_far(x) ? cos(x) : vm_cos(x); }
VM double vm_tan_any(double x) { return vm_far(x) ? tan(x) : vm_tan(x); }

#define VM_HALF_PI_HI 0x1.921fb54442d18p+0
#define VM_HALF_PI_LO 0x1.1a62633145c07p-54

/* asin t for 0 <= t <= 1/2, and for t > 1/2 asin t = pi/2 - 2 asin sqrt((1 - t) / 2): the small
 * argument t of asin, and asin t - t with the rounding error of that root. */
typedef struct VmArc { bool big; double t, tail; } VmArc;
VM VmArc vm_arc(double a) {
    bool big = a > 0.5;
    double z = big ? 0.5 - 0.5 * a : a * a;
    VmPair root = vm_root_pair((VmPair){ z, 0 });
    double t = big ? root.hi : a;
    double p = vm_poly13(z, 0.16666666666666674, 0.074999999999930761, 0.044642857155242473,
                         0.030381943556379826, 0.022372193003459669, 0.017351977812723737,
                         0.013976730824381488, 0.011430309399334803, 0.010614251169260241,
                         0.0043006669278813827, 0.020331458902531432, -0.01913921085516692,
                         0.031514157117215551);
    return (VmArc){ big, t, VM_FMA(t * z, p, big ? root.lo : 0) };
}

VM double vm_asin(double x) {
    VmArc arc = vm_arc(__builtin_fabs(x));
    double factor = arc.big ? -2 : 1;
    VmPair sum = vm_sum_ordered(arc.big ? VM_HALF_PI_HI : 0, factor * arc.t);
    double lo = VM_FMA(factor, arc.tail, arc.big ? VM_HALF_PI_LO : 0);
    return __builtin_copysign(sum.hi + (sum.lo + lo), x);
}

VM double vm_acos(double x) {
    VmArc arc = vm_arc(__builtin_fabs(x));
    double factor = arc.big ? (x < 0 ? -2 : 2) : (x < 0 ? 1 : -1);
    double quarters = arc.big ? (x < 0 ? 2 : 0) : 1;
    VmPair sum = vm_sum_ordered(quarters * VM_HALF_PI_HI, factor * arc.t);
    return sum.hi + (sum.lo + VM_FMA(factor, arc.tail, quarters * VM_HALF_PI_LO));
}

/* atan(y / x) for x, y >= 0, as a pair: 0, pi/4 or pi/2 and the arc tangent of y / x, (y - x) /
 * (y + x) or -x / y, whichever is at most tan(pi/8). */
VM VmPair vm_atan_quotient(double y, double x) {
    bool middle = y > 0.41421356237309503 * x, steep = y > 2.4142135623730951 * x;
    VmPair minus = vm_sum(y, -x), plus = vm_sum(y, x);
    VmPair above = { middle ? minus.hi : y, middle ? minus.lo : 0 };
    VmPair below = { middle ? plus.hi : x, middle ? plus.lo : 0 };
    above = (VmPair){ steep ? -x : above.hi, steep ? 0 : above.lo };
    below = (VmPair){ steep ? y : below.hi, steep ? 0 : below.lo };
    VmPair t = vm_quotient_pair(above, below);
    double z = t.hi * t.hi;
    double p = vm_poly11(z, -0.33333333333333326, 0.19999999999988702, -0.14285714283474937,
                         0.11111110934652074, -0.090909017790240895, 0.076921266861643092,
                         -0.066638096510279493, 0.058527061827490887, -0.050597540963275345,
                         0.038555951266604174, -0.018417896944871955);
    double halves = (middle ? 0.5 : 0) + (steep ? 0.5 : 0);
    VmPair sum = vm_sum_ordered(halves * VM_HALF_PI_HI, t.hi);
    double lo = VM_FMA(halves, VM_HALF_PI_LO, VM_FMA(-z, t.lo, t.lo));
    return (VmPair){ sum.hi, sum.lo + VM_FMA(z * t.hi, p, lo) };
}

VM double vm_atan(double x) {
    double a = __builtin_fabs(x);
    VmPair angle = vm_atan_quotient(a > 0x1p60 ? 0x1p60 : a, 1);
    return __builtin_copysign(angle.hi + angle.lo, x);
}

/* As C's atan2, with the signs of zeros; 0 / 0 and inf / inf are made quotients of 0 and 1, and
 * of 1 and 1. */
VM double vm_atan2(double y, double x) {
    double a = __builtin_fabs(y), b = __builtin_fabs(x), high = a > b ? a : b, low = a > b ? b : a;
    double scale = high > 0x1p800 ? 0x1p-60 : low < 0x1p-900 ? 0x1p120 : 1;
    double above = high < VM_INFINITY ? a * scale : a < VM_INFINITY ? 0 : 1;
    double below = high < VM_INFINITY ? (high > 0 ? b * scale : 1) : b < VM_INFINITY ? 0 : 1;
    VmPair angle = vm_atan_quotient(above, below);
    VmPair sum = vm_sum_ordered(2 * VM_HALF_PI_HI, -angle.hi);
    bool left = vm_bits(x) >> 63;
    double r = left ? sum.hi + (sum.lo + (2 * VM_HALF_PI_LO - angle.lo)) : angle.hi + angle.lo;
    return a == a && b == b ? __builtin_copysign(r, y) : a + b;
}

/* ---- the error function ---- */

/* erf(x) / x - 1 at z = x^2 <= 1 */
VM double vm_erf_series(double z) {
    return vm_poly12(z, 0.12837916709551256, -0.37612638903183548, 0.11283791670945252,
                     -0.026866170643276, 0.0052239776074218319, -0.00085483259896267083,
                     0.00012055295318651784, -1.4924744632582287e-05, 1.6447517351632843e-06,
                     -1.6209173785209722e-07, 1.3722968520713353e-08, -7.8011768515627367e-10);
}

/* erfc(y) for 1/2 <= y <= 28, to be multiplied by first and by second: e^-z p / (1 + 2y), where
 * z is y^2 and p a polynomial in (y - 7/2) / (y + 7/2). The form is Shepherd and Laframboise's,
 * Math. Comp. 36 (1981). */
VM VmScaled vm_erfc_far(double y, VmPair z) {
    double t = (y - 3.5) / (y + 3.5), t2 = t * t, t4 = t2 * t2;
    double low = vm_poly8(t, -0.14000918013761943, -0.010555596332218375, 0.097519095153260418,
                          -0.11508959816018645, 0.087983153824793742, -0.048823325828034329,
                          0.019099330943737041, -0.0042150199062716614);
    double high = vm_poly13(t, -0.00030226789129041105, 0.00056438440846900257,
                            -0.00012151233392533591, -4.2782200032714301e-05,
                            2.4260590065682528e-05, 2.3282494053234014e-06, -3.8135542001284128e-06,
                            -4.4173272838107525e-08, 5.9894441072693971e-07,
                            -7.9673358676614921e-09, -9.2043138816614045e-08, 5.821713418021347e-10,
                            1.0065559012058896e-08);
    VmPair p = vm_sum_ordered(1.2423492448711544, t * VM_FMA(t4 * t4, high, low));
    VmScaled e = vm_exp_scaled(-z.hi, -z.lo);
    VmPair above = vm_product(e.p.hi, p.hi), below = vm_sum_ordered(2 * y, 1);
    above.lo += VM_FMA(e.p.hi, p.lo, e.p.lo * p.hi);
    VmPair q = vm_quotient_pair(above, below);
    return (VmScaled){ vm_sum_ordered(q.hi, q.lo), e.first, e.second };
}

VM double vm_erf(double x) {
    double a = __builtin_fabs(x), y = vm_clamp(a, 0.5, 28);
    VmScaled far = vm_erfc_far(y, vm_product(y, y));
    double r = a < 1 ? VM_FMA(a, vm_erf_series(a * a), a) : 1 - far.p.hi * far.first * far.second;
    return __builtin_copysign(r, x);
}

VM double vm_erfc(double x) {
    double a = __builtin_fabs(x), y = vm_clamp(a, 0.5, 28);
    VmScaled far = vm_erfc_far(y, vm_product(y, y));
    double f = far.p.hi * far.first * far.second;
    VmPair near = vm_sum_ordered(1, -x);
    double r = a < 1 ? near.hi + VM_FMA(-x, vm_erf_series(x * x), near.lo) : 2 - f;
    return x > 0.5 ? f : r;
}

/* x times the normal distribution function, erfc(-x / sqrt 2) / 2. */
VM double vm_gelu(double x) {
    const double root_half = 0x1.6a09e667f3bcdp-1;
    double bounded = x < -40 ? -40 : x, a = __builtin_fabs(bounded);
    double y = vm_clamp(a * root_half, 0.5, 28);
    VmPair square = vm_product(vm_clamp(a, 0.7, 40), vm_clamp(a, 0.7, 40));
    VmScaled far = vm_erfc_far(y, (VmPair){ 0.5 * square.hi, 0.5 * square.lo });
    double near = 0.5 * bounded * root_half;
    double half = VM_FMA(near, vm_erf_series(0.5 * x * x), near) + 0.5;
    double positive = bounded * (1 - 0.5 * far.p.hi * far.first * far.second);
    VmPair product = vm_product(bounded, far.p.hi);
    double negative = product.hi + VM_FMA(bounded, far.p.lo, product.lo);
    double r = bounded < 0 ? negative * (0.5 * far.first) * far.second : positive;
    return a < 0.75 ? bounded * half : r;
}

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
    for (; x < 10; x++) r -= 1 / x;
    double z = 1 / (x * x);
    double tail = z * vm_poly7(z, 1.0 / 12, -1.0 / 120, 1.0 / 252, -1.0 / 240, 1.0 / 132,
                               -691.0 / 32760, 1.0 / 12);
    return r + (log(x) - 0.5 / x - tail);
}

#include "vmathf.h"
#endif
