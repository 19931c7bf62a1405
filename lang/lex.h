/* The lexer. The one idea: it never stops and never allocates. Text that is no token becomes a
 * T_ERROR token that says what is wrong, so the parser, the prompt's highlighting and the
 * formatter read the same tokens.
 *
 * A newline is a flag on the token behind it: only the parser knows whether it ends a statement.
 * An f-string comes as several tokens, T_STRING_OPEN (T_TEXT | T_PIECE_OPEN tokens [T_FORMAT]
 * T_PIECE_CLOSE)* T_STRING_CLOSE, so that what stands in its braces is lexed, coloured and parsed
 * like all other text. */
#ifndef LEX_H
#define LEX_H
#include "value.h"

typedef enum TokenKind {
#define PLAIN(token, reads, class) token,
#define SIGN(token, text, power, op, class) token,
#define WORD(token, text, power, class) token,
#include "token.def"
    TOKEN_COUNT,
    FIRST_SIGN = T_ARROW, LAST_SIGN = T_BRACE_CLOSE,
    FIRST_WORD = T_OR, LAST_WORD = T_NIL,
} TokenKind;

/* How a token is coloured. */
typedef enum TokenClass {
    CLASS_NONE, CLASS_ERROR, CLASS_COMMENT, CLASS_NUMBER, CLASS_NAME, CLASS_STRING, CLASS_OPERATOR,
    CLASS_BRACKET, CLASS_KEYWORD, CLASS_CONSTANT,
} TokenClass;

typedef struct Token {
    uint8_t kind;
    bool newline;           /* a line ended between the token before and this one */
    bool unfinished;        /* T_ERROR: the text ended too early, more of it may mend this */
    uint32_t start, end;    /* byte offsets */
    const char *problem;    /* T_ERROR: one sentence */
    const char *advice;     /* T_ERROR: what to write instead, or NULL */
} Token;

enum { MAX_OPEN_STRINGS = 32 };  /* f-strings inside the braces of f-strings */
typedef struct OpenString { uint32_t brackets; bool triple, in_piece; } OpenString;
typedef struct Lexer {
    const char *text;
    uint32_t bytes, at;
    bool comments;          /* hand out T_COMMENT tokens instead of skipping them */
    int open;
    OpenString string[MAX_OPEN_STRINGS];
} Lexer;

Lexer lex_start(const char *text, size_t bytes, bool comments);
Token lex_next(Lexer *lexer);
TokenClass token_class(int kind);
/* "`+`", "a number": how messages call it. */
const char *token_text(int kind);
static inline bool is_word(int kind) { return kind >= FIRST_WORD && kind <= LAST_WORD; }

/* What a token stands for. */
String *lex_symbol(const char *text, Token token);          /* of a T_NAME or keyword, NFC */
double lex_number(const char *text, Token token);
/* The text of a T_STRING or T_TEXT without quotes and with its escapes read, interned. NULL if an
 * escape is wrong: then *bad is its place. */
String *lex_string(const char *text, Token token, Token *bad);
/* The offset of the first byte that is not UTF-8, or `bytes`. */
size_t utf8_valid_bytes(const char *text, size_t bytes);
#endif
