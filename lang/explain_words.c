/* The words of the chain rule, one step at a time. See explain.h. */
#include "explain.h"
#include "doc_rule.h"
#include "elem.h"
#include "kernels.h"
#include "kink_text.h"
#include "rule_text.h"
#include "source.h"
#include <stdio.h>
#include <string.h>

Explain explain_new(Wengert *w) {
    Explain e = { .w = w, .width = screen_columns(), .from_step = -1, .from_leaf = -1 };
    explain_restart(&e);
    return e;
}

void explain_restart(Explain *e) {
    e->b = (Buffer){ 0 };
    e->rows = list_new(0);
    e->so_far = list_new(e->w->count);
    e->leaf_so_far = list_new(e->w->leaves);
}

/* ---- what is shown ---- */
bool explain_shows(const Explain *e, uint32_t step) {
    return !e->on_path || e->on_path[step] || (int64_t)step == e->from_step;
}

bool explain_shows_input(const Explain *e, Input input) {
    if (input.kind == FROM_LEAF) return !e->on_path || (int64_t)input.at == e->from_leaf;
    return input.kind == FROM_STEP && explain_shows(e, input.at);
}
/* ---- pieces ---- */
const char *explain_value(const Explain *e, Value v) {
    return short_value(v, e->width < 70 ? 30 : e->width < 100 ? 36 : 60);
}

static void add_value(Explain *e, Flow *flow, Style style, Value v) {
    bool bad = is_numeric(v) && !all_finite(v);
    flow_add(flow, bad ? STYLE_WARNING : style, explain_value(e, v));
}

void explain_title(Explain *e, const char *text) {
    buffer_char(&e->b, '\n');
    style_text(&e->b, STYLE_TITLE, text, -1);
    buffer_char(&e->b, '\n');
}

void explain_words(Explain *e, int indent, Style style, const char *text) {
    Flow flow = flow_new(&e->b, indent, e->width);
    flow_words(&flow, style, text);
    flow_end(&flow);
}

/* "line 7" and the step's number. */
static void step_head(Explain *e, Flow *flow, uint32_t step, int columns) {
    char text[40];
    const char *place = view_place(wengert_span(e->w, step));
    snprintf(text, sizeof text, "#%u", step + 1);
    flow_add(flow, STYLE_TITLE, text);
    flow_words(flow, STYLE_DIM, *place ? place : "in the library");
    flow_join(flow, STYLE_DIM, ":");
    if (wengert_inner_span(e->w, step))
        flow_words(
            flow, STYLE_DIM,
            string_format("the %s step of", operation_word(e->w->step[step].op)).as.string->text);
    flow_add(flow, wengert_name(e->w, step) ? STYLE_NAME : STYLE_PLAIN,
             wengert_text(e->w, step, columns));
    flow->indent += 4;
}

const char *explain_step_name(const Explain *e, uint32_t step) {
    String *name = wengert_name(e->w, step);
    if (name) return name->text;
    return wengert_step_label(e->w, step);
}

static const char *input_name(const Explain *e, uint32_t step, int k) {
    Input input = wengert_input(e->w, step, k);
    if (input.kind == FROM_STEP) return explain_step_name(e, input.at);
    return wengert_input_label(e->w, step, k);
}

/* ---- forward ---- */
void explain_leaf(Explain *e, uint32_t i) {
    Flow flow = flow_new(&e->b, 4, e->width);
    const char *place = view_place(e->w->leaf[i].span);
    flow_add(&flow, STYLE_NAME, wengert_label(e->w, (Input){ FROM_LEAF, i, UNSET }));
    flow_add(&flow, STYLE_PLAIN, "=");
    add_value(e, &flow, STYLE_VALUE, e->w->leaf[i].value);
    flow_words(&flow, STYLE_DIM,
               *place ? string_format("(a leaf, %s)", place).as.string->text : "(a leaf)");
    flow_end(&flow);
}

