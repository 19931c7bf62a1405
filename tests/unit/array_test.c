/* Arrays: layouts, walking, copying between them, and arguments.
 *
 * The one idea: every walk is compared with array_get(), which knows strides and nothing else. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "array.h"
#include "runtime_fixture.h"
#include <cmocka.h>   /* last: it has a fail() of its own */

#define SHAPE(...) ATTRIBUTE_COUNT(__VA_ARGS__), (int64_t[]){ __VA_ARGS__ }
#define ATTRIBUTE_COUNT(...) (int)(sizeof((int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t))

/* 0, 1, 2 ... in this shape. */
static Array *counting(int dtype, int axes, const int64_t *shape) {
    Array *a = array_new(F64, axes, shape);
    for (int64_t i = 0; i < a->size; i++) f64_of(a)[i] = (double)i;
    return array_cast(a, dtype);
}

static Array *transposed(Array *a) {
    int64_t shape[MAX_AXES], strides[MAX_AXES];
    for (int i = 0; i < a->axes; i++) {
        shape[i] = shape_of(a)[a->axes - 1 - i];
        strides[i] = strides_of(a)[a->axes - 1 - i];
    }
    return array_view(a, a->axes, shape, strides, 0);
}

static Array *reversed(Array *a) {
    int64_t strides[MAX_AXES], offset = 0;
    for (int i = 0; i < a->axes; i++) {
        strides[i] = -strides_of(a)[i];
        offset += strides_of(a)[i] * (shape_of(a)[i] - 1);
    }
    return array_view(a, a->axes, shape_of(a), strides, offset);
}

/* ---- making ---- */
static void data_is_aligned_and_row_major(void **state) {
    (void)state;
    for (int dtype = F64; dtype <= BOOL; dtype++)
        for (int64_t n = 0; n < 30000; n = n * 3 / 2 + 1)
            for (int axes = 1; axes < 6; axes++) {
                int64_t shape[6] = { n, 1, 2, 1, 1, 1 };
                Array *a = array_new(dtype, axes, shape);
                if (array_bytes(a) >= 64) assert_int_equal((uintptr_t)a->data % 64, 0);
                assert_int_equal(a->size, axes > 2 ? 2 * n : n);
                assert_true(array_is_contiguous(a));
                memset(a->data, 1, array_bytes(a));
            }
}

static void an_array_knows_where_it_was_made(void **state) {
    (void)state;
    rt.here = 42;
    assert_int_equal(array_new(F64, SHAPE(3))->span, 42);
    assert_int_equal(array_new(F64, SHAPE(3, 300))->span, 42);
}

static void zeros_are_zero_at_every_size(void **state) {
    (void)state;
    for (int64_t n = 1; n < 3000000; n *= 5) {
        size_t mark = pool_mark();
        Array *dirty = array_new(F64, 1, &n);
        array_fill(dirty, 7);
        pool_unwind(mark);
        Array *zeros = array_zeros(F64, 1, &n);
        for (int64_t i = 0; i < n; i++) assert_true(f64_of(zeros)[i] == 0);
        pool_unwind(mark);
    }
}

static void make_absurd(void *shape) { array_new(F64, 3, shape); }

static void absurd_sizes_are_errors_that_name_the_shape(void **state) {
    (void)state;
    Error error;
    assert_false(guard(make_absurd, (int64_t[]){ 1 << 30, 1 << 30, 1 << 30 }, &error));
    assert_int_equal(error.kind, E_LIMIT);
    assert_non_null(strstr(error.message, "[1073741824, 1073741824, 1073741824]"));
    assert_false(guard(make_absurd, (int64_t[]){ 1 << 20, 1 << 20, 1 << 10 }, &error));
    assert_int_equal(error.kind, E_LIMIT);
    assert_false(guard(make_absurd, (int64_t[]){ 2, -3, 4 }, &error));
    assert_int_equal(error.kind, E_SHAPE);
    assert_false(guard(make_absurd, (int64_t[]){ 0, INT64_MAX, INT64_MAX }, NULL));
}

static void a_view_keeps_the_owner_alive(void **state) {
    (void)state;
    size_t mark = pool_mark(), blocks = mem_counts().blocks;
    Array *a = counting(F64, SHAPE(100, 100));
    Array *view = transposed(reversed(a));
    assert_ptr_equal(view->owner, a);
    assert_false(array_is_sole(a, 1));
    obj_keep(view);
    pool_unwind(mark);
    assert_true(array_get(view, 0) == 9999);
    obj_drop(view);
    assert_int_equal(mem_counts().blocks, blocks);
}

