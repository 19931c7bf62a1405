/* CSV. The one idea: a table is read by walking its text twice, first to see how many rows there
 * are and which columns hold only numbers, then to fill arrays of the right size.
 *
 * Cells are as in RFC 4180: "quoted, with ""quotes"" and line breaks" or bare. Blank lines do not
 * count. */
#include "format.h"
#include "io.h"
#include <math.h>
#include <string.h>

/* ---- walking ---- */

typedef struct Reader {
    const char *text, *name;
    size_t bytes, at;
    char separator;
    size_t line;              /* of the current row, from 1 */
} Reader;

/* A cell of the text, without its quotes. */
typedef struct Piece { size_t start, stop; bool quoted, ends_row; } Piece;

static bool at_line_end(const Reader *r) {
    return r->at == r->bytes || r->text[r->at] == '\n' || r->text[r->at] == '\r';
}

static void skip_line_end(Reader *r) {
    if (r->at < r->bytes && r->text[r->at] == '\r') r->at++;
    if (r->at < r->bytes && r->text[r->at] == '\n') r->at++;
    r->line++;
}

/* To the next row that is not blank; false at the end. */
static bool next_row(Reader *r) {
    while (r->at < r->bytes && at_line_end(r)) skip_line_end(r);
    return r->at < r->bytes;
}

static Piece quoted_cell(Reader *r) {
    size_t opened = r->line;
    Piece cell = { .start = ++r->at, .quoted = true };
    for (;; r->at++) {
        if (r->at == r->bytes)
            fail(E_VALUE, "%s: the quote opened in line %zu is not closed", r->name, opened);
        if (r->text[r->at] == '\n') r->line++;
        if (r->text[r->at] != '"') continue;
        if (r->at + 1 == r->bytes || r->text[r->at + 1] != '"') break;
        r->at++;
    }
    cell.stop = r->at++;
    return cell;
}

static Piece bare_cell(Reader *r) {
    Piece cell = { .start = r->at };
    while (!at_line_end(r) && r->text[r->at] != r->separator) r->at++;
    cell.stop = r->at;
    return cell;
}

static Piece next_cell(Reader *r) {
    bool quoted = r->at < r->bytes && r->text[r->at] == '"';
    Piece cell = quoted ? quoted_cell(r) : bare_cell(r);
    cell.ends_row = at_line_end(r);
    if (cell.ends_row) skip_line_end(r);
    else if (r->text[r->at] == r->separator) r->at++;
    else fail(E_VALUE, "%s: line %zu has text behind a closing quote", r->name, r->line);
    return cell;
}

/* ---- cells ---- */

static bool cell_number(const Reader *r, Piece cell, double *x) {
    *x = NAN;
    if (cell.start == cell.stop) return true;
    return text_number(r->text + cell.start, cell.stop - cell.start, x);
}

static Value cell_string(const Reader *r, Piece cell) {
    Value raw = string_new(r->text + cell.start, cell.stop - cell.start);
    if (!cell.quoted) return raw;
    return string_replace(raw.as.string, string_of("\"\"").as.string, string_of("\"").as.string);
}

/* ---- reading ---- */

typedef struct Table {
    Reader start;             /* at the first row of the body */
    size_t rows, columns;
    bool header, *numeric;    /* numeric[c]: are all cells of column c numbers? */
} Table;

/* The cells of the first row: how many, and are all of them numbers? */
static size_t survey_first_row(Reader r, bool *numbers) {
    size_t columns = 0;
    *numbers = true;
    for (bool last = !next_row(&r); !last; columns++) {
        double x;
        Piece cell = next_cell(&r);
        *numbers = *numbers && cell_number(&r, cell, &x);
        last = cell.ends_row;
    }
    return columns;
}

static _Noreturn void ragged(const Reader *r, size_t line, size_t cells, size_t columns) {
    fail(E_VALUE, "%s: line %zu has %zu cells, and the first row has %zu", r->name, line, cells,
         columns);
}

