/* Cuts: where the text of a program stops a gradient without leaving anything on the tape. The one
 * idea: follow a name through the assignments of the text, in order; what is computed from it
 * through detach, in a pause, outside record, by a flat function, before attach_grad or through a
 * second one is not connected to it, and the place says why.
 *
 * It reads names, not values: a function's parameters and its caller's variables are told apart
 * only by their names. So views ask it where the tape has no answer, and say "on line n", where a
 * reader looks. At the prompt the text is all that was typed so far. */
#ifndef CUTS_H
#define CUTS_H
#include "ast.h"

typedef enum CutKind { 
    CUT_DETACH, CUT_PAUSE, CUT_OUTSIDE, CUT_FLAT, CUT_ATTACHED,
    CUT_LEAF,               /* attach_grad of a value on the way makes it a leaf */
} CutKind;

typedef struct Cut {
    CutKind kind;
    const Ast *node;        /* the detach call, the assignment, the flat call */
    Span at;                /* of the node; of CUT_ATTACHED, where `to` was computed */
    String *from, *to;      /* the name that goes in; the one that is assigned */
    const char *by;         /* of CUT_FLAT: "floor", "a comparison" */
} Cut;

/* All cuts of names that are computed from `name` in this source, in order of the text; in the
 * pool. */
const Cut *cuts_of(const Source *source, const String *name, size_t *count);
/* Does the text read any name computed from `name`, uncut, to compute `result`? */
bool text_connects(const Source *source, const String *name, const String *result);
/* The same, cut or not. */
bool text_reaches(const Source *source, const String *name, const String *result);
#endif
