/* tree_open: look-ups confined to a folder, see fs.h.
 * The path is walked one component at a time with O_NOFOLLOW; links are read and their text is put in front of what is
 * left; an absolute link starts again at the root; ".." at the root stays there. The walk remembers device and inode
 * of every folder on its way, so that ".." cannot lead out of the tree while somebody moves folders about.
 * It must never open what is not a regular file or folder: opening a fifo blocks, opening a device can do things. */
#include "base/base.h"
#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

struct place {
	dev_t dev;
	ino_t ino;
};

struct walk {
	int root_fd;
	int fd;               /* O_PATH, of the folder where the walk stands; -1 at first */
	struct place *places; /* of the folders from the root to here */
	size_t len, cap;
	char *text;           /* what `rest` points into, once a link was followed */
	struct str rest;
	unsigned links;
	struct err *err;
};

#define OPEN_FOLDER (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
/* O_NONBLOCK: should a fifo slip in between stat and open, the open returns. */
#define OPEN_FILE (O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

static int fail_errno(struct walk *w, const char *what)
{
	bool absent = errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG;
	return err_set(w->err, absent ? ERR_NOT_FOUND : ERR_IO, "%s: %m", what);
}

static void push_place(struct walk *w, const struct stat *st)
{
	if (w->len == w->cap) {
		w->cap = w->cap ? w->cap * 2 : 32;
		w->places = xrealloc(w->places, w->cap * sizeof(*w->places));
	}
	w->places[w->len++] = (struct place){ st->st_dev, st->st_ino };
}

/* Stand in the folder fd (which becomes the walk's). */
static int enter(struct walk *w, int fd, struct stat *st)
{
	if (fd < 0)
		return fail_errno(w, "open folder");
	if (fstat(fd, st) != 0) {
		int r = fail_errno(w, "stat");
		(void)close(fd);
		return r;
	}
	if (w->fd >= 0)
		(void)close(w->fd);
	w->fd = fd;
	return 0;
}

static int go_root(struct walk *w)
{
	struct stat st;
	w->len = 0;
	int r = enter(w, openat(w->root_fd, ".", OPEN_FOLDER), &st);
	if (r == 0)
		push_place(w, &st);
	return r;
}

static int go_up(struct walk *w)
{
	struct stat st = { 0 };
	if (w->len == 1)
		return 0;
	int r = enter(w, openat(w->fd, "..", OPEN_FOLDER), &st);
	if (r != 0)
		return r;
	const struct place *want = &w->places[--w->len - 1];
	if (st.st_dev != want->dev || st.st_ino != want->ino)
		return err_set(w->err, ERR_IO, "a folder was moved during the look-up");
	return 0;
}

static int go_down(struct walk *w, const char *name)
{
	struct stat st;
	int r = enter(w, openat(w->fd, name, OPEN_FOLDER), &st);
	if (r == 0)
		push_place(w, &st);
	return r;
}

/* The text of the link in front of what is left of the path. */
static int follow(struct walk *w, const char *name)
{
	char target[PATH_MAX];
	if (++w->links > SYMLINKS_MAX)
		return err_set(w->err, ERR_FORMAT, "more symbolic links than SYMLINKS_MAX");
	ssize_t n = readlinkat(w->fd, name, target, sizeof(target));
	if (n < 0)
		return fail_errno(w, "read link");
	if (n == 0 || (size_t)n == sizeof(target))
		return err_set(w->err, ERR_FORMAT, "symbolic link with an impossible target");
	size_t len = (size_t)n + w->rest.len;
	char *text = xmalloc(len);
	memcpy(text, target, (size_t)n);
	if (w->rest.len)
		memcpy(text + n, w->rest.ptr, w->rest.len); /* begins with its slash */
	free(w->text);
	w->text = text;
	w->rest = (struct str){ text, len };
	return text[0] == '/' ? go_root(w) : 0;
}

/* The regular file `name` in the walk's folder. */
static int open_file(struct walk *w, const char *name, int *ret_fd)
{
	struct stat st;
	int fd = openat(w->fd, name, OPEN_FILE);
	if (fd < 0)
		return fail_errno(w, "open");
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		(void)close(fd);
		return err_set(w->err, ERR_FORMAT, "no regular file");
	}
	*ret_fd = fd;
	return 0;
}

static int open_folder(struct walk *w, int *ret_fd)
{
	int fd = openat(w->fd, ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return fail_errno(w, "open folder");
	*ret_fd = fd;
	return 0;
}

/* One component that is neither "." nor "..". *done where it was a file and is open now. */
static int step(struct walk *w, const char *name, bool want_dir, bool *done, int *ret_fd)
{
	struct stat st;
	if (fstatat(w->fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return fail_errno(w, "look up");
	if (S_ISLNK(st.st_mode))
		return follow(w, name);
	if (S_ISDIR(st.st_mode))
		return go_down(w, name);
	if (w->rest.len > 0)
		return err_set(w->err, ERR_NOT_FOUND, "a part of the path is no folder");
	if (want_dir)
		return err_set(w->err, ERR_FORMAT, "no folder");
	if (!S_ISREG(st.st_mode))
		return err_set(w->err, ERR_FORMAT, "no regular file");
	*done = true;
	return open_file(w, name, ret_fd);
}

/* The next component off the front of `rest`, leaving what follows with its slash. False at the end. */
static bool next_component(struct walk *w, struct str *ret)
{
	size_t from = 0;
	while (from < w->rest.len && w->rest.ptr[from] == '/')
		from++;
	size_t to = from;
	while (to < w->rest.len && w->rest.ptr[to] != '/')
		to++;
	*ret = str_sub(w->rest, from, to);
	w->rest = str_sub(w->rest, to, w->rest.len);
	return ret->len > 0;
}

static int walk_path(struct walk *w, bool want_dir, int *ret_fd)
{
	struct str part;
	bool done = false;
	int r = go_root(w);
	while (r == 0 && !done && next_component(w, &part)) {
		char name[NAME_MAX + 1];
		if (part.len > NAME_MAX)
			return err_set(w->err, ERR_NOT_FOUND, "a name longer than NAME_MAX");
		memcpy(name, part.ptr, part.len);
		name[part.len] = '\0';
		if (str_eq(part, STR(".")))
			continue;
		r = str_eq(part, STR("..")) ? go_up(w) : step(w, name, want_dir, &done, ret_fd);
	}
	if (r != 0 || done)
		return r;
	return want_dir ? open_folder(w, ret_fd) : err_set(w->err, ERR_FORMAT, "no regular file but a folder");
}

int tree_open(int root_fd, struct str path, bool want_dir, int *ret_fd, struct err *err)
{
	struct walk w = { .root_fd = root_fd, .fd = -1, .rest = path, .err = err };
	if (path.len > TAR_PATH_MAX)
		return err_set(err, ERR_LIMIT, "a path longer than TAR_PATH_MAX");
	if (str_find(path, '\0') >= 0)
		return err_set(err, ERR_FORMAT, "a path with a NUL byte");
	int r = walk_path(&w, want_dir, ret_fd);
	if (w.fd >= 0)
		(void)close(w.fd);
	free(w.places);
	free(w.text);
	if (r != 0)
		(void)err_wrap(err, "%.*s", STR_ARG(path));
	return r;
}
