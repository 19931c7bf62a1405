/* Pullbacks (pullback.h). The one idea: a plain sweep computes g times the derivative in one
 * kernel, a recorded one runs the rule's text in recorded operations; fit() undoes broadcasting
 * after either. The zero rule looks at what came out only if a NaN is in it (zero.h). */
#include <math.h>
#include <string.h>
#include "fuse_tape.h"
#include "pullback.h"
#include "slices.h"
#include "weights.h"

Value fit(Value c, Value input) {
    if (input.tag == V_UNSET) return c;          /* of the result's shape */
    if (is_number(input)) return is_number(c) ? c : op_sum_to(c, number(0));
    return c.tag == V_ARRAY && arrays_alike(c.as.array, input.as.array) ? c : op_sum_to(c, input);
}

/* ---- elementwise derivatives as values ---- */
bool is_all_ones(Value g) {
    if (g.tag != V_ARRAY || g.as.array->size < 2) return false;
    const Array *a = g.as.array;
    for (int i = 0; i < a->axes; i++)
        if (shape_of(a)[i] != 1 && strides_of(a)[i] != 0) return false;
    return a->dtype == F32 ? *(const float *)a->data == 1 : a->dtype == F64 && *f64_of(a) == 1;
}

Value operand_as_slope(Op op, int which, Value g, Value x, Value y) {
    Slope slope = elem_traits[op].slope[which];
    Value v = slope == SLOPE_X ? x : slope == SLOPE_Y ? y : UNSET;
    bool alike = v.tag == V_ARRAY && v.as.array->contiguous && arrays_alike(v.as.array, g.as.array);
    v.node = 0;
    return alike ? v : UNSET;
}

/* Runs a kernel over g, x, y, r broadcast to g's shape. */
typedef struct PullRun { ElemPull *pull; int dtype; const int *dtypes; bool nans; } PullRun;

static bool pull_lanes(ElemPull *pull, int dtype, int64_t n, char *out, const Lane *lane) {
    double tile[4][TILE];
    bool nans = false, plain = true;
    for (int k = 0; k < 4; k++) plain = plain && lane[k].stride == 1 && lane[k].dtype == dtype;
    int64_t step = plain ? 1 << 16 : TILE, bytes = (int64_t)dtype_bytes(dtype);
    for (int64_t i = 0; i < n; i += step) {
        int64_t count = n - i < step ? n - i : step;
        const void *p[4];
        for (int k = 0; k < 4; k++) p[k] = lane_load(&lane[k], i, count, dtype, tile[k]);
        nans |= pull(count, out + i * bytes, p[0], p[1], p[2], p[3]);
        poll();
    }
    return nans;
}

static void run_pull(int64_t n, char **at, const int64_t *strides, void *env) {
    PullRun *run = env;
    Lane lane[4];
    for (int k = 0; k < 4; k++) lane[k] = (Lane){ at[k + 1], strides[k + 1], run->dtypes[k] };
    run->nans |= pull_lanes(run->pull, run->dtype, n, at[0], lane);
}

/* An operand that the rule does not mention may be missing: any numbers will do. */
static bool flat_lane(Value v, const Array *model, double *zero, Lane *lane) {
    if (v.tag == V_UNSET || is_number(v)) {
        *zero = v.tag == V_UNSET ? 1 : num_of(v);
        *lane = (Lane){ (const char *)zero, 0, F64 };
        return true;
    }
    const Array *a = v.as.array;
    *lane = (Lane){ a->data, 1, a->dtype };
    if (!same_shape(a->axes, shape_of(a), model->axes, shape_of(model))) return false;
    if (array_is_contiguous(a)) return true;
    lane->stride = 0;
    for (int i = 0; i < a->axes; i++)
        if (strides_of(a)[i] != 0) return false;
    return true;
}

