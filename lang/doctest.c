/* adl test. The one idea: an expectation is a comment on the line it speaks about, so a test file
 * is a program that anybody can read and run, and a statement's output is compared with the
 * comments on its own lines:
 *
 *     print(1 + 1)     # => 2
 *     [1, 2] + [1]' ;  # !! part of the message
 *
 * A text is split by the language's own parser into groups: the statements that begin on one line.
 * A group owns the lines up to the next group. Each text runs in a child process, so a crash is one
 * failure with its signal named, and every text begins in a fresh interpreter. What a child has to
 * say it writes into a temporary file that the parent prints.
 *
 * Nothing here knows what a test is about; it must not know operations, shapes or values. */
#define _GNU_SOURCE  /* asprintf */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "diag.h"
#include "errors.h"
#include "doctest.h"
#include "ffi_call.h"
#include "optest.h"
#include "format.h"
#include "looking.h"
#include "io.h"
#include "module.h"

enum { SECONDS_PER_CASE = 20, FAILURES_SHOWN = 6, COLUMNS = 100 };

/* ---- a case and its expectations ------------------------------------------------------------- */

/* What is run in one child: a file, or one example of the documentation. */
typedef struct Case {
    const char *name;  /* for messages: a path, or "example of exp" */
    char *text;
    const char *path;  /* of the file, else NULL */
    bool example;      /* of the documentation: its value is printed, and spaces do not count */
    char *output;      /* the whole expected output, from FILE.out beside FILE.adl; else NULL */
} Case;

typedef enum Kind { PRINTS = '>', FAILS = '!', WARNS = '?' } Kind;

typedef struct Expectation {
    Kind kind;
    uint32_t line, lines;  /* its first line, 1-based, and how many lines it takes */
    char *text;
    bool met;
} Expectation;

static struct Marker { const char *sign; Kind kind; } const markers[] = {
    { "# =>", PRINTS }, { "# !!", FAILS }, { "# ??", WARNS },
};

static char **lines;               /* the case's text, split; lines[1] is the first */
static uint32_t line_count;
static Expectation *expectations;
static size_t expectation_count;

