/* Manifests and blobs of a registry and its mirrors: see registry.h. Endpoints are asked in their order until one has it;
 * the last one's words are the answer, with those of the others behind. Must never give out a document whose digest was
 * not computed. */
#include "net/registry.h"
#include "base/base.h"
#include "base/hash.h"
#include "base/json.h"
#include "net/registry_auth.h"

struct registry_client {
	struct arena *arena; /* authorizations */
	struct registry_way ways[REGISTRY_ENDPOINTS_MAX];
	size_t count;
	size_t answered;    /* endpoint that did, asked first from then on */
	struct map manifests; /* digests that are those of manifests */
};

static const struct http_header accept_manifests = {
	STR_INIT("Accept"),
	STR_INIT("application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
	         "application/vnd.docker.distribution.manifest.list.v2+json, "
	         "application/vnd.docker.distribution.manifest.v2+json, */*;q=0.1"),
};

int registry_open(const struct registry_endpoint *endpoints, size_t count, const struct registry_state *state,
                  struct registry_client **ret, struct err *err)
{
	struct registry_client *c = xcalloc(1, sizeof(*c));
	int rc = 0;
	c->arena = arena_new();
	c->count = count < REGISTRY_ENDPOINTS_MAX ? count : REGISTRY_ENDPOINTS_MAX;
	for (size_t i = 0; i < c->count && rc == 0; i++) {
		const struct registry_endpoint *e = &endpoints[i];
		struct http_options o = { .ca_file = e->ca_file, .client_cert = e->client_cert, .client_key = e->client_key };
		o.insecure = e->insecure;
		c->ways[i] = (struct registry_way){ .e = e, .use_http = e->only_http, .scheme_known = e->only_http };
		rc = http_open(&o, &c->ways[i].http, err);
	}
	if (rc < 0) {
		registry_close(c);
		return rc;
	}
	if (state && state->endpoint < c->count) {
		struct registry_way *w = &c->ways[state->endpoint];
		c->answered = state->endpoint;
		w->use_http = state->http && (w->e->plain_http || w->e->only_http);
		w->scheme_known = true;
		w->authorization = state->authorization;
	}
	*ret = c;
	return 0;
}

void registry_close(struct registry_client *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->count; i++)
		http_close(c->ways[i].http);
	arena_free(c->arena);
	free(c);
}

void registry_learned(const struct registry_client *c, struct registry_state *ret)
{
	const struct registry_way *w = &c->ways[c->answered];
	*ret = (struct registry_state){ .endpoint = c->answered, .http = w->use_http, .authorization = w->authorization };
}

/* --- words --- */

struct str registry_error_words(struct arena *a, struct str body)
{
	struct value *root;
	if (json_parse(a, body, &root, NULL) < 0)
		return STR("no reason given");
	const struct value *first = value_at(value_get(root, "errors"), 0);
	struct str code = value_str(value_get(first, "code")), message = value_str(value_get(first, "message"));
	if (code.len == 0)
		code = value_str(value_get(root, "error"));
	if (message.len == 0)
		message = value_str(value_get(root, code.len ? "error_description" : "details"));
	if (code.len == 0 && message.len == 0)
		return STR("no reason given");
	return arena_printf(a, "%.*s%s%.*s", STR_ARG(str_sub(code, 0, 64)), message.len ? ": " : "",
	                    STR_ARG(str_sub(message, 0, 200)));
}

/* What an answer that is no success comes to. */
static int refused(const struct registry_way *w, struct arena *a, struct str what, const struct http_response *r, struct err *err)
{
	struct str why = registry_error_words(a, r->body), after = http_header(r, "retry-after");
	struct str host = w->e->host, who = registry_credential_words(a, w->e);
	switch (r->status) {
	case 401:
	case 403:
		return err_set(err, ERR_ACCESS, "%.*s does not give %.*s (status %u, %.*s), asked %.*s", STR_ARG(host), STR_ARG(what),
		               r->status, STR_ARG(why), STR_ARG(who));
	case 404:
		return err_set(err, ERR_NOT_FOUND, "%.*s has no %.*s (%.*s), asked %.*s", STR_ARG(host), STR_ARG(what), STR_ARG(why),
		               STR_ARG(who));
	case 429:
		return err_set(err, ERR_NET, "%.*s: too many requests (status 429, %.*s%s%.*s), asked %.*s", STR_ARG(host), STR_ARG(why),
		               after.len ? "; to be tried again after " : "", STR_ARG(after), STR_ARG(who));
	default:
		return err_set(err, ERR_NET, "%.*s answers with status %u for %.*s (%.*s)", STR_ARG(host), r->status, STR_ARG(what),
		               STR_ARG(why));
	}
}

/* --- one request to one endpoint --- */

struct request {
	struct str part;      /* "manifests", "blobs" */
	struct str name;      /* tag or digest */
	size_t size_max;
	const struct http_sink *sink;
	uint64_t *taken;      /* bytes that the sink has */
};

