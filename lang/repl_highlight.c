/* What the screen shows while one types. The one idea: Readline draws, and knows what it has drawn;
 * then the very same cells are printed again in colour, between saving and restoring the cursor.
 *
 * Readline is given a text made for display instead of its own: `...> ` begins each further line,
 * control characters and stray bytes are made visible, and of a text taller than the screen only a
 * window around the cursor remains. Colours come from the interpreter's lexer. There are none in a
 * search, without colour, in a window and in very long texts. */
#define _GNU_SOURCE
#include "repl_parts.h"
#include "lex.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>
#include <readline/readline.h>

static const wchar_t NO_CHARACTER = -1;
enum { LONGEST_IN_COLOUR = 1 << 16, PROMPT_COLUMNS = 5, TAB_COLUMNS = 4, PATIENCE_MS = 60 };
static const char continuation[] = "...> ";

/* The text as it is shown. at[i] is where byte i of the buffer begins in it. */
typedef struct Shown {
    char *text;
    int bytes, capacity, point;
    int *at;
    int at_capacity;
    bool in_colour;
} Shown;
static Shown shown;
static struct { bool painted, stale; int columns, rows, first_row; double drawn; } view;

/* ---- the text for display ---- */

static void put(const char *text, int bytes) {
    if (shown.bytes + bytes + 1 > shown.capacity) {
        shown.capacity = 2 * (shown.bytes + bytes) + 256;
        shown.text = realloc(shown.text, (size_t)shown.capacity);
    }
    memcpy(shown.text + shown.bytes, text, (size_t)bytes);
    shown.bytes += bytes;
    shown.text[shown.bytes] = 0;
}

static void put_character(const char *text, int bytes, wchar_t c) {
    char visible[2] = { '^', (char)(*text ^ 64) };
    if (c == L'\n') put("\n", 1), put(continuation, PROMPT_COLUMNS);
    else if (c == L'\t') put("        ", TAB_COLUMNS);
    else if ((unsigned char)*text < 32 || *text == 127) put(visible, 2);
    else if (c == NO_CHARACTER || wcwidth(c) < 0) put("\xEF\xBF\xBD", 3);
    else put(text, bytes);
}

/* The character at `at` of a text; NO_CHARACTER and one byte if it is none. */
static wchar_t character(const char *text, int left, int *bytes) {
    mbstate_t state = { 0 };
    wchar_t c;
    size_t length = mbrtowc(&c, text, (size_t)left, &state);
    bool good = length && length != (size_t)-1 && length != (size_t)-2;
    *bytes = good ? (int)length : 1;
    return good ? c : NO_CHARACTER;
}

static void make_shown(void) {
    if (shown.at_capacity < rl_end + 2) {
        shown.at_capacity = 2 * rl_end + 256;
        shown.at = realloc(shown.at, (size_t)shown.at_capacity * sizeof *shown.at);
    }
    shown.bytes = 0;
    put("", 0);
    for (int i = 0, bytes; i < rl_end; i += bytes) {
        wchar_t c = character(rl_line_buffer + i, rl_end - i, &bytes);
        for (int k = 0; k < bytes; k++) shown.at[i + k] = shown.bytes;
        put_character(rl_line_buffer + i, bytes, c);
    }
    shown.at[rl_end] = shown.bytes;
    shown.point = shown.at[rl_point < rl_end ? rl_point : rl_end];
}

/* ---- cells ---- */

typedef struct ScreenCell { int row, column; } ScreenCell;

/* Moves over one character as the terminal and Readline do: what does not fit begins the next row.
 */
static void advance(ScreenCell *cell, wchar_t c) {
    if (c == L'\n') {
        *cell = (ScreenCell){ cell->row + 1, 0 };
        return;
    }
    int width = c == NO_CHARACTER ? 1 : wcwidth(c);
    if (cell->column + width > view.columns) *cell = (ScreenCell){ cell->row + 1, 0 };
    cell->column += width;
    if (cell->column == view.columns) *cell = (ScreenCell){ cell->row + 1, 0 };
}

/* Readline may write the mode before the prompt: `(ins)adl> `. What stands between \001 and \002 is
 * not seen. */
static int mode_columns(void) {
    const char *wanted = rl_variable_value("show-mode-in-prompt");
    if (!wanted || strcmp(wanted, "on")) return 0;
    bool command = rl_get_keymap() == rl_get_keymap_by_name("vi-command");
    const char *mode = rl_variable_value(rl_editing_mode ? "emacs-mode-string"
                                         : command       ? "vi-cmd-mode-string"
                                                         : "vi-ins-mode-string");
    int columns = 0, left = mode ? (int)strlen(mode) : 0;
    bool unseen = false;
    for (int bytes; left > 0; mode += bytes, left -= bytes) {
        wchar_t c = character(mode, left, &bytes);
        if (c == RL_PROMPT_START_IGNORE || c == RL_PROMPT_END_IGNORE)
            unseen = c == RL_PROMPT_START_IGNORE;
        else if (!unseen && c != NO_CHARACTER && wcwidth(c) > 0) columns += wcwidth(c);
    }
    return columns;
}

