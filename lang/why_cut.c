/* What the text of the program cut, where no way leads from x to f: detach, pause, a value computed
 * before its slot, an assignment over it (cuts.c reads the text; here it is told). */
#include "source.h"
#include "why_parts.h"

/* ---- what the text cut ---- */
static const char *cut_text(const Why *y, const Cut *c) {
    const char *to = c->to ? c->to->text : "what it gives",
               *from = c->from ? c->from->text : y->name, *at = view_at(c->at);
    switch (c->kind) {
    case CUT_DETACH: return why_text("detach %s cuts %s off from %s", at, to, from);
    case CUT_PAUSE:
        return why_text("%s is computed from %s inside pause, %s, so nothing was recorded",
                       to, from, at);
    case CUT_OUTSIDE:
        return why_text("%s is computed from %s %s, outside record", to, from, at);
    case CUT_FLAT:
        return why_text("%s %s passes nothing back to %s: %s is flat, its slope is 0 "
                       "wherever it has one",
                       to, at, from, c->by);
    case CUT_LEAF:
        return why_text("attach_grad %s makes %s a leaf of its own: nothing goes on from "
                       "there to %s", at, to, y->name);
    case CUT_ATTACHED:
        return why_text("%s was computed from %s %s, before it got its slot %s", to,
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

/* An attach_grad of this name elsewhere in the text, that did not make the slot of x. */
static bool is_of_another_slot(const Why *y, const Cut *c) {
    if (c->kind != CUT_ATTACHED || !is_leaf(y->x) || !leaf_at(y->x.node)->span) return false;
    Place made = place_whole(leaf_at(y->x.node)->span), told = place_whole(c->node->span);
    return made.source != told.source || made.line != told.line;
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
        if (!leads || mended || is_of_another_slot(y, &cut[i])) continue;
        why_finding(y, cut_reason(&cut[i]), place_whole(cut[i].at).line, -1, cut_text(y, &cut[i]));
        told++;
    }
    return told;
}

int why_report_cuts(Why *y) {
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
            why_finding(y, "attached later", attached, i,
                    why_text("%s used %s when it had no slot: attach_grad came later, %s",
                            why_step(y, i), y->name, view_at(span)));
            why_advise(y, why_text("call attach_grad(%s) before record < ... >", y->name));
            return true;
        }
    return false;
}

static bool report_stale(Why *y) {
    if (!is_leaf(y->x)) return false;
    const Leaf *leaf = leaf_at(y->x.node);
    uint64_t last = rt.tape->swept;
    if (!leaf->sweep || leaf->sweep == last || why_all_zero(leaf->gradient)) return false;
    why_finding(y, "stale", place_of(leaf->swept_at).line, -1,
            why_text("grad(%s) is still %s from the sweep %s; the last sweep, %s, did not reach %s",
                    y->name, short_value(leaf->gradient, 24), view_at(leaf->swept_at),
                    view_at(rt.tape->swept_at), y->name));
    return true;
}

void why_not_reached(Why *y) {
    const char *f = view_head_name(y->w);
    why_title(y, why_text("has nothing from %s: no recorded step leads from %s to it", f, y->name));
    bool stale = report_stale(y);
    if (report_late_attachment(y) || why_report_cuts(y)) return;
    const String *name = head_name(y);
    bool connected = y->variable && name && text_connects(source_of(y->call), y->variable, name);
    why_finding(y, connected ? "path not taken" : "not used", 0, -1,
            connected ? why_text("the text computes %s from %s, but not on the path that was taken",
                                f, y->name)
                      : why_text("%s is not computed from %s", f, y->name));
    if (!stale && is_leaf(y->x))
        why_advise(y, "a gradient of zeros is then right: f does not change when it does");
}
