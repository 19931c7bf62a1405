/* The calls of differentiation: attach_grad, backward, grad and their relatives, in tape mode and in
 * function mode. They turn trees into rows of leaves, functions into sweeps, and mistakes into messages;
 * the sweeps themselves are the runtime's (sweep.h). */
#include <stdio.h>
#include <string.h>
#include "builtins.h"
#include "function.h"
#include "leaves.h"
#include "sweep.h"

static Value constant_of(Value v) {
    v.node = 0;
    return v;
}

static bool text_is(Value v, const char *text) {
    return v.tag == V_STRING && v.as.string->bytes == strlen(text) && !memcmp(v.as.string->text, text, v.as.string->bytes);
}

/* ---- tape mode ---- */
static Req req_of(Value v) {
    if (v.tag == V_UNSET || text_is(v, "write")) return REQ_WRITE;
    if (text_is(v, "add")) return REQ_ADD;
    if (text_is(v, "null")) return REQ_NULL;
    char what[80];
    fail(E_ARGUMENT, "attach_grad: req is \"write\", \"add\" or \"null\", not %s", describe(v, what, sizeof what));
}

typedef struct Attach { Req req; int attached; } Attach;

static Value attach_leaf(Value leaf, void *env) {
    Attach *a = env;
    if (!is_numeric(leaf)) return leaf;
    a->attached++;
    return leaf_attach(leaf, a->req, NULL);
}

Value builtin_attach_grad(int count, const Value *arg) {
    (void)count;
    Attach a = { req_of(arg[1]), 0 };
    if (!is_tree(arg[0])) return leaf_attach(arg[0], a.req, NULL);
    Value tree = tree_map(arg[0], attach_leaf, &a);
    if (!a.attached) fail(E_GRADIENT, "attach_grad found no array in this %s", type_name(arg[0]));
    return tree;
}

/* A head that can be swept: on the tape, or a leaf itself. */
static void check_head(Value head, int part) {
    char what[80];
    if (!is_numeric(head)) {
        note_operand(part, head);
        fail(E_GRADIENT, "backward sweeps from an array or a number, not from %s", describe(head, what, sizeof what));
    }
    if (head.node) return;
    note_operand(part, head);
    hint("compute it inside record < ... >, from something that attach_grad() was called on");
    fail(E_GRADIENT, "nothing to sweep: this value was not recorded");
}

static void check_head_gradient(Value g) {
    if (rt.recording || !is_recorded(g)) return;
    note_operand(1, g);
    hint("two losses are swept together by backward((l1, l2)); as a head gradient write detach(g)");
    fail(E_GRADIENT, "the second argument of backward is the head gradient, but this value is recorded itself");
}

static void backward_list(const List *heads, Value gradients, bool retain) {
    Value *g = pool_bytes((heads->count + 1) * sizeof *g);
    if (!heads->count) fail(E_GRADIENT, "backward needs at least one head, not an empty list");
    if (is_object(gradients) && gradients.tag != V_LIST)
        fail(E_GRADIENT, "backward of a list of %zu heads takes a list of %zu head gradients, not %s", heads->count,
             heads->count, type_name(gradients));
    if (gradients.tag == V_LIST && gradients.as.list->count != heads->count)
        fail(E_GRADIENT, "backward has %zu heads but %zu head gradients", heads->count, gradients.as.list->count);
    for (size_t i = 0; i < heads->count; i++) {
        check_head(heads->item[i], 0);
        g[i] = gradients.tag == V_LIST ? gradients.as.list->item[i] : NIL;
    }
    sweep_backward((int)heads->count, heads->item, g, retain);
}

Value builtin_backward(int count, const Value *arg) {
    (void)count;
    bool retain = arg[2].tag != V_UNSET && arg_bool(arg[2], "retain of backward");
    Value g = arg[1].tag == V_UNSET ? NIL : arg[1];
    if (arg[0].tag == V_LIST) {
        backward_list(arg[0].as.list, g, retain);
        return NIL;
    }
    check_head(arg[0], 0);
    check_head_gradient(g);
    sweep_backward(1, &arg[0], &g, retain);
    return NIL;
}

static Value detach_leaf(Value leaf, void *env) {
    (void)env;
    return constant_of(leaf);
}

Value builtin_detach(int count, const Value *arg) {
    (void)count;
    return tree_map(arg[0], detach_leaf, NULL);
}

static Value clear_leaf(Value leaf, void *env) {
    (void)env;
    if (is_leaf(leaf)) leaf_clear(leaf);
    return leaf;
}

Value builtin_zero_grad(int count, const Value *arg) {
    (void)count;
    if (!is_tree(arg[0]) && !is_leaf(arg[0])) {
        note_operand(0, arg[0]);
        hint("attach_grad(x) gives x a gradient slot");
        fail(E_GRADIENT, "zero_grad: this value has no gradient slot");
    }
    tree_map(arg[0], clear_leaf, NULL);
    return NIL;
}

static Value gradient_leaf(Value leaf, void *env) {
    (void)env;
    return is_numeric(leaf) ? sweep_gradient(leaf) : NIL;
}

