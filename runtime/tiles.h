/* Tiles: an elementwise expression evaluated a few hundred elements at a time. The one idea: a
 * Program lists the operations of the expression in order and where their operands lie; running it
 * brings a tile of each operand into contiguous form and hands it from one elementwise kernel to
 * the next while it is in the first-level cache, so that nothing between the operands and the
 * result is ever stored. Operands of any layout broadcast to the program's shape.
 *
 * It knows kernels and layouts, but neither the tape nor what a program is for (fuse.c has that).
 */
#ifndef TILES_H
#define TILES_H
#include "passes.h"

/* FUSED: the most elements of a tile. A CHUNK of tiles is what a thread takes at a time. */
enum { STREAM_FROM = 8 << 20 };  /* bytes that are not worth keeping in a cache */
enum { TILE_BYTES = 2048, FUSED = 512, CHUNK_TILES = 8, PROGRAM_STEPS = 12, PROGRAM_SOURCES = 10 };

/* What an operand in memory looks like from the program's shape. */
typedef enum SourceKind { SOURCE_PLAIN, SOURCE_REPEATED, SOURCE_STRIDED } SourceKind;
typedef struct Source {
    const char *at;             /* the first element; NULL: `number` */
    double number;
    uint8_t kind, dtype, wanted, axes;
    int64_t dim[MAX_AXES], stride[MAX_AXES];
} Source;

/* One operation on results of earlier steps (in[k] >= 0) and on sources (~in[k]). OP_NONE converts
 * a bool to the program's dtype. */
typedef struct Step {
    uint16_t op;
    uint8_t count, dtype;       /* operands; dtype of the result */
    int8_t in[3], slot;
    Span span;
} Step;

/* What runs at once: a step, alone (loop: NULL) or together with the one that it alone takes. */
typedef struct Pass {
    PassLoop *loop;
    uint8_t count;              /* operands, as in a step */
    int8_t in[3], step, joined;
    bool fetches;               /* meanwhile the next tile's operands are fetched */
} Pass;

typedef struct Program {
    int steps, sources, dtype;  /* dtype: F64 or F32, in which it computes */
    int axes;
    const int64_t *shape;
    int64_t size;
    bool streams;               /* the result is larger than the caches and nobody's operand */
    bool heavy;                 /* bound by computing, not by memory: worth threads */
    bool fetching;              /* some pass fetches these sources */
    int8_t fetched[FETCHED];
    int passes;
    Step step[PROGRAM_STEPS];
    Pass pass[PROGRAM_STEPS];
    Source source[PROGRAM_SOURCES];
} Program;

/* v, a number or an array, broadcast to the shape and read as `wanted`. */
void source_open(Source *s, Value v, int wanted, int axes, const int64_t *shape);
/* n <= FUSED elements from `first` on: where they lie, or in `tile`. Of a SOURCE_REPEATED source a
 * tile is filled once by source_fill(). */
const void *source_load(const Source *s, int64_t first, int64_t n, void *tile);
void source_fill(const Source *s, void *tile);

/* May a program have this operation? */
bool op_is_tiled(Op op);
/* After the last step: which steps run together and where their results lie. */
void program_close(Program *p);
/* passes.c */
void program_join(Program *p);
/* The loop for this operation, or for it of a negated operand, that fetches; NULL: there is none.
 * What it may fetch: the first operands in memory as they are wanted, or -1, and where the tile
 * that begins at `first` lies in them. */
PassLoop *fetching_loop(Op op, bool negated, int dtype);
void choose_fetched(int sources, const Source *source, int8_t fetched[FETCHED]);
Ahead sources_ahead(const Source *source, const int8_t fetched[FETCHED], int64_t first);
/* Elements first .. first + n of the last step, to `out`. Any thread may call it. */
void program_fill(const Program *p, int64_t first, int64_t n, void *out);
/* All of them, or these, with threads where it pays. */
void program_run(Program *p, void *out);
void program_run_part(const Program *p, int64_t first, int64_t n, void *out);
/* One operation as a program, into an array of its shape, which may lie over an operand. */
void program_one(Op op, int dtype, int count, const Value *in, Array *out);
/* One step on tiles. */
void step_run(const Step *s, int dtype, int64_t n, void *out, const void *const in[3]);
#endif
