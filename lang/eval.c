/* Expressions. The one idea: choose() walks the tree once and gives each node its function; what is
 * left for evaluating is one small function per kind.
 *
 * This file knows values and operations, no strides. Assigning, statements and calls have files of
 * their own (eval.h says which). rt.here is set before anything that can fail or be recorded. */
#include "eval.h"
#include "foreign.h"
#include "diag.h"
#include "format.h"
#include "kernels.h"
#include "lex.h"
#include "looking.h"
#include <math.h>
#include <string.h>

/* ---- names ---- */

static Value eval_variable(Ast *node, Frame *frame) {
    Value v = *near_variable(frame, node->near[0]);
    return __builtin_expect(v.tag == V_UNSET, 0) ? library_or_fail(node, frame) : v;
}

static Value eval_cell(Ast *node, Frame *frame) {
    Value v = frame->cells[node->slot]->value;
    return __builtin_expect(v.tag == V_UNSET, 0) ? library_or_fail(node, frame) : v;
}

/* The variable may be assigned before this value is used: the pool holds it too. */
static Value eval_pinned(Ast *node, Frame *frame) {
    Value v = *variable_place(node, frame);
    if (v.tag == V_UNSET) return library_or_fail(node, frame);
    if (is_object(v)) pool_own(value_keep(v).as.obj);
    return v;
}

Value *variable_place(Ast *name, Frame *frame) {
    if (name->scope == S_CELL) return &frame->cells[name->slot]->value;
    return &frame->variables[name->scope][name->slot];
}

/* ---- names that have no value ---- */

typedef struct Candidates { const char **name; size_t count, capacity; } Candidates;

static void add_candidate(Candidates *c, String *name) {
    if (c->count == c->capacity) {
        const char **old = c->name;
        c->capacity = c->capacity ? 2 * c->capacity : 256;
        c->name = pool_bytes(c->capacity * sizeof *c->name);
        if (c->count) memcpy(c->name, old, c->count * sizeof *old);
    }
    c->name[c->count++] = name->text;
}

static void add_library_name(String *name, Value v, void *env) {
    (void)v;
    add_candidate(env, name);
}

void hint_nearest(String *name, Frame *frame) {
    Candidates c = { 0 };
    const char *foreign = foreign_word(name->text);
    const char *module = foreign ? NULL : module_with(name->text);
    if (foreign || module) {
        if (foreign) hint("%s", foreign);
        else
            hint("the module %s has it: import %s; %s.%s(...)", module, module, module,
                 name->text);
        return;
    }
    if (frame->fn) {
        for (uint32_t i = 0; i < frame->fn->local_count; i++) {
            if (frame->variables[S_LOCAL][i].tag != V_UNSET)
                add_candidate(&c, frame->fn->local_names[i]);
        }
        for (uint32_t i = 0; i < frame->fn->cell_count; i++) {
            if (frame->cells[i]->value.tag != V_UNSET) add_candidate(&c, frame->fn->cell_names[i]);
        }
    }
    for (size_t i = 0; i < frame->module->names.count; i++) {
        if (frame->module->globals[i].tag != V_UNSET)
            add_candidate(&c, frame->module->names.name[i]);
    }
    library_each(add_library_name, &c);
    const char *nearest = nearest_name(name->text, c.count, c.name);
    if (!nearest) foreign = foreign_near(name->text);
    if (nearest) hint("did you mean `%s`?", nearest);
    else if (foreign) hint("%s", foreign);
}

/* Where the function or module assigns the name first; 0 if it does not. */
static Span assigned_at(Ast *name, Frame *frame) {
    switch ((Scope)name->scope) {
    case S_LOCAL: return frame->fn ? frame->fn->local_assigned[name->slot] : 0;
    case S_CELL: return frame->fn->cell_assigned[name->slot];
    case S_GLOBAL: return frame->module->names.assigned[name->slot];
    }
    return 0;
}

/* Some variable or library entry outside this function has the name. */
static bool known_outside(String *name, Frame *frame) {
    Value *global = module_global(frame->module, name);
    return (global && global->tag != V_UNSET) || library_find(name);
}

