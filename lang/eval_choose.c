/* Choosing. The one idea: choose() walks the tree once, before it runs, and gives each node the
 * functions that evaluate it, run it as a statement and test it; by then its kind is known, its
 * operands' kinds, and which of them may come not yet computed. */
#include "eval_parts.h"
#include "kernels.h"
#include "lex.h"
#include "looking.h"

/* ---- choosing: what may come deferred ---- */

/* Builtins whose first argument may be not yet computed: they reduce it, or ask for its size. */
bool reduces_deferred(const BuiltinRow *row) {
    return row->call == call_sum || row->call == call_max || row->call == call_min ||
           row->call == call_size;
}

/* Functions that take arguments not yet computed. The library's mean (prelude.adl) does nothing
 * with its first one but add it up and count it. */
bool takes_deferred(const Function *f) {
    if (!f) return false;
    const BuiltinRow *row = f->row;
    if (row) return row->op != OP_NONE || row->call == call_where || reduces_deferred(row);
    const Value *mean = f->call == closure_call ? library_find(SYMBOL("mean")) : NULL;
    return mean && mean->tag == V_FUNCTION && mean->as.function == f;
}

static bool is_tiled_node(const Ast *node) {
    return (node->kind == A_BINARY && node->op < OP_ELEMS) ||
           (node->kind == A_UNARY && node->token == T_MINUS);
}

/* The library's function that a call most likely means: a variable of that name comes before it. */
static const Function *likely_function(const Ast *node) {
    const Ast *name = node->kind == A_CALL ? node->a : node;
    if (name != node && (name->kind != A_NAME || name->scope != S_GLOBAL)) return NULL;
    Value *v = library_find(name->name);
    return v && v->tag == V_FUNCTION ? v->as.function : NULL;
}

static void let_defer(Ast *kid) {
    bool call = kid->kind == A_CALL || kid->kind == A_METHOD || kid->kind == A_FIELD;
    const Function *f = call ? likely_function(kid) : NULL;
    bool makes_one = f && f->row && takes_deferred(f);
    if (is_tiled_node(kid) || makes_one) kid->flags |= AST_DEFERS;
}

static void choose_deferring(Ast *node) {
    if (is_tiled_node(node)) {
        let_defer(node->a);
        if (node->b) let_defer(node->b);
    } else if (node->kind == A_METHOD || node->kind == A_FIELD) {
        if (takes_deferred(likely_function(node))) let_defer(node->a);
    } else if (node->kind == A_CALL && !(node->flags & AST_STATEMENT) &&
               takes_deferred(likely_function(node))) {
        bool builtin = likely_function(node)->row, looked_at = node->eval != choose_call(node);
        for (uint32_t i = 0; i < node->count && (builtin || !i); i++) let_defer(node->kids[i]);
        if (builtin || !looked_at) node->eval = eval_call_deferring;
    }
}

/* ---- choosing ---- */

static bool is_plain_item(const Ast *kid) {
    return kid->kind != A_SLICE && kid->kind != A_NEW && kid->kind != A_ELLIPSIS &&
           kid->kind != A_SPREAD;
}

static bool has_one_or_two_plain_items(const Ast *node) {
    if (node->count == 2) return is_plain_item(node->kids[0]) && is_plain_item(node->kids[1]);
    return node->count == 1 && is_plain_item(node->kids[0]);
}

static Eval *choose_name(const Ast *node) {
    if (node->flags & AST_PIN) return eval_pinned;
    return node->scope == S_CELL ? eval_cell : eval_variable;
}

static Eval *choose_unary(const Ast *node) {
    switch (node->token) {
    case T_NOT: return eval_test;
    case T_PLUS: return eval_plus;
    case T_PRIME: return eval_transpose;
    default: return eval_negate;
    }
}

static Value eval_misplaced(Ast *node, Frame *frame) {
    (void)frame;
    fail_at(node->span, E_INTERNAL, "a node of kind %s cannot be evaluated",
            ast_kind_name(node->kind));
}

static Value eval_by_running(Ast *node, Frame *frame) {
    node->run(node, frame);
    return NIL;
}

static bool run_any(Ast *node, Frame *frame) {
    node->eval(node, frame);
    return true;
}

static Perform *choose_run(const Ast *node) {
    if (node->kind == A_ASSIGN && node->eval == eval_by_running) return choose_run_assign(node);
    switch ((int)node->kind) {
    case A_BLOCK: return run_block;
    case A_IF: return run_if;
    case A_WHILE: return run_while;
    case A_FOR: return run_for;
    default: return run_any;
    }
}

