/* Following a name through a program's text. See cuts.h. */
#include "cuts.h"
#include "builtins.h"
#include "source.h"
#include <string.h>

/* How a value depends on the name that is followed: not at all, with its gradient, or without. */
typedef enum Tie { TIE_NONE, TIE_CUT, TIE_WHOLE } Tie;

enum { MOST_NAMES = 256, MOST_CUTS = 64 };

typedef struct Known { const String *name; Tie tie; Span at; } Known;

typedef struct Follow {
    const String *origin;       /* the name that is followed */
    Known known[MOST_NAMES];
    size_t names;
    Cut *cut;
    size_t cuts;
    bool recorded, paused;
    const String *target;       /* what the running assignment assigns */
} Follow;

static Tie *tie_of(Follow *f, const String *name) {
    for (size_t i = 0; i < f->names; i++)
        if (f->known[i].name == name) return &f->known[i].tie;
    return NULL;
}

static void set_tie(Follow *f, const String *name, Tie tie, Span at) {
    size_t i = 0;
    while (i < f->names && f->known[i].name != name) i++;
    if (name == f->origin && i < f->names) return;
    if (i == MOST_NAMES || (i == f->names && !tie)) return;
    if (i == f->names) f->names++;
    f->known[i].name = name;
    f->known[i].tie = tie;
    f->known[i].at = at;
}

static bool same_line(Span a, Span b) {
    Place x = place_whole(a), y = place_whole(b);
    return x.source == y.source && x.line == y.line;
}

static void add_cut_at(Follow *f, CutKind kind, const Ast *node, Span at, const String *from,
                       const char *by) {
    for (size_t i = 0; i < f->cuts; i++)
        if (same_line(f->cut[i].at, at) && f->cut[i].kind == kind) return;
    if (f->cuts < MOST_CUTS)
        f->cut[f->cuts++] = (Cut){ kind, node, at, (String *)from, (String *)f->target, by };
}

static void add_cut(Follow *f, CutKind kind, const Ast *node, const String *from, const char *by) {
    add_cut_at(f, kind, node, node->span, from, by);
}

/* ---- expressions ---- */

static Tie tie_of_expression(Follow *f, const Ast *node, const String **from);

static Tie stronger(Tie a, Tie b) { return a > b ? a : b; }

static Tie tie_of_parts(Follow *f, const Ast *node, const String **from) {
    bool own = node->kind != A_METHOD && node->kind != A_FIELD && node->kind != A_ATTACH;
    Tie tie = node->kind == A_CALL ? TIE_NONE : tie_of_expression(f, node->a, from);
    if (own) tie = stronger(tie, tie_of_expression(f, node->b, from));
    tie = stronger(tie, tie_of_expression(f, node->c, from));
    for (uint32_t i = 0; i < node->count; i++)
        tie = stronger(tie, tie_of_expression(f, node->kids[i], from));
    return tie;
}

/* The operation that a call names, or OP_NONE. */
static int called_operation(const String *name) {
    for (int op = OP_NONE + 1; op < OP_COUNT; op++)
        if (!strcmp(operations[op].name, name->text)) return op;
    return OP_NONE;
}

static bool is_flat(int op) {
    int class = operations[op].class;
    return op != OP_NONE && (class == C_FLAT || class == C_TEST || class == C_CONSTANT);
}

/* Flat too, though their rows or functions do not say so. */
static bool is_picker(const char *name) {
    static const char *const names[] = { "argmax", "argmin",        "argsort",
                                         "round",  "count_nonzero", "one_hot" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(name, names[i])) return true;
    return false;
}

/* What a node calls, if it calls by a name. */
static const String *callee(const Ast *node) {
    if (node->kind == A_METHOD || node->kind == A_FIELD) return node->name;
    return node->kind == A_CALL && node->a->kind == A_NAME ? node->a->name : NULL;
}

static Tie cut_through(Follow *f, const Ast *node, CutKind kind, const String *from,
                       const char *by) {
    add_cut(f, kind, node, from, by);
    return TIE_CUT;
}