static const char *url_of(struct registry_way *w, struct arena *a, const struct request *q)
{
	return str_cstr(a, arena_printf(a, "%s://%.*s%.*s/%.*s/%.*s/%.*s", w->use_http ? "http" : "https", STR_ARG(w->e->host),
	                                STR_ARG(w->e->prefix), STR_ARG(w->e->path), STR_ARG(q->part), STR_ARG(q->name)));
}

static int send_once(struct registry_way *w, struct arena *a, const struct request *q, unsigned tries,
                     struct http_response *ret, struct err *err)
{
	struct http_header headers[1 + COUNT_OF(w->e->headers)];
	size_t n = 0;
	if (str_eq(q->part, STR("manifests")))
		headers[n++] = accept_manifests;
	for (size_t i = 0; i < w->e->header_count; i++)
		headers[n++] = w->e->headers[i];
	struct http_request r = {
		.url = url_of(w, a, q), .headers = headers, .header_count = n, .authorization = w->authorization,
		.from = q->taken ? *q->taken : 0, .immutable = true, .tries = tries,
	};
	return q->sink ? http_stream(w->http, a, &r, q->sink, ret, err) : http_fetch(w->http, a, &r, q->size_max, ret, err);
}

/* What says what is spoken: a TLS port that is asked in the clear says 400, or nothing. */
static bool speaks(struct registry_way *w, struct arena *a, const struct request *q, bool http, struct err *err)
{
	struct request probe = { .part = STR("manifests"), .name = q->name, .size_max = MANIFEST_SIZE_MAX };
	struct http_response r;
	w->use_http = http;
	int rc = send_once(w, a, &probe, 1, &r, err);
	return rc == ERR_LIMIT || (rc == 0 && !(http && r.status == 400));
}

/* Where both are allowed: https and then http, on loopback http and then https. The words are those of https, unless
 * nobody is there at all. */
static int find_scheme(struct registry_way *w, struct arena *a, const struct request *q, struct err *err)
{
	struct err other = { 0 };
	bool first = w->e->loopback;
	w->scheme_known = speaks(w, a, q, first, first ? &other : err) || speaks(w, a, q, !first, first ? err : &other);
	if (w->scheme_known)
		return 0;
	w->use_http = false;
	return err && err->code < 0 ? err->code : err_set(err, ERR_NET, "%.*s does not speak HTTP", STR_ARG(w->e->host));
}

static int send_by_scheme(struct registry_way *w, struct arena *a, const struct request *q, struct http_response *ret,
                          struct err *err)
{
	int rc = 0;
	if (!w->scheme_known && w->e->plain_http)
		rc = find_scheme(w, a, q, err);
	w->scheme_known = rc == 0;
	return rc < 0 ? rc : send_once(w, a, q, 0, ret, err);
}

static int ask(struct registry_client *c, struct registry_way *w, struct arena *a, const struct request *q,
               struct http_response *ret, struct err *err)
{
	int rc;
	for (int round = 0;; round++) {
		rc = send_by_scheme(w, a, q, ret, err);
		if (rc < 0 || ret->status != 401 || round == 2)
			break;
		/* A token may have run out; a second new one will not do better. */
		struct str before = w->authorization;
		rc = registry_authorize(w, c->arena, ret, err);
		if (rc < 0 || (before.len && str_eq(before, w->authorization)))
			break;
	}
	if (rc < 0)
		return rc;
	if (ret->status >= 200 && ret->status < 300)
		return 0;
	const char *between = str_find(q->name, ':') < 0 ? ":" : "@";
	return refused(w, a, arena_printf(a, "%.*s%s%.*s", STR_ARG(w->e->path), between, STR_ARG(q->name)), ret, err);
}

/* --- endpoints one after the other --- */

static void leave(struct arena *a, struct str *words, const struct registry_way *w, const struct err *why)
{
	*words = arena_printf(a, "%.*s; %.*s: %s", STR_ARG(*words), STR_ARG(w->e->name), why->text);
}

/* take: what the answer must pass, so that a mirror with something else in its place is left for the next. */
static int ask_all(struct registry_client *c, struct arena *a, const struct request *q,
                   int (*take)(struct registry_way *w, struct arena *a, const struct request *q, const struct http_response *r, void *out,
                               struct err *err),
                   void *out, struct err *err)
{
	struct str others = { 0 };
	struct err last = { 0 };
	int rc = ERR_NET;
	bool tag = str_find(q->name, ':') < 0;
	for (size_t k = 0; k < c->count; k++) {
		size_t i = (c->answered + k) % c->count;
		struct registry_way *w = &c->ways[i];
		struct http_response r = { 0 };
		if (tag && w->e->blobs_only)
			continue;
		if (last.code)
			leave(a, &others, w, &last);
		last = (struct err){ 0 };
		rc = ask(c, w, a, q, &r, &last);
		if (rc == 0 && take)
			rc = take(w, a, q, &r, out, &last);
		if (rc == 0) {
			c->answered = i;
			return 0;
		}
		/* The sink's own end, not the registry's. */
		if (rc == ERR_IO && q->sink)
			break;
	}
	if (others.len == 0)
		return err_set(err, rc, "%s", last.text);
	return err_set(err, rc, "%s (before that: %.*s)", last.text, STR_ARG(str_sub(others, 2, others.len)));
}

