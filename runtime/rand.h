/* Draws. The one idea: a random number is a function of (key, place), not of what was drawn before:
 * the n-th element of an array is the same however the work is divided, and a state is two numbers
 * (rt.random_key, rt.random_counter) that whoever replays a computation can save and put back.
 *
 * The function is Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as
 * 1, 2, 3; SC 2011). A draw of n elements takes the next n places. */
#ifndef RAND_H
#define RAND_H
#include "ops.h"

/* All draws from here on follow from n. */
void rand_seed(uint64_t n);
/* Takes the next n places and returns the first. Unseeded, it first takes a key from the system. */
uint64_t rand_take(uint64_t n);
/* 64 random bits, and a number of [0, 1), of a place. */
uint64_t rand_bits(uint64_t place);
double rand_unit(uint64_t place);
/* 128 bits: the block cipher itself. */
void philox(const uint32_t counter[4], uint64_t key, uint32_t out[4]);

/* ---- calls of the table's rows ---- */
typedef Value Draw(int count, const Value *bound);
Draw call_seed, call_rand, call_randn, call_randint, call_permutation, call_shuffle, call_choice;
Draw call_bernoulli, call_multinomial, call_gamma, call_poisson;
Draw call_random_normal, call_random_uniform;
#endif
