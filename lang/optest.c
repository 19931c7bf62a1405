/* adl test, the operation table: every row, tried in every way that a row can be wrong, as lines of
 * a matrix.
 *
 * `+` passed, `-` failed, `e` the example is run by adl test, `.` the row has no such thing; blank:
 * a hole. A hole fails, unless the end of the line says why the row cannot be tried. */
#include <stdio.h>
#include <string.h>
#include "module.h"
#include "opcheck.h"
#include "optest.h"
#include "tape.h"

static const char *note_of(Op op) {
    const Operation *o = &operations[op];
    if (opcheck_untried(op)) return opcheck_untried(op);
    switch ((OpClass)o->class) {
    case C_FLAT: return "flat: derivative zero";
    case C_TEST: return "gives bool";
    case C_CONSTANT: return "never differentiable";
    default: return "";
    }
}

static void print_head(void) {
    printf("%-16s", "operation");
    for (int a = 0; a < OPCHECK_COUNT; a++) printf(" %s", opcheck_name(a));
    printf("\n");
}

static char sign_of(Op op, OpAspect aspect, OpVerdict verdict) {
    const char *example = operations[op].example;
    if (aspect == CHECK_VALUE && verdict == VERDICT_NONE && example && *example) return 'e';
    return ".+- "[verdict];
}

static void print_row(Op op, const OpVerdict *verdict) {
    printf("%-16s", operations[op].name);
    for (int a = 0; a < OPCHECK_COUNT; a++)
        printf(" %-*c", (int)strlen(opcheck_name(a)), sign_of(op, a, verdict[a]));
    printf(" %s\n", verdict[CHECK_REVERSE] == VERDICT_PASS ? "" : note_of(op));
}

static Value compile(const char *program) {
    return module_run_source(module_new("trials.def", ""),
                             source_new("trials.def", program, strlen(program)));
}

void optest_run(int matrix, int *passed, int *failed) {
    char why[OPCHECK_COUNT][200];
    opcheck_compile = compile;
    if (matrix) print_head();
    for (int op = 1; op < OP_COUNT; op++) {
        OpVerdict verdict[OPCHECK_COUNT];
        for (int a = 0; a < OPCHECK_COUNT; a++) {
            verdict[a] = opcheck(op, a, why[a], sizeof why[a]);
            tape_statement_end(0);
            if (verdict[a] == VERDICT_MISSING)
                snprintf(why[a], sizeof why[a], "nothing tries it: see runtime/trials.def");
            *passed += verdict[a] == VERDICT_PASS;
            *failed +=
                verdict[a] == VERDICT_FAIL || (verdict[a] == VERDICT_MISSING && !*note_of(op));
        }
        if (matrix) print_row(op, verdict);
        for (int a = 0; a < OPCHECK_COUNT; a++)
            if (verdict[a] == VERDICT_FAIL || (verdict[a] == VERDICT_MISSING && !*note_of(op)))
                printf("FAIL operation %s, %s: %s\n", operations[op].name, opcheck_name(a), why[a]);
    }
    if (matrix)
        printf("+ passed, - failed, e by its example, . no such thing; blank: why stands at the "
               "end of the line\n");
}
