/* Running programs, importing files. See module.h. */
#include "diag.h"
#include "eval.h"
#include "foreign.h"
#include "looking.h"
#include "mistakes.h"
#include "io.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

Interp interp;
void (*module_warn)(const Error *warning);

/* ---- modules ---- */

static void *reserve(size_t bytes) {
    void *block = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (block == MAP_FAILED) fail(E_MEMORY, "no address space for variables");
    return block;
}

Module *module_new(const char *name, const char *path) {
    String *name_symbol = symbol(name, strlen(name)), *path_symbol = symbol(path, strlen(path));
    Module *module = mem_alloc_zeroed(sizeof *module);
    *module =
        (Module){ .name = name_symbol, .path = path_symbol, .record = NIL, .next = interp.modules };
    interp.modules = module;
    module->globals = reserve(MAX_GLOBALS * sizeof(Value));
    return module;
}

Value *module_global(Module *module, String *name) {
    for (size_t i = 0; i < module->set_up; i++) {
        if (module->names.name[i] == name) return &module->globals[i];
    }
    return NULL;
}

static void module_free(Module *module) {
    for (size_t i = 0; i < module->set_up; i++) value_release(module->globals[i]);
    value_release(module->record);
    munmap(module->globals, MAX_GLOBALS * sizeof(Value));
    names_free(&module->names);
    mem_free(module, sizeof *module);
}

void modules_close(void) {
    while (interp.modules) {
        Module *module = interp.modules;
        interp.modules = module->next;
        module_free(module);
    }
}

/* ---- running ---- */

static void set_up_globals(Module *module) {
    if (module->names.count > MAX_GLOBALS)
        fail(E_LIMIT, "a module cannot have more than %d names", MAX_GLOBALS);
    while (module->set_up < module->names.count) module->globals[module->set_up++] = UNSET;
}

void module_define(Module *module, String *name, Value v) {
    if (!module_global(module, name)) {
        names_add(&module->names, name);
        set_up_globals(module);
    }
    value_store(module_global(module, name), v);
}

Value module_run(Module *module, Ast *program) {
    Error error;
    uint32_t locals = 0;
    bool resolved = resolve(program, &module->names, &locals, &error);
    set_up_globals(module);
    if (!resolved) fail_again(&error);
    if (!module->library) looking_at_program(program);
    if (module->script && program->count) program->kids[program->count - 1]->flags |= AST_STATEMENT;
    choose(program);
    program->eval = eval_block;
    Value *base = interp.top;
    for (uint32_t i = 0; i <= locals; i++) stack_push(UNSET);
    Frame frame = {
        .variables = { base, module->globals },
        .module = module,
        .caller = interp.frame,
        .tape_mark = interp.frame ? tape_position() : 0,
        .called_from = rt.here,
    };
    interp.frame = &frame;
    Value v = eval(program, &frame);
    if (frame.flow == FLOW_RETURN) v = frame.result;
    if (is_object(v)) pool_own(value_keep(v).as.obj);
    while (interp.top > base) value_release(*--interp.top);
    interp.frame = frame.caller;
    return v;
}

Value module_run_source(Module *module, Source *source) {
    Parsed parsed = parse(source);
    for (int i = 0; module_warn && i < parsed.warnings; i++) module_warn(&parsed.warning[i]);
    if (parsed.status != PARSE_OK) fail_again(&parsed.error[0]);
    return module_run(module, parsed.program);
}

/* ---- importing ---- */

/* A function with a docstring, under its own name. */
static bool is_documented(const String *name, Value v) {
    if (v.tag != V_FUNCTION || v.as.function->call != closure_call) return false;
    return v.as.function->name == name && ((const Closure *)v.as.function)->fn->doc;
}

/* The struct of a module: what it assigned, without what it imported and what begins with _; of a
 * file of the library, what has a docstring: the rest is the file's own. */
static Value exports(Module *module) {
    Value record = struct_new(module->set_up);
    for (size_t i = 0; i < module->set_up; i++) {
        Value v = module->globals[i];
        bool imported = v.tag == V_STRUCT && v.as.record->module;
        if (v.tag == V_UNSET || imported || module->names.name[i]->text[0] == '_') continue;
        if (module->library && !is_documented(module->names.name[i], v)) continue;
        struct_put(record, module->names.name[i], v);
    }
    record.as.record->module = true;
    return record;
}

typedef struct Import { Module *module; Source *source; } Import;

static void run_import(void *env) {
    Import *import = env;
    module_run_source(import->module, import->source);
}

static Value finish_import(Module *module, Source *source) {
    bool recording = rt.recording, training = rt.training;
    Error error;
    rt.recording = rt.training = false;
    module->running = module->script = true;
    bool fine = guard(run_import, &(Import){ module, source }, &error);
    module->running = false;
    rt.recording = recording;
    rt.training = training;
    if (!fine) fail_again(&error);
    value_store(&module->record, exports(module));
    return module->record;
}

static Module *module_at(String *path) {
    for (Module *module = interp.modules; module; module = module->next) {
        if (module->path == path) return module;
    }
    return NULL;
}

static Value import_again(Module *module) {
    if (module->running) {
        hint("move what both need into a third file");
        fail(E_NAME, "`%s` is imported while it is still running: two files import each other",
             module->name->text);
    }
    return module->record;
}

/* A module that failed runs anew when it is imported again. */
static Module *fresh_module(const char *name, String *path) {
    Module *module = module_at(path);
    return module ? module : module_new(name, path->text);
}

static Value import_file(const char *name, String *path) {
    Module *known = module_at(path);
    if (known && (known->running || known->record.tag == V_STRUCT)) return import_again(known);
    Buffer text = io_read_file(path);
    return finish_import(fresh_module(name, path), source_new(path->text, text.text, text.bytes));
}

