/* Printing: numbers, arrays, containers, and the format specs of f-strings. See format.h for the
 * idea.
 *
 * The file goes from small to large: digits of a number, a spec applied to a number, the cells of
 * an array in columns, containers. A Writer carries what all of them share. It must not know syntax
 * trees; the signature of a function comes through format_signature. */
#define _GNU_SOURCE
#include "format.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

FormatOptions format_options = { .width = 80, .digits = 6, .threshold = 1000, .edge = 3 };
const char *(*format_signature)(Function *f, char *buffer, size_t bytes);

/* ---- digits of a number ---- */

/* A decimal number in pieces: 0.d1 d2 d3 ... times 10^point. */
typedef struct Decimal { bool negative; char digit[20]; int count, point; } Decimal;

/* x rounded to `precision` significant digits, without zeros at the end. x is finite. */
static Decimal decimal_of(double x, int precision) {
    char text[32];
    Decimal d = { .negative = signbit(x) };
    snprintf(text, sizeof text, "%.*e", precision - 1, fabs(x));
    char *exponent = strchr(text, 'e');
    for (char *c = text; c < exponent; c++)
        if (*c != '.') d.digit[d.count++] = *c;
    while (d.count > 1 && d.digit[d.count - 1] == '0') d.count--;
    d.point = x == 0 ? 1 : atoi(exponent + 1) + 1;
    return d;
}

static char *put(char *at, const char *text, int count) {
    memcpy(at, text, (size_t)count);
    return at + count;
}

static char *put_zeros(char *at, int count) {
    for (; count > 0; count--) *at++ = '0';
    return at;
}

/* 1.5e-7, 1e21: the exponent without a plus sign or leading zeros. */
static char *put_exponent_form(char *at, const Decimal *d) {
    *at++ = d->digit[0];
    if (d->count > 1) {
        *at++ = '.';
        at = put(at, d->digit + 1, d->count - 1);
    }
    return at + sprintf(at, "e%d", d->point - 1);
}

static char *put_plain_form(char *at, const Decimal *d) {
    if (d->point <= 0) {
        at = put_zeros(put(at, "0.", 2), -d->point);
        return put(at, d->digit, d->count);
    }
    if (d->count <= d->point) return put_zeros(put(at, d->digit, d->count), d->point - d->count);
    at = put(at, d->digit, d->point);
    *at++ = '.';
    return put(at, d->digit + d->point, d->count - d->point);
}

/* From 0.0001 up to 10^largest plain, else with an exponent. */
static int decimal_text(char *out, const Decimal *d, int largest) {
    char *at = out;
    if (d->negative) *at++ = '-';
    bool plain = d->point > -4 && d->point <= largest;
    at = plain ? put_plain_form(at, d) : put_exponent_form(at, d);
    *at = 0;
    return (int)(at - out);
}

static int special_text(char *out, double x) {
    return sprintf(out, "%s", isnan(x) ? "nan" : x < 0 ? "-inf" : "inf");
}

/* Whole numbers below 2^53 are most of what gets printed, and need no search for digits. */
static bool is_small_whole(double x) { return fabs(x) < 0x1p53 && x == (double)(int64_t)x; }

static int whole_text(char *out, double x) {
    return sprintf(out, x == 0 && signbit(x) ? "-%lld" : "%lld", (long long)x);
}

enum { PLAIN_UP_TO = 21 };

static Decimal decimal_of_digits(Shortest s, bool negative) {
    Decimal d = { .negative = negative };
    char reversed[20];
    int count = 0, zeros = 0;
    for (; s.digits % 10 == 0; s.digits /= 10) zeros++;
    for (; s.digits; s.digits /= 10) reversed[count++] = (char)('0' + s.digits % 10);
    for (d.count = 0; d.count < count; d.count++) d.digit[d.count] = reversed[count - 1 - d.count];
    d.point = s.exponent + zeros + count;
    return d;
}

