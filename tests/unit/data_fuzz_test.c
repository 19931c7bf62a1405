/* JSON, CSV, .npy and .npz fed with mutilated texts. The one idea: take good files, cut, double and
 * splice them, and hold what comes of it against what must be true of any text: it is read or
 * refused with a message, never past its end; what was read is the same when it is written and read
 * again; and of JSON jansson must say the same, good or bad.
 *
 *     data_fuzz_test [SECONDS [SEED]]     without them TEXTS of each kind, always the same */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "npz.h"
#include "runtime_fixture.h"
#include <cmocka.h>   /* last: it has a fail() of its own */

#define COUNT(array) (sizeof(array) / sizeof *(array))
enum { TEXTS = 30000, MOST = 1 << 12 };
static double seconds;
static uint64_t random_state = 1;

static uint32_t draw(size_t below) {
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((random_state >> 33) % below);
}

/* ---- mutilating ---- */

typedef struct Text { char bytes[MOST]; size_t count; } Text;

/* Puts `part` at `at` in place of `cut` bytes. */
static void replace(Text *t, size_t at, size_t cut, const char *part, size_t count) {
    if (t->count - cut + count > MOST) return;
    memmove(t->bytes + at + count, t->bytes + at + cut, t->count - at - cut);
    memcpy(t->bytes + at, part, count);
    t->count += count - cut;
}

/* odd: pieces that mean something in the format, up to a NULL. */
static void mutilate(Text *t, const char *const *odd) {
    char copy[40], byte = (char)draw(256);
    size_t odds = 0, at = draw(t->count + 1), length = draw(sizeof copy), rest = t->count - at;
    while (odd[odds]) odds++;
    if (length > rest) length = rest;
    memcpy(copy, t->bytes + at, length);
    const char *part = odd[draw(odds)];
    switch (draw(6)) {
    case 0: replace(t, at, length, "", 0); break;
    case 1: replace(t, at, 0, copy, length); break;
    case 2: replace(t, draw(t->count + 1), 0, copy, length); break;
    case 3: replace(t, at, rest > 0, &byte, 1); break;
    default: replace(t, at, draw(2) && rest, part, strlen(part)); break;
    }
}

static void take(Text *t, const char *bytes, size_t count) {
    t->count = count < MOST ? count : MOST;
    memcpy(t->bytes, bytes, t->count);
}

/* ---- trying ---- */

typedef Value Read(const char *bytes, size_t count);
typedef struct Trial { Read *read; const char *bytes; size_t count; Value v; } Trial;

static void run_trial(void *env) {
    Trial *t = env;
    t->v = t->read(t->bytes, t->count);
}

static const char *shown(const Text *t) {
    static char text[4 * MOST + 1];
    char *to = text;
    for (size_t i = 0; i < t->count; i++) {
        unsigned char c = (unsigned char)t->bytes[i];
        to += sprintf(to, c < ' ' || c > '~' ? "\\x%02x" : "%c", c);
    }
    return text;
}

/* Is it read? In memory of exactly its size, so that a sanitizer sees a step too far. */
static bool is_read(Read *read, const Text *t, Value *v) {
    Error error;
    char *bytes = malloc(t->count + !t->count);
    memcpy(bytes, t->bytes, t->count);
    Trial trial = { read, bytes, t->count, NIL };
    bool fine = guard(run_trial, &trial, &error);
    free(bytes);
    *v = trial.v;
    if (!fine && !error.message[0]) fail_msg("%s: no message", shown(t));
    return fine;
}

/* What was read, written as `b`, is written the same when that is read. */
static void comes_back(Read *read, void (*write)(Buffer *b, Value v), const Text *t, Value v) {
    Buffer once = { 0 }, twice = { 0 };
    Text text;
    Value again;
    write(&once, v);
    if (once.bytes > MOST) return;
    take(&text, once.bytes ? once.text : "", once.bytes);
    if (!is_read(read, &text, &again)) fail_msg("%s is written unreadably", shown(t));
    write(&twice, again);
    if (once.bytes != twice.bytes || (once.bytes && memcmp(once.text, twice.text, once.bytes)))
        fail_msg("%s does not come back", shown(t));
}

/* Tries mutilated texts of the seeds, until TEXTS or the seconds are over. */
static void try_many(const Text *seed, size_t seeds, const char *const *odd,
                     void (*try_one)(const Text *t)) {
    time_t end = time(NULL) + (time_t)(seconds / 4);
    for (int i = 0; seconds > 0 ? time(NULL) < end : i < TEXTS; i++) {
        size_t mark = pool_mark();
        Text t = seed[draw(seeds)];
        for (uint32_t n = draw(8); n--;) mutilate(&t, odd);
        try_one(&t);
        pool_unwind(mark);
    }
}

/* ---- JSON ---- */

static Value read_json(const char *bytes, size_t count) { return json_read(bytes, count, NULL); }
static void write_json(Buffer *b, Value v) { json_write(b, v, 0); }

static void try_json(const Text *t) {
    Value v;
    json_error_t error;
    json_t *tree = json_loadb(t->bytes, t->count,
                              JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL, &error);
    bool fine = is_read(read_json, t, &v);
    if (fine != !!tree)
        fail_msg("%s: adl %d, jansson %d", shown(t), fine, !fine);
    json_decref(tree);
    if (fine) comes_back(read_json, write_json, t, v);
}

