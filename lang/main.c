/* The command line: options, what to run, and the exit status. The one idea: everything runs in one
 * interpreter's module on a thread with a large stack, and every way out is a status of the table below. */
#include "diag.h"
#include "doctest.h"
#include "eval.h"
#include "format.h"
#include "io.h"
#include "rand.h"
#include "repl.h"
#include "sweep.h"
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STATUS_ERROR = 1, STATUS_USAGE = 2, STATUS_CHECK = 3, STATUS_LEAK = 70, STATUS_OUTPUT = 74, STATUS_INTERRUPTED = 130 };
enum { MAX_CODES = 256 };
/* AddressSanitizer cannot clear more than 64 MiB of stack after a jump. */
#ifdef __SANITIZE_ADDRESS__
static const size_t STACK = (size_t)48 << 20;
#else
static const size_t STACK = (size_t)256 << 20;
#endif

typedef struct Code { const char *text; bool print; } Code;
static struct {
    Code code[MAX_CODES];
    int codes;
    bool prompt_after, json, sandbox, seeded, quiet;
    const char *colour;
    uint64_t seed;
    size_t memory;
    int threads;
    const char *file;
    int count;                /* of the program's own arguments */
    char **arguments;
} options = { .colour = "auto" };

static const char usage[] =
    "adl: a small array language with reverse-mode differentiation\n"
    "\n"
    "  adl                      the prompt; if standard input is no terminal, runs it as a script\n"
    "  adl FILE [ARGS]          runs a file; `args` holds the rest\n"
    "  adl -                    runs standard input\n"
    "  adl -e 'CODE'            runs code; may be repeated\n"
    "  adl -p 'EXPR'            runs and prints\n"
    "  adl -i FILE              runs a file, then the prompt\n"
    "  adl check FILE           only looks for mistakes in the text\n"
    "  adl test [PATHS]         runs tests (--update writes what was printed into them)\n"
    "\n"
    "  --seed N                 the same draws in every run\n"
    "  --memory SIZE            a limit: 500M, 2G\n"
    "  --threads N              how many threads to use\n"
    "  --sandbox                no files, no foreign code, no processes\n"
    "  --color=auto|always|never\n"
    "  --errors=text|json\n"
    "  --no-init                without ~/.config/adl/init.adl\n"
    "  -q                       without the greeting\n"
    "  -h, --help               this text\n"
    "  -V, --version            the version, and what it was built with\n";

/* ---- errors ---- */

static bool colour_on_errors(void) {
    if (!strcmp(options.colour, "always")) return true;
    const char *term = getenv("TERM"), *none = getenv("NO_COLOR");
    return !strcmp(options.colour, "auto") && isatty(STDERR_FILENO) && !(none && *none) && term && strcmp(term, "dumb");
}

static void show(const Error *error, Severity severity) {
    io_flush();
    char *text = options.json ? diag_json(error, severity) : diag_text(error, severity, colour_on_errors(), 100);
    fputs(text ? text : error->message, stderr);
    free(text);
}

static void show_error(const Error *error, const Source *source) {
    (void)source;
    show(error, DIAG_ERROR);
}

static void show_warning(const Error *warning) { show(warning, DIAG_WARNING); }

/* ---- programs ---- */

typedef struct Program { Module *module; const char *name, *text; size_t bytes; bool print; } Program;

static void run_program(void *env) {
    Program *p = env;
    size_t mark = pool_mark();
    p->module->script = !p->print;
    Value v = module_run_source(p->module, source_new(p->name, p->text, p->bytes));
    if (p->print && v.tag != V_NIL) {
        Buffer b = { 0 };
        format_value(&b, v, NULL);
        buffer_char(&b, '\n');
        io_write(b.text, b.bytes);
    }
    pool_unwind(mark);
}

/* All mistakes of a text, not only the first. */
static bool check_text(const Program *p) {
    Parsed parsed = parse(source_new(p->name, p->text, p->bytes));
    for (int i = 0; i < parsed.errors; i++) show(&parsed.error[i], DIAG_ERROR);
    return parsed.status == PARSE_OK;
}

/* Dies by the signal, so that the shell sees it. */
static _Noreturn void die_interrupted(void) {
    signal(SIGINT, SIG_DFL);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    raise(SIGINT);
    _exit(STATUS_INTERRUPTED);
}

/* -1: it ran to its end. */
static int run(Program *p) {
    Error error;
    if (guard(run_program, p, &error)) return -1;
    if (error.kind == E_EXIT) return error.status;
    if (error.kind == E_INTERRUPT) {
        io_flush();
        if (!options.prompt_after) die_interrupted();
    }
    if (error.kind == E_SYNTAX && !check_text(p)) return STATUS_ERROR;
    show(&error, DIAG_ERROR);
    return STATUS_ERROR;
}

