/* Trees as s-expressions, for tests: (add x (call f 1)). The one idea: a word for the kind, the
 * name or constant if there is one, then the children in order. It is not for users and not for
 * adl fmt, which prints tokens. */
#include "ast.h"
#include "lex.h"
#include <ctype.h>
#include <string.h>

static void print_list(FILE *out, Ast *const *kids, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        fputc(' ', out);
        ast_print(out, kids[i]);
    }
}

static void print_child(FILE *out, const Ast *child) {
    if (!child) return;
    fputc(' ', out);
    ast_print(out, child);
}

static void print_constant(FILE *out, Value v) {
    switch (v.tag) {
    case V_NUM: fprintf(out, "%.15g", v.as.num); break;
    case V_BOOL: fputs(v.as.truth ? "true" : "false", out); break;
    case V_STRING: fprintf(out, "\"%s\"", v.as.string->text); break;
    default: fputs("nil", out);
    }
}

static void print_parameters(FILE *out, const Fn *fn) {
    fputs(" (", out);
    for (uint32_t i = 0; i < fn->parameter_count; i++) {
        const Parameter *parameter = &fn->parameters[i];
        bool rest = fn->collects && i + 1 == fn->parameter_count;
        fprintf(out, "%s%s%s", i ? " " : "", rest ? "*" : "", parameter->name->text);
        if (parameter->default_value) {
            fputc('=', out);
            ast_print(out, parameter->default_value);
        }
    }
    fputc(')', out);
}

/* A_METHOD as "method"; operators by their sign. */
static void print_head(FILE *out, const Ast *node) {
    bool has_sign =
        node->kind == A_BINARY || node->kind == A_UNARY || (node->kind == A_ASSIGN && node->op);
    if (has_sign) {
        const char *sign = token_text(node->token);
        fprintf(out, "%.*s", (int)strlen(sign) - 2, sign + 1);
        return;
    }
    for (const char *c = ast_kind_name(node->kind) + 2; *c; c++) fputc(tolower(*c), out);
}

void ast_print(FILE *out, const Ast *node) {
    if (node->kind == A_NAME) { fputs(node->name->text, out); return; }
    if (node->kind == A_CONSTANT) { print_constant(out, node->value); return; }
    fputc('(', out);
    print_head(out, node);
    if (node->kind == A_BLOCK && node->flags & AST_VALUE) fputc('!', out);
    if (node->name) fprintf(out, " %s", node->name->text);
    if (node->value.tag != V_UNSET) {
        fputc(' ', out);
        print_constant(out, node->value);
    }
    if (node->fn) print_parameters(out, node->fn);
    if (node->kind == A_SLICE && !node->a) fputs(" _", out);
    print_child(out, node->a);
    if (node->kind == A_SLICE && !node->b) fputs(" _", out);
    bool chain = node->kind == A_METHOD || node->kind == A_FIELD || node->kind == A_ATTACH;
    if (!chain) print_child(out, node->b);
    print_child(out, node->c);
    print_list(out, node->kids, node->count);
    if (node->fn) print_child(out, node->fn->body);
    fputc(')', out);
}
