/* Workers seen from both ends: fork, frames, waiting, and the words for how one died. What the child does to itself
 * before it runs is in confine.c.
 * The parent must never trust what comes over the socket, never be killed by a worker's end (no SIGPIPE), and never
 * wait for a worker that has closed its end but does not go. */
#include "sandbox/worker.h"
#include "base/base.h"
#include "base/hash.h"
#include "sandbox/confine.h"
#include "sandbox/frame.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

/* Exit codes of the child that are ours, above those of run. */
enum { EXIT_RUN_MAX = 99, EXIT_NOT_CONFINED = 100, EXIT_PARENT_GONE = 101, EXIT_FRAME_SIZE = 102, EXIT_CODE = 103 };

/* What the child says about its confinement: a page that both have until the child lets go of it, which it does before
 * it runs. So it is our own word, never a hostile one. */
struct note {
	struct confine_facts facts;
	struct err failed;
};

struct worker {
	pid_t pid;
	int fd;
	char name[32];
	unsigned cpu_seconds;
	struct buf in;
	enum frame_end end;
	struct note *note;
};

struct worker_io {
	int fd;
	struct buf in;
	bool sees_trusted;
};

static bool enabled = true;

void sandbox_setup(bool on)
{
	enabled = on;
	describe_forget();
}

bool sandbox_enabled(void)
{
	return enabled;
}

/* --- start --- */

/* A fork copies one thread, and the locks that others held stay locked for ever. */
static int check_one_thread(struct err *err)
{
	struct stat st;
	if (stat("/proc/self/task", &st) == 0 && st.st_nlink > 3)
		return err_set(err, ERR_WORKER, "a worker is forked from one thread, and this process has %lu",
		               (unsigned long)st.st_nlink - 2);
	return 0;
}

/* A folder among the descriptors would be a way out of the chroot. */
static int check_fd(int fd, bool folder, struct err *err)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return err_set(err, ERR_WORKER, "descriptor %d: %m", fd);
	if (folder != (bool)S_ISDIR(st.st_mode))
		return err_set(err, ERR_WORKER, "descriptor %d is %s folder", fd, folder ? "no" : "a");
	return 0;
}

static int check_spec(const struct worker_spec *spec, struct err *err)
{
	if (spec->fd_count > WORKER_FDS_MAX)
		return err_set(err, ERR_WORKER, "%zu descriptors (WORKER_FDS_MAX)", spec->fd_count);
	for (size_t i = 0; i < spec->fd_count; i++)
		if (check_fd(spec->fds[i], false, err) < 0)
			return ERR_WORKER;
	if (spec->kind == WORKER_TREE && check_fd(spec->root_fd, true, err) < 0)
		return ERR_WORKER;
	return check_one_thread(err);
}

/* Once, in the parent, so that every child inherits it. */
static int prepare_parent(const struct worker_spec *spec, const struct filter **ret, struct err *err)
{
	static bool hashes;
	int rc = hashes ? 0 : hash_setup(err);
	if (rc < 0)
		return rc;
	hashes = true;
	*ret = NULL;
	return enabled ? filter_get(spec, ret, err) : 0;
}

static _Noreturn void child_main(const struct confine_job *job, struct note *note)
{
	struct err err = { 0 };
	struct worker_io io = { .fd = job->socket_fd };
	const struct worker_spec *spec = job->spec;
	struct confine_facts facts;
	if (confine_self(job, &facts, &err) < 0) {
		note->failed = err;
		_exit(EXIT_NOT_CONFINED);
	}
	io.sees_trusted = facts.sees_trusted;
	note->facts = facts;
	(void)munmap(note, sizeof(*note));
	confine_release(spec);
	int code = spec->run(&io, spec->arg);
	_exit(code >= 0 && code <= EXIT_RUN_MAX ? code : EXIT_CODE);
}

/* Both ends above 2, so that neither is taken for a standard stream. */
static int make_sockets(int ends[2], struct err *err)
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return err_set(err, ERR_IO, "socketpair: %m");
	for (int i = 0; i < 2; i++) {
		if (ends[i] > 2)
			continue;
		int fd = fcntl(ends[i], F_DUPFD_CLOEXEC, 3);
		(void)close(ends[i]);
		ends[i] = fd;
	}
	if (ends[0] >= 0 && ends[1] >= 0)
		return 0;
	for (int i = 0; i < 2; i++)
		if (ends[i] >= 0)
			(void)close(ends[i]);
	return err_set(err, ERR_IO, "descriptors: %m");
}

