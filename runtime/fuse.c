/* Deferring elementwise operations and running them together (fuse.h).
 *
 * fuse_apply() checks the operands and makes a Deferred, a small tree of operations; force()
 * flattens the tree into a Program, runs it and records it. All operations of one tree have one
 * shape and compute in one dtype, and are either all on the tape or none is: an operand that does
 * not fit is computed first and is then an array like any other. */
#include <stdlib.h>
#include <string.h>
#include "fuse_tape.h"
#include "kernels.h"

enum { FUSE_FROM = 256 };
int64_t fuse_from = FUSE_FROM;

void fuse_open(void) {
    const char *from = getenv("ADL_FUSE_FROM");
    fuse_from = from && atoll(from) > 0 ? atoll(from) : FUSE_FROM;
}

void deferred_free(Deferred *d) {
    for (int i = 0; i < d->count; i++) value_drop(d->in[i]);
    mem_free(d, d->bytes);
}

/* ---- what an operation would give ---- */
typedef struct Plan {
    Shape shape;
    int64_t size;
    int dtype, width, steps, sources;
    bool recorded;
} Plan;

static Shape shape_of_operand(Value v) {
    if (!is_deferred(v)) return value_shape(v);
    const Deferred *d = deferred_of(v);
    Shape s = { .axes = d->axes };
    memcpy(s.dim, d->shape, (size_t)d->axes * sizeof *s.dim);
    return s;
}

static int dtype_of_operand(Value v) {
    return is_deferred(v) ? deferred_of(v)->dtype : dtype_of(v);
}

/* As compute_dtype in ops.c: f32 only if no wider array takes part; 0-d numbers do not widen. */
static int computing_dtype(int count, const Value *in) {
    bool narrow = false, wide = false;
    for (int i = 0; i < count; i++) {
        if (is_number(in[i])) continue;
        bool number = in[i].tag == V_ARRAY && !in[i].as.array->axes;
        if (dtype_of_operand(in[i]) == F32) narrow = true;
        else if (!number) wide = true;
    }
    return narrow && !wide ? F32 : F64;
}

/* where's result has the dtype of its alternatives together, which must not be bool here. */
static bool where_fits(const Value *in) {
    bool bools = true;
    for (int i = 1; i < 3; i++) bools &= dtype_of_operand(in[i]) == BOOL;
    return !bools && dtype_of_operand(in[0]) == BOOL && !is_number(in[0]);
}

/* False if this is for apply(): small, no arrays, or wrong, and then apply() says what is wrong. */
static bool make_plan(Plan *p, Op op, int count, const Value *in) {
    for (int i = 0; i < count; i++)
        if (!is_numeric(in[i]) && !is_deferred(in[i])) return false;
    if (op == OP_where && !where_fits(in)) return false;
    p->shape = shape_of_operand(in[0]);
    for (int i = 1; i < count; i++) {
        Shape other = shape_of_operand(in[i]), joined;
        if (!shapes_join(&p->shape, &other, &joined)) return false;
        p->shape = joined;
    }
    double size = 1;
    for (int i = 0; i < p->shape.axes; i++) size *= (double)p->shape.dim[i];
    if (!p->shape.axes || size < (double)fuse_from || size > 0x1p47) return false;
    p->size = (int64_t)size;
    p->width = op == OP_where ? computing_dtype(2, in + 1) : computing_dtype(count, in);
    p->dtype = operations[op].class == C_TEST ? BOOL : p->width;
    p->recorded = false;
    bool differentiable = op == OP_where || operations[op].class <= C_SELECT;
    for (int i = op == OP_where; i < count; i++)
        p->recorded |= is_deferred(in[i]) ? deferred_of(in[i])->recorded : in[i].node != 0;
    p->recorded &= rt.recording && differentiable;
    return true;
}

/* Can this operand stay deferred inside the operation? */
static bool fits(const Plan *p, Value v) {
    const Deferred *d = deferred_of(v);
    return d->size == p->size && same_shape(d->axes, d->shape, p->shape.axes, p->shape.dim) &&
           d->width == p->width && d->recorded == p->recorded;
}

static void count_parts(Plan *p, int count, const Value *in) {
    p->steps = 1;
    p->sources = 0;
    for (int i = 0; i < count; i++) {
        p->steps += is_deferred(in[i]) ? deferred_of(in[i])->steps + 1 : 0;
        p->sources += is_deferred(in[i]) ? deferred_of(in[i])->sources : 1;
    }
}

/* ---- deferring ---- */
static Value defer(const Plan *p, Op op, int count, const Value *in, int flags) {
    size_t shape = (size_t)p->shape.axes * sizeof(int64_t), bytes = sizeof(Deferred) + shape;
    Deferred *d = mem_alloc(bytes);
    *d = (Deferred){ .head = { .refs = 1, .tag = V_DEFERRED }, .op = (uint16_t)op,
                     .count = (uint8_t)count, .dtype = (uint8_t)p->dtype,
                     .width = (uint8_t)p->width, .steps = (uint8_t)p->steps,
                     .sources = (uint8_t)p->sources, .recorded = p->recorded, .span = rt.here,
                     .bytes = bytes, .size = p->size, .axes = p->shape.axes };
    memcpy(d->shape, p->shape.dim, shape);
    for (int i = 0; i < count; i++) {
        bool temporary = flags >> i & 1 && is_temporary(in[i]) && !in[i].node;
        if (temporary && in[i].tag == V_ARRAY && array_is_sole(in[i].as.array, 1))
            d->reuse |= (uint8_t)(1 << i);
        d->in[i] = value_keep(in[i]);
    }
    return object(pool_own(d));
}

