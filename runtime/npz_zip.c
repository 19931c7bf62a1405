/* .npz by libzip: archives are read from and written to memory, so that files stay io.c's. */
#include "npz.h"
#include <string.h>
#include <zip.h>

static void discard(void *archive) { if (archive) zip_discard(archive); }
static void close_entry(void *entry) { if (entry) zip_fclose(entry); }
static void free_source(void *source) { if (source) zip_source_free(source); }

static _Noreturn void unreadable(const char *name, zip_error_t *error) {
    char reason[160];
    snprintf(reason, sizeof reason, "%s", zip_error_strerror(error));
    zip_error_fini(error);
    fail(E_VALUE, "%s is no readable .npz archive: %s", name, reason);
}

/* ---- reading ---- */

static zip_t *open_archive(Handle *handle, const Mapping *file, const char *name) {
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t *source = zip_source_buffer_create(file->text, file->bytes, 0, &error);
    if (!source) unreadable(name, &error);
    zip_t *archive = handle->pointer =
        zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &error);
    if (archive) return archive;
    zip_source_free(source);
    unreadable(name, &error);
}

/* Deflate packs at most about 1032 to 1, and arrays of numbers hardly reach that. */
static void refuse_bomb(const zip_stat_t *about, const char *name) {
    enum { MOST_RATIO = 1100 };
    const zip_uint64_t suspicious = (zip_uint64_t)1 << 32;
    char size[32];
    if (about->size <= suspicious || about->size / MOST_RATIO < about->comp_size / 2) return;
    fail(E_LIMIT, "%s: %s would unpack to %s from %llu bytes: that is no array", name, about->name,
         mem_text(about->size, size, sizeof size), (unsigned long long)about->comp_size);
}

static void read_entry(zip_t *archive, zip_uint64_t i, const char *name, EachEntry *each,
                       void *env) {
    zip_stat_t about;
    Handle *handle = io_own(close_entry);
    if (zip_stat_index(archive, i, 0, &about) || !(about.valid & ZIP_STAT_SIZE))
        fail(E_VALUE, "%s: entry %llu of the archive is damaged", name, (unsigned long long)i);
    refuse_bomb(&about, name);
    zip_file_t *file = handle->pointer = zip_fopen_index(archive, i, 0);
    if (!file) fail(E_VALUE, "%s: %s: %s", name, about.name, zip_strerror(archive));
    char *bytes = pool_bytes(about.size + 1);
    for (zip_uint64_t at = 0; at < about.size;) {
        zip_int64_t got =
            zip_fread(file, bytes + at, about.size - at < RUN ? about.size - at : RUN);
        if (got <= 0) fail(E_VALUE, "%s: %s is damaged", name, about.name);
        at += (zip_uint64_t)got;
        poll();
    }
    /* One byte more than promised would be a lie; reading to the end also checks the sum. */
    if (zip_fread(file, bytes + about.size, 1) != 0)
        fail(E_VALUE, "%s: %s is damaged", name, about.name);
    each(&(Entry){ about.name, bytes, about.size }, env);
}

void npz_read(const Mapping *file, const char *name, EachEntry *each, void *env) {
    if (!file->bytes) fail(E_VALUE, "%s is no readable .npz archive: it is empty", name);
    zip_t *archive = open_archive(io_own(discard), file, name);
    zip_int64_t count = zip_get_num_entries(archive, 0);
    for (zip_int64_t i = 0; i < count; i++) {
        size_t mark = pool_mark();
        read_entry(archive, (zip_uint64_t)i, name, each, env);
        pool_unwind(mark);
    }
}

/* ---- writing ---- */

static _Noreturn void unwritable(zip_t *archive) {
    fail(E_IO, "the .npz archive could not be made: %s", zip_strerror(archive));
}

static void add_entry(zip_t *archive, const Entry *entry) {
    zip_source_t *source = zip_source_buffer(archive, entry->bytes, entry->count, 0);
    if (!source) unwritable(archive);
    zip_int64_t at = zip_file_add(archive, entry->name, source, ZIP_FL_ENC_UTF_8);
    if (at < 0) {
        zip_source_free(source);
        unwritable(archive);
    }
    zip_set_file_compression(archive, (zip_uint64_t)at, ZIP_CM_STORE, 0);
}

/* The finished archive's bytes, out of libzip's memory. */
static Buffer bytes_of(zip_source_t *source) {
    Buffer b = { 0 };
    zip_stat_t about;
    if (zip_source_stat(source, &about) || zip_source_open(source))
        fail(E_IO, "the .npz archive could not be made");
    char *into = buffer_reserve(&b, about.size);
    zip_int64_t got = zip_source_read(source, into, about.size);
    zip_source_close(source);
    if (got < 0 || (zip_uint64_t)got != about.size)
        fail(E_IO, "the .npz archive could not be made");
    b.bytes = about.size;
    return b;
}

Buffer npz_write(int count, const Entry *entry) {
    Handle *keeps_source = io_own(free_source), *keeps_archive = io_own(discard);
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t *source = keeps_source->pointer = zip_source_buffer_create(NULL, 0, 0, &error);
    if (!source) unreadable("memory", &error);
    zip_t *archive = zip_open_from_source(source, ZIP_TRUNCATE, &error);
    if (!archive) unreadable("memory", &error);
    keeps_archive->pointer = archive;
    zip_source_keep(
        source); /* the archive owns one reference, and we look at it when it is closed */
    for (int i = 0; i < count; i++) add_entry(archive, &entry[i]);
    keeps_archive->pointer = NULL;
    if (zip_close(archive)) {
        keeps_archive->pointer = archive;
        unwritable(archive);
    }
    return bytes_of(source);
}
