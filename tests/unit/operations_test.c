/* Every row of the operation table that has a derivative, tried in every way a program can use it.
 *
 * The one idea: nothing here names an operation. A trial is a row and a layout (numbers, vectors,
 * broadcast matrices, strided views, empty arrays, f32); inputs are drawn from the row's domain,
 * the result is weighted and summed, and then
 *     the reverse sweep must agree with central differences of the value,
 *     the recorded sweep must give the numbers of the plain one,
 *     the second derivative must agree with central differences of the first.
 * Kinks and non-finite inputs have files of their own in tests/ad. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include "sweep.h"
#include "runtime_fixture.h"
#include <cmocka.h>   /* last: it has a fail() of its own, taken back here */
#undef fail

enum { MAX_INPUTS = 2, MAX_PARAMETERS = 8 };

/* ---- inputs ---- */
typedef struct Layout {
    const char *name;
    int axes[MAX_INPUTS];
    int64_t shape[MAX_INPUTS][3];
    int dtype;
    bool strided;
} Layout;

static const Layout layouts[] = {
    { "numbers",            { 0, 0 }, { { 0 },       { 0 } },       F64, false },
    { "vectors",            { 1, 1 }, { { 5 },       { 5 } },       F64, false },
    { "broadcast matrices", { 3, 2 }, { { 2, 1, 3 }, { 4, 1 } },    F64, false },
    { "an array, a number", { 1, 0 }, { { 4 },       { 0 } },       F64, false },
    { "a number, an array", { 0, 1 }, { { 0 },       { 4 } },       F64, false },
    { "strided views",      { 2, 2 }, { { 3, 4 },    { 3, 4 } },    F64, true },
    { "long vectors",       { 1, 1 }, { { 67 },      { 67 } },      F64, false },
    { "empty arrays",       { 2, 2 }, { { 0, 3 },    { 0, 3 } },    F64, false },
    { "f32 arrays",         { 1, 1 }, { { 6 },       { 6 } },       F32, false },
};
enum { LAYOUTS = sizeof layouts / sizeof *layouts };

static uint64_t random_state;
static double draw(double low, double high) {
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return low + (high - low) * (double)(random_state >> 11) * 0x1p-53;
}

static double draw_from(int domain) {
    switch (domain) {
    case D_POSITIVE:  return draw(0.3, 2.5);
    case D_UNIT:      return draw(-0.85, 0.85);
    case D_ABOVE_ONE: return draw(1.3, 3);
    default:          return draw(0, 1) < 0.5 ? draw(-2.1, -0.4) : draw(0.4, 2.1);
    }
}

/* An array of that shape whose strides are negative, transposed and stepped. */
static Value strided(int domain, const int64_t *shape) {
    Array *a = array_new(F64, 2, (const int64_t[]){ 2 * shape[1], shape[0] });
    for (int64_t i = 0; i < a->size; i++) f64_of(a)[i] = draw_from(domain);
    int64_t strides[] = { 1, -2 * shape[0] };
    return object(array_view(a, 2, shape, strides, (2 * shape[1] - 1) * shape[0]));
}

static Value draw_input(int domain, const Layout *layout, int which) {
    if (layout->axes[which] == 0) return number(draw_from(domain));
    if (layout->strided) return strided(domain, layout->shape[which]);
    Array *a = array_new(F64, layout->axes[which], layout->shape[which]);
    for (int64_t i = 0; i < a->size; i++) f64_of(a)[i] = draw_from(domain);
    return op_cast(object(a), layout->dtype);
}

/* v with its k-th element moved by h. */
static Value moved(Value v, int64_t k, double h) {
    if (v.tag != V_ARRAY) return number(num_of(v) + h);
    Array *a = array_copy(v.as.array);
    if (a->dtype == F32) f32_of(a)[k] += (float)h;
    else f64_of(a)[k] += h;
    return object(a);
}

static double element(Value v, int64_t k) {
    return v.tag == V_ARRAY ? array_get(v.as.array, k) : num_of(v);
}

/* ---- a trial ---- */
typedef struct Trial {
    Op op;
    int count;
    const Layout *layout;
    Value in[MAX_INPUTS];
    Value weights;           /* of the result's shape */
    Value directions[MAX_INPUTS];
} Trial;

