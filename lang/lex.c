/* The lexer: text to tokens. The one idea: lex_next() looks at one character and calls the small
 * function that knows this kind of token; each of them moves `at` by at least one byte.
 *
 * It must not know the grammar: no token depends on what the parser made of those before. What a
 * token stands for is told by lex_value.c. */
#include "lex.h"
#include <string.h>
#include <utf8proc.h>

/* ---- the table ---- */

static const struct { const char *text; uint8_t length, class; bool named; } rows[TOKEN_COUNT] = {
#define PLAIN(token, reads, class) [token] = { reads, 0, class, false },
#define SIGN(token, text, power, op, class) [token] = { text, sizeof(text) - 1, class, true },
#define WORD(token, text, power, class) [token] = { text, sizeof(text) - 1, class, true },
#include "token.def"
};

static const char *const quoted[TOKEN_COUNT] = {
#define PLAIN(token, reads, class) [token] = reads,
#define SIGN(token, text, power, op, class) [token] = "`" text "`",
#define WORD(token, text, power, class) [token] = "`" text "`",
#include "token.def"
};

TokenClass token_class(int kind) { return rows[kind].class; }
const char *token_text(int kind) { return quoted[kind]; }

/* Signs of other languages, longest first within one beginning, with what adl writes. */
static const struct { const char *text, *problem, *advice; } foreign_signs[] = {
    { "===", "`===` is not adl",              "write `==`, or equal(a, b) for whole arrays" },
    { "!==", "`!==` is not adl",              "write `!=`" },
    { "&&",  "`&&` is not adl",               "write `and`" },
    { "||",  "`||` is not adl",               "write `or`" },
    { "~=",  "`~=` is not adl",               "write `!=`" },
    { "=>",  "`=>` is not adl",               "write `->`: x -> x^2" },
    { ":=",  "`:=` is not adl",               "write `=`" },
    { "|>",  "`|>` is not adl",               "write a method call: x.f()" },
    { "&",   "`&` is not adl",                "write `and`, or logical_and(a, b) for masks" },
    { "|",   "`|` is not adl",                "write `or`, or logical_or(a, b) for masks" },
    { "~",   "`~` is not adl",                "write `not`, or logical_not(a) for masks" },
    { "!",   "`!` is not adl",                "write `not`" },
    { "..",  "`..` is not adl",               "write range(a, b), or a:b in an index" },
    { "?",   "`?` is not adl",                "write `if c { a } else { b }`" },
    { "\\",  "a `\\` has no meaning here",    "a line goes on inside ( ) and after an operator; at the prompt Tab makes a letter of \\alpha" },
    { "\xE2\x80\x9C", "strings stand in straight quotes",        "write \"" },
    { "\xE2\x80\x9D", "strings stand in straight quotes",        "write \"" },
    { "\xE2\x80\x98", "strings stand in straight double quotes", "write \"" },
    { "\xE2\x80\x99", "strings stand in straight double quotes", "write \"" },
    { "\xE2\x88\x92", "this minus sign is not the one of the keyboard (U+2212)", "write `-`" },
    { "\xC3\x97",     "`\xC3\x97` is not adl",     "write `*`, or `@` for the matrix product" },
    { "\xC2\xB7",     "`\xC2\xB7` is not adl",     "write `*`, or `@` for the matrix product" },
    { "\xC3\xB7",     "`\xC3\xB7` is not adl",     "write `/`" },
    { "\xE2\x89\xA4", "`\xE2\x89\xA4` is not adl", "write `<=`" },
    { "\xE2\x89\xA5", "`\xE2\x89\xA5` is not adl", "write `>=`" },
    { "\xE2\x89\xA0", "`\xE2\x89\xA0` is not adl", "write `!=`" },
    { "\xE2\x86\x92", "`\xE2\x86\x92` is not adl", "write `->`" },
    { "\xC2\xA0",     "this is a no-break space (U+00A0)", "type an ordinary space" },
    { "\xE2\x80\x8B", "this is an invisible character (U+200B)", "delete it" },
};

