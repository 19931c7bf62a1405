/* Errors, the pool, objects and cycles.
 *
 * The one idea: every test opens a runtime and closes it again, and closing must leave no block behind. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include "array.h"
#include "runtime_fixture.h"
#include <cmocka.h>   /* last: it has a fail() of its own, taken back here */
#undef fail

/* ---- errors ---- */
static void fail_on_purpose(void *env) {
    rt.here = 99;
    rt.recording = true;
    string_of("in the pool");
    hint("try %d", 7);
    note_operand(1, number(2.5));
    fail(E_VALUE, "%s went wrong", (const char *)env);
}

static void an_error_carries_kind_place_message_and_hint(void **state) {
    (void)state;
    Error error;
    assert_false(guard(fail_on_purpose, "all", &error));
    assert_int_equal(error.kind, E_VALUE);
    assert_string_equal(error_kind_name(error.kind), "value");
    assert_int_equal(error.span, 99);
    assert_string_equal(error.message, "all went wrong");
    assert_string_equal(error.hint, "try 7");
    assert_int_equal(error.operands, 1);
    assert_int_equal(error.operand[0].part, 1);
    assert_string_equal(error.operand[0].text, "the number 2.5");
}

static void a_guard_restores_pool_place_and_recording(void **state) {
    (void)state;
    size_t mark = pool_mark();
    rt.here = 5;
    assert_false(guard(fail_on_purpose, "x", NULL));
    assert_int_equal(pool_mark(), mark);
    assert_int_equal(rt.here, 5);
    assert_false(rt.recording);
}

static void fail_plainly(void *env) { fail(E_TYPE, "%s", env ? (const char *)env : "plain"); }

static void a_hint_belongs_to_one_error_only(void **state) {
    (void)state;
    Error error;
    assert_false(guard(fail_on_purpose, "x", NULL));
    assert_false(guard(fail_plainly, NULL, &error));
    assert_string_equal(error.hint, "");
    assert_int_equal(error.operands, 0);
}

static void fail_twice(void *env) {
    if (guard(fail_on_purpose, "first", env)) return;
    fail_again(env);
}

static void an_error_can_be_raised_again_unchanged(void **state) {
    (void)state;
    Error inner, outer;
    assert_false(guard(fail_twice, &inner, &outer));
    assert_string_equal(outer.message, "first went wrong");
    assert_string_equal(outer.hint, "try 7");
    assert_int_equal(outer.span, 99);
}

static void a_long_message_is_cut_between_characters(void **state) {
    (void)state;
    Error error;
    char text[3000];
    for (int shift = 0; shift < 3; shift++) {
        memset(text, 'a', (size_t)shift);
        for (size_t i = (size_t)shift; i + 3 < sizeof text; i += 3) memcpy(text + i, "\xE2\x82\xAC", 4);
        assert_false(guard(fail_plainly, text, &error));
        size_t length = strlen(error.message);
        assert_true(length > 600 && (length - (size_t)shift) % 3 == 0);
    }
}

static void poll_here(void *env) { (void)env; poll(); }

static void *unwound_to;
static void *mark_frames(void) { return (void *)0x10; }
static void unwind_frames(void *mark) { unwound_to = mark; }

static void a_guard_unwinds_the_frames_of_the_language(void **state) {
    (void)state;
    rt.on_guard = mark_frames;
    rt.on_unwind = unwind_frames;
    unwound_to = NULL;
    assert_true(guard(poll_here, NULL, NULL));
    assert_null(unwound_to);
    assert_false(guard(fail_plainly, NULL, NULL));
    assert_ptr_equal(unwound_to, (void *)0x10);
}

static void an_interrupt_is_taken_once(void **state) {
    (void)state;
    Error error;
    rt.interrupted = 1;
    assert_false(guard(poll_here, NULL, &error));
    assert_int_equal(error.kind, E_INTERRUPT);
    assert_true(guard(poll_here, NULL, &error));
}

/* ---- the stack ---- */
static __attribute__((noinline)) int dive(int depth) {
    volatile char room[200];
    check_stack();
    room[depth % 200] = (char)depth;
    return (depth < 0 ? 0 : dive(depth + 1)) + room[depth % 200];
}
static void dive_deep(void *env) { *(volatile int *)env = dive(0); }

static void deep_recursion_is_an_error_that_names_the_limit(void **state) {
    (void)state;
    Error error;
    int sink;
    assert_false(guard(dive_deep, &sink, &error));
    assert_int_equal(error.kind, E_LIMIT);
    assert_non_null(strstr(error.message, "recursion is too deep"));
    assert_non_null(strstr(error.message, "iB"));
}

