/* standardize: brought to mean 0 and variance 1 over some axes, and its adjoint.
 *
 * The one idea: a contiguous array is a Grid, [outer, down, across, along], of which `down` and
 * `along` are reduced; so the axes of layer_norm, batch_norm and group_norm all lie in memory as
 * they are. Lines that fit a cache are finished one by one; everything else takes three passes over
 * blocks of rows: sums, squares below the mean, results. A block is a chunk of work for a thread,
 * and the totals of blocks are joined pairwise, so a result does not depend on the number of
 * threads. Totals are f64 whatever the elements are. */
#include <math.h>
#include <string.h>
#include "line_kernels.h"
#include "lines.h"
#include "par.h"

enum { BLOCK = 1024, PIECE = 16 << 10, ROWS = 128, TOGETHER = 64 << 10, WIDE = 256 };

typedef struct Grid { int64_t outer, down, across, along; } Grid;

/* The axes of a contiguous array as a grid; false if they do not alternate that way. */
static bool grid_of(const Array *a, uint64_t axes, Grid *grid) {
    int64_t *part[] = { &grid->outer, &grid->down, &grid->across, &grid->along };
    int at = 0;
    *grid = (Grid){ 1, 1, 1, 1 };
    for (int i = 0; i < a->axes; i++) {
        if (shape_of(a)[i] == 1) continue;
        if ((at & 1) != (int)(axes >> i & 1)) at++;
        if (at > 3) return false;
        *part[at] *= shape_of(a)[i];
    }
    if (at == 1) {          /* what is reduced comes last: lines */
        grid->along = grid->down;
        grid->down = 1;
    }
    return true;
}

/* What is read of a value: contiguous, of one dtype, in a layout that is a grid. */
typedef struct Input {
    Array *data;
    Lines lines;            /* if its axes had to be moved */
    bool moved;
} Input;

static Input input_of(Value x, uint64_t axes, int dtype, Grid *grid) {
    Input in = { .data = array_of(x) };
    in.moved = !grid_of(in.data, axes, grid);
    if (in.moved) {
        in.lines = lines_of(x, axes, dtype);
        in.data = in.lines.data;
        *grid = (Grid){ in.lines.count, 1, 1, in.lines.length };
    } else {
        in.data = array_contiguous(array_cast(in.data, dtype));
    }
    return in;
}

static Array *result_like(const Input *in) {
    if (in->moved) return lines_like(&in->lines);
    return array_new(in->data->dtype, in->data->axes, shape_of(in->data));
}

static Value result_value(const Input *in, Array *out) {
    return in->moved ? lines_value(&in->lines, out, out->dtype) : value_of_dtype(out, out->dtype);
}

/* ---- one job: forward, or the adjoint if there is a g ----
 * Statistics of a slab (an index of `outer`) stand side by side, `repeat` times over, since so many
 * short rows are taken for one. */
typedef struct Job {
    Grid grid;
    int dtype;
    int64_t bytes, slab, n;            /* of an element; elements of a slab, and of a statistic */
    int64_t rows, blocks, repeat, wide;   /* of a block; of a slab; `across` that often */
    double eps;
    const char *x, *g;
    char *out;
    double *centre, *by, *level, *tilt;   /* by statistic */
    double *part[2];                      /* by block and statistic */
    const void *scale, *shift;            /* by place on a line; NULL: none */
    double *scale_sum, *shift_sum;        /* by chunk and place, of the adjoint */
} Job;

/* A line as one total: line_kernels' loops over at most BLOCK elements, joined pairwise. */
static void add_lines(const Job *j, int64_t n, const char *x, const char *g, double centre,
                      bool squares, double *total) {
    if (n > BLOCK) {
        int64_t half = (n / 2 + BLOCK - 1) / BLOCK * BLOCK, bytes = half * j->bytes;
        double second[2] = { 0 };
        add_lines(j, half, x, g, centre, squares, total);
        add_lines(j, n - half, x + bytes, g ? g + bytes : NULL, centre, squares, second);
        total[0] += second[0];
        total[1] += second[1];
    } else if (squares && g) {
        line_kernels->spread_with[j->dtype](n, x, g, centre, total);
    } else if (squares) {
        total[0] += line_kernels->spread[j->dtype](n, x, centre);
    } else {
        total[0] += line_kernels->sum[j->dtype](x, n);
        if (g) total[1] += line_kernels->sum[j->dtype](g, n);
    }
}

