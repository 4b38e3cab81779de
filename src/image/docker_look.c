/* The worker behind docker_look.h: one question, one frame of answer. The documents are the parent's memory as it was at
 * the fork, so nothing is sent to the worker. */
#include "image/docker_look.h"

#include "base/base.h"
#include "image/docker_find.h"
#include "image/frames.h"
#include "sandbox/worker.h"

enum { FRAME_ANSWER = FRAME_DIGEST + 1 };

struct question {
	enum { LOOK_IMAGE, LOOK_TAGS, LOOK_CONTAINER } what;
	const struct str *texts;
	size_t count;
	struct str name;
};

/* --- in the worker --- */

static int answer_container(const struct question *q, struct arena *a, struct buf *out, struct err *err)
{
	for (size_t i = 0; i < q->count; i++) {
		struct docker_container c;
		int rc = q->texts[i].len ? docker_container_parse(a, q->texts[i], &c, err) : ERR_FORMAT;
		if (rc < 0 && q->count == 1 && q->texts[i].len)
			return rc;
		if (rc < 0 || (q->name.len && !str_eq(c.name, q->name)))
			continue;
		buf_varint(out, i);
		buf_str(out, c.image);
		return 0;
	}
	return err_set(err, ERR_NOT_FOUND, "no container %.*s", STR_ARG(q->name));
}

static int answer_tags(const struct question *q, struct arena *a, struct buf *out, struct err *err)
{
	struct str_list names = { 0 }, ids = { 0 };
	int rc = docker_find_tags(a, q->texts[0], &names, &ids, err);
	buf_varint(out, names.len);
	for (size_t i = 0; i < names.len; i++) {
		buf_str(out, names.ptr[i]);
		buf_str(out, ids.ptr[i]);
	}
	return rc;
}

static int answer_image(const struct question *q, struct arena *a, struct buf *out, struct err *err)
{
	struct str hex = { 0 };
	int rc = docker_find_image(a, q->texts[0], q->name, &hex, err);
	buf_str(out, hex);
	return rc;
}

static int run_look(struct worker_io *io, void *arg)
{
	static int (*const answers[])(const struct question *, struct arena *, struct buf *, struct err *) = {
		[LOOK_IMAGE] = answer_image,
		[LOOK_TAGS] = answer_tags,
		[LOOK_CONTAINER] = answer_container,
	};
	const struct question *q = arg;
	struct arena *ARENA_AUTO a = arena_new();
	struct buf BUF_AUTO out = { 0 };
	struct err err = { 0 };
	buf_init(&out, FRAME_SIZE_MAX);
	int rc = answers[q->what](q, a, &out, &err);
	if (rc == 0 && out.overflow)
		rc = err_set(&err, ERR_LIMIT, "the answer passes FRAME_SIZE_MAX");
	if (rc < 0)
		return image_send_error(io, &err);
	worker_io_send(io, FRAME_ANSWER, buf_view(&out));
	return 0;
}

/* --- in the parent --- */

static int look(struct arena *a, struct question *q, struct str *ret, struct err *err)
{
	struct worker_spec spec = { .name = "store", .kind = WORKER_BYTES, .run = run_look, .arg = q, .root_fd = -1 };
	struct worker *w;
	struct frame f;
	for (size_t i = 0; i < q->count; i++)
		spec.input_size += q->texts[i].len;
	int rc = worker_start(&spec, &w, err);
	if (rc < 0)
		return rc;
	rc = worker_recv(w, FRAME_SIZE_MAX, &f, err);
	if (rc > 0 && f.type == FRAME_ANSWER)
		*ret = str_dup(a, f.payload);
	else if (rc > 0)
		rc = f.type == FRAME_ERROR ? image_take_error(f.payload, err) : err_set(err, ERR_WORKER, "a frame out of turn");
	if (rc < 0) {
		worker_kill(w);
		return rc;
	}
	bool answered = rc > 0;
	rc = worker_finish(w, err);
	return rc == 0 && !answered ? err_set(err, ERR_WORKER, "the worker ended without an answer") : rc;
}

static int bad_answer(struct err *err)
{
	return err_set(err, ERR_WORKER, "worker \"store\": its answer cannot be read");
}

int docker_look_image(struct arena *a, struct str repositories, struct str familiar, struct str *ret_hex, struct err *err)
{
	struct question q = { .what = LOOK_IMAGE, .texts = &repositories, .count = 1, .name = familiar };
	struct str answer = { 0 };
	int rc = look(a, &q, &answer, err);
	if (rc < 0)
		return rc;
	struct reader r = reader_of(answer);
	struct str hex = read_str(&r);
	if (r.bad || !docker_hex_ok(hex))
		return bad_answer(err);
	*ret_hex = hex;
	return 0;
}

int docker_look_tags(struct arena *a, struct str repositories, struct str_list *names, struct str_list *ids, struct err *err)
{
	struct question q = { .what = LOOK_TAGS, .texts = &repositories, .count = 1 };
	struct str answer = { 0 };
	int rc = look(a, &q, &answer, err);
	if (rc < 0)
		return rc;
	struct reader r = reader_of(answer);
	size_t n = read_count(&r, 2);
	if (n > ENGINE_IMAGES_MAX)
		r.bad = true;
	for (size_t i = 0; i < n && !r.bad; i++) {
		*vec_push(a, names) = read_str(&r);
		*vec_push(a, ids) = read_str(&r);
		r.bad = r.bad || !docker_hex_ok(ids->ptr[i]);
	}
	return r.bad ? bad_answer(err) : 0;
}

int docker_look_container(struct arena *a, const struct str *configs, size_t count, struct str name, size_t *ret_at,
                          struct str *ret_image, struct err *err)
{
	struct question q = { .what = LOOK_CONTAINER, .texts = configs, .count = count, .name = name };
	struct str answer = { 0 };
	int rc = look(a, &q, &answer, err);
	if (rc < 0)
		return rc;
	struct reader r = reader_of(answer);
	uint64_t at = read_varint(&r);
	struct str image = read_str(&r);
	if (r.bad || at >= count || !docker_hex_ok(image))
		return bad_answer(err);
	*ret_at = (size_t)at;
	*ret_image = image;
	return 0;
}
