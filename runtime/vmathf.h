/* Elementary functions of one float: the second half of vmath.h, which includes it.
 *
 * The one idea: exp, expm1, log, log1p, tanh and sigmoid are the methods of double in float. All
 * others calculate in double, to 33 bits and more, and round once: within 0.51 ULP. Doubles have
 * neither the ends of float nor its rounding errors, so that there are no pairs, no subnormal
 * numbers and hardly a special case, and the polynomials are half as long.
 *
 * Their coefficients come from interpolation at Chebyshev's nodes, in 50 digits; the relative error
 * stands beside them. */
#ifndef VMATHF_H
#define VMATHF_H

VM uint32_t vm_bitsf(float x) { uint32_t bits; memcpy(&bits, &x, sizeof bits); return bits; }
VM float vm_of_bitsf(uint32_t bits) { float x; memcpy(&x, &bits, sizeof x); return x; }
VM float vm_clampf(float x, float low, float high) {
    x = x > high ? high : x;
    return x < low ? low : x;
}

/* e^x = 2^k (1 + hi + lo), as vm_exp_parts. */
typedef struct VmExpf { uint32_t k; float hi, lo; } VmExpf;
VM VmExpf vm_exp_partsf(float x) {
    float shifted = VM_FMAF(x, 1.44269504f, 0x1.8p23f), k = shifted - 0x1.8p23f;
    float hi = VM_FMAF(-k, 0x1.62ep-1f, x), lo = -k * 0x1.0bfbe8p-15f, r = hi + lo, z = r * r;
    float q = VM_FMAF(VM_FMAF(0.00139465502f, z, VM_FMAF(0.00836664402f, r, 0.0416662807f)), z,
                      VM_FMAF(0.166665425f, r, 0.5f));
    return (VmExpf){ vm_bitsf(shifted), hi, VM_FMAF(z, q, lo) };
}

VM float vm_expf(float x) {
    VmExpf e = vm_exp_partsf(vm_clampf(x, -105, 89));
    uint32_t both = e.k + 254, half = both >> 1;
    return (1 + (e.hi + e.lo)) * vm_of_bitsf(half << 23) * vm_of_bitsf((both - half) << 23);
}

/* (e^x - 1) / 2 */
VM float vm_half_expm1f(VmExpf e) {
    float power = vm_of_bitsf((e.k + 126) << 23), less = power - 0.5f;
    float main = VM_FMAF(e.hi, power, less), error = VM_FMAF(e.hi, power, less - main);
    return main + VM_FMAF(e.lo, power, error);
}

VM float vm_expm1f(float x) {
    float r = 2 * vm_half_expm1f(vm_exp_partsf(vm_clampf(x, -20, 89)));
    return __builtin_fabsf(x) < 0x1p-25f ? x : r;
}

/* As vm_tanh. */
VM float vm_tanhf(float x) {
    float a = __builtin_fabsf(x), bounded = a > 10 ? 10 : a;
    float shifted = VM_FMAF(bounded, 2.88539008f, 0x1.8p23f), k = shifted - 0x1.8p23f;
    float r = VM_FMAF(-k, 0x1.0bfbe8p-16f, VM_FMAF(-k, 0x1.62ep-2f, bounded)), z = r * r;
    float q = VM_FMAF(VM_FMAF(0.0892579213f, z, VM_FMAF(0.267732609f, r, 0.666660491f)), z,
                      VM_FMAF(1.3333234f, r, 2.0f));
    float p = VM_FMAF(z, q, r + r), power = vm_of_bitsf((vm_bitsf(shifted) + 127) << 23);
    float less = VM_FMAF(p, power, power - 1);
    return __builtin_copysignf(less / (less + 2), x);
}

VM float vm_sigmoidf(float x) {
    float e = vm_expf(-__builtin_fabsf(x)), sum = 1 + e, lost = e - (sum - 1);
    float q = (x < 0 ? e : 1) / sum;
    return VM_FMAF(-q * lost, 1.5f - 0.5f * sum, q);    /* 1.5 - sum / 2: about 1 / sum */
}

