/* The parser of C's types and signatures, as `extern` declares them. The one idea: what is read is
 * complete, a CType or CSignature that the runtime calls with (ffi_call.h), laid out, in the arena
 * of the source.
 *
 *     parameters: '(' [parameter {',' parameter}] ')'
 *                 `...` stands for, or before, variadic ones
 *     parameter:  name ':' ['out' | 'inout' | 'free' | 'keep'] type
 *     type:       (number | 'string' | 'handle' | 'void' | struct | enum) {'*'} [lengths]
 *                 ['free' symbol]
 *               | 'fn' parameters [':' type]            in which parameters need no names
 *     lengths:    '[' (integer | parameter) {',' (integer | parameter)} ']' */
#include <math.h>
#include <string.h>
#include "extern.h"

/* ---- words ---- */

static bool is_text(const Parser *p, Token t, const char *text) {
    return t.kind == T_NAME && t.end - t.start == strlen(text) &&
           !memcmp(p->source->text + t.start, text, strlen(text));
}
bool at_word(const Parser *p, const char *word) { return is_text(p, p->token, word); }

bool take_word(Parser *p, const char *word, int kind, int or_kind) {
    if (p->panicking || !at_word(p, word) || (p->next.kind != kind && p->next.kind != or_kind))
        return false;
    advance(p);
    return true;
}

String *any_name(Parser *p, const char *expected) {
    p->token.newline = false;      /* inside brackets newlines are spaces */
    return expect_name(p, expected);
}

/* ---- types ---- */

CType *new_type(Parser *p, CKind kind) {
    CType *type = arena_alloc(p->source, sizeof *type);
    type->kind = kind;
    if (kind != C_STRUCT && kind != C_NUMBER) c_layout(type);
    return type;
}

CType *number_type(Parser *p, const CNumber *number) {
    CType *type = new_type(p, C_NUMBER);
    type->number = number;
    c_layout(type);
    return type;
}

/* A struct or enum that the file has declared. */
struct CNamed { String *name; CType *type; struct CNamed *next; };

void know_type(Parser *p, String *name, CType *type) {
    struct CNamed *known = arena_alloc(p->source, sizeof *known);
    *known = (struct CNamed){ name, type, p->c_types };
    p->c_types = known;
}

static CType *named_type(Parser *p, Token t) {
    const char *text = p->source->text + t.start;
    const CNumber *number = c_number(text, t.end - t.start);
    if (number) return number_type(p, number);
    if (is_text(p, t, "string")) return new_type(p, C_STRING);
    if (is_text(p, t, "handle")) return new_type(p, C_HANDLE);
    if (is_text(p, t, "void")) return new_type(p, C_VOID);
    String *name = lex_symbol(p->source->text, t);
    for (struct CNamed *known = p->c_types; known; known = known->next)
        if (known->name == name) return known->type;
    advise(syntax_error(p, t, "`%s` is no type", name->text),
           "the types are void bool char int8 ... int64 uint8 ... uint64 int uint long size_t "
           "float double string "
           "handle, T*, fn(...): T, and structs and enums declared before");
    return new_type(p, C_VOID);
}

/* callback: 'fn' parameters [':' type] */
static CType *callback_type(Parser *p) {
    uint32_t start = p->token.start;
    advance(p);
    CType *type = new_type(p, C_FUNCTION);
    CSignature *s = type->signature = parameters(p, true);
    s->result = new_type(p, C_VOID);
    if (!p->panicking && p->token.kind == T_COLON) {
        advance(p);
        s->result = extern_type(p);
    }
    s->text = symbol(p->source->text + start, p->previous_end - start)->text;
    if (!p->panicking && s->variadic)
        syntax_error(p, p->token, "a callback cannot be variadic");
    return type;
}

static CType *pointer_to(Parser *p, CType *element, Token star) {
    if (element->kind == C_VOID) return new_type(p, C_ANY);
    if (element->kind == C_POINTER || element->kind == C_ANY || element->kind == C_FUNCTION)
        advise(syntax_error(p, star,
                            "a pointer to a pointer or function has no meaning for a program"),
               "string* is a char**, handle* a pointer to an opaque pointer");
    CType *type = new_type(p, C_POINTER);
    type->element = element;
    return type;
}

