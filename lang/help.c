/* Help about names. See help.h for the idea. */
#define _GNU_SOURCE /* strcasestr */
#include "help.h"
#include "errors.h"
#include "lex.h"
#include "format.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- keywords ---- */

/*  word          form, what it does, example */
static const struct { const char *word, *form, *doc, *example; } keywords[] = {
    { "if",       "if c { ... } else { ... }", "runs one of two blocks; as a value, that of the block that ran",
                  "x = 3; if x > 2 { \"large\" } else { \"small\" }  => large" },
    { "else",     "if c { ... } else { ... }", "the block that runs when the condition does not hold", "" },
    { "while",    "while c { ... }", "runs a block again and again while the condition holds",
                  "x = 1; while x < 100 { x = 2 * x }; x  => 128" },
    { "for",      "for v in xs { ... }", "runs a block for each item of a list, row of an array, character of a "
                  "text, or number of range(n)", "s = 0; for i in range(4) { s += i }; s  => 6" },
    { "in",       "for v in xs { ... }", "what a `for` walks through stands behind it", "" },
    { "break",    "break", "leaves the innermost loop", "" },
    { "continue", "continue", "goes on with the next turn of the innermost loop", "" },
    { "return",   "return v", "leaves the function with a value; else its last expression is its value", "" },
    { "fn",       "fn name(a, b = 2) { ... }", "defines a function; `##` lines above it are its help",
                  "fn twice(x) { 2 * x }; twice(4)  => 8" },
    { "record",   "record < ... >", "runs statements and records them on the tape, so that backward() can sweep "
                  "them; record(train = false) turns training off",
                  "x = attach_grad(3); record < y = x^2 >; backward(y); grad(x)  => 6" },
    { "pause",    "pause < ... >", "stops recording inside record: what it computes counts as a constant", "" },
    { "import",   "import nn    import \"lib/util.adl\" as util", "runs a file once and gives its names as a struct: "
                  "first beside the importing file, then in ADL_PATH, then in the standard library", "" },
    { "as",       "import \"file.adl\" as name", "names a module", "" },
    { "extern",   "extern \"libm.so.6\" { fn j0(x: double): double }", "makes functions of a C library callable", "" },
    { "try",      "try { ... } catch err { ... }", "runs the second block if the first fails; err.message, err.kind "
                  "and err.line say why", "try { error(\"no\") } catch e { e.message }  => no" },
    { "catch",    "try { ... } catch err { ... }", "the block that runs after an error", "" },
    { "true",     "true", "the truth; counts as 1 in arithmetic", "true + 1  => 2" },
    { "false",    "false", "the untruth; counts as 0 in arithmetic", "false + 1  => 1" },
    { "nil",      "nil", "no value", "type(nil)  => nil" },
    { "and",      "a and b", "true if both conditions hold; b is not looked at if a does not. For masks: logical_and",
                  "1 < 2 and 2 < 3  => true" },
    { "or",       "a or b", "true if one of two conditions holds. For masks: logical_or", "1 > 2 or 2 < 3  => true" },
    { "not",      "not a", "true if the condition does not hold. For masks: logical_not", "not 1 > 2  => true" },
    { "new",      "x[:, new]", "a new axis of length 1, as an index item", "[1, 2][:, new].shape  => [2, 1]" },
};
enum { KEYWORDS = sizeof keywords / sizeof *keywords };

const char *help_keyword(size_t i) { return i < KEYWORDS ? keywords[i].word : NULL; }

static int keyword_number(const char *word) {
    for (int i = 0; i < KEYWORDS; i++)
        if (!strcmp(keywords[i].word, word)) return i;
    return -1;
}

HelpLine help_keyword_line(const char *word) {
    int i = keyword_number(word);
    HelpLine line = { i < 0 ? NULL : "keyword", "" };
    if (i >= 0) snprintf(line.text, sizeof line.text, "%s", keywords[i].doc);
    return line;
}

