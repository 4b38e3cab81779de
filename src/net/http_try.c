/* One request and its answer: see http_internal.h. libcurl calls back with headers and bytes from strangers: every
 * count has a cap, and what has become too long, too large or too slow is ended from here.
 * Must never give a byte to the sink before the status and the place it begins at are known. */
#include "base/base.h"
#include "config.h"
#include "net/http_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- time --- */

static uint64_t ms_since(const struct timespec *then)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	int64_t ms = (int64_t)(now.tv_sec - then->tv_sec) * 1000 + (now.tv_nsec - then->tv_nsec) / 1000000;
	return ms > 0 ? (uint64_t)ms : 0;
}

/* Time that the taker of the bytes takes is not the peer's. */
static void forgive(struct http_try *t, uint64_t ms)
{
	t->mark.tv_sec += (time_t)(ms / 1000);
	t->mark.tv_nsec += (long)(ms % 1000) * 1000000;
	if (t->mark.tv_nsec >= 1000000000) {
		t->mark.tv_sec++;
		t->mark.tv_nsec -= 1000000000;
	}
}

/* --- headers --- */

static struct str clean_value(struct arena *a, struct str value)
{
	char *p = arena_alloc(a, value.len);
	for (size_t i = 0; i < value.len; i++)
		p[i] = (unsigned char)value.ptr[i] < 0x20 || value.ptr[i] == 0x7f ? ' ' : value.ptr[i];
	return str_trim((struct str){ p, value.len });
}

static size_t on_header(char *data, size_t size, size_t count, void *ctx)
{
	struct http_try *t = ctx;
	struct str line = { data, size * count };
	size_t all = line.len;
	t->headers_size += all;
	if (t->headers_size > HTTP_HEADERS_SIZE_MAX || t->headers.len >= HTTP_HEADERS_MAX) {
		t->end = HTTP_HEADERS_TOO_LARGE;
		return 0;
	}
	/* Each block of headers (a 100, what a proxy says) makes those before it void. */
	if (str_starts(line, STR("HTTP/"))) {
		t->headers.len = 0;
		return all;
	}
	struct str name;
	if (str_find(line, ':') > 0 && str_cut(&line, ':', &name))
		*vec_push(t->a, &t->headers) = (struct http_header){
			.name = str_lower(t->a, clean_value(t->a, name)),
			.value = clean_value(t->a, line),
		};
	return all;
}

static struct str header_of(const struct http_try *t, const char *name)
{
	struct http_response seen = { .headers = t->headers.ptr, .header_count = t->headers.len };
	return http_header(&seen, name);
}

/* "bytes FIRST-LAST/SIZE", SIZE may be "*". */
static bool content_range(struct str text, uint64_t *ret_first, uint64_t *ret_size)
{
	struct str first, last;
	if (!str_skip(&text, STR("bytes ")) || !str_cut(&text, '-', &first) || !str_cut(&text, '/', &last))
		return false;
	*ret_size = 0;
	return str_to_u64(str_trim(first), ret_first) && (str_eq(text, STR("*")) || str_to_u64(str_trim(text), ret_size));
}

static void learn_size(struct http_try *t)
{
	uint64_t first = 0;
	t->size = 0;
	if (t->status == 206 && content_range(header_of(t, "content-range"), &first, &t->size))
		return;
	(void)str_to_u64(header_of(t, "content-length"), &t->size);
}

static bool succeeded(const struct http_try *t)
{
	return t->status >= 200 && t->status < 300;
}

