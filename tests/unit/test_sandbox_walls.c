/* That the walls of a worker hold: everything it must not do is tried in it, by each kind, as root and as nobody, with
 * Landlock as it is, off, and with the rights of its ABI 1 and 2; what it tried on is compared before and after.
 * The same attempts are made in a worker without a sandbox first, so that none fails for a reason of its own.
 * What a worker must be able to do is in test_sandbox_work.c. */
#include "sandbox/worker.h"
#include "base/base.h"
#include "sandbox/confine.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <cmocka.h>

#define NOBODY 65534

/* A folder that stands in for the world, everything in it open to everybody, so that only the walls can say no. */
static struct scene {
	char world[64];
	char outside[96]; /* world/outside */
	char inside[96];  /* world/tree/inside */
	char empty[96];   /* world/tree/empty: a folder */
	char fresh[96];   /* world/tree/fresh: does not exist */
	int root_fd;      /* world/tree */
	int file_fd;      /* inside, for reading */
	pid_t victim;     /* a process that waits */
	int listener;     /* world/socket: a Unix socket that anybody may talk to */
	enum worker_kind kind;
	bool unix_sockets;
} scene;

/* --- attempts: 0 or more where they succeed --- */

static long reads(int fd)
{
	char c;
	long n = fd < 0 ? -1 : read(fd, &c, 1);
	return n == 1 ? 0 : -1;
}

static long read_absolute(void) { return reads(open(scene.outside, O_RDONLY)); }
static long read_dotdot(void) { return reads(openat(scene.root_fd, "../outside", O_RDONLY)); }
static long read_dotdot_deep(void) { return reads(openat(scene.root_fd, "empty/../../outside", O_RDONLY)); }
static long read_link_absolute(void) { return reads(openat(scene.root_fd, "link-absolute", O_RDONLY)); }
static long read_link_relative(void) { return reads(openat(scene.root_fd, "link-relative", O_RDONLY)); }
static long read_passwd(void) { return reads(open("/etc/passwd", O_RDONLY)); }
static long read_passwd_raw(void) { return reads((int)syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY, 0)); }
static long read_proc_root(void) { return reads(open("/proc/self/root/etc/passwd", O_RDONLY)); }
static long read_other_process(void)
{
	char path[64];
	(void)snprintf(path, sizeof(path), "/proc/%d/environ", (int)scene.victim);
	return open(path, O_RDONLY);
}
#ifdef SYS_open
static long read_open2(void) { return reads((int)syscall(SYS_open, scene.outside, O_RDONLY, 0)); }
static long write_open2(void) { return syscall(SYS_open, scene.inside, O_WRONLY, 0); }
static long create_creat(void) { return syscall(SYS_creat, scene.fresh, 0644); }
#endif

static long read_path_descriptor(void)
{
	int fd = openat(scene.root_fd, "..", O_PATH | O_DIRECTORY);
	return reads(openat(fd, "outside", O_RDONLY));
}

/* An image may hold a node of any device; this one is /dev/zero. */
static long read_device(void) { return reads(openat(scene.root_fd, "device", O_RDONLY)); }

/* fstat's flag lets a path through; a worker that was root stands in a chroot. */
static long stat_absolute(void)
{
	struct stat st;
	return fstatat(AT_FDCWD, scene.outside, &st, AT_EMPTY_PATH);
}

static long read_openat2(void)
{
	uint64_t how[3] = { O_RDONLY };
	return reads((int)syscall(437, AT_FDCWD, scene.outside, how, sizeof(how)));
}

static long write_openat2(void)
{
	uint64_t how[3] = { O_WRONLY };
	return syscall(437, scene.root_fd, "inside", how, sizeof(how));
}

/* CAP_DAC_READ_SEARCH opens by handle wherever it points, chroot or not. */
static long read_by_handle(void)
{
	struct {
		struct file_handle head;
		char room[128];
	} h;
	int mount_id;
	h.head.handle_bytes = sizeof(h.room);
	if (name_to_handle_at(scene.root_fd, "inside", &h.head, &mount_id, 0) < 0)
		return -1;
	return reads(open_by_handle_at(scene.root_fd, &h.head, O_RDONLY));
}

