/* The steps by which a worker shuts itself in, in the order that DESIGN 3 gives; each stands where it does because a
 * later one would forbid it or an earlier one would not cover it:
 *   libraries loaded and tables made (they open files), descriptors closed, not dumpable and tied to the parent, limits,
 *   no new privileges (Landlock asks for it), chroot (needs a capability), capabilities, Landlock (binds only threads
 *   born later), threads up to a barrier (a filter that is put on during a thread's start kills the process), seccomp.
 * Must never read a byte of the input, and never go on after a step that should have worked and did not. */
#include "base/base.h"
#include "sandbox/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

/* The same on every architecture; glibc has them since 2.36. */
#define NR_OPEN_TREE 428
#define NR_MOUNT_SETATTR 442
#define OPEN_TREE_CLONE 1
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif
enum { MOUNT_RDONLY = 1, MOUNT_NOSUID = 2, MOUNT_NODEV = 4, MOUNT_NOEXEC = 8 };

#define HELPER_STACK_SIZE (8 * MIB)

/* A parent's handlers and mask are not a worker's: Ctrl-C ends it, a write to a parent that has gone gives EPIPE. */
static void reset_signals(void)
{
	static const int plain[] = {
		SIGHUP,  SIGINT,  SIGQUIT,  SIGTERM, SIGUSR1, SIGUSR2, SIGALRM, SIGCHLD, SIGXCPU, SIGWINCH,
#if !SANITIZED /* whose own handlers these are */
		SIGSEGV, SIGBUS,  SIGILL,   SIGFPE,  SIGABRT, SIGSYS,
#endif
	};
	for (size_t i = 0; i < COUNT_OF(plain); i++)
		(void)signal(plain[i], SIG_DFL);
	(void)signal(SIGPIPE, SIG_IGN);
	sigset_t none;
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static int die_with_parent(pid_t parent, struct err *err)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return err_set(err, ERR_IO, "prctl: %m");
	/* It may have died before the kernel was told; then somebody else is our parent now. */
	return getppid() == parent ? 0 : err_set(err, ERR_IO, "the parent has gone");
}

/* --- descriptors --- */

static int int_cmp(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;
	return (x > y) - (x < y);
}

static int close_one_by_one(unsigned from, unsigned to)
{
	struct rlimit lim;
	if (getrlimit(RLIMIT_NOFILE, &lim) < 0)
		return -1;
	for (unsigned fd = from; fd <= to && fd < lim.rlim_max; fd++)
		(void)close((int)fd);
	return 0;
}

/* Both ends included. */
static int close_span(unsigned from, unsigned to)
{
	if (from > to || syscall(SYS_close_range, from, to, 0u) == 0)
		return 0;
	return errno == ENOSYS || errno == EPERM ? close_one_by_one(from, to) : -1;
}

/* 0, 1 and 2 become /dev/null where they are not kept: a library's last words must not end up in a descriptor of ours
 * that took the number, nor on a terminal. Sanitizers keep theirs. */
static void null_standard(const int *keep, size_t n)
{
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; fd <= 2; fd++) {
		bool kept = SANITIZED && fd == 2;
		for (size_t i = 0; i < n; i++)
			kept = kept || keep[i] == fd;
		if (kept || fd == null_fd)
			continue;
		if (null_fd < 0)
			(void)close(fd);
		else
			(void)dup2(null_fd, fd);
	}
	if (null_fd > 2)
		(void)close(null_fd);
}

static int close_others(const struct confine_job *job, struct err *err)
{
	const struct worker_spec *spec = job->spec;
	int keep[WORKER_FDS_MAX + 2];
	size_t n = 0;
	for (size_t i = 0; i < spec->fd_count; i++)
		keep[n++] = spec->fds[i];
	if (spec->kind == WORKER_TREE)
		keep[n++] = spec->root_fd;
	keep[n++] = job->socket_fd;
	qsort(keep, n, sizeof(*keep), int_cmp);
	null_standard(keep, n);
	unsigned from = 3;
	for (size_t i = 0; i < n; i++) {
		if (keep[i] < 3)
			continue;
		if (keep[i] > (int)from && close_span(from, (unsigned)keep[i] - 1) < 0)
			return err_set(err, ERR_IO, "close descriptors: %m");
		from = (unsigned)keep[i] + 1;
	}
	if (close_span(from, ~0u) < 0)
		return err_set(err, ERR_IO, "close descriptors: %m");
	return 0;
}

/* --- limits --- */

unsigned confine_cpu_seconds(uint64_t input_size)
{
	if (input_size == 0)
		return WORKER_CPU_SECONDS_UNKNOWN;
	uint64_t more = input_size / WORKER_CPU_BYTES_PER_SECOND;
	uint64_t max = WORKER_CPU_SECONDS_UNKNOWN * UINT64_C(100);
	return (unsigned)(WORKER_CPU_SECONDS_BASE + (more < max ? more : max));
}

