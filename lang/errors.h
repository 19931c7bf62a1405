/* The codes of messages. The one idea: a code belongs to the text of a message, not to the place
 * that raises it, so that whoever writes fail() need not know the table (errors.def), and a test
 * holds the two together. */
#ifndef ERRORS_H
#define ERRORS_H
#include "diag.h"

typedef struct MessageRow {
    const char *code, *patterns, *title, *explanation, *example;
    ErrorKind kind;
} MessageRow;
extern const MessageRow message_rows[];          /* ends with a code of NULL */

/* "E0301"; never NULL. */
const char *message_code(const Error *error, Severity severity);
/* The row of a code, with or without a `?` before it, in small letters too; NULL if there is none.
 */
const MessageRow *message_row(const char *code);
/* What the row's example writes to standard error when it runs as a script, for free(). It runs in
 * the interpreter that is open. */
char *message_of_example(const MessageRow *row, bool colour, int columns);

/* How the last line of a message tells where more is said; "%s" is the code. The prompt sets its
 * own; NULL: no such line. */
extern const char *message_more;
#endif