static long write_wronly(void) { return openat(scene.root_fd, "inside", O_WRONLY); }
static long write_rdwr(void) { return openat(scene.root_fd, "inside", O_RDWR); }
static long write_accmode3(void) { return openat(scene.root_fd, "inside", O_ACCMODE); }
static long write_append(void) { return openat(scene.root_fd, "inside", O_WRONLY | O_APPEND); }
static long write_outside(void) { return open(scene.outside, O_WRONLY); }
static long write_high_bits(void)
{
	return syscall(SYS_openat, scene.root_fd, "inside", 0xffffffff00000000ul | O_WRONLY, 0);
}
static long write_proc_self(void) { return open("/proc/self/mem", O_RDWR); }
static long create(void) { return openat(scene.root_fd, "fresh", O_RDONLY | O_CREAT, 0644); }
static long create_absolute(void) { return open(scene.fresh, O_WRONLY | O_CREAT | O_EXCL, 0644); }
static long create_tmpfile(void) { return openat(scene.root_fd, "empty", O_TMPFILE | O_RDWR, 0600); }
static long truncate_open(void) { return openat(scene.root_fd, "inside", O_RDONLY | O_TRUNC); }
static long truncate_path(void) { return truncate(scene.inside, 0); }
static long chmod_path(void) { return chmod(scene.inside, 0600); }
static long chmod_fd(void) { return fchmod(scene.file_fd, 0600); }
static long chmod_at(void) { return fchmodat(scene.root_fd, "inside", 0600, 0); }
static long chmod_at2(void) { return syscall(452, scene.root_fd, "inside", 0600, AT_SYMLINK_NOFOLLOW); }
static long chown_path(void) { return chown(scene.inside, geteuid() ? geteuid() : 1, (gid_t)-1); }
static long chown_fd(void) { return fchown(scene.file_fd, geteuid() ? geteuid() : 1, (gid_t)-1); }
static long chown_at(void) { return fchownat(scene.root_fd, "inside", geteuid() ? geteuid() : 1, (gid_t)-1, 0); }
static long times_path(void) { return utimensat(AT_FDCWD, scene.inside, NULL, 0); }
static long times_fd(void) { return futimens(scene.file_fd, NULL); }
static long setxattr_path(void) { return setxattr(scene.inside, "user.plimsoll", "x", 1, 0); }
static long setxattr_fd(void) { return fsetxattr(scene.file_fd, "user.plimsoll", "x", 1, 0); }
static long setxattr_trusted(void) { return setxattr(scene.inside, "trusted.plimsoll", "x", 1, 0); }
static long removexattr_path(void) { return removexattr(scene.inside, "user.kept"); }
static long rename_path(void) { return rename(scene.inside, scene.fresh); }
static long rename_at(void) { return renameat(scene.root_fd, "inside", scene.root_fd, "fresh"); }
static long rename_out(void) { return rename(scene.inside, scene.outside); }
static long rename_exchange(void) { return renameat2(scene.root_fd, "inside", scene.root_fd, "empty", RENAME_EXCHANGE); }
static long unlink_path(void) { return unlink(scene.inside); }
static long unlink_at(void) { return unlinkat(scene.root_fd, "inside", 0); }
static long rmdir_path(void) { return rmdir(scene.empty); }
static long mkdir_path(void) { return mkdir(scene.fresh, 0755); }
static long mkdir_at(void) { return mkdirat(scene.root_fd, "fresh", 0755); }
static long link_path(void) { return link(scene.inside, scene.fresh); }
static long link_at(void) { return linkat(scene.root_fd, "inside", scene.root_fd, "fresh", 0); }
static long symlink_path(void) { return symlink("x", scene.fresh); }
static long symlink_at(void) { return symlinkat("x", scene.root_fd, "fresh"); }
static long mknod_fifo(void) { return mknod(scene.fresh, S_IFIFO | 0644, 0); }
static long mknod_at(void) { return mknodat(scene.root_fd, "fresh", S_IFREG | 0644, 0); }
static long mknod_device(void) { return mknod(scene.fresh, S_IFCHR | 0644, 0x103); }
static long fallocate_fd(void) { return fallocate(memfd_create("m", 0), 0, 0, 4096); }
static long flags_ioctl(void)
{
	long flags = 0;
	return ioctl(scene.file_fd, 0x80086601 /* FS_IOC_GETFLAGS */, &flags) == 0 ||
	                       ioctl(scene.file_fd, FIONREAD, &flags) == 0
	               ? 0
	               : -1;
}

static long ftruncate_memfd(void)
{
	int fd = memfd_create("m", MFD_CLOEXEC);
	return fd < 0 ? -1 : ftruncate(fd, 4096);
}

