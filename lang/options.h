/* What the command line asked for. The one idea: a word is looked up in options.def, and what it
 * says is kept in one struct that main.c, the tools and the prompt read. */
#ifndef OPTIONS_H
#define OPTIONS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef enum Status {
#define STATUS(id, number, what) id = number,
#include "options.def"
} Status;

enum { MAX_CODES = 256 };
typedef struct Code { const char *text; bool print; } Code;   /* print: -p */

typedef struct Options {
    Code code[MAX_CODES];
    int codes;
    bool prompt_after, json, sandbox, seeded, quiet, no_init;
    const char *colour;       /* "auto", "always", "never" */
    uint64_t seed;
    size_t memory;            /* 0: no limit */
    int threads;              /* 0: as many as there are processors */
    const char *tool;         /* "check", "fmt", "test", "doc", or NULL */
    const char *file;         /* NULL: none; "-": standard input */
    int count;                /* of the program's or the tool's own words */
    char **arguments;
} Options;
extern Options options;

/* Reads the words into `options`. -1: go on; else the exit status, and it has said why. */
int options_read(int count, char **words);
/* Are colours wanted on this stream? --color, NO_COLOR, TERM, and whether it is a terminal. */
bool options_colour(int descriptor);
/* How many columns the terminal on this stream has; `otherwise` if it is none. */
int options_columns(int descriptor, int otherwise);
int options_rows(int descriptor, int otherwise);
void options_help(FILE *out);
#endif
