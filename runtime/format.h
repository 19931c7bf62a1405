/* Printing. The one idea: a value prints as the adl literal that makes it, so what is printed can
 * be pasted back; what a literal cannot say (the shape of a shortened array) follows as a #
 * comment.
 *
 * Scalars print with the shortest digits that read back, elements of arrays with up to 6
 * significant digits and aligned on the decimal point. A container stays on one line while it fits;
 * else each part that needs lines of its own gets them, indented to where it starts. */
#ifndef FORMAT_H
#define FORMAT_H
#include "text.h"
#include <stdio.h>

typedef struct FormatOptions {
    int width;        /* columns of a line */
    int digits;       /* significant digits of array elements */
    int threshold;    /* arrays with more elements, and lists with more items, are shortened */
    int edge;         /* items shown at each end of a shortened one */
} FormatOptions;
/* What NULL means below. The prompt sets width to its screen's. */
extern FormatOptions format_options;

/* Adds the value as print() shows it: strings bare. Further lines are indented to where it
 * starts. */
void format_value(Buffer *b, Value v, const FormatOptions *options);
/* As it stands inside a container, and as the prompt shows it: strings quoted. */
void format_literal(Buffer *b, Value v, const FormatOptions *options);
/* A piece of an f-string, {v:spec}: `08.3f`, `>10`, `.2%`, `,d`. A spec applies to each element of
 * an array, and to each number in a container. E_VALUE names the spec. spec may be NULL:
 * format_value. */
void format_piece(Buffer *b, Value v, const char *spec, size_t bytes);

enum { NUMBER_TEXT = 40 };
/* The shortest digits that read back as the same f64 (or f32): "0.1", "1e21", "-0", "nan". Gives
 * the length. */
int format_number(char out[NUMBER_TEXT], double x);
int format_float(char out[NUMBER_TEXT], float x);
/* The least number of digits that read back as |x|, which must be finite and not 0: digits
 * 10^exponent. */
typedef struct Shortest { uint64_t digits; int exponent; } Shortest;
Shortest shortest_digits(double x);
Shortest shortest_digits_f32(float x);

/* The language knows signatures: gives "name(x, y = 2)" in buffer. NULL: functions print as <fn
 * name>. */
extern const char *(*format_signature)(Function *f, char *buffer, size_t bytes);
#endif
