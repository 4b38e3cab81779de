/* The inside of image workers: see frames.h. Everything here runs confined, on hostile bytes. */
#include "image/frames.h"

#include "base/base.h"
#include "base/fs.h"
#include "image/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define HASHER_NICE 10
#define TEE_SIZE ((size_t)1024 * 1024)

int image_send_error(struct worker_io *io, const struct err *err)
{
	struct buf BUF_AUTO b = { 0 };
	buf_init(&b, 4096);
	buf_varint(&b, (uint64_t)-err->code);
	buf_str(&b, str_from(err->text));
	worker_io_send(io, FRAME_ERROR, buf_view(&b));
	return 0;
}

int image_order_prepare(void *arg, struct err *err)
{
	struct image_order *o = arg;
	(void)err;
	o->ring = ring_new();
	return 0;
}

/* Inflating cannot be split: while a layer is read, three threads want two processors, and the one that inflates should
 * not be the one that waits. */
int image_hash_prepare(void *arg, struct err *err)
{
	(void)arg;
	(void)err;
	(void)!nice(HASHER_NICE);
	return 0;
}

void image_order_thread(void *arg)
{
	struct image_order *o = arg;
	ring_consume(o->ring);
}

static void tell_progress(void *ctx, uint64_t stored)
{
	struct image_order *o = ctx;
	struct buf BUF_AUTO b = { 0 };
	buf_init(&b, 16);
	buf_varint(&b, stored);
	worker_io_send(o->io, FRAME_PROGRESS, buf_view(&b));
}

static struct layer_input layer_recipe(struct image_order *o)
{
	return (struct layer_input){
		.ring = o->ring,
		.collector = o->collector,
		.extra = o->extra,
		.progress = tell_progress,
		.progress_ctx = o,
	};
}

static void send_facts(struct worker_io *io, size_t index, struct str why_not, const struct layer_facts *f)
{
	struct buf BUF_AUTO b = { 0 };
	buf_init(&b, FRAME_SIZE_MAX);
	buf_varint(&b, index);
	buf_str(&b, why_not);
	layer_facts_encode(f, &b);
	if (b.overflow) {
		struct err err;
		err_set(&err, ERR_LIMIT, "what is kept of the layer passes FRAME_SIZE_MAX");
		image_send_error(io, &err);
		return;
	}
	worker_io_send(io, FRAME_FACTS, buf_view(&b));
}

int image_run_layer(struct worker_io *io, void *arg)
{
	struct image_order *o = arg;
	struct arena *ARENA_AUTO a = arena_new();
	struct source_file file = { .fd = o->fd, .at = o->at, .end = o->end };
	struct source_file again = file;
	struct layer_input in = layer_recipe(o);
	struct layer_facts facts;
	struct err err = { 0 };
	o->io = io;
	in.source = o->seekable ? source_of_file(&file) : source_of_fd(&o->fd);
	in.file = o->seekable ? &again : NULL;
	int rc = layer_read(a, &in, &facts, &err);
	ring_close(o->ring);
	if (rc < 0)
		return image_send_error(io, &err);
	send_facts(io, 0, (struct str){ 0 }, &facts);
	return 0;
}

int image_run_tree(struct worker_io *io, void *arg)
{
	struct image_order *o = arg;
	struct arena *ARENA_AUTO a = arena_new();
	struct layer_facts facts;
	struct err err = { 0 };
	int rc = 0;
	if (o->needs_trusted && !worker_io_sees_trusted(io))
		rc = err_set(&err, ERR_ACCESS, "overlay's marks on its folders can only be seen with CAP_SYS_ADMIN");
	if (rc == 0)
		rc = layer_read_tree(a, o->fd, o->form, &o->collector, &o->extra, &facts, &err);
	if (rc < 0)
		return image_send_error(io, &err);
	send_facts(io, 0, (struct str){ 0 }, &facts);
	return 0;
}

int image_run_hash(struct worker_io *io, void *arg)
{
	struct image_order *o = arg;
	char *p = xmalloc(256 * KIB);
	struct hasher *h = hasher_new();
	struct err err = { 0 };
	for (uint64_t at = o->at; at < o->end;) {
		size_t n = o->end - at < 256 * KIB ? (size_t)(o->end - at) : 256 * KIB;
		ssize_t got = pread(o->fd, p, n, (off_t)at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			err_set(&err, got < 0 ? ERR_IO : ERR_FORMAT, got < 0 ? "reading: %m" : "the file became shorter while it was read");
			return image_send_error(io, &err);
		}
		hasher_add(h, p, (size_t)got);
		at += (uint64_t)got;
	}
	struct sha256 digest = hasher_take(h);
	worker_io_send(io, FRAME_DIGEST, (struct str){ (const char *)digest.bytes, SHA256_SIZE });
	hasher_free(h);
	free(p);
	return 0;
}

/* Pages go from pipe to pipe without a copy (tee), and are then read here for the digest. */
static ssize_t pass_on(int in, int out, char *p)
{
	ssize_t n;
	do
		n = tee(in, out, TEE_SIZE, 0);
	while (n < 0 && errno == EINTR);
	for (ssize_t at = 0; n > 0 && at < n;) {
		ssize_t got = read(in, p + at, (size_t)(n - at));
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return -1;
		at += got;
	}
	return n;
}

