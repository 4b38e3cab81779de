/* Podman's and Buildah's images and containers, read where they lie: the opener of containers/storage. The parent's side:
 * finds stores, hands documents to a worker that parses them, opens layers' folders. No engine is started or asked.
 * What the worker found is kept as bytes and given to the next worker that asks: the parent does not look into it. */
#include "base/base.h"
#include "image/containers.h"
#include "image/frames.h"
#include "image/origin.h"

#include <unistd.h>

/* The document that stands for what was found. */
#define DESCRIPTION "description"

struct podman {
	struct containers_stores stores;
	bool mount_program;
	struct str description; /* image_desc, encoded */
};

/* --- the worker --------------------------------------------------------------------------------------------------------- */

struct ask_order {
	struct containers_request request;
	struct worker_io *io;
};

static int ask_parent(void *ctx, struct arena *a, struct str name, size_t size_max, struct str *ret, struct err *err)
{
	struct worker_io *io = ctx;
	struct frame f;
	worker_io_send(io, FRAME_WANT_FILE, name);
	int rc = worker_io_recv(io, size_max + 4096, &f, err);
	if (rc <= 0)
		return rc < 0 ? rc : err_set(err, ERR_WORKER, "the parent has gone");
	struct reader r = reader_of(f.payload);
	uint64_t code = read_varint(&r);
	struct str rest = read_bytes(&r, reader_left(&r));
	if (f.type != FRAME_FILE || r.bad || code > 64)
		return err_set(err, ERR_WORKER, "an answer out of turn");
	if (code)
		return err_set(err, -(int)code, "%.*s", STR_ARG(rest));
	*ret = str_dup(a, rest);
	return 0;
}

static int run_ask(struct worker_io *io, void *arg)
{
	const struct ask_order *o = arg;
	struct arena *ARENA_AUTO a = arena_new();
	struct image_store store = { .read = ask_parent, .ctx = io };
	struct containers_answer answer;
	struct err err = { 0 };
	struct buf BUF_AUTO b = { 0 };
	if (containers_ask(a, &store, &o->request, &answer, &err) < 0)
		return image_send_error(io, &err);
	buf_init(&b, MANIFEST_SIZE_MAX);
	containers_answer_encode(&b, &answer);
	if (b.overflow) {
		err_set(&err, ERR_LIMIT, "what was found passes MANIFEST_SIZE_MAX");
		return image_send_error(io, &err);
	}
	worker_io_send(io, FRAME_DESC, buf_view(&b));
	return 0;
}

static int answer_document(struct worker *w, struct podman *p, struct str name, struct err *err)
{
	struct arena *ARENA_AUTO tmp = arena_new();
	struct buf BUF_AUTO b = { 0 };
	struct str text = { 0 };
	struct err why = { 0 };
	int rc = containers_read(&p->stores, tmp, name, MANIFEST_SIZE_MAX, &text, &why);
	buf_init(&b, MANIFEST_SIZE_MAX + 4096);
	buf_varint(&b, (uint64_t)-rc);
	buf_put(&b, rc < 0 ? str_from(why.text) : text);
	return worker_send(w, FRAME_FILE, buf_view(&b), err);
}

static int take_answer(struct arena *a, struct str payload, struct containers_answer *ret, struct err *err)
{
	struct reader r = reader_of(str_dup(a, payload));
	containers_answer_decode(a, &r, ret);
	return r.bad ? err_set(err, ERR_WORKER, "its answer cannot be read") : 0;
}

static int talk(struct arena *a, struct worker *w, struct podman *p, struct containers_answer *ret, bool *ret_have,
                struct err *err)
{
	struct frame f;
	unsigned documents = 0;
	int rc;
	while ((rc = worker_recv(w, MANIFEST_SIZE_MAX, &f, err)) > 0) {
		if (f.type == FRAME_WANT_FILE && ++documents <= ARCHIVE_IMAGES_MAX)
			rc = answer_document(w, p, f.payload, err);
		else if (f.type == FRAME_DESC && !*ret_have)
			*ret_have = (rc = take_answer(a, f.payload, ret, err)) == 0;
		else if (f.type == FRAME_ERROR)
			rc = image_take_error(f.payload, err);
		else
			rc = err_set(err, ERR_WORKER, "a frame out of turn, or too many of them");
		if (rc < 0)
			return rc;
	}
	return rc;
}

static int ask(struct arena *a, struct podman *p, const struct containers_request *request, struct containers_answer *ret,
               struct err *err)
{
	struct ask_order order = { .request = *request };
	struct worker_spec spec = {
		.name = "store",
		.kind = WORKER_BYTES,
		.run = run_ask,
		.arg = &order,
		.root_fd = -1,
		.input_size = CONTAINERS_JSON_SIZE_MAX,
		.memory_max = CONTAINERS_MEMORY_MAX,
	};
	struct containers_answer answer = { 0 };
	struct worker *w;
	bool have = false;
	int rc = worker_start(&spec, &w, err);
	if (rc < 0)
		return rc;
	rc = talk(a, w, p, &answer, &have, err);
	if (rc < 0) {
		worker_kill(w);
		return rc;
	}
	rc = worker_finish(w, err);
	if (rc == 0 && !have)
		rc = err_set(err, ERR_WORKER, "the worker ended without an answer");
	if (rc == 0)
		*ret = answer;
	return rc;
}

/* --- the origin --------------------------------------------------------------------------------------------------------- */

