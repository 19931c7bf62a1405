/* Names to slots. The one idea: walk a function once to learn which names it assigns and once to
 * look names up; only when both are done, and so are the functions inside it, is it known which of
 * its variables others capture, and then slots are given out and written into the nodes that wait
 * for them.
 *
 * Walks recurse into the right side of a node and loop down its left side, so that a sum of 20 000
 * terms costs no stack. It must not know how anything is evaluated, but for AST_PIN, which it
 * computes at the end. */
#include "parse.h"
#include <stdio.h>
#include <string.h>

/* ---- a map from symbols to numbers ---- */

typedef struct NameMap {
    String **name;
    uint32_t *number;
    size_t count, capacity;      /* a power of two */
} NameMap;

static size_t place_in_map(const NameMap *map, const String *name) {
    size_t i = ((uintptr_t)name >> 4) * 0x9E3779B97F4A7C15u >> 20;
    while (map->name[i & (map->capacity - 1)] && map->name[i & (map->capacity - 1)] != name) i++;
    return i & (map->capacity - 1);
}

static void map_put(NameMap *map, String *name, uint32_t number);

static void map_widen(NameMap *map) {
    NameMap wide = { .capacity = map->capacity ? map->capacity * 2 : 16 };
    wide.name = pool_bytes(wide.capacity * sizeof *wide.name);
    wide.number = pool_bytes(wide.capacity * sizeof *wide.number);
    memset(wide.name, 0, wide.capacity * sizeof *wide.name);
    for (size_t i = 0; i < map->capacity; i++)
        if (map->name[i]) map_put(&wide, map->name[i], map->number[i]);
    *map = wide;
}

static void map_put(NameMap *map, String *name, uint32_t number) {
    if (map->count * 4 >= map->capacity * 3) map_widen(map);
    size_t i = place_in_map(map, name);
    map->count += map->name[i] == NULL;
    map->name[i] = name;
    map->number[i] = number;
}

static bool map_find(const NameMap *map, const String *name, uint32_t *number) {
    if (!map->capacity) return false;
    size_t i = place_in_map(map, name);
    if (!map->name[i]) return false;
    *number = map->number[i];
    return true;
}

/* ---- scopes ---- */

typedef struct Variable {
    String *name;
    Span assigned;               /* the first assignment */
    uint32_t slot;               /* in the end: of a local or of a cell */
    uint32_t outer;              /* a captured one: which variable of the outer function */
    bool captured, shared;       /* from an outer function; by an inner one */
} Variable;

typedef struct FnScope FnScope;
struct FnScope {
    Fn *fn;
    FnScope *outer;
    NameMap names;
    NameMap farther;             /* variables of outer functions that own ones hide */
    Variable *variable;
    size_t count, capacity;
    Ast **waiting;               /* nodes whose slot is a variable's number until finish() */
    size_t waiting_count, waiting_capacity;
    Fn **inner;                  /* directly inside: their captured[] are variable numbers */
    size_t inner_count, inner_capacity;
};

typedef struct Resolver {
    Source *source;
    Names *globals;
    NameMap global_names;
    FnScope *scope;              /* NULL: the program itself */
    Ast *wrong;                  /* an A_ERROR */
} Resolver;

static void *widened(void *items, size_t count, size_t *capacity, size_t size) {
    if (count < *capacity) return items;
    size_t more = *capacity ? *capacity * 2 : 8;
    void *grown = pool_bytes(more * size);
    if (count) memcpy(grown, items, count * size);
    *capacity = more;
    return grown;
}

static uint32_t add_variable(FnScope *scope, NameMap *map, String *name, Span assigned) {
    scope->variable = widened(scope->variable, scope->count, &scope->capacity, sizeof(Variable));
    scope->variable[scope->count] = (Variable){ .name = name, .assigned = assigned };
    map_put(map, name, (uint32_t)scope->count);
    return (uint32_t)scope->count++;
}

/* ---- globals ---- */

static void widen_globals(Names *globals) {
    size_t old = globals->capacity, more = old ? old * 2 : 64;
    globals->name =
        mem_resize(globals->name, old * sizeof *globals->name, more * sizeof *globals->name);
    globals->assigned = mem_resize(globals->assigned, old * sizeof(Span), more * sizeof(Span));
    globals->capacity = more;
}

uint32_t names_add(Names *names, String *name) {
    if (names->count == names->capacity) widen_globals(names);
    names->name[names->count] = name;
    names->assigned[names->count] = 0;
    return (uint32_t)names->count++;
}

