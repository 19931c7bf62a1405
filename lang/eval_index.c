/* Indexing: x[i, a:b, ...] and x.name. The one idea: the items are evaluated into one small record,
 * and the value they stand behind (array, list, text, struct) decides what they pick.
 *
 * What an index of an array picks is known to pick.c alone. */
#include "eval_parts.h"
#include "diag.h"
#include "format.h"
#include <string.h>

static void slice_item(Ast *node, Frame *frame, IndexItem *item) {
    Value start = node->a ? eval(node->a, frame) : NIL;
    Value stop = node->b ? eval(node->b, frame) : NIL;
    Value step = node->c ? eval(node->c, frame) : NIL;
    rt.here = node->span;
    *item = (IndexItem){ .kind = I_SLICE, .step = 1, .gather = UNSET };
    if (start.tag != V_NIL)
        item->has_start = true, item->start = arg_int(start, "the start of a slice");
    if (stop.tag != V_NIL) item->has_stop = true, item->stop = arg_int(stop, "the end of a slice");
    if (step.tag != V_NIL) item->step = arg_int(step, "the step of a slice");
    if (item->step == 0) fail(E_INDEX, "the step of a slice cannot be 0");
}

static void value_item(Value v, Span span, IndexItem *item) {
    rt.here = span;
    *item = (IndexItem){ .kind = I_AT, .gather = UNSET };
    if (v.tag == V_ARRAY && (v.as.array->axes || v.as.array->dtype == BOOL)) {
        item->kind = I_GATHER;
        item->gather = v;
    } else if (v.tag == V_BOOL) {
        hint("a mask has the shape of what it selects from; an index is a whole number");
        fail(E_INDEX, "%s is no index", v.as.truth ? "true" : "false");
    } else if (is_numeric(v)) {
        item->start = arg_int(v, "an index");
    } else {
        char text[80];
        if (v.tag == V_LIST) hint("x[[2, 0, 1]] gathers rows, x[i, j] is one element");
        fail(E_INDEX,
             "an index must be a whole number, a slice, an array of them or a mask, not %s",
             describe(v, text, sizeof text));
    }
}

static void eval_item(Ast *node, Frame *frame, Items *out, int i) {
    IndexItem *item = &out->item[i];
    switch (node->kind) {
    case A_SLICE: slice_item(node, frame, item); return;
    case A_NEW: *item = (IndexItem){ .kind = I_NEW, .gather = UNSET }; return;
    case A_ELLIPSIS: *item = (IndexItem){ .kind = I_ELLIPSIS, .gather = UNSET }; return;
    default: break;
    }
    Value v = eval(node, frame);
    if (v.tag == V_STRING && out->count == 1) {
        out->text = v;
    } else {
        value_item(v, node->span, item);
    }
}

void eval_items(Ast *node, Frame *frame, Items *out) {
    out->text = UNSET;
    out->count = (int)node->count;
    out->item = out->few;
    if (node->count > 3 * MAX_AXES)
        fail_at(node->span, E_INDEX, "%u indices are more than any array has axes", node->count);
    if (node->count > FEW_ITEMS) out->item = pool_bytes(node->count * sizeof *out->item);
    for (int i = 0; i < out->count; i++) eval_item(node->kids[i], frame, out, i);
}

size_t list_index(int64_t i, size_t count, const char *what) {
    int64_t at = i < 0 ? i + (int64_t)count : i;
    if (at < 0 || at >= (int64_t)count) {
        fail(E_INDEX, "index %lld is out of range for a %s of %zu item%s", (long long)i, what,
             count, count == 1 ? "" : "s");
    }
    return (size_t)at;
}

/* The first index and the count of a slice over `count` items. */
typedef struct Range { int64_t start, count; } Range;

static Range slice_range(const IndexItem *s, int64_t count) {
    int64_t low = s->step > 0 ? 0 : -1, high = s->step > 0 ? count : count - 1;
    int64_t start = s->has_start ? s->start + (s->start < 0 ? count : 0) : s->step > 0 ? low : high;
    int64_t stop = s->has_stop ? s->stop + (s->stop < 0 ? count : 0) : s->step > 0 ? high : low;
    start = start < low ? low : start > high ? high : start;
    stop = stop < low ? low : stop > high ? high : stop;
    int64_t span = s->step > 0 ? stop - start : start - stop,
            step = s->step > 0 ? s->step : -s->step;
    return (Range){ start, span <= 0 ? 0 : (span - 1) / step + 1 };
}

static Value list_slice(List *list, const IndexItem *slice) {
    Range range = slice_range(slice, (int64_t)list->count);
    Value part = list_new((size_t)range.count);
    for (int64_t i = 0; i < range.count; i++) {
        list_set(part, (size_t)i, list->item[range.start + i * slice->step]);
    }
    return part;
}

