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
	if (offset > c->size || n > c->size - offset)
		return err_set(err, ERR_FORMAT, "%zu bytes at %ju lie past the end (%ju)", n, (uintmax_t)offset, (uintmax_t)c->size);
	if (c->fd >= 0)
		return fs_pread_all(c->fd, p, n, offset, err);
	if (n)
		memcpy(p, c->mem.ptr + offset, n);
	return 0;
}