void explain_forward(Explain *e, uint32_t step) {
    Flow flow = flow_new(&e->b, 4, e->width);
    const char *kink;
    Value value = wengert_value(e->w, step);
    step_head(e, &flow, step, e->width - 24);
    flow_add(&flow, STYLE_VALUE, string_format("= %s", explain_value(e, value)).as.string->text);
    flow_end(&flow);
    int64_t elements = kink_of_step(e->w, step, &kink);
    if (elements > 0) {
        char text[200];
        snprintf(text, sizeof text, "on a kink, %s: %s",
                 size_of(value) > 1 ? counted((uint64_t)elements, "element") : "here", kink);
        explain_words(e, 8, STYLE_WARNING, text);
    }
    Value row = struct_new(8);
    view_put(row, "phase", string_of("forward"));
    view_put(row, "step", number(step + 1));
    view_put(row, "line", number(wengert_line(e->w, step)));
    view_put(row, "text", string_of(wengert_text(e->w, step, 400)));
    view_put(row, "value", view_value(value));
    e->rows = list_push(e->rows, row);
}

void explain_gap(Explain *e, const ViewLine *line, const char *what) {
    char text[160];
    if (line->turns)
        snprintf(text, sizeof text, "⋮  × %s more of the same: steps %u to %u%s",
                 counted(line->turns, "turn"), line->from + 1, line->to + 1, what);
    else
        snprintf(text, sizeof text, "⋮  %s not shown: %u to %u",
                 counted(line->to - line->from + 1, "step"), line->from + 1, line->to + 1);
    Flow flow = flow_new(&e->b, 4, e->width);
    flow_add(&flow, STYLE_DIM, text);
    flow_end(&flow);
}

void explain_happening(Explain *e, const Happening *h) {
    char text[300];
    snprintf(text, sizeof text, "%s: %s", view_place(h->span), h->text);
    explain_words(e, 4, STYLE_DIM, text);
}

/* ---- reverse ---- */
/* The place where what comes to an input is added up. */
static Value *sum_place(Explain *e, Input input) {
    if (input.kind == FROM_STEP) return &e->so_far.as.list->item[input.at];
    return &e->leaf_so_far.as.list->item[input.at];
}

/* Of several results: nil where nothing came. */
static Value sum_of(Value a, Value b) {
    if (a.tag == V_NIL) return b;
    if (b.tag == V_NIL) return a;
    if (a.tag != V_LIST) return op_add(a, b);
    Value sum = list_new(a.as.list->count);
    for (size_t i = 0; i < a.as.list->count; i++)
        list_set(sum, i, sum_of(a.as.list->item[i], b.as.list->item[i]));
    return sum;
}

static void keep_sum(Explain *e, Input input, Value sum) {
    list_set(input.kind == FROM_STEP ? e->so_far : e->leaf_so_far, input.at, sum);
}

static const char *value_text_of(Value v) { return short_value(v, 30); }

/* The rule of a row in the manual's words: "g where x equals r, shared evenly among ties". */
static const char *manual_rule(const Explain *e, uint32_t step) {
    Buffer b = { 0 };
    int op = e->w->step[step].op;
    if (rule_inputs((Op)op) < 1 || !rule_text((Op)op, 0, &b) || !b.bytes) return "–";
    buffer_text(&b, " (g: its adjoint)");
    return buffer_string(&b).as.string->text;
}

/* The rule as "adjoint of f * x" and its factors as numbers, as far as it is a product. */
typedef struct Rule { const char *text; Value factor; bool plain; } Rule;

/* Of a selection between two numbers: "1, since b > 0". */
static const char *weight_text(double x, double y, const char *x_name, const char *y_name,
                               Value weight) {
    return string_format("%s, since %s %s %s", short_value(weight, 20), x_name,
                         x > y   ? ">"
                         : x < y ? "<"
                                 : "=",
                         y_name)
        .as.string->text;
}

