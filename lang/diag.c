/* Errors as text: excerpts, marks, notes, traces. The one idea:
 * everything that is to be shown in the source is first collected as marks (a place, a sign, a
 * note); an excerpt is then drawn line by line.
 *
 * It must not know what went wrong: the facts are in the Error, the places in the spans. */
#define _GNU_SOURCE /* open_memstream */
#include "diag.h"
#include "diag_parts.h"
#include "errors.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

/* ---- colours ---- */

typedef enum Paint { PLAIN, RED, YELLOW, BLUE, BOLD } Paint;
typedef struct Screen { FILE *out; bool colour; int columns; Paint main; } Screen;

static void paint(const Screen *s, Paint colour) {
    static const char *const codes[] = { "\033[0m", "\033[1;31m", "\033[1;33m", "\033[34m",
                                         "\033[1m" };
    if (s->colour) fputs(codes[colour], s->out);
}

/* ---- characters ---- */

/* bytes: what it takes in the source; length: what is shown instead. */
typedef struct Glyph { const char *text; int bytes, length, width; } Glyph;

static bool is_harmful(utf8proc_int32_t code) {
    return code < 0x20 || (code >= 0x7F && code < 0xA0) || (code >= 0x202A && code <= 0x202E) ||
           (code >= 0x2066 && code <= 0x2069);
}

/* How the character at text is shown in column `column`: tabs as spaces, what is no text as a
 * question mark. */
static Glyph glyph_at(const char *text, size_t bytes, int column) {
    utf8proc_int32_t code;
    utf8proc_ssize_t length =
        utf8proc_iterate((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)bytes, &code);
    if (*text == '\t') return (Glyph){ "    ", 1, 4 - column % 4, 4 - column % 4 };
    if (length <= 0) return (Glyph){ "\xEF\xBF\xBD", 1, 3, 1 };
    if (is_harmful(code)) return (Glyph){ "\xEF\xBF\xBD", (int)length, 3, 1 };
    return (Glyph){ text, (int)length, (int)length, utf8proc_charwidth(code) };
}

void put_clean(FILE *out, const char *text) {
    for (size_t left = strlen(text); left;) {
        Glyph g = *text == '\n' ? (Glyph){ "\n", 1, 1, 0 } : glyph_at(text, left, 0);
        fwrite(g.text, 1, (size_t)g.length, out);
        text += g.bytes;
        left -= (size_t)g.bytes;
    }
}

static int width_of(const char *text, size_t bytes) {
    int width = 0;
    for (size_t i = 0; i < bytes;) {
        Glyph g = glyph_at(text + i, bytes - i, 0);
        i += (size_t)g.bytes;
        width += g.width;
    }
    return width;
}

/* How many bytes of text fit into `room` columns without cutting a word, if there is a blank at
 * all; all of them where nothing is to be wrapped. */
static size_t fitting(const Screen *s, const char *text, int room) {
    size_t bytes = strlen(text), best = 0;
    if (s->columns <= 0 || width_of(text, bytes) <= room) return bytes;
    for (size_t i = 1; i < bytes && width_of(text, i) <= room; i++)
        if (text[i] == ' ') best = i;
    if (best) return best;
    while (best < bytes && text[best] != ' ') best++;       /* a word of its own */
    return best;
}

/* ---- marks ---- */

typedef struct Mark {
    uint32_t line, first, last;   /* columns of the screen, the last one exclusive */
    uint32_t column;              /* as messages count it: in characters, from 1 */
    char sign;
    char note[160];
} Mark;

typedef struct Marks { Source *source; int count; Mark mark[1 + ERROR_OPERANDS]; } Marks;

static uint32_t screen_column(const char *line, size_t bytes) {
    int column = 0;
    for (size_t i = 0; i < bytes;) {
        Glyph g = glyph_at(line + i, bytes - i, column);
        i += (size_t)g.bytes;
        column += g.width;
    }
    return (uint32_t)column;
}

/* Adds a mark for the place; a place of several lines is marked to the end of its first. */
static Mark *add_mark(Marks *marks, Place place, char sign) {
    size_t bytes;
    const char *line = source_line(place.source, place.line, &bytes);
    size_t start = place.start - (size_t)(line - place.source->text),
           end = start + (place.end - place.start);
    if (start > bytes) start = bytes;
    if (end > bytes) end = bytes;
    Mark *mark = &marks->mark[marks->count++];
    *mark = (Mark){ .line = place.line, .column = place.column, .sign = sign };
    mark->first = screen_column(line, start);
    mark->last = screen_column(line, end);
    if (mark->last <= mark->first) mark->last = mark->first + 1;
    return mark;
}

