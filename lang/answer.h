/* Questions at the prompt: what step() and quiz() read. The one idea: an answer is a line of
 * standard input, so that a pipe can answer as well as a person; and a value in it is an expression
 * of the language, which may use the names that the view has given out. */
#ifndef ANSWER_H
#define ANSWER_H
#include "screen.h"

/* Shows the prompt and reads a line, without the blanks around it; NULL: the input is over. Where
 * nobody types it, the line is shown behind the prompt, as if it had been typed. */
const char *answer_line(const char *prompt);

/* Forgets the names of the last view. */
void answer_start(void);
/* What the name means in answers from now on. */
void answer_name(const char *name, Value v);
/* The number or array that the text stands for; UNSET: none, for the reason given. Whatever went
 * wrong in it, the view goes on. */
Value answer_value(const char *text, const char **problem);
#endif
