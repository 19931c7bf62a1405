/* Commands for files: running one, the modules again, writing the session down, an editor. The one
 * idea: what runs from a file runs in the session's module, as if it had been typed. */
#define _GNU_SOURCE
#include "repl_parts.h"
#include "format.h"
#include "io.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- files ---- */

static char loaded[4096];

/* The path without quotes, with ~ as the home. In the pool. */
static const char *path_of(const char *rest) {
    size_t bytes = strlen(rest);
    const char *home = getenv("HOME");
    bool quoted = bytes > 1 && rest[0] == '"' && rest[bytes - 1] == '"';
    Buffer path = { 0 };
    if (quoted) rest++, bytes -= 2;
    bool from_home = rest[0] == '~' && (rest[1] == '/' || !rest[1]) && home;
    if (from_home) buffer_text(&path, home), rest++, bytes--;
    buffer_add(&path, rest, bytes);
    buffer_char(&path, 0);
    return path.text;
}

static void run_load(void *path) {
    Buffer text = io_read_file(string_of(path).as.string);
    bool script = session.module->script;
    session.module->script = true;
    module_run_source(session.module, source_new(path, text.text, text.bytes));
    session.module->script = script;
}

static bool load_path(const char *path) {
    snprintf(loaded, sizeof loaded, "%s", path);
    bool fine = run_guarded(run_load, pool_text(path));
    session.module->script = false;
    return fine;
}

bool command_load(const char *rest) {
    return command_needs(rest, "a file: :load train.adl") && load_path(path_of(rest));
}

/* A module's file runs again, and each variable that holds the module holds the new one. */
static void reload_module(void *env) {
    Module *module = env;
    Value old = module->record;
    value_hold(old);
    Value fresh = module_reload(module);
    for (size_t i = 0; i < session.module->set_up; i++) {
        Value *v = &session.module->globals[i];
        if (v->tag == V_STRUCT && old.tag == V_STRUCT && v->as.record == old.as.record)
            value_store(v, fresh);
    }
    value_release(old);
}

bool command_reload(const char *rest) {
    (void)rest;
    bool fine = true;
    int modules = 0;
    for (Module *module = interp.modules; module && fine; module = module->next) {
        if (module->library || module == session.module || !module->path->bytes ||
            module->record.tag != V_STRUCT)
            continue;
        fine = run_guarded(reload_module, module);
        if (fine) say("%s# reloaded %s%s\n", QUIET, module->path->text, PLAIN_TEXT);
        modules++;
    }
    if (!*loaded && !modules) complain("nothing was loaded or imported from a file");
    if (!*loaded) return fine && modules;
    return fine && load_path(pool_text(loaded));
}

static void add_statement(const char *text, void *page) {
    if (is_command(text) || !strcmp(text, "quit") || !strcmp(text, "exit") || !strcmp(text, "help"))
        return;
    buffer_format(page, "%s\n", text);
}

static void write_session(void *env) {
    Buffer page = { 0 };
    const char *path = env;
    history_each(add_statement, &page);
    io_write_file(string_of(path).as.string, page.text ? page.text : "", page.bytes);
    say("%s# wrote %s%s\n", QUIET, path, PLAIN_TEXT);
}

bool command_save(const char *rest) {
    if (!command_needs(rest, "a file: :save session.adl")) return false;
    const char *path = path_of(rest);
    if (!access(path, F_OK)) {
        hint("choose another name, or delete it first");
        complain("%.200s is there already", path);
        return false;
    }
    return run_guarded(write_session, pool_text(path));
}

/* ---- the editor ---- */

static const char *editor(void) {
    const char *visual = getenv("VISUAL"), *plain = getenv("EDITOR");
    return visual && *visual ? visual : plain && *plain ? plain : "vi";
}

/* Runs $EDITOR on a file and waits. The shell splits the words of $EDITOR. */
static bool run_editor(const char *path) {
    pid_t child = fork();
    if (child == 0) {
        execlp("sh", "sh", "-c", "$0 \"$1\"", editor(), path, (char *)NULL);
        _exit(127);
    }
    int status = 0;
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) { }
    rt.interrupted = 0;
    if (child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0) return true;
    hint("$VISUAL and $EDITOR name the editor");
    complain("the editor `%.60s` failed", editor());
    return false;
}

static void read_edited(void *env) {
    Buffer *text = env;
    const char *path = text->text;
    *text = io_read_file(string_of(path).as.string);
    buffer_char(text, 0);
}

static bool edit_last(void) {
    const char *last = history_last();
    char path[] = "/tmp/adl-XXXXXX.adl";
    int file = mkstemps(path, 4);
    if (file < 0) {
        complain("cannot make a file in /tmp: %s", strerror(errno));
        return false;
    }
    if (last) dprintf(file, "%s\n", last);
    close(file);
    Buffer text = { .text = path };
    bool fine = run_editor(path) && run_guarded(read_edited, &text);
    unlink(path);
    if (!fine) return false;
    io_write(text.text, text.bytes - 1);
    return run_text(text.text, text.bytes - 1);
}

bool command_edit(const char *rest) {
    if (rt.sandbox) {
        complain(":edit is not allowed in a sandbox");
        return false;
    }
    if (!*rest) return edit_last();
    const char *path = path_of(rest);
    return run_editor(path) && load_path(path);
}

