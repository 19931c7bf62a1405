/* Arguments on their way to parameters, between bind.c, call.c and call_builtin.c. */
#ifndef BIND_H
#define BIND_H
#include "eval.h"

enum { FEW_ARGUMENTS = 8 };
typedef struct Named { String *name; Value value; Span span; } Named;
typedef struct Arguments {
    uint32_t count, named_count, capacity;
    const Value *positional;
    Value *grown;               /* the same, while it grows */
    Named *named;
} Arguments;

/* The arguments of a call, evaluated; receiver, or NULL, is the first. */
void eval_arguments(Ast *node, Frame *frame, const Value *receiver, Arguments *a);
/* bound[i]: the argument of parameter i; UNSET where its default is meant. */
void bind_arguments(Function *f, const Signature *s, const Arguments *a, Value *bound);
const Signature *fn_signature(Fn *fn);
const char *fn_name(const Fn *fn);
/* call_builtin.c: a call of a row, and an elementwise row's values */
Value call_builtin(Ast *node, Frame *frame, Function *f, const Value *receiver);
Value elementwise(const BuiltinRow *row, int count, const Value *arg, int reuse);
#endif