static ScreenCell start_cell(void) { return (ScreenCell){ 0, mode_columns() + PROMPT_COLUMNS }; }

static ScreenCell cell_of(int point) {
    ScreenCell cell = start_cell();
    for (int i = 0, bytes; i < point; i += bytes)
        advance(&cell, character(shown.text + i, shown.bytes - i, &bytes));
    return cell;
}

/* ---- a window of a text taller than the screen ---- */

/* The row on which a character lands: what does not fit in this one is in the next. */
static int row_for(ScreenCell cell, wchar_t c) {
    int width = c == L'\n' ? 0 : c == NO_CHARACTER ? 1 : wcwidth(c);
    return cell.row + (cell.column + width > view.columns);
}

/* The first byte that lands on this row or below. */
static int byte_of_row(int row) {
    ScreenCell cell = start_cell();
    int i = 0;
    for (int length; i < shown.bytes; i += length) {
        wchar_t c = character(shown.text + i, shown.bytes - i, &length);
        if (row_for(cell, c) >= row) break;
        advance(&cell, c);
    }
    return i;
}

/* Rows [first, end), below a line that says how many stand above. */
static void cut_rows(int first, int end) {
    int from = byte_of_row(first), to = byte_of_row(end), point = shown.point;
    char *whole = shown.text, head[40] = "";
    if (to > from && whole[to - 1] == '\n') to--;
    if (first)
        snprintf(head, sizeof head, view.columns < 30 ? "... %d\n" : "... %d rows above\n", first);
    shown = (Shown){ .at = shown.at, .at_capacity = shown.at_capacity };
    put(head, (int)strlen(head));
    put(whole + from, to - from);
    if (point < from) point = from;
    if (point > to) point = to;
    shown.point = point - from + (int)strlen(head);
    free(whole);
}

static void fit_window(void) {
    int rows = cell_of(shown.bytes).row + 1, room = view.rows - 1;
    shown.in_colour = rows <= view.rows && rl_end <= LONGEST_IN_COLOUR;
    if (rows <= view.rows) {
        view.first_row = 0;
        return;
    }
    int row = cell_of(shown.point).row, first = view.first_row;
    if (room < 2) room = 2;
    if (row < first + 1 || row >= first + room - 1) first = row - room / 2;
    if (first > rows - room + 1) first = rows - room + 1;
    if (first < 0) first = 0;
    view.first_row = first;
    cut_rows(first, first + room - (first > 0));
}

/* Readline draws `shown` instead of its buffer. */
static void draw_plainly(void) {
    char *line = rl_line_buffer;
    int end = rl_end, point = rl_point, mark = rl_mark;
    rl_line_buffer = shown.text;
    rl_end = shown.bytes;
    rl_point = shown.point;
    rl_mark = 0;
    rl_redisplay();
    rl_line_buffer = line;
    rl_end = end;
    rl_point = point;
    rl_mark = mark;
}

/* ---- colours ---- */

static const char *colour_of_class(TokenClass class) {
    switch (class) {
    case CLASS_COMMENT:  return "90";
    case CLASS_NUMBER:   return "33";
    case CLASS_STRING:   return "32";
    case CLASS_KEYWORD:  return "1;35";
    case CLASS_CONSTANT: return "33";
    case CLASS_ERROR:    return "31";
    case CLASS_NAME: case CLASS_OPERATOR: case CLASS_BRACKET: case CLASS_NONE: break;
    }
    return "";
}

/* A name of the library that the session has not given a meaning of its own. */
static bool is_library_name(Token t) {
    if (t.end - t.start > 60) return false;
    String *name = symbol_known(rl_line_buffer + t.start, t.end - t.start);
    if (!name || !library_find(name)) return false;
    Value *global = module_global(session.module, name);
    return !global || global->tag == V_UNSET;
}

/* An open string is green: it only lacks its end. */
static const char *colour_of(Token t, const Brackets *b) {
    int at = (int)t.start;
    if (at == b->match[0] || at == b->match[1]) return "1;7";
    if (at == b->wrong) return "31";
    if (t.kind == T_ERROR && strchr("\"rf", rl_line_buffer[at])) return "32";
    if (t.kind == T_NAME) return is_library_name(t) ? "36" : "";
    return colour_of_class(token_class(t.kind));
}

