/* why(x): why the gradient of x is zero, missing, stale, not a number or infinite. The one idea:
 * ask in turn every party that may have lost it: the slot (was x ever attached?), the tape (does
 * anything lead from x to f?), the text (what cut it there?), and the sweep (where did the last
 * factor become 0, or the first one not finite?). Each answer is a finding: a reason, a line, a
 * sentence. */
#include "advice.h"
#include "builtins.h"
#include "cuts.h"
#include "elem.h"
#include "flow.h"
#include "kernels.h"
#include "mistakes.h"
#include "rules.h"
#include "rule_text.h"
#include "source.h"
#include "views.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef struct Why {
    Wengert *w;             /* NULL: no head is known, or it was never recorded */
    Value x, gradient;      /* UNSET: it has none */
    const char *name;       /* of x in sentences */
    const String *variable; /* NULL: x is no name */
    const String *head;     /* of why(x, f): f */
    Span call;
    bool *leads;            /* by step: does it depend on x? */
    bool *live;             /* by step: does f depend on it through what was not 0? */
    Value rows;
    Buffer b;
    int width, findings;
} Why;

/* ---- findings ---- */
static const char *text_of(const char *format, ...) __attribute__((format(printf, 1, 2)));
static const char *text_of(const char *format, ...) {
    char text[600];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return string_of(text).as.string->text;
}

static void sentence(Why *y, Style style, const char *bullet, const char *text) {
    Flow flow = { &y->b, 4, y->width, 4, true };
    buffer_spaces(&y->b, 2);
    style_text(&y->b, STYLE_TITLE, bullet, -1);
    buffer_char(&y->b, ' ');
    flow_words(&flow, style, text);
    flow_end(&flow);
}

/* step < 0: it belongs to none. */
static void finding(Why *y, const char *reason, uint32_t line, int64_t step, const char *text) {
    Value row = struct_new(4);
    view_put(row, "reason", string_of(reason));
    view_put(row, "line", line ? number(line) : NIL);
    view_put(row, "step", step < 0 ? NIL : number((double)step + 1));
    view_put(row, "text", string_of(text));
    y->rows = list_push(y->rows, row);
    y->findings++;
    sentence(y, STYLE_PLAIN, "-", text);
}

static void advise(Why *y, const char *text) {
    Value row = struct_new(4);
    view_put(row, "reason", string_of("advice"));
    view_put(row, "line", NIL);
    view_put(row, "step", NIL);
    view_put(row, "text", string_of(text));
    y->rows = list_push(y->rows, row);
    sentence(y, STYLE_DIM, "=", text);
}

static void title(Why *y, const char *what) {
    Flow flow = flow_new(&y->b, 0, y->width);
    flow_words(&flow, STYLE_TITLE, text_of("why grad(%s) %s", y->name, what));
    flow_end(&flow);
}

/* ---- numbers in sentences ---- */
static int64_t count_where(Value mask) {
    return (int64_t)(is_number(mask) ? num_of(mask)
                                     : num_of(op_sum(op_cast(mask, F64), ALL_AXES, false)));
}

static bool all_zero(Value v) { return is_numeric(v) && !count_where(op_ne(v, number(0))); }

static double element(Value v, int64_t at) {
    if (!is_numeric(v)) return NAN;
    return is_number(v) ? num_of(v) : array_get(v.as.array, v.as.array->size == 1 ? 0 : at);
}

/* The first element that is not finite; -1: all are. */
static int64_t first_bad(Value v) {
    if (!is_numeric(v) || all_finite(v)) return -1;
    for (int64_t i = 0; i < size_of(v); i++)
        if (!isfinite(element(v, i))) return i;
    return -1;
}

/* "[1, 2]" of element 5 of a [2, 3] array, with a word before it; "" of a number. */
static const char *place_text(Value v, int64_t at) {
    if (v.tag != V_ARRAY || !v.as.array->axes) return "";
    const Array *a = v.as.array;
    char text[200];
    int64_t index[MAX_AXES];
    for (int i = a->axes; i-- > 0; at /= shape_of(a)[i]) index[i] = at % shape_of(a)[i];
    int n = snprintf(text, sizeof text, "[");
    for (int i = 0; i < a->axes && n < 180; i++)
        n += snprintf(text + n, sizeof text - (size_t)n, "%s%lld", i ? ", " : "",
                      (long long)index[i]);
    return text_of("%s]", text);
}