static void numbers_and_bools_are_never_0_d_arrays(void **state) {
    (void)state;
    assert_int_equal(array_value(array_of(number(2.5))).tag, V_NUM);
    assert_true(array_value(array_of(number(2.5))).as.num == 2.5);
    assert_int_equal(array_value(array_of(boolean(true))).tag, V_BOOL);
    Array *single = array_cast(array_of(number(2.5)), F32);
    assert_int_equal(array_value(single).tag, V_ARRAY);
    assert_true(array_get(single, 0) == 2.5);
}

/* ---- layouts ---- */
static void contiguous_means_row_major_whatever_the_strides_of_short_axes(void **state) {
    (void)state;
    Array *a = counting(F64, SHAPE(4, 5));
    assert_true(array_is_contiguous(a));
    assert_false(array_is_contiguous(transposed(a)));
    assert_true(array_is_contiguous(array_view(a, SHAPE(1, 20), (int64_t[]){ 77, 1 }, 0)));
    assert_true(array_is_contiguous(array_view(a, SHAPE(3, 0), (int64_t[]){ 9, 9 }, 0)));
    assert_true(array_is_contiguous(array_view(a, 0, NULL, NULL, 3)));
    assert_ptr_equal(array_contiguous(a), a);
    Array *copy = array_contiguous(transposed(a));
    assert_true(array_is_contiguous(copy));
    assert_true(f64_of(copy)[1] == 5);
}

static void broadcasting_repeats_without_copying(void **state) {
    (void)state;
    Array *row = counting(F64, SHAPE(3));
    Array *wide = array_broadcast(row, SHAPE(2, 4, 3));
    assert_ptr_equal(wide->data, row->data);
    for (int64_t i = 0; i < 24; i++) assert_true(array_get(wide, i) == (double)(i % 3));
    assert_ptr_equal(array_broadcast(row, SHAPE(3)), row);
    assert_int_equal(array_broadcast(counting(F64, SHAPE(1, 3)), SHAPE(0, 3))->size, 0);
}

static void broadcast_wrongly(void *env) { array_broadcast(env, SHAPE(4)); }

static void a_broadcast_that_does_not_fit_names_both_shapes(void **state) {
    (void)state;
    Error error;
    assert_false(guard(broadcast_wrongly, counting(F64, SHAPE(2, 3)), &error));
    assert_int_equal(error.kind, E_SHAPE);
    assert_non_null(strstr(error.message, "[2, 3]"));
    assert_non_null(strstr(error.message, "[4]"));
}

static void shapes_join_as_in_numpy(void **state) {
    (void)state;
    Shape a = { 3, { 5, 1, 3 } }, b = { 2, { 4, 1 } }, c = { 1, { 2 } }, zero = { 1, { 0 } }, out;
    assert_true(shapes_join(&a, &b, &out));
    assert_true(same_shape(out.axes, out.dim, SHAPE(5, 4, 3)));
    assert_false(shapes_join(&a, &c, &out));
    assert_true(shapes_join(&b, &zero, &out));
    assert_true(same_shape(out.axes, out.dim, SHAPE(4, 0)));
}

/* ---- walking ---- */
static void add_run(int64_t n, char **at, const int64_t *strides, void *env) {
    *(int64_t *)env += 1;
    for (int64_t i = 0; i < n; i++)
        ((double *)at[0])[i * strides[0]] = ((double *)at[1])[i * strides[1]] + ((double *)at[2])[i * strides[2]];
}

static int64_t check_sum(Array *x, Array *y) {
    Array *sum = array_like(x, F64);
    int64_t runs = 0;
    array_walk(3, (Array *[]){ sum, x, y }, add_run, &runs);
    for (int64_t i = 0; i < sum->size; i++) assert_true(array_get(sum, i) == array_get(x, i) + array_get(y, i));
    return runs;
}

static void walks_agree_with_indexing_in_every_layout(void **state) {
    (void)state;
    Array *cube = counting(F64, SHAPE(4, 4, 4));
    Array *layouts[] = {
        cube, transposed(cube), reversed(cube), transposed(reversed(cube)),
        array_broadcast(counting(F64, SHAPE(4)), SHAPE(4, 4, 4)),
        array_broadcast(counting(F64, SHAPE(4, 1, 1)), SHAPE(4, 4, 4)),
        array_broadcast(array_of(number(3)), SHAPE(4, 4, 4)),
        array_view(counting(F64, SHAPE(9, 9, 9)), SHAPE(4, 4, 4), (int64_t[]){ 162, 9, 2 }, 1),
    };
    for (int i = 0; i < 8; i++)
        for (int j = 0; j < 8; j++) check_sum(layouts[i], layouts[j]);
}

