/* Workers from the parent's side: frames both ways, hostile frames, every way to die and its words, descriptors, limits.
 * That the walls hold is in test_sandbox_walls.c. */
#include "sandbox/worker.h"
#include "base/base.h"
#include "sandbox/confine.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <semaphore.h>
#include <seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

static struct worker *begin(int (*run)(struct worker_io *, void *), void *arg)
{
	struct worker_spec spec = { .name = "test", .kind = WORKER_BYTES, .run = run, .arg = arg, .input_size = 1 };
	struct err err = { 0 };
	struct worker *w = NULL;
	if (worker_start(&spec, &w, &err) < 0)
		fail_msg("%s", err.text);
	return w;
}

/* It ends as ERR_WORKER and these words are among those said. */
static void ends_with(struct worker *w, const char *words)
{
	struct err err = { 0 };
	assert_int_equal(worker_finish(w, &err), ERR_WORKER);
	assert_int_equal(err.code, ERR_WORKER);
	if (!str_contains(str_from(err.text), str_from(words)))
		fail_msg("\"%s\" does not say \"%s\"", err.text, words);
}

static void ends_well(struct worker *w)
{
	struct err err = { 0 };
	if (worker_finish(w, &err) < 0)
		fail_msg("%s", err.text);
}

static double seconds(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* --- frames --- */

static int run_echo(struct worker_io *io, void *arg)
{
	(void)arg;
	struct frame f;
	int rc;
	while ((rc = worker_io_recv(io, FRAME_SIZE_MAX, &f, NULL)) == 1)
		worker_io_send(io, f.type + 1, f.payload);
	return rc == 0 ? 0 : 9;
}

static void echo_one(struct worker *w, uint32_t type, size_t size)
{
	struct err err = { 0 };
	char *bytes = xmalloc(size + 1);
	for (size_t i = 0; i < size; i++)
		bytes[i] = (char)(i * 31 + size);
	struct frame f;
	assert_int_equal(worker_send(w, type, (struct str){ bytes, size }, &err), 0);
	assert_int_equal(worker_recv(w, size, &f, &err), 1);
	assert_int_equal(f.type, type + 1);
	assert_true(str_eq(f.payload, (struct str){ bytes, size }));
	free(bytes);
}

static void frames_of_every_size_come_back(void **state)
{
	(void)state;
	static const size_t sizes[] = { 0, 1, 7, 4095, 4096, 4097, 65536, 262144, 262145, 3 * MIB, 0, 5 };
	struct worker *w = begin(run_echo, NULL);
	for (size_t i = 0; i < COUNT_OF(sizes); i++)
		echo_one(w, (uint32_t)i * 100, sizes[i]);
	ends_well(w);
}

static void on_alarm(int sig) { (void)sig; }

static void signals_interrupt_nothing(void **state)
{
	(void)state;
	struct sigaction act = { .sa_handler = on_alarm }, old; /* without SA_RESTART */
	(void)sigaction(SIGALRM, &act, &old);
	struct itimerval often = { { 0, 500 }, { 0, 500 } }, never = { 0 };
	struct worker *w = begin(run_echo, NULL);
	(void)setitimer(ITIMER_REAL, &often, NULL);
	for (uint32_t i = 0; i < 8; i++)
		echo_one(w, i, 2 * MIB);
	ends_well(w);
	(void)setitimer(ITIMER_REAL, &never, NULL);
	(void)sigaction(SIGALRM, &old, NULL);
}

static int own_socket(void)
{
	struct stat st;
	for (int fd = 3; fd < 1024; fd++)
		if (fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode))
			return fd;
	return -1;
}

/* The bytes of arg, one at a time, as they are. */
static int run_raw(struct worker_io *io, void *arg)
{
	(void)io;
	const struct str *raw = arg;
	int fd = own_socket();
	for (size_t i = 0; i < raw->len; i++)
		if (write(fd, raw->ptr + i, 1) != 1)
			return 8;
	return 0;
}

