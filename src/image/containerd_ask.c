/* The parent's side of containerd.h: where daemons have their files, opening them, a worker for each question and the
 * decoding of its answer. Believes no text of an answer further than words. */
#include "base/base.h"
#include "base/fs.h"
#include "image/containerd.h"
#include "image/frames.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define FRAME_ANSWER 64u

/* --- places ----------------------------------------------------------------------------------------------------- */

/* Distributions of Kubernetes bring a containerd with a root of its own, Docker runs one below its data. */
static const char *const known_places[] = {
	"/var/lib/docker/containerd/daemon",
	"/var/lib/rancher/k3s/agent/containerd",
	"/var/lib/rancher/rke2/agent/containerd",
	"/var/lib/k0s/containerd",
	"/var/snap/microk8s/common/var/lib/containerd",
};
#define CONFIG_FILE "/etc/containerd/config.toml"
#define DEFAULT_PLACE "/var/lib/containerd"

struct str containerd_config_root(struct arena *a, struct str toml)
{
	for (struct str line; str_cut(&toml, '\n', &line);) {
		line = str_trim(line);
		if (str_starts(line, STR("[")))
			break; /* the root is a key of the document itself */
		if (!str_skip(&line, STR("root")))
			continue;
		line = str_trim(line);
		if (!str_skip(&line, STR("=")))
			continue;
		line = str_trim(line);
		char quote = line.len ? line.ptr[0] : 0;
		struct str path = str_sub(line, 1, line.len);
		ptrdiff_t end = str_find(path, quote);
		if ((quote != '"' && quote != '\'') || end <= 0)
			break;
		path = str_sub(path, 0, (size_t)end);
		/* Escapes in a path: nobody's; an absolute path is what the daemon asks for. */
		return path.ptr[0] == '/' && (quote == '\'' || str_find(path, '\\') < 0) ? str_dup(a, path) : (struct str){ 0 };
	}
	return (struct str){ 0 };
}

static void rootless_place(struct arena *a, struct containerd_places *ret)
{
	struct str data = str_from(getenv("XDG_DATA_HOME")), home = str_from(getenv("HOME"));
	if (geteuid() == 0)
		return;
	if (data.len)
		*vec_push(a, ret) = str_cstr(a, arena_printf(a, "%.*s/containerd", STR_ARG(data)));
	else if (home.len)
		*vec_push(a, ret) = str_cstr(a, arena_printf(a, "%.*s/.local/share/containerd", STR_ARG(home)));
}

void containerd_places(struct arena *a, struct str only, struct containerd_places *ret)
{
	struct str toml = { 0 };
	struct err ignored = { 0 };
	*ret = (struct containerd_places){ 0 };
	if (only.len) {
		*vec_push(a, ret) = str_cstr(a, only);
		return;
	}
	(void)fs_read(a, CONFIG_FILE, CONTAINERD_CONFIG_SIZE_MAX, &toml, &ignored);
	struct str root = containerd_config_root(a, toml);
	*vec_push(a, ret) = root.len ? str_cstr(a, root) : DEFAULT_PLACE;
	for (size_t i = 0; i < COUNT_OF(known_places); i++)
		*vec_push(a, ret) = known_places[i];
	rootless_place(a, ret);
}

/* --- opening ---------------------------------------------------------------------------------------------------- */

static int code_of(int number)
{
	if (number == ENOENT || number == ENOTDIR)
		return ERR_ABSENT;
	return number == EACCES || number == EPERM ? ERR_ACCESS : ERR_IO;
}

static int open_file(int root, const char *path, int *ret, struct err *err)
{
	struct stat st;
	int fd = openat(root, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return err_set(err, code_of(errno), "%s: %m", path);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return err_set(err, ERR_FORMAT, "%s is no file", path);
	}
	*ret = fd;
	return 0;
}