static void json_is_read_as_jansson_reads_it(void **state) {
    (void)state;
    static const char *const good[] = {
        "{\"w\": [[1, 0.1], [-2.5e-7, 3]], \"s\": \"a\\\"\\n\\u0001\xc3\xa9\", \"l\": [1, null], "
        "\"e\": {}}",
        "[[true, false], [false, true]]", "[[], [1], [[2]], \"\\ud834\\udd1e\", -0, 1E+5]",
        " [ 1 , 2 ] ", "12", "\"\\u0000\"", "[[[]], [[]]]", "{\"a\": 1, \"a\": {\"b\": [true, 1]}}",
    };
    static const char *const odd[] = { "[", "]", "{", "}", ",", ":", "\"", "\\", "\\u00", "\\ud800",
                                       "true", "null", "1e999", "-", "0", ".", "e", "\xc3", "\t",
                                       "[[", "]]", "\"a\":", "//", "NaN", "\xef\xbb\xbf", NULL };
    Text seed[COUNT(good)];
    for (size_t i = 0; i < COUNT(good); i++) take(&seed[i], good[i], strlen(good[i]));
    try_many(seed, COUNT(good), odd, try_json);
}

/* ---- CSV ---- */

static Value read_csv(const char *bytes, size_t count) {
    return csv_read(bytes, count, ',', -1, "t.csv");
}
static void write_csv(Buffer *b, Value v) { csv_write(b, v, ','); }

/* A list of columns is written as rows, so only what has a header comes back. */
static void try_csv(const Text *t) {
    Value v;
    if (text_valid(t->bytes, t->count) < t->count) return;    /* io_map_text refuses it */
    if (is_read(read_csv, t, &v) && v.tag == V_STRUCT) comes_back(read_csv, write_csv, t, v);
}

static void csv_is_read_or_refused(void **state) {
    (void)state;
    static const char *const good[] = {
        "name,age\nAnn,31\n\"Bob, \"\"Jr\"\"\",\n", "1,2\r\n3,4\r\n",
        "x,x,\"\"\ntrue,NA,\"a\nb\"\n",
        "\xef\xbb\xbf" "a\n1e5\n", "a,b,c\n\n,,\n1,2,3", "",
    };
    static const char *const odd[] = { ",", "\n", "\r", "\r\n", "\"", "\"\"", "\",\"", "nan", "NA",
                                       "1_0", "0x1", "true", "-", "1e999", "\xc3\xa9", " ", ";",
                                       "a,b\n", NULL };
    Text seed[COUNT(good)];
    for (size_t i = 0; i < COUNT(good); i++) take(&seed[i], good[i], strlen(good[i]));
    try_many(seed, COUNT(good), odd, try_csv);
}

/* ---- .npy and .npz ---- */

static Value read_npy(const char *bytes, size_t count) {
    return npy_read(bytes, count, "t.npy", NULL);
}

static void take_npy(Text *t, int dtype, int axes, const int64_t *shape) {
    Buffer b = { 0 };
    Array *a = array_zeros(dtype, axes, shape);
    npy_header(&b, a);
    buffer_add(&b, a->data, array_bytes(a));
    take(t, b.text, b.bytes);
}

static void try_npy(const Text *t) {
    Value v;
    is_read(read_npy, t, &v);
}

static const char *const npy_odd[] = { "'", "(", ")", ",", "{", "}", ":", "True", "<f8", ">i4",
                                       "|b1", "'shape'", "'descr'", "99999999999", "-1", "L",
                                       "\x01", "\xff\xff", "PK", NULL };

static void npy_is_read_or_refused(void **state) {
    (void)state;
    Text seed[3];
    take_npy(&seed[0], F64, 2, (int64_t[]){ 2, 3 });
    take_npy(&seed[1], BOOL, 1, (int64_t[]){ 5 });
    take_npy(&seed[2], F32, 0, NULL);
    try_many(seed, 3, npy_odd, try_npy);
}

static void count_entry(const Entry *entry, void *env) { (void)entry, ++*(int *)env; }

static Value read_npz(const char *bytes, size_t count) {
    int entries = 0;
    npz_read(&(Mapping){ bytes, count, NULL }, "t.npz", count_entry, &entries);
    return number(entries);
}

static void try_npz(const Text *t) {
    Value v;
    is_read(read_npz, t, &v);
}

static void npz_is_read_or_refused(void **state) {
    (void)state;
    Text array, seed[1];
    take_npy(&array, F64, 1, (int64_t[]){ 3 });
    Entry entries[] = { { "x.npy", array.bytes, array.count }, { "y.npy", array.bytes, 70 } };
    Buffer archive = npz_write(2, entries);
    take(&seed[0], archive.text, archive.bytes);
    try_many(seed, 1, npy_odd, try_npz);
}

/* ---- running ---- */

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_runtime, close_runtime)
int main(int count, char **arguments) {
    if (count > 1) {
        seconds = atof(arguments[1]);
        random_state = count > 2 ? strtoull(arguments[2], NULL, 10) : (uint64_t)time(NULL);
        printf("seed %llu\n", (unsigned long long)random_state);
    }
    const struct CMUnitTest tests[] = {
        TEST(json_is_read_as_jansson_reads_it),
        TEST(csv_is_read_or_refused),
        TEST(npy_is_read_or_refused),
        TEST(npz_is_read_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