/* The factors of a statistic from its totals: r = (x - centre) by; and of the adjoint, by (g -
 * mean(g) - r mean(g r)) = by g - level - tilt (x - centre). */
static void set_deviation(const Job *j, int64_t s, const double *total) {
    double n = (double)j->n, by = 1 / sqrt(total[0] / n + j->eps);
    j->by[s] = by;
    if (!j->g) return;
    j->level[s] *= by;
    j->tilt[s] = by * by * by * (total[1] / n);
}

static void finish_line(const Job *j, int64_t n, int64_t at, int64_t s) {
    at *= j->bytes;
    if (j->g)
        line_kernels->unstandardize[j->dtype](n, j->out + at, j->x + at,
                                              (j->scale ? j->out : j->g) + at,
                                              (double[]){ j->centre[s], j->by[s], j->level[s],
                                                          j->tilt[s] });
    else line_kernels->standardize[j->dtype](n, j->out + at, j->x + at, j->centre[s], j->by[s]);
}

/* ---- lines that fit a cache ---- */
static void sides(const Job *j, int64_t first, int64_t last, const Affine *by_column) {
    for (int64_t line = first; line < last; line += SIDE) {
        int64_t at = line * j->grid.along * j->bytes;
        int64_t lines = last - line < SIDE ? last - line : SIDE;
        line_kernels->short_standardize[j->dtype](j->grid.along, lines, j->out + at, j->x + at,
                                                  j->g ? j->g + at : NULL, j->eps, by_column);
    }
}

/* With a scale, its product with g stands in the place of the result until that is known. */
static void whole_line(const Job *j, int64_t line, const Affine *by_column) {
    int64_t n = j->grid.along, at = line * n * j->bytes;
    const char *x = j->x + at, *g = j->g ? j->g + at : NULL;
    double sum[2] = { 0 }, square[2] = { 0 };
    if (g && j->scale) {
        line_kernels->weigh[j->dtype](n, j->out + at, g, j->scale);
        g = j->out + at;
    }
    add_lines(j, n, x, g, 0, false, sum);
    j->centre[line] = sum[0] / (double)n;
    if (g) j->level[line] = sum[1] / (double)n;
    add_lines(j, n, x, g, j->centre[line], true, square);
    set_deviation(j, line, square);
    finish_line(j, n, line * n, line);
    if (!j->scale) return;
    if (!g) line_kernels->affine[j->dtype](n, j->out + at, j->scale, j->shift);
    else line_kernels->affine_sums[j->dtype](n, by_column->scale_sum, by_column->shift_sum, x,
                                             j->g + at, j->centre[line], j->by[line]);
}

static void whole_lines(int64_t chunk, void *env) {
    const Job *j = env;
    int64_t n = j->grid.along, first = chunk * j->rows, last = first + j->rows;
    Affine by_column = { .scale = j->scale, .shift = j->shift };
    if (rt.interrupted) return;
    if (j->scale_sum) {
        by_column.scale_sum = j->scale_sum + chunk * n;
        by_column.shift_sum = j->shift_sum + chunk * n;
    }
    if (last > j->grid.outer) last = j->grid.outer;
    if (n <= SHORT) sides(j, first, last, j->scale ? &by_column : NULL);
    else for (int64_t line = first; line < last; line++) whole_line(j, line, &by_column);
}

static double *cleared(int64_t count) {
    double *at = pool_bytes((size_t)count * sizeof *at);
    memset(at, 0, (size_t)count * sizeof *at);
    return at;
}

