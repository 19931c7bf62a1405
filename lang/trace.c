/* What a message says about the running program: the calls it is in, with their arguments, the
 * arrays that the failing expression was given, and warnings about a place. The one idea: nothing
 * is noted while a program runs but the frames themselves; the text is made when it is wanted. */
#include "bind.h"
#include "diag.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- warnings ---- */

void warn_at(Span span, const char *advice, const char *format, ...) {
    if (!module_warn) return;
    Error warning = { .span = span };
    va_list args;
    va_start(args, format);
    vsnprintf(warning.message, sizeof warning.message, format, args);
    va_end(args);
    snprintf(warning.hint, sizeof warning.hint, "%s", advice);
    module_warn(&warning);
}

/* ---- traces ---- */

static void value_in_short(Value v, char *buffer, size_t bytes) {
    if (v.tag == V_NUM) {
        snprintf(buffer, bytes, "%.6g", v.as.num);
    } else if (v.tag == V_BOOL) {
        snprintf(buffer, bytes, "%s", v.as.truth ? "true" : "false");
    } else {
        describe(v, buffer, bytes);
    }
}

static void frame_text(const Frame *frame, char *buffer, size_t bytes) {
    const Fn *fn = frame->fn;
    size_t at = (size_t)snprintf(buffer, bytes, "%s(", fn_name(fn));
    for (uint32_t i = 0; i < fn->parameter_count && at < bytes; i++) {
        const Parameter *p = &fn->parameters[i];
        if (!p->name) continue;
        Value v =
            p->scope == S_CELL ? frame->cells[p->slot]->value : frame->variables[S_LOCAL][p->slot];
        char text[40];
        value_in_short(v, text, sizeof text);
        at += (size_t)snprintf(buffer + at, bytes - at, "%s%s = %s", i ? ", " : "", p->name->text,
                               text);
    }
    if (at + 2 < bytes) {
        strcpy(buffer + at, ")");
    } else {
        strcpy(buffer + bytes - 5, "...)");
    }
}

/* Kinds of errors that are about the arrays they met. */
static bool is_about_arrays(ErrorKind kind) {
    return kind == E_SHAPE || kind == E_TYPE || kind == E_INDEX || kind == E_VALUE;
}

/* Adds the arrays that the failing node was given, unless the one who failed knew better what to
 * show. */
static void note_arrays(const Error *error) {
    struct Noted noted = interp.noted;
    interp.noted.node = NULL;
    if (!noted.node || error->span != noted.node->span || error->operands ||
        !is_about_arrays(error->kind))
        return;
    uint32_t receivers = noted.node->kind != A_CALL;
    for (uint32_t i = 0; i < noted.count; i++) {
        bool argument = i >= receivers && noted.node->kind != A_INDEX;
        if (argument && noted.node->kids[i - receivers]->kind == A_SPREAD) return;
        if (noted.value[i].tag == V_ARRAY) note_operand((int)i, noted.value[i]);
    }
}

/* What the library itself was doing is nothing that a user can mend: the error is at the call of
 * the library. */
static void leave_library(Error *error) {
    Place place = place_of(error->span);
    if (!place.source || !place.source->library) return;
    for (const Frame *frame = interp.frame; frame; frame = frame->caller) {
        Place call = place_of(frame->called_from);
        if (!call.source || call.source->library) continue;
        error->span = frame->called_from;
        error->operands = 0;
        return;
    }
}

/* Calls inside the library are not shown, and repeats of one call become a count. */
void fill_trace(Error *error) {
    note_arrays(error);
    leave_library(error);
    const Frame *last = NULL;
    for (const Frame *frame = interp.frame; frame; frame = frame->caller) {
        if (!frame->fn || frame->module->library) continue;
        if (last && last->fn == frame->fn && last->called_from == frame->called_from &&
            error->frames) {
            error->frame[error->frames - 1].repeats++;
            continue;
        }
        last = frame;
        if (error->frames == ERROR_TRACE) {
            error->frames_left_out++;
            last = NULL;
            continue;
        }
        ErrorFrame *line = &error->frame[error->frames++];
        *line = (ErrorFrame){ .called_from = frame->called_from };
        frame_text(frame, line->text, sizeof line->text);
    }
}
