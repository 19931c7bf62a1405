/* The derivative rules as a reader of mathematics would write them. The one idea: the rule of an elementwise
 * row is an expression in function-call style, mul(r, sub(1, r)), and is printed as r * (1 - r). A row whose
 * rule is C code is described in the table below. */
#include "help.h"
#include <ctype.h>
#include <string.h>

/* ---- calls become signs ---- */

/*  call             sign    power: how tightly it binds */
static const struct { const char *call, *sign; int power; } signs[] = {
    { "add",           " + ", 1 }, { "sub",           " - ", 1 }, { "mul",         " * ", 2 },
    { "mul_or_zero",   " * ", 2 }, { "div",           " / ", 2 }, { "ratio_or_zero", " / ", 2 },
    { "power",         "^",   4 },
};
enum { NEGATION = 3, NO_POWER = 0 };

typedef struct Rule { const char *at; Buffer *out; } Rule;

static void expression(Rule *r, int power);

static void skip(Rule *r, const char *characters) { r->at += strspn(r->at, characters); }

static int sign_of(const char *name, size_t bytes) {
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (strlen(signs[i].call) == bytes && !memcmp(signs[i].call, name, bytes)) return (int)i;
    return -1;
}

/* Two arguments around their sign. What stands right of - and / binds one tighter; ^ is right-associative. */
static void infix(Rule *r, int sign, int power) {
    int own = signs[sign].power;
    bool brackets = own < power;
    if (brackets) buffer_char(r->out, '(');
    expression(r, own + (own == 4));
    skip(r, ", ");
    buffer_text(r->out, signs[sign].sign);
    expression(r, own + (own < 4 && strchr("-/", signs[sign].sign[1]) != NULL));
    if (brackets) buffer_char(r->out, ')');
}

static void negation(Rule *r, int power) {
    bool brackets = NEGATION < power;
    if (brackets) buffer_char(r->out, '(');
    buffer_char(r->out, '-');
    expression(r, NEGATION);
    if (brackets) buffer_char(r->out, ')');
}

static void plain_call(Rule *r, const char *name, size_t bytes) {
    buffer_add(r->out, name, bytes);
    buffer_char(r->out, '(');
    while (*r->at && *r->at != ')') {
        expression(r, NO_POWER);
        skip(r, " ");
        if (*r->at == ',') buffer_text(r->out, ", ");
        skip(r, ", ");
    }
    buffer_char(r->out, ')');
}

/* power_log(r, x) is r log(x). */
static void product_with_log(Rule *r, int power) {
    if (power > 2) buffer_char(r->out, '(');
    expression(r, 2);
    skip(r, ", ");
    buffer_text(r->out, " * log(");
    expression(r, NO_POWER);
    buffer_char(r->out, ')');
    if (power > 2) buffer_char(r->out, ')');
}

static bool is_named(const char *name, size_t bytes, const char *other) {
    return strlen(other) == bytes && !memcmp(name, other, bytes);
}

static void expression(Rule *r, int power) {
    const char *name = r->at;
    if (*r->at == '-') r->at++;
    while (isalnum((unsigned char)*r->at) || *r->at == '_' || *r->at == '.') r->at++;
    size_t bytes = (size_t)(r->at - name);
    if (!bytes) return;
    if (*r->at != '(') {
        buffer_add(r->out, name, bytes);
        return;
    }
    r->at++;
    int sign = sign_of(name, bytes);
    if (sign >= 0) infix(r, sign, power);
    else if (is_named(name, bytes, "neg")) negation(r, power);
    else if (is_named(name, bytes, "nonnegative")) expression(r, power);
    else if (is_named(name, bytes, "power_log")) product_with_log(r, power);
    else plain_call(r, name, bytes);
    skip(r, " ");
    if (*r->at == ')') r->at++;
}

/* ---- rows whose rule is C code ---- */

