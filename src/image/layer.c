/* Reading one layer: see layer.h. Runs in a worker; keeps names and what the collector says, never contents. */
#include "image/layer.h"

#include "base/base.h"
#include "base/tar.h"

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
	struct arena *arena;
	const struct layer_input *in;
	struct tar *tar;
	struct path_set paths;
	struct map nodes; /* path -> index + 1 into entries, for FILE and links */
	VEC(struct layer_entry) entries;
	struct buf last_parent;
	struct layer_facts *facts;
	size_t used_before; /* of the arena, which in a stream also holds the layers before this one */
};

static bool keep_room(struct scan *s, struct str path, struct str link)
{
	size_t used = arena_used(s->arena) - s->used_before;
	if (s->entries.len >= LAYER_ENTRIES_MAX || used + path.len + link.len > LAYER_NAMES_SIZE_MAX) {
		s->facts->dropped++;
		return false;
	}
	return true;
}

static struct layer_entry *keep(struct scan *s, enum layer_entry_kind kind, struct str path, struct str link)
{
	if (!keep_room(s, path, link))
		return NULL;
	struct layer_entry *e;
	path = str_dup(s->arena, path);
	if (kind <= ENTRY_HARDLINK) {
		uint64_t *at = map_put(s->arena, &s->nodes, path, NULL);
		if (*at == 0) {
			(void)vec_push(s->arena, &s->entries);
			*at = s->entries.len;
		}
		e = &s->entries.ptr[*at - 1];
	} else {
		e = vec_push(s->arena, &s->entries);
	}
	*e = (struct layer_entry){ .kind = kind, .path = path, .link = str_dup(s->arena, link) };
	return e;
}

/* Something else stands at this path now: the entry that was kept loses its path and is left out at the end. */
static void forget(struct scan *s, struct str path)
{
	uint64_t *at = map_get(&s->nodes, path);
	if (at && *at) {
		s->entries.ptr[*at - 1].path = (struct str){ 0 };
		*at = 0;
	}
}

static void imply_parents(struct scan *s, struct str path)
{
	ptrdiff_t slash = str_rfind(path, '/');
	if (slash < 0)
		return;
	struct str parent = str_sub(path, 0, (size_t)slash);
	if (str_eq(parent, buf_view(&s->last_parent)))
		return;
	buf_clear(&s->last_parent);
	buf_put(&s->last_parent, parent);
	path_set_imply_parents(&s->paths, path);
}

/* ".wh..wh..opq" and ".wh.NAME"; true if the entry was such a mark. */
static bool take_whiteout(struct scan *s, struct str path)
{
	ptrdiff_t slash = str_rfind(path, '/');
	struct str folder = str_sub(path, 0, slash < 0 ? 0 : (size_t)slash);
	struct str name = str_sub(path, (size_t)(slash + 1), path.len);
	if (!str_skip(&name, STR(".wh.")))
		return false;
	if (str_eq(name, STR(".wh..opq"))) {
		(void)keep(s, ENTRY_OPAQUE, folder, (struct str){ 0 });
	} else if (name.len && !str_starts(name, STR(".wh."))) {
		struct str gone = arena_printf(s->arena, "%.*s%s%.*s", STR_ARG(folder), folder.len ? "/" : "", STR_ARG(name));
		(void)keep(s, ENTRY_WHITEOUT, gone, (struct str){ 0 });
	}
	return true;
}

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

