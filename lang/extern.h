/* `extern` between the parser, which reads declarations, and the evaluator, which loads the library
 * and gives the names their values. */
#ifndef EXTERN_H
#define EXTERN_H
#include "ffi_call.h"
#include "parser.h"

typedef enum DeclarationKind {
    DECLARE_FUNCTION,
    DECLARE_VARIABLE,
    DECLARE_NUMBER,
    DECLARE_STRUCT
} DeclarationKind;

/* What an A_EXTERN_FN declares, in its `cache`. */
typedef struct Declaration {
    DeclarationKind kind;
    CSignature *signature;     /* of a function, and of a struct's */
    String *symbol, *free;     /* of a variable; type NULL: `data`, its address */
    CType *type;
    double number;             /* of an enum's name */
} Declaration;

/* The candidates that an A_EXTERN names, in its `cache`: none is the program itself. */
typedef struct Library { int count; String *name[16]; } Library;

Ast *extern_statement(Parser *p);   /* at `extern` */

/* ---- parse_ctype.c ---- */
bool at_word(const Parser *p, const char *word);
/* The word, if something of this kind follows: otherwise it is a name like any other. */
bool take_word(Parser *p, const char *word, int kind, int or_kind);
String *any_name(Parser *p, const char *expected);   /* also on a line of its own */
CType *new_type(Parser *p, CKind kind);
CType *number_type(Parser *p, const CNumber *number);
CType *extern_type(Parser *p);
/* From here on `name` is a type: a struct or enum. */
void know_type(Parser *p, String *name, CType *type);
CSignature *parameters(Parser *p, bool of_callback);
/* Of s->result, read at `where`, when the parameters are known. */
void check_result(Parser *p, CSignature *s, Token where);
#endif
