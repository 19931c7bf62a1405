/* Where steps stand in the program, and what they are called. See wengert.h. */
#include "eval.h"
#include "looking.h"
#include "table.h"
#include "wengert.h"
#include <stdio.h>

static Span node_span(const Wengert *w, uint32_t step) { return node_at(w->step[step].node)->span; }

static bool in_library(Span span) {
    const Source *source = source_of(span);
    return source && source->library;
}

/* ---- places ---- */
Span wengert_span(const Wengert *w, uint32_t step) {
    Span span = node_span(w, step);
    if (!in_library(span)) return span;
    const Ast *call = looking_call(position_of(w->step[step].node));
    return call ? call->span : span;
}

Span wengert_inner_span(const Wengert *w, uint32_t step) {
    Span span = node_span(w, step);
    return in_library(span) ? span : 0;
}

uint32_t wengert_line(const Wengert *w, uint32_t step) {
    Span span = wengert_span(w, step);
    return in_library(span) ? 0 : place_whole(span).line;
}

/* What stands inside the expression of a step and is a step itself: its place in the text. */
typedef struct Part { uint32_t start, end, step; } Part;
enum { MOST_PARTS = 8, LONG_TEXT = 2000 };

/* Parts come in the order of the text; one inside another is none. */
static void add_part(Part *part, int *count, Part p) {
    int at = *count;
    for (int i = 0; i < *count; i++)
        if (p.start < part[i].end && part[i].start < p.end) return;
    while (at > 0 && part[at - 1].start > p.start) at--;
    if (*count == MOST_PARTS) return;
    memmove(part + at + 1, part + at, (size_t)(*count - at) * sizeof *part);
    part[at] = p;
    (*count)++;
}

static int parts_of(const Wengert *w, uint32_t step, uint32_t start, uint32_t end, Part *part) {
    int count = 0;
    Span span = wengert_span(w, step);
    for (uint32_t from = step; wengert_span(w, from) == span;
         from--) { /* a library call has many */
        for (int k = 0; k < w->step[from].inputs; k++) {
            Input input = wengert_input(w, from, k);
            Part p = { .step = input.at };
            if (input.kind != FROM_STEP || source_of(wengert_span(w, input.at)) != source_of(span))
                continue;
            span_bounds(wengert_span(w, input.at), &p.start, &p.end);
            if (p.start >= start && p.end <= end && p.end - p.start < end - start)
                add_part(part, &count, p);
        }
        if (!wengert_inner_span(w, from) || from == 0 || step - from > 32) break;
    }
    return count;
}

/* The text of a place with what earlier steps computed as #1, #2. */
static void add_with_parts(Buffer *b, const Wengert *w, uint32_t step, uint32_t start,
                           uint32_t end) {
    Part part[MOST_PARTS];
    const char *text = source_of(wengert_span(w, step))->text;
    int count = parts_of(w, step, start, end, part);
    for (int i = 0; i < count; i++) {
        buffer_add(b, text + start, part[i].start - start);
        buffer_format(b, "#%u", part[i].step + 1);
        start = part[i].end;
    }
    buffer_add(b, text + start, end - start);
}

/* The statement's target and sign: "y = ", "y += ". */
static void add_target(Buffer *b, const Ast *assignment) {
    char text[120];
    buffer_format(b, "%s %s= ", span_whole_text(assignment->a->span, text, sizeof text),
                  assignment->op != OP_NONE ? operations[assignment->op].prints : "");
}

/* On one line, each run of white space as one blank. */
static const char *on_one_line(const Buffer *b) {
    Buffer line = { 0 };
    for (size_t i = 0; i < b->bytes; i++) {
        char c = b->text[i] == '\n' || b->text[i] == '\t' ? ' ' : b->text[i];
        if (c != ' ' || (line.bytes && line.text[line.bytes - 1] != ' ')) buffer_char(&line, c);
    }
    return line.bytes ? buffer_string(&line).as.string->text : "";
}

static bool gives_the_value(const Wengert *w, uint32_t step, Span span);

