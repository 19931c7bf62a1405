/* What the files of the prompt know of each other.
 *
 *     repl.c            splitting what was read into statements, running them one by one
 *     repl_edit.c       Readline: keys, Ctrl-C, blocks of several lines, the window's size
 *     repl_paste.c      pasted text: bracketed paste, transcripts
 *     repl_highlight.c  what the screen shows while one types: `...> `, colours, matching brackets
 *     repl_complete.c   the Tab key
 *     repl_history.c    past statements and their file
 *     repl_commands.c   :help, :vars, :time ...
 *     repl_show.c       values that fit the screen
 *     repl_state.c      variables as they were before a statement */
#ifndef REPL_PARTS_H
#define REPL_PARTS_H
#include "eval.h"
#include "repl.h"
#include "text.h"

/* Readline has old types of the names Function and VFunction; they are left out. */
#define _FUNCTION_DEF

typedef struct Session {
    Module *module;
    bool colour;              /* escape codes may go to standard output */
    bool editing;             /* Readline reads; else plain lines */
    bool blocks;              /* it can show several lines at once */
    int number;               /* of the next statement: its source is called adl[number] */
    int status;               /* what exit() or :quit asked for; -1: go on */
    int width, colour_wanted; /* settings; width 0: that of the window */
} Session;
extern Session session;

/* ---- repl.c ---- */
/* Is the text whole? Commands always are. Never fails. */
ParseStatus text_status(const char *text, size_t bytes);
/* Runs what was typed or pasted: commands and statements, each remembered. false: one of them
 * failed. */
bool run_text(const char *text, size_t bytes);
/* Runs a statement without showing its value, which the pool holds. false: it has said why not. */
bool run_quietly(const char *text, Value *v);
/* Runs body(env), after Ctrl-C with all variables as before. false: it failed, and that was
 * reported. */
bool run_guarded(void (*body)(void *env), void *env);
char *pool_text(const char *text);   /* a copy in the pool */
static inline bool is_command(const char *text) { return *text == ':' || *text == '?'; }

/* ---- repl_edit.c, repl_paste.c ---- */
void edit_open(void);
void edit_close(void);
/* The next block of text, for free(); NULL at the end of input. *dropped: Ctrl-C. */
char *edit_read(bool *dropped);
/* May Tab and Enter take this for typing, or is more text waiting already, as when it is pasted? */
bool edit_input_waits(void);
/* Has Ctrl-C, or the end of input, taken the text away? */
bool edit_is_over(void);
int edit_paste(int count, int key);
/* The text of a pasted transcript without its prompts, and without the results between them; else
 * as it was. In place; the new length. */
size_t strip_transcript(char *text, size_t bytes);
/* The columns and rows of the terminal. */
void screen_size(int *columns, int *rows);

/* ---- repl_block.c ---- */
void block_open(void);
void block_fresh(void);        /* another block begins */
/* Where the line that holds `at` begins and ends in Readline's buffer. */
int block_line_start(int at);
int block_line_end(int at);

/* ---- repl_highlight.c ---- */
void highlight_open(void);
void highlight_redisplay(void);   /* Readline's redisplay function */
void highlight_catch_up(void);    /* draws what was put off; before waiting for a key */
void highlight_final(void);       /* the same at once, and without the mark of brackets */
void highlight_resized(void);     /* the window has another size */
void highlight_below(void); /* moves the cursor below all of the text, where a list may be shown */

/* ---- repl_brackets.c ---- */
typedef struct Brackets {
    int match[2];              /* offsets in the text; -1: none */
    int wrong;
} Brackets;
/* The pair of which one stands before the cursor, or else under it; and the first bracket that
 * closes nothing. */
Brackets find_brackets(const char *text, size_t bytes, int point);

/* ---- repl_complete.c, repl_history.c ---- */
void completion_open(void);
void history_open(void);
void history_read(void);   /* before the first key is read */
void history_remember(const char *text, size_t bytes);
/* All statements and commands that were remembered in this session, in order. */
void history_each(void (*each)(const char *text, void *env), void *env);
const char *history_last(void);   /* NULL: none */

/* ---- repl_commands.c ---- */
/* `:name rest` or `?name`. false: it failed, and has said why. */
bool command_run(const char *line);
/* For completion: the name and one line of the i-th command; NULL behind the last. */
const char *command_name(size_t i, const char **about);
void help_alone(void);
/* Calls each(name, value, env) for the session's variables until it says false; how many. */
typedef bool EachVariable(String *name, Value v, void *env);
size_t session_variables(EachVariable *each, void *env);
/* true, or it says that the command needs `what`. */
bool command_needs(const char *rest, const char *what);

/* ---- repl_inspect.c, repl_files.c, repl_settings.c: the commands of these names ---- */
typedef bool Command(const char *rest);
Command command_vars, command_mem, command_timed, command_bench, command_type;
Command command_load, command_reload, command_save, command_edit;
Command command_set;
const char *setting_name(size_t i, const char **about);

/* ---- repl_show.c ---- */
/* Shows the value of a statement and makes it `ans`. */
void show_value(Value v);
/* "has a gradient slot", "recorded", or "" */
const char *tape_note(Value v);
/* A text as a comment, in lines of at most `columns`, broken between words. */
void add_comment(Buffer *b, const char *text, int columns);
/* What `:mem` says: a head, and beside it, or below where the screen is narrow, the text. */
void say_entry(const char *head, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* One line about v, at most `columns` wide, without its type. */
void value_in_a_line(Buffer *b, Value v, int columns);
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));   /* "error: ..." */
#define QUIET (session.colour ? "\033[90m" : "")
#define STRONG (session.colour ? "\033[1m" : "")
#define PLAIN_TEXT (session.colour ? "\033[m" : "")

/* ---- repl_state.c ---- */
typedef struct State State;
State *state_take(void);
void state_restore(const State *state);
void state_forget(State *state);
#endif
