/* Text: UTF-8 walking, and what strings can do. See text.h for the idea.
 *
 * Case mapping, widths and letter classes come from utf8proc. Nothing here knows how values print
 * (format.c does), but for string_join, which asks it for items that are no strings. */
#define _GNU_SOURCE
#include "text.h"
#include "format.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

/* ---- growing text ---- */

/* Old blocks stay in the pool until it unwinds: doubling keeps them below the size of the
 * newest. */
char *buffer_reserve(Buffer *b, size_t bytes) {
    if (b->capacity - b->bytes < bytes) {
        size_t capacity = b->capacity ? b->capacity * 2 : 120;
        if (capacity < b->bytes + bytes) capacity = b->bytes + bytes;
        char *text = pool_bytes(capacity);
        if (b->bytes) memcpy(text, b->text, b->bytes);
        b->text = text;
        b->capacity = capacity;
    }
    return b->text + b->bytes;
}

void buffer_add(Buffer *b, const char *text, size_t bytes) {
    if (!bytes) return;
    memcpy(buffer_reserve(b, bytes), text, bytes);
    b->bytes += bytes;
}

void buffer_text(Buffer *b, const char *text) { buffer_add(b, text, strlen(text)); }

void buffer_char(Buffer *b, char c) {
    *buffer_reserve(b, 1) = c;
    b->bytes++;
}

void buffer_spaces(Buffer *b, int64_t count) {
    if (count <= 0) return;
    memset(buffer_reserve(b, (size_t)count), ' ', (size_t)count);
    b->bytes += (size_t)count;
}

void buffer_format(Buffer *b, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    size_t room = b->capacity - b->bytes;
    int bytes = vsnprintf(room ? b->text + b->bytes : NULL, room, format, args);
    if (bytes >= 0 && (size_t)bytes >= room) {
        char *at = buffer_reserve(b, (size_t)bytes + 1);
        vsnprintf(at, (size_t)bytes + 1, format, again);
    }
    if (bytes > 0) b->bytes += (size_t)bytes;
    va_end(args);
    va_end(again);
}

Value buffer_string(const Buffer *b) { return string_new(b->text ? b->text : "", b->bytes); }

/* ---- characters ---- */

/* The code point at `at` and its length; a byte that is no UTF-8 is given as -1 with length 1. */
static size_t decode(const char *text, size_t bytes, size_t at, utf8proc_int32_t *code) {
    if (!((unsigned char)text[at] & 0x80)) {
        *code = text[at];
        return 1;
    }
    utf8proc_ssize_t length = utf8proc_iterate((const utf8proc_uint8_t *)text + at,
                                               (utf8proc_ssize_t)(bytes - at), code);
    if (length > 0) return (size_t)length;
    *code = -1;
    return 1;
}

size_t text_next(const char *text, size_t bytes, size_t at) {
    utf8proc_int32_t code;
    return at + decode(text, bytes, at, &code);
}

size_t text_valid(const char *text, size_t bytes) {
    for (size_t at = 0; at < bytes;) {
        utf8proc_int32_t code;
        size_t length = decode(text, bytes, at, &code);
        if (code < 0) return at;
        at += length;
    }
    return bytes;
}

size_t text_length(const char *text, size_t bytes) {
    size_t length = 0;
    for (size_t at = 0; at < bytes; length++) at = text_next(text, bytes, at);
    return length;
}

size_t text_width(const char *text, size_t bytes) {
    size_t width = 0;
    for (size_t at = 0; at < bytes;) {
        utf8proc_int32_t code;
        at += decode(text, bytes, at, &code);
        width += code < 0 ? 1 : code < 0x7F ? code >= ' ' : (size_t)utf8proc_charwidth(code);
    }
    return width;
}

static bool starts_name(utf8proc_int32_t code) {
    utf8proc_category_t category = utf8proc_category(code);
    return code == '_' || (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO);
}

static bool continues_name(utf8proc_int32_t code) {
    utf8proc_category_t category = utf8proc_category(code);
    bool mark = category >= UTF8PROC_CATEGORY_MN && category <= UTF8PROC_CATEGORY_ME;
    bool subscript = code >= 0x2080 && code <= 0x2089;
    return starts_name(code) || mark || subscript || category == UTF8PROC_CATEGORY_ND;
}

bool text_is_name(const char *text, size_t bytes) {
    for (size_t at = 0; at < bytes;) {
        utf8proc_int32_t code;
        size_t length = decode(text, bytes, at, &code);
        if (code < 0 || !(at ? continues_name(code) : starts_name(code))) return false;
        at += length;
    }
    return bytes > 0;
}

