/* What why() says: findings, advice and titles, and the numbers, elements and steps in their
 * sentences. The one idea: a finding is told once, as a sentence on the screen and as a row of the
 * data that why() returns. */
#include "why_parts.h"
#include <math.h>
#include <stdarg.h>

/* ---- findings ---- */
const char *why_text(const char *format, ...) {
    char text[600];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return string_of(text).as.string->text;
}

void why_sentence(Why *y, Style style, const char *bullet, const char *text) {
    Flow flow = { &y->b, 4, y->width, 4, true };
    buffer_spaces(&y->b, 2);
    style_text(&y->b, STYLE_TITLE, bullet, -1);
    buffer_char(&y->b, ' ');
    flow_words(&flow, style, text);
    flow_end(&flow);
}

/* step < 0: it belongs to none. */
void why_finding(Why *y, const char *reason, uint32_t line, int64_t step, const char *text) {
    Value row = struct_new(4);
    view_put(row, "reason", string_of(reason));
    view_put(row, "line", line ? number(line) : NIL);
    view_put(row, "step", step < 0 ? NIL : number((double)step + 1));
    view_put(row, "text", string_of(text));
    y->rows = list_push(y->rows, row);
    y->findings++;
    why_sentence(y, STYLE_PLAIN, "-", text);
}

void why_advise(Why *y, const char *text) {
    Value row = struct_new(4);
    view_put(row, "reason", string_of("advice"));
    view_put(row, "line", NIL);
    view_put(row, "step", NIL);
    view_put(row, "text", string_of(text));
    y->rows = list_push(y->rows, row);
    why_sentence(y, STYLE_DIM, "=", text);
}

void why_title(Why *y, const char *what) {
    Flow flow = flow_new(&y->b, 0, y->width);
    flow_words(&flow, STYLE_TITLE, why_text("why grad(%s) %s", y->name, what));
    flow_end(&flow);
}

/* ---- numbers in sentences ---- */
int64_t why_count(Value mask) {
    return (int64_t)(is_number(mask) ? num_of(mask)
                                     : num_of(op_sum(op_cast(mask, F64), ALL_AXES, false)));
}

bool why_all_zero(Value v) { return is_numeric(v) && !why_count(op_ne(v, number(0))); }

double why_element(Value v, int64_t at) {
    if (!is_numeric(v)) return NAN;
    return is_number(v) ? num_of(v) : array_get(v.as.array, v.as.array->size == 1 ? 0 : at);
}

/* The first element that is not finite; -1: all are. */
int64_t why_first_bad(Value v) {
    if (!is_numeric(v) || all_finite(v)) return -1;
    for (int64_t i = 0; i < size_of(v); i++)
        if (!isfinite(why_element(v, i))) return i;
    return -1;
}

/* "[1, 2]" of element 5 of a [2, 3] array, with a word before it; "" of a number. */
const char *why_place(Value v, int64_t at) {
    if (v.tag != V_ARRAY || !v.as.array->axes) return "";
    const Array *a = v.as.array;
    char text[200];
    int64_t index[MAX_AXES];
    for (int i = a->axes; i-- > 0; at /= shape_of(a)[i]) index[i] = at % shape_of(a)[i];
    int n = snprintf(text, sizeof text, "[");
    for (int i = 0; i < a->axes && n < 180; i++)
        n += snprintf(text + n, sizeof text - (size_t)n, "%s%lld", i ? ", " : "",
                      (long long)index[i]);
    return why_text("%s]", text);
}

const char *why_number(double x) { return short_number(x, 6); }

/* ---- steps in sentences ---- */
/* "z = relu(x - 5) on line 4" */
const char *why_step(const Why *y, uint32_t step) {
    const char *text = wengert_text(y->w, step, 50);
    return why_text("%s %s", text, view_at(wengert_span(y->w, step)));
}

bool why_same_place(const Wengert *w, uint32_t a, uint32_t b) {
    return wengert_span(w, a) == wengert_span(w, b) &&
           wengert_inner_span(w, a) == wengert_inner_span(w, b);
}
