/* Derivatives of one's own: custom_grad. The function runs unrecorded and one node stands for it,
 * whose rule is a function of the program; before that rule is believed, it is compared with finite
 * differences. */
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

/* One call of it, all of its arguments constants: as a list, and their numeric leaves in a row. */
typedef struct CustomCall {
    CustomFunction *self;
    Value args;
    int leaves;
    Value *leaf;
} CustomCall;

static Value call_with_leaves(Value f, Value args, const Value *leaf) {
    const List *full = tree_with_numeric(args, leaf, false).as.list;
    return call_value(f, (int)full->count, full->item);
}

/* ---- the rule, on trees ----
 * The node on the tape knows leaves: rule(g, y, leaf, leaf, ...). A TreeRule stands between it and
 * the program's rule(g, y, *args), which gives a gradient for each argument. */
typedef struct TreeRule { Function head; Value rule, args, y; String *name; } TreeRule;

static _Noreturn void wrong_structure(const TreeRule *self, size_t at, Value got, Value want) {
    char a[80], b[80];
    hint("nil stands for a gradient of zeros");
    fail(E_GRADIENT,
         "the rule of custom_grad(%s) gave %s as the gradient by argument %zu, which is %s",
         self->name->text, describe(got, a, sizeof a), at, describe(want, b, sizeof b));
}

static bool has_shape(Value tree, const Shape *shape) {
    size_t count;
    Value *leaf = tree_leaves(tree, &count);
    for (size_t i = 0; i < count; i++) {
        Shape one = value_shape(leaf[i]);
        if (is_numeric(leaf[i]) && same_shape(one.axes, one.dim, shape->axes, shape->dim))
            return true;
    }
    return false;
}

/* A gradient in the shape of its leaf. Undoing the broadcasting of f, from the leaf to a value, is
 * no business of the rule. */
static Value fit_shape(const TreeRule *self, size_t at, Value gradient, Value leaf) {
    Shape have = value_shape(gradient), want = value_shape(leaf), joined;
    bool join = shapes_join(&have, &want, &joined);
    if (join && same_shape(joined.axes, joined.dim, want.axes, want.dim)) return gradient;
    if (join && same_shape(joined.axes, joined.dim, have.axes, have.dim) &&
        has_shape(self->y, &have))
        return op_sum_to(gradient, constant_of(leaf));
    char a[80], b[80];
    shape_text(have.axes, have.dim, a, sizeof a);
    shape_text(want.axes, want.dim, b, sizeof b);
    fail(E_SHAPE, "the rule of custom_grad(%s) gave shape %s for argument %zu, which has shape %s",
         self->name->text, a, at, b);
}

/* The gradient by one argument as a row of gradients by its leaves, nil where there is none. */
static Value *leaf_gradients(const TreeRule *self, size_t at, Value gradient, Value argument,
                             Value *out) {
    size_t count = tree_numeric(argument, NULL);
    Value *leaf = pool_bytes((count + 1) * sizeof *leaf);
    tree_numeric(argument, leaf);
    if (!tree_align(argument, gradient, out)) wrong_structure(self, at, gradient, argument);
    for (size_t i = 0; i < count; i++) {
        if (out[i].tag == V_UNSET) out[i] = NIL;
        if (out[i].tag == V_NIL) continue;
        if (!is_numeric(out[i])) wrong_structure(self, at, gradient, argument);
        out[i] = fit_shape(self, at, out[i], leaf[i]);
    }
    return out + count;
}

static Value call_tree_rule(Function *head, int count, const Value *args) {
    const TreeRule *self = (const TreeRule *)head;
    const Value *g = args[0].tag == V_LIST ? args[0].as.list->item : &args[0];
    const Value *y = args[1].tag == V_LIST ? args[1].as.list->item : &args[1];
    const List *arguments = tree_with_numeric(self->args, args + 2, false).as.list;
    Value *full = pool_bytes((arguments->count + 2) * sizeof *full),
          *out = pool_bytes((size_t)count * sizeof *out), *next = out;
    full[0] = tree_with_numeric(self->y, g, true);
    full[1] = tree_with_numeric(self->y, y, false);
    memcpy(full + 2, arguments->item, arguments->count * sizeof *full);
    Value result = call_value(self->rule, (int)arguments->count + 2, full);
    bool single =
        arguments->count == 1 && !(result.tag == V_LIST && arguments->item[0].tag != V_LIST);
    if (single) result = list_of(1, &result);
    if (result.tag != V_LIST || result.as.list->count != arguments->count)
        fail(E_GRADIENT, "the rule of custom_grad(%s) gave %zu gradient%s for %zu arguments",
             self->name->text, result.tag == V_LIST ? result.as.list->count : 1,
             result.tag == V_LIST && result.as.list->count != 1 ? "s" : "", arguments->count);
    for (size_t i = 0; i < arguments->count; i++)
        next = leaf_gradients(self, i, result.as.list->item[i], arguments->item[i], next);
    return list_of((size_t)(next - out), out);
}

