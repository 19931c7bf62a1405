/* The syntax tree. The one idea: one small node type; `eval`, `run` and `test` are chosen by kind
 * and by the kinds of its operands (eval_choose.c), so that evaluating is one indirect call per
 * node and no switch.
 *
 * Nodes live in the arena of their Source and are never freed one by one. Names are symbols
 * (value.h). parse.c makes the tree and spans, scope.c turns names into slots,
 * eval_choose.c sets `eval`.
 *
 * Conventions:
 *   strings in the tree are symbols, so a constant string lives as long as the process;
 *   A_METHOD and A_FIELD look for a *function* called `name`: `scope` and `slot` are the nearest
 *     variable of that name, `b` is an A_NAME for the next one farther out (and so on by its own
 *     `b`); the chain ends with a global, behind which stands the library;
 *   A_ATTACH: `b` is a node that also stands inside `a` (its first argument or its receiver). A
 *     place is an A_NAME, or an A_FIELD or A_INDEX whose innermost `a` is an A_NAME;
 *   AST_STATEMENT stands on every expression whose value is thrown away. The last statement of a
 *     program, of a function's body and of a block that is used as a value does not have it; their
 *     A_BLOCK has AST_VALUE;
 *   a destructuring parameter has a hidden local (called by its text, "(i, v)") for the argument;
 *   A_IMPORT: token T_NAME for `import nn`, T_STRING for a path;
 *   A_EXTERN and A_EXTERN_FN have in `cache` what extern.h says. */
#ifndef AST_H
#define AST_H
#include "ops.h"
#include <stdio.h>

typedef struct Ast Ast;
typedef struct Source Source;
typedef struct Frame Frame;
typedef struct Fn Fn;
typedef Value Eval(Ast *node, Frame *frame);
/* A statement: true if its end has to be looked at, because the flow may be off or the tape has
 * something to reclaim. */
typedef bool Perform(Ast *node, Frame *frame);
typedef bool Test(Ast *node, Frame *frame);  /* a condition: does it hold? */

/* What takes no evaluating: a number, or a variable by its table in the frame and its offset
 * there. */
typedef union Near { double number; struct { uint32_t table, offset; } variable; } Near;

/*     kind           fields                                                                      */
#define AST_KINDS(K)                                                                               \
    K(A_CONSTANT)  /* value: number, string, true, false, nil */ \
    K(A_NAME)      /* name, scope, slot */ \
    K(A_UNARY)     /* op (OP_neg ...), a; token T_NOT: `not`; T_PLUS: unary plus; T_PRIME: x' */ \
    K(A_BINARY)    /* op, token, a, b */ \
    K(A_AND)       /* a, b */ \
    K(A_OR)        /* a, b */ \
    K(A_CALL)      /* a = callee, kids = arguments (A_NAMED, A_SPREAD or plain) */ \
    K(A_METHOD)    /* a.name(kids): a struct's field, or call of name with a first; b: above */ \
    K(A_NAMED)     /* name = a, an argument; or a field of a struct literal */ \
    K(A_SPREAD)    /* *a, an argument */ \
    K(A_INDEX)     /* a[kids]; kids are A_SLICE, A_NEW, A_ELLIPSIS or expressions */ \
    K(A_SLICE)     /* a : b : c, each may be NULL */ \
    K(A_NEW)       /* `new` as an index item */ \
    K(A_ELLIPSIS)  /* `...` as an index item */ \
    K(A_FIELD)     /* a.name; b: see above */ \
    K(A_ARRAY)     /* [kids] */ \
    K(A_LIST)      /* (kids) */ \
    K(A_STRUCT)    /* {kids}, each A_NAMED */ \
    K(A_FORMAT)    /* f"...": kids are A_CONSTANT texts and A_PIECE */ \
    K(A_PIECE)     /* {a:format}; name = the format text or NULL */ \
    K(A_LAMBDA)    /* fn */ \
    K(A_FN)        /* fn name(...) {...} as a statement: fn, name, scope, slot */ \
    K(A_ASSIGN)    /* a = target, b = value; op != OP_NONE for `op=` */ \
    K(A_TARGETS)   /* a list of targets: kids */ \
    K(A_BLOCK)     /* kids: statements; flag VALUE if the last one gives the block's value */ \
    K(A_IF)        /* a = condition, b = then, c = else or NULL */ \
    K(A_WHILE)     /* a = condition, b = body */ \
    K(A_FOR)       /* a = target, b = sequence, c = body */ \
    K(A_BREAK)                                                                                     \
    K(A_CONTINUE)                                                                                  \
    K(A_RETURN)    /* a or NULL */ \
    K(A_RECORD)    /* b = body, kids = options (A_NAMED) */ \
    K(A_PAUSE)     /* b = body */ \
    K(A_TRY)       /* a = body, b = handler, name/scope/slot = the error's variable */ \
    K(A_IMPORT)    /* name = variable; value = text of the path or module; scope, slot */ \
    K(A_EXTERN)    /* kids = A_EXTERN_FN; cache */ \
    K(A_EXTERN_FN) /* name, value = the declaration's text, scope, slot; cache */ \
    K(A_ATTACH)    /* attach_grad(place, ...): a = the call, b = the place it is stored back to */ \
    K(A_ERROR)     /* where the parser recovered */

