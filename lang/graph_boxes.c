/* The graph in boxes, layer under layer, with lines of box characters between them. The one idea: a
 * cell of the channel between two layers knows in which of four directions a line leaves it; its
 * character follows.
 *
 * In a channel every node above has a track of its own on which its lines run sideways; a track
 * lies above another where the lines of both would else run in one column (a greedy channel router,
 * after Yoshimura and Kuh 1982, Efficient algorithms for channel routing). */
#include "graph.h"
#include <string.h>

enum { UP = 1, DOWN = 2, LEFT = 4, RIGHT = 8 };
static const char *const lines[16] = { " ", "│", "│", "│", "─", "┘", "┐", "┤",
                                       "─", "└", "┌", "├", "─", "┴", "┬", "┼" };
static const char *const plain[16] = { " ", "|", "|", "|", "-", "+", "+", "+",
                                       "-", "+", "+", "+", "-", "+", "+", "+" };

/* Of the borders above and below a head. */
static const char *const strong[16] = { [RIGHT | DOWN] = "╒",       [LEFT | DOWN] = "╕",
                                        [RIGHT | UP] = "╘",         [LEFT | UP] = "╛",
                                        [LEFT | RIGHT] = "═",       [LEFT | RIGHT | UP] = "╧",
                                        [LEFT | RIGHT | DOWN] = "╤" };
static const char *const strong_plain[16] = { [RIGHT | DOWN] = "+",       [LEFT | DOWN] = "+",
                                              [RIGHT | UP] = "+",         [LEFT | UP] = "+",
                                              [LEFT | RIGHT] = "=",       [LEFT | RIGHT | UP] = "+",
                                              [LEFT | RIGHT | DOWN] = "+" };

typedef struct Boxes {
    Buffer *b;
    const Graph *g;
    const Layout *l;
    int text_columns;
    bool ascii;
    int *out_port, *in_port;    /* by segment: the columns where it leaves and arrives */
} Boxes;

static const char *const *characters(const Boxes *x) { return x->ascii ? plain : lines; }

/* ---- ports ---- */

static bool is_bend(const Boxes *x, int node) { return x->l->node[node].bend >= 0; }

/* All lines of a node leave at its middle. Those that arrive are spread in the order of where they
 * come from. */
static void find_ports(Boxes *x) {
    const Layout *l = x->l;
    for (int s = 0; s < l->segments; s++)
        x->out_port[s] = layout_middle(&l->node[l->segment[s].from]);
    for (int s = 0; s < l->segments; s++) {
        int to = l->segment[s].to, before = 0, all = 0;
        for (int o = 0; o < l->segments; o++) {
            if (l->segment[o].to != to) continue;
            all++;
            before +=
                x->out_port[o] < x->out_port[s] || (x->out_port[o] == x->out_port[s] && o < s);
        }
        const LayoutNode *n = &l->node[to];
        int room = n->width - 2;
        x->in_port[s] = is_bend(x, to) || all == 1
                            ? layout_middle(n)
                            : n->x + 1 + (room * (2 * before + 1)) / (2 * all);
        bool straight = !is_bend(x, to) && all == 1 && x->out_port[s] > n->x &&
                        x->out_port[s] < n->x + n->width - 1;
        if (straight) x->in_port[s] = x->out_port[s];
    }
}

/* ---- channels ---- */

typedef struct Wire {
    int node, column, left, right, track;
} Wire; /* of a node: where its lines run */
typedef struct Channel { Wire *wire; int wires, tracks; } Channel;

static Channel wires_of(const Boxes *x, int layer) {
    const Layout *l = x->l;
    Channel c = { pool_bytes(((size_t)(l->layer_start[layer + 1] - l->layer_start[layer]) + 1) *
                             sizeof(Wire)),
                  0, 0 };
    for (int i = l->layer_start[layer]; i < l->layer_start[layer + 1]; i++) {
        Wire w = { l->order[i], layout_middle(&l->node[l->order[i]]), 0, 0, -1 };
        bool any = false, turns = false;
        w.left = w.right = w.column;
        for (int s = 0; s < l->segments; s++) {
            if (l->segment[s].from != w.node) continue;
            any = true;
            turns |= x->in_port[s] != w.column;
            if (x->in_port[s] < w.left) w.left = x->in_port[s];
            if (x->in_port[s] > w.right) w.right = x->in_port[s];
        }
        if (any && turns) c.wire[c.wires++] = w;
    }
    return c;
}

/* Must a's track lie above b's, since a line of b arrives in the column where a leaves? Then a's
 * way down from the box would else run through b's way down to its target. */
static bool goes_above(const Boxes *x, const Wire *a, const Wire *b) {
    for (int s = 0; s < x->l->segments; s++)
        if (x->l->segment[s].from == b->node && x->in_port[s] == a->column) return true;
    return false;
}

static bool may_take(const Boxes *x, const Channel *c, int wire, int track) {
    for (int o = 0; o < c->wires; o++) {
        const Wire *a = &c->wire[o], *b = &c->wire[wire];
        if (o == wire) continue;
        if (a->track == track && a->left <= b->right + 1 && b->left <= a->right + 1) return false;
        if ((a->track < 0 || a->track == track) && goes_above(x, a, b) && !goes_above(x, b, a))
            return false;
    }
    return true;
}

