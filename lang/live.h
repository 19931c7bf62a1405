/* The live curve, for who runs statement after statement. */
#ifndef LIVE_H
#define LIVE_H

/* A statement is over: the points that came since the last drawing are drawn, and the next picture
 * begins below what follows. */
void live_rest(void);
#endif
