/* Looking: what a program that mentions a teaching view keeps for it. The one idea: the tape knows
 * the steps, but not the branches, turns, pauses and calls around them; so where a view is
 * mentioned by name, the statements are evaluated by functions that also leave a note, and the tape
 * keeps what sweeps would release (tape_keeps). A program that never looks is evaluated as ever and
 * pays nothing.
 *
 * A note says at which tape positions something happened. */
#ifndef LOOKING_H
#define LOOKING_H
#include "ast.h"

typedef enum NoteKind {
    NOTE_THEN,      /* an `if` whose condition held */
    NOTE_ELSE,      /* ... did not hold */
    NOTE_LOOP,      /* `while` or `for`: count turns */
    NOTE_PAUSE,     /* a `pause` block */
    NOTE_CALL,      /* a call from the user's text whose last step is in the library's text */
} NoteKind;

typedef struct Note {
    uint64_t from, to;  /* tape positions: from <= position < to */
    const Ast *node;
    uint32_t kind, count;
} Note;

/* Starts looking: from now on the tape keeps, and what is chosen (eval.h) leaves notes. */
void looking_start(void);
bool looking(void);
/* Starts looking if the program mentions a view by a name that it does not assign itself. */
void looking_at_program(const Ast *program);
/* Replaces what evaluates the node by what also leaves a note, where one is wanted. */
void looking_choose(Ast *node);
/* The body of a loop, or a block around it that counts its turns. */
Ast *looking_body(Ast *body);

/* Branches, loops and pauses so far, in the order in which they began. */
const Note *looking_notes(size_t *count);
/* The call from the user's text in which the library recorded the step at this position; NULL: none
 * was noted. */
const Ast *looking_call(uint64_t position);
void looking_close(void);
#endif
