/* adl fmt. The one idea: the tokens and the ends of lines stay as they are; only blanks,
 * indentation and empty lines are set by rule, so the meaning cannot change and formatting twice
 * gives the same text. */
#ifndef FMT_H
#define FMT_H
#include "source.h"

/* The source in its canonical layout, to be freed with free(). NULL if it does not parse: *error
 * says why. */
char *format_source(Source *source, Error *error);
#endif
