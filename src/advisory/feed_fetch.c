/* Feeds from the network: see feed_fetch.h. The worker speaks HTTP and writes bytes to the one descriptor it was given; the
 * parent decides what is asked, keeps the notes of what came, and believes of the worker's frames only lengths and short
 * words. Nothing that a server says becomes a name or an address here. */
#include "advisory/feed_fetch.h"

#include "base/base.h"
#include "net/http.h"
#include "sandbox/worker.h"

#include <errno.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

/* Of one row at once: a publisher's server is not to be leant on. */
#define ROW_FETCHES_MAX 2u
/* An address is tried again where what came broke off: resumed, and, where that cannot be, from the first byte. */
#define ADDRESS_TRIES 3u
#define POLL_MS 100
#define FRAME_MAX (16 * KIB)
#define PROGRESS_STEP (256 * KIB)

enum frame_type { FRAME_HEAD = 1, FRAME_PROGRESS, FRAME_DONE };

enum done_code { DONE_WHOLE, DONE_UNCHANGED, DONE_RESTART, DONE_STATUS, DONE_FAILED };

/* One request in one worker. */
struct attempt {
	struct fetch_job *job;
	struct worker *worker;
	const struct fetch_options *o;
	int fd;
	uint64_t from;
	struct feed_entry asked; /* what the conditions are about */
	bool resumes, conditional;
	bool sized;              /* the file's size is in the sum of progress */
	struct timespec started;
	struct feed_entry got;
	/* in the worker */
	struct worker_io *io;
	struct http *http;
	struct arena *a;
	uint64_t taken, told;
	bool restart, too_large;
	int write_errno;
};

static double seconds_since(const struct timespec *then)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - then->tv_sec) + (double)(now.tv_nsec - then->tv_nsec) / 1e9;
}

int64_t feed_http_date(struct str s)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	uint64_t day, year, hour, minute, second;
	if (s.len != 29 || !str_ends(s, STR(" GMT")) || s.ptr[3] != ',')
		return 0;
	ptrdiff_t month = str_find_str(str_from(months), str_sub(s, 8, 11));
	if (month < 0 || month % 3 != 0 || !str_to_u64(str_sub(s, 5, 7), &day) || !str_to_u64(str_sub(s, 12, 16), &year) ||
	    !str_to_u64(str_sub(s, 17, 19), &hour) || !str_to_u64(str_sub(s, 20, 22), &minute) ||
	    !str_to_u64(str_sub(s, 23, 25), &second))
		return 0;
	if (hour > 23 || minute > 59 || second > 60 || year < 1970 || year > 9999 || day < 1 || day > 31)
		return 0;
	struct tm tm = {
		.tm_year = (int)year - 1900,
		.tm_mon = (int)(month / 3),
		.tm_mday = (int)day,
		.tm_hour = (int)hour,
		.tm_min = (int)minute,
		.tm_sec = (int)second,
	};
	time_t t = timegm(&tm);
	return t > 0 ? (int64_t)t : 0;
}

/* --- in the worker --- */

static void put_answer(struct buf *out, const struct http_response *r)
{
	buf_str(out, str_sub(http_header(r, "etag"), 0, FEED_WORD_MAX + 1));
	buf_str(out, str_sub(http_header(r, "last-modified"), 0, FEED_WORD_MAX + 1));
	buf_varint(out, r->size);
}

static bool on_begin(void *ctx, const struct http_response *r)
{
	struct attempt *t = ctx;
	struct str etag = http_header(r, "etag");
	/* The whole of it comes, or another part than was asked for: once more, from the start. */
	if (t->resumes && (r->status != 206 || (t->asked.etag.len && etag.len && !str_eq(etag, t->asked.etag)))) {
		t->restart = true;
		return false;
	}
	if (r->size > t->job->row->size_max) {
		t->too_large = true;
		return false;
	}
	struct buf BUF_AUTO out = { 0 };
	buf_init(&out, FRAME_MAX);
	put_answer(&out, r);
	worker_io_send(t->io, FRAME_HEAD, buf_view(&out));
	return true;
}

static bool on_bytes(void *ctx, struct str bytes)
{
	struct attempt *t = ctx;
	if (t->from + t->taken + bytes.len > t->job->row->size_max) {
		t->too_large = true;
		return false;
	}
	t->taken += bytes.len;
	while (bytes.len > 0) {
		ssize_t n = write(t->fd, bytes.ptr, bytes.len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			t->write_errno = errno;
			return false;
		}
		bytes = str_sub(bytes, (size_t)n, bytes.len);
	}
	if (t->taken - t->told < PROGRESS_STEP)
		return true;
	t->told = t->taken;
	struct buf BUF_AUTO out = { 0 };
	buf_init(&out, 16);
	buf_varint(&out, t->taken);
	worker_io_send(t->io, FRAME_PROGRESS, buf_view(&out));
	return true;
}

