/* Pasted text. The one idea: the terminal says where a paste begins and ends, so it goes into the
 * block as it is, in one step, however long it may be; nothing in it is a key.
 *
 * A transcript, text that begins with `adl> `, loses its prompts and the results between them. */
#define _GNU_SOURCE
#include "repl_parts.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <readline/readline.h>

static const char first_prompt[] = "adl> ", next_prompt[] = "...> ";
enum { PROMPT_BYTES = sizeof first_prompt - 1 };

/* ---- transcripts ---- */

/* How many bytes of prompt the line begins with. A terminal may have cut the space at its end. */
static size_t prompt_bytes(const char *line, size_t bytes, const char *prompt) {
    if (bytes >= PROMPT_BYTES && !memcmp(line, prompt, PROMPT_BYTES)) return PROMPT_BYTES;
    return bytes == PROMPT_BYTES - 1 && !memcmp(line, prompt, bytes) ? bytes : 0;
}

static bool is_transcript(const char *text, size_t bytes) {
    while (bytes && (*text == '\n' || *text == ' ')) text++, bytes--;
    return bytes >= PROMPT_BYTES && !memcmp(text, first_prompt, PROMPT_BYTES);
}

size_t strip_transcript(char *text, size_t bytes) {
    if (!is_transcript(text, bytes)) return bytes;
    size_t length = 0;
    for (size_t at = 0; at < bytes;) {
        const char *newline = memchr(text + at, '\n', bytes - at);
        size_t end = newline ? (size_t)(newline - text) : bytes;
        while (!length && at < end && text[at] == ' ') at++;
        size_t prompt = prompt_bytes(text + at, end - at, first_prompt);
        if (!prompt) prompt = prompt_bytes(text + at, end - at, next_prompt);
        if (prompt) {
            if (length) text[length++] = '\n';
            memmove(text + length, text + at + prompt, end - at - prompt);
            length += end - at - prompt;
        }
        at = end + 1;
    }
    return length;
}

/* ---- bracketed paste ---- */

typedef struct Pasted { char *text; size_t bytes, capacity; } Pasted;

static void add(Pasted *p, int key) {
    if (p->bytes + 2 > p->capacity)
        p->text = realloc(p->text, p->capacity = 2 * p->capacity + 4096);
    p->text[p->bytes++] = (char)key;
}

static const char paste_end[] = "\033[201~";
enum { END_BYTES = sizeof paste_end - 1 };

static bool has_ended(const Pasted *p) {
    return p->bytes >= END_BYTES && !memcmp(p->text + p->bytes - END_BYTES, paste_end, END_BYTES);
}

/* What is there already, in one read; what stands behind the end is typing again. */
static void read_waiting(Pasted *p) {
    char block[256];
    ssize_t got = read(STDIN_FILENO, block, sizeof block), i = 0;
    while (i < got && !has_ended(p)) add(p, block[i++]);
    while (i < got) rl_stuff_char((unsigned char)block[i++]);
}

static Pasted read_paste(void) {
    Pasted p = { 0 };
    while (!has_ended(&p)) {
        int key = rl_read_key();
        if (key == EOF || edit_is_over()) break;
        add(&p, key);
        if (!has_ended(&p) && edit_input_waits()) read_waiting(&p);
    }
    if (has_ended(&p)) p.bytes -= END_BYTES;
    return p;
}

/* Terminals send \r for a newline. Zero bytes would end the text for Readline. */
static size_t normalise(char *text, size_t bytes) {
    size_t length = 0;
    for (size_t i = 0; i < bytes; i++) {
        if (text[i] == '\r' && i + 1 < bytes && text[i + 1] == '\n') continue;
        text[length++] = text[i] == '\r' ? '\n' : text[i] == 0 ? ' ' : text[i];
    }
    while (length && text[length - 1] == '\n') length--;
    return length;
}

int edit_paste(int count, int key) {
    (void)count, (void)key;
    Pasted p = read_paste();
    if (!p.text || edit_is_over()) return free(p.text), 0;
    p.bytes = normalise(p.text, p.bytes);
    if (rl_point == 0) p.bytes = strip_transcript(p.text, p.bytes);
    p.text[p.bytes] = 0;
    rl_begin_undo_group();
    rl_insert_text(p.text);
    rl_end_undo_group();
    free(p.text);
    return 0;
}
