/* Which system calls a worker has: a table of rows, made into a filter by libseccomp once in the parent and put on by
 * each child. What is in no row kills the worker (exec, kill, ptrace, bpf, io_uring, every call that writes by path;
 * but for a net worker clone, clone3 and socket); what a C library may try without harm gets an error instead.
 * Must never let a call through whose effect depends on a path or a structure in memory that lets it write: seccomp
 * sees registers only. So openat2 does not exist here, and a writable descriptor is one that the parent gave or a
 * memfd of the worker's own. */
#include "base/base.h"
#include "sandbox/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* UNIX, INET_ONLY: a net worker with and without Unix sockets. */
enum { BYTES = 1, TREE = 2, SANITIZER = 4, NET = 8, UNIX = 16, INET_ONLY = 32, PATHS = TREE | NET, ALL = BYTES | PATHS };

/* The argument, masked, must have this value. An int is compared by its low half: what stands above is nobody's. */
struct arg_test {
	unsigned arg;
	uint64_t mask, value;
};

struct row {
	unsigned kinds;
	const char *name;
	int error; /* 0: allowed; else the call gives this */
	unsigned tests;
	struct arg_test test[3];
};

#define INT_MASK 0xffffffffu
#define ARG_INT(n, v) { (n), INT_MASK, (uint32_t)(v) }
#define WHEN(...) .tests = sizeof((struct arg_test[]){ __VA_ARGS__ }) / sizeof(struct arg_test), .test = { __VA_ARGS__ }

/* Stands in the finished filter where the child puts its own process id. */
#define PID_PLACE 0x7fed1ce5u
/* __O_TMPFILE without the O_DIRECTORY that O_TMPFILE brings: that bit alone is a harmless flag. */
#define TMPFILE_BIT ((unsigned)(O_TMPFILE & ~O_DIRECTORY))
#define OPEN_WRITES ((unsigned)(O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND) | TMPFILE_BIT)
#define FUTEX_OPERATION 0x7fu /* without FUTEX_PRIVATE_FLAG and FUTEX_CLOCK_REALTIME */
#define MADVISE_PLAIN 0xffffffe0u
#define MEMFD_UNUSUAL (~(uint64_t)(MFD_CLOEXEC | MFD_ALLOW_SEALING | 8u /* MFD_NOEXEC_SEAL */) & INT_MASK)

/* Reading by path is possible where flags ask for reading only: one row allows that, one for each bit refuses it. */
#define OPEN_ROWS(call, n)                                                                                             \
	{ PATHS, call, 0, WHEN({ n, OPEN_WRITES, 0 }) }, { PATHS, call, EACCES, WHEN({ n, O_WRONLY, O_WRONLY }) },     \
	{ PATHS, call, EACCES, WHEN({ n, O_RDWR, O_RDWR }) }, { PATHS, call, EACCES, WHEN({ n, O_CREAT, O_CREAT }) },  \
	{ PATHS, call, EACCES, WHEN({ n, O_TRUNC, O_TRUNC }) }, { PATHS, call, EACCES, WHEN({ n, O_APPEND, O_APPEND }) },\
	{ PATHS, call, EACCES, WHEN({ n, TMPFILE_BIT, TMPFILE_BIT }) }, { BYTES, call, EACCES }

#define FUTEX_ROWS(call)                                                                                               \
	{ ALL, call, 0, WHEN({ 1, FUTEX_OPERATION, 0 }) },   /* WAIT */                                                \
	{ ALL, call, 0, WHEN({ 1, FUTEX_OPERATION, 1 }) },   /* WAKE */                                                \
	{ ALL, call, 0, WHEN({ 1, FUTEX_OPERATION, 3 }) },   /* REQUEUE: conditions in musl */                         \
	{ ALL, call, 0, WHEN({ 1, FUTEX_OPERATION, 4 }) },   /* CMP_REQUEUE */                                         \
	{ ALL, call, 0, WHEN({ 1, FUTEX_OPERATION, 9 }) },   /* WAIT_BITSET */                                         \
	{ ALL, call, 0, WHEN({ 1, FUTEX_OPERATION, 10 }) }   /* WAKE_BITSET */

/* A thread like those that C libraries make, and no process, no namespace, nothing that is traced. The flags are the
 * first argument wherever we build (the second on s390). */
