/* The loops of sort_kernels.c for one dtype: T the type, NUMBER the integer of its size, WIDTH how
 * many of them a register holds, DTYPE() what makes a name this dtype's.
 *
 * The one idea: rows of registers are a matrix. Its columns are sorted all at once, by a network of
 * comparisons between rows; neighbouring columns are then merged, two by two, to the last one. */
#define Lanes DTYPE(Lanes)
#define Loose DTYPE(Loose)
#define Mask DTYPE(Mask)
typedef T Lanes __attribute__((vector_size(BYTES)));
typedef T Loose __attribute__((vector_size(BYTES), aligned(sizeof(T)), may_alias));
typedef NUMBER Mask __attribute__((vector_size(BYTES)));
#define ROWS 16

INLINE Lanes DTYPE(load)(const T *x) { return *(const Loose *)x; }
INLINE void DTYPE(store)(T *x, Lanes v) { *(Loose *)x = v; }
INLINE Lanes DTYPE(all)(T x) { return x - (Lanes){ 0 }; }

/* Lane j from lane j ^ d; lanes of b where j has the bit d, and of a elsewhere. */
#define CROSSED(j) (j) ^ d
INLINE Lanes DTYPE(cross)(Lanes v, int d) {
    return __builtin_shuffle(v, (Mask){ LIST(CROSSED, 0) });
}
#define CHOSEN(j) ((j) & d) ? WIDTH + (j) : (j)
INLINE Lanes DTYPE(choose)(Lanes a, Lanes b, int d) {
    return __builtin_shuffle(a, b, (Mask){ LIST(CHOSEN, 0) });
}

INLINE void DTYPE(order)(Lanes *a, Lanes *b) {
    Lanes less = DTYPE(LESSER)(*a, *b);
    *b = DTYPE(GREATER)(*b, *a);
    *a = less;
}

INLINE void DTYPE(sort_columns)(Lanes *v, int rows) {
    _Pragma("GCC unroll 60") for (int i = 0; i < COMPARISONS; i++)
        if (network[i][1] < rows) DTYPE(order)(&v[network[i][0]], &v[network[i][1]]);
}

/* Columns side by side, `lanes` together, each group of them a sorted line; then twice as many. The
 * first step compares the one half from the front with the other half from the back. */
INLINE void DTYPE(merge_columns)(Lanes *v, int rows) {
    UNROLLED (int lanes = 2; lanes <= WIDTH; lanes *= 2) {
        UNROLLED (int i = 0; i < rows / 2; i++) {
            Lanes *a = &v[i], *b = &v[rows - 1 - i], back = DTYPE(cross)(*b, lanes - 1);
            Lanes less = DTYPE(LESSER)(*a, back), greater = DTYPE(GREATER)(back, *a);
            *a = DTYPE(choose)(less, greater, lanes / 2);
            *b = DTYPE(cross)(DTYPE(choose)(greater, less, lanes / 2), lanes - 1);
        }
        UNROLLED (int d = lanes / 4; d; d /= 2)
            UNROLLED (int i = 0; i < rows; i++) {
                Lanes other = DTYPE(cross)(v[i], d);
                v[i] = DTYPE(choose)(DTYPE(LESSER)(v[i], other), DTYPE(GREATER)(v[i], other), d);
            }
        UNROLLED (int d = rows / 2; d; d /= 2)
            UNROLLED (int i = 0; i < rows; i++)
                if (!(i & d)) DTYPE(order)(&v[i], &v[i + d]);
    }
}

/* Squares of `side` rows and lanes, transposed. */
#define FROM_BOTH_LOW(j) ((j) & d) ? WIDTH + (j) - d : (j)
#define FROM_BOTH_HIGH(j) ((j) & d) ? WIDTH + (j) : (j) + d
INLINE void DTYPE(transpose)(Lanes *v, int side) {
    UNROLLED (int d = 1; d < side; d *= 2)
        UNROLLED (int i = 0; i < side; i++) {
            if (i & d) continue;
            Lanes a = v[i], b = v[i + d];
            v[i] = __builtin_shuffle(a, b, (Mask){ LIST(FROM_BOTH_LOW, 0) });
            v[i + d] = __builtin_shuffle(a, b, (Mask){ LIST(FROM_BOTH_HIGH, 0) });
        }
}

/* Where the columns are longer than a register is wide, each square has a part of every column;
 * where they are shorter, a register has parts of several. */
INLINE void DTYPE(sort_matrix)(int64_t n, T *to, const T *from, int rows) {
    Lanes v[ROWS];
    T room[ROWS * WIDTH];
    int side = rows < WIDTH ? rows : WIDTH;
    UNROLLED (int i = 0; i < rows; i++)
        v[i] = DTYPE(LOAD_FIRST)(from + i * WIDTH, n - i * WIDTH, DTYPE(all)((T)HUGE_VAL));
    DTYPE(sort_columns)(v, rows);
    DTYPE(merge_columns)(v, rows);
    UNROLLED (int i = 0; i < rows; i += side) DTYPE(transpose)(v + i, side);
    if (side == WIDTH) {
        UNROLLED (int i = 0; i < rows; i++) {
            int at = i % side * rows + i / side * side;
            DTYPE(STORE_FIRST)(to + at, n - at, v[i]);
        }
        return;
    }
    UNROLLED (int i = 0; i < rows; i++)
        UNROLLED (int column = i; column < WIDTH; column += side)
            memcpy(room + column * rows, (T *)&v[i] + column - i, (size_t)side * sizeof(T));
    memcpy(to, room, (size_t)n * sizeof(T));
}

