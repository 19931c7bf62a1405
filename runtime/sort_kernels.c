/* The inner loops of sorting (sort_kernels.h), for each instruction set.
 *
 * The one idea: a comparison that needs no branch. Two registers of numbers are put in order by one
 * minimum and one maximum, and a register is split at a pivot by a comparison and two compressions.
 * sort_lanes.h has the loops, once for each dtype. */
#include <math.h>
#include <string.h>
#ifdef __SSE2__
#include <immintrin.h>
#endif
#include "sort_kernels.h"

#ifndef SORT_TABLE
#define SORT_TABLE sort_kernels_v2
#endif
#define INLINE static inline __attribute__((always_inline, unused))
#define UNROLLED _Pragma("GCC unroll 16") for

/* ---- words ----
 * LESSER(a, b) is a where a < b, else b; GREATER(a, b) is a where a > b, else b: so LESSER(a, b)
 * and GREATER(b, a) are both elements, also where these are zeros of different signs. KEPT(v, mask)
 * brings the lanes of the mask to the front; BELOW(a, b) is the mask of a < b. LOAD_FIRST and
 * STORE_FIRST take as many lanes as there are elements left, which may be none or more than all. */
#if defined __AVX512F__
#define BYTES 64
#define f64_LESSER(a, b) _mm512_min_pd(a, b)
#define f64_GREATER(a, b) _mm512_max_pd(a, b)
#define f32_LESSER(a, b) _mm512_min_ps(a, b)
#define f32_GREATER(a, b) _mm512_max_ps(a, b)
#define f64_BELOW(a, b) _mm512_cmp_pd_mask(a, b, _CMP_LT_OQ)
#define f32_BELOW(a, b) _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ)
#define f64_KEPT(v, mask) _mm512_maskz_compress_pd((__mmask8)(mask), v)
#define f32_KEPT(v, mask) _mm512_maskz_compress_ps((__mmask16)(mask), v)
#define COMPRESSES 1
INLINE unsigned first_lanes(int64_t n) {
    return _bzhi_u32(0xffff, n > 16 ? 16 : n > 0 ? (unsigned)n : 0);
}
#define f64_LOAD_FIRST(x, n, others) _mm512_mask_loadu_pd(others, (__mmask8)first_lanes(n), x)
#define f32_LOAD_FIRST(x, n, others) _mm512_mask_loadu_ps(others, (__mmask16)first_lanes(n), x)
#define f64_STORE_FIRST(x, n, v) _mm512_mask_storeu_pd(x, (__mmask8)first_lanes(n), v)
#define f32_STORE_FIRST(x, n, v) _mm512_mask_storeu_ps(x, (__mmask16)first_lanes(n), v)
#elif defined __AVX2__ && defined __BMI2__
#define BYTES 32
#define f64_LESSER(a, b) _mm256_min_pd(a, b)
#define f64_GREATER(a, b) _mm256_max_pd(a, b)
#define f32_LESSER(a, b) _mm256_min_ps(a, b)
#define f32_GREATER(a, b) _mm256_max_ps(a, b)
#define f64_BELOW(a, b) (unsigned)_mm256_movemask_pd(_mm256_cmp_pd(a, b, _CMP_LT_OQ))
#define f32_BELOW(a, b) (unsigned)_mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_LT_OQ))
/* The numbers of the lanes, four bits each, of those that are wanted; then in a lane each. */
INLINE __m256i spread(unsigned kept) {
    return _mm256_srlv_epi32(_mm256_set1_epi32((int)_pext_u32(0x76543210, kept)),
                             _mm256_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28));
}
INLINE __m256d f64_KEPT(__m256d v, unsigned mask) {
    __m256i lanes = spread(_pdep_u32(mask, 0x01010101) * 0xff);
    return _mm256_castps_pd(_mm256_permutevar8x32_ps(_mm256_castpd_ps(v), lanes));
}
INLINE __m256 f32_KEPT(__m256 v, unsigned mask) {
    return _mm256_permutevar8x32_ps(v, spread(_pdep_u32(mask, 0x11111111) * 0xf));
}
#define COMPRESSES 1
INLINE __m256i f64_first(int64_t n) {
    return _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3));
}
INLINE __m256i f32_first(int64_t n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
INLINE __m256d f64_LOAD_FIRST(const double *x, int64_t n, __m256d others) {
    __m256i first = f64_first(n);
    return _mm256_blendv_pd(others, _mm256_maskload_pd(x, first), _mm256_castsi256_pd(first));
}
INLINE __m256 f32_LOAD_FIRST(const float *x, int64_t n, __m256 others) {
    __m256i first = f32_first(n);
    return _mm256_blendv_ps(others, _mm256_maskload_ps(x, first), _mm256_castsi256_ps(first));
}
#define f64_STORE_FIRST(x, n, v) _mm256_maskstore_pd(x, f64_first(n), v)
#define f32_STORE_FIRST(x, n, v) _mm256_maskstore_ps(x, f32_first(n), v)
#else
#define BYTES 16
#ifdef __SSE2__
#define f64_LESSER(a, b) _mm_min_pd(a, b)
#define f64_GREATER(a, b) _mm_max_pd(a, b)
#define f32_LESSER(a, b) _mm_min_ps(a, b)
#define f32_GREATER(a, b) _mm_max_ps(a, b)
#else
#define CHOICE(a, beats, b, M, V) (V)(((a beats b) & (M)a) | (~(a beats b) & (M)b))
#define f64_LESSER(a, b) CHOICE(a, <, b, f64_Mask, f64_Lanes)
#define f64_GREATER(a, b) CHOICE(a, >, b, f64_Mask, f64_Lanes)
#define f32_LESSER(a, b) CHOICE(a, <, b, f32_Mask, f32_Lanes)
#define f32_GREATER(a, b) CHOICE(a, >, b, f32_Mask, f32_Lanes)
#endif
#define COMPRESSES 0
#define PARTS_OF_REGISTERS(name)                                                                   \
    INLINE name##_Lanes name##_LOAD_FIRST(const void *x, int64_t n, name##_Lanes others) {         \
        const int64_t all = BYTES / sizeof others[0];                                              \
        if (n > 0) memcpy(&others, x, (size_t)(n < all ? n : all) * sizeof others[0]);             \
        return others;                                                                             \
    }                                                                                              \
    INLINE void name##_STORE_FIRST(void *x, int64_t n, name##_Lanes v) {                           \
        const int64_t all = BYTES / sizeof v[0];                                                   \
        if (n > 0) memcpy(x, &v, (size_t)(n < all ? n : all) * sizeof v[0]);                       \
    }
