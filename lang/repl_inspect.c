/* Commands that look: variables, memory, time, type. The one idea: they measure what the session
 * has, and change nothing but `ans`. */
#define _GNU_SOURCE
#include "repl_parts.h"
#include "format.h"
#include "io.h"
#include "views.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- variables ---- */

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
    int left = format_options.width - w->name - w->type - 2,
        room = left - 2 - (*note ? (int)strlen(note) + 4 : 0);
    if (room >= 8) {
        buffer_text(&w->page, "  ");
        value_in_a_line(&w->page, v, room);
    }
    if (*note) {
        bool below = left < (int)strlen(note) + 4;
        buffer_text(&w->page, below ? "\n" : "  ");
        add_comment(&w->page, note, format_options.width);
    }
    buffer_char(&w->page, '\n');
    return true;
}

bool command_vars(const char *rest) {
    (void)rest;
    Widths w = { 0 };
    if (!session_variables(measure, &w)) say("no variables yet\n");
    session_variables(add_variable, &w);
    io_write(w.page.text ? w.page.text : "", w.page.bytes);
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

bool command_mem(const char *rest) {
    (void)rest;
    MemCounts counts = mem_counts();
    char used[32], peak[32], kept[32];
    say_entry("in use", "%s, at most %s", mem_text(counts.used, used, sizeof used),
              mem_text(counts.peak, peak, sizeof peak));
    say_entry("to reuse", "%s", mem_text(counts.kept, kept, sizeof kept));
    say_entry("tape", "%s, %s", counted(tape_nodes(), "step"),
              counted(leaves_in_use(), "gradient slot"));
    Largest largest = { 0 };
    session_variables(consider, &largest);
    for (int i = 0; i < largest.count; i++)
        say_entry(i ? "" : "largest", "%s  %s", largest.name[i]->text,
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

bool command_timed(const char *rest) {
    Value v;
    char text[32], memory[32], note[120];
    if (!command_needs(rest, "code to run: :time sum(randn(1000))")) return false;
    size_t before = mem_counts().allocations;
    double start = now();
    if (!run_quietly(rest, &v)) return false;
    double seconds = now() - start;
    if (v.tag != V_NIL) show_value(v);
    snprintf(note, sizeof note, "%s, %s, %s in use", time_text(seconds, text),
             counted(mem_counts().allocations - before, "allocation"),
             mem_text(mem_counts().used, memory, sizeof memory));
    Buffer line = { 0 };
    add_comment(&line, note, format_options.width);
    say("%.*s\n", (int)line.bytes, line.text);
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

bool command_bench(const char *rest) {
    if (!command_needs(rest, "code to run: :bench sum(randn(1000))")) return false;
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

bool command_type(const char *rest) {
    Value v;
    char text[200];
    if (!command_needs(rest, "an expression: :type x") || !run_quietly(rest, &v)) return false;
    type_text(v, text, sizeof text);
    const char *note = tape_note(v);
    say("%s%s%s%s\n", v.tag == V_ARRAY ? "array, " : "", text, *note ? ", " : "", note);
    return true;
}

