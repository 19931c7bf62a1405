/* The parser's floor: moving over tokens, saying what is wrong, making nodes, and parse() itself.
 * The one idea: an error is recorded once, where it is met; everything behind it returns quickly
 * until a statement begins.
 *
 * It must not know the grammar: productions are in parse_expr.c and parse_stmt.c. */
#include "parser.h"
#include "foreign.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- tokens ---- */

void advance(Parser *p) {
    p->previous_end = p->token.end;
    if (p->stopped) return;
    p->token = p->next;
    p->next = lex_next(&p->lexer);
}

/* No more tokens: after an error behind which nothing sensible can be said. */
static void stop(Parser *p) {
    p->stopped = true;
    p->token = p->next = (Token){ .kind = T_END, .start = p->token.start, .end = p->token.start };
}

Token peek_behind_next(const Parser *p) {
    Lexer ahead = p->lexer;
    return lex_next(&ahead);
}

bool newlines_count(const Parser *p) { return p->bracket->kind <= IN_ANGLES; }
bool on_this_line(const Parser *p) { return !p->token.newline || !newlines_count(p); }

/* The rule of `record < ... >`: a `>` directly inside closes the block if a newline, comment, `;`
 * `,` `)` `]` `}`, the end or another `>` comes next. (Where a statement could begin, statements()
 * closes it by itself.) */
bool closes_record(const Parser *p) {
    if (p->token.kind != T_GREATER || p->bracket->kind != IN_ANGLES) return false;
    if (p->next.newline) return true;
    switch (p->next.kind) {
    case T_SEMICOLON: case T_COMMA: case T_PAREN_CLOSE: case T_SQUARE_CLOSE: case T_BRACE_CLOSE:
    case T_PIECE_CLOSE: case T_END: case T_GREATER:
        return true;
    default:
        return false;
    }
}

bool starts_operand(int kind) {
    switch (kind) {
    case T_NUMBER: case T_NAME: case T_STRING: case T_STRING_OPEN: case T_MINUS: case T_PLUS:
    case T_PAREN_OPEN: case T_SQUARE_OPEN: case T_BRACE_OPEN: case T_NOT: case T_IF: case T_TRY:
    case T_RECORD: case T_PAUSE: case T_FN: case T_TRUE: case T_FALSE: case T_NIL: case T_NEW:
        return true;
    default:
        return false;
    }
}

/* ---- errors ---- */

/* Room for one more in an array of errors that lives with the source. */
static Error *add_error(Parser *p, Error **errors, int *count, int *capacity) {
    if (*count == *capacity) {
        int more = *capacity ? *capacity * 2 : 1;
        Error *grown = arena_alloc(p->source, (size_t)more * sizeof(Error));
        if (*count) memcpy(grown, *errors, (size_t)*count * sizeof(Error));
        *errors = grown;
        *capacity = more;
    }
    return &(*errors)[(*count)++];
}

/* Error spans have two operands to point at: an opening bracket, and what else explains it. */
static Error *new_error(Parser *p, Token where, const char *format, va_list arguments) {
    Parsed *parsed = &p->parsed;
    if (parsed->errors == MAX_PARSE_ERRORS) return NULL;
    Error *error = add_error(p, &parsed->error, &parsed->errors, &p->error_capacity);
    error->kind = E_SYNTAX;
    error->span = span_new(p->source, where.start, where.end, 2);
    vsnprintf(error->message, sizeof error->message, format, arguments);
    bool at_end = where.start == p->token.start && (p->token.kind == T_END || p->token.unfinished);
    if (parsed->status == PARSE_OK)
        parsed->status = at_end && !p->stopped ? PARSE_INCOMPLETE : PARSE_ERROR;
    return error;
}

Error *syntax_error(Parser *p, Token where, const char *format, ...) {
    if (p->panicking || p->stopped) return NULL;
    va_list arguments;
    va_start(arguments, format);
    Error *error = new_error(p, where, format, arguments);
    va_end(arguments);
    p->panicking = true;
    p->panic_depth = p->bracket->depth;
    return error;
}

