/* Version order: the public conformance files line by line, that each comparer is an order (antisymmetric, transitive)
 * over random text, what is valid, and `db compare` on streams. The comparison with the living tools is
 * test_versions_live. */
#include "base/base.h"
#include "version/versions.h"
#include "versions_random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>
#include <cmocka.h>

static int sign(int c)
{
	return (c > 0) - (c < 0);
}

/* One line "A < B"; false when it is none. */
static bool parse_case(struct str line, struct str *ret_a, int *ret_want, struct str *ret_b)
{
	static const char *const ops[] = { " < ", " = ", " > " };
	for (int i = 0; i < 3; i++) {
		ptrdiff_t at = str_find_str(line, str_from(ops[i]));
		if (at <= 0)
			continue;
		*ret_a = str_sub(line, 0, (size_t)at);
		*ret_b = str_sub(line, (size_t)at + 3, line.len);
		*ret_want = i - 1;
		return true;
	}
	return false;
}

static size_t run_file(const struct version_scheme *scheme, FILE *f, const char *path, size_t *wrong)
{
	char line[512];
	size_t count = 0;
	while (fgets(line, sizeof(line), f)) {
		struct str s = str_trim(str_from(line)), a, b;
		int want;
		if (s.len == 0 || s.ptr[0] == '#')
			continue;
		if (!parse_case(s, &a, &want, &b))
			fail_msg("%s: no comparison: %s", path, line);
		count++;
		int got = sign(scheme->compare(a, b)), back = sign(scheme->compare(b, a));
		if (got == want && back == -want)
			continue;
		(*wrong)++;
		print_error("%s: %.*s: got %d and %d\n", path, STR_ARG(s), got, back);
	}
	return count;
}

static void conformance(void **state)
{
	(void)state;
	static const struct {
		const char *scheme, *file;
		size_t count_min;
	} files[] = {
		{ "debian", "debian-versions.txt", 8 },  { "debian", "debian-versions-generated.txt", 3600 },
		{ "alpine", "alpine-versions.txt", 190 }, { "alpine", "alpine-versions-generated.txt", 3400 },
		{ "redhat", "redhat-versions.txt", 38 },
	};
	const char *shared = getenv("PLIMSOLL_SHARED");
	size_t total = 0, wrong = 0;
	for (size_t i = 0; i < COUNT_OF(files); i++) {
		char path[4096];
		(void)snprintf(path, sizeof(path), "%s/conformance/versions/%s", shared ? shared : ".", files[i].file);
		FILE *f = fopen(path, "r");
		if (!f) {
			print_message("skipped: no %s\n", path);
			skip();
		}
		size_t count = run_file(version_scheme_find(str_from(files[i].scheme)), f, path, &wrong);
		fclose(f);
		assert_true(count >= files[i].count_min);
		total += count;
	}
	print_message("%zu comparisons\n", total);
	assert_int_equal(wrong, 0);
}

