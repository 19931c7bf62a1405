/* What begins with a colon. The one idea: one table of commands and one of settings; help,
 * completion and "did you mean" read the same rows. A command may be shortened as long as it is the
 * only one. */
#define _GNU_SOURCE
#include "repl_parts.h"
#include "diag.h"
#include "format.h"
#include "help.h"
#include "io.h"
#include "par.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

typedef bool Command(const char *rest);
static Command help, vars, mem, timed, bench, type, load, reload, save, edit, set, reset, quit;

/*  name      argument  function  what it does */
static const struct { const char *name, *argument; Command *run; const char *about;
} commands[] = {
    { "help", "[NAME]", help, "about a name, as ?NAME; without one, this list" },
    { "vars", "", vars, "the variables of this session, with type and value" },
    { "mem", "", mem, "memory: in use, on the tape, and the largest variables" },
    { "time", "CODE", timed, "runs once, and says how long it took" },
    { "bench", "CODE", bench, "runs for about a second, again and again: median, least and most" },
    { "type", "EXPR", type, "type, dtype and shape of a value, and whether it has a gradient" },
    { "load", "FILE", load, "runs a file here: its variables become yours" },
    { "reload", "", reload, "loads that file again, and the modules you imported" },
    { "save", "FILE", save, "writes the statements of this session to a file" },
    { "edit", "[FILE]", edit, "the last statement, or a file, in $EDITOR; runs what comes back" },
    { "set", "[NAME VALUE]", set, "how values are shown, colour, threads; alone, all settings" },
    { "reset", "", reset, "forgets all variables" },
    { "quit", "", quit, "leaves, as quit, exit and Ctrl-D do" },
};
enum { COMMANDS = sizeof commands / sizeof *commands };

const char *command_name(size_t i, const char **about) {
    if (i >= COMMANDS) return NULL;
    *about = commands[i].about;
    return commands[i].name;
}

static int columns(void) { return format_options.width; }

static void show_page(const Buffer *page) { io_write(page->text ? page->text : "", page->bytes); }

/* ---- help ---- */

static void list_commands(void) {
    Buffer page = { 0 };
    for (int i = 0; i < COMMANDS; i++) {
        char head[40];
        int width = snprintf(head, sizeof head, ":%s %s", commands[i].name, commands[i].argument);
        buffer_format(&page, "  %s%s%s", STRONG, head, PLAIN_TEXT);
        if (columns() >= 60) buffer_spaces(&page, 22 - width);
        else buffer_text(&page, "\n    ");
        buffer_format(&page, "%s\n", commands[i].about);
    }
    show_page(&page);
}

void help_alone(void) {
    Buffer page = { 0 };
    help_wrapped(&page,
                 "Type a statement; its value is shown unless it ends in `;`. An unfinished one "
                 "goes on in the next "
                 "line. `ans` is the last value shown, `err` the last error.",
                 0, columns());
    buffer_format(&page,
                  "\n  %s?sin%s                  signature, derivative and example of a name, "
                  "keyword or sign\n"
                  "  %s??root%s                names and descriptions that contain a word\n"
                  "  %sTab%s                   completes names, fields, arguments, files, "
                  ":commands and \\alpha\n"
                  "  %sUp, Down, Ctrl-R%s      earlier statements that begin with, or contain, "
                  "what is typed\n"
                  "  %sCtrl-C%s                drops the line, or stops the work and undoes the "
                  "statement\n\n",
                  STRONG, PLAIN_TEXT, STRONG, PLAIN_TEXT, STRONG, PLAIN_TEXT, STRONG, PLAIN_TEXT,
                  STRONG, PLAIN_TEXT);
    show_page(&page);
    list_commands();
}

static bool about_topic(const char *topic) {
    Buffer page = { 0 };
    if (help_topic(&page, session.module, topic, session.colour, columns())) {
        show_page(&page);
        return true;
    }
    const char *nearest = help_nearest(session.module, topic);
    if (nearest) hint("did you mean ?%s", nearest);
    else hint("??%s searches names and descriptions", topic);
    complain("there is no help about `%.60s`", topic);
    return false;
}

