/* Feeds from this machine: see update_internal.h. A folder laid out as a mirror is, one archive of such a folder, one feed, or
 * an advisory file. Of an archive's members only those are taken that stand where the table has a file, and they go into
 * nameless files: no path of an archive is ever made. The archive is read in a bytes worker. */
#include "advisory/update_internal.h"

#include "advisory/db_format.h"
#include "advisory/feed/feed.h"
#include "advisory/feed_files.h"
#include "base/base.h"
#include "base/fs.h"
#include "sandbox/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static struct update_item *item_of(struct update *u, const struct feed_row *row)
{
	for (size_t i = 0; i < u->items.len; i++)
		if (u->items.ptr[i].row == row)
			return &u->items.ptr[i];
	return NULL;
}

static void add_file(struct update *u, struct update_item *item, struct str path, const char *file, int fd, uint64_t size,
		     int64_t updated)
{
	*vec_push(u->a, &item->files) = (struct import_file){
		.path = path, .file = file, .fd = fd, .latest = u->built, .updated = updated
	};
	item->out.size += size;
}

/* A file that the table does not have. */
static void add_other(struct update *u, struct str path, const char *file, uint64_t size)
{
	if (u->o->feed_count == 0)
		add_file(u, update_add_item(u, NULL, path), path, file, -1, size, 0);
}

/* --- a folder --- */

static void from_folder(struct update *u, const char *folder)
{
	struct feed_row_file f;
	struct stat st;
	for (size_t i = 0; i < u->items.len; i++) {
		struct update_item *item = &u->items.ptr[i];
		for (size_t j = 0; feed_row_file(item->row, j, &f); j++) {
			struct str path = feed_row_path(u->a, item->row, &f);
			const char *file = arena_printf(u->a, "%s/%.*s", folder, STR_ARG(path)).ptr;
			if (stat(file, &st) == 0 && S_ISREG(st.st_mode))
				add_file(u, item, path, file, -1, (uint64_t)st.st_size, 0);
		}
	}
}

static int others_in_folder(struct update *u, const char *folder, struct err *err)
{
	struct feed_files files;
	size_t ignored;
	int rc = u->o->feed_count ? 0 : feed_files_below(u->a, folder, &files, err);
	if (rc != 0 || u->o->feed_count)
		return rc;
	for (size_t i = 0; i < files.len; i++) {
		struct stat st;
		const char *file = arena_printf(u->a, "%s/%.*s", folder, STR_ARG(files.ptr[i].path)).ptr;
		const struct feed_row *row = feed_row_of_path(files.ptr[i].path, &ignored);
		struct feed_row_file f = { 0 };
		bool own = row && feed_row_file(row, ignored, &f) &&
			   str_eq(feed_row_path(u->a, row, &f), files.ptr[i].path);
		if (!own && stat(file, &st) == 0)
			add_other(u, files.ptr[i].path, file, (uint64_t)st.st_size);
	}
	return 0;
}

/* --- an archive of a mirror's folder --- */

enum frame_type { FRAME_MEMBER = 1, FRAME_BYTES, FRAME_DONE };

#define PIECE (1 * MIB)
#define FRAME_MAX (2 * MIB)

struct bundle {
	struct str path, bytes;
	int64_t mtime;
};

static bool is_a_rows(struct str name)
{
	size_t file;
	return feed_row_of_path(name, &file) != NULL;
}

static void send_member(struct worker_io *io, const struct feed_doc *doc)
{
	struct buf BUF_AUTO out = { 0 };
	size_t file = 0;
	const struct feed_row *row = feed_row_of_path(doc->name, &file);
	buf_init(&out, 64);
	buf_varint(&out, (uint64_t)(row - feed_rows));
	buf_varint(&out, file);
	buf_u64(&out, (uint64_t)doc->mtime);
	worker_io_send(io, FRAME_MEMBER, buf_view(&out));
	for (size_t at = 0; at < doc->text.len; at += PIECE)
		worker_io_send(io, FRAME_BYTES, str_sub(doc->text, at, at + PIECE < doc->text.len ? at + PIECE : doc->text.len));
}

