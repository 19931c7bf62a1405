/* Differentiation in function mode: grad(f), value_and_grad, jvp, vjp, jacobian, and custom_grad. Each lifts
 * the leaves of its arguments (function.h), calls the function while recording, and sweeps what it gave,
 * in reverse or forward; on trees, and nested to any depth. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "builtins.h"
#include "builtins_function.h"
#include "forward.h"
#include "function.h"
#include "leaves.h"

static Value constant_of(Value v) {
    v.node = 0;
    return v;
}

/* ---- grad(f) and value_and_grad(f) ---- */
enum { MAX_ARGNUMS = 32 };
typedef struct GradFunction {
    Function head;
    Value f;
    bool with_value, list;      /* list: argnum was a list, and so is the gradient */
    int argnums, argnum[MAX_ARGNUMS];
} GradFunction;

typedef struct GradCall {
    const GradFunction *self;
    int count;
    const Value *args;
    const size_t *leaves;       /* of each differentiated argument, how many */
} GradCall;

/* The call with its numeric leaves lifted. */
static Value call_lifted(const GradCall *call, const Value *lifted) {
    Value *args = pool_bytes((size_t)(call->count + 1) * sizeof *args);
    memcpy(args, call->args, (size_t)call->count * sizeof *args);
    for (int i = 0; i < call->self->argnums; i++) {
        int at = call->self->argnum[i];
        args[at] = tree_with_numeric(call->args[at], lifted, false);
        lifted += call->leaves[i];
    }
    return call_value(call->self->f, call->count, args);
}

static void check_result(Value y) {
    char what[80];
    if (is_numeric(y)) return;
    hint("the last expression of the function is its value");
    fail(E_GRADIENT, "the function to differentiate gave %s, not an array or a number", describe(y, what, sizeof what));
}

static Value call_grad(Function *head, int count, const Value *args) {
    const GradFunction *self = (const GradFunction *)head;
    size_t leaves[MAX_ARGNUMS], total = 0;
    for (int i = 0; i < self->argnums; i++) {
        int at = self->argnum[i];
        if (at >= count) fail(E_ARGUMENT, "argnum = %d, but the function was called with %d arguments", at, count);
        total += leaves[i] = tree_numeric(args[at], NULL);
        char what[80];
        if (!leaves[i])
            fail(E_GRADIENT, "cannot differentiate with respect to %s", describe(args[at], what, sizeof what));
    }
    Value *x = pool_bytes(total * sizeof *x), *out = pool_bytes(total * sizeof *out), *next = x;
    for (int i = 0; i < self->argnums; i++) next += tree_numeric(args[self->argnum[i]], next);
    GradCall call = { self, count, args, leaves };
    Lifted lifted = function_lift((int)total, x);
    Value y = call_lifted(&call, lifted.x);
    function_stop(&lifted);
    check_result(y);
    sweep_gradients(1, &y, NULL, (int)total, lifted.x, out);
    y = function_end(&lifted, y, (int)total, out);
    Value gradients = self->list ? list_new((size_t)self->argnums) : NIL;
    const Value *from = out;
    for (int i = 0; i < self->argnums; i++) {
        Value g = tree_with_numeric(args[self->argnum[i]], from, true);
        from += leaves[i];
        if (self->list) list_set(gradients, (size_t)i, g);
        else gradients = g;
    }
    return self->with_value ? list_of(2, (Value[]){ y, gradients }) : gradients;
}

static void free_grad(Function *self) { value_release(((GradFunction *)self)->f); }
static void visit_grad(Function *self, void (*each)(Value v, void *env), void *env) { each(((GradFunction *)self)->f, env); }