/* Calls body(table, cell, row, column, env) for each cell of the body, and gives the number of
 * rows. */
typedef void Body(Table *t, const Reader *r, Piece cell, size_t row, size_t column, void *env);
static size_t each_cell(Table *t, Body *body, void *env) {
    Reader r = t->start;
    size_t row = 0;
    for (; next_row(&r); row++) {
        size_t column = 0, line = r.line;
        for (bool last = false; !last; column++) {
            Piece cell = next_cell(&r);
            if (column == t->columns) ragged(&r, line, column + 1, t->columns);
            body(t, &r, cell, row, column, env);
            last = cell.ends_row;
        }
        if (column < t->columns) ragged(&r, line, column, t->columns);
        poll();
    }
    return row;
}

static void survey_cell(Table *t, const Reader *r, Piece cell, size_t row, size_t column,
                        void *env) {
    double x;
    (void)row, (void)env;
    t->numeric[column] = t->numeric[column] && !cell.quoted && cell_number(r, cell, &x);
}

/* Into a matrix: env is its data. */
static void fill_matrix(Table *t, const Reader *r, Piece cell, size_t row, size_t column,
                        void *env) {
    cell_number(r, cell, (double *)env + row * t->columns + column);
}

/* Into columns: env is an array of arrays and lists. */
static void fill_column(Table *t, const Reader *r, Piece cell, size_t row, size_t column,
                        void *env) {
    Value *into = (Value *)env + column;
    size_t mark = pool_mark();
    if (t->numeric[column]) cell_number(r, cell, f64_of(into->as.array) + row);
    else list_set(*into, row, cell_string(r, cell));
    pool_unwind(mark);
}

static Value matrix_of(Table *t) {
    Array *a = array_new(F64, 2, (int64_t[]){ (int64_t)t->rows, (int64_t)t->columns });
    each_cell(t, fill_matrix, a->data);
    return object(a);
}

static Value *columns_of(Table *t) {
    Value *column = pool_bytes(t->columns * sizeof *column + 1);
    int64_t rows = (int64_t)t->rows;
    for (size_t c = 0; c < t->columns; c++)
        column[c] = t->numeric[c] ? object(array_new(F64, 1, &rows)) : list_new(t->rows);
    each_cell(t, fill_column, column);
    return column;
}

/* The columns under the names of the row at `names`. */
static Value struct_of_columns(Table *t, Reader names) {
    Value *column = columns_of(t), record = struct_new(t->columns);
    next_row(&names);
    for (size_t c = 0; c < t->columns; c++) {
        String *name = cell_string(&names, next_cell(&names)).as.string;
        struct_put(record, symbol(name->text, name->bytes), column[c]);
    }
    return record;
}

static void skip_row(Reader *r) {
    next_row(r);
    while (r->at < r->bytes && !next_cell(r).ends_row) continue;
}

static bool all_numeric(const Table *t) {
    for (size_t c = 0; c < t->columns; c++)
        if (!t->numeric[c]) return false;
    return true;
}

Value csv_read(const char *text, size_t bytes, char separator, int header, const char *name) {
    Reader first = { text, name, bytes, 0, separator, 1 };
    if (bytes >= 3 && !memcmp(text, "\xEF\xBB\xBF", 3)) first.at = 3;   /* a byte order mark */
    bool numbers;
    Table t = { .start = first, .columns = survey_first_row(first, &numbers) };
    t.header = header < 0 ? !numbers : header;
    t.numeric = pool_bytes(t.columns + 1);
    memset(t.numeric, true, t.columns);
    if (t.header) skip_row(&t.start);
    t.rows = each_cell(&t, survey_cell, NULL);
    if (t.header) return struct_of_columns(&t, first);
    return all_numeric(&t) ? matrix_of(&t) : list_of(t.columns, columns_of(&t));
}

/* ---- writing ---- */

