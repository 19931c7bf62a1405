/* Expressions. The one idea: expression(power) reads an operand and then every sign that binds
 * tighter than `power`; two tables say which small function reads what.
 *
 * Ranges: a node's span is often just its sign (source.h), so each function is given `start`,
 * where the text of its left operand begins; p->previous_end is where it ended. */
#include "parser.h"
#include <stdio.h>
#include <string.h>

/* ---- the tables ---- */

static const uint8_t power_of[TOKEN_COUNT] = {
#define SIGN(token, text, power, op, class) [token] = power,
#define WORD(token, text, power, class) [token] = power,
#include "token.def"
};

static const uint16_t op_of[TOKEN_COUNT] = {
#define SIGN(token, text, power, op, class) [token] = OP_##op,
#include "token.def"
};

enum { POWER_NOT = 8, POWER_COMPARISON = 10, POWER_SIGN = 16, POWER_POSTFIX = 20 };

static ReadOperand number_literal, text_literal, truth_literal, nil_literal, format_literal, prefix,
    array_literal, braces;
static ReadInfix prime, logical, binary;

static ReadOperand *const operand_of[TOKEN_COUNT] = {
    [T_NUMBER] = number_literal,
    [T_STRING] = text_literal,
    [T_STRING_OPEN] = format_literal,
    [T_TRUE] = truth_literal,
    [T_FALSE] = truth_literal,
    [T_NIL] = nil_literal,
    [T_NAME] = name_or_lambda,
    [T_NEW] = name_or_lambda,  /* special only as a whole index item: see item() */
    [T_PAREN_OPEN] = parentheses,
    [T_SQUARE_OPEN] = array_literal,
    [T_BRACE_OPEN] = braces,
    [T_FN] = function_literal,
    [T_MINUS] = prefix,
    [T_PLUS] = prefix,
    [T_NOT] = prefix,
    [T_IF] = if_expression,
    [T_TRY] = try_expression,
    [T_RECORD] = record_expression,
    [T_PAUSE] = record_expression,
};

static ReadInfix *const infix_of[TOKEN_COUNT] = {
    [T_PAREN_OPEN] = call_expression, [T_SQUARE_OPEN] = index_expression, [T_DOT] = dot_expression,
    [T_PRIME] = prime,                [T_AND] = logical,                  [T_OR] = logical,
};

static bool is_comparison(int kind) { return power_of[kind] == POWER_COMPARISON; }

/* ---- the climb ---- */

/* Does the expression go on with the token, as its infix or postfix sign? */
static bool goes_on(const Parser *p, int power) {
    int kind = p->token.kind;
    if (p->panicking || power_of[kind] <= power || p->previous_end == p->after_angles) return false;
    if (on_this_line(p)) return !closes_record(p);
    return kind == T_DOT && (p->next.kind == T_NAME || is_word(p->next.kind));
}

/* "++" or "--" just before, without a space. */
static bool doubled_sign_before(const Parser *p) {
    const char *text = p->source->text;
    uint32_t end = p->previous_end;
    return end > 2 && text[end - 1] == text[end - 2] &&
           (text[end - 1] == '+' || text[end - 1] == '-');
}

/* x++: a sum with something that is missing, or stands in the next line. */
typedef struct Doubled { Token signs; char advice[120]; } Doubled;

static Doubled doubled(const Parser *p) {
    uint32_t end = p->previous_end;
    const char *text = p->source->text, sign = text[end - 1];
    Token name = word_ending(p, end - 2);
    int bytes = name.end - name.start < 30 ? (int)(name.end - name.start) : 0;
    const char *word = bytes ? text + name.start : "x";
    Doubled d = { .signs = { .kind = T_PLUS, .start = end - 2, .end = end } };
    snprintf(d.advice, sizeof d.advice, "write %.*s %c= 1, or %.*s = %.*s %c 1", bytes ? bytes : 1,
             word, sign, bytes ? bytes : 1, word, bytes ? bytes : 1, word, sign);
    return d;
}

static Ast *no_increment(Parser *p) {
    Doubled d = doubled(p);
    const char *text = p->source->text + d.signs.start;
    advise(syntax_error(p, d.signs, "`%.2s` is not adl", text), "%s", d.advice);
    return error_node(p);
}

static void warn_of_increment(Parser *p) {
    Doubled d = doubled(p);
    warn(p, d.signs, "these two signs go on with the next line", d.advice);
}

static Ast *no_operand(Parser *p) {
    Token t = p->token;
    if (doubled_sign_before(p)) return no_increment(p);
    Error *error = unexpected(p, "an expression");
    if (t.kind == T_GREATER && p->previous_end == t.start)
        advise(error, "`<>` is not adl: write `!=`");
    if (t.kind == T_FLOOR_DIVIDE) advise(error, "a comment begins with `#`");
    if (t.kind == T_PRIME) advise(error, "strings stand in double quotes: \"text\"");
    if (t.kind == T_FOR || t.kind == T_WHILE || t.kind == T_RETURN || t.kind == T_IMPORT)
        advise(error, "%s is a statement: it stands on its own", token_text(t.kind));
    if (t.kind == T_ELSE || t.kind == T_CATCH)
        advise(error, "%s follows the `}` of its %s", token_text(t.kind),
               t.kind == T_ELSE ? "`if`" : "`try`");
    return error_node(p);
}