int format_number(char out[NUMBER_TEXT], double x) {
    if (!isfinite(x)) return special_text(out, x);
    if (is_small_whole(x)) return whole_text(out, x);
    Decimal d = decimal_of_digits(shortest_digits(x), signbit(x));
    return decimal_text(out, &d, PLAIN_UP_TO);
}

int format_float(char out[NUMBER_TEXT], float x) {
    if (!isfinite(x)) return special_text(out, (double)x);
    if (is_small_whole((double)x)) return whole_text(out, (double)x);
    Decimal d = decimal_of_digits(shortest_digits_f32(x), signbit(x));
    return decimal_text(out, &d, PLAIN_UP_TO);
}

/* An element of an array: whole numbers in full, others rounded to `digits`. */
static int element_text(char out[NUMBER_TEXT], double x, int digits) {
    if (!isfinite(x)) return special_text(out, x);
    if (is_small_whole(x)) return whole_text(out, x);
    Decimal d = decimal_of(x, digits < 1 ? 1 : digits > 17 ? 17 : digits);
    return decimal_text(out, &d, digits);
}

/* ---- format specs ---- */

/* [[fill]align][+][0][width][,][.precision][type] */
typedef struct Spec {
    const char *text; size_t bytes;   /* as written, for messages */
    char fill[5];                     /* one character of UTF-8 */
    char align;                       /* '<' '>' '^', or 0: numbers right, others left */
    bool plus, zeros, thousands;
    int width, precision;             /* precision -1: not given */
    char type;                        /* f e g % d x b s, or 0 */
} Spec;

static _Noreturn void bad_spec(const Spec *s, const char *why) {
    hint("a format is [fill][< > ^][+][0][width][,][.digits][f e g %% d x b s], "
         "as in .4f, >10, 08.3f, .2%%");
    fail(E_VALUE, "the format \"%.*s\" %s", (int)s->bytes, s->text, why);
}

static bool is_align(char c) { return c == '<' || c == '>' || c == '^'; }

static int spec_number(const Spec *s, const char **at, const char *end) {
    int n = 0;
    for (; *at < end && **at >= '0' && **at <= '9'; ++*at) {
        n = n * 10 + (**at - '0');
        if (n > 10000) bad_spec(s, "asks for more than 10000 characters");
    }
    return n;
}

/* The fill and the alignment; gives where the rest starts. */
static const char *spec_align(Spec *s, const char *at, const char *end) {
    if (at == end) return at;
    size_t fill = text_next(at, (size_t)(end - at), 0);
    if (at + fill < end && is_align(at[fill])) {
        memcpy(s->fill, at, fill);
        s->fill[fill] = 0;
        s->align = at[fill];
        return at + fill + 1;
    }
    if (is_align(*at)) s->align = *at++;
    return at;
}

static Spec parse_spec(const char *text, size_t bytes) {
    Spec s = { text, bytes, .fill = " ", .precision = -1 };
    const char *end = text + bytes, *at = spec_align(&s, text, end);
    if (at < end && *at == '+') s.plus = true, at++;
    if (at < end && *at == '0' && !s.align) s.zeros = true, at++;
    s.width = spec_number(&s, &at, end);
    if (at < end && *at == ',') s.thousands = true, at++;
    if (at < end && *at == '.') {
        const char *digits = ++at;
        s.precision = spec_number(&s, &at, end);
        if (at == digits) bad_spec(&s, "has no digits after the dot");
    }
    if (at < end && strchr("feg%dxbs", *at)) s.type = *at++;
    if (at < end) bad_spec(&s, "is not understood");
    return s;
}

static void add_binary(Buffer *b, uint64_t n) {
    int bit = n ? 63 - __builtin_clzll(n) : 0;
    for (; bit >= 0; bit--) buffer_char(b, (char)('0' + (n >> bit & 1)));
}

static void add_whole(Buffer *b, double x, const Spec *s) {
    if (x != rint(x)) bad_spec(s, "needs a whole number");
    if (s->type == 'd') buffer_format(b, "%.0f", x);
    else if (x >= 0x1p64) bad_spec(s, "needs a number below 2^64");
    else if (s->type == 'x') buffer_format(b, "%llx", (unsigned long long)x);
    else add_binary(b, (uint64_t)x);
}

