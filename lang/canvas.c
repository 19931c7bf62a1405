/* Pictures made of characters. The one idea: a grid of cells, each of 2 by 4 dots that one braille
 * character shows; where the locale has no UTF-8, a letter that looks like the dots. Texts are
 * written over the cells.
 *
 * It draws what it is told, in dots; scales, axes and ticks are stdlib/plot.adl's. */
#include "canvas.h"
#include "builtins.h"
#include "text.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <utf8proc.h>

int canvas_colour = -1;

enum { MOST = 1000, DOTS_X = 2, DOTS_Y = 4, PLAIN_COLOUR = 0, SHADES = 10 };

typedef struct Letter {
    uint8_t dots, colour, shade;
    int32_t letter;
} Letter; /* shade: 1 + its number; letter: of a text */
typedef struct Canvas { int columns, rows; Letter *cell; bool unicode, colour; } Canvas;

/* ---- the terminal ---- */

static bool has_utf8(void) {
    static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
    for (int i = 0; i < 3; i++) {
        const char *value = getenv(names[i]);
        if (value && *value)
            return strstr(value, "UTF-8") || strstr(value, "utf8") || strstr(value, "UTF8") ||
                   strstr(value, "utf-8");
    }
    return false;
}

static bool has_colour(void) {
    if (canvas_colour >= 0) return canvas_colour;
    const char *term = getenv("TERM"), *none = getenv("NO_COLOR");
    return isatty(STDOUT_FILENO) && !(none && *none) && term && *term && strcmp(term, "dumb");
}

Value builtin_terminal(int count, const Value *arg) {
    (void)count, (void)arg;
    struct winsize size = { 0 };
    bool shows =
        isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col;
    Value made = struct_new(5);
    struct_put(made, SYMBOL("columns"), number(shows ? size.ws_col : 80));
    struct_put(made, SYMBOL("rows"), number(shows ? size.ws_row : 24));
    struct_put(made, SYMBOL("shows"), boolean(shows));
    struct_put(made, SYMBOL("unicode"), boolean(has_utf8()));
    struct_put(made, SYMBOL("colour"), boolean(has_colour()));
    return made;
}

/* ---- dots ---- */

static Letter *cell_at(Canvas *c, int column, int row) {
    bool inside = column >= 0 && row >= 0 && column < c->columns && row < c->rows;
    return inside ? &c->cell[row * c->columns + column] : NULL;
}

static void put_dot(Canvas *c, int x, int y, int colour) {
    static const uint8_t bits[DOTS_Y][DOTS_X] = { { 1, 8 }, { 2, 16 }, { 4, 32 }, { 64, 128 } };
    Letter *cell = x < 0 || y < 0 ? NULL : cell_at(c, x / DOTS_X, y / DOTS_Y);
    if (!cell) return;
    cell->dots |= bits[y % DOTS_Y][x % DOTS_X];
    cell->colour = (uint8_t)colour;
}

static int rounded(double v) { return (int)fmax(-1e6, fmin(1e6, floor(v + 0.5))); }

/* From one dot to another in as many steps as the longer way has. */
static void put_line(Canvas *c, double x0, double y0, double x1, double y1, int colour) {
    double limit = 4.0 * MOST, longest = fmax(fabs(x1 - x0), fabs(y1 - y0));
    if (!(longest < 1e9)) return;
    int steps = (int)fmin(ceil(longest), 64 * limit);
    for (int i = 0; i <= steps; i++) {
        double t = steps ? (double)i / steps : 0;
        put_dot(c, rounded(x0 + t * (x1 - x0)), rounded(y0 + t * (y1 - y0)), colour);
    }
}

static void put_rectangle(Canvas *c, double x0, double y0, double x1, double y1, int colour) {
    int left = rounded(fmin(x0, x1)), right = rounded(fmax(x0, x1)), top = rounded(fmin(y0, y1)),
        bottom = rounded(fmax(y0, y1));
    for (int y = top < 0 ? 0 : top; y <= bottom && y < DOTS_Y * c->rows; y++)
        for (int x = left < 0 ? 0 : left; x <= right && x < DOTS_X * c->columns; x++)
            put_dot(c, x, y, colour);
}

/* ---- shapes ---- */

static Value field(Value shape, String *name, Value otherwise) {
    Value *v = struct_find(shape, name);
    return v ? *v : otherwise;
}

static Array *numbers_of(Value shape, String *name) {
    return arg_array(field(shape, name, NIL), name->text);
}

