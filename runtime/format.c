/* Printing values: containers, and the way in. See format.h for the idea; numbers and format specs
 * are written by format_number.c, arrays by format_array.c. A Writer carries what all of them
 * share. It must not know syntax trees; the signature of a function comes through
 * format_signature. */
#define _GNU_SOURCE
#include "format_parts.h"
#include <string.h>

FormatOptions format_options = { .width = 80, .digits = 6, .threshold = 1000, .edge = 3 };
const char *(*format_signature)(Function *f, char *buffer, size_t bytes);

/* ---- the writer ---- */

enum { MAX_DEPTH = 100 };   /* containers deeper than this print as ... */

int64_t writer_column(Writer *w) {
    return (int64_t)text_width(w->out->text + w->line, w->out->bytes - w->line);
}

static bool overflows(Writer *w) { return writer_column(w) > w->options->width; }

/* Comments stand at the end of a line, where they swallow nothing, or below it if it is full. */
static void flush_notes(Writer *w) {
    enum { SIGN = 4 };
    if (!w->notes.bytes) return;
    bool fits = writer_column(w) + SIGN + (int64_t)w->notes.bytes <= w->options->width;
    buffer_text(w->out, fits ? "  # " : "\n# ");
    buffer_add(w->out, w->notes.text, w->notes.bytes);
    w->notes.bytes = 0;
}

void writer_note(Writer *w, const char *what, const char *text) {
    if (w->notes.bytes) buffer_text(&w->notes, ", ");
    buffer_text(&w->notes, what);
    buffer_text(&w->notes, text);
}

void writer_new_line(Writer *w, int64_t indent) {
    flush_notes(w);
    buffer_char(w->out, '\n');
    w->line = w->out->bytes;
    buffer_spaces(w->out, indent);
}

/* ---- containers ---- */

static bool write_item(Writer *w, Value v, int depth);
static void write_value(Buffer *b, Value v, const FormatOptions *options, const Spec *spec);

static void write_function(Writer *w, Function *f) {
    char text[200];
    const char *head = format_signature ? format_signature(f, text, sizeof text) : f->name->text;
    buffer_format(w->out, "<fn %s>", head);
}

static void write_handle(Writer *w, Handle *h) {
    if (!h->pointer) buffer_text(w->out, "<handle, freed>");
    else if (h->library) buffer_format(w->out, "<handle from %s>", h->library->text);
    else buffer_text(w->out, "<handle>");
}

/* A module is too large to show: its first names stand for it. */
static void write_module(Writer *w, Struct *module) {
    enum { SHOWN = 8 };
    int64_t indent = writer_column(w) + 1;
    buffer_text(w->out, "<module with");
    for (size_t i = 0; i < module->count && i <= SHOWN; i++) {
        const char *name = i < SHOWN ? module->field[i].name->text : "...";
        bool fits = writer_column(w) + 3 + (int64_t)strlen(name) <= w->options->width;
        if (i) buffer_char(w->out, ',');
        if (fits || w->flat) buffer_char(w->out, ' ');
        else writer_new_line(w, indent);
        buffer_text(w->out, name);
    }
    buffer_char(w->out, '>');
}

static size_t count_of(Value v) { return v.tag == V_LIST ? v.as.list->count : v.as.record->count; }

static Value item_of(Value v, size_t i) {
    return v.tag == V_LIST ? v.as.list->item[i] : v.as.record->field[i].value;
}

static bool is_container(Value v) { return v.tag == V_LIST || v.tag == V_STRUCT; }

/* `name: ` before a field. */
static void write_key(Writer *w, Value v, size_t i) {
    if (v.tag != V_STRUCT) return;
    String *name = v.as.record->field[i].name;
    if (text_is_name(name->text, name->bytes)) buffer_add(w->out, name->text, name->bytes);
    else text_quote(w->out, name->text, name->bytes);
    buffer_text(w->out, ": ");
}

/* The item behind item i that is shown, and whether dots stand between. */
static size_t next_shown(Writer *w, size_t count, size_t i) {
    size_t edge = (size_t)w->options->edge;
    bool shortened = count > (size_t)w->options->threshold && count > 2 * edge;
    return shortened && i + 1 == edge ? count - edge : i + 1;
}

static void open_bracket(Writer *w, Value v) { buffer_char(w->out, v.tag == V_LIST ? '(' : '{'); }

static void close_bracket(Writer *w, Value v) {
    if (v.tag == V_LIST && count_of(v) == 1) buffer_char(w->out, ',');
    buffer_char(w->out, v.tag == V_LIST ? ')' : '}');
    size_t edge = (size_t)w->options->edge;
    if (next_shown(w, count_of(v), edge - 1) == edge) return;
    char text[40];
    snprintf(text, sizeof text, "%zu", count_of(v));
    writer_note(w, "length ", text);
}

/* All on one line; false as soon as it does not fit. */
static bool write_on_one_line(Writer *w, Value v, int depth) {
    open_bracket(w, v);
    for (size_t i = 0, next, count = count_of(v); i < count; i = next) {
        write_key(w, v, i);
        if (!write_item(w, item_of(v, i), depth + 1) || overflows(w)) return false;
        next = next_shown(w, count, i);
        if (next < count) buffer_text(w->out, next > i + 1 ? ", ..., " : ", ");
    }
    close_bracket(w, v);
    return !overflows(w);
}

