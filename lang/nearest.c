/* Did you mean? The one idea: the name with the fewest letters changed, if that is few enough for
 * its length to be a slip of the fingers. */
#include "diag.h"
#include <string.h>

enum { LONGEST_NAME = 40 };

static int fold(char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; }
static int least(int a, int b) { return a < b ? a : b; }

/* Damerau-Levenshtein (neighbours may be swapped), case ignored at a cost of 0. */
static int distance(const char *a, size_t a_bytes, const char *b, size_t b_bytes) {
    int row[3][LONGEST_NAME + 1];
    for (size_t j = 0; j <= b_bytes; j++) row[0][j] = (int)j;
    for (size_t i = 1; i <= a_bytes; i++) {
        int *now = row[i % 3], *above = row[(i + 2) % 3], *two_above = row[(i + 1) % 3];
        now[0] = (int)i;
        for (size_t j = 1; j <= b_bytes; j++) {
            int same = fold(a[i - 1]) == fold(b[j - 1]);
            now[j] = least(least(above[j] + 1, now[j - 1] + 1), above[j - 1] + !same);
            bool swapped = i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) &&
                           fold(a[i - 2]) == fold(b[j - 1]);
            if (swapped) now[j] = least(now[j], two_above[j - 2] + 1);
        }
    }
    return row[a_bytes % 3][b_bytes];
}

/* A third of the letters may differ, and never all. */
void nearest_try(Nearest *nearest, const char *candidate) {
    size_t bytes = strlen(nearest->text), other = strlen(candidate);
    int limit = bytes < 4 ? (bytes > 1) : ((int)bytes + 1) / 3;
    if (bytes > LONGEST_NAME || other > LONGEST_NAME || other == 0) return;
    if (strcmp(nearest->text, candidate) == 0) return;
    int far = distance(nearest->text, bytes, candidate, other);
    if (far > limit || (size_t)far >= other || (nearest->best && far >= nearest->distance)) return;
    nearest->best = candidate;
    nearest->distance = far;
}

const char *nearest_name(const char *text, size_t count, const char *const *candidates) {
    Nearest nearest = { .text = text };
    for (size_t i = 0; i < count; i++) nearest_try(&nearest, candidates[i]);
    return nearest.best;
}
