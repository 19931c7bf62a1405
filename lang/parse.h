/* The parser. The one idea: precedence climbing over token.def's binding powers, one small
 * function per production, and an answer a prompt can use: OK, INCOMPLETE (more text may mend it)
 * or ERROR.
 *
 * It goes on after an error where it can, so that an editor sees all of them; it never recurses
 * deeper than MAX_NESTING and never fails() but for memory: errors come back as values. */
#ifndef PARSE_H
#define PARSE_H
#include "ast.h"
#include "source.h"

/* MAX_HEIGHT: of a tree, as in a sum of so many terms, which needs no nesting to parse. */
enum { MAX_NESTING = 2000, MAX_HEIGHT = 20000, MAX_PARSE_ERRORS = 20 };
typedef enum ParseStatus { PARSE_OK, PARSE_INCOMPLETE, PARSE_ERROR } ParseStatus;

typedef struct Parsed {
    ParseStatus status;
    Ast *program;             /* A_BLOCK, also after errors (with A_ERROR in it) */
    int errors, warnings;     /* error[0] says what to add when INCOMPLETE */
    Error *error, *warning;
} Parsed;
Parsed parse(Source *source);

/* Resolves the program's names for running in a module whose global names are in `globals`. Adds
 * slots to it for new names. false: *error says why. */
typedef struct Names { String **name; size_t count, capacity; Span *assigned; } Names;
uint32_t names_add(Names *names, String *name);    /* the number of a name that is not there yet */
void names_free(Names *names);
bool resolve(Ast *program, Names *globals, uint32_t *top_locals, Error *error);
#endif
