/* profile(f): what the steps behind a value cost, forward and in reverse. The one idea: the tape
 * has every step's operands, so each operation is run again and timed alone, and a sweep that shows
 * when it comes to each step (sweep_look) tells what its rule costs; both are added up by operation
 * and by line.
 *
 * The theory it is held against: Baur and Strassen, "The complexity of partial derivatives", 1983:
 * a function and all its partial derivatives take at most 4 times the operations of the function
 * alone (and Griewank and Walther, "Evaluating Derivatives", 2008, section 4.6); so the reverse
 * sweep at most 3 times. */
#include "builtins.h"
#include "elem.h"
#include "kernels.h"
#include "source.h"
#include "views.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

typedef struct Cost {
    double forward, reverse, flops, back_flops, bytes, saved;
    uint32_t steps;
} Cost;

typedef struct Profile {
    Wengert *w;
    Cost *step;
    double began, tick; /* of the sweep: when the last step began; what asking the clock costs */
    double whole;           /* the shortest sweep that nobody watched */
    int64_t last;
    bool unmeasured;        /* some step cannot be run again */
} Profile;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* What one look at the clock takes. */
static double tick_of_clock(void) {
    enum { TICKS = 1000 };
    double start = now();
    for (int i = 0; i < TICKS; i++) now();
    return (now() - start) / TICKS;
}

/* ---- forward ---- */
typedef struct Again { Op op; int count; const Value *in; const Attr *attr; int times; } Again;

static void run_again(void *env) {
    const Again *a = env;
    size_t pool = pool_mark();
    for (int i = 0; i < a->times; i++) {
        apply(a->op, a->count, a->in, a->attr);
        pool_unwind(pool);
        poll();
    }
}

static double time_of(Again *a) {
    Error error;
    double start = now();
    if (!guard(run_again, a, &error)) {
        if (error.kind == E_INTERRUPT) fail_again(&error);
        return NAN;
    }
    return now() - start;
}

/* The operands of a step; false: it cannot be run again. */
static bool operands_of(const Wengert *w, uint32_t step, Again *a) {
    const Node *n = node_at(w->step[step].node);
    Value *in = pool_bytes((size_t)(w->step[step].inputs + 3) * sizeof *in);
    *a = (Again){ (Op)node_op(n), w->step[step].inputs, in, has_extra(n) ? n->x.extra->attr : NULL,
                  1 };
    if (a->op == OP_custom || a->op == OP_part || a->op == OP_identity) return false;
    for (int k = 0; k < a->count; k++) {
        in[k] = wengert_input(w, step, k).value;
        if (in[k].tag == V_UNSET) return false;
    }
    return true;
}

/* The shortest of a few runs, each long enough for the clock. */
static double measure_forward(Profile *p, uint32_t step, bool few) {
    Again a;
    if (!operands_of(p->w, step, &a)) {
        p->unmeasured |= p->w->step[step].op == OP_custom;
        return 0;
    }
    enum { SOME = 16, FEW = 4, VERY_MANY = 200000 };
    /* Of many steps: once, but long against the clock. */
    if (few) a.times = p->w->count > VERY_MANY ? FEW : SOME;
    double best = time_of(&a) / a.times, long_enough = 20e-6;
    if (few || best > 1e-3) return best;
    a.times = (int)(long_enough / (best > 1e-8 ? best : 1e-8)) + 1;
    for (int i = 0; i < 3; i++) {
        double once = time_of(&a) / a.times;
        if (once < best) best = once;
    }
    return best;
}

/* ---- reverse ---- */
static void note_time(Profile *p) {
    double at = now();
    if (p->last >= 0) {
        double took = at - p->began - p->tick, *best = &p->step[p->last].reverse;
        if (took < 0) took = 0;
        if (*best < 0 || took < *best) *best = took;
    }
    p->began = now();
}

static void arrived(void *env, uint32_t id, Value g) {
    Profile *p = env;
    (void)g;
    note_time(p);
    p->last = id < LEAF ? (int64_t)p->w->step_at[id] - 1 : -1;
}

static void look_once(void *env) {
    Profile *p = env;
    const Wengert *w = p->w;
    Value *g = pool_bytes((size_t)w->heads * sizeof *g);
    for (int i = 0; i < w->heads; i++) g[i] = NIL;
    p->last = -1;
    p->began = now();
    sweep_look(w->heads, w->head, g, &(SweepLook){ .arrived = arrived, .env = p });
    note_time(p);
}

