/* Errors and warnings on standard error, in the form and colours that the command line asked for.
 */
#ifndef REPORT_H
#define REPORT_H
#include "diag.h"

void report_error(const Error *error);
void report_warning(const Error *warning);
/* A problem that has no place in a program, like a file that is not there. hint_text may be NULL.
 */
void report_problem(ErrorKind kind, const char *hint_text, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The bytes of a file, or of standard input for "-", for free(); NULL: it has said why not. */
char *read_program(const char *path, size_t *bytes);
/* What messages call it. */
const char *program_name(const char *path);
#endif
