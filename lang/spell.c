/* Operations and values as adl text. See spell.h. */
#include "spell.h"
#include "format.h"
#include "kernels.h"
#include "rule_read.h"
#include "rule_text.h"
#include "rules.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT(...) string_format(__VA_ARGS__).as.string->text

/* ---- literals ---- */
static void add_number(Buffer *b, double x, int dtype) {
    char text[NUMBER_TEXT];
    if (dtype == BOOL) {
        buffer_text(b, x ? "true" : "false");
        return;
    }
    if (dtype == F32) format_float(text, (float)x);
    else format_number(text, x);
    buffer_text(b, text);
}

static void add_axis(Buffer *b, const Array *a, int axis, int64_t *flat) {
    if (axis == a->axes) {
        add_number(b, array_get(a, (*flat)++), a->dtype);
        return;
    }
    buffer_char(b, '[');
    for (int64_t i = 0; i < shape_of(a)[axis]; i++) {
        if (i) buffer_text(b, ", ");
        add_axis(b, a, axis + 1, flat);
    }
    buffer_char(b, ']');
}

static const char *shape_words(Value v) {
    Shape shape = value_shape(v);
    char text[300];
    shape_text(shape.axes, shape.dim, text, sizeof text);
    return TEXT("%s", text);
}

/* All the same: full([100, 100], 0.25). */
static bool is_uniform(const Array *a) {
    if (a->size < 9) return false;
    double first = array_get(a, 0);
    for (int64_t i = 1; i < a->size; i++)
        if (array_get(a, i) != first) return false;
    return true;
}

const char *spell_value(Speller *s, Value v) {
    Buffer b = { 0 };
    if (is_number(v)) {
        add_number(&b, num_of(v), v.tag == V_BOOL ? BOOL : F64);
        return buffer_string(&b).as.string->text;
    }
    const Array *a = v.as.array;
    const char *shape = shape_words(v);
    if (a->size == 0)
        return a->dtype == F32 ? TEXT("zeros(%s, dtype = \"f32\")", shape)
                               : TEXT("zeros(%s)", shape);
    if (a->dtype != BOOL && is_uniform(a)) {
        add_number(&b, array_get(a, 0), a->dtype);
        const char *full = TEXT("full(%s, %.*s)", shape, (int)b.bytes, b.text);
        return a->dtype == F32 ? TEXT("f32(%s)", full) : full;
    }
    s->elements += a->size;
    if (s->elements > MOST_LITERAL_ELEMENTS) {
        hint("take fewer data: the program holds them as literals, so that it runs by itself");
        fail(E_LIMIT, "the values that the program would hold have more than %d elements",
             MOST_LITERAL_ELEMENTS);
    }
    int64_t flat = 0;
    add_axis(&b, a, 0, &flat);
    const char *text = buffer_string(&b).as.string->text;
    return a->dtype == F32 ? TEXT("f32(%s)", text) : text;
}

/* ---- lines ---- */
const char *spell_temporary(Speller *s, const char *expression) {
    char name[32];
    snprintf(name, sizeof name, "t%d", ++s->temporaries);
    buffer_spaces(s->lines, s->indent);
    buffer_format(s->lines, "%s = ", name);
    buffer_text(s->lines, expression);
    buffer_char(s->lines, '\n');
    return string_of(name).as.string->text;
}

const char *spell_operand(const char *text) {
    int depth = 0;
    for (const char *c = text; *c; c++) {
        depth += (*c == '(' || *c == '[' || *c == '{') - (*c == ')' || *c == ']' || *c == '}');
        if (depth == 0 && *c == ' ') return TEXT("(%s)", text);
    }
    return *text == '-' ? TEXT("(%s)", text) : text;
}

/* ---- settings ---- */
static const char *axes_words(uint64_t axes, int count) {
    Buffer b = { 0 };
    int many = 0;
    for (int i = 0; i < count; i++) many += (int)(axes >> i & 1);
    if (many != 1) buffer_char(&b, '(');
    for (int i = 0, k = 0; i < count; i++) {
        if (!(axes >> i & 1)) continue;
        buffer_format(&b, "%s%d", k++ ? ", " : "", i);
    }
    if (many != 1) buffer_char(&b, ')');
    return buffer_string(&b).as.string->text;
}

