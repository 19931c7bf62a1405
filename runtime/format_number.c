/* Numbers as text: digits, and the format specs of f-strings. The one idea: a number is first a row
 * of decimal digits with a place for the point, the shortest that reads back or as many as were
 * asked for; then a form is chosen for them, with or without exponent. */
#include "format_parts.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- digits of a number ---- */

/* A decimal number in pieces: 0.d1 d2 d3 ... times 10^point. */
typedef struct Decimal { bool negative; char digit[20]; int count, point; } Decimal;

/* x rounded to `precision` significant digits, without zeros at the end. x is finite. */
static Decimal decimal_of(double x, int precision) {
    char text[32];
    Decimal d = { .negative = signbit(x) };
    snprintf(text, sizeof text, "%.*e", precision - 1, fabs(x));
    char *exponent = strchr(text, 'e');
    for (char *c = text; c < exponent; c++)
        if (*c != '.') d.digit[d.count++] = *c;
    while (d.count > 1 && d.digit[d.count - 1] == '0') d.count--;
    d.point = x == 0 ? 1 : atoi(exponent + 1) + 1;
    return d;
}

static char *put(char *at, const char *text, int count) {
    memcpy(at, text, (size_t)count);
    return at + count;
}

static char *put_zeros(char *at, int count) {
    for (; count > 0; count--) *at++ = '0';
    return at;
}

/* 1.5e-7, 1e21: the exponent without a plus sign or leading zeros. */
static char *put_exponent_form(char *at, const Decimal *d) {
    *at++ = d->digit[0];
    if (d->count > 1) {
        *at++ = '.';
        at = put(at, d->digit + 1, d->count - 1);
    }
    return at + sprintf(at, "e%d", d->point - 1);
}

static char *put_plain_form(char *at, const Decimal *d) {
    if (d->point <= 0) {
        at = put_zeros(put(at, "0.", 2), -d->point);
        return put(at, d->digit, d->count);
    }
    if (d->count <= d->point) return put_zeros(put(at, d->digit, d->count), d->point - d->count);
    at = put(at, d->digit, d->point);
    *at++ = '.';
    return put(at, d->digit + d->point, d->count - d->point);
}

/* From 0.0001 up to 10^largest plain, else with an exponent. */
static int decimal_text(char *out, const Decimal *d, int largest) {
    char *at = out;
    if (d->negative) *at++ = '-';
    bool plain = d->point > -4 && d->point <= largest;
    at = plain ? put_plain_form(at, d) : put_exponent_form(at, d);
    *at = 0;
    return (int)(at - out);
}

static int special_text(char *out, double x) {
    return sprintf(out, "%s", isnan(x) ? "nan" : x < 0 ? "-inf" : "inf");
}

/* Whole numbers below 2^53 are most of what gets printed, and need no search for digits. */
static bool is_small_whole(double x) { return fabs(x) < 0x1p53 && x == (double)(int64_t)x; }

static int whole_text(char *out, double x) {
    return sprintf(out, x == 0 && signbit(x) ? "-%lld" : "%lld", (long long)x);
}

enum { PLAIN_UP_TO = 21 };

static Decimal decimal_of_digits(Shortest s, bool negative) {
    Decimal d = { .negative = negative };
    char reversed[20];
    int count = 0, zeros = 0;
    for (; s.digits % 10 == 0; s.digits /= 10) zeros++;
    for (; s.digits; s.digits /= 10) reversed[count++] = (char)('0' + s.digits % 10);
    for (d.count = 0; d.count < count; d.count++) d.digit[d.count] = reversed[count - 1 - d.count];
    d.point = s.exponent + zeros + count;
    return d;
}

int format_number(char out[NUMBER_TEXT], double x) {
    if (!isfinite(x)) return special_text(out, x);
    if (is_small_whole(x)) return whole_text(out, x);
    Decimal d = decimal_of_digits(shortest_digits(x), signbit(x));
    return decimal_text(out, &d, PLAIN_UP_TO);
}

int format_float(char out[NUMBER_TEXT], float x) {
    if (!isfinite(x)) return special_text(out, (double)x);
    if (is_small_whole((double)x)) return whole_text(out, (double)x);
    Decimal d = decimal_of_digits(shortest_digits_f32(x), signbit(x));
    return decimal_text(out, &d, PLAIN_UP_TO);
}

/* An element of an array: whole numbers in full, others rounded to `digits`. */
int format_element(char out[NUMBER_TEXT], double x, int digits) {
    if (!isfinite(x)) return special_text(out, x);
    if (is_small_whole(x)) return whole_text(out, x);
    Decimal d = decimal_of(x, digits < 1 ? 1 : digits > 17 ? 17 : digits);
    return decimal_text(out, &d, digits);
}

/* ---- format specs ---- */

static _Noreturn void bad_spec(const Spec *s, const char *why) {
    hint("a format is [fill][< > ^][+][0][width][,][.digits][f e g %% d x b s], "
         "as in .4f, >10, 08.3f, .2%%");
    fail(E_VALUE, "the format \"%.*s\" %s", (int)s->bytes, s->text, why);
}

static bool is_align(char c) { return c == '<' || c == '>' || c == '^'; }

static int spec_number(const Spec *s, const char **at, const char *end) {
    int n = 0;
    for (; *at < end && **at >= '0' && **at <= '9'; ++*at) {
        n = n * 10 + (**at - '0');
        if (n > 10000) bad_spec(s, "asks for more than 10000 characters");
    }
    return n;
}

