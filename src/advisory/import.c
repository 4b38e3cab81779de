/* Running importers: see import.h. A worker's frames are counted against FEED_FACTS_SIZE_MAX and believed by nobody before
 * wire.c has read them. */
#include "advisory/import.h"

#include "advisory/feed/feed.h"
#include "advisory/wire.h"
#include "base/base.h"
#include "sandbox/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define WORKERS_MAX 2u

/* --- in the worker --- */

static void send_facts(void *ctx, struct str payload) { worker_io_send(ctx, WIRE_FACTS, payload); }

static int run_import(struct feed_input *in, struct feed_sink *sink, struct str *ret_feed, struct err *err)
{
	const struct feed *f = feed_recognise(in);
	if (!f)
		return err_set(err, ERR_UNSUPPORTED, "not a feed that this version reads");
	*ret_feed = str_from(f->name);
	int rc = f->import(in, sink, err);
	return rc < 0 ? rc : 0;
}

static int run_worker(struct worker_io *io, void *arg)
{
	const struct import_file *j = arg;
	struct arena *a ARENA_AUTO = arena_new();
	struct feed_input in = {
		.path = j->path,
		.bytes = j->bytes,
		.updated = j->updated ? j->updated : j->mtime,
		.latest = j->latest,
		.licence = j->licence,
		.attribution = j->attribution,
		.arena = a,
	};
	struct wire_writer w;
	wire_writer_init(&w, send_facts, io);
	struct feed_sink sink = wire_sink(&w);
	struct err err = { 0 };
	struct str feed = { 0 };
	int rc = run_import(&in, &sink, &feed, &err);
	feed_done(&in);
	wire_writer_flush(&w);
	struct buf BUF_AUTO end = { 0 };
	buf_init(&end, 4 * KIB);
	buf_str(&end, feed);
	buf_varint(&end, (uint64_t)-rc);
	buf_str(&end, str_from(err.text));
	buf_varint(&end, sink.records);
	buf_varint(&end, sink.left_out);
	buf_varint(&end, sink.skipped);
	worker_io_send(io, WIRE_DONE, buf_view(&end));
	wire_writer_done(&w);
	return 0;
}

/* --- in the parent --- */

static void unmap(struct import_file *j)
{
	munmap((void *)(uintptr_t)j->map.ptr, j->map.len);
	j->map = j->bytes = (struct str){ 0 };
}

static int map_fd(struct import_file *j, int fd)
{
	struct stat st;
	if (fstat(fd, &st) != 0)
		return err_set(&j->err, ERR_IO, "%m");
	if (!S_ISREG(st.st_mode) || st.st_size <= 0 || (uint64_t)st.st_size <= j->at)
		return err_set(&j->err, ERR_FORMAT, "not a file with anything in it");
	size_t size = (size_t)st.st_size;
	void *p = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return err_set(&j->err, ERR_IO, "%m");
	j->map = (struct str){ p, size };
	j->bytes = str_sub(j->map, (size_t)j->at, size);
	j->mtime = st.st_mtime;
	return 0;
}

static int map_feed(struct import_file *j)
{
	if (!j->file)
		return map_fd(j, j->fd);
	int fd = open(j->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return err_set(&j->err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%m");
	int rc = map_fd(j, fd);
	close(fd);
	return rc;
}

static void start(struct import_file *j)
{
	buf_init(&j->frames, FEED_FACTS_SIZE_MAX);
	j->rc = map_feed(j);
	if (j->rc != 0)
		return;
	struct worker_spec spec = {
		.name = "feed",
		.kind = WORKER_BYTES,
		.run = run_worker,
		.arg = j,
		.input_size = j->bytes.len,
		.memory_max = FEED_MEMORY_MAX,
	};
	j->rc = worker_start(&spec, &j->worker, &j->err);
	if (j->rc != 0)
		unmap(j);
}

static void take_end(struct arena *a, struct import_file *j, struct str payload)
{
	struct reader r = reader_of(payload);
	struct str feed = str_dup(a, read_str(&r));
	uint64_t code = read_varint(&r);
	struct str words = read_str(&r);
	j->records = read_varint(&r);
	j->left_out = read_varint(&r);
	j->skipped = read_varint(&r);
	if (r.bad || code > -ERR_LAST) {
		j->rc = err_set(&j->err, ERR_WORKER, "its worker's last word makes no sense");
		return;
	}
	j->feed = feed;
	j->done = true;
	if (code)
		j->rc = err_set(&j->err, -(int)code, "%.*s", STR_ARG(words));
}

/* One frame of a worker; false once it has none left. */
static bool receive(struct arena *a, struct import_file *j)
{
	struct frame f;
	int rc = worker_recv(j->worker, FRAME_SIZE_MAX, &f, &j->err);
	if (rc == 0)
		return false;
	if (rc > 0 && f.type == WIRE_FACTS && !j->done) {
		buf_u32(&j->frames, (uint32_t)f.payload.len);
		buf_put(&j->frames, f.payload);
		if (j->frames.overflow)
			rc = err_set(&j->err, ERR_LIMIT, "over FEED_FACTS_SIZE_MAX");
	} else if (rc > 0 && f.type == WIRE_DONE && !j->done) {
		take_end(a, j, f.payload);
	} else if (rc > 0) {
		rc = err_set(&j->err, ERR_WORKER, "its worker sent what it must not");
	}
	if (rc < 0)
		j->rc = rc;
	return rc > 0 && j->rc == 0;
}

static void finish(struct import_file *j)
{
	struct err err = { 0 };
	if (j->rc == 0 || j->done) {
		int rc = worker_finish(j->worker, &err);
		if (rc != 0 || !j->done) {
			j->rc = rc ? rc : ERR_WORKER;
			j->err = err;
		}
	} else {
		worker_kill(j->worker);
	}
	j->worker = NULL;
	unmap(j);
}

static void wait_for_frames(struct arena *a, struct import_file **running, size_t *count)
{
	struct pollfd fds[WORKERS_MAX];
	for (size_t i = 0; i < *count; i++)
		fds[i] = (struct pollfd){ .fd = worker_fd(running[i]->worker), .events = POLLIN };
	if (poll(fds, *count, -1) < 0)
		return; /* a signal: look again */
	size_t left = 0;
	for (size_t i = 0; i < *count; i++) {
		if (fds[i].revents == 0 || receive(a, running[i]))
			running[left++] = running[i];
		else
			finish(running[i]);
	}
	*count = left;
}

void imports_run(struct arena *a, struct import_file *files, size_t count, void (*ended)(void *ctx, size_t index),
                 void *ctx)
{
	struct import_file *running[WORKERS_MAX];
	size_t busy = 0, next = 0, told = 0;
	while (told < count) {
		while (busy < WORKERS_MAX && next < count) {
			struct import_file *j = &files[next++];
			start(j);
			if (j->worker)
				running[busy++] = j;
		}
		if (busy > 0)
			wait_for_frames(a, running, &busy);
		while (told < next && !files[told].worker)
			ended(ctx, told++);
	}
}

int import_take(const struct import_file *f, struct db_builder *b, struct err *err)
{
	struct wire_reader w;
	wire_reader_init(&w, b);
	struct reader r = reader_of(buf_view(&f->frames));
	int rc = 0;
	while (rc == 0 && reader_left(&r) > 0) {
		size_t len = read_u32le(&r);
		rc = wire_read(&w, read_bytes(&r, len), err);
	}
	wire_reader_done(&w);
	return rc;
}

void import_drop(struct import_file *f)
{
	buf_done(&f->frames);
}
