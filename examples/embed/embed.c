/* adl inside a C program: a state, a model written in adl, data of the program's own without a copy, a
 * function of the program called from adl, and errors that end nothing.
 *
 *     cc embed.c $(pkg-config --cflags --libs adl) -o embed
 */
#include <adl.h>
#include <stdio.h>
#include <string.h>

/* Every call that fails gives NULL, and the state says why. */
static adl_value *must(adl_state *adl, adl_value *value) {
    if (!value) fprintf(stderr, "%s", adl_error(adl));
    return value;
}

/* A program text, of which only the effect is wanted. */
static void run(adl_state *adl, const char *text) { adl_release(must(adl, adl_eval(adl, "embed", text))); }

/* ---- training on data of our own ---- */

static void told(void *data, void *env) {
    (void)data;
    printf("adl has let go of %s\n", (const char *)env);
}

static void train(adl_state *adl) {
    static const double x[4] = { 0, 1, 2, 3 }, y[4] = { 1, 3, 5, 7 };
    const int64_t shape[1] = { 4 };
    adl_value *points = adl_array_share(adl, x, 1, shape, told, "the points");
    adl_value *values = adl_array(adl, y, 1, shape);
    adl_set(adl, "x", points);
    adl_set(adl, "y", values);
    adl_release(points);
    adl_release(values);

    run(adl, "model = attach_grad({slope: 0, offset: 0})\n"
             "for step in range(200) {\n"
             "    record < loss = mean((model.slope * x + model.offset - y)^2) >\n"
             "    backward(loss)\n"
             "    model -= 0.1 * grad(model)\n"
             "}\n");
    adl_value *model = adl_get(adl, "model");
    adl_value *slope = adl_field(model, "slope"), *offset = adl_field(model, "offset");
    printf("y is near %.3f x + %.3f\n", *adl_f64(slope), *adl_f64(offset));
    adl_release(slope);
    adl_release(offset);
    adl_release(model);
    run(adl, "x = nil");                         /* the last array that looked at our points */
}

/* ---- a function of ours, called and differentiated by adl ---- */

static adl_value *parabola(adl_state *adl, int count, adl_value *const *arguments, void *env) {
    const double *calls = env, *x = count == 1 ? adl_f64(arguments[0]) : NULL;
    if (!x) return adl_fail(adl, "parabola(x) wants one number");
    ++*(double *)calls;
    return adl_number(adl, *x * *x + 1);
}

static void call_back(adl_state *adl) {
    double calls = 0;
    adl_define(adl, "parabola", parabola, &calls);
    run(adl, "smooth = custom_grad(x -> parabola(x), (g, y, x) -> 2 * x * g)\n"
             "print(\"value and slope at 3:\", value_and_grad(smooth)(3))\n");
    printf("parabola was called: %s\n", calls > 0 ? "yes" : "no");
    adl_release(adl_eval(adl, "embed", "parabola(\"three\")"));
    printf("kind %s: %s\n", adl_error_kind(adl), adl_error_message(adl));
}

/* ---- two states, and stopping one ---- */

static void collect(const char *text, size_t bytes, void *env) { strncat(env, text, bytes); }
static int enough(void *env) { return ++*(int *)env > 100; }

static void side_by_side(adl_state *first) {
    char printed[100] = "";
    int asked = 0;
    adl_state *second = adl_open();
    adl_set_output(second, collect, printed);
    run(first, "who = 1");
    run(second, "who = 2; print(\"I am\", who)");
    run(first, "print(\"I am\", who)");
    printf("the second printed: %s", printed);

    adl_set_interrupt(second, enough, &asked);
    adl_release(adl_eval(second, "endless", "while true { who += 1 }"));
    printf("the second was stopped: %s, line %d\n", adl_error_kind(second), adl_error_line(second));
    adl_close(second);
}

int main(void) {
    adl_state *adl = adl_open();
    if (!adl) return 1;
    train(adl);
    call_back(adl);
    side_by_side(adl);
    adl_release(adl_eval(adl, "embed", "[1, 2] + [1, 2, 3]"));
    printf("%s", adl_error(adl));
    adl_close(adl);
    return 0;
}
