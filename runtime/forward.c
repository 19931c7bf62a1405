/* The forward sweep. A row's class says how a tangent passes: elementwise rows multiply it by the
 * same local derivative as the reverse sweep does, linear rows are applied to it, and any other row
 * is passed by transposing its pullback: the pullback is linear in the adjoint u, so the derivative
 * of <pullback(u), t> by u is the tangent of the result. No row needs a forward rule of its own. A
 * node on numbers is passed without a detour in a plain sweep. */
#include <math.h>
#include <string.h>
#include "elem.h"
#include "forward_inside.h"
#include "pullback.h"
#include "rules.h"
#include "fuse.h"
#include "zero.h"

static Value tangent_or_text(const Forward *f, uint32_t id) {
    if (!id) return UNSET;
    if (id >= LEAF) return leaf_tangent(f, id);
    uint64_t position = position_of(id);
    if (position < f->low || position > f->high) return UNSET;
    return tangent_at(f, node_at(id), position);
}

/* A text in its place says why there is none (op_eigh_push). */
static Value tangent_of(const Forward *f, uint32_t id) {
    Value t = tangent_or_text(f, id);
    if (t.tag != V_STRING) return t;
    hint("functions of the values alone, and vectors of others, are differentiable there");
    fail(E_GRADIENT, "%s", t.as.string->text);
}

/* t is in the pool. */
static void set_tangent(Forward *f, const Node *n, uint64_t position, Value t) {
    if (f->recorded) f->values[position - f->low] = t;
    else if (is_known_object(n))
        f->plain[position - f->low].obj = is_object(t) ? t.as.obj : &array_of(t)->head;
    else f->plain[position - f->low].num = num_of(t);
}

static Value operand_of(const Forward *f, Value v, uint32_t id) {
    v.node = 0;
    if (!f->recorded || !id || v.tag == V_UNSET) return v;
    if (id < LEAF && position_of(id) >= f->low &&
        !(depends_at(&f->depends, position_of(id)) & DEPENDS_ON_OTHER))
        return v;
    v.node = id;
    return v.tag == V_LIST ? tape_parts(id, v) : v;
}

/* ---- one node ---- */
static Value add_tangent(Value a, Value b) { return a.tag == V_UNSET ? b : op_add(a, b); }

static Value local_derivative(Op op, int which, Value x, Value y, Value r) {
    switch (elem_traits[op].slope[which]) {
    case SLOPE_ONE: return number(1);
    case SLOPE_X: return x;
    case SLOPE_Y: return y;
    case SLOPE_R: return r;
    default: return elem_rule(op, which, x, y, r);
    }
}

static Value pass_elementwise(Forward *f, const Node *n, uint32_t id, uint64_t position) {
    int op = node_op(n);
    Value x = operand_of(f, node_x(n), n->a), y = operand_of(f, node_y(n), n->b),
          r = operand_of(f, node_r(n), id), out = UNSET;
    for (int which = 0; which < operations[op].arity; which++) {
        uint32_t input = which ? n->b : n->a;
        Value t = tangent_of(f, input);
        if (t.tag == V_UNSET) continue;
        bool select = operations[op].class == C_SELECT;
        Value d = select ? elem_slope(op, which, x, y, r) : local_derivative(op, which, x, y, r), c;
        if (d.tag == V_NUM && !d.node && d.as.num == 1) c = t;
        else if (elem_selects(op, which))
            c = all_finite(t) ? op_mul(t, d)
                              : op_where(op_ne(d, number(0)), op_mul(t, d), number(0));
        else
            c = all_finite(t) && all_finite(d)
                    ? op_mul(t, d)
                    : mended_tangent(f, t, d, which ? y : x, input, position);
        out = add_tangent(out, c);
    }
    if (out.tag == V_UNSET || !(n->head & N_R) || r.tag == V_UNSET) return out;
    return op_expand_to(op_cast(out, dtype_of(r)), constant_of(r));
}

/* The inputs of a ROW node as its kernel or its rule should see them. */
static Value *row_inputs(const Forward *f, const Extra *extra) {
    Value *in = pool_bytes((size_t)extra->count * sizeof *in);
    for (int i = 0; i < extra->count; i++) in[i] = operand_of(f, extra->in[i], extra->in[i].node);
    return in;
}

static Value pass_linear(Forward *f, const Node *n) {
    const Extra *extra = n->x.extra;
    int op = node_op(n);
    Value *in = row_inputs(f, extra);
    for (int i = 0; i < extra->count; i++) {
        if (!row_differentiable(op, i)) continue;
        Value t = tangent_of(f, extra->in[i].node);
        in[i] = t.tag != V_UNSET ? t : zeros_like(constant_of(in[i]));
    }
    return apply(op, extra->count, in, extra->attr);
}

