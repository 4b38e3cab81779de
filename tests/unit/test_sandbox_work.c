/* That a worker can do its work behind its walls: descriptors, memory, a thread, digests, inflating, SQLite and the
 * parsers in memory, reading below its folder, also what is only root's; as root and as nobody, with Landlock as it is,
 * off, and with the rights of its ABI 1 and 2. And that a start under load never dies: the filter comes while a thread is
 * young. */
#include "sandbox/worker.h"
#include "base/base.h"
#include "base/hash.h"
#include "config.h"
#include "sandbox/confine.h"

#include <dirent.h>
#include <errno.h>
#include <expat.h>
#include <fcntl.h>
#include <locale.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>
#include <yaml.h>
#include <zlib.h>
#include <zstd.h>
#if HAVE_ISAL
#include <isa-l/igzip_lib.h>
#endif
#include <cmocka.h>

#define NOBODY 65534
#define TEXT_SIZE (3 * MIB)

static struct {
	char world[64];
	char path[96];
	int root_fd, file_fd;
	bool as_root, sees_trusted, chrooted;
	char *text; /* TEXT_SIZE bytes, the content of file_fd */
	struct sha256 digest;
	char *gzip, *zstd, *database;
	size_t gzip_size, zstd_size, database_size;
	atomic_bool thread_done;
	struct sha256 thread_digest;
	bool open_world; /* nothing holds a tree worker in its folder: no Landlock, no root, no user namespaces */
} have;

/* What went wrong, for the parent. 0: nothing. */
#define NEED(cond)                                                                                                     \
	do {                                                                                                           \
		if (!(cond))                                                                                           \
			return __LINE__;                                                                               \
	} while (0)

/* --- in any worker --- */