static Ast *operand(Parser *p) {
    ReadOperand *read = operand_of[p->token.kind];
    return p->panicking ? error_node(p) : read ? read(p) : no_operand(p);
}

/* expr: operand { sign expr } */
Ast *expression(Parser *p, int power) {
    uint32_t start = p->token.start;
    if (!enter(p)) return error_node(p);
    Ast *left = operand(p);
    while (goes_on(p, power)) {
        ReadInfix *read = infix_of[p->token.kind];
        left = finished(p, read ? read(p, left, start) : binary(p, left, start));
    }
    leave(p);
    return left;
}

/* ---- operators ---- */

/* A node at a sign with the texts of its operands as operand spans. */
static Ast *two_operands(Parser *p, AstKind kind, Token sign, uint32_t start, uint32_t left_end,
                         uint32_t right_start) {
    Ast *node = new_sign(p, kind, sign, 2, start, p->previous_end);
    span_set(node->span + 1, p->source, start, left_end);
    span_set(node->span + 2, p->source, right_start, p->previous_end);
    node->token = sign.kind;
    return node;
}

/* a < b < c: says how to write it, if the operands are short. */
static void no_chains(Parser *p, Ast *left, Token sign) {
    bool chained =
        left->kind == A_BINARY && is_comparison(left->token) && !(left->flags & AST_PARENS);
    if (!chained || !is_comparison(sign.kind)) return;
    char middle[40];
    span_text(left->span + 2, middle, sizeof middle);
    Error *error = syntax_error(p, sign, "comparisons do not chain");
    advise(error, "write `and`: ... %s and %s %.*s ...", middle, middle,
           (int)(sign.end - sign.start), p->source->text + sign.start);
}

static Ast *binary(Parser *p, Ast *left, uint32_t start) {
    Token sign = p->token;
    uint32_t left_end = p->previous_end;
    bool to_the_right = sign.kind == T_CARET || sign.kind == T_POWER;
    no_chains(p, left, sign);
    if (sign.kind == T_GREATER && p->bracket->kind == IN_ANGLES) p->bracket->compared = sign;
    advance(p);
    uint32_t right_start = p->token.start;
    Ast *right = expression(p, power_of[sign.kind] - to_the_right);
    Ast *node = two_operands(p, A_BINARY, sign, start, left_end, right_start);
    node->op = op_of[sign.kind];
    node->a = left;
    node->b = right;
    node->flags = AST_TEMPORARY;
    return node;
}

static Ast *logical(Parser *p, Ast *left, uint32_t start) {
    Token sign = p->token;
    uint32_t left_end = p->previous_end;
    advance(p);
    uint32_t right_start = p->token.start;
    Ast *right = expression(p, power_of[sign.kind]);
    Ast *node =
        two_operands(p, sign.kind == T_AND ? A_AND : A_OR, sign, start, left_end, right_start);
    node->a = left;
    node->b = right;
    return node;
}

static Ast *one_operand(Parser *p, Token sign, Ast *a, uint32_t start, uint32_t end,
                        uint32_t whole_start) {
    Ast *node = new_sign(p, A_UNARY, sign, 1, whole_start, p->previous_end);
    span_set(node->span + 1, p->source, start, end);
    node->token = sign.kind;
    node->a = a;
    node->flags = sign.kind == T_PLUS ? a->flags & AST_TEMPORARY : AST_TEMPORARY;
    return finished(p, node);
}

/* prefix: ('-' | '+' | 'not') expr */
static Ast *prefix(Parser *p) {
    Token sign = p->token;
    advance(p);
    if (p->token.newline && doubled_sign_before(p)) warn_of_increment(p);
    uint32_t start = p->token.start;
    Ast *a = expression(p, sign.kind == T_NOT ? POWER_NOT : POWER_SIGN);
    Ast *node = one_operand(p, sign, a, start, p->previous_end, sign.start);
    node->op = sign.kind == T_MINUS ? OP_neg : OP_NONE;
    return node;
}

static Ast *prime(Parser *p, Ast *left, uint32_t start) {
    Token sign = p->token;
    uint32_t end = p->previous_end;
    advance(p);
    return one_operand(p, sign, left, start, end, start);
}

/* ---- literals ---- */

static Ast *constant(Parser *p, Value v) {
    Ast *node = new_node(p, A_CONSTANT, p->token.start, p->token.end);
    node->value = v;
    advance(p);
    return node;
}

static Ast *number_literal(Parser *p) {
    double value = lex_number(p->source->text, p->token);
    if (value - value != 0)
        advise(syntax_error(p, p->token, "this number is larger than the largest, 1.797e308"),
               "write `inf`");
    return constant(p, number(value));
}

static Ast *truth_literal(Parser *p) { return constant(p, boolean(p->token.kind == T_TRUE)); }
static Ast *nil_literal(Parser *p) { return constant(p, NIL); }
static Ast *text_literal(Parser *p) { return string_constant(p); }