static Test *choose_test(const Ast *node) {
    if (node->kind == A_AND) return test_and;
    if (node->kind == A_OR) return test_or;
    if (node->kind == A_UNARY && node->token == T_NOT) return test_not;
    Test *fast = choose_fast_test(node);
    return fast ? fast : test_any;
}

static Near near_of(const Ast *node) {
    if (node->kind == A_CONSTANT) return (Near){ .number = node->value.as.num };
    return (Near){ .variable = { node->scope, node->slot * (uint32_t)sizeof(Value) } };
}

static void choose_near(Ast *node) {
    if (node->kind == A_NAME) node->near[0] = near_of(node);
    if (node->kind == A_BINARY || node->kind == A_ASSIGN) node->near[0] = near_of(node->a);
    if (node->kind == A_BINARY || node->kind == A_ASSIGN) node->near[1] = near_of(node->b);
    if (node->kind == A_INDEX && node->count == 1) {
        node->near[0] = near_of(node->a);
        node->near[1] = near_of(node->kids[0]);
    }
}

Ast *only_expression(Ast *block) {
    bool only = block && block->kind == A_BLOCK && block->count == 1 && block->flags & AST_VALUE;
    return only ? block->kids[0] : block;
}

static Eval *choose_one(Ast *node) {
    switch ((AstKind)node->kind) {
    case A_CONSTANT: return eval_constant;
    case A_NAME: return choose_name(node);
    case A_UNARY: return choose_unary(node);
    case A_BINARY: { Eval *fast = choose_fast(node); return fast ? fast : eval_binary; }
    case A_AND: case A_OR: return eval_test;
    case A_CALL: case A_METHOD:
        node->op = has_plain_arguments(node);
        return node->flags & AST_STATEMENT ? eval_thrown_away : choose_call(node);
    case A_INDEX:
        return has_one_or_two_plain_items(node) ? choose_fast_item(node) : eval_index;
    case A_FIELD: node->op = true; return eval_field;
    case A_ARRAY: return eval_array;
    case A_LIST: return eval_list;
    case A_STRUCT: return eval_struct;
    case A_FORMAT: return eval_format;
    case A_LAMBDA: return eval_closure;
    case A_FN: return eval_fn;
    case A_ASSIGN: { Eval *way = choose_assign(node); return way ? way : eval_by_running; }
    case A_BLOCK: return node->flags & AST_STATEMENT ? eval_block : eval_inner_block;
    case A_IF: return eval_if;
    case A_WHILE: case A_FOR: return eval_by_running;
    case A_BREAK: return eval_break;
    case A_CONTINUE: return eval_continue;
    case A_RETURN: return eval_return;
    case A_RECORD: return eval_record;
    case A_PAUSE: return eval_pause;
    case A_TRY: return eval_try;
    case A_IMPORT: return eval_import;
    case A_EXTERN: return eval_extern;
    case A_ATTACH: return eval_attach;
    case A_NAMED:
    case A_SPREAD:
    case A_SLICE:
    case A_NEW:
    case A_ELLIPSIS:
    case A_PIECE:
    case A_TARGETS:
    case A_EXTERN_FN: case A_ERROR: case AST_KIND_COUNT: break;
    }
    return eval_misplaced;
}

/* A block whose value an unfinished expression waits for must not reclaim what that recorded. */
static void set_block(Ast *block, bool inner) {
    if (block && block->kind == A_BLOCK) block->eval = inner ? eval_inner_block : eval_block;
}

static void set_body(Ast **body) {
    set_block(*body, false);
    *body = looking_body(*body);
}

static void choose_blocks(Ast *node) {
    bool inner = !(node->flags & AST_STATEMENT);
    switch (node->kind) {
    case A_IF:
        set_block(node->b, inner);
        set_block(node->c, inner);
        node->b = only_expression(node->b);
        node->c = only_expression(node->c);
        break;
    case A_RECORD: case A_PAUSE: set_block(node->b, inner); break;
    case A_TRY: set_block(node->a, inner); set_block(node->b, inner); break;
    case A_WHILE: set_body(&node->b); break;
    case A_FOR: set_body(&node->c); break;
    default: break;
    }
}

/* Functions choose their bodies when they are first called. */
void choose(Ast *node) {
    if (!node || node->eval) return;
    choose_near(node);
    node->eval = choose_one(node);
    node->run = choose_run(node);
    node->test = choose_test(node);
    looking_choose(node);
    choose(node->a);
    if (node->kind != A_METHOD && node->kind != A_FIELD) choose(node->b);
    choose(node->c);
    for (uint32_t i = 0; i < node->count; i++) choose(node->kids[i]);
    choose_blocks(node);
    choose_deferring(node);
}
