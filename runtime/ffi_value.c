/* Values to C and back. The one idea: c_store() puts a value where C will look for it and c_load()
 * reads what C left; both follow the CType, so a struct in an array in a struct needs nothing of
 * its own. An array whose elements already are what C wants is handed over as it lies; all else is
 * converted in memory of the pool. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "ffi_parts.h"
#include "text.h"

/* ---- messages ---- */

void c_fail(const CPlace *place, ErrorKind kind, const char *format, ...) {
    enum { SHORT_SIGNATURE = 60 };
    char problem[300];
    const CSignature *s = place->call->f->signature;
    const char *of = strlen(s->text) <= SHORT_SIGNATURE ? s->text : s->name->text;
    va_list args;
    va_start(args, format);
    vsnprintf(problem, sizeof problem, format, args);
    va_end(args);
    if (place->from_callback)
        fail(kind, "what the function given as `%s` of %s gives %s", place->parameter, of, problem);
    if (place->parameter) fail(kind, "`%s` of %s %s", place->parameter, of, problem);
    fail(kind, "the result of %s %s", of, problem);
}

static _Noreturn void fail_type(const CPlace *place, const char *wanted, Value v) {
    char what[80];
    c_fail(place, E_TYPE, "must be %s, not %s", wanted, describe(v, what, sizeof what));
}

/* ---- numbers ---- */

static void check_number(const CNumber *number, double x, const CPlace *place) {
    if (number->whole && !(x >= number->low && x < number->high && x == floor(x)))
        c_fail(place, E_VALUE, "must be a whole number from %.0f to %.0f, not %.6g", number->low,
               number->high - 1, x);
    if (number->dtype == BOOL && x != 0 && x != 1)
        c_fail(place, E_VALUE, "must be true or false, not %.6g", x);
}

static bool is_text(const CType *type) {   /* may a text stand for an array of these? */
    return type->kind == C_NUMBER && type->bytes == 1 && type->number->dtype != BOOL;
}

void c_store_number(const CNumber *number, void *at, Value v, const CPlace *place) {
    if (v.tag == V_STRING && v.as.string->bytes == 1 && !strcmp(number->name, "char")) {
        memcpy(at, v.as.string->text, 1);
        return;
    }
    if (!is_numeric(v)) fail_type(place, "a number", v);
    if (size_of(v) != 1) fail_type(place, "one number", v);
    double x = v.tag == V_NUM ? v.as.num : arg_number(v, "a number");
    check_number(number, x, place);
    number->store(at, x);
}

/* ---- lengths ---- */

static double length_of(const CDim *dim, const CPlace *place) {
    if (!dim->name) return (double)dim->number;
    if (!place->callback) return arg_number(place->call->args[dim->parameter], dim->name->text);
    const CType *type = place->callback->parameter[dim->parameter].type;
    void *at = place->slots[dim->parameter];
    if (type->kind == C_POINTER) at = *(void **)at;
    return (type->kind == C_POINTER ? type->element : type)->number->load(at);
}

int64_t c_count(const CType *pointer, const CPlace *place, int64_t *shape) {
    double count = 1;
    for (int i = 0; i < pointer->dims; i++) {
        double length = length_of(&pointer->dim[i], place);
        if (!(length >= 0 && length == floor(length)))
            c_fail(place, E_ARGUMENT, "has %.6g as a length, from `%s`", length,
                   pointer->dim[i].name->text);
        count *= length;
        shape[i] = (int64_t)length;
    }
    if (count * (double)pointer->element->bytes > 1e15)
        c_fail(place, E_LIMIT, "would have %g elements", count);
    return (int64_t)count;
}

static void check_length(const CType *pointer, int64_t size, const CPlace *place) {
    int64_t shape[C_MAX_DIMS], count = pointer->dims ? c_count(pointer, place, shape) : 0;
    if (size >= count) return;
    c_fail(place, E_ARGUMENT, "has %lld element%s, but %lld are needed", (long long)size,
           size == 1 ? "" : "s", (long long)count);
}

/* ---- arrays to C ---- */

/* Do elements of an array lie in memory as C wants them? */
static bool lies_ready(const CNumber *number, int dtype) {
    return number->dtype == dtype && !number->whole && number->bytes == dtype_bytes(dtype);
}

static void convert_array(const CNumber *number, char *at, Array *a, const CPlace *place) {
    a = array_contiguous(a);
    for (int64_t i = 0; i < a->size; i++, at += number->bytes) {
        double x = a->dtype == F64 ? f64_of(a)[i] : array_get(a, i);
        check_number(number, x, place);
        number->store(at, x);
    }
}

