/* .npz by libzip: archives are read from and written to memory, so that files stay io.c's. */
#include "npz.h"
#include <dlfcn.h>
#include <string.h>
#include <zip.h>

/* libzip is loaded by the first archive: linked, its compressors and ciphers would make every
 * start slower. */
#define FUNCTIONS(F) \
    F(close) F(discard) F(error_fini) F(error_init) F(error_strerror) F(fclose) F(file_add) \
    F(fopen_index) F(fread) F(get_num_entries) F(open_from_source) F(set_file_compression) \
    F(source_buffer) F(source_buffer_create) F(source_close) F(source_free) F(source_keep) \
    F(source_open) F(source_read) F(source_stat) F(stat_index) F(strerror)
static struct {
#define F(name) __typeof__(&zip_##name) name;
    FUNCTIONS(F)
#undef F
} zip;

static void *open_libzip(void) {
    static const char *const names[] = { "libzip.so.5", "libzip.so.4", "libzip.5.dylib",
                                         LIBZIP_FOLDER "/libzip.so",
                                         LIBZIP_FOLDER "/libzip.dylib" };
    void *library = NULL;
    for (size_t i = 0; i < sizeof names / sizeof *names && !library; i++)
        library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    return library;
}

static void load_libzip(void) {
    if (zip.close) return;
    void *library = open_libzip();
    if (!library) {
        hint("install libzip (libzip4 on Debian); .npy needs no library");
        fail(E_IO, "cannot read or write .npz: libzip is not there");
    }
#define F(name) zip.name = (__typeof__(&zip_##name))dlsym(library, "zip_" #name);
    FUNCTIONS(F)
#undef F
}

static void discard(void *archive) { if (archive) zip.discard(archive); }
static void close_entry(void *entry) { if (entry) zip.fclose(entry); }
static void free_source(void *source) { if (source) zip.source_free(source); }

static _Noreturn void unreadable(const char *name, zip_error_t *error) {
    char reason[160];
    snprintf(reason, sizeof reason, "%s", zip.error_strerror(error));
    zip.error_fini(error);
    fail(E_VALUE, "%s is no readable .npz archive: %s", name, reason);
}

/* ---- reading ---- */

static zip_t *open_archive(Handle *handle, const Mapping *file, const char *name) {
    zip_error_t error;
    zip.error_init(&error);
    zip_source_t *source = zip.source_buffer_create(file->text, file->bytes, 0, &error);
    if (!source) unreadable(name, &error);
    zip_t *archive = handle->pointer =
        zip.open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &error);
    if (archive) return archive;
    zip.source_free(source);
    unreadable(name, &error);
}

/* Is there room in the packed bytes for what the directory promises? Deflate packs at most 1032 to
 * 1 (its longest match, 258 bytes, in 2 bits). What passes is bounded by memory, as any array. */
static void refuse_lies(const zip_stat_t *about, const char *name) {
    enum { MOST_RATIO = 1032 };
    char size[32];
    bool stored = about->comp_method == ZIP_CM_STORE;
    if (!stored && about->comp_method != ZIP_CM_DEFLATE)
        fail(E_VALUE, "%s: %s is packed in a way that NumPy does not use", name, about->name);
    if (about->size / (stored ? 1 : MOST_RATIO) <= about->comp_size) return;
    fail(E_LIMIT, "%s: %s would unpack to %s from %llu bytes, which is impossible", name,
         about->name, mem_text(about->size, size, sizeof size),
         (unsigned long long)about->comp_size);
}

static void read_entry(zip_t *archive, zip_uint64_t i, const char *name, EachEntry *each,
                       void *env) {
    zip_stat_t about;
    Handle *handle = io_own(close_entry);
    if (zip.stat_index(archive, i, 0, &about) || !(about.valid & ZIP_STAT_SIZE))
        fail(E_VALUE, "%s: entry %llu of the archive is damaged", name, (unsigned long long)i);
    refuse_lies(&about, name);
    zip_file_t *file = handle->pointer = zip.fopen_index(archive, i, 0);
    if (!file) fail(E_VALUE, "%s: %s: %s", name, about.name, zip.strerror(archive));
    char *bytes = pool_bytes(about.size + 1);
    for (zip_uint64_t at = 0; at < about.size;) {
        zip_int64_t got =
            zip.fread(file, bytes + at, about.size - at < RUN ? about.size - at : RUN);
        if (got <= 0) fail(E_VALUE, "%s: %s is damaged", name, about.name);
        at += (zip_uint64_t)got;
        poll();
    }
    /* One byte more than promised would be a lie; reading to the end also checks the sum. */
    if (zip.fread(file, bytes + about.size, 1) != 0)
        fail(E_VALUE, "%s: %s is damaged", name, about.name);
    each(&(Entry){ about.name, bytes, about.size }, env);
}

void npz_read(const Mapping *file, const char *name, EachEntry *each, void *env) {
    if (!file->bytes) fail(E_VALUE, "%s is no readable .npz archive: it is empty", name);
    load_libzip();
    zip_t *archive = open_archive(io_own(discard), file, name);
    zip_int64_t count = zip.get_num_entries(archive, 0);
    for (zip_int64_t i = 0; i < count; i++) {
        size_t mark = pool_mark();
        read_entry(archive, (zip_uint64_t)i, name, each, env);
        pool_unwind(mark);
    }
}

/* ---- writing ---- */

static _Noreturn void unwritable(zip_t *archive) {
    fail(E_IO, "the .npz archive could not be made: %s", zip.strerror(archive));
}

static void add_entry(zip_t *archive, const Entry *entry) {
    zip_source_t *source = zip.source_buffer(archive, entry->bytes, entry->count, 0);
    if (!source) unwritable(archive);
    zip_int64_t at = zip.file_add(archive, entry->name, source, ZIP_FL_ENC_UTF_8);
    if (at < 0) {
        zip.source_free(source);
        unwritable(archive);
    }
    zip.set_file_compression(archive, (zip_uint64_t)at, ZIP_CM_STORE, 0);
}

/* The finished archive's bytes, out of libzip's memory. */
static Buffer bytes_of(zip_source_t *source) {
    Buffer b = { 0 };
    zip_stat_t about;
    if (zip.source_stat(source, &about) || zip.source_open(source))
        fail(E_IO, "the .npz archive could not be made");
    char *into = buffer_reserve(&b, about.size);
    zip_int64_t got = zip.source_read(source, into, about.size);
    zip.source_close(source);
    if (got < 0 || (zip_uint64_t)got != about.size)
        fail(E_IO, "the .npz archive could not be made");
    b.bytes = about.size;
    return b;
}

Buffer npz_write(int count, const Entry *entry) {
    load_libzip();
    Handle *keeps_source = io_own(free_source), *keeps_archive = io_own(discard);
    zip_error_t error;
    zip.error_init(&error);
    zip_source_t *source = keeps_source->pointer = zip.source_buffer_create(NULL, 0, 0, &error);
    if (!source) unreadable("memory", &error);
    zip_t *archive = zip.open_from_source(source, ZIP_TRUNCATE, &error);
    if (!archive) unreadable("memory", &error);
    keeps_archive->pointer = archive;
    zip.source_keep(
        source); /* the archive owns one reference, and we look at it when it is closed */
    for (int i = 0; i < count; i++) add_entry(archive, &entry[i]);
    keeps_archive->pointer = NULL;
    if (zip.close(archive)) {
        keeps_archive->pointer = archive;
        unwritable(archive);
    }
    return bytes_of(source);
}
