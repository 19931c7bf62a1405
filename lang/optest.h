/* adl test, the operation table: tries every row in every way that a row can be wrong (opcheck.h).
 */
#ifndef OPTEST_H
#define OPTEST_H

/* Runs all checks; prints what fails, and with `matrix` the table of operations x checks. Adds to
 * the counts. */
void optest_run(int matrix, int *passed, int *failed);
#endif
