/* Feeds mutilated programs to adl and reports every one that ends in a signal or misuses memory.
 * The one idea: take lines from the tests, which are near everything the language can do, and cut,
 * double and splice them; the program under test is a sanitized build, which ends with a status of its own
 * when memory is misused.
 *
 *     fuzz ADL SECONDS [SEED]     (from the top folder; findings land in build/fuzz-N.adl) */
#define _GNU_SOURCE
#include <ftw.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

enum { MAX_LINES = 40000, MAX_TEXT = 1 << 14, SECONDS_PER_PROGRAM = 10 };

static char *line[MAX_LINES];
static int lines;
static uint64_t random_state;

static uint32_t draw(uint32_t below) {
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((random_state >> 33) % below);
}

static int collect(const char *path, const struct stat *about, int kind, struct FTW *place) {
    (void)about, (void)place;
    size_t n = strlen(path);
    if (kind != FTW_F || n < 4 || strcmp(path + n - 4, ".adl")) return 0;
    FILE *file = fopen(path, "r");
    char text[4096];
    while (file && lines < MAX_LINES && fgets(text, sizeof text, file))
        line[lines++] = strdup(text);
    if (file) fclose(file);
    return 0;
}

static const char *const odd[] = {
    "(", ")", "[", "]", "{", "}", "<", ">", ">>", "record <", ";", ",", "\"", "f\"{", "\"\"\"", "#",
    "'", "->", "1e309", "-1", "nan", "inf", "0x", "new", "...", ":", "**", "//", "@", "\\", "\xff",
    "α", "x", "()", "[]", "nil", ".grad", "[::-1]", "[0]", "attach_grad(", "backward(", "grad(",
    "while true {", "for x in ", "try {", "import ", "fn f(", "return ", "pause <",
};

/* Puts `part` in the text at `at` in place of `cut` bytes. */
static void replace(char *text, size_t *bytes, size_t at, size_t cut,
                    const char *part, size_t part_bytes) {
    if (*bytes - cut + part_bytes >= MAX_TEXT) return;
    memmove(text + at + part_bytes, text + at + cut, *bytes - at - cut);
    memcpy(text + at, part, part_bytes);
    *bytes += part_bytes - cut;
}

static void mutilate(char *text, size_t *bytes) {
    size_t at = draw((uint32_t)*bytes + 1), rest = *bytes - at, length = draw(12);
    if (length > rest) length = rest;
    char copy[16], byte = (char)draw(256);
    memcpy(copy, text + at, length);
    const char *part = odd[draw(sizeof odd / sizeof *odd)];
    switch (draw(5)) {
    case 0: replace(text, bytes, at, length, "", 0); break;
    case 1: replace(text, bytes, at, 0, copy, length); break;
    case 2: replace(text, bytes, draw((uint32_t)*bytes + 1), 0, copy, length); break;
    case 3: replace(text, bytes, at, 0, part, strlen(part)); break;
    default: replace(text, bytes, at, rest > 0, &byte, 1); break;
    }
}

static size_t make_program(char *text) {
    size_t bytes = 0;
    uint32_t all = (uint32_t)lines, at = draw(all);
    for (uint32_t n = 1 + draw(12); n--; at = (draw(3) ? at + 1 : draw(all)) % all)
        replace(text, &bytes, bytes, 0, line[at], strlen(line[at]));
    for (uint32_t n = draw(8); n--;) mutilate(text, &bytes);
    return bytes;
}

/* Runs adl on the program; the wait status, or -1 if it took too long. */
static int run(const char *adl, const char *path) {
    pid_t pid = fork();
    if (pid == 0) {
        int nowhere = open("/dev/null", O_RDWR);
        dup2(nowhere, 0), dup2(nowhere, 1), dup2(nowhere, 2);
        setenv("ASAN_OPTIONS", "exitcode=99:detect_leaks=0", 1);
        setenv("UBSAN_OPTIONS", "halt_on_error=1:exitcode=99", 1);
        alarm(SECONDS_PER_PROGRAM);
        execl(adl, adl, "--sandbox", "--memory", "500M", path, (char *)NULL);
        _exit(127);
    }
    int status;
    waitpid(pid, &status, 0);
    return status;
}

/* An endless loop is a program too, and exit(n) may give any status but the sanitizers'. */
static int is_finding(int status) {
    if (WIFSIGNALED(status)) return WTERMSIG(status) != SIGALRM;
    return WEXITSTATUS(status) == 99 || WEXITSTATUS(status) == 127;
}

int main(int count, char **arguments) {
    if (count < 3) return 2;
    random_state = count > 3 ? (uint64_t)atoll(arguments[3]) : (uint64_t)time(NULL);
    printf("seed %llu\n", (unsigned long long)random_state);
    nftw("tests", collect, 16, 0), nftw("examples", collect, 16, 0);
    time_t end = time(NULL) + atoi(arguments[2]);
    int ran = 0, found = 0;
    static char text[MAX_TEXT];
    while (time(NULL) < end && lines) {
        char path[64];
        snprintf(path, sizeof path, "build/fuzz-%d.adl", found + 1);
        size_t bytes = make_program(text);
        FILE *file = fopen(path, "w");
        if (!file || fwrite(text, 1, bytes, file) != bytes || fclose(file) != 0) return 2;
        int status = run(arguments[1], path);
        ran++;
        if (is_finding(status)) found++, printf("%s: wait status %#x\n", path, (unsigned)status);
        else remove(path);
    }
    printf("%d programs, %d findings\n", ran, found);
    return found ? 3 : 0;
}
