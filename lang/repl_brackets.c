/* Which bracket belongs to which, for the prompt. The one idea: the lexer gives the brackets, and
 * one stack of those that are open pairs them; the `<` behind `record` is a bracket too, and a `>`
 * ends it where LANGUAGE says so. The parser is not asked: what is being typed is seldom whole. */
#include "repl_parts.h"
#include "lex.h"

enum { MAX_BRACKETS = 512 };

/* What has been read: the brackets that are open, and the token before this one. */
typedef struct Reading {
    Token open[MAX_BRACKETS];
    int depth;
    int before;                  /* the kind of the last token */
    bool options;                /* it closed those of `record(...)` */
    int record_options;          /* the depth inside their brackets; 0: not there */
} Reading;

static bool is_opening(const Reading *r, Token t) {
    if (t.kind == T_LESS) return r->before == T_RECORD || r->before == T_PAUSE || r->options;
    return t.kind == T_PAREN_OPEN || t.kind == T_SQUARE_OPEN || t.kind == T_BRACE_OPEN ||
           t.kind == T_PIECE_OPEN;
}

static int partner_of(int kind) {
    switch (kind) {
    case T_PAREN_CLOSE:  return T_PAREN_OPEN;
    case T_SQUARE_CLOSE: return T_SQUARE_OPEN;
    case T_BRACE_CLOSE:  return T_BRACE_OPEN;
    case T_PIECE_CLOSE:  return T_PIECE_OPEN;
    case T_GREATER:      return T_LESS;
    default:             return T_END;
    }
}

/* Directly inside a record a `>` ends it where a statement could begin, and where nothing follows
 * that it could compare with. */
static bool ends_record(const Reading *r, Token t, Token next) {
    if (!r->depth || r->open[r->depth - 1].kind != T_LESS) return false;
    if (t.newline || r->before == T_LESS || r->before == T_SEMICOLON) return true;
    switch (next.kind) {
    case T_END: case T_GREATER: case T_COMMENT: case T_SEMICOLON: case T_COMMA: case T_PIECE_CLOSE:
    case T_PAREN_CLOSE: case T_SQUARE_CLOSE: case T_BRACE_CLOSE: return true;
    default: return next.newline;
    }
}

static bool is_closing(const Reading *r, Token t, Token next) {
    return t.kind == T_GREATER ? ends_record(r, t, next) : partner_of(t.kind) != T_END;
}

static void open_one(Reading *r, Token t) {
    if (r->depth == MAX_BRACKETS) return;
    r->open[r->depth++] = t;
    bool options = t.kind == T_PAREN_OPEN && (r->before == T_RECORD || r->before == T_PAUSE);
    if (options) r->record_options = r->depth;
}

/* A bracket before the cursor is nearer than one under it. */
static int nearness(int at, int point) { return at == point - 1 ? 2 : at == point ? 1 : 0; }

static void close_one(Reading *r, Brackets *b, Token t, int point, int *best) {
    if (!r->depth || r->open[r->depth - 1].kind != partner_of(t.kind)) {
        if (b->wrong < 0) b->wrong = (int)t.start;
        return;
    }
    if (r->record_options == r->depth) r->options = true, r->record_options = 0;
    int from = (int)r->open[--r->depth].start, to = (int)t.start;
    int near = nearness(from, point) > nearness(to, point) ? nearness(from, point)
                                                           : nearness(to, point);
    if (near <= *best) return;
    *best = near;
    b->match[0] = from;
    b->match[1] = to;
}

Brackets find_brackets(const char *text, size_t bytes, int point) {
    Brackets b = { { -1, -1 }, -1 };
    Reading r = { .before = T_END };
    int best = 0;
    Lexer lexer = lex_start(text, bytes, true);
    for (Token t = lex_next(&lexer), next; t.kind != T_END; t = next) {
        next = lex_next(&lexer);
        bool options = r.options;
        if (is_opening(&r, t)) open_one(&r, t);
        else if (is_closing(&r, t, next)) close_one(&r, &b, t, point, &best);
        if (options) r.options = false;
        r.before = t.kind;
    }
    return b;
}
