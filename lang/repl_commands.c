/* What begins with a colon. The one idea: one table of commands, which help, completion and "did
 * you mean" read too. A command may be shortened as long as it is the only one. What the commands
 * do stands in repl_inspect.c, repl_files.c and repl_settings.c. */
#define _GNU_SOURCE
#include "repl_parts.h"
#include "diag.h"
#include "format.h"
#include "help.h"
#include "screen.h"
#include "io.h"
#include <stdio.h>
#include <string.h>

static Command help, reset, quit;

/*  name      argument  function  what it does */
static const struct { const char *name, *argument; Command *run; const char *about;
} commands[] = {
    { "help", "[NAME]", help, "about a name, as ?NAME; without one, this list" },
    { "vars", "", command_vars, "the variables of this session, with type and value" },
    { "mem", "", command_mem, "memory: in use, on the tape, and the largest variables" },
    { "time", "CODE", command_timed, "runs once, and says how long it took" },
    { "bench", "CODE", command_bench,
      "runs for about a second, again and again: median, least and most" },
    { "type", "EXPR", command_type,
      "type, dtype and shape of a value, and whether it has a gradient" },
    { "load", "FILE", command_load, "runs a file here: its variables become yours" },
    { "reload", "", command_reload, "loads that file again, and the modules you imported" },
    { "save", "FILE", command_save, "writes the statements of this session to a file" },
    { "edit", "[FILE]", command_edit,
      "the last statement, or a file, in $EDITOR; runs what comes back" },
    { "set", "[NAME VALUE]", command_set,
      "how values are shown, colour, threads; alone, all settings" },
    { "reset", "", reset, "forgets all variables" },
    { "quit", "", quit, "leaves, as quit, exit and Ctrl-D do" },
};
enum { COMMANDS = sizeof commands / sizeof *commands };

const char *command_name(size_t i, const char **about) {
    if (i >= COMMANDS) return NULL;
    *about = commands[i].about;
    return commands[i].name;
}

static int columns(void) { return format_options.width; }

static void show_page(const Buffer *page) { io_write(page->text ? page->text : "", page->bytes); }

/* ---- help ---- */

enum { HEAD_COLUMNS = 22, NARROW = 60 };

/* A head, and beside it, or below where the screen is narrow, what it does. */
static void entry(Buffer *page, const char *head, const char *argument, const char *about) {
    int width = (int)(strlen(head) + strlen(argument)) + (*argument != 0);
    bool narrow = columns() < NARROW;
    Buffer text = { 0 };
    buffer_format(page, "  %s%s%s%s%s", STRONG, head, *argument ? " " : "", argument, PLAIN_TEXT);
    if (narrow) buffer_char(page, '\n');
    else buffer_spaces(page, HEAD_COLUMNS - width);
    wrap_text(&text, about, narrow ? 4 : HEAD_COLUMNS + 2, columns());
    size_t beside = narrow ? 0 : HEAD_COLUMNS + 2;
    buffer_add(page, text.text + beside, text.bytes - beside);
}

static void command_entry(Buffer *page, int i) {
    char head[40];
    snprintf(head, sizeof head, ":%s", commands[i].name);
    entry(page, head, commands[i].argument, commands[i].about);
}

static const char *const keys[][2] = {
    { "?sin", "signature, derivative and example of a name, keyword or sign" },
    { "??root", "names and descriptions that contain a word" },
    { "tape(f), why(x)", "what was recorded; why a gradient is 0 or nan. Also explain, step, graph, "
                         "adjoint, profile, quiz" },
    { "Tab", "completes names, fields, arguments, files, :commands and \\alpha" },
    { "Up, Down, Ctrl-R", "earlier statements that begin with, or contain, what is typed" },
    { "Ctrl-C", "drops the line, or stops the work and undoes the statement" },
};

void help_alone(void) {
    Buffer page = { 0 };
    wrap_text(&page,
              "Type a statement; its value is shown unless it ends in `;`. An unfinished one "
              "goes on in the next line. `ans` is the last value shown, `err` the last error.",
              0, columns());
    buffer_char(&page, '\n');
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        entry(&page, keys[i][0], "", keys[i][1]);
    buffer_char(&page, '\n');
    for (int i = 0; i < COMMANDS; i++) command_entry(&page, i);
    show_page(&page);
}

