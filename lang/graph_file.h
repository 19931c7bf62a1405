/* Where the parts of the graph are in a picture of it, in pixels of a screen: what SVG and PNG have
 * in common. */
#ifndef GRAPH_FILE_H
#define GRAPH_FILE_H
#include "graph.h"

enum {
    GRAPH_FONT = 13,
    GRAPH_CHARACTER = 8,
    GRAPH_LINE = 17,
    GRAPH_PADDING = 10,
    GRAPH_BOX = ITEM_LINES * GRAPH_LINE + 12,
    GRAPH_BETWEEN = 46,
    GRAPH_COLUMNS = 34,         /* of text in a box, at most */
    GRAPH_MARGIN = 20
};

typedef struct GraphPlaces { Layout *layout; int width, height; } GraphPlaces;
GraphPlaces graph_places(const Graph *g);
/* The upper edge of the boxes in a layer. */
int graph_top(int layer);
/* "leaf", "head", "step", "gap" */
const char *graph_kind(const GraphItem *item);

/* Writes it with Cairo; E_IO if that is missing. */
void graph_png(String *path, const Graph *g);
#endif
