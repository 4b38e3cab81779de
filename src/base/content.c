/* Content in memory or in a descriptor: see content.h. */
#include "base/content.h"

#include "base/base.h"
#include "base/fs.h"

struct content content_of(struct str mem)
{
	return (struct content){ .mem = mem, .fd = -1, .size = mem.len };
}

int content_read(const struct content *c, uint64_t offset, void *p, size_t n, struct err *err)
{
	uint64_t size = c->fd < 0 ? c->mem.len : c->size;
	if (offset > size || n > size - offset)
		return err_set(err, ERR_FORMAT, "%zu bytes at %ju lie past the end (%ju)", n, (uintmax_t)offset, (uintmax_t)size);
	if (c->fd >= 0)
		return fs_pread_all(c->fd, p, n, offset, err);
	if (n)
		memcpy(p, c->mem.ptr + offset, n);
	return 0;
}

int content_text(const struct content *c, struct arena *a, size_t size_max, const char *size_max_name, struct str *ret,
                 struct err *err)
{
	uint64_t size = c->fd < 0 ? c->mem.len : c->size;
	if (size > size_max)
		return err_set(err, ERR_LIMIT, "%llu bytes are over %s", (unsigned long long)size, size_max_name);
	if (c->fd < 0) {
		*ret = c->mem;
		return 0;
	}
	char *p = arena_alloc(a, (size_t)size);
	int rc = content_read(c, 0, p, (size_t)size, err);
	if (rc == 0)
		*ret = (struct str){ p, (size_t)size };
	return rc;
}
