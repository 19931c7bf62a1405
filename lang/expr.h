/* Expressions in one variable, kept in a normal form. The one idea: sums collect like terms and
 * products collect like factors as they are made, so nothing has to be simplified afterwards; two
 * expressions are the same if they print the same.
 *
 * Expressions live in the pool. */
#ifndef EXPR_H
#define EXPR_H
#include "ops.h"

typedef struct Expr Expr;
const Expr *expr_number(double x);
const Expr *expr_variable(const char *name);
/* The operation on these arguments: arithmetic goes into the normal form, constants are computed.
 * NULL: it is no operation on single numbers. */
const Expr *expr_call(Op op, int count, const Expr *const *arg);
/* The derivative of `e` by its variable, by the rules of the table. */
const Expr *expr_derivative(const Expr *e);
/* As adl text that reads back as it. E_LIMIT if it is too long to be read. */
const char *expr_text(const Expr *e);
#endif
