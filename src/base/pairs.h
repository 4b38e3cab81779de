/* The pairs of one map while a parser gathers them: finding repeated keys in linear time, whatever the keys are (the
 * hash is seeded per process, so a file cannot be made for it). For json.c and yaml.c. */
#ifndef PLIMSOLL_BASE_PAIRS_H
#define PLIMSOLL_BASE_PAIRS_H

#include "base/value.h"

/* Memory that is used again from map to map; zero it first, free it with keyset_done. */
struct keyset {
	uint32_t *slots;
	size_t cap;
};

void keyset_done(struct keyset *k);

/* Index of the first pair whose key stands before it too, or len. */
size_t pairs_repeat(const struct value_pair *pairs, size_t len, struct keyset *k);
/* Leaves each key once, at its first place, with its first or its last value; the number of pairs that are left. */
enum pairs_keep { PAIRS_FIRST, PAIRS_LAST };
size_t pairs_unite(struct value_pair *pairs, size_t len, enum pairs_keep keep, struct keyset *k);

#endif