/* The totals of all chunks to those of the first, in pairs. */
static void join_chunks(double *sum, int64_t chunks, int64_t n) {
    for (int64_t apart = 1; apart < chunks; apart *= 2)
        for (int64_t c = 0; c + apart < chunks; c += 2 * apart)
            line_kernels->add[F64](n, sum + c * n, sum + (c + apart) * n);
}

static void run_lines(Job *j) {
    int64_t chunks = par_chunks(j->grid.outer, j->rows), n = j->grid.along;
    if (j->g && j->scale) {
        j->scale_sum = cleared(chunks * n);
        j->shift_sum = cleared(chunks * n);
    }
    par_for(chunks, whole_lines, j);
    poll();
    if (!j->scale_sum) return;
    join_chunks(j->scale_sum, chunks, n);
    join_chunks(j->shift_sum, chunks, n);
}

/* ---- blocks of rows ---- */
typedef struct Rows { int64_t slab, at, count; } Rows;

static Rows rows_of(const Job *j, int64_t chunk) {
    Rows r = { .slab = chunk / j->blocks };
    int64_t first = chunk % j->blocks * j->rows, left = j->grid.down - first;
    r.count = left < j->rows ? left : j->rows;
    r.at = r.slab * j->slab + first * j->grid.across * j->grid.along;
    return r;
}

/* Elements of the run that starts here: only the last piece of a long line is shorter. */
static int64_t run_length(const Job *j, const Rows *r, int64_t at) {
    int64_t left = (r->slab + 1) * j->slab - at;
    return left < j->grid.along ? left : j->grid.along;
}

static void add_runs(const Job *j, const Rows *r, bool squares, double *const *part) {
    int64_t at = r->at;
    for (int64_t row = 0; row < r->count; row++)
        for (int64_t k = 0; k < j->grid.across; k++, at += j->grid.along) {
            double total[2] = { part[0][k], part[1][k] };
            add_lines(j, run_length(j, r, at), j->x + at * j->bytes,
                      j->g ? j->g + at * j->bytes : NULL, j->centre[r->slab * j->wide + k], squares,
                      total);
            part[0][k] = total[0];
            part[1][k] = total[1];
        }
}

static void add_columns(const Job *j, int64_t n, int64_t rows, int64_t at, bool squares,
                        const double *centre, double *const *part) {
    const char *x = j->x + at * j->bytes, *g = j->g ? j->g + at * j->bytes : NULL;
    if (squares) {
        line_kernels->spread_rows[j->dtype](n, part[0], part[1], x, g, rows, centre);
        return;
    }
    line_kernels->rows[FOLD_SUM][j->dtype](n, part[0], x, rows, n, 1);
    if (g) line_kernels->rows[FOLD_SUM][j->dtype](n, part[1], g, rows, n, 1);
}

/* As many rows as `repeat` says are taken for one; then their totals are added up. */
static void add_rows(const Job *j, const Rows *r, bool squares, double *const *part) {
    int64_t rows = r->count / j->repeat, left = r->count % j->repeat * j->grid.across;
    const double *centre = j->centre + r->slab * j->wide;
    add_columns(j, j->wide, rows, r->at, squares, centre, part);
    if (left) add_columns(j, left, 1, r->at + rows * j->wide, squares, centre, part);
    for (int p = 0; p < 2; p++)
        for (int64_t i = j->grid.across; i < j->wide; i++)
            part[p][i % j->grid.across] += part[p][i];
}

static void gather(const Job *j, int64_t chunk, bool squares) {
    Rows r = rows_of(j, chunk);
    double *part[2] = { j->part[0] + chunk * j->wide, j->part[1] + chunk * j->wide };
    if (rt.interrupted) return;
    for (int p = 0; p < 2; p++) memset(part[p], 0, (size_t)j->wide * sizeof **part);
    if (j->grid.along == 1) add_rows(j, &r, squares, part);
    else add_runs(j, &r, squares, part);
}