/* ---- functions ---- */

static const Fn *fn_of(Value v) {
    bool closure = v.tag == V_FUNCTION && v.as.function->call == closure_call;
    return closure ? ((const Closure *)v.as.function)->fn : NULL;
}

static Op operation_of(Value v) {
    const BuiltinRow *row = v.tag == V_FUNCTION ? v.as.function->row : NULL;
    Op op = row ? op_named(row->name) : OP_NONE;
    return op != OP_NONE && row->doc == operations[op].doc ? op : OP_NONE;
}

/* A docstring is its text, then a line `example: ...`. */
static const char *example_in(const char *doc) {
    const char *at = doc ? strstr(doc, "example: ") : NULL;
    return at && (at == doc || at[-1] == '\n') ? at : NULL;
}

/* The description alone, its lines joined, in the pool. */
static const char *doc_text(const char *doc) {
    const char *example = example_in(doc);
    size_t bytes = example ? (size_t)(example - doc) : strlen(doc);
    while (bytes && doc[bytes - 1] == '\n') bytes--;
    char *text = pool_bytes(bytes + 1);
    memcpy(text, doc, bytes);
    text[bytes] = 0;
    for (char *c = text; *c; c++) if (*c == '\n') *c = ' ';
    return text;
}

static const char *doc_of(Value v) {
    if (v.tag != V_FUNCTION) return NULL;
    const BuiltinRow *row = v.as.function->row;
    if (row) return row->doc;
    const Fn *fn = fn_of(v);
    return fn && fn->doc ? doc_text(fn->doc->text) : NULL;
}

static const char *example_of(Value v) {
    if (v.tag != V_FUNCTION) return NULL;
    const BuiltinRow *row = v.as.function->row;
    if (row) return row->example;
    const Fn *fn = fn_of(v);
    const char *example = fn && fn->doc ? example_in(fn->doc->text) : NULL;
    return example ? example + strlen("example: ") : NULL;
}

/* Up to the first stop or semicolon. */
static void first_sentence(char *out, size_t bytes, const char *text) {
    size_t end = 0;
    while (text[end] && text[end] != '\n' && !(strchr(".;", text[end]) && (text[end + 1] == ' ' || !text[end + 1]))) end++;
    snprintf(out, bytes, "%.*s", (int)end, text);
}

HelpLine help_line(Value v) {
    HelpLine line = { type_name(v), "" };
    size_t mark = pool_mark();
    const char *doc = doc_of(v);
    if (v.tag == V_STRUCT && v.as.record->module) line.kind = "module";
    if (operation_of(v) != OP_NONE) line.kind = "operation";
    if (doc) first_sentence(line.text, sizeof line.text, doc);
    else if (v.tag == V_FUNCTION) function_signature(v.as.function, line.text, sizeof line.text);
    else if (v.tag != V_NIL) describe(v, line.text, sizeof line.text);
    pool_unwind(mark);
    return line;
}

/* ---- laying out ---- */

void help_wrapped(Buffer *out, const char *text, int indent, int columns) {
    int column = 0;
    if (columns < indent + 16) columns = indent + 16;
    for (const char *word = text; *word;) {
        size_t bytes = strcspn(word, " \n");
        int width = (int)text_width(word, bytes);
        if (column && column + 1 + width > columns) buffer_char(out, '\n'), column = 0;
        if (column) buffer_char(out, ' '), column++;
        else buffer_spaces(out, indent), column = indent;
        buffer_add(out, word, bytes);
        column += width;
        word += bytes;
        if (*word == '\n') buffer_char(out, '\n'), column = 0;
        word += *word != 0;
    }
    buffer_char(out, '\n');
}

typedef struct Page { Buffer *out; bool colour; int columns; } Page;

static void heading(const Page *p, const char *text) {
    buffer_format(p->out, "%s%s%s\n", p->colour ? "\033[1m" : "", text, p->colour ? "\033[m" : "");
}

