/* What the two parts of adjoint(f) share: the program that is being written. */
#ifndef ADJOINT_PARTS_H
#define ADJOINT_PARTS_H
#include "kernels.h"
#include "spell.h"
#include "views.h"

#define TEXT(...) string_format(__VA_ARGS__).as.string->text

typedef struct Program {
    Wengert *w;
    Buffer b;
    Speller speller;
    const char **step, **leaf;          /* names */
    const char **step_bar, **leaf_bar;  /* names of their adjoints, NULL: nothing has come yet */
    const char ***part_bar;             /* of a step with several results: by part */
    const char **used;                  /* all names */
    size_t used_count;
    const Array **constant;             /* arrays that have a name: c1 */
    const char **constant_name;
    size_t constants, constant_room;
    Buffer constant_lines;
} Program;

/* ---- adjoint_view.c ---- */
/* A constant as a literal, or by the name of a line that holds it. */
const char *adjoint_constant(Program *p, Value v);

/* ---- adjoint_term.c ---- */
Word *adjoint_words(Program *p, uint32_t step);     /* of its inputs */
const Attr *adjoint_attr(const Wengert *w, uint32_t step);
_Noreturn void adjoint_fail(const Program *p, uint32_t step);
/* What the step hands to its k-th input when its adjoint is called g; "": nothing. */
const char *adjoint_term(Program *p, uint32_t step, int k, const char *g);
/* The same by a vjp of this one operation. */
const char *adjoint_vjp(Program *p, uint32_t step, int k, const char *g);
#endif
