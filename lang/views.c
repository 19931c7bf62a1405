/* What the teaching views share. See views.h. */
#include "views.h"
#include "eval.h"
#include "looking.h"
#include <stdio.h>

/* ---- showing and giving ---- */
static const Obj *shown;

Value view_done(const Buffer *text, Value data, Value show) {
    if (show.tag != V_UNSET && !arg_bool(show, "show")) return data;
    screen_show(text);
    shown = is_object(data) ? data.as.obj : NULL;
    return data;
}

bool view_has_shown(Value v) { return is_object(v) && v.as.obj == shown; }
void view_forget(void) { shown = NULL; }

Value builtin_shown(int count, const Value *arg) {
    (void)count;
    shown = is_object(arg[0]) ? arg[0].as.obj : NULL;
    return arg[0];
}

Value builtin_screen_width(int count, const Value *arg) {
    (void)count, (void)arg;
    return number(screen_columns());
}

void view_put(Value row, const char *name, Value v) {
    struct_put(row, symbol(name, strlen(name)), v);
}
Value view_value(Value v) { return v.tag == V_UNSET ? NIL : v; }

/* ---- words ---- */
static const char *text_of(const char *text) { return string_of(text).as.string->text; }

/* The number of a statement typed at the prompt, whose text is called adl[4]; NULL: it is a line of
 * a file. */
static const char *prompt_number(const Place *place) {
    return source_is_typed(place->source) ? place->source->name->text + 3 : NULL;
}

const char *view_place(Span span) {
    Place place = place_whole(span);
    if (!place.source || place.source->library) return "";
    const char *number = prompt_number(&place);
    if (!number) return string_format("line %u", place.line).as.string->text;
    if (place.line == 1) return string_format("adl%s", number).as.string->text;
    return string_format("adl%s, line %u", number, place.line).as.string->text;
}

const char *view_at(Span span) {
    const char *place = view_place(span);
    if (!*place) return "in the library";
    return string_format("%s %s", strncmp(place, "line", 4) ? "in" : "on", place).as.string->text;
}

const char *view_short_place(Span span) {
    Place place = place_whole(span);
    if (!place.source || place.source->library) return "";
    const char *number = prompt_number(&place);
    return number ? text_of(number) : string_format("%u", place.line).as.string->text;
}

const char *plural(uint64_t count, const char *word) {
    char text[80];
    bool es = word[0] && (word[strlen(word) - 1] == 'h' || word[strlen(word) - 1] == 's');
    snprintf(text, sizeof text, "%s%s", word,
             count == 1             ? ""
             : es                   ? "es"
             : strcmp(word, "leaf") ? "s"
                                    : "");
    return count != 1 && !strcmp(word, "leaf") ? "leaves" : text_of(text);
}

const char *counted(uint64_t count, const char *word) {
    char digits[32], spaced[48], text[140];
    int n = snprintf(digits, sizeof digits, "%llu", (unsigned long long)count), out = 0;
    for (int i = 0; i < n; i++) {       /* 12 345, in groups of three */
        if (i && (n - i) % 3 == 0 && n > 4) spaced[out++] = ' ';
        spaced[out++] = digits[i];
    }
    spaced[out] = 0;
    snprintf(text, sizeof text, "%s %s", spaced, plural(count, word));
    return text_of(text);
}

const char *view_head_name(const Wengert *w) {
    Buffer b = { 0 };
    if (w->heads > 1) buffer_char(&b, '(');
    for (int i = 0; i < w->heads; i++) {
        int64_t step = wengert_step_of(w, w->head[i]), leaf = wengert_leaf_of(w, w->head[i]);
        String *name = step >= 0 ? wengert_name(w, (uint32_t)step)
                       : leaf >= 0 ? wengert_leaf_name(w, (uint32_t)leaf) : NULL;
        buffer_format(&b, "%s%s", i ? ", " : "", name ? name->text : "this value");
    }
    if (w->heads > 1) buffer_char(&b, ')');
    return buffer_string(&b).as.string->text;
}

const char *view_sweep_text(const Wengert *w) {
    char call[80], text[300];
    const char *name = view_head_name(w);
    const char *place = view_place(w->swept_at);
    if (!w->swept)
        snprintf(text, sizeof text, "adjoints: none yet, no sweep has reached %.100s", name);
    else if (!*place)
        snprintf(text, sizeof text, "adjoints: from the last sweep that reached %.100s", name);
    else
        snprintf(text, sizeof text, "adjoints: from %s %s",
                 span_whole_text(w->swept_at, call, sizeof call), view_at(w->swept_at));
    if (w->swept && w->lost)
        snprintf(text, sizeof text, "adjoints: lost, the sweep of %s has released values; "
                 "sweep with retain = true to keep them", *place ? place : "before");
    return text_of(text);
}

