/* Values that are not arrays, the pool, and the life and death of all objects.
 *
 * The one idea: nothing here recurses. A dead object is put on a chain that is threaded through
 * the dead objects' own headers, and one loop empties it, so a list may be a million deep and
 * freeing never allocates. It must not know what an operation, a tape or a syntax tree is:
 * node_hold() and node_release() are the tape's. */
#define _GNU_SOURCE
#include "array.h"
#include "fuse.h"
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Runtime rt;

enum {
    STACK_MARGIN = 256 << 10,   /* for handling an overflow, and for libraries that do not check */
    POOL_START = 1024,
    SYMBOLS_START = 1024,
    FEW_FIELDS = 16,            /* found by looking at each; a power of two */
};

typedef struct Scratch { Obj head; size_t bytes; } Scratch;

/* ---- dying ---- */
static Obj *dead;               /* the chain; shifted by 4, a link is good for 52-bit addresses */
static bool burying;

static void chain_push(Obj *obj) {
    uint64_t link = (uint64_t)(uintptr_t)dead >> 4;
    obj->refs = (uint32_t)link;
    obj->link = (uint16_t)(link >> 32);
    dead = obj;
}

static Obj *chain_pop(void) {
    Obj *obj = dead;
    dead = (Obj *)(uintptr_t)(((uint64_t)obj->link << 32 | obj->refs) << 4);
    return obj;
}

static void list_free(List *list) {
    for (size_t i = 0; i < list->count; i++) value_release(list->item[i]);
    mem_free(list->item, list->capacity * sizeof *list->item);
    mem_free(list, sizeof *list);
}

static void struct_free(Struct *record) {
    for (size_t i = 0; i < record->count; i++) {
        obj_drop(record->field[i].name);
        value_release(record->field[i].value);
    }
    mem_free(record->field, record->capacity * sizeof *record->field);
    mem_free(record->index, record->index_capacity * sizeof *record->index);
    mem_free(record, sizeof *record);
}

static void function_free(Function *function) {
    if (function->free) function->free(function);
    obj_drop(function->name);
    mem_free(function, function->bytes);
}

static void cell_free(Cell *cell) {
    if (cell->previous) cell->previous->next = cell->next;
    else rt.cells = cell->next;
    if (cell->next) cell->next->previous = cell->previous;
    rt.cell_count--;
    value_release(cell->value);
    mem_free(cell, sizeof *cell);
}

static void handle_free(Handle *handle) {
    if (handle->free) handle->free(handle->pointer);
    if (handle->library) obj_drop(handle->library);
    mem_free(handle, sizeof *handle);
}

static void array_free(Array *a) {
    if (a->owner) obj_drop(a->owner);
    else if (!a->inlined) mem_free(a->data, array_bytes(a));
    mem_free(a, a->bytes);
}

static void bury(Obj *obj) {
    switch ((Tag)obj->tag) {
    case V_LIST: list_free((List *)obj); break;
    case V_STRUCT: struct_free((Struct *)obj); break;
    case V_FUNCTION: function_free((Function *)obj); break;
    case V_CELL: cell_free((Cell *)obj); break;
    case V_HANDLE: handle_free((Handle *)obj); break;
    case V_STRING: mem_free(obj, sizeof(String) + ((String *)obj)->bytes + 1); break;
    case V_SCRATCH: mem_free(obj, ((Scratch *)obj)->bytes); break;
    case V_DEFERRED: deferred_free((Deferred *)obj); break;
    case V_ARRAY: array_free((Array *)obj); break;
    case V_NUM: case V_BOOL: case V_NIL: case V_UNSET: break;
    }
}

void obj_free(Obj *obj) {
    if (obj->tag == V_SCRATCH) { /* leads nowhere */
        mem_free(obj, ((Scratch *)obj)->bytes);
        return;
    }
    if (obj->tag == V_ARRAY) {   /* an owner is no view, so this is two deep at most */
        array_free((Array *)obj);
        return;
    }
    chain_push(obj);
    if (burying) return;
    burying = true;
    while (dead) bury(chain_pop());
    burying = false;
}

/* ---- the pool ---- */
void pool_grow(void) {
    rt.pool = mem_grow(rt.pool, &rt.pool_capacity, rt.pool_capacity + 1, sizeof *rt.pool);
}

void pool_unwind_slow(size_t mark) {
    while (rt.pool_count > mark) {
        Obj *obj = rt.pool[--rt.pool_count];
        if (obj->refs == 1) {
            obj_free(obj);
        } else {
            obj->refs--;
            obj->pooled = false;
        }
    }
}

Value pool_pass(size_t mark, Value v) {
    if (rt.pool_count == mark) return v;
    if (!is_object(v)) {
        pool_unwind_slow(mark);
        return v;
    }
    if (rt.pool_count == mark + 1 && rt.pool[mark] == v.as.obj) return v;
    obj_keep(v.as.obj);
    pool_unwind_slow(mark);
    pool_own(v.as.obj);
    return v;
}

