/* The parts of why(): what they share while one question is answered. */
#ifndef WHY_PARTS_H
#define WHY_PARTS_H
#include "cuts.h"
#include "flow.h"
#include "views.h"

typedef struct Why {
    Wengert *w;             /* NULL: no head is known, or it was never recorded */
    Value x, gradient;      /* UNSET: it has none */
    const char *name;       /* of x in sentences */
    const String *variable; /* NULL: x is no name */
    const String *head;     /* of why(x, f): f */
    Span call;
    bool *leads;            /* by step: does it depend on x? */
    bool *live;             /* by step: does f depend on it through what was not 0? */
    Value rows;
    Buffer b;
    int width, findings;
} Why;

/* ---- why_finding.c ---- */
const char *why_text(const char *format, ...) __attribute__((format(printf, 1, 2)));
void why_sentence(Why *y, Style style, const char *bullet, const char *text);
void why_finding(Why *y, const char *reason, uint32_t line, int64_t step, const char *text);
void why_advise(Why *y, const char *text);
void why_title(Why *y, const char *what);
int64_t why_count(Value mask);
bool why_all_zero(Value v);
double why_element(Value v, int64_t at);
int64_t why_first_bad(Value v);
const char *why_place(Value v, int64_t at);
const char *why_number(double x);
const char *why_step(const Why *y, uint32_t step);
bool why_same_place(const Wengert *w, uint32_t a, uint32_t b);

/* ---- why_zero.c: each report says whether it found something, or how much ---- */
void why_find_ways(Why *y);
bool why_is_reached(const Why *y);
void why_report_zeros(Why *y);
void why_report_cancelling(Why *y, Value gradient);
bool why_head_is_zero(const Why *y);

/* ---- why_cut.c ---- */
int why_report_cuts(Why *y);
void why_not_reached(Why *y);

/* ---- why_not_finite.c ---- */
bool why_report_forward(Why *y);
bool why_report_reverse(Why *y);
void why_report_advice(Why *y);

#endif
