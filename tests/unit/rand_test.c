/* Draws: the generator against its published vectors, repeatability, and what each distribution must look like.
 *
 * The one idea: means and variances of many draws stand within six of their own standard errors, so a
 * right generator fails one run in 10^8 and a wrong formula fails all. The seed is fixed anyway. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "rand.h"
#include "sweep.h"
#include "runtime_fixture.h"
#include <cmocka.h>   /* last: it has a fail() of its own */

enum { MANY = 200000 };

static Value draw(const char *name, int count, const Value *bound) {
    Op op = op_named(name);
    assert_int_not_equal(op, OP_NONE);
    return operations[op].call(count, bound);
}
#define DRAW(name, ...) draw(name, (int)(sizeof((Value[]){ __VA_ARGS__ }) / sizeof(Value)), (Value[]){ __VA_ARGS__ })

static Value shape1(int64_t n) { return list_of(1, (Value[]){ number((double)n) }); }
static Value vector(int64_t count, const double *x) {
    Array *a = array_new(F64, 1, &count);
    memcpy(a->data, x, (size_t)count * sizeof *x);
    return object(a);
}
#define VECTOR(...) vector((int64_t)(sizeof((double[]){ __VA_ARGS__ }) / sizeof(double)), (double[]){ __VA_ARGS__ })

static double mean_of(Value v, double (*part)(double)) {
    double sum = 0;
    Array *a = array_of(v);
    for (int64_t i = 0; i < a->size; i++) sum += part(array_get(a, i));
    return sum / (double)a->size;
}
static double itself(double x) { return x; }
static double squared(double x) { return x * x; }

/* Mean and variance of the draws v; `kurtosis` of the distribution (3 for the normal one) gives the error of both. */
static void assert_moments(Value v, double mean, double variance, double kurtosis) {
    double n = (double)size_of(v), m = mean_of(v, itself), s = mean_of(v, squared) - m * m;
    if (fabs(m - mean) > 6 * sqrt(variance / n)) fail_msg("mean %g, not %g", m, mean);
    if (fabs(s - variance) > 6 * variance * sqrt((kurtosis - 1) / n)) fail_msg("variance %g, not %g", s, variance);
}

static void assert_between(Value v, double low, double high) {
    Array *a = array_of(v);
    for (int64_t i = 0; i < a->size; i++) assert_true(array_get(a, i) >= low && array_get(a, i) <= high);
}

/* ---- the generator ---- */
static void philox_gives_the_published_vectors(void **state) {
    (void)state;
    static const struct { uint32_t counter[4]; uint64_t key; uint32_t out[4]; } known[] = {
        { { 0, 0, 0, 0 }, 0, { 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 } },
        { { ~0u, ~0u, ~0u, ~0u }, ~(uint64_t)0, { 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd } },
        { { 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344 }, 0x299f31d0a4093822,
          { 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1 } },
    };
    uint32_t out[4];
    for (int i = 0; i < 3; i++) {
        philox(known[i].counter, known[i].key, out);
        assert_memory_equal(out, known[i].out, sizeof out);
    }
}

static void a_seed_repeats_every_draw(void **state) {
    (void)state;
    Value first[2];
    for (int round = 0; round < 2; round++) {
        DRAW("seed", number(-5));
        first[round] = list_of(6, (Value[]){
            DRAW("rand", shape1(7)), DRAW("randn", shape1(4)), DRAW("permutation", number(20)),
            DRAW("gamma", number(0.5), UNSET, number(5)), DRAW("poisson", number(30), number(5)),
            DRAW("choice", number(9), number(5), boolean(false), UNSET) });
    }
    assert_true(values_equal(first[0], first[1]));
    DRAW("seed", number(-4));
    assert_false(values_equal(DRAW("rand", shape1(7)), first[0].as.list->item[0]));
}

