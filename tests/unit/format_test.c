/* Printing, format specs, text and JSON, from C.
 *
 * The one idea: each check is a value, and the text it must give. Values that a literal would not
 * make (huge, deep, strided, 0-d f32) are what this file is for; the rest is tested in
 * tests/lang. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "format.h"
#include "io.h"
#include "runtime_fixture.h"
#include <cmocka.h>   /* last: it has a fail() of its own */

/* ---- values ---- */

static Value array1(int64_t n, const double *x) {
    Array *a = array_new(F64, 1, &n);
    memcpy(a->data, x, (size_t)n * sizeof *x);
    return object(a);
}

static Value array2(int64_t rows, int64_t columns, const double *x) {
    Array *a = array_new(F64, 2, (int64_t[]){ rows, columns });
    memcpy(a->data, x, (size_t)a->size * sizeof *x);
    return object(a);
}
#define COUNT(type, ...) (sizeof((type[]){ __VA_ARGS__ }) / sizeof(type))
#define VECTOR(...) array1(COUNT(double, __VA_ARGS__), (double[]){ __VA_ARGS__ })
#define MATRIX(rows, columns, ...) array2(rows, columns, (double[]){ __VA_ARGS__ })
#define LIST(...) list_of(COUNT(Value, __VA_ARGS__), (Value[]){ __VA_ARGS__ })

static Value counting(int axes, const int64_t *shape) {
    Array *a = array_new(F64, axes, shape);
    for (int64_t i = 0; i < a->size; i++) f64_of(a)[i] = (double)i;
    return object(a);
}

static Value nested_list(int depth) {
    Value v = LIST(number(1));
    for (int i = 0; i < depth; i++) {
        size_t mark = pool_mark();
        v = pool_pass(mark, LIST(v));
    }
    return v;
}

/* ---- checks ---- */

static void prints(Value v, const char *want) {
    Buffer b = { 0 };
    format_literal(&b, v, NULL);
    buffer_char(&b, 0);
    assert_string_equal(b.text, want);
}

static void number_prints(double x, const char *want) {
    char text[NUMBER_TEXT];
    format_number(text, x);
    assert_string_equal(text, want);
}

static void piece_is(Value v, const char *spec, const char *want) {
    Buffer b = { 0 };
    format_piece(&b, v, spec, strlen(spec));
    buffer_char(&b, 0);
    assert_string_equal(b.text, want);
}

static void string_is(Value v, const char *want) {
    assert_int_equal(v.tag, V_STRING);
    assert_string_equal(v.as.string->text, want);
}

typedef struct Trial { Value (*run)(Value x, const char *text); Value x; const char *text; } Trial;
static void run_trial(void *env) {
    Trial *t = env;
    t->run(t->x, t->text);
}

/* run(x, text) fails with a message that contains `want`. */
static void fails(Value (*run)(Value, const char *), Value x, const char *text, const char *want) {
    Error error;
    assert_false(guard(run_trial, &(Trial){ run, x, text }, &error));
    if (!strstr(error.message, want)) fail_msg("\"%s\" is without \"%s\"", error.message, want);
}

/* ---- printing ---- */

static void scalars_print_with_the_shortest_digits_that_read_back(void **state) {
    (void)state;
    number_prints(0.1, "0.1");
    number_prints(0.1 + 0.2, "0.30000000000000004");
    number_prints(1.0 / 3, "0.3333333333333333");
    number_prints(100, "100");
    number_prints(-0.0, "-0");
    number_prints(0x1p53, "9007199254740992");
    number_prints(1e20, "100000000000000000000");
    number_prints(1e21, "1e21");
    number_prints(0.0001, "0.0001");
    number_prints(1.5e-7, "1.5e-7");
    number_prints(5e-324, "5e-324");
    number_prints(1.7976931348623157e308, "1.7976931348623157e308");
    number_prints(NAN, "nan");
    number_prints(-INFINITY, "-inf");
}

