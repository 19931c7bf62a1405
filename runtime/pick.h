/* What an index means on one array (pick.c): for index.c, which reads, adds and replaces there. */
#ifndef PICK_H
#define PICK_H
#include "rules.h"

enum {
    ITEM_WORDS = INDEX_WORDS,
    KIND_BITS = 7,
    HAS_START = 8,
    HAS_STOP = 16,
    MAX_ITEMS = 2 * MAX_AXES
};

typedef struct Pick {
    Array *view;                /* the array with slices, new axes and plain numbers applied */
    int gathered;               /* how many axes of the view are gathered */
    int axis[MAX_AXES];         /* which ones */
    int source[MAX_AXES];       /* the axes of the array they come from, for messages */
    Array *places[MAX_AXES];    /* the indices along each, f64 of any shape */
    Shape pair;                 /* the shape in which the gathers pair up */
    int first;                  /* where that shape stands in the result */
    int64_t *offset, offsets;   /* in elements of the view, one per element of `pair` */
    Shape result;
} Pick;

/* Words: the items of an index as an attr has them; gathers: their arrays. */
void pick(Pick *made, Array *x, int count, const Attr *words, const Value *gathers);
Shape picked_shape(const Pick *p);

/* ---- moving elements between a pick and an array of its result's shape ---- */
typedef enum Move { READ, WRITE, ADD } Move;

/* flat: contiguous, of the view's dtype and the pick's result shape. */
void move_gathered(Pick *p, Move move, Array *flat);
#endif