static void add_shortest(Buffer *b, double x, const Spec *s) {
    char text[NUMBER_TEXT];
    if (s->precision < 0) buffer_add(b, text, (size_t)format_number(text, x));
    else buffer_format(b, "%.*g", s->precision, x);
}

/* The digits of x >= 0 as the type asks. */
static void add_digits(Buffer *b, double x, const Spec *s) {
    int precision = s->precision < 0 ? 6 : s->precision;
    if (!isfinite(x)) buffer_text(b, isnan(x) ? "nan" : "inf");
    else switch (s->type) {
        case 'f': buffer_format(b, "%.*f", precision, x); break;
        case 'e': buffer_format(b, "%.*e", precision, x); break;
        case 'g': buffer_format(b, "%.*g", precision, x); break;
        case '%': buffer_format(b, "%.*f", precision, 100 * x); break;
        case 'd': case 'x': case 'b': add_whole(b, x, s); break;
        default:  add_shortest(b, x, s);
    }
    if (s->type == '%') buffer_char(b, '%');
}

/* 1234567.5 -> 1,234,567.5 */
static void add_thousands(Buffer *b, const char *text, size_t bytes) {
    size_t whole = strspn(text, "0123456789");
    if (whole > bytes) whole = bytes;
    for (size_t i = 0; i < whole; i++) {
        buffer_char(b, text[i]);
        if ((whole - i) % 3 == 1 && i + 1 < whole) buffer_char(b, ',');
    }
    buffer_add(b, text + whole, bytes - whole);
}

static void add_fill(Buffer *b, const Spec *s, int64_t count) {
    for (; count > 0; count--) buffer_text(b, s->fill);
}

static void add_padded(Buffer *b, const char *text, size_t bytes, const Spec *s, char align) {
    int64_t room = s->width - (int64_t)text_width(text, bytes);
    int64_t left = align == '>' ? room : align == '^' ? room / 2 : 0;
    add_fill(b, s, left);
    buffer_add(b, text, bytes);
    add_fill(b, s, room - (left > 0 ? left : 0));
}

static void add_number(Buffer *b, double x, const Spec *s) {
    if (s->type == 's') bad_spec(s, "is for strings, and this is a number");
    Buffer digits = { 0 }, text = { 0 };
    const char *sign = signbit(x) && !isnan(x) ? "-" : s->plus ? "+" : "";
    add_digits(&digits, fabs(x), s);
    buffer_reserve(&digits, 1)[0] = 0;
    buffer_text(&text, sign);
    int64_t room = s->width - (int64_t)(digits.bytes + text.bytes);
    for (; s->zeros && isfinite(x) && room > 0; room--) buffer_char(&text, '0');
    if (s->thousands) add_thousands(&text, digits.text, digits.bytes);
    else buffer_add(&text, digits.text, digits.bytes);
    add_padded(b, text.text, text.bytes, s, s->align ? s->align : '>');
}

static void add_string(Buffer *b, const char *text, size_t bytes, const Spec *s) {
    if (s->type && s->type != 's') bad_spec(s, "is for numbers, and this is a string");
    if (s->plus || s->zeros || s->thousands) bad_spec(s, "is for numbers, and this is a string");
    size_t end = s->precision < 0 ? bytes : 0;
    for (int n = 0; n < s->precision && end < bytes; n++) end = text_next(text, bytes, end);
    add_padded(b, text, end, s, s->align ? s->align : '<');
}

/* Does the spec speak of digits, or only of the width of a text? */
static bool is_numeric_spec(const Spec *s) {
    return s->type ? s->type != 's' : s->plus || s->zeros || s->thousands || s->precision >= 0;
}

static void add_bool(Buffer *b, bool truth, const Spec *s) {
    const char *text = truth ? "true" : "false";
    if (is_numeric_spec(s)) add_number(b, truth, s);
    else add_string(b, text, strlen(text), s);
}

