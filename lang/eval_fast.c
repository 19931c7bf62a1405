/* What there is a shorter way for: arithmetic and comparison of two plain numbers, by where the
 * operands come from: a variable (V), a constant (K), any expression (E); the same stored into a
 * variable, and comparisons as conditions; and items of lists and vectors.
 *
 * The one idea: one test tells that both operands are numbers and that neither is on the tape.
 * Numbers on the tape are appended here, and everything else goes to binary() in eval.c, which
 * knows arrays, the tape and trees. Nothing here sets rt.here but what records: a number cannot
 * fail. A variable is read after the other operand is evaluated; where that could make a
 * difference the parser has set AST_PIN, and the name counts as an expression. */
#include "elem.h"
#include "eval.h"
#include "tape.h"

/* The operands stand in near[0] and near[1] of the binary node, or are evaluated from a and b. */
#define VARIABLE(name, which, kid) const Value *const name = near_variable(frame, node->near[which])
#define CONSTANT(name, which, kid)                                                                 \
    const Value name##_value = number(node->near[which].number), *const name = &name##_value
#define EXPRESSION(name, which, kid)                                                               \
    const Value name##_value = eval(kid, frame), *const name = &name##_value
#define NUMBERS const double a = x->as.num, b = y->as.num
#define LIKELY(condition) __builtin_expect(condition, 1)
#define SELDOM static __attribute__((noinline))

static inline bool plain(Value x, Value y) { return (head_of(x) | head_of(y)) == 0; }
static inline bool numbers(Value x, Value y) { return (x.tag | y.tag) == V_NUM; }

static Value operand(Ast *node, Frame *frame, Value v) {
    return v.tag == V_UNSET ? library_or_fail(node, frame) : v;
}

/* Something is no number, or a variable is not set. */
SELDOM Value general(Ast *node, Frame *frame, Value x, Value y) {
    x = operand(node->a, frame, x);
    y = operand(node->b, frame, y);
    return binary(node, x, y);
}

/* Two numbers, one of them perhaps on the tape. */
static inline Value recorded(Ast *node, Op op, Value x, Value y, double result) {
    Value r = number(result);
    if (!rt.recording || !(x.node | y.node) || operations[op].class > C_SELECT) return r;
    rt.here = node->span;
    r.node = tape_append_scalar(op, x, y, result);
    return r;
}

/* Which operands are temporaries. */
static inline int reuse_of(const Ast *node) {
    int x = node->a->flags & AST_TEMPORARY ? REUSE_X : 0;
    return x | (node->b->flags & AST_TEMPORARY ? REUSE_Y : 0);
}

/* Whole numbers that are not negative, as counters are, need no fmod(). */
static inline bool counters(double a, double b) {
    return a >= 0 && a < 0x1p31 && b >= 1 && b < 0x1p31 && a == (int32_t)a && b == (int32_t)b;
}
static inline double remainder_of(double a, double b) {
    return counters(a, b) ? (int32_t)a % (int32_t)b : elem_kernels[OP_mod].scalar(a, b);
}
/* -0 // 1 is -0. */
static inline double quotient_of(double a, double b) {
    if (a > 0 && counters(a, b)) return (int32_t)a / (int32_t)b;
    return elem_kernels[OP_floor_divide].scalar(a, b);
}