/* log(x + x_lo) + extra ln 2, as vm_log_pair. */
VM float vm_log_of(float x, float x_lo, float extra) {
    const uint32_t root = 0x3f3504f3, one = 0x3f800000;
    uint32_t shifted = vm_bitsf(x) + (one - root), exponent = shifted >> 23;
    float k = (float)(int32_t)exponent - 127 + extra;
    float f = vm_of_bitsf((shifted & 0x007fffff) + root) - 1;
    float s = f / (2 + f), z = s * s, half = 0.5f * f * f;
    float r = z * VM_FMAF(z, VM_FMAF(z, 0.295825668f, 0.399887074f), 0.666666853f);
    float c = x_lo * vm_of_bitsf((255 - exponent) << 23) * 0.5f;
    float less = 2 * s * VM_FMAF(s, s - 1, 1), more = VM_FMAF(-c, less, c);
    float hi = VM_FMAF(k, 0x1.62ep-1f, f), error = VM_FMAF(k, 0x1.62ep-1f, -hi) + f;
    return hi + (error + (VM_FMAF(s, half + r, -half) + VM_FMAF(k, 0x1.0bfbe8p-15f, more)));
}

VM float vm_log_specialf(float x, float zero, float r) {
    r = x > zero ? r : x == zero ? -__builtin_inff() : __builtin_nanf("");
    return x < __builtin_inff() ? r : x;
}

VM float vm_logf(float x) {
    bool small = x < 0x1p-126f;
    return vm_log_specialf(x, 0, vm_log_of(small ? x * 0x1p25f : x, 0, small ? -25 : 0));
}

VM float vm_log1pf(float x) {
    float u = 1 + x, part = u - 1, x_lo = (1 - (u - part)) + (x - part);
    float r = vm_log_specialf(x, -1, vm_log_of(u, x_lo, 0));
    return __builtin_fabsf(x) < 0x1p-25f ? x : r;
}

/* ---- by double ---- */
/* e^x for |x| < 700; 2^-34 */
VM double vm_exp_shortly(double x) {
    double shifted = VM_FMA(x, VM_LOG2_E, VM_SHIFT), k = shifted - VM_SHIFT;
    double r = VM_FMA(-k, 0x1.62e42fefa39efp-1, x);
    double p = vm_poly8(r, 0.9999999999592369, 0.999999999995473, 0.5000000108377728,
                        0.16666666787028753, 0.0416662165210468, 0.008333283339034426,
                        0.0013948697984710072, 0.00019907702175735054);
    return vm_of_bits(vm_bits(p) + (vm_bits(shifted) << 52));
}

/* 2^x for |x| < 1000; 2^-34 */
VM double vm_exp2_shortly(double x) {
    double shifted = x + VM_SHIFT, r = x - (shifted - VM_SHIFT);
    double p = vm_poly8(r, 0.9999999999595618, 0.6931471805568324, 0.24022651213498092,
                        0.055504109063258665, 0.009618025613318034, 0.0013333478473685416,
                        0.00015469729214118296, 1.5303700711365693e-05);
    return vm_of_bits(vm_bits(p) + (vm_bits(shifted) << 52));
}

/* x = 2^k (1 + f) for a normal x > 0, and log(1 + f) as sqrt(1/2) <= 1 + f < sqrt(2); 2^-33. A
 * small x - 1 may be given better than x has it. */
typedef struct VmShortLog { double k, log; } VmShortLog;
VM VmShortLog vm_log_parts_shortly(double x, bool small, double near) {
    const uint64_t root = 0x3fe6a09e667f3bcd, one = 0x3ff0000000000000;  /* sqrt(1/2) and 1 */
    uint64_t shifted = vm_bits(x) + (one - root);
    double k = vm_of_bits(shifted >> 52 | 0x4330000000000000) - (0x1p52 + 1023);
    double f = small ? near : vm_of_bits((shifted & 0x000fffffffffffff) + root) - 1;
    double p = vm_poly12(f, 1.000000000048012, -0.5000000030845538, 0.3333333084628052,
                         -0.24999936585814816, 0.2000016963794254, -0.16670383652377296,
                         0.14283798395270253, -0.12410885665961421, 0.11042736039719009,
                         -0.10898112577877182, 0.10636542375579953, -0.058456713350896375);
    return (VmShortLog){ k, f * p };
}
VM VmShortLog vm_log_shortly(double x) { return vm_log_parts_shortly(x, false, 0); }

/* log(1 + t) for t >= 0 */
VM double vm_log1p_shortly(double t) {
    VmShortLog l = vm_log_parts_shortly(1 + t, t < 0.375, t);
    return VM_FMA(l.k, 0x1.62e42fefa39efp-1, l.log);
}

