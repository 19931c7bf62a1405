/* Reading with GNU Readline. The one idea: a statement is one block. Enter asks the parser: what is
 * whole is handed over, else the block gets one more line, and all its lines can still be edited.
 *
 * Three traps of Readline 8.2 are met here. rl_initialize() comes before the redisplay function is
 * set, or it would leave the terminal as it is. The window's size is taken by a handler of our own,
 * because Readline clears nothing when somebody else draws. And Ctrl-C is noticed by
 * rl_getc_function: it leaves a search with Ctrl-G, then clears the text and answers Enter until
 * the block has been handed over as dropped.
 *
 * Where standard input or output is no terminal, lines are read plainly. Where the terminal cannot
 * move its cursor up, a block is read line by line, each with Readline. */
#define _GNU_SOURCE
#include "repl_parts.h"
#include "lex.h"
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>
#include <readline/readline.h>

enum { INDENT = 4, IDLE_SECONDS = 2 };

static struct {
    pthread_t thread;                       /* that reads */
    volatile sig_atomic_t resized, stopped, hung_up;
    bool dropped, ended;                    /* Ctrl-C; the input is over */
    bool trimmed;                           /* memory was given back since the last key */
} edit;

/* ---- the terminal ---- */

void screen_size(int *columns, int *rows) {
    struct winsize size = { 0 };
    *columns = 80, *rows = 24;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_col) return;
    *columns = size.ws_col;
    if (size.ws_row) *rows = size.ws_row;
}

bool edit_input_waits(void) {
    fd_set input;
    FD_ZERO(&input);
    FD_SET(STDIN_FILENO, &input);
    return select(STDIN_FILENO + 1, &input, NULL, NULL, &(struct timeval){ 0 }) > 0;
}

bool edit_is_over(void) { return edit.dropped || edit.ended || edit.hung_up; }

/* ---- signals ---- */

/* The kernel may give a signal to any thread; only in the reader's does it end a read. */
static void forward(int number) {
    if (!pthread_equal(pthread_self(), edit.thread)) pthread_kill(edit.thread, number);
}

static void on_signal(int number) {
    if (number == SIGWINCH) edit.resized = 1;
    else if (number == SIGTSTP) edit.stopped = 1;
    else {
        edit.hung_up = number;
        rt.interrupted = 1;
    }
    forward(number);
}

static void catch(int number, void (*handler)(int)) {
    struct sigaction action = { .sa_handler = handler };
    sigaction(number, &action, NULL);
}

static void resize(void) {
    edit.resized = 0;
    highlight_resized();
}

/* Ctrl-Z: the shell gets its terminal as it was, and we take it again when we go on. */
static void stop(void) {
    edit.stopped = 0;
    rl_deprep_terminal();
    kill(getpid(), SIGSTOP);
    rl_prep_terminal(1);
    rl_forced_update_display();
}

/* ---- keys ---- */

/* Ctrl-G leaves a search, Enter the text; by turns, since a question may take only one of them. */
static int interrupted_key(void) {
    static bool turn;
    if (RL_ISSTATE(RL_STATE_ISEARCH | RL_STATE_NSEARCH)) return '\a';
    if (!edit.dropped) {
        edit.dropped = true;
        turn = false;
        rl_point = rl_end;
        highlight_final();
        fputs("^C", rl_outstream);
        rl_replace_line("", 0);
        rl_free_undo_list();
    }
    turn = !turn;
    return turn ? '\n' : '\a';
}

static int end_of_input(void) {
    edit.ended = true;
    return EOF;
}

/* Waits for a key with signals let in only while waiting, so that none slips by in between. */
static int wait_for_key(const sigset_t *outside) {
    struct timespec idle = { IDLE_SECONDS, 0 };
    fd_set input;
    FD_ZERO(&input);
    FD_SET(STDIN_FILENO, &input);
    int ready = pselect(STDIN_FILENO + 1, &input, NULL, NULL, edit.trimmed ? NULL : &idle, outside);
    if (ready == 0) {
        mem_trim();
        edit.trimmed = true;
    }
    return ready;
}

static bool signalled(void) {
    return rt.interrupted || edit.resized || edit.stopped || edit.hung_up;
}

/* -1: a signal came first. */
static int key_or_signal(void) {
    sigset_t held, outside;
    sigfillset(&held);
    pthread_sigmask(SIG_SETMASK, &held, &outside);
    int ready = 0;
    while (ready == 0 && !signalled()) ready = wait_for_key(&outside);
    unsigned char key;
    ssize_t got = ready > 0 ? read(STDIN_FILENO, &key, 1) : -1;
    bool over = got == 0 || (got < 0 && ready > 0 && errno != EINTR && errno != EAGAIN);
    pthread_sigmask(SIG_SETMASK, &outside, NULL);
    if (over) return end_of_input() - 1;
    return got == 1 ? key : -1;
}