static Value run_row(Op op, int count, const Value *in) {
    if (op < OP_ELEMS) return apply(op, count, in, NULL);
    Value bound[MAX_PARAMETERS];
    for (int i = 0; i < MAX_PARAMETERS; i++) bound[i] = i < count ? in[i] : UNSET;
    if (strchr(operations[op].signature, '*')) bound[count] = list_new(0);
    return operations[op].call(MAX_PARAMETERS, bound);
}

static Value weighted_sum(const Trial *t, const Value *in) {
    return op_sum(op_mul(run_row(t->op, t->count, in), t->weights), ALL_AXES, false);
}

static void attach(const Trial *t, const Value *in, Value *leaves) {
    for (int i = 0; i < t->count; i++) leaves[i] = leaf_attach(in[i], REQ_WRITE, NULL);
}

/* The gradients by a plain sweep. */
static void plain_gradients(const Trial *t, const Value *in, Value *gradients) {
    Value leaves[MAX_INPUTS], none = NIL;
    attach(t, in, leaves);
    rt.recording = true;
    Value y = weighted_sum(t, leaves);
    rt.recording = false;
    if (y.node) sweep_backward(1, &y, &none, false);
    for (int i = 0; i < t->count; i++) gradients[i] = leaf_gradient(leaves[i]);
}

/* The gradients by a recorded sweep, and those of their product with the trial's directions. */
static void recorded_gradients(const Trial *t, Value *gradients, Value *second) {
    Value leaves[MAX_INPUTS], product = number(0);
    attach(t, t->in, leaves);
    rt.recording = true;
    Value y = weighted_sum(t, leaves);
    sweep_gradients(1, &y, NULL, t->count, leaves, gradients);
    for (int i = 0; i < t->count; i++) {
        Value part = op_sum(op_mul(gradients[i], t->directions[i]), ALL_AXES, false);
        product = op_add(product, part);
    }
    rt.recording = false;
    for (int i = 0; i < t->count; i++) second[i] = zeros_like(t->in[i]);
    if (product.node) sweep_gradients(1, &product, NULL, t->count, leaves, second);
}

/* sum of gradient * direction, by plain sweeps: what the second derivative is compared with. */
static double slope_along_directions(const Trial *t, const Value *in) {
    Value gradients[MAX_INPUTS];
    double sum = 0;
    plain_gradients(t, in, gradients);
    for (int i = 0; i < t->count; i++)
        sum += element(op_sum(op_mul(gradients[i], t->directions[i]), ALL_AXES, false), 0);
    return sum;
}

/* ---- comparing ---- */
static int mistakes;

static void expect_near(const Trial *t, const char *what, int which, int64_t k,
                        double got, double want) {
    double tolerance = t->layout->dtype == F32 ? 2e-3 : 2e-6;
    if (fabs(got - want) <= tolerance * (1 + fabs(want)) || (isnan(got) && isnan(want))) return;
    mistakes++;
    print_error("%s of %s, input %d element %lld: %s is %.12g, not %.12g\n", operations[t->op].name,
                t->layout->name, which, (long long)k, what, got, want);
}

/* Bit for bit in f64. In f32 a plain sweep rounds once, a recorded one at each step. */
static void expect_equal(const Trial *t, const char *what, int which, Value got, Value want) {
    if (values_equal(got, want)) return;
    double distance = element(op_max(op_abs(op_sub(got, want)), ALL_AXES, false), 0);
    if (t->layout->dtype == F32 && distance < 1e-5) return;
    mistakes++;
    print_error("%s of %s, input %d: %s differs from a plain one\n", operations[t->op].name,
                t->layout->name, which, what);
}

static double plain_value(const Trial *t, const Value *in) {
    return element(weighted_sum(t, in), 0);
}

/* Compares `derivative` by each input with central differences of f. */
static void compare(const Trial *t, const char *what, const Value *derivative,
                    double (*f)(const Trial *, const Value *)) {
    double h = t->layout->dtype == F32 ? 0x1p-8 : 0x1p-17;
    for (int i = 0; i < t->count; i++) {
        for (int64_t k = 0; k < size_of(t->in[i]); k++) {
            Value up[] = { t->in[0], t->in[1] }, down[] = { t->in[0], t->in[1] };
            up[i] = moved(t->in[i], k, h), down[i] = moved(t->in[i], k, -h);
            double want = (f(t, up) - f(t, down)) / (2 * h);
            expect_near(t, what, i, k, element(derivative[i], k), want);
        }
    }
}

