/* adl.h: states, handles and callbacks around the interpreter. The one idea: the interpreter keeps
 * its state in a few global variables, so that its own code pays nothing for several states;
 * entering a state puts its copies there, and one lock lets one state in at a time.
 *
 * No error of the language leaves a function here: each runs its body under guard(). */
#include "ffi_call.h"
#include "adl.h"
#include "diag.h"
#include "eval.h"
#include "format.h"
#include "io.h"
#include "rand.h"
#include "sweep.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

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

/* ---- entering ---- */

static pthread_mutex_t turn;
static pthread_once_t turn_made = PTHREAD_ONCE_INIT;
static adl_state *inside; /* whose state the globals are; it stays until another enters */

static void make_turn(void) {
    pthread_mutexattr_t recursive;
    pthread_mutexattr_init(&recursive);
    pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&turn, &recursive);
    pthread_mutexattr_destroy(&recursive);
}

static void warn(const Error *warning) {
    char *text = inside->warning ? diag_text(warning, DIAG_WARNING, false, 100) : NULL;
    if (text) inside->warning(text, strlen(text), inside->warning_env);
    free(text);
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

/* Gives the state that was inside, for leave(). */
static adl_state *enter(adl_state *s) {
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

static void leave(adl_state *s, adl_state *before) {
    s->depth--;
    if (before && before != s && before->depth)
        change_to(before); /* we were called from its callback */
    pthread_mutex_unlock(&turn);
}

/* ---- running under guard ---- */

static void keep_error(adl_state *s, const Error *error) {
    s->error = *error;
    free(s->text);
    s->text = diag_text(error, DIAG_ERROR, false, 100);
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

/* Runs body(env) in the state; false if it failed, and the error is kept. */
static bool run(adl_state *s, void (*body)(void *env), void *env) {
    Error error;
    adl_state *before = enter(s);
    size_t mark = pool_mark();
    bool fine = guard(body, env, &error);
    if (fine) pool_unwind(mark);
    else keep_error(s, &error);
    end_statement();
    leave(s, before);
    return fine;
}

/* ---- handles ---- */

/* A handle of v, made under guard: what can fail comes first. */
static adl_value *handle_of(Value v) {
    adl_value *h = calloc(1, sizeof *h);
    if (!h) fail(E_MEMORY, "memory ran out: no room for a handle");
    *h = (adl_value){
        .state = inside, .value = value_hold(v), .converted = NIL, .next = inside->values
    };
    if (h->next) h->next->previous = h;
    inside->values = h;
    return h;
}

static void drop_handle(adl_value *h) {
    *(h->previous ? &h->previous->next : &h->state->values) = h->next;
    if (h->next) h->next->previous = h->previous;
    value_release(h->value);
    value_release(h->converted);
    free(h);
}

void adl_release(adl_value *value) {
    if (!value) return;
    adl_state *s = value->state, *before = enter(s);
    drop_handle(value);
    end_statement();
    leave(s, before);
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
    while (s->values) drop_handle(s->values);
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
    runtime_open();
    Error error;
    bool fine = guard(open_interpreter, s, &error);
    if (!fine) {
        close_interpreter(s);
        inside = NULL;
        free(s);
    }
    if (before && before->depth) change_to(before);
    pthread_mutex_unlock(&turn);
    return fine ? s : NULL;
}

void adl_close(adl_state *state) {
    if (!state) return;
    adl_state *before = enter(state);
    close_interpreter(state);
    inside = NULL;
    free(state->text);
    if (before && before != state && before->depth) change_to(before);
    free(state);
    pthread_mutex_unlock(&turn);
}

void adl_sandbox(adl_state *state) {
    adl_state *before = enter(state);
    rt.sandbox = true;
    leave(state, before);
}

void adl_seed(adl_state *state, uint64_t seed) {
    adl_state *before = enter(state);
    rand_seed(seed);
    leave(state, before);
}

/* ---- running ---- */

typedef struct Work {
    adl_state *state;
    const char *name, *text;
    adl_value *function, *value, *result;
    int count;
    adl_value *const *arguments;
} Work;

static void eval_text(void *env) {
    Work *w = env;
    Source *source = source_new(w->name, w->text, strlen(w->text));
    w->result = handle_of(module_run_source(w->state->module, source));
}

adl_value *adl_eval(adl_state *state, const char *name, const char *text) {
    Work w = { .state = state, .name = name ? name : "text", .text = text };
    return run(state, eval_text, &w) ? w.result : NULL;
}

static void get_variable(void *env) {
    Work *w = env;
    String *name = symbol(w->name, strlen(w->name));
    Value *place = module_global(w->state->module, name);
    if (!place || place->tag == V_UNSET) place = library_find(name);
    if (!place) fail(E_NAME, "there is no variable `%s`", w->name);
    w->result = handle_of(*place);
}

adl_value *adl_get(adl_state *state, const char *name) {
    Work w = { .state = state, .name = name };
    return run(state, get_variable, &w) ? w.result : NULL;
}

static void set_variable(void *env) {
    Work *w = env;
    if (!text_is_name(w->name, strlen(w->name))) fail(E_NAME, "\"%s\" is no name", w->name);
    module_define(w->state->module, symbol(w->name, strlen(w->name)), w->value->value);
}

int adl_set(adl_state *state, const char *name, adl_value *value) {
    Work w = { .state = state, .name = name, .value = value };
    return run(state, set_variable, &w) ? 0 : -1;
}

static Value *values_of(int count, adl_value *const *handles) {
    Value *v = pool_bytes(((size_t)count + 1) * sizeof *v);
    for (int i = 0; i < count; i++) v[i] = handles[i]->value;
    return v;
}

static void call_function(void *env) {
    Work *w = env;
    Value result = call_value(w->function->value, w->count, values_of(w->count, w->arguments));
    w->result = handle_of(result);
}

adl_value *adl_call(adl_state *state, adl_value *function, int count, adl_value *const *arguments) {
    Work w = { .state = state, .function = function, .count = count, .arguments = arguments };
    return run(state, call_function, &w) ? w.result : NULL;
}

/* ---- errors ---- */

const char *adl_error(const adl_state *state) { return state->text ? state->text : ""; }
const char *adl_error_message(const adl_state *state) { return state->error.message; }
const char *adl_error_kind(const adl_state *state) { return error_kind_name(state->error.kind); }
int adl_error_status(const adl_state *state) { return state->error.status; }

int adl_error_line(const adl_state *state) {
    adl_state *s = (adl_state *)state, *before = enter(s);
    int line = s->error.span ? (int)place_of(s->error.span).line : 0;
    leave(s, before);
    return line;
}

/* ---- values going in ---- */

typedef struct Made {
    Value (*make)(const struct Made *m);
    const void *data;
    int dtype, axes, count;
    size_t bytes;
    double number;
    const int64_t *shape;
    adl_release_data *release;
    void *env;
    const char *const *names;
    adl_value *const *values;
    adl_value *result;
} Made;

static void make_value(void *env) {
    Made *m = env;
    m->result = handle_of(m->make(m));
}

static adl_value *made(adl_state *state, Made m) {
    return run(state, make_value, &m) ? m.result : NULL;
}

static Value make_nil(const Made *m) { return (void)m, NIL; }
static Value make_number(const Made *m) { return number(m->number); }
static Value make_boolean(const Made *m) { return boolean(m->number != 0); }

static Value make_string(const Made *m) {
    size_t valid = text_valid(m->data, m->bytes);
    if (valid < m->bytes) fail(E_VALUE, "the text is no UTF-8: byte %zu is none", valid);
    return string_new(m->data, m->bytes);
}

static Value make_array(const Made *m) {
    Array *a = array_new(m->dtype, m->axes, m->shape);
    memcpy(a->data, m->data, array_bytes(a));
    return array_value(a);
}

typedef struct Shared { void *data, *env; adl_release_data *release; } Shared;

static void end_sharing(void *pointer) {
    Shared *shared = pointer;
    if (!shared) return;
    if (shared->release) shared->release(shared->data, shared->env);
    free(shared);
}

/* Nothing is given back to the host before the array that looks at it stands. */
static Value make_shared(const Made *m) {
    Handle *keeper = io_own(end_sharing);
    Array *a = array_on((void *)m->data, F64, m->axes, m->shape, &keeper->head);
    Shared *shared = malloc(sizeof *shared);
    if (!shared) fail(E_MEMORY, "memory ran out: no room for a handle");
    *shared = (Shared){ (void *)m->data, m->env, m->release };
    keeper->pointer = shared;
    return object(a);
}

static Value make_list(const Made *m) {
    return list_of((size_t)m->count, values_of(m->count, m->values));
}

static Value make_struct(const Made *m) {
    Value record = struct_new((size_t)m->count);
    for (int i = 0; i < m->count; i++)
        struct_put(record, symbol(m->names[i], strlen(m->names[i])), m->values[i]->value);
    return record;
}

adl_value *adl_nil(adl_state *state) { return made(state, (Made){ .make = make_nil }); }
adl_value *adl_number(adl_state *state, double x) {
    return made(state, (Made){ .make = make_number, .number = x });
}
adl_value *adl_boolean(adl_state *state, int truth) {
    return made(state, (Made){ .make = make_boolean, .number = truth });
}
adl_value *adl_string(adl_state *state, const char *text, size_t bytes) {
    return made(state, (Made){ .make = make_string, .data = text, .bytes = bytes });
}
adl_value *adl_array(adl_state *state, const double *data, int axes, const int64_t *shape) {
    return made(
        state,
        (Made){ .make = make_array, .data = data, .dtype = F64, .axes = axes, .shape = shape });
}
adl_value *adl_array_f32(adl_state *state, const float *data, int axes, const int64_t *shape) {
    return made(
        state,
        (Made){ .make = make_array, .data = data, .dtype = F32, .axes = axes, .shape = shape });
}
adl_value *adl_array_share(adl_state *state, const double *data, int axes, const int64_t *shape,
                           adl_release_data *release, void *env) {
    if (!axes) {
        adl_value *copy = adl_number(state, *data);
        if (copy && release) release((void *)data, env);
        return copy;
    }
    return made(state, (Made){ .make = make_shared, .data = data, .axes = axes, .shape = shape,
                               .release = release, .env = env });
}
adl_value *adl_list(adl_state *state, int count, adl_value *const *items) {
    return made(state, (Made){ .make = make_list, .count = count, .values = items });
}
adl_value *adl_struct(adl_state *state, int count, const char *const *names,
                      adl_value *const *values) {
    return made(state,
                (Made){ .make = make_struct, .count = count, .names = names, .values = values });
}

/* ---- values coming out ---- */

const char *adl_type(const adl_value *value) { return type_name(value->value); }

const char *adl_dtype(const adl_value *value) {
    return is_numeric(value->value) ? dtype_name(dtype_of(value->value)) : NULL;
}

int adl_axes(const adl_value *value) {
    return is_numeric(value->value) ? axes_of(value->value) : -1;
}

const int64_t *adl_shape(const adl_value *value) {
    return value->value.tag == V_ARRAY ? shape_of(value->value.as.array) : NULL;
}

int64_t adl_size(const adl_value *value) {
    Value v = value->value;
    switch ((Tag)v.tag) {
    case V_STRING: return (int64_t)v.as.string->bytes;
    case V_LIST: return (int64_t)v.as.list->count;
    case V_STRUCT: return (int64_t)v.as.record->count;
    default: return is_numeric(v) ? size_of(v) : 0;
    }
}

/* The handle's array in row-major order and this dtype, kept with the handle. */
static void convert(void *env) {
    Made *m = env;
    adl_value *h = m->env;
    Array *a = array_contiguous(array_cast(array_of(h->value), m->dtype));
    value_store(&h->converted, object(a));
}

static void *elements(adl_value *value, int dtype) {
    Value v = value->value;
    if (v.tag == V_ARRAY && v.as.array->dtype == dtype && v.as.array->contiguous)
        return v.as.array->data;
    if (value->converted.tag != V_ARRAY) {
        Made m = { .dtype = dtype, .env = value };
        if (!run(value->state, convert, &m)) return NULL;
    }
    return value->converted.as.array->data;
}

const double *adl_f64(adl_value *value) {
    if (!is_numeric(value->value)) return NULL;
    if (value->value.tag == V_ARRAY) return elements(value, F64);
    value->number = num_of(value->value);
    return &value->number;
}

const float *adl_f32(adl_value *value) {
    return dtype_of(value->value) == F32 ? elements(value, F32) : NULL;
}

const char *adl_text(adl_value *value) {
    return value->value.tag == V_STRING ? value->value.as.string->text : NULL;
}

static void show_value(void *env) {
    Work *w = env;
    Buffer b = { 0 };
    format_value(&b, w->value->value, NULL);
    w->result = handle_of(buffer_string(&b));
}

adl_value *adl_show(adl_value *value) {
    Work w = { .value = value };
    return run(value->state, show_value, &w) ? w.result : NULL;
}

static void take_part(void *env) {
    Work *w = env;
    Value v = w->value->value;
    if (w->name) {
        Value *place = v.tag == V_STRUCT ? struct_find(v, symbol(w->name, strlen(w->name))) : NULL;
        if (!place) fail(E_NAME, "there is no field \"%s\"", w->name);
        w->result = handle_of(*place);
        return;
    }
    if (v.tag != V_LIST || w->count < 0 || (size_t)w->count >= v.as.list->count)
        fail(E_INDEX, "there is no item %d in this %s", w->count, type_name(v));
    w->result = handle_of(v.as.list->item[w->count]);
}

adl_value *adl_item(adl_value *value, int64_t index) {
    Work w = { .value = value, .count = index > INT32_MAX || index < 0 ? -1 : (int)index };
    return run(value->state, take_part, &w) ? w.result : NULL;
}

adl_value *adl_field(adl_value *value, const char *name) {
    Work w = { .value = value, .name = name };
    return run(value->state, take_part, &w) ? w.result : NULL;
}

const char *adl_field_name(const adl_value *value, int64_t index) {
    Value v = value->value;
    bool there = v.tag == V_STRUCT && index >= 0 && (size_t)index < v.as.record->count;
    return there ? v.as.record->field[index].name->text : NULL;
}

static void copy_handle(void *env) {
    Work *w = env;
    w->result = handle_of(w->value->value);
}

adl_value *adl_copy(adl_value *value) {
    Work w = { .value = value };
    return run(value->state, copy_handle, &w) ? w.result : NULL;
}

/* ---- callbacks ---- */

void adl_set_output(adl_state *state, adl_output *output, void *env) {
    adl_state *before = enter(state);
    state->output = output;
    state->output_env = env;
    io_set_output(output, env);
    leave(state, before);
}

void adl_set_warning(adl_state *state, adl_output *warning, void *env) {
    state->warning = warning;
    state->warning_env = env;
}

static bool asks_host(void) { return inside->check(inside->check_env) != 0; }

void adl_set_interrupt(adl_state *state, adl_interrupt_check *check, void *env) {
    adl_state *before = enter(state);
    state->check = check;
    state->check_env = env;
    interrupt_check(check ? asks_host : NULL);
    leave(state, before);
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
    for (int i = 0; i < count; i++) argument[i] = handle_of(args[i]);
    s->host_failed = false;
    adl_value *result = f->call(s, count, argument, f->env);
    for (int i = 0; i < count; i++) drop_handle(argument[i]);
    if (!result && s->host_failed) fail(E_USER, "%s", s->error.message);
    if (!result) fail(E_USER, "the host's function %s gave no value", self->name->text);
    Value v = result->value;
    if (is_object(v)) pool_own(value_keep(v).as.obj);
    drop_handle(result);
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
    return run(state, define, &d) ? 0 : -1;
}

adl_value *adl_fail(adl_state *state, const char *message) {
    state->host_failed = true;
    size_t bytes = strnlen(message, sizeof state->error.message - 1);
    memmove(state->error.message, message, bytes); /* it may be the state's own last message */
    state->error.message[bytes] = 0;
    return NULL;
}
