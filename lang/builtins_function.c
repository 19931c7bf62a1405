/* Differentiation in function mode: grad(f), value_and_grad, jvp, vjp and jacobian. Each lifts the
 * leaves of its arguments (function.h), calls the function while recording, and sweeps what it
 * gave, in reverse or forward; on trees, and nested to any depth. */
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

/* ---- arguments by number ---- */
Argnums argnums_of(Value argnum) {
    Argnums a = { .count = 1 };
    if (argnum.tag == V_UNSET) return a;
    a.list = argnum.tag == V_LIST || axes_of(argnum) == 1;
    int64_t count = argnum.tag == V_LIST ? (int64_t)argnum.as.list->count : size_of(argnum);
    if (count < 1 || count > MAX_ARGNUMS)
        fail(E_ARGUMENT, "argnum lists 1 to %d arguments, not %lld", MAX_ARGNUMS, (long long)count);
    a.count = (int)count;
    for (int i = 0; i < a.count; i++) {
        Value one =
            argnum.tag == V_LIST ? argnum.as.list->item[i] : number(array_get(array_of(argnum), i));
        int64_t at = arg_int(one, "argnum");
        if (at < 0 || at > 1000)
            fail(E_ARGUMENT, "argnum counts arguments from 0, so it cannot be %lld", (long long)at);
        a.at[i] = (int)at;
    }
    return a;
}

static Value argument_at(int at, int count, const Value *args) {
    if (at >= count)
        fail(E_ARGUMENT, "argnum = %d, but the function was called with %d argument%s", at, count,
             count == 1 ? "" : "s");
    return args[at];
}

Value argnums_tree(const Argnums *argnums, int count, const Value *args) {
    if (!argnums->list) return argument_at(argnums->at[0], count, args);
    Value tree = list_new((size_t)argnums->count);
    for (int i = 0; i < argnums->count; i++)
        list_set(tree, (size_t)i, argument_at(argnums->at[i], count, args));
    return tree;
}

Value *argnums_with(const Argnums *argnums, int count, const Value *args, Value tree) {
    Value *out = pool_bytes((size_t)(count + 1) * sizeof *out);
    memcpy(out, args, (size_t)count * sizeof *out);
    for (int i = 0; i < argnums->count; i++)
        out[argnums->at[i]] = argnums->list ? tree.as.list->item[i] : tree;
    return out;
}

/* ---- trees of inputs and outputs ---- */
void check_function(Value f, const char *name) {
    char what[80];
    if (f.tag != V_FUNCTION)
        fail(E_GRADIENT, "%s needs a function, not %s", name, describe(f, what, sizeof what));
}

/* The arrays and numbers of a tree; NULL if there are none. */
static Value *numeric_leaves(Value tree, int *count) {
    size_t leaves = tree_numeric(tree, NULL);
    if (!leaves) return NULL;
    Value *out = pool_bytes(leaves * sizeof *out);
    tree_numeric(tree, out);
    *count = (int)leaves;
    return out;
}

Value *inputs_of(Value x, int *count, const char *name) {
    char what[80];
    Value *leaves = numeric_leaves(x, count);
    if (!leaves)
        fail(E_GRADIENT, "%s: cannot differentiate with respect to %s", name,
             describe(x, what, sizeof what));
    return leaves;
}

Value *outputs_of(Value y, int *count, const char *name) {
    char what[80];
    Value *leaves = numeric_leaves(y, count);
    if (!leaves)
        fail(E_GRADIENT, "%s: the function gave %s, not arrays or numbers", name,
             describe(y, what, sizeof what));
    return leaves;
}

static Value like_leaf(Value v, Value model, const char *what) {
    if (!is_numeric(v))
        fail(E_GRADIENT, "%s is made of arrays and numbers, not of %s", what, type_name(v));
    Shape have = value_shape(v), want = value_shape(model), joined;
    if (!shapes_join(&have, &want, &joined) ||
        !same_shape(joined.axes, joined.dim, want.axes, want.dim)) {
        char a[80], b[80];
        shape_text(have.axes, have.dim, a, sizeof a);
        shape_text(want.axes, want.dim, b, sizeof b);
        fail(E_SHAPE, "%s has shape %s, but %s is needed", what, a, b);
    }
    return op_expand_to(op_cast(v, dtype_of(model) == F32 ? F32 : F64), constant_of(model));
}