/* ---- values ---- */
/* What is not plain. A square has a row of its own. */
#define CAREFUL(op_, result)                                                                       \
    SELDOM Value careful_##op_(Ast *node, Frame *frame, Value x, Value y) {                        \
        const double a = x.as.num, b = y.as.num;                                                   \
        if (LIKELY(numbers(x, y) && OP_##op_ != OP_power))                                         \
            return recorded(node, OP_##op_, x, y, result);                                         \
        if (x.tag == V_ARRAY && y.tag == V_ARRAY) {                                                \
            rt.here = node->span;                                                                  \
            Value r = apply_small(OP_##op_, x, y, reuse_of(node));                                 \
            if (r.tag != V_UNSET) return r;                                                        \
        }                                                                                          \
        return general(node, frame, x, y);                                                         \
    }

/* first is evaluated first: the expression, if only one operand is one. */
#define ARITHMETIC(name, op, first, second, result)                                                \
    static Value name(Ast *node, Frame *frame) {                                                   \
        first;                                                                                     \
        second;                                                                                    \
        if (LIKELY(plain(*x, *y))) {                                                               \
            NUMBERS;                                                                               \
            return number(result);                                                                 \
        }                                                                                          \
        return careful_##op(node, frame, *x, *y);                                                  \
    }
/* A comparison is never on the tape. */
#define COMPARISON(name, op, first, second, result)                                                \
    static Value name(Ast *node, Frame *frame) {                                                   \
        first;                                                                                     \
        second;                                                                                    \
        if (LIKELY(numbers(*x, *y))) {                                                             \
            NUMBERS;                                                                               \
            return boolean(result);                                                                \
        }                                                                                          \
        return general(node, frame, *x, *y);                                                       \
    }

/* ---- items ---- */
/* x[i] in a list or a vector of f64 that is not on the tape; false: not so plain. */
static inline bool plain_item(const Value *x, const Value *i, Value *out) {
    if (head_of(*i) != 0) return false;
    bool list = x->tag == V_LIST;
    if (!list && (x->tag != V_ARRAY || x->node)) return false;
    double count = list ? (double)x->as.list->count : (double)x->as.array->size;
    if (!(i->as.num >= -count && i->as.num < count)) return false;
    int64_t at = (int64_t)i->as.num;
    if ((double)at != i->as.num) return false;
    at += at < 0 ? (int64_t)count : 0;
    if (list) {
        *out = x->as.list->item[at];
        return true;
    }
    if (x->as.array->dtype != F64 || x->as.array->axes != 1) return false;
    *out = number(*vector_at(x->as.array, at));
    return true;
}

SELDOM Value general_item(Ast *node, Frame *frame, Value x, Value i) {
    return index_at(node, operand(node->a, frame, x), operand(node->kids[0], frame, i));
}

#define ITEM(name, first, second)                                                                  \
    static Value name(Ast *node, Frame *frame) {                                                   \
        first;                                                                                     \
        second;                                                                                    \
        Value item;                                                                                \
        if (LIKELY(plain_item(x, y, &item))) return item;                                          \
        return general_item(node, frame, *x, *y);                                                  \
    }
ITEM(item_vv, VARIABLE(x, 0, node->a), VARIABLE(y, 1, node->kids[0]))
ITEM(item_vk, VARIABLE(x, 0, node->a), CONSTANT(y, 1, node->kids[0]))
ITEM(item_ee, EXPRESSION(x, 0, node->a), EXPRESSION(y, 1, node->kids[0]))

/* m[i, j] in a matrix of f64 that is not on the tape. */
static Value eval_element(Ast *node, Frame *frame) {
    EXPRESSION(m, 0, node->a);
    EXPRESSION(i, 1, node->kids[0]);
    EXPRESSION(j, 2, node->kids[1]);
    if (LIKELY(plain(*i, *j) && head_of(*m) == V_ARRAY)) {
        const Array *a = m->as.array;
        const double *place = a->dtype == F64 && a->axes == 2
                            ? matrix_element(a, i->as.num, j->as.num) : NULL;
        if (LIKELY(place != NULL)) return number(*place);
    }
    return index_at_both(node, *m, *i, *j);
}

/* ---- conditions ---- */
SELDOM bool general_test(Ast *node, Frame *frame, Value x, Value y) {
    Value v = general(node, frame, x, y);
    return v.tag == V_BOOL ? v.as.truth : truth(v, node->span);
}

#define TEST(name, op, first, second, result)                                                      \
    static bool test_##name(Ast *node, Frame *frame) {                                             \
        first;                                                                                     \
        second;                                                                                    \
        if (LIKELY(numbers(*x, *y))) {                                                             \
            NUMBERS;                                                                               \
            return result;                                                                         \
        }                                                                                          \
        return general_test(node, frame, *x, *y);                                                  \
    }

/* ---- stored into a variable ---- */
/* What a recorded value has taken the place of. */
static inline bool let_go(Value old) {
    if (old.node && !(is_recorded(old) && node_release_one(old.node))) node_release(old.node);
    if (is_object(old)) obj_drop(old.as.obj);
    return rt.tape->busy;
}

/* Of the frame that runs. x and y are numbers on the tape most often: then the node is made with
 * one holder, and the variable's old one loses it. */
#define STORE_CAREFUL(op_, result)                                                                 \
    SELDOM bool store_careful_##op_(Ast *node, Value *place, Value x, Value y) {                   \
        const double a = x.as.num, b = y.as.num;                                                   \
        if (x.tag == V_ARRAY && y.tag == V_ARRAY) {                                                \
            rt.here = node->span;                                                                  \
            if (apply_small_into(OP_##op_, place, x, y, reuse_of(node))) return rt.tape->busy;     \
        }                                                                                          \
        if (!numbers(x, y) || !rt.recording || !(x.node | y.node) || !tape_has_room()) {           \
            Value v = careful_##op_(node, interp.frame, x, y), old = *place;                       \
            pool_take(v);                                                                          \
            *place = v;                                                                            \
            return let_go(old);                                                                    \
        }                                                                                          \
        Value old = *place;                                                                        \
        rt.here = node->span;                                                                      \
        *place = (Value){ V_NUM, tape_append_held(OP_##op_, x, y, result), { .num = result } };    \
        return let_go(old);                                                                        \
    }

#define STORE(name, op, first, second, result)                                                     \
    static bool store_##name(Ast *assignment, Frame *frame) {                                      \
        Ast *node = assignment->b;                                                                 \
        first;                                                                                     \
        second;                                                                                    \
        Value *place = near_variable(frame, assignment->near[0]);                                  \
        if (LIKELY(plain(*x, *y) && head_of(*place) < V_ARRAY)) {                                  \
            NUMBERS;                                                                               \
            *place = number(result);                                                               \
            return false;                                                                          \
        }                                                                                          \
        return store_careful_##op(node, place, *x, *y);                                            \
    }

/* name op= y: the variable is the left operand. Outside `record` it may have a slot to keep. */
#define UPDATE_CAREFUL(op_, result)                                                                \
    SELDOM bool update_careful_##op_(Ast *assignment, Value *place, Value y) {                     \
        const Value x = *place;                                                                    \
        const double a = x.as.num, b = y.as.num;                                                   \
        if (x.tag == V_ARRAY && y.tag == V_ARRAY && (rt.recording || !x.node)) {                   \
            rt.here = assignment->span;                                                            \
            int reuse = assignment->b->flags & AST_TEMPORARY ? REUSE_Y : 0;                        \
            if (apply_small_into(OP_##op_, place, x, y, reuse)) return rt.tape->busy;              \
        }                                                                                          \
        if (!numbers(x, y) || !rt.recording || !(x.node | y.node) || !tape_has_room()) {           \
            update_name_with(assignment, interp.frame, y);                                         \
            return true;                                                                           \
        }                                                                                          \
        rt.here = assignment->span;                                                                \
        *place = (Value){ V_NUM, tape_append_held(OP_##op_, x, y, result), { .num = result } };    \
        return let_go(x);                                                                          \
    }
#define UPDATE(name, op, second, result)                                                           \
    static bool update_##name(Ast *node, Frame *frame) {                                           \
        second;                                                                                    \
        Value *const x = near_variable(frame, node->near[0]);                                      \
        if (LIKELY(plain(*x, *y))) {                                                               \
            NUMBERS;                                                                               \
            *x = number(result);                                                                   \
            return false;                                                                          \
        }                                                                                          \
        return update_careful_##op(node, x, *y);                                                   \
    }

/* ---- which there are ---- */
#define FORMS(NODE, op, result)                                                                    \
    NODE(op##_vk, op, VARIABLE(x, 0, node->a), CONSTANT(y, 1, node->b), result)                    \
    NODE(op##_kv, op, CONSTANT(x, 0, node->a), VARIABLE(y, 1, node->b), result)                    \
    NODE(op##_ek, op, EXPRESSION(x, 0, node->a), CONSTANT(y, 1, node->b), result)                  \
    NODE(op##_ke, op, EXPRESSION(y, 1, node->b), CONSTANT(x, 0, node->a), result)                  \
    NODE(op##_vv, op, VARIABLE(x, 0, node->a), VARIABLE(y, 1, node->b), result)                    \
    NODE(op##_ve, op, EXPRESSION(y, 1, node->b), VARIABLE(x, 0, node->a), result)                  \
    NODE(op##_ev, op, EXPRESSION(x, 0, node->a), VARIABLE(y, 1, node->b), result)                  \
    NODE(op##_ee, op, EXPRESSION(x, 0, node->a), EXPRESSION(y, 1, node->b), result)

#define UPDATE_FORMS(NODE, op, result)                                                             \
    NODE(op##_by_v, op, VARIABLE(y, 1, node->b), result)                                           \
    NODE(op##_by_k, op, CONSTANT(y, 1, node->b), result)                                           \
    NODE(op##_by_e, op, EXPRESSION(y, 1, node->b), result)

/* What they give for plain numbers a and b: as their rows in ops.def. Those that loops are made of
 * are also stored without a call in between. */
#define LOOP_OPS(OP, NODE)                                                                         \
    OP(NODE, add, a + b)                                                                           \
    OP(NODE, sub, a - b)                                                                           \
    OP(NODE, mul, a * b)                                                                           \
    OP(NODE, div, a / b)
#define CALLED_OPS(OP, NODE)                                                                       \
    OP(NODE, mod, remainder_of(a, b))                                                              \
    OP(NODE, floor_divide, quotient_of(a, b))                                                      \
    OP(NODE, power, elem_kernels[node->op].scalar(a, b))
#define COMPARISONS(OP, NODE)                                                                      \
    OP(NODE, eq, a == b)                                                                           \
    OP(NODE, ne, a != b)                                                                           \
    OP(NODE, lt, a < b)                                                                            \
    OP(NODE, le, a <= b)                                                                           \
    OP(NODE, gt, a > b)                                                                            \
    OP(NODE, ge, a >= b)

#define AS_IT_IS(NODE, op, result) NODE(op, result)
LOOP_OPS(AS_IT_IS, CAREFUL)
CALLED_OPS(AS_IT_IS, CAREFUL)
LOOP_OPS(AS_IT_IS, STORE_CAREFUL)
LOOP_OPS(FORMS, ARITHMETIC)
CALLED_OPS(FORMS, ARITHMETIC)
COMPARISONS(FORMS, COMPARISON)
COMPARISONS(FORMS, TEST)
LOOP_OPS(FORMS, STORE)
LOOP_OPS(AS_IT_IS, UPDATE_CAREFUL)
LOOP_OPS(UPDATE_FORMS, UPDATE)

/* By the kinds of the left operand and the right. Two constants go the expression's way. */
enum { EXPRESSION_, VARIABLE_, CONSTANT_, OPERAND_KINDS };
#define ROW_OF(prefix, op, result)                                                                 \
    [OP_##op] = { { prefix##op##_ee, prefix##op##_ev, prefix##op##_ek },                           \
                  { prefix##op##_ve, prefix##op##_vv, prefix##op##_vk },                           \
                  { prefix##op##_ke, prefix##op##_kv, prefix##op##_ee } },
static Eval *const values[OP_ELEMS][OPERAND_KINDS][OPERAND_KINDS] = {
    LOOP_OPS(ROW_OF, ) CALLED_OPS(ROW_OF, ) COMPARISONS(ROW_OF, )
};
static Test *const tests[OP_ELEMS][OPERAND_KINDS][OPERAND_KINDS] = { COMPARISONS(ROW_OF, test_) };
static Perform *const stores[OP_ELEMS][OPERAND_KINDS][OPERAND_KINDS] = { LOOP_OPS(ROW_OF, store_) };

#define UPDATE_ROW(prefix, op, result)                                                             \
    [OP_##op] = { prefix##op##_by_e, prefix##op##_by_v, prefix##op##_by_k },
static Perform *const updates[OP_ELEMS][OPERAND_KINDS] = { LOOP_OPS(UPDATE_ROW, update_) };

static int operand_kind(const Ast *node) {
    if (node->kind == A_NAME && node->scope != S_CELL && !(node->flags & AST_PIN)) return VARIABLE_;
    if (node->kind == A_CONSTANT && head_of(node->value) == 0) return CONSTANT_;
    return EXPRESSION_;
}

static bool has_forms(const Ast *node) { return node->kind == A_BINARY && node->op < OP_ELEMS; }
#define FORM(table, node) (table)[(node)->op][operand_kind((node)->a)][operand_kind((node)->b)]

Eval *choose_fast(const Ast *node) { return has_forms(node) ? FORM(values, node) : NULL; }
/* An index that is computed might change what the variable is. */
Eval *choose_fast_item(const Ast *node) {
    if (node->count == 2) return eval_element;
    int index = operand_kind(node->kids[0]);
    if (operand_kind(node->a) != VARIABLE_ || index == EXPRESSION_) return item_ee;
    return index == VARIABLE_ ? item_vv : item_vk;
}

Test *choose_fast_test(const Ast *node) { return has_forms(node) ? FORM(tests, node) : NULL; }
Perform *choose_fast_assign(const Ast *node) {
    return has_forms(node->b) ? FORM(stores, node->b) : NULL;
}
Perform *choose_fast_update(const Ast *node) {
    return node->op < OP_ELEMS ? updates[node->op][operand_kind(node->b)] : NULL;
}