static void gather_sums(int64_t chunk, void *env) { gather(env, chunk, false); }
static void gather_squares(int64_t chunk, void *env) { gather(env, chunk, true); }

static void finish_rows(int64_t chunk, void *env) {
    const Job *j = env;
    Rows r = rows_of(j, chunk);
    int64_t first = r.slab * j->wide, at = r.at, end = at + r.count * j->grid.across;
    if (rt.interrupted) return;
    if (j->grid.along == 1) {
        for (; at < end; at += j->wide)
            line_kernels->standardize_row[j->dtype](
                end - at < j->wide ? end - at : j->wide, j->out + at * j->bytes,
                j->x + at * j->bytes, j->g ? j->g + at * j->bytes : NULL,
                (const double *[]){ j->centre + first, j->by + first, j->level + first,
                                    j->tilt + first });
        return;
    }
    for (int64_t row = 0; row < r.count; row++)
        for (int64_t k = 0; k < j->grid.across; k++, at += j->grid.along)
            finish_line(j, run_length(j, &r, at), at, first + k);
}

/* The totals of all blocks of a slab to those of its first, in pairs. */
static void add_blocks(const Job *j, double *part) {
    for (int64_t apart = 1; apart < j->blocks; apart *= 2)
        for (int64_t b = 0; b + apart < j->blocks; b += 2 * apart)
            line_kernels->add[F64](j->grid.across, part + b * j->wide,
                                   part + (b + apart) * j->wide);
}

/* From the totals of blocks to a statistic, and so `repeat` times over. */
static void join_blocks(const Job *j, bool squares) {
    for (int64_t slab = 0; slab < j->grid.outer; slab++) {
        double *part[2];
        for (int p = 0; p < 2; p++) {
            part[p] = j->part[p] + slab * j->blocks * j->wide;
            if (!p || j->g) add_blocks(j, part[p]);
        }
        for (int64_t k = 0; k < j->wide; k++) {
            int64_t s = slab * j->wide + k, column = k % j->grid.across;
            double total[2] = { part[0][column], part[1][column] };
            if (squares) {
                set_deviation(j, s, total);
                continue;
            }
            j->centre[s] = total[0] / (double)j->n;
            if (j->g) j->level[s] = total[1] / (double)j->n;
        }
        poll();
    }
}

static void run_blocks(Job *j) {
    int64_t chunks = j->grid.outer * j->blocks;
    for (int p = 0; p < 2; p++)
        j->part[p] = pool_bytes((size_t)(chunks * j->wide) * sizeof(double));
    for (int squares = 0; squares < 2; squares++) {
        par_for(chunks, squares ? gather_squares : gather_sums, j);
        poll();
        join_blocks(j, squares);
    }
    par_for(chunks, finish_rows, j);
    poll();
}

/* ---- both ---- */
static void plan(Job *j) {
    Grid *g = &j->grid;
    j->slab = g->down * g->across * g->along;
    j->n = g->down * g->along;
    if (g->down == 1) {
        g->outer *= g->across;
        j->slab = j->n;
        g->across = 1;
        if (g->along > PIECE) {
            g->down = par_chunks(g->along, PIECE);
            g->along = PIECE;
        }
    }
    j->repeat = g->along == 1 && g->across < WIDE ? WIDE / g->across : 1;
    if (j->repeat > g->down) j->repeat = g->down;
    j->wide = g->across * j->repeat;
    j->rows = TOGETHER / (g->across * g->along);
    if (j->rows < 1) j->rows = 1;
    if (j->rows > ROWS * j->repeat) j->rows = ROWS * j->repeat;
    j->blocks = par_chunks(g->down, j->rows);
}

static void run(Job *j) {
    if (!j->grid.outer || !j->grid.down || !j->grid.across || !j->grid.along) return;
    plan(j);
    double **each[] = { &j->centre, &j->by, &j->level, &j->tilt };
    size_t bytes = (size_t)(j->grid.outer * j->wide) * sizeof(double);
    for (int i = 0; i < 4; i++) *each[i] = i < 2 || j->g ? pool_bytes(bytes) : j->by;
    memset(j->centre, 0, bytes);
    if (j->grid.down == 1) {
        run_lines(j);
    } else {
        run_blocks(j);
    }
}

