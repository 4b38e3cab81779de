/* Reading one layer: see layer.h. Runs in a worker; keeps names and what the collector says, never contents. */
#include "image/layer.h"

#include "base/base.h"
#include "base/tar.h"
#include "image/layer_build.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#define STORED_PENDING_MAX (4 * MIB)
#define SNIFF_SIZE 64
#define PROGRESS_STEP (4 * MIB)

/* --- the stored bytes, on their way through --------------------------------------------------------------------- */

struct feed {
	const struct layer_input *in;
	struct inflate *inflate;
	/* The buffer that is being read: slot[at..filled). */
	char *slot;
	size_t at, filled;
	uint64_t total;   /* inflated so far */
	bool hash_inflated;
	struct buf stored; /* taken from the source, not yet handed to the ring */
	uint64_t stored_total, reported;
};

/* The source, watched: counts, and keeps a copy for the digest where nobody else makes it. */
static ssize_t stored_read(void *ctx, void *p, size_t n)
{
	struct feed *f = ctx;
	ssize_t got = f->in->source.read(f->in->source.ctx, p, n);
	if (got <= 0)
		return got;
	f->stored_total += (size_t)got;
	if (f->in->hash_stored && !buf_put_mem(&f->stored, p, (size_t)got)) {
		/* Much was read without a byte of output (empty members): the ring's turn has not come. */
		buf_done(&f->stored);
		buf_init(&f->stored, STORED_PENDING_MAX);
		errno = EFBIG;
		return -1;
	}
	return got;
}

static void push_stored(struct feed *f)
{
	struct str rest = buf_view(&f->stored);
	while (rest.len) {
		size_t n = rest.len < RING_SLOT_SIZE ? rest.len : RING_SLOT_SIZE;
		memcpy(ring_slot(f->in->ring), rest.ptr, n);
		ring_push(f->in->ring, n, RING_STORED);
		rest = str_sub(rest, n, rest.len);
	}
	buf_clear(&f->stored);
}

static void report_progress(struct feed *f)
{
	if (f->in->progress && f->stored_total - f->reported >= PROGRESS_STEP) {
		f->reported = f->stored_total;
		f->in->progress(f->in->progress_ctx, f->stored_total);
	}
}

/* The next buffer, filled as far as the stream goes. 1, 0 at the end, negative on error. */
static int feed_fill(struct feed *f, struct err *err)
{
	push_stored(f);
	f->slot = ring_slot(f->in->ring);
	f->at = f->filled = 0;
	while (f->filled < RING_SLOT_SIZE) {
		ssize_t got = inflate_read(f->inflate, f->slot + f->filled, RING_SLOT_SIZE - f->filled, err);
		if (got < 0)
			return (int)got;
		if (got == 0)
			break;
		f->filled += (size_t)got;
	}
	if (f->filled == 0)
		return 0;
	f->total += f->filled;
	if (f->hash_inflated)
		ring_push(f->in->ring, f->filled, RING_INFLATED);
	report_progress(f);
	if (f->total > LAYER_SIZE_MAX)
		return err_set(err, ERR_LIMIT, "the layer inflates to more than LAYER_SIZE_MAX (%zu bytes)", LAYER_SIZE_MAX);
	return 1;
}

static ssize_t feed_read(void *ctx, void *p, size_t n, struct err *err)
{
	struct feed *f = ctx;
	if (f->at == f->filled) {
		int rc = feed_fill(f, err);
		if (rc <= 0)
			return rc;
	}
	size_t have = f->filled - f->at;
	if (n > have)
		n = have;
	memcpy(p, f->slot + f->at, n);
	f->at += n;
	return (ssize_t)n;
}

static int feed_skip(void *ctx, uint64_t n, struct err *err)
{
	struct feed *f = ctx;
	while (n > 0) {
		if (f->at == f->filled) {
			int rc = feed_fill(f, err);
			if (rc < 0)
				return rc;
			if (rc == 0)
				return err_set(err, ERR_FORMAT, "the layer ends inside a file: truncated at %ju bytes",
				               (uintmax_t)f->total);
		}
		size_t have = f->filled - f->at;
		size_t k = n < have ? (size_t)n : have;
		f->at += k;
		n -= k;
	}
	return 0;
}