/* Contiguous, of the model's shape and dtype; or missing, because the rule does not mention it. */
static inline bool lies_like(Value v, const Array *model) {
    if (v.tag != V_ARRAY) return v.tag == V_UNSET;
    return v.as.array->contiguous && (v.as.array == model || arrays_alike(v.as.array, model));
}
static inline const void *data_or(Value v, const Array *model) {
    return v.tag == V_ARRAY ? v.as.array->data : model->data;
}

static double number_or_zero(Value v) { return v.tag == V_UNSET ? 0 : num_of(v); }

enum { SMALL = 1 << 14 };    /* elements that need no poll() in between */

Value elem_pull(Op op, int which, Value g, Value x, Value y, Value r, bool *mend) {
    if (g.tag != V_ARRAY) {
        double d = elem_kernels[op].slope[which](number_or_zero(x), number_or_zero(y),
                                                 number_or_zero(r));
        if (operations[op].class == C_SELECT && d == 0) return number(0);
        double product = num_of(g) * d;
        *mend |= product != product;
        return number(product);
    }
    Array *model = g.as.array;
    int dtype = model->dtype == F32 ? F32 : F64;
    ElemPull *pull = elem_kernels[op].pull[which][dtype];
    Array *out = array_like(model, dtype);
    if (model->size <= SMALL && lies_like(g, model) && lies_like(x, model) && lies_like(y, model) &&
        lies_like(r, model)) {
        *mend |= pull(model->size, out->data, model->data, data_or(x, model), data_or(y, model),
                      data_or(r, model));
        return array_value(out);
    }
    Value v[4] = { g, x, y, r };
    Lane lane[4];
    double constant[4];
    bool flat = true;
    for (int k = 0; k < 4; k++) flat = flat && flat_lane(v[k], model, &constant[k], &lane[k]);
    if (flat) {
        *mend |= pull_lanes(pull, dtype, model->size, out->data, lane);
        return array_value(out);
    }
    Array *arrays[5] = { out };
    int dtypes[4];
    for (int k = 0; k < 4; k++) {
        Array *a = array_of(v[k].tag == V_UNSET ? number(1) : v[k]);
        dtypes[k] = a->dtype;
        arrays[k + 1] = array_broadcast(a, model->axes, shape_of(model));
    }
    PullRun run = { pull, dtype, dtypes, false };
    array_walk(5, arrays, run_pull, &run);
    *mend |= run.nans;
    return array_value(out);
}

Value elem_slope(Op op, int which, Value x, Value y, Value r) {
    bool was = rt.recording, mend = false;
    rt.recording = false;
    Value d, model = r.tag != V_UNSET ? r : x.tag == V_ARRAY ? x : y.tag == V_ARRAY ? y : number(0);
    if (operations[op].class == C_ELEM) d = elem_rule(op, which, x, y, r);
    else if (x.tag == V_ARRAY && y.tag == V_ARRAY)
        d = elem_pull(op, which, ones_like(op_add(x, y)), x, y, r, &mend);
    else d = elem_pull(op, which, ones_like(model), x, y, r, &mend);
    rt.recording = was;
    d.node = 0;
    return d;
}

/* ---- the pullbacks of one node ---- */
static Value live_elements(Sweep *s, uint32_t id) {
    return liveness_of(&s->live, s->heads, s->head, id, s->low);
}

/* A zero adjoint at a node on numbers. */
static __attribute__((noinline)) void pull_zero(Sweep *s, uint32_t id, const Node *n) {
    int op = node_op(n);
    bool select = operations[op].class == C_SELECT;
    for (int which = 0; which < operations[op].arity; which++) {
        uint32_t input = which ? n->b : n->a;
        if (!input) continue;
        double d = elem_kernels[op].slope[which](n->x.num, n->y.num, n->r.num), c = 0;
        if (select && d == 0) continue;
        if (!isfinite(d) && !isfinite(n->r.num)) {
            Value live = live_elements(s, id);
            if (live.tag == V_UNSET || num_of(live) == 0) continue;
            c = NAN;
        }
        add_number(s, input, c);
    }
}

uint8_t pull_ways[OP_COUNT];

