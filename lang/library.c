/* The library: the table of names that every module falls back to. The one idea: an open-addressing
 * table from symbol to value whose values never move, so that a node may remember a name's place.
 */
#include "eval.h"
#include "format.h"
#include <string.h>

enum { LIBRARY_SLOTS = 4096 };
typedef struct Entry { String *name; Value value; } Entry;
static Entry *entries;           /* of the running interpreter */

static BuiltinRow rows[] = {
#define BUILTIN(name, signature, doc, example)                                                     \
    { #name, signature, doc, example, builtin_##name, OP_NONE, false, false, NULL },
#include "builtins.def"
#undef BUILTIN
};
enum { ROWS = sizeof rows / sizeof *rows };
static BuiltinRow operation_rows[OP_COUNT];

static Entry *entry_of(String *name) {
    size_t at = ((uintptr_t)name >> 4) * 2654435761u;
    for (;; at++) {
        Entry *entry = &entries[at % LIBRARY_SLOTS];
        if (!entry->name || entry->name == name) return entry;
    }
}

Value *library_find(String *name) {
    Entry *entry = entry_of(name);
    return entry->name ? &entry->value : NULL;
}

void library_put(String *name, Value v) {
    Entry *entry = entry_of(name);
    if (!entry->name) *entry = (Entry){ name, UNSET };
    value_store(&entry->value, v);
}

void library_each(void (*each)(String *name, Value v, void *env), void *env) {
    for (size_t i = 0; i < LIBRARY_SLOTS; i++) {
        if (entries[i].name) each(entries[i].name, entries[i].value, env);
    }
}

/* ---- signatures ---- */

/* The end of a default value's text: the next comma or bracket outside brackets and strings. */
static const char *skip_default(const char *at) {
    int depth = 0;
    for (bool quoted = false; *at; at++) {
        if (*at == '\\') { at++; continue; }
        if (*at == '"') quoted = !quoted;
        if (quoted) continue;
        if (depth == 0 && (*at == ',' || *at == ')')) return at;
        depth += (*at == '(' || *at == '[') - (*at == ')' || *at == ']');
    }
    return at;
}

static const char *skip_spaces(const char *at) {
    while (*at == ' ' || *at == ',') at++;
    return at;
}

/* parameter: ['*'] name ['=' default] */
static const char *parse_parameter(Signature *s, String **parameter, const char *at) {
    bool collects = *at == '*';
    at += collects;
    size_t bytes = strcspn(at, " ,=)");
    parameter[s->count] = symbol(at, bytes);
    at = skip_spaces(at + bytes);
    if (collects) {
        s->rest = (int32_t)s->count;
    } else if (*at == '=') {
        at = skip_default(skip_spaces(at + 1));
    } else if (s->required == s->count) {
        s->required++;
    }
    s->count++;
    return at;
}

enum { MAX_PARAMETERS = 16 };

/* Read on the stack first: what it is kept in is the last thing that can fail. */
Signature *signature_parse(const char *name, const char *text) {
    String *parameter[MAX_PARAMETERS];
    Signature read = { .name = name, .text = text, .rest = -1 };
    for (const char *at = skip_spaces(text + 1); *at && *at != ')'; at = skip_spaces(at)) {
        at = parse_parameter(&read, parameter, at);
    }
    Signature *s = mem_alloc(sizeof *s + MAX_PARAMETERS * sizeof(String *));
    *s = read;
    s->parameter = memcpy(s + 1, parameter, read.count * sizeof *parameter);
    return s;
}

const Signature *row_signature(BuiltinRow *row) {
    if (!row->parsed) row->parsed = signature_parse(row->name, row->signature);
    return row->parsed;
}

/* ---- filling ---- */

static void put_row(BuiltinRow *row) {
    library_put(symbol(row->name, strlen(row->name)), builtin_value(row));
}

/* Rows that are elementwise in what they mean, though not in how they are written. */
static bool maps_over_trees(const char *name) {
    static const char *const names[] = { "zeros_like", "ones_like", "full_like", "where", "clip",
                                         "f32",        "f64",       "bool",      "round" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!strcmp(name, names[i])) return true;
    }
    return false;
}

static void put_operation(Op op) {
    const Operation *o = &operations[op];
    bool elementwise = op < OP_ELEMS;
    if (elementwise ? !o->prints[0] : !o->signature || !o->call) return;
    const char *signature = !elementwise    ? o->signature
                            : o->signature  ? o->signature
                            : o->arity == 1 ? "(x)"
                                            : "(x, y)";
    if (!operation_rows[op].name)
        operation_rows[op] = (BuiltinRow){ o->name,
                                           signature,
                                           o->doc,
                                           o->example,
                                           o->call,
                                           elementwise ? op : OP_NONE,
                                           maps_over_trees(o->name),
                                           op != OP_seed,
                                           NULL };
    put_row(&operation_rows[op]);
}

/* Builtins that only compute. */
static const char *const pure_builtins[] = {
    "type",  "len",    "equal", "range",  "zip",   "enumerate",      "append",  "concat",
    "keys",  "values", "str",   "format", "split", "join",           "replace", "contains",
    "lower", "upper",  "trim",  "detach", "grad",  "value_and_grad",
};

static void mark_pure(BuiltinRow *row) {
    for (size_t i = 0; i < sizeof pure_builtins / sizeof *pure_builtins; i++) {
        if (!strcmp(row->name, pure_builtins[i])) row->pure = true;
    }
}

static void put_number(const char *name, double x) {
    library_put(symbol(name, strlen(name)), number(x));
}

static int libraries;            /* open ones; the rows and their signatures are everybody's */

void library_open(void) {
    size_t mark = pool_mark();
    entries = mem_alloc_zeroed(LIBRARY_SLOTS * sizeof *entries);
    libraries++;
    for (Op op = OP_NONE + 1; op < OP_COUNT; op++) put_operation(op);
    for (size_t i = 0; i < ROWS; i++) {
        mark_pure(&rows[i]);
        put_row(&rows[i]);
    }
    put_number("pi", 3.14159265358979323846);
    put_number("inf", __builtin_inf());
    put_number("nan", __builtin_nan(""));
    format_signature = function_signature;
    pool_unwind(mark);
}

static void free_signature(BuiltinRow *row) {
    if (row->parsed) mem_free(row->parsed, sizeof *row->parsed + MAX_PARAMETERS * sizeof(String *));
    row->parsed = NULL;
}

void *library_exchange(void *other) {
    void *mine = entries;
    entries = other;
    return mine;
}

void library_close(void) {
    for (size_t i = 0; entries && i < LIBRARY_SLOTS; i++)
        if (entries[i].name) value_release(entries[i].value);
    if (entries) libraries--;
    mem_free(entries, LIBRARY_SLOTS * sizeof *entries);
    entries = NULL;
    if (libraries) return;
    for (size_t i = 0; i < ROWS; i++) free_signature(&rows[i]);
    for (Op op = OP_NONE; op < OP_COUNT; op++) free_signature(&operation_rows[op]);
}
