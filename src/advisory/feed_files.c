/* Finding feeds: see feed_files.h. Looks at names alone; what a file is says its content, later and in a worker. */
#include "advisory/feed_files.h"

#include "advisory/feed/feed.h"
#include "base/base.h"
#include "base/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define FOLDER_DEPTH_MAX 16u

/* Test data in feeds' own form, which would make believe that a distribution has three advisories. */
static bool is_sample_folder(const char *name)
{
	struct str s = str_from(name);
	return str_starts(s, STR("samples")) || str_eq(s, STR("osv-sampled")) || str_eq(s, STR("testdata"));
}

static int walk(struct arena *a, int fd, struct str prefix, unsigned depth, struct feed_files *ret, struct err *err);

static int visit(struct arena *a, int fd, const char *name, struct str prefix, unsigned depth, struct feed_files *ret,
		 struct err *err)
{
	struct stat st;
	struct str path = arena_printf(a, "%.*s%s", STR_ARG(prefix), name);
	if (name[0] == '.' || fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return 0;
	if (S_ISDIR(st.st_mode)) {
		if (is_sample_folder(name) || depth == FOLDER_DEPTH_MAX)
			return 0;
		int below = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		return below < 0 ? 0 : walk(a, below, arena_printf(a, "%.*s/", STR_ARG(path)), depth + 1, ret, err);
	}
	if (!S_ISREG(st.st_mode) || !feed_path_fits(path))
		return 0;
	if (ret->len >= FEED_FILES_MAX)
		return err_set(err, ERR_LIMIT, "%.*s: over FEED_FILES_MAX", STR_ARG(path));
	*vec_push(a, ret) = (struct feed_file){ .path = path };
	return 0;
}

/* Closes fd. */
static int walk(struct arena *a, int fd, struct str prefix, unsigned depth, struct feed_files *ret, struct err *err)
{
	DIR *d = fdopendir(fd);
	if (!d) {
		close(fd);
		return err_set(err, ERR_IO, "%.*s: %m", STR_ARG(prefix));
	}
	int rc = 0;
	for (struct dirent *e; rc == 0 && (e = readdir(d));)
		rc = visit(a, dirfd(d), e->d_name, prefix, depth, ret, err);
	closedir(d);
	return rc;
}

static int cmp_paths(const void *a, const void *b)
{
	const struct feed_file *x = a, *y = b;
	return str_cmp(x->path, y->path);
}

int feed_files_below(struct arena *a, const char *folder, struct feed_files *ret, struct err *err)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %m", folder);
	struct feed_files found = { 0 };
	int rc = walk(a, fd, (struct str){ 0 }, 0, &found, err);
	if (rc != 0)
		return rc;
	if (found.len > 1)
		qsort(found.ptr, found.len, sizeof(*found.ptr), cmp_paths);
	*ret = found;
	return 0;
}

static int manifest_row(struct arena *a, struct str line, struct feed_files *ret, struct err *err)
{
	struct str field[4] = { 0 }, part;
	size_t n = 0;
	while (str_cut(&line, '|', &part)) {
		if (n == COUNT_OF(field))
			return err_set(err, ERR_FORMAT, "more than four fields");
		field[n++] = str_trim(part);
	}
	struct feed_file f = {
		.path = field[0], .licence = field[1], .attribution = field[2], .updated = feed_date(field[3])
	};
	if (n != COUNT_OF(field) || f.path.len == 0 || f.licence.len == 0 || f.updated == 0)
		return err_set(err, ERR_FORMAT, "not \"PATH | LICENCE | ATTRIBUTION | YYYY-MM-DD\"");
	/* It names what stands below the folder of feeds and nothing else. */
	if (f.path.ptr[0] == '/' || str_contains(f.path, STR("..")))
		return err_set(err, ERR_FORMAT, "%.*s: not a path below the folder of feeds", STR_ARG(f.path));
	*vec_push(a, ret) = f;
	return 0;
}

int feed_files_of_manifest(struct arena *a, const char *manifest, struct feed_files *ret, struct err *err)
{
	struct str text, line;
	int rc = fs_read(a, manifest, FEED_MANIFEST_SIZE_MAX, &text, err);
	if (rc != 0)
		return rc;
	struct feed_files found = { 0 };
	unsigned number = 0;
	while (str_cut(&text, '\n', &line)) {
		number++;
		line = str_trim(line);
		if (line.len == 0 || line.ptr[0] == '#')
			continue;
		rc = manifest_row(a, line, &found, err);
		if (rc != 0)
			return err_wrap(err, "%s:%u", manifest, number);
	}
	*ret = found;
	return 0;
}
