/* Finding libraries and their symbols, and handles. The one idea: a candidate is tried as
 * everything it may mean, from the most to the least particular, and the loaded object's own file
 * name is what messages and handles call it, so that two spellings of one library are one library.
 *
 * A library stays loaded: somebody may still hold an address in it. */
#define _GNU_SOURCE   /* dlinfo */
#include <dlfcn.h>
#include <glob.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ffi_parts.h"
#include "io.h"
#include "text.h"

/* ---- opening ---- */

/* A search: the loaded library, or what was tried and why the last attempt failed. */
typedef struct Search { void *handle; Buffer tried; char reason[200]; } Search;

static bool attempt(Search *s, const char *file) {
    s->handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (s->handle) return true;
    const char *reason = dlerror();
    bool missing = strstr(reason, "No such file") != NULL;
    if (!missing || !s->reason[0]) snprintf(s->reason, sizeof s->reason, "%s", reason);
    return false;
}

/* "libgsl.so", where "gsl" is a bare name. */
static bool is_file_name(const char *name) {
    size_t bytes = strlen(name);
    return bytes > 3 && !strcmp(name + bytes - 3, ".so");
}

static const char *in_folder(const char *folder, int bytes, const char *name) {
    return string_format("%.*s/%s", bytes, folder, name).as.string->text;
}

/* FOLDER/NAME, FOLDER/libNAME.so, FOLDER/libNAME.so.6: the newest by its number; of libNAME.so,
 * which only those have who compile, any libNAME.so.6 too. */
static bool attempt_in(Search *s, const char *folder, int bytes, const char *name) {
    glob_t found = { 0 };
    const char *exact = in_folder(folder, bytes, name);
    FILE *file = fopen(exact, "rb");
    if (file) fclose(file);
    if (file && attempt(s, exact)) return true;
    const char *form = is_file_name(name) ? "%.*s/%s.*" : "%.*s/lib%s.so*";
    const char *pattern = string_format(form, bytes, folder, name).as.string->text;
    if (!strpbrk(name, "*?[/") && glob(pattern, 0, NULL, &found) == 0)
        for (size_t i = found.gl_pathc; i-- > 0 && !s->handle;) attempt(s, found.gl_pathv[i]);
    globfree(&found);
    return s->handle != NULL;
}

static bool attempt_in_path(Search *s, const char *folders, const char *name) {
    while (folders && *folders) {
        size_t bytes = strcspn(folders, ":");
        if (bytes && attempt_in(s, folders, (int)bytes, name)) return true;
        folders += bytes + (folders[bytes] == ':');
    }
    return false;
}

/* The folders of the loader: for a name whose file has a version behind it. */
static bool attempt_in_system(Search *s, const char *name) {
    Dl_serinfo size, *info;
    void *self = dlopen(NULL, RTLD_NOW);
    bool whole = strchr(name, '.') && !is_file_name(name);
    if (whole || dlinfo(self, RTLD_DI_SERINFOSIZE, &size)) return false;
    info = pool_bytes(size.dls_size);
    *info = size;
    if (dlinfo(self, RTLD_DI_SERINFOSIZE, info) || dlinfo(self, RTLD_DI_SERINFO, info))
        return false;
    for (unsigned i = 0; i < info->dls_cnt; i++) {
        const char *folder = info->dls_serpath[i].dls_name;
        if (attempt_in(s, folder, (int)strlen(folder), name)) return true;
    }
    return false;
}

static bool find(Search *s, const char *name, const char *folder) {
    if (strchr(name, '/')) {
        if (*name != '/' && *folder && attempt(s, in_folder(folder, (int)strlen(folder), name)))
            return true;
        return attempt(s, name);
    }
    return attempt_in_path(s, getenv("ADL_LIBRARY_PATH"), name) || attempt(s, name) ||
           attempt(s, string_format("lib%s.so", name).as.string->text) ||
           attempt_in_system(s, name);
}

static String *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    if (slash) path = slash + 1;
    return symbol(path, strlen(path));
}

