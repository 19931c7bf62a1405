/* Expressions. The one idea: choose() (eval_choose.c) walks the tree once and gives each node its
 * function; what is left for evaluating is one small function per kind.
 *
 * This file knows values and operations, no strides. Indexing, assigning, statements and calls have
 * files of their own (eval.h says which). rt.here is set before anything that can fail or be
 * recorded. */
#include "eval_parts.h"
#include "format.h"
#include <math.h>
#include <string.h>

/* ---- names ---- */

Value eval_variable(Ast *node, Frame *frame) {
    Value v = *near_variable(frame, node->near[0]);
    return __builtin_expect(v.tag == V_UNSET, 0) ? library_or_fail(node, frame) : v;
}

Value eval_cell(Ast *node, Frame *frame) {
    Value v = frame->cells[node->slot]->value;
    return __builtin_expect(v.tag == V_UNSET, 0) ? library_or_fail(node, frame) : v;
}

/* The variable may be assigned before this value is used: the pool holds it too. */
Value eval_pinned(Ast *node, Frame *frame) {
    Value v = *variable_place(node, frame);
    if (v.tag == V_UNSET) return library_or_fail(node, frame);
    if (is_object(v)) pool_own(value_keep(v).as.obj);
    return v;
}

Value *variable_place(Ast *name, Frame *frame) {
    if (name->scope == S_CELL) return &frame->cells[name->slot]->value;
    return &frame->variables[name->scope][name->slot];
}

/* ---- constants and literals ---- */

Value eval_constant(Ast *node, Frame *frame) {
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

Value eval_array(Ast *node, Frame *frame) {
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

Value eval_list(Ast *node, Frame *frame) {
    Row row;
    eval_row(node, frame, &row);
    return list_of(row.count, row.item);
}

Value eval_struct(Ast *node, Frame *frame) {
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

Value eval_format(Ast *node, Frame *frame) {
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

bool test_any(Ast *node, Frame *frame) {
    Value v = eval(node, frame);
    return v.tag == V_BOOL ? v.as.truth : truth(v, node->span);
}

bool test_and(Ast *node, Frame *frame) {
    return condition(node->a, frame) && condition(node->b, frame);
}

bool test_or(Ast *node, Frame *frame) {
    return condition(node->a, frame) || condition(node->b, frame);
}

bool test_not(Ast *node, Frame *frame) { return !condition(node->a, frame); }

Value eval_test(Ast *node, Frame *frame) { return boolean(condition(node, frame)); }

/* ---- operators ---- */

/* What fuse_apply() may do with the operands of this node, and whether its parent takes a
 * deferred value. */
static int deferring(const Ast *node) {
    int flags = node->flags & AST_DEFERS ? DEFER : 0;
    flags |= node->a->flags & AST_TEMPORARY ? REUSE_X : 0;
    if (node->b) flags |= node->b->flags & AST_TEMPORARY ? REUSE_Y : 0;
    return flags;
}

Value eval_negate(Ast *node, Frame *frame) {
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

Value eval_plus(Ast *node, Frame *frame) {
    Value x = eval(node->a, frame);
    rt.here = node->span;
    if (x.tag == V_BOOL) return number(x.as.truth);
    if (!is_numeric(x) && !is_tree(x)) {
        char text[80];
        fail(E_TYPE, "unary + takes numbers and arrays, not %s", describe(x, text, sizeof text));
    }
    return dtype_of(x) == BOOL && x.tag == V_ARRAY ? op_cast(x, F64) : x;
}

Value eval_transpose(Ast *node, Frame *frame) {
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

Value eval_binary(Ast *node, Frame *frame) {
    Value x = eval(node->a, frame);
    Value y = eval(node->b, frame);
    return binary(node, x, y);
}
