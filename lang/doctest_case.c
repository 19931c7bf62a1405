/* Running one case of `adl test`. The one idea: each text runs in a child process and in a fresh
 * interpreter, so that a crash is one failure with its signal named; what the child has to say it
 * writes into a temporary file that the parent prints.
 *
 * A text is run by the groups of statements that begin on one line, each held against the
 * expectations on the lines it owns. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "diag.h"
#include "doctest_parts.h"
#include "ffi_call.h"
#include "format.h"
#include "io.h"
#include "looking.h"
#include "module.h"

/* ---- reporting, in the child ---- */

static struct {
    FILE *report;       /* what the parent will print */
    int output, errors; /* files that stand in for standard output and standard error */
    int failures;
    const Case *running;
} child;

static void write_indented(const char *text) {
    for (const char *end; *text; text = *end ? end + 1 : end) {
        end = text + strcspn(text, "\n");
        fprintf(child.report, "        %.*s\n", (int)(end - text), text);
    }
}

void report(uint32_t line, const char *what, const char *expected, const char *got) {
    if (++child.failures > FAILURES_SHOWN) return;
    fprintf(child.report, "FAIL %s:%u: %s\n", child.running->name, line, what);
    if (expected) fputs("    expected\n", child.report), write_indented(expected);
    if (got) fputs("    got\n", child.report), write_indented(got);
}

/* What was written to one of the two stand-ins since the last call. */
static char *take(int file) {
    io_flush(), fflush(stdout), fflush(stderr);
    off_t bytes = lseek(file, 0, SEEK_END);
    char *text = calloc(1, (size_t)bytes + 1);
    if (pread(file, text, (size_t)bytes, 0) != bytes)
        report(0, "its output cannot be read back", NULL, NULL);
    if (ftruncate(file, 0) == 0) lseek(file, 0, SEEK_SET);
    return text;
}

/* ---- comparing ---- */

/* Equal but for blanks at the ends of lines and empty lines at the end of the text. */
static bool same_lines(const char *a, const char *b) {
    for (;;) {
        const char *end_a = a + strcspn(a, "\n"), *end_b = b + strcspn(b, "\n");
        size_t n = (size_t)(end_a - a), m = (size_t)(end_b - b);
        while (n && strchr(" \t\r", a[n - 1])) n--;
        while (m && strchr(" \t\r", b[m - 1])) m--;
        if (n != m || memcmp(a, b, n) != 0) return false;
        if (!*end_a && !*end_b) return true;
        a = end_a + (*end_a != 0), b = end_b + (*end_b != 0);
    }
}

/* Equal but for spaces, line ends and quotes anywhere. */
static bool same_words(const char *a, const char *b) {
    for (;; a++, b++) {
        a += strspn(a, " \t\r\n\""), b += strspn(b, " \t\r\n\"");
        if (*a != *b || !*a) return *a == *b;
    }
}

/* ---- running a case, in the child ---- */

/* Compares what lines [from, to) printed with what they say. */
static void check_output(uint32_t from, uint32_t to) {
    int count;
    Expectation *first = NULL;
    char *expected = expected_output(from, to, &first, &count), *got = take(child.output);
    bool same = child.running->example ? same_words(expected, got) : same_lines(expected, got);
    if (same) return;
    if (updating && count <= 1) update_expectation(to, first, got);
    else report(first ? first->line : from, "printed something else", expected, got);
}

/* The same for what they wrote to standard error, and for the error they ended in, or NULL. */
static void check_diagnostics(uint32_t from, uint32_t to, const char *error) {
    char *warnings = without_markers(take(child.errors));
    if (*warnings && !meet(WARNS, warnings, from, to))
        report(from, "an unexpected warning", NULL, warnings);
    report_unmet(WARNS, "no such warning", from, to, warnings);
    if (error && !meet(FAILS, error, from, to)) report(from, "failed", NULL, error);
    report_unmet(FAILS, error ? "failed with another message" : "did not fail", from, to, error);
}

static char *message_text(const Error *error, Severity severity) {
    return without_markers(diag_text(error, severity, false, 0));
}

static char *error_text(const Error *error) { return message_text(error, DIAG_ERROR); }

/* The line a message of the parser is about; the last one if it is about the end of the text. */
static uint32_t line_of(Span span) {
    uint32_t line = place_of(span).line;
    return line > line_count ? line_count : line;
}

/* Each error and warning of the parser must be expected on its own line. */
static void check_parsed(const Parsed *parsed) {
    for (int i = 0; i < parsed->errors; i++) {
        uint32_t line = line_of(parsed->error[i].span);
        char *text = error_text(&parsed->error[i]);
        if (!meet(FAILS, text, line, line + 1)) report(line, "is not adl", NULL, text);
    }
    for (int i = 0; i < parsed->warnings; i++) {
        uint32_t line = line_of(parsed->warning[i].span);
        char *text = message_text(&parsed->warning[i], DIAG_WARNING);
        if (!meet(WARNS, text, line, line + 1)) report(line, "an unexpected warning", NULL, text);
    }
}

enum { STATUS_SKIPPED = 77 };

/* A case that needs a library which is not here has nothing to say, unless that is what it is
 * about. */
static void skip_without_library(const Error *error, uint32_t from, uint32_t to) {
    if (error->kind != E_FOREIGN || strncmp(error->message, "there is no library", 19)) return;
    if (expects_failure(from, to)) return;
    fprintf(child.report, "skipped %s: %s\n", child.running->name, error->message);
    fflush(child.report);
    _exit(STATUS_SKIPPED);
}

