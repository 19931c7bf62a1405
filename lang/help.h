/* What there is to say about a name: for `?name`, `??word` and completion. The one idea: everything comes
 * from the tables, the docstrings and the values themselves; what is not there is not said. */
#ifndef HELP_H
#define HELP_H
#include "eval.h"
#include "text.h"

/* One line each, without colours; for lists. */
typedef struct HelpLine { const char *kind; char text[200]; } HelpLine;
HelpLine help_line(Value v);
/* The same of a keyword; kind NULL: it is none. */
HelpLine help_keyword_line(const char *word);
/* The i-th keyword, or NULL. */
const char *help_keyword(size_t i);

/* Adds signature, description, derivative, example and relatives of a name, keyword or operator; of a name
 * with dots, as in nn.dense, the field's. false: there is none. colour: escape codes for headings. */
bool help_topic(Buffer *out, Module *module, const char *topic, bool colour, int columns);
/* Adds a line for each name of which the name or the description contains `word`; how many. */
int help_search(Buffer *out, Module *module, const char *word, bool colour, int columns);
/* The nearest name that there is help about, or NULL. */
const char *help_nearest(Module *module, const char *topic);
/* Adds text, broken at spaces into lines of at most `columns`, each behind `indent` spaces. */
void help_wrapped(Buffer *out, const char *text, int indent, int columns);

/* help_rule.c: the derivative of an operation in words and signs, one line for each input. */
void help_rule(Buffer *out, Op op);
#endif