static void set_argnums(GradFunction *self, Value argnum) {
    self->argnums = 1;
    if (argnum.tag == V_UNSET) return;
    self->list = argnum.tag == V_LIST || axes_of(argnum) == 1;
    int64_t count = argnum.tag == V_LIST ? (int64_t)argnum.as.list->count : size_of(argnum);
    if (count < 1 || count > MAX_ARGNUMS) fail(E_ARGUMENT, "argnum lists 1 to %d arguments, not %lld", MAX_ARGNUMS, (long long)count);
    self->argnums = (int)count;
    for (int i = 0; i < self->argnums; i++) {
        Value one = argnum.tag == V_LIST ? argnum.as.list->item[i] : number(array_get(array_of(argnum), i));
        int64_t at = arg_int(one, "argnum");
        if (at < 0 || at > 1000) fail(E_ARGUMENT, "argnum counts arguments from 0, so it cannot be %lld", (long long)at);
        self->argnum[i] = (int)at;
    }
}

Value grad_function(Value f, Value argnum, bool with_value) {
    char name[120];
    snprintf(name, sizeof name, "%s(%.80s)", with_value ? "value_and_grad" : "grad", f.as.function->name->text);
    GradFunction *self = (GradFunction *)function_new(sizeof *self, name, call_grad);
    set_argnums(self, argnum);
    self->f = value_hold(f);
    self->with_value = with_value;
    self->head.free = free_grad;
    self->head.visit = visit_grad;
    return object(self);
}

Value builtin_value_and_grad(int count, const Value *arg) {
    (void)count;
    char what[80];
    if (arg[0].tag != V_FUNCTION)
        fail(E_GRADIENT, "value_and_grad needs a function, not %s", describe(arg[0], what, sizeof what));
    return grad_function(arg[0], arg[1], true);
}

/* ---- jvp, vjp, jacobian ---- */
static void check_function(Value f, const char *name) {
    char what[80];
    if (f.tag != V_FUNCTION) fail(E_GRADIENT, "%s needs a function, not %s", name, describe(f, what, sizeof what));
}

/* The leaves that a function is differentiated by, from one argument. */
static Value *inputs_of(Value x, int *count, const char *name) {
    char what[80];
    size_t leaves = tree_numeric(x, NULL);
    if (!leaves) fail(E_GRADIENT, "%s: cannot differentiate with respect to %s", name, describe(x, what, sizeof what));
    Value *out = pool_bytes(leaves * sizeof *out);
    tree_numeric(x, out);
    *count = (int)leaves;
    return out;
}

/* The numeric leaves of a function's value. */
static Value *outputs_of(Value y, int *count, const char *name) {
    char what[80];
    size_t leaves = tree_numeric(y, NULL);
    if (!leaves) fail(E_GRADIENT, "%s: the function gave %s, not arrays or numbers", name, describe(y, what, sizeof what));
    Value *out = pool_bytes(leaves * sizeof *out);
    tree_numeric(y, out);
    *count = (int)leaves;
    return out;
}

/* Tangents or head gradients, one for each leaf of `model`, each broadcast to its leaf. */
static Value *like_leaves(Value tree, int count, const Value *model, const char *what) {
    size_t leaves;
    Value *v = tree_leaves(tree, &leaves), *out = pool_bytes((size_t)(count + 1) * sizeof *out);
    if (leaves != (size_t)count)
        fail(E_GRADIENT, "%s has %zu leaves, but %d are needed", what, leaves, count);
    for (int i = 0; i < count; i++) {
        Shape have, want = value_shape(model[i]), joined;
        if (!is_numeric(v[i])) fail(E_GRADIENT, "%s is made of arrays and numbers, not of %s", what, type_name(v[i]));
        have = value_shape(v[i]);
        if (!shapes_join(&have, &want, &joined) || !same_shape(joined.axes, joined.dim, want.axes, want.dim)) {
            char a[80], b[80];
            shape_text(have.axes, have.dim, a, sizeof a);
            shape_text(want.axes, want.dim, b, sizeof b);
            fail(E_SHAPE, "%s has shape %s, but %s is needed", what, a, b);
        }
        out[i] = op_expand_to(op_cast(v[i], dtype_of(model[i]) == F32 ? F32 : F64), constant_of(model[i]));
    }
    return out;
}

