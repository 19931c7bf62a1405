/* Sources and spans. The one idea: a Span is an index into one table of places, so that the runtime can
 * carry a place in 32 bits and only messages pay for looking it up.
 *
 * A span may be followed by the spans of its operands (span + 1, span + 2, ...), so that a message about
 * `w * x` can point at `w` and at `x`. For a binary operator the span itself is the operator sign. */
#ifndef SOURCE_H
#define SOURCE_H
#include "value.h"

typedef struct Source Source;
struct Source {
    String *name;             /* "train.adl", "-e", "adl[3]", "prelude" */
    char *text;               /* UTF-8, normalised line ends, with a final 0 */
    size_t bytes;
    uint32_t *line_start;     /* byte offset of each line */
    uint32_t lines;
    bool library;             /* part of the binary: not shown in traces */
    struct Arena *arena;      /* its tree */
};

typedef struct Place {
    Source *source;
    uint32_t start, end;      /* byte offsets */
    uint32_t line, column;    /* 1-based; columns count characters */
    uint32_t operands;        /* how many operand spans follow */
} Place;

Source *source_new(const char *name, const char *text, size_t bytes);   /* lives as long as the process */
Span span_new(Source *source, uint32_t start, uint32_t end, uint32_t operands);  /* reserves 1 + operands */
void span_set(Span span, Source *source, uint32_t start, uint32_t end);          /* fills a reserved one */
Place place_of(Span span);
/* The source text of a span, shortened with ... to at most `bytes`. */
const char *span_text(Span span, char *buffer, size_t bytes);
void *arena_alloc(Source *source, size_t bytes);                        /* cleared */
#endif