void advise(Error *error, const char *format, ...) {
    if (!error || error->hint[0]) return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->hint, sizeof error->hint, format, arguments);
    va_end(arguments);
}

void point_at(Parser *p, Error *error, Token where, const char *text) {
    if (!error || error->operands == 2) return;
    int part = error->operands++;
    span_set(error->span + 1 + (Span)part, p->source, where.start, where.end);
    error->operand[part] = (ErrorOperand){ .part = part };
    snprintf(error->operand[part].text, sizeof error->operand[part].text, "%s", text);
}

void warn(Parser *p, Token where, const char *message, const char *advice) {
    Parsed *parsed = &p->parsed;
    if (parsed->warnings == MAX_PARSE_ERRORS) return;
    Error *error = add_error(p, &parsed->warning, &parsed->warnings, &p->warning_capacity);
    error->kind = E_SYNTAX;
    error->span = span_new(p->source, where.start, where.end, 0);
    snprintf(error->message, sizeof error->message, "%s", message);
    snprintf(error->hint, sizeof error->hint, "%s", advice);
}

/* The word that a token is, or "" if it is none. */
static const char *word_of(Parser *p, Token t, char *buffer, size_t bytes) {
    size_t length = t.end - t.start;
    buffer[0] = 0;
    if (t.kind == T_NAME && length < bytes)
        snprintf(buffer, bytes, "%.*s", (int)length, p->source->text + t.start);
    return buffer;
}

Token word_ending(const Parser *p, uint32_t end) {
    const char *text = p->source->text;
    uint32_t start = end;
    while (start && (text[start - 1] == '_' ||
                     ((text[start - 1] | 32) >= 'a' && (text[start - 1] | 32) <= 'z')))
        start--;
    return (Token){ .kind = T_NAME, .start = start, .end = end };
}

/* Says how adl writes what stands before or at the error, if that is a word of another language. */
void advise_foreign(Parser *p, Error *error) {
    char word[16];
    Token before = word_ending(p, p->previous_end);
    const char *advice = foreign_word(word_of(p, before, word, sizeof word));
    if (!advice) advice = foreign_word(word_of(p, p->token, word, sizeof word));
    if (advice) advise(error, "%s", advice);
}

static const char *token_description(Parser *p, char *buffer, size_t bytes) {
    Token t = p->token;
    if (t.kind != T_NAME && t.kind != T_NUMBER) return token_text(t.kind);
    snprintf(buffer, bytes, "`%.*s%s`", (int)(t.end - t.start < 30 ? t.end - t.start : 30),
             p->source->text + t.start, t.end - t.start > 30 ? "..." : "");
    return buffer;
}

Error *unexpected(Parser *p, const char *expected) {
    char description[48];
    Token t = p->token;
    Error *error;
    if (t.kind == T_ERROR) {
        error = syntax_error(p, t, "%s", t.problem);
        if (t.advice) advise(error, "%s", t.advice);
    } else if (t.kind == T_END) {
        error = syntax_error(p, t, "expected %s, but the text ends", expected);
    } else {
        error = syntax_error(p, t, "expected %s, not %s", expected,
                             token_description(p, description, sizeof description));
        if (is_word(t.kind) && strstr(expected, "name"))
            advise(error, "%s is a keyword and cannot be a name", token_text(t.kind));
    }
    advise_foreign(p, error);
    return error;
}

static bool stack_is_low(void) {
    return (char *)__builtin_frame_address(0) < rt.stack_limit;
}

bool enter(Parser *p) {
    if (++p->nesting <= MAX_NESTING && !stack_is_low()) return true;
    Error *error =
        syntax_error(p, p->token, "this text is nested more than %d levels deep", p->nesting - 1);
    advise(error, "give inner parts a name, or compute them in a loop");
    stop(p);
    return false;
}

void leave(Parser *p) { p->nesting--; }

/* ---- brackets and names ---- */

