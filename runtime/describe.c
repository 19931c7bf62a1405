/* What a value is: the name of its type, whether two are equal, and how a message describes one.
 *
 * The one idea: a description is never long, so that a message can hold two. It must not know what
 * an operation or a tape is. */
#include "array.h"
#include <stdio.h>
#include <string.h>

const char *type_name(Value v) {
    static const char *const names[] = {
        [V_NUM] = "array", [V_BOOL] = "array", [V_NIL] = "nil", [V_UNSET] = "nothing",
        [V_ARRAY] = "array", [V_STRING] = "string", [V_LIST] = "list", [V_STRUCT] = "struct",
        [V_FUNCTION] = "function",
        [V_HANDLE] = "handle", [V_CELL] = "variable", [V_SCRATCH] = "scratch",
        [V_DEFERRED] = "array",
    };
    return names[v.tag];
}

static bool arrays_equal(Value a, Value b) {
    Shape x = value_shape(a), y = value_shape(b);
    if (!same_shape(x.axes, x.dim, y.axes, y.dim)) return false;
    if (a.tag != V_ARRAY && b.tag != V_ARRAY) return num_of(a) == num_of(b);
    Array *left = array_of(a), *right = array_of(b);
    for (int64_t i = 0; i < left->size; i++) {
        if (array_get(left, i) != array_get(right, i)) return false;
        if (i % RUN == 0) poll();
    }
    return true;
}

static bool lists_equal(const List *a, const List *b) {
    if (a->count != b->count) return false;
    for (size_t i = 0; i < a->count; i++)
        if (!values_equal(a->item[i], b->item[i])) return false;
    return true;
}

/* Fields in any order. */
static bool structs_equal(Value a, Value b) {
    Struct *s = a.as.record;
    if (s->count != b.as.record->count) return false;
    for (size_t i = 0; i < s->count; i++) {
        Value *other = struct_find(b, s->field[i].name);
        if (!other || !values_equal(s->field[i].value, *other)) return false;
    }
    return true;
}

static bool strings_equal(const String *a, const String *b) {
    return a == b || (a->bytes == b->bytes && memcmp(a->text, b->text, a->bytes) == 0);
}

bool values_equal(Value a, Value b) {
    check_stack();
    if (is_numeric(a) && is_numeric(b)) {
        size_t mark = pool_mark();
        bool equal = arrays_equal(a, b);
        pool_unwind(mark);
        return equal;
    }
    if (a.tag != b.tag) return false;
    if (a.tag == V_STRING) return strings_equal(a.as.string, b.as.string);
    if (a.tag == V_LIST) return lists_equal(a.as.list, b.as.list);
    if (a.tag == V_STRUCT) return structs_equal(a, b);
    if (a.tag == V_HANDLE) return a.as.handle->pointer == b.as.handle->pointer;
    return !is_object(a) || a.as.obj == b.as.obj;
}

static const char *describe_array(const Array *a, char *buffer, size_t bytes) {
    char shape[64];
    if (a->axes == 0) {
        snprintf(buffer, bytes, "the %s number %g", dtype_name(a->dtype), array_get(a, 0));
        return buffer;
    }
    shape_text(a->axes, shape_of(a), shape, sizeof shape);
    bool plain = a->dtype == F64;
    snprintf(buffer, bytes, "%s%s%s", plain ? "" : dtype_name(a->dtype), plain ? "" : " ", shape);
    return buffer;
}

const char *describe(Value v, char *buffer, size_t bytes) {
    switch ((Tag)v.tag) {
    case V_NUM: snprintf(buffer, bytes, "the number %g", v.as.num); break;
    case V_BOOL: snprintf(buffer, bytes, "%s", v.as.truth ? "true" : "false"); break;
    case V_ARRAY: describe_array(v.as.array, buffer, bytes); break;
    case V_LIST: snprintf(buffer, bytes, "a list of %zu", v.as.list->count); break;
    case V_STRUCT: snprintf(buffer, bytes, v.as.record->module ? "a module" : "a struct"); break;
    case V_FUNCTION:
        snprintf(buffer, bytes, "the function %.40s", v.as.function->name->text);
        break;
    case V_NIL: case V_UNSET: snprintf(buffer, bytes, "%s", type_name(v)); break;
    case V_STRING: case V_HANDLE: case V_CELL: case V_SCRATCH: case V_DEFERRED:
        snprintf(buffer, bytes, "a %s", type_name(v));
        break;
    }
    return buffer;
}

void note_operand(int part, Value v) {
    Error *error = &rt.pending;
    if (error->operands == ERROR_OPERANDS) return;
    ErrorOperand *operand = &error->operand[error->operands++];
    operand->part = part;
    operand->origin = v.tag == V_ARRAY ? v.as.array->span : 0;
    describe(v, operand->text, sizeof operand->text);
}
