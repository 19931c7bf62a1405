/* Help about names. See help.h for the idea. */
#define _GNU_SOURCE /* strcasestr */
#include "help.h"
#include "screen.h"
#include "diag.h"
#include "doc.h"
#include "format.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- keywords ---- */

static const struct { const char *word, *doc; } keywords[] = {
    { "if",       "runs one of two blocks; as a value, that of the block that ran" },
    { "else",     "begins the block that runs when the condition does not hold" },
    { "while",    "runs a block again and again while a condition holds" },
    { "for",      "runs a block for each item of a list, row of an array, or number of range(n)" },
    { "in",       "stands before what a `for` walks through" },
    { "break",    "leaves the innermost loop" },
    { "continue", "goes on with the next turn of the innermost loop" },
    { "return",   "leaves a function with a value" },
    { "fn",       "defines a function; `##` lines above it are its description" },
    { "record",   "runs statements and records them on the tape, for backward()" },
    { "pause",    "stops recording inside record" },
    { "import",   "runs a file once and gives its names as a struct" },
    { "as",       "names an imported module: import \"lib/util.adl\" as util" },
    { "extern",   "makes functions of a C library callable" },
    { "try",      "runs a second block if the first one fails" },
    { "catch",    "begins the block that runs after an error" },
    { "true",     "the truth; counts as 1 in arithmetic" },
    { "false",    "the untruth; counts as 0 in arithmetic" },
    { "nil",      "no value" },
    { "and",      "true if both conditions hold; for masks: logical_and" },
    { "or",       "true if one of two conditions holds; for masks: logical_or" },
    { "not",      "true if the condition does not hold; for masks: logical_not" },
    { "new",      "a new axis of length 1, as an index item: x[:, new]" },
};
enum { KEYWORDS = sizeof keywords / sizeof *keywords };