typedef enum AstKind {
#define K(kind) kind,
    AST_KINDS(K)
#undef K
    AST_KIND_COUNT
} AstKind;

enum {
    AST_VALUE = 1,      /* A_BLOCK: the last statement is an expression and is the block's value */
    AST_QUIET = 2,      /* a statement that ended in `;`: the prompt does not show its value */
    AST_STATEMENT = 4,  /* stands as a statement, its value is not used */
    AST_PIN = 8,        /* A_NAME: may be assigned before this value is used: keep it in the pool */
    AST_BRACES = 16,    /* A_RECORD, A_PAUSE written with braces (for fmt) */
    AST_PARENS = 32,    /* written inside ( ) (for fmt and for "standing as a statement") */
    AST_DEFERS = 128,   /* its parent takes a value that is not yet computed (fuse.h) */
    AST_TEMPORARY = 64, /* its value is a fresh temporary nobody else names: operators, calls */
};

typedef enum Scope {
    S_LOCAL,      /* frame->variables[S_LOCAL][slot] */
    S_GLOBAL,     /* frame->variables[S_GLOBAL][slot]; V_UNSET falls back to the library */
    S_CELL,       /* frame->cells[slot]->value: captured by, or from, another function */
} Scope;

struct Ast {
    Eval *eval;                /* the value of an expression; of a statement, nil */
    Perform *run;
    Test *test;
    uint8_t kind, scope, flags, token;   /* token: a TokenKind (lex.h) */
    uint16_t op, depth;        /* depth: height of the tree below (saturates) */
    uint32_t slot, count;      /* count of kids */
    Span span;                 /* a span with operands: see source.h */
    Ast *a, *b, *c;
    Ast **kids;
    Value value;
    String *name;
    Fn *fn;
    void *cache;               /* for eval.c: a method, a builtin; of extern: its declaration */
    Near near[2];              /* for eval.c: a name; operands; x and i of x[i]; a target */
};

/* A function's code. */
typedef struct Parameter {
    String *name;
    Ast *default_value;
    Ast *pattern;              /* of a destructuring parameter (A_TARGETS), else NULL */
    uint32_t slot;
    uint8_t scope;
    Span span;
} Parameter;
struct Fn {
    String *name;              /* NULL: lambda */
    String *doc;               /* the ## lines above it, or NULL */
    Parameter *parameters;
    uint32_t parameter_count, required;
    bool collects;             /* the last parameter is *rest */
    Ast *body;                 /* A_BLOCK or an expression */
    Fn *outer;
    Span span;                 /* its head, for signatures and "defined at" */
    /* filled by scope.c */
    uint32_t local_count;      /* slots of frame->variables[S_LOCAL] */
    uint32_t cell_count;       /* frame->cells: captured ones, then own ones that others capture */
    uint32_t captured_count;
    uint32_t *captured;        /* index in the outer function's cells */
    String **local_names;      /* for messages and completion, by slot */
    String **cell_names;
    Span *local_assigned;      /* where each is assigned first, for "line 7 assigns it" */
    Span *cell_assigned;
    /* filled by call.c */
    bool lean;                 /* parameter i is local i, nothing is captured, nothing collected */
    struct Signature *signature;
};

Ast *ast_new(Source *source, AstKind kind, Span span);
const char *ast_kind_name(int kind);         /* "A_BINARY" */
bool ast_is_expression(const Ast *node);     /* has a value when it stands as a statement */
bool ast_is_place(const Ast *node);          /* a name, or a field or element of one */
const Ast *ast_place_root(const Ast *node);  /* the A_NAME of a place */
/* Walks the statements of a program by the lines they begin on: begin with {0}; false at the end.
 * A group is what begins on line `from`; it owns the lines before `to`, the last group those
 * before `end`. Its block is a program of its own. */
typedef struct AstGroup { Ast block; uint32_t from, to, next; } AstGroup;
bool ast_next_group(const Ast *program, uint32_t end, AstGroup *group);
/* An s-expression on one line, for tests: (add x (call f 1)). */
void ast_print(FILE *out, const Ast *node);
#endif
