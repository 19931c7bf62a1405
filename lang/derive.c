/* derive(f): the derivative of a function of one number as an expression. The one idea: f is
 * recorded on a few numbers, the steps are read as an expression in its parameter (expr.h), and
 * that is differentiated by the rules of the table. Where the steps are not the same for all
 * numbers, f has a branch or a loop. */
#include "builtins.h"
#include "eval.h"
#include "expr.h"
#include "function.h"
#include "kernels.h"
#include "views.h"
#include <string.h>

typedef struct Reading { uint32_t x; const Expr *variable; } Reading;

static const Expr *read_value(const Reading *r, Value v);

static const Expr *read_node(const Reading *r, uint32_t id) {
    if (id == r->x) return r->variable;
    if (id >= LEAF)
        fail(E_GRADIENT, "derive: the function uses a value that has a gradient slot of its own");
    const Node *n = node_at(id);
    const Expr *arg[3];
    int count = 0;
    Value in[3];
    if (has_extra(n)) {
        for (; count < n->x.extra->count && count < 3; count++) in[count] = n->x.extra->in[count];
        if (node_op(n) == OP_custom)
            fail(E_GRADIENT,
                 "derive: the function has a rule of its own (custom_grad, checkpoint)");
    } else {
        in[count] = node_x(n);
        in[count++].node = n->a;
        if (operations[node_op(n)].arity == 2) in[count] = node_y(n), in[count++].node = n->b;
    }
    check_stack();
    for (int i = 0; i < count; i++) arg[i] = read_value(r, in[i]);
    const Expr *e = expr_call((Op)node_op(n), count, arg);
    if (e) return e;
    hint("grad(f) is the derivative of any function; record < y = f(x) >; adjoint(y) writes it as "
         "a program");
    fail(E_GRADIENT, "derive reads functions of one number, and this one uses %s",
         operation_word(node_op(n)));
}

static const Expr *read_value(const Reading *r, Value v) {
    if (v.node) return read_node(r, v.node);
    if (is_number(v)) return expr_number(num_of(v));
    hint("grad(f) is the derivative of any function");
    fail(E_GRADIENT, "derive reads functions of one number, and this one has arrays inside");
}

typedef struct Recorded { Value f; double at; const char *name; const Expr *e; } Recorded;

static void record_at(void *env) {
    Recorded *r = env;
    Value x = number(r->at);
    Lifted lifted = function_lift(1, &x);
    Value y = call_value(r->f, 1, lifted.x);
    function_stop(&lifted);
    char what[80];
    if (!is_number(y))
        fail(E_GRADIENT, "derive: the function gave %s, not a number",
             describe(y, what, sizeof what));
    Reading reading = { lifted.x[0].node, expr_variable(r->name) };
    r->e = read_value(&reading, y);
    function_end(&lifted, NIL, 0, NULL);
}

/* ---- what has no expression ---- */
static const Ast *find_control(const Ast *node) {
    for (; node; node = node->a) {
        if (node->kind == A_IF || node->kind == A_WHILE || node->kind == A_FOR ||
            node->kind == A_TRY)
            return node;
        const Ast *found = NULL;
        for (uint32_t i = 0; i < node->count && !found; i++) found = find_control(node->kids[i]);
        bool other = node->kind == A_METHOD || node->kind == A_FIELD || node->kind == A_ATTACH;
        if (!found && !other) found = find_control(node->b);
        if (!found) found = find_control(node->c);
        if (found) return found;
    }
    return NULL;
}

static void check_function(Value f) {
    char what[80];
    if (f.tag != V_FUNCTION) {
        if (is_numeric(f) && f.node)
            hint("derive takes the function: derive(x -> x^2); explain(f) is for a recorded value");
        fail(E_GRADIENT, "derive needs a function of one number, not %s",
             describe(f, what, sizeof what));
    }
    if (f.as.function->call != closure_call) return;
    const Fn *fn = ((const Closure *)f.as.function)->fn;
    if (fn->parameter_count < 1 || fn->required > 1)
        fail(E_GRADIENT, "derive needs a function of one number, and this one has %u parameters",
             fn->parameter_count);
    const Ast *control = find_control(fn->body);
    if (!control) return;
    static const char *const words[] = {
        [A_IF] = "`if`", [A_WHILE] = "`while`", [A_FOR] = "`for`", [A_TRY] = "`try`"
    };
    hint("grad(f) is the derivative of any function; record < y = f(x) >; adjoint(y) writes the "
         "path taken");
    fail(E_GRADIENT,
         "derive: a function with control flow has no single expression; line %u has %s",
         place_of(control->span).line, words[control->kind]);
}

static const char *parameter_of(Value f) {
    if (f.as.function->call != closure_call) return "x";
    const Fn *fn = ((const Closure *)f.as.function)->fn;
    return fn->parameters[0].name ? fn->parameters[0].name->text : "x";
}

static const Expr *expression_of(Value f, const char *name) {
    static const double at[] = { 0.7, -0.3, 2.5, 40, -7 };
    const Expr *first = NULL;
    for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
        Recorded r = { f, at[i], name, NULL };
        bool was = rt.recording, training = rt.training;
        record_at(&r);
        rt.recording = was, rt.training = training;
        if (!first) first = r.e;
        if (strcmp(expr_text(first), expr_text(r.e))) {
            hint("grad(f) is the derivative of any function");
            fail(E_GRADIENT,
                 "derive: the function computes something else at %g than at %g, so it has no "
                 "single expression",
                 at[i], at[0]);
        }
    }
    return first;
}

Value builtin_derive(int count, const Value *arg) {
    (void)count;
    check_function(arg[0]);
    const char *name = parameter_of(arg[0]);
    Value text =
        string_format("%s -> %s", name, expr_text(expr_derivative(expression_of(arg[0], name))));
    Buffer b = { 0 };
    buffer_text(&b, text.as.string->text);
    buffer_char(&b, '\n');
    return view_done(&b, text, arg[1]);
}