/* ---- the writer ---- */

enum { MAX_DEPTH = 100 };   /* containers deeper than this print as ... */

typedef struct Writer {
    Buffer *out;
    size_t line;              /* where the current line starts in out */
    const FormatOptions *options;
    const Spec *spec;         /* for every number; NULL: as ever */
    bool flat;                /* writing on one line as a trial: stop when it overflows */
    Buffer notes;             /* what follows the current line as a comment: shapes */
} Writer;

static int64_t column(Writer *w) {
    return (int64_t)text_width(w->out->text + w->line, w->out->bytes - w->line);
}

static bool overflows(Writer *w) { return column(w) > w->options->width; }

/* Comments stand at the end of a line, where they swallow nothing, or below it if it is full. */
static void flush_notes(Writer *w) {
    enum { SIGN = 4 };
    if (!w->notes.bytes) return;
    bool fits = column(w) + SIGN + (int64_t)w->notes.bytes <= w->options->width;
    buffer_text(w->out, fits ? "  # " : "\n# ");
    buffer_add(w->out, w->notes.text, w->notes.bytes);
    w->notes.bytes = 0;
}

static void note(Writer *w, const char *what, const char *text) {
    if (w->notes.bytes) buffer_text(&w->notes, ", ");
    buffer_text(&w->notes, what);
    buffer_text(&w->notes, text);
}

static void new_line(Writer *w, int64_t indent) {
    flush_notes(w);
    buffer_char(w->out, '\n');
    w->line = w->out->bytes;
    buffer_spaces(w->out, indent);
}

static void write_number(Writer *w, double x) {
    char text[NUMBER_TEXT];
    if (w->spec) add_number(w->out, x, w->spec);
    else buffer_add(w->out, text, (size_t)format_number(text, x));
}

static void write_bool(Writer *w, bool truth) {
    if (w->spec) add_bool(w->out, truth, w->spec);
    else buffer_text(w->out, truth ? "true" : "false");
}

/* ---- arrays ---- */

/* The width of a cell before and from its decimal point. */
typedef struct Fit { int64_t whole, rest; } Fit;

/* An array being written. A shortened axis shows places 0 1 2 ... n-3 n-2 n-1, GAP standing for the
 * dots. */
enum { GAP = -1 };
typedef struct Grid {
    Writer *w;
    const Array *a;
    bool shortened;
    int64_t indent;           /* of the first bracket */
    int64_t columns;          /* places shown of the last axis, the gap among them */
    Fit *fit;                 /* of each column */
    bool aligned;             /* several lines are to be aligned: pad cells to their column */
} Grid;

static int64_t places(const Grid *g, int64_t length) {
    int64_t edge = g->w->options->edge;
    return g->shortened && length > 2 * edge ? 2 * edge + 1 : length;
}

static int64_t place(const Grid *g, int64_t length, int64_t i) {
    int64_t shown = places(g, length), edge = g->w->options->edge;
    if (shown == length || i < edge) return i;
    return i == edge ? GAP : length - shown + i;
}

/* A cell's text, in `b`. */
static void cell_text(const Grid *g, int64_t flat, Buffer *b) {
    char text[NUMBER_TEXT];
    double x = flat == GAP ? 0 : array_get(g->a, flat);
    b->bytes = 0;
    if (flat == GAP) buffer_text(b, "...");
    else if (g->a->dtype == BOOL && g->w->spec) add_bool(b, x != 0, g->w->spec);
    else if (g->a->dtype == BOOL) buffer_text(b, x != 0 ? "true" : "false");
    else if (g->w->spec) add_number(b, x, g->w->spec);
    else buffer_add(b, text, (size_t)element_text(text, x, g->w->options->digits));
}

/* Numbers align on their dot or exponent, the rest (true, false) at the left. */
static Fit fit_of(const Buffer *b) {
    size_t whole = 0;
    while (whole < b->bytes && !strchr(".e", b->text[whole])) whole++;
    bool word = b->text[0] == 't' || b->text[0] == 'f';
    if (word) whole = 0;
    return (Fit){ (int64_t)whole, (int64_t)(text_width(b->text, b->bytes) - whole) };
}

