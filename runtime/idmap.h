/* A map from node and leaf ids to small numbers: open addressing, linear probing, no deletion but
 * of everything. Ids are never 0. */
#ifndef IDMAP_H
#define IDMAP_H
#include "mem.h"

typedef struct IdMap { uint32_t *key, *value; size_t capacity, count; } IdMap;

static inline size_t id_slot(const IdMap *map, uint32_t id) {
    size_t at = (id * 2654435769u) & (map->capacity - 1);    /* Knuth's multiplicative hash */
    while (map->key[at] && map->key[at] != id) at = (at + 1) & (map->capacity - 1);
    return at;
}
/* The number of id, or -1. */
static inline int64_t idmap_get(const IdMap *map, uint32_t id) {
    if (!map->count) return -1;
    size_t at = id_slot(map, id);
    return map->key[at] ? (int64_t)map->value[at] : -1;
}
static inline void idmap_free(IdMap *map) {
    if (map->capacity) {
        mem_free(map->key,
                 map->capacity * 2 * sizeof *map->key); /* the values lie behind the keys */
    }
    *map = (IdMap){ 0 };
}
static inline void idmap_put(IdMap *map, uint32_t id, uint32_t value) {
    if (map->count * 2 >= map->capacity) {
        IdMap bigger = { .capacity = map->capacity ? map->capacity * 2 : 4, .count = map->count };
        bigger.key = mem_alloc_zeroed(bigger.capacity * 2 * sizeof *bigger.key);
        bigger.value = bigger.key + bigger.capacity;
        for (size_t i = 0; i < map->capacity; i++) {
            if (!map->key[i]) continue;
            size_t at = id_slot(&bigger, map->key[i]);
            bigger.key[at] = map->key[i];
            bigger.value[at] = map->value[i];
        }
        idmap_free(map);
        *map = bigger;
    }
    size_t at = id_slot(map, id);
    if (!map->key[at]) map->count++;
    map->key[at] = id;
    map->value[at] = value;
}
#endif
