/* Inside adl.h: what embed.c (states) and embed_value.c (values) share. */
#ifndef EMBED_PARTS_H
#define EMBED_PARTS_H
#include <pthread.h>
#include "adl.h"
#include "eval.h"

struct adl_value {
    adl_state *state;
    Value value;                     /* held */
    double number;                   /* adl_f64() of a scalar points here */
    Value converted;                 /* held: what adl_f64() and adl_shape() made */
    adl_value *previous, *next;      /* the state's handles */
};

struct adl_state {
    Runtime runtime;                 /* while another state is inside */
    Interp interp;
    void *library;
    Sources sources;
    Module *module;
    adl_state *next;                 /* of all that are open */
    adl_value *values;
    pthread_t thread;                /* whose stack runtime.stack_limit is of */
    int depth;                       /* calls under way: callbacks call back */
    adl_output *output, *warning;
    void *output_env, *warning_env;
    adl_interrupt_check *check;
    void *check_env;
    bool host_failed;                /* adl_fail() was called */
    Error error;
    char *text;
};

/* One piece of work that runs in a state; each uses the members it needs. */
typedef struct Work {
    adl_state *state;
    const char *name, *text;
    adl_value *function, *value, *result;
    int count;
    adl_value *const *arguments;
} Work;

/* Puts the state's globals in place and takes the turn; gives the state that was inside, for
 * state_leave(). */
adl_state *state_enter(adl_state *s);
void state_leave(adl_state *s, adl_state *before);
/* Runs body(env) in the state; false if it failed, and the error is kept. */
bool state_run(adl_state *s, void (*body)(void *env), void *env);

/* A handle of v, made under guard: what can fail comes first. It belongs to the state inside. */
adl_value *handle_new(Value v);
void handle_drop(adl_value *h);
Value *values_of(int count, adl_value *const *handles);   /* in the pool */
#endif
