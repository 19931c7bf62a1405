/* Layers, bends, order, places. See graph_layout.h. */
#include "graph_layout.h"
#include "value.h"
#include <stdlib.h>
#include <string.h>

enum { ORDER_ROUNDS = 12, PLACE_ROUNDS = 24 };

/* ---- layers ---- */

static void find_layers(Layout *l, int nodes, int edges, const LayoutEdge *edge) {
    bool *has_input = memset(pool_bytes((size_t)nodes + 1), 0, (size_t)nodes + 1);
    for (int e = 0; e < edges; e++) {
        int least = l->node[edge[e].from].layer + 1;
        has_input[edge[e].to] = true;
        if (l->node[edge[e].to].layer < least) l->node[edge[e].to].layer = least;
    }
    for (int i = nodes; i-- > 0;) {     /* sources move down to where they are used first */
        int lowest = 1 << 30;
        if (has_input[i]) continue;
        for (int e = 0; e < edges; e++)
            if (edge[e].from == i && l->node[edge[e].to].layer < lowest)
                lowest = l->node[edge[e].to].layer;
        if (lowest < 1 << 30) l->node[i].layer = lowest - 1;
    }
    for (int i = 0; i < nodes; i++)
        if (l->node[i].layer + 1 > l->layers) l->layers = l->node[i].layer + 1;
}

static void add_bends(Layout *l, int nodes, int edges, const LayoutEdge *edge) {
    l->count = nodes;
    for (int e = 0; e < edges; e++) {
        int at = edge[e].from, last = l->node[edge[e].to].layer;
        for (int layer = l->node[at].layer + 1; layer < last; layer++) {
            int bend = l->count++;
            l->node[bend] = (LayoutNode){ layer, 0, 1, e };
            l->segment[l->segments++] = (Segment){ at, bend, e };
            at = bend;
        }
        l->segment[l->segments++] = (Segment){ at, edge[e].to, e };
    }
}

static int bends_of(const Layout *l, int edges, const LayoutEdge *edge) {
    int bends = 0;
    for (int e = 0; e < edges; e++)
        bends += l->node[edge[e].to].layer - l->node[edge[e].from].layer - 1;
    return bends;
}

/* ---- neighbours: who is joined to a node, above or below ---- */

typedef struct Neighbours { int *start, *node; } Neighbours;

static Neighbours neighbours(const Layout *l, bool below) {
    Neighbours n = { pool_bytes(((size_t)l->count + 2) * sizeof(int)),
                     pool_bytes(((size_t)l->segments + 1) * sizeof(int)) };
    memset(n.start, 0, ((size_t)l->count + 2) * sizeof(int));
    for (int s = 0; s < l->segments; s++)
        n.start[(below ? l->segment[s].from : l->segment[s].to) + 2]++;
    for (int i = 2; i <= l->count + 1; i++) n.start[i] += n.start[i - 1];
    for (int s = 0; s < l->segments; s++) {
        int self = below ? l->segment[s].from : l->segment[s].to;
        n.node[n.start[self + 1]++] = below ? l->segment[s].to : l->segment[s].from;
    }
    return n;
}

/* ---- order ---- */

typedef struct Ranked { double rank; int node, before; } Ranked;

static int by_rank(const void *a, const void *b) {
    const Ranked *x = a, *y = b;
    if (x->rank != y->rank) return x->rank < y->rank ? -1 : 1;
    return x->before - y->before;
}

static double mean_place(const Neighbours *n, const int *place, int node, double otherwise) {
    int from = n->start[node], to = n->start[node + 1];
    double sum = 0;
    for (int i = from; i < to; i++) sum += place[n->node[i]];
    return to > from ? sum / (to - from) : otherwise;
}

static void order_layer(Layout *l, int layer, const Neighbours *n, int *place, Ranked *scratch) {
    int first = l->layer_start[layer], count = l->layer_start[layer + 1] - first;
    for (int i = 0; i < count; i++) {
        int node = l->order[first + i];
        scratch[i] = (Ranked){ mean_place(n, place, node, place[node]), node, i };
    }
    qsort(scratch, (size_t)count, sizeof *scratch, by_rank);
    for (int i = 0; i < count; i++) {
        l->order[first + i] = scratch[i].node;
        place[scratch[i].node] = i;
    }
}

static void fill_layers(Layout *l) {
    l->layer_start = memset(pool_bytes(((size_t)l->layers + 2) * sizeof(int)), 0,
                            ((size_t)l->layers + 2) * sizeof(int));
    l->order = pool_bytes(((size_t)l->count + 1) * sizeof(int));
    for (int i = 0; i < l->count; i++) l->layer_start[l->node[i].layer + 2]++;
    for (int i = 2; i <= l->layers + 1; i++) l->layer_start[i] += l->layer_start[i - 1];
    for (int i = 0; i < l->count; i++) l->order[l->layer_start[l->node[i].layer + 1]++] = i;
}

