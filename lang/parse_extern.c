/* The parser of `extern`: C's declarations as adl writes them. The one idea: what is read here is
 * complete: the CSignature and CType that the runtime calls with (ffi_call.h), laid out, in the
 * arena of the source, so that a wrong declaration is a syntax error with a caret before anything
 * is loaded.
 *
 *     extern: 'extern' [string {',' string}] '{' { item (newline | ';') } '}'
 *     item:   'fn' name ['=' symbol] parameters [result]
 *           | name ['=' symbol] ':' ('data' ['free' symbol] | type)         a variable of the
 * library | 'struct' name '{' { name ':' type (newline | ';' | ',') } '}' | 'enum' [name] '{' {
 * name ['=' integer] (newline | ';' | ',') } '}' parameters: '(' [parameter {',' parameter}] ')'
 * `...` stands for, or before, variadic ones parameter:  name ':' ['out' | 'inout' | 'free' |
 * 'keep'] type result: ':' type ['errno'] type:   (number | 'string' | 'handle' | 'void' | struct |
 * enum) {'*'} [lengths] ['free' symbol] | 'fn' parameters [':' type]                    in which
 * parameters need no names lengths: '[' (integer | parameter) {',' (integer | parameter)} ']'
 *
 * Its words (`out`, `struct`, `free` ...) are plain names everywhere else. Structs and enums are
 * known to the rest of the file. */
#include <math.h>
#include <string.h>
#include "extern.h"
#include "parser.h"

/* ---- words ---- */

static bool is_text(const Parser *p, Token t, const char *text) {
    return t.kind == T_NAME && t.end - t.start == strlen(text) &&
           !memcmp(p->source->text + t.start, text, strlen(text));
}
static bool at_word(const Parser *p, const char *word) { return is_text(p, p->token, word); }

/* The word, if something of this kind follows: otherwise it is a name like any other. */
static bool take_word(Parser *p, const char *word, int kind, int or_kind) {
    if (p->panicking || !at_word(p, word) || (p->next.kind != kind && p->next.kind != or_kind))
        return false;
    advance(p);
    return true;
}

static String *any_name(Parser *p, const char *expected) {
    p->token.newline = false;      /* inside brackets newlines are spaces */
    return expect_name(p, expected);
}

/* ---- types ---- */

/* A struct or enum that the file has declared. */
struct CNamed { String *name; CType *type; struct CNamed *next; };

static CType *new_type(Parser *p, CKind kind) {
    CType *type = arena_alloc(p->source, sizeof *type);
    type->kind = kind;
    if (kind != C_STRUCT && kind != C_NUMBER) c_layout(type);
    return type;
}

