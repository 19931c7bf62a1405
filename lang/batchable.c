/* A walk over a function's code, before it runs. The one idea: only what is known to be harmless
 * passes; whatever else there is makes vmap a loop, which is right for everything. What a setting
 * (an axis, an index) was read from shows at run time (rt.off_tape). */
#include <string.h>
#include "batchable.h"
#include "builtins.h"
#include "eval.h"
#include "leaves.h"
#include "lex.h"
#include "module.h"

enum { DEEPEST = 20 };
/* A struct's own field goes before a function of its name, so where there are structs, no dot may
 * mean a function. */
typedef struct Seen { bool structs, dots; } Seen;
typedef struct Look { const Closure *closure; Seen *seen; int depth; } Look;

static bool passes(const Look *look, const Ast *node);
static bool function_passes(Value f, Seen *seen, int depth);

/* Rows that are composed of others, recorded ones, by their settings and shapes alone. */
static bool is_composed_safely(const char *name) {
    static const char *const names[] = {
        "swapaxes", "broadcast_to", "squeeze",   "expand_dims", "tile",   "flip",  "roll", "diag",
        "triu",     "tril",         "split",     "take",        "shape",  "size",  "ndim", "zeros",
        "ones",     "zeros_like",   "ones_like", "eye",         "arange", "einsum"
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(name, names[i])) return true;
    return false;
}

static bool row_passes(const BuiltinRow *row) {
    Op op = op_named(row->name);
    if (op == OP_NONE) return false;
    switch ((OpClass)operations[op].class) {
    case C_ELEM: case C_SELECT: case C_MULTILINEAR: case C_SELECTION: return true;
    case C_LINEAR: return op != OP_where && op != OP_take_along;
    case C_GENERAL: return op != OP_eigh && op != OP_svd && op != OP_qr && op != OP_slogdet;
    case C_COMPOSED: return is_composed_safely(row->name);
    default: return false;
    }
}

/* What a name means now; UNSET if that may still change. */
static Value meaning(const Look *look, const Ast *name) {
    const Closure *c = look->closure;
    Value v = UNSET;
    if (name->scope == S_GLOBAL) v = c->module->globals[name->slot];
    else if (name->scope == S_CELL && name->slot < c->fn->captured_count)
        v = c->cells[name->slot]->value;
    else return UNSET;
    const Value *library = v.tag == V_UNSET ? library_find(name->name) : NULL;
    return library ? *library : v;
}

static bool all_pass(const Look *look, const Ast *node) {
    for (uint32_t i = 0; i < node->count; i++) {
        const Ast *kid = node->kids[i];
        if (!passes(look, kid->kind == A_NAMED ? kid->a : kid)) return false;
    }
    return true;
}

static bool callee_passes(const Look *look, const Ast *name) {
    Value f = meaning(look, name);
    return f.tag == V_FUNCTION && function_passes(f, look->seen, look->depth + 1);
}

/* x.name or x.name(...): a struct's own field would go first. */
static bool dot_passes(const Look *look, const Ast *node) {
    Value f = meaning(look, node);
    if (!passes(look, node->a)) return false;
    if (node->kind == A_FIELD && f.tag != V_FUNCTION) return true; /* only a field can be meant */
    look->seen->dots = true;
    return f.tag == V_FUNCTION && function_passes(f, look->seen, look->depth + 1);
}

static bool operator_passes(const Ast *node) {
    if (node->kind == A_UNARY && node->token == T_PRIME) return true;
    Op op = node->op;
    if (op == OP_NONE) return node->kind == A_UNARY && node->token == T_PLUS;
    return op == OP_matmul || (op < OP_ELEMS && operations[op].class <= C_SELECT);
}

static bool operand_passes(const Look *look, const Ast *node) {
    Value v = meaning(look, node);
    look->seen->structs |= v.tag == V_STRUCT || v.tag == V_LIST;
    return v.tag == V_UNSET || is_numeric(v) || (v.tag == V_STRUCT && !v.as.record->module) ||
           v.tag == V_LIST || v.tag == V_NIL;
}

static bool assignment_passes(const Look *look, const Ast *node) {
    if (node->a->kind != A_NAME || node->a->scope == S_GLOBAL) return false;
    if (node->a->scope == S_CELL && node->a->slot < look->closure->fn->captured_count) return false;
    return (node->op == OP_NONE || operations[node->op].class <= C_SELECT) && passes(look, node->b);
}

static bool passes(const Look *look, const Ast *node) {
    if (!node) return true;
    switch ((AstKind)node->kind) {
    case A_CONSTANT: return true;
    case A_NAME: return operand_passes(look, node);
    case A_UNARY: return operator_passes(node) && passes(look, node->a);
    case A_BINARY: return operator_passes(node) && passes(look, node->a) && passes(look, node->b);
    case A_CALL:
        return node->a->kind == A_NAME && callee_passes(look, node->a) && all_pass(look, node);
    case A_METHOD: return dot_passes(look, node) && all_pass(look, node);
    case A_FIELD: return dot_passes(look, node);
    case A_INDEX: return passes(look, node->a) && all_pass(look, node);
    case A_SLICE: return passes(look, node->a) && passes(look, node->b) && passes(look, node->c);
    case A_NEW: case A_ELLIPSIS: return true;
    case A_STRUCT: look->seen->structs = true; return all_pass(look, node);
    case A_ARRAY: case A_LIST: case A_BLOCK: return all_pass(look, node);
    case A_ASSIGN: return assignment_passes(look, node);
    case A_RETURN: return passes(look, node->a);
    default: return false;
    }
}

static bool function_passes(Value f, Seen *seen, int depth) {
    if (depth > DEEPEST || f.tag != V_FUNCTION) return false;
    if (f.as.function->row) return row_passes(f.as.function->row);
    if (f.as.function->call != closure_call) return false;
    const Closure *closure = (const Closure *)f.as.function;
    Look look = { closure, seen, depth };
    if (closure->fn->collects) return false;
    for (uint32_t i = 0; i < closure->fn->parameter_count; i++)
        if (closure->fn->parameters[i].pattern ||
            !passes(&look, closure->fn->parameters[i].default_value))
            return false;
    return passes(&look, closure->fn->body);
}

static bool has_struct(Value v) {
    if (v.tag == V_STRUCT) return true;
    for (size_t i = 0; v.tag == V_LIST && i < v.as.list->count; i++)
        if (has_struct(v.as.list->item[i])) return true;
    return false;
}

bool is_batchable(Value f, int count, const Value *args) {
    Seen seen = { false, false };
    for (int i = 0; i < count; i++) {
        size_t leaves;
        Value *leaf = tree_leaves(args[i], &leaves);
        for (size_t k = 0; k < leaves; k++) if (!is_numeric(leaf[k])) return false;
        seen.structs |= has_struct(args[i]);
    }
    return function_passes(f, &seen, 0) && !(seen.structs && seen.dots);
}
