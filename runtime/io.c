/* The standard streams and whole files. See io.h for the idea.
 *
 * The state here is what belongs to the process, not to an interpreter: its standard output and
 * input. It must not know what the bytes mean: JSON is json_read.c's, printing is format.c's. */
#define _GNU_SOURCE
#include "io.h"
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* ---- standard streams ---- */

static Output *output, *warning;
static void *output_env, *warning_env;
static bool muted;
static int output_error;     /* errno of the first failed write; 0: all is well */

void io_set_output(Output *to, void *env) {
    output = to;
    output_env = env;
}

static bool on_terminal(void) {
    static int terminal = -1;
    if (terminal < 0) terminal = isatty(STDOUT_FILENO);
    return terminal;
}

/* ---- a line that comes and goes ---- */

static int status_columns;       /* of the line that is there; 0: none */

static bool can_erase(void) {
    static int able = -1;
    const char *term = getenv("TERM");
    if (able < 0) able = term && strcmp(term, "dumb");
    return able;
}

static void clear_status(void) {
    if (can_erase()) fputs("\r\033[K", stderr);
    else fprintf(stderr, "\r%*s\r", status_columns, "");
    status_columns = 0;
}

void io_status(const char *text) {
    static int terminal = -1;
    if (terminal < 0) terminal = isatty(STDERR_FILENO);
    if (!terminal) return;
    if (status_columns) clear_status();
    if (text && *text) {
        if (on_terminal()) fflush(stdout);
        fputs(text, stderr);
        status_columns = (int)strlen(text);
    }
    fflush(stderr);
}

static void note_output_error(bool failed) {
    if (failed && !output_error) output_error = errno ? errno : EIO;
}

/* A terminal may be slow, and Ctrl-C must not wait for it: what is left is then not written. */
static void write_terminal(const char *text, size_t bytes) {
    enum { MOST = 1 << 12 };
    note_output_error(fflush(stdout));
    while (bytes && !output_error) {
        poll();
        ssize_t written = write(STDOUT_FILENO, text, bytes < MOST ? bytes : MOST);
        if (written < 0 && errno == EINTR) continue;
        note_output_error(written < 0);
        if (written < 0) break;
        text += written;
        bytes -= (size_t)written;
    }
}

void io_write(const char *text, size_t bytes) {
    if (status_columns) io_status(NULL);
    if (!bytes || muted) return;      /* text may be NULL then */
    if (output) {
        output(text, bytes, output_env);
        return;
    }
    if (on_terminal()) write_terminal(text, bytes);
    else note_output_error(fwrite(text, 1, bytes, stdout) < bytes);
    if (output_error) fail(E_IO, "cannot write to standard output: %s", strerror(output_error));
}

void say(const char *format, ...) {
    char text[1024];
    va_list args;
    va_start(args, format);
    int bytes = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    io_write(text, bytes < (int)sizeof text ? (size_t)bytes : sizeof text - 1);
}

bool io_mute(bool mute) {
    bool before = muted;
    muted = mute;
    return before;
}

bool io_flush(void) {
    if (status_columns) io_status(NULL);
    note_output_error(fflush(stdout) != 0);
    return !output_error;
}

void io_set_warning(Output *to, void *env) {
    warning = to;
    warning_env = env;
}

void io_warn(const char *format, ...) {
    char text[600];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    char line[sizeof text + 16];
    int bytes = snprintf(line, sizeof line, "warning: %s\n", text);
    if (warning) {
        warning(line, (size_t)bytes, warning_env);
        return;
    }
    io_flush();
    fputs(line, stderr);
}

/* The line stays here between calls: nothing leaks if a signal or a full memory ends the call. */
static struct { char *text; size_t capacity; } line;
enum { LINE_KEPT = 1 << 16 };

/* The bytes of the next line; -1 at the end. A signal that does not end the program only
 * interrupts. */