#define THREAD_FLAGS ((uint64_t)(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD))
#define THREAD_NEVER                                                                                                   \
	((uint64_t)(CLONE_PTRACE | CLONE_VFORK | CLONE_PARENT | CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |         \
	            CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET))

#define SOCKET_TYPE 0xfu /* without SOCK_CLOEXEC and SOCK_NONBLOCK */
#define SOCKET_ROWS(family)                                                                                            \
	{ NET, "socket", 0, WHEN(ARG_INT(0, family), { 1, SOCKET_TYPE, SOCK_STREAM }, ARG_INT(2, 0)) },                \
	{ NET, "socket", 0, WHEN(ARG_INT(0, family), { 1, SOCKET_TYPE, SOCK_STREAM }, ARG_INT(2, IPPROTO_TCP)) },      \
	{ NET, "socket", 0, WHEN(ARG_INT(0, family), { 1, SOCKET_TYPE, SOCK_DGRAM }, ARG_INT(2, 0)) },                 \
	{ NET, "socket", 0, WHEN(ARG_INT(0, family), { 1, SOCKET_TYPE, SOCK_DGRAM }, ARG_INT(2, IPPROTO_UDP)) }

/* Options 0 to 23 of a level: buffers, keep-alive, no delay, errors, time-outs. Not those that follow: filters
 * (SO_ATTACH_*), devices, TCP_ULP, tables of the firewall. */
#define OPTION_ROWS(level)                                                                                             \
	{ NET, "setsockopt", 0, WHEN(ARG_INT(1, level), { 2, 0xfffffff0, 0 }) },                                       \
	{ NET, "setsockopt", 0, WHEN(ARG_INT(1, level), { 2, 0xfffffff8, 16 }) },                                      \
	{ NET, "setsockopt", ENOPROTOOPT, WHEN(ARG_INT(1, level), { 2, 0xfffffff8, 24 }) },                            \
	{ NET, "setsockopt", ENOPROTOOPT, WHEN(ARG_INT(1, level), { 2, 0x20, 0x20 }) },                                \
	{ NET, "setsockopt", ENOPROTOOPT, WHEN(ARG_INT(1, level), { 2, 0x40, 0x40 }) }

