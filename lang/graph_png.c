/* The graph as PNG. The one idea: it is the SVG's picture once more (graph_file.h), as the struct
 * of shapes that write_png draws; so only png_cairo.c knows Cairo, and where it is missing the
 * message is that of plots. */
#include "builtins.h"
#include "graph_file.h"

/* What write_png draws at most each way; a larger graph is drawn smaller. */
enum { MOST_UNITS = 10000, CURVE_POINTS = 13 };

typedef struct Picture { Value shapes; double scale; } Picture;

/* As in the SVG's style. */
static const struct { const char *kind, *fill, *border; } paints[] = {
    { "leaf", "#ddf4ff", "#0969da" },
    { "head", "#fff8c5", "#9a6700" },
    { "step", "#f6f8fa", "#8c959f" },
    { "gap", "#ffffff", "#8c959f" },
};
static const char *const text_paints[ITEM_LINES] = { "#1f2328", "#0550ae", "#cf222e" };

/* ---- shapes ---- */

static Value new_shape(const char *kind, const char *paint) {
    Value shape = struct_new(12);
    view_put(shape, "kind", string_of(kind));
    view_put(shape, "paint", string_of(paint));
    view_put(shape, "opacity", number(1));
    return shape;
}

static void put_number(const Picture *p, Value shape, const char *field, double units) {
    view_put(shape, field, number(units * p->scale));
}

static void add_box(Picture *p, double x, double y, double width, double height,
                    const char *paint) {
    Value box = new_shape("box", paint);
    put_number(p, box, "x", x);
    put_number(p, box, "y", y);
    put_number(p, box, "width", width);
    put_number(p, box, "height", height);
    p->shapes = list_push(p->shapes, box);
}

static Value coordinates(const Picture *p, int count, const double *at) {
    Array *a = array_new(F64, 1, &(int64_t){ count });
    for (int i = 0; i < count; i++) f64_of(a)[i] = at[i] * p->scale;
    return array_value(a);
}

static void add_line(Picture *p, int count, const double *x, const double *y, double width,
                     const char *paint) {
    Value line = new_shape("line", paint);
    view_put(line, "x", coordinates(p, count, x));
    view_put(line, "y", coordinates(p, count, y));
    put_number(p, line, "width", width);
    p->shapes = list_push(p->shapes, line);
}

static void add_text(Picture *p, double x, double y, const char *text, bool bold,
                     const char *paint) {
    Value words = new_shape("text", paint);
    view_put(words, "text", string_of(text));
    view_put(words, "anchor", string_of("start"));
    put_number(p, words, "x", x);
    put_number(p, words, "y", y);
    put_number(p, words, "size", GRAPH_FONT);
    view_put(words, "bold", boolean(bold));
    view_put(words, "upright", boolean(false));
    view_put(words, "mono", boolean(true));
    p->shapes = list_push(p->shapes, words);
}

/* ---- the graph ---- */

static void add_item(Picture *p, const GraphItem *item, const LayoutNode *n) {
    size_t kind = 0;
    while (strcmp(paints[kind].kind, graph_kind(item))) kind++;
    double x = n->x + GRAPH_MARGIN, y = graph_top(n->layer), right = x + n->width,
           below = y + GRAPH_BOX;
    add_box(p, x, y, n->width, GRAPH_BOX, paints[kind].fill);
    add_line(p, 5, (double[]){ x, right, right, x, x }, (double[]){ y, y, below, below, y },
             item->head ? 2 : 1, paints[kind].border);
    for (int line = 0; line < ITEM_LINES; line++)
        add_text(p, x + GRAPH_PADDING, y + GRAPH_LINE * (line + 1) + 2,
                 graph_item_line(item, line, GRAPH_COLUMNS, false), line == 0, text_paints[line]);
}

/* The curve that the SVG describes by its four points, as short lines; at its end an arrow, or a
 * straight way through a bend. */
static void add_segment(Picture *p, const Layout *l, const Segment *s) {
    const LayoutNode *from = &l->node[s->from], *to = &l->node[s->to];
    double x[CURVE_POINTS + 1], y[CURVE_POINTS + 1];
    double x1 = layout_middle(from) + GRAPH_MARGIN, y1 = graph_top(from->layer) + GRAPH_BOX,
           x2 = layout_middle(to) + GRAPH_MARGIN, y2 = graph_top(to->layer),
           half = GRAPH_BETWEEN / 2;
    for (int i = 0; i < CURVE_POINTS; i++) {
        double t = (double)i / (CURVE_POINTS - 1), u = 1 - t;
        x[i] = (u * u * u + 3 * u * u * t) * x1 + (3 * u * t * t + t * t * t) * x2;
        y[i] = u * u * u * y1 + 3 * u * u * t * (y1 + half) + 3 * u * t * t * (y2 - half) +
               t * t * t * y2;
    }
    bool bend = to->bend >= 0;
    x[CURVE_POINTS] = x2;
    y[CURVE_POINTS] = y2 + GRAPH_BOX;
    add_line(p, CURVE_POINTS + bend, x, y, 1.4, "#8c959f");
    if (!bend)
        add_line(p, 3, (double[]){ x2 - 4, x2, x2 + 4 }, (double[]){ y2 - 7, y2 - 1, y2 - 7 }, 1.4,
                 "#8c959f");
}

void graph_png(String *path, const Graph *g) {
    GraphPlaces at = graph_places(g);
    int longest = at.width > at.height ? at.width : at.height;
    Picture p = { list_new(0), longest > MOST_UNITS ? (double)MOST_UNITS / longest : 1 };
    add_box(&p, 0, 0, at.width, at.height, "#ffffff");
    for (int s = 0; s < at.layout->segments; s++)
        add_segment(&p, at.layout, &at.layout->segment[s]);
    for (int i = 0; i < g->items; i++) add_item(&p, &g->item[i], &at.layout->node[i]);
    Value picture = struct_new(4), arg[2] = { { V_STRING, 0, { .string = path } }, picture };
    put_number(&p, picture, "width", at.width);
    put_number(&p, picture, "height", at.height);
    view_put(picture, "shapes", p.shapes);
    builtin_write_png(2, arg);
}
