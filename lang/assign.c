/* Assignment. The one idea: a place is a variable and a path of steps into it (fields, indices);
 * all indices and the value are evaluated first, then the path is walked from the variable inwards,
 * and whatever on it has other holders is copied before it is written. So values never alias, a
 * sole holder is written in place, and an error leaves every variable as it was. */
#include "elem.h"
#include "eval_parts.h"
#include "lex.h"
#include <string.h>

/* ---- names ---- */

/* Neither the old value nor the new one is counted or on the tape: plain numbers, bools, nil,
 * unset. */
static inline bool both_plain(Value a, Value b) { return (head_of(a) | head_of(b)) < V_ARRAY; }

static __attribute__((noinline)) void store(Value *place, Value v) { value_store(place, v); }

static bool assign_variable(Ast *node, Frame *frame) {
    const Value v = eval(node->b, frame);
    Value *place = near_variable(frame, node->near[0]);
    if (__builtin_expect(both_plain(*place, v), 1)) {
        *place = v;
        return false;
    }
    store(place, v);
    return true;
}

/* The value has a block in it, which may break, continue or return instead of giving one. */
static Value assign_if_on(Ast *node, Frame *frame) {
    Value v = eval(node->b, frame);
    if (frame->flow == FLOW_ON) value_store(&frame->variables[node->scope][node->slot], v);
    return NIL;
}

static Value assign_cell(Ast *node, Frame *frame) {
    Value v = eval(node->b, frame);
    if (frame->flow == FLOW_ON) value_store(variable_place(node->a, frame), v);
    return NIL;
}

/* Outside `record` an update keeps the gradient slots of what it replaces. */
static Value with_slots(Value old, Value fresh) {
    return rt.recording ? fresh : keep_slots(old, fresh);
}

void update_name_with(Ast *node, Frame *frame, Value y) {
    Value *place = variable_place(node->a, frame), old = *place;
    if (old.tag == V_UNSET) old = library_or_fail(node->a, frame);
    rt.here = node->span;
    int reuse = node->b->flags & AST_TEMPORARY ? REUSE_Y : 0;
    value_store(place, with_slots(old, binary_op(node->op, old, y, reuse)));
}

static Value update_name(Ast *node, Frame *frame) {
    Value y = eval(node->b, frame);
    if (frame->flow == FLOW_ON) update_name_with(node, frame, y);
    return NIL;
}

/* ---- places inside a value ---- */

typedef struct Step {
    String *field;              /* NULL: items */
    Items items;
    Span span;
} Step;

enum { FEW_STEPS = 2, MAX_STEPS = 64 };
typedef struct Path {
    Value *variable;
    int count;
    Step *step, few[FEW_STEPS];
} Path;

static int path_length(const Ast *place) {
    int count = 0;
    for (; place->kind != A_NAME; place = place->a) count++;
    return count;
}

/* Evaluates a place's indices, outermost container first. */
static void eval_path(Ast *place, Frame *frame, Path *path) {
    path->count = path_length(place);
    if (path->count > MAX_STEPS)
        fail_at(place->span, E_LIMIT, "a place cannot be more than %d steps deep", MAX_STEPS);
    path->step =
        path->count <= FEW_STEPS ? path->few : pool_bytes((size_t)path->count * sizeof *path->step);
    Ast *nodes[MAX_STEPS];
    for (int i = path->count; i-- > 0; place = place->a) nodes[i] = place;
    for (int i = 0; i < path->count; i++) {
        Step *step = &path->step[i];
        step->span = nodes[i]->span;
        step->field = nodes[i]->kind == A_FIELD ? nodes[i]->name : NULL;
        if (step->field) continue;
        eval_items(nodes[i], frame, &step->items);
        if (step->items.text.tag == V_STRING) {
            String *text = step->items.text.as.string;
            step->field = symbol(text->text, text->bytes);
        }
    }
    path->variable = variable_place(place, frame);
    if (path->variable->tag != V_UNSET) return;
    library_or_fail(place, frame);
    hint("assign it first: %s = ...", place->name->text);
    fail_at(place->span, E_NAME, "`%s` belongs to the library and cannot be written into",
            place->name->text);
}

static Value read_step(Value container, const Step *step) {
    if (step->field) return field_value(container, step->field, step->span);
    return index_value(container, &step->items, step->span);
}

static Value read_path(const Path *path, int count) {
    Value v = *path->variable;
    for (int i = 0; i < count; i++) v = read_step(v, &path->step[i]);
    return v;
}