static const char *number_text(double x) { return short_number(x, 6); }

/* ---- steps in sentences ---- */
/* "z = relu(x - 5) on line 4" */
static const char *step_text(const Why *y, uint32_t step) {
    const char *text = wengert_text(y->w, step, 50);
    return text_of("%s %s", text, view_at(wengert_span(y->w, step)));
}

static bool same_place(const Wengert *w, uint32_t a, uint32_t b) {
    return wengert_span(w, a) == wengert_span(w, b) &&
           wengert_inner_span(w, a) == wengert_inner_span(w, b);
}

/* ---- is anything between x and f? ---- */
static bool is_x(const Why *y, Input input) {
    if (input.kind == FROM_LEAF) return (int64_t)input.at == wengert_leaf_of(y->w, y->x);
    return input.kind == FROM_STEP && (int64_t)input.at == wengert_step_of(y->w, y->x);
}

static void find_ways(Why *y) {
    Wengert *w = y->w;
    int64_t own = wengert_step_of(w, y->x);
    y->leads = memset(pool_bytes(w->count + 1), 0, w->count + 1);
    y->live = memset(pool_bytes(w->count + 1), 0, w->count + 1);
    for (uint32_t i = 0; i < w->count; i++)
        for (int k = 0; k < w->step[i].inputs && !y->leads[i]; k++) {
            Input in = wengert_input(w, i, k);
            y->leads[i] =
                (int64_t)i != own && (is_x(y, in) || (in.kind == FROM_STEP && y->leads[in.at]));
        }
}

static bool reached(const Why *y) {
    return y->w && (wengert_step_of(y->w, y->x) >= 0 || wengert_leaf_of(y->w, y->x) >= 0);
}

/* ---- where a zero came from ---- */
/* Why the slope of this step by its input k is 0, in words. */
static const char *zero_words(const Why *y, uint32_t step, int k) {
    const Step *s = &y->w->step[step];
    Input x = wengert_input(y->w, step, k);
    Input other = s->inputs > 1 ? wengert_input(y->w, step, !k) : x;
    int64_t size = is_numeric(x.value) ? size_of(x.value) : 1;
    const char *of = size > 1 ? text_of("at all %lld elements", (long long)size) : "";
    switch (s->op) {
    case OP_relu:
        return text_of("its input is at or below 0%s%s, where relu is flat%s", *of ? " " : "", of,
                       size > 1 ? " (a dead relu)" : "");
    case OP_mul:
        if (other.kind == FROM_CONSTANT && is_number(other.value)) return "it multiplies by 0";
        return text_of("it multiplies by %s, which is 0%s%s", wengert_input_label(y->w, step, !k),
                       *of ? " " : "", of);
    case OP_div: return k == 0 ? "it divides by something infinite" : "what it divides is 0";
    case OP_power: case OP_square: return "its base is 0, where the slope of the power is 0";
    case OP_maximum:
    case OP_minimum:
        return text_of("the other side, %s, was taken everywhere", wengert_label(y->w, other));
    case OP_where:
    case OP_max:
    case OP_min:
    case OP_take:
        return "something else was chosen everywhere";
    default: break;
    }
    if (s->op < OP_ELEMS && is_numeric(x.value)) {
        bool small = is_number(x.value);
        return text_of("the slope of %s is 0 %s%s", operation_word(s->op),
                       small ? "at " : "there: its input is ", short_value(x.value, 30));
    }
    return "its rule gives 0";
}

