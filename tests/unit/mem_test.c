/* Memory: sizes, reuse, counting, the limit, and failing on purpose.
 *
 * The one idea: whatever is asked for, the counts are back where they were when it is freed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include "value.h"
#include "runtime_fixture.h"
#include <cmocka.h>   /* last: it has a fail() of its own */

/* Sizes on both sides of every boundary between classes. */
static size_t size_near(int i) {
    size_t power = (size_t)1 << (i / 6 + 3);
    return (size_t[]){ power - 1, power, power + 1, power + power / 8, power + power / 3, power * 7 / 4 }[i % 6];
}
enum { SIZES = 6 * 19 };

static void blocks_of_every_size_are_aligned_and_do_not_overlap(void **state) {
    (void)state;
    unsigned char *block[SIZES];
    for (int i = 0; i < SIZES; i++) {
        block[i] = mem_alloc(size_near(i));
        assert_int_equal((uintptr_t)block[i] % (size_near(i) >= 64 ? 64 : 16), 0);
        memset(block[i], i, size_near(i));
    }
    for (int i = 0; i < SIZES; i++) {
        assert_int_equal(block[i][0], i);
        assert_int_equal(block[i][size_near(i) - 1], i);
        mem_free(block[i], size_near(i));
    }
}

static void a_freed_block_is_handed_out_again(void **state) {
    (void)state;
    if (!MEM_KEEPS) skip();
    for (int i = 0; i < SIZES; i++) {
        void *block = mem_alloc(size_near(i));
        mem_free(block, size_near(i));
        void *again = mem_alloc(size_near(i));
        assert_ptr_equal(block, again);
        mem_free(again, size_near(i));
    }
}

static void zeroed_blocks_are_zero_also_when_reused(void **state) {
    (void)state;
    for (int i = 0; i < SIZES; i++) {
        unsigned char *dirty = mem_alloc(size_near(i));
        memset(dirty, 0xAA, size_near(i));
        mem_free(dirty, size_near(i));
        unsigned char *clean = mem_alloc_zeroed(size_near(i));
        for (size_t k = 0; k < size_near(i); k++) assert_int_equal(clean[k], 0);
        mem_free(clean, size_near(i));
    }
}

static void resizing_keeps_the_content_through_all_classes(void **state) {
    (void)state;
    size_t bytes = 1;
    unsigned char *block = mem_alloc(bytes);
    block[0] = 7;
    while (bytes < 40u << 20) {
        size_t more = bytes + bytes / 3 + 5;
        block = mem_resize(block, bytes, more);
        for (size_t k = 0; k < bytes; k += bytes / 16 + 1) assert_int_equal(block[k], (unsigned char)(k * 13 + 7));
        for (size_t k = 0; k < more; k++) block[k] = (unsigned char)(k * 13 + 7);
        bytes = more;
    }
    block = mem_resize(block, bytes, 100);
    for (size_t k = 0; k < 100; k++) assert_int_equal(block[k], (unsigned char)(k * 13 + 7));
    mem_free(block, 100);
}

static void a_growing_array_doubles(void **state) {
    (void)state;
    size_t capacity = 0, moves = 0;
    int *items = NULL;
    for (int i = 0; i < 100000; i++) {
        size_t before = capacity;
        items = mem_grow(items, &capacity, (size_t)i + 1, sizeof *items);
        moves += capacity != before;
        items[i] = i;
    }
    assert_true(moves < 20);
    for (int i = 0; i < 100000; i++) assert_int_equal(items[i], i);
    mem_free(items, capacity * sizeof *items);
}

static void counts_follow_what_is_handed_out(void **state) {
    (void)state;
    MemCounts before = mem_counts();
    void *small = mem_alloc(100), *large = mem_alloc(1 << 20);
    MemCounts during = mem_counts();
    assert_int_equal(during.used - before.used, 100 + (1 << 20));
    assert_int_equal(during.blocks - before.blocks, 2);
    assert_int_equal(during.allocations - before.allocations, 2);
    assert_true(during.peak >= during.used);
    mem_free(small, 100);
    mem_free(large, 1 << 20);
    assert_int_equal(mem_counts().used, before.used);
    assert_int_equal(mem_counts().blocks, before.blocks);
}

