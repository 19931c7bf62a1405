/* The prompt: what was typed becomes statements, and each runs in the session's module. The one
 * idea: a text of several statements, pasted or typed, is cut where they begin on lines of their
 * own, and each piece runs as if it had been typed alone: with its own name adl[3], its value
 * shown, its place in the history.
 *
 * Whatever goes wrong ends in the loop below. After Ctrl-C each variable is again what it was
 * before the statement (repl_state.c); after an error `err` says what it was. */
#include "repl_parts.h"
#include "format.h"
#include "errors.h"
#include "io.h"
#include "lex.h"
#include "live.h"
#include "looking.h"
#include "options.h"
#include "report.h"
#include "views.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

Session session;

/* ---- is it whole? ---- */

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

static size_t skip_space(const char *text, size_t at, size_t bytes) {
    while (at < bytes && is_space(text[at])) at++;
    return at;
}

/* Open brackets and unclosed """ say without a parse that a text is not whole. */
static bool has_open_bracket(const char *text, size_t bytes) {
    Lexer lexer = lex_start(text, bytes, false);
    long depth = 0;
    for (Token t = lex_next(&lexer); t.kind != T_END; t = lex_next(&lexer)) {
        if (t.kind == T_ERROR) return t.unfinished;
        if (t.kind == T_PAREN_OPEN || t.kind == T_SQUARE_OPEN || t.kind == T_BRACE_OPEN) depth++;
        if (t.kind == T_PAREN_CLOSE || t.kind == T_SQUARE_CLOSE || t.kind == T_BRACE_CLOSE) depth--;
        if (depth < 0) return false;
    }
    return depth > 0;
}

typedef struct Question { const char *text; size_t bytes; ParseStatus status; } Question;

static void ask_parser(void *env) {
    Question *q = env;
    SourceMark mark = source_mark();
    q->status = parse(source_new("adl", q->text, q->bytes)).status;
    source_forget(mark);
}

/* A description waits for its `fn`. */
static bool ends_in_description(const char *text, size_t bytes) {
    Lexer lexer = lex_start(text, bytes, false);
    if (lex_next(&lexer).kind != T_END) return false;
    size_t line = bytes;
    while (line && text[line - 1] != '\n') line--;
    while (line < bytes && text[line] == ' ') line++;
    return bytes - line >= 2 && text[line] == '#' && text[line + 1] == '#';
}

ParseStatus text_status(const char *text, size_t bytes) {
    size_t start = skip_space(text, 0, bytes);
    if (start == bytes || is_command(text + start)) return PARSE_OK;
    if (has_open_bracket(text, bytes) || ends_in_description(text, bytes)) return PARSE_INCOMPLETE;
    Question question = { text, bytes, PARSE_ERROR };
    Error error;
    if (!guard(ask_parser, &question, &error) && error.kind == E_INTERRUPT)
        rt.interrupted = INTERRUPT_NOW;      /* it was meant for what is about to run */
    return question.status;
}

/* ---- running one statement ---- */

typedef struct Running { Ast *program; bool shown; Value value; } Running;

static bool shows_value(const Ast *program) {
    if (!(program->flags & AST_VALUE) || !program->count) return false;
    return !(program->kids[program->count - 1]->flags & AST_QUIET);
}

static void run_program(void *env) {
    Running *run = env;
    view_forget();
    run->value = module_run(session.module, run->program);
    if (!run->shown) return;
    size_t mark = pool_mark();
    if (shows_value(run->program) && run->value.tag != V_NIL && !view_has_shown(run->value))
        show_value(run->value);
    pool_unwind(mark);
}

typedef struct Failure { const Error *error; } Failure;

static void put_err(void *env) { library_put(SYMBOL("err"), error_value(((Failure *)env)->error)); }

static void report(Error *error, bool restored) {
    if (error->kind == E_EXIT) {
        session.status = error->status;
        return;
    }
    if (error->kind == E_INTERRUPT && isatty(STDERR_FILENO))
        fputc('\n', stderr);     /* behind the ^C of the terminal */
    if (restored && !error->hint[0])
        snprintf(error->hint, sizeof error->hint,
                 "every variable is as it was before this statement");
    size_t mark = pool_mark();
    guard(put_err, &(Failure){ error }, NULL);
    pool_unwind(mark);
    report_error(error);
}

static void set_width(void) {
    int columns, rows;
    screen_size(&columns, &rows);
    if (session.width) columns = session.width;
    else if (!isatty(STDOUT_FILENO)) columns = 80;
    format_options.width = columns;
}