/* Of all steps between x and f that get something and hand on nothing. */
static void report_zeros(Why *y) {
    Wengert *w = y->w;
    enum { MOST = 6 };
    uint32_t told[MOST];
    int count = 0, more = 0;
    for (uint32_t i = w->count; i-- > 0;) {
        Value g = wengert_adjoint(w, i);
        if (!is_numeric(g) || all_zero(g)) continue;
        for (int k = 0; k < w->step[i].inputs; k++) {
            Input in = wengert_input(w, i, k);
            bool towards = is_x(y, in) || (in.kind == FROM_STEP && y->leads[in.at]);
            Value sent = towards ? wengert_sent(w, i, k) : UNSET;
            if (!towards || (sent.tag != V_UNSET && !all_zero(sent))) continue;
            bool again = false;
            for (int t = 0; t < count; t++) again |= same_place(w, told[t], i);
            if (again) continue;
            if (count == MOST) {
                more++;
                continue;
            }
            told[count++] = i;
            finding(y, "zero slope", wengert_line(w, i), i,
                    text_of("%s gets the adjoint %s and passes 0 on to %s: %s", step_text(y, i),
                            short_value(g, 24), wengert_input_label(w, i, k), zero_words(y, i, k)));
        }
    }
    if (more) sentence(y, STYLE_DIM, " ", text_of("and %d more places like these", more));
}

/* Terms that came to x and add up to nothing. */
static void report_cancelling(Why *y) {
    Wengert *w = y->w;
    Buffer terms = { 0 };
    int count = 0;
    for (uint32_t i = 0; i < w->count; i++)
        for (int k = 0; k < w->step[i].inputs; k++) {
            if (!is_x(y, wengert_input(w, i, k))) continue;
            Value sent = wengert_sent(w, i, k);
            if (!is_numeric(sent) || all_zero(sent)) continue;
            if (count < 4)
                buffer_format(&terms, "%s%s from line %u", count ? ", " : "", short_value(sent, 24),
                              wengert_line(w, i));
            count++;
        }
    if (count > 1)
        finding(y, "cancelled", 0, -1,
                text_of("%d terms come to it and cancel: %s%s", count,
                        buffer_string(&terms).as.string->text, count > 4 ? ", ..." : ""));
}

static bool head_gradient_is_zero(const Why *y) {
    for (int i = 0; i < y->w->heads; i++) {
        Value g = y->w->swept ? y->w->gradient[i] : NIL;
        if (!is_numeric(g) || !all_zero(g)) return false;
    }
    return y->w->swept;
}

/* ---- what the text cut ---- */
static const char *cut_text(const Why *y, const Cut *c) {
    const char *to = c->to ? c->to->text : "what it gives",
               *from = c->from ? c->from->text : y->name, *at = view_at(c->at);
    switch (c->kind) {
    case CUT_DETACH: return text_of("detach %s cuts %s off from %s", at, to, from);
    case CUT_PAUSE:
        return text_of("%s is computed from %s inside pause, %s, so nothing was recorded",
                       to, from, at);
    case CUT_OUTSIDE:
        return text_of("%s is computed from %s %s, outside record", to, from, at);
    case CUT_FLAT:
        return text_of("%s %s passes nothing back to %s: %s is flat, its slope is 0 "
                       "wherever it has one",
                       to, at, from, c->by);
    case CUT_LEAF:
        return text_of("attach_grad %s makes %s a leaf of its own: nothing goes on from "
                       "there to %s", at, to, y->name);
    case CUT_ATTACHED:
        return text_of("%s was computed from %s %s, before it got its slot %s", to,
                       from, at, view_at(c->node->span));
    }
    return "";
}

static const char *cut_reason(const Cut *c) {
    static const char *const reasons[] = {
        [CUT_DETACH] = "detached",         [CUT_PAUSE] = "paused",
        [CUT_OUTSIDE] = "outside record",  [CUT_FLAT] = "flat",
        [CUT_ATTACHED] = "attached later", [CUT_LEAF] = "attached again",
    };
    return reasons[c->kind];
}

static const String *head_name(const Why *y) {
    if (!y->w) return y->head;
    const char *name = view_head_name(y->w);
    return text_is_name(name, strlen(name)) ? symbol(name, strlen(name)) : NULL;
}

/* Cuts between x and f as the text has them; all, where f has no name. Where there is no way on
 * from any, since it is cut a second time, all that come to f. */