VM float vm_exp2f(float x) { return (float)vm_exp2_shortly((double)vm_clampf(x, -160, 130)); }
VM float vm_log2f(float x) {
    VmShortLog l = vm_log_shortly((double)x);
    return vm_log_specialf(x, 0, (float)VM_FMA(l.log, VM_LOG2_E, l.k));
}
VM float vm_log10f(float x) {
    VmShortLog l = vm_log_shortly((double)x);
    double r = VM_FMA(l.k, 0x1.34413509f79ffp-2, l.log * 0x1.bcb7b1526e50ep-2);
    return vm_log_specialf(x, 0, (float)r);
}

/* Of the logarithm 2^-33 of 150 are 2^-26: within 0.7 ULP. */
VM float vm_powf(float x, float y) {
    VmShortLog l = vm_log_shortly((double)__builtin_fabsf(x));
    double p = vm_clamp((double)y, -0x1p40, 0x1p40) * VM_FMA(l.log, VM_LOG2_E, l.k);
    double r = vm_exp2_shortly(vm_clamp(p, -160, 130));
    return (float)vm_pow_special((double)x, (double)y, r);
}

/* max(x, 0) + log(1 + e) with e = e^-|x|; 2^-33 */
VM float vm_softplusf(float x) {
    double a = (double)__builtin_fabsf(x), e = vm_exp_shortly(-(a > 110 ? 110 : a));
    double p = vm_poly12(e, 0.9999999998657495, -0.4999999612139627, 0.33333145512337686,
                         -0.24996389178843487, 0.19963546159118528, -0.1644481781513311,
                         0.13403457249133155, -0.1008180479257159, 0.06350289738777211,
                         -0.029800145490202278, 0.008925603861739712, -0.0012525852620659762);
    return (float)VM_FMA(e, p, (double)(x > 0 ? x : 0));
}
VM float vm_log_sigmoidf(float x) { return -vm_softplusf(-x); }

/* As vm_hyperbolic; 2^-34 */
typedef struct VmHyperbolicf { double plus, minus, sinh, cosh; } VmHyperbolicf;
VM VmHyperbolicf vm_hyperbolicf(float x) {
    double a = (double)__builtin_fabsf(x), bounded = a > 90 ? 90 : a;
    double shifted = VM_FMA(bounded, VM_LOG2_E, VM_SHIFT), k = shifted - VM_SHIFT;
    double up = vm_power_of_two(vm_bits(shifted) - 1);
    double down = vm_power_of_two(-vm_bits(shifted) - 1);
    double r = VM_FMA(-k, 0x1.62e42fefa39efp-1, bounded), z = r * r;
    double sinh = r * vm_poly4(z, 0.999999999995473, 0.16666666787028392, 0.008333283339134313,
                               0.00019907702109335612);
    double cosh = vm_poly4(z, 0.999999999959237, 0.5000000108377404, 0.041666216521946374,
                           0.0013948697924910628);
    return (VmHyperbolicf){ up + down, up - down, sinh, cosh };
}
VM float vm_sinhf(float x) {
    VmHyperbolicf h = vm_hyperbolicf(x);
    return __builtin_copysignf((float)VM_FMA(h.plus, h.sinh, h.minus * h.cosh), x);
}
VM float vm_coshf(float x) {
    VmHyperbolicf h = vm_hyperbolicf(x);
    return (float)VM_FMA(h.plus, h.cosh, h.minus * h.sinh);
}

/* ---- roots ---- */
/* y = 1 / sqrt(x) and what 1 - x y^2, calculated exactly, says about its error. */
VM float vm_rsqrtf(float x) {
    float y = 1 / __builtin_sqrtf(x), root = x * y, lost = VM_FMAF(x, y, -root);
    float r = VM_FMAF(0.5f * y, VM_FMAF(-lost, y, VM_FMAF(-root, y, 1.0f)), y);
    return r == r ? r : y;
}
VM_FIXED_POWER(float, f, VM_FMAF, __builtin_sqrtf, __builtin_inff())
VM float vm_pow_anyf(float x, float y) {
#define VM_IF_FIXEDF(exponent, name) if (y == exponent) return vm_pow_##name##f(x);
    VM_FIXED_POWERS(VM_IF_FIXEDF)
    return vm_powf(x, y);
}

VM float vm_cbrtf(float x) {
    float a = __builtin_fabsf(x);
    VmRoot root = vm_cbrt_parts((double)a);
    double y = root.inverse, r = root.v * y * y * vm_power_of_two(root.q);
    return a > 0 ? a < __builtin_inff() ? __builtin_copysignf((float)r, x) : x : x;
}
VM float vm_hypotf(float x, float y) {
    double a = (double)__builtin_fabsf(x), b = (double)__builtin_fabsf(y);
    double r = __builtin_sqrt(VM_FMA(a, a, b * b));
    return (float)(a == VM_INFINITY ? a : b == VM_INFINITY ? b : r);
}

