/* The parent's side of reading layers: work orders, digests, cache. See image.h. One thread; parses only frames. */
#include "image/fetch.h"

#include "base/base.h"
#include "base/fs.h"
#include "image/frames.h"
#include "image/memo.h"
#include "image/session.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

/* Coarser than the grain of any kernel's file times (a tick: 10 ms at most). */
#define SETTLED_MS_MIN 100
/* The most that an ordinary user may ask for. */
#define PIPE_SIZE (1024 * 1024)

static unsigned cache_version(const struct image_options *o)
{
	return LAYER_VERSION * 1000 + o->collector_version;
}

uint64_t fetch_size(const struct layer_job *j)
{
	return j->place.kind == PLACE_PART ? j->place.end - j->place.at : j->place.size;
}

static void fetch_progress(struct fetch *f)
{
	uint64_t done = 0;
	if (!f->options->progress)
		return;
	for (size_t i = 0; i < f->job_count; i++)
		done += f->jobs[i].done ? fetch_size(&f->jobs[i]) : f->jobs[i].progress;
	f->options->progress(f->options->progress_ctx, done, f->total);
}

/* The child has its own copy of the order: it is read after the fork. */
static struct image_order order_of(const struct fetch *f, int fd)
{
	struct image_order order = { .fd = fd, .out = -1, .collector = f->options->collector };
	if (f->extra)
		order.extra = *f->extra;
	return order;
}

static int start_reader(const struct fetch *f, struct layer_job *j, int fd, struct err *err)
{
	struct image_order order = order_of(f, fd);
	order.seekable = j->place.kind == PLACE_PART;
	order.at = j->place.at;
	order.end = j->place.end;
	struct worker_spec spec = {
		.name = "layer",
		.kind = WORKER_BYTES,
		.run = image_run_layer,
		.arg = &order,
		.prepare = image_order_prepare,
		.thread = image_order_thread,
		.fds = { fd },
		.fd_count = 1,
		.root_fd = -1,
		.input_size = fetch_size(j),
	};
	return worker_start(&spec, &j->reader, err);
}

/* out >= 0: hash what comes from the pipe, and pass it on. */
static int start_hasher(const struct fetch *f, struct layer_job *j, int fd, int out, struct err *err)
{
	struct image_order order = order_of(f, fd);
	order.at = j->place.at;
	order.end = out >= 0 ? j->place.size : j->place.end;
	order.out = out;
	struct worker_spec spec = {
		.name = "digest",
		.kind = WORKER_BYTES,
		.run = out >= 0 ? image_run_tee : image_run_hash,
		.arg = &order,
		/* The one in a pipeline must keep up with it. */
		.prepare = out >= 0 ? NULL : image_hash_prepare,
		.fds = { fd, out },
		.fd_count = out >= 0 ? 2 : 1,
		.root_fd = -1,
		.input_size = fetch_size(j),
	};
	return worker_start(&spec, &j->hasher, err);
}

/* Whether this part of the file was hashed before and the file has not changed. */
static bool known_digest(const struct fetch *f, struct layer_job *j)
{
	struct arena *ARENA_AUTO tmp = arena_new();
	struct verified_part *parts;
	size_t count;
	int64_t when;
	if (!cache_verified_get(f->options->cache, tmp, &j->st, &parts, &count, &when))
		return false;
	for (size_t i = 0; i < count; i++)
		if (parts[i].offset == j->place.at && parts[i].size == fetch_size(j)) {
			j->digest = parts[i].digest;
			j->verified_at = when;
			return true;
		}
	return false;
}

/* Under what this run remembers the job's layer; empty: under nothing. */
static struct str memo_key(struct arena *a, const struct layer_job *j)
{
	char text[DIGEST_TEXT_LEN + 1];
	if (j->place.kind == PLACE_FOLDER)
		return j->place.share.len ? arena_printf(a, "folder %.*s", STR_ARG(j->place.share)) : (struct str){ 0 };
	return str_dup(a, sha256_text(&j->digest, text));
}

