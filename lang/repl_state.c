/* Variables as they were. The one idea: values never change while somebody else holds them, so to
 * remember all variables is to hold their values; a statement that writes into one makes its own
 * copy first.
 *
 * Remembered are the variables of every module, captured variables, and the gradients in the slots
 * of leaves. What a sweep left at recorded values that are no leaves is not. */
#include "repl_parts.h"

typedef struct VariableBefore { Value *place, before; } VariableBefore;
typedef struct CellBefore { Cell *cell; Value before; } CellBefore;
typedef struct LeafBefore { uint32_t slot; uint64_t sweep; Value gradient; } LeafBefore;
typedef struct ModuleBefore { Module *module; size_t set_up; bool running; } ModuleBefore;

struct State {
    VariableBefore *place;
    CellBefore *cell;
    LeafBefore *leaf;
    ModuleBefore *module;
    size_t places, cells, leaves, modules;
};

static void count_all(State *s) {
    for (Module *module = interp.modules; module; module = module->next) {
        s->places += module->set_up;
        s->modules++;
    }
    for (Cell *cell = rt.cells; cell; cell = cell->next) s->cells++;
    for (size_t i = 0; i < rt.tape->leaves; i++) s->leaves += rt.tape->leaf[i].used;
}

static void hold_modules(State *s) {
    for (Module *module = interp.modules; module; module = module->next) {
        s->module[s->modules++] = (ModuleBefore){ module, module->set_up, module->running };
        for (size_t i = 0; i < module->set_up; i++)
            s->place[s->places++] =
                (VariableBefore){ &module->globals[i], value_hold(module->globals[i]) };
    }
}

static void hold_cells(State *s) {
    for (Cell *cell = rt.cells; cell; cell = cell->next) {
        obj_keep(cell);
        s->cell[s->cells++] = (CellBefore){ cell, value_hold(cell->value) };
    }
}

static void hold_leaves(State *s) {
    for (size_t i = 0; i < rt.tape->leaves; i++) {
        Leaf *leaf = &rt.tape->leaf[i];
        if (leaf->used)
            s->leaf[s->leaves++] =
                (LeafBefore){ (uint32_t)i, leaf->sweep, value_hold(leaf->gradient) };
    }
}

static void *room(size_t count, size_t size) { return mem_alloc((count + 1) * size); }

/* Variables hold their leaves, so a leaf that is remembered is still the same one when it is given
 * back. */
State *state_take(void) {
    State *s = mem_alloc_zeroed(sizeof *s), count = { 0 };
    count_all(&count);
    s->place = room(count.places, sizeof *s->place);
    s->cell = room(count.cells, sizeof *s->cell);
    s->leaf = room(count.leaves, sizeof *s->leaf);
    s->module = room(count.modules, sizeof *s->module);
    hold_modules(s);
    hold_cells(s);
    hold_leaves(s);
    return s;
}

static const ModuleBefore *module_before(const State *s, const Module *module) {
    for (size_t i = 0; i < s->modules; i++)
        if (s->module[i].module == module) return &s->module[i];
    return NULL;
}

/* A variable that is new was unset; a module that was being imported is not running any more. */
static void unset_new(const State *s) {
    for (Module *module = interp.modules; module; module = module->next) {
        const ModuleBefore *before = module_before(s, module);
        for (size_t i = before ? before->set_up : 0; i < module->set_up; i++)
            value_store(&module->globals[i], UNSET);
        module->running = before && before->running;
    }
}

void state_restore(const State *s) {
    unset_new(s);
    for (size_t i = 0; i < s->places; i++) value_store(s->place[i].place, s->place[i].before);
    for (size_t i = 0; i < s->cells; i++) value_store(&s->cell[i].cell->value, s->cell[i].before);
    for (size_t i = 0; i < s->leaves; i++) {
        Leaf *leaf = &rt.tape->leaf[s->leaf[i].slot];
        if (!leaf->used) continue;
        value_store(&leaf->gradient, s->leaf[i].gradient);
        leaf->sweep = s->leaf[i].sweep;
    }
}

void state_forget(State *s) {
    for (size_t i = 0; i < s->places; i++) value_release(s->place[i].before);
    for (size_t i = 0; i < s->cells; i++) {
        value_release(s->cell[i].before);
        obj_drop(s->cell[i].cell);
    }
    for (size_t i = 0; i < s->leaves; i++) value_release(s->leaf[i].gradient);
    mem_free(s->place, (s->places + 1) * sizeof *s->place);
    mem_free(s->cell, (s->cells + 1) * sizeof *s->cell);
    mem_free(s->leaf, (s->leaves + 1) * sizeof *s->leaf);
    mem_free(s->module, (s->modules + 1) * sizeof *s->module);
    mem_free(s, sizeof *s);
}
