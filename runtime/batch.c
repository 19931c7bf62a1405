/* Running a stretch of tape for a batch. Reads best from batch_replay() at the bottom up. */
#include <string.h>
#include "batch.h"
#include "rules.h"

typedef struct Replay {
    uint64_t low, high;         /* positions */
    int64_t length;
    Value *at;        /* by position - low: all examples of a node; UNSET: the same for all */
} Replay;

/* One node: its inputs, those that differ between examples with an axis of examples in front. */
typedef struct Step {
    const Replay *replay;
    Op op;
    int count;
    const Attr *attr;
    Value *in, *one, r;         /* one, r: of the example on the tape */
    bool *many;
} Step;

static Value examples_of(const Replay *b, uint32_t id) {
    if (!id || id >= LEAF) return UNSET;
    uint64_t position = position_of(id);
    return position < b->low || position > b->high ? UNSET : b->at[position - b->low];
}

/* ---- shapes ---- */
static Shape with_examples(int64_t length, Shape one) {
    Shape shape = { .axes = one.axes + 1, .dim = { length } };
    memcpy(shape.dim + 1, one.dim, (size_t)one.axes * sizeof *one.dim);
    return shape;
}

static Value reshaped(Value x, Shape shape) { return op_reshape(x, shape.axes, shape.dim); }

/* All examples of x, whose one example has this shape, with axes of length 1 behind the first up to
 * `axes` of an example. */
static Value raised(Value x, Shape one, int axes) {
    if (one.axes >= axes) return x;
    Shape shape = { .axes = axes + 1, .dim = { value_shape(x).dim[0] } };
    for (int i = 1; i <= axes; i++)
        shape.dim[i] = i <= axes - one.axes ? 1 : one.dim[i - 1 - (axes - one.axes)];
    return reshaped(x, shape);
}

static Value repeated(const Replay *b, Value one) {
    Shape shape = with_examples(b->length, value_shape(one));
    return op_expand(one, &shape);
}

/* ---- rows: how they do it for an axis of examples; UNSET: not at all ---- */
typedef Value BatchRule(const Step *s);

static Value apply_moved(const Step *s, int words, const Attr *attr) {
    Attr copy[8] = { words };
    memcpy(copy + 1, attr, (size_t)words * sizeof *attr);
    return apply(s->op, s->count, s->in, copy);
}

/* Axes as a bit set, then other settings. */
static Value batch_over_axes(const Step *s) {
    Attr words[8];
    if (s->attr[0] > 7) return UNSET;
    memcpy(words, s->attr + 1, (size_t)s->attr[0] * sizeof *words);
    words[0] = (Attr)((uint64_t)words[0] << 1);
    return apply_moved(s, (int)s->attr[0], words);
}

/* One axis, then other settings. */
static Value batch_along_axis(const Step *s) {
    Attr words[8];
    if (s->attr[0] > 7) return UNSET;
    memcpy(words, s->attr + 1, (size_t)s->attr[0] * sizeof *words);
    words[0]++;
    return apply_moved(s, (int)s->attr[0], words);
}

/* Unless each example has an eps, a scale or a shift of its own. */
static Value batch_standardize(const Step *s) {
    for (int i = 1; i < s->count; i++) if (s->many[i]) return UNSET;
    return batch_over_axes(s);
}

static Value batch_labelled(const Step *s) {
    for (int i = 0; i < s->count; i++) if (!s->many[i]) s->in[i] = repeated(s->replay, s->in[i]);
    return apply(s->op, s->count, s->in, NULL);
}

static Value batch_identity(const Step *s) { return s->in[0]; }
static Value batch_reshape(const Step *s) {
    return reshaped(s->in[0], with_examples(s->replay->length, value_shape(s->r)));
}

static Value batch_expand(const Step *s) {
    Shape shape = with_examples(s->replay->length, value_shape(s->r));
    return op_expand(raised(s->in[0], value_shape(s->one[0]), shape.axes - 1), &shape);
}

