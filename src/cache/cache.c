/* Content-addressed entries and verified files: see cache.h. Never trusts a parser's word for a name. */
#include "cache/cache.h"

#include "base/base.h"
#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#define ENTRY_SIZE_MAX (96 * MIB)
#define VERIFIED_SIZE_MAX (256 * KIB)
#define VERIFIED_VERSION 1u
#define RACY_SECONDS 2

struct cache {
	char *dir; /* NULL: holds nothing */
};

const char *cache_default_dir(struct arena *a)
{
	const char *xdg = getenv("XDG_CACHE_HOME");
	const char *home = getenv("HOME");
	if (xdg && xdg[0] == '/')
		return arena_printf(a, "%s/plimsoll", xdg).ptr;
	if (home && home[0] == '/')
		return arena_printf(a, "%s/.cache/plimsoll", home).ptr;
	return geteuid() == 0 ? "/var/cache/plimsoll" : NULL;
}

struct cache *cache_open(const char *dir)
{
	struct cache *c = xcalloc(1, sizeof(*c));
	struct err err = { 0 };
	if (!dir || fs_make_dirs(dir, 0700, &err) < 0)
		return c;
	size_t size = strlen(dir) + 1;
	c->dir = xmalloc(size);
	memcpy(c->dir, dir, size);
	return c;
}

void cache_close(struct cache *c)
{
	if (c)
		free(c->dir);
	free(c);
}

/* Folders of 256, so that none grows large: KIND-VERSION/ab/cdef... */
static const char *entry_path(const struct cache *c, struct arena *a, const char *kind, unsigned version,
                              const struct sha256 *key, const char **ret_folder)
{
	char text[DIGEST_TEXT_LEN + 1];
	struct str hex = sha256_text(key, text);
	(void)str_skip(&hex, STR("sha256:"));
	struct str folder = arena_printf(a, "%s/%s-%u/%.2s", c->dir, kind, version, hex.ptr);
	if (ret_folder)
		*ret_folder = folder.ptr;
	return arena_printf(a, "%s/%s", folder.ptr, hex.ptr + 2).ptr;
}

bool cache_has(const struct cache *c, const char *kind, unsigned version, const struct sha256 *key)
{
	if (!c->dir)
		return false;
	struct arena *ARENA_AUTO tmp = arena_new();
	return access(entry_path(c, tmp, kind, version, key, NULL), R_OK) == 0;
}

/* The payload of an entry: what stands before the SHA-256 of it. */
static bool read_sealed(struct arena *a, const char *path, size_t size_max, struct str *ret)
{
	struct str whole;
	struct sha256 end;
	struct err err = { 0 };
	if (fs_read(a, path, size_max, &whole, &err) < 0 || whole.len < SHA256_SIZE)
		return false;
	struct str payload = str_sub(whole, 0, whole.len - SHA256_SIZE);
	memcpy(end.bytes, whole.ptr + payload.len, SHA256_SIZE);
	struct sha256 is = sha256_of(payload);
	if (!sha256_eq(&is, &end))
		return false;
	*ret = payload;
	return true;
}

static void write_sealed(const char *folder, const char *path, struct str payload)
{
	struct err err = { 0 };
	struct buf BUF_AUTO whole = { 0 };
	buf_init(&whole, payload.len + SHA256_SIZE);
	struct sha256 end = sha256_of(payload);
	buf_put(&whole, payload);
	buf_put_mem(&whole, end.bytes, SHA256_SIZE);
	if (fs_make_dirs(folder, 0700, &err) == 0)
		(void)fs_replace_unsynced(path, buf_view(&whole), 0600, &err);
}

bool cache_get(const struct cache *c, struct arena *a, const char *kind, unsigned version, const struct sha256 *key,
               struct str *ret)
{
	return c->dir && read_sealed(a, entry_path(c, a, kind, version, key, NULL), ENTRY_SIZE_MAX, ret);
}

void cache_put(const struct cache *c, const char *kind, unsigned version, const struct sha256 *key, struct str value)
{
	if (!c->dir || value.len > ENTRY_SIZE_MAX - SHA256_SIZE)
		return;
	struct arena *ARENA_AUTO tmp = arena_new();
	const char *folder;
	const char *path = entry_path(c, tmp, kind, version, key, &folder);
	write_sealed(folder, path, value);
}

/* All that must be unchanged; it is also, hashed, the name of the entry. */
static struct str identity(struct arena *a, const struct stat *st)
{
	return arena_printf(a, "%ju:%ju:%jd:%jd.%09ld:%jd.%09ld", (uintmax_t)st->st_dev, (uintmax_t)st->st_ino,
	                    (intmax_t)st->st_size, (intmax_t)st->st_mtim.tv_sec, st->st_mtim.tv_nsec,
	                    (intmax_t)st->st_ctim.tv_sec, st->st_ctim.tv_nsec);
}

/* Named by device and inode alone, so that a file that changes again and again leaves one entry behind. */
static struct sha256 verified_key(struct arena *a, const struct stat *st)
{
	return sha256_of(arena_printf(a, "%ju:%ju", (uintmax_t)st->st_dev, (uintmax_t)st->st_ino));
}

bool cache_verified_get(const struct cache *c, struct arena *a, const struct stat *st, struct verified_part **ret,
                        size_t *ret_count, int64_t *ret_when)
{
	if (!c->dir)
		return false;
	struct sha256 key = verified_key(a, st);
	struct str text;
	if (!read_sealed(a, entry_path(c, a, "file", VERIFIED_VERSION, &key, NULL), VERIFIED_SIZE_MAX, &text))
		return false;
	struct reader r = reader_of(text);
	if (!str_eq(read_str(&r), identity(a, st)))
		return false;
	int64_t when = (int64_t)read_u64le(&r);
	size_t count = read_count(&r, 16 + SHA256_SIZE);
	if (r.bad)
		return false;
	struct verified_part *parts = arena_array(a, count, sizeof(*parts));
	for (size_t i = 0; i < count; i++) {
		parts[i].offset = read_u64le(&r);
		parts[i].size = read_u64le(&r);
		struct str digest = read_bytes(&r, SHA256_SIZE);
		if (digest.len)
			memcpy(parts[i].digest.bytes, digest.ptr, SHA256_SIZE);
	}
	if (r.bad || reader_left(&r) != 0)
		return false;
	*ret = parts;
	*ret_count = count;
	*ret_when = when;
	return true;
}

void cache_verified_put(const struct cache *c, const struct stat *st, const struct verified_part *parts, size_t count,
                        int64_t now)
{
	if (!c->dir || st->st_mtim.tv_sec > now - RACY_SECONDS || st->st_ctim.tv_sec > now - RACY_SECONDS)
		return;
	struct arena *ARENA_AUTO tmp = arena_new();
	struct buf BUF_AUTO b = { 0 };
	buf_init(&b, VERIFIED_SIZE_MAX - SHA256_SIZE);
	buf_str(&b, identity(tmp, st));
	buf_u64(&b, (uint64_t)now);
	buf_varint(&b, count);
	for (size_t i = 0; i < count; i++) {
		buf_u64(&b, parts[i].offset);
		buf_u64(&b, parts[i].size);
		buf_put_mem(&b, parts[i].digest.bytes, SHA256_SIZE);
	}
	if (b.overflow)
		return;
	struct sha256 key = verified_key(tmp, st);
	const char *folder;
	const char *path = entry_path(c, tmp, "file", VERIFIED_VERSION, &key, &folder);
	write_sealed(folder, path, buf_view(&b));
}
