/* Statements. The one idea: statements() reads up to the end of the innermost bracket and mends
 * what went wrong in one of them, so that the next is read as if nothing had happened. */
#include "extern.h"
#include <stdio.h>
#include <string.h>

/* ---- mending ---- */

/* A line that begins so is most likely a statement, whatever is still open. */
static bool begins_statement(const Parser *p) {
    switch (p->token.kind) {
    case T_FN: return p->next.kind == T_NAME;
    case T_FOR: case T_WHILE: case T_RETURN: case T_IMPORT: case T_EXTERN: case T_BREAK:
    case T_CONTINUE: case T_IF: case T_RECORD:
        return true;
    default:
        return false;
    }
}

static int bracket_step(int kind) {
    switch (kind) {
    case T_PAREN_OPEN: case T_SQUARE_OPEN: case T_BRACE_OPEN: case T_PIECE_OPEN: return 1;
    case T_PAREN_CLOSE: case T_SQUARE_CLOSE: case T_BRACE_CLOSE: case T_PIECE_CLOSE: return -1;
    default: return 0;
    }
}

/* Skips the rest of a statement that went wrong: to a newline, `;` or closing bracket outside all
 * brackets that it opened. `from` is where it began: at least one token goes. */
static void recover(Parser *p, uint32_t from) {
    int open = p->panic_depth - p->bracket->depth, at_first = open;
    bool moved = p->token.start > from;
    for (; p->token.kind != T_END; advance(p), moved = true) {
        int step = bracket_step(p->token.kind);
        bool outside = open <= 0;
        if (moved && p->token.newline && (outside || (open <= at_first && begins_statement(p))))
            break;
        if (moved && outside && p->token.kind == T_SEMICOLON) break;
        if (outside && step < 0 && p->bracket->kind != IN_TEXT) break;
        if (outside && p->token.kind == T_GREATER && closes_record(p)) break;
        if (step > 0 || !outside) open += step;
    }
    p->panicking = false;
}

/* ---- lists of statements ---- */

static Ast *statement(Parser *p);

/* Does the innermost bracket end here, or must it, because an outer one does? */
static bool at_block_end(const Parser *p) {
    int kind = p->token.kind;
    if (kind == T_END) return true;
    if (p->bracket->kind == IN_TEXT) return false;
    if (p->bracket->kind == IN_ANGLES && kind == T_GREATER) return true;
    return bracket_step(kind) < 0;
}

static void warn_of_sign(Parser *p, const Ast *before) {
    bool sign = p->token.kind == T_PLUS || p->token.kind == T_MINUS;
    bool value = before->kind == A_ASSIGN || (ast_is_expression(before) && before->kind < A_BLOCK);
    if (sign && value && p->token.newline)
        warn(p, p->token, "this line starts a new statement, right after an expression",
             "to go on with the expression, end the line above with the sign, or put ( ) around "
             "all of it");
}

static void advise_separator(Parser *p, Error *error, const Ast *before) {
    int kind = p->token.kind;
    if (kind == T_ASSIGN && before->kind == A_ASSIGN)
        advise(error, "an assignment has no value: write b = 3; a = b");
    if (kind == T_COMMA && before->kind == A_ASSIGN)
        advise(error, "a list stands in parentheses: x = (1, 2)");
    if (kind == T_COMMA) advise(error, "a list stands in parentheses: (a, b)");
    if (kind == T_COLON) advise(error, "a block stands in braces: { ... }");
    if (kind == T_IF && !p->token.newline)
        advise(error, "a value that depends on a condition is written x = if c { a } else { b }");
    if (before->kind == A_IF || before->kind == A_TRY || before->kind == A_BLOCK ||
        before->kind == A_PAUSE || before->kind == A_RECORD)
        advise(error,
               "a statement ends with its block; to go on with its value, put ( ) around it");
    if (before->kind == A_NAME && starts_operand(kind))
        advise(error, "a call needs parentheses: %s(...)", before->name->text);
    if (starts_operand(kind)) advise(error, "two statements on one line are separated by `;`");
}

/* Behind a statement: a newline, `;` or the end of the block. */
static void end_of_statement(Parser *p, Ast *before) {
    if (p->panicking || at_block_end(p)) return;
    if (p->token.kind == T_SEMICOLON) {
        before->flags |= AST_QUIET;
        advance(p);
    } else if (p->token.newline) {
        warn_of_sign(p, before);
    } else {
        bool after_record = p->previous_end == p->after_angles;
        Error *error =
            unexpected(p, after_record ? "a newline or `;` after the `>` that closes the block"
                                       : "a newline or `;`");
        advise_separator(p, error, before);
    }
}

