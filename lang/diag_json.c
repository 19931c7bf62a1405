/* Errors as JSON, for editors: the same facts as the text, with places as numbers. */
#define _GNU_SOURCE /* asprintf */
#include "diag.h"
#include "diag_parts.h"
#include "errors.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static json_t *clean_string(const char *text) {
    char *clean = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&clean, &bytes);
    if (!out) return NULL;
    put_clean(out, text);
    fclose(out);
    json_t *string = json_string(clean);
    free(clean);
    return string;
}

/* Sets file, line, column and where it ends, counting as messages do. */
static void put_place(json_t *object, Place place) {
    if (!place.source) return;
    uint32_t line = place.line, column = place.column;
    for (uint32_t i = place.start; i < place.end; i++) {
        unsigned char c = (unsigned char)place.source->text[i];
        if (c == '\n') line++, column = 1;
        else column += (c & 0xC0) != 0x80;
    }
    json_object_set_new(object, "file", clean_string(place.source->name->text));
    json_object_set_new(object, "line", json_integer(place.line));
    json_object_set_new(object, "column", json_integer(place.column));
    json_object_set_new(object, "end_line", json_integer(line));
    json_object_set_new(object, "end_column", json_integer(column));
}

static json_t *notes_of(const Error *error, Span span) {
    json_t *notes = json_array();
    for (int i = 0; i < error->operands; i++) {
        const ErrorOperand *operand = &error->operand[i];
        if ((uint32_t)operand->part >= place_of(span).operands) continue;
        json_t *note = json_object();
        json_object_set_new(note, "text", clean_string(operand->text));
        put_place(note, place_of(span + 1 + (Span)operand->part));
        Place origin = place_of(operand->origin);
        if (origin.source) json_object_set_new(note, "from_line", json_integer(origin.line));
        json_array_append_new(notes, note);
    }
    return notes;
}

static json_t *trace_of(const Error *error) {
    json_t *trace = json_array();
    for (int i = 0; i < error->frames; i++) {
        json_t *call = json_object();
        json_object_set_new(call, "call", clean_string(error->frame[i].text));
        json_object_set_new(call, "repeats", json_integer(error->frame[i].repeats));
        put_place(call, place_of(error->frame[i].called_from));
        json_array_append_new(trace, call);
    }
    return trace;
}

char *diag_json(const Error *error, Severity severity) {
    Span span = span_to_show(error);
    json_t *object = json_object();
    json_object_set_new(object, "severity",
                        json_string(severity == DIAG_WARNING ? "warning" : "error"));
    json_object_set_new(object, "kind", json_string(error_kind_name(error->kind)));
    json_object_set_new(object, "code", json_string(message_code(error, severity)));
    json_object_set_new(object, "message", clean_string(error->message));
    if (error->hint[0]) json_object_set_new(object, "hint", clean_string(error->hint));
    put_place(object, place_of(span));
    json_object_set_new(object, "notes", notes_of(error, span));
    json_object_set_new(object, "trace", trace_of(error));
    char *text = json_dumps(object, JSON_COMPACT), *line = NULL;
    json_decref(object);
    if (text && asprintf(&line, "%s\n", text) < 0) line = NULL;
    free(text);
    return line;
}

