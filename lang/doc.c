/* The manual's text: chapters written by hand (lang/manual), and those that are tables. Each entry
 * is a section "### name(parameters)" with one paragraph, the derivative rule, an example and its
 * relatives.
 *
 * The part of Markdown used: headings, paragraphs, ``` code, `- ` lists, tables, `code` and
 * **bold**. */
#define _GNU_SOURCE
#include "doc.h"
#include "diag.h"
#include "doc_rule.h"
#include "errors.h"
#include "eval.h"
#include "lex.h"
#include "module.h"
#include <stdlib.h>
#include <string.h>

/* ---- what has an entry ---- */

/* A function of adl. Texts of operations and builtins live for ever, those of the library's files
 * in their trees. */
typedef struct Entry {
    const char *name, *signature, *doc, *example, *module; /* module: NULL if it needs no import */
    Op op;
    int bytes_of_name, bytes_of_signature, bytes_of_doc, bytes_of_example;
} Entry;

static Entry *entries;
static size_t entry_count, entry_capacity;

static void add_entry(Entry e) {
    if (entry_count == entry_capacity) {
        Entry *grown =
            realloc(entries, (entry_capacity = 2 * entry_capacity + 64) * sizeof *entries);
        if (!grown) return;
        entries = grown;
    }
    entries[entry_count++] = e;
}

static bool is_callable(const Operation *o, Op op) {
    return op < OP_ELEMS ? o->prints[0] != 0 : o->signature && o->call;
}

static void add_operations(void) {
    for (Op op = OP_NONE + 1; op < OP_COUNT; op++) {
        const Operation *o = &operations[op];
        if (!is_callable(o, op)) continue;
        const char *signature = o->signature ? o->signature : o->arity == 1 ? "(x)" : "(x, y)";
        add_entry((Entry){ o->name, signature, o->doc, o->example, NULL, op, (int)strlen(o->name),
                           (int)strlen(signature), (int)strlen(o->doc), (int)strlen(o->example) });
    }
}

