/* The engine of the table's tests. A Trial is a row with inputs drawn from its domain; its
 * objective is the weighted sum of everything the row gives, so that one number stands for all of
 * it and its gradient exercises every element.
 *
 * Rows that take further arguments, and those that no program calls by name, are tried by the
 * programs of trials.def. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "forward.h"
#include "function.h"
#include "leaves.h"
#include "opcheck.h"

enum { MAX_INPUTS = 3, MAX_ARGUMENTS = 16 };

typedef struct Trial {
    Op op;
    int inputs;
    Value in[MAX_INPUTS], program;      /* program: a function, or nil to call the row itself */
    uint64_t random;
} Trial;

typedef struct Program { Domain domain; const char *shapes, *broadcasting, *text; } Program;
typedef struct Kink { double at, slope; const char *text; } Kink;
static const Program programs[OP_COUNT] = {
#define TRIAL(row, domain, shapes, broadcasting, text)                                             \
    [OP_##row] = { domain, shapes, broadcasting, text },
#include "trials.def"
};
static const Kink kinks[OP_COUNT] = {
#define KINK(row, at, slope, text) [OP_##row] = { at, slope, text },
#include "trials.def"
};
static const char *const untried[OP_COUNT] = {
#define UNTRIED(row, why) [OP_##row] = why,
#include "trials.def"
};
Value (*opcheck_compile)(const char *program);
const char *opcheck_untried(Op op) { return untried[op]; }

const char *opcheck_name(OpAspect aspect) {
    static const char *const names[] = {
#define A(constant, name, about) name,
        OPCHECK_ASPECTS(A)
#undef A
    };
    return names[aspect];
}

/* ---- drawing inputs: a small generator of its own, so that a failure repeats ---- */
static double draw(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;    /* Knuth's MMIX */
    return (double)(*state >> 11) * 0x1p-53;
}

static double draw_from(Domain domain, uint64_t *state) {
    double u = draw(state);
    switch (domain) {
    case D_POSITIVE: return 0.3 + 1.5 * u;
    case D_UNIT: return 1.6 * u - 0.8;
    case D_ABOVE_ONE: return 1.2 + 2 * u;
    case D_NONZERO: return (draw(state) < 0.5 ? -1 : 1) * (0.3 + 1.5 * u);
    default: return 2.4 * u - 1.2;
    }
}

static Array *draw_array(Domain domain, int axes, const int64_t *shape, uint64_t *state) {
    Array *a = array_new(F64, axes, shape);
    for (int64_t i = 0; i < a->size; i++) f64_of(a)[i] = draw_from(domain, state);
    if (domain != D_SPD && domain != D_SQUARE) return a;
    int64_t n = shape[axes - 1];      /* well conditioned: the diagonal dominates */
    for (int64_t i = 0; i < a->size; i++) {
        int64_t row = i / n % n, column = i % n;
        if (domain == D_SPD && column < row)
            f64_of(a)[i] = f64_of(a)[i - (row - column) * n + (row - column)];
        if (row == column) f64_of(a)[i] += 4 + (double)row;
    }
    return a;
}

static bool is_elementwise(Op op) { return op < OP_ELEMS; }

/* Shapes of the inputs: plain ones, or such as broadcast against each other. */
static Trial trial_of(Op op, bool broadcast, bool empty) {
    Trial t = { .op = op, .random = 2026 + (uint64_t)op, .program = NIL };
    int domain = operations[op].domain;
    t.inputs = is_elementwise(op) ? operations[op].arity : 1;
    int64_t square[2] = { 3, 3 }, plain[2] = { 2, 3 }, row[1] = { 3 }, column[2] = { 2, 1 },
            none[2] = { 0, 3 };
    for (int i = 0; i < t.inputs; i++) {
        const int64_t *shape = empty ? none : domain == D_SQUARE || domain == D_SPD ? square
                               : !broadcast ? plain : i == 0 ? column : row;
        t.in[i] = array_value(draw_array(domain, broadcast && i == 1 ? 1 : 2, shape, &t.random));
    }
    return t;
}

/* "2,3;3": the shapes of the inputs, one after the other; empty: the first axis has length 0. */
static Trial trial_of_program(Op op, bool broadcast, bool empty) {
    const Program *p = &programs[op];
    Trial t = { .op = op, .random = 2026 + (uint64_t)op, .program = opcheck_compile(p->text) };
    for (const char *at = broadcast ? p->broadcasting : p->shapes; *at;) {
        Shape shape = { 0 };
        do {
            char *end;
            shape.dim[shape.axes++] = strtol(at, &end, 10);
            at = *end == ',' ? end + 1 : end;
        } while (*at && *at != ';');
        if (*at) at++;
        if (empty) shape.dim[0] = 0;
        t.in[t.inputs++] = array_value(draw_array(p->domain, shape.axes, shape.dim, &t.random));
    }
    return t;
}

static Trial trial(Op op, bool broadcast, bool empty) {
    if (programs[op].text && opcheck_compile) return trial_of_program(op, broadcast, empty);
    return trial_of(op, broadcast, empty);
}

/* ---- running ---- */
static int parameters_of(const char *signature) {
    int count = strcmp(signature, "()") != 0, depth = 0;
    for (const char *c = signature + 1; *c; c++) {
        depth += (*c == '(' || *c == '[') - (*c == ')' || *c == ']');
        if (*c == ',' && depth == 0) count++;
    }
    return count;
}

static Value run(const Trial *t, const Value *in) {
    if (t->program.tag == V_FUNCTION)
        return t->program.as.function->call(t->program.as.function, t->inputs, in);
    if (is_elementwise(t->op)) return apply(t->op, t->inputs, in, NULL);
    Value bound[MAX_ARGUMENTS];
    int count = parameters_of(operations[t->op].signature);
    for (int i = 0; i < MAX_ARGUMENTS; i++) bound[i] = i < t->inputs ? in[i] : UNSET;
    for (int i = t->inputs; i < count; i++)
        if (operations[t->op].signature[0] == '(' && strchr(operations[t->op].signature, '*'))
            bound[i] = list_new(0);
    return operations[t->op].call(count, bound);
}

/* The weights are drawn afresh from the same seed for each run, so that every run has the same. */
static Value objective(const Trial *t, const Value *in) {
    Value result = run(t, in), sum = number(0);
    uint64_t state = 99;
    size_t count;
    Value *leaves = tree_leaves(result, &count);
    for (size_t i = 0; i < count; i++) {
        if (!is_numeric(leaves[i]) || dtype_of(leaves[i]) == BOOL) continue;
        Shape shape = value_shape(leaves[i]);
        Value weights = array_value(draw_array(D_ANY, shape.axes, shape.dim, &state));
        sum = op_add(
            sum, op_sum(op_mul(leaves[i], op_cast(weights, dtype_of(leaves[i]))), ALL_AXES, false));
    }
    return sum;
}

/* The gradient by each input. */
static void gradient(const Trial *t, const Value *in, Value *out) {
    Lifted call = function_lift(t->inputs, in);
    Value y = objective(t, call.x);
    function_stop(&call);
    sweep_gradients(1, &y, NULL, t->inputs, call.x, out);
    function_end(&call, y, t->inputs, out);
}

/* <direction, gradient>: what the second derivative is taken of. */
static Value directional(const Trial *t, const Value *in, const Value *direction) {
    Value g[MAX_INPUTS], sum = number(0);
    gradient(t, in, g);
    for (int i = 0; i < t->inputs; i++)
        sum = op_add(sum, op_sum(op_mul(g[i], direction[i]), ALL_AXES, false));
    return sum;
}

static void second_gradient(const Trial *t, const Value *in, const Value *direction, Value *out) {
    Lifted call = function_lift(t->inputs, in);
    Value y = directional(t, call.x, direction);
    function_stop(&call);
    sweep_gradients(1, &y, NULL, t->inputs, call.x, out);
    function_end(&call, y, t->inputs, out);
}

/* The derivative of the gradient along a direction, by a forward sweep over the reverse sweep. */
static void forward_over_reverse(const Trial *t, const Value *in, const Value *direction,
                                 Value *out) {
    Lifted call = function_lift(t->inputs, in);
    Value g[MAX_INPUTS];
    gradient(t, call.x, g);
    function_stop(&call);
    forward_tangents(t->inputs, g, t->inputs, call.x, direction, out);
    function_end(&call, NIL, t->inputs, out);
}

/* ---- comparing ---- */
static double element(Value v, int64_t i) {
    return array_get(array_of((Value){ v.tag, 0, { v.as.num } }), i);
}

static bool close_to(double a, double b, double tolerance) {
    return a == b || (a != a && b != b) || fabs(a - b) <= tolerance * (1 + fabs(a) + fabs(b));
}

typedef struct Complaint { char *text; size_t bytes; } Complaint;

static OpVerdict compare(int count, const Value *got, const Value *want, double tolerance,
                         Complaint why) {
    for (int k = 0; k < count; k++) {
        Shape a = value_shape(got[k]), b = value_shape(want[k]);
        if (!same_shape(a.axes, a.dim, b.axes, b.dim)) {
            snprintf(why.text, why.bytes, "input %d: shapes differ", k);
            return VERDICT_FAIL;
        }
        for (int64_t i = 0; i < size_of(got[k]); i++) {
            double x = element(got[k], i), y = element(want[k], i);
            if (close_to(x, y, tolerance)) continue;
            snprintf(why.text, why.bytes, "input %d, element %lld: got %.12g, expected %.12g", k,
                     (long long)i, x, y);
            return VERDICT_FAIL;
        }
    }
    return VERDICT_PASS;
}

/* Central differences of f at `in`, by every element of every input. */
typedef Value Objective(const Trial *t, const Value *in, const Value *direction);

static Value plain_objective(const Trial *t, const Value *in, const Value *direction) {
    (void)direction;
    return objective(t, in);
}

static void differences(const Trial *t, Objective *f, const Value *direction, Value *out) {
    for (int k = 0; k < t->inputs; k++) {
        Array *d = array_like(array_of(t->in[k]), F64);
        for (int64_t i = 0; i < d->size; i++) {
            double ends[2], h = 1e-5;
            for (int side = 0; side < 2; side++) {
                size_t pool = pool_mark();
                Value in[MAX_INPUTS];
                memcpy(in, t->in, sizeof in);
                Array *moved = array_copy(array_of(t->in[k]));
                f64_of(moved)[i] += side ? h : -h;
                in[k] = array_value(moved);
                ends[side] = num_of(f(t, in, direction));
                pool_unwind(pool);
            }
            f64_of(d)[i] = (ends[1] - ends[0]) / (2 * h);
        }
        out[k] = array_value(d);
    }
}

static void draw_directions(const Trial *t, Value *direction) {
    uint64_t state = 7;
    for (int k = 0; k < t->inputs; k++) {
        Shape s = value_shape(t->in[k]);
        direction[k] = array_value(draw_array(D_ANY, s.axes, s.dim, &state));
    }
}

/* ---- the aspects ---- */
static OpVerdict check_value(Op op, Complaint why) {
    if (!is_elementwise(op)) return VERDICT_NONE;      /* its example is run by adl test */
    Trial t = trial_of(op, false, false);
    Value whole = run(&t, t.in);
    for (int64_t i = 0; i < size_of(t.in[0]); i++) {
        Value in[2] = { number(element(t.in[0], i)),
                        t.inputs == 2 ? number(element(t.in[1], i)) : NIL };
        double one = num_of(apply(op, t.inputs, in, NULL)), many = element(whole, i);
        if (close_to(one, many, 0)) continue;
        snprintf(why.text, why.bytes, "element %lld: %.17g in an array, %.17g alone", (long long)i,
                 many, one);
        return VERDICT_FAIL;
    }
    return VERDICT_PASS;
}

static OpVerdict check_reverse(const Trial *t, Complaint why) {
    Value got[MAX_INPUTS], want[MAX_INPUTS];
    gradient(t, t->in, got);
    differences(t, plain_objective, NULL, want);
    return compare(t->inputs, got, want, 2e-8, why);
}

static OpVerdict check_recorded(const Trial *t, Complaint why) {
    Value plain[MAX_INPUTS], recorded[MAX_INPUTS];
    gradient(t, t->in, plain);
    Lifted outer = function_lift(t->inputs, t->in);
    gradient(t, outer.x, recorded);
    function_stop(&outer);
    function_end(&outer, NIL, 0, NULL);
    return compare(t->inputs, recorded, plain, 1e-15, why);
}

static OpVerdict check_forward(const Trial *t, Complaint why) {
    Value g[MAX_INPUTS], direction[MAX_INPUTS], tangent, reverse = number(0);
    draw_directions(t, direction);
    Lifted call = function_lift(t->inputs, t->in);
    Value y = objective(t, call.x);
    function_stop(&call);
    forward_tangents(1, &y, t->inputs, call.x, direction, &tangent);
    function_end(&call, y, 1, &tangent);
    gradient(t, t->in, g);
    for (int k = 0; k < t->inputs; k++)
        reverse = op_add(reverse, op_sum(op_mul(g[k], direction[k]), ALL_AXES, false));
    return compare(1, &tangent, &reverse, 1e-12, why);
}

static OpVerdict check_order2(const Trial *t, Complaint why) {
    Value direction[MAX_INPUTS], got[MAX_INPUTS], want[MAX_INPUTS];
    draw_directions(t, direction);
    second_gradient(t, t->in, direction, got);
    differences(t, directional, direction, want);
    return compare(t->inputs, got, want, 1e-7, why);
}

static OpVerdict check_mixed(const Trial *t, Complaint why) {
    Value direction[MAX_INPUTS], got[MAX_INPUTS], want[MAX_INPUTS];
    draw_directions(t, direction);
    second_gradient(t, t->in, direction, want);         /* the Hessian is symmetric */
    forward_over_reverse(t, t->in, direction, got);
    return compare(t->inputs, got, want, 1e-10, why);
}

static OpVerdict check_f32(const Trial *t, Complaint why) {
    Trial narrow = *t;
    Value got[MAX_INPUTS], want[MAX_INPUTS];
    for (int k = 0; k < t->inputs; k++) narrow.in[k] = op_cast(t->in[k], F32);
    Trial wide = narrow;
    for (int k = 0; k < t->inputs; k++) wide.in[k] = op_cast(narrow.in[k], F64);
    gradient(&narrow, narrow.in, got);
    gradient(&wide, wide.in, want);
    for (int k = 0; k < t->inputs; k++)
        if (dtype_of(got[k]) != F32) {
            snprintf(why.text, why.bytes, "input %d: the gradient is %s", k,
                     dtype_name(dtype_of(got[k])));
            return VERDICT_FAIL;
        }
    return compare(t->inputs, got, want, 2e-5, why);
}

/* The same numbers behind other strides: a transposed copy of the transpose. */
static OpVerdict check_views(const Trial *t, Complaint why) {
    Value strided[MAX_INPUTS], got[MAX_INPUTS], want[MAX_INPUTS];
    for (int k = 0; k < t->inputs; k++) {
        strided[k] = t->in[k];
        if (axes_of(t->in[k]) < 2) continue;
        Value turned = array_value(array_copy(array_of(op_transpose(t->in[k], NULL))));
        strided[k] = op_transpose(turned, NULL);
    }
    gradient(t, strided, got);
    gradient(t, t->in, want);
    return compare(t->inputs, got, want, 1e-14, why);
}

static OpVerdict check_empty(Op op, Complaint why) {
    Trial t = trial(op, false, true);
    Value g[MAX_INPUTS];
    gradient(&t, t.in, g);
    return compare(t.inputs, g, t.in, 0, why);
}

static OpVerdict check_nonfinite(Op op) {
    static const double values[] = {
        INFINITY, -INFINITY, NAN, 0, -0.0, 1e308, -1e308, 5e-324, 3e9
    };
    Trial t = trial(op, false, false);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        Value g[MAX_INPUTS], in[MAX_INPUTS];
        for (int k = 0; k < t.inputs; k++) {
            Array *a = array_copy(array_of(t.in[k]));
            f64_of(a)[(i + (size_t)k) % (size_t)a->size] = values[i];
            in[k] = array_value(a);
        }
        if (operations[op].class <= C_SELECT || !is_elementwise(op)) gradient(&t, in, g);
        else run(&t, in);
    }
    return VERDICT_PASS;
}