static long socket_inet(void) { return socket(AF_INET, SOCK_STREAM, 0); }
static long socket_inet6(void) { return socket(AF_INET6, SOCK_DGRAM, 0); }
static long socket_unix(void) { return socket(AF_UNIX, SOCK_STREAM, 0); }
static long socket_netlink(void) { return socket(AF_NETLINK, SOCK_RAW, 0); }
static long socket_raw(void) { return socket(AF_INET, SOCK_RAW, IPPROTO_ICMP); }
static long socket_ping(void) { return socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP); }
static long socket_packet(void) { return socket(AF_PACKET, SOCK_RAW, 0); }
static long socket_vsock(void) { return socket(AF_VSOCK, SOCK_STREAM, 0); }
static long socket_alg(void) { return socket(AF_ALG, SOCK_SEQPACKET, 0); }
static long socket_unix_datagram(void) { return socket(AF_UNIX, SOCK_DGRAM, 0); }
static long socket_listen(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	return fd < 0 || bind(fd, (const struct sockaddr *)&at, sizeof(at)) < 0 ? -1 : listen(fd, 1);
}
/* Without an address of its own it would get one: no bind is needed. */
static long socket_listen_anywhere(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	return fd < 0 ? -1 : listen(fd, 1);
}
static long socket_connect_unix(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s/socket", scene.world);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	return fd < 0 ? -1 : connect(fd, (const struct sockaddr *)&at, sizeof(at));
}
/* A program of the kernel's packet filter: more for an attacker than for us. */
static long socket_filter(void)
{
	struct sock_filter code = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog program = { .len = 1, .filter = &code };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	return fd < 0 ? -1 : setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}
static long socket_pair(void) { int e[2]; return socketpair(AF_UNIX, SOCK_STREAM, 0, e); }

static int frame_socket(void)
{
	struct stat st;
	for (int fd = 3; fd < 64; fd++)
		if (fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode))
			return fd;
	return -1;
}

static long send_descriptor(void)
{
	char empty_frame[8] = { 0 }, room[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8))) = { 0 };
	struct iovec iov = { empty_frame, sizeof(empty_frame) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &scene.root_fd, sizeof(int));
	return sendmsg(frame_socket(), &m, 0);
}

static char *const no_args[] = { NULL };
static long exec_path(void) { return execve("/bin/true", no_args, no_args); }
static long exec_memfd(void)
{
	int fd = memfd_create("m", 0);
	if (fd < 0 || write(fd, "#!/bin/true\n", 12) != 12)
		return -1;
	return syscall(SYS_execveat, fd, "", no_args, no_args, AT_EMPTY_PATH);
}

/* A child that came to be leaves at once, and the parent of both says so. */
static long born(long pid)
{
	if (pid == 0)
		_exit(0);
	return pid < 0 ? -1 : waitpid((pid_t)pid, NULL, 0);
}
static long fork_libc(void) { return born(fork()); }
static long fork_clone(void) { return born(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)); }
static long fork_clone3(void)
{
	uint64_t args[8] = { [4] = SIGCHLD };
	return born(syscall(SYS_clone3, args, sizeof(args)));
}
/* As a thread's start looks but for one bit. */
static long fork_namespace(void)
{
	return born(syscall(SYS_clone, (long)(CLONE_NEWUSER | CLONE_NEWNET | SIGCHLD), 0, 0, 0, 0));
}
static void *nothing(void *p) { return p; }
static long thread_new(void)
{
	pthread_t t;
	errno = pthread_create(&t, NULL, nothing, NULL);
	return errno ? -1 : pthread_join(t, NULL);
}

static long ptrace_attach(void) { return ptrace(PTRACE_ATTACH, scene.victim, NULL, NULL); }
static long ptrace_me(void) { return ptrace(PTRACE_TRACEME, 0, NULL, NULL); }
static long other_read(void)
{
	char c;
	struct iovec to = { &c, 1 }, from = { scene.world, 1 };
	return process_vm_readv(scene.victim, &to, 1, &from, 1, 0);
}
static long other_write(void)
{
	char c = 1;
	struct iovec from = { &c, 1 }, to = { scene.world, 1 };
	return process_vm_writev(scene.victim, &from, 1, &to, 1, 0);
}
static long kill_other(void) { return kill(scene.victim, SIGKILL); }
static long kill_probe(void) { return kill(scene.victim, 0); }
static long kill_tgkill(void) { return syscall(SYS_tgkill, scene.victim, scene.victim, SIGKILL); }
static long kill_tkill(void) { return syscall(SYS_tkill, scene.victim, SIGKILL); }
static long kill_parent(void) { return syscall(SYS_tgkill, getppid(), getppid(), 0); }
static long kill_pidfd(void) { return syscall(424, syscall(434, scene.victim, 0), SIGKILL, NULL, 0); }
static long kill_sigio(void)
{
	int fd = frame_socket();
	return fcntl(fd, F_SETOWN, scene.victim) == 0 || fcntl(fd, F_SETSIG, SIGKILL) == 0 ? 0 : -1;
}
static long fcntl_setfl(void) { return fcntl(scene.file_fd, F_SETFL, O_NONBLOCK); }
static long fcntl_lock(void)
{
	struct flock l = { .l_type = F_RDLCK };
	return fcntl(scene.file_fd, F_SETLK, &l);
}
static long limits_other(void)
{
	struct rlimit lim = { 10, 10 };
	return prlimit(scene.victim, RLIMIT_NOFILE, &lim, NULL);
}
static long limits_own(void)
{
	struct rlimit lim = { 10, 10 };
	return setrlimit(RLIMIT_NOFILE, &lim);
}
static long priority_other(void) { return setpriority(PRIO_PROCESS, (id_t)scene.victim, 5); }