/* --- entries ---------------------------------------------------------------------------------------------------- */

struct scan {
	struct layer_build build;
	const struct layer_input *in;
	struct tar *tar;
	struct layer_facts *facts;
};

/* Content on its way to the collector: in memory, or in a memfd once it passes the memory budget. */
struct capture {
	struct buf mem;
	int fd;
	uint64_t size;
};

static int spill(struct capture *c, struct str bytes, struct err *err)
{
	if (c->fd < 0) {
		c->fd = memfd_create("plimsoll", MFD_CLOEXEC);
		if (c->fd < 0)
			return err_set(err, ERR_IO, "memfd_create: %m");
	}
	while (bytes.len) {
		ssize_t put = write(c->fd, bytes.ptr, bytes.len);
		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return err_set(err, ERR_IO, "writing to memory: %m");
		bytes = str_sub(bytes, (size_t)put, bytes.len);
	}
	return 0;
}

static int capture_add(struct capture *c, struct str bytes, struct err *err)
{
	int rc = 0;
	c->size += bytes.len;
	if (c->fd < 0 && buf_put(&c->mem, bytes))
		return 0;
	if (c->fd < 0) {
		c->mem.overflow = false;
		rc = spill(c, buf_view(&c->mem), err);
		buf_done(&c->mem);
	}
	return rc < 0 ? rc : spill(c, bytes, err);
}

static int read_content(struct scan *s, struct str path, bool sniff, struct capture *c, bool *ret_wanted, struct err *err)
{
	char chunk[32 * 1024];
	*ret_wanted = true;
	for (;;) {
		ssize_t got = tar_read(s->tar, chunk, sizeof(chunk), err);
		if (got < 0)
			return (int)got;
		if (got == 0)
			break;
		int rc = capture_add(c, (struct str){ chunk, (size_t)got }, err);
		if (rc < 0)
			return rc;
		if (sniff && c->size >= SNIFF_SIZE) {
			sniff = false;
			if (!s->in->collector.sniff(s->in->collector.ctx, path, str_sub(buf_view(&c->mem), 0, SNIFF_SIZE))) {
				*ret_wanted = false;
				return 0;
			}
		}
	}
	if (sniff)
		*ret_wanted = s->in->collector.sniff(s->in->collector.ctx, path, buf_view(&c->mem));
	return 0;
}

static int take_file(struct scan *s, const struct tar_entry *e, struct str path, bool repeated, struct err *err)
{
	struct err why = { 0 };
	bool extra = layer_build_extra(&s->build, path);
	enum layer_want want = s->in->collector.want(s->in->collector.ctx, path, e->size, &why);
	if (want == WANT_NO && !extra) {
		if (repeated)
			layer_build_forget(&s->build, path);
		return 0;
	}
	if (want == WANT_REFUSED) {
		layer_build_file(&s->build, path, NULL, &why);
		return 0;
	}
	struct capture c = { .fd = -1 };
	buf_init(&c.mem, RPMDB_MEMORY_MAX);
	bool wanted;
	int rc = read_content(s, path, !extra, &c, &wanted, err);
	struct content content = { .mem = buf_view(&c.mem), .fd = c.fd, .size = c.size };
	if (rc == 0 && wanted)
		layer_build_file(&s->build, path, &content, NULL);
	else if (rc == 0)
		layer_build_forget(&s->build, path);
	buf_done(&c.mem);
	if (c.fd >= 0)
		close(c.fd);
	return rc;
}

static void take_link(struct scan *s, const struct tar_entry *e, struct str path)
{
	char clean[TAR_PATH_MAX];
	struct str link = e->link;
	if (e->type == TAR_HARDLINK && (!tar_clean_path(e->link, clean, &link) || link.len == 0)) {
		s->facts->refused++;
		layer_build_forget(&s->build, path);
		return;
	}
	(void)layer_build_keep(&s->build, e->type == TAR_HARDLINK ? ENTRY_HARDLINK : ENTRY_SYMLINK, path, link);
}