static void *dive_on_thread(void *error) {
    int sink;
    runtime_open();
    bool came_back = guard(dive_deep, &sink, error);
    runtime_close();
    return came_back ? error : NULL;
}

static void the_limit_is_that_of_the_running_thread(void **state) {
    Error error;
    pthread_t thread;
    pthread_attr_t attributes;
    void *result;
    assert_int_equal(close_runtime(state), 0);   /* there is one, and the thread opens it */
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 64 << 20);
    assert_int_equal(pthread_create(&thread, &attributes, dive_on_thread, &error), 0);
    pthread_join(thread, &result);
    pthread_attr_destroy(&attributes);
    assert_null(result);
    assert_non_null(strstr(error.message, "64 MiB"));
    open_runtime(state);
}

/* ---- the pool ---- */
static void passing_a_value_lets_it_live_on_alone(void **state) {
    (void)state;
    size_t mark = pool_mark();
    string_of("goes");
    Value kept = string_of("stays");
    string_of("goes too");
    kept = pool_pass(mark, kept);
    assert_int_equal(pool_mark(), mark + 1);
    assert_string_equal(kept.as.string->text, "stays");
    assert_int_equal(kept.as.obj->refs, 1);
    assert_true(is_temporary(kept));
}

static void scratch_is_aligned_and_goes_with_the_pool(void **state) {
    (void)state;
    size_t mark = pool_mark(), used = mem_counts().used;
    for (size_t bytes = 0; bytes < 300000; bytes = bytes * 2 + 1) {
        char *scratch = pool_bytes(bytes);
        assert_int_equal((uintptr_t)scratch % (bytes >= 64 ? 64 : 16), 0);
        memset(scratch, 1, bytes);
    }
    pool_unwind(mark);
    assert_int_equal(mem_counts().used, used);
}

static void a_held_object_outlives_the_pool(void **state) {
    (void)state;
    size_t mark = pool_mark();
    Value v = value_hold(string_of("held"));
    pool_unwind(mark);
    assert_string_equal(v.as.string->text, "held");
    assert_false(is_temporary(v));
    value_release(v);
}

/* ---- strings and symbols ---- */
static void symbols_of_equal_text_are_one_object(void **state) {
    (void)state;
    char name[16];
    String *first[3000];
    for (int i = 0; i < 3000; i++) first[i] = symbol(name, (size_t)snprintf(name, sizeof name, "name%d", i));
    for (int i = 0; i < 3000; i++)
        assert_ptr_equal(symbol(name, (size_t)snprintf(name, sizeof name, "name%d", i)), first[i]);
    assert_ptr_equal(SYMBOL("a\0b"), symbol("a\0b", 3));
    assert_ptr_not_equal(SYMBOL("a"), symbol("a\0b", 3));
}

static void strings_are_formatted_at_any_length(void **state) {
    (void)state;
    Value v = string_format("%d and %s", 5, "more");
    assert_string_equal(v.as.string->text, "5 and more");
    assert_int_equal(string_format("%5000d", 1).as.string->bytes, 5000);
    assert_int_equal(string_new(NULL, 0).as.string->bytes, 0);
}

/* ---- lists and structs ---- */
static void pushing_onto_a_temporary_is_in_place(void **state) {
    (void)state;
    Value list = list_new(0);
    List *object_before = list.as.list;
    for (int i = 0; i < 10000; i++) list = list_push(list, number(i));
    assert_ptr_equal(list.as.list, object_before);
    assert_int_equal(list.as.list->count, 10000);
    assert_true(list.as.list->item[9999].as.num == 9999);
}

static void pushing_onto_a_list_that_a_variable_holds_copies(void **state) {
    (void)state;
    size_t mark = pool_mark();
    Value variable = value_hold(list_new(2));
    pool_unwind(mark);
    assert_int_equal(variable.as.obj->refs, 1);
    Value longer = list_push(variable, string_of("new"));
    assert_int_equal(variable.as.list->count, 2);
    assert_int_equal(longer.as.list->count, 3);
    value_release(variable);
}

static void struct_fields_keep_their_order_and_are_replaced(void **state) {
    (void)state;
    Value s = struct_new(0);
    struct_put(s, SYMBOL("b"), number(1));
    struct_put(s, SYMBOL("a"), string_of("x"));
    struct_put(s, SYMBOL("b"), number(3));
    assert_int_equal(s.as.record->count, 2);
    assert_ptr_equal(s.as.record->field[0].name, SYMBOL("b"));
    assert_true(struct_find(s, SYMBOL("b"))->as.num == 3);
    assert_null(struct_find(s, SYMBOL("c")));
}

