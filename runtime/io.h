/* The world outside: standard streams, whole files, JSON. The one idea: a file is read or written
 * as a whole, and a written one appears under its name only when it is complete.
 *
 * Everything that touches a file asks io_allow() first, which fails under rt.sandbox. A failed
 * write to standard output is remembered, so that main can end with status 74 even if a script
 * caught the error. */
#ifndef IO_H
#define IO_H
#include "text.h"

/* ---- standard streams ---- */
typedef void Output(const char *text, size_t bytes, void *env);
void io_set_output(Output *output, void *env);  /* for who embeds adl; NULL: standard output */
void io_write(const char *text, size_t bytes);  /* for print(); seen at once on a terminal */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));   /* by io_write() */
bool io_mute(bool mute);                        /* what is written is dropped; returns how it was */
bool io_flush(void);                            /* false: some output could not be written */
/* One line at the bottom of the terminal, on standard error, until something else is written or it
 * is NULL. Nothing happens where standard error is no terminal. */
void io_status(const char *text);
/* "warning: ..." on standard error, behind what was printed before; or to `warning`, for who embeds
 * adl. */
void io_set_warning(Output *warning, void *env);
void io_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* One line of standard input without its end, a string; nil when there is no more. prompt may be
 * NULL. */
Value io_read_line(String *prompt);

/* ---- files ---- */
void io_allow(const char *what);                /* E_SANDBOX: `what` is not allowed */
Buffer io_read_file(String *path);              /* all its bytes */
Value io_read_text(String *path);               /* a string; E_IO if it is no UTF-8 */
/* A file's bytes without reading them now: pages come as they are touched. keeper, in the pool,
 * keeps them; NULL for a stream or device, which is read. The file must not be cut short meanwhile,
 * which whoever replaces files as a whole never does. */
typedef struct Mapping { const char *text; size_t bytes; Obj *keeper; } Mapping;
Mapping io_map_file(String *path);
Mapping io_map_text(String *path);              /* E_IO if it is no UTF-8 */
/* Replaces the file as a whole, or leaves it as it was and fails. */
void io_write_file(String *path, const char *bytes, size_t count);
/* The same from several pieces, one behind the other. */
typedef struct Bytes { const char *bytes; size_t count; } Bytes;
void io_write_parts(String *path, int parts, const Bytes *part);
double io_time(void);                           /* seconds since 1970 */

/* Gives an outside resource to the pool, which releases it: release() sees NULL if none was put
 * there. Made before the resource is acquired, so that nothing can fail in between:
 * io_own(f)->pointer = fopen(). */
Handle *io_own(void (*release)(void *pointer));

/* ---- JSON: json_read.c, json_write.c ---- */
/* Rectangular arrays of numbers, or of bools, become arrays; other arrays lists, objects structs,
 * null nil. E_VALUE with line and column if the text is no JSON; `name` (a file, or NULL) goes into
 * the message. */
Value json_read(const char *text, size_t bytes, const char *name);
/* indent: spaces per level, 0 for one line. nan and inf, which JSON lacks, are null. */
void json_write(Buffer *b, Value v, int indent);

/* ---- CSV (csv.c) ---- */
/* With a header (a first row that is not all numbers, or header = 1) a struct of columns: an array
 * where all cells are numbers, or all are true or false, else a list of strings. A number that is
 * missing (an empty cell, NA, N/A, NaN, null) is nan; of two columns with one name the second is
 * `name.1`. Without (header = 0) a matrix, or a list of such columns. -1: look and see. E_VALUE
 * with line and column if the rows are not of one length. */
Value csv_read(const char *text, size_t bytes, char separator, int header, const char *name);
/* A matrix, a vector as one column, a struct of columns, or a list of rows. */
void csv_write(Buffer *b, Value v, char separator);
#endif
