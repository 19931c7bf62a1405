/* Arrays in NumPy's own file format, .npy (versions 1 to 3, NumPy Enhancement Proposal 1): a line
 * of text that says type, order and shape, then the plain elements. The one idea: where the
 * elements lie in memory as adl's own arrays do, an array is a view on the file itself; else they
 * are converted.
 *
 * Read are floating point numbers of 2, 4 and 8 bytes, integers of 1 to 8 bytes, and booleans, in
 * both byte orders and both storage orders. 4-byte and 2-byte floats become f32, booleans bool, all
 * others f64 (integers beyond 2^53 are rounded to the nearest f64). */
#ifndef NPY_H
#define NPY_H
#include "io.h"

/* The array in `count` bytes. name: the file, for messages. keeper: who keeps the bytes alive for
 * as long as it is held, or NULL to copy them. E_VALUE if the bytes are no .npy file, or fewer than
 * the header promises. */
Value npy_read(const char *bytes, size_t count, const char *name, Obj *keeper);
/* The header that goes before an array's elements in row-major order, a multiple of 64 bytes. */
void npy_header(Buffer *b, const Array *a);
#endif
