/* The text of a derivative rule. The one idea: it is never typed a second time.
 *
 * The rule of an elementwise operation is a text of calls, mul(g, cos(x)), and is read and written
 * with signs. The rule of another operation runs on leaves named x, y, r and g while recording is
 * on, and what then stands on the tape is printed as an expression. Only where it depends on
 * numbers that are not on the tape, as the maximum does on which element is the greatest, it is
 * said in words. */
#include "doc_rule.h"
#include "builtins.h"
#include "module.h"
#include "rule_read.h"
#include "rules.h"
#include "tape.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- rows that need particular inputs: how the manual calls them ---- */

static const struct { Op op; const char *call; } calls[] = {
    { OP_matmul, "(x, y) -> x @ y" },
    { OP_solve, "(a, b) -> solve(a, b)" },
};

static const char *call_of(Op op, char *text, size_t bytes) {
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (calls[i].op == op) return calls[i].call;
    snprintf(text, bytes, "x -> %s(x)", operations[op].name);
    return text;
}

/* ---- rules that depend on values which are not recorded, in words ---- */

static const struct { Op op; const char *words;
} in_words[] = {
    { OP_max, "g where x equals r, shared evenly among ties, else 0" },
    { OP_min, "g where x equals r, shared evenly among ties, else 0" },
    { OP_max_pool, "g at the greatest element of each window, shared evenly among ties, else 0" },
    { OP_prod, "g * the product of the other elements, exact where some are 0" },
    { OP_cumprod, "the sums from the end of g * r / x, exact where some elements are 0" },
    { OP_cumsum, "the sums of g from the end" },
    { OP_standardize, "by x, (g - mean(g) - r * mean(g * r)) / sqrt(var(x) + eps); by eps, the sum "
                      "of -g * r / 2 / (var(x) + eps); a scale multiplies g first" },
    { OP_cross_entropy, "g * softmax(logits), less g at the labels" },
    { OP_sort, "g, each element put back to where it came from" },
    { OP_take_along, "g added to zeros at the indices; repeated indices add up" },
    { OP_where, "g where it was chosen, else 0; broadcasting is undone" },
    { OP_stack, "the part of g that came from each array" },
    { OP_concat, "the part of g that came from each array" },
    { OP_reshape, "g in the shape of x" },
    { OP_det, "g * r * inv(x)'; for a singular x, g times its cofactors" },
    { OP_slogdet, "g[1] * inv(x)'" },
    { OP_cholesky, "s + s' halved, where s = inv(r)' @ p @ inv(r) and p is the lower triangle of "
                   "r' @ g, its diagonal halved" },
    { OP_qr, "(g[0] + Q @ c) @ inv(R)', where m = R @ g[1]' - g[0]' @ Q and c is the lower "
             "triangle of m, mirrored" },
    { OP_eigh, "V @ (diag(g[0]) + f * (V' @ g[1])) @ V', where f[i, j] = 1 / (w[j] - w[i]) off the "
               "diagonal" },
    { OP_svd, "U @ (diag(g[1]) + terms of g[0], g[2] with 1 / (s[j]^2 - s[i]^2)) @ Vt" },
    { OP_pinv, "-r' @ g @ r' and the terms of the null spaces of x" },
    { OP_conv2d, "the convolution of g with the other input, one of the two turned" },
};

static const char *words_of(Op op) {
    for (size_t i = 0; i < sizeof in_words / sizeof *in_words; i++)
        if (in_words[i].op == op) return in_words[i].words;
    return NULL;
}

/* ---- reading the text of an elementwise rule ---- */

enum { LOOSEST = 0, SUM = 12, PRODUCT = 14, UNARY = 16, POWER = 18, TIGHTEST = 20 };

/* The words that rules are written with, as signs. What guards a domain is left out: it changes
 * nothing inside. */
static const struct Sign { const char *word, *sign; int power;
} signs[] = {
    { "add", " + ", SUM },
    { "sub", " - ", SUM },
    { "mul", " * ", PRODUCT },
    { "div", " / ", PRODUCT },
    { "power", "^", POWER },
    { "neg", "-", UNARY },
    { "mul_or_zero", " * ", PRODUCT },
    { "ratio_or_zero", " / ", PRODUCT },
    { "nonnegative", "", 0 },
};