static long exec_mmap(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0;
}
static long exec_mmap_write(void)
{
	return mmap(NULL, 4096, PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0;
}
static long exec_mmap_file(void)
{
	return mmap(NULL, 4096, PROT_EXEC, MAP_PRIVATE, scene.file_fd, 0) == MAP_FAILED ? -1 : 0;
}
static long exec_mprotect(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return mprotect(p, 4096, PROT_READ | PROT_EXEC);
}
static long exec_pkey(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return syscall(SYS_pkey_mprotect, p, 4096, PROT_READ | PROT_EXEC, -1);
}
static long exec_personality(void) { return personality(READ_IMPLIES_EXEC); }
static long exec_shm(void)
{
	int id = shmget(IPC_PRIVATE, 4096, 0600 | IPC_CREAT);
	return id < 0 ? -1 : shmctl(id, IPC_RMID, NULL);
}

static long keyctl_call(void) { return syscall(SYS_keyctl, 0, -3, 1); }
static long add_key_call(void) { return syscall(SYS_add_key, "user", "plimsoll", "x", 1, -2); }
static long bpf_call(void) { uint32_t a[32] = { 1, 4, 4, 1 }; return syscall(SYS_bpf, 0, a, sizeof(a)); }
static long io_uring_call(void) { uint32_t p[30] = { 0 }; return syscall(425, 4, p); }
static long perf_call(void) { uint32_t a[32] = { 1, 128 }; return syscall(SYS_perf_event_open, a, 0, -1, -1, 0); }
static long userfaultfd_call(void) { return syscall(SYS_userfaultfd, 0); }
static long inotify_call(void) { return syscall(SYS_inotify_init1, 0); }
static long unshare_call(void) { return unshare(CLONE_NEWUSER); }
static long unshare_mount(void) { return unshare(CLONE_NEWNS); }
static long chroot_call(void) { return chroot("/"); }
static long chdir_call(void) { return chdir(".."); }
static long umask_call(void) { return (long)umask(0); }
static long mount_call(void)
{
	return mount("none", scene.empty, "tmpfs", 0, NULL) == 0 ? umount2(scene.empty, MNT_DETACH) : -1;
}
static long open_tree_call(void) { return syscall(428, scene.root_fd, ".", 1); }
static long setuid_call(void) { return setresuid(geteuid() ? geteuid() : 1, (uid_t)-1, (uid_t)-1); }
static long dumpable_call(void) { return prctl(PR_SET_DUMPABLE, 1); }
static long seccomp_call(void) { uint32_t a = 0; return syscall(SYS_seccomp, 2, 0, &a); }
static long landlock_call(void) { return syscall(444, NULL, 0, 1); }
static long splice_call(void) { return splice(scene.file_fd, &(off_t){ 0 }, frame_socket(), NULL, 1, 0); }
static long vmsplice_call(void) { struct iovec v = { scene.world, 1 }; return vmsplice(frame_socket(), &v, 1, 0); }
static long sendfile_call(void) { return sendfile(memfd_create("m", 0), scene.file_fd, NULL, 1); }
/* MADV_SOFT_OFFLINE and its like, without doing it: a call that gets as far as "no such advice" got through. */
static long poison_call(void) { return madvise(NULL, 0, 200) < 0 && errno == EINVAL ? 0 : -1; }
static long futex_pi_call(void) { static uint32_t word; return syscall(SYS_futex, &word, 6, 0, NULL, NULL, 0); }
static long capset_call(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0 } };
	return syscall(SYS_capset, &head, data);
}
static long timer_call(void) { return (long)alarm(1000); }
#ifdef __x86_64__
/* getpid by the 32-bit door and by that of x32, where other numbers hold. */
static long other_door_i386(void)
{
	long rc = 20;
	__asm__ volatile("int $0x80" : "+a"(rc) : : "memory", "r8", "r9", "r10", "r11");
	return rc;
}
static long other_door_x32(void) { return syscall(0x40000000 + SYS_getpid); }
#endif

