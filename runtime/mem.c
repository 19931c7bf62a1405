/* Where blocks come from, and what happens when there are no more: the slow path behind mem.h.
 *
 * The one idea: two kinds of free lists over the system's pages. Small blocks are carved from
 * chunks and stay with their class; large ones are mappings of their own, kept up to a share of the
 * machine's memory and unmapped beyond it. It must not know what the blocks are for. */
#define _GNU_SOURCE
#include "mem.h"
#include "error.h"
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    LARGE_SHIFT = 16,                             /* log2 of MEM_SMALL */
    LARGE_LIMIT_SHIFT = 47,                       /* what an address space can hold */
    LARGE_CLASSES = (LARGE_LIMIT_SHIFT - LARGE_SHIFT) * 4,
    CARVE = 8 << 10,                              /* bytes carved at once for a class */
    FIRST_CHUNK = 256 << 10, LAST_CHUNK = 4 << 20,
    HUGE_PAGE = 2 << 20,
    ASKED_FROM = 256 << 20,                       /* bytes from which the system is asked first */
};

MemQuick mem_quick;
static MemBlock *kept_large[LARGE_CLASSES];
static size_t kept_bytes;                         /* in kept_large */
static size_t mapped;                             /* all that we have from the system */
static size_t limit, machine;
static bool limit_is_users;
static size_t chunk_bytes = FIRST_CHUNK, chunk_left;
static size_t chunked, large;                     /* in chunks, more than their blocks are; in
                                                     large blocks that are in use */
static char *chunk;
static long fail_in;                              /* allocations until one fails; 0: none */

/* ---- sizes ---- */
static int log2_below(size_t bytes) { return 63 - __builtin_clzll(bytes - 1); }

/* The class of a small block, and its bytes. Above the quick classes: 8 to each power of two. */
static size_t small_class(size_t bytes, size_t *rounded) {
    if (bytes <= MEM_QUICK) {
        size_t step = bytes <= 64 ? 16 : 64;
        *rounded = bytes ? (bytes + step - 1) & ~(step - 1) : step;
        return mem_quick_class(bytes);
    }
    int shift = log2_below(bytes) - 3;
    size_t eighths = (bytes - 1) >> shift;
    *rounded = (eighths + 1) << shift;
    return MEM_QUICK_CLASSES + (size_t)(shift - 7) * 8 + eighths - 8;
}

/* As small_class, 4 to each power of two: a kept block serves more sizes, and pages are cheap to
 * waste because what is not touched is not there. */
static size_t large_class(size_t bytes, size_t *rounded) {
    int shift = log2_below(bytes) - 2;
    size_t quarters = (bytes - 1) >> shift;
    *rounded = (quarters + 1) << shift;
    return (size_t)(shift + 2 - LARGE_SHIFT) * 4 + quarters - 4;
}

static bool same_class(size_t a, size_t b) {
    size_t rounded;
    if (!MEM_KEEPS || (a <= MEM_SMALL) != (b <= MEM_SMALL)) return false;
    if (a <= MEM_SMALL) return small_class(a, &rounded) == small_class(b, &rounded);
    return large_class(a, &rounded) == large_class(b, &rounded);
}

const char *mem_text(size_t bytes, char *buffer, size_t buffer_bytes) {
    static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
    if (bytes < 1024) {
        snprintf(buffer, buffer_bytes, "%zu byte%s", bytes, bytes == 1 ? "" : "s");
        return buffer;
    }
    double amount = (double)bytes / 1024;
    int unit = 0;
    while (amount >= 1000 && unit < 5) {
        amount /= 1024;
        unit++;
    }
    snprintf(buffer, buffer_bytes, "%.3g %s", amount, units[unit]);
    return buffer;
}

/* ---- limits and failing ---- */
static void set_quick(void) { mem_quick.quick = fail_in ? 0 : limit; }

static void see_peak(void) {
    if (mem_quick.used > mem_quick.peak) mem_quick.peak = mem_quick.used;
}

