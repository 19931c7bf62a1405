/* Builtins on streams and files: they check their arguments and call runtime/io.c, store.c,
 * json_read.c and csv.c, which do the work. Rows and documentation are in builtins.def. */
#include "builtins.h"
#include "io.h"
#include "store.h"
#include <string.h>

static bool given(Value v) { return v.tag != V_UNSET; }

static bool is_nil(Value v) { return v.tag == V_UNSET || v.tag == V_NIL; }

/* ---- streams and files ---- */

Value builtin_input(int count, const Value *arg) {
    (void)count;
    return io_read_line(is_nil(arg[0]) ? NULL : arg_string(arg[0], "the prompt"));
}

Value builtin_read_text(int count, const Value *arg) {
    (void)count;
    return io_read_text(arg_string(arg[0], "the path"));
}

Value builtin_read_lines(int count, const Value *arg) {
    (void)count;
    return string_lines(io_read_text(arg_string(arg[0], "the path")).as.string);
}

Value builtin_write_text(int count, const Value *arg) {
    (void)count;
    String *path = arg_string(arg[0], "the path"), *text = arg_string(arg[1], "the text to write");
    io_write_file(path, text->text, text->bytes);
    return NIL;
}

/* ---- JSON ---- */

static int indent_of(Value v) {
    int64_t indent = given(v) ? arg_int(v, "indent") : 0;
    if (indent >= 0 && indent <= 16) return (int)indent;
    fail(E_VALUE, "indent must be from 0 to 16, not %lld", (long long)indent);
}

Value builtin_parse_json(int count, const Value *arg) {
    (void)count;
    String *text = arg_string(arg[0], "the JSON text");
    return json_read(text->text, text->bytes, NULL);
}

Value builtin_to_json(int count, const Value *arg) {
    (void)count;
    Buffer b = { 0 };
    json_write(&b, arg[0], indent_of(arg[1]));
    return buffer_string(&b);
}

Value builtin_read_json(int count, const Value *arg) {
    (void)count;
    String *path = arg_string(arg[0], "the path");
    Mapping file = io_map_file(path);
    return json_read(file.text, file.bytes, path->text);
}

Value builtin_write_json(int count, const Value *arg) {
    (void)count;
    String *path = arg_string(arg[0], "the path");
    Buffer b = { 0 };
    json_write(&b, arg[1], indent_of(arg[2]));
    buffer_char(&b, '\n');
    io_write_file(path, b.text, b.bytes);
    return NIL;
}

/* ---- CSV ---- */

static char separator_of(Value v) {
    String *text = arg_string(given(v) ? v : string_of(","), "sep");
    if (text->bytes == 1 && !strchr("\"\r\n", text->text[0])) return text->text[0];
    fail(E_VALUE, "sep must be one character, such as \",\" or \";\" or \"\\t\"");
}

Value builtin_read_csv(int count, const Value *arg) {
    (void)count;
    String *path = arg_string(arg[0], "the path");
    int header = is_nil(arg[1]) ? -1 : arg_bool(arg[1], "header");
    char separator = separator_of(arg[2]);
    Mapping file = io_map_text(path);
    return csv_read(file.text, file.bytes, separator, header, path->text);
}

Value builtin_write_csv(int count, const Value *arg) {
    (void)count;
    String *path = arg_string(arg[0], "the path");
    Buffer b = { 0 };
    csv_write(&b, arg[1], separator_of(arg[2]));
    io_write_file(path, b.text ? b.text : "", b.bytes);
    return NIL;
}

/* ---- by a file's ending ---- */

Value builtin_load(int count, const Value *arg) {
    (void)count;
    return store_load(arg_string(arg[0], "the path"));
}

Value builtin_save(int count, const Value *arg) {
    (void)count;
    store_save(arg_string(arg[0], "the path"), arg[1]);
    return NIL;
}
