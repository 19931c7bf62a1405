/* adl fmt. Reads the tokens, comments included, and writes them again with blanks by rule:
 *   a line in brackets stands below the first thing in them, or, if the bracket ended its line or
 *     opens a block, 4 to the right of that line; one that continues an expression 4 more;
 *   brackets of blocks and records have blanks inside, others have none;
 *   binary signs have blanks around them, but ^ and ** have not; so has the : between bounds that
 *     are calculated, x[i : i + n];
 *   comments behind code stand in one column as long as the lines follow each other;
 *   at most one line is empty.
 * What stands in an f-string is left alone.
 *
 * Lines are collected first and written at the end, when the column of their comments is known. */
#include "fmt.h"
#include "lex.h"
#include "parse.h"
#include "same_meaning.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

enum { INDENT = 4, BEFORE_COMMENT = 2 };

typedef enum Kind { IN_CALL, IN_INDEX, IN_STRUCT, IN_BLOCK, IN_RECORD, IN_EXTERN, IN_TEXT } Kind;

typedef struct Open {
    Kind kind;
    bool options;             /* the parentheses of record(...) */
    int indent;               /* of the line that opened it, in columns */
    int inside;               /* of the lines in it */
    bool wide;                /* an index whose bounds are calculated */
} Open;

typedef struct Line {
    size_t start, end;        /* in the code */
    int width;                /* of its code on the screen */
    uint32_t comment, comment_end, column;   /* in the source; column: where the comment stood */
    bool empty_above, only_comment, aligned; /* aligned: a comment below a comment behind code */
} Line;

typedef struct Formatter {
    Source *source;
    Lexer lexer;
    Token token, next, before;   /* before: the last one that was no comment */
    bool before_is_operand;      /* an operand ends with it */
    bool before_is_prefix;       /* it is a unary sign: nothing comes between it and its operand */
    bool before_opens_struct, after_options, extern_next;
    Open *open;
    size_t opened, open_capacity;
    FILE *code;
    size_t written;
    Line *line;
    size_t lines, line_capacity;
    int indent, column;          /* of the current line; where it has come to */
    int first;                   /* the kind of its first token */
} Formatter;

/* ---- lines ---- */

static int width_of(const char *text, size_t bytes) {
    int width = 0;
    for (size_t i = 0; i < bytes;) {
        utf8proc_int32_t code;
        utf8proc_ssize_t length = utf8proc_iterate((const utf8proc_uint8_t *)text + i,
                                                   (utf8proc_ssize_t)(bytes - i), &code);
        if (length <= 0) return width;
        width = code == '\n' ? 0 : width + utf8proc_charwidth(code);
        i += (size_t)length;
    }
    return width;
}

static void put(Formatter *f, const char *text, size_t bytes) {
    fwrite(text, 1, bytes, f->code);
    f->written += bytes;
    f->column = (memchr(text, '\n', bytes) ? 0 : f->column) + width_of(text, bytes);
}

static Line *current(Formatter *f) { return &f->line[f->lines - 1]; }

static void begin_line(Formatter *f, int indent, bool empty_above) {
    if (f->lines) current(f)->end = f->written;
    f->line = mem_grow(f->line, &f->line_capacity, f->lines + 1, sizeof(Line));
    f->line[f->lines++] = (Line){ .start = f->written, .empty_above = empty_above };
    f->indent = indent;
    f->column = 0;
}

/* ---- brackets ---- */

static Kind innermost(const Formatter *f) {
    return f->opened ? f->open[f->opened - 1].kind : IN_TEXT;
}
/* There a `*` belongs to the type before it. */
static bool in_extern(const Formatter *f) {
    for (size_t i = 0; i < f->opened; i++)
        if (f->open[i].kind == IN_EXTERN) return true;
    return false;
}
static bool newlines_count(const Formatter *f) { return innermost(f) >= IN_BLOCK; }

/* Behind this bracket something stands on its line: there what is in it begins. */
static int column_inside(const Formatter *f, Kind kind) {
    bool hangs = f->next.newline || f->next.kind == T_COMMENT || kind >= IN_BLOCK;
    return hangs ? f->indent + INDENT : f->column;
}