typedef double f64_Lanes __attribute__((vector_size(BYTES)));
typedef float f32_Lanes __attribute__((vector_size(BYTES)));
PARTS_OF_REGISTERS(f64)
PARTS_OF_REGISTERS(f32)
#endif

#define LIST2(f, at) f(at), f(at + 1)
#define LIST4(f, at) LIST2(f, at), LIST2(f, at + 2)
#define LIST8(f, at) LIST4(f, at), LIST4(f, at + 4)
#define LIST16(f, at) LIST8(f, at), LIST8(f, at + 8)

/* M. W. Green's network: sixteen elements by 60 comparisons, and any first ones of them. */
static const uint8_t network[][2] = {
    { 0, 1 },   { 2, 3 },   { 4, 5 },   { 6, 7 },   { 8, 9 },   { 10, 11 }, { 12, 13 }, { 14, 15 },
    { 0, 2 },   { 1, 3 },   { 4, 6 },   { 5, 7 },   { 8, 10 },  { 9, 11 },  { 12, 14 }, { 13, 15 },
    { 0, 4 },   { 1, 5 },   { 2, 6 },   { 3, 7 },   { 8, 12 },  { 9, 13 },  { 10, 14 }, { 11, 15 },
    { 0, 8 },   { 1, 9 },   { 2, 10 },  { 3, 11 },  { 4, 12 },  { 5, 13 },  { 6, 14 },  { 7, 15 },
    { 5, 10 },  { 6, 9 },   { 3, 12 },  { 13, 14 }, { 4, 8 },   { 7, 11 },  { 1, 2 },   { 1, 4 },
    { 7, 13 },  { 2, 8 },   { 11, 14 }, { 2, 4 },   { 5, 6 },   { 9, 10 },  { 11, 13 }, { 3, 8 },
    { 7, 12 },  { 6, 8 },   { 10, 12 }, { 3, 5 },   { 7, 9 },   { 3, 4 },   { 5, 6 },   { 7, 8 },
    { 9, 10 },  { 11, 12 }, { 6, 7 },   { 8, 9 },
};
enum { COMPARISONS = sizeof network / sizeof network[0] };

#define T double
#define NUMBER int64_t
#define DTYPE(name) f64_##name
#if BYTES == 64
#define WIDTH 8
#define LIST LIST8
#elif BYTES == 32
#define WIDTH 4
#define LIST LIST4
#else
#define WIDTH 2
#define LIST LIST2
#endif
#include "sort_lanes.h"
#undef T
#undef NUMBER
#undef DTYPE
#undef WIDTH
#undef LIST

#define T float
#define NUMBER int32_t
#define DTYPE(name) f32_##name
#if BYTES == 64
#define WIDTH 16
#define LIST LIST16
#elif BYTES == 32
#define WIDTH 8
#define LIST LIST8
#else
#define WIDTH 4
#define LIST LIST4
#endif
#include "sort_lanes.h"

/* ---- places beside their elements ----
 * Half the magnitude's bits with the lowest ones replaced: for the half, infinity and NaN become
 * finite numbers. Of negative elements a greater place makes a lesser number, so it is turned
 * around. No place has all bits set, or a tiny negative element would become -0. */
static uint64_t pack(int64_t n, int bits, double *to, const double *from) {
    const int64_t low = ((int64_t)1 << bits) - 1, sign = INT64_MIN;
    int64_t lost = 0;
    _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) {
        double x = from[i] + 0.0;
        int64_t u;
        memcpy(&u, &x, sizeof u);
        u = x == x ? u : INT64_C(0x7ff8000000000000);
        int64_t all = u >> 63, half = (u & ~sign) >> 1;
        lost |= (u & 1) | (half & low);
        half = (u & sign) | (half & ~low) | ((i ^ all) & low);
        memcpy(to + i, &half, sizeof half);
    }
    return (uint64_t)lost;
}

static void unpack(int64_t n, int bits, double *x) {
    const int64_t low = ((int64_t)1 << bits) - 1, bits_of_2_52 = INT64_C(0x4330000000000000);
    _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) {
        int64_t u;
        memcpy(&u, x + i, sizeof u);
        u = ((u ^ u >> 63) & low) | bits_of_2_52;
        double place;
        memcpy(&place, &u, sizeof place);
        x[i] = place - 0x1p52;
    }
}

#define BY_DTYPE(name) { f64_##name, f32_##name }
const SortKernels SORT_TABLE = {
    .few = { SHORT_LINE * BYTES / sizeof(double), SHORT_LINE * BYTES / sizeof(float) },
    .count_odd = BY_DTYPE(count_odd),
    .tidy = BY_DTYPE(tidy),
    .sort_few = BY_DTYPE(sort_few),
    .partition = BY_DTYPE(partition),
    .sort_short = BY_DTYPE(sort_short),
    .pack = pack,
    .unpack = unpack,
};