/* The head of the answer is whole: where its body begins must be where it was asked for. */
static bool body_begins(struct http_try *t)
{
	long status = 0;
	uint64_t first = 0, size = 0;
	(void)curl_lib.easy_getinfo(t->h->easy, CURLINFO_RESPONSE_CODE, &status);
	t->status = (unsigned)status;
	learn_size(t);
	if (!t->sink || !succeeded(t))
		return true;
	if (t->status == 206 && (!content_range(header_of(t, "content-range"), &first, &size) || first != t->from))
		t->end = HTTP_CHANGED;
	else if (t->known_size && t->size && t->size != t->known_size)
		t->end = HTTP_CHANGED;
	else if (t->from && t->status != 206) {
		/* From its start again. */
		bool known = t->r->immutable || (t->sink->begin && !t->begun);
		t->skip = t->r->immutable ? t->from : 0;
		t->end = known ? HTTP_GOES_ON : HTTP_CHANGED;
	}
	if (t->end == HTTP_GOES_ON && t->sink->begin && !t->begun) {
		struct http_response r = { .status = t->status, .url = t->url, .size = t->size };
		r.headers = t->headers.ptr;
		r.header_count = t->headers.len;
		if (!t->sink->begin(t->sink->ctx, &r))
			t->end = HTTP_SINK_ENDS;
	}
	t->begun = true;
	return t->end == HTTP_GOES_ON;
}

/* --- bytes --- */

static bool give(struct http_try *t, struct str bytes)
{
	size_t passed = t->skip < bytes.len ? (size_t)t->skip : bytes.len;
	t->skip -= passed;
	bytes = str_sub(bytes, passed, bytes.len);
	if (bytes.len == 0)
		return true;
	struct timespec before;
	(void)clock_gettime(CLOCK_MONOTONIC, &before);
	bool taken = t->sink->take(t->sink->ctx, bytes);
	forgive(t, ms_since(&before));
	t->given += taken ? bytes.len : 0;
	if (!taken)
		t->end = HTTP_SINK_ENDS;
	return taken;
}

static size_t on_body(char *data, size_t size, size_t count, void *ctx)
{
	struct http_try *t = ctx;
	struct str bytes = { data, size * count };
	if (t->status == 0 && !body_begins(t))
		return 0;
	t->marked += bytes.len;
	if (t->sink && succeeded(t))
		return give(t, bytes) ? bytes.len : 0;
	struct buf *to = succeeded(t) ? t->body : t->error_body;
	size_t room = to->max - to->len;
	if (bytes.len > room && succeeded(t))
		t->end = HTTP_TOO_LARGE;
	else if (bytes.len > room)
		t->end = HTTP_ENOUGH;
	(void)buf_put(to, str_sub(bytes, 0, room));
	return t->end == HTTP_GOES_ON ? bytes.len : 0;
}

static int on_progress(void *ctx, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up_now)
{
	struct http_try *t = ctx;
	(void)total;
	(void)now;
	(void)up_total;
	(void)up_now;
	uint64_t stall_ms = 1000u * (uint64_t)(t->h->o.stall_seconds ? t->h->o.stall_seconds : HTTP_STALL_SECONDS);
	if (ms_since(&t->mark) >= stall_ms) {
		if (t->marked < HTTP_STALL_SIZE_MIN)
			t->end = HTTP_STALLED;
		t->marked = 0;
		(void)clock_gettime(CLOCK_MONOTONIC, &t->mark);
	}
	if (!t->sink && ms_since(&t->started) >= 1000u * HTTP_FETCH_SECONDS_MAX)
		t->end = HTTP_TOO_LONG;
	if (t->sink && t->sink->progress && t->begun && ms_since(&t->told) >= 100) {
		(void)clock_gettime(CLOCK_MONOTONIC, &t->told);
		t->sink->progress(t->sink->ctx, t->from + t->given, t->size);
	}
	return t->end == HTTP_GOES_ON ? 0 : 1;
}

/* --- sockets that are there already --- */

/* libcurl 7.88 connects sockets of which it was told that they are connected (its issue 10626). So it gets one that can
 * be connected to nowhere at once, a datagram socket, and ours takes its number before the request is sent. */
static curl_socket_t on_open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct http *h = ctx;
	(void)purpose;
	if (h->fd_used)
		return CURL_SOCKET_BAD;
	h->fd_used = true;
	h->stand_in = socket(address->family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return h->stand_in < 0 ? CURL_SOCKET_BAD : h->stand_in;
}

