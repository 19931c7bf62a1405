/* The coverage matrix: a line for each row of the table, a column for each aspect. `+` passed, `-` failed, a
 * blank where the row has nothing of the kind: its class or its domain says so at the end of the line. */
#include <stdio.h>
#include "opcheck.h"
#include "optest.h"
#include "tape.h"

static const char *class_text(const Operation *o) {
    switch ((OpClass)o->class) {
    case C_FLAT: return "flat: derivative zero";
    case C_TEST: return "gives bool";
    case C_CONSTANT: return "never differentiable";
    case C_COMPOSED: return "composed of other rows";
    default: return o->signature && o->prints[0] ? "" : "internal: through the rows written with it";
    }
}

static const char *note_of(const Operation *o) {
    const char *text = class_text(o);
    return *text || o->domain != D_NONE ? text : "by examples and .adl tests";
}

static void print_head(void) {
    printf("%-16s", "operation");
    for (int a = 0; a < OPCHECK_COUNT; a++) printf(" %s", opcheck_name(a));
    printf("\n");
}

static int width_of(OpAspect aspect) {
    int width = 0;
    while (opcheck_name(aspect)[width]) width++;
    return width;
}

static void print_cell(OpAspect aspect, OpVerdict verdict) {
    static const char signs[] = { ' ', '+', '-' };
    printf(" %-*c", width_of(aspect), signs[verdict]);
}

void optest_run(int matrix, int *passed, int *failed) {
    char why[OPCHECK_COUNT][200];
    if (matrix) print_head();
    for (int op = 1; op < OP_COUNT; op++) {
        if (matrix) printf("%-16s", operations[op].name);
        OpVerdict verdict[OPCHECK_COUNT];
        for (int a = 0; a < OPCHECK_COUNT; a++) {
            verdict[a] = opcheck(op, a, why[a], sizeof why[a]);
            tape_statement_end(0);
            *passed += verdict[a] == VERDICT_PASS;
            *failed += verdict[a] == VERDICT_FAIL;
            if (matrix) print_cell(a, verdict[a]);
        }
        if (matrix) printf(" %s\n", note_of(&operations[op]));
        for (int a = 0; a < OPCHECK_COUNT; a++)
            if (verdict[a] == VERDICT_FAIL)
                printf("FAIL operation %s, %s: %s\n", operations[op].name, opcheck_name(a), why[a]);
    }
}