static uint32_t global_slot(Resolver *r, String *name) {
    uint32_t slot;
    if (map_find(&r->global_names, name, &slot)) return slot;
    slot = names_add(r->globals, name);
    map_put(&r->global_names, name, slot);
    return slot;
}

/* ---- the first walk: what does a function assign? ---- */

static void declare(Resolver *r, String *name, Span where) {
    uint32_t number;
    if (!r->scope) {
        number = global_slot(r, name);
        if (!r->globals->assigned[number]) r->globals->assigned[number] = where;
    } else if (!map_find(&r->scope->names, name, &number)) {
        add_variable(r->scope, &r->scope->names, name, where);
    }
}

static void declare_target(Resolver *r, const Ast *target) {
    if (target->kind == A_TARGETS) {
        for (uint32_t i = 0; i < target->count; i++) declare_target(r, target->kids[i]);
    } else if (ast_is_place(target)) {
        const Ast *root = ast_place_root(target);
        declare(r, root->name, root->span);
    }
}

static void declare_all(Resolver *r, const Ast *node) {
    for (; node; node = node->a) {
        switch (node->kind) {
        case A_ASSIGN: case A_FOR: declare_target(r, node->a); break;
        case A_ATTACH: declare_target(r, node->b); break;
        case A_FN: case A_IMPORT: case A_EXTERN_FN: case A_TRY:
            if (node->name) declare(r, node->name, node->span);
            break;
        default: break;
        }
        for (uint32_t i = 0; i < node->count; i++) declare_all(r, node->kids[i]);
        if (node->kind != A_ATTACH && node->kind != A_METHOD && node->kind != A_FIELD)
            declare_all(r, node->b);
        declare_all(r, node->c);
    }
}

/* ---- the second walk: what does each name mean? ---- */

static void wait_for_slot(FnScope *scope, Ast *node, uint32_t number) {
    scope->waiting =
        widened(scope->waiting, scope->waiting_count, &scope->waiting_capacity, sizeof(Ast *));
    scope->waiting[scope->waiting_count++] = node;
    node->scope = S_LOCAL;
    node->slot = number;
}

static bool capture_into(FnScope *scope, NameMap *map, String *name, uint32_t *number);

/* The variable of `scope` called `name`: its own, or one of a function around it, captured through
 * all between. */
static bool capture(FnScope *scope, String *name, uint32_t *number) {
    return scope && (map_find(&scope->names, name, number) ||
                     capture_into(scope, &scope->names, name, number));
}

static bool capture_into(FnScope *scope, NameMap *map, String *name, uint32_t *number) {
    uint32_t outer;
    if (map_find(map, name, number)) return true;
    if (!capture(scope->outer, name, &outer)) return false;
    scope->outer->variable[outer].shared = true;
    *number = add_variable(scope, map, name, scope->outer->variable[outer].assigned);
    scope->variable[*number].captured = true;
    scope->variable[*number].outer = outer;
    return true;
}

static void resolve_name(Resolver *r, Ast *node) {
    uint32_t number;
    if (capture(r->scope, node->name, &number)) {
        wait_for_slot(r->scope, node, number);
    } else {
        node->scope = S_GLOBAL;
        node->slot = global_slot(r, node->name);
    }
}

/* What stands behind a variable that may turn out to be no function: one of that name of an outer
 * function, and at last the global. */
static Ast *name_behind(Resolver *r, const Ast *node) {
    uint32_t number;
    Ast *behind = ast_new(r->source, A_NAME, node->span);
    behind->name = node->name;
    bool own = node->scope != S_GLOBAL && !r->scope->variable[node->slot].captured;
    if (own && capture_into(r->scope, &r->scope->farther, node->name, &number)) {
        wait_for_slot(r->scope, behind, number);
        behind->b = name_behind(r, behind);
    } else {
        behind->scope = S_GLOBAL;
        behind->slot = global_slot(r, node->name);
    }
    return behind;
}

static void resolve_method(Resolver *r, Ast *node) {
    resolve_name(r, node);
    node->b = node->scope == S_GLOBAL ? NULL : name_behind(r, node);
}

static void resolve_function(Resolver *r, Fn *fn);

static void resolve_node(Resolver *r, Ast *node) {
    switch (node->kind) {
    case A_NAME: resolve_name(r, node); break;
    case A_METHOD: case A_FIELD: resolve_method(r, node); break;
    case A_FN: case A_IMPORT: case A_EXTERN_FN: case A_TRY:
        if (node->name) resolve_name(r, node);
        break;
    case A_ERROR: r->wrong = node; break;
    default: break;
    }
    if (node->fn) resolve_function(r, node->fn);
}