static CType *number_type(Parser *p, const CNumber *number) {
    CType *type = new_type(p, C_NUMBER);
    type->number = number;
    c_layout(type);
    return type;
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

static CSignature *parameters(Parser *p, bool of_callback);

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
static CSignature *parameters(Parser *p, bool of_callback) {
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

static void check_result(Parser *p, CSignature *s, Token where) {
    const CType *type = s->result;
    if (p->panicking) return;
    if (type->kind == C_POINTER && !type->dims)
        advise(syntax_error(p, where, "nobody knows how many elements this pointer has"),
               "give a length, as in double[n], or write `handle`");
    else find_lengths(p, s, s->result);
}

/* ---- items ---- */

/* ['=' symbol]: the name in the library, if it is another one. */
static String *symbol_of(Parser *p, String *name) {
    if (p->panicking || p->token.kind != T_ASSIGN) return name;
    advance(p);
    return expect_name(p, "the name in the library");
}

static Ast *declared(Parser *p, uint32_t start, String *name, Declaration *d) {
    if (p->panicking) return error_node(p);
    Ast *node = new_node(p, A_EXTERN_FN, start, p->previous_end);
    node->name = name;
    node->value = object(symbol(p->source->text + start, p->previous_end - start));
    node->cache = d;
    note_assigned(p, name);
    return node;
}

static Declaration *declaration(Parser *p, DeclarationKind kind) {
    Declaration *d = arena_alloc(p->source, sizeof *d);
    d->kind = kind;
    return d;
}

/* function: 'fn' name ['=' symbol] parameters [':' type ['errno']] */
static Ast *function(Parser *p) {
    uint32_t start = p->token.start;
    advance(p);
    String *name = expect_name(p, "the name of the function"), *in_library = symbol_of(p, name);
    Declaration *d = declaration(p, DECLARE_FUNCTION);
    uint32_t types = p->token.start;
    CSignature *s = d->signature = parameters(p, false);
    s->name = name;
    s->symbol = in_library;
    s->result = new_type(p, C_VOID);
    if (!p->panicking && p->token.kind == T_COLON && on_this_line(p)) {
        advance(p);
        Token where = p->token;
        s->result = extern_type(p);
        check_result(p, s, where);
    }
    if (!p->panicking && on_this_line(p) && at_word(p, "errno")) {
        s->gives_errno = true;
        advance(p);
    }
    if (p->panicking) return error_node(p);
    Value text = string_format("%s%.*s", name->text, (int)(p->previous_end - types),
                               p->source->text + types);
    s->text = symbol(text.as.string->text, text.as.string->bytes)->text;
    return declared(p, start, name, d);
}

static void know(Parser *p, String *name, CType *type) {
    struct CNamed *known = arena_alloc(p->source, sizeof *known);
    *known = (struct CNamed){ name, type, p->c_types };
    p->c_types = known;
}

static bool in_list(Parser *p) {
    while (!p->panicking && (p->token.kind == T_COMMA || p->token.kind == T_SEMICOLON)) advance(p);
    return !p->panicking && p->token.kind != T_BRACE_CLOSE && p->token.kind != T_END;
}

static void end_item(Parser *p) {
    int kind = p->token.kind;
    if (p->panicking || p->token.newline || kind == T_COMMA || kind == T_SEMICOLON ||
        kind == T_BRACE_CLOSE)
        return;
    unexpected(p, "a newline, `;` or `}` behind a declaration");
}

/* The type of what lies in memory: T[n] is an array inside it, T* a pointer. */
static CType *field_type(Parser *p) {
    CType *type = extern_type(p);
    if (p->panicking || type->kind != C_POINTER || !type->dims) return type;
    Token where = { .kind = T_NAME, .start = type->dim[0].start, .end = type->dim[0].end };
    if (type->dims > 1 || type->dim[0].name || type->dim[0].number > 4096)
        syntax_error(p, where, "an array in memory has one length here, a number up to 4096");
    type->kind = C_ARRAY;
    type->elements =
        arena_alloc(p->source, (size_t)(type->dim[0].number + 1) * sizeof *type->elements);
    c_layout(type);
    return type;
}

/* variable: name ['=' symbol] ':' ('data' ['free' symbol] | type) */
static Ast *variable(Parser *p) {
    uint32_t start = p->token.start;
    String *name = expect_name(p, "`fn name(...): type`");
    Declaration *d = declaration(p, DECLARE_VARIABLE);
    d->symbol = symbol_of(p, name);
    if (!p->panicking && p->token.kind != T_COLON)
        advise(unexpected(p, "`:` with the type"),
               "as in fn j0(x: double): double, or stdout: handle");
    if (!p->panicking) advance(p);
    if (!p->panicking && at_word(p, "data")) {
        advance(p);
        if (on_this_line(p) && take_word(p, "free", T_NAME, T_NAME))
            d->free = any_name(p, "the function that ends it");
    } else {
        d->type = field_type(p);
    }
    return declared(p, start, name, d);
}

enum { MAX_FIELDS = 64 };
/* The function of a struct: `point({x: 1, y: 2})` is one in C's memory, `point(handle)` reads it.
 */
static Ast *struct_function(Parser *p, uint32_t start, CType *type) {
    Declaration *d = declaration(p, DECLARE_STRUCT);
    CSignature *s = d->signature = arena_alloc(p->source, sizeof *s);
    Value text = string_format("%s(value)", type->name->text);
    s->name = s->symbol = type->name;
    s->text = symbol(text.as.string->text, text.as.string->bytes)->text;
    s->parameter[0].name = SYMBOL("value");
    d->type = type;
    return declared(p, start, type->name, d);
}

/* struct: 'struct' name '{' { name ':' type } '}' */
static void structure(Parser *p) {
    Bracket bracket;
    uint32_t start = p->token.start;
    CType *type = new_type(p, C_STRUCT);
    advance(p);
    type->name = expect_name(p, "the name of the struct");
    type->field = arena_alloc(p->source, MAX_FIELDS * sizeof *type->field);
    type->elements = arena_alloc(p->source, (MAX_FIELDS + 1) * sizeof *type->elements);
    if (!p->panicking && p->token.kind != T_BRACE_OPEN) unexpected(p, "`{` with the fields");
    open_bracket(p, &bracket, IN_BLOCK);
    if (!p->panicking) advance(p);
    while (in_list(p)) {
        if (type->fields == MAX_FIELDS)
            syntax_error(p, p->token, "a struct has at most %d fields here", MAX_FIELDS);
        CField *field = &type->field[type->fields];
        field->name = any_name(p, "a field, as name: type");
        if (!p->panicking && p->token.kind != T_COLON)
            unexpected(p, "`:` with the type of the field");
        if (!p->panicking) advance(p);
        Token where = p->token;
        field->type = field_type(p);
        if (!p->panicking && field->type->kind == C_VOID)
            syntax_error(p, where, "a field cannot be void");
        type->fields++;
        end_item(p);
    }
    close_bracket(p, &bracket, T_BRACE_CLOSE);
    if (!p->panicking && !type->fields) syntax_error(p, p->token, "a struct needs a field");
    if (p->panicking) return;
    c_layout(type);
    know(p, type->name, type);
    push(p, struct_function(p, start, type));
}

/* integer: ['-'] number */
static double integer(Parser *p) {
    bool minus = p->token.kind == T_MINUS;
    if (minus) advance(p);
    if (p->token.kind != T_NUMBER) unexpected(p, "a whole number");
    double n = p->panicking ? 0 : lex_number(p->source->text, p->token);
    if (n != floor(n)) syntax_error(p, p->token, "an enum has whole numbers");
    if (!p->panicking) advance(p);
    return minus ? -n : n;
}

/* enum: 'enum' [name] '{' { name ['=' integer] } '}': its names are numbers of the program */
static void enumeration(Parser *p) {
    Bracket bracket;
    double next = 0;
    advance(p);
    if (p->token.kind == T_NAME)
        know(p, expect_name(p, "a name"), number_type(p, c_number("int", 3)));
    if (!p->panicking && p->token.kind != T_BRACE_OPEN) unexpected(p, "`{` with the names");
    open_bracket(p, &bracket, IN_BLOCK);
    if (!p->panicking) advance(p);
    while (in_list(p)) {
        uint32_t start = p->token.start;
        String *name = any_name(p, "a name of the enum");
        Declaration *d = declaration(p, DECLARE_NUMBER);
        if (!p->panicking && p->token.kind == T_ASSIGN) {
            advance(p);
            next = integer(p);
        }
        d->number = next++;
        push(p, declared(p, start, name, d));
        end_item(p);
    }
    close_bracket(p, &bracket, T_BRACE_CLOSE);
}

static void item(Parser *p) {
    p->token.newline = false;
    if (p->token.kind == T_FN) push(p, function(p));
    else if (at_word(p, "struct") && p->next.kind == T_NAME) structure(p);
    else if (at_word(p, "enum") && (p->next.kind == T_NAME || p->next.kind == T_BRACE_OPEN))
        enumeration(p);
    else push(p, variable(p));
    if (!p->panicking) end_item(p);
}

/* Its one name, or the list of its candidates; nil for the program itself. */
static Value libraries(Parser *p) {
    size_t count = 0;
    Value name[16];
    while (!p->panicking && p->token.kind == T_STRING) {
        Value text = string_constant(p)->value;
        if (count == 16) syntax_error(p, p->token, "an extern names at most 16 candidates");
        else if (text.tag == V_STRING) name[count++] = text;
        if (p->token.kind != T_COMMA) break;
        advance(p);
        if (p->token.kind != T_STRING) unexpected(p, "the name of a library");
    }
    if (count < 2) return count ? name[0] : NIL;
    Value list = list_new(count);
    for (size_t i = 0; i < count; i++) list_set(list, i, name[i]);
    return list;
}

Ast *extern_statement(Parser *p) {
    Bracket bracket;
    uint32_t start = p->token.start;
    size_t mark = p->stack_count;
    advance(p);
    Library *library = arena_alloc(p->source, sizeof *library);
    Value names = libraries(p);
    library->count = names.tag == V_NIL ? 0 : names.tag == V_LIST ? (int)names.as.list->count : 1;
    for (int i = 0; i < library->count; i++)
        library->name[i] = (names.tag == V_LIST ? names.as.list->item[i] : names).as.string;
    if (!p->panicking && p->token.kind != T_BRACE_OPEN) unexpected(p, "`{` after the library");
    open_bracket(p, &bracket, IN_BLOCK);
    if (!p->panicking) advance(p);
    while (!p->panicking && p->token.kind != T_BRACE_CLOSE && p->token.kind != T_END) {
        if (p->token.kind == T_SEMICOLON) advance(p);
        else item(p);
    }
    close_bracket(p, &bracket, T_BRACE_CLOSE);
    Ast *node = new_node(p, A_EXTERN, start, p->previous_end);
    node->cache = library;
    if (library->count) node->value = object(library->name[0]);
    take_kids(p, node, mark);
    return finished(p, node);
}
