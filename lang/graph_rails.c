/* The graph as a line for each item, with a rail at the left for every value that is still to be
 * used: it fits any screen and any depth. The one idea: a value keeps its rail from its own line to
 * its last use. */
#include "graph.h"
#include <string.h>

enum { UP = 1, DOWN = 2, LEFT = 4, RIGHT = 8, INPUT = 16, MOST_RAILS = 200 };
static const char *const lines[16] = { " ", "│", "│", "│", "─", "┘", "┐", "┤",
                                       "─", "└", "┌", "├", "─", "┴", "┬", "┼" };
static const char *const plain[16] = { " ", "|", "|", "|", "-", "'", ".", "+",
                                       "-", "'", ".", "+", "-", "+", "+", "+" };

typedef struct Rails {
    Buffer *b;
    const Graph *g;
    int *last_use;              /* by item: the item that uses it last; -1: none */
    int rail[MOST_RAILS];       /* the item whose value runs there; -1: free */
    int rails, widest;
} Rails;

static int rail_of(const Rails *r, int item) {
    for (int i = 0; i < r->rails; i++) if (r->rail[i] == item) return i;
    return -1;
}

static int free_rail(Rails *r) {
    for (int i = 0; i < r->rails; i++) if (r->rail[i] < 0) return i;
    if (r->rails == MOST_RAILS) return -1;
    r->rail[r->rails] = -1;
    return r->rails++;
}

/* The masks of the item's line; gives the rail on which it stands. */
static int connect(Rails *r, int item, uint8_t *mask) {
    int low = MOST_RAILS, high = -1;
    for (int i = 0; i < r->rails; i++) mask[i] = r->rail[i] >= 0 ? UP | DOWN : 0;
    for (int e = 0; e < r->g->edges; e++) {
        if (r->g->edge[e].to != item) continue;
        int rail = rail_of(r, r->g->edge[e].from);
        if (rail < 0) continue;
        if (rail < low) low = rail;
        if (rail > high) high = rail;
        if (r->last_use[r->g->edge[e].from] == item) {
            mask[rail] = UP;
            r->rail[rail] = -1;
        }
        mask[rail] |= INPUT;
    }
    int own = free_rail(r);
    if (own < 0) return -1;
    if (own < low) low = own;
    if (own > high) high = own;
    for (int i = low; i <= high; i++) {
        if (i >= r->rails) break;
        if (i > low) mask[i] |= LEFT;
        if (i < high) mask[i] |= RIGHT;
    }
    return own;
}

static void draw_rails(Rails *r, const uint8_t *mask, int own, bool ascii) {
    const char *const *character = ascii ? plain : lines;
    for (int i = 0; i < r->widest; i++) {
        int m = i < r->rails ? mask[i] & (INPUT - 1) : 0;
        bool passes_under = m & (UP | DOWN) && m & (LEFT | RIGHT) && !(mask[i] & INPUT);
        if (i == own) buffer_text(r->b, ascii ? "o" : "●");
        else buffer_text(r->b, character[passes_under ? UP | DOWN : m]);
        bool across =
            i + 1 < r->widest && (i == own ? i + 1 < r->rails && mask[i + 1] & LEFT : m & RIGHT);
        buffer_text(r->b, across ? character[LEFT | RIGHT] : " ");
    }
}

static void put_item(Rails *r, int item, int columns, bool ascii) {
    const GraphItem *it = &r->g->item[item];
    int room = columns - 2 * r->widest - 1, text = room > 60 ? room / 2 : room,
        value = (room - text - 4) / 2;
    const char *title = graph_item_line(it, 0, text, ascii);
    buffer_char(r->b, ' ');
    style_text(r->b, *it->name ? STYLE_NAME : STYLE_PLAIN, title, -1);
    if (value >= 10 && (it->step >= 0 || it->leaf >= 0)) {
        const char *v = short_value(it->value, value);
        buffer_spaces(r->b, text + 2 - (int)text_width(title, strlen(title)));
        style_text(r->b, STYLE_VALUE, v, -1);
        buffer_spaces(r->b, value + 2 - (int)text_width(v, strlen(v)));
        style_text(r->b, STYLE_ADJOINT, graph_item_line(it, 2, value, ascii), -1);
    }
    buffer_char(r->b, '\n');
}

/* Without a buffer: only how many rails there will be. */
static void walk(Rails *r, int columns, bool ascii) {
    uint8_t mask[MOST_RAILS + 1];
    r->rails = 0;
    for (int i = 0; i < r->g->items; i++) {
        memset(mask, 0, sizeof mask);
        int own = connect(r, i, mask);
        if (r->b) {
            draw_rails(r, mask, own, ascii);
            put_item(r, i, columns, ascii);
        } else if (r->rails > r->widest) r->widest = r->rails;
        if (own >= 0 && r->last_use[i] > i) r->rail[own] = i;
    }
}

void graph_rails(Buffer *b, const Graph *g, int columns, bool ascii) {
    Rails r = { .g = g, .last_use = pool_bytes(((size_t)g->items + 1) * sizeof(int)) };
    for (int i = 0; i < g->items; i++) r.last_use[i] = -1;
    for (int e = 0; e < g->edges; e++)
        if (g->edge[e].to > r.last_use[g->edge[e].from])
            r.last_use[g->edge[e].from] = g->edge[e].to;
    walk(&r, columns, ascii);
    if (r.widest > columns / 4) r.widest = columns / 4;
    r.b = b;
    walk(&r, columns, ascii);
}
