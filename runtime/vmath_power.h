/* Powers and roots of a double: sqrt, rsqrt, cbrt, hypot, pow; a part of vmath.h, which includes it.
 *
 * The one idea: a root is a good guess and one Newton step whose remainder is exact; a power is
 * e^(y log x) with the logarithm to 68 bits. */
#ifndef VMATH_POWER_H
#define VMATH_POWER_H

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

/* ---- powers whose exponent is known ----
 * The exponents that people write, as products and roots, each within an ULP: what a product or an
 * inverse lost is added in the last operation, or left where it is no number. In every special case
 * they are what vm_pow gives. */
#define VM_FIXED_POWERS(ROW)                                                                       \
    ROW(-2, inverse_square) ROW(-1, inverse) ROW(-0.5, inverse_root) ROW(0, one) ROW(0.5, root)    \
    ROW(1, itself) ROW(1.5, root_cube) ROW(2, square) ROW(3, cube) ROW(4, fourth)
#define VM_FIXED_POWER(T, f, fma, sqrt, infinity)                                                  \
    VM T vm_pow_one##f(T x) { (void)x; return 1; }                                                 \
    VM T vm_pow_itself##f(T x) { return x; }                                                       \
    VM T vm_pow_square##f(T x) { return x * x; }                                                   \
    VM T vm_pow_cube##f(T x) {                                                                     \
        T square = x * x, lost = fma(x, x, -square), r = fma(square, x, lost * x);                 \
        return r == r ? r : square * x;                                                            \
    }                                                                                              \
    VM T vm_pow_fourth##f(T x) {                                                                   \
        T square = x * x, lost = fma(x, x, -square), r = fma(square, square, 2 * square * lost);   \
        return r == r ? r : square * square;                                                       \
    }                                                                                              \
    VM T vm_pow_inverse##f(T x) { return 1 / x; }                                                  \
    VM T vm_pow_inverse_square##f(T x) {                                                           \
        T inverse = 1 / x, lost = fma(-inverse, x, 1), square = inverse * inverse;                 \
        T r = fma(inverse, inverse, 2 * inverse * (inverse * lost));                               \
        return r == r && square < infinity ? r : square;                                           \
    }                                                                                              \
    VM T vm_pow_root##f(T x) { return x == -infinity ? infinity : sqrt(x + 0); }                   \
    VM T vm_pow_inverse_root##f(T x) { return x == -infinity ? 0 : vm_rsqrt##f(x + 0); }           \
    VM T vm_pow_root_cube##f(T x) {                                                                \
        T a = x + 0, root = sqrt(a), lost = fma(-root, root, a);                                   \
        T r = fma(a, root, (T)0.5 * root * lost);                                                  \
        return x == -infinity ? infinity : r == r ? r : a * root;                                  \
    }
VM_FIXED_POWER(double, , VM_FMA, __builtin_sqrt, VM_INFINITY)

/* Is y one of them, or a whole or half number near them? */
VM bool vm_maybe_fixed(double y) {
    return (__builtin_floor(2 * y) == 2 * y) & (__builtin_fabs(y) <= 4);
}
/* x^y by whichever is due. */
VM double vm_pow_any(double x, double y) {
#define VM_IF_FIXED(exponent, name) if (y == exponent) return vm_pow_##name(x);
    VM_FIXED_POWERS(VM_IF_FIXED)
    return vm_pow(x, y);
}
#endif
