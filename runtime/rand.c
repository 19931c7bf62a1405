/* Draws of the standard library: uniform, normal, integers, and distributions.
 *
 * The one idea: every element draws from its own place (rand.h). Where one block of bits is enough,
 * two elements share it; a distribution that rejects and tries again has a Stream of blocks of its
 * own. Differentiable settings (loc, scale) are applied by recorded operations to a plain draw.
 * Orders and choices are in choose.c. */
#include "par.h"
#include "rand_parts.h"
#include "vmath.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

/* ---- bits ---- */
typedef struct Counter { uint32_t a, b, c, d; } Counter;

static inline Counter philox_round(Counter x, uint32_t key_low, uint32_t key_high) {
    uint64_t left = (uint64_t)0xD2511F53u * x.a, right = (uint64_t)0xCD9E8D57u * x.c;
    return (Counter){ (uint32_t)(right >> 32) ^ x.b ^ key_low, (uint32_t)right,
                      (uint32_t)(left >> 32) ^ x.d ^ key_high, (uint32_t)left };
}

static inline Counter philox_rounds(Counter x, uint64_t key) {
    uint32_t low = (uint32_t)key, high = (uint32_t)(key >> 32);
#pragma GCC unroll 10
    for (uint32_t i = 0; i < 10; i++)
        x = philox_round(x, low + i * 0x9E3779B9u, high + i * 0xBB67AE85u);
    return x;
}

void philox(const uint32_t counter[4], uint64_t key, uint32_t out[4]) {
    Counter x = philox_rounds((Counter){ counter[0], counter[1], counter[2], counter[3] }, key);
    memcpy(out, &x, sizeof x);
}

typedef struct Block { uint64_t half[2]; } Block;

/* step 0: the block that two elements share; from 1: an element's own. */
static inline Block block_at(uint64_t place, uint32_t step) {
    Counter x = { (uint32_t)place, (uint32_t)(place >> 32), step, 0 };
    x = philox_rounds(x, rt.random_key);
    return (Block){ { (uint64_t)x.b << 32 | x.a, (uint64_t)x.d << 32 | x.c } };
}

/* [0, 1) */
static inline double unit(uint64_t bits) { return (double)(bits >> 11) * 0x1p-53; }
/* SplitMix64's finisher (Steele, Lea, Flood 2014): seeds that are close give keys that are not. */
static uint64_t scramble(uint64_t n) {
    n += 0x9E3779B97F4A7C15u;
    n = (n ^ n >> 30) * 0xBF58476D1CE4E5B9u;
    n = (n ^ n >> 27) * 0x94D049BB133111EBu;
    return n ^ n >> 31;
}

/* Key 0 means: not seeded yet. */
void rand_seed(uint64_t n) {
    uint64_t key = scramble(n);
    rt.random_key = key ? key : 1;
    rt.random_counter = 0;
}

static void seed_from_system(void) {
    uint64_t n;
    if (getrandom(&n, sizeof n, GRND_NONBLOCK) != sizeof n)
        n = (uint64_t)time(NULL) << 20 ^ (uint64_t)clock();
    rand_seed(n);
}

uint64_t rand_take(uint64_t n) {
    if (!rt.random_key) seed_from_system();
    uint64_t first = rt.random_counter;
    rt.random_counter += n;
    return first;
}

uint64_t rand_bits(uint64_t place) { return block_at(place >> 1, 0).half[place & 1]; }
double rand_unit(uint64_t place) { return unit(rand_bits(place)); }

/* ---- whole arrays ----
 * Drawn in tiles of blocks: first the bits, then arithmetic in loops that vectorise. */
enum { TILE = 256 };
typedef void Draws(const Block *bits, int count, double *target); /* two numbers from each block */

static void uniform_draws(const Block *bits, int count, double *target) {
    for (int i = 0; i < count; i++) {
        target[2 * i] = unit(bits[i].half[0]);
        target[2 * i + 1] = unit(bits[i].half[1]);
    }
}

/* Box and Muller 1958. Not with libm: these lines give the same digits on every machine. */
__attribute__((optimize("O3"))) static void normal_draws(const Block *bits, int count,
                                                         double *target) {
    double radius[TILE], angle[TILE];
    for (int i = 0; i < count; i++) {
        radius[i] = unit_above_zero(bits[i].half[0]);
        angle[i] = 6.28318530717958648 * unit(bits[i].half[1]);
    }
    for (int i = 0; i < count; i++) radius[i] = sqrt(-2 * vm_log(radius[i]));
    for (int i = 0; i < count; i++) target[2 * i] = radius[i] * vm_cos(angle[i]);
    for (int i = 0; i < count; i++) target[2 * i + 1] = radius[i] * vm_sin(angle[i]);
}

