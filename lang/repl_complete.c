/* The Tab key. The one idea: the lexer says where the cursor stands (in a string, behind a dot,
 * inside a call), and each such place has one small function that offers candidates with their kind
 * and a line about them. Nothing is evaluated but names and fields, so that Tab never does
 * anything.
 *
 * What is offered is collected in one list; Readline asks for its texts and shows them through
 * show_list(). */
#define _GNU_SOURCE
#include "repl_parts.h"
#include "help.h"
#include "lex.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <readline/readline.h>

/* rank: what is nearest to the place comes first */
typedef struct Candidate { char *text; int rank; char kind[16]; char about[200]; } Candidate;
static struct {
    Candidate *item;
    size_t count, capacity;
    const char *typed;         /* what the candidates begin with */
    int rank;                  /* of what is being offered */
} list;

/* ---- the list ---- */

static void forget_list(void) {
    for (size_t i = 0; i < list.count; i++) free(list.item[i].text);
    list.count = 0;
}

static Candidate *find_candidate(const char *text) {
    for (size_t i = 0; i < list.count; i++)
        if (!strcmp(list.item[i].text, text)) return &list.item[i];
    return NULL;
}

/* If it begins with what was typed, and is not there yet. */
static Candidate *offer(const char *text, const char *kind, const char *about) {
    if (strncmp(text, list.typed, strlen(list.typed)) || find_candidate(text)) return NULL;
    if (list.count == list.capacity) {
        list.capacity = 2 * list.capacity + 64;
        list.item = realloc(list.item, list.capacity * sizeof *list.item);
    }
    Candidate *c = &list.item[list.count++];
    c->text = strdup(text);
    c->rank = list.rank;
    snprintf(c->kind, sizeof c->kind, "%s", kind);
    snprintf(c->about, sizeof c->about, "%s", about ? about : "");
    return c;
}

static void offer_value(String *name, Value v, void *env) {
    (void)env;
    if (v.tag == V_UNSET || strncmp(name->text, list.typed, strlen(list.typed))) return;
    HelpLine line = help_line(v);
    offer(name->text, line.kind, line.text);
}

/* ---- where the cursor stands ---- */

enum { MAX_OPEN = 256 };
typedef struct Where {
    Token before[3];           /* the tokens before the word, the nearest first */
    int count;
    Token open[MAX_OPEN];      /* open brackets, each with the tokens before it */
    Token callee[MAX_OPEN], dot[MAX_OPEN];
    int depth;
    int string;                /* where the text of an open string begins; -1: none */
} Where;

static void push_token(Where *w, Token t) {
    w->before[2] = w->before[1];
    w->before[1] = w->before[0];
    w->before[0] = t;
    w->count++;
}

static bool opens(int kind) {
    return kind == T_PAREN_OPEN || kind == T_SQUARE_OPEN || kind == T_BRACE_OPEN;
}
static bool closes(int kind) {
    return kind == T_PAREN_CLOSE || kind == T_SQUARE_CLOSE || kind == T_BRACE_CLOSE;
}

static void take_token(Where *w, Token t) {
    if (opens(t.kind) && w->depth < MAX_OPEN) {
        w->open[w->depth] = t;
        w->callee[w->depth] = w->before[0];
        w->dot[w->depth++] = w->before[1];
    }
    if (closes(t.kind) && w->depth) w->depth--;
    push_token(w, t);
}

/* Of the text up to `end`. */
static Where look_around(int end) {
    Where w = { .string = -1 };
    Lexer lexer = lex_start(rl_line_buffer, (size_t)end, true);
    for (Token t = lex_next(&lexer); t.kind != T_END; t = lex_next(&lexer)) {
        const char *text = rl_line_buffer + t.start;
        if (t.kind == T_ERROR && t.problem && strstr(t.problem, "string")) {
            const char *quote = strchr(text, '"');
            bool f_string = !quote || quote >= rl_line_buffer + end;
            w.string = f_string ? (int)t.start : (int)(quote - rl_line_buffer) + 1;
            if (f_string) while (w.string > 0 && rl_line_buffer[w.string - 1] != '"') w.string--;
        }
        take_token(&w, t);
    }
    return w;
}

