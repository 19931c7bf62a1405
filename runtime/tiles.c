/* Tiles (tiles.h): loading operands, and running the steps of a program.
 *
 * A step may write over an operand's tile, since kernels go from the first element to the last;
 * program_join() gives each result a slot and takes the slots of its operands back, so that a
 * program of any length keeps three or four tiles in the cache. */
#include <string.h>
#include "kernels.h"
#include "line_kernels.h"
#include "par.h"
#include "tiles.h"

/* ---- runs of elements as another dtype ---- */
typedef void Move(void *to, const void *from, int64_t n, int64_t stride);
#define MOVE(name, T, F, convert)                                                                  \
    static void name(void *to_, const void *from_, int64_t n, int64_t stride) {                    \
        T *to = to_;                                                                               \
        const F *from = from_;                                                                     \
        if (stride == 1) for (int64_t i = 0; i < n; i++) to[i] = (T)convert(from[i]);              \
        else if (stride == 0) for (int64_t i = 0; i < n; i++) to[i] = (T)convert(from[0]);         \
        else for (int64_t i = 0; i < n; i++) to[i] = (T)convert(from[i * stride]);                 \
    }
#define AS_IS(x) (x)
#define TRUTH(x) ((x) != 0)
MOVE(f64_from_f32, double, float, AS_IS)
MOVE(f64_from_bool, double, uint8_t, AS_IS)
MOVE(f32_from_f64, float, double, AS_IS)
MOVE(f32_from_bool, float, uint8_t, AS_IS)
MOVE(bool_from_f64, uint8_t, double, TRUTH)
MOVE(bool_from_f32, uint8_t, float, TRUTH)
/* Where the dtype stays, a run is copied as it is. */
#define COPY(name, T)                                                                              \
    static void name(void *to_, const void *from_, int64_t n, int64_t stride) {                    \
        T *to = to_;                                                                               \
        const T *from = from_;                                                                     \
        T first = *from;                                                                           \
        if (stride == 1) memcpy(to, from, (size_t)n * sizeof *to);                                 \
        else if (stride == 0) for (int64_t i = 0; i < n; i++) to[i] = first;                       \
        else for (int64_t i = 0; i < n; i++) to[i] = from[i * stride];                             \
    }
COPY(f64_from_f64, double)
COPY(f32_from_f32, float)
COPY(bool_from_bool, uint8_t)
static Move *const moves[3][3] = {
    [F64] = { f64_from_f64, f64_from_f32, f64_from_bool },
    [F32] = { f32_from_f64, f32_from_f32, f32_from_bool },
    [BOOL] = { bool_from_f64, bool_from_f32, bool_from_bool },
};

/* ---- sources ---- */
void source_open(Source *s, Value v, int wanted, int axes, const int64_t *shape) {
    *s = (Source){ .kind = SOURCE_REPEATED, .dtype = (uint8_t)dtype_of(v),
                   .wanted = (uint8_t)wanted };
    if (v.tag != V_ARRAY) {
        s->number = num_of(v);
        s->dtype = F64;
        return;
    }
    const Array *a = v.as.array;
    Odometer o;
    odometer_open(&o);
    int added = axes - a->axes;
    for (int i = 0; i < axes; i++) {
        bool repeated = i < added || shape_of(a)[i - added] == 1;
        odometer_push(&o, shape[i], repeated ? 0 : strides_of(a)[i - added]);
    }
    s->at = a->data;
    s->axes = (uint8_t)o.axes;
    memcpy(s->dim, o.dim, (size_t)o.axes * sizeof *o.dim);
    memcpy(s->stride, o.stride, (size_t)o.axes * sizeof *o.stride);
    if (o.axes == 0 || (o.axes == 1 && o.stride[0] == 0)) s->kind = SOURCE_REPEATED;
    else if (o.axes == 1 && o.stride[0] == 1 && a->dtype == wanted) s->kind = SOURCE_PLAIN;
    else s->kind = SOURCE_STRIDED;
}

void source_fill(const Source *s, void *tile) {
    const void *from = s->at ? (const void *)s->at : &s->number;
    moves[s->wanted][s->dtype](tile, from, FUSED, 0);
}

static const void *load_strided(const Source *s, int64_t first, int64_t n, void *tile) {
    int64_t at[MAX_AXES], offset = 0, width = (int64_t)dtype_bytes(s->dtype);
    int last = s->axes - 1;
    for (int i = last; i >= 0; i--) {
        at[i] = first % s->dim[i];
        first /= s->dim[i];
        offset += at[i] * s->stride[i];
    }
    int64_t left = s->dim[last] - at[last], step = s->stride[last];
    if (left >= n && step == 1 && s->dtype == s->wanted) return s->at + offset * width;
    Move *move = moves[s->wanted][s->dtype];
    char *to = tile;
    for (;;) {
        int64_t run = left < n ? left : n;
        move(to, s->at + offset * width, run, step);
        to += run * (int64_t)dtype_bytes(s->wanted);
        n -= run;
        if (n == 0) return tile;
        offset -= at[last] * step;
        at[last] = 0;
        for (int i = last - 1; i >= 0; i--) {
            offset += s->stride[i];
            if (++at[i] < s->dim[i]) break;
            offset -= s->dim[i] * s->stride[i];
            at[i] = 0;
        }
        left = s->dim[last];
    }
}

