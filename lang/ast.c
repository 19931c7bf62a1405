/* Small questions about nodes. The tree itself is made by the parser; nothing here changes it. */
#include "ast.h"
#include "source.h"

Ast *ast_new(Source *source, AstKind kind, Span span) {
    Ast *node = arena_alloc(source, sizeof *node);
    node->kind = (uint8_t)kind;
    node->span = span;
    node->value = UNSET;
    return node;
}

const char *ast_kind_name(int kind) {
    static const char *const names[] = {
#define K(name) #name,
        AST_KINDS(K)
#undef K
    };
    return kind >= 0 && kind < AST_KIND_COUNT ? names[kind] : "?";
}

bool ast_is_expression(const Ast *node) {
    switch (node->kind) {
    case A_FN: case A_ASSIGN: case A_WHILE: case A_FOR: case A_BREAK: case A_CONTINUE:
    case A_RETURN: case A_IMPORT: case A_EXTERN: case A_EXTERN_FN: case A_ERROR:
        return false;
    default:
        return true;
    }
}

const Ast *ast_place_root(const Ast *node) {
    while (node->kind == A_FIELD || node->kind == A_INDEX) node = node->a;
    return node;
}

bool ast_is_place(const Ast *node) { return ast_place_root(node)->kind == A_NAME; }

/* The line on which a statement begins: a node's own span may be that of its operator. */
static uint32_t first_line(const Ast *statement) {
    uint32_t line = UINT32_MAX;
    for (const Ast *node = statement, *next; node; node = next) {
        next = node->a ? node->a : node->count ? node->kids[0] : NULL;
        uint32_t here = place_of(node->span).line;
        if (here && here < line) line = here;
    }
    return line == UINT32_MAX ? 1 : line;
}

bool ast_next_group(const Ast *program, uint32_t end, AstGroup *group) {
    uint32_t first = group->next, next = first;
    if (first == program->count) return false;
    group->from = group->to = first_line(program->kids[first]);
    while (group->to <= group->from && next < program->count) {
        next++;
        group->to = next < program->count ? first_line(program->kids[next]) : end;
    }
    group->block = *program;
    group->block.kids += first;
    group->block.count = next - first;
    group->next = next;
    return true;
}
