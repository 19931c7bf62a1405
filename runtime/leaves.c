/* Taking trees apart and putting them together. Recursion follows the nesting of the value,
 * guarded. */
#include "leaves.h"

size_t tree_count(Value tree) {
    if (!is_tree(tree)) return 1;
    check_stack();
    size_t sum = 0;
    if (tree.tag == V_LIST)
        for (size_t i = 0; i < tree.as.list->count; i++) sum += tree_count(tree.as.list->item[i]);
    else
        for (size_t i = 0; i < tree.as.record->count; i++)
            sum += tree_count(tree.as.record->field[i].value);
    return sum;
}

static Value *collect(Value tree, Value *out) {
    if (!is_tree(tree)) {
        *out = tree;
        return out + 1;
    }
    check_stack();
    if (tree.tag == V_LIST)
        for (size_t i = 0; i < tree.as.list->count; i++) out = collect(tree.as.list->item[i], out);
    else
        for (size_t i = 0; i < tree.as.record->count; i++)
            out = collect(tree.as.record->field[i].value, out);
    return out;
}

Value *tree_leaves(Value tree, size_t *count) {
    *count = tree_count(tree);
    Value *leaves = pool_bytes((*count + 1) * sizeof *leaves);
    collect(tree, leaves);
    return leaves;
}

static Value rebuild(Value tree, const Value **next) {
    if (!is_tree(tree)) return *(*next)++;
    check_stack();
    if (tree.tag == V_LIST) {
        Value list = list_new(tree.as.list->count);
        for (size_t i = 0; i < tree.as.list->count; i++)
            list_set(list, i, rebuild(tree.as.list->item[i], next));
        return list;
    }
    const Struct *s = tree.as.record;
    Value record = struct_new(s->count);
    for (size_t i = 0; i < s->count; i++)
        struct_put(record, s->field[i].name, rebuild(s->field[i].value, next));
    return record;
}

Value tree_rebuild(Value tree, const Value *leaves) { return rebuild(tree, &leaves); }

Value tree_map(Value tree, Value (*each)(Value leaf, void *env), void *env) {
    if (!is_tree(tree)) return each(tree, env);
    size_t count;
    Value *leaves = tree_leaves(tree, &count);
    for (size_t i = 0; i < count; i++) leaves[i] = each(leaves[i], env);
    return tree_rebuild(tree, leaves);
}

static bool is_smooth(Value v) { return is_numeric(v) && dtype_of(v) != BOOL; }

size_t tree_numeric(Value tree, Value *out) {
    if (!is_tree(tree)) {
        if (out && is_smooth(tree)) *out = tree;
        return is_smooth(tree);
    }
    size_t count, kept = 0;
    Value *leaves = tree_leaves(tree, &count);
    for (size_t i = 0; i < count; i++)
        if (is_smooth(leaves[i])) {
            if (out) out[kept] = leaves[i];
            kept++;
        }
    return kept;
}

Value tree_with_numeric(Value tree, const Value *replacements, bool others_nil) {
    if (!is_tree(tree)) return is_smooth(tree) ? *replacements : others_nil ? NIL : tree;
    size_t count;
    Value *leaves = tree_leaves(tree, &count);
    for (size_t i = 0; i < count; i++) {
        if (is_smooth(leaves[i])) leaves[i] = *replacements++;
        else if (others_nil) leaves[i] = NIL;
    }
    return tree_rebuild(tree, leaves);
}

static bool align(Value model, Value tree, Value **next) {
    if (!is_tree(model)) {
        if (is_smooth(model)) *(*next)++ = is_tree(tree) ? NIL : tree;
        return !is_tree(tree) || !is_smooth(model);
    }
    check_stack();
    bool whole = tree.tag == model.tag, fits = true;
    if (!whole && tree.tag != V_NIL && tree.tag != V_UNSET) return false;
    if (model.tag == V_LIST) {
        const List *m = model.as.list;
        if (whole && tree.as.list->count != m->count) return false;
        for (size_t i = 0; i < m->count && fits; i++)
            fits = align(m->item[i], whole ? tree.as.list->item[i] : tree, next);
        return fits;
    }
    const Struct *m = model.as.record;
    for (size_t i = 0; whole && i < tree.as.record->count; i++)
        if (!struct_find(model, tree.as.record->field[i].name)) return false;
    for (size_t i = 0; i < m->count && fits; i++) {
        const Value *field = whole ? struct_find(tree, m->field[i].name) : &tree;
        fits = align(m->field[i].value, field ? *field : UNSET, next);
    }
    return fits;
}

bool tree_align(Value model, Value tree, Value *out) { return align(model, tree, &out); }