static void any_bits_read_back(void **state) {
    (void)state;
    uint64_t bits = 88172645463325252u;
    for (int i = 0; i < 200000; i++) {
        char text[NUMBER_TEXT];
        double x;
        bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17;
        memcpy(&x, &bits, sizeof x);
        if (!isfinite(x)) continue;
        format_number(text, x);
        assert_true(strtod(text, NULL) == x);
        float y = (float)x;
        if (!isfinite(y)) continue;
        format_float(text, y);
        assert_true(strtof(text, NULL) == y);
    }
}

static int digits_of(double x, char *text) {
    Shortest s = shortest_digits(x);
    while (s.digits % 10 == 0) s.digits /= 10;
    return sprintf(text, "%llu", (unsigned long long)s.digits);
}

/* As many digits as printf needs to read back, and the same ones: the nearest to x of that length. */
static void the_shortest_digits_are_those_of_printf(void **state) {
    (void)state;
    uint64_t bits = 88172645463325252u;
    for (int i = 0; i < 20000; i++) {
        double x;
        bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17;
        if (i < 2046) bits = (uint64_t)(i + 1) << 52;       /* each power of two */
        memcpy(&x, &bits, sizeof x);
        x = fabs(x);
        if (!isfinite(x) || x < 0x1p-1022) continue;
        char want[40] = "", got[40];
        for (int count = 1; count <= 17 && strtod(want, NULL) != x; count++)
            snprintf(want, sizeof want, "%.*e", count - 1, x);
        int length = digits_of(x, got), wanted = 0;
        for (char *c = want; *c != 'e'; c++)
            if (*c != '.') want[wanted++] = *c;
        want[wanted] = 0;
        /* A power of two may have a shorter neighbour that printf does not round to. */
        if (length < wanted && i < 2046) continue;
        assert_string_equal(got, want);
    }
}

static void floats_print_with_their_own_digits(void **state) {
    (void)state;
    Array *a = array_new(F32, 0, NULL);
    f32_of(a)[0] = 0.1f;
    prints(object(a), "0.1");
    f32_of(a)[0] = 50331648.0f;
    prints(object(a), "50331648");
}

static void columns_align_on_the_decimal_point(void **state) {
    (void)state;
    prints(MATRIX(2, 2, 4, 8, 1.2, 1.6), "[[4,   8  ],\n [1.2, 1.6]]");
    prints(MATRIX(2, 2, 4, 8, 12, 16), "[[ 4,  8],\n [12, 16]]");
    prints(MATRIX(2, 2, 40, 8, 1.2, .16), "[[40,   8   ],\n [ 1.2, 0.16]]");
    prints(MATRIX(2, 2, NAN, 1e30, -1.25, 1e-9), "[[nan,    1e30],\n [ -1.25, 1e-9]]");
    prints(VECTOR(1, 2.5, -0.0, INFINITY), "[1, 2.5, -0, inf]");
}

static void elements_have_six_digits_but_whole_numbers_all(void **state) {
    (void)state;
    prints(VECTOR(1.0 / 3, 123456.789, 1234567.8), "[0.333333, 123457, 1.23457e6]");
    prints(VECTOR(123456789, 1e15), "[123456789, 1000000000000000]");
}

static void bools_print_as_words(void **state) {
    (void)state;
    Array *a = array_zeros(BOOL, 2, (int64_t[]){ 2, 2 });
    bool_of(a)[0] = bool_of(a)[3] = true;
    prints(object(a), "[[true,  false],\n [false, true ]]");
}

static void matrices_of_a_stack_stand_apart(void **state) {
    (void)state;
    prints(counting(3, (int64_t[]){ 2, 2, 2 }), "[[[0, 1],\n  [2, 3]],\n\n [[4, 5],\n  [6, 7]]]");
}

