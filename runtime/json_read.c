/* Reading JSON. The one idea: jansson reads a text into its tree, which becomes values; a rectangle
 * of numbers or of truths is found in the tree and filled in at once.
 *
 * jansson limits nesting to 2048, so reading recurses safely. */
#include "io.h"
#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static Value value_of(const json_t *json);

/* The shape an array would have if it were rectangular, by its first elements; false if it cannot
 * be one. */
static bool shape_of_first(const json_t *json, Shape *shape, json_type *leaf) {
    shape->axes = 0;
    while (json_is_array(json)) {
        if (shape->axes == MAX_AXES) return false;
        shape->dim[shape->axes++] = (int64_t)json_array_size(json);
        if (!json_array_size(json)) {
            *leaf = JSON_REAL;
            return true;
        }
        json = json_array_get(json, 0);
    }
    *leaf = json_typeof(json);
    return json_is_number(json) || json_is_boolean(json);
}

static bool is_leaf_like(const json_t *json, json_type leaf) {
    return leaf == JSON_TRUE || leaf == JSON_FALSE ? json_is_boolean(json) : json_is_number(json);
}

/* Is every part as its first one? */
static bool is_rectangular(const json_t *json, const Shape *shape, int axis, json_type leaf) {
    if (axis == shape->axes) return is_leaf_like(json, leaf);
    if (!json_is_array(json) || (int64_t)json_array_size(json) != shape->dim[axis]) return false;
    for (size_t i = 0; i < json_array_size(json); i++)
        if (!is_rectangular(json_array_get(json, i), shape, axis + 1, leaf)) return false;
    return true;
}

static double *fill_numbers(double *at, const json_t *json) {
    if (!json_is_array(json)) {
        *at = json_number_value(json);
        return at + 1;
    }
    for (size_t i = 0; i < json_array_size(json); i++)
        at = fill_numbers(at, json_array_get(json, i));
    return at;
}

static uint8_t *fill_bools(uint8_t *at, const json_t *json) {
    if (!json_is_array(json)) {
        *at = json_is_true(json);
        return at + 1;
    }
    for (size_t i = 0; i < json_array_size(json); i++)
        at = fill_bools(at, json_array_get(json, i));
    return at;
}

static Value array_of_json(const json_t *json, const Shape *shape, json_type leaf) {
    bool truth = leaf == JSON_TRUE || leaf == JSON_FALSE;
    Array *a = array_new(truth ? BOOL : F64, shape->axes, shape->dim);
    if (truth) fill_bools(bool_of(a), json);
    else fill_numbers(f64_of(a), json);
    return object(a);
}

static Value list_of_json(const json_t *json) {
    Value list = list_new(json_array_size(json));
    for (size_t i = 0; i < json_array_size(json); i++) {
        size_t mark = pool_mark();
        list_set(list, i, value_of(json_array_get(json, i)));
        pool_unwind(mark);
        poll();
    }
    return list;
}

static Value struct_of_json(json_t *json) {
    Value record = struct_new(json_object_size(json));
    for (void *at = json_object_iter(json); at; at = json_object_iter_next(json, at)) {
        const char *name = json_object_iter_key(at);
        size_t mark = pool_mark();
        struct_put(record, symbol(name, strlen(name)), value_of(json_object_iter_value(at)));
        pool_unwind(mark);
    }
    return record;
}

static Value array_or_list(const json_t *json) {
    Shape shape;
    json_type leaf;
    bool rectangular = shape_of_first(json, &shape, &leaf) && is_rectangular(json, &shape, 0, leaf);
    return rectangular ? array_of_json(json, &shape, leaf) : list_of_json(json);
}

static Value value_of(const json_t *json) {
    check_stack();
    switch (json_typeof(json)) {
    case JSON_OBJECT:  return struct_of_json((json_t *)json);
    case JSON_ARRAY:   return array_or_list(json);
    case JSON_STRING:  return string_new(json_string_value(json), json_string_length(json));
    case JSON_INTEGER: case JSON_REAL: return number(json_number_value(json));
    case JSON_TRUE:    return boolean(true);
    case JSON_FALSE:   return boolean(false);
    case JSON_NULL:    break;
    }
    return NIL;
}

/* ---- the memory of the tree ----
 * The tree is made of many small parts and goes as a whole: each is the next piece of a sheet, and
 * no part is freed by itself. jansson has one pair of functions for the whole process, where a
 * program that embeds adl may use it on other threads: those get malloc() and free() as before. */
typedef struct Sheet Sheet;
struct Sheet { Sheet *before; size_t used, bytes; };
enum { FIRST_SHEET = 64 << 10, LAST_SHEET = 8 << 20, UNIT = 16 };

static _Thread_local Sheet **sheets;               /* of the tree that is being read */
static pthread_mutex_t readers_lock = PTHREAD_MUTEX_INITIALIZER;
static int readers;
static json_malloc_t malloc_before;
static json_free_t free_before;

static size_t in_units(size_t bytes) { return (bytes + UNIT - 1) & ~(size_t)(UNIT - 1); }

static Sheet *next_sheet(Sheet *before, size_t bytes) {
    size_t whole = !before ? FIRST_SHEET : before->bytes * 2;
    if (whole > LAST_SHEET) whole = LAST_SHEET;
    if (bytes > whole - in_units(sizeof(Sheet))) whole = bytes + in_units(sizeof(Sheet));
    Sheet *sheet = malloc(whole);
    if (sheet) *sheet = (Sheet){ before, in_units(sizeof(Sheet)), whole };
    return sheet;
}

static void *part(size_t bytes) {
    if (!sheets) return malloc_before(bytes);
    if (bytes > SIZE_MAX / 2) return NULL;
    bytes = in_units(bytes);
    Sheet *sheet = *sheets;
    if (!sheet || sheet->bytes - sheet->used < bytes) {
        sheet = next_sheet(sheet, bytes);
        if (!sheet) return NULL;
        *sheets = sheet;
    }
    sheet->used += bytes;
    return (char *)sheet + sheet->used - bytes;
}

static void part_free(void *at) {
    if (!sheets) free_before(at);
}

static void readers_add(int one) {
    pthread_mutex_lock(&readers_lock);
    if (one > 0 && readers == 0) {
        json_get_alloc_funcs(&malloc_before, &free_before);
        json_set_alloc_funcs(part, part_free);
    }
    readers += one;
    if (readers == 0) json_set_alloc_funcs(malloc_before, free_before);
    pthread_mutex_unlock(&readers_lock);
}

static json_t *read_tree(const char *text, size_t bytes, Sheet **place, json_error_t *error) {
    const size_t flags = JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL;
    readers_add(1);
    sheets = place;
    json_t *tree = json_loadb(text, bytes, flags, error);
    sheets = NULL;
    readers_add(-1);
    return tree;
}

static void release_sheets(void *first) {
    for (Sheet *sheet = first, *before; sheet; sheet = before) {
        before = sheet->before;
        free(sheet);
    }
}

/* ---- reading ---- */

Value json_read(const char *text, size_t bytes, const char *name) {
    json_error_t error;
    Handle *memory = io_own(release_sheets);
    Sheet *last = NULL;
    json_t *tree = NULL;
    OUTSIDE(tree = read_tree(text, bytes, &last, &error));
    memory->pointer = last;
    poll();
    if (!tree)
        fail(E_VALUE, "%s is no JSON: %s (line %d, column %d)", name ? name : "the text",
             error.text, error.line, error.column);
    Value v = value_of(tree);
    release_sheets(last);
    memory->pointer = NULL;
    return v;
}