/* ", from line 7", unless the value was made by the very text that is marked. */
static void note_origin(char *note, size_t bytes, Place at, Span origin) {
    Place from = place_of(origin);
    if (!from.source || from.source->library) return;
    if (from.source == at.source && from.start >= at.start && from.start < at.end) return;
    size_t length = strlen(note);
    if (from.source == at.source)
        snprintf(note + length, bytes - length, ", from line %u", from.line);
    else
        snprintf(note + length, bytes - length, ", from %s:%u", from.source->name->text, from.line);
}

/* Notes of an error of syntax are sentences; others say what the operand is. */
static void mark_operand(Marks *marks, const Error *error, Span span, const ErrorOperand *operand) {
    Place main = place_of(span);
    if (operand->part < 0 || (uint32_t)operand->part >= main.operands) return;
    Span part = span + 1 + (Span)operand->part;
    Place place = place_of(part);
    if (!place.source) return;
    bool sentence = error->kind == E_SYNTAX;
    Mark *mark = add_mark(marks, place, sentence ? '~' : '^');
    char text[32];
    if (sentence) snprintf(mark->note, sizeof mark->note, "%s", operand->text);
    else
        snprintf(mark->note, sizeof mark->note, "%s is %s", span_text(part, text, sizeof text),
                 operand->text);
    if (!sentence) note_origin(mark->note, sizeof mark->note, place, operand->origin);
}

/* The main mark comes first; it is a ~ between the ^ of operands that have notes. */
static Marks collect(const Error *error, Span span) {
    Marks marks = { .source = place_of(span).source };
    add_mark(&marks, place_of(span), '^');
    for (int i = 0; i < error->operands; i++) mark_operand(&marks, error, span, &error->operand[i]);
    if (marks.count > 1 && error->kind != E_SYNTAX) marks.mark[0].sign = '~';
    return marks;
}

/* What the location names: the leftmost mark of the line of an error that was met while running. */
static Mark location(const Marks *marks, bool syntax) {
    Mark first = marks->mark[0];
    for (int i = 1; i < marks->count && !syntax; i++)
        if (marks->mark[i].line == first.line && marks->mark[i].column < first.column)
            first = marks->mark[i];
    return first;
}

/* ---- excerpts ---- */

/* The columns of a line that are shown, and how many it has. */
typedef struct Window { uint32_t from, to, width; } Window;

/* WIDE: where there is no screen. */
enum { GUTTER = 3, DOTS = 3, LEAST_COLUMNS = 20, WIDE = 100 };

/* The whole line if it fits, else a piece around the marks on it. */
static Window window_for(const Screen *s, const Marks *marks, uint32_t line, uint32_t width,
                         int digits) {
    int columns = s->columns > 0 ? s->columns : WIDE;
    uint32_t room = (uint32_t)(columns > LEAST_COLUMNS ? columns : LEAST_COLUMNS) -
                    (uint32_t)digits - GUTTER;
    uint32_t first = UINT32_MAX;
    if (width <= room) return (Window){ 0, width, width };
    for (int i = 0; i < marks->count; i++)
        if (marks->mark[i].line == line && marks->mark[i].first < first)
            first = marks->mark[i].first;
    uint32_t before = room / 3, from = first > before ? first - before : 0;
    if (from + room > width) from = width > room ? width - room : 0;
    return (Window){ from, from + room, width };
}

static void gutter(const Screen *s, int digits, uint32_t line, char bar) {
    paint(s, BLUE);
    if (line) fprintf(s->out, "%*u %c", digits, line, bar);
    else fprintf(s->out, "%*s %c", digits, "", bar);
    paint(s, PLAIN);
}

static void draw_source(const Screen *s, const Marks *marks, uint32_t line, Window window,
                        int digits) {
    size_t bytes;
    const char *text = source_line(marks->source, line, &bytes);
    uint32_t from = window.from ? window.from + DOTS : 0;
    uint32_t to = window.to < window.width ? window.to - DOTS : window.to, column = 0,
             shown = window.from;
    gutter(s, digits, line, '|');
    if (bytes) fputc(' ', s->out);
    if (window.from) shown += (uint32_t)fprintf(s->out, "...");
    for (size_t i = 0; i < bytes && column < to;) {
        Glyph g = glyph_at(text + i, bytes - i, (int)column);
        bool shows = column >= from && column + (uint32_t)g.width <= to;
        for (; shows && shown < column; shown++) fputc(' ', s->out);
        if (shows) fwrite(g.text, 1, (size_t)g.length, s->out), shown += (uint32_t)g.width;
        i += (size_t)g.bytes;
        column += (uint32_t)g.width;
    }
    fputs(window.to < window.width ? "...\n" : "\n", s->out);
}

