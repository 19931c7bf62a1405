/* What messages as text and as JSON share. */
#ifndef DIAG_PARTS_H
#define DIAG_PARTS_H
#include "source.h"
#include <stdio.h>

/* A text without anything that could move a cursor; newlines stay. */
void put_clean(FILE *out, const char *text);
/* Where to point: into the user's text, even if the library met the error. */
Span span_to_show(const Error *error);
#endif