static void write_text(Buffer *b, const String *s, char separator) {
    const char special[] = { separator, '"', '\n', '\r', 0 };
    if (s->bytes && !s->text[strcspn(s->text, special)]) {
        double x;
        if (!text_number(s->text, s->bytes, &x)) {
            buffer_add(b, s->text, s->bytes);
            return;
        }
    }
    buffer_char(b, '"');
    for (size_t i = 0; i < s->bytes; i++) {
        if (s->text[i] == '"') buffer_char(b, '"');
        buffer_char(b, s->text[i]);
    }
    buffer_char(b, '"');
}

static void write_cell(Buffer *b, Value v, char separator) {
    char text[NUMBER_TEXT], got[100];
    if (v.tag == V_STRING) write_text(b, v.as.string, separator);
    else if (v.tag == V_BOOL) buffer_text(b, v.as.truth ? "true" : "false");
    else if (v.tag == V_NUM) buffer_add(b, text, (size_t)format_number(text, v.as.num));
    else if (v.tag != V_NIL)
        fail(E_TYPE, "a cell of a table cannot be %s", describe(v, got, sizeof got));
}

static Value element(const Array *a, int64_t flat) {
    double x = array_get(a, flat);
    return a->dtype == BOOL ? boolean(x != 0) : number(x);
}

static void end_cell(Buffer *b, bool last, char separator) {
    buffer_char(b, last ? '\n' : separator);
}

static void write_matrix(Buffer *b, Array *matrix, char separator) {
    Array *a = array_contiguous(matrix);
    int64_t columns = a->axes == 2 ? shape_of(a)[1] : 1;
    if (a->axes > 2) fail(E_SHAPE, "a table has one or two axes, not %d", a->axes);
    for (int64_t i = 0; i < a->size; i++) {
        write_cell(b, element(a, i), separator);
        end_cell(b, i % columns == columns - 1, separator);
        if (i % (1 << 16) == 0) poll();
    }
}

static size_t length_of(Value v) {
    char got[100];
    if (v.tag == V_LIST) return v.as.list->count;
    if (v.tag != V_ARRAY || v.as.array->axes != 1)
        fail(E_TYPE, "a row or column of a table is a list or a vector, not %s",
             describe(v, got, sizeof got));
    return (size_t)v.as.array->size;
}

static Value item(Value v, size_t i) {
    return v.tag == V_LIST ? v.as.list->item[i] : element(v.as.array, (int64_t)i);
}

static void write_columns(Buffer *b, const Struct *table, char separator) {
    size_t rows = table->count ? length_of(table->field[0].value) : 0;
    for (size_t c = 0; c < table->count; c++) {
        size_t length = length_of(table->field[c].value);
        if (length != rows)
            fail(E_SHAPE, "column \"%s\" has %zu cells, and the first column has %zu",
                 table->field[c].name->text, length, rows);
        write_text(b, table->field[c].name, separator);
        end_cell(b, c + 1 == table->count, separator);
    }
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < table->count; c++) {
            write_cell(b, item(table->field[c].value, r), separator);
            end_cell(b, c + 1 == table->count, separator);
        }
}

static void write_rows(Buffer *b, const List *rows, char separator) {
    for (size_t r = 0; r < rows->count; r++) {
        size_t columns = length_of(rows->item[r]);
        for (size_t c = 0; c < columns; c++) {
            write_cell(b, item(rows->item[r], c), separator);
            end_cell(b, c + 1 == columns, separator);
        }
    }
}

void csv_write(Buffer *b, Value v, char separator) {
    char got[100];
    switch (v.tag) {
    case V_ARRAY:  write_matrix(b, v.as.array, separator); break;
    case V_STRUCT: write_columns(b, v.as.record, separator); break;
    case V_LIST:   write_rows(b, v.as.list, separator); break;
    default:       fail(E_TYPE, "a table is an array, a struct or a list, not %s",
                        describe(v, got, sizeof got));
    }
}