Value builtin_jvp(int count, const Value *arg) {
    (void)count;
    check_function(arg[0], "jvp");
    int inputs, outputs;
    Value *x = inputs_of(arg[1], &inputs, "jvp"), *v = like_leaves(arg[2], inputs, x, "the tangent of jvp");
    Lifted call = function_lift(inputs, x);
    Value argument = tree_with_numeric(arg[1], call.x, false), y = call_value(arg[0], 1, &argument);
    function_stop(&call);
    Value *heads = outputs_of(y, &outputs, "jvp"), *t = pool_bytes((size_t)outputs * sizeof *t);
    forward_tangents(outputs, heads, inputs, call.x, v, t);
    Value tangent = tree_with_numeric(y, t, true);
    y = function_end(&call, y, outputs, t);
    return list_of(2, (Value[]){ y, tangent });
}

/* The pullback of vjp: holds the recorded call, so that it can be swept again and again. */
typedef struct PullbackFunction { Function head; Value x, lifted, y; } PullbackFunction;

static Value call_pullback(Function *head, int count, const Value *args) {
    const PullbackFunction *self = (const PullbackFunction *)head;
    if (count > 1) fail(E_ARGUMENT, "a pullback takes the head gradient, not %d arguments", count);
    int outputs;
    Value *heads = outputs_of(self->y, &outputs, "pullback"), *g = NULL;
    if (count == 1 && args[0].tag != V_NIL) g = like_leaves(args[0], outputs, heads, "the head gradient");
    int inputs = (int)self->lifted.as.list->count;
    Value *out = pool_bytes((size_t)(inputs + 1) * sizeof *out);
    sweep_gradients(outputs, heads, g, inputs, self->lifted.as.list->item, out);
    return tree_with_numeric(self->x, out, true);
}
static void free_pullback(Function *head) {
    PullbackFunction *self = (PullbackFunction *)head;
    value_release(self->x);
    value_release(self->lifted);
    value_release(self->y);
}
static void visit_pullback(Function *head, void (*each)(Value v, void *env), void *env) {
    PullbackFunction *self = (PullbackFunction *)head;
    each(self->x, env);
    each(self->lifted, env);
    each(self->y, env);
}

Value builtin_vjp(int count, const Value *arg) {
    (void)count;
    check_function(arg[0], "vjp");
    int inputs, outputs;
    Value *x = inputs_of(arg[1], &inputs, "vjp");
    Lifted call = function_lift(inputs, x);
    Value argument = tree_with_numeric(arg[1], call.x, false), y = call_value(arg[0], 1, &argument);
    function_stop(&call);
    outputs_of(y, &outputs, "vjp");
    PullbackFunction *self = (PullbackFunction *)function_new(sizeof *self, "pullback", call_pullback);
    self->x = self->lifted = self->y = NIL;
    self->head.free = free_pullback;
    self->head.visit = visit_pullback;
    self->x = value_hold(arg[1]);
    self->lifted = value_hold(list_of((size_t)inputs, call.x));
    self->y = value_hold(y);
    return list_of(2, (Value[]){ function_end(&call, y, 0, NULL), object(self) });
}

typedef enum Mode { MODE_CHEAPER, MODE_REVERSE, MODE_FORWARD } Mode;
typedef struct JacobianFunction { Function head; Value f; Mode mode; } JacobianFunction;

/* A one at element `at` of an array of zeros. */
static Value unit(Value like, int64_t at) {
    if (is_number(like)) return number(1);
    Shape shape = value_shape(like);
    Array *u = array_zeros(dtype_of(like) == F32 ? F32 : F64, shape.axes, shape.dim);
    if (u->dtype == F32) f32_of(u)[at] = 1;
    else f64_of(u)[at] = 1;
    return array_value(u);
}

