/* x = append(x, v). The one idea: a list or array that only its place holds grows in place, so that
 * a loop of appends takes the time of its turns and not of their square. */
#include "eval_parts.h"
#include "lex.h"

static bool same_name(const Ast *a, const Ast *b) {
    return b->kind == A_NAME && a->name == b->name && a->scope == b->scope && a->slot == b->slot;
}

/* x, or x.name. */
static bool same_place(const Ast *a, const Ast *b) {
    if (a->kind != A_FIELD) return a->kind == A_NAME && same_name(a, b);
    return b->kind == A_FIELD && a->name == b->name && a->a->kind == A_NAME &&
           same_name(a->a, b->a);
}

/* The value appended, or NULL if node is not x = append(x, v) or x = x.append(v). */
static Ast *appended(const Ast *node) {
    const Ast *call = node->b;
    if (call->kind != A_CALL && call->kind != A_METHOD) return NULL;
    if (!has_plain_arguments(call)) return NULL;
    if (call->kind == A_CALL && call->count == 2 && call->a->kind == A_NAME &&
        call->a->scope == S_GLOBAL && call->a->name == SYMBOL("append") &&
        same_place(node->a, call->kids[0])) {
        return call->kids[1];
    }
    if (call->kind == A_METHOD && call->count == 1 && call->scope == S_GLOBAL &&
        call->name == SYMBOL("append") && same_place(node->a, call->a)) {
        return call->kids[0];
    }
    return NULL;
}

static void push_in_place(List *list, Value v) {
    if (list->count == list->capacity) {
        list->item = mem_grow(list->item, &list->capacity, list->count + 1, sizeof *list->item);
    }
    list->item[list->count++] = value_hold(v);
}

/* The library's append, unless the program has one of its own. */
static bool calls_library(const Ast *call, const Frame *frame) {
    uint32_t slot = call->kind == A_CALL ? call->a->slot : call->slot;
    return frame->variables[S_GLOBAL][slot].tag == V_UNSET;
}

/* The list's place, NULL if it has none. Whoever holds the struct around it holds it too. */
static Value *list_to_grow(Ast *target, Frame *frame) {
    if (target->kind == A_NAME) return variable_place(target, frame);
    const Value *root = variable_place(target->a, frame);
    if (root->tag != V_STRUCT || root->as.obj->refs != 1 || root->as.record->module) return NULL;
    return struct_find(*root, target->name);
}

/* Is v the list itself, or the struct around it? What has either in it is another holder. */
static bool leads_to(Ast *target, Frame *frame, Value v, Value list) {
    if (!is_object(v)) return false;
    if (v.as.obj == list.as.obj) return true;
    return target->kind == A_FIELD && v.as.obj == variable_place(target->a, frame)->as.obj;
}

/* The library's append of a call that assign_append() has taken apart. */
static Value append_to(Ast *call, Value xs, Value v, bool sole) {
    rt.here = call->span;
    if (xs.tag == V_LIST) return list_push(xs, v);
    bool plain = is_numeric(v) && !xs.node && !v.node && sole;
    Array *grown = plain ? array_with_row(xs.as.array, array_of(v), 2) : NULL;
    if (grown) return object(grown);
    Value both[2] = { xs, v };
    note_values(call, both, 2);
    Value longer = builtin_append(2, both);
    interp.noted.node = NULL;
    return longer;
}

/* The pool keeps the list while v is evaluated, which may do anything. */
static Value assign_append(Ast *node, Frame *frame) {
    Value *place = calls_library(node->b, frame) ? list_to_grow(node->a, frame) : NULL;
    if (!place || (place->tag != V_LIST && place->tag != V_ARRAY) || place->as.obj->refs != 1) {
        assign_one(node, frame);
        return NIL;
    }
    size_t mark = pool_mark();
    Value list = value_keep(*place);
    pool_own(list.as.obj);
    Value v = eval(node->c, frame);
    if (frame->flow != FLOW_ON) return NIL;
    place = list_to_grow(node->a, frame);
    bool ours = place && place->tag == list.tag && place->as.obj == list.as.obj &&
                !leads_to(node->a, frame, v, list) && list.as.obj->refs == 2;
    if (ours && list.tag == V_LIST) push_in_place(list.as.list, v);
    else assign(node->a, frame, settle(mark, append_to(node->b, list, v, ours)));
    return NIL;
}

Eval *choose_append(Ast *node) {
    node->c = appended(node);
    return node->c ? assign_append : NULL;
}
