/* Reads the program's tree to say which mistake was made. It runs only when an error is about to be
 * raised, and guesses by the order of the text: the last assignment to a name above its use. */
#include <stdio.h>
#include <string.h>
#include "ast.h"
#include "mistakes.h"
#include "source.h"
#include "views.h"

/* The last assignment to a name before some place. */
typedef struct Search {
    const String *name;
    uint32_t before;
    const Ast *found;
    bool recorded;        /* it stands inside record */
    const Ast *attached;  /* the last attach_grad of the name before that */
} Search;

static uint32_t start_of(const Ast *node) {
    uint32_t start, end;
    span_bounds(node->span, &start, &end);
    return start;
}

static bool is_name(const Ast *node, const String *name) {
    return node && node->kind == A_NAME && node->name == name;
}

static bool assigns(const Ast *target, const String *name) {
    if (!target) return false;
    if (is_name(target, name)) return true;
    for (uint32_t i = 0; i < target->count; i++)
        if (assigns(target->kids[i], name)) return true;
    return false;
}

/* attach_grad(...) as the value of an assignment. */
static bool is_attach_call(const Ast *node) {
    if (!node) return false;
    if (node->kind == A_ATTACH) return true;
    return node->kind == A_CALL && node->a->kind == A_NAME &&
           !strcmp(node->a->name->text, "attach_grad");
}

static void consider(Search *s, const Ast *node, bool recorded) {
    bool assignment = node->kind == A_ASSIGN && assigns(node->a, s->name);
    bool attach = node->kind == A_ATTACH && is_name(node->b, s->name);
    if ((!assignment && !attach) || start_of(node) >= s->before) return;
    if (attach || is_attach_call(node->b)) s->attached = node;
    s->found = node;
    s->recorded = recorded;
}

static void search(Search *s, const Ast *node, bool recorded) {
    if (!node) return;
    if (node->kind == A_RECORD) recorded = true;
    if (node->kind == A_PAUSE) recorded = false;
    consider(s, node, recorded);
    search(s, node->a, recorded);
    bool own = node->kind != A_METHOD && node->kind != A_FIELD && node->kind != A_ATTACH;
    if (own) search(s, node->b, recorded);
    search(s, node->c, recorded);
    for (uint32_t i = 0; i < node->count; i++) search(s, node->kids[i], recorded);
    if (node->fn) search(s, node->fn->body, recorded);
}

/* In the text and in what was typed before it at the prompt, the nearest text first. */
static Search find_assignment(const Source *source, const String *name, uint32_t before) {
    Search found = { .name = name };
    for (; source; source = source_before(source), before = UINT32_MAX) {
        Search s = { .name = name, .before = before };
        if (source->program) search(&s, source->program, false);
        if (!found.found) found.found = s.found, found.recorded = s.recorded;
        if (!found.attached) found.attached = s.attached;
    }
    return found;
}

/* The name that an operand of the running call is, or NULL. */
static const String *operand_name(Span call, int operand, Place *place) {
    *place = place_of(call);
    if ((uint32_t)operand >= place->operands) return NULL;
    Place p = place_whole(call + 1 + (Span)operand);
    if (!p.source) return NULL;
    for (uint32_t i = p.start; i < p.end; i++) {
        unsigned char c = (unsigned char)p.source->text[i];
        bool letter = c == '_' || c >= 128 || (unsigned)(c | 32) - 'a' < 26 ||
                      (i > p.start && (unsigned)c - '0' < 10);
        if (!letter) return NULL;
    }
    return symbol(p.source->text + p.start, p.end - p.start);
}

/* Among the names that an expression reads: one that had a gradient slot and was assigned afresh
 * since, else any one that never had one. */
typedef struct Culprit {
    const String *lost, *bare;
    const Ast *again;       /* the assignment by which it lost its slot */
    const Ast *made;        /* the one that made the bare one */
} Culprit;

