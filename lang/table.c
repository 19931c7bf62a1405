/* Laying out tables. See table.h. */
#include "table.h"
#include "format.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- short texts ---- */

static const char *pooled(const Buffer *b) {
    return b->bytes ? buffer_string(b).as.string->text : "";
}

const char *short_text(const char *text, int columns) {
    size_t bytes = strlen(text), at = 0;
    if ((int)text_width(text, bytes) <= columns) return text;
    int used = 0;
    while (at < bytes) {
        size_t next = text_next(text, bytes, at);
        int width = (int)text_width(text + at, next - at);
        if (used + width > columns - 1) break;
        used += width;
        at = next;
    }
    Buffer b = { 0 };
    buffer_add(&b, text, at);
    buffer_text(&b, "…");
    return pooled(&b);
}

const char *short_number(double x, int digits) {
    char text[NUMBER_TEXT], rounded[NUMBER_TEXT];
    snprintf(rounded, sizeof rounded, "%.*g", digits, x);
    format_number(text, isfinite(x) ? strtod(rounded, NULL) : x);
    return string_of(text).as.string->text;
}

const char *short_bytes(double bytes) {
    static const char *const units[] = { "B", "kB", "MB", "GB", "TB" };
    int unit = 0;
    while (bytes >= 1000 && unit < 4) bytes /= 1000, unit++;
    char text[40];
    snprintf(text, sizeof text, unit && bytes < 9.95 ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
    return string_of(text).as.string->text;
}

const char *short_shape(Value v) {
    char text[200];
    if (!is_numeric(v)) return "–";
    Shape shape = value_shape(v);
    shape_text(shape.axes, shape.dim, text, sizeof text);
    return string_of(text).as.string->text;
}

/* The elements of one axis, in brackets, until the line is full. */
typedef struct Line { Buffer *b; const Array *array; int columns; int64_t flat; bool full; } Line;

static void add_axis(Line *line, int axis) {
    const Array *a = line->array;
    if (axis == a->axes) {
        double x = array_get(a, line->flat++);
        buffer_text(line->b, a->dtype == BOOL ? (x ? "true" : "false") : short_number(x, 6));
        return;
    }
    buffer_char(line->b, '[');
    for (int64_t i = 0; i < shape_of(a)[axis] && !line->full; i++) {
        if (i) buffer_text(line->b, ", ");
        line->full = (int)text_width(line->b->text, line->b->bytes) > line->columns;
        if (!line->full) add_axis(line, axis + 1);
    }
    if (!line->full) buffer_char(line->b, ']');
}

const char *short_value(Value v, int columns) {
    if (v.tag == V_UNSET) return "–";
    if (v.tag == V_NUM) return short_number(v.as.num, 6);
    Buffer b = { 0 };
    if (v.tag == V_ARRAY) {
        Line line = { &b, v.as.array, columns, 0, false };
        if (v.as.array->size == 0) {
            buffer_text(&b, "nothing: ");
            buffer_text(&b, short_shape(v));
        } else add_axis(&line, 0);
    } else if (v.tag == V_LIST) {
        buffer_char(&b, '(');
        for (size_t i = 0; i < v.as.list->count; i++) {
            if (i) buffer_text(&b, ", ");
            buffer_text(&b, short_value(v.as.list->item[i], columns));
        }
        buffer_char(&b, ')');
    } else format_literal(&b, v, NULL);
    return short_text(pooled(&b), columns);
}

/* ---- the table ---- */

typedef struct TableCell { const char *text; uint8_t style; bool across; } TableCell;
enum { MAX_COLUMNS = 16 };
struct Table {
    int columns;
    TableColumn column[MAX_COLUMNS];
    TableCell *cell;
    size_t cells, capacity;
    int next;               /* the column of the next cell */
};

Table *table_new(int columns, const TableColumn *column) {
    Table *t = pool_bytes(sizeof *t);
    memset(t, 0, sizeof *t);
    t->columns = columns;
    memcpy(t->column, column, (size_t)columns * sizeof *column);
    return t;
}

static void add_cell(Table *t, TableCell cell) {
    if (t->cells == t->capacity) {
        TableCell *old = t->cell;
        t->capacity = t->capacity ? 2 * t->capacity : 64;
        t->cell = pool_bytes(t->capacity * sizeof *old);
        if (t->cells) memcpy(t->cell, old, t->cells * sizeof *old);
    }
    cell.text = *cell.text ? string_of(cell.text).as.string->text : "";
    t->cell[t->cells++] = cell;
}

void table_cell(Table *t, Style style, const char *text) {
    add_cell(t, (TableCell){ text, (uint8_t)style, false });
    t->next = (t->next + 1) % t->columns;
}

void table_line(Table *t, Style style, const char *text) {
    while (t->next) table_cell(t, STYLE_PLAIN, "");
    add_cell(t, (TableCell){ text, (uint8_t)style, true });
}

/* ---- widths ---- */
typedef struct Layout { int width[MAX_COLUMNS]; bool shown[MAX_COLUMNS]; } Layout;
enum { GAP = 2 };

static int width_of(const char *text) { return (int)text_width(text, strlen(text)); }

static void natural_widths(const Table *t, Layout *l) {
    bool used[MAX_COLUMNS] = { false };
    for (int i = 0; i < t->columns; i++) l->width[i] = width_of(t->column[i].title);
    int at = 0;
    for (size_t k = 0; k < t->cells; k++) {
        if (t->cell[k].across) continue;
        int width = width_of(t->cell[k].text);
        used[at] |= width > 0;
        if (width > l->width[at]) l->width[at] = width;
        at = (at + 1) % t->columns;
    }
    for (int i = 0; i < t->columns; i++) l->shown[i] = used[i];     /* an empty column is none */
}

static int total(const Table *t, const Layout *l, bool least) {
    int sum = -GAP;
    for (int i = 0; i < t->columns; i++) {
        if (!l->shown[i]) continue;
        int narrow = t->column[i].least, title = width_of(t->column[i].title);
        if (narrow < title) narrow = title;
        sum += GAP + (least && narrow < l->width[i] ? narrow : l->width[i]);
    }
    return sum;
}

static int widest_above_least(const Table *t, const Layout *l) {
    int best = -1, spare = 0;
    for (int i = 0; i < t->columns; i++) {
        int narrow = t->column[i].least, title = width_of(t->column[i].title);
        if (narrow < title) narrow = title;
        if (l->shown[i] && l->width[i] > narrow && l->width[i] > spare)
            best = i, spare = l->width[i];
    }
    return best;
}

static void fit(const Table *t, Layout *l, int columns) {
    while (total(t, l, true) > columns) {
        int least = -1;
        for (int i = 0; i < t->columns; i++)
            if (l->shown[i] && (least < 0 || t->column[i].rank < t->column[least].rank)) least = i;
        int left = 0;
        for (int i = 0; i < t->columns; i++) left += l->shown[i];
        if (left <= 1) break;
        l->shown[least] = false;
    }
    while (total(t, l, false) > columns) {
        int at = widest_above_least(t, l);
        if (at < 0) return;
        l->width[at]--;
    }
}

static void add_padded(Buffer *b, const char *text, int width, bool right, Style style, bool last) {
    text = short_text(text, width);
    int blanks = width - width_of(text);
    if (right) buffer_spaces(b, blanks);
    if (*text) style_text(b, style, text, -1);
    if (!right && !last) buffer_spaces(b, blanks);
}

static void trim_blanks(Buffer *b) {
    while (b->bytes && b->text[b->bytes - 1] == ' ') b->bytes--;
}

static void add_row(Buffer *b, const Table *t, const Layout *l, const TableCell *cell) {
    bool first = true;
    for (int i = 0; i < t->columns; i++) {
        if (!l->shown[i]) continue;
        if (!first) buffer_spaces(b, GAP);
        first = false;
        const char *text = cell ? cell[i].text : t->column[i].title;
        add_padded(b, text, l->width[i], t->column[i].right,
                   cell ? (Style)cell[i].style : STYLE_TITLE, false);
    }
    trim_blanks(b);
    buffer_char(b, '\n');
}

void table_add(Buffer *b, const Table *t, int columns) {
    Layout l = { 0 };
    natural_widths(t, &l);
    fit(t, &l, columns);
    add_row(b, t, &l, NULL);
    for (size_t k = 0; k < t->cells;) {
        if (t->cell[k].across) {
            style_text(b, (Style)t->cell[k].style, short_text(t->cell[k].text, columns), -1);
            buffer_char(b, '\n');
            k++;
        } else {
            if (k + (size_t)t->columns > t->cells) break;
            add_row(b, t, &l, &t->cell[k]);
            k += (size_t)t->columns;
        }
    }
}
