/* The thread pool: each chunk runs exactly once, whatever the number of threads, the size of the
 * loop, nesting, closing, starting again and forking. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "par.h"

enum { COUNT = 10000 };
static _Atomic int runs[COUNT];

static void count_run(int64_t chunk, void *env) {
    (void)env;
    atomic_fetch_add(&runs[chunk], 1);
}

static bool each_ran_once(int64_t chunks) {
    for (int64_t i = 0; i < COUNT; i++)
        if (runs[i] != (i < chunks)) return false;
    return true;
}

static bool a_loop_works(int64_t chunks) {
    memset(runs, 0, sizeof runs);
    par_for(chunks, count_run, NULL);
    return each_ran_once(chunks);
}

static void every_chunk_runs_once(void **state) {
    (void)state;
    for (int threads = 1; threads <= 5; threads++) {
        par_threads_set(threads);
        for (int64_t chunks = 0; chunks < 40; chunks++) assert_true(a_loop_works(chunks));
        assert_true(a_loop_works(COUNT));
    }
}

static void the_number_of_threads_is_kept_in_bounds(void **state) {
    (void)state;
    par_threads_set(-3);
    assert_int_equal(par_threads(), 1);
    par_threads_set(1 << 20);
    assert_int_equal(par_threads(), PAR_THREADS);
    assert_true(a_loop_works(COUNT));
    par_threads_set(3);
    assert_int_equal(par_threads(), 3);
}

/* Jobs follow each other so closely that workers come late, or wake when all is done. */
static void many_short_loops_do_not_mix(void **state) {
    (void)state;
    par_threads_set(3);
    for (int round = 0; round < 20000; round++) {
        int64_t chunks = 2 + round % 7;
        for (int64_t i = 0; i < chunks; i++) runs[i] = 0;
        par_for(chunks, count_run, NULL);
        for (int64_t i = 0; i < chunks; i++) assert_int_equal(runs[i], 1);
    }
}

static void sleeping_workers_wake(void **state) {
    (void)state;
    par_threads_set(4);
    for (int round = 0; round < 20; round++) {
        usleep(2000);
        assert_true(a_loop_works(100));
    }
}

/* One chunk takes long: the caller has to sleep for it. */
static void sleep_in_the_first(int64_t chunk, void *env) {
    if (chunk < 2) usleep(3000);
    count_run(chunk, env);
}
static void the_caller_waits_for_slow_chunks(void **state) {
    (void)state;
    for (int round = 0; round < 20; round++) {
        memset(runs, 0, sizeof runs);
        par_for(3, sleep_in_the_first, NULL);
        assert_true(each_ran_once(3));
    }
}

static void run_column(int64_t column, void *env) {
    atomic_fetch_add(&runs[*(int64_t *)env * 100 + column], 1);
}
static void run_row(int64_t row, void *env) {
    (void)env;
    par_for(100, run_column, &row);
}
static void a_loop_in_a_loop_is_a_plain_one(void **state) {
    (void)state;
    memset(runs, 0, sizeof runs);
    par_for(100, run_row, NULL);
    assert_true(each_ran_once(COUNT));
}

/* Sums of chunks of a fixed size, added in order: the same bits on any number of threads. */
enum { SIZE = 1000, ITEMS = 123456 };
static double partial[ITEMS / SIZE + 1];
static void sum_chunk(int64_t chunk, void *env) {
    (void)env;
    int64_t stop = (chunk + 1) * SIZE < ITEMS ? (chunk + 1) * SIZE : ITEMS;
    partial[chunk] = 0;
    for (int64_t i = chunk * SIZE; i < stop; i++) partial[chunk] += 1 / (1 + (double)i);
}
static double sum_on(int threads) {
    double sum = 0;
    par_threads_set(threads);
    par_for(par_chunks(ITEMS, SIZE), sum_chunk, NULL);
    for (int64_t i = 0; i < par_chunks(ITEMS, SIZE); i++) sum += partial[i];
    return sum;
}
static void results_do_not_depend_on_the_threads(void **state) {
    (void)state;
    assert_int_equal(par_chunks(0, 10), 0);
    assert_int_equal(par_chunks(10, 10), 1);
    assert_int_equal(par_chunks(11, 10), 2);
    double alone = sum_on(1);
    for (int threads = 2; threads < 6; threads++) assert_true(sum_on(threads) == alone);
}

static void the_pool_can_be_closed_and_used_again(void **state) {
    (void)state;
    par_threads_set(3);
    for (int round = 0; round < 50; round++) {
        par_close();
        assert_true(a_loop_works(50));
    }
    par_close();
    par_close();
}

static void a_forked_child_has_its_own_threads(void **state) {
    (void)state;
    par_threads_set(3);
    assert_true(a_loop_works(COUNT));
    for (int round = 0; round < 10; round++) {
        pid_t child = fork();
        if (child == 0) {
            bool works = a_loop_works(COUNT);
            par_close();
            _exit(works ? 0 : 1);
        }
        int status = -1;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        assert_true(a_loop_works(COUNT));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_chunk_runs_once),
        cmocka_unit_test(the_number_of_threads_is_kept_in_bounds),
        cmocka_unit_test(many_short_loops_do_not_mix),
        cmocka_unit_test(sleeping_workers_wake),
        cmocka_unit_test(the_caller_waits_for_slow_chunks),
        cmocka_unit_test(a_loop_in_a_loop_is_a_plain_one),
        cmocka_unit_test(results_do_not_depend_on_the_threads),
        cmocka_unit_test(the_pool_can_be_closed_and_used_again),
        cmocka_unit_test(a_forked_child_has_its_own_threads),
    };
    int failures = cmocka_run_group_tests(tests, NULL, NULL);
    par_close();
    return failures;
}