static void frames_may_come_in_crumbs(void **state)
{
	(void)state;
	struct str raw = STR("\x05\0\0\0\x03\0\0\0abc\x06\0\0\0\0\0\0\0");
	struct worker *w = begin(run_raw, &raw);
	struct frame f;
	assert_int_equal(worker_recv(w, 100, &f, NULL), 1);
	assert_int_equal(f.type, 5);
	assert_true(str_eq(f.payload, STR("abc")));
	assert_int_equal(worker_recv(w, 100, &f, NULL), 1);
	assert_int_equal(f.type, 6);
	assert_int_equal(f.payload.len, 0);
	assert_int_equal(worker_recv(w, 100, &f, NULL), 0);
	assert_int_equal(worker_recv(w, 100, &f, NULL), 0);
	ends_well(w);
}

static void lengths_that_lie(void **state)
{
	(void)state;
	static const struct {
		struct str raw;
		size_t size_max;
	} cases[] = {
		{ STR_INIT("\x01\0\0\0\xff\xff\xff\xff"), SIZE_MAX },
		{ STR_INIT("\x01\0\0\0\x01\0\0\x04 and more"), SIZE_MAX }, /* FRAME_SIZE_MAX + 1 */
		{ STR_INIT("\x01\0\0\0\x04\0\0\0abcd"), 3 },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct str raw = cases[i].raw;
		struct err err = { 0 };
		struct frame f;
		struct worker *w = begin(run_raw, &raw);
		assert_int_equal(worker_recv(w, cases[i].size_max, &f, &err), ERR_WORKER);
		assert_true(str_contains(str_from(err.text), STR("broke the protocol")));
		assert_int_equal(worker_recv(w, SIZE_MAX, &f, &err), ERR_WORKER);
		ends_with(w, "broke the protocol");
	}
}

static void frames_that_stop_short(void **state)
{
	(void)state;
	static const struct str cases[] = {
		STR_INIT("\x01"), STR_INIT("\x01\0\0\0\x04\0\0"), STR_INIT("\x01\0\0\0\x04\0\0\0abc"),
		STR_INIT("\x01\0\0\0\0\0\0\x04"), /* promises FRAME_SIZE_MAX, gives nothing */
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct str raw = cases[i];
		struct frame f;
		struct worker *w = begin(run_raw, &raw);
		assert_int_equal(worker_recv(w, FRAME_SIZE_MAX, &f, NULL), 0);
		ends_with(w, "in the middle of a frame");
	}
}

static int run_stall(struct worker_io *io, void *arg)
{
	(void)run_raw(io, arg);
	return worker_io_recv(io, 10, &(struct frame){ 0 }, NULL) == 1 ? 5 : 0;
}

static void a_frame_that_pauses(void **state)
{
	(void)state;
	static const struct str cases[] = { STR_INIT("\x01"), STR_INIT("\x01\0\0\0\x04\0\0\0abc") };
	struct timeval soon = { .tv_usec = 100000 };
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct str raw = cases[i];
		struct err err = { 0 };
		struct frame f;
		struct worker *w = begin(run_stall, &raw);
		assert_int_equal(setsockopt(worker_fd(w), SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon)), 0);
		assert_int_equal(worker_recv(w, 100, &f, &err), ERR_WORKER);
		assert_true(str_contains(str_from(err.text), STR("WORKER_STALL_SECONDS_MAX")));
		ends_with(w, "broke the protocol");
	}
}

static int run_late(struct worker_io *io, void *arg)
{
	volatile uint64_t work = 0;
	(void)arg;
	for (uint64_t i = 0; i < 300000000; i++)
		work = work + i;
	worker_io_send(io, 4, STR("late"));
	return 0;
}

static void a_frame_may_be_long_in_coming(void **state)
{
	(void)state;
	struct frame f;
	struct timeval soon = { .tv_usec = 10000 };
	struct worker *w = begin(run_late, NULL);
	assert_int_equal(setsockopt(worker_fd(w), SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon)), 0);
	assert_int_equal(worker_recv(w, 100, &f, NULL), 1);
	ends_well(w);
}

static int run_talk(struct worker_io *io, void *arg)
{
	(void)arg;
	char block[8192] = { 0 };
	for (int i = 0; i < 1000; i++)
		worker_io_send(io, 1, (struct str){ block, sizeof(block) });
	return 0;
}