/* ---- trigonometry ---- */
/* sin(r) for |r| <= pi/2; 2^-35 */
VM double vm_sin_shortly(double r) {
    double z = r * r;
    return r * vm_poly6(z, 0.9999999999828987, -0.16666666616766043, 0.008333330972335804,
                        -0.00019840860936718842, 2.7525257177301262e-06, -2.3888990281026986e-08);
}
/* sin(x + quarter pi) where shifted is x / pi + quarter, rounded to k by VM_SHIFT, and quarter 0 or
 * 1/2: (-1)^k sin(x - (k - quarter) pi). The first part of pi has 33 bits. */
VM float vm_sine(double x, double shifted, double quarter) {
    double n = (shifted - VM_SHIFT) - quarter;
    double r = VM_FMA(-n, 0x1.0b4611a626331p-33, VM_FMA(-n, 0x1.921fb544p+1, x));
    return (float)vm_flip_sign(vm_sin_shortly(r), vm_bits(shifted) << 63);
}
VM float vm_sinf(float x) {
    return vm_sine((double)x, VM_FMA((double)x, 0x1.45f306dc9c883p-2, VM_SHIFT), 0);
}
VM float vm_cosf(float x) {
    return vm_sine((double)x, VM_FMA((double)x, 0x1.45f306dc9c883p-2, 0.5) + VM_SHIFT, 0.5);
}

/* x = n pi/2 + r: tan r for an even n, -1 / tan r for an odd one. */
VM float vm_tanf(float x) {
    double shifted = VM_FMA((double)x, 0x1.45f306dc9c883p-1, VM_SHIFT), n = shifted - VM_SHIFT;
    double r = VM_FMA(-n, 0x1.0b4611a626331p-34, VM_FMA(-n, 0x1.921fb544p+0, (double)x)), z = r * r;
    double sin = r * vm_poly5(z, 0.9999999999956688, -0.16666666631563162, 0.008333328779736226,
                              -0.00019839201388559692, 2.717338055746829e-06);
    double cos = vm_poly5(z, 0.999999999952442, -0.49999999614550283, 0.041666616662651895,
                          -0.0013886617095704495, 2.4379747535470243e-05);
    bool odd = vm_bits(shifted) & 1;
    return (float)((odd ? -cos : sin) / (odd ? sin : cos));
}

/* asin t for 0 <= t <= 1/2 with z = t^2; 2^-35. What is larger goes by vm_arc's formula. */
typedef struct VmArcf { bool big; double t; } VmArcf;
VM VmArcf vm_arcf(float x) {
    double a = (double)__builtin_fabsf(x);
    bool big = a > 0.5;
    double z = big ? 0.5 - 0.5 * a : a * a, t = big ? __builtin_sqrt(z) : a;
    double p = vm_poly8(z, 0.9999999999863537, 0.16666667364186447, 0.07499941908754719,
                        0.04466113930866896, 0.03010250689966149, 0.024650862660604088,
                        0.0074010072390753795, 0.0347484248080839);
    return (VmArcf){ big, t * p };
}
VM float vm_asinf(float x) {
    VmArcf arc = vm_arcf(x);
    return __builtin_copysignf((float)(arc.big ? 0.5 * VM_PI - 2 * arc.t : arc.t), x);
}
VM float vm_acosf(float x) {
    VmArcf arc = vm_arcf(x);
    double far = x < 0 ? VM_PI - 2 * arc.t : 2 * arc.t;
    double near = x < 0 ? 0.5 * VM_PI + arc.t : 0.5 * VM_PI - arc.t;
    return (float)(arc.big ? far : near);
}

/* atan t for 0 <= t <= 1; 2^-33 */
VM double vm_atan_shortly(double t) {
    return t * vm_poly12(t * t, 0.9999999999293037, -0.3333333129088999, 0.19999901102171555,
                         -0.14283813255743194, 0.11091922963683302, -0.08974171958363882,
                         0.07228278345377252, -0.05395668057137172, 0.033826218952786875,
                         -0.015828322749149415, 0.00473248419342192, -0.0006633954571104787);
}
VM float vm_atanf(float x) {
    double a = (double)__builtin_fabsf(x);
    bool big = a > 1;
    double r = vm_atan_shortly(big ? 1 / a : a);
    return __builtin_copysignf((float)(big ? 0.5 * VM_PI - r : r), x);
}
VM float vm_atan2f(float y, float x) {
    double a = (double)__builtin_fabsf(y), b = (double)__builtin_fabsf(x);
    double high = a > b ? a : b, low = a > b ? b : a;
    double t = low == high ? (high > 0 ? 1 : 0) : low / high, r = vm_atan_shortly(t);
    r = a > b ? 0.5 * VM_PI - r : r;
    r = vm_bitsf(x) >> 31 ? VM_PI - r : r;
    return a == a && b == b ? __builtin_copysignf((float)r, y) : x + y;
}

