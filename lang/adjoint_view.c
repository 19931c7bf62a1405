/* adjoint(f): the derivative program. The one idea: the tape is a straight-line program already;
 * written down as source, followed by the chain rule of each step from the last to the first, it
 * computes f and its gradients without any tape, and can be read, run, changed and differentiated
 * like any program.
 *
 * A local derivative of an elementwise step is the text of its row; of any other step its rule is
 * run and what it records is spelled (spell.h). What cannot be spelled becomes vjp(...) of that one
 * operation. */
#include "builtins.h"
#include "elem.h"
#include "function.h"
#include "kernels.h"
#include "rule_text.h"
#include "source.h"
#include "spell.h"
#include "views.h"
#include <stdio.h>
#include <string.h>

#define TEXT(...) string_format(__VA_ARGS__).as.string->text

typedef struct Program {
    Wengert *w;
    Buffer b;
    Speller speller;
    const char **step, **leaf;          /* names */
    const char **step_bar, **leaf_bar;  /* names of their adjoints, NULL: nothing has come yet */
    const char ***part_bar;             /* of a step with several results: by part */
    const char **used;                  /* all names */
    size_t used_count;
    const Array **constant;             /* arrays that have a name: c1 */
    const char **constant_name;
    size_t constants, constant_room;
    Buffer constant_lines;
} Program;

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
static const char *constant_text(Program *p, Value v) {
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

static Word word_of(Program *p, uint32_t step, int k) {
    Input input = wengert_input(p->w, step, k);
    if (input.kind == FROM_STEP) return (Word){ p->step[input.at], input.value };
    if (input.kind == FROM_LEAF) return (Word){ p->leaf[input.at], input.value };
    return (Word){ constant_text(p, input.value), input.value };
}

static Word *words_of(Program *p, uint32_t step) {
    int count = p->w->step[step].inputs;
    Word *word = pool_bytes((size_t)(count + 1) * sizeof *word);
    for (int k = 0; k < count; k++) word[k] = word_of(p, step, k);
    return word;
}

static const Attr *attr_of(const Wengert *w, uint32_t step) {
    const Node *n = node_at(w->step[step].node);
    return has_extra(n) ? n->x.extra->attr : NULL;
}

static _Noreturn void fail_unspelled(const Program *p, uint32_t step) {
    uint32_t line = wengert_line(p->w, step);
    int op = p->w->step[step].op;
    char where[40] = "";
    if (line) snprintf(where, sizeof where, " on line %u", line);
    if (op == OP_custom) {
        hint("custom_grad(), checkpoint() and foreign functions have no operations inside that "
             "could be written down");
        fail(E_GRADIENT,
             "adjoint: step #%u%s has a rule of its own, which cannot be written as text", step + 1,
             where);
    }
    hint("the step stands in the tape as an internal operation, most often because it came from a "
         "recorded sweep");
    fail(E_GRADIENT, "adjoint: step #%u%s, %s, has no spelling in the language", step + 1, where,
         operation_word(op));
}

/* ---- forward ---- */
static void write_forward(Program *p, uint32_t step) {
    const Wengert *w = p->w;
    char comment[120];
    const char *text = spell(&p->speller, (Op)w->step[step].op, w->step[step].inputs,
                             words_of(p, step), attr_of(w, step), wengert_value(w, step));
    if (!text) fail_unspelled(p, step);
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

/* A selection hands on what it chose. */
static const char *selected(Op op, int k, const char *g, const Word *in) {
    const char *x = spell_operand(in[0].text);
    if (op == OP_relu) return TEXT("where(%s > 0, %s, 0)", x, g);
    const char *y = spell_operand(in[1].text);
    bool greater = (op == OP_maximum) == (k == 0);
    return TEXT("where(%s %s %s, %s, where(%s == %s, 0.5 * %s, 0))", x, greater ? ">" : "<", y, g,
                x, y, spell_operand(g));
}

static bool is_wholly_finite(Value v) {
    return v.tag == V_UNSET || !is_numeric(v) || all_finite(v);
}

static const char *elementwise_term(Program *p, uint32_t step, int k, const char *g) {
    const Wengert *w = p->w;
    Op op = (Op)w->step[step].op;
    const Word *in = words_of(p, step);
    Value r = wengert_value(w, step), y = w->step[step].inputs > 1 ? in[1].value : number(0);
    const char *term;
    if (operations[op].class == C_SELECT) {
        term = selected(op, k, g, in);
    } else {
        const char *d = rule_spelled(op, k, in[0].text, w->step[step].inputs > 1 ? in[1].text : "",
                                     p->step[step]);
        if (!strcmp(d, "1")) term = g;
        else if (!strcmp(d, "-1")) term = TEXT("-%s", g);
        else term = TEXT("%s * %s", g, spell_operand(d));
        bool was = rt.recording;
        rt.recording = false;
        Value product = op_mul(wengert_adjoint(w, step), elem_slope(op, k, in[0].value, y, r));
        rt.recording = was;
        /* 0 times inf: the zero rule gave nothing there. */
        if (!is_wholly_finite(product) && is_wholly_finite(wengert_sent(w, step, k)))
            term = TEXT("where(%s == 0, 0, %s)", g, term);
    }
    return spell_sum_to(term, r, in[k].value);
}

/* ---- rows: the rule runs on lifted values, and what it records is spelled ---- */
typedef struct Trace {
    Program *p;
    uint64_t mark;
    const char **text;      /* by position from the mark: the spelled node */
    int names;
    uint32_t id[64];
    const char *name[64];
    bool lost;
} Trace;

static void name_lifted(Trace *t, Value v, const char *name) {
    if (!v.node || t->names == 64) return;
    t->id[t->names] = v.node;
    t->name[t->names++] = name;
}

static const char *trace_text(Trace *t, Value v);

static const char *spell_node(Trace *t, uint32_t id) {
    const Node *n = node_at(id);
    Value r = node_r(n), in[16];
    Word word[16];
    int count = 0;
    const Attr *attr = NULL;
    if (has_extra(n)) {
        attr = n->x.extra->attr;
        if (n->x.extra->count > 16) return NULL;
        for (; count < n->x.extra->count; count++) in[count] = n->x.extra->in[count];
    } else {
        in[count] = node_x(n);
        in[count++].node = n->a;
        if (operations[node_op(n)].arity == 2) in[count] = node_y(n), in[count++].node = n->b;
    }
    for (int i = 0; i < count; i++) {
        if (in[i].tag == V_UNSET) return NULL;
        const char *text = trace_text(t, in[i]);
        if (!text) return NULL;
        word[i] = (Word){ text, constant(in[i]) };
    }
    if (r.tag == V_UNSET) return NULL;
    return spell(&t->p->speller, (Op)node_op(n), count, word, attr, r);
}

static const char *trace_text(Trace *t, Value v) {
    if (!v.node) return is_numeric(v) ? constant_text(t->p, v) : NULL;
    for (int i = 0; i < t->names; i++)
        if (t->id[i] == v.node) return t->name[i];
    if (v.node >= LEAF || position_of(v.node) < t->mark) return NULL;
    const char **known = &t->text[position_of(v.node) - t->mark];
    if (*known) return *known;
    const char *text = spell_node(t, v.node);
    if (!text) return NULL;
    if (strlen(text) > 60) text = spell_temporary(&t->p->speller, text);
    return *known = text;
}

typedef struct RowTerm {
    Program *p;
    uint32_t step;
    int k;
    const char *g;
    const char *text;
} RowTerm;

/* Is the input named in the text of the rule? Constants are, where the rule computes with them. */
static bool is_lifted(const Node *n, int i) {
    Value v = n->x.extra->in[i];
    if (v.node) return true;
    return operations[node_op(n)].class == C_MULTILINEAR && is_numeric(v) && dtype_of(v) != BOOL;
}

static void run_row(void *env) {
    RowTerm *row = env;
    Program *p = row->p;
    const Node *n = node_at(p->w->step[row->step].node);
    const Extra *extra = n->x.extra;
    Value r = node_r(n), flat[18], *in = pool_bytes((size_t)(extra->count + 1) * sizeof *in);
    if (extra->count > 16 || r.tag == V_LIST) return;
    const Word *word = words_of(p, row->step);
    int lifts = 0;
    flat[lifts++] = ones_like(constant(r));
    flat[lifts++] = constant(r);
    for (int i = 0; i < extra->count; i++)
        if (is_lifted(n, i)) flat[lifts++] = constant(extra->in[i]);
    Trace t = { .p = p };
    Lifted lifted = function_lift(lifts, flat);
    name_lifted(&t, lifted.x[0], row->g);
    name_lifted(&t, lifted.x[1], p->step[row->step]);
    for (int i = 0, at = 2; i < extra->count; i++) {
        in[i] = is_lifted(n, i) ? lifted.x[at++] : constant(extra->in[i]);
        name_lifted(&t, in[i], word[i].text);
    }
    t.mark = tape_position();
    Pull pull = { .op = node_op(n),
                  .count = extra->count,
                  .which = row->k,
                  .any_g = true,
                  .g = lifted.x[0],
                  .r = lifted.x[1],
                  .in = in,
                  .attr = extra->attr };
    Value c = row_pullback(&pull);
    function_stop(&lifted);
    size_t nodes = tape_position() - t.mark + 1;
    t.text = memset(pool_bytes(nodes * sizeof *t.text), 0, nodes * sizeof *t.text);
    if (c.tag == V_UNSET) row->text = "";
    else {
        const char *text = trace_text(&t, c);
        row->text = text ? spell_sum_to(text, c, constant(extra->in[row->k])) : NULL;
    }
    function_end(&lifted, NIL, 0, NULL);
}

/* vjp of this one operation by its k-th input. */
static const char *vjp_term(Program *p, uint32_t step, int k, const char *g) {
    const Wengert *w = p->w;
    Word *in = words_of(p, step);
    const char *x = in[k].text;
    in[k].text = "u";
    size_t bytes = p->b.bytes;
    const char *text = spell(&p->speller, (Op)w->step[step].op, w->step[step].inputs, in,
                             attr_of(w, step), wengert_value(w, step));
    if (!text || p->b.bytes != bytes)
        fail_unspelled(p, step); /* an expression is needed, no lines */
    return TEXT("vjp(u -> %s, %s)[1](%s)", text, x, g);
}

static const char *row_term(Program *p, uint32_t step, int k, const char *g) {
    RowTerm row = { p, step, k, g, NULL };
    Error error;
    bool was = rt.recording, training = rt.training;
    uint64_t mark = tape_position();
    Buffer before = p->b;
    int temporaries = p->speller.temporaries;
    bool good = guard(run_row, &row, &error);
    rt.recording = was, rt.training = training;
    if (!good && !tape_any_held(mark)) tape_truncate(mark);
    if (!good && (error.kind == E_LIMIT || error.kind == E_INTERRUPT || error.kind == E_MEMORY))
        fail_again(&error);
    if (good && row.text) return row.text;
    p->b.bytes = before.bytes;
    p->speller.temporaries = temporaries;
    return vjp_term(p, step, k, g);
}

/* ---- steps with several results ---- */
static void note_part(Program *p, uint32_t step, const char *g) {
    Input whole = wengert_input(p->w, step, 0);
    const Attr *attr = attr_of(p->w, step);
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
            write_term(p, input, vjp_term(p, step, k, g));
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
        const char *term =
            op < OP_ELEMS ? elementwise_term(p, step, k, g) : row_term(p, step, k, g);
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
