/* Registries as a place that images lie in: see origin.h. The parent's side finds out where to ask and who to be; all that
 * a registry says is read by net workers: one that hands over documents for as long as the image is open, and one a blob
 * that writes into a pipe. Must never use a worker's word as a name: digests are checked, tokens go back to workers
 * alone. */
#include "base/base.h"
#include "base/hash.h"
#include "image/frames.h"
#include "image/origin.h"
#include "image/stores.h"
#include "net/registry_hosts.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define BLOB_PIPE_SIZE ((int)MIB)

enum registry_frame {
	FRAME_ASK = 100, /* parent: a digest, or nothing for what the reference names */
	FRAME_DOCUMENT,  /* worker: varint of the negated code; the words, or: byte is_index, string digest, varint endpoint,
	                    byte http, string authorization, the text */
};

struct registry_origin {
	struct arena *arena; /* of the image */
	struct registry_plan plan;
	struct registry_state state;
	struct worker *worker;
	struct str root;     /* digest */
	struct str root_type;
	struct str name;
};

/* What a worker is to do. */
struct registry_order {
	const struct registry_plan *plan;
	const struct registry_state *state; /* NULL: nothing is known */
	struct registry_client *client;     /* made by prepare */
	struct str digest;                  /* blob */
	int out;
};

/* --- workers --- */

static int prepare_client(void *arg, struct err *err)
{
	struct registry_order *o = arg;
	return registry_open(o->plan->endpoints, o->plan->count, o->state, &o->client, err);
}

static void send_document(struct worker_io *io, const struct registry_order *o, int rc, const struct registry_document *d,
                          const struct err *err)
{
	struct registry_state state;
	struct buf BUF_AUTO b = { 0 };
	buf_init(&b, MANIFEST_SIZE_MAX + 4 * TOKEN_LEN_MAX);
	buf_varint(&b, (uint64_t)-rc);
	if (rc < 0) {
		buf_put(&b, str_from(err->text));
		worker_io_send(io, FRAME_DOCUMENT, buf_view(&b));
		return;
	}
	registry_learned(o->client, &state);
	buf_byte(&b, d->is_index ? 1 : 0);
	buf_str(&b, d->digest);
	buf_varint(&b, state.endpoint);
	buf_byte(&b, state.http ? 1 : 0);
	buf_str(&b, state.authorization);
	buf_put(&b, d->text);
	worker_io_send(io, FRAME_DOCUMENT, buf_view(&b));
}

static int run_documents(struct worker_io *io, void *arg)
{
	struct registry_order *o = arg;
	struct frame f;
	struct err err = { 0 };
	while (worker_io_recv(io, 4096, &f, &err) > 0) {
		struct arena *ARENA_AUTO a = arena_new();
		struct registry_document d = { 0 };
		struct str name = str_dup(a, f.payload);
		err = (struct err){ 0 };
		int rc = name.len ? registry_by_digest(o->client, a, name, MANIFEST_SIZE_MAX, &d, &err)
		                  : registry_manifest(o->client, a, reference_version(&o->plan->reference), &d, &err);
		send_document(io, o, rc, &d, &err);
	}
	registry_close(o->client);
	return 0;
}

static bool write_all(void *ctx, struct str bytes)
{
	const int *fd = ctx;
	while (bytes.len) {
		ssize_t n = write(*fd, bytes.ptr, bytes.len);
		if (n < 0 && errno == EINTR)
			continue;
		/* Who stopped reading has said why. */
		if (n < 0 && errno == EPIPE)
			_exit(0);
		if (n < 0)
			return false;
		bytes = str_sub(bytes, (size_t)n, bytes.len);
	}
	return true;
}

static int run_blob(struct worker_io *io, void *arg)
{
	struct registry_order *o = arg;
	struct arena *ARENA_AUTO a = arena_new();
	struct http_sink sink = { .take = write_all, .ctx = &o->out };
	struct err err = { 0 };
	int rc = registry_stream(o->client, a, o->digest, &sink, &err);
	registry_close(o->client);
	return rc < 0 ? image_send_error(io, &err) : 0;
}

/* --- documents --- */

static int start_documents(struct registry_origin *g, struct err *err)
{
	struct registry_order order = { .plan = &g->plan };
	struct worker_spec spec = {
		.name = "registry", .kind = WORKER_NET, .run = run_documents, .prepare = prepare_client, .arg = &order, .root_fd = -1,
	};
	return worker_start(&spec, &g->worker, err);
}

