/* The computation graph as the drawing views see it: items (leaves, steps, and what loops repeat as
 * one), and who uses whom. The one idea: the Wengert list is folded first, so that whatever is
 * drawn has at most a few hundred items. */
#ifndef GRAPH_H
#define GRAPH_H
#include "graph_layout.h"
#include "views.h"

typedef struct GraphItem {
    int64_t step, leaf;         /* one of them; both -1: a gap of folded steps */
    uint32_t from, to, turns;   /* of a gap */
    const char *title;          /* "#2 y = x * 2", "x", "× 98 turns" */
    const char *name;           /* of the variable, or "" */
    Value value, adjoint;       /* UNSET: lost, or no sweep yet */
    bool head;
} GraphItem;

typedef struct Graph {
    Wengert *w;
    int items, edges;
    GraphItem *item;
    LayoutEdge *edge;           /* by item: from is used by to */
} Graph;

/* The graph behind f; loops are folded, and what is left of more than `most` steps is one item in
 * the middle. */
Graph *graph_of(Value f, uint32_t most);

/* The same of a list, of its leaves and first `steps` steps only. */
Graph *graph_up_to(Wengert *w, uint32_t most, uint32_t steps);

/* Boxes in layers if that fits into so many columns, else a line for each item with rails at its
 * left. */
void graph_draw(Buffer *b, const Graph *g, int columns, bool ascii);
void graph_boxes(Buffer *b, const Graph *g, const Layout *layout, int text_columns, bool ascii);
void graph_rails(Buffer *b, const Graph *g, int columns, bool ascii);
/* Whole files. */
void graph_svg(Buffer *b, const Graph *g);
void graph_dot(Buffer *b, const Graph *g);
/* The lines of an item's box, each at most so many columns: title, value, adjoint. */
enum { ITEM_LINES = 3 };
const char *graph_item_line(const GraphItem *item, int line, int columns, bool ascii);
#endif