static void find_culprit(Culprit *c, const Ast *node) {
    if (!node) return;
    if (node->kind == A_NAME) {
        Search s = find_assignment(source_of(node->span), node->name, start_of(node));
        if (s.found && s.attached && s.attached != s.found && s.found->op == OP_NONE) {
            c->lost = node->name;
            c->again = s.found;
        } else if (s.found && !s.attached && !s.recorded && !c->bare) {
            c->bare = node->name;
            c->made = s.found;
        }
        return;
    }
    bool call = node->kind == A_CALL;
    if (!call) find_culprit(c, node->a);
    bool own = node->kind != A_METHOD && node->kind != A_FIELD && node->kind != A_ATTACH;
    if (own) find_culprit(c, node->b);
    find_culprit(c, node->c);
    for (uint32_t i = 0; i < node->count; i++) find_culprit(c, node->kids[i]);
}

/* A name with a slot among those that an expression reads, or that these were computed from, so
 * many assignments back; NULL: none was found among the first `names`. */
static const String *attached_in(const Ast *node, int deep, int *names) {
    if (!node || *names <= 0) return NULL;
    if (node->kind == A_NAME) {
        --*names;
        Search s = find_assignment(source_of(node->span), node->name, start_of(node));
        if (s.attached) return node->name;
        return s.found && deep ? attached_in(s.found->b, deep - 1, names) : NULL;
    }
    const String *found = attached_in(node->a, deep, names);
    bool own = node->kind != A_METHOD && node->kind != A_FIELD && node->kind != A_ATTACH;
    if (!found && own) found = attached_in(node->b, deep, names);
    if (!found) found = attached_in(node->c, deep, names);
    for (uint32_t i = 0; !found && i < node->count; i++)
        found = attached_in(node->kids[i], deep, names);
    return found;
}

static const String *attached_behind(const Ast *assignment, int deep) {
    int names = 200;
    return assignment ? attached_in(assignment->b, deep, &names) : NULL;
}

void fail_unrecorded(Value head) { fail_unrecorded_by(head, "nothing to sweep"); }

void fail_unrecorded_by(Value head, const char *nothing) {
    fail_unrecorded_operand(head, 0, nothing);
}

void fail_unrecorded_operand(Value head, int operand, const char *nothing) {
    Place call;
    const String *name = operand_name(rt.here, operand, &call);
    note_operand(operand, head);
    if (!name) {
        hint("compute it inside record < ... >, from something that attach_grad() was called on");
        fail(E_GRADIENT, "%s: this value was not recorded", nothing);
    }
    Search s = find_assignment(call.source, name, call.start);
    if (s.found && !s.recorded) {
        hint("compute it inside record < ... >");
        fail(E_GRADIENT, "%s: %s was computed %s, outside record", nothing, name->text,
             view_at(s.found->span));
    }
    Culprit c = { 0 };
    if (s.found) find_culprit(&c, s.found->b);
    if (c.lost) {
        hint("`%s -= ...` or `%s[:] = ...` gives it a new value and keeps the slot", c.lost->text,
             c.lost->text);
        fail(E_GRADIENT, "%s: %s is computed from %s, which lost its gradient slot %s", nothing,
             name->text, c.lost->text, view_at(c.again->span));
    }
    const String *from = attached_behind(c.made, 0);
    if (from) {
        hint("compute %s inside record < ... >, so that the step from %s is on the tape",
             c.bare->text, from->text);
        fail(E_GRADIENT,
             "%s: %s depends on %s by %s only, and %s was computed %s, outside record",
             nothing, name->text, from->text, c.bare->text, c.bare->text,
             view_at(c.made->span));
    }
    if (c.bare) {
        hint("attach_grad(%s) before record < ... > gives it a gradient", c.bare->text);
        fail(E_GRADIENT, "%s: nothing that %s is computed from was attached; %s was not", nothing,
             name->text, c.bare->text);
    }
    from = attached_behind(s.found, 6);
    if (from) {
        hint("why(%s, %s) names the place", from->text, name->text);
        fail(E_GRADIENT,
             "%s: %s depends on %s only through what passes no gradient, like detach, pause or a "
             "flat operation",
             nothing, name->text, from->text);
    }
    hint("attach_grad(x) before record < ... > gives x a gradient");
    fail(E_GRADIENT, "%s: nothing that %s is computed from was attached", nothing, name->text);
}

