/* Memory. The one idea: a block that was freed is kept by size and handed out again, because fresh
 * pages cost 9-12 us per 4 KiB on a virtual machine while a kept one costs nothing.
 *
 * Blocks are freed with the size they were asked for, so they carry no header. Small blocks come in
 * size classes from slabs; large ones (from 64 KiB) in finer classes straight from the system, with
 * huge pages from 2 MiB. Every allocation counts against rt.memory_limit and may be made to fail by
 * ADL_FAIL_AT (tests); failing raises E_MEMORY, so no caller checks for NULL. */
#ifndef MEM_H
#define MEM_H
#include <stddef.h>
#include <stdint.h>

/* At least `bytes` bytes, 16-byte aligned (64-byte from 64 bytes on), not cleared. */
void *mem_alloc(size_t bytes);
void *mem_alloc_zeroed(size_t bytes);
void mem_free(void *block, size_t bytes);
/* As realloc, with the old size. */
void *mem_resize(void *block, size_t old_bytes, size_t new_bytes);
/* Doubles a growing array: `items` has room for *capacity of `size` bytes each and needs `count`. */
void *mem_grow(void *items, size_t *capacity, size_t count, size_t size);
/* Gives kept large blocks back to the system: at an idle prompt. */
void mem_trim(void);

typedef struct MemCounts {
    size_t used;        /* bytes handed out now */
    size_t peak;
    size_t kept;        /* bytes freed and kept for reuse */
    size_t blocks;      /* blocks handed out now: zero at exit, or something leaked */
    size_t allocations; /* ever */
} MemCounts;
MemCounts mem_counts(void);
void mem_set_limit(size_t bytes);  /* 0: none */
void mem_fail_at(long nth);        /* the nth allocation from now fails; 0: none */
#endif
