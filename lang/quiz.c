/* quiz(f): the reverse sweep with its adjoints hidden, asked for one by one, from the head down.
 * The one idea: an adjoint is asked for when the sweep has it, so all that is needed to find it has
 * been seen; a hint says which uses hand something back, the next one by which slopes, and an
 * answer is explained in explain()'s words.
 *
 * Answers are lines of standard input (answer.h): expressions, in which y is the value of y, and
 * y_bar its adjoint as far as it has been told. */
#include "answer.h"
#include "builtins.h"
#include "explain.h"
#include "kernels.h"
#include "uses.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct Quiz {
    Explain e;
    Uses uses;
    uint32_t *asked;            /* nodes (uses.h), in the order of the sweep */
    int count, right, done;
    Value rows;
    bool over;                  /* left, or no more input */
} Quiz;

/* What is asked: the adjoint, or one element of a long one. */
typedef struct Task {
    uint32_t node;
    const char *label, *what;   /* "y #1", "element [1, 2] of the adjoint of y #1" */
    Value answer, like;         /* like: the value */
    int tries;
    int hints;
} Task;

/* ---- what is asked ---- */
enum { MOST_QUESTIONS = 10, MOST_ELEMENTS = 6 };

static Value adjoint_of(const Wengert *w, uint32_t node) {
    return node < w->count ? wengert_adjoint(w, node) : w->leaf[node - w->count].adjoint;
}

static bool is_head(const Wengert *w, uint32_t node) {
    for (int i = 0; i < w->heads; i++)
        if (node < w->count ? wengert_step_of(w, w->head[i]) == node
                            : wengert_leaf_of(w, w->head[i]) == node - w->count) return true;
    return false;
}

/* Heads are told; what nothing came to is not asked for. */
static bool can_be_asked(const Wengert *w, uint32_t node) {
    Value g = adjoint_of(w, node);
    return g.tag != V_UNSET && is_numeric(g) && size_of(g) > 0 && !is_head(w, node);
}

/* All that could be asked, last step first, the leaves at the end; of too many, evenly chosen. */
static void find_questions(Quiz *q, int most) {
    const Wengert *w = q->e.w;
    size_t lines, could = 0;
    const ViewLine *line = view_lines(w, true, 200, &lines);
    uint32_t *all = pool_bytes((lines + w->leaves + 1) * sizeof *all);
    for (size_t i = lines; i-- > 0;)
        if (line[i].step >= 0 && can_be_asked(w, (uint32_t)line[i].step))
            all[could++] = (uint32_t)line[i].step;
    for (uint32_t i = 0; i < w->leaves; i++)
        if (can_be_asked(w, w->count + i)) all[could++] = w->count + i;
    q->count = could < (size_t)most ? (int)could : most;
    q->asked = pool_bytes(((size_t)q->count + 1) * sizeof *all);
    for (int i = 0; i < q->count; i++)
        q->asked[i] = all[could - 1 - (size_t)(q->count - 1 - i) * could / (size_t)q->count];
}

static const char *node_label(const Wengert *w, uint32_t node) {
    if (node < w->count) return wengert_step_label(w, node);
    return wengert_label(w, (Input){ FROM_LEAF, node - w->count, UNSET });
}

/* A long adjoint is asked for at one element, a different one in each question. */
static Value element_of(const Quiz *q, Value g, const char **place) {
    Shape shape = value_shape(g);
    int64_t at = (int64_t)(q->done * 7 + 1) % size_of(g), rest = at;
    char text[200] = "]";
    for (int axis = shape.axes; axis-- > 0; rest /= shape.dim[axis]) {
        char longer[200];
        snprintf(longer, sizeof longer, "%s%lld%.160s", axis ? ", " : "[",
                 (long long)(rest % shape.dim[axis]), text);
        memcpy(text, longer, sizeof text);
    }
    *place = string_of(text).as.string->text;
    return number(array_get(arg_array(g, "the adjoint"), at));
}

