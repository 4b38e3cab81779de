/* What is sent, again and where to: see http.h. Redirects, waiting, trying again and resuming are decided here, so that
 * no credential leaves the place it was given for and no byte reaches a sink twice. */
#include "net/http.h"
#include "base/base.h"
#include "base/fs.h"
#include "net/http_internal.h"

#include <errno.h>
#include <unistd.h>

/* --- open and close --- */

/* Authorities are put one behind the other: PEM allows it. */
static int read_pem(struct http *h, const char *path, struct str before, struct str *ret, struct err *err)
{
	struct str text;
	int rc = fs_read(h->arena, path, HTTP_PEM_SIZE_MAX, &text, err);
	if (rc < 0)
		return err_wrap(err, "%s", path);
	*ret = before.len ? arena_printf(h->arena, "%.*s\n%.*s", STR_ARG(before), STR_ARG(text)) : text;
	return 0;
}

static int read_files(struct http *h, struct err *err)
{
	const struct http_options *o = &h->o;
	struct str system = { 0 };
	int rc = 0;
	h->no_system = o->ca_only != NULL;
	if (o->ca_only)
		rc = read_pem(h, o->ca_only, system, &h->authorities.text, err);
	else if (o->ca_file) {
		/* Without the system's list there may still be the library's folder. */
		if (curl_lib_authorities())
			(void)read_pem(h, curl_lib_authorities(), system, &system, NULL);
		rc = read_pem(h, o->ca_file, system, &h->authorities.text, err);
	}
	if (rc == 0 && o->client_cert)
		rc = read_pem(h, o->client_cert, (struct str){ 0 }, &h->cert.text, err);
	if (rc == 0 && o->client_key)
		rc = read_pem(h, o->client_key, (struct str){ 0 }, &h->key.text, err);
	return rc;
}

int http_open(const struct http_options *o, struct http **ret, struct err *err)
{
	int rc = curl_lib_load(!o->unix_socket, err);
	if (rc < 0)
		return rc;
	struct http *h = xcalloc(1, sizeof(*h));
	h->o = *o;
	h->stand_in = -1;
	h->arena = arena_new();
	h->easy = curl_lib.easy_init();
	/* A name need not be resolved where the connection is there. */
	if (o->connected_fd > 0)
		h->connect_to = curl_lib.slist_append(NULL, "::127.0.0.1:1");
	rc = h->easy ? read_files(h, err) : err_set(err, ERR_IO, "libcurl makes no handle");
	if (rc < 0) {
		http_close(h);
		return rc;
	}
	*ret = h;
	return 0;
}

static void close_pem(const struct http_pem *pem)
{
	uint64_t fd;
	struct str path = str_from(pem->path);
	if (str_skip(&path, STR("/proc/self/fd/")) && str_to_u64(path, &fd))
		(void)close((int)fd);
}

void http_close(struct http *h)
{
	if (!h)
		return;
	if (h->easy)
		curl_lib.easy_cleanup(h->easy);
	if (h->o.connected_fd > 0 && (!h->fd_used || h->stand_in >= 0))
		(void)close(h->o.connected_fd);
	close_pem(&h->authorities);
	close_pem(&h->cert);
	close_pem(&h->key);
	curl_lib.slist_free_all(h->connect_to);
	arena_free(h->arena);
	free(h);
}

struct str http_header(const struct http_response *r, const char *name)
{
	for (size_t i = 0; i < r->header_count; i++)
		if (str_eq(r->headers[i].name, str_from(name)))
			return r->headers[i].value;
	return (struct str){ 0 };
}

/* --- one request until it has its answer --- */

struct transfer {
	struct http *h;
	struct arena *a;
	const struct http_request *r;
	const struct http_sink *sink;
	struct buf *body, *error_body;
	/* Where it stands. */
	const char *url;
	enum http_method method;
	bool authorised;
	unsigned hops, tries_left, failures;
	bool begun;
	uint64_t got;        /* bytes that the sink has */
	uint64_t since;      /* of them, since the tries were counted anew */
	uint64_t size;
	struct str validator;
};

static void go_to_start(struct transfer *x)
{
	x->url = x->r->url;
	x->method = x->r->method;
	x->authorised = true;
	x->hops = 0;
}