static void a_view_prints_as_what_it_shows(void **state) {
    (void)state;
    Value x = counting(2, (int64_t[]){ 2, 3 });
    prints(object(array_view(x.as.array, 2, (int64_t[]){ 3, 2 }, (int64_t[]){ 1, 3 }, 0)),
           "[[0, 3],\n [1, 4],\n [2, 5]]");
    Array *row = VECTOR(1, 2).as.array;
    prints(object(array_broadcast(row, 2, (int64_t[]){ 2, 2 })), "[[1, 2],\n [1, 2]]");
}

static void empty_arrays_tell_their_shape(void **state) {
    (void)state;
    prints(counting(1, (int64_t[]){ 0 }), "[]");
    prints(counting(2, (int64_t[]){ 0, 3 }), "[]  # shape [0, 3]");
    prints(LIST(counting(2, (int64_t[]){ 2, 0 }), number(1)), "([], 1)  # shape [2, 0]");
}

static void large_arrays_are_shortened(void **state) {
    (void)state;
    prints(counting(1, (int64_t[]){ 1001 }), "[0, 1, 2, ..., 998, 999, 1000]  # shape [1001]");
    prints(counting(2, (int64_t[]){ 501, 2 }),
           "[[   0,    1],\n [   2,    3],\n [   4,    5],\n ...,\n"
           " [ 996,  997],\n [ 998,  999],\n [1000, 1001]]  # shape [501, 2]");
}

static void long_rows_wrap_in_columns(void **state) {
    (void)state;
    FormatOptions narrow = { .width = 20, .digits = 6, .threshold = 1000, .edge = 3 };
    Buffer b = { 0 };
    format_literal(&b, counting(1, (int64_t[]){ 12 }), &narrow);
    buffer_char(&b, 0);
    assert_string_equal(b.text, "[ 0,  1,  2,  3,  4,\n  5,  6,  7,  8,  9,\n 10, 11]");
}

static void containers_stay_on_one_line_while_they_fit(void **state) {
    (void)state;
    Value s = struct_new(2);
    struct_put(s, SYMBOL("w"), VECTOR(1, 2));
    struct_put(s, SYMBOL("two words"), NIL);
    prints(s, "{w: [1, 2], \"two words\": nil}");
    prints(LIST(number(1), string_of("a\"\n"), VECTOR(2, 3)), "(1, \"a\\\"\\n\", [2, 3])");
    prints(LIST(boolean(true)), "(true,)");
    prints(list_new(0), "()");
    prints(struct_new(0), "{}");
}

static void larger_parts_get_lines_of_their_own(void **state) {
    (void)state;
    Value s = struct_new(2);
    struct_put(s, SYMBOL("w"), MATRIX(2, 2, 1, 2, 3, 4));
    struct_put(s, SYMBOL("b"), number(0));
    prints(s, "{w: [[1, 2],\n     [3, 4]],\n b: 0}");
    prints(LIST(number(7), s), "(7,\n {w: [[1, 2],\n      [3, 4]],\n  b: 0})");
}

static void a_value_continues_where_it_starts(void **state) {
    (void)state;
    Buffer b = { 0 };
    buffer_text(&b, "w = ");
    format_value(&b, MATRIX(2, 2, 1, 2, 3, 4), NULL);
    buffer_char(&b, 0);
    assert_string_equal(b.text, "w = [[1, 2],\n     [3, 4]]");
}

static void deep_lists_end_in_dots(void **state) {
    (void)state;
    Buffer b = { 0 };
    format_literal(&b, nested_list(200000), NULL);
    assert_true(b.bytes < 2000);
    assert_non_null(memmem(b.text, b.bytes, "(...,)", 6));
}

/* ---- format specs ---- */