void fail_no_gradient(Value x) {
    Place call;
    const String *name = operand_name(rt.here, 0, &call);
    const char *text = name ? name->text : "this value";
    note_operand(0, x);
    if (x.node) {
        hint("backward(f) from an f that depends on it leaves one there; grad(f, %s) computes one "
             "at once",
             name ? text : "x");
        fail(E_GRADIENT, "no sweep has reached %s, so it has no gradient yet", text);
    }
    Search s = { 0 };
    if (name) s = find_assignment(call.source, name, call.start);
    if (s.attached && s.attached != s.found && s.found->op == OP_NONE) {
        hint("`%s -= ...` or `%s[:] = ...` gives it a new value and keeps the slot", text, text);
        fail(E_GRADIENT, "%s lost its gradient slot %s, where it was assigned afresh", text,
             view_at(s.found->span));
    }
    hint("attach_grad(%s) before record < ... > gives it a gradient", name ? text : "x");
    fail(E_GRADIENT, "%s was never attached or recorded, so it has no gradient", text);
}

/* Does the assignment to the name read the name itself: h = f(h), h *= w? */
static bool reads(const Ast *node, const String *name) {
    if (!node) return false;
    if (is_name(node, name)) return true;
    bool own = node->kind != A_METHOD && node->kind != A_FIELD && node->kind != A_ATTACH;
    if (reads(node->a, name) || (own && reads(node->b, name)) || reads(node->c, name)) return true;
    for (uint32_t i = 0; i < node->count; i++)
        if (reads(node->kids[i], name)) return true;
    return false;
}

/* A name assigned inside record from itself: the state of a loop. */
static const Ast *find_state(const Ast *node, bool recorded) {
    if (!node) return NULL;
    if (node->kind == A_RECORD) recorded = true;
    if (recorded && node->kind == A_ASSIGN && node->a->kind == A_NAME &&
        (node->op != OP_NONE || reads(node->b, node->a->name))) return node->a;
    const Ast *found = find_state(node->a, recorded);
    bool own = node->kind != A_METHOD && node->kind != A_FIELD && node->kind != A_ATTACH;
    if (!found && own) found = find_state(node->b, recorded);
    if (!found) found = find_state(node->c, recorded);
    for (uint32_t i = 0; !found && i < node->count; i++)
        found = find_state(node->kids[i], recorded);
    if (!found && node->fn) found = find_state(node->fn->body, recorded);
    return found;
}

void fail_swept(Span node, Span swept_at) {
    (void)node;
    Place call, before;
    const String *name = operand_name(rt.here, 0, &call),
                 *first = operand_name(swept_at, 0, &before);
    const char *text = name ? name->text : "this value";
    const char *at = before.source ? view_at(swept_at) : NULL;
    bool same_call = before.source == call.source && before.start == call.start;
    const Ast *state = call.source && call.source->program && same_call
                           ? find_state(call.source->program, false)
                           : NULL;
    if (state) {
        hint("%s = detach(%s) at the end of a turn cuts it off", state->name->text,
             state->name->text);
        fail(E_GRADIENT,
             "%s is computed from %s of an earlier turn, whose tape was already swept %s",
             text, state->name->text, at ? at : "before");
    }
    if (name && first && name != first) {
        hint(
            "sweep both at once: backward((%s, %s)), or keep the tape: backward(%s, retain = true)",
            first->text, text, first->text);
        fail(E_GRADIENT,
             "%s and %s have a part of the tape in common, which was already swept %s",
             text, first->text, at ? at : "before");
    }
    hint("keep the tape with backward(%s, retain = true), or compute %s again", text, text);
    if (at) fail(E_GRADIENT, "%s was already swept %s and not computed again since", text, at);
    fail(E_GRADIENT, "%s, or something it was computed from, was already swept", text);
}