static bool help(const char *rest) {
    if (*rest) return about_topic(rest[0] == ':' ? rest + 1 : rest);
    help_alone();
    return true;
}

static bool search(const char *word) {
    Buffer page = { 0 };
    if (help_search(&page, session.module, word, session.colour, columns())) {
        show_page(&page);
        return true;
    }
    complain("nothing mentions `%.60s`", word);
    return false;
}

/* ?name, ??word; ? alone is help. */
static bool question(const char *line) {
    bool twice = line[1] == '?';
    const char *rest = line + 1 + twice;
    rest += strspn(rest, " ");
    if (!*rest) {
        help_alone();
        return true;
    }
    return twice ? search(rest) : about_topic(rest);
}

/* ---- variables ---- */

typedef bool EachVariable(String *name, Value v, void *env);   /* false: enough */

static size_t each_variable(EachVariable *each, void *env) {
    Module *module = session.module;
    size_t count = 0;
    for (size_t i = 0; i < module->set_up; i++) {
        if (module->globals[i].tag == V_UNSET) continue;
        count++;
        if (each && !each(module->names.name[i], module->globals[i], env)) break;
    }
    return count;
}

/* "f64 [2, 3]", "list of 3", "function" */
static void type_text(Value v, char *text, size_t bytes) {
    char shape[80];
    if (v.tag == V_ARRAY) {
        static const char *const dtypes[] = { [F64] = "f64", [F32] = "f32", [BOOL] = "bool" };
        shape_text(v.as.array->axes, shape_of(v.as.array), shape, sizeof shape);
        snprintf(text, bytes, "%s %s", dtypes[v.as.array->dtype],
                 v.as.array->axes ? shape : "number");
    } else if (v.tag == V_NUM) snprintf(text, bytes, "number");
    else if (v.tag == V_BOOL) snprintf(text, bytes, "bool");
    else if (v.tag == V_LIST) snprintf(text, bytes, "list of %zu", v.as.list->count);
    else if (v.tag == V_STRUCT && v.as.record->module) snprintf(text, bytes, "module");
    else if (v.tag == V_STRUCT) snprintf(text, bytes, "struct of %zu", v.as.record->count);
    else snprintf(text, bytes, "%s", type_name(v));
}

typedef struct Widths { int name, type; Buffer page; } Widths;

static int least(int a, int b) { return a < b ? a : b; }

static bool measure(String *name, Value v, void *env) {
    Widths *w = env;
    char text[120];
    type_text(v, text, sizeof text);
    int name_width = (int)text_width(name->text, name->bytes), type_width = (int)strlen(text);
    if (name_width > w->name) w->name = least(name_width, 24);
    if (type_width > w->type) w->type = least(type_width, 24);
    return true;
}

static bool add_variable(String *name, Value v, void *env) {
    Widths *w = env;
    char text[120];
    const char *note = tape_note(v);
    type_text(v, text, sizeof text);
    buffer_format(&w->page, "%s%s%s", STRONG, name->text, PLAIN_TEXT);
    buffer_spaces(&w->page, w->name - (int)text_width(name->text, name->bytes) + 2);
    buffer_format(&w->page, "%-*s", w->type, text);
    int room = columns() - w->name - w->type - 4 - (*note ? (int)strlen(note) + 4 : 0);
    if (room >= 8) {
        buffer_text(&w->page, "  ");
        value_in_a_line(&w->page, v, room);
    }
    if (*note) buffer_format(&w->page, "  %s# %s%s", QUIET, note, PLAIN_TEXT);
    buffer_char(&w->page, '\n');
    return true;
}

static bool vars(const char *rest) {
    (void)rest;
    Widths w = { 0 };
    if (!each_variable(measure, &w)) say("no variables yet\n");
    each_variable(add_variable, &w);
    show_page(&w.page);
    return true;
}

/* ---- memory ---- */