/* At a kink: reverse, forward, and reverse while recording. */
static OpVerdict check_kink(Op op, Complaint why) {
    const Kink *k = &kinks[op];
    Value one = number(1), got[3], x = number(k->at), f = opcheck_compile(k->text);
    Lifted outer = function_lift(1, &x);
    for (int turn = 0; turn < 2; turn++) {
        if (turn) function_stop(&outer);
        Lifted call = function_lift(1, turn ? &x : outer.x);
        Value y = f.as.function->call(f.as.function, 1, call.x);
        function_stop(&call);
        sweep_gradients(1, &y, NULL, 1, call.x, &got[turn]);
        if (turn) forward_tangents(1, &y, 1, call.x, &one, &got[2]);
    }
    function_end(&outer, NIL, 0, NULL);
    for (int i = 0; i < 3; i++) {
        if (close_to(element(got[i], 0), k->slope, 1e-14)) continue;
        snprintf(why.text, why.bytes, "%s: got %.12g, expected %.12g",
                 (const char *[]){ "recorded", "reverse", "forward" }[i], element(got[i], 0),
                 k->slope);
        return VERDICT_FAIL;
    }
    return VERDICT_PASS;
}

/* Has the row anything to differentiate? */
static bool is_smooth(Op op) {
    int class = operations[op].class;
    if (programs[op].text) return true;
    if (untried[op]) return false;
    return class == C_ELEM || class == C_SELECT || (!is_elementwise(op) && class != C_CONSTANT);
}

