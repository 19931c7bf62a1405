/* The words of the command line. What an option is called and what it takes stands in options.def;
 * what it sets stands here. getopt_long() finds the options; what it says about mistakes is said
 * here instead, with the nearest name. */
#define _GNU_SOURCE
#include "options.h"
#include "blas.h"
#include "ops.h"
#include "par.h"
#include "report.h"
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
    O_FIRST = 256,
#define OPTION(id, letter, name, argument, choices, what) id,
#include "options.def"
    O_END
};

typedef struct OptionRow {
    int id, letter;
    const char *name, *argument, *choices, *what;
} OptionRow;
static const OptionRow rows[] = {
#define OPTION(id, letter, name, argument, choices, what)                                          \
    { id, letter, name, argument, choices, what },
#include "options.def"
};
static const struct { const char *name, *words, *what; } tools[] = {
#define TOOL(name, words, what) { #name, words, what },
#include "options.def"
};
enum { ROWS = sizeof rows / sizeof *rows, TOOLS = sizeof tools / sizeof *tools };

Options options = { .colour = "auto" };

/* ---- help ---- */

/* "  -h, --help", "  --seed N". */
static int put_option(FILE *out, const OptionRow *row) {
    int width = fputs("  ", out) < 0 ? 0 : 2;
    if (row->letter) width += fprintf(out, "-%c%s", row->letter, row->name ? ", " : "");
    if (row->name) width += fprintf(out, "--%s", row->name);
    if (row->choices) width += fprintf(out, "=%s", row->choices);
    else if (row->argument) width += fprintf(out, " %s", row->argument);
    return width;
}

enum { COLUMN = 27 };

