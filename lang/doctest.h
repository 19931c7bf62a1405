/* adl test: runs .adl files whose expectations stand on the line, the examples of every operation,
 * builtin and docstring, and the code blocks of .md files. tests/README.md describes the notation.
 */
#ifndef DOCTEST_H
#define DOCTEST_H

/* `adl test [PATHS] [--update]`; without paths: tests, examples, README.md and the examples in this
 * binary. Reports on stdout, ends in `N passed, N failed`, returns the exit status: 0, 2 or 3. */
int doctest_main(int count, char **arguments);
#endif