/* Bytes [from, to) of the shown text; a continuation prompt has its own colour. */
static void paint(int from, int to, const char *colour) {
    FILE *out = rl_outstream;
    if (*colour) fprintf(out, "\033[%sm", colour);
    for (int i = from; i < to; i++) {
        if (shown.text[i] != '\n') {
            fputc(shown.text[i], out);
            continue;
        }
        fprintf(out, "\r\n\033[0;34m%s\033[m", continuation);
        if (*colour) fprintf(out, "\033[%sm", colour);
        i += PROMPT_COLUMNS;
    }
    if (*colour) fputs("\033[m", out);
}

/* `:time` and `?` are no tokens of the language. */
static uint32_t command_end(void) {
    int i = 0, start;
    while (i < rl_end && rl_line_buffer[i] == ' ') i++;
    start = i;
    if (i == rl_end || !is_command(rl_line_buffer + i)) return 0;
    while (i < rl_end && rl_line_buffer[i] == '?') i++;
    if (i == start) while (i < rl_end && rl_line_buffer[i] != ' ' && rl_line_buffer[i] != '\n') i++;
    return (uint32_t)i;
}

static void paint_tokens(const Brackets *b) {
    uint32_t done = command_end();
    paint(0, shown.at[done], "1;35");
    Lexer lexer = lex_start(rl_line_buffer + done, (size_t)rl_end - done, true);
    uint32_t offset = done;
    for (Token t = lex_next(&lexer); t.kind != T_END; t = lex_next(&lexer)) {
        t.start += offset;
        t.end += offset;
        if (t.start < done) continue;
        paint(shown.at[done], shown.at[t.start], "");
        paint(shown.at[t.start], shown.at[t.end], colour_of(t, b));
        done = t.end;
    }
    paint(shown.at[done], shown.bytes, "");
}

static void draw_in_colour(bool marks) {
    FILE *out = rl_outstream;
    ScreenCell cursor = cell_of(shown.point);
    Brackets b = { { -1, -1 }, -1 };
    if (marks) b = find_brackets(rl_line_buffer, (size_t)rl_end, rl_point);
    fputs("\033[?25l\0337", out);
    if (cursor.row) fprintf(out, "\033[%dA", cursor.row);
    fprintf(out, "\033[%dG", start_cell().column + 1);
    paint_tokens(&b);
    fputs("\033[m\0338\033[?25h", out);
    fflush(out);
    view.painted = true;
}

/* ---- drawing ---- */

static double now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* A search has its own prompt, and no colours: what was painted is taken away first. */
static void draw(bool marks) {
    view.stale = false;
    view.drawn = now_ms();
    if (!session.blocks) {
        rl_redisplay();
        return;
    }
    rl_get_screen_size(&view.rows, &view.columns);
    bool searching =
        RL_ISSTATE(RL_STATE_ISEARCH | RL_STATE_NSEARCH) || rl_display_prompt != rl_prompt;
    make_shown();
    fit_window();
    bool in_colour =
        session.colour && shown.in_colour && !searching && view.columns > start_cell().column;
    if (view.painted && !in_colour) {
        view.painted = false;
        rl_clear_visible_line();
        rl_on_new_line();
    }
    draw_plainly();
    if (in_colour) draw_in_colour(marks);
}

/* While text pours in there is no need to show each of its letters. */
void highlight_redisplay(void) {
    view.stale = edit_input_waits() && now_ms() - view.drawn < PATIENCE_MS;
    if (!view.stale) draw(true);
}

void highlight_catch_up(void) {
    if (view.stale) draw(true);
}

void highlight_final(void) { draw(false); }

/* Terminals wrap long lines anew when their width changes: the cursor is where it would be had the
 * text been written at this width. All of it goes, and is drawn again. */
void highlight_resized(void) {
    rl_reset_screen_size();
    if (session.blocks) {
        rl_get_screen_size(&view.rows, &view.columns);
        int row = cell_of(shown.point).row;
        if (row >= view.rows) row = view.rows - 1;
        fputs("\r", rl_outstream);
        if (row) fprintf(rl_outstream, "\033[%dA", row);
        fputs("\033[J", rl_outstream);
        rl_on_new_line();
    }
    draw(true);
}

void highlight_below(void) {
    draw(false);
    if (!session.blocks) return;
    int below = cell_of(shown.bytes).row - cell_of(shown.point).row;
    if (below > 0) fprintf(rl_outstream, "\033[%dB", below);
}

void highlight_open(void) { rl_redisplay_function = highlight_redisplay; }
