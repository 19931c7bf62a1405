/* Sources, spans and the arena of a source's tree. The one idea: places are kept in one growing
 * table and named by their index; line and column are worked out only when a message asks for
 * them.
 *
 * A span with operands takes one more entry behind them: the place of the whole expression. */
#include "source.h"
#include <stdio.h>
#include <string.h>

typedef struct Chunk Chunk;
struct Chunk {
    Chunk *previous;
    size_t bytes, used;      /* of the whole block, this head included */
};
struct Arena { Chunk *chunk; };

static Sources table;       /* of the running interpreter */

/* ---- the arena ---- */

enum { FIRST_CHUNK = 4 << 10, LARGEST_CHUNK = 256 << 10, ARENA_ALIGN = 16 };

static Chunk *chunk_new(Chunk *previous, size_t least) {
    size_t bytes = previous ? previous->bytes * 2 : FIRST_CHUNK;
    if (bytes > LARGEST_CHUNK) bytes = LARGEST_CHUNK;
    if (bytes < least + sizeof(Chunk) + ARENA_ALIGN) bytes = least + sizeof(Chunk) + ARENA_ALIGN;
    Chunk *chunk = mem_alloc_zeroed(bytes);
    size_t used = (sizeof(Chunk) + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
    *chunk = (Chunk){ previous, bytes, used };
    return chunk;
}

void *arena_alloc(Source *source, size_t bytes) {
    bytes = (bytes + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
    Chunk *chunk = source->arena->chunk;
    if (!chunk || chunk->bytes - chunk->used < bytes) {
        chunk = chunk_new(chunk, bytes);
        source->arena->chunk = chunk;
    }
    void *block = (char *)chunk + chunk->used;
    chunk->used += bytes;
    return block;
}

static void arena_free(struct Arena *arena) {
    if (!arena) return;
    for (Chunk *chunk = arena->chunk, *previous; chunk; chunk = previous) {
        previous = chunk->previous;
        mem_free(chunk, chunk->bytes);
    }
    mem_free(arena, sizeof *arena);
}

/* ---- sources ---- */

/* Copies text without a byte order mark and with \n for \r\n and \r; returns the bytes written. */
static size_t normalise(char *out, const char *text, size_t bytes) {
    size_t length = 0, i = 0;
    if (bytes >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) i = 3;
    const char *first = bytes ? memchr(text + i, '\r', bytes - i) : NULL;
    length = first ? (size_t)(first - text) - i : bytes - i;       /* up to there as it is */
    if (length) memcpy(out, text + i, length);
    i += length;
    for (; i < bytes; i++) {
        if (text[i] == '\r' && i + 1 < bytes && text[i + 1] == '\n') continue;
        out[length++] = text[i] == '\r' ? '\n' : text[i];
    }
    out[length] = 0;
    return length;
}

static void find_lines(Source *source) {
    const char *text = source->text, *end = text + source->bytes, *newline = text;
    uint32_t lines = 1, line = 0;
    for (; (newline = memchr(newline, '\n', (size_t)(end - newline))); newline++) lines++;
    source->line_start = arena_alloc(source, lines * sizeof(uint32_t));
    for (newline = text; (newline = memchr(newline, '\n', (size_t)(end - newline))); newline++)
        source->line_start[++line] = (uint32_t)(newline - text) + 1;
    source->lines = lines;
}

/* A new source with a number in the table, which frees it; the number is kept nowhere else: spans
 * hold it. */
static Source *source_register(void) {
    size_t first = table.sources ? table.sources : 1;
    table.source = mem_grow(table.source, &table.source_capacity, first + 1, sizeof(Source *));
    table.source[0] = NULL;
    table.source[first] = mem_alloc_zeroed(sizeof(Source));
    table.sources = first + 1;
    return table.source[first];
}

Source *source_new(const char *name, const char *text, size_t bytes) {
    if (bytes >= UINT32_MAX)
        fail(E_LIMIT, "%s has %zu bytes: a source text may have 4 GB", name, bytes);
    Source *source = source_register();
    source->arena = mem_alloc_zeroed(sizeof *source->arena);
    source->name = symbol(name, strlen(name));
    source->text = arena_alloc(source, bytes + 1);
    source->bytes = normalise(source->text, text, bytes);
    find_lines(source);
    return source;
}

const char *source_line(const Source *source, uint32_t number, size_t *bytes) {
    if (number < 1 || number > source->lines) { *bytes = 0; return ""; }
    size_t start = source->line_start[number - 1];
    size_t end = number < source->lines ? source->line_start[number] - 1 : source->bytes;
    *bytes = end - start;
    return source->text + start;
}

static void free_sources(size_t first) {
    for (size_t i = first ? first : 1; i < table.sources; i++) {
        arena_free(table.source[i]->arena);
        mem_free(table.source[i], sizeof(Source));
    }
}

SourceMark source_mark(void) { return (SourceMark){ table.sources, table.entries }; }

void source_forget(SourceMark mark) {
    free_sources(mark.sources);
    table.sources = mark.sources;
    table.entries = mark.entries;
}

void sources_close(void) {
    free_sources(1);
    mem_free(table.source, table.source_capacity * sizeof(Source *));
    mem_free(table.entry, table.entry_capacity * sizeof(SpanEntry));
    memset(&table, 0, sizeof table);
}

Sources sources_exchange(Sources other) {
    Sources mine = table;
    table = other;
    return mine;
}

/* ---- spans ---- */

/* Sources are few and the newest is asked for most. */
static uint32_t number_of(const Source *source) {
    for (size_t i = table.sources; i-- > 1;)
        if (table.source[i] == source) return (uint32_t)i;
    return 0;
}

Span span_new(Source *source, uint32_t start, uint32_t end, uint32_t operands) {
    size_t first = table.entries ? table.entries : 1;
    size_t needed = first + 1 + (operands ? operands + 1 : 0);
    if (needed >= UINT32_MAX)
        fail(E_LIMIT, "the programs of this process have more than 4e9 places");
    table.entry = mem_grow(table.entry, &table.entry_capacity, needed, sizeof(SpanEntry));
    SpanEntry whole = { number_of(source), start, end, 0 };
    for (size_t i = first; i < needed; i++) table.entry[i] = whole;
    table.entry[first].operands = operands;
    table.entries = needed;
    return (Span)first;
}

void span_set(Span span, Source *source, uint32_t start, uint32_t end) {
    SpanEntry *entry = &table.entry[span];
    *entry = (SpanEntry){ number_of(source), start, end, entry->operands };
}

void span_set_whole(Span span, uint32_t start, uint32_t end) {
    SpanEntry *entry = &table.entry[span];
    if (entry->operands) entry += entry->operands + 1;
    entry->start = start;
    entry->end = end;
}

void span_bounds(Span span, uint32_t *start, uint32_t *end) {
    const SpanEntry *entry = &table.entry[span];
    if (entry->operands) entry += entry->operands + 1;
    *start = entry->start;
    *end = entry->end;
}

/* The 0-based line that holds the offset. */
static uint32_t line_of(const Source *source, uint32_t offset) {
    uint32_t low = 0, high = source->lines;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (source->line_start[middle] <= offset) low = middle;
        else high = middle;
    }
    return low;
}

static uint32_t characters(const char *text, size_t bytes) {
    uint32_t count = 0;
    for (size_t i = 0; i < bytes; i++) count += ((unsigned char)text[i] & 0xC0) != 0x80;
    return count;
}

bool source_is_typed(const Source *source) { return !strncmp(source->name->text, "adl[", 4); }

const Source *source_before(const Source *source) {
    if (!source || !source_is_typed(source)) return NULL;
    for (size_t i = number_of(source); i-- > 1;)
        if (source_is_typed(table.source[i])) return table.source[i];
    return NULL;
}

static Place place_at(const SpanEntry *entry) {
    Source *source = table.source[entry->source];
    uint32_t line = line_of(source, entry->start), start = source->line_start[line];
    uint32_t column = 1 + characters(source->text + start, entry->start - start);
    return (Place){ source, entry->start, entry->end, line + 1, column, entry->operands };
}

static bool is_nowhere(Span span) {
    return span == 0 || span >= table.entries || table.entry[span].source == 0;
}

Source *source_of(Span span) {
    return is_nowhere(span) ? NULL : table.source[table.entry[span].source];
}

Place place_of(Span span) {
    return is_nowhere(span) ? (Place){ 0 } : place_at(&table.entry[span]);
}

Place place_whole(Span span) {
    if (is_nowhere(span)) return (Place){ 0 };
    const SpanEntry *entry = &table.entry[span];
    return place_at(entry->operands ? entry + entry->operands + 1 : entry);
}

/* Text from start to end, each run of white space as one space, cut at a whole character. */
static const char *shortened(const char *text, size_t length, char *buffer, size_t bytes) {
    size_t out = 0;
    for (size_t i = 0; i < length && out + 1 < bytes; i++) {
        bool space = text[i] == ' ' || text[i] == '\n' || text[i] == '\t';
        if (space && out && buffer[out - 1] == ' ') continue;
        if (out + 4 >= bytes && length - i > 3) {
            while (out && ((unsigned char)text[i] & 0xC0) == 0x80) i--, out--;
            out += (size_t)snprintf(buffer + out, bytes - out, "...");
            break;
        }
        buffer[out++] = space ? ' ' : text[i];
    }
    buffer[out] = 0;
    return buffer;
}

static const char *place_text(Place place, char *buffer, size_t bytes) {
    if (!bytes) return "";
    if (!place.source) { buffer[0] = 0; return buffer; }
    return shortened(place.source->text + place.start, place.end - place.start, buffer, bytes);
}

const char *span_text(Span span, char *buffer, size_t bytes) {
    return place_text(place_of(span), buffer, bytes);
}

const char *span_whole_text(Span span, char *buffer, size_t bytes) {
    return place_text(place_whole(span), buffer, bytes);
}
