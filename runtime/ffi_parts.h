/* What the ffi_*.c files share: a running call, and the two directions of conversion. */
#ifndef FFI_PARTS_H
#define FFI_PARTS_H
#include "ffi_call.h"

typedef struct ForeignFunction ForeignFunction;

/* How a function of doubles alone is called, with plain numbers and over runs of arrays, without
 * libffi. */
typedef struct Quick {
    Value (*call)(const ForeignFunction *f, const Value *args);
    void (*loop)(const ForeignFunction *f, int64_t count, double *y, int64_t to,
                 const double *const *x, const int64_t *step);
} Quick;

struct ForeignFunction {
    Function head;
    CSignature *signature;
    String *library;
    void (*address)(void);
    const Quick *quick;            /* or NULL */
    ffi_cif cif;                   /* not of variadic functions */
    ffi_type *types[C_MAX_PARAMETERS];
};

/* A call that is running in C. rt.foreign is the innermost. */
typedef struct CCall {
    const ForeignFunction *f;
    struct CCall *outer;
    const Value *args;             /* one for each parameter; UNSET for `out` */
    Value seen;                    /* a list of recorded values that callbacks gave, or nil */
    bool failed;                   /* a callback failed: the error waits */
    bool looked;                   /* a callback was seen not to use recorded values */
    volatile bool stranger;        /* a callback came from another thread */
} CCall;

/* Where a value is going, for messages: a parameter, or the value of a callback for one. */
typedef struct CPlace {
    CCall *call;
    const char *parameter;         /* NULL: the result */
    bool from_callback;
    const CSignature *callback;    /* c_load of its arguments: whose dims count */
    void **slots;                  /* of the callback's arguments */
} CPlace;

/* One C value from v, of type->bytes bytes at `at`. What it points to belongs to the pool. */
void c_store(const CType *type, void *at, Value v, const CPlace *place);
/* The value of what lies at `at`; pooled. */
Value c_load(const CType *type, const void *at, const CPlace *place);
/* What `pointer` points to: one element, or an array as dims say, or a text of char. */
Value c_load_target(const CType *pointer, const void *target, const CPlace *place);
/* How many elements the dims of a C_POINTER ask for; E_ARGUMENT if a length is negative. */
int64_t c_count(const CType *pointer, const CPlace *place, int64_t *shape);
void c_store_number(const CNumber *number, void *at, Value v, const CPlace *place);
/* Room for an `out` or `inout` parameter, filled from v unless it is UNSET; *kept is what
 * c_room_value needs. */
void *c_room(const CType *pointer, Value v, const CPlace *place, Value *kept);
Value c_room_value(const CType *pointer, void *room, Value kept, const CPlace *place);
_Noreturn void c_fail(const CPlace *place, ErrorKind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A C function that calls f, alive as long as the pool's level (or the process, if type->keep). */
void *callback_new(const CType *type, Value f, const CPlace *place);
/* Raises what a callback of the call left behind, if anything. */
void callback_check(CCall *call);

Value handle_of(void *pointer, void (*release)(void *), String *library);   /* nil for NULL */
void *symbol_address(CLibrary library, String *symbol);      /* E_FOREIGN: there is none */
String *library_of(const void *address, CLibrary library);   /* the file it is in */
void c_find_release(CLibrary library, CType *type);   /* and of all types inside it */
void sessions_close(bool failed);
#endif