static void *zeroed(size_t bytes) { return memset(pool_bytes(bytes + 1), 0, bytes + 1); }

static void *array_data(const CType *pointer, Value v, const CPlace *place) {
    const CNumber *number = pointer->element->number;
    if (v.tag == V_STRING && is_text(pointer->element)) {
        check_length(pointer, (int64_t)v.as.string->bytes + 1, place);
        return v.as.string->text;
    }
    char wanted[40];
    snprintf(wanted, sizeof wanted, "an array of %s", number->name);
    if (!is_numeric(v)) fail_type(place, wanted, v);
    Array *a = array_of(v);
    check_length(pointer, a->size, place);
    if (lies_ready(number, a->dtype)) return array_contiguous(a)->data;
    void *copy = zeroed((size_t)a->size * number->bytes);
    convert_array(number, copy, a, place);
    return copy;
}

/* Texts, handles, structs: a list of them, or one; a NULL stands behind the last pointer. */
static void *items_data(const CType *pointer, Value v, const CPlace *place) {
    const CType *element = pointer->element;
    size_t count = v.tag == V_LIST ? v.as.list->count : 1;
    check_length(pointer, (int64_t)count, place);
    char *items = zeroed((count + 1) * element->bytes);
    for (size_t i = 0; i < count; i++)
        c_store(element, items + i * element->bytes, v.tag == V_LIST ? v.as.list->item[i] : v,
                place);
    return items;
}

static void *pointer_data(const CType *pointer, Value v, const CPlace *place) {
    if (v.tag == V_NIL) return NULL;
    return pointer->element->kind == C_NUMBER ? array_data(pointer, v, place)
                                              : items_data(pointer, v, place);
}

/* ---- other values to C ---- */

static const char *text_data(Value v, const CPlace *place) {
    if (v.tag == V_NIL) return NULL;
    if (v.tag != V_STRING) fail_type(place, "a string", v);
    const String *s = v.as.string;
    size_t bytes = strlen(s->text);
    if (bytes == s->bytes) return s->text;
    hint("C ends a text at its first zero byte; uint8* takes any bytes");
    c_fail(place, E_VALUE, "has a zero byte after %zu characters", bytes);
}

static void *handle_data(Value v, bool any_library, const CPlace *place) {
    if (v.tag == V_NIL) return NULL;
    if (v.tag != V_HANDLE) fail_type(place, "a handle", v);
    const Handle *h = v.as.handle;
    if (!h->pointer) c_fail(place, E_FOREIGN, "is a handle that was freed before");
    const String *library = place->call->f->library;
    if (any_library || !h->library || !library || h->library == library) return h->pointer;
    hint("declared as void*, it takes the handles of any library");
    c_fail(place, E_FOREIGN, "is a handle from %s, but the function is in %s", h->library->text,
           library->text);
}

static void *any_data(Value v, const CPlace *place) {
    if (v.tag == V_ARRAY) return array_contiguous(v.as.array)->data;
    if (is_number(v)) return array_of(v)->data;
    if (v.tag == V_STRING) return v.as.string->text;
    if (v.tag != V_NIL && v.tag != V_HANDLE)
        fail_type(place, "a handle, an array, a string or nil", v);
    return handle_data(v, true, place);
}

static void *function_data(const CType *type, Value v, const CPlace *place) {
    if (v.tag == V_NIL) return NULL;
    if (v.tag != V_FUNCTION) fail_type(place, "a function", v);
    if (foreign_signature(v.as.function))
        return (void *)((ForeignFunction *)v.as.function)->address;
    return callback_new(type, v, place);
}

static void store_struct(const CType *type, char *at, Value v, const CPlace *place) {
    if (v.tag != V_STRUCT) fail_type(place, type->name->text, v);
    const Struct *s = v.as.record;
    memset(at, 0, type->bytes);
    for (int i = 0; i < type->fields; i++) {
        const CField *field = &type->field[i];
        Value *found = struct_find(v, field->name);
        if (!found)
            c_fail(place, E_ARGUMENT, "lacks the field `%s` of %s", field->name->text,
                   type->name->text);
        c_store(field->type, at + field->offset, *found, place);
    }
    for (size_t i = 0; s->count != (size_t)type->fields && i < s->count; i++) {
        int k = 0;
        while (k < type->fields && type->field[k].name != s->field[i].name) k++;
        if (k == type->fields)
            c_fail(place, E_ARGUMENT, "has a field `%s`, but %s has none", s->field[i].name->text,
                   type->name->text);
    }
}