static int report_cuts_by(Why *y, bool (*leads_on)(const Source *, const String *,
                                                   const String *)) {
    size_t count;
    const Source *source = source_of(y->call);
    const String *f = head_name(y);
    int told = 0;
    if (!y->variable) return 0;
    const Cut *cut = cuts_of(source, y->variable, &count);
    for (size_t i = 0; i < count; i++) {
        bool leads = !f || !cut[i].to || cut[i].to == f || leads_on(source, cut[i].to, f);
        bool mended = cut[i].kind == CUT_ATTACHED && f && text_connects(source, y->variable, f);
        if (!leads || mended) continue;
        finding(y, cut_reason(&cut[i]), place_whole(cut[i].at).line, -1, cut_text(y, &cut[i]));
        told++;
    }
    return told;
}

static int report_cuts(Why *y) {
    int told = report_cuts_by(y, text_connects);
    return told ? told : report_cuts_by(y, text_reaches);
}

/* A step that uses x's very array as a constant: x got its slot afterwards. */
static bool report_late_attachment(Why *y) {
    Wengert *w = y->w;
    if (!is_leaf(y->x)) return false;
    Span span = leaf_at(y->x.node)->span;
    uint32_t attached = place_of(span).line;
    for (uint32_t i = 0; y->x.tag == V_ARRAY && i < w->count; i++)
        for (int k = 0; k < w->step[i].inputs; k++) {
            Input in = wengert_input(w, i, k);
            if (in.kind != FROM_CONSTANT || in.value.tag != V_ARRAY ||
                in.value.as.array != y->x.as.array)
                continue;
            finding(y, "attached later", attached, i,
                    text_of("%s used %s when it had no slot: attach_grad came later, %s",
                            step_text(y, i), y->name, view_at(span)));
            advise(y, text_of("call attach_grad(%s) before record < ... >", y->name));
            return true;
        }
    return false;
}

static bool report_stale(Why *y) {
    if (!is_leaf(y->x)) return false;
    const Leaf *leaf = leaf_at(y->x.node);
    uint64_t last = rt.tape->swept;
    if (!leaf->sweep || leaf->sweep == last || all_zero(leaf->gradient)) return false;
    finding(y, "stale", place_of(leaf->swept_at).line, -1,
            text_of("grad(%s) is still %s from the sweep %s; the last sweep, %s, did not reach %s",
                    y->name, short_value(leaf->gradient, 24), view_at(leaf->swept_at),
                    view_at(rt.tape->swept_at), y->name));
    return true;
}

static void why_not_reached(Why *y) {
    const char *f = view_head_name(y->w);
    title(y, text_of("has nothing from %s: no recorded step leads from %s to it", f, y->name));
    bool stale = report_stale(y);
    if (report_late_attachment(y) || report_cuts(y)) return;
    const String *name = head_name(y);
    bool connected = y->variable && name && text_connects(source_of(y->call), y->variable, name);
    finding(y, connected ? "path not taken" : "not used", 0, -1,
            connected ? text_of("the text computes %s from %s, but not on the path that was taken",
                                f, y->name)
                      : text_of("%s is not computed from %s", f, y->name));
    if (!stale && is_leaf(y->x))
        advise(y, "a gradient of zeros is then right: f does not change when it does");
}

/* ---- not finite ---- */
/* Input k of the step at the element of its value; NaN: it has another shape. */
static const char *inputs_at(const Why *y, uint32_t step, Value v, int64_t at) {
    Buffer b = { 0 };
    for (int k = 0; k < y->w->step[step].inputs && k < 3; k++) {
        Input in = wengert_input(y->w, step, k);
        if (!is_numeric(in.value)) continue;
        bool each = size_of(in.value) == size_of(v) || size_of(in.value) == 1;
        const char *label = wengert_input_label(y->w, step, k);
        if (in.kind == FROM_CONSTANT && is_number(in.value)) continue;
        if (each)
            buffer_format(&b, "%s%s%s = %s", b.bytes ? ", " : "", label,
                          size_of(in.value) > 1 ? place_text(v, at) : "",
                          number_text(element(in.value, at)));
        else buffer_format(&b, "%s%s = %s", b.bytes ? ", " : "", label, short_value(in.value, 30));
    }
    return b.bytes ? buffer_string(&b).as.string->text : "its inputs";
}

