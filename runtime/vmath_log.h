/* Logarithms: log, log1p, log2, log10, softplus and the inverse hyperbolic functions of a double; a
 * part of vmath.h, which includes it.
 *
 * The one idea: x = 2^k (1 + f) with 1 + f between sqrt(1/2) and sqrt(2), and log(1 + f) is a series
 * in s = f / (2 + f), added to k ln 2 from the largest part down. */
#ifndef VMATH_LOG_H
#define VMATH_LOG_H

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
#endif
