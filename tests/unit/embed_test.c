/* The embedding API: what a host may do, and that nothing it does crashes or leaks between states.
 * */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include "adl.h"

static adl_value *eval(adl_state *adl, const char *text) { return adl_eval(adl, "test", text); }

static double number_of(adl_value *value) {
    assert_non_null(value);
    double x = *adl_f64(value);
    adl_release(value);
    return x;
}

static void an_error_gives_null_and_a_text(void **unused) {
    (void)unused;
    adl_state *adl = adl_open();
    assert_null(eval(adl, "x = 1\ny = x + nothing"));
    assert_string_equal(adl_error_kind(adl), "name");
    assert_int_equal(adl_error_line(adl), 2);
    assert_non_null(strstr(adl_error(adl), "test:2:9"));
    assert_true(number_of(eval(adl, "x")) == 1);              /* what ran before it stays */
    adl_close(adl);
}

static void a_text_that_is_no_program_is_an_error(void **unused) {
    (void)unused;
    adl_state *adl = adl_open();
    assert_null(eval(adl, "1 +"));
    assert_string_equal(adl_error_kind(adl), "syntax");
    assert_null(eval(adl, "\xff\xfe"));
    adl_close(adl);
}

static void exit_ends_the_text_and_not_the_host(void **unused) {
    (void)unused;
    adl_state *adl = adl_open();
    assert_null(eval(adl, "exit(7)"));
    assert_string_equal(adl_error_kind(adl), "exit");
    assert_int_equal(adl_error_status(adl), 7);
    adl_close(adl);
}

static void states_share_no_variables(void **unused) {
    (void)unused;
    adl_state *one = adl_open(), *two = adl_open();
    adl_release(eval(one, "x = attach_grad(3)"));
    adl_release(eval(two, "x = attach_grad(5); record < y = x^2 >"));
    adl_release(eval(one, "record < y = x^3 >; backward(y)"));
    adl_release(eval(two, "backward(y)"));
    assert_true(number_of(eval(one, "grad(x)")) == 27);
    assert_true(number_of(eval(two, "grad(x)")) == 10);
    adl_close(one);
    assert_true(number_of(eval(two, "sum([x, 1])")) == 6);     /* the library is still whole */
    adl_close(two);
}

static void states_share_no_random_draws(void **unused) {
    (void)unused;
    adl_state *one = adl_open(), *two = adl_open();
    adl_seed(one, 1);
    adl_seed(two, 1);
    double first = number_of(eval(one, "rand()"));
    number_of(eval(one, "rand()"));
    assert_true(number_of(eval(two, "rand()")) == first);
    adl_close(one);
    adl_close(two);
}

static void data_is_shared_without_a_copy_and_never_written(void **unused) {
    (void)unused;
    double data[6] = { 1, 2, 3, 4, 5, 6 };
    const int64_t shape[2] = { 2, 3 };
    adl_state *adl = adl_open();
    adl_value *x = adl_array_share(adl, data, 2, shape, NULL, NULL);
    assert_ptr_equal(adl_f64(x), data);
    adl_set(adl, "x", x);
    adl_release(eval(adl, "x[0, 0] = 100"));
    assert_true(data[0] == 1);
    assert_true(number_of(eval(adl, "x[0, 0]")) == 100);
    adl_release(x);
    adl_close(adl);
}

static void let_go(void *data, void *env) {
    (void)data;
    ++*(int *)env;
}

static void shared_data_is_given_back_once(void **unused) {
    (void)unused;
    double data[3] = { 1, 2, 3 };
    const int64_t shape[1] = { 3 };
    int released = 0;
    adl_state *adl = adl_open();
    adl_value *x = adl_array_share(adl, data, 1, shape, let_go, &released);
    adl_set(adl, "x", x);
    adl_release(x);
    adl_release(eval(adl, "y = x[1:]; x = nil"));
    assert_int_equal(released, 0);                             /* y looks at it */
    adl_release(eval(adl, "y = nil"));
    assert_int_equal(released, 1);
    adl_close(adl);
    assert_int_equal(released, 1);
}

