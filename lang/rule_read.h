/* The text of a rule as a tree. The one idea: an elementwise row says its derivative in function
 * calls, "mul(g, cos(x))" in ops.def's words, and whoever writes, differentiates or explains it
 * walks the same terms.
 *
 *     rule_read("mul(r, 0.5)")      a call of OP_mul with the input r and the number 0.5
 *
 * Terms belong to the pool and point into the text, which has to outlive them. */
#ifndef RULE_READ_H
#define RULE_READ_H
#include "ops.h"

typedef enum RuleKind { RULE_NUMBER, RULE_INPUT, RULE_CALL } RuleKind;
enum { MOST_RULE_PARTS = 4 };
typedef struct RuleTerm RuleTerm;
struct RuleTerm {
    RuleKind kind;
    const char *text;           /* the number, the input's name or the function's, as it stands */
    size_t bytes;
    double number;
    char input;                 /* 'x', 'y' or 'r' */
    Op op;                      /* OP_NONE: no operation of that name */
    int count;
    const RuleTerm *part[MOST_RULE_PARTS];
};

const RuleTerm *rule_read(const char *text);
#endif
