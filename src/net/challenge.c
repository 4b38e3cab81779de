/* See challenge.h. A token that is not followed by '=' begins the next challenge; values are tokens or quoted. */
#include "net/challenge.h"
#include "base/base.h"

static bool token_char(char c)
{
	return ascii_alnum(c) || (c && memchr("!#$%&'*+-.^_`|~/", c, 16));
}

static void skip(struct str *s, bool commas)
{
	while (s->len && (s->ptr[0] == ' ' || s->ptr[0] == '\t' || (commas && s->ptr[0] == ',')))
		*s = str_sub(*s, 1, s->len);
}

static struct str take_token(struct str *s)
{
	size_t n = 0;
	while (n < s->len && token_char(s->ptr[n]))
		n++;
	struct str token = str_sub(*s, 0, n);
	*s = str_sub(*s, n, s->len);
	return token;
}

/* With its backslashes undone; false: it does not end. */
static bool take_quoted(struct arena *a, struct str *s, struct str *ret)
{
	char *out = arena_alloc(a, s->len);
	size_t n = 0;
	for (size_t i = 1; i < s->len; i++) {
		if (s->ptr[i] == '"') {
			*ret = (struct str){ out, n };
			*s = str_sub(*s, i + 1, s->len);
			return true;
		}
		if (s->ptr[i] == '\\' && i + 1 < s->len)
			i++;
		out[n++] = s->ptr[i];
	}
	return false;
}

static bool take_value(struct arena *a, struct str *s, struct str *ret)
{
	if (s->len && s->ptr[0] == '"')
		return take_quoted(a, s, ret);
	*ret = take_token(s);
	while (s->len && s->ptr[0] == '=') /* the padding of a token68 */
		*s = str_sub(*s, 1, s->len);
	return true;
}

static void put_param(struct challenge *c, struct str name, struct str value)
{
	static const struct {
		struct str name;
		size_t at;
	} known[] = {
		{ STR_INIT("realm"), offsetof(struct challenge, realm) },
		{ STR_INIT("service"), offsetof(struct challenge, service) },
		{ STR_INIT("scope"), offsetof(struct challenge, scope) },
		{ STR_INIT("error"), offsetof(struct challenge, error) },
	};
	for (size_t i = 0; i < COUNT_OF(known); i++)
		if (str_eq_nocase(name, known[i].name))
			memcpy((char *)c + known[i].at, &value, sizeof(value));
}

size_t challenge_parse(struct arena *a, struct str value, struct challenge *ret, size_t max)
{
	size_t count = 0;
	struct str rest = value;
	for (;;) {
		skip(&rest, true);
		struct str token = take_token(&rest);
		if (token.len == 0)
			return count;
		struct str after = rest;
		skip(&after, false);
		if (after.len && after.ptr[0] == '=' && count > 0) {
			struct str text;
			rest = str_sub(after, 1, after.len);
			skip(&rest, false);
			if (!take_value(a, &rest, &text))
				return count;
			put_param(&ret[count - 1], token, text);
			continue;
		}
		if (count == max)
			return count;
		ret[count++] = (struct challenge){ .scheme = token };
	}
}