int containerd_root_open(struct arena *a, const char *path, struct containerd_root *ret, struct err *err)
{
	struct containerd_root r = { .path = str_cstr(a, str_from(path)), .meta_fd = -1 };
	for (int i = 0; i < SNAPSHOTTER_COUNT; i++)
		r.snapshot_fds[i] = -1;
	r.fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (r.fd < 0)
		return err_set(err, code_of(errno), "%s: %m", path);
	int rc = open_file(r.fd, "io.containerd.metadata.v1.bolt/meta.db", &r.meta_fd, err);
	for (int i = 0; rc == 0 && i < SNAPSHOTTER_COUNT; i++) {
		rc = open_file(r.fd, containerd_snapshotters[i].database, &r.snapshot_fds[i], err);
		/* A snapshotter that was never used has no database, and one that may not be read has the blobs beside it. */
		if (rc == ERR_ABSENT || rc == ERR_ACCESS)
			rc = 0;
	}
	if (rc < 0) {
		containerd_root_close(&r);
		return err_wrap(err, "%s", path), rc;
	}
	*ret = r;
	return 0;
}

static void close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void containerd_root_close(struct containerd_root *r)
{
	close_one(&r->fd);
	close_one(&r->meta_fd);
	for (int i = 0; i < SNAPSHOTTER_COUNT; i++)
		close_one(&r->snapshot_fds[i]);
}

/* --- the worker ------------------------------------------------------------------------------------------------- */

static int run_question(struct worker_io *io, void *arg)
{
	struct arena *ARENA_AUTO a = arena_new();
	struct buf BUF_AUTO out = { 0 };
	struct err err = { 0 };
	buf_init(&out, FRAME_SIZE_MAX);
	int rc = containerd_answer(a, arg, &out, &err);
	if (rc == 0 && out.overflow)
		rc = err_set(&err, ERR_LIMIT, "the answer passes FRAME_SIZE_MAX");
	if (rc < 0)
		return image_send_error(io, &err);
	worker_io_send(io, FRAME_ANSWER, buf_view(&out));
	return 0;
}

static int ask(struct arena *a, const struct containerd_root *root, struct containerd_question *q, struct reader *ret,
               struct err *err)
{
	struct worker_spec spec = {
		.name = "containerd's metadata",
		.kind = WORKER_BYTES,
		.run = run_question,
		.arg = q,
		.fds = { root->meta_fd },
		.fd_count = 1,
		.root_fd = -1,
	};
	struct worker *w;
	struct frame f;
	q->meta.fd = root->meta_fd;
	for (int i = 0; i < SNAPSHOTTER_COUNT; i++) {
		q->snapshots[i].fd = root->snapshot_fds[i];
		q->have[i] = root->snapshot_fds[i] >= 0;
		if (q->have[i])
			spec.fds[spec.fd_count++] = root->snapshot_fds[i];
	}
	int rc = worker_start(&spec, &w, err);
	if (rc < 0)
		return rc;
	rc = worker_recv(w, FRAME_SIZE_MAX, &f, err);
	if (rc == 0) {
		rc = worker_finish(w, err);
		return rc < 0 ? rc : err_set(err, ERR_WORKER, "the worker ended without an answer");
	}
	if (rc > 0 && f.type == FRAME_ERROR)
		rc = image_take_error(f.payload, err);
	else if (rc > 0 && f.type != FRAME_ANSWER)
		rc = err_set(err, ERR_WORKER, "a frame out of turn");
	if (rc > 0)
		*ret = reader_of(str_dup(a, f.payload));
	worker_kill(w);
	return rc < 0 ? err_wrap(err, "%s", root->path), rc : 0;
}

/* --- answers ---------------------------------------------------------------------------------------------------- */

static enum containerd_fit take_fit(struct reader *r)
{
	uint8_t fit = read_u8(r);
	r->bad = r->bad || fit >= FIT_NONE;
	return (enum containerd_fit)fit;
}

static void take_images(struct arena *a, struct reader *r, struct containerd_images *ret)
{
	size_t n = read_count(r, 5);
	for (size_t i = 0; !r->bad && i < n; i++) {
		struct containerd_image m = { .fit = take_fit(r) };
		m.space = read_str(r);
		m.name = read_str(r);
		m.digest = read_str(r);
		m.media = read_str(r);
		*vec_push(a, ret) = m;
	}
}

