/* RPM versions: [epoch:]version[-release], ordered as rpm orders labels (rpm-version(7)), with ~ (before) and ^ (after).
 * Must give the order of rpm's own vercmp for any bytes; bytes that are no ASCII letter or digit, nor ~ or ^, only
 * separate. A side without a release equals the other in it, as in rpm's dependencies; one whose release is there but
 * empty ("1-", which rpm never writes) comes after one that has none. So mixed versions with and without release are
 * no order: two releases of one version both equal the bare version. */
#include "version/versions.h"

#include "base/base.h"
#include "version/digits.h"

struct rpm_version {
	struct str epoch, version, release;
	bool has_release;
};

/* rpm cuts at the first colon if only digits (or nothing) stand before it, and at the last dash after that. */
static struct rpm_version split(struct str v)
{
	struct rpm_version ret = { .version = v };
	struct str rest = v;
	struct str digits = digits_take(&rest);
	if (rest.len && rest.ptr[0] == ':') {
		ret.epoch = digits;
		ret.version = str_sub(rest, 1, rest.len);
	}
	/* The last dash stands behind the colon or there is none: digits hold no dash. */
	ptrdiff_t dash = str_rfind(ret.version, '-');
	if (dash >= 0) {
		ret.has_release = true;
		ret.release = str_sub(ret.version, (size_t)dash + 1, ret.version.len);
		ret.version = str_sub(ret.version, 0, (size_t)dash);
	}
	return ret;
}

static void skip_separators(struct str *s)
{
	size_t n = 0;
	while (n < s->len && !ascii_alnum(s->ptr[n]) && s->ptr[n] != '~' && s->ptr[n] != '^')
		n++;
	*s = str_sub(*s, n, s->len);
}

static struct str take_letters(struct str *s)
{
	size_t n = 0;
	while (n < s->len && ascii_alpha(s->ptr[n]))
		n++;
	struct str run = str_sub(*s, 0, n);
	*s = str_sub(*s, n, s->len);
	return run;
}

/* A mark that both sides may have: 0 with *ret_both where both had it (and it is taken), 0 where neither. has_it and
 * ended give the verdict on the side that has it against one that goes on otherwise, or has ended. */
static int mark_compare(struct str *a, struct str *b, char mark, int ended, bool *ret_both)
{
	bool ma = a->len && a->ptr[0] == mark, mb = b->len && b->ptr[0] == mark;
	*ret_both = ma && mb;
	if (ma && mb) {
		*a = str_sub(*a, 1, a->len);
		*b = str_sub(*b, 1, b->len);
	} else if (ma) {
		return b->len ? -1 : ended;
	} else if (mb) {
		return a->len ? 1 : -ended;
	}
	return 0;
}

/* Segments of digits or letters from the left; a number beats letters, more segments beat fewer. */
static int part_compare(struct str a, struct str b)
{
	for (;;) {
		bool both;
		skip_separators(&a);
		skip_separators(&b);
		int c = mark_compare(&a, &b, '~', -1, &both);
		if (c != 0)
			return c;
		if (both)
			continue;
		c = mark_compare(&a, &b, '^', 1, &both);
		if (c != 0)
			return c;
		if (both)
			continue;
		if (a.len == 0 || b.len == 0)
			return (a.len > 0) - (b.len > 0);
		bool number = ascii_digit(a.ptr[0]);
		struct str sa = number ? digits_take(&a) : take_letters(&a);
		struct str sb = number ? digits_take(&b) : take_letters(&b);
		if (sb.len == 0)
			return number ? 1 : -1;
		c = number ? digits_compare(sa, sb) : str_cmp(sa, sb);
		if (c != 0)
			return c;
	}
}

int rpm_version_compare(struct str a, struct str b)
{
	struct rpm_version va = split(a), vb = split(b);
	int c = digits_compare(va.epoch, vb.epoch);
	if (c == 0)
		c = part_compare(va.version, vb.version);
	if (c != 0)
		return c;
	if (va.has_release && vb.has_release)
		return part_compare(va.release, vb.release);
	return (va.has_release && va.release.len == 0) - (vb.has_release && vb.release.len == 0);
}

/* The characters that rpm allows in the tags, and the parts that must not be empty. */
bool rpm_version_valid(struct str v)
{
	struct rpm_version p = split(v);
	if (p.version.len == 0 || (p.has_release && p.release.len == 0) || v.ptr[0] == ':')
		return false;
	struct str part[] = { p.version, p.release };
	for (size_t n = 0; n < COUNT_OF(part); n++)
		for (size_t i = 0; i < part[n].len; i++)
			if (!ascii_alnum(part[n].ptr[i]) &&
			    (part[n].ptr[i] == '\0' || !strchr("._+~^%{}", part[n].ptr[i])))
				return false;
	return true;
}
