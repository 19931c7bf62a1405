/* Expressions in normal form, and their derivatives. See expr.h. */
#include "expr.h"
#include "elem.h"
#include "rule_read.h"
#include "table.h"
#include "format.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT(...) string_format(__VA_ARGS__).as.string->text

/* number: x. variable: name. sum: weight[i] * part[i], part NULL for the constant. product: number
 * times part[i] ^ weight[i]. call: op(part[0..count)). */
typedef enum Kind { NUMBER, VARIABLE, SUM, PRODUCT, CALLED } Kind;
struct Expr {
    Kind kind;
    double number;
    const char *name;
    Op op;
    int count;
    const Expr **part;
    double *weight;
    const char *text;       /* printed once */
};
enum { LONGEST = 4000, MOST_PARTS = 200 };

static Expr *expr_new(Kind kind, int count) {
    Expr *e = memset(pool_bytes(sizeof *e), 0, sizeof *e);
    e->kind = kind;
    e->part = pool_bytes((size_t)(count + 1) * sizeof *e->part);
    e->weight = pool_bytes((size_t)(count + 1) * sizeof *e->weight);
    return e;
}

const Expr *expr_number(double x) {
    Expr *e = expr_new(NUMBER, 0);
    e->number = x;
    return e;
}

const Expr *expr_variable(const char *name) {
    Expr *e = expr_new(VARIABLE, 0);
    e->name = name;
    return e;
}

static bool is_same(const Expr *a, const Expr *b) {
    if (a == b) return true;
    return a && b && !strcmp(expr_text(a), expr_text(b));
}
static bool is_number_of(const Expr *e, double x) { return e->kind == NUMBER && e->number == x; }

/* ---- collecting ---- */
/* Adds weight to the part, where it is there already. */
static void collect(Expr *into, const Expr *part, double weight) {
    for (int i = 0; i < into->count; i++) {
        if (!is_same(into->part[i], part)) continue;
        into->weight[i] += weight;
        return;
    }
    if (into->count == MOST_PARTS)
        fail(E_LIMIT, "derive: an expression has more than %d terms", MOST_PARTS);
    into->part[into->count] = part;
    into->weight[into->count++] = weight;
}

static void drop_zeros(Expr *e) {
    int kept = 0;
    for (int i = 0; i < e->count; i++) {
        if (e->weight[i] == 0) continue;
        e->part[kept] = e->part[i];
        e->weight[kept++] = e->weight[i];
    }
    e->count = kept;
}

static const Expr *scaled(double c, const Expr *e);

static void collect_terms(Expr *sum, const Expr *e, double times) {
    if (e->kind == SUM) {
        for (int i = 0; i < e->count; i++) collect(sum, e->part[i], times * e->weight[i]);
    } else if (e->kind == NUMBER) {
        collect(sum, NULL, times * e->number);
    } else if (e->kind == PRODUCT && e->number != 1) {
        collect(sum, scaled(1 / e->number, e), times * e->number);
    } else {
        collect(sum, e, times);
    }
}

static const Expr *sum_of(const Expr *a, double wa, const Expr *b, double wb) {
    Expr *sum = expr_new(SUM, MOST_PARTS);
    collect_terms(sum, a, wa);
    collect_terms(sum, b, wb);
    drop_zeros(sum);
    if (sum->count == 0) return expr_number(0);
    if (sum->count > 1) return sum;
    return sum->part[0] ? scaled(sum->weight[0], sum->part[0]) : expr_number(sum->weight[0]);
}

static void collect_factors(Expr *product, const Expr *e, double exponent) {
    if (e->kind == NUMBER) {
        product->number *= pow(e->number, exponent);
    } else if (e->kind == PRODUCT && exponent == rint(exponent)) {
        product->number *= pow(e->number, exponent);
        for (int i = 0; i < e->count; i++) collect(product, e->part[i], exponent * e->weight[i]);
    } else {
        collect(product, e, exponent);
    }
}

static const Expr *finished_product(Expr *product) {
    drop_zeros(product);
    if (product->number == 0) return expr_number(0);
    if (product->count == 0) return expr_number(product->number);
    if (product->number == 1 && product->count == 1 && product->weight[0] == 1)
        return product->part[0];
    return product;
}

static const Expr *product_of(const Expr *a, double ea, const Expr *b, double eb) {
    Expr *product = expr_new(PRODUCT, MOST_PARTS);
    product->number = 1;
    collect_factors(product, a, ea);
    collect_factors(product, b, eb);
    return finished_product(product);
}

static const Expr *scaled(double c, const Expr *e) {
    Expr *product = expr_new(PRODUCT, MOST_PARTS);
    product->number = c;
    collect_factors(product, e, 1);
    if (fabs(product->number - rint(product->number)) < 1e-15 * fabs(product->number))
        product->number = rint(product->number);
    return finished_product(product);
}

static const Expr *raised(const Expr *e, double exponent) {
    if (exponent == 0) return expr_number(1);
    Expr *product = expr_new(PRODUCT, MOST_PARTS);
    product->number = 1;
    collect_factors(product, e, exponent);
    return finished_product(product);
}