/* Can its inputs meet by broadcasting? */
static bool broadcasts(Op op) {
    return programs[op].text ? *programs[op].broadcasting
                             : is_elementwise(op) && operations[op].arity == 2;
}

/* Has the row such a thing, and can it be tried? */
static OpVerdict can_check(Op op, OpAspect aspect) {
    bool by_program = programs[op].text && opcheck_compile;
    bool by_itself = operations[op].domain != D_NONE &&
                     (is_elementwise(op) || (operations[op].call && operations[op].signature));
    if (aspect == CHECK_KINK)
        return kinks[op].text && opcheck_compile ? VERDICT_PASS : VERDICT_NONE;
    if (aspect == CHECK_VALUE && !is_elementwise(op))
        return VERDICT_NONE; /* its example is run by adl test */
    if (!is_smooth(op) && aspect != CHECK_VALUE &&
        !(aspect == CHECK_NONFINITE && is_elementwise(op)))
        return VERDICT_NONE;
    if (aspect == CHECK_BROADCAST && !broadcasts(op)) return VERDICT_NONE;
    if (operations[op].domain == D_NONE && is_elementwise(op)) return VERDICT_NONE;
    return by_program || by_itself ? VERDICT_PASS : VERDICT_MISSING;
}

typedef struct Check { Op op; OpAspect aspect; Complaint why; OpVerdict verdict; } Check;

