/* URLs, by libcurl's own parser, so that what is compared here is what is connected to: see http_internal.h.
 * Must never let a URL with a user in it through: libcurl would send that along. */
#include "base/base.h"
#include "net/http_internal.h"

#define HTTP_URL_FLAGS (CURLU_DISALLOW_USER | CURLU_NO_DEFAULT_PORT)

static CURLU *parse(const char *url)
{
	CURLU *u = curl_lib.url();
	if (u && curl_lib.url_set(u, CURLUPART_URL, url, CURLU_DISALLOW_USER) == CURLUE_OK)
		return u;
	curl_lib.url_cleanup(u);
	return NULL;
}

/* A part, or the empty slice. */
static struct str part(struct arena *a, CURLU *u, CURLUPart which, unsigned flags)
{
	char *text = NULL;
	if (!u || curl_lib.url_get(u, which, &text, flags) != CURLUE_OK)
		return (struct str){ 0 };
	struct str copy = str_dup(a, str_from(text));
	curl_lib.free(text);
	return copy;
}

static bool is_http(struct arena *a, CURLU *u)
{
	struct str scheme = part(a, u, CURLUPART_SCHEME, 0);
	return str_eq(scheme, STR("https")) || str_eq(scheme, STR("http"));
}

bool http_url_valid(const char *url)
{
	struct arena *ARENA_AUTO a = arena_new();
	if (!url || strnlen(url, HTTP_URL_MAX) >= HTTP_URL_MAX)
		return false;
	CURLU *u = parse(url);
	bool good = u && is_http(a, u);
	curl_lib.url_cleanup(u);
	return good;
}

bool http_url_resolve(struct arena *a, const char *base, struct str location, const char **ret)
{
	if (location.len == 0 || location.len >= HTTP_URL_MAX || memchr(location.ptr, '\0', location.len))
		return false;
	CURLU *u = parse(base);
	const char *text = str_cstr(a, location);
	bool good = u && curl_lib.url_set(u, CURLUPART_URL, text, HTTP_URL_FLAGS) == CURLUE_OK && is_http(a, u);
	if (good) {
		/* A fragment is for the reader, not for the server. */
		(void)curl_lib.url_set(u, CURLUPART_FRAGMENT, NULL, 0);
		struct str whole = part(a, u, CURLUPART_URL, 0);
		good = whole.len > 0 && whole.len < HTTP_URL_MAX;
		*ret = good ? str_cstr(a, whole) : NULL;
	}
	curl_lib.url_cleanup(u);
	return good;
}

bool http_url_same_origin(const char *one, const char *other)
{
	struct arena *ARENA_AUTO a = arena_new();
	CURLU *x = parse(one), *y = parse(other);
	static const CURLUPart parts[] = { CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_PORT };
	bool same = x && y;
	for (size_t i = 0; same && i < COUNT_OF(parts); i++) {
		struct str p = part(a, x, parts[i], CURLU_DEFAULT_PORT), q = part(a, y, parts[i], CURLU_DEFAULT_PORT);
		same = p.len > 0 && str_eq_nocase(p, q);
	}
	curl_lib.url_cleanup(x);
	curl_lib.url_cleanup(y);
	return same;
}

bool http_url_is_https(const char *url)
{
	struct arena *ARENA_AUTO a = arena_new();
	CURLU *u = parse(url);
	bool is = str_eq(part(a, u, CURLUPART_SCHEME, 0), STR("https"));
	curl_lib.url_cleanup(u);
	return is;
}

struct str http_url_host(struct arena *a, const char *url)
{
	CURLU *u = parse(url);
	struct str host = part(a, u, CURLUPART_HOST, 0), port = part(a, u, CURLUPART_PORT, CURLU_NO_DEFAULT_PORT);
	curl_lib.url_cleanup(u);
	return port.len ? arena_printf(a, "%.*s:%.*s", STR_ARG(host), STR_ARG(port)) : host;
}

bool http_url_is_loopback(const char *url)
{
	struct arena *ARENA_AUTO a = arena_new();
	CURLU *u = parse(url);
	struct str host = part(a, u, CURLUPART_HOST, 0);
	curl_lib.url_cleanup(u);
	return str_eq_nocase(host, STR("localhost")) || str_eq(host, STR("[::1]")) ||
	       (host.len && str_starts(host, STR("127.")) && str_find(host, ':') < 0 && ascii_digit(host.ptr[host.len - 1]));
}

struct str http_url_words(struct arena *a, const char *url)
{
	struct str s = str_from(url);
	ptrdiff_t query = str_find(s, '?');
	return query < 0 ? s : arena_printf(a, "%.*s?...", STR_ARG(str_sub(s, 0, (size_t)query)));
}
