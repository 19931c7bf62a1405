/* Builtins on sequences: lists, arrays along their first axis, strings by characters, and the
 * fields of structs. The one idea: each_item() of control.c walks them all. */
#include "eval.h"
#include "text.h"
#include <math.h>
#include <string.h>

/* ---- ranges ---- */

Progression range_of(const Value arg[3]) {
    bool one = arg[1].tag == V_UNSET || arg[1].tag == V_NIL;
    double start = one ? 0 : arg_number(arg[0], "the start of range");
    double stop =
        one ? arg_number(arg[0], "the end of range") : arg_number(arg[1], "the end of range");
    double step = arg[2].tag == V_UNSET ? 1 : arg_number(arg[2], "the step of range");
    if (step == 0 || isnan(step))
        fail(E_VALUE, "the step of range cannot be %s", step == 0 ? "0" : "NaN");
    double count = ceil((stop - start) / step);
    if (!(count < 9e15)) fail(E_VALUE, "range needs finite bounds");
    return (Progression){ start, step, count > 0 ? (int64_t)count : 0 };
}

Value builtin_range(int count, const Value *arg) {
    (void)count;
    Progression p = range_of(arg);
    Array *a = array_new(F64, 1, &p.count);
    for (int64_t i = 0; i < p.count; i++) {
        f64_of(a)[i] = p.start + (double)i * p.step;
        poll_at(i);
    }
    return object(a);
}

/* ---- items of any sequence ---- */

static bool collect(Value item, void *list) {
    *(Value *)list = list_push(*(Value *)list, item);
    return true;
}

/* The items as a list; a list is itself. */
static Value items_of(Value v) {
    if (v.tag == V_LIST) return v;
    Value list = list_new(0);
    each_item(v, collect, &list);
    return list;
}

static Value item_of(Value list, size_t i) { return list.as.list->item[i]; }
static size_t count_of(Value list) { return list.as.list->count; }

/* The function and the other argument, whichever comes first. */
static void function_first(Value *f, Value *xs) {
    if (f->tag == V_FUNCTION || xs->tag != V_FUNCTION) return;
    Value swapped = *f;
    *f = *xs;
    *xs = swapped;
}

static size_t shortest(Value lists) {
    size_t least = SIZE_MAX;
    for (size_t i = 0; i < count_of(lists); i++) {
        size_t n = count_of(item_of(lists, i));
        if (n < least) least = n;
    }
    return least == SIZE_MAX ? 0 : least;
}

static Value items_of_each(Value sequences) {
    Value lists = list_new(count_of(sequences));
    for (size_t i = 0; i < count_of(sequences); i++)
        list_set(lists, i, items_of(item_of(sequences, i)));
    return lists;
}

Value builtin_zip(int count, const Value *arg) {
    (void)count;
    Value lists = items_of_each(arg[0]);
    size_t rows = shortest(lists), columns = count_of(lists);
    Value made = list_new(rows);
    for (size_t i = 0; i < rows; i++) {
        Value row = list_new(columns);
        for (size_t j = 0; j < columns; j++) list_set(row, j, item_of(item_of(lists, j), i));
        list_set(made, i, row);
        poll();
    }
    return made;
}

Value builtin_enumerate(int count, const Value *arg) {
    (void)count;
    Value items = items_of(arg[0]);
    double start = arg[1].tag == V_UNSET ? 0 : arg_number(arg[1], "the start of enumerate");
    Value made = list_new(count_of(items));
    for (size_t i = 0; i < count_of(items); i++) {
        list_set(made, i, list_of(2, (Value[]){ number(start + (double)i), item_of(items, i) }));
        poll();
    }
    return made;
}

/* ---- functions over sequences ---- */

Value builtin_map(int count, const Value *arg) {
    (void)count;
    Value f = arg[0], sequences = list_of(count_of(arg[1]), arg[1].as.list->item);
    if (!count_of(sequences)) fail(E_ARGUMENT, "map needs a sequence to map over: map(f, xs)");
    Value first = item_of(sequences, 0);
    function_first(&f, &first);
    list_set(sequences, 0, first);
    Value lists = items_of_each(sequences);
    size_t rows = shortest(lists), columns = count_of(lists);
    Value made = list_new(rows), *args = pool_bytes(columns * sizeof *args);
    for (size_t i = 0; i < rows; i++) {
        size_t mark = pool_mark();
        for (size_t j = 0; j < columns; j++) args[j] = item_of(item_of(lists, j), i);
        list_set(made, i, call_value(f, (int)columns, args));
        pool_unwind(mark);
        poll();
    }
    return made;
}

