/* Memory. The one idea: a block that was freed is kept by size and handed out again, because fresh
 * pages cost 9-12 us per 4 KiB on a virtual machine while a kept one costs nothing.
 *
 * Blocks are freed with the size they were asked for, so they carry no header. Small blocks come in
 * size classes from slabs; large ones (from 64 KiB) in finer classes straight from the system, with
 * huge pages from 2 MiB; from 256 MiB on the system is first asked whether it has them free. Every
 * allocation counts against a limit (mem_set_limit; else the machine or its container) and may be
 * made to fail by ADL_FAIL_AT (tests); failing raises E_MEMORY, so no caller checks for NULL. Only
 * the interpreter's thread allocates. */
#ifndef MEM_H
#define MEM_H
#include <stddef.h>
#include <stdint.h>

/* At least `bytes` bytes, 16-byte aligned (64-byte from 64 bytes on), not cleared. */
static inline void *mem_alloc(size_t bytes);
void *mem_alloc_zeroed(size_t bytes);
/* NULL is nothing to free. */
static inline void mem_free(void *block, size_t bytes);
/* As realloc, with the old size. */
void *mem_resize(void *block, size_t old_bytes, size_t new_bytes);
/* Doubles a growing array: `items` has room for *capacity of `size` bytes and needs `count`. */
void *mem_grow(void *items, size_t *capacity, size_t count, size_t size);
/* Gives kept large blocks back to the system: at an idle prompt. */
void mem_trim(void);

typedef struct MemCounts {
    size_t used;        /* bytes handed out now */
    size_t peak;
    size_t kept;        /* bytes had from the system and not handed out: free blocks and rounding */
    size_t blocks;      /* blocks handed out now: zero at exit, or something leaked */
    size_t allocations; /* ever */
} MemCounts;
MemCounts mem_counts(void);
void mem_set_limit(size_t bytes);  /* 0: none but the machine's own memory */
void mem_fail_at(long nth);        /* the nth allocation from now fails; 0: none */
/* "1.5 GiB", for messages. */
const char *mem_text(size_t bytes, char *buffer, size_t buffer_bytes);

/* ---- the quick path, inline ----
 * Classes step by 16 bytes to 64, by 64 to 1 KiB (an odd multiple of 16 would not be aligned), and
 * by an eighth of a power of two to 64 KiB. An allocation that would pass `quick` takes the slow
 * path, which sees to the limit and the failures of tests: one comparison for both. The peak is
 * looked at when blocks are freed, for only then has there been one. */
enum { MEM_QUICK = 1024, MEM_SMALL = 64 << 10 };
enum { MEM_QUICK_CLASSES = 20, MEM_CLASSES = MEM_QUICK_CLASSES + 6 * 8 };

/* Under AddressSanitizer each block is the system's own, so that it sees every misuse. */
#ifdef __SANITIZE_ADDRESS__
enum { MEM_KEEPS = 0 };
#else
enum { MEM_KEEPS = 1 };
#endif

typedef struct MemBlock { struct MemBlock *next; } MemBlock;
typedef struct MemQuick {
    MemBlock *first[MEM_CLASSES];     /* free blocks */
    size_t used, quick, peak, allocations, frees;
} MemQuick;
extern MemQuick mem_quick;

static inline size_t mem_quick_class(size_t bytes) {
    return bytes <= 64 ? (bytes + 15) >> 4 : 3 + ((bytes + 63) >> 6);
}

void *mem_alloc_slow(size_t bytes) __attribute__((malloc));
void mem_free_slow(void *block, size_t bytes);

static inline void *mem_alloc(size_t bytes) {
    if (__builtin_expect(bytes > MEM_QUICK, 0)) return mem_alloc_slow(bytes);
    MemBlock **first = &mem_quick.first[mem_quick_class(bytes)], *block = *first;
    size_t used = mem_quick.used + bytes;
    if (__builtin_expect(!block || used > mem_quick.quick, 0)) return mem_alloc_slow(bytes);
    *first = block->next;
    mem_quick.used = used;
    mem_quick.allocations++;
    return block;
}

static inline void mem_free(void *block, size_t bytes) {
    if (!block) return;
    if (!MEM_KEEPS || bytes > MEM_QUICK) {
        mem_free_slow(block, bytes);
        return;
    }
    MemBlock **first = &mem_quick.first[mem_quick_class(bytes)], *freed = block;
    freed->next = *first;
    *first = freed;
    if (mem_quick.used > mem_quick.peak) mem_quick.peak = mem_quick.used;
    mem_quick.used -= bytes;
    mem_quick.frees++;
}
#endif
