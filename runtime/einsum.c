/* einsum: sums of products by named axes.
 *
 * The one idea: a term is a value with one label for each axis. Terms are joined from the left, two
 * at a time, and a label that no later term and not the result needs is summed as soon as possible:
 * within a term by sum, between two by a matrix product. All of it is composed of other rows, which
 * are recorded. */
#include <string.h>
#include "rules.h"

/* A label is a letter, or ELLIPSIS + its place from the right among the axes of `...`. */
enum { ELLIPSIS = 128, LABELS = ELLIPSIS + MAX_AXES };
typedef struct Term { Value value; int axes, label[MAX_AXES]; } Term;
typedef struct Labels { int count, label[MAX_AXES]; } Labels;

static int axis_of(const Term *t, int label) {
    for (int i = 0; i < t->axes; i++)
        if (t->label[i] == label) return i;
    return -1;
}

static int64_t dim_of(const Term *t, int axis) { return value_shape(t->value).dim[axis]; }

static void add_label(Labels *l, int label) { l->label[l->count++] = label; }

/* ---- reading the subscripts ---- */
static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/* Reads labels up to a comma, an arrow or the end; `more`: how many axes `...` stands for. */
static Labels read_labels(const char **at, int more) {
    Labels l = { 0 };
    for (; **at && **at != ',' && strncmp(*at, "->", 2); (*at)++) {
        if (**at == ' ') continue;
        bool dots = !strncmp(*at, "...", 3);
        if (!dots && !is_letter(**at)) {
            hint("as in einsum(\"ij,jk->ik\", a, b): a letter for each axis, ... for leading ones");
            fail(E_VALUE, "einsum: the subscripts cannot be read from `%s` on", *at);
        }
        if (l.count + (dots ? more : 1) > MAX_AXES)
            fail(E_LIMIT, "einsum: a term has at most %d axes", MAX_AXES);
        if (!dots) add_label(&l, **at);
        for (int k = more; dots && k-- > 0;) add_label(&l, ELLIPSIS + k);
        if (dots) *at += 2;
    }
    return l;
}

/* The labels of one operand; `...` takes the axes that the letters leave. */
static Term read_term(const char **at, Value x, int number_of_it) {
    Shape shape = value_shape(object(operand(x, "einsum")));
    const char *again = *at;
    Labels letters = read_labels(at, 0);
    bool dots = memchr(again, '.', (size_t)(*at - again));
    Labels l = dots && shape.axes >= letters.count ? read_labels(&again, shape.axes - letters.count)
        : letters;
    if (l.count != shape.axes) {
        char text[120];
        shape_text(shape.axes, shape.dim, text, sizeof text);
        fail(E_SHAPE, "einsum: the subscripts of operand %d name %d axes, and its shape is %s",
             number_of_it, l.count, text);
    }
    Term t = { .value = x, .axes = l.count };
    memcpy(t.label, l.label, sizeof t.label);
    return t;
}

/* Without an arrow: `...`, then the labels that occur once, in alphabetical order. */
static Labels implied_result(const int *uses) {
    Labels l = { 0 };
    for (int k = LABELS; k-- > ELLIPSIS;)
        if (uses[k]) add_label(&l, k);
    for (int k = 0; k < ELLIPSIS; k++)
        if (uses[k] == 1 && l.count < MAX_AXES) add_label(&l, k);
    return l;
}

static Labels read_result(const char *at, const int *uses) {
    int more = 0, seen[LABELS] = { 0 };
    for (int k = ELLIPSIS; k < LABELS; k++) more += uses[k] > 0;
    at += 2;
    Labels l = read_labels(&at, more);
    if (*at) fail(E_VALUE, "einsum: only one result may follow ->");
    for (int i = 0; i < l.count; i++) {
        if (!uses[l.label[i]])
            fail(E_VALUE, "einsum: `%c` stands in the result but in no operand", l.label[i]);
        if (seen[l.label[i]]++)
            fail(E_VALUE, "einsum: `%c` stands in the result twice", l.label[i]);
    }
    return l;
}

