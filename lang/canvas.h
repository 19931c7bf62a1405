/* Pictures made of characters: the primitive below stdlib/plot.adl. */
#ifndef CANVAS_H
#define CANVAS_H
#include "value.h"

/* What --color says of standard output: 1 always, 0 never, -1 on a terminal. Set by main. */
extern int canvas_colour;
#endif