static Value apply_now(Op op, int count, Value *in, int flags) {
    Span here = rt.here;
    for (int i = 0; i < count; i++) in[i] = fuse_force(in[i]);
    rt.here = here;
    if (op == OP_where) return op_where(in[0], in[1], in[2]);
    int reuse = flags & (REUSE_X | REUSE_Y);
    return count == 1 ? apply1_reusing(op, in[0], reuse) : apply2_reusing(op, in[0], in[1], reuse);
}

Value fuse_apply(Op op, int count, const Value *operands, int flags) {
    Plan p;
    Value in[3];
    memcpy(in, operands, (size_t)count * sizeof *in);
    bool square = op == OP_power && in[1].tag == V_NUM && in[1].as.num == 2 && !in[1].node;
    if (square) op = OP_square, count = 1;
    if (!op_is_tiled(op) || !make_plan(&p, op, count, in)) return apply_now(op, count, in, flags);
    bool any = false;
    Span here = rt.here;
    for (int i = 0; i < count; i++) {
        if (is_deferred(in[i]) && !fits(&p, in[i])) in[i] = fuse_force(in[i]);
        any |= is_deferred(in[i]);
    }
    rt.here = here;
    if (!any && !(flags & DEFER)) return apply_now(op, count, in, flags);
    count_parts(&p, count, in);
    for (int i = 0; (p.steps > PROGRAM_STEPS || p.sources > PROGRAM_SOURCES) && i < count; i++) {
        in[i] = fuse_force(in[i]);
        rt.here = here;
        count_parts(&p, count, in);
    }
    Value d = defer(&p, op, count, in, flags);
    return flags & DEFER ? d : fuse_force(d);
}

/* ---- running ---- */
static int add_source(Program *p, Value *source, Value v, int wanted) {
    for (int k = 0; k < p->sources; k++)
        if (v.tag == V_ARRAY && source[k].tag == V_ARRAY && source[k].as.array == v.as.array &&
            source[k].node == v.node && p->source[k].wanted == wanted) return k;
    source[p->sources] = v;
    source_open(&p->source[p->sources], v, wanted, p->axes, p->shape);
    return p->sources++;
}

static int add_step(Program *p, Step step) {
    p->step[p->steps] = step;
    return p->steps++;
}

static int flatten(Program *p, Value *source, const Deferred *d) {
    Step step = { .op = d->op, .count = d->count, .dtype = d->dtype, .span = d->span };
    for (int i = 0; i < d->count; i++) {
        int wanted = d->op == OP_where && i == 0 ? BOOL : p->dtype, k;
        if (!is_deferred(d->in[i])) {
            k = ~add_source(p, source, d->in[i], wanted);
        } else {
            k = flatten(p, source, deferred_of(d->in[i]));
            if (p->step[k].dtype == BOOL && wanted != BOOL)
                k = add_step(p, (Step){ .count = 1, .dtype = p->dtype & 1, .in = { (int8_t)k } });
        }
        step.in[i] = (int8_t)k;
    }
    return add_step(p, step);
}

void fuse_program(Program *p, Value *source, const Deferred *d) {
    p->streams = false;
    p->steps = p->sources = 0;
    p->dtype = d->width;
    p->axes = d->axes;
    p->shape = d->shape;
    p->size = d->size;
    flatten(p, source, d);
    program_close(p);
}

/* A temporary operand that the result may be written over: the last step reads a tile of it before
 * it writes that tile, and nobody else knows it. */
static Array *result_place(const Deferred *d, const Deferred *root) {
    for (int i = 0; i < d->count; i++) {
        Value v = d->in[i];
        if (is_deferred(v)) {
            Array *inside = result_place(deferred_of(v), root);
            if (inside) return inside;
        } else if (d->reuse >> i & 1 && v.as.obj->refs == 2 && v.as.array->dtype == root->dtype &&
                   array_is_contiguous(v.as.array) &&
                   same_shape(v.as.array->axes, shape_of(v.as.array), root->axes, root->shape)) {
            return v.as.array;
        }
    }
    return NULL;
}

Value fuse_force(Value v) {
    if (!is_deferred(v)) return v;
    Deferred *d = deferred_of(v);
    Program p;
    Value source[PROGRAM_SOURCES];
    fuse_program(&p, source, d);
    rt.here = d->span;
    Array *out = d->recorded ? NULL : result_place(d, d);
    if (out) out->span = rt.here;
    else out = array_new(d->dtype, d->axes, d->shape);
    program_run(&p, out->data);
    Value result = array_value(out);
    if (d->recorded) result.node = fuse_record(&p, source, result);
    return result;
}
