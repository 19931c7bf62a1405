/* checkpoint(f): recompute instead of store.
 *
 * The call is recorded once, only to learn which recorded values from outside it uses; then its
 * part of the tape is cut off and one custom node stands for it, with those values as further
 * inputs. The node's rule runs the call again, draws and all, and sweeps that. */
#include <string.h>
#include "builtins.h"
#include "builtins_function.h"
#include "function.h"
#include "leaves.h"

static Value constant_of(Value v) {
    v.node = 0;
    return v;
}

typedef struct CheckpointFunction { Function head; Value f; } CheckpointFunction;
typedef struct CheckpointRule {
    Function head;
    Value f, args; /* the arguments as a list, whose numeric leaves come first among the inputs */
    int leaves, outside;
    uint32_t *outside_id;
    uint64_t random_key, random_counter;
} CheckpointRule;

/* Where a call starts to draw, so that it can draw the same again. */
static void swap_random(uint64_t *key, uint64_t *counter) {
    uint64_t k = rt.random_key, c = rt.random_counter;
    rt.random_key = *key;
    rt.random_counter = *counter;
    *key = k;
    *counter = c;
}

/* f of these arguments. What held places on the tape in between is gone at its end, so that they
 * can be cut off. */
static Value call_again(Value f, Value args, const Value *leaves) {
    size_t pool = pool_mark();
    Value full = tree_with_numeric(args, leaves, false);
    return pool_pass(pool, call_value(f, (int)full.as.list->count, full.as.list->item));
}

static Value call_checkpoint_rule(Function *head, int count, const Value *args) {
    CheckpointRule *self = (CheckpointRule *)head;
    Value g = args[0];
    Lifted call = function_lift(self->leaves, args + 2);
    uint64_t key = self->random_key, counter = self->random_counter;
    swap_random(&key, &counter);
    Value y = call_again(self->f, self->args, call.x);
    rt.random_key = key;
    rt.random_counter = counter;
    function_stop(&call);
    Value *targets = pool_bytes((size_t)count * sizeof *targets),
          *out = pool_bytes((size_t)count * sizeof *out);
    for (int i = 0; i < self->leaves; i++) targets[i] = call.x[i];
    for (int i = 0; i < self->outside; i++) {
        targets[self->leaves + i] = args[2 + self->leaves + i];
        targets[self->leaves + i].node = self->outside_id[i];
    }
    int outputs, wanted = self->leaves + self->outside;
    Value *heads = outputs_of(y, &outputs, "checkpoint");
    /* Above the lifted inputs: what arrives there must not go on to a value that is captured as
     * well. */
    sweep_gradients_above(call.mark + (uint64_t)self->leaves, outputs, heads,
                          g.tag == V_LIST ? g.as.list->item : &g, wanted, targets, out);
    Value result = list_of((size_t)wanted, out);
    function_end(&call, NIL, 1, &result);
    return result;
}

static void free_checkpoint_rule(Function *head) {
    CheckpointRule *self = (CheckpointRule *)head;
    value_release(self->f);
    value_release(self->args);
    mem_free(self->outside_id, (size_t)self->outside * sizeof *self->outside_id);
}
static void visit_checkpoint_rule(Function *head, void (*each)(Value v, void *env), void *env) {
    each(((CheckpointRule *)head)->f, env);
    each(((CheckpointRule *)head)->args, env);
}

