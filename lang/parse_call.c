/* What stands behind an operand: a call with its arguments, a field or method, an index. The one
 * idea: each is a sign whose operands are what stood before it and what stands in its brackets, so
 * that a message can point at every one of them.
 *
 * A call of attach_grad on a place is stored back to it: see A_ATTACH in ast.h. */
#include "parser.h"
#include <string.h>

/* ---- arguments ---- */

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
void argument_list(Parser *p, bool *comma) {
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

Token token_of(const Ast *node) {
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
Ast *call_expression(Parser *p, Ast *left, uint32_t start) {
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
Ast *dot_expression(Parser *p, Ast *left, uint32_t start) {
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
Ast *index_expression(Parser *p, Ast *left, uint32_t start) {
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
