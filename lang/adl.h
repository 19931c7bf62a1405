/* adl inside another program. The one idea: a state is a whole interpreter, with its own variables,
 * tape and random draws; texts are evaluated in it, and values go in and out as handles.
 *
 *     adl_state *adl = adl_open();
 *     adl_release(adl_eval(adl, "double", "fn twice(x) { 2 * x }"));
 *     adl_value *f = adl_get(adl, "twice"), *x = adl_number(adl, 21);
 *     adl_value *y = adl_call(adl, f, 1, &x);
 *     if (y) printf("%g\n", *adl_f64(y));
 *     else fputs(adl_error(adl), stderr);
 *     adl_close(adl);
 *
 * What fails gives NULL (or -1), and adl_error() says why; nothing ends the process. Every handle
 * that a function gives is the caller's, who gives it back with adl_release(); what a state still
 * holds when it is closed goes with it.
 *
 * Several states live side by side. Calls may come from any thread, but take turns: one state
 * evaluates at a time. A function of a program that a C library keeps (`keep fn`: adl doc extern)
 * runs in its own state, whenever the library calls it. Link with -ladl (pkg-config adl). */
#ifndef ADL_H
#define ADL_H
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#define ADL_API __attribute__((visibility("default")))

typedef struct adl_state adl_state;
typedef struct adl_value adl_value;

/* ---- states ---- */
/* A fresh interpreter, or NULL if there is no memory for one. */
ADL_API adl_state *adl_open(void);
/* Frees it and all its values; handles of values are dead afterwards. */
ADL_API void adl_close(adl_state *state);
/* Refuse files, foreign code and processes from now on: for text from strangers. */
ADL_API void adl_sandbox(adl_state *state);
/* The same draws in every run. */
ADL_API void adl_seed(adl_state *state, uint64_t seed);

/* ---- running ---- */
/* Runs a program text, whose variables stay; gives the value of its last statement if that is an
 * expression, else nil. name: what messages call the text. */
ADL_API adl_value *adl_eval(adl_state *state, const char *name, const char *text);
/* A variable, or a function of the library; NULL if there is none of that name. */
ADL_API adl_value *adl_get(adl_state *state, const char *name);
/* Makes a variable hold the value; 0, or -1 if name is no name. */
ADL_API int adl_set(adl_state *state, const char *name, adl_value *value);
/* Calls a function value with positional arguments. */
ADL_API adl_value *adl_call(adl_state *state, adl_value *function, int count,
                            adl_value *const *arguments);

/* ---- errors: of the last call that failed; texts live until the state's next failure ---- */
ADL_API const char *adl_error(const adl_state *state); /* with excerpt and hint, as adl shows it */
ADL_API const char *adl_error_message(const adl_state *state);  /* one sentence */
ADL_API const char *adl_error_kind(const adl_state *state); /* "shape", "name", "interrupt", ... */
ADL_API int adl_error_line(const adl_state *state);             /* 0: nowhere in a text */
ADL_API int adl_error_status(const adl_state *state);           /* of exit(status), kind "exit" */

/* ---- values going in ---- */
ADL_API adl_value *adl_nil(adl_state *state);
ADL_API adl_value *adl_number(adl_state *state, double number);
ADL_API adl_value *adl_boolean(adl_state *state, int truth);
ADL_API adl_value *adl_string(adl_state *state, const char *text, size_t bytes);   /* UTF-8 */
/* A copy of row-major elements. axes 0: a number. */
ADL_API adl_value *adl_array(adl_state *state, const double *data, int axes, const int64_t *shape);
ADL_API adl_value *adl_array_f32(adl_state *state, const float *data, int axes,
                                 const int64_t *shape);
/* The elements themselves, without a copy. adl only reads them; they must stay as they are until
 * release is called, when the last array that looks at them has gone. release may be NULL. */
typedef void adl_release_data(void *data, void *env);
ADL_API adl_value *adl_array_share(adl_state *state, const double *data, int axes,
                                   const int64_t *shape, adl_release_data *release, void *env);
ADL_API adl_value *adl_list(adl_state *state, int count, adl_value *const *items);
ADL_API adl_value *adl_struct(adl_state *state, int count, const char *const *names,
                              adl_value *const *values);

/* ---- values coming out ---- */
ADL_API const char *adl_type(const adl_value *value);           /* "array", "string", "list", ... */
ADL_API const char *adl_dtype(const adl_value *value); /* "f64", "f32", "bool"; NULL for no array */
ADL_API int adl_axes(const adl_value *value);                   /* -1 for no array */
ADL_API const int64_t *adl_shape(const adl_value *value);
ADL_API int64_t adl_size(const adl_value *value); /* elements, items, fields, bytes of text */
/* The elements of an array or number in row-major order, alive as long as the handle; not copied if
 * they lie so. NULL if it is no array (adl_f32: if it is no f32 array). */
ADL_API const double *adl_f64(adl_value *value);
ADL_API const float *adl_f32(adl_value *value);
ADL_API const char *adl_text(adl_value *value);               /* of a string; NULL if it is none */
ADL_API adl_value *adl_show(adl_value *value);                /* the string that print would show */
ADL_API adl_value *adl_item(adl_value *value, int64_t index); /* of a list; NULL if there is none */
ADL_API adl_value *adl_field(adl_value *value, const char *name);    /* of a struct */
ADL_API const char *adl_field_name(const adl_value *value, int64_t index);
ADL_API adl_value *adl_copy(adl_value *value); /* another handle of the same value */
ADL_API void adl_release(adl_value *value);                     /* NULL is nothing to release */

/* ---- callbacks ---- */
/* What programs print, instead of standard output. */
typedef void adl_output(const char *text, size_t bytes, void *env);
ADL_API void adl_set_output(adl_state *state, adl_output *output, void *env);
/* Warnings, one text each; without it they are dropped. */
ADL_API void adl_set_warning(adl_state *state, adl_output *warning, void *env);
/* Asked now and then while a program runs: anything but 0 stops it with an error of kind
 * "interrupt". */
typedef int adl_interrupt_check(void *env);
ADL_API void adl_set_interrupt(adl_state *state, adl_interrupt_check *check, void *env);
/* Stops what the state is running; from any thread or a signal handler. */
ADL_API void adl_interrupt(adl_state *state);
/* A function of the host that programs call by this name. It gives a handle, which adl releases, or
 * NULL after adl_fail(). The arguments are borrowed. */
typedef adl_value *adl_function(adl_state *state, int count, adl_value *const *arguments,
                                void *env);
ADL_API int adl_define(adl_state *state, const char *name, adl_function *function, void *env);
/* The message of the error that a host function is about to raise; gives NULL to return. */
ADL_API adl_value *adl_fail(adl_state *state, const char *message);

#ifdef __cplusplus
}
#endif
#endif
