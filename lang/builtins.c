/* Builtins on values of any type, and on the state of the interpreter. Text and files are in
 * builtins_text.c, sequences in builtins_sequence.c, gradients in builtins_grad.c. */
#include "builtins.h"
#include "format.h"
#include "io.h"
#include <math.h>
#include <stdlib.h>
#include <time.h>

#define UNUSED_COUNT (void)count

Value builtin_type(int count, const Value *arg) {
    UNUSED_COUNT;
    return string_of(type_name(arg[0]));
}

Value builtin_len(int count, const Value *arg) {
    UNUSED_COUNT;
    Value v = arg[0];
    char text[80];
    switch (v.tag) {
    case V_STRING: return number((double)text_length(v.as.string->text, v.as.string->bytes));
    case V_LIST: return number((double)v.as.list->count);
    case V_STRUCT: return number((double)v.as.record->count);
    case V_ARRAY: if (v.as.array->axes) return number((double)shape_of(v.as.array)[0]); break;
    default: break;
    }
    if (is_numeric(v)) hint("a number has no axes; size(x) counts elements");
    fail(E_TYPE, "len takes an array with an axis, a list, a struct or a string, not %s",
         describe(v, text, sizeof text));
}

Value builtin_equal(int count, const Value *arg) {
    UNUSED_COUNT;
    return boolean(values_equal(arg[0], arg[1]));
}

Value builtin_is_recording(int count, const Value *arg) {
    UNUSED_COUNT;
    (void)arg;
    return boolean(rt.recording);
}

Value builtin_is_training(int count, const Value *arg) {
    UNUSED_COUNT;
    (void)arg;
    return boolean(rt.training);
}

/* A message may be any value: what is no text is shown as print would. */
static const char *message_text(Value v) {
    if (v.tag == V_STRING) return v.as.string->text;
    Buffer b = { 0 };
    format_value(&b, v, NULL);
    return buffer_string(&b).as.string->text;
}

Value builtin_error(int count, const Value *arg) {
    UNUSED_COUNT;
    fail(E_USER, "%s", message_text(arg[0]));
}

static bool holds(Value v) {
    char text[80];
    if (v.tag == V_BOOL) return v.as.truth;
    if (v.tag == V_ARRAY && v.as.array->size != 1) {
        hint("assert(all(...)) or assert(any(...))");
        fail(E_TYPE, "a condition must be one bool or number, not %s",
             describe(v, text, sizeof text));
    }
    if (!is_numeric(v))
        fail(E_TYPE, "a condition must be one bool or number, not %s",
             describe(v, text, sizeof text));
    double x = v.tag == V_ARRAY ? array_get(v.as.array, 0) : v.as.num;
    if (isnan(x)) fail(E_VALUE, "a condition is NaN, which is neither true nor false");
    return x != 0;
}

Value builtin_assert(int count, const Value *arg) {
    UNUSED_COUNT;
    if (holds(arg[0])) return NIL;
    if (arg[1].tag == V_UNSET || arg[1].tag == V_NIL) fail(E_ASSERT, "an assertion does not hold");
    fail(E_ASSERT, "%s", message_text(arg[1]));
}

Value builtin_exit(int count, const Value *arg) {
    UNUSED_COUNT;
    int64_t status = arg[0].tag == V_UNSET ? 0 : arg_int(arg[0], "the exit status");
    if (status < 0 || status > 255)
        fail(E_VALUE, "an exit status is 0 to 255, not %lld", (long long)status);
    rt.pending.status = (int)status;
    fail(E_EXIT, "exit(%lld)", (long long)status);
}

Value builtin_env(int count, const Value *arg) {
    UNUSED_COUNT;
    char text[80];
    if (arg[0].tag != V_STRING) {
        fail(E_TYPE, "env takes the name of a variable, not %s",
             describe(arg[0], text, sizeof text));
    }
    io_allow("reading the environment");
    const char *value = getenv(arg[0].as.string->text);
    return value ? string_of(value) : arg[1].tag == V_UNSET ? NIL : arg[1];
}

Value builtin_time(int count, const Value *arg) {
    UNUSED_COUNT;
    (void)arg;
    return number(io_time());
}

/* In short steps: a signal that comes right before one is not missed for long. */
Value builtin_sleep(int count, const Value *arg) {
    UNUSED_COUNT;
    double seconds = arg_number(arg[0], "the seconds to sleep"), end = io_time() + seconds;
    if (!(seconds >= 0)) fail(E_VALUE, "sleep takes seconds from 0 on, not %g", seconds);
    for (double left = seconds; left > 0; left = end - io_time()) {
        double step = left < 0.05 ? left : 0.05;
        nanosleep(&(struct timespec){ 0, (long)(step * 1e9) }, NULL);
        poll();
    }
    return NIL;
}