bool run_guarded(void (*body)(void *env), void *env) {
    Error error;
    set_width();
    State *before = state_take();
    bool fine = guard(body, env, &error);
    bool stopped = !fine && error.kind == E_INTERRUPT;
    if (stopped) state_restore(before);
    state_forget(before);
    live_rest();
    if (!fine) report(&error, stopped);
    return fine;
}

char *pool_text(const char *text) {
    size_t bytes = strlen(text) + 1;
    return memcpy(pool_bytes(bytes), text, bytes);
}

static void report_parse(const Parsed *parsed) {
    for (int i = 0; i < parsed->errors; i++) report(&parsed->error[i], false);
}

static bool run_parsed(const Parsed *parsed, bool shown, Value *v) {
    for (int i = 0; i < parsed->warnings && module_warn; i++) module_warn(&parsed->warning[i]);
    Running run = { parsed->program, shown, NIL };
    bool fine = run_guarded(run_program, &run);
    if (v) *v = run.value;
    return fine;
}

typedef struct Text { const char *text; size_t bytes; Source *source; Parsed parsed; } Text;

static void parse_text(void *env) {
    Text *t = env;
    char name[32];
    snprintf(name, sizeof name, "adl[%d]", session.number);
    t->source = source_new(name, t->text, t->bytes);
    t->parsed = parse(t->source);
}

/* false: it is no program, and that has been said. */
static bool parsed_well(Text *t) {
    Error error;
    bool fine = guard(parse_text, t, &error);
    session.number++;
    if (!fine) report(&error, false);
    else if (t->parsed.status != PARSE_OK) report_parse(&t->parsed);
    return fine && t->parsed.status == PARSE_OK;
}

bool run_quietly(const char *text, Value *v) {
    Text t = { .text = text, .bytes = strlen(text) };
    return parsed_well(&t) && run_parsed(&t.parsed, false, v);
}

/* ---- one text, several statements ---- */

static size_t line_end(const char *text, size_t at, size_t bytes) {
    const char *newline = at < bytes ? memchr(text + at, '\n', bytes - at) : NULL;
    return newline ? (size_t)(newline - text) : bytes;
}

/* Where the statements that begin on the line of kids[*i] end; *i moves behind them. */
static size_t group_end(const Source *source, const Ast *program, uint32_t *i) {
    uint32_t start, end;
    span_bounds(program->kids[(*i)++]->span, &start, &end);
    for (; *i < program->count; ++*i) {
        uint32_t next, next_end;
        span_bounds(program->kids[*i]->span, &next, &next_end);
        if (memchr(source->text + end, '\n', next > end ? next - end : 0)) break;
        end = next_end;
    }
    return *i == program->count ? source->bytes : line_end(source->text, end, source->bytes);
}

static bool is_word_alone(const char *text, size_t bytes, const char *word) {
    size_t start = skip_space(text, 0, bytes);
    while (bytes > start && is_space(text[bytes - 1])) bytes--;
    if (bytes - start != strlen(word) || memcmp(text + start, word, bytes - start)) return false;
    Value *global = module_global(session.module, symbol(word, strlen(word)));
    return !global || global->tag == V_UNSET;
}

/* `quit`, `exit` and `help` alone, unless they are variables. */
static bool run_word(const char *text, size_t bytes) {
    if (is_word_alone(text, bytes, "help")) help_alone();
    else if (is_word_alone(text, bytes, "quit") || is_word_alone(text, bytes, "exit"))
        session.status = 0;
    else return false;
    return true;
}

/* A copy in the pool, without space at its ends. */
static char *trimmed(const char *text, size_t bytes, size_t *length) {
    while (bytes && is_space(text[bytes - 1])) bytes--;
    size_t line = 0;
    for (size_t i = 0; i < bytes && is_space(text[i]); i++)
        if (text[i] == '\n') line = i + 1;
    *length = bytes - line;
    char *copy = pool_bytes(*length + 1);
    memcpy(copy, text + line, *length);
    copy[*length] = 0;
    return copy;
}

static bool run_piece(const char *text, size_t bytes) {
    size_t length;
    text = trimmed(text, bytes, &length);
    if (!length || run_word(text, length)) return true;
    history_remember(text, length);
    if (is_command(text + skip_space(text, 0, length))) {
        bool fine = command_run(text + skip_space(text, 0, length));
        session.number++;
        return fine;
    }
    Text t = { .text = text, .bytes = length };
    return parsed_well(&t) && run_parsed(&t.parsed, true, NULL);
}

