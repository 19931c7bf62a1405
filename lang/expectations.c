/* The expectations of a test: comments on the lines they speak about. The one idea: a text is split
 * into lines, and an expectation belongs to the group of statements that owns its line; what is
 * printed, raised or warned about is held against the expectations of those lines. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include "doctest_parts.h"

/* ---- reading ---- */

static struct Marker { const char *sign; Kind kind; } const markers[] = {
    { "# =>", PRINTS }, { "# !!", FAILS }, { "# ??", WARNS },
};

static char **lines;               /* the case's text, split; lines[1] is the first */
uint32_t line_count;
static Expectation *expectations;
static size_t expectation_count;

static void split_lines(const char *text) {
    line_count = 0;
    lines = calloc(strlen(text) + 3, sizeof *lines);
    for (const char *end; *text; text = end) {
        end = text + strcspn(text, "\n");
        lines[++line_count] = strndup(text, (size_t)(end - text));
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

void read_expectations(const char *text) {
    split_lines(text);
    expectations = calloc(line_count + 1, sizeof *expectations);
    expectation_count = 0;
    for (uint32_t line = 1; line <= line_count; line++) {
        Kind kind;
        const char *marker = find_marker(lines[line], &kind);
        if (marker) expectations[expectation_count++] = read_expectation(line, marker, kind);
    }
}

/* ---- meeting ---- */

static bool owned_by(const Expectation *e, uint32_t from, uint32_t to) {
    return e->line >= from && e->line < to;
}

char *expected_output(uint32_t from, uint32_t to, Expectation **first, int *count) {
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

bool meet(Kind kind, const char *message, uint32_t from, uint32_t to) {
    bool any = false;
    for (size_t i = 0; i < expectation_count; i++) {
        Expectation *e = &expectations[i];
        if (e->kind == kind && owned_by(e, from, to) && strstr(message, e->text))
            any = e->met = true;
    }
    return any;
}

bool expects_failure(uint32_t from, uint32_t to) {
    for (size_t i = 0; i < expectation_count; i++)
        if (expectations[i].kind == FAILS && owned_by(&expectations[i], from, to)) return true;
    return false;
}

void report_unmet(Kind kind, const char *what, uint32_t from, uint32_t to, const char *got) {
    for (size_t i = 0; i < expectation_count; i++) {
        Expectation *e = &expectations[i];
        if (e->kind != kind || e->met || !owned_by(e, from, to)) continue;
        report(e->line, what, e->text, got);
        e->met = true;
    }
}

/* ---- rewriting (--update) ---- */

void update_expectation(uint32_t to, Expectation *old, const char *got) {
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

void write_lines(const char *path) {
    char *all;
    size_t bytes;
    FILE *text = open_memstream(&all, &bytes);
    for (uint32_t i = 1; i <= line_count; i++)
        if (lines[i]) fprintf(text, "%s\n", lines[i]);
    fclose(text);
    write_file(path, all);
}

char *without_markers(char *text) {
    char *out = text;
    for (const char *at = text; *at;) {
        bool marker = !strncmp(at, "# !!", 4) || !strncmp(at, "# ??", 4);
        if (marker) at += strcspn(at, "\n");
        else *out++ = *at++;
    }
    *out = 0;
    return text;
}
