/* Tables that fit the screen. The one idea: a column says how narrow it may become and how much it
 * matters; too wide a table first shortens what is long, then leaves out what matters least.
 *
 *     Table *t = table_new(2, (const TableColumn[]){ { "step", 4, 9, true }, { "value", 8, 5 } });
 *     table_cell(t, STYLE_PLAIN, "1");
 *     table_cell(t, STYLE_VALUE, "[1, 2]");
 *     table_line(t, STYLE_DIM, "  a line across all columns");
 *     table_add(&buffer, t, screen_columns());
 *
 * Tables live in the pool. */
#ifndef TABLE_H
#define TABLE_H
#include "screen.h"

typedef struct TableColumn {
    const char *title;
    int least;          /* columns of the screen it needs at least, its title not counted */
    int rank;           /* of those that do not fit, the lowest rank goes first */
    bool right;         /* numbers stand at the right */
} TableColumn;

typedef struct Table Table;
Table *table_new(int columns, const TableColumn *column);
/* The next cell of the row, left to right; the text is copied. */
void table_cell(Table *t, Style style, const char *text);
/* A line across all columns, between rows; cut if it is too long. */
void table_line(Table *t, Style style, const char *text);
void table_add(Buffer *b, const Table *t, int columns);

/* ---- what stands in cells ---- */
/* A value on one line of at most `columns`: numbers with 6 significant digits, long arrays with
 * "…". UNSET is "–": lost or not there yet. */
const char *short_value(Value v, int columns);
/* A number with at most `digits` significant digits, as short as it goes. */
const char *short_number(double x, int digits);
/* "[2, 3]"; "[]" for a number. */
const char *short_shape(Value v);
/* The text cut to so many columns, with "…" at its end if something is missing. */
const char *short_text(const char *text, int columns);
/* "40 B", "1.2 kB", "3.4 MB". */
const char *short_bytes(double bytes);
#endif
