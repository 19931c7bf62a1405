/* Words that users bring from other languages, and what adl writes. Used by the parser where a
 * text goes wrong behind such a word, and by whoever finds that a name does not exist. */
#include "foreign.h"
#include "diag.h"
#include <stddef.h>
#include <string.h>

static const struct { const char *word, *advice; } words[] = {
    { "def",       "a function is written fn name(x) { ... }" },
    { "function",  "a function is written fn name(x) { ... }, or x -> x^2" },
    { "func",      "a function is written fn name(x) { ... }, or x -> x^2" },
    { "fun",       "a function is written fn name(x) { ... }, or x -> x^2" },
    { "lambda",    "a function without a name is written x -> x^2" },
    { "elif",      "write `} else if condition {`" },
    { "elseif",    "write `} else if condition {`" },
    { "then",      "a block stands in braces: if condition { ... }" },
    { "do",        "a block stands in braces: while condition { ... }" },
    { "begin",     "a block stands in braces: { ... }" },
    { "end",       "a block stands in braces: { ... }" },
    { "unless",    "write `if not condition { ... }`" },
    { "until",     "write `while not condition { ... }`" },
    { "foreach",   "write `for item in list { ... }`" },
    { "loop",      "write `while true { ... }`" },
    { "repeat",    "write `while true { ... }` with `break`" },
    { "let",       "a variable needs no keyword: x = 3" },
    { "var",       "a variable needs no keyword: x = 3" },
    { "const",     "a variable needs no keyword: x = 3" },
    { "local",     "what a function assigns is local: x = 3" },
    { "global",    "a function cannot assign a global: pass it in and return it" },
    { "nonlocal",  "a function cannot assign outer names: pass them in and return them" },
    { "print",     "a call needs parentheses: print(x)" },
    { "None",      "write `nil`" },
    { "null",      "write `nil`" },
    { "NULL",      "write `nil`" },
    { "none",      "write `nil`" },
    { "nothing",   "write `nil`" },
    { "undefined", "write `nil`" },
    { "True",      "write `true`" },
    { "TRUE",      "write `true`" },
    { "False",     "write `false`" },
    { "FALSE",     "write `false`" },
    { "NaN",       "write `nan`" },
    { "Inf",       "write `inf`" },
    { "Infinity",  "write `inf`" },
    { "np",        "the functions of NumPy need no prefix: sum(x), exp(x)" },
    { "numpy",     "the functions of NumPy need no prefix: sum(x), exp(x)" },
    { "torch",     "nothing needs a prefix: sum(x), exp(x), backward(f)" },
    { "jax",       "nothing needs a prefix: grad(f), vmap(f), jacobian(f)" },
    { "matplotlib", "pictures need no module: plot(x, y), plot(x, y, \"loss.svg\")" },
    { "plt",       "pictures need no module: plot(x, y), plot(x, y, \"loss.svg\")" },
    { "pandas",    "tables need no module: read_csv(\"file.csv\")" },
    { "nd",        "the functions of MXNet need no prefix: array(x), exp(x)" },
    { "mx",        "the functions of MXNet need no prefix: array(x), exp(x)" },
    { "autograd",  "write `record < ... >` and backward(f)" },
    { "math",      "the functions of math need no prefix: exp(x), pi" },
    { "T",         "the transpose is written x', or transpose(x)" },
    { "mT",        "the transpose is written x', or transpose(x)" },
    { "from",      "write `import nn`, then nn.dense(...)" },
    { "require",   "write `import nn`" },
    { "include",   "write `import \"file.adl\" as name`" },
    { "using",     "write `import nn`" },
    { "class",     "write a struct, {w: 1, b: 2}, and functions that take it" },
    { "struct",    "write a struct as a value: {w: 1, b: 2}" },
    { "self",      "pass the struct as an argument; x.f(a) is f(x, a)" },
    { "this",      "pass the struct as an argument; x.f(a) is f(x, a)" },
    { "del",       "variables go away by themselves; assign nil to free memory early" },
    { "pass",      "an empty block is written { }" },
    { "yield",     "build a list with append, or pass a function" },
    { "switch",    "write `if a { ... } else if b { ... } else { ... }`" },
    { "match",     "write `if a { ... } else if b { ... } else { ... }`" },
    { "case",      "write `if a { ... } else if b { ... } else { ... }`" },
    { "except",    "write `try { ... } catch err { ... }`" },
    { "raise",     "write error(\"...\")" },
    { "throw",     "write error(\"...\")" },
    { "with",      "write `record < ... >` for recording" },
    { "is",        "write `==`" },
    { "xor",       "write logical_xor(a, b), or a != b" },
    { "mod",       "the remainder is written a % b" },
    { "div",       "whole division is written a // b" },
    { "list",      "write a list as (a, b, c)" },
    { "tuple",     "write a list as (a, b, c)" },
    { "dict",      "write a struct: {name: value}" },
    { "float",     "write f64(x), or parse_number(text)" },
    { "int",       "write trunc(x), or parse_number(text)" },
    { "printf",    "write print(f\"loss {loss:.4f}\")" },
    { "println",   "write print(x)" },
    { "length",    "write len(x)" },
    { "push",      "write xs = append(xs, x)" },
    { "hist",      "write histogram(x)" },
    { "imshow",    "write heat_map(m)" },
    { "mm",        "the matrix product is written a @ b" },
    { "requires_grad",  "write x = attach_grad(x)" },
    { "requires_grad_", "write x = attach_grad(x)" },
    { "no_grad",   "write `pause < ... >`" },
};

const char *foreign_word(const char *word) {
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i].word, word) == 0) return words[i].advice;
    return NULL;
}

const char *foreign_near(const char *word) {
    Nearest nearest = { .text = word };
    for (size_t i = 0; strlen(word) > 3 && i < sizeof words / sizeof *words; i++)
        nearest_try(&nearest, words[i].word);
    return nearest.best ? foreign_word(nearest.best) : NULL;
}
