/* Inside the parser: what the files parse*.c share. The one idea: the state
 * knows the innermost open bracket, and that alone decides whether a newline ends a statement and
 * whether `>` closes a record block.
 *
 * After an error the parser is `panicking`: productions return at once with an A_ERROR, and the
 * innermost list of statements skips to where the next one begins. */
#ifndef PARSER_H
#define PARSER_H
#include "lex.h"
#include "parse.h"

typedef enum BracketKind {
    IN_TEXT, IN_BLOCK, IN_ANGLES,                 /* newlines end statements */
    IN_PARENS, IN_SQUARES, IN_STRUCT, IN_PIECE,   /* newlines are spaces */
} BracketKind;

typedef struct Bracket Bracket;
struct Bracket {
    BracketKind kind;
    int depth;
    Token token;              /* the opening sign */
    Token compared;           /* IN_ANGLES: the last `>` directly in it that compared */
    Bracket *outer;
};

typedef struct Parser {
    Source *source;
    Lexer lexer;
    Token token, next;
    uint32_t previous_end;    /* of the token before */
    int nesting, panic_depth;
    bool panicking, stopped, in_function, in_loop;
    Bracket *bracket;
    Token closed_by;          /* the `>` that closed the last record block */
    uint32_t after_angles;    /* its end: an expression does not go on behind it */
    Ast **stack;              /* kids of lists that are not complete yet */
    size_t stack_count, stack_capacity;
    Ast **attached;           /* every A_ATTACH */
    size_t attached_count, attached_capacity;
    struct CNamed *c_types;   /* the structs and enums of `extern` so far */
    String *attach_grad;
    bool attach_assigned;     /* the program gives attach_grad a meaning of its own */
    Parsed parsed;
    int error_capacity, warning_capacity;
} Parser;

/* ---- parse.c: tokens, errors, nodes ---- */
void advance(Parser *p);
bool enter(Parser *p);                 /* one level deeper; false at the limit */
void leave(Parser *p);
bool newlines_count(const Parser *p);
bool on_this_line(const Parser *p);    /* the token does not begin a new line that counts */
bool closes_record(const Parser *p);   /* the token is the `>` of the innermost record block */
bool starts_operand(int kind);
Token peek_behind_next(const Parser *p);

/* Records an error unless one is being recovered from; NULL then. advise() and point_at() take
 * NULL. */
Error *syntax_error(Parser *p, Token where, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
Error *unexpected(Parser *p, const char *expected);
void advise(Error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));
void advise_foreign(Parser *p, Error *error);
void point_at(Parser *p, Error *error, Token where, const char *text);
Token word_ending(const Parser *p, uint32_t end);    /* the name, or nothing, that ends there */
void more_does_not_help(Parser *p);    /* behind an error at the end: not INCOMPLETE */
void warn(Parser *p, Token where, const char *message, const char *advice);

void open_bracket(Parser *p, Bracket *bracket, BracketKind kind);  /* at its token */
void close_bracket(Parser *p, Bracket *bracket, int kind);
bool expect(Parser *p, int kind, const char *expected);
String *expect_name(Parser *p, const char *expected);

Ast *new_node(Parser *p, AstKind kind, uint32_t start, uint32_t end);
/* A node whose span is a sign with operands; `operands` of them are given by push order of
 * span_set. */
Ast *new_sign(Parser *p, AstKind kind, Token sign, uint32_t operands, uint32_t start, uint32_t end);
Ast *error_node(Parser *p);
Ast *finished(Parser *p, Ast *node);   /* computes its depth; an error if it is past MAX_HEIGHT */
void push(Parser *p, Ast *kid);
void take_kids(Parser *p, Ast *node, size_t mark);
Ast *string_constant(Parser *p);       /* at a T_STRING */
void discard(Ast *node);               /* its value is not used */

/* ---- parse_expr.c ---- */
typedef Ast *ReadOperand(Parser *p);                               /* at its first token */
typedef Ast *ReadInfix(Parser *p, Ast *left, uint32_t start);      /* at its sign */
enum { POWER_ANY = 0 };                                            /* whatever binds */
Ast *expression(Parser *p, int power);
Ast *block(Parser *p, const char *after);                          /* at `{` */

/* ---- parse_call.c ---- */
ReadInfix call_expression, dot_expression, index_expression;
void call_arguments(Parser *p);                                    /* at `(`; pushed on the stack */
void argument_list(Parser *p, bool *comma);                        /* in any order */
Token token_of(const Ast *node);                                   /* where it stands */

/* ---- parse_function.c ---- */
ReadOperand parentheses, function_literal, name_or_lambda;
Ast *bare_list(Parser *p, Ast *first, uint32_t start);             /* a, b, c */
Fn *new_function(Parser *p, String *name, uint32_t start);         /* at `(`; with its body */
Ast *to_target(Parser *p, Ast *node);
void note_assigned(Parser *p, String *name);

/* ---- parse_stmt.c ---- */
Ast *statements(Parser *p);            /* up to the end of the innermost bracket */
Ast *if_expression(Parser *p);
Ast *try_expression(Parser *p);
Ast *record_expression(Parser *p);     /* and pause */
#endif