/* n numbers from this place on; the first and the last may be half of a block. */
static void fill(double *target, int64_t n, uint64_t place, Draws *draws) {
    Block bits[TILE];
    double drawn[2 * TILE];
    int64_t skipped = place & 1;
    for (int64_t done = -skipped; done < n && !rt.interrupted;) {
        int64_t left = (n - done + 1) / 2, start = done < 0 ? 0 : done;
        int blocks = left < TILE ? (int)left : TILE;
        for (int i = 0; i < blocks; i++)
            bits[i] = block_at(((place + (uint64_t)done) >> 1) + (uint64_t)i, 0);
        draws(bits, blocks, drawn);
        int64_t end = done + 2 * blocks < n ? done + 2 * blocks : n;
        memcpy(target + start, drawn + (start - done), (size_t)(end - start) * sizeof *target);
        done += 2 * blocks;
    }
}

/* A number is that of its place, whoever draws it. */
typedef struct Filling { double *target; int64_t n; uint64_t place; Draws *draws; } Filling;
enum { DRAWN_AT_ONCE = 16 * 2 * TILE };

static void fill_part(int64_t part, void *env) {
    const Filling *f = env;
    int64_t first = part * DRAWN_AT_ONCE, left = f->n - first;
    fill(f->target + first, left < DRAWN_AT_ONCE ? left : DRAWN_AT_ONCE, f->place + (uint64_t)first,
         f->draws);
}

static Array *drawn_array(const Shape *shape, Draws *draws) {
    Array *a = array_new(F64, shape->axes, shape->dim);
    Filling f = { a->data, a->size, rand_take((uint64_t)a->size), draws };
    par_for(par_chunks(f.n, DRAWN_AT_ONCE), fill_part, &f);
    poll();
    return a;
}

/* ---- streams, for draws that may need several tries ---- */
typedef struct Stream { uint64_t place; uint32_t step; } Stream;

static Block stream_block(Stream *s) { return block_at(s->place, ++s->step); }
static double stream_unit(Stream *s) { return unit_above_zero(stream_block(s).half[0]); }
static double stream_normal(Stream *s) {
    double pair[2];
    Block block = stream_block(s);
    normal_draws(&block, 1, pair);
    return pair[0];
}

/* Marsaglia and Tsang 2000, scale 1; below 1 from gamma(alpha + 1). */
static double gamma_draw(Stream *s, double alpha) {
    if (alpha < 1) {
        double power = pow(stream_unit(s), 1 / alpha);
        return power * gamma_draw(s, alpha + 1);
    }
    double d = alpha - 1.0 / 3, c = 1 / sqrt(9 * d);
    for (;;) {
        double x = stream_normal(s), v = 1 + c * x;
        if (v <= 0) continue;
        v = v * v * v;
        if (log(stream_unit(s)) < 0.5 * x * x + d - d * v + d * log(v)) return d * v;
    }
}

/* How many factors until the product falls below exp(-rate) (Knuth). */
static double poisson_small(Stream *s, double rate) {
    double bound = exp(-rate), product = stream_unit(s);
    int count = 0;
    while (product > bound) {
        product *= stream_unit(s);
        count++;
    }
    return count;
}

/* Hörmann 1993, transformed rejection (PTRS), for rate >= 10. */
static double poisson_large(Stream *s, double rate) {
    double b = 0.931 + 2.53 * sqrt(rate), a = -0.059 + 0.02483 * b;
    double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4), v_r = 0.9277 - 3.6224 / (b - 2);
    double log_rate = log(rate);
    for (;;) {
        double u = stream_unit(s) - 0.5, v = stream_unit(s), us = 0.5 - fabs(u);
        double k = floor((2 * a / us + b) * u + rate + 0.43);
        if (us >= 0.07 && v <= v_r) return k;
        if (k < 0 || (us < 0.013 && v > us)) continue;
        double accepted = k * log_rate - rate - lgamma(k + 1);
        if (log(v) + log(inverse_alpha) - log(a / (us * us) + b) <= accepted) return k;
    }
}

/* From 1e9 on rounding spoils PTRS, and the normal distribution is as near as can be told. */
static double poisson_draw(Stream *s, double rate) {
    if (rate < 10) return poisson_small(s, rate);
    if (rate < 1e9) return poisson_large(s, rate);
    return floor(rate + sqrt(rate) * stream_normal(s) + 0.5);
}

