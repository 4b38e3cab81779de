/* A layer that lies as a folder in a store: the walk over it, for layer_read_tree in layer.h. Runs in a tree worker; the
 * names and what stands in the files are an image's, so nothing is followed: links are read, folders are entered by
 * descriptor, and only what the collector wants is opened.
 * Overlay's marks: Documentation/filesystems/overlayfs.rst of Linux (whiteouts and opaque directories, redirect_dir,
 * metacopy, xwhiteouts); fuse-overlayfs writes AUFS's names or attributes of its own. */
#include "image/layer_build.h"

#include "base/base.h"
#include "base/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#define OPEN_FOLDER (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define OPEN_FILE (O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
#define SNIFF_SIZE 64

/* What overlay has written on a folder or file. */
struct marks {
	bool opaque;
	bool xwhiteouts; /* files in this folder may be whiteouts by attribute */
	bool whiteout;
	bool metacopy;   /* only metadata lies here, the content is in a layer below */
	bool redirected; /* what it was called below */
};

struct level {
	DIR *dir;
	size_t path_len; /* of the folder's path in walk.path */
	bool xwhiteouts;
};

struct tree_walk {
	struct layer_build build;
	enum layer_folder_form form;
	struct level levels[TREE_DEPTH_MAX];
	unsigned depth;
	char path[TAR_PATH_MAX];
};

static bool mark_is(int fd, const char *name, const char *value)
{
	char text[OVERLAY_MARK_SIZE_MAX];
	ssize_t n = fgetxattr(fd, name, text, sizeof(text));
	return n > 0 && str_eq((struct str){ text, (size_t)n }, str_from(value));
}

static void take_mark(int fd, const char *name, struct marks *m)
{
	static const char *const families[] = { "trusted.overlay.", "user.overlay.", "user.fuseoverlayfs." };
	struct str rest = str_from(name);
	for (size_t i = 0; i < COUNT_OF(families); i++) {
		if (!str_skip(&rest, str_from(families[i])))
			continue;
		if (str_eq(rest, STR("opaque"))) {
			m->opaque = m->opaque || mark_is(fd, name, "y");
			m->xwhiteouts = m->xwhiteouts || mark_is(fd, name, "x");
		}
		m->whiteout = m->whiteout || str_eq(rest, STR("whiteout"));
		m->metacopy = m->metacopy || str_eq(rest, STR("metacopy"));
		m->redirected = m->redirected || str_eq(rest, STR("redirect"));
		return;
	}
}

/* One system call where there are no attributes, as nearly everywhere. */
static struct marks marks_of(int fd)
{
	struct marks m = { 0 };
	char names[XATTR_NAMES_SIZE_MAX];
	ssize_t n = flistxattr(fd, names, sizeof(names));
	for (size_t at = 0; n > 0 && at < (size_t)n;) {
		struct str rest = { names + at, (size_t)n - at };
		ptrdiff_t end = str_find(rest, '\0');
		if (end < 0)
			break;
		take_mark(fd, names + at, &m);
		at += (size_t)end + 1;
	}
	return m;
}

static struct str path_of(const struct tree_walk *w, size_t len)
{
	return (struct str){ w->path, len };
}

/* The path of a name in the folder where the walk stands; false if it is too long. */
static bool join(struct tree_walk *w, struct str name, struct str *ret)
{
	size_t len = w->levels[w->depth - 1].path_len;
	size_t slash = len ? 1 : 0;
	if (name.len + len + slash > sizeof(w->path))
		return false;
	if (slash)
		w->path[len] = '/';
	memcpy(w->path + len + slash, name.ptr, name.len);
	*ret = path_of(w, len + slash + name.len);
	return true;
}

static void closed(struct tree_walk *w)
{
	w->build.facts->closed++;
}

/* Into the folder fd, which becomes the walk's. */
static void enter(struct tree_walk *w, int fd, size_t path_len)
{
	struct marks m = w->form == FOLDER_WHOLE ? (struct marks){ 0 } : marks_of(fd);
	DIR *d = w->depth < TREE_DEPTH_MAX ? fdopendir(fd) : NULL;
	if (!d) {
		w->build.facts->dropped++;
		close(fd);
		return;
	}
	if (m.opaque)
		(void)layer_build_keep(&w->build, ENTRY_OPAQUE, path_of(w, path_len), (struct str){ 0 });
	w->build.facts->redirected += m.redirected;
	w->levels[w->depth++] = (struct level){ .dir = d, .path_len = path_len, .xwhiteouts = m.xwhiteouts };
}

static void take_folder(struct tree_walk *w, int parent, const char *name, struct str path)
{
	(void)path_set_put(&w->build.paths, path, PATH_FOLDER);
	int fd = openat(parent, name, OPEN_FOLDER);
	if (fd < 0)
		closed(w);
	else
		enter(w, fd, path.len);
}

static void take_link(struct tree_walk *w, int parent, const char *name, struct str path)
{
	char target[LINK_PATH_MAX];
	ssize_t n = readlinkat(parent, name, target, sizeof(target));
	(void)path_set_put(&w->build.paths, path, PATH_OTHER);
	if (n <= 0 || (size_t)n == sizeof(target))
		w->build.facts->refused++;
	else
		(void)layer_build_keep(&w->build, ENTRY_SYMLINK, path, (struct str){ target, (size_t)n });
}