static bool is_comment(const Where *w, int end) {
    return w->count && w->before[0].kind == T_COMMENT && (int)w->before[0].end == end;
}

/* ---- values, without evaluating ---- */

static bool value_of_name(Token t, Value *v) {
    String *name = symbol_known(rl_line_buffer + t.start, t.end - t.start);
    Value *global = name ? module_global(session.module, name) : NULL,
          *library = name ? library_find(name) : NULL;
    if (global && global->tag != V_UNSET) *v = *global;
    else if (library && library->tag != V_UNSET) *v = *library;
    else return false;
    return true;
}

/* The value of `a.b.c` that ends right before the dot at `end`. */
static bool value_before(int end, Value *v) {
    Lexer lexer = lex_start(rl_line_buffer, (size_t)end, false);
    bool known = false, dot = false;
    uint32_t at = 0;
    for (Token t = lex_next(&lexer); t.kind != T_END; t = lex_next(&lexer)) {
        bool next = t.start == at, word = t.kind == T_NAME || is_word(t.kind);
        if (word && dot && next && known) {
            String *name = symbol_known(rl_line_buffer + t.start, t.end - t.start);
            Value *field = name && v->tag == V_STRUCT ? struct_find(*v, name) : NULL;
            known = field != NULL;
            if (field) *v = *field;
        } else if (word && !dot) known = t.kind == T_NAME && value_of_name(t, v);
        else if (t.kind != T_DOT) known = false;
        dot = t.kind == T_DOT;
        at = t.end;
    }
    return known && !dot;
}

/* ---- the places ---- */

static void offer_names(void) {
    Module *module = session.module;
    list.rank = 2;
    for (size_t i = 0; i < module->set_up; i++)
        offer_value(module->names.name[i], module->globals[i], NULL);
    list.rank = 3;
    library_each(offer_value, NULL);
    const char *about, *word;
    for (size_t i = 0; (word = help_keyword(i, &about)); i++) offer(word, "keyword", about);
}

/* Names that stand in the text already: parameters and variables of what is being written. */
static void offer_written_names(int start) {
    Lexer lexer = lex_start(rl_line_buffer, (size_t)rl_end, false);
    for (Token t = lex_next(&lexer); t.kind != T_END; t = lex_next(&lexer)) {
        char name[64];
        Value v;
        bool here = (int)t.start <= start && start <= (int)t.end;
        if (t.kind != T_NAME || here || t.end - t.start >= sizeof name || value_of_name(t, &v))
            continue;
        snprintf(name, sizeof name, "%.*s", (int)(t.end - t.start), rl_line_buffer + t.start);
        offer(name, "here", "a name in this text");
    }
}

static void offer_parameter(const char *name) {
    char text[80];
    snprintf(text, sizeof text, "%s = ", name);
    offer(text, "argument", "");
}

/* From "(x, axis = nil)": with a line that says the default. */
static void offer_parameters_of_row(BuiltinRow *row) {
    const Signature *s = row_signature(row);
    for (uint32_t i = 0; i < s->count; i++) {
        char text[80];
        if ((int32_t)i == s->rest) continue;
        snprintf(text, sizeof text, "%s = ", s->parameter[i]->text);
        const char *at = strstr(row->signature, text);
        Candidate *c = offer(text, "argument", "");
        if (c && at)
            snprintf(c->about, sizeof c->about, "default %.*s",
                     (int)strcspn(at + strlen(text), ",)"), at + strlen(text));
    }
}