static void take_containers(struct arena *a, struct reader *r, struct containerd_containers *ret)
{
	size_t n = read_count(r, 8);
	for (size_t i = 0; !r->bad && i < n; i++) {
		struct containerd_container c = { .fit = take_fit(r) };
		c.space = read_str(r);
		c.id = read_str(r);
		c.title = read_str(r);
		c.image = read_str(r);
		c.snapshotter = read_str(r);
		c.digest = read_str(r);
		c.media = read_str(r);
		*vec_push(a, ret) = c;
	}
}

static size_t take_snapshots(struct arena *a, struct reader *r, struct containerd_snapshot **ret)
{
	size_t n = read_count(r, 2 + 2 * SNAPSHOTTER_COUNT);
	if (r->bad || n > LAYER_COUNT_MAX + 1) {
		r->bad = true;
		return 0;
	}
	*ret = arena_array(a, n, sizeof(**ret));
	for (size_t i = 0; i < n; i++) {
		struct containerd_snapshot *s = &(*ret)[i];
		s->key = read_str(r);
		for (int w = 0; w < SNAPSHOTTER_COUNT; w++) {
			s->found[w] = read_u8(r) == 1;
			s->number[w] = read_varint(r);
		}
		s->elsewhere = read_str(r);
	}
	return n;
}

static int ask_all(struct arena *a, const struct containerd_root *root, struct containerd_question *q,
                   struct containerd_images *images, struct containerd_containers *containers,
                   struct containerd_snapshot **ret_snapshots, size_t *ret_count, struct err *err)
{
	struct reader r;
	int rc = ask(a, root, q, &r, err);
	if (rc < 0)
		return rc;
	images->spaces = containers->spaces = read_str(&r);
	take_images(a, &r, images);
	take_containers(a, &r, containers);
	*ret_count = take_snapshots(a, &r, ret_snapshots);
	return r.bad ? err_set(err, ERR_WORKER, "an answer about %s cannot be read", root->path) : 0;
}

int containerd_ask_images(struct arena *a, const struct containerd_root *root, struct str space, struct str wanted,
                          struct containerd_images *ret, struct err *err)
{
	struct containerd_question q = { .ask = ASK_IMAGES, .space = space, .wanted = wanted };
	struct containerd_images images = { 0 };
	struct containerd_containers none = { 0 };
	struct containerd_snapshot *snapshots;
	size_t count;
	int rc = ask_all(a, root, &q, &images, &none, &snapshots, &count, err);
	if (rc == 0)
		*ret = images;
	return rc;
}

int containerd_ask_containers(struct arena *a, const struct containerd_root *root, struct str space, struct str wanted,
                              struct containerd_containers *ret, struct err *err)
{
	struct containerd_question q = { .ask = ASK_CONTAINERS, .space = space, .wanted = wanted };
	struct containerd_images none = { 0 };
	struct containerd_containers containers = { 0 };
	struct containerd_snapshot *snapshots = NULL;
	size_t count, best = 0;
	int rc = ask_all(a, root, &q, &none, &containers, &snapshots, &count, err);
	if (rc < 0)
		return rc;
	for (size_t i = 1; i < containers.len; i++)
		if (containers.ptr[i].fit < containers.ptr[best].fit)
			best = i;
	if (containers.len) {
		containers.ptr[best].chain = snapshots;
		containers.ptr[best].chain_len = count;
	}
	*ret = containers;
	return 0;
}

int containerd_ask_snapshots(struct arena *a, const struct containerd_root *root, struct str space,
                             struct containerd_snapshot *ptr, size_t len, struct err *err)
{
	struct containerd_question q = { .ask = ASK_SNAPSHOTS, .space = space, .keys = ptr, .key_count = len };
	struct containerd_images no_images = { 0 };
	struct containerd_containers no_containers = { 0 };
	struct containerd_snapshot *snapshots = NULL;
	size_t count;
	int rc = ask_all(a, root, &q, &no_images, &no_containers, &snapshots, &count, err);
	if (rc < 0)
		return rc;
	if (count != 0 && count != len) /* 0: the namespace has gone */
		return err_set(err, ERR_WORKER, "an answer about %s cannot be read", root->path);
	for (size_t i = 0; i < count; i++) {
		struct str key = ptr[i].key;
		ptr[i] = snapshots[i];
		ptr[i].key = key;
	}
	return 0;
}
