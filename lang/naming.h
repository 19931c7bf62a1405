/* Names for what stands on the tape. The one idea: a variable that still holds a value is its name;
 * a step whose value nobody holds any more is called what the program's text assigned it to.
 *
 * A Naming lives in the pool. */
#ifndef NAMING_H
#define NAMING_H
#include "ast.h"

typedef struct Naming Naming;
/* Looks through the variables of the running functions and of the modules, and into lists and
 * structs: model.w, states[3]. */
Naming *naming_new(void);
/* The variable that holds this node or leaf now; NULL: none does. */
String *name_held(const Naming *n, uint32_t id);
/* The variable that the program assigns this expression's value to: y for the product in y = 2 * x.
 */
String *name_assigned(Naming *n, Span expression);
/* The statement that assigns it; NULL: none does. */
const Ast *assignment_of(Naming *n, Span expression);
#endif
