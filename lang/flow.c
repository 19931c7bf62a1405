/* Lines made of coloured pieces. See flow.h. */
#include "flow.h"
#include <string.h>

static int width_of(const char *text) { return (int)text_width(text, strlen(text)); }

Flow flow_new(Buffer *b, int indent, int columns) { return (Flow){ b, indent, columns, 0, false }; }

static void begin(Flow *flow) {
    buffer_spaces(flow->b, flow->indent);
    flow->used = flow->indent;
    flow->begun = true;
}

void flow_break(Flow *flow) {
    if (flow->begun) buffer_char(flow->b, '\n');
    flow->begun = false;
}

static void put(Flow *flow, Style style, const char *text, int gap) {
    int width = width_of(text);
    if (flow->begun && flow->used + gap + width > flow->columns && flow->used > flow->indent)
        flow_break(flow);
    if (!flow->begun) {
        begin(flow);
        gap = 0;
    }
    buffer_spaces(flow->b, gap);
    text = short_text(text, flow->columns - flow->used - gap);
    style_text(flow->b, style, text, -1);
    flow->used += gap + width_of(text);
}

void flow_add(Flow *flow, Style style, const char *text) {
    if (*text) put(flow, style, text, flow->begun && flow->used > flow->indent ? 1 : 0);
}
void flow_join(Flow *flow, Style style, const char *text) { put(flow, style, text, 0); }

void flow_words(Flow *flow, Style style, const char *text) {
    while (*text) {
        size_t bytes = strcspn(text, " ");
        Buffer word = { 0 };
        buffer_add(&word, text, bytes);
        if (bytes) flow_add(flow, style, buffer_string(&word).as.string->text);
        text += bytes;
        while (*text == ' ') text++;
    }
}

void flow_end(Flow *flow) { flow_break(flow); }