static int run_worker(struct worker_io *io, void *arg)
{
	const struct bundle *b = arg;
	struct arena *a ARENA_AUTO = arena_new();
	struct feed_input in = { .path = b->path, .bytes = b->bytes, .arena = a };
	struct feed_doc doc;
	struct err err = { 0 };
	uint64_t members = 0;
	int rc;
	while ((rc = feed_next(&in, is_a_rows, &doc, &err)) > 0) {
		send_member(io, &doc);
		members++;
	}
	feed_done(&in);
	struct buf BUF_AUTO out = { 0 };
	buf_init(&out, 4 * KIB);
	buf_varint(&out, (uint64_t)-rc);
	buf_varint(&out, members);
	buf_str(&out, str_from(err.text));
	worker_io_send(io, FRAME_DONE, buf_view(&out));
	return 0;
}

static int open_scratch(struct update *u, int *ret, struct err *err)
{
	int fd = -1;
	int rc = 0;
	if (u->store)
		rc = feed_store_scratch(u->store, &fd, err);
	else if ((fd = memfd_create("feed", MFD_CLOEXEC)) < 0)
		rc = err_set(err, ERR_IO, "memory for a feed: %m");
	if (rc != 0)
		return rc;
	u->scratch = arena_grow(u->a, u->scratch, u->scratch_count, u->scratch_count + 1, sizeof(*u->scratch));
	u->scratch[u->scratch_count++] = *ret = fd;
	return 0;
}

struct unpack {
	struct update *u;
	const struct feed_row *row; /* of the member that comes; NULL: passed over */
	struct import_file *file;
	struct update_item *item;
	uint64_t size;
	bool done;
	uint64_t members;
};

static int take_member(struct unpack *p, struct str payload, struct err *err)
{
	struct reader in = reader_of(payload);
	uint64_t row = read_varint(&in), file = read_varint(&in);
	int64_t mtime = (int64_t)read_u64le(&in);
	struct feed_row_file f;
	if (in.bad || row >= feed_row_count || !feed_row_file(&feed_rows[row], file, &f))
		return err_set(err, ERR_WORKER, "the worker names what is not in the table");
	p->row = &feed_rows[row];
	p->file = NULL;
	p->size = 0;
	p->item = item_of(p->u, p->row);
	struct str path = feed_row_path(p->u->a, p->row, &f);
	/* Of two members for one place the first counts; what was not asked for is passed over. */
	for (size_t i = 0; p->item && i < p->item->files.len; i++)
		if (str_eq(p->item->files.ptr[i].path, path))
			p->item = NULL;
	if (!p->item)
		return 0;
	int fd;
	int rc = open_scratch(p->u, &fd, err);
	if (rc != 0)
		return rc;
	add_file(p->u, p->item, path, NULL, fd, 0, mtime > 0 && mtime <= p->u->built ? mtime : p->u->built);
	p->file = &p->item->files.ptr[p->item->files.len - 1];
	return 0;
}

static int take_bytes(struct unpack *p, struct str bytes, struct err *err)
{
	if (!p->file)
		return 0;
	p->size += bytes.len;
	p->item->out.size += bytes.len;
	if (p->size > p->row->size_max)
		return err_set(err, ERR_LIMIT, "%.*s: larger than this feed may be", STR_ARG(p->file->path));
	while (bytes.len > 0) {
		ssize_t n = write(p->file->fd, bytes.ptr, bytes.len);
		if (n < 0 && errno != EINTR)
			return err_set(err, ERR_IO, "a place for %.*s: %m", STR_ARG(p->file->path));
		bytes = str_sub(bytes, n > 0 ? (size_t)n : 0, bytes.len);
	}
	return 0;
}

static int take_done(struct unpack *p, struct str payload, struct err *err)
{
	struct reader in = reader_of(payload);
	uint64_t code = read_varint(&in), members = read_varint(&in);
	struct str words = read_str(&in);
	p->done = true;
	if (in.bad || code > -ERR_LAST)
		return err_set(err, ERR_WORKER, "the worker's last word makes no sense");
	p->members = members;
	return code && members ? err_set(err, -(int)code, "%.*s", STR_ARG(words)) : 0;
}

