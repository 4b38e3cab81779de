/* Fetched feeds in the cache: see feed_store.h. What a server said (validators) comes back from these files as hostile as
 * it went in: short, printable, one line. Never follows a link, never makes a name from anything but the table. */
#include "advisory/feed_store.h"

#include "base/base.h"
#include "base/fs.h"
#include "base/hash.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAGIC "plimsoll-feed 1\n"
/* How long a dying process of an earlier run may take to let go. */
#define LOCK_TRIES 40u
#define LOCK_PAUSE_US 50000u

struct feed_store {
	char *path;
	int fd; /* the folder, locked */
};

/* 0; ERR_LIMIT where somebody else has it. A file system that knows no locks is used without. */
static int take_lock(int fd, struct err *err)
{
	for (unsigned i = 0; i < LOCK_TRIES; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0 || (errno != EWOULDBLOCK && errno != EINTR))
			return 0;
		(void)usleep(LOCK_PAUSE_US);
	}
	return err_set(err, ERR_LIMIT, "another update is running");
}

static bool is_ours(struct str name) { return str_ends(name, STR(".feed")) || str_ends(name, STR(".part")); }

static bool has_row(struct str name)
{
	struct arena *a ARENA_AUTO = arena_new();
	struct feed_row_file f;
	(void)(str_drop(&name, STR(".feed")) || str_drop(&name, STR(".part")));
	for (size_t i = 0; i < feed_row_count; i++)
		for (size_t j = 0; feed_row_file(&feed_rows[i], j, &f); j++)
			if (str_eq(name, feed_store_key(a, &feed_rows[i], &f)))
				return true;
	return false;
}

/* Files of feeds that the table no longer has, and what a killed run had just begun. */
static void sweep(const struct feed_store *s)
{
	DIR *d = opendir(s->path);
	for (struct dirent *e; d && (e = readdir(d));) {
		struct str name = str_from(e->d_name);
		if (str_ends(name, STR(".next")) || (is_ours(name) && !has_row(name)))
			(void)unlinkat(s->fd, e->d_name, 0);
	}
	if (d)
		closedir(d);
}

int feed_store_open(const char *cache, struct feed_store **ret, struct err *err)
{
	size_t size = strlen(cache) + 16;
	struct feed_store *s = xcalloc(1, sizeof(*s));
	s->path = xmalloc(size);
	s->fd = -1;
	(void)snprintf(s->path, size, "%s/feeds", cache);
	int rc = fs_make_dirs(s->path, 0700, err);
	if (rc == 0) {
		s->fd = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		rc = s->fd < 0 ? err_set(err, ERR_IO, "%s: %m", s->path) : take_lock(s->fd, err);
		if (rc == ERR_LIMIT)
			(void)err_wrap(err, "%s", s->path);
	}
	if (rc == 0 && faccessat(s->fd, ".", W_OK, 0) != 0)
		rc = err_set(err, ERR_IO, "%s: cannot be written: %m", s->path);
	if (rc != 0) {
		feed_store_close(s);
		return rc;
	}
	sweep(s);
	*ret = s;
	return 0;
}

void feed_store_close(struct feed_store *s)
{
	if (!s)
		return;
	if (s->fd >= 0)
		(void)close(s->fd);
	free(s->path);
	free(s);
}

struct str feed_store_key(struct arena *a, const struct feed_row *row, const struct feed_row_file *f)
{
	struct str key = arena_printf(a, "%s.%.*s", row->name, STR_ARG(f->name));
	char *p = str_cstr(a, key);
	for (size_t i = 0; i < key.len; i++)
		if (p[i] == '/')
			p[i] = '-';
	return (struct str){ p, key.len };
}

static const char *ending(enum feed_state state)
{
	return state == FEED_KEPT ? "feed" : state == FEED_PART ? "part" : "next";
}

const char *feed_store_path(struct feed_store *s, struct arena *a, struct str key, enum feed_state state)
{
	return arena_printf(a, "%s/%.*s.%s", s->path, STR_ARG(key), ending(state)).ptr;
}

static const char *name_of(struct arena *a, struct str key, enum feed_state state)
{
	return arena_printf(a, "%.*s.%s", STR_ARG(key), ending(state)).ptr;
}

void feed_store_drop(struct feed_store *s, struct str key, enum feed_state state)
{
	struct arena *a ARENA_AUTO = arena_new();
	(void)unlinkat(s->fd, name_of(a, key, state), 0);
}

static int turn(const struct feed_store *s, struct str key, enum feed_state from, enum feed_state to, struct err *err)
{
	struct arena *a ARENA_AUTO = arena_new();
	const char *old = name_of(a, key, from);
	return renameat(s->fd, old, s->fd, name_of(a, key, to)) == 0 ? 0 : err_set(err, ERR_IO, "%s/%s: %m", s->path, old);
}

int feed_store_keep(struct feed_store *s, struct str key, struct err *err)
{
	return turn(s, key, FEED_PART, FEED_KEPT, err);
}

int feed_store_begin(struct feed_store *s, struct str key, struct err *err)
{
	return turn(s, key, FEED_NEXT, FEED_PART, err);
}

int feed_store_write(struct feed_store *s, struct str key, bool fresh, int *ret_fd, struct err *err)
{
	struct arena *a ARENA_AUTO = arena_new();
	const char *name = name_of(a, key, fresh ? FEED_NEXT : FEED_PART);
	if (fresh)
		(void)unlinkat(s->fd, name, 0);
	int fd = openat(s->fd, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | (fresh ? O_CREAT | O_EXCL : 0), 0600);
	if (fd < 0)
		return err_set(err, ERR_IO, "%s/%s: %m", s->path, name);
	int rc = take_lock(fd, err);
	if (rc == 0 && lseek(fd, fresh ? FEED_STORE_HEAD : 0, fresh ? SEEK_SET : SEEK_END) < 0)
		rc = err_set(err, ERR_IO, "%s/%s: %m", s->path, name);
	if (rc != 0)
		(void)close(fd);
	else
		*ret_fd = fd;
	return rc;
}