static void specs_shape_numbers(void **state) {
    (void)state;
    piece_is(number(3.14159), ".4f", "3.1416");
    piece_is(number(1234), ".3e", "1.234e+03");
    piece_is(number(0.1234), ".2%", "12.34%");
    piece_is(number(-3.14159), "08.3f", "-003.142");
    piece_is(number(42), ">6", "    42");
    piece_is(number(42), "<6", "42    ");
    piece_is(number(42), "*^6", "**42**");
    piece_is(number(2), "+.2f", "+2.00");
    piece_is(number(1234567.891), ",.1f", "1,234,567.9");
    piece_is(number(-1234), ",d", "-1,234");
    piece_is(number(255), "x", "ff");
    piece_is(number(5), "b", "101");
    piece_is(number(NAN), "08.2f", "     nan");
    piece_is(boolean(true), ">6", "  true");
    piece_is(number(1.5), "", "1.5");
}

static void specs_apply_to_elements(void **state) {
    (void)state;
    piece_is(VECTOR(1, 2.345), ".2f", "[1.00, 2.35]");
    piece_is(LIST(number(1), string_of("a")), ".1f", "(1.0, \"a\")");
}

static void specs_count_the_width_of_characters(void **state) {
    (void)state;
    piece_is(string_of("表"), ">4", "  表");
    piece_is(string_of("αβγ"), ".2", "αβ");
}

static Value try_piece(Value x, const char *spec) {
    Buffer b = { 0 };
    format_piece(&b, x, spec, strlen(spec));
    return NIL;
}

static void wrong_specs_are_named(void **state) {
    (void)state;
    fails(try_piece, number(1), ".2q", "\".2q\" is not understood");
    fails(try_piece, number(1.5), "d", "needs a whole number");
    fails(try_piece, string_of("a"), ".2f", "is for numbers");
    fails(try_piece, number(1), "99999", "more than 10000");
}

/* ---- strings ---- */

static Value try_index(Value s, const char *i) { return string_index(s.as.string, atoi(i)); }

static void strings_count_characters(void **state) {
    (void)state;
    String *s = string_of("aβ表d").as.string;
    assert_int_equal(text_length(s->text, s->bytes), 4);
    assert_int_equal(text_width(s->text, s->bytes), 5);
    string_is(string_index(s, 2), "表");
    string_is(string_index(s, -1), "d");
    fails(try_index, object(s), "4", "index 4 is out of range: the string has 4 characters");
    string_is(string_slice(s, &(IndexItem){ I_SLICE, true, true, 1, 3, 1, UNSET }), "β表");
    string_is(string_slice(s, &(IndexItem){ I_SLICE, false, false, 0, 0, -1, UNSET }), "d表βa");
    string_is(string_slice(s, &(IndexItem){ I_SLICE, true, true, 3, 100, 1, UNSET }), "d");
}

static void broken_bytes_are_characters_too(void **state) {
    (void)state;
    String *s = string_new("a\xff\xc3", 3).as.string;
    assert_int_equal(text_length(s->text, s->bytes), 3);
    assert_int_equal(text_valid(s->text, s->bytes), 1);
    string_upper(s);
}

static void strings_split_and_join(void **state) {
    (void)state;
    String *comma = string_of(",").as.string;
    prints(string_split(string_of("a,,b").as.string, comma), "(\"a\", \"\", \"b\")");
    prints(string_split(string_of("").as.string, comma), "(\"\",)");
    prints(string_split(string_of(" a\t b ").as.string, NULL), "(\"a\", \"b\")");
    string_is(string_join(LIST(number(1), string_of("x")), comma), "1,x");
    string_is(string_replace(string_of("aaa").as.string, string_of("aa").as.string, comma), ",a");
    string_is(string_trim(string_of(" \n ").as.string), "");
    string_is(string_upper(string_of("straße é").as.string), "STRAẞE É");
}