static void resolve_all(Resolver *r, Ast *node) {
    for (; node; node = node->a) {
        resolve_node(r, node);
        for (uint32_t i = 0; i < node->count; i++) resolve_all(r, node->kids[i]);
        if (node->kind != A_METHOD && node->kind != A_FIELD && node->kind != A_ATTACH)
            resolve_all(r, node->b);
        resolve_all(r, node->c);
    }
}

/* ---- slots ---- */

/* Cells: first the captured variables, then its own that others capture. Locals: all others. */
static void number_variables(FnScope *scope) {
    Fn *fn = scope->fn;
    for (size_t i = 0; i < scope->count; i++)
        if (scope->variable[i].captured) scope->variable[i].slot = fn->captured_count++;
    fn->cell_count = fn->captured_count;
    for (size_t i = 0; i < scope->count; i++) {
        Variable *variable = &scope->variable[i];
        if (!variable->captured)
            variable->slot = variable->shared ? fn->cell_count++ : fn->local_count++;
    }
}

static uint8_t scope_of(const Variable *variable) {
    return variable->captured || variable->shared ? S_CELL : S_LOCAL;
}

static void name_slots(Resolver *r, FnScope *scope) {
    Fn *fn = scope->fn;
    fn->captured = arena_alloc(r->source, (fn->captured_count + 1) * sizeof *fn->captured);
    fn->local_names = arena_alloc(r->source, (fn->local_count + 1) * sizeof(String *));
    fn->local_assigned = arena_alloc(r->source, (fn->local_count + 1) * sizeof(Span));
    fn->cell_names = arena_alloc(r->source, (fn->cell_count + 1) * sizeof(String *));
    fn->cell_assigned = arena_alloc(r->source, (fn->cell_count + 1) * sizeof(Span));
    for (size_t i = 0; i < scope->count; i++) {
        const Variable *variable = &scope->variable[i];
        bool cell = scope_of(variable) == S_CELL;
        (cell ? fn->cell_names : fn->local_names)[variable->slot] = variable->name;
        (cell ? fn->cell_assigned : fn->local_assigned)[variable->slot] = variable->assigned;
        if (variable->captured) fn->captured[variable->slot] = variable->outer;
    }
}

static void finish(Resolver *r, FnScope *scope) {
    number_variables(scope);
    name_slots(r, scope);
    for (size_t i = 0; i < scope->waiting_count; i++) {
        const Variable *variable = &scope->variable[scope->waiting[i]->slot];
        scope->waiting[i]->scope = scope_of(variable);
        scope->waiting[i]->slot = variable->slot;
    }
    for (uint32_t i = 0; i < scope->fn->parameter_count; i++) {
        scope->fn->parameters[i].slot = scope->variable[i].slot;
        scope->fn->parameters[i].scope = scope_of(&scope->variable[i]);
    }
    for (size_t i = 0; i < scope->inner_count; i++) {
        Fn *inner = scope->inner[i];
        for (uint32_t j = 0; j < inner->captured_count; j++)
            inner->captured[j] = scope->variable[inner->captured[j]].slot;
    }
}

static void resolve_function(Resolver *r, Fn *fn) {
    FnScope scope = { .fn = fn, .outer = r->scope };
    fn->outer = scope.outer ? scope.outer->fn : NULL;
    fn->local_count = fn->cell_count = fn->captured_count = 0;
    r->scope = &scope;
    for (uint32_t i = 0; i < fn->parameter_count; i++)
        add_variable(&scope, &scope.names, fn->parameters[i].name, fn->parameters[i].span);
    for (uint32_t i = 0; i < fn->parameter_count; i++) {
        if (fn->parameters[i].pattern) declare_target(r, fn->parameters[i].pattern);
        declare_all(r, fn->parameters[i].default_value);
    }
    declare_all(r, fn->body);
    for (uint32_t i = 0; i < fn->parameter_count; i++) {
        resolve_all(r, fn->parameters[i].default_value);
        resolve_all(r, fn->parameters[i].pattern);
    }
    resolve_all(r, fn->body);
    finish(r, &scope);
    r->scope = scope.outer;
    if (!r->scope) return;
    r->scope->inner =
        widened(r->scope->inner, r->scope->inner_count, &r->scope->inner_capacity, sizeof(Fn *));
    r->scope->inner[r->scope->inner_count++] = fn;
}

/* ---- pins ----
 * `x + if c { x = 2; 1 } else { 0 }`: the value of x was read, borrowed, before x is assigned. An
 * expression with such a block inside keeps what it reads. */

