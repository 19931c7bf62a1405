/* Where why() finds nan or inf: the first step that made it on the way forward, the first adjoint
 * on the way back with the two factors it is a product of, and what to write instead (advice.c). */
#include "advice.h"
#include "elem.h"
#include "rule_text.h"
#include "source.h"
#include "why_parts.h"

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
                          size_of(in.value) > 1 ? why_place(v, at) : "",
                          why_number(why_element(in.value, at)));
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

bool why_report_forward(Why *y) {
    Wengert *w = y->w;
    for (uint32_t i = 0; i < w->leaves; i++) {
        int64_t at = why_first_bad(w->leaf[i].value);
        if (at < 0) continue;
        why_finding(y, "not finite already", place_of(w->leaf[i].span).line, -1,
                why_text("the leaf %s holds %s%s%s itself",
                        wengert_label(w, (Input){ FROM_LEAF, i, UNSET }),
                        why_number(why_element(w->leaf[i].value, at)),
                        size_of(w->leaf[i].value) > 1 ? " at " : "",
                        why_place(w->leaf[i].value, at)));
        return true;
    }
    for (uint32_t i = 0; i < w->count; i++) {
        Value v = wengert_value(w, i);
        int64_t at = why_first_bad(v);
        if (at < 0) continue;
        bool made = inputs_finite(y, i);
        why_finding(y, "not finite forward", wengert_line(w, i), i,
                why_text("forward, %s first gives %s%s%s%s %s", why_step(y, i),
                        why_number(why_element(v, at)), size_of(v) > 1 ? " at " : "",
                        why_place(v, at), made ? ", from" : ", since it is given",
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
    return why_text("its adjoint %s times its slope %s, which is %s there",
                   why_number(why_element(g, at)), rule, why_number(why_element(slope, at)));
}

bool why_report_reverse(Why *y) {
    Wengert *w = y->w;
    for (int i = 0; w->swept && i < w->heads; i++)
        if (why_first_bad(w->gradient[i]) >= 0) {
            why_finding(y, "head gradient", 0, -1,
                    why_text("the head gradient is %s", short_value(w->gradient[i], 30)));
            return true;
        }
    for (uint32_t i = w->count; i-- > 0;) {
        Value g = wengert_adjoint(w, i);
        if (!is_numeric(g) || !all_finite(g)) continue;
        for (int k = 0; k < w->step[i].inputs; k++) {
            Value sent = wengert_sent(w, i, k);
            int64_t at = why_first_bad(sent);
            if (at < 0) continue;
            why_finding(y, "not finite in reverse", wengert_line(w, i), i,
                    why_text("in reverse, %s first gives %s%s%s to %s: %s", why_step(y, i),
                            why_number(why_element(sent, at)), size_of(sent) > 1 ? " at " : "",
                            why_place(sent, at), wengert_input_label(w, i, k),
                            factors_at(y, i, k, sent, at)));
            return true;
        }
    }
    return false;
}

void why_report_advice(Why *y) {
    size_t count;
    const Advice *advice = advice_for(y->w, &count);
    for (size_t i = 0; i < count; i++)
        why_advise(y, why_text("line %u: %s", wengert_line(y->w, advice[i].step), advice[i].text));
}
