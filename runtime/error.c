/* Raising and catching. The one idea: one Error is built in rt.pending, where nothing can fail for
 * want of memory, and one setjmp in guard() catches it. It must not know what the language does
 * between the two: frames and sweeps are unwound through the hooks of Runtime. */
#include "value.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a guard() gives back to the world it was entered in. */
typedef struct Guard {
    jmp_buf back;
    struct Guard *outer;
    size_t pool;
    void *frames, *sweeps;
    Span here;
    bool recording, training, custom;
} Guard;

/* The C stack left to whoever handles an overflow. */
enum { STACK_FOR_TRACE = 64 << 10 };

const char *error_kind_name(ErrorKind kind) {
    static const char *const names[] = {
#define ROW(constant, name, about) [constant] = name,
        ERROR_KINDS(ROW)
#undef ROW
    };
    return names[kind];
}

void error_forget(void) {
    rt.pending.hint[0] = 0;
    rt.pending.operands = 0;
    rt.pending.frames = rt.pending.frames_left_out = 0;
    rt.pending.status = 0;
}

/* A text cut in mid-character would not be UTF-8 any more. */
static void end_whole(char *text, size_t bytes) {
    size_t end = strlen(text);
    if (end + 1 < bytes) return;
    while (end > 0 && ((unsigned char)text[end - 1] & 0xC0) == 0x80) end--;
    if (end > 0 && (unsigned char)text[end - 1] >= 0xC0) end--;
    text[end] = 0;
}

static void write_text(char *text, size_t bytes, const char *format, va_list args) {
    vsnprintf(text, bytes, format, args);
    end_whole(text, bytes);
}

/* Before the jump: frames and sweeps are on the C stack that it gives up. */
static void unwind(const Guard *guard) {
    if (rt.sweep_unwind) rt.sweep_unwind(guard->sweeps);
    if (rt.on_unwind) rt.on_unwind(guard->frames);
    rt.here = guard->here;
    rt.recording = guard->recording;
    rt.training = guard->training;
    rt.custom = guard->custom;
    pool_unwind(guard->pool);
}

static _Noreturn void raise_pending(void) {
    Guard *guard = rt.guard;
    if (guard) {
        rt.guard = guard->outer;
        unwind(guard);
        longjmp(guard->back, 1);
    }
    const char *kind = error_kind_name(rt.pending.kind);
    fprintf(stderr, "%s error, and nobody to catch it: %s\n", kind, rt.pending.message);
    abort();
}

/* The trace may itself check the stack: it gets some of what runtime_open() kept back. */
static void add_trace(Error *error) {
    if (!rt.on_trace || error->kind == E_EXIT) return;
    rt.stack_limit -= STACK_FOR_TRACE;
    rt.on_trace(error);
    rt.stack_limit += STACK_FOR_TRACE;
}

static _Noreturn void fail_with(Span span, ErrorKind kind, const char *format, va_list args) {
    Error *error = &rt.pending;
    error->kind = kind;
    error->span = span;
    write_text(error->message, sizeof error->message, format, args);
    add_trace(error);
    raise_pending();
}

void fail(ErrorKind kind, const char *format, ...) {
    va_list args;
    va_start(args, format);
    fail_with(rt.here, kind, format, args);
}

void fail_at(Span span, ErrorKind kind, const char *format, ...) {
    va_list args;
    va_start(args, format);
    fail_with(span, kind, format, args);
}

void fail_again(const Error *error) {
    memmove(&rt.pending, error, sizeof *error);
    raise_pending();
}

void hint(const char *format, ...) {
    va_list args;
    va_start(args, format);
    write_text(rt.pending.hint, sizeof rt.pending.hint, format, args);
    va_end(args);
}

bool guard(void (*body)(void *env), void *env, Error *error) {
    Guard guard = { .outer = rt.guard, .pool = pool_mark(), .here = rt.here,
                    .recording = rt.recording, .training = rt.training, .custom = rt.custom };
    if (rt.on_guard) guard.frames = rt.on_guard();
    if (rt.sweep_mark) guard.sweeps = rt.sweep_mark();
    rt.guard = &guard;
    if (setjmp(guard.back) == 0) {
        body(env);
        rt.guard = guard.outer;
        return true;
    }
    if (error) *error = rt.pending;
    error_forget();
    return false;
}

enum { POLLS_A_CHECK = 256 };

void interrupted(void) {
    if (rt.interrupted == INTERRUPT_ASK && (++rt.checks % POLLS_A_CHECK || !rt.check())) return;
    rt.interrupted = rt.check ? INTERRUPT_ASK : INTERRUPT_NONE;
    fail(E_INTERRUPT, "interrupted");
}

void interrupt_check(bool (*check)(void)) {
    rt.check = check;
    rt.interrupted = check ? INTERRUPT_ASK : INTERRUPT_NONE;
}

void stack_overflow(void) {
    char size[32];
    mem_text(rt.stack_bytes, size, sizeof size);
    hint("a loop needs no stack; `ulimit -s` gives a larger one");
    fail(E_LIMIT, "the recursion is too deep: it has used up the stack of %s", size);
}
