/* A library for the tests: every type of LANGUAGE's foreign functions goes through it and comes back. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SAME(name, type) type same_##name(type x) { return x; }
SAME(bool, bool) SAME(char, char) SAME(int8, int8_t) SAME(int16, int16_t) SAME(int32, int32_t) SAME(int64, int64_t)
SAME(uint8, uint8_t) SAME(uint16, uint16_t) SAME(uint32, uint32_t) SAME(uint64, uint64_t) SAME(int, int)
SAME(uint, unsigned) SAME(long, long) SAME(size, size_t) SAME(float, float) SAME(double, double)
SAME(string, const char *) SAME(handle, void *)

#define SUM(name, type) double sum_##name(const type *x, int n) { double s = 0; for (int i = 0; i < n; i++) s += (double)x[i]; return s; }
SUM(bool, bool) SUM(int8, int8_t) SUM(uint16, uint16_t) SUM(int64, int64_t) SUM(float, float)

typedef struct inner { float part[3]; char tag[4]; } inner;
typedef struct outer { int8_t first; double second; inner third; const char *name; } outer;
outer turn(outer x) { x.second = -x.second; x.third.part[1] *= 2; x.third.tag[0]++; return x; }
void turn_each(outer *x, int n) { for (int i = 0; i < n; i++) x[i] = turn(x[i]); }
double total(const outer *x, int n) { double s = 0; for (int i = 0; i < n; i++) s += x[i].second; return s; }

void fill(double *x, int rows, int columns) { for (int i = 0; i < rows * columns; i++) x[i] = i; }
void fill_ints(uint8_t *x, int n) { for (int i = 0; i < n; i++) x[i] = (uint8_t)(i * i); }
void hello(char *text, int n) { strncpy(text, "hello", (size_t)n); }
int split(const char *text, const char **first, const char **second) { *first = text; *second = strchr(text, ' '); return 2; }
double *squares(int n) { static double x[10]; for (int i = 0; i < 10; i++) x[i] = i * i; return n <= 10 ? x : NULL; }
int count_texts(const char **texts) { int n = 0; while (texts[n]) n++; return n; }

/* One step of Euler's method, with the shape of GSL's systems. */
typedef int slope(double t, const double *y, double *dy, void *context);
int euler(slope *f, double t, double h, double *y, int n, void *context) {
    double dy[8];
    int status = f(t, y, dy, context);
    for (int i = 0; i < n; i++) y[i] += h * dy[i];
    return status;
}
outer through(outer (*f)(outer x, int8_t sign), outer x) { return f(x, -1); }

static double (*kept)(double x);
void keep(double (*f)(double x)) { kept = f; }
double call_kept(double x) { return kept ? kept(x) : -1; }

/* Handles: how many are alive is seen in `alive`. */
int alive;
int *make(int value) { int *x = malloc(sizeof *x); *x = value; alive++; return x; }
void drop(int *x) { if (x) alive--; free(x); }
void make_out(int **x) { *x = make(7); }
int value_of(const int *x) { return *x; }
int count_alive(void) { return alive; }
double constants[3] = { 1, 2, 3 };