static int take_entry(struct scan *s, const struct tar_entry *e, struct err *err)
{
	char clean[TAR_PATH_MAX];
	struct str path;
	if (!tar_clean_path(e->path, clean, &path)) {
		s->facts->refused++;
		return 0;
	}
	if (path.len == 0)
		return 0;
	layer_build_parents(&s->build, path);
	if (layer_build_mark(&s->build, path))
		return 0;
	enum path_kind kind = e->type == TAR_DIR ? PATH_FOLDER : PATH_OTHER;
	enum path_kind before = path_set_put(&s->build.paths, path, kind);
	switch (e->type) {
	case TAR_FILE:
		return take_file(s, e, path, before != PATH_NONE, err);
	case TAR_HARDLINK:
	case TAR_SYMLINK:
		take_link(s, e, path);
		return 0;
	default:
		if (before == PATH_OTHER)
			layer_build_forget(&s->build, path);
		return 0;
	}
}

static int walk(struct scan *s, struct tar_input input, struct err *err)
{
	struct tar_entry e;
	int rc;
	s->tar = tar_open(input);
	while ((rc = tar_next(s->tar, &e, err)) > 0)
		if ((rc = take_entry(s, &e, err)) < 0)
			break;
	s->facts->refused += tar_paths_too_long(s->tar);
	s->facts->size = tar_offset(s->tar);
	tar_close(s->tar);
	if (rc == 0)
		layer_build_finish(&s->build);
	return rc;
}

/* What stands behind the end of the archive belongs to the digests, too. */
static int drain(struct feed *f, struct err *err)
{
	int rc;
	do
		rc = feed_fill(f, err);
	while (rc > 0);
	push_stored(f);
	return rc;
}

static int read_stream(struct scan *s, struct err *err)
{
	struct feed f = { .in = s->in };
	buf_init(&f.stored, STORED_PENDING_MAX);
	f.inflate = inflate_open((struct source){ .read = stored_read, .ctx = &f }, err);
	if (!f.inflate) {
		buf_done(&f.stored);
		return err->code;
	}
	s->facts->plain = inflate_form(f.inflate) == INFLATE_PLAIN;
	/* Of a plain stream one digest is both. */
	f.hash_inflated = !(s->facts->plain && s->in->hash_stored);
	int rc = walk(s, (struct tar_input){ .read = feed_read, .skip = feed_skip, .ctx = &f }, err);
	if (rc == 0)
		rc = drain(&f, err);
	s->facts->size = f.total;
	s->facts->trailing = inflate_trailing(f.inflate);
	inflate_close(f.inflate);
	buf_done(&f.stored);
	/* Also after an error: the ring must be clean for the next member of a stream. */
	struct sha256 inflated = ring_digest(s->in->ring, RING_INFLATED);
	struct sha256 stored = ring_digest(s->in->ring, RING_STORED);
	if (f.hash_inflated)
		s->facts->diff_id = inflated;
	s->facts->has_stored = s->in->hash_stored;
	s->facts->stored = stored;
	return rc;
}

/* Plain tars begin with a name; the compressed forms with their magic, which inflate_open knows. */
static int is_plain_file(const struct source_file *file, bool *ret, struct err *err)
{
	struct source_file copy = *file;
	struct inflate *probe = inflate_open(source_of_file(&copy), err);
	if (!probe)
		return err->code;
	*ret = inflate_form(probe) == INFLATE_PLAIN;
	inflate_close(probe);
	return 0;
}

int layer_read(struct arena *a, const struct layer_input *in, struct layer_facts *ret, struct err *err)
{
	struct layer_facts facts = { 0 };
	struct scan s = { .in = in, .facts = &facts };
	bool plain = false;
	int rc = in->file && !in->hash_stored ? is_plain_file(in->file, &plain, err) : 0;
	if (rc < 0)
		return rc;
	layer_build_init(&s.build, a, &in->collector, &in->extra, &facts);
	if (plain) {
		/* By its headers alone; somebody else hashes it. */
		struct tar_file *file = arena_alloc(a, sizeof(*file));
		file->file = *in->file;
		facts.plain = true;
		rc = walk(&s, tar_input_of_file(file), err);
		facts.size = in->file->end - in->file->at;
	} else {
		rc = read_stream(&s, err);
	}
	layer_build_done(&s.build);
	if (rc == 0)
		*ret = facts;
	return rc;
}