/* What a tree looks like from outside: {w, b}, a list of 2, [3]. */
static const char *structure_of(Value v, char *buffer, size_t bytes) {
    if (v.tag != V_STRUCT) return describe(v, buffer, bytes);
    size_t used = (size_t)snprintf(buffer, bytes, "{");
    for (size_t i = 0; i < v.as.record->count && used + 8 < bytes; i++)
        used += (size_t)snprintf(buffer + used, bytes - used, "%s%.20s", i ? ", " : "",
                                 v.as.record->field[i].name->text);
    if (used + 8 < bytes) snprintf(buffer + used, bytes - used, "}");
    else snprintf(buffer + bytes - 8, 8, " ...}");
    return buffer;
}

Value *like_leaves(Value tree, Value model, double for_nil, const char *what) {
    size_t count = tree_numeric(model, NULL);
    Value *leaf = pool_bytes((count + 1) * sizeof *leaf),
          *out = pool_bytes((count + 1) * sizeof *out);
    char have[80], want[80];
    if (!tree_align(model, tree, out))
        fail(E_GRADIENT, "%s is %s, which is not a tree like %s", what,
             structure_of(tree, have, sizeof have), structure_of(model, want, sizeof want));
    tree_numeric(model, leaf);
    for (size_t i = 0; i < count; i++) {
        bool given = out[i].tag != V_NIL && out[i].tag != V_UNSET;
        if (given) out[i] = like_leaf(out[i], leaf[i], what);
        else out[i] = full_like(constant_of(leaf[i]), out[i].tag == V_NIL ? for_nil : 0);
    }
    return out;
}

/* f of these arguments, the chosen ones lifted. Temporaries of the call are gone at its end. */
static Value call_lifted(Value f, const Argnums *argnums, int count, const Value *args, Value tree,
                         const Lifted *call) {
    size_t pool = pool_mark();
    Value *full = argnums_with(argnums, count, args, tree_with_numeric(tree, call->x, false));
    return pool_pass(pool, call_value(f, count, full));
}

/* ---- grad(f) and value_and_grad(f) ---- */
typedef struct GradFunction {
    Function head;
    Value f;
    bool with_value;
    Argnums argnums;
} GradFunction;

static void check_result(Value y) {
    char what[80];
    if (is_numeric(y)) return;
    hint("the last expression of the function is its value");
    fail(E_GRADIENT, "the function to differentiate gave %s, not an array or a number",
         describe(y, what, sizeof what));
}

static Value call_grad(Function *head, int count, const Value *args) {
    const GradFunction *self = (const GradFunction *)head;
    int inputs;
    Value tree = argnums_tree(&self->argnums, count, args), *x = inputs_of(tree, &inputs, "grad");
    Value *out = pool_bytes((size_t)inputs * sizeof *out);
    Lifted call = function_lift(inputs, x);
    Value y = call_lifted(self->f, &self->argnums, count, args, tree, &call);
    function_stop(&call);
    check_result(y);
    sweep_gradients(1, &y, NULL, inputs, call.x, out);
    y = function_end(&call, y, inputs, out);
    Value gradients = tree_with_numeric(tree, out, true);
    return self->with_value ? list_of(2, (Value[]){ y, gradients }) : gradients;
}

static void free_grad(Function *self) { value_release(((GradFunction *)self)->f); }
static void visit_grad(Function *self, void (*each)(Value v, void *env), void *env) {
    each(((GradFunction *)self)->f, env);
}

/* "grad(f)", by hand: derivatives of small functions are made often. */
static void name_of(char name[120], const char *head, Value f) {
    const String *inner = f.as.function->name;
    size_t start = strlen(head), bytes = inner->bytes < 80 ? inner->bytes : 80;
    memcpy(name, head, start);
    memcpy(name + start, inner->text, bytes);
    memcpy(name + start + bytes, ")", 2);
}

Value grad_function(Value f, Value argnum, bool with_value) {
    char name[120];
    name_of(name, with_value ? "value_and_grad(" : "grad(", f);
    GradFunction *self = (GradFunction *)function_new(sizeof *self, name, call_grad);
    self->f = NIL;
    self->head.free = free_grad;
    self->head.visit = visit_grad;
    self->argnums = argnums_of(argnum);
    self->f = value_hold(f);
    self->with_value = with_value;
    return object(self);
}

bool is_grad_function(Value v, Value *f, Argnums *argnums, bool *with_value) {
    if (v.tag != V_FUNCTION || v.as.function->call != call_grad) return false;
    const GradFunction *self = (const GradFunction *)v.as.function;
    *f = self->f;
    *argnums = self->argnums;
    *with_value = self->with_value;
    return true;
}

Value builtin_value_and_grad(int count, const Value *arg) {
    (void)count;
    check_function(arg[0], "value_and_grad");
    return grad_function(arg[0], arg[1], true);
}

