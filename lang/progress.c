/* See progress.h. */
#include "progress.h"
#include "io.h"
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static const double PERIOD = 0.1,
                    FIRST = 0.2; /* seconds between two drawings, and before the first */
enum { WIDEST_BAR = 30, LINE = 400 };
static Progress *innermost;

/* The coarse clock costs next to nothing and is right to a few milliseconds. */
static double now(void) {
#ifdef CLOCK_MONOTONIC_COARSE
    const clockid_t clock = CLOCK_MONOTONIC_COARSE;
#else
    const clockid_t clock = CLOCK_MONOTONIC;
#endif
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int columns(void) {
    struct winsize size = { 0 };
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) || !size.ws_col ? 80 : size.ws_col;
}

/* "45 s", "3:20", "2:05:00" */
static void duration(char *text, size_t bytes, double seconds) {
    long s = (long)(seconds + 0.5);
    if (s < 60) snprintf(text, bytes, "%ld s", s);
    else if (s < 3600) snprintf(text, bytes, "%ld:%02ld", s / 60, s % 60);
    else snprintf(text, bytes, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
}

static int counts(char *text, const Progress *p) {
    int length = p->outer ? counts(text, p->outer) : 0;
    length += snprintf(text + length, (size_t)(LINE / 2 - length), "%s%lld", length ? " > " : "",
                       (long long)p->done);
    if (p->count >= 0 && length < LINE / 2)
        length +=
            snprintf(text + length, (size_t)(LINE / 2 - length), "/%lld", (long long)p->count);
    return length < LINE / 2 ? length : LINE / 2 - 1;
}

/* [=====>    ] in `room` columns. */
static int bar(char *text, double part, int room) {
    int inside = room - 2 > WIDEST_BAR ? WIDEST_BAR : room - 2, full = (int)(part * inside);
    if (inside < 4) return 0;
    text[0] = '[';
    memset(text + 1, ' ', (size_t)inside);
    memset(text + 1, '=', (size_t)full);
    if (full < inside) text[1 + full] = '>';
    memcpy(text + 1 + inside, "] ", 3);
    return inside + 3;
}

static void draw(Progress *p, double time) {
    char text[LINE], count[LINE / 2], spent[40], left[60] = "";
    double part = p->count > 0 ? (double)p->done / (double)p->count : 0;
    int length = 0, screen = columns() - 3;    /* room for ^C */
    counts(count, p);
    duration(spent, sizeof spent, time - p->start);
    if (part > 0) {
        char rest[40];
        duration(rest, sizeof rest, (time - p->start) * (1 - part) / part);
        snprintf(left, sizeof left, ", %s left", rest);
    }
    if (p->count > 0) length = snprintf(text, sizeof text, "%3.0f%% ", 100 * part);
    int others = length + (int)(strlen(count) + strlen(spent) + strlen(left)) + 2;
    if (p->count > 0) length += bar(text + length, part, screen - others - 1);
    length += snprintf(text + length, sizeof text - (size_t)length, "%s  %s%s", count, spent, left);
    if (length > screen) text[screen < 0 ? 0 : screen] = 0;
    io_status(text);
    p->drawn = time;
}

void progress_begin(Progress *p, int64_t count) {
    double time = now();
    *p = (Progress){ innermost, 0, count, time, time + FIRST - PERIOD };
    innermost = p;
}

void progress_turn(Progress *p) {
    double time = now();
    if (time - p->drawn >= PERIOD) draw(p, time);
    p->done++;
}

void progress_end(Progress *p) {
    innermost = p->outer;
    io_status(NULL);
}
