/* Notes of what happens around the steps of the tape. See looking.h. */
#include "looking.h"
#include "eval.h"

/* Functions that look at the tape. A program that mentions one of them pays for keeping it. */
static const char *const views[] = { "tape", "explain", "adjoint", "profile", "graph",
                                     "step", "quiz",    "why",     "kinks",   "watch" };

/* What a tape keeps for those who look, and how much may be noted. */
static const uint64_t keep_bytes = (uint64_t)256 << 20;
enum { MAX_NOTES = 1 << 18 };

typedef struct Notes { Note *note; size_t count, capacity; } Notes;
static struct {
    bool on;
    Notes around, calls;
    size_t open;            /* the innermost loop that is running: its note in `around` */
} log_;

bool looking(void) { return log_.on; }

void looking_start(void) {
    log_.on = true;
    rt.tape->keep_bytes = keep_bytes;
}

/* A view's name as a set of one bit; 0: it is none. */
static uint32_t view_bit(const String *name) {
    for (size_t i = 0; name && i < sizeof views / sizeof *views; i++)
        if (!strcmp(name->text, views[i])) return 1u << i;
    return 0;
}

/* The views that a program mentions, and the names among them that are its own. A function of an
 * imported module is no view, whatever its name: optim.step(opt, model). */
enum { MOST_IMPORTS = 32 };
typedef struct Mentions {
    uint32_t mentioned, own;
    int imports;
    const String *imported[MOST_IMPORTS];
} Mentions;

static bool is_of_module(const Mentions *m, const Ast *node) {
    if (node->kind != A_METHOD || !node->a || node->a->kind != A_NAME) return false;
    for (int i = 0; i < m->imports; i++)
        if (m->imported[i] == node->a->name) return true;
    return false;
}

static void find_own(Mentions *m, const Ast *target) {
    if (!target) return;
    if (target->kind == A_NAME) m->own |= view_bit(target->name);
    if (target->kind != A_TARGETS) return;
    for (uint32_t i = 0; i < target->count; i++) find_own(m, target->kids[i]);
}

static void find_mentions(Mentions *m, const Ast *node) {
    for (; node; node = node->a) {
        if (node->kind == A_IMPORT && m->imports < MOST_IMPORTS)
            m->imported[m->imports++] = node->name;
        if (node->kind == A_NAME || (node->kind == A_METHOD && !is_of_module(m, node)))
            m->mentioned |= view_bit(node->name);
        if (node->kind == A_ASSIGN || node->kind == A_FOR) find_own(m, node->a);
        if (node->kind == A_FN) m->own |= view_bit(node->name);
        for (uint32_t i = 0; i < node->count; i++) find_mentions(m, node->kids[i]);
        bool other = node->kind == A_METHOD || node->kind == A_FIELD || node->kind == A_ATTACH;
        if (!other) find_mentions(m, node->b);
        find_mentions(m, node->c);
        if (!node->fn) continue;
        for (uint32_t i = 0; i < node->fn->parameter_count; i++)
            m->own |= view_bit(node->fn->parameters[i].name);
        find_mentions(m, node->fn->body);
    }
}

void looking_at_program(const Ast *program) {
    Mentions m = { 0 };
    if (log_.on) return;
    find_mentions(&m, program);
    if (m.mentioned & ~m.own) looking_start();
}

void looking_close(void) {
    if (log_.around.capacity) mem_free(log_.around.note, log_.around.capacity * sizeof(Note));
    if (log_.calls.capacity) mem_free(log_.calls.note, log_.calls.capacity * sizeof(Note));
    memset(&log_, 0, sizeof log_);
}

static bool in_library(Span span) {
    const Source *source = source_of(span);
    return source && source->library;
}

/* Are notes taken of what stands here? Not in the library's text. */
static bool looking_in(const Ast *node) { return log_.on && node && !in_library(node->span); }

/* ---- taking notes ---- */

/* The tape has been cut off since: what was noted from here on is about steps that are gone. */
static void forget_in(Notes *notes, uint64_t position) {
    while (notes->count) {
        const Note *last = &notes->note[notes->count - 1];
        if (last->to <= position && last->from <= position) return;
        notes->count--;
    }
}
static void forget_from(uint64_t position) {
    forget_in(&log_.around, position);
    forget_in(&log_.calls, position);
}

/* Gives the note's place; MAX_NOTES: there is no more room. */
static size_t note(Notes *notes, const Ast *node, NoteKind kind, uint64_t from, uint64_t to) {
    if (notes->count == MAX_NOTES) return MAX_NOTES;
    notes->note = mem_grow(notes->note, &notes->capacity, notes->count + 1, sizeof *notes->note);
    notes->note[notes->count] = (Note){ from, to, node, kind, 0 };
    return notes->count++;
}