/* The text up to a line with a command, if what stands before that is whole. */
static size_t text_before_command(const char *text, size_t bytes) {
    for (size_t at = line_end(text, 0, bytes); at < bytes; at = line_end(text, at + 1, bytes)) {
        size_t first = skip_space(text, at + 1, bytes);
        if (first < bytes && is_command(text + first) && text_status(text, at) == PARSE_OK)
            return at;
    }
    return bytes;
}

/* Runs a text without commands, statement by statement, up to the first that fails. */
static bool run_statements(const char *text, size_t bytes) {
    SourceMark mark = source_mark();
    Text whole = { .text = text, .bytes = bytes };
    if (!guard(parse_text, &whole, NULL) || whole.parsed.status != PARSE_OK)
        return run_piece(text, bytes);
    const Ast *program = whole.parsed.program;
    Buffer copy = { 0 }; /* with normal line ends; the source is about to go */
    buffer_add(&copy, whole.source->text, whole.source->bytes);
    size_t *ends = pool_bytes((program->count + 1) * sizeof *ends), pieces = 0;
    for (uint32_t i = 0; i < program->count;) ends[pieces++] = group_end(whole.source, program, &i);
    source_forget(mark);
    size_t from = 0;
    for (size_t i = 0; i < pieces && session.status < 0; from = ends[i++])
        if (!run_piece(copy.text + from, ends[i] - from)) return false;
    return true;
}

bool run_text(const char *text, size_t bytes) {
    for (size_t at = 0; at < bytes && session.status < 0;) {
        size_t first = skip_space(text, at, bytes);
        if (first == bytes) break;
        bool command = is_command(text + first);
        size_t end = command ? line_end(text, first, bytes)
                             : at + text_before_command(text + at, bytes - at);
        size_t mark = pool_mark();
        bool fine =
            command ? run_piece(text + first, end - first) : run_statements(text + at, end - at);
        pool_unwind(mark);
        tape_statement_end(0);
        if (!fine) return false;
        at = end;
    }
    return true;
}

/* ---- the init file ---- */

static const char *init_path(char path[PATH_MAX]) {
    const char *folder = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    if (folder && *folder) snprintf(path, PATH_MAX, "%s/adl/init.adl", folder);
    else if (home && *home) snprintf(path, PATH_MAX, "%s/.config/adl/init.adl", home);
    else return NULL;
    return access(path, F_OK) ? NULL : path;
}

static void run_init(void *path) {
    size_t mark = pool_mark();
    bool sandbox = rt.sandbox;
    rt.sandbox = false;                        /* reading it is the user's own wish */
    Buffer text = io_read_file(string_of(path).as.string);
    rt.sandbox = sandbox;
    module_run_source(session.module, source_new(path, text.text, text.bytes));
    pool_unwind(mark);
}

static void read_init_file(void) {
    char path[PATH_MAX];
    if (!init_path(path)) return;
    Error error;
    bool sandbox = rt.sandbox, script = session.module->script;
    session.module->script = true;
    if (!guard(run_init, path, &error)) report(&error, false);
    session.module->script = script;
    rt.sandbox = sandbox;
    tape_statement_end(0);
}

/* ---- the loop ---- */

/* Reads until the text is whole, or is such that more of it cannot mend it. */
static char *read_block(void) {
    bool dropped = false;
    char *text = edit_read(&dropped);
    while (text && dropped) {
        free(text);
        text = edit_read(&dropped);
    }
    return text;
}

static void run_whole(void *text) { run_text(text, strlen(text)); }

void repl_greet(const char *text) {
    size_t mark = pool_mark();
    Buffer lines = { 0 };
    set_width();
    wrap_text(&lines, text, 0, format_options.width);
    io_write(lines.text, lines.bytes);
    pool_unwind(mark);
}

int repl_run(Module *module) {
    session = (Session){
        .module = module, .colour = options_colour(STDOUT_FILENO), .number = 1, .status = -1
    };
    looking_start();
    message_more = "?%s says more";
    set_width();
    library_put(SYMBOL("ans"), NIL);
    library_put(SYMBOL("err"), NIL);
    edit_open();
    session.colour_wanted = session.colour;
    if (!options.no_init) read_init_file();
    char *text = NULL;
    while (session.status < 0 && (text = read_block())) {
        size_t bytes = strip_transcript(text, strlen(text));
        text[bytes] = 0;
        Error error;
        if (!guard(run_whole, text, &error)) report(&error, false);
        free(text);
    }
    edit_close();
    return session.status < 0 ? 0 : session.status;
}