/* Tries the item on what is left of this line; takes it back if it does not fit. */
static bool write_flat(Writer *w, Value v, int depth) {
    size_t start = w->out->bytes, line = w->line, notes = w->notes.bytes;
    bool was_flat = w->flat;
    w->flat = true;
    bool fits = write_item(w, v, depth);
    w->flat = was_flat;
    if (fits) return true;
    w->out->bytes = start;
    w->line = line;
    w->notes.bytes = notes;
    return false;
}

static bool is_short(Value v) { return !is_container(v) && !axes_of(v); }

/* May item i + 1 stand behind item i? Short items of a list share lines while they fit; whatever is
 * larger, and every field, gets its own. */
static bool shares_line(Writer *w, Value v, size_t i) {
    if (v.tag != V_LIST || !is_short(item_of(v, i)) || !is_short(item_of(v, i + 1))) return false;
    Buffer item = { 0 };
    write_value(&item, item_of(v, i + 1), w->options, w->spec);
    return writer_column(w) + 2 + (int64_t)text_width(item.text, item.bytes) <= w->options->width;
}

static void write_on_lines(Writer *w, Value v, int depth) {
    int64_t indent = writer_column(w) + 1;
    open_bracket(w, v);
    for (size_t i = 0, next, count = count_of(v); i < count; i = next) {
        write_key(w, v, i);
        write_item(w, item_of(v, i), depth + 1);
        next = next_shown(w, count, i);
        if (next == count) break;
        buffer_char(w->out, ',');
        if (next > i + 1) {
            writer_new_line(w, indent);
            buffer_text(w->out, "...,");
        }
        if (next == i + 1 && shares_line(w, v, i)) buffer_char(w->out, ' ');
        else writer_new_line(w, indent);
    }
    close_bracket(w, v);
}

static bool write_container(Writer *w, Value v, int depth) {
    if (depth >= MAX_DEPTH) {
        buffer_text(w->out, "...");
        return true;
    }
    if (w->flat) return write_on_one_line(w, v, depth);
    if (!write_flat(w, v, depth)) write_on_lines(w, v, depth);
    return true;
}

static bool write_array_item(Writer *w, const Array *a) {
    if (!a->axes) writer_f32(w, a);
    else if (w->flat && a->size && array_rows(a) > 1) return false;
    else writer_array(w, a);
    return true;
}

/* false only when flat, and the item needs more than this line. */
static bool write_item(Writer *w, Value v, int depth) {
    check_stack();
    switch ((Tag)v.tag) {
    case V_NUM:      writer_number(w, v.as.num); break;
    case V_BOOL:     writer_bool(w, v.as.truth); break;
    case V_NIL:      buffer_text(w->out, "nil"); break;
    case V_ARRAY:    return write_array_item(w, v.as.array);
    case V_STRING:   text_quote(w->out, v.as.string->text, v.as.string->bytes); break;
    case V_LIST:     return write_container(w, v, depth);
    case V_STRUCT:   if (!v.as.record->module) return write_container(w, v, depth);
                     write_module(w, v.as.record); break;
    case V_FUNCTION: write_function(w, v.as.function); break;
    case V_HANDLE:   write_handle(w, v.as.handle); break;
    case V_UNSET:
    case V_CELL:
    case V_SCRATCH:
    case V_DEFERRED:
        buffer_text(w->out, "<unset>");
        break;
    }
    return true;
}

/* ---- the way in ---- */

/* Where the line starts that the value continues. What stands far to the right starts afresh, so
 * that a long line costs nothing to look through. */
static size_t line_start(const Buffer *b, int width) {
    size_t near = (size_t)width * 4;
    size_t from = b->bytes > near ? b->bytes - near : 0;
    const char *newline = b->bytes ? memrchr(b->text + from, '\n', b->bytes - from) : NULL;
    return newline ? (size_t)(newline + 1 - b->text) : from ? b->bytes : 0;
}

static void write_value(Buffer *b, Value v, const FormatOptions *options, const Spec *spec) {
    Writer w = { b, .options = options ? options : &format_options, .spec = spec };
    if (!is_short(v)) w.line = line_start(b, w.options->width);
    write_item(&w, v, 0);
    flush_notes(&w);
}

void format_literal(Buffer *b, Value v, const FormatOptions *options) {
    write_value(b, v, options, NULL);
}

void format_value(Buffer *b, Value v, const FormatOptions *options) {
    if (v.tag == V_STRING) buffer_add(b, v.as.string->text, v.as.string->bytes);
    else write_value(b, v, options, NULL);
}

void format_piece(Buffer *b, Value v, const char *text, size_t bytes) {
    if (!text || !bytes) {
        format_value(b, v, NULL);
        return;
    }
    Spec spec = spec_read(text, bytes);
    if (v.tag == V_STRING) spec_add_string(b, v.as.string->text, v.as.string->bytes, &spec);
    else if (is_numeric(v) || spec_is_numeric(&spec)) write_value(b, v, NULL, &spec);
    else {
        Buffer whole = { 0 };
        format_value(&whole, v, NULL);
        spec_add_string(b, whole.text, whole.bytes, &spec);
    }
}