static void draw_points(Canvas *c, Value shape, const char *kind, int colour) {
    Array *x = numbers_of(shape, SYMBOL("x")), *y = numbers_of(shape, SYMBOL("y"));
    int64_t n = x->size < y->size ? x->size : y->size;
    bool line = !strcmp(kind, "line"), fill = !strcmp(kind, "fill");
    for (int64_t i = 0; i < n; i++) {
        double px = array_get(x, i), py = array_get(y, i);
        if (!isfinite(px) || !isfinite(py)) continue;
        bool before = i > 0 && isfinite(array_get(x, i - 1)) && isfinite(array_get(y, i - 1));
        if (line && before) put_line(c, array_get(x, i - 1), array_get(y, i - 1), px, py, colour);
        else if (fill && i % 2)
            put_rectangle(c, array_get(x, i - 1), array_get(y, i - 1), px, py, colour);
        else if (!fill) put_dot(c, rounded(px), rounded(py), colour);
    }
}

/* A matrix of numbers from 0 to 1, one cell each; `x` and `y` are the cell of the first. */
static void draw_shades(Canvas *c, Value shape) {
    Array *values = numbers_of(shape, SYMBOL("values"));
    if (values->axes != 2) {
        char have[200];
        shape_text(values->axes, shape_of(values), have, sizeof have);
        fail(E_SHAPE, "the values of cells are a matrix, not of shape %s", have);
    }
    int left = (int)arg_int(field(shape, SYMBOL("x"), number(0)), "x"),
        top = (int)arg_int(field(shape, SYMBOL("y"), number(0)), "y");
    int64_t rows = shape_of(values)[0], columns = shape_of(values)[1];
    for (int64_t i = 0; i < rows && i < MOST; i++)
        for (int64_t j = 0; j < columns && j < MOST; j++) {
            double v = array_get(values, i * columns + j);
            Letter *cell = cell_at(c, left + (int)j, top + (int)i);
            if (cell && v == v)
                cell->shade = (uint8_t)(1 + (int)fmin(fmax(v, 0) * SHADES, SHADES - 1));
        }
}

static void draw_shape(Canvas *c, Value shape) {
    char text[80];
    if (shape.tag != V_STRUCT)
        fail(E_TYPE, "a shape is a struct, not %s", describe(shape, text, sizeof text));
    Value kind = field(shape, SYMBOL("kind"), NIL);
    int colour = (int)arg_int(field(shape, SYMBOL("colour"), number(0)), "colour");
    const char *name = kind.tag == V_STRING ? kind.as.string->text : "";
    if (!strcmp(name, "cells")) draw_shades(c, shape);
    else if (!strcmp(name, "line") || !strcmp(name, "dots") || !strcmp(name, "fill"))
        draw_points(c, shape, name, colour);
    else fail(E_VALUE, "the kind of a shape is \"line\", \"dots\", \"fill\" or \"cells\"");
}

/* (column, row, text) or (column, row, text, colour). */
static void draw_label(Canvas *c, Value label) {
    const List *l = label.tag == V_LIST ? label.as.list : NULL;
    if (!l || l->count < 3 || l->item[2].tag != V_STRING)
        fail(E_VALUE, "a label is (column, row, text)");
    int column = (int)arg_int(l->item[0], "column"), row = (int)arg_int(l->item[1], "row");
    int colour = l->count > 3 ? (int)arg_int(l->item[3], "colour") : 0;
    const char *text = l->item[2].as.string->text, *end = text + l->item[2].as.string->bytes;
    while (text < end) {
        utf8proc_int32_t code;
        utf8proc_ssize_t bytes =
            utf8proc_iterate((const utf8proc_uint8_t *)text, end - text, &code);
        if (bytes <= 0) return;
        Letter *cell = cell_at(c, column++, row);
        if (cell) *cell = (Letter){ .letter = code, .colour = (uint8_t)colour };
        text += bytes;
    }
}

/* ---- out ---- */

static void put_character(Buffer *b, uint32_t code) {
    if (code < 0x80) buffer_char(b, (char)code);
    else if (code < 0x800)
        buffer_format(b, "%c%c", (int)(0xC0 | code >> 6), (int)(0x80 | (code & 63)));
    else if (code < 0x10000)
        buffer_format(b, "%c%c%c", (int)(0xE0 | code >> 12), (int)(0x80 | (code >> 6 & 63)),
                      (int)(0x80 | (code & 63)));
    else
        buffer_format(b, "%c%c%c%c", (int)(0xF0 | code >> 18), (int)(0x80 | (code >> 12 & 63)),
                      (int)(0x80 | (code >> 6 & 63)), (int)(0x80 | (code & 63)));
}