/* --- documents --- */

static int check_form(struct arena *a, const struct http_response *r, struct value **ret, bool *ret_index, struct err *err)
{
	struct str type = http_header(r, "content-type");
	int64_t version = 2;
	int rc = json_parse(a, r->body, ret, err);
	if (rc < 0)
		return err_wrap(err, "the manifest");
	(void)value_int(value_get(*ret, "schemaVersion"), &version);
	if (version == 1 || str_contains(type, STR("docker.distribution.manifest.v1+")))
		return err_set(err, ERR_UNSUPPORTED, "this registry has the image as a schema 1 manifest, which has no config that "
		                                     "could be checked and is not read");
	bool index = value_is(value_get(*ret, "manifests"), VALUE_LIST);
	bool manifest = value_get(*ret, "config") || value_get(*ret, "layers");
	/* A document that is both means one thing to one reader and another to the next (CVE-2021-41190). */
	if (index == manifest && (index || version != 2 || !value_str(value_get(*ret, "artifactType")).len))
		return err_set(err, ERR_FORMAT, index ? "the manifest is an index at once" : "this is neither a manifest nor an index");
	*ret_index = index;
	return 0;
}

static int check_digest(struct arena *a, const struct request *q, const struct http_response *r, struct str *ret, struct err *err)
{
	struct sha256 is = sha256_of(r->body), wanted;
	char text[DIGEST_TEXT_LEN + 1];
	struct str said = http_header(r, "docker-content-digest");
	*ret = str_dup(a, sha256_text(&is, text));
	if (sha256_parse(q->name, &wanted) && !sha256_eq(&wanted, &is))
		return err_set(err, ERR_DIGEST, "the registry gives something else for %.*s: its digest is %.*s", STR_ARG(q->name),
		               STR_ARG(*ret));
	if (sha256_parse(said, &wanted) && !sha256_eq(&wanted, &is))
		return err_set(err, ERR_DIGEST, "the registry says that the digest of %.*s is %.*s, and it is %.*s", STR_ARG(q->name),
		               STR_ARG(said), STR_ARG(*ret));
	return 0;
}

static int take_manifest(struct registry_way *w, struct arena *a, const struct request *q, const struct http_response *r, void *out,
                         struct err *err)
{
	struct registry_document *d = out;
	struct value *root;
	(void)w;
	int rc = check_digest(a, q, r, &d->digest, err);
	if (rc == 0)
		rc = check_form(a, r, &root, &d->is_index, err);
	d->text = r->body;
	return rc;
}

static int take_blob(struct registry_way *w, struct arena *a, const struct request *q, const struct http_response *r, void *out,
                     struct err *err)
{
	struct registry_document *d = out;
	(void)w;
	d->text = r->body;
	return check_digest(a, q, r, &d->digest, err);
}

/* Digests that an index names are those of manifests, which registries give under another address than blobs. */
static void learn_manifests(struct registry_client *c, const struct registry_document *d)
{
	struct value *root;
	if (!d->is_index || json_parse(c->arena, str_dup(c->arena, d->text), &root, NULL) < 0)
		return;
	const struct value *list = value_get(root, "manifests");
	for (size_t i = 0; i < value_len(list) && c->manifests.len < REGISTRY_MANIFESTS_MAX; i++)
		(void)map_put(c->arena, &c->manifests, value_str(value_get(value_at(list, i), "digest")), NULL);
}

int registry_manifest(struct registry_client *c, struct arena *a, struct str version, struct registry_document *ret,
                      struct err *err)
{
	struct request q = { .part = STR("manifests"), .name = version, .size_max = MANIFEST_SIZE_MAX };
	struct registry_document d = { 0 };
	int rc = ask_all(c, a, &q, take_manifest, &d, err);
	if (rc < 0)
		return rc;
	learn_manifests(c, &d);
	*ret = d;
	return 0;
}

int registry_by_digest(struct registry_client *c, struct arena *a, struct str digest, size_t size_max,
                       struct registry_document *ret, struct err *err)
{
	struct request q = { .part = STR("blobs"), .name = digest, .size_max = size_max };
	if (map_get(&c->manifests, digest))
		return registry_manifest(c, a, digest, ret, err);
	struct registry_document d = { 0 };
	int rc = ask_all(c, a, &q, take_blob, &d, err);
	if (rc == 0)
		*ret = d;
	return rc;
}

/* --- streams --- */

struct counting {
	const struct http_sink *to;
	uint64_t taken;
};

static bool count_and_take(void *ctx, struct str bytes)
{
	struct counting *k = ctx;
	if (!k->to->take(k->to->ctx, bytes))
		return false;
	k->taken += bytes.len;
	return true;
}

int registry_stream(struct registry_client *c, struct arena *a, struct str digest, const struct http_sink *sink, struct err *err)
{
	struct counting k = { .to = sink };
	struct http_sink counted = { .take = count_and_take, .ctx = &k };
	struct request q = { .part = STR("blobs"), .name = digest, .sink = &counted, .taken = &k.taken };
	return ask_all(c, a, &q, NULL, NULL, err);
}
