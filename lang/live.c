/* The live curve: numbers that a program hands over while it runs. The one idea: adl's values never
 * change in place, so what grows from call to call is kept here, and so is when it was last drawn.
 */
#include "builtins.h"
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
static struct { Series series[MOST_SERIES]; int count, drawn; double drawn_at; } live;

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
}

Value builtin_live_add(int count, const Value *arg) {
    (void)count;
    Value v = arg[0];
    for (size_t i = 0; v.tag == V_STRUCT && i < v.as.record->count; i++)
        add_point(v.as.record->field[i].name, v.as.record->field[i].value);
    if (v.tag != V_STRUCT) add_point(SYMBOL("value"), v);
    if (!isatty(STDOUT_FILENO) || io_time() < live.drawn_at + PAUSE) return NIL;
    live.drawn_at = io_time();
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
    Value made = struct_new((size_t)live.count), both = list_new(2);
    for (int i = 0; i < live.count; i++)
        struct_put(made, live.series[i].name, curve_of(&live.series[i]));
    list_set(both, 0, made);
    list_set(both, 1, number(ends || !live.drawn ? live.drawn : live.drawn - 1));
    if (ends) forget();
    return both;
}