static int prepare_worker(void *arg, struct err *err)
{
	struct attempt *t = arg;
	struct http_options o = { .ca_file = t->o->ca_file, .proxy = t->o->proxy, .insecure = t->o->insecure };
	return http_open(&o, &t->http, err);
}

static enum done_code outcome(struct attempt *t, int rc, const struct http_response *r, struct err *err)
{
	if (t->restart)
		return DONE_RESTART;
	if (t->too_large)
		(void)err_set(err, ERR_LIMIT, "larger than the %llu bytes that this feed may have",
			      (unsigned long long)t->job->row->size_max);
	else if (t->write_errno)
		(void)err_set(err, ERR_IO, "cannot be written: %s", strerror(t->write_errno));
	if (rc != 0)
		return DONE_FAILED;
	if (r->status == 304 && t->conditional)
		return DONE_UNCHANGED;
	if (t->resumes && (r->status == 412 || r->status == 416))
		return DONE_RESTART;
	/* 206 is also what the last piece of a body that broke off comes with. */
	if ((r->status == 200 || r->status == 206) && r->size && t->from + t->taken != r->size) {
		(void)err_set(err, ERR_NET, "%llu bytes came of %llu", (unsigned long long)(t->from + t->taken),
			      (unsigned long long)r->size);
		return DONE_FAILED;
	}
	if (r->status == 200 || r->status == 206)
		return DONE_WHOLE;
	(void)err_set(err, ERR_NET, "the server answers %u", r->status);
	return DONE_STATUS;
}

static int run_worker(struct worker_io *io, void *arg)
{
	struct attempt *t = arg;
	struct arena *a ARENA_AUTO = arena_new();
	struct http_header headers[3];
	struct http_request r = { .url = str_cstr(a, t->job->urls[t->job->url]), .headers = headers, .from = t->from };
	headers[r.header_count++] = (struct http_header){ STR("Accept-Encoding"), STR("gzip, identity") };
	if (t->asked.etag.len)
		headers[r.header_count++] = (struct http_header){ t->resumes ? STR("If-Match") : STR("If-None-Match"), t->asked.etag };
	else if (t->asked.modified.len)
		headers[r.header_count++] = (struct http_header){
			t->resumes ? STR("If-Unmodified-Since") : STR("If-Modified-Since"), t->asked.modified
		};
	struct http_sink sink = { .take = on_bytes, .begin = on_begin, .ctx = t };
	struct http_response got = { 0 };
	struct err err = { 0 };
	t->io = io;
	int rc = http_stream(t->http, a, &r, &sink, &got, &err);
	enum done_code code = outcome(t, rc, &got, &err);
	struct buf BUF_AUTO out = { 0 };
	buf_init(&out, FRAME_MAX);
	buf_varint(&out, code);
	buf_varint(&out, got.status);
	buf_varint(&out, t->taken);
	buf_str(&out, str_from(err.text));
	worker_io_send(io, FRAME_DONE, buf_view(&out));
	return 0;
}

/* --- what is asked --- */

struct run {
	struct feed_store *s;
	struct arena *a;
	const struct fetch_options *o;
	struct fetch_job *jobs;
	size_t count;
	struct attempt running[FEED_FETCHES_MAX];
	size_t busy;
};

/* Which file of the store the request is about: a part that broke off is resumed, a whole one, or else what is kept, is
 * asked for with its conditions. Validators are good for the address that gave them alone. */
static void choose(struct run *r, struct fetch_job *j, struct attempt *t)
{
	struct feed_entry part, kept;
	struct str url = j->urls[j->url];
	feed_store_look(r->s, r->a, j->key, FEED_PART, &part);
	feed_store_look(r->s, r->a, j->key, FEED_KEPT, &kept);
	bool part_fits = part.there && str_eq(part.url, url) && (part.etag.len || part.modified.len);
	bool strong = part.etag.len == 0 || str_starts(part.etag, STR("\""));
	if (part_fits && part.complete) {
		t->asked = part;
		t->conditional = true;
	} else if (part_fits && strong && part.size > 0) {
		t->asked = part;
		t->resumes = true;
		t->from = part.size;
	} else if (kept.there && str_eq(kept.url, url) && (kept.etag.len || kept.modified.len)) {
		t->asked = kept;
		t->conditional = true;
	}
}

