/* What draws (rand.c) and choices (choose.c) share. */
#ifndef RAND_PARTS_H
#define RAND_PARTS_H
#include "kernels.h"
#include "rand.h"

/* (0, 1] */
static inline double unit_above_zero(uint64_t bits) { return (double)((bits >> 11) + 1) * 0x1p-53; }
/* [0, n); the bias is below n / 2^64. */
static inline uint64_t below(uint64_t bits, uint64_t n) {
    return (uint64_t)((unsigned __int128)bits * n >> 64);
}
static inline Array *f64_array(Value v, const char *what) {
    return array_cast(arg_array(v, what), F64);
}
static inline Shape given_shape(Value v, const char *what) {
    return is_given(v) ? arg_shape(v, what) : (Shape){ .axes = 0 };
}

/* ---- choose.c ---- */
/* Weights along one axis, at least one. */
Array *rand_weights(Value v, const char *what);
/* Their running sums, of which the last is the total; fails on what is no weight. */
double *rand_running_sums(Array *weights, const char *what);
#endif
