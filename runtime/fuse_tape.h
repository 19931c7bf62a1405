/* Fused expressions on the tape: between fuse.c, which runs them, and the sweep. */
#ifndef FUSE_TAPE_H
#define FUSE_TAPE_H
#include "fuse.h"
#include "tiles.h"

/* The program of a deferred value, and its sources as values with their nodes. */
void fuse_program(Program *p, Value *source, const Deferred *d);

/* Appends the steps of a program whose sources are these values; result is UNSET if it was not
 * stored. Returns the id of the last one. */
uint32_t fuse_record(const Program *p, const Value *source, Value result);

/* The pullback of a root (fuse_is_root): all contributions to the sources of its expression, in
 * one pass over tiles. False: the zero rule has to look, and so the expression was expanded: the
 * node is an ordinary one now. Plain sweeps only. */
struct Sweep;
bool fuse_pull(struct Sweep *s, uint32_t id, Value g);
#endif
