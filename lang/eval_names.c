/* Names whose variable is unset. The one idea: such a name means the library's function, and where
 * there is none the error says what else may have been meant: a name nearby, one of another
 * language, a module's, or the same name before the line that assigns it. */
#include "eval.h"
#include "foreign.h"
#include "diag.h"
#include <string.h>

typedef struct Candidates { const char **name; size_t count, capacity; } Candidates;

static void add_candidate(Candidates *c, String *name) {
    if (c->count == c->capacity) {
        const char **old = c->name;
        c->capacity = c->capacity ? 2 * c->capacity : 256;
        c->name = pool_bytes(c->capacity * sizeof *c->name);
        if (c->count) memcpy(c->name, old, c->count * sizeof *old);
    }
    c->name[c->count++] = name->text;
}

static void add_library_name(String *name, Value v, void *env) {
    (void)v;
    add_candidate(env, name);
}

void hint_nearest(String *name, Frame *frame) {
    Candidates c = { 0 };
    const char *foreign = foreign_word(name->text);
    const char *module = foreign ? NULL : module_with(name->text);
    if (foreign || module) {
        if (foreign) hint("%s", foreign);
        else
            hint("the module %s has it: import %s; %s.%s(...)", module, module, module,
                 name->text);
        return;
    }
    if (frame->fn) {
        for (uint32_t i = 0; i < frame->fn->local_count; i++) {
            if (frame->variables[S_LOCAL][i].tag != V_UNSET)
                add_candidate(&c, frame->fn->local_names[i]);
        }
        for (uint32_t i = 0; i < frame->fn->cell_count; i++) {
            if (frame->cells[i]->value.tag != V_UNSET) add_candidate(&c, frame->fn->cell_names[i]);
        }
    }
    for (size_t i = 0; i < frame->module->names.count; i++) {
        if (frame->module->globals[i].tag != V_UNSET)
            add_candidate(&c, frame->module->names.name[i]);
    }
    library_each(add_library_name, &c);
    const char *nearest = nearest_name(name->text, c.count, c.name);
    if (!nearest) foreign = foreign_near(name->text);
    if (nearest) hint("did you mean `%s`?", nearest);
    else if (foreign) hint("%s", foreign);
}

/* Where the function or module assigns the name first; 0 if it does not. */
static Span assigned_at(Ast *name, Frame *frame) {
    switch ((Scope)name->scope) {
    case S_LOCAL: return frame->fn ? frame->fn->local_assigned[name->slot] : 0;
    case S_CELL: return frame->fn->cell_assigned[name->slot];
    case S_GLOBAL: return frame->module->names.assigned[name->slot];
    }
    return 0;
}

/* Some variable or library entry outside this function has the name. */
static bool known_outside(String *name, Frame *frame) {
    Value *global = module_global(frame->module, name);
    return (global && global->tag != V_UNSET) || library_find(name);
}

static _Noreturn void fail_unset(Ast *name, Frame *frame) {
    const char *text = name->name->text;
    Span assigned = assigned_at(name, frame);
    rt.here = name->span;
    if (name->scope != S_GLOBAL && assigned) {
        uint32_t line = place_of(assigned).line;
        if (known_outside(name->name, frame)) {
            hint("line %u assigns `%s`, which makes it local in the whole function: pass it in as "
                 "a parameter, and return it",
                 line, text);
        } else {
            hint("assign `%s` before this line, or pass it in as a parameter", text);
        }
        fail(E_NAME, "`%s` is read before line %u assigns it", text, line);
    }
    if (assigned) {
        hint("line %u assigns it, but that has not run yet", place_of(assigned).line);
    } else {
        hint_nearest(name->name, frame);
    }
    fail(E_NAME, "there is no variable or function `%s`", text);
}

/* A global that is not set means the library's. Its place never moves, so the node remembers it. */
Value library_or_fail(Ast *name, Frame *frame) {
    if (name->scope == S_GLOBAL) {
        if (!name->cache) name->cache = library_find(name->name);
        if (name->cache) return *(Value *)name->cache;
    }
    fail_unset(name, frame);
}
