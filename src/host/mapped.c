/* Which files processes have mapped: the parent's half. Lists /proc, finds the processes of one root, reads their files as
 * bytes and hands them to the worker (mapped_work.c). It parses none of them, opens nothing outside of /proc, and of a path
 * that a container names asks only what it is (statx, without automounting and without waiting for a server). */
#include "host/mapped.h"
#include "base/base.h"
#include "base/hash.h"
#include "host/mapped_work.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { /* what is known of a mountinfo */
	MOUNT_ASKED = 1,
	MOUNT_UPPER = 2, /* the root is an overlay with root_fd as its upper layer */
	MOUNT_OWN = 4,   /* the root is the folder that is this process's own root, and root_fd is that */
	MOUNT_FUSE = 8,
};

struct look {
	struct arena *arena;
	struct stat root;
	struct str root_path; /* where root_fd is, as the kernel says; may be empty */
	struct worker *w;
	struct map mounts; /* sha256 of a mountinfo -> MOUNT_*: one question for each mount namespace and root */
	struct str own_device, own_root;
	bool own;
	bool fuse;
	uint64_t size;
	struct mapped_files files;
};

/* --- reading /proc --- */

/* What may be there no more, or is kept from us, is no error of the run. */
static bool is_closed(int e)
{
	return e == EACCES || e == EPERM;
}

/* Appends a file of /proc: 1: whole, 0: cut at size_max, negative errno. */
static int read_proc(int dir, const char *name, size_t size_max, struct buf *b)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	size_t end = b->len + size_max;
	ssize_t n = 1;
	if (fd < 0)
		return -errno;
	while (n != 0 && b->len < end) {
		size_t step = end - b->len < 64 * KIB ? end - b->len : 64 * KIB;
		if (!buf_reserve(b, step))
			break;
		n = read(fd, b->ptr + b->len, step);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		b->len += (size_t)n;
	}
	int e = n < 0 ? errno : 0;
	close(fd);
	return e ? -e : n == 0;
}

static struct str read_link(int dir, const char *name, char *room, size_t size)
{
	ssize_t n = readlinkat(dir, name, room, size);
	return n > 0 && (size_t)n < size ? (struct str){ room, (size_t)n } : (struct str){ 0 };
}