static Value batch_transpose(const Step *s) {
    int order[MAX_AXES] = { 0 }, axes = axes_of(s->one[0]);
    for (int i = 0; i < axes; i++) order[i + 1] = (int)s->attr[i + 1] + 1;
    return op_transpose(s->in[0], order);
}

/* Arrays side by side: those that are the same for all examples are repeated. */
static Value batch_joined(const Step *s) {
    for (int i = 0; i < s->count; i++) if (!s->many[i]) s->in[i] = repeated(s->replay, s->in[i]);
    return batch_along_axis(s);
}

/* Functions of matrices go over leading axes by themselves, if all inputs have as many. */
static Value batch_matrices(const Step *s) {
    for (int i = 1; i < s->count; i++) if (axes_of(s->one[i]) != axes_of(s->one[0])) return UNSET;
    return apply(s->op, s->count, s->in, s->attr);
}

/* A vector becomes a row or a column, so that the axis of examples is not taken for one of the
 * matrix. */
static Value as_matrix(const Step *s, int i, int axes) {
    Shape one = value_shape(s->one[i]), shape = one;
    if (one.axes == 1) {
        shape.axes = 2;
        shape.dim[i == 0 ? 0 : 1] = 1;
        shape.dim[i == 0 ? 1 : 0] = one.dim[0];
    }
    if (!s->many[i]) return reshaped(s->in[i], shape);
    Value x = reshaped(s->in[i], with_examples(s->replay->length, shape));
    return raised(x, shape, axes);
}

static Value batch_matmul(const Step *s) {
    int axes = 2;
    for (int i = 0; i < 2; i++) if (axes_of(s->one[i]) > axes) axes = axes_of(s->one[i]);
    Value product = op_matmul(as_matrix(s, 0, axes), as_matrix(s, 1, axes));
    return reshaped(product, with_examples(s->replay->length, value_shape(s->r)));
}

/* An index of at most one gather, behind a whole axis. The items take four words each. */
static Value batch_index(const Step *s) {
    enum { ITEM = 4 };
    int64_t words = s->attr[0];
    bool gathers = s->count > 1;
    if (s->count > 2 || words % ITEM || (gathers && s->many[1])) return UNSET;
    Attr *attr = pool_bytes((size_t)(words + ITEM + 1) * sizeof *attr);
    attr[0] = words + ITEM;
    memcpy(attr + 1, (Attr[ITEM]){ I_SLICE, 0, 0, 1 }, ITEM * sizeof *attr);
    memcpy(attr + 1 + ITEM, s->attr + 1, (size_t)words * sizeof *attr);
    return apply(s->op, s->count, s->in, attr);
}

static BatchRule *const rules[OP_COUNT] = {
    [OP_identity] = batch_identity,     [OP_sum] = batch_over_axes,
    [OP_prod] = batch_over_axes,        [OP_max] = batch_over_axes,
    [OP_min] = batch_over_axes,         [OP_norm] = batch_over_axes,
    [OP_logsumexp] = batch_over_axes,   [OP_softmax] = batch_over_axes,
    [OP_log_softmax] = batch_over_axes, [OP_cumsum] = batch_along_axis,
    [OP_standardize] = batch_standardize, [OP_cross_entropy] = batch_labelled,
    [OP_cumprod] = batch_along_axis,    [OP_sort] = batch_along_axis,
    [OP_reshape] = batch_reshape,       [OP_expand_to] = batch_expand,
    [OP_transpose] = batch_transpose,   [OP_stack] = batch_joined,
    [OP_concat] = batch_joined,         [OP_matmul] = batch_matmul,
    [OP_inv] = batch_matrices,          [OP_det] = batch_matrices,
    [OP_cholesky] = batch_matrices,     [OP_pinv] = batch_matrices,
    [OP_solve] = batch_matrices,        [OP_index] = batch_index,
};