enum { FOREIGN_SIGNS = sizeof foreign_signs / sizeof *foreign_signs };

/* The words and signs that begin with a character, as chains: the first of them, and for each the
 * next; 0 ends a chain. Of foreign signs: 1 + the place in their table. */
static uint8_t first_token[256], next_token_of[TOKEN_COUNT], first_foreign[256],
    next_foreign[FOREIGN_SIGNS + 1];

static void put_first(uint8_t *first, uint8_t *next, const char *text, int i) {
    uint8_t *head = &first[(unsigned char)*text];
    next[i] = *head;
    *head = (uint8_t)i;
}

__attribute__((constructor)) static void know_first_characters(void) {
    _Static_assert(TOKEN_COUNT < 256 && FIRST_SIGN > 0 && FIRST_WORD > 0, "0 ends a chain");
    for (int kind = LAST_SIGN; kind >= FIRST_SIGN; kind--)
        put_first(first_token, next_token_of, rows[kind].text, kind);
    for (int kind = LAST_WORD; kind >= FIRST_WORD; kind--)
        put_first(first_token, next_token_of, rows[kind].text, kind);
    for (int i = FOREIGN_SIGNS; i > 0; i--)
        put_first(first_foreign, next_foreign, foreign_signs[i - 1].text, i);
}

/* ---- characters ---- */

static char at(const Lexer *l, uint32_t offset) {
    return offset < l->bytes ? l->text[offset] : '\0';
}

static bool starts(const Lexer *l, uint32_t offset, const char *text) {
    size_t length = strlen(text);
    return length <= l->bytes - offset && memcmp(l->text + offset, text, length) == 0;
}

/* The character at offset and its length in bytes; -1 and 1 for a byte that is not UTF-8. */
static int32_t character(const Lexer *l, uint32_t offset, uint32_t *length) {
    utf8proc_int32_t code = -1;
    utf8proc_ssize_t bytes = 0;
    *length = 1;
    if (offset >= l->bytes) return -1;
    unsigned char first = (unsigned char)l->text[offset];
    if (first < 0x80) return first;
    bytes = utf8proc_iterate((const utf8proc_uint8_t *)l->text + offset, l->bytes - offset, &code);
    if (bytes <= 0) return -1;
    *length = (uint32_t)bytes;
    return code;
}

static bool is_digit(int32_t c) { return c >= '0' && c <= '9'; }

static inline bool is_ascii_name(char c) {
    return ((c | 32) >= 'a' && (c | 32) <= 'z') || is_digit(c) || c == '_';
}

static bool is_letter(int32_t c) {
    if (c < 0x80) return ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '_';
    utf8proc_category_t category = utf8proc_category(c);
    return (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) ||
           category == UTF8PROC_CATEGORY_NL;
}

/* May stand in a name behind its first character. */
static bool is_name_part(int32_t c) {
    if (c < 0x80) return is_letter(c) || is_digit(c);
    if (c >= 0x2080 && c <= 0x2089) return true;
    utf8proc_category_t category = utf8proc_category(c);
    return is_letter(c) || category == UTF8PROC_CATEGORY_ND ||
           (category >= UTF8PROC_CATEGORY_MN && category <= UTF8PROC_CATEGORY_ME);
}

static bool letter_at(const Lexer *l, uint32_t offset) {
    uint32_t length;
    return is_letter(character(l, offset, &length));
}

size_t utf8_valid_bytes(const char *text, size_t bytes) {
    size_t i = 0;
    while (i < bytes) {
        uint64_t eight;
        if (bytes - i >= sizeof eight) {            /* mostly ASCII: eight at a time */
            memcpy(&eight, text + i, sizeof eight);
            if (!(eight & 0x8080808080808080)) { i += sizeof eight; continue; }
        }
        if ((unsigned char)text[i] < 0x80) { i++; continue; }
        utf8proc_int32_t code;
        utf8proc_ssize_t length = utf8proc_iterate((const utf8proc_uint8_t *)text + i,
                                                   (utf8proc_ssize_t)(bytes - i), &code);
        if (length <= 0) return i;
        i += (size_t)length;
    }
    return bytes;
}

