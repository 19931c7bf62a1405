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
CType *extern_type(Parser *p);
#endif