static void free_tree_rule(Function *head) {
    TreeRule *self = (TreeRule *)head;
    value_release(self->rule);
    value_release(self->args);
    value_release(self->y);
}
static void visit_tree_rule(Function *head, void (*each)(Value v, void *env), void *env) {
    TreeRule *self = (TreeRule *)head;
    each(self->rule, env);
    each(self->args, env);
    each(self->y, env);
}

static Value cut_leaf(Value leaf, void *env) {
    (void)env;
    return constant_of(leaf);
}

static Value tree_rule(const CustomCall *c, Value y) {
    TreeRule *rule =
        (TreeRule *)function_new(sizeof *rule, c->self->head.name->text, call_tree_rule);
    rule->rule = rule->args = rule->y = NIL;
    rule->head.free = free_tree_rule;
    rule->head.visit = visit_tree_rule;
    rule->name = c->self->head.name;
    rule->rule = value_hold(c->self->rule);
    rule->args = value_hold(c->args);
    rule->y = value_hold(y);
    return object(rule);
}

/* ---- checking it ---- */
Value some_like(Value like, int seed) {
    if (is_number(like)) return number(0.7 + 0.1 * seed);
    Shape shape = value_shape(like);
    Array *a = array_new(F64, shape.axes, shape.dim);
    for (int64_t i = 0; i < a->size; i++)
        f64_of(a)[i] = 0.4 + fmod(0.6180339887 * (double)(i + seed + 1), 1);
    return array_value(a);
}

static Value *some_like_each(int count, const Value *like, int seed) {
    Value *out = pool_bytes((size_t)(count + 1) * sizeof *out);
    for (int i = 0; i < count; i++) out[i] = some_like(like[i], seed + i);
    return out;
}

/* Sum of the products of their elements, in f64. */
static double inner_product(int count, const Value *a, const Value *b) {
    double sum = 0;
    for (int i = 0; i < count; i++)
        if (a[i].tag != V_NIL)
            sum += num_of(
                op_sum(op_cast(op_mul(constant_of(a[i]), op_cast(constant_of(b[i]), F64)), F64),
                       ALL_AXES, false));
    return sum;
}

static double weighed_at(const CustomCall *c, const Value *direction, int outputs,
                         const Value *weight, double step) {
    uint64_t counter = rt.random_counter;
    Value *moved = pool_bytes((size_t)(c->leaves + 1) * sizeof *moved);
    for (int i = 0; i < c->leaves; i++)
        moved[i] = direction[i].tag == V_UNSET
                       ? c->leaf[i]
                       : op_add(c->leaf[i], op_mul(direction[i], number(step)));
    Value y = call_with_leaves(c->self->f, c->args, moved);
    rt.random_counter = counter;
    int count;
    Value *leaf = outputs_of(y, &count, "custom_grad");
    return count == outputs ? inner_product(outputs, leaf, weight) : NAN;
}

typedef struct CheckedRule { double by_rule, by_differences; } CheckedRule;

/* Along one direction: what the rule says against central differences. */
static CheckedRule compare_rule(const CustomCall *c, Value y, double step) {
    int outputs;
    Value *leaf = outputs_of(y, &outputs, "custom_grad"),
          *weight = some_like_each(outputs, leaf, 5);
    Value *direction = some_like_each(c->leaves, c->leaf, 0);
    Value *full = pool_bytes((size_t)(c->leaves + 2) * sizeof *full), rule = tree_rule(c, y);
    full[0] = outputs == 1 ? weight[0] : list_of((size_t)outputs, weight);
    full[1] = outputs == 1 ? leaf[0] : list_of((size_t)outputs, leaf);
    memcpy(full + 2, c->leaf, (size_t)c->leaves * sizeof *full);
    Value gradients = call_value(rule, c->leaves + 2, full);
    /* nil claims nothing: a whole number, say, that cannot be moved */
    for (int i = 0; i < c->leaves; i++)
        if (gradients.as.list->item[i].tag == V_NIL) direction[i] = UNSET;
    double above = weighed_at(c, direction, outputs, weight, step),
           below = weighed_at(c, direction, outputs, weight, -step);
    return (CheckedRule){ inner_product(c->leaves, gradients.as.list->item, direction),
                           (above - below) / (2 * step) };
}