Value builtin_filter(int count, const Value *arg) {
    (void)count;
    Value f = arg[0], xs = arg[1], made = list_new(0);
    function_first(&f, &xs);
    Value items = items_of(xs);
    Span here = rt.here;
    for (size_t i = 0; i < count_of(items); i++) {
        Value item = item_of(items, i);
        if (truth(call_value(f, 1, &item), here)) made = list_push(made, item);
        poll();
    }
    return made;
}

Value builtin_reduce(int count, const Value *arg) {
    (void)count;
    Value f = arg[0], xs = arg[1];
    function_first(&f, &xs);
    Value items = items_of(xs);
    bool started = arg[2].tag != V_UNSET;
    if (!started && !count_of(items))
        fail(E_VALUE, "reduce of nothing needs a start: reduce(f, xs, start)");
    Value folded = started ? arg[2] : item_of(items, 0);
    size_t mark = pool_mark();
    for (size_t i = !started; i < count_of(items); i++) {
        folded = call_value(f, 2, (Value[]){ folded, item_of(items, i) });
        folded = settle(mark, folded);
        poll();
    }
    return folded;
}

/* ---- growing and joining ---- */

/* An array with one more row: v has the shape of a row. */
static Value append_row(Value xs, Value v) {
    if (!axes_of(xs)) fail(E_SHAPE, "a number has no axis to append along; [x] makes a vector");
    if (!is_numeric(v)) {
        char text[80];
        hint("a list holds anything: append((1, 2), v)");
        fail(E_TYPE, "an array takes numbers and arrays, not %s", describe(v, text, sizeof text));
    }
    Shape shape = value_shape(v);
    memmove(shape.dim + 1, shape.dim, (size_t)shape.axes * sizeof *shape.dim);
    shape.dim[0] = 1;
    Value row = op_reshape(v, shape.axes + 1, shape.dim);
    return op_concat(2, (Value[]){ xs, row }, 0);
}

Value builtin_append(int count, const Value *arg) {
    (void)count;
    if (arg[0].tag == V_LIST) return list_push(arg[0], arg[1]);
    if (is_numeric(arg[0])) return append_row(arg[0], arg[1]);
    char text[80];
    if (arg[0].tag == V_STRING) hint("strings are joined by +");
    fail(E_TYPE, "append takes a list or an array, not %s", describe(arg[0], text, sizeof text));
}

static Value concat_lists(Value lists) {
    Value made = list_new(0);
    for (size_t i = 0; i < count_of(lists); i++) {
        Value list = item_of(lists, i);
        char text[80];
        if (list.tag != V_LIST) {
            fail(E_TYPE, "concat joins lists with lists, but item %zu is %s", i,
                 describe(list, text, sizeof text));
        }
        for (size_t j = 0; j < count_of(list); j++) made = list_push(made, item_of(list, j));
    }
    return made;
}

static int axis_argument(Value axis, Value like) {
    return axis.tag == V_UNSET ? 0 : arg_axis(axis, axes_of(like), "axis of concat");
}

/* An array of several axes is the list of its rows. */
static bool is_rows(Value v) { return is_numeric(v) && axes_of(v) > 1; }

Value builtin_concat(int count, const Value *arg) {
    (void)count;
    if (arg[0].tag != V_LIST && !is_rows(arg[0])) {
        hint("put them into brackets: concat((a, b))");
        fail(E_TYPE, "concat takes a list of arrays or of lists");
    }
    Value parts = items_of(arg[0]);
    if (!count_of(parts)) fail(E_VALUE, "concat of nothing: the list is empty");
    Value first = item_of(parts, 0);
    if (first.tag == V_LIST) return concat_lists(parts);
    if (count_of(parts) > INT32_MAX) fail(E_LIMIT, "too many arrays to join");
    return op_concat((int)count_of(parts), parts.as.list->item, axis_argument(arg[1], first));
}

/* ---- structs ---- */

static Struct *struct_argument(Value v, const char *who) {
    char text[80];
    if (v.tag != V_STRUCT)
        fail(E_TYPE, "%s takes a struct, not %s", who, describe(v, text, sizeof text));
    return v.as.record;
}

Value builtin_keys(int count, const Value *arg) {
    (void)count;
    const Struct *s = struct_argument(arg[0], "keys");
    Value made = list_new(s->count);
    for (size_t i = 0; i < s->count; i++) list_set(made, i, object(s->field[i].name));
    return made;
}

Value builtin_values(int count, const Value *arg) {
    (void)count;
    const Struct *s = struct_argument(arg[0], "values");
    Value made = list_new(s->count);
    for (size_t i = 0; i < s->count; i++) list_set(made, i, s->field[i].value);
    return made;
}

/* The loop does the work (control.c). */
Value builtin_progress(int count, const Value *arg) {
    (void)count;
    return arg[0];
}