static ssize_t next_line(void) {
    for (;;) {
        errno = 0;
        ssize_t bytes = getline(&line.text, &line.capacity, stdin);
        if (bytes >= 0 || errno != EINTR) return bytes;
        clearerr(stdin);
        poll();
    }
}

static void forget_long_line(void) {
    if (line.capacity <= LINE_KEPT) return;
    free(line.text);
    line.text = NULL;
    line.capacity = 0;
}

Value io_read_line(String *prompt) {
    if (prompt) io_write(prompt->text, prompt->bytes);
    io_flush();
    ssize_t bytes = next_line();
    if (bytes < 0 && ferror(stdin)) fail(E_IO, "cannot read standard input: %s", strerror(errno));
    if (bytes < 0) return NIL;
    if (bytes && line.text[bytes - 1] == '\n') bytes--;
    if (bytes && line.text[bytes - 1] == '\r') bytes--;
    Value text = string_new(line.text, (size_t)bytes);
    forget_long_line();
    return text;
}

/* ---- files ---- */

void io_allow(const char *what) {
    if (!rt.sandbox) return;
    hint("--sandbox allows no files, no foreign code and no processes");
    fail(E_SANDBOX, "%s is not allowed in a sandbox", what);
}

Handle *io_own(void (*release)(void *pointer)) {
    Handle *handle = mem_alloc(sizeof *handle);
    *handle = (Handle){ .head = { .refs = 1, .tag = V_HANDLE }, .free = release };
    return pool_own(handle);
}

static _Noreturn void cannot(const char *what, String *path, int reason) {
    if (reason == ENOENT && *path->text != '/')
        hint("paths are relative to the folder adl was started in");
    fail(E_IO, "cannot %s \"%s\": %s", what, path->text, strerror(reason));
}

/* A path with a zero byte in it would name another file than it shows. */
static void check_path(const char *what, String *path) {
    if (strlen(path->text) != path->bytes || !path->bytes) cannot(what, path, EINVAL);
}

static void close_file(void *file) { if (file) fclose(file); }

static FILE *open_for_reading(Handle *handle, String *path) {
    struct stat about;
    check_path("read", path);
    FILE *file = handle->pointer = fopen(path->text, "rbe");
    if (!file || fstat(fileno(file), &about)) cannot("read", path, errno);
    if (S_ISDIR(about.st_mode)) cannot("read", path, EISDIR);
    return file;
}

Buffer io_read_file(String *path) {
    enum { CHUNK_BYTES = 1 << 16 };
    io_allow("reading a file");
    Handle *handle = io_own(close_file);
    FILE *file = open_for_reading(handle, path);
    struct stat about;
    Buffer b = { 0 };
    if (!fstat(fileno(file), &about) && about.st_size > 0)
        buffer_reserve(&b, (size_t)about.st_size + CHUNK_BYTES);
    for (size_t got = 1; got; b.bytes += got) {
        got = fread(buffer_reserve(&b, CHUNK_BYTES), 1, CHUNK_BYTES, file);
        poll();
    }
    if (ferror(file)) cannot("read", path, errno);
    handle->pointer = NULL;
    fclose(file);
    return b;
}

typedef struct Pages { void *start; size_t bytes; } Pages;

static void unmap_pages(void *pointer) {
    Pages *pages = pointer;
    if (!pages) return;
    if (pages->start) munmap(pages->start, pages->bytes);
    mem_free(pages, sizeof *pages);
}

Mapping io_map_file(String *path) {
    io_allow("reading a file");
    Handle *handle = io_own(close_file), *keeper = io_own(unmap_pages);
    FILE *file = open_for_reading(handle, path);
    Pages *pages = keeper->pointer = mem_alloc_zeroed(sizeof *pages);
    struct stat about;
    if (fstat(fileno(file), &about)) cannot("read", path, errno);
    if (!S_ISREG(about.st_mode) || about.st_size == 0) {
        Buffer b = io_read_file(path);
        return (Mapping){ b.text, b.bytes, NULL };
    }
    size_t bytes = (size_t)about.st_size;
    void *start = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, fileno(file), 0);
    if (start == MAP_FAILED) cannot("read", path, errno);
    *pages = (Pages){ start, bytes };
    handle->pointer = NULL;
    fclose(file);
    return (Mapping){ start, bytes, &keeper->head };
}

