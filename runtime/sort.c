/* Sorting along an axis, and what rests on it: the places of the sorted elements, the median.
 *
 * The one idea: only numbers are sorted, by kernels without branches (sort_kernels.h). Lines of a
 * few elements lie side by side in registers; longer ones are split at a pivot until they fit into
 * some. NaN is taken out first and comes last. Where places are asked for, each number carries its
 * own in its lowest bits, which keeps equal elements in their order; elements that differ in those
 * bits alone are put in order afterwards.
 *
 * A sorted line is the same bit for bit on every processor: -0 comes before 0, and NaN is the one
 * that NAN names. */
#include <math.h>
#include <string.h>
#include "line_kernels.h"
#include "lines.h"
#include "par.h"
#include "sort_kernels.h"

const SortKernels *sort_kernels;

/* Lines that several threads sort are not interrupted within. */
static bool shared;
static void look(void) { if (!shared) poll(); }

/* ---- a long line, without NaN ---- */
typedef struct Line { int dtype; char *x; int64_t n; } Line;

static size_t item_of(int dtype) { return dtype == F32 ? sizeof(float) : sizeof(double); }

static double element(Line l, int64_t i) {
    return l.dtype == F32 ? (double)((const float *)l.x)[i] : ((const double *)l.x)[i];
}

static Line part(Line l, int64_t first, int64_t n) {
    return (Line){ l.dtype, l.x + (size_t)first * item_of(l.dtype), n };
}

/* Doubles as unsigned integers of the same order; NaN comes last. */
static uint64_t sort_key(double x) {
    uint64_t bits;
    if (x != x) return UINT64_MAX;
    memcpy(&bits, &x, sizeof bits);
    return bits >> 63 ? ~bits : bits | (uint64_t)1 << 63;
}

static double of_sort_key(uint64_t key) {
    double x;
    uint64_t bits = key >> 63 ? key & ~((uint64_t)1 << 63) : ~key;
    if (key == UINT64_MAX) return NAN;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* The middle of some elements from everywhere. */
static double sampled_pivot(Line l) {
    enum { MANY = 4096, FEW_SAMPLES = 13, SAMPLES = 31 };
    double sample[SAMPLES];
    int count = l.n < MANY ? FEW_SAMPLES : SAMPLES;
    for (int i = 0; i < count; i++) sample[i] = element(l, (2 * i + 1) * l.n / (2 * count));
    sort_kernels->sort_few[F64](count, sample, sample);
    return sample[count / 2];
}

/* The number halfway between the least and the greatest, in the order of their bits: no line is
 * split so more often than a number has bits. */
static double halving_pivot(Line l) {
    uint64_t low = sort_key(line_kernels->least[l.dtype](l.x, l.n)),
             high = sort_key(line_kernels->greatest[l.dtype](l.x, l.n));
    return of_sort_key(low + (high - low) / 2 + (high - low) % 2);
}

/* The elements of `from`, in order, to `to`; `spare` has room for them, too, and `from` may be
 * either of the two. Lesser elements go straight to `to`, and the others to `spare`, so that
 * nothing is copied. The longer part waits for its turn in this loop, so the calls in each other
 * are few. `splits` are more than a line of random elements takes. */
static void sort_long(Line from, char *to, char *spare, int splits) {
    const SortKernels *k = sort_kernels;
    int dtype = from.dtype;
    while (from.n > k->few[dtype]) {
        bool equal = false;
        double pivot = splits-- > 0 ? sampled_pivot(from) : halving_pivot(from);
        int64_t n = from.n, low = k->partition[dtype](n, to, spare, from.x, pivot, false);
        if (!low) {   /* the pivot is the least: whatever equals it is in place */
            low = k->partition[dtype](n, to, spare, spare, pivot, true);
            equal = true;
        }
        look();
        size_t bytes = (size_t)low * item_of(dtype), rest = (size_t)(n - low) * item_of(dtype);
        Line less = { dtype, to, low }, more = { dtype, spare, n - low };
        if (equal || less.n < more.n) {
            if (!equal) sort_long(less, to, spare + rest, splits);
            from = more;
            to += bytes;
        } else {
            sort_long(more, to + bytes, spare, splits);
            from = less;
            spare += rest;
        }
    }
    k->sort_few[dtype](from.n, to, from.x);
}

static int splits_for(int64_t n) {
    int splits = 8;
    for (; n; n /= 2) splits += 2;
    return splits;
}

/* ---- zeros and NaN ---- */
/* How many elements of a sorted line are less than 0, or at most 0. */
static int64_t count_below(Line l, bool zero_too) {
    int64_t low = 0, high = l.n;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        double x = element(l, middle);
        if (x < 0 || (zero_too && x == 0)) low = middle + 1;
        else high = middle;
    }
    return low;
}

