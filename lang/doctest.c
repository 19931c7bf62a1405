/* adl test. The one idea: an expectation is a comment on the line it speaks about, so a test file
 * is a program that anybody can read and run, and a statement's output is compared with the
 * comments on its own lines:
 *
 *     print(1 + 1)     # => 2
 *     [1, 2] + [1]' ;  # !! part of the message
 *
 * This file finds the cases: in files, in the documentation and in the table of messages;
 * doctest_case.c runs one, expectations.c has what its comments say. Nothing here knows what a test
 * is about; it must not know operations, shapes or values. */
#define _GNU_SOURCE  /* asprintf */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "errors.h"
#include "doctest.h"
#include "doctest_parts.h"
#include "optest.h"
#include "module.h"

bool updating;

/* ---- files ---- */

bool ends_with(const char *text, const char *end) {
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

void write_file(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    if (!file || fputs(text, file) < 0 || fclose(file) != 0)
        report(0, "cannot be rewritten", NULL, strerror(errno));
}

char *output_path(const char *path) {
    size_t bytes = strlen(path);
    if (ends_with(path, ".adl")) bytes -= strlen(".adl");
    char *out = calloc(1, bytes + sizeof ".out");
    memcpy(out, path, bytes);
    return strcat(out, ".out");
}

char *read_file(const char *path) {
    FILE *file = fopen(path, "rb");
    char *all, block[4096];
    size_t bytes;
    if (!file) return NULL;
    FILE *text = open_memstream(&all, &bytes);
    for (size_t n; (n = fread(block, 1, sizeof block, file)) > 0;) fwrite(block, 1, n, text);
    fclose(text), fclose(file);
    return all;
}

/* A .md file as a program: blank lines but for the code in ```adl fences. */
static char *code_of_markdown(const char *text) {
    char *all;
    size_t bytes;
    FILE *code = open_memstream(&all, &bytes);
    bool inside = false;
    for (const char *end; *text; text = *end ? end + 1 : end) {
        end = text + strcspn(text, "\n");
        bool fence = strncmp(text, "```", 3) == 0;
        if (inside && !fence) fwrite(text, 1, (size_t)(end - text), code);
        if (fence) inside = !inside && strncmp(text, "```adl", 6) == 0;
        fputc('\n', code);
    }
    fclose(code);
    return all;
}

static bool run_file(const char *path) {
    char *text = read_file(path), *out = output_path(path), *output = NULL;
    if (!text) return free(out), false;
    if (ends_with(path, ".md")) {
        char *code = code_of_markdown(text);
        free(text), text = code;
    } else {
        output = read_file(out);
    }
    run_case(&(Case){ .name = path, .text = text, .path = path, .output = output });
    free(text), free(output), free(out);
    return true;
}

/* bench and fuzz hold programs that are measured or mutilated, lib what tests import. */
static bool is_hidden(const char *name) {
    return *name == '.' || !strcmp(name, "bench") || !strcmp(name, "fuzz") || !strcmp(name, "lib");
}

static bool run_path(const char *path);

static bool run_folder(const char *path) {
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        char *inner = NULL;
        if (!is_hidden(name) && asprintf(&inner, "%s/%s", path, name) > 0) {
            struct stat about;
            bool found = stat(inner, &about) == 0;
            if (found && (S_ISDIR(about.st_mode) || ends_with(name, ".adl"))) run_path(inner);
        }
        free(inner), free(entries[i]);
    }
    if (count >= 0) free(entries);
    return count >= 0;
}

static bool run_path(const char *path) {
    struct stat about;
    if (stat(path, &about) != 0) return false;
    return S_ISDIR(about.st_mode) ? run_folder(path) : run_file(path);
}

/* ---- cases from the documentation ------------------------------------------------------------ */

/* "program  => what it shows", as it stands in ops.def, builtins.def and docstrings. */
static void run_example(const char *of, const char *example) {
    const char *sign = NULL;
    for (const char *at = example; (at = strstr(at, "  => ")); at++) sign = at;
    if (!sign) return;
    char *name = NULL, *text = NULL;
    int bytes = (int)(sign - example);
    sign += strlen("  => ");
    if (asprintf(&name, "example of %s", of) > 0
        && asprintf(&text, "%.*s  # => %s", bytes, example, sign) > 0)
        run_case(&(Case){ .name = name, .text = text, .example = true });
    free(name), free(text);
}

static const struct { const char *name, *example; } builtin_examples[] = {
#define BUILTIN(name, signature, doc, example) { #name, example },
#include "builtins.def"
#undef BUILTIN
};

/* Every `## example: program  => what it shows` of a file of the standard library. */
static void run_docstrings(const EmbeddedFile *file) {
    const char *sign = "## example: ";
    for (const char *at = file->text; (at = strstr(at, sign)); at++) {
        const char *start = at + strlen(sign);
        char *example = strndup(start, strcspn(start, "\n"));
        run_example(file->name, example);
        free(example);
    }
}

/* The code blocks of the manual's chapters. */
static void run_manual(void) {
    for (const EmbeddedFile *page = embedded_pages; page->name; page++) {
        char path[80];
        snprintf(path, sizeof path, "lang/manual/%s.md", page->name);
        run_path(path);
    }
}

static void run_documentation(void) {
    for (int op = 1; op < OP_COUNT; op++)
        if (operations[op].example) run_example(operations[op].name, operations[op].example);
    for (size_t i = 0; i < sizeof builtin_examples / sizeof *builtin_examples; i++)
        run_example(builtin_examples[i].name, builtin_examples[i].example);
    for (const EmbeddedFile *file = embedded_files; file->name; file++) run_docstrings(file);
}

/* ---- cases from the table of messages ----------------------------------------------------------
 */

/* A code stands for one message only. */
static void check_code(const MessageRow *row) {
    for (const MessageRow *other = message_rows; other < row; other++) {
        if (strcmp(other->code, row->code)) continue;
        printf("FAIL message %s: two messages have this code\n", row->code);
        total.failed++;
    }
}

static void run_messages(void) {
    for (const MessageRow *row = message_rows; row->code; row++) {
        check_code(row);
        if (*row->example) run_message(row);
    }
}

/* ---- the command ----------------------------------------------------------------------------- */

/* adl test --ops: the coverage matrix of the operation table alone. */
static int report_operations(void) {
    optest_run(true, &total.passed, &total.failed);
    printf("%d passed, %d failed\n", total.passed, total.failed);
    return total.failed ? 3 : 0;
}

int doctest_main(int count, char **arguments) {
    int paths = 0, missing = 0;
    if (count == 1 && !strcmp(arguments[0], "--ops")) return report_operations();
    bool only_messages = false;
    for (int i = 0; i < count; i++)
        if (!strcmp(arguments[i], "--update")) updating = true;
        else if (!strcmp(arguments[i], "--messages")) only_messages = true;
        else paths++;
    for (int i = 0; i < count; i++) {
        const char *path = arguments[i], *why = NULL;
        if (!strncmp(path, "--", 2)) continue;
        if (ends_with(path, ".sh")) why = "a script is run by sh; tests/run runs all of them";
        else if (!run_path(path)) why = strerror(errno);
        if (why) fprintf(stderr, "adl test: cannot run %s: %s\n", path, why);
        missing += why != NULL;
    }
    if (only_messages) run_messages();
    else if (!paths) {
        run_path("tests"), run_path("examples"), run_path("README.md");
        run_manual();
        run_documentation();
        run_messages();
        optest_run(false, &total.passed, &total.failed);
    }
    printf("%d passed, %d failed\n", total.passed, total.failed);
    return missing ? 2 : total.failed ? 3 : 0;
}