static void find_order(Layout *l, const Neighbours *above, const Neighbours *below) {
    int *place = pool_bytes(((size_t)l->count + 1) * sizeof *place);
    Ranked *scratch = pool_bytes(((size_t)l->count + 1) * sizeof *scratch);
    for (int layer = 0; layer < l->layers; layer++)
        for (int i = l->layer_start[layer]; i < l->layer_start[layer + 1]; i++)
            place[l->order[i]] = i - l->layer_start[layer];
    for (int round = 0; round < ORDER_ROUNDS; round++) {
        for (int layer = 1; layer < l->layers; layer++)
            order_layer(l, layer, above, place, scratch);
        for (int layer = l->layers - 1; layer-- > 0;) order_layer(l, layer, below, place, scratch);
    }
    for (int layer = 1; layer < l->layers; layer++) order_layer(l, layer, above, place, scratch);
}

/* ---- places ---- */

static double wanted_middle(const Layout *l, const Neighbours *n, int node, double otherwise) {
    int from = n->start[node], to = n->start[node + 1];
    double sum = 0;
    for (int i = from; i < to; i++) sum += layout_middle(&l->node[n->node[i]]);
    return to > from ? sum / (to - from) : otherwise;
}

/* Each node goes towards where it wants to be; those that would overlap share the push, in runs:
 * the mean of what they want, as in isotonic regression (pool adjacent violators). */
static void place_layer(Layout *l, int layer, const Neighbours *n, int gap) {
    int first = l->layer_start[layer], count = l->layer_start[layer + 1] - first;
    double *want = pool_bytes(((size_t)count + 1) * sizeof *want),
           *mean = pool_bytes(((size_t)count + 1) * sizeof *mean);
    int *size = pool_bytes(((size_t)count + 1) * sizeof *size), runs = 0, offset = 0;
    for (int i = 0; i < count; i++) {
        LayoutNode *node = &l->node[l->order[first + i]];
        want[i] = wanted_middle(l, n, l->order[first + i], layout_middle(node)) - node->width / 2 -
                  offset;
        offset += node->width + gap;
        mean[runs] = want[i];
        size[runs++] = 1;
        while (runs > 1 && mean[runs - 2] > mean[runs - 1]) {
            double sum = mean[runs - 2] * size[runs - 2] + mean[runs - 1] * size[runs - 1];
            size[runs - 2] += size[runs - 1];
            mean[runs - 2] = sum / size[runs - 2];
            runs--;
        }
    }
    for (int i = 0, run = 0, in_run = 0, passed = 0; i < count; i++) {
        LayoutNode *node = &l->node[l->order[first + i]];
        node->x = (int)(mean[run] + (mean[run] < 0 ? -0.5 : 0.5)) + passed;
        passed += node->width + gap;
        if (++in_run == size[run]) run++, in_run = 0;
    }
}

static void find_places(Layout *l, const Neighbours *above, const Neighbours *below, int gap) {
    size_t mark = pool_mark();
    for (int layer = 0; layer < l->layers; layer++)
        for (int i = l->layer_start[layer], x = 0; i < l->layer_start[layer + 1]; i++) {
            l->node[l->order[i]].x = x;
            x += l->node[l->order[i]].width + gap;
        }
    for (int round = 0; round < PLACE_ROUNDS; round++) {
        for (int layer = 1; layer < l->layers; layer++) place_layer(l, layer, above, gap);
        for (int layer = l->layers - 1; layer-- > 0;) place_layer(l, layer, below, gap);
        pool_unwind(mark);
    }
    for (int layer = 1; layer < l->layers; layer++) place_layer(l, layer, above, gap);
    int left = l->count ? l->node[0].x : 0;
    for (int i = 0; i < l->count; i++) if (l->node[i].x < left) left = l->node[i].x;
    for (int i = 0; i < l->count; i++) {
        l->node[i].x -= left;
        if (l->node[i].x + l->node[i].width > l->width) l->width = l->node[i].x + l->node[i].width;
    }
    pool_unwind(mark);
}

Layout *graph_layout(int nodes, const int *width, int edges, const LayoutEdge *edge, int gap) {
    Layout *l = memset(pool_bytes(sizeof *l), 0, sizeof *l);
    l->node = pool_bytes(((size_t)nodes + 1) * sizeof *l->node);
    for (int i = 0; i < nodes; i++) l->node[i] = (LayoutNode){ 0, 0, width[i], -1 };
    find_layers(l, nodes, edges, edge);
    int bends = bends_of(l, edges, edge);
    LayoutNode *all = pool_bytes(((size_t)nodes + (size_t)bends + 1) * sizeof *all);
    memcpy(all, l->node, (size_t)nodes * sizeof *all);
    l->node = all;
    l->segment = pool_bytes(((size_t)edges + (size_t)bends + 1) * sizeof *l->segment);
    add_bends(l, nodes, edges, edge);
    fill_layers(l);
    Neighbours above = neighbours(l, false), below = neighbours(l, true);
    find_order(l, &above, &below);
    find_places(l, &above, &below, gap);
    return l;
}
