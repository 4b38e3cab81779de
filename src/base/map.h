/* Hash table from slice to a 64-bit value, in an arena. Keys are not copied: they must live as long as the map.
 * No removal; order of walking is the order of insertion. */
#ifndef PLIMSOLL_BASE_MAP_H
#define PLIMSOLL_BASE_MAP_H

#include "base/arena.h"

struct map_entry {
	struct str key;
	uint64_t value;
};

struct map {
	struct map_entry *entries; /* in order of insertion, len of them */
	size_t len;
	/* private */
	uint32_t *slots;
	size_t slot_count;
	size_t cap;
};

/* The value of key, or NULL. */
uint64_t *map_get(const struct map *m, struct str key);
/* The value of key, made 0 if it was not there; *ret_new (may be NULL) says whether it was made. */
uint64_t *map_put(struct arena *a, struct map *m, struct str key, bool *ret_new);

#endif