static _Noreturn void fail_unset(Ast *name, Frame *frame) {
    const char *text = name->name->text;
    Span assigned = assigned_at(name, frame);
    rt.here = name->span;
    if (name->scope != S_GLOBAL && assigned) {
        uint32_t line = place_of(assigned).line;
        if (known_outside(name->name, frame)) {
            hint("line %u assigns `%s`, which makes it local in the whole function: pass it in as "
                 "a parameter, and return it",
                 line, text);
        } else {
            hint("assign `%s` before this line, or pass it in as a parameter", text);
        }
        fail(E_NAME, "`%s` is read before line %u assigns it", text, line);
    }
    if (assigned) {
        hint("line %u assigns it, but that has not run yet", place_of(assigned).line);
    } else {
        hint_nearest(name->name, frame);
    }
    fail(E_NAME, "there is no variable or function `%s`", text);
}

/* A global that is not set means the library's. Its place never moves, so the node remembers it. */
Value library_or_fail(Ast *name, Frame *frame) {
    if (name->scope == S_GLOBAL) {
        if (!name->cache) name->cache = library_find(name->name);
        if (name->cache) return *(Value *)name->cache;
    }
    fail_unset(name, frame);
}

/* ---- constants and literals ---- */

static Value eval_constant(Ast *node, Frame *frame) {
    (void)frame;
    return node->value;
}

/* Evaluated items of a literal, with *spread ones opened. */
typedef struct Row { size_t count, capacity; Value *item, few[16]; } Row;

static void row_add(Row *row, Value v) {
    if (row->count == row->capacity) {
        Value *old = row->item;
        row->item = pool_bytes(2 * row->capacity * sizeof *old);
        memcpy(row->item, old, row->count * sizeof *old);
        row->capacity *= 2;
    }
    row->item[row->count++] = v;
}

static bool row_add_each(Value item, void *row) {
    row_add(row, item);
    return true;
}

static void eval_row(Ast *node, Frame *frame, Row *row) {
    row->count = 0;
    row->capacity = 16;
    row->item = row->few;
    if (node->count > row->capacity) {
        row->capacity = node->count;
        row->item = pool_bytes(row->capacity * sizeof(Value));
    }
    for (uint32_t i = 0; i < node->count; i++) {
        Ast *kid = node->kids[i];
        if (kid->kind == A_SPREAD) {
            Value xs = eval(kid->a, frame);
            rt.here = kid->span;
            each_item(xs, row_add_each, row);
        } else {
            row_add(row, eval(kid, frame));
        }
    }
}

static bool all_plain_numbers(const Row *row) {
    for (size_t i = 0; i < row->count; i++) {
        if (head_of(row->item[i])) return false;
    }
    return true;
}

static _Noreturn void fail_element(Ast *node, const Row *row, size_t i) {
    char text[80];
    if (row->item[i].tag == V_NIL || is_tree(row->item[i]) || row->item[i].tag == V_STRING) {
        hint("( ) makes a list, which holds anything: (1, \"a\", [2, 3])");
    }
    fail_at(row->count == node->count ? node->kids[i]->span : node->span, E_TYPE,
            "element %zu of an array must be a number or an array, not %s", i,
            describe(row->item[i], text, sizeof text));
}

static void check_elements(Ast *node, const Row *row) {
    Shape first = { 0 };
    for (size_t i = 0; i < row->count; i++) {
        if (!is_numeric(row->item[i])) fail_element(node, row, i);
        Shape shape = value_shape(row->item[i]);
        if (i == 0) first = shape;
        if (same_shape(first.axes, first.dim, shape.axes, shape.dim)) continue;
        char want[120], got[120];
        shape_text(first.axes, first.dim, want, sizeof want);
        shape_text(shape.axes, shape.dim, got, sizeof got);
        hint("the elements of an array have one shape; a list ( ) may mix them");
        fail_at(row->count == node->count ? node->kids[i]->span : node->span, E_SHAPE,
                "element %zu of this array has shape %s, but element 0 has shape %s", i, got, want);
    }
}

static Value eval_array(Ast *node, Frame *frame) {
    Row row;
    eval_row(node, frame, &row);
    rt.here = node->span;
    int64_t count = (int64_t)row.count;
    if (all_plain_numbers(&row)) {
        Array *a = array_new(F64, 1, &count);
        for (size_t i = 0; i < row.count; i++) f64_of(a)[i] = row.item[i].as.num;
        return object(a);
    }
    check_elements(node, &row);
    if (count > INT32_MAX)
        fail(E_LIMIT, "an array literal cannot have more than %d elements", INT32_MAX);
    return op_stack((int)count, row.item, 0);
}

