/* adjoint(f): the derivative program. The one idea: the tape is a straight-line program already;
 * written down as source, followed by the chain rule of each step from the last to the first, it
 * computes f and its gradients without any tape, and can be read, run, changed and differentiated
 * like any program.
 *
 * What a step hands to each of its inputs, adjoint_term.c says; here are the names, the lines and
 * their order. */
#include "adjoint_parts.h"
#include "builtins.h"
#include "source.h"
#include <stdio.h>
#include <string.h>

enum { MOST_STEPS = 5000, COMMENT_COLUMN = 36 };

/* ---- names ---- */
static bool is_taken(const Program *p, const char *name) {
    for (size_t i = 0; i < p->used_count; i++)
        if (!strcmp(p->used[i], name)) return true;
    return library_find(symbol(name, strlen(name))) != NULL;
}

/* A name of the program's own: model.w becomes model_w; a second y is y_2. */
static const char *new_name(Program *p, const char *wanted) {
    char text[80];
    size_t bytes = 0;
    for (const char *c = wanted; *c && bytes < 60; c++) {
        bool good = *c == '_' || (unsigned char)*c >= 128 || (*c >= '0' && *c <= '9') ||
                    ((*c | 32) >= 'a' && (*c | 32) <= 'z');
        if (good || (bytes && text[bytes - 1] != '_')) text[bytes++] = good ? *c : '_';
    }
    while (bytes && text[bytes - 1] == '_') bytes--;
    text[bytes] = 0;
    if (!text_is_name(text, bytes)) bytes = (size_t)snprintf(text, sizeof text, "v");
    for (int k = 2; is_taken(p, text); k++) snprintf(text + bytes, sizeof text - bytes, "_%d", k);
    return p->used[p->used_count++] = string_of(text).as.string->text;
}

static void name_all(Program *p) {
    const Wengert *w = p->w;
    for (uint32_t i = 0; i < w->leaves; i++) {
        String *name = wengert_leaf_name(w, i);
        p->leaf[i] = new_name(p, name ? name->text : TEXT("leaf%u", i + 1));
    }
    for (uint32_t i = 0; i < w->count; i++) {
        String *name = wengert_name(w, i);
        p->step[i] = new_name(p, name ? name->text : TEXT("v%u", i + 1));
    }
}

/* ---- lines ---- */
static void add_line(Program *p, const char *text, const char *comment) {
    buffer_spaces(&p->b, p->speller.indent);
    buffer_text(&p->b, text);
    if (*comment) {
        int width = p->speller.indent + (int)text_width(text, strlen(text));
        buffer_spaces(&p->b, width < COMMENT_COLUMN ? COMMENT_COLUMN - width : 2);
        buffer_format(&p->b, "# %s", comment);
    }
    buffer_char(&p->b, '\n');
}

static void add_comment(Program *p, const char *text) {
    buffer_spaces(&p->b, p->speller.indent);
    buffer_format(&p->b, "# %s\n", text);
}

/* ---- operands ---- */
const char *adjoint_constant(Program *p, Value v) {
    if (!is_numeric(v)) return "nil";
    if (v.tag != V_ARRAY || v.as.array->size <= 4) return spell_value(&p->speller, v);
    for (size_t i = 0; i < p->constants; i++)
        if (p->constant[i] == v.as.array) return p->constant_name[i];
    const char *text = spell_value(&p->speller, v);
    if (p->constants == p->constant_room) return text;
    const char *name = new_name(p, TEXT("c%zu", p->constants + 1));
    p->constant[p->constants] = v.as.array;
    p->constant_name[p->constants++] = name;
    buffer_format(&p->constant_lines, "%s = ", name);
    buffer_text(&p->constant_lines, text);
    buffer_char(&p->constant_lines, '\n');
    return name;
}

/* ---- forward ---- */
static void write_forward(Program *p, uint32_t step) {
    const Wengert *w = p->w;
    char comment[120];
    const char *text = spell(&p->speller, (Op)w->step[step].op, w->step[step].inputs,
                             adjoint_words(p, step), adjoint_attr(w, step), wengert_value(w, step));
    if (!text) adjoint_fail(p, step);
    const char *place = view_place(wengert_span(w, step));
    if (*place) snprintf(comment, sizeof comment, "%s: %s", place, wengert_text(w, step, 40));
    else comment[0] = 0;
    add_line(p, TEXT("%s = %s", p->step[step], text), comment);
}

/* ---- reverse ---- */
/* Adds a term to the adjoint of an input. */
static void write_term(Program *p, Input input, const char *term) {
    if (input.kind != FROM_STEP && input.kind != FROM_LEAF) return;
    bool step = input.kind == FROM_STEP;
    const char **bar = step ? &p->step_bar[input.at] : &p->leaf_bar[input.at];
    if (*bar) {
        add_line(p, TEXT("%s = %s + %s", *bar, *bar, *term == '-' ? spell_operand(term) : term),
                 "");
        return;
    }
    *bar = new_name(p, TEXT("%s_bar", step ? p->step[input.at] : p->leaf[input.at]));
    add_line(p, TEXT("%s = %s", *bar, term), "");
}