/* The beginning of a file of the system; "" where there is none. */
static void read_start(const char *path, char *text, size_t bytes) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = file < 0 ? 0 : read(file, text, bytes - 1);
    if (file >= 0) close(file);
    text[length > 0 ? length : 0] = 0;
}

/* The number after `word` there; `otherwise` where there is none. */
static size_t number_in(const char *path, const char *word, size_t otherwise) {
    char text[2048];
    read_start(path, text, sizeof text);
    const char *at = strstr(text, word);
    if (!at) return otherwise;
    at += strlen(word);
    at += strspn(at, " ");
    return *at >= '0' && *at <= '9' ? (size_t)strtoull(at, NULL, 10) : otherwise;
}

/* Heeds the limits of a control group and of those around it, up to the one seen as the root, which
 * in a container is the container's own. */
static void heed_group(const char *root, const char *group, const char *file) {
    char path[1024];
    int start = snprintf(path, sizeof path, "%s", root), bytes = (int)strcspn(group, "\n");
    while (bytes >= 0) {
        snprintf(path + start, sizeof path - (size_t)start, "%.*s/%s", bytes, group, file);
        size_t most = number_in(path, "", 0);
        most -= most / 16;             /* for the program itself and what libraries allocate */
        if (most && most < machine) machine = most;
        while (bytes > 0 && group[bytes - 1] != '/') bytes--;
        bytes--;
    }
}

/* What the machine has, or what a container or a service may have of it. */
static void find_limit(void) {
    char groups[2048];
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    machine = pages > 0 && page > 0 ? (size_t)pages * (size_t)page : (size_t)1 << LARGE_LIMIT_SHIFT;
    read_start("/proc/self/cgroup", groups, sizeof groups);
    const char *first = strstr(groups, ":memory:"), *second = strstr(groups, "0::");
    heed_group("/sys/fs/cgroup/memory", first ? first + strlen(":memory:") : "",
               "memory.limit_in_bytes");
    heed_group("/sys/fs/cgroup", second ? second + strlen("0::") : "", "memory.max");
    if (!limit_is_users) limit = machine;
}

/* Whether so much can be had now: the system promises more than it has, and ends who takes it up.
 * Asking takes some microseconds, the pages of what is asked about a thousand times as many. */
static bool is_free(size_t bytes) {
    if (bytes < ASKED_FROM) return true;
    size_t free_kib = number_in("/proc/meminfo", "MemAvailable:", SIZE_MAX >> 10);
    size_t swap_kib = number_in("/proc/meminfo", "SwapFree:", 0);
    return bytes >> 10 <= free_kib + swap_kib;
}

/* Nothing here allocates: the error is built in rt.pending. */
static _Noreturn void out_of_memory(size_t bytes) {
    char asked[32], used[32], most[32];
    mem_text(bytes, asked, sizeof asked);
    mem_text(mem_quick.used, used, sizeof used);
    mem_text(limit, most, sizeof most);
    hint("a variable set to nil frees what it held; %s",
         limit_is_users ? "--memory gives a larger limit" : "smaller batches need less at once");
    fail(E_MEMORY, "memory ran out: %s more %s needed, %s in use, and %s is %s", asked,
         bytes == 1 ? "is" : "are", used, limit_is_users ? "the limit" : "all this machine has",
         most);
}

/* The limit would allow it, but others have the memory, or the shell gives less (ulimit -v). */
static _Noreturn void refused(size_t bytes) {
    char asked[32], used[32];
    mem_text(bytes, asked, sizeof asked);
    mem_text(mem_quick.used, used, sizeof used);
    hint("a variable set to nil frees what it held; smaller batches need less at once");
    fail(E_MEMORY,
         "memory ran out: %s more %s needed, %s in use, and the system has no more to give", asked,
         bytes == 1 ? "is" : "are", used);
}

static void admit(size_t bytes) {
    if (!machine) find_limit();
    if (fail_in && --fail_in == 0) {
        set_quick();
        out_of_memory(bytes);
    }
    if (bytes > limit || mem_quick.used > limit - bytes) out_of_memory(bytes);
}