int feed_store_scratch(struct feed_store *s, int *ret_fd, struct err *err)
{
	int fd = openat(s->fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT))
		fd = memfd_create("feed", MFD_CLOEXEC);
	if (fd < 0)
		return err_set(err, ERR_IO, "%s: %m", s->path);
	*ret_fd = fd;
	return 0;
}

/* --- the page in front --- */

/* Of a server's word only what is short and printable is kept: else it is as if it had said nothing. */
static void put_line(struct buf *out, const char *key, struct str value)
{
	for (size_t i = 0; i < value.len; i++)
		if ((unsigned char)value.ptr[i] < ' ' || (unsigned char)value.ptr[i] > '~')
			return;
	if (value.len > 0 && value.len <= FEED_WORD_MAX)
		buf_printf(out, "%s: %.*s\n", key, STR_ARG(value));
}

static int digest_of(int fd, uint64_t *ret_size, struct sha256 *ret, struct err *err)
{
	struct stat st;
	if (fstat(fd, &st) != 0 || st.st_size < (off_t)FEED_STORE_HEAD)
		return err_set(err, ERR_FORMAT, "cut off");
	size_t size = (size_t)st.st_size;
	char *p = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return err_set(err, ERR_IO, "%m");
	*ret_size = size - FEED_STORE_HEAD;
	*ret = sha256_of((struct str){ p + FEED_STORE_HEAD, (size_t)*ret_size });
	munmap(p, size);
	return 0;
}

int feed_store_note(int fd, const struct feed_entry *e, struct err *err)
{
	struct buf BUF_AUTO page = { 0 };
	struct sha256 sum;
	uint64_t size;
	char text[DIGEST_TEXT_LEN + 1];
	buf_init(&page, FEED_STORE_HEAD);
	buf_put(&page, STR(MAGIC));
	put_line(&page, "url", e->url);
	put_line(&page, "etag", e->etag);
	put_line(&page, "modified", e->modified);
	buf_printf(&page, "date: %lld\n", (long long)e->date);
	if (e->complete) {
		int rc = digest_of(fd, &size, &sum, err);
		if (rc != 0)
			return rc;
		buf_printf(&page, "size: %llu\ndigest: %.*s\n", (unsigned long long)size,
			   STR_ARG(sha256_text(&sum, text)));
		/* The bytes first: a page must not promise what a power cut takes away. */
		if (fsync(fd) != 0)
			return err_set(err, ERR_IO, "%m");
	}
	while (page.len < FEED_STORE_HEAD)
		buf_byte(&page, 0);
	ssize_t n = pwrite(fd, page.ptr, page.len, 0);
	if (n != (ssize_t)page.len || (e->complete && fsync(fd) != 0))
		return err_set(err, ERR_IO, "%m");
	return 0;
}

struct page {
	uint64_t size;
	struct sha256 digest;
	bool sized, sealed;
};

static void take_line(struct arena *a, struct str line, struct feed_entry *e, struct page *p)
{
	uint64_t n;
	if (str_skip(&line, STR("url: ")))
		e->url = str_dup(a, line);
	else if (str_skip(&line, STR("etag: ")))
		e->etag = str_dup(a, line);
	else if (str_skip(&line, STR("modified: ")))
		e->modified = str_dup(a, line);
	else if (str_skip(&line, STR("date: ")) && str_to_u64(line, &n) && n < INT64_MAX)
		e->date = (int64_t)n;
	else if (str_skip(&line, STR("size: ")))
		p->sized = str_to_u64(line, &p->size);
	else if (str_skip(&line, STR("digest: ")))
		p->sealed = sha256_parse(line, &p->digest);
}

static bool read_entry(struct arena *a, int fd, struct feed_entry *ret)
{
	char head[FEED_STORE_HEAD];
	struct err err;
	struct page p = { 0 };
	struct feed_entry e = { .there = true };
	struct sha256 sum;
	if (fs_pread_all(fd, head, sizeof(head), 0, &err) != 0)
		return false;
	struct str rest = { head, sizeof(head) }, line;
	ptrdiff_t end = str_find(rest, '\0');
	rest = str_sub(rest, 0, end < 0 ? 0 : (size_t)end);
	if (!str_skip(&rest, STR(MAGIC)) || !str_ends(rest, STR("\n")) || digest_of(fd, &e.size, &sum, &err) != 0)
		return false;
	while (str_cut(&rest, '\n', &line))
		take_line(a, line, &e, &p);
	e.complete = p.sized && p.sealed;
	if (e.complete && (p.size != e.size || !sha256_eq(&sum, &p.digest)))
		return false;
	e.digest = sum;
	*ret = e;
	return true;
}

void feed_store_look(struct feed_store *s, struct arena *a, struct str key, enum feed_state state, struct feed_entry *ret)
{
	*ret = (struct feed_entry){ 0 };
	const char *name = name_of(a, key, state);
	int fd = openat(s->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return;
	if (!read_entry(a, fd, ret) || (state == FEED_KEPT && !ret->complete)) {
		*ret = (struct feed_entry){ 0 };
		(void)unlinkat(s->fd, name, 0);
	}
	(void)close(fd);
}