static void pin_statements(Ast *node);
static void pin_expression(Ast *node);

static bool is_block_form(const Ast *node) {
    return node->kind == A_IF || node->kind == A_TRY || node->kind == A_RECORD ||
           node->kind == A_PAUSE || node->kind == A_BLOCK;
}

/* Visits the nodes of an expression, the insides of its functions left out; stops when `each` says
 * so. */
static bool any_node(Ast *node, bool (*each)(Ast *node, void *env), void *env) {
    for (; node; node = node->a) {
        if (each(node, env)) return true;
        for (uint32_t i = 0; i < node->count; i++)
            if (any_node(node->kids[i], each, env)) return true;
        bool other = node->kind == A_METHOD || node->kind == A_FIELD || node->kind == A_ATTACH;
        if (!other && any_node(node->b, each, env)) return true;
        if (any_node(node->c, each, env)) return true;
    }
    return false;
}

static bool is_assigning(Ast *node, void *env) {
    (void)env;
    return node->kind == A_ASSIGN || node->kind == A_FOR || node->kind == A_ATTACH ||
           node->kind == A_FN || node->kind == A_IMPORT || node->kind == A_EXTERN_FN ||
           (node->kind == A_TRY && node->name);
}

static bool has_assigning_block(Ast *node, void *env) {
    return node->kind == A_ATTACH || (is_block_form(node) && any_node(node, is_assigning, env));
}

/* Functions inside an expression have statements of their own. */
static bool pin_function(Ast *node, void *env) {
    (void)env;
    if (!node->fn) return false;
    for (uint32_t i = 0; i < node->fn->parameter_count; i++)
        pin_expression(node->fn->parameters[i].default_value);
    pin_statements(node->fn->body);
    return false;
}

static bool pin_name(Ast *node, void *env) {
    (void)env;
    if (node->kind == A_NAME) node->flags |= AST_PIN;
    return false;
}

static void pin_expression(Ast *node) {
    if (!node) return;
    any_node(node, pin_function, NULL);
    if (any_node(node, has_assigning_block, NULL)) any_node(node, pin_name, NULL);
}

/* A value that is wholly a block, as in `y = if c { ... }`, is a list of statements. */
static void pin_value(Ast *node) {
    if (node && is_block_form(node)) pin_statements(node);
    else pin_expression(node);
}

static void pin_assignment(Ast *node) {
    bool simple = !node->op && node->a->kind == A_NAME;
    if (simple) pin_value(node->b);
    else pin_expression(node);
}

/* `node` is a statement, a block, or the body of a function. */
static void pin_statements(Ast *node) {
    switch (node->kind) {
    case A_BLOCK: case A_EXTERN:
        for (uint32_t i = 0; i < node->count; i++) pin_statements(node->kids[i]);
        break;
    case A_IF:
        for (; node && node->kind == A_IF; node = node->c) {
            pin_expression(node->a);
            pin_statements(node->b);
        }
        if (node) pin_statements(node);
        break;
    case A_WHILE:
        pin_expression(node->a);
        pin_statements(node->b);
        break;
    case A_FOR:
        pin_expression(node->b);
        pin_statements(node->c);
        break;
    case A_TRY:
        pin_statements(node->a);
        pin_statements(node->b);
        break;
    case A_RECORD: case A_PAUSE:
        for (uint32_t i = 0; i < node->count; i++) pin_expression(node->kids[i]);
        pin_statements(node->b);
        break;
    case A_FN: pin_function(node, NULL); break;
    case A_RETURN: pin_value(node->a); break;
    case A_ASSIGN: pin_assignment(node); break;
    default: pin_expression(node);
    }
}

/* ---- the whole program ---- */

void names_free(Names *names) {
    mem_free(names->name, names->capacity * sizeof *names->name);
    mem_free(names->assigned, names->capacity * sizeof *names->assigned);
}

bool resolve(Ast *program, Names *globals, uint32_t *top_locals, Error *error) {
    size_t mark = pool_mark();
    Resolver r = { .source = place_of(program->span).source, .globals = globals };
    for (size_t i = 0; i < globals->count; i++)
        map_put(&r.global_names, globals->name[i], (uint32_t)i);
    declare_all(&r, program);
    resolve_all(&r, program);
    pin_statements(program);
    *top_locals = 0;
    pool_unwind(mark);
    if (!r.wrong) return true;
    *error = (Error){ .kind = E_SYNTAX, .span = r.wrong->span };
    snprintf(error->message, sizeof error->message, "a text with errors cannot run");
    return false;
}
