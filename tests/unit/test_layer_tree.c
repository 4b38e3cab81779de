/* A layer that lies as a folder: overlay's marks in every spelling, what only root can make, and trees that bite. The
 * folders are made here with the system's own calls; marks in trusted.* and devices need root, else they are left out. */
#include "image/merge.h"

#include "base/base.h"
#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static char root[64];
static struct arena *arena;

static enum layer_want want_status(void *ctx, struct str path, uint64_t size, struct err *why)
{
	(void)ctx;
	(void)size;
	(void)why;
	return str_ends(path, STR("status")) ? WANT_YES : WANT_NO;
}

static bool sniff_p(void *ctx, struct str path, struct str head)
{
	(void)ctx;
	(void)path;
	return str_starts(head, STR("P"));
}

static void collect_text(void *ctx, struct str path, const struct content *c, struct buf *payload)
{
	char text[16];
	struct err err;
	(void)ctx;
	(void)path;
	size_t n = c->size < sizeof(text) ? (size_t)c->size : sizeof(text);
	assert_int_equal(content_read(c, 0, text, n, &err), 0);
	buf_put(payload, (struct str){ text, n });
}

static void refuse_text(void *ctx, struct str path, const struct err *why, struct buf *payload)
{
	(void)ctx;
	(void)path;
	(void)why;
	buf_put(payload, STR("refused"));
}

static const struct layer_collector collector = { want_status, sniff_p, collect_text, refuse_text, NULL };

static const char *at(const char *path)
{
	return str_cstr(arena, arena_printf(arena, "%s/%s", root, path));
}

static void folder(const char *path)
{
	struct err err;
	assert_int_equal(fs_make_dirs(at(path), 0755, &err), 0);
}

static void file(const char *path, const char *text)
{
	struct err err;
	assert_int_equal(fs_replace(at(path), str_from(text), 0644, &err), 0);
}

static struct layer_facts read_tree(enum layer_folder_form form, const struct layer_extra *extra)
{
	static const struct layer_extra none;
	struct layer_facts facts;
	struct err err = { 0 };
	int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(layer_read_tree(arena, fd, form, &collector, extra ? extra : &none, &facts, &err), 0);
	close(fd);
	/* What goes over the pipe is the same. */
	struct buf BUF_AUTO b = { 0 };
	buf_init(&b, MIB * 64);
	layer_facts_encode(&facts, &b);
	struct reader r = reader_of(str_dup(arena, buf_view(&b)));
	struct layer_facts again;
	layer_facts_decode(arena, &r, &again);
	assert_false(r.bad);
	assert_int_equal(again.entry_count, facts.entry_count);
	assert_int_equal(again.closed, facts.closed);
	assert_int_equal(again.redirected, facts.redirected);
	return again;
}