Value module_reload(Module *module) {
    Buffer text = io_read_file(module->path);
    return finish_import(module, source_new(module->path->text, text.text, text.bytes));
}

static Value import_embedded(const EmbeddedFile *file) {
    char label[80];
    snprintf(label, sizeof label, "<%s>", file->name);
    String *path = symbol(label, strlen(label));
    Module *known = module_at(path);
    if (known) return import_again(known);
    Source *source = source_new(file->name, file->text, file->bytes);
    source->library = true;
    Module *module = module_new(file->name, label);
    module->library = true;
    return finish_import(module, source);
}

static const EmbeddedFile *embedded(const char *name) {
    for (const EmbeddedFile *file = embedded_files; file->name; file++) {
        if (!strcmp(file->name, name)) return file;
    }
    return NULL;
}

/* The symbol of folder/name[.adl] if there is such a file, without links and dots, so that a file
 * has one. */
static String *file_in(const char *folder, size_t bytes, const char *name) {
    char path[PATH_MAX], whole[PATH_MAX];
    const char *extension =
        strlen(name) > 4 && !strcmp(name + strlen(name) - 4, ".adl") ? "" : ".adl";
    bool absolute = name[0] == '/' || !bytes;
    int length = snprintf(path, sizeof path, "%.*s%s%s%s", absolute ? 0 : (int)bytes, folder,
                          absolute ? "" : "/", name, extension);
    if (length >= PATH_MAX || access(path, F_OK) || !realpath(path, whole)) return NULL;
    return symbol(whole, strlen(whole));
}

static String *find_file(Module *from, const char *name) {
    const char *slash = strrchr(from->path->text, '/');
    String *path = slash ? file_in(from->path->text, (size_t)(slash - from->path->text), name)
                         : file_in(".", 1, name);
    if (path || name[0] == '/') return path;
    for (const char *at = getenv("ADL_PATH"); at && *at && !path;) {
        size_t bytes = strcspn(at, ":");
        if (bytes) path = file_in(at, bytes, name);
        at += bytes + (at[bytes] == ':');
    }
    return path;
}

/* "nn" of "lib/nn.adl" */
static const char *stem(const char *name, char buffer[64]) {
    const char *slash = strrchr(name, '/');
    snprintf(buffer, 64, "%s", slash ? slash + 1 : name);
    char *dot = strrchr(buffer, '.');
    if (dot) *dot = 0;
    return buffer;
}

const char *module_with(const char *function) {
    char head[64];
    if (snprintf(head, sizeof head, "\nfn %s(", function) >= (int)sizeof head) return NULL;
    for (const EmbeddedFile *file = embedded_files; file->name; file++)
        if (strstr(file->text, head)) return file->name;
    return NULL;
}

static _Noreturn void fail_import(String *name, bool is_path) {
    const char *names[64];
    size_t count = 0;
    for (const EmbeddedFile *file = embedded_files; file->name && count < 64; file++)
        names[count++] = file->name;
    const char *nearest = is_path ? NULL : nearest_name(name->text, count, names);
    const char *foreign = is_path ? NULL : foreign_word(name->text);
    if (foreign) {
        hint("%s", foreign);
    } else if (nearest) {
        hint("did you mean `import %s`?", nearest);
    } else {
        hint(
            "it is looked for beside the importing file, in ADL_PATH, and in the standard library");
    }
    fail(E_NAME, is_path ? "there is no file \"%s\" to import" : "there is no module `%s`",
         name->text);
}

Value module_import(Module *from, String *name, bool is_path) {
    String *path = rt.sandbox || from->library ? NULL : find_file(from, name->text);
    char buffer[64];
    if (path) return import_file(stem(name->text, buffer), path);
    const EmbeddedFile *file = is_path ? NULL : embedded(name->text);
    if (file) return import_embedded(file);
    if (rt.sandbox) io_allow("importing a file");
    fail_import(name, is_path);
}

/* ---- opening and closing ---- */

static void open_library_file(const char *name) {
    const EmbeddedFile *file = embedded(name);
    if (!file) return;
    size_t mark = pool_mark();
    const Struct *names = import_embedded(file).as.record;
    for (size_t i = 0; i < names->count; i++)
        library_put(names->field[i].name, names->field[i].value);
    pool_unwind(mark);
}

void prelude_open(void) {
    open_library_file("prelude");
    open_library_file("check");
}

static const size_t STACK_BYTES = (size_t)256 << 20;

static void *frames_mark(void) { return interp.top; }

/* Each frame has a slot at least, so those begun after the mark lie at or above it. */
static void frames_unwind(void *mark) {
    if (!mark) mark = interp.stack;     /* a guard older than the interpreter */
    while (interp.top > (Value *)mark) value_release(*--interp.top);
    while (interp.frame && interp.frame->variables[S_LOCAL] >= (Value *)mark)
        interp.frame = interp.frame->caller;
    interp.attached = NULL;
}

/* An expression may be MAX_HEIGHT deep between two calls. */
void interp_move_stack(void) {
    runtime_find_stack();
    rt.stack_limit += rt.stack_bytes / 16;
}

void interp_open(void) {
    interp.stack = interp.top = reserve(STACK_BYTES);
    interp.limit = interp.stack + STACK_BYTES / sizeof(Value);
    rt.interp = &interp;
    interp_move_stack();
    rt.on_guard = frames_mark;
    rt.on_unwind = frames_unwind;
    rt.on_trace = fill_trace;
    rt.on_swept = fail_swept;
    library_open();
    prelude_open();
}

void interp_close(void) {
    pool_unwind(0);
    modules_close();
    library_close();
    looking_close();
    if (interp.stack) munmap(interp.stack, STACK_BYTES);
    interp = (Interp){ 0 };
}
