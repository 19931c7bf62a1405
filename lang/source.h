/* Sources and spans. The one idea: a Span is an index into one table of places, so that the
 * runtime can carry a place in 32 bits and only messages pay for looking it up.
 *
 * A span may be followed by the spans of its operands (span + 1, span + 2, ...), so that a message
 * about `w * x` can point at `w` and at `x`:
 *     of                        the span itself            its operands
 *     a * b, a and b, a += b    the sign                   a, b
 *     -a, not a, a'             the sign                   a
 *     f(x, y)                   f                          x, y (at most MAX_SPAN_OPERANDS)
 *     a.f(x)                    f                          a, x
 *     a.f                       f                          a
 *     a[i, j]                   [i, j]                     a, i, j
 *     a = b                     a                          a, b
 *     all else                  the whole text             none
 * place_whole() is the place of the whole expression for all of them. */
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
    struct Ast *program;      /* what parse() made of it; NULL before */
};

typedef struct Place {
    Source *source;
    uint32_t start, end;      /* byte offsets */
    uint32_t line, column;    /* 1-based; columns count characters */
    uint32_t operands;        /* how many operand spans follow */
} Place;
enum { MAX_SPAN_OPERANDS = 8 };

/* Lives as long as the process. */
Source *source_new(const char *name, const char *text, size_t bytes);
/* Is it a statement typed at the prompt, "adl[3]"? And the one typed before it; NULL: there is
 * none. */
bool source_is_typed(const Source *source);
const Source *source_before(const Source *source);
/* For texts that are only looked at: source_forget() takes back all sources and spans since the
 * mark. Nobody may hold one of them. */
typedef struct SourceMark { size_t sources, entries; } SourceMark;
SourceMark source_mark(void);
void source_forget(SourceMark mark);
/* Reserves 1 + operands spans; span_set() fills a reserved one. */
Span span_new(Source *source, uint32_t start, uint32_t end, uint32_t operands);
void span_set(Span span, Source *source, uint32_t start, uint32_t end);
void span_set_whole(Span span, uint32_t start, uint32_t end);  /* of one with operands */
void span_bounds(Span span, uint32_t *start, uint32_t *end);   /* of the whole expression; cheap */
Source *source_of(Span span);         /* cheap; of 0: NULL */
Place place_of(Span span);            /* of 0: all zero, source NULL */
Place place_whole(Span span);         /* of the whole expression that the span is the sign of */
/* The source text of a span, shortened with ... to at most `bytes`. */
const char *span_text(Span span, char *buffer, size_t bytes);
const char *span_whole_text(Span span, char *buffer, size_t bytes);
/* The text of line `number` (1-based) without its line end. */
const char *source_line(const Source *source, uint32_t number, size_t *bytes);
void *arena_alloc(Source *source, size_t bytes);   /* cleared */
void sources_close(void);                          /* frees all sources and spans */
/* All sources and spans of an interpreter. */
typedef struct SpanEntry { uint32_t source, start, end, operands; } SpanEntry;
typedef struct Sources {
    Source **source;          /* [0] is nowhere */
    size_t sources, source_capacity;
    SpanEntry *entry;         /* [0] is nowhere */
    size_t entries, entry_capacity;
} Sources;
/* Puts another interpreter's in the place of this one's, which it gives. */
Sources sources_exchange(Sources other);
#endif