/* The row for one example after the other. */
static Value batch_in_turn(const Step *s) {
    int64_t length = s->replay->length;
    Value *row = pool_bytes((size_t)length * sizeof *row),
          *in = pool_bytes((size_t)s->count * sizeof *in);
    for (int64_t k = 0; k < length; k++) {
        for (int i = 0; i < s->count; i++)
            in[i] = s->many[i] ? op_index(s->in[i], 1, &(IndexItem){ .kind = I_AT, .start = k })
                               : s->in[i];
        row[k] = apply(s->op, s->count, in, s->attr);
    }
    return op_stack((int)length, row, 0);
}

/* ---- one node ---- */
static Value step_elementwise(const Step *s) {
    int axes = axes_of(s->r);
    for (int i = 0; i < s->count; i++)
        if (s->many[i]) s->in[i] = raised(s->in[i], value_shape(s->one[i]), axes);
    return apply(s->op, s->count, s->in, NULL);
}

static bool fill(Step *s, const Replay *b, const Node *n) {
    s->count = has_extra(n) ? n->x.extra->count : operations[s->op].arity;
    s->in = pool_bytes((size_t)s->count * sizeof *s->in);
    s->one = pool_bytes((size_t)s->count * sizeof *s->one);
    s->many = pool_bytes((size_t)s->count * sizeof *s->many);
    bool any = false;
    for (int i = 0; i < s->count; i++) {
        Value one = has_extra(n) ? n->x.extra->in[i] : i ? node_y(n) : node_x(n);
        if (!has_extra(n)) one.node = i ? n->b : n->a;
        Value many = examples_of(b, one.node);
        s->many[i] = many.tag != V_UNSET;
        s->one[i] = constant(one);
        s->in[i] = s->many[i] ? many : one;
        any |= s->many[i];
    }
    return any;
}

/* False if it cannot be run again. */
static bool step(Replay *b, const Node *n, uint64_t position) {
    Step s = { .replay = b, .op = node_op(n), .r = node_r(n) };
    if (!fill(&s, b, n)) return true;
    if (s.op == OP_custom || s.op == OP_part || s.r.tag == V_LIST || s.r.tag == V_UNSET)
        return false;
    for (int i = 0; i < s.count; i++) if (s.one[i].tag == V_UNSET) return false;
    s.attr = has_extra(n) ? n->x.extra->attr : NULL;
    rt.here = n->span;
    Value all = !has_extra(n) ? step_elementwise(&s) : rules[s.op] ? rules[s.op](&s) : UNSET;
    if (all.tag == V_UNSET) all = batch_in_turn(&s);
    if (dtype_of(all) != dtype_of(s.r)) return false;
    b->at[position - b->low] = all;
    return true;
}

static bool replay(Replay *b, uint64_t from) {
    Chunk *c = rt.tape->top;
    while (c->previous && c->base > from) c = c->previous;
    for (; c && c->base <= b->high; c = c->next)
        for (uint32_t i = 0; i < c->used && c->base + i <= b->high; i++) {
            if (c->base + i < from) continue;
            poll();
            if (!step(b, &c->node[i], c->base + i)) return false;
        }
    return true;
}

bool batch_replay(uint64_t mark, int inputs, const Value *x, const Value *many, int64_t length,
                  int heads, const Value *y, Value *out) {
    Replay b = { .low = mark, .high = tape_position() - 1, .length = length };
    b.at = pool_bytes((size_t)(b.high - b.low + 1) * sizeof *b.at);
    for (uint64_t i = 0; i <= b.high - b.low; i++) b.at[i] = UNSET;
    for (int i = 0; i < inputs; i++) b.at[position_of(x[i].node) - b.low] = many[i];
    Span here = rt.here;
    if (!replay(&b, mark + (uint64_t)inputs)) return false;
    rt.here = here;
    for (int i = 0; i < heads; i++) {
        out[i] = examples_of(&b, y[i].node);
        if (out[i].tag == V_UNSET) out[i] = repeated(&b, y[i]);
    }
    return true;
}