static const struct { const char *digits, *name; int power;
} numbers[] = {
    { "0.693147180559945309", "log(2)", TIGHTEST },
    { "1.44269504088896341", "1 / log(2)", PRODUCT },
    { "0.434294481903251828", "1 / log(10)", PRODUCT },
    { "0.0174532925199432957692", "pi / 180", PRODUCT },
    { "57.2957795130823208768", "180 / pi", PRODUCT },
    { "1.12837916709551257", "2 / sqrt(pi)", PRODUCT },
    { "-1.12837916709551257", "-2 / sqrt(pi)", PRODUCT },
    { "-0.707106781186547524", "-1 / sqrt(2)", PRODUCT },
    { "0.398942280401432678", "1 / sqrt(2 * pi)", PRODUCT },
};

static void put_term(Buffer *b, const RuleTerm *t, int tighter);

static const struct Sign *sign_of(const RuleTerm *t) {
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (strlen(signs[i].word) == t->bytes && !memcmp(signs[i].word, t->text, t->bytes))
            return &signs[i];
    return NULL;
}

/* A number or a name. */
static void put_word(Buffer *b, const RuleTerm *t, int tighter) {
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (strlen(numbers[i].digits) != t->bytes || memcmp(numbers[i].digits, t->text, t->bytes))
            continue;
        buffer_format(b, numbers[i].power <= tighter ? "(%s)" : "%s", numbers[i].name);
        return;
    }
    buffer_format(b, *t->text == '-' && tighter >= PRODUCT ? "(%.*s)" : "%.*s", (int)t->bytes,
                  t->text);
}

static void put_signed(Buffer *b, const struct Sign *sign, const RuleTerm *t, int tighter) {
    bool brackets = sign->power && sign->power <= tighter;
    if (brackets) buffer_char(b, '(');
    if (sign->power == UNARY) buffer_char(b, '-');
    put_term(b, t->part[0], sign->power ? sign->power - 1 : tighter);
    if (t->count > 1) {
        buffer_text(b, sign->sign);
        put_term(b, t->part[1], sign->power);
    }
    if (brackets) buffer_char(b, ')');
}

static void put_call(Buffer *b, const RuleTerm *t) {
    buffer_format(b, "%.*s(", (int)t->bytes, t->text);
    for (int i = 0; i < t->count; i++) {
        if (i) buffer_text(b, ", ");
        put_term(b, t->part[i], LOOSEST);
    }
    buffer_char(b, ')');
}

static void put_term(Buffer *b, const RuleTerm *t, int tighter) {
    if (t->kind != RULE_CALL) {
        put_word(b, t, tighter);
        return;
    }
    if (t->op == OP_power_log) {      /* r log(x) */
        put_term(b, t->part[0], PRODUCT - 1);
        buffer_text(b, " * log(");
        put_term(b, t->part[1], LOOSEST);
        buffer_char(b, ')');
        return;
    }
    const struct Sign *sign = sign_of(t);
    if (sign) put_signed(b, sign, t, tighter);
    else put_call(b, t);
}

static bool is_the_number(const RuleTerm *t, double x) {
    return t->kind == RULE_NUMBER && t->number == x;
}

/* g * d, with d = 1 and d = -1 left out. */
static void put_element_rule(Buffer *b, const RuleTerm *rule) {
    if (is_the_number(rule, 1)) buffer_char(b, 'g');
    else if (is_the_number(rule, -1)) buffer_text(b, "-g");
    else if (is_the_number(rule, 0)) buffer_char(b, '0');
    else if (rule->kind == RULE_CALL && rule->op == OP_div && is_the_number(rule->part[0], 1)) {
        buffer_text(b, "g / ");
        put_term(b, rule->part[1], PRODUCT);
    } else {
        buffer_text(b, "g * ");
        put_term(b, rule, PRODUCT);
    }
}

/* ---- printing what is on the tape ---- */

enum { DEEPEST = 12 };

typedef struct Named { uint32_t node[5]; char name[5][24]; int count; } Named;

static int power_of(Op op) {
    switch (op) {
    case OP_add: case OP_sub: return SUM;
    case OP_mul: case OP_div: case OP_mod: case OP_floor_divide: case OP_matmul: return PRODUCT;
    case OP_mul_or_zero: case OP_ratio_or_zero: return PRODUCT;
    case OP_neg: return UNARY;
    case OP_power: return POWER;
    default: return operations[op].prints[0] && operations[op].prints[0] != '(' ? 10 : TIGHTEST;
    }
}