/* ---- files ---- */

static char *read_stream(FILE *file, size_t *bytes) {
    char *text = NULL;
    size_t capacity = 0, got;
    *bytes = 0;
    do {
        if (capacity - *bytes < 65536) text = realloc(text, capacity = 2 * capacity + 65536);
        got = fread(text + *bytes, 1, capacity - *bytes - 1, file);
        *bytes += got;
    } while (got);
    text[*bytes] = 0;
    return text;
}

/* NULL: it said why not. */
static char *read_program(const char *path, size_t *bytes) {
    if (!strcmp(path, "-")) return read_stream(stdin, bytes);
    struct stat status;
    FILE *file = fopen(path, "rb");
    if (!file || fstat(fileno(file), &status) || S_ISDIR(status.st_mode)) {
        fprintf(stderr, "error: cannot read %s: %s\n", path, file ? "it is a folder" : strerror(errno));
        if (file) fclose(file);
        return NULL;
    }
    char *text = read_stream(file, bytes);
    fclose(file);
    return text;
}

static int run_file(Module *module, const char *path) {
    size_t bytes;
    char *text = read_program(path, &bytes);
    if (!text) return STATUS_USAGE;
    int status = run(&(Program){ module, strcmp(path, "-") ? path : "standard input", text, bytes, false });
    free(text);
    return status;
}

static int check_file(const char *path) {
    size_t bytes;
    char *text = path ? read_program(path, &bytes) : NULL;
    if (!path) fputs("error: adl check needs a file\n", stderr);
    if (!text) return STATUS_USAGE;
    bool fine = check_text(&(Program){ NULL, path, text, bytes, false });
    free(text);
    return fine ? 0 : STATUS_CHECK;
}

/* ---- options ---- */

static int usage_error(const char *problem, const char *what) {
    fprintf(stderr, "error: %s: %s\n  adl --help lists the options\n", problem, what);
    return STATUS_USAGE;
}

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

static int version(void) {
    extern char *openblas_get_config(void);
    extern const char *rl_library_version;
    printf("adl 0.1\n%s, %ld processors\nGNU Readline %s\n", openblas_get_config(), sysconf(_SC_NPROCESSORS_ONLN),
           rl_library_version);
    return 0;
}

enum { O_SEED = 256, O_MEMORY, O_THREADS, O_SANDBOX, O_COLOUR, O_ERRORS, O_NO_INIT };
static const struct option long_options[] = {
    { "seed", required_argument, NULL, O_SEED },      { "memory", required_argument, NULL, O_MEMORY },
    { "threads", required_argument, NULL, O_THREADS }, { "sandbox", no_argument, NULL, O_SANDBOX },
    { "color", required_argument, NULL, O_COLOUR },   { "errors", required_argument, NULL, O_ERRORS },
    { "no-init", no_argument, NULL, O_NO_INIT },      { "help", no_argument, NULL, 'h' },
    { "version", no_argument, NULL, 'V' },            { 0 },
};

static bool one_of(const char *text, const char *a, const char *b, const char *c) {
    return !strcmp(text, a) || !strcmp(text, b) || !strcmp(text, c);
}

static bool number_option(const char *text, uint64_t *out) {
    char *end;
    *out = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end;
}

/* -1: go on. */
static int take_option(int option) {
    uint64_t n;
    switch (option) {
    case 'e': case 'p':
        if (options.codes == MAX_CODES) return usage_error("too many", "-e");
        options.code[options.codes++] = (Code){ optarg, option == 'p' };
        return -1;
    case 'i': options.prompt_after = true; return -1;
    case 'q': options.quiet = true; return -1;
    case 'h': fputs(usage, stdout); return 0;
    case 'V': return version();
    case O_SEED:
        options.seeded = true;
        return number_option(optarg, &options.seed) ? -1 : usage_error("--seed takes a whole number", optarg);
    case O_MEMORY:
        options.memory = size_option(optarg);
        return options.memory ? -1 : usage_error("--memory takes a size like 500M", optarg);
    case O_THREADS:
        if (!number_option(optarg, &n) || n < 1 || n > 1024) return usage_error("--threads takes 1 to 1024", optarg);
        options.threads = (int)n;
        return -1;
    case O_SANDBOX: options.sandbox = true; return -1;
    case O_COLOUR:
        options.colour = optarg;
        return one_of(optarg, "auto", "always", "never") ? -1 : usage_error("--color takes auto, always or never", optarg);
    case O_ERRORS:
        options.json = !strcmp(optarg, "json");
        return one_of(optarg, "text", "json", "json") ? -1 : usage_error("--errors takes text or json", optarg);
    case O_NO_INIT: return -1;
    default: return STATUS_USAGE;
    }
}

