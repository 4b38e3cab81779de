/* Content of one file, from memory or by pread: see formats.h. Opens nothing and trusts no size it is given. */
#include "package/formats.h"

#include "base/base.h"

#include <errno.h>
#include <unistd.h>

int content_read(const struct content *c, uint64_t offset, void *p, size_t n, struct err *err)
{
	uint64_t size = c->fd < 0 ? c->mem.len : c->size;
	if (offset > size || n > size - offset)
		return err_set(err, ERR_FORMAT, "%zu bytes at offset %llu are past the end (%llu bytes)", n,
		               (unsigned long long)offset, (unsigned long long)size);
	if (c->fd < 0) {
		if (n)
			memcpy(p, c->mem.ptr + offset, n);
		return 0;
	}
	for (size_t done = 0; done < n;) {
		ssize_t got = pread(c->fd, (char *)p + done, n - done, (off_t)(offset + done));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_set(err, ERR_IO, "read: %m");
		if (got == 0)
			return err_set(err, ERR_FORMAT, "the file ends at offset %llu",
			               (unsigned long long)(offset + done));
		done += (size_t)got;
	}
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
