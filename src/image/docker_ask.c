/* Questions to engines: see docker_ask.h. In the worker: one connection, two or three requests, one frame. */
#include "image/docker_ask.h"

#include "base/base.h"
#include "image/frames.h"
#include "sandbox/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

enum { FRAME_FACTS_OF_ENGINE = FRAME_DIGEST + 1 };

#define PIPE_SIZE (1 * MIB)

struct job {
	const struct endpoint *endpoint;
	int connected_fd;
	unsigned stall_seconds;
	enum docker_question question;
	struct str name, platform;
	int pipe_fd;
	/* in the worker */
	struct arena *arena;
	struct engine *engine;
	bool unread;
};

/* --- in the worker --- */

static int prepare_engine(void *arg, struct err *err)
{
	struct job *j = arg;
	j->arena = arena_new();
	(void)signal(SIGPIPE, SIG_IGN);
	return engine_open(j->arena, j->endpoint, j->connected_fd, j->stall_seconds, &j->engine, err);
}

/* ROOT of "ROOT/overlay2/ID/diff", which an image of the overlay2 driver names; empty for anything else. */
static struct str root_of_upper(struct str upper)
{
	if (!str_drop(&upper, STR("/diff")))
		return (struct str){ 0 };
	ptrdiff_t slash = str_rfind(upper, '/');
	upper = str_sub(upper, 0, slash < 0 ? 0 : (size_t)slash);
	return str_drop(&upper, STR("/overlay2")) && str_starts(upper, STR("/")) ? upper : (struct str){ 0 };
}

/* Where the store is. /info takes an engine longest of all: it is asked only where nothing else tells. */
static void find_root(struct job *j, struct engine_facts *f)
{
	struct engine_facts info = { 0 };
	if (str_eq(f->fact[ENGINE_DRIVER], STR("overlay2")))
		f->fact[ENGINE_ROOT] = root_of_upper(f->fact[ENGINE_UPPER]);
	if (f->fact[ENGINE_ROOT].len || endpoint_remote(j->endpoint) || engine_root(j->engine, &info, NULL) < 0)
		return;
	f->fact[ENGINE_ROOT] = info.fact[ENGINE_ROOT];
	f->fact[ENGINE_DRIVER] = info.fact[ENGINE_DRIVER];
}

static int put_question(struct job *j, struct engine_facts *f, struct err *err)
{
	int rc = engine_negotiate(j->engine, f, err);
	if (rc < 0)
		return rc;
	switch (j->question) {
	case DOCKER_ASK_IMAGE:
		rc = engine_image(j->engine, j->name, f, err);
		break;
	case DOCKER_ASK_CONTAINER:
		rc = engine_container(j->engine, j->name, f, err);
		break;
	case DOCKER_ASK_IMAGES:
		return engine_images(j->engine, f, err);
	}
	if (rc == 0)
		find_root(j, f);
	return rc;
}

static int run_ask(struct worker_io *io, void *arg)
{
	struct job *j = arg;
	struct engine_facts f = { 0 };
	struct buf BUF_AUTO out = { 0 };
	struct err err = { 0 };
	buf_init(&out, FRAME_SIZE_MAX);
	if (put_question(j, &f, &err) < 0)
		return image_send_error(io, &err);
	engine_facts_encode(&out, &f);
	worker_io_send(io, FRAME_FACTS_OF_ENGINE, buf_view(&out));
	engine_close(j->engine);
	return 0;
}

static bool write_pipe(void *ctx, struct str bytes)
{
	struct job *j = ctx;
	while (bytes.len) {
		ssize_t n = write(j->pipe_fd, bytes.ptr, bytes.len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			j->unread = true;
			return false;
		}
		bytes = str_sub(bytes, (size_t)n, bytes.len);
	}
	return true;
}

