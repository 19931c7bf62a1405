/* Reading and writing .npy: the header's text, then the elements. See npy.h. */
#include "npy.h"
#include <math.h>
#include <string.h>

static const char magic[] = "\x93NUMPY";
enum { MAGIC_BYTES = 6, ALIGNMENT = 64 };

/* ---- element types ---- */

typedef enum Kind { REAL, SIGNED, UNSIGNED, TRUTH } Kind;

/* As NumPy spells a type behind its byte order. */
static const struct Type { const char *name; Kind kind; int bytes, dtype; } types[] = {
    { "f8", REAL, 8, F64 },    { "f4", REAL, 4, F32 },    { "f2", REAL, 2, F32 },
    { "b1", TRUTH, 1, BOOL },  { "i1", SIGNED, 1, F64 },  { "i2", SIGNED, 2, F64 },
    { "i4", SIGNED, 4, F64 },  { "i8", SIGNED, 8, F64 },  { "u1", UNSIGNED, 1, F64 },
    { "u2", UNSIGNED, 2, F64 }, { "u4", UNSIGNED, 4, F64 }, { "u8", UNSIGNED, 8, F64 },
};

typedef struct Header {
    const struct Type *type;
    bool swapped, fortran;      /* the other byte order; the first axis runs fastest */
    Shape shape;
    size_t start;               /* of the elements */
} Header;

/* ---- the header: a Python dictionary of three entries ---- */

typedef struct Text { const char *at, *end, *name; } Text;

static _Noreturn void broken(const char *name, const char *what) {
    hint("numpy.save(\"file.npy\", array) writes such files");
    fail(E_VALUE, "%s is no readable .npy file: %s", name, what);
}

static void skip_blanks(Text *t) {
    while (t->at < t->end && (*t->at == ' ' || *t->at == '\n')) t->at++;
}

static bool skip_sign(Text *t, char sign) {
    skip_blanks(t);
    if (t->at == t->end || *t->at != sign) return false;
    t->at++;
    return true;
}

/* 'text' or "text", into word. */
static void read_quoted(Text *t, char *word, size_t bytes) {
    skip_blanks(t);
    char quote = t->at < t->end ? *t->at++ : 0;
    size_t length = 0;
    if (quote == '[' || quote == '(')
        broken(t->name, "it is a table with named fields, and adl reads plain arrays");
    if (quote != '\'' && quote != '"') broken(t->name, "its header is damaged");
    while (t->at < t->end && *t->at != quote && length + 1 < bytes) word[length++] = *t->at++;
    if (!skip_sign(t, quote)) broken(t->name, "its header is damaged");
    word[length] = 0;
}

static int64_t read_length(Text *t) {
    int64_t length = 0;
    const char *start = t->at;
    for (; t->at < t->end && *t->at >= '0' && *t->at <= '9'; t->at++)
        if (__builtin_mul_overflow(length, 10, &length) || length + 9 < 0)
            broken(t->name, "an axis of its shape is absurdly long");
        else length += *t->at - '0';
    if (t->at == start) broken(t->name, "its shape is damaged");
    if (t->at < t->end && *t->at == 'L') t->at++;     /* as Python 2 wrote long integers */
    return length;
}

static void read_shape(Text *t, Shape *shape) {
    if (!skip_sign(t, '(')) broken(t->name, "its shape is damaged");
    while (!skip_sign(t, ')')) {
        if (shape->axes == MAX_AXES) broken(t->name, "it has more axes than adl's arrays may have");
        shape->dim[shape->axes++] = read_length(t);
        skip_sign(t, ',');
    }
}

static bool read_truth(Text *t) {
    skip_blanks(t);
    bool truth = t->end - t->at >= 4 && !memcmp(t->at, "True", 4);
    if (!truth && (t->end - t->at < 5 || memcmp(t->at, "False", 5)))
        broken(t->name, "its header is damaged");
    t->at += truth ? 4 : 5;
    return truth;
}

/* "<f8": order, kind, bytes. "|" says that the order does not matter, "=" that it is this
 * machine's. */
static void read_type(Text *t, Header *h) {
    char word[32];
    read_quoted(t, word, sizeof word);
    bool has_order = word[0] && strchr("<>|=", word[0]);
    h->swapped = word[0] == (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? '>' : '<');
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (!strcmp(word + has_order, types[i].name)) h->type = &types[i];
    if (h->type) return;
    hint("array.astype(float) makes numbers of what is convertible, before it is saved");
    fail(E_VALUE, "%s holds elements of NumPy's type '%s'; adl reads numbers and booleans", t->name,
         word);
}

static void read_entry(Text *t, Header *h) {
    char key[24];
    read_quoted(t, key, sizeof key);
    if (!skip_sign(t, ':')) broken(t->name, "its header is damaged");
    if (!strcmp(key, "descr")) read_type(t, h);
    else if (!strcmp(key, "fortran_order")) h->fortran = read_truth(t);
    else if (!strcmp(key, "shape")) read_shape(t, &h->shape);
    else broken(t->name, "its header is damaged");
    skip_sign(t, ',');
}

static Header read_header(const char *bytes, size_t count, const char *name) {
    if (count < MAGIC_BYTES + 6 || memcmp(bytes, magic, MAGIC_BYTES))
        broken(name, "it does not begin as one");
    const unsigned char *u = (const unsigned char *)bytes;
    if (u[6] < 1 || u[6] > 3) broken(name, "its version is not 1, 2 or 3");
    size_t length = u[6] == 1 ? (size_t)u[8] | (size_t)u[9] << 8
                              : (size_t)u[8] | (size_t)u[9] << 8 | (size_t)u[10] << 16 |
                                    (size_t)u[11] << 24;
    Header h = { .start = (u[6] == 1 ? 10 : 12) + length };
    if (h.start > count) broken(name, "it ends inside its header");
    Text t = { bytes + h.start - length, bytes + h.start, name };
    if (!skip_sign(&t, '{')) broken(name, "its header is damaged");
    while (!skip_sign(&t, '}')) read_entry(&t, &h);
    if (!h.type) broken(name, "its header does not say the type of its elements");
    return h;
}