static Rule elementwise_rule(Explain *e, uint32_t step, int k) {
    const Step *s = &e->w->step[step];
    Input x = wengert_input(e->w, step, 0), y = s->inputs > 1 ? wengert_input(e->w, step, 1) : x;
    const char *x_name = input_name(e, step, 0),
               *y_name = s->inputs > 1 ? input_name(e, step, 1) : "0";
    Rule rule = { rule_derivative((Op)s->op, k, x_name, y_name, explain_step_name(e, step)), UNSET,
                  false };
    Value r = wengert_value(e->w, step);
    if (x.value.tag != V_UNSET && y.value.tag != V_UNSET && r.tag != V_UNSET)
        rule.factor = elem_slope((Op)s->op, k, x.value, s->inputs > 1 ? y.value : number(0), r);
    rule.plain = !strcmp(rule.text, "1");
    if (operations[s->op].class == C_SELECT && is_number(x.value) && is_number(y.value))
        rule.text = weight_text(num_of(x.value), s->inputs > 1 ? num_of(y.value) : 0, x_name,
                                y_name, rule.factor);
    return rule;
}

static const char *row_rule(Explain *e, uint32_t step, int k) {
    const Node *n = node_at(e->w->step[step].node);
    const Extra *extra = n->x.extra;
    if (!extra || extra->count > 24) return "";
    const char *name[24];
    Value *in = pool_bytes((size_t)(extra->count + 1) * sizeof *in);
    for (int i = 0; i < extra->count; i++) {
        in[i] = constant(extra->in[i]);
        name[i] = i < e->w->step[step].inputs ? input_name(e, step, i) : "constants";
    }
    RuleCall call = {
        (Op)e->w->step[step].op, extra->count, k, in, node_r(n), extra->attr, name, "adjoint",
        explain_step_name(e, step)
    };
    return rule_contribution(&call);
}

/* Several equal numbers are written as one. */
static void add_factor(Explain *e, Flow *flow, Value v, Style style) {
    if (v.tag == V_NUM && v.as.num < 0) {
        flow_add(flow, style, "(");
        flow_join(flow, style, explain_value(e, v));
        flow_join(flow, style, ")");
    } else add_value(e, flow, style, v);
}

/* "= value", never torn. */
static void add_result(Explain *e, Flow *flow, Value v) {
    bool bad = is_numeric(v) && !all_finite(v);
    flow_add(flow, bad ? STYLE_WARNING : STYLE_ADJOINT,
             string_format("= %s", explain_value(e, v)).as.string->text);
}

static void explain_product(Explain *e, Flow *flow, uint32_t step, const char *to, const Rule *rule,
                            Value sent) {
    Value g = wengert_adjoint(e->w, step);
    flow_words(
        flow, STYLE_PLAIN,
        string_format("the slope of %s by %s is", explain_step_name(e, step), to).as.string->text);
    flow_add(flow, STYLE_NAME, rule->text);
    if (rule->plain) {
        flow_join(flow, STYLE_PLAIN, ",");
        flow_words(flow, STYLE_PLAIN, "so the adjoint is passed on:");
    } else {
        flow_break(flow);
        add_factor(e, flow, g, STYLE_ADJOINT);
        flow_add(flow, STYLE_PLAIN, "×");
        add_factor(e, flow, rule->factor, STYLE_VALUE);
    }
    Value whole = rule->factor.tag == V_UNSET ? UNSET : op_mul(g, rule->factor);
    bool summed = whole.tag != V_UNSET && size_of(whole) != size_of(sent);
    if (summed) flow_words(flow, STYLE_DIM, "summed over what was broadcast");
    if (rule->plain && !summed) add_value(e, flow, STYLE_ADJOINT, sent);
    else add_result(e, flow, sent);
}

static void explain_row_rule(Explain *e, Flow *flow, uint32_t step, int k, Value sent) {
    const char *rule = row_rule(e, step, k);
    if (*rule) {
        flow_add(flow, STYLE_NAME, rule);
    } else {
        flow_words(flow, STYLE_PLAIN,
                   operation_rule(e->w->step[step].op));
    }
    add_result(e, flow, sent);
}

static void explain_sum(Explain *e, Flow *flow, Input input, Value before, Value sent, Value sum) {
    flow_break(flow);
    flow_words(
        flow, STYLE_PLAIN,
        string_format("%s is used more than once, so its terms add up:", wengert_label(e->w, input))
            .as.string->text);
    add_value(e, flow, STYLE_ADJOINT, before);
    flow_add(flow, STYLE_PLAIN, "+");
    add_value(e, flow, STYLE_ADJOINT, sent);
    add_result(e, flow, sum);
}

