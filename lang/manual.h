/* What the command line's table becomes besides --help: the manual page and the completions of
 * shells; and what the token table becomes for editors. Each writes to standard output. */
#ifndef MANUAL_H
#define MANUAL_H

void manual_page(void);        /* adl.1 */
void complete_bash(void);
void complete_zsh(void);
void complete_fish(void);
void syntax_vim(void);         /* editors.c */
void syntax_textmate(void);
#endif