static const struct row rows[] = {
	/* Descriptors that are there. */
	{ ALL, "read" }, { ALL, "pread64" }, { ALL, "write" }, { ALL, "pwrite64" }, { ALL, "readv" }, { ALL, "writev" },
	{ BYTES, "tee" }, /* from pipe to pipe, both of them given */
	{ ALL, "lseek" }, { ALL, "_llseek" }, { ALL, "close" }, { ALL, "dup" },
	{ ALL, "fstat" }, { ALL, "fstat64" }, { ALL, "fadvise64" }, { ALL, "fadvise64_64" },
	/* Not F_SETOWN (signals to others), F_SETFL, locks, leases. */
	{ ALL, "fcntl", 0, WHEN(ARG_INT(1, F_GETFD)) }, { ALL, "fcntl", 0, WHEN(ARG_INT(1, F_SETFD)) },
	{ ALL, "fcntl", 0, WHEN(ARG_INT(1, F_GETFL)) }, { ALL, "fcntl", 0, WHEN(ARG_INT(1, F_DUPFD)) },
	{ ALL, "fcntl", 0, WHEN(ARG_INT(1, F_DUPFD_CLOEXEC)) },
	{ ALL, "fcntl64", 0, WHEN(ARG_INT(1, F_GETFD)) }, { ALL, "fcntl64", 0, WHEN(ARG_INT(1, F_SETFD)) },
	{ ALL, "fcntl64", 0, WHEN(ARG_INT(1, F_GETFL)) }, { ALL, "fcntl64", 0, WHEN(ARG_INT(1, F_DUPFD_CLOEXEC)) },
	/* fstat(2) is this in glibc since 2.33. A path may still hide behind the flag: that gives metadata, no bytes. */
	{ BYTES, "newfstatat", 0, WHEN(ARG_INT(3, AT_EMPTY_PATH)) },
	{ BYTES, "fstatat64", 0, WHEN(ARG_INT(3, AT_EMPTY_PATH)) },
	{ BYTES | NET, "memfd_create", 0, WHEN({ 1, MEMFD_UNUSUAL, 0 }) },

	/* Memory, never executable. */
	{ ALL, "mmap", 0, WHEN({ 2, PROT_EXEC, 0 }) }, { ALL, "mmap2", 0, WHEN({ 2, PROT_EXEC, 0 }) },
	{ ALL, "mprotect", 0, WHEN({ 2, PROT_EXEC, 0 }) },
	{ ALL, "munmap" }, { ALL, "mremap" }, { ALL, "brk" },
	/* Not MADV_HWPOISON and MADV_SOFT_OFFLINE, which CAP_SYS_ADMIN may. 102, 103: guards of thread stacks. */
	{ ALL, "madvise", 0, WHEN({ 2, MADVISE_PLAIN, 0 }) },
	{ ALL, "madvise", 0, WHEN(ARG_INT(2, 102)) }, { ALL, "madvise", 0, WHEN(ARG_INT(2, 103)) },

	/* Threads that are there, time, chance, ends. */
	FUTEX_ROWS("futex"), FUTEX_ROWS("futex_time64"),
	{ ALL, "clock_gettime" }, { ALL, "clock_gettime64" }, { ALL, "gettimeofday" }, { ALL, "time" },
	{ ALL, "getrandom" }, { ALL, "sched_yield" }, { ALL, "sched_getaffinity" },
	{ ALL, "rt_sigaction" }, { ALL, "rt_sigprocmask" }, { ALL, "rt_sigreturn" }, { ALL, "restart_syscall" },
	{ ALL, "getpid" }, { ALL, "gettid" }, { ALL, "getuid" }, { ALL, "geteuid" }, { ALL, "getgid" }, { ALL, "getegid" },
	{ ALL, "exit" }, { ALL, "exit_group" },
	{ ALL, "sysinfo" },                                                  /* qsort in glibc before 2.37 */
	{ ALL, "prlimit64", 0, WHEN(ARG_INT(0, 0), { 2, UINT64_MAX, 0 }) }, /* asking for its own, not setting */
	{ ALL, "tgkill", 0, WHEN(ARG_INT(0, PID_PLACE)) },                  /* abort */

	/* Reading below the folder. Where Landlock or the chroot is missing, names and metadata outside are seen too. */
	OPEN_ROWS("openat", 2), OPEN_ROWS("open", 1),
	{ PATHS, "getdents64" }, { PATHS, "newfstatat" }, { PATHS, "fstatat64" }, { PATHS, "statx" },
	{ PATHS, "stat" }, { PATHS, "stat64" }, { PATHS, "lstat" }, { PATHS, "lstat64" },
	{ PATHS, "readlinkat" }, { PATHS, "readlink" },
	{ PATHS, "faccessat" }, { PATHS, "faccessat2" }, { PATHS, "access" },
	{ TREE, "getxattr" }, { TREE, "lgetxattr" }, { TREE, "fgetxattr" },
	{ TREE, "listxattr" }, { TREE, "llistxattr" }, { TREE, "flistxattr" },
	{ TREE, "fstatfs" }, { TREE, "fstatfs64" },

	/* Sockets that connect; no bind (but see below), listen, accept. */
	SOCKET_ROWS(AF_INET), SOCKET_ROWS(AF_INET6),
	{ UNIX, "socket", 0, WHEN(ARG_INT(0, AF_UNIX), { 1, SOCKET_TYPE, SOCK_STREAM }) },
	{ UNIX, "socket", EACCES, WHEN(ARG_INT(0, AF_UNIX), { 1, SOCKET_TYPE, SOCK_DGRAM }) }, /* syslog */
	{ INET_ONLY, "socket", EACCES, WHEN(ARG_INT(0, AF_UNIX)) },           /* nscd, systemd's resolver, syslog */
	{ NET, "socket", EAFNOSUPPORT, WHEN(ARG_INT(0, AF_NETLINK)) },       /* getaddrinfo asks which addresses we have */
	{ NET, "socketpair", 0, WHEN(ARG_INT(0, AF_UNIX), { 1, SOCKET_TYPE, SOCK_STREAM }) }, /* libcurl wakes itself up */
	{ NET, "connect" }, { NET, "shutdown" }, { NET, "getsockname" }, { NET, "getpeername" }, { NET, "getsockopt" },
	OPTION_ROWS(SOL_SOCKET), OPTION_ROWS(IPPROTO_TCP), OPTION_ROWS(IPPROTO_IP), OPTION_ROWS(IPPROTO_IPV6),
	{ NET, "sendto" }, { NET, "sendmsg" }, { NET, "sendmmsg" }, { NET, "recvfrom" }, { NET, "recvmsg" }, { NET, "recvmmsg" },
	{ NET, "recvmmsg_time64" },
#ifndef __GLIBC__ /* musl's resolver binds its socket to no address, so that one serves all servers */
	{ NET, "bind" },
#endif
	{ NET, "poll" }, { NET, "ppoll" }, { NET, "ppoll_time64" }, { NET, "select" }, { NET, "_newselect" },
	{ NET, "pselect6" }, { NET, "pselect6_time64" }, { NET, "eventfd2" }, { NET, "pipe2" }, { NET, "pipe" },
	{ NET, "nanosleep" }, { NET, "clock_nanosleep" }, { NET, "clock_nanosleep_time64" },
	{ NET, "dup2" }, { NET, "dup3" },
	{ NET, "fcntl", 0, WHEN(ARG_INT(1, F_SETFL)) }, { NET, "fcntl64", 0, WHEN(ARG_INT(1, F_SETFL)) },
	{ NET, "ioctl", 0, WHEN(ARG_INT(1, FIONREAD)) }, { NET, "ioctl", 0, WHEN(ARG_INT(1, FIONBIO)) },
	{ NET, "ioctl", ENOTTY, WHEN(ARG_INT(1, TCGETS)) }, { NET, "ioctl", ENOTTY, WHEN(ARG_INT(1, TIOCGWINSZ)) },
	{ NET, "ioctl", EPERM, WHEN({ 1, 0xffffff00, 0x8900 }) }, /* what interfaces there are */
	/* The resolver's thread. What clone3 does stands in memory: libraries go on to clone. */
	{ NET, "clone", 0, WHEN({ 0, THREAD_FLAGS | THREAD_NEVER, THREAD_FLAGS }) }, { NET, "clone3", ENOSYS },
	{ NET, "set_robust_list" }, { NET, "rseq" },
	{ NET, "getrusage" }, /* GnuTLS stirs it into its random numbers */
	{ NET, "uname" },
	/* A module that was not loaded in time (a resolver's, a provider of TLS) is done without. */
	{ NET, "mmap", EPERM, WHEN({ 2, PROT_EXEC, PROT_EXEC }) }, { NET, "mmap2", EPERM, WHEN({ 2, PROT_EXEC, PROT_EXEC }) },
	{ NET, "mprotect", EPERM, WHEN({ 2, PROT_EXEC, PROT_EXEC }) },

	/* Tried by libraries, and they live with the answer. */
	{ ALL, "openat2", ENOSYS },
	{ BYTES | TREE, "ioctl", ENOTTY }, /* stdio asks whether it has a terminal */
	{ ALL, "prctl", EINVAL }, /* malloc gives its memory names */
	{ BYTES | TREE, "uname", EPERM }, { ALL, "getcwd", EACCES },
	{ BYTES, "statx", ENOSYS }, { BYTES, "stat", EACCES }, { BYTES, "lstat", EACCES },
	{ BYTES, "access", EACCES }, { BYTES, "faccessat", EACCES }, { BYTES, "faccessat2", EACCES },
	{ BYTES, "readlink", EACCES }, { BYTES, "readlinkat", EACCES },

	/* AddressSanitizer: signal stacks of threads; what it asks when it words a report. */
	{ SANITIZER, "sigaltstack" }, { SANITIZER, "getrusage" }, { SANITIZER, "getppid" }, { SANITIZER, "personality", EPERM },
#if SANITIZED
	{ BYTES | TREE, "pipe", EMFILE }, { BYTES | TREE, "pipe2", EMFILE },
#endif
};