static Tie tie_of_call(Follow *f, const Ast *node, const String *name, const String **from) {
    Tie tie = tie_of_parts(f, node, from);
    int op = called_operation(name);
    if (tie != TIE_WHOLE) return tie;
    if (!strcmp(name->text, "detach")) return cut_through(f, node, CUT_DETACH, *from, NULL);
    if (is_flat(op) && operations[op].class != C_CONSTANT)
        return cut_through(f, node, CUT_FLAT, *from, name->text);
    if (is_picker(name->text)) return cut_through(f, node, CUT_FLAT, *from, name->text);
    return tie;
}

/* x = attach_grad(x) of the name that is followed is where it begins. */
static Tie tie_of_leaf(Follow *f, const Ast *node, const String **from) {
    Tie tie = tie_of_expression(f, node->a, from);
    if (tie != TIE_WHOLE || f->target == f->origin) return tie;
    return cut_through(f, node, CUT_LEAF, *from, NULL);
}

static Tie tie_of_expression(Follow *f, const Ast *node, const String **from) {
    if (!node) return TIE_NONE;
    if (node->kind == A_NAME) {
        Tie *known = tie_of(f, node->name);
        if (known && *known == TIE_WHOLE) *from = node->name;
        return known ? *known : TIE_NONE;
    }
    if (node->kind == A_ATTACH) return tie_of_leaf(f, node, from);
    if (callee(node)) return tie_of_call(f, node, callee(node), from);
    Tie tie = tie_of_parts(f, node, from);
    if (tie == TIE_WHOLE && node->kind == A_BINARY && is_flat(node->op)) {
        bool test = operations[node->op].class == C_TEST;
        return cut_through(f, node, CUT_FLAT, *from,
                           test ? "a comparison" : operations[node->op].prints);
    }
    return tie;
}

/* ---- statements ---- */

static const String *first_name(const Ast *target) {
    while (target && target->kind != A_NAME)
        target = target->count && target->kind == A_TARGETS ? target->kids[0] : target->a;
    return target ? target->name : NULL;
}

static void assign_all(Follow *f, const Ast *target, Tie tie) {
    if (!target) return;
    if (target->kind == A_NAME) set_tie(f, target->name, tie, target->span);
    else if (target->kind == A_TARGETS)
        for (uint32_t i = 0; i < target->count; i++) assign_all(f, target->kids[i], tie);
    else {                       /* a part of it: the rest stays tied as it was */
        const String *root = first_name(target);
        Tie *old = root ? tie_of(f, root) : NULL;
        if (root) set_tie(f, root, old ? stronger(*old, tie) : tie, target->span);
    }
}

static void follow(Follow *f, const Ast *node);

/* The name gets a new slot here: what was computed from it before has nothing of it. */
static void follow_attachment(Follow *f, const Ast *node) {
    for (size_t i = 0; i < f->names; i++) {
        if (f->known[i].tie != TIE_WHOLE || f->known[i].name == f->origin) continue;
        f->target = f->known[i].name;
        add_cut_at(f, CUT_ATTACHED, node, f->known[i].at, f->origin, NULL);
        f->known[i].tie = TIE_CUT;
    }
}

/* attach_grad(y) as a statement, y being computed from the name that is followed. */
static void follow_leaf(Follow *f, const Ast *node) {
    const String *name = node->b && node->b->kind == A_NAME ? node->b->name : NULL;
    Tie *tie = name && name != f->origin ? tie_of(f, name) : NULL;
    if (!tie || *tie != TIE_WHOLE) return;
    f->target = name;
    add_cut(f, CUT_LEAF, node, f->origin, NULL);
    *tie = TIE_CUT;
}

/* The name gets another value: what cut the old one does not matter any more. */
static void forget_cuts(Follow *f, const String *name) {
    size_t kept = 0;
    for (size_t i = 0; i < f->cuts; i++)
        if (f->cut[i].to != name) f->cut[kept++] = f->cut[i];
    f->cuts = kept;
}

