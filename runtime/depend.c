/* One pass upwards: a node depends on what its inputs depend on. */
#include <string.h>
#include "depend.h"

/* A leaf, or a node below the range, is something else; it may be a target too. */
static uint8_t input_bits(const Dependence *d, uint32_t id, const IdMap *targets) {
    if (!id) return 0;
    if (id < LEAF && position_of(id) >= d->low) return d->bits[position_of(id) - d->low];
    return idmap_get(targets, id) >= 0 ? DEPENDS_ON_TARGET | DEPENDS_ON_OTHER : DEPENDS_ON_OTHER;
}

static uint8_t node_bits(const Dependence *d, const Node *n, const IdMap *targets) {
    if (!has_extra(n)) return input_bits(d, n->a, targets) | input_bits(d, n->b, targets);
    uint8_t bits = 0;
    for (int i = 0; i < n->x.extra->count; i++)
        bits |= input_bits(d, n->x.extra->in[i].node, targets);
    return bits;
}

Dependence depend_mark(uint64_t low, uint64_t high, const IdMap *targets) {
    Dependence d = { low, high, NULL };
    d.bits = memset(pool_bytes(high - low + 1), 0, high - low + 1);
    Chunk *c = rt.tape->top;
    while (c->previous && c->base > low) c = c->previous;
    for (; c && c->base <= high; c = c->next) {
        for (uint32_t i = 0; i < c->used && c->base + i <= high; i++) {
            uint64_t position = c->base + i;
            const Node *n = &c->node[i];
            if (position < low || n->head & N_SWEPT || position == 0) continue;
            uint8_t bits = node_bits(&d, n, targets);
            if (n->head & N_TARGET && idmap_get(targets, c->slot << CHUNK_SHIFT | i) >= 0)
                bits |= DEPENDS_ON_TARGET;
            d.bits[position - low] = bits;
        }
    }
    return d;
}
