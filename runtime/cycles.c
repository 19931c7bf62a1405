/* Collecting cycles: closures that hold each other through the variables they captured.
 *
 * The one idea is trial deletion: of all objects that cells lead to, those with more references
 * than come from among themselves are held from outside, and so is what they lead to. The cells
 * left over hold only each other; emptying them lets counting do the rest. What a function holds
 * without showing it to visit() counts as held from outside, which is safe. */
#include "value.h"

typedef struct Found { Obj *obj; uint32_t inner; bool live; } Found;
typedef struct Collection {
    Found *found;               /* in the order they were found: also the queue of the walk */
    size_t count, capacity;
    uint32_t *index;            /* by address, 1 + place in found */
    size_t index_capacity;      /* a power of two */
    size_t *queue;              /* of live ones */
    size_t queued, queue_capacity;
} Collection;

static uint32_t *index_place(const Collection *c, const Obj *obj) {
    size_t mask = c->index_capacity - 1, at = address_hash(obj) & mask;
    while (c->index[at] && c->found[c->index[at] - 1].obj != obj) at = (at + 1) & mask;
    return &c->index[at];
}

static void index_grow(Collection *c) {
    size_t capacity = c->index_capacity ? c->index_capacity * 2 : 4096;
    uint32_t *index = mem_alloc_zeroed(capacity * sizeof *index);
    mem_free(c->index, c->index_capacity * sizeof *index);
    c->index = index;
    c->index_capacity = capacity;
    for (size_t i = 0; i < c->count; i++) *index_place(c, c->found[i].obj) = (uint32_t)i + 1;
}

static Found *find(Collection *c, Obj *obj) {
    if (c->count * 2 >= c->index_capacity) index_grow(c);
    uint32_t *place = index_place(c, obj);
    if (!*place) {
        c->found = mem_grow(c->found, &c->capacity, c->count + 1, sizeof *c->found);
        c->found[c->count++] = (Found){ obj, 0, false };
        *place = (uint32_t)c->count;
    }
    return &c->found[*place - 1];
}

static void each_child(Obj *obj, void (*each)(Value v, void *env), void *env) {
    if (obj->tag == V_CELL) {
        each(((Cell *)obj)->value, env);
    } else if (obj->tag == V_LIST) {
        List *list = (List *)obj;
        for (size_t i = 0; i < list->count; i++) each(list->item[i], env);
    } else if (obj->tag == V_STRUCT) {
        Struct *record = (Struct *)obj;
        for (size_t i = 0; i < record->count; i++) each(record->field[i].value, env);
    } else if (obj->tag == V_FUNCTION) {
        Function *function = (Function *)obj;
        if (function->visit) function->visit(function, each, env);
    }
}

static bool has_children(Value v) {
    return v.tag == V_CELL || v.tag == V_LIST || v.tag == V_STRUCT || v.tag == V_FUNCTION;
}

static void count_inner(Value v, void *env) {
    if (has_children(v)) find(env, v.as.obj)->inner++;
}

static void mark_live(Collection *c, Found *found) {
    if (found->live) return;
    found->live = true;
    c->queue = mem_grow(c->queue, &c->queue_capacity, c->queued + 1, sizeof *c->queue);
    c->queue[c->queued++] = (size_t)(found - c->found);
}

static void mark_live_child(Value v, void *env) {
    if (has_children(v)) mark_live(env, find(env, v.as.obj));
}

static void find_live(void *env) {
    Collection *c = env;
    for (Cell *cell = rt.cells; cell; cell = cell->next) find(c, &cell->head);
    for (size_t i = 0; i < c->count; i++) each_child(c->found[i].obj, count_inner, c);
    for (size_t i = 0; i < c->count; i++)
        if (c->found[i].obj->refs > c->found[i].inner) mark_live(c, &c->found[i]);
    while (c->queued) each_child(c->found[c->queue[--c->queued]].obj, mark_live_child, c);
}

static void empty_dead_cells(Collection *c) {
    size_t cells = 0;
    for (size_t i = 0; i < c->count; i++)
        if (!c->found[i].live && c->found[i].obj->tag == V_CELL) {
            c->found[cells++] = c->found[i];
            obj_keep(c->found[i].obj);
        }
    for (size_t i = 0; i < cells; i++) value_store(&((Cell *)c->found[i].obj)->value, NIL);
    for (size_t i = 0; i < cells; i++) obj_drop(c->found[i].obj);
}

void cells_collect(void) {
    Collection c = { 0 };
    Error noted = rt.pending;   /* without memory for the tables: no collection, and no error */
    if (guard(find_live, &c, NULL)) empty_dead_cells(&c);
    rt.pending = noted;
    mem_free(c.found, c.capacity * sizeof *c.found);
    mem_free(c.index, c.index_capacity * sizeof *c.index);
    mem_free(c.queue, c.queue_capacity * sizeof *c.queue);
    rt.cell_limit = rt.cell_count * 2 > CELLS_START ? rt.cell_count * 2 : CELLS_START;
}
