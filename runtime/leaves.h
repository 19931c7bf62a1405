/* Trees: lists and structs of arrays, nested at will. The one idea: a tree is taken apart into the
 * row of its leaves, in order, and put together again from another row of the same length. */
#ifndef LEAVES_H
#define LEAVES_H
#include "array.h"

static inline bool is_tree(Value v) {
    return v.tag == V_LIST || (v.tag == V_STRUCT && !v.as.record->module);
}
/* How many leaves: everything in the tree that is no list and no struct. */
size_t tree_count(Value tree);
/* The leaves, as *count pooled values. */
Value *tree_leaves(Value tree, size_t *count);
/* A tree of the same structure with these leaves. */
Value tree_rebuild(Value tree, const Value *leaves);
/* each(leaf, env) at every leaf, in a tree of the same structure. */
Value tree_map(Value tree, Value (*each)(Value leaf, void *env), void *env);
/* The leaves that can be differentiated by (numbers and arrays of f64 or f32), in order, into out
 * unless it is NULL; their number. */
size_t tree_numeric(Value tree, Value *out);
/* The tree with these leaves replaced, and the others kept or made nil. */
Value tree_with_numeric(Value tree, const Value *replacements, bool others_nil);
/* For each such leaf of `model`, what stands in its place in `tree`: nil where a nil does, unset
 * where a struct lacks the field. False if the trees do not fit each other. */
bool tree_align(Value model, Value tree, Value *out);
#endif