static void open_kind(Formatter *f, Kind kind) {
    f->open = mem_grow(f->open, &f->open_capacity, f->opened + 1, sizeof(Open));
    f->open[f->opened++] = (Open){ .kind = kind,
                                   .options = kind == IN_CALL && f->before.kind == T_RECORD,
                                   .indent = f->indent,
                                   .inside = column_inside(f, kind) };
}

/* The rule of the parser: braces() in parse_expr.c. */
static bool opens_struct(const Formatter *f) {
    switch (f->before.kind) {
    case T_ELSE: case T_TRY: case T_CATCH: case T_RECORD: case T_PAUSE: case T_EXTERN: return false;
    default: break;
    }
    if (f->before_is_operand) return false;
    Lexer ahead = f->lexer;
    ahead.at = f->token.end;
    ahead.comments = false;
    Token first = lex_next(&ahead);
    if (first.kind == T_BRACE_CLOSE) return true;
    return (first.kind == T_NAME || first.kind == T_STRING || is_word(first.kind)) &&
           lex_next(&ahead).kind == T_COLON;
}

static Kind kind_of_brace(Formatter *f) {
    if (f->extern_next || innermost(f) == IN_EXTERN) return IN_EXTERN;
    return opens_struct(f) ? IN_STRUCT : IN_BLOCK;
}

static bool opens_record(const Formatter *f) {
    bool head = f->before.kind == T_RECORD || f->before.kind == T_PAUSE || f->after_options;
    return f->token.kind == T_LESS && head && !(f->before.kind == T_RECORD && f->before_is_operand);
}

/* The rule of the parser: closes_record() in parse.c. */
static bool closes_record(const Formatter *f) {
    if (f->token.kind != T_GREATER || innermost(f) != IN_RECORD) return false;
    if (f->token.newline || f->next.newline || f->before.kind == T_SEMICOLON) return true;
    switch (f->next.kind) {
    case T_COMMENT: case T_SEMICOLON: case T_COMMA: case T_PAREN_CLOSE: case T_SQUARE_CLOSE:
    case T_BRACE_CLOSE: case T_END: case T_GREATER:
        return true;
    default:
        return false;
    }
}

static bool closes(const Formatter *f) {
    int kind = f->token.kind;
    return kind == T_PAREN_CLOSE || kind == T_SQUARE_CLOSE || kind == T_BRACE_CLOSE ||
           closes_record(f);
}

/* ---- indentation ---- */

/* Does a line that ends with the token before go on in the next? */
static bool goes_on(const Formatter *f) {
    if (!newlines_count(f)) return false;
    if (f->token.kind == T_DOT) return true;
    int kind = f->before.kind;
    if (in_extern(f) && (kind == T_STAR || kind == T_COMMA)) return false;
    bool sign = kind >= FIRST_SIGN && kind <= T_COMMA && kind != T_PRIME;
    bool opened_record = kind == T_LESS && !f->before_is_operand && innermost(f) == IN_RECORD;
    bool closed_record = kind == T_GREATER && f->before_is_operand;
    return (sign && !opened_record && !closed_record) || kind == T_NOT || kind == T_AND ||
           kind == T_OR;
}

/* An `else` below a line that began with something else goes on with what that line assigns. */
static int indent_of_else(const Formatter *f) {
    bool own = f->first == T_IF || f->first == T_ELSE || f->first == T_BRACE_CLOSE;
    return own ? f->indent : f->indent + INDENT;
}

static int indent_here(const Formatter *f) {
    if (f->token.kind == T_ELSE && f->lines) return indent_of_else(f);
    int more = goes_on(f) ? INDENT : 0;
    if (!f->opened) return more;
    const Open *open = &f->open[f->opened - 1];
    if (!closes(f)) return open->inside + more;
    return open->inside == open->indent + INDENT ? open->indent : open->inside;
}

