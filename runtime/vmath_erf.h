/* The error function: erf, erfc and gelu of a double; a part of vmath.h, which includes it.
 *
 * The one idea: near 0 a series in x^2, farther out e^(-x^2) times a smooth factor. */
#ifndef VMATH_ERF_H
#define VMATH_ERF_H

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

/* erfc(y) for 1 <= y <= 6, to 2^-53 of erf(y): e^-Q(y), with a polynomial Q whose greatest term is
 * kept as a pair. */
VM double vm_erfc_beside_one(double y) {
    double y2 = y * y, y4 = y2 * y2;
    double low = vm_poly11(y, -0.6366440789203593, -0.10270222423598288, 0.01898791732334013,
                           0.0004137105370614224, -0.0019191298908956631, 0.0007731944353873822,
                           -0.0001366517830089644, -1.9474134418137242e-05, 2.2513300208677473e-05,
                           -8.572607031395238e-06, 2.1132897547858078e-06);
    double high = vm_poly5(y, -3.6928513541355555e-07, 4.5895089362152504e-08,
                           -3.88643406208147e-09, 2.0182721862326048e-10, -4.859544359538809e-12);
    double rest = VM_FMA(y2, VM_FMA(y4 * y4 * y2, y * high, low), -5.137981112909463e-07);
    VmPair main = vm_product(y, -1.1283739863696807), sum = vm_sum(main.hi, rest);
    VmExp e = vm_exp_parts(sum.hi, sum.lo + main.lo);
    return (1 + (e.p.hi + e.p.lo)) * vm_power_of_two(e.k);
}

VM double vm_erf(double x) {
    double a = __builtin_fabs(x), far = 1 - vm_erfc_beside_one(vm_clamp(a, 1, 6));
    double r = a < 1 ? VM_FMA(a, vm_erf_series(a * a), a) : far;
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
#endif
