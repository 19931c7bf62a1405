/* PNG where Cairo was missing when adl was built. */
#include "builtins.h"

_Noreturn Value builtin_write_png(int count, const Value *arg) {
    (void)count, (void)arg;
    hint("install Cairo (libcairo2-dev) and build adl again; .svg needs no library");
    fail(E_IO, "this adl was built without Cairo, so it cannot write .png");
}
