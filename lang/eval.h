/* Evaluating. The one idea: choose() gives each node the function that fits its kind and its
 * operands, and evaluating is node->eval(node, frame): one indirect call, no switch.
 *
 * eval_choose.c chooses. eval.c has expressions, eval_index.c indexing, eval_names.c names that are
 * unset, eval_fast.c the specialised ones, control.c statements, assign.c targets, call.c calls and
 * functions, call_builtin.c those of builtins, bind.c their arguments, trace.c what messages say of
 * running calls, tree.c operators on lists and structs, module.c modules and the library's files.
 * What an expression gives is borrowed from a variable or owned by the pool; variables own. */
#ifndef EVAL_H
#define EVAL_H
#include "ast.h"
#include "builtins.h"
#include "fuse.h"
#include "leaves.h"
#include "module.h"
#include "source.h"
#include "tape.h"
#include <string.h>

/* ---- frames ---- */
typedef enum Flow { FLOW_ON, FLOW_BREAK, FLOW_CONTINUE, FLOW_RETURN } Flow;
struct Frame {
    Value *variables[2];        /* by Scope: S_LOCAL, S_GLOBAL */
    Cell **cells;
    Fn *fn;                     /* NULL: a module's own statements */
    Module *module;
    Frame *caller;
    uint64_t tape_mark;         /* what was recorded before belongs to the callers */
    Value result;               /* of `return`, held by the pool */
    Span called_from;
    uint8_t flow;
};

/* A closure: a Fn with the variables it captured. */
typedef struct Closure {
    Function head;
    Fn *fn;
    Module *module;
    Cell *cells[];
} Closure;

typedef struct Interp {
    Frame *frame;               /* the innermost */
    Value *stack, *top,
        *limit; /* one stack of variables for all frames; whoever raises top puts it back */
    Module *modules;
    struct Noted {
        const Ast *node;
        const Value *value;
        uint32_t count;
    } noted;          /* see note_values() */
    String *attached; /* the name attach_grad() stores back to, while it runs; else NULL */
} Interp;
extern Interp interp;

/* After runtime_open(), tape_open() and ops_open(): the stack of variables, the library, the
 * prelude. */
void interp_open(void);
void interp_close(void);
void interp_move_stack(void);     /* the running thread is another one */

/* ---- evaluating ---- */
static inline Value eval(Ast *node, Frame *frame) { return node->eval(node, frame); }
void choose(Ast *node);                          /* the whole tree below */
/* eval_fast.c: NULL if there is nothing special */
Eval *choose_fast(const Ast *node);
Test *choose_fast_test(const Ast *node);
Eval *choose_fast_item(const Ast *node);             /* for x[i], x[i, j] */
Perform *choose_fast_assign(const Ast *node);        /* for name = x op y */
Perform *choose_fast_update(const Ast *node);    /* for name op= y */
static inline Value *near_variable(const Frame *frame, Near near) {
    return (Value *)(void *)((char *)frame->variables[near.variable.table] + near.variable.offset);
}
bool truth(Value v, Span span); /* of a condition; fails as LANGUAGE.md's Truth says */
static inline bool condition(Ast *node, Frame *frame) { return node->test(node, frame); }
/* Tag and tape node as one word, the tag in its low half: 0 is a plain number; from V_ARRAY on,
 * something is counted or on the tape. */
static inline uint64_t head_of(Value v) {
    uint64_t head;
    memcpy(&head, &v, sizeof head);
    return head;
}
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "head_of() reads the tag as the low half");