/* piece: '{' expr [':' format] '}' */
static Ast *piece(Parser *p) {
    Bracket bracket;
    uint32_t start = p->token.start;
    open_bracket(p, &bracket, IN_PIECE);
    advance(p);
    Ast *value = expression(p, POWER_ANY);
    String *format = NULL;
    if (!p->panicking && p->token.kind == T_FORMAT) {
        format = symbol(p->source->text + p->token.start + 1, p->token.end - p->token.start - 1u);
        advance(p);
    }
    close_bracket(p, &bracket, T_PIECE_CLOSE);
    Ast *node = new_node(p, A_PIECE, start, p->previous_end);
    node->a = value;
    node->name = format;
    return finished(p, node);
}

/* format: 'f"' { text | piece } '"' */
static Ast *format_literal(Parser *p) {
    uint32_t start = p->token.start;
    size_t mark = p->stack_count;
    advance(p);
    while (!p->panicking && (p->token.kind == T_TEXT || p->token.kind == T_PIECE_OPEN))
        push(p, p->token.kind == T_TEXT ? string_constant(p) : piece(p));
    expect(p, T_STRING_CLOSE, "the end of the string");
    Ast *node = new_node(p, A_FORMAT, start, p->previous_end);
    take_kids(p, node, mark);
    return finished(p, node);
}

/* array: '[' [expr {',' expr} [',']] ']' */
static Ast *array_literal(Parser *p) {
    Bracket bracket;
    uint32_t start = p->token.start;
    size_t mark = p->stack_count;
    open_bracket(p, &bracket, IN_SQUARES);
    advance(p);
    while (!p->panicking && p->token.kind != T_SQUARE_CLOSE) {
        push(p, expression(p, POWER_ANY));
        if (p->panicking || p->token.kind != T_COMMA) break;
        advance(p);
    }
    close_bracket(p, &bracket, T_SQUARE_CLOSE);
    Ast *node = new_node(p, A_ARRAY, start, p->previous_end);
    take_kids(p, node, mark);
    node->flags = AST_TEMPORARY;
    return finished(p, node);
}

/* ---- blocks and structs ---- */

static Ast *no_block(Parser *p, const char *expected) {
    Token t = p->token, line_end = { .start = p->previous_end, .end = p->previous_end + 1 };
    if (p->panicking) return error_node(p);
    Error *error = t.newline ? syntax_error(p, line_end, "expected %s, on the same line", expected)
                             : unexpected(p, expected);
    more_does_not_help(p);
    if (t.kind == T_ASSIGN) advise(error, "`=` assigns; `==` compares");
    advise(error, "a block stands in braces: { ... }");
    return error_node(p);
}

/* block: '{' statements '}' */
Ast *block(Parser *p, const char *after) {
    Bracket bracket;
    char expected[64];
    snprintf(expected, sizeof expected, "`{` after %s", after);
    if (p->panicking || p->token.kind != T_BRACE_OPEN || !on_this_line(p))
        return no_block(p, expected);
    uint32_t start = p->token.start;
    open_bracket(p, &bracket, IN_BLOCK);
    advance(p);
    Ast *body = statements(p);
    close_bracket(p, &bracket, T_BRACE_CLOSE);
    span_set(body->span, p->source, start, p->previous_end);
    return body;
}

/* field: (name | string) ':' expr */
static Ast *field(Parser *p) {
    Token t = p->token, bad;
    String *key = NULL;
    if (t.kind == T_NAME || is_word(t.kind)) key = lex_symbol(p->source->text, t);
    else if (t.kind == T_STRING) key = lex_string(p->source->text, t, &bad);
    if (!key) unexpected(p, "the name of a field");
    else advance(p);
    if (expect(p, T_COLON, "`:` after the name of a field") == false) return error_node(p);
    Ast *value = expression(p, POWER_ANY);
    Ast *node = new_node(p, A_NAMED, t.start, p->previous_end);
    node->name = key;
    node->a = value;
    return finished(p, node);
}

/* struct: '{' [field {',' field} [',']] '}' */
static Ast *struct_literal(Parser *p) {
    Bracket bracket;
    uint32_t start = p->token.start;
    size_t mark = p->stack_count;
    open_bracket(p, &bracket, IN_STRUCT);
    advance(p);
    while (!p->panicking && p->token.kind != T_BRACE_CLOSE) {
        push(p, field(p));
        if (p->panicking || p->token.kind != T_COMMA) break;
        advance(p);
    }
    close_bracket(p, &bracket, T_BRACE_CLOSE);
    Ast *node = new_node(p, A_STRUCT, start, p->previous_end);
    take_kids(p, node, mark);
    node->flags = AST_TEMPORARY;
    return finished(p, node);
}

/* At an operand's `{`: a struct if `}` or `name :` or `"text" :` follows, else a block. */
static Ast *braces(Parser *p) {
    int kind = p->next.kind;
    bool key = kind == T_NAME || kind == T_STRING || is_word(kind);
    if (kind == T_BRACE_CLOSE || (key && peek_behind_next(p).kind == T_COLON))
        return struct_literal(p);
    return block(p, "");
}
