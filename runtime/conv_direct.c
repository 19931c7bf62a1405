/* Convolution in steps of one (conv_direct.h).
 *
 * The one idea: with its border written out, an image is one line in which the window's elements
 * lie at fixed distances from the place of a result. So a convolution is a sum of shifted lines,
 * and a block of results is kept in registers while the image goes by, which is never unfolded
 * (conv_kernels.h). Between two rows of the result the line has places where the window would
 * reach around the edge; what is computed there is dropped, which costs less than going row by
 * row. Large images are taken in bands of rows that fit into the cache. */
#include <math.h>
#include <string.h>
#include "conv_direct.h"
#include "conv_kernels.h"
#include "elem.h"
#include "line_kernels.h"
#include "par.h"

enum { CHUNKS = 16, WEIGHT_CHUNKS = 4 };
enum { BAND_BYTES = 768 << 10, SUM_BYTES = 1 << 20 };    /* of what the second cache holds */

const ConvKernels *conv_kernels;

/* How the work is cut up, and the memory of each chunk of it. */
typedef struct Plan {
    Sliding s;
    int64_t width;                       /* bytes of an element */
    int64_t depth, wide, band, bands;    /* window elements; a row with borders; rows at a time */
    int64_t plane;                       /* elements of a channel of a band */
    int64_t line;                        /* elements of an output of a band, rounded up */
    int64_t units, chunks;               /* a unit: a band of a group of an image */
    int64_t *offset;
    char *images, *results, *sums;       /* of the chunks */
    int64_t image_bytes, result_bytes, sum_bytes;
    const char *x;
    char *r;                             /* result */
    const char *weights;                 /* packed: by blocks of outputs, [depth][outputs] */
} Plan;

static int64_t round_up(int64_t n, int64_t step) { return (n + step - 1) / step * step; }

/* block: of outputs; step: what places are rounded up to; chunks: at most */
static void plan_open(Plan *p, const Sliding *s, int64_t block, int64_t step, int64_t chunks) {
    *p = (Plan){ .s = *s, .width = (int64_t)dtype_bytes(s->dtype) };
    p->depth = s->channels * s->window_rows * s->window_columns;
    p->wide = s->columns + 2 * s->column_border;
    int64_t row = (s->channels + s->outputs) * p->wide * p->width;
    int64_t above = s->channels * (s->window_rows - 1) * p->wide * p->width;
    p->band = above < BAND_BYTES ? (BAND_BYTES - above) / row : 0;
    p->band = p->band < 1 ? 1 : p->band > s->down ? s->down : p->band;
    p->bands = par_chunks(s->down, p->band);
    p->plane = (p->band + s->window_rows - 1) * p->wide;
    p->line = round_up(p->band * p->wide, step);
    p->units = s->batch * s->groups * p->bands;
    p->chunks = p->units < chunks ? p->units : chunks;
    p->image_bytes = round_up((s->channels * p->plane + step + s->window_columns) * p->width, 64);
    p->result_bytes = round_up(round_up(s->outputs, block) * p->line * p->width, 64);
    p->images = pool_bytes((size_t)(p->chunks * p->image_bytes));
    p->results = pool_bytes((size_t)(p->chunks * p->result_bytes));
    memset(p->images, 0, (size_t)(p->chunks * p->image_bytes));
}

/* depth distances, and as many more, of the last element, as make a multiple of `block`. */
static void find_offsets(Plan *p, int64_t block) {
    const Sliding *s = &p->s;
    int64_t count = round_up(p->depth, block), k = 0;
    p->offset = pool_bytes((size_t)count * sizeof *p->offset);
    for (int64_t c = 0; c < s->channels; c++)
        for (int64_t i = 0; i < s->window_rows; i++)
            for (int64_t j = 0; j < s->window_columns; j++)
                p->offset[k++] = c * p->plane + i * p->wide + j;
    for (; k < count; k++) p->offset[k] = p->offset[k - 1];
}

typedef struct Unit { int64_t image, group, top, rows; } Unit;

static Unit unit_at(const Plan *p, int64_t unit) {
    int64_t top = unit % p->bands * p->band, image = unit / p->bands, left = p->s.down - top;
    return (Unit){ image / p->s.groups, image % p->s.groups, top, left < p->band ? left : p->band };
}

