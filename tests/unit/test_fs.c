/* Files: whole reads, replacement, and look-ups that stay inside their folder whatever lies there. */
#include "base/fs.h"
#include "shared_data.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <cmocka.h>

static struct arena *arena;
static const char *folder;
static int root_fd;

static const char *in(const char *name) { return arena_printf(arena, "%s/%s", folder, name).ptr; }

static void make_file(const char *name, const char *content)
{
	assert_int_equal(fs_make_dirs(str_cstr(arena, str_sub(str_from(in(name)), 0,
	                              (size_t)str_rfind(str_from(in(name)), '/'))), 0755, NULL), 0);
	assert_int_equal(fs_replace(in(name), str_from(content), 0644, NULL), 0);
}

static void make_link(const char *target, const char *name) { assert_int_equal(symlink(target, in(name)), 0); }

static int set_up(void **state)
{
	(void)state;
	arena = arena_new();
	folder = temp_folder(arena);
	make_file("outside/secret", "secret");
	make_file("root/etc/os-release", "inside");
	make_file("root/usr/lib/os-release", "usr");
	make_file("root/secret", "inside secret");
	root_fd = open(in("root"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(root_fd >= 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	(void)close(root_fd);
	remove_folder(arena, folder);
	arena_free(arena);
	return 0;
}

static void assert_opens(const char *path, const char *want)
{
	int fd = -1;
	struct str content;
	struct err err = { 0 };
	if (tree_open(root_fd, str_from(path), false, &fd, &err) != 0)
		fail_msg("%s: %s", path, err.text);
	assert_int_equal(fs_read_fd(arena, fd, 1000, &content, NULL), 0);
	if (!str_eq(content, str_from(want)))
		fail_msg("%s: %.*s", path, STR_ARG(content));
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	(void)close(fd);
}

static void assert_refused(const char *path, bool want_dir, int code)
{
	int fd = -1;
	struct err err = { 0 };
	int r = tree_open(root_fd, str_from(path), want_dir, &fd, &err);
	if (r != code || fd != -1)
		fail_msg("%s: %d (%s), wanted %d", path, r, err.text, code);
	assert_true(strstr(err.text, path) != NULL);
}

/* --- tree_open --- */

static void plain_paths(void **state)
{
	(void)state;
	assert_opens("etc/os-release", "inside");
	assert_opens("/etc/os-release", "inside");
	assert_opens("//etc/.//os-release", "inside");
	assert_opens("etc/../usr/lib/../lib/os-release", "usr");
	assert_refused("none", false, ERR_NOT_FOUND);
	assert_refused("none/none", false, ERR_NOT_FOUND);
	assert_refused("etc/os-release/x", false, ERR_NOT_FOUND);
	assert_refused("etc/os-release/", false, ERR_NOT_FOUND);
	assert_refused("etc/os-release/..", false, ERR_NOT_FOUND);
	assert_refused("etc/none/../os-release", false, ERR_NOT_FOUND);
}

static void dots_stop_at_the_root(void **state)
{
	(void)state;
	assert_opens("../secret", "inside secret");
	assert_opens("../../etc/../../secret", "inside secret");
	assert_opens("/../secret", "inside secret");
}

static void dots_never_reach_what_is_beside(void **state)
{
	(void)state;
	assert_refused("../outside/secret", false, ERR_NOT_FOUND);
	assert_refused("etc/../../outside/secret", false, ERR_NOT_FOUND);
	assert_opens("etc/../../../../../../secret", "inside secret");
	assert_refused("../../../../../../../../etc/passwd", false, ERR_NOT_FOUND);
}

static void links_resolve_inside(void **state)
{
	(void)state;
	make_link("/secret", "root/absolute");
	make_link("../../../outside/secret", "root/etc/relative");
	make_link("../../../secret", "root/etc/up");
	make_link("usr/lib", "root/lib");
	make_link("/lib/os-release", "root/etc/chain");
	make_link("//usr//lib/", "root/slashes");
	assert_opens("absolute", "inside secret");
	assert_refused("etc/relative", false, ERR_NOT_FOUND);
	assert_opens("etc/up", "inside secret");
	assert_opens("lib/os-release", "usr");
	assert_opens("etc/chain", "usr");
	assert_opens("slashes/os-release", "usr");
	assert_opens("lib/../../secret", "inside secret");
}

static void links_to_places_outside_find_nothing(void **state)
{
	(void)state;
	make_link("/proc/self/root/etc/passwd", "root/magic");
	make_link(in("outside/secret"), "root/full");
	make_link("..", "root/etc/parent");
	make_link("/", "root/top");
	make_link(".", "root/self");
	assert_refused("magic", false, ERR_NOT_FOUND);
	assert_refused("full", false, ERR_NOT_FOUND);
	assert_opens("etc/parent/secret", "inside secret");
	assert_opens("top/top/top/secret", "inside secret");
	assert_opens("self/self/self/etc/os-release", "inside");
	assert_refused("top/../outside/secret", false, ERR_NOT_FOUND);
}

static void link_loops_end(void **state)
{
	(void)state;
	make_link("b", "root/a");
	make_link("a", "root/b");
	make_link("same/same", "root/same");
	make_link("none", "root/dangling");
	assert_refused("a", false, ERR_FORMAT);
	assert_refused("a/x", false, ERR_FORMAT);
	assert_refused("same", true, ERR_FORMAT);
	assert_refused("dangling", false, ERR_NOT_FOUND);
	for (int i = 0; i < 41; i++)
		make_link(i ? arena_printf(arena, "l%d", i - 1).ptr : "secret", arena_printf(arena, "root/l%d", i).ptr);
	assert_opens("l39", "inside secret");
	assert_refused("l40", false, ERR_FORMAT);
}

static void only_files_and_folders_are_opened(void **state)
{
	(void)state;
	assert_int_equal(mkfifo(in("root/fifo"), 0644), 0);
	make_link("fifo", "root/to-fifo");
	alarm(20); /* an open that blocks would hang for ever */
	assert_refused("fifo", false, ERR_FORMAT);
	assert_refused("to-fifo", false, ERR_FORMAT);
	assert_refused("fifo", true, ERR_FORMAT);
	assert_refused("fifo/x", false, ERR_NOT_FOUND);
	alarm(0);
	assert_refused("etc", false, ERR_FORMAT);
	assert_refused("", false, ERR_FORMAT);
	assert_refused("etc/os-release", true, ERR_FORMAT);
	if (mknod(in("root/tty"), S_IFCHR | 0644, makedev(5, 0)) == 0)
		assert_refused("tty", false, ERR_FORMAT);
	else
		print_message("no device node: not allowed here\n");
}

static void devices_of_a_real_dev(void **state)
{
	(void)state;
	int fd = -1, dev = open("/dev", O_RDONLY | O_DIRECTORY);
	if (dev < 0)
		skip();
	assert_int_equal(tree_open(dev, STR("null"), false, &fd, NULL), ERR_FORMAT);
	(void)close(dev);
}

static void folders(void **state)
{
	(void)state;
	static const char *const paths[] = { "", "/", ".", "..", "etc", "etc/", "usr/lib/.." };
	make_link("usr/lib", "root/lib");
	for (size_t i = 0; i < COUNT_OF(paths); i++) {
		int fd = -1;
		assert_int_equal(tree_open(root_fd, str_from(paths[i]), true, &fd, NULL), 0);
		assert_true(fcntl(fd, F_GETFL) >= 0 && !(fcntl(fd, F_GETFL) & O_PATH));
		(void)close(fd);
	}
	int fd = -1;
	struct stat a, b;
	assert_int_equal(tree_open(root_fd, STR("lib"), true, &fd, NULL), 0);
	assert_true(fstat(fd, &a) == 0 && stat(in("root/usr/lib"), &b) == 0 && a.st_ino == b.st_ino);
	(void)close(fd);
}

static void impossible_paths(void **state)
{
	(void)state;
	int fd = -1;
	char *path = arena_alloc(arena, TAR_PATH_MAX + 2);
	memset(path, '/', TAR_PATH_MAX + 1);
	assert_int_equal(tree_open(root_fd, str_from(path), true, &fd, NULL), ERR_LIMIT);
	memset(path, 'x', 256);
	assert_int_equal(tree_open(root_fd, (struct str){ path, 256 }, true, &fd, NULL), ERR_NOT_FOUND);
	assert_int_equal(tree_open(root_fd, STR("secret\0x"), false, &fd, NULL), ERR_FORMAT);
}

/* Deeper than PATH_MAX allows in one call. */
static void deep_folders(void **state)
{
	(void)state;
	int fd = dup(root_fd);
	struct buf BUF_AUTO path = { 0 };
	buf_init(&path, TAR_PATH_MAX);
	for (int i = 0; i < 3000; i++) {
		assert_int_equal(mkdirat(fd, "dd", 0755), 0);
		int next = openat(fd, "dd", O_RDONLY | O_DIRECTORY);
		(void)close(fd);
		fd = next;
		buf_put(&path, STR("dd/"));
	}
	int file = openat(fd, "f", O_WRONLY | O_CREAT, 0644);
	assert_int_equal(write(file, "deep", 4), 4);
	(void)close(file);
	(void)close(fd);
	size_t folder_len = path.len;
	buf_put(&path, STR("f"));
	assert_int_equal(tree_open(root_fd, buf_view(&path), false, &fd, NULL), 0);
	(void)close(fd);
	path.len = folder_len;
	for (int i = 0; i < 2000; i++)
		buf_put(&path, STR("../"));
	assert_int_equal(tree_open(root_fd, buf_view(&path), true, &fd, NULL), 0);
	(void)close(fd);
}

static void no_permission_is_said(void **state)
{
	(void)state;
	assert_int_equal(chmod(in("root/etc"), 0000), 0);
	assert_int_equal(chmod(in("root/secret"), 0000), 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct err err = { 0 };
		int fd = -1;
		if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
			_exit(77);
		int r = tree_open(root_fd, STR("etc/os-release"), false, &fd, &err);
		int s = tree_open(root_fd, STR("secret"), false, &fd, NULL);
		_exit(r == ERR_IO && s == ERR_IO && strstr(err.text, "ermission denied") ? 0 : 1);
	}
	int status = -1;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(chmod(in("root/etc"), 0755), 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
}

/* A folder two levels down is moved out of the tree and back, again and again, while a walk goes down into it and up
 * with "..": never may it find what lies beside the root. */
static volatile bool mover_stops;

static void *mover(void *names)
{
	const char *const *name = names;
	while (!mover_stops) {
		(void)rename(name[0], name[1]);
		(void)rename(name[1], name[0]);
	}
	return NULL;
}

static void moved_folders_do_not_lead_out(void **state)
{
	(void)state;
	pthread_t thread;
	unsigned moved = 0;
	make_file("root/m/a/b/c", "c");
	make_file("beside/found", "outside");
	const char *names[] = { in("root/m/a"), in("beside/a") };
	mover_stops = false;
	assert_int_equal(pthread_create(&thread, NULL, mover, names), 0);
	for (int i = 0; i < 20000; i++) {
		int fd = -1;
		int r = tree_open(root_fd, STR("m/a/b/../../found"), false, &fd, NULL);
		if (r == 0) {
			mover_stops = true;
			(void)pthread_join(thread, NULL);
			fail_msg("found a file outside the tree");
		}
		moved += r == ERR_IO;
	}
	mover_stops = true;
	(void)pthread_join(thread, NULL);
	print_message("%u of 20000 look-ups met a moved folder\n", moved);
}

/* --- whole files --- */

static void whole_reads_under_a_cap(void **state)
{
	(void)state;
	struct str s = STR("kept");
	struct err err = { 0 };
	assert_int_equal(fs_read(arena, in("root/secret"), 13, &s, NULL), 0);
	assert_true(str_eq(s, STR("inside secret")));
	s = STR("kept");
	assert_int_equal(fs_read(arena, in("root/secret"), 12, &s, &err), ERR_LIMIT);
	assert_int_equal(fs_read(arena, in("none"), 12, &s, NULL), ERR_NOT_FOUND);
	assert_int_equal(fs_read(arena, in("root/secret/x"), 12, &s, NULL), ERR_NOT_FOUND);
	assert_int_equal(fs_read(arena, in("root"), 12, &s, NULL), ERR_IO);
	assert_true(str_eq(s, STR("kept")));
	make_file("empty", "");
	assert_int_equal(fs_read(arena, in("empty"), 0, &s, NULL), 0);
	assert_int_equal(s.len, 0);
	/* A file whose size is said to be 0. */
	assert_int_equal(fs_read(arena, "/proc/self/status", MIB, &s, NULL), 0);
	assert_true(str_contains(s, STR("VmRSS")));
	assert_int_equal(fs_read(arena, "/proc/self/status", 10, &s, NULL), ERR_LIMIT);
	assert_int_equal(fs_read(arena, "/dev/zero", MIB, &s, NULL), ERR_LIMIT);
}

static void reads_from_pipes_and_from_the_middle(void **state)
{
	(void)state;
	int ends[2];
	struct str s;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "abc", 3), 3);
	(void)close(ends[1]);
	assert_int_equal(fs_read_fd(arena, ends[0], 3, &s, NULL), 0);
	assert_true(str_eq(s, STR("abc")));
	(void)close(ends[0]);
	int fd = open(in("root/secret"), O_RDONLY);
	assert_int_equal(lseek(fd, 7, SEEK_SET), 7);
	assert_int_equal(fs_read_fd(arena, fd, 6, &s, NULL), 0);
	assert_true(str_eq(s, STR("secret")));
	(void)close(fd);
}

static void replacement_leaves_nothing_beside(void **state)
{
	(void)state;
	struct str s;
	struct stat st;
	assert_int_equal(fs_replace(in("root/secret"), STR("new\0content"), 0600, NULL), 0);
	assert_int_equal(fs_read(arena, in("root/secret"), 100, &s, NULL), 0);
	assert_true(str_eq(s, STR("new\0content")));
	assert_true(stat(in("root/secret"), &st) == 0 && (st.st_mode & 0777) == 0600);
	assert_int_equal(fs_replace(in("none/x"), STR("x"), 0600, NULL), ERR_IO);
	assert_int_equal(fs_replace(in("root/etc"), STR("x"), 0600, NULL), ERR_IO);
	assert_int_equal(system(arena_printf(arena, "test -z \"$(find '%s' -name '*.new')\"", folder).ptr), 0);
}

static void folders_are_made_once(void **state)
{
	(void)state;
	struct err err = { 0 };
	assert_int_equal(fs_make_dirs(in("x/y//z/"), 0700, NULL), 0);
	assert_int_equal(fs_make_dirs(in("x/y/z"), 0700, NULL), 0);
	assert_int_equal(fs_make_dirs(in("root/secret/z"), 0700, &err), ERR_IO);
	assert_int_equal(access(in("x/y/z"), X_OK), 0);
}

static void exact_reads_at_an_offset(void **state)
{
	(void)state;
	char p[6];
	int fd = open(in("root/secret"), O_RDONLY);
	assert_int_equal(fs_pread_all(fd, p, 6, 7, NULL), 0);
	assert_memory_equal(p, "secret", 6);
	assert_int_equal(fs_pread_all(fd, p, 6, 8, NULL), ERR_FORMAT);
	assert_int_equal(fs_pread_all(fd, p, 6, UINT64_MAX, NULL), ERR_FORMAT);
	(void)close(fd);
	assert_int_equal(fs_pread_all(-1, p, 6, 0, NULL), ERR_IO);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(plain_paths),
		TEST(dots_stop_at_the_root),
		TEST(dots_never_reach_what_is_beside),
		TEST(links_resolve_inside),
		TEST(links_to_places_outside_find_nothing),
		TEST(link_loops_end),
		TEST(only_files_and_folders_are_opened),
		TEST(devices_of_a_real_dev),
		TEST(folders),
		TEST(impossible_paths),
		TEST(deep_folders),
		TEST(no_permission_is_said),
		TEST(moved_folders_do_not_lead_out),
		TEST(whole_reads_under_a_cap),
		TEST(reads_from_pipes_and_from_the_middle),
		TEST(replacement_leaves_nothing_beside),
		TEST(folders_are_made_once),
		TEST(exact_reads_at_an_offset),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