static Value eval_list(Ast *node, Frame *frame) {
    Row row;
    eval_row(node, frame, &row);
    return list_of(row.count, row.item);
}

static Value eval_struct(Ast *node, Frame *frame) {
    Value made = struct_new(node->count);
    for (uint32_t i = 0; i < node->count; i++) {
        struct_put(made, node->kids[i]->name, eval(node->kids[i]->a, frame));
    }
    return made;
}

static void format_kid(Buffer *text, Ast *kid, Frame *frame) {
    if (kid->kind == A_CONSTANT) {
        buffer_add(text, kid->value.as.string->text, kid->value.as.string->bytes);
        return;
    }
    Value v = eval(kid->a, frame);
    rt.here = kid->span;
    format_piece(text, v, kid->name ? kid->name->text : NULL, kid->name ? kid->name->bytes : 0);
}

static Value eval_format(Ast *node, Frame *frame) {
    Buffer text = { 0 };
    for (uint32_t i = 0; i < node->count; i++) format_kid(&text, node->kids[i], frame);
    return buffer_string(&text);
}

/* ---- truth ---- */

static _Noreturn void fail_truth(Value v) {
    char text[80];
    if (v.tag == V_ARRAY) {
        hint("say all(...) or any(...) of it; `and`, `or`, `not` of masks are logical_and, "
             "logical_or, logical_not");
        fail(E_TYPE, "a condition must be one bool or number, not %s",
             describe(v, text, sizeof text));
    }
    if (v.tag == V_STRING || is_tree(v)) hint("compare it: len(...) > 0, or == something");
    if (v.tag == V_NIL) hint("compare it: x == nil");
    fail(E_TYPE, "a condition must be true, false or a number, not %s",
         describe(v, text, sizeof text));
}

bool truth(Value v, Span span) {
    if (v.tag == V_BOOL) return v.as.truth;
    rt.here = span;
    double x;
    if (v.tag == V_NUM) {
        x = v.as.num;
    } else if (v.tag == V_ARRAY && v.as.array->size == 1) {
        x = array_get(v.as.array, 0);
    } else {
        fail_truth(v);
    }
    if (isnan(x)) {
        hint("isnan(x) asks whether x is NaN");
        fail(E_VALUE, "a condition is NaN, which is neither true nor false");
    }
    return x != 0;
}

static bool test_any(Ast *node, Frame *frame) {
    Value v = eval(node, frame);
    return v.tag == V_BOOL ? v.as.truth : truth(v, node->span);
}

static bool test_and(Ast *node, Frame *frame) {
    return condition(node->a, frame) && condition(node->b, frame);
}

static bool test_or(Ast *node, Frame *frame) {
    return condition(node->a, frame) || condition(node->b, frame);
}

static bool test_not(Ast *node, Frame *frame) { return !condition(node->a, frame); }

static Value eval_test(Ast *node, Frame *frame) { return boolean(condition(node, frame)); }

/* ---- operators ---- */

/* What fuse_apply() may do with the operands of this node, and whether its parent takes a
 * deferred value. */
static int deferring(const Ast *node) {
    int flags = node->flags & AST_DEFERS ? DEFER : 0;
    flags |= node->a->flags & AST_TEMPORARY ? REUSE_X : 0;
    if (node->b) flags |= node->b->flags & AST_TEMPORARY ? REUSE_Y : 0;
    return flags;
}

static Value eval_negate(Ast *node, Frame *frame) {
    Value x = eval(node->a, frame);
    if (head_of(x) == 0) return number(-x.as.num);
    rt.here = node->span;
    if (is_tree(x)) return tree_map1(OP_neg, x);
    if (is_worth_deferring(x)) return fuse_apply(OP_neg, 1, &x, deferring(node));
    if (!is_numeric(x)) {
        char text[80];
        fail(E_TYPE, "cannot negate %s", describe(x, text, sizeof text));
    }
    return apply1_reusing(OP_neg, x, node->a->flags & AST_TEMPORARY ? REUSE_X : 0);
}