const void *source_load(const Source *s, int64_t first, int64_t n, void *tile) {
    switch ((SourceKind)s->kind) {
    case SOURCE_PLAIN: return s->at + first * (int64_t)dtype_bytes(s->dtype);
    case SOURCE_REPEATED: return tile;
    case SOURCE_STRIDED: return load_strided(s, first, n, tile);
    }
    return tile;
}

/* ---- steps ---- */
bool op_is_tiled(Op op) { return op < OP_ELEMS || op == OP_where; }

/* Does it cost more than reading its operands from memory? */
static bool op_is_heavy(Op op) {
    switch ((int)op) {
    case OP_add: case OP_sub: case OP_mul: case OP_div: case OP_neg: case OP_square: case OP_abs:
    case OP_reciprocal: case OP_sqrt: case OP_relu: case OP_maximum: case OP_minimum: case OP_where:
    case OP_floor: case OP_ceil: case OP_trunc: case OP_round: case OP_sign: case OP_NONE:
        return false;
    default: return operations[op].class != C_TEST;
    }
}

void step_run(const Step *s, int dtype, int64_t n, void *out, const void *const in[3]) {
    if (s->op == OP_NONE) moves[s->dtype][BOOL](out, in[0], n, 1);
    else if (s->op == OP_where) line_kernels->choose[dtype](n, out, in[0], in[1], in[2]);
    else elem_kernels[s->op].loop[dtype](n, out, in[0], in[1]);
}

void program_close(Program *p) {
    p->heavy = false;
    for (int i = 0; i < p->steps; i++) p->heavy |= op_is_heavy(p->step[i].op);
    program_join(p);
}

typedef double Tile[FUSED] __attribute__((aligned(64)));

static int64_t result_bytes(const Program *p) {
    return (int64_t)dtype_bytes(p->step[p->steps - 1].dtype);
}

static __attribute__((noinline)) void fill(const Program *p, int64_t first, int64_t n, char *out) {
    Tile loaded[PROGRAM_SOURCES], slot[PROGRAM_STEPS + 1];
    const void *source[PROGRAM_SOURCES];
    const int last = p->passes - 1;
    int64_t bytes = result_bytes(p), tile = TILE_BYTES / (int64_t)dtype_bytes(p->dtype);
    for (int k = 0; k < p->sources; k++)
        if (p->source[k].kind == SOURCE_REPEATED) source_fill(&p->source[k], loaded[k]);
    for (int64_t done = 0; done < n; done += tile) {
        int64_t count = n - done < tile ? n - done : tile;
        Ahead next = { { NULL } };
        if (p->fetching) next = sources_ahead(p->source, p->fetched, first + done + tile);
        for (int k = 0; k < p->sources; k++)
            source[k] = source_load(&p->source[k], first + done, count, loaded[k]);
        for (int i = 0; i <= last; i++) {
            const Pass *pass = &p->pass[i];
            const Step *s = &p->step[pass->step];
            const void *in[3];
            for (int k = 0; k < pass->count; k++)
                in[k] = pass->in[k] < 0 ? source[~pass->in[k]] : slot[p->step[pass->in[k]].slot];
            if (pass->count == 1) in[1] = in[0];
            char *place = out + done * bytes;
            void *to = i < last || p->streams ? (void *)slot[s->slot] : place;
            if (pass->loop) pass->loop(count, to, in, &next);
            else step_run(s, p->dtype, count, to, in);
            if (i == last && p->streams) line_kernels->stream(place, to, count * bytes);
        }
    }
    if (p->streams) line_kernels->streamed();
}

void program_fill(const Program *p, int64_t first, int64_t n, void *out) { fill(p, first, n, out); }

/* ---- all of it ---- */
typedef struct Filling { const Program *program; int64_t first, n; char *out; } Filling;

static void fill_chunk(int64_t chunk, void *env) {
    const Filling *f = env;
    int64_t at = chunk * FUSED * CHUNK_TILES, n = f->n - at;
    if (rt.interrupted) return;
    if (n > FUSED * CHUNK_TILES) n = FUSED * CHUNK_TILES;
    fill(f->program, f->first + at, n, f->out + at * result_bytes(f->program));
}

void program_run_part(const Program *p, int64_t first, int64_t n, void *out) {
    Filling f = { p, first, n, out };
    if (p->heavy && par_threads() > 1 && n > FUSED * CHUNK_TILES) {
        par_for(par_chunks(n, FUSED * CHUNK_TILES), fill_chunk, &f);
        poll();
        return;
    }
    for (int64_t at = 0; at < n; at += RUN) {
        fill(p, first + at, n - at < RUN ? n - at : RUN, f.out + at * result_bytes(p));
        poll();
    }
}

void program_run(Program *p, void *out) {
    p->streams = p->size * result_bytes(p) >= STREAM_FROM;
    for (int k = 0; k < p->sources; k++) p->streams &= p->source[k].at != out;
    program_run_part(p, 0, p->size, out);
}

void program_one(Op op, int dtype, int count, const Value *in, Array *out) {
    Program p = { .steps = 1, .sources = count, .dtype = dtype, .axes = out->axes,
                  .shape = shape_of(out), .size = out->size };
    p.step[0] = (Step){ .op = (uint16_t)op, .count = (uint8_t)count, .dtype = out->dtype };
    for (int k = 0; k < count; k++) {
        source_open(&p.source[k], in[k], dtype, out->axes, shape_of(out));
        p.step[0].in[k] = (int8_t)~k;
    }
    program_close(&p);
    program_run(&p, out->data);
}