enum {
	ROOT_ONLY = 1,   /* a plain user cannot anyway */
	MAY_FAIL = 2,    /* this kernel, file system or container may say no by itself: no control */
	TREE_ONLY = 4,   /* its name for it needs the folder's descriptor */
	NEEDS_WALL = 8,  /* reading by path: seccomp sees none, so it takes Landlock or a chroot */
	ROOT_WALL = 16,  /* only a worker that was root can shut this */
	NET_MAY = 32,    /* a net worker's daily work */
	UNIX_MAY = 64,   /* that of one that may use Unix sockets */
};

static const struct attempt {
	const char *name;
	long (*try)(void);
	unsigned is;
} attempts[] = {
#define A(f, is) { #f, f, is }
	A(read_absolute, NEEDS_WALL), A(read_dotdot, NEEDS_WALL | TREE_ONLY), A(read_dotdot_deep, NEEDS_WALL | TREE_ONLY),
	A(read_link_absolute, NEEDS_WALL | TREE_ONLY), A(read_link_relative, NEEDS_WALL | TREE_ONLY),
	A(read_passwd, NEEDS_WALL), A(read_passwd_raw, NEEDS_WALL), A(read_proc_root, NEEDS_WALL),
	A(read_other_process, NEEDS_WALL), A(read_path_descriptor, NEEDS_WALL | TREE_ONLY),
	A(read_device, ROOT_ONLY | MAY_FAIL | TREE_ONLY | ROOT_WALL), A(stat_absolute, ROOT_WALL | NET_MAY), A(read_openat2, 0),
	A(write_openat2, TREE_ONLY), A(read_by_handle, ROOT_ONLY | MAY_FAIL | TREE_ONLY),
#ifdef SYS_open
	A(read_open2, NEEDS_WALL), A(write_open2, 0), A(create_creat, 0),
#endif
	A(write_wronly, TREE_ONLY), A(write_rdwr, TREE_ONLY), A(write_accmode3, TREE_ONLY), A(write_append, TREE_ONLY),
	A(write_outside, 0), A(write_high_bits, TREE_ONLY), A(write_proc_self, MAY_FAIL), A(create, TREE_ONLY),
	A(create_absolute, 0), A(create_tmpfile, TREE_ONLY | MAY_FAIL), A(truncate_open, TREE_ONLY), A(truncate_path, 0),
	A(chmod_path, 0), A(chmod_fd, 0), A(chmod_at, TREE_ONLY), A(chmod_at2, TREE_ONLY | MAY_FAIL), A(chown_path, 0),
	A(chown_fd, 0), A(chown_at, TREE_ONLY), A(times_path, 0), A(times_fd, 0), A(setxattr_path, MAY_FAIL),
	A(setxattr_fd, MAY_FAIL), A(setxattr_trusted, ROOT_ONLY | MAY_FAIL), A(removexattr_path, MAY_FAIL),
	A(rename_path, 0), A(rename_at, TREE_ONLY), A(rename_out, 0), A(rename_exchange, TREE_ONLY | MAY_FAIL),
	A(unlink_path, 0), A(unlink_at, TREE_ONLY), A(rmdir_path, 0), A(mkdir_path, 0), A(mkdir_at, TREE_ONLY),
	A(link_path, 0), A(link_at, TREE_ONLY), A(symlink_path, 0), A(symlink_at, TREE_ONLY), A(mknod_fifo, 0),
	A(mknod_at, TREE_ONLY), A(mknod_device, ROOT_ONLY | MAY_FAIL), A(fallocate_fd, 0), A(flags_ioctl, NET_MAY),
	A(ftruncate_memfd, 0),
	A(socket_inet, NET_MAY), A(socket_inet6, MAY_FAIL | NET_MAY), A(socket_unix, UNIX_MAY), A(socket_netlink, 0),
	A(socket_pair, NET_MAY), A(socket_raw, ROOT_ONLY | MAY_FAIL), A(socket_ping, MAY_FAIL),
	A(socket_packet, ROOT_ONLY | MAY_FAIL), A(socket_vsock, MAY_FAIL), A(socket_alg, MAY_FAIL), A(socket_unix_datagram, 0),
	A(socket_listen, 0), A(socket_listen_anywhere, 0), A(socket_connect_unix, UNIX_MAY), A(socket_filter, 0),
	A(send_descriptor, TREE_ONLY),
	A(exec_path, MAY_FAIL), A(exec_memfd, MAY_FAIL), A(fork_libc, 0), A(fork_clone, 0), A(fork_clone3, MAY_FAIL),
	A(fork_namespace, MAY_FAIL), A(thread_new, NET_MAY),
	A(ptrace_attach, MAY_FAIL), A(ptrace_me, MAY_FAIL), A(other_read, MAY_FAIL), A(other_write, MAY_FAIL),
	A(kill_other, 0), A(kill_probe, 0), A(kill_tgkill, 0), A(kill_tkill, 0), A(kill_parent, 0), A(kill_pidfd, MAY_FAIL),
	A(kill_sigio, 0), A(fcntl_setfl, NET_MAY), A(fcntl_lock, 0), A(limits_other, ROOT_ONLY), A(limits_own, 0),
	A(priority_other, 0),
	A(exec_mmap, 0), A(exec_mmap_write, MAY_FAIL), A(exec_mmap_file, MAY_FAIL), A(exec_mprotect, 0), A(exec_pkey, MAY_FAIL),
	A(exec_personality, 0), A(exec_shm, MAY_FAIL),
	A(keyctl_call, MAY_FAIL), A(add_key_call, MAY_FAIL), A(bpf_call, MAY_FAIL), A(io_uring_call, MAY_FAIL),
	A(perf_call, MAY_FAIL), A(userfaultfd_call, MAY_FAIL), A(inotify_call, 0), A(unshare_call, MAY_FAIL),
	A(unshare_mount, ROOT_ONLY | MAY_FAIL), A(chroot_call, ROOT_ONLY), A(chdir_call, 0), A(umask_call, 0),
	A(mount_call, ROOT_ONLY | MAY_FAIL), A(open_tree_call, ROOT_ONLY | MAY_FAIL), A(setuid_call, 0), A(dumpable_call, 0),
	A(seccomp_call, 0), A(landlock_call, MAY_FAIL), A(splice_call, MAY_FAIL), A(vmsplice_call, MAY_FAIL),
	A(sendfile_call, 0), A(poison_call, 0), A(futex_pi_call, 0), A(capset_call, 0), A(timer_call, 0),
#ifdef __x86_64__
	A(other_door_i386, MAY_FAIL), A(other_door_x32, MAY_FAIL),
#endif
#undef A
};

