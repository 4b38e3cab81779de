/* Repeated keys: see pairs.h. Small maps are compared pair by pair; larger ones go through an open hash table. */
#include "base/pairs.h"
#include "base/base.h"

#include <sys/auxv.h>

/* Up to here comparing every two lengths is faster than hashing. */
#define PAIRS_SMALL 12u

void keyset_done(struct keyset *k)
{
	free(k->slots);
	*k = (struct keyset){ 0 };
}

static uint64_t load64(const char *p, size_t n)
{
	uint64_t v = 0;
	memcpy(&v, p, n < 8 ? n : 8);
	return v;
}

static uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned __int128 m = (unsigned __int128)a * b;
	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/* The kernel's 16 random bytes for this process: no system call, so that a confined worker can. */
static void seed(uint64_t ret[2])
{
	static const char fallback[16] = "no AT_RANDOM....";
	unsigned long at = getauxval(AT_RANDOM);
	memcpy(ret, at ? (const void *)at : (const void *)fallback, 16);
	ret[0] |= 1;
	ret[1] |= 1;
}

static size_t hash_key(struct str key, const uint64_t seeds[2])
{
	uint64_t h = seeds[0] ^ key.len;
	for (size_t i = 0; i < key.len; i += 8)
		h = mix(h ^ load64(key.ptr + i, key.len - i), seeds[1]) + seeds[0];
	return (size_t)mix(h, seeds[1] ^ 0x9e3779b97f4a7c15u);
}

/* Index in pairs[0, len) of the key, entering it at `index` where it is new. */
static size_t enter(const struct value_pair *pairs, size_t index, const struct keyset *k, size_t slot_count,
                    const uint64_t seeds[2])
{
	size_t mask = slot_count - 1;
	size_t i = hash_key(pairs[index].key, seeds) & mask;
	for (; k->slots[i] != 0; i = (i + 1) & mask)
		if (str_eq(pairs[k->slots[i] - 1].key, pairs[index].key))
			return k->slots[i] - 1;
	k->slots[i] = (uint32_t)(index + 1);
	return index;
}

static size_t prepare(struct keyset *k, size_t len)
{
	size_t count = 64;
	if (len >= UINT32_MAX / 2)
		abort();
	while (count < len * 2)
		count *= 2;
	if (count > k->cap) {
		free(k->slots);
		k->slots = xcalloc(count, sizeof(*k->slots));
		k->cap = count;
	} else {
		memset(k->slots, 0, count * sizeof(*k->slots));
	}
	return count;
}

static size_t find_before(const struct value_pair *pairs, size_t index)
{
	struct str key = pairs[index].key;
	for (size_t i = 0; i < index; i++)
		if (pairs[i].key.len == key.len && (key.len == 0 || memcmp(pairs[i].key.ptr, key.ptr, key.len) == 0))
			return i;
	return index;
}

size_t pairs_repeat(const struct value_pair *pairs, size_t len, struct keyset *k)
{
	if (len <= PAIRS_SMALL) {
		for (size_t i = 1; i < len; i++)
			if (find_before(pairs, i) != i)
				return i;
		return len;
	}
	uint64_t seeds[2];
	seed(seeds);
	size_t slot_count = prepare(k, len);
	for (size_t i = 0; i < len; i++)
		if (enter(pairs, i, k, slot_count, seeds) != i)
			return i;
	return len;
}

size_t pairs_unite(struct value_pair *pairs, size_t len, enum pairs_keep keep, struct keyset *k)
{
	uint64_t seeds[2];
	seed(seeds);
	size_t slot_count = prepare(k, len);
	size_t kept = 0;
	for (size_t i = 0; i < len; i++) {
		pairs[kept] = pairs[i];
		size_t at = enter(pairs, kept, k, slot_count, seeds);
		if (at == kept)
			kept++;
		else if (keep == PAIRS_LAST)
			pairs[at].value = pairs[i].value;
	}
	return kept;
}