/* grad(y, x, g): with respect to each leaf of the tree x. */
static Value gradient_of(Value y, Value x, Value g) {
    char what[80];
    if (!is_numeric(y)) fail(E_GRADIENT, "grad(y, x) needs an array or a number y, not %s", describe(y, what, sizeof what));
    size_t count, wanted = 0;
    Value *leaves = tree_leaves(x, &count), *targets = pool_bytes((count + 1) * sizeof *targets);
    for (size_t i = 0; i < count; i++) {
        if (!is_numeric(leaves[i])) continue;
        if (!leaves[i].node) {
            note_operand(1, leaves[i]);
            hint("call attach_grad(x) first, or use function mode: grad(f)(x)");
            fail(E_GRADIENT, "grad(y, x): x was never attached or recorded");
        }
        targets[wanted++] = leaves[i];
    }
    if (!wanted) fail(E_GRADIENT, "grad(y, x) needs an array or a tree of arrays x, not %s", describe(x, what, sizeof what));
    Value *out = pool_bytes(wanted * sizeof *out);
    sweep_gradients(y, g, (int)wanted, targets, out);
    for (size_t i = 0, k = 0; i < count; i++) leaves[i] = is_numeric(leaves[i]) ? out[k++] : NIL;
    return tree_rebuild(x, leaves);
}

/* ---- function mode ---- */
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

/* The leaves of a tree that are numeric, in order. */
static size_t numeric_leaves(Value tree, Value *out) {
    size_t count, kept = 0;
    Value *leaves = tree_leaves(tree, &count);
    for (size_t i = 0; i < count; i++)
        if (is_numeric(leaves[i]) && dtype_of(leaves[i]) != BOOL) {
            if (out) out[kept] = leaves[i];
            kept++;
        }
    return kept;
}

/* The tree with its numeric leaves replaced, the others kept (or nil). */
static Value with_leaves(Value tree, const Value *replacements, bool others_nil) {
    size_t count;
    Value *leaves = tree_leaves(tree, &count);
    for (size_t i = 0; i < count; i++) {
        if (is_numeric(leaves[i]) && dtype_of(leaves[i]) != BOOL) leaves[i] = *replacements++;
        else if (others_nil) leaves[i] = NIL;
    }
    return tree_rebuild(tree, leaves);
}

/* The call with its numeric leaves lifted. */
static Value call_lifted(const GradCall *call, const Value *lifted) {
    Value *args = pool_bytes((size_t)(call->count + 1) * sizeof *args);
    memcpy(args, call->args, (size_t)call->count * sizeof *args);
    for (int i = 0; i < call->self->argnums; i++) {
        int at = call->self->argnum[i];
        args[at] = with_leaves(call->args[at], lifted, false);
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
        total += leaves[i] = numeric_leaves(args[at], NULL);
        char what[80];
        if (!leaves[i])
            fail(E_GRADIENT, "cannot differentiate with respect to %s", describe(args[at], what, sizeof what));
    }
    Value *x = pool_bytes(total * sizeof *x), *out = pool_bytes(total * sizeof *out), *next = x;
    for (int i = 0; i < self->argnums; i++) next += numeric_leaves(args[self->argnum[i]], next);
    GradCall call = { self, count, args, leaves };
    Lifted lifted = function_lift((int)total, x);
    Value y = call_lifted(&call, lifted.x);
    function_stop(&lifted);
    check_result(y);
    sweep_gradients(y, NIL, (int)total, lifted.x, out);
    y = function_end(&lifted, y, (int)total, out);
    Value gradients = self->list ? list_new((size_t)self->argnums) : NIL;
    const Value *from = out;
    for (int i = 0; i < self->argnums; i++) {
        Value g = with_leaves(args[self->argnum[i]], from, true);
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

static Value grad_function(Value f, Value argnum, bool with_value) {
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

Value builtin_grad(int count, const Value *arg) {
    (void)count;
    Value g = arg[2].tag == V_UNSET ? NIL : arg[2];
    if (arg[0].tag == V_FUNCTION) {
        if (arg[1].tag != V_UNSET) {
            hint("write grad(f)(x)");
            fail(E_GRADIENT, "grad(f) of a function f is a function itself: it takes the arguments");
        }
        return grad_function(arg[0], arg[3], false);
    }
    if (arg[1].tag != V_UNSET) return gradient_of(arg[0], arg[1], g);
    if (!is_numeric(arg[0]) && !is_tree(arg[0])) {
        char what[80];
        fail(E_GRADIENT, "grad needs an array, a tree of arrays or a function, not %s", describe(arg[0], what, sizeof what));
    }
    if (!arg[0].node && is_numeric(arg[0])) note_operand(0, arg[0]);
    return tree_map(arg[0], gradient_leaf, NULL);
}

Value builtin_value_and_grad(int count, const Value *arg) {
    (void)count;
    char what[80];
    if (arg[0].tag != V_FUNCTION)
        fail(E_GRADIENT, "value_and_grad needs a function, not %s", describe(arg[0], what, sizeof what));
    return grad_function(arg[0], arg[1], true);
}

/* ---- custom gradients ---- */
typedef struct CustomFunction { Function head; Value f, rule; } CustomFunction;

static Value call_custom(Function *head, int count, const Value *args) {
    const CustomFunction *self = (const CustomFunction *)head;
    Value *inputs = pool_bytes((size_t)(count + 1) * sizeof *inputs);
    for (int i = 0; i < count; i++) {
        size_t leaves;
        Value *leaf = tree_leaves(args[i], &leaves);
        for (size_t k = 0; is_tree(args[i]) && k < leaves; k++)
            if (leaf[k].node && rt.recording)
                fail(E_GRADIENT, "a function with a custom gradient takes recorded arrays and numbers, not trees of them "
                                 "(argument %d)", i + 1);
        inputs[i] = is_numeric(args[i]) ? constant_of(args[i]) : args[i];
    }
    bool recording = rt.recording;
    rt.recording = false;
    Value y = call_value(self->f, count, inputs);
    rt.recording = recording;
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
    self->head.free = free_custom;
    self->head.visit = visit_custom;
    return object(self);
}
