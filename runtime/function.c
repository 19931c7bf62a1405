/* Lifting the inputs of a call, and cutting its part of the tape off again. */
#include "function.h"
#include "leaves.h"

static Value constant_of(Value v) {
    v.node = 0;
    return v;
}

Lifted function_lift(int count, const Value *x) {
    Lifted call = { tape_position(), rt.recording, rt.training, count,
                    pool_bytes((size_t)(count + 1) * sizeof *x) };
    for (int i = 0; i < count; i++) {
        Value inner = call.recording ? x[i] : constant_of(x[i]);
        call.x[i] = constant_of(x[i]);
        call.x[i].node = tape_append(OP_identity, 1, &inner, constant_of(x[i]), NULL);
    }
    rt.recording = rt.training = true;
    return call;
}

void function_stop(const Lifted *call) {
    rt.recording = call->recording;
    rt.training = call->training;
}

static bool named_after(Value v, uint64_t mark) {
    if (!is_tree(v)) return is_recorded(v) && position_of(v.node) >= mark;
    size_t count;
    Value *leaves = tree_leaves(v, &count);
    for (size_t i = 0; i < count; i++)
        if (is_recorded(leaves[i]) && position_of(leaves[i].node) >= mark) return true;
    return false;
}

static Value cut_leaf(Value leaf, void *env) {
    (void)env;
    return constant_of(leaf);
}

Value function_end(const Lifted *call, Value y, int results, const Value *result) {
    if (!call->recording) y = tree_map(y, cut_leaf, NULL);
    bool named = named_after(y, call->mark);
    for (int i = 0; i < results && !named; i++) named = named_after(result[i], call->mark);
    if (!named && !tape_any_held(call->mark)) tape_truncate(call->mark);
    return y;
}