static int run_save(struct worker_io *io, void *arg)
{
	struct job *j = arg;
	struct engine_facts f = { 0 };
	struct http_sink sink = { .take = write_pipe, .ctx = j };
	struct err err = { 0 };
	int rc = engine_negotiate(j->engine, &f, &err);
	if (rc == 0)
		rc = engine_save(j->engine, j->name, j->platform, &sink, &err);
	if (rc < 0 && !j->unread)
		image_send_error(io, &err);
	engine_close(j->engine);
	return 0;
}

/* --- in the parent --- */

/* Dials, starts the worker, and lets go of the connection. */
static int start(struct job *j, int (*run)(struct worker_io *, void *), struct dial *dial, struct worker **ret, struct err *err)
{
	int rc = dial_open(j->endpoint, dial, err);
	if (rc < 0)
		return rc;
	j->connected_fd = dial->fd;
	struct worker_spec spec = {
		.name = "engine",
		.kind = WORKER_NET,
		.run = run,
		.arg = j,
		.prepare = prepare_engine,
		.root_fd = -1,
		.unix_sockets = j->endpoint->kind == ENDPOINT_UNIX && dial->fd == 0,
	};
	if (dial->fd > 0)
		spec.fds[spec.fd_count++] = dial->fd;
	if (j->pipe_fd > 0)
		spec.fds[spec.fd_count++] = j->pipe_fd;
	rc = worker_start(&spec, ret, err);
	dial_hand_over(dial);
	if (rc < 0)
		(void)dial_close(dial);
	return rc;
}

static int take_answer(struct arena *a, struct worker *w, struct engine_facts *ret, struct err *err)
{
	struct frame f;
	int rc = worker_recv(w, FRAME_SIZE_MAX, &f, err);
	if (rc <= 0)
		return rc < 0 ? rc : 1;
	if (f.type == FRAME_ERROR)
		return image_take_error(f.payload, err);
	struct reader r = reader_of(str_dup(a, f.payload));
	if (f.type == FRAME_FACTS_OF_ENGINE)
		engine_facts_decode(a, &r, ret);
	if (f.type != FRAME_FACTS_OF_ENGINE || r.bad || reader_left(&r))
		return err_set(err, ERR_WORKER, "worker \"engine\": its answer cannot be read");
	return 0;
}

int docker_ask(struct arena *a, const struct endpoint *e, enum docker_question question, struct str name,
               struct engine_facts *ret, struct err *err)
{
	struct job j = { .endpoint = e, .stall_seconds = ENGINE_ANSWER_SECONDS, .question = question, .name = name };
	struct dial dial = { 0 };
	struct worker *w;
	int rc = start(&j, run_ask, &dial, &w, err);
	if (rc < 0)
		return rc;
	rc = take_answer(a, w, ret, err);
	if (rc < 0) {
		worker_kill(w);
	} else {
		int end = worker_finish(w, err);
		rc = end < 0 ? end : rc > 0 ? err_set(err, ERR_WORKER, "the worker ended without an answer") : 0;
	}
	int code = dial_close(&dial);
	if (rc < 0 && rc != ERR_NOT_FOUND)
		err_wrap(err, "the engine at %.*s%s", STR_ARG(e->name), code == 255 ? " (ssh could not connect)" : "");
	return rc;
}

int docker_save(const struct endpoint *e, struct str reference, struct str platform, int *ret_fd,
                struct worker **ret_worker, struct dial *ret_dial, struct err *err)
{
	struct job j = {
		.endpoint = e,
		.stall_seconds = ENGINE_SAVE_SECONDS,
		.name = reference,
		.platform = platform,
	};
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_set(err, ERR_IO, "pipe: %m");
	(void)fcntl(ends[1], F_SETPIPE_SZ, (int)PIPE_SIZE);
	j.pipe_fd = ends[1];
	int rc = start(&j, run_save, ret_dial, ret_worker, err);
	(void)close(ends[1]);
	if (rc < 0) {
		(void)close(ends[0]);
		return err_wrap(err, "the engine at %.*s", STR_ARG(e->name)), rc;
	}
	*ret_fd = ends[0];
	return 0;
}