static int on_request(void *ctx, char *there, char *here, int there_port, int here_port)
{
	struct http *h = ctx;
	(void)there;
	(void)here;
	(void)there_port;
	(void)here_port;
	if (h->stand_in < 0) /* a second request on the same connection */
		return CURL_PREREQFUNC_OK;
	int flags = fcntl(h->o.connected_fd, F_GETFL);
	if (flags < 0 || fcntl(h->o.connected_fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
	    dup3(h->o.connected_fd, h->stand_in, O_CLOEXEC) < 0)
		return CURL_PREREQFUNC_ABORT;
	(void)close(h->o.connected_fd);
	h->stand_in = -1;
	return CURL_PREREQFUNC_OK;
}

/* --- the request --- */

/* A value that would end its line would make headers of its own. */
static bool header_safe(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] < 0x20 || s.ptr[i] == 0x7f)
			return false;
	return true;
}

static bool add_header(struct http_try *t, struct curl_slist **list, struct str name, struct str value)
{
	if (!header_safe(name) || !header_safe(value) || name.len == 0)
		return false;
	/* libcurl leaves a header with an empty value out unless it ends in ';'. */
	struct str line = value.len ? arena_printf(t->a, "%.*s: %.*s", STR_ARG(name), STR_ARG(value))
	                            : arena_printf(t->a, "%.*s;", STR_ARG(name));
	struct curl_slist *longer = curl_lib.slist_append(*list, str_cstr(t->a, line));
	*list = longer ? longer : *list;
	return longer != NULL;
}

static bool make_headers(struct http_try *t, struct curl_slist **ret)
{
	struct curl_slist *list = NULL;
	bool good = true;
	for (size_t i = 0; i < t->r->header_count; i++)
		good = good && add_header(t, &list, t->r->headers[i].name, t->r->headers[i].value);
	if (t->authorised && t->r->authorization.len)
		good = good && add_header(t, &list, STR("Authorization"), t->r->authorization);
	if (t->from)
		good = good && add_header(t, &list, STR("Range"), arena_printf(t->a, "bytes=%ju-", (uintmax_t)t->from));
	if (t->from && t->if_range.len)
		good = good && add_header(t, &list, STR("If-Range"), t->if_range);
	/* Not "100-continue", whose answer some servers never give. */
	struct curl_slist *longer = curl_lib.slist_append(list, "Expect:");
	*ret = longer ? longer : list;
	return good && longer;
}

#define SET(option, value) (void)curl_lib.easy_setopt(e, option, value)

/* libcurl with GnuTLS takes no text but files. A confined worker makes none; a memfd has a name in /proc. */
static const char *as_file(struct http_pem *pem)
{
	int fd = pem->path[0] ? -1 : memfd_create("pem", MFD_CLOEXEC);
	if (fd >= 0 && write(fd, pem->text.ptr, pem->text.len) == (ssize_t)pem->text.len)
		(void)snprintf(pem->path, sizeof(pem->path), "/proc/self/fd/%d", fd);
	return pem->path;
}

static void set_pem(CURL *e, CURLoption text, CURLoption file, struct http_pem *pem)
{
	struct curl_blob blob = { .len = pem->text.len, .flags = CURL_BLOB_NOCOPY };
	union {
		const char *in;
		void *out;
	} same = { .in = pem->text.ptr };
	blob.data = same.out;
	if (pem->text.len == 0)
		return;
	if (curl_lib_wants_files())
		SET(file, as_file(pem));
	else
		SET(text, &blob);
}

static void set_tls(struct http *h, CURL *e)
{
	SET(CURLOPT_SSL_VERIFYPEER, h->o.insecure ? 0L : 1L);
	SET(CURLOPT_SSL_VERIFYHOST, h->o.insecure ? 0L : 2L);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (h->no_system || h->o.insecure)
		SET(CURLOPT_CAPATH, NULL);
	if (h->o.insecure)
		SET(CURLOPT_CAINFO, NULL); /* to read them takes longer than the rest */
	else if (h->authorities.text.len)
		set_pem(e, CURLOPT_CAINFO_BLOB, CURLOPT_CAINFO, &h->authorities);
	else if (curl_lib_authorities())
		SET(CURLOPT_CAINFO, curl_lib_authorities());
	set_pem(e, CURLOPT_SSLCERT_BLOB, CURLOPT_SSLCERT, &h->cert);
	set_pem(e, CURLOPT_SSLKEY_BLOB, CURLOPT_SSLKEY, &h->key);
}

