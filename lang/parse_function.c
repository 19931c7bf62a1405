/* Lists, functions and targets. The one idea: what stands in parentheses is read once, as arguments
 * of a call would be, and what follows says what it was: behind it an arrow, and they were
 * parameters; a `=`, and they were targets; else they were a list or one value. */
#include "parser.h"
#include <stdio.h>
#include <string.h>

/* ---- parentheses and lists ---- */

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
Ast *parentheses(Parser *p) {
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
Ast *function_literal(Parser *p) {
    uint32_t start = p->token.start;
    advance(p);
    if (p->token.kind == T_NAME)
        advise(syntax_error(p, p->token, "a function with a name is a statement"),
               "leave out the name, or define the function on a line of its own");
    return function_node(p, new_function(p, NULL, start), start);
}

/* name: name ['->' expr] */
Ast *name_or_lambda(Parser *p) {
    Ast *node = new_node(p, A_NAME, p->token.start, p->token.end);
    node->name = lex_symbol(p->source->text, p->token);
    uint32_t start = p->token.start;
    advance(p);
    if (p->token.kind != T_ARROW || !on_this_line(p)) return node;
    push(p, node);
    return lambda(p, p->stack_count - 1, start);
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