static void numbers_are_read_as_programs_write_them(void **state) {
    (void)state;
    static const struct { const char *text; double x; } good[] = {
        { "1", 1 },         { " -1.5e3\n", -1500 }, { "+.5", .5 },  { "1.", 1 },
        { "1_000", 1000 },  { "0x1F", 31 },         { "0b101", 5 }, { "-inf", -INFINITY },
    };
    static const char *const bad[] = {
        "", "abc", "1_", "_1", "1e", "0x", "0b2", "--1", "1 2", "infinity", "0x1p3",
    };
    double x;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(text_number(good[i].text, strlen(good[i].text), &x));
        assert_true(x == good[i].x);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(text_number(bad[i], strlen(bad[i]), &x));
}

/* ---- JSON and files ---- */

static Value read_json(const char *text) { return json_read(text, strlen(text), NULL); }
static Value try_json(Value x, const char *text) { return (void)x, read_json(text); }
static Value try_to_json(Value x, const char *text) {
    Buffer b = { 0 };
    (void)text;
    json_write(&b, x, 0);
    return NIL;
}

static void json_arrays_become_arrays_if_they_are_rectangular(void **state) {
    (void)state;
    prints(read_json("[[1, 2], [3, 4]]"), "[[1, 2],\n [3, 4]]");
    prints(read_json("[[1, 2], [3]]"), "([1, 2], [3])");
    prints(read_json("[1, null, true]"), "(1, nil, true)");
    prints(read_json("[true, false]"), "[true, false]");
    prints(read_json("[]"), "[]");
    prints(read_json("[[], []]"), "[]  # shape [2, 0]");
    prints(read_json("{\"b\": {}, \"a\": 12345678901234567890}"),
           "{b: {}, a: 12345678901234567000}");
}

static void json_comes_back(void **state) {
    (void)state;
    const char *text = "{\"w\": [[1, 0.1], [-2.5e-7, 3]], \"s\": \"a\\\"\\n\\u0001é\", "
                       "\"l\": [1, null], \"e\": {}}";
    Buffer b = { 0 };
    json_write(&b, read_json(text), 0);
    buffer_char(&b, 0);
    assert_string_equal(b.text, text);
}

static void json_errors_tell_where(void **state) {
    (void)state;
    char deep[200001];
    memset(deep, '[', 200000);
    deep[200000] = 0;
    fails(try_json, NIL, "{\"a\": 1,\n  b}", "line 2, column");
    fails(try_json, NIL, deep, "depth");
    fails(try_json, NIL, "", "no JSON");
    fails(try_to_json, nested_list(200000), "", "");
}

static Value try_csv(Value x, const char *text) {
    (void)x;
    return csv_read(text, strlen(text), ',', -1, "t.csv");
}

static void tables_become_matrices_or_columns(void **state) {
    (void)state;
    prints(try_csv(NIL, "1,2\r\n\n3,4"), "[[1, 2],\n [3, 4]]");
    prints(try_csv(NIL, "x,\"a \"\"b\"\"\"\n1,u\n,\"v,\nw\"\n"),
           "{x: [1, nan], \"a \\\"b\\\"\": (\"u\", \"v,\\nw\")}");
    prints(try_csv(NIL, ""), "[]  # shape [0, 0]");
    fails(try_csv, NIL, "1,2\n3\n", "t.csv: line 2, column 2: the row has 1 cell, and the first row has 2");
    fails(try_csv, NIL, "1,2\n3,ä,5,6\n", "t.csv: line 2, column 5: the row has 4 cells, and");
    fails(try_csv, NIL, "x\n\"a", "t.csv: line 2, column 1: the quote opened here is not closed");
    fails(try_csv, NIL, "x,y\nä,\"a\"b", "line 2, column 6: there is text behind a closing quote");
}

static void tables_are_written_so_that_they_read_back(void **state) {
    (void)state;
    Value t = struct_new(2);
    struct_put(t, SYMBOL("x"), VECTOR(1, 0.1));
    struct_put(t, SYMBOL("name"), LIST(string_of("a,\"b\""), string_of("7")));
    Buffer b = { 0 };
    csv_write(&b, t, ',');
    buffer_char(&b, 0);
    assert_string_equal(b.text, "x,name\n1,\"a,\"\"b\"\"\"\n0.1,\"7\"\n");
    assert_true(values_equal(try_csv(NIL, b.text), t));
}