static void offer_parameters(Value f) {
    if (f.tag != V_FUNCTION) return;
    if (f.as.function->row) offer_parameters_of_row((BuiltinRow *)f.as.function->row);
    if (f.as.function->call != closure_call) return;
    const Fn *fn = ((const Closure *)f.as.function)->fn;
    for (uint32_t i = 0; i < fn->parameter_count - fn->collects; i++)
        offer_parameter(fn->parameters[i].name->text);
}

/* The names of arguments, if an argument may begin here. */
static void offer_arguments(const Where *w) {
    if (!w->depth || w->open[w->depth - 1].kind != T_PAREN_OPEN ||
        w->callee[w->depth - 1].kind != T_NAME)
        return;
    if (w->before[0].kind != T_COMMA && w->before[0].kind != T_PAREN_OPEN) return;
    Value f;
    if (value_of_name(w->callee[w->depth - 1], &f)) offer_parameters(f);
}

static void offer_fields(const Struct *record) {
    for (size_t i = 0; i < record->count; i++) {
        HelpLine line = help_line(record->field[i].value);
        offer(record->field[i].name->text, "field", line.text);
    }
}

/* A function of the library that can stand behind a value of this type. */
static void offer_method(String *name, Value v, void *receiver) {
    if (v.tag != V_FUNCTION || strncmp(name->text, list.typed, strlen(list.typed))) return;
    const Value *x = receiver;
    const BuiltinRow *row = v.as.function->row;
    bool operation = row && op_named(row->name) != OP_NONE;
    if (row && row->signature[1] == ')') return;
    if (x && x->tag == V_STRING && operation) return;
    HelpLine line = help_line(v);
    offer(name->text, operation ? "operation" : "function", line.text);
}

static void offer_members(int dot) {
    Value v;
    bool known = value_before(dot, &v);
    if (known && v.tag == V_STRUCT) offer_fields(v.as.record);
    if (known && v.tag == V_STRUCT && v.as.record->module) return;
    list.rank = 3;
    for (size_t i = 0; i < session.module->set_up; i++)
        offer_method(session.module->names.name[i], session.module->globals[i], NULL);
    library_each(offer_method, known ? &v : NULL);
}

static void offer_modules(void) {
    for (const EmbeddedFile *file = embedded_files; file->name; file++)
        offer(file->name, "module", "of the standard library");
    DIR *folder = opendir(".");
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        size_t bytes = strlen(entry->d_name);
        if (bytes < 5 || strcmp(entry->d_name + bytes - 4, ".adl")) continue;
        char name[256];
        snprintf(name, sizeof name, "%.*s", (int)bytes - 4, entry->d_name);
        if (text_is_name(name, bytes - 4)) offer(name, "module", "a file of this folder");
    }
    if (folder) closedir(folder);
}

/* Files and folders whose path begins with what was typed; `typed` is the end of it. */
static void offer_files(const char *path) {
    const char *slash = strrchr(path, '/'), *home = getenv("HOME");
    char folder_name[4096];
    int bytes = slash ? (int)(slash - path) + 1 : 0;
    bool from_home = path[0] == '~' && path[1] == '/' && home;
    snprintf(folder_name, sizeof folder_name, "%s%.*s",
             from_home ? home
             : bytes   ? ""
                       : ".",
             bytes - from_home, path + from_home);
    DIR *folder = opendir(folder_name);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
        if (entry->d_name[0] == '.' && path[bytes] != '.') continue;
        char whole[8192], text[8192];
        struct stat about;
        snprintf(whole, sizeof whole, "%s/%s", folder_name, entry->d_name);
        bool is_folder = !stat(whole, &about) && S_ISDIR(about.st_mode);
        snprintf(text, sizeof text, "%.*s%s%s", bytes, path, entry->d_name, is_folder ? "/" : "");
        offer(text, is_folder ? "folder" : "file", "");
    }
    if (folder) closedir(folder);
}