/* The rows that a band needs, inside borders that are zero from the start. */
static void load_image(const Plan *p, const Unit *u, char *to) {
    const Sliding *s = &p->s;
    int64_t row = s->columns * p->width, group = u->image * s->groups + u->group;
    int64_t pitch = p->wide * p->width, start = u->top - s->row_border;
    int64_t stop = start + u->rows + s->window_rows - 1, first = start < 0 ? 0 : start;
    int64_t last = stop > s->rows ? s->rows : stop;
    const char *from = p->x + (group * s->channels * s->rows + first) * row;
    for (int64_t c = 0; c < s->channels; c++, to += p->plane * p->width, from += s->rows * row) {
        if (p->bands > 1 && start < 0) memset(to, 0, (size_t)((first - start) * pitch));
        if (p->bands > 1 && stop > last)
            memset(to + (last - start) * pitch, 0, (size_t)((stop - last) * pitch));
        conv_kernels->rows_to(to + (first - start) * pitch + s->column_border * p->width, pitch,
                              from, row, last - first, row);
    }
}

static char *row_of_result(const Plan *p, const Unit *u, int64_t output, int64_t row) {
    const Sliding *s = &p->s;
    int64_t line = (u->image * s->groups + u->group) * s->outputs + output;
    return p->r + (line * s->down + u->top + row) * s->across * p->width;
}

static void store_result(const Plan *p, const Unit *u, const char *from) {
    int64_t row = p->s.across * p->width;
    for (int64_t o = 0; o < p->s.outputs; o++, from += p->line * p->width)
        conv_kernels->rows_to(row_of_result(p, u, o, 0), row, from, p->wide * p->width, u->rows,
                              row);
}

/* The adjoint of a band's results in the image's rows; between them it is zero from the start. */
static void load_result(const Plan *p, const Unit *u, char *to) {
    int64_t row = p->s.across * p->width, pitch = p->wide * p->width;
    for (int64_t o = 0; o < p->s.outputs; o++, to += p->line * p->width) {
        conv_kernels->rows_to(to, pitch, row_of_result(p, u, o, 0), row, u->rows, row);
        if (u->rows < p->band)
            memset(to + u->rows * pitch, 0, (size_t)((p->band - u->rows) * pitch));
    }
}

/* ---- the result ---- */
static void slide_chunk(int64_t chunk, void *env) {
    const Plan *p = env;
    char *image = p->images + chunk * p->image_bytes, *out = p->results + chunk * p->result_bytes;
    int64_t first = p->units * chunk / p->chunks, stop = p->units * (chunk + 1) / p->chunks;
    int64_t block = conv_kernels->outputs, blocks = par_chunks(p->s.outputs, block);
    for (int64_t unit = first; unit < stop; unit++) {
        Unit u = unit_at(p, unit);
        load_image(p, &u, image);
        for (int64_t b = 0; b < blocks; b++) {
            if (rt.interrupted) return;
            const char *w = p->weights + (u.group * blocks + b) * p->depth * block * p->width;
            conv_kernels->slide[p->s.dtype](p->depth, p->offset, w, image, u.rows * p->wide,
                                            out + b * block * p->line * p->width, p->line);
        }
        store_result(p, &u, out);
    }
}

/* The weight of an output at the k-th element of its window; turned: of images' adjoints, where
 * channels and outputs change places, and the window is read from its end. */
static int64_t place_of_weight(const Sliding *s, int64_t group, int64_t output, int64_t k,
                               bool turned) {
    int64_t window = s->window_rows * s->window_columns, channel = k / window, at = k % window;
    if (turned) return ((group * s->channels + channel) * s->outputs + output) * window +
                       window - 1 - at;
    return ((group * s->outputs + output) * s->channels + channel) * window + at;
}

static const char *pack_weights(const Plan *p, const char *w, bool turned) {
    const Sliding *s = &p->s;
    int64_t block = conv_kernels->outputs, all = round_up(s->outputs, block);
    size_t bytes = (size_t)(s->groups * all * p->depth * p->width);
    char *packed = pool_bytes(bytes), *to = packed;
    memset(packed, 0, bytes);
    for (int64_t g = 0; g < s->groups; g++)
        for (int64_t o = 0; o < all; o += block)
            for (int64_t k = 0; k < p->depth; k++)
                for (int64_t i = o; i < o + block; i++, to += p->width) {
                    if (i >= s->outputs) continue;
                    const char *from = w + place_of_weight(s, g, i, k, turned) * p->width;
                    memcpy(to, from, (size_t)p->width);
                }
    return packed;
}

static void slide_with(const Sliding *s, const void *images, const void *weights, bool turned,
                       void *result) {
    Plan p;
    size_t pool = pool_mark();
    if (!s->batch || !s->groups || !s->outputs || !s->down || !s->across) return;
    plan_open(&p, s, conv_kernels->outputs, conv_kernels->step[s->dtype],
              par_threads() > 1 ? CHUNKS : 1);
    find_offsets(&p, 1);
    p.weights = pack_weights(&p, weights, turned);
    p.x = images;
    p.r = result;
    par_for(p.chunks, slide_chunk, &p);
    poll();
    pool_unwind(pool);
}