static size_t bytes_of(Value v, int depth) {
    if (depth > 50) return 0;
    size_t bytes = sizeof v;
    if (v.tag == V_ARRAY) bytes += (size_t)v.as.array->size * dtype_bytes(v.as.array->dtype);
    if (v.tag == V_STRING) bytes += v.as.string->bytes;
    for (size_t i = 0; v.tag == V_LIST && i < v.as.list->count; i++)
        bytes += bytes_of(v.as.list->item[i], depth + 1);
    for (size_t i = 0; v.tag == V_STRUCT && i < v.as.record->count; i++)
        bytes += bytes_of(v.as.record->field[i].value, depth + 1);
    return bytes;
}

enum { LARGEST = 5 };
typedef struct Largest { String *name[LARGEST]; size_t bytes[LARGEST]; int count; } Largest;

static bool consider(String *name, Value v, void *env) {
    Largest *l = env;
    size_t bytes = bytes_of(v, 0);
    if (bytes < 1024) return true;
    int at = l->count;
    while (at > 0 && l->bytes[at - 1] < bytes) at--;
    if (at == LARGEST) return true;
    if (l->count < LARGEST) l->count++;
    for (int i = l->count - 1; i > at; i--)
        l->name[i] = l->name[i - 1], l->bytes[i] = l->bytes[i - 1];
    l->name[at] = name;
    l->bytes[at] = bytes;
    return true;
}

static size_t tape_nodes(void) {
    size_t nodes = 0;
    for (const Chunk *c = rt.tape->first; c; c = c->next) nodes += c->used;
    return nodes ? nodes - 1 : 0;        /* the first stands for constants */
}

static size_t leaves_in_use(void) {
    size_t leaves = 0;
    for (size_t i = 0; i < rt.tape->leaves; i++) leaves += rt.tape->leaf[i].used;
    return leaves;
}

static bool mem(const char *rest) {
    (void)rest;
    MemCounts counts = mem_counts();
    char used[32], peak[32], kept[32];
    say("in use     %s, at most %s\n", mem_text(counts.used, used, sizeof used),
        mem_text(counts.peak, peak, sizeof peak));
    say("to reuse   %s\n", mem_text(counts.kept, kept, sizeof kept));
    say("tape       %zu steps, %zu gradient slots\n", tape_nodes(), leaves_in_use());
    Largest largest = { 0 };
    each_variable(consider, &largest);
    for (int i = 0; i < largest.count; i++)
        say("%s%s  %s\n", i ? "           " : "largest    ", largest.name[i]->text,
            mem_text(largest.bytes[i], used, sizeof used));
    return true;
}

/* ---- time ---- */

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static const char *time_text(double seconds, char text[32]) {
    static const struct {
        double unit;
        const char *name;
    } units[] = { { 1, "s" }, { 1e-3, "ms" }, { 1e-6, "µs" }, { 1e-9, "ns" } };
    size_t i = 0;
    while (i < 3 && seconds < units[i].unit) i++;
    snprintf(text, 32, "%.3g %s", seconds / units[i].unit, units[i].name);
    return text;
}

static bool needs(const char *rest, const char *what) {
    if (*rest) return true;
    complain("this command needs %s", what);
    return false;
}

static bool timed(const char *rest) {
    Value v;
    char text[32], memory[32];
    if (!needs(rest, "code to run: :time sum(randn(1000))")) return false;
    size_t before = mem_counts().allocations;
    double start = now();
    if (!run_quietly(rest, &v)) return false;
    double seconds = now() - start;
    if (v.tag != V_NIL) show_value(v);
    say("%s# %s, %zu allocations, %s in use%s\n", QUIET, time_text(seconds, text),
        mem_counts().allocations - before, mem_text(mem_counts().used, memory, sizeof memory),
        PLAIN_TEXT);
    return true;
}

enum { MOST_SAMPLES = 1000 };
typedef struct Bench {
    Value f;
    double sample[MOST_SAMPLES];
    int samples;
    long turns, batch;
} Bench;