static void a_view_comes_out_in_row_major_order(void **unused) {
    (void)unused;
    adl_state *adl = adl_open();
    adl_value *t = eval(adl, "[[1, 2], [3, 4]]'");
    const double want[4] = { 1, 3, 2, 4 };
    assert_memory_equal(adl_f64(t), want, sizeof want);
    assert_int_equal(adl_axes(t), 2);
    assert_int_equal(adl_shape(t)[1], 2);
    assert_int_equal(adl_size(t), 4);
    adl_release(t);
    adl_close(adl);
}

static void dtypes_are_told_apart(void **unused) {
    (void)unused;
    adl_state *adl = adl_open();
    adl_value *narrow = eval(adl, "f32([1, 2])"), *truth = eval(adl, "[true, false]");
    assert_string_equal(adl_dtype(narrow), "f32");
    assert_true(adl_f32(narrow)[1] == 2.0f);
    assert_true(adl_f64(narrow)[1] == 2.0);
    assert_null(adl_f32(truth));
    assert_true(adl_f64(truth)[0] == 1.0);
    adl_release(narrow);
    adl_release(truth);
    adl_close(adl);
}

static void trees_go_in_and_come_out(void **unused) {
    (void)unused;
    adl_state *adl = adl_open();
    adl_value *parts[2] = { adl_number(adl, 1), adl_string(adl, "text", 4) };
    const char *names[2] = { "a", "b" };
    adl_value *record = adl_struct(adl, 2, names, parts), *list = adl_list(adl, 2, parts);
    adl_set(adl, "s", record);
    adl_set(adl, "l", list);
    assert_true(number_of(eval(adl, "equal(s, {a: 1, b: \"text\"}) and equal(l, (1, \"text\"))")) == 1);
    adl_value *b = adl_field(record, "b"), *shown = adl_show(list);
    assert_string_equal(adl_text(b), "text");
    assert_string_equal(adl_text(shown), "(1, \"text\")");
    assert_string_equal(adl_field_name(record, 1), "b");
    assert_null(adl_field(record, "c"));
    assert_null(adl_item(list, 2));
    assert_null(adl_item(list, -1));
    adl_value *all[6] = { parts[0], parts[1], record, list, b, shown };
    for (int i = 0; i < 6; i++) adl_release(all[i]);
    adl_close(adl);
}

static void what_goes_in_has_the_type_it_was_given(void **unused) {
    (void)unused;
    adl_state *adl = adl_open();
    adl_value *f32 = adl_array_f32(adl, (float[]){ .5f, 2 }, 1, (int64_t[]){ 2 });
    adl_value *nil = adl_nil(adl), *truth = adl_boolean(adl, 1);
    assert_string_equal(adl_type(f32), "array");
    assert_string_equal(adl_dtype(f32), "f32");
    assert_true(adl_f32(f32)[1] == 2);
    assert_string_equal(adl_type(nil), "nil");
    assert_string_equal(adl_dtype(truth), "bool");
    assert_int_equal(adl_set(adl, "truth", truth), 0);
    assert_true(number_of(eval(adl, "if truth { 1 } else { 0 }")) == 1);
    adl_release(f32);
    adl_release(nil);
    adl_release(truth);
    adl_close(adl);
}

static void *interrupt_it(void *adl) {
    adl_interrupt(adl);
    return NULL;
}

static adl_value *interrupted_by_a_thread(adl_state *adl, int count, adl_value *const *arguments,
                                          void *thread) {
    (void)count, (void)arguments;
    assert_int_equal(pthread_create(thread, NULL, interrupt_it, adl), 0);
    return adl_nil(adl);
}

static void another_thread_stops_what_a_state_runs(void **unused) {
    (void)unused;
    pthread_t thread;
    adl_state *adl = adl_open();
    adl_define(adl, "stop", interrupted_by_a_thread, &thread);
    assert_null(eval(adl, "x = 1; stop(); while true { x = 2 }"));
    pthread_join(thread, NULL);
    assert_string_equal(adl_error_kind(adl), "interrupt");
    assert_true(number_of(eval(adl, "1 + 1")) == 2);           /* and the state goes on */
    adl_close(adl);
}

static void text_that_is_no_utf8_is_refused(void **unused) {
    (void)unused;
    adl_state *adl = adl_open();
    assert_null(adl_string(adl, "a\xff", 2));
    assert_string_equal(adl_error_kind(adl), "value");
    adl_close(adl);
}