const char *wengert_text(const Wengert *w, uint32_t step, int columns) {
    Span span = wengert_span(w, step), value = span;
    if (!source_of(span)) return "";
    Buffer whole = { 0 };
    const Ast *assignment = gives_the_value(w, step, span) ? assignment_of(w->naming, span) : NULL;
    if (assignment && assignment->kind == A_ASSIGN) {       /* y = x * 2 */
        add_target(&whole, assignment);
        if (assignment->op != OP_NONE || assignment->a->kind != A_NAME) value = assignment->b->span;
    }
    uint32_t start, end;
    span_bounds(value, &start, &end);
    if (end - start > LONG_TEXT) end = start + LONG_TEXT;
    buffer_add(&whole, source_of(value)->text + start, end - start);
    const char *full = on_one_line(&whole);
    if ((int)text_width(full, strlen(full)) <= columns) return full;
    Buffer short_one = { 0 };
    if (assignment && assignment->kind == A_ASSIGN) add_target(&short_one, assignment);
    add_with_parts(&short_one, w, step, start, end);
    return short_text(on_one_line(&short_one), columns);
}

/* ---- names ---- */
/* Is the step the one whose value its expression has? A library function has many, of which the
 * last is. */
static bool gives_the_value(const Wengert *w, uint32_t step, Span span) {
    if (!wengert_inner_span(w, step)) return true;
    return step + 1 == w->count || wengert_span(w, step + 1) != span;
}

String *wengert_name(const Wengert *w, uint32_t step) {
    String *held = name_held(w->naming, w->step[step].node);
    if (held) return held;
    Span span = wengert_span(w, step);
    return gives_the_value(w, step, span) ? name_assigned(w->naming, span) : NULL;
}

String *wengert_leaf_name(const Wengert *w, uint32_t leaf) {
    String *held = name_held(w->naming, w->leaf[leaf].id);
    if (held) return held;
    String *given = leaf_at(w->leaf[leaf].id)->name;
    return given ? given : name_assigned(w->naming, w->leaf[leaf].span);
}

const char *wengert_step_label(const Wengert *w, uint32_t step) {
    String *name = wengert_name(w, step);
    char text[200];
    if (name) snprintf(text, sizeof text, "%.150s #%u", name->text, step + 1);
    else snprintf(text, sizeof text, "#%u", step + 1);
    return string_of(text).as.string->text;
}

static const char *leaf_label(const Wengert *w, uint32_t leaf) {
    String *name = wengert_leaf_name(w, leaf);
    if (name) return name->text;
    char text[60];
    uint32_t line = place_of(w->leaf[leaf].span).line;
    if (line) snprintf(text, sizeof text, "leaf of line %u", line);
    else snprintf(text, sizeof text, "leaf %u", leaf + 1);
    return string_of(text).as.string->text;
}

const char *wengert_label(const Wengert *w, Input input) {
    switch (input.kind) {
    case FROM_STEP: return wengert_step_label(w, input.at);
    case FROM_LEAF: return leaf_label(w, input.at);
    case FROM_CONSTANT: return short_value(input.value, 30);
    case FROM_LOST: break;
    }
    return "–";
}

const char *wengert_input_label(const Wengert *w, uint32_t step, int k) {
    Input input = wengert_input(w, step, k);
    enum { SHORT = 16 };
    char text[SHORT + 8];
    if (input.kind != FROM_CONSTANT || input.value.tag != V_ARRAY) return wengert_label(w, input);
    Span span = node_span(w, step);
    if ((uint32_t)k >= place_of(span).operands || in_library(span)) return wengert_label(w, input);
    uint32_t start, end;
    span_bounds(span + 1 + (Span)k, &start, &end);
    if (end - start > SHORT) return wengert_label(w, input);
    return string_of(span_whole_text(span + 1 + (Span)k, text, sizeof text)).as.string->text;
}

/* What is said instead of the table's name where that is an abbreviation. */
static const struct { Op op; const char *word; } words[] = {
    { OP_add, "add" },           { OP_sub, "subtract" },         { OP_mul, "multiply" },
    { OP_div, "divide" },        { OP_neg, "negate" },           { OP_mod, "remainder" },
    { OP_matmul, "matrix product" }, { OP_index, "index" },      { OP_put, "assign part" },
    { OP_custom, "custom rule" }, { OP_part, "part of result" }, { OP_identity, "input" },
    { OP_unindex, "scatter" },   { OP_expand_to, "broadcast" },  { OP_sum_to, "sum to shape" },
    { OP_cast, "convert" },
};

const char *operation_rule(int op) {
    if (op == OP_custom) return "by a rule of its own";
    return string_format("by the rule of %s", operation_word(op)).as.string->text;
}

const char *operation_word(int op) {
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if ((int)words[i].op == op) return words[i].word;
    return operations[op].name;
}