static void axes_that_continue_each_other_are_merged(void **state) {
    (void)state;
    Array *a = counting(F64, SHAPE(4, 5, 6));
    assert_int_equal(check_sum(a, a), 1);
    assert_int_equal(check_sum(a, array_broadcast(array_of(number(1)), SHAPE(4, 5, 6))), 1);
    assert_int_equal(check_sum(reversed(a), reversed(a)), 1 * 4 * 5 / 20 * 1);
    assert_int_equal(check_sum(a, array_broadcast(counting(F64, SHAPE(6)), SHAPE(4, 5, 6))), 20);
    assert_int_equal(check_sum(a, array_broadcast(counting(F64, SHAPE(5, 6)), SHAPE(4, 5, 6))), 4);
}

static void walking_nothing_does_nothing_and_0_d_is_one_run(void **state) {
    (void)state;
    Array *empty = array_new(F64, SHAPE(3, 0, 2));
    assert_int_equal(check_sum(empty, empty), 0);
    assert_int_equal(check_sum(array_of(number(1)), array_of(number(2))), 1);
    Array *ones = counting(F64, SHAPE(1, 1, 1));
    assert_int_equal(check_sum(ones, ones), 1);
}

static void long_rows_come_in_pieces(void **state) {
    (void)state;
    Array *a = counting(F64, SHAPE(3, 2 * RUN + 5));
    assert_int_equal(check_sum(a, a), (3 * (2 * RUN + 5) + RUN - 1) / RUN);
    Array *b = array_view(a, SHAPE(3, RUN + 1), (int64_t[]){ 2 * RUN + 5, 1 }, 0);
    assert_int_equal(check_sum(b, b), 6);
}

static void walk_for_long(void *env) {
    rt.interrupted = 1;
    check_sum(env, env);
}

static void a_long_walk_can_be_interrupted(void **state) {
    (void)state;
    Error error;
    assert_false(guard(walk_for_long, counting(F64, SHAPE(RUN, 3)), &error));
    assert_int_equal(error.kind, E_INTERRUPT);
}

/* ---- copying ---- */
static void assigning_converts_between_all_dtypes(void **state) {
    (void)state;
    for (int from = F64; from <= BOOL; from++)
        for (int to = F64; to <= BOOL; to++) {
            Array *source = transposed(counting(from, SHAPE(2, 3)));
            Array *target = array_new(to, SHAPE(3, 2));
            array_assign(target, source);
            for (int64_t i = 0; i < 6; i++) {
                double expected = array_get(source, i);
                assert_true(array_get(target, i) == (to == BOOL ? expected != 0 : expected));
            }
        }
    Array *odd = array_new(F64, SHAPE(3));
    f64_of(odd)[0] = NAN;
    f64_of(odd)[1] = 0.25;
    f64_of(odd)[2] = -0.0;
    Array *truths = array_cast(odd, BOOL);
    assert_int_equal(bool_of(truths)[0], 1);
    assert_int_equal(bool_of(truths)[1], 1);
    assert_int_equal(bool_of(truths)[2], 0);
}

static void filling_follows_the_layout(void **state) {
    (void)state;
    Array *a = array_zeros(F64, SHAPE(4, 4));
    array_fill(array_view(a, SHAPE(2, 2), (int64_t[]){ 8, 2 }, 1), 5);
    for (int64_t i = 0; i < 16; i++) assert_true(f64_of(a)[i] == (i / 4 % 2 == 0 && i % 2 == 1 ? 5 : 0));
}

static void sole_holders_may_write(void **state) {
    (void)state;
    Array *a = array_new(F64, SHAPE(3));
    assert_true(array_is_sole(a, 1));
    obj_keep(a);
    assert_false(array_is_sole(a, 1));
    assert_true(array_is_sole(a, 2));
    obj_drop(a);
    Array *view = reversed(a);
    assert_false(array_is_sole(a, 1));
    assert_false(array_is_sole(view, 1));
}

/* ---- arguments ---- */
typedef struct Argument { Value v; int kind; } Argument;
static void read_argument(void *env) {
    Argument *a = env;
    switch (a->kind) {
    case 0: arg_number(a->v, "step of range"); break;
    case 1: arg_int(a->v, "step of range"); break;
    case 2: arg_bool(a->v, "step of range"); break;
    case 3: arg_array(a->v, "step of range"); break;
    case 4: arg_axis(a->v, 2, "step of range"); break;
    default: arg_shape(a->v, "step of range");
    }
}