static CDim one_dim(Parser *p) {
    CDim dim = { .parameter = -1, .start = p->token.start, .end = p->token.end };
    if (p->token.kind == T_NUMBER) {
        double n = lex_number(p->source->text, p->token);
        if (n < 1 || n > 1e9 || n != floor(n))
            syntax_error(p, p->token, "a length is a whole number from 1 to 1e9");
        dim.number = (int64_t)n;
        if (!p->panicking) advance(p);
    } else {
        dim.name = any_name(p, "a length: a number or the name of a parameter");
    }
    return dim;
}

/* lengths: '[' dim {',' dim} ']': of what a pointer points to. T[n] is T*[n]. */
static CType *lengths(Parser *p, CType *type) {
    Bracket bracket;
    Token sign = p->token;
    if (type->kind != C_POINTER) type = pointer_to(p, type, sign);
    if (type->kind == C_ANY) syntax_error(p, sign, "void has no elements to count");
    open_bracket(p, &bracket, IN_SQUARES);
    if (!p->panicking) advance(p);
    while (!p->panicking && p->token.kind != T_SQUARE_CLOSE) {
        if (type->dims == C_MAX_DIMS)
            syntax_error(p, p->token, "an array of C has at most %d lengths here", C_MAX_DIMS);
        if (!p->panicking) type->dim[type->dims++] = one_dim(p);
        if (!p->panicking && p->token.kind == T_COMMA) advance(p);
        else break;
    }
    close_bracket(p, &bracket, T_SQUARE_CLOSE);
    return type;
}

static void free_suffix(Parser *p, CType *type) {
    if (type->kind == C_POINTER) type = type->element;
    Token word = p->token;
    if (!take_word(p, "free", T_NAME, T_NAME)) return;
    if (type->kind != C_HANDLE && type->kind != C_STRING)
        syntax_error(p, word, "only a handle or a string has a function that frees it");
    type->free = any_name(p, "the function that frees it");
}

CType *extern_type(Parser *p) {
    p->token.newline = false;
    if (p->panicking || !enter(p)) return new_type(p, C_VOID);
    CType *type;
    if (p->token.kind == T_FN) {
        type = callback_type(p);
    } else {
        Token name = p->token;
        any_name(p, "a type");
        type = p->panicking ? new_type(p, C_VOID) : named_type(p, name);
    }
    if (!p->panicking && p->token.kind == T_POWER)
        advise(syntax_error(p, p->token, "a pointer to a pointer has no meaning for a program"),
               "string* is a char**, handle* a pointer to an opaque pointer");
    while (!p->panicking && p->token.kind == T_STAR) {
        Token star = p->token;
        advance(p);
        type = pointer_to(p, type, star);
    }
    if (!p->panicking && p->token.kind == T_SQUARE_OPEN && on_this_line(p)) type = lengths(p, type);
    if (!p->panicking) free_suffix(p, type);
    leave(p);
    return type;
}

/* ---- signatures ---- */

static bool starts_type(int kind) { return kind == T_NAME || kind == T_FN; }

static CWay way_of(Parser *p, bool *keep) {
    static const struct { const char *word; CWay way; } ways[] = {
        { "out", C_OUT }, { "inout", C_INOUT }, { "free", C_FREES }, { "keep", C_IN },
    };
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        if (!starts_type(p->next.kind) || !take_word(p, ways[i].word, T_NAME, T_FN)) continue;
        *keep = !strcmp(ways[i].word, "keep");
        return ways[i].way;
    }
    return C_IN;
}

static void check_way(Parser *p, const CParameter *parameter, bool keep, Token where) {
    const CType *type = parameter->type;
    CWay way = parameter->way;
    if (type->kind == C_VOID)
        advise(syntax_error(p, where, "a parameter cannot be void"),
               "write () for no parameters, void* for any pointer");
    else if ((way == C_OUT || way == C_INOUT) && type->kind != C_POINTER &&
             !(way == C_INOUT && type->kind == C_ANY))
        advise(syntax_error(p, where, "what comes back needs a pointer"),
               "as in out double*, inout double[n]");
    else if (way == C_FREES && type->kind != C_HANDLE)
        syntax_error(p, where, "only a handle can be freed");
    else if (keep && type->kind != C_FUNCTION)
        syntax_error(p, where, "only a callback, fn(...), can be kept");
}

