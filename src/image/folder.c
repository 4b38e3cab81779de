/* A folder as one layer: the parent starts a tree worker, the worker opens canonical paths inside the folder and hands
 * them to the collector. See image.h. Opens for reading only; never follows a link out of the folder. */
#include "base/base.h"
#include "base/fs.h"
#include "image/frames.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Files of one listed folder (status.d). */
#define FOLDER_FILES_MAX 65536u

struct folder_scan {
	struct arena *arena;
	const struct image_order *order;
	struct path_set paths;
	VEC(struct layer_entry) entries;
};

static void keep(struct folder_scan *s, struct str path, const struct content *content, const struct err *why)
{
	const struct layer_collector *c = &s->order->collector;
	struct buf BUF_AUTO payload = { 0 };
	buf_init(&payload, FRAME_PAYLOAD_MAX);
	if (content)
		c->collect(c->ctx, path, content, &payload);
	else
		c->refuse(c->ctx, path, why, &payload);
	path = str_dup(s->arena, path);
	*vec_push(s->arena, &s->entries) = (struct layer_entry){
		.kind = ENTRY_FILE,
		.path = path,
		.payload = str_dup(s->arena, buf_view(&payload)),
	};
	path_set_imply_parents(&s->paths, path);
	(void)path_set_put(&s->paths, path, PATH_OTHER);
}

static void take_open_file(struct folder_scan *s, struct str path, int fd)
{
	const struct layer_collector *c = &s->order->collector;
	struct err err = { 0 };
	struct stat st;
	char head[64];
	if (fstat(fd, &st) < 0) {
		err_set(&err, ERR_IO, "%m");
		keep(s, path, NULL, &err);
		return;
	}
	struct content content = { .fd = fd, .size = (uint64_t)st.st_size };
	enum layer_want want = c->want(c->ctx, path, content.size, &err);
	if (want == WANT_REFUSED) {
		keep(s, path, NULL, &err);
		return;
	}
	size_t n = content.size < sizeof(head) ? (size_t)content.size : sizeof(head);
	if (want == WANT_NO || content_read(&content, 0, head, n, &err) < 0 || !c->sniff(c->ctx, path, (struct str){ head, n })) {
		if (err.code)
			keep(s, path, NULL, &err);
		return;
	}
	if (content.size > RPMDB_MEMORY_MAX) {
		keep(s, path, &content, NULL);
		return;
	}
	struct str text;
	if (fs_read_fd(s->arena, fd, RPMDB_MEMORY_MAX, &text, &err) < 0) {
		keep(s, path, NULL, &err);
		return;
	}
	content = content_of(text);
	keep(s, path, &content, NULL);
}

static void take_path(struct folder_scan *s, struct str path)
{
	struct err err = { 0 };
	int fd;
	int rc = tree_open(s->order->fd, path, false, &fd, &err);
	if (rc == ERR_NOT_FOUND)
		return;
	if (rc < 0) {
		struct err ignored = { 0 };
		/* Only what is wanted is worth a word (a folder called "status" is not). */
		if (s->order->collector.want(s->order->collector.ctx, path, 1, &ignored) != WANT_NO)
			keep(s, path, NULL, &err);
		return;
	}
	take_open_file(s, path, fd);
	close(fd);
}