static void offer_symbols(void) {
    static const struct { const char *name, *character; } symbols[] = {
#define SYMBOL_ROW(name, character) { "\\" name, character },
#include "repl_symbols.def"
#undef SYMBOL_ROW
    };
    for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
        if (strcmp(symbols[i].name, list.typed)) {
            offer(symbols[i].name, symbols[i].character, "");
            continue;
        }
        forget_list();             /* written out: it becomes the character */
        list.typed = "";
        offer(symbols[i].character, "character", "");
        return;
    }
}

static void offer_commands(void) {
    const char *about, *name;
    for (size_t i = 0; (name = command_name(i, &about)); i++) {
        char text[40];
        snprintf(text, sizeof text, ":%s", name);
        offer(text, "command", about);
    }
}

static void offer_settings(void) {
    const char *about, *name;
    for (size_t i = 0; (name = setting_name(i, &about)); i++) offer(name, "setting", about);
}

/* ---- choosing the place ---- */

static int command_word(char *word, size_t bytes) {
    int start = (int)strspn(rl_line_buffer, " ");
    if (rl_line_buffer[start] != ':') return -1;
    size_t length = strcspn(rl_line_buffer + start, " ");
    snprintf(word, bytes, "%.*s", (int)length, rl_line_buffer + start);
    return start + (int)length;
}

static bool takes_file(const char *command) {
    static const char *const names[] = { ":load", ":save", ":edit" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(names[i], command)) return true;
    return false;
}

/* The part of the text that Tab looks at: a path in a string or behind a command, else a word. */
static char *word_breaks(void) {
    static char in_string[] = "\"\\", in_command[] = " ",
                in_code[] = "\\ \t\n\"'`@$><=;|&{(}[])+-*/%^,!~#.?";
    char word[16];
    int end = command_word(word, sizeof word);
    if (end >= 0 && rl_point > end) return takes_file(word) ? in_command : in_code;
    if (end >= 0) return in_command;
    return look_around(rl_point).string >= 0 ? in_string : in_code;
}

static void collect(const char *text, int start, int end) {
    char word[16];
    int command = command_word(word, sizeof word);
    Where w = look_around(start);
    bool in_string = look_around(end).string >= 0;
    if (*text == '\\') offer_symbols();
    else if (command >= 0 && end <= command) offer_commands();
    else if (command >= 0 && takes_file(word)) offer_files(text);
    else if (command >= 0 && !strcmp(word, ":set")) offer_settings();
    else if (in_string) offer_files(text);
    else if (is_comment(&w, start)) return;
    else if (w.count && w.before[0].kind == T_DOT && (int)w.before[0].end == start)
        offer_members((int)w.before[0].start);
    else if (w.count && w.before[0].kind == T_IMPORT) offer_modules();
    else {
        offer_arguments(&w);
        list.rank = 1;
        offer_written_names(start);
        offer_names();
    }
}

static int by_rank(const void *a, const void *b) {
    const Candidate *x = a, *y = b;
    return x->rank != y->rank ? x->rank - y->rank : strcmp(x->text, y->text);
}

static char *next_match(const char *text, int state) {
    static size_t at;
    (void)text;
    at = state ? at + 1 : 0;
    return at < list.count ? strdup(list.item[at].text) : NULL;
}

/* Where nothing was typed yet, all of the library would hide what is near. */
static void drop_far(void) {
    size_t near = 0;
    while (near < list.count && list.item[near].rank < 3) near++;
    for (size_t i = near; near && i < list.count; i++) free(list.item[i].text);
    if (near) list.count = near;
}

typedef struct Asked { const char *text; int start, end; } Asked;

static void collect_guarded(void *env) {
    const Asked *p = env;
    collect(p->text, p->start, p->end);
}