/* How internal words are called in the manual. */
static const char *word_of(Op op) {
    switch (op) {
    case OP_expand_to: return "broadcast";
    case OP_sum_to: return "sum_over_broadcast";
    case OP_cast: return "same_dtype";
    default: return operations[op].name;
    }
}

static void put_node(Buffer *b, const Named *names, uint32_t id, Value constant, int tighter,
                     int depth);

static void put_operands(Buffer *b, const Named *names, const Node *n, int depth) {
    int op = node_op(n);
    buffer_format(b, "%s(", word_of(op));
    if (has_extra(n)) {
        const Extra *extra = n->x.extra;
        int shown = op == OP_expand_to || op == OP_sum_to || op == OP_cast || op == OP_unindex
                        ? 1
                        : extra->count;
        for (int i = 0; i < shown; i++) {
            if (i) buffer_text(b, ", ");
            put_node(b, names, extra->in[i].node, extra->in[i], LOOSEST, depth);
        }
    } else {
        put_node(b, names, n->a, node_x(n), LOOSEST, depth);
        if (operations[op].arity == 2) {
            buffer_text(b, ", ");
            put_node(b, names, n->b, node_y(n), LOOSEST, depth);
        }
    }
    buffer_char(b, ')');
}

static void put_infix(Buffer *b, const Named *names, const Node *n, int tighter, int depth) {
    int op = node_op(n), power = power_of(op);
    const Operation *o = &operations[op];
    bool brackets = power <= tighter;
    uint32_t left = has_extra(n) ? n->x.extra->in[0].node : n->a,
             right = has_extra(n) ? n->x.extra->in[1].node : n->b;
    Value x = has_extra(n) ? n->x.extra->in[0] : node_x(n),
          y = has_extra(n) ? n->x.extra->in[1] : node_y(n);
    if (brackets) buffer_char(b, '(');
    if (op == OP_neg) {
        buffer_char(b, '-');
        put_node(b, names, left, x, power - 1, depth);
    } else {
        put_node(b, names, left, x, power - 1, depth);
        const char *sign = op == OP_mul_or_zero ? "*" : op == OP_ratio_or_zero ? "/" : o->prints;
        buffer_format(b, op == OP_power ? "%s" : " %s ", sign);
        put_node(b, names, right, y, power, depth);
    }
    if (brackets) buffer_char(b, ')');
}

static void put_constant(Buffer *b, Value v) {
    if (v.tag == V_NUM) buffer_format(b, "%.4g", v.as.num);
    else if (v.tag == V_BOOL) buffer_format(b, "%d", v.as.truth);
    else buffer_format(b, "%s", "...");
}

static void put_node(Buffer *b, const Named *names, uint32_t id, Value constant, int tighter,
                     int depth) {
    for (int i = 0; i < names->count; i++) {
        if (names->node[i] != id || !id) continue;
        buffer_text(b, names->name[i]);
        return;
    }
    if (!id || id >= LEAF) { put_constant(b, constant); return; }
    if (depth > DEEPEST) { buffer_text(b, "..."); return; }
    const Node *n = node_at(id);
    int op = node_op(n);
    if (op == OP_transpose || op == OP_cast ||
        op == OP_reshape) { /* what only lays out is left out */
        put_node(b, names, n->x.extra->in[0].node, n->x.extra->in[0],
                 op != OP_transpose ? tighter : TIGHTEST - 1, depth + 1);
        if (op == OP_transpose) buffer_char(b, '\'');
    } else if (power_of(op) < TIGHTEST)
        put_infix(b, names, n, tighter, depth + 1);
    else put_operands(b, names, n, depth + 1);
}

/* ---- running a rule ---- */

static void name_leaf(Named *names, const char *name, Value leaf) {
    names->node[names->count] = leaf.node;
    snprintf(names->name[names->count++], sizeof names->name[0], "%s", name);
}

typedef struct Trace { Op op; int which; Buffer out; bool made; } Trace;

static Value leaf_of(Value v) { return leaf_attach(v, REQ_WRITE, NULL); }

/* "x > y ? 1 : x == y ? 0.5 : 0" as "g * (1 if x > y; 0.5 if x == y; else 0)". */
static void put_weights(Buffer *b, const char *rule) {
    const char *question;
    if (!strchr(rule, '?')) { buffer_format(b, "g where %s, else 0", rule); return; }
    buffer_text(b, "g * (");
    for (; (question = strchr(rule, '?')); rule = strchr(rule, ':') + 2) {
        const char *colon = strchr(question, ':');
        int condition = (int)(question - rule - 1), value = (int)(colon - question - 3);
        bool nan = condition == 6 && rule[0] == rule[5] && !strncmp(rule + 1, " != ", 4);
        if (nan) buffer_format(b, "%.*s if isnan(%c); ", value, question + 2, rule[0]);
        else buffer_format(b, "%.*s if %.*s; ", value, question + 2, condition, rule);
    }
    buffer_format(b, "else %s)", rule);
}

