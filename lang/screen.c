/* Width, colours, wrapped text. See screen.h. */
#include "screen.h"
#include "io.h"
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const char *colours = "auto";

void screen_colours(const char *when) { colours = when; }

bool screen_colour(void) {
    if (!strcmp(colours, "always")) return true;
    const char *term = getenv("TERM"), *none = getenv("NO_COLOR");
    if (strcmp(colours, "auto") || (none && *none) || !term || !strcmp(term, "dumb")) return false;
    return isatty(STDOUT_FILENO);
}

enum { LEAST_COLUMNS = 40, USUAL_COLUMNS = 80, MOST_COLUMNS = 1000 };

int screen_columns(void) {
    struct winsize size = { 0 };
    const char *asked = getenv("COLUMNS");
    int columns = asked ? atoi(asked) : 0;
    if (columns <= 0 && isatty(STDOUT_FILENO) && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size))
        columns = size.ws_col;
    if (columns <= 0) columns = USUAL_COLUMNS;
    return columns < LEAST_COLUMNS  ? LEAST_COLUMNS
           : columns > MOST_COLUMNS ? MOST_COLUMNS
                                    : columns;
}

enum { LEAST_ROOM = 16 };     /* for the words of a text */

static const char *const codes[STYLES] = {
    [STYLE_PLAIN] = "",          [STYLE_TITLE] = "\033[1m",     [STYLE_DIM] = "\033[2m",
    [STYLE_NAME] = "\033[1;36m", [STYLE_VALUE] = "\033[32m",    [STYLE_ADJOINT] = "\033[35m",
    [STYLE_TANGENT] = "\033[34m", [STYLE_WARNING] = "\033[31m",
};

void style_text(Buffer *b, Style style, const char *text, int64_t bytes) {
    bool coloured = style != STYLE_PLAIN && screen_colour();
    if (coloured) buffer_text(b, codes[style]);
    buffer_add(b, text, bytes < 0 ? strlen(text) : (size_t)bytes);
    if (coloured) buffer_text(b, "\033[0m");
}

void screen_show(const Buffer *b) { io_write(b->text, b->bytes); }

void wrap_text(Buffer *b, const char *text, int indent, int columns) {
    int column = 0;
    if (columns < indent + LEAST_ROOM) columns = indent + LEAST_ROOM;
    for (const char *word = text; *word;) {
        size_t bytes = strcspn(word, " \n");
        int width = (int)text_width(word, bytes);
        if (column && column + 1 + width > columns) buffer_char(b, '\n'), column = 0;
        if (column) buffer_char(b, ' '), column++;
        else buffer_spaces(b, indent), column = indent;
        buffer_add(b, word, bytes);
        column += width;
        for (word += bytes; *word == ' ';) word++;
        if (*word == '\n') buffer_char(b, '\n'), column = 0, word++;
    }
    buffer_char(b, '\n');
}