static void set_way(struct http_try *t, CURL *e)
{
	struct http *h = t->h;
	const char *plain = getenv("HTTP_PROXY");
	if (h->o.unix_socket)
		SET(CURLOPT_UNIX_SOCKET_PATH, h->o.unix_socket);
	if (h->o.connected_fd > 0) {
		SET(CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
		SET(CURLOPT_OPENSOCKETDATA, h);
		SET(CURLOPT_PREREQFUNCTION, on_request);
		SET(CURLOPT_PREREQDATA, h);
		SET(CURLOPT_IPRESOLVE, (long)CURL_IPRESOLVE_V4);
		SET(CURLOPT_CONNECT_TO, h->connect_to);
	}
	if (h->o.unix_socket || h->o.connected_fd > 0 || http_url_is_loopback(t->url))
		SET(CURLOPT_PROXY, "");
	else if (h->o.proxy)
		SET(CURLOPT_PROXY, h->o.proxy);
	/* libcurl takes this one in lower case alone, for the sake of CGI programs. */
	else if (plain && !getenv("http_proxy") && !getenv("REQUEST_METHOD") && !http_url_is_https(t->url))
		SET(CURLOPT_PROXY, plain);
}

static void set_callbacks(struct http_try *t, CURL *e)
{
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, t);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, t);
	SET(CURLOPT_XFERINFOFUNCTION, on_progress);
	SET(CURLOPT_XFERINFODATA, t);
	SET(CURLOPT_NOPROGRESS, 0L);
}

static void set_request(struct http_try *t, CURL *e, const struct curl_slist *headers, char *words)
{
	SET(CURLOPT_ERRORBUFFER, words);
	SET(CURLOPT_URL, t->url);
	SET(CURLOPT_HTTPHEADER, headers);
	SET(CURLOPT_USERAGENT, "plimsoll/" PLIMSOLL_VERSION);
	SET(CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	SET(CURLOPT_CONNECTTIMEOUT, (long)HTTP_CONNECT_SECONDS);
	SET(CURLOPT_BUFFERSIZE, (long)(256 * KIB));
	if (t->method == HTTP_HEAD)
		SET(CURLOPT_NOBODY, 1L);
	if (t->method == HTTP_POST) {
		SET(CURLOPT_POST, 1L);
		SET(CURLOPT_POSTFIELDS, t->r->body.len ? t->r->body.ptr : "");
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->r->body.len);
	}
}

/* --- words --- */

static enum http_outcome ended_by_us(const struct http_try *t, struct str host, struct err *err)
{
	switch (t->end) {
	case HTTP_STALLED:
		(void)err_set(err, ERR_NET, "%.*s: time-out: it sends nothing, or next to nothing, any more", STR_ARG(host));
		return HTTP_BROKEN;
	case HTTP_TOO_LONG:
		(void)err_set(err, ERR_NET, "%.*s: time-out: its answer took longer than HTTP_FETCH_SECONDS_MAX (%u)", STR_ARG(host),
		              HTTP_FETCH_SECONDS_MAX);
		return HTTP_FAILED;
	case HTTP_TOO_LARGE:
		(void)err_set(err, ERR_LIMIT, "%.*s: its answer is larger than %zu bytes", STR_ARG(host), t->body->max);
		return HTTP_FAILED;
	case HTTP_HEADERS_TOO_LARGE:
		(void)err_set(err, ERR_LIMIT, "%.*s: the headers of its answer pass HTTP_HEADERS_SIZE_MAX (%zu) or HTTP_HEADERS_MAX (%u)",
		              STR_ARG(host), HTTP_HEADERS_SIZE_MAX, HTTP_HEADERS_MAX);
		return HTTP_FAILED;
	case HTTP_CHANGED:
		(void)err_set(err, ERR_NET, "%.*s: what it sends has changed, or cannot be resumed from byte %ju", STR_ARG(host),
		              (uintmax_t)t->from);
		return HTTP_FAILED;
	default:
		(void)err_set(err, ERR_IO, "the bytes from %.*s could not be taken", STR_ARG(host));
		return HTTP_FAILED;
	}
}