static Value pass_multilinear(Forward *f, const Node *n) {
    const Extra *extra = n->x.extra;
    Value out = UNSET, *in = row_inputs(f, extra);
    for (int i = 0; i < extra->count; i++) {
        Value t = tangent_of(f, extra->in[i].node), was = in[i];
        if (t.tag == V_UNSET) continue;
        in[i] = t;
        out = add_tangent(out, apply(node_op(n), extra->count, in, extra->attr));
        in[i] = was;
    }
    return out;
}

/* A fresh recorded one in the place of an adjoint. */
static Value adjoint_variable(Value like) {
    Value u = ones_like(constant_of(like)), in = u;
    u.node = tape_append(OP_identity, 1, &in, u, NULL);
    return u;
}

/* The derivative by u[0..parts) of <contribution, tangent>, added to out. */
static void transpose(Forward *f, Value contribution, Value tangent, int parts, const Value *u,
                      Value *out) {
    if (!contribution.node) return;
    Value *d = pool_bytes((size_t)parts * sizeof *d);
    rt.recording = f->recorded;
    sweep_gradients(1, &contribution, &tangent, parts, u, d);
    for (int k = 0; k < parts; k++) out[k] = add_tangent(out[k], d[k]);
}

/* The adjoints of a node's result, or of its several results, as variables in *u; as a rule wants
 * them. */
static int results_of(Value r) { return r.tag == V_LIST ? (int)r.as.list->count : 1; }

static Value adjoint_variables(Value r, Value *u) {
    int parts = results_of(r);
    for (int k = 0; k < parts; k++)
        u[k] = adjoint_variable(r.tag == V_LIST ? r.as.list->item[k] : r);
    return r.tag == V_LIST ? list_of((size_t)parts, u) : u[0];
}

/* The tangents of a node's results, which may be UNSET, as one value. */
static Value tangent_of_results(Value r, Value *out) {
    if (r.tag != V_LIST) return out[0];
    for (int k = 0; k < results_of(r); k++)
        if (out[k].tag == V_UNSET) out[k] = zeros_like(constant_of(r.as.list->item[k]));
    return list_of((size_t)results_of(r), out);
}

static Value *unset_values(int count) {
    Value *out = pool_bytes((size_t)(count + 1) * sizeof *out);
    for (int k = 0; k < count; k++) out[k] = UNSET;
    return out;
}

static Value pass_general(Forward *f, const Node *n, uint32_t id) {
    const Extra *extra = n->x.extra;
    int op = node_op(n), parts = results_of(node_r(n));
    Value pushed = row_push(op, tangent_of(f, extra->in[0].node), operand_of(f, node_r(n), id));
    if (pushed.tag != V_UNSET) return pushed;
    Value *in = row_inputs(f, extra), *u = unset_values(parts), *out = unset_values(parts);
    Pull p = { .op = op, .count = extra->count, .any_g = true, .g = adjoint_variables(node_r(n), u),
               .r = operand_of(f, node_r(n), id), .in = in, .attr = extra->attr };
    for (p.which = 0; p.which < extra->count; p.which++) {
        Value t = tangent_of(f, extra->in[p.which].node);
        if (t.tag == V_UNSET || !row_differentiable(op, p.which)) continue;
        rt.recording = true;
        Value contribution = row_pullback(&p);
        transpose(f, contribution, t, parts, u, out);
    }
    rt.recording = f->recorded;
    return tangent_of_results(node_r(n), out);
}

/* A custom operation: its rule transposed. */
static Value pass_custom(Forward *f, const Node *n, uint32_t id) {
    const Extra *extra = n->x.extra;
    Value y = extra->in[1];
    int parts = results_of(y), count = extra->count - 2;
    Value *u = unset_values(parts), *out = unset_values(parts);
    Value *arguments = pool_bytes((size_t)(count + 2) * sizeof *arguments),
          *in = row_inputs(f, extra);
    arguments[0] = adjoint_variables(y, u);
    arguments[1] = operand_of(f, y, id);
    memcpy(arguments + 2, in + 2, (size_t)count * sizeof *in);
    rt.recording = true;
    Function *rule = extra->in[0].as.function;
    Value result = custom_gradients(rule, count, arguments);
    for (int i = 0; i < count; i++) {
        Value t = tangent_of(f, extra->in[i + 2].node);
        if (t.tag != V_UNSET && is_numeric(result.as.list->item[i]))
            transpose(f, result.as.list->item[i], t, parts, u, out);
    }
    rt.recording = f->recorded;
    return tangent_of_results(y, out);
}

