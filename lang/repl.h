/* The prompt: reads statements, runs each in one module, shows values. */
#ifndef REPL_H
#define REPL_H
#include "module.h"

/* Reads until the end of input or exit(); the exit status. report shows an error. */
int repl_run(Module *module, void (*report)(const Error *error, const Source *source));
#endif