/* Devroye 1986, X.4.3: halves n by drawing the middle one of n ordered uniforms, a beta draw. */
static double binomial_draw(Stream *s, double n, double p) {
    double successes = 0;
    while (n > 32) {
        double a = floor(n / 2) + 1, b = n + 1 - a;
        double x = gamma_draw(s, a), middle = x / (x + gamma_draw(s, b));
        if (middle <= p) {
            successes += a;
            n = b - 1;
            p = (p - middle) / (1 - middle);
        } else {
            n = a - 1;
            p /= middle;
        }
    }
    for (; n > 0; n--) successes += stream_unit(s) <= p;
    return successes;
}

/* ---- distributions with settings that broadcast ---- */
typedef double Sampler(Stream *s, double a, double b);
typedef struct Sampling { Sampler *draw; uint64_t place; } Sampling;

static void sample_run(int64_t n, char **at, const int64_t *strides, void *env) {
    Sampling *sampling = env;
    double *target = (double *)at[0];
    const double *a = (double *)at[1], *b = (double *)at[2];
    for (int64_t i = 0; i < n; i++) {
        Stream s = { sampling->place++, 0 };
        target[i * strides[0]] = sampling->draw(&s, a[i * strides[1]], b[i * strides[2]]);
    }
}

/* Fails unless a setting of shape `own` fits in a draw of shape `shape`. */
static void check_fits(const Shape *own, const Shape *shape, const char *what) {
    Shape joined;
    bool fits = shapes_join(own, shape, &joined);
    if (fits && same_shape(joined.axes, joined.dim, shape->axes, shape->dim)) return;
    char from[96], to[96];
    shape_text(own->axes, own->dim, from, sizeof from);
    shape_text(shape->axes, shape->dim, to, sizeof to);
    fail(E_SHAPE, "%s has shape %s, which does not fit in a draw of shape %s", what, from, to);
}

/* The shape of a draw: as given, else that of its two settings together. */
static Shape draw_shape(Value given, Value a, const char *a_name, Value b, const char *b_name) {
    Shape x = value_shape(a), y = value_shape(b), shape;
    if (!is_given(given)) {
        if (!shapes_join(&x, &y, &shape)) check_fits(&x, &y, a_name);
        return shape;
    }
    shape = arg_shape(given, "the shape");
    check_fits(&x, &shape, a_name);
    check_fits(&y, &shape, b_name);
    return shape;
}

/* One draw per element of the shape, each with its own settings. */
static Array *sample(Sampler *draw, Value given, Value a, const char *a_name, Value b,
                     const char *b_name) {
    Array *x = f64_array(a, a_name), *y = f64_array(b, b_name);
    Shape shape = draw_shape(given, a, a_name, b, b_name);
    Array *out = array_new(F64, shape.axes, shape.dim);
    Sampling sampling = { draw, rand_take((uint64_t)out->size) };
    x = array_broadcast(x, shape.axes, shape.dim);
    y = array_broadcast(y, shape.axes, shape.dim);
    array_walk(3, (Array *[]){ out, x, y }, sample_run, &sampling);
    return out;
}

static double sample_bernoulli(Stream *s, double p, double unused) {
    (void)unused;
    if (!(p >= 0 && p <= 1)) fail(E_VALUE, "p of bernoulli must be from 0 to 1, not %g", p);
    return rand_unit(s->place) < p;
}

static double sample_gamma(Stream *s, double alpha, double scale) {
    if (!(alpha > 0 && alpha < INFINITY))
        fail(E_VALUE, "alpha of gamma must be above 0, not %g", alpha);
    if (!(scale >= 0)) fail(E_VALUE, "scale of gamma must not be negative, but is %g", scale);
    return scale * gamma_draw(s, alpha);
}

static double sample_poisson(Stream *s, double rate, double unused) {
    (void)unused;
    if (!(rate >= 0 && rate < INFINITY))
        fail(E_VALUE, "lam of poisson must be 0 or above, not %g", rate);
    return poisson_draw(s, rate);
}

/* ---- the calls ---- */
Value call_seed(int count, const Value *bound) {
    (void)count;
    if (is_given(bound[0])) rand_seed((uint64_t)arg_int(bound[0], "n of seed"));
    else seed_from_system();
    return NIL;
}

Value call_rand(int count, const Value *bound) {
    (void)count;
    Shape shape = arg_shape(bound[0], "the shape of rand");
    return array_value(drawn_array(&shape, uniform_draws));
}

