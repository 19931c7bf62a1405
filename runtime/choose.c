/* Orders and choices: permutations, shuffles, items with and without weights. The one idea: what is
 * drawn are indices, as an array; taking what they name is indexing, which is recorded like any
 * other. */
#include "rand_parts.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- weights ---- */
double *rand_running_sums(Array *weights, const char *what) {
    double *sums = pool_bytes(array_bytes(weights)), sum = 0;
    for (int64_t i = 0; i < weights->size; i++) {
        double w = array_get(weights, i);
        if (!(w >= 0 && w < INFINITY))
            fail(E_VALUE, "%s has %g at place %lld: a weight is 0 or above", what, w, (long long)i);
        sums[i] = sum += w;
    }
    if (!(sum > 0 && sum < INFINITY))
        fail(E_VALUE, "%s must have a sum above 0, not %g", what, sum);
    return sums;
}

/* The first place whose running sum is above x. */
static int64_t find_place(const double *sums, int64_t count, double x) {
    int64_t low = 0, high = count - 1;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (sums[middle] > x) high = middle;
        else low = middle + 1;
    }
    return low;
}

Array *rand_weights(Value v, const char *what) {
    Array *weights = array_contiguous(f64_array(v, what));
    if (weights->axes != 1 || weights->size == 0) {
        char text[80];
        describe(v, text, sizeof text);
        fail(E_SHAPE, "%s must be probabilities along one axis, not %s", what, text);
    }
    return weights;
}

/* ---- orders and choices: all as arrays of indices ---- */
static Array *vector_new(int64_t count) { return array_new(F64, 1, &count); }

/* The first `taken` of 0..count in a random order (Fisher and Yates; Durstenfeld 1964). */
static Array *order_new(int64_t count, int64_t taken) {
    Array *order = vector_new(count);
    double *at = f64_of(order);
    uint64_t place = rand_take((uint64_t)taken);
    for (int64_t i = 0; i < count; i++) at[i] = (double)i;
    for (int64_t i = 0; i < taken; i++) {
        int64_t other = i + (int64_t)below(rand_bits(place + (uint64_t)i), (uint64_t)(count - i));
        double swapped = at[i];
        at[i] = at[other];
        at[other] = swapped;
        if (i % RUN == 0) poll();
    }
    return taken == count ? order : array_view(order, 1, &taken, (int64_t[]){ 1 }, 0);
}

static Array *choose_any(int64_t count, int64_t taken) {
    Array *chosen = vector_new(taken);
    uint64_t place = rand_take((uint64_t)taken);
    for (int64_t i = 0; i < taken; i++) {
        f64_of(chosen)[i] = (double)below(rand_bits(place + (uint64_t)i), (uint64_t)count);
        if (i % RUN == 0) poll();
    }
    return chosen;
}

static Array *choose_weighted(Array *weights, int64_t taken) {
    double *sums = rand_running_sums(weights, "p of choice"), total = sums[weights->size - 1];
    Array *chosen = vector_new(taken);
    uint64_t place = rand_take((uint64_t)taken);
    for (int64_t i = 0; i < taken; i++) {
        double x = rand_unit(place + (uint64_t)i) * total;
        f64_of(chosen)[i] = (double)find_place(sums, weights->size, x);
        if (i % RUN == 0) poll();
    }
    return chosen;
}

typedef struct Arrival { double time; int64_t index; } Arrival;

static int by_time(const void *a, const void *b) {
    double x = ((const Arrival *)a)->time, y = ((const Arrival *)b)->time;
    return (x > y) - (x < y);
}