/* A sweep in earnest, which nobody watches. */
static void sweep_once(void *env) {
    Profile *p = env;
    const Wengert *w = p->w;
    Value *x = pool_bytes((w->leaves + 1) * sizeof *x),
          *out = pool_bytes((w->leaves + 1) * sizeof *out);
    for (uint32_t i = 0; i < w->leaves; i++) {
        x[i] = w->leaf[i].value;
        x[i].node = w->leaf[i].id;
    }
    double start = now();
    sweep_gradients(w->heads, w->head, NULL, (int)w->leaves, x, out);
    double took = now() - start;
    if (took < p->whole) p->whole = took;
}

/* The watched sweep says how the time is shared out; the other one, how long it takes. */
static void measure_reverse(Profile *p) {
    Wengert *w = p->w;
    int runs = w->count > 20000 ? 1 : w->count > 1000 ? 3 : 20;
    double sum = 0;
    p->whole = INFINITY;
    for (int i = 0; i < runs; i++) {
        wengert_run(w, look_once, p);
        wengert_run(w, sweep_once, p);
    }
    for (uint32_t i = 0; i < w->count; i++) {
        if (p->step[i].reverse < 0) p->step[i].reverse = 0;
        sum += p->step[i].reverse;
    }
    if (sum > 0)
        for (uint32_t i = 0; i < w->count; i++) p->step[i].reverse *= p->whole / sum;
}

/* ---- operations and bytes ---- */
static double elements(Value v) { return is_numeric(v) ? (double)size_of(v) : 0; }

/* How many operations a rule's text has, the product with the adjoint not counted. */
static double operations_in(const char *rule) {
    double count = 0;
    for (const char *c = rule; c && *c; c++) count += *c == '(';
    return count;
}

static double row_flops(int op, Value x, Value y, Value r) {
    double n = elements(r),
           last = x.tag == V_ARRAY && axes_of(x) ? (double)shape_of(x.as.array)[axes_of(x) - 1] : 1;
    double all = elements(x);
    switch (op) {
    case OP_matmul: return 2 * n * last;
    case OP_conv2d: return 2 * n * elements(y) / (double)shape_of(y.as.array)[0];
    case OP_solve: return 2.0 / 3 * all * last + 2 * last * elements(y);
    case OP_inv: return 2 * all * last;
    case OP_det: case OP_slogdet: return 2.0 / 3 * all * last;
    case OP_cholesky: return all * last / 3;
    case OP_qr: return 2 * all * last;
    case OP_eigh: return 9 * all * last;        /* rough: LAPACK's counts for values and vectors */
    case OP_svd: case OP_pinv: return 14 * all * last;
    case OP_softmax: case OP_log_softmax: case OP_logsumexp: case OP_cross_entropy:
        return 3 * all;
    case OP_standardize: return 5 * all;
    case OP_norm: return 2 * all;
    default: break;
    }
    bool moves =
        operations[op].class == C_LINEAR && op != OP_sum && op != OP_cumsum && op != OP_sum_to;
    return moves || op == OP_sort || op == OP_part ? 0 : all;
}

/* What goes back to one input costs about what the operation costs; but a sum spreads its adjoint,
 * and what was spread is summed. */
static double row_back_flops(int op, double flops, Value x, Value r) {
    if (op == OP_sum || op == OP_sum_to) return 0;
    return op == OP_expand_to && elements(r) > elements(x) ? elements(r) : flops;
}

static void count_step(Profile *p, uint32_t i) {
    const Wengert *w = p->w;
    Cost *c = &p->step[i];
    int op = w->step[i].op, inputs = w->step[i].inputs;
    Value r = wengert_value(w, i), in[2] = { number(0), number(0) };
    for (int k = 0; k < inputs; k++) {
        Value v = wengert_input(w, i, k).value;
        if (k < 2) in[k] = v;
        if (is_numeric(v)) c->bytes += v.tag == V_ARRAY ? (double)array_bytes(v.as.array) : 8;
    }
    if (is_numeric(r)) c->bytes += r.tag == V_ARRAY ? (double)array_bytes(r.as.array) : 8;
    c->flops = op < OP_ELEMS          ? elements(r)
               : in[0].tag == V_UNSET ? 0
                                      : row_flops(op, in[0], in[1], r);
    for (int k = 0; k < inputs; k++) {
        Input input = wengert_input(w, i, k);
        if (input.kind != FROM_STEP && input.kind != FROM_LEAF) continue;
        const char *rule = operations[op].rule[k < 2 ? k : 2];
        if (op >= OP_ELEMS) c->back_flops += row_back_flops(op, c->flops, in[0], r);
        else if (rule && strcmp(rule, "1"))
            c->back_flops += elements(r) * (strcmp(rule, "-1") ? 1 + operations_in(rule) : 1);
    }
    c->saved = wengert_bytes(w, i);
    c->steps = 1;
}