void open_bracket(Parser *p, Bracket *bracket, BracketKind kind) {
    *bracket = (Bracket){ .kind = kind, .token = p->token, .outer = p->bracket,
                          .depth = p->bracket ? p->bracket->depth + 1 : 0 };
    p->bracket = bracket;
}

static const char *what_closes(int kind) {
    return kind == T_GREATER ? "`>` to close the block" : token_text(kind);
}

/* Behind a `>` the call of something that has no value: it was meant to close the block, and no
 * further line would make a comparison of it. */
static bool compares_nothing(const Parser *p, Token sign) {
    static const char *const calls[] = { "backward(", "print(", "zero_grad(" };
    const char *text = p->source->text + sign.end, *found;
    size_t line = strcspn(text, "\n");
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if ((found = strstr(text, calls[i])) && found < text + line) return true;
    return false;
}

static void missing_close(Parser *p, Bracket *bracket, int kind) {
    bool list =
        bracket->kind == IN_PARENS || bracket->kind == IN_SQUARES || bracket->kind == IN_STRUCT;
    char expected[64];
    snprintf(expected, sizeof expected, "%s%s", list && p->token.kind != T_END ? "`,` or " : "",
             what_closes(kind));
    Error *error = unexpected(p, expected);
    point_at(p, error, bracket->token, "opened here");
    if (bracket->kind == IN_ANGLES && bracket->compared.kind) {
        if (compares_nothing(p, bracket->compared)) more_does_not_help(p);
        point_at(p, error, bracket->compared, "this one compares");
        advise(error, "to close the block with that `>`, put `;` or a newline behind it");
    }
    if (list && p->token.kind == T_FOR)
        advise(error, "a value for each k is written map(k -> k^2, range(3))");
}

void close_bracket(Parser *p, Bracket *bracket, int kind) {
    if (!p->panicking && p->token.kind != kind) missing_close(p, bracket, kind);
    p->bracket = bracket->outer;
    if (!p->panicking) advance(p);
}

/* What is missing at the end of the text would have to stand on the same line. */
void more_does_not_help(Parser *p) {
    if (p->parsed.errors == 1) p->parsed.status = PARSE_ERROR;
}

bool expect(Parser *p, int kind, const char *expected) {
    if (p->panicking) return false;
    if (p->token.kind == kind && on_this_line(p)) {
        advance(p);
        return true;
    }
    if (p->token.kind == kind) syntax_error(p, p->token, "expected %s on the same line", expected);
    else unexpected(p, expected);
    if (newlines_count(p)) more_does_not_help(p);
    return false;
}

String *expect_name(Parser *p, const char *expected) {
    Token name = p->token;
    if (!expect(p, T_NAME, expected)) return SYMBOL("?");
    return lex_symbol(p->source->text, name);
}

/* ---- nodes ---- */

Ast *new_node(Parser *p, AstKind kind, uint32_t start, uint32_t end) {
    if (end < start) end = start;  /* an error kept it from beginning */
    return ast_new(p->source, kind, span_new(p->source, start, end, 0));
}

Ast *new_sign(Parser *p, AstKind kind, Token sign, uint32_t operands, uint32_t start,
              uint32_t end) {
    Span span = span_new(p->source, sign.start, sign.end, operands);
    if (operands) span_set_whole(span, start, end);
    return ast_new(p->source, kind, span);
}

Ast *error_node(Parser *p) { return new_node(p, A_ERROR, p->token.start, p->token.end); }

static int deepest(int depth, const Ast *child) {
    return child && child->depth > depth ? child->depth : depth;
}

Ast *finished(Parser *p, Ast *node) {
    int depth = deepest(deepest(deepest(0, node->a), node->b), node->c);
    for (uint32_t i = 0; i < node->count; i++) depth = deepest(depth, node->kids[i]);
    if (node->fn) depth = deepest(depth, node->fn->body);
    node->depth = depth < UINT16_MAX ? (uint16_t)(depth + 1) : UINT16_MAX;
    if (node->depth <= MAX_HEIGHT) return node;
    Error *error =
        syntax_error(p, p->token, "this expression is more than %d operations deep", MAX_HEIGHT);
    advise(error, "give parts of it a name, or compute it in a loop or with sum([...])");
    stop(p);
    return node;
}

