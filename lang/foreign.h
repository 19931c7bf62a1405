/* Words of other languages. The one idea: whoever meets an unknown word asks here what adl writes
 * instead. */
#ifndef FOREIGN_H
#define FOREIGN_H

/* "write `nil`" for None and its like; NULL for a word that no other language made you expect. */
const char *foreign_word(const char *word);
/* The same for a word misspelt; only where no name of adl is near. */
const char *foreign_near(const char *word);
#endif
