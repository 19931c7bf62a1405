/* Runs a command several times and tells what it took, for the rows of the bench table that a
 * program cannot measure from inside: start-up time, resident size, page faults.
 *
 *     measure RUNS COMMAND [ARGS]  ->  "milliseconds kilobytes faults", each the median */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <fcntl.h>
#include <unistd.h>

enum { MAX_RUNS = 101 };

static double milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6;
}

/* Fills *used and gives the time the command took; a command that fails ends everything. */
static double run(char **command, struct rusage *used) {
    double start = milliseconds();
    pid_t pid = fork();
    if (pid == 0) {
        int nowhere = open("/dev/null", O_WRONLY);
        dup2(nowhere, STDOUT_FILENO);
        execvp(command[0], command);
        _exit(127);
    }
    int status;
    if (wait4(pid, &status, 0, used) != pid || status != 0) exit(1);
    return milliseconds() - start;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, int count) {
    qsort(values, (size_t)count, sizeof *values, ascending);
    return values[count / 2];
}

int main(int count, char **arguments) {
    int runs = count > 2 ? atoi(arguments[1]) : 0;
    if (runs < 1 || runs > MAX_RUNS) return 2;
    double time[MAX_RUNS], size[MAX_RUNS], faults[MAX_RUNS];
    for (int i = 0; i < runs; i++) {
        struct rusage used;
        time[i] = run(arguments + 2, &used);
        size[i] = (double)used.ru_maxrss, faults[i] = (double)used.ru_minflt;
    }
    printf("%.3f %.0f %.0f\n", median(time, runs), median(size, runs), median(faults, runs));
    return 0;
}
