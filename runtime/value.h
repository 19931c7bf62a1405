/* Values. The one idea: a Value is 16 bytes passed by value; a number, recorded or not, is never
 * allocated.
 *
 * `node` is the place of the value on the tape: 0 for a constant, a node id, or a leaf slot with
 * the top bit set (tape.h). Objects are counted. Three sentences of ownership:
 *   arguments are borrowed;  results belong to the pool;  value_hold() what outlives the statement.
 * The pool is a stack of objects that the evaluator unwinds at each statement and call. Values
 * never change while somebody else can see them: whoever wants to write into an object makes sure
 * first that it is the only holder (copy-on-write). */
#ifndef VALUE_H
#define VALUE_H
#include "error.h"
#include "mem.h"
#include <pthread.h>

typedef enum Tag {
    V_NUM,      /* 0-d f64, unboxed */
    V_BOOL,     /* 0-d bool, unboxed */
    V_NIL,
    V_UNSET,    /* an empty variable, a missing argument; never seen by a program */
    V_ARRAY,    /* from here on: counted objects. Never 0-d f64 or bool: those are V_NUM, V_BOOL */
    V_STRING,
    V_LIST,
    V_STRUCT,
    V_FUNCTION,
    V_HANDLE,
    V_CELL,     /* a captured variable; never seen by a program */
    V_SCRATCH,  /* bytes owned by the pool; never seen by a program */
    V_DEFERRED, /* an elementwise operation not yet computed (fuse.h); never seen by a program */
} Tag;

/* pooled: the pool holds one of refs (0: it may). refs == 1 && pooled: a temporary that no
 * variable, list or tape knows. link: with refs, the chain of dead objects in obj_free(). */
typedef struct Obj { uint32_t refs; uint8_t tag; bool pooled; uint16_t link; } Obj;
typedef struct Array Array;
typedef struct String String;
typedef struct List List;
typedef struct Struct Struct;
typedef struct Function Function;
typedef struct Handle Handle;
typedef struct Cell Cell;

typedef struct Value {
    uint32_t tag;
    uint32_t node;
    union {
        double num;
        bool truth;
        Obj *obj;
        Array *array;
        String *string;
        List *list;
        Struct *record;
        Function *function;
        Handle *handle;
        Cell *cell;
    } as;
} Value;

struct String {
    Obj head;
    bool symbol;       /* interned: equal text is the same pointer */
    uint32_t hash;     /* 0: not computed yet */
    size_t bytes;
    char text[];       /* UTF-8, with a final 0 that does not count */
};

struct List {
    Obj head;
    size_t count, capacity;
    Value *item;
};

typedef struct Field { String *name; Value value; } Field;  /* name is a symbol */
struct Struct {
    Obj head;
    size_t count, capacity;
    Field *field;
    bool module;       /* a module: only its own fields, no methods */
    uint32_t *index;   /* of many fields: by name, 1 + place; struct_find() sees to it */
    size_t index_capacity, indexed;
};

struct Cell { Obj head; Value value; Cell *previous, *next; };

/* A function value. `call` is the only way from the runtime into the language. Arguments are
 * borrowed and positional, the result is pooled. Missing trailing arguments take their defaults. */
struct Function {
    Obj head;
    Value (*call)(Function *self, int count, const Value *args);
    void (*free)(Function *self);              /* releases what env holds; may be NULL */
    /* each(v, env) for each value it holds, as often as it holds it; may be NULL */
    void (*visit)(Function *self, void (*each)(Value v, void *env), void *env);
    String *name;                              /* symbol; "lambda" for one without a name */
    const void *row;                           /* a builtin's row (lang/builtins.h), else NULL */
    size_t bytes;                              /* of the whole object */
    /* the language or the operation that made it puts its own fields behind this head */
};

struct Handle {
    Obj head;
    void *pointer;
    void (*free)(void *pointer);
    String *library;
};

/* ---- making ---- */
static inline Value number(double num) { return (Value){ V_NUM, 0, { .num = num } }; }
static inline Value boolean(bool truth) {
    Value v = { V_BOOL, 0, { .num = 0 } };
    v.as.truth = truth;
    return v;
}
#define NIL ((Value){ V_NIL, 0, { .num = 0 } })
#define UNSET ((Value){ V_UNSET, 0, { .num = 0 } })
static inline Value object(void *obj) { return (Value){ ((Obj *)obj)->tag, 0, { .obj = obj } }; }