static bool ends_with(const char *text, const char *end) {
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

static char *duplicate(const char *text, size_t bytes) {
    char *copy = calloc(1, bytes + 1);
    return memcpy(copy, text, bytes);
}

static void split_lines(const char *text) {
    line_count = 0;
    lines = calloc(strlen(text) + 3, sizeof *lines);
    for (const char *end; *text; text = end) {
        end = text + strcspn(text, "\n");
        lines[++line_count] = duplicate(text, (size_t)(end - text));
        if (*end) end++;
    }
}

/* The last marker of the line, so that a marker in a string may stand before it. */
static const char *find_marker(const char *line, Kind *kind) {
    const char *found = NULL;
    for (size_t i = 0; i < sizeof markers / sizeof *markers; i++)
        for (const char *at = line; (at = strstr(at, markers[i].sign)); at++)
            if (at > (found ? found : line - 1)) found = at, *kind = markers[i].kind;
    return found;
}

/* "#    text" alone on its line continues the expectation above it; "#" is an empty line. */
static const char *continuation(uint32_t line) {
    if (line > line_count) return NULL;
    const char *text = lines[line] + strspn(lines[line], " \t");
    if (strncmp(text, "#    ", 5) == 0) return text + 5;
    return strcmp(text, "#") == 0 ? text + 1 : NULL;
}

static void trim_end(char *text) {
    for (size_t n = strlen(text); n && strchr(" \t\r\n", text[n - 1]); n--) text[n - 1] = 0;
}

static Expectation read_expectation(uint32_t line, const char *marker, Kind kind) {
    const char *first = marker + strlen("# =>"), *more;
    Expectation made = { .kind = kind, .line = line, .lines = 1 };
    size_t bytes;
    FILE *text = open_memstream(&made.text, &bytes);
    fputs(first + (*first == ' '), text);
    for (; (more = continuation(line + made.lines)); made.lines++) fprintf(text, "\n%s", more);
    fclose(text);
    trim_end(made.text);
    return made;
}

static void read_expectations(void) {
    expectations = calloc(line_count + 1, sizeof *expectations);
    expectation_count = 0;
    for (uint32_t line = 1; line <= line_count; line++) {
        Kind kind;
        const char *marker = find_marker(lines[line], &kind);
        if (marker) expectations[expectation_count++] = read_expectation(line, marker, kind);
    }
}

/* ---- reporting, in the child ----------------------------------------------------------------- */

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

static void report(uint32_t line, const char *what, const char *expected, const char *got) {
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

/* ---- comparing ------------------------------------------------------------------------------- */

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

static bool owned_by(const Expectation *e, uint32_t from, uint32_t to) {
    return e->line >= from && e->line < to;
}

/* All that lines [from, to) say will be printed. *count: by how many expectations. */
static char *expected_output(uint32_t from, uint32_t to, Expectation **first, int *count) {
    char *all;
    size_t bytes;
    FILE *text = open_memstream(&all, &bytes);
    *count = 0;
    for (size_t i = 0; i < expectation_count; i++) {
        Expectation *e = &expectations[i];
        if (e->kind != PRINTS || !owned_by(e, from, to)) continue;
        if (!(*count)++) *first = e;
        fprintf(text, "%s\n", e->text);
        e->met = true;
    }
    fclose(text);
    return all;
}

/* Marks each expectation of that kind in lines [from, to) that is part of message. Any? */
static bool meet(Kind kind, const char *message, uint32_t from, uint32_t to) {
    bool any = false;
    for (size_t i = 0; i < expectation_count; i++) {
        Expectation *e = &expectations[i];
        if (e->kind == kind && owned_by(e, from, to) && strstr(message, e->text))
            any = e->met = true;
    }
    return any;
}

static void report_unmet(Kind kind, const char *what, uint32_t from, uint32_t to, const char *got) {
    for (size_t i = 0; i < expectation_count; i++) {
        Expectation *e = &expectations[i];
        if (e->kind != kind || e->met || !owned_by(e, from, to)) continue;
        report(e->line, what, e->text, got);
        e->met = true;
    }
}

/* ---- rewriting expectations (--update) ------------------------------------------------------- */

static bool updating;

/* The output `got` replaces the expectation `old`, or is added to the last line before `to`. */
static void update_expectation(uint32_t to, Expectation *old, const char *got) {
    uint32_t line = old ? old->line : to - 1;
    while (!old && line > 1 && !lines[line][strspn(lines[line], " \t")]) line--;
    Kind kind;
    const char *marker = old ? find_marker(lines[line], &kind) : NULL;
    size_t column = marker ? (size_t)(marker - lines[line]) : strlen(lines[line]) + 2;
    char *made, *rest;
    size_t bytes;
    FILE *text = open_memstream(&made, &bytes);
    fprintf(text, "%-*.*s# =>", (int)column, (int)column, lines[line]);
    for (const char *at = got, *end; *at; at = *end ? end + 1 : end) {
        end = at + strcspn(at, "\n");
        if (at != got) fprintf(text, "\n%*s#   ", (int)column, "");
        fprintf(text, " %.*s", (int)(end - at), at);
    }
    fclose(text);
    rest = lines[line], lines[line] = made, free(rest);
    for (uint32_t i = 1; old && i < old->lines; i++) lines[line + i] = NULL;
}

static void write_file(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    if (!file || fputs(text, file) < 0 || fclose(file) != 0)
        report(0, "cannot be rewritten", NULL, strerror(errno));
}

/* FILE.out of FILE.adl. */
static char *output_path(const char *path) {
    size_t bytes = strlen(path);
    if (ends_with(path, ".adl")) bytes -= strlen(".adl");
    char *out = calloc(1, bytes + sizeof ".out");
    memcpy(out, path, bytes);
    return strcat(out, ".out");
}

static void write_lines(const char *path) {
    char *all;
    size_t bytes;
    FILE *text = open_memstream(&all, &bytes);
    for (uint32_t i = 1; i <= line_count; i++)
        if (lines[i]) fprintf(text, "%s\n", lines[i]);
    fclose(text);
    write_file(path, all);
}

/* ---- running a case, in the child ------------------------------------------------------------ */

/* The line on which a statement begins: a node's own span may be that of its operator. */
static uint32_t first_line(const Ast *statement) {
    uint32_t line = UINT32_MAX;
    for (const Ast *node = statement, *next; node; node = next) {
        next = node->a ? node->a : node->count ? node->kids[0] : NULL;
        uint32_t here = place_of(node->span).line;
        if (here && here < line) line = here;
    }
    return line == UINT32_MAX ? 1 : line;
}

/* The excerpt of a message quotes the line with its expectation, which would meet itself. */
static char *without_markers(char *text) {
    char *out = text;
    for (const char *at = text; *at;) {
        bool marker = !strncmp(at, "# !!", 4) || !strncmp(at, "# ??", 4);
        if (marker) at += strcspn(at, "\n");
        else *out++ = *at++;
    }
    *out = 0;
    return text;
}

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
    return without_markers(diag_text(error, severity, false, COLUMNS));
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
    for (size_t i = 0; i < expectation_count; i++)
        if (expectations[i].kind == FAILS && expectations[i].line >= from &&
            expectations[i].line < to)
            return;
    fprintf(child.report, "skipped %s: %s\n", child.running->name, error->message);
    fflush(child.report);
    _exit(STATUS_SKIPPED);
}

/* Statements [first, first + count) of a program, run as a program of their own. */
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
    const Ast *program = parsed->program;
    for (uint32_t i = 0, next; i < program->count; i = next) {
        uint32_t from = first_line(program->kids[i]), to = from;
        for (next = i + 1; to <= from; next++)
            to = next < program->count ? first_line(program->kids[next]) : line_count + 1;
        next--;
        Group group = { module, *program };
        group.block.kids += i, group.block.count = next - i;
        Error error;
        size_t mark = pool_mark();
        bool fine = guard(run_group, &group, &error);
        pool_unwind(mark);
        if (!fine) skip_without_library(&error, from, to);
        check_output(from, to);
        check_diagnostics(from, to, fine ? NULL : error_text(&error));
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
    split_lines(one->text);
    read_expectations();
    check_parsed(&parsed);
    if (parsed.status == PARSE_OK) looking_at_program(parsed.program);
    if (parsed.status == PARSE_OK && one->output) run_whole(module, &parsed);
    else if (parsed.status == PARSE_OK) run_statements(module, &parsed);
    for (Kind *kind = (Kind[]){ PRINTS, FAILS, WARNS, 0 }; *kind; kind++)
        report_unmet(*kind, "nothing that runs on this line meets", 1, line_count + 1, NULL);
}

/* ---- children and their parent --------------------------------------------------------------- */

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

static struct { int passed, failed; } total;

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

static void run_case(const Case *one) {
    FILE *report_file = tmpfile();
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) run_child(one, report_file);
    end_case(one->name, pid, report_file);
}

/* ---- cases from files ------------------------------------------------------------------------ */

/* The whole file, with a final 0; NULL if it cannot be read. */
static char *read_file(const char *path) {
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
        char *example = duplicate(start, (size_t)(start + strcspn(start, "\n") - start));
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

/* All that the example of one code writes to standard error, against tests/messages/CODE.txt. */
static void run_message(const MessageRow *row) {
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
        char *got = message_of_example(row, false, COLUMNS), *expected = read_file(path);
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
    for (int i = 0; i < count; i++)
        if (strncmp(arguments[i], "--", 2) && !run_path(arguments[i])) {
            fprintf(stderr, "adl test: cannot read %s: %s\n", arguments[i], strerror(errno));
            missing++;
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