/* An array on the pool with room for one more. */
static Ast **room_for_one(Ast **items, size_t count, size_t *capacity) {
    if (count < *capacity) return items;
    size_t more = *capacity ? *capacity * 2 : 64;
    Ast **grown = pool_bytes(more * sizeof *grown);
    if (count) memcpy(grown, items, count * sizeof *grown);
    *capacity = more;
    return grown;
}

void push(Parser *p, Ast *kid) {
    p->stack = room_for_one(p->stack, p->stack_count, &p->stack_capacity);
    p->stack[p->stack_count++] = kid;
}

void take_kids(Parser *p, Ast *node, size_t mark) {
    size_t count = p->stack_count - mark;
    node->count = (uint32_t)count;
    node->kids = arena_alloc(p->source, (count ? count : 1) * sizeof(Ast *));
    if (count) memcpy(node->kids, p->stack + mark, count * sizeof(Ast *));
    p->stack_count = mark;
}

Ast *string_constant(Parser *p) {
    Token bad, t = p->token;
    Ast *node = new_node(p, A_CONSTANT, t.start, t.end);
    String *text = lex_string(p->source->text, t, &bad);
    if (text) node->value = object(text);
    else advise(syntax_error(p, bad, "there is no such escape in a string"),
                "the escapes are \\n \\t \\r \\\" \\\\ \\u{3b1}; r\"...\" reads \\ as it is");
    advance(p);
    return node;
}

/* Linear in all: a block that has lost its value is not entered again. */
void discard(Ast *node) {
    for (; node; node = node->c) {
        if (!ast_is_expression(node)) return;
        node->flags |= AST_STATEMENT;
        switch (node->kind) {
        case A_BLOCK:
            if (!(node->flags & AST_VALUE)) return;
            node->flags &= (uint8_t)~AST_VALUE;
            discard(node->kids[node->count - 1]);
            return;
        case A_TRY:
            discard(node->a);
            discard(node->b);
            return;
        case A_IF: case A_RECORD: case A_PAUSE:
            discard(node->b);
            break;
        default:
            return;
        }
    }
}

/* ---- the whole text ---- */

/* If the program gives attach_grad a meaning of its own, calls of it are just calls. */
static void forget_attaching(Parser *p) {
    for (size_t i = 0; i < p->attached_count; i++) {
        uint8_t flags = p->attached[i]->flags;
        *p->attached[i] = *p->attached[i]->a;
        p->attached[i]->flags |= flags;
    }
}

static bool is_utf8(Parser *p) {
    size_t valid = utf8_valid_bytes(p->source->text, p->source->bytes);
    const char *zero = memchr(p->source->text, 0, p->source->bytes);
    size_t bad =
        zero && (size_t)(zero - p->source->text) < valid ? (size_t)(zero - p->source->text) : valid;
    if (bad == p->source->bytes) return true;
    Token where = { .kind = T_ERROR, .start = (uint32_t)bad, .end = (uint32_t)bad + 1 };
    unsigned byte = (unsigned char)p->source->text[bad];
    advise(syntax_error(p, where, "the byte 0x%02X is no part of a UTF-8 text", byte),
           "save the text as UTF-8");
    return false;
}

static Ast *program(Parser *p) {
    Ast *all = statements(p);
    if (p->attach_assigned) forget_attaching(p);
    return all;
}

Parsed parse(Source *source) {
    size_t mark = pool_mark();
    Parser p = { .source = source, .lexer = lex_start(source->text, source->bytes, false) };
    Bracket text;
    p.attach_grad = SYMBOL("attach_grad");
    open_bracket(&p, &text, IN_TEXT);
    p.next = lex_next(&p.lexer);
    advance(&p);
    p.previous_end = 0;
    if (!is_utf8(&p)) {
        p.parsed.status = PARSE_ERROR;
        stop(&p);
    }
    source->program = p.parsed.program = program(&p);
    pool_unwind(mark);
    return p.parsed;
}