_Noreturn void view_fail_lost(const Wengert *w, const char *view) {
    const char *place = view_place(w->swept_at);
    hint("call %s before the sweep, or sweep with retain = true; a program that mentions %s by "
         "name keeps its values", view, view);
    if (*place)
        fail(E_GRADIENT, "%s: the sweep %s has released values that lead to %s", view,
             view_at(w->swept_at), view_head_name(w));
    fail(E_GRADIENT, "%s: a sweep has released values that lead to %s", view, view_head_name(w));
}

/* ---- lines ---- */
typedef struct Lines { ViewLine *line; size_t count, capacity; } Lines;

static void add_line(Lines *s, ViewLine line) {
    if (s->count == s->capacity) {
        ViewLine *old = s->line;
        s->capacity = s->capacity ? 2 * s->capacity : 64;
        s->line = pool_bytes(s->capacity * sizeof *old);
        if (s->count) memcpy(s->line, old, s->count * sizeof *old);
    }
    s->line[s->count++] = line;
}

static void add_folds(Lines *s, const Fold *fold, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        const Fold *f = &fold[i];
        if (f->turns == 1) {
            add_line(s, (ViewLine){ .step = f->first });
            continue;
        }
        add_folds(s, f->part, f->parts);
        uint32_t from = f->part[f->parts - 1].first + f->part[f->parts - 1].steps;
        add_line(s, (ViewLine){ -1, f->turns - 2, from, f->last_part->first - 1 });
        add_folds(s, f->last_part, f->parts);
    }
}

const ViewLine *view_lines(const Wengert *w, bool fold, uint32_t most, size_t *count) {
    Lines s = { 0 };
    uint32_t folds, half = most / 2;
    const Fold *f = wengert_folds(w, fold ? 4 : 1, &folds);
    if (!fold || folds <= most) {
        add_folds(&s, f, folds);
    } else {
        add_folds(&s, f, half);
        add_line(&s, (ViewLine){ -1, 0, f[half].first, f[folds - half].first - 1 });
        add_folds(&s, &f[folds - half], half);
    }
    *count = s.count;
    return s.line;
}

/* ---- happenings ---- */
typedef struct Told {
    const Ast *node;
    uint64_t position, held, not_held, turns, runs;
    uint32_t kind;
} Told;
enum { MOST_TOLD = 64 };

static Told *told_of(Told *told, size_t *count, const Note *note) {
    uint32_t kind = note->kind == NOTE_ELSE ? NOTE_THEN : note->kind;
    for (size_t i = 0; i < *count; i++)
        if (told[i].node == note->node && told[i].kind == kind) return &told[i];
    if (*count == MOST_TOLD) return NULL;
    told[*count] = (Told){ .node = note->node, .position = note->from, .kind = kind };
    return &told[(*count)++];
}

static void count_note(Told *t, const Note *note) {
    t->runs++;
    if (note->kind == NOTE_THEN) t->held += note->count;
    if (note->kind == NOTE_ELSE) t->not_held += note->count;
    if (note->kind == NOTE_LOOP) t->turns += note->count;
}

static const char *times(uint64_t count) {
    char text[40];
    if (count == 1) return "once";
    snprintf(text, sizeof text, "%llu times", (unsigned long long)count);
    return text_of(text);
}

static const char *condition_text(const Told *t) {
    if (!t->not_held)
        return t->held == 1 ? "held"
                            : text_of(string_format("held %s", times(t->held)).as.string->text);
    if (!t->held)
        return t->not_held == 1 ? "did not hold"
                                : string_format("never held in %s", counted(t->not_held, "time"))
                                      .as.string->text;
    return string_format("held %s, did not %s", times(t->held), times(t->not_held)).as.string->text;
}

static const char *told_text(const Told *t) {
    char text[100];
    const Ast *node = t->node;
    switch (t->kind) {
    case NOTE_THEN:
        return string_format("if %s: %s", span_whole_text(node->a->span, text, sizeof text),
                             condition_text(t))
            .as.string->text;
    case NOTE_PAUSE: return "pause: nothing in it is recorded";
    default: break;
    }
    const Ast *head = node->kind == A_WHILE ? node->a : node->b;
    span_whole_text(head->span, text, sizeof text);
    const char *often =
        t->runs > 1 ? string_format(" in %s", counted(t->runs, "run")).as.string->text : "";
    if (node->kind == A_WHILE)
        return string_format("while %s: %s%s", text, counted(t->turns, "turn"), often)
            .as.string->text;
    char target[60];
    return string_format("for %s in %s: %s%s",
                         span_whole_text(node->a->span, target, sizeof target), text,
                         counted(t->turns, "turn"), often)
        .as.string->text;
}

