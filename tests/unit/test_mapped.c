/* What processes have mapped: the two readers on texts, whole runs on this host, on a folder that a child has as its root,
 * and on a real overlay. The last two need root. */
#include "host/mapped.h"
#include "base/base.h"
#include "base/fs.h"
#include "host/mapped_work.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

/* --- readers --- */

static void assert_paths(const struct mapped_set *s, const char *expected)
{
	struct buf BUF_AUTO b = { 0 };
	buf_init(&b, MIB);
	for (size_t i = 0; i < s->paths.len; i++)
		buf_printf(&b, "%s%.*s%s", i ? "|" : "", STR_ARG(s->paths.entries[i].key), s->paths.entries[i].value ? "!" : "");
	buf_byte(&b, 0);
	assert_string_equal(b.ptr, expected);
}

static void test_maps(void **state)
{
	struct arena *ARENA_AUTO a = arena_new();
	struct mapped_set s = { .arena = a };
	(void)state;
	mapped_set_maps(&s, STR("/"),
	                STR("55d0-55d1 r--p 00000000 fe:00 11                 /usr/bin/a b\n"
	                    "55d1-55d2 r-xp 00001000 fe:00 11                 /usr/bin/a b\n"
	                    "7f00-7f01 rw-p 00000000 00:00 0                  [heap]\n"
	                    "7f01-7f02 rw-p 00000000 00:00 0 \n"
	                    "7f02-7f03 r--p 00000000 fe:00 12                 /usr/lib/libx.so.1 (deleted)\n"
	                    "7f03-7f04 rw-s 00000000 00:01 1024               /memfd:jit (deleted)\n"
	                    "7f04-7f05 rw-s 00000000 00:01 5                  /SYSV00000000 (deleted)\n"
	                    "7f05-7f06 rw-s 00000000 00:01 6                  /dev/zero (deleted)\n"
	                    "7f06-7f07 rw-s 00000000 00:0e 7                  anon_inode:[perf_event]\n"
	                    "7f07-7f08 r--p 00000000 fe:00 13                 /opt/x\\012y\n"
	                    "7f08-7f09 r--p 00000000 fe:00 14                 /opt/back\\slash\n"
	                    "7f09-7f0a r--p 00000000 fe:00 15                 /opt/../etc/shadow\n"
	                    "7f0a-7f0b r--p 00000000 fe:00 16                 //etc/x\n"
	                    "7f0b-7f0c r--p 00000000 fe:00 17                 /\n"
	                    "7f0c-7f0d r--p 00000000 fe:00 x                  /bad/inode\n"
	                    "short line\n\n"
	                    "7f0d-7f0e r--p 00000000 fe:00 18                 /opt/n\0l\n"
	                    "7f0e-7f0f r--p 00000000 fe:00 19                 /opt/last"));
	assert_paths(&s, "bin/a b|lib/libx.so.1!|opt/x\ny|opt/back\\slash|opt/last");
}

static void test_maps_below_root(void **state)
{
	struct arena *ARENA_AUTO a = arena_new();
	struct mapped_set s = { .arena = a };
	(void)state;
	mapped_set_path(&s, STR("/srv/c"), STR("/srv/c/usr/sbin/in"));
	mapped_set_path(&s, STR("/srv/c"), STR("/srv/cc/out"));
	mapped_set_path(&s, STR("/srv/c"), STR("/usr/out"));
	mapped_set_path(&s, STR("/srv/c"), STR("/srv/c"));
	mapped_set_path(&s, STR("/srv/c"), (struct str){ 0 });
	assert_paths(&s, "sbin/in");
}

static void test_maps_many(void **state)
{
	struct arena *ARENA_AUTO a = arena_new();
	struct mapped_set s = { .arena = a };
	struct buf BUF_AUTO b = { 0 };
	(void)state;
	buf_init(&b, 64 * MIB);
	for (unsigned i = 0; i < 100000; i++)
		buf_printf(&b, "7f00-7f01 r--p 0 fe:00 %u  /f/%u\n", i + 1, i);
	mapped_set_maps(&s, STR("/"), buf_view(&b));
	assert_int_equal(s.paths.len, MAPPED_FILES_MAX);
	assert_true(s.dropped);
	/* One line of 8 MiB, of spaces, of path, without an end. */
	struct mapped_set t = { .arena = a };
	for (int round = 0; round < 3; round++) {
		buf_clear(&b);
		buf_put(&b, round == 2 ? STR("") : STR("7f00-7f01 r--p 0 fe:00 1 /"));
		for (size_t i = 0; i < 8 * MIB; i++)
			buf_byte(&b, round == 0 ? 'x' : round == 1 ? '\\' : ' ');
		mapped_set_maps(&t, STR("/"), buf_view(&b));
	}
	assert_int_equal(t.paths.len, 0);
	assert_false(t.dropped);
}