static adl_value *nested(adl_state *adl, int count, adl_value *const *arguments, void *env) {
    (void)count;
    adl_state *other = env;
    adl_value *x = adl_eval(other, "inner", "40 + 2");           /* another state inside this one's call */
    adl_value *y = x ? adl_call(adl, arguments[0], 1, &x) : NULL;
    adl_release(x);
    return y ? y : adl_fail(adl, adl_error_message(adl));
}

static void callbacks_may_enter_other_states(void **unused) {
    (void)unused;
    adl_state *outer = adl_open(), *inner = adl_open();
    adl_define(outer, "nested", nested, inner);
    assert_true(number_of(eval(outer, "nested(x -> x + 1)")) == 43);
    assert_null(eval(outer, "nested(x -> x + [1, 2] + [1, 2, 3])"));
    assert_non_null(strstr(adl_error_message(outer), "cannot add shapes"));
    adl_close(inner);
    adl_close(outer);
}

static void a_sandbox_reads_no_files(void **unused) {
    (void)unused;
    adl_state *adl = adl_open();
    adl_sandbox(adl);
    assert_null(eval(adl, "read_text(\"/etc/passwd\")"));
    assert_string_equal(adl_error_kind(adl), "sandbox");
    adl_close(adl);
}

static void a_name_must_be_one(void **unused) {
    (void)unused;
    adl_state *adl = adl_open();
    adl_value *x = adl_number(adl, 1);
    assert_int_equal(adl_set(adl, "no name", x), -1);
    assert_int_equal(adl_define(adl, "", nested, NULL), -1);
    assert_null(adl_get(adl, "nowhere"));
    adl_release(x);
    adl_close(adl);
}

static void handles_may_outlive_what_they_came_from(void **unused) {
    (void)unused;
    adl_state *adl = adl_open();
    adl_value *x = eval(adl, "v = [1, 2, 3]");
    adl_value *v = adl_get(adl, "v"), *again = adl_copy(v);
    adl_release(eval(adl, "v = nil"));
    adl_release(v);
    assert_true(adl_f64(again)[2] == 3);
    adl_release(x);
    adl_close(adl);                                            /* `again` goes with it */
}

/* ---- threads ---- */

static void *count_up(void *state) {
    for (int i = 0; i < 200; i++) adl_release(eval(state, "n += 1"));
    return NULL;
}

static void threads_take_turns(void **unused) {
    (void)unused;
    adl_state *adl[2] = { adl_open(), adl_open() };
    pthread_t thread[4];
    for (int i = 0; i < 2; i++) adl_release(eval(adl[i], "n = 0"));
    for (int i = 0; i < 4; i++) pthread_create(&thread[i], NULL, count_up, adl[i % 2]);
    for (int i = 0; i < 4; i++) pthread_join(thread[i], NULL);
    for (int i = 0; i < 2; i++) {
        assert_true(number_of(eval(adl[i], "n")) == 400);
        adl_close(adl[i]);
    }
}

static void endless_recursion_is_an_error_in_a_small_thread_too(void **unused) {
    (void)unused;
    adl_state *adl = adl_open();
    assert_null(eval(adl, "fn f(x) { f(x) + 1 }; f(1)"));
    assert_string_equal(adl_error_kind(adl), "limit");
    assert_true(number_of(eval(adl, "1 + 1")) == 2);
    adl_close(adl);
}

/* ---- callbacks that C keeps: signal() does, in every C library ---- */

static void collect(const char *text, size_t bytes, void *env) { strncat(env, text, bytes); }

/* A state whose program prints into `printed` when the process gets the signal. */
static adl_state *listening(int number, const char *body, char *printed) {
    char text[300];
    adl_state *adl = adl_open();
    adl_set_output(adl, collect, printed);
    adl_set_warning(adl, collect, printed);
    snprintf(text, sizeof text,
             "extern {\n"
             "    fn signal(number: int, handler: keep fn(int): void): handle\n"
             "    fn raise(number: int): int\n"
             "}\n"
             "signal(%d, n -> { %s })", number, body);
    adl_release(eval(adl, text));
    assert_string_equal(adl_error(adl), "");
    return adl;
}