static bool is_extra(const struct scan *s, struct str path)
{
	for (size_t i = 0; i < s->in->extra.count; i++)
		if (str_eq(s->in->extra.paths[i], path))
			return true;
	return false;
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

/* Keep the path, with what the collector says of its content (or, without content, of the reason why not). */
static void keep_file(struct scan *s, struct str path, const struct content *content, const struct err *why)
{
	const struct layer_collector *c = &s->in->collector;
	struct layer_entry *entry = keep(s, ENTRY_FILE, path, (struct str){ 0 });
	if (!entry)
		return;
	struct buf BUF_AUTO payload;
	buf_init(&payload, FRAME_PAYLOAD_MAX);
	if (content)
		c->collect(c->ctx, path, content, &payload);
	else
		c->refuse(c->ctx, path, why, &payload);
	entry->payload = str_dup(s->arena, buf_view(&payload));
}

static int take_file(struct scan *s, const struct tar_entry *e, struct str path, bool repeated, struct err *err)
{
	struct err why = { 0 };
	bool extra = is_extra(s, path);
	enum layer_want want = s->in->collector.want(s->in->collector.ctx, path, e->size, &why);
	if (want == WANT_NO && !extra) {
		if (repeated)
			forget(s, path);
		return 0;
	}
	if (want == WANT_REFUSED) {
		keep_file(s, path, NULL, &why);
		return 0;
	}
	struct capture c = { .fd = -1 };
	buf_init(&c.mem, RPMDB_MEMORY_MAX);
	bool wanted;
	int rc = read_content(s, path, !extra, &c, &wanted, err);
	struct content content = { .mem = buf_view(&c.mem), .fd = c.fd, .size = c.size };
	if (rc == 0 && wanted)
		keep_file(s, path, &content, NULL);
	else if (rc == 0)
		forget(s, path);
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
		forget(s, path);
		return;
	}
	(void)keep(s, e->type == TAR_HARDLINK ? ENTRY_HARDLINK : ENTRY_SYMLINK, path, link);
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
	imply_parents(s, path);
	if (take_whiteout(s, path))
		return 0;
	enum path_kind kind = e->type == TAR_DIR ? PATH_FOLDER : PATH_OTHER;
	enum path_kind before = path_set_put(&s->paths, path, kind);
	switch (e->type) {
	case TAR_FILE:
		return take_file(s, e, path, before != PATH_NONE, err);
	case TAR_HARDLINK:
	case TAR_SYMLINK:
		take_link(s, e, path);
		return 0;
	default:
		if (before == PATH_OTHER)
			forget(s, path);
		return 0;
	}
}

static int compare_entries(const void *a, const void *b)
{
	const struct layer_entry *x = a, *y = b;
	int c = str_cmp(x->path, y->path);
	return c ? c : (int)x->kind - (int)y->kind;
}

static void finish_entries(struct scan *s)
{
	struct layer_facts *f = s->facts;
	size_t kept = 0;
	for (size_t i = 0; i < s->entries.len; i++) {
		const struct layer_entry *e = &s->entries.ptr[i];
		if (e->path.len || e->kind == ENTRY_OPAQUE)
			s->entries.ptr[kept++] = *e;
	}
	if (kept)
		qsort(s->entries.ptr, kept, sizeof(*s->entries.ptr), compare_entries);
	f->entries = s->entries.ptr;
	f->entry_count = kept;
	f->dropped += s->paths.full;
	struct buf BUF_AUTO paths;
	buf_init(&paths, (size_t)LAYER_ENTRIES_MAX * 8);
	path_set_encode(&s->paths, &paths);
	f->paths = str_dup(s->arena, buf_view(&paths));
}

static int walk(struct scan *s, struct tar_input input, struct err *err)
{
	struct tar_entry e;
	int rc;
	s->tar = tar_open(input);
	buf_init(&s->last_parent, TAR_PATH_MAX);
	while ((rc = tar_next(s->tar, &e, err)) > 0)
		if ((rc = take_entry(s, &e, err)) < 0)
			break;
	s->facts->refused += tar_paths_too_long(s->tar);
	s->facts->size = tar_offset(s->tar);
	tar_close(s->tar);
	buf_done(&s->last_parent);
	if (rc == 0)
		finish_entries(s);
	path_set_done(&s->paths);
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
	struct scan s = { .arena = a, .in = in, .facts = &facts, .used_before = arena_used(a) };
	bool plain = false;
	int rc = in->file && !in->hash_stored ? is_plain_file(in->file, &plain, err) : 0;
	if (rc < 0)
		return rc;
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
	if (rc == 0)
		*ret = facts;
	return rc;
}