static void wrong_arguments_are_named(void **state) {
    (void)state;
    Error error;
    Value two = object(counting(F64, SHAPE(2)));
    Argument wrong[] = {
        { string_of("x"), 0 }, { two, 0 }, { NIL, 0 }, { number(2.5), 1 }, { number(NAN), 1 }, { number(1e300), 1 },
        { number(INFINITY), 1 }, { two, 1 }, { number(NAN), 2 }, { string_of("x"), 2 }, { list_new(1), 3 },
        { number(2), 4 }, { number(-3), 4 }, { number(0.5), 4 }, { string_of("x"), 5 }, { list_new(2), 5 },
        { list_of(40, (Value[40]){ { V_NUM, 0, { .num = 1 } } }), 5 },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_false(guard(read_argument, &wrong[i], &error));
        assert_ptr_equal(strstr(error.message, "step of range"), error.message);
    }
}

static void arguments_are_read_from_any_numeric_value(void **state) {
    (void)state;
    Value one = object(array_cast(counting(F64, SHAPE(1, 1)), F32));
    assert_true(arg_number(one, "x") == 0);
    assert_true(arg_number(boolean(true), "x") == 1);
    assert_int_equal(arg_int(number(-7), "x"), -7);
    assert_true(arg_bool(number(1), "x"));
    assert_int_equal(arg_axis(number(-1), 3, "x"), 2);
    assert_int_equal(arg_array(number(3), "x")->axes, 0);
}

static void shapes_are_numbers_arrays_or_lists(void **state) {
    (void)state;
    Value pair = list_of(2, (Value[]){ number(2), number(3) });
    Value counted = object(counting(F64, SHAPE(3)));
    Value as[] = { pair, list_of(1, &pair), list_of(1, (Value[]){ number(4) }), number(4), counted,
                   list_of(1, &counted), list_new(0), list_of(2, (Value[]){ number(3), number(-1) }) };
    Shape expected[] = { { 2, { 2, 3 } }, { 2, { 2, 3 } }, { 1, { 4 } }, { 1, { 4 } }, { 3, { 0, 1, 2 } },
                         { 3, { 0, 1, 2 } }, { 0, { 0 } }, { 2, { 3, -1 } } };
    for (int i = 0; i < 8; i++) {
        Shape shape = arg_shape(as[i], "x");
        assert_true(same_shape(shape.axes, shape.dim, expected[i].axes, expected[i].dim));
    }
}

static void shape_texts_are_cut_to_fit(void **state) {
    (void)state;
    char text[24];
    int64_t shape[MAX_AXES];
    for (int i = 0; i < MAX_AXES; i++) shape[i] = 100 + i;
    shape_text(0, NULL, text, sizeof text);
    assert_string_equal(text, "[]");
    shape_text(2, shape, text, sizeof text);
    assert_string_equal(text, "[100, 101]");
    shape_text(MAX_AXES, shape, text, sizeof text);
    assert_string_equal(text, "[100, 101, 102, ...]");
    for (size_t bytes = 0; bytes < sizeof text; bytes++) shape_text(MAX_AXES, shape, text, bytes);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_runtime, close_runtime)
int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(data_is_aligned_and_row_major),
        TEST(an_array_knows_where_it_was_made),
        TEST(zeros_are_zero_at_every_size),
        TEST(absurd_sizes_are_errors_that_name_the_shape),
        TEST(a_view_keeps_the_owner_alive),
        TEST(numbers_and_bools_are_never_0_d_arrays),
        TEST(contiguous_means_row_major_whatever_the_strides_of_short_axes),
        TEST(broadcasting_repeats_without_copying),
        TEST(a_broadcast_that_does_not_fit_names_both_shapes),
        TEST(shapes_join_as_in_numpy),
        TEST(walks_agree_with_indexing_in_every_layout),
        TEST(axes_that_continue_each_other_are_merged),
        TEST(walking_nothing_does_nothing_and_0_d_is_one_run),
        TEST(long_rows_come_in_pieces),
        TEST(a_long_walk_can_be_interrupted),
        TEST(assigning_converts_between_all_dtypes),
        TEST(filling_follows_the_layout),
        TEST(sole_holders_may_write),
        TEST(wrong_arguments_are_named),
        TEST(arguments_are_read_from_any_numeric_value),
        TEST(shapes_are_numbers_arrays_or_lists),
        TEST(shape_texts_are_cut_to_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