static void frames_that_nobody_reads_hold_nobody(void **state)
{
	(void)state;
	ends_well(begin(run_talk, NULL));
}

static int run_talk_on(struct worker_io *io, void *arg)
{
	(void)arg;
	char block[65536] = { 0 };
	for (;;)
		worker_io_send(io, 1, (struct str){ block, sizeof(block) });
	return 0;
}

static void one_who_never_ends_is_ended(void **state)
{
	(void)state;
	ends_with(begin(run_talk_on, NULL), "broke the protocol");
}

static int run_nothing(struct worker_io *io, void *arg)
{
	(void)io;
	(void)arg;
	return 0;
}

static void a_worker_that_has_gone_is_no_signal(void **state)
{
	(void)state;
	(void)signal(SIGPIPE, SIG_DFL);
	struct worker *w = begin(run_nothing, NULL);
	struct err err = { 0 };
	char block[8192] = { 0 };
	int rc = 0;
	for (int i = 0; i < 100000 && rc == 0; i++)
		rc = worker_send(w, 1, (struct str){ block, sizeof(block) }, &err);
	assert_int_equal(rc, ERR_WORKER);
	struct frame f;
	assert_int_equal(worker_recv(w, 100, &f, &err), 0);
	/* The first failure told of lost bytes (ECONNRESET); from now on it is EPIPE. */
	assert_int_equal(worker_send(w, 1, STR("x"), &err), ERR_WORKER);
	ends_well(w);
}

static int run_too_much(struct worker_io *io, void *arg)
{
	(void)arg;
	worker_io_send(io, 1, (struct str){ xmalloc(FRAME_SIZE_MAX + 1), FRAME_SIZE_MAX + 1 });
	return 0;
}

static void no_frame_over_the_cap(void **state)
{
	(void)state;
	ends_with(begin(run_too_much, NULL), "FRAME_SIZE_MAX");
	struct worker *w = begin(run_echo, NULL);
	struct err err = { 0 };
	char c = 0;
	assert_int_equal(worker_send(w, 1, (struct str){ &c, FRAME_SIZE_MAX + 1 }, &err), ERR_LIMIT);
	echo_one(w, 3, 10);
	ends_well(w);
}

/* --- ends --- */

static int run_code(struct worker_io *io, void *arg)
{
	(void)io;
	return *(int *)arg;
}

static void codes(void **state)
{
	(void)state;
	int code = 3;
	ends_with(begin(run_code, &code), "worker \"test\" failed with code 3");
	code = -1;
	ends_with(begin(run_code, &code), "failed with code");
	code = 100; /* means "not confined" when the start says it; run cannot */
	ends_with(begin(run_code, &code), "failed with code");
}

static int run_raise(struct worker_io *io, void *arg)
{
	(void)io;
	switch (*(int *)arg) {
	case SIGSYS:
		return (int)socket(AF_INET, SOCK_STREAM, 0) * 0;
	case SIGABRT:
		abort();
	default:
		return raise(*(int *)arg);
	}
}

