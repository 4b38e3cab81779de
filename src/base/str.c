/* Slices: see str.h. No locale, no allocation but in the caller's arena. */
#include "base/base.h"

#include <limits.h>
#include <string.h>

int str_len_int(struct str s)
{
	return s.len > INT_MAX ? INT_MAX : (int)s.len;
}

struct str str_from(const char *cstr)
{
	return cstr ? (struct str){ cstr, strlen(cstr) } : (struct str){ 0 };
}

bool str_eq(struct str a, struct str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool str_eq_nocase(struct str a, struct str b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (ascii_tolower(a.ptr[i]) != ascii_tolower(b.ptr[i]))
			return false;
	return true;
}

int str_cmp(struct str a, struct str b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int c = n ? memcmp(a.ptr, b.ptr, n) : 0;
	if (c != 0)
		return c;
	return (a.len > b.len) - (a.len < b.len);
}

bool str_starts(struct str s, struct str prefix)
{
	return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

bool str_ends(struct str s, struct str suffix)
{
	return s.len >= suffix.len &&
	       (suffix.len == 0 || memcmp(s.ptr + (s.len - suffix.len), suffix.ptr, suffix.len) == 0);
}

bool str_contains(struct str s, struct str needle)
{
	return str_find_str(s, needle) >= 0;
}

ptrdiff_t str_find(struct str s, char c)
{
	const char *at = s.len ? memchr(s.ptr, c, s.len) : NULL;
	return at ? at - s.ptr : -1;
}

ptrdiff_t str_rfind(struct str s, char c)
{
	const char *at = s.len ? memrchr(s.ptr, c, s.len) : NULL;
	return at ? at - s.ptr : -1;
}

ptrdiff_t str_find_str(struct str s, struct str needle)
{
	if (needle.len == 0)
		return 0;
	const char *at = s.len ? memmem(s.ptr, s.len, needle.ptr, needle.len) : NULL;
	return at ? at - s.ptr : -1;
}

struct str str_sub(struct str s, size_t from, size_t to)
{
	if (to > s.len)
		to = s.len;
	if (from > to)
		from = to;
	return s.ptr ? (struct str){ s.ptr + from, to - from } : (struct str){ 0 };
}

struct str str_trim(struct str s)
{
	while (s.len && ascii_space(s.ptr[0])) {
		s.ptr++;
		s.len--;
	}
	while (s.len && ascii_space(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

bool str_skip(struct str *s, struct str prefix)
{
	if (!str_starts(*s, prefix))
		return false;
	*s = str_sub(*s, prefix.len, s->len);
	return true;
}

bool str_drop(struct str *s, struct str suffix)
{
	if (!str_ends(*s, suffix))
		return false;
	s->len -= suffix.len;
	return true;
}

bool str_cut(struct str *rest, char sep, struct str *ret_head)
{
	if (!rest->ptr) {
		*ret_head = (struct str){ 0 };
		return false;
	}
	ptrdiff_t at = str_find(*rest, sep);
	if (at < 0) {
		*ret_head = *rest;
		*rest = (struct str){ 0 };
		return true;
	}
	*ret_head = str_sub(*rest, 0, (size_t)at);
	*rest = str_sub(*rest, (size_t)at + 1, rest->len);
	return true;
}

bool str_to_u64_base(struct str s, unsigned base, uint64_t *ret)
{
	uint64_t v = 0;
	if (s.len == 0)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		char c = ascii_tolower(s.ptr[i]);
		unsigned d;
		if (ascii_digit(c))
			d = (unsigned)(c - '0');
		else if (c >= 'a' && c <= 'f')
			d = (unsigned)(c - 'a') + 10;
		else
			return false;
		if (d >= base || __builtin_mul_overflow(v, (uint64_t)base, &v) ||
		    __builtin_add_overflow(v, (uint64_t)d, &v))
			return false;
	}
	*ret = v;
	return true;
}

bool str_to_u64(struct str s, uint64_t *ret)
{
	return str_to_u64_base(s, 10, ret);
}

struct str str_dup(struct arena *a, struct str s)
{
	return (struct str){ str_cstr(a, s), s.len };
}

struct str str_lower(struct arena *a, struct str s)
{
	char *p = str_cstr(a, s);
	for (size_t i = 0; i < s.len; i++)
		p[i] = ascii_tolower(p[i]);
	return (struct str){ p, s.len };
}

char *str_cstr(struct arena *a, struct str s)
{
	char *p = arena_alloc(a, s.len + 1);
	if (s.len)
		memcpy(p, s.ptr, s.len);
	p[s.len] = '\0';
	return p;
}

/* Does the set that starts at pattern[*at] == '[' hold c? Moves *at behind the closing bracket;
 * an unclosed set is an ordinary '['. */
static bool glob_set(struct str pattern, size_t *at, char c)
{
	size_t i = *at + 1;
	bool negate = i < pattern.len && (pattern.ptr[i] == '!' || pattern.ptr[i] == '^');
	bool hit = false;
	if (negate)
		i++;
	for (size_t first = i; i < pattern.len && (pattern.ptr[i] != ']' || i == first); i++) {
		char lo = pattern.ptr[i];
		char hi = lo;
		if (i + 2 < pattern.len && pattern.ptr[i + 1] == '-' && pattern.ptr[i + 2] != ']') {
			hi = pattern.ptr[i + 2];
			i += 2;
		}
		if ((unsigned char)c >= (unsigned char)lo && (unsigned char)c <= (unsigned char)hi)
			hit = true;
	}
	if (i >= pattern.len) {
		*at += 1;
		return c == '[';
	}
	*at = i + 1;
	return hit != negate && c != '/';
}

/* One pattern element against one byte; moves *at behind the element. */
static bool glob_one(struct str pattern, size_t *at, char c)
{
	char p = pattern.ptr[*at];
	if (p == '[')
		return glob_set(pattern, at, c);
	*at += 1;
	if (p == '?')
		return c != '/';
	if (p == '\\' && *at < pattern.len)
		p = pattern.ptr[(*at)++];
	return p == c;
}

/* The classic walk with one remembered star of each kind: when what follows the latest "*" cannot go on, that star
 * takes one byte more; when it may not (a slash), the latest "**" does. Nothing before the latest "**" ever needs
 * another try, so the walk is quadratic at worst. A "**" with its slash stands for whole folders, or for none. */
bool str_glob(struct str pattern, struct str text)
{
	size_t p = 0, t = 0;
	size_t star_p = SIZE_MAX, star_t = 0, deep_p = SIZE_MAX, deep_t = 0;
	bool deep_folders = false;

	for (;;) {
		if (p + 1 < pattern.len && pattern.ptr[p] == '*' && pattern.ptr[p + 1] == '*') {
			p += 2;
			deep_folders = p < pattern.len && pattern.ptr[p] == '/' && (t == 0 || text.ptr[t - 1] == '/');
			p += deep_folders;
			deep_p = p;
			deep_t = t;
			star_p = SIZE_MAX;
		} else if (p < pattern.len && pattern.ptr[p] == '*') {
			star_p = ++p;
			star_t = t;
		} else if (t == text.len && p == pattern.len) {
			return true;
		} else if (t < text.len && p < pattern.len && glob_one(pattern, &p, text.ptr[t])) {
			t++;
		} else if (star_p != SIZE_MAX && star_t < text.len && text.ptr[star_t] != '/') {
			p = star_p;
			t = ++star_t;
		} else if (deep_p != SIZE_MAX && deep_t < text.len) {
			do
				deep_t++;
			while (deep_folders && deep_t < text.len && text.ptr[deep_t - 1] != '/');
			p = deep_p;
			t = deep_t;
			star_p = SIZE_MAX;
		} else {
			return false;
		}
	}
}

/* FNV-1a with a final mix: short keys, tables of our own. */
uint64_t str_hash(struct str s)
{
	uint64_t h = STR_HASH_START;
	for (size_t i = 0; i < s.len; i++)
		h = str_hash_step(h, s.ptr[i]);
	return str_hash_finish(h);
}