static _Noreturn void fail_write(Value container, const Step *step) {
    char text[80];
    rt.here = step->span;
    describe(container, text, sizeof text);
    if (container.tag == V_STRING) {
        hint("strings do not change: build a new one, as replace(text, old, new) does");
        fail(E_TYPE, "cannot write into %s", text);
    }
    if (step->field && strcmp(step->field->text, "grad") == 0)
        hint("a gradient is written by backward alone; zero_grad(x) clears it");
    if (step->field) fail(E_TYPE, "only structs have fields, not %s", text);
    fail(E_TYPE, "cannot write to an element of %s", text);
}

static Value copy_of(Value v) {
    if (v.tag == V_LIST) return list_of(v.as.list->count, v.as.list->item);
    const Struct *s = v.as.record;
    Value copy = struct_new(s->count + 1);
    for (size_t i = 0; i < s->count; i++) struct_put(copy, s->field[i].name, s->field[i].value);
    return copy;
}

/* Whoever writes into the list or struct at *place must be its only holder. */
static void make_sole(Value *place) {
    if (place->as.obj->refs > 1) value_store(place, copy_of(*place));
}

static Value *list_place(Value list, const Step *step) {
    rt.here = step->span;
    const Items *items = &step->items;
    if (items->count != 1 || items->item->kind != I_AT) {
        hint("assign to one item at a time");
        fail(E_INDEX, "a place in a list is one whole number");
    }
    return &list.as.list->item[list_index(items->item->start, list.as.list->count, "list")];
}

static Value *enter_struct(Value *place, const Step *step, bool last) {
    rt.here = step->span;
    if (place->as.record->module) fail(E_TYPE, "a module's fields cannot be assigned");
    bool missing = !struct_find(*place, step->field);
    if (missing && !last) field_value(*place, step->field, step->span);
    make_sole(place);
    if (missing) struct_put(*place, step->field, NIL);
    return struct_find(*place, step->field);
}

/* The place a step leads to, in a list or struct made sole. */
static Value *enter(Value *place, const Step *step, bool last) {
    if (place->tag == V_STRUCT && step->field) return enter_struct(place, step, last);
    if (place->tag != V_LIST || step->field) fail_write(*place, step);
    list_place(*place, step);
    make_sole(place);
    return list_place(*place, step);
}

static void put_elements(Value *place, const Step *step, Value v) {
    rt.here = step->span;
    if (!is_numeric(v)) {
        char text[80];
        fail(E_TYPE, "an element of an array must be a number or an array, not %s",
             describe(v, text, sizeof text));
    }
    Value old = *place;
    bool alias = v.tag == V_ARRAY && v.as.obj == old.as.obj;
    Value fresh = op_put(old, step->items.count, step->items.item, v, !alias, 1);
    value_store(place, with_slots(old, fresh));
}

/* a[i] = number, where a is a plain vector nobody else holds. */
static bool put_plain(Value *place, const Step *step, Value v) {
    if (place->tag != V_ARRAY || place->node || head_of(v) || step->field) return false;
    Array *a = place->as.array;
    const IndexItem *item = step->items.item;
    if (step->items.count != 1 || item->kind != I_AT || a->axes != 1 || a->dtype != F64)
        return false;
    int64_t i = item->start < 0 ? item->start + a->size : item->start;
    if (i < 0 || i >= a->size || !array_is_sole(a, 1)) return false;
    *vector_at(a, i) = v.as.num;
    return true;
}

static void write_steps(Value *place, const Step *step, int count, Value v);

/* m[i][j] = v: the part is written, and put back where it came from. */
static void write_part(Value *place, const Step *step, int count, Value v) {
    Value *part = stack_push(index_value(*place, &step->items, step->span));
    write_steps(part, step + 1, count - 1, v);
    put_elements(place, step, *part);
    interp.top = part;
    value_release(*part);
}

/* An error on the way leaves equal values behind: what was copied by then is only held less. */
static void write_steps(Value *place, const Step *step, int count, Value v) {
    if (count == 0) {
        value_store(place, v);
    } else if (!is_numeric(*place) || step->field) {
        write_steps(enter(place, step, count == 1), step + 1, count - 1, v);
    } else if (count > 1) {
        write_part(place, step, count, v);
    } else if (!put_plain(place, step, v)) {
        put_elements(place, step, v);
    }
}

static void write_path(const Path *path, Value v) {
    write_steps(path->variable, path->step, path->count, v);
}