static Fit wider(Fit a, Fit b) {
    return (Fit){ a.whole > b.whole ? a.whole : b.whole, a.rest > b.rest ? a.rest : b.rest };
}

static int64_t last_axis(const Grid *g) { return shape_of(g->a)[g->a->axes - 1]; }

/* The flat index of a row's cell in column c. */
static int64_t cell_at(const Grid *g, int64_t row, int64_t c) {
    int64_t at = place(g, last_axis(g), c);
    return at == GAP ? GAP : row + at;
}

/* Calls body for the start of each row that is shown. */
static void each_row(const Grid *g, int axis, int64_t start, void (*body)(Grid *g, int64_t row)) {
    if (axis == g->a->axes - 1) {
        body((Grid *)g, start);
        return;
    }
    int64_t length = shape_of(g->a)[axis], stride = 1;
    for (int i = axis + 1; i < g->a->axes; i++) stride *= shape_of(g->a)[i];
    for (int64_t i = 0; i < places(g, length); i++) {
        int64_t at = place(g, length, i);
        if (at != GAP) each_row(g, axis + 1, start + at * stride, body);
    }
}

static void measure_row(Grid *g, int64_t row) {
    Buffer cell = { 0 };
    for (int64_t c = 0; c < g->columns; c++) {
        int64_t at = cell_at(g, row, c);
        cell_text(g, at, &cell);
        if (at != GAP) g->fit[c] = wider(g->fit[c], fit_of(&cell));
    }
}

/* One row that needs several lines becomes a grid with columns of one width. */
static void align_single_row(Grid *g, int64_t room) {
    int64_t line = 0;
    Fit widest = { 0 };
    for (int64_t c = 0; c < g->columns; c++) {
        line += g->fit[c].whole + g->fit[c].rest + 2;
        widest = wider(widest, g->fit[c]);
    }
    g->aligned = line > room;
    for (int64_t c = 0; g->aligned && c < g->columns; c++)
        if (place(g, last_axis(g), c) != GAP) g->fit[c] = widest;
}

/* [cell, cell, cell]: the padding behind a comma is held back, so that no line ends in blanks. */
static void write_row(Grid *g, int64_t row) {
    Buffer cell = { 0 };
    int64_t pending = 0, inside = g->indent + g->a->axes;
    for (int64_t c = 0; c < g->columns; c++) {
        int64_t at = cell_at(g, row, c);
        cell_text(g, at, &cell);
        Fit own = fit_of(&cell), fit = g->aligned && at != GAP ? g->fit[c] : own;
        int64_t end = column(g->w) + pending + fit.whole + fit.rest + 1;
        if (c && end > g->w->options->width && !g->w->flat) new_line(g->w, inside), pending = 0;
        buffer_spaces(g->w->out, pending + fit.whole - own.whole);
        buffer_add(g->w->out, cell.text, cell.bytes);
        if (c + 1 < g->columns) buffer_char(g->w->out, ',');
        pending = fit.rest - own.rest + 1;
    }
    if (g->a->axes > 1) buffer_spaces(g->w->out, pending - 1);
}

/* The brackets around what lies along `axis`; matrices are set apart by blank lines, as in
 * NumPy. */
static void write_axis(Grid *g, int axis, int64_t start, int64_t stride) {
    buffer_char(g->w->out, '[');
    if (axis == g->a->axes - 1) write_row(g, start);
    else {
        int64_t length = shape_of(g->a)[axis], inner = shape_of(g->a)[axis + 1];
        int64_t shown = places(g, length);
        for (int64_t i = 0; i < shown; i++) {
            int64_t at = place(g, length, i);
            if (at == GAP) buffer_text(g->w->out, "...");
            else write_axis(g, axis + 1, start + at * stride, inner ? stride / inner : 0);
            if (i + 1 == shown) break;
            buffer_char(g->w->out, ',');
            for (int blank = axis + 2; blank < g->a->axes; blank++) new_line(g->w, 0);
            new_line(g->w, g->indent + axis + 1);
        }
    }
    buffer_char(g->w->out, ']');
}