/* ---- making ---- */
static void *obj_new(size_t bytes, Tag tag) {
    Obj *obj = mem_alloc(bytes);
    *obj = (Obj){ .refs = 1, .tag = (uint8_t)tag };
    return obj;
}

void *pool_bytes(size_t bytes) {
    size_t before = bytes >= 64 ? 64 : sizeof(Scratch), total;
    if (__builtin_add_overflow(bytes, before, &total)) total = SIZE_MAX;
    Scratch *scratch = obj_new(total, V_SCRATCH);
    scratch->bytes = total;
    pool_own(scratch);
    return (char *)scratch + before;
}

static String *string_alloc(size_t bytes) {
    String *string = obj_new(sizeof(String) + bytes + 1, V_STRING);
    string->symbol = false;
    string->hash = 0;
    string->bytes = bytes;
    string->text[bytes] = 0;
    return string;
}

Value string_new(const char *text, size_t bytes) {
    String *string = pool_own(string_alloc(bytes));
    if (bytes) memcpy(string->text, text, bytes);
    return object(string);
}

Value string_of(const char *text) { return string_new(text, strlen(text)); }

Value string_format(const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int bytes = vsnprintf(NULL, 0, format, args);
    va_end(args);
    String *string = pool_own(string_alloc(bytes > 0 ? (size_t)bytes : 0));
    vsnprintf(string->text, string->bytes + 1, format, again);
    va_end(again);
    return object(string);
}

/* ---- symbols ---- */
/* Of the whole process, so that what is known once, like the signature of a builtin, can name them:
 * open addressing by hash, the capacity a power of two. */
static struct { String **table; size_t count, capacity; int runtimes; } symbols;

/* FNV-1a, never 0. */
static uint32_t hash_text(const char *text, size_t bytes) {
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < bytes; i++) hash = (hash ^ (unsigned char)text[i]) * 16777619u;
    return hash ? hash : 1;
}

static String **symbol_place(String **table, size_t capacity, const char *text, size_t bytes,
                             uint32_t hash) {
    size_t at = hash & (capacity - 1);
    while (table[at] && (table[at]->hash != hash || table[at]->bytes != bytes
                         || memcmp(table[at]->text, text, bytes) != 0))
        at = (at + 1) & (capacity - 1);
    return &table[at];
}

static void symbols_grow(void) {
    size_t capacity = symbols.capacity ? symbols.capacity * 2 : SYMBOLS_START;
    String **table = mem_alloc_zeroed(capacity * sizeof *table);
    for (size_t i = 0; i < symbols.capacity; i++) {
        String *s = symbols.table[i];
        if (s) *symbol_place(table, capacity, s->text, s->bytes, s->hash) = s;
    }
    mem_free(symbols.table, symbols.capacity * sizeof *table);
    symbols.table = table;
    symbols.capacity = capacity;
}

String *symbol(const char *text, size_t bytes) {
    if (symbols.count * 2 >= symbols.capacity) symbols_grow();
    uint32_t hash = hash_text(text, bytes);
    String **place = symbol_place(symbols.table, symbols.capacity, text, bytes, hash);
    if (*place) return *place;
    String *made = string_alloc(bytes);
    memcpy(made->text, text, bytes);
    made->symbol = true;
    made->hash = hash;
    symbols.count++;
    return *place = made;
}

String *symbol_known(const char *text, size_t bytes) {
    return *symbol_place(symbols.table, symbols.capacity, text, bytes, hash_text(text, bytes));
}

static void symbols_close(void) {
    for (size_t i = 0; i < symbols.capacity; i++)
        if (symbols.table[i]) obj_drop(symbols.table[i]);
    mem_free(symbols.table, symbols.capacity * sizeof *symbols.table);
    symbols.table = NULL;
    symbols.count = symbols.capacity = 0;
}

/* ---- lists ---- */
static List *list_alloc(size_t capacity) {
    List *list = obj_new(sizeof *list, V_LIST);
    list->count = list->capacity = 0;
    list->item = NULL;
    pool_own(list);
    if (capacity) list->item = mem_grow(NULL, &list->capacity, capacity, sizeof *list->item);
    return list;
}

Value list_new(size_t count) {
    List *list = list_alloc(count);
    for (size_t i = 0; i < count; i++) list->item[i] = NIL;
    list->count = count;
    return object(list);
}

Value list_of(size_t count, const Value *items) {
    List *list = list_alloc(count);
    for (size_t i = 0; i < count; i++) list->item[i] = value_hold(items[i]);
    list->count = count;
    return object(list);
}

void list_set(Value list, size_t i, Value v) { value_store(&list.as.list->item[i], v); }