static OpVerdict check(const Check *c) {
    Op op = c->op;
    OpVerdict can = can_check(op, c->aspect);
    if (can != VERDICT_PASS) return can;
    switch (c->aspect) {
    case CHECK_VALUE: return check_value(op, c->why);
    case CHECK_NONFINITE: return check_nonfinite(op);
    case CHECK_KINK: return check_kink(op, c->why);
    case CHECK_EMPTY: return check_empty(op, c->why);
    default: break;
    }
    Trial t = trial(op, c->aspect == CHECK_BROADCAST, false);
    switch (c->aspect) {
    case CHECK_REVERSE: case CHECK_BROADCAST: return check_reverse(&t, c->why);
    case CHECK_RECORDED: return check_recorded(&t, c->why);
    case CHECK_FORWARD: return check_forward(&t, c->why);
    case CHECK_ORDER2: return check_order2(&t, c->why);
    case CHECK_MIXED: return check_mixed(&t, c->why);
    case CHECK_F32: return check_f32(&t, c->why);
    case CHECK_VIEWS: return check_views(&t, c->why);
    default: return VERDICT_NONE;
    }
}

static void check_guarded(void *env) {
    Check *c = env;
    size_t pool = pool_mark();
    c->verdict = check(c);
    pool_unwind(pool);
}

OpVerdict opcheck(Op op, OpAspect aspect, char *why, size_t why_bytes) {
    Check c = { op, aspect, { why, why_bytes }, VERDICT_FAIL };
    Error error;
    why[0] = 0;
    if (guard(check_guarded, &c, &error)) return c.verdict;
    if (aspect == CHECK_EMPTY || aspect == CHECK_NONFINITE)
        return VERDICT_PASS; /* one clear error is an answer */
    snprintf(why, why_bytes, "%s", error.message);
    return VERDICT_FAIL;
}
