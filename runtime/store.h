/* save() and load(): values in files whose ending says the format. The one idea: one table of
 * endings.
 *
 *     .npy   one array, as NumPy keeps it; a large one is not read but mapped
 *     .npz   a struct of arrays, or any tree of arrays, numbers, texts and nils
 *     .json  any tree, as text
 *     .csv   a table
 *     .txt   a text
 *
 * A tree in an .npz file has one .npy entry per array and number, named by its place
 * ("layers.0.w"), so that NumPy reads it too; what is no array, and what is list and what is
 * struct, stands in one entry more, tree.json. */
#ifndef STORE_H
#define STORE_H
#include "io.h"

Value store_load(String *path);
/* Gradient slots are not saved. E_TYPE if the format has no place for v, and the file stays as it
 * was. */
void store_save(String *path, Value v);
#endif