void text_quote(Buffer *b, const char *text, size_t bytes) {
    buffer_char(b, '"');
    for (size_t at = 0; at < bytes; at++) {
        unsigned char c = (unsigned char)text[at];
        switch (c) {
        case '"':  buffer_text(b, "\\\""); break;
        case '\\': buffer_text(b, "\\\\"); break;
        case '\n': buffer_text(b, "\\n"); break;
        case '\t': buffer_text(b, "\\t"); break;
        default:
            if (c < ' ' || c == 0x7F) buffer_format(b, "\\u{%x}", c);
            else buffer_char(b, (char)c);
        }
    }
    buffer_char(b, '"');
}

/* ---- strings as sequences ---- */

static size_t length_of(String *s) { return text_length(s->text, s->bytes); }

/* The offset of character `index`; a string of plain ASCII needs no walk. */
static size_t offset_of(String *s, size_t length, int64_t index) {
    if (length == s->bytes) return (size_t)index;
    size_t at = 0;
    while (index-- > 0) at = text_next(s->text, s->bytes, at);
    return at;
}

Value string_index(String *s, int64_t index) {
    int64_t length = (int64_t)length_of(s), from_start = index < 0 ? index + length : index;
    if (from_start < 0 || from_start >= length)
        fail(E_INDEX, "index %lld is out of range: the string has %lld character%s",
             (long long)index, (long long)length, length == 1 ? "" : "s");
    size_t at = offset_of(s, (size_t)length, from_start);
    return string_next(s, &at);
}

/* Where one end of a slice falls among `length` places, as in NumPy: beyond the ends is the end. */
static int64_t clamp_end(int64_t at, int64_t length, int64_t step) {
    int64_t low = step < 0 ? -1 : 0, high = step < 0 ? length - 1 : length;
    if (at < 0) at += length;
    return at < low ? low : at > high ? high : at;
}

static Value slice_by_steps(String *s, int64_t start, int64_t stop, int64_t step, size_t length) {
    size_t *offset = pool_bytes((length + 1) * sizeof *offset);
    size_t at = 0;
    for (size_t i = 0; i < length; i++, at = text_next(s->text, s->bytes, at)) offset[i] = at;
    offset[length] = s->bytes;
    Buffer b = { 0 };
    for (int64_t i = start; step > 0 ? i < stop : i > stop; i += step)
        buffer_add(&b, s->text + offset[i], offset[i + 1] - offset[i]);
    return buffer_string(&b);
}

Value string_slice(String *s, const IndexItem *slice) {
    int64_t length = (int64_t)length_of(s), step = slice->step ? slice->step : 1;
    int64_t start = step < 0 ? length - 1 : 0, stop = step < 0 ? -1 : length;
    if (slice->has_start) start = clamp_end(slice->start, length, step);
    if (slice->has_stop) stop = clamp_end(slice->stop, length, step);
    if (step > length) step = length + 1;
    if (step < -length) step = -length - 1;
    if (step != 1) return slice_by_steps(s, start, stop, step, (size_t)length);
    if (stop <= start) return string_of("");
    size_t first = offset_of(s, (size_t)length, start), last = offset_of(s, (size_t)length, stop);
    return string_new(s->text + first, last - first);
}

Value string_next(String *s, size_t *at) {
    if (*at >= s->bytes) return UNSET;
    size_t start = *at;
    *at = text_next(s->text, s->bytes, start);
    return string_new(s->text + start, *at - start);
}

/* ---- what programs do with strings ---- */

Value string_concat(String *a, String *b) {
    Buffer text = { 0 };
    buffer_reserve(&text, a->bytes + b->bytes);
    buffer_add(&text, a->text, a->bytes);
    buffer_add(&text, b->text, b->bytes);
    return buffer_string(&text);
}

Value string_repeat(String *s, int64_t times) {
    size_t bytes;
    if (times < 0) fail(E_VALUE, "cannot repeat a string %lld times", (long long)times);
    if (__builtin_mul_overflow(s->bytes, (size_t)times, &bytes) || bytes > (size_t)1 << 40)
        fail(E_LIMIT, "a string repeated %lld times is too long", (long long)times);
    Buffer text = { 0 };
    buffer_reserve(&text, bytes);
    for (int64_t i = 0; s->bytes && i < times; i++) buffer_add(&text, s->text, s->bytes);
    return buffer_string(&text);
}

