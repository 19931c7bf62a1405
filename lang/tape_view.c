/* tape(f): the Wengert list as a table. The one idea: a line for each leaf and step, what loops
 * repeat folded to the first turn and the last, and between the lines what happened there without
 * being a step: branches, turns, pauses. */
#include "builtins.h"
#include "views.h"
#include "source.h"
#include <stdio.h>
#include <string.h>

enum {
    C_STEP,
    C_LINE,
    C_TEXT,
    C_OPERATION,
    C_INPUTS,
    C_SHAPE,
    C_VALUE_,
    C_TANGENT,
    C_ADJOINT,
    C_BYTES,
    COLUMNS
};
static const TableColumn columns[COLUMNS] = {
    [C_STEP] = { "#", 12, 10, true },           [C_LINE] = { "line", 4, 7, true },
    [C_TEXT] = { "expression", 14, 9, false }, [C_OPERATION] = { "operation", 9, 5, false },
    [C_INPUTS] = { "inputs", 10, 4, false },   [C_SHAPE] = { "shape", 8, 2, false },
    [C_VALUE_] = { "value", 16, 8, false },    [C_TANGENT] = { "tangent", 16, 6, false },
    [C_ADJOINT] = { "adjoint", 16, 8, false }, [C_BYTES] = { "saved", 6, 1, true },
};

/* ---- cells ---- */
enum { MOST_LINES = 200, VALUE_COLUMNS = 48 };
/* How long an expression may be before earlier steps stand in it as numbers. */
static int text_columns(int width) { return width < 70 ? 16 : width < 100 ? 22 : 36; }

static Style value_style(Value v, Style style) {
    if (v.tag == V_UNSET) return STYLE_DIM;
    return is_numeric(v) && !all_finite(v) ? STYLE_WARNING : style;
}

static void value_cell(Table *t, Value v, Style style) {
    table_cell(t, value_style(v, style), short_value(v, VALUE_COLUMNS));
}

/* An adjoint that no sweep has computed is "–"; one that a sweep did not reach, too. */
static void leaf_row(Table *t, const Wengert *w, uint32_t i, bool forward) {
    const WengertLeaf *leaf = &w->leaf[i];
    table_cell(t, STYLE_PLAIN, "");
    table_cell(t, STYLE_DIM, view_short_place(leaf->span));
    table_cell(t, STYLE_NAME, wengert_label(w, (Input){ FROM_LEAF, i, UNSET }));
    table_cell(t, STYLE_DIM, "leaf");
    table_cell(t, STYLE_PLAIN, "");
    table_cell(t, STYLE_DIM, short_shape(leaf->value));
    value_cell(t, leaf->value, STYLE_VALUE);
    if (forward) value_cell(t, leaf->tangent, STYLE_TANGENT);
    else table_cell(t, STYLE_PLAIN, "");
    value_cell(t, leaf->adjoint, STYLE_ADJOINT);
    table_cell(t, STYLE_PLAIN, "");
}

static const char *inputs_text(const Wengert *w, uint32_t step) {
    Buffer b = { 0 };
    enum { MOST_INPUTS = 6 };
    if (w->step[step].lost) return "–";
    for (int k = 0; k < w->step[step].inputs; k++) {
        if (k) buffer_text(&b, ", ");
        if (k == MOST_INPUTS) {
            buffer_format(&b, "… %d more", w->step[step].inputs - k);
            break;
        }
        buffer_text(&b, wengert_input_label(w, step, k));
    }
    return b.bytes ? buffer_string(&b).as.string->text : "";
}

