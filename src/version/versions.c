/* The table of version schemes, and `db compare`, which is the comparers on lines of text.
 * To add one: a file with its compare and valid, a row here, its conformance file in tests/unit/test_versions.c. */
#include "version/versions.h"

#include "base/base.h"

static const char *const alpine_aliases[] = { "apk", NULL };
static const char *const debian_aliases[] = { "dpkg", "deb", NULL };
static const char *const redhat_aliases[] = { "rpm", NULL };

const struct version_scheme version_schemes[] = {
	{ "debian", debian_aliases, dpkg_version_compare, dpkg_version_valid },
	{ "alpine", alpine_aliases, apk_version_compare, apk_version_valid },
	{ "redhat", redhat_aliases, rpm_version_compare, rpm_version_valid },
};
const size_t version_scheme_count = COUNT_OF(version_schemes);

static bool named(const struct version_scheme *scheme, struct str name)
{
	if (str_eq_nocase(name, str_from(scheme->name)))
		return true;
	for (const char *const *alias = scheme->aliases; alias && *alias; alias++)
		if (str_eq_nocase(name, str_from(*alias)))
			return true;
	return false;
}

const struct version_scheme *version_scheme_find(struct str name)
{
	for (size_t i = 0; i < version_scheme_count; i++)
		if (named(&version_schemes[i], name))
			return &version_schemes[i];
	return NULL;
}

/* Two versions, blanks around and between. */
#define LINE_LEN_MAX (2 * VERSION_LEN_MAX + 64)

/* One line without its end into line. 1, 0 at the end of input, ERR_LIMIT. */
static int read_line(FILE *in, char line[LINE_LEN_MAX], size_t *ret_len)
{
	size_t n = 0;
	int c;
	while ((c = getc_unlocked(in)) != EOF && c != '\n') {
		if (n == LINE_LEN_MAX)
			return ERR_LIMIT;
		line[n++] = (char)c;
	}
	*ret_len = n;
	return c == EOF && n == 0 ? 0 : 1;
}

static struct str take_word(struct str *rest)
{
	size_t n = 0;
	*rest = str_trim(*rest);
	while (n < rest->len && !ascii_space(rest->ptr[n]))
		n++;
	struct str word = str_sub(*rest, 0, n);
	*rest = str_sub(*rest, n, rest->len);
	return word;
}

int versions_compare_stream(const struct version_scheme *scheme, FILE *in, FILE *out, struct err *err)
{
	char line[LINE_LEN_MAX];
	size_t len = 0;
	int got;
	for (unsigned long number = 1; (got = read_line(in, line, &len)) != 0; number++) {
		struct str rest = { line, len };
		struct str a = take_word(&rest), b = take_word(&rest);
		if (got < 0 || a.len > VERSION_LEN_MAX || b.len > VERSION_LEN_MAX)
			return err_set(err, ERR_LIMIT, "line %lu: a version is longer than VERSION_LEN_MAX", number);
		if (b.len == 0 || str_trim(rest).len)
			return err_set(err, ERR_FORMAT, "line %lu: expected two versions", number);
		int c = scheme->compare(a, b);
		if (fputs(c < 0 ? "<\n" : c > 0 ? ">\n" : "=\n", out) == EOF)
			return err_set(err, ERR_IO, "write: %m");
	}
	if (ferror(in))
		return err_set(err, ERR_IO, "read: %m");
	if (fflush(out) != 0)
		return err_set(err, ERR_IO, "write: %m");
	return 0;
}