/* parameter: [name ':'] [way] type */
static void parameter(Parser *p, CSignature *s, bool of_callback) {
    bool keep = false, named = p->next.kind == T_COLON;
    if (s->count == C_MAX_PARAMETERS) {
        syntax_error(p, p->token, "a foreign function has at most %d parameters here",
                     C_MAX_PARAMETERS);
        return;
    }
    CParameter *one = &s->parameter[s->count];
    p->token.newline = false;
    if (!named && !of_callback && p->token.kind == T_NAME) {
        advise(unexpected(p, "a parameter, as name: type"), "as in fn j0(x: double): double");
        return;
    }
    one->name = named ? any_name(p, "the name of a parameter") : SYMBOL("_");
    if (named && !p->panicking) advance(p);
    Token where = p->token;
    p->token.newline = false;
    one->way = way_of(p, &keep);
    one->type = extern_type(p);
    one->type->keep = keep;
    if (!p->panicking) check_way(p, one, keep, where);
    if (!p->panicking && of_callback &&
        (one->way == C_FREES || (one->way != C_IN && one->type->kind == C_ANY)))
        syntax_error(p, where, "a callback frees nothing, and its void* is C's own context");
    s->count++;
}

static bool is_length(const CParameter *parameter) {
    const CType *type = parameter->type;
    if (type->kind == C_POINTER && !type->dims) type = type->element;
    return type->kind == C_NUMBER && type->number->dtype == F64 && parameter->way == C_IN;
}

/* Lengths that are parameters, now that all of them are known. */
static void find_lengths(Parser *p, CSignature *s, CType *type) {
    for (int i = 0; i < type->dims && !p->panicking; i++) {
        CDim *dim = &type->dim[i];
        if (!dim->name) continue;
        for (int k = 0; k < s->count; k++)
            if (s->parameter[k].name == dim->name && is_length(&s->parameter[k]))
                dim->parameter = k;
        Token where = { .kind = T_NAME, .start = dim->start, .end = dim->end };
        if (dim->parameter < 0)
            syntax_error(p, where, "`%s` is no number among the parameters of this function",
                         dim->name->text);
    }
}

/* parameters: '(' [parameter {',' parameter}] ')' */
CSignature *parameters(Parser *p, bool of_callback) {
    Bracket bracket;
    CSignature *s = arena_alloc(p->source, sizeof *s);
    if (!p->panicking && p->token.kind != T_PAREN_OPEN)
        advise(unexpected(p, "`(` with the types"), "as in fn j0(x: double): double");
    open_bracket(p, &bracket, IN_PARENS);
    if (!p->panicking) advance(p);
    s->fixed = -1;
    while (!p->panicking && p->token.kind != T_PAREN_CLOSE) {
        if (p->token.kind == T_ELLIPSIS && s->fixed < 0) {
            s->fixed = s->count;
            advance(p);
        } else parameter(p, s, of_callback);
        if (p->panicking || p->token.kind != T_COMMA) break;
        advance(p);
    }
    close_bracket(p, &bracket, T_PAREN_CLOSE);
    s->variadic = s->fixed >= 0;
    s->open = s->variadic && s->fixed == s->count;
    if (s->fixed < 0) s->fixed = s->count;
    for (int i = 0; i < s->count && !p->panicking; i++) find_lengths(p, s, s->parameter[i].type);
    return s;
}

void check_result(Parser *p, CSignature *s, Token where) {
    const CType *type = s->result;
    if (p->panicking) return;
    if (type->kind == C_POINTER && !type->dims)
        advise(syntax_error(p, where, "nobody knows how many elements this pointer has"),
               "give a length, as in double[n], or write `handle`");
    else find_lengths(p, s, s->result);
}
