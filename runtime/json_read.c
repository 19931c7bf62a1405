/* Reading JSON. The one idea: the text is walked once and each value is made where it stands, with
 * no tree of the text in between, so a large file costs what its values cost. A rectangle of
 * numbers or of truths is first surveyed, then filled in at once.
 *
 * jansson decodes strings with escapes, and says of a text that is no JSON what is wrong and where:
 * what this file cannot read, jansson is asked about. */
#include "io.h"
#include <jansson.h>
#include <math.h>
#include <string.h>

enum { MAX_NESTING = 2048 };      /* as jansson's */
typedef struct Reader { const char *text, *at, *end, *name; int nesting; } Reader;

static void release_json(void *json) { json_decref(json); }

/* jansson reads the whole text, to where it is no JSON. (Some zero bytes it lets pass.) */
static _Noreturn void broken(const Reader *r) {
    json_error_t error;
    Handle *tree = io_own(release_json);
    const size_t flags = JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL;
    const char *name = r->name ? r->name : "the text";
    OUTSIDE(tree->pointer = json_loadb(r->text, (size_t)(r->end - r->text), flags, &error));
    poll();
    if (!tree->pointer)
        fail(E_VALUE, "%s is no JSON: %s (line %d, column %d)", name, error.text, error.line,
             error.column);
    fail(E_VALUE, "%s is no JSON: byte %zu, 0x%02x, has no place there", name,
         (size_t)(r->at - r->text), r->at < r->end ? (unsigned char)*r->at : 0);
}

/* ---- walking ---- */

static char peek(const Reader *r, const char *at) { return at < r->end ? *at : '\0'; }

