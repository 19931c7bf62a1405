/* adl check, adl fmt, adl doc: what works on a program's text instead of running it. (adl test is
 * doctest.c.) The one idea: each tool takes all its files, says everything that is wrong with each
 * of them, and ends with the worst status. */
#define _GNU_SOURCE
#include "tools.h"
#include "doc.h"
#include "doctest.h"
#include "fmt.h"
#include "io.h"
#include "manual.h"
#include "learn.h"
#include "options.h"
#include "parse.h"
#include "report.h"
#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int worse(int a, int b) { return a == STATUS_USAGE || (a && b != STATUS_USAGE) ? a : b; }

/* The options a tool knows stand before and between its files; "-" is a file. */
static bool is_option(const char *word) { return word[0] == '-' && word[1]; }

static bool has_option(const char *tool, const char *word) {
#define TOOL_OPTION(of, name, argument, what)                                                      \
    if (!strcmp(tool, #of) && !strcmp(word, name)) return true;
#include "options.def"
    return false;
}

static int no_such_option(const char *tool, const char *word) {
    Nearest nearest = { .text = word };
    char text[160];
#define TOOL_OPTION(of, name, argument, what) if (!strcmp(tool, #of)) nearest_try(&nearest, name);
#include "options.def"
    snprintf(text, sizeof text, "did you mean %s?", nearest.best);
    report_problem(E_ARGUMENT, nearest.best ? text : "adl --help lists the options",
                   "adl %s has no option %s", tool, word);
    return STATUS_USAGE;
}

typedef int Work(const char *path);

static bool is_folder(const char *path) {
    struct stat status;
    return lstat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* In a folder: folders, and programs. Links to folders are not followed. */
static bool is_work(const char *path) {
    size_t bytes = strlen(path);
    return is_folder(path) || (bytes > 4 && !strcmp(path + bytes - 4, ".adl"));
}

/* A file, or all programs in a folder and those in it, by name. */
static int each_in(const char *path, Work *work) {
    struct dirent **entry;
    int status = STATUS_FINE;
    int count = is_folder(path) ? scandir(path, &entry, NULL, alphasort) : -1;
    if (count < 0) return work(path);
    for (int i = 0; i < count; i++) {
        char inner[PATH_MAX];
        int bytes = snprintf(inner, sizeof inner, "%s/%s", path, entry[i]->d_name);
        bool seen = entry[i]->d_name[0] != '.' && bytes < (int)sizeof inner && is_work(inner);
        if (seen) status = worse(each_in(inner, work), status);
        free(entry[i]);
    }
    free(entry);
    return status;
}

static int each_file(const char *tool, int count, char **words, Work *work) {
    int status = STATUS_FINE, files = 0;
    for (int i = 0; i < count; i++) {
        if (is_option(words[i])) continue;
        status = worse(each_in(words[i], work), status);
        files++;
    }
    if (files) return status;
    report_problem(E_ARGUMENT, "adl --help lists the options", "adl %s needs a file", tool);
    return STATUS_USAGE;
}

/* ---- check ---- */

/* All mistakes of a text, not only the first; names that are nowhere are found when it runs. */
static int check_file(const char *path) {
    size_t bytes;
    char *text = read_program(path, &bytes);
    if (!text) return STATUS_USAGE;
    Parsed parsed = parse(source_new(program_name(path), text, bytes));
    free(text);
    for (int i = 0; i < parsed.warnings; i++) report_warning(&parsed.warning[i]);
    for (int i = 0; i < parsed.errors; i++) report_error(&parsed.error[i]);
    if (parsed.status != PARSE_OK) return STATUS_CHECK;
    Names globals = { 0 };
    uint32_t locals;
    Error error;
    bool resolved = resolve(parsed.program, &globals, &locals, &error);
    names_free(&globals);
    if (!resolved) report_error(&error);
    return resolved ? STATUS_FINE : STATUS_CHECK;
}

/* ---- fmt ---- */

static bool only_check;

/* The canonical text of the source, for free(), or NULL: it has said why. */
static char *canonical(Source *source) {
    Error error;
    char *text = format_source(source, &error);
    if (!text) report_error(&error);
    return text;
}

static int put_formatted(const char *path, const Source *source, char *text) {
    if (!strcmp(path, "-")) io_write(text, strlen(text));
    else if (strcmp(text, source->text))
        io_write_file(symbol(path, strlen(path)), text, strlen(text));
    return STATUS_FINE;
}

static int format_file(const char *path) {
    size_t bytes;
    char *text = read_program(path, &bytes);
    if (!text) return STATUS_USAGE;
    Source *source = source_new(program_name(path), text, bytes);
    bool changed_by_reading = source->bytes != bytes;      /* a byte order mark, CRLF */
    free(text);
    char *formatted = canonical(source);
    if (!formatted) return STATUS_CHECK;
    int status = STATUS_FINE;
    if (!only_check) status = put_formatted(path, source, formatted);
    else if (changed_by_reading || strcmp(formatted, source->text)) {
        io_write(program_name(path), strlen(program_name(path)));
        io_write("\n", 1);
        status = STATUS_CHECK;
    }
    free(formatted);
    return status;
}

static int run_fmt(int count, char **words) {
    for (int i = 0; i < count; i++) {
        if (!is_option(words[i])) continue;
        if (strcmp(words[i], "--check")) return no_such_option("fmt", words[i]);
        only_check = true;
    }
    return each_file("fmt", count, words, format_file);
}

static int run_check(int count, char **words) {
    for (int i = 0; i < count; i++)
        if (is_option(words[i])) return no_such_option("check", words[i]);
    return each_file("check", count, words, check_file);
}

/* ---- which ---- */

static int run_test(int count, char **words) {
    for (int i = 0; i < count; i++)
        if (is_option(words[i]) && !has_option("test", words[i]))
            return no_such_option("test", words[i]);
    return doctest_main(count, words);
}

/* ---- doc ---- */

static const struct { const char *option; void (*make)(void); } made[] = {
    { "--man", manual_page },    { "--bash", complete_bash },  { "--zsh", complete_zsh },
    { "--fish", complete_fish }, { "--vim", syntax_vim },      { "--textmate", syntax_textmate },
};

/* Writes the text to standard output, or through the pager where that is a terminal and the text is
 * longer. */
static void show_text(const char *text) {
    int lines = 0;
    for (const char *at = text; *at; at++) lines += *at == '\n';
    const char *pager = getenv("PAGER");
    bool pages =
        isatty(STDOUT_FILENO) && lines >= options_rows(STDOUT_FILENO, 24) && !options.sandbox;
    FILE *out = pages ? popen(pager && *pager ? pager : "less -FRX", "w") : NULL;
    if (!out) {
        io_write(text, strlen(text));
        return;
    }
    fputs(text, out);
    pclose(out);
}

static int show_entry(const char *name) {
    char *text = doc_text(name, options_columns(STDOUT_FILENO, 80), options_colour(STDOUT_FILENO)),
         hint_text[100];
    if (text) {
        show_text(text);
        free(text);
        return STATUS_FINE;
    }
    const char *nearest = doc_nearest(name);
    if (nearest) snprintf(hint_text, sizeof hint_text, "did you mean %s?", nearest);
    report_problem(E_NAME, nearest ? hint_text : "adl doc alone shows all of it",
                   "the manual has nothing about %s", name);
    return STATUS_USAGE;
}

static char *manual_text(void) {
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    if (!out) return NULL;
    doc_manual(out);
    fclose(out);
    return text;
}

static void show_manual(bool html) {
    char *markdown = manual_text(), *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    if (html) draw_html(out, markdown);
    else
        draw_terminal(out, markdown, options_columns(STDOUT_FILENO, 80),
                      options_colour(STDOUT_FILENO));
    fclose(out);
    show_text(text);
    free(markdown);
    free(text);
}

static int run_doc(int count, char **words) {
    int status = STATUS_FINE;
    for (int i = 0; i < count; i++) {
        bool option = is_option(words[i]) && words[i][1] == '-' && words[i][2];
        for (size_t j = 0; option && j < sizeof made / sizeof *made; j++)
            if (!strcmp(words[i], made[j].option)) return made[j].make(), STATUS_FINE;
        if (option && !strcmp(words[i], "--html")) return show_manual(true), STATUS_FINE;
        if (option) return no_such_option("doc", words[i]);
        status = worse(show_entry(words[i]), status);
    }
    if (!count) show_manual(false);
    return status;
}

int tool_run(const char *name, int count, char **words) {
    if (!strcmp(name, "check")) return run_check(count, words);
    if (!strcmp(name, "fmt")) return run_fmt(count, words);
    if (!strcmp(name, "doc")) return run_doc(count, words);
    if (!strcmp(name, "learn")) return learn_main(count, words);
    return run_test(count, words);
}
