/* The parser of `extern`: C's declarations as adl writes them. The one idea: a declaration is read
 * to its end here (its types by parse_ctype.c), so that a wrong one is a syntax error with a caret
 * before anything is loaded.
 *
 *     extern: 'extern' [string {',' string}] '{' { item (newline | ';') } '}'
 *     item:   'fn' name ['=' symbol] parameters [':' type ['errno']]
 *           | name ['=' symbol] ':' ('data' ['free' symbol] | type)    a variable of the library
 *           | 'struct' name '{' { name ':' type (newline | ';' | ',') } '}'
 *           | 'enum' [name] '{' { name ['=' integer] (newline | ';' | ',') } '}'
 *
 * Its words (`out`, `struct`, `free` ...) are plain names everywhere else. Structs and enums are
 * known to the rest of the file. */
#include <math.h>
#include "extern.h"

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
    know_type(p, type->name, type);
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
        know_type(p, expect_name(p, "a name"), number_type(p, c_number("int", 3)));
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
