/* Open addressing over an insertion-ordered array: see map.h. */
#include "base/base.h"

#include <stdlib.h>

static size_t slot_of(const struct map *m, struct str key)
{
	size_t mask = m->slot_count - 1;
	size_t i = (size_t)str_hash(key) & mask;
	while (m->slots[i] != 0 && !str_eq(m->entries[m->slots[i] - 1].key, key))
		i = (i + 1) & mask;
	return i;
}

uint64_t *map_get(const struct map *m, struct str key)
{
	if (m->slot_count == 0)
		return NULL;
	uint32_t at = m->slots[slot_of(m, key)];
	return at ? &m->entries[at - 1].value : NULL;
}

static void grow_slots(struct arena *a, struct map *m)
{
	m->slot_count = m->slot_count ? m->slot_count * 2 : 16;
	m->slots = arena_array(a, m->slot_count, sizeof(*m->slots));
	for (size_t i = 0; i < m->len; i++)
		m->slots[slot_of(m, m->entries[i].key)] = (uint32_t)(i + 1); /* NOLINT: entries where len > 0 */
}

uint64_t *map_put(struct arena *a, struct map *m, struct str key, bool *ret_new)
{
	uint64_t *old = map_get(m, key);
	if (ret_new)
		*ret_new = !old;
	if (old)
		return old;
	if (m->len >= UINT32_MAX - 1)
		abort();
	if (m->len == m->cap) {
		size_t cap = m->cap ? m->cap * 2 : 8;
		m->entries = arena_grow(a, m->entries, m->len, cap, sizeof(*m->entries));
		m->cap = cap;
	}
	if ((m->len + 1) * 2 > m->slot_count)
		grow_slots(a, m);
	size_t slot = slot_of(m, key);
	m->entries[m->len++] = (struct map_entry){ .key = key }; /* NOLINT: grown above where len == cap */
	m->slots[slot] = (uint32_t)m->len;
	return &m->entries[m->len - 1].value;
}