static bool inputs_finite(const Why *y, uint32_t step) {
    for (int k = 0; k < y->w->step[step].inputs; k++) {
        Value v = wengert_input(y->w, step, k).value;
        if (is_numeric(v) && !all_finite(v)) return false;
    }
    return true;
}

static bool report_forward(Why *y) {
    Wengert *w = y->w;
    for (uint32_t i = 0; i < w->leaves; i++) {
        int64_t at = first_bad(w->leaf[i].value);
        if (at < 0) continue;
        finding(y, "not finite already", place_of(w->leaf[i].span).line, -1,
                text_of("the leaf %s holds %s%s%s itself",
                        wengert_label(w, (Input){ FROM_LEAF, i, UNSET }),
                        number_text(element(w->leaf[i].value, at)),
                        size_of(w->leaf[i].value) > 1 ? " at " : "",
                        place_text(w->leaf[i].value, at)));
        return true;
    }
    for (uint32_t i = 0; i < w->count; i++) {
        Value v = wengert_value(w, i);
        int64_t at = first_bad(v);
        if (at < 0) continue;
        bool made = inputs_finite(y, i);
        finding(y, "not finite forward", wengert_line(w, i), i,
                text_of("forward, %s first gives %s%s%s%s %s", step_text(y, i),
                        number_text(element(v, at)), size_of(v) > 1 ? " at " : "",
                        place_text(v, at), made ? ", from" : ", since it is given",
                        inputs_at(y, i, v, at)));
        return true;
    }
    return false;
}

/* "0 × inf" at an element, of an elementwise step. */
static const char *factors_at(const Why *y, uint32_t step, int k, Value sent, int64_t at) {
    const Step *s = &y->w->step[step];
    Value g = wengert_adjoint(y->w, step), r = wengert_value(y->w, step);
    Input x = wengert_input(y->w, step, 0), z = s->inputs > 1 ? wengert_input(y->w, step, 1) : x;
    bool alike = is_numeric(g) && size_of(g) == size_of(sent);
    if (s->op >= OP_ELEMS || !is_numeric(x.value) || !is_numeric(z.value) || r.tag == V_UNSET ||
        !alike)
        return operation_rule(s->op);
    Value slope = elem_slope((Op)s->op, k, x.value, s->inputs > 1 ? z.value : number(0), r);
    const char *x_name = wengert_input_label(y->w, step, 0);
    const char *z_name = s->inputs > 1 ? wengert_input_label(y->w, step, 1) : "";
    const char *rule =
        rule_derivative((Op)s->op, k, x_name, z_name, wengert_step_label(y->w, step));
    return text_of("its adjoint %s times its slope %s, which is %s there",
                   number_text(element(g, at)), rule, number_text(element(slope, at)));
}

static bool report_reverse(Why *y) {
    Wengert *w = y->w;
    for (int i = 0; w->swept && i < w->heads; i++)
        if (first_bad(w->gradient[i]) >= 0) {
            finding(y, "head gradient", 0, -1,
                    text_of("the head gradient is %s", short_value(w->gradient[i], 30)));
            return true;
        }
    for (uint32_t i = w->count; i-- > 0;) {
        Value g = wengert_adjoint(w, i);
        if (!is_numeric(g) || !all_finite(g)) continue;
        for (int k = 0; k < w->step[i].inputs; k++) {
            Value sent = wengert_sent(w, i, k);
            int64_t at = first_bad(sent);
            if (at < 0) continue;
            finding(y, "not finite in reverse", wengert_line(w, i), i,
                    text_of("in reverse, %s first gives %s%s%s to %s: %s", step_text(y, i),
                            number_text(element(sent, at)), size_of(sent) > 1 ? " at " : "",
                            place_text(sent, at), wengert_input_label(w, i, k),
                            factors_at(y, i, k, sent, at)));
            return true;
        }
    }
    return false;
}

static void report_advice(Why *y) {
    size_t count;
    const Advice *advice = advice_for(y->w, &count);
    for (size_t i = 0; i < count; i++)
        advise(y, text_of("line %u: %s", wengert_line(y->w, advice[i].step), advice[i].text));
}