static void deaths_have_words(void **state)
{
	(void)state;
	static const struct {
		int sig;
		const char *words;
	} cases[] = {
		{ SIGSYS, "worker \"test\" was killed by SIGSYS (a forbidden system call)" },
		{ SIGABRT, "was killed by SIGABRT" },
		{ SIGKILL, "was killed by SIGKILL" },
		{ SIGTERM, "was killed by SIGTERM" },
		{ SIGUSR2, "was killed by signal 12" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		int sig = cases[i].sig;
		ends_with(begin(run_raise, &sig), cases[i].words);
	}
}

static int run_fault(struct worker_io *io, void *arg)
{
	(void)io;
	(void)arg;
	char *volatile nowhere = (char *)(uintptr_t)8;
	*nowhere = 1;
	return 0;
}

static void a_fault_has_words(void **state)
{
	(void)state;
	if (SANITIZED) {
		print_message("skipped: the sanitizer words faults itself\n");
		skip();
	}
	ends_with(begin(run_fault, NULL), "was killed by SIGSEGV (a fault in memory)");
}

static int run_eat(struct worker_io *io, void *arg)
{
	(void)io;
	size_t size = *(size_t *)arg;
	memset(xmalloc(size), 1, size);
	return 0;
}

static void memory_has_a_limit(void **state)
{
	(void)state;
	if (SANITIZED) {
		print_message("skipped: RLIMIT_DATA is off in sanitizer builds\n");
		skip();
	}
	size_t size = 32 * MIB;
	struct worker_spec spec = {
		.name = "test", .kind = WORKER_BYTES, .run = run_eat, .arg = &size, .input_size = 1, .memory_max = 48 * MIB
	};
	struct worker *w = NULL;
	assert_int_equal(worker_start(&spec, &w, NULL), 0);
	ends_well(w);
	size = 64 * MIB;
	assert_int_equal(worker_start(&spec, &w, NULL), 0);
	ends_with(w, "SIGABRT (it gave up: out of its memory");
}

static int prepare_little_time(void *arg, struct err *err)
{
	(void)arg;
	(void)err;
	struct rlimit lim = { 1, 3 };
	return setrlimit(RLIMIT_CPU, &lim);
}

static int run_spin(struct worker_io *io, void *arg)
{
	(void)io;
	(void)arg;
	for (volatile uint64_t i = 0;; i = i + 1)
		;
	return 0;
}

static int run_tell_limit(struct worker_io *io, void *arg)
{
	(void)arg;
	struct rlimit lim;
	return getrlimit(RLIMIT_CPU, &lim) == 0 ? (worker_io_send(io, (uint32_t)lim.rlim_cur, STR("")), 0) : 1;
}

static void time_has_a_limit(void **state)
{
	(void)state;
	struct frame f;
	struct worker *limited = begin(run_tell_limit, NULL);
	assert_int_equal(worker_recv(limited, 0, &f, NULL), 1);
	assert_int_equal(f.type, WORKER_CPU_SECONDS_BASE);
	ends_well(limited);
	assert_int_equal(confine_cpu_seconds(1), WORKER_CPU_SECONDS_BASE);
	assert_int_equal(confine_cpu_seconds(10 * MIB), WORKER_CPU_SECONDS_BASE + 80);
	assert_int_equal(confine_cpu_seconds(0), WORKER_CPU_SECONDS_UNKNOWN);
	assert_true(confine_cpu_seconds(UINT64_MAX) > WORKER_CPU_SECONDS_UNKNOWN);
	struct worker_spec spec = {
		.name = "test", .kind = WORKER_BYTES, .run = run_spin, .prepare = prepare_little_time, .input_size = 1
	};
	struct worker *w = NULL;
	assert_int_equal(worker_start(&spec, &w, NULL), 0);
	ends_with(w, "killed by SIGXCPU (over 60 seconds of CPU time)");
}

static int run_wait(struct worker_io *io, void *arg)
{
	(void)arg;
	struct frame f;
	return worker_io_recv(io, 10, &f, NULL) == 0 ? 0 : 7;
}

/* Waits for nothing, on no descriptor. */
static int run_sleep(struct worker_io *io, void *arg)
{
	sem_t s;
	if (arg)
		(void)close(own_socket());
	(void)io;
	(void)sem_init(&s, 0, 0);
	for (;;)
		(void)sem_wait(&s);
	return 0;
}

static void sleepers_are_ended(void **state)
{
	(void)state;
	double from = seconds();
	worker_kill(begin(run_sleep, NULL));
	worker_kill(begin(run_wait, NULL));
	ends_well(begin(run_wait, NULL)); /* finishing closes its way in */
	assert_true(seconds() - from < 2);
	ends_with(begin(run_sleep, (void *)(uintptr_t)1), "SIGKILL"); /* has closed its end, and stays */
	assert_true(seconds() - from < 3 * WORKER_END_MS_MAX / 1000.0);
	worker_kill(NULL);
	assert_int_equal(worker_finish(NULL, NULL), 0);
}

static int run_tell_pid(struct worker_io *io, void *arg)
{
	pid_t own = getpid();
	worker_io_send(io, 1, (struct str){ (const char *)&own, sizeof(own) });
	return run_sleep(io, arg);
}

/* The process between: starts a worker, tells its id, ends without a word to it. */
static _Noreturn void start_and_leave(int out, bool nobody)
{
	struct worker_spec spec = { .name = "test", .kind = WORKER_TREE, .run = run_tell_pid, .input_size = 1 };
	struct worker *w = NULL;
	struct frame f;
	if (nobody && (setresgid(65534, 65534, 65534) < 0 || setresuid(65534, 65534, 65534) < 0))
		_exit(1);
	spec.root_fd = open("/usr", O_RDONLY | O_DIRECTORY);
	if (worker_start(&spec, &w, NULL) == 0 && worker_recv(w, 100, &f, NULL) == 1)
		(void)!write(out, f.payload.ptr, f.payload.len);
	_exit(0);
}

static void dies_with_its_parent(bool nobody)
{
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	pid_t middle = fork();
	if (middle == 0)
		start_and_leave(ends[1], nobody);
	pid_t worker = 0;
	(void)close(ends[1]);
	assert_int_equal(read(ends[0], &worker, sizeof(worker)), sizeof(worker));
	assert_int_equal(waitpid(middle, NULL, 0), middle);
	double until = seconds() + 5;
	while (kill(worker, 0) == 0 && seconds() < until)
		(void)usleep(1000);
	bool gone = kill(worker, 0) < 0 && errno == ESRCH;
	if (!gone)
		(void)kill(worker, SIGKILL);
	assert_true(gone);
	(void)close(ends[0]);
}

static void a_worker_dies_with_its_parent(void **state)
{
	(void)state;
	dies_with_its_parent(false);
	/* Without Landlock a plain user's worker enters a user namespace: the tie must outlast that. */
	landlock_limit(0);
	dies_with_its_parent(geteuid() == 0);
	landlock_limit(-1);
}

/* --- descriptors and specs --- */

static int run_list_fds(struct worker_io *io, void *arg)
{
	(void)arg;
	struct buf out;
	buf_init(&out, 65536);
	for (int fd = 0; fd < 1024; fd++) {
		struct stat st;
		if (fstat(fd, &st) == 0)
			(void)buf_printf(&out, "%d%s ", fd,
			                 S_ISSOCK(st.st_mode) ? "s"
			                 : st.st_rdev == makedev(1, 3) && S_ISCHR(st.st_mode) ? "n"
			                                                                      : "");
	}
	worker_io_send(io, 1, buf_view(&out));
	return 0;
}

static void only_named_descriptors_stay(bool sandbox)
{
	sandbox_setup(sandbox);
	int low = open("/etc/passwd", O_RDONLY), given = dup2(low, 200);
	assert_true(low > 2 && given == 200);
	assert_int_equal(dup2(low, 100), 100);
	assert_int_equal(dup2(low, 300), 300);
	struct worker_spec spec = { .name = "test", .kind = WORKER_BYTES, .run = run_list_fds, .fds = { 200 }, .fd_count = 1 };
	struct worker *w = NULL;
	struct frame f;
	assert_int_equal(worker_start(&spec, &w, NULL), 0);
	assert_int_equal(worker_recv(w, 10000, &f, NULL), 1);
	struct str rest = f.payload, word;
	const char *want = SANITIZED ? "0n 1n 2 " : "0n 1n 2n ";
	if (!str_skip(&rest, str_from(want)))
		fail_msg("open: %.*s", STR_ARG(f.payload));
	assert_true(str_cut(&rest, ' ', &word) && str_ends(word, STR("s")));
	if (!str_eq(rest, STR("200 ")))
		fail_msg("open besides: %.*s", STR_ARG(rest));
	ends_well(w);
	(void)close(low);
	(void)close(100);
	(void)close(200);
	(void)close(300);
	sandbox_setup(true);
}

static void descriptors(void **state)
{
	(void)state;
	only_named_descriptors_stay(true);
	only_named_descriptors_stay(false);
}

static int run_read_stdin(struct worker_io *io, void *arg)
{
	(void)arg;
	char text[64];
	ssize_t n = read(0, text, sizeof(text));
	worker_io_send(io, 1, (struct str){ text, n > 0 ? (size_t)n : 0 });
	return 0;
}

static void standard_input_may_be_kept(void **state)
{
	(void)state;
	int ends[2], old = dup(0);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "archive", 7), 7);
	assert_int_equal(dup2(ends[0], 0), 0);
	struct worker_spec spec = { .name = "test", .kind = WORKER_BYTES, .run = run_read_stdin, .fds = { 0 }, .fd_count = 1 };
	struct worker *w = NULL;
	struct frame f;
	assert_int_equal(worker_start(&spec, &w, NULL), 0);
	assert_int_equal(worker_recv(w, 100, &f, NULL), 1);
	assert_true(str_eq(f.payload, STR("archive")));
	ends_well(w);
	if (old >= 0) {
		(void)dup2(old, 0);
		(void)close(old);
	} else {
		(void)close(0);
	}
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void refused(const struct worker_spec *spec, const char *words)
{
	struct err err = { 0 };
	struct worker *w = NULL;
	assert_int_equal(worker_start(spec, &w, &err), ERR_WORKER);
	assert_null(w);
	if (!str_contains(str_from(err.text), str_from(words)))
		fail_msg("\"%s\" does not say \"%s\"", err.text, words);
}

