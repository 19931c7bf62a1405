/* Layered drawing of a graph without cycles, after Sugiyama, Tagawa and Toda 1981 (Methods for
 * visual understanding of hierarchical system structures). The one idea: every node stands on a
 * layer below all it comes from; an edge over several layers passes through a bend on each; nodes
 * are put in order by the mean place of their neighbours, so that few edges cross, and then moved
 * under each other.
 *
 * Nothing here knows what the nodes are or how they are drawn: widths go in, places come out. */
#ifndef GRAPH_LAYOUT_H
#define GRAPH_LAYOUT_H

typedef struct LayoutEdge {
    int from, to;
} LayoutEdge; /* from < to: nodes come in a valid order */

typedef struct LayoutNode {
    int layer, x, width;    /* x: its left side */
    int bend;               /* the edge that passes through here; -1: a node of the caller's */
} LayoutNode;

typedef struct Segment {
    int from, to, edge;
} Segment; /* of an edge, from one layer to the next */

typedef struct Layout {
    int layers, count, segments, width;
    LayoutNode *node;       /* the caller's nodes, then the bends */
    Segment *segment;
    int *layer_start; /* order[layer_start[l] .. layer_start[l + 1]): a layer from left to right */
    int *order;
} Layout;

/* In the pool. gap: free columns between neighbours; sources stand just above who uses them first.
 */
Layout *graph_layout(int nodes, const int *width, int edges, const LayoutEdge *edge, int gap);
static inline int layout_middle(const LayoutNode *n) { return n->x + n->width / 2; }
#endif