/* `rows` of one shape, stacked along a new axis at the front or at the back, as shape y + shape x. */
static Value assemble(int64_t rows, const Value *row, int axis, Value y, Value x) {
    Shape shape = value_shape(y), inner = value_shape(x);
    if (shape.axes + inner.axes > MAX_AXES) fail(E_LIMIT, "a Jacobian of %d axes: the limit is %d", shape.axes + inner.axes, MAX_AXES);
    for (int i = 0; i < inner.axes; i++) shape.dim[shape.axes++] = inner.dim[i];
    if (!rows) return zeros_like(array_value(array_zeros(F64, shape.axes, shape.dim)));
    Value stacked = op_stack((int)rows, row, axis);
    if (shape.axes == 0) return op_reshape(stacked, 0, NULL);
    return op_reshape(stacked, shape.axes, shape.dim);
}

/* One row of the Jacobian from each element of y: the blocks of all inputs. */
static void jacobian_reverse(Value y, int inputs, const Value *x, Value *block) {
    int64_t rows = size_of(y);
    Value *row = pool_bytes((size_t)(rows + 1) * (size_t)inputs * sizeof *row), *out = pool_bytes((size_t)inputs * sizeof *out);
    for (int64_t r = 0; r < rows; r++) {
        Value g = unit(y, r);
        sweep_gradients(1, &y, &g, inputs, x, out);
        for (int i = 0; i < inputs; i++) row[i * rows + r] = out[i];
    }
    for (int i = 0; i < inputs; i++) block[i] = assemble(rows, row + i * rows, 0, y, x[i]);
}

/* One column from each element of each input. */
static void jacobian_forward(Value y, int inputs, const Value *x, Value *block) {
    for (int i = 0; i < inputs; i++) {
        int64_t columns = size_of(x[i]);
        Value *column = pool_bytes((size_t)(columns + 1) * sizeof *column);
        for (int64_t c = 0; c < columns; c++) {
            Value t = unit(x[i], c);
            forward_tangents(1, &y, 1, &x[i], &t, &column[c]);
        }
        block[i] = assemble(columns, column, axes_of(y), y, x[i]);
    }
}

static Value call_jacobian(Function *head, int count, const Value *args) {
    const JacobianFunction *self = (const JacobianFunction *)head;
    if (!count) fail(E_ARGUMENT, "a Jacobian is taken at an argument, but there is none");
    int inputs, outputs;
    Value *x = inputs_of(args[0], &inputs, "jacobian");
    int64_t elements = 0;
    for (int i = 0; i < inputs; i++) elements += size_of(x[i]);
    Lifted call = function_lift(inputs, x);
    Value *full = pool_bytes((size_t)count * sizeof *full);
    memcpy(full, args, (size_t)count * sizeof *full);
    full[0] = tree_with_numeric(args[0], call.x, false);
    Value y = call_value(self->f, count, full);
    function_stop(&call);
    Value *heads = outputs_of(y, &outputs, "jacobian");
    Value *rows = pool_bytes((size_t)outputs * sizeof *rows), *block = pool_bytes((size_t)inputs * sizeof *block);
    for (int k = 0; k < outputs; k++) {
        bool forward = self->mode == MODE_FORWARD || (self->mode == MODE_CHEAPER && size_of(heads[k]) > elements);
        if (forward) jacobian_forward(heads[k], inputs, call.x, block);
        else jacobian_reverse(heads[k], inputs, call.x, block);
        rows[k] = tree_with_numeric(args[0], block, true);
    }
    Value result = tree_with_numeric(y, rows, true);
    function_end(&call, NIL, 1, &result);
    return result;
}

static void free_jacobian(Function *self) { value_release(((JacobianFunction *)self)->f); }
static void visit_jacobian(Function *self, void (*each)(Value v, void *env), void *env) {
    each(((JacobianFunction *)self)->f, env);
}