Mapping io_map_text(String *path) {
    Mapping file = io_map_file(path);
    size_t valid = text_valid(file.bytes ? file.text : "", file.bytes);
    if (valid < file.bytes)
        fail(E_IO, "\"%s\" is no UTF-8 text: byte %zu is 0x%02x", path->text, valid,
             (unsigned char)file.text[valid]);
    return file;
}

Value io_read_text(String *path) {
    Mapping file = io_map_text(path);
    return string_new(file.bytes ? file.text : "", file.bytes);
}

/* Writes all bytes; gives errno, 0 if all went well. */
static int write_all(int file, Bytes p) {
    enum { AT_ONCE = 1 << 26 };        /* so that an interrupt need not wait for long */
    while (p.count) {
        if (rt.interrupted > 0) return EINTR;
        ssize_t written = write(file, p.bytes, p.count < AT_ONCE ? p.count : AT_ONCE);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return errno;
        p.bytes += written;
        p.count -= (size_t)written;
    }
    return 0;
}

static int write_parts(int file, int parts, const Bytes *part) {
    int reason = 0;
    for (int i = 0; i < parts && !reason; i++) reason = write_all(file, part[i]);
    return reason;
}

/* Streams and devices cannot be replaced: they are written to, behind what is there (/dev/stdout
 * may be a file). */
static int write_in_place(const char *path, int parts, const Bytes *part) {
    io_flush();
    FILE *file = fopen(path, "ae");
    if (!file) return errno;
    int reason = write_parts(fileno(file), parts, part);
    return fclose(file) && !reason ? errno : reason;
}

static mode_t mode_for(const struct stat *old) {
    if (old) return old->st_mode & 07777;
    mode_t mask = umask(0);
    umask(mask);
    return 0666 & ~mask;
}

/* A file beside the old one takes its place when it is complete. old: NULL if there is none. */
static int replace_file(const char *path, const struct stat *old, int parts, const Bytes *part) {
    char beside[PATH_MAX + 16];
    int length = snprintf(beside, sizeof beside, "%s.XXXXXX", path);
    if (length >= (int)sizeof beside) return ENAMETOOLONG;
    int file = mkstemp(beside);
    if (file < 0) return errno;
    int reason = write_parts(file, parts, part);
    if (!reason && fchmod(file, mode_for(old))) reason = errno;
    if (close(file) && !reason) reason = errno;
    if (!reason && rename(beside, path)) reason = errno;
    if (reason) unlink(beside);
    return reason;
}

void io_write_parts(String *path, int parts, const Bytes *part) {
    char real[PATH_MAX];     /* a link stays a link: its target is replaced */
    struct stat old;
    io_allow("writing a file");
    check_path("write", path);
    bool exists = realpath(path->text, real) && !stat(real, &old);
    if (!exists && errno != ENOENT) cannot("write", path, errno);
    bool in_place = exists && (!S_ISREG(old.st_mode) || !strncmp(path->text, "/dev/", 5));
    int reason = exists && S_ISDIR(old.st_mode) ? EISDIR
               : exists && access(real, W_OK)   ? errno
               : in_place                       ? write_in_place(real, parts, part)
               : exists                         ? replace_file(real, &old, parts, part)
                                                : replace_file(path->text, NULL, parts, part);
    poll();
    if (reason) cannot("write", path, reason);
}

void io_write_file(String *path, const char *bytes, size_t count) {
    io_write_parts(path, 1, &(Bytes){ bytes, count });
}

double io_time(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}