/* A thread of the kernel, or a process that has ended: no command line, which everybody may read. */
static bool has_command(int dir)
{
	char c;
	int fd = openat(dir, "cmdline", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	bool ret = fd >= 0 && read(fd, &c, 1) == 1;
	if (fd >= 0)
		close(fd);
	return ret;
}

/* --- the talk --- */

static int ended(struct look *l, struct err *err)
{
	int rc = worker_finish(l->w, err);
	l->w = NULL;
	return rc < 0 ? rc : err_set(err, ERR_WORKER, "the worker ended without an answer");
}

static int say(struct look *l, uint32_t type, struct str payload, struct err *err)
{
	return worker_send(l->w, type, payload, err) < 0 ? ended(l, err) : 0;
}

static int hear(struct look *l, struct frame *f, struct err *err)
{
	int rc = worker_recv(l->w, FRAME_SIZE_MAX, f, err);
	return rc > 0 ? 0 : rc < 0 ? rc : ended(l, err);
}

static int ask_mount(struct look *l, struct str mountinfo, struct mapped_mount *ret, struct err *err)
{
	struct frame f = { 0 };
	int rc = say(l, MAPPED_FRAME_MOUNTS, mountinfo, err);
	if (rc == 0)
		rc = hear(l, &f, err);
	if (rc < 0)
		return rc;
	struct reader r = reader_of(f.payload);
	mapped_mount_decode(&r, ret);
	return f.type != MAPPED_FRAME_MOUNT || r.bad ? err_set(err, ERR_WORKER, "a mount that cannot be read") : 0;
}

/* --- which processes --- */

static bool is_root(const struct look *l, struct str path)
{
	struct arena *ARENA_AUTO a = arena_new();
	struct statx st;
	/* Docker and Podman may mount with paths below their own folder, for the page that mount(2) takes is short. */
	if (!str_starts(path, STR("/")))
		return path.len && mapped_path_clean(path) && str_ends(l->root_path, arena_printf(a, "/%.*s", STR_ARG(path)));
	if (statx(AT_FDCWD, str_cstr(a, path), AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, STATX_INO, &st) < 0)
		return false;
	return makedev(st.stx_dev_major, st.stx_dev_minor) == l->root.st_dev && st.stx_ino == l->root.st_ino;
}

static uint64_t judge_mount(struct look *l, const struct mapped_mount *m)
{
	struct arena *ARENA_AUTO a = arena_new();
	uint64_t ret = MOUNT_ASKED;
	if (m->upper.len && (is_root(l, m->upper) || is_root(l, mapped_unescape_upper(a, m->upper))))
		ret |= MOUNT_UPPER;
	if (l->own && m->found && str_eq(m->device, l->own_device) && str_eq(m->root, l->own_root))
		ret |= MOUNT_OWN;
	if (m->fuse)
		ret |= MOUNT_FUSE;
	return ret;
}

/* What the process's mountinfo tells of its root; *ret 0: it is gone or closed. */
static int look_at_mounts(struct look *l, int dir, uint64_t *ret, struct err *err)
{
	struct mapped_mount m;
	struct buf BUF_AUTO text = { 0 };
	buf_init(&text, MAPPED_MOUNTINFO_SIZE_MAX);
	*ret = 0;
	if (read_proc(dir, "mountinfo", MAPPED_MOUNTINFO_SIZE_MAX, &text) != 1)
		return 0;
	struct sha256 digest = sha256_of(buf_view(&text));
	struct str key = { (const char *)&digest, sizeof(digest) };
	uint64_t *known = map_get(&l->mounts, key);
	if (!known) {
		int rc = ask_mount(l, buf_view(&text), &m, err);
		if (rc < 0)
			return rc;
		known = map_put(l->arena, &l->mounts, str_dup(l->arena, key), NULL);
		*known = judge_mount(l, &m);
	}
	*ret = *known;
	return 0;
}

/* For processes whose root may not be looked at: the mount that is the root of this process, where root_fd is that. */
static int find_own(struct look *l, struct err *err)
{
	struct mapped_mount m;
	struct stat st;
	struct buf BUF_AUTO text = { 0 };
	buf_init(&text, MAPPED_MOUNTINFO_SIZE_MAX);
	if (stat("/", &st) < 0 || st.st_dev != l->root.st_dev || st.st_ino != l->root.st_ino)
		return 0;
	if (read_proc(AT_FDCWD, "/proc/self/mountinfo", MAPPED_MOUNTINFO_SIZE_MAX, &text) != 1)
		return 0;
	int rc = ask_mount(l, buf_view(&text), &m, err);
	if (rc < 0 || !m.found)
		return rc;
	l->own = true;
	l->own_device = str_dup(l->arena, m.device);
	l->own_root = str_dup(l->arena, m.root);
	return 0;
}

/* 1: it belongs; 0: it does not, or is gone. *ret_closed: it may not be looked into. */
static int belongs(struct look *l, int dir, bool *ret_closed, struct err *err)
{
	struct stat st;
	uint64_t known;
	*ret_closed = false;
	bool seen = fstatat(dir, "root", &st, AT_NO_AUTOMOUNT) == 0;
	if (!seen && !is_closed(errno))
		return 0;
	if (seen && st.st_dev == l->root.st_dev && st.st_ino == l->root.st_ino)
		return 1;
	int rc = look_at_mounts(l, dir, &known, err);
	if (rc < 0)
		return rc;
	*ret_closed = !seen;
	if (known & MOUNT_FUSE)
		l->fuse = true;
	return (known & MOUNT_UPPER) || (!seen && (known & MOUNT_OWN));
}

/* --- what they have mapped --- */

/* Root link, program, maps: into one frame. */
static int take_process(struct look *l, int dir, struct err *err)
{
	char root[PATH_MAX], exe[PATH_MAX + 16];
	struct buf BUF_AUTO b = { 0 };
	buf_init(&b, MAPPED_MAPS_SIZE_MAX + 4 * PATH_MAX);
	struct str root_link = read_link(dir, "root", root, sizeof(root));
	struct str exe_link = read_link(dir, "exe", exe, sizeof(exe));
	buf_str(&b, root_link);
	buf_str(&b, exe_link);
	size_t head = b.len;
	int rc = read_proc(dir, "maps", MAPPED_MAPS_SIZE_MAX, &b);
	if (rc < 0 && is_closed(-rc))
		l->files.closed += has_command(dir);
	/* Nothing mapped: a thread of the kernel, or a process that has ended. */
	if (rc < 0 || root_link.len == 0 || b.len == head)
		return 0;
	l->files.dropped |= rc == 0;
	l->files.processes++;
	l->size += b.len;
	return say(l, MAPPED_FRAME_PROCESS, buf_view(&b), err);
}

static int look_at(struct look *l, int proc, const char *pid, struct err *err)
{
	bool closed;
	/* One folder for all looks: a number that is given anew meanwhile is not followed. */
	int dir = openat(proc, pid, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return 0;
	int rc = belongs(l, dir, &closed, err);
	if (rc > 0 && closed) {
		l->files.closed += has_command(dir);
		rc = 0;
	} else if (rc > 0) {
		rc = take_process(l, dir, err);
	}
	close(dir);
	return rc;
}

/* --- the answer --- */

static int take_files(struct look *l, struct str payload, struct err *err)
{
	struct mapped_files *f = &l->files;
	struct reader r = reader_of(str_dup(l->arena, payload));
	while (!r.bad && reader_left(&r)) {
		struct str path = read_str(&r);
		bool after = f->count == 0 || str_cmp(f->paths[f->count - 1], path) < 0;
		if (r.bad || f->count >= MAPPED_FILES_MAX || !after || !mapped_path_clean(path))
			return err_set(err, ERR_WORKER, "files that cannot be read");
		f->paths[f->count++] = path;
	}
	return 0;
}

static int take_answer(struct look *l, struct err *err)
{
	struct frame f;
	l->files.paths = arena_array(l->arena, MAPPED_FILES_MAX, sizeof(*l->files.paths));
	int rc = say(l, MAPPED_FRAME_END, (struct str){ 0 }, err);
	while (rc == 0 && (rc = hear(l, &f, err)) == 0 && f.type == MAPPED_FRAME_FILES)
		rc = take_files(l, f.payload, err);
	if (rc < 0)
		return rc;
	struct reader r = reader_of(f.payload);
	uint64_t deleted = read_varint(&r);
	uint8_t dropped = read_u8(&r);
	if (f.type != MAPPED_FRAME_DONE || r.bad || reader_left(&r) || deleted > l->files.count)
		return err_set(err, ERR_WORKER, "an end that cannot be read");
	l->files.deleted = (size_t)deleted;
	l->files.dropped |= dropped == 1;
	return 0;
}

static int judge(const struct look *l, struct err *err)
{
	if (l->files.processes)
		return 0;
	if (l->files.closed)
		return err_set(err, ERR_ACCESS, "none of %zu processes may be looked into by this user", l->files.closed);
	if (l->fuse)
		return err_set(err, ERR_UNSUPPORTED, "no process could be matched, and a container on fuse-overlayfs, "
		                                     "whose layer cannot be told from outside, is running");
	return err_set(err, ERR_NOT_FOUND, "no process has this root");
}

/* --- together --- */

typedef VEC(char *) pid_list;

static bool is_number(const char *name)
{
	uint64_t v;
	return str_to_u64(str_from(name), &v) && v <= INT_MAX;
}

/* Before the worker starts, which is none of those looked for. */
static int list_processes(struct look *l, DIR **ret_proc, pid_list *pids, struct err *err)
{
	DIR *d = opendir("/proc");
	if (!d || faccessat(dirfd(d), "self/mountinfo", F_OK, 0) < 0) {
		if (d)
			closedir(d);
		return err_set(err, ERR_ABSENT, "/proc is not there, so it cannot be told what is running");
	}
	struct str self = arena_printf(l->arena, "%ld", (long)getpid());
	for (struct dirent *e; (e = readdir(d));) {
		if (!is_number(e->d_name) || str_eq(self, str_from(e->d_name)))
			continue;
		if (pids->len >= MAPPED_PROCESSES_MAX) {
			l->files.dropped = true;
			break;
		}
		*vec_push(l->arena, pids) = str_cstr(l->arena, str_from(e->d_name));
	}
	*ret_proc = d;
	return 0;
}

static int look_at_all(struct look *l, int proc, const pid_list *pids, struct err *err)
{
	struct worker_spec spec = { .name = "mapped", .kind = WORKER_BYTES, .run = mapped_run, .root_fd = -1 };
	int rc = worker_start(&spec, &l->w, err);
	if (rc == 0)
		rc = find_own(l, err);
	for (size_t i = 0; rc == 0 && i < pids->len; i++) {
		if (l->size > MAPPED_TOTAL_SIZE_MAX) {
			l->files.dropped = true;
			break;
		}
		rc = look_at(l, proc, pids->ptr[i], err);
	}
	if (rc == 0)
		rc = take_answer(l, err);
	if (rc == 0) {
		rc = worker_finish(l->w, err);
		l->w = NULL;
	}
	worker_kill(l->w);
	return rc;
}

int mapped_files_load(struct arena *a, int root_fd, struct mapped_files *ret, struct err *err)
{
	struct look l = { .arena = a };
	pid_list pids = { 0 };
	char link[PATH_MAX];
	DIR *proc;
	if (fstat(root_fd, &l.root) < 0)
		return err_set(err, ERR_IO, "the root's folder: %m");
	int rc = list_processes(&l, &proc, &pids, err);
	if (rc < 0)
		return rc;
	struct str name = arena_printf(a, "self/fd/%d", root_fd);
	l.root_path = read_link(dirfd(proc), str_cstr(a, name), link, sizeof(link));
	rc = look_at_all(&l, dirfd(proc), &pids, err);
	closedir(proc);
	if (rc == 0)
		rc = judge(&l, err);
	if (rc == 0)
		*ret = l.files;
	return rc;
}