/* ---- one term ---- */
/* The axes in this order; all of them. */
static Value arranged(const Term *t, const Labels *order) {
    int axes[MAX_AXES];
    bool same = true;
    for (int i = 0; i < order->count; i++) {
        axes[i] = axis_of(t, order->label[i]);
        same = same && axes[i] == i;
    }
    return same ? t->value : op_transpose(t->value, axes);
}

/* A label that names two axes becomes their diagonal: both are moved to the front and gathered in
 * pairs. */
static Term diagonal(const Term *t, int first, int second) {
    int64_t n = dim_of(t, first);
    if (n != dim_of(t, second))
        fail(E_SHAPE, "einsum: `%c` names axes of length %lld and %lld", t->label[first],
             (long long)n, (long long)dim_of(t, second));
    int order[MAX_AXES] = { first, second };
    Term d = { .axes = 1, .label = { t->label[first] } };
    for (int i = 0; i < t->axes; i++) {
        if (i == first || i == second) continue;
        order[d.axes + 1] = i;
        d.label[d.axes++] = t->label[i];
    }
    Array *places = array_new(F64, 1, &n);
    for (int64_t i = 0; i < n; i++) f64_of(places)[i] = (double)i;
    IndexItem items[2] = { { .kind = I_GATHER, .gather = object(places) },
                           { .kind = I_GATHER, .gather = object(places) } };
    d.value = op_index(op_transpose(t->value, order), 2, items);
    return d;
}

static Term without_repeats(Term t) {
    for (int i = 0; i < t.axes; i++)
        for (int j = i + 1; j < t.axes; j++)
            if (t.label[i] == t.label[j]) return without_repeats(diagonal(&t, i, j));
    return t;
}

/* Sums over the axes whose labels are not wanted. */
static Term summed(const Term *t, const bool *wanted) {
    Term s = { .axes = 0 };
    uint64_t axes = 0;
    for (int i = 0; i < t->axes; i++) {
        if (wanted[t->label[i]]) s.label[s.axes++] = t->label[i];
        else axes |= (uint64_t)1 << i;
    }
    s.value = axes ? op_sum(t->value, axes, false) : t->value;
    return s;
}

/* ---- two terms ---- */
/* Axes of length 1 become as long as the same axes of the other term. */
static Value stretched(const Term *t, const Term *other) {
    Shape shape = value_shape(t->value);
    bool same = true;
    for (int i = 0; i < t->axes; i++) {
        int at = axis_of(other, t->label[i]);
        int64_t n = at < 0 ? shape.dim[i] : dim_of(other, at);
        if (n != shape.dim[i] && n != 1 && shape.dim[i] != 1) {
            if (t->label[i] < ELLIPSIS)
                fail(E_SHAPE, "einsum: `%c` is %lld in one operand and %lld in another",
                     t->label[i], (long long)shape.dim[i], (long long)n);
            fail(E_SHAPE, "einsum: the axes of ... do not broadcast: %lld and %lld",
                 (long long)shape.dim[i], (long long)n);
        }
        if (shape.dim[i] == n || n == 1) continue;
        shape.dim[i] = n;
        same = false;
    }
    return same ? t->value : op_expand(t->value, &shape);
}

/* How the labels of two terms meet. */
typedef struct Meeting { Labels both, left, right, inner; } Meeting;

static Meeting meet(const Term *a, const Term *b, const bool *wanted) {
    Meeting m = { .both = { 0 } };
    for (int i = 0; i < a->axes; i++) {
        bool shared = axis_of(b, a->label[i]) >= 0;
        add_label(!shared ? &m.left : wanted[a->label[i]] ? &m.both : &m.inner, a->label[i]);
    }
    for (int i = 0; i < b->axes; i++)
        if (axis_of(a, b->label[i]) < 0) add_label(&m.right, b->label[i]);
    return m;
}

