/* The graph as a file: SVG that needs nothing beside itself, and the DOT language of Graphviz. */
#include "graph_file.h"
#include <string.h>

/* ---- text of XML and of DOT ---- */

static void escaped(Buffer *b, const char *text, bool dot) {
    for (; *text; text++) {
        if (dot && (*text == '"' || *text == '\\')) buffer_char(b, '\\');
        if (!dot && *text == '<') buffer_text(b, "&lt;");
        else if (!dot && *text == '>') buffer_text(b, "&gt;");
        else if (!dot && *text == '&') buffer_text(b, "&amp;");
        else if (!dot && *text == '"') buffer_text(b, "&quot;");
        else buffer_char(b, *text);
    }
}

const char *graph_kind(const GraphItem *item) {
    return item->head ? "head" : item->leaf >= 0 ? "leaf" : item->step < 0 ? "gap" : "step";
}

/* ---- places ---- */

int graph_top(int layer) { return GRAPH_MARGIN + layer * (GRAPH_BOX + GRAPH_BETWEEN); }

GraphPlaces graph_places(const Graph *g) {
    int *width = pool_bytes(((size_t)g->items + 1) * sizeof *width);
    for (int i = 0; i < g->items; i++) {
        size_t widest = 4;
        for (int line = 0; line < ITEM_LINES; line++) {
            const char *text = graph_item_line(&g->item[i], line, GRAPH_COLUMNS, false);
            size_t columns = text_width(text, strlen(text));
            if (columns > widest) widest = columns;
        }
        width[i] = (int)widest * GRAPH_CHARACTER + 2 * GRAPH_PADDING;
    }
    Layout *l = graph_layout(g->items, width, g->edges, g->edge, 24);
    return (GraphPlaces){ l, l->width + 2 * GRAPH_MARGIN,
                          graph_top(l->layers) - GRAPH_BETWEEN + GRAPH_MARGIN };
}

/* ---- SVG ---- */

static const char style[] =
    "<style>\n"
    "  svg { background: #fff; font: 13px ui-monospace, Menlo, Consolas, monospace }\n"
    "  rect { fill: #f6f8fa; stroke: #8c959f; rx: 5px } .leaf rect { fill: #ddf4ff; stroke: "
    "#0969da }\n"
    "  .head rect { fill: #fff8c5; stroke: #9a6700; stroke-width: 2 } .gap rect { "
    "stroke-dasharray: 4 3 }\n"
    "  path { fill: none; stroke: #8c959f; stroke-width: 1.4 }\n"
    "  text { fill: #1f2328 } .t { font-weight: 600 } .v { fill: #0550ae } .a { fill: #cf222e }\n"
    "  @media (prefers-color-scheme: dark) {\n"
    "    svg { background: #0d1117 } rect { fill: #161b22; stroke: #6e7681 } text { fill: #e6edf3 "
    "}\n"
    "    .leaf rect { fill: #0c2d6b; stroke: #58a6ff } .head rect { fill: #3b2300; stroke: #d29922 "
    "}\n"
    "    .v { fill: #79c0ff } .a { fill: #ff7b72 } path { stroke: #6e7681 } }\n"
    "</style>\n";

static void svg_box(Buffer *b, const GraphItem *item, const LayoutNode *n) {
    static const char *const class[ITEM_LINES] = { "t", "v", "a" };
    int x = n->x + GRAPH_MARGIN, y = graph_top(n->layer);
    buffer_format(b, "<g class=\"%s\"><rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>",
                  graph_kind(item), x, y, n->width, GRAPH_BOX);
    for (int line = 0; line < ITEM_LINES; line++) {
        buffer_format(b, "<text class=\"%s\" x=\"%d\" y=\"%d\">", class[line], x + GRAPH_PADDING,
                      y + GRAPH_LINE * (line + 1) + 2);
        escaped(b, graph_item_line(item, line, GRAPH_COLUMNS, false), false);
        buffer_text(b, "</text>");
    }
    buffer_text(b, "<title>");
    escaped(b, item->title, false);
    buffer_text(b, "</title></g>\n");
}

/* A curve for each piece of an edge; bends are passed straight through. */
static void svg_segment(Buffer *b, const Layout *l, const Segment *s) {
    const LayoutNode *from = &l->node[s->from], *to = &l->node[s->to];
    int x = layout_middle(from) + GRAPH_MARGIN, y = graph_top(from->layer) + GRAPH_BOX,
        x2 = layout_middle(to) + GRAPH_MARGIN, y2 = graph_top(to->layer);
    buffer_format(b, "<path d=\"M%d %d C%d %d %d %d %d %d", x, y, x, y + GRAPH_BETWEEN / 2, x2,
                  y2 - GRAPH_BETWEEN / 2, x2, y2);
    if (to->bend >= 0) buffer_format(b, " V%d", y2 + GRAPH_BOX);
    buffer_format(b, "\"%s/>\n", to->bend >= 0 ? "" : " marker-end=\"url(#arrow)\"");
}

void graph_svg(Buffer *b, const Graph *g) {
    GraphPlaces at = graph_places(g);
    const Layout *l = at.layout;
    buffer_format(b,
                  "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" "
                  "height=\"%d\">\n",
                  at.width, at.height, at.width, at.height);
    buffer_text(b, style);
    buffer_text(b, "<defs><marker id=\"arrow\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" "
                   "markerWidth=\"7\" markerHeight=\"7\" "
                   "orient=\"auto\"><path d=\"M0 0 L8 4 L0 8\"/></marker></defs>\n<title>the "
                   "computation graph of ");
    escaped(b, view_head_name(g->w), false);
    buffer_text(b, "</title>\n");
    for (int s = 0; s < l->segments; s++) svg_segment(b, l, &l->segment[s]);
    for (int i = 0; i < g->items; i++) svg_box(b, &g->item[i], &l->node[i]);
    buffer_text(b, "</svg>\n");
}

/* ---- DOT ---- */

void graph_dot(Buffer *b, const Graph *g) {
    buffer_text(b, "digraph tape {\n    node [shape = box, fontname = monospace];\n");
    for (int i = 0; i < g->items; i++) {
        const GraphItem *item = &g->item[i];
        buffer_format(b, "    n%d [class = %s, label = \"", i, graph_kind(item));
        for (int line = 0; line < ITEM_LINES; line++) {
            const char *text = graph_item_line(item, line, GRAPH_COLUMNS, false);
            if (line && *text) buffer_text(b, "\\n");
            escaped(b, text, true);
        }
        buffer_text(b, item->head ? "\", penwidth = 2];\n" : "\"];\n");
    }
    for (int e = 0; e < g->edges; e++)
        buffer_format(b, "    n%d -> n%d;\n", g->edge[e].from, g->edge[e].to);
    buffer_text(b, "}\n");
}