static void an_element_depends_on_its_place_alone(void **state) {
    (void)state;
    const char *names[] = { "rand", "randn" };
    for (int k = 0; k < 2; k++) {
        rand_seed(3);
        Value together = draw(names[k], 1, (Value[]){ shape1(101) });
        rand_seed(3);
        int64_t at = 0;
        for (int64_t piece = 1; at < 101; piece = piece % 3 + 1) {
            Value part = draw(names[k], 1, (Value[]){ shape1(piece) });
            for (int64_t i = 0; i < piece && at < 101; i++, at++)
                assert_true(array_get(array_of(part), i) == array_get(together.as.array, at));
        }
    }
}

static void unseeded_runs_differ(void **state) {
    (void)state;
    rt.random_key = 0;
    Value first = DRAW("rand", shape1(4));
    rt.random_key = 0;
    assert_false(values_equal(first, DRAW("rand", shape1(4))));
}

/* ---- distributions ---- */
static void uniform_draws_are_even(void **state) {
    (void)state;
    Value v = DRAW("rand", shape1(MANY));
    assert_between(v, 0, 0x1.fffffffffffffp-1);
    assert_moments(v, 0.5, 1.0 / 12, 1.8);
}

static void normal_draws_are_normal(void **state) {
    (void)state;
    Value v = DRAW("randn", shape1(MANY));
    assert_between(v, -9, 9);
    assert_moments(v, 0, 1, 3);
    double within = 0;
    for (int64_t i = 0; i < MANY; i++) within += fabs(array_get(v.as.array, i)) < 1;
    assert_true(fabs(within / MANY - 0.682689492) < 6 * sqrt(0.2166 / MANY));
}

static double next_product(const Array *a) {
    double sum = 0;
    for (int64_t i = 1; i < a->size; i++) sum += array_get(a, i) * array_get(a, i - 1);
    return sum / (double)a->size;
}

static void neighbours_are_not_related(void **state) {
    (void)state;
    assert_true(fabs(next_product(DRAW("randn", shape1(MANY)).as.array)) < 6 / sqrt(MANY));
}

static void integers_are_even_and_stay_in_range(void **state) {
    (void)state;
    Value v = DRAW("randint", number(-3), number(4), number(MANY));
    assert_between(v, -3, 3);
    assert_moments(v, 0, 4, 1.75);
    assert_true(DRAW("randint", number(1), UNSET, UNSET).as.num == 0);
    assert_between(DRAW("randint", number(-0x1p53), number(0x1p53), number(100)), -0x1p53, 0x1p53);
}

static void gamma_draws_have_their_moments(void **state) {
    (void)state;
    double alphas[] = { 0.1, 0.7, 1, 2.5, 100 };
    for (int i = 0; i < 5; i++) {
        Value v = DRAW("gamma", number(alphas[i]), number(2), number(MANY));
        assert_between(v, 0, INFINITY);
        assert_moments(v, 2 * alphas[i], 4 * alphas[i], 3 + 6 / alphas[i]);
    }
}

static void poisson_draws_have_their_moments(void **state) {
    (void)state;
    double rates[] = { 0.3, 4, 9.99, 10, 50, 1e6, 1e12 };
    for (int i = 0; i < 7; i++)
        assert_moments(DRAW("poisson", number(rates[i]), number(MANY)), rates[i], rates[i], 3 + 1 / rates[i]);
    assert_between(DRAW("poisson", number(0), number(100)), 0, 0);
}

static void settings_broadcast_element_by_element(void **state) {
    (void)state;
    Value p = DRAW("bernoulli", VECTOR(0, 1, 0), list_of(2, (Value[]){ number(50), number(3) }));
    assert_int_equal(p.as.array->dtype, BOOL);
    for (int64_t i = 0; i < 150; i++) assert_true(array_get(p.as.array, i) == (i % 3 == 1));
    assert_moments(DRAW("bernoulli", number(0.3), number(MANY)), 0.3, 0.21, 1 / 0.21 - 3);
    assert_int_equal(size_of(DRAW("gamma", VECTOR(1, 2, 3), number(1), UNSET)), 3);
}