static void expect_same_form(const Trial *t, const char *what, const Value *derivative) {
    for (int i = 0; i < t->count; i++) {
        Shape a = value_shape(derivative[i]), b = value_shape(t->in[i]);
        bool same = same_shape(a.axes, a.dim, b.axes, b.dim);
        if (same && dtype_of(derivative[i]) == dtype_of(t->in[i])) continue;
        mistakes++;
        print_error("%s of %s: %s by input %d has another shape or dtype\n", operations[t->op].name,
                    t->layout->name, what, i);
    }
}

static void run_trial(void *env) {
    Trial *t = env;
    int domain = operations[t->op].domain;
    Value plain[MAX_INPUTS], recorded[MAX_INPUTS], second[MAX_INPUTS];
    for (int i = 0; i < t->count; i++) {
        t->in[i] = draw_input(domain, t->layout, i);
        t->directions[i] = draw_input(D_UNIT, t->layout, i);
    }
    Value result = run_row(t->op, t->count, t->in);
    Shape shape = value_shape(result);
    Array *weights = array_new(F64, shape.axes, shape.dim);
    for (int64_t k = 0; k < weights->size; k++) f64_of(weights)[k] = draw(0.5, 1.5);
    t->weights = op_cast(array_value(weights), dtype_of(result) == F32 ? F32 : F64);

    plain_gradients(t, t->in, plain);
    recorded_gradients(t, recorded, second);
    expect_same_form(t, "the gradient", plain);
    expect_same_form(t, "the second derivative", second);
    compare(t, "the gradient", plain, plain_value);
    for (int i = 0; i < t->count; i++)
        expect_equal(t, "a recorded sweep", i, recorded[i], plain[i]);
    if (t->layout->dtype != F64) return;
    compare(t, "the second derivative", second, slope_along_directions);
}

/* How many inputs a row has that trials can draw; 0: none, it is tried elsewhere. */
static int inputs_of(Op op) {
    const Operation *row = &operations[op];
    bool drawn = row->domain == D_ANY || row->domain == D_POSITIVE || row->domain == D_UNIT
              || row->domain == D_ABOVE_ONE || row->domain == D_NONZERO;
    if (!drawn) return 0;
    if (op < OP_ELEMS) return row->class == C_ELEM || row->class == C_SELECT ? row->arity : 0;
    return row->call && row->class != C_CONSTANT && row->class != C_COMPOSED ? 1 : 0;
}

/* A reduction of nothing may have no value; that is its right, and has a test of its own. */
static bool may_fail(const Trial *t) { return t->op >= OP_ELEMS && t->layout->shape[0][0] == 0; }

static void try_row(Op op, int count) {
    for (int i = 0; i < LAYOUTS; i++) {
        Trial trial = { .op = op, .count = count, .layout = &layouts[i] };
        Error error;
        size_t mark = pool_mark();
        random_state = (uint64_t)op * 1000 + (uint64_t)i;
        if (!guard(run_trial, &trial, &error) && !may_fail(&trial)) {
            mistakes++;
            print_error("%s of %s: %s\n", operations[op].name, layouts[i].name, error.message);
        }
        pool_unwind(mark);
        tape_statement_end(0);
    }
}

static void every_derivative_agrees_with_differences(void **state) {
    (void)state;
    int tried = 0;
    for (int op = 1; op < OP_COUNT; op++) {
        int count = inputs_of((Op)op);
        if (count > 0) try_row((Op)op, count), tried++;
    }
    print_message("%d rows in %d layouts\n", tried, (int)LAYOUTS);
    assert_true(tried > 40);
    assert_int_equal(mistakes, 0);
}

static void every_row_has_a_doc_and_an_example(void **state) {
    (void)state;
    for (int op = 1; op < OP_COUNT; op++) {
        const Operation *row = &operations[op];
        bool named = op < OP_ELEMS ? row->prints[0] != 0 : row->signature != NULL;
        if (named && row->doc[0] && strstr(row->example, "  => ")) continue;
        if (!named && row->doc[0]) continue;
        print_error("%s lacks a doc or an example\n", row->name);
        mistakes++;
    }
    assert_int_equal(mistakes, 0);
}

static int open_without_mistakes(void **state) {
    mistakes = 0;
    return open_runtime(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_without_mistakes, close_runtime)
int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(every_derivative_agrees_with_differences),
        TEST(every_row_has_a_doc_and_an_example),
    };
    return cmocka_run_group_tests_name("operations", tests, NULL, NULL);
}