/* What the public files leave out, each from the specification or from the tool itself (see test_versions_live). */
static void more_cases(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
		{ "debian", "1.0~rc1 < 1.0" },       { "debian", "1.0~~ < 1.0~" },
		{ "debian", "1.0+b1 > 1.0" },        { "debian", "2:0 > 1:9" },
		{ "debian", "0:1 = 1" },             { "debian", "1-0 = 1" },
		{ "debian", "1a < 1+" },             { "debian", "1-1-2 > 1-1-1" },
		{ "debian", "000:1 = 1" },           { "debian", "99999999999999999999:1 > 1:1" },
		{ "debian", "1.18446744073709551616 > 1.18446744073709551615" },
		{ "debian", "1.2.3-1~deb12u1 < 1.2.3-1" }, { "debian", "1 < a" },
		{ "alpine", "1.010 < 1.09" },        { "alpine", "1.0_alpha < 1.0_beta" },
		{ "alpine", "1.0_beta < 1.0_pre" },  { "alpine", "1.0_pre < 1.0_rc" },
		{ "alpine", "1.0_rc9 < 1.0" },       { "alpine", "1.0 < 1.0_cvs" },
		{ "alpine", "1.0_cvs < 1.0_svn" },   { "alpine", "1.0_git < 1.0_hg" },
		{ "alpine", "1.0_hg < 1.0_p" },      { "alpine", "1.0_alpha_pre2 < 1.0_alpha" },
		{ "alpine", "1.0~ab < 1.0~ac" },     { "alpine", "1.0~ab > 1.0" },
		{ "alpine", "1.0~ab-r1 < 1.0~ab-r2" }, { "alpine", "1.0 > 1.0." },
		{ "alpine", "1.0_blah < 1.0" },      { "alpine", "1.0_alpha < 1.0_blah" },
		{ "alpine", "1.0-r1 > 1.0" },        { "alpine", "1.0a < 1.0.1" },
		{ "alpine", "6.0.2p1 < 6.0.2p" },    { "alpine", "6.0.2p9-r1 < 6.0.2p10-r0" },
		{ "alpine", "1.0_p20230101 < 1.0_p20230102" }, { "alpine", "1.0.0_pre20191002222144-r0 < 1.0.0_pre20210530193627-r0" },
		{ "redhat", "1.0~rc1 < 1.0" },       { "redhat", "1.0^a > 1.0" },
		{ "redhat", "1.0^a < 1.0.1" },       { "redhat", "1-5 = 1" },
		{ "redhat", "1 = 1-5" },             { "redhat", "1:1-1 > 2-1" },
		{ "redhat", "a < 1" },               { "redhat", "1.a < 1.1" },
		{ "redhat", "10 > 9" },              { "redhat", "1.el8 < 1.el8_1" },
		{ "redhat", "99999999999999999999999 > 99999999999999999999998" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct str a, b;
		int want;
		assert_true(parse_case(str_from(cases[i][1]), &a, &want, &b));
		const struct version_scheme *s = version_scheme_find(str_from(cases[i][0]));
		if (sign(s->compare(a, b)) != want || sign(s->compare(b, a)) != -want)
			fail_msg("%s: %s", cases[i][0], cases[i][1]);
	}
}

static void an_empty_version_is_no_crash(void **state)
{
	(void)state;
	for (size_t i = 0; i < version_scheme_count; i++) {
		const struct version_scheme *s = &version_schemes[i];
		struct str null = { 0 };
		assert_int_equal(s->compare(null, STR("")), 0);
		assert_true(s->compare(null, STR("1")) < 0);
		assert_true(s->compare(STR("1"), null) > 0);
		assert_false(s->valid(null));
		assert_false(s->valid(STR("")));
		assert_false(s->valid(((struct str){ "1\0", 2 })));
	}
}

/* Triples that share parts, so that ties and near ties are frequent. */
static void each_is_an_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < version_scheme_count; i++) {
		const struct version_scheme *s = &version_schemes[i];
		bool redhat = str_eq(str_from(s->name), STR("redhat"));
		uint64_t seed = 42 + i;
		size_t ties = 0;
		for (int n = 0; n < 300000; n++) {
			char text[3][RANDOM_VERSION_MAX];
			struct str v[3];
			for (int k = 0; k < 3; k++) {
				random_version(&seed, s->name, k ? v[0] : (struct str){ 0 }, text[k], &v[k]);
				/* redhat orders versions that all have a release, see rpm.c */
				if (redhat) {
					(void)snprintf(text[k] + v[k].len, 3, "-1");
					v[k].len += 2;
				}
			}
			int ab = sign(s->compare(v[0], v[1])), bc = sign(s->compare(v[1], v[2]));
			int ac = sign(s->compare(v[0], v[2]));
			ties += ab == 0;
			bool fine = ab == -sign(s->compare(v[1], v[0])) && s->compare(v[0], v[0]) == 0;
			if (ab == bc || bc == 0)
				fine = fine && ac == ab;
			if (ab == 0)
				fine = fine && ac == bc;
			if (!fine)
				fail_msg("%s: %.*s %.*s %.*s: %d %d %d", s->name, STR_ARG(v[0]), STR_ARG(v[1]),
				         STR_ARG(v[2]), ab, bc, ac);
		}
		assert_true(ties > 1000);
	}
}

static void schemes_are_found_by_any_name(void **state)
{
	(void)state;
	assert_ptr_equal(version_scheme_find(STR("apk")), version_scheme_find(STR("alpine")));
	assert_ptr_equal(version_scheme_find(STR("RPM")), version_scheme_find(STR("redhat")));
	assert_ptr_equal(version_scheme_find(STR("dpkg")), version_scheme_find(STR("Debian")));
	assert_null(version_scheme_find(STR("")));
	assert_null(version_scheme_find(STR("deb ")));
}