static void multinomial_counts_sum_to_n(void **state) {
    (void)state;
    double sizes[] = { 0, 1, 30, 1000, 1e9 };
    for (int k = 0; k < 5; k++) {
        Value v = DRAW("multinomial", number(sizes[k]), VECTOR(1, 0, 3, 0), number(500));
        assert_true(same_shape(2, shape_of(v.as.array), 2, (int64_t[]){ 500, 4 }));
        double first = 0;
        for (int64_t i = 0; i < 500; i++) {
            double *row = f64_of(v.as.array) + 4 * i;
            assert_true(row[1] == 0 && row[3] == 0 && row[0] >= 0 && row[0] + row[2] == sizes[k]);
            first += row[0];
        }
        double variance = sizes[k] * 0.25 * 0.75;
        assert_true(fabs(first / 500 - sizes[k] / 4) <= 6 * sqrt(variance / 500));
    }
}

/* ---- orders and choices ---- */
static void assert_each_once(Value v, int64_t count) {
    bool seen[1000] = { false };
    assert_int_equal(size_of(v), count);
    for (int64_t i = 0; i < count; i++) {
        int64_t x = (int64_t)array_get(v.as.array, i);
        assert_true(x >= 0 && x < count && !seen[x]);
        seen[x] = true;
    }
}

static void a_permutation_has_each_number_once(void **state) {
    (void)state;
    assert_each_once(DRAW("permutation", number(1000)), 1000);
    assert_each_once(DRAW("shuffle", DRAW("permutation", number(500))), 500);
    assert_each_once(DRAW("choice", number(300), number(300), boolean(false), UNSET), 300);
    assert_int_equal(size_of(DRAW("permutation", number(0))), 0);
}

static void every_order_is_equally_likely(void **state) {
    (void)state;
    double count[6] = { 0 };
    for (int i = 0; i < 60000; i++) {
        size_t mark = pool_mark();
        double *x = f64_of(DRAW("permutation", number(3)).as.array);
        count[(int)x[0] * 2 + (x[1] > x[2])]++;
        pool_unwind(mark);
    }
    for (int i = 0; i < 6; i++) assert_true(fabs(count[i] - 10000) < 6 * sqrt(60000.0 * 5 / 36));
}

static void weights_decide_choices(void **state) {
    (void)state;
    Value weights = VECTOR(0, 1, 3, 0);
    Value v = DRAW("choice", number(4), number(MANY), UNSET, weights);
    assert_between(v, 1, 2);
    assert_moments(v, 1.75, 0.1875, 1 / 0.1875 - 3);
    for (int i = 0; i < 100; i++) {
        Value both = DRAW("choice", number(4), number(2), boolean(false), weights);
        assert_true(array_get(both.as.array, 0) + array_get(both.as.array, 1) == 3);
    }
}

static void rows_and_items_are_chosen_whole(void **state) {
    (void)state;
    Array *rows = array_new(F64, 2, (int64_t[]){ 5, 2 });
    for (int64_t i = 0; i < 10; i++) f64_of(rows)[i] = (double)(i / 2);
    Value v = DRAW("choice", object(rows), list_of(2, (Value[]){ number(3), number(4) }), UNSET, UNSET);
    assert_int_equal(v.as.array->axes, 3);
    for (int64_t i = 0; i < 12; i++) assert_true(array_get(v.as.array, 2 * i) == array_get(v.as.array, 2 * i + 1));
    Value names = list_of(2, (Value[]){ string_of("a"), string_of("b") });
    assert_int_equal(DRAW("choice", names, UNSET, UNSET, UNSET).tag, V_STRING);
    assert_int_equal(DRAW("shuffle", names).as.list->count, 2);
}

/* ---- differentiable settings ---- */
static void random_normal_is_differentiable_in_loc_and_scale(void **state) {
    (void)state;
    Value setting[] = { leaf_attach(number(2), REQ_WRITE, SYMBOL("loc")),
                        leaf_attach(number(3), REQ_WRITE, SYMBOL("scale")) };
    Value nothing = NIL;
    rand_seed(8);
    rt.recording = true;
    Value y = op_sum(DRAW("random_normal", number(1000), setting[0], setting[1]), ALL_AXES, false);
    rt.recording = false;
    sweep_backward(1, &y, &nothing, false);
    rand_seed(8);
    double drawn = mean_of(DRAW("randn", shape1(1000)), itself) * 1000;
    assert_true(sweep_gradient(setting[0]).as.num == 1000);
    assert_true(fabs(sweep_gradient(setting[1]).as.num - drawn) < 1e-9);
}

