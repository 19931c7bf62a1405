/* Spelling: a recorded operation with all its settings as adl text that computes it again. The one
 * idea: what stands on the tape was once a call of the language, or is made of some; whoever prints
 * programs (adjoint) asks here for the expression, and for literals that read back exactly.
 *
 * Texts belong to the pool. */
#ifndef SPELL_H
#define SPELL_H
#include "text.h"

/* Lines that have to stand before an expression, as in `t1 = zeros(3)` and `t1[0] = g`. */
typedef struct Speller {
    Buffer *lines;
    int indent, temporaries;
    int64_t elements;           /* in literals so far */
} Speller;
enum { MOST_LITERAL_ELEMENTS = 100000 };

/* An operand: how it is called, and its value. */
typedef struct Word { const char *text; Value value; } Word;

/* The expression of the operation on these operands, its result r; NULL: the language has no word
 * for it. */
const char *spell(Speller *s, Op op, int count, const Word *in, const Attr *attr, Value r);
/* A literal that reads back as exactly this value; arrays of f32 and empty ones, too. E_LIMIT if
 * all literals together have more elements than a program should hold. */
const char *spell_value(Speller *s, Value v);
/* The expression, of the shape of `from`, summed to the shape and dtype of `to`: broadcasting
 * undone. */
const char *spell_sum_to(const char *text, Value from, Value to);
/* The derivative of an elementwise row by its input `which` in these words, exactly as its row has
 * it. */
const char *rule_spelled(Op op, int which, const char *x, const char *y, const char *r);
/* A name for an expression on a line of its own: t1. */
const char *spell_temporary(Speller *s, const char *expression);
/* The expression in brackets where an operator is to follow or stand before it. */
const char *spell_operand(const char *text);
#endif
