/* Finding the names of values. See naming.h. */
#include "naming.h"
#include "eval.h"
#include "text.h"
#include <stdio.h>

/* ---- a map in the pool: from a number that is not 0 to a pointer ---- */
typedef struct Map { uint32_t *key; const void **value; size_t count, capacity; } Map;

static size_t map_slot(const Map *m, uint32_t key) {
    size_t at = (key * 2654435769u) & (m->capacity - 1);
    while (m->key[at] && m->key[at] != key) at = (at + 1) & (m->capacity - 1);
    return at;
}

static const void *map_get(const Map *m, uint32_t key) {
    return m->count ? m->value[map_slot(m, key)] : NULL;
}

static void map_put(Map *m, uint32_t key, const void *value) {
    if (m->count * 2 >= m->capacity) {
        Map old = *m;
        m->capacity = old.capacity ? old.capacity * 2 : 64;
        m->key = memset(pool_bytes(m->capacity * sizeof *m->key), 0, m->capacity * sizeof *m->key);
        m->value =
            memset(pool_bytes(m->capacity * sizeof *m->value), 0, m->capacity * sizeof *m->value);
        m->count = 0;
        for (size_t i = 0; i < old.capacity; i++)
            if (old.key[i]) map_put(m, old.key[i], old.value[i]);
    }
    size_t at = map_slot(m, key);
    if (m->key[at]) return;         /* the first one stays */
    m->key[at] = key;
    m->value[at] = value;
    m->count++;
}

struct Naming {
    Map held, assigned;             /* node -> String, span -> Ast of the assignment */
    const Source **source;          /* whose assignments are in the map */
    size_t sources, capacity;
    size_t seen;                    /* values looked at, lest a huge list take for ever */
};

/* ---- held values ---- */
enum { MOST_VALUES = 100000, MOST_DEPTH = 6, LONG_NAME = 60 };

static void look_into(Naming *n, Value v, const char *name, int depth);

static void look_into_list(Naming *n, const List *list, const char *name, int depth) {
    char part[LONG_NAME + 32];
    for (size_t i = 0; i < list->count && n->seen < MOST_VALUES; i++) {
        snprintf(part, sizeof part, "%s[%zu]", name, i);
        look_into(n, list->item[i], part, depth);
    }
}

static void look_into_struct(Naming *n, const Struct *s, const char *name, int depth) {
    char part[2 * LONG_NAME + 32];
    for (size_t i = 0; i < s->count && n->seen < MOST_VALUES; i++) {
        snprintf(part, sizeof part, "%s.%.*s", name, LONG_NAME, s->field[i].name->text);
        look_into(n, s->field[i].value, part, depth);
    }
}

static void look_into(Naming *n, Value v, const char *name, int depth) {
    n->seen++;
    if (v.node) map_put(&n->held, v.node, symbol(name, strlen(name)));
    if (depth == MOST_DEPTH || strlen(name) > LONG_NAME) return;
    if (v.tag == V_LIST) look_into_list(n, v.as.list, name, depth + 1);
    if (v.tag == V_STRUCT && !v.as.record->module)
        look_into_struct(n, v.as.record, name, depth + 1);
}

static void look_into_frame(Naming *n, const Frame *frame) {
    const Fn *fn = frame->fn;
    if (!fn || frame->module->library) return;
    for (uint32_t i = 0; i < fn->local_count; i++)
        if (fn->local_names[i])
            look_into(n, frame->variables[S_LOCAL][i], fn->local_names[i]->text, 0);
    for (uint32_t i = 0; i < fn->cell_count; i++)
        if (frame->cells[i] && fn->cell_names[i])
            look_into(n, frame->cells[i]->value, fn->cell_names[i]->text, 0);
}

Naming *naming_new(void) {
    Naming *n = memset(pool_bytes(sizeof *n), 0, sizeof *n);
    for (const Frame *frame = interp.frame; frame; frame = frame->caller) look_into_frame(n, frame);
    for (const Module *module = interp.modules; module; module = module->next) {
        if (module->library) continue;
        for (size_t i = 0; i < module->set_up; i++)
            look_into(n, module->globals[i], module->names.name[i]->text, 0);
    }
    return n;
}

String *name_held(const Naming *n, uint32_t id) { return (String *)map_get(&n->held, id); }

/* ---- assigned expressions ---- */

/* The expressions whose value is the value of this one: the ends of blocks and branches. */
static void note_value(Naming *n, const Ast *value, const Ast *assignment) {
    for (; value; value = value->b) {
        switch ((AstKind)value->kind) {
        case A_BLOCK:
            if (value->flags & AST_VALUE && value->count)
                note_value(n, value->kids[value->count - 1], assignment);
            return;
        case A_IF: note_value(n, value->c, assignment); break;     /* and b, the next turn */
        case A_RECORD: case A_PAUSE: break;
        case A_TRY: note_value(n, value->a, assignment); break;
        default: map_put(&n->assigned, value->span, assignment); return;
        }
    }
}

static void note_assignments(Naming *n, const Ast *node) {
    for (; node; node = node->a) {
        if (node->kind == A_ASSIGN && ast_is_place(node->a)) {
            if (node->op != OP_NONE || node->a->kind != A_NAME)
                map_put(&n->assigned, node->span, node);
            if (node->a->kind != A_NAME) map_put(&n->assigned, node->a->span, node);
            else if (node->op == OP_NONE) note_value(n, node->b, node);
        }
        if (node->kind == A_ATTACH) map_put(&n->assigned, node->a->span, node);
        for (uint32_t i = 0; i < node->count; i++) note_assignments(n, node->kids[i]);
        if (node->kind != A_METHOD && node->kind != A_FIELD && node->kind != A_ATTACH)
            note_assignments(n, node->b);
        note_assignments(n, node->c);
        if (node->fn) note_assignments(n, node->fn->body);
    }
}

static void read_source(Naming *n, const Source *source) {
    for (size_t i = 0; i < n->sources; i++)
        if (n->source[i] == source) return;
    if (n->sources == n->capacity) {
        const Source **old = n->source;
        n->capacity = n->capacity ? 2 * n->capacity : 8;
        n->source = pool_bytes(n->capacity * sizeof *old);
        if (n->sources) memcpy(n->source, old, n->sources * sizeof *old);
    }
    n->source[n->sources++] = source;
    note_assignments(n, source->program);
}

const Ast *assignment_of(Naming *n, Span expression) {
    const Source *source = source_of(expression);
    if (!source || !source->program) return NULL;
    read_source(n, source);
    return map_get(&n->assigned, expression);
}

String *name_assigned(Naming *n, Span expression) {
    const Ast *assignment = assignment_of(n, expression);
    if (!assignment) return NULL;
    const Ast *place = assignment->kind == A_ATTACH ? assignment->b : assignment->a;
    return ast_place_root(place)->name;
}
