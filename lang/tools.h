/* The tools behind `adl check`, `adl fmt`, `adl test`, `adl learn` and `adl doc`. */
#ifndef TOOLS_H
#define TOOLS_H

int tool_run(const char *name, int count, char **words);   /* the exit status */
#endif