Value string_new(const char *text, size_t bytes);          /* pooled */
Value string_of(const char *text);
Value string_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
String *symbol(const char *text, size_t bytes);     /* interned, lives as long as the process */
String *symbol_known(const char *text, size_t bytes);   /* NULL: nobody has asked for it yet */
#define SYMBOL(literal) symbol(literal, sizeof(literal) - 1)
Value list_new(size_t count);                              /* pooled; items are nil */
void list_set(Value list, size_t i, Value v);        /* only while freshly made or sole holder */
/* A list one longer: the same object grown in place if it is a temporary of the pool
 * (is_temporary), else a copy. So a loop of pushes onto a fresh list costs O(1) each. */
Value list_push(Value list, Value v);
Value list_of(size_t count, const Value *items);
Value struct_new(size_t capacity);
Value *struct_find(Value record, String *name);            /* NULL if there is none */
void struct_put(Value record, String *name, Value v);   /* only while freshly made or sole holder */
/* A function object of `bytes` bytes in all (>= sizeof(Function)), cleared behind the head. */
typedef Value FunctionCall(Function *self, int count, const Value *args);
Function *function_new(size_t bytes, const char *name, FunctionCall *call);   /* pooled */
Cell *cell_new(Value v);                                   /* pooled; holds v */
/* Frees the closures that only hold each other (a local recursive function holds its own cell).
 * cell_new() calls it whenever the cells have doubled. */
enum { CELLS_START = 10000 };                  /* cells, below which nothing is collected */
void cells_collect(void);

/* ---- counting ---- */
static inline bool is_object(Value v) { return v.tag >= V_ARRAY; }
static inline bool is_temporary(Value v) {
    return is_object(v) && v.as.obj->refs == 1 && v.as.obj->pooled;
}
void obj_free(Obj *obj);                                   /* iterative: a list may be 10^6 deep */
static inline void obj_keep(void *obj) { ((Obj *)obj)->refs++; }
static inline void obj_drop(void *obj) { if (--((Obj *)obj)->refs == 0) obj_free(obj); }
static inline Value value_keep(Value v) { if (is_object(v)) v.as.obj->refs++; return v; }
static inline void value_drop(Value v) { if (is_object(v)) obj_drop(v.as.obj); }

/* A variable, list, struct or closure that stores v counts on the object *and* on its tape node. */
void node_hold(uint32_t node);
void node_release(uint32_t node);
static inline Value value_hold(Value v) {
    if (is_object(v)) v.as.obj->refs++;
    if (v.node) node_hold(v.node);
    return v;
}
static inline void value_release(Value v) {
    if (v.node) node_release(v.node);
    if (is_object(v)) obj_drop(v.as.obj);
}
static inline void value_store(Value *place, Value v) {
    value_hold(v);
    Value old = *place;
    *place = v;
    value_release(old);
}

/* ---- the pool ---- */
static inline void *pool_own(void *obj);       /* hands one reference to the pool; returns obj */
static inline size_t pool_mark(void);
static inline void pool_unwind(size_t mark);
void pool_unwind_slow(size_t mark);
void pool_grow(void);
/* Unwinds to mark but lets v live on, in the pool of whoever called. */
Value pool_pass(size_t mark, Value v);
void *pool_bytes(size_t bytes);                            /* scratch that goes with the pool */

