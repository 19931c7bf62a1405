/* The command line: options, what to run, and the exit status. The one idea: everything runs in one
 * interpreter's module on a thread with a large stack, and every way out is a status of the table
 * below. */
#include "canvas.h"
#include "eval.h"
#include "format.h"
#include "ffi_call.h"
#include "io.h"
#include "par.h"
#include "options.h"
#include "rand.h"
#include "repl.h"
#include "screen.h"
#include "report.h"
#include "sweep.h"
#include "tools.h"
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* AddressSanitizer cannot clear more than 64 MiB of stack after a jump. */
#ifdef __SANITIZE_ADDRESS__
static const size_t STACK = (size_t)48 << 20;
#else
static const size_t STACK = (size_t)256 << 20;
#endif

/* ---- programs ---- */

typedef struct Program {
    Module *module;
    const char *name, *text;
    size_t bytes;
    bool print;
} Program;

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
    for (int i = 0; i < parsed.errors; i++) report_error(&parsed.error[i]);
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
    report_error(&error);
    return STATUS_ERROR;
}

static int run_file(Module *module, const char *path) {
    size_t bytes;
    char *text = read_program(path, &bytes);
    if (!text) return STATUS_USAGE;
    int status = run(&(Program){ module, program_name(path), text, bytes, false });
    free(text);
    return status;
}

/* ---- what to run ---- */

static void put_arguments(void) {
    size_t mark = pool_mark();
    Value list = list_new((size_t)options.count);
    for (int i = 0; i < options.count; i++)
        list_set(list, (size_t)i, string_of(options.arguments[i]));
    library_put(SYMBOL("args"), list);
    pool_unwind(mark);
}

static int run_codes(Module *module) {
    int status = -1;
    for (int i = 0; i < options.codes && status < 0; i++) {
        const Code *code = &options.code[i];
        status = run(&(Program){ module, code->print ? "-p" : "-e", code->text, strlen(code->text),
                                 code->print });
    }
    return status;
}

/* After an error too; exit() and the end of the prompt end it. */
static int run_prompt(Module *module, int status) {
    if (!options.quiet && status < 0 && !options.file)
        repl_greet("adl 0.1. `quit`, `exit` or Ctrl-D leaves.");
    module->script = false;
    return repl_run(module);
}

static int run_all(void) {
    bool nothing = !options.codes && !options.file;
    if (nothing && !isatty(STDIN_FILENO) && !options.prompt_after) options.file = "-";
    Module *module =
        module_new("main", options.file && strcmp(options.file, "-") ? options.file : "");
    put_arguments();
    int status = options.codes  ? run_codes(module)
                 : options.file ? run_file(module, options.file)
                                : -1;
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

static void close_all(bool failed) {
    interp_close();
    foreign_close(failed);
    par_close();
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

/* What fails between the programs' own guards: making the module, the arguments. */
static void run_options(void *status) {
    *(int *)status =
        options.tool ? tool_run(options.tool, options.count, options.arguments) : run_all();
}

static pthread_t interpreter_thread;

/* A call of LAPACK or of a foreign function cannot be stopped: whoever waits should know. */
static void say_pending(void) {
    static const char text[] = "\ninterrupt pending: it is taken when this library call returns\n";
    bool outside = rt.outside || rt.foreign;
    if (outside && isatty(STDERR_FILENO) && write(STDERR_FILENO, text, sizeof text - 1) < 0)
        rt.interrupted = 1;
}

/* The kernel may choose any thread, also one of a library; only in the interpreter's does it end a
 * wait. */
static void on_interrupt(int signal_number) {
    if (!pthread_equal(pthread_self(), interpreter_thread)) {
        pthread_kill(interpreter_thread, signal_number);
        return;
    }
    rt.interrupted = 1;
    say_pending();
}

static void *interpreter(void *status) {
    struct sigaction action = { .sa_handler = on_interrupt };
    interpreter_thread = pthread_self();
    sigaction(SIGINT, &action, NULL);
    runtime_open();
    rt.sandbox = options.sandbox;
    rt.threads = par_limit(options.threads);
    par_threads_set(rt.threads);
    if (options.seeded) rand_seed(options.seed);
    module_warn = report_warning;
    canvas_colour = !strcmp(options.colour, "always")  ? 1
                    : !strcmp(options.colour, "never") ? 0
                                                       : -1;
    screen_colours(options.colour);
    Error error;
    if (!guard(open_all, NULL, &error)) {
        report_error(&error);
        *(int *)status = STATUS_ERROR;
        close_all(true);
        if (leaks()) *(int *)status = STATUS_LEAK;
        return NULL;
    }
    mem_set_limit(options.memory);
    if (!guard(run_options, status, &error)) {
        report_error(&error);
        *(int *)status = STATUS_ERROR;
    }
    if (!io_flush()) *(int *)status = STATUS_OUTPUT;
    close_all(*(int *)status != 0);
    if (leaks()) *(int *)status = STATUS_LEAK;
    return NULL;
}

/* ---- the process ---- */

/* The interpreter's thread gets the signals: it may be waiting for input. */
static int run_on_large_stack(void) {
    int status = 0;
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGWINCH);
    sigaddset(&set, SIGTSTP);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK);
    if (pthread_create(&thread, &attributes, interpreter, &status)) {
        report_problem(E_MEMORY, NULL, "no memory for the stack");
        return STATUS_ERROR;
    }
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attributes);
    return status;
}

int main(int count, char **words) {
    int status = options_read(count, words);
    if (status < 0) {
        signal(SIGPIPE, SIG_DFL);
        signal(SIGXFSZ, SIG_IGN);      /* a file past its limit (ulimit -f) is an error */
        status = run_on_large_stack();
    }
    if (fflush(stdout) || ferror(stdout)) status = STATUS_OUTPUT;
    if (status == STATUS_OUTPUT) report_problem(E_IO, NULL, "standard output could not be written");
    return status;
}
