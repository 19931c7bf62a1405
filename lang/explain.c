/* explain(f): the chain rule in words and numbers. The one idea: the same steps twice, forward with
 * the values and backward with what each step hands to its inputs. What is said of one step is in
 * explain_words.c, which step() and quiz() use as well. */
#include "builtins.h"
#include "explain.h"
#include "source.h"
#include <string.h>

/* ---- paths from x ---- */
static bool leads_from(const Explain *e, uint32_t step) {
    for (int k = 0; k < e->w->step[step].inputs; k++) {
        Input input = wengert_input(e->w, step, k);
        if (input.kind == FROM_LEAF && (int64_t)input.at == e->from_leaf) return true;
        if (input.kind == FROM_STEP && ((int64_t)input.at == e->from_step || e->on_path[input.at]))
            return true;
    }
    return false;
}

static void find_paths(Explain *e, Value x) {
    Wengert *w = e->w;
    e->from_step = e->from_leaf = -1;
    if (x.tag == V_UNSET || x.tag == V_NIL) return;
    e->from_step = wengert_step_of(w, x);
    e->from_leaf = wengert_leaf_of(w, x);
    if (e->from_step < 0 && e->from_leaf < 0) {
        note_operand(1, x);
        hint("explain(f) alone shows all that f depends on");
        fail(E_GRADIENT, "explain: %s does not depend on this value", view_head_name(w));
    }
    e->on_path = pool_bytes((w->count + 1) * sizeof *e->on_path);
    for (uint32_t i = 0; i < w->count; i++) e->on_path[i] = leads_from(e, i);
}
static bool pulls_back(const Explain *e, uint32_t step) { return !e->on_path || e->on_path[step]; }

static bool any_input_shown(const Explain *e, uint32_t step) {
    for (int k = 0; k < e->w->step[step].inputs; k++)
        if (explain_shows_input(e, wengert_input(e->w, step, k))) return true;
    return false;
}

static void forward_part(Explain *e, const ViewLine *line, size_t count) {
    size_t happenings, next = 0;
    const Happening *h = view_happenings(e->w, &happenings);
    explain_title(e, "Forward: what was computed");
    for (uint32_t i = 0; i < e->w->leaves; i++)
        if (!e->on_path || (int64_t)i == e->from_leaf) explain_leaf(e, i);
    for (size_t i = 0; i < count; i++) {
        uint64_t position = line[i].step >= 0 ? position_of(e->w->step[line[i].step].node) : 0;
        while (line[i].step >= 0 && next < happenings && h[next].position <= position)
            explain_happening(e, &h[next++]);
        if (line[i].step < 0) explain_gap(e, &line[i], "");
        else if (explain_shows(e, (uint32_t)line[i].step))
            explain_forward(e, (uint32_t)line[i].step);
    }
    while (next < happenings) explain_happening(e, &h[next++]);
    bool branched = false;
    for (size_t i = 0; i < happenings; i++)
        branched |= !strncmp(h[i].text, "if ", 3) || !strncmp(h[i].text, "while ", 6);
    if (branched)
        explain_words(e, 4, STYLE_DIM,
              "Conditions are not differentiated: what follows is the derivative of the path that "
              "was taken.");
}

static void reverse_part(Explain *e, const ViewLine *line, size_t count) {
    explain_title(e, "Reverse: the chain rule, from the last step to the first");
    explain_start(e);
    for (size_t i = count; i-- > 0;) {
        if (line[i].step >= 0) {
            uint32_t step = (uint32_t)line[i].step;
            if (pulls_back(e, step) && any_input_shown(e, step)) {
                buffer_char(&e->b, '\n');
                explain_reverse(e, step);
            }
            continue;
        }
        explain_gap(e, &line[i], "");
        for (uint32_t step = line[i].to + 1; step-- > line[i].from;)
            if (pulls_back(e, step)) explain_unseen(e, step);
    }
}

Value builtin_explain(int count, const Value *arg) {
    (void)count;
    Wengert *w = wengert_of(arg[0], "explain");
    if (w->lost) view_fail_lost(w, "explain");
    Explain e = explain_new(w);
    find_paths(&e, arg[1]);
    wengert_sweep(w);
    bool was = rt.recording;
    rt.recording = false;
    size_t lines;
    const ViewLine *line = view_lines(w, true, 60, &lines);
    Buffer head = { 0 };
    buffer_format(&head, "%s, explained: %s from %s", view_head_name(w), counted(w->count, "step"),
                  counted(w->leaves, "leaf"));
    style_text(&e.b, STYLE_TITLE, short_text(buffer_string(&head).as.string->text, e.width), -1);
    buffer_char(&e.b, '\n');
    forward_part(&e, line, lines);
    reverse_part(&e, line, lines);
    explain_title(&e, "Result");
    explain_result(&e);
    if (w->hooked)
        explain_words(&e, 4, STYLE_DIM,
              "A hook of on_grad() may have changed an adjoint; hooks are left out here.");
    rt.recording = was;
    return view_done(&e.b, e.rows, arg[2]);
}
