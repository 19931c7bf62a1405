/* step(f): a walk through both sweeps, forward and back, one step at a time. The one idea: the walk
 * is a list of events (the leaves, each step forward, the head gradient, each step in reverse, the
 * result), and going back or setting an adjoint is telling it again up to the place, without
 * showing. What is said of a step is explain's; why it is next, is said here.
 *
 * Commands are lines of standard input (answer.h), so a pipe can walk as well. */
#include "answer.h"
#include "builtins.h"
#include "explain.h"
#include "graph.h"
#include "kernels.h"
#include "uses.h"
#include <stdio.h>
#include <string.h>

typedef enum EventKind { AT_LEAVES, AT_FORWARD, AT_START, AT_REVERSE, AT_RESULT } EventKind;
typedef struct Event { EventKind kind; ViewLine line; } Event;

typedef struct Walk {
    Explain e;
    Uses uses;
    Event *event;
    int events, at, shown;      /* at < shown: it has been seen */
    int forward, reverse;       /* how many events of these kinds */
    const Happening *happening;
    size_t happenings, told;
    Value own;                  /* by step: the sweep's adjoint where the learner has set another */
    bool edited, head_edited;
} Walk;

/* ---- the events ---- */
enum { MOST_STEPS = 200, MOST_LEAVES = 20 };

static void add_event(Walk *x, EventKind kind, ViewLine line) {
    x->event[x->events++] = (Event){ kind, line };
}

static void find_events(Walk *x) {
    size_t lines;
    const ViewLine *line = view_lines(x->e.w, true, MOST_STEPS, &lines);
    x->event = pool_bytes((2 * lines + 3) * sizeof *x->event);
    x->forward = x->reverse = (int)lines;
    add_event(x, AT_LEAVES, (ViewLine){ -1, 0, 0, 0 });
    for (size_t i = 0; i < lines; i++) add_event(x, AT_FORWARD, line[i]);
    add_event(x, AT_START, (ViewLine){ -1, 0, 0, 0 });
    for (size_t i = lines; i-- > 0;) add_event(x, AT_REVERSE, line[i]);
    add_event(x, AT_RESULT, (ViewLine){ -1, 0, 0, 0 });
    x->happening = view_happenings(x->e.w, &x->happenings);
}

static const Event *here(const Walk *x) { return &x->event[x->at]; }
static int64_t step_here(const Walk *x) { return here(x)->line.step; }

static int event_at(const Walk *x, EventKind kind) {
    int at = 0;
    while (x->event[at].kind != kind) at++;
    return at;
}

/* ---- telling ---- */
static void say(Walk *x, Style style, const char *text) { explain_words(&x->e, 2, style, text); }

static void tell_leaves(Walk *x) {
    const Wengert *w = x->e.w;
    explain_words(&x->e, 0, STYLE_TITLE, "The leaves: where the tape begins");
    for (uint32_t i = 0; i < w->leaves && i < MOST_LEAVES; i++) explain_leaf(&x->e, i);
    if (w->leaves > MOST_LEAVES)
        say(x, STYLE_DIM,
            string_format("and %s more", counted(w->leaves - MOST_LEAVES, "leaf")).as.string->text);
}

static void tell_forward(Walk *x, const ViewLine *line) {
    const Wengert *w = x->e.w;
    uint64_t position = line->step < 0 ? 0 : position_of(w->step[line->step].node);
    while (x->told < x->happenings && x->happening[x->told].position <= position)
        explain_happening(&x->e, &x->happening[x->told++]);
    if (line->step < 0) explain_gap(&x->e, line, "");
    else explain_forward(&x->e, (uint32_t)line->step);
}

static void tell_start(Walk *x) {
    explain_words(&x->e, 0, STYLE_TITLE, "Now in reverse");
    explain_start(&x->e);
    if (x->head_edited) say(x, STYLE_WARNING, "You have set this head gradient.");
}

static bool is_head(const Wengert *w, uint32_t step) {
    for (int i = 0; i < w->heads; i++)
        if (wengert_step_of(w, w->head[i]) == step) return true;
    return false;
}

/* Steps that the sweep could go on with as well: all their uses are above this one. */
static const char *ready_beside(const Walk *x, uint32_t step) {
    enum { MOST = 3 };
    const Wengert *w = x->e.w;
    Buffer b = { 0 };
    int count = 0;
    for (uint32_t i = step; i-- > 0 && count <= MOST;) {
        if (uses_below(&x->uses, i, step + 1) || wengert_adjoint(w, i).tag == V_UNSET) continue;
        count++;
        buffer_format(&b, "%s%s", count > 1 ? ", " : "",
                      count > MOST ? "…" : wengert_step_label(w, i));
    }
    if (!count) return "";
    return string_format(" (%s would be ready, too; the sweep goes by the tape, last first.)",
                         buffer_string(&b).as.string->text)
        .as.string->text;
}

