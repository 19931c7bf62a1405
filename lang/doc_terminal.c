/* The manual on a terminal: paragraphs filled to its width, code and tables as they stand, headings
 * in bold where colours are wanted. */
#include "doc.h"
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

typedef struct Page { FILE *out; int columns, column, indent; bool colour, code; } Page;

enum { MARGIN = 4, NARROW = 40, WIDEST = 100 };

static void style(const Page *p, const char *code) {
    if (p->colour) fprintf(p->out, "\033[%sm", code);
}

static int width_of(const char *text, size_t bytes) {
    int width = 0;
    utf8proc_int32_t code;
    for (size_t i = 0; i < bytes;) {
        utf8proc_ssize_t length = utf8proc_iterate((const utf8proc_uint8_t *)text + i,
                                                   (utf8proc_ssize_t)(bytes - i), &code);
        if (length <= 0) return width;
        width += utf8proc_charwidth(code);
        i += (size_t)length;
    }
    return width;
}

/* ---- paragraphs ---- */

static void new_line(Page *p, int indent) {
    fputc('\n', p->out);
    fprintf(p->out, "%*s", indent, "");
    p->column = indent;
}

/* Text of one word, its `code` marks taken off and, with colours, code in cyan. */
static void put_word(Page *p, const char *word, size_t bytes) {
    for (size_t i = 0; i < bytes; i++) {
        if (word[i] == '`') {
            p->code = !p->code;
            style(p, p->code ? "36" : "0");
        } else if (!p->code && word[i] == '*' && i + 1 < bytes && word[i + 1] == '*') {
            i++;
        } else if (!p->code && word[i] == '*' &&
                   (i == 0 || i + 1 == bytes || strchr(".,;:", word[i + 1]))) {
            continue;                       /* *emphasis* */
        } else {
            fputc(word[i], p->out);
        }
    }
}

static size_t word_end(const char *text, size_t bytes, size_t from) {
    while (from < bytes && text[from] != ' ' && text[from] != '\n') from++;
    return from;
}

static void fill(Page *p, const char *text, size_t bytes, int indent) {
    for (size_t i = 0; i < bytes;) {
        size_t end = word_end(text, bytes, i);
        int width = width_of(text + i, end - i);
        for (size_t j = i; j < end; j++) width -= text[j] == '`';
        if (p->column > indent && p->column + 1 + width > p->columns) new_line(p, indent);
        else if (p->column > indent) fputc(' ', p->out), p->column++;
        put_word(p, text + i, end - i);
        p->column += width;
        for (i = end; i < bytes && (text[i] == ' ' || text[i] == '\n');) i++;
    }
}

static void paragraph(Page *p, const char *text, size_t bytes) {
    fprintf(p->out, "%*s", p->indent, "");
    p->column = p->indent;
    fill(p, text, bytes, p->indent);
    fputc('\n', p->out);
}

static void item(Page *p, const char *text, size_t bytes) {
    fprintf(p->out, "%*s- ", p->indent, "");
    p->column = p->indent + 2;
    fill(p, text + 2, bytes - 2, p->indent + 2);
    fputc('\n', p->out);
}

/* ---- headings, code ---- */

static void heading(Page *p, const char *text, size_t bytes) {
    size_t level = strspn(text, "#");
    text += level + 1;
    bytes -= level + 1;
    style(p, level == 3 ? "1;36" : "1");
    p->column = 0;
    for (size_t i = 0; i < bytes;) {        /* as fill(), but what goes on is indented */
        size_t end = word_end(text, bytes, i);
        int width = width_of(text + i, end - i);
        if (p->column && p->column + 1 + width > p->columns) new_line(p, 2 * MARGIN);
        else if (p->column) fputc(' ', p->out), p->column++;
        fwrite(text + i, 1, end - i, p->out);
        p->column += width;
        for (i = end; i < bytes && text[i] == ' ';) i++;
    }
    style(p, "0");
    fputc('\n', p->out);
    if (level < 3) {
        int width = width_of(text, bytes);
        for (int i = 0; i < width && i < p->columns; i++) fputs(level == 1 ? "=" : "-", p->out);
        fputc('\n', p->out);
    }
}

