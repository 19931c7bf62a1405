/* Rules as text. See rule_text.h. The text of an elementwise row is read as it stands in the table.
 * The rule of a ROW is C: its inputs are lifted to fresh nodes at the top of the tape (function.h),
 * it runs above them, and the expression is read off the nodes from the result down. */
#include "rule_text.h"
#include "builtins.h"
#include "doc_rule.h"
#include "elem.h"
#include "function.h"
#include "kernels.h"
#include "rule_read.h"
#include "table.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How tightly an expression binds, as in the grammar. */
enum { LOOSE, SUM, PRODUCT, SIGN, POWER_, TIGHT };
typedef struct Text { const char *text; int binds; } Text;

static const char *bracketed(Text t, int least) {
    if (t.binds >= least) return t.text;
    return string_format("(%s)", t.text).as.string->text;
}

/* How tightly a name binds that may be an expression: a bare look at its operators. */
static int binding_of(const char *name) {
    int binds = TIGHT, depth = 0;
    for (const char *c = name; *c; c++) {
        depth += (*c == '(' || *c == '[') - (*c == ')' || *c == ']');
        if (depth) continue;
        int here = *c == '^' ? POWER_ : *c == '*' || *c == '/' || *c == '@' || *c == '%' ? PRODUCT
                   : (*c == '+' || *c == '-') && c > name ? SUM : *c == '-' ? SIGN : TIGHT;
        if (here < binds) binds = here;
    }
    return binds;
}
static Text named(const char *name) { return (Text){ name, binding_of(name) }; }

/* ---- one operation ---- */
/* Internal rows print as what they mean where nothing is 0. */
static Op printed_as(Op op) {
    if (op == OP_mul_or_zero) return OP_mul;
    if (op == OP_ratio_or_zero) return OP_div;
    return op;
}

static Text infix(const char *sign, int binds, Text x, Text y, bool right) {
    return (Text){ string_format("%s %s %s", bracketed(x, right ? binds + 1 : binds), sign,
                                 bracketed(y, right ? binds : binds + 1)).as.string->text, binds };
}

static bool is_same(Text x, Text y) { return !strcmp(x.text, y.text); }

static bool is_constant(Text t) {
    char *end;
    strtod(t.text, &end);
    return end != t.text && !*end;
}

static Text squared(Text x) {
    return (Text){ string_format("%s^2", bracketed(x, TIGHT)).as.string->text, POWER_ };
}

static Text written(Op op, int count, const Text *in) {
    op = printed_as(op);
    bool passes = op == OP_nonnegative || op == OP_cast || op == OP_identity || op == OP_reshape;
    if (passes && count) return in[0];
    if (op == OP_square || (op == OP_mul && count == 2 && is_same(in[0], in[1])))
        return squared(in[0]);
    if (op == OP_power_log)
        return infix("*", PRODUCT, in[0],
                     (Text){ string_format("log(%s)", in[1].text).as.string->text, TIGHT }, false);
    bool rounds = op == OP_neg && (strstr(in[0].text, "//") || strchr(in[0].text, '%'));
    if (rounds) return (Text){ string_format("-(%s)", in[0].text).as.string->text, SIGN };
    if (op == OP_neg)
        return (Text){ string_format("-%s", bracketed(in[0], PRODUCT)).as.string->text, SIGN };
    if (op == OP_power)
        return (Text){ string_format("%s^%s", bracketed(in[0], TIGHT), bracketed(in[1], TIGHT))
                           .as.string->text,
                       POWER_ };
    if (op == OP_transpose && count == 1)
        return (Text){ string_format("%s'", bracketed(in[0], TIGHT)).as.string->text, TIGHT };
    if (op == OP_index)
        return (Text){ string_format("%s[…]", bracketed(in[0], TIGHT)).as.string->text, TIGHT };
    if ((op == OP_add || op == OP_sub) && is_constant(in[0]) && is_constant(in[1])) {
        double x = strtod(in[0].text, NULL), y = strtod(in[1].text, NULL);
        return named(short_number(op == OP_add ? x + y : x - y, 6));
    }
    const char *sign = operations[op].prints;
    bool call = !strcmp(sign, CALL) || !*sign || count != 2;
    if (!call) {
        bool product = op == OP_mul || op == OP_div || op == OP_matmul || op == OP_mod ||
                       op == OP_floor_divide;
        return infix(sign,
                     product                        ? PRODUCT
                     : op == OP_add || op == OP_sub ? SUM
                                                    : LOOSE,
                     in[0], in[1], false);
    }
    Buffer b = { 0 };
    const char *name = op == OP_expand_to ? "broadcast"
                       : op == OP_sum_to  ? "sum"
                                          : operations[op].name;
    buffer_format(&b, "%s(", name);
    for (int i = 0; i < count; i++) buffer_format(&b, "%s%s", i ? ", " : "", in[i].text);
    buffer_char(&b, ')');
    return (Text){ buffer_string(&b).as.string->text, TIGHT };
}

