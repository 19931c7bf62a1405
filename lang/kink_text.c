/* Which steps sit on a kink. See kink_text.h. */
#include "kink_text.h"
#include "kernels.h"
#include "rules.h"

/* An operation, the inputs at which it has a kink, and what is taken there. */
typedef enum Where { X_ZERO, R_ZERO, TIE, SHARED_TIE, BOTH_ZERO } Where;
typedef struct Kink { Op op; Where where; const char *text; } Kink;
static const Kink kinks[] = {
    { OP_abs, X_ZERO, "abs at 0 takes slope 0, halfway between -1 and 1" },
    { OP_relu, X_ZERO, "relu at 0 takes slope 0" },
    { OP_maximum, TIE, "maximum at a tie gives half to each side" },
    { OP_minimum, TIE, "minimum at a tie gives half to each side" },
    { OP_max, SHARED_TIE, "max at a tie shares the gradient evenly" },
    { OP_min, SHARED_TIE, "min at a tie shares the gradient evenly" },
    { OP_max_pool, SHARED_TIE, "max_pool at a tie shares the gradient evenly" },
    { OP_norm, R_ZERO, "norm at 0 takes slope 0" },
    { OP_hypot, BOTH_ZERO, "hypot at (0, 0) takes slope 0" },
    { OP_sqrt, X_ZERO, "sqrt at 0 has slope inf" },
    { OP_cbrt, X_ZERO, "cbrt at 0 has slope inf" },
};

static double count_true(Value mask) {
    if (is_number(mask)) return num_of(mask);
    return num_of(op_sum(mask, ALL_AXES, false));
}

static const Kink *kink_of(int op) {
    for (size_t i = 0; i < sizeof kinks / sizeof *kinks; i++)
        if ((int)kinks[i].op == op) return &kinks[i];
    return NULL;
}

/* Places of windows that have a part of the gradient only; an element may be in several windows. */
static double pool_ties(Value x, Value r, const Attr *attr) {
    Value share = op_max_pool_shares(x, r, attr);
    return count_true(op_mul(op_gt(share, number(0)), op_lt(share, number(1))));
}

/* Elements of x that are as great as the result they compete for, beyond one for each result. */
static double shared_ties(const Wengert *w, uint32_t step, Value x, Value r) {
    const Node *n = node_at(w->step[step].node);
    if (!n->x.extra || x.tag != V_ARRAY) return 0;
    if (node_op(n) == OP_max_pool) return pool_ties(x, r, n->x.extra->attr);
    Value whole = op_spread(r, x, n->x.extra->attr);
    double many = count_true(op_eq(x, whole)) - (double)size_of(r);
    return many > 0 ? many + 1 : 0;
}

static double elements_at(const Wengert *w, uint32_t step, const Kink *k) {
    Value x = w->step[step].inputs ? wengert_input(w, step, 0).value : UNSET,
          r = wengert_value(w, step);
    Value y = w->step[step].inputs > 1 ? wengert_input(w, step, 1).value : number(0);
    if (x.tag == V_UNSET || r.tag == V_UNSET || y.tag == V_UNSET || !is_numeric(x) ||
        !is_numeric(r))
        return 0;
    switch (k->where) {
    case X_ZERO: return count_true(op_eq(x, number(0)));
    case R_ZERO: case BOTH_ZERO: return count_true(op_eq(r, number(0)));
    case TIE: return count_true(op_eq(x, y));
    case SHARED_TIE: return shared_ties(w, step, x, r);
    }
    return 0;
}

int64_t kink_of_step(const Wengert *w, uint32_t step, const char **text) {
    const Kink *k = kink_of(w->step[step].op);
    if (!k || w->step[step].lost) return 0;
    bool was = rt.recording;
    rt.recording = false;
    int64_t count = (int64_t)elements_at(w, step, k);
    rt.recording = was;
    if (text) *text = k->text;
    return count;
}