/* Efraimidis and Spirakis 2006: exponential arrival times, the weights as rates; the first come. */
static Array *choose_distinct_weighted(Array *weights, int64_t taken) {
    int64_t count = weights->size, possible = 0;
    Arrival *arrivals = pool_bytes((size_t)count * sizeof *arrivals);
    uint64_t place = rand_take((uint64_t)count);
    rand_running_sums(weights, "p of choice");
    for (int64_t i = 0; i < count; i++) {
        double w = f64_of(weights)[i];
        double waited = -log(unit_above_zero(rand_bits(place + (uint64_t)i)));
        arrivals[i].time = w > 0 ? waited / w : INFINITY;
        arrivals[i].index = i;
        possible += w > 0;
    }
    if (taken > possible)
        fail(E_VALUE, "choice cannot take %lld different ones: %lld have a weight above 0",
             (long long)taken, (long long)possible);
    qsort(arrivals, (size_t)count, sizeof *arrivals, by_time);
    Array *chosen = vector_new(taken);
    for (int64_t i = 0; i < taken; i++) f64_of(chosen)[i] = (double)arrivals[i].index;
    return chosen;
}

static Array *choose(int64_t count, int64_t taken, bool again, Value p) {
    if (count == 0 && taken > 0) fail(E_VALUE, "choice has nothing to choose from");
    if (!again && taken > count) {
        hint("replace = true lets one be taken several times");
        fail(E_VALUE, "choice cannot take %lld different ones of %lld", (long long)taken,
             (long long)count);
    }
    if (!is_given(p)) return again ? choose_any(count, taken) : order_new(count, taken);
    Array *weights = rand_weights(p, "p of choice");
    if (weights->size != count)
        fail(E_SHAPE, "p of choice needs a weight for each of the %lld items, but has %lld",
             (long long)count, (long long)weights->size);
    return again ? choose_weighted(weights, taken) : choose_distinct_weighted(weights, taken);
}

/* How many there are to choose from: n stands for 0..n-1, an array for its rows. */
static int64_t population(Value x, const char *what) {
    if (x.tag == V_LIST) return (int64_t)x.as.list->count;
    if (axes_of(x) > 0) return shape_of(x.as.array)[0];
    int64_t n = arg_int(x, what);
    if (n >= 0) return n;
    fail(E_VALUE, "%s must be an array, a list, or a number from 0 on, not %lld", what,
         (long long)n);
}

/* Those of x that the indices (in any shape) name: a part of x, recorded as such. */
static Value taken_from(Value x, Array *indices) {
    if (x.tag == V_LIST) {
        Value list = list_new((size_t)indices->size);
        for (int64_t i = 0; i < indices->size; i++)
            list_set(list, (size_t)i, x.as.list->item[(size_t)array_get(indices, i)]);
        return list;
    }
    if (axes_of(x) == 0) return array_value(indices);
    IndexItem item = { .kind = I_GATHER, .gather = object(indices) };
    if (indices->axes == 0)
        item = (IndexItem){ .kind = I_AT, .start = (int64_t)array_get(indices, 0) };
    return op_index(x, 1, &item);
}

/* ---- the calls ---- */
Value call_permutation(int count, const Value *bound) {
    (void)count;
    int64_t all = population(bound[0], "x of permutation");
    return taken_from(bound[0], order_new(all, all));
}

Value call_shuffle(int count, const Value *bound) {
    (void)count;
    if (bound[0].tag != V_LIST && axes_of(bound[0]) == 0) {
        char text[80];
        hint("permutation(n) gives the numbers below n in a random order");
        describe(bound[0], text, sizeof text);
        fail(E_TYPE, "x of shuffle must be an array or a list, not %s", text);
    }
    return call_permutation(count, bound);
}

static Array *reshaped(Array *flat, const Shape *shape) {
    Array *made = array_new(F64, shape->axes, shape->dim);
    memcpy(made->data, flat->data, array_bytes(made));
    return made;
}

Value call_choice(int count, const Value *bound) {
    (void)count;
    Value x = bound[0];
    Shape shape = given_shape(bound[1], "shape of choice");
    bool again = !is_given(bound[2]) || arg_bool(bound[2], "replace of choice");
    int64_t taken = shape_size(F64, shape.axes, shape.dim);
    Array *chosen = choose(population(x, "x of choice"), taken, again, bound[3]);
    if (x.tag == V_LIST && shape.axes == 0) return x.as.list->item[(size_t)array_get(chosen, 0)];
    return taken_from(x, reshaped(chosen, &shape));
}