/* ---- elements ---- */

/* IEEE 754 half precision. */
static double half(uint64_t bits) {
    int exponent = bits >> 10 & 31;
    double fraction = (double)(bits & 1023), sign = bits >> 15 ? -1 : 1;
    if (exponent == 31) return fraction ? (double)NAN : sign * HUGE_VAL;
    return sign * (exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24));
}

static double real_of(uint64_t bits, int bytes) {
    if (bytes == 2) return half(bits);
    uint32_t low = (uint32_t)bits;
    double wide;
    float narrow;
    memcpy(&wide, &bits, 8);
    memcpy(&narrow, &low, 4);
    return bytes == 8 ? wide : narrow;
}

static double element_of(uint64_t bits, const struct Type *type) {
    int unused = 64 - 8 * type->bytes;
    switch (type->kind) {
    case REAL: return real_of(bits, type->bytes);
    case SIGNED: return (double)((int64_t)(bits << unused) >> unused);
    case UNSIGNED: return (double)bits;
    case TRUTH: break;
    }
    return bits != 0;
}

static uint64_t bits_at(const unsigned char *at, int bytes, bool swapped) {
    uint64_t bits = 0;
    for (int i = 0; i < bytes; i++) bits |= (uint64_t)at[swapped ? bytes - 1 - i : i] << 8 * i;
    return bits;
}

static void convert(Array *out, const Header *h, const char *bytes) {
    const unsigned char *at = (const unsigned char *)bytes;
    for (int64_t i = 0; i < out->size; i++, at += h->type->bytes) {
        double x = element_of(bits_at(at, h->type->bytes, h->swapped), h->type);
        if (out->dtype == F64) f64_of(out)[i] = x;
        else if (out->dtype == F32) f32_of(out)[i] = (float)x;
        else bool_of(out)[i] = x != 0;
        if (i % RUN == 0) poll();
    }
}

/* Do the elements lie as adl's own do? Booleans may not: a byte that is neither 0 nor 1 is none. */
static bool is_native(const Header *h, const char *bytes) {
    bool little = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
    return little && !h->swapped && h->type->kind == REAL && h->type->bytes >= 4 &&
           (uintptr_t)bytes % (size_t)h->type->bytes == 0;
}

/* The elements in the order in which they stand in the file. */
static Array *elements(const Header *h, const char *bytes, Obj *keeper) {
    if (keeper && is_native(h, bytes))
        return array_on((char *)bytes, h->type->dtype, h->shape.axes, h->shape.dim, keeper);
    Array *a = array_new(h->type->dtype, h->shape.axes, h->shape.dim);
    if (is_native(h, bytes)) memcpy(a->data, bytes, array_bytes(a));
    else convert(a, h, bytes);
    return a;
}

static void reverse(Shape *shape) {
    for (int i = 0, j = shape->axes - 1; i < j; i++, j--) {
        int64_t length = shape->dim[i];
        shape->dim[i] = shape->dim[j];
        shape->dim[j] = length;
    }
}

/* In Fortran's order the first axis runs fastest: the transpose of an array of reversed shape. */
static Array *turned(Array *a) {
    Shape shape = { .axes = a->axes };
    int64_t strides[MAX_AXES];
    for (int i = 0; i < a->axes; i++) {
        shape.dim[i] = shape_of(a)[a->axes - 1 - i];
        strides[i] = strides_of(a)[a->axes - 1 - i];
    }
    return array_view(a, shape.axes, shape.dim, strides, 0);
}

Value npy_read(const char *bytes, size_t count, const char *name, Obj *keeper) {
    Header h = read_header(bytes, count, name);
    int64_t size = shape_size(F64, h.shape.axes, h.shape.dim);
    size_t there = (count - h.start) / (size_t)h.type->bytes;
    if ((size_t)size > there) {
        char shape[128];
        shape_text(h.shape.axes, h.shape.dim, shape, sizeof shape);
        hint("the file may have been cut off when it was copied");
        fail(E_VALUE, "%s promises shape %s, which is %lld elements, but holds %zu", name, shape,
             (long long)size, there);
    }
    if (!h.fortran) return array_value(elements(&h, bytes + h.start, keeper));
    reverse(&h.shape);
    return array_value(turned(elements(&h, bytes + h.start, keeper)));
}

/* ---- writing ---- */

void npy_header(Buffer *b, const Array *a) {
    static const char *const names[] = { [F64] = "<f8", [F32] = "<f4", [BOOL] = "|b1" };
    Buffer text = { 0 };
    buffer_format(&text, "{'descr': '%s', 'fortran_order': False, 'shape': (", names[a->dtype]);
    for (int i = 0; i < a->axes; i++)
        buffer_format(&text, i && a->axes > 1 ? " %lld%s" : "%lld%s", (long long)shape_of(a)[i],
                      i + 1 < a->axes || a->axes == 1 ? "," : "");
    buffer_text(&text, "), }");
    while ((MAGIC_BYTES + 4 + text.bytes + 1) % ALIGNMENT) buffer_char(&text, ' ');
    buffer_char(&text, '\n');
    buffer_add(b, magic, MAGIC_BYTES);
    buffer_add(b, "\x01\x00", 2);
    buffer_char(b, (char)(text.bytes & 255));
    buffer_char(b, (char)(text.bytes >> 8));
    buffer_add(b, text.text, text.bytes);
}