/* Statements that are run together. */
typedef struct Group { Module *module; Ast block; } Group;

static void run_group(void *env) {
    Group *group = env;
    Value v = module_run(group->module, &group->block);
    if (!child.running->example) return;
    io_flush();
    bool printed = lseek(child.output, 0, SEEK_END) > 0;
    if (v.tag == V_NIL && printed) return;
    Buffer text = { 0 };
    format_value(&text, v, NULL);
    io_write(text.text, text.bytes);
}

static void run_statements(Module *module, const Parsed *parsed) {
    AstGroup lines = { 0 };
    while (ast_next_group(parsed->program, line_count + 1, &lines)) {
        Group group = { module, lines.block };
        Error error;
        size_t mark = pool_mark();
        bool fine = guard(run_group, &group, &error);
        pool_unwind(mark);
        if (!fine) skip_without_library(&error, lines.from, lines.to);
        check_output(lines.from, lines.to);
        check_diagnostics(lines.from, lines.to, fine ? NULL : error_text(&error));
    }
}

static void run_whole(Module *module, const Parsed *parsed) {
    Group group = { module, *parsed->program };
    Error error;
    bool fine = guard(run_group, &group, &error);
    if (!fine) skip_without_library(&error, 0, 0);
    char *got = take(child.output), *errors = take(child.errors);
    if (!fine) report(1, "failed", NULL, error_text(&error));
    if (*errors) report(1, "wrote to standard error", NULL, errors);
    if (fine && updating) write_file(output_path(child.running->path), got);
    else if (fine && !same_lines(child.running->output, got))
        report(1, "printed something else", child.running->output, got);
}

static void run_text(const Case *one) {
    Source *source = source_new(one->name, one->text, strlen(one->text));
    Module *module = module_new(one->name, one->path ? one->path : "");
    module->script = !one->example;
    Parsed parsed = parse(source);
    read_expectations(one->text);
    check_parsed(&parsed);
    if (parsed.status == PARSE_OK) looking_at_program(parsed.program);
    if (parsed.status == PARSE_OK && one->output) run_whole(module, &parsed);
    else if (parsed.status == PARSE_OK) run_statements(module, &parsed);
    for (Kind *kind = (Kind[]){ PRINTS, FAILS, WARNS, 0 }; *kind; kind++)
        report_unmet(*kind, "nothing that runs on this line meets", 1, line_count + 1, NULL);
}

/* ---- children and their parent ---- */

/* From here on what goes to the descriptor lands in a temporary file. */
static int stand_in(int descriptor) {
    FILE *file = tmpfile();
    fflush(stdout), fflush(stderr);
    dup2(fileno(file), descriptor);
    return descriptor;
}

static _Noreturn void run_child(const Case *one, FILE *report_file) {
    child.report = report_file, child.running = one;
    child.output = stand_in(STDOUT_FILENO), child.errors = stand_in(STDERR_FILENO);
    alarm(SECONDS_PER_CASE);
    run_text(one);
    bool rewritable = one->path && !one->output && !ends_with(one->path, ".md");
    if (updating && rewritable) write_lines(one->path);
    foreign_close(false);
    fflush(child.report);
    _exit(child.failures > 0);
}

static void copy_report(FILE *from) {
    char block[4096];
    rewind(from);
    for (size_t n; (n = fread(block, 1, sizeof block, from)) > 0;) fwrite(block, 1, n, stdout);
}

struct Total total;

/* Waits for a child, prints what it had to say, and counts it. */
static void end_case(const char *name, pid_t pid, FILE *report_file) {
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) { }
    copy_report(report_file);
    fclose(report_file);
    if (WIFEXITED(status) && WEXITSTATUS(status) == STATUS_SKIPPED) return;
    bool fine = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        printf("FAIL %s: took longer than %d s\n", name, SECONDS_PER_CASE);
    else if (WIFSIGNALED(status))
        printf("FAIL %s: died of a signal: %s\n", name, strsignal(WTERMSIG(status)));
    else if (!fine && WEXITSTATUS(status) != 1)
        printf("FAIL %s: exited with %d\n", name, WEXITSTATUS(status));
    total.passed += fine, total.failed += !fine;
}

void run_case(const Case *one) {
    FILE *report_file = tmpfile();
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) run_child(one, report_file);
    end_case(one->name, pid, report_file);
}

/* All that the example of one code writes to standard error, against tests/messages/CODE.txt. */
void run_message(const MessageRow *row) {
    char path[64], name[64];
    snprintf(path, sizeof path, "tests/messages/%s.txt", row->code);
    snprintf(name, sizeof name, "message %s", row->code);
    FILE *report_file = tmpfile();
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        child.report = report_file, child.running = &(Case){ .name = name };
        child.output = stand_in(STDOUT_FILENO), child.errors = stand_in(STDERR_FILENO);
        alarm(SECONDS_PER_CASE);
        char *got = message_of_example(row, false, 0), *expected = read_file(path);
        if (updating) write_file(path, got);
        else if (!expected) report(1, "there is no", path, got);
        else if (strcmp(expected, got)) report(1, "another message", expected, got);
        if (!strstr(got, row->code) && row->kind != E_USER && row->kind != E_ASSERT)
            report(1, "the code of its message is another", row->code, got);
        fflush(child.report);
        _exit(child.failures > 0);
    }
    end_case(name, pid, report_file);
}
