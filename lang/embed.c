/* adl.h: states, handles and callbacks around the interpreter. The one idea: the interpreter keeps
 * its state in a few global variables, so that its own code pays nothing for several states;
 * entering a state puts its copies there, and one lock lets one state in at a time.
 *
 * No error of the language leaves a function here: each runs its body under guard(). Values going
 * in and out are embed_value.c's. */
#include "ffi_call.h"
#include "embed_parts.h"
#include "diag.h"
#include "format.h"
#include "io.h"
#include "rand.h"
#include "sweep.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* ---- entering ---- */

static pthread_mutex_t turn;
static pthread_once_t turn_made = PTHREAD_ONCE_INIT;
static adl_state *inside; /* whose state the globals are; it stays until another enters */
static adl_state *open_states;

static void make_turn(void) {
    pthread_mutexattr_t recursive;
    pthread_mutexattr_init(&recursive);
    pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&turn, &recursive);
    pthread_mutexattr_destroy(&recursive);
}

static void warn(const Error *warning) {
    char *text = inside->warning ? diag_text(warning, DIAG_WARNING, false, 0) : NULL;
    if (text) inside->warning(text, strlen(text), inside->warning_env);
    free(text);
}

static void warn_text(const char *text, size_t bytes, void *env) {
    (void)env;
    if (inside->warning) inside->warning(text, bytes, inside->warning_env);
}

static void put_away(adl_state *s) {
    s->runtime = rt;
    s->interp = interp;
    s->library = library_exchange(NULL);
    s->sources = sources_exchange((Sources){ 0 });
    interp = (Interp){ 0 };
}

static void take_out(adl_state *s) {
    rt = s->runtime;
    interp = s->interp;
    library_exchange(s->library);
    sources_exchange(s->sources);
}

static void change_to(adl_state *s) {
    if (inside == s) return;
    if (inside) put_away(inside);
    inside = s;
    if (!s) return;
    take_out(s);
    module_warn = warn;
    io_set_output(s->output, s->output_env);
}

adl_state *state_enter(adl_state *s) {
    pthread_once(&turn_made, make_turn);
    pthread_mutex_lock(&turn);
    adl_state *before = inside;
    change_to(s);
    if (!s->depth++ && !pthread_equal(s->thread, pthread_self())) {
        s->thread = pthread_self();
        interp_move_stack();
    }
    return before;
}

void state_leave(adl_state *s, adl_state *before) {
    s->depth--;
    if (before && before != s && before->depth)
        change_to(before); /* we were called from its callback */
    pthread_mutex_unlock(&turn);
}

/* ---- running under guard ---- */

static void keep_error(adl_state *s, const Error *error) {
    s->error = *error;
    free(s->text);
    s->text = diag_text(error, DIAG_ERROR, false, 0);
}

static void reclaim(void *env) {
    (void)env;
    tape_statement_end(0);
}

/* What nobody holds any more leaves the tape, unless a program is still under way around us. */
static void end_statement(void) {
    Error ignored;
    if (!rt.guard) guard(reclaim, NULL, &ignored);
}

bool state_run(adl_state *s, void (*body)(void *env), void *env) {
    Error error;
    adl_state *before = state_enter(s);
    size_t mark = pool_mark();
    bool fine = guard(body, env, &error);
    if (fine) pool_unwind(mark);
    else keep_error(s, &error);
    end_statement();
    state_leave(s, before);
    return fine;
}

/* C calls a function of a program that it has kept: into that program's state, if no other thread
 * is inside (to wait for it could be to wait for each other). */
static bool enter_owner(const Tape *tape, void (*body)(void *env), void *env) {
    if (pthread_mutex_trylock(&turn)) return false;
    adl_state *s = open_states;
    while (s && (s == inside ? rt.tape : s->runtime.tape) != tape) s = s->next;
    if (s) {
        adl_state *before = state_enter(s);
        body(env);
        end_statement();
        state_leave(s, before);
    }
    pthread_mutex_unlock(&turn);
    return s != NULL;
}

/* ---- handles ---- */