const char *operation_text(Op op, int count, const char *const *name) {
    Text in[16];
    if (count > 16) count = 16;
    for (int i = 0; i < count; i++) in[i] = named(name[i]);
    return written(op, count, in).text;
}

/* ---- a trace ---- */
enum { MOST_OPERATIONS = 14, MOST_NAMES = 24 };
typedef struct Trace {
    int names, operations;
    uint32_t id[MOST_NAMES];
    const char *name[MOST_NAMES];
    bool lost;
} Trace;

static void name_node(Trace *t, uint32_t id, const char *name) {
    if (t->names == MOST_NAMES || !id) return;
    t->id[t->names] = id;
    t->name[t->names++] = name;
}

static Text trace_value(Trace *t, Value v);

static Text trace_node(Trace *t, uint32_t id) {
    for (int i = 0; i < t->names; i++)
        if (t->id[i] == id) return named(t->name[i]);
    if (id >= LEAF || ++t->operations > MOST_OPERATIONS) {
        t->lost = true;
        return (Text){ "…", TIGHT };
    }
    const Node *n = node_at(id);
    Text in[8];
    int count = 0;
    if (!has_extra(n)) {
        Value x = node_x(n), y = node_y(n);
        x.node = n->a, y.node = n->b;
        in[count++] = trace_value(t, x);
        if (operations[node_op(n)].arity == 2) in[count++] = trace_value(t, y);
    } else {
        for (int i = 0; i < n->x.extra->count && count < 8; i++)
            in[count++] = trace_value(t, n->x.extra->in[i]);
    }
    return written((Op)node_op(n), count, in);
}

static bool is_uniform(Value v, double *x) {
    if (is_number(v)) *x = num_of(v);
    if (is_number(v)) return true;
    if (v.tag != V_ARRAY || !v.as.array->size) return false;
    *x = array_get(v.as.array, 0);
    for (int64_t i = 1; i < v.as.array->size && i < 64; i++)
        if (array_get(v.as.array, i) != *x) return false;
    return true;
}

static Text trace_value(Trace *t, Value v) {
    double x;
    if (v.node) return trace_node(t, v.node);
    if (is_uniform(v, &x)) return named(short_number(x, 6));
    return (Text){ v.tag == V_ARRAY && dtype_of(v) == BOOL ? "mask" : "constants", TIGHT };
}

/* ---- elementwise rows: the text of the row, which is in function calls, in words of the language
 * ---- */
typedef struct Inputs { Text x, y, r; } Inputs;

static Text term_text(const RuleTerm *t, const Inputs *in) {
    if (t->kind == RULE_NUMBER) return named(short_number(t->number, 6));
    if (t->kind == RULE_INPUT) return t->input == 'x' ? in->x : t->input == 'y' ? in->y : in->r;
    Text part[MOST_RULE_PARTS];
    for (int i = 0; i < t->count; i++) part[i] = term_text(t->part[i], in);
    return written(t->op, t->count, part);
}

/* A selection's weights where x is below, at and above y, or 0 if it has one input. */
static const char *weights_text(Op op, int which, const char *x, const char *y) {
    bool one = operations[op].arity == 1;
    double (*weight)(double, double, double) = elem_kernels[op].slope[which];
    double at = one ? 0 : 1, above = weight(at + 1, at, at + 1), tie = weight(at, at, at),
           below = weight(at - 1, at, at);
    return string_format("%s where %s > %s, %s where %s = %s, %s where %s < %s",
                         short_number(above, 4), x, one ? "0" : y, short_number(tie, 4), x,
                         one ? "0" : y, short_number(below, 4), x, one ? "0" : y)
        .as.string->text;
}

const char *rule_derivative(Op op, int which, const char *x, const char *y, const char *r) {
    if (operations[op].class == C_SELECT) return weights_text(op, which, x, y);
    if (operations[op].class != C_ELEM) return "0";
    Inputs in = { named(x), named(y), named(r) };
    return term_text(rule_read(operations[op].rule[which]), &in).text;
}

