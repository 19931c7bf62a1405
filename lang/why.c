/* why(x): why the gradient of x is zero, missing, stale, not a number or infinite. The one idea:
 * ask in turn every party that may have lost it: the slot (was x ever attached?), the tape (does
 * anything lead from x to f?), the text (what cut it there?), and the sweep (where did the last
 * factor become 0, or the first one not finite?). Each answer is a finding: a reason, a line, a
 * sentence. */
#include "advice.h"
#include "mistakes.h"
#include "source.h"
#include "why_parts.h"

/* ---- the answer ---- */
static Value adjoint_of_x(const Why *y) {
    int64_t step = wengert_step_of(y->w, y->x), leaf = wengert_leaf_of(y->w, y->x);
    return step >= 0 ? wengert_adjoint(y->w, (uint32_t)step) : y->w->leaf[leaf].adjoint;
}

static const char *how_many(Value mask) {
    return size_of(mask) > 1 ? why_text(" at %lld of %lld elements", (long long)why_count(mask),
                                       (long long)size_of(mask))
                             : "";
}

static void why_not_finite(Why *y, Value g) {
    Value nan = op_isnan(g), inf = op_isinf(g);
    bool has_nan = why_count(nan) > 0;
    why_title(y, why_text("is %s%s", has_nan ? "NaN" : "infinite", how_many(has_nan ? nan : inf)));
    why_report_forward(y);
    why_report_reverse(y);
    why_report_advice(y);
}

static void why_zero(Why *y, Value g) {
    Value zero = g.tag == V_UNSET ? boolean(true) : op_eq(g, number(0));
    bool whole = g.tag == V_UNSET || why_all_zero(g);
    why_title(y, why_text("is 0%s", whole ? "" : how_many(zero)));
    if (why_head_is_zero(y))
        why_finding(y, "head gradient", place_of(y->w->swept_at).line, -1,
                "the head gradient is 0, so everything is");
    why_report_zeros(y);
    if (g.tag != V_UNSET) why_report_cancelling(y, g);
    why_report_cuts(y);
    size_t count;
    const Advice *advice = advice_for(y->w, &count);
    for (size_t i = 0; i < count; i++)
        if (strstr(advice[i].text, "taken as 0"))
            why_advise(y, why_text("line %u: %s", wengert_line(y->w, advice[i].step),
                                   advice[i].text));
    if (!y->findings)
        why_finding(y, "zero", 0, -1,
                "something comes back on every path, but nothing to the elements that are 0: they "
                "were not used, or not chosen");
}

static void why_fine(Why *y, Value g) {
    size_t cuts = 0;
    why_title(y, why_text("is %s: nothing is wrong with it", short_value(g, 40)));
    for (uint32_t i = 0; i < y->w->count; i++) cuts += y->leads[i];
    why_finding(y, "fine", 0, -1,
            why_text("%zu of %s %s from %s to %s", cuts, counted(y->w->count, "step"),
                    cuts == 1 ? "leads" : "lead", y->name, view_head_name(y->w)));
}

static void sweep_again(void *env) { wengert_sweep(((Why *)env)->w); }

/* false: the sweep itself fails, at a foreign function, say, and that is the answer. */
static bool why_swept(Why *y) {
    Error error;
    if (guard(sweep_again, y, &error)) return true;
    if (error.kind != E_GRADIENT) fail_again(&error);
    why_title(y, "is missing");
    why_finding(y, "no rule", place_whole(error.span).line, -1, error.message);
    if (error.hint[0]) why_advise(y, error.hint);
    return false;
}

static void why_reached(Why *y) {
    if (y->w->lost) {
        why_title(y, "cannot be told any more");
        why_finding(y, "lost", place_of(y->w->swept_at).line, -1,
                why_text("the sweep %s has released the values; sweep with retain = true",
                        view_at(y->w->swept_at)));
        return;
    }
    if (!why_swept(y)) return;
    why_find_ways(y);
    Value g = adjoint_of_x(y);
    bool some_zero = g.tag == V_UNSET || (is_numeric(g) && why_count(op_eq(g, number(0))) > 0);
    if (is_numeric(g) && !all_finite(g)) why_not_finite(y, g);
    else if (some_zero) why_zero(y, g);
    else why_fine(y, g);
    if (!y->w->swept)
        why_sentence(y, STYLE_DIM, "=",
                 why_text("no sweep of %s has run yet: this is what backward(%s) would give",
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
    why_title(y, "is missing");
    why_finding(y, reason, place_whole(y->call).line, -1, error.message);
    if (error.hint[0]) why_advise(y, error.hint);
}

/* A sweep has been, but nobody looked then: what it started from is not known. */
static bool why_forgotten(Why *y) {
    if (!is_leaf(y->x) || !leaf_at(y->x.node)->sweep) return false;
    why_title(y, "cannot be told without a head");
    why_finding(y, "head", 0, -1, "a sweep has filled it, but what it started from was not kept");
    why_advise(y, why_text("why(%s, f) asks for the part of f in it", y->name));
    return true;
}

/* The head is not on the tape. Where the text cuts it off from x, the place is named; what was
 * computed outside record, the message itself says better. */
static void why_unrecorded(Why *y, Value head) {
    Error error;
    rt.here = y->call;
    guard(raise_unrecorded, &head, &error);
    bool outside = strstr(error.message, "outside record") != NULL;
    why_title(y, "is missing");
    if (!outside && why_report_cuts(y)) return;
    why_finding(y, "head not recorded", place_whole(y->call).line, -1, error.message);
    if (error.hint[0]) why_advise(y, error.hint);
}

static void why_unswept(Why *y) {
    if (why_forgotten(y)) return;
    why_title(y, "is missing");
    if (is_leaf(y->x) && leaf_at(y->x.node)->req == REQ_NULL)
        why_finding(
            y, "null", 0, -1,
            why_text("%s was attached with req = \"null\": sweeps leave nothing there", y->name));
    else why_finding(y, "not swept", 0, -1, "no sweep has run yet");
    why_advise(y, why_text("backward(f) fills it; why(%s, f) says what that would give", y->name));
}

/* ---- the call ---- */
/* The name of the call's first operand, or of the variable that holds x. */
static void find_name(Why *y) {
    Place call = place_of(rt.here);
    char text[80] = "";
    if (call.operands) span_text(rt.here + 1, text, sizeof text);
    size_t bytes = strlen(text);
    y->variable = bytes && text_is_name(text, bytes) ? symbol(text, bytes) : NULL;
    y->name = *text && bytes < 60 ? why_text("%s", text) : "x";
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
        if (y->w->lost || why_is_reached(y)) why_reached(y);
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
