/* Who uses a value. See uses.h: counted, then placed. */
#include "uses.h"
#include "text.h"
#include <string.h>

int64_t uses_node(const Wengert *w, Input input) {
    if (input.kind == FROM_STEP) return input.at;
    return input.kind == FROM_LEAF ? (int64_t)w->count + input.at : -1;
}

/* Calls use() for each node that a step uses, once. */
typedef void Use(Uses *u, uint32_t node, uint32_t step);

static void for_uses(Uses *u, uint32_t *seen, Use *use) {
    const Wengert *w = u->w;
    memset(seen, 0, ((size_t)w->count + w->leaves) * sizeof *seen);
    for (uint32_t step = 0; step < w->count; step++) {
        const int32_t *code = &w->input[w->step[step].first];
        for (int k = 0; k < w->step[step].inputs; k++) {
            int64_t node = code[k] >= 0 ? code[k] : uses_node(w, wengert_input(w, step, k));
            if (node < 0 || seen[node] == step + 1) continue;
            seen[node] = step + 1;
            use(u, (uint32_t)node, step);
        }
    }
}

static void count_use(Uses *u, uint32_t node, uint32_t step) {
    (void)step;
    u->start[node + 2]++;
}
static void place_use(Uses *u, uint32_t node, uint32_t step) {
    u->step[u->start[node + 1]++] = step;
}

/* Counted one place too far to the right: placing moves each start to the next node's. */
Uses uses_of(const Wengert *w) {
    size_t nodes = (size_t)w->count + w->leaves;
    Uses u = { w, pool_bytes((nodes + 2) * sizeof(uint32_t)),
               pool_bytes((w->inputs + 1) * sizeof(uint32_t)) };
    uint32_t *seen = pool_bytes((nodes + 1) * sizeof *seen);
    memset(u.start, 0, (nodes + 2) * sizeof(uint32_t));
    for_uses(&u, seen, count_use);
    for (size_t node = 0; node < nodes; node++) u.start[node + 2] += u.start[node + 1];
    for_uses(&u, seen, place_use);
    return u;
}

uint32_t uses_count(const Uses *u, uint32_t node) { return u->start[node + 1] - u->start[node]; }

uint32_t uses_below(const Uses *u, uint32_t node, uint32_t step) {
    uint32_t below = 0;
    for (uint32_t i = u->start[node]; i < u->start[node + 1] && u->step[i] < step; i++) below++;
    return below;
}

const char *uses_text(const Uses *u, uint32_t node, uint32_t count) {
    enum { MOST = 5 };
    Buffer b = { 0 };
    const uint32_t *step = &u->step[u->start[node]];
    for (uint32_t i = 0; i < count; i++) {
        if (i) buffer_text(&b, i + 1 == count || i + 1 == MOST ? " and " : ", ");
        if (i + 1 == MOST && count > MOST) {
            buffer_format(&b, "%u more", count - i);
            break;
        }
        buffer_text(&b, wengert_step_label(u->w, step[i]));
    }
    return b.bytes ? buffer_string(&b).as.string->text : "";
}