/* ---- rows ---- */
typedef struct RowRun { const RuleCall *call; const char *text; int operations; } RowRun;

/* Of a list of results, each lifted. */
static Value lifted_like(Value v, const Lifted *lifted, int *at) {
    if (v.tag != V_LIST) return is_numeric(v) && dtype_of(v) != BOOL ? lifted->x[(*at)++] : v;
    Value list = list_new(v.as.list->count);
    for (size_t i = 0; i < v.as.list->count; i++) list_set(list, i, lifted->x[(*at)++]);
    return list;
}

static void collect_numeric(Value v, Value *out, int *count) {
    if (v.tag == V_LIST) {
        for (size_t i = 0; i < v.as.list->count; i++) out[(*count)++] = v.as.list->item[i];
    } else if (is_numeric(v) && dtype_of(v) != BOOL) {
        out[(*count)++] = v;
    }
}

static void name_lifted(Trace *t, Value v, const char *name) {
    if (v.tag != V_LIST) {
        name_node(t, v.node, name);
        return;
    }
    for (size_t i = 0; i < v.as.list->count; i++)
        name_node(t, v.as.list->item[i].node, string_format("%s[%zu]", name, i).as.string->text);
}

static Value ones_like_result(Value r) {
    if (r.tag != V_LIST) return ones_like(constant(r));
    Value list = list_new(r.as.list->count);
    for (size_t i = 0; i < r.as.list->count; i++)
        list_set(list, i, ones_like(constant(r.as.list->item[i])));
    return list;
}

static void run_row(void *env) {
    RowRun *run = env;
    const RuleCall *c = run->call;
    if (c->count > MOST_NAMES - 8) return;
    Value flat[3 * MOST_NAMES], g = ones_like_result(c->r),
                                *in = pool_bytes((size_t)(c->count + 1) * sizeof *in);
    int count = 0, at = 0;
    if (c->r.tag == V_LIST && c->r.as.list->count > 4) return;
    collect_numeric(g, flat, &count);
    collect_numeric(c->r, flat, &count);
    for (int i = 0; i < c->count; i++) collect_numeric(c->in[i], flat, &count);
    Lifted lifted = function_lift(count, flat);
    Trace t = { 0 };
    Pull p = { .op = (int)c->op,
               .count = c->count,
               .which = c->which,
               .any_g = true,
               .in = in,
               .attr = c->attr };
    p.g = lifted_like(g, &lifted, &at);
    p.r = lifted_like(c->r, &lifted, &at);
    name_lifted(&t, p.g, c->g_name);
    for (int i = 0; i < c->count; i++) {
        in[i] = lifted_like(c->in[i], &lifted, &at);
        name_lifted(&t, in[i], c->name[i]);
    }
    name_lifted(&t, p.r, c->r_name);
    Value pulled = row_pullback(&p);
    function_stop(&lifted);
    if (pulled.tag != V_UNSET) run->text = trace_value(&t, pulled).text;
    if (t.lost) run->text = "";
    run->operations = t.operations;
    function_end(&lifted, NIL, 0, NULL);
}

const char *rule_contribution(const RuleCall *call) {
    RowRun run = { call, "", 0 };
    Error error;
    bool was = rt.recording, training = rt.training;
    uint64_t mark = tape_position();
    if (call->op < OP_ELEMS || !row_differentiable(call->op, call->which)) return "";
    if (guard(run_row, &run, &error)) return run.text;
    error_forget();
    rt.recording = was, rt.training = training;
    if (!tape_any_held(mark)) tape_truncate(mark);
    return "";
}

/* ---- for programs ---- */
Value builtin_derivative_rule(int count, const Value *arg) {
    (void)count;
    Op op = OP_NONE;
    if (arg[0].tag == V_STRING) op = op_named(arg[0].as.string->text);
    else if (arg[0].tag == V_FUNCTION) op = op_named(arg[0].as.function->name->text);
    else {
        char what[80];
        fail(E_ARGUMENT,
             "derivative_rule takes the name of an operation or the function itself, not %s",
             describe(arg[0], what, sizeof what));
    }
    Buffer lines = { 0 };
    for (int which = 0; op != OP_NONE && which < rule_inputs(op); which++) {
        Buffer rule = { 0 };
        char name[40];
        if (!rule_text(op, which, &rule)) continue;
        buffer_format(&lines, "to %s: ", rule_input(op, which, name, sizeof name));
        buffer_add(&lines, rule.text, rule.bytes);
        buffer_char(&lines, '\n');
    }
    return buffer_string(&lines);
}
