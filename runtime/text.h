/* Text. The one idea: a string is UTF-8 and its characters are code points, so that everything here
 * walks bytes and counts only those that start a character.
 *
 * Bytes that are no UTF-8 (from the environment, say) count as one character each and never crash.
 * Buffer is how text is built everywhere: it grows in memory of the pool, so nobody frees it. */
#ifndef TEXT_H
#define TEXT_H
#include "ops.h"

/* ---- growing text ---- */
typedef struct Buffer { char *text; size_t bytes, capacity; } Buffer;  /* { 0 } is an empty one */
char *buffer_reserve(Buffer *b, size_t bytes);    /* room for `bytes` more; returns where they go */
void buffer_add(Buffer *b, const char *text, size_t bytes);
void buffer_text(Buffer *b, const char *text);
void buffer_char(Buffer *b, char c);
void buffer_spaces(Buffer *b, int64_t count);
void buffer_format(Buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
Value buffer_string(const Buffer *b);             /* a pooled string of what it holds */

/* ---- characters ---- */
/* The offset behind the character at `at`. */
size_t text_next(const char *text, size_t bytes, size_t at);
size_t text_length(const char *text, size_t bytes);      /* in characters */
size_t text_width(const char *text, size_t bytes);       /* in columns of a terminal: 表 has two */
/* The offset of the first byte that is no UTF-8; `bytes` if all of it is. */
size_t text_valid(const char *text, size_t bytes);
bool text_is_name(const char *text, size_t bytes);       /* could it be a name in a program? */
/* The text as a string literal, quoted and escaped. */
void text_quote(Buffer *b, const char *text, size_t bytes);

/* ---- strings as sequences ---- */
Value string_index(String *s, int64_t index);            /* negative from the end; E_INDEX */
Value string_slice(String *s, const IndexItem *slice);   /* s[a:b:c] */
/* The character at byte *at, which moves behind it; UNSET at the end. For `for c in s`. */
Value string_next(String *s, size_t *at);

/* ---- what programs do with strings ---- */
Value string_concat(String *a, String *b);
Value string_repeat(String *s, int64_t times);
Value string_split(String *s, String *separator);        /* NULL: at white space; a list */
Value string_lines(String *s);                           /* a list, without the ends of lines */
Value string_join(Value list, String *separator);        /* items that are no strings as str() */
Value string_replace(String *s, String *old, String *new_text);
Value string_trim(String *s);
Value string_lower(String *s);
Value string_upper(String *s);
/* The offset in bytes of `part` in s, at or behind `from`; -1 if it is not there. */
int64_t string_find(String *s, String *part, size_t from);
bool string_starts(String *s, String *part);
bool string_ends(String *s, String *part);
/* A number as programs write it, with a sign, and with space around it. false: the text is no
 * number. */
bool text_number(const char *text, size_t bytes, double *out);
String *arg_string(Value v, const char *what);           /* E_TYPE if v is no string */
#endif