void pullbacks_open(void) {
    for (int op = 1; op < OP_ELEMS; op++) {
        const uint8_t *slope = elem_traits[op].slope;
        bool first = slope[0] == SLOPE_ONE;
        pull_ways[op] = first && slope[1] == SLOPE_ONE             ? WAY_SUM
                      : first && slope[1] == SLOPE_MINUS_ONE       ? WAY_DIFFERENCE
                      : slope[0] == SLOPE_Y && slope[1] == SLOPE_X ? WAY_PRODUCT
                                                                   : WAY_CALL;
    }
}

/* Most inputs are in the node's own chunk. Node 0 is nobody, and takes what constants get. */
static inline void add_near(Sweep *s, uint32_t slot, Operand *adjoint, uint32_t id, double g) {
    if (id >> CHUNK_SHIFT == slot) {
        Operand *place = &adjoint[id & CHUNK_MASK];
        place->num = place->bits == NOT_REACHED ? g : place->num + g;
    } else if (id) {
        add_number(s, id, g);
    }
}

/* A selection's dropped input gets nothing. */
static void pull_called(Sweep *s, const Node *n, double g) {
    int op = node_op(n);
    for (int which = 0; which < operations[op].arity; which++) {
        uint32_t input = which ? n->b : n->a;
        if (!input) continue;
        double d = elem_kernels[op].slope[which](n->x.num, n->y.num, n->r.num);
        if (d != 0 || operations[op].class != C_SELECT) add_number(s, input, g * d);
    }
}

uint32_t pull_numbers(Sweep *s, Chunk *c, uint32_t first, uint32_t i, uint32_t stop) {
    Operand *adjoint = c->block->number;
    const uint32_t slot = c->slot;
    const uint16_t passed = s->tape_mode && !s->retain ? N_SWEPT : 0;
    for (; i > first; i--) {
        Node *n = &c->node[i - 1];
        Way way = pull_ways[node_op(n)];
        if (((uint32_t)n->held << 16 | n->head) & stop || way == WAY_NOT_HERE) break;
        if (adjoint[i - 1].bits == NOT_REACHED) continue;
        double g = adjoint[i - 1].num;
        n->head |= passed;
        if (__builtin_expect(g == 0, 0)) {
            pull_zero(s, c->slot << CHUNK_SHIFT | (i - 1), n);
            continue;
        }
        switch (way) {
        case WAY_SUM:
            add_near(s, slot, adjoint, n->a, g);
            add_near(s, slot, adjoint, n->b, g);
            break;
        case WAY_DIFFERENCE:
            add_near(s, slot, adjoint, n->a, g);
            add_near(s, slot, adjoint, n->b, -g);
            break;
        case WAY_PRODUCT:
            add_near(s, slot, adjoint, n->a, g * n->y.num);
            add_near(s, slot, adjoint, n->b, g * n->x.num);
            break;
        case WAY_CALL: pull_called(s, n, g); break;
        case WAY_NOT_HERE: break;
        }
    }
    return i;
}

/* An operand for a recorded rule: a tape value only if the derivative has to follow it further. */
static Value operand(const Sweep *s, Value v, uint32_t id) {
    if (!s->recorded || !id || v.tag == V_UNSET) return v;
    if (id < LEAF && s->depends.bits) {
        uint64_t position = position_of(id);
        if (position >= s->low && !(depends_at(&s->depends, position) & DEPENDS_ON_OTHER)) return v;
    }
    v.node = id;
    return v.tag == V_LIST ? tape_parts(id, v) : v;
}

static Value pull_selection(Op op, int which, Value g, Value x, Value y, Value r) {
    Value weight = elem_slope(op, which, x, y, r);
    Value product = op_mul(g, weight);
    return all_finite(g) ? product : op_where(op_ne(weight, number(0)), product, number(0));
}

/* The node's own value, computed again if the node did not keep it. */
static Value value_again(Op op, Value g, Value x, Value y, Value r) {
    if (r.tag != V_UNSET) return r;
    bool was = rt.recording;
    rt.recording = false;
    r = operations[op].arity == 1 ? apply1(op, x.tag == V_UNSET ? g : x)
                                  : apply2(op, x.tag == V_UNSET ? g : x, y.tag == V_UNSET ? g : y);
    rt.recording = was;
    return r;
}

