/* Writing JSON. The one idea: values go straight into a buffer, since only format.c knows the
 * shortest digits that read back. */
#include "format.h"
#include "io.h"
#include <math.h>

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