/* ---- the error function ---- */
/* 2^-33 */
VM float vm_erff(float x) {
    double a = vm_clamp((double)x, -4, 4), z = a * a, z2 = z * z, z4 = z2 * z2;
    double low = vm_poly12(z, 1.1283791670597465, -0.3761263872413596, 0.11283790173536903,
                           -0.026866120679218085, 0.005223888961565784, -0.0008547359847885831,
                           0.00012048259949381173, -1.4888938420841157e-05, 1.6321383686068617e-06,
                           -1.5955719058941413e-07, 1.3878558437672687e-08, -1.062885671809022e-09);
    double high = vm_poly8(z, 7.039689639777082e-11, -3.937141971670121e-12, 1.8064268779087507e-13,
                           -6.5653030020212335e-15, 1.805672482167276e-16, -3.51287909004145e-18,
                           4.291154973743684e-20, -2.4679422245967493e-22);
    return (float)(a * VM_FMA(z4 * z4 * z4, high, low));
}

/* erfc(y) for y >= 0, z = y^2 <= 450: e^-z u P(u) with u = 1 / (1 + 0.45 y); 2^-34 for y < 10.7,
 * where it becomes 0 in float */
VM double vm_erfc_shortly(double y, double z) {
    double u = 1 / VM_FMA(0.45, y, 1);
    double p = vm_poly13(u, 0.25388465605863325, 0.25390850002952486, 0.22781190854315037,
                         0.18022446711230486, 0.08596942094953701, 0.12882844462699103,
                         -0.30504873046484476, 0.5909416843432652, -1.0039296002879519,
                         1.0148295466122208, -0.5874589773511015, 0.1849192854641023,
                         -0.02488060566367831);
    return vm_exp_shortly(-z) * u * p;
}
VM float vm_erfcf(float x) {
    float a = __builtin_fabsf(x);
    double y = (double)(a > 12 ? 12 : a), r = vm_erfc_shortly(y, y * y);
    return (float)(x < 0 ? 2 - r : r);
}
VM float vm_geluf(float x) {
    float bounded = x < -30 ? -30 : x, size = __builtin_fabsf(bounded);
    double a = (double)(size > 30 ? 30 : size), g = (double)bounded;
    double half = 0.5 * vm_erfc_shortly(a * 0x1.6a09e667f3bcdp-1, 0.5 * a * a);
    return (float)(g * (g < 0 ? half : 1 - half));
}

/* ---- inverse hyperbolic functions ---- */
VM float vm_asinhf(float x) {
    double a = (double)__builtin_fabsf(x), z = a * a, t = a + z / (1 + __builtin_sqrt(1 + z));
    float r = (float)vm_log1p_shortly(t);
    return __builtin_fabsf(x) < __builtin_inff() ? __builtin_copysignf(r, x) : x;
}
VM float vm_acoshf(float x) {
    double a = (double)x - 1, t = a + __builtin_sqrt(VM_FMA(a, a, 2 * a));
    float r = x < __builtin_inff() ? (float)vm_log1p_shortly(t) : x;
    return x < 1 ? __builtin_nanf("") : r;
}
VM float vm_atanhf(float x) {
    double a = (double)__builtin_fabsf(x);
    float r = (float)(0.5 * vm_log1p_shortly(2 * a / (1 - a)));
    r = __builtin_copysignf(a == 1 ? __builtin_inff() : r, x);
    return a <= 1 ? r : __builtin_nanf("");
}

VM float vm_sin_anyf(float x) { return vm_far((double)x) ? (float)sin((double)x) : vm_sinf(x); }
VM float vm_cos_anyf(float x) { return vm_far((double)x) ? (float)cos((double)x) : vm_cosf(x); }
VM float vm_tan_anyf(float x) { return vm_far((double)x) ? (float)tan((double)x) : vm_tanf(x); }
static inline float vm_lgammaf(float x) { return (float)vm_lgamma((double)x); }
static inline float vm_digammaf(float x) { return (float)vm_digamma((double)x); }
#endif
