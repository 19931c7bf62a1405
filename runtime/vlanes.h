/* The most used functions of vmath.h for a register full of numbers at once.
 *
 * The one idea: the same formulas as in vmath.h, and so the same results bit for bit, in the words
 * of the processor where the compiler does not find them by itself: a clamp is one minimum and one
 * maximum, and a power of two is applied by one instruction where there is one. That is a third to
 * a half of all instructions of exp and tanh, which are bound by nothing else.
 *
 * For x86-64-v3 and v4 (LANES is 1); elsewhere loops over vmath.h's functions serve.
 *
 *     LaneF32 r = lane_exp_f32(x);       exp, tanh, sigmoid, silu, by dtype: f32, f64
 *     LANES_LOOP(exp, f32, float, LaneF32)   makes a loop, exp_lanes_f32(n, out, x) */
#ifndef VLANES_H
#define VLANES_H
#include "vmath.h"

#if defined(__AVX512DQ__) && VM_FUSED
#include <immintrin.h>
#define LANES 1
#define MM(name) _mm512_##name
typedef __m512 LaneF32;
typedef __m512d LaneF64;
#elif defined(__AVX2__) && VM_FUSED
#include <immintrin.h>
#define LANES 1
#define MM(name) _mm256_##name
typedef __m256 LaneF32;
typedef __m256d LaneF64;
#else
#define LANES 0
#endif

#if LANES
/* ---- words ---- */
#define F32S(number) MM(set1_ps)(number)
#define F64S(number) MM(set1_pd)(number)
/* a b + c, c - a b; NaN passes through the bounds. */
#define FMA32(a, b, c) MM(fmadd_ps)(a, b, c)
#define FMA64(a, b, c) MM(fmadd_pd)(a, b, c)
#define LESS32(c, a, b) MM(fnmadd_ps)(a, b, c)
#define LESS64(c, a, b) MM(fnmadd_pd)(a, b, c)
#define CLAMP32(x, low, high) MM(max_ps)(F32S(low), MM(min_ps)(F32S(high), x))
#define CLAMP64(x, low, high) MM(max_pd)(F64S(low), MM(min_pd)(F64S(high), x))
#define SIGN32(x) MM(and_ps)(x, F32S(-0.0f))
#define SIGN64(x) MM(and_pd)(x, F64S(-0.0))
#define ABS32(x) MM(andnot_ps)(F32S(-0.0f), x)
#define ABS64(x) MM(andnot_pd)(F64S(-0.0), x)
#define VL static inline __attribute__((always_inline, unused, const))
#define VR static inline __attribute__((always_inline, unused))   /* reads or writes memory */

/* x 2^k, rounded once, where k is shifted less the 1.5 * 2^23 or 2^52 that rounded it; and where a
 * is below b, x, elsewhere y. */