static const char *over_axes(Op op, const Word *in, const Attr *attr) {
    int n = axes_of(in[0].value);
    uint64_t axes = (uint64_t)attr[1], all = n == 64 ? ~(uint64_t)0 : ((uint64_t)1 << n) - 1;
    bool keepdims = attr[0] > 1 && attr[2];
    const char *keep = keepdims ? ", keepdims = true" : "";
    if (n && !(axes & all)) return in[0].text;
    if ((axes & all) == all) return TEXT("%s(%s%s)", operations[op].name, in[0].text, keep);
    return TEXT("%s(%s, axis = %s%s)", operations[op].name, in[0].text, axes_words(axes & all, n),
                keep);
}

/* ... along axes that the call always names. */
static const char *along(Op op, const Word *in, const Attr *attr) {
    int n = axes_of(in[0].value);
    return n ? TEXT("%s(%s, axis = %s)", operations[op].name, in[0].text,
                    axes_words((uint64_t)attr[1], n))
             : NULL;
}

static const char *standardized(const Word *in, int count, const Attr *attr) {
    int n = axes_of(in[0].value);
    uint64_t axes = (uint64_t)attr[1], all = n == 64 ? ~(uint64_t)0 : ((uint64_t)1 << n) - 1;
    const char *over = (axes & all) == all ? "nil" : axes_words(axes & all, n);
    if (count == 4)
        return TEXT("standardize(%s, eps = %s, axis = %s, scale = %s, shift = %s)", in[0].text,
                    in[1].text, over, in[2].text, in[3].text);
    return TEXT("standardize(%s, eps = %s, axis = %s)", in[0].text, in[1].text, over);
}

static const char *cumulated(Op op, const Word *in, const Attr *attr) {
    int axis = (int)attr[1];
    const char *name = operations[op].name;
    if (!attr[2]) return TEXT("%s(%s, axis = %d)", name, in[0].text, axis);
    return TEXT("flip(%s(flip(%s, axis = %d), axis = %d), axis = %d)", name, in[0].text, axis, axis,
                axis);
}

static const char *items_words(const Attr *words, int count, const Word *gather) {
    Buffer b = { 0 };
    for (int i = 0; i < count; i++) {
        IndexItem item = index_item(words, i);
        if (i) buffer_text(&b, ", ");
        switch (item.kind) {
        case I_AT: buffer_format(&b, "%lld", (long long)item.start); break;
        case I_ELLIPSIS: buffer_text(&b, "..."); break;
        case I_NEW: buffer_text(&b, "new"); break;
        case I_GATHER: buffer_text(&b, (gather++)->text); break;
        case I_SLICE:
            if (item.has_start) buffer_format(&b, "%lld", (long long)item.start);
            buffer_char(&b, ':');
            if (item.has_stop) buffer_format(&b, "%lld", (long long)item.stop);
            if (item.step != 1) buffer_format(&b, ":%lld", (long long)item.step);
        }
    }
    return buffer_string(&b).as.string->text;
}

static const char *listed(int count, const Word *in) {
    Buffer b = { 0 };
    buffer_char(&b, '(');
    for (int i = 0; i < count; i++) buffer_format(&b, "%s%s", i ? ", " : "", in[i].text);
    buffer_text(&b, count == 1 ? ",)" : ")");
    return buffer_string(&b).as.string->text;
}

const char *spell_sum_to(const char *text, Value from, Value to) {
    Shape a = value_shape(from), b = value_shape(to);
    bool narrows = dtype_of(from) != F32 && dtype_of(to) == F32,
         widens = dtype_of(from) == F32 && dtype_of(to) == F64;
    const char *convert = narrows ? "f32" : widens ? "f64" : NULL;
    if (!same_shape(a.axes, a.dim, b.axes, b.dim)) {
        uint64_t axes = 0;
        int front = a.axes - b.axes;
        bool inner = false;
        for (int i = 0; i < a.axes; i++)
            if (i < front || (b.dim[i - front] == 1 && a.dim[i] != 1))
                axes |= (uint64_t)1 << i, inner |= i >= front;
        if (b.axes == 0) text = TEXT("sum(%s)", text);
        else if (!inner) text = TEXT("sum(%s, axis = %s)", text, axes_words(axes, a.axes));
        else if (!front)
            text = TEXT("sum(%s, axis = %s, keepdims = true)", text, axes_words(axes, a.axes));
        else
            text = TEXT("reshape(sum(%s, axis = %s), %s)", text, axes_words(axes, a.axes),
                        shape_words(to));
    }
    return convert ? TEXT("%s(%s)", convert, text) : text;
}

