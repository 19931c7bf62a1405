/* Loads OpenBLAS at the first product, and says which kernels and how many threads it uses. An
 * OpenBLAS older than the processor does not know it and falls back to the kernels of 2004
 * ("Prescott", SSE3), which take four times as long; then it is told to take those of the newest
 * processor that it knows and that this one can replace. OPENBLAS_CORETYPE, if set, is obeyed. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "rules.h"
#define BLAS_TABLE
#include "blas.h"

static BlasFunctions functions;
static _Atomic(const BlasFunctions *) ready;
/* Only builds of OpenBLAS for several processors have all of these, other BLAS libraries none. */
static struct {
    char *(*corename)(void), *(*config)(void);
    void (*quit)(void), (*init)(void), (*set_threads)(int count);
} about;

static const char *known_equal(void) {
#ifdef __x86_64__
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) return "SkylakeX";
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return "Haswell";
#endif
    return NULL;
}

static void choose_core(void) {
    const char *better = known_equal();
    if (!better || getenv("OPENBLAS_CORETYPE") || !about.corename || !about.quit || !about.init ||
        strcmp(about.corename(), "Prescott"))
        return;
    setenv("OPENBLAS_CORETYPE", better, true);
    about.quit();
    about.init();
    unsetenv("OPENBLAS_CORETYPE");
}

/* Its name, then the place where it was when adl was built. */
static void *open_library(void) {
    static const char *const names[] = { "libopenblas.so.0", "libopenblas.0.dylib",
                                         "libopenblas.dylib" };
    void *library = NULL;
    char path[512];
    for (int i = 0; i < 6 && !library; i++) {
        snprintf(path, sizeof path, "%s%s", i < 3 ? "" : OPENBLAS_FOLDER "/", names[i % 3]);
        library = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
    }
    return library;
}

/* Its own threads stay out of the way: products are cut up for those of par.c (linalg.c), which
 * sleep when there is nothing to do, where OpenBLAS' go on asking for the processor. */
static void *open_without_threads(void) {
    bool told = getenv("OPENBLAS_NUM_THREADS") != NULL;
    if (!told) setenv("OPENBLAS_NUM_THREADS", "1", true);
    void *library = open_library();
    if (!told) unsetenv("OPENBLAS_NUM_THREADS");
    return library;
}

static void load(void) {
    void *library = open_without_threads();
    if (!library) return;
#define F(name) functions.name = (__typeof__(&name))dlsym(library, #name);
    BLAS_FUNCTIONS(F)
#undef F
    about.corename = (char *(*)(void))dlsym(library, "openblas_get_corename");
    about.config = (char *(*)(void))dlsym(library, "openblas_get_config");
    about.quit = (void (*)(void))dlsym(library, "gotoblas_dynamic_quit");
    about.init = (void (*)(void))dlsym(library, "gotoblas_dynamic_init");
    about.set_threads = (void (*)(int))dlsym(library, "openblas_set_num_threads");
    if (about.set_threads) about.set_threads(1);
    choose_core();
    bool whole = true;
#define F(name) whole = whole && functions.name;
    BLAS_FUNCTIONS(F)
#undef F
    if (whole) atomic_store_explicit(&ready, &functions, memory_order_release);
}

static const BlasFunctions *loaded(void) {
    const BlasFunctions *there = atomic_load_explicit(&ready, memory_order_acquire);
    if (there) return there;
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return atomic_load_explicit(&ready, memory_order_acquire);
}

const BlasFunctions *blas(void) {
    const BlasFunctions *there = loaded();
    if (there) return there;
    hint("install it: libopenblas0 on Debian, openblas elsewhere");
    fail(E_IO, "the library OpenBLAS, which multiplies matrices, is not there");
}

const char *blas_configuration(void) {
    return loaded() && about.config ? about.config() : "not there";
}

const char *blas_core(void) { return loaded() && about.corename ? about.corename() : ""; }