#ifdef __AVX512DQ__
VL LaneF32 lane_scale_f32(LaneF32 x, LaneF32 shifted) {
    return MM(scalef_ps)(x, shifted - 0x1.8p23f);
}
VL LaneF64 lane_scale_f64(LaneF64 x, LaneF64 shifted) {
    return MM(scalef_pd)(x, shifted - VM_SHIFT);
}
VL LaneF32 lane_if_less_f32(LaneF32 a, LaneF32 b, LaneF32 x, LaneF32 y) {
    return MM(mask_blend_ps)(MM(cmp_ps_mask)(a, b, _CMP_LT_OQ), y, x);
}
VL LaneF64 lane_if_less_f64(LaneF64 a, LaneF64 b, LaneF64 x, LaneF64 y) {
    return MM(mask_blend_pd)(MM(cmp_pd_mask)(a, b, _CMP_LT_OQ), y, x);
}
/* The first n numbers of a register, up to all; the others are 0, or are not written. */
VL unsigned lane_first(int64_t n) { return n >= 16 ? 0xffff : n <= 0 ? 0 : (1u << n) - 1; }
VR LaneF32 lane_load_f32(const float *x, int64_t n) {
    return _mm512_maskz_loadu_ps((__mmask16)lane_first(n), x);
}
VR LaneF64 lane_load_f64(const double *x, int64_t n) {
    return _mm512_maskz_loadu_pd((__mmask8)lane_first(n), x);
}
VR void lane_store_f32(float *out, int64_t n, LaneF32 x) {
    _mm512_mask_storeu_ps(out, (__mmask16)lane_first(n), x);
}
VR void lane_store_f64(double *out, int64_t n, LaneF64 x) {
    _mm512_mask_storeu_pd(out, (__mmask8)lane_first(n), x);
}
VL LaneF32 lane_part_f32(LaneF32 x, int64_t n) {
    return _mm512_maskz_mov_ps((__mmask16)lane_first(n), x);
}
VL LaneF64 lane_part_f64(LaneF64 x, int64_t n) {
    return _mm512_maskz_mov_pd((__mmask8)lane_first(n), x);
}
VL LaneF64 lane_low_half(LaneF32 x) { return _mm512_cvtps_pd(_mm512_castps512_ps256(x)); }
VL LaneF64 lane_high_half(LaneF32 x) { return _mm512_cvtps_pd(_mm512_extractf32x8_ps(x, 1)); }
#define ADD32(x, number) _mm512_add_epi32((__m512i)(x), _mm512_set1_epi32(number))
#define ADD64(x, number) _mm512_add_epi64((__m512i)(x), _mm512_set1_epi64(number))
#else
VL LaneF32 lane_scale_f32(LaneF32 x, LaneF32 shifted) {
    __m256i both = MM(add_epi32)((__m256i)shifted, MM(set1_epi32)(254));
    __m256i half = MM(srli_epi32)(both, 1);
    x *= (LaneF32)MM(slli_epi32)(half, 23);
    return x * (LaneF32)MM(slli_epi32)(MM(sub_epi32)(both, half), 23);
}
VL LaneF64 lane_scale_f64(LaneF64 x, LaneF64 shifted) {
    __m256i both = MM(add_epi64)((__m256i)shifted, MM(set1_epi64x)(2046));
    __m256i half = MM(srli_epi64)(both, 1);
    x *= (LaneF64)MM(slli_epi64)(half, 52);
    return x * (LaneF64)MM(slli_epi64)(MM(sub_epi64)(both, half), 52);
}
VL LaneF32 lane_if_less_f32(LaneF32 a, LaneF32 b, LaneF32 x, LaneF32 y) {
    return MM(blendv_ps)(y, x, MM(cmp_ps)(a, b, _CMP_LT_OQ));
}
VL LaneF64 lane_if_less_f64(LaneF64 a, LaneF64 b, LaneF64 x, LaneF64 y) {
    return MM(blendv_pd)(y, x, MM(cmp_pd)(a, b, _CMP_LT_OQ));
}
/* The first n numbers of a register, up to all; the others are 0, or are not written. */
VL __m256i lane_first_f32(int64_t n) {
    __m256i at = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n > 8 ? 8 : (int)n), at);
}
VL __m256i lane_first_f64(int64_t n) {
    return _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3));
}
VR LaneF32 lane_load_f32(const float *x, int64_t n) {
    return _mm256_maskload_ps(x, lane_first_f32(n));
}
VR LaneF64 lane_load_f64(const double *x, int64_t n) {
    return _mm256_maskload_pd(x, lane_first_f64(n));
}
VR void lane_store_f32(float *out, int64_t n, LaneF32 x) {
    _mm256_maskstore_ps(out, lane_first_f32(n), x);
}
VR void lane_store_f64(double *out, int64_t n, LaneF64 x) {
    _mm256_maskstore_pd(out, lane_first_f64(n), x);
}
VL LaneF32 lane_part_f32(LaneF32 x, int64_t n) {
    return _mm256_and_ps(x, (LaneF32)lane_first_f32(n));
}
VL LaneF64 lane_part_f64(LaneF64 x, int64_t n) {
    return _mm256_and_pd(x, (LaneF64)lane_first_f64(n));
}
VL LaneF64 lane_low_half(LaneF32 x) { return _mm256_cvtps_pd(_mm256_castps256_ps128(x)); }
VL LaneF64 lane_high_half(LaneF32 x) { return _mm256_cvtps_pd(_mm256_extractf128_ps(x, 1)); }
#define ADD32(x, number) _mm256_add_epi32((__m256i)(x), _mm256_set1_epi32(number))
#define ADD64(x, number) _mm256_add_epi64((__m256i)(x), _mm256_set1_epi64x(number))
#endif