static void trimming_gives_large_blocks_back(void **state) {
    (void)state;
    if (!MEM_KEEPS) skip();
    mem_trim();
    size_t before = mem_counts().kept;
    mem_free(mem_alloc(32 << 20), 32 << 20);
    assert_true(mem_counts().kept >= before + (32 << 20));
    mem_trim();
    assert_int_equal(mem_counts().kept, before);
}

/* ---- failing ---- */
static void allocate(void *bytes) { mem_free(mem_alloc(*(size_t *)bytes), *(size_t *)bytes); }

static void the_limit_is_an_error_that_names_the_sizes(void **state) {
    (void)state;
    Error error;
    size_t much = 64 << 20, little = 1000;
    mem_set_limit(32 << 20);
    assert_false(guard(allocate, &much, &error));
    assert_int_equal(error.kind, E_MEMORY);
    assert_non_null(strstr(error.message, "64 MiB"));
    assert_non_null(strstr(error.message, "the limit is 32 MiB"));
    assert_non_null(strstr(error.hint, "--memory"));
    assert_true(guard(allocate, &little, &error));
    mem_set_limit(0);
    assert_true(guard(allocate, &much, &error));
}

static void kept_blocks_do_not_count_against_the_limit(void **state) {
    (void)state;
    size_t first = 20 << 20, second = 30 << 20;
    mem_set_limit(32 << 20);
    assert_true(guard(allocate, &first, NULL));
    assert_true(guard(allocate, &second, NULL));
}

static void absurd_sizes_are_an_error_not_a_crash(void **state) {
    (void)state;
    Error error;
    size_t sizes[] = { SIZE_MAX, SIZE_MAX - 100, SIZE_MAX / 2, (size_t)1 << 50 };
    for (int i = 0; i < 4; i++) {
        assert_false(guard(allocate, &sizes[i], &error));
        assert_int_equal(error.kind, E_MEMORY);
    }
}

static void the_nth_allocation_fails_and_only_that_one(void **state) {
    (void)state;
    size_t bytes = 48;
    mem_fail_at(3);
    assert_true(guard(allocate, &bytes, NULL));
    assert_true(guard(allocate, &bytes, NULL));
    assert_false(guard(allocate, &bytes, NULL));
    assert_true(guard(allocate, &bytes, NULL));
}

static void sizes_read_as_people_write_them(void **state) {
    (void)state;
    char text[32];
    assert_string_equal(mem_text(1, text, sizeof text), "1 byte");
    assert_string_equal(mem_text(1023, text, sizeof text), "1023 bytes");
    assert_string_equal(mem_text(1536, text, sizeof text), "1.5 KiB");
    assert_string_equal(mem_text((size_t)3 << 30, text, sizeof text), "3 GiB");
    assert_string_equal(mem_text((size_t)1023 << 20, text, sizeof text), "0.999 GiB");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_runtime, close_runtime)
int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(blocks_of_every_size_are_aligned_and_do_not_overlap),
        TEST(a_freed_block_is_handed_out_again),
        TEST(zeroed_blocks_are_zero_also_when_reused),
        TEST(resizing_keeps_the_content_through_all_classes),
        TEST(a_growing_array_doubles),
        TEST(counts_follow_what_is_handed_out),
        TEST(trimming_gives_large_blocks_back),
        TEST(the_limit_is_an_error_that_names_the_sizes),
        TEST(kept_blocks_do_not_count_against_the_limit),
        TEST(absurd_sizes_are_an_error_not_a_crash),
        TEST(the_nth_allocation_fails_and_only_that_one),
        TEST(sizes_read_as_people_write_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
