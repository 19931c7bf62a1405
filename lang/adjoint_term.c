/* What one step of adjoint(f) hands back to an input, as an expression. The one idea: the local
 * derivative of an elementwise step is the text of its row; of any other step its rule is run on
 * lifted values and what it records is spelled (spell.h). What cannot be spelled becomes vjp(...)
 * of that one operation. */
#include "adjoint_parts.h"
#include "elem.h"
#include "function.h"
#include "rule_text.h"
#include <stdio.h>
#include <string.h>

/* ---- operands ---- */
static Word word_of(Program *p, uint32_t step, int k) {
    Input input = wengert_input(p->w, step, k);
    if (input.kind == FROM_STEP) return (Word){ p->step[input.at], input.value };
    if (input.kind == FROM_LEAF) return (Word){ p->leaf[input.at], input.value };
    return (Word){ adjoint_constant(p, input.value), input.value };
}

Word *adjoint_words(Program *p, uint32_t step) {
    int count = p->w->step[step].inputs;
    Word *word = pool_bytes((size_t)(count + 1) * sizeof *word);
    for (int k = 0; k < count; k++) word[k] = word_of(p, step, k);
    return word;
}

const Attr *adjoint_attr(const Wengert *w, uint32_t step) {
    const Node *n = node_at(w->step[step].node);
    return has_extra(n) ? n->x.extra->attr : NULL;
}

_Noreturn void adjoint_fail(const Program *p, uint32_t step) {
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

/* ---- elementwise ---- */
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
    const Word *in = adjoint_words(p, step);
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
    if (!v.node) return is_numeric(v) ? adjoint_constant(t->p, v) : NULL;
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
    const Word *word = adjoint_words(p, row->step);
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
const char *adjoint_vjp(Program *p, uint32_t step, int k, const char *g) {
    const Wengert *w = p->w;
    Word *in = adjoint_words(p, step);
    const char *x = in[k].text;
    in[k].text = "u";
    size_t bytes = p->b.bytes;
    const char *text = spell(&p->speller, (Op)w->step[step].op, w->step[step].inputs, in,
                             adjoint_attr(w, step), wengert_value(w, step));
    if (!text || p->b.bytes != bytes)
        adjoint_fail(p, step); /* an expression is needed, no lines */
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
    return adjoint_vjp(p, step, k, g);
}

const char *adjoint_term(Program *p, uint32_t step, int k, const char *g) {
    return p->w->step[step].op < OP_ELEMS ? elementwise_term(p, step, k, g)
                                          : row_term(p, step, k, g);
}
