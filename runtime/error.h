/* Errors. The one idea: fail() where the fact is known, guard() where life goes on.
 *
 * fail() fills one Error and jumps to the nearest guard(); setjmp stands in guard() alone. What a
 * function built before it failed is owned by the pool (value.h), which guard() unwinds, so kernels
 * and rules contain no cleanup. hint() and note_operand() add to the error that is about to be
 * raised: call them first, then fail(). Nothing here knows syntax: a Span is an opaque number that
 * lang/source.h can turn into a file, a line and a column. */
#ifndef ERROR_H
#define ERROR_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint32_t Span; /* a place in a source text; 0 is nowhere */

/*        constant       err.kind       what it is about                                          */
#define ERROR_KINDS(ROW)                                                                          \
    ROW(E_SYNTAX,    "syntax",      "the text is not adl")                                        \
    ROW(E_NAME,      "name",        "a name, field or module that does not exist")                \
    ROW(E_TYPE,      "type",        "a value of the wrong type")                                  \
    ROW(E_SHAPE,     "shape",       "arrays whose shapes do not fit")                             \
    ROW(E_INDEX,     "index",       "an index out of range, or no index at all")                  \
    ROW(E_VALUE,     "value",       "the right type, but a value that makes no sense here")       \
    ROW(E_ARGUMENT,  "argument",    "a call with wrong arguments")                                \
    ROW(E_GRADIENT,  "gradient",    "a mistake of recording, sweeping or attaching")              \
    ROW(E_LIMIT,     "limit",       "recursion, nesting or a size past its limit")                \
    ROW(E_MEMORY,    "memory",      "memory ran out, or --memory was reached")                    \
    ROW(E_IO,        "io",          "a file that cannot be read or written")                      \
    ROW(E_FOREIGN,   "foreign",     "a foreign library, symbol or call")                          \
    ROW(E_SANDBOX,   "sandbox",     "something that --sandbox forbids")                           \
    ROW(E_ASSERT,    "assert",      "an assert() that does not hold")                             \
    ROW(E_USER,      "error",       "raised by error()")                                          \
    ROW(E_INTERRUPT, "interrupt",   "Ctrl-C")                                                     \
    ROW(E_EXIT,      "exit",        "exit(status): not shown, ends the program")                  \
    ROW(E_INTERNAL,  "internal",    "a defect of adl itself")

typedef enum ErrorKind {
#define ROW(constant, name, about) constant,
    ERROR_KINDS(ROW)
#undef ROW
} ErrorKind;

enum { ERROR_OPERANDS = 4, ERROR_TRACE = 24 };

/* What an operand of the failed operation was: shown under its own text in the excerpt. */
typedef struct ErrorOperand {
    int part;       /* which operand of the span, 0-based */
    char text[80];  /* "[2, 3]", "f32 [4]", "a string" */
    Span origin;    /* where the value was made; 0 if unknown */
} ErrorOperand;

/* One line of the trace: the call of a user's function that was running. */
typedef struct ErrorFrame {
    Span called_from;
    char text[100];  /* "fact(n = 3)" */
    int repeats;     /* further identical frames folded into this one */
} ErrorFrame;

typedef struct Error {
    ErrorKind kind;
    Span span;
    char message[640];
    char hint[320];
    int operands, frames, frames_left_out;
    ErrorOperand operand[ERROR_OPERANDS];
    ErrorFrame frame[ERROR_TRACE];
    int status;      /* E_EXIT: the exit status */
} Error;

/* Raises an error of this kind at rt.here. The message is one sentence without a final dot: what
 * was expected, what came. Never returns. */
_Noreturn void fail(ErrorKind kind, const char *format, ...) __attribute__((format(printf, 2, 3)));
_Noreturn void fail_at(Span span, ErrorKind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Raises an error that was caught before, unchanged. */
_Noreturn void fail_again(const Error *error);
/* What to try: shown after "=" below the excerpt of the next fail(). */
void hint(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Runs body(env). True if it came back; false if it failed, with the error in *error (may be NULL).
 * On failure the pool, the frames, open sweeps and the recording state are as they were. */
bool guard(void (*body)(void *env), void *env, Error *error);

const char *error_kind_name(ErrorKind kind);
/* Forgets hints and operands noted for an error that was not raised after all. */
void error_forget(void);
#endif