static int launch(struct run *r, struct fetch_job *j)
{
	struct attempt *t = &r->running[r->busy];
	*t = (struct attempt){ .job = j, .o = r->o, .fd = -1 };
	(void)clock_gettime(CLOCK_MONOTONIC, &t->started);
	choose(r, j, t);
	int rc = feed_store_write(r->s, j->key, !t->resumes, &t->fd, &j->err);
	if (rc != 0)
		return rc;
	struct worker_spec spec = {
		.name = "fetch",
		.kind = WORKER_NET,
		.run = run_worker,
		.arg = t,
		.prepare = prepare_worker,
		.fds = { t->fd },
		.fd_count = 1,
	};
	rc = worker_start(&spec, &t->worker, &j->err);
	if (rc != 0)
		(void)close(t->fd);
	else
		r->busy++;
	return rc;
}

/* --- what comes --- */

/* What it is that comes, noted before any of it is there, so that it can be resumed whenever this process ends. */
static int take_head(struct run *r, struct attempt *t, struct str payload, struct err *err)
{
	struct fetch_job *j = t->job;
	struct reader in = reader_of(payload);
	struct feed_entry e = { .url = j->urls[j->url] };
	e.etag = str_dup(r->a, read_str(&in));
	e.modified = str_dup(r->a, read_str(&in));
	j->size = read_varint(&in);
	if (in.bad || t->got.there)
		return err_set(err, ERR_WORKER, "the worker's word about it makes no sense");
	if (j->size > j->row->size_max)
		j->size = 0;
	int64_t now = (int64_t)time(NULL), date = feed_http_date(e.modified);
	e.date = date > 0 && date <= now ? date : now;
	e.there = true;
	t->got = e;
	if (t->resumes)
		return 0;
	int rc = feed_store_note(t->fd, &e, err);
	return rc ? rc : feed_store_begin(r->s, j->key, err);
}

/* The same bytes as those that are kept: servers without validators send them again and again. */
static bool same_as_kept(struct run *r, const struct fetch_job *j)
{
	struct feed_entry part, kept;
	feed_store_look(r->s, r->a, j->key, FEED_PART, &part);
	feed_store_look(r->s, r->a, j->key, FEED_KEPT, &kept);
	return part.complete && kept.complete && sha256_eq(&part.digest, &kept.digest);
}

static int finish_whole(struct run *r, struct attempt *t, struct err *err)
{
	struct fetch_job *j = t->job;
	if (!t->got.there)
		return err_set(err, ERR_WORKER, "the worker says that it came, and not what");
	t->got.complete = true;
	int rc = feed_store_note(t->fd, &t->got, err);
	if (rc != 0)
		return rc;
	j->result = FETCH_NEW;
	/* The newer note replaces the older one when the feed has been taken; nothing is imported differently. */
	if (same_as_kept(r, j)) {
		j->result = FETCH_UNCHANGED;
		return feed_store_keep(r->s, j->key, err);
	}
	return 0;
}

/* Ends the job, or chooses the next try. */
static void decide(struct run *r, struct attempt *t, enum done_code code, unsigned status, int rc)
{
	struct fetch_job *j = t->job;
	j->ended = true;
	if (code == DONE_WHOLE && rc == 0)
		return;
	if (code == DONE_UNCHANGED && rc == 0) {
		struct feed_entry part;
		feed_store_look(r->s, r->a, j->key, FEED_PART, &part);
		j->result = part.complete && str_eq(part.etag, t->asked.etag) && str_eq(part.modified, t->asked.modified)
				    ? FETCH_NEW
				    : FETCH_UNCHANGED;
		return;
	}
	if (code == DONE_STATUS && (status == 404 || status == 410) && j->file.optional) {
		j->result = FETCH_ABSENT;
		return;
	}
	bool again = code == DONE_RESTART || (code == DONE_FAILED && t->got.there && j->err.code == ERR_NET);
	if (again && ++j->tries < ADDRESS_TRIES) {
		j->ended = false;
	} else if (j->url + 1 < j->url_count && j->err.code != ERR_IO) {
		j->url++;
		j->tries = 0;
		j->ended = false;
	}
}

static void finish(struct run *r, struct attempt *t, struct str payload, bool said)
{
	struct fetch_job *j = t->job;
	struct reader in = reader_of(payload);
	uint64_t code = read_varint(&in), status = read_varint(&in), taken = read_varint(&in);
	struct str words = str_dup(r->a, read_str(&in));
	int rc = 0;
	if (said && (in.bad || code > DONE_FAILED || status > 999))
		rc = err_set(&j->err, ERR_WORKER, "the worker's last word makes no sense");
	if (rc == 0 && said)
		rc = worker_finish(t->worker, &j->err);
	else
		worker_kill(t->worker);
	t->worker = NULL;
	if (!said || rc != 0) {
		rc = j->err.code ? j->err.code : ERR_WORKER;
		code = DONE_FAILED;
	}
	j->received += said && rc == 0 ? taken : 0;
	if (rc == 0 && code == DONE_WHOLE)
		rc = finish_whole(r, t, &j->err);
	else if (rc == 0 && (code == DONE_STATUS || code == DONE_FAILED || code == DONE_RESTART))
		rc = err_set(&j->err, str_starts(words, STR("cannot be written")) ? ERR_IO : ERR_NET, "%.*s",
			     STR_ARG(words.len ? words : STR("what it sends has changed")));
	(void)close(t->fd);
	feed_store_drop(r->s, j->key, FEED_NEXT);
	/* Nothing to resume by: of no use to a later run. */
	if (t->got.there && !t->got.complete && t->got.etag.len == 0 && t->got.modified.len == 0)
		feed_store_drop(r->s, j->key, FEED_PART);
	if (code == DONE_RESTART)
		feed_store_drop(r->s, j->key, FEED_PART);
	j->seconds += seconds_since(&t->started);
	decide(r, t, (enum done_code)code, (unsigned)status, rc);
}