static Value pass_row(Forward *f, const Node *n, uint32_t id) {
    int op = node_op(n);
    if (op == OP_custom) return pass_custom(f, n, id);
    if (op == OP_part)
        return tangent_of(f, n->x.extra->in[0].node).as.list->item[n->x.extra->attr[1]];
    switch ((OpClass)operations[op].class) {
    case C_LINEAR: return pass_linear(f, n);
    case C_MULTILINEAR: return pass_multilinear(f, n);
    default: return pass_general(f, n, id);
    }
}

static Value pass(Forward *f, const Node *n, uint32_t id, uint64_t position) {
    rt.here = n->span;
    return has_extra(n) ? pass_row(f, n, id) : pass_elementwise(f, n, id, position);
}

/* ---- nodes on numbers in a plain sweep ---- */
enum { PASS_NONE, PASS_DONE, PASS_SLOWLY };

/* input's tangent times the derivative, added to *sum. */
static inline int pass_input(const Forward *f, const Node *n, int op, int which, uint32_t input,
                             double *sum) {
    if (input >= LEAF) return PASS_SLOWLY;
    uint64_t place = position_of(input) - f->low;      /* below the range: huge */
    if (place > f->high - f->low || f->plain[place].bits == NO_TANGENT) return PASS_NONE;
    double t = f->plain[place].num, d;
    switch (elem_traits[op].slope[which]) {
    case SLOPE_ONE: d = 1; break;
    case SLOPE_MINUS_ONE: d = -1; break;
    case SLOPE_X: d = n->x.num; break;
    case SLOPE_Y: d = n->y.num; break;
    case SLOPE_R: d = n->r.num; break;
    default:
        d = elem_kernels[op].slope[which](n->x.num, n->y.num, n->r.num);
        if (d == 0 && operations[op].class == C_SELECT) return PASS_DONE;
    }
    *sum += t * d;
    return PASS_DONE;
}

/* What is not finite is left to the zero rule. */
static inline int pass_numbers(const Forward *f, const Node *n, double *sum) {
    int op = node_op(n), a = PASS_NONE, b = PASS_NONE;
    *sum = 0;
    if (n->a) a = pass_input(f, n, op, 0, n->a, sum);
    if (n->b) b = pass_input(f, n, op, 1, n->b, sum);
    if (a == PASS_SLOWLY || b == PASS_SLOWLY) return PASS_SLOWLY;
    if (a == PASS_NONE && b == PASS_NONE) return PASS_NONE;
    return isfinite(*sum) ? PASS_DONE : PASS_SLOWLY;
}

/* ---- the sweep ---- */
static bool is_on_numbers(const Node *n) {
    return !(n->head & (N_X | N_Y | N_R | N_SWEPT)) && node_op(n) < OP_ELEMS;
}

static bool has_tangent(const Forward *f, const Node *n) {
    if (!has_extra(n))
        return tangent_or_text(f, n->a).tag != V_UNSET || tangent_or_text(f, n->b).tag != V_UNSET;
    for (int i = 0; i < n->x.extra->count; i++)
        if (tangent_or_text(f, n->x.extra->in[i].node).tag != V_UNSET) return true;
    return false;
}

static _Noreturn void already_swept(void) {
    hint("sweep it with retain = true, or compute it again");
    fail(E_GRADIENT, "this value, or one it was computed from, was already swept");
}

static void visit(Forward *f, const Node *n, uint32_t id, uint64_t position) {
    double sum;
    if (!f->recorded && is_on_numbers(n)) {
        int passed = pass_numbers(f, n, &sum);
        if (passed == PASS_DONE) f->plain[position - f->low].num = sum;
        if (passed != PASS_SLOWLY) return;
    }
    if ((has_extra(n) && !n->x.extra) || !has_tangent(f, n)) return;
    if (n->head & N_SWEPT) already_swept();
    size_t pool = pool_mark();
    Value t = pool_pass(pool, pass(f, n, id, position));
    if (t.tag != V_UNSET) set_tangent(f, n, position, t);
    poll();
}

static void walk(Forward *f) {
    Chunk *c = rt.tape->top;
    while (c->previous && c->base > f->low) c = c->previous;
    for (; c && c->base <= f->high; c = c->next) {
        for (uint32_t i = 0; i < c->used && c->base + i <= f->high; i++) {
            uint64_t position = c->base + i;
            if (position < f->low || position == 0) continue;
            const Node *n = &c->node[i];
            bool seeded = f->recorded ? f->values[position - f->low].tag != V_UNSET
                                      : f->plain[position - f->low].bits != NO_TANGENT;
            if (!seeded) visit(f, n, c->slot << CHUNK_SHIFT | i, position);
        }
        poll();
    }
}