static void fill(Line l, int64_t first, int64_t end, double x) {
    for (int64_t i = first; i < end; i++) {
        if (l.dtype == F32) ((float *)l.x)[i] = (float)x;
        else ((double *)l.x)[i] = x;
    }
}

/* 1 if no element is less than the one before it (greater: `strictly`), -1 if none is greater
 * (less), else 0. Looks only as far as this may be. */
static int direction(Line l, bool strictly) {
    int64_t up = 1, down = 1;
    while (up < l.n && element(l, up - 1) <= element(l, up)) up++;
    if (up >= l.n) return 1;
    while (down < l.n && (strictly ? element(l, down - 1) > element(l, down)
                                   : element(l, down - 1) >= element(l, down)))
        down++;
    return down >= l.n ? -1 : 0;
}

/* room: for a line. */
static void sort_line(Line from, char *to, char *room) {
    Line out = { from.dtype, to, from.n };
    int64_t zeros, nans = sort_kernels->count_odd[from.dtype](from.n, from.x, &zeros);
    look();
    int way = nans || zeros ? 0 : direction(from, false);
    if (way > 0) memcpy(to, from.x, (size_t)from.n * item_of(from.dtype));
    else if (way < 0)
        for (int64_t i = 0; i < from.n; i++) fill(out, i, i + 1, element(from, from.n - 1 - i));
    if (way) return;
    if (nans) {
        sort_kernels->tidy[from.dtype](from.n, to, from.x);
        from = out;
    }
    sort_long(from, to, room, splits_for(from.n));
    if (zeros) {
        int64_t first = count_below(out, false);
        fill(out, first, first + zeros, -0.0);
        fill(out, first + zeros, count_below(out, true), 0.0);
    }
    fill(out, out.n - nans, out.n, NAN);
}

/* ---- short lines ---- */
static void insertion_sort(Line l, const void *from_) {
    uint64_t key[SHORT_LINE];
    Line from = { l.dtype, (char *)(uintptr_t)from_, l.n };
    for (int64_t i = 0; i < l.n; i++) {
        uint64_t moving = sort_key(element(from, i));
        int64_t j = i;
        for (; j > 0 && key[j - 1] > moving; j--) key[j] = key[j - 1];
        key[j] = moving;
    }
    for (int64_t i = 0; i < l.n; i++) fill(l, i, i + 1, of_sort_key(key[i]));
}

/* Side by side, but for those that kernel leaves. */
static void sort_short_lines(int dtype, int64_t lines, int64_t length, char *to,
                             const char *from) {
    size_t bytes = (size_t)length * item_of(dtype);
    for (int64_t i = 0; i < lines;) {
        i += sort_kernels->sort_short[dtype](lines - i, length, to + (size_t)i * bytes,
                                             from + (size_t)i * bytes);
        for (int k = 0; k < SHORT_LINE && i < lines; k++, i++)
            insertion_sort((Line){ dtype, to + (size_t)i * bytes, length },
                           from + (size_t)i * bytes);
        poll();
    }
}

/* Lines that a kernel call takes at once, between two looks for Ctrl-C. */
static int64_t lines_at_once(int64_t length) { return (32 << 10) / (length + 1) + 1; }
static int64_t lesser(int64_t a, int64_t b) { return a < b ? a : b; }

/* Long lines, some to a part, which has room of its own for one of them. */
typedef struct Sorting {
    Lines lines;
    int64_t parts;
    char *to, *room;
} Sorting;
enum { MOST_PARTS = 64, SHARED_FROM = 32 << 10, SHARED_LINE = 4 << 20 };