/* ---- steps with several results ---- */
static void note_part(Program *p, uint32_t step, const char *g) {
    Input whole = wengert_input(p->w, step, 0);
    const Attr *attr = adjoint_attr(p->w, step);
    if (whole.kind != FROM_STEP) return;
    size_t parts = (size_t)attr[2];
    const char ***bars = &p->part_bar[whole.at];
    if (!*bars)
        *bars = memset(pool_bytes((parts + 1) * sizeof **bars), 0, (parts + 1) * sizeof **bars);
    (*bars)[attr[1]] = g;
    p->step_bar[whole.at] = "(parts)";
}

static void write_whole(Program *p, uint32_t step) {
    Value r = wengert_value(p->w, step);
    Buffer list = { 0 };
    buffer_char(&list, '(');
    for (size_t i = 0; i < r.as.list->count; i++) {
        const char *bar = p->part_bar[step] ? p->part_bar[step][i] : NULL;
        buffer_format(&list, "%s%s", i ? ", " : "",
                      bar ? bar : TEXT("zeros_like(%s[%zu])", p->step[step], i));
    }
    buffer_char(&list, ')');
    const char *g = buffer_string(&list).as.string->text;
    for (int k = 0; k < p->w->step[step].inputs; k++) {
        Input input = wengert_input(p->w, step, k);
        if (input.kind == FROM_STEP || input.kind == FROM_LEAF)
            write_term(p, input, adjoint_vjp(p, step, k, g));
    }
}

static void write_reverse(Program *p, uint32_t step) {
    const Wengert *w = p->w;
    const char *g = p->step_bar[step];
    int op = w->step[step].op;
    if (!g) return;
    if (op == OP_part) {
        note_part(p, step, g);
        return;
    }
    const char *text = wengert_text(w, step, 44);
    bool names_itself = assignment_of(w->naming, wengert_span(w, step)) && strstr(text, " = ");
    add_comment(p, names_itself ? TEXT("back through %s", text)
                                : TEXT("back through %s = %s", p->step[step], text));
    if (wengert_value(w, step).tag == V_LIST) {
        write_whole(p, step);
        return;
    }
    for (int k = 0; k < w->step[step].inputs; k++) {
        Input input = wengert_input(w, step, k);
        if (input.kind != FROM_STEP && input.kind != FROM_LEAF) continue;
        if (wengert_sent(w, step, k).tag == V_UNSET) continue;
        const char *term = adjoint_term(p, step, k, g);
        if (*term) write_term(p, input, term);
    }
}

static void write_heads(Program *p) {
    const Wengert *w = p->w;
    for (int i = 0; i < w->heads; i++) {
        Value g = !w->swept                       ? ones_like(constant(w->head[i]))
                  : w->gradient[i].tag != V_UNSET ? w->gradient[i]
                                                  : UNSET;
        int64_t step = wengert_step_of(w, w->head[i]), leaf = wengert_leaf_of(w, w->head[i]);
        if (g.tag == V_UNSET) continue;
        Input input = step >= 0 ? (Input){ FROM_STEP, (uint32_t)step, UNSET }
                                : (Input){ FROM_LEAF, (uint32_t)leaf, UNSET };
        write_term(p, input, spell_value(&p->speller, g));
    }
}

/* ---- the whole ---- */
static Program *program_new(Wengert *w, bool function) {
    Program *p = memset(pool_bytes(sizeof *p), 0, sizeof *p);
    size_t steps = w->count + 1, leaves = w->leaves + 1,
           names = 2 * (steps + leaves) + w->inputs + 8;
    p->w = w;
    p->speller = (Speller){ &p->b, function ? 4 : 0, 0, 0 };
    p->step = pool_bytes(steps * sizeof *p->step);
    p->leaf = pool_bytes(leaves * sizeof *p->leaf);
    p->step_bar = memset(pool_bytes(steps * sizeof *p->step_bar), 0, steps * sizeof *p->step_bar);
    p->leaf_bar = memset(pool_bytes(leaves * sizeof *p->leaf_bar), 0, leaves * sizeof *p->leaf_bar);
    p->part_bar = memset(pool_bytes(steps * sizeof *p->part_bar), 0, steps * sizeof *p->part_bar);
    p->constant_room = w->inputs + 64;
    names += p->constant_room;
    p->used = pool_bytes(names * sizeof *p->used);
    p->constant = pool_bytes(p->constant_room * sizeof *p->constant);
    p->constant_name = pool_bytes(p->constant_room * sizeof *p->constant_name);
    return p;
}

