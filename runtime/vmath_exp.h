/* Exponentials: exp, exp2, expm1, tanh, sigmoid, sinh and cosh of a double; a part of vmath.h, which
 * includes it.
 *
 * The one idea: e^x = 2^k e^r with |r| <= ln 2 / 2. The power of two goes into the exponent, and
 * what is left is a polynomial; what needs more than double's precision carries it as a pair. */
#ifndef VMATH_EXP_H
#define VMATH_EXP_H

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
#endif
