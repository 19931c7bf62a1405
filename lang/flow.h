/* Lines made of coloured pieces, broken where they do not fit. The one idea: a piece is never torn;
 * it goes to the next line, under the place where the text began, or is cut if no line is long
 * enough.
 *
 *     Flow flow = flow_new(&buffer, 4, 80);
 *     flow_add(&flow, STYLE_NAME, "y");
 *     flow_add(&flow, STYLE_PLAIN, "= x * 2");
 *     flow_end(&flow);
 */
#ifndef FLOW_H
#define FLOW_H
#include "table.h"

typedef struct Flow { Buffer *b; int indent, columns, used; bool begun; } Flow;

Flow flow_new(Buffer *b, int indent, int columns);
/* The piece behind a blank. */
void flow_add(Flow *flow, Style style, const char *text);
/* The piece right behind the last one. */
void flow_join(Flow *flow, Style style, const char *text);
/* The words of a text, each a piece. */
void flow_words(Flow *flow, Style style, const char *text);
/* From here on pieces go to a new line. */
void flow_break(Flow *flow);
void flow_end(Flow *flow);
#endif