/* The worker has ended in the middle: why. */
static int worker_gone(struct registry_origin *g, struct err *err)
{
	struct worker *w = g->worker;
	g->worker = NULL;
	int rc = worker_finish(w, err);
	return rc < 0 ? rc : err_set(err, ERR_WORKER, "worker \"registry\" ended without an answer");
}

static int take_document(struct registry_origin *g, struct arena *a, struct str payload, struct registry_document *ret,
                         struct err *err)
{
	struct reader r = reader_of(payload);
	uint64_t code = read_varint(&r);
	struct sha256 digest;
	if (!r.bad && code > 0 && code <= (uint64_t)-ERR_LAST) {
		struct str words = read_bytes(&r, reader_left(&r));
		return err_set(err, -(int)code, "%.*s", STR_ARG(words));
	}
	ret->is_index = read_u8(&r) == 1;
	ret->digest = str_dup(a, read_str(&r));
	g->state.endpoint = read_varint(&r);
	g->state.http = read_u8(&r) == 1;
	g->state.authorization = str_dup(g->arena, read_str(&r));
	ret->text = str_dup(a, read_bytes(&r, reader_left(&r)));
	if (r.bad || code || g->state.endpoint >= g->plan.count || !sha256_parse(ret->digest, &digest))
		return err_set(err, ERR_WORKER, "worker \"registry\": its answer cannot be read");
	return 0;
}

static int ask_document(struct registry_origin *g, struct arena *a, struct str digest, struct registry_document *ret, struct err *err)
{
	struct frame f;
	int rc = g->worker ? 0 : start_documents(g, err);
	if (rc < 0)
		return rc;
	/* One that could not be made ready says why at its end. */
	if (worker_send(g->worker, FRAME_ASK, digest, err) < 0)
		return worker_gone(g, err);
	rc = worker_recv(g->worker, MANIFEST_SIZE_MAX + 4 * TOKEN_LEN_MAX, &f, err);
	if (rc <= 0)
		return worker_gone(g, err);
	if (f.type != FRAME_DOCUMENT)
		return err_set(err, ERR_WORKER, "worker \"registry\": a frame out of turn");
	return take_document(g, a, f.payload, ret, err);
}

/* A layout's index that names what the reference named, so that one reader serves both. */
static int read_index(const struct registry_origin *g, struct arena *a, struct str *ret)
{
	*ret = arena_printf(a,
	                    "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"%.*s\",\"digest\":\"%.*s\",\"size\":0,"
	                    "\"annotations\":{\"io.containerd.image.name\":\"%.*s\"}}]}",
	                    STR_ARG(g->root_type), STR_ARG(g->root), STR_ARG(g->name));
	return 0;
}

static int origin_read(void *ctx, struct arena *a, struct str name, size_t size_max, struct str *ret, struct err *err)
{
	struct registry_origin *g = ctx;
	struct registry_document d = { 0 };
	struct sha256 digest;
	(void)size_max;
	if (str_eq(name, STR("index.json")))
		return read_index(g, a, ret);
	if (!str_skip(&name, STR("blobs/sha256/")))
		return err_set(err, ERR_NOT_FOUND, "a registry has no %.*s", STR_ARG(name));
	struct str text = arena_printf(a, "sha256:%.*s", STR_ARG(name));
	if (!sha256_parse(text, &digest))
		return err_set(err, ERR_FORMAT, "\"%.*s\" is no digest", STR_ARG(text));
	int rc = ask_document(g, a, str_eq(text, g->root) ? (struct str){ 0 } : text, &d, err);
	if (rc == 0)
		*ret = d.text;
	return rc;
}

/* --- layers --- */

static int origin_place(void *ctx, struct arena *a, const struct image_desc *d, size_t layer, struct layer_place *ret, struct err *err)
{
	struct sha256 digest;
	(void)ctx;
	(void)a;
	if (!sha256_parse(d->layers[layer].digest, &digest))
		return err_set(err, ERR_WORKER, "a layer without a digest");
	*ret = (struct layer_place){ .kind = PLACE_STREAM, .fd = -1, .size = d->layers[layer].size };
	return 0;
}

