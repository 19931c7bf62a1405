/* Structs in C's memory. The one idea: the name of a struct is a function: of a struct of the
 * program it makes a handle to one that C may keep, of a handle it reads what lies there.
 *
 * What such a struct points to, callbacks, arrays, texts, lives as long as the handle: the pool's
 * objects that storing it made are held by a list in front of it. */
#include <string.h>
#include "ffi_parts.h"
#include "io.h"

typedef struct StructFunction {
    ForeignFunction foreign;       /* not called: it is what messages name */
    const CType *type;
} StructFunction;

/* In front of the struct. */
typedef struct Kept { Value objects; size_t bytes; } Kept;
enum { KEPT_BYTES = (sizeof(Kept) + 15) / 16 * 16 };

static void release(void *pointer) {
    if (!pointer) return;
    Kept *kept = (Kept *)((char *)pointer - KEPT_BYTES);
    value_release(kept->objects);
    mem_free(kept, kept->bytes);
}

static Value make(const StructFunction *self, Value v, const CPlace *place) {
    Handle *handle = io_own(release);
    size_t bytes = KEPT_BYTES + self->type->bytes;
    Kept *kept = mem_alloc_zeroed(bytes);
    *kept = (Kept){ NIL, bytes };
    handle->pointer = (char *)kept + KEPT_BYTES;
    size_t mark = pool_mark();
    c_store(self->type, handle->pointer, v, place);
    size_t made = pool_mark() - mark;
    Value objects = list_new(made + 2);
    for (size_t i = 0; i < made; i++) list_set(objects, i, object(rt.pool[mark + i]));
    list_set(objects, made, v);
    list_set(objects, made + 1, object((void *)self));
    kept->objects = value_hold(objects);
    return object(handle);
}

static Value call(Function *head, int count, const Value *args) {
    const StructFunction *self = (const StructFunction *)head;
    const CSignature *s = self->foreign.signature;
    CCall running = { .f = &self->foreign, .seen = NIL };
    CPlace place = { .call = &running, .parameter = s->parameter[0].name->text };
    if (count != 1) fail(E_ARGUMENT, "%s takes 1 argument, but %d were given", s->text, count);
    if (args[0].tag != V_HANDLE) return make(self, args[0], &place);
    if (!args[0].as.handle->pointer) c_fail(&place, E_FOREIGN, "is a handle that was freed before");
    return c_load(self->type, args[0].as.handle->pointer, &place);
}

Value foreign_struct(CLibrary library, CSignature *signature, CType *type) {
    c_find_release(library, type);
    StructFunction *self =
        (StructFunction *)function_new(sizeof *self, signature->name->text, call);
    self->type = type;
    self->foreign.signature = signature;
    self->foreign.library = library.name;
    return object(self);
}