static bool empty_line_before(const Formatter *f, uint32_t from) {
    int newlines = 0;
    for (uint32_t i = from; i < f->token.start; i++) newlines += f->source->text[i] == '\n';
    return newlines > 1;
}

/* ---- blanks ---- */

static bool is_prefix(const Formatter *f, bool operand_before) {
    int kind = f->token.kind;
    if (kind == T_STAR) return !operand_before;
    return (kind == T_MINUS || kind == T_PLUS) && !operand_before;
}

static bool is_power(int kind) { return kind == T_CARET || kind == T_POWER; }

static bool ends_in_dot(const Formatter *f) {
    return f->before.kind == T_NUMBER && f->source->text[f->before.end - 1] == '.';
}

static bool blank_before_bracket(const Formatter *f, bool operand_before) {
    if (f->before.kind == T_FN || f->before.kind == T_RECORD) return f->token.kind != T_PAREN_OPEN;
    return !operand_before;
}

static bool blank_before_close(const Formatter *f) {
    if (f->token.kind == T_GREATER && f->before.kind == T_GREATER && f->before_is_operand)
        return false;
    bool roomy =
        f->token.kind == T_GREATER || innermost(f) == IN_BLOCK || innermost(f) == IN_EXTERN;
    return roomy && f->token.kind != T_PAREN_CLOSE && f->token.kind != T_SQUARE_CLOSE;
}

/* Behind this bracket or comma: are there two bounds up to the next comma, one of them calculated,
 * as in [i : i + n]? */
static bool wide_index(const Formatter *f) {
    Lexer ahead = f->lexer;
    ahead.at = f->token.end;
    ahead.comments = false;
    bool sign = false, operand = false;
    int depth = 0, bounds = 0, colons = 0;
    for (Token t = lex_next(&ahead); t.kind != T_END && t.kind != T_ERROR; t = lex_next(&ahead)) {
        bool opens = t.kind == T_PAREN_OPEN || t.kind == T_SQUARE_OPEN || t.kind == T_BRACE_OPEN;
        bool shuts = t.kind == T_PAREN_CLOSE || t.kind == T_SQUARE_CLOSE || t.kind == T_BRACE_CLOSE;
        if ((shuts && --depth < 0) || (depth == 0 && t.kind == T_COMMA)) break;
        if (depth == 0 && t.kind == T_COLON) colons++;
        else if (bounds == colons) bounds++;
        bool binary = t.kind >= T_PLUS && t.kind <= T_AT;
        if (depth == 0 && binary && operand) sign = true;
        if (opens) depth++;
        operand = shuts || t.kind == T_NUMBER || t.kind == T_NAME || t.kind == T_PRIME;
    }
    return colons && bounds > colons && sign;
}

/* A blank between the token before and this one, both on one line? */
static bool blank(const Formatter *f, bool operand_before) {
    int before = f->before.kind, kind = f->token.kind;
    if (closes(f)) return blank_before_close(f);
    bool closed_record = before == T_GREATER && f->before_is_operand;
    if (kind == T_SEMICOLON && closed_record) return true;
    if (kind == T_COMMA || kind == T_SEMICOLON || kind == T_PRIME) return false;
    if (before == T_PAREN_OPEN || before == T_SQUARE_OPEN || f->before_opens_struct ||
        f->before_is_prefix)
        return false;
    if (before == T_COMMA || before == T_SEMICOLON) return true;
    if (kind == T_DOT) return ends_in_dot(f);
    if (before == T_DOT) return false;
    if (kind == T_PAREN_OPEN || kind == T_SQUARE_OPEN)
        return !is_power(before) && blank_before_bracket(f, operand_before);
    if (kind == T_COLON || (before == T_COLON && innermost(f) == IN_INDEX))
        return innermost(f) == IN_INDEX && f->open[f->opened - 1].wide;
    if (before == T_COLON) return true;
    if (kind == T_STAR && in_extern(f)) return false;
    return !is_power(before) && !is_power(kind);
}

/* ---- tokens ---- */