static void a_struct_of_many_fields_is_quick(void **state) {
    (void)state;
    char name[16];
    Value s = struct_new(0);
    for (int i = 0; i < 100000; i++) {
        String *field = symbol(name, (size_t)snprintf(name, sizeof name, "f%d", i));
        struct_put(s, field, number(i));
    }
    for (int i = 0; i < 100000; i++) {
        String *field = symbol(name, (size_t)snprintf(name, sizeof name, "f%d", i));
        assert_true(struct_find(s, field)->as.num == i);
    }
    assert_int_equal(s.as.record->count, 100000);
}

static Value nested(int depth) {
    size_t mark = pool_mark();
    Value v = list_of(1, &(Value){ V_NIL, 0, { .num = 0 } });
    for (int i = 0; i < depth; i++) {
        if (i % 3 == 2) {
            Value s = struct_new(1);
            struct_put(s, SYMBOL("inner"), v);
            v = pool_pass(mark, s);
        } else {
            v = pool_pass(mark, list_of(1, &v));
        }
    }
    return v;
}

static void freeing_a_value_nested_a_million_deep_needs_no_stack(void **state) {
    (void)state;
    size_t mark = pool_mark();
    nested(1000000);
    pool_unwind(mark);
}

static void compare_deep(void *env) { *(bool *)env = values_equal(nested(1000000), nested(1000000)); }

static void comparing_too_deep_is_an_error(void **state) {
    (void)state;
    Error error;
    bool equal;
    assert_false(guard(compare_deep, &equal, &error));
    assert_int_equal(error.kind, E_LIMIT);
}

static void equality_looks_at_whole_values(void **state) {
    (void)state;
    Value pair[] = { number(1), string_of("x") };
    assert_true(values_equal(number(1), boolean(true)));
    assert_false(values_equal(number(1), NIL));
    assert_true(values_equal(NIL, NIL));
    assert_true(values_equal(list_of(2, pair), list_of(2, (Value[]){ number(1), string_of("x") })));
    assert_false(values_equal(list_of(2, pair), list_of(1, pair)));
    assert_false(values_equal(number(__builtin_nan("")), number(__builtin_nan(""))));
    Value s = struct_new(2), t = struct_new(2);
    struct_put(s, SYMBOL("a"), number(1));
    struct_put(s, SYMBOL("b"), pair[1]);
    struct_put(t, SYMBOL("b"), pair[1]);
    struct_put(t, SYMBOL("a"), number(1));
    assert_true(values_equal(s, t));
    struct_put(t, SYMBOL("a"), number(2));
    assert_false(values_equal(s, t));
}

/* ---- functions and cycles ---- */
typedef struct Closure { Function head; Value held[2]; } Closure;

static Value call_nothing(Function *self, int count, const Value *args) {
    (void)self, (void)count, (void)args;
    return NIL;
}
static int closures_freed;
static void free_closure(Function *self) {
    closures_freed++;
    for (int i = 0; i < 2; i++) value_release(((Closure *)self)->held[i]);
}
static void visit_closure(Function *self, void (*each)(Value v, void *env), void *env) {
    for (int i = 0; i < 2; i++) each(((Closure *)self)->held[i], env);
}

/* A function that holds its own cell, as a local recursive function does, and one value more. */
static Cell *recursive(Value more) {
    Cell *cell = cell_new(NIL);
    Closure *closure = (Closure *)function_new(sizeof *closure, "loop", call_nothing);
    closure->held[0] = value_hold(object(cell));
    closure->held[1] = value_hold(more);
    closure->head.free = free_closure;
    closure->head.visit = visit_closure;
    value_store(&cell->value, object(closure));
    return cell;
}

static void closures_that_hold_only_each_other_are_freed(void **state) {
    (void)state;
    size_t mark = pool_mark();
    closures_freed = 0;
    for (int i = 0; i < 10; i++) recursive(list_of(1, &(Value){ V_NIL, 0, { .num = 0 } }));
    pool_unwind(mark);
    assert_int_equal(rt.cell_count, 10);
    cells_collect();
    assert_int_equal(rt.cell_count, 0);
    assert_int_equal(closures_freed, 10);
}

static void a_cycle_that_something_holds_stays(void **state) {
    (void)state;
    size_t mark = pool_mark();
    closures_freed = 0;
    Cell *inner = recursive(NIL);
    Cell *outer = recursive(list_of(1, &(Value){ V_CELL, 0, { .cell = inner } }));
    Value held = value_hold(outer->value);
    pool_unwind(mark);
    cells_collect();
    assert_int_equal(rt.cell_count, 2);
    value_release(held);
    cells_collect();
    assert_int_equal(rt.cell_count, 0);
    assert_int_equal(closures_freed, 2);
}