adl_value *handle_new(Value v) {
    adl_value *h = calloc(1, sizeof *h);
    if (!h) fail(E_MEMORY, "memory ran out: no room for a handle");
    *h = (adl_value){
        .state = inside, .value = value_hold(v), .converted = NIL, .next = inside->values
    };
    if (h->next) h->next->previous = h;
    inside->values = h;
    return h;
}

void handle_drop(adl_value *h) {
    *(h->previous ? &h->previous->next : &h->state->values) = h->next;
    if (h->next) h->next->previous = h->previous;
    value_release(h->value);
    value_release(h->converted);
    free(h);
}

void adl_release(adl_value *value) {
    if (!value) return;
    adl_state *s = value->state, *before = state_enter(s);
    handle_drop(value);
    end_statement();
    state_leave(s, before);
}

/* ---- opening and closing ---- */

static void open_interpreter(void *env) {
    adl_state *s = env;
    tape_open();
    ops_open();
    sweep_open();
    interp_open();
    s->module = module_new("main", "");
}

static void close_interpreter(adl_state *s) {
    while (s->values) handle_drop(s->values);
    interp_close();
    foreign_forget();
    tape_close();
    runtime_close();
    sources_close();
}

adl_state *adl_open(void) {
    adl_state *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    pthread_once(&turn_made, make_turn);
    pthread_mutex_lock(&turn);
    adl_state *before = inside;
    change_to(NULL);
    inside = s;
    s->thread = pthread_self();
    module_warn = warn;
    io_set_output(NULL, NULL);
    io_set_warning(warn_text, NULL);
    foreign_set_enter(enter_owner);
    runtime_open();
    Error error;
    bool fine = guard(open_interpreter, s, &error);
    if (!fine) {
        close_interpreter(s);
        inside = NULL;
        free(s);
    } else {
        s->next = open_states;
        open_states = s;
    }
    if (before && before->depth) change_to(before);
    pthread_mutex_unlock(&turn);
    return fine ? s : NULL;
}

static void take_from_open(const adl_state *state) {
    adl_state **at = &open_states;
    while (*at != state) at = &(*at)->next;
    *at = state->next;
}

void adl_close(adl_state *state) {
    if (!state) return;
    adl_state *before = state_enter(state);
    take_from_open(state);
    close_interpreter(state);
    inside = NULL;
    free(state->text);
    if (before && before != state && before->depth) change_to(before);
    free(state);
    pthread_mutex_unlock(&turn);
}

void adl_sandbox(adl_state *state) {
    adl_state *before = state_enter(state);
    rt.sandbox = true;
    state_leave(state, before);
}

void adl_seed(adl_state *state, uint64_t seed) {
    adl_state *before = state_enter(state);
    rand_seed(seed);
    state_leave(state, before);
}

/* ---- running ---- */

static void eval_text(void *env) {
    Work *w = env;
    Source *source = source_new(w->name, w->text, strlen(w->text));
    w->result = handle_new(module_run_source(w->state->module, source));
}

adl_value *adl_eval(adl_state *state, const char *name, const char *text) {
    Work w = { .state = state, .name = name ? name : "text", .text = text };
    return state_run(state, eval_text, &w) ? w.result : NULL;
}

static void get_variable(void *env) {
    Work *w = env;
    String *name = symbol(w->name, strlen(w->name));
    Value *place = module_global(w->state->module, name);
    if (!place || place->tag == V_UNSET) place = library_find(name);
    if (!place) fail(E_NAME, "there is no variable `%s`", w->name);
    w->result = handle_new(*place);
}

adl_value *adl_get(adl_state *state, const char *name) {
    Work w = { .state = state, .name = name };
    return state_run(state, get_variable, &w) ? w.result : NULL;
}

static void set_variable(void *env) {
    Work *w = env;
    if (!text_is_name(w->name, strlen(w->name))) fail(E_NAME, "\"%s\" is no name", w->name);
    module_define(w->state->module, symbol(w->name, strlen(w->name)), w->value->value);
}

