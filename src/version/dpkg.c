/* Debian versions: [epoch:]upstream[-revision], deb-version(7).
 * Must give the order of `dpkg --compare-versions` for everything that dpkg compares at all. What dpkg refuses to
 * compare still has a place: a part before the colon that is no number is no epoch but belongs to the version; an empty
 * revision or version is the empty string, which equals "0". */
#include "version/versions.h"

#include "base/base.h"
#include "version/digits.h"

#include <limits.h>

struct dpkg_version {
	struct str epoch, upstream, revision;
};

static bool all_digits(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!ascii_digit(s.ptr[i]))
			return false;
	return s.len > 0;
}

static struct dpkg_version split(struct str v)
{
	struct dpkg_version ret = { .upstream = str_trim(v) };
	ptrdiff_t colon = str_find(ret.upstream, ':');
	if (colon > 0 && all_digits(str_sub(ret.upstream, 0, (size_t)colon))) {
		ret.epoch = str_sub(ret.upstream, 0, (size_t)colon);
		ret.upstream = str_sub(ret.upstream, (size_t)colon + 1, ret.upstream.len);
	}
	ptrdiff_t dash = str_rfind(ret.upstream, '-');
	if (dash >= 0) {
		ret.revision = str_sub(ret.upstream, (size_t)dash + 1, ret.upstream.len);
		ret.upstream = str_sub(ret.upstream, 0, (size_t)dash);
	}
	return ret;
}

/* Where the byte at the front sorts: tilde, then the end and digits, then letters, then the rest. Bytes over 127 come
 * between letters and the rest, for dpkg on amd64 has signed characters; that order is kept on every machine. */
static int weight(struct str s)
{
	if (s.len == 0 || ascii_digit(s.ptr[0]))
		return 0;
	if (s.ptr[0] == '~')
		return -1;
	if (ascii_alpha(s.ptr[0]))
		return s.ptr[0];
	return (int8_t)s.ptr[0] + 256;
}

static int part_compare(struct str a, struct str b)
{
	while (a.len || b.len) {
		while ((a.len && !ascii_digit(a.ptr[0])) || (b.len && !ascii_digit(b.ptr[0]))) {
			int wa = weight(a), wb = weight(b);
			if (wa != wb)
				return wa < wb ? -1 : 1;
			a = str_sub(a, 1, a.len);
			b = str_sub(b, 1, b.len);
		}
		struct str na = digits_take(&a), nb = digits_take(&b);
		int c = digits_compare(na, nb);
		if (c != 0)
			return c;
	}
	return 0;
}

int dpkg_version_compare(struct str a, struct str b)
{
	struct dpkg_version va = split(a), vb = split(b);
	int c = digits_compare(va.epoch, vb.epoch);
	if (c == 0)
		c = part_compare(va.upstream, vb.upstream);
	return c ? c : part_compare(va.revision, vb.revision);
}

static bool only(struct str s, const char *allowed)
{
	for (size_t i = 0; i < s.len; i++)
		if (!ascii_alnum(s.ptr[i]) && (s.ptr[i] == '\0' || !strchr(allowed, s.ptr[i])))
			return false;
	return true;
}

bool dpkg_version_valid(struct str v)
{
	struct dpkg_version p = split(v);
	uint64_t epoch = 0;
	if (p.epoch.len && (!str_to_u64(p.epoch, &epoch) || epoch > INT_MAX))
		return false;
	if (p.upstream.len == 0 || !ascii_digit(p.upstream.ptr[0]))
		return false;
	if (str_find(v, '-') >= 0 && p.revision.len == 0)
		return false;
	return only(p.upstream, p.epoch.len ? ".+-~:" : ".+-~") && only(p.revision, ".+~");
}