static bool has(const struct layer_facts *f, const char *path, enum layer_entry_kind kind)
{
	return layer_find(f, str_from(path), kind) != NULL;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int setup(void **state)
{
	(void)state;
	arena = arena_new();
	memcpy(root, "/var/tmp/plimsoll-tree-XXXXXX", sizeof("/var/tmp/plimsoll-tree-XXXXXX"));
	return mkdtemp(root) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	(void)nftw(root, remove_one, 32, FTW_DEPTH | FTW_PHYS);
	arena_free(arena);
	return 0;
}

static void files_links_and_folders(void **state)
{
	(void)state;
	folder("var/lib/dpkg");
	file("var/lib/dpkg/status", "Package: a");
	file("var/lib/dpkg/other", "Package: b");
	file("var/lib/status", "no head of that kind");
	assert_int_equal(symlink("../lib", at("var/link")), 0);
	assert_int_equal(mkfifo(at("var/status"), 0600), 0);
	struct layer_facts f = read_tree(FOLDER_OVERLAY, NULL);
	const struct layer_entry *e = layer_find(&f, STR("var/lib/dpkg/status"), ENTRY_FILE);
	assert_non_null(e);
	assert_true(str_eq(e->payload, STR("Package: a")));
	assert_false(has(&f, "var/lib/status", ENTRY_FILE));
	assert_true(str_eq(layer_find(&f, STR("var/link"), ENTRY_SYMLINK)->link, STR("../lib")));
	assert_int_equal(path_set_find(f.paths, STR("var/lib")), PATH_FOLDER);
	assert_int_equal(path_set_find(f.paths, STR("var/lib/dpkg/other")), PATH_OTHER);
	assert_int_equal(path_set_find(f.paths, STR("var/status")), PATH_OTHER);
	assert_int_equal(path_set_find(f.paths, STR("var/none")), PATH_NONE);
	assert_false(has(&f, "var/status", ENTRY_FILE));
	/* A second look takes what it was told, whatever its name. */
	struct str paths[] = { STR_INIT("var/lib/dpkg/other") };
	struct layer_extra extra = { paths, 1 };
	f = read_tree(FOLDER_OVERLAY, &extra);
	assert_true(has(&f, "var/lib/dpkg/other", ENTRY_FILE));
}

static bool mark(const char *path, const char *name, const char *value)
{
	if (setxattr(at(path), name, value, strlen(value), 0) == 0)
		return true;
	print_message("%s cannot be set here: %s\n", name, strerror(errno));
	return false;
}

static void whiteouts_of_the_kernel(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	folder("etc");
	assert_int_equal(mknod(at("etc/gone"), S_IFCHR | 0600, makedev(0, 0)), 0);
	assert_int_equal(mknod(at("etc/null"), S_IFCHR | 0600, makedev(1, 3)), 0);
	struct layer_facts f = read_tree(FOLDER_OVERLAY, NULL);
	assert_true(has(&f, "etc/gone", ENTRY_WHITEOUT));
	assert_int_equal(path_set_find(f.paths, STR("etc/gone")), PATH_NONE);
	assert_false(has(&f, "etc/null", ENTRY_WHITEOUT));
	f = read_tree(FOLDER_WHOLE, NULL);
	assert_false(has(&f, "etc/gone", ENTRY_WHITEOUT));
	assert_true(has(&f, "", ENTRY_OPAQUE));
}

static void opaque_folders(void **state)
{
	(void)state;
	folder("trusted/a");
	folder("user/a");
	folder("fuse/a");
	folder("not/a");
	if (!mark("user/a", "user.overlay.opaque", "y") || !mark("fuse/a", "user.fuseoverlayfs.opaque", "y"))
		skip();
	(void)mark("not/a", "user.overlay.opaque", "n");
	bool trusted = geteuid() == 0 && mark("trusted/a", "trusted.overlay.opaque", "y");
	struct layer_facts f = read_tree(FOLDER_OVERLAY, NULL);
	assert_true(has(&f, "user/a", ENTRY_OPAQUE));
	assert_true(has(&f, "fuse/a", ENTRY_OPAQUE));
	assert_false(has(&f, "not/a", ENTRY_OPAQUE));
	assert_int_equal(has(&f, "trusted/a", ENTRY_OPAQUE), trusted);
	f = read_tree(FOLDER_WHOLE, NULL);
	assert_false(has(&f, "user/a", ENTRY_OPAQUE));
	/* The layer's own folder. */
	(void)mark(".", "user.overlay.opaque", "y");
	f = read_tree(FOLDER_OVERLAY, NULL);
	assert_true(has(&f, "", ENTRY_OPAQUE));
}

static void whiteouts_by_attribute(void **state)
{
	(void)state;
	folder("d");
	folder("e");
	file("d/status", "");
	file("d/kept", "P");
	file("e/status", "P is not read as a mark without the folder's");
	if (!mark("d", "user.overlay.opaque", "x") || !mark("d/status", "user.overlay.whiteout", "y"))
		skip();
	struct layer_facts f = read_tree(FOLDER_OVERLAY, NULL);
	assert_true(has(&f, "d/status", ENTRY_WHITEOUT));
	assert_false(has(&f, "d", ENTRY_OPAQUE));
	assert_int_equal(path_set_find(f.paths, STR("d/kept")), PATH_OTHER);
	assert_true(has(&f, "e/status", ENTRY_FILE));
}

static void names_of_fuse_overlayfs(void **state)
{
	(void)state;
	folder("a/b");
	file("a/.wh.gone", "");
	file("a/b/.wh..wh..opq", "");
	struct layer_facts f = read_tree(FOLDER_FUSE, NULL);
	assert_true(has(&f, "a/gone", ENTRY_WHITEOUT));
	assert_true(has(&f, "a/b", ENTRY_OPAQUE));
	f = read_tree(FOLDER_OVERLAY, NULL);
	assert_false(has(&f, "a/gone", ENTRY_WHITEOUT));
	assert_int_equal(path_set_find(f.paths, STR("a/.wh.gone")), PATH_OTHER);
}

static void metadata_only_copies(void **state)
{
	(void)state;
	folder("a");
	file("a/status", "P but the content is below");
	file("a/b.status", "P with another name below");
	if (!mark("a/status", "user.overlay.metacopy", "") || !mark("a/b.status", "user.overlay.metacopy", ""))
		skip();
	(void)mark("a/b.status", "user.overlay.redirect", "/x/status");
	struct layer_facts f = read_tree(FOLDER_OVERLAY, NULL);
	assert_int_equal(path_set_find(f.paths, STR("a/status")), PATH_NONE);
	assert_false(has(&f, "a/status", ENTRY_FILE));
	assert_int_equal(f.redirected, 1);
}

/* Entered by descriptor: the path is longer than the system would take, and deeper than descriptors are given. */
static void deep_trees(void **state)
{
	(void)state;
	int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (unsigned i = 0; i < TREE_DEPTH_MAX + 50; i++) {
		assert_int_equal(mkdirat(fd, "deep-folder", 0755), 0);
		int next = openat(fd, "deep-folder", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(fd);
		assert_true(next >= 0);
		fd = next;
	}
	close(fd);
	struct layer_facts f = read_tree(FOLDER_OVERLAY, NULL);
	assert_true(f.dropped > 0 || f.refused > 0);
	assert_int_equal(path_set_find(f.paths, STR("deep-folder/deep-folder")), PATH_FOLDER);
	/* nftw gives up on such a tree: taken down from the top, a level at a time. */
	assert_int_equal(system(str_cstr(arena, arena_printf(arena, "rm -rf %s/deep-folder", root))), 0);
}

static void what_may_not_be_read(void **state)
{
	(void)state;
	folder("open/closed");
	file("open/status", "P");
	assert_int_equal(chmod(at("open/closed"), 0), 0);
	assert_int_equal(chmod(at("open/status"), 0), 0);
	bool root_user = geteuid() == 0;
	assert_int_equal(chmod(root, 0755), 0);
	if (root_user && seteuid(65534) != 0)
		skip();
	struct layer_facts f = read_tree(FOLDER_OVERLAY, NULL);
	if (root_user)
		assert_int_equal(seteuid(0), 0);
	assert_int_equal(chmod(at("open/closed"), 0700), 0);
	assert_int_equal(f.closed, 1);
	assert_true(str_eq(layer_find(&f, STR("open/status"), ENTRY_FILE)->payload, STR("refused")));
}

/* vfs: each layer is the whole tree; what the upper one lacks is gone. */
static void whole_trees_hide_what_lies_below(void **state)
{
	(void)state;
	folder("a");
	file("a/status", "P below");
	file("a/b.status", "P gone above");
	struct layer_facts below = read_tree(FOLDER_WHOLE, NULL);
	assert_int_equal(unlink(at("a/b.status")), 0);
	struct layer_facts above = read_tree(FOLDER_WHOLE, NULL);
	const struct layer_facts *layers[] = { &below, &above };
	struct merged m = { layers, 2 };
	struct merged_node n;
	merged_find(arena, &m, STR("a/status"), &n);
	assert_int_equal(n.kind, MERGED_FILE);
	assert_int_equal(n.layer, 1);
	merged_find(arena, &m, STR("a/b.status"), &n);
	assert_int_equal(n.kind, MERGED_NONE);
	m.layer_count = 1;
	merged_find(arena, &m, STR("a/b.status"), &n);
	assert_int_equal(n.kind, MERGED_FILE);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(files_links_and_folders), TEST(whiteouts_of_the_kernel), TEST(opaque_folders),
		TEST(whiteouts_by_attribute),  TEST(names_of_fuse_overlayfs), TEST(metadata_only_copies),
		TEST(deep_trees),              TEST(what_may_not_be_read),    TEST(whole_trees_hide_what_lies_below),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