static void code_line(Page *p, const char *text, size_t bytes) {
    int more = p->columns < NARROW ? 0 : MARGIN;
    fprintf(p->out, "%*s", bytes ? p->indent + more : 0, "");
    style(p, "33");
    fwrite(text, 1, bytes, p->out);
    style(p, "0");
    fputc('\n', p->out);
}

/* ---- tables ---- */

enum { MAX_COLUMNS = 8, MAX_ROWS = 128 };
typedef struct Cell { const char *text; size_t bytes; } Cell;

/* "| a | b |", where \| is no border. */
static int split_row(const char *line, size_t bytes, Cell *cells) {
    int count = 0;
    for (size_t i = 1; i < bytes && count < MAX_COLUMNS;) {
        size_t end = i;
        while (end < bytes && (line[end] != '|' || line[end - 1] == '\\')) end++;
        size_t from = i, to = end;
        while (from < to && line[from] == ' ') from++;
        while (to > from && line[to - 1] == ' ') to--;
        if (end < bytes) cells[count++] = (Cell){ line + from, to - from };
        i = end + 1;
    }
    return count;
}

/* Without the marks of code. */
static int cell_width(Cell c) {
    int width = width_of(c.text, c.bytes);
    for (size_t i = 0; i < c.bytes; i++) width -= c.text[i] == '`' || c.text[i] == '\\';
    return width;
}

static void put_cell(Page *p, Cell c) {
    for (size_t i = 0; i < c.bytes; i++)
        if (c.text[i] != '\\') put_word(p, c.text + i, 1);
}

/* Draws the table that starts here; the text behind it. The last column is filled. */
static const char *table(Page *p, const char *text) {
    static Cell rows[MAX_ROWS][MAX_COLUMNS];
    int count = 0, columns = 0, width[MAX_COLUMNS] = { 0 };
    for (; *text == '|';
         text += text[strcspn(text, "\n")] ? strcspn(text, "\n") + 1 : strlen(text)) {
        if (!strncmp(text, "| ---", 5) || count == MAX_ROWS) continue;
        columns = split_row(text, strcspn(text, "\n"), rows[count]);
        for (int i = 0; i < columns; i++)
            if (cell_width(rows[count][i]) > width[i]) width[i] = cell_width(rows[count][i]);
        count++;
    }
    for (int i = 0; i + 1 < columns; i++)
        if (width[i] > p->columns / 2) width[i] = p->columns / 2;
    for (int r = 0; r < count; r++) {
        int column = p->indent;
        fprintf(p->out, "%*s", p->indent, "");
        if (r == 0) style(p, "1");
        for (int i = 0; i + 1 < columns; i++) {
            put_cell(p, rows[r][i]);
            int used = cell_width(rows[r][i]);
            if (used > width[i]) { fprintf(p->out, "\n%*s", column + width[i] + 2, ""); }
            else fprintf(p->out, "%*s", width[i] - used + 2, "");
            column += width[i] + 2;
        }
        p->column = column;
        if (columns) fill(p, rows[r][columns - 1].text, rows[r][columns - 1].bytes, column);
        if (r == 0) style(p, "0");
        fputc('\n', p->out);
    }
    return text;
}

/* ---- the page ---- */

/* A line that begins with `code` goes on with its paragraph. */
static bool begins_block(const char *line) {
    return !*line || strchr("\n#|", *line) || !strncmp(line, "- ", 2) || !strncmp(line, "```", 3);
}

void draw_terminal(FILE *out, const char *text, int columns, bool colour) {
    Page p = { .out = out,
               .columns = columns < WIDEST ? columns > 20 ? columns : 20 : WIDEST,
               .indent = MARGIN,
               .colour = colour };
    bool fenced = false;
    while (*text == '\n') text++;
    while (*text) {
        size_t bytes = strcspn(text, "\n");
        bool fence = !strncmp(text, "```", 3);
        if (fence) fenced = !fenced;
        else if (fenced) code_line(&p, text, bytes);
        else if (*text == '#') heading(&p, text, bytes);
        else if (*text == '|') { text = table(&p, text); continue; }
        else if (!strncmp(text, "- ", 2)) item(&p, text, bytes);
        else if (!bytes) fputc('\n', out);
        else {
            while (text[bytes] && !begins_block(text + bytes + 1))
                bytes += 1 + strcspn(text + bytes + 1, "\n");
            paragraph(&p, text, bytes);
        }
        text += bytes + (text[bytes] == '\n');
    }
}