int64_t string_find(String *s, String *part, size_t from) {
    if (from > s->bytes) return -1;
    if (!part->bytes) return (int64_t)from;
    const char *found = memmem(s->text + from, s->bytes - from, part->text, part->bytes);
    return found ? found - s->text : -1;
}

bool string_starts(String *s, String *part) {
    return s->bytes >= part->bytes && !memcmp(s->text, part->text, part->bytes);
}

bool string_ends(String *s, String *part) {
    size_t before = s->bytes - part->bytes;
    return s->bytes >= part->bytes && !memcmp(s->text + before, part->text, part->bytes);
}

static bool is_space(utf8proc_int32_t code) {
    if (code <= ' ') return code == ' ' || (code >= '\t' && code <= '\r');
    return utf8proc_category(code) == UTF8PROC_CATEGORY_ZS || code == 0x2028 || code == 0x2029;
}

static bool space_at(String *s, size_t at) {
    utf8proc_int32_t code;
    decode(s->text, s->bytes, at, &code);
    return code >= 0 && is_space(code);
}

/* The offset of the first character from `at` on that is (or is not) white space. */
static size_t skip(String *s, size_t at, bool space) {
    while (at < s->bytes && space_at(s, at) == space) at = text_next(s->text, s->bytes, at);
    return at;
}

/* A piece of a string that is being split: its place; false when there is none left. */
typedef struct Splitter { String *s, *separator; size_t at; bool done; } Splitter;
typedef struct Part { size_t start, stop; } Part;

static bool next_word(Splitter *p, Part *part) {
    part->start = skip(p->s, p->at, true);
    part->stop = p->at = skip(p->s, part->start, false);
    return part->start < part->stop;
}

static bool next_part(Splitter *p, Part *part) {
    if (!p->separator) return next_word(p, part);
    if (p->done) return false;
    int64_t found = string_find(p->s, p->separator, p->at);
    p->done = found < 0;
    *part = (Part){ p->at, p->done ? p->s->bytes : (size_t)found };
    p->at = part->stop + p->separator->bytes;
    return true;
}

Value string_split(String *s, String *separator) {
    if (separator && !separator->bytes) {
        hint("without one, split goes by white space; `for c in text` gives the characters");
        fail(E_VALUE, "split needs a separator that is not empty");
    }
    size_t count = 0;
    Part part;
    for (Splitter p = { s, separator, 0, false }; next_part(&p, &part);) count++;
    Value list = list_new(count);
    Splitter p = { s, separator, 0, false };
    for (size_t i = 0; i < count && next_part(&p, &part); i++) {
        size_t mark = pool_mark();
        list_set(list, i, string_new(s->text + part.start, part.stop - part.start));
        pool_unwind(mark);
        poll();
    }
    return list;
}

/* The next line of s from *at on, without \n or \r\n; *at moves behind it. */
static Part next_line(String *s, size_t *at) {
    const char *end = memchr(s->text + *at, '\n', s->bytes - *at);
    Part line = { *at, end ? (size_t)(end - s->text) : s->bytes };
    *at = line.stop + (end != NULL);
    if (line.stop > line.start && s->text[line.stop - 1] == '\r') line.stop--;
    return line;
}

Value string_lines(String *s) {
    size_t count = 0;
    for (size_t at = 0; at < s->bytes; count++) next_line(s, &at);
    Value list = list_new(count);
    for (size_t i = 0, at = 0; i < count; i++) {
        size_t mark = pool_mark();
        Part line = next_line(s, &at);
        list_set(list, i, string_new(s->text + line.start, line.stop - line.start));
        pool_unwind(mark);
        poll();
    }
    return list;
}

Value string_join(Value list, String *separator) {
    Buffer b = { 0 };
    for (size_t i = 0; i < list.as.list->count; i++) {
        Value item = list.as.list->item[i];
        if (i) buffer_add(&b, separator->text, separator->bytes);
        poll_at((int64_t)i);
        if (item.tag == V_STRING) buffer_add(&b, item.as.string->text, item.as.string->bytes);
        else format_value(&b, item, NULL);
    }
    return buffer_string(&b);
}

Value string_replace(String *s, String *old, String *new_text) {
    if (!old->bytes) fail(E_VALUE, "replace needs a text to look for that is not empty");
    Buffer b = { 0 };
    size_t at = 0;
    for (int64_t found; (found = string_find(s, old, at)) >= 0; at = (size_t)found + old->bytes) {
        buffer_add(&b, s->text + at, (size_t)found - at);
        buffer_add(&b, new_text->text, new_text->bytes);
        poll();
    }
    buffer_add(&b, s->text + at, s->bytes - at);
    return buffer_string(&b);
}

