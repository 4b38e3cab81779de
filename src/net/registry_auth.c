/* Bearer tokens and Basic: see registry_auth.h. The realm is the registry's word: no credential goes there in the clear
 * where the registry itself was asked by https. */
#include "net/registry_auth.h"
#include "base/base.h"
#include "base/json.h"
#include "net/challenge.h"

struct str registry_credential_words(struct arena *a, const struct registry_endpoint *e)
{
	const struct credential *c = &e->credential;
	struct str trouble = c->trouble;
	if (c->kind == CREDENTIAL_NONE)
		return arena_printf(a, "without credentials, for none were found for %.*s%s%.*s%s", STR_ARG(e->host),
		                    trouble.len ? " (" : "", STR_ARG(trouble), trouble.len ? ")" : "");
	return arena_printf(a, "with the credentials of %.*s%s%.*s%s", STR_ARG(c->origin), c->username.len ? " (user " : "",
	                    STR_ARG(c->username), c->username.len ? ")" : "");
}

struct str registry_escape(struct arena *a, struct str s)
{
	static const char hex[] = "0123456789ABCDEF";
	char *out = arena_alloc(a, 3 * s.len);
	size_t n = 0;
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];
		if (ascii_alnum(s.ptr[i]) || c == '-' || c == '.' || c == '_' || c == '~') {
			out[n++] = s.ptr[i];
			continue;
		}
		out[n++] = '%';
		out[n++] = hex[c >> 4];
		out[n++] = hex[c & 15];
	}
	return (struct str){ out, n };
}

bool registry_token_of(struct arena *a, struct str answer, struct str *ret)
{
	struct value *root;
	if (json_parse(a, answer, &root, NULL) < 0)
		return false;
	struct str token = value_str(value_get(root, "token"));
	if (token.len == 0)
		token = value_str(value_get(root, "access_token"));
	if (token.len == 0 || token.len > TOKEN_LEN_MAX)
		return false;
	*ret = token;
	return true;
}

/* Each scope by itself: the services want them so. */
static void put_scopes(struct arena *a, struct buf *b, const struct registry_way *w, struct str scope)
{
	struct str one;
	if (scope.len == 0)
		scope = arena_printf(a, "repository:%.*s:pull", STR_ARG(w->e->path));
	while (str_cut(&scope, ' ', &one))
		if (one.len)
			(void)buf_printf(b, "&scope=%.*s", STR_ARG(registry_escape(a, one)));
}

static void put_get(struct arena *a, struct buf *b, const struct registry_way *w, const struct challenge *ch)
{
	const struct credential *c = &w->e->credential;
	(void)buf_printf(b, "%.*s%cclient_id=plimsoll", STR_ARG(ch->realm), str_find(ch->realm, '?') < 0 ? '?' : '&');
	if (ch->service.len)
		(void)buf_printf(b, "&service=%.*s", STR_ARG(registry_escape(a, ch->service)));
	put_scopes(a, b, w, ch->scope);
	if (c->kind == CREDENTIAL_PASSWORD)
		(void)buf_printf(b, "&account=%.*s", STR_ARG(registry_escape(a, c->username)));
}

static void put_post(struct arena *a, struct buf *b, const struct registry_way *w, const struct challenge *ch)
{
	struct str scope = ch->scope;
	if (scope.len == 0)
		scope = arena_printf(a, "repository:%.*s:pull", STR_ARG(w->e->path));
	(void)buf_printf(b, "grant_type=refresh_token&client_id=plimsoll&service=%.*s&scope=%.*s&refresh_token=%.*s",
	                 STR_ARG(registry_escape(a, ch->service)), STR_ARG(registry_escape(a, scope)),
	                 STR_ARG(registry_escape(a, w->e->credential.secret)));
}

static bool starts_https(struct str url)
{
	return url.len > 8 && str_eq_nocase(str_sub(url, 0, 8), STR("https://"));
}

