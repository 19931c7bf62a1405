/* Syntax highlighting for editors. */
#include "manual.h"
void syntax_vim(void) {}
void syntax_textmate(void) {}