static Task task_of(const Quiz *q, uint32_t node) {
    const Wengert *w = q->e.w;
    Task t = { .node = node, .label = node_label(w, node), .answer = adjoint_of(w, node) };
    t.like = node < w->count ? wengert_value(w, node) : w->leaf[node - w->count].value;
    t.what = string_format("the adjoint of %s", t.label).as.string->text;
    if (size_of(t.answer) <= MOST_ELEMENTS) return t;
    const char *place;
    t.like = t.answer = element_of(q, t.answer, &place);
    t.what = string_format("element %s of the adjoint of %s", place, t.label).as.string->text;
    return t;
}

/* ---- is it right? ---- */
/* To three digits, as far as a learner computes by hand; all elements beside the largest one. */
static bool is_near(double given, double answer, double scale) {
    if (isnan(answer)) return isnan(given);
    if (isinf(answer)) return given == answer;
    return fabs(given - answer) <= 2e-3 * fabs(answer) + 1e-6 * scale;
}

static bool is_right(Value given, Value answer) {
    Shape have = value_shape(given), want = value_shape(answer), joined;
    if (!shapes_join(&have, &want, &joined) ||
        !same_shape(joined.axes, joined.dim, want.axes, want.dim)) return false;
    Value all = op_expand_to(given, answer);
    if (is_number(answer)) return is_near(num_of(all), num_of(answer), fabs(num_of(answer)));
    Array *x = all.as.array, *y = answer.as.array;
    double scale = 0;
    for (int64_t i = 0; i < y->size; i++)
        if (isfinite(array_get(y, i))) scale = fmax(scale, fabs(array_get(y, i)));
    for (int64_t i = 0; i < y->size; i++)
        if (!is_near(array_get(x, i), array_get(y, i), scale)) return false;
    return true;
}

/* ---- what is said ---- */
static void flush(Quiz *q) {
    screen_show(&q->e.b);
    q->e.b = (Buffer){ 0 };
}

static void say(Quiz *q, int indent, Style style, const char *text) {
    explain_words(&q->e, indent, style, text);
}

static void begin(Quiz *q) {
    const Wengert *w = q->e.w;
    size_t lines;
    const ViewLine *line = view_lines(w, true, 60, &lines);
    say(q, 0, STYLE_TITLE,
        string_format("The reverse sweep of %s: you are the sweep", view_head_name(w))
            .as.string->text);
    say(q, 0, STYLE_DIM,
        "Type the adjoint asked for, a number or an array; sums and products are computed, and y "
        "is the value of y, y_bar its adjoint. h gives a hint, Enter shows the answer, q leaves.");
    buffer_char(&q->e.b, '\n');
    for (uint32_t i = 0; i < w->leaves && i < 20; i++) explain_leaf(&q->e, i);
    for (size_t i = 0; i < lines; i++) {
        if (line[i].step < 0) explain_gap(&q->e, &line[i], "");
        else explain_forward(&q->e, (uint32_t)line[i].step);
    }
    buffer_char(&q->e.b, '\n');
    explain_start(&q->e);
    flush(q);
}

/* The place of the node among the step's inputs; there may be several: x * x. */
static bool uses_at(const Wengert *w, uint32_t step, int k, uint32_t node) {
    return uses_node(w, wengert_input(w, step, k)) == node;
}

enum { MOST_USES = 5 };

static uint32_t uses_shown(const Quiz *q, uint32_t node) {
    uint32_t count = uses_count(&q->uses, node);
    return count < MOST_USES ? count : MOST_USES;
}

/* At how many places the uses that are shown take the value: x * x takes it at two. */
static int places(const Quiz *q, uint32_t node) {
    const Wengert *w = q->e.w;
    const uint32_t *use = &q->uses.step[q->uses.start[node]];
    int count = 0;
    for (uint32_t i = 0; i < uses_shown(q, node); i++)
        for (int k = 0; k < w->step[use[i]].inputs; k++) count += uses_at(w, use[i], k, node);
    return count;
}

static void tell_uses(Quiz *q, const Task *t) {
    uint32_t count = uses_count(&q->uses, t->node);
    const char *used = uses_text(&q->uses, t->node, count);
    if (count == 1 && places(q, t->node) > 1)
        say(q, 4, STYLE_PLAIN,
            string_format("It is used by %s, at %d places: for each that step's adjoint comes "
                          "back, times its slope there, and they add up.",
                          used, places(q, t->node)).as.string->text);
    else say(q, 4, STYLE_PLAIN,
        count == 1 ? string_format("It is used once, by %s: what comes back is that step's adjoint "
                                   "times its slope by %s.", used, t->label).as.string->text
                   : string_format("It is used by %s: each hands back its adjoint times its slope "
                                   "by %s, and they add up.", used, t->label).as.string->text);
}

