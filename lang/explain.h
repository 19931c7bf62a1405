/* The chain rule in words and numbers, step by step: what explain(), step() and quiz() say. The one
 * idea: what each step hands to its inputs is the rule, read off the table (rule_text.h), the
 * numbers put in, and the sum so far where a value is used several times.
 *
 *     Explain e = explain_new(w);          of a list whose adjoints are there (wengert_sweep)
 *     explain_forward(&e, 0);              "#1 line 3: y = x * 2 = 6"
 *     explain_start(&e);                   the head gradients
 *     explain_reverse(&e, 0);              "#1 ... has the adjoint 1", "to x: ..."
 *     ... e.b has the text, e.rows the data ...
 */
#ifndef EXPLAIN_H
#define EXPLAIN_H
#include "flow.h"
#include "views.h"

typedef struct Explain {
    Wengert *w;
    Buffer b;
    int width;
    bool *on_path;          /* by step; NULL: all are */
    int64_t from_step, from_leaf;   /* explain(f, x): x, else -1 */
    Value so_far, leaf_so_far;      /* lists: the sums of what has come */
    Value rows;             /* the data */
    bool folded;            /* the sums of some steps were not followed */
} Explain;

/* With recording off while it is used, since sums are computed. */
Explain explain_new(Wengert *w);
/* Nothing has come anywhere; the text and the rows are empty. */
void explain_restart(Explain *e);

/* ---- pieces ---- */
void explain_title(Explain *e, const char *text);
void explain_words(Explain *e, int indent, Style style, const char *text);
/* A value as short as the screen wants it. */
const char *explain_value(const Explain *e, Value v);
/* "y", or "#3" of a step without a name. */
const char *explain_step_name(const Explain *e, uint32_t step);
/* Is it on the paths that are shown? */
bool explain_shows(const Explain *e, uint32_t step);
bool explain_shows_input(const Explain *e, Input input);

/* ---- forward ---- */
void explain_leaf(Explain *e, uint32_t leaf);
void explain_forward(Explain *e, uint32_t step);
void explain_gap(Explain *e, const ViewLine *line, const char *what);
void explain_happening(Explain *e, const Happening *h);

/* ---- reverse; from the heads down, since it follows the sums ---- */
void explain_start(Explain *e);
/* The step's adjoint and what it hands to each input. */
void explain_reverse(Explain *e, uint32_t step);
/* Its slope by its k-th input alone, as a hint. */
void explain_slope(Explain *e, uint32_t step, int k);
/* What it hands to its k-th input. */
void explain_input(Explain *e, uint32_t step, int k);
/* The same without words, of steps that are folded away. */
void explain_unseen(Explain *e, uint32_t step);
/* The gradients of the leaves. */
void explain_result(Explain *e);
#endif