/* ---- exp ---- */
/* As vm_exp_partsf and vm_exp_parts. */
typedef struct LaneExpF32 { LaneF32 shifted, hi, lo; } LaneExpF32;
VL LaneExpF32 lane_exp_parts_f32(LaneF32 x) {
    LaneF32 shifted = FMA32(x, F32S(1.44269504f), F32S(0x1.8p23f)), k = shifted - 0x1.8p23f;
    LaneF32 hi = LESS32(x, k, F32S(0x1.62ep-1f)), lo = k * -0x1.0bfbe8p-15f, r = hi + lo, z = r * r;
    LaneF32 fourth = FMA32(F32S(0.00836664402f), r, F32S(0.0416662807f));
    LaneF32 second = FMA32(F32S(0.166665425f), r, F32S(0.5f));
    LaneF32 q = FMA32(FMA32(F32S(0.00139465502f), z, fourth), z, second);
    return (LaneExpF32){ shifted, hi, FMA32(z, q, lo) };
}

VL LaneF32 lane_exp_f32(LaneF32 x) {
    LaneExpF32 e = lane_exp_parts_f32(CLAMP32(x, -105.0f, 89.0f));
    return lane_scale_f32(1 + (e.hi + e.lo), e.shifted);
}

/* (e^(by r) - 1 - by r) / r^2, where by is 1 or 2. */
VL LaneF64 lane_exp_tail_f64(LaneF64 r, double by) {
    const double b2 = by * by, b4 = b2 * b2, b6 = b4 * b2, b8 = b4 * b4, b10 = b6 * b4;
    LaneF64 z = r * r;
#define TERM(power, a, b) FMA64(r, F64S(power * by * b), F64S(power * a))
    LaneF64 q = FMA64(z, F64S(b10 * b2 * 2.0923798072188301e-09),
                      TERM(b10, 2.7557245277790503e-07, 2.510830791075881e-08));
    q = FMA64(z, q, TERM(b8, 2.4801587356862835e-05, 2.7557246530023269e-06));
    q = FMA64(z, q, TERM(b6, 0.0013888888888869328, 0.00019841269883512857));
    q = FMA64(z, q, TERM(b4, 0.041666666666666692, 0.0083333333333228416));
    return FMA64(z, q, TERM(b2, 0.5, 0.16666666666666674));
#undef TERM
}

typedef struct LaneExpF64 { LaneF64 shifted, hi, lo; } LaneExpF64;
VL LaneExpF64 lane_exp_parts_f64(LaneF64 x) {
    LaneF64 shifted = FMA64(x, F64S(VM_LOG2_E), F64S(VM_SHIFT)), k = shifted - VM_SHIFT;
    LaneF64 hi = LESS64(x, k, F64S(VM_LN2_HI)), lo = LESS64(F64S(0), k, F64S(VM_LN2_LO));
    LaneF64 r = hi + lo;
    return (LaneExpF64){ shifted, hi, FMA64(r * r, lane_exp_tail_f64(r, 1), lo) };
}

VL LaneF64 lane_exp_f64(LaneF64 x) {
    LaneExpF64 e = lane_exp_parts_f64(CLAMP64(x, -746.0, 710.0));
    return lane_scale_f64(1 + (e.hi + e.lo), e.shifted);
}

/* ---- tanh ---- */
VL LaneF32 lane_tanh_f32(LaneF32 x) {
    LaneF32 bounded = MM(min_ps)(F32S(10), ABS32(x));
    LaneF32 shifted = FMA32(bounded, F32S(2.88539008f), F32S(0x1.8p23f)), k = shifted - 0x1.8p23f;
    LaneF32 r = LESS32(LESS32(bounded, k, F32S(0x1.62ep-2f)), k, F32S(0x1.0bfbe8p-16f)), z = r * r;
    LaneF32 fourth = FMA32(F32S(0.267732609f), r, F32S(0.666660491f));
    LaneF32 second = FMA32(F32S(1.3333234f), r, F32S(2));
    LaneF32 q = FMA32(FMA32(F32S(0.0892579213f), z, fourth), z, second);
    LaneF32 p = FMA32(z, q, r + r);
    LaneF32 power = (LaneF32)MM(slli_epi32)(ADD32(shifted, 127), 23);
    LaneF32 less = FMA32(p, power, power - 1);
    return MM(or_ps)(less / (less + 2), SIGN32(x));
}