static bool ends_operand(const Formatter *f, bool after_dot) {
    switch (f->token.kind) {
    case T_NUMBER: case T_NAME: case T_STRING: case T_STRING_CLOSE: case T_PAREN_CLOSE:
    case T_SQUARE_CLOSE: case T_BRACE_CLOSE: case T_PRIME: case T_TRUE: case T_FALSE: case T_NIL:
    case T_ELLIPSIS:
    case T_NEW: return true;
    default:
        return after_dot && is_word(f->token.kind);
    }
}

static void next_token(Formatter *f) {
    f->token = f->next;
    f->next = lex_next(&f->lexer);
}

/* An f-string as one token, whatever is in it. */
static void join_string(Formatter *f) {
    uint32_t start = f->token.start;
    bool newline = f->token.newline;
    int open = 0;
    for (;; next_token(f)) {
        open += (f->token.kind == T_STRING_OPEN) - (f->token.kind == T_STRING_CLOSE);
        if (open == 0 || f->token.kind == T_END) break;
    }
    f->token.start = start;
    f->token.newline = newline;
}

/* Keeps the stack of open brackets, and what the next token must know of this one. */
static void note_token(Formatter *f, bool operand_before) {
    int kind = f->token.kind;
    bool closing = closes(f), record = opens_record(f), prefix = is_prefix(f, operand_before);
    bool operand = ends_operand(f, f->before.kind == T_DOT) || (closing && kind == T_GREATER);
    Kind brace = kind == T_BRACE_OPEN ? kind_of_brace(f) : IN_TEXT;
    f->after_options =
        closing && kind == T_PAREN_CLOSE && f->opened && f->open[f->opened - 1].options;
    if (closing && f->opened) f->opened--;
    if (kind == T_PAREN_OPEN) open_kind(f, IN_CALL);
    if (kind == T_SQUARE_OPEN) open_kind(f, IN_INDEX);
    if (kind == T_BRACE_OPEN) open_kind(f, brace);
    if (record) open_kind(f, IN_RECORD);
    if (innermost(f) == IN_INDEX && (kind == T_SQUARE_OPEN || kind == T_COMMA))
        f->open[f->opened - 1].wide = wide_index(f);
    if (kind != T_STRING && kind != T_COMMA)
        f->extern_next = kind == T_EXTERN && f->before.kind != T_DOT;
    f->before = f->token;
    f->before_is_operand = operand;
    f->before_is_prefix = prefix;
    f->before_opens_struct = brace == IN_STRUCT;
}

/* Is the token before an opening sign that ends its line? Then no empty line follows. */
static bool opened_above(const Formatter *f, uint32_t previous_end) {
    if (f->before.end != previous_end || f->before_is_operand) return false;
    int kind = f->before.kind;
    return kind == T_BRACE_OPEN || kind == T_PAREN_OPEN || kind == T_SQUARE_OPEN ||
           (kind == T_LESS && innermost(f) == IN_RECORD);
}

static void start_line(Formatter *f, int indent, bool empty_above) {
    begin_line(f, indent, empty_above);
    f->first = f->token.kind;
    for (int i = 0; i < indent; i++) put(f, " ", 1);
}

static void write_token(Formatter *f, uint32_t previous_end) {
    bool first = f->lines == 0 || f->token.newline;
    bool statement = first && newlines_count(f) && !goes_on(f);
    bool operand_before = f->before_is_operand && !statement;
    if (first) {
        bool close_to = f->lines == 0 || closes(f) || opened_above(f, previous_end);
        start_line(f, indent_here(f), !close_to && empty_line_before(f, previous_end));
    } else if (blank(f, operand_before)) {
        put(f, " ", 1);
    }
    if (statement) f->before_is_operand = false;
    put(f, f->source->text + f->token.start, f->token.end - f->token.start);
    note_token(f, operand_before);
}

static uint32_t column_of(const Formatter *f, uint32_t offset) {
    uint32_t start = offset;
    while (start && f->source->text[start - 1] != '\n') start--;
    return (uint32_t)width_of(f->source->text + start, offset - start);
}