static Value pull_recorded(Sweep *s, uint32_t id, Op op, int which, Value g, Value x, Value y,
                           Value r) {
    Value d = elem_rule(op, which, x, y, r);
    if (d.tag == V_NUM && !d.node && d.as.num == 1) return g;
    if (all_finite(d)) return op_mul(g, d);
    return mended_product(g, d, value_again(op, g, x, y, r), live_elements(s, id));
}

static Value pull_plain(Sweep *s, uint32_t id, Op op, int which, Value g, Value x, Value y,
                        Value r) {
    if (elem_traits[op].slope[which] == SLOPE_ONE) return g;
    Value d = is_all_ones(g) ? operand_as_slope(op, which, g, x, y) : UNSET;
    if (d.tag != V_UNSET) return d;
    bool nans = false;
    Value c = elem_pull(op, which, g, x, y, r, &nans);
    if (!nans || operations[op].class == C_SELECT) return c;
    Value known = value_again(op, g, x, y, r);
    return mended_product(g, elem_slope(op, which, x, y, known), known, live_elements(s, id));
}

void pull_elementwise(Sweep *s, uint32_t id, const Node *n, Value g) {
    if (!s->recorded && fuse_is_root(n) && fuse_pull(s, id, g)) return;
    int op = node_op(n);
    Value x = node_x(n), y = node_y(n), r = node_r(n);
    if (s->recorded) {
        x = operand(s, x, n->a);
        y = operand(s, y, n->b);
        r = operand(s, r, id);
    }
    uint32_t inputs[2] = { n->a, n->b };
    Value operands[2] = { x, y };
    for (int which = 0; which < operations[op].arity; which++) {
        uint32_t input = inputs[which];
        if (!wanted(s, input)) continue;
        Value c = !s->recorded                        ? pull_plain(s, id, op, which, g, x, y, r)
                  : operations[op].class == C_SELECT ? pull_selection(op, which, g, x, y, r)
                                                     : pull_recorded(s, id, op, which, g, x, y, r);
        add_value(s, input, fit(c, operands[which]));
    }
}

Value custom_gradients(Function *rule, int count, const Value *arguments) {
    Value result = rule->call(rule, count + 2, arguments);
    if (result.tag != V_LIST) result = list_of(1, &result);
    if (result.as.list->count != (size_t)count)
        fail(E_GRADIENT, "the rule of a custom gradient gave %zu gradients for %d arguments",
             result.as.list->count, count);
    return result;
}

/* What a custom rule gave for an argument must be of its shape, or broadcast to it. */
static void check_custom(Value c, Value input, int which) {
    if (!is_numeric(c))
        fail(E_GRADIENT, "the rule of a custom gradient gave %s for argument %d", type_name(c),
             which);
    Shape have = value_shape(c), want = value_shape(input), joined;
    if (shapes_join(&have, &want, &joined) &&
        same_shape(joined.axes, joined.dim, want.axes, want.dim)) return;
    char a[80], b[80];
    shape_text(have.axes, have.dim, a, sizeof a);
    shape_text(want.axes, want.dim, b, sizeof b);
    fail(E_SHAPE, "the rule of a custom gradient gave shape %s for argument %d, which has shape %s",
         a, which, b);
}