VL LaneF64 lane_tanh_f64(LaneF64 x) {
    LaneF64 bounded = MM(min_pd)(F64S(20), ABS64(x));
    LaneF64 shifted = FMA64(bounded, F64S(2 * VM_LOG2_E), F64S(VM_SHIFT)), k = shifted - VM_SHIFT;
    LaneF64 r_hi = LESS64(bounded, k, F64S(0.5 * VM_LN2_HI));
    LaneF64 r = LESS64(r_hi, k, F64S(0.5 * VM_LN2_LO));
    LaneF64 p = FMA64(r * r, lane_exp_tail_f64(r, 2), r + r);
    LaneF64 power = (LaneF64)MM(slli_epi64)(ADD64(shifted, 1023), 52);
    LaneF64 less = FMA64(p, power, power - 1);
    return MM(or_pd)(less / (less + 2), SIGN64(x));
}

/* ---- sigmoid ---- */
VL LaneF32 lane_sigmoid_f32(LaneF32 x) {
    LaneF32 e = lane_exp_f32(MM(or_ps)(x, F32S(-0.0f))), sum = 1 + e, lost = e - (sum - 1);
    LaneF32 q = lane_if_less_f32(x, F32S(0), e, F32S(1)) / sum;
    return FMA32(-q * lost, LESS32(F32S(1.5f), F32S(0.5f), sum), q);
}

VL LaneF64 lane_sigmoid_f64(LaneF64 x) {
    LaneF64 one = F64S(1), zero = F64S(0);
    LaneExpF64 parts = lane_exp_parts_f64(MM(max_pd)(F64S(-746), MM(or_pd)(x, F64S(-0.0))));
    LaneF64 sum = 1 + parts.hi, rest = (parts.hi - (sum - 1)) + parts.lo;     /* e^-|x| / 2^k */
    LaneF64 hi = sum + rest, lo = rest - (hi - sum);
    LaneF64 e_hi = lane_scale_f64(hi, parts.shifted), e_lo = lane_scale_f64(lo, parts.shifted);
    LaneF64 below = 1 + e_hi, below_lo = (e_hi - (below - 1)) + e_lo;
    LaneF64 above = lane_if_less_f64(x, zero, hi, one);
    LaneF64 above_lo = lane_if_less_f64(x, zero, lo, zero);
    LaneF64 inverse = 1 / below, q = above * inverse;
    LaneF64 left = (LESS64(above, q, below) + LESS64(above_lo, q, below_lo)) * inverse;
    return lane_scale_f64(q + left, lane_if_less_f64(x, zero, parts.shifted, F64S(VM_SHIFT)));
}

VL LaneF32 lane_silu_f32(LaneF32 x) { return x * lane_sigmoid_f32(x); }
VL LaneF64 lane_silu_f64(LaneF64 x) { return x * lane_sigmoid_f64(x); }

/* ---- loops ----
 * Two registers at a time, whose chains of operations hide each other; what is left over goes
 * through a register filled in part. out may be x. */
#define LANES_LOOP(name, dtype, T, Lane)                                                           \
    static void name##_lanes_##dtype(int64_t n, T *out, const T *x) {                              \
        enum { WIDTH = sizeof(Lane) / sizeof(T) };                                                 \
        typedef T Loose __attribute__((vector_size(sizeof(Lane)), aligned(sizeof(T)), may_alias)); \
        int64_t i = 0;                                                                             \
        for (; i + 2 * WIDTH <= n; i += 2 * WIDTH) {                                               \
            Lane a = (Lane)*(const Loose *)(x + i), b = (Lane)*(const Loose *)(x + i + WIDTH);     \
            *(Loose *)(out + i) = (Loose)lane_##name##_##dtype(a);                                 \
            *(Loose *)(out + i + WIDTH) = (Loose)lane_##name##_##dtype(b);                         \
        }                                                                                          \
        for (; i < n; i += WIDTH)                                                                  \
            lane_store_##dtype(out + i, n - i,                                                     \
                               lane_##name##_##dtype(lane_load_##dtype(x + i, n - i)));            \
    }
#endif
#endif