/* Writes signs into a row of characters, cut to the window. */
static void draw_sign(char *row, uint32_t *length, const Mark *mark, Window window, bool only_first,
                      char sign) {
    uint32_t last = only_first ? mark->first + 1 : mark->last;
    for (uint32_t column = mark->first; column < last; column++) {
        if (column < window.from || column > window.to) continue;
        row[column - window.from] = sign;
        if (column - window.from >= *length) *length = column - window.from + 1;
    }
}

static void put_row(const Screen *s, const char *row, uint32_t length, int digits) {
    gutter(s, digits, 0, '|');
    fputc(' ', s->out);
    paint(s, s->main);
    fwrite(row, 1, length, s->out);
    paint(s, PLAIN);
}

/* The column, or the edge of the window if it is not shown. */
static uint32_t inside(Window window, uint32_t column) {
    return column < window.from ? window.from : column > window.to ? window.to : column;
}

/* A note behind a row of bars; what does not fit goes on below its beginning. */
static void put_note(const Screen *s, const char *note, char *row, uint32_t length, int digits) {
    int room = s->columns - digits - GUTTER - (int)length;
    do {
        size_t bytes = fitting(s, note, room);
        char line[sizeof((Mark *)0)->note];
        snprintf(line, sizeof line, "%.*s", (int)bytes, note);
        put_row(s, row, length, digits);
        put_clean(s->out, line);
        fputc('\n', s->out);
        note += bytes + (note[bytes] == ' ');
    } while (*note);
}

/* One line for each note, the rightmost first, with bars down to the others. */
static void draw_notes(const Screen *s, const Marks *marks, uint32_t line, Window window,
                       int digits, char *row) {
    bool done[1 + ERROR_OPERANDS] = { false };
    for (;;) {
        int next = -1;
        for (int i = 0; i < marks->count; i++) {
            const Mark *mark = &marks->mark[i];
            bool open = mark->line == line && mark->note[0] && !done[i];
            if (open && (next < 0 || mark->first > marks->mark[next].first)) next = i;
        }
        if (next < 0) return;
        const Mark *mark = &marks->mark[next];
        uint32_t length = inside(window, mark->first) - window.from, used = 0;
        done[next] = true;
        memset(row, ' ', window.to - window.from + 2);
        for (int i = 0; i < marks->count; i++)
            if (marks->mark[i].line == line && marks->mark[i].note[0] && !done[i])
                draw_sign(row, &used, &marks->mark[i], window, true, '|');
        put_note(s, mark->note, row, length, digits);
    }
}

static void draw_line(const Screen *s, const Marks *marks, uint32_t line, int digits) {
    size_t bytes;
    const char *text = source_line(marks->source, line, &bytes);
    Window window = window_for(s, marks, line, screen_column(text, bytes), digits);
    uint32_t length = 0, room = window.to - window.from + 2;
    char *row = malloc(room);
    if (!row) return;
    memset(row, ' ', room);
    draw_source(s, marks, line, window, digits);
    for (int i = 0; i < marks->count; i++)
        if (marks->mark[i].line == line)
            draw_sign(row, &length, &marks->mark[i], window, false, marks->mark[i].sign);
    put_row(s, row, length, digits);
    fputc('\n', s->out);
    draw_notes(s, marks, line, window, digits, row);
    free(row);
}

/* The next line above `after` that has marks; 0 if there is none. */
static uint32_t next_line(const Marks *marks, uint32_t after) {
    uint32_t line = 0;
    for (int i = 0; i < marks->count; i++)
        if (marks->mark[i].line > after && (!line || marks->mark[i].line < line))
            line = marks->mark[i].line;
    return line;
}

static int digits_of(const Marks *marks) {
    uint32_t line = 0;
    for (int i = 0; i < marks->count; i++)
        if (marks->mark[i].line > line) line = marks->mark[i].line;
    return snprintf(NULL, 0, "%u", line);
}

static void draw_excerpt(const Screen *s, const Marks *marks, bool syntax) {
    int digits = digits_of(marks);
    Mark where = location(marks, syntax);
    fprintf(s->out, "  ");
    put_clean(s->out, marks->source->name->text);
    fprintf(s->out, ":%u:%u\n", where.line, where.column);
    gutter(s, digits, 0, '|');
    fputc('\n', s->out);
    for (uint32_t line = next_line(marks, 0), before = line; line;
         before = line, line = next_line(marks, line)) {
        if (line > before + 1) fprintf(s->out, "%*s...\n", digits > 2 ? digits - 2 : 0, "");
        draw_line(s, marks, line, digits);
    }
}

