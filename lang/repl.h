/* The prompt: reads statements, runs each in one module, shows values. */
#ifndef REPL_H
#define REPL_H
#include "module.h"

/* A line before the first prompt, broken between words where the screen is narrow. */
void repl_greet(const char *text);
/* Reads until the end of input or exit(), as the command line's options ask; the exit status. */
int repl_run(Module *module);
#endif
