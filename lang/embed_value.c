/* adl.h: values going into a state and coming out of it. The one idea: whatever makes or takes
 * apart a value is a small function run in its state under guard(), so that a failure is a NULL
 * with an error behind it, never a jump into the host. */
#include "embed_parts.h"
#include "format.h"
#include "io.h"
#include <stdlib.h>
#include <string.h>

Value *values_of(int count, adl_value *const *handles) {
    Value *v = pool_bytes(((size_t)count + 1) * sizeof *v);
    for (int i = 0; i < count; i++) v[i] = handles[i]->value;
    return v;
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
    m->result = handle_new(m->make(m));
}

static adl_value *made(adl_state *state, Made m) {
    return state_run(state, make_value, &m) ? m.result : NULL;
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
        if (!state_run(value->state, convert, &m)) return NULL;
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
    w->result = handle_new(buffer_string(&b));
}

adl_value *adl_show(adl_value *value) {
    Work w = { .value = value };
    return state_run(value->state, show_value, &w) ? w.result : NULL;
}

static void take_part(void *env) {
    Work *w = env;
    Value v = w->value->value;
    if (w->name) {
        Value *place = v.tag == V_STRUCT ? struct_find(v, symbol(w->name, strlen(w->name))) : NULL;
        if (!place) fail(E_NAME, "there is no field \"%s\"", w->name);
        w->result = handle_new(*place);
        return;
    }
    if (v.tag != V_LIST || w->count < 0 || (size_t)w->count >= v.as.list->count)
        fail(E_INDEX, "there is no item %d in this %s", w->count, type_name(v));
    w->result = handle_new(v.as.list->item[w->count]);
}

adl_value *adl_item(adl_value *value, int64_t index) {
    Work w = { .value = value, .count = index > INT32_MAX || index < 0 ? -1 : (int)index };
    return state_run(value->state, take_part, &w) ? w.result : NULL;
}

adl_value *adl_field(adl_value *value, const char *name) {
    Work w = { .value = value, .name = name };
    return state_run(value->state, take_part, &w) ? w.result : NULL;
}

const char *adl_field_name(const adl_value *value, int64_t index) {
    Value v = value->value;
    bool there = v.tag == V_STRUCT && index >= 0 && (size_t)index < v.as.record->count;
    return there ? v.as.record->field[index].name->text : NULL;
}

static void copy_handle(void *env) {
    Work *w = env;
    w->result = handle_new(w->value->value);
}

adl_value *adl_copy(adl_value *value) {
    Work w = { .value = value };
    return state_run(value->state, copy_handle, &w) ? w.result : NULL;
}