/* ---- targets ---- */

static void assign_place(Ast *target, Frame *frame, Value v) {
    Path path;
    eval_path(target, frame, &path);
    write_path(&path, v);
}

static void unpack(Ast *targets, Frame *frame, Value v) {
    rt.here = targets->span;
    if (v.tag != V_LIST && v.tag != V_ARRAY) {
        char text[80];
        fail(E_TYPE, "%u targets need a list or an array, not %s", targets->count,
             describe(v, text, sizeof text));
    }
    int64_t count = sequence_length(v);
    if (count != targets->count) {
        fail(E_VALUE, "%u targets, but %lld value%s", targets->count, (long long)count,
             count == 1 ? "" : "s");
    }
    for (int64_t i = 0; i < count; i++) assign(targets->kids[i], frame, sequence_item(v, i));
}

void assign(Ast *target, Frame *frame, Value v) {
    switch (target->kind) {
    case A_NAME: value_store(variable_place(target, frame), v); return;
    case A_TARGETS: unpack(target, frame, v); return;
    default: assign_place(target, frame, v); return;
    }
}

/* Of all that evaluating v left in the pool, v alone stays: views of what is to be written go. */
static Value assign_targets(Ast *node, Frame *frame) {
    size_t mark = pool_mark();
    Value v = eval(node->b, frame);
    if (frame->flow == FLOW_ON) assign(node->a, frame, settle(mark, v));
    return NIL;
}

/* x[i] = x[j]: the view would be another holder of x. Its elements are copied anyway. */
static Value without_owner(Value v) {
    if (v.tag != V_ARRAY || !v.as.array->owner) return v;
    Value copy = object(array_copy(v.as.array));
    copy.node = v.node;
    return copy;
}

static Value assign_element(Ast *node, Frame *frame) {
    size_t mark = pool_mark();
    Value v = eval(node->b, frame);
    if (frame->flow == FLOW_ON) assign_place(node->a, frame, settle(mark, without_owner(v)));
    return NIL;
}

/* name.field = v, where a plain value takes the place of another. */
static bool assign_field(Ast *node, Frame *frame) {
    size_t mark = pool_mark();
    Value v = eval(node->b, frame);
    const Value *root = variable_place(node->a->a, frame);
    if (root->tag == V_STRUCT && root->as.obj->refs == 1 && !root->as.record->module) {
        Value *field = struct_find(*root, node->a->name);
        if (field && both_plain(*field, v)) {
            *field = v;
            return false;
        }
    }
    assign_place(node->a, frame, settle(mark, without_owner(v)));
    return true;
}

/* name = v or name.field = v, whatever the name is. */
void assign_one(Ast *node, Frame *frame) {
    if (node->a->kind == A_FIELD) assign_field(node, frame);
    else if (node->a->scope == S_CELL) assign_cell(node, frame);
    else assign_variable(node, frame);
}

/* Evaluated again it gives the same, and nothing else happens. */
static bool is_simple(const Ast *node) {
    if (node->kind == A_BINARY) return is_simple(node->a) && is_simple(node->b);
    return node->kind == A_CONSTANT || node->kind == A_NAME;
}

/* One or two, so that there is a short way for a place. */
static bool has_simple_items(const Ast *index) {
    if (index->count == 2) return is_simple(index->kids[0]) && is_simple(index->kids[1]);
    return index->count == 1 && is_simple(index->kids[0]);
}

/* A plain value in its place in a list or vector that only this variable holds; false: not so
 * plain. */
static bool put_item(Value *variable, Value i, Value v) {
    if (head_of(i) || !is_object(*variable) || variable->as.obj->refs != 1) return false;
    double at = i.as.num;
    if (variable->tag == V_LIST) {
        List *list = variable->as.list;
        if (!(at >= 0 && at < (double)list->count) || at != (double)(size_t)at) return false;
        if (!both_plain(list->item[(size_t)at], v)) return false;
        list->item[(size_t)at] = v;
        return true;
    }
    if (variable->tag != V_ARRAY || variable->node || head_of(v)) return false;
    Array *a = variable->as.array;
    if (a->axes != 1 || a->dtype != F64 || a->owner) return false;
    if (!(at >= 0 && at < (double)a->size) || at != (double)(int64_t)at) return false;
    *vector_at(a, (int64_t)at) = v.as.num;
    return true;
}

