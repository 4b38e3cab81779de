/* Stands in for the room's content and sink code until that is there; goes away with it. */
#include "package/formats.h"

#include <stdarg.h>
#include <unistd.h>
#include "base/base.h"

int content_read(const struct content *c, uint64_t offset, void *p, size_t n, struct err *err)
{
	if (offset > c->size || n > c->size - offset)
		return err_set(err, ERR_FORMAT, "%zu bytes at %llu lie past the end", n, (unsigned long long)offset);
	if (c->fd < 0) {
		if (n)
			memcpy(p, c->mem.ptr + offset, n);
		return 0;
	}
	for (size_t done = 0; done < n;) {
		ssize_t k = pread(c->fd, (char *)p + done, n - done, (off_t)(offset + done));
		if (k <= 0)
			return err_set(err, ERR_FORMAT, "short read");
		done += (size_t)k;
	}
	return 0;
}

void package_sink_bad(struct package_sink *s, const char *format, ...)
{
	s->bad_records++;
	if (s->diagnostic_count == DIAGNOSTICS_WORDED_MAX)
		return;
	va_list args;
	va_start(args, format);
	s->diagnostics[s->diagnostic_count++] = arena_vprintf(s->arena, format, args);
	va_end(args);
}

int package_sink_add(struct package_sink *s, const struct package *p, struct err *err)
{
	if (s->list.len >= PACKAGES_MAX)
		return err_set(err, ERR_LIMIT, "PACKAGES_MAX");
	struct package c = *p;
	struct str *f[] = { &c.name, &c.version, &c.arch, &c.source_name, &c.source_version, &c.vendor, &c.module, &c.db_path };
	for (size_t i = 0; i < COUNT_OF(f); i++)
		if (f[i]->len > PACKAGE_FIELD_MAX || (i < 2 && f[i]->len == 0)) {
			package_sink_bad(s, "a field of %zu bytes", f[i]->len);
			return 0;
		}
	for (size_t i = 0; i < COUNT_OF(f); i++)
		*f[i] = str_dup(s->arena, *f[i]);
	*vec_push(s->arena, &s->list) = c;
	return 0;
}
