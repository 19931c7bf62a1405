/* Where something lies on a line, and running sums.
 *
 * The one idea: four lines side by side are one register. Squares of four steps are turned around
 * on the way in and out, so that each line is added up in its own order, and one addition need not
 * wait for another. */
#ifndef LINE_RUNNING_H
#define LINE_RUNNING_H
#include "line_totals.h"

/* ---- places: of the first element for which a test holds, or n ---- */
#define PLACE(name, suffix, T, V, M, test)                                                         \
    static int64_t name##_##suffix(const void *at, int64_t n, double value_) {                     \
        enum { WIDTH = sizeof(V) / sizeof(T), ROWS = 4, HALVES = sizeof(M) / sizeof(int64_t) };    \
        const T *x = at, value = (T)value_;                                                        \
        (void)value;                                                                               \
        int64_t i = 0;                                                                             \
        for (; i + ROWS * WIDTH <= n; i += ROWS * WIDTH) {                                         \
            M found = { 0 };                                                                       \
            int64_t half[HALVES], any = 0;                                                         \
            _Pragma("GCC unroll 4") for (int k = 0; k < ROWS; k++) {                               \
                V e = *(const V *)(x + i + k * WIDTH);                                             \
                found |= (M)(test);                                                                \
            }                                                                                      \
            memcpy(half, &found, sizeof found);                                                    \
            for (int k = 0; k < HALVES; k++) any |= half[k];                                       \
            if (any) break;                                                                        \
        }                                                                                          \
        for (; i < n; i++) {                                                                       \
            T e = x[i];                                                                            \
            if (test) break;                                                                       \
        }                                                                                          \
        return i;                                                                                  \
    }
#define PLACES(name, test)                                                                         \
    PLACE(name, f64, double, Wide, WideMask, test)                                                 \
    PLACE(name, f32, float, Narrow, NarrowMask, test)
PLACES(place_of_nan, e != e)
PLACES(place_of_number, e == value)
#define PLACE_OF(suffix)                                                                           \
    static int64_t place_of_##suffix(const void *x, int64_t n, double value) {                     \
        return value == value ? place_of_number_##suffix(x, n, value)                              \
                              : place_of_nan_##suffix(x, n, value);                                \
    }
PLACE_OF(f64)
PLACE_OF(f32)

/* ---- squares of four by four ---- */
typedef double Four_f64 __attribute__((vector_size(32)));
typedef float Four_f32 __attribute__((vector_size(16)));
typedef double FourAt_f64 __attribute__((vector_size(32), aligned(8), may_alias));
typedef float FourAt_f32 __attribute__((vector_size(16), aligned(4), may_alias));
typedef int64_t Order_f64 __attribute__((vector_size(32)));
typedef int32_t Order_f32 __attribute__((vector_size(16)));
#define TURNED static inline __attribute__((always_inline)) void

/* A square of four by four, by the shuffles that its registers have. */
TURNED turn_f64(Four_f64 *v) {
    const Order_f64 even = { 0, 4, 2, 6 }, odd = { 1, 5, 3, 7 };
    const Order_f64 low = { 0, 1, 4, 5 }, high = { 2, 3, 6, 7 };
    Four_f64 a = __builtin_shuffle(v[0], v[1], even), b = __builtin_shuffle(v[0], v[1], odd);
    Four_f64 c = __builtin_shuffle(v[2], v[3], even), d = __builtin_shuffle(v[2], v[3], odd);
    v[0] = __builtin_shuffle(a, c, low);
    v[1] = __builtin_shuffle(b, d, low);
    v[2] = __builtin_shuffle(a, c, high);
    v[3] = __builtin_shuffle(b, d, high);
}

TURNED turn_f32(Four_f32 *v) {
    const Order_f32 front = { 0, 4, 1, 5 }, back = { 2, 6, 3, 7 };
    const Order_f32 low = { 0, 1, 4, 5 }, high = { 2, 3, 6, 7 };
    Four_f32 a = __builtin_shuffle(v[0], v[1], front), b = __builtin_shuffle(v[0], v[1], back);
    Four_f32 c = __builtin_shuffle(v[2], v[3], front), d = __builtin_shuffle(v[2], v[3], back);
    v[0] = __builtin_shuffle(a, c, low);
    v[1] = __builtin_shuffle(a, c, high);
    v[2] = __builtin_shuffle(b, d, low);
    v[3] = __builtin_shuffle(b, d, high);
}