/* A function alone gets its bracket; a folder goes on. */
static int ending(void) {
    if (list.count != 1) return '\0';
    const char *kind = list.item[0].kind;
    bool call = !strcmp(kind, "function") || !strcmp(kind, "operation");
    if (call && rl_line_buffer[rl_point] != '(' && !is_command(rl_line_buffer)) return '(';
    if (!strcmp(kind, "keyword") || !strcmp(kind, "command")) return ' ';
    return '\0';
}

static char **complete(const char *text, int start, int end) {
    rl_attempted_completion_over = 1;
    rl_completion_suppress_quote = 1;
    rl_sort_completion_matches = 0;
    forget_list();
    list.typed = text;
    list.rank = 0;
    Asked asked = { text, start, end };
    size_t mark = pool_mark();
    guard(collect_guarded, &asked, NULL);
    pool_unwind(mark);
    if (list.count) qsort(list.item, list.count, sizeof *list.item, by_rank);
    if (!*text) drop_far();
    rl_completion_append_character = ending();
    return rl_completion_matches(list.count == 1 ? list.item[0].text : text, next_match);
}

/* ---- showing ---- */

static int width_of(const char *text) { return (int)text_width(text, strlen(text)); }

static int print_cut(const char *text, int columns) {
    size_t end = 0, bytes = strlen(text);
    for (size_t next;
         end < bytes && (int)text_width(text, next = text_next(text, bytes, end)) <= columns;
         end = next) {}
    fwrite(text, 1, end, rl_outstream);
    return (int)text_width(text, end);
}

/* Behind the last slash: the folder is on the line already. */
static const char *shown_part(const char *text) {
    size_t bytes = strlen(text);
    for (size_t i = bytes; i-- > 0;)
        if (text[i] == '/' && i + 1 < bytes) return text + i + 1;
    return text;
}

static void show_candidate(const Candidate *c, int name_columns, int columns) {
    const char *name = shown_part(c->text);
    fprintf(rl_outstream, "%s", STRONG);
    int used = print_cut(name, columns - 1);
    fprintf(rl_outstream, "%s", PLAIN_TEXT);
    if (columns > name_columns + 12) {
        fprintf(rl_outstream, "%*s%s", name_columns - used + 2, "", QUIET);
        used = name_columns + 2 + print_cut(c->kind, 10);
        int room = columns - name_columns - 2 - 10 - 2;
        if (room > 8 && *c->about) {
            fprintf(rl_outstream, "%*s", name_columns + 2 + 10 - used + 1, "");
            print_cut(c->about, room);
        }
        fprintf(rl_outstream, "%s", PLAIN_TEXT);
    }
    fputs("\r\n", rl_outstream);
}

/* As many as fit, one on each line, with kind and description; the rest is counted. */
static void show_list(char **matches, int count, int longest) {
    int columns, rows, widest = 0, room;
    (void)longest;
    screen_size(&columns, &rows);
    room = rows > 6 ? rows - 4 : 3;
    int shown = count <= room ? count : room - 1;
    for (int i = 1; i <= shown; i++)
        if (width_of(shown_part(matches[i])) > widest) widest = width_of(shown_part(matches[i]));
    if (widest > columns / 2) widest = columns / 2;
    highlight_below();
    fputs("\r\n", rl_outstream);
    for (int i = 1; i <= shown; i++) {
        Candidate *c = find_candidate(matches[i]);
        if (c) show_candidate(c, widest, columns);
    }
    char more[60];
    snprintf(more, sizeof more, "... %d more; type another letter", count - shown);
    if (shown < count) print_cut(more, columns - 1), fputs("\r\n", rl_outstream);
    rl_forced_update_display();
}

void completion_open(void) {
    rl_attempted_completion_function = complete;
    rl_completion_word_break_hook = word_breaks;
    rl_completer_quote_characters = "";
    rl_basic_quote_characters = "";
    rl_completion_display_matches_hook = show_list;
    rl_special_prefixes = "\\";         /* \alpha is one word */
    rl_completion_query_items = -1;
    rl_ignore_completion_duplicates = 1;
}
