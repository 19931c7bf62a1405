/* Matching patterns against steps. See advice.h. */
#include "advice.h"
#include <string.h>

/* A pattern in prefix form: operations with as many arguments as they take. `*` in another operand
 * is written x: the first x is anything, each later one the same input; 1 is the constant 1. */
typedef struct Pattern { const char *shape, *text; } Pattern;
static const Pattern patterns[] = {
    { "sqrt sum square x",
      "sqrt(sum(x * x)) has slope 0/0 at 0: norm(x) is the same, with slope 0 there" },
    { "sqrt sum mul x x",
      "sqrt(sum(x * x)) has slope 0/0 at 0: norm(x) is the same, with slope 0 there" },
    { "sqrt square x",
      "sqrt(x * x) has slope 0 × inf at 0: abs(x) is the same, with slope 0 there" },
    { "sqrt mul x x",
      "sqrt(x * x) has slope 0 × inf at 0: abs(x) is the same, with slope 0 there" },
    { "sqrt div sum square sub x x2 n",
      "sqrt(var(x)) has slope 0/0 where all are equal: std(x) is the same, with slope 0 there" },
    { "log sum exp x", "log(sum(exp(x))) overflows beyond 709: logsumexp(x) does not" },
    { "div 1 add 1 exp neg x", "1 / (1 + exp(-x)) overflows below -709: sigmoid(x) does not" },
    { "div 1 add exp neg x 1", "1 / (1 + exp(-x)) overflows below -709: sigmoid(x) does not" },
    { "log sigmoid x", "log(sigmoid(x)) is -inf below -745: log_sigmoid(x) is exact" },
    { "log add 1 exp x", "log(1 + exp(x)) overflows beyond 709: softplus(x) does not" },
    { "log add exp x 1", "log(1 + exp(x)) overflows beyond 709: softplus(x) does not" },
    { "mul x log x", "x * log(x) is 0 × -inf at 0: xlogx(x) is 0 there" },
    { "mul log x x", "x * log(x) is 0 × -inf at 0: xlogx(x) is 0 there" },
    { "div exp x sum exp x", "exp(x) / sum(exp(x)) overflows beyond 709: softmax(x) does not" },
    { "log softmax x",
      "log(softmax(x)) is -inf where a probability is tiny: log_softmax(x) is exact" },
    { "mul sqrt x sqrt x",
      "sqrt(x) * sqrt(x) has slope 0 × inf at 0, taken as 0, where x has slope 1: write x" },
    { "mul square cbrt x cbrt x",
      "cbrt(x)^3 has slope 0 × inf at 0, taken as 0, where x has slope 1: write x" },
    { "power cbrt x 3",
      "cbrt(x)^3 has slope 0 × inf at 0, taken as 0, where x has slope 1: write x" },
    { "square sqrt x",
      "sqrt(x)^2 has slope 0 × inf at 0, taken as 0, where x has slope 1: write x" },
};

typedef struct Match { const Wengert *w; Input x; bool bound; } Match;

static bool same_input(Input a, Input b) {
    if (a.kind != b.kind) return false;
    if (a.kind == FROM_CONSTANT)
        return a.value.tag == b.value.tag && a.value.as.obj == b.value.as.obj;
    return a.at == b.at;
}

static bool is_constant(Input in, double wanted) {
    return in.kind == FROM_CONSTANT && is_number(in.value) && num_of(in.value) == wanted;
}

static bool match_input(Match *m, Input in, const char **at);

/* The word at *at, which moves behind it. */
static size_t next_word(const char **at, const char **word) {
    while (**at == ' ') ++*at;
    *word = *at;
    while (**at && **at != ' ') ++*at;
    return (size_t)(*at - *word);
}

static bool match_step(Match *m, uint32_t step, const char **at) {
    const char *word;
    size_t bytes = next_word(at, &word);
    const Step *s = &m->w->step[step];
    const char *name = operations[s->op].name;
    if (s->lost || strlen(name) != bytes || memcmp(name, word, bytes)) return false;
    int arity = s->op < OP_ELEMS ? operations[s->op].arity : 1;
    for (int k = 0; k < arity; k++)
        if (!match_input(m, wengert_input(m->w, step, k), at)) return false;
    return true;
}

static bool match_input(Match *m, Input in, const char **at) {
    const char *word, *start = *at;
    size_t bytes = next_word(at, &word);
    bool is_x = bytes == 1 && *word == 'x',
         anything = (bytes == 2 && !memcmp(word, "x2", 2)) || (bytes == 1 && *word == 'n');
    if (anything) return true;
    if (*word == '1' || *word == '3') return is_constant(in, *word - '0');
    if (is_x && !m->bound) {
        m->x = in;
        m->bound = true;
        return in.kind != FROM_LOST;
    }
    if (is_x) return same_input(in, m->x);
    *at = start;
    return in.kind == FROM_STEP && match_step(m, in.at, at);
}

static const char *matched(const Wengert *w, uint32_t step) {
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        Match m = { .w = w };
        const char *at = patterns[i].shape;
        if (match_step(&m, step, &at)) return patterns[i].text;
    }
    return NULL;
}

const Advice *advice_for(const Wengert *w, size_t *count) {
    enum { MOST = 8 };
    Advice *advice = pool_bytes(MOST * sizeof *advice);
    *count = 0;
    for (uint32_t step = 0; step < w->count && *count < MOST; step++) {
        const char *text = matched(w, step);
        bool again = false;
        for (size_t i = 0; i < *count; i++)
            again |=
                advice[i].text == text && wengert_line(w, advice[i].step) == wengert_line(w, step);
        if (text && !again) advice[(*count)++] = (Advice){ step, text };
    }
    return advice;
}