const char *help_keyword(size_t i, const char **about) {
    if (i >= KEYWORDS) return NULL;
    *about = keywords[i].doc;
    return keywords[i].word;
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
static const char *plain_doc(const char *doc) {
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
    return fn && fn->doc ? plain_doc(fn->doc->text) : NULL;
}

/* Up to the first stop or semicolon. */
static void first_sentence(char *out, size_t bytes, const char *text) {
    size_t end = 0;
    while (text[end] && text[end] != '\n' &&
           !(strchr(".;", text[end]) && (text[end + 1] == ' ' || !text[end + 1])))
        end++;
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

typedef struct Page { Buffer *out; bool colour; int columns; } Page;

static void heading(const Page *p, const char *text) {
    buffer_format(p->out, "%s%s%s\n", p->colour ? "\033[1m" : "", text, p->colour ? "\033[m" : "");
}

/* "program  => result" as it would look at the prompt. */
static void example(const Page *p, const char *text) {
    const char *sign = strstr(text, "  => ");
    size_t line = strcspn(text, "\n"),
           bytes = sign && (size_t)(sign - text) < line ? (size_t)(sign - text) : line;
    buffer_format(p->out, "\n    adl> %.*s\n", (int)bytes, text);
    if (bytes < line)
        buffer_format(p->out, "    %.*s\n", (int)(line - bytes - 5), text + bytes + 5);
}

/* ---- topics ---- */

static void about_function(const Page *p, Value v) {
    char signature[300];
    const char *doc = doc_of(v), *sample = NULL;
    const Fn *fn = fn_of(v);
    heading(p, function_signature(v.as.function, signature, sizeof signature));
    buffer_char(p->out, '\n');
    wrap_text(p->out, doc ? doc : "No description; `##` lines above its `fn` would be one.", 4,
              p->columns);
    Place place = fn ? place_of(fn->span) : (Place){ 0 };
    if (place.source && !place.source->library)
        buffer_format(p->out, "    Defined at %s:%u.\n", place.source->name->text, place.line);
    if (fn) {
        buffer_char(p->out, '\n');
        wrap_text(p->out, "Derivative: that of the operations it is made of.", 4, p->columns);
        sample = fn->doc ? example_in(fn->doc->text) : NULL;
    }
    if (sample) example(p, sample + strlen("example: "));
}

static void about_module(const Page *p, const char *name, const Struct *module) {
    heading(p, name);
    for (size_t i = 0; i < module->count; i++) {
        HelpLine line = help_line(module->field[i].value);
        Buffer text = { 0 };
        buffer_format(&text, "%s.%s: %s", name, module->field[i].name->text, line.text);
        buffer_char(&text, 0);
        wrap_text(p->out, text.text, 2, p->columns);
    }
}

static void about_value(const Page *p, const char *name, Value v) {
    char text[200];
    if (v.tag == V_FUNCTION) about_function(p, v);
    else if (v.tag == V_STRUCT && v.as.record->module) about_module(p, name, v.as.record);
    else {
        heading(p, name);
        buffer_format(p->out, "  a variable: %s\n", describe(v, text, sizeof text));
    }
}

/* What a variable of the session, or a field of one, holds. */
static bool value_of_path(Module *module, const char *topic, Value *v) {
    size_t bytes = strcspn(topic, ".");
    String *name = symbol_known(topic, bytes);
    Value *place = name ? module_global(module, name) : NULL;
    if (!place || place->tag == V_UNSET) return false;
    *v = *place;
    for (const char *at = topic + bytes; *at; at += bytes) {
        bytes = strcspn(++at, ".");
        name = symbol_known(at, bytes);
        Value *field = name && v->tag == V_STRUCT ? struct_find(*v, name) : NULL;
        if (!field) return false;
        *v = *field;
    }
    return true;
}

/* What the manual calls it. */
static const char *in_manual(const char *topic) {
    static const char *const names[][2] = {
        { "'", "transpose" }, { "**", "^" }, { "->", "fn" }, { "<>", "record" }
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(names[i][0], topic)) return names[i][1];
    return topic;
}

static bool about_keyword(const Page *p, const char *topic) {
    for (size_t i = 0; i < KEYWORDS; i++) {
        if (strcmp(keywords[i].word, topic)) continue;
        heading(p, topic);
        wrap_text(p->out, keywords[i].doc, 4, p->columns);
        return true;
    }
    return false;
}

static bool about_entry(const Page *p, const char *topic) {
    char *text = doc_text(in_manual(topic), p->columns, p->colour);
    if (text) buffer_text(p->out, text);
    free(text);
    return text != NULL;
}

/* A module of the session that is of the standard library, and its functions, are in the manual
 * too. */
bool help_topic(Buffer *out, Module *module, const char *topic, bool colour, int columns) {
    Page p = { out, colour, columns };
    Value v;
    bool own = value_of_path(module, topic, &v);
    bool of_library = own && (fn_of(v) ? place_of(fn_of(v)->span).source->library
                                       : v.tag == V_STRUCT && v.as.record->module);
    if (own && !(of_library && about_entry(&p, topic))) about_value(&p, topic, v);
    else if (!own && !about_entry(&p, topic) && !about_keyword(&p, topic)) return false;
    return true;
}

/* ---- searching ---- */

typedef struct Found { char *name, *text; } Found;
typedef struct Search { const char *word; Found *found; size_t count, capacity; } Search;

static char *copy(const char *text) {
    size_t bytes = strlen(text) + 1;
    return memcpy(pool_bytes(bytes), text, bytes);
}

static void add_if_found(const char *name, const char *text, void *env) {
    Search *s = env;
    if (!strcasestr(name, s->word) && !strcasestr(text, s->word)) return;
    if (s->count == s->capacity) {
        Found *more = pool_bytes((s->capacity = 2 * s->capacity + 64) * sizeof *more);
        if (s->count) memcpy(more, s->found, s->count * sizeof *more);
        s->found = more;
    }
    s->found[s->count++] = (Found){ copy(name), copy(text) };
}

/* Names that begin with the word, names that contain it, descriptions. */
static const char *sorted_word;
static int rank(const Found *f) {
    const char *at = strcasestr(f->name, sorted_word);
    return !at ? 2 : at != f->name;
}

static int by_rank(const void *a, const void *b) {
    int order = rank(a) - rank(b);
    return order ? order : strcmp(((const Found *)a)->name, ((const Found *)b)->name);
}

static void put_line(const Page *p, const char *name, const char *text) {
    enum { NAME_COLUMNS = 18, NARROW = 50 };
    int width = (int)text_width(name, strlen(name)), room = p->columns - NAME_COLUMNS - 1;
    buffer_format(p->out, "%s%s%s", p->colour ? "\033[1m" : "", name, p->colour ? "\033[m" : "");
    if (p->columns < NARROW) {
        buffer_char(p->out, '\n');
        wrap_text(p->out, text, 2, p->columns);
        return;
    }
    buffer_spaces(p->out, width < NAME_COLUMNS ? NAME_COLUMNS - width : 1);
    size_t end = 0, bytes = strlen(text);
    bool whole = (int)text_width(text, bytes) <= room;
    for (size_t next;
         end < bytes && (int)text_width(text, next = text_next(text, bytes, end)) <= room - !whole;
         end = next) {}
    while (!whole && end && text[end] != ' ' && text[end - 1] != ' ') end--;   /* whole words */
    while (!whole && end && text[end - 1] == ' ') end--;
    buffer_add(p->out, text, end);
    buffer_text(p->out, whole ? "\n" : "\u2026\n");
}

int help_search(Buffer *out, Module *module, const char *word, bool colour, int columns) {
    Page p = { out, colour, columns };
    Search s = { .word = word };
    for (size_t i = 0; i < module->set_up; i++)
        if (module->globals[i].tag != V_UNSET)
            add_if_found(module->names.name[i]->text, help_line(module->globals[i]).text, &s);
    doc_each(add_if_found, &s);
    for (size_t i = 0; i < KEYWORDS; i++) add_if_found(keywords[i].word, keywords[i].doc, &s);
    sorted_word = word;
    if (s.count) qsort(s.found, s.count, sizeof *s.found, by_rank);
    for (size_t i = 0; i < s.count; i++) put_line(&p, s.found[i].name, s.found[i].text);
    return (int)s.count;
}

const char *help_nearest(Module *module, const char *topic) {
    Nearest nearest = { .text = topic };
    for (size_t i = 0; i < module->set_up; i++)
        if (module->globals[i].tag != V_UNSET) nearest_try(&nearest, module->names.name[i]->text);
    return nearest.best ? nearest.best : doc_nearest(topic);
}
