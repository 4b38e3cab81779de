/* For tests that read public data from the folder named by PLIMSOLL_SHARED, and for tests that need a folder of their
 * own. A test whose data is missing says so and skips. */
#ifndef PLIMSOLL_TESTS_SHARED_DATA_H
#define PLIMSOLL_TESTS_SHARED_DATA_H

#include "base/base.h"

#include <ftw.h>
#include <unistd.h>

/* Path of a file below the shared folder, in the arena; NULL (and a line on stderr) where it is missing. */
static inline const char *shared_path(struct arena *a, const char *name)
{
	const char *root = getenv("PLIMSOLL_SHARED");
	const char *path = arena_printf(a, "%s/%s", root ? root : "", name).ptr;
	if (root && access(path, R_OK) == 0)
		return path;
	fprintf(stderr, "skipped: no %s below PLIMSOLL_SHARED\n", name);
	return NULL;
}

static inline const char *temp_folder(struct arena *a)
{
	const char *base = getenv("TMPDIR");
	char *path = str_cstr(a, arena_printf(a, "%s/plimsoll-test-XXXXXX", base ? base : "/tmp"));
	if (!mkdtemp(path))
		abort();
	return path;
}

static inline void run(struct arena *a, const char *command, const char *path)
{
	if (system(arena_printf(a, "%s '%s'", command, path).ptr) != 0) {
		fprintf(stderr, "failed: %s '%s'\n", command, path);
		abort();
	}
}

static inline void remove_folder(struct arena *a, const char *path)
{
	run(a, "rm -rf", path);
}

static inline void unpack(struct arena *a, const char *archive, const char *folder)
{
	run(a, arena_printf(a, "tar -xzf '%s' -C", archive).ptr, folder);
}

/* The whole file as an exact allocation of its own (free .ptr), so that a sanitizer sees a read behind its end. */
static inline struct str slurp(const char *path)
{
	FILE *f = fopen(path, "rb");
	if (!f || fseek(f, 0, SEEK_END) != 0)
		abort();
	size_t n = (size_t)ftell(f);
	rewind(f);
	char *p = xmalloc(n);
	if (fread(p, 1, n, f) != n)
		abort();
	fclose(f);
	return (struct str){ p, n };
}

/* Every regular file below the folder. */
static void (*each_file_do)(const char *path);

static inline int each_file_step(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	if (type == FTW_F)
		each_file_do(path);
	return 0;
}

static inline void each_file(const char *folder, void (*what)(const char *path))
{
	each_file_do = what;
	if (nftw(folder, each_file_step, 16, FTW_PHYS) != 0)
		abort();
}

#endif