static double run_batch(Bench *b) {
    double start = now();
    for (long i = 0; i < b->batch; i++) {
        size_t mark = pool_mark();
        call_value(b->f, 0, NULL);
        pool_unwind(mark);
        tape_statement_end(0);
    }
    b->turns += b->batch;
    return (now() - start) / (double)b->batch;
}

/* Batches of about a millisecond, so that reading the clock costs nothing. */
static void run_bench(void *env) {
    Bench *b = env;
    b->batch = 1;
    run_batch(b);
    for (double once = run_batch(b); once * (double)b->batch < 1e-3 && b->batch < 1L << 24;
         once = run_batch(b))
        b->batch *= 2;
    double end = now() + 1;
    do b->sample[b->samples++] = run_batch(b);
    while (b->samples < MOST_SAMPLES && (now() < end || b->samples < 3));
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static bool bench(const char *rest) {
    if (!needs(rest, "code to run: :bench sum(randn(1000))")) return false;
    Buffer code = { 0 };
    buffer_format(&code, "() -> {\n%s\n}", rest);
    buffer_char(&code, 0);
    Bench b = { 0 };
    if (!run_quietly(code.text, &b.f) || !run_guarded(run_bench, &b)) return false;
    qsort(b.sample, (size_t)b.samples, sizeof *b.sample, ascending);
    char median[32], fastest[32], slowest[32];
    say("%s a run; %s to %s over %ld runs\n", time_text(b.sample[b.samples / 2], median),
        time_text(b.sample[0], fastest), time_text(b.sample[b.samples - 1], slowest), b.turns);
    return true;
}

static bool type(const char *rest) {
    Value v;
    char text[200];
    if (!needs(rest, "an expression: :type x") || !run_quietly(rest, &v)) return false;
    type_text(v, text, sizeof text);
    const char *note = tape_note(v);
    say("%s%s%s%s\n", v.tag == V_ARRAY ? "array, " : "", text, *note ? ", " : "", note);
    return true;
}

/* ---- files ---- */

static char loaded[4096];

/* The path without quotes, with ~ as the home. In the pool. */
static const char *path_of(const char *rest) {
    size_t bytes = strlen(rest);
    const char *home = getenv("HOME");
    bool quoted = bytes > 1 && rest[0] == '"' && rest[bytes - 1] == '"';
    Buffer path = { 0 };
    if (quoted) rest++, bytes -= 2;
    bool from_home = rest[0] == '~' && (rest[1] == '/' || !rest[1]) && home;
    if (from_home) buffer_text(&path, home), rest++, bytes--;
    buffer_add(&path, rest, bytes);
    buffer_char(&path, 0);
    return path.text;
}

static void run_load(void *path) {
    Buffer text = io_read_file(string_of(path).as.string);
    bool script = session.module->script;
    session.module->script = true;
    module_run_source(session.module, source_new(path, text.text, text.bytes));
    session.module->script = script;
}

static bool load_path(const char *path) {
    snprintf(loaded, sizeof loaded, "%s", path);
    bool fine = run_guarded(run_load, pool_text(path));
    session.module->script = false;
    return fine;
}

static bool load(const char *rest) {
    return needs(rest, "a file: :load train.adl") && load_path(path_of(rest));
}

/* A module's file runs again, and each variable that holds the module holds the new one. */
static void reload_module(void *env) {
    Module *module = env;
    Value old = module->record;
    value_hold(old);
    Value fresh = module_reload(module);
    for (size_t i = 0; i < session.module->set_up; i++) {
        Value *v = &session.module->globals[i];
        if (v->tag == V_STRUCT && old.tag == V_STRUCT && v->as.record == old.as.record)
            value_store(v, fresh);
    }
    value_release(old);
}

static bool reload(const char *rest) {
    (void)rest;
    bool fine = true;
    int modules = 0;
    for (Module *module = interp.modules; module && fine; module = module->next) {
        if (module->library || module == session.module || !module->path->bytes ||
            module->record.tag != V_STRUCT)
            continue;
        fine = run_guarded(reload_module, module);
        if (fine) say("%s# reloaded %s%s\n", QUIET, module->path->text, PLAIN_TEXT);
        modules++;
    }
    if (!*loaded && !modules) complain("nothing was loaded or imported from a file");
    if (!*loaded) return fine && modules;
    return fine && load_path(pool_text(loaded));
}

static void add_statement(const char *text, void *page) {
    if (is_command(text) || !strcmp(text, "quit") || !strcmp(text, "exit") || !strcmp(text, "help"))
        return;
    buffer_format(page, "%s\n", text);
}

static void write_session(void *env) {
    Buffer page = { 0 };
    const char *path = env;
    history_each(add_statement, &page);
    io_write_file(string_of(path).as.string, page.text ? page.text : "", page.bytes);
    say("%s# wrote %s%s\n", QUIET, path, PLAIN_TEXT);
}

static bool save(const char *rest) {
    if (!needs(rest, "a file: :save session.adl")) return false;
    const char *path = path_of(rest);
    if (!access(path, F_OK)) {
        hint("choose another name, or delete it first");
        complain("%.200s is there already", path);
        return false;
    }
    return run_guarded(write_session, pool_text(path));
}

/* ---- the editor ---- */

static const char *editor(void) {
    const char *visual = getenv("VISUAL"), *plain = getenv("EDITOR");
    return visual && *visual ? visual : plain && *plain ? plain : "vi";
}

/* Runs $EDITOR on a file and waits. The shell splits the words of $EDITOR. */
static bool run_editor(const char *path) {
    pid_t child = fork();
    if (child == 0) {
        execlp("sh", "sh", "-c", "$0 \"$1\"", editor(), path, (char *)NULL);
        _exit(127);
    }
    int status = 0;
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) { }
    rt.interrupted = 0;
    if (child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0) return true;
    hint("$VISUAL and $EDITOR name the editor");
    complain("the editor `%.60s` failed", editor());
    return false;
}