static Value contribution_row(Explain *e, uint32_t step, Input input, const char *rule, Value sent,
                              Value sum) {
    Value row = struct_new(10);
    view_put(row, "phase", string_of("reverse"));
    view_put(row, "step", number(step + 1));
    view_put(row, "line", number(wengert_line(e->w, step)));
    view_put(row, "text", string_of(wengert_text(e->w, step, 400)));
    view_put(row, "to", string_of(wengert_label(e->w, input)));
    view_put(row, "rule", string_of(rule));
    view_put(row, "adjoint", view_value(wengert_adjoint(e->w, step)));
    view_put(row, "sent", view_value(sent));
    view_put(row, "sum", view_value(sum));
    return row;
}

void explain_input(Explain *e, uint32_t step, int k) {
    Input input = wengert_input(e->w, step, k);
    Value sent = wengert_sent(e->w, step, k), before = *sum_place(e, input);
    if (sent.tag == V_UNSET) return;
    Flow flow = flow_new(&e->b, 6, e->width);
    const char *text = "";
    flow_add(&flow, STYLE_PLAIN, "to");
    flow_add(&flow, STYLE_NAME, wengert_label(e->w, input));
    flow_join(&flow, STYLE_PLAIN, ":");
    flow.indent = 8;
    if (e->w->step[step].op < OP_ELEMS) {
        Rule rule = elementwise_rule(e, step, k);
        text = rule.text;
        explain_product(e, &flow, step, input_name(e, step, k), &rule, sent);
    } else {
        text = row_rule(e, step, k);
        explain_row_rule(e, &flow, step, k, sent);
    }
    Value sum = sum_of(before, sent);
    if (before.tag != V_NIL) explain_sum(e, &flow, input, before, sent, sum);
    keep_sum(e, input, sum);
    flow_end(&flow);
    e->rows = list_push(e->rows, contribution_row(e, step, input, text, sent, sum));
}

void explain_slope(Explain *e, uint32_t step, int k) {
    const char *from = explain_step_name(e, step), *to = input_name(e, step, k);
    Flow flow = flow_new(&e->b, 4, e->width);
    bool elementwise = e->w->step[step].op < OP_ELEMS;
    if (elementwise) {
        Rule rule = elementwise_rule(e, step, k);
        flow_words(&flow, STYLE_PLAIN,
                   string_format("the slope of %s by %s is", from, to).as.string->text);
        flow_add(&flow, STYLE_NAME, rule.text);
        bool said = rule.factor.tag == V_UNSET || !strcmp(rule.text, value_text_of(rule.factor)) ||
                    operations[e->w->step[step].op].class == C_SELECT;
        if (!said) {
            flow_add(&flow, STYLE_PLAIN, "=");
            add_value(e, &flow, STYLE_VALUE, rule.factor);
        }
    } else {
        const char *rule = row_rule(e, step, k);
        flow_words(&flow, STYLE_PLAIN, string_format("%s hands back", from).as.string->text);
        if (*rule) flow_add(&flow, STYLE_NAME, rule);
        else
            flow_words(&flow, STYLE_PLAIN,
                       e->w->step[step].op == OP_custom
                           ? "what its own rule says"
                           : string_format("what the rule of %s says: %s",
                                           operation_word(e->w->step[step].op),
                                           manual_rule(e, step))
                                 .as.string->text);
    }
    flow_end(&flow);
}

void explain_reverse(Explain *e, uint32_t step) {
    Value g = wengert_adjoint(e->w, step);
    Flow flow = flow_new(&e->b, 4, e->width);
    step_head(e, &flow, step, e->width < 70 ? 20 : 30);
    flow_words(&flow, STYLE_DIM, "has the adjoint");
    add_value(e, &flow, STYLE_ADJOINT, g);
    flow_end(&flow);
    if (g.tag == V_UNSET) return;
    for (int k = 0; k < e->w->step[step].inputs; k++)
        if (explain_shows_input(e, wengert_input(e->w, step, k))) explain_input(e, step, k);
}