/* The ids below `mark` that nodes above it name, each once, and what they stand for. */
static int find_outside(uint64_t mark, int skip, uint32_t **ids, Value **values) {
    size_t count = 0, capacity = 64;
    uint32_t *id = pool_bytes(capacity * sizeof *id);
    for (Chunk *c = rt.tape->top; c && c->base + c->used > mark; c = c->previous) {
        for (uint32_t k = 0; k < c->used; k++) {
            const Node *n = &c->node[k];
            if (c->base + k < mark + (uint64_t)skip) continue;
            int inputs = has_extra(n) ? n->x.extra->count : 2;
            for (int i = 0; i < inputs; i++) {
                uint32_t input = has_extra(n) ? n->x.extra->in[i].node : i ? n->b : n->a;
                if (!input || (input < LEAF && position_of(input) >= mark)) continue;
                size_t at = 0;
                while (at < count && id[at] != input) at++;
                if (at < count) continue;
                if (count == capacity) {
                    uint32_t *more = pool_bytes(2 * capacity * sizeof *more);
                    id = memcpy(more, id, capacity * sizeof *id);
                    capacity *= 2;
                }
                id[count++] = input;
            }
        }
    }
    *ids = id;
    *values = pool_bytes((count + 1) * sizeof **values);
    for (size_t i = 0; i < count; i++) {
        Value v = id[i] >= LEAF ? constant_of(leaf_gradient((Value){ .node = id[i] }))
                                : node_r(node_at(id[i]));
        v.node = id[i];
        (*values)[i] = v;
    }
    return (int)count;
}

static Value cut_leaf(Value leaf, void *env) {
    (void)env;
    return constant_of(leaf);
}

static Value checkpoint_rule(Value f, Value args, int leaves, int outside, const uint32_t *ids,
                             uint64_t key, uint64_t counter) {
    CheckpointRule *rule =
        (CheckpointRule *)function_new(sizeof *rule, "checkpoint", call_checkpoint_rule);
    rule->f = rule->args = NIL;
    rule->head.free = free_checkpoint_rule;
    rule->head.visit = visit_checkpoint_rule;
    rule->outside_id = outside ? mem_alloc((size_t)outside * sizeof *ids) : NULL;
    if (outside) memcpy(rule->outside_id, ids, (size_t)outside * sizeof *ids);
    rule->outside = outside;
    rule->leaves = leaves;
    rule->f = value_hold(f);
    rule->args = value_hold(tree_map(args, cut_leaf, NULL));
    rule->random_key = key;
    rule->random_counter = counter;
    return object(rule);
}

static Value call_checkpoint(Function *head, int count, const Value *args) {
    Value f = ((const CheckpointFunction *)head)->f;
    if (!rt.recording) return call_value(f, count, args);
    Value list = list_of((size_t)count, args);
    int leaves = (int)tree_numeric(list, NULL), outputs;
    Value *in = pool_bytes((size_t)(leaves + 1) * sizeof *in);
    tree_numeric(list, in);
    uint64_t key = rt.random_key, counter = rt.random_counter;
    Lifted call = function_lift(leaves, in);
    size_t pool = pool_mark();
    Value constant = pool_pass(pool, tree_map(call_again(f, list, call.x), cut_leaf, NULL));
    function_stop(&call);
    uint32_t *ids;
    Value *outside_value, *results = outputs_of(constant, &outputs, "checkpoint");
    int outside = find_outside(call.mark, leaves, &ids, &outside_value);
    function_end(&call, NIL, 0, NULL);
    Value *inputs = pool_bytes((size_t)(leaves + outside + 1) * sizeof *inputs);
    memcpy(inputs, in, (size_t)leaves * sizeof *inputs);
    memcpy(inputs + leaves, outside_value, (size_t)outside * sizeof *inputs);
    Value rule = checkpoint_rule(f, list, leaves, outside, ids, key, counter);
    Value single = outputs == 1 ? results[0] : list_of((size_t)outputs, results);
    Value recorded = sweep_custom(rule, leaves + outside, inputs, single);
    return tree_with_numeric(constant, outputs == 1 ? &recorded : recorded.as.list->item, false);
}

static void free_checkpoint(Function *self) { value_release(((CheckpointFunction *)self)->f); }
static void visit_checkpoint(Function *self, void (*each)(Value v, void *env), void *env) {
    each(((CheckpointFunction *)self)->f, env);
}

Value builtin_checkpoint(int count, const Value *arg) {
    (void)count;
    check_function(arg[0], "checkpoint");
    CheckpointFunction *self = (CheckpointFunction *)function_new(
        sizeof *self, arg[0].as.function->name->text, call_checkpoint);
    self->f = value_hold(arg[0]);
    self->head.free = free_checkpoint;
    self->head.visit = visit_checkpoint;
    return object(self);
}