void slide(const Sliding *s, const void *images, const void *weights, void *result) {
    slide_with(s, images, weights, false, result);
}

/* Each element of an image is a sum over the results whose windows it was in: the same convolution
 * of the results, with the window turned round. */
void slide_back(const Sliding *s, const void *result, const void *weights, void *images) {
    Sliding back = *s;
    back.channels = s->outputs;
    back.outputs = s->channels;
    back.rows = s->down;
    back.columns = s->across;
    back.down = s->rows;
    back.across = s->columns;
    back.row_border = s->window_rows - 1 - s->row_border;
    back.column_border = s->window_columns - 1 - s->column_border;
    slide_with(&back, result, weights, true, images);
}

/* ---- the weights ---- */
static void weights_chunk(int64_t chunk, void *env) {
    const Plan *p = env;
    char *image = p->images + chunk * p->image_bytes, *g = p->results + chunk * p->result_bytes;
    int64_t first = p->units * chunk / p->chunks, stop = p->units * (chunk + 1) / p->chunks;
    int64_t rows = conv_kernels->rows, taps = conv_kernels->taps;
    int64_t blocks = par_chunks(p->s.outputs, rows), across = par_chunks(p->depth, taps);
    int64_t lanes = CORRELATED / p->width, block = rows * taps * CORRELATED;
    for (int64_t unit = first; unit < stop; unit++) {
        Unit u = unit_at(p, unit);
        char *sums = p->sums + chunk * p->sum_bytes + u.group * blocks * across * block;
        load_image(p, &u, image);
        load_result(p, &u, g);
        for (int64_t b = 0; b < blocks; b++) {
            if (rt.interrupted) return;
            for (int64_t k = 0; k < across; k++, sums += block)
                conv_kernels->correlate[p->s.dtype](round_up(u.rows * p->wide, lanes),
                                                    p->offset + k * taps, image,
                                                    g + b * rows * p->line * p->width, p->line,
                                                    sums);
        }
    }
}

static bool store_weights(const Plan *p, void *weights) {
    const Sliding *s = &p->s;
    int64_t rows = conv_kernels->rows, taps = conv_kernels->taps;
    int64_t blocks = par_chunks(s->outputs, rows), across = par_chunks(p->depth, taps);
    bool finite = true;
    for (int64_t c = 1; c < p->chunks; c++)
        line_kernels->add[s->dtype](p->sum_bytes / p->width, p->sums, p->sums + c * p->sum_bytes);
    for (int64_t i = 0; i < s->groups * s->outputs; i++)
        for (int64_t k = 0; k < p->depth; k++) {
            int64_t o = i % s->outputs;
            int64_t block = (i / s->outputs * blocks + o / rows) * across + k / taps;
            const char *lanes =
                p->sums + ((block * rows + o % rows) * taps + k % taps) * CORRELATED;
            double total = line_kernels->sum[s->dtype](lanes, CORRELATED / p->width);
            finite &= isfinite(total) != 0;
            if (s->dtype == F64) ((double *)weights)[i * p->depth + k] = total;
            else ((float *)weights)[i * p->depth + k] = (float)total;
        }
    return finite;
}

bool slide_weights(const Sliding *s, const void *images, const void *result, void *weights) {
    Plan p;
    int64_t rows = conv_kernels->rows, taps = conv_kernels->taps;
    int64_t depth = s->channels * s->window_rows * s->window_columns;
    int64_t sums = s->groups * round_up(s->outputs, rows) * round_up(depth, taps) * CORRELATED;
    if (sums > SUM_BYTES || !s->batch || !s->down || !s->across) return false;
    size_t pool = pool_mark();
    plan_open(&p, s, rows, CORRELATED / (int64_t)dtype_bytes(s->dtype), WEIGHT_CHUNKS);
    find_offsets(&p, taps);
    p.sum_bytes = sums;
    p.sums = pool_bytes((size_t)(p.chunks * sums));
    memset(p.sums, 0, (size_t)(p.chunks * sums));
    memset(p.results, 0, (size_t)(p.chunks * p.result_bytes));
    p.x = images;
    p.r = (char *)(uintptr_t)result;
    par_for(p.chunks, weights_chunk, &p);
    poll();
    bool finite = store_weights(&p, weights);
    pool_unwind(pool);
    return finite;
}
