/* Angles: sin, cos, tan and their inverses of a double; a part of vmath.h, which includes it.
 *
 * The one idea: x = n pi/2 + r, with pi/2 in parts so long that every product is exact, and a
 * polynomial in r^2; an inverse goes by the identities that make its argument small. */
#ifndef VMATH_TRIG_H
#define VMATH_TRIG_H

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
#endif
