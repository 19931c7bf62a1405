/* Expressions for which there is a shorter way: arithmetic and comparison of two plain numbers, by where
 * the operands come from: a variable (V), a constant (K), any expression (E).
 *
 * The one idea: two tests tell that both operands are numbers and that neither is on the tape; numbers on
 * the tape are appended here, and everything else goes to binary() in eval.c, which knows arrays, the tape and trees. Nothing here
 * sets rt.here: a number cannot fail. A variable is read after the other operand is evaluated; where that
 * could make a difference the parser has set AST_PIN, and the name counts as an expression. */
#include "elem.h"
#include "eval.h"
#include "tape.h"

#define VARIABLE(name, node_) const Value name = frame->variables[(node_)->scope][(node_)->slot]
#define EXPRESSION(name, node_) const Value name = eval(node_, frame)
#define CONSTANT(name, node_) const Value name = number((node_)->value.as.num)

static Value operand(Ast *node, Frame *frame, Value v) {
    return v.tag == V_UNSET ? library_or_fail(node, frame) : v;
}

/* Something is no plain number, or a variable is not set. */
static __attribute__((noinline)) Value general(Ast *node, Frame *frame, Value x, Value y) {
    x = operand(node->a, frame, x);
    y = operand(node->b, frame, y);
    return binary(node, x, y);
}

/* Two numbers, one of them perhaps on the tape, and what the operation gives. */
static __attribute__((noinline)) Value recorded(Ast *node, Value x, Value y, Value r) {
    if (node->op == OP_power) return binary(node, x, y);  /* a square has a row of its own */
    if (!rt.recording || !(x.node | y.node) || operations[node->op].class > C_SELECT) return r;
    rt.here = node->span;
    r.node = tape_append_scalar(node->op, x, y, r.as.num);
    return r;
}

/* A number into a variable: a fresh node has nobody else to count. */
static inline void store_number(Value *place, Value v) {
    Value old = *place;
    if (is_recorded(v)) {
        Chunk *c = chunk_of(v.node);
        Node *n = &c->node[v.node & CHUNK_MASK];
        if (n->held == 0) {
            n->held = 1;
            c->held++;
            rt.tape->held++;
        } else {
            node_hold(v.node);
        }
    } else {
        value_hold(v);
    }
    *place = v;
    value_release(old);
}

/* first is evaluated first: the expression, if only one operand is one. */
#define NODE(name, first, second, result)                                                      \
    static Value name(Ast *node, Frame *frame) {                                               \
        first;                                                                                 \
        second;                                                                                \
        if (__builtin_expect((x.tag | y.tag) == V_NUM, 1)) {                                   \
            const double a = x.as.num, b = y.as.num;                                           \
            if (__builtin_expect((x.node | y.node) == 0, 1)) return result;                    \
            return recorded(node, x, y, result);                                               \
        }                                                                                      \
        return general(node, frame, x, y);                                                     \
    }

/* The same, stored into the variable of a surrounding assignment. */
#define STORE(name, first, second, result)                                                     \
    static Value store_##name(Ast *assignment, Frame *frame) {                                 \
        Ast *node = assignment->b;                                                             \
        first;                                                                                 \
        second;                                                                                \
        Value *place = &frame->variables[assignment->scope][assignment->slot];                 \
        if (__builtin_expect((head_of(x) | head_of(y)) == 0 && head_of(*place) < V_ARRAY, 1)) { \
            const double a = x.as.num, b = y.as.num;                                           \
            *place = result;                                                                   \
        } else if ((x.tag | y.tag) == V_NUM) {                                                 \
            const double a = x.as.num, b = y.as.num;                                           \
            store_number(place, recorded(node, x, y, result));                                 \
        } else {                                                                               \
            value_store(place, general(node, frame, x, y));                                    \
        }                                                                                      \
        return NIL;                                                                            \
    }

#define NODES(op, result) FORMS(NODE, op, result)
#define STORES(op, result) FORMS(STORE, op, result)
#define FORMS(NODE, op, result)                                                                      \
    NODE(op##_vk, VARIABLE(x, node->a), CONSTANT(y, node->b), result)                          \
    NODE(op##_kv, CONSTANT(x, node->a), VARIABLE(y, node->b), result)                          \
    NODE(op##_ek, EXPRESSION(x, node->a), CONSTANT(y, node->b), result)                        \
    NODE(op##_ke, EXPRESSION(y, node->b), CONSTANT(x, node->a), result)                        \
    NODE(op##_vv, VARIABLE(x, node->a), VARIABLE(y, node->b), result)                          \
    NODE(op##_ve, EXPRESSION(y, node->b), VARIABLE(x, node->a), result)                        \
    NODE(op##_ev, EXPRESSION(x, node->a), VARIABLE(y, node->b), result)                        \
    NODE(op##_ee, EXPRESSION(x, node->a), EXPRESSION(y, node->b), result)

/* The operations with a short way, and what they give for plain numbers a and b: as their rows in ops.def.
 * Those that loops are made of are also stored without a call in between. */
#define LOOP_OPS(OP)                                                                           \
    OP(add, number(a + b))                                                                     \
    OP(sub, number(a - b))                                                                     \
    OP(mul, number(a * b))                                                                     \
    OP(div, number(a / b))
#define FAST_OPS(OP)                                                                           \
    LOOP_OPS(OP)                                                                               \
    OP(mod, number(elem_kernels[node->op].scalar(a, b)))                                       \
    OP(floor_divide, number(elem_kernels[node->op].scalar(a, b)))                              \
    OP(power, number(elem_kernels[node->op].scalar(a, b)))                                     \
    OP(eq, boolean(a == b))                                                                    \
    OP(ne, boolean(a != b))                                                                    \
    OP(lt, boolean(a < b))                                                                     \
    OP(le, boolean(a <= b))                                                                    \
    OP(gt, boolean(a > b))                                                                     \
    OP(ge, boolean(a >= b))

FAST_OPS(NODES)
LOOP_OPS(STORES)

/* By the kinds of the left operand and the right: expression, variable, constant. */
enum { EXPRESSION_, VARIABLE_, CONSTANT_, OPERAND_KINDS };
typedef Eval *const Forms[OPERAND_KINDS][OPERAND_KINDS];
#define NODE_FORMS(op, result)                                                                 \
    [OP_##op] = { { op##_ee, op##_ev, op##_ek }, { op##_ve, op##_vv, op##_vk }, { op##_ke, op##_kv, op##_ee } },
#define STORE_FORMS(op, result)                                                                \
    [OP_##op] = { { store_##op##_ee, store_##op##_ev, store_##op##_ek },                       \
                  { store_##op##_ve, store_##op##_vv, store_##op##_vk },                       \
                  { store_##op##_ke, store_##op##_kv, store_##op##_ee } },
static const Forms nodes[OP_ELEMS] = { FAST_OPS(NODE_FORMS) }, stores[OP_ELEMS] = { LOOP_OPS(STORE_FORMS) };

static int operand_kind(const Ast *node) {
    if (node->kind == A_NAME && node->scope != S_CELL && !(node->flags & AST_PIN)) return VARIABLE_;
    if (node->kind == A_CONSTANT && head_of(node->value) == 0) return CONSTANT_;
    return EXPRESSION_;
}

static Eval *form_of(const Forms *table, const Ast *node) {
    if (node->kind != A_BINARY || node->op >= OP_ELEMS) return NULL;
    return table[node->op][operand_kind(node->a)][operand_kind(node->b)];
}

Eval *choose_fast(const Ast *node) { return form_of(nodes, node); }
Eval *choose_fast_assign(const Ast *node) { return form_of(stores, node->b); }