static void step_row(Table *t, const Wengert *w, uint32_t i, bool forward) {
    char number_[20];
    Value value = wengert_value(w, i);
    snprintf(number_, sizeof number_, "%u", i + 1);
    table_cell(t, STYLE_PLAIN, number_);
    table_cell(t, STYLE_DIM, view_short_place(wengert_span(w, i)));
    table_cell(t, wengert_name(w, i) ? STYLE_NAME : STYLE_PLAIN,
               wengert_text(w, i, text_columns(screen_columns())));
    table_cell(t, STYLE_PLAIN, operation_word(w->step[i].op));
    table_cell(t, STYLE_PLAIN, inputs_text(w, i));
    table_cell(t, STYLE_DIM, short_shape(value));
    value_cell(t, value, STYLE_VALUE);
    if (forward) value_cell(t, wengert_tangent(w, i), STYLE_TANGENT);
    else table_cell(t, STYLE_PLAIN, "");
    value_cell(t, wengert_adjoint(w, i), STYLE_ADJOINT);
    table_cell(t, STYLE_DIM, short_bytes(wengert_bytes(w, i)));
}

static void gap_line(Table *t, const ViewLine *line) {
    char text[120];
    if (line->turns)
        snprintf(text, sizeof text, "   ⋮  × %s more: steps %u to %u", counted(line->turns, "turn"),
                 line->from + 1, line->to + 1);
    else
        snprintf(text, sizeof text, "   ⋮  %s not shown: %u to %u; tape(f, fold = false) shows all",
                 counted(line->to - line->from + 1, "step"), line->from + 1, line->to + 1);
    table_line(t, STYLE_DIM, text);
}

static void happening_line(Table *t, const Happening *h) {
    char text[240];
    snprintf(text, sizeof text, "      %4s  %s", view_short_place(h->span), h->text);
    table_line(t, STYLE_DIM, text);
}

/* ---- data ---- */
static Value input_labels(const Wengert *w, uint32_t i, Value *from) {
    size_t count = w->step[i].inputs;
    Value labels = list_new(count);
    *from = list_new(count);
    for (size_t k = 0; k < count; k++) {
        Input input = wengert_input(w, i, (int)k);
        list_set(labels, k, string_of(wengert_label(w, input)));
        list_set(*from, k, input.kind == FROM_STEP ? number(input.at + 1) : NIL);
    }
    return labels;
}

static Value row_of(const char *name, uint32_t line, const char *text, const char *operation,
                    Value value) {
    Value row = struct_new(12);
    view_put(row, "step", number(0));
    view_put(row, "line", line ? number(line) : NIL);
    view_put(row, "name", name ? string_of(name) : NIL);
    view_put(row, "text", string_of(text));
    view_put(row, "operation", string_of(operation));
    view_put(row, "value", view_value(value));
    return row;
}

static Value leaf_data(const Wengert *w, uint32_t i, bool forward) {
    const WengertLeaf *leaf = &w->leaf[i];
    String *name = wengert_leaf_name(w, i);
    Value row = row_of(name ? name->text : NULL, place_of(leaf->span).line, name ? name->text : "",
                       "leaf", leaf->value);
    view_put(row, "inputs", list_new(0));
    view_put(row, "from", list_new(0));
    if (forward) view_put(row, "tangent", view_value(leaf->tangent));
    view_put(row, "adjoint", view_value(leaf->adjoint));
    view_put(row, "bytes", number(0));
    return row;
}

static Value step_data(const Wengert *w, uint32_t i, bool forward) {
    String *name = wengert_name(w, i);
    Value from, row = row_of(name ? name->text : NULL, wengert_line(w, i), wengert_text(w, i, 400),
                             operations[w->step[i].op].name, wengert_value(w, i));
    view_put(row, "step", number(i + 1));
    view_put(row, "inputs", input_labels(w, i, &from));
    view_put(row, "from", from);
    if (forward) view_put(row, "tangent", view_value(wengert_tangent(w, i)));
    view_put(row, "adjoint", view_value(wengert_adjoint(w, i)));
    view_put(row, "bytes", number(wengert_bytes(w, i)));
    return row;
}

static Value data_of(const Wengert *w, const ViewLine *line, size_t lines, bool forward) {
    size_t count = w->leaves, at = 0;
    for (size_t i = 0; i < lines; i++) count += line[i].step >= 0;
    Value rows = list_new(count);
    for (uint32_t i = 0; i < w->leaves; i++) list_set(rows, at++, leaf_data(w, i, forward));
    for (size_t i = 0; i < lines; i++)
        if (line[i].step >= 0) list_set(rows, at++, step_data(w, (uint32_t)line[i].step, forward));
    return rows;
}

