/* The parent's side of reading layers: work orders, digests, cache. See image.h. One thread; parses only frames. */
#include "image/fetch.h"

#include "base/base.h"
#include "base/fs.h"
#include "image/frames.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

/* Coarser than the grain of any kernel's file times (a tick: 10 ms at most). */
#define SETTLED_MS_MIN 100

static unsigned cache_version(const struct image_options *o)
{
	return LAYER_VERSION * 1000 + o->collector_version;
}

static void fetch_progress(struct fetch *f)
{
	uint64_t done = 0;
	if (!f->options->progress)
		return;
	for (size_t i = 0; i < f->job_count; i++)
		done += f->jobs[i].done ? f->jobs[i].end - f->jobs[i].at : f->jobs[i].progress;
	f->options->progress(f->options->progress_ctx, done, f->total);
}

static int start_worker(const struct fetch *f, const struct layer_job *j, const char *name,
                        int (*run)(struct worker_io *, void *), bool with_ring, struct worker **ret, struct err *err)
{
	/* The child has its own copy of the order: it is read after the fork. */
	struct image_order order = {
		.fd = j->fd,
		.at = j->at,
		.end = j->end,
		.seekable = true,
		.collector = f->options->collector,
	};
	if (f->extra)
		order.extra = *f->extra;
	struct worker_spec spec = {
		.name = name,
		.kind = WORKER_BYTES,
		.run = run,
		.arg = &order,
		.prepare = with_ring ? image_order_prepare : image_hash_prepare,
		.thread = with_ring ? image_order_thread : NULL,
		.fds = { j->fd },
		.fd_count = 1,
		.root_fd = -1,
		.input_size = j->end - j->at,
	};
	return worker_start(&spec, ret, err);
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
		if (parts[i].offset == j->at && parts[i].size == j->end - j->at) {
			j->digest = parts[i].digest;
			j->verified_at = when;
			return true;
		}
	return false;
}

static bool take_cached(struct fetch *f, struct layer_job *j)
{
	struct str value;
	if (f->extra || !cache_get(f->options->cache, f->arena, "layer", cache_version(f->options), &j->digest, &value))
		return false;
	struct reader r = reader_of(value);
	layer_facts_decode(f->arena, &r, &j->facts);
	j->from_cache = !r.bad;
	j->read = !r.bad;
	return j->read;
}

static int job_start(struct fetch *f, struct layer_job *j, struct err *err)
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
		rc = start_worker(f, j, "layer", image_run_layer, true, &j->reader, err);
	if (rc == 0 && !j->hashed)
		rc = start_worker(f, j, "digest", image_run_hash, false, &j->hasher, err);
	return rc;
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
		return start_worker(f, j, "layer", image_run_layer, true, &j->reader, err);
	return 0;
}

/* The hasher and the reader read the same file, but not in the same moment: what is put under the digest of one must
 * have been what the other saw. A file that changed since the work began, or so shortly before that a later change may
 * bear the same time, is not cached. (A writer that holds the file mapped can still cheat its times: SECURITY.md.) */
static bool unchanged(const struct layer_job *j)
{
	struct stat now;
	const struct timespec *c = &j->st.st_ctim;
	int64_t settled_ms = ((int64_t)j->opened.tv_sec - c->tv_sec) * 1000 + (j->opened.tv_nsec - c->tv_nsec) / 1000000;
	return settled_ms >= SETTLED_MS_MIN && fstat(j->fd, &now) == 0 && fetch_same_file(&now, &j->st);
}

bool fetch_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* Both are there: the tar must be the one that the config names, and only then is anything remembered. */
static int job_done(struct fetch *f, struct layer_job *j, struct err *err)
{
	struct sha256 claimed;
	char text[DIGEST_TEXT_LEN + 1];
	const struct sha256 *diff_id = j->facts.plain ? &j->digest : &j->facts.diff_id;
	j->done = true;
	if (!sha256_parse(j->layer->diff_id, &claimed) || !sha256_eq(&claimed, diff_id))
		return err_set(err, ERR_DIGEST, "its tar has another digest than the config's diff ID: %.*s",
		               STR_ARG(sha256_text(diff_id, text)));
	if (!j->from_cache && !f->extra && unchanged(j))
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

static int worker_event(struct fetch *f, struct layer_job *j, bool is_reader, struct err *err)
{
	struct worker **w = is_reader ? &j->reader : &j->hasher;
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
	bool is_reader[2 * FETCH_PARALLEL_MAX];
	nfds_t n = 0;
	for (size_t i = 0; i < f->job_count; i++) {
		struct worker *workers[2] = { f->jobs[i].reader, f->jobs[i].hasher };
		for (int k = 0; k < 2; k++) {
			if (!workers[k])
				continue;
			fds[n] = (struct pollfd){ .fd = worker_fd(workers[k]), .events = POLLIN };
			owner[n] = &f->jobs[i];
			is_reader[n++] = k == 0;
		}
	}
	if (poll(fds, n, -1) < 0)
		return errno == EINTR ? 0 : err_set(err, ERR_IO, "poll: %m");
	for (nfds_t i = 0; i < n; i++) {
		/* An earlier event may have ended this worker. */
		struct worker *w = is_reader[i] ? owner[i]->reader : owner[i]->hasher;
		if (!fds[i].revents || !w || worker_fd(w) != fds[i].fd)
			continue;
		int rc = worker_event(f, owner[i], is_reader[i], err);
		if (rc < 0)
			return err_wrap(err, "layer %zu of %zu", owner[i]->index + 1, f->layer_count), rc;
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
				err_wrap(err, "layer %zu of %zu", j->index + 1, f->layer_count);
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
		f->jobs[i].reader = f->jobs[i].hasher = NULL;
	}
	return rc;
}