/* ---- places on short lines: four at a time, of the greatest of each or of the least ---- */
#define SHORT_PLACES(T, suffix)                                                                    \
    typedef struct Best_##suffix { Four_##suffix best, place; } Best_##suffix;                     \
    TURNED meet_##suffix(Best_##suffix *b, const Four_##suffix *e, int64_t i) {                    \
        Order_##suffix better = (*e > b->best) | ((*e != *e) & (b->best == b->best));              \
        Four_##suffix at = (T)i - (Four_##suffix){ 0 };                                            \
        b->best = (Four_##suffix)((better & (Order_##suffix)*e)                                    \
                                  | (~better & (Order_##suffix)b->best));                          \
        b->place = (Four_##suffix)((better & (Order_##suffix)at)                                   \
                                   | (~better & (Order_##suffix)b->place));                        \
    }                                                                                              \
    static void short_places_##suffix(int64_t n, int64_t lines, bool least, const void *x_,        \
                                      double *out) {                                               \
        const T *x = x_, sign = least ? -1 : 1;                                                    \
        for (int64_t l = 0; l < lines; l += 4) {                                                   \
            const T *in[4];                                                                        \
            for (int j = 0; j < 4; j++) in[j] = x + (l + j < lines ? l + j : lines - 1) * n;       \
            Four_##suffix first = { in[0][0], in[1][0], in[2][0], in[3][0] };                      \
            Best_##suffix b = { first * sign, { 0 } };                                             \
            int64_t i = 0;                                                                         \
            for (; i + 4 <= n; i += 4) {                                                           \
                Four_##suffix v[4];                                                                \
                _Pragma("GCC unroll 4") for (int j = 0; j < 4; j++)                                \
                    v[j] = (Four_##suffix)*(const FourAt_##suffix *)(in[j] + i);                   \
                turn_##suffix(v);                                                                  \
                _Pragma("GCC unroll 4") for (int k = 0; k < 4; k++) {                              \
                    v[k] *= sign;                                                                  \
                    meet_##suffix(&b, &v[k], i + k);                                               \
                }                                                                                  \
            }                                                                                      \
            for (; i < n; i++) {                                                                   \
                Four_##suffix e = { in[0][i], in[1][i], in[2][i], in[3][i] };                      \
                e *= sign;                                                                         \
                meet_##suffix(&b, &e, i);                                                          \
            }                                                                                      \
            for (int64_t j = 0; j < 4 && l + j < lines; j++) out[l + j] = (double)b.place[j];      \
        }                                                                                          \
    }
SHORT_PLACES(double, f64)
SHORT_PLACES(float, f32)

/* ---- running sums ---- */
#define RUNNING(T, suffix)                                                                         \
    static inline __attribute__((always_inline)) void side_by_side_##suffix(                       \
        int groups, int64_t n, int64_t apart, bool reverse, const T *x, T *r, double *total) {     \
        Four_f64 sums[RUNNING_LINES / 4];                                                          \
        memcpy(sums, total, (size_t)groups * sizeof *sums);                                        \
        int64_t i = 0;                                                                             \
        for (; i + 4 <= n; i += 4) {                                                               \
            int64_t at = reverse ? n - 4 - i : i;                                                  \
            _Pragma("GCC unroll 2") for (int g = 0; g < groups; g++) {                             \
                Four_##suffix v[4];                                                                \
                _Pragma("GCC unroll 4") for (int j = 0; j < 4; j++)                                \
                    v[j] = (Four_##suffix)*(const FourAt_##suffix *)(x + (4 * g + j) * apart + at);\
                turn_##suffix(v);                                                                  \
                _Pragma("GCC unroll 4") for (int k = 0; k < 4; k++) {                              \
                    int step = reverse ? 3 - k : k;                                                \
                    sums[g] += __builtin_convertvector(v[step], Four_f64);                         \
                    v[step] = __builtin_convertvector(sums[g], Four_##suffix);                     \
                }                                                                                  \
                turn_##suffix(v);                                                                  \
                _Pragma("GCC unroll 4") for (int j = 0; j < 4; j++)                                \
                    *(FourAt_##suffix *)(r + (4 * g + j) * apart + at) = (FourAt_##suffix)v[j];    \
            }                                                                                      \
        }                                                                                          \
        for (; i < n; i++) {                                                                       \
            int64_t at = reverse ? n - 1 - i : i;                                                  \
            _Pragma("GCC unroll 2") for (int g = 0; g < groups; g++) {                             \
                const T *in = x + 4 * g * apart + at;                                              \
                T *to = r + 4 * g * apart + at;                                                    \
                Four_##suffix v = { in[0], in[apart], in[2 * apart], in[3 * apart] };              \
                sums[g] += __builtin_convertvector(v, Four_f64);                                   \
                v = __builtin_convertvector(sums[g], Four_##suffix);                               \
                _Pragma("GCC unroll 4") for (int j = 0; j < 4; j++) to[j * apart] = v[j];          \
            }                                                                                      \
        }                                                                                          \
        memcpy(total, sums, (size_t)groups * sizeof *sums);                                        \
    }                                                                                              \
    static void running_##suffix(int64_t lines, int64_t n, int64_t apart, bool reverse,            \
                                 const void *x_, void *r_, double *total) {                        \
        const T *x = x_;                                                                           \
        T *r = r_;                                                                                 \
        int64_t j = lines == RUNNING_LINES ? RUNNING_LINES : lines / 4 * 4;                        \
        if (lines == RUNNING_LINES) {                                                              \
            if (reverse) side_by_side_##suffix(2, n, apart, true, x, r, total);                    \
            else side_by_side_##suffix(2, n, apart, false, x, r, total);                           \
        } else if (lines >= 4) side_by_side_##suffix(1, n, apart, reverse, x, r, total);           \
        for (; j < lines; j++) {                                                                   \
            double sum = total[j];                                                                 \
            const T *from = x + j * apart;                                                         \
            T *to = r + j * apart;                                                                 \
            for (int64_t i = 0; i < n; i++) {                                                      \
                int64_t at = reverse ? n - 1 - i : i;                                              \
                sum += (double)from[at];                                                           \
                to[at] = (T)sum;                                                                   \
            }                                                                                      \
            total[j] = sum;                                                                        \
        }                                                                                          \
    }                                                                                              \
    static void running_row_##suffix(int64_t n, double *total, const void *x_, void *r_) {         \
        const T *x = x_;                                                                           \
        T *r = r_;                                                                                 \
        EACH {                                                                                     \
            total[i] += (double)x[i];                                                              \
            r[i] = (T)total[i];                                                                    \
        }                                                                                          \
    }
RUNNING(double, f64)
RUNNING(float, f32)
#endif