/* Soft and, where the soft limit's signal should be seen first, a hard one above it; never above what holds already. */
static int limit(int what, uint64_t soft, uint64_t above, struct err *err)
{
	struct rlimit lim;
	if (getrlimit((__rlimit_resource_t)what, &lim) < 0)
		return err_set(err, ERR_IO, "getrlimit: %m");
	if (lim.rlim_max == RLIM_INFINITY || lim.rlim_max > soft + above)
		lim.rlim_max = soft + above;
	if (lim.rlim_cur == RLIM_INFINITY || lim.rlim_cur > soft)
		lim.rlim_cur = soft;
	if (lim.rlim_cur > lim.rlim_max)
		lim.rlim_cur = lim.rlim_max;
	if (setrlimit((__rlimit_resource_t)what, &lim) < 0)
		return err_set(err, ERR_IO, "setrlimit: %m");
	return 0;
}

#if !SANITIZED
/* What the parent's memory, of which this is a copy, counts already: pages of data and stack, the sixth number. */
static uint64_t data_now(void)
{
	char text[256];
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));
	if (fd >= 0)
		(void)close(fd);
	struct str rest = { text, n > 0 ? (size_t)n : 0 }, field;
	uint64_t pages = 0;
	for (int i = 0; i < 6; i++)
		if (!str_cut(&rest, ' ', &field) || !str_to_u64(field, &pages))
			return 64 * MIB;
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}
#endif

/* Where memory runs out, the worker is what the kernel should take. Best effort: it is the parent's score else. */
static void offer_to_oom_killer(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)!write(fd, "800", 3);
	(void)close(fd);
}

static unsigned files_max(enum worker_kind kind)
{
	switch (kind) {
	case WORKER_TREE: return WORKER_TREE_FILES_MAX;
	case WORKER_NET: return WORKER_NET_FILES_MAX;
	case WORKER_BYTES: break;
	}
	return WORKER_BYTES_FILES_MAX;
}

static int set_limits(const struct worker_spec *spec, struct err *err)
{
	int rc = limit(RLIMIT_CORE, 0, 0, err);
	if (rc == 0)
		rc = limit(RLIMIT_CPU, confine_cpu_seconds(spec->input_size), 2, err);
	if (rc == 0)
		rc = limit(RLIMIT_NOFILE, files_max(spec->kind), 0, err);
#if !SANITIZED /* shadow memory is data */
	size_t memory = spec->memory_max ? spec->memory_max : WORKER_MEMORY_DEFAULT;
	if (rc == 0)
		rc = limit(RLIMIT_DATA, data_now() + memory, 0, err);
#endif
	return rc;
}

/* --- paths and capabilities --- */

/* Without Landlock a plain user's only wall around the folder is a chroot, for which a user namespace is needed. */
static bool may_chroot(bool landlock)
{
	if (chroot(".") == 0)
		return true;
	return !landlock && errno == EPERM && unshare(CLONE_NEWUSER) == 0 && chroot(".") == 0;
}

/* A copy of the folder's mounts that belongs to nobody else, read-only and without devices, in place of the folder: an
 * image may hold a device node of the host's disk. Needs CAP_SYS_ADMIN and Linux 5.12; the folder itself stays where
 * there is either not. The copy lives as long as its first descriptor, which is not closed for that reason. */
static void take_read_only_copy(int root_fd)
{
	struct {
		uint64_t set, clear, propagation, user_namespace;
	} attr = { .set = MOUNT_RDONLY | MOUNT_NOSUID | MOUNT_NODEV | MOUNT_NOEXEC };
	int copy = (int)syscall(NR_OPEN_TREE, root_fd, "", OPEN_TREE_CLONE | AT_EMPTY_PATH | AT_RECURSIVE | O_CLOEXEC);
	if (copy < 0)
		return;
	int fd = -1;
	if (syscall(NR_MOUNT_SETATTR, copy, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)) == 0)
		fd = openat(copy, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* open_tree's own cannot be listed */
	if (fd >= 0 && dup2(fd, root_fd) == root_fd) {
		(void)close(fd);
		return;
	}
	if (fd >= 0)
		(void)close(fd);
	(void)close(copy);
}

/* The tree worker's folder becomes its root. A bytes worker needs no path at all: the folder of its own descriptors'
 * descriptions is a place with nothing in it that it does not know. A net worker's libraries read here and there. */
static bool enter_root(const struct worker_spec *spec)
{
	if (spec->kind == WORKER_NET)
		return false;
	if (spec->kind == WORKER_BYTES)
		return chdir("/proc/self/fdinfo") == 0 && chroot(".") == 0;
	take_read_only_copy(spec->root_fd);
	return fchdir(spec->root_fd) == 0 && may_chroot(landlock_abi() > 0);
}

static int get_capabilities(struct __user_cap_data_struct data[2], struct err *err)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	if (syscall(SYS_capget, &head, data) < 0)
		return err_set(err, ERR_IO, "capget: %m");
	return 0;
}