/* A scale and a shift go with the places of a line: contiguous, and of the dtype of x. */
static const void *by_place(Value v, int dtype) {
    return v.tag == V_UNSET ? NULL : array_contiguous(array_cast(array_of(v), dtype))->data;
}

/* The adjoint of a scale or a shift, from its sums; zeros where there are no lines. */
static Value adjoint_by_place(Value like, const double *sum, int dtype) {
    Array *a = array_of(like), *out = array_zeros(F64, a->axes, shape_of(a));
    if (sum) memcpy(out->data, sum, (size_t)a->size * sizeof *sum);
    return value_of_dtype(out, dtype);
}

/* x standardized; or if there is a g, its adjoint and behind it those of a scale and a shift. */
static Value standardized(Value x, Value g, double eps, uint64_t axes, Value scale, Value shift,
                          Value *adjoints) {
    Job j = { .dtype = float_dtype(dtype_of(x)), .eps = eps };
    Input in = input_of(x, axes, j.dtype, &j.grid);
    Array *out = result_like(&in);
    j.bytes = (int64_t)dtype_bytes(j.dtype);
    j.x = in.data->data;
    j.g = g.tag == V_UNSET ? NULL : input_of(g, axes, j.dtype, &(Grid){ 0 }).data->data;
    j.out = out->data;
    j.scale = by_place(scale, j.dtype);
    j.shift = by_place(shift, j.dtype);
    run(&j);
    if (adjoints) {
        adjoints[0] = adjoint_by_place(scale, j.scale_sum, j.dtype);
        adjoints[1] = adjoint_by_place(shift, j.shift_sum, j.dtype);
    }
    return result_value(&in, out);
}

/* A number, or an array of any dtype without axes. */
static double eps_of(Value eps) { return array_get(array_of(eps), 0); }

/* x, eps, and perhaps scale and shift; attr: the axes as a bit set */
Value kernel_standardize(int count, const Value *in, const Attr *attr) {
    bool affine = count == 4;
    return standardized(in[0], UNSET, eps_of(in[1]), (uint64_t)attr[1], affine ? in[2] : UNSET,
                        affine ? in[3] : UNSET, NULL);
}

/* ---- the rules ---- */
static Value mean_over(Value x, uint64_t axes) {
    Value total = op_sum(x, axes, true);
    return op_div(total, number((double)size_of(x) / (double)size_of(total)));
}

/* A sum goes in the order of memory, and the kernel's that of a contiguous array. */
static Value below_mean(Value x, uint64_t axes) {
    if (x.tag == V_ARRAY && !array_is_contiguous(x.as.array)) x = op_mul(x, number(1));
    return op_sub(x, mean_over(x, axes));
}

/* One over the deviation: what r is, divided by x less its mean. */
static Value inverse_deviation(Value from_mean, Value eps, uint64_t axes) {
    return op_rsqrt(op_add(mean_over(op_mul(from_mean, from_mean), axes), eps));
}

/* Of x: (g - mean(g) - r mean(g r)) / deviation (Ba et al. 2016, arXiv:1607.06450), in the steps of
 * the kernel; of eps: -g r / 2 / deviation^2. */
static Value rule_of_unit(int which, Value g, Value x, Value eps, Value r, uint64_t axes) {
    if (!which && !rt.recording && shapes_equal(g, x))
        return standardized(x, g, eps_of(eps), axes, UNSET, UNSET, NULL);
    Value from_mean = below_mean(x, axes), by = inverse_deviation(from_mean, eps, axes);
    Value square = op_mul(by, by);
    if (which) return op_sum_to(op_mul(op_mul(g, r), op_mul(square, number(-0.5))), eps);
    Value level = op_mul(mean_over(g, axes), by);
    Value tilt = op_mul(op_mul(square, by), mean_over(op_mul(from_mean, g), axes));
    return op_sub(op_sub(op_mul(g, by), level), op_mul(from_mean, tilt));
}