static int descriptors_work(void)
{
	char part[100];
	struct stat st;
	NEED(pread(have.file_fd, part, sizeof(part), 5000) == sizeof(part));
	NEED(memcmp(part, have.text + 5000, sizeof(part)) == 0);
	NEED(lseek(have.file_fd, 0, SEEK_END) == (off_t)TEXT_SIZE && lseek(have.file_fd, 0, SEEK_SET) == 0);
	NEED(fstat(have.file_fd, &st) == 0 && st.st_size == (off_t)TEXT_SIZE);
	NEED(posix_fadvise(have.file_fd, 0, 0, POSIX_FADV_SEQUENTIAL) == 0);
	const char *map = mmap(NULL, TEXT_SIZE, PROT_READ, MAP_PRIVATE, have.file_fd, 0);
	NEED(map != MAP_FAILED && memcmp(map, have.text, TEXT_SIZE) == 0);
	NEED(munmap((void *)(uintptr_t)map, TEXT_SIZE) == 0);
	int twin = dup(have.file_fd);
	FILE *f = fdopen(twin, "rb");
	NEED(f && fread(part, 1, sizeof(part), f) == sizeof(part) && fclose(f) == 0);
	NEED(printf("to nobody\n") > 0 && fflush(stdout) == 0);
	return 0;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

static int memory_works(void)
{
	size_t n = 200000;
	uint64_t *v = xmalloc(n * sizeof(*v));
	for (size_t i = 0; i < n; i++)
		v[i] = (i * 2654435761u) % 1000003;
	qsort(v, n, sizeof(*v), by_value); /* asks how much memory there is */
	for (size_t i = 1; i < n; i++)
		NEED(v[i - 1] <= v[i]);
	v = xrealloc(v, 80 * MIB);
	memset(v, 1, 80 * MIB);
	v = xrealloc(v, 10 * KIB);
	free(v);
	return 0;
}

static int large_database_in_a_memfd(void)
{
	int fd = memfd_create("rpmdb", MFD_CLOEXEC);
	char part[64];
	NEED(fd >= 0);
	for (int i = 0; i < 20; i++)
		NEED(write(fd, have.text, TEXT_SIZE) == (ssize_t)TEXT_SIZE);
	NEED(pwrite(fd, "\1\1", 2, 18) == 2);
	NEED(pread(fd, part, sizeof(part), (off_t)(10 * TEXT_SIZE + 7)) == sizeof(part));
	NEED(memcmp(part, have.text + 7, sizeof(part)) == 0);
	NEED(close(fd) == 0);
	return 0;
}

static int digests_work(void)
{
	struct hasher *h = hasher_new();
	for (size_t at = 0; at < TEXT_SIZE; at += 4096)
		hasher_add(h, have.text + at, 4096);
	struct sha256 got = hasher_take(h), whole = sha256_of((struct str){ have.text, TEXT_SIZE });
	hasher_free(h);
	NEED(sha256_eq(&got, &have.digest) && sha256_eq(&whole, &have.digest));
	return 0;
}

static int zlib_and_zstd_work(void)
{
	char *out = xmalloc(TEXT_SIZE);
	z_stream z = { .next_in = (Bytef *)have.gzip, .avail_in = (uInt)have.gzip_size };
	z.next_out = (Bytef *)out;
	z.avail_out = (uInt)TEXT_SIZE;
	NEED(inflateInit2(&z, 31) == Z_OK && inflate(&z, Z_FINISH) == Z_STREAM_END && inflateEnd(&z) == Z_OK);
	NEED(memcmp(out, have.text, TEXT_SIZE) == 0);
	memset(out, 0, TEXT_SIZE);
	NEED(ZSTD_decompress(out, TEXT_SIZE, have.zstd, have.zstd_size) == TEXT_SIZE);
	NEED(memcmp(out, have.text, TEXT_SIZE) == 0);
	free(out);
	return 0;
}

static int isal_works(void)
{
#if HAVE_ISAL
	char *out = xmalloc(TEXT_SIZE + 1);
	static struct inflate_state s;
	isal_inflate_init(&s);
	s.crc_flag = ISAL_GZIP;
	s.next_in = (uint8_t *)have.gzip;
	s.avail_in = (uint32_t)have.gzip_size;
	s.next_out = (uint8_t *)out;
	s.avail_out = (uint32_t)TEXT_SIZE + 1;
	NEED(isal_inflate(&s) == ISAL_DECOMP_OK && s.block_state == ISAL_BLOCK_FINISH);
	NEED(memcmp(out, have.text, TEXT_SIZE) == 0);
	free(out);
#endif
	return 0;
}

static int sqlite_works(void)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *q = NULL;
	NEED(sqlite3_open_v2(":memory:", &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK);
	NEED(sqlite3_deserialize(db, "main", (unsigned char *)have.database, (sqlite3_int64)have.database_size,
	                         (sqlite3_int64)have.database_size, SQLITE_DESERIALIZE_READONLY) == SQLITE_OK);
	NEED(sqlite3_prepare_v2(db, "select sum(n), count(*) from (select n from t order by b)", -1, &q, NULL) == SQLITE_OK);
	NEED(sqlite3_step(q) == SQLITE_ROW && sqlite3_column_int(q, 0) == 499500 && sqlite3_column_int(q, 1) == 1000);
	NEED(sqlite3_finalize(q) == SQLITE_OK && sqlite3_close(db) == SQLITE_OK);
	return 0;
}

static int parsers_work(void)
{
	yaml_parser_t y;
	yaml_document_t doc;
	static const char yaml[] = "a: [1, 2]\n", xml[] = "<a><b c='d'/></a>";
	NEED(yaml_parser_initialize(&y));
	yaml_parser_set_input_string(&y, (const unsigned char *)yaml, sizeof(yaml) - 1);
	NEED(yaml_parser_load(&y, &doc) && yaml_document_get_root_node(&doc));
	yaml_document_delete(&doc);
	yaml_parser_delete(&y);
	XML_Parser x = XML_ParserCreate(NULL); /* wants random numbers */
	NEED(x && XML_Parse(x, xml, sizeof(xml) - 1, 1) == XML_STATUS_OK);
	XML_ParserFree(x);
	return 0;
}

/* Things by which a C library opens files or asks the system, and must live without. */
static int the_library_lives(void)
{
	struct timespec t;
	struct tm tm;
	time_t now = time(NULL);
	NEED(clock_gettime(CLOCK_MONOTONIC, &t) == 0 && now > 1000000000);
	NEED(localtime_r(&now, &tm) != NULL);
	NEED(strerror(EACCES) != NULL);
	(void)setlocale(LC_ALL, "");
	NEED(sysconf(_SC_NPROCESSORS_ONLN) >= 1 && sysconf(_SC_PAGESIZE) >= 4096 && sysconf(_SC_OPEN_MAX) > 0);
	struct rlimit lim;
	NEED(getrlimit(RLIMIT_NOFILE, &lim) == 0 && lim.rlim_cur <= WORKER_TREE_FILES_MAX);
	NEED(getrlimit(RLIMIT_CORE, &lim) == 0 && lim.rlim_max == 0);
	(void)isatty(0);
	(void)getpid();
	errno = 0;
	FILE *outside = fopen("/etc/passwd", "re");
	NEED(outside ? have.open_world : errno == EACCES || errno == ENOENT);
	return 0;
}

static void helper(void *arg)
{
	(void)arg;
	void *blocks[64];
	for (size_t i = 0; i < COUNT_OF(blocks); i++)
		blocks[i] = xmalloc(i * 9000 + 1); /* an arena of the thread's own */
	for (size_t i = 0; i < COUNT_OF(blocks); i++)
		free(blocks[i]);
	have.thread_digest = sha256_of((struct str){ have.text, TEXT_SIZE });
	atomic_store(&have.thread_done, true);
}

static int the_helper_ran(void)
{
	for (int i = 0; i < 100000000 && !atomic_load(&have.thread_done); i++)
		(void)sched_yield();
	NEED(atomic_load(&have.thread_done) && sha256_eq(&have.thread_digest, &have.digest));
	return 0;
}

/* --- in a tree worker --- */

static int read_is(int dir_fd, const char *name, const char *want)
{
	char text[64];
	int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	NEED(fd >= 0);
	ssize_t n = read(fd, text, sizeof(text));
	NEED(close(fd) == 0);
	NEED(n >= 0 && str_eq((struct str){ text, (size_t)n }, str_from(want)));
	return 0;
}

static int count_names(int dir_fd)
{
	int n = 0;
	DIR *d = fdopendir(openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	for (struct dirent *e; d && (e = readdir(d));)
		n += e->d_name[0] != '.';
	return d && closedir(d) == 0 ? n : -1;
}

static int the_tree_can_be_read(struct worker_io *io)
{
	char text[64];
	struct stat st;
	int rc = read_is(have.root_fd, "inside", "for the worker");
	if (rc == 0)
		rc = read_is(have.root_fd, "sub/deep", "deep");
	NEED(rc == 0);
	NEED(count_names(have.root_fd) == 4);
	int sub = openat(have.root_fd, "sub", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	NEED(sub >= 0 && read_is(sub, "deep", "deep") == 0 && count_names(sub) == 1);
	NEED(fstatat(have.root_fd, "inside", &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_size == 14);
	NEED(readlinkat(have.root_fd, "link", text, sizeof(text)) == 8 && memcmp(text, "sub/deep", 8) == 0);
	NEED(openat(have.root_fd, "gone", O_RDONLY) < 0 && errno == ENOENT);
	NEED((read_is(have.root_fd, "private", "only root's") == 0) == have.as_root);
	if (have.chrooted)
		NEED(read_is(AT_FDCWD, "/sub/deep", "deep") == 0);
	NEED(worker_io_sees_trusted(io) == have.sees_trusted);
	sub = openat(have.root_fd, "sub", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ssize_t n = fgetxattr(sub, "trusted.overlay.opaque", text, sizeof(text));
	NEED(have.sees_trusted ? n == 1 && text[0] == 'y' : n < 0);
	return 0;
}

static int run_work(struct worker_io *io, void *arg)
{
	enum worker_kind kind = *(enum worker_kind *)arg;
	int (*const steps[])(void) = {
		descriptors_work, memory_works, digests_work, zlib_and_zstd_work, isal_works, sqlite_works, parsers_work,
		the_library_lives, the_helper_ran,
	};
	int rc = 0;
	for (size_t i = 0; i < COUNT_OF(steps) && rc == 0; i++)
		rc = steps[i]();
	if (rc == 0)
		rc = kind == WORKER_BYTES ? large_database_in_a_memfd() : the_tree_can_be_read(io);
	worker_io_send(io, (uint32_t)rc, STR("done"));
	return 0;
}

/* --- what is worked on --- */

static void put_file(int dir_fd, const char *name, const char *text, mode_t mode)
{
	int fd = openat(dir_fd, name, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0 && write(fd, text, strlen(text)) > 0 && fchmod(fd, mode) == 0);
	(void)close(fd);
}

static void make_tree(void)
{
	(void)snprintf(have.world, sizeof(have.world), "/tmp/plimsoll-work-XXXXXX");
	assert_non_null(mkdtemp(have.world));
	assert_int_equal(chmod(have.world, 0755), 0);
	have.root_fd = open(have.world, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(have.root_fd >= 0);
	put_file(have.root_fd, "inside", "for the worker", 0644);
	put_file(have.root_fd, "private", "only root's", geteuid() ? 0644 : 0600);
	if (geteuid() == 0)
		assert_int_equal(fchownat(have.root_fd, "private", 12345, 12345, 0), 0);
	assert_int_equal(mkdirat(have.root_fd, "sub", 0755), 0);
	int sub = openat(have.root_fd, "sub", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	put_file(sub, "deep", "deep", 0644);
	have.sees_trusted = fsetxattr(sub, "trusted.overlay.opaque", "y", 1, 0) == 0;
	(void)close(sub);
	assert_int_equal(symlinkat("sub/deep", have.root_fd, "link"), 0);
	have.as_root = true; /* or the file is open to us */
}

static void clear_tree(void)
{
	static const char *const names[] = { "inside", "private", "sub/deep", "link" };
	for (size_t i = 0; i < COUNT_OF(names); i++)
		(void)unlinkat(have.root_fd, names[i], 0);
	(void)unlinkat(have.root_fd, "sub", AT_REMOVEDIR);
	(void)close(have.root_fd);
	(void)rmdir(have.world);
}

static void make_database(void)
{
	sqlite3 *db = NULL;
	sqlite3_int64 size = 0;
	assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "create table t(n integer, b text); with recursive c(i) as (select 0 union all select "
	                                  "i+1 from c where i<999) insert into t select i, hex(i*7919) from c",
	                              NULL, NULL, NULL), SQLITE_OK);
	have.database = (char *)sqlite3_serialize(db, "main", &size, 0);
	have.database_size = (size_t)size;
	assert_non_null(have.database);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static int make_all(void **state)
{
	(void)state;
	struct err err;
	if (hash_setup(&err) < 0)
		return -1;
	have.text = xmalloc(TEXT_SIZE);
	for (size_t i = 0; i < TEXT_SIZE; i++)
		have.text[i] = (char)((i * i >> 7) ^ (i >> 3));
	have.digest = sha256_of((struct str){ have.text, TEXT_SIZE });
	have.gzip_size = have.zstd_size = 2 * TEXT_SIZE;
	have.gzip = xmalloc(have.gzip_size);
	have.zstd = xmalloc(have.zstd_size);
	z_stream z = { .next_in = (Bytef *)have.text, .avail_in = (uInt)TEXT_SIZE };
	z.next_out = (Bytef *)have.gzip;
	z.avail_out = (uInt)have.gzip_size;
	assert_int_equal(deflateInit2(&z, 1, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	have.gzip_size = z.total_out;
	assert_int_equal(deflateEnd(&z), Z_OK);
	have.zstd_size = ZSTD_compress(have.zstd, have.zstd_size, have.text, TEXT_SIZE, 1);
	make_database();
	have.file_fd = memfd_create("text", MFD_CLOEXEC);
	assert_int_equal(write(have.file_fd, have.text, TEXT_SIZE), TEXT_SIZE);
	make_tree();
	return 0;
}

static int clear_all(void **state)
{
	(void)state;
	clear_tree();
	(void)close(have.file_fd);
	free(have.text);
	free(have.gzip);
	free(have.zstd);
	sqlite3_free(have.database);
	return 0;
}

/* --- who works --- */

/* The line of the need that was not met, or -1 with words printed. */
static int work_once(enum worker_kind kind)
{
	struct worker_spec spec = { .name = "work", .kind = kind, .run = run_work, .thread = helper, .arg = &kind };
	struct err err = { 0 };
	struct worker *w = NULL;
	struct frame f;
	spec.root_fd = have.root_fd;
	spec.fds[0] = have.file_fd;
	spec.fd_count = 1;
	int rc = worker_start(&spec, &w, &err);
	if (rc == 0) {
		rc = worker_recv(w, 100, &f, &err) == 1 ? (int)f.type : -1;
		if (worker_finish(w, &err) < 0)
			rc = -1;
	}
	if (rc)
		print_error("  %s worker: line %d, %s\n", kind == WORKER_TREE ? "tree" : "bytes", rc, err.text);
	return rc;
}

static bool user_namespaces(void)
{
	int status = 1;
	pid_t pid = fork();
	if (pid == 0)
		_exit(unshare(CLONE_NEWUSER) == 0 ? 0 : 1);
	return waitpid(pid, &status, 0) == pid && status == 0;
}

static int work_everywhere(void)
{
	static const int abis[] = { -1, 0, 1, 2 };
	int rc = 0;
	for (size_t i = 0; i < COUNT_OF(abis) && rc == 0; i++) {
		landlock_limit(abis[i]);
		have.chrooted = geteuid() == 0;
		rc = work_once(WORKER_BYTES);
		have.open_world = landlock_abi() == 0 && geteuid() != 0 && !user_namespaces();
		if (have.open_world)
			print_message("    no user namespaces: without Landlock a plain user's tree worker sees other files\n");
		if (rc == 0)
			rc = work_once(WORKER_TREE);
		have.open_world = false;
	}
	landlock_limit(-1);
	return rc;
}

static void workers_work_as_we_are(void **state)
{
	(void)state;
	if (!have.sees_trusted)
		print_message("    trusted.* attributes cannot be set here: their reading is not tried\n");
	assert_int_equal(work_everywhere(), 0);
}

static void workers_work_without_a_sandbox(void **state)
{
	(void)state;
	sandbox_setup(false);
	have.chrooted = false;
	enum worker_kind kinds[] = { WORKER_BYTES, WORKER_TREE };
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		struct worker_spec spec = { .name = "free", .kind = kinds[i], .run = run_work, .thread = helper, .arg = &kinds[i] };
		spec.root_fd = have.root_fd;
		spec.fds[0] = have.file_fd;
		spec.fd_count = 1;
		struct worker *w = NULL;
		struct frame f;
		assert_int_equal(worker_start(&spec, &w, NULL), 0);
		assert_int_equal(worker_recv(w, 100, &f, NULL), 1);
		/* All but the last need of the_library_lives, which is that /etc/passwd cannot be opened. */
		assert_int_not_equal(f.type, 0);
		assert_int_equal(worker_finish(w, NULL), 0);
	}
	sandbox_setup(true);
}

static void workers_work_as_nobody(void **state)
{
	(void)state;
	if (geteuid() != 0) {
		print_message("skipped: not root, so nobody else can be tried\n");
		skip();
	}
	pid_t pid = fork();
	if (pid == 0) {
		have.as_root = have.sees_trusted = false;
		if (setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0)
			_exit(98);
		_exit(work_everywhere() ? 1 : 0);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static int run_below_mount(struct worker_io *io, void *arg)
{
	(void)io;
	(void)arg;
	return read_is(have.root_fd, "sub/mounted", "on another file system") ? 1 : 0;
}

/* `fs /` has /usr, /var or /home elsewhere. And what the worker had of it must go without taking the mount along. */
static void mounts_below_the_folder_are_seen_and_stay(void **state)
{
	(void)state;
	char path[96];
	(void)snprintf(path, sizeof(path), "%s/sub", have.world);
	if (geteuid() != 0 || mount("plimsoll-test", path, "tmpfs", 0, NULL) < 0) {
		print_message("skipped: nothing can be mounted here\n");
		skip();
	}
	int sub = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	put_file(sub, "mounted", "on another file system", 0644);
	struct worker_spec spec = { .name = "work", .kind = WORKER_TREE, .run = run_below_mount, .root_fd = have.root_fd };
	struct worker *w = NULL;
	int rc[2] = { -1, -1 };
	for (int i = 0; i < 2; i++)
		if (worker_start(&spec, &w, NULL) == 0)
			rc[i] = worker_finish(w, NULL);
	int stays = read_is(have.root_fd, "sub/mounted", "on another file system");
	bool writable = unlinkat(sub, "mounted", 0) == 0;
	(void)close(sub);
	(void)umount2(path, MNT_DETACH);
	assert_int_equal(rc[0], 0);
	assert_int_equal(rc[1], 0);
	assert_int_equal(stays, 0);
	assert_true(writable);
}

/* --- under load --- */

static void short_helper(void *arg)
{
	(void)arg;
	free(xmalloc(100000));
	have.thread_digest = sha256_of((struct str){ have.text, 4096 });
	atomic_store(&have.thread_done, true);
}

static int run_short(struct worker_io *io, void *arg)
{
	(void)arg;
	while (!atomic_load(&have.thread_done))
		(void)sched_yield();
	worker_io_send(io, 1, STR("x"));
	return 0;
}

static pid_t hog_new(void)
{
	pid_t pid = fork();
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (volatile uint64_t i = 0;; i = i + 1)
			;
	}
	return pid;
}

static double seconds(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Several at once, as layers are read. */
static unsigned start_batch(unsigned count)
{
	struct worker *w[8] = { NULL };
	unsigned good = 0;
	for (unsigned i = 0; i < count; i++) {
		struct worker_spec spec = { .name = "load", .run = run_short, .thread = short_helper, .input_size = 1 };
		spec.kind = i % 2 ? WORKER_TREE : WORKER_BYTES;
		spec.root_fd = have.root_fd;
		assert_int_equal(worker_start(&spec, &w[i], NULL), 0);
	}
	for (unsigned i = 0; i < count; i++) {
		struct err err = { 0 };
		struct frame f;
		bool came = worker_recv(w[i], 10, &f, &err) == 1;
		bool ended = worker_finish(w[i], &err) == 0;
		good += came && ended;
		if (!came || !ended)
			print_error("  %s\n", err.text);
	}
	return good;
}

static void a_hundred_starts_under_load(void **state)
{
	(void)state;
	pid_t hogs[8];
	unsigned started = 0, good = 0;
	double from = seconds();
	for (size_t i = 0; i < COUNT_OF(hogs); i++)
		hogs[i] = hog_new();
	while (started < 104 && (started == 0 || seconds() - from < 20)) {
		good += start_batch(4);
		started += 4;
	}
	for (size_t i = 0; i < COUNT_OF(hogs); i++) {
		(void)kill(hogs[i], SIGKILL);
		(void)waitpid(hogs[i], NULL, 0);
	}
	print_message("    %u of %u workers with a thread started and ended well beside %zu hogs, in %.1f s\n", good, started,
	              COUNT_OF(hogs), seconds() - from);
	assert_int_equal(good, started);
}

static int run_first_frame(struct worker_io *io, void *arg)
{
	(void)arg;
	worker_io_send(io, 1, STR("x"));
	return 0;
}

static void a_start_is_quick(void **state)
{
	(void)state;
	double best = 1, sum = 0;
	int runs = 50;
	for (int i = 0; i < runs; i++) {
		struct worker_spec spec = { .name = "quick", .run = run_first_frame, .thread = short_helper, .input_size = 1 };
		struct worker *w = NULL;
		struct frame f;
		double from = seconds();
		assert_int_equal(worker_start(&spec, &w, NULL), 0);
		assert_int_equal(worker_recv(w, 10, &f, NULL), 1);
		double took = seconds() - from;
		assert_int_equal(worker_finish(w, NULL), 0);
		best = took < best ? took : best;
		sum += took;
	}
	print_message("    from start to first frame: best %.2f ms, mean %.2f ms\n", best * 1e3, sum / runs * 1e3);
	if (!SANITIZED)
		assert_true(best < 0.001);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(workers_work_as_we_are),
		cmocka_unit_test(workers_work_as_nobody),
		cmocka_unit_test(workers_work_without_a_sandbox),
		cmocka_unit_test(mounts_below_the_folder_are_seen_and_stay),
		cmocka_unit_test(a_hundred_starts_under_load),
		cmocka_unit_test(a_start_is_quick),
	};
	return cmocka_run_group_tests(tests, make_all, clear_all);
}
