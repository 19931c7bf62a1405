/* The live curve: numbers that a program hands over while it runs. The one idea: adl's values never
 * change in place, so what grows from call to call is kept here, and so is when it was last drawn.
 */
#include "live.h"
#include "builtins.h"
#include "eval.h"
#include "io.h"
#include "text.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_SERIES = 8 };
static const double PAUSE = 0.1;    /* seconds between two drawings */

typedef struct Series {
    String *name;
    double *value;
    size_t count, capacity;
} Series; /* name: a symbol */
enum { LABELS = 3 };                /* title, and the names of the axes */
static struct {
    Series series[MOST_SERIES];
    int count, drawn;
    double drawn_at;
    bool stale;                     /* points came since it was drawn */
    String *label[LABELS];          /* the last that were given; symbols */
} live;

static Series *series_named(String *name) {
    for (int i = 0; i < live.count; i++)
        if (live.series[i].name == name) return &live.series[i];
    if (live.count == MOST_SERIES) fail(E_LIMIT, "a live plot has at most %d curves", MOST_SERIES);
    live.series[live.count] = (Series){ .name = name };
    return &live.series[live.count++];
}

static void add_point(String *name, Value v) {
    double x = arg_number(v, "a point of a live curve");
    Series *s = series_named(name);
    if (s->count == s->capacity) {
        size_t capacity = 2 * s->capacity + 256;
        double *grown = realloc(s->value, capacity * sizeof *grown);
        if (!grown) fail(E_MEMORY, "no memory for a live curve of %zu points", capacity);
        s->value = grown;
        s->capacity = capacity;
    }
    s->value[s->count++] = x;
    live.stale = true;
}

/* What is not given this time stays. */
static void keep_labels(Value labels) {
    for (size_t i = 0; i < LABELS && labels.tag == V_LIST && i < labels.as.list->count; i++) {
        Value text = labels.as.list->item[i];
        if (text.tag == V_STRING && text.as.string->bytes)
            live.label[i] = symbol(text.as.string->text, text.as.string->bytes);
    }
}

Value builtin_live_add(int count, const Value *arg) {
    (void)count;
    Value v = arg[0];
    keep_labels(arg[1]);
    for (size_t i = 0; v.tag == V_STRUCT && i < v.as.record->count; i++)
        add_point(v.as.record->field[i].name, v.as.record->field[i].value);
    if (v.tag != V_STRUCT) add_point(SYMBOL("value"), v);
    if (!isatty(STDOUT_FILENO) || io_time() < live.drawn_at + PAUSE) return NIL;
    live.drawn_at = io_time();
    live.stale = false;
    return number(live.drawn++);
}

static Value curve_of(const Series *s) {
    Array *a = array_new(F64, 1, (int64_t[]){ (int64_t)s->count });
    memcpy(f64_of(a), s->value, s->count * sizeof(double));
    return array_value(a);
}

static void forget(void) {
    for (int i = 0; i < live.count; i++) free(live.series[i].value);
    memset(&live, 0, sizeof live);
}

Value builtin_live_curves(int count, const Value *arg) {
    (void)count;
    bool ends = arg[0].tag != V_UNSET && arg_bool(arg[0], "end");
    Value made = struct_new((size_t)live.count), both = list_new(3);
    Value labels = list_new(LABELS);
    for (int i = 0; i < live.count; i++)
        struct_put(made, live.series[i].name, curve_of(&live.series[i]));
    list_set(both, 0, made);
    list_set(both, 1, number(ends || !live.drawn ? live.drawn : live.drawn - 1));
    for (size_t i = 0; i < LABELS; i++)
        list_set(labels, i, string_of(live.label[i] ? live.label[i]->text : ""));
    list_set(both, 2, labels);
    if (ends) forget();
    return both;
}

static void draw_rest(void *none) {
    (void)none;
    size_t mark = pool_mark();
    Value *draw = library_find(SYMBOL("live"));
    if (draw) call_value(*draw, 1, (Value[]){ struct_new(0) });
    pool_unwind(mark);
}

void live_rest(void) {
    bool draws = live.count && live.stale && isatty(STDOUT_FILENO);
    live.drawn_at = 0;
    if (draws) guard(draw_rest, NULL, NULL);
    live.stale = false;
    live.drawn = 0;
}