static void DTYPE(sort_few)(int64_t n, void *to, const void *from) {
    if (n <= 4 * WIDTH) DTYPE(sort_matrix)(n, to, from, 4);
    else if (n <= 8 * WIDTH) DTYPE(sort_matrix)(n, to, from, 8);
    else DTYPE(sort_matrix)(n, to, from, ROWS);
}

/* ---- long lines ---- */
static const NUMBER DTYPE(sign) = (NUMBER)((uint64_t)1 << (8 * sizeof(T) - 1));

static int64_t DTYPE(count_odd)(int64_t n, const void *x_, int64_t *zeros) {
    enum { BLOCK = 1 << 20 };   /* a count that has the size of an element is enough for that */
    const T *x = x_;
    int64_t all_nans = 0, all_zeros = 0;
    for (int64_t start = 0; start < n; start += BLOCK) {
        int64_t end = start + BLOCK < n ? start + BLOCK : n;
        NUMBER nans = 0, negative = 0;
        for (int64_t i = start; i < end; i++) {
            NUMBER bits;
            memcpy(&bits, x + i, sizeof bits);
            nans += x[i] != x[i];
            negative += bits == DTYPE(sign);
        }
        all_nans += nans;
        all_zeros += negative;
    }
    *zeros = all_zeros;
    return all_nans;
}

static void DTYPE(tidy)(int64_t n, void *to_, const void *from_) {
    const T *from = from_;
    T *to = to_;
    for (int64_t i = 0; i < n; i++) to[i] = from[i] == from[i] ? from[i] : (T)HUGE_VAL;
}

/* A register is written as a whole: what is behind its kept lanes lies before what is read next. */
INLINE int64_t DTYPE(split)(int64_t n, T *low, T *high, const T *from, T pivot, bool equal) {
    int64_t lows = 0, highs = 0, i = 0;
#if COMPRESSES
    Lanes p = DTYPE(all)(pivot);
    const unsigned all = (unsigned)(((uint64_t)1 << WIDTH) - 1);
    for (; i + 4 * WIDTH <= n; i += 4 * WIDTH) {
        Lanes v[4];
        UNROLLED (int k = 0; k < 4; k++) v[k] = DTYPE(load)(from + i + k * WIDTH);
        UNROLLED (int k = 0; k < 4; k++) {
            unsigned less = equal ? ~(unsigned)DTYPE(BELOW)(p, v[k]) & all
                                  : (unsigned)DTYPE(BELOW)(v[k], p);
            DTYPE(store)(low + lows, DTYPE(KEPT)(v[k], less));
            DTYPE(store)(high + highs, DTYPE(KEPT)(v[k], ~less & all));
            lows += __builtin_popcount(less);
            highs = i + (k + 1) * WIDTH - lows;
        }
    }
#endif
    for (; i < n; i++) {
        T element = from[i];
        bool less = equal ? element <= pivot : element < pivot;
        low[lows] = element;
        high[highs] = element;
        lows += less;
        highs += !less;
    }
    return lows;
}

static int64_t DTYPE(partition)(int64_t n, void *low, void *high, const void *from, double pivot,
                                bool equal) {
    return equal ? DTYPE(split)(n, low, high, from, (T)pivot, true)
                 : DTYPE(split)(n, low, high, from, (T)pivot, false);
}

/* ---- short lines: as many at once as a register has lanes ---- */
/* Whatever is beyond a line, loaded and stored with it, belongs to the next. */
INLINE int64_t DTYPE(sort_side_by_side)(int64_t lines, int64_t length, T *to, const T *from,
                                        int rows) {
    const int64_t size = lines * length;
    const Mask minus_zero = DTYPE(sign) - (Mask){ 0 };
    int64_t done = 0;
    for (; (done + WIDTH - 1) * length + ROWS <= size; done += WIDTH) {
        Lanes v[ROWS];
        Mask odd = { 0 };
        NUMBER found = 0;
        UNROLLED (int block = 0; block < rows; block += WIDTH) {
            UNROLLED (int i = 0; i < WIDTH; i++)
                v[block + i] = DTYPE(load)(from + (done + i) * length + block);
            DTYPE(transpose)(v + block, WIDTH);
        }
        UNROLLED (int i = 0; i < rows; i++) {
            v[i] = i < length ? v[i] : DTYPE(all)((T)HUGE_VAL);
            odd |= (Mask)(v[i] != v[i]) | (Mask)((Mask)v[i] == minus_zero);
        }
        for (int i = 0; i < WIDTH; i++) found |= odd[i];
        if (found) break;
        DTYPE(sort_columns)(v, rows);
        UNROLLED (int block = 0; block < rows; block += WIDTH) DTYPE(transpose)(v + block, WIDTH);
        UNROLLED (int i = 0; i < WIDTH; i++)
            UNROLLED (int block = 0; block < rows; block += WIDTH)
                DTYPE(store)(to + (done + i) * length + block, v[block + i]);
    }
    return done;
}

static int64_t DTYPE(sort_short)(int64_t lines, int64_t length, void *to, const void *from) {
    if (length <= 8) return DTYPE(sort_side_by_side)(lines, length, to, from, 8);
    if (length <= 12) return DTYPE(sort_side_by_side)(lines, length, to, from, 12);
    return DTYPE(sort_side_by_side)(lines, length, to, from, ROWS);
}
#undef Lanes
#undef Loose
#undef Mask
#undef ROWS
#undef CROSSED
#undef CHOSEN
#undef FROM_BOTH_LOW
#undef FROM_BOTH_HIGH
