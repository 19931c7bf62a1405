/* Checking the table: every row that has a derivative is tried in every way that a row can be
 * wrong. The one idea: a row says by its domain what inputs it likes, and everything else follows:
 * its value on views and f32, its derivative against central differences, the two expansions
 * against each other, forward against reverse, second derivatives in mixed modes. What a row needs
 * besides stands in trials.def. `adl test` runs it; `adl test --ops` prints it. */
#ifndef OPCHECK_H
#define OPCHECK_H
#include "ops.h"

#define OPCHECK_ASPECTS(A)                                                                         \
    A(CHECK_VALUE, "value", "arrays give what single numbers give, or the example runs")           \
    A(CHECK_REVERSE, "reverse", "the reverse sweep agrees with central differences")               \
    A(CHECK_RECORDED, "recorded", "a recorded sweep gives the very same numbers")                  \
    A(CHECK_FORWARD, "forward", "the forward sweep agrees with the reverse sweep")                 \
    A(CHECK_ORDER2, "order 2", "the gradient of the gradient agrees with central differences")     \
    A(CHECK_MIXED, "mixed", "forward over reverse agrees with reverse over reverse")               \
    A(CHECK_BROADCAST, "broadcast", "gradients undo broadcasting")                                 \
    A(CHECK_F32, "f32", "f32 in gives f32 out, and nearly the same gradient")                      \
    A(CHECK_VIEWS, "views", "strided inputs give what contiguous ones give")                       \
    A(CHECK_EMPTY, "empty", "empty arrays have empty gradients, or one clear error")               \
    A(CHECK_NONFINITE, "inf, nan", "values that are not finite come through without a crash")      \
    A(CHECK_KINK, "kinks", "at its kinks both sweeps give the derivative that the conventions say")

typedef enum OpAspect {
#define A(constant, name, about) constant,
    OPCHECK_ASPECTS(A)
#undef A
    OPCHECK_COUNT
} OpAspect;

/* NONE: the row has no such thing; MISSING: it may have, and nothing tries it. */
typedef enum OpVerdict { VERDICT_NONE, VERDICT_PASS, VERDICT_FAIL, VERDICT_MISSING } OpVerdict;

const char *opcheck_name(OpAspect aspect);
/* Tries one aspect of one row; on VERDICT_FAIL, why says what came and what was expected. */
/* Why a row has nothing to try, or NULL. */
const char *opcheck_untried(Op op);
/* The function that a program's text is. Set by whoever knows the language; NULL: programs are not
 * tried. */
extern Value (*opcheck_compile)(const char *program);
OpVerdict opcheck(Op op, OpAspect aspect, char *why, size_t why_bytes);
#endif