static int keep_capabilities(uint32_t keep, struct err *err)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { .effective = keep, .permitted = keep } };
	if (syscall(SYS_capset, &head, data) < 0)
		return err_set(err, ERR_IO, "capset: %m");
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return 0;
}

/* Both are below 32: the first word. Those of a namespace made here do not count, so they are taken before it is. */
static int wanted_capabilities(enum worker_kind kind, uint32_t *ret, struct err *err)
{
	struct __user_cap_data_struct had[2];
	int rc = get_capabilities(had, err);
	if (rc == 0)
		*ret = kind == WORKER_TREE
		               ? had[0].permitted & (1u << CAP_DAC_READ_SEARCH | 1u << CAP_SYS_ADMIN)
		               : 0;
	return rc;
}

/* Asking for a trusted attribute that is not there gives ENODATA with and without the right to see it, and a
 * namespace's CAP_SYS_ADMIN is not enough; setting one on a file of our own tells. */
static bool sees_trusted(void)
{
	int fd = memfd_create("trusted", MFD_CLOEXEC);
	if (fd < 0)
		return false;
	bool sees = fsetxattr(fd, "trusted.overlay.opaque", "y", 1, 0) == 0 || errno == EOPNOTSUPP;
	(void)close(fd);
	return sees;
}

static int wall_off_paths(const struct worker_spec *spec, struct confine_facts *facts, struct err *err)
{
	uint32_t keep = 0;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set(err, ERR_IO, "no_new_privs: %m");
	int rc = wanted_capabilities(spec->kind, &keep, err);
	if (rc < 0)
		return rc;
	facts->chrooted = enter_root(spec);
	rc = keep_capabilities(keep, err);
	if (rc < 0)
		return rc;
	facts->sees_trusted = spec->kind == WORKER_TREE && sees_trusted();
	rc = landlock_apply(spec, err);
	facts->landlock_abi = rc > 0 ? rc : 0;
	return rc < 0 ? rc : 0;
}

/* --- the helper thread --- */

static sem_t helper_arrived, helper_go;

static void wait_for(sem_t *s)
{
	while (sem_wait(s) < 0 && errno == EINTR)
		;
}

static void *helper_main(void *p)
{
	const struct worker_spec *spec = p;
	(void)sem_post(&helper_arrived);
	wait_for(&helper_go);
	spec->thread(spec->arg);
	return NULL;
}

/* Returns once the thread has left the C library's start behind and stands at the barrier. */
static int start_helper(const struct worker_spec *spec, struct err *err)
{
	pthread_t thread;
	pthread_attr_t attr;
	(void)sem_init(&helper_arrived, 0, 0);
	(void)sem_init(&helper_go, 0, 0);
	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setstacksize(&attr, HELPER_STACK_SIZE);
	union {
		const struct worker_spec *in;
		void *out;
	} same = { .in = spec };
	int rc = pthread_create(&thread, &attr, helper_main, same.out);
	(void)pthread_attr_destroy(&attr);
	if (rc)
		return err_set(err, ERR_IO, "start a thread: %s", strerror(rc));
	wait_for(&helper_arrived);
	return 0;
}

/* --- all of it --- */

static int close_and_limit(const struct confine_job *job, struct err *err)
{
	int rc = close_others(job, err);
	if (rc < 0)
		return rc;
	offer_to_oom_killer();
	/* No core, no debugger; and /proc/self is root's from here on. */
	if (prctl(PR_SET_DUMPABLE, 0) < 0)
		return err_set(err, ERR_IO, "prctl: %m");
	return set_limits(job->spec, err);
}

static int apply_filter(const struct filter *f, struct confine_facts *facts, struct err *err)
{
	int rc = filter_apply(f, err);
	facts->seccomp = rc > 0;
	return rc < 0 ? rc : 0;
}

int confine_self(const struct confine_job *job, struct confine_facts *ret, struct err *err)
{
	const struct worker_spec *spec = job->spec;
	struct confine_facts facts = { .ready = true, .sandboxed = job->enabled, .tree = spec->kind == WORKER_TREE };
	reset_signals();
	int rc = die_with_parent(job->parent, err);
	if (rc == 0 && spec->prepare)
		rc = spec->prepare(spec->arg, err);
	if (rc == 0)
		rc = close_and_limit(job, err);
	if (rc == 0 && job->enabled)
		rc = wall_off_paths(spec, &facts, err);
	else if (rc == 0)
		facts.sees_trusted = facts.tree && sees_trusted();
	if (rc == 0 && spec->thread)
		rc = start_helper(spec, err);
	if (rc == 0 && job->enabled)
		rc = apply_filter(job->filter, &facts, err);
	if (rc == 0)
		*ret = facts;
	return rc;
}

void confine_release(const struct worker_spec *spec)
{
	if (spec->thread)
		(void)sem_post(&helper_go);
}
