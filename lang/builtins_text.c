/* Builtins on text: they check their arguments and call runtime/text.c and format.c, which do the
 * work. Rows and documentation are in builtins.def. */
#include "builtins.h"
#include "format.h"
#include "io.h"
#include <string.h>

static bool given(Value v) { return v.tag != V_UNSET; }

static String *string_or(Value v, const char *what, const char *otherwise) {
    return arg_string(given(v) ? v : string_of(otherwise), what);
}

/* ---- printing ---- */

Value builtin_print(int count, const Value *arg) {
    (void)count;
    List *values = arg[0].as.list;
    String *separator = string_or(arg[1], "sep", " "), *end = string_or(arg[2], "end", "\n");
    Buffer b = { 0 };
    for (size_t i = 0; i < values->count; i++) {
        if (i) buffer_add(&b, separator->text, separator->bytes);
        format_value(&b, values->item[i], NULL);
    }
    buffer_add(&b, end->text, end->bytes);
    io_write(b.text ? b.text : "", b.bytes);
    return NIL;
}

Value builtin_str(int count, const Value *arg) {
    (void)count;
    Buffer b = { 0 };
    if (arg[0].tag == V_STRING) return arg[0];
    format_value(&b, arg[0], NULL);
    return buffer_string(&b);
}

Value builtin_format(int count, const Value *arg) {
    (void)count;
    String *spec = arg_string(arg[1], "the format");
    Buffer b = { 0 };
    format_piece(&b, arg[0], spec->text, spec->bytes);
    return buffer_string(&b);
}

/* ---- strings ---- */

Value builtin_parse_number(int count, const Value *arg) {
    (void)count;
    String *text = arg_string(arg[0], "the text of a number");
    double x;
    bool good = text_number(text->text, text->bytes, &x);
    if (!good) fail(E_VALUE, "\"%.60s\" is not a number", text->text);
    return number(x);
}

/* The rows of an array as a list, so that join takes [1, 2, 3] too. */
static Value list_of_vector(const Array *a) {
    if (a->axes != 1) fail(E_SHAPE, "join needs a list or an array with one axis, not %d", a->axes);
    Value list = list_new((size_t)a->size);
    for (int64_t i = 0; i < a->size; i++) {
        double x = array_get(a, i);
        list_set(list, (size_t)i, a->dtype == BOOL ? boolean(x != 0) : number(x));
    }
    return list;
}

Value builtin_join(int count, const Value *arg) {
    (void)count;
    Value list = arg[0].tag == V_ARRAY ? list_of_vector(arg[0].as.array) : arg[0];
    char got[100];
    if (list.tag != V_LIST) {
        if (list.tag == V_STRING) hint("the list comes first: join(list, separator)");
        fail(E_TYPE, "join needs a list, not %s", describe(list, got, sizeof got));
    }
    return string_join(list, string_or(arg[1], "the separator", ""));
}

Value builtin_replace(int count, const Value *arg) {
    (void)count;
    return string_replace(arg_string(arg[0], "the text"), arg_string(arg[1], "the part to replace"),
                          arg_string(arg[2], "the new part"));
}

static bool list_contains(const List *list, Value item) {
    for (size_t i = 0; i < list->count; i++)
        if (values_equal(list->item[i], item)) return true;
    return false;
}

static bool array_contains(const Array *a, double x) {
    for (int64_t i = 0; i < a->size; i++) {
        if (array_get(a, i) == x) return true;
        if (i % (1 << 16) == 0) poll();
    }
    return false;
}

static bool struct_contains(Value record, String *name) {
    return struct_find(record, symbol(name->text, name->bytes)) != NULL;
}

Value builtin_contains(int count, const Value *arg) {
    (void)count;
    char got[100];
    Value v = arg[0], part = arg[1];
    switch (v.tag) {
    case V_STRING: return boolean(string_find(v.as.string, arg_string(part, "the part"), 0) >= 0);
    case V_LIST:   return boolean(list_contains(v.as.list, part));
    case V_STRUCT: return boolean(struct_contains(v, arg_string(part, "the field's name")));
    case V_ARRAY:  return boolean(array_contains(v.as.array, arg_number(part, "the element")));
    default:       fail(E_TYPE, "%s contains nothing", describe(v, got, sizeof got));
    }
}

Value builtin_find(int count, const Value *arg) {
    (void)count;
    String *text = arg_string(arg[0], "the text");
    int64_t at = string_find(text, arg_string(arg[1], "the part"), 0);
    return at < 0 ? NIL : number((double)text_length(text->text, (size_t)at));
}

Value builtin_starts_with(int count, const Value *arg) {
    (void)count;
    return boolean(string_starts(arg_string(arg[0], "the text"), arg_string(arg[1], "the part")));
}

Value builtin_ends_with(int count, const Value *arg) {
    (void)count;
    return boolean(string_ends(arg_string(arg[0], "the text"), arg_string(arg[1], "the part")));
}

Value builtin_lower(int count, const Value *arg) {
    (void)count;
    return string_lower(arg_string(arg[0], "the text"));
}

Value builtin_upper(int count, const Value *arg) {
    (void)count;
    return string_upper(arg_string(arg[0], "the text"));
}

Value builtin_trim(int count, const Value *arg) {
    (void)count;
    return string_trim(arg_string(arg[0], "the text"));
}