/* Once, at the first recorded call: a rule that is wrong is refused, with the numbers. f32 allows
 * longer steps and less agreement. */
static void check_rule(const CustomCall *c, Value y) {
    CustomFunction *self = c->self;
    self->check = false;
    CheckedRule r = { 0, 0 };
    Span here = rt.here;
    bool narrow = false;
    for (int i = 0; i < c->leaves; i++) narrow |= dtype_of(c->leaf[i]) == F32;
    for (int attempt = 0; attempt < 3; attempt++) {
        double step = (attempt == 0 ? 1e-5 : attempt == 1 ? 1e-4 : 1e-7) * (narrow ? 300 : 1);
        r = compare_rule(c, y, step);
        double scale = 1 + fabs(r.by_rule) + fabs(r.by_differences),
               error = fabs(r.by_rule - r.by_differences);
        if (!isfinite(r.by_rule) || !isfinite(r.by_differences) ||
            error < (narrow ? 1e-2 : 1e-4) * scale)
            return;
    }
    self->check = true;
    rt.here = here;
    hint("custom_grad(f, rule, check = false) takes the rule as it is");
    fail(E_GRADIENT,
         "the rule of custom_grad(%s) disagrees with finite differences: along one direction the "
         "rule gives %.6g, differences give %.6g",
         self->head.name->text, r.by_rule, r.by_differences);
}

/* ---- calling it ---- */
/* The value, and the check if one is due, with recording off; f draws what it would draw now. */
static Value call_unrecorded(const CustomCall *c, bool check) {
    bool recording = rt.recording, custom = rt.custom;
    Span here = rt.here;
    rt.custom |= recording;
    rt.recording = false;
    Value y = tree_map(call_value(c->self->f, (int)c->args.as.list->count, c->args.as.list->item),
                       cut_leaf, NULL);
    rt.here = here;
    if (check) check_rule(c, y);
    rt.here = here;
    rt.recording = recording;
    rt.custom = custom;
    return y;
}

static Value call_custom(Function *head, int count, const Value *args) {
    CustomFunction *self = (CustomFunction *)head;
    Value list = list_of((size_t)count, args);
    CustomCall c = { self, tree_map(list, cut_leaf, NULL), (int)tree_numeric(list, NULL), NULL };
    Value *inputs = pool_bytes((size_t)(c.leaves + 1) * sizeof *inputs);
    c.leaf = pool_bytes((size_t)(c.leaves + 1) * sizeof *c.leaf);
    tree_numeric(list, inputs);
    tree_numeric(c.args, c.leaf);
    uint32_t recorded = 0;
    for (int i = 0; i < c.leaves; i++) recorded |= inputs[i].node;
    bool records = rt.recording && recorded;
    Value y = call_unrecorded(&c, self->check && records);
    if (!records) return y;
    int outputs;
    Value *leaf = outputs_of(y, &outputs, "custom_grad");
    Value single = outputs == 1 ? leaf[0] : list_of((size_t)outputs, leaf);
    Value result = sweep_custom(tree_rule(&c, y), c.leaves, inputs, single);
    return tree_with_numeric(y, outputs == 1 ? &result : result.as.list->item, false);
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
    char text[80];
    for (int i = 0; i < 2; i++)
        if (arg[i].tag != V_FUNCTION)
            fail(E_ARGUMENT,
                 "custom_grad needs a function and its rule (g, y, *args) -> gradients, not %s",
                 describe(arg[i], text, sizeof text));
    CustomFunction *self =
        (CustomFunction *)function_new(sizeof *self, arg[0].as.function->name->text, call_custom);
    self->f = value_hold(arg[0]);
    self->rule = value_hold(arg[1]);
    self->check = arg[2].tag == V_UNSET || arg_bool(arg[2], "check of custom_grad");
    self->head.free = free_custom;
    self->head.visit = visit_custom;
    return object(self);
}
