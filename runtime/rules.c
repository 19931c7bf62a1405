/* The rules of differentiation, expanded from ops.def in recorded operations: the second reading of
 * the texts that elem_kernels.c reads as arithmetic. A rule that is called while recording goes on
 * the tape itself, and so derivatives of any order need no rules of their own. */
#include <string.h>
#include "elem.h"
#include "rules.h"

static inline Value as_value(Value v) { return v; }
#define V(e) _Generic((e), Value: as_value, default: number)(e)

/* ---- elementwise: the words of the derivative texts ---- */
#define add(a, b) op_add(V(a), V(b))
#define sub(a, b) op_sub(V(a), V(b))
#define mul(a, b) op_mul(V(a), V(b))
#define div(a, b) op_div(V(a), V(b))
#define neg(a) op_neg(V(a))
#define power(a, b) op_power(V(a), V(b))
#define power_log(a, b) op_power_log(V(a), V(b))
#define log_unless(a, b) op_log_unless(V(a), V(b))
#define rsqrt(a) op_rsqrt(V(a))
#define mul_or_zero(a, b) op_mul_or_zero(V(a), V(b))
#define ratio_or_zero(a, b) op_ratio_or_zero(V(a), V(b))
#define floor_divide(a, b) op_floor_divide(V(a), V(b))
#define nonnegative(a) op_nonnegative(V(a))
#define sign(a) op_sign(V(a))
#define sqrt(a) op_sqrt(V(a))
#define exp(a) op_exp(V(a))
#define log(a) op_log(V(a))
#define sin(a) op_sin(V(a))
#define cos(a) op_cos(V(a))
#define sinh(a) op_sinh(V(a))
#define cosh(a) op_cosh(V(a))
#define hypot(a, b) op_hypot(V(a), V(b))
#define erfc(a) op_erfc(V(a))
#define sigmoid(a) op_sigmoid(V(a))
#define digamma(a) op_digamma(V(a))
#define polygamma(a, b) op_polygamma(V(a), V(b))

typedef Value ElemRule(Value x, Value y, Value r);
#define BY(name, which, rule)                                                                      \
    static Value name##_by##which(Value x, Value y, Value r) {                                     \
        (void)x, (void)y, (void)r;                                                                 \
        return V(rule);                                                                            \
    }
#define ELEM1(name, p, f, dom, dx, ...) BY(name, 0, dx)
#define ELEM2(name, p, f, dom, dx, dy, ...) BY(name, 0, dx) BY(name, 1, dy)
#include "ops.def"

static ElemRule *const elem_rules[OP_ELEMS][2] = {
#define ELEM1(name, ...) [OP_##name] = { name##_by0 },
#define ELEM2(name, ...) [OP_##name] = { name##_by0, name##_by1 },
#include "ops.def"
};

Value elem_rule(Op op, int which, Value x, Value y, Value r) {
    return elem_rules[op][which](x, y, r);
}

/* ---- rows ---- */
#define NONE NOTHING
#define ROW(name, prints, signature, class, kernel, call, domain, by_x, by_y, by_z, ...)           \
    static Value name##_pull(const Pull *p) {                                                      \
        Value g = p->g, r = p->r, x = p->in[0], y = p->count > 1 ? p->in[1] : NOTHING;             \
        Value z = p->count > 2 ? p->in[2] : NOTHING;                                               \
        const Value *in = p->in;                                                                   \
        const Attr *attr = p->attr;                                                                \
        int which = p->which, count = p->count;                                                    \
        (void)g, (void)r, (void)x, (void)y, (void)z, (void)in, (void)attr, (void)which,            \
            (void)count;                                                                           \
        switch (which) {                                                                           \
        case 0:                                                                                    \
            return by_x;                                                                           \
        case 1:                                                                                    \
            return by_y;                                                                           \
        default:                                                                                   \
            return by_z;                                                                           \
        }                                                                                          \
    }
#include "ops.def"

typedef Value RowRule(const Pull *p);
static RowRule *const row_rules[OP_COUNT] = {
#define ROW(name, ...) [OP_##name] = name##_pull,
#include "ops.def"
};

Value row_pullback(const Pull *p) { return row_rules[p->op](p); }

bool row_differentiable(Op op, int which) {
    return strcmp(operations[op].rule[which < 2 ? which : 2], "NONE") != 0;
}

/* ---- forward rules: of rows where the transposed pullback would not do ---- */
typedef Value PushRule(Value t, Value r);
static PushRule *const push_rules[OP_COUNT] = { [OP_eigh] = op_eigh_push, [OP_svd] = op_svd_push };

Value row_push(int op, Value t, Value r) { return push_rules[op] ? push_rules[op](t, r) : UNSET; }