static void label(const Page *p, const char *text) {
    buffer_format(p->out, "\n%s%s%s\n", p->colour ? "\033[90m" : "", text, p->colour ? "\033[m" : "");
}

/* "program  => result" as it would look at the prompt. */
static void example(const Page *p, const char *text) {
    if (!text || !*text) return;
    const char *sign = strstr(text, "  => ");
    size_t line = strcspn(text, "\n"), bytes = sign && (size_t)(sign - text) < line ? (size_t)(sign - text) : line;
    label(p, "Example");
    buffer_format(p->out, "  adl> %.*s\n", (int)bytes, text);
    if (bytes < line) buffer_format(p->out, "  %.*s\n", (int)(line - bytes - 5), text + bytes + 5);
}

/* ---- see also ---- */

enum { MOST_RELATIVES = 6 };
typedef struct Relatives { const char *name[MOST_RELATIVES]; int count; const char *own; } Relatives;

static void add_relative(Relatives *r, const char *name) {
    if (r->count == MOST_RELATIVES || !strcmp(name, r->own)) return;
    for (int i = 0; i < r->count; i++)
        if (!strcmp(r->name[i], name)) return;
    r->name[r->count++] = name;
}

static bool is_callable(Op op) {
    const Operation *o = &operations[op];
    return op > OP_NONE && op < OP_COUNT && o->prints && o->prints[0] && (op < OP_ELEMS || o->signature);
}

/* Names that the description mentions with a bracket, or that are functions of the library and no words. */
static void add_mentioned(Relatives *r, const char *doc) {
    Lexer lexer = lex_start(doc, strlen(doc), false);
    for (Token t = lex_next(&lexer); t.kind != T_END; t = lex_next(&lexer)) {
        String *name = t.kind == T_NAME && t.end - t.start > 2 ? symbol_known(doc + t.start, t.end - t.start) : NULL;
        Value *v = name ? library_find(name) : NULL;
        bool called = doc[t.end] == '(' || strchr(name ? name->text : "", '_');
        if (v && v->tag == V_FUNCTION && called) add_relative(r, name->text);
    }
}

/* The neighbours in the table of operations are a family. */
static void add_neighbours(Relatives *r, Op op) {
    for (int step = 1; step <= 3; step++)
        for (int side = -1; side <= 1; side += 2) {
            int other = (int)op + side * step;
            bool near = other > OP_NONE && other < OP_COUNT && (other < OP_ELEMS) == (op < OP_ELEMS);
            if (near && is_callable((Op)other)) add_relative(r, operations[other].name);
        }
}

static void see_also(const Page *p, const char *name, const char *doc, Op op) {
    Relatives r = { .own = name };
    add_mentioned(&r, doc);
    if (op != OP_NONE) add_neighbours(&r, op);
    if (!r.count) return;
    label(p, "See also");
    Buffer line = { 0 };
    for (int i = 0; i < r.count; i++) buffer_format(&line, "%s%s", i ? ", " : "", r.name[i]);
    buffer_char(&line, 0);
    help_wrapped(p->out, line.text, 2, p->columns);
}

/* ---- topics ---- */

static void derivative(const Page *p, Value v, Op op) {
    const Fn *fn = fn_of(v);
    Buffer text = { 0 };
    if (op != OP_NONE) help_rule(&text, op);
    else if (fn) buffer_text(&text, "that of the operations it is made of");
    else return;
    buffer_char(&text, 0);
    label(p, "Derivative");
    help_wrapped(p->out, text.text, 2, p->columns);
}

static void about_function(const Page *p, const char *name, Value v) {
    char signature[300];
    const char *doc = doc_of(v);
    const Fn *fn = fn_of(v);
    Op op = operation_of(v);
    heading(p, function_signature(v.as.function, signature, sizeof signature));
    if (doc) help_wrapped(p->out, doc, 2, p->columns);
    else help_wrapped(p->out, "no description; `##` lines above its `fn` would be one", 2, p->columns);
    Place place = fn ? place_of(fn->span) : (Place){ 0 };
    if (place.source && !place.source->library)
        buffer_format(p->out, "  defined at %s:%u\n", place.source->name->text, place.line);
    derivative(p, v, op);
    example(p, example_of(v));
    see_also(p, name, doc ? doc : "", op);
}

