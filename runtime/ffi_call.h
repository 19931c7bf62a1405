/* Foreign functions. The one idea: a C type is a small tree of data (CType) made by whoever read
 * it, and one pair of functions, c_store() and c_load(), carries any value over in either
 * direction; calls, callbacks, structs and arrays are all built from that pair.
 *
 *     CLibrary library = foreign_open(1, &name, "");
 *     Value j0 = foreign_function(library, signature);      a Function like any other
 *
 * All that can be wrong with an argument is found before the C function runs. A callback never
 * jumps over C frames: its error waits in the call and is raised when the C function has returned.
 * Types and signatures belong to the caller and must outlive the functions. */
#ifndef FFI_CALL_H
#define FFI_CALL_H
#include <ffi.h>
#include "array.h"

typedef struct CType CType;
typedef struct CSignature CSignature;

/* ---- types ---- */
typedef struct CNumber {
    const char *name;              /* "int32" */
    size_t bytes;
    ffi_type *ffi;
    uint8_t dtype;                 /* of arrays that come back */
    bool whole;
    double low, high;              /* low <= value < high, of whole ones */
    double (*load)(const void *at);
    void (*store)(void *at, double value);
} CNumber;
const CNumber *c_number(const char *name, size_t bytes);   /* NULL if there is none of that name */

typedef enum CKind {
    C_VOID, C_NUMBER,
    C_STRING,      /* const char *, with a final 0 */
    C_HANDLE,      /* an opaque pointer of its library */
    C_ANY,         /* void *: any handle, any array's data; in a callback, the context */
    C_POINTER,     /* to `element`, as many as `dim` says; without dims to as many as there are */
    C_FUNCTION,    /* `signature` */
    C_STRUCT, C_ARRAY,             /* C_ARRAY: dim[0].number elements inside a struct */
} CKind;

enum { C_MAX_DIMS = 4, C_MAX_PARAMETERS = 24 };
/* A length: a number, or (name set) the value of that parameter. start, end: its place in the text.
 */
typedef struct CDim { int64_t number; String *name; int parameter; uint32_t start, end; } CDim;
typedef struct CField { String *name; CType *type; size_t offset; } CField;

struct CType {
    CKind kind;
    const CNumber *number;
    size_t bytes, align;
    ffi_type *ffi, own;            /* own: of a C_STRUCT and C_ARRAY */
    ffi_type **elements;           /* of those, room for one each and a final NULL */
    CType *element;
    int dims, fields;
    CDim dim[C_MAX_DIMS];
    CField *field;
    CSignature *signature;
    bool keep;                     /* C_FUNCTION: the callback lives as long as the process */
    String *name;                  /* of a struct or enum */
    String *free; /* C_HANDLE, C_STRING: the symbol of the function that frees it, or NULL */
    void (*release)(void *pointer);   /* the same, found by foreign_function() */
};
/* Fills bytes, align, ffi and the offsets of fields from the other members. */
void c_layout(CType *type);

/* ---- signatures ---- */
typedef enum CWay {
    C_IN,
    C_OUT,
    C_INOUT,
    C_FREES
} CWay; /* C_FREES: the handle is freed by the call */
typedef struct CParameter { String *name; CType *type; CWay way; } CParameter;
struct CSignature {
    String *name, *symbol;         /* in the program; in the library */
    const char *text;              /* "j0(x: double): double" */
    int count;                     /* of parameters */
    int fixed;                     /* those before `...`; `count` if there is none */
    bool variadic, open; /* `...` stands in it; at its end, so that more arguments may follow */
    bool gives_errno;
    CParameter parameter[C_MAX_PARAMETERS];
    CType *result;
};

/* ---- libraries ---- */
typedef struct CLibrary { void *handle; String *name; } CLibrary;
/* The first of the candidates that can be loaded: a path, a file's name, or a bare name as in
 * "gsl"; none at all is the program itself. `folder` (or "") is where relative paths begin.
 * E_FOREIGN says what was tried. */
CLibrary foreign_open(int count, String *const *candidates, const char *folder);
/* Functions and variables of a library; E_FOREIGN if it has no such symbol. */
Value foreign_function(CLibrary library, CSignature *signature);
/* type NULL: the address of the symbol, as a handle; `finish` is called with it when the program
 * ends well. */
Value foreign_variable(CLibrary library, String *symbol, CType *type, String *finish);

/* The function that makes and reads structs in C's memory; `signature` names it and its one
 * parameter. */
Value foreign_struct(CLibrary library, CSignature *signature, CType *type);
/* Before runtime_close(): ends the sessions of libraries, unless the program failed, and forgets
 * kept callbacks. */
void foreign_close(bool failed);
void foreign_forget(void);   /* the latter alone: where other interpreters go on */
/* For who keeps several interpreters: how a kept callback gets into its own, which it is told by
 * its tape, when C calls it while another one is inside, or none. It runs body(env) there, or gives
 * false. */
typedef bool ForeignEnter(const Tape *tape, void (*body)(void *env), void *env);
void foreign_set_enter(ForeignEnter *enter);
/* NULL for a function that is not foreign. */
const CSignature *foreign_signature(const Function *f);
#endif