Value call_randn(int count, const Value *bound) {
    (void)count;
    Shape shape = arg_shape(bound[0], "the shape of randn");
    return array_value(drawn_array(&shape, normal_draws));
}

Value call_randint(int count, const Value *bound) {
    (void)count;
    bool both = is_given(bound[1]);
    int64_t low = both ? arg_int(bound[0], "low of randint") : 0;
    int64_t high = arg_int(bound[both], "high of randint");
    if (low >= high)
        fail(E_VALUE, "randint draws from low up to high, but %lld is not below %lld",
             (long long)low, (long long)high);
    Shape shape = given_shape(bound[2], "shape of randint");
    Array *a = array_new(F64, shape.axes, shape.dim);
    uint64_t place = rand_take((uint64_t)a->size), width = (uint64_t)(high - low);
    for (int64_t i = 0; i < a->size; i++) {
        f64_of(a)[i] = (double)(low + (int64_t)below(rand_bits(place + (uint64_t)i), width));
        if (i % RUN == 0) poll();
    }
    return array_value(a);
}

Value call_bernoulli(int count, const Value *bound) {
    (void)count;
    Value p = is_given(bound[0]) ? bound[0] : number(0.5);
    Array *drawn = sample(sample_bernoulli, bound[1], p, "p of bernoulli", number(0), "");
    return array_value(array_cast(drawn, BOOL));
}

/* Each category takes its share of what the earlier ones left. */
static void multinomial_row(double *row, const double *sums, int64_t categories, double n,
                            uint64_t place) {
    Stream s = { place, 0 };
    double total = sums[categories - 1], before = 0;
    for (int64_t i = 0; i < categories; i++) {
        double left = total - before, share = left > 0 ? (sums[i] - before) / left : 0;
        row[i] = i == categories - 1 ? n : binomial_draw(&s, n, share < 1 ? share : 1);
        n -= row[i];
        before = sums[i];
    }
}

Value call_multinomial(int count, const Value *bound) {
    (void)count;
    double n = (double)arg_int(bound[0], "n of multinomial");
    if (n < 0) fail(E_VALUE, "n of multinomial must be 0 or above, not %g", n);
    Array *weights = rand_weights(bound[1], "p of multinomial");
    double *sums = rand_running_sums(weights, "p of multinomial");
    Shape shape = given_shape(bound[2], "shape of multinomial");
    int64_t rows = shape_size(F64, shape.axes, shape.dim), categories = weights->size;
    if (shape.axes == MAX_AXES) fail(E_LIMIT, "shape of multinomial has no room for an axis more");
    shape.dim[shape.axes++] = categories;
    Array *counts = array_new(F64, shape.axes, shape.dim);
    uint64_t place = rand_take((uint64_t)rows);
    for (int64_t i = 0; i < rows; i++) {
        multinomial_row(f64_of(counts) + i * categories, sums, categories, n, place + (uint64_t)i);
        poll();
    }
    return array_value(counts);
}

Value call_gamma(int count, const Value *bound) {
    (void)count;
    Value scale = is_given(bound[1]) ? bound[1] : number(1);
    const char *alpha_name = "alpha of gamma", *scale_name = "scale of gamma";
    return array_value(sample(sample_gamma, bound[2], bound[0], alpha_name, scale, scale_name));
}

Value call_poisson(int count, const Value *bound) {
    (void)count;
    Value rate = is_given(bound[0]) ? bound[0] : number(1);
    return array_value(sample(sample_poisson, bound[1], rate, "lam of poisson", number(0), ""));
}

static Value number_or(Value v, double otherwise, const char *what) {
    if (!is_given(v)) return number(otherwise);
    arg_array(v, what);
    return v;
}

Value call_random_normal(int count, const Value *bound) {
    (void)count;
    const char *loc_name = "loc of random_normal", *scale_name = "scale of random_normal";
    Value loc = number_or(bound[1], 0, loc_name), scale = number_or(bound[2], 1, scale_name);
    Shape shape = draw_shape(bound[0], loc, loc_name, scale, scale_name);
    Value drawn = array_value(drawn_array(&shape, normal_draws));
    return op_add(op_mul(drawn, scale), loc);
}

Value call_random_uniform(int count, const Value *bound) {
    (void)count;
    const char *low_name = "low of random_uniform", *high_name = "high of random_uniform";
    Value low = number_or(bound[1], 0, low_name), high = number_or(bound[2], 1, high_name);
    Shape shape = draw_shape(bound[0], low, low_name, high, high_name);
    Value drawn = array_value(drawn_array(&shape, uniform_draws));
    return op_add(op_mul(drawn, op_sub(high, low)), low);
}
