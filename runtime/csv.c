/* CSV. The one idea: a table is read by walking its text, to see how many rows there are and which
 * columns hold only numbers, which are noted on the way; what the other columns hold is taken in a
 * second walk, into arrays and lists of the right size.
 *
 * Cells are as in RFC 4180: "quoted, with ""quotes"" and line breaks" or bare. Blank lines do not
 * count. Messages name the line and the column, in characters, as an editor does. */
#include "format.h"
#include "io.h"
#include <math.h>
#include <string.h>

/* A byte order mark, as spreadsheets write it. */
static bool has_mark(const char *text, size_t bytes) {
    return bytes >= 3 && !memcmp(text, "\xEF\xBB\xBF", 3);
}

/* ---- walking ---- */

typedef struct Reader {
    const char *text, *name;
    size_t bytes, at;
    char separator;
    size_t line, line_start;  /* from 1; where it begins */
} Reader;

/* A cell of the text, without its quotes. */
typedef struct Piece { size_t start, stop; bool quoted, ends_row; } Piece;

/* "t.csv: line 2, column 5", for messages about what stands at `at`. */
static const char *place_in(const Reader *r, size_t at) {
    size_t column = 1;
    for (size_t i = r->line_start; i < at; i++)
        column += ((unsigned char)r->text[i] & 0xC0) != 0x80;
    return string_format("%s: line %zu, column %zu", r->name, r->line, column).as.string->text;
}

static bool at_line_end(const Reader *r) {
    return r->at == r->bytes || r->text[r->at] == '\n' || r->text[r->at] == '\r';
}

static void skip_line_end(Reader *r) {
    if (r->at < r->bytes && r->text[r->at] == '\r') r->at++;
    if (r->at < r->bytes && r->text[r->at] == '\n') r->at++;
    r->line++;
    r->line_start = r->at;
}

/* Behind the end of a row to the next one that is not blank; false at the end. */
static bool next_row(Reader *r) {
    while (r->at < r->bytes && at_line_end(r)) skip_line_end(r);
    return r->at < r->bytes;
}

static Piece quoted_cell(Reader *r) {
    Reader opened = *r;
    Piece cell = { .start = ++r->at, .quoted = true };
    for (;; r->at++) {
        if (r->at == r->bytes)
            fail(E_VALUE, "%s: the quote opened here is not closed", place_in(&opened, opened.at));
        if (r->text[r->at] == '\n') r->line++, r->line_start = r->at + 1;
        if (r->text[r->at] != '"') continue;
        if (r->at + 1 == r->bytes || r->text[r->at + 1] != '"') break;
        r->at++;
    }
    cell.stop = r->at++;
    return cell;
}

static Piece bare_cell(Reader *r) {
    const char *text = r->text, separator = r->separator;
    size_t at = r->at, bytes = r->bytes;
    while (at < bytes && text[at] != separator && text[at] != '\n' && text[at] != '\r') at++;
    Piece cell = { .start = r->at, .stop = at };
    r->at = at;
    return cell;
}

static Piece next_cell(Reader *r) {
    bool quoted = r->at < r->bytes && r->text[r->at] == '"';
    Piece cell = quoted ? quoted_cell(r) : bare_cell(r);
    cell.ends_row = at_line_end(r);
    if (cell.ends_row) return cell;
    if (r->text[r->at] == r->separator) r->at++;
    else fail(E_VALUE, "%s: there is text behind a closing quote", place_in(r, r->at));
    return cell;
}

/* ---- cells ---- */

/* What others write where a number is missing. */
static bool is_missing(const char *text, size_t bytes) {
    static const char *const words[] = { "", "NA", "N/A", "NaN", "null", "NULL" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i]) == bytes && !memcmp(words[i], text, bytes)) return true;
    return false;
}

/* 2020_01 and 0x10 are numbers of a program, but texts of a table. */
static bool is_decimal(const char *text, size_t bytes) {
    size_t at = *text == '-' || *text == '+';
    bool prefixed = bytes > at + 1 && text[at] == '0' && strchr("xXbB", text[at + 1]);
    return !prefixed && !memchr(text, '_', bytes);
}

/* A number, or NaN where one is missing; false: a text. */
static bool cell_number(const Reader *r, Piece cell, double *x) {
    const char *text = r->text + cell.start;
    size_t bytes = cell.stop - cell.start;
    if (bytes && text_number(text, bytes, x)) return is_decimal(text, bytes);
    *x = (double)NAN;
    return !bytes || is_missing(text, bytes);
}