/* Turns that are folded away add to sums, too. */
void explain_unseen(Explain *e, uint32_t step) {
    for (int k = 0; k < e->w->step[step].inputs; k++) {
        Input input = wengert_input(e->w, step, k);
        Value sent = wengert_sent(e->w, step, k);
        if (sent.tag == V_UNSET || !explain_shows_input(e, input)) continue;
        Value before = *sum_place(e, input);
        size_t pool = pool_mark();
        keep_sum(e, input, sum_of(before, sent));
        pool_unwind(pool);
    }
}

void explain_start(Explain *e) {
    const Wengert *w = e->w;
    char call[100];
    for (int i = 0; i < w->heads; i++) {
        Value g = w->swept ? w->gradient[i] : ones_like(constant(w->head[i]));
        int64_t step = wengert_step_of(w, w->head[i]), leaf = wengert_leaf_of(w, w->head[i]);
        const char *name = step >= 0 ? explain_step_name(e, (uint32_t)step)
                           : leaf >= 0
                               ? wengert_label(w, (Input){ FROM_LEAF, (uint32_t)leaf, UNSET })
                               : "this value";
        Flow flow = flow_new(&e->b, 4, e->width);
        flow_words(
            &flow, STYLE_PLAIN,
            string_format("start: the adjoint of %s is its head gradient,", name).as.string->text);
        add_value(e, &flow, STYLE_ADJOINT, g.tag == V_UNSET ? number(0) : g);
        flow_end(&flow);
    }
    const char *name = view_head_name(w);
    if (!w->swept)
        explain_words(e, 4, STYLE_DIM,
              string_format("No sweep has reached %s yet: this is what backward(%s) would do.",
                            name, name)
                  .as.string->text);
    else if (w->swept_at) {
        explain_words(e, 4, STYLE_DIM,
                      string_format("It comes from %s %s.",
                                    span_whole_text(w->swept_at, call, sizeof call),
                                    view_at(w->swept_at))
                          .as.string->text);
    }
    bool scalar = w->heads == 1 && is_number(w->head[0]);
    if (scalar)
        explain_words(e, 4, STYLE_DIM,
              string_format("The adjoint of a value says how much %s changes when the value grows "
                            "by a little, per unit.",
                            name)
                  .as.string->text);
    else
        explain_words(e, 4, STYLE_DIM,
              string_format("A gradient is of one number: backward(%s, g) differentiates sum(%s * "
                            "g), so g weighs the elements of %s. "
                            "The adjoint of a value says how much that sum changes when the value "
                            "grows by a little, per unit.",
                            name, name, name)
                  .as.string->text);
}

/* ---- the result ---- */
void explain_result(Explain *e) {
    const Wengert *w = e->w;
    for (uint32_t i = 0; i < w->leaves; i++) {
        if (e->from_step >= 0 || (e->from_leaf >= 0 && (int64_t)i != e->from_leaf)) continue;
        Flow flow = flow_new(&e->b, 4, e->width);
        flow_words(&flow, STYLE_PLAIN, "the gradient of");
        flow_add(&flow, STYLE_NAME, wengert_label(w, (Input){ FROM_LEAF, i, UNSET }));
        flow_add(&flow, STYLE_PLAIN, "is");
        if (w->leaf[i].adjoint.tag == V_UNSET)
            flow_words(&flow, STYLE_PLAIN, "0: nothing came to it");
        else add_value(e, &flow, STYLE_ADJOINT, w->leaf[i].adjoint);
        flow_end(&flow);
    }
    if (e->from_step < 0) return;
    Flow flow = flow_new(&e->b, 4, e->width);
    flow_words(&flow, STYLE_PLAIN, "the adjoint of");
    flow_add(&flow, STYLE_NAME, wengert_step_label(w, (uint32_t)e->from_step));
    flow_add(&flow, STYLE_PLAIN, "is");
    add_value(e, &flow, STYLE_ADJOINT, wengert_adjoint(w, (uint32_t)e->from_step));
    flow_end(&flow);
}
