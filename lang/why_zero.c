/* Where why() finds a zero: is there a way from x to f at all, which step sent 0 along it, and do
 * the terms that arrive cancel? */
#include "builtins_function.h"
#include "why_parts.h"

/* ---- is anything between x and f? ---- */
static bool is_x(const Why *y, Input input) {
    if (input.kind == FROM_LEAF) return (int64_t)input.at == wengert_leaf_of(y->w, y->x);
    return input.kind == FROM_STEP && (int64_t)input.at == wengert_step_of(y->w, y->x);
}

void why_find_ways(Why *y) {
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

bool why_is_reached(const Why *y) {
    return y->w && (wengert_step_of(y->w, y->x) >= 0 || wengert_leaf_of(y->w, y->x) >= 0);
}

/* ---- where a zero came from ---- */
/* Why the slope of this step by its input k is 0, in words. */
static const char *zero_words(const Why *y, uint32_t step, int k) {
    const Step *s = &y->w->step[step];
    Input x = wengert_input(y->w, step, k);
    Input other = s->inputs > 1 ? wengert_input(y->w, step, !k) : x;
    int64_t size = is_numeric(x.value) ? size_of(x.value) : 1;
    const char *of = size > 1 ? why_text("at all %lld elements", (long long)size) : "";
    switch (s->op) {
    case OP_relu:
        return why_text("its input is at or below 0%s%s, where relu is flat%s", *of ? " " : "", of,
                       size > 1 ? " (a dead relu)" : "");
    case OP_mul:
        if (other.kind == FROM_CONSTANT && is_number(other.value)) return "it multiplies by 0";
        return why_text("it multiplies by %s, which is 0%s%s", wengert_input_label(y->w, step, !k),
                       *of ? " " : "", of);
    case OP_div: return k == 0 ? "it divides by something infinite" : "what it divides is 0";
    case OP_power: case OP_square: return "its base is 0, where the slope of the power is 0";
    case OP_maximum:
    case OP_minimum:
        return why_text("the other side, %s, was taken everywhere", wengert_label(y->w, other));
    case OP_where:
    case OP_max:
    case OP_min:
    case OP_take:
        return "something else was chosen everywhere";
    default: break;
    }
    if (s->op < OP_ELEMS && is_numeric(x.value)) {
        bool small = is_number(x.value);
        return why_text("the slope of %s is 0 %s%s", operation_word(s->op),
                       small ? "at " : "there: its input is ", short_value(x.value, 30));
    }
    return "its rule gives 0";
}

/* Does the step hand on nothing to this input, though it lies on the way to x? */
static bool blocks(const Why *y, uint32_t step, int k) {
    Input in = wengert_input(y->w, step, k);
    if (!is_x(y, in) && (in.kind != FROM_STEP || !y->leads[in.at])) return false;
    Value sent = wengert_sent(y->w, step, k);
    return sent.tag == V_UNSET || why_all_zero(sent);
}

/* The places that were told, so that what a loop repeats is told once. */
enum { MOST_PLACES = 6 };
typedef struct Told { uint32_t step[MOST_PLACES]; int count, more; } Told;

static bool is_told(const Why *y, const Told *told, uint32_t step) {
    for (int t = 0; t < told->count; t++)
        if (why_same_place(y->w, told->step[t], step)) return true;
    return false;
}

/* false: it was told before, or there were enough of them. */
static bool tell(const Why *y, Told *told, uint32_t step) {
    if (is_told(y, told, step)) return false;
    if (told->count == MOST_PLACES) told->more++;
    else told->step[told->count++] = step;
    return !told->more;
}

/* Of all steps between x and f that get something and hand on nothing. */
static void report_blocking(Why *y, Told *told) {
    for (uint32_t i = y->w->count; i-- > 0;) {
        Value g = wengert_adjoint(y->w, i);
        if (!is_numeric(g) || why_all_zero(g)) continue;
        for (int k = 0; k < y->w->step[i].inputs; k++)
            if (blocks(y, i, k) && tell(y, told, i))
                why_finding(y, "zero slope", wengert_line(y->w, i), i,
                            why_text("%s gets the adjoint %s and passes 0 on to %s: %s",
                                     why_step(y, i), short_value(g, 24),
                                     wengert_input_label(y->w, i, k), zero_words(y, i, k)));
    }
}

/* Each step between x and f that got only 0 is given something: not ones, which a softmax would
 * pass on as 0. false: there is none. */
static bool give_something(Why *y) {
    Wengert *w = y->w;
    bool any = false;
    for (uint32_t i = 0; i < w->count; i++) {
        Value g = wengert_adjoint(w, i), v = wengert_value(w, i);
        if (!y->leads[i] || !is_numeric(v) || dtype_of(v) == BOOL) continue;
        if (g.tag != V_UNSET && !why_all_zero(g)) continue;
        wengert_give_adjoint(w, i, op_cast(some_like(v, 0), dtype_of(v)));
        any = true;
    }
    return any;
}

/* Steps behind those that got nothing, but would have handed on nothing either: the zero of a
 * square may come from a dead relu, and who mends the square alone meets the relu next. */
static void report_behind(Why *y, Told *told) {
    Wengert *w = y->w;
    int64_t own = wengert_step_of(w, y->x);
    if (!told->count || !give_something(y)) return;
    Value given = w->given;
    wengert_sweep(w);
    for (uint32_t i = w->count; i-- > 0;)
        for (int k = 0; k < w->step[i].inputs && (int64_t)i != own; k++)
            if (given.as.list->item[i].tag != V_NIL && blocks(y, i, k) && tell(y, told, i))
                why_finding(y, "zero slope", wengert_line(w, i), i,
                            why_text("behind it, %s would pass 0 on to %s whatever it got: %s",
                                     why_step(y, i), wengert_input_label(w, i, k),
                                     zero_words(y, i, k)));
    w->given = UNSET;
    wengert_sweep(w);
}

/* How many elements of the step's adjoint are lost on the way to its input k; 0 where the two have
 * different shapes, so that nobody can say. */
static int64_t lost_elements(const Why *y, uint32_t step, int k) {
    Value g = wengert_adjoint(y->w, step), sent = wengert_sent(y->w, step, k);
    if (!is_numeric(g) || !is_numeric(sent) || y->w->step[step].op >= OP_ELEMS) return 0;
    Shape a = value_shape(g), b = value_shape(sent);
    if (!same_shape(a.axes, a.dim, b.axes, b.dim)) return 0;
    return why_count(op_ne(g, number(0))) - why_count(op_ne(sent, number(0)));
}

/* Elementwise steps that hand on something, but not at all elements. */
static void report_partly(Why *y, Told *told) {
    Wengert *w = y->w;
    for (uint32_t i = w->count; i-- > 0 && !told->more;)
        for (int k = 0; k < w->step[i].inputs; k++) {
            Input in = wengert_input(w, i, k);
            bool towards = is_x(y, in) || (in.kind == FROM_STEP && y->leads[in.at]);
            int64_t lost = towards ? lost_elements(y, i, k) : 0;
            if (lost <= 0 || !tell(y, told, i)) continue;
            why_finding(y, "zero slope", wengert_line(w, i), i,
                        why_text("%s passes 0 on to %s at %lld of %lld elements, where %s",
                                 why_step(y, i), wengert_input_label(w, i, k), (long long)lost,
                                 (long long)size_of(in.value),
                                 w->step[i].op == OP_relu ? "its input is at or below 0"
                                                          : "its slope is 0"));
        }
}

/* What passes 0 on, from f to x. */
void why_report_zeros(Why *y) {
    Told told = { .count = 0 };
    report_blocking(y, &told);
    report_behind(y, &told);
    if (!told.count) report_partly(y, &told);
    if (told.more)
        why_sentence(y, STYLE_DIM, " ", why_text("and %d more places like these", told.more));
}

/* Terms that came to x and add up to nothing where its gradient is 0. */
void why_report_cancelling(Why *y, Value gradient) {
    Wengert *w = y->w;
    Value zeros = op_cast(op_eq(gradient, number(0)), F64);
    Buffer terms = { 0 };
    int count = 0;
    for (uint32_t i = 0; i < w->count; i++)
        for (int k = 0; k < w->step[i].inputs; k++) {
            if (!is_x(y, wengert_input(w, i, k))) continue;
            Value sent = wengert_sent(w, i, k);
            if (!is_numeric(sent) || why_all_zero(op_mul(sent, zeros))) continue;
            if (count < 4)
                buffer_format(&terms, "%s%s from line %u", count ? ", " : "", short_value(sent, 24),
                              wengert_line(w, i));
            count++;
        }
    if (count > 1)
        why_finding(y, "cancelled", 0, -1,
                why_text("%d terms come to it and cancel: %s%s", count,
                        buffer_string(&terms).as.string->text, count > 4 ? ", ..." : ""));
}

bool why_head_is_zero(const Why *y) {
    for (int i = 0; i < y->w->heads; i++) {
        Value g = y->w->swept ? y->w->gradient[i] : NIL;
        if (!is_numeric(g) || !why_all_zero(g)) return false;
    }
    return y->w->swept;
}
