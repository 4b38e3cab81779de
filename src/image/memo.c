/* What a run has read before: see image.h. Keys are digests that a process computed which parses nothing, or folders. */
#include "image/memo.h"

#include "base/base.h"
#include "base/map.h"
#include "base/vec.h"

struct image_memo {
	struct arena *arena;
	struct map keys; /* key -> index + 1 */
	VEC(struct str) values;
	size_t size;
};

struct image_memo *image_memo_new(void)
{
	struct image_memo *m = xcalloc(1, sizeof(*m));
	m->arena = arena_new();
	return m;
}

void image_memo_free(struct image_memo *m)
{
	if (!m)
		return;
	arena_free(m->arena);
	free(m);
}

bool image_memo_get(const struct image_memo *m, struct str key, struct str *ret)
{
	const uint64_t *at = m && key.len ? map_get(&m->keys, key) : NULL;
	if (!at || *at == 0)
		return false;
	*ret = m->values.ptr[*at - 1];
	return true;
}

void image_memo_put(struct image_memo *m, struct str key, struct str value)
{
	if (!m || key.len == 0 || value.len > IMAGE_MEMO_SIZE_MAX - m->size)
		return;
	uint64_t *at = map_put(m->arena, &m->keys, str_dup(m->arena, key), NULL);
	if (*at)
		return;
	*vec_push(m->arena, &m->values) = str_dup(m->arena, value);
	*at = m->values.len;
	m->size += value.len;
}