static int resolve(struct arena *a, const struct image_store *store, const struct image_choice *choice,
                   struct image_desc *ret, struct err *err)
{
	struct str bytes;
	(void)choice;
	int rc = store->read(store->ctx, a, STR(DESCRIPTION), MANIFEST_SIZE_MAX, &bytes, err);
	if (rc < 0)
		return rc;
	struct reader r = reader_of(bytes);
	image_desc_decode(a, &r, ret);
	return r.bad ? err_set(err, ERR_WORKER, "what the store's worker found cannot be read") : 0;
}

static int read_document(void *ctx, struct arena *a, struct str name, size_t size_max, struct str *ret, struct err *err)
{
	const struct podman *p = ctx;
	(void)a;
	if (!str_eq(name, STR(DESCRIPTION)) || p->description.len > size_max)
		return err_set(err, ERR_FORMAT, "no such document");
	*ret = p->description;
	return 0;
}

static int place(void *ctx, struct arena *a, const struct image_desc *d, size_t layer, struct layer_place *ret,
                 struct err *err)
{
	struct podman *p = ctx;
	return containers_folder(&p->stores, a, d->layers[layer].path, p->mount_program, ret, err);
}

static void close_origin(void *ctx)
{
	struct podman *p = ctx;
	containers_close(&p->stores);
}

/* --- opening ------------------------------------------------------------------------------------------------------------ */

static const char *environment(const char *name)
{
	return getenv(name);
}

static int open_stores(struct arena *a, struct str *reference, struct podman *p, struct str *ret_words, struct err *err)
{
	struct containers_system sys = { .env = environment, .root = "", .uid = geteuid() };
	struct containers_places places;
	int rc = containers_place_of_reference(a, reference, &places, err);
	if (rc == 0 && places.len == 0)
		rc = containers_places(a, &sys, &places, err);
	if (rc == 0)
		rc = containers_open(a, &places, &p->stores, err);
	if (rc < 0)
		return rc;
	p->mount_program = places.mount_program;
	*ret_words = places.words;
	return 0;
}

static void take_notes(struct arena *a, const struct podman *p, enum containers_ask what, struct str_list *notes)
{
	*vec_push(a, notes) = STR("read in place: the store keeps files, whose content was not checked against digests");
	if (what == ASK_CONTAINER)
		*vec_push(a, notes) = STR("volumes and other mounts of the container were not read");
	for (size_t i = 0; i < p->stores.len; i++)
		if (p->stores.ptr[i].unlocked)
			*vec_push(a, notes) = arena_printf(a, "the store %.*s was read without its lock: it could not be had",
			                                   STR_ARG(p->stores.ptr[i].root));
}

static int take_found(struct arena *a, struct podman *p, const struct containers_answer *answer, enum containers_ask what,
                      struct image_origin *ret, struct err *err)
{
	struct buf BUF_AUTO b = { 0 };
	if (answer->store >= p->stores.len)
		return err_set(err, ERR_WORKER, "its answer names no store");
	const struct containers_store *s = &p->stores.ptr[answer->store];
	if (!s->driver->readable)
		return err_set(err, ERR_UNSUPPORTED,
		               "it lies in a store of the driver %s, which cannot be read in place: podman save NAME | plimsoll image -",
		               s->driver->name);
	buf_init(&b, MANIFEST_SIZE_MAX);
	image_desc_encode(&b, &answer->desc);
	p->description = str_dup(a, buf_view(&b));
	*ret = (struct image_origin){
		.source = arena_printf(a, "Podman's %s store in %.*s", s->driver->name, STR_ARG(s->root)),
		.ctx = p,
		.resolve = resolve,
		.read = read_document,
		.place = place,
		.close = close_origin,
	};
	take_notes(a, p, what, &ret->notes);
	return 0;
}

static int open_any(struct arena *a, enum containers_ask what, struct str name, const struct image_options *o,
                    struct image_origin *ret, struct err *err)
{
	struct podman *p = ARENA_NEW(a, struct podman);
	struct containers_answer answer;
	struct str words;
	int rc = open_stores(a, &name, p, &words, err);
	if (rc < 0)
		return rc;
	struct containers_request request = { .ask = what, .name = name, .platform = o->platform };
	rc = name.len ? ask(a, p, &request, &answer, err) : err_set(err, ERR_USAGE, "no name behind the store in brackets");
	if (rc == 0)
		rc = take_found(a, p, &answer, what, ret, err);
	if (rc < 0) {
		containers_close(&p->stores);
		return err_wrap(err, "%.*s", STR_ARG(words)), rc;
	}
	return 0;
}

static int open_image(struct arena *a, struct str reference, const struct image_options *o, struct image_origin *ret,
                      struct err *err)
{
	return open_any(a, ASK_IMAGE, reference, o, ret, err);
}

static int open_container(struct arena *a, struct str name, const struct image_options *o, struct image_origin *ret,
                          struct err *err)
{
	return open_any(a, ASK_CONTAINER, name, o, ret, err);
}

static int list(struct arena *a, const struct image_options *o, struct str_list *ret, struct err *err)
{
	struct podman p = { 0 };
	struct containers_answer answer;
	struct str none = { 0 }, words;
	(void)o;
	int rc = open_stores(a, &none, &p, &words, err);
	if (rc < 0)
		return rc;
	struct containers_request request = { .ask = ASK_LIST };
	rc = ask(a, &p, &request, &answer, err);
	containers_close(&p.stores);
	if (rc < 0)
		return err_wrap(err, "%.*s", STR_ARG(words)), rc;
	*ret = answer.names;
	return 0;
}

const struct image_opener store_podman = {
	.prefix = "podman",
	.title = "Podman",
	.open = open_image,
	.open_container = open_container,
	.list = list,
};