static const char *why_next(const Walk *x, uint32_t step) {
    const Wengert *w = x->e.w;
    uint32_t count = uses_count(&x->uses, step);
    const char *name = wengert_step_label(w, step), *used = uses_text(&x->uses, step, count);
    if (!count)
        return string_format("%s is next: it is the head, and nothing uses it.", name)
            .as.string->text;
    return string_format(count == 1 ? "%s is next: its only use, %s, is done%s."
                                    : "%s is next: all its uses, %s, are done%s.",
                         name, used, is_head(w, step) ? ", and it is a head itself" : "")
        .as.string->text;
}

/* Of each input: is its adjoint complete now, or what does it wait for? */
static void tell_waiting(Walk *x, uint32_t step) {
    const Wengert *w = x->e.w;
    int64_t before = -1;
    for (int k = 0; k < w->step[step].inputs && k < 8; k++) {
        Input input = wengert_input(w, step, k);
        int64_t node = uses_node(w, input);
        if (node < 0 || node == before) continue;
        before = node;
        uint32_t left = uses_below(&x->uses, (uint32_t)node, step);
        const char *label = wengert_label(w, input);
        if (left)
            say(x, STYLE_DIM,
                string_format("%s is not complete: it waits for %s.", label,
                              uses_text(&x->uses, (uint32_t)node, left))
                    .as.string->text);
        else
            say(x, STYLE_PLAIN,
                string_format("%s is complete: all its uses are done.", label).as.string->text);
    }
}

static void tell_reverse(Walk *x, const ViewLine *line) {
    const Wengert *w = x->e.w;
    if (line->step < 0) {
        explain_gap(&x->e, line, "");
        for (uint32_t step = line->to + 1; step-- > line->from;) explain_unseen(&x->e, step);
        return;
    }
    uint32_t step = (uint32_t)line->step;
    if (wengert_adjoint(w, step).tag == V_UNSET) {
        say(x, STYLE_PLAIN,
            string_format("Nothing has come to %s, so it hands nothing back.",
                          wengert_step_label(w, step))
                .as.string->text);
        return;
    }
    explain_words(&x->e, 0, STYLE_PLAIN,
                  string_format("%s%s", why_next(x, step), ready_beside(x, step)).as.string->text);
    explain_reverse(&x->e, step);
    Value own = x->own.as.list->item[step];
    if (own.tag != V_NIL)
        say(x, STYLE_WARNING,
            string_format("You have set this adjoint; the sweep's own is %s.",
                          explain_value(&x->e, own))
                .as.string->text);
    tell_waiting(x, step);
}

static void tell_result(Walk *x) {
    explain_words(&x->e, 0, STYLE_TITLE, "The end: every use is done, the gradients are complete");
    explain_result(&x->e);
    if (x->edited)
        say(x, STYLE_WARNING,
            string_format("You have set an adjoint, so these are not the gradients of %s.",
                          view_head_name(x->e.w))
                .as.string->text);
}

static void tell(Walk *x, const Event *event) {
    switch (event->kind) {
    case AT_LEAVES: tell_leaves(x); return;
    case AT_FORWARD: tell_forward(x, &event->line); return;
    case AT_START: tell_start(x); return;
    case AT_REVERSE: tell_reverse(x, &event->line); return;
    case AT_RESULT: tell_result(x); return;
    }
}

static void show(Walk *x) {
    screen_show(&x->e.b);
    x->e.b = (Buffer){ 0 };
}

static void go_to(Walk *x, int at) {
    explain_restart(&x->e);
    x->told = 0;
    for (x->at = 0; x->at < at; x->at++) {
        tell(x, here(x));
        poll();
    }
    x->e.b = (Buffer){ 0 };
    tell(x, here(x));
    show(x);
}

static void go_on(Walk *x) {
    x->at++;
    tell(x, here(x));
    show(x);
}

/* ---- the commands ---- */
static void remark(Walk *x, Style style, const char *text) {
    say(x, style, text);
    show(x);
}

static void show_keys(Walk *x) {
    static const char *const keys[] = {
        "Enter  the next step",           "b      back",
        "e      the rule of this step, in general", "g      draw the graph so far",
        "= 2    set this adjoint (=: the sweep's own again)", "r      on to the reverse sweep",
        "q      leave"
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        buffer_spaces(&x->e.b, 2);
        style_text(&x->e.b, STYLE_DIM, short_text(keys[i], x->e.width - 2), -1);
        buffer_char(&x->e.b, '\n');
    }
    show(x);
}

