/* Values on the screen. The one idea: a value is shown as wide and as high as the screen is; one
 * that is higher is shortened at its edges until it fits, and then says its shape.
 *
 * What carries a gradient slot or stands on the tape says so behind it, quietly, as a comment: what
 * is shown can still be pasted back. */
#include "repl_parts.h"
#include "format.h"
#include "screen.h"
#include "io.h"
#include "report.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { HEAD_COLUMNS = 11, NARROW = 40 };

void say_entry(const char *head, const char *format, ...) {
    char text[400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    Buffer page = { 0 };
    bool narrow = format_options.width < NARROW;
    int indent = narrow ? 2 : HEAD_COLUMNS;
    wrap_text(&page, text, indent, format_options.width);
    if (narrow) say("%s%s", head, *head ? "\n" : "");
    else memcpy(page.text, head, strlen(head));
    io_write(page.text, page.bytes);
}

void add_comment(Buffer *b, const char *text, int columns) {
    Buffer lines = { 0 };
    wrap_text(&lines, text, 0, columns - 2);
    buffer_text(b, QUIET);
    buffer_text(b, "# ");
    for (size_t i = 0; i + 1 < lines.bytes; i++) {
        buffer_char(b, lines.text[i]);
        if (lines.text[i] == '\n') buffer_text(b, "# ");
    }
    buffer_text(b, PLAIN_TEXT);
}

void complain(const char *format, ...) {
    Error error = { .kind = E_VALUE };
    va_list args;
    va_start(args, format);
    vsnprintf(error.message, sizeof error.message, format, args);
    va_end(args);
    snprintf(error.hint, sizeof error.hint, "%s", rt.pending.hint);
    error_forget();
    report_error(&error);
}

/* ---- the tape ---- */

enum { LOOKED_AT = 10000 };
typedef struct Marks { bool leaf, recorded; int left; } Marks;

static void look(Value v, Marks *marks, int depth) {
    if (marks->left-- <= 0 || depth > 50) return;
    if (v.node) *(is_leaf(v) ? &marks->leaf : &marks->recorded) = true;
    if (v.tag == V_LIST)
        for (size_t i = 0; i < v.as.list->count; i++) look(v.as.list->item[i], marks, depth + 1);
    if (v.tag == V_STRUCT)
        for (size_t i = 0; i < v.as.record->count; i++)
            look(v.as.record->field[i].value, marks, depth + 1);
}

const char *tape_note(Value v) {
    Marks marks = { .left = LOOKED_AT };
    look(v, &marks, 0);
    bool one = v.tag != V_LIST && v.tag != V_STRUCT;
    if (marks.leaf && marks.recorded) return "gradient slots, and values on the tape";
    if (marks.leaf) return one ? "gradient slot" : "gradient slots";
    return marks.recorded ? "on the tape" : "";
}

/* ---- fitting ---- */

static int lines_of(const Buffer *b) {
    int lines = 1;
    for (size_t i = 0; i < b->bytes; i++) lines += b->text[i] == '\n';
    return lines;
}

/* The beginning and the end of a text that would fill the screen more than once. */
static void fit_text(Buffer *b, const String *s, int64_t room) {
    size_t half = (size_t)(room / 3), from = s->bytes - half, to = 0;
    for (size_t next; (next = text_next(s->text, s->bytes, to)) <= half;) to = next;
    while (from < s->bytes && ((unsigned char)s->text[from] & 0xC0) == 0x80) from++;
    text_quote(b, s->text, to);
    buffer_text(b, " ... ");
    text_quote(b, s->text + from, s->bytes - from);
    buffer_format(b, "  # length %zu", text_length(s->text, s->bytes));
}

/* Fewer and fewer items at the edges, until the lines fit. */
static void fit(Buffer *b, Value v, int columns, int rows) {
    FormatOptions options = format_options;
    int most = rows - 2 < 3 ? 3 : rows - 2;
    options.width = columns;
    if (v.tag == V_STRING && (int64_t)v.as.string->bytes > (int64_t)most * columns) {
        fit_text(b, v.as.string, (int64_t)most * columns);
        return;
    }
    format_literal(b, v, &options);
    if (v.tag != V_ARRAY && v.tag != V_LIST && v.tag != V_STRUCT) return;
    options.threshold = 0;
    for (options.edge = (most - 1) / 2; lines_of(b) > most && options.edge > 0;
         options.edge -= 1 + options.edge / 8) {
        b->bytes = 0;
        format_literal(b, v, &options);
    }
}

static size_t last_line(const Buffer *b) {
    size_t start = b->bytes;
    while (start && b->text[start - 1] != '\n') start--;
    return start;
}

/* Behind the value, or below it where that would be too wide. */
static void add_note(Buffer *b, const char *text, int columns) {
    if (!*text) return;
    size_t start = last_line(b);
    int width = (int)text_width(b->text + start, b->bytes - start) + (int)strlen(text) + 4;
    buffer_text(b, width > columns ? "\n" : "  ");
    add_comment(b, text, width > columns ? columns : width);
}

static void show_on(Value v, int columns, int rows) {
    Buffer b = { 0 };
    fit(&b, v, columns, rows);
    add_note(&b, tape_note(v), columns);
    buffer_char(&b, '\n');
    io_write(b.text, b.bytes);
}

void show_value(Value v) {
    int columns = format_options.width, rows = 1 << 20, wide;
    if (isatty(STDOUT_FILENO)) screen_size(&wide, &rows);
    library_put(SYMBOL("ans"), v);
    show_on(v, columns, rows);
}

void value_in_a_line(Buffer *b, Value v, int columns) {
    FormatOptions options = { .width = 1 << 20, .digits = 4, .threshold = 6, .edge = 2 };
    Buffer text = { 0 };
    bool space = false;
    format_literal(&text, v, &options);
    size_t start = b->bytes, cut = b->bytes;
    for (size_t at = 0, next; at < text.bytes; at = next) {
        next = text_next(text.text, text.bytes, at);
        char c = text.text[at];
        if (space && (c == ' ' || c == '\n')) continue;
        space = c == ' ' || c == '\n';
        buffer_add(b, space ? " " : text.text + at, next - at);
        int width = (int)text_width(b->text + start, b->bytes - start);
        if (width <= columns - 3) cut = b->bytes;
        if (width > columns) {
            b->bytes = cut;
            buffer_text(b, "...");
            return;
        }
    }
}
