/* graph(f): the computation graph, drawn in the terminal or written to a file. See graph.h. */
#include "graph_file.h"
#include "builtins.h"
#include "io.h"
#include <stdio.h>
#include <string.h>

/* ---- items ---- */

static bool is_head(const Wengert *w, int64_t step, int64_t leaf) {
    for (int i = 0; i < w->heads; i++) {
        if (step >= 0 && wengert_step_of(w, w->head[i]) == step) return true;
        if (leaf >= 0 && wengert_leaf_of(w, w->head[i]) == leaf) return true;
    }
    return false;
}

static GraphItem leaf_item(const Wengert *w, uint32_t leaf) {
    const char *label = wengert_label(w, (Input){ FROM_LEAF, leaf, UNSET });
    return (GraphItem){ .step = -1,
                        .leaf = leaf,
                        .title = label,
                        .name = label,
                        .value = w->leaf[leaf].value,
                        .adjoint = w->leaf[leaf].adjoint,
                        .head = is_head(w, -1, leaf) };
}

static GraphItem step_item(const Wengert *w, uint32_t step) {
    String *name = wengert_name(w, step);
    return (GraphItem){
        .step = step,
        .leaf = -1,
        .name = name ? name->text : "",
        .title = string_format("#%u %s", step + 1, wengert_text(w, step, 40)).as.string->text,
        .value = wengert_value(w, step),
        .adjoint = wengert_adjoint(w, step),
        .head = is_head(w, step, -1)
    };
}

static GraphItem gap_item(const ViewLine *line) {
    const char *what = line->turns
                           ? string_format("× %s", counted(line->turns, "turn")).as.string->text
                           : counted(line->to - line->from + 1, "step");
    return (GraphItem){
        .step = -1,
        .leaf = -1,
        .from = line->from,
        .to = line->to,
        .turns = line->turns,
        .name = "",
        .title =
            string_format("⋮ %s: #%u to #%u", what, line->from + 1, line->to + 1).as.string->text,
        .value = UNSET,
        .adjoint = UNSET
    };
}

/* ---- edges ---- */

typedef struct Joined { int *item_of_step, *seen; size_t capacity; } Joined;

static void join(Graph *g, Joined *j, int from, int to) {
    if (from == to || from < 0 || j->seen[from] == to + 1) return;      /* x * x is one edge */
    j->seen[from] = to + 1;
    if ((size_t)g->edges == j->capacity) {
        LayoutEdge *old = g->edge;
        j->capacity = j->capacity ? 2 * j->capacity : 64;
        g->edge = pool_bytes(j->capacity * sizeof *old);
        if (g->edges) memcpy(g->edge, old, (size_t)g->edges * sizeof *old);
    }
    g->edge[g->edges++] = (LayoutEdge){ from, to };
}

static void join_inputs(Graph *g, Joined *j, uint32_t step, int to) {
    for (int k = 0; k < g->w->step[step].inputs; k++) {
        Input in = wengert_input(g->w, step, k);
        if (in.kind == FROM_LEAF) join(g, j, (int)in.at, to);
        if (in.kind == FROM_STEP) join(g, j, j->item_of_step[in.at], to);
    }
}

/* The first and last lines of too many, and one gap for all between them. */
static const ViewLine *shortened(const ViewLine *line, size_t *lines, size_t most) {
    if (*lines <= most) return line;
    size_t half = most / 2, last = *lines - half;
    ViewLine *few = pool_bytes((2 * half + 1) * sizeof *few);
    uint32_t from = line[half].step < 0 ? line[half].from : (uint32_t)line[half].step;
    uint32_t to = line[last - 1].step < 0 ? line[last - 1].to : (uint32_t)line[last - 1].step;
    memcpy(few, line, half * sizeof *few);
    few[half] = (ViewLine){ -1, 0, from, to };
    memcpy(few + half + 1, line + last, half * sizeof *few);
    *lines = 2 * half + 1;
    return few;
}

Graph *graph_of(Value f, uint32_t most) {
    Wengert *w = wengert_of(f, "graph");
    if (w->swept && !w->lost) wengert_sweep(w);
    return graph_up_to(w, most, w->count);
}

/* How many of the lines are of the first `steps` steps. */
static size_t lines_within(const ViewLine *line, size_t lines, uint32_t steps) {
    size_t within = 0;
    while (within < lines &&
           (line[within].step < 0 ? line[within].to : line[within].step) < steps) within++;
    return within;
}

Graph *graph_up_to(Wengert *w, uint32_t most, uint32_t steps) {
    Graph *g = memset(pool_bytes(sizeof *g), 0, sizeof *g);
    size_t lines;
    g->w = w;
    const ViewLine *all = view_lines(w, true, most, &lines), *line = shortened(all, &lines, most);
    lines = lines_within(line, lines, steps);
    size_t items = w->leaves + lines;
    g->item = pool_bytes((items + 1) * sizeof *g->item);
    Joined j = { memset(pool_bytes((w->count + 1) * sizeof(int)), 0xff,
                        (w->count + 1) * sizeof(int)),
                 memset(pool_bytes((items + 1) * sizeof(int)), 0, (items + 1) * sizeof(int)), 0 };
    for (uint32_t i = 0; i < w->leaves; i++) g->item[g->items++] = leaf_item(w, i);
    for (size_t i = 0; i < lines; i++) {
        uint32_t from = line[i].step < 0 ? line[i].from : (uint32_t)line[i].step,
                 to = line[i].step < 0 ? line[i].to : from;
        g->item[g->items] = line[i].step < 0 ? gap_item(&line[i]) : step_item(w, from);
        for (uint32_t step = from; step <= to; step++) j.item_of_step[step] = g->items;
        for (uint32_t step = from; step <= to; step++) join_inputs(g, &j, step, g->items);
        g->items++;
    }
    return g;
}

