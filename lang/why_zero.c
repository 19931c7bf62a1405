/* Where why() finds a zero: is there a way from x to f at all, which step sent 0 along it, and do
 * the terms that arrive cancel? */
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

/* Of all steps between x and f that get something and hand on nothing. */
void why_report_zeros(Why *y) {
    Wengert *w = y->w;
    enum { MOST = 6 };
    uint32_t told[MOST];
    int count = 0, more = 0;
    for (uint32_t i = w->count; i-- > 0;) {
        Value g = wengert_adjoint(w, i);
        if (!is_numeric(g) || why_all_zero(g)) continue;
        for (int k = 0; k < w->step[i].inputs; k++) {
            Input in = wengert_input(w, i, k);
            bool towards = is_x(y, in) || (in.kind == FROM_STEP && y->leads[in.at]);
            Value sent = towards ? wengert_sent(w, i, k) : UNSET;
            if (!towards || (sent.tag != V_UNSET && !why_all_zero(sent))) continue;
            bool again = false;
            for (int t = 0; t < count; t++) again |= why_same_place(w, told[t], i);
            if (again) continue;
            if (count == MOST) {
                more++;
                continue;
            }
            told[count++] = i;
            why_finding(y, "zero slope", wengert_line(w, i), i,
                    why_text("%s gets the adjoint %s and passes 0 on to %s: %s", why_step(y, i),
                            short_value(g, 24), wengert_input_label(w, i, k), zero_words(y, i, k)));
        }
    }
    if (more) why_sentence(y, STYLE_DIM, " ", why_text("and %d more places like these", more));
}

/* Terms that came to x and add up to nothing. */
void why_report_cancelling(Why *y) {
    Wengert *w = y->w;
    Buffer terms = { 0 };
    int count = 0;
    for (uint32_t i = 0; i < w->count; i++)
        for (int k = 0; k < w->step[i].inputs; k++) {
            if (!is_x(y, wengert_input(w, i, k))) continue;
            Value sent = wengert_sent(w, i, k);
            if (!is_numeric(sent) || why_all_zero(sent)) continue;
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
