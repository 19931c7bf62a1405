/* Moving in a block of several lines. The one idea: Readline knows one line; what it binds to the
 * beginning, the end, the lines above and below is bound here to those of the line in the block,
 * for emacs and for vi. Only at its first and last line do Up and Down look into the history. */
#include "repl_parts.h"
#include <stdio.h>
#include <string.h>
#include <readline/readline.h>

static bool searched_all;        /* the last Up or Down had no beginning to look for */

void block_fresh(void) { searched_all = true; }

/* ---- lines ---- */

int block_line_start(int at) {
    while (at > 0 && rl_line_buffer[at - 1] != '\n') at--;
    return at;
}

int block_line_end(int at) {
    while (at < rl_end && rl_line_buffer[at] != '\n') at++;
    return at;
}

static int to_line_start(int count, int key) {
    (void)count, (void)key;
    rl_point = block_line_start(rl_point);
    return 0;
}

static int to_line_end(int count, int key) {
    (void)count, (void)key;
    rl_point = block_line_end(rl_point);
    return 0;
}

/* Up to the end of the line; there, the newline. */
static int kill_to_line_end(int count, int key) {
    (void)count, (void)key;
    int end = block_line_end(rl_point);
    rl_kill_text(rl_point, end == rl_point && end < rl_end ? end + 1 : end);
    return 0;
}

static int kill_to_line_start(int count, int key) {
    (void)count, (void)key;
    int start = block_line_start(rl_point);
    if (start == rl_point && start > 0) start--;
    rl_kill_text(rl_point, start);
    rl_point = start;
    return 0;
}

/* ---- Up and Down ---- */

/* Moves within the block; false: there is no line there. */
static bool move_line(int direction) {
    int start = block_line_start(rl_point), end = block_line_end(rl_point),
        column = rl_point - start;
    if (direction < 0 ? start == 0 : end == rl_end) return false;
    int target = direction < 0 ? block_line_start(start - 1) : end + 1,
        length = block_line_end(target) - target;
    rl_point = target + (column < length ? column : length);
    return true;
}

static int search_up(int count, int key);
static int search_down(int count, int key);

static int search(int direction, int count, int key) {
    if (move_line(direction)) return 0;
    bool again = rl_last_func == search_up || rl_last_func == search_down;
    if (!again) searched_all = rl_point == 0 || rl_end == 0;
    if (searched_all)
        return direction < 0 ? rl_get_previous_history(count, key)
                             : rl_get_next_history(count, key);
    return direction < 0 ? rl_history_search_backward(count, key)
                         : rl_history_search_forward(count, key);
}

static int search_up(int count, int key) { return search(-1, count, key); }
static int search_down(int count, int key) { return search(1, count, key); }

/* k and j of vi: a line, or an earlier statement. */
static int vi_up(int count, int key) {
    return move_line(-1) ? 0 : rl_get_previous_history(count, key);
}
static int vi_down(int count, int key) {
    return move_line(1) ? 0 : rl_get_next_history(count, key);
}

/* ---- vi ---- */

static int vi_append(int count, int key) {
    to_line_end(count, key);
    return rl_vi_insert_mode(1, key);
}
static int vi_insert_first(int count, int key) {
    to_line_start(count, key);
    while (rl_point < rl_end && rl_line_buffer[rl_point] == ' ') rl_point++;
    return rl_vi_insert_mode(1, key);
}
static int vi_kill(int count, int key) {
    (void)count, (void)key;
    rl_kill_text(rl_point, block_line_end(rl_point));
    return 0;
}

/* ---- keys ---- */

static void bind_moves(Keymap map) {
    static const struct { const char *keys; rl_command_func_t *function;
    } bindings[] = {
        { "\033[A", search_up },    { "\033OA", search_up },      { "\033[B", search_down },
        { "\033OB", search_down },  { "\033[H", to_line_start },  { "\033OH", to_line_start },
        { "\033[1~", to_line_start }, { "\033[F", to_line_end },  { "\033OF", to_line_end },
        { "\033[4~", to_line_end },
    };
    for (size_t i = 0; i < sizeof bindings / sizeof *bindings; i++)
        rl_bind_keyseq_in_map(bindings[i].keys, bindings[i].function, map);
}

static void bind_emacs(Keymap map) {
    static const struct { char key; rl_command_func_t *function;
    } bindings[] = {
        { 'A', to_line_start },
        { 'E', to_line_end },
        { 'K', kill_to_line_end },
        { 'U', kill_to_line_start },
    };
    for (size_t i = 0; i < sizeof bindings / sizeof *bindings; i++)
        rl_bind_key_in_map(CTRL(bindings[i].key), bindings[i].function, map);
}

static void bind_vi(Keymap map) {
    static const struct { char key; rl_command_func_t *function;
    } bindings[] = {
        { 'k', vi_up },           { 'j', vi_down },   { 'A', vi_append },
        { 'I', vi_insert_first }, { 'D', vi_kill },   { '$', to_line_end },
    };
    for (size_t i = 0; i < sizeof bindings / sizeof *bindings; i++)
        rl_bind_key_in_map(bindings[i].key, bindings[i].function, map);
}

void block_open(void) {
    bind_moves(rl_get_keymap_by_name("emacs-standard"));
    bind_moves(rl_get_keymap_by_name("vi-insert"));
    bind_moves(rl_get_keymap_by_name("vi-command"));
    bind_emacs(rl_get_keymap_by_name("emacs-standard"));
    bind_vi(rl_get_keymap_by_name("vi-command"));
}