static String *name_of(void *handle) {
    struct link_map *map;
    return dlinfo(handle, RTLD_DI_LINKMAP, &map) || !map->l_name[0] ? NULL : base_name(map->l_name);
}

/* The file a symbol really is in: that of `extern { fn fopen ... }` is libc's. */
String *library_of(const void *address, CLibrary library) {
    Dl_info info;
    return dladdr(address, &info) && info.dli_fname ? base_name(info.dli_fname) : library.name;
}

CLibrary foreign_open(int count, String *const *candidates, const char *folder) {
    Search s = { 0 };
    io_allow("foreign code");
    if (count == 0) return (CLibrary){ dlopen(NULL, RTLD_NOW), NULL };
    for (int i = 0; i < count; i++) {
        if (strlen(candidates[i]->text) != candidates[i]->bytes || !candidates[i]->bytes)
            fail(E_FOREIGN, "this is no name of a library");
        if (find(&s, candidates[i]->text, folder)) return (CLibrary){ s.handle, name_of(s.handle) };
        buffer_format(&s.tried, "%s`%s`",
                      i == 0           ? ""
                      : i == count - 1 ? " or "
                                       : ", ",
                      candidates[i]->text);
    }
    hint("install it, or put its folder into ADL_LIBRARY_PATH");
    fail(E_FOREIGN, "there is no library %.*s: %s", (int)s.tried.bytes, s.tried.text, s.reason);
}

/* ---- symbols ---- */

void *symbol_address(CLibrary library, String *name) {
    dlerror();
    void *address = dlsym(library.handle, name->text);
    if (address || !dlerror()) return address;
    const char *where = library.name ? library.name->text : "the program itself";
    if (!library.name) hint("name its library, as in extern \"libm.so.6\" { ... }");
    fail(E_FOREIGN, "%s has no symbol `%s`", where, name->text);
}

void c_find_release(CLibrary library, CType *type) {
    if (type->free) *(void **)&type->release = symbol_address(library, type->free);
    if (type->element) c_find_release(library, type->element);
    for (int i = 0; i < type->fields; i++) c_find_release(library, type->field[i].type);
}

/* ---- sessions ----
 * `world = symbol: data free finish`: a library that wants to be told when the program ends. After
 * an error it is not told: a library of many processes would wait for those that go on. */

enum { MAX_SESSIONS = 16 };
static void (*sessions[MAX_SESSIONS])(void *address);
static void *session_address[MAX_SESSIONS];
static int session_count;

static void add_session(void *address, void (*finish)(void *address)) {
    for (int i = 0; i < session_count; i++)
        if (sessions[i] == finish) return;
    if (session_count == MAX_SESSIONS)
        fail(E_LIMIT, "more than %d libraries want to know when the program ends", MAX_SESSIONS);
    session_address[session_count] = address;
    sessions[session_count++] = finish;
}

void sessions_close(bool failed) {
    while (session_count-- > 0)
        if (!failed) sessions[session_count](session_address[session_count]);
    session_count = 0;
}

Value foreign_variable(CLibrary library, String *name, CType *type, String *finish_name) {
    void *address = symbol_address(library, name), (*finish)(void *) = NULL;
    String *in = library_of(address, library);
    if (finish_name) *(void **)&finish = symbol_address(library, finish_name);
    if (finish) add_session(address, finish);
    if (!type) return handle_of(address, NULL, in);
    c_find_release(library, type);
    CSignature signature = { .name = name, .text = name->text };
    ForeignFunction reader = { .signature = &signature, .library = in };
    CCall call = { .f = &reader };
    return c_load(type, address, &(CPlace){ .call = &call });
}

/* ---- handles ---- */

Value handle_of(void *pointer, void (*release)(void *), String *library) {
    if (!pointer) return NIL;
    Handle *handle = io_own(release);
    handle->pointer = pointer;
    handle->library = library;
    if (library) obj_keep(library);
    return object(handle);
}
