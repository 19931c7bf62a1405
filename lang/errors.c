/* The codes of messages, and the examples behind them. A code is found by comparing the message
 * with the patterns of its kind, in the order of the table. */
#define _GNU_SOURCE
#include "errors.h"
#include "module.h"
#include "io.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const MessageRow message_rows[] = {
#define MESSAGE(code, kind, patterns, title, explanation, example) \
    { #code, patterns, title, explanation, example, kind },
#include "errors.def"
    { 0 }
};

const char *message_more = "adl doc %s says more";

/* Does the text fit the pattern that ends at `end`? Each `*` takes as little as it can. */
static bool fits(const char *text, const char *pattern, const char *end) {
    const char *star = NULL, *retry = NULL;
    while (*text) {
        if (pattern < end && *pattern == '*') {
            star = ++pattern;
            retry = text;
        } else if (pattern < end && *pattern == *text) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star;
            text = ++retry;
        } else {
            return false;
        }
    }
    while (pattern < end && *pattern == '*') pattern++;
    return pattern == end;
}

static bool fits_any(const char *text, const char *patterns) {
    for (const char *end; *patterns; patterns = *end ? end + 1 : end) {
        end = patterns + strcspn(patterns, "|");
        if (fits(text, patterns, end)) return true;
    }
    return false;
}

const char *message_code(const Error *error, Severity severity) {
    for (const MessageRow *row = message_rows; row->code; row++) {
        bool warning = row->code[0] == 'W';
        if (warning != (severity == DIAG_WARNING) || (!warning && row->kind != error->kind))
            continue;
        if (fits_any(error->message, row->patterns)) return row->code;
    }
    return "E1701";
}

const MessageRow *message_row(const char *code) {
    if (*code == '?') code++;
    for (const MessageRow *row = message_rows; row->code; row++)
        if (!strcasecmp(row->code, code)) return row;
    return NULL;
}

/* ---- examples ---- */

static struct { FILE *out; bool colour; int columns; } example;

static void put_message(const Error *error, Severity severity) {
    char *text = diag_text(error, severity, example.colour, example.columns);
    if (text) fputs(text, example.out);
    free(text);
}

static void put_warning(const Error *warning) { put_message(warning, DIAG_WARNING); }

static void run_example(void *env) {
    const MessageRow *row = env;
    Module *module = module_new("example", "");
    module->script = true;
    size_t mark = pool_mark();
    module_run_source(module, source_new("example.adl", row->example, strlen(row->example)));
    pool_unwind(mark);
}

char *message_of_example(const MessageRow *row, bool colour, int columns) {
    char *text = NULL;
    size_t bytes = 0;
    void (*warn)(const Error *) = module_warn;
    Error error;
    example.out = open_memstream(&text, &bytes);
    if (!example.out) return NULL;
    example.colour = colour;
    example.columns = columns;
    module_warn = put_warning;
    bool muted = io_mute(true);
    if (!guard(run_example, (void *)row, &error)) put_message(&error, DIAG_ERROR);
    io_mute(muted);
    module_warn = warn;
    fclose(example.out);
    return text;
}