/* The fill and the alignment; gives where the rest starts. */
static const char *spec_align(Spec *s, const char *at, const char *end) {
    if (at == end) return at;
    size_t fill = text_next(at, (size_t)(end - at), 0);
    if (at + fill < end && is_align(at[fill])) {
        memcpy(s->fill, at, fill);
        s->fill[fill] = 0;
        s->align = at[fill];
        return at + fill + 1;
    }
    if (is_align(*at)) s->align = *at++;
    return at;
}

Spec spec_read(const char *text, size_t bytes) {
    Spec s = { text, bytes, .fill = " ", .precision = -1 };
    const char *end = text + bytes, *at = spec_align(&s, text, end);
    if (at < end && *at == '+') s.plus = true, at++;
    if (at < end && *at == '0' && !s.align) s.zeros = true, at++;
    s.width = spec_number(&s, &at, end);
    if (at < end && *at == ',') s.thousands = true, at++;
    if (at < end && *at == '.') {
        const char *digits = ++at;
        s.precision = spec_number(&s, &at, end);
        if (at == digits) bad_spec(&s, "has no digits after the dot");
    }
    if (at < end && strchr("feg%dxbs", *at)) s.type = *at++;
    if (at < end) bad_spec(&s, "is not understood");
    return s;
}

static void add_binary(Buffer *b, uint64_t n) {
    int bit = n ? 63 - __builtin_clzll(n) : 0;
    for (; bit >= 0; bit--) buffer_char(b, (char)('0' + (n >> bit & 1)));
}

static void add_whole(Buffer *b, double x, const Spec *s) {
    if (x != rint(x)) bad_spec(s, "needs a whole number");
    if (s->type == 'd') buffer_format(b, "%.0f", x);
    else if (x >= 0x1p64) bad_spec(s, "needs a number below 2^64");
    else if (s->type == 'x') buffer_format(b, "%llx", (unsigned long long)x);
    else add_binary(b, (uint64_t)x);
}

static void add_shortest(Buffer *b, double x, const Spec *s) {
    char text[NUMBER_TEXT];
    if (s->precision < 0) buffer_add(b, text, (size_t)format_number(text, x));
    else buffer_format(b, "%.*g", s->precision, x);
}

/* The digits of x >= 0 as the type asks. */
static void add_digits(Buffer *b, double x, const Spec *s) {
    int precision = s->precision < 0 ? 6 : s->precision;
    if (!isfinite(x)) buffer_text(b, isnan(x) ? "nan" : "inf");
    else switch (s->type) {
        case 'f': buffer_format(b, "%.*f", precision, x); break;
        case 'e': buffer_format(b, "%.*e", precision, x); break;
        case 'g': buffer_format(b, "%.*g", precision, x); break;
        case '%': buffer_format(b, "%.*f", precision, 100 * x); break;
        case 'd': case 'x': case 'b': add_whole(b, x, s); break;
        default:  add_shortest(b, x, s);
    }
    if (s->type == '%') buffer_char(b, '%');
}

/* 1234567.5 -> 1,234,567.5 */
static void add_thousands(Buffer *b, const char *text, size_t bytes) {
    size_t whole = strspn(text, "0123456789");
    if (whole > bytes) whole = bytes;
    for (size_t i = 0; i < whole; i++) {
        buffer_char(b, text[i]);
        if ((whole - i) % 3 == 1 && i + 1 < whole) buffer_char(b, ',');
    }
    buffer_add(b, text + whole, bytes - whole);
}

static void add_fill(Buffer *b, const Spec *s, int64_t count) {
    for (; count > 0; count--) buffer_text(b, s->fill);
}

static void add_padded(Buffer *b, const char *text, size_t bytes, const Spec *s, char align) {
    int64_t room = s->width - (int64_t)text_width(text, bytes);
    int64_t left = align == '>' ? room : align == '^' ? room / 2 : 0;
    add_fill(b, s, left);
    buffer_add(b, text, bytes);
    add_fill(b, s, room - (left > 0 ? left : 0));
}

void spec_add_number(Buffer *b, double x, const Spec *s) {
    if (s->type == 's') bad_spec(s, "is for strings, and this is a number");
    Buffer digits = { 0 }, text = { 0 };
    const char *sign = signbit(x) && !isnan(x) ? "-" : s->plus ? "+" : "";
    add_digits(&digits, fabs(x), s);
    buffer_reserve(&digits, 1)[0] = 0;
    buffer_text(&text, sign);
    int64_t room = s->width - (int64_t)(digits.bytes + text.bytes);
    for (; s->zeros && isfinite(x) && room > 0; room--) buffer_char(&text, '0');
    if (s->thousands) add_thousands(&text, digits.text, digits.bytes);
    else buffer_add(&text, digits.text, digits.bytes);
    add_padded(b, text.text, text.bytes, s, s->align ? s->align : '>');
}

void spec_add_string(Buffer *b, const char *text, size_t bytes, const Spec *s) {
    if (s->type && s->type != 's') bad_spec(s, "is for numbers, and this is a string");
    if (s->plus || s->zeros || s->thousands) bad_spec(s, "is for numbers, and this is a string");
    size_t end = s->precision < 0 ? bytes : 0;
    for (int n = 0; n < s->precision && end < bytes; n++) end = text_next(text, bytes, end);
    add_padded(b, text, end, s, s->align ? s->align : '<');
}

/* Does the spec speak of digits, or only of the width of a text? */
bool spec_is_numeric(const Spec *s) {
    return s->type ? s->type != 's' : s->plus || s->zeros || s->thousands || s->precision >= 0;
}

void spec_add_bool(Buffer *b, bool truth, const Spec *s) {
    const char *text = truth ? "true" : "false";
    if (spec_is_numeric(s)) spec_add_number(b, truth, s);
    else spec_add_string(b, text, strlen(text), s);
}
