/* Playing a lesson. The one idea: a lesson is a plain program, and playing it is reading it aloud:
 * comments as text, each statement as if it were typed at the prompt, and what it prints below it.
 * Questions (stdlib/learn.adl) are asked, not shown. On a terminal a lesson waits between its
 * paragraphs. */
#include "learn.h"
#include "eval.h"
#include "io.h"
#include "looking.h"
#include "options.h"
#include "report.h"
#include "screen.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- lines of a lesson ---- */

static const char *line_text(const Source *source, uint32_t line) {
    size_t bytes;
    const char *text = source_line(source, line, &bytes);
    return string_new(text, bytes).as.string->text;
}

static bool is_comment(const char *line) { return *line == '#'; }
static bool is_blank(const char *line) { return !line[strspn(line, " ")]; }
static const char *comment_text(const char *line) { return line + 1 + (line[1] == ' '); }

/* ---- showing ---- */

static void show(Style style, const char *text) {
    Buffer b = { 0 };
    style_text(&b, style, text, -1);
    buffer_char(&b, '\n');
    io_write(b.text, b.bytes);
}

static bool interactive(void) { return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO); }

/* false: the reader has had enough. */
static bool go_on(void) {
    if (!interactive()) return true;
    Value answer = io_read_line(string_of("  [Enter goes on, q leaves] ").as.string);
    return answer.tag == V_STRING && strncmp(answer.as.string->text, "q", 1);
}

/* Comments from line on, up to the statement: paragraphs, wrapped to the screen. false: leave. */
static bool show_text(const Source *source, uint32_t from, uint32_t to, bool *begun) {
    Buffer words = { 0 }, out = { 0 };
    for (uint32_t line = from; line < to; line++) {
        const char *text = line_text(source, line);
        if (is_comment(text) && !is_blank(comment_text(text))) {
            if (words.bytes) buffer_char(&words, ' ');
            buffer_text(&words, comment_text(text));
            continue;
        }
        if (words.bytes) {
            wrap_text(&out, buffer_string(&words).as.string->text, 0, screen_columns());
            buffer_char(&out, '\n');
        }
        words = (Buffer){ 0 };
    }
    if (words.bytes) wrap_text(&out, buffer_string(&words).as.string->text, 0, screen_columns());
    if (!out.bytes) return true;
    if (*begun && !go_on()) return false;
    *begun = true;
    io_write("\n", 1);
    io_write(out.text, out.bytes);
    if (out.text[out.bytes - 1] != '\n') io_write("\n", 1);
    return true;
}

/* import learn and learn.ask(...) are the lesson's own business. */
static bool is_hidden(const char *line) {
    return !strncmp(line, "import learn", 12) || !strncmp(line, "learn.", 6);
}

static void show_code(const Source *source, uint32_t from, uint32_t to) {
    while (to > from + 1 &&
           (is_blank(line_text(source, to - 1)) || is_comment(line_text(source, to - 1))))
        to--;
    if (is_hidden(line_text(source, from))) return;
    for (uint32_t line = from; line < to; line++) {
        Buffer b = { 0 };
        style_text(&b, STYLE_DIM, line == from ? "adl> " : "...> ", -1);
        buffer_text(&b, line_text(source, line));
        buffer_char(&b, '\n');
        io_write(b.text, b.bytes);
    }
}

/* ---- playing ---- */

typedef struct Lesson {
    Module *module;
    Source *source;
    Ast *program;
    uint32_t lines;
} Lesson;

static void play_statements(const Lesson *l, Ast *block) {
    size_t mark = pool_mark();
    module_run(l->module, block);
    pool_unwind(mark);
}

static void play(void *env) {
    Lesson *l = env;
    uint32_t read = 1;
    bool begun = false;
    AstGroup group = { 0 };
    while (ast_next_group(l->program, l->lines + 1, &group)) {
        if (!show_text(l->source, read, group.from, &begun)) return;
        show_code(l->source, group.from, group.to);
        play_statements(l, &group.block);
        read = group.from;
        while (read < group.to && !is_blank(line_text(l->source, read)) &&
               !is_comment(line_text(l->source, read)))
            read++;
        if (read == group.from) read++;
    }
    show_text(l->source, read, l->lines + 1, &begun);
}

static int play_lesson(const EmbeddedFile *file) {
    Lesson l = { .module = module_new("lesson", ""),
                 .source = source_new(file->name, file->text, file->bytes) };
    Parsed parsed = parse(l.source);
    l.program = parsed.program;
    l.lines = l.source->lines;
    Error error;
    if (parsed.status != PARSE_OK) {
        report_error(&parsed.error[0]);
        return STATUS_ERROR;
    }
    looking_at_program(l.program);
    if (guard(play, &l, &error)) return STATUS_FINE;
    report_error(&error);
    return STATUS_ERROR;
}

/* ---- the list ---- */

static const char *title_of(const EmbeddedFile *file, char *title, size_t bytes) {
    size_t length = strcspn(file->text + 2, "\n");
    snprintf(title, bytes, "%.*s", (int)length, file->text + 2);
    return title;
}

static int list_lessons(void) {
    char title[100], line[140];
    show(STYLE_TITLE, "Lessons on automatic differentiation");
    for (const EmbeddedFile *file = embedded_lessons; file->name; file++) {
        snprintf(line, sizeof line, "  %d  %s", atoi(file->name),
                 title_of(file, title, sizeof title));
        show(STYLE_PLAIN, line);
    }
    show(STYLE_DIM, "`adl learn 1` plays the first; each is a plain program of examples/learn");
    return STATUS_FINE;
}

int learn_main(int count, char **words) {
    if (!count) return list_lessons();
    for (const EmbeddedFile *file = embedded_lessons; file->name; file++)
        if (isdigit((unsigned char)*words[0]) && atoi(file->name) == atoi(words[0]))
            return play_lesson(file);
    report_problem(E_ARGUMENT, "adl learn lists them", "there is no lesson %s", words[0]);
    return STATUS_USAGE;
}
