/* What was worked out before, in files that anybody may delete at any time. No lock: an entry is written beside and
 * renamed, so any number of scans run side by side, and a reader sees a whole entry or none.
 *
 * Two kinds. Entries are named by the SHA-256 of the bytes that they were made from, which was computed by a process
 * that parses nothing, and by the version of the reader that made them; an entry ends in its own SHA-256, so that a
 * torn or altered one is no entry. Verified files remember that parts of a file had certain digests, by device, inode,
 * size, mtime and ctime, so that a file that has not changed is not hashed again.
 *
 * A cache that cannot be used (no folder, full disk, no rights) costs time, never a scan: `cache_open` then gives a
 * cache that holds nothing. */
#ifndef PLIMSOLL_CACHE_CACHE_H
#define PLIMSOLL_CACHE_CACHE_H

#include "base/arena.h"
#include "base/hash.h"

#include <sys/stat.h>

struct cache;

/* dir NULL: no cache. The folder is made (mode 0700). */
struct cache *cache_open(const char *dir);
void cache_close(struct cache *c);
/* $XDG_CACHE_HOME/plimsoll, ~/.cache/plimsoll, for root without HOME /var/cache/plimsoll; NULL: none. In the arena. */
const char *cache_default_dir(struct arena *a);

/* kind: "layer". version: changes when the meaning of an entry changes. */
bool cache_has(const struct cache *c, const char *kind, unsigned version, const struct sha256 *key);
bool cache_get(const struct cache *c, struct arena *a, const char *kind, unsigned version, const struct sha256 *key,
               struct str *ret);
void cache_put(const struct cache *c, const char *kind, unsigned version, const struct sha256 *key, struct str value);

/* One digest of a part of a file. */
struct verified_part {
	uint64_t offset, size;
	struct sha256 digest;
};

/* The parts of the file that were hashed before, if it has not changed since; *ret_when is when (Unix time). */
bool cache_verified_get(const struct cache *c, struct arena *a, const struct stat *st, struct verified_part **ret,
                        size_t *ret_count, int64_t *ret_when);
/* Remember; st must have been taken before the bytes were read, and be equal to one taken after. A file whose times lie
 * less than two seconds back is not remembered: it could be changed again within the clock's grain. */
void cache_verified_put(const struct cache *c, const struct stat *st, const struct verified_part *parts, size_t count,
                        int64_t now);

#endif
