/* Saving and loading by the ending of a file's name. See store.h. */
#include "store.h"
#include "npz.h"
#include <stdio.h>
#include <string.h>

/* ---- .npy ---- */

static Value load_npy(String *path) {
    Mapping file = io_map_file(path);
    return npy_read(file.text, file.bytes, path->text, file.keeper);
}

static void save_npy(String *path, Value v) {
    char what[80];
    if (!is_numeric(v)) {
        hint("a tree of arrays goes into an .npz file: save(\"model.npz\", v)");
        fail(E_TYPE, "an .npy file holds one array, not %s", describe(v, what, sizeof what));
    }
    Array *a = array_contiguous(array_of(v));
    Buffer header = { 0 };
    npy_header(&header, a);
    io_write_parts(path, 2,
                   (Bytes[]){ { header.text, header.bytes }, { a->data, array_bytes(a) } });
}

/* ---- .npz: writing a tree ---- */

static const char tree_entry[] = "tree.json";
static const char array_suffix[] = ".npy";

typedef struct Saving { Value entries; bool plain; } Saving;

static Value pair(const char *key, Value v) {
    Value record = struct_new(1);
    struct_put(record, symbol(key, strlen(key)), v);
    return record;
}

static Value npy_bytes(Value v) {
    Array *a = array_contiguous(array_of(v));
    Buffer b = { 0 };
    npy_header(&b, a);
    buffer_add(&b, a->data, array_bytes(a));
    return buffer_string(&b);
}

static Value plan(Saving *s, Value v, String *place);

static Value plan_part(Saving *s, Value v, String *place, const char *name) {
    Value inside = place->bytes ? string_format("%s.%s", place->text, name) : string_of(name);
    return plan(s, v, inside.as.string);
}

static Value plan_list(Saving *s, const List *list, String *place) {
    Value parts = list_new(list->count);
    for (size_t i = 0; i < list->count; i++) {
        char name[24];
        snprintf(name, sizeof name, "%zu", i);
        list_set(parts, i, plan_part(s, list->item[i], place, name));
    }
    return pair("list", parts);
}

static Value plan_struct(Saving *s, const Struct *record, String *place) {
    Value parts = struct_new(record->count);
    for (size_t i = 0; i < record->count; i++)
        struct_put(parts, record->field[i].name,
                   plan_part(s, record->field[i].value, place, record->field[i].name->text));
    return pair("struct", parts);
}

/* What tree.json says of v; its arrays go to the entries. */
static Value plan(Saving *s, Value v, String *place) {
    char what[80];
    check_stack();
    switch (v.tag) {
    case V_NUM: case V_BOOL: case V_ARRAY:
        s->entries = list_push(s->entries, list_of(2, (Value[]){ object(place), npy_bytes(v) }));
        return pair("array", object(place));
    case V_LIST: return plan_list(s, v.as.list, place);
    case V_STRUCT: return plan_struct(s, v.as.record, place);
    case V_STRING: return pair("text", v);
    case V_NIL: return pair("nil", boolean(true));
    default:
        hint("save what it was made from, or leave it out: detach and copy the arrays you need");
        fail(E_TYPE, "%s%scannot be saved: %s is no array, number, text, list or struct",
             place->text, place->bytes ? " " : "it ", describe(v, what, sizeof what));
    }
}

/* A struct of arrays is what NumPy itself keeps: it needs no plan beside it. */
static bool is_plain(Value v) {
    if (v.tag != V_STRUCT) return false;
    for (size_t i = 0; i < v.as.record->count; i++)
        if (!is_numeric(v.as.record->field[i].value)) return false;
    return true;
}

static void save_npz(String *path, Value v) {
    Saving s = { list_new(0), is_plain(v) };
    if (is_numeric(v)) {
        hint("one array goes into an .npy file; several into save(\"file.npz\", {x: x, y: y})");
        fail(E_TYPE, "an .npz file holds named arrays, not a single one");
    }
    Value tree = plan(&s, v, string_of("").as.string);
    Buffer text = { 0 };
    json_write(&text, tree, 0);
    size_t count = s.entries.as.list->count;
    Entry *entry = pool_bytes((count + 1) * sizeof *entry);
    for (size_t i = 0; i < count; i++) {
        List *named = s.entries.as.list->item[i].as.list;
        String *bytes = named->item[1].as.string;
        Value name = string_format("%s%s", named->item[0].as.string->text, array_suffix);
        entry[i] = (Entry){ name.as.string->text, bytes->text, bytes->bytes };
    }
    entry[count] = (Entry){ tree_entry, text.text, text.bytes };
    Buffer archive = npz_write((int)count + !s.plain, entry);
    io_write_file(path, archive.text, archive.bytes);
}

/* ---- .npz: reading it back ---- */