static const char *blanks(const Reader *r, const char *at) {
    while (at < r->end && (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r')) at++;
    return at;
}

static const char *digits(const Reader *r, const char *at) {
    const char *start = at;
    while (at < r->end && *at >= '0' && *at <= '9') at++;
    return at > start ? at : NULL;
}

/* number: ['-'] ('0' | digits) ['.' digits] [('e' | 'E') ['+' | '-'] digits]; NULL: it is none. */
static const char *skip_number(const Reader *r, const char *at) {
    if (peek(r, at) == '-') at++;
    at = peek(r, at) == '0' ? at + 1 : digits(r, at);
    if (at && peek(r, at) == '.') at = digits(r, at + 1);
    if (!at || (peek(r, at) | ' ') != 'e') return at;
    at++;
    return digits(r, peek(r, at) == '+' || peek(r, at) == '-' ? at + 1 : at);
}

/* The word, if it stands there; else NULL. */
static const char *skip_word(const Reader *r, const char *at, const char *word) {
    size_t bytes = strlen(word);
    return (size_t)(r->end - at) >= bytes && !memcmp(at, word, bytes) ? at + bytes : NULL;
}

static const char *skip_truth(const Reader *r, const char *at) {
    const char *behind = skip_word(r, at, "true");
    return behind ? behind : skip_word(r, at, "false");
}

/* ---- rectangles ---- */

/* Arrays of arrays ... of numbers, or of truths. axes -1, dim -1: not known yet. */
typedef struct Rectangle { int axes; int64_t dim[MAX_AXES]; bool known, truth; } Rectangle;

static const char *survey_leaf(const Reader *r, const char *at, Rectangle *seen) {
    bool truth = peek(r, at) == 't' || peek(r, at) == 'f';
    if (!seen->known) seen->truth = truth;
    seen->known = true;
    if (truth != seen->truth) return NULL;
    return truth ? skip_truth(r, at) : skip_number(r, at);
}

/* Steps over the part that begins `axis` brackets deep; NULL if the whole is no rectangle. The
 * first part of each axis says how long the others have to be. */
static const char *survey(const Reader *r, const char *at, int axis, Rectangle *seen) {
    if (peek(r, at) != '[') {
        if (seen->axes < 0) seen->axes = axis;
        return axis == seen->axes ? survey_leaf(r, at, seen) : NULL;
    }
    if (axis == MAX_AXES || (seen->axes >= 0 && axis >= seen->axes)) return NULL;
    int64_t count = 0;
    at = blanks(r, at + 1);
    if (peek(r, at) == ']' && seen->axes < 0) seen->axes = axis + 1;
    while (count ? peek(r, at) == ',' : peek(r, at) != ']') {
        at = survey(r, count ? blanks(r, at + 1) : at, axis + 1, seen);
        if (!at) return NULL;
        at = blanks(r, at);
        poll_at(count++);
    }
    if (seen->dim[axis] < 0) seen->dim[axis] = count;
    return peek(r, at) == ']' && seen->dim[axis] == count ? at + 1 : NULL;
}

static const char *next_leaf(const char *at) {
    while (strchr("[], \n\t\r", *at)) at++;
    return at;
}

static void fill_numbers(Reader *r, Array *a) {
    double *to = f64_of(a);
    for (int64_t i = 0; i < a->size; i++) {
        size_t mark = pool_mark();
        r->at = next_leaf(r->at);
        const char *behind = skip_number(r, r->at);
        if (!text_number(r->at, (size_t)(behind - r->at), &to[i]) || isinf(to[i])) broken(r);
        r->at = behind;
        pool_unwind(mark);
        poll_at(i);
    }
}

static void fill_truths(Reader *r, Array *a) {
    uint8_t *to = bool_of(a);
    for (int64_t i = 0; i < a->size; i++) {
        r->at = next_leaf(r->at);
        to[i] = *r->at == 't';
        r->at = skip_truth(r, r->at);
        poll_at(i);
    }
}

/* At `[`: the array if it is one, and the reader behind it; else unset. */
static Value read_rectangle(Reader *r) {
    Rectangle seen = { .axes = -1 };
    for (int i = 0; i < MAX_AXES; i++) seen.dim[i] = -1;
    const char *behind = survey(r, r->at, 0, &seen);
    if (!behind) return UNSET;
    Array *a = array_new(seen.truth ? BOOL : F64, seen.axes, seen.dim);
    if (seen.truth) fill_truths(r, a);
    else fill_numbers(r, a);
    r->at = behind;
    return object(a);
}

/* ---- strings ---- */

typedef struct Piece { const char *text; size_t bytes; } Piece;

/* By jansson, whose copy belongs to the pool. */
static Piece decode_string(Reader *r) {
    json_error_t error;
    Handle *decoded = io_own(release_json);
    const size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DISABLE_EOF_CHECK;
    OUTSIDE(decoded->pointer = json_loadb(r->at, (size_t)(r->end - r->at), flags, &error));
    if (!decoded->pointer) broken(r);
    r->at += error.position;
    return (Piece){ json_string_value(decoded->pointer), json_string_length(decoded->pointer) };
}

/* A string without escapes is what stands between its quotes. */
static Piece read_text(Reader *r) {
    const char *start = r->at + 1, *at = start;
    unsigned char all = 0;
    while (at < r->end && *at != '"' && *at != '\\' && (unsigned char)*at >= ' ')
        all |= (unsigned char)*at++;
    size_t bytes = (size_t)(at - start);
    if (peek(r, at) != '"' || (all >= 0x80 && text_valid(start, bytes) < bytes))
        return decode_string(r);
    r->at = at + 1;
    return (Piece){ start, bytes };
}

/* ---- values ---- */

static Value read_value(Reader *r);

/* In front of a part of a list or object, the first or behind a comma; false: it ends here. */
static bool has_part(Reader *r, char bracket, size_t before) {
    r->at = blanks(r, r->at);
    bool ends = peek(r, r->at) == bracket;
    if (!ends && before && peek(r, r->at) != ',') broken(r);
    if (ends || before) r->at++;
    if (!ends) r->at = blanks(r, r->at);
    return !ends;
}

static Value read_list(Reader *r) {
    Value list = list_new(0);
    for (r->at++; has_part(r, ']', list.as.list->count);) {
        size_t mark = pool_mark();
        list = list_push(list, read_value(r));
        pool_unwind(mark);
        poll();
    }
    return list;
}

static String *read_name(Reader *r) {
    if (peek(r, r->at) != '"') broken(r);
    Piece name = read_text(r);
    if (memchr(name.text, 0, name.bytes)) broken(r);
    r->at = blanks(r, r->at);
    if (peek(r, r->at) != ':') broken(r);
    r->at = blanks(r, r->at + 1);
    return symbol(name.text, name.bytes);
}

static Value read_struct(Reader *r) {
    Value record = struct_new(0);
    size_t before = 0;
    for (r->at++; has_part(r, '}', before++);) {
        size_t mark = pool_mark();
        String *name = read_name(r);
        struct_put(record, name, read_value(r));
        pool_unwind(mark);
        poll();
    }
    return record;
}

static Value read_number(Reader *r) {
    double x;
    const char *behind = skip_number(r, r->at);
    if (!behind || !text_number(r->at, (size_t)(behind - r->at), &x) || isinf(x)) broken(r);
    r->at = behind;
    return number(x);
}

static Value read_word(Reader *r) {
    static const struct { const char *word; Value value; } words[] = {
        { "true", { .tag = V_BOOL, .as.truth = true } },
        { "false", { .tag = V_BOOL } },
        { "null", { .tag = V_NIL } },
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const char *behind = skip_word(r, r->at, words[i].word);
        if (!behind) continue;
        r->at = behind;
        return words[i].value;
    }
    broken(r);
}

static Value read_string(Reader *r) {
    Piece text = read_text(r);
    return string_new(text.text, text.bytes);
}

static Value read_array(Reader *r) {
    Value rectangle = read_rectangle(r);
    return rectangle.tag == V_UNSET ? read_list(r) : rectangle;
}

static Value read_value(Reader *r) {
    check_stack();
    if (r->nesting++ > MAX_NESTING) broken(r);
    char first = peek(r, r->at);
    Value v = first == '{'   ? read_struct(r)
              : first == '[' ? read_array(r)
              : first == '"' ? read_string(r)
              : first == '-' || (first >= '0' && first <= '9') ? read_number(r)
                                                               : read_word(r);
    r->nesting--;
    return v;
}

Value json_read(const char *text, size_t bytes, const char *name) {
    Reader r = { text, text, text + bytes, name, 0 };
    r.at = blanks(&r, text);
    Value v = read_value(&r);
    r.at = blanks(&r, r.at);
    if (r.at < r.end) broken(&r);
    return v;
}