static int add_row(scmp_filter_ctx ctx, const struct row *row, struct err *err)
{
	int nr = seccomp_syscall_resolve_name(row->name);
	if (nr < 0) /* not on this architecture, or newer than the library: then it stays forbidden */
		return 0;
	struct scmp_arg_cmp cmp[COUNT_OF(row->test)];
	for (unsigned i = 0; i < row->tests; i++)
		cmp[i] = (struct scmp_arg_cmp){ .arg = row->test[i].arg,
			                        .op = SCMP_CMP_MASKED_EQ,
			                        .datum_a = row->test[i].mask,
			                        .datum_b = row->test[i].value };
	uint32_t action = row->error ? SCMP_ACT_ERRNO((uint32_t)row->error) : SCMP_ACT_ALLOW;
	int rc = seccomp_rule_add_array(ctx, action, nr, row->tests, cmp);
	if (rc < 0)
		return err_set(err, ERR_IO, "seccomp rule for %s: %s", row->name, strerror(-rc));
	return 0;
}

static unsigned kinds_of(const struct worker_spec *spec)
{
	switch (spec->kind) {
	case WORKER_TREE: return TREE;
	case WORKER_NET: return NET | (spec->unix_sockets ? UNIX : INET_ONLY);
	case WORKER_BYTES: break;
	}
	return BYTES;
}

