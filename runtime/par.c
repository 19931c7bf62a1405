/* The thread pool: par_for() posts one job at a time, and workers take its chunks until none is
 * left.
 *
 * The one idea: the job's number and the count of its chunks not yet taken stand in one atomic
 * word, the ticket. A chunk is taken by decrementing it with compare-and-swap, so a worker that
 * comes late finds either nothing to take or a chunk of the newest job, and never runs an old
 * job's chunk; and as a job is not over before its taken chunks are finished, what it points to
 * stays valid for them. Who finds nothing spins for some microseconds, because the next loop is
 * often near, and then sleeps. No numbers, arrays or errors are known here. */
#define _GNU_SOURCE
#include "par.h"
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

#if defined(__x86_64__) || defined(__i386__)
#define relax() __builtin_ia32_pause()
#else
#define relax() ((void)0)
#endif

enum { SPINS = 2000 };                         /* about 50 us */
static const int64_t LARGEST_JOB = 1 << 30;    /* chunks that a ticket can count */

static struct {
    /* The job. Written by the caller while no chunk is left, read by who has taken a chunk. */
    void (*body)(int64_t chunk, void *env);
    void *env;
    int64_t first;                     /* what the job's chunk 0 is called */
    uint32_t chunks;
    _Atomic uint64_t ticket;           /* number of the job << 32 | chunks not yet taken */
    _Atomic uint32_t unfinished;       /* chunks not yet finished */

    /* Sleeping and waking. What a sleeper waits for is changed first and the count of sleepers read
     * after; a sleeper counts itself first and looks after: so one of the two sees the other. */
    _Atomic uint32_t posted;           /* changes with each job, and to end the workers */
    _Atomic int sleepers;              /* workers waiting for a job */
    _Atomic bool caller_sleeps;        /* the caller waits for the last chunk */
    _Atomic bool closing;
    pthread_mutex_t lock;
    pthread_cond_t wake, finished;

    pthread_t worker[PAR_THREADS];
    int workers;                       /* running */
    int threads;                       /* wanted, with the caller */
    bool fork_is_handled;
} pool = {
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .wake = PTHREAD_COND_INITIALIZER,
    .finished = PTHREAD_COND_INITIALIZER,
    .threads = 1,
};

static _Thread_local bool inside;      /* this thread runs a chunk */

/* ---- chunks ---- */

static bool take(int64_t *chunk) {
    uint64_t ticket = atomic_load(&pool.ticket);
    do {
        if ((uint32_t)ticket == 0) return false;
    } while (!atomic_compare_exchange_weak(&pool.ticket, &ticket, ticket - 1));
    *chunk = pool.first + (pool.chunks - (uint32_t)ticket);
    return true;
}

static void finish(void) {
    if (atomic_fetch_sub(&pool.unfinished, 1) != 1 || !atomic_load(&pool.caller_sleeps)) return;
    pthread_mutex_lock(&pool.lock);
    pthread_cond_signal(&pool.finished);
    pthread_mutex_unlock(&pool.lock);
}

static void work(void) {
    int64_t chunk;
    inside = true;
    while (take(&chunk)) {
        pool.body(chunk, pool.env);
        finish();
    }
    inside = false;
}

/* ---- workers ---- */

static void wait_for_post(uint32_t seen) {
    for (int i = 0; i < SPINS; i++) {
        if (atomic_load(&pool.posted) != seen) return;
        relax();
    }
    pthread_mutex_lock(&pool.lock);
    atomic_fetch_add(&pool.sleepers, 1);
    while (atomic_load(&pool.posted) == seen) pthread_cond_wait(&pool.wake, &pool.lock);
    atomic_fetch_sub(&pool.sleepers, 1);
    pthread_mutex_unlock(&pool.lock);
}

static void *worker_main(void *unused) {
    while (!atomic_load(&pool.closing)) {
        uint32_t seen = atomic_load(&pool.posted);  /* first: a post from now on shows */
        work();
        if (!atomic_load(&pool.closing)) wait_for_post(seen);
    }
    return unused;
}

static void post(void) {
    atomic_fetch_add(&pool.posted, 1);
    if (atomic_load(&pool.sleepers) == 0) return;
    pthread_mutex_lock(&pool.lock);
    pthread_cond_broadcast(&pool.wake);
    pthread_mutex_unlock(&pool.lock);
}

/* ---- starting and ending ---- */

static void before_fork(void) { pthread_mutex_lock(&pool.lock); }
static void after_fork(void) { pthread_mutex_unlock(&pool.lock); }

/* Threads are not forked: the child has no workers and nobody sleeps in it. */
static void in_the_child(void) {
    pthread_mutex_init(&pool.lock, NULL);
    pthread_cond_init(&pool.wake, NULL);
    pthread_cond_init(&pool.finished, NULL);
    atomic_store(&pool.sleepers, 0);
    pool.workers = 0;
}

/* As many workers as are wanted, or as the system gives. Signals stay with the interpreter's
 * thread. */
static void start_workers(void) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (!pool.fork_is_handled)
        pool.fork_is_handled = !pthread_atfork(before_fork, after_fork, in_the_child);
    while (pool.workers < pool.threads - 1) {
        if (pthread_create(&pool.worker[pool.workers], NULL, worker_main, NULL)) break;
        pool.workers++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void par_close(void) {
    atomic_store(&pool.closing, true);
    post();
    while (pool.workers) pthread_join(pool.worker[--pool.workers], NULL);
    atomic_store(&pool.closing, false);
}

void par_threads_set(int count) {
    par_close();
    pool.threads = count < 1 ? 1 : count > PAR_THREADS ? PAR_THREADS : count;
}

int par_threads(void) { return pool.threads; }

int par_limit(int wanted) {
    int processors = (int)sysconf(_SC_NPROCESSORS_ONLN);
#ifdef CPU_COUNT
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) processors = CPU_COUNT(&allowed);
#endif
    if (processors < 1) processors = 1;
    if (wanted < 1 || wanted > processors) wanted = processors;
    return wanted < PAR_THREADS ? wanted : PAR_THREADS;
}

/* ---- the loop ---- */

static void wait_for_the_last(void) {
    for (int i = 0; i < SPINS; i++) {
        if (atomic_load(&pool.unfinished) == 0) return;
        relax();
    }
    pthread_mutex_lock(&pool.lock);
    atomic_store(&pool.caller_sleeps, true);
    while (atomic_load(&pool.unfinished)) pthread_cond_wait(&pool.finished, &pool.lock);
    atomic_store(&pool.caller_sleeps, false);
    pthread_mutex_unlock(&pool.lock);
}

static void run_job(int64_t first, uint32_t chunks) {
    pool.first = first;
    pool.chunks = chunks;
    atomic_store(&pool.unfinished, chunks);
    uint64_t number = (atomic_load(&pool.ticket) >> 32) + 1;
    atomic_store(&pool.ticket, number << 32 | chunks);
    post();
    work();
    wait_for_the_last();
}

void par_for(int64_t chunks, void (*body)(int64_t chunk, void *env), void *env) {
    if (pool.threads == 1 || chunks <= 1 || inside) {
        for (int64_t chunk = 0; chunk < chunks; chunk++) body(chunk, env);
        return;
    }
    if (pool.workers < pool.threads - 1) start_workers();
    pool.body = body;
    pool.env = env;
    for (int64_t first = 0; first < chunks; first += LARGEST_JOB) {
        int64_t left = chunks - first;
        run_job(first, (uint32_t)(left < LARGEST_JOB ? left : LARGEST_JOB));
    }
}