/* A comment behind code belongs to the line; one that continues it below stays under it. */
static void write_comment(Formatter *f, uint32_t previous_end) {
    bool behind = f->lines && !f->token.newline;
    uint32_t column = column_of(f, f->token.start), end = f->token.end;
    const Line *above = f->lines ? current(f) : NULL;
    bool empty = f->lines && empty_line_before(f, previous_end);
    bool aligned = !behind && above && above->comment_end &&
                   (!above->only_comment || above->aligned) && above->column == column && !empty;
    if (!behind && aligned) begin_line(f, indent_here(f), false);
    else if (!behind) start_line(f, indent_here(f), empty && !opened_above(f, previous_end));
    while (end > f->token.start &&
           (f->source->text[end - 1] == ' ' || f->source->text[end - 1] == '\t'))
        end--;
    Line *line = current(f);
    line->comment = f->token.start;
    line->comment_end = end;
    line->column = column;
    line->only_comment = !behind;
    line->aligned = aligned;
}

static void write_all(Formatter *f) {
    uint32_t previous_end = 0;
    next_token(f);
    next_token(f);
    while (f->token.kind != T_END) {
        if (f->token.kind == T_STRING_OPEN) join_string(f);
        if (f->token.kind == T_COMMENT) write_comment(f, previous_end);
        else write_token(f, previous_end);
        previous_end = f->token.end;
        next_token(f);
    }
    if (f->lines) current(f)->end = f->written;
}

/* ---- writing out ---- */

/* Lines that follow each other with comments behind code, or below such a comment. */
static bool in_run(const Line *line) {
    return line->comment_end && (!line->only_comment || line->aligned);
}

static void emit(Formatter *f, const char *code, FILE *out) {
    int column = 0;
    for (size_t i = 0; i < f->lines; i++) {
        const Line *line = &f->line[i];
        bool starts_run = in_run(line) && (i == 0 || !in_run(line - 1) || line->empty_above);
        if (starts_run) column = 0;
        for (size_t j = i; starts_run && j < f->lines && in_run(&f->line[j]); j++) {
            if (j > i && f->line[j].empty_above) break;
            int width = width_of(code + f->line[j].start, f->line[j].end - f->line[j].start);
            if (width + BEFORE_COMMENT > column && !f->line[j].aligned)
                column = width + BEFORE_COMMENT;
        }
        if (line->empty_above) fputc('\n', out);
        fwrite(code + line->start, 1, line->end - line->start, out);
        int width = width_of(code + line->start, line->end - line->start);
        for (; in_run(line) && width < column; width++) fputc(' ', out);
        if (line->comment_end)
            fwrite(f->source->text + line->comment, 1, line->comment_end - line->comment, out);
        fputc('\n', out);
    }
}

static char *refused(char *text, Error *error, const Ast *program) {
    free(text);
    *error = (Error){ .kind = E_INTERNAL, .span = program->span };
    snprintf(error->message, sizeof error->message,
             "adl fmt would have changed what this text means, and left it alone");
    snprintf(error->hint, sizeof error->hint,
             "this is a defect of adl fmt; the text itself is fine");
    return NULL;
}

char *format_source(Source *source, Error *error) {
    Parsed parsed = parse(source);
    if (parsed.status != PARSE_OK) {
        *error = parsed.error[0];
        return NULL;
    }
    Formatter f = { .source = source, .lexer = lex_start(source->text, source->bytes, true) };
    char *code = NULL, *text = NULL;
    size_t code_bytes = 0, text_bytes = 0;
    f.code = open_memstream(&code, &code_bytes);
    FILE *out = open_memstream(&text, &text_bytes);
    if (f.code && out) write_all(&f);
    if (f.code) fclose(f.code);
    if (out && code) emit(&f, code, out);
    if (out) fclose(out);
    mem_free(f.open, f.open_capacity * sizeof(Open));
    mem_free(f.line, f.line_capacity * sizeof(Line));
    free(code);
    if (text && !same_meaning(source, parsed.program, text))
        return refused(text, error, parsed.program);
    return text;
}