static void what_is_valid(void **state)
{
	(void)state;
	static const struct {
		const char *scheme, *version;
		bool valid;
	} cases[] = {
		{ "debian", "1:2.3~rc1+dfsg-4+deb12u1", true }, { "debian", "1-", false },
		{ "debian", ":1", false },        { "debian", "a:1", false },  { "debian", "1:", false },
		{ "debian", "1_2", false },       { "debian", "1 2", false },  { "debian", "2147483648:1", false },
		{ "debian", "2147483647:1", true }, { "debian", "1:2:3", true }, { "debian", "v1", false },
		{ "debian", "1:2-", false },      { "debian", "1.2-3-4", true },
		{ "alpine", "1.2.3a_rc1_p2~0af-r4", true }, { "alpine", "1.2.3aa", false },
		{ "alpine", "1..2", false },      { "alpine", "1.2-r", false }, { "alpine", "1.2-r1-r2", false },
		{ "alpine", "1.2_foo", false },   { "alpine", "1.2~", false }, { "alpine", "1.2~AB", false },
		{ "alpine", "1.2-r1~ab", false }, { "alpine", "1~ab~cd", false }, { "alpine", "a", false },    { "alpine", "1.2_p_p1", true },
		{ "redhat", "1:2.3~rc1^git4-5.el9", true }, { "redhat", "1-", false }, { "redhat", "1 2", false },
		{ "redhat", "1-2-3", false },     { "redhat", ":1", false },   { "redhat", "5.el9_DOT_2", true },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		if (version_scheme_find(str_from(cases[i].scheme))->valid(str_from(cases[i].version)) != cases[i].valid)
			fail_msg("%s: %s", cases[i].scheme, cases[i].version);
}

static int stream(struct str in, char *out, size_t out_size, struct err *err)
{
	FILE *i = fmemopen(NULL, in.len + 1, "w+"), *o = fmemopen(out, out_size, "w");
	assert_true(i && o);
	(void)fwrite(in.ptr, 1, in.len, i);
	rewind(i);
	/* fmemopen ends at what was written, not at its size */
	int rc = versions_compare_stream(version_scheme_find(STR("debian")), i, o, err);
	fclose(i);
	fclose(o);
	return rc;
}

static void streams(void **state)
{
	(void)state;
	static const struct {
		const char *in, *out;
		int rc;
		const char *says;
	} cases[] = {
		{ "", "", 0, "" },
		{ "1 2\n2 1\n1 1-0\n", "<\n>\n=\n", 0, "" },
		{ "1 2", "<\n", 0, "" },
		{ " 1\t 2 \r\n", "<\n", 0, "" },
		{ "1 2\n1\n", "<\n", ERR_FORMAT, "line 2" },
		{ "1 2\n\n", "<\n", ERR_FORMAT, "line 2" },
		{ "1 2 3\n", "", ERR_FORMAT, "line 1" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char out[64] = "";
		struct err err = { 0 };
		assert_int_equal(stream(str_from(cases[i].in), out, sizeof(out), &err), cases[i].rc);
		assert_string_equal(out, cases[i].out);
		assert_true(str_starts(str_from(err.text), str_from(cases[i].says)));
	}
}

static void a_stream_without_an_end_of_line_is_bounded(void **state)
{
	(void)state;
	char out[8] = "";
	struct err err = { 0 };
	char *big = xmalloc(4 * MIB);
	memset(big, '1', 4 * MIB);
	memcpy(big, "1 2\n", 4);
	assert_int_equal(stream((struct str){ big, 4 * MIB }, out, sizeof(out), &err), ERR_LIMIT);
	assert_string_equal(out, "<\n");
	assert_non_null(strstr(err.text, "line 2"));
	free(big);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conformance),
		cmocka_unit_test(more_cases),
		cmocka_unit_test(an_empty_version_is_no_crash),
		cmocka_unit_test(each_is_an_order),
		cmocka_unit_test(schemes_are_found_by_any_name),
		cmocka_unit_test(what_is_valid),
		cmocka_unit_test(streams),
		cmocka_unit_test(a_stream_without_an_end_of_line_is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
