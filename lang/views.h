/* What the teaching views share. The one idea: a view shows something made for people and gives the
 * same as data, a list of structs; as a statement it shows, its data goes nowhere; `show = false`
 * keeps it from showing. The prompt does not show again what a view has shown. */
#ifndef VIEWS_H
#define VIEWS_H
#include "table.h"
#include "zero.h"
#include "wengert.h"

/* Ends a view: shows the text unless `show` is given and false, and passes the data on. */
Value view_done(const Buffer *text, Value data, Value show);
/* Has a view shown this very value since view_forget()? For the prompt. */
bool view_has_shown(Value v);
void view_forget(void);

/* A struct field by field: view_put(&row, "line", number(3)). */
void view_put(Value row, const char *name, Value v);
/* nil for UNSET, else the value. */
Value view_value(Value v);

/* "step", "steps". */
const char *plural(uint64_t count, const char *word);
/* "1 step", "3 steps", "12 345 steps". */
const char *counted(uint64_t count, const char *word);
/* Where something stands: "line 7"; at the prompt, where each statement has a text of its own,
 * "adl[4]". Short: "7", "[4]". "" if nobody knows. */
const char *view_place(Span span);
const char *view_short_place(Span span);
/* "on line 7", "in adl[4]" */
const char *view_at(Span span);
/* What the heads are called together: "f", "(l1, l2)", "this value". */
const char *view_head_name(const Wengert *w);
/* Where the adjoints come from, as a sentence: "adjoints: from backward(f) on line 3". */
const char *view_sweep_text(const Wengert *w);
/* For views that cannot do without what a sweep has released (w->lost). */
_Noreturn void view_fail_lost(const Wengert *w, const char *view);

/* ---- what is shown of a long list ---- */
/* In order: a step, or a gap of folded turns or, with 0 turns, of steps that are too many. */
typedef struct ViewLine {
    int64_t step;
    uint32_t turns, from, to;
} ViewLine; /* a gap: step is -1 */
/* Loops folded to the first turn and the last unless fold is false; of what is left, at most about
 * `most` lines, the middle left out. */
const ViewLine *view_lines(const Wengert *w, bool fold, uint32_t most, size_t *count);

/* ---- branches, loops, pauses (looking.h), said once each ---- */
typedef struct Happening {
    uint64_t position;      /* of the tape, where it happened first */
    Span span;
    const char *text;       /* "while norm(b) < 1000: 9 turns" */
} Happening;
/* What happened around the steps, in order of position. */
const Happening *view_happenings(const Wengert *w, size_t *count);
/* Lines inside the `record` blocks of the steps that left nothing on the tape, or nothing that the
 * heads use; in order of line. */
const Happening *view_unrecorded(const Wengert *w, size_t *count);
#endif