static void add_cost(Cost *sum, const Cost *c) {
    sum->forward += c->forward;
    sum->reverse += c->reverse;
    sum->flops += c->flops;
    sum->back_flops += c->back_flops;
    sum->bytes += c->bytes;
    sum->saved += c->saved;
    sum->steps += c->steps;
}

/* ---- showing ---- */
static const char *short_seconds(double s) {
    static const char *const units[] = { "ns", "µs", "ms", "s" };
    int unit = 0;
    for (s *= 1e9; s >= 999.5 && unit < 3; s /= 1000) unit++;
    if (isnan(s)) return "–";
    return string_format(s < 9.95 && unit ? "%.1f %s" : "%.0f %s", s, units[unit]).as.string->text;
}

static const char *short_count(double x) {
    static const char *const units[] = { "", " k", " M", " G", " T" };
    int unit = 0;
    while (x >= 9999.5 && unit < 4) x /= 1000, unit++;
    return string_format("%.0f%s", x, units[unit]).as.string->text;
}

typedef struct Group { const char *name; uint32_t line; Cost cost; } Group;
enum { MOST_GROUPS = 400, MOST_ROWS = 25, COLUMNS = 9 };

static Group *group_of(Group *group, size_t *count, const char *name, uint32_t line) {
    for (size_t i = 0; i < *count; i++)
        if (group[i].line == line && !strcmp(group[i].name, name)) return &group[i];
    if (*count == MOST_GROUPS) return &group[MOST_GROUPS - 1];
    group[*count] = (Group){ .name = name, .line = line };
    return &group[(*count)++];
}

static double weight_of(const Group *g) { return g->cost.forward + g->cost.reverse; }

static void sort_groups(Group *g, size_t count) {
    for (size_t i = 1; i < count; i++)
        for (size_t k = i; k > 0 && weight_of(&g[k - 1]) < weight_of(&g[k]); k--) {
            Group other = g[k];
            g[k] = g[k - 1];
            g[k - 1] = other;
        }
}

static void cost_cells(Table *t, const Cost *c) {
    table_cell(t, STYLE_PLAIN, short_count(c->steps));
    table_cell(t, STYLE_VALUE, short_seconds(c->forward));
    table_cell(t, STYLE_ADJOINT, short_seconds(c->reverse));
    table_cell(t, STYLE_DIM, short_count(c->flops));
    table_cell(t, STYLE_DIM, short_count(c->back_flops));
    table_cell(t, STYLE_DIM, short_bytes(c->bytes));
    table_cell(t, STYLE_DIM, short_bytes(c->saved));
}

static Value cost_data(const Group *g) {
    Value row = struct_new(12);
    view_put(row, "name", string_of(g->name));
    view_put(row, "line", g->line ? number(g->line) : NIL);
    view_put(row, "steps", number(g->cost.steps));
    view_put(row, "forward", number(g->cost.forward));
    view_put(row, "reverse", number(g->cost.reverse));
    view_put(row, "flops", number(g->cost.flops));
    view_put(row, "reverse_flops", number(g->cost.back_flops));
    view_put(row, "bytes", number(g->cost.bytes));
    view_put(row, "saved", number(g->cost.saved));
    return row;
}

static void add_groups(Buffer *b, Group *group, size_t count, const char *title, bool lines,
                       int width, Value *data) {
    TableColumn columns[COLUMNS] = {
        { lines ? "line" : "", 4, 10, true },
        { title, 14, 9, false },
        { "steps", 5, 5, true },
        { "forward", 7, 8, true },
        { "reverse", 7, 8, true },
        { "flops", 6, 4, true },
        { "back", 6, 3, true },
        { "moved", 7, 2, true },
        { "saved", 7, 1, true },
    };
    Table *t = table_new(COLUMNS, columns);
    sort_groups(group, count);
    *data = list_new(count);
    for (size_t i = 0; i < count; i++) {
        list_set(*data, i, cost_data(&group[i]));
        if (i >= MOST_ROWS) continue;
        char line[20] = "";
        if (group[i].line) snprintf(line, sizeof line, "%u", group[i].line);
        table_cell(t, STYLE_DIM, line);
        table_cell(t, STYLE_PLAIN, group[i].name);
        cost_cells(t, &group[i].cost);
    }
    if (count > MOST_ROWS)
        table_line(t, STYLE_DIM,
                   string_format("   ⋮  %zu more", count - MOST_ROWS).as.string->text);
    buffer_char(b, '\n');
    table_add(b, t, width);
}

static const char *line_text(const Wengert *w, uint32_t step) {
    Place place = place_of(wengert_span(w, step));
    size_t bytes;
    if (!place.source || place.source->library) return "in the library";
    const char *text = source_line(place.source, place.line, &bytes);
    while (bytes && (*text == ' ' || *text == '\t')) text++, bytes--;
    return string_format("%.*s", (int)bytes, text).as.string->text;
}

