/* Whole files in and out: see fs.h. Descriptors are always O_CLOEXEC; what is read is capped before memory is taken. */
#include "base/fs.h"
#include "base/base.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define READ_STEP ((size_t)65536)

static ssize_t read_some(int fd, void *p, size_t n)
{
	ssize_t got;
	do
		got = read(fd, p, n);
	while (got < 0 && errno == EINTR);
	return got;
}

static int over_limit(size_t size_max, struct err *err)
{
	return err_set(err, ERR_LIMIT, "larger than %zu bytes", size_max);
}

/* A file whose size is not known or was not true (pipes, /proc): behind the bytes that are in the buffer. */
static int read_rest(int fd, struct buf *b, struct err *err)
{
	for (;;) {
		size_t room = b->max - b->len;
		char more;
		if (room == 0) {
			ssize_t n = read_some(fd, &more, 1);
			if (n == 0)
				return 0;
			return n < 0 ? err_set(err, ERR_IO, "read: %m") : over_limit(b->max, err);
		}
		size_t step = room < READ_STEP ? room : READ_STEP;
		(void)buf_reserve(b, step);
		ssize_t n = read_some(fd, b->ptr + b->len, step);
		if (n < 0)
			return err_set(err, ERR_IO, "read: %m");
		if (n == 0)
			return 0;
		b->len += (size_t)n;
	}
}

static int read_unknown(struct arena *a, int fd, struct str head, size_t size_max, struct str *ret, struct err *err)
{
	struct buf BUF_AUTO b = { 0 };
	buf_init(&b, size_max);
	if (!buf_put(&b, head))
		return over_limit(size_max, err);
	int r = read_rest(fd, &b, err);
	if (r == 0)
		*ret = str_dup(a, buf_view(&b));
	return r;
}

int fs_read_fd(struct arena *a, int fd, size_t size_max, struct str *ret, struct err *err)
{
	struct stat st;
	struct str all = { 0 };
	if (fstat(fd, &st) != 0)
		return err_set(err, ERR_IO, "stat: %m");
	off_t at = S_ISREG(st.st_mode) ? lseek(fd, 0, SEEK_CUR) : -1;
	if (at < 0 || st.st_size <= at)
		return read_unknown(a, fd, all, size_max, ret, err);
	size_t size = (size_t)(st.st_size - at);
	if (size > size_max)
		return over_limit(size_max, err);
	/* Room for one byte more tells a file that has grown from one that has ended. */
	char *p = arena_alloc(a, size + 1);
	while (all.len <= size) {
		ssize_t n = read_some(fd, p + all.len, size + 1 - all.len);
		if (n < 0)
			return err_set(err, ERR_IO, "read: %m");
		if (n == 0) {
			*ret = (struct str){ p, all.len };
			return 0;
		}
		all = (struct str){ p, all.len + (size_t)n };
	}
	return read_unknown(a, fd, all, size_max, ret, err);
}

int fs_read(struct arena *a, const char *path, size_t size_max, struct str *ret, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		int code = errno == ENOENT || errno == ENOTDIR ? ERR_NOT_FOUND : ERR_IO;
		return err_set(err, code, "open %s: %m", path);
	}
	int r = fs_read_fd(a, fd, size_max, ret, err);
	if (r != 0)
		(void)err_wrap(err, "%s", path);
	(void)close(fd);
	return r;
}

static int write_all(int fd, struct str content)
{
	while (content.len > 0) {
		ssize_t n = write(fd, content.ptr, content.len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		content = str_sub(content, (size_t)n, content.len);
	}
	return 0;
}

/* A name beside `path` that nobody uses. */
static char *name_beside(const char *path)
{
	static unsigned counter;
	size_t size = strlen(path) + 64;
	char *name = xmalloc(size);
	unsigned n = __atomic_add_fetch(&counter, 1, __ATOMIC_RELAXED);
	(void)snprintf(name, size, "%s.%ld-%u.new", path, (long)getpid(), n);
	return name;
}

/* The folder that `path` lies in; to be freed. */
static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	if (!folder)
		abort();
	return folder;
}

/* A file being written: without a name, so that nothing is left of it should the program be killed; or, where the file
 * system has no such files, under one of its own. */
struct draft {
	int fd;
	char *name; /* NULL: none yet */
};

static int draft_open(const char *path, mode_t mode, struct draft *ret, struct err *err)
{
	char *folder = folder_of(path);
	/* By /proc alone can it be named later; a bare root file system has none. */
	*ret = (struct draft){ .fd = access("/proc/self/fd", X_OK) == 0 ? open(folder, O_WRONLY | O_TMPFILE | O_CLOEXEC, mode) : -1 };
	free(folder);
	if (ret->fd >= 0)
		return 0;
	for (int tries = 0; tries < 100; tries++) {
		char *name = name_beside(path);
		int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
		if (fd >= 0) {
			*ret = (struct draft){ fd, name };
			return 0;
		}
		int saved = errno;
		if (saved != EEXIST)
			tries = 100;
		free(name);
		errno = saved;
	}
	return err_set(err, ERR_IO, "create a file beside %s: %m", path);
}

