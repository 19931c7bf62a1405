/* Evaluating `extern`: opens the library and gives each declared name its function, variable or
 * number. */
#include <string.h>
#include "eval.h"
#include "extern.h"

/* The folder of the file the statement stands in: relative paths of libraries begin there. */
static const char *folder_of(const Module *module) {
    const char *path = module->path->text, *slash = strrchr(path, '/');
    if (!slash) return "";
    return string_new(path, (size_t)(slash - path)).as.string->text;
}

static Value declared_value(const Declaration *d, CLibrary library) {
    switch (d->kind) {
    case DECLARE_FUNCTION: return foreign_function(library, d->signature);
    case DECLARE_VARIABLE: return foreign_variable(library, d->symbol, d->type, d->free);
    case DECLARE_NUMBER: return number(d->number);
    case DECLARE_STRUCT: return foreign_struct(library, d->signature, d->type);
    }
    return NIL;
}

Value eval_extern(Ast *node, Frame *frame) {
    const Library *wanted = node->cache;
    rt.here = node->span;
    CLibrary library = foreign_open(wanted->count, wanted->name, folder_of(frame->module));
    for (uint32_t i = 0; i < node->count; i++) {
        Ast *item = node->kids[i];
        rt.here = item->span;
        value_store(variable_place(item, frame), declared_value(item->cache, library));
    }
    return NIL;
}