static int add_rows(scmp_filter_ctx ctx, const struct worker_spec *spec, struct err *err)
{
	unsigned kinds = kinds_of(spec) | (SANITIZED ? SANITIZER : 0u);
	if (seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) < 0)
		return err_set(err, ERR_IO, "seccomp: libseccomp refuses an attribute");
	/* A tree instead of a list: a tenth of the work when the kernel looks for calls that are always allowed. */
	(void)seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	int rc = 0;
	for (size_t i = 0; i < COUNT_OF(rows) && rc == 0; i++)
		if (rows[i].kinds & kinds)
			rc = add_row(ctx, &rows[i], err);
	return rc;
}

/* The finished code, through a pipe, which holds 64 KiB: more than the 4,096 instructions that the kernel takes. */
static int export_code(scmp_filter_ctx ctx, struct filter *ret, struct err *err)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_set(err, ERR_IO, "pipe: %m");
	size_t max = BPF_MAXINSNS * sizeof(struct sock_filter);
	struct sock_filter *code = xmalloc(max);
	int rc = seccomp_export_bpf(ctx, ends[1]);
	ssize_t got = rc < 0 ? -1 : read(ends[0], code, max);
	(void)close(ends[0]);
	(void)close(ends[1]);
	if (got <= 0 || (size_t)got % sizeof(*code)) {
		free(code);
		return err_set(err, ERR_IO, "seccomp: the filter could not be made (%d)", rc);
	}
	*ret = (struct filter){ .code = code, .len = (unsigned short)((size_t)got / sizeof(*code)) };
	return 0;
}

static bool is_pid_place(const struct sock_filter *f)
{
	return BPF_CLASS(f->code) == BPF_JMP && BPF_OP(f->code) == BPF_JEQ && f->k == PID_PLACE;
}

int filter_get(const struct worker_spec *spec, const struct filter **ret, struct err *err)
{
	static struct filter made[4];
	struct filter *f = &made[spec->kind == WORKER_NET && spec->unix_sockets ? 3 : spec->kind];
	if (f->len == 0) {
		scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
		if (!ctx)
			return err_set(err, ERR_IO, "seccomp: libseccomp does not start");
		int rc = add_rows(ctx, spec, err);
		if (rc == 0)
			rc = export_code(ctx, f, err);
		seccomp_release(ctx);
		if (rc < 0)
			return rc;
	}
	*ret = f;
	return 0;
}

/* Whether there are filters that can kill a process: Linux 4.14 and later, unless built without or under an outer filter
 * that forbids them. A filter that is refused where there are is a fault of ours and must not pass for a lack. */
static bool kernel_has_filters(void)
{
	uint32_t action = SECCOMP_RET_KILL_PROCESS;
	return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0u, &action) == 0;
}

int filter_apply(const struct filter *f, struct err *err)
{
	uint32_t own = (uint32_t)getpid();
	for (unsigned short i = 0; i < f->len; i++)
		if (is_pid_place(&f->code[i]))
			f->code[i].k = own;
	struct sock_fprog program = { .len = f->len, .filter = f->code };
	/* SPEC_ALLOW: kernels before 5.16 otherwise slow a filtered process down against speculation by code of its own
	 * making, and a worker runs none. */
	unsigned flags = SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_SPEC_ALLOW;
	long rc = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
	if (rc < 0 && errno == EINVAL) {
		flags &= ~(unsigned)SECCOMP_FILTER_FLAG_SPEC_ALLOW;
		rc = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
	}
	if (rc == 0)
		return 1;
	if (rc > 0)
		return err_set(err, ERR_IO, "seccomp: thread %ld could not be bound", rc);
	int why = errno;
	if (!kernel_has_filters())
		return 0;
	return err_set(err, ERR_IO, "seccomp filter: %s", strerror(why));
}