static void read_edited(void *env) {
    Buffer *text = env;
    const char *path = text->text;
    *text = io_read_file(string_of(path).as.string);
    buffer_char(text, 0);
}

static bool edit_last(void) {
    const char *last = history_last();
    char path[] = "/tmp/adl-XXXXXX.adl";
    int file = mkstemps(path, 4);
    if (file < 0) {
        complain("cannot make a file in /tmp: %s", strerror(errno));
        return false;
    }
    if (last) dprintf(file, "%s\n", last);
    close(file);
    Buffer text = { .text = path };
    bool fine = run_editor(path) && run_guarded(read_edited, &text);
    unlink(path);
    if (!fine) return false;
    io_write(text.text, text.bytes - 1);
    return run_text(text.text, text.bytes - 1);
}

static bool edit(const char *rest) {
    if (rt.sandbox) {
        complain(":edit is not allowed in a sandbox");
        return false;
    }
    if (!*rest) return edit_last();
    const char *path = path_of(rest);
    return run_editor(path) && load_path(path);
}

/* ---- settings ---- */

static int threads;
/*  name         place                       least  most   what it is */
static const struct {
    const char *name;
    int *place;
    int least, most;
    const char *about;
} settings[] = {
    { "width", &session.width, 0, 10000, "columns of what is shown; 0: those of the window" },
    { "digits", &format_options.digits, 1, 17, "significant digits of the elements of arrays" },
    { "threshold", &format_options.threshold, 0, 1 << 30,
      "arrays and lists with more elements are shortened" },
    { "edge", &format_options.edge, 1, 1000, "items shown at each end of a shortened one" },
    { "threads", &threads, 1, 1024, "threads that calculate" },
    { "colour", &session.colour_wanted, 0, 1, "1: colours, 0: none" },
};
enum { SETTINGS = sizeof settings / sizeof *settings };

const char *setting_name(size_t i, const char **about) {
    if (i >= SETTINGS) return NULL;
    *about = settings[i].about;
    return settings[i].name;
}