static Value list_gather(List *list, Array *indices) {
    if (indices->axes != 1) fail(E_INDEX, "a list is gathered by an array with one axis");
    if (indices->dtype == BOOL && indices->size != (int64_t)list->count) {
        fail(E_INDEX, "a mask of %lld does not fit a list of %zu items", (long long)indices->size,
             list->count);
    }
    Value part = list_new(0);
    for (int64_t i = 0; i < indices->size; i++) {
        double at = array_get(indices, i);
        if (indices->dtype == BOOL && !at) continue;
        int64_t from = indices->dtype == BOOL ? i : arg_int(number(at), "an index");
        part = list_push(part, list->item[list_index(from, list->count, "list")]);
    }
    return part;
}

static Value sequence_index(Value x, const Items *items) {
    const IndexItem *item = items->item;
    bool list = x.tag == V_LIST;
    if (items->count != 1 || item->kind == I_NEW || item->kind == I_ELLIPSIS) {
        hint("write x[i][j] for an item of an item");
        fail(E_INDEX, "a %s takes one index or slice", list ? "list" : "string");
    }
    if (item->kind == I_SLICE)
        return list ? list_slice(x.as.list, item) : string_slice(x.as.string, item);
    if (item->kind == I_GATHER && list) return list_gather(x.as.list, item->gather.as.array);
    if (item->kind != I_AT) fail(E_INDEX, "a string takes one index or slice");
    if (!list) return string_index(x.as.string, item->start);
    return x.as.list->item[list_index(item->start, x.as.list->count, "list")];
}

Value index_value(Value x, const Items *items, Span span) {
    rt.here = span;
    if (items->text.tag == V_STRING) {
        String *text = items->text.as.string;
        return field_value(x, symbol(text->text, text->bytes), span);
    }
    if (is_numeric(x)) return op_index(x, items->count, items->item);
    if (x.tag == V_LIST || x.tag == V_STRING) return sequence_index(x, items);
    char text[80];
    if (x.tag == V_STRUCT) hint("fields are read as s.name or s[\"name\"]; keys(s) lists them");
    if (x.tag == V_FUNCTION) hint("a function is called with ( )");
    fail(E_TYPE, "cannot index %s", describe(x, text, sizeof text));
}

/* x[i], where i is no slice. */
Value index_at(Ast *node, Value x, Value i) {
    Items items = { .count = 1, .text = UNSET };
    items.item = items.few;
    if (i.tag == V_STRING) {
        items.text = i;
    } else {
        value_item(i, node->kids[0]->span, items.item);
    }
    return index_value(x, &items, node->span);
}

/* x[i, j], where neither is a slice. */
Value index_at_both(Ast *node, Value x, Value i, Value j) {
    Items items = { .count = 2, .text = UNSET };
    items.item = items.few;
    value_item(i, node->kids[0]->span, &items.item[0]);
    value_item(j, node->kids[1]->span, &items.item[1]);
    note_values(node, &x, 1);
    Value v = index_value(x, &items, node->span);
    interp.noted.node = NULL;
    return v;
}

Value eval_index(Ast *node, Frame *frame) {
    Value x = eval(node->a, frame);
    Items items;
    eval_items(node, frame, &items);
    note_values(node, &x, 1);
    Value v = index_value(x, &items, node->span);
    interp.noted.node = NULL;
    return v;
}

static void hint_field(Value x, String *name) {
    const Struct *s = x.as.record;
    const char **names = pool_bytes((s->count + 1) * sizeof *names);
    for (size_t i = 0; i < s->count; i++) names[i] = s->field[i].name->text;
    const char *nearest = nearest_name(name->text, s->count, names);
    if (nearest) {
        hint("did you mean `%s`?", nearest);
    } else if (s->module) {
        hint("keys(module) lists its names; adl doc MODULE and, at the prompt, ?module tell more");
    } else if (s->count && s->count <= 8) {
        Buffer list = { 0 };
        for (size_t i = 0; i < s->count; i++) buffer_format(&list, "%s%s", i ? ", " : "", names[i]);
        hint("it has %.*s", (int)list.bytes, list.text);
    }
}

Value field_value(Value x, String *name, Span span) {
    rt.here = span;
    char text[80];
    if (x.tag != V_STRUCT)
        fail(E_TYPE, "only structs have fields, not %s", describe(x, text, sizeof text));
    Value *field = struct_find(x, name);
    if (field) return *field;
    hint_field(x, name);
    fail(E_NAME, "this %s has no field `%s`", x.as.record->module ? "module" : "struct",
         name->text);
}
