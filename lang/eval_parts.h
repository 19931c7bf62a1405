/* What each kind of expression runs, between eval.c, eval_index.c and eval_choose.c; and of
 * assignments, between assign.c and append.c. */
#ifndef EVAL_PARTS_H
#define EVAL_PARTS_H
#include "eval.h"

Eval eval_variable, eval_cell, eval_pinned, eval_constant, eval_array, eval_list, eval_struct,
    eval_format, eval_test, eval_negate, eval_plus, eval_transpose, eval_binary, eval_index;
Eval *choose_append(Ast *node);    /* for x = append(x, v); NULL: it is not that */
void assign_one(Ast *node, Frame *frame);
Test test_any, test_and, test_or, test_not;
#endif