/* ---- tokens ---- */

static Token token(Lexer *l, int kind, uint32_t start, uint32_t end) {
    l->at = end;
    return (Token){ .kind = (uint8_t)kind, .start = start, .end = end };
}

static Token problem(Lexer *l, uint32_t start, uint32_t end, const char *text, const char *advice) {
    Token t = token(l, T_ERROR, start, end);
    t.problem = text;
    t.advice = advice;
    return t;
}

static Token unfinished(Lexer *l, uint32_t start, uint32_t end, const char *text,
                        const char *advice) {
    Token t = problem(l, start, end, text, advice);
    t.unfinished = true;
    return t;
}

static uint32_t line_end(const Lexer *l, uint32_t offset) {
    const char *newline = memchr(l->text + offset, '\n', l->bytes - offset);
    return newline ? (uint32_t)(newline - l->text) : l->bytes;
}

static uint32_t name_end(const Lexer *l, uint32_t offset) {
    for (uint32_t length;; offset += length) {
        while (offset < l->bytes && is_ascii_name(l->text[offset])) offset++;
        if (!is_name_part(character(l, offset, &length))) return offset;
    }
}

static Token word(Lexer *l, uint32_t start) {
    uint32_t end = name_end(l, start);
    for (int k = first_token[(unsigned char)l->text[start]]; k; k = next_token_of[k])
        if (rows[k].length == end - start && !memcmp(rows[k].text, l->text + start, end - start))
            return token(l, k, start, end);
    return token(l, T_NAME, start, end);
}

static uint32_t digits(const Lexer *l, uint32_t offset) {
    while (is_digit(at(l, offset)) || (at(l, offset) == '_' && is_digit(at(l, offset + 1))))
        offset++;
    return offset;
}