static void a_kept_callback_runs_in_its_own_state(void **unused) {
    (void)unused;
    char one[100] = "", two[100] = "";
    adl_state *first = listening(SIGUSR1, "print(\"one\", grad(x -> x^2)(n))", one);
    adl_state *second = listening(SIGUSR2, "print(\"two\", n)", two);
    raise(SIGUSR1);                                     /* while no program runs; the other was last */
    assert_string_equal(one, "one 20\n");
    adl_release(eval(second, "raise(10); print(\"end\")"));  /* inside a call of the other state */
    assert_string_equal(one, "one 20\none 20\n");
    assert_string_equal(two, "end\n");
    adl_release(eval(first, "raise(12)"));
    assert_string_equal(two, "end\ntwo 12\n");
    adl_close(first);
    raise(SIGUSR1);                                     /* its program is gone: nothing happens */
    assert_int_equal(strlen(one), strlen("one 20\none 20\n"));
    raise(SIGUSR2);
    assert_string_equal(two, "end\ntwo 12\ntwo 12\n");
    adl_close(second);
    raise(SIGUSR2);
    signal(SIGUSR1, SIG_DFL);
    signal(SIGUSR2, SIG_DFL);
}

static void what_fails_in_a_kept_callback_is_the_error_of_a_running_call_else_a_warning(void **unused) {
    (void)unused;
    char one[200] = "", two[200] = "";
    adl_state *first = listening(SIGUSR1, "[1, 2] + [1, 2, 3]", one);
    adl_state *second = listening(SIGUSR2, "nothing", two);
    assert_null(eval(first, "raise(10)"));
    assert_non_null(strstr(adl_error_message(first), "cannot add shapes"));
    assert_string_equal(one, "");
    raise(SIGUSR1);
    assert_non_null(strstr(one, "warning: a callback failed outside of any foreign call: cannot add"));
    adl_value *status = eval(first, "raise(12)");       /* another's error is not ours */
    assert_true(number_of(status) == 0);
    assert_non_null(strstr(two, "`nothing`"));
    adl_close(first);
    adl_close(second);
    signal(SIGUSR1, SIG_DFL);
    signal(SIGUSR2, SIG_DFL);
}

static void *raise_there(void *state) {
    adl_value *status = eval(state, "raise(10)");
    adl_release(status);
    return status;
}

static void a_kept_callback_follows_its_state_to_another_thread(void **unused) {
    (void)unused;
    char printed[100] = "";
    void *fine;
    pthread_t thread;
    adl_state *adl = listening(SIGUSR1, "print(n)", printed);
    pthread_create(&thread, NULL, raise_there, adl);
    pthread_join(thread, &fine);
    if (!fine) fail_msg("%s", adl_error(adl));
    assert_string_equal(printed, "10\n");
    adl_release(eval(adl, "raise(10)"));
    assert_string_equal(printed, "10\n10\n");
    adl_close(adl);
    signal(SIGUSR1, SIG_DFL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_gives_null_and_a_text),
        cmocka_unit_test(a_text_that_is_no_program_is_an_error),
        cmocka_unit_test(exit_ends_the_text_and_not_the_host),
        cmocka_unit_test(states_share_no_variables),
        cmocka_unit_test(states_share_no_random_draws),
        cmocka_unit_test(data_is_shared_without_a_copy_and_never_written),
        cmocka_unit_test(shared_data_is_given_back_once),
        cmocka_unit_test(a_view_comes_out_in_row_major_order),
        cmocka_unit_test(dtypes_are_told_apart),
        cmocka_unit_test(trees_go_in_and_come_out),
        cmocka_unit_test(what_goes_in_has_the_type_it_was_given),
        cmocka_unit_test(another_thread_stops_what_a_state_runs),
        cmocka_unit_test(text_that_is_no_utf8_is_refused),
        cmocka_unit_test(callbacks_may_enter_other_states),
        cmocka_unit_test(a_sandbox_reads_no_files),
        cmocka_unit_test(a_name_must_be_one),
        cmocka_unit_test(handles_may_outlive_what_they_came_from),
        cmocka_unit_test(threads_take_turns),
        cmocka_unit_test(endless_recursion_is_an_error_in_a_small_thread_too),
        cmocka_unit_test(a_kept_callback_runs_in_its_own_state),
        cmocka_unit_test(
            what_fails_in_a_kept_callback_is_the_error_of_a_running_call_else_a_warning),
        cmocka_unit_test(a_kept_callback_follows_its_state_to_another_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