/* "(f, x_bar, w_bar)": what the function gives. */
static const char *results_text(const Program *p) {
    Buffer b = { 0 };
    int64_t head = wengert_step_of(p->w, p->w->head[0]);
    buffer_format(&b, "(%s",
                  head >= 0 ? p->step[head] : p->leaf[wengert_leaf_of(p->w, p->w->head[0])]);
    for (uint32_t i = 0; i < p->w->leaves; i++) buffer_format(&b, ", %s", p->leaf_bar[i]);
    buffer_char(&b, ')');
    return buffer_string(&b).as.string->text;
}

static const char *parameters_text(const Program *p) {
    Buffer b = { 0 };
    for (uint32_t i = 0; i < p->w->leaves; i++)
        buffer_format(&b, "%s%s", i ? ", " : "", p->leaf[i]);
    return buffer_string(&b).as.string->text;
}

static void write_body(Program *p) {
    const Wengert *w = p->w;
    add_comment(p, "forward");
    for (uint32_t i = 0; i < w->count; i++) write_forward(p, i);
    add_comment(p, "reverse: y_bar is the adjoint of y");
    write_heads(p);
    for (uint32_t i = w->count; i-- > 0;) write_reverse(p, i);
    for (uint32_t i = 0; i < w->leaves; i++) {
        if (p->leaf_bar[i]) continue;
        p->leaf_bar[i] = new_name(p, TEXT("%s_bar", p->leaf[i]));
        add_line(p, TEXT("%s = zeros_like(%s)", p->leaf_bar[i], p->leaf[i]), "nothing came");
    }
}

static void add_whole(Buffer *out, Program *p, const char *function) {
    const Wengert *w = p->w;
    Buffer leaves = { 0 };
    for (uint32_t i = 0; i < w->leaves; i++) {
        if (w->leaf[i].value.tag == V_UNSET)
            fail(E_GRADIENT, "adjoint: the value of %s is lost", p->leaf[i]);
        buffer_format(&leaves, "%s = ", p->leaf[i]);
        buffer_text(&leaves, spell_value(&p->speller, w->leaf[i].value));
        buffer_char(&leaves, '\n');
    }
    buffer_format(out, "# The derivative program of %s: forward, then the chain rule backwards.\n",
                  view_head_name(w));
    buffer_add(out, p->constant_lines.text, p->constant_lines.bytes);
    if (!function) buffer_add(out, leaves.text, leaves.bytes);
    else buffer_format(out, "fn %s(%s) {\n", function, parameters_text(p));
    buffer_add(out, p->b.text, p->b.bytes);
    if (!function) return;
    buffer_format(out, "    %s\n}\n", results_text(p));
    buffer_add(out, leaves.text, leaves.bytes);
    const char *results = results_text(p) + 1;
    buffer_format(out, "%.*s = %s(%s)\n", (int)strlen(results) - 1, results, function,
                  parameters_text(p));
}

/* As the views show text: comments dim. */
static void show_source(Buffer *b, const char *source) {
    while (*source) {
        size_t line = strcspn(source, "\n"), code = line;
        for (size_t i = 0; i < line && code == line; i++)
            if (source[i] == '#' && (i == 0 || source[i - 1] == ' ')) code = i;
        style_text(b, STYLE_PLAIN, source, (int64_t)code);
        if (code < line) style_text(b, STYLE_DIM, source + code, (int64_t)(line - code));
        buffer_char(b, '\n');
        source += line + (source[line] == '\n');
    }
}

Value builtin_adjoint(int count, const Value *arg) {
    (void)count;
    Wengert *w = wengert_of(arg[0], "adjoint");
    const char *function = NULL;
    if (is_given(arg[1])) {
        if (arg[1].tag != V_STRING ||
            !text_is_name(arg[1].as.string->text, arg[1].as.string->bytes))
            fail(E_ARGUMENT, "adjoint: function is the name of the function to write, as text");
        function = arg[1].as.string->text;
    }
    if (w->lost) view_fail_lost(w, "adjoint");
    if (w->count > MOST_STEPS) {
        hint("tape(f) folds loops; a shorter loop shows the same program");
        fail(E_LIMIT,
             "adjoint: %s has %s, and a straight-line program of more than %d is no reading",
             view_head_name(w), counted(w->count, "step"), MOST_STEPS);
    }
    bool was = rt.recording;
    rt.recording = false;
    wengert_sweep(w);
    Program *p = program_new(w, function != NULL);
    if (function) new_name(p, function);
    new_name(p, "u");
    name_all(p);
    write_body(p);
    Buffer out = { 0 }, shown = { 0 };
    add_whole(&out, p, function);
    rt.recording = was;
    Value source = buffer_string(&out);
    show_source(&shown, source.as.string->text);
    return view_done(&shown, source, arg[2]);
}
