/* C's numbers, one row each, and the layout of structs. The one idea: a number is loaded to and
 * stored from a double, so an array is converted by a loop over one row's function. */
#include "ffi_call.h"
#include <limits.h>
#include <string.h>

/*        name     C type          libffi              array's dtype */
#define C_NUMBERS(ROW)                                       \
    ROW(bool,    _Bool,         ffi_type_uint8,     BOOL)    \
    ROW(char,    char,          FFI_CHAR,           F64)     \
    ROW(int8,    int8_t,        ffi_type_sint8,     F64)     \
    ROW(int16,   int16_t,       ffi_type_sint16,    F64)     \
    ROW(int32,   int32_t,       ffi_type_sint32,    F64)     \
    ROW(int64,   int64_t,       ffi_type_sint64,    F64)     \
    ROW(uint8,   uint8_t,       ffi_type_uint8,     F64)     \
    ROW(uint16,  uint16_t,      ffi_type_uint16,    F64)     \
    ROW(uint32,  uint32_t,      ffi_type_uint32,    F64)     \
    ROW(uint64,  uint64_t,      ffi_type_uint64,    F64)     \
    ROW(int,     int,           ffi_type_sint,      F64)     \
    ROW(uint,    unsigned,      ffi_type_uint,      F64)     \
    ROW(long,    long,          ffi_type_slong,     F64)     \
    ROW(size_t,  size_t,        FFI_SIZE,           F64)     \
    ROW(float,   float,         ffi_type_float,     F32)     \
    ROW(double,  double,        ffi_type_double,    F64)

#define FFI_CHAR (*(CHAR_MIN < 0 ? &ffi_type_sint8 : &ffi_type_uint8))
#define FFI_SIZE (*(sizeof(size_t) == 8 ? &ffi_type_uint64 : &ffi_type_uint32))

/* By memcpy, since the fields of a struct and the elements of a buffer need not be aligned for us.
 */
#define ROW(label, type, ffi, dtype)                                                     \
    static double load_##label(const void *at) {                                         \
        type value;                                                                      \
        memcpy(&value, at, sizeof value);                                                \
        return (double)value;                                                            \
    }                                                                                    \
    static void store_##label(void *at, double value) {                                  \
        type converted = (type)value;                                                    \
        memcpy(at, &converted, sizeof converted);                                        \
    }
C_NUMBERS(ROW)
#undef ROW

#define BITS(type) (double)(1ull << (8 * sizeof(type) - 1))
#define IS_WHOLE(type) ((type)0.5 == (type)0)
#define IS_SIGNED(type) ((type)-1 < (type)1)
#define ROW(label, type, ffi, dtype)                                                     \
    { #label, sizeof(type), &ffi, dtype, IS_WHOLE(type), IS_SIGNED(type) ? -BITS(type) : 0, \
      IS_SIGNED(type) ? BITS(type) : 2 * BITS(type), load_##label, store_##label },

const CNumber *c_number(const char *name, size_t bytes) {
    static CNumber rows[] = { C_NUMBERS(ROW) };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strlen(rows[i].name) == bytes && !memcmp(rows[i].name, name, bytes)) return &rows[i];
    return NULL;
}

/* ---- layout ---- */

static size_t aligned(size_t offset, size_t align) { return (offset + align - 1) / align * align; }

static void be_composite(CType *type, size_t bytes, int elements) {
    type->elements[elements] = NULL;
    type->own = (ffi_type){ .type = FFI_TYPE_STRUCT, .elements = type->elements };
    type->own.size = type->bytes = aligned(bytes, type->align);
    type->own.alignment = (unsigned short)type->align;
    type->ffi = &type->own;
}

static void layout_struct(CType *type) {
    size_t offset = 0;
    type->align = 1;
    for (int i = 0; i < type->fields; i++) {
        CField *field = &type->field[i];
        if (field->type->align > type->align) type->align = field->type->align;
        field->offset = aligned(offset, field->type->align);
        offset = field->offset + field->type->bytes;
        type->elements[i] = field->type->ffi;
    }
    be_composite(type, offset, type->fields);
}

static void layout_array(CType *type) {
    int count = (int)type->dim[0].number;
    type->align = type->element->align;
    for (int i = 0; i < count; i++) type->elements[i] = type->element->ffi;
    be_composite(type, (size_t)count * type->element->bytes, count);
}

void c_layout(CType *type) {
    switch (type->kind) {
    case C_VOID: type->ffi = &ffi_type_void; break;
    case C_NUMBER:
        type->ffi = type->number->ffi;
        type->bytes = type->number->bytes;
        type->align = type->ffi->alignment;
        break;
    case C_STRUCT: layout_struct(type); break;
    case C_ARRAY: layout_array(type); break;
    case C_STRING: case C_HANDLE: case C_ANY: case C_POINTER: case C_FUNCTION:
        type->ffi = &ffi_type_pointer;
        type->bytes = sizeof(void *);
        type->align = _Alignof(void *);
    }
}
