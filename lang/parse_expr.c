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

enum { POWER_ANY = 0, POWER_NOT = 8, POWER_COMPARISON = 10, POWER_SIGN = 16, POWER_POSTFIX = 20 };

typedef Ast *Operand(Parser *p);
typedef Ast *Infix(Parser *p, Ast *left, uint32_t start);
static Operand number_literal, text_literal, truth_literal, nil_literal, name, format_literal,
    prefix, parentheses, array_literal, braces, function_literal;
static Infix call, index_, dot, prime, logical, binary;

static Operand *const operand_of[TOKEN_COUNT] = {
    [T_NUMBER] = number_literal,
    [T_STRING] = text_literal,
    [T_STRING_OPEN] = format_literal,
    [T_TRUE] = truth_literal,
    [T_FALSE] = truth_literal,
    [T_NIL] = nil_literal,
    [T_NAME] = name,
    [T_NEW] = name,  /* special only as a whole index item: see item() */
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

static Infix *const infix_of[TOKEN_COUNT] = {
    [T_PAREN_OPEN] = call, [T_SQUARE_OPEN] = index_, [T_DOT] = dot,
    [T_PRIME] = prime,     [T_AND] = logical,        [T_OR] = logical,
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
    Operand *read = operand_of[p->token.kind];
    return p->panicking ? error_node(p) : read ? read(p) : no_operand(p);
}

/* expr: operand { sign expr } */
Ast *expression(Parser *p, int power) {
    uint32_t start = p->token.start;
    if (!enter(p)) return error_node(p);
    Ast *left = operand(p);
    while (goes_on(p, power)) {
        Infix *read = infix_of[p->token.kind];
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

/* ---- parentheses, lists, functions ---- */

/* argument: '*' expr | name '=' expr | expr */
static Ast *argument(Parser *p) {
    Token t = p->token;
    if (t.kind == T_STAR) {
        advance(p);
        Ast *value = expression(p, POWER_ANY);
        Ast *node = new_node(p, A_SPREAD, t.start, p->previous_end);
        node->a = value;
        return finished(p, node);
    }
    if (p->next.kind != T_ASSIGN || !(t.kind == T_NAME || is_word(t.kind)))
        return expression(p, POWER_ANY);
    advance(p);
    advance(p);
    Ast *value = expression(p, POWER_ANY);
    Ast *node = new_node(p, A_NAMED, t.start, p->previous_end);
    node->name = lex_symbol(p->source->text, t);
    node->a = value;
    return finished(p, node);
}

/* arguments: '(' [argument {',' argument} [',']] ')'; leaves *comma true if a comma stood at the
 * end */
static void argument_list(Parser *p, bool *comma) {
    Bracket bracket;
    *comma = false;
    open_bracket(p, &bracket, IN_PARENS);
    advance(p);
    while (!p->panicking && p->token.kind != T_PAREN_CLOSE) {
        push(p, argument(p));
        *comma = !p->panicking && p->token.kind == T_COMMA;
        if (!*comma) break;
        advance(p);
    }
    close_bracket(p, &bracket, T_PAREN_CLOSE);
}

static Token token_of(const Ast *node) {
    Token t = { .kind = T_NAME };
    span_bounds(node->span, &t.start, &t.end);
    return t;
}

/* Positional arguments stand before named ones. */
static void arguments_in_order(Parser *p, size_t mark) {
    bool named = false;
    for (size_t i = mark; i < p->stack_count && !p->panicking; i++) {
        Ast *kid = p->stack[i];
        if (kid->kind != A_NAMED && named)
            syntax_error(p, token_of(kid), "a positional argument follows a named one");
        named |= kid->kind == A_NAMED;
    }
}

void call_arguments(Parser *p) {
    bool comma;
    size_t mark = p->stack_count;
    argument_list(p, &comma);
    arguments_in_order(p, mark);
}

static void list_items_only(Parser *p, size_t mark) {
    for (size_t i = mark; i < p->stack_count && !p->panicking; i++) {
        Ast *kid = p->stack[i];
        if (kid->kind == A_NAMED)
            advise(syntax_error(p, token_of(kid), "`=` has no meaning inside these parentheses"),
                   "`==` compares; a struct is written {%s: ...}", kid->name->text);
        else if (kid->kind == A_SPREAD)
            advise(syntax_error(p, token_of(kid),
                                "`*` spreads a list only among the arguments of a call"),
                   "lists are joined by concat(a, b)");
    }
}

void note_assigned(Parser *p, String *assigned) {
    if (assigned == p->attach_grad) p->attach_assigned = true;
}

static Ast *lambda(Parser *p, size_t mark, uint32_t start);

/* parens: '(' expr ')' | '(' [expr ',' {expr ','} [expr]] ')' | '(' parameters ')' '->' expr */
static Ast *parentheses(Parser *p) {
    bool comma;
    uint32_t start = p->token.start;
    size_t mark = p->stack_count;
    argument_list(p, &comma);
    if (!p->panicking && p->token.kind == T_ARROW && on_this_line(p)) return lambda(p, mark, start);
    list_items_only(p, mark);
    if (p->stack_count == mark + 1 && !comma) {
        Ast *only = p->stack[--p->stack_count];
        only->flags |= AST_PARENS;
        return only;
    }
    Ast *node = new_node(p, A_LIST, start, p->previous_end);
    take_kids(p, node, mark);
    node->flags = AST_PARENS | AST_TEMPORARY;
    return finished(p, node);
}

Ast *bare_list(Parser *p, Ast *first, uint32_t start) {
    size_t mark = p->stack_count;
    push(p, first);
    while (!p->panicking && p->token.kind == T_COMMA && on_this_line(p)) {
        advance(p);
        if (p->token.kind != T_END && !starts_operand(p->token.kind)) break;
        push(p, expression(p, POWER_ANY));
    }
    Ast *node = new_node(p, A_LIST, start, p->previous_end);
    take_kids(p, node, mark);
    node->flags = AST_TEMPORARY;
    return finished(p, node);
}

/* One parameter out of what argument() read: name, name = default, *rest, (a, b). */
static bool to_parameter(Parser *p, Ast *node, Parameter *parameter) {
    Token t = token_of(node);
    Ast *named = node->kind == A_SPREAD ? node->a : node;
    parameter->span = named->span;
    if (named->kind == A_NAME) parameter->name = named->name;
    else if (named->kind == A_NAMED) {
        parameter->name = named->name;
        parameter->default_value = named->a;
    } else if (named->kind == A_LIST) {
        char text[80];
        span_text(named->span, text, sizeof text);
        parameter->name = symbol(text, strlen(text));
        parameter->pattern = to_target(p, named);
    } else {
        advise(syntax_error(p, t, "a parameter is a name"),
               "as in (x, scale = 2, *rest) or x -> x^2");
        return false;
    }
    note_assigned(p, parameter->name);
    return true;
}

static void parameters_in_order(Parser *p, Fn *fn, uint32_t i, Ast *node) {
    const Parameter *parameter = &fn->parameters[i];
    for (uint32_t j = 0; j < i; j++)
        if (fn->parameters[j].name == parameter->name)
            syntax_error(p, token_of(node), "two parameters are called `%s`",
                         parameter->name->text);
    if (fn->collects)
        syntax_error(p, token_of(node), "nothing may follow the parameter that collects the rest");
    if (node->kind == A_SPREAD) fn->collects = true;
    else if (!parameter->default_value && fn->required < i)
        syntax_error(p, token_of(node), "a parameter without a default follows one that has one");
    else if (!parameter->default_value) fn->required++;
}

static void take_parameters(Parser *p, Fn *fn, size_t mark) {
    uint32_t count = (uint32_t)(p->stack_count - mark);
    fn->parameters = arena_alloc(p->source, (count ? count : 1) * sizeof(Parameter));
    for (uint32_t i = 0; i < count && !p->panicking; i++) {
        Ast *node = p->stack[mark + i];
        if (!to_parameter(p, node, &fn->parameters[i])) break;
        parameters_in_order(p, fn, i, node);
        fn->parameter_count++;
    }
    p->stack_count = mark;
}

static Ast *function_node(Parser *p, Fn *fn, uint32_t start) {
    Ast *node = new_node(p, A_LAMBDA, start, p->previous_end);
    node->fn = fn;
    return finished(p, node);
}

/* A function's body knows nothing of the loops around it. */
static Ast *body_of(Parser *p, bool block_only, const char *after) {
    bool in_function = p->in_function, in_loop = p->in_loop;
    p->in_function = true;
    p->in_loop = false;
    Ast *body = block_only ? block(p, after) : expression(p, POWER_ANY);
    p->in_function = in_function;
    p->in_loop = in_loop;
    return body;
}

/* lambda: (name | '(' parameters ')') '->' expr, at its arrow */
static Ast *lambda(Parser *p, size_t mark, uint32_t start) {
    Fn *fn = arena_alloc(p->source, sizeof *fn);
    fn->span = span_new(p->source, start, p->token.end, 0);
    take_parameters(p, fn, mark);
    if (!p->panicking) advance(p);
    fn->body = body_of(p, false, "");
    return function_node(p, fn, start);
}

Fn *new_function(Parser *p, String *called, uint32_t start) {
    bool comma;
    Fn *fn = arena_alloc(p->source, sizeof *fn);
    size_t mark = p->stack_count;
    fn->name = called;
    if (p->token.kind != T_PAREN_OPEN || !on_this_line(p)) {
        unexpected(p, "`(` with the parameters");
        more_does_not_help(p);
    } else argument_list(p, &comma);
    fn->span = span_new(p->source, start, p->previous_end, 0);
    take_parameters(p, fn, mark);
    fn->body = body_of(p, true, "the parameters");
    return fn;
}

/* fn: 'fn' '(' parameters ')' block */
static Ast *function_literal(Parser *p) {
    uint32_t start = p->token.start;
    advance(p);
    if (p->token.kind == T_NAME)
        advise(syntax_error(p, p->token, "a function with a name is a statement"),
               "leave out the name, or define the function on a line of its own");
    return function_node(p, new_function(p, NULL, start), start);
}

/* name: name ['->' expr] */
static Ast *name(Parser *p) {
    Ast *node = new_node(p, A_NAME, p->token.start, p->token.end);
    node->name = lex_symbol(p->source->text, p->token);
    uint32_t start = p->token.start;
    advance(p);
    if (p->token.kind != T_ARROW || !on_this_line(p)) return node;
    push(p, node);
    return lambda(p, p->stack_count - 1, start);
}

/* ---- calls, fields, indices ---- */

/* A sign whose operands are `first` (or nothing, if its end is 0) and the kids. */
static Ast *with_kids(Parser *p, AstKind kind, Token sign, Token first, size_t mark,
                      uint32_t start) {
    uint32_t count = (uint32_t)(p->stack_count - mark), given = first.end ? 1 : 0;
    uint32_t operands = count + given < MAX_SPAN_OPERANDS ? count + given : MAX_SPAN_OPERANDS;
    Ast *node = new_sign(p, kind, sign, operands, start, p->previous_end);
    if (given) span_set(node->span + 1, p->source, first.start, first.end);
    for (uint32_t i = given; i < operands; i++) {
        Token kid = token_of(p->stack[mark + i - given]);
        span_set(node->span + 1 + i, p->source, kid.start, kid.end);
    }
    take_kids(p, node, mark);
    return node;
}

/* attach_grad(place, ...) and place.attach_grad(...) store back into the place. */
static Ast *attaching(Parser *p, Ast *node, uint32_t start) {
    Ast *place = node->kind == A_METHOD ? node->a : node->count ? node->kids[0] : NULL;
    bool named = node->kind == A_METHOD
                     ? node->name == p->attach_grad
                     : node->a->kind == A_NAME && node->a->name == p->attach_grad;
    if (!named || !place || !ast_is_place(place)) return node;
    Ast *attach = new_node(p, A_ATTACH, start, p->previous_end);
    attach->a = node;
    attach->b = place;
    if (p->attached_count == p->attached_capacity) {
        size_t more = p->attached_capacity ? p->attached_capacity * 2 : 16;
        Ast **grown = pool_bytes(more * sizeof *grown);
        if (p->attached_count) memcpy(grown, p->attached, p->attached_count * sizeof *grown);
        p->attached = grown;
        p->attached_capacity = more;
    }
    return p->attached[p->attached_count++] = finished(p, attach);
}

/* call: expr arguments */
static Ast *call(Parser *p, Ast *left, uint32_t start) {
    size_t mark = p->stack_count;
    Token callee = { .start = start, .end = p->previous_end };
    call_arguments(p);
    if (p->stack_count == mark) callee.end = p->previous_end;
    Ast *node = with_kids(p, A_CALL, callee, (Token){ 0 }, mark, start);
    node->a = left;
    node->flags = AST_TEMPORARY;
    return attaching(p, finished(p, node), start);
}

/* dot: expr '.' name [arguments] */
static Ast *dot(Parser *p, Ast *left, uint32_t start) {
    size_t mark = p->stack_count;
    Token receiver = { .start = start, .end = p->previous_end };
    advance(p);
    Token field_name = p->token;
    if (field_name.kind != T_NAME && !is_word(field_name.kind)) {
        unexpected(p, "the name of a field or function after `.`");
        return error_node(p);
    }
    advance(p);
    bool method = p->token.kind == T_PAREN_OPEN && on_this_line(p);
    if (method) call_arguments(p);
    Ast *node = with_kids(p, method ? A_METHOD : A_FIELD, field_name, receiver, mark, start);
    node->a = left;
    node->name = lex_symbol(p->source->text, field_name);
    if (method) node->flags = AST_TEMPORARY;
    return method ? attaching(p, finished(p, node), start) : node;
}

/* bound: [expr], up to a `:`, `,` or `]` */
static Ast *bound(Parser *p) {
    int kind = p->token.kind;
    return kind == T_COLON || kind == T_COMMA || kind == T_SQUARE_CLOSE ? NULL
                                                                        : expression(p, POWER_ANY);
}

/* item: 'new' | '...' | expr | [expr] ':' [expr] [':' [expr]] */
static Ast *item(Parser *p) {
    Token t = p->token;
    bool alone = p->next.kind == T_COMMA || p->next.kind == T_SQUARE_CLOSE;
    if (alone && (t.kind == T_NEW || t.kind == T_ELLIPSIS)) {
        advance(p);
        return new_node(p, t.kind == T_NEW ? A_NEW : A_ELLIPSIS, t.start, t.end);
    }
    Ast *first = t.kind == T_COLON ? NULL : expression(p, POWER_ANY);
    if (p->panicking || p->token.kind != T_COLON) return first;
    advance(p);
    Ast *second = bound(p), *third = NULL;
    if (!p->panicking && p->token.kind == T_COLON) {
        advance(p);
        third = bound(p);
    }
    Ast *node = new_node(p, A_SLICE, t.start, p->previous_end);
    node->a = first;
    node->b = second;
    node->c = third;
    return finished(p, node);
}

/* index: expr '[' item {',' item} [','] ']' */
static Ast *index_(Parser *p, Ast *left, uint32_t start) {
    Bracket bracket;
    size_t mark = p->stack_count;
    Token base = { .start = start, .end = p->previous_end }, sign = p->token;
    open_bracket(p, &bracket, IN_SQUARES);
    advance(p);
    if (p->token.kind == T_SQUARE_CLOSE)
        advise(syntax_error(p, p->token, "an index is missing"),
               "x[:] is all of x; x[i] its i-th element");
    while (!p->panicking && p->token.kind != T_SQUARE_CLOSE) {
        push(p, item(p));
        if (p->panicking || p->token.kind != T_COMMA) break;
        advance(p);
    }
    close_bracket(p, &bracket, T_SQUARE_CLOSE);
    sign.end = p->previous_end;
    Ast *node = with_kids(p, A_INDEX, sign, base, mark, start);
    node->a = left;
    return node;
}

/* ---- targets ---- */

static const char *what_it_is(const Ast *node) {
    switch (node->kind) {
    case A_CALL: case A_METHOD: case A_ATTACH: return "the result of a call";
    case A_CONSTANT: return "a constant";
    case A_BINARY: case A_UNARY: case A_AND: case A_OR: return "the result of an operator";
    case A_ARRAY: return "an array";
    case A_FIELD: case A_INDEX: return "a part of something without a name";
    default: return "this";
    }
}

/* Turns an expression into what `=` and `for` assign to: names, places and nested lists of them. */
Ast *to_target(Parser *p, Ast *node) {
    if (p->panicking) return node;
    if (node->kind == A_LIST && node->count) {
        node->kind = A_TARGETS;
        for (uint32_t i = 0; i < node->count; i++) node->kids[i] = to_target(p, node->kids[i]);
        return node;
    }
    if (ast_is_place(node)) {
        if (node->kind == A_NAME) note_assigned(p, node->name);
        return node;
    }
    Error *error = syntax_error(p, token_of(node), "cannot assign to %s", what_it_is(node));
    if (node->kind == A_ARRAY)
        advise(error, "several targets stand without brackets, or in ( ): a, b = f(x)");
    else advise(error, "targets are names, parts of them as in x[0] and s.w, and lists of these");
    return node;
}