static int read_key(FILE *stream) {
    (void)stream;
    history_read();
    for (;;) {
        if (edit.hung_up || edit.ended) return end_of_input();
        if (edit.stopped) stop();
        if (edit.resized) resize();
        if (rt.interrupted || edit.dropped) {
            if (edit.dropped || !RL_ISSTATE(RL_STATE_ISEARCH | RL_STATE_NSEARCH))
                rt.interrupted = 0;
            return interrupted_key();
        }
        if (!edit_input_waits()) highlight_catch_up();
        int key = key_or_signal();
        if (key >= 0) {
            edit.trimmed = false;
            return key;
        }
    }
}

/* ---- blocks ---- */

static int leading_spaces(int start) {
    int count = 0;
    while (start + count < rl_end && rl_line_buffer[start + count] == ' ') count++;
    return count;
}

static bool opens(int kind) {
    return kind == T_PAREN_OPEN || kind == T_SQUARE_OPEN || kind == T_BRACE_OPEN;
}
static bool closes(int kind) {
    return kind == T_PAREN_CLOSE || kind == T_SQUARE_CLOSE || kind == T_BRACE_CLOSE;
}

/* Does the line up to the cursor open a bracket, or a record, that it does not close? Inside """ it
 * is no business of ours: -1. */
static int opened_before(int point) {
    Lexer lexer = lex_start(rl_line_buffer, (size_t)point, false);
    int depth = 0, start = block_line_start(point), last = T_END, before = T_END;
    for (Token t = lex_next(&lexer); t.kind != T_END; t = lex_next(&lexer)) {
        if (t.kind == T_ERROR && t.unfinished) return -1;
        if ((int)t.start >= start && opens(t.kind)) depth++;
        if ((int)t.start >= start && closes(t.kind) && depth > 0) depth--;
        before = last;
        last = t.kind;
    }
    bool record =
        last == T_LESS && (before == T_RECORD || before == T_PAUSE || before == T_PAREN_CLOSE);
    return depth > 0 || record;
}

static int new_line(void) {
    int point = rl_point, opened = opened_before(point),
        spaces = leading_spaces(block_line_start(point));
    if (spaces > point - block_line_start(point)) spaces = point - block_line_start(point);
    if (opened < 0 || edit_input_waits()) spaces = 0;
    else spaces += opened * INDENT;
    char text[200];
    if (spaces > (int)sizeof text - 2) spaces = sizeof text - 2;
    text[0] = '\n';
    memset(text + 1, ' ', (size_t)spaces);
    text[1 + spaces] = 0;
    rl_insert_text(text);
    return 0;
}

static int accept(int count, int key) {
    (void)count;
    if (!edit.dropped && !edit.ended && session.blocks) {
        size_t bytes = strip_transcript(rl_line_buffer, (size_t)rl_end);
        if ((int)bytes < rl_end) {
            rl_end = (int)bytes;
            rl_line_buffer[rl_end] = 0;
            rl_point = rl_end;
        }
        if (text_status(rl_line_buffer, (size_t)rl_end) == PARSE_INCOMPLETE) return new_line();
    }
    if (!edit.dropped) highlight_final();
    return rl_newline(1, key);
}

static int force_new_line(int count, int key) {
    if (edit.dropped || edit.ended || !session.blocks) return accept(count, key);
    return new_line();
}

/* A closing bracket that begins its line stands one step farther left. */
static int insert_closing(int count, int key) {
    int start = block_line_start(rl_point);
    bool alone =
        start > 0 && rl_point - start >= INDENT && leading_spaces(start) == rl_point - start;
    if (alone && opened_before(rl_point) >= 0)
        rl_delete_text(rl_point - INDENT, rl_point), rl_point -= INDENT;
    return rl_insert(count, key);
}

/* Then a Tab is never part of a paste, whatever waits behind it. */
static bool pastes_in_brackets(void) {
    const char *on = rl_variable_value("enable-bracketed-paste"), *term = getenv("TERM");
    return on && !strcmp(on, "on") && term && strcmp(term, "dumb");
}

/* At the beginning of a line a Tab indents; else it completes. */
static int tab(int count, int key) {
    int start = block_line_start(rl_point);
    if (edit_input_waits() && !pastes_in_brackets()) return rl_insert_text("    "), 0;
    if (rl_point > start && leading_spaces(start) < rl_point - start)
        return rl_complete(count, key);
    if (start == 0 && rl_end == 0) return rl_complete(count, key);
    rl_insert_text("    ");
    return 0;
}

/* ---- setting up ---- */

static void bind_all(Keymap map) {
    static const struct { const char *keys; rl_command_func_t *function;
    } bindings[] = {
        { "\r", accept },
        { "\n", accept },
        { "\033[200~", edit_paste },
    };
    for (size_t i = 0; i < sizeof bindings / sizeof *bindings; i++)
        rl_bind_keyseq_in_map(bindings[i].keys, bindings[i].function, map);
}