/* ---- forward ---- */
/* forward = true: every leaf moves by ones; a leaf: only that one; (leaf, direction): so. */
static bool seed_tangents(Wengert *w, Value forward, Value *tangent) {
    bool all = forward.tag == V_BOOL && !forward.node;
    if (forward.tag == V_UNSET || forward.tag == V_NIL || (all && !forward.as.truth)) return false;
    Value x = forward, v = UNSET;
    if (forward.tag == V_LIST && forward.as.list->count == 2) {
        x = forward.as.list->item[0];
        v = forward.as.list->item[1];
    }
    int64_t at = all ? -1 : wengert_leaf_of(w, x);
    if (!all && at < 0) {
        hint("forward = true moves all leaves, forward = (x, v) moves x along v");
        fail(E_ARGUMENT, "tape: forward names a leaf that %s depends on, and this is none",
             view_head_name(w));
    }
    for (uint32_t i = 0; i < w->leaves; i++) {
        Value value = w->leaf[i].value;
        tangent[i] = (all || i == at) && value.tag != V_UNSET ? ones_like(value) : UNSET;
        if (i == at && v.tag != V_UNSET) tangent[i] = op_expand_to(v, value);
    }
    return true;
}

/* ---- the view ---- */
static void add_title(Buffer *b, const Wengert *w, int width) {
    Buffer title = { 0 };
    buffer_format(&title, "the tape of %s: %s from %s", view_head_name(w),
                  counted(w->count, "step"), counted(w->leaves, "leaf"));
    style_text(b, STYLE_TITLE, short_text(buffer_string(&title).as.string->text, width), -1);
    buffer_char(b, '\n');
}

static void add_lines(Table *t, const Wengert *w, const ViewLine *line, size_t lines,
                      bool forward) {
    size_t happenings, next = 0;
    const Happening *h = view_happenings(w, &happenings);
    for (size_t i = 0; i < lines; i++) {
        int64_t step = line[i].step;
        uint64_t position = step >= 0 ? position_of(w->step[step].node) : 0;
        while (step >= 0 && next < happenings && h[next].position <= position)
            happening_line(t, &h[next++]);
        if (step >= 0) step_row(t, w, (uint32_t)step, forward);
        else gap_line(t, &line[i]);
        poll();
    }
    while (next < happenings) happening_line(t, &h[next++]);
}

static void add_remarks(Buffer *b, const Wengert *w, int width) {
    size_t count;
    const Happening *h = view_unrecorded(w, &count);
    for (size_t i = 0; i < count; i++) {
        Buffer line = { 0 };
        buffer_format(&line, "%s: %s", view_place(h[i].span), h[i].text);
        wrap_text(b, buffer_string(&line).as.string->text, 0, width);
    }
    wrap_text(b, view_sweep_text(w), 0, width);
    if (w->hooked)
        wrap_text(b, "a hook of on_grad() may have changed an adjoint; this table leaves hooks out",
                  0, width);
}

Value builtin_tape(int count, const Value *arg) {
    (void)count;
    Wengert *w = wengert_of(arg[0], "tape");
    Value *tangent = pool_bytes((w->leaves + 1) * sizeof *tangent);
    bool forward = seed_tangents(w, arg[1], tangent) && wengert_forward(w, tangent);
    bool fold = arg[2].tag == V_UNSET || arg_bool(arg[2], "fold of tape");
    if (w->swept) wengert_sweep(w);
    size_t lines;
    const ViewLine *line = view_lines(w, fold, MOST_LINES, &lines);
    int width = screen_columns();
    Buffer b = { 0 };
    Table *t = table_new(COLUMNS, columns);
    for (uint32_t i = 0; i < w->leaves; i++) leaf_row(t, w, i, forward);
    add_lines(t, w, line, lines, forward);
    add_title(&b, w, width);
    table_add(&b, t, width);
    add_remarks(&b, w, width);
    return view_done(&b, data_of(w, line, lines, forward), arg[3]);
}
