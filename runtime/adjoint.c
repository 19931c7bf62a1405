/* The adjoints of a running sweep: blocks of them, and adding a contribution to what has arrived
 * before (adjoint.h has the picture and the short ways). */
#include <string.h>
#include "slices.h"

/* ---- blocks ---- */
static size_t block_bytes(const Sweep *s) {
    return sizeof(Block) + CHUNK * (s->recorded ? sizeof(Value) : sizeof(Operand));
}

Block *open_block(Sweep *s, Chunk *c) {
    Block *b = mem_alloc(block_bytes(s));
    b->used = c->used;      /* what is recorded while the sweep runs is not its own */
    if (s->recorded) for (uint32_t i = 0; i < b->used; i++) values_of(b)[i] = UNSET;
    else memset(b->number, 0xff, b->used * sizeof(Operand));
    b->chunk = c;
    b->hidden = c->block;
    b->hidden_owner = c->owner;
    b->previous = NULL;
    b->next = s->open;
    if (s->open) s->open->previous = b;
    s->open = b;
    c->block = b;
    c->owner = s->id;
    return b;
}

void note_passed(Sweep *s, Chunk *c) {
    if (s->passed_count && s->passed[s->passed_count - 1] == c) return;
    s->passed = mem_grow(s->passed, &s->passed_capacity, s->passed_count + 1, sizeof *s->passed);
    s->passed[s->passed_count++] = c;
}

void close_block(Sweep *s, Block *b, uint32_t count) {
    Chunk *c = b->chunk;
    bool objects = s->recorded || c->objects;
    for (uint32_t i = 0; objects && i < b->used && i < c->used && i < count; i++) {
        if (s->recorded) {
            Value v = values_of(b)[i];
            if (v.tag != V_UNSET) value_drop(v);
        } else if (b->number[i].bits != NOT_REACHED) {
            if (adjoint_is_object(&c->node[i])) obj_drop(b->number[i].obj);
        }
    }
    c->block = b->hidden;
    c->owner = b->hidden_owner;
    *(b->previous ? &b->previous->next : &s->open) = b->next;
    if (b->next) b->next->previous = b->previous;
    mem_free(b, block_bytes(s));
}

static Block *block_of(Sweep *s, uint32_t id) {
    Chunk *c = chunk_of(id);
    return c->owner == s->id ? c->block : open_block(s, c);
}

/* ---- adding up ---- */
/* a + b where b may be added in place: a is only in its place, nobody else's. */
static Value add_adjoint(Value a, Value b) {
    if (a.tag == V_LIST) {          /* of several results: nil where nothing came */
        Value sum = list_new(a.as.list->count);
        for (size_t i = 0; i < a.as.list->count; i++) {
            Value p = a.as.list->item[i], q = b.as.list->item[i];
            list_set(sum, i, p.tag == V_NIL ? q : q.tag == V_NIL ? p : op_add(p, q));
        }
        return sum;
    }
    bool sole = !a.node && !b.node && a.tag == V_ARRAY && array_is_sole(a.as.array, 1);
    return apply2_reusing(OP_add, a, b, sole ? REUSE_X : 0);
}

static void add_to_leaf(Sweep *s, uint32_t id, Value g) {
    int64_t at = idmap_get(&s->leaf_index, id);
    if (at < 0) {
        if (!s->tape_mode) return;  /* not a target */
        s->leaf_adjoint = mem_grow(s->leaf_adjoint, &s->leaf_capacity, s->leaves + 1,
                                   sizeof *s->leaf_adjoint);
        s->leaf_id = mem_grow(s->leaf_id, &s->leaf_id_capacity, s->leaves + 1, sizeof *s->leaf_id);
        at = (int64_t)s->leaves;
        idmap_put(&s->leaf_index, id, (uint32_t)at);
        s->leaf_adjoint[at] = UNSET;
        s->leaf_id[at] = id;
        s->leaves++;
    }
    slices_settle(s, id);
    Value *place = &s->leaf_adjoint[at];
    s->last_leaf = 0;
    replace(place, place->tag == V_UNSET ? g : add_adjoint(*place, g));
}

void add_number_slow(Sweep *s, uint32_t id, double g) {
    if (id >= LEAF) {
        int64_t at = idmap_get(&s->leaf_index, id);
        if (at >= 0 && s->leaf_adjoint[at].tag == V_NUM) {
            s->leaf_adjoint[at].as.num += g;
            s->last_leaf = id;
            s->last_leaf_at = at;
        } else add_to_leaf(s, id, number(g));
        return;
    }
    Chunk *c = chunk_of(id);
    if (c->base + c->used <= s->low && below(s, id)) return;
    open_block(s, c)->number[id & CHUNK_MASK].num = g;
}

void add_value(Sweep *s, uint32_t id, Value g) {
    if (__builtin_expect(s->look != NULL, 0) && s->look->sent)
        s->look->sent(s->look->env, s->at, id, g);
    if (id >= LEAF) {
        add_to_leaf(s, id, g);
        return;
    }
    if (below(s, id)) return;
    slices_settle(s, id);
    Block *b = block_of(s, id);
    uint32_t offset = id & CHUNK_MASK;
    const Node *n = &b->chunk->node[offset];
    Value old = adjoint_at(s, b, n, offset);
    Value sum = old.tag == V_UNSET ? g : add_adjoint(old, g);
    if (s->recorded) {
        replace(&values_of(b)[offset], sum);
    } else if (adjoint_is_object(n)) {
        value_keep(sum);
        if (old.tag != V_UNSET) value_drop(old);
        b->number[offset].obj = sum.as.obj;
    } else {
        b->number[offset].num = num_of(sum);
    }
}

Array *sole_adjoint(Sweep *s, uint32_t id) {
    Value v = UNSET;
    slices_settle(s, id);
    if (id >= LEAF) {
        int64_t at = idmap_get(&s->leaf_index, id);
        if (at >= 0) v = s->leaf_adjoint[at];
    } else if (chunk_of(id)->owner == s->id) {
        v = adjoint_at(s, chunk_of(id)->block, node_at(id), id & CHUNK_MASK);
    }
    return v.tag == V_ARRAY && !v.node && array_is_sole(v.as.array, 1) ? v.as.array : NULL;
}