/* --- the scene --- */

static void put_file(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_true(write(fd, text, strlen(text)) > 0);
	assert_int_equal(fchmod(fd, mode), 0);
	(void)close(fd);
}

static void path_in_world(char *out, size_t size, const char *name)
{
	assert_true((size_t)snprintf(out, size, "%s/%s", scene.world, name) < size);
}

static pid_t victim_new(void)
{
	pid_t pid = fork();
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			(void)pause();
	}
	return pid;
}

static void scene_make(void)
{
	char path[128], target[128];
	memset(&scene, 0, sizeof(scene));
	(void)snprintf(scene.world, sizeof(scene.world), "/tmp/plimsoll-walls-XXXXXX");
	assert_non_null(mkdtemp(scene.world));
	assert_int_equal(chmod(scene.world, 0777), 0);
	path_in_world(path, sizeof(path), "tree");
	assert_int_equal(mkdir(path, 0777), 0);
	assert_int_equal(chmod(path, 0777), 0);
	path_in_world(scene.outside, sizeof(scene.outside), "outside");
	path_in_world(scene.inside, sizeof(scene.inside), "tree/inside");
	path_in_world(scene.empty, sizeof(scene.empty), "tree/empty");
	path_in_world(scene.fresh, sizeof(scene.fresh), "tree/fresh");
	put_file(scene.outside, "not for the worker\n", 0666);
	put_file(scene.inside, "for the worker\n", 0666);
	(void)setxattr(scene.inside, "user.kept", "yes", 3, 0);
	assert_int_equal(mkdir(scene.empty, 0777), 0);
	path_in_world(path, sizeof(path), "tree/link-absolute");
	assert_int_equal(symlink(scene.outside, path), 0);
	path_in_world(path, sizeof(path), "tree/link-relative");
	assert_int_equal(symlink("../outside", path), 0);
	path_in_world(path, sizeof(path), "tree/device");
	if (mknod(path, S_IFCHR | 0666, makedev(1, 5)) == 0)
		assert_int_equal(chmod(path, 0666), 0);
	path_in_world(target, sizeof(target), "tree");
	scene.root_fd = open(target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	scene.file_fd = open(scene.inside, O_RDONLY | O_CLOEXEC);
	assert_true(scene.root_fd >= 0 && scene.file_fd >= 0);
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s/socket", scene.world);
	scene.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(scene.listener, (const struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(scene.listener, 100), 0);
	assert_int_equal(chmod(at.sun_path, 0777), 0);
	scene.victim = victim_new();
}

static void remove_below(const char *folder)
{
	DIR *d = opendir(folder);
	char path[512];
	for (struct dirent *e; d && (e = readdir(d));) {
		struct stat st;
		if (str_eq(str_from(e->d_name), STR(".")) || str_eq(str_from(e->d_name), STR("..")))
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
		if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode))
			remove_below(path);
		else
			(void)unlink(path);
	}
	if (d)
		closedir(d);
	(void)rmdir(folder);
}

