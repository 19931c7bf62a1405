/* `adl learn`: lists the lessons of examples/learn, which travel inside the binary, and plays one.
 */
#ifndef LEARN_H
#define LEARN_H

int learn_main(int count, char **words);   /* the exit status */
#endif