int adl_set(adl_state *state, const char *name, adl_value *value) {
    Work w = { .state = state, .name = name, .value = value };
    return state_run(state, set_variable, &w) ? 0 : -1;
}

static void call_function(void *env) {
    Work *w = env;
    Value result = call_value(w->function->value, w->count, values_of(w->count, w->arguments));
    w->result = handle_new(result);
}

adl_value *adl_call(adl_state *state, adl_value *function, int count, adl_value *const *arguments) {
    Work w = { .state = state, .function = function, .count = count, .arguments = arguments };
    return state_run(state, call_function, &w) ? w.result : NULL;
}

/* ---- errors ---- */

const char *adl_error(const adl_state *state) { return state->text ? state->text : ""; }
const char *adl_error_message(const adl_state *state) { return state->error.message; }
const char *adl_error_kind(const adl_state *state) { return error_kind_name(state->error.kind); }
int adl_error_status(const adl_state *state) { return state->error.status; }

int adl_error_line(const adl_state *state) {
    adl_state *s = (adl_state *)state, *before = state_enter(s);
    int line = s->error.span ? (int)place_of(s->error.span).line : 0;
    state_leave(s, before);
    return line;
}

/* ---- callbacks ---- */

void adl_set_output(adl_state *state, adl_output *output, void *env) {
    adl_state *before = state_enter(state);
    state->output = output;
    state->output_env = env;
    io_set_output(output, env);
    state_leave(state, before);
}

void adl_set_warning(adl_state *state, adl_output *warning, void *env) {
    state->warning = warning;
    state->warning_env = env;
}

static bool asks_host(void) { return inside->check(inside->check_env) != 0; }

void adl_set_interrupt(adl_state *state, adl_interrupt_check *check, void *env) {
    adl_state *before = state_enter(state);
    state->check = check;
    state->check_env = env;
    interrupt_check(check ? asks_host : NULL);
    state_leave(state, before);
}

/* No lock: it may be held by the very call that is to be stopped. */
void adl_interrupt(adl_state *state) {
    if (inside == state) rt.interrupted = INTERRUPT_NOW;
    else state->runtime.interrupted = INTERRUPT_NOW;
}

/* ---- functions of the host ---- */

typedef struct HostFunction { Function head; adl_function *call; void *env; } HostFunction;

static Value call_host(Function *self, int count, const Value *args) {
    HostFunction *f = (HostFunction *)self;
    adl_state *s = inside;
    adl_value **argument = pool_bytes(((size_t)count + 1) * sizeof *argument);
    for (int i = 0; i < count; i++) argument[i] = handle_new(args[i]);
    s->host_failed = false;
    adl_value *result = f->call(s, count, argument, f->env);
    for (int i = 0; i < count; i++) handle_drop(argument[i]);
    if (!result && s->host_failed) fail(E_USER, "%s", s->error.message);
    if (!result) fail(E_USER, "the host's function %s gave no value", self->name->text);
    Value v = result->value;
    if (is_object(v)) pool_own(value_keep(v).as.obj);
    handle_drop(result);
    return v;
}

typedef struct Definition {
    adl_state *state;
    const char *name;
    adl_function *function;
    void *env;
} Definition;

static void define(void *env) {
    const Definition *d = env;
    if (!text_is_name(d->name, strlen(d->name))) fail(E_NAME, "\"%s\" is no name", d->name);
    Function *f = function_new(sizeof(HostFunction), d->name, call_host);
    ((HostFunction *)f)->call = d->function;
    ((HostFunction *)f)->env = d->env;
    library_put(symbol(d->name, strlen(d->name)), object(f));
}

int adl_define(adl_state *state, const char *name, adl_function *function, void *env) {
    Definition d = { state, name, function, env };
    return state_run(state, define, &d) ? 0 : -1;
}

adl_value *adl_fail(adl_state *state, const char *message) {
    state->host_failed = true;
    size_t bytes = strnlen(message, sizeof state->error.message - 1);
    memmove(state->error.message, message, bytes); /* it may be the state's own last message */
    state->error.message[bytes] = 0;
    return NULL;
}
