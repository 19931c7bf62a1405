/* Derivatives of one's own: custom_grad. The function runs unrecorded and one node stands for it, whose rule
 * is a function of the program; before that rule is believed, it is compared with finite differences. */
#include <math.h>
#include <string.h>
#include "builtins.h"
#include "builtins_function.h"
#include "leaves.h"
#include "sweep.h"

static Value constant_of(Value v) {
    v.node = 0;
    return v;
}

typedef struct CustomFunction { Function head; Value f, rule; bool check; } CustomFunction;

/* f with recording off, drawing what it would draw now. */
static Value call_unrecorded(Value f, int count, const Value *args) {
    bool recording = rt.recording;
    rt.recording = false;
    Value y = call_value(f, count, args);
    rt.recording = recording;
    return y;
}

/* <w, v> over the leaves of two trees, as numbers. */
static double inner_product(Value w, Value v) {
    size_t count = tree_numeric(v, NULL);
    Value *a = pool_bytes((count + 1) * sizeof *a), *b = pool_bytes((count + 1) * sizeof *b);
    if (tree_numeric(w, NULL) != count) return NAN;
    tree_numeric(w, a);
    tree_numeric(v, b);
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        Shape have = value_shape(a[i]), want = value_shape(b[i]), joined;
        if (!shapes_join(&have, &want, &joined)) return NAN;
        sum += num_of(op_sum(op_cast(op_mul(constant_of(a[i]), constant_of(b[i])), F64), ALL_AXES, false));
    }
    return sum;
}

/* Numbers that are neither equal nor special, one for each element: weights and directions of a check. */
static Value some_like(Value like, int seed) {
    if (is_number(like)) return number(0.7 + 0.1 * seed);
    Shape shape = value_shape(like);
    Array *a = array_new(F64, shape.axes, shape.dim);
    for (int64_t i = 0; i < a->size; i++) f64_of(a)[i] = 0.4 + fmod(0.6180339887 * (double)(i + seed + 1), 1);
    return array_value(a);
}

static Value weight_leaf(Value leaf, void *env) { return is_numeric(leaf) ? some_like(leaf, 5 + (*(int *)env)++) : leaf; }

typedef struct CheckedRule { double by_rule, by_differences; } CheckedRule;

static double weighed_at(const CustomFunction *self, int count, const Value *args, const Value *direction, Value w, double h) {
    uint64_t counter = rt.random_counter;
    Value *moved = pool_bytes((size_t)(count + 1) * sizeof *moved);
    for (int i = 0; i < count; i++)
        moved[i] = direction[i].tag == V_UNSET ? args[i] : op_add(args[i], op_mul(direction[i], number(h)));
    double sum = inner_product(w, call_value(self->f, count, moved));
    rt.random_counter = counter;
    return sum;
}

/* Along one direction: what the rule says against central differences. */
static CheckedRule compare_rule(const CustomFunction *self, int count, const Value *args, Value y, double h) {
    Value *direction = pool_bytes((size_t)(count + 1) * sizeof *direction);
    Value *full = pool_bytes((size_t)(count + 2) * sizeof *full), w = tree_map(y, weight_leaf, &(int){ 0 });
    for (int i = 0; i < count; i++) {
        bool smooth = is_numeric(args[i]) && dtype_of(args[i]) != BOOL;
        direction[i] = smooth ? some_like(args[i], i) : UNSET;
    }
    full[0] = w;
    full[1] = y;
    memcpy(full + 2, args, (size_t)count * sizeof *full);
    Value c = call_value(self->rule, count + 2, full);
    if (c.tag != V_LIST) c = list_of(1, &c);
    if (c.as.list->count != (size_t)count)
        fail(E_GRADIENT, "the rule of custom_grad(%s) gave %zu gradients for %d arguments", self->head.name->text,
             c.as.list->count, count);
    CheckedRule r = { 0, 0 };
    for (int i = 0; i < count; i++)
        if (direction[i].tag != V_UNSET && c.as.list->item[i].tag != V_NIL)
            r.by_rule += inner_product(direction[i], c.as.list->item[i]);
    double above = weighed_at(self, count, args, direction, w, h), below = weighed_at(self, count, args, direction, w, -h);
    r.by_differences = (above - below) / (2 * h);
    return r;
}

/* Once, at the first recorded call: a rule that is wrong is refused, with the numbers. */
static void check_rule(CustomFunction *self, int count, const Value *args, Value y) {
    self->check = false;
    CheckedRule r = { 0, 0 };
    Span here = rt.here;
    bool recording = rt.recording;
    rt.recording = false;
    for (int attempt = 0; attempt < 3; attempt++) {
        double h = attempt == 0 ? 1e-5 : attempt == 1 ? 1e-4 : 1e-7;
        r = compare_rule(self, count, args, y, h);
        double scale = 1 + fabs(r.by_rule) + fabs(r.by_differences);
        if (!isfinite(r.by_rule) || !isfinite(r.by_differences) || fabs(r.by_rule - r.by_differences) < 1e-4 * scale) {
            rt.recording = recording;
            return;
        }
    }
    self->check = true;
    rt.here = here;
    hint("custom_grad(f, rule, check = false) takes the rule as it is");
    fail(E_GRADIENT, "the rule of custom_grad(%s) disagrees with finite differences: along one direction the rule gives "
                     "%.6g, differences give %.6g", self->head.name->text, r.by_rule, r.by_differences);
}

static Value call_custom(Function *head, int count, const Value *args) {
    CustomFunction *self = (CustomFunction *)head;
    Span here = rt.here;
    Value *inputs = pool_bytes((size_t)(count + 1) * sizeof *inputs);
    uint32_t recorded = 0;
    for (int i = 0; i < count; i++) {
        size_t leaves;
        Value *leaf = tree_leaves(args[i], &leaves);
        for (size_t k = 0; is_tree(args[i]) && k < leaves; k++)
            if (leaf[k].node && rt.recording)
                fail(E_GRADIENT, "a function with a custom gradient takes recorded arrays and numbers, not trees of them "
                                 "(argument %d)", i + 1);
        inputs[i] = is_numeric(args[i]) ? constant_of(args[i]) : args[i];
        recorded |= args[i].node;
    }
    Value y = call_unrecorded(self->f, count, inputs);
    rt.here = here;
    if (self->check && rt.recording && recorded) check_rule(self, count, inputs, y);
    return sweep_custom(self->rule, count, args, y);
}

static void free_custom(Function *self) {
    value_release(((CustomFunction *)self)->f);
    value_release(((CustomFunction *)self)->rule);
}
static void visit_custom(Function *self, void (*each)(Value v, void *env), void *env) {
    each(((CustomFunction *)self)->f, env);
    each(((CustomFunction *)self)->rule, env);
}

Value builtin_custom_grad(int count, const Value *arg) {
    (void)count;
    for (int i = 0; i < 2; i++)
        if (arg[i].tag != V_FUNCTION)
            fail(E_ARGUMENT, "custom_grad needs a function and its rule (g, y, *args) -> gradients, not %s", type_name(arg[i]));
    CustomFunction *self = (CustomFunction *)function_new(sizeof *self, arg[0].as.function->name->text, call_custom);
    self->f = value_hold(arg[0]);
    self->rule = value_hold(arg[1]);
    self->check = arg[2].tag == V_UNSET || arg_bool(arg[2], "check of custom_grad");
    self->head.free = free_custom;
    self->head.visit = visit_custom;
    return object(self);
}