/* Steps of a loop come from few places: the group of a place is looked up once. */
enum { PLACES = 64 };
typedef struct KnownPlace { Span span; Group *group; } KnownPlace;

static Group *group_of_line(const Wengert *w, uint32_t step, Group *group, size_t *count,
                            KnownPlace *known) {
    Span span = wengert_span(w, step);
    KnownPlace *k = &known[span % PLACES];
    if (k->group && k->span == span) return k->group;
    *k = (KnownPlace){ span, group_of(group, count, line_text(w, step), wengert_line(w, step)) };
    return k->group;
}

static void add_totals(Buffer *b, const Profile *p, const Cost *total, int width) {
    double ratio = total->reverse / total->forward, flops = total->back_flops / total->flops;
    Buffer text = { 0 };
    buffer_format(&text, "forward %s, reverse %s", short_seconds(total->forward),
                  short_seconds(total->reverse));
    if (isfinite(ratio))
        buffer_format(&text, ": the reverse sweep takes %s times the forward steps",
                      short_number(ratio, 2));
    if (isfinite(flops))
        buffer_format(&text, " (counted in operations: %s times)", short_number(flops, 2));
    buffer_char(&text, '.');
    wrap_text(b, buffer_string(&text).as.string->text, 0, width);
    wrap_text(b,
              "Theory: a function and its gradient take at most 4 times the operations of the "
              "function (Baur and Strassen 1983), "
              "so the reverse sweep at most 3 times.",
              0, width);
    wrap_text(b,
              string_format("The tape holds %s for these steps.", short_bytes(total->saved))
                  .as.string->text,
              0, width);
    if (total->forward < 20e-6)
        wrap_text(b, "So short a time is mostly bookkeeping; with larger arrays it is arithmetic.",
                  0, width);
    if (p->unmeasured)
        wrap_text(
            b,
            "Steps with a rule of their own (custom_grad, checkpoint) are timed in reverse only.",
            0, width);
}

static Value data_of(const Cost *total, Value by_operation, Value by_line) {
    Value data = struct_new(8);
    view_put(data, "forward", number(total->forward));
    view_put(data, "reverse", number(total->reverse));
    view_put(data, "ratio", number(total->reverse / total->forward));
    view_put(data, "flops", number(total->flops));
    view_put(data, "reverse_flops", number(total->back_flops));
    view_put(data, "saved", number(total->saved));
    view_put(data, "operations", by_operation);
    view_put(data, "lines", by_line);
    return data;
}

static void measure(Profile *p) {
    const Wengert *w = p->w;
    p->step =
        memset(pool_bytes((w->count + 1) * sizeof *p->step), 0, (w->count + 1) * sizeof *p->step);
    p->tick = tick_of_clock();
    for (uint32_t i = 0; i < w->count; i++) {
        size_t pool = pool_mark();
        p->step[i].forward = measure_forward(p, i, w->count > 2000);
        count_step(p, i);
        p->step[i].reverse = -1;
        pool_unwind(pool);
    }
    measure_reverse(p);
}

Value builtin_profile(int count, const Value *arg) {
    (void)count;
    Profile p = { .w = wengert_of(arg[0], "profile") };
    Wengert *w = p.w;
    if (w->lost) view_fail_lost(w, "profile");
    if (!w->count)
        fail(E_GRADIENT, "profile: no step leads to %s, it is a leaf", view_head_name(w));
    bool was = rt.recording;
    rt.recording = false;
    measure(&p);
    rt.recording = was;
    Group *operation = pool_bytes(MOST_GROUPS * sizeof *operation),
          *line = pool_bytes(MOST_GROUPS * sizeof *line);
    size_t operations_count = 0, lines = 0;
    Cost total = { 0 };
    KnownPlace known[PLACES] = { 0 };
    for (uint32_t i = 0; i < w->count; i++) {
        add_cost(&total, &p.step[i]);
        add_cost(&group_of(operation, &operations_count, operation_word(w->step[i].op), 0)->cost,
                 &p.step[i]);
        add_cost(&group_of_line(w, i, line, &lines, known)->cost, &p.step[i]);
    }
    int width = screen_columns();
    Buffer b = { 0 };
    Value by_operation, by_line;
    style_text(&b, STYLE_TITLE,
               string_format("profile of %s: %s", view_head_name(w), counted(w->count, "step"))
                   .as.string->text,
               -1);
    buffer_char(&b, '\n');
    add_totals(&b, &p, &total, width);
    add_groups(&b, operation, operations_count, "operation", false, width, &by_operation);
    add_groups(&b, line, lines, "source", true, width, &by_line);
    return view_done(&b, data_of(&total, by_operation, by_line), arg[1]);
}