static Value eval_plus(Ast *node, Frame *frame) {
    Value x = eval(node->a, frame);
    rt.here = node->span;
    if (x.tag == V_BOOL) return number(x.as.truth);
    if (!is_numeric(x) && !is_tree(x)) {
        char text[80];
        fail(E_TYPE, "unary + takes numbers and arrays, not %s", describe(x, text, sizeof text));
    }
    return dtype_of(x) == BOOL && x.tag == V_ARRAY ? op_cast(x, F64) : x;
}

static Value eval_transpose(Ast *node, Frame *frame) {
    Value x = eval(node->a, frame);
    rt.here = node->span;
    if (!is_numeric(x)) {
        char text[80];
        fail(E_TYPE, "' transposes arrays, not %s", describe(x, text, sizeof text));
    }
    if (axes_of(x) < 2) {
        hint("x[:, new] makes a column of a vector; outer(x, x) is the product of a column and a "
             "row");
        fail(E_SHAPE, "' transposes the last two axes, but this has %s",
             axes_of(x) ? "one axis" : "no axes");
    }
    return op_transpose(x, NULL);
}

/* An ordering of texts, by their bytes: the order of the code points. */
static bool texts_ordered(Op op, String *x, String *y) {
    int order = strcmp(x->text, y->text);
    return op == OP_lt   ? order < 0
           : op == OP_le ? order <= 0
           : op == OP_gt ? order > 0
                         : order >= 0;
}

static _Noreturn void fail_operands(Op op, Value x, Value y) {
    char x_text[80], y_text[80];
    note_operand(0, x);
    note_operand(1, y);
    if (op == OP_add && (x.tag == V_STRING || y.tag == V_STRING))
        hint("str(x) is the text of a value; f\"{x} and {y}\" puts values into text");
    if (x.tag == V_FUNCTION || y.tag == V_FUNCTION) hint("a function is called with ( )");
    fail(E_TYPE, "`%s` takes numbers and arrays, not %s and %s", operations[op].prints,
         describe(x, x_text, sizeof x_text), describe(y, y_text, sizeof y_text));
}

/* Operands that are not both numeric. */
static Value binary_general(Op op, Value x, Value y) {
    if (op == OP_eq) return boolean(values_equal(x, y));
    if (op == OP_ne) return boolean(!values_equal(x, y));
    if (x.tag == V_STRING && y.tag == V_STRING) {
        if (op == OP_add) return string_concat(x.as.string, y.as.string);
        if (op >= OP_lt && op <= OP_ge) return boolean(texts_ordered(op, x.as.string, y.as.string));
    }
    if (op == OP_mul && x.tag == V_STRING && y.tag == V_NUM)
        return string_repeat(x.as.string, arg_int(y, "the count"));
    if ((is_tree(x) || is_tree(y)) && op < OP_ELEMS) return tree_map2(op, x, y);
    if (x.tag == V_NIL && is_numeric(y)) return y;
    if (y.tag == V_NIL && is_numeric(x)) return x;
    fail_operands(op, x, y);
}

Value binary_op(Op op, Value x, Value y, int reuse) {
    if (is_deferred(x) || is_deferred(y)) {
        if (is_numeric_or_deferred(x) && is_numeric_or_deferred(y))
            return fuse_apply(op, 2, (Value[]){ x, y }, reuse);
        x = fuse_force(x);
        y = fuse_force(y);
    }
    if (!is_numeric(x) || !is_numeric(y)) return binary_general(op, x, y);
    return op == OP_matmul ? op_matmul(x, y) : apply2_reusing(op, x, y, reuse);
}

Value binary(Ast *node, Value x, Value y) {
    rt.here = node->span;
    int flags = deferring(node);
    bool large = flags & DEFER && (is_worth_deferring(x) || is_worth_deferring(y));
    if (large && is_numeric_or_deferred(x) && is_numeric_or_deferred(y))
        return fuse_apply(node->op, 2, (Value[]){ x, y }, flags);
    return binary_op(node->op, x, y, flags & ~DEFER);
}

static Value eval_binary(Ast *node, Frame *frame) {
    Value x = eval(node->a, frame);
    Value y = eval(node->b, frame);
    return binary(node, x, y);
}

/* ---- indexing ---- */

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

