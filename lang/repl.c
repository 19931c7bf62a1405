/* The prompt. The one idea: the parser says whether a text is whole; until it is, `...> ` asks for more, and
 * what is whole runs at once in the prompt's module.
 *
 * Ctrl-C at the prompt drops the line; while a statement runs it stops it, and every variable is again what
 * it was before. */
#include "repl.h"
#include "eval.h"
#include "format.h"
#include "io.h"
#include "looking.h"
#include "views.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Line {
    Module *module;
    Ast *program;
    Value *before;           /* the variables as they were, held */
    size_t count;
} Line;

static bool shows_value(const Ast *program) {
    if (!(program->flags & AST_VALUE) || !program->count) return false;
    return !(program->kids[program->count - 1]->flags & AST_QUIET);
}

static void run_line(void *env) {
    Line *line = env;
    size_t mark = pool_mark();
    view_forget();
    Value v = module_run(line->module, line->program);
    if (shows_value(line->program) && v.tag != V_NIL && !view_has_shown(v)) {
        Buffer text = { 0 };
        format_literal(&text, v, NULL);
        buffer_char(&text, '\n');
        io_write(text.text, text.bytes);
    }
    pool_unwind(mark);
    tape_statement_end(0);
}

/* ---- variables as they were ---- */

static void remember(Line *line) {
    line->count = line->module->set_up;
    line->before = malloc((line->count + 1) * sizeof *line->before);
    for (size_t i = 0; line->before && i < line->count; i++) line->before[i] = value_hold(line->module->globals[i]);
}

static void restore(Line *line) {
    Module *module = line->module;
    for (size_t i = 0; i < module->set_up; i++) {
        value_store(&module->globals[i], line->before && i < line->count ? line->before[i] : UNSET);
    }
}

static void forget(Line *line) {
    for (size_t i = 0; line->before && i < line->count; i++) value_release(line->before[i]);
    free(line->before);
}

/* ---- reading ---- */

/* Adds a line of standard input to *text. false: the input has ended. *dropped: Ctrl-C. */
static bool read_line(char **text, size_t *bytes, bool *dropped) {
    fputs(*bytes ? "...> " : "adl> ", stdout);
    fflush(stdout);
    char *line = NULL;
    size_t capacity = 0;
    errno = 0;
    ssize_t got = getline(&line, &capacity, stdin);
    *dropped = rt.interrupted || (got < 0 && errno == EINTR);
    if (*dropped) {
        clearerr(stdin);
        rt.interrupted = 0;
        *bytes = 0;
        fputc('\n', stdout);
    } else if (got > 0) {
        *text = realloc(*text, *bytes + (size_t)got + 1);
        memcpy(*text + *bytes, line, (size_t)got + 1);
        *bytes += (size_t)got;
    }
    free(line);
    return got > 0 || *dropped;
}

/* Reads until the text is a whole program, or one that more text cannot mend. */
static bool read_program(char **text, int number, Source **source, Parsed *parsed) {
    size_t bytes = 0;
    bool dropped;
    while (read_line(text, &bytes, &dropped)) {
        if (dropped) continue;
        char name[32];
        snprintf(name, sizeof name, "adl[%d]", number);
        *source = source_new(name, *text, bytes);
        *parsed = parse(*source);
        if (parsed->status != PARSE_INCOMPLETE) return true;
    }
    return false;
}

/* `quit` or `exit` alone on a line. */
static bool is_farewell(const Source *source) {
    size_t bytes = source->bytes;
    while (bytes && (source->text[bytes - 1] == '\n' || source->text[bytes - 1] == ' ')) bytes--;
    return bytes == 4 && (!memcmp(source->text, "quit", 4) || !memcmp(source->text, "exit", 4));
}

int repl_run(Module *module, void (*report)(const Error *error, const Source *source)) {
    char *text = NULL;
    int number = 1, status = -1;
    Source *source;
    Parsed parsed;
    looking_start();
    while (status < 0 && read_program(&text, number, &source, &parsed)) {
        number++;
        if (is_farewell(source)) {
            free(text);
            return 0;
        }
        for (int i = 0; i < parsed.warnings; i++) module_warn(&parsed.warning[i]);
        if (parsed.status == PARSE_ERROR) {
            for (int i = 0; i < parsed.errors; i++) report(&parsed.error[i], source);
            continue;
        }
        Line line = { module, parsed.program, NULL, 0 };
        Error error;
        rt.interrupted = 0;
        remember(&line);
        if (!guard(run_line, &line, &error)) {
            if (error.kind == E_INTERRUPT) restore(&line);
            if (error.kind == E_EXIT) status = error.status;
            else report(&error, source);
        }
        forget(&line);
    }
    free(text);
    if (status < 0) fputc('\n', stdout);
    return status < 0 ? 0 : status;
}
