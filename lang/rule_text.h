/* The rules of differentiation in the names of a program, for the views. The one idea: nobody types
 * them a second time. An elementwise row's rule is a text already; any other rule is run on the
 * very values of a step while recording, and what it recorded is printed as an expression.
 * (doc_rule.h has the rules for the manual, by the name of an operation alone.)
 *
 *     rule_derivative(OP_mul, 0, "w", "x", "y")       "x"
 *     rule_derivative(OP_tanh, 0, "a", "", "h")       "1 - h^2"
 *
 * Texts belong to the pool. Nothing stays on the tape, and nothing fails. */
#ifndef RULE_TEXT_H
#define RULE_TEXT_H
#include "ops.h"

/* The derivative of an elementwise row by its input `which`, in these names for x, y and the result
 * r; a name may itself be an expression. Of a selection: its weights in words. */
const char *rule_derivative(Op op, int which, const char *x, const char *y, const char *r);

/* What a ROW's rule gives to in[which] at these values, in these names; g: the adjoint of the
 * result.
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