/* ---- operations ---- */
const Expr *expr_call(Op op, int count, const Expr *const *arg) {
    const Expr *x = arg[0], *y = count > 1 ? arg[1] : NULL;
    switch ((int)op) {
    case OP_identity: case OP_nonnegative: case OP_cast: case OP_reshape: return x;
    case OP_add: return sum_of(x, 1, y, 1);
    case OP_sub: return sum_of(x, 1, y, -1);
    case OP_neg: return scaled(-1, x);
    case OP_mul: case OP_mul_or_zero: return product_of(x, 1, y, 1);
    case OP_div: case OP_ratio_or_zero: return product_of(x, 1, y, -1);
    case OP_square: return raised(x, 2);
    case OP_reciprocal: return raised(x, -1);
    case OP_power_log: return product_of(x, 1, expr_call(OP_log, 1, &y), 1);
    case OP_power: if (y->kind == NUMBER) return raised(x, y->number); break;
    case OP_sum: case OP_prod: case OP_max: case OP_min: return x;      /* of one number */
    default: break;
    }
    if (op != OP_where && (op >= OP_ELEMS || !*operations[op].prints)) return NULL;
    bool constant = op != OP_where;
    for (int i = 0; i < count; i++) constant = constant && arg[i]->kind == NUMBER;
    if (constant) return expr_number(elem_kernels[op].scalar(x->number, y ? y->number : 0));
    Expr *e = expr_new(CALLED, count);
    e->op = op;
    for (int i = 0; i < count; i++) e->part[e->count++] = arg[i];
    return e;
}

/* ---- derivatives ---- */
/* A rule with these inputs. */
typedef struct Inputs { const Expr *x, *y, *r; } Inputs;

static const Expr *term_expr(const RuleTerm *t, const Inputs *in) {
    if (t->kind == RULE_NUMBER) return expr_number(t->number);
    if (t->kind == RULE_INPUT) return t->input == 'x' ? in->x : t->input == 'y' ? in->y : in->r;
    const Expr *part[MOST_RULE_PARTS];
    for (int i = 0; i < t->count; i++) part[i] = term_expr(t->part[i], in);
    return expr_call(t->op, t->count, part);
}

/* A selection has the slope of what it chose, and half of both at a tie. */
static const Expr *selection_derivative(const Expr *e) {
    const Expr *x = e->part[0], *zero = expr_number(0);
    if (e->op == OP_relu)
        return expr_call(OP_where, 3,
                         (const Expr *[]){ expr_call(OP_gt, 2, (const Expr *[]){ x, zero }),
                                           expr_derivative(x), zero });
    const Expr *dx = expr_derivative(x), *y = e->part[1], *dy = expr_derivative(y);
    const Expr *chosen =
        expr_call(e->op == OP_maximum ? OP_gt : OP_lt, 2, (const Expr *[]){ x, y });
    const Expr *tie = expr_call(OP_eq, 2, (const Expr *[]){ x, y }),
               *half = scaled(0.5, sum_of(dx, 1, dy, 1));
    return expr_call(
        OP_where, 3,
        (const Expr *[]){ chosen, dx, expr_call(OP_where, 3, (const Expr *[]){ tie, half, dy }) });
}

static const Expr *called_derivative(const Expr *e) {
    if (e->op == OP_where)
        return expr_call(OP_where, 3,
                         (const Expr *[]){ e->part[0], expr_derivative(e->part[1]),
                                           expr_derivative(e->part[2]) });
    if (operations[e->op].class == C_SELECT) return selection_derivative(e);
    if (operations[e->op].class != C_ELEM) return expr_number(0);
    const Expr *sum = expr_number(0);
    for (int k = 0; k < e->count; k++) {
        const Expr *inner = expr_derivative(e->part[k]);
        if (is_number_of(inner, 0)) continue;
        Inputs in = { e->part[0], e->count > 1 ? e->part[1] : NULL, e };
        const Expr *slope = term_expr(rule_read(operations[e->op].rule[k]), &in);
        sum = sum_of(sum, 1, product_of(slope, 1, inner, 1), 1);
    }
    return sum;
}

static const Expr *product_derivative(const Expr *e) {
    const Expr *sum = expr_number(0);
    for (int i = 0; i < e->count; i++) {
        const Expr *inner = expr_derivative(e->part[i]);
        if (is_number_of(inner, 0)) continue;
        const Expr *term = product_of(e, 1, e->part[i], -1);
        sum = sum_of(sum, 1, product_of(scaled(e->weight[i], term), 1, inner, 1), 1);
    }
    return sum;
}

const Expr *expr_derivative(const Expr *e) {
    check_stack();
    switch (e->kind) {
    case NUMBER: return expr_number(0);
    case VARIABLE: return expr_number(1);
    case PRODUCT: return product_derivative(e);
    case CALLED: return called_derivative(e);
    case SUM: break;
    }
    const Expr *sum = expr_number(0);
    for (int i = 0; i < e->count; i++)
        if (e->part[i]) sum = sum_of(sum, 1, expr_derivative(e->part[i]), e->weight[i]);
    return sum;
}