/* ---- the state of one interpreter: all that is mutable and not in mem.c ---- */
typedef struct Tape Tape;
typedef struct Runtime {
    Span here;                /* the expression being evaluated, for errors and recorded steps */
    volatile int interrupted; /* an Interrupt, set by a signal handler; poll() looks at it */
    volatile bool
        outside; /* a call of LAPACK or a foreign function runs: an interrupt has to wait for it */
    bool (*check)(void);      /* what poll() asks; see interrupt_check() */
    unsigned checks;
    bool recording, training;
    bool custom; /* recording was on where the running function of custom_grad was called */
    bool sandbox;
    uint32_t off_tape; /* how often something was read off a recorded value without a trace on the
                          tape */
    Obj **pool;
    size_t pool_count, pool_capacity;
    struct Guard *guard;
    Error pending;            /* the error being built: hint(), operands */
    Tape *tape;
    char *stack_limit;        /* the C stack must not grow below this address */
    size_t stack_bytes;       /* the whole stack, for the message */
    pthread_t thread;         /* whose stack that is: the only one on which programs run */
    Cell *cells;              /* all captured variables, for cells_collect() */
    size_t cell_count, cell_limit;
    uint64_t random_key, random_counter;
    int threads;
    struct Interp *interp;    /* the language's part; opaque here */
    struct CCall *foreign;    /* the innermost call that is running in C (ffi_call.c) */
    void (*on_unwind)(void *mark);  /* guard() -> the language: drop frames above the mark */
    void *(*on_guard)(void);        /* guard() -> the language: a mark of its frames */
    void (*on_trace)(Error *error); /* fail() -> the language: fills error->frame, never fails */
    /* sweep.c -> the language: raises the error of a second sweep; the node, and where it was swept
     * before */
    void (*on_swept)(Span node, Span swept_at);
    void *(*sweep_mark)(void);      /* guard() -> sweep.c: a mark of the open sweeps */
    void (*sweep_unwind)(void *mark);  /* ... and closes those opened since */
} Runtime;
extern Runtime rt;

/* There is always room for one more: an object is in the pool before growing it can fail. */
static inline void *pool_own(void *obj) {
    ((Obj *)obj)->pooled = true;
    rt.pool[rt.pool_count++] = obj;
    if (__builtin_expect(rt.pool_count == rt.pool_capacity, 0)) pool_grow();
    return obj;
}
static inline size_t pool_mark(void) { return rt.pool_count; }
static inline void pool_unwind(size_t mark) { if (rt.pool_count != mark) pool_unwind_slow(mark); }

/* Holds v for a variable, as value_hold(), and takes it out of the pool if it is the last there. */
static inline void pool_take(Value v) {
    if (v.node) node_hold(v.node);
    if (!is_object(v)) return;
    if (rt.pool_count && rt.pool[rt.pool_count - 1] == v.as.obj) {
        rt.pool_count--;
        v.as.obj->pooled = false;     /* its reference is the variable's now */
    } else {
        v.as.obj->refs++;
    }
}

/* INTERRUPT_NOW ends what runs; INTERRUPT_ASK: the check decides, each time. Loops over elements
 * that cannot be left by an error return early when it is > 0, and their callers poll. */
enum { INTERRUPT_ASK = -1, INTERRUPT_NONE, INTERRUPT_NOW };
void interrupted(void);           /* raises E_INTERRUPT, unless the check says no */
/* From now on poll() asks, now and then, whether to stop; NULL: no more. */
void interrupt_check(bool (*check)(void));
#define OUTSIDE(call) (rt.outside = true, call, rt.outside = false)
static inline void poll(void) { if (__builtin_expect(rt.interrupted, 0)) interrupted(); }
/* At turn i of a loop that may be long. */
static inline void poll_at(int64_t i) { if (__builtin_expect((i & 0xFFFF) == 0, 0)) poll(); }
_Noreturn void stack_overflow(void);
static inline void check_stack(void) {
    if (__builtin_expect((char *)__builtin_frame_address(0) < rt.stack_limit, 0)) stack_overflow();
}

/* Once before use: the pool, symbols, the stack limit from the current thread, ADL_FAIL_AT. The
 * tape and the kernels are opened after it (tape_open, ops_open), and the tape is closed first. */
void runtime_open(void);
void runtime_find_stack(void);    /* again, if another thread goes on */
void runtime_close(void);  /* frees all; then mem_counts().blocks is zero, or something leaked */

/* ---- asking ---- */
static inline size_t address_hash(const void *address) {
    return (size_t)(((uint64_t)(uintptr_t)address >> 4) * 0x9E3779B97F4A7C15u >> 20);
}
const char *type_name(Value v);                 /* "array", "string", ... as type(v) gives */
bool values_equal(Value a, Value b);            /* as equal(a, b): whole values, any types */
/* A description for messages, never long: "f32 [4]", "the number 2.5", "a string". */
const char *describe(Value v, char *buffer, size_t bytes);
/* Adds "this operand is ..." to the error that is about to be raised. */
void note_operand(int part, Value v);
#endif
