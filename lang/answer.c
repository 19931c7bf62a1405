/* Reading answers. See answer.h. */
#include "answer.h"
#include "eval.h"
#include "io.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *answer_line(const char *prompt) {
    Value line = io_read_line(string_of(prompt).as.string);
    bool typed = isatty(STDIN_FILENO);
    if (line.tag != V_STRING) {
        io_write("\n", 1);
        return NULL;
    }
    const char *text = string_trim(line.as.string).as.string->text;
    if (!typed) io_write(text, strlen(text));
    if (!typed) io_write("\n", 1);
    return text;
}

/* ---- values ---- */
/* The module in which answers are evaluated; NULL: there is none yet. */
static Module *answers(void) {
    String *name = SYMBOL("answer");
    for (Module *m = interp.modules; m; m = m->next)
        if (m->name == name && m->library) return m;
    return NULL;
}

void answer_start(void) {
    Module *m = answers();
    if (!m) {
        m = module_new("answer", "");
        m->library = true;      /* answers are no program that looks at the tape */
        return;
    }
    for (size_t i = 0; i < m->set_up; i++) {
        Value old = m->globals[i];
        m->globals[i] = UNSET;
        value_release(old);
    }
}

void answer_name(const char *name, Value v) {
    v.node = 0;
    if (v.tag != V_UNSET && v.tag != V_NIL)
        module_define(answers(), symbol(name, strlen(name)), v);
}

typedef struct Evaluation { const char *text; Value value; } Evaluation;

static void evaluate(void *env) {
    Evaluation *e = env;
    rt.recording = false;
    e->value = module_run_source(answers(), source_new("answer", e->text, strlen(e->text)));
}

static const char *no_number(Value v) {
    char what[80];
    return string_format("a number or an array is wanted, not %s", describe(v, what, sizeof what))
        .as.string->text;
}

Value answer_value(const char *text, const char **problem) {
    Evaluation e = { text, UNSET };
    Error error;
    if (!guard(evaluate, &e, &error)) {
        if (error.kind == E_INTERRUPT || error.kind == E_EXIT) fail_again(&error);
        *problem = string_of(error.message).as.string->text;
        error_forget();
        return UNSET;
    }
    e.value.node = 0;
    if (is_numeric(e.value) || e.value.tag == V_BOOL) return e.value;
    *problem = no_number(e.value);
    return UNSET;
}