/* The operation's row, as the manual has it. */
static void show_rule(Walk *x) {
    if (step_here(x) < 0) {
        remark(x, STYLE_DIM,
               here(x)->kind == AT_START
                   ? "Each step's rule multiplies its adjoint by its slopes; the first adjoint is "
                     "the head gradient."
                   : "No single operation stands here; e explains the rule of a step.");
        return;
    }
    const Operation *o = &operations[x->e.w->step[step_here(x)].op];
    Value name = string_of(o->name), rules = builtin_derivative_rule(1, &name);
    const char *line = rules.as.string->text;
    say(x, STYLE_TITLE,
        string_format(o->doc && *o->doc ? "%s: %s" : "%s", o->name, o->doc).as.string->text);
    if (!*line)
        say(x, STYLE_PLAIN,
            "Its rule is a function of the program's or the library's, or it has none.");
    else say(x, STYLE_DIM, "Where g is the adjoint of its result r, it hands back");
    for (; *line; line += strcspn(line, "\n") + 1) {
        Value rule = string_new(line, strcspn(line, "\n"));
        explain_words(&x->e, 4, STYLE_ADJOINT, rule.as.string->text);
    }
    show(x);
}

static bool is_complete(const Walk *x, const GraphItem *item) {
    if (here(x)->kind < AT_START) return false;
    const Wengert *w = x->e.w;
    uint32_t node = item->step >= 0 ? (uint32_t)item->step : w->count + (uint32_t)item->leaf;
    for (int at = x->events - 1; at > x->at; at--) {    /* what has still to hand something back */
        const ViewLine *line = &x->event[at].line;
        if (x->event[at].kind != AT_REVERSE) continue;
        uint32_t to = line->step < 0 ? line->to : (uint32_t)line->step;
        if (uses_below(&x->uses, node, to + 1) > 0 &&
            x->uses.step[x->uses.start[node]] <= to) return false;
    }
    return true;
}

static void draw(Walk *x) {
    bool forward = here(x)->kind <= AT_FORWARD;
    uint32_t steps = 0;
    if (here(x)->kind == AT_FORWARD)
        steps = 1 + (step_here(x) < 0 ? here(x)->line.to : (uint32_t)step_here(x));
    Graph *g = graph_up_to(x->e.w, MOST_STEPS, forward ? steps : x->e.w->count);
    for (int i = 0; i < g->items; i++) {
        GraphItem *item = &g->item[i];
        bool gap = item->step < 0 && item->leaf < 0;
        if (!gap && !is_complete(x, item)) item->adjoint = UNSET;
        if (step_here(x) >= 0) item->head = item->step == step_here(x);
    }
    graph_draw(&x->e.b, g, x->e.width, false);
    if (step_here(x) >= 0)
        say(x, STYLE_DIM,
            string_format("The box with strong lines is %s, where we are; – is not there yet.",
                          wengert_step_label(x->e.w, (uint32_t)step_here(x)))
                .as.string->text);
    show(x);
}

/* The step or head whose adjoint can be set here; what it looks like. false: there is none. */
static bool adjoint_here(Walk *x, Value *like) {
    Wengert *w = x->e.w;
    if (here(x)->kind == AT_START && w->heads == 1) *like = w->head[0];
    else if (here(x)->kind == AT_REVERSE && step_here(x) >= 0)
        *like = wengert_adjoint(w, (uint32_t)step_here(x));
    else return false;
    like->node = 0;
    return like->tag != V_UNSET && is_numeric(*like);
}

static void give(Walk *x, Value g) {
    Wengert *w = x->e.w;
    if (here(x)->kind == AT_START) {
        if (!x->head_edited && w->swept) list_set(x->own, w->count, w->gradient[0]);
        x->head_edited = g.tag != V_UNSET;
        w->swept_at = 0;
        w->swept = x->head_edited || x->own.as.list->item[w->count].tag != V_NIL;
        w->gradient[0] = x->head_edited ? g : x->own.as.list->item[w->count];
        return;
    }
    uint32_t step = (uint32_t)step_here(x);
    Value own = x->own.as.list->item[step];
    if (own.tag == V_NIL) list_set(x->own, step, wengert_adjoint(w, step));
    if (g.tag == V_UNSET) list_set(x->own, step, NIL);
    wengert_give_adjoint(w, step, g);
}

static bool any_own(const Walk *x) {
    for (uint32_t i = 0; i < x->e.w->count; i++)
        if (x->own.as.list->item[i].tag != V_NIL) return true;
    return x->head_edited;
}

static void name_nodes(const Walk *x) {
    const Wengert *w = x->e.w;
    answer_start();
    for (uint32_t i = 0; i < w->leaves; i++) {
        String *name = wengert_leaf_name(w, i);
        if (name) answer_name(name->text, w->leaf[i].value);
    }
    for (int at = 0; at < x->events; at++) {
        int64_t step = x->event[at].line.step;
        String *name = step >= 0 ? wengert_name(w, (uint32_t)step) : NULL;
        if (name) answer_name(name->text, wengert_value(w, (uint32_t)step));
    }
}