static void located_draws_have_their_moments(void **state) {
    (void)state;
    assert_moments(DRAW("random_normal", number(MANY), number(5), number(0.1)), 5, 0.01, 3);
    Value v = DRAW("random_uniform", number(MANY), number(-1), number(3));
    assert_between(v, -1, 3);
    assert_moments(v, 1, 16.0 / 12, 1.8);
    assert_int_equal(DRAW("random_normal", UNSET, UNSET, UNSET).tag, V_NUM);
    assert_int_equal(size_of(DRAW("random_normal", UNSET, VECTOR(1, 2), UNSET)), 2);
}

/* ---- mistakes ---- */
typedef struct Mistake { const char *name; int count; Value bound[4]; ErrorKind kind; } Mistake;
static void make_mistake(void *env) {
    Mistake *m = env;
    operations[op_named(m->name)].call(m->count, m->bound);
}

static void mistakes_are_errors(void **state) {
    (void)state;
    Value pair = VECTOR(1, 2);
    Mistake mistakes[] = {
        { "seed", 1, { number(0.5) }, E_VALUE },
        { "rand", 1, { shape1(-2) }, E_SHAPE },
        { "randint", 3, { number(5), number(5), UNSET }, E_VALUE },
        { "permutation", 1, { number(-1) }, E_VALUE },
        { "shuffle", 1, { number(3) }, E_TYPE },
        { "choice", 4, { number(0), number(1), UNSET, UNSET }, E_VALUE },
        { "choice", 4, { number(3), number(4), boolean(false), UNSET }, E_VALUE },
        { "choice", 4, { number(3), number(1), UNSET, pair }, E_SHAPE },
        { "choice", 4, { number(2), number(1), UNSET, VECTOR(-1, 2) }, E_VALUE },
        { "choice", 4, { number(2), number(1), UNSET, VECTOR(0, 0) }, E_VALUE },
        { "choice", 4, { number(2), number(2), boolean(false), VECTOR(0, 1) }, E_VALUE },
        { "bernoulli", 2, { number(1.5), UNSET }, E_VALUE },
        { "bernoulli", 2, { pair, number(3) }, E_SHAPE },
        { "gamma", 3, { number(0), UNSET, UNSET }, E_VALUE },
        { "gamma", 3, { number(NAN), UNSET, UNSET }, E_VALUE },
        { "poisson", 2, { number(-1), UNSET }, E_VALUE },
        { "poisson", 2, { string_of("x"), UNSET }, E_TYPE },
        { "multinomial", 3, { number(-1), pair, UNSET }, E_VALUE },
        { "random_normal", 3, { number(3), pair, UNSET }, E_SHAPE },
    };
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        Error error;
        assert_false(guard(make_mistake, &mistakes[i], &error));
        assert_int_equal(error.kind, mistakes[i].kind);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_runtime, close_runtime)
int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(philox_gives_the_published_vectors),
        TEST(a_seed_repeats_every_draw),
        TEST(an_element_depends_on_its_place_alone),
        TEST(unseeded_runs_differ),
        TEST(uniform_draws_are_even),
        TEST(normal_draws_are_normal),
        TEST(neighbours_are_not_related),
        TEST(integers_are_even_and_stay_in_range),
        TEST(gamma_draws_have_their_moments),
        TEST(poisson_draws_have_their_moments),
        TEST(settings_broadcast_element_by_element),
        TEST(multinomial_counts_sum_to_n),
        TEST(a_permutation_has_each_number_once),
        TEST(every_order_is_equally_likely),
        TEST(weights_decide_choices),
        TEST(rows_and_items_are_chosen_whole),
        TEST(random_normal_is_differentiable_in_loc_and_scale),
        TEST(located_draws_have_their_moments),
        TEST(mistakes_are_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
