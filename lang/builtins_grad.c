/* Differentiation in tape mode, as a program calls it: attach_grad, backward, grad and their
 * relatives. They turn trees into rows of leaves and mistakes into messages; the sweeps are the
 * runtime's (sweep.h). Function mode is in builtins_function.c. */
#include <string.h>
#include "builtins.h"
#include "builtins_function.h"
#include "leaves.h"
#include "mistakes.h"
#include "sweep.h"

static Value constant_of(Value v) {
    v.node = 0;
    return v;
}

static bool text_is(Value v, const char *text) {
    return v.tag == V_STRING && v.as.string->bytes == strlen(text) &&
           !memcmp(v.as.string->text, text, v.as.string->bytes);
}

/* ---- tape mode ---- */
static Req req_of(Value v) {
    if (v.tag == V_UNSET || text_is(v, "write")) return REQ_WRITE;
    if (text_is(v, "add")) return REQ_ADD;
    if (text_is(v, "null")) return REQ_NULL;
    char what[80];
    if (v.tag == V_STRING)
        fail(E_ARGUMENT, "attach_grad: req is \"write\", \"add\" or \"null\", not \"%.40s\"",
             v.as.string->text);
    fail(E_ARGUMENT, "attach_grad: req is \"write\", \"add\" or \"null\", not %s",
         describe(v, what, sizeof what));
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
        fail(E_GRADIENT, "backward sweeps from an array or a number, not from %s",
             describe(head, what, sizeof what));
    }
    if (!head.node) fail_unrecorded(head);
}

static void check_head_gradient(Value g) {
    if (rt.recording || !is_recorded(g)) return;
    note_operand(1, g);
    hint("two losses are swept together by backward((l1, l2)); as a head gradient write detach(g)");
    fail(E_GRADIENT,
         "the second argument of backward is the head gradient, but this value is recorded itself");
}

static void backward_list(const List *heads, Value gradients, bool retain) {
    Value *g = pool_bytes((heads->count + 1) * sizeof *g);
    if (!heads->count) fail(E_GRADIENT, "backward needs at least one head, not an empty list");
    if (is_object(gradients) && gradients.tag != V_LIST)
        fail(E_GRADIENT,
             "backward of a list of %zu heads takes a list of %zu head gradients, not %s",
             heads->count, heads->count, type_name(gradients));
    if (gradients.tag == V_LIST && gradients.as.list->count != heads->count)
        fail(E_GRADIENT, "backward has %zu heads but %zu head gradients", heads->count,
             gradients.as.list->count);
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
    if (!is_numeric(y))
        fail(E_GRADIENT, "grad(y, x) needs an array or a number y, not %s",
             describe(y, what, sizeof what));
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
    if (!wanted)
        fail(E_GRADIENT, "grad(y, x) needs an array or a tree of arrays x, not %s",
             describe(x, what, sizeof what));
    Value *out = pool_bytes(wanted * sizeof *out);
    sweep_gradients(1, &y, &g, (int)wanted, targets, out);
    for (size_t i = 0, k = 0; i < count; i++) leaves[i] = is_numeric(leaves[i]) ? out[k++] : NIL;
    return tree_rebuild(x, leaves);
}

Value builtin_grad(int count, const Value *arg) {
    (void)count;
    Value g = arg[2].tag == V_UNSET ? NIL : arg[2];
    if (arg[0].tag == V_FUNCTION) {
        if (arg[1].tag != V_UNSET) {
            hint("write grad(f)(x)");
            fail(E_GRADIENT,
                 "grad(f) of a function f is a function itself: it takes the arguments");
        }
        return grad_function(arg[0], arg[3], false);
    }
    if (arg[1].tag != V_UNSET) return gradient_of(arg[0], arg[1], g);
    if (!is_numeric(arg[0]) && !is_tree(arg[0])) {
        char what[80];
        fail(E_GRADIENT, "grad needs an array, a tree of arrays or a function, not %s",
             describe(arg[0], what, sizeof what));
    }
    if (is_numeric(arg[0]) && !is_leaf(arg[0]) && !tape_adjoint(arg[0].node))
        fail_no_gradient(arg[0]);
    return tree_map(arg[0], gradient_leaf, NULL);
}

static Value hook_leaf(Value leaf, void *env) {
    if (leaf.node) sweep_hook(leaf, *(const Value *)env);
    return leaf;
}

static bool is_on_tape(Value tree) {
    size_t count;
    Value *leaves = tree_leaves(tree, &count);
    for (size_t i = 0; i < count; i++) if (leaves[i].node) return true;
    return false;
}

Value builtin_on_grad(int count, const Value *arg) {
    (void)count;
    if (arg[1].tag != V_FUNCTION)
        fail(E_ARGUMENT, "on_grad(x, f) needs a function f of the adjoint, not %s",
             type_name(arg[1]));
    if (!is_on_tape(arg[0])) {
        note_operand(0, arg[0]);
        hint("hooks go on leaves (attach_grad) and on what is computed from them inside record < "
             "... >");
        fail(E_GRADIENT, "on_grad: this value is not on the tape, so no sweep will reach it");
    }
    tree_map(arg[0], hook_leaf, (void *)&arg[1]);
    return arg[0];
}