static void find_range(Forward *f, int heads, const Value *y) {
    f->low = UINT64_MAX;
    f->high = 0;
    for (int i = 0; i < heads; i++)
        if (is_recorded(y[i]) && position_of(y[i].node) > f->high) f->high = position_of(y[i].node);
    for (int i = 0; i < f->count; i++) {
        uint32_t id = f->x[i].node;
        if (!id) continue;
        uint64_t position = id >= LEAF ? 0 : position_of(id);
        if (position < f->low) f->low = position;
    }
}

/* A map with room for `count` ids, in the pool: an error takes it along. */
static IdMap pooled_map(int count) {
    IdMap map = { .capacity = 16 };
    while (map.capacity <= 2 * (size_t)count) map.capacity *= 2;
    size_t bytes = 2 * map.capacity * sizeof *map.key;
    map.key = memset(pool_bytes(bytes), 0, bytes);
    map.value = map.key + map.capacity;
    return map;
}

static void find_dependence(Forward *f) {
    IdMap targets = pooled_map(f->count);
    for (int i = 0; i < f->count; i++) {
        uint32_t id = f->x[i].node;
        if (id) idmap_put(&targets, id, (uint32_t)i);
        if (id && id < LEAF) node_at(id)->head |= N_TARGET;
    }
    f->depends = depend_mark(f->low, f->high, &targets);
    for (int i = 0; i < f->count; i++)
        if (is_recorded(f->x[i]) && !tape_hook(f->x[i].node))
            node_at(f->x[i].node)->head &= (uint16_t)~N_TARGET;
}

static bool worth_recording(const Forward *f, int heads, const Value *y) {
    for (int i = 0; i < f->count; i++) if (f->seed[i].node) return true;
    for (int i = 0; i < heads; i++)
        if (is_recorded(y[i]) && position_of(y[i].node) >= f->low &&
            depends_at(&f->depends, position_of(y[i].node)) & DEPENDS_ON_OTHER) return true;
    return false;
}

/* The places of the tangents, the seeds in theirs. */
static void open_tangents(Forward *f) {
    size_t count = f->high - f->low + 1;
    if (f->recorded) {
        f->values = pool_bytes(count * sizeof *f->values);
        for (size_t i = 0; i < count; i++) f->values[i] = UNSET;
    } else {
        f->plain = memset(pool_bytes(count * sizeof *f->plain), 0xff, count * sizeof *f->plain);
    }
    for (int i = f->count; i-- > 0;) {
        if (!is_recorded(f->x[i])) continue;
        uint64_t position = position_of(f->x[i].node);
        if (position <= f->high) set_tangent(f, node_at(f->x[i].node), position, f->seed[i]);
    }
}

static Value head_tangent(const Forward *f, Value y) {
    Value t = y.node ? tangent_of(f, y.node) : UNSET;
    return t.tag == V_UNSET ? zeros_like(constant_of(y)) : t;
}

/* The tangents of all nodes of the range. false: no input is on the tape behind the heads. */
static bool forward_run(Forward *f, int heads, const Value *y) {
    bool was = rt.recording;
    Span here = rt.here;
    find_range(f, heads, y);
    if (f->low > f->high) return false;
    fuse_expand(f->low, f->high);
    if (was) find_dependence(f);
    f->recorded = was && worth_recording(f, heads, y);
    f->masked = f->low;
    f->masks = list_new(1);
    open_tangents(f);
    rt.recording = f->recorded;
    walk(f);
    rt.recording = was;
    rt.here = here;
    return true;
}

void forward_tangents(int heads, const Value *y, int count, const Value *x, const Value *tangent,
                      Value *out) {
    Forward f = { .count = count, .x = x, .seed = tangent };
    forward_run(&f, heads, y);
    for (int i = 0; i < heads; i++) out[i] = head_tangent(&f, y[i]);
}

void forward_look(int heads, const Value *y, int count, const Value *x, const Value *tangent,
                  void (*each)(void *env, uint32_t id, Value t), void *env) {
    Forward f = { .count = count, .x = x, .seed = tangent };
    bool was = rt.recording;
    rt.recording = false;
    bool any = forward_run(&f, heads, y);
    rt.recording = was;
    if (!any) return;
    for (Chunk *c = rt.tape->first; c && c->base <= f.high; c = c->next)
        for (uint32_t i = 0; i < c->used && c->base + i <= f.high; i++) {
            if (c->base + i < f.low) continue;
            uint32_t id = c->slot << CHUNK_SHIFT | i;
            Value t = tangent_of(&f, id);
            if (t.tag != V_UNSET) each(env, id, t);
        }
}
