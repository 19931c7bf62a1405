/* `:set`. The one idea: a table of the numbers that may be set, each with place and bounds. */
#define _GNU_SOURCE
#include "repl_parts.h"
#include "diag.h"
#include "format.h"
#include "io.h"
#include "par.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int threads;
/*  name         place                       least  most   what it is */
static const struct {
    const char *name;
    int *place;
    int least, most;
    const char *about;
} settings[] = {
    { "width", &session.width, 0, 10000, "columns of what is shown; 0: those of the window" },
    { "digits", &format_options.digits, 1, 17, "significant digits of the elements of arrays" },
    { "threshold", &format_options.threshold, 0, 1 << 30,
      "arrays and lists with more elements are shortened" },
    { "edge", &format_options.edge, 1, 1000, "items shown at each end of a shortened one" },
    { "threads", &threads, 1, 1024, "threads that calculate" },
    { "colour", &session.colour_wanted, 0, 1, "1: colours, 0: none" },
};
enum { SETTINGS = sizeof settings / sizeof *settings };

const char *setting_name(size_t i, const char **about) {
    if (i >= SETTINGS) return NULL;
    *about = settings[i].about;
    return settings[i].name;
}

static void list_settings(void) {
    Buffer page = { 0 };
    for (int i = 0; i < SETTINGS; i++)
        buffer_format(&page, "  %s%-10s%s %-8d %s\n", STRONG, settings[i].name, PLAIN_TEXT,
                      *settings[i].place, settings[i].about);
    io_write(page.text, page.bytes);
}

static int setting_number(const char *name, size_t bytes) {
    for (int i = 0; i < SETTINGS; i++)
        if (strlen(settings[i].name) == bytes && !strncmp(settings[i].name, name, bytes)) return i;
    return -1;
}

static bool bad_setting(const char *name) {
    Nearest nearest = { .text = name };
    for (int i = 0; i < SETTINGS; i++) nearest_try(&nearest, settings[i].name);
    if (nearest.best) hint("did you mean :set %s", nearest.best);
    else hint(":set alone lists them");
    complain("there is no setting `%.40s`", name);
    return false;
}

bool command_set(const char *rest) {
    char name[42] = "", word[42] = "", *end;
    threads = rt.threads;
    sscanf(rest, "%40s %40s", name, word);
    if (!strcmp(name, "color")) strcpy(name, "colour");
    int i = setting_number(name, strlen(name));
    if (*name && i < 0) return bad_setting(name);
    if (!*name) list_settings();
    else if (!*word) say("%d\n", *settings[i].place);
    if (!*word) return true;
    long n = !strcasecmp(word, "on")                                 ? 1
             : !strcasecmp(word, "off") || !strcasecmp(word, "auto") ? 0
                                                                     : strtol(word, &end, 10);
    bool number_ = strspn(word, "0123456789") == strlen(word) || strchr("oaOA", *word);
    if (!number_ || n < settings[i].least || n > settings[i].most) {
        complain("%s takes a whole number from %d to %d, not `%s`", name, settings[i].least,
                 settings[i].most, word);
        return false;
    }
    *settings[i].place = (int)n;
    session.colour = session.colour_wanted;
    rt.threads = threads;
    par_threads_set(threads);
    return true;
}