static void add_builtins(void) {
    static const struct { const char *name, *signature, *doc, *example; } rows[] = {
#define BUILTIN(name, signature, doc, example) { #name, signature, doc, example },
#include "builtins.def"
#undef BUILTIN
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        add_entry((Entry){ rows[i].name, rows[i].signature, rows[i].doc, rows[i].example, NULL,
                           OP_NONE, (int)strlen(rows[i].name), (int)strlen(rows[i].signature),
                           (int)strlen(rows[i].doc), (int)strlen(rows[i].example) });
}

/* "example: program  => value" ends a docstring; what stands before is its text. */
static void add_function(const Fn *fn, const char *module) {
    const char *doc = fn->doc->text, *example = strstr(doc, "example: ");
    int doc_bytes = example ? (int)(example - doc) : (int)strlen(doc);
    while (doc_bytes && (doc[doc_bytes - 1] == '\n' || doc[doc_bytes - 1] == ' ')) doc_bytes--;
    if (example) example += strlen("example: ");
    Place head = place_of(fn->span);
    const char *text = head.source->text + head.start,
               *open = memchr(text, '(', head.end - head.start);
    int depth = 0, bytes = 0;
    for (const char *at = open; at && *at; at++) {
        depth += (*at == '(') - (*at == ')');
        if (depth == 0) { bytes = (int)(at - open) + 1; break; }
    }
    add_entry((Entry){ fn->name->text, open ? open : "", doc, example ? example : "", module,
                       OP_NONE, (int)strlen(fn->name->text), bytes, doc_bytes,
                       example ? (int)strcspn(example, "\n") : 0 });
}

/* Is the library's function of that name this one? Then no import is needed. */
static bool is_in_library(const Fn *fn, const EmbeddedFile *file) {
    Value *v = library_find(fn->name);
    if (!v || v->tag != V_FUNCTION || v->as.function->call != closure_call) return false;
    Source *source = place_of(((Closure *)v->as.function)->fn->span).source;
    return source && !strcmp(source->name->text, file->name);
}

/* Those of its functions that are, or are not, in the library. */
static void add_file(const EmbeddedFile *file, bool library) {
    Parsed parsed = parse(source_new(file->name, file->text, file->bytes));
    for (uint32_t i = 0; i < parsed.program->count; i++) {
        const Ast *node = parsed.program->kids[i];
        if (node->kind == A_FN && node->fn->doc && is_in_library(node->fn, file) == library)
            add_function(node->fn, library ? NULL : file->name);
    }
}

static void find_entries(void) {
    if (entries) return;
    add_operations();
    add_builtins();
    for (const EmbeddedFile *file = embedded_files; file->name; file++) add_file(file, true);
    for (const EmbeddedFile *file = embedded_files; file->name; file++) add_file(file, false);
}

static bool is_named(const Entry *e, const char *name) {
    size_t module = e->module ? strlen(e->module) : 0;
    if (module && !strncmp(name, e->module, module) && name[module] == '.') name += module + 1;
    if (!strcmp(name, e->name)) return true;
    const char *sign = e->op != OP_NONE ? operations[e->op].prints : CALL;
    return sign[0] != '(' && !strcmp(name, sign);
}

/* Where a family of operations begins, as in ops.def. */
static const struct { const char *first, *title;
} families[] = {
    { "add", "Arithmetic" },
    { "sqrt", "Roots, exponentials, logarithms" },
    { "sin", "Trigonometric and hyperbolic functions" },
    { "sigmoid", "Activations" },
    { "erf", "Special functions" },
    { "maximum", "Selections" },
    { "eq", "Comparisons and tests" },
    { "sum", "Reductions and lines" },
    { "reshape", "Shapes" },
    { "where", "Indices" },
    { "zeros", "Making arrays" },
    { "matmul", "Linear algebra" },
    { "conv2d", "Networks" },
    { "seed", "Random draws" },
    { "type", "Values" },
    { "range", "Sequences" },
    { "print", "Text" },
    { "read_text", "Files" },
    { "attach_grad", "Recording and sweeping" },
    { "tape", "Looking at the tape" },
    { "terminal", "The terminal, pictures" },
    { "pack", "Checking derivatives" },
    { "plot", "Plots" },
    { "mean", "Functions written in adl" },
};

static const char *family_of(const Entry *e) {
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        if (!e->module && !strcmp(e->name, families[i].first)) return families[i].title;
    return NULL;
}

/* ---- an entry ---- */

/* The text of a rule, for free(); NULL if there is none. */
static char *rule_copy(Op op, int which) {
    size_t mark = pool_mark();
    Buffer text = { 0 };
    char *copy = rule_text(op, which, &text) ? strndup(text.text, text.bytes) : NULL;
    pool_unwind(mark);
    return copy;
}

/* One item for the inputs whose rules read the same; add has one for each. */
static void put_rules(FILE *out, Op op) {
    enum { MOST = 8 };
    char name[24], *text[MOST];
    int inputs = rule_inputs(op) < MOST ? rule_inputs(op) : MOST, shown = 0;
    for (int i = 0; i < inputs; i++) text[i] = rule_copy(op, i);
    for (int i = 0; i < inputs; i++) {
        if (!text[i]) continue;
        if (!shown++) fputs("\nDerivative, where `g` is the adjoint of the result `r`:\n\n", out);
        fprintf(out, "- by `%s`", rule_input(op, i, name, sizeof name));
        for (int k = i + 1; k < inputs && op != OP_add; k++) {
            if (!text[k] || strcmp(text[k], text[i])) continue;
            fprintf(out, " and `%s`", rule_input(op, k, name, sizeof name));
            free(text[k]);
            text[k] = NULL;
        }
        fprintf(out, ": `%s`\n", text[i]);
        free(text[i]);
    }
}

static void put_derivative(FILE *out, Op op) {
    switch (operations[op].class) {
    case C_FLAT: case C_TEST: fputs("\nDerivative: 0 everywhere; it is flat.\n", out); return;
    case C_CONSTANT:
        fputs("\nDerivative: none; its value is a constant of the recording.\n", out);
        return;
    case C_COMPOSED:
        fputs("\nIts derivative is that of the operations it is composed of.\n", out);
        return;
    default: put_rules(out, op);
    }
}

static void put_example(FILE *out, const char *text, int bytes) {
    const char *sign = NULL;
    for (const char *at = text; (at = strstr(at, "  => ")) && at < text + bytes; at++) sign = at;
    if (!bytes) return;
    if (!sign) fprintf(out, "\n```adl\n%.*s\n```\n", bytes, text);
    else
        fprintf(out, "\n```adl\n%.*s    # => %.*s\n```\n", (int)(sign - text), text,
                bytes - (int)(sign + 5 - text), sign + 5);
}

static bool same_place(const Entry *a, const Entry *b) {
    if (a->module || b->module) return a->module && b->module && !strcmp(a->module, b->module);
    return (a->op == OP_NONE) == (b->op == OP_NONE);
}

/* Its neighbours in the family, nearest first. */
static void put_relatives(FILE *out, const Entry *e) {
    const Entry *first = e, *last = e;
    while (first > entries && first > e - 4 && !family_of(first) && same_place(first - 1, e))
        first--;
    while (last + 1 < entries + entry_count && last < e + 4 && !family_of(last + 1) &&
           same_place(last + 1, e))
        last++;
    int shown = 0;
    for (const Entry *other = first; other <= last; other++)
        if (other != e) fprintf(out, "%s`%s`", shown++ ? ", " : "\nSee also ", other->name);
    if (shown) fputs(".\n", out);
}

/* The docstring with a capital, unless it begins with a parameter or the name itself. */
static void put_sentence(FILE *out, const Entry *e) {
    size_t word = strspn(e->doc, "abcdefghijklmnopqrstuvwxyz");
    bool plain = word > 1 && (!e->doc[word] || strchr(" ,.;:-", e->doc[word])) &&
                 strncmp(e->doc, e->name, word);
    fprintf(out, "%c%.*s", plain ? e->doc[0] - 32 : e->doc[0], e->bytes_of_doc - 1, e->doc + 1);
}

static void put_entry(FILE *out, const Entry *e) {
    fprintf(out, "\n### %s%s%s%.*s\n\n", e->module ? e->module : "", e->module ? "." : "", e->name,
            e->bytes_of_signature, e->signature);
    put_sentence(out, e);
    if (e->bytes_of_doc && !strchr(".?!", e->doc[e->bytes_of_doc - 1])) fputc('.', out);
    const char *sign = e->op != OP_NONE ? operations[e->op].prints : CALL;
    bool infix = sign[0] != '(' && sign[0] != '[';
    if (infix && e->op != OP_neg) fprintf(out, " Written `x %s y`.", sign);
    if (e->op == OP_neg) fputs(" Written `-x`.", out);
    fputc('\n', out);
    if (e->op != OP_NONE) put_derivative(out, e->op);
    put_example(out, e->example, e->bytes_of_example);
    put_relatives(out, e);
}

/* ---- messages ---- */

enum { PAGE_COLUMNS = 80, EXAMPLE_INDENT = 8 };
static int example_columns = PAGE_COLUMNS;

static void put_message(FILE *out, const MessageRow *row) {
    fprintf(out, "\n### %s: %s\n\n%s\n", row->code, row->title, row->explanation);
    if (!*row->example) return;
    fprintf(out, "\n```adl\n%s\n```\n", row->example);
    const char *more = message_more;
    message_more = NULL;
    char *text = message_of_example(row, false, example_columns);
    message_more = more;
    fprintf(out, "\n```\n%s```\n", text ? text : "");
    free(text);
}

/* ---- chapters ---- */

/* The paragraph that the module's file opens with. */
static void put_introduction(FILE *out, const char *module) {
    for (const EmbeddedFile *file = embedded_files; file->name; file++) {
        if (strcmp(file->name, module)) continue;
        fputc('\n', out);
        for (const char *line = file->text; line[0] == '#' && line[1] != '#';
             line += strcspn(line, "\n") + 1)
            fprintf(out, "%.*s\n", (int)strcspn(line + 1, "\n") - (line[1] == ' '),
                    line + 1 + (line[1] == ' '));
    }
}

static void put_functions(FILE *out) {
    const char *module = NULL;
    fputs("\n## Functions\n\nEvery program has these without `import`. A function of arrays "
          "broadcasts, and records when recording is on.\n",
          out);
    for (size_t i = 0; i < entry_count; i++) {
        const Entry *e = &entries[i];
        const char *family = family_of(e);
        if (family) fprintf(out, "\n## %s\n", family);
        if (e->module && (!module || strcmp(module, e->module))) {
            if (!module) fputs("\n## Modules\n\nA program gets these by `import`.\n", out);
            module = e->module;
            fprintf(out, "\n## Module %s\n", module);
            put_introduction(out, module);
        }
        put_entry(out, e);
    }
}

static void put_messages(FILE *out) {
    fputs("\n## Messages\n\nEvery message ends in its code; `adl doc CODE` and, at the prompt, "
          "`?CODE` say more.\n",
          out);
    for (const MessageRow *row = message_rows; row->code; row++) put_message(out, row);
}

static void put_cell(FILE *out, const char *text) {
    for (; *text; text++) {
        if (*text == '|') fputc('\\', out);
        fputc(*text, out);
    }
}

static void put_option_row(FILE *out, int letter, const char *name, const char *argument,
                           const char *choices, const char *what) {
    fputs("| `", out);
    if (letter) fprintf(out, "-%c%s", letter, name ? ", " : "");
    if (name) fprintf(out, "--%s", name);
    if (argument) fprintf(out, "%s", choices ? "=" : " ");
    if (argument) put_cell(out, choices ? choices : argument);
    fputs("` | ", out);
    put_cell(out, what);
    fputs(" |\n", out);
}

static void put_command_line(FILE *out) {
    fputs("\n## The command line\n\n| call | meaning |\n| --- | --- |\n", out);
#define USE(call, what) fprintf(out, "| `%s` | %s |\n", call, what);
#define TOOL(name, words, what) fprintf(out, "| `adl %s %s` | %s |\n", #name, words, what);
#define TOOL_OPTION(tool, name, argument, what)                                                    \
    fprintf(out, "| `adl %s %s` | %s |\n", #tool, name, what);
#include "options.def"
    fputs("\n| option | meaning |\n| --- | --- |\n", out);
#define OPTION(id, letter, name, argument, choices, what)                                          \
    put_option_row(out, letter, name, argument, choices, what);
#include "options.def"
    fputs("\n| exit status | meaning |\n| --- | --- |\n", out);
#define STATUS(id, number, what) fprintf(out, "| %d | %s |\n", number, what);
#include "options.def"
    fputs("\n| variable | meaning |\n| --- | --- |\n", out);
#define VARIABLE(name, what) fprintf(out, "| `%s` | %s |\n", name, what);
#include "options.def"
}

static const EmbeddedFile *page_named(const char *name) {
    for (const EmbeddedFile *page = embedded_pages; page->name; page++)
        if (!strcmp(page->name, name)) return page;
    return NULL;
}

static void put_page(FILE *out, const char *name) {
    const EmbeddedFile *page = page_named(name);
    if (page) fprintf(out, "\n%s", page->text);
}

void doc_manual(FILE *out) {
    find_entries();
    fputs("# adl: the reference manual\n\nadl is a small array language for learning and using "
          "automatic differentiation.\n",
          out);
    put_page(out, "language");
    put_functions(out);
    put_page(out, "looking");
    put_page(out, "kinks");
    put_messages(out);
    put_command_line(out);
}

/* ---- one entry ---- */

/* Is the word one of the heading's, as in "### if, else, while"? */
static bool heading_has(const char *heading, size_t bytes, const char *word) {
    size_t length = strlen(word);
    for (const char *at = heading; (at = memmem(at, bytes - (size_t)(at - heading), word, length));
         at++) {
        bool starts = at == heading || strchr(" ,:", at[-1]),
             ends = at + length == heading + bytes || strchr(" ,:", at[length]);
        if (starts && ends) return true;
    }
    return false;
}

/* The section of a chapter whose heading names the word. */
static bool put_section(FILE *out, const char *word) {
    for (const EmbeddedFile *page = embedded_pages; page->name; page++)
        for (const char *at = page->text; (at = strstr(at, "\n### ")); at++) {
            const char *heading = at + 5, *end = strstr(heading, "\n##");
            if (!heading_has(heading, strcspn(heading, "\n"), word)) continue;
            fprintf(out, "%.*s\n", (int)(end ? end - at : (long)strlen(at)), at);
            return true;
        }
    return false;
}

static bool put_chapter(FILE *out, const char *name) {
    if (page_named(name)) put_page(out, name);
    else if (!strcmp(name, "errors") || !strcmp(name, "messages")) put_messages(out);
    else if (!strcmp(name, "options") || !strcmp(name, "command line")) put_command_line(out);
    else if (!strcmp(name, "functions") || !strcmp(name, "operations")) put_functions(out);
    else return false;
    return true;
}

static bool put_module(FILE *out, const char *name) {
    bool any = false;
    for (size_t i = 0; i < entry_count; i++) {
        if (!entries[i].module || strcmp(entries[i].module, name)) continue;
        if (!any) {
            fprintf(out, "\n## Module %s\n", name);
            put_introduction(out, name);
        }
        put_entry(out, &entries[i]);
        any = true;
    }
    return any;
}

/* What the library calls so; functions of modules only if there is none, else by their whole names.
 */
static bool put_named(FILE *out, const char *name) {
    int own = 0, others = 0;
    for (size_t i = 0; i < entry_count; i++)
        if (!entries[i].module && is_named(&entries[i], name)) put_entry(out, &entries[i]), own++;
    for (size_t i = 0; i < entry_count; i++) {
        if (!entries[i].module || !is_named(&entries[i], name)) continue;
        if (!own) put_entry(out, &entries[i]);
        else
            fprintf(out, "%s`%s.%s`", others ? ", " : "\nModules have ", entries[i].module,
                    entries[i].name);
        others++;
    }
    if (own && others) fputs(".\n", out);
    return own || others;
}

bool doc_entry(FILE *out, const char *name) {
    find_entries();
    if (*name == '?') name++;
    const MessageRow *row = message_row(name);
    if (row) {
        put_message(out, row);
        return true;
    }
    bool named = put_named(out, name), chapter = put_chapter(out, name);     /* kinks is both */
    return named || chapter || put_module(out, name) || put_section(out, name);
}

char *doc_text(const char *name, int columns, bool colour) {
    char *markdown = NULL, *text = NULL;
    size_t bytes = 0, text_bytes = 0;
    FILE *out = open_memstream(&markdown, &bytes);
    if (!out) return NULL;
    if (columns < PAGE_COLUMNS + EXAMPLE_INDENT) example_columns = columns - EXAMPLE_INDENT;
    bool found = doc_entry(out, name);
    example_columns = PAGE_COLUMNS;
    fclose(out);
    out = found ? open_memstream(&text, &text_bytes) : NULL;
    if (out) {
        draw_terminal(out, markdown, columns, colour);
        fclose(out);
    }
    free(markdown);
    return text;
}

const char *doc_nearest(const char *name) {
    find_entries();
    Nearest nearest = { .text = name };
    for (size_t i = 0; i < entry_count; i++) nearest_try(&nearest, entries[i].name);
    for (const EmbeddedFile *page = embedded_pages; page->name; page++)
        nearest_try(&nearest, page->name);
    for (const MessageRow *row = message_rows; row->code; row++) nearest_try(&nearest, row->code);
    return nearest.best;
}

void doc_each(void (*each)(const char *name, const char *summary, void *env), void *env) {
    find_entries();
    for (size_t i = 0; i < entry_count; i++) {
        char *summary = strndup(entries[i].doc, (size_t)entries[i].bytes_of_doc);
        each(entries[i].name, summary ? summary : "", env);
        free(summary);
    }
    for (const MessageRow *row = message_rows; row->code; row++) each(row->code, row->title, env);
}