int image_run_tee(struct worker_io *io, void *arg)
{
	struct image_order *o = arg;
	char *p = xmalloc(TEE_SIZE);
	struct hasher *h = hasher_new();
	struct err err = { 0 };
	uint64_t total = 0;
	ssize_t n;
	while ((n = pass_on(o->fd, o->out, p)) > 0) {
		hasher_add(h, p, (size_t)n);
		total += (uint64_t)n;
		if (o->end && total > o->end) {
			err_set(&err, ERR_DIGEST, "it is longer than the %ju bytes that the manifest says", (uintmax_t)o->end);
			return image_send_error(io, &err);
		}
	}
	if (n < 0) {
		/* Whoever read behind us has gone, and has said why. */
		if (errno == EPIPE)
			return 0;
		err_set(&err, ERR_IO, "passing on: %m");
		return image_send_error(io, &err);
	}
	close(o->out);
	struct sha256 digest = hasher_take(h);
	worker_io_send(io, FRAME_DIGEST, (struct str){ (const char *)digest.bytes, SHA256_SIZE });
	hasher_free(h);
	free(p);
	return 0;
}

/* --- which image, which layers ------------------------------------------------------------------------------------ */

/* A layout folder: the parent opens and reads, the worker asks. */
static int ask_parent(void *ctx, struct arena *a, struct str path, size_t size_max, struct str *ret, struct err *err)
{
	struct worker_io *io = ctx;
	struct frame f;
	worker_io_send(io, FRAME_WANT_FILE, path);
	int rc = worker_io_recv(io, size_max + 4096, &f, err);
	if (rc <= 0)
		return rc < 0 ? rc : err_set(err, ERR_WORKER, "the parent has gone");
	struct reader r = reader_of(f.payload);
	int code = -(int)read_varint(&r);
	struct str rest = read_bytes(&r, reader_left(&r));
	if (f.type != FRAME_FILE || r.bad)
		return err_set(err, ERR_WORKER, "an answer out of turn");
	if (code < 0)
		return err_set(err, code, "%.*s", STR_ARG(rest));
	*ret = str_dup(a, rest);
	return 0;
}

static void put_place(struct buf *b, const struct archive_member *m)
{
	buf_byte(b, m ? 1 : 0);
	buf_u64(b, m ? m->offset : 0);
	buf_u64(b, m ? m->size : 0);
}

static int send_desc(struct worker_io *io, const struct image_desc *d, const struct archive *ar, bool stream)
{
	struct buf BUF_AUTO b = { 0 };
	buf_init(&b, 2 * MANIFEST_SIZE_MAX);
	buf_byte(&b, stream ? 1 : 0);
	image_desc_encode(&b, d);
	for (size_t i = 0; ar && !stream && i < d->layer_count; i++)
		put_place(&b, archive_find(ar, d->layers[i].path));
	if (b.overflow) {
		struct err err;
		err_set(&err, ERR_LIMIT, "the image's description passes MANIFEST_SIZE_MAX");
		return image_send_error(io, &err);
	}
	worker_io_send(io, FRAME_DESC, buf_view(&b));
	return 0;
}

static void send_stream_layers(struct worker_io *io, struct arena *a, const struct archive *ar, const struct image_desc *d)
{
	static const struct layer_facts nothing;
	for (size_t i = 0; i < d->layer_count; i++) {
		const struct archive_member *m = archive_find(ar, d->layers[i].path);
		if (m && m->layer)
			send_facts(io, i, (struct str){ 0 }, m->layer);
		else
			send_facts(io, i,
			           m ? arena_printf(a, "%.*s", STR_ARG(m->why_not.len ? m->why_not : STR("it is empty")))
			             : STR("it is not in the archive"),
			           &nothing);
	}
}

static int resolve(struct worker_io *io, struct image_order *o, struct arena *a, struct err *err)
{
	struct archive ar = { 0 };
	struct image_desc d = { 0 };
	struct image_store store = { .read = ask_parent, .ctx = io };
	bool stream = false;
	int rc = 0;
	if (o->fd >= 0) {
		struct layer_input recipe = layer_recipe(o);
		struct source_file probe_file = { .fd = o->fd, .at = 0, .end = o->end }, file = probe_file;
		stream = !o->seekable;
		if (!stream) {
			struct inflate *probe = inflate_open(source_of_file(&probe_file), err);
			if (!probe)
				return err->code;
			stream = inflate_form(probe) != INFLATE_PLAIN;
			inflate_close(probe);
		}
		struct source src = o->seekable ? source_of_file(&file) : source_of_fd(&o->fd);
		rc = stream ? archive_stream(a, src, &recipe, &ar, err) : archive_index(a, o->fd, o->end, &ar, err);
		store = archive_store(&ar);
	}
	if (rc == 0)
		rc = o->resolve ? o->resolve(a, &store, &o->choice, &d, err) : image_resolve(a, &store, &o->choice, &d, err);
	if (rc < 0)
		return rc;
	rc = send_desc(io, &d, o->fd >= 0 ? &ar : NULL, stream);
	if (stream)
		send_stream_layers(io, a, &ar, &d);
	return rc;
}

int image_run_resolve(struct worker_io *io, void *arg)
{
	struct image_order *o = arg;
	struct arena *ARENA_AUTO a = arena_new();
	struct err err = { 0 };
	o->io = io;
	int rc = resolve(io, o, a, &err);
	ring_close(o->ring);
	return rc < 0 ? image_send_error(io, &err) : 0;
}
