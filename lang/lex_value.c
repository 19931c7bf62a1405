/* What tokens stand for: a name its symbol, digits their number, a string its text. The one idea:
 * the lexer has seen where a token begins and ends; only who wants its value pays for reading it.
 * Names are compared after NFC, and the characters of strings behind their escapes. */
#define _GNU_SOURCE /* strtod_l */
#include "lex.h"
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

/* ---- names and numbers ---- */

static bool is_ascii(const char *text, size_t bytes) {
    for (size_t i = 0; i < bytes; i++)
        if ((unsigned char)text[i] >= 0x80) return false;
    return true;
}

String *lex_symbol(const char *text, Token t) {
    text += t.start;
    size_t bytes = t.end - t.start;
    if (is_ascii(text, bytes)) return symbol(text, bytes);
    utf8proc_uint8_t *normal = NULL;
    utf8proc_ssize_t length = utf8proc_map((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)bytes,
                                           &normal, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    if (length < 0) return symbol(text, bytes);
    /* The copy on the pool lets symbol() fail without losing utf8proc's memory. */
    char *copy = pool_bytes((size_t)length + 1);
    memcpy(copy, normal, (size_t)length);
    free(normal);
    return symbol(copy, (size_t)length);
}

/* strtod() reads the decimal point of the locale; a program text has none. */
static double read_decimal(const char *digits_text) {
    static locale_t plain;
    if (!plain) plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    return plain ? strtod_l(digits_text, NULL, plain) : strtod(digits_text, NULL);
}

double lex_number(const char *text, Token t) {
    char few[64], *copy = t.end - t.start < sizeof few ? few : pool_bytes(t.end - t.start + 1u);
    size_t length = 0;
    for (uint32_t i = t.start; i < t.end; i++)
        if (text[i] != '_') copy[length++] = text[i];
    copy[length] = 0;
    if (copy[0] != '0' || (copy[1] != 'b' && copy[1] != 'B')) return read_decimal(copy);
    double value = 0;
    for (const char *digit = copy + 2; *digit; digit++) value = 2 * value + (*digit == '1');
    return value;
}

/* ---- strings ---- */

/* -1: it is no hexadecimal digit. */
static int digit_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    return (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* \u{3b1}: reads the digits at `from`; 0 bytes if they are no character. */
static size_t unicode_escape(const char *text, uint32_t from, uint32_t end, char *out,
                             uint32_t *after) {
    uint32_t i = from, code = 0;
    if (i == end || text[i++] != '{') return 0;
    for (; i < end && digit_value(text[i]) >= 0 && code <= 0x10FFFF; i++)
        code = code * 16 + (uint32_t)digit_value(text[i]);
    if (i == end || text[i] != '}' || i == from + 1 ||
        !utf8proc_codepoint_valid((utf8proc_int32_t)code))
        return 0;
    *after = i + 1;
    return (size_t)utf8proc_encode_char((utf8proc_int32_t)code, (utf8proc_uint8_t *)out);
}

static char simple_escape(char c) {
    switch (c) {
    case 'n': return '\n';
    case 't': return '\t';
    case 'r': return '\r';
    case '"': case '\\': case '{': case '}': return c;
    default: return 0;
    }
}

/* Reads the escape behind the backslash at *i into out; 0 if there is no such escape. */
static size_t escape(const char *text, uint32_t *i, uint32_t end, char *out) {
    uint32_t at_letter = *i + 1, after = at_letter + 1;
    if (at_letter >= end) return 0;
    if (text[at_letter] == 'u') {
        size_t length = unicode_escape(text, at_letter + 1, end, out, &after);
        *i = after;
        return length;
    }
    *out = simple_escape(text[at_letter]);
    *i = after;
    return *out ? 1 : 0;
}

/* The text between start and end with its escapes read; `braces`: {{ and }} stand for one. */
static String *unescape(const char *text, uint32_t start, uint32_t end, bool braces, Token *bad) {
    if (!memchr(text + start, '\\', end - start) && !braces)
        return symbol(text + start, end - start);
    char *out = pool_bytes(end - start + 8u);
    size_t length = 0;
    for (uint32_t i = start; i < end;) {
        uint32_t from = i;
        if (text[i] != '\\') {
            out[length++] = text[i];
            i += braces && (text[i] == '{' || text[i] == '}') ? 2 : 1;
            continue;
        }
        size_t bytes = escape(text, &i, end, out + length);
        if (!bytes) {
            uint32_t bad_end = from + 2 < end ? from + 2 : end;
            *bad = (Token){ .kind = T_ERROR, .start = from, .end = bad_end };
            return NULL;
        }
        length += bytes;
    }
    return symbol(out, length);
}

String *lex_string(const char *text, Token t, Token *bad) {
    if (t.kind != T_STRING) return unescape(text, t.start, t.end, true, bad);
    bool raw = text[t.start] == 'r';
    uint32_t start = t.start + raw;
    uint32_t quotes = t.end - start >= 6 && memcmp(text + start, "\"\"\"", 3) == 0 ? 3 : 1;
    if (raw) return symbol(text + start + quotes, t.end - quotes - start - quotes);
    return unescape(text, start + quotes, t.end - quotes, false, bad);
}
