/* Reading the text of a rule. See rule_read.h. The text is the table's own, so that nothing here
 * has to say what is wrong with it; what it cannot read it leaves out. */
#include "rule_read.h"
#include <stdlib.h>
#include <string.h>

static bool in_name(char c) {
    return c == '_' || (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z');
}

static bool begins_number(char c) { return c == '-' || c == '.' || (c >= '0' && c <= '9'); }

static const char *behind_blanks(const char *at) {
    while (*at == ' ' || *at == '\n' || *at == ',') at++;
    return at;
}

static RuleTerm *term_new(RuleKind kind, const char *text) {
    RuleTerm *term = memset(pool_bytes(sizeof *term), 0, sizeof *term);
    term->kind = kind;
    term->text = text;
    return term;
}

static RuleTerm *read_term(const char **at);

static RuleTerm *read_number(const char **at) {
    char *end;
    RuleTerm *term = term_new(RULE_NUMBER, *at);
    term->number = strtod(*at, &end);
    term->bytes = (size_t)(end - *at);
    *at = end;
    return term;
}

/* Up to and with its closing bracket. */
static void read_parts(const char **at, RuleTerm *call) {
    for (*at = behind_blanks(*at + 1); **at && **at != ')'; *at = behind_blanks(*at)) {
        const RuleTerm *part = read_term(at);
        if (call->count < MOST_RULE_PARTS) call->part[call->count++] = part;
    }
    if (**at) ++*at;
}

/* term: number | x | y | r | name '(' term, ... ')' */
static RuleTerm *read_term(const char **at) {
    *at = behind_blanks(*at);
    if (begins_number(**at)) return read_number(at);
    RuleTerm *term = term_new(RULE_INPUT, *at);
    while (in_name(**at)) ++*at;
    term->bytes = (size_t)(*at - term->text);
    term->input = *term->text;
    if (**at != '(') {
        *at += term->bytes == 0 && **at;        /* a sign that no rule has: never stand still */
        return term;
    }
    term->kind = RULE_CALL;
    term->op = op_named(string_format("%.*s", (int)term->bytes, term->text).as.string->text);
    read_parts(at, term);
    return term;
}

const RuleTerm *rule_read(const char *text) { return read_term(&text); }
