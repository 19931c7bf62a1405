/* Kinks: the steps where a derivative jumps, and what adl takes there. The one idea: a kink is seen
 * from the values of the step, element by element; the table of AUTODIFF, section 3, says which
 * slope counts. */
#ifndef KINK_TEXT_H
#define KINK_TEXT_H
#include "wengert.h"

/* How many elements of a step sit on a kink, and in `text` (NULL: not wanted) the rule that was
 * used there: "relu at 0 takes slope 0". 0: none, or its values are lost. */
int64_t kink_of_step(const Wengert *w, uint32_t step, const char **text);
#endif
