/* Which steps of a program run together (passes.h), and where the results of its passes lie. */
#include <string.h>
#include "passes.h"
#include "tiles.h"

const PassKernels *pass_kernels;

static const uint16_t pair_op[PAIR_OPS] = { OP_add, OP_sub, OP_mul, OP_div };
static const uint16_t long_op[LONG_OPS] = { OP_exp, OP_tanh, OP_sigmoid, OP_silu };

static int place_of(const uint16_t *ops, int count, Op op) {
    for (int i = 0; i < count; i++)
        if (ops[i] == op) return i;
    return -1;
}

/* A pair with the result of arithmetic that only this step takes, as each step but the last. */
static bool join_pair(Program *p, int i, Pass *pass) {
    const Step *s = &p->step[i];
    int outer = place_of(pair_op, PAIR_OPS, s->op);
    for (int k = 1; outer >= 0 && k >= 0; k--) {
        if (s->in[k] < 0) continue;
        const Step *operand = &p->step[s->in[k]];
        int inner = place_of(pair_op, PAIR_OPS, operand->op);
        if (inner < 0) continue;
        *pass = (Pass){ .loop = pass_kernels->pair[inner][outer][k][p->dtype], .count = 3,
                        .in = { operand->in[0], operand->in[1], s->in[1 - k] } };
        pass->joined = s->in[k];
        return true;
    }
    return false;
}

PassLoop *fetching_loop(Op op, bool negated, int dtype) {
    int place = place_of(long_op, LONG_OPS, op);
    return place < 0 ? NULL : pass_kernels->long_one[place][negated][dtype];
}

/* A step beside which the next tile can be fetched, with the sign of its operand. */
static bool join_long(Program *p, int i, Pass *pass) {
    const Step *s = &p->step[i];
    bool negated = s->in[0] >= 0 && p->step[s->in[0]].op == OP_neg;
    PassLoop *loop = fetching_loop(s->op, negated, p->dtype);
    if (!loop) return false;
    *pass = (Pass){ .loop = loop, .count = 1, .joined = -1, .fetches = true, .in = { s->in[0] } };
    if (!negated) return true;
    pass->joined = s->in[0];
    pass->in[0] = p->step[s->in[0]].in[0];
    return true;
}

static void join_steps(Program *p) {
    bool joined[PROGRAM_STEPS] = { false };
    Pass pass[PROGRAM_STEPS];
    for (int i = p->steps - 1; i >= 0; i--) {
        const Step *s = &p->step[i];
        if (joined[i]) continue;
        pass[i] = (Pass){ .count = s->count, .joined = -1 };
        memcpy(pass[i].in, s->in, sizeof s->in);
        if (join_pair(p, i, &pass[i]) || join_long(p, i, &pass[i]))
            if (pass[i].joined >= 0) joined[pass[i].joined] = true;
        pass[i].step = (int8_t)i;
    }
    p->passes = 0;
    for (int i = 0; i < p->steps; i++)
        if (!joined[i]) p->pass[p->passes++] = pass[i];
}

/* A result may lie over an operand, but a wide one not over a bool, which it would run ahead of. */
static void give_slots(Program *p) {
    uint32_t taken = 0;
    for (int i = 0; i < p->passes; i++) {
        const Pass *pass = &p->pass[i];
        Step *s = &p->step[pass->step];
        uint32_t freed = 0, bools = 0;
        for (int k = 0; k < pass->count; k++) {
            if (pass->in[k] < 0) continue;
            const Step *operand = &p->step[pass->in[k]];
            freed |= UINT32_C(1) << operand->slot;
            if (operand->dtype == BOOL && s->dtype != BOOL) bools |= UINT32_C(1) << operand->slot;
        }
        taken &= ~freed;
        s->slot = (int8_t)__builtin_ctz(~(taken | bools));
        taken |= UINT32_C(1) << s->slot;
    }
}

void choose_fetched(int sources, const Source *source, int8_t fetched[FETCHED]) {
    int count = 0;
    for (int k = 0; k < sources && count < FETCHED; k++)
        if (source[k].kind == SOURCE_PLAIN) fetched[count++] = (int8_t)k;
    if (!count) fetched[count++] = -1;
    for (int k = count; k < FETCHED; k++) fetched[k] = fetched[k - count];
}

Ahead sources_ahead(const Source *source, const int8_t fetched[FETCHED], int64_t first) {
    Ahead a = { { NULL } };
    for (int k = 0; k < FETCHED && fetched[k] >= 0; k++) {
        const Source *s = &source[fetched[k]];
        a.at[k] = s->at + first * (int64_t)dtype_bytes(s->dtype);
    }
    return a;
}

void program_join(Program *p) {
    join_steps(p);
    give_slots(p);
    p->fetching = false;
    for (int i = 0; i < p->passes; i++) p->fetching |= p->pass[i].fetches;
    choose_fetched(p->sources, p->source, p->fetched);
}