/* A custom operation: in[0] is its rule, in[1] its value, then the arguments (sweep_custom). */
static void pull_custom(Sweep *s, uint32_t id, const Extra *extra, Value g) {
    Function *rule = extra->in[0].as.function;
    int count = extra->count - 2;
    Value *arguments = pool_bytes((size_t)(count + 2) * sizeof *arguments);
    Value y = extra->in[1];
    if (g.tag == V_LIST) {
        Value full = list_new(g.as.list->count);
        for (size_t i = 0; i < g.as.list->count; i++) {
            Value part = g.as.list->item[i];
            list_set(full, i, part.tag == V_NIL ? zeros_like(y.as.list->item[i]) : part);
        }
        g = full;
    }
    arguments[0] = g;
    arguments[1] = operand(s, y, id);
    for (int i = 0; i < count; i++) {
        arguments[i + 2] = operand(s, extra->in[i + 2], extra->in[i + 2].node);
        if (!s->recorded) arguments[i + 2].node = 0;
    }
    Value result = custom_gradients(rule, count, arguments);
    for (int i = 0; i < count; i++) {
        Value input = extra->in[i + 2], c = result.as.list->item[i];
        if (!wanted(s, input.node) || c.tag == V_NIL) continue;
        check_custom(c, input, i + 1);
        add_value(s, input.node, op_expand_to(c, (Value){ input.tag, 0, { input.as.num } }));
    }
}

/* The adjoint of one of several results goes to its place in the list of the operation that gave
 * them. */
static void pull_part(Sweep *s, const Extra *extra, Value g) {
    Value whole = extra->in[0], parts = list_new((size_t)extra->attr[2]);
    list_set(parts, (size_t)extra->attr[1], g);
    add_value(s, whole.node, parts);
}

/* A part of an array: where more of it has come before, as in a loop over rows, this is added in
 * its place, so that many parts cost what the whole costs and not the whole each. */
static bool pull_index(Sweep *s, const Extra *extra, Value g) {
    if (s->recorded || s->look || !wanted(s, extra->in[0].node)) return false;
    if (slices_write(s, extra, g)) return true;
    Array *whole = sole_adjoint(s, extra->in[0].node);
    if (!whole) return false;
    index_add(whole, g, extra->in + 1, extra->attr);
    return true;
}

/* A matrix product: where something has come before, as with the weights that each turn of a loop
 * uses, its contribution is kept for later, or computed right into the sum. */
static bool pull_product(Sweep *s, const Extra *extra, int which, Value g) {
    if (s->recorded || s->look) return false;
    Value x = extra->in[0], y = extra->in[1];
    uint32_t id = extra->in[which].node;
    Array *sum = sole_adjoint(s, id);
    if (sum && which == 1 && weights_collect(s, id, sum, x, g)) return true;
    if (sum && which == 0 && axes_of(g) == 1 && weights_collect(s, id, sum, g, y)) return true;
    if (sum && matmul_add_adjoint(sum, which, g, x, y)) return true;
    Value c = which == 0 ? weights_turned(s, g, y) : UNSET;
    if (c.tag == V_UNSET) return false;
    x.node = 0;
    add_value(s, id, fit(c, x));
    return true;
}

void pull_row(Sweep *s, uint32_t id, const Node *n, Value g) {
    if (!s->recorded && node_op(n) == OP_where && fuse_is_root(n) && fuse_pull(s, id, g)) return;
    const Extra *extra = n->x.extra;
    int op = node_op(n);
    if (op == OP_custom) {
        pull_custom(s, id, extra, g);
        return;
    }
    if (op == OP_part) {
        pull_part(s, extra, g);
        return;
    }
    if (op == OP_index && pull_index(s, extra, g)) return;
    Value *in = pool_bytes((size_t)extra->count * sizeof *in);
    for (int i = 0; i < extra->count; i++) {
        in[i] = extra->in[i];
        in[i].node = 0;
        in[i] = operand(s, in[i], extra->in[i].node);
    }
    Value shared = UNSET;
    Pull p = { .op = op, .count = extra->count, .g = g, .in = in, .attr = extra->attr,
               .shared = &shared };
    p.r = operand(s, node_r(n), id);
    for (p.which = 0; p.which < extra->count; p.which++) {
        uint32_t input = extra->in[p.which].node;
        if (!row_differentiable(op, p.which) || !wanted(s, input)) continue;
        if (op == OP_matmul && pull_product(s, extra, p.which, g)) continue;
        Value c = row_pullback(&p);
        if (c.tag != V_UNSET) add_value(s, input, fit(c, in[p.which]));
    }
}