static bool is_redirect(unsigned status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* RFC 9110 15.4. Once authorisation was dropped it stays so, also where a second redirect leads back. */
static int follow(struct transfer *x, const struct http_try *t, struct str location, struct err *err)
{
	const char *to = NULL;
	struct str host = http_url_host(x->a, x->url);
	if (++x->hops > HTTP_REDIRECTS_MAX)
		return err_set(err, ERR_NET, "%.*s: more than HTTP_REDIRECTS_MAX (%u) redirects", STR_ARG(host), HTTP_REDIRECTS_MAX);
	if (!http_url_resolve(x->a, x->url, location, &to))
		return err_set(err, ERR_NET, "%.*s redirects to what is no http address", STR_ARG(host));
	if (http_url_is_https(x->url) && !http_url_is_https(to))
		return err_set(err, ERR_NET, "%.*s redirects from https to http (%.*s): refused", STR_ARG(host),
		               STR_ARG(http_url_host(x->a, to)));
	x->authorised = x->authorised && http_url_same_origin(x->r->url, to);
	if (x->method == HTTP_POST && t->status != 307 && t->status != 308)
		x->method = HTTP_GET;
	/* What is posted may be a credential. */
	if (x->method == HTTP_POST && !http_url_same_origin(x->r->url, to))
		return err_set(err, ERR_NET, "%.*s redirects what is posted to %.*s: refused", STR_ARG(host),
		               STR_ARG(http_url_host(x->a, to)));
	x->url = to;
	return 0;
}

static void pause_ms(uint64_t ms)
{
	struct timespec rest = { .tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000 };
	while (nanosleep(&rest, &rest) < 0 && errno == EINTR)
		;
}

static unsigned tries_of(const struct transfer *x)
{
	return x->r->tries ? x->r->tries : x->h->o.tries ? x->h->o.tries : HTTP_TRIES;
}

/* Whether there is another try; waits for it. asked: seconds, 0: we choose. */
static bool again(struct transfer *x, long asked)
{
	if (x->since >= HTTP_PROGRESS_SIZE_MIN) {
		x->tries_left = tries_of(x);
		x->failures = 0;
		x->since = 0;
	}
	if (x->tries_left <= 1 || asked > (long)HTTP_RETRY_AFTER_SECONDS_MAX)
		return false;
	x->tries_left--;
	pause_ms(asked > 0 ? (uint64_t)asked * 1000 : (uint64_t)HTTP_PAUSE_MS_MIN << (x->failures < 6 ? x->failures : 6));
	x->failures++;
	return true;
}

/* A strong ETag, else a date (RFC 9110 13.1.5). */
static void learn_validator(struct transfer *x, const struct http_try *t)
{
	struct http_response seen = { .headers = t->headers.ptr, .header_count = t->headers.len };
	struct str etag = http_header(&seen, "etag");
	if (x->validator.len)
		return;
	x->validator = str_starts(etag, STR("\"")) ? etag : http_header(&seen, "last-modified");
}

static enum http_outcome try_once(struct transfer *x, struct http_try *t, struct err *err)
{
	*t = (struct http_try){
		.h = x->h, .a = x->a, .r = x->r, .method = x->method, .url = x->url, .authorised = x->authorised,
		.sink = x->sink, .body = x->body, .error_body = x->error_body, .begun = x->begun, .known_size = x->size,
		.from = x->r->from + x->got, .if_range = x->validator,
	};
	buf_clear(x->error_body);
	if (x->body)
		buf_clear(x->body);
	enum http_outcome outcome = http_try(t, err);
	x->begun = t->begun;
	x->got += t->given;
	x->since += t->given;
	if (x->sink && t->status >= 200 && t->status < 300) {
		learn_validator(x, t);
		x->size = t->size ? t->size : x->size;
	}
	return outcome;
}

static bool worth_waiting(unsigned status)
{
	return status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}

static void answer(const struct transfer *x, const struct http_try *t, struct http_response *ret)
{
	bool good = t->status >= 200 && t->status < 300;
	const struct buf *body = good ? x->body : x->error_body;
	*ret = (struct http_response){
		.status = t->status, .url = x->url, .headers = t->headers.ptr, .header_count = t->headers.len, .size = t->size,
	};
	if (body)
		ret->body = str_dup(x->a, buf_view(body));
}

/* A body that ends early without libcurl's noticing (no length was told) cannot be seen here: digests see it. */
static int run(struct transfer *x, struct http_response *ret, struct err *err)
{
	struct http_try t;
	for (;;) {
		enum http_outcome outcome = try_once(x, &t, err);
		struct http_response seen = { .headers = t.headers.ptr, .header_count = t.headers.len };
		struct str location = http_header(&seen, "location");
		if (outcome == HTTP_FAILED || (outcome == HTTP_BROKEN && !again(x, 0)))
			return err && err->code < 0 ? err->code : ERR_NET;
		if (outcome == HTTP_BROKEN) {
			go_to_start(x);
			continue;
		}
		if (is_redirect(t.status) && location.len) {
			int rc = follow(x, &t, location, err);
			if (rc < 0)
				return rc;
			continue;
		}
		if (worth_waiting(t.status) && again(x, t.retry_after)) {
			go_to_start(x);
			continue;
		}
		answer(x, &t, ret);
		return 0;
	}
}

static int start(struct transfer *x, struct http_response *ret, struct err *err)
{
	struct err own = { 0 };
	if (!http_url_valid(x->r->url))
		return err_set(err, ERR_FORMAT, "no http or https address");
	x->tries_left = tries_of(x);
	go_to_start(x);
	int rc = run(x, ret, &own);
	if (rc < 0)
		return err_set(err, rc, "%s", own.text);
	return 0;
}

int http_fetch(struct http *h, struct arena *a, const struct http_request *r, size_t size_max, struct http_response *ret,
               struct err *err)
{
	struct buf BUF_AUTO body = { 0 }, BUF_AUTO error_body = { 0 };
	buf_init(&body, size_max);
	buf_init(&error_body, HTTP_ERROR_BODY_MAX);
	struct transfer x = { .h = h, .a = a, .r = r, .body = &body, .error_body = &error_body };
	return start(&x, ret, err);
}

int http_stream(struct http *h, struct arena *a, const struct http_request *r, const struct http_sink *sink,
                struct http_response *ret, struct err *err)
{
	struct buf BUF_AUTO error_body = { 0 };
	buf_init(&error_body, HTTP_ERROR_BODY_MAX);
	struct transfer x = { .h = h, .a = a, .r = r, .sink = sink, .error_body = &error_body };
	return start(&x, ret, err);
}
