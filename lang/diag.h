/* Errors as text. The one idea: an Error holds facts and spans; here they become the message a
 * user reads.
 *
 *     error: cannot multiply shapes [2, 3] and [4]: the last axes are 3 and 4
 *       train.adl:12:9
 *        |
 *     12 |     y = w * x
 *        |         ^ ~ ^
 *        |         |   x is [4], from line 7
 *        |         w is [2, 3], from line 3
 *        = they broadcast if the last axes are equal or one of them is 1
 *       in step(w, x = [4]), called at train.adl:20:5
 *
 * The texts end in a newline and belong to the caller, who frees them with free(). */
#ifndef DIAG_H
#define DIAG_H
#include "source.h"

typedef enum Severity { DIAG_ERROR, DIAG_WARNING } Severity;

/* columns: of the screen, at which words are wrapped and long lines cut around the marks; 0: there
 * is none, and nothing is wrapped. Escape codes only with colour. E_EXIT gives "". */
char *diag_text(const Error *error, Severity severity, bool colour, int columns);
/* One JSON object on one line: severity, kind, message, hint, file, line, column, end_line,
 * end_column, notes, trace. */
char *diag_json(const Error *error, Severity severity);

/* Did you mean? Start with { text }, try all candidates; best is NULL or the nearest that is near
 * enough. */
typedef struct Nearest { const char *text, *best; int distance; } Nearest;
void nearest_try(Nearest *nearest, const char *candidate);
const char *nearest_name(const char *text, size_t count, const char *const *candidates);
#endif
