/* NumPy's .npz: a zip archive of .npy files, one per name. The one idea: zip is libzip's business,
 * and where libzip was not there at build time, npz_none.c stands in with an error that says so. */
#ifndef NPZ_H
#define NPZ_H
#include "npy.h"

typedef struct Entry { const char *name; const char *bytes; size_t count; } Entry;

/* Calls each(entry, env) for every file in the archive; its bytes live until each() returns.
 * E_VALUE if it is no archive, a file in it is damaged, or it swells beyond all measure when it is
 * unpacked. */
typedef void EachEntry(const Entry *entry, void *env);
void npz_read(const Mapping *file, const char *name, EachEntry *each, void *env);
/* An archive of these files, not compressed, as numpy.savez writes it. */
Buffer npz_write(int count, const Entry *entry);
#endif
