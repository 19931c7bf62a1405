/* What the files of printing share: format specs, and the Writer that carries where the text goes,
 * how wide a line may be and what follows it as a comment. */
#ifndef FORMAT_PARTS_H
#define FORMAT_PARTS_H
#include "format.h"

/* ---- format_number.c ---- */

/* [[fill]align][+][0][width][,][.precision][type] */
typedef struct Spec {
    const char *text; size_t bytes;   /* as written, for messages */
    char fill[5];                     /* one character of UTF-8 */
    char align;                       /* '<' '>' '^', or 0: numbers right, others left */
    bool plus, zeros, thousands;
    int width, precision;             /* precision -1: not given */
    char type;                        /* f e g % d x b s, or 0 */
} Spec;

Spec spec_read(const char *text, size_t bytes);
bool spec_is_numeric(const Spec *s);
void spec_add_number(Buffer *b, double x, const Spec *s);
void spec_add_bool(Buffer *b, bool truth, const Spec *s);
void spec_add_string(Buffer *b, const char *text, size_t bytes, const Spec *s);
/* A number among others in an array: rounded to so many digits. */
int format_element(char out[NUMBER_TEXT], double x, int digits);

/* ---- format.c ---- */

typedef struct Writer {
    Buffer *out;
    size_t line;              /* where the current line starts in out */
    const FormatOptions *options;
    const Spec *spec;         /* for every number; NULL: as ever */
    bool flat;                /* writing on one line as a trial: stop when it overflows */
    Buffer notes;             /* what follows the current line as a comment: shapes */
} Writer;

int64_t writer_column(Writer *w);
void writer_note(Writer *w, const char *what, const char *text);
void writer_new_line(Writer *w, int64_t indent);

/* ---- format_array.c ---- */
void writer_number(Writer *w, double x);
void writer_bool(Writer *w, bool truth);
void writer_f32(Writer *w, const Array *a);          /* of no axes */
void writer_array(Writer *w, const Array *a);
int64_t array_rows(const Array *a);                  /* how many rows it has in all */
#endif