static void a_long_chain_of_cells_is_collected_without_stack(void **state) {
    (void)state;
    size_t mark = pool_mark();
    Value chain = NIL;
    for (int i = 0; i < 300000; i++) chain = pool_pass(mark, object(recursive(chain)));
    pool_unwind(mark);
    cells_collect();
    assert_int_equal(rt.cell_count, 0);
}

static void cells_are_collected_as_they_double(void **state) {
    (void)state;
    size_t mark = pool_mark();
    for (int i = 0; i < 100000; i++) {
        recursive(NIL);
        pool_unwind(mark);
    }
    assert_true(rt.cell_count <= 20001);
}

/* ---- asking ---- */
static void descriptions_are_short_and_say_what_it_is(void **state) {
    (void)state;
    char text[80];
    assert_string_equal(describe(number(2.5), text, sizeof text), "the number 2.5");
    assert_string_equal(describe(boolean(true), text, sizeof text), "true");
    assert_string_equal(describe(NIL, text, sizeof text), "nil");
    assert_string_equal(describe(string_of("x"), text, sizeof text), "a string");
    assert_string_equal(describe(list_new(3), text, sizeof text), "a list of 3");
    assert_string_equal(describe(object(array_new(F32, 1, (int64_t[]){ 4 })), text, sizeof text), "f32 [4]");
    assert_string_equal(describe(object(array_new(F64, 2, (int64_t[]){ 2, 3 })), text, sizeof text), "[2, 3]");
    assert_string_equal(type_name(number(1)), "array");
    assert_string_equal(type_name(struct_new(0)), "struct");
}

/* ---- failing allocations ---- */
static void build_things(void *env) {
    (void)env;
    Value list = list_new(0);
    for (int i = 0; i < 40; i++) list = list_push(list, string_format("%d", i));
    Value s = struct_new(0);
    struct_put(s, SYMBOL("list"), list);
    struct_put(s, SYMBOL("array"), object(array_zeros(F64, 2, (int64_t[]){ 300, 300 })));
    pool_bytes(100000);
    for (int i = 0; i < 3; i++) recursive(s);
    for (int i = 0; i < 3000; i++) string_new("x", 1);
    cells_collect();
    array_copy(struct_find(s, SYMBOL("array"))->as.array);
}

static void any_allocation_may_fail_and_nothing_leaks(void **state) {
    Error error;
    bool done = false;
    for (long n = 1; !done; n++) {
        mem_fail_at(n);
        done = guard(build_things, NULL, &error);
        mem_fail_at(0);
        if (!done) assert_int_equal(error.kind, E_MEMORY);
        assert_int_equal(close_runtime(state), 0);
        open_runtime(state);
        if (n > 200) n += 97;
        assert_true(n < 20000);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_runtime, close_runtime)
int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(an_error_carries_kind_place_message_and_hint),
        TEST(a_guard_restores_pool_place_and_recording),
        TEST(a_hint_belongs_to_one_error_only),
        TEST(an_error_can_be_raised_again_unchanged),
        TEST(a_long_message_is_cut_between_characters),
        TEST(a_guard_unwinds_the_frames_of_the_language),
        TEST(an_interrupt_is_taken_once),
        TEST(deep_recursion_is_an_error_that_names_the_limit),
        TEST(the_limit_is_that_of_the_running_thread),
        TEST(passing_a_value_lets_it_live_on_alone),
        TEST(scratch_is_aligned_and_goes_with_the_pool),
        TEST(a_held_object_outlives_the_pool),
        TEST(symbols_of_equal_text_are_one_object),
        TEST(strings_are_formatted_at_any_length),
        TEST(pushing_onto_a_temporary_is_in_place),
        TEST(pushing_onto_a_list_that_a_variable_holds_copies),
        TEST(struct_fields_keep_their_order_and_are_replaced),
        TEST(a_struct_of_many_fields_is_quick),
        TEST(freeing_a_value_nested_a_million_deep_needs_no_stack),
        TEST(comparing_too_deep_is_an_error),
        TEST(equality_looks_at_whole_values),
        TEST(closures_that_hold_only_each_other_are_freed),
        TEST(a_cycle_that_something_holds_stays),
        TEST(a_long_chain_of_cells_is_collected_without_stack),
        TEST(cells_are_collected_as_they_double),
        TEST(descriptions_are_short_and_say_what_it_is),
        TEST(any_allocation_may_fail_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