/* ---- expressions: eval.c, eval_names.c, eval_index.c ---- */
Value binary(Ast *node, Value x, Value y); /* any operands; records, broadcasts, maps over trees */
Value binary_op(Op op, Value x, Value y, int reuse);
bool takes_deferred(const Function *f);         /* arguments not yet computed: fuse.h */
bool reduces_deferred(const BuiltinRow *row);
static inline bool is_numeric_or_deferred(Value v) { return is_numeric(v) || is_deferred(v); }
Value *variable_place(Ast *name, Frame *frame);  /* a name's variable, set or not */
Value library_or_fail(Ast *name, Frame *frame);  /* the value of a name whose variable is unset */
Value index_at(Ast *node, Value x, Value i);         /* of an A_INDEX with one item, no slice */
Value index_at_both(Ast *node, Value x, Value i, Value j);      /* likewise with two items */
/* The items of an A_INDEX, evaluated. */
enum { FEW_ITEMS = 4 };
typedef struct Items {
    int count;
    Value text;                 /* s["name"]: the one item, a string; else unset */
    IndexItem *item, few[FEW_ITEMS];
} Items;
void eval_items(Ast *node, Frame *frame, Items *out);
Value index_value(Value x, const Items *items, Span span);
Value field_value(Value x, String *name, Span span);
void hint_nearest(String *name, Frame *frame);   /* the nearest name that has a value there */
size_t list_index(int64_t i, size_t count, const char *what);

/* ---- statements: control.c, assign.c ---- */
Eval eval_block, eval_inner_block, eval_if, eval_break, eval_continue, eval_return, eval_record,
    eval_pause, eval_try, eval_import, eval_extern, eval_assign, eval_attach;
Ast *only_expression(Ast *block);                /* of a block that is one; else the block */
Perform run_block, run_if, run_while, run_for;
Eval *choose_assign(Ast *node); /* NULL: what choose_run_assign() gives is the way */
Perform *choose_run_assign(const Ast *node);
void update_name_with(Ast *node, Frame *frame, Value y);
/* err of `catch err`: {message, kind, line}. */
Value error_value(const Error *error);
void assign(Ast *target, Frame *frame, Value v); /* to a name, a place, or a nest of them */
/* One more slot of the stack of variables, holding v; interp.top goes back to it when it is no more
 * needed. */
Value *stack_push(Value v);
_Noreturn void stack_full(void);
/* Ends a statement: what it made and nobody stored goes. */
void statement_end_slow(const Frame *frame, size_t mark);
static inline void statement_end(const Frame *frame, size_t mark) {
    if (__builtin_expect(rt.pool_count != mark || rt.tape->busy, 0))
        statement_end_slow(frame, mark);
}
/* Unwinds the pool to mark, but for v, which it holds then, also where a variable about to go did
 * so before. */
static inline Value settle(size_t mark, Value v) {
    if (!is_object(v)) {
        pool_unwind(mark);
    } else if (rt.pool_count != mark + 1 || rt.pool[mark] != v.as.obj) {
        obj_keep(v.as.obj);
        pool_unwind(mark);
        pool_own(v.as.obj);
    }
    return v;
}
/* Walks a sequence: each(item, env) until it gives false. Fails if v cannot be walked. */
void each_item(Value v, bool (*each)(Value item, void *env), void *env);
int64_t sequence_length(Value v);                /* E_TYPE if it is none */
Value sequence_item(Value v, int64_t i);         /* not for strings, which are walked */

/* ---- calls: call.c, call_builtin.c, bind.c, trace.c ---- */
Eval eval_call_deferring, eval_method, eval_field, eval_closure, eval_fn;
Eval *choose_call(const Ast *node); /* of A_CALL, A_METHOD; has_plain_arguments() is in `op` */
Eval eval_thrown_away;              /* a call that stands as a statement, at its first run */
void warn_at(Span span, const char *advice, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Only positional arguments, no *spread; choose() keeps it in a call's `op`. */
bool has_plain_arguments(const Ast *call);
Value closure_call(Function *self, int count, const Value *args);
bool is_builtin(Value v, Builtin *call);
/* While a node runs these values: should it fail, the message shows the arrays among them. */
static inline void note_values(const Ast *node, const Value *value, uint32_t count) {
    interp.noted = (struct Noted){ node, value, count };
}
/* "f(x, y = 2)" for messages and format.h. */
const char *function_signature(Function *f, char *buffer, size_t bytes);
Value builtin_value(BuiltinRow *row);
void fill_trace(Error *error);

/* ---- trees: tree.c ---- */
Value tree_map1(Op op, Value x);
Value tree_map2(Op op, Value x, Value y);
/* Calls a function of count arguments at every leaf of the first tree among them. */
Value tree_call(Builtin *call, int count, const Value *arg);
/* fresh with the gradient slots that old carries, leaf by leaf: "slots travel with values". */
Value keep_slots(Value old, Value fresh);
#endif