static void store_inner_array(const CType *type, char *at, Value v, const CPlace *place) {
    const CType *element = type->element;
    int64_t count = type->dim[0].number;
    int64_t size = v.tag == V_STRING ? (int64_t)v.as.string->bytes
                   : v.tag == V_LIST ? (int64_t)v.as.list->count
                                     : size_of(v);
    bool text = v.tag == V_STRING && is_text(element);
    if (size > count || (size != count && !text))
        c_fail(place, E_ARGUMENT, "has %lld elements where %lld are needed", (long long)size,
               (long long)count);
    memset(at, 0, type->bytes);
    if (text) memcpy(at, v.as.string->text, (size_t)size);
    else if (element->kind == C_NUMBER && is_numeric(v))
        convert_array(element->number, at, array_of(v), place);
    else if (v.tag != V_LIST) fail_type(place, "a list", v);
    else
        for (int64_t i = 0; i < count; i++)
            c_store(element, at + (size_t)i * element->bytes, v.as.list->item[i], place);
}

void c_store(const CType *type, void *at, Value v, const CPlace *place) {
    switch (type->kind) {
    case C_VOID: break;
    case C_NUMBER: c_store_number(type->number, at, v, place); break;
    case C_STRING: *(const char **)at = text_data(v, place); break;
    case C_HANDLE: *(void **)at = handle_data(v, false, place); break;
    case C_ANY: *(void **)at = any_data(v, place); break;
    case C_POINTER: *(void **)at = pointer_data(type, v, place); break;
    case C_FUNCTION: *(void **)at = function_data(type, v, place); break;
    case C_STRUCT: store_struct(type, at, v, place); break;
    case C_ARRAY: store_inner_array(type, at, v, place); break;
    }
}

/* ---- from C ---- */

static Value text_value(const char *text, size_t bytes, const CPlace *place) {
    size_t valid = text_valid(text, bytes);
    if (valid == bytes) return string_new(text, bytes);
    hint("as uint8* or uint8[n] it comes as numbers");
    c_fail(place, E_FOREIGN, "is a text that is no UTF-8 (byte %zu)", valid);
}

static Value load_string(const CType *type, char *text, const CPlace *place) {
    if (!text) return NIL;
    if (!type->release) return text_value(text, strlen(text), place);
    handle_of(text, type->release, NULL);   /* the pool frees it, whatever comes */
    return text_value(text, strlen(text), place);
}

static Value load_struct(const CType *type, const char *at, const CPlace *place) {
    Value record = struct_new((size_t)type->fields);
    for (int i = 0; i < type->fields; i++)
        struct_put(record, type->field[i].name,
                   c_load(type->field[i].type, at + type->field[i].offset, place));
    return record;
}

static Value numbers_at(const CNumber *number, const char *at, int axes, const int64_t *shape) {
    Array *a = array_new(number->dtype, axes, shape);
    if (lies_ready(number, a->dtype)) {
        if (a->size) memcpy(a->data, at, array_bytes(a));
        return array_value(a);
    }
    for (int64_t i = 0; i < a->size; i++, at += number->bytes) f64_of(a)[i] = number->load(at);
    return array_value(a);
}

/* `count` elements at `at`; of char a text up to its zero byte. */
static Value load_elements(const CType *element, const char *at, int64_t count, int axes,
                           const int64_t *shape, const CPlace *place) {
    if (element->kind == C_NUMBER && !strcmp(element->number->name, "char"))
        return text_value(at, strnlen(at, (size_t)count), place);
    if (element->kind == C_NUMBER) return numbers_at(element->number, at, axes, shape);
    Value list = list_new((size_t)count);
    for (int64_t i = 0; i < count; i++)
        list_set(list, (size_t)i, c_load(element, at + (size_t)i * element->bytes, place));
    return list;
}

static Value load_inner_array(const CType *type, const char *at, const CPlace *place) {
    return load_elements(type->element, at, type->dim[0].number, 1, &type->dim[0].number, place);
}

Value c_load_target(const CType *pointer, const void *target, const CPlace *place) {
    int64_t shape[C_MAX_DIMS];
    if (!target) return NIL;
    if (!pointer->dims) return c_load(pointer->element, target, place);
    return load_elements(pointer->element, target, c_count(pointer, place, shape), pointer->dims,
                         shape, place);
}

