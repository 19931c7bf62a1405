/* What the files of function mode share: arguments chosen by number, and trees of inputs and
 * outputs. */
#ifndef BUILTINS_FUNCTION_H
#define BUILTINS_FUNCTION_H
#include "value.h"

/* Which arguments a function is differentiated by: argnum = 0, or a list of numbers. */
enum { MAX_ARGNUMS = 32 };
typedef struct Argnums { bool list; int count, at[MAX_ARGNUMS]; } Argnums;
Argnums argnums_of(Value argnum);
/* The chosen argument, or the list of the chosen ones, as one tree. */
Value argnums_tree(const Argnums *argnums, int count, const Value *args);
/* The arguments with the chosen ones taken from such a tree. */
Value *argnums_with(const Argnums *argnums, int count, const Value *args, Value tree);

/* E_GRADIENT unless f is a function; `name` is that of the builtin. */
void check_function(Value f, const char *name);
/* The leaves that a function is differentiated by, in a tree of its arguments; at least one. */
Value *inputs_of(Value x, int *count, const char *name);
/* The numeric leaves of a function's value; at least one. */
Value *outputs_of(Value y, int *count, const char *name);
/* Tangents or head gradients, one for each numeric leaf of `model`, each broadcast to its leaf;
 * for_nil everywhere in the place of a nil, zeros where a struct lacks a field. */
Value *like_leaves(Value tree, Value model, double for_nil, const char *what);

/* grad(f) or value_and_grad(f): argnum UNSET is the first argument. */
Value grad_function(Value f, Value argnum, bool with_value);
/* Is v one of these, and of what? */
bool is_grad_function(Value v, Value *f, Argnums *argnums, bool *with_value);

/* ---- builtins_custom.c ---- */
/* Numbers that are neither equal nor special, one for each element: weights and directions to try
 * a rule with. */
Value some_like(Value like, int seed);
#endif