static void note_shape(Writer *w, const Array *a) {
    char text[400];
    shape_text(a->axes, shape_of(a), text, sizeof text);
    note(w, "shape ", text);
}

/* How many rows an array has in all. */
static int64_t rows_of(const Array *a) { return a->size / shape_of(a)[a->axes - 1]; }

static void write_empty(Writer *w, const Array *a) {
    buffer_text(w->out, "[]");
    if (a->axes > 1) note_shape(w, a);
}

static void write_array(Writer *w, const Array *a) {
    if (a->size == 0) {
        write_empty(w, a);
        return;
    }
    Grid g = { w, a, .shortened = a->size > w->options->threshold, .indent = column(w) };
    g.columns = places(&g, last_axis(&g));
    g.fit = pool_bytes((size_t)g.columns * sizeof *g.fit);
    memset(g.fit, 0, (size_t)g.columns * sizeof *g.fit);
    each_row(&g, 0, 0, measure_row);
    g.aligned = rows_of(a) > 1;
    if (!g.aligned) align_single_row(&g, w->options->width - g.indent - 2 * a->axes + 2);
    write_axis(&g, 0, 0, a->size / shape_of(a)[0]);
    if (g.shortened) note_shape(w, a);
}

/* A 0-d array: f32 is the only kind there is. */
static void write_f32(Writer *w, const Array *a) {
    char text[NUMBER_TEXT];
    double x = array_get(a, 0);
    if (w->spec) add_number(w->out, x, w->spec);
    else buffer_add(w->out, text, (size_t)format_float(text, (float)x));
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
    int64_t indent = column(w) + 1;
    buffer_text(w->out, "<module with");
    for (size_t i = 0; i < module->count && i <= SHOWN; i++) {
        const char *name = i < SHOWN ? module->field[i].name->text : "...";
        bool fits = column(w) + 3 + (int64_t)strlen(name) <= w->options->width;
        if (i) buffer_char(w->out, ',');
        if (fits || w->flat) buffer_char(w->out, ' ');
        else new_line(w, indent);
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
    note(w, "length ", text);
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
    return column(w) + 2 + (int64_t)text_width(item.text, item.bytes) <= w->options->width;
}

static void write_on_lines(Writer *w, Value v, int depth) {
    int64_t indent = column(w) + 1;
    open_bracket(w, v);
    for (size_t i = 0, next, count = count_of(v); i < count; i = next) {
        write_key(w, v, i);
        write_item(w, item_of(v, i), depth + 1);
        next = next_shown(w, count, i);
        if (next == count) break;
        buffer_char(w->out, ',');
        if (next > i + 1) {
            new_line(w, indent);
            buffer_text(w->out, "...,");
        }
        if (next == i + 1 && shares_line(w, v, i)) buffer_char(w->out, ' ');
        else new_line(w, indent);
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
    if (!a->axes) write_f32(w, a);
    else if (w->flat && a->size && rows_of(a) > 1) return false;
    else write_array(w, a);
    return true;
}

/* false only when flat, and the item needs more than this line. */
static bool write_item(Writer *w, Value v, int depth) {
    check_stack();
    switch ((Tag)v.tag) {
    case V_NUM:      write_number(w, v.as.num); break;
    case V_BOOL:     write_bool(w, v.as.truth); break;
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
    Spec spec = parse_spec(text, bytes);
    if (v.tag == V_STRING) add_string(b, v.as.string->text, v.as.string->bytes, &spec);
    else if (is_numeric(v) || is_numeric_spec(&spec)) write_value(b, v, NULL, &spec);
    else {
        Buffer whole = { 0 };
        format_value(&whole, v, NULL);
        add_string(b, whole.text, whole.bytes, &spec);
    }
}
