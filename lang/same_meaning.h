/* The proof behind adl fmt. The one idea: what was written is read again, and has to give the same
 * tokens and comments in the same order, and the same tree, before it may take the place of what
 * the user wrote. */
#ifndef SAME_MEANING_H
#define SAME_MEANING_H
#include "source.h"

/* Does `text` mean what the source does, whose tree is `program`? */
bool same_meaning(const Source *source, const struct Ast *program, const char *text);
#endif