static void tell_slopes(Quiz *q, const Task *t) {
    const Wengert *w = q->e.w;
    const uint32_t *use = &q->uses.step[q->uses.start[t->node]];
    for (uint32_t i = uses_shown(q, t->node); i-- > 0;)
        for (int k = 0; k < w->step[use[i]].inputs; k++)
            if (uses_at(w, use[i], k, t->node)) explain_slope(&q->e, use[i], k);
}

static void explain_answer(Quiz *q, const Task *t) {
    const Wengert *w = q->e.w;
    const uint32_t *use = &q->uses.step[q->uses.start[t->node]];
    uint32_t count = uses_count(&q->uses, t->node);
    Buffer text = q->e.b;
    explain_restart(&q->e);
    q->e.b = text;
    for (uint32_t i = count; i-- > 0 && count <= MOST_USES;) {
        say(q, 4, STYLE_DIM,
            string_format("back through %s:", wengert_step_label(w, use[i])).as.string->text);
        for (int k = 0; k < w->step[use[i]].inputs; k++)
            if (uses_at(w, use[i], k, t->node)) explain_input(&q->e, use[i], k);
    }
}

/* Each hint says more than the one before. */
static void hint_at(Quiz *q, Task *t) {
    if (t->hints == 0) tell_uses(q, t);
    else tell_slopes(q, t);
    if (t->hints > 1) say(q, 4, STYLE_DIM, "Enter shows the answer, and how it comes about.");
    t->hints++;
    flush(q);
}

static void tell_answer(Quiz *q, const Task *t) {
    say(q, 2, STYLE_PLAIN,
        string_format("%s is %s", t->what, explain_value(&q->e, t->answer)).as.string->text);
    explain_answer(q, t);
    flush(q);
}

/* ---- asking ---- */
static void keep_row(Quiz *q, const Task *t, Value given, bool right) {
    Value row = struct_new(8);
    bool step = t->node < q->e.w->count;
    view_put(row, "step", number(step ? t->node + 1 : 0));
    view_put(row, "line", step ? number(wengert_line(q->e.w, t->node)) : NIL);
    view_put(row, "question", string_of(t->what));
    view_put(row, "answer", t->answer);
    view_put(row, "given", view_value(given));
    view_put(row, "tries", number(t->tries));
    view_put(row, "right", boolean(right));
    q->rows = list_push(q->rows, row);
}

static void ask_for(Quiz *q, const Task *t) {
    const Wengert *w = q->e.w;
    buffer_char(&q->e.b, '\n');
    Buffer text = { 0 };
    buffer_format(&text, "%d of %d: what is %s", q->done + 1, q->count, t->what);
    if (t->node < w->count) {
        const char *step = wengert_text(w, t->node, 30);
        String *name = wengert_name(w, t->node);
        if (!name || strcmp(step, name->text)) buffer_format(&text, ", %s", step);
    }
    buffer_char(&text, '?');
    say(q, 0, STYLE_NAME, buffer_string(&text).as.string->text);
    flush(q);
}

/* A given answer; true: it is right. */
static bool judge(Quiz *q, Task *t, Value given) {
    t->tries++;
    if (!is_right(given, t->answer)) {
        say(q, 2, STYLE_WARNING,
            string_format("not yet: %s is not right.", explain_value(&q->e, given))
                .as.string->text);
        flush(q);
        return false;
    }
    Shape have = value_shape(given), want = value_shape(t->like);
    say(q, 2, STYLE_VALUE,
        same_shape(have.axes, have.dim, want.axes, want.dim)
            ? "right."
            : string_format("right; an adjoint has the shape of its value: %s.",
                            explain_value(&q->e, t->answer)).as.string->text);
    flush(q);
    return true;
}