/* False once the attempt is over. */
static bool receive(struct run *r, struct attempt *t)
{
	struct fetch_job *j = t->job;
	struct frame f;
	int rc = worker_recv(t->worker, FRAME_MAX, &f, &j->err);
	if (rc > 0 && f.type == FRAME_HEAD) {
		rc = take_head(r, t, f.payload, &j->err);
		if (rc == 0)
			return true;
	} else if (rc > 0 && f.type == FRAME_PROGRESS) {
		struct reader in = reader_of(f.payload);
		uint64_t n = read_varint(&in);
		j->done = t->from + (n < j->row->size_max ? n : 0);
		return true;
	} else if (rc > 0 && f.type == FRAME_DONE) {
		finish(r, t, f.payload, true);
		return false;
	} else if (rc > 0) {
		(void)err_set(&j->err, ERR_WORKER, "the worker sends what it must not");
	} else if (rc == 0) {
		/* It has gone without a last word: its end says why. */
		rc = worker_finish(t->worker, &j->err);
		t->worker = NULL;
		if (rc == 0)
			(void)err_set(&j->err, ERR_WORKER, "the worker ended without a word");
	}
	finish(r, t, (struct str){ 0 }, false);
	return false;
}

static bool too_late(struct run *r, struct attempt *t)
{
	struct fetch_job *j = t->job;
	if (j->seconds + seconds_since(&t->started) <= r->o->seconds_max)
		return false;
	j->err.code = 0;
	(void)err_set(&j->err, ERR_LIMIT, "not there after %u seconds (--feed-timeout)", r->o->seconds_max);
	j->url = j->url_count;
	finish(r, t, (struct str){ 0 }, false);
	return true;
}

static void tell(const struct run *r)
{
	uint64_t done = 0, size = 0;
	bool known = true;
	for (size_t i = 0; i < r->count; i++) {
		const struct fetch_job *j = &r->jobs[i];
		done += j->ended && j->result != FETCH_NEW ? 0 : j->done;
		size += j->ended && j->result != FETCH_NEW ? 0 : j->size;
		known = known && (j->ended || j->size > 0);
	}
	if (r->o->progress)
		r->o->progress(r->o->ctx, done, known ? size : 0);
}

static void wait_for_frames(struct run *r)
{
	struct pollfd fds[FEED_FETCHES_MAX];
	for (size_t i = 0; i < r->busy; i++)
		fds[i] = (struct pollfd){ .fd = worker_fd(r->running[i].worker), .events = POLLIN };
	if (poll(fds, r->busy, POLL_MS) < 0)
		return;
	size_t left = 0;
	for (size_t i = 0; i < r->busy; i++) {
		struct attempt *t = &r->running[i];
		bool on = fds[i].revents == 0 || receive(r, t);
		if (on && !too_late(r, t))
			r->running[left++] = *t;
	}
	r->busy = left;
	tell(r);
}

/* The first job that nobody works at, whose publisher is not busy with two others; NULL: none, for now. */
static struct fetch_job *next_job(const struct run *r)
{
	for (size_t i = 0; i < r->count; i++) {
		struct fetch_job *j = &r->jobs[i];
		size_t same = 0;
		bool mine = false;
		for (size_t k = 0; k < r->busy; k++) {
			same += r->running[k].job->row == j->row;
			mine = mine || r->running[k].job == j;
		}
		if (!j->ended && !mine && same < ROW_FETCHES_MAX)
			return j;
	}
	return NULL;
}

void feeds_fetch(struct feed_store *s, struct arena *a, struct fetch_job *jobs, size_t count,
		 const struct fetch_options *o)
{
	struct run r = { .s = s, .a = a, .o = o, .jobs = jobs, .count = count };
	for (;;) {
		struct fetch_job *j;
		while (r.busy < FEED_FETCHES_MAX && (j = next_job(&r)))
			if (launch(&r, j) != 0)
				j->ended = true;
		if (r.busy == 0)
			return;
		wait_for_frames(&r);
	}
}
