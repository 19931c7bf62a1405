/* Do two texts mean the same? See same_meaning.h. */
#include "same_meaning.h"
#include "lex.h"
#include "parse.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *tree_text(const Ast *program) {
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    if (!out) return NULL;
    ast_print(out, program);
    fclose(out);
    return text;
}

/* The end of a token's text without the blanks that fmt takes from comments. */
static uint32_t trimmed_end(const Source *source, Token token) {
    uint32_t end = token.end;
    while (end > token.start && (source->text[end - 1] == ' ' || source->text[end - 1] == '\t'))
        end--;
    return end;
}

static bool same_token(const Source *a, Token x, const Source *b, Token y) {
    uint32_t x_bytes = trimmed_end(a, x) - x.start, y_bytes = trimmed_end(b, y) - y.start;
    return x.kind == y.kind && x_bytes == y_bytes &&
           !memcmp(a->text + x.start, b->text + y.start, x_bytes);
}

/* The same tokens and comments in the same order. */
static bool same_tokens(const Source *a, const Source *b) {
    Lexer left = lex_start(a->text, a->bytes, true), right = lex_start(b->text, b->bytes, true);
    for (;;) {
        Token x = lex_next(&left), y = lex_next(&right);
        if (!same_token(a, x, b, y)) return false;
        if (x.kind == T_END) return true;
    }
}

/* Equal but for blanks: a foreign signature stands in the tree as it was written. */
static bool same_letters(const char *a, const char *b) {
    for (;; a++, b++) {
        a += strspn(a, " \t\n");
        b += strspn(b, " \t\n");
        if (*a != *b || !*a) return *a == *b;
    }
}

bool same_meaning(const Source *source, const Ast *program, const char *text) {
    Source *written = source_new(source->name->text, text, strlen(text));
    Parsed again = parse(written);
    if (again.status != PARSE_OK || !same_tokens(source, written)) return false;
    char *before = tree_text(program), *after = tree_text(again.program);
    bool same = before && after && same_letters(before, after);
    free(before);
    free(after);
    return same;
}