static int ask_token(struct registry_way *w, struct arena *a, const struct challenge *ch, struct http_response *ret,
                     struct err *err)
{
	static const struct http_header form = { STR_INIT("Content-Type"), STR_INIT("application/x-www-form-urlencoded") };
	const struct credential *c = &w->e->credential;
	struct http_request q = { .method = HTTP_GET };
	struct buf BUF_AUTO b = { 0 };
	buf_init(&b, HTTP_URL_MAX + 4 * TOKEN_LEN_MAX);
	if (c->kind == CREDENTIAL_IDENTITY) {
		put_post(a, &b, w, ch);
		q.method = HTTP_POST;
		q.body = str_dup(a, buf_view(&b));
		q.headers = &form;
		q.header_count = 1;
		q.url = str_cstr(a, ch->realm);
	} else {
		put_get(a, &b, w, ch);
		q.url = str_cstr(a, buf_view(&b));
		if (c->kind == CREDENTIAL_PASSWORD)
			q.authorization = credential_basic(a, c->username, c->secret);
	}
	return http_fetch(w->http, a, &q, TOKEN_ANSWER_SIZE_MAX, ret, err);
}

static int take_token(struct registry_way *w, struct arena *a, const struct challenge *ch, struct err *err)
{
	struct http_response r;
	struct str token;
	const struct credential *c = &w->e->credential;
	bool secret = c->kind == CREDENTIAL_PASSWORD || c->kind == CREDENTIAL_IDENTITY;
	if (secret && !w->use_http && !starts_https(ch->realm))
		return err_set(err, ERR_ACCESS, "%.*s wants the credentials sent to %.*s, which is not https: refused",
		               STR_ARG(w->e->host), STR_ARG(ch->realm));
	int rc = ask_token(w, a, ch, &r, err);
	if (rc < 0)
		return err_wrap(err, "token service of %.*s", STR_ARG(w->e->host));
	if (r.status == 401 || r.status == 403 || r.status == 400)
		return err_set(err, ERR_ACCESS, "the token service of %.*s gives no token (status %u, %.*s) for %.*s, asked %.*s",
		               STR_ARG(w->e->host), r.status, STR_ARG(registry_error_words(a, r.body)), STR_ARG(w->e->path),
		               STR_ARG(registry_credential_words(a, w->e)));
	if (r.status != 200)
		return err_set(err, ERR_NET, "the token service of %.*s answers with status %u", STR_ARG(w->e->host), r.status);
	if (!registry_token_of(a, r.body, &token))
		return err_set(err, ERR_NET, "the token service of %.*s gives no token in its answer", STR_ARG(w->e->host));
	w->authorization = arena_printf(a, "Bearer %.*s", STR_ARG(token));
	return 0;
}

int registry_authorize(struct registry_way *w, struct arena *a, const struct http_response *r, struct err *err)
{
	struct challenge list[CHALLENGES_MAX];
	const struct challenge *bearer = NULL, *basic = NULL;
	const struct credential *c = &w->e->credential;
	size_t n = 0;
	for (size_t i = 0; i < r->header_count; i++)
		if (str_eq(r->headers[i].name, STR("www-authenticate")))
			n += challenge_parse(a, r->headers[i].value, list + n, CHALLENGES_MAX - n);
	for (size_t i = 0; i < n; i++) {
		if (!bearer && str_eq_nocase(list[i].scheme, STR("Bearer")) && list[i].realm.len)
			bearer = &list[i];
		if (!basic && str_eq_nocase(list[i].scheme, STR("Basic")))
			basic = &list[i];
	}
	if (c->kind == CREDENTIAL_BEARER) {
		w->authorization = arena_printf(a, "Bearer %.*s", STR_ARG(c->secret));
		return 0;
	}
	if (bearer)
		return take_token(w, a, bearer, err);
	if (basic && c->kind == CREDENTIAL_PASSWORD) {
		w->authorization = credential_basic(a, c->username, c->secret);
		return 0;
	}
	return err_set(err, ERR_ACCESS, "%.*s wants authentication%s, and was asked for %.*s %.*s", STR_ARG(w->e->host),
	               basic ? "" : n ? " of a kind that is not known" : ", not saying how", STR_ARG(w->e->path),
	               STR_ARG(registry_credential_words(a, w->e)));
}
