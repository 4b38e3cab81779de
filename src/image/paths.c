/* Hashes of paths: see paths.h. */
#include "image/paths.h"

#include "base/base.h"

/* The lowest bit says "folder", the next is always set, so that no value is 0. */
#define FOLDER_BIT 1u
#define USED_BIT 2u
#define HASH_MASK (~(uint64_t)3)

void path_set_done(struct path_set *s)
{
	free(s->slots);
	*s = (struct path_set){ 0 };
}

static uint64_t *slot_of(const struct path_set *s, uint64_t hash)
{
	size_t mask = s->slot_count - 1;
	size_t i = (size_t)(hash >> 2) & mask;
	while (s->slots[i] != 0 && (s->slots[i] & HASH_MASK) != hash)
		i = (i + 1) & mask;
	return &s->slots[i];
}

static void grow(struct path_set *s)
{
	struct path_set old = *s;
	s->slot_count = old.slot_count ? old.slot_count * 2 : 1024;
	s->slots = xcalloc(s->slot_count, sizeof(*s->slots));
	for (size_t i = 0; i < old.slot_count; i++)
		if (old.slots[i])
			*slot_of(s, old.slots[i] & HASH_MASK) = old.slots[i];
	free(old.slots);
}

/* The slot of a hash, a new one marked used; *ret_new says which. NULL: full. */
static uint64_t *put(struct path_set *s, uint64_t hash, bool *ret_new)
{
	if (s->used >= LAYER_ENTRIES_MAX) {
		s->full = true;
		return NULL;
	}
	if (s->used * 4 >= s->slot_count * 3)
		grow(s);
	uint64_t *slot = slot_of(s, hash & HASH_MASK);
	*ret_new = *slot == 0;
	if (*ret_new) {
		*slot = (hash & HASH_MASK) | USED_BIT;
		s->used++;
	}
	return slot;
}

enum path_kind path_set_put(struct path_set *s, struct str path, enum path_kind kind)
{
	bool is_new;
	uint64_t *slot = put(s, str_hash(path), &is_new);
	if (!slot)
		return PATH_NONE;
	enum path_kind old = is_new ? PATH_NONE : *slot & FOLDER_BIT ? PATH_FOLDER : PATH_OTHER;
	*slot = (*slot & ~(uint64_t)FOLDER_BIT) | (kind == PATH_FOLDER ? FOLDER_BIT : 0);
	return old;
}

void path_set_imply_parents(struct path_set *s, struct str path)
{
	uint64_t h = STR_HASH_START;
	for (size_t i = 0; i < path.len; i++) {
		if (path.ptr[i] == '/') {
			bool is_new;
			uint64_t *slot = put(s, str_hash_finish(h), &is_new);
			if (slot && is_new)
				*slot |= FOLDER_BIT;
		}
		h = str_hash_step(h, path.ptr[i]);
	}
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

void path_set_encode(const struct path_set *s, struct buf *out)
{
	uint64_t *sorted = xmalloc((s->used + 1) * sizeof(*sorted));
	size_t n = 0;
	for (size_t i = 0; i < s->slot_count; i++)
		if (s->slots[i])
			sorted[n++] = s->slots[i];
	qsort(sorted, n, sizeof(*sorted), compare);
	for (size_t i = 0; i < n; i++)
		buf_u64(out, sorted[i]);
	free(sorted);
}

static uint64_t hash_at(struct str encoded, size_t i)
{
	struct reader r = reader_of(str_sub(encoded, i * 8, i * 8 + 8));
	return read_u64le(&r);
}

enum path_kind path_set_find(struct str encoded, struct str path)
{
	uint64_t hash = str_hash(path) & HASH_MASK;
	size_t lo = 0, hi = encoded.len / 8;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (hash_at(encoded, mid) < hash)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo >= encoded.len / 8)
		return PATH_NONE;
	uint64_t found = hash_at(encoded, lo);
	if ((found & HASH_MASK) != hash)
		return PATH_NONE;
	return found & FOLDER_BIT ? PATH_FOLDER : PATH_OTHER;
}

bool path_set_valid(struct str encoded)
{
	return encoded.len % 8 == 0 && encoded.len / 8 <= LAYER_ENTRIES_MAX;
}