static void a_file_is_replaced_as_a_whole(void **state) {
    (void)state;
    char name[] = "/tmp/adl_format_test.XXXXXX";
    close(mkstemp(name));
    String *path = string_of(name).as.string;
    io_write_file(path, "αβ\n", 5);
    string_is(io_read_text(path), "αβ\n");
    io_write_file(path, "\xff", 1);
    unlink(name);
}

static Value try_read(Value path, const char *text) {
    (void)text;
    return io_read_text(path.as.string);
}

static void a_missing_file_is_named(void **state) {
    (void)state;
    Value path = string_of("/no/such.txt");
    fails(try_read, path, "", "cannot read \"/no/such.txt\": No such file or directory");
    rt.sandbox = true;
    fails(try_read, path, "", "not allowed in a sandbox");
    rt.sandbox = false;
}

/* ---- memory ---- */

static void use_everything(void *env) {
    char *name = env;
    Buffer b = { 0 };
    Value v = read_json("{\"w\": [[1, 2], [3, 4]], \"l\": [1, \"a\", null]}");
    format_literal(&b, v, NULL);
    format_piece(&b, v, ".2f", 3);
    json_write(&b, v, 2);
    csv_write(&b, try_csv(NIL, "x,y\n1,a\n"), ',');
    io_write_file(string_of(name).as.string, b.text, b.bytes);
    string_split(io_read_text(string_of(name).as.string).as.string, NULL);
}

/* Each allocation fails in its turn; close_runtime() sees what leaked. */
static void an_allocation_that_fails_leaks_nothing(void **state) {
    (void)state;
    char name[] = "/tmp/adl_format_test.XXXXXX";
    close(mkstemp(name));
    size_t pool = pool_mark();
    for (long n = 1;; n++) {
        mem_fail_at(n);
        bool done = guard(use_everything, name, NULL);
        mem_fail_at(0);
        pool_unwind(pool);
        if (done) break;
        assert_true(n < 1000);
    }
    unlink(name);
}

/* ---- running ---- */

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_runtime, close_runtime)
int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(scalars_print_with_the_shortest_digits_that_read_back),
        TEST(any_bits_read_back),
        TEST(the_shortest_digits_are_those_of_printf),
        TEST(floats_print_with_their_own_digits),
        TEST(columns_align_on_the_decimal_point),
        TEST(elements_have_six_digits_but_whole_numbers_all),
        TEST(bools_print_as_words),
        TEST(matrices_of_a_stack_stand_apart),
        TEST(a_view_prints_as_what_it_shows),
        TEST(empty_arrays_tell_their_shape),
        TEST(large_arrays_are_shortened),
        TEST(long_rows_wrap_in_columns),
        TEST(containers_stay_on_one_line_while_they_fit),
        TEST(larger_parts_get_lines_of_their_own),
        TEST(a_value_continues_where_it_starts),
        TEST(deep_lists_end_in_dots),
        TEST(specs_shape_numbers),
        TEST(specs_apply_to_elements),
        TEST(specs_count_the_width_of_characters),
        TEST(wrong_specs_are_named),
        TEST(strings_count_characters),
        TEST(broken_bytes_are_characters_too),
        TEST(strings_split_and_join),
        TEST(numbers_are_read_as_programs_write_them),
        TEST(json_arrays_become_arrays_if_they_are_rectangular),
        TEST(json_comes_back),
        TEST(json_errors_tell_where),
        TEST(tables_become_matrices_or_columns),
        TEST(tables_are_written_so_that_they_read_back),
        TEST(a_file_is_replaced_as_a_whole),
        TEST(a_missing_file_is_named),
        TEST(an_allocation_that_fails_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