static void ask(Quiz *q, uint32_t node) {
    Task t = task_of(q, node);
    Value given = UNSET;
    bool right = false;
    ask_for(q, &t);
    while (!right) {
        const char *text = answer_line("  > "), *problem = "";
        q->over = !text || !strcmp(text, "q") || !strcmp(text, "quit");
        if (q->over) return;
        if (!*text) break;
        if (!strcmp(text, "h") || !strcmp(text, "hint") || !strcmp(text, "?")) {
            hint_at(q, &t);
            continue;
        }
        Value v = answer_value(text, &problem);
        if (v.tag == V_UNSET) {
            say(q, 2, STYLE_WARNING, problem);
            flush(q);
            continue;
        }
        right = judge(q, &t, given = v);
        if (!right) hint_at(q, &t);
    }
    bool first = right && t.tries == 1 && !t.hints;
    if (!right) tell_answer(q, &t);
    q->right += first;
    q->done++;
    keep_row(q, &t, given, right);
}

static void name_value(const Quiz *q, uint32_t node) {
    const Wengert *w = q->e.w;
    String *name =
        node < w->count ? wengert_name(w, node) : wengert_leaf_name(w, node - w->count);
    if (name) answer_name(name->text, node < w->count ? wengert_value(w, node)
                                                      : w->leaf[node - w->count].value);
}

/* From now on an answer may say y_bar. */
static void name_adjoint(const Quiz *q, uint32_t node) {
    const Wengert *w = q->e.w;
    String *name =
        node < w->count ? wengert_name(w, node) : wengert_leaf_name(w, node - w->count);
    if (name)
        answer_name(string_format("%s_bar", name->text).as.string->text, adjoint_of(w, node));
}

static void name_all(const Quiz *q) {
    const Wengert *w = q->e.w;
    answer_start();
    for (uint32_t i = 0; i < w->leaves; i++) name_value(q, w->count + i);
    size_t lines;
    const ViewLine *line = view_lines(w, true, 200, &lines);
    for (size_t i = 0; i < lines; i++) {
        if (line[i].step < 0) continue;
        name_value(q, (uint32_t)line[i].step);
        if (is_head(w, (uint32_t)line[i].step)) name_adjoint(q, (uint32_t)line[i].step);
    }
}

static void finish(Quiz *q) {
    buffer_char(&q->e.b, '\n');
    if (!q->count)
        say(q, 0, STYLE_PLAIN,
            string_format("There is nothing to ask: no adjoint lies between %s and a leaf.",
                          view_head_name(q->e.w)).as.string->text);
    else if (!q->done) say(q, 0, STYLE_DIM, "quiz ends here, before the first answer.");
    else
        say(q, 0, STYLE_TITLE,
            string_format("%d of %d right at once%s", q->right, q->done,
                          q->right == q->count  ? ": you are a sweep."
                          : q->over ? "; the others are for another time."
                                    : ". explain() tells the whole story; quiz() asks again.")
                .as.string->text);
    flush(q);
}

static void ask_all(Quiz *q) {
    name_all(q);
    begin(q);
    for (int i = 0; i < q->count && !q->over; i++) {
        ask(q, q->asked[i]);
        name_adjoint(q, q->asked[i]);
    }
    finish(q);
}

/* As if they had all been left open. */
static void list_questions(Quiz *q) {
    for (q->done = 0; q->done < q->count; q->done++) {
        Task t = task_of(q, q->asked[q->done]);
        keep_row(q, &t, UNSET, false);
    }
}

static int questions_wanted(Value v) {
    int64_t most = arg_int(v, "most of quiz");
    if (most < 1) fail(E_VALUE, "quiz asks at least 1 question, not %lld", (long long)most);
    return most > 1000 ? 1000 : (int)most;
}

Value builtin_quiz(int count, const Value *arg) {
    (void)count;
    Wengert *w = wengert_of(arg[0], "quiz");
    int most = arg[1].tag == V_UNSET ? MOST_QUESTIONS : questions_wanted(arg[1]);
    if (w->lost) view_fail_lost(w, "quiz");
    bool was = rt.recording;
    rt.recording = false;
    wengert_sweep(w);
    Quiz q = { .e = explain_new(w), .uses = uses_of(w), .rows = list_new(0) };
    find_questions(&q, most);
    if (is_given(arg[2]) && !arg_bool(arg[2], "show")) list_questions(&q);
    else ask_all(&q);
    rt.recording = was;
    return view_done(&(Buffer){ 0 }, q.rows, UNSET);
}