static bool is_digit_of(int base, char c) {
    if (base == 2) return c == '0' || c == '1';
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static uint32_t based_digits(const Lexer *l, uint32_t offset, int base) {
    while (is_digit_of(base, at(l, offset)) ||
           (at(l, offset) == '_' && is_digit_of(base, at(l, offset + 1)))) offset++;
    return offset;
}

/* A dot behind digits belongs to the number unless a letter, _ or . follows: 1.sum() is a call. */
static uint32_t decimal(const Lexer *l, uint32_t start) {
    uint32_t end = digits(l, start);
    if (at(l, end) == '.' && at(l, end + 1) != '.' && !letter_at(l, end + 1))
        end = digits(l, end + 1);
    if (at(l, end) == 'e' || at(l, end) == 'E') {
        uint32_t power = end + 1 + (at(l, end + 1) == '+' || at(l, end + 1) == '-');
        if (is_digit(at(l, power))) end = digits(l, power);
    }
    return end;
}

static Token number_token(Lexer *l, uint32_t start) {
    char letter = at(l, start + 1);
    bool hexadecimal = letter == 'x' || letter == 'X', binary = letter == 'b' || letter == 'B',
         based;
    based = at(l, start) == '0' && (hexadecimal || binary);
    uint32_t end = based ? based_digits(l, start + 2, binary ? 2 : 16) : decimal(l, start);
    if (name_end(l, end) == end && !(based && end == start + 2))
        return token(l, T_NUMBER, start, end);
    if (based) return problem(l, start, name_end(l, end), "this is no number",
                              "hexadecimal is 0x1F, binary is 0b101");
    return problem(l, start, name_end(l, end), "a number runs into a name",
                   "write 2 * x for a product; names begin with a letter");
}

/* The end of a string whose text begins at `from`, behind its quotes; 0 if there is none. */
static uint32_t string_end(const Lexer *l, uint32_t from, bool triple, bool raw) {
    for (uint32_t i = from; i < l->bytes; i++) {
        char c = l->text[i];
        if (c == '\n' && !triple) return 0;
        if (c == '\\' && !raw && i + 1 < l->bytes && l->text[i + 1] != '\n') i++;
        else if (c == '"' && !triple) return i + 1;
        else if (c == '"' && starts(l, i, "\"\"\"")) return i + 3;
    }
    return 0;
}

/* "..." or r"..." or the same with three quotes. */
static Token string_token(Lexer *l, uint32_t start) {
    bool raw = at(l, start) == 'r', triple = starts(l, start + raw, "\"\"\"");
    uint32_t end = string_end(l, start + raw + (triple ? 3 : 1), triple, raw);
    if (end) return token(l, T_STRING, start, end);
    if (triple)
        return unfinished(l, start, l->bytes, "this string is not closed", "close it with \"\"\"");
    return problem(l, start, line_end(l, start), "this string is not closed on its line",
                   "close it with \", or use \"\"\" for text of several lines");
}

static Token open_string(Lexer *l, uint32_t start) {
    bool triple = starts(l, start + 1, "\"\"\"");
    if (l->open == MAX_OPEN_STRINGS)
        return problem(l, start, line_end(l, start), "more than 32 f-strings inside each other",
                       "give the inner ones a name");
    l->string[l->open++] = (OpenString){ 0, triple, false };
    return token(l, T_STRING_OPEN, start, start + (triple ? 4 : 2));
}

/* The text of an f-string does not go on: close it here, so that only this line is lost. */
static Token broken_string(Lexer *l, uint32_t start) {
    bool triple = l->string[--l->open].triple;
    uint32_t end = triple ? l->bytes : line_end(l, start);
    if (triple)
        return unfinished(l, start, end, "this f-string is not closed", "close it with \"\"\"");
    return problem(l, start, end, "this f-string is not closed on its line",
                   "close it with \", or use f\"\"\" for text of several lines");
}

/* How long the escape at i is: the braces of \u{3b1} are no braces of the f-string. */
static uint32_t escape_bytes(const Lexer *l, uint32_t i) {
    if (at(l, i + 1) != 'u' || at(l, i + 2) != '{') return 2;
    uint32_t end = i + 3;
    while (end < l->bytes && at(l, end) != '}' && at(l, end) != '"' && at(l, end) != '\n') end++;
    return at(l, end) == '}' ? end + 1 - i : 2;
}

/* Inside an f-string, outside its braces. */
static Token string_text(Lexer *l) {
    OpenString *string = &l->string[l->open - 1];
    const char *quotes = string->triple ? "\"\"\"" : "\"";
    uint32_t start = l->at, i = start;
    for (; i < l->bytes; i++) {
        char c = l->text[i];
        if ((c == '{' || c == '}') && at(l, i + 1) == c) i++;
        else if (c == '{' || c == '}' || (c == '\n' && !string->triple) || starts(l, i, quotes))
            break;
        else if (c == '\\' && i + 1 < l->bytes && l->text[i + 1] != '\n')
            i += escape_bytes(l, i) - 1;
    }
    if (i > l->bytes) i = l->bytes;
    if (i > start) return token(l, T_TEXT, start, i);
    if (at(l, i) == '{' && i < l->bytes) {
        string->in_piece = true;
        return token(l, T_PIECE_OPEN, i, i + 1);
    }
    if (at(l, i) == '}' && i < l->bytes)
        return problem(l, i, i + 1, "a `}` without its `{`", "write `}}` for the character");
    if (i == l->bytes || at(l, i) == '\n') return broken_string(l, i);
    l->open--;
    return token(l, T_STRING_CLOSE, i, i + (uint32_t)strlen(quotes));
}

/* Inside the braces of an f-string, at a `:` or `}` that belongs to no bracket. */
static Token end_of_piece(Lexer *l, uint32_t start) {
    OpenString *string = &l->string[l->open - 1];
    if (at(l, start) == '}') {
        string->in_piece = false;
        return token(l, T_PIECE_CLOSE, start, start + 1);
    }
    uint32_t end = start;
    while (end < l->bytes && l->text[end] != '}' && l->text[end] != '"' && l->text[end] != '\n')
        end++;
    return token(l, T_FORMAT, start, end);
}

static void count_brackets(Lexer *l, int kind) {
    if (!l->open) return;
    uint32_t *brackets = &l->string[l->open - 1].brackets;
    if (kind == T_PAREN_OPEN || kind == T_SQUARE_OPEN || kind == T_BRACE_OPEN) ++*brackets;
    if (kind == T_PAREN_CLOSE || kind == T_SQUARE_CLOSE || kind == T_BRACE_CLOSE)
        *brackets -= *brackets > 0;
}

static int longest_sign(const Lexer *l, uint32_t start) {
    int best = T_ERROR;
    for (int k = first_token[(unsigned char)l->text[start]]; k; k = next_token_of[k])
        if (rows[k].length > rows[best].length && starts(l, start, rows[k].text)) best = k;
    return best;
}

static Token sign(Lexer *l, uint32_t start) {
    int kind = longest_sign(l, start);
    uint32_t length;
    for (int i = first_foreign[(unsigned char)l->text[start]]; i; i = next_foreign[i]) {
        const char *text = foreign_signs[i - 1].text;
        uint32_t size = (uint32_t)strlen(text);
        if (size > rows[kind].length && starts(l, start, text))
            return problem(l, start, start + size, foreign_signs[i - 1].problem,
                           foreign_signs[i - 1].advice);
    }
    if (kind != T_ERROR) {
        count_brackets(l, kind);
        return token(l, kind, start, start + rows[kind].length);
    }
    if (character(l, start, &length) >= 0)
        return problem(l, start, start + length, "this character has no meaning in adl", NULL);
    return problem(l, start, start + 1, "this byte is not UTF-8", "save the text as UTF-8");
}

/* Is a newline here the end of an f-string that may not have one? */
static bool on_one_line(const Lexer *l) { return l->open && !l->string[l->open - 1].triple; }

/* Moves over spaces and, unless they are wanted, comments. True if a line ended. */
static bool skip_space(Lexer *l) {
    bool newline = false;
    while (l->at < l->bytes) {
        char c = l->text[l->at];
        if (c == '#' && !l->comments) l->at = line_end(l, l->at);
        else if (c == '\n' && !on_one_line(l)) newline = true, l->at++;
        else if (c == ' ' || c == '\t' || c == '\r' || c == '\f') l->at++;
        else break;
    }
    return newline;
}

static Token next_token(Lexer *l) {
    uint32_t start = l->at, length;
    bool in_piece = l->open && l->string[l->open - 1].in_piece;
    if (in_piece && on_one_line(l) && (start == l->bytes || l->text[start] == '\n'))
        return broken_string(l, start);
    if (start == l->bytes) return token(l, T_END, start, start);
    char c = l->text[start];
    if (c == '#') return token(l, T_COMMENT, start, line_end(l, start));
    if (in_piece && (c == ':' || c == '}') && l->string[l->open - 1].brackets == 0)
        return end_of_piece(l, start);
    if (c == '"' || (c == 'r' && at(l, start + 1) == '"')) return string_token(l, start);
    if (c == 'f' && at(l, start + 1) == '"') return open_string(l, start);
    if (is_digit(c) || (c == '.' && is_digit(at(l, start + 1)))) return number_token(l, start);
    if (is_letter(character(l, start, &length))) return word(l, start);
    return sign(l, start);
}

Lexer lex_start(const char *text, size_t bytes, bool comments) {
    return (Lexer){ .text = text, .bytes = (uint32_t)bytes, .comments = comments };
}

Token lex_next(Lexer *l) {
    if (l->open && !l->string[l->open - 1].in_piece) return string_text(l);
    bool newline = skip_space(l);
    Token t = next_token(l);
    t.newline = newline;
    return t;
}