/* statements: { statement (newline | ';') } */
Ast *statements(Parser *p) {
    size_t mark = p->stack_count;
    uint32_t start = p->token.start;
    if (!enter(p)) return error_node(p);
    while (!at_block_end(p)) {
        uint32_t from = p->token.start;
        if (p->token.kind == T_SEMICOLON) { advance(p); continue; }
        Ast *one = statement(p);
        if (!p->panicking) end_of_statement(p, one);
        if (p->panicking) {
            one->flags |= AST_STATEMENT;
            recover(p, from);
        }
        if (p->stack_count > mark) discard(p->stack[p->stack_count - 1]);
        push(p, one);
    }
    leave(p);
    Ast *list = new_node(p, A_BLOCK, start, p->previous_end > start ? p->previous_end : start);
    take_kids(p, list, mark);
    if (list->count && ast_is_expression(list->kids[list->count - 1])) list->flags = AST_VALUE;
    return finished(p, list);
}

/* ---- blocks with values ---- */

/* if: 'if' expr block ['else' (if | block)] */
Ast *if_expression(Parser *p) {
    Token sign = p->token;
    if (!enter(p)) return error_node(p);
    advance(p);
    Ast *condition = expression(p, 0);
    Ast *then = block(p, "the condition"), *otherwise = NULL;
    if (!p->panicking && p->token.kind == T_ELSE) {
        advance(p);
        bool again = p->token.kind == T_IF && !p->panicking;
        otherwise = again ? if_expression(p) : block(p, "`else`");
    }
    leave(p);
    Ast *node = new_node(p, A_IF, sign.start, p->previous_end);
    node->a = condition;
    node->b = then;
    node->c = otherwise;
    return finished(p, node);
}

/* try: 'try' block 'catch' [name] block */
Ast *try_expression(Parser *p) {
    uint32_t start = p->token.start;
    String *name = NULL;
    advance(p);
    Ast *body = block(p, "`try`");
    if (!p->panicking && p->token.kind == T_CATCH) advance(p);
    else if (!p->panicking) unexpected(p, "`catch` after the block of `try`");
    if (!p->panicking && p->token.kind != T_BRACE_OPEN)
        name = expect_name(p, "a name for the error");
    if (name) note_assigned(p, name);
    Ast *handler = block(p, "`catch err`");
    Ast *node = new_node(p, A_TRY, start, p->previous_end);
    node->a = body;
    node->b = handler;
    node->name = name;
    return finished(p, node);
}

/* angles: '<' statements '>' */
static Ast *angles(Parser *p) {
    Bracket bracket;
    open_bracket(p, &bracket, IN_ANGLES);
    advance(p);
    Ast *body = statements(p);
    span_set(body->span, p->source, bracket.token.start, p->token.end);
    Token close = p->token;
    bool fine = !p->panicking && close.kind == T_GREATER;
    close_bracket(p, &bracket, T_GREATER);
    if (fine) {
        p->closed_by = close;
        p->after_angles = p->previous_end;
    }
    return body;
}

/* record: ('record' [arguments] | 'pause') (angles | block) */
Ast *record_expression(Parser *p) {
    Token sign = p->token;
    const char *word = token_text(sign.kind);
    size_t mark = p->stack_count;
    advance(p);
    if (sign.kind == T_RECORD && p->token.kind == T_PAREN_OPEN && on_this_line(p))
        call_arguments(p);
    bool angle = p->token.kind == T_LESS && on_this_line(p);
    if (!angle && p->token.kind != T_BRACE_OPEN && !p->panicking) {
        advise(unexpected(p, "`<` with the block to record"), "%s < ... > or %s { ... }", word,
               word);
        more_does_not_help(p);
    }
    Ast *body = p->panicking ? error_node(p) : angle ? angles(p) : block(p, word);
    Ast *node =
        new_node(p, sign.kind == T_RECORD ? A_RECORD : A_PAUSE, sign.start, p->previous_end);
    node->b = body;
    node->flags = angle ? 0 : AST_BRACES;
    take_kids(p, node, mark);
    for (uint32_t i = 0; i < node->count && !p->panicking; i++)
        if (node->kids[i]->kind != A_NAMED)
            advise(syntax_error(p, sign, "the options of %s have names", word),
                   "as in record(train = false)");
    return finished(p, node);
}

/* ---- functions ---- */

static uint32_t line_start(const char *text, uint32_t offset) {
    while (offset && text[offset - 1] != '\n') offset--;
    return offset;
}

static uint32_t skip_blanks(const char *text, uint32_t offset) {
    while (text[offset] == ' ' || text[offset] == '\t') offset++;
    return offset;
}