static void count(size_t bytes) {
    mem_quick.used += bytes;
    mem_quick.allocations++;
    set_quick();
}

/* ---- pages ---- */
static void unmap(void *block, size_t bytes) {
    munmap(block, bytes);
    mapped -= bytes;
}

/* Fresh pages, NULL if there are none. From 2 MiB they start at a huge page's boundary. */
static void *map(size_t bytes) {
    size_t slack = bytes >= HUGE_PAGE ? HUGE_PAGE : 0;
    int access = PROT_READ | PROT_WRITE, flags = MAP_PRIVATE | MAP_ANONYMOUS;
    char *start = is_free(bytes) ? mmap(NULL, bytes + slack, access, flags, -1, 0) : MAP_FAILED;
    if (start == MAP_FAILED) return NULL;
    mapped += bytes;
    if (!slack) return start;
    size_t before = -(uintptr_t)start & (HUGE_PAGE - 1);
    if (before) munmap(start, before);
    if (before < slack) munmap(start + before + bytes, slack - before);
    madvise(start + before, bytes, MADV_HUGEPAGE);
    return start + before;
}

void mem_trim(void) {
    for (size_t class = 0; class < LARGE_CLASSES && kept_bytes; class++) {
        size_t bytes = (4 + class % 4 + 1) << (LARGE_SHIFT - 2 + class / 4);
        while (kept_large[class]) {
            MemBlock *block = kept_large[class];
            kept_large[class] = block->next;
            kept_bytes -= bytes;
            unmap(block, bytes);
        }
    }
}

/* Under a limit, kept blocks go before the limit does. */
static void *map_or_trim(size_t bytes) {
    if (kept_bytes && mem_quick.used + kept_bytes + bytes > limit) mem_trim();
    void *block = map(bytes);
    if (block || !kept_bytes) return block;
    mem_trim();
    return map(bytes);
}

/* ---- blocks ---- */
/* `bytes` from the current chunk, whose rest is left behind if it is too short. */
static char *carve(size_t bytes) {
    if (chunk_left < bytes) {
        if (chunked + large + chunk_bytes > machine) return NULL;
        char *fresh = map_or_trim(chunk_bytes);
        if (!fresh) return NULL;
        chunked += chunk_bytes;
        chunk = fresh;
        chunk_left = chunk_bytes;
        if (chunk_bytes < LAST_CHUNK) chunk_bytes *= 2;
    }
    char *start = chunk;
    chunk += bytes;
    chunk_left -= bytes;
    return start;
}

static void *small_block(size_t bytes) {
    size_t rounded, class = small_class(bytes, &rounded);
    MemBlock *block = mem_quick.first[class];
    if (block) {
        mem_quick.first[class] = block->next;
        return block;
    }
    size_t blocks = rounded < CARVE ? CARVE / rounded : 1;
    char *start = carve((rounded * blocks + 63) & ~(size_t)63);
    if (!start) return NULL;
    for (size_t i = blocks; i-- > 1;) {
        MemBlock *spare = (MemBlock *)(start + i * rounded);
        spare->next = mem_quick.first[class];
        mem_quick.first[class] = spare;
    }
    return start;
}

static void *large_block(size_t bytes, bool *cleared) {
    size_t rounded, class = large_class(bytes, &rounded);
    MemBlock *block = kept_large[class];
    *cleared = !block;
    if (!block) return map_or_trim(rounded);
    kept_large[class] = block->next;
    kept_bytes -= rounded;
    return block;
}

static void *system_block(size_t bytes) {
    size_t unit = bytes < 64 ? 16 : 64;
    return aligned_alloc(unit, bytes ? (bytes + unit - 1) & ~(unit - 1) : unit);
}

static void *any_block(size_t bytes, bool *cleared) {
    *cleared = false;
    admit(bytes);
    void *block = !MEM_KEEPS ? system_block(bytes)
                : bytes <= MEM_SMALL ? small_block(bytes)
                : large_block(bytes, cleared);
    if (!block) refused(bytes);
    if (bytes > MEM_SMALL) large += bytes;
    count(bytes);
    return block;
}