/* With r = unit scale + shift. One pass gives the adjoints of x, scale and shift: the first that is
 * asked for computes them all. */
Value op_standardize_rule(const Pull *p) {
    const Value *in = p->in;
    uint64_t axes = (uint64_t)p->attr[1];
    if (p->count < 4) return rule_of_unit(p->which, p->g, in[0], in[1], p->r, axes);
    if (!rt.recording && p->which != 1 && p->shared && shapes_equal(p->g, in[0])) {
        Value each[3];
        if (p->shared->tag == V_UNSET) {
            each[0] = standardized(in[0], p->g, eps_of(in[1]), axes, in[2], in[3], each + 1);
            *p->shared = list_of(3, each);
        }
        return p->shared->as.list->item[p->which ? p->which - 1 : 0];
    }
    if (p->which == 3) return op_sum_to(p->g, in[3]);
    Value unit = apply(OP_standardize, 2, in, p->attr);
    if (p->which == 2) return op_sum_to(op_mul(p->g, unit), in[2]);
    return rule_of_unit(p->which, op_mul(p->g, in[2]), in[0], in[1], unit, axes);
}

/* ---- the call: (x, eps = 0, axis = -1, exclude = false, scale = nil, shift = nil) ---- */
/* Both of the dtype of x and with a number for each place on a line, the lines being short enough
 * to stay in the cache: x is scaled and shifted while it is there. */
static bool goes_by_place(Value v, Value x, uint64_t axes) {
    int n = axes_of(x), missing = n - axes_of(v);
    Shape all = value_shape(x), have = value_shape(v);
    int64_t length = 1;
    if (missing < 0 || v.tag != V_ARRAY || dtype_of(v) != float_dtype(dtype_of(x))) return false;
    for (int i = 0; i < n; i++) {
        bool inside = axes >> i & 1;
        if (inside && !(i + 1 == n || axes >> (i + 1) & 1)) return false;
        if (inside) length *= all.dim[i];
        if ((i < missing ? 1 : have.dim[i - missing]) != (inside ? all.dim[i] : 1)) return false;
    }
    return length > 0 && length <= PIECE;
}

static Value unit_of(Value x, Value eps, uint64_t axes) {
    if (!operand(eps, "standardize")->axes)
        return apply(OP_standardize, 2, (Value[]){ x, eps }, ATTR((int64_t)axes));
    Value from_mean = below_mean(x, axes);
    return op_mul(from_mean, inverse_deviation(from_mean, eps, axes));
}

Value call_standardize(int count, const Value *bound) {
    (void)count;
    Value x = bound[0], eps = bound[1].tag == V_UNSET ? number(0) : bound[1];
    Value scale = is_given(bound[4]) ? bound[4] : UNSET;
    Value shift = is_given(bound[5]) ? bound[5] : UNSET;
    int n = operand(x, "standardize")->axes;
    Value axis = bound[2].tag == V_UNSET ? number(-1) : bound[2];
    uint64_t axes = arg_axes(axis, bound[3], n, "standardize");
    if (scale.tag != V_UNSET) operand(scale, "standardize");
    if (shift.tag != V_UNSET) operand(shift, "standardize");
    if (scale.tag != V_UNSET && shift.tag != V_UNSET && !operand(eps, "standardize")->axes
        && goes_by_place(scale, x, axes) && goes_by_place(shift, x, axes))
        return apply(OP_standardize, 4, (Value[]){ x, eps, scale, shift }, ATTR((int64_t)axes));
    Value unit = unit_of(x, eps, axes);
    if (scale.tag != V_UNSET) unit = op_mul(unit, scale);
    return shift.tag == V_UNSET ? unit : op_add(unit, shift);
}
