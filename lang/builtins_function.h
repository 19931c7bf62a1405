/* What tape mode needs of function mode. */
#ifndef BUILTINS_FUNCTION_H
#define BUILTINS_FUNCTION_H
#include "value.h"

/* grad(f) or value_and_grad(f): argnum UNSET is the first argument. */
Value grad_function(Value f, Value argnum, bool with_value);
#endif
