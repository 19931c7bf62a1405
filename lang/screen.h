/* What the teaching views know of the screen: how wide it is, whether colours are wanted, and how a
 * line is put on it. The one idea: a view asks for styles by meaning (a name, a value, an adjoint),
 * and without colours asking costs nothing and writes nothing. */
#ifndef SCREEN_H
#define SCREEN_H
#include "text.h"

typedef enum Style {
    STYLE_PLAIN,
    STYLE_TITLE,     /* of a view, of a column */
    STYLE_DIM,       /* what is said by the way */
    STYLE_NAME,      /* a variable */
    STYLE_VALUE,     /* what a step computed */
    STYLE_ADJOINT,   /* what came back in reverse */
    STYLE_TANGENT,   /* what came along forward */
    STYLE_WARNING,   /* NaN, infinity, what is lost */
    STYLES
} Style;

/* "auto" (colours on a terminal only), "always", "never": what --color says. */
void screen_colours(const char *when);
bool screen_colour(void);
/* COLUMNS if the environment has it, else the terminal's, else 80; never less than 40. */
int screen_columns(void);

/* The text in a style; `bytes` < 0: all of it. */
void style_text(Buffer *b, Style style, const char *text, int64_t bytes);
/* Shows a finished view, as print() does. */
void screen_show(const Buffer *b);
/* The words of a text in lines of at most `columns`, each behind `indent` blanks; its own newlines
 * stay. */
void wrap_text(Buffer *b, const char *text, int indent, int columns);
#endif