static int origin_stream(void *ctx, const struct image_desc *d, size_t layer, int *ret_fd, struct worker **ret_worker, struct err *err)
{
	struct registry_origin *g = ctx;
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_set(err, ERR_IO, "pipe: %m");
	/* As much as the kernel lets a user have; its own size is enough, too. */
	(void)fcntl(ends[1], F_SETPIPE_SZ, BLOB_PIPE_SIZE);
	struct registry_order order = { .plan = &g->plan, .state = &g->state, .digest = d->layers[layer].digest, .out = ends[1] };
	struct worker_spec spec = {
		.name = "blob", .kind = WORKER_NET, .run = run_blob, .prepare = prepare_client, .arg = &order, .root_fd = -1,
		.fds = { ends[1] }, .fd_count = 1,
	};
	int rc = worker_start(&spec, ret_worker, err);
	(void)close(ends[1]);
	if (rc < 0) {
		(void)close(ends[0]);
		return rc;
	}
	*ret_fd = ends[0];
	return 0;
}

static void origin_close(void *ctx)
{
	struct registry_origin *g = ctx;
	worker_kill(g->worker);
	g->worker = NULL;
}

/* --- open --- */

/* Each endpoint has its own: what is known at a registry is nobody's business at its mirrors. */
static void find_credentials(struct arena *a, const struct image_access *access, struct registry_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		struct registry_endpoint *e = &plan->endpoints[i];
		struct str host = reference_host_canonical(a, e->host);
		if (access && access->username.len && !e->mirror)
			e->credential = (struct credential){ .kind = CREDENTIAL_PASSWORD, .username = access->username,
			                                     .secret = access->password, .origin = STR("--username") };
		else
			credential_find(a, host, e->path, &e->credential);
	}
}

static void note_where(struct registry_origin *g, struct image_origin *ret)
{
	struct arena *a = g->arena;
	const struct registry_endpoint *e = &g->plan.endpoints[g->state.endpoint];
	const struct credential *c = &e->credential;
	bool used = g->state.authorization.len > 0 && c->kind != CREDENTIAL_NONE;
	struct str host = g->plan.reference.host;
	ret->source = e->mirror ? arena_printf(a, "%.*s of registry %.*s", STR_ARG(e->name), STR_ARG(host))
	                        : arena_printf(a, "registry %.*s", STR_ARG(host));
	*vec_push(a, &ret->notes) = used ? arena_printf(a, "asked with the credentials of %.*s", STR_ARG(c->origin))
	                                 : STR("asked without credentials");
	if (c->trouble.len)
		*vec_push(a, &ret->notes) = c->trouble;
	if (g->plan.said.len)
		*vec_push(a, &ret->notes) = arena_printf(a, "where to ask is set by %.*s", STR_ARG(g->plan.said));
	if (g->state.http)
		*vec_push(a, &ret->notes) = arena_printf(a, "%.*s was asked without TLS", STR_ARG(e->host));
	else if (e->insecure)
		*vec_push(a, &ret->notes) = arena_printf(a, "the certificate of %.*s was not checked", STR_ARG(e->host));
}

static int find_root(struct registry_origin *g, struct err *err)
{
	struct registry_document d = { 0 };
	int rc = ask_document(g, g->arena, (struct str){ 0 }, &d, err);
	if (rc < 0)
		return rc;
	g->root = d.digest;
	g->root_type = d.is_index ? STR("application/vnd.oci.image.index.v1+json") : STR("application/vnd.oci.image.manifest.v1+json");
	return 0;
}

static int registry_origin_open(struct arena *a, struct str reference, const struct image_options *o, struct image_origin *ret,
                                struct err *err)
{
	struct registry_origin *g = ARENA_NEW(a, struct registry_origin);
	struct registry_rules rules = registry_rules_here();
	g->arena = a;
	if (o->access && o->access->offline)
		return err_set(err, ERR_NET, "registries are not asked (--offline)");
	if (o->access) {
		rules.insecure = o->access->insecure;
		rules.ca_file = o->access->cacert;
	}
	int rc = registry_plan(a, reference, &rules, &g->plan, err);
	if (rc < 0)
		return rc;
	find_credentials(a, o->access, &g->plan);
	g->name = reference_text(a, &g->plan.reference);
	rc = find_root(g, err);
	if (rc < 0) {
		origin_close(g);
		return rc;
	}
	struct image_origin origin = {
		.ctx = g, .read = origin_read, .place = origin_place, .stream = origin_stream, .close = origin_close,
	};
	note_where(g, &origin);
	*ret = origin;
	return 0;
}

const struct image_opener store_registry = {
	.prefix = "registry",
	.title = "Registry",
	.remote = true,
	.open = registry_origin_open,
};