void options_help(FILE *out) {
    fputs("adl: a small array language with automatic differentiation\n\n", out);
#define USE(call, what) fprintf(out, "  %-*s%s\n", COLUMN - 2, call, what);
#include "options.def"
    fputc('\n', out);
#define TOOL(name, words, what)                                                                    \
    fprintf(out, "  %-*s%s\n", COLUMN - 2, "adl " #name " " words, what);
#include "options.def"
    fputc('\n', out);
#define TOOL_OPTION(tool, name, argument, what) \
    if (!strcmp(name, "--check") || !strcmp(name, "--update") || !strcmp(name, "--html")) \
        fprintf(out, "  %-*s%s\n", COLUMN - 2, "adl " #tool " " name, what);
#include "options.def"
    fputc('\n', out);
    for (const OptionRow *row = rows; row < rows + ROWS; row++) {
        int width = put_option(out, row);
        if (width > COLUMN - 2) fprintf(out, "\n%*s%s\n", COLUMN, "", row->what);
        else fprintf(out, "%*s%s\n", COLUMN - width, "", row->what);
    }
    fputs("\nThe exit status:\n", out);
#define STATUS(id, number, what)                                                                   \
    if (number != STATUS_LEAK) fprintf(out, "  %3d  %s\n", number, what);
#include "options.def"
}

static int version(void) {
    extern const char *rl_library_version;
    printf("adl 0.1\nkernels: %s\nBLAS: %s\nthreads: %d\nGNU Readline %s\n", kernel_level_name(),
           blas_configuration(), par_limit(0), rl_library_version);
    return STATUS_FINE;
}

/* ---- mistakes ---- */

static int usage_error(const char *advice, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static int usage_error(const char *advice, const char *format, ...) {
    char message[200], text[200];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    snprintf(text, sizeof text, "%s%sadl --help lists the options", advice ? advice : "",
             advice ? "\n" : "");
    report_problem(E_ARGUMENT, text, "%s", message);
    return STATUS_USAGE;
}

static int unknown_option(const char *word, int letter) {
    if (letter) return usage_error(NULL, "there is no option -%c", letter);
    Nearest nearest = { 0 };
    char name[64], text[100];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(word + 2, "="), word + 2);
    nearest.text = name;
    for (const OptionRow *row = rows; row < rows + ROWS; row++)
        if (row->name) nearest_try(&nearest, row->name);
    if (!nearest.best) return usage_error(NULL, "there is no option --%s", name);
    snprintf(text, sizeof text, "did you mean --%s?", nearest.best);
    return usage_error(text, "there is no option --%s", name);
}

static const OptionRow *row_of(int id) {
    for (const OptionRow *row = rows; row < rows + ROWS; row++)
        if (row->id == id || row->letter == id) return row;
    return NULL;
}

static int missing_argument(int id) {
    const OptionRow *row = row_of(id);
    if (row->name) return usage_error(NULL, "--%s needs %s behind it", row->name, row->argument);
    return usage_error(NULL, "-%c needs %s behind it", row->letter, row->argument);
}

/* ---- arguments ---- */

/* "500M"; 0 if it is no size. */
static size_t size_option(const char *text) {
    char *end;
    double size = strtod(text, &end);
    static const char units[] = "KMGT";
    const char *unit = *end ? strchr(units, *end & ~32) : NULL;
    if (unit) {
        for (const char *u = units; u <= unit; u++) size *= 1024;
        end++;
        if ((*end & ~32) == 'B') end++;
    }
    return *end || !(size >= 1) || size > 1e18 ? 0 : (size_t)size;
}

static bool number_option(const char *text, uint64_t *out) {
    char *end;
    *out = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end;
}

static bool is_choice(const char *choices, const char *text) {
    size_t bytes = strlen(text);
    for (const char *at = choices; bytes && (at = strstr(at, text)); at++)
        if ((at == choices || at[-1] == '|') && (at[bytes] == 0 || at[bytes] == '|')) return true;
    return false;
}

static int add_code(const char *text, bool print) {
    if (options.codes == MAX_CODES) return usage_error(NULL, "more than %d -e and -p", MAX_CODES);
    options.code[options.codes++] = (Code){ text, print };
    return -1;
}

/* ---- options ---- */

/* -1: go on. */
static int take_option(const OptionRow *row, char *argument) {
    uint64_t n = 0;
    if (row->choices && !is_choice(row->choices, argument))
        return usage_error(NULL, "--%s takes %s, not \"%s\"", row->name, row->choices, argument);
    switch (row->id) {
    case O_EVAL: return add_code(argument, false);
    case O_PRINT: return add_code(argument, true);
    case O_PROMPT: options.prompt_after = true; return -1;
    case O_QUIET: options.quiet = true; return -1;
    case O_SANDBOX: options.sandbox = true; return -1;
    case O_NO_INIT: options.no_init = true; return -1;
    case O_COLOUR: options.colour = argument; return -1;
    case O_ERRORS: options.json = !strcmp(argument, "json"); return -1;
    case O_HELP: options_help(stdout); return STATUS_FINE;
    case O_VERSION: return version();
    case O_SEED:
        options.seeded = true;
        return number_option(argument, &options.seed)
                   ? -1
                   : usage_error(NULL, "--seed takes a whole number, not \"%s\"", argument);
    case O_MEMORY:
        options.memory = size_option(argument);
        return options.memory
                   ? -1
                   : usage_error(NULL, "--memory takes a size like 500M, not \"%s\"", argument);
    case O_THREADS:
        if (!number_option(argument, &n) || n < 1 || n > 1024)
            return usage_error(NULL, "--threads takes 1 to 1024, not \"%s\"", argument);
        options.threads = (int)n;
        return -1;
    default: return -1;
    }
}

/* The table in the form of getopt_long(): "+:e:p:iqhV". */
static void describe_options(char *letters, struct option *longs) {
    letters += sprintf(letters, "+:");
    for (const OptionRow *row = rows; row < rows + ROWS; row++) {
        if (row->letter) letters += sprintf(letters, "%c%s", row->letter, row->argument ? ":" : "");
        if (row->name)
            *longs++ = (struct option){ row->name, row->argument ? required_argument : no_argument,
                                        NULL, row->id };
    }
    *longs = (struct option){ 0 };
}

static const char *tool_named(const char *word) {
    for (int i = 0; i < TOOLS; i++)
        if (!strcmp(word, tools[i].name)) return tools[i].name;
    return NULL;
}

static int take_options(int count, char **words) {
    char letters[3 * ROWS];
    struct option longs[ROWS + 1];
    describe_options(letters, longs);
    opterr = 0;
    for (;;) {
        int at = optind, id = getopt_long(count, words, letters, longs, NULL), status;
        if (id == -1) return -1;
        if (id == ':') return missing_argument(optopt);
        bool given_one = id == '?' && optopt >= O_FIRST;
        if (given_one)
            return usage_error(NULL, "--%s takes nothing behind it", row_of(optopt)->name);
        if (id == '?') return unknown_option(words[at], optopt);
        if ((status = take_option(row_of(id), optarg)) >= 0) return status;
    }
}

int options_read(int count, char **words) {
    int status = take_options(count, words);
    if (status >= 0) return status;
    if (optind < count && !options.codes) options.file = words[optind++];
    options.count = count - optind;
    options.arguments = words + optind;
    if (options.file) options.tool = tool_named(options.file);
    if (options.tool) options.file = NULL;
    return -1;
}

/* ---- the terminal ---- */

bool options_colour(int descriptor) {
    if (!strcmp(options.colour, "always")) return true;
    const char *term = getenv("TERM"), *none = getenv("NO_COLOR");
    return !strcmp(options.colour, "auto") && isatty(descriptor) && !(none && *none) && term &&
           *term && strcmp(term, "dumb");
}

int options_columns(int descriptor, int otherwise) {
    struct winsize size;
    return isatty(descriptor) && ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col
               ? size.ws_col
               : otherwise;
}

int options_rows(int descriptor, int otherwise) {
    struct winsize size;
    return isatty(descriptor) && ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_row
               ? size.ws_row
               : otherwise;
}