static bool is_doc_line(const char *text, uint32_t line) {
    line = skip_blanks(text, line);
    return text[line] == '#' && text[line + 1] == '#';
}

/* The ## lines directly above `start`, none of them before `from`, joined; NULL for none. */
static String *doc_above(Parser *p, uint32_t from, uint32_t start) {
    const char *text = p->source->text;
    uint32_t last = line_start(text, start), first = last;
    while (first > from && is_doc_line(text, line_start(text, first - 1)))
        first = line_start(text, first - 1);
    if (first == last || first < from || skip_blanks(text, last) != start) return NULL;
    char *doc = pool_bytes(last - first), *out = doc;
    for (uint32_t at = first; at < last;) {
        at = skip_blanks(text, at) + 2;
        at += text[at] == ' ';
        while (text[at] != '\n') *out++ = text[at++];
        *out++ = text[at++];
    }
    return symbol(doc, (size_t)(out - doc) - 1);
}

/* fn: 'fn' name '(' parameters ')' block */
static Ast *function_statement(Parser *p) {
    Token sign = p->token;
    String *doc = doc_above(p, p->previous_end, sign.start);
    advance(p);
    String *name = expect_name(p, "the name of the function");
    note_assigned(p, name);
    Fn *fn = new_function(p, name, sign.start);
    Ast *node = new_node(p, A_FN, sign.start, p->previous_end);
    fn->doc = doc;
    node->fn = fn;
    node->name = name;
    return finished(p, node);
}

/* ---- loops and jumps ---- */

static Ast *loop_body(Parser *p, const char *after) {
    bool in_loop = p->in_loop;
    p->in_loop = true;
    Ast *body = block(p, after);
    p->in_loop = in_loop;
    discard(body);
    return body;
}

/* while: 'while' expr block */
static Ast *while_loop(Parser *p) {
    uint32_t start = p->token.start;
    advance(p);
    Ast *condition = expression(p, 0);
    Ast *body = loop_body(p, "the condition");
    Ast *node = new_node(p, A_WHILE, start, p->previous_end);
    node->a = condition;
    node->b = body;
    return finished(p, node);
}

/* for: 'for' target {',' target} 'in' expr block */
static Ast *for_loop(Parser *p) {
    uint32_t start = p->token.start;
    advance(p);
    uint32_t target_start = p->token.start;
    Ast *target = expression(p, 0);
    if (!p->panicking && p->token.kind == T_COMMA) target = bare_list(p, target, target_start);
    target = to_target(p, target);
    bool counts = p->token.kind == T_ASSIGN;
    if (!expect(p, T_IN, "`in` after the loop's variable") && counts && p->parsed.errors)
        advise(&p->parsed.error[p->parsed.errors - 1],
               "numbers are counted by for i in range(start, stop) { ... }");
    Ast *sequence = expression(p, 0);
    Ast *body = loop_body(p, "what the loop goes over");
    Ast *node = new_node(p, A_FOR, start, p->previous_end);
    node->a = target;
    node->b = sequence;
    node->c = body;
    return finished(p, node);
}

/* jump: 'break' | 'continue' */
static Ast *jump(Parser *p) {
    Token t = p->token;
    if (!p->in_loop) syntax_error(p, t, "%s stands outside a loop", token_text(t.kind));
    advance(p);
    return new_node(p, t.kind == T_BREAK ? A_BREAK : A_CONTINUE, t.start, t.end);
}

/* return: 'return' [expr {',' expr}] */
static Ast *return_statement(Parser *p) {
    Token t = p->token;
    Ast *value = NULL;
    if (!p->in_function)
        advise(syntax_error(p, t, "`return` stands outside a function"), "exit() ends the program");
    advance(p);
    uint32_t start = p->token.start;
    if (!p->token.newline && starts_operand(p->token.kind)) {
        value = expression(p, 0);
        if (!p->panicking && p->token.kind == T_COMMA && on_this_line(p))
            value = bare_list(p, value, start);
    }
    Ast *node = new_node(p, A_RETURN, t.start, p->previous_end);
    node->a = value;
    return finished(p, node);
}

/* ---- import ---- */

/* The name a path gives: "lib/util.adl" is util; NULL if that is no name. */
static String *name_of_path(const String *path) {
    const char *start = strrchr(path->text, '/');
    start = start ? start + 1 : path->text;
    size_t bytes = strcspn(start, ".");
    Lexer words = lex_start(start, bytes, false);
    Token t = lex_next(&words);
    return t.kind == T_NAME && t.end == bytes ? lex_symbol(start, t) : NULL;
}

