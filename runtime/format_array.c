/* Arrays as text, in columns. The one idea: two walks over the rows that are shown, the first of
 * which measures: how wide each column is before and from its decimal point. */
#include "format_parts.h"
#include <string.h>

/* ---- numbers ---- */

void writer_number(Writer *w, double x) {
    char text[NUMBER_TEXT];
    if (w->spec) spec_add_number(w->out, x, w->spec);
    else buffer_add(w->out, text, (size_t)format_number(text, x));
}

void writer_bool(Writer *w, bool truth) {
    if (w->spec) spec_add_bool(w->out, truth, w->spec);
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
    else if (g->a->dtype == BOOL && g->w->spec) spec_add_bool(b, x != 0, g->w->spec);
    else if (g->a->dtype == BOOL) buffer_text(b, x != 0 ? "true" : "false");
    else if (g->w->spec) spec_add_number(b, x, g->w->spec);
    else buffer_add(b, text, (size_t)format_element(text, x, g->w->options->digits));
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
        int64_t end = writer_column(g->w) + pending + fit.whole + fit.rest + 1;
        if (c && end > g->w->options->width && !g->w->flat) {
            writer_new_line(g->w, inside);
            pending = 0;
        }
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
            for (int blank = axis + 2; blank < g->a->axes; blank++) writer_new_line(g->w, 0);
            writer_new_line(g->w, g->indent + axis + 1);
        }
    }
    buffer_char(g->w->out, ']');
}

static void note_shape(Writer *w, const Array *a) {
    char text[400];
    shape_text(a->axes, shape_of(a), text, sizeof text);
    writer_note(w, "shape ", text);
}

/* How many rows an array has in all. */
int64_t array_rows(const Array *a) { return a->size / shape_of(a)[a->axes - 1]; }

static void write_empty(Writer *w, const Array *a) {
    buffer_text(w->out, "[]");
    if (a->axes > 1) note_shape(w, a);
}

void writer_array(Writer *w, const Array *a) {
    if (a->size == 0) {
        write_empty(w, a);
        return;
    }
    Grid g = { w, a, .shortened = a->size > w->options->threshold, .indent = writer_column(w) };
    g.columns = places(&g, last_axis(&g));
    g.fit = pool_bytes((size_t)g.columns * sizeof *g.fit);
    memset(g.fit, 0, (size_t)g.columns * sizeof *g.fit);
    each_row(&g, 0, 0, measure_row);
    g.aligned = array_rows(a) > 1;
    if (!g.aligned) align_single_row(&g, w->options->width - g.indent - 2 * a->axes + 2);
    write_axis(&g, 0, 0, a->size / shape_of(a)[0]);
    if (g.shortened) note_shape(w, a);
}

/* A 0-d array: f32 is the only kind there is. */
void writer_f32(Writer *w, const Array *a) {
    char text[NUMBER_TEXT];
    double x = array_get(a, 0);
    if (w->spec) spec_add_number(w->out, x, w->spec);
    else buffer_add(w->out, text, (size_t)format_float(text, (float)x));
}
