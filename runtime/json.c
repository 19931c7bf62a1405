/* JSON. The one idea: jansson reads a text into its tree, which becomes values; values are written
 * straight into a buffer, since only format.c knows the shortest digits that read back.
 *
 * jansson limits nesting to 2048, so reading recurses safely; writing checks the stack. */
#include "format.h"
#include "io.h"
#include <jansson.h>
#include <math.h>
#include <string.h>

/* ---- reading ---- */

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

static void release_json(void *json) { json_decref(json); }

Value json_read(const char *text, size_t bytes, const char *name) {
    json_error_t error;
    Handle *tree = io_own(release_json);
    const size_t flags = JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL;
    OUTSIDE(tree->pointer = json_loadb(text, bytes, flags, &error));
    poll();
    if (!tree->pointer)
        fail(E_VALUE, "%s is no JSON: %s (line %d, column %d)", name ? name : "the text",
             error.text, error.line, error.column);
    Value v = value_of(tree->pointer);
    json_decref(tree->pointer);
    tree->pointer = NULL;
    return v;
}

/* ---- writing ---- */

typedef struct JsonWriter { Buffer *out; int indent, depth; } JsonWriter;

static void write_json(JsonWriter *w, Value v);

static void write_string(JsonWriter *w, const String *s) {
    buffer_char(w->out, '"');
    size_t plain = 0;    /* where the run starts that needs no escape */
    for (size_t i = 0; i < s->bytes; i++) {
        unsigned char c = (unsigned char)s->text[i];
        if (c >= ' ' && c != '"' && c != '\\') continue;
        buffer_add(w->out, s->text + plain, i - plain);
        plain = i + 1;
        if (c == '"' || c == '\\') buffer_format(w->out, "\\%c", c);
        else if (c == '\n') buffer_text(w->out, "\\n");
        else if (c == '\t') buffer_text(w->out, "\\t");
        else buffer_format(w->out, "\\u%04x", c);
    }
    buffer_add(w->out, s->text + plain, s->bytes - plain);
    buffer_char(w->out, '"');
}

static void write_double(JsonWriter *w, double x) {
    char text[NUMBER_TEXT];
    if (isfinite(x)) buffer_add(w->out, text, (size_t)format_number(text, x));
    else buffer_text(w->out, "null");
}

static void write_element(JsonWriter *w, const Array *a, int64_t flat) {
    double x = array_get(a, flat);
    char text[NUMBER_TEXT];
    if (a->dtype == BOOL) buffer_text(w->out, x != 0 ? "true" : "false");
    else if (a->dtype == F64 || !isfinite(x)) write_double(w, x);
    else buffer_add(w->out, text, (size_t)format_float(text, (float)x));
}

/* Between parts: all on one line, or each on its own. */
static void part(JsonWriter *w, bool first) {
    if (!first) buffer_text(w->out, w->indent ? "," : ", ");
    if (!w->indent) return;
    buffer_char(w->out, '\n');
    buffer_spaces(w->out, (int64_t)w->depth * w->indent);
}

static void open_json(JsonWriter *w, char bracket) {
    buffer_char(w->out, bracket);
    w->depth++;
}

static void close_json(JsonWriter *w, char bracket, bool empty) {
    w->depth--;
    if (!empty) {
        if (w->indent) buffer_char(w->out, '\n');
        if (w->indent) buffer_spaces(w->out, (int64_t)w->depth * w->indent);
    }
    buffer_char(w->out, bracket);
}

/* The innermost rows of an array stay on one line. */
static int64_t write_axis(JsonWriter *w, const Array *a, int axis, int64_t flat) {
    if (axis == a->axes) {
        write_element(w, a, flat);
        return flat + 1;
    }
    bool row = axis + 1 == a->axes;
    int64_t length = shape_of(a)[axis];
    JsonWriter inside = { w->out, row ? 0 : w->indent, w->depth };
    if (a->axes) open_json(&inside, '[');
    for (int64_t i = 0; i < length; i++) {
        part(&inside, i == 0);
        flat = write_axis(&inside, a, axis + 1, flat);
        if (flat % (1 << 16) == 0) poll();
    }
    close_json(&inside, ']', length == 0);
    return flat;
}

static void write_list(JsonWriter *w, const List *list) {
    open_json(w, '[');
    for (size_t i = 0; i < list->count; i++) {
        part(w, i == 0);
        write_json(w, list->item[i]);
    }
    close_json(w, ']', list->count == 0);
}

static void write_struct(JsonWriter *w, const Struct *record) {
    open_json(w, '{');
    for (size_t i = 0; i < record->count; i++) {
        part(w, i == 0);
        write_string(w, record->field[i].name);
        buffer_text(w->out, ": ");
        write_json(w, record->field[i].value);
    }
    close_json(w, '}', record->count == 0);
}

static void write_json(JsonWriter *w, Value v) {
    check_stack();
    poll();
    switch ((Tag)v.tag) {
    case V_NUM:    write_double(w, v.as.num); break;
    case V_BOOL:   buffer_text(w->out, v.as.truth ? "true" : "false"); break;
    case V_NIL:    buffer_text(w->out, "null"); break;
    case V_ARRAY:  write_axis(w, array_contiguous(v.as.array), 0, 0); break;
    case V_STRING: write_string(w, v.as.string); break;
    case V_LIST:   write_list(w, v.as.list); break;
    case V_STRUCT: write_struct(w, v.as.record); break;
    case V_UNSET: case V_FUNCTION: case V_HANDLE: case V_CELL: case V_SCRATCH: case V_DEFERRED:
        fail(E_TYPE, "JSON has no place for a %s", type_name(v));
    }
}

void json_write(Buffer *b, Value v, int indent) {
    JsonWriter w = { b, indent, 0 };
    write_json(&w, v);
}