static bool take_known(struct fetch *f, struct layer_job *j, struct str value)
{
	struct reader r = reader_of(value);
	layer_facts_decode(f->arena, &r, &j->facts);
	j->read = !r.bad;
	return j->read;
}

static bool take_cached(struct fetch *f, struct layer_job *j)
{
	struct arena *ARENA_AUTO tmp = arena_new();
	struct str value;
	if (f->extra)
		return false;
	if (image_memo_get(f->options->memo, memo_key(tmp, j), &value)) {
		j->from_cache = take_known(f, j, str_dup(f->arena, value));
	} else if (j->place.kind != PLACE_FOLDER &&
	           cache_get(f->options->cache, f->arena, "layer", cache_version(f->options), &j->digest, &value)) {
		j->from_cache = take_known(f, j, value);
		if (j->from_cache)
			j->encoded = value;
	}
	return j->from_cache;
}

static int start_part(struct fetch *f, struct layer_job *j, struct err *err)
{
	struct sha256 claimed;
	int rc = 0;
	j->hashed = known_digest(f, j);
	if (j->hashed && take_cached(f, j))
		return 0;
	bool expect_cached = !f->extra && sha256_parse(j->layer->digest, &claimed) &&
	                     cache_has(f->options->cache, "layer", cache_version(f->options), &claimed);
	/* The reader first: it has the longer way to go. */
	if (!expect_cached)
		rc = start_reader(f, j, j->place.fd, err);
	if (rc == 0 && !j->hashed)
		rc = start_hasher(f, j, j->place.fd, -1, err);
	return rc;
}

static int start_folder(struct fetch *f, struct layer_job *j, struct err *err)
{
	j->hashed = true;
	if (take_cached(f, j))
		return 0;
	struct image_order order = order_of(f, j->place.fd);
	order.form = j->place.form;
	order.needs_trusted = j->place.needs_trusted;
	struct worker_spec spec = {
		.name = "layer folder",
		.kind = WORKER_TREE,
		.run = image_run_tree,
		.arg = &order,
		.root_fd = j->place.fd,
	};
	return worker_start(&spec, &j->reader, err);
}

/* filler -> pipe -> hasher -> pipe -> reader. The parent keeps no end. */
static int start_stream(struct fetch *f, struct layer_job *j, struct err *err)
{
	const struct image_origin *origin = &f->session->origin;
	int in, pipe_fds[2];
	if (!sha256_parse(j->layer->digest, &j->digest))
		return err_set(err, ERR_FORMAT, "\"%.*s\" is no sha256 digest", STR_ARG(j->layer->digest));
	/* What the cache has under this name was once seen to have this digest: it need not come again. */
	if (take_cached(f, j)) {
		j->hashed = true;
		return 0;
	}
	int rc = origin->stream(origin->ctx, &f->session->desc, j->index, &in, &j->filler, err);
	if (rc < 0)
		return rc;
	if (pipe2(pipe_fds, O_CLOEXEC) < 0) {
		close(in);
		return err_set(err, ERR_IO, "pipe: %m");
	}
	(void)fcntl(pipe_fds[1], F_SETPIPE_SZ, PIPE_SIZE);
	rc = start_hasher(f, j, in, pipe_fds[1], err);
	if (rc == 0)
		rc = start_reader(f, j, pipe_fds[0], err);
	close(in);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	return rc;
}

static int job_start(struct fetch *f, struct layer_job *j, struct err *err)
{
	switch (j->place.kind) {
	case PLACE_FOLDER:
		return start_folder(f, j, err);
	case PLACE_STREAM:
		return start_stream(f, j, err);
	case PLACE_PART:
		break;
	}
	return start_part(f, j, err);
}