static void scene_clear(void)
{
	(void)kill(scene.victim, SIGKILL);
	(void)waitpid(scene.victim, NULL, 0);
	(void)close(scene.root_fd);
	(void)close(scene.file_fd);
	(void)close(scene.listener);
	remove_below(scene.world);
}

static void describe_file(struct buf *out, const char *path)
{
	struct stat st;
	char text[256];
	if (lstat(path, &st) < 0) {
		(void)buf_printf(out, "%s: none\n", path);
		return;
	}
	(void)buf_printf(out, "%s: %o %u %u %lld %lld.%ld %lu\n", path, st.st_mode, st.st_uid, st.st_gid, (long long)st.st_size,
	                 (long long)st.st_ctim.tv_sec, st.st_ctim.tv_nsec, (unsigned long)st.st_nlink);
	int fd = S_ISREG(st.st_mode) ? open(path, O_RDONLY) : -1;
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text));
	if (n > 0)
		(void)buf_put_mem(out, text, (size_t)n);
	if (fd >= 0)
		(void)close(fd);
	n = llistxattr(path, text, sizeof(text));
	if (n > 0)
		(void)buf_put_mem(out, text, (size_t)n);
}

/* Everything that an attempt could have changed. The time of change of a folder tells of names made and removed. */
static void scene_state(struct buf *out)
{
	static const char *const names[] = {
		"", "outside", "tree", "tree/inside", "tree/empty", "tree/fresh", "tree/link-absolute", "tree/link-relative",
	};
	buf_init(out, 65536);
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		char path[128];
		path_in_world(path, sizeof(path), names[i]);
		describe_file(out, path);
	}
	(void)buf_printf(out, "victim %d", waitpid(scene.victim, NULL, WNOHANG | WUNTRACED) == 0);
}

/* --- one attempt in one worker --- */

enum outcome { SUCCEEDED, DENIED, KILLED, BROKE };

static int run_attempt(struct worker_io *io, void *arg)
{
	const struct attempt *a = *(const struct attempt *const *)arg;
	errno = 0;
	if (a->try() < 0) {
		int denied = errno;
		worker_io_send(io, 1, (struct str){ (const char *)&denied, sizeof(denied) });
	}
	return 0;
}

static enum outcome attempt_in_worker(const struct attempt *a, char *ret_words, size_t size)
{
	struct err err = { 0 };
	struct frame f;
	struct worker *w = NULL;
	struct worker_spec spec = { .name = "walls", .kind = scene.kind, .run = run_attempt, .arg = &a, .input_size = 1 };
	spec.root_fd = scene.root_fd;
	spec.unix_sockets = scene.unix_sockets;
	spec.fds[0] = scene.file_fd;
	spec.fd_count = 1;
	(void)snprintf(ret_words, size, "succeeded");
	if (worker_start(&spec, &w, &err) < 0) {
		(void)snprintf(ret_words, size, "%s", err.text);
		return BROKE;
	}
	bool denied = worker_recv(w, 100, &f, &err) == 1 && f.payload.len == sizeof(int);
	if (denied) {
		int why;
		memcpy(&why, f.payload.ptr, sizeof(why));
		(void)snprintf(ret_words, size, "%s", strerror(why));
	}
	if (worker_finish(w, &err) < 0) {
		(void)snprintf(ret_words, size, "%s", err.text);
		return str_contains(str_from(err.text), STR("SIGSYS")) ? KILLED : BROKE;
	}
	return denied ? DENIED : SUCCEEDED;
}

static bool applies(const struct attempt *a, bool walled)
{
	if (scene.kind != WORKER_TREE && (a->is & TREE_ONLY))
		return false;
	if (scene.kind == WORKER_NET && (a->is & (scene.unix_sockets ? NET_MAY | UNIX_MAY : NET_MAY)))
		return false;
	if (geteuid() != 0 && (a->is & ROOT_WALL))
		return false;
	return walled || scene.kind == WORKER_BYTES || !(a->is & NEEDS_WALL);
}