static void *idle(void *p)
{
	(void)sem_wait(p);
	return NULL;
}

static void wrong_specs_are_refused(void **state)
{
	(void)state;
	int folder = open("/", O_RDONLY | O_DIRECTORY), file = open("/etc/passwd", O_RDONLY);
	struct worker_spec spec = { .name = "test", .run = run_nothing, .fds = { folder }, .fd_count = 1 };
	refused(&spec, "is a folder");
	spec.fds[0] = 987;
	refused(&spec, "descriptor 987");
	spec.fd_count = WORKER_FDS_MAX + 1;
	refused(&spec, "WORKER_FDS_MAX");
	spec.fd_count = 0;
	spec.kind = WORKER_TREE;
	spec.root_fd = file;
	refused(&spec, "is no folder");
	spec.root_fd = -1;
	refused(&spec, "descriptor -1");
	sem_t go;
	pthread_t thread;
	(void)sem_init(&go, 0, 0);
	assert_int_equal(pthread_create(&thread, NULL, idle, &go), 0);
	spec.kind = WORKER_BYTES;
	refused(&spec, "from one thread");
	(void)sem_post(&go);
	(void)pthread_join(thread, NULL);
	(void)close(folder);
	(void)close(file);
}

static int prepare_fails(void *arg, struct err *err)
{
	(void)arg;
	return err_set(err, ERR_IO, "no such library");
}