/* The digest is there: it may make the reader needless, or show that one is needed after all. */
static int job_hashed(struct fetch *f, struct layer_job *j, struct err *err)
{
	struct sha256 claimed;
	char text[DIGEST_TEXT_LEN + 1];
	j->hashed = true;
	if (sha256_parse(j->layer->digest, &claimed) && !sha256_eq(&claimed, &j->digest))
		return err_set(err, ERR_DIGEST, "its content has another digest than the manifest says: %.*s",
		               STR_ARG(sha256_text(&j->digest, text)));
	if (!j->read && take_cached(f, j)) {
		worker_kill(j->reader);
		j->reader = NULL;
	}
	if (!j->read && !j->reader)
		return start_reader(f, j, j->place.fd, err);
	return 0;
}

/* The hasher and the reader read the same file, but not in the same moment: what is put under the digest of one must
 * have been what the other saw. A file that changed since the work began, or so shortly before that a later change may
 * bear the same time, is not cached. (A writer that holds the file mapped can still cheat its times: SECURITY.md.) */
static bool unchanged(const struct layer_job *j)
{
	struct stat now;
	const struct timespec *c = &j->st.st_ctim;
	if (j->place.kind == PLACE_STREAM)
		return true; /* both saw the same bytes */
	int64_t settled_ms = ((int64_t)j->opened.tv_sec - c->tv_sec) * 1000 + (j->opened.tv_nsec - c->tv_nsec) / 1000000;
	return settled_ms >= SETTLED_MS_MIN && fstat(j->place.fd, &now) == 0 && fetch_same_file(&now, &j->st);
}

bool fetch_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* Both are there: the tar must be the one that the config names, and only then is anything remembered. */
static int job_done(struct fetch *f, struct layer_job *j, struct err *err)
{
	struct arena *ARENA_AUTO tmp = arena_new();
	struct sha256 claimed;
	char text[DIGEST_TEXT_LEN + 1];
	const struct sha256 *diff_id = j->facts.plain ? &j->digest : &j->facts.diff_id;
	j->done = true;
	j->facts.in_place = j->place.kind == PLACE_FOLDER;
	worker_kill(j->filler);
	j->filler = NULL;
	if (!j->facts.in_place && (!sha256_parse(j->layer->diff_id, &claimed) || !sha256_eq(&claimed, diff_id)))
		return err_set(err, ERR_DIGEST, "its tar has another digest than the config's diff ID: %.*s",
		               STR_ARG(sha256_text(diff_id, text)));
	if (!f->extra && (j->facts.in_place || j->from_cache || unchanged(j)))
		image_memo_put(f->options->memo, memo_key(tmp, j), j->encoded);
	if (!j->facts.in_place && !j->from_cache && !f->extra && unchanged(j))
		cache_put(f->options->cache, "layer", cache_version(f->options), &j->digest, j->encoded);
	fetch_progress(f);
	return 0;
}

static int reader_frame(struct fetch *f, struct layer_job *j, const struct frame *frame, struct err *err)
{
	struct reader r = reader_of(frame->payload);
	if (frame->type == FRAME_PROGRESS) {
		j->progress = read_varint(&r);
		fetch_progress(f);
		return 0;
	}
	if (frame->type == FRAME_ERROR)
		return image_take_error(frame->payload, err);
	if (frame->type != FRAME_FACTS || j->read)
		return err_set(err, ERR_WORKER, "a frame out of turn");
	(void)read_varint(&r);
	(void)read_str(&r);
	j->encoded = str_dup(f->arena, read_bytes(&r, reader_left(&r)));
	r = reader_of(j->encoded);
	layer_facts_decode(f->arena, &r, &j->facts);
	if (r.bad || reader_left(&r))
		return err_set(err, ERR_WORKER, "its answer cannot be read");
	j->read = true;
	return 0;
}

static int hasher_frame(struct fetch *f, struct layer_job *j, const struct frame *frame, struct err *err)
{
	if (frame->type == FRAME_ERROR)
		return image_take_error(frame->payload, err);
	if (frame->type != FRAME_DIGEST || frame->payload.len != SHA256_SIZE || j->hashed)
		return err_set(err, ERR_WORKER, "a frame out of turn");
	memcpy(j->digest.bytes, frame->payload.ptr, SHA256_SIZE);
	return job_hashed(f, j, err);
}