/* ---- what stands in a box ---- */

/* What the views write with other characters, in ASCII; names of the program stay as they are. */
static const char *in_ascii(const char *text) {
    static const struct { const char *sign, *ascii; } signs[] = {
        { "∂", "d" }, { "–", "-" }, { "×", "x" }, { "⋮", ":" }, { "…", "~" },
    };
    Buffer b = { 0 };
    while (*text) {
        size_t bytes = 1, i = 0, count = sizeof signs / sizeof *signs;
        while (i < count && strncmp(text, signs[i].sign, strlen(signs[i].sign))) i++;
        if (i < count) bytes = strlen(signs[i].sign);
        buffer_add(&b, i < count ? signs[i].ascii : text, i < count ? 1 : bytes);
        text += bytes;
    }
    return b.bytes ? buffer_string(&b).as.string->text : "";
}

static const char *item_line(const GraphItem *item, int line, int columns) {
    if (line == 0) return short_text(item->title, columns);
    if (item->step < 0 && item->leaf < 0) return "";
    if (line == 1) return short_value(item->value, columns);
    return string_format("∂ %s", short_value(item->adjoint, columns - 2)).as.string->text;
}

const char *graph_item_line(const GraphItem *item, int line, int columns, bool ascii) {
    const char *text = item_line(item, line, columns);
    return ascii ? in_ascii(text) : text;
}

/* ---- the terminal ---- */

static int item_columns(const GraphItem *item, int columns, bool ascii) {
    int widest = 1;
    for (int line = 0; line < ITEM_LINES; line++) {
        const char *text = graph_item_line(item, line, columns, ascii);
        int width = (int)text_width(text, strlen(text));
        if (width > widest) widest = width;
    }
    return widest;
}

void graph_draw(Buffer *b, const Graph *g, int columns, bool ascii) {
    static const int text_columns[] = { 28, 20, 14, 10 };
    enum { MOST_BOXES = 60, BORDERS = 4, GAP = 2 };
    int *width = pool_bytes(((size_t)g->items + 1) * sizeof *width);
    for (size_t t = 0; g->items <= MOST_BOXES && t < sizeof text_columns / sizeof *text_columns;
         t++) {
        for (int i = 0; i < g->items; i++)
            width[i] = item_columns(&g->item[i], text_columns[t], ascii) + BORDERS;
        Layout *layout = graph_layout(g->items, width, g->edges, g->edge, GAP);
        if (layout->width > columns) continue;
        graph_boxes(b, g, layout, text_columns[t], ascii);
        return;
    }
    graph_rails(b, g, columns, ascii);
}

/* ---- the call ---- */

static Value rows_of(const Graph *g) {
    Value rows = list_new((size_t)g->items);
    for (int i = 0; i < g->items; i++) {
        Value row = struct_new(6), used = list_new(0);
        for (int e = 0; e < g->edges; e++)
            if (g->edge[e].to == i) used = list_push(used, number(g->edge[e].from));
        view_put(row, "id", number(i));
        view_put(row, "name", string_of(g->item[i].name));
        view_put(row, "text", string_of(g->item[i].title));
        view_put(row, "from", used);
        view_put(row, "value", view_value(g->item[i].value));
        view_put(row, "adjoint", view_value(g->item[i].adjoint));
        list_set(rows, (size_t)i, row);
    }
    return rows;
}

static void write_graph(const Graph *g, String *path) {
    Buffer b = { 0 };
    const char *ending = strrchr(path->text, '.');
    if (ending && !strcmp(ending, ".svg")) graph_svg(&b, g);
    else if (ending && !strcmp(ending, ".dot")) graph_dot(&b, g);
    else if (ending && !strcmp(ending, ".png")) {
        graph_png(path, g);
        return;
    } else if (ending && !strcmp(ending, ".txt")) graph_draw(&b, g, 100000, false);
    else {
        hint("an SVG file opens in any browser, and needs no library");
        fail(E_VALUE, "the name of a graph's file ends in .svg, .png, .dot or .txt, not \"%s\"",
             path->text);
    }
    io_write_file(path, b.text, b.bytes);
}

Value builtin_graph(int count, const Value *arg) {
    (void)count;
    bool ascii = arg[2].tag != V_UNSET && arg_bool(arg[2], "ascii"),
         file = arg[1].tag != V_UNSET && arg[1].tag != V_NIL;
    Graph *g = graph_of(arg[0], file ? 240 : 200);
    Value rows = rows_of(g);
    if (file) {
        write_graph(g, arg_string(arg[1], "the path of graph"));
        return rows;
    }
    Buffer b = { 0 };
    graph_draw(&b, g, screen_columns(), ascii);
    style_text(&b, STYLE_DIM, view_sweep_text(g->w), -1);
    buffer_char(&b, '\n');
    return view_done(&b, rows, arg[3]);
}