/* A number in its place in a matrix that only this variable holds; false: not so plain. */
static bool put_in_matrix(Value *variable, Value i, Value j, Value v) {
    if (head_of(i) | head_of(j) | head_of(v)) return false;
    if (head_of(*variable) != V_ARRAY || variable->as.obj->refs != 1) return false;
    Array *a = variable->as.array;
    if (a->axes != 2 || a->dtype != F64 || a->owner) return false;
    double *place = matrix_element(a, i.as.num, j.as.num);
    if (place) *place = v.as.num;
    return place != NULL;
}

/* What is not so plain, out of line: its frame would cost the plain ones. */
static __attribute__((noinline)) bool put_any(Ast *node, Frame *frame, size_t mark, Value v) {
    assign_place(node->a, frame, settle(mark, without_owner(v)));
    return true;
}

/* name[i] = v, where i is simple. */
static bool assign_item(Ast *node, Frame *frame) {
    size_t mark = pool_mark();
    Value v = eval(node->b, frame);
    if (head_of(v) >= V_ARRAY) return put_any(node, frame, mark, v);
    pool_unwind(mark);
    Value i = eval(node->a->kids[0], frame);
    if (put_item(variable_place(node->a->a, frame), i, v)) return false;
    return put_any(node, frame, mark, v);
}

/* name[i, j] = v, where i and j are simple. */
static bool assign_in_matrix(Ast *node, Frame *frame) {
    size_t mark = pool_mark();
    Value v = eval(node->b, frame);
    if (head_of(v) >= V_ARRAY) return put_any(node, frame, mark, v);
    pool_unwind(mark);
    Value i = eval(node->a->kids[0], frame), j = eval(node->a->kids[1], frame);
    if (put_in_matrix(variable_place(node->a->a, frame), i, j, v)) return false;
    return put_any(node, frame, mark, v);
}

static Value update_place(Ast *node, Frame *frame) {
    Path path;
    eval_path(node->a, frame, &path);
    size_t mark = pool_mark();
    Value y = eval(node->b, frame);
    if (frame->flow != FLOW_ON) return NIL;
    Value container = read_path(&path, path.count - 1),
          old = read_step(container, &path.step[path.count - 1]);
    rt.here = node->span;
    Value fresh = binary_op(node->op, old, y, node->b->flags & AST_TEMPORARY ? REUSE_Y : 0);
    if (!is_numeric(container)) fresh = with_slots(old, fresh);
    write_path(&path, settle(mark, fresh));
    return NIL;
}

/* ---- attach_grad(place) ---- */

Value eval_attach(Ast *node, Frame *frame) {
    size_t mark = pool_mark();
    Value leaf = eval(node->a, frame);
    if (frame->flow != FLOW_ON) return NIL;
    leaf = settle(mark, leaf);
    assign(node->b, frame, leaf);
    return leaf;
}

/* ---- choosing ---- */

static bool has_block(const Ast *node) {
    if (!node) return false;
    if (node->kind == A_BLOCK || has_block(node->a) || has_block(node->c)) return true;
    if (node->kind != A_METHOD && node->kind != A_FIELD && has_block(node->b)) return true;
    for (uint32_t i = 0; i < node->count; i++) {
        if (has_block(node->kids[i])) return true;
    }
    return false;
}

/* NULL: choose_run_assign() has the way. */
Eval *choose_assign(Ast *node) {
    bool update = node->op != OP_NONE;
    switch (node->a->kind) {
    case A_NAME:
        if (update && (node->a->scope == S_CELL || has_block(node->b))) return update_name;
        if (update) return choose_fast_update(node) ? NULL : update_name;
        node->scope = node->a->scope;
        node->slot = node->a->slot;
        if (choose_append(node)) return choose_append(node);
        if (node->scope == S_CELL) return assign_cell;
        return has_block(node->b) ? assign_if_on : NULL;
    case A_TARGETS: return assign_targets;
    default:
        if (update || has_block(node->b) || node->a->a->kind != A_NAME)
            return update ? update_place : assign_element;
        node->c = NULL;
        if (node->a->kind == A_FIELD) return choose_append(node);
        return has_simple_items(node->a) ? NULL : assign_element;
    }
}

Perform *choose_run_assign(const Ast *node) {
    if (node->a->kind == A_FIELD) return assign_field;
    if (node->a->kind == A_INDEX) return node->a->count == 2 ? assign_in_matrix : assign_item;
    if (node->op != OP_NONE) return choose_fast_update(node);
    Perform *fast = choose_fast_assign(node);
    return fast ? fast : assign_variable;
}