/* ---- the answer ---- */
static Value adjoint_of_x(const Why *y) {
    int64_t step = wengert_step_of(y->w, y->x), leaf = wengert_leaf_of(y->w, y->x);
    return step >= 0 ? wengert_adjoint(y->w, (uint32_t)step) : y->w->leaf[leaf].adjoint;
}

static const char *how_many(Value mask) {
    return size_of(mask) > 1 ? text_of(" at %lld of %lld elements", (long long)count_where(mask),
                                       (long long)size_of(mask))
                             : "";
}

static void why_not_finite(Why *y, Value g) {
    Value nan = op_isnan(g), inf = op_isinf(g);
    bool has_nan = count_where(nan) > 0;
    title(y, text_of("is %s%s", has_nan ? "NaN" : "infinite", how_many(has_nan ? nan : inf)));
    report_forward(y);
    report_reverse(y);
    report_advice(y);
}

static void why_zero(Why *y, Value g) {
    Value zero = g.tag == V_UNSET ? boolean(true) : op_eq(g, number(0));
    bool whole = g.tag == V_UNSET || all_zero(g);
    title(y, text_of("is 0%s", whole ? "" : how_many(zero)));
    if (head_gradient_is_zero(y))
        finding(y, "head gradient", place_of(y->w->swept_at).line, -1,
                "the head gradient is 0, so everything is");
    report_zeros(y);
    if (g.tag != V_UNSET) report_cancelling(y);
    report_cuts(y);
    size_t count;
    const Advice *advice = advice_for(y->w, &count);
    for (size_t i = 0; i < count; i++)
        if (strstr(advice[i].text, "taken as 0"))
            advise(y, text_of("line %u: %s", wengert_line(y->w, advice[i].step), advice[i].text));
    if (!y->findings)
        finding(y, "zero", 0, -1,
                "every path hands on something, and the parts that reach it are 0 there");
}

static void why_fine(Why *y, Value g) {
    size_t cuts = 0;
    title(y, text_of("is %s: nothing is wrong with it", short_value(g, 40)));
    for (uint32_t i = 0; i < y->w->count; i++) cuts += y->leads[i];
    finding(y, "fine", 0, -1,
            text_of("%zu of %s %s from %s to %s", cuts, counted(y->w->count, "step"),
                    cuts == 1 ? "leads" : "lead", y->name, view_head_name(y->w)));
}

static void sweep_again(void *env) { wengert_sweep(((Why *)env)->w); }

/* false: the sweep itself fails, at a foreign function, say, and that is the answer. */
static bool why_swept(Why *y) {
    Error error;
    if (guard(sweep_again, y, &error)) return true;
    if (error.kind != E_GRADIENT) fail_again(&error);
    title(y, "is missing");
    finding(y, "no rule", place_whole(error.span).line, -1, error.message);
    if (error.hint[0]) advise(y, error.hint);
    return false;
}

static void why_reached(Why *y) {
    if (y->w->lost) {
        title(y, "cannot be told any more");
        finding(y, "lost", place_of(y->w->swept_at).line, -1,
                text_of("the sweep %s has released the values; sweep with retain = true",
                        view_at(y->w->swept_at)));
        return;
    }
    if (!why_swept(y)) return;
    find_ways(y);
    Value g = adjoint_of_x(y);
    bool some_zero = g.tag == V_UNSET || (is_numeric(g) && count_where(op_eq(g, number(0))) > 0);
    if (is_numeric(g) && !all_finite(g)) why_not_finite(y, g);
    else if (some_zero) why_zero(y, g);
    else why_fine(y, g);
    if (!y->w->swept)
        sentence(y, STYLE_DIM, "=",
                 text_of("no sweep of %s has run yet: this is what backward(%s) would give",
                         view_head_name(y->w), view_head_name(y->w)));
}

/* ---- without a slot ---- */
static void raise_missing(void *env) { fail_no_gradient(*(Value *)env); }
static void raise_unrecorded(void *env) {
    fail_unrecorded_operand(*(Value *)env, 1, "nothing to sweep");
}