static void sort_part(int64_t part, void *env) {
    const Sorting *s = env;
    const Lines *l = &s->lines;
    int dtype = l->data->dtype;
    size_t bytes = (size_t)l->length * item_of(dtype);
    char *room = s->room + (size_t)part * bytes, *from = l->data->data;
    int64_t end = (part + 1) * l->count / s->parts;
    for (int64_t i = part * l->count / s->parts; i < end && !rt.interrupted; i++) {
        Line line = { dtype, from + (size_t)i * bytes, l->length };
        sort_line(line, s->to + (size_t)i * bytes, room);
    }
}

static void sort_long_lines(const Lines *l, char *to) {
    bool several = par_threads() > 1 && l->count > 1 && l->data->size >= SHARED_FROM
                   && l->length <= SHARED_LINE;
    Sorting s = { *l, several ? lesser(l->count, MOST_PARTS) : 1, to, NULL };
    s.room = pool_bytes((size_t)(s.parts * l->length) * item_of(l->data->dtype));
    shared = several;
    par_for(s.parts, sort_part, &s);
    shared = false;
    poll();
}

Value kernel_sort(int count, const Value *in, const Attr *attr) {
    (void)count;
    int dtype = float_dtype(dtype_of(in[0]));
    Lines l = lines_of(in[0], axis_bit(attr[1]), dtype);
    Array *out = lines_like(&l);
    size_t bytes = (size_t)l.length * item_of(dtype);
    char *from = l.data->data, *to = out->data;
    if (l.length > SHORT_LINE) sort_long_lines(&l, to);
    else {
        int64_t step = lines_at_once(l.length);
        for (int64_t i = 0; l.length && i < l.count; i += step)
            sort_short_lines(dtype, lesser(step, l.count - i), l.length, to + (size_t)i * bytes,
                             from + (size_t)i * bytes);
    }
    return lines_value(&l, out, dtype_of(in[0]));
}

/* ---- places ---- */
/* The bits of an element that packing it with its place left out, in the element's order. */
static uint64_t lost_bits(double x, int bits) {
    uint64_t u, mask = ((uint64_t)2 << bits) - 1;
    x += 0.0;
    if (x != x) return 0;
    memcpy(&u, &x, sizeof u);
    return (u >> 63 ? ~u : u) & mask;
}

static uint64_t bits_at(const double *x) {
    uint64_t u;
    memcpy(&u, x, sizeof u);
    return u;
}

/* A place is among the lowest bits as it is, or turned around in a negative number. */
static uint64_t place_at(const double *x, int bits) {
    uint64_t u = bits_at(x);
    return (u >> 63 ? ~u : u) & (((uint64_t)1 << bits) - 1);
}

/* Packed numbers that differ in their places alone: sorted by what they lost and by their places.
 * Both together are the bits of a positive number. */
static void mend_run(Line run, const double *from, int bits, char *room) {
    double *x = (double *)run.x;
    uint64_t mask = ((uint64_t)1 << bits) - 1, above = bits_at(x) & ~mask,
             turned = above >> 63 ? mask : 0, last = 0;
    bool in_order = true;
    for (int64_t i = 0; i < run.n && in_order; i++) {
        uint64_t lost = lost_bits(from[place_at(x + i, bits)], bits);
        in_order = lost >= last;
        last = lost;
        poll_at(i);
    }
    if (in_order) return;
    for (int64_t i = 0; i < run.n; i++) {
        uint64_t place = place_at(x + i, bits);
        uint64_t both = lost_bits(from[place], bits) << bits | place;
        memcpy(x + i, &both, sizeof both);
    }
    sort_long(run, run.x, room, splits_for(run.n));
    for (int64_t i = 0; i < run.n; i++) {
        uint64_t back = above | ((bits_at(x + i) ^ turned) & mask);
        memcpy(x + i, &back, sizeof back);
    }
}

static void mend(Line l, const double *from, int bits, double *room) {
    const double *x = (const double *)l.x;
    for (int64_t i = 0, end; i < l.n; i = end) {
        end = i + 1;
        while (end < l.n && !((bits_at(x + end) ^ bits_at(x + i)) >> bits)) end++;
        if (end - i > 1) mend_run(part(l, i, end - i), from, bits, (char *)room);
        poll_at(end);
    }
}

/* Whether the places of a line are plain to see, from the first up or from the last down. */
static bool rank_ordered(Line from, double *to) {
    int way = direction(from, true);
    for (int64_t i = 0; way && i < from.n; i++)
        to[i] = (double)(way > 0 ? i : from.n - 1 - i);
    return way != 0;
}