static void set_adjoint(Walk *x, const char *text) {
    Value like, v = UNSET;
    const char *problem = "";
    if (!adjoint_here(x, &like)) {
        remark(x, STYLE_WARNING,
               here(x)->kind < AT_START
                   ? "An adjoint is set in the reverse sweep, where it is used: r goes there."
                   : "There is no single adjoint here that could be set.");
        return;
    }
    if (*text) {
        v = answer_value(text, &problem);
        Shape have, want = value_shape(like), joined;
        if (v.tag != V_UNSET) have = value_shape(v);
        if (v.tag != V_UNSET && !(shapes_join(&have, &want, &joined) &&
                                  same_shape(joined.axes, joined.dim, want.axes, want.dim))) {
            problem = string_format("this adjoint has shape %s, and the value given %s",
                                    short_shape(like), short_shape(v)).as.string->text;
            v = UNSET;
        }
        if (v.tag == V_UNSET) {
            remark(x, STYLE_WARNING, problem);
            return;
        }
        v = op_expand_to(op_cast(v, dtype_of(like) == F32 ? F32 : F64), like);
    }
    give(x, v);
    wengert_sweep(x->e.w);
    x->edited = any_own(x);
    go_to(x, x->at);
}

/* ---- the walk ---- */
static const char *prompt_here(const Walk *x) {
    char text[60];
    int at = x->at, start = event_at(x, AT_START);
    if (here(x)->kind == AT_FORWARD)
        snprintf(text, sizeof text, "[forward %d of %d] > ", at, x->forward);
    else if (here(x)->kind == AT_REVERSE)
        snprintf(text, sizeof text, "[reverse %d of %d] > ", at - start, x->reverse);
    else
        snprintf(text, sizeof text, "[%s] > ",
                 here(x)->kind == AT_LEAVES  ? "leaves"
                 : here(x)->kind == AT_START ? "start of the reverse sweep"
                                             : "end");
    Buffer b = { 0 };
    style_text(&b, STYLE_DIM, text, -1);
    return buffer_string(&b).as.string->text;
}

static bool is_word(const char *text, const char *word) {
    return !strcmp(text, word) || (text[0] == word[0] && !text[1]);
}

/* false: the learner leaves. */
static bool obey(Walk *x, const char *text) {
    if (is_word(text, "quit") || !strcmp(text, "exit")) return false;
    if (!*text || is_word(text, "next")) {
        if (x->at + 1 == x->events) return false;
        go_on(x);
    } else if (is_word(text, "back")) {
        if (x->at) go_to(x, x->at - 1);
        else remark(x, STYLE_DIM, "This is the beginning.");
    } else if (is_word(text, "reverse")) go_to(x, event_at(x, AT_START));
    else if (is_word(text, "explain")) show_rule(x);
    else if (is_word(text, "graph")) draw(x);
    else if (*text == '=') set_adjoint(x, text + 1 + strspn(text + 1, " "));
    else show_keys(x);
    return true;
}

static void begin(Walk *x) {
    const Wengert *w = x->e.w;
    explain_words(&x->e, 0, STYLE_TITLE,
                  string_format("%s, step by step: %s from %s", view_head_name(w),
                                counted(w->count, "step"), counted(w->leaves, "leaf"))
                      .as.string->text);
    explain_words(&x->e, 0, STYLE_DIM,
                  "Enter goes on, b back, e explains the rule, g draws, = sets an adjoint, r goes "
                  "to the reverse sweep, q leaves, ? lists these.");
    buffer_char(&x->e.b, '\n');
    tell(x, here(x));
    show(x);
}

static void walk(Walk *x) {
    const char *text;
    begin(x);
    do {
        text = answer_line(prompt_here(x));
        if (!text) remark(x, STYLE_DIM, "step ends here: there is no more input.");
    } while (text && obey(x, text));
}

Value builtin_step(int count, const Value *arg) {
    (void)count;
    Wengert *w = wengert_of(arg[0], "step");
    if (w->lost) view_fail_lost(w, "step");
    bool was = rt.recording;
    rt.recording = false;
    wengert_sweep(w);
    Walk x = { .e = explain_new(w), .uses = uses_of(w), .own = list_new((size_t)w->count + 1) };
    find_events(&x);
    if (is_given(arg[1]) && !arg_bool(arg[1], "show")) {
        for (x.at = 0; x.at < x.events; x.at++) tell(&x, here(&x));
    } else {
        name_nodes(&x);
        walk(&x);
    }
    rt.recording = was;
    return view_done(&(Buffer){ 0 }, x.e.rows, UNSET);
}
