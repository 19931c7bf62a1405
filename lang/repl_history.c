/* Past statements. The one idea: a statement is one entry, with all its lines, and is on disk
 * before it runs.
 *
 * The file is Readline's, with a time stamp before each entry, since only that keeps the lines of
 * an entry together; the stamp begins with a control character, since a statement may begin with #.
 * A statement that is repeated moves to the end, one that begins with a space is not kept. */
#define _GNU_SOURCE
#include "repl_parts.h"
#include "report.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <readline/readline.h>
#include <readline/history.h>

enum { MOST_ENTRIES = 10000, STAMP = '\001' };

static struct {
    char path[PATH_MAX];         /* empty: nothing is kept */
    char **mine;                 /* of this session */
    size_t count, capacity;
    bool unread;                 /* the file is read when the first prompt is on the screen */
} past;

/* ---- the file ---- */

/* $XDG_STATE_HOME/adl/history, by default below ~/.local/state. */
static bool find_path(void) {
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    int length = -1;
    if (state && *state) length = snprintf(past.path, PATH_MAX, "%s/adl/history", state);
    else if (home && *home)
        length = snprintf(past.path, PATH_MAX, "%s/.local/state/adl/history", home);
    if (length < 0 || length >= PATH_MAX) past.path[0] = 0;
    return past.path[0];
}

static void make_folders(void) {
    for (char *slash = strchr(past.path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        mkdir(past.path, 0700);
        *slash = '/';
    }
}

static void give_up(int reason) {
    Error warning = { .kind = E_IO };
    snprintf(warning.message, sizeof warning.message, "the history is not kept: %.300s: %s",
             past.path, strerror(reason));
    report_warning(&warning);
    past.path[0] = 0;
}

/* Can it be read and written? Its text is nobody else's business. */
static bool prepare_file(void) {
    make_folders();
    int file = open(past.path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600);
    struct stat about;
    if (file < 0 || fstat(file, &about)) {
        give_up(errno);
        if (file >= 0) close(file);
        return false;
    }
    if (!S_ISREG(about.st_mode)) give_up(EINVAL);
    else if (about.st_mode & 077) fchmod(file, 0600);
    close(file);
    return past.path[0];
}

/* ---- no repeats ---- */

static uint32_t hash_of(const char *text) {
    uint32_t hash = 2166136261u;
    for (; *text; text++) hash = (hash ^ (unsigned char)*text) * 16777619u;
    return hash;
}

/* Keeps the newest of equal entries. */
static void drop_repeats(void) {
    HIST_ENTRY **list = history_list();
    uint32_t slots = 1;
    while (slots < 2 * (uint32_t)history_length + 2) slots *= 2;
    const char **seen = calloc(slots, sizeof *seen);
    for (int i = history_length - 1; list && seen && i >= 0; i--) {
        uint32_t at = hash_of(list[i]->line) & (slots - 1);
        while (seen[at] && strcmp(seen[at], list[i]->line)) at = (at + 1) & (slots - 1);
        if (!seen[at]) seen[at] = list[i]->line;
        else list[i]->data = list;              /* any mark will do */
    }
    for (int i = history_length - 1; list && seen && i >= 0; i--) {
        if (!list[i]->data) continue;
        list[i]->data = NULL;
        free_history_entry(remove_history(i));
        list = history_list();
    }
    free(seen);
}

static void drop_equal(const char *text) {
    HIST_ENTRY **list = history_list();
    for (int i = history_length - 1; list && i >= 0; i--) {
        if (strcmp(list[i]->line, text)) continue;
        free_history_entry(remove_history(i));
        return;
    }
}

/* ---- reading and adding ---- */

void history_open(void) {
    using_history();
    history_write_timestamps = 1;
    history_comment_char = STAMP;
    past.unread = find_path() && prepare_file();
}

void history_read(void) {
    if (!past.unread) return;
    past.unread = false;
    read_history(past.path);
    int read = history_length;
    drop_repeats();
    stifle_history(MOST_ENTRIES);
    if (read > MOST_ENTRIES + MOST_ENTRIES / 10) write_history(past.path);
    using_history();
}

static void remember_mine(const char *text) {
    if (past.count == past.capacity) {
        past.capacity = 2 * past.capacity + 64;
        past.mine = realloc(past.mine, past.capacity * sizeof *past.mine);
    }
    past.mine[past.count++] = strdup(text);
}

void history_remember(const char *text, size_t bytes) {
    if (!bytes || !session.editing) return;
    remember_mine(text);
    if (*text == ' ') return;
    drop_equal(text);
    add_history(text);
    if (past.path[0] && append_history(1, past.path)) give_up(errno);
}

void history_each(void (*each)(const char *text, void *env), void *env) {
    for (size_t i = 0; i < past.count; i++) each(past.mine[i], env);
}

const char *history_last(void) {
    for (size_t i = past.count; i-- > 0;)
        if (!is_command(past.mine[i])) return past.mine[i];
    return NULL;
}