/* So many lines to their places; room is for all of their elements. */
static void rank_lines(int64_t lines, int64_t length, int bits, double *to, double *from,
                       double *room) {
    uint64_t lost = 0;
    bool is_short = length <= SHORT_LINE;
    double *packed = is_short ? room : to;
    if (!is_short && rank_ordered((Line){ F64, (char *)from, length }, to)) return;
    for (int64_t i = 0; i < lines; i++)
        lost |= sort_kernels->pack(length, bits, packed + i * length, from + i * length);
    poll();
    if (is_short) sort_short_lines(F64, lines, length, (char *)to, (char *)packed);
    else sort_long((Line){ F64, (char *)to, length }, (char *)to, (char *)room, splits_for(length));
    for (int64_t i = 0; i < lines && lost; i++)
        mend((Line){ F64, (char *)(to + i * length), length }, from + i * length, bits, room);
    sort_kernels->unpack(lines * length, bits, to);
}

Value kernel_argsort(int count, const Value *in, const Attr *attr) {
    (void)count;
    enum { MOST_BITS = 30 };   /* what is lost, one bit more, and a place are less than a double */
    Lines l = lines_of(in[0], axis_bit(attr[1]), F64);
    Array *out = lines_like(&l);
    int64_t step = l.length <= SHORT_LINE ? lesser(lines_at_once(l.length), l.count) : 1;
    double *room = pool_bytes((size_t)(step * l.length) * sizeof(double));
    int bits = 1;
    while (l.length >> bits) bits++;
    if (bits > MOST_BITS)
        fail(E_VALUE, "argsort takes lines of less than 2^%d elements, and these have %lld",
             MOST_BITS, (long long)l.length);
    for (int64_t i = 0; l.length && i < l.count; i += step)
        rank_lines(lesser(step, l.count - i), l.length, bits, f64_of(out) + i * l.length,
                   f64_of(l.data) + i * l.length, room);
    return lines_value(&l, out, F64);
}

/* ---- recording and calls ---- */
Value op_argsort(Value x, int axis) { return apply(OP_argsort, 1, &x, ATTR(axis)); }

/* (x, axis = -1); an axis of nil: the flattened array */
static Value line_or_flat(Value x, Value axis, const char *what) {
    operand(x, what);
    return axis.tag == V_NIL ? op_flatten(x) : x;
}

Value call_sort(int count, const Value *bound) {
    (void)count;
    Value x = line_or_flat(bound[0], bound[1], "sort");
    return apply(OP_sort, 1, &x, ATTR(axis_of_lines(x, bound[1], -1, "sort")));
}

Value call_argsort(int count, const Value *bound) {
    (void)count;
    Value x = line_or_flat(bound[0], bound[1], "argsort");
    return op_argsort(x, axis_of_lines(x, bound[1], -1, "argsort"));
}

/* (x, axis = nil, keepdims = false, exclude = false): the mean of the two in the middle of the
 * sorted line; NaN, which is sorted last, if there is one */
Value call_median(int count, const Value *bound) {
    (void)count;
    Value x = bound[0];
    Shape shape = value_shape(object(operand(x, "median"))), moved;
    uint64_t axes = arg_axes(bound[1], bound[3], shape.axes, "median");
    bool keepdims = arg_flag(bound[2], "keepdims");
    int order[MAX_AXES];
    Value line = op_axes_last(x, axes, order, &moved);
    int last = axes_of(line) - 1;
    int64_t n = value_shape(line).dim[last];
    if (!n) return op_add(op_sum(x, axes, keepdims), number(NAN));
    Value sorted_line = apply(OP_sort, 1, &line, ATTR(last)), at[3];
    int64_t places[] = { (n - 1) / 2, n / 2, n - 1 };
    for (int i = 0; i < 3; i++) {
        IndexItem items[] = { { .kind = I_ELLIPSIS }, { .kind = I_AT, .start = places[i] } };
        at[i] = op_index(sorted_line, 2, items);
    }
    Value middle = op_div(op_add(at[0], at[1]), number(2));
    middle = op_where(op_isnan(constant(at[2])), number(NAN), middle);
    shape = reduced_shape(&shape, axes, keepdims);
    return op_reshape(middle, shape.axes, shape.dim);
}