static int worker_event(struct fetch *f, struct layer_job *j, struct worker **w, struct err *err)
{
	bool is_reader = w == &j->reader;
	struct frame frame;
	int rc = worker_recv(*w, FRAME_SIZE_MAX, &frame, err);
	if (rc > 0)
		rc = is_reader ? reader_frame(f, j, &frame, err) : hasher_frame(f, j, &frame, err);
	else if (rc == 0) {
		rc = worker_finish(*w, err);
		*w = NULL;
		if (rc == 0 && !(is_reader ? j->read : j->hashed))
			rc = err_set(err, ERR_WORKER, "a worker ended without an answer");
	}
	if (rc == 0 && j->read && j->hashed && !j->done && !j->reader && !j->hasher)
		rc = job_done(f, j, err);
	if (rc < 0 && j->filler) {
		/* The end of a pipe that broke off looks like the end of a broken layer. */
		filler_words(j->filler, err);
		j->filler = NULL;
		rc = err && err->code ? err->code : rc;
	}
	return rc < 0 ? rc : 0;
}

static bool job_running(const struct layer_job *j)
{
	return j->reader || j->hasher;
}

static int wait_for_events(struct fetch *f, struct err *err)
{
	struct pollfd fds[2 * FETCH_PARALLEL_MAX];
	struct layer_job *owner[2 * FETCH_PARALLEL_MAX];
	struct worker **which[2 * FETCH_PARALLEL_MAX];
	nfds_t n = 0;
	for (size_t i = 0; i < f->job_count; i++) {
		struct worker **workers[2] = { &f->jobs[i].reader, &f->jobs[i].hasher };
		for (int k = 0; k < 2; k++) {
			if (!*workers[k])
				continue;
			fds[n] = (struct pollfd){ .fd = worker_fd(*workers[k]), .events = POLLIN };
			owner[n] = &f->jobs[i];
			which[n++] = workers[k];
		}
	}
	if (poll(fds, n, -1) < 0)
		return errno == EINTR ? 0 : err_set(err, ERR_IO, "poll: %m");
	for (nfds_t i = 0; i < n; i++) {
		/* An earlier event may have ended this worker. */
		struct worker *w = *which[i];
		if (!fds[i].revents || !w || worker_fd(w) != fds[i].fd)
			continue;
		int rc = worker_event(f, owner[i], which[i], err);
		if (rc < 0)
			return err_wrap(err, "layer %zu of %zu", owner[i]->index + 1, f->session->desc.layer_count), rc;
	}
	return 0;
}

static unsigned parallel_of(const struct image_options *o)
{
	long cpus = o->parallel ? (long)o->parallel : sysconf(_SC_NPROCESSORS_ONLN);
	return cpus < 1 ? 1 : cpus > FETCH_PARALLEL_MAX ? FETCH_PARALLEL_MAX : (unsigned)cpus;
}

int fetch_layers(struct fetch *f, struct err *err)
{
	size_t next = 0, running = 0;
	unsigned parallel = parallel_of(f->options);
	int rc = 0;
	do {
		while (rc == 0 && next < f->job_count && running < parallel) {
			struct layer_job *j = &f->jobs[next++];
			rc = job_start(f, j, err);
			if (rc == 0 && !job_running(j))
				rc = job_done(f, j, err);
			if (rc < 0)
				err_wrap(err, "layer %zu of %zu", j->index + 1, f->session->desc.layer_count);
			running += job_running(j);
		}
		if (rc == 0 && running)
			rc = wait_for_events(f, err);
		running = 0;
		for (size_t i = 0; i < next; i++)
			running += job_running(&f->jobs[i]);
	} while (rc == 0 && (running || next < f->job_count));
	for (size_t i = 0; i < f->job_count; i++) {
		worker_kill(f->jobs[i].reader);
		worker_kill(f->jobs[i].hasher);
		worker_kill(f->jobs[i].filler);
		f->jobs[i].reader = f->jobs[i].hasher = f->jobs[i].filler = NULL;
	}
	return rc;
}