static void assert_mount(struct str text, bool found, const char *upper)
{
	struct arena *ARENA_AUTO a = arena_new();
	struct mapped_mount m;
	mapped_mount_parse(a, text, &m);
	assert_int_equal(m.found, found);
	assert_string_equal(str_cstr(a, m.upper), upper);
}

static void test_mountinfo(void **state)
{
	(void)state;
	assert_mount(STR("1 0 0:5 / / rw,relatime master:1 propagate_from:2 - overlay overlay "
	                 "rw,lowerdir=/l/A:/l/B,upperdir=/var/lib/docker/overlay2/x/diff,workdir=/w\n"
	                 "2 1 0:6 / /proc rw - proc proc rw\n"),
	             true, "/var/lib/docker/overlay2/x/diff");
	/* The last at "/" counts, and others' upper layers do not. */
	assert_mount(STR("1 0 0:5 / / rw - overlay o rw,upperdir=/a\n3 1 0:7 / / rw - overlay o rw,upperdir=/b\n"
	                 "4 1 0:8 / /mnt rw - overlay o rw,upperdir=/c"),
	             true, "/b");
	assert_mount(STR("1 0 0:5 / / rw - overlay o rw,upperdir=/a\n3 1 254:0 / / rw - ext4 /dev/vda rw,upperdir=/b\n"), true, "");
	assert_mount(STR("1 0 0:5 / / rw - overlay o rw,upperdir=/a\\040b\\054c\\134d\\0\n"), true, "/a b,c\\d\\0");
	assert_mount(STR("1 0 0:5 / / rw - overlay o rw,upperdir=/a\\000b\n"), true, "");
	assert_mount(STR("1 0 0:5 / / rw - overlay o ro,lowerdir=/a\n"), true, "");
	assert_mount(STR("1 0 0:5 / / rw - overlay o rw,upperdir=/a\n1 0 0:5 / / rw no end of options"), false, "");
	assert_mount(STR("1 0 0:5 / /x rw - overlay o rw,upperdir=/a\n"), false, "");
	assert_mount(STR("1 0 0:5 / /"), false, "");
	assert_mount(STR(""), false, "");
	assert_mount(STR("\0\0\n \n      \n"), false, "");
	struct arena *ARENA_AUTO a = arena_new();
	assert_true(str_eq(mapped_unescape_upper(a, STR("/a\\,b\\\\c\\")), STR("/a,b\\c\\")));
	struct mapped_mount m;
	mapped_mount_parse(a, STR("1 0 0:5 /r / rw - fuse.fuse-overlayfs f rw,upperdir=/a"), &m);
	assert_true(m.found && m.fuse && m.upper.len == 0 && str_eq(m.root, STR("/r")) && str_eq(m.device, STR("0:5")));
}

static void test_mountinfo_many(void **state)
{
	struct buf BUF_AUTO b = { 0 };
	(void)state;
	buf_init(&b, 64 * MIB);
	for (unsigned i = 0; i < 100000; i++)
		buf_printf(&b, "%u 0 0:5 / / rw shared:1 - overlay o rw,upperdir=/u\\040%u\n", i, i);
	assert_mount(buf_view(&b), true, "/u 99999");
	buf_clear(&b);
	buf_put(&b, STR("1 0 0:5 / / rw - overlay o rw,upperdir=/"));
	for (size_t i = 0; i < 8 * MIB; i++)
		buf_byte(&b, 'x');
	assert_mount(buf_view(&b), true, "");
}

static void test_fold(void **state)
{
	(void)state;
	assert_true(str_eq(path_fold_usr(STR("usr/lib/x")), STR("lib/x")));
	assert_true(str_eq(path_fold_usr(STR("usr/libx32/x")), STR("libx32/x")));
	assert_true(str_eq(path_fold_usr(STR("usr/libexec/x")), STR("usr/libexec/x")));
	assert_true(str_eq(path_fold_usr(STR("usr/share/x")), STR("usr/share/x")));
	assert_true(str_eq(path_fold_usr(STR("usr/lib")), STR("usr/lib")));
	assert_true(str_eq(path_fold_usr(STR("lib/x")), STR("lib/x")));
	assert_false(mapped_path_clean(STR("a/./b")) || mapped_path_clean(STR("a/")) || mapped_path_clean(STR("")));
}