/* ---- the whole message ---- */

Span span_to_show(const Error *error) {
    Place place = place_of(error->span);
    if (place.source && !place.source->library) return error->span;
    for (int i = 0; i < error->frames; i++) {
        Place call = place_of(error->frame[i].called_from);
        if (call.source && !call.source->library) return error->frame[i].called_from;
    }
    return error->span;
}

static void draw_trace(const Screen *s, const Error *error) {
    for (int i = 0; i < error->frames; i++) {
        const ErrorFrame *frame = &error->frame[i];
        Place call = place_of(frame->called_from);
        if (call.source && call.source->library) continue;
        fputs("  in ", s->out);
        put_clean(s->out, frame->text);
        if (call.source)
            fprintf(s->out, ", called at %s:%u:%u", call.source->name->text, call.line,
                    call.column);
        fputc('\n', s->out);
        if (frame->repeats)
            fprintf(s->out, "     %d more of %.*s\n", frame->repeats,
                    (int)strcspn(frame->text, "("), frame->text);
    }
    if (error->frames_left_out) fprintf(s->out, "     %d more calls\n", error->frames_left_out);
}

static void draw_headline(const Screen *s, const Error *error, Severity severity) {
    const char *text = error->message, *word = severity == DIAG_WARNING ? "warning" : "error";
    paint(s, s->main);
    fputs(word, s->out);
    paint(s, PLAIN);
    fputs(": ", s->out);
    int used = (int)strlen(word) + 2;
    do {
        size_t bytes = strcspn(text, "\n");
        char line[sizeof error->message];
        snprintf(line, sizeof line, "%.*s", (int)bytes, text);
        size_t fits = fitting(s, line, s->columns - used);
        bool wrapped = fits < bytes;
        if (wrapped) bytes = fits, line[bytes] = 0;
        paint(s, BOLD);
        put_clean(s->out, line);
        paint(s, PLAIN);
        fputc('\n', s->out);
        text += bytes + (text[bytes] == ' ' || text[bytes] == '\n');
        used = wrapped ? fprintf(s->out, "  ") : 0;
    } while (*text);
}

/* One line of advice behind `sign`, and what does not fit below it. */
static void draw_advice(const Screen *s, const char *text, char sign, int digits) {
    do {
        size_t bytes = fitting(s, text, s->columns - digits - GUTTER);
        char one[sizeof((Error *)0)->hint];
        snprintf(one, sizeof one, "%.*s", (int)bytes, text);
        gutter(s, digits, 0, sign);
        fputc(' ', s->out);
        put_clean(s->out, one);
        fputc('\n', s->out);
        text += bytes + (text[bytes] == ' ');
        sign = ' ';
    } while (*text);
}

/* The hint, its first line behind a sign. */
static void draw_hint(const Screen *s, const char *text, int digits) {
    for (const char *line = text; *line;) {
        size_t length = strcspn(line, "\n");
        char one[sizeof((Error *)0)->hint];
        snprintf(one, sizeof one, "%.*s", (int)length, line);
        draw_advice(s, one, line == text ? '=' : ' ', digits);
        line += length + (line[length] == '\n');
    }
}

/* The last line: where more is said. What the program itself raised needs no explanation. */
static void draw_more(const Screen *s, const Error *error, Severity severity, int digits) {
    if (!message_more || error->kind == E_USER || error->kind == E_ASSERT ||
        error->kind == E_INTERRUPT)
        return;
    gutter(s, digits, 0, '=');
    fputc(' ', s->out);
    fprintf(s->out, message_more, message_code(error, severity));
    fputc('\n', s->out);
}

char *diag_text(const Error *error, Severity severity, bool colour, int columns) {
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    if (!out) return NULL;
    Screen s = { out, colour, columns, severity == DIAG_WARNING ? YELLOW : RED };
    Span span = span_to_show(error);
    int digits = 1;
    if (error->kind != E_EXIT) {
        draw_headline(&s, error, severity);
        if (place_of(span).source) {
            Marks marks = collect(error, span);
            digits = digits_of(&marks);
            draw_excerpt(&s, &marks, error->kind == E_SYNTAX);
        }
        draw_hint(&s, error->hint, digits);
        draw_trace(&s, error);
        if (place_of(span).source) draw_more(&s, error, severity, digits);
    }
    fclose(out);
    return text;
}
