/* Callbacks: functions of a program as C function pointers. The one idea: each gets a small piece
 * of machine code of its own (a libffi closure), so C needs no context to find it; a `void*` among
 * its parameters is C's context and is not shown.
 *
 * A callback runs inside a guard. When it fails, the error is kept, C is given zeros and goes on,
 * further callbacks of the same call do nothing, and callback_check() raises the error once C has
 * returned. There is never more than one error waiting: nothing of the program runs before it is
 * raised.
 *
 * A callback that C keeps may be called at any time. Where there are several interpreters it runs
 * in its own one (foreign_set_enter); on another thread than the one that programs run on it is
 * refused. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "ffi_parts.h"
#include "io.h"
#include "tape.h"

typedef struct Callback Callback;
struct Callback {
    ffi_closure *closure;
    void *code;
    const CType *type;
    Value f;
    String *parameter;             /* what it was given as, for messages */
    const ForeignFunction *given_to;
    bool points;                   /* what it gives may point to memory of ours */
    const Tape *tape;              /* of the interpreter it belongs to; NULL when that is gone */
    Callback *next;                /* of those that are kept */
    ffi_cif cif;
    ffi_type *types[C_MAX_PARAMETERS];
};

typedef struct Running { Callback *callback; void *result; void **args; CCall *call; } Running;

static Error waiting;
static Callback *kept; /* C may call these at any time, until their interpreter is gone */
static ForeignEnter *enter_owner;

void foreign_set_enter(ForeignEnter *enter) { enter_owner = enter; }

/* ---- running ---- */

static bool is_context(const CParameter *p) { return p->type->kind == C_ANY; }

static Value argument(const Running *r, int i, const CPlace *place) {
    const CType *type = r->callback->type->signature->parameter[i].type;
    if (type->kind == C_POINTER) return c_load_target(type, *(void **)r->args[i], place);
    return c_load(type, r->args[i], place);
}

/* Whole numbers shorter than a register are widened to one. */
static void store_result(const Running *r, Value v, const CPlace *place) {
    const CType *type = r->callback->type->signature->result;
    if (type->kind != C_NUMBER || !type->number->whole || type->bytes >= sizeof(ffi_arg)) {
        c_store(type, r->result, v, place);
        return;
    }
    union { uint64_t bits; char bytes[8]; } small = { 0 };
    c_store_number(type->number, small.bytes, v, place);
    *(ffi_sarg *)r->result = (ffi_sarg)type->number->load(small.bytes);
}

static void store_target(const CType *pointer, void *target, Value v, const CPlace *place) {
    int64_t shape[C_MAX_DIMS], count = pointer->dims ? c_count(pointer, place, shape) : 1;
    CType whole = { .kind = C_ARRAY, .element = pointer->element, .dim[0].number = count,
                    .bytes = (size_t)count * pointer->element->bytes };
    if (!target) return;
    if (pointer->dims) c_store(&whole, target, v, place);
    else c_store(pointer->element, target, v, place);
}

/* The value of the function: its result, then what goes into `out` and `inout` parameters, as one
 * list if there are several. */
static void take_results(const Running *r, Value v, const CPlace *place) {
    const CSignature *s = r->callback->type->signature;
    int outs = 0, at = 0;
    for (int i = 0; i < s->count; i++) outs += s->parameter[i].way != C_IN;
    int count = outs + (s->result->kind != C_VOID);
    if (count > 1 && (v.tag != V_LIST || v.as.list->count != (size_t)count))
        c_fail(place, E_TYPE, "%s instead of a list of %d values", type_name(v), count);
    if (count == 0) return;
    const Value *item = count > 1 ? v.as.list->item : &v;
    if (s->result->kind != C_VOID) store_result(r, item[at++], place);
    for (int i = 0; i < s->count; i++)
        if (s->parameter[i].way != C_IN)
            store_target(s->parameter[i].type, *(void **)r->args[i], item[at++], place);
}

/* A result that is on the tape must not lose its gradient in silence: the call gets to know of it.
 */
static void note_recorded(CCall *call, Value v) {
    if (!rt.recording || !v.node || v.tag == V_LIST) return;
    if (call->seen.tag == V_LIST && call->seen.as.list->item[0].tag == V_NIL)
        list_set(call->seen, 0, v);
}

/* Inside custom_grad nothing is recorded, and its rule knows nothing of what a function uses
 * besides its arguments: so one callback of each call is recorded, to see whether there is
 * something to be lost. */
static Value call_and_look(const Running *r, Function *f, int count, const Value *args) {
    bool look = rt.custom && !rt.recording && !r->call->looked;
    if (!look) return f->call(f, count, args);
    r->call->looked = rt.recording = true;
    Value v = f->call(f, count, args);
    rt.recording = false;
    if (v.tag == V_LIST || !v.node) return v;
    hint("hand it over as an argument of the function with the rule, or detach(...) it");
    fail(E_GRADIENT,
         "the function given as `%s` of %s uses a recorded value, whose gradient would be lost",
         r->callback->parameter->text, r->call->f->signature->name->text);
}

