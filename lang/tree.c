/* Operators and elementwise functions on lists and structs. The one idea: two trees of equal
 * structure meet leaf by leaf, a number or an array meets every leaf, and nil on one side keeps the
 * other: so `params -= 0.1 * grad(params)` is a training step for a whole model.
 *
 * A leaf that is no array (a name, a function) is kept as it is when a number meets it. */
#include "eval.h"

static Value same_kind(Value like, size_t count) {
    return like.tag == V_LIST ? list_new(count) : struct_new(count);
}

static size_t size_of_tree(Value v) {
    return v.tag == V_LIST ? v.as.list->count : v.as.record->count;
}

static Value part_of(Value v, size_t i) {
    return v.tag == V_LIST ? v.as.list->item[i] : v.as.record->field[i].value;
}

static void set_part(Value made, Value like, size_t i, Value v) {
    if (like.tag == V_LIST) {
        list_set(made, i, v);
    } else {
        struct_put(made, like.as.record->field[i].name, v);
    }
}

Value tree_map1(Op op, Value x) {
    check_stack();
    if (is_numeric(x)) return apply1(op, x);
    if (!is_tree(x)) return x;
    Value made = same_kind(x, size_of_tree(x));
    for (size_t i = 0; i < size_of_tree(x); i++) set_part(made, x, i, tree_map1(op, part_of(x, i)));
    return made;
}

static _Noreturn void fail_structure(Op op, Value x, Value y) {
    char x_text[80], y_text[80];
    note_operand(0, x);
    note_operand(1, y);
    if (x.tag == y.tag && size_of_tree(x) != size_of_tree(y))
        hint("one has %zu %s, the other %zu", size_of_tree(x), x.tag == V_LIST ? "items" : "fields",
             size_of_tree(y));
    if (op == OP_add && (x.tag == V_LIST || y.tag == V_LIST))
        hint("concat((a, b)) joins lists, append(a, v) grows one");
    fail(E_TYPE, "`%s` maps over lists and structs of equal structure, but here %s meets %s",
         operations[op].prints[0] == '(' ? operations[op].name : operations[op].prints,
         describe(x, x_text, sizeof x_text), describe(y, y_text, sizeof y_text));
}

/* The value in y that stands where x's i-th part does. */
static Value partner(Op op, Value x, Value y, size_t i) {
    if (y.tag == V_LIST) return y.as.list->item[i];
    Value *field = struct_find(y, x.as.record->field[i].name);
    if (!field) {
        hint("one has a field `%s`, the other has not", x.as.record->field[i].name->text);
        fail_structure(op, x, y);
    }
    return *field;
}

static Value map_both(Op op, Value x, Value y) {
    if (x.tag != y.tag || size_of_tree(x) != size_of_tree(y)) fail_structure(op, x, y);
    Value made = same_kind(x, size_of_tree(x));
    for (size_t i = 0; i < size_of_tree(x); i++) {
        set_part(made, x, i, tree_map2(op, part_of(x, i), partner(op, x, y, i)));
    }
    return made;
}

/* leaf is what stands in the tree, v the number or array that meets all of it. */
static Value map_one(Op op, Value tree, Value v, bool tree_first) {
    check_stack();
    if (is_numeric(tree)) return tree_first ? apply2(op, tree, v) : apply2(op, v, tree);
    if (!is_tree(tree)) return tree;
    Value made = same_kind(tree, size_of_tree(tree));
    for (size_t i = 0; i < size_of_tree(tree); i++)
        set_part(made, tree, i, map_one(op, part_of(tree, i), v, tree_first));
    return made;
}

Value tree_map2(Op op, Value x, Value y) {
    check_stack();
    if (x.tag == V_NIL) return y;
    if (y.tag == V_NIL) return x;
    if (is_numeric(x) && is_numeric(y)) return apply2(op, x, y);
    if (is_tree(x) && is_tree(y)) return map_both(op, x, y);
    if (is_tree(x) && is_numeric(y)) return map_one(op, x, y, true);
    if (is_numeric(x) && is_tree(y)) return map_one(op, y, x, false);
    if (values_equal(x, y)) return x;
    fail_structure(op, x, y);
}

/* ---- functions of several arguments ---- */

static Value argument_part(Value tree, Value v, size_t i) {
    if (!is_tree(v)) return v;
    if (v.tag != tree.tag || size_of_tree(v) != size_of_tree(tree)) {
        fail(E_TYPE, "a function maps over lists and structs of equal structure, but two arguments "
                     "differ in theirs");
    }
    if (v.tag == V_LIST) return part_of(v, i);
    Value *field = struct_find(v, tree.as.record->field[i].name);
    return field ? *field : field_value(v, tree.as.record->field[i].name, rt.here);
}

Value tree_call(Builtin *call, int count, const Value *arg) {
    check_stack();
    int first = 0;
    while (first < count && !is_tree(arg[first])) first++;
    if (first == count) return is_numeric(arg[0]) ? call(count, arg) : arg[0];
    Value tree = arg[first], made = same_kind(tree, size_of_tree(tree));
    Value *part = pool_bytes((size_t)count * sizeof *part);
    for (size_t i = 0; i < size_of_tree(tree); i++) {
        for (int k = 0; k < count; k++) part[k] = argument_part(tree, arg[k], i);
        set_part(made, tree, i, tree_call(call, count, part));
    }
    return made;
}

/* ---- slots travel with values ---- */

static bool same_form(Value a, Value b) {
    if (a.tag == V_NUM && b.tag == V_NUM) return true;
    Shape x = value_shape(a), y = value_shape(b);
    return dtype_of(a) == dtype_of(b) && same_shape(x.axes, x.dim, y.axes, y.dim);
}

static bool has_slot(Value v) {
    check_stack();
    if (!is_tree(v)) return is_leaf(v);
    for (size_t i = 0; i < size_of_tree(v); i++) {
        if (has_slot(part_of(v, i))) return true;
    }
    return false;
}

static Value with_slots_of(Value old, Value fresh) {
    if (!is_tree(fresh)) return keep_slots(old, fresh);
    Value made = same_kind(fresh, size_of_tree(fresh));
    for (size_t i = 0; i < size_of_tree(fresh); i++) {
        Value part = part_of(fresh, i);
        Value *before = fresh.tag == V_LIST ? &old.as.list->item[i]
                                            : struct_find(old, fresh.as.record->field[i].name);
        set_part(made, fresh, i, before ? keep_slots(*before, part) : part);
    }
    return made;
}

Value keep_slots(Value old, Value fresh) {
    if (is_numeric(old)) {
        if (is_leaf(old) && !fresh.node && is_numeric(fresh) && same_form(old, fresh))
            fresh.node = old.node;
        return fresh;
    }
    if (!is_tree(old) || old.tag != fresh.tag || size_of_tree(old) != size_of_tree(fresh) ||
        !has_slot(old))
        return fresh;
    return with_slots_of(old, fresh);
}
