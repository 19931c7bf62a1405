/* Modules: a file evaluated once into a struct. The one idea: a module's variables are one block of
 * slots that never moves, filled from the names the resolver hands out, so that functions reach
 * them by index while the prompt goes on adding names. */
#ifndef MODULE_H
#define MODULE_H
#include "parse.h"
#include "value.h"

enum { MAX_GLOBALS = 65536 };
typedef struct Module Module;
struct Module {
    String *name, *path;        /* path: of its file, or empty */
    Names names;
    Value *globals;             /* MAX_GLOBALS slots, reserved, touched as they are used */
    size_t set_up;              /* slots that hold a value or V_UNSET */
    Value record;               /* what `import` gives; nil until the file has run */
    bool running, library;
    bool script; /* nobody sees the value of its last statement: it may be warned about */
    Module *next;
};
Module *module_new(const char *name, const char *path);
/* Runs a parsed program in the module; the value of its last statement if that is an expression,
 * else nil. */
Value module_run(Module *module, Ast *program);
/* Parses and runs; a mistake in the text is raised like any other error. */
Value module_run_source(Module *module, Source *source);
/* What `import` means in `from`: the struct of a file beside it, in ADL_PATH, or of the standard
 * library. */
Value module_import(Module *from, String *name, bool is_path);
/* Runs the file of an imported module again; its new struct. */
Value module_reload(Module *module);
Value *module_global(Module *module, String *name);   /* NULL if no program has mentioned it */
/* Makes the variable hold v, as an assignment at its top level would. */
void module_define(Module *module, String *name, Value v);
void modules_close(void);

/* Shows the warnings of a parse, each once, on standard error. Set by main; NULL: they are dropped.
 */
extern void (*module_warn)(const Error *warning);

/* ---- the standard library inside the binary (made by the Makefile) ---- */
typedef struct EmbeddedFile { const char *name, *text; size_t bytes; } EmbeddedFile;
extern const EmbeddedFile embedded_files[];           /* ends with a name of NULL */
extern const EmbeddedFile embedded_lessons[];         /* examples/learn, for `adl learn` */
extern const EmbeddedFile embedded_pages[];           /* the chapters of the manual: lang/manual */
/* The module of the standard library that has a function of this name; or NULL. */
const char *module_with(const char *function);
/* Runs prelude.adl; its functions become names of the library. */
void prelude_open(void);
#endif