static void follow_assignment(Follow *f, const Ast *node) {
    const String *from = NULL;
    f->target = first_name(node->a);
    bool updates = node->op != OP_NONE;
    if (!updates && node->a->kind == A_NAME) forget_cuts(f, f->target);
    Tie *old = f->target ? tie_of(f, f->target) : NULL, was = old ? *old : TIE_NONE;
    Tie tie = tie_of_expression(f, node->b, &from);
    if (updates) {
        if (was == TIE_WHOLE && !from) from = f->target;
        tie = stronger(tie, was);
        if (!f->recorded) return;              /* p -= ... keeps its slot */
    }
    if (tie == TIE_WHOLE && f->paused) tie = cut_through(f, node, CUT_PAUSE, from, NULL);
    else if (tie == TIE_WHOLE && !f->recorded && from != f->target)
        tie = cut_through(f, node, CUT_OUTSIDE, from, NULL);
    assign_all(f, node->a, tie);
    follow(f, node->b);
}

static void follow_children(Follow *f, const Ast *node) {
    bool own = node->kind != A_METHOD && node->kind != A_FIELD && node->kind != A_ATTACH;
    follow(f, node->a);
    if (own) follow(f, node->b);
    follow(f, node->c);
    for (uint32_t i = 0; i < node->count; i++) follow(f, node->kids[i]);
}

/* Either branch may be the one that ran. */
static void follow_branches(Follow *f, const Ast *node) {
    Known *before = pool_bytes(sizeof f->known), *then = pool_bytes(sizeof f->known);
    size_t names = f->names;
    follow(f, node->a);
    memcpy(before, f->known, sizeof f->known);
    follow(f, node->b);
    memcpy(then, f->known, sizeof f->known);
    for (size_t i = 0; i < f->names; i++)
        f->known[i].tie = i < names ? before[i].tie : TIE_NONE;
    size_t then_names = f->names;
    follow(f, node->c);
    for (size_t i = 0; i < then_names; i++)
        f->known[i].tie = stronger(f->known[i].tie, then[i].tie);
}

/* A function's body is read where it stands, as if it were recorded: it is mostly called there. */
static void follow(Follow *f, const Ast *node) {
    if (!node) return;
    bool recorded = f->recorded, paused = f->paused;
    if (node->kind == A_RECORD) f->recorded = true, f->paused = false;
    if (node->kind == A_PAUSE) f->recorded = false, f->paused = true;
    if (node->fn) f->recorded = true;
    bool attaches =
        node->kind == A_ATTACH && node->b && node->b->kind == A_NAME && node->b->name == f->origin;
    if (attaches ||
        (node->kind == A_ASSIGN && first_name(node->a) == f->origin && node->op == OP_NONE))
        follow_attachment(f, node);
    if (node->kind == A_ATTACH) follow_leaf(f, node);
    if (node->kind == A_ASSIGN) follow_assignment(f, node);
    else if (node->kind == A_IF) follow_branches(f, node);
    else follow_children(f, node);
    if (node->fn) follow(f, node->fn->body);
    f->recorded = recorded;
    f->paused = paused;
}

/* With what was typed before it. */
static void follow_source(Follow *f, const Source *source) {
    size_t count = 0;
    for (const Source *s = source; s; s = source_before(s)) count++;
    const Source **all = pool_bytes((count + 1) * sizeof *all);
    for (size_t i = count; i-- > 0; source = source_before(source)) all[i] = source;
    for (size_t i = 0; i < count; i++)
        if (all[i]->program) follow(f, all[i]->program);
}

static Follow *followed(const Source *source, const String *name) {
    Follow *f = memset(pool_bytes(sizeof *f), 0, sizeof *f);
    f->cut = pool_bytes(MOST_CUTS * sizeof *f->cut);
    f->origin = name;
    set_tie(f, name, TIE_WHOLE, 0);
    follow_source(f, source);
    return f;
}

const Cut *cuts_of(const Source *source, const String *name, size_t *count) {
    Follow *f = followed(source, name);
    *count = f->cuts;
    return f->cut;
}

bool text_connects(const Source *source, const String *name, const String *result) {
    Tie *tie = tie_of(followed(source, name), result);
    return tie && *tie == TIE_WHOLE;
}

bool text_reaches(const Source *source, const String *name, const String *result) {
    Tie *tie = tie_of(followed(source, name), result);
    return tie && *tie != TIE_NONE;
}