static bool is_truth(const char *text, size_t bytes, double *x) {
    static const char *const words[] = { "false", "true", "False", "True", "FALSE", "TRUE" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i]) == bytes && !memcmp(words[i], text, bytes))
            return *x = (double)(i & 1), true;
    return false;
}

static bool cell_truth(const Reader *r, Piece cell, double *x) {
    return is_truth(r->text + cell.start, cell.stop - cell.start, x);
}

static Value cell_string(const Reader *r, Piece cell) {
    Value raw = string_new(r->text + cell.start, cell.stop - cell.start);
    if (!cell.quoted) return raw;
    return string_replace(raw.as.string, string_of("\"\"").as.string, string_of("\"").as.string);
}

/* ---- reading ---- */

enum { NUMBERS = 1, TRUTHS = 2 };       /* else texts */
typedef struct Table {
    Reader start;             /* at the first row of the body */
    size_t rows, columns;
    uint8_t *kinds;           /* of each column: what all its cells may be */
    Array **number;           /* the rows of each that were read as numbers, and room for `lines` */
    int64_t lines;
} Table;

/* The cells of the first row: how many, and are all of them numbers? */
static size_t survey_first_row(Reader r, bool *numbers) {
    double x;
    size_t columns = 0;
    *numbers = true;
    for (bool last = !next_row(&r); !last; columns++) {
        Piece cell = next_cell(&r);
        *numbers = *numbers && !cell.quoted && cell_number(&r, cell, &x);
        last = cell.ends_row;
    }
    return columns;
}

static _Noreturn void ragged(const Table *t, const Reader *r, size_t at, size_t cells) {
    fail(E_VALUE, "%s: the row has %zu cell%s, and the first row has %zu", place_in(r, at), cells,
         cells == 1 ? "" : "s", t->columns);
}

/* Its first cell too many begins at `extra` of r, where the rest of the row is still to be read. */
static _Noreturn void too_long(const Table *t, Reader r) {
    Reader extra = r;
    size_t cells = t->columns;
    for (bool last = false; !last; cells++) last = next_cell(&r).ends_row;
    ragged(t, &extra, extra.at, cells);
}

/* No table has more rows than that. */
static int64_t count_lines(Reader r) {
    if (!next_row(&r)) return 0;
    const char *end = r.text + r.bytes, *at = r.text + r.at;
    int64_t lines = end[-1] != '\n';
    for (const char *line = at; (line = memchr(line, '\n', (size_t)(end - line))); line++) lines++;
    for (const char *line = at; (line = memchr(line, '\r', (size_t)(end - line))); line++)
        lines += line + 1 == end || line[1] != '\n';
    return lines;
}

/* Calls body(table, cell, row, column, env) for each cell of the body, and gives the number of
 * rows. */
typedef void Body(Table *t, const Reader *r, Piece cell, size_t row, size_t column, void *env);
static size_t each_cell(Table *t, Body *body, void *env) {
    Reader r = t->start;
    size_t row = 0;
    for (; next_row(&r); row++) {
        size_t column = 0;
        for (bool last = false; !last; column++) {
            if (column == t->columns) too_long(t, r);
            Piece cell = next_cell(&r);
            body(t, &r, cell, row, column, env);
            last = cell.ends_row;
        }
        if (column < t->columns) ragged(t, &r, r.at, column);
        poll();
    }
    return row;
}

static void survey_cell(Table *t, const Reader *r, Piece cell, size_t row, size_t column,
                        void *env) {
    double x;
    uint8_t *kinds = &t->kinds[column];
    (void)env;
    if (cell.quoted) *kinds = 0;
    if (*kinds & NUMBERS) {
        if (!cell_number(r, cell, &x)) *kinds &= (uint8_t)~NUMBERS;
        else if (!row) t->number[column] = array_new(F64, 1, &t->lines);
        if (*kinds & NUMBERS) f64_of(t->number[column])[row] = x;
    }
    if (*kinds & TRUTHS && !cell_truth(r, cell, &x)) *kinds &= (uint8_t)~TRUTHS;
}

/* Into columns: env is an array of arrays and lists. */
static void fill_column(Table *t, const Reader *r, Piece cell, size_t row, size_t column,
                        void *env) {
    Value *into = (Value *)env + column;
    double x = 0;
    size_t mark = pool_mark();
    if (t->kinds[column] & NUMBERS) return;
    if (t->kinds[column] & TRUTHS)
        cell_truth(r, cell, &x), bool_of(into->as.array)[row] = x != 0;
    else list_set(*into, row, cell_string(r, cell));
    pool_unwind(mark);
}