static void list_settings(void) {
    Buffer page = { 0 };
    for (int i = 0; i < SETTINGS; i++)
        buffer_format(&page, "  %s%-10s%s %-8d %s\n", STRONG, settings[i].name, PLAIN_TEXT,
                      *settings[i].place, settings[i].about);
    show_page(&page);
}

static int setting_number(const char *name, size_t bytes) {
    for (int i = 0; i < SETTINGS; i++)
        if (strlen(settings[i].name) == bytes && !strncmp(settings[i].name, name, bytes)) return i;
    return -1;
}

static bool bad_setting(const char *name) {
    Nearest nearest = { .text = name };
    for (int i = 0; i < SETTINGS; i++) nearest_try(&nearest, settings[i].name);
    if (nearest.best) hint("did you mean :set %s", nearest.best);
    else hint(":set alone lists them");
    complain("there is no setting `%.40s`", name);
    return false;
}

static bool set(const char *rest) {
    char name[42] = "", word[42] = "", *end;
    threads = rt.threads;
    sscanf(rest, "%40s %40s", name, word);
    if (!strcmp(name, "color")) strcpy(name, "colour");
    int i = setting_number(name, strlen(name));
    if (*name && i < 0) return bad_setting(name);
    if (!*name) list_settings();
    else if (!*word) say("%d\n", *settings[i].place);
    if (!*word) return true;
    long n = !strcasecmp(word, "on")                                 ? 1
             : !strcasecmp(word, "off") || !strcasecmp(word, "auto") ? 0
                                                                     : strtol(word, &end, 10);
    bool number_ = strspn(word, "0123456789") == strlen(word) || strchr("oaOA", *word);
    if (!number_ || n < settings[i].least || n > settings[i].most) {
        complain("%s takes a whole number from %d to %d, not `%s`", name, settings[i].least,
                 settings[i].most, word);
        return false;
    }
    *settings[i].place = (int)n;
    session.colour = session.colour_wanted;
    rt.threads = threads;
    par_threads_set(threads);
    return true;
}

/* ---- leaving ---- */

static bool reset(const char *rest) {
    (void)rest;
    size_t count = each_variable(NULL, NULL);
    for (size_t i = 0; i < session.module->set_up; i++)
        value_store(&session.module->globals[i], UNSET);
    library_put(SYMBOL("ans"), NIL);
    library_put(SYMBOL("err"), NIL);
    say("%s# %zu %s forgotten%s\n", QUIET, count, count == 1 ? "variable" : "variables",
        PLAIN_TEXT);
    return true;
}

static bool quit(const char *rest) {
    (void)rest;
    session.status = 0;
    return true;
}

/* ---- finding the command ---- */

/* -1: there is none; -2: several begin like this. */
static int command_number(const char *word, size_t bytes) {
    int found = -1;
    for (int i = 0; i < COMMANDS; i++) {
        if (!bytes || strncmp(commands[i].name, word, bytes)) continue;
        if (!commands[i].name[bytes]) return i;
        found = found == -1 ? i : -2;
    }
    return found;
}

static bool unknown(const char *word, size_t bytes, bool several) {
    char name[42];
    snprintf(name, sizeof name, "%.*s", (int)(bytes < 40 ? bytes : 40), word);
    Nearest nearest = { .text = name };
    for (int i = 0; i < COMMANDS; i++) nearest_try(&nearest, commands[i].name);
    if (several) hint(":help lists the commands");
    else if (nearest.best) hint("did you mean :%s", nearest.best);
    else hint(":help lists the commands");
    complain(several ? "several commands begin with `:%s`" : "there is no command `:%s`", name);
    return false;
}

bool command_run(const char *line) {
    if (*line == '?') return question(line);
    size_t bytes = strcspn(line + 1, " \t\n");
    int i = command_number(line + 1, bytes);
    if (i < 0) return unknown(line + 1, bytes, i == -2);
    const char *rest = line + 1 + bytes;
    rest += strspn(rest, " \t");
    if (*rest && !*commands[i].argument) {
        complain(":%s takes nothing, not `%.40s`", commands[i].name, rest);
        return false;
    }
    return commands[i].run(rest);
}
