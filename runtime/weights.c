/* Matrices that many products of a sweep share (weights.h).
 *
 * The one idea: the adjoint of the weights is a sum of products x' g, one for each turn of the
 * loop, and that sum is one product of all x, one below the other, and all g. These are collected
 * until there are ROWS of them; an adjoint is settled before it is read. */
#include "weights.h"

enum { SHARED = 4 };                     /* matrices at a time */
enum { ROWS = 128, LARGEST = ROWS / 4 }; /* rows that are collected; of one contribution */
enum { BYTES = 1 << 20 };                /* of what is collected for one matrix */

typedef struct Collected {
    uint32_t id;                         /* whose adjoint; 0: free */
    int64_t rows;
    Array *x, *g;                        /* of ROWS rows */
} Collected;

typedef struct Turned {
    Array *of, *flipped;                 /* NULL: it has been used once */
} Turned;

struct Weights {
    Collected collected[SHARED];
    Turned turned[SHARED];
    int next;                            /* of `turned`, that goes next */
};

static Weights *weights_of(Sweep *s) {
    if (!s->weights) s->weights = mem_alloc_zeroed(sizeof *s->weights);
    return s->weights;
}

static Array *kept(Array *a) {
    obj_keep(a);
    return a;
}

/* ---- collecting ---- */
static bool is_rows(Value v, const Array *sum, int64_t width) {
    if (v.tag != V_ARRAY) return false;
    const Array *a = v.as.array;
    return a->dtype == sum->dtype && (a->axes == 1 || a->axes == 2) &&
           shape_of(a)[a->axes - 1] == width;
}

static int64_t rows_of(const Array *a) { return a->axes == 1 ? 1 : shape_of(a)[0]; }

static void append_rows(Array *all, int64_t at, Array *rows) {
    int64_t width = shape_of(all)[1];
    int64_t strides[] = { width, 1 };
    array_assign(array_view(all, rows->axes, shape_of(rows), strides + 2 - rows->axes, at * width),
                 rows);
}

static Array *first_rows(Array *all, int64_t count) {
    return array_view(all, 2, (int64_t[]){ count, shape_of(all)[1] }, strides_of(all), 0);
}

static void add_collected(Sweep *s, Collected *c) {
    Value x = object(first_rows(c->x, c->rows)), g = object(first_rows(c->g, c->rows));
    Array *sum = sole_adjoint(s, c->id);
    c->rows = 0;
    if (!sum || !matmul_add_adjoint(sum, 1, g, x, object(sum)))
        add_value(s, c->id, op_matmul(op_transpose(x, NULL), g));
}

static void forget(Collected *c) {
    c->id = 0;
    array_drop(c->x);
    array_drop(c->g);
}

static Collected *find(Weights *w, uint32_t id) {
    for (int i = 0; i < SHARED; i++) if (w->collected[i].id == id) return &w->collected[i];
    return NULL;
}

bool weights_collect(Sweep *s, uint32_t id, const Array *sum, Value x, Value g) {
    if (sum->axes != 2 || sum->dtype == BOOL) return false;
    const int64_t *dim = shape_of(sum);
    if (!is_rows(x, sum, dim[0]) || !is_rows(g, sum, dim[1])) return false;
    int64_t rows = rows_of(x.as.array), width = (int64_t)dtype_bytes(sum->dtype);
    if (rows > LARGEST || (dim[0] + dim[1]) * width > BYTES / ROWS) return false;
    Weights *w = weights_of(s);
    Collected *c = find(w, id);
    if (!c) {
        c = find(w, 0);
        if (!c) return false;
        Array *all_x = array_new(sum->dtype, 2, (int64_t[]){ ROWS, dim[0] });
        Array *all_g = array_new(sum->dtype, 2, (int64_t[]){ ROWS, dim[1] });
        *c = (Collected){ .id = id, .x = kept(all_x), .g = kept(all_g) };
    }
    if (c->rows + rows > ROWS) add_collected(s, c);
    append_rows(c->x, c->rows, x.as.array);
    append_rows(c->g, c->rows, g.as.array);
    c->rows += rows;
    return true;
}

void weights_add(Sweep *s, uint32_t id) {
    for (int i = 0; i < SHARED; i++) {
        Collected *c = &s->weights->collected[i];
        if (!c->id || (id && c->id != id)) continue;
        size_t pool = pool_mark();
        add_collected(s, c);
        forget(c);
        pool_unwind(pool);
    }
}

/* ---- turning ---- */
static Array *flipped_copy(Array *y) {
    int64_t dim[] = { shape_of(y)[1], shape_of(y)[0] };
    int64_t strides[] = { strides_of(y)[1], strides_of(y)[0] };
    return array_copy(array_view(y, 2, dim, strides, 0));
}

Value weights_turned(Sweep *s, Value g, Value y) {
    if (g.tag != V_ARRAY || y.tag != V_ARRAY || g.as.array->axes < 2 || y.as.array->axes != 2 ||
        g.as.array->dtype != y.as.array->dtype) return UNSET;
    Array *matrix = y.as.array;
    int64_t columns = shape_of(matrix)[1];
    if (!columns || !product_is_unpacked(matrix->dtype, g.as.array->size / columns, columns,
                                         shape_of(matrix)[0])) return UNSET;
    Weights *w = weights_of(s);
    for (int i = 0; i < SHARED; i++) {
        Turned *t = &w->turned[i];
        if (t->of != matrix) continue;
        if (!t->flipped) t->flipped = kept(flipped_copy(matrix));
        return op_matmul(g, object(t->flipped));
    }
    Turned *t = &w->turned[w->next];
    w->next = (w->next + 1) % SHARED;
    if (t->of) array_drop(t->of);
    if (t->flipped) array_drop(t->flipped);
    *t = (Turned){ .of = kept(matrix) };
    return UNSET;
}

void weights_free(Sweep *s) {
    Weights *w = s->weights;
    if (!w) return;
    for (int i = 0; i < SHARED; i++) {
        if (w->collected[i].id) forget(&w->collected[i]);
        if (w->turned[i].of) array_drop(w->turned[i].of);
        if (w->turned[i].flipped) array_drop(w->turned[i].flipped);
    }
    mem_free(w, sizeof *w);
}