static void a_start_that_fails_has_words(void **state)
{
	(void)state;
	struct worker_spec spec = { .name = "test", .run = run_nothing, .prepare = prepare_fails };
	struct worker *w = NULL;
	struct frame f;
	assert_int_equal(worker_start(&spec, &w, NULL), 0);
	assert_int_equal(worker_recv(w, 10, &f, NULL), 0);
	ends_with(w, "could not be made ready: no such library");
}

/* --- what the kernel says of a worker that runs --- */

static void helper_waits(void *arg)
{
	(void)run_sleep(NULL, arg);
}

static struct str content_of(pid_t pid, const char *name, char *text, size_t size)
{
	char path[320];
	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	int fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	ssize_t n = read(fd, text, size);
	(void)close(fd);
	return (struct str){ text, n > 0 ? (size_t)n : 0 };
}

/* The line "key:\tvalue" of a status file, of which value is given back in text. */
static struct str status_of(pid_t pid, const char *task, const char *key, char *text, size_t size)
{
	char name[300];
	(void)snprintf(name, sizeof(name), "task/%s/status", task);
	struct str rest = content_of(pid, name, text, size), line;
	while (str_cut(&rest, '\n', &line))
		if (str_skip(&line, str_from(key)) && str_skip(&line, STR(":")))
			return str_trim(line);
	fail_msg("%s has no %s", name, key);
	return (struct str){ 0 };
}