Value string_trim(String *s) {
    size_t first = skip(s, 0, true), last = first;
    for (size_t at = first; at < s->bytes;) {
        bool space = space_at(s, at);
        at = text_next(s->text, s->bytes, at);
        if (!space) last = at;
    }
    return string_new(s->text + first, last - first);
}

static Value map_characters(String *s, utf8proc_int32_t (*map)(utf8proc_int32_t)) {
    Buffer b = { 0 };
    buffer_reserve(&b, s->bytes);
    for (size_t at = 0; at < s->bytes;) {
        utf8proc_int32_t code;
        size_t length = decode(s->text, s->bytes, at, &code);
        utf8proc_uint8_t mapped[4];
        if (code < 0) buffer_add(&b, s->text + at, length);
        else buffer_add(&b, (char *)mapped, (size_t)utf8proc_encode_char(map(code), mapped));
        at += length;
        poll();
    }
    return buffer_string(&b);
}

Value string_lower(String *s) { return map_characters(s, utf8proc_tolower); }
Value string_upper(String *s) { return map_characters(s, utf8proc_toupper); }

/* ---- numbers in text ---- */

/* Digits of base 16 or 2 behind 0x or 0b. */
static bool number_of_base(const char *digits, int base, double *out) {
    char *end;
    const char *allowed = base == 16 ? "0123456789abcdefABCDEF" : "01";
    if (!*digits || digits[strspn(digits, allowed)]) return false;
    *out = (double)strtoull(digits, &end, base);
    return true;
}

/* Digits with a dot and an exponent; strtod alone would also take hexadecimal floats and
 * "infinity". */
static bool decimal_number(const char *text, double *out) {
    if (!strcmp(text, "inf")) return *out = INFINITY, true;
    if (!strcmp(text, "nan")) return *out = NAN, true;
    if (text[strspn(text, "0123456789.eE+-")] || !strpbrk(text, "0123456789")) return false;
    if (*text == '+' || *text == '-') return false;
    char *end;
    *out = strtod(text, &end);
    return !*end;
}

/* Plain decimals of few digits, as most are: a whole number below 2^53 times or over a power of ten
 * that is exact has one rounding, so it is right (Clinger 1990, How to read floating point numbers
 * accurately). false: the careful way has to look. */
static bool short_decimal(const char *text, size_t bytes, double *out) {
    static const double power[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
    size_t i = bytes && *text == '-', digits = 0, behind = 0;
    uint64_t whole = 0;
    bool dot = false;
    for (; i < bytes; i++) {
        unsigned digit = (unsigned)text[i] - '0';
        if (digit < 10) {
            whole = whole * 10 + digit;
            digits++;
            behind += dot;
        } else if (text[i] == '.' && !dot) dot = true;
        else return false;
    }
    if (!digits || digits > 18 || whole >> 53) return false;
    *out = (double)whole / power[behind];
    if (*text == '-') *out = -*out;
    return true;
}

bool text_number(const char *text, size_t bytes, double *out) {
    if (short_decimal(text, bytes, out)) return true;
    char small[64];
    char *plain = bytes < sizeof small ? small : pool_bytes(bytes + 1);   /* 1_000 as 1000 */
    size_t count = 0;
    while (bytes && is_space((unsigned char)*text)) text++, bytes--;
    while (bytes && is_space((unsigned char)text[bytes - 1])) bytes--;
    bool negative = bytes && *text == '-';
    if (bytes && (*text == '-' || *text == '+')) text++, bytes--;
    for (size_t i = 0; i < bytes; i++) {
        bool between = i && i + 1 < bytes && text[i - 1] != '_';
        if (text[i] == '_' && between) continue;
        if (text[i] == '_' || !text[i]) return false;
        plain[count++] = text[i];
    }
    plain[count] = 0;
    bool hexadecimal = !strncmp(plain, "0x", 2) || !strncmp(plain, "0X", 2);
    bool binary = !strncmp(plain, "0b", 2) || !strncmp(plain, "0B", 2);
    bool good = hexadecimal ? number_of_base(plain + 2, 16, out)
              : binary      ? number_of_base(plain + 2, 2, out)
                            : decimal_number(plain, out);
    if (good && negative) *out = -*out;
    return good;
}

String *arg_string(Value v, const char *what) {
    char got[100];
    if (v.tag == V_STRING) return v.as.string;
    if (v.tag != V_NIL) hint("str(v) gives the text of any value");
    fail(E_TYPE, "%s must be a string, not %s", what, describe(v, got, sizeof got));
}