static const char *transposed(const Word *in, const Attr *attr) {
    Buffer b = { 0 };
    if (attr[0] == 2) return TEXT("%s'", spell_operand(in[0].text));
    for (int i = 0; i < attr[0]; i++) buffer_format(&b, ", %lld", (long long)attr[i + 1]);
    return TEXT("transpose(%s%.*s)", in[0].text, (int)b.bytes, b.text);
}

static const char *reshaped(const Word *in, Value r) {
    if (axes_of(r) == 0) return axes_of(in[0].value) ? TEXT("sum(%s)", in[0].text) : in[0].text;
    return TEXT("reshape(%s, %s)", in[0].text, shape_words(r));
}

/* Does no place get more than one element? */
static bool places_are_distinct(int count, const Word *in, const Attr *attr) {
    Value all[64];
    if (count > 64) return false;
    for (int i = 0; i < count; i++) all[i] = constant(in[i].value);
    all[0] = op_cast(ones_like(all[0]), F64);
    bool was = rt.recording;
    rt.recording = false;
    Value sum = op_max(apply(OP_unindex, count, all, attr), ALL_AXES, false);
    rt.recording = was;
    return num_of(sum) <= 1;
}

static const char *scattered(Speller *s, int count, const Word *in, const Attr *attr, Value r) {
    int axes = (int)attr[1], items = (int)(attr[0] - 1 - axes) / INDEX_WORDS;
    if (!size_of(r) || !places_are_distinct(count, in, attr)) return NULL;
    const char *t = spell_temporary(s, TEXT("zeros(%s)", shape_words(r)));
    buffer_spaces(s->lines, s->indent);
    buffer_format(s->lines, "%s[%s] = ", t, items_words(attr + 2 + axes, items, in + 1));
    buffer_text(s->lines, in[0].text);
    buffer_char(s->lines, '\n');
    return t;
}

static const char *replaced(Speller *s, const Word *in, const Attr *attr) {
    const char *t = spell_temporary(s, in[0].text);
    buffer_spaces(s->lines, s->indent);
    buffer_format(s->lines, "%s[%s] = ", t,
                  items_words(attr + 1, (int)attr[0] / INDEX_WORDS, in + 2));
    buffer_text(s->lines, in[1].text);
    buffer_char(s->lines, '\n');
    return t;
}

static const char *windowed(Op op, const Word *in, const Attr *a) {
    const char *steps = TEXT("stride = (%lld, %lld), padding = (%lld, %lld)", (long long)a[3],
                             (long long)a[4], (long long)a[5], (long long)a[6]);
    if (op == OP_conv2d)
        return TEXT("conv2d(%s, %s, %s, groups = %lld)", in[0].text, in[1].text, steps,
                    (long long)a[7]);
    return TEXT("max_pool(%s, size = (%lld, %lld), %s)", in[0].text, (long long)a[1],
                (long long)a[2], steps);
}

/* ---- elementwise: the signs and calls of the table; its internal rows in words of the language
 * ---- */
static bool is_literal(const char *text, double *x) {
    char *end;
    *x = strtod(text, &end);
    return end != text && !*end;
}

static const char *literal(double x) {
    char text[NUMBER_TEXT];
    format_number(text, x);
    return string_of(text).as.string->text;
}

static const char *elementwise(Op op, int count, const Word *in) {
    const char *x = spell_operand(in[0].text), *y = count > 1 ? spell_operand(in[1].text) : "";
    double a, b;
    bool known = count == 2 && is_literal(in[0].text, &a) && is_literal(in[1].text, &b);
    if (known && (op == OP_add || op == OP_sub)) return literal(op == OP_add ? a + b : a - b);
    if (op == OP_mul_or_zero && is_literal(in[0].text, &a) && a != 0) op = OP_mul;
    switch ((int)op) {
    case OP_mul_or_zero: return TEXT("where(%s == 0, 0, %s * %s)", x, x, y);
    case OP_ratio_or_zero: return TEXT("where(%s == 0, 0, %s / %s)", y, x, y);
    case OP_power_log: return TEXT("where(%s == 0, 0, %s * log(%s))", y, x, in[1].text);
    case OP_nonnegative: return TEXT("where(%s < 0, nan, %s)", x, in[0].text);
    case OP_square: return TEXT("%s^2", x);
    default: break;
    }
    const char *sign = operations[op].prints,
               *name[2] = { in[0].text, count > 1 ? in[1].text : "" };
    return *sign ? operation_text(op, count, name) : NULL;
}

