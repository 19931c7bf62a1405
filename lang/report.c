/* What goes to standard error, and the programs that come in. The one idea: whoever has something
 * to say about a program says it here, so that --errors=json and colours hold for all of it. */
#include "report.h"
#include "io.h"
#include "options.h"
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void show(const Error *error, Severity severity) {
    io_flush();
    fflush(stdout);
    int columns = options_columns(STDERR_FILENO, 0);
    char *text = options.json ? diag_json(error, severity)
                              : diag_text(error, severity, options_colour(STDERR_FILENO), columns);
    fputs(text ? text : error->message, stderr);
    free(text);
}

void report_error(const Error *error) { show(error, DIAG_ERROR); }
void report_warning(const Error *warning) { show(warning, DIAG_WARNING); }

void report_problem(ErrorKind kind, const char *hint_text, const char *format, ...) {
    Error error = { .kind = kind };
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error.message, sizeof error.message, format, arguments);
    va_end(arguments);
    if (hint_text) snprintf(error.hint, sizeof error.hint, "%s", hint_text);
    report_error(&error);
}

/* ---- programs ---- */

const char *program_name(const char *path) { return strcmp(path, "-") ? path : "standard input"; }

static char *read_stream(FILE *file, size_t *bytes) {
    char *text = NULL;
    size_t capacity = 0, got;
    *bytes = 0;
    do {
        if (capacity - *bytes < 65536) {
            char *grown = realloc(text, capacity = 2 * capacity + 65536);
            if (!grown) return free(text), NULL;
            text = grown;
        }
        got = fread(text + *bytes, 1, capacity - *bytes - 1, file);
        *bytes += got;
    } while (got);
    text[*bytes] = 0;
    return text;
}

/* `adl tset` most likely meant `adl test`. */
static void report_unreadable(const char *path, const char *reason) {
    Nearest nearest = { .text = path };
    char text[100];
#define TOOL(name, words, what) nearest_try(&nearest, #name);
#include "options.def"
    if (nearest.best) snprintf(text, sizeof text, "did you mean adl %s?", nearest.best);
    report_problem(E_IO, nearest.best ? text : NULL, "cannot read %s: %s", path, reason);
}

char *read_program(const char *path, size_t *bytes) {
    if (!strcmp(path, "-")) return read_stream(stdin, bytes);
    struct stat status;
    FILE *file = fopen(path, "rb");
    if (!file) return report_unreadable(path, strerror(errno)), NULL;
    if (fstat(fileno(file), &status) == 0 && S_ISDIR(status.st_mode)) {
        fclose(file);
        return report_unreadable(path, "it is a folder"), NULL;
    }
    char *text = read_stream(file, bytes);
    bool broken = ferror(file);
    fclose(file);
    if (text && !broken) return text;
    free(text);
    return report_unreadable(path, broken ? "reading it failed" : "it does not fit into memory"),
           NULL;
}