static void status_is(pid_t pid, const char *task, const char *key, uint64_t want)
{
	char text[8192];
	uint64_t got;
	struct str v = status_of(pid, task, key, text, sizeof(text));
	assert_true(str_to_u64_base(v, 16, &got));
	if (got != want)
		fail_msg("%s of %s is %.*s", key, task, STR_ARG(v));
}

static unsigned every_task_is_bound(pid_t pid, uint64_t capabilities)
{
	char path[64];
	unsigned count = 0;
	(void)snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	DIR *d = opendir(path);
	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d));) {
		if (e->d_name[0] == '.')
			continue;
		status_is(pid, e->d_name, "CapEff", capabilities);
		status_is(pid, e->d_name, "CapPrm", capabilities);
		status_is(pid, e->d_name, "CapInh", 0);
		status_is(pid, e->d_name, "CapAmb", 0);
		status_is(pid, e->d_name, "NoNewPrivs", 1);
		status_is(pid, e->d_name, "Seccomp", 2);
		count++;
	}
	(void)closedir(d);
	return count;
}

static void capabilities_are_dropped_and_all_threads_are_bound(void **state)
{
	(void)state;
	char own[32], text[8192];
	uint64_t ours = 0, keeps = UINT64_C(1) << CAP_DAC_READ_SEARCH | UINT64_C(1) << CAP_SYS_ADMIN;
	(void)snprintf(own, sizeof(own), "%d", (int)getpid());
	assert_true(str_to_u64_base(status_of(getpid(), own, "CapPrm", text, sizeof(text)), 16, &ours));
	int root = open("/usr", O_RDONLY | O_DIRECTORY);
	for (int kind = WORKER_BYTES; kind <= WORKER_TREE; kind++) {
		struct worker_spec spec = { .name = "test", .kind = (enum worker_kind)kind, .run = run_tell_pid };
		struct worker *w = NULL;
		struct frame f;
		pid_t pid;
		spec.thread = helper_waits;
		spec.root_fd = root;
		assert_int_equal(worker_start(&spec, &w, NULL), 0);
		assert_int_equal(worker_recv(w, sizeof(pid), &f, NULL), 1);
		assert_int_equal(f.payload.len, sizeof(pid));
		memcpy(&pid, f.payload.ptr, sizeof(pid));
		unsigned tasks = every_task_is_bound(pid, kind == WORKER_TREE ? ours & keeps : 0);
		assert_int_equal(tasks, 2);
		assert_true(str_eq(content_of(pid, "oom_score_adj", text, sizeof(text)), STR("800\n")));
		worker_kill(w);
	}
	(void)close(root);
}

/* --- what is said --- */

static int run_open(struct worker_io *io, void *arg)
{
	(void)io;
	(void)arg;
	return open("/etc/passwd", O_RDONLY) >= 0 ? 1 : 0;
}

static void without_a_sandbox(void **state)
{
	(void)state;
	sandbox_setup(false);
	assert_true(str_eq(sandbox_describe(), STR("off (--no-sandbox)")));
	ends_with(begin(run_open, NULL), "failed with code 1");
	sandbox_setup(true);
	ends_well(begin(run_open, NULL));
}

static void says(int abi, const char *want)
{
	landlock_limit(abi);
	struct str said = sandbox_describe();
	if (SANITIZED)
		assert_true(str_skip(&said, STR("sanitizer build: no memory limit, more system calls")));
	(void)str_skip(&said, STR("; "));
	if (!str_eq(said, str_from(want)) && !(SANITIZED && str_eq(str_from(want), STR("full")) && said.len == 0))
		fail_msg("ABI %d: \"%.*s\", not \"%s\"", abi, STR_ARG(said), want);
}

static void the_description_follows_the_kernel(void **state)
{
	(void)state;
	landlock_limit(-1);
	int real = landlock_abi();
	if (real >= 3)
		says(-1, "full");
	else
		print_message("this kernel has Landlock ABI %d: \"full\" not tried\n", real);
	if (real >= 1)
		says(1, "Landlock ABI 1: truncation left to seccomp");
	if (real >= 2)
		says(2, "Landlock ABI 2: truncation left to seccomp");
	if (geteuid() == 0)
		says(0, "no Landlock (kernel)");
	landlock_limit(-1);
	/* Learned from a worker that ran anyway. */
	ends_well(begin(run_nothing, NULL));
	assert_true(sandbox_describe().len > 0);
}