/* --- whole runs --- */

static char dir[] = "/tmp/plimsoll-mapped-XXXXXX";

static const char *in_dir(const char *name)
{
	static char room[256];
	snprintf(room, sizeof(room), "%s/%s", dir, name);
	return room;
}

static void make_file(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	assert_true(fd >= 0 && write(fd, "x", 1) == 1);
	close(fd);
}

static int setup(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

/* A child that says when it is ready (become gave 0) and then waits to be killed; 0: it could not. */
static pid_t start_child(int (*become)(void))
{
	int pipe_fds[2];
	char c = 0;
	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		c = become() == 0 ? 'y' : 'n';
		if (write(pipe_fds[1], &c, 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(pipe_fds[1]);
	bool ready = read(pipe_fds[0], &c, 1) == 1 && c == 'y';
	close(pipe_fds[0]);
	if (ready)
		return pid;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return 0;
}

static void end_child(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static int map_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	void *p = mmap(NULL, 1, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	return p == MAP_FAILED ? -1 : 0;
}

static int load(struct arena *a, const char *root, struct mapped_files *ret, struct err *err)
{
	int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	int rc = mapped_files_load(a, fd, ret, err);
	close(fd);
	return rc;
}

static size_t count_of(const struct mapped_files *f, struct str part)
{
	size_t n = 0;
	for (size_t i = 0; i < f->count; i++)
		n += str_contains(f->paths[i], part);
	return n;
}

static int stay(void)
{
	if (map_file(in_dir("gone")) < 0 || map_file(in_dir("there")) < 0)
		return -1;
	return unlink(in_dir("gone"));
}

static void test_host(void **state)
{
	struct arena *ARENA_AUTO a = arena_new();
	struct mapped_files f;
	struct err err;
	(void)state;
	make_file(in_dir("gone"));
	make_file(in_dir("there"));
	pid_t pid = start_child(stay);
	assert_true(pid > 0);
	int rc = load(a, "/", &f, &err);
	end_child(pid);
	if (rc < 0)
		fail_msg("%s", err.text);
	print_message("%zu files of %zu processes, %zu closed, %zu deleted\n", f.count, f.processes, f.closed, f.deleted);
	assert_true(f.processes >= 1 && f.deleted >= 1 && !f.dropped);
	assert_true(count_of(&f, STR("test_mapped")) >= 1);
	assert_true(count_of(&f, STR("libc.so")) >= 1 || count_of(&f, STR("ld-musl")) >= 1);
	assert_true(count_of(&f, str_from(in_dir("gone") + 1)) == 1 && count_of(&f, str_from(in_dir("there") + 1)) == 1);
	for (size_t i = 1; i < f.count; i++)
		assert_true(str_cmp(f.paths[i - 1], f.paths[i]) < 0);
}

static void test_nobody(void **state)
{
	struct arena *ARENA_AUTO a = arena_new();
	struct mapped_files f;
	struct err err;
	(void)state;
	int rc = load(a, dir, &f, &err);
	assert_true(rc == ERR_NOT_FOUND || rc == ERR_UNSUPPORTED);
	assert_true(err.text[0]);
}

static int become_chrooted(void)
{
	return chroot(in_dir("root")) < 0 || chdir("/") < 0 ? -1 : map_file("/usr/lib/inside.so");
}

static void make_root(const char *name)
{
	struct arena *ARENA_AUTO a = arena_new();
	static const char *const parts[] = { "", "/usr", "/usr/lib" };
	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		struct str path = arena_printf(a, "%s/%s%s", dir, name, parts[i]);
		assert_int_equal(mkdir(str_cstr(a, path), 0755), 0);
	}
	make_file(str_cstr(a, arena_printf(a, "%s/%s/usr/lib/inside.so", dir, name)));
}

static void test_chroot(void **state)
{
	struct arena *ARENA_AUTO a = arena_new();
	struct mapped_files f;
	struct err err;
	(void)state;
	if (geteuid() != 0) {
		print_message("skipped: chroot needs root\n");
		skip();
	}
	make_root("root");
	pid_t pid = start_child(become_chrooted);
	assert_true(pid > 0);
	int rc = load(a, in_dir("root"), &f, &err);
	end_child(pid);
	if (rc < 0)
		fail_msg("%s", err.text);
	/* The program and the libc that the child still has from outside are not files of this root. */
	assert_int_equal(f.count, 1);
	assert_int_equal(f.processes, 1);
	assert_true(str_eq(f.paths[0], STR("lib/inside.so")));
	assert_int_equal(load(a, in_dir("root"), &f, &err), ERR_NOT_FOUND);
}

/* --- overlay --- */

static char mount_options[1024];

static int become_overlay(void)
{
	if (unshare(CLONE_NEWNS) < 0 || mount("overlay", in_dir("m/merged"), "overlay", 0, mount_options) < 0)
		return -1;
	return chroot(in_dir("m/merged")) < 0 || chdir("/") < 0 ? -1 : map_file("/usr/lib/inside.so");
}

static void check_overlay(const char *upper, const char *escaped_upper, const char *cwd)
{
	struct arena *ARENA_AUTO a = arena_new();
	struct mapped_files f;
	struct err err;
	assert_int_equal(chdir(cwd), 0);
	snprintf(mount_options, sizeof(mount_options), "lowerdir=%s/m/low,upperdir=%s,workdir=%s/m/work", dir, escaped_upper, dir);
	pid_t pid = start_child(become_overlay);
	assert_int_equal(chdir("/"), 0);
	if (pid == 0) {
		print_message("skipped: no overlay can be mounted here: %s\n", mount_options);
		return;
	}
	int rc = load(a, upper, &f, &err);
	int other = load(a, in_dir("m/low"), &(struct mapped_files){ 0 }, &(struct err){ 0 });
	end_child(pid);
	if (rc < 0)
		fail_msg("%s: %s", escaped_upper, err.text);
	assert_int_equal(f.count, 1);
	assert_int_equal(f.processes, 1);
	assert_true(str_eq(f.paths[0], STR("lib/inside.so")));
	assert_true(other == ERR_NOT_FOUND || other == ERR_UNSUPPORTED);
}

static void test_overlay(void **state)
{
	static const char *const folders[] = { "m/work", "m/merged", "m/upper", "m/up per", "m/id", "m/id/diff" };
	(void)state;
	if (geteuid() != 0) {
		print_message("skipped: mounting needs root\n");
		skip();
	}
	/* A mount namespace of the test's own: what it mounts goes with it. An upper layer cannot lie on an overlay. */
	assert_int_equal(mkdir(in_dir("m"), 0755), 0);
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", in_dir("m"), "tmpfs", 0, NULL) < 0) {
		print_message("skipped: cannot mount\n");
		skip();
	}
	make_root("m/low");
	for (size_t i = 0; i < COUNT_OF(folders); i++)
		assert_int_equal(mkdir(in_dir(folders[i]), 0755), 0);
	char upper[256], merged[256];
	snprintf(upper, sizeof(upper), "%s", in_dir("m/upper"));
	check_overlay(upper, upper, "/");
	snprintf(upper, sizeof(upper), "%s", in_dir("m/up per"));
	check_overlay(upper, upper, "/");
	snprintf(merged, sizeof(merged), "%s", in_dir("m"));
	snprintf(upper, sizeof(upper), "%s", in_dir("m/id/diff"));
	check_overlay(upper, "id/diff", merged);
	umount2(in_dir("m"), MNT_DETACH);
}

static int teardown(void **state)
{
	static const char *const files[] = { "there", "root/usr/lib/inside.so" };
	static const char *const folders[] = { "root/usr/lib", "root/usr", "root", "m", "." };
	(void)state;
	for (size_t i = 0; i < COUNT_OF(files); i++)
		(void)unlink(in_dir(files[i]));
	for (size_t i = 0; i + 1 < COUNT_OF(folders); i++)
		(void)rmdir(in_dir(folders[i]));
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_maps),       cmocka_unit_test(test_maps_below_root), cmocka_unit_test(test_maps_many),
		cmocka_unit_test(test_mountinfo),  cmocka_unit_test(test_mountinfo_many),  cmocka_unit_test(test_fold),
		cmocka_unit_test(test_host),       cmocka_unit_test(test_nobody),          cmocka_unit_test(test_chroot),
		cmocka_unit_test(test_overlay),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