/* What the error of grad(x), or of backward(f), would say. */
static void why_missing(Why *y, void (*raise)(void *env), Value v, const char *reason) {
    Error error;
    rt.here = y->call;
    guard(raise, &v, &error);
    title(y, "is missing");
    finding(y, reason, place_whole(y->call).line, -1, error.message);
    if (error.hint[0]) advise(y, error.hint);
}

/* A sweep has been, but nobody looked then: what it started from is not known. */
static bool why_forgotten(Why *y) {
    if (!is_leaf(y->x) || !leaf_at(y->x.node)->sweep) return false;
    title(y, "cannot be told without a head");
    finding(y, "head", 0, -1, "a sweep has filled it, but what it started from was not kept");
    advise(y, text_of("why(%s, f) asks for the part of f in it", y->name));
    return true;
}

/* The head is not on the tape. Where the text cuts it off from x, the place is named; what was
 * computed outside record, the message itself says better. */
static void why_unrecorded(Why *y, Value head) {
    Error error;
    rt.here = y->call;
    guard(raise_unrecorded, &head, &error);
    bool outside = strstr(error.message, "outside record") != NULL;
    title(y, "is missing");
    if (!outside && report_cuts(y)) return;
    finding(y, "head not recorded", place_whole(y->call).line, -1, error.message);
    if (error.hint[0]) advise(y, error.hint);
}

static void why_unswept(Why *y) {
    if (why_forgotten(y)) return;
    title(y, "is missing");
    if (is_leaf(y->x) && leaf_at(y->x.node)->req == REQ_NULL)
        finding(
            y, "null", 0, -1,
            text_of("%s was attached with req = \"null\": sweeps leave nothing there", y->name));
    else finding(y, "not swept", 0, -1, "no sweep has run yet");
    advise(y, text_of("backward(f) fills it; why(%s, f) says what that would give", y->name));
}

/* ---- the call ---- */
/* The name of the call's first operand, or of the variable that holds x. */
static void find_name(Why *y) {
    Place call = place_of(rt.here);
    char text[80] = "";
    if (call.operands) span_text(rt.here + 1, text, sizeof text);
    size_t bytes = strlen(text);
    y->variable = bytes && text_is_name(text, bytes) ? symbol(text, bytes) : NULL;
    y->name = *text && bytes < 60 ? text_of("%s", text) : "x";
    if (call.operands > 1) {
        span_text(rt.here + 2, text, sizeof text);
        if (text_is_name(text, strlen(text))) y->head = symbol(text, strlen(text));
    }
    if (!y->variable && y->x.node) y->variable = name_held(naming_new(), y->x.node);
}

static Value heads_of(Value given) {
    if (given.tag != V_UNSET && given.tag != V_NIL) return given;
    return rt.tape->swept_heads;
}

static bool recorded_heads(Value f) {
    if (f.tag != V_LIST) return is_numeric(f) && f.node;
    for (size_t i = 0; i < f.as.list->count; i++)
        if (!recorded_heads(f.as.list->item[i])) return false;
    return f.as.list->count > 0;
}

static void answer(Why *y, Value f) {
    char what[80];
    if (!is_numeric(y->x)) {
        note_operand(0, y->x);
        hint("ask for one of its parts: why(model.w)");
        fail(E_TYPE, "why asks about one array or number, not %s",
             describe(y->x, what, sizeof what));
    }
    if (!y->x.node) why_missing(y, raise_missing, y->x, "unattached");
    else if (f.tag == V_UNSET || f.tag == V_NIL) why_unswept(y);
    else if (!recorded_heads(f)) why_unrecorded(y, f);
    else {
        y->w = wengert_of(f, "why");
        if (y->w->lost || reached(y)) why_reached(y);
        else why_not_reached(y);
    }
}

Value builtin_why(int count, const Value *arg) {
    (void)count;
    Why y = { .x = arg[0], .rows = list_new(0), .width = screen_columns(), .call = rt.here };
    bool was = rt.recording;
    rt.recording = false;
    find_name(&y);
    answer(&y, heads_of(arg[1]));
    rt.recording = was;
    return view_done(&y.b, y.rows, arg[2]);
}