/* What the collector makes of an open file that it wanted by its name. */
static void take_content(struct tree_walk *w, struct str path, int fd, uint64_t size)
{
	const struct layer_collector *c = w->build.collector;
	struct content content = { .fd = fd, .size = size };
	struct err err = { 0 };
	char head[SNIFF_SIZE];
	size_t n = size < sizeof(head) ? (size_t)size : sizeof(head);
	bool extra = layer_build_extra(&w->build, path);
	enum layer_want want = c->want(c->ctx, path, size, &err);
	if (want == WANT_REFUSED) {
		layer_build_file(&w->build, path, NULL, &err);
		return;
	}
	if (want == WANT_NO && !extra)
		return;
	if (content_read(&content, 0, head, n, &err) < 0) {
		layer_build_file(&w->build, path, NULL, &err);
		return;
	}
	if (!extra && !c->sniff(c->ctx, path, (struct str){ head, n }))
		return;
	struct str text;
	struct arena *ARENA_AUTO tmp = arena_new();
	if (size <= RPMDB_MEMORY_MAX) {
		if (fs_read_fd(tmp, fd, RPMDB_MEMORY_MAX, &text, &err) < 0) {
			layer_build_file(&w->build, path, NULL, &err);
			return;
		}
		content = content_of(text);
	}
	layer_build_file(&w->build, path, &content, NULL);
}

/* A regular file whose name somebody wants, or that may be a mark. */
static void open_file(struct tree_walk *w, int parent, const char *name, struct str path)
{
	struct stat st;
	struct err err = { 0 };
	int fd = openat(parent, name, OPEN_FILE);
	if (fd < 0 || fstat(fd, &st) < 0) {
		(void)path_set_put(&w->build.paths, path, PATH_OTHER);
		err_set(&err, ERR_IO, "%m");
		layer_build_file(&w->build, path, NULL, &err);
		if (fd >= 0)
			close(fd);
		return;
	}
	struct marks m = w->form == FOLDER_WHOLE ? (struct marks){ 0 } : marks_of(fd);
	if (m.whiteout && st.st_size == 0) {
		(void)layer_build_keep(&w->build, ENTRY_WHITEOUT, path, (struct str){ 0 });
	} else if (m.metacopy) {
		/* The content is that of the file below: as if nothing stood here, unless that has another name. */
		w->build.facts->redirected += m.redirected;
	} else {
		(void)path_set_put(&w->build.paths, path, PATH_OTHER);
		if (S_ISREG(st.st_mode))
			take_content(w, path, fd, (uint64_t)st.st_size);
	}
	close(fd);
}

static void take_file(struct tree_walk *w, int parent, const char *name, struct str path)
{
	const struct layer_collector *c = w->build.collector;
	struct err ignored = { 0 };
	bool wanted = layer_build_extra(&w->build, path) || c->want(c->ctx, path, 1, &ignored) != WANT_NO;
	if (wanted || w->levels[w->depth - 1].xwhiteouts)
		open_file(w, parent, name, path);
	else
		(void)path_set_put(&w->build.paths, path, PATH_OTHER);
}

static bool is_whiteout_device(int parent, const char *name)
{
	struct stat st;
	return fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == 0;
}

/* Some file systems do not say what an entry is. */
static unsigned char type_of(int parent, const struct dirent *e)
{
	struct stat st;
	if (e->d_type != DT_UNKNOWN)
		return e->d_type;
	if (fstatat(parent, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return DT_UNKNOWN;
	return (unsigned char)IFTODT(st.st_mode);
}

static void take_entry(struct tree_walk *w, const struct dirent *e)
{
	int parent = dirfd(w->levels[w->depth - 1].dir);
	struct str name = str_from(e->d_name), path;
	if (str_eq(name, STR(".")) || str_eq(name, STR("..")))
		return;
	if (!join(w, name, &path)) {
		w->build.facts->refused++;
		return;
	}
	unsigned char type = type_of(parent, e);
	if (w->form == FOLDER_FUSE && type != DT_DIR && layer_build_mark(&w->build, path))
		return;
	switch (type) {
	case DT_DIR:
		take_folder(w, parent, e->d_name, path);
		return;
	case DT_LNK:
		take_link(w, parent, e->d_name, path);
		return;
	case DT_REG:
		take_file(w, parent, e->d_name, path);
		return;
	case DT_CHR:
		if (w->form != FOLDER_WHOLE && is_whiteout_device(parent, e->d_name)) {
			(void)layer_build_keep(&w->build, ENTRY_WHITEOUT, path, (struct str){ 0 });
			return;
		}
		break;
	default:
		break;
	}
	(void)path_set_put(&w->build.paths, path, PATH_OTHER);
}

static void walk(struct tree_walk *w)
{
	while (w->depth) {
		struct level *level = &w->levels[w->depth - 1];
		errno = 0;
		const struct dirent *e = readdir(level->dir);
		if (e) {
			take_entry(w, e);
			continue;
		}
		if (errno)
			closed(w);
		closedir(level->dir);
		w->depth--;
	}
}

int layer_read_tree(struct arena *a, int root_fd, enum layer_folder_form form, const struct layer_collector *collector,
                    const struct layer_extra *extra, struct layer_facts *ret, struct err *err)
{
	struct layer_facts facts = { .plain = true };
	struct tree_walk *w = arena_alloc(a, sizeof(*w));
	int fd = openat(root_fd, ".", OPEN_FOLDER);
	if (fd < 0)
		return err_set(err, errno == EACCES ? ERR_ACCESS : ERR_IO, "open folder: %m");
	w->form = form;
	layer_build_init(&w->build, a, collector, extra, &facts);
	if (form == FOLDER_WHOLE)
		(void)layer_build_keep(&w->build, ENTRY_OPAQUE, (struct str){ 0 }, (struct str){ 0 });
	enter(w, fd, 0);
	walk(w);
	layer_build_finish(&w->build);
	layer_build_done(&w->build);
	*ret = facts;
	return 0;
}