/* Count of attempts that were not stopped, or that left a trace. */
static unsigned try_all(bool walled)
{
	unsigned wrong = 0, killed = 0, denied = 0;
	struct buf before, after;
	scene_state(&before);
	for (size_t i = 0; i < COUNT_OF(attempts); i++) {
		char words[1024];
		if (!applies(&attempts[i], walled))
			continue;
		enum outcome o = attempt_in_worker(&attempts[i], words, sizeof(words));
		killed += o == KILLED;
		denied += o == DENIED;
		/* Where the kernel has no 32-bit door at all, knocking is a fault. */
		if (o == BROKE && str_starts(str_from(attempts[i].name), STR("other_door")))
			o = KILLED;
		scene_state(&after);
		bool same = str_eq(buf_view(&before), buf_view(&after));
		if (o == SUCCEEDED || o == BROKE || !same) {
			wrong++;
			print_error("  %s: %s%s\n", attempts[i].name, words, same ? "" : ", and something has changed");
		}
		buf_done(&after);
	}
	buf_done(&before);
	print_message("    %u killed, %u denied, %u wrong\n", killed, denied, wrong);
	return wrong;
}

/* --- who tries --- */

/* In a process of its own, as nobody where asked. */
static void try_as(bool nobody, enum worker_kind kind, bool unix_sockets, int abi_max)
{
	scene_make();
	scene.kind = kind;
	scene.unix_sockets = unix_sockets;
	pid_t pid = fork();
	if (pid == 0) {
		(void)kill(scene.victim, SIGKILL);
		if (nobody && (setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0))
			_exit(98);
		scene.victim = victim_new(); /* ours to reap, and of the same user */
		landlock_limit(abi_max);
		struct str said = sandbox_describe();
		/* A net worker is in no chroot. */
		bool walled = !str_contains(said, kind == WORKER_NET ? STR("no Landlock") : STR("no chroot"));
		static const char *const names[] = { "bytes", "tree", "net" };
		print_message("  %s%s worker as %s, Landlock %d: %.*s%s\n", names[kind], unix_sockets ? " (Unix)" : "",
		              nobody ? "nobody" : geteuid() ? "this user" : "root", abi_max, STR_ARG(said),
		              walled ? "" : " (skipped: reading by path)");
		unsigned wrong = try_all(walled);
		(void)kill(scene.victim, SIGKILL);
		_exit(wrong > 90 ? 90 : (int)wrong);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	scene_clear();
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void try_everywhere(bool nobody)
{
	static const int abis[] = { -1, 0, 1, 2 };
	for (size_t i = 0; i < COUNT_OF(abis); i++) {
		try_as(nobody, WORKER_BYTES, false, abis[i]);
		try_as(nobody, WORKER_TREE, false, abis[i]);
		try_as(nobody, WORKER_NET, false, abis[i]);
		try_as(nobody, WORKER_NET, true, abis[i]);
	}
}

static void walls_hold_as_we_are(void **state)
{
	(void)state;
	try_everywhere(false);
}

static void walls_hold_as_nobody(void **state)
{
	(void)state;
	if (geteuid() != 0) {
		print_message("skipped: not root, so nobody else can be tried\n");
		skip();
	}
	try_everywhere(true);
}

/* Without a sandbox the attempts do succeed: else they would prove nothing. */
static void attempts_are_real(void **state)
{
	(void)state;
	unsigned wrong = 0, worked = 0, tried = 0;
	sandbox_setup(false);
	for (size_t i = 0; i < COUNT_OF(attempts); i++) {
		char words[1024];
		if ((attempts[i].is & ROOT_ONLY) && geteuid() != 0)
			continue;
		scene_make();
		scene.kind = WORKER_TREE;
		enum outcome o = attempt_in_worker(&attempts[i], words, sizeof(words));
		tried++;
		worked += o == SUCCEEDED;
		if (o != SUCCEEDED) {
			print_message("    without a sandbox, %s: %s\n", attempts[i].name, words);
			wrong += !(attempts[i].is & MAY_FAIL);
		}
		scene_clear();
	}
	sandbox_setup(true);
	print_message("    %u of %u attempts succeed where nothing stops them\n", worked, tried);
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attempts_are_real),
		cmocka_unit_test(walls_hold_as_we_are),
		cmocka_unit_test(walls_hold_as_nobody),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