static struct worker *worker_new(const struct worker_spec *spec, struct err *err)
{
	struct worker *w = xcalloc(1, sizeof(*w));
	w->fd = -1;
	w->cpu_seconds = confine_cpu_seconds(spec->input_size);
	(void)snprintf(w->name, sizeof(w->name), "%s", spec->name ? spec->name : "?");
	w->note = mmap(NULL, sizeof(*w->note), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (w->note == MAP_FAILED) {
		free(w);
		(void)err_set(err, ERR_IO, "memory for a worker: %m");
		return NULL;
	}
	return w;
}

static void worker_free(struct worker *w)
{
	if (w->fd >= 0)
		(void)close(w->fd);
	(void)munmap(w->note, sizeof(*w->note));
	buf_done(&w->in);
	free(w);
}

static int start(const struct worker_spec *spec, struct worker *w, const struct filter *filter, struct err *err)
{
	int ends[2];
	int rc = make_sockets(ends, err);
	if (rc < 0)
		return rc;
	struct confine_job job = {
		.spec = spec, .socket_fd = ends[1], .parent = getpid(), .enabled = enabled, .filter = filter
	};
	w->pid = fork();
	if (w->pid == 0)
		child_main(&job, w->note);
	rc = w->pid < 0 ? err_set(err, ERR_IO, "fork: %m") : 0;
	(void)close(ends[1]);
	w->fd = ends[0];
	struct timeval stall = { .tv_sec = WORKER_STALL_SECONDS_MAX };
	(void)setsockopt(w->fd, SOL_SOCKET, SO_RCVTIMEO, &stall, sizeof(stall));
	return rc;
}

int worker_start(const struct worker_spec *spec, struct worker **ret, struct err *err)
{
	const struct filter *filter;
	int rc = check_spec(spec, err);
	if (rc == 0)
		rc = prepare_parent(spec, &filter, err);
	struct worker *w = rc == 0 ? worker_new(spec, err) : NULL;
	if (!w || start(spec, w, filter, err) < 0) {
		if (w)
			worker_free(w);
		return err_wrap(err, "worker \"%s\"", spec->name ? spec->name : "?");
	}
	*ret = w;
	return 0;
}

/* --- frames --- */

int worker_fd(const struct worker *w)
{
	return w->fd;
}

int worker_send(struct worker *w, uint32_t type, struct str payload, struct err *err)
{
	int rc = frame_write(w->fd, true, type, payload);
	if (rc == ERR_LIMIT)
		return err_set(err, rc, "a frame of %zu bytes for worker \"%s\" (FRAME_SIZE_MAX)", payload.len, w->name);
	return rc < 0 ? err_set(err, ERR_WORKER, "worker \"%s\" takes nothing more: %m", w->name) : 0;
}

int worker_recv(struct worker *w, size_t size_max, struct frame *ret, struct err *err)
{
	if (w->end != FRAME_END_NONE && w->end != FRAME_END_BROKEN)
		return 0;
	if (w->end == FRAME_END_BROKEN)
		return err_set(err, ERR_WORKER, "worker \"%s\" broke the protocol before", w->name);
	int rc = frame_read(w->fd, &w->in, size_max, ret, &w->end, err);
	if (rc < 0) {
		w->end = FRAME_END_BROKEN;
		(void)err_wrap(err, "worker \"%s\" broke the protocol", w->name);
		return ERR_WORKER;
	}
	return rc;
}

void worker_io_send(struct worker_io *io, uint32_t type, struct str payload)
{
	int rc = frame_write(io->fd, false, type, payload);
	if (rc < 0)
		_exit(rc == ERR_LIMIT ? EXIT_FRAME_SIZE : EXIT_PARENT_GONE);
}

int worker_io_recv(struct worker_io *io, size_t size_max, struct frame *ret, struct err *err)
{
	enum frame_end end = FRAME_END_NONE;
	int rc = frame_read(io->fd, &io->in, size_max, ret, &end, err);
	return rc == 0 && end == FRAME_END_TORN ? err_set(err, ERR_IO, "the parent ended in the middle of a frame") : rc;
}

bool worker_io_sees_trusted(const struct worker_io *io)
{
	return io->sees_trusted;
}

/* --- ends --- */

static const struct {
	int signal;
	const char *name, *why;
} deaths[] = {
	{ SIGSYS, "SIGSYS", "a forbidden system call" },
	{ SIGKILL, "SIGKILL", "the system ran out of memory, or somebody did it" },
	{ SIGABRT, "SIGABRT", "it gave up: out of its memory, or a broken invariant" },
	{ SIGSEGV, "SIGSEGV", "a fault in memory" },
	{ SIGBUS, "SIGBUS", "a fault in memory, or a mapped file that shrank" },
	{ SIGILL, "SIGILL", "an illegal instruction" },
	{ SIGFPE, "SIGFPE", "a division by zero" },
	{ SIGTERM, "SIGTERM", "somebody did it" },
	{ SIGINT, "SIGINT", "interrupted" },
};

static int words_of_signal(const struct worker *w, int sig, struct err *err)
{
	if (sig == SIGXCPU)
		return err_set(err, ERR_WORKER, "worker \"%s\" was killed by SIGXCPU (over %u seconds of CPU time)", w->name,
		               w->cpu_seconds);
	for (size_t i = 0; i < COUNT_OF(deaths); i++)
		if (deaths[i].signal == sig)
			return err_set(err, ERR_WORKER, "worker \"%s\" was killed by %s (%s)", w->name, deaths[i].name,
			               deaths[i].why);
	return err_set(err, ERR_WORKER, "worker \"%s\" was killed by signal %d", w->name, sig);
}

static int words_of_exit(const struct worker *w, int code, struct err *err)
{
	switch (code) {
	case 0:
		if (w->end == FRAME_END_TORN)
			return err_set(err, ERR_WORKER, "worker \"%s\" ended in the middle of a frame", w->name);
		return 0;
	case EXIT_NOT_CONFINED:
		return err_set(err, ERR_WORKER, "worker \"%s\" could not be made ready: %s", w->name,
		               w->note->failed.text);
	case EXIT_PARENT_GONE:
		return err_set(err, ERR_WORKER, "worker \"%s\" had more to say than was heard", w->name);
	case EXIT_FRAME_SIZE:
		return err_set(err, ERR_WORKER, "worker \"%s\" had a frame over FRAME_SIZE_MAX to send", w->name);
	default:
		return err_set(err, ERR_WORKER, "worker \"%s\" failed with code %d", w->name, code);
	}
}

/* Read what still comes and drop it, so that a worker that writes can end. */
static void drain(struct worker *w)
{
	char dropped[16384];
	size_t size = 0;
	while (w->end == FRAME_END_NONE) {
		ssize_t n = read(w->fd, dropped, sizeof(dropped));
		size += n > 0 ? (size_t)n : 0;
		if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
			w->end = FRAME_END_CLEAN;
		else if (size > WORKER_DRAIN_SIZE_MAX)
			w->end = FRAME_END_BROKEN;
	}
}

/* A worker that has closed its end is about to go; one that does not go is up to something. */
static void kill_if_it_stays(const struct worker *w)
{
	int fd = (int)syscall(SYS_pidfd_open, w->pid, 0u);
	if (fd < 0) /* before Linux 5.3: waitpid waits, for a CPU limit at worst */
		return;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int rc;
	do
		rc = poll(&p, 1, WORKER_END_MS_MAX);
	while (rc < 0 && errno == EINTR);
	if (rc == 0)
		(void)kill(w->pid, SIGKILL);
	(void)close(fd);
}

static int reap(const struct worker *w, int *ret_status)
{
	pid_t got;
	do
		got = waitpid(w->pid, ret_status, 0);
	while (got < 0 && errno == EINTR);
	return got == w->pid ? 0 : ERR_IO;
}

int worker_finish(struct worker *w, struct err *err)
{
	if (!w)
		return 0;
	/* No more frames for it: a worker that waits for one is to end. */
	(void)shutdown(w->fd, SHUT_WR);
	drain(w);
	bool broken = w->end == FRAME_END_BROKEN;
	if (broken)
		(void)kill(w->pid, SIGKILL);
	else
		kill_if_it_stays(w);
	int status = 0, rc;
	if (reap(w, &status) < 0)
		rc = err_set(err, ERR_WORKER, "worker \"%s\": its end cannot be known: %m", w->name);
	else if (broken)
		rc = err_set(err, ERR_WORKER, "worker \"%s\" broke the protocol", w->name);
	else if (WIFSIGNALED(status))
		rc = words_of_signal(w, WTERMSIG(status), err);
	else
		rc = words_of_exit(w, WEXITSTATUS(status), err);
	describe_learn(&w->note->facts);
	worker_free(w);
	return rc;
}

void worker_kill(struct worker *w)
{
	if (!w)
		return;
	int status;
	(void)kill(w->pid, SIGKILL);
	(void)reap(w, &status);
	describe_learn(&w->note->facts);
	worker_free(w);
}