static int unpack(struct unpack *p, struct worker *w, struct err *err)
{
	struct frame f;
	int rc;
	while ((rc = worker_recv(w, FRAME_MAX, &f, err)) > 0 && !p->done) {
		rc = f.type == FRAME_MEMBER  ? take_member(p, f.payload, err)
		     : f.type == FRAME_BYTES ? take_bytes(p, f.payload, err)
		     : f.type == FRAME_DONE  ? take_done(p, f.payload, err)
					     : err_set(err, ERR_WORKER, "the worker sends what it must not");
		if (rc != 0)
			break;
		if (p->u->o->progress)
			p->u->o->progress(p->u->o->ctx, "reading the archive", 0, 0);
	}
	if (rc < 0) {
		worker_kill(w);
		return rc;
	}
	rc = worker_finish(w, err);
	return rc || p->done ? rc : err_set(err, ERR_WORKER, "the worker ended without a word");
}

/* *ret_members: how many of its members the table has; 0: it is no such archive. */
static int from_archive(struct update *u, const char *file, struct str bytes, uint64_t *ret_members, struct err *err)
{
	struct bundle b = { .path = str_from(file), .bytes = bytes };
	struct worker_spec spec = {
		.name = "feeds",
		.kind = WORKER_BYTES,
		.run = run_worker,
		.arg = &b,
		.input_size = bytes.len,
		.memory_max = FEED_MEMORY_MAX,
	};
	struct worker *w;
	struct unpack p = { .u = u };
	int rc = worker_start(&spec, &w, err);
	rc = rc ? rc : unpack(&p, w, err);
	*ret_members = p.members;
	return rc ? err_wrap(err, "%s", file) : 0;
}

/* --- one file --- */

static int from_file(struct update *u, const char *file, struct str bytes, struct err *err)
{
	char *real = realpath(file, NULL);
	struct str path = str_dup(u->a, real ? str_from(real) : str_from(file));
	free(real);
	size_t at;
	uint64_t members = 0;
	const struct feed_row *row = feed_row_of_path(path, &at);
	struct feed_row_file f;
	if (row && feed_row_file(row, at, &f) && item_of(u, row)) {
		add_file(u, item_of(u, row), feed_row_path(u->a, row, &f), file, -1, bytes.len, 0);
		return 0;
	}
	int rc = from_archive(u, file, bytes, &members, err);
	if (rc == 0 && members == 0)
		add_other(u, path, file, bytes.len);
	return rc;
}

/* Feeds that are not there: named, they failed; else nobody misses them. */
static void judge_items(struct update *u)
{
	for (size_t i = 0; i < u->items.len; i++) {
		struct update_item *item = &u->items.ptr[i];
		item->partial = item->row && item->files.len < feed_row_files(item->row);
		if (item->files.len > 0)
			continue;
		bool named = u->o->feed_count > 0 && !str_eq(u->o->feeds[0], STR("all"));
		item->standing = named ? ITEM_FAILED : ITEM_MISSING;
		(void)err_set(&item->out.why, ERR_NOT_FOUND, "is not in %s", u->o->from);
	}
}

int update_from(struct update *u, bool *ret_installed, struct err *err)
{
	struct stat st;
	const char *from = u->o->from;
	int fd = open(from, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) != 0) {
		int rc = err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %m", from);
		if (fd >= 0)
			close(fd);
		return rc;
	}
	int rc = 0;
	void *p = MAP_FAILED;
	if (S_ISDIR(st.st_mode)) {
		from_folder(u, from);
		rc = others_in_folder(u, from, err);
	} else if (!S_ISREG(st.st_mode) || st.st_size == 0) {
		rc = err_set(err, ERR_FORMAT, "%s: not a folder, nor a file with anything in it", from);
	} else if ((p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0)) == MAP_FAILED) {
		rc = err_set(err, ERR_IO, "%s: %m", from);
	} else {
		struct str bytes = { p, (size_t)st.st_size };
		*ret_installed = str_starts(bytes, STR(DB_MAGIC));
		rc = *ret_installed ? 0 : from_file(u, from, bytes, err);
		munmap(p, (size_t)st.st_size);
	}
	close(fd);
	if (rc == 0)
		judge_items(u);
	return rc;
}