/* ---- the interface ---- */
void *mem_alloc_slow(size_t bytes) {
    bool cleared;
    return any_block(bytes, &cleared);
}

void *mem_alloc_zeroed(size_t bytes) {
    if (bytes <= MEM_QUICK) return memset(mem_alloc(bytes), 0, bytes);
    bool cleared;
    void *block = any_block(bytes, &cleared);
    return cleared ? block : memset(block, 0, bytes);
}

static void keep_large(MemBlock *block, size_t bytes) {
    size_t rounded, class = large_class(bytes, &rounded), most = machine / 4;
    if (kept_bytes + rounded > most) mem_trim();
    if (rounded > most) {
        unmap(block, rounded);
        return;
    }
    block->next = kept_large[class];
    kept_large[class] = block;
    kept_bytes += rounded;
}

void mem_free_slow(void *block, size_t bytes) {
    see_peak();
    mem_quick.used -= bytes;
    mem_quick.frees++;
    if (!MEM_KEEPS) {
        free(block);
    } else if (bytes > MEM_SMALL) {
        large -= bytes;
        keep_large(block, bytes);
    } else {
        size_t rounded, class = small_class(bytes, &rounded);
        MemBlock *freed = block;
        freed->next = mem_quick.first[class];
        mem_quick.first[class] = freed;
    }
}

/* Large blocks move by their page table. NULL: the caller copies. */
static void *remap(void *block, size_t old_bytes, size_t new_bytes) {
    size_t old_rounded, new_rounded;
    large_class(old_bytes, &old_rounded);
    large_class(new_bytes, &new_rounded);
    admit(new_bytes);
    if (new_rounded > old_rounded && !is_free(new_rounded - old_rounded)) return NULL;
    void *moved = mremap(block, old_rounded, new_rounded, MREMAP_MAYMOVE);
    if (moved == MAP_FAILED) return NULL;
    mapped += new_rounded - old_rounded;
    mem_quick.frees++;
    mem_quick.used -= old_bytes;
    large += new_bytes - old_bytes;
    count(new_bytes);
    return moved;
}

void *mem_resize(void *block, size_t old_bytes, size_t new_bytes) {
    see_peak();
    if (block && same_class(old_bytes, new_bytes)) {
        mem_quick.used += new_bytes - old_bytes;
        if (new_bytes > MEM_SMALL) large += new_bytes - old_bytes;
        return block;
    }
    if (MEM_KEEPS && block && old_bytes > MEM_SMALL && new_bytes > MEM_SMALL) {
        void *moved = remap(block, old_bytes, new_bytes);
        if (moved) return moved;
    }
    void *moved = mem_alloc(new_bytes);
    if (block) memcpy(moved, block, old_bytes < new_bytes ? old_bytes : new_bytes);
    mem_free(block, old_bytes);
    return moved;
}

void *mem_grow(void *items, size_t *capacity, size_t needed, size_t size) {
    if (needed <= *capacity) return items;
    size_t wanted = *capacity < 4 ? 4 : *capacity * 2, bytes;
    if (wanted < needed) wanted = needed;
    if (__builtin_mul_overflow(wanted, size, &bytes)) bytes = SIZE_MAX;
    items = mem_resize(items, *capacity * size, bytes);
    *capacity = wanted;
    return items;
}

MemCounts mem_counts(void) {
    see_peak();
    size_t blocks = mem_quick.allocations - mem_quick.frees;
    size_t kept = mapped > mem_quick.used ? mapped - mem_quick.used : 0;
    return (MemCounts){ mem_quick.used, mem_quick.peak, kept, blocks, mem_quick.allocations };
}

void mem_set_limit(size_t bytes) {
    if (!machine) find_limit();
    limit_is_users = bytes != 0;
    limit = bytes ? bytes : machine;
    set_quick();
}

void mem_fail_at(long nth) {
    if (!machine) find_limit();
    fail_in = nth > 0 ? nth : 0;
    set_quick();
}