static void about_module(const Page *p, const char *name, const Struct *module) {
    heading(p, name);
    for (size_t i = 0; i < module->count; i++) {
        HelpLine line = help_line(module->field[i].value);
        Buffer text = { 0 };
        buffer_format(&text, "%s.%s: %s", name, module->field[i].name->text, line.text);
        buffer_char(&text, 0);
        help_wrapped(p->out, text.text, 2, p->columns);
    }
}

static void about_value(const Page *p, const char *name, Value v) {
    char text[200];
    if (v.tag == V_FUNCTION) about_function(p, name, v);
    else if (v.tag == V_STRUCT && v.as.record->module) about_module(p, name, v.as.record);
    else {
        heading(p, name);
        buffer_format(p->out, "  a variable: %s\n", describe(v, text, sizeof text));
    }
}

static void about_keyword(const Page *p, int i) {
    heading(p, keywords[i].form);
    help_wrapped(p->out, keywords[i].doc, 2, p->columns);
    example(p, keywords[i].example);
}

/* Each line of the text behind two spaces. */
static void put_indented(const Page *p, const char *text) {
    for (const char *end; *text; text = *end ? end + 1 : end) {
        end = text + strcspn(text, "\n");
        buffer_format(p->out, "  %.*s\n", (int)(end - text), text);
    }
}

static void about_message(const Page *p, const MessageRow *row) {
    heading(p, row->title);
    help_wrapped(p->out, row->explanation, 2, p->columns);
    label(p, "Example");
    put_indented(p, row->example);
    char *message = message_of_example(row, p->colour, p->columns - 2);
    if (!message) return;
    buffer_char(p->out, '\n');
    put_indented(p, message);
    free(message);
}

/* The value of a name, a global before one of the library. */
static bool value_named(Module *module, const char *text, size_t bytes, Value *v) {
    String *name = symbol(text, bytes);
    Value *global = module_global(module, name), *library = library_find(name);
    if (global && global->tag != V_UNSET) *v = *global;
    else if (library && library->tag != V_UNSET) *v = *library;
    else return false;
    return true;
}

static bool value_of_path(Module *module, const char *topic, Value *v) {
    size_t bytes = strcspn(topic, ".");
    if (!bytes || !value_named(module, topic, bytes, v)) return false;
    for (const char *at = topic + bytes; *at; at += bytes) {
        bytes = strcspn(++at, ".");
        Value *field = v->tag == V_STRUCT ? struct_find(*v, symbol(at, bytes)) : NULL;
        if (!field) return false;
        *v = *field;
    }
    return true;
}

/* The operation that a sign stands for: the one with more inputs first. */
static const char *name_of_sign(const char *sign) {
    const char *name = NULL;
    if (!strcmp(sign, "**")) sign = "^";
    for (Op op = OP_NONE + 1; op < OP_COUNT; op++)
        if (!strcmp(operations[op].prints, sign) && (!name || operations[op].arity == 2)) name = operations[op].name;
    return !strcmp(sign, "'") ? "transpose" : name;
}

static void about_sign(const Page *p, const char *sign, const char *name) {
    Op op = op_named(name);
    const Operation *o = &operations[op];
    Buffer text = { 0 };
    buffer_format(&text, o->arity == 1 || *sign == '\'' ? "%s" : "a %s b", sign);
    buffer_char(&text, 0);
    heading(p, text.text);
    help_wrapped(p->out, o->doc, 2, p->columns);
    derivative(p, NIL, op);
    example(p, o->example);
    see_also(p, o->name, o->doc, op);
}