/* ---- the rule of an elementwise row ---- */
typedef struct Inputs { const char *x, *y, *r; } Inputs;

static const char *spell_term(const RuleTerm *t, const Inputs *in) {
    if (t->kind == RULE_NUMBER) return literal(t->number);
    if (t->kind == RULE_INPUT) return t->input == 'x' ? in->x : t->input == 'y' ? in->y : in->r;
    Word part[MOST_RULE_PARTS];
    for (int i = 0; i < t->count; i++) part[i] = (Word){ spell_term(t->part[i], in), UNSET };
    return elementwise(t->op, t->count, part);
}

const char *rule_spelled(Op op, int which, const char *x, const char *y, const char *r) {
    if (operations[op].class != C_ELEM) return "0";
    return spell_term(rule_read(operations[op].rule[which]), &(Inputs){ x, y, r });
}

/* A single element broadcasts whatever its axes are. */
static const char *without_reshape(Word in) {
    const char *call = "reshape(", *end = strrchr(in.text, '[');
    if (size_of(in.value) != 1 || strncmp(in.text, call, strlen(call)) || !end ||
        end - in.text < 12)
        return in.text;
    return TEXT("%.*s", (int)(end - 2 - in.text - (long)strlen(call)), in.text + strlen(call));
}

/* ---- the rows ---- */
const char *spell(Speller *s, Op op, int count, const Word *in, const Attr *attr, Value r) {
    if (op < OP_ELEMS) return elementwise(op, count, in);
    switch ((int)op) {
    case OP_identity: return in[0].text;
    case OP_sum:
    case OP_prod:
    case OP_max:
    case OP_min:
    case OP_logsumexp:
    case OP_norm:
        return over_axes(op, in, attr);
    case OP_softmax: case OP_log_softmax: return along(op, in, attr);
    case OP_cross_entropy:
        return TEXT("cross_entropy(%s, %s, \"none\")", in[0].text, in[1].text);
    case OP_standardize: return standardized(in, count, attr);
    case OP_cumsum: case OP_cumprod: return cumulated(op, in, attr);
    case OP_sort: return TEXT("sort(%s, axis = %lld)", in[0].text, (long long)attr[1]);
    case OP_take_along:
        return TEXT("take_along(%s, %s, axis = %lld)", in[0].text, in[1].text, (long long)attr[1]);
    case OP_sum_to: return spell_sum_to(in[0].text, in[0].value, r);
    case OP_expand_to:
        return axes_of(r) ? TEXT("broadcast_to(%s, %s)", without_reshape(in[0]), shape_words(r))
                          : in[0].text;
    case OP_reshape: return reshaped(in, r);
    case OP_transpose: return transposed(in, attr);
    case OP_cast: return TEXT("%s(%s)", attr[1] == F32 ? "f32" : "f64", in[0].text);
    case OP_stack: case OP_concat:
        return TEXT("%s(%s, axis = %lld)", operations[op].name, listed(count, in),
                    (long long)attr[1]);
    case OP_index:
        return TEXT("%s[%s]", spell_operand(in[0].text),
                    items_words(attr + 1, (int)attr[0] / INDEX_WORDS, in + 1));
    case OP_unindex: return scattered(s, count, in, attr, r);
    case OP_put: return replaced(s, in, attr);
    case OP_where: return TEXT("where(%s, %s, %s)", in[0].text, in[1].text, in[2].text);
    case OP_matmul: return TEXT("%s @ %s", spell_operand(in[0].text), spell_operand(in[1].text));
    case OP_conv2d: case OP_max_pool: return windowed(op, in, attr);
    case OP_solve: return TEXT("solve(%s, %s)", in[0].text, in[1].text);
    case OP_inv:
    case OP_det:
    case OP_slogdet:
    case OP_cholesky:
    case OP_qr:
    case OP_svd:
    case OP_eigh:
    case OP_pinv:
        return TEXT("%s(%s)", operations[op].name, in[0].text);
    case OP_part: return TEXT("%s[%lld]", in[0].text, (long long)attr[1]);
    default: return NULL;
    }
}