/* import: 'import' (name | string) ['as' name] */
static Ast *import_statement(Parser *p) {
    uint32_t start = p->token.start;
    advance(p);
    Token what = p->token;
    String *path = NULL, *name = NULL;
    if (what.kind == T_NAME) name = path = expect_name(p, "a module");
    else if (what.kind == T_STRING) {
        Ast *text = string_constant(p);
        if (text->value.tag == V_STRING) name = name_of_path(path = text->value.as.string);
    } else unexpected(p, "the name of a module, or the path of a file as a string");
    if (!p->panicking && p->token.kind == T_AS && on_this_line(p)) {
        advance(p);
        name = expect_name(p, "a name for the module");
    }
    if (!name && !p->panicking)
        advise(syntax_error(p, what, "this path gives the module no name"),
               "write `import \"...\" as name`");
    Ast *node = new_node(p, A_IMPORT, start, p->previous_end);
    node->token = what.kind;
    node->name = name;
    if (path) node->value = object(path);
    if (name) note_assigned(p, name);
    return node;
}

/* ---- assignments and expressions ---- */

static uint16_t op_of_assignment(int kind) {
    static const uint16_t op_of[TOKEN_COUNT] = {
#define SIGN(token, text, power, op, class) [token] = OP_##op,
#include "token.def"
    };
    return op_of[kind];
}

static bool is_assignment(int kind) { return kind >= T_ASSIGN && kind <= T_POWER_BY; }

/* `a = b` points at its target, `a += b` at its sign. */
static Span assignment_span(Parser *p, Token sign, Token target, uint32_t value_start) {
    Token where = sign.kind == T_ASSIGN ? target : sign;
    Span span = span_new(p->source, where.start, where.end, 2);
    span_set(span + 1, p->source, target.start, target.end);
    span_set(span + 2, p->source, value_start, p->previous_end);
    span_set_whole(span, target.start, p->previous_end);
    return span;
}

/* assignment: target {',' target} ('=' | '+=' ...) expr {',' expr}, at its sign */
static Ast *assignment(Parser *p, Ast *target, uint32_t start) {
    Token sign = p->token, text = { .start = start, .end = p->previous_end };
    target = to_target(p, target);
    if (target->kind == A_TARGETS && sign.kind != T_ASSIGN)
        advise(syntax_error(p, sign, "%s takes a single target", token_text(sign.kind)),
               "write one statement for each");
    advance(p);
    uint32_t value_start = p->token.start;
    Ast *value = expression(p, 0);
    if (target->kind == A_TARGETS && !p->panicking && p->token.kind == T_COMMA && on_this_line(p))
        value = bare_list(p, value, value_start);
    Ast *node = ast_new(p->source, A_ASSIGN, assignment_span(p, sign, text, value_start));
    node->a = target;
    node->b = value;
    node->op = op_of_assignment(sign.kind);
    node->token = sign.kind;
    return finished(p, node);
}

static Ast *expression_statement(Parser *p) {
    uint32_t start = p->token.start;
    Ast *first = expression(p, 0);
    bool list = !p->panicking && p->token.kind == T_COMMA && on_this_line(p);
    if (list) first = bare_list(p, first, start);
    if (!p->panicking && is_assignment(p->token.kind) && on_this_line(p))
        return assignment(p, first, start);
    if (!list || p->panicking) return first;
    Token where = { .start = start, .end = p->previous_end };
    advise(syntax_error(p, where, "a list that stands alone needs parentheses"), "write (a, b)");
    more_does_not_help(p);
    return first;
}

/* A closing sign where a statement could begin. */
static Ast *stray(Parser *p) {
    Token t = p->token;
    Error *error = syntax_error(p, t, "%s closes nothing that is open", token_text(t.kind));
    if (t.kind == T_GREATER && p->closed_by.kind)
        point_at(p, error, p->closed_by, "the block was closed here");
    return error_node(p);
}

static Ast *statement(Parser *p) {
    switch (p->token.kind) {
    case T_FN:
        return p->next.kind == T_NAME || is_word(p->next.kind) ? function_statement(p)
                                                               : expression_statement(p);
    case T_IF: return if_expression(p);
    case T_TRY: return try_expression(p);
    case T_RECORD: case T_PAUSE: return record_expression(p);
    case T_WHILE: return while_loop(p);
    case T_FOR: return for_loop(p);
    case T_BREAK: case T_CONTINUE: return jump(p);
    case T_RETURN: return return_statement(p);
    case T_IMPORT: return import_statement(p);
    case T_EXTERN: return extern_statement(p);
    case T_GREATER: case T_PAREN_CLOSE: case T_SQUARE_CLOSE: case T_BRACE_CLOSE:
    case T_PIECE_CLOSE: return stray(p);
    default: return expression_statement(p);
    }
}