/* The letter that looks most like the dots. */
static char ascii_of(uint8_t dots) {
    enum { UPPER = 1 | 2 | 8 | 16 };
    int count = __builtin_popcount(dots);
    if (!count) return ' ';
    if (count >= 6) return '#';
    return !(dots & ~UPPER) ? '\'' : !(dots & UPPER) ? '.' : ':';
}

static uint32_t character_of(const Canvas *c, const Letter *cell) {
    static const uint32_t blocks[SHADES] = { ' ',    0x2591, 0x2591, 0x2591, 0x2592,
                                             0x2592, 0x2592, 0x2593, 0x2593, 0x2588 };
    static const char letters[] = " .:-=+*%@#";
    if (cell->letter) return (uint32_t)cell->letter;
    if (cell->shade)
        return c->colour    ? ' '
               : c->unicode ? blocks[cell->shade - 1]
                            : (uint32_t)letters[cell->shade - 1];
    if (!c->unicode) return (uint32_t)ascii_of(cell->dots);
    return cell->dots ? 0x2800u + cell->dots : ' ';
}

/* The escape code of a cell: the colours of series, or of a shade from dark violet to yellow. */
static int paint_of(const Letter *cell) {
    static const uint8_t series[] = { 0, 33, 208, 36, 170, 214, 45, 226, 250 };
    static const uint8_t shades[SHADES] = { 53, 54, 60, 24, 30, 35, 71, 113, 184, 226 };
    if (cell->shade) return 1000 + shades[cell->shade - 1];
    return cell->colour ? series[1 + (cell->colour - 1) % 8] : PLAIN_COLOUR;
}

static void put_row(Buffer *b, const Canvas *c, int row) {
    int last = c->columns, now = PLAIN_COLOUR;
    const Letter *cells = &c->cell[row * c->columns];
    while (last && character_of(c, &cells[last - 1]) == ' ' &&
           !(c->colour && cells[last - 1].shade))
        last--;
    for (int i = 0; i < last; i++) {
        int paint = c->colour ? paint_of(&cells[i]) : PLAIN_COLOUR;
        if (paint != now)
            buffer_format(b,
                          paint == PLAIN_COLOUR ? "\033[0m"
                          : paint >= 1000       ? "\033[0;48;5;%dm"
                                                : "\033[0;38;5;%dm",
                          paint % 1000);
        now = paint;
        put_character(b, character_of(c, &cells[i]));
    }
    if (now != PLAIN_COLOUR) buffer_text(b, "\033[0m");
}

static int size_argument(Value v, const char *what) {
    int64_t n = arg_int(v, what);
    if (n < 1 || n > MOST)
        fail(E_VALUE, "%s of a canvas must be from 1 to %d, not %lld", what, MOST, (long long)n);
    return (int)n;
}

static bool is_given(Value v) { return v.tag != V_UNSET && v.tag != V_NIL; }

static const List *list_argument(Value v, const char *what) {
    char text[80];
    static const List none = { 0 };
    if (!is_given(v)) return &none;
    if (v.tag != V_LIST)
        fail(E_TYPE, "%s of a canvas is a list, not %s", what, describe(v, text, sizeof text));
    return v.as.list;
}

Value builtin_canvas(int count, const Value *arg) {
    (void)count;
    Canvas c = { .columns = size_argument(arg[0], "columns"),
                 .rows = size_argument(arg[1], "rows") };
    const List *shapes = list_argument(arg[2], "shapes"), *labels = list_argument(arg[3], "labels");
    c.unicode = is_given(arg[4]) ? arg_bool(arg[4], "unicode") : has_utf8();
    c.colour = is_given(arg[5]) ? arg_bool(arg[5], "colour") : has_colour();
    c.cell = pool_bytes((size_t)c.columns * (size_t)c.rows * sizeof(Letter));
    memset(c.cell, 0, (size_t)c.columns * (size_t)c.rows * sizeof(Letter));
    for (size_t i = 0; i < shapes->count; i++) draw_shape(&c, shapes->item[i]);
    for (size_t i = 0; i < labels->count; i++) draw_label(&c, labels->item[i]);
    Buffer b = { 0 };
    for (int row = 0; row < c.rows; row++) {
        if (row) buffer_char(&b, '\n');
        put_row(&b, &c, row);
    }
    return buffer_string(&b);
}
