/* .npz where libzip was missing when adl was built. */
#include "npz.h"

static _Noreturn void without(void) {
    hint("install libzip (libzip-dev) and build adl again; .npy and .json need no library");
    fail(E_IO, "this adl was built without libzip, so it cannot read or write .npz");
}

void npz_read(const Mapping *file, const char *name, EachEntry *each, void *env) {
    (void)file, (void)name, (void)each, (void)env;
    without();
}

Buffer npz_write(int count, const Entry *entry) {
    (void)count, (void)entry;
    without();
}