/* An outer filter answers as an older kernel, or a container engine of its time, does. */
static bool pretend(const char *const *calls, int error)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	bool ok = ctx != NULL;
	for (; ok && *calls; calls++) {
		int nr = seccomp_syscall_resolve_name(*calls);
		ok = nr >= 0 && seccomp_rule_add(ctx, SCMP_ACT_ERRNO((uint32_t)error), nr, 0) == 0;
	}
	ok = ok && seccomp_load(ctx) == 0;
	seccomp_release(ctx);
	return ok;
}

/* In a process of its own: what workers do, and what is said of it, where these calls are missing. */
static void where_missing(const char *const *calls, int error, const char *want)
{
	pid_t pid = fork();
	if (pid == 0) {
		sandbox_setup(true);
		if (!pretend(calls, error))
			_exit(1);
		struct worker *w = NULL;
		struct worker_spec spec = { .name = "test", .kind = WORKER_TREE, .run = run_list_fds };
		spec.root_fd = open("/usr", O_RDONLY | O_DIRECTORY);
		struct err err = { 0 };
		struct frame f;
		if (worker_start(&spec, &w, &err) < 0 || worker_recv(w, 10000, &f, &err) != 1)
			_exit(2);
		if (worker_finish(w, &err) < 0)
			_exit(3);
		struct str said = sandbox_describe();
		print_message("    without %s: %.*s\n", *calls, STR_ARG(said));
		_exit(str_contains(said, str_from(want)) ? 0 : 4);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void older_kernels_and_engines(void **state)
{
	(void)state;
	static const char *const no_landlock[] = { "landlock_create_ruleset", "close_range", "open_tree", NULL };
	static const char *const no_mounts[] = { "mount_setattr", "pidfd_open", NULL };
	static const char *const no_seccomp[] = { "seccomp", NULL };
	static const char *const no_chroot[] = { "chroot", "unshare", "landlock_create_ruleset", NULL };
	where_missing(no_landlock, ENOSYS, "no Landlock (kernel)");
	where_missing(no_landlock, EPERM, "no Landlock (kernel)");
	where_missing(no_mounts, ENOSYS, landlock_abi() >= 3 ? SANITIZED ? "sanitizer" : "full" : "Landlock");
	where_missing(no_seccomp, ENOSYS, "no seccomp (kernel)");
	where_missing(no_seccomp, EPERM, "no seccomp (kernel)");
	where_missing(no_chroot, EPERM, "no chroot: readers of folders can read outside them");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_of_every_size_come_back),
		cmocka_unit_test(signals_interrupt_nothing),
		cmocka_unit_test(frames_may_come_in_crumbs),
		cmocka_unit_test(lengths_that_lie),
		cmocka_unit_test(frames_that_stop_short),
		cmocka_unit_test(a_frame_that_pauses),
		cmocka_unit_test(a_frame_may_be_long_in_coming),
		cmocka_unit_test(frames_that_nobody_reads_hold_nobody),
		cmocka_unit_test(one_who_never_ends_is_ended),
		cmocka_unit_test(a_worker_that_has_gone_is_no_signal),
		cmocka_unit_test(no_frame_over_the_cap),
		cmocka_unit_test(codes),
		cmocka_unit_test(deaths_have_words),
		cmocka_unit_test(a_fault_has_words),
		cmocka_unit_test(memory_has_a_limit),
		cmocka_unit_test(time_has_a_limit),
		cmocka_unit_test(sleepers_are_ended),
		cmocka_unit_test(a_worker_dies_with_its_parent),
		cmocka_unit_test(descriptors),
		cmocka_unit_test(standard_input_may_be_kept),
		cmocka_unit_test(wrong_specs_are_refused),
		cmocka_unit_test(a_start_that_fails_has_words),
		cmocka_unit_test(capabilities_are_dropped_and_all_threads_are_bound),
		cmocka_unit_test(without_a_sandbox),
		cmocka_unit_test(the_description_follows_the_kernel),
		cmocka_unit_test(older_kernels_and_engines),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
