/* The content of one file, wherever it lies: in memory, or (what is too large for the memory budget) in a descriptor
 * that is read by pread. Readers of databases take this, so that they need not care. */
#ifndef PLIMSOLL_BASE_CONTENT_H
#define PLIMSOLL_BASE_CONTENT_H

#include "base/arena.h"
#include "base/err.h"

struct content {
	struct str mem; /* whole content when fd < 0 */
	int fd;         /* or a memfd or file; -1 */
	uint64_t size;
};

struct content content_of(struct str mem);

/* Exactly n bytes at offset, from memory or descriptor; ERR_FORMAT when past the end. */
int content_read(const struct content *c, uint64_t offset, void *p, size_t n, struct err *err);
/* The whole content as text (in the arena, or where it lies); ERR_LIMIT naming size_max_name where it is over size_max. */
int content_text(const struct content *c, struct arena *a, size_t size_max, const char *size_max_name, struct str *ret,
                 struct err *err);

#endif