static int take_options(int count, char **words) {
    int option, status;
    while ((option = getopt_long(count, words, "+e:p:iqhV", long_options, NULL)) != -1) {
        if (option == '?') fputs("  adl --help lists the options\n", stderr);
        if ((status = take_option(option)) >= 0) return status;
    }
    if (optind < count && !options.codes) options.file = words[optind++];
    options.count = count - optind;
    options.arguments = words + optind;
    return -1;
}

/* ---- what to run ---- */

static void put_arguments(void) {
    size_t mark = pool_mark();
    Value list = list_new((size_t)options.count);
    for (int i = 0; i < options.count; i++) list_set(list, (size_t)i, string_of(options.arguments[i]));
    library_put(SYMBOL("args"), list);
    pool_unwind(mark);
}

static int run_codes(Module *module) {
    int status = -1;
    for (int i = 0; i < options.codes && status < 0; i++) {
        const Code *code = &options.code[i];
        status = run(&(Program){ module, code->print ? "-p" : "-e", code->text, strlen(code->text), code->print });
    }
    return status;
}

/* After an error too; exit() and the end of the prompt end it. */
static int run_prompt(Module *module, int status) {
    if (!options.quiet && status < 0 && !options.file) puts("adl 0.1. `quit`, `exit` or Ctrl-D leaves.");
    module->script = false;
    return repl_run(module, show_error);
}

static int run_all(void) {
    bool nothing = !options.codes && !options.file;
    if (nothing && !isatty(STDIN_FILENO) && !options.prompt_after) options.file = "-";
    Module *module = module_new("main", options.file && strcmp(options.file, "-") ? options.file : "");
    put_arguments();
    int status = options.codes ? run_codes(module) : options.file ? run_file(module, options.file) : -1;
    bool prompt = options.prompt_after || (nothing && !options.file);
    if (prompt && (status < 0 || status == STATUS_ERROR)) status = run_prompt(module, status);
    return status < 0 ? 0 : status;
}

static void open_all(void *env) {
    (void)env;
    tape_open();
    ops_open();
    sweep_open();
    interp_open();
}

static void close_all(void) {
    interp_close();
    tape_close();
    runtime_close();
    sources_close();
}

/* After a failure that ADL_FAIL_AT asked for nothing may be left behind: a test of adl itself. */
static bool leaks(void) {
    size_t blocks = mem_counts().blocks;
    if (!blocks || !getenv("ADL_FAIL_AT")) return false;
    fprintf(stderr, "adl: %zu blocks of memory were not freed\n", blocks);
    return true;
}

static int run_tool(void) {
    if (!strcmp(options.file, "check")) return check_file(options.count ? options.arguments[0] : NULL);
    return doctest_main(options.count, options.arguments);
}

static bool is_tool(void) {
    return options.file && (!strcmp(options.file, "check") || !strcmp(options.file, "test"));
}

/* What fails between the programs' own guards: making the module, the arguments. */
static void run_options(void *status) { *(int *)status = is_tool() ? run_tool() : run_all(); }

static void *interpreter(void *status) {
    runtime_open();
    rt.sandbox = options.sandbox;
    rt.threads = options.threads ? options.threads : (int)sysconf(_SC_NPROCESSORS_ONLN);
    if (options.seeded) rand_seed(options.seed);
    module_warn = show_warning;
    Error error;
    if (!guard(open_all, NULL, &error)) {
        show(&error, DIAG_ERROR);
        *(int *)status = STATUS_ERROR;
        close_all();
        if (leaks()) *(int *)status = STATUS_LEAK;
        return NULL;
    }
    mem_set_limit(options.memory);
    if (!guard(run_options, status, &error)) {
        show(&error, DIAG_ERROR);
        *(int *)status = STATUS_ERROR;
    }
    if (!io_flush()) *(int *)status = STATUS_OUTPUT;
    close_all();
    if (leaks()) *(int *)status = STATUS_LEAK;
    return NULL;
}

/* ---- the process ---- */

static void on_interrupt(int signal_number) {
    (void)signal_number;
    rt.interrupted = 1;
}

/* The interpreter's thread gets the signals: it may be waiting for input. */
static int run_on_large_stack(void) {
    int status = 0;
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK);
    if (pthread_create(&thread, &attributes, interpreter, &status)) {
        fputs("error: no memory for the stack\n", stderr);
        return STATUS_ERROR;
    }
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attributes);
    return status;
}

int main(int count, char **words) {
    int status = take_options(count, words);
    if (status < 0) {
        struct sigaction action = { .sa_handler = on_interrupt };
        sigaction(SIGINT, &action, NULL);
        signal(SIGPIPE, SIG_DFL);
        status = run_on_large_stack();
    }
    if (fflush(stdout) || ferror(stdout)) status = STATUS_OUTPUT;
    if (status == STATUS_OUTPUT) fputs("error: standard output could not be written\n", stderr);
    return status;
}