/* Give it a name. A file without one is linked under a name of its own first: only a rename replaces what is there. */
static int draft_name(struct draft *d, const char *path, struct err *err)
{
	char from[64];
	if (d->name)
		return 0;
	(void)snprintf(from, sizeof(from), "/proc/self/fd/%d", d->fd);
	for (int tries = 0; tries < 100; tries++) {
		char *name = name_beside(path);
		if (linkat(AT_FDCWD, from, AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0) {
			d->name = name;
			return 0;
		}
		int saved = errno;
		free(name);
		errno = saved;
		if (saved != EEXIST)
			break;
	}
	return err_set(err, ERR_IO, "name a file beside %s: %m", path);
}

/* So that the rename itself survives a power cut; a folder that cannot be synced (some network file systems) is no
 * reason to fail. */
static void sync_folder(const char *path)
{
	char *folder = folder_of(path);
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(folder);
	if (fd < 0)
		return;
	(void)fsync(fd);
	(void)close(fd);
}

static int write_draft(struct draft *d, const char *path, struct str content, bool sync, struct err *err)
{
	if (write_all(d->fd, content) != 0 || (sync && fsync(d->fd) != 0))
		return err_set(err, ERR_IO, "write %s: %m", path);
	int r = draft_name(d, path, err);
	if (r == 0 && rename(d->name, path) != 0)
		r = err_set(err, ERR_IO, "rename %s to %s: %m", d->name, path);
	return r;
}

static int replace(const char *path, struct str content, mode_t mode, bool sync, struct err *err)
{
	struct draft d;
	int r = draft_open(path, mode, &d, err);
	if (r != 0)
		return r;
	r = write_draft(&d, path, content, sync, err);
	if (close(d.fd) != 0 && r == 0)
		r = err_set(err, ERR_IO, "write %s: %m", path);
	if (r != 0 && d.name)
		(void)unlink(d.name);
	else if (r == 0 && sync)
		sync_folder(path);
	free(d.name);
	return r;
}

int fs_replace(const char *path, struct str content, mode_t mode, struct err *err)
{
	return replace(path, content, mode, true, err);
}

int fs_replace_unsynced(const char *path, struct str content, mode_t mode, struct err *err)
{
	return replace(path, content, mode, false, err);
}

int fs_rename(const char *from, const char *to, struct err *err)
{
	if (rename(from, to) != 0)
		return err_set(err, ERR_IO, "rename %s to %s: %m", from, to);
	sync_folder(to);
	return 0;
}

static int make_dir(const char *path, mode_t mode, struct err *err)
{
	struct stat st;
	if (mkdir(path, mode) == 0)
		return 0;
	int saved = errno;
	if (stat(path, &st) == 0) {
		if (S_ISDIR(st.st_mode))
			return 0;
		saved = ENOTDIR;
	}
	errno = saved;
	return err_set(err, ERR_IO, "make folder %s: %m", path);
}

int fs_make_dirs(const char *path, mode_t mode, struct err *err)
{
	char *part = strdup(path);
	int r = 0;
	if (!part)
		abort();
	for (char *p = part; r == 0 && *p; p++) {
		if (*p != '/' || p == part || p[-1] == '/')
			continue;
		*p = '\0';
		r = make_dir(part, mode, err);
		*p = '/';
	}
	if (r == 0)
		r = make_dir(path, mode, err);
	free(part);
	return r;
}

int fs_pread_all(int fd, void *p, size_t n, uint64_t offset, struct err *err)
{
	char *to = p;
	while (n > 0) {
		if (offset > INT64_MAX)
			return err_set(err, ERR_FORMAT, "offset out of range");
		ssize_t got = pread(fd, to, n, (off_t)offset);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_set(err, ERR_IO, "read at %llu: %m", (unsigned long long)offset);
		if (got == 0)
			return err_set(err, ERR_FORMAT, "the file ends at %llu, before it should",
			               (unsigned long long)offset);
		to += got;
		n -= (size_t)got;
		offset += (uint64_t)got;
	}
	return 0;
}

struct str path_fold_usr(struct str path)
{
	static const char *const merged[] = { "bin/", "sbin/", "lib/", "lib32/", "lib64/", "libx32/" };
	struct str rest = path;
	if (!str_skip(&rest, STR("usr/")))
		return path;
	for (size_t i = 0; i < COUNT_OF(merged); i++)
		if (str_starts(rest, str_from(merged[i])))
			return rest;
	return path;
}