/* The numbers of a column: they, if all the room for them was needed, or a copy. */
static Array *numbers_of(const Table *t, size_t column) {
    int64_t rows = (int64_t)t->rows, step = 1;
    if (!rows) return array_new(F64, 1, &rows);
    if (rows == t->lines) return t->number[column];
    return array_copy(array_view(t->number[column], 1, &rows, &step, 0));
}

static Value matrix_of(Table *t) {
    int64_t rows = (int64_t)t->rows, columns = (int64_t)t->columns;
    Array *a = array_new(F64, 2, (int64_t[]){ rows, columns });
    for (int64_t c = 0; rows && c < columns; c++)
        array_assign(array_view(a, 1, &rows, &columns, c), numbers_of(t, (size_t)c));
    return object(a);
}

static bool all_numeric(const Table *t) {
    for (size_t c = 0; c < t->columns; c++)
        if (!(t->kinds[c] & NUMBERS)) return false;
    return true;
}

static Value *columns_of(Table *t) {
    Value *column = pool_bytes(t->columns * sizeof *column + 1);
    int64_t rows = (int64_t)t->rows;
    for (size_t c = 0; c < t->columns; c++)
        column[c] = t->kinds[c] & NUMBERS  ? object(numbers_of(t, c))
                    : t->kinds[c] & TRUTHS ? object(array_new(BOOL, 1, &rows))
                                           : list_new(t->rows);
    if (!all_numeric(t)) each_cell(t, fill_column, column);
    return column;
}

/* No column is lost under the name of another: the second `x` is `x.1`. */
static String *free_name(Value record, String *name) {
    String *wanted = name;
    for (int i = 1; struct_find(record, wanted); i++) {
        Value numbered = string_format("%s.%d", name->text, i);
        wanted = symbol(numbered.as.string->text, numbered.as.string->bytes);
    }
    return wanted;
}

/* The columns under the names of the row at `names`. */
static Value struct_of_columns(Table *t, Reader names) {
    Value *column = columns_of(t), record = struct_new(t->columns);
    next_row(&names);
    for (size_t c = 0; c < t->columns; c++) {
        String *name = cell_string(&names, next_cell(&names)).as.string;
        name = free_name(record, symbol(name->text, name->bytes));
        struct_put(record, name, column[c]);
    }
    return record;
}

static void skip_row(Reader *r) {
    next_row(r);
    while (r->at < r->bytes && !next_cell(r).ends_row) continue;
}

Value csv_read(const char *text, size_t bytes, char separator, int header, const char *name) {
    Reader first = { text, name, bytes, 0, separator, 1, 0 };
    if (has_mark(text, bytes)) first.at = first.line_start = 3;
    bool numbers;
    Table t = { .start = first, .columns = survey_first_row(first, &numbers) };
    bool named = header < 0 ? !numbers : header;
    t.kinds = pool_bytes(t.columns + 1);
    memset(t.kinds, NUMBERS | TRUTHS, t.columns);
    t.number = pool_bytes(t.columns * sizeof *t.number + 1);
    if (named) skip_row(&t.start);
    t.lines = count_lines(t.start);
    t.rows = each_cell(&t, survey_cell, NULL);
    if (named) return struct_of_columns(&t, first);
    return all_numeric(&t) ? matrix_of(&t) : list_of(t.columns, columns_of(&t));
}

/* ---- writing ---- */

/* Would it be read back as the text it is, without quotes? */
static bool is_plain(const String *s, char separator) {
    const char special[] = { separator, '"', '\n', '\r', 0 };
    double x;
    if (!s->bytes || strcspn(s->text, special) < s->bytes || has_mark(s->text, s->bytes))
        return false;
    return !text_number(s->text, s->bytes, &x) && !is_truth(s->text, s->bytes, &x) &&
           !is_missing(s->text, s->bytes);
}

static void write_text(Buffer *b, const String *s, char separator) {
    if (is_plain(s, separator)) {
        buffer_add(b, s->text, s->bytes);
        return;
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
            fail(E_SHAPE, "column \"%s\" has %zu cell%s, and the first column has %zu",
                 table->field[c].name->text, length, length == 1 ? "" : "s", rows);
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