static Channel route(const Boxes *x, int layer) {
    Channel c = wires_of(x, layer);
    for (int left = c.wires; left > 0; c.tracks++) {
        int before = left;
        for (int i = 0; i < c.wires; i++)
            if (c.wire[i].track < 0 && may_take(x, &c, i, c.tracks)) {
                c.wire[i].track = c.tracks;
                left--;
            }
        for (int i = 0; left == before && i < c.wires;
             i++) /* a cycle of wishes: the first one goes */
            if (c.wire[i].track < 0) {
                c.wire[i].track = c.tracks;
                left--;
            }
    }
    return c;
}

static int track_of(const Channel *c, int node) {
    for (int i = 0; i < c->wires; i++) if (c->wire[i].node == node) return c->wire[i].track;
    return -1;
}

static void draw_down(uint8_t *grid, int width, int column, int from, int to) {
    for (int row = from; row < to; row++) grid[row * width + column] |= UP | DOWN;
}

static void draw_across(uint8_t *row, int from, int to) {
    if (from > to) {
        int swapped = from;
        from = to;
        to = swapped;
    }
    for (int column = from; column < to; column++) {
        row[column] |= RIGHT;
        row[column + 1] |= LEFT;
    }
}

static void draw_channel(Boxes *x, int layer) {
    const Layout *l = x->l;
    Channel c = route(x, layer);
    int rows = c.tracks ? c.tracks : 1, width = l->width + 1;
    uint8_t *grid = memset(pool_bytes((size_t)(rows * width)), 0, (size_t)(rows * width));
    for (int s = 0; s < l->segments; s++) {
        if (l->node[l->segment[s].from].layer != layer) continue;
        int track = track_of(&c, l->segment[s].from), out = x->out_port[s], in = x->in_port[s];
        if (track < 0) {
            draw_down(grid, width, out, 0, rows);
            continue;
        }
        draw_down(grid, width, out, 0, track);
        grid[track * width + out] |= UP;
        draw_across(grid + track * width, out, in);
        grid[track * width + in] |= DOWN;
        draw_down(grid, width, in, track + 1, rows);
    }
    for (int row = 0; row < rows; row++) {
        int last = width;
        while (last > 0 && !grid[row * width + last - 1]) last--;
        for (int column = 0; column < last; column++)
            buffer_text(x->b, characters(x)[grid[row * width + column]]);
        buffer_char(x->b, '\n');
    }
}

/* ---- layers ---- */

static bool has_port(const Boxes *x, int node, int column, bool below) {
    for (int s = 0; s < x->l->segments; s++) {
        if ((below ? x->l->segment[s].from : x->l->segment[s].to) != node) continue;
        if ((below ? x->out_port[s] : x->in_port[s]) == column) return true;
    }
    return false;
}

static void border(Boxes *x, int node, bool below) {
    const LayoutNode *n = &x->l->node[node];
    bool head = x->g->item[node].head;
    for (int column = n->x; column < n->x + n->width; column++) {
        int mask = LEFT | RIGHT;
        if (column == n->x) mask = RIGHT | (below ? UP : DOWN);
        else if (column == n->x + n->width - 1) mask = LEFT | (below ? UP : DOWN);
        else if (has_port(x, node, column, below)) mask |= below ? DOWN : UP;
        buffer_text(x->b, head ? (x->ascii ? strong_plain : strong)[mask] : characters(x)[mask]);
    }
}

static void box_row(Boxes *x, int node, int row) {
    static const Style styles[ITEM_LINES] = { STYLE_NAME, STYLE_VALUE, STYLE_ADJOINT };
    const LayoutNode *n = &x->l->node[node];
    if (row == 0 || row == ITEM_LINES + 1) {
        border(x, node, row > 0);
        return;
    }
    const char *text = graph_item_line(&x->g->item[node], row - 1, x->text_columns, x->ascii);
    buffer_text(x->b, characters(x)[UP | DOWN]);
    buffer_char(x->b, ' ');
    style_text(x->b, styles[row - 1], text, -1);
    buffer_spaces(x->b, n->width - 3 - (int)text_width(text, strlen(text)));
    buffer_text(x->b, characters(x)[UP | DOWN]);
}

static void draw_layer(Boxes *x, int layer) {
    const Layout *l = x->l;
    for (int row = 0; row < ITEM_LINES + 2; row++) {
        int column = 0;
        for (int i = l->layer_start[layer]; i < l->layer_start[layer + 1]; i++) {
            const LayoutNode *n = &l->node[l->order[i]];
            buffer_spaces(x->b, n->x - column);
            if (is_bend(x, l->order[i])) buffer_text(x->b, characters(x)[UP | DOWN]);
            else box_row(x, l->order[i], row);
            column = n->x + n->width;
        }
        buffer_char(x->b, '\n');
    }
}

void graph_boxes(Buffer *b, const Graph *g, const Layout *layout, int text_columns, bool ascii) {
    Boxes x = { b, g, layout, text_columns, ascii, NULL, NULL };
    x.out_port = pool_bytes(((size_t)layout->segments + 1) * sizeof(int));
    x.in_port = pool_bytes(((size_t)layout->segments + 1) * sizeof(int));
    find_ports(&x);
    for (int layer = 0; layer < layout->layers; layer++) {
        draw_layer(&x, layer);
        if (layer + 1 < layout->layers) draw_channel(&x, layer);
    }
}