static Value sample(int which) {
    static const double square[] = { 4, 1, 1, 3 }, other[] = { 1, 2, 3, 5 };
    Array *a = array_new(F64, 2, (int64_t[]){ 2, 2 });
    memcpy(f64_of(a), which ? other : square, sizeof square);
    return leaf_of(array_value(a));
}

/* Runs the row's call, recorded, and finds its node: the one with this operation. */
static const Node *run_call(Op op, Named *names, Value *result) {
    char text[80], name[24];
    const char *call = call_of(op, text, sizeof text);
    Module *module = module_new("manual", "");
    Value f = module_run_source(module, source_new("manual", call, strlen(call))), in[3];
    int count = call[0] == '(' ? 2 : 1;
    for (int i = 0; i < count; i++) {
        in[i] = sample(i);
        name_leaf(names, rule_input(op, i, name, sizeof name), in[i]);
    }
    *result = call_value(f, count, in);
    Value first = result->tag == V_LIST ? result->as.list->item[0] : *result;
    for (uint32_t id = first.node; id && id < LEAF;) {
        const Node *n = node_at(id);
        if (node_op(n) == (int)op) return n;
        id = has_extra(n) ? n->x.extra->in[0].node : n->a;
    }
    return NULL;
}

static Value like_leaf(Value v) {
    if (v.tag != V_LIST) return leaf_of(v.tag == V_NUM ? number(v.as.num) : constant(v));
    Value list = list_new(v.as.list->count);
    for (size_t i = 0; i < v.as.list->count; i++)
        list_set(list, i, leaf_of(constant(v.as.list->item[i])));
    return list;
}

static void trace_row(Trace *t) {
    Named names = { 0 };
    Value result;
    const Node *n = run_call(t->op, &names, &result);
    if (!n || result.tag == V_LIST) return;
    const Extra *extra = n->x.extra;
    Value in[8], r = like_leaf(result), g = like_leaf(result);
    for (int i = 0; i < extra->count && i < 8; i++) in[i] = extra->in[i];
    name_leaf(&names, "r", r);
    name_leaf(&names, "g", g);
    Pull pull = { t->op, extra->count, t->which, true, g, r, in, extra->attr, NULL };
    Value made = row_pullback(&pull);
    if (made.tag == V_UNSET) return;
    put_node(&t->out, &names, made.node, made, LOOSEST, 0);
    t->made = true;
}

static void run_trace(void *env) {
    Trace *t = env;
    rt.recording = true;
    trace_row(t);
}

bool rule_text(Op op, int which, Buffer *out) {
    const Operation *o = &operations[op];
    const char *rule = o->rule[which];
    if (!rule || !strcmp(rule, "NONE")) return false;
    if (o->class == C_SELECT) { put_weights(out, rule); return true; }
    if (op < OP_ELEMS) { put_element_rule(out, rule_read(rule)); return true; }
    if (words_of(op)) { buffer_text(out, words_of(op)); return true; }
    Trace trace = { .op = op, .which = which };
    bool recording = rt.recording;
    Error error;
    bool fine = guard(run_trace, &trace, &error);
    rt.recording = recording;
    if (fine && trace.made) buffer_add(out, trace.out.text, trace.out.bytes);
    return fine && trace.made;
}

int rule_inputs(Op op) {
    int count = 0;
    const Operation *o = &operations[op];
    int most = op < OP_ELEMS ? o->arity : 3;
    for (int i = 0; i < most; i++)
        if (o->rule[i] && strcmp(o->rule[i], "NONE")) count = i + 1;
    return count;
}

const char *rule_input(Op op, int which, char *name, size_t bytes) {
    const char *at = operations[op].signature ? operations[op].signature
                     : op < OP_ELEMS          ? "(x, y)"
                                              : "(x, y, z)";
    for (int i = 0; *at && i < which; i++) at = strchr(at + 1, ',') ? strchr(at + 1, ',') : "";
    at += strspn(at, "(, *");
    snprintf(name, bytes, "%.*s", (int)strcspn(at, ",) ="), at);
    return name;
}
