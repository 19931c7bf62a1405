/* The reference manual. The one idea: it is made as one text in a small part of Markdown, from the
 * tables and docstrings that the program itself runs on, and drawn from there for the terminal or
 * as HTML. */
#ifndef DOC_H
#define DOC_H
#include <stdbool.h>
#include <stdio.h>

/* The whole manual, in Markdown. */
void doc_manual(FILE *out);
/* What the manual says of a name ("matmul", "nn.dense", "@"), a message ("E0301", "?E0301") or a
 * chapter
 * ("kinks", "record"). false: nothing. */
bool doc_entry(FILE *out, const char *name);
/* The same for a terminal of so many columns, for free(); NULL: nothing. */
char *doc_text(const char *name, int columns, bool colour);
/* The nearest name that has an entry, or NULL. */
const char *doc_nearest(const char *name);
/* Calls each(name, summary, env) for everything that has an entry. */
void doc_each(void (*each)(const char *name, const char *summary, void *env), void *env);

/* ---- drawing: doc_terminal.c, doc_html.c ---- */
void draw_terminal(FILE *out, const char *markdown, int columns, bool colour);
/* One page that needs nothing else, with a search box. */
void draw_html(FILE *out, const char *markdown);
#endif