static int compare_names(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static void take_folder(struct folder_scan *s, struct str folder)
{
	VEC(struct str) names = { 0 };
	struct err err = { 0 };
	int fd;
	int rc = tree_open(s->order->fd, folder, true, &fd, &err);
	if (rc < 0) {
		if (rc != ERR_NOT_FOUND)
			keep(s, arena_printf(s->arena, "%.*s/*", STR_ARG(folder)), NULL, &err);
		return;
	}
	DIR *d = fdopendir(fd);
	if (!d) {
		close(fd);
		return;
	}
	for (struct dirent *e; names.len < FOLDER_FILES_MAX && (e = readdir(d));)
		if (e->d_name[0] != '.')
			*vec_push(s->arena, &names) = str_dup(s->arena, str_from(e->d_name));
	closedir(d);
	if (names.len)
		qsort(names.ptr, names.len, sizeof(*names.ptr), compare_names);
	for (size_t i = 0; i < names.len; i++)
		take_path(s, arena_printf(s->arena, "%.*s/%.*s", STR_ARG(folder), STR_ARG(names.ptr[i])));
}

static int compare_entries(const void *a, const void *b)
{
	const struct layer_entry *x = a, *y = b;
	return str_cmp(x->path, y->path);
}

/* Rows of a table may share a place. */
static void drop_repeated(struct folder_scan *s)
{
	size_t kept = 0;
	if (s->entries.len)
		qsort(s->entries.ptr, s->entries.len, sizeof(*s->entries.ptr), compare_entries);
	for (size_t i = 0; i < s->entries.len; i++)
		if (kept == 0 || !str_eq(s->entries.ptr[kept - 1].path, s->entries.ptr[i].path))
			s->entries.ptr[kept++] = s->entries.ptr[i];
	s->entries.len = kept;
}

int image_run_folder(struct worker_io *io, void *arg)
{
	struct image_order *o = arg;
	struct arena *ARENA_AUTO a = arena_new();
	struct folder_scan s = { .arena = a, .order = o };
	struct layer_facts facts = { .plain = true };
	for (size_t i = 0; i < o->paths.count; i++) {
		struct str path = str_from(o->paths.ptr[i]);
		if (str_drop(&path, STR("/*")))
			take_folder(&s, path);
		else
			take_path(&s, path);
	}
	drop_repeated(&s);
	struct buf BUF_AUTO paths = { 0 }, out = { 0 };
	buf_init(&paths, MIB);
	path_set_encode(&s.paths, &paths);
	path_set_done(&s.paths);
	facts.entries = s.entries.ptr;
	facts.entry_count = s.entries.len;
	facts.paths = buf_view(&paths);
	buf_init(&out, FRAME_SIZE_MAX);
	layer_facts_encode(&facts, &out);
	if (out.overflow) {
		struct err err;
		err_set(&err, ERR_LIMIT, "what is kept of the folder passes FRAME_SIZE_MAX");
		return image_send_error(io, &err);
	}
	worker_io_send(io, FRAME_FACTS, buf_view(&out));
	return 0;
}

static int take_facts(struct arena *a, const struct frame *f, struct layer_facts *ret, struct err *err)
{
	if (f->type == FRAME_ERROR)
		return image_take_error(f->payload, err);
	if (f->type != FRAME_FACTS)
		return err_set(err, ERR_WORKER, "a frame out of turn");
	struct reader r = reader_of(str_dup(a, f->payload));
	layer_facts_decode(a, &r, ret);
	return r.bad ? err_set(err, ERR_WORKER, "its answer cannot be read") : 0;
}

int image_load_folder(struct arena *a, const char *path, const struct image_options *o, const struct folder_paths *paths,
                      struct layer_facts *ret, struct err *err)
{
	struct layer_facts facts = { 0 };
	struct worker *w;
	struct frame f;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %m", path);
	struct image_order order = { .fd = fd, .collector = o->collector, .paths = *paths };
	struct worker_spec spec = {
		.name = "folder", .kind = WORKER_TREE, .run = image_run_folder, .arg = &order, .root_fd = fd,
	};
	int rc = worker_start(&spec, &w, err);
	close(fd);
	if (rc < 0)
		return rc;
	rc = worker_recv(w, FRAME_SIZE_MAX, &f, err);
	if (rc > 0)
		rc = take_facts(a, &f, &facts, err);
	else if (rc == 0)
		rc = worker_finish(w, err) < 0 ? ERR_WORKER : err_set(err, ERR_WORKER, "the worker ended without an answer"),
		w = NULL;
	worker_kill(w);
	if (rc < 0)
		return err_wrap(err, "%s", path), rc;
	*ret = facts;
	return 0;
}