/* What libcurl says, as one of name, connection, TLS, time-out; and whether it may go better next time. */
static enum http_outcome ended_by_curl(const struct http_try *t, CURLcode code, const char *words, struct str host, struct err *err)
{
	const char *said = *words ? words : curl_lib.easy_strerror(code);
	long why = 0;
	(void)curl_lib.easy_getinfo(t->h->easy, CURLINFO_OS_ERRNO, &why);
	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		(void)err_set(err, ERR_NET, "the name of %.*s cannot be resolved: %s", STR_ARG(host), said);
		return HTTP_FAILED;
	case CURLE_COULDNT_CONNECT:
		(void)err_set(err, ERR_NET, "no connection to %s%.*s: %s%s%s", t->h->o.unix_socket ? t->h->o.unix_socket : "",
		              t->h->o.unix_socket ? 0 : str_len_int(host), host.ptr ? host.ptr : "", said, why ? ": " : "",
		              why ? strerror((int)why) : "");
		return HTTP_FAILED;
	case CURLE_OPERATION_TIMEDOUT:
		(void)err_set(err, ERR_NET, "no connection to %.*s: time-out after %u seconds", STR_ARG(host), HTTP_CONNECT_SECONDS);
		return HTTP_FAILED;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_ENGINE_INITFAILED:
	case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
	case CURLE_USE_SSL_FAILED:
		(void)err_set(err, ERR_NET, "TLS with %.*s: %s", STR_ARG(host), said);
		return HTTP_FAILED;
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_URL_MALFORMAT:
	case CURLE_WEIRD_SERVER_REPLY:
		(void)err_set(err, ERR_NET, "%.*s does not speak HTTP: %s", STR_ARG(host), said);
		return HTTP_FAILED;
	default:
		(void)err_set(err, ERR_NET, "the connection to %.*s broke: %s", STR_ARG(host), said);
		return HTTP_BROKEN;
	}
}

enum http_outcome http_try(struct http_try *t, struct err *err)
{
	char words[CURL_ERROR_SIZE] = { 0 };
	CURL *e = t->h->easy;
	struct curl_slist *headers = NULL;
	if (!make_headers(t, &headers)) {
		curl_lib.slist_free_all(headers);
		(void)err_set(err, ERR_FORMAT, "a header or credential with control characters in it is not sent");
		return HTTP_FAILED;
	}
	curl_lib.easy_reset(e);
	set_request(t, e, headers, words);
	set_callbacks(t, e);
	set_tls(t->h, e);
	set_way(t, e);
	(void)clock_gettime(CLOCK_MONOTONIC, &t->started);
	t->mark = t->told = t->started;
	CURLcode code = curl_lib.easy_perform(e);
	/* An answer without a body has not passed by there. */
	if (code == CURLE_OK && t->status == 0)
		(void)body_begins(t);
	curl_off_t after = 0;
	if (curl_lib.easy_getinfo(e, CURLINFO_RETRY_AFTER, &after) == CURLE_OK && after > 0)
		t->retry_after = after > 1000000 ? 1000000 : (long)after;
	struct str host = http_url_host(t->a, t->url);
	enum http_outcome outcome = HTTP_ANSWER;
	if (t->end != HTTP_GOES_ON && t->end != HTTP_ENOUGH)
		outcome = ended_by_us(t, host, err);
	else if (code != CURLE_OK && t->end != HTTP_ENOUGH)
		outcome = ended_by_curl(t, code, words, host, err);
	(void)curl_lib.easy_setopt(e, CURLOPT_HTTPHEADER, NULL);
	(void)curl_lib.easy_setopt(e, CURLOPT_ERRORBUFFER, NULL);
	curl_lib.slist_free_all(headers);
	return outcome;
}