static void run(void *env) {
    const Running *r = env;
    const CSignature *s = r->callback->type->signature;
    CPlace place = { .call = r->call,
                     .parameter = r->callback->parameter->text,
                     .from_callback = true,
                     .callback = s,
                     .slots = r->args };
    Value args[C_MAX_PARAMETERS];
    int count = 0;
    for (int i = 0; i < s->count; i++)
        if (!is_context(&s->parameter[i]) && s->parameter[i].way != C_OUT)
            args[count++] = argument(r, i, &place);
    Function *f = r->callback->f.as.function;
    Value v = call_and_look(r, f, count, args);
    note_recorded(r->call, v);
    if (r->callback->points && is_object(v)) pool_own(value_keep(v).as.obj);
    take_results(r, v, &place);
}

static void give_zeros(const Callback *callback, void *result) {
    const CType *type = callback->type->signature->result;
    size_t bytes = type->bytes < sizeof(ffi_arg) ? sizeof(ffi_arg) : type->bytes;
    if (type->kind != C_VOID) memset(result, 0, bytes);
}

typedef struct Entry { Callback *callback; void *result; void **args; } Entry;

/* In the interpreter that the callback belongs to. */
static void run_inside(void *env) {
    const Entry *e = env;
    CCall *call = rt.foreign, outside = { .f = e->callback->given_to, .seen = NIL };
    if (call && call->failed) return;
    size_t mark = pool_mark();
    Running r = { e->callback, e->result, e->args, call ? call : &outside };
    if (guard(run, &r, &waiting)) {
        if (!e->callback->points) pool_unwind(mark);   /* else it lives as long as the call */
        return;
    }
    give_zeros(e->callback, e->result);
    if (call) call->failed = true;
    else io_warn("a callback failed outside of any foreign call: %s", waiting.message);
}

/* Does it run where it belongs: in a call of its own interpreter, or in the only one there is? */
static bool is_home(const Callback *callback) {
    return callback->tape == rt.tape && pthread_equal(pthread_self(), rt.thread) &&
           (rt.foreign || !enter_owner);
}

/* From another interpreter, whose own error may be waiting, or from none. */
static void run_elsewhere(Entry *entry) {
    Error before = waiting;
    if (!enter_owner || !enter_owner(entry->callback->tape, run_inside, entry))
        if (rt.foreign) rt.foreign->stranger = true;
    waiting = before;
}

static void called(ffi_cif *cif, void *result, void **args, void *env) {
    (void)cif;
    Entry entry = { env, result, args };
    if (!entry.callback->tape) return;
    give_zeros(entry.callback, result);
    if (is_home(entry.callback)) run_inside(&entry);
    else run_elsewhere(&entry);
}

void callback_check(CCall *call) {
    if (call->failed) fail_again(&waiting);
    if (!call->stranger) return;
    hint("programs run on one thread: let the library call back on the one it was called on");
    fail(E_FOREIGN, "%s called a function of the program from another thread",
         call->f->signature->name->text);
}

/* ---- making ---- */

static void callback_free(void *pointer) {
    Callback *callback = pointer;
    if (!callback) return;
    if (callback->closure) ffi_closure_free(callback->closure);
    value_release(callback->f);
    obj_drop(callback->parameter);
    free(callback);
}

static void keep_callback(Callback *callback, Handle *owner) {
    owner->pointer = NULL;
    callback->next = kept;
    kept = callback;
    obj_keep((void *)callback->given_to);
}

static void forget(Callback *callback) {
    value_release(callback->f);
    obj_drop(callback->parameter);
    obj_drop((void *)callback->given_to);
    callback->f = NIL;
    callback->tape = NULL;         /* its code stays, since C may still have its address */
}

void foreign_forget(void) {
    for (Callback *callback = kept; callback; callback = callback->next)
        if (callback->tape && callback->tape == rt.tape) forget(callback);
}

void foreign_close(bool failed) {
    sessions_close(failed);
    foreign_forget();
}

static bool is_plain(const CType *type) { return type->kind == C_VOID || type->kind == C_NUMBER; }

static void prepare(Callback *callback) {
    const CSignature *s = callback->type->signature;
    callback->points = !is_plain(s->result);
    for (int i = 0; i < s->count; i++) {
        callback->types[i] = s->parameter[i].type->ffi;
        if (s->parameter[i].way != C_IN && !is_plain(s->parameter[i].type->element))
            callback->points = true;
    }
    callback->closure = ffi_closure_alloc(sizeof(ffi_closure), &callback->code);
    if (!callback->closure) fail(E_MEMORY, "no memory for a callback");
    if (ffi_prep_cif(&callback->cif, FFI_DEFAULT_ABI, (unsigned)s->count, s->result->ffi,
                     callback->types) != FFI_OK ||
        ffi_prep_closure_loc(callback->closure, &callback->cif, called, callback, callback->code) !=
            FFI_OK)
        fail(E_FOREIGN, "this machine cannot make a callback fn(%s)", s->text);
}

void *callback_new(const CType *type, Value f, const CPlace *place) {
    Handle *owner = io_own(callback_free);
    Callback *callback = calloc(1, sizeof *callback);   /* may outlive the interpreter */
    if (!callback) fail(E_MEMORY, "no memory for a callback");
    callback->tape = rt.tape;
    callback->type = type;
    callback->given_to = place->call->f;
    callback->parameter = symbol(place->parameter, strlen(place->parameter));
    obj_keep(callback->parameter);
    callback->f = value_hold(f);
    owner->pointer = callback;
    prepare(callback);
    if (type->keep) keep_callback(callback, owner);
    return callback->code;
}