/* What happens again and again within a few notes is one note with a count. */
static Note *noted_before(const Ast *node, NoteKind kind) {
    enum { FEW = 8 };
    const Notes *notes = &log_.around;
    for (size_t back = 1; back <= FEW && back <= notes->count; back++) {
        Note *n = &notes->note[notes->count - back];
        if (n->node == node && n->kind == kind) return n;
        if (n->kind == NOTE_LOOP) return NULL;      /* only within one loop */
    }
    return NULL;
}

static void note_branch(const Ast *node, NoteKind kind) {
    uint64_t position = tape_position();
    forget_from(position);
    Note *n = noted_before(node, kind);
    if (!n) {
        size_t at = note(&log_.around, node, kind, position, position);
        if (at == MAX_NOTES) return;
        n = &log_.around.note[at];
    }
    n->count++;
}

static bool noted_condition(Ast *node, Frame *frame) {
    bool holds = condition(node->a, frame);
    if (rt.recording) note_branch(node, holds ? NOTE_THEN : NOTE_ELSE);
    return holds;
}
static Value noted_if(Ast *node, Frame *frame) {
    Ast *branch = noted_condition(node, frame) ? node->b : node->c;
    return branch ? branch->eval(branch, frame) : NIL;
}
static bool noted_run_if(Ast *node, Frame *frame) {
    Ast *branch = noted_condition(node, frame) ? node->b : node->c;
    return branch && branch->run(branch, frame);
}

static bool noted_turn(Ast *node, Frame *frame) {
    if (rt.recording && log_.open < log_.around.count) log_.around.note[log_.open].count++;
    return run_block(node, frame);
}

Ast *looking_body(Ast *body) {
    if (!looking_in(body)) return body;
    Source *source = source_of(body->span);
    Ast *around = ast_new(source, A_BLOCK, body->span);
    around->kids = arena_alloc(source, sizeof *around->kids);
    around->kids[0] = body;
    around->count = 1;
    around->flags = AST_STATEMENT;
    around->eval = eval_block;
    around->run = run_block;
    body->run = noted_turn;
    return around;
}

static bool noted_loop(Ast *node, Frame *frame) {
    Perform *run = node->kind == A_WHILE ? run_while : run_for;
    if (!rt.recording) return run(node, frame);
    uint64_t from = tape_position();
    forget_from(from);
    size_t outer = log_.open, own = note(&log_.around, node, NOTE_LOOP, from, from);
    log_.open = own;
    bool ends = run(node, frame);
    log_.open = outer;
    if (own < log_.around.count && log_.around.note[own].node == node)
        log_.around.note[own].to = tape_position();
    return ends;
}

static Value noted_pause(Ast *node, Frame *frame) {
    if (rt.recording) note_branch(node, NOTE_PAUSE);
    return eval_pause(node, frame);
}

static bool last_step_in_library(void) {
    const Chunk *c = rt.tape->top;
    if (!c->used) c = c->previous;
    return c && c->used && in_library(c->node[c->used - 1].span);
}

static Value noted_call(Ast *node, Frame *frame) {
    Eval *run = node->kind == A_FIELD ? eval_field : choose_call(node);
    if (!rt.recording) return run(node, frame);
    uint64_t from = tape_position();
    forget_from(from);
    Value v = run(node, frame);
    if (tape_position() > from && last_step_in_library())
        note(&log_.calls, node, NOTE_CALL, from, tape_position());
    return v;
}

void looking_choose(Ast *node) {
    if (!looking_in(node)) return;
    switch ((AstKind)node->kind) {
    case A_IF: node->eval = noted_if, node->run = noted_run_if; break;
    case A_WHILE: case A_FOR: node->run = noted_loop; break;
    case A_PAUSE: node->eval = noted_pause; break;
    case A_CALL: case A_METHOD: if (!(node->flags & AST_STATEMENT)) node->eval = noted_call; break;
    case A_FIELD: node->eval = noted_call; break;
    default: break;
    }
}

/* ---- reading them ---- */

const Note *looking_notes(size_t *count) {
    *count = log_.around.count;
    return log_.around.note;
}

/* The first call, by its end, that reaches behind the position. */
static size_t first_behind(uint64_t position) {
    size_t low = 0, high = log_.calls.count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (log_.calls.note[middle].to <= position) low = middle + 1;
        else high = middle;
    }
    return low;
}

/* Inner calls end before outer ones, so the first that has the position inside is the innermost. */
const Ast *looking_call(uint64_t position) {
    for (size_t i = first_behind(position); i < log_.calls.count; i++) {
        const Note *n = &log_.calls.note[i];
        if (n->from <= position) return n->node;
    }
    return NULL;
}
