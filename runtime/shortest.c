/* The fewest digits that read back as the same number. The one idea: all numbers that read back as
 * x lie between its neighbours' midpoints; scaled by a power of ten, the interval holds at most one
 * multiple of ten, else a whole number or two, and 128 bits of the power are enough to tell which.
 * From Raffaele Giulietti, "The Schubfach way to render doubles" (2020), with the interval in
 * integers as he shows.
 *
 * The powers are worked out when they are first needed. The file must not know how a number is laid
 * out as text. */
#include "format.h"
#include <stdlib.h>
#include <string.h>

/* ---- powers of ten ---- */

/* The top 128 bits of 10^k, rounded up where they are not all. */
typedef struct Power { uint64_t high, low; } Power;
enum { LEAST_POWER = -292, GREATEST_POWER = 324, LIMBS = 44 };

/* A natural number, least significant limb first. */
typedef struct Natural { uint32_t limb[LIMBS]; int count; } Natural;

static void multiply(Natural *n, uint32_t by) {
    uint64_t carry = 0;
    for (int i = 0; i < n->count; i++) {
        carry += (uint64_t)n->limb[i] * by;
        n->limb[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry) n->limb[n->count++] = (uint32_t)carry;
}

/* Divides and rounds down; tells whether something was left. */
static bool divide(Natural *n, uint32_t by) {
    uint64_t rest = 0;
    for (int i = n->count - 1; i >= 0; i--) {
        rest = rest << 32 | n->limb[i];
        n->limb[i] = (uint32_t)(rest / by);
        rest %= by;
    }
    while (n->count && !n->limb[n->count - 1]) n->count--;
    return rest != 0;
}

/* Bits from the top one down; `more` becomes true if any lower bit is set. */
static Power top_bits(const Natural *n, bool more) {
    int top = n->count * 32 - __builtin_clz(n->limb[n->count - 1]);   /* bits in all */
    unsigned __int128 bits = 0;
    for (int at = top - 1, taken = 0; taken < 128; at--, taken++)
        bits = bits << 1 | (at >= 0 ? n->limb[at / 32] >> (at % 32) & 1 : 0);
    for (int at = 0; at < top - 128; at++) more = more || (n->limb[at / 32] >> (at % 32) & 1);
    bits += more;
    return (Power){ (uint64_t)(bits >> 64), (uint64_t)bits };
}

/* Rounding down between divisions loses nothing: floor(floor(a / b) / c) = floor(a / (b c)). */
static Power work_out_power(int k) {
    Natural n = { { 1 }, 1 };
    bool more = false;
    if (k < 0) {
        n = (Natural){ { [LIMBS - 1] = 1 }, LIMBS };   /* 2^1376, of which 10^292 takes 971 bits */
    }
    for (int left = abs(k); left; left -= left < 9 ? left : 9) {
        uint32_t factor = 1;
        for (int i = 0; i < left && i < 9; i++) factor *= 10;
        if (k < 0) more = divide(&n, factor) || more;
        else multiply(&n, factor);
    }
    return top_bits(&n, more);
}

static Power power_of_ten(int k) {
    static Power known[GREATEST_POWER - LEAST_POWER + 1];
    Power *p = &known[k - LEAST_POWER];
    if (!p->high) *p = work_out_power(k);
    return *p;
}

/* ---- digits ---- */

static int floor_log10_pow2(int e) { return (e * 1262611) >> 22; }
static int floor_log10_three_quarters_pow2(int e) { return (e * 1262611 - 524031) >> 22; }
static int floor_log2_pow10(int e) { return (e * 1741647) >> 19; }

/* The product's top 64 bits, the last one set if anything was cut off. */
static uint64_t product_to_odd(Power p, uint64_t c) {
    unsigned __int128 low = (unsigned __int128)p.low * c, high = (unsigned __int128)p.high * c;
    high += (uint64_t)(low >> 64);
    return (uint64_t)(high >> 64) | ((uint64_t)high > 1);
}

/* c 2^q, whose lower neighbour is half as far away as the upper one if `uneven`. */
static Shortest shortest_between(uint64_t c, int q, bool uneven) {
    bool odd = c & 1;
    int k = uneven ? floor_log10_three_quarters_pow2(q) : floor_log10_pow2(q);
    int shift = q + floor_log2_pow10(-k) + 1;
    Power p = power_of_ten(-k);
    uint64_t least = product_to_odd(p, (4 * c - 2 + uneven) << shift) + odd;
    uint64_t value = product_to_odd(p, (4 * c) << shift);
    uint64_t most = product_to_odd(p, (4 * c + 2) << shift) - odd;
    uint64_t s = value / 4;
    if (s >= 10) {
        uint64_t tens = s / 10;
        bool down = least <= 40 * tens, up = 40 * tens + 40 <= most;
        if (down != up) return (Shortest){ tens + up, k + 1 };
    }
    bool down = least <= 4 * s, up = 4 * s + 4 <= most;
    if (down != up) return (Shortest){ s + up, k };
    uint64_t middle = 4 * s + 2;
    return (Shortest){ s + (value > middle || (value == middle && (s & 1))), k };
}

static Shortest shortest_of_bits(uint64_t fraction, int exponent, int fraction_bits, int bias) {
    int least = 1 - bias - fraction_bits;
    if (!exponent) return shortest_between(fraction, least, false);
    uint64_t c = fraction | 1ull << fraction_bits;
    return shortest_between(c, exponent + least - 1, !fraction && exponent > 1);
}

Shortest shortest_digits(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return shortest_of_bits(bits & ((1ull << 52) - 1), (int)(bits >> 52 & 2047), 52, 1023);
}

Shortest shortest_digits_f32(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return shortest_of_bits(bits & ((1u << 23) - 1), (int)(bits >> 23 & 255), 23, 127);
}
