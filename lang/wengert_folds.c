/* What repeats in a list of steps. The one idea: give each step a signature (operation and place in
 * the text), find where a stretch of signatures is followed by itself again and again, fold it, and
 * do the same with the folds, so that loops in loops become folds of folds.
 *
 * Looking for periods costs little: a period can only begin where the same signature comes again,
 * and what has matched is skipped. */
#include "wengert.h"
#include <string.h>

enum { TRIES = 4 };
/* Short periods first: an inner loop is folded before the outer one is looked for. */
static const uint32_t periods[] = { 4, 16, 64, 256, 4096 };

typedef struct Row { Fold *fold; uint64_t *sign; uint32_t count; } Row;

static Row row_new(uint32_t room) {
    return (Row){ pool_bytes((room + 1) * sizeof(Fold)), pool_bytes((room + 1) * sizeof(uint64_t)),
                  0 };
}

static uint64_t mix(uint64_t a, uint64_t b) {
    a ^= b + 0x9E3779B97F4A7C15u + (a << 6) + (a >> 2);
    return a * 0xBF58476D1CE4E5B9u;
}

static Row plain_row(const Wengert *w) {
    Row row = row_new(w->count);
    row.count = w->count;
    for (uint32_t i = 0; i < w->count; i++) {
        row.fold[i] = (Fold){ .first = i, .steps = 1, .turns = 1 };
        row.sign[i] = mix(mix(w->step[i].op, node_at(w->step[i].node)->span), wengert_span(w, i));
    }
    return row;
}

/* next[i]: where the signature of i comes again; 0: nowhere. */
static uint32_t *find_next(const Row *row) {
    size_t slots = 16;
    while (slots < 2 * (size_t)row->count) slots *= 2;
    uint32_t *at = memset(pool_bytes(slots * sizeof *at), 0, slots * sizeof *at);
    uint32_t *next = pool_bytes((row->count + 1) * sizeof *next);
    for (uint32_t i = row->count; i-- > 0;) {
        size_t slot = row->sign[i] & (slots - 1);
        while (at[slot] && row->sign[at[slot] - 1] != row->sign[i]) slot = (slot + 1) & (slots - 1);
        next[i] = at[slot] ? at[slot] - 1 : 0;
        at[slot] = i + 1;
    }
    return next;
}

/* How often the stretch i .. i + period comes, one behind the other. */
static uint32_t turns_from(const Row *row, uint32_t i, uint32_t period) {
    uint32_t k = i;
    while (k + period < row->count && row->sign[k] == row->sign[k + period]) k++;
    return (k - i) / period + 1;
}

static void add_fold(Row *out, const Row *row, uint32_t i, uint32_t period, uint32_t turns) {
    uint64_t sign = 0;
    Fold fold = {
        .first = row->fold[i].first, .turns = turns, .part = &row->fold[i], .parts = period
    };
    for (uint32_t k = i; k < i + period * turns; k++) fold.steps += row->fold[k].steps;
    for (uint32_t k = i; k < i + period; k++) sign = mix(sign, row->sign[k]);
    fold.last_part = &row->fold[i + period * (turns - 1)];
    out->fold[out->count] = fold;
    out->sign[out->count++] = mix(sign, 1);
}

static Row fold_once(const Row *row, const uint32_t *next, uint32_t most_period,
                     uint32_t least_turns) {
    Row out = row_new(row->count);
    for (uint32_t i = 0; i < row->count;) {
        uint32_t period = 0, turns = 0, j = next[i];
        for (int tries = 0; j && j - i <= most_period && tries < TRIES; tries++, j = next[j]) {
            turns = turns_from(row, i, j - i);
            if (turns >= least_turns) {
                period = j - i;
                break;
            }
        }
        if (!period) {
            out.fold[out.count] = row->fold[i];
            out.sign[out.count++] = row->sign[i++];
            continue;
        }
        add_fold(&out, row, i, period, turns);
        i += period * turns;
    }
    return out;
}

const Fold *wengert_folds(const Wengert *w, uint32_t least_turns, uint32_t *count) {
    Row row = plain_row(w);
    const uint32_t *next = NULL;
    for (size_t i = 0; i < sizeof periods / sizeof *periods && least_turns > 1;) {
        if (!next) next = find_next(&row);
        Row folded = fold_once(&row, next, periods[i], least_turns);
        if (folded.count == row.count) {
            i++;
        } else {
            row = folded;
            next = NULL;
        }
    }
    *count = row.count;
    return row.fold;
}