typedef struct Loading { Value arrays, tree; const char *path; } Loading;

static void take_entry(const Entry *entry, void *env) {
    Loading *l = env;
    size_t bytes = strlen(entry->name), suffix = sizeof array_suffix - 1;
    if (!strcmp(entry->name, tree_entry)) {
        list_set(l->tree, 0, json_read(entry->bytes, entry->count, l->path));
    } else if (bytes > suffix && !strcmp(entry->name + bytes - suffix, array_suffix)) {
        char name[300];
        snprintf(name, sizeof name, "%s: %s", l->path, entry->name);
        struct_put(l->arrays, symbol(entry->name, bytes - suffix),
                   npy_read(entry->bytes, entry->count, name, NULL));
    }
}

static _Noreturn void broken_tree(const Loading *l) {
    fail(E_VALUE, "%s: its entry %s does not fit the arrays beside it", l->path, tree_entry);
}

/* The only field of a node of the plan. */
static const Field *node_of(const Loading *l, Value v) {
    if (v.tag != V_STRUCT || v.as.record->count != 1) broken_tree(l);
    return &v.as.record->field[0];
}

static Value rebuild(const Loading *l, Value planned);

static Value rebuild_struct(const Loading *l, const Struct *parts) {
    Value record = struct_new(parts->count);
    for (size_t i = 0; i < parts->count; i++)
        struct_put(record, parts->field[i].name, rebuild(l, parts->field[i].value));
    return record;
}

/* JSON's empty list comes back as an empty array. */
static Value rebuild_list(const Loading *l, Value parts) {
    if (parts.tag == V_ARRAY && parts.as.array->size == 0) return list_new(0);
    if (parts.tag != V_LIST) broken_tree(l);
    Value list = list_new(parts.as.list->count);
    for (size_t i = 0; i < parts.as.list->count; i++)
        list_set(list, i, rebuild(l, parts.as.list->item[i]));
    return list;
}

static Value rebuild(const Loading *l, Value planned) {
    check_stack();
    const Field *node = node_of(l, planned);
    const char *kind = node->name->text;
    if (!strcmp(kind, "list")) return rebuild_list(l, node->value);
    if (!strcmp(kind, "struct") && node->value.tag == V_STRUCT)
        return rebuild_struct(l, node->value.as.record);
    if (!strcmp(kind, "text") && node->value.tag == V_STRING) return node->value;
    if (!strcmp(kind, "nil")) return NIL;
    if (strcmp(kind, "array") || node->value.tag != V_STRING) broken_tree(l);
    String *name = node->value.as.string;
    Value *place = struct_find(l->arrays, symbol(name->text, name->bytes));
    if (!place) broken_tree(l);
    return *place;
}

static Value load_npz(String *path) {
    Mapping file = io_map_file(path);
    Loading l = { struct_new(8), list_new(1), path->text };
    npz_read(&file, path->text, take_entry, &l);
    Value tree = l.tree.as.list->item[0];
    return tree.tag == V_NIL ? l.arrays : rebuild(&l, tree);
}

/* ---- the others ---- */

static Value load_json(String *path) {
    Mapping file = io_map_file(path);
    return json_read(file.text, file.bytes, path->text);
}

static void save_json(String *path, Value v) {
    Buffer b = { 0 };
    json_write(&b, v, 0);
    buffer_char(&b, '\n');
    io_write_file(path, b.text, b.bytes);
}

static Value load_csv(String *path) {
    Mapping file = io_map_text(path);
    return csv_read(file.text, file.bytes, ',', -1, path->text);
}

static void save_csv(String *path, Value v) {
    Buffer b = { 0 };
    csv_write(&b, v, ',');
    io_write_file(path, b.text ? b.text : "", b.bytes);
}

static void save_text(String *path, Value v) {
    String *text = arg_string(v, "what is saved in a .txt file");
    io_write_file(path, text->text, text->bytes);
}

/* ---- by ending ---- */

static const struct Format {
    const char *ending;
    Value (*load)(String *);
    void (*save)(String *, Value);
} formats[] = {
    { ".npy", load_npy, save_npy },      { ".npz", load_npz, save_npz },
    { ".json", load_json, save_json },   { ".csv", load_csv, save_csv },
    { ".txt", io_read_text, save_text },
};

static const struct Format *format_of(String *path) {
    const char *ending = strrchr(path->text, '.');
    for (size_t i = 0; ending && i < sizeof formats / sizeof *formats; i++)
        if (!strcmp(ending, formats[i].ending)) return &formats[i];
    fail(E_VALUE, "the name of a file to load or save ends in .npy, .npz, .json, .csv or .txt, not "
                  "\"%s\"", path->text);
}

Value store_load(String *path) { return format_of(path)->load(path); }
void store_save(String *path, Value v) { format_of(path)->save(path, v); }