/* ---- text ---- */
static const char *number_text(double x) {
    char text[NUMBER_TEXT];
    format_number(text, x);
    return string_of(text).as.string->text;
}

static const char *inside_product(const Expr *e) {
    bool loose = e->kind == SUM || (e->kind == NUMBER && e->number < 0) ||
                 (e->kind == CALLED && strcmp(operations[e->op].prints, CALL) && e->op != OP_power);
    return loose ? TEXT("(%s)", expr_text(e)) : expr_text(e);
}

static const char *base_text(const Expr *e) {
    bool tight = e->kind == VARIABLE || (e->kind == NUMBER && e->number >= 0) ||
                 (e->kind == CALLED && !strcmp(operations[e->op].prints, CALL));
    return tight ? expr_text(e) : TEXT("(%s)", expr_text(e));
}

static const char *factor_text(const Expr *part, double exponent) {
    if (exponent == 1) return inside_product(part);
    return TEXT("%s^%s", base_text(part), number_text(exponent));
}

/* c a b / (d e), the sign left to the caller. A third of x is x / 3. */
static const char *product_text(const Expr *e, double number) {
    Buffer above = { 0 }, below = { 0 };
    int over = 0, under = 0;
    double inverse = 1 / number;
    bool fraction = fabs(number) < 1 && fabs(inverse - rint(inverse)) < 1e-9 * fabs(inverse) &&
                    strlen(number_text(number)) > 6;
    if (fraction) buffer_text(&below, number_text(rint(inverse))), under++;
    else if (number != 1) buffer_text(&above, number_text(number)), over++;
    for (int i = 0; i < e->count; i++) {
        bool up = e->weight[i] > 0;
        Buffer *b = up ? &above : &below;
        if ((*(up ? &over : &under))++) buffer_text(b, " * ");
        buffer_text(b, factor_text(e->part[i], fabs(e->weight[i])));
    }
    if (!over) buffer_char(&above, '1');
    if (!under) return buffer_string(&above).as.string->text;
    return TEXT(under > 1 ? "%.*s / (%.*s)" : "%.*s / %.*s", (int)above.bytes, above.text,
                (int)below.bytes, below.text);
}

static const char *term_text(const Expr *part, double weight) {
    if (!part) return number_text(weight);
    if (part->kind == PRODUCT) return product_text(part, weight * part->number);
    if (weight == 1) return part->kind == SUM ? TEXT("(%s)", expr_text(part)) : expr_text(part);
    Expr *one = expr_new(PRODUCT, 1);
    one->part[0] = part;
    one->weight[0] = 1;
    one->count = 1;
    return product_text(one, weight);
}

static const char *sum_text(const Expr *e) {
    Buffer b = { 0 };
    bool begun = false;
    for (int pass = 0; pass < 2; pass++) /* what is added first, then what is taken away */
        for (int i = 0; i < e->count; i++) {
            double sign = e->part[i] && e->part[i]->kind == PRODUCT
                              ? e->weight[i] * e->part[i]->number
                              : e->weight[i];
            if ((sign < 0) != (pass == 1)) continue;
            if (!begun && sign < 0) buffer_char(&b, '-');
            else if (begun) buffer_text(&b, sign < 0 ? " - " : " + ");
            buffer_text(&b, term_text(e->part[i], sign < 0 ? -e->weight[i] : e->weight[i]));
            begun = true;
        }
    return buffer_string(&b).as.string->text;
}

static const char *called_text(const Expr *e) {
    const char *sign = operations[e->op].prints;
    if (e->op != OP_where && strcmp(sign, CALL)) {
        if (e->op == OP_power) return TEXT("%s^%s", base_text(e->part[0]), base_text(e->part[1]));
        return TEXT("%s %s %s", inside_product(e->part[0]), sign, inside_product(e->part[1]));
    }
    Buffer b = { 0 };
    buffer_format(&b, "%s(", operations[e->op].name);
    for (int i = 0; i < e->count; i++) {
        if (i) buffer_text(&b, ", ");
        buffer_text(&b, expr_text(e->part[i]));
    }
    buffer_char(&b, ')');
    return buffer_string(&b).as.string->text;
}

static const char *print(const Expr *e) {
    switch (e->kind) {
    case NUMBER: return number_text(e->number);
    case VARIABLE: return e->name;
    case SUM: return sum_text(e);
    case CALLED: return called_text(e);
    case PRODUCT: break;
    }
    return e->number < 0 ? TEXT("-%s", product_text(e, -e->number)) : product_text(e, e->number);
}

const char *expr_text(const Expr *e) {
    check_stack();
    if (e->text) return e->text;
    const char *text = print(e);
    if (strlen(text) > LONGEST) {
        hint("record < y = f(x) >; adjoint(y) writes the same as a program, a line for each step");
        fail(E_LIMIT, "derive: the expression has more than %d characters", LONGEST);
    }
    return ((Expr *)e)->text = text;
}