static Value load_number(const CNumber *number, const void *at) {
    double x = number->load(at);
    return number->dtype == BOOL ? boolean(x != 0) : (Value){ V_NUM, 0, { x } };
}

Value c_load(const CType *type, const void *at, const CPlace *place) {
    switch (type->kind) {
    case C_VOID: return NIL;
    case C_NUMBER: return load_number(type->number, at);
    case C_STRING: return load_string(type, *(char *const *)at, place);
    case C_STRUCT: return load_struct(type, at, place);
    case C_ARRAY: return load_inner_array(type, at, place);
    case C_POINTER:
        if (type->dims) return c_load_target(type, *(void *const *)at, place);
        return handle_of(*(void *const *)at, NULL, place->call->f->library);
    case C_HANDLE: return handle_of(*(void *const *)at, type->release, place->call->f->library);
    case C_ANY: case C_FUNCTION: return handle_of(*(void *const *)at, NULL, NULL);
    }
    return NIL;
}

/* ---- out and inout ---- */

/* An array that C may write into and that becomes the result. */
static void *room_of_array(const CType *pointer, Value v, const CPlace *place, Value *kept) {
    const CNumber *number = pointer->element->number;
    if (!is_numeric(v)) return array_data(pointer, v, place);   /* says what is wrong */
    Array *a = array_of(v);
    check_length(pointer, a->size, place);
    if (number->whole) {
        *kept = object(a);
        void *copy = zeroed((size_t)a->size * number->bytes);
        convert_array(number, copy, a, place);
        return copy;
    }
    Array *copy = array_copy(array_cast(a, number->dtype));
    *kept = object(copy);
    return copy->data;
}

static void *room_of_text(const CType *pointer, Value v, const CPlace *place, Value *kept) {
    int64_t shape[C_MAX_DIMS], count = pointer->dims ? c_count(pointer, place, shape) : 1;
    if (v.tag != V_UNSET && v.tag != V_STRING) fail_type(place, "a string", v);
    size_t bytes = v.tag == V_STRING ? v.as.string->bytes + 1 : 0;
    if (bytes < (size_t)count) bytes = (size_t)count;
    char *room = zeroed(bytes);
    if (v.tag == V_STRING) memcpy(room, v.as.string->text, v.as.string->bytes);
    *kept = number((double)bytes);
    return room;
}

static void *room_of_items(const CType *pointer, Value v, const CPlace *place, Value *kept) {
    int64_t shape[C_MAX_DIMS], count = pointer->dims ? c_count(pointer, place, shape) : 1;
    if (v.tag == V_LIST) count = (int64_t)v.as.list->count;
    *kept = pointer->dims || v.tag == V_LIST ? number((double)count) : NIL;
    if (v.tag != V_UNSET) return items_data(pointer, v, place);
    return zeroed(((size_t)count + 1) * pointer->element->bytes);
}

void *c_room(const CType *pointer, Value v, const CPlace *place, Value *kept) {
    *kept = NIL;
    if (pointer->kind == C_ANY) {
        if (v.tag != V_ARRAY) fail_type(place, "an array", v);
        Array *copy = array_copy(v.as.array);
        *kept = object(copy);
        return copy->data;
    }
    const CType *element = pointer->element;
    if (element->kind != C_NUMBER) return room_of_items(pointer, v, place, kept);
    if (!strcmp(element->number->name, "char") && (pointer->dims || v.tag == V_STRING))
        return room_of_text(pointer, v, place, kept);
    if (v.tag != V_UNSET) return room_of_array(pointer, v, place, kept);
    int64_t shape[C_MAX_DIMS], count = c_count(pointer, place, shape);
    if (!pointer->dims) return zeroed(element->bytes);
    if (!lies_ready(element->number, element->number->dtype))
        return zeroed((size_t)count * element->bytes);
    Array *a = array_zeros(element->number->dtype, pointer->dims, shape);
    *kept = object(a);
    return a->data;
}

Value c_room_value(const CType *pointer, void *room, Value kept, const CPlace *place) {
    if (pointer->kind == C_ANY) return kept;
    const CType *element = pointer->element;
    if (kept.tag == V_NUM)    /* a text, or a list of kept.num items */
        return load_elements(element, room, (int64_t)kept.as.num, 0, NULL, place);
    if (kept.tag != V_ARRAY) return c_load_target(pointer, room, place);
    Array *a = kept.as.array;
    if (lies_ready(element->number, a->dtype) && room == a->data) return array_value(a);
    return numbers_at(element->number, room, a->axes, shape_of(a));
}
