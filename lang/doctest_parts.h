/* Inside `adl test`: what doctest.c (finding cases, the command), doctest_case.c (running one in a
 * child) and expectations.c (the comments of its text) share. */
#ifndef DOCTEST_PARTS_H
#define DOCTEST_PARTS_H
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include "errors.h"

enum { SECONDS_PER_CASE = 20, FAILURES_SHOWN = 6 };

/* What is run in one child: a file, or one example of the documentation. */
typedef struct Case {
    const char *name;  /* for messages: a path, or "example of exp" */
    char *text;
    const char *path;  /* of the file, else NULL */
    bool example;      /* of the documentation: its value is printed, and spaces do not count */
    char *output;      /* the whole expected output, from FILE.out beside FILE.adl; else NULL */
} Case;

/* --update: what a case prints replaces what its text says. */
extern bool updating;

/* ---- doctest_case.c ---- */
/* Runs it in a child, prints what there is to say, and counts it. */
void run_case(const Case *one);
/* The same for one row of the table of messages, against tests/messages/CODE.txt. */
void run_message(const MessageRow *row);
extern struct Total { int passed, failed; } total;
/* In the child: the first FAILURES_SHOWN failures are written out. */
void report(uint32_t line, const char *what, const char *expected, const char *got);

/* ---- expectations.c ---- */
typedef enum Kind { PRINTS = '>', FAILS = '!', WARNS = '?' } Kind;

typedef struct Expectation {
    Kind kind;
    uint32_t line, lines;  /* its first line, 1-based, and how many lines it takes */
    char *text;
    bool met;
} Expectation;

/* Of the case's text: its lines from 1, and the comments among them that expect something. */
void read_expectations(const char *text);
extern uint32_t line_count;
/* All that lines [from, to) say will be printed. *count: by how many expectations. */
char *expected_output(uint32_t from, uint32_t to, Expectation **first, int *count);
/* Marks each expectation of that kind in lines [from, to) that is part of message. Any? */
bool meet(Kind kind, const char *message, uint32_t from, uint32_t to);
/* Is a failure expected in lines [from, to)? */
bool expects_failure(uint32_t from, uint32_t to);
void report_unmet(Kind kind, const char *what, uint32_t from, uint32_t to, const char *got);
/* The output `got` replaces the expectation `old`, or is added to the last line before `to`. */
void update_expectation(uint32_t to, Expectation *old, const char *got);
void write_lines(const char *path);              /* the text as updated */
/* The excerpt of a message quotes the line with its expectation, which would meet itself. */
char *without_markers(char *text);

/* ---- files: doctest.c ---- */
bool ends_with(const char *text, const char *end);
char *read_file(const char *path);               /* with a final 0; NULL if it cannot be read */
void write_file(const char *path, const char *text);
char *output_path(const char *path);             /* FILE.out of FILE.adl */
#endif
