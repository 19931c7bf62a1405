/* The rules of differentiation as text. The one idea: nobody types them a second time. An elementwise
 * row's rule is a text already; any other rule is run on named inputs while recording, and what it
 * recorded is printed as an expression.
 *
 *     rule_text(OP_tanh)      "derivative by x: 1 - tanh(x)^2\n"
 *     rule_text(OP_matmul)    "to x: g @ y'\nto y: x' @ g\n"     g: the adjoint of the result
 *     rule_text(OP_maximum)   "derivative by x: 1 where x > y, 0.5 where x = y, 0 where x < y\n ..."
 *
 * Texts belong to the pool. Nothing stays on the tape, and nothing fails: a rule that cannot be run
 * without more inputs has the text "". */
#ifndef RULE_TEXT_H
#define RULE_TEXT_H
#include "ops.h"

/* All lines of an operation's rule, each ending in a newline; "" if it has none to show. */
const char *rule_text(Op op);

/* The derivative of an elementwise row by its input `which`, in these names for x, y and the result r;
 * a name may itself be an expression. Of a selection: its weights in words. */
const char *rule_derivative(Op op, int which, const char *x, const char *y, const char *r);

/* What a ROW's rule gives to in[which] at these values, in these names; g: the adjoint of the result.
 * "": it gives nothing, or its text would have more than a few operations. */
typedef struct RuleCall {
    Op op;
    int count, which;
    const Value *in;
    Value r;
    const Attr *attr;
    const char *const *name;        /* of each input */
    const char *g_name, *r_name;
} RuleCall;
const char *rule_contribution(const RuleCall *call);

/* How a call of the operation is written: "x * y", "tanh(x)", "sum(x)". */
const char *operation_text(Op op, int count, const char *const *name);
#endif