bool help_topic(Buffer *out, Module *module, const char *topic, bool colour, int columns) {
    Page p = { out, colour, columns };
    Value v;
    int keyword = keyword_number(topic);
    const char *sign = name_of_sign(topic);
    const MessageRow *message = message_row(topic);
    if (message) about_message(&p, message);
    else if (keyword >= 0) about_keyword(&p, keyword);
    else if (value_of_path(module, topic, &v)) about_value(&p, topic, v);
    else if (sign && *topic && strcmp(topic, CALL)) about_sign(&p, topic, sign);
    else return false;
    return true;
}

/* ---- searching ---- */

typedef struct Found { String *name; Value value; } Found;
typedef struct Search { const char *word; Found *found; size_t count, capacity; } Search;

static void add_if_found(String *name, Value v, void *env) {
    Search *s = env;
    const char *doc = doc_of(v);
    if (v.tag == V_UNSET || (!strcasestr(name->text, s->word) && !(doc && strcasestr(doc, s->word)))) return;
    if (s->count == s->capacity) {
        Found *more = pool_bytes((s->capacity = 2 * s->capacity + 64) * sizeof *more);
        if (s->count) memcpy(more, s->found, s->count * sizeof *more);
        s->found = more;
    }
    s->found[s->count++] = (Found){ name, v };
}

/* Names first, of those that begin with the word first, then descriptions. */
static int rank(const Found *f, const char *word) {
    const char *at = strcasestr(f->name->text, word);
    return !at ? 2 : at != f->name->text;
}

static const char *sorted_word;
static int by_rank(const void *a, const void *b) {
    int order = rank(a, sorted_word) - rank(b, sorted_word);
    return order ? order : strcmp(((const Found *)a)->name->text, ((const Found *)b)->name->text);
}

static void put_line(const Page *p, const char *name, const char *text) {
    enum { NAME_COLUMNS = 18 };
    int width = (int)text_width(name, strlen(name)), room = p->columns - NAME_COLUMNS - 1;
    buffer_format(p->out, "%s%s%s", p->colour ? "\033[1m" : "", name, p->colour ? "\033[m" : "");
    buffer_spaces(p->out, width < NAME_COLUMNS ? NAME_COLUMNS - width : 1);
    size_t end = 0, bytes = strlen(text);
    for (size_t next; end < bytes && (int)text_width(text, next = text_next(text, bytes, end)) <= room; end = next) { }
    buffer_add(p->out, text, end);
    buffer_char(p->out, '\n');
}

int help_search(Buffer *out, Module *module, const char *word, bool colour, int columns) {
    Page p = { out, colour, columns };
    Search s = { .word = word };
    int keyword_count = 0;
    for (size_t i = 0; i < module->set_up; i++) add_if_found(module->names.name[i], module->globals[i], &s);
    library_each(add_if_found, &s);
    sorted_word = word;
    if (s.count) qsort(s.found, s.count, sizeof *s.found, by_rank);
    for (size_t i = 0; i < s.count; i++) put_line(&p, s.found[i].name->text, help_line(s.found[i].value).text);
    for (int i = 0; i < KEYWORDS; i++) {
        if (!strcasestr(keywords[i].word, word) && !strcasestr(keywords[i].doc, word)) continue;
        put_line(&p, keywords[i].word, keywords[i].doc);
        keyword_count++;
    }
    return (int)s.count + keyword_count;
}

static void try_name(String *name, Value v, void *nearest) {
    if (v.tag != V_UNSET) nearest_try(nearest, name->text);
}

const char *help_nearest(Module *module, const char *topic) {
    Nearest nearest = { .text = topic };
    for (size_t i = 0; i < module->set_up; i++) try_name(module->names.name[i], module->globals[i], &nearest);
    library_each(try_name, &nearest);
    for (int i = 0; i < KEYWORDS; i++) nearest_try(&nearest, keywords[i].word);
    return nearest.best;
}