Value list_push(Value list, Value v) {
    List *old = list.as.list, *grown = old;
    if (!is_temporary(list)) {
        grown = list_alloc(old->count + 1 + old->count / 2);
        for (size_t i = 0; i < old->count; i++) grown->item[i] = value_hold(old->item[i]);
        grown->count = old->count;
    }
    grown->item = mem_grow(grown->item, &grown->capacity, grown->count + 1, sizeof *grown->item);
    grown->item[grown->count++] = value_hold(v);
    return object(grown);
}

/* ---- structs ---- */
Value struct_new(size_t capacity) {
    Struct *record = obj_new(sizeof *record, V_STRUCT);
    *record = (Struct){ .head = record->head };
    pool_own(record);
    if (capacity) record->field = mem_grow(NULL, &record->capacity, capacity, sizeof(Field));
    return object(record);
}

static uint32_t *field_place(const Struct *s, const String *name) {
    size_t mask = s->index_capacity - 1, at = address_hash(name) & mask;
    while (s->index[at] && s->field[s->index[at] - 1].name != name) at = (at + 1) & mask;
    return &s->index[at];
}

/* Brings the index up to the fields put since the last look. */
static void index_fields(Struct *s) {
    if (s->count * 2 > s->index_capacity) {
        size_t capacity = s->index_capacity ? s->index_capacity : FEW_FIELDS;
        while (capacity < s->count * 4) capacity *= 2;
        uint32_t *index = mem_alloc_zeroed(capacity * sizeof *index);
        mem_free(s->index, s->index_capacity * sizeof *index);
        s->index = index;
        s->index_capacity = capacity;
        s->indexed = 0;
    }
    for (; s->indexed < s->count; s->indexed++)
        *field_place(s, s->field[s->indexed].name) = (uint32_t)s->indexed + 1;
}

Value *struct_find(Value record, String *name) {
    Struct *s = record.as.record;
    if (s->count > FEW_FIELDS) {
        if (s->indexed < s->count) index_fields(s);
        uint32_t place = *field_place(s, name);
        return place ? &s->field[place - 1].value : NULL;
    }
    for (size_t i = 0; i < s->count; i++)
        if (s->field[i].name == name) return &s->field[i].value;
    return NULL;
}

void struct_put(Value record, String *name, Value v) {
    Value *place = struct_find(record, name);
    if (place) {
        value_store(place, v);
        return;
    }
    Struct *s = record.as.record;
    s->field = mem_grow(s->field, &s->capacity, s->count + 1, sizeof *s->field);
    obj_keep(name);
    s->field[s->count++] = (Field){ name, value_hold(v) };
}

/* ---- functions and cells ---- */
Function *function_new(size_t bytes, const char *name, FunctionCall *call) {
    String *known = symbol(name, strlen(name));
    Function *function = obj_new(bytes, V_FUNCTION);
    memset((char *)function + sizeof(Obj), 0, bytes - sizeof(Obj));
    function->call = call;
    function->bytes = bytes;
    function->name = known;
    obj_keep(known);
    return pool_own(function);
}

Cell *cell_new(Value v) {
    if (rt.cell_count >= rt.cell_limit) cells_collect();
    Cell *cell = obj_new(sizeof *cell, V_CELL);
    cell->value = value_hold(v);
    cell->previous = NULL;
    cell->next = rt.cells;
    if (rt.cells) rt.cells->previous = cell;
    rt.cells = cell;
    rt.cell_count++;
    return pool_own(cell);
}

/* ---- opening and closing ---- */
void runtime_find_stack(void) {
    pthread_attr_t attributes;
    void *lowest = NULL;
    size_t bytes = 0;
    char *here = __builtin_frame_address(0);
    rt.stack_limit = NULL;
    rt.thread = pthread_self();
    if (pthread_getattr_np(pthread_self(), &attributes) != 0) return;
    if (pthread_attr_getstack(&attributes, &lowest, &bytes) == 0 && (char *)lowest < here) {
        size_t margin = bytes / 4 < STACK_MARGIN ? bytes / 4 : STACK_MARGIN;
        rt.stack_limit = (char *)lowest + margin;
        rt.stack_bytes = bytes;
    }
    pthread_attr_destroy(&attributes);
}

static void open_pool_and_symbols(void) {
    rt.pool = mem_alloc(POOL_START * sizeof *rt.pool);
    rt.pool_capacity = POOL_START;
    if (!symbols.runtimes++) symbols_grow();
}

void runtime_open(void) {
    rt = (Runtime){ .cell_limit = CELLS_START, .threads = 1 };
    runtime_find_stack();
    open_pool_and_symbols();
    const char *nth = getenv("ADL_FAIL_AT");
    if (nth) mem_fail_at(strtol(nth, NULL, 10));
}

void runtime_close(void) {
    mem_fail_at(0);
    pool_unwind(0);
    cells_collect();
    if (!--symbols.runtimes) symbols_close();
    mem_free(rt.pool, rt.pool_capacity * sizeof *rt.pool);
    rt.pool = NULL;
    rt.pool_count = rt.pool_capacity = 0;
    mem_trim();
}