/* What is no name of the language may be one of a command: ?mem. */
static bool about_command(const char *name) {
    Buffer page = { 0 };
    for (int i = 0; i < COMMANDS; i++)
        if (!strcmp(commands[i].name, name)) command_entry(&page, i);
    show_page(&page);
    return page.bytes > 0;
}

static bool about_topic(const char *topic) {
    Buffer page = { 0 };
    topic += *topic == ':' && topic[1];
    if (help_topic(&page, session.module, topic, session.colour, columns())) {
        show_page(&page);
        return true;
    }
    if (about_command(topic)) return true;
    const char *nearest = help_nearest(session.module, topic);
    if (nearest) hint("did you mean ?%s", nearest);
    else hint("??%s searches names and descriptions", topic);
    complain("there is no help about `%.60s`", topic);
    return false;
}

static bool help(const char *rest) {
    if (*rest) return about_topic(rest);
    help_alone();
    return true;
}

static bool search(const char *word) {
    Buffer page = { 0 };
    if (help_search(&page, session.module, word, session.colour, columns())) {
        show_page(&page);
        return true;
    }
    complain("nothing mentions `%.60s`", word);
    return false;
}

/* ?name, ??word; ? alone is help. */
static bool question(const char *line) {
    bool twice = line[1] == '?';
    const char *rest = line + 1 + twice;
    rest += strspn(rest, " ");
    if (!*rest) {
        help_alone();
        return true;
    }
    return twice ? search(rest) : about_topic(rest);
}

/* ---- variables ---- */

size_t session_variables(EachVariable *each, void *env) {
    Module *module = session.module;
    size_t count = 0;
    for (size_t i = 0; i < module->set_up; i++) {
        if (module->globals[i].tag == V_UNSET) continue;
        count++;
        if (each && !each(module->names.name[i], module->globals[i], env)) break;
    }
    return count;
}

bool command_needs(const char *rest, const char *what) {
    if (*rest) return true;
    complain("this command needs %s", what);
    return false;
}

/* ---- leaving ---- */

static bool reset(const char *rest) {
    (void)rest;
    size_t count = session_variables(NULL, NULL);
    for (size_t i = 0; i < session.module->set_up; i++)
        value_store(&session.module->globals[i], UNSET);
    library_put(SYMBOL("ans"), NIL);
    library_put(SYMBOL("err"), NIL);
    say("%s# %zu %s forgotten%s\n", QUIET, count, count == 1 ? "variable" : "variables",
        PLAIN_TEXT);
    return true;
}

static bool quit(const char *rest) {
    (void)rest;
    session.status = 0;
    return true;
}

/* ---- finding the command ---- */

/* -1: there is none; -2: several begin like this. */
static int command_number(const char *word, size_t bytes) {
    int found = -1;
    for (int i = 0; i < COMMANDS; i++) {
        if (!bytes || strncmp(commands[i].name, word, bytes)) continue;
        if (!commands[i].name[bytes]) return i;
        found = found == -1 ? i : -2;
    }
    return found;
}

static bool unknown(const char *word, size_t bytes, bool several) {
    char name[42];
    snprintf(name, sizeof name, "%.*s", (int)(bytes < 40 ? bytes : 40), word);
    Nearest nearest = { .text = name };
    for (int i = 0; i < COMMANDS; i++) nearest_try(&nearest, commands[i].name);
    if (several) hint(":help lists the commands");
    else if (nearest.best) hint("did you mean :%s", nearest.best);
    else hint(":help lists the commands");
    complain(several ? "several commands begin with `:%s`" : "there is no command `:%s`", name);
    return false;
}

bool command_run(const char *line) {
    rt.here = 0;             /* what fails here stands in no program */
    if (*line == '?') return question(line);
    size_t bytes = strcspn(line + 1, " \t\n");
    int i = command_number(line + 1, bytes);
    if (i < 0) return unknown(line + 1, bytes, i == -2);
    const char *rest = line + 1 + bytes;
    rest += strspn(rest, " \t");
    if (*rest && !*commands[i].argument) {
        complain(":%s takes nothing, not `%.40s`", commands[i].name, rest);
        return false;
    }
    return commands[i].run(rest);
}