/* t with its axes in three groups: the first as they are, the others as one axis each. */
static Value in_groups(const Term *t, const Labels *both, const Labels *second,
                       const Labels *third) {
    const Labels *group[3] = { both, second, third };
    Labels order = { 0 };
    Shape shape = { .axes = both->count + 2 };
    for (int i = 0; i < shape.axes; i++) shape.dim[i] = 1;
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < group[k]->count; i++) {
            int axis = k == 0 ? i : both->count + k - 1;
            shape.dim[axis] *= dim_of(t, axis_of(t, group[k]->label[i]));
            add_label(&order, group[k]->label[i]);
        }
    return op_reshape(arranged(t, &order), shape.axes, shape.dim);
}

static Term joined(Term a, Term b, const bool *wanted) {
    Value left = stretched(&a, &b), right = stretched(&b, &a);
    a.value = left;
    b.value = right;
    Meeting m = meet(&a, &b, wanted);
    Value x = in_groups(&a, &m.both, &m.left, &m.inner);
    Value y = in_groups(&b, &m.both, &m.inner, &m.right);
    if (m.both.count + m.left.count + m.right.count > MAX_AXES)
        fail(E_LIMIT, "einsum: an array has at most %d axes", MAX_AXES);
    Term r = { .value = m.inner.count ? op_matmul(x, y) : op_mul(x, y) };
    Shape shape = { .axes = 0 };
    const Labels *group[3] = { &m.both, &m.left, &m.right };
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < group[k]->count; i++) {
            const Term *from = k == 2 ? &b : &a;
            r.label[r.axes++] = group[k]->label[i];
            shape.dim[shape.axes++] = dim_of(from, axis_of(from, group[k]->label[i]));
        }
    r.value = op_reshape(r.value, shape.axes, shape.dim);
    return r;
}

/* ---- all of them ---- */
static Value contract(int count, Term *term, const Labels *result) {
    bool wanted[LABELS];
    Term sum = term[0];
    for (int k = 0; k < count; k++) {
        memset(wanted, 0, sizeof wanted);
        for (int i = 0; i < result->count; i++) wanted[result->label[i]] = true;
        for (int later = k + 1; later < count; later++)
            for (int i = 0; i < term[later].axes; i++) wanted[term[later].label[i]] = true;
        if (k > 0) {
            bool either[LABELS];
            memcpy(either, wanted, sizeof either);
            for (int i = 0; i < sum.axes; i++) either[sum.label[i]] = true;
            sum = joined(sum, summed(&term[k], either), wanted);
        }
        sum = summed(&sum, wanted);
    }
    return arranged(&sum, result);
}

/* bound: the subscripts, the list of operands */
Value call_einsum(int count, const Value *bound) {
    (void)count;
    if (bound[0].tag != V_STRING)
        fail(E_TYPE, "einsum: the first argument is a text such as \"ij,jk->ik\"");
    const char *at = bound[0].as.string->text;
    int operands = (int)bound[1].as.list->count, uses[LABELS] = { 0 };
    Term *term = pool_bytes((size_t)(operands + 1) * sizeof *term);
    int commas = 1;
    for (const char *c = at; *c && strncmp(c, "->", 2); c++) commas += *c == ',';
    if (commas != operands || !operands)
        fail(E_ARGUMENT, "einsum: the subscripts are for %d operands, and %d are given", commas,
             operands);
    for (int k = 0; k < operands; k++, at += *at == ',') {
        Term t = read_term(&at, bound[1].as.list->item[k], k + 1);
        for (int i = 0; i < t.axes; i++) uses[t.label[i]]++;
        term[k] = without_repeats(t);
    }
    Labels result = *at ? read_result(at, uses) : implied_result(uses);
    return contract(operands, term, &result);
}
