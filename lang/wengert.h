/* The Wengert list: what stands behind a value, as a plain array of steps. The one idea: the tape
 * is made for sweeping, this is made for reading; every teaching view is written on it.
 *
 *     Wengert *w = wengert_of(f, "tape");          the steps that lead to f, in execution order
 *     wengert_sweep(w);                            their adjoints, by a sweep of its own
 *     for (uint32_t i = 0; i < w->count; i++) {
 *         const Step *step = &w->step[i];
 *         ... operations[step->op].name, wengert_value(w, i), wengert_adjoint(w, i) ...
 *         for (int k = 0; k < step->inputs; k++)
 *             ... wengert_input(w, i, k) ...       a step, a leaf, or a constant
 *     }
 *
 * Steps are numbered from 0 here and from 1 on the screen (wengert_label). Making a list changes
 * nothing: no gradient slot is written, nothing counts as swept, no hook runs. Everything in it
 * belongs to the pool, and it is good as long as the statement that made it runs.
 *
 * What is there to see. The tape keeps every value, also after an unretained sweep, where the
 * program mentions a view by name and at the prompt (looking.h), up to 256 MB. Else a value that a
 * rule does not mention, or that a sweep has released, is lost: wengert_value() gives UNSET, which
 * prints as "–", and w->lost says that something is. Adjoints are those of the last sweep that
 * reached the heads: its head gradient is at the head still. Before any sweep there are none:
 * w->swept is false, and a view decides whether to show "–" or what a sweep would give.
 *
 * A list of 10^6 steps takes 16 bytes a step and is made in about 50 ms; adjoints cost 16 bytes and
 * 150 ns a step. wengert_folds() finds what loops repeat, so that no view prints a million lines.
 */
#ifndef WENGERT_H
#define WENGERT_H
#include "naming.h"
#include "sweep.h"

typedef struct Step {
    uint32_t node;          /* its id on the tape */
    uint32_t first;         /* its inputs are w->input[first .. first + inputs) */
    uint16_t op, inputs;
    uint32_t lost;          /* 1: a sweep has released its inputs, so nothing can be said of them */
} Step;

/* Where an input comes from. */
typedef enum InputKind { FROM_STEP, FROM_LEAF, FROM_CONSTANT, FROM_LOST } InputKind;
typedef struct Input {
    InputKind kind;
    uint32_t at;            /* of w->step, of w->leaf */
    Value value;            /* UNSET: lost */
} Input;

typedef struct WengertLeaf {
    uint32_t id;
    Span span;              /* the attach_grad that made it */
    Value value, adjoint, tangent;
} WengertLeaf;

typedef struct Wengert {
    uint32_t count, leaves;
    Step *step;
    WengertLeaf *leaf;
    int heads;
    Value *head;            /* the values behind which it stands */
    Value *gradient; /* the head gradients of the last sweep; UNSET: that head was not swept */
    bool swept;             /* the heads have been swept: gradient[0] is there */
    Span swept_at;          /* the call of that sweep; 0: unknown */
    bool lost;              /* something cannot be swept again, so there are no adjoints */
    bool hooked;            /* on_grad() hangs on a step or leaf; views do not run hooks */
    Naming *naming;
    int32_t *input;         /* coded; read it by wengert_input() */
    uint32_t inputs;        /* of all steps together */
    uint32_t *step_at;      /* by node id: 1 + the step; 0: none */
    Value adjoint, tangent, sent, given;    /* lists, or UNSET */
} Wengert;

/* The steps behind a recorded value, or behind a list of heads. `view` is what an error calls the
 * caller: "tape". Fails if a head was never recorded, as backward does. A leaf has no steps. */
Wengert *wengert_of(Value f, const char *view);

/* Adjoints of all steps and leaves, by a sweep with the head gradients of the last one, or with
 * ones where there was none. false: w->lost, values that it needs are gone. */
bool wengert_sweep(Wengert *w);
/* What takes the place of the step's adjoint in the next wengert_sweep(); UNSET: nothing does. */
void wengert_give_adjoint(Wengert *w, uint32_t step, Value g);
/* Tangents of all steps when leaf i moves by tangent[i] (UNSET: not at all). false: w->lost. */
bool wengert_forward(Wengert *w, const Value *tangent);

/* Runs a sweep of the caller's own (sweep_look, sweep_gradients) as if the steps had not been
 * swept; its error is raised when all is as it was. Not if w->lost. */
void wengert_run(Wengert *w, void (*sweep)(void *env), void *env);

/* ---- asking; UNSET: lost, not swept, not reached ---- */
Value wengert_value(const Wengert *w, uint32_t step);
Value wengert_adjoint(const Wengert *w, uint32_t step);
Value wengert_tangent(const Wengert *w, uint32_t step);
Input wengert_input(const Wengert *w, uint32_t step, int k);
/* What the rule of the step gave to its k-th input in wengert_sweep(): a term of the input's
 * adjoint. */
Value wengert_sent(const Wengert *w, uint32_t step, int k);
/* The step or leaf of a value; -1: it is not in the list. */
int64_t wengert_step_of(const Wengert *w, Value v);
int64_t wengert_leaf_of(const Wengert *w, Value v);
/* Bytes that the tape holds for the step where nobody looks: its node and what its rule mentions.
 */
double wengert_bytes(const Wengert *w, uint32_t step);

/* ---- where it stands in the program ---- */
/* The expression in the user's text; of a step inside a library function, the call of that
 * function. */
Span wengert_span(const Wengert *w, uint32_t step);
/* The library's own expression if the step is inside one of its functions, else 0. */
Span wengert_inner_span(const Wengert *w, uint32_t step);
/* 1-based; 0: unknown. */
uint32_t wengert_line(const Wengert *w, uint32_t step);
/* The statement that assigns the step's value if there is one ("y = x * 2"), else its expression.
 * If it is too long, what earlier steps computed stands as their numbers: "sigmoid(#5)". */
const char *wengert_text(const Wengert *w, uint32_t step, int columns);
/* The variable that holds the step's value, or held it; NULL: it has none. */
String *wengert_name(const Wengert *w, uint32_t step);
String *wengert_leaf_name(const Wengert *w, uint32_t leaf);
/* How a view calls an input: "x", "y #3", "#3", "2.5", "–". */
const char *wengert_label(const Wengert *w, Input input);
/* The same, but an array that is a constant is called by its text if that is short: "x", "data[0]".
 */
const char *wengert_input_label(const Wengert *w, uint32_t step, int k);
/* "y #3" or "#3" of a step. */
const char *wengert_step_label(const Wengert *w, uint32_t step);
/* How an operation is called in words: "multiply", "matrix product", "tanh". */
const char *operation_word(int op);
/* "by the rule of tanh" */
const char *operation_rule(int op);

/* ---- what repeats ---- */
/* Steps first .. first + steps, `turns` times over: of one turn, the parts (NULL: single steps). A
 * plain step is a fold of one step and one turn. */
typedef struct Fold Fold;
struct Fold {
    uint32_t first, steps, turns;   /* steps of all turns together */
    const Fold *part;               /* parts of the first turn; those of the last are `last_part` */
    const Fold *last_part;
    uint32_t parts;
};
/* The list as folds, in order; a loop of at least `least_turns` equal turns is one fold, and loops
 * in loops are folds of folds. */
const Fold *wengert_folds(const Wengert *w, uint32_t least_turns, uint32_t *count);
#endif
