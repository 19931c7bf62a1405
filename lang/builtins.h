/* Builtins: what a program can call that is no operation of the runtime's table. The one idea: one
 * row of builtins.def per function, with its signature as text; the binder of bind.c reads the
 * signature once and hands the C function its arguments in the signature's order, UNSET where none
 * was given.
 *
 * The library is the table of names every module falls back to: operations, builtins, constants,
 * and the functions of stdlib/prelude.adl. */
#ifndef BUILTINS_H
#define BUILTINS_H
#include "ops.h"

/* A signature: "(x, axis = nil, *rest, sep = " ")". What comes after *rest is given by name only.
 */
typedef struct Signature {
    const char *name;
    uint32_t count, required;   /* parameters; of them, the leading ones without a default */
    int32_t rest;               /* the parameter that collects, or -1; its argument is a list */
    String **parameter;
    const char *text;           /* with its brackets, for messages */
} Signature;

typedef Value Builtin(int count,
                      const Value *arg); /* arg[i]: the signature's i-th parameter, or UNSET */

/* A row: of builtins.def, or made from a row of ops.def. A builtin Function's `row` points to one.
 */
typedef struct BuiltinRow {
    const char *name, *signature, *doc, *example;
    Builtin *call;
    Op op;                      /* the elementwise operation it is, else OP_NONE */
    bool maps;                  /* no elementwise row, but it maps over trees like one */
    bool pure; /* all it does is compute a value: thrown away, it was for nothing */
    Signature *parsed;          /* made at the first use that needs it */
} BuiltinRow;

#define BUILTIN(name, signature, doc, example) Builtin builtin_##name;
#include "builtins.def"
#undef BUILTIN

/* Fills the library with operations, builtins and constants. */
void library_open(void);
void library_close(void);
/* Puts another interpreter's table in the place of this one's, which it gives. */
void *library_exchange(void *other);
/* The place of a library name; it never moves. NULL if there is none. */
Value *library_find(String *name);
void library_put(String *name, Value v);
/* Calls each(name, value, env) for every library name, in no order. */
void library_each(void (*each)(String *name, Value v, void *env), void *env);

const Signature *row_signature(BuiltinRow *row);
/* Parses a signature's text; the result lives as long as the process. */
Signature *signature_parse(const char *name, const char *text);

/* The numbers start, start + step, ...: what range() of these arguments walks. */
typedef struct Progression { double start, step; int64_t count; } Progression;
Progression range_of(const Value arg[3]);

/* Calls any function value from C, with positional arguments, borrowed; the result is pooled. */
Value call_value(Value f, int count, const Value *args);
#endif
