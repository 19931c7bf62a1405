/* Pullbacks: from the adjoint of one node to contributions to its inputs. The sweep chooses one of
 * three: of a node on numbers, of an elementwise node, of a ROW. */
#ifndef PULLBACK_H
#define PULLBACK_H
#include "adjoint.h"
#include "elem.h"

void pull_elementwise(Sweep *s, uint32_t id, const Node *n, Value g);
void pull_row(Sweep *s, uint32_t id, const Node *n, Value g);

/* A zero adjoint at a node on numbers. */
void pull_zero(Sweep *s, uint32_t id, const Node *n);

/* Numbers in a plain sweep: the plain derivatives need no call. A selection's dropped input gets
 * nothing. */
static inline void pull_input(Sweep *s, const Node *n, int op, int which, uint32_t input,
                              double g) {
    double d;
    switch (elem_traits[op].slope[which]) {
    case SLOPE_ONE: d = 1; break;
    case SLOPE_MINUS_ONE: d = -1; break;
    case SLOPE_X: d = n->x.num; break;
    case SLOPE_Y: d = n->y.num; break;
    case SLOPE_R: d = n->r.num; break;
    default:
        d = elem_kernels[op].slope[which](n->x.num, n->y.num, n->r.num);
        if (d == 0 && operations[op].class == C_SELECT) return;
    }
    add_number(s, input, g * d);
}

static inline void pull_numbers(Sweep *s, uint32_t id, const Node *n, double g) {
    int op = node_op(n);
    if (__builtin_expect(g == 0, 0)) {
        pull_zero(s, id, n);
        return;
    }
    if (n->a) pull_input(s, n, op, 0, n->a, g);
    if (n->b) pull_input(s, n, op, 1, n->b, g);
}
#endif