static uint64_t first_position(const Wengert *w) {
    return w->count ? position_of(w->step[0].node) : UINT64_MAX;
}
static uint64_t last_position(const Wengert *w) {
    return w->count ? position_of(w->step[w->count - 1].node) : 0;
}

const Happening *view_happenings(const Wengert *w, size_t *count) {
    size_t notes, tellings = 0;
    const Note *note = looking_notes(&notes);
    Told *told = pool_bytes(MOST_TOLD * sizeof *told);
    for (size_t i = 0; i < notes; i++) {
        if (note[i].to < first_position(w) || note[i].from > last_position(w)) continue;
        Told *t = told_of(told, &tellings, &note[i]);
        if (t) count_note(t, &note[i]);
    }
    Happening *out = pool_bytes((tellings + 1) * sizeof *out);
    for (size_t i = 0; i < tellings; i++)
        out[i] = (Happening){ told[i].position, told[i].node->span, told_text(&told[i]) };
    *count = tellings;
    return out;
}

/* ---- lines that left nothing ---- */
typedef struct Search {
    const Wengert *w;
    Happening *out;
    size_t count;
    const Source *source;
    uint32_t first_line, last_line;     /* of the steps in this source */
} Search;
enum { MOST_LINES = 30, MOST_NODES = 100000 };

static bool has_call(const Ast *node) {
    if (!node) return false;
    if (node->kind == A_CALL || node->kind == A_METHOD || node->kind == A_FIELD || node->fn)
        return true;
    for (uint32_t i = 0; i < node->count; i++)
        if (has_call(node->kids[i])) return true;
    return has_call(node->a) || has_call(node->b) || has_call(node->c);
}

/* Does some node of the whole tape come from this stretch of text? */
static bool left_a_step(const Source *source, uint32_t start, uint32_t end) {
    for (const Chunk *c = rt.tape->first; c; c = c->next)
        for (uint32_t i = 0; i < c->used; i++) {
            Span span = c->node[i].span;
            if (source_of(span) != source) continue;
            uint32_t from, to;
            span_bounds(span, &from, &to);
            if (from >= start && to <= end) return true;
        }
    return false;
}

static bool leads_to_head(const Wengert *w, uint32_t start, uint32_t end, const Source *source) {
    for (uint32_t i = 0; i < w->count; i++) {
        Span span = wengert_span(w, i);
        uint32_t from, to;
        span_bounds(span, &from, &to);
        if (source_of(span) == source && from >= start && to <= end) return true;
    }
    return false;
}

static void consider_line(Search *s, const Ast *statement) {
    if (statement->kind != A_ASSIGN || s->count == MOST_LINES || has_call(statement->b)) return;
    uint32_t start, end;
    span_bounds(statement->span, &start, &end);
    if (leads_to_head(s->w, start, end, s->source)) return;
    char text[100];
    span_whole_text(statement->a->span, text, sizeof text);
    bool left = left_a_step(s->source, start, end);
    const char *why =
        left ? string_format("%s = …: recorded, but %s does not depend on it", text,
                             view_head_name(s->w))
                   .as.string->text
             : string_format("%s = …: not recorded, nothing in it depends on a leaf", text)
                   .as.string->text;
    s->out[s->count++] = (Happening){ 0, statement->span, why };
}

static void search_record(Search *s, const Ast *node) {
    for (; node; node = node->a) {
        if (node->kind == A_RECORD && node->b) {
            uint32_t start, end;
            span_bounds(node->span, &start, &end);
            bool ours = leads_to_head(s->w, start, end, s->source);
            for (uint32_t i = 0; ours && i < node->b->count; i++)
                consider_line(s, node->b->kids[i]);
        }
        for (uint32_t i = 0; i < node->count; i++) search_record(s, node->kids[i]);
        if (node->kind != A_METHOD && node->kind != A_FIELD && node->kind != A_ATTACH)
            search_record(s, node->b);
        search_record(s, node->c);
    }
}

const Happening *view_unrecorded(const Wengert *w, size_t *count) {
    Search s = { .w = w, .out = pool_bytes(MOST_LINES * sizeof(Happening)) };
    *count = 0;
    if (!w->count || w->count > MOST_NODES || tape_position() > MOST_NODES) return s.out;
    s.source = source_of(wengert_span(w, w->count - 1));
    if (s.source && !s.source->library) search_record(&s, s.source->program);
    *count = s.count;
    return s.out;
}