static void bind_insertion(Keymap map) {
    bind_all(map);
    rl_bind_key_in_map('\t', tab, map);
    for (const char *c = ")]}>"; *c; c++) rl_bind_key_in_map(*c, insert_closing, map);
}

/* Alt-Enter is the same bytes as Escape and Enter, which to vi are two commands. */
static void bind_emacs(Keymap map) {
    rl_bind_keyseq_in_map("\033\r", force_new_line, map);
    rl_bind_keyseq_in_map("\033\n", force_new_line, map);
}

/* adl's texts are UTF-8, whatever the environment says. Readline reads LC_ALL itself. */
static void initialise(void) {
    setlocale(LC_CTYPE, "");
    bool utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
    const char *old = getenv("LC_ALL");
    char *kept = old ? strdup(old) : NULL;
    if (!utf8 && setlocale(LC_CTYPE, "C.UTF-8")) setenv("LC_ALL", "C.UTF-8", 1);
    rl_initialize();
    if (kept) setenv("LC_ALL", kept, 1);
    else unsetenv("LC_ALL");
    free(kept);
}

static bool can_show_blocks(void) {
    const char *scroll = rl_variable_value("horizontal-scroll-mode");
    const char *up = rl_get_termcap("up");
    return up && *up && !(scroll && !strcmp(scroll, "on"));
}

static void open_readline(void) {
    rl_readline_name = "adl";
    rl_catch_signals = 0;
    rl_catch_sigwinch = 0;
    rl_variable_bind("show-all-if-ambiguous", "on");
    rl_getc_function = read_key;
    initialise();
    bind_insertion(rl_get_keymap_by_name("emacs-standard"));
    bind_emacs(rl_get_keymap_by_name("emacs-standard"));
    bind_insertion(rl_get_keymap_by_name("vi-insert"));
    bind_all(rl_get_keymap_by_name("vi-command"));
    block_open();
    session.blocks = can_show_blocks();
    highlight_open();
    completion_open();
    history_open();
}

void edit_open(void) {
    const char *term = getenv("TERM"), *none = getenv("NO_COLOR");
    if (!term || !*term || !strcmp(term, "dumb") || (none && *none)) session.colour = false;
    session.editing = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
    if (!session.editing) return;
    edit.thread = pthread_self();
    catch(SIGWINCH, on_signal);
    catch(SIGHUP, on_signal);
    catch(SIGTERM, on_signal);
    open_readline();
}

void edit_close(void) {
    if (!session.editing) return;
    catch(SIGWINCH, SIG_DFL);
    if (!edit.hung_up) {
        if (edit.ended || session.status < 0) fputc('\n', stdout);
        return;
    }
    catch(edit.hung_up, SIG_DFL);        /* what the signal asked for */
    pthread_kill(pthread_self(), edit.hung_up);
}

/* ---- reading ---- */

static char *read_with_readline(const char *prompt) {
    edit.dropped = false;
    block_fresh();
    catch(SIGTSTP, on_signal);
    char *text = readline(prompt);
    catch(SIGTSTP, SIG_DFL);
    if (edit.ended || edit.hung_up) {
        free(text);
        return NULL;
    }
    return text;
}

/* A line with its newline; NULL at the end. */
static char *read_plainly(const char *prompt) {
    char *line = NULL;
    size_t capacity = 0;
    fputs(prompt, stdout);
    fflush(stdout);
    errno = 0;
    ssize_t got = getline(&line, &capacity, stdin);
    edit.dropped = rt.interrupted || (got < 0 && errno == EINTR);
    if (edit.dropped) {
        clearerr(stdin);
        rt.interrupted = 0;
        fputc('\n', stdout);
        if (line) *line = 0;
        return line ? line : strdup("");
    }
    if (got > 0 && line[got - 1] == '\n') line[got - 1] = 0;
    if (got > 0) return line;
    free(line);
    return NULL;
}

static const char *prompt_text(bool first) {
    if (!session.colour) return first ? "adl> " : "...> ";
    return first ? "\001\033[1;34m\002adl> \001\033[m\002" : "\001\033[34m\002...> \001\033[m\002";
}

static char *join(char *text, char *line) {
    size_t bytes = strlen(text), more = strlen(line);
    text = realloc(text, bytes + more + 2);
    text[bytes] = '\n';
    memcpy(text + bytes + 1, line, more + 1);
    free(line);
    return text;
}

/* Line by line until the block is whole. At the end of input what there is must do. */
static char *read_lines(void) {
    char *(*read_line)(const char *) = session.editing ? read_with_readline : read_plainly;
    char *text = read_line(prompt_text(true));
    while (text && !edit.dropped && text_status(text, strlen(text)) == PARSE_INCOMPLETE) {
        char *line = read_line(prompt_text(false));
        if (!line) break;
        text = join(text, line);
    }
    return text;
}

char *edit_read(bool *dropped) {
    char *text = session.blocks ? read_with_readline(prompt_text(true)) : read_lines();
    *dropped = text && edit.dropped;
    return text;
}