static Mode mode_of(Value v) {
    if (v.tag == V_UNSET || v.tag == V_NIL) return MODE_CHEAPER;
    if (v.tag == V_STRING && !strcmp(v.as.string->text, "reverse")) return MODE_REVERSE;
    if (v.tag == V_STRING && !strcmp(v.as.string->text, "forward")) return MODE_FORWARD;
    char what[80];
    fail(E_ARGUMENT, "the mode of a Jacobian is \"forward\", \"reverse\" or nil (the cheaper one), not %s",
         describe(v, what, sizeof what));
}

Value builtin_jacobian(int count, const Value *arg) {
    (void)count;
    check_function(arg[0], "jacobian");
    Mode mode = mode_of(arg[1]);
    char name[120];
    snprintf(name, sizeof name, "jacobian(%.80s)", arg[0].as.function->name->text);
    JacobianFunction *self = (JacobianFunction *)function_new(sizeof *self, name, call_jacobian);
    self->f = value_hold(arg[0]);
    self->mode = mode;
    self->head.free = free_jacobian;
    self->head.visit = visit_jacobian;
    return object(self);
}

/* ---- custom gradients ---- */
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

/* ---- checkpoint ----
 * The call is recorded once, only to learn which recorded values from outside it uses; then its part of
 * the tape is cut off and one custom node stands for it, with those values as further inputs. The node's
 * rule runs the call again, draws and all, and sweeps that. */
typedef struct CheckpointFunction { Function head; Value f; } CheckpointFunction;
typedef struct CheckpointRule {
    Function head;
    Value f, args;                 /* the arguments as a list, whose numeric leaves come first among the inputs */
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

static Value call_again(Value f, Value args, const Value *leaves) {
    Value full = tree_with_numeric(args, leaves, false);
    return call_value(f, (int)full.as.list->count, full.as.list->item);
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
    Value *targets = pool_bytes((size_t)count * sizeof *targets), *out = pool_bytes((size_t)count * sizeof *out);
    for (int i = 0; i < self->leaves; i++) targets[i] = call.x[i];
    for (int i = 0; i < self->outside; i++) {
        targets[self->leaves + i] = args[2 + self->leaves + i];
        targets[self->leaves + i].node = self->outside_id[i];
    }
    int outputs, wanted = self->leaves + self->outside;
    Value *heads = outputs_of(y, &outputs, "checkpoint");
    sweep_gradients_above(call.mark, outputs, heads, g.tag == V_LIST ? g.as.list->item : &g, wanted, targets, out);
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
        Value v = id[i] >= LEAF ? constant_of(leaf_gradient((Value){ .node = id[i] })) : node_r(node_at(id[i]));
        v.node = id[i];
        (*values)[i] = v;
    }
    return (int)count;
}

static Value cut_leaf(Value leaf, void *env) {
    (void)env;
    return constant_of(leaf);
}

static Value checkpoint_rule(Value f, Value args, int leaves, int outside, const uint32_t *ids, uint64_t key, uint64_t counter) {
    CheckpointRule *rule = (CheckpointRule *)function_new(sizeof *rule, "checkpoint", call_checkpoint_rule);
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
    Value y = call_again(f, list, call.x);
    function_stop(&call);
    uint32_t *ids;
    Value *outside_value;
    int outside = find_outside(call.mark, leaves, &ids, &outside_value);
    Value *results = outputs_of(y, &outputs, "checkpoint");
    Value constant = tree_map(y, cut_leaf, NULL);
    function_end(&call, NIL, 0, NULL);
    Value *inputs = pool_bytes((size_t)(leaves + outside + 1) * sizeof *inputs);
    memcpy(inputs, in, (size_t)leaves * sizeof *inputs);
    memcpy(inputs + leaves, outside_value, (size_t)outside * sizeof *inputs);
    for (int i = 0; i < outputs; i++) results[i] = constant_of(results[i]);
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
    CheckpointFunction *self = (CheckpointFunction *)function_new(sizeof *self, arg[0].as.function->name->text, call_checkpoint);
    self->f = value_hold(arg[0]);
    self->head.free = free_checkpoint;
    self->head.visit = visit_checkpoint;
    return object(self);
}
