/* `db build`: every feed is imported in a bytes worker of its own, two at a time; its facts come back as frames, which
 * are kept until it has ended well and then read into the builder in the order of the files. So a feed that fails adds
 * nothing, and the result depends on the files alone. The parent maps files and parses nothing of them. */
#include "advisory/build.h"

#include "advisory/feed/feed.h"
#include "advisory/feed_files.h"
#include "advisory/wire.h"
#include "base/base.h"
#include "base/hash.h"
#include "sandbox/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define WORKERS_MAX 2u

struct job {
	struct feed_file file;
	struct str bytes;
	int64_t mtime, latest;
	struct worker *worker;
	struct buf frames; /* u32 length and payload, one after another */
	bool done;
	int rc;
	struct err err;
	struct str feed; /* name of the row that took it */
	uint64_t records, left_out, skipped;
};

struct build {
	const struct db_build_options *o;
	struct arena *a;
	struct job *jobs;
	size_t job_count;
	struct db_builder *b;
	size_t taken;
};

static void say(const struct build *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(const struct build *b, const char *format, ...)
{
	if (!b->o->log)
		return;
	va_list args;
	va_start(args, format);
	struct str line = arena_vprintf(b->a, format, args);
	va_end(args);
	b->o->log(b->o->log_ctx, line.ptr);
}

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
	const struct job *j = arg;
	struct arena *a ARENA_AUTO = arena_new();
	struct feed_input in = {
		.path = j->file.path,
		.bytes = j->bytes,
		.updated = j->file.updated ? j->file.updated : j->mtime,
		.latest = j->latest,
		.licence = j->file.licence,
		.attribution = j->file.attribution,
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

static int map_feed(const struct build *b, struct job *j)
{
	struct str path = arena_printf(b->a, "%s/%.*s", b->o->feeds, STR_ARG(j->file.path));
	int fd = open(path.ptr, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) != 0) {
		int rc = err_set(&j->err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%m");
		if (fd >= 0)
			close(fd);
		return rc;
	}
	int rc = 0;
	if (!S_ISREG(st.st_mode) || st.st_size == 0)
		rc = err_set(&j->err, ERR_FORMAT, "not a file with anything in it");
	void *p = rc ? NULL : mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (rc == 0 && p == MAP_FAILED)
		rc = err_set(&j->err, ERR_IO, "%m");
	close(fd);
	if (rc == 0) {
		j->bytes = (struct str){ p, (size_t)st.st_size };
		j->mtime = st.st_mtime;
	}
	return rc;
}

static void start(const struct build *b, struct job *j)
{
	buf_init(&j->frames, FEED_FACTS_SIZE_MAX);
	j->rc = map_feed(b, j);
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
}

static void take_end(struct build *b, struct job *j, struct str payload)
{
	struct reader r = reader_of(payload);
	struct str feed = str_dup(b->a, read_str(&r));
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
static bool receive(struct build *b, struct job *j)
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
		take_end(b, j, f.payload);
	} else if (rc > 0) {
		rc = err_set(&j->err, ERR_WORKER, "its worker sent what it must not");
	}
	if (rc < 0)
		j->rc = rc;
	return rc > 0 && j->rc == 0;
}

static void finish(struct job *j)
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
	munmap((void *)(uintptr_t)j->bytes.ptr, j->bytes.len);
	j->bytes = (struct str){ 0 };
}

static void wait_for_frames(struct build *b, struct job **running, size_t *count)
{
	struct pollfd fds[WORKERS_MAX];
	for (size_t i = 0; i < *count; i++)
		fds[i] = (struct pollfd){ .fd = worker_fd(running[i]->worker), .events = POLLIN };
	if (poll(fds, *count, -1) < 0)
		return; /* a signal: look again */
	size_t left = 0;
	for (size_t i = 0; i < *count; i++) {
		if (fds[i].revents == 0 || receive(b, running[i]))
			running[left++] = running[i];
		else
			finish(running[i]);
	}
	*count = left;
}

/* --- into the builder --- */

static int take_frames(struct build *b, struct job *j)
{
	struct wire_reader w;
	wire_reader_init(&w, b->b);
	struct reader r = reader_of(buf_view(&j->frames));
	int rc = 0;
	while (rc == 0 && reader_left(&r) > 0) {
		size_t len = read_u32le(&r);
		rc = wire_read(&w, read_bytes(&r, len), &j->err);
	}
	wire_reader_done(&w);
	return rc;
}

static void take_job(struct build *b, struct job *j)
{
	size_t before = b->b->fact_count;
	if (j->rc == 0)
		j->rc = take_frames(b, j);
	buf_done(&j->frames);
	if (j->rc != 0) {
		say(b, "%.*s: left out: %s", STR_ARG(j->file.path), j->err.text);
		return;
	}
	b->taken++;
	say(b, "%.*s: %.*s, %llu records (%llu left out, %llu malformed), %zu facts", STR_ARG(j->file.path),
	    STR_ARG(j->feed), (unsigned long long)j->records, (unsigned long long)j->left_out,
	    (unsigned long long)j->skipped, b->b->fact_count - before);
}

static void run_jobs(struct build *b)
{
	struct job *running[WORKERS_MAX];
	size_t count = 0, next = 0, taken = 0;
	while (taken < b->job_count) {
		while (count < WORKERS_MAX && next < b->job_count) {
			struct job *j = &b->jobs[next++];
			start(b, j);
			if (j->worker)
				running[count++] = j;
		}
		if (count > 0)
			wait_for_frames(b, running, &count);
		while (taken < next && !b->jobs[taken].worker)
			take_job(b, &b->jobs[taken++]);
	}
}

static int64_t built_time(const struct db_build_options *o)
{
	uint64_t epoch;
	struct str text = str_from(getenv("SOURCE_DATE_EPOCH"));
	if (o->built != 0)
		return o->built;
	return text.len && str_to_u64(text, &epoch) && epoch < INT64_MAX ? (int64_t)epoch : (int64_t)time(NULL);
}

int db_build_feeds(const struct db_build_options *o, struct err *err)
{
	struct arena *a ARENA_AUTO = arena_new();
	struct feed_files files;
	int rc = hash_setup(err);
	rc = rc            ? rc
	     : o->manifest ? feed_files_of_manifest(a, o->manifest, &files, err)
			   : feed_files_below(a, o->feeds, &files, err);
	if (rc != 0)
		return rc;
	struct build b = { .o = o, .a = a, .job_count = files.len, .b = db_builder_new() };
	b.jobs = arena_array(a, files.len, sizeof(*b.jobs));
	for (size_t i = 0; i < files.len; i++) {
		b.jobs[i].file = files.ptr[i];
		b.jobs[i].latest = built_time(o);
	}
	run_jobs(&b);
	if (b.taken == 0)
		rc = err_set(err, ERR_NOT_FOUND, "%s: no feed that this version reads", o->feeds);
	else if (o->manifest && b.taken < b.job_count)
		rc = err_set(err, ERR_FORMAT, "%s: %zu of its %zu feeds could not be read", o->manifest,
			     b.job_count - b.taken, b.job_count);
	else
		rc = db_builder_write(b.b, built_time(o), o->output, err);
	db_builder_free(b.b);
	return rc;
}