/* ---- jvp, vjp, jacobian ---- */
Value builtin_jvp(int count, const Value *arg) {
    (void)count;
    check_function(arg[0], "jvp");
    int inputs, outputs;
    Value *x = inputs_of(arg[1], &inputs, "jvp"),
          *v = like_leaves(arg[2], arg[1], 0, "the tangent of jvp");
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
    if (count == 1 && args[0].tag != V_NIL)
        g = like_leaves(args[0], self->y, 1, "the head gradient");
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
    PullbackFunction *self =
        (PullbackFunction *)function_new(sizeof *self, "pullback", call_pullback);
    self->x = self->lifted = self->y = NIL;
    self->head.free = free_pullback;
    self->head.visit = visit_pullback;
    self->x = value_hold(arg[1]);
    self->lifted = value_hold(list_of((size_t)inputs, call.x));
    self->y = value_hold(y);
    return list_of(2, (Value[]){ function_end(&call, y, 0, NULL), object(self) });
}

typedef enum Mode { MODE_CHEAPER, MODE_REVERSE, MODE_FORWARD } Mode;
typedef struct JacobianFunction {
    Function head;
    Value f;
    Mode mode;
    Argnums argnums;
} JacobianFunction;

/* A one at element `at` of an array of zeros. */
static Value unit(Value like, int64_t at) {
    if (is_number(like)) return number(1);
    Shape shape = value_shape(like);
    Array *u = array_zeros(dtype_of(like) == F32 ? F32 : F64, shape.axes, shape.dim);
    if (u->dtype == F32) f32_of(u)[at] = 1;
    else f64_of(u)[at] = 1;
    return array_value(u);
}

/* `rows` of one shape, stacked along a new axis at the front or at the back, as shape y + shape x.
 */
static Value assemble(int64_t rows, const Value *row, int axis, Value y, Value x) {
    Shape shape = value_shape(y), inner = value_shape(x);
    if (shape.axes + inner.axes > MAX_AXES)
        fail(E_LIMIT, "a Jacobian of %d axes: the limit is %d", shape.axes + inner.axes, MAX_AXES);
    for (int i = 0; i < inner.axes; i++) shape.dim[shape.axes++] = inner.dim[i];
    if (!rows) return zeros_like(array_value(array_zeros(F64, shape.axes, shape.dim)));
    Value stacked = op_stack((int)rows, row, axis);
    if (shape.axes == 0) return op_reshape(stacked, 0, NULL);
    return op_reshape(stacked, shape.axes, shape.dim);
}

/* One row of the Jacobian from each element of y: the blocks of all inputs. */
static void jacobian_reverse(Value y, int inputs, const Value *x, Value *block) {
    int64_t rows = size_of(y);
    Value *row = pool_bytes((size_t)(rows + 1) * (size_t)inputs * sizeof *row),
          *out = pool_bytes((size_t)inputs * sizeof *out);
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
    int inputs, outputs;
    Value tree = argnums_tree(&self->argnums, count, args),
          *x = inputs_of(tree, &inputs, "jacobian");
    int64_t elements = 0;
    for (int i = 0; i < inputs; i++) elements += size_of(x[i]);
    Lifted call = function_lift(inputs, x);
    Value y = call_lifted(self->f, &self->argnums, count, args, tree, &call);
    function_stop(&call);
    Value *heads = outputs_of(y, &outputs, "jacobian");
    Value *rows = pool_bytes((size_t)outputs * sizeof *rows),
          *block = pool_bytes((size_t)inputs * sizeof *block);
    for (int k = 0; k < outputs; k++) {
        bool forward = self->mode == MODE_FORWARD ||
                       (self->mode == MODE_CHEAPER && size_of(heads[k]) > elements);
        if (forward) jacobian_forward(heads[k], inputs, call.x, block);
        else jacobian_reverse(heads[k], inputs, call.x, block);
        rows[k] = tree_with_numeric(tree, block, true);
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
    if (v.tag == V_STRING) snprintf(what, sizeof what, "\"%.40s\"", v.as.string->text);
    else describe(v, what, sizeof what);
    fail(E_ARGUMENT,
         "the mode of a Jacobian is \"forward\", \"reverse\" or nil (the cheaper one), not %s",
         what);
}

Value builtin_jacobian(int count, const Value *arg) {
    (void)count;
    check_function(arg[0], "jacobian");
    Mode mode = mode_of(arg[1]);
    Argnums argnums = argnums_of(arg[2]);
    char name[120];
    snprintf(name, sizeof name, "jacobian(%.80s)", arg[0].as.function->name->text);
    JacobianFunction *self = (JacobianFunction *)function_new(sizeof *self, name, call_jacobian);
    self->f = value_hold(arg[0]);
    self->mode = mode;
    self->argnums = argnums;
    self->head.free = free_jacobian;
    self->head.visit = visit_jacobian;
    return object(self);
}
