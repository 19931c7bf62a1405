/* What there is to say about a name: for `?name`, `??word` and completion. The one idea: what the
 * session has made itself is described here, everything else is in the manual (doc.h). */
#ifndef HELP_H
#define HELP_H
#include "eval.h"
#include "text.h"

/* One line, without colours; for lists. */
typedef struct HelpLine { const char *kind; char text[200]; } HelpLine;
HelpLine help_line(Value v);
/* The i-th keyword, or NULL, and what it does. */
const char *help_keyword(size_t i, const char **about);

/* Adds what there is to say about a name (also nn.dense), keyword, operator, message code or
 * chapter: a function's signature, description, derivative, example and relatives. false: there is
 * nothing. */
bool help_topic(Buffer *out, Module *module, const char *topic, bool colour, int columns);
/* Adds a line for each name of which the name or the description contains `word`; how many. */
int help_search(Buffer *out, Module *module, const char *word, bool colour, int columns);
/* The nearest name that there is help about, or NULL. */
const char *help_nearest(Module *module, const char *topic);
#endif