static Value eval_index(Ast *node, Frame *frame) {
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

/* ---- choosing: what may come deferred ---- */

/* Builtins whose first argument may be not yet computed: they reduce it, or ask for its size. */
bool reduces_deferred(const BuiltinRow *row) {
    return row->call == call_sum || row->call == call_max || row->call == call_min ||
           row->call == call_size;
}

/* Functions that take arguments not yet computed. The library's mean (prelude.adl) does nothing
 * with its first one but add it up and count it. */
bool takes_deferred(const Function *f) {
    if (!f) return false;
    const BuiltinRow *row = f->row;
    if (row) return row->op != OP_NONE || row->call == call_where || reduces_deferred(row);
    const Value *mean = f->call == closure_call ? library_find(SYMBOL("mean")) : NULL;
    return mean && mean->tag == V_FUNCTION && mean->as.function == f;
}

static bool is_tiled_node(const Ast *node) {
    return (node->kind == A_BINARY && node->op < OP_ELEMS) ||
           (node->kind == A_UNARY && node->token == T_MINUS);
}

/* The library's function that a call most likely means: a variable of that name comes before it. */
static const Function *likely_function(const Ast *node) {
    const Ast *name = node->kind == A_CALL ? node->a : node;
    if (name != node && (name->kind != A_NAME || name->scope != S_GLOBAL)) return NULL;
    Value *v = library_find(name->name);
    return v && v->tag == V_FUNCTION ? v->as.function : NULL;
}

static void let_defer(Ast *kid) {
    bool call = kid->kind == A_CALL || kid->kind == A_METHOD || kid->kind == A_FIELD;
    const Function *f = call ? likely_function(kid) : NULL;
    bool makes_one = f && f->row && takes_deferred(f);
    if (is_tiled_node(kid) || makes_one) kid->flags |= AST_DEFERS;
}

static void choose_deferring(Ast *node) {
    if (is_tiled_node(node)) {
        let_defer(node->a);
        if (node->b) let_defer(node->b);
    } else if (node->kind == A_METHOD || node->kind == A_FIELD) {
        if (takes_deferred(likely_function(node))) let_defer(node->a);
    } else if (node->kind == A_CALL && !(node->flags & AST_STATEMENT) &&
               takes_deferred(likely_function(node))) {
        bool builtin = likely_function(node)->row, looked_at = node->eval != choose_call(node);
        for (uint32_t i = 0; i < node->count && (builtin || !i); i++) let_defer(node->kids[i]);
        if (builtin || !looked_at) node->eval = eval_call_deferring;
    }
}

/* ---- choosing ---- */

static bool is_plain_item(const Ast *kid) {
    return kid->kind != A_SLICE && kid->kind != A_NEW && kid->kind != A_ELLIPSIS &&
           kid->kind != A_SPREAD;
}

static Eval *choose_name(const Ast *node) {
    if (node->flags & AST_PIN) return eval_pinned;
    return node->scope == S_CELL ? eval_cell : eval_variable;
}

static Eval *choose_unary(const Ast *node) {
    switch (node->token) {
    case T_NOT: return eval_test;
    case T_PLUS: return eval_plus;
    case T_PRIME: return eval_transpose;
    default: return eval_negate;
    }
}

static Value eval_misplaced(Ast *node, Frame *frame) {
    (void)frame;
    fail_at(node->span, E_INTERNAL, "a node of kind %s cannot be evaluated",
            ast_kind_name(node->kind));
}

static Value eval_by_running(Ast *node, Frame *frame) {
    node->run(node, frame);
    return NIL;
}

static bool run_any(Ast *node, Frame *frame) {
    node->eval(node, frame);
    return true;
}

static Perform *choose_run(const Ast *node) {
    if (node->kind == A_ASSIGN && node->eval == eval_by_running) return choose_run_assign(node);
    switch ((int)node->kind) {
    case A_BLOCK: return run_block;
    case A_IF: return run_if;
    case A_WHILE: return run_while;
    case A_FOR: return run_for;
    default: return run_any;
    }
}

static Test *choose_test(const Ast *node) {
    if (node->kind == A_AND) return test_and;
    if (node->kind == A_OR) return test_or;
    if (node->kind == A_UNARY && node->token == T_NOT) return test_not;
    Test *fast = choose_fast_test(node);
    return fast ? fast : test_any;
}

static Near near_of(const Ast *node) {
    if (node->kind == A_CONSTANT) return (Near){ .number = node->value.as.num };
    return (Near){ .variable = { node->scope, node->slot * (uint32_t)sizeof(Value) } };
}

static void choose_near(Ast *node) {
    if (node->kind == A_NAME) node->near[0] = near_of(node);
    if (node->kind == A_BINARY || node->kind == A_ASSIGN) node->near[0] = near_of(node->a);
    if (node->kind == A_BINARY || node->kind == A_ASSIGN) node->near[1] = near_of(node->b);
    if (node->kind == A_INDEX && node->count == 1) {
        node->near[0] = near_of(node->a);
        node->near[1] = near_of(node->kids[0]);
    }
}

Ast *only_expression(Ast *block) {
    bool only = block && block->kind == A_BLOCK && block->count == 1 && block->flags & AST_VALUE;
    return only ? block->kids[0] : block;
}

static Eval *choose_one(Ast *node) {
    switch ((AstKind)node->kind) {
    case A_CONSTANT: return eval_constant;
    case A_NAME: return choose_name(node);
    case A_UNARY: return choose_unary(node);
    case A_BINARY: { Eval *fast = choose_fast(node); return fast ? fast : eval_binary; }
    case A_AND: case A_OR: return eval_test;
    case A_CALL: case A_METHOD:
        node->op = has_plain_arguments(node);
        return node->flags & AST_STATEMENT ? eval_thrown_away : choose_call(node);
    case A_INDEX:
        if (node->count == 1 && is_plain_item(node->kids[0])) return choose_fast_item(node);
        return eval_index;
    case A_FIELD: node->op = true; return eval_field;
    case A_ARRAY: return eval_array;
    case A_LIST: return eval_list;
    case A_STRUCT: return eval_struct;
    case A_FORMAT: return eval_format;
    case A_LAMBDA: return eval_closure;
    case A_FN: return eval_fn;
    case A_ASSIGN: { Eval *way = choose_assign(node); return way ? way : eval_by_running; }
    case A_BLOCK: return node->flags & AST_STATEMENT ? eval_block : eval_inner_block;
    case A_IF: return eval_if;
    case A_WHILE: case A_FOR: return eval_by_running;
    case A_BREAK: return eval_break;
    case A_CONTINUE: return eval_continue;
    case A_RETURN: return eval_return;
    case A_RECORD: return eval_record;
    case A_PAUSE: return eval_pause;
    case A_TRY: return eval_try;
    case A_IMPORT: return eval_import;
    case A_EXTERN: return eval_extern;
    case A_ATTACH: return eval_attach;
    case A_NAMED:
    case A_SPREAD:
    case A_SLICE:
    case A_NEW:
    case A_ELLIPSIS:
    case A_PIECE:
    case A_TARGETS:
    case A_EXTERN_FN: case A_ERROR: case AST_KIND_COUNT: break;
    }
    return eval_misplaced;
}

/* A block whose value an unfinished expression waits for must not reclaim what that recorded. */
static void set_block(Ast *block, bool inner) {
    if (block && block->kind == A_BLOCK) block->eval = inner ? eval_inner_block : eval_block;
}

static void set_body(Ast **body) {
    set_block(*body, false);
    *body = looking_body(*body);
}

static void choose_blocks(Ast *node) {
    bool inner = !(node->flags & AST_STATEMENT);
    switch (node->kind) {
    case A_IF:
        set_block(node->b, inner);
        set_block(node->c, inner);
        node->b = only_expression(node->b);
        node->c = only_expression(node->c);
        break;
    case A_RECORD: case A_PAUSE: set_block(node->b, inner); break;
    case A_TRY: set_block(node->a, inner); set_block(node->b, inner); break;
    case A_WHILE: set_body(&node->b); break;
    case A_FOR: set_body(&node->c); break;
    default: break;
    }
}

/* Functions choose their bodies when they are first called. */
void choose(Ast *node) {
    if (!node || node->eval) return;
    choose_near(node);
    node->eval = choose_one(node);
    node->run = choose_run(node);
    node->test = choose_test(node);
    looking_choose(node);
    choose(node->a);
    if (node->kind != A_METHOD && node->kind != A_FIELD) choose(node->b);
    choose(node->c);
    for (uint32_t i = 0; i < node->count; i++) choose(node->kids[i]);
    choose_blocks(node);
    choose_deferring(node);
}