static const struct { Op op; const char *text; } described[] = {
    { OP_sum,         "gradient = the head gradient g, repeated along the axes that were summed" },
    { OP_prod,        "gradient = g times the product of all the other elements" },
    { OP_max,         "the gradient goes to the greatest elements; equal ones share it" },
    { OP_min,         "the gradient goes to the least elements; equal ones share it" },
    { OP_norm,        "gradient = g * x / norm(x), and 0 where the norm is 0" },
    { OP_logsumexp,   "gradient = g * softmax(x)" },
    { OP_softmax,     "gradient = r * (g - sum(g * r)), with r the result" },
    { OP_log_softmax, "gradient = g - exp(r) * sum(g), with r the result" },
    { OP_cumsum,      "gradient = the sums of g from each place to the end" },
    { OP_cumprod,     "gradient = the products without the element, weighed by g from its place on" },
    { OP_sort,        "each element gets the gradient of the place it was sorted to" },
    { OP_take_along,  "each element gets the sum of the gradients of the places it was taken to" },
    { OP_reshape,     "gradient = g in the shape of x" },
    { OP_transpose,   "gradient = g with its axes put back" },
    { OP_stack,       "each array gets its part of g" },
    { OP_concat,      "each array gets its part of g" },
    { OP_where,       "g goes to x where the condition holds, and to y elsewhere" },
    { OP_matmul,      "by x: g @ y'    by y: x' @ g" },
    { OP_solve,       "by b: c = solve(a', g)    by a: -outer(c, r), with r the result" },
    { OP_inv,         "gradient = -r' @ g @ r', with r the result" },
    { OP_det,         "gradient = g * r * inv(x)', with r the result; exact for singular x too" },
    { OP_slogdet,     "of the logarithm: g * inv(x)'; the sign is constant" },
    { OP_cholesky,    "gradient by Murray 2016, arXiv:1602.07527" },
    { OP_qr,          "gradient by Walter and Lehmann 2018" },
    { OP_svd,         "gradient by Townsend 2016; needs singular values that differ" },
    { OP_eigh,        "gradient by Giles 2008; needs eigenvalues that differ for the vectors" },
    { OP_pinv,        "gradient by Golub and Pereyra 1973" },
    { OP_conv2d,      "by x: g spread by the kernel    by the kernel: x weighed by g" },
    { OP_max_pool,    "the gradient goes to the greatest element of each window" },
};

static const char *description(Op op) {
    for (size_t i = 0; i < sizeof described / sizeof *described; i++)
        if (described[i].op == op) return described[i].text;
    return NULL;
}

static void elementwise_rule(Buffer *out, const Operation *o) {
    bool uses_result = false;
    for (int i = 0; i < o->arity; i++) {
        Rule r = { o->rule[i], out };
        if (i) buffer_text(out, "\n");
        buffer_format(out, "d/d%c = ", "xy"[i]);
        size_t start = out->bytes;
        if (strchr(o->rule[i], '?')) buffer_text(out, o->rule[i]);
        else expression(&r, NO_POWER);
        for (size_t k = start; k < out->bytes; k++)
            uses_result |= out->text[k] == 'r' && (k == start || !isalpha((unsigned char)out->text[k - 1])) &&
                           (k + 1 == out->bytes || !isalpha((unsigned char)out->text[k + 1]));
    }
    if (uses_result) buffer_text(out, ", with r the result");
}

void help_rule(Buffer *out, Op op) {
    const Operation *o = &operations[op];
    const char *text = description(op);
    if (text) buffer_text(out, text);
    else switch ((OpClass)o->class) {
        case C_ELEM: elementwise_rule(out, o); break;
        case C_SELECT:
            buffer_text(out, o->arity == 1 ? "1 where x is passed on, else 0; what is dropped gets nothing, not even nan"
                                           : "the gradient goes to the one that was chosen; equal ones share it");
            break;
        case C_FLAT: buffer_text(out, "0 everywhere: it is constant between its steps"); break;
        case C_TEST: buffer_text(out, "none: its result is true or false"); break;
        case C_CONSTANT: buffer_text(out, "none: its result counts as a constant"); break;
        case C_COMPOSED: buffer_text(out, "that of the operations it is made of"); break;
        case C_LINEAR: buffer_text(out, "it is linear: the gradient takes the same way back"); break;
        case C_MULTILINEAR: buffer_text(out, "it is linear in each input"); break;
        case C_SELECTION: buffer_text(out, "the gradient goes to what was chosen"); break;
        case C_GENERAL: buffer_text(out, "exact, in recorded operations, so to every order"); break;
    }
}
