/* TOML: the public suite (toml-test, for TOML 1.0) where it is there, and cases of our own where it is not. */
#include "base/toml.h"
#include "base/base.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/number.h"
#include "shared_data.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

/* --- the suite --- */

static bool same_double(struct str expected, double is)
{
	if (str_contains(expected, STR("nan")))
		return isnan(is);
	if (str_ends(expected, STR("inf")))
		return isinf(is) && (is < 0) == str_starts(expected, STR("-"));
	(void)str_skip(&expected, STR("+"));
	return number_from_text(expected) == is;
}

/* A date and time without the zeros that end a fraction of a second, which the suite fills up. */
static struct str plain_moment(struct arena *a, struct str s)
{
	ptrdiff_t point = str_find(s, '.');
	size_t end = point < 0 ? s.len : (size_t)point + 1;
	while (end < s.len && ascii_digit(s.ptr[end]))
		end++;
	size_t kept = end;
	while (point >= 0 && s.ptr[kept - 1] == '0')
		kept--;
	return arena_printf(a, "%.*s%.*s", STR_ARG(str_sub(s, 0, kept)), STR_ARG(str_sub(s, end, s.len)));
}

/* {"type": ..., "value": "..."} against a scalar. */
static bool same_scalar(const struct value *expected, const struct value *is)
{
	struct arena *ARENA_AUTO a = arena_new();
	struct str type = value_str(value_get(expected, "type")), text = value_str(value_get(expected, "value"));
	if (str_eq(type, STR("string")))
		return value_is(is, VALUE_STRING) && str_eq(value_str(is), text);
	if (str_eq(type, STR("integer"))) {
		struct str s = arena_printf(a, "%jd", value_is(is, VALUE_INT) ? (intmax_t)is->integer : 0);
		(void)str_skip(&text, STR("+"));
		return value_is(is, VALUE_INT) && str_eq(s, text);
	}
	if (str_eq(type, STR("float")))
		return value_is(is, VALUE_DOUBLE) && same_double(text, is->number);
	if (str_eq(type, STR("bool")))
		return value_is(is, VALUE_BOOL) && value_bool(is) == str_eq(text, STR("true"));
	return value_is(is, VALUE_STRING) && str_eq(plain_moment(a, value_str(is)), plain_moment(a, text));
}

static bool same(const struct value *expected, const struct value *is)
{
	if (value_is(expected, VALUE_LIST)) {
		bool good = value_is(is, VALUE_LIST) && value_len(expected) == value_len(is);
		for (size_t i = 0; good && i < value_len(is); i++)
			good = same(value_at(expected, i), value_at(is, i));
		return good;
	}
	if (value_is(value_get(expected, "type"), VALUE_STRING) && value_is(value_get(expected, "value"), VALUE_STRING) &&
	    value_len(expected) == 2)
		return same_scalar(expected, is);
	bool good = value_is(is, VALUE_MAP) && value_len(expected) == value_len(is);
	for (size_t i = 0; good && i < expected->map.len; i++) {
		const struct value *other = value_get_str(is, expected->map.pairs[i].key);
		good = other && same(expected->map.pairs[i].value, other);
	}
	return good;
}

static bool valid_case(struct arena *a, const char *folder, struct str name)
{
	struct str text, json;
	struct value *is, *expected;
	struct err err = { 0 };
	struct str stem = str_sub(name, 0, name.len - 5);
	assert_int_equal(fs_read(a, arena_printf(a, "%s/%.*s", folder, STR_ARG(name)).ptr, MIB, &text, NULL), 0);
	assert_int_equal(fs_read(a, arena_printf(a, "%s/%.*s.json", folder, STR_ARG(stem)).ptr, MIB, &json, NULL), 0);
	assert_int_equal(json_parse(a, json, &expected, NULL), 0);
	if (toml_parse(a, text, &is, &err) < 0)
		print_error("%.*s: %s\n", STR_ARG(name), err.text);
	else if (same(expected, is))
		return true;
	else
		print_error("%.*s: another tree\n", STR_ARG(name));
	return false;
}

static bool invalid_case(struct arena *a, const char *folder, struct str name)
{
	struct str text;
	struct value *is;
	struct err err = { 0 };
	assert_int_equal(fs_read(a, arena_printf(a, "%s/%.*s", folder, STR_ARG(name)).ptr, MIB, &text, NULL), 0);
	int rc = toml_parse(a, text, &is, &err);
	if (rc != ERR_FORMAT)
		print_error("%.*s: taken\n", STR_ARG(name));
	return rc == ERR_FORMAT;
}

static void public_suite(void **state)
{
	(void)state;
	char folder[] = "/tmp/plimsoll-toml-XXXXXX", archive[1024];
	const char *shared = getenv("PLIMSOLL_SHARED");
	struct str list, name;
	(void)snprintf(archive, sizeof(archive), "%s/conformance/toml/toml-test.tar.gz", shared ? shared : ".");
	if (access(archive, R_OK) != 0) {
		print_message("skipped: no toml-test suite\n");
		skip();
	}
	struct arena *ARENA_AUTO a = arena_new();
	assert_non_null(mkdtemp(folder));
	assert_int_equal(system(arena_printf(a, "tar -C %s -xzf %s", folder, archive).ptr), 0);
	char *tests = str_cstr(a, arena_printf(a, "%s/tests", folder));
	assert_int_equal(fs_read(a, arena_printf(a, "%s/files-toml-1.0.0", tests).ptr, MIB, &list, NULL), 0);
	unsigned valid = 0, invalid = 0, wrong = 0;
	while (str_cut(&list, '\n', &name)) {
		if (!str_ends(name, STR(".toml")))
			continue;
		bool bad = str_starts(name, STR("invalid/"));
		bool good = bad ? invalid_case(a, tests, name) : valid_case(a, tests, name);
		wrong += !good;
		valid += !bad;
		invalid += bad;
	}
	print_message("    %u valid and %u invalid files, %u wrong\n", valid, invalid, wrong);
	(void)!system(arena_printf(a, "rm -rf %s", folder).ptr);
	assert_true(valid > 150 && invalid > 300);
	assert_int_equal(wrong, 0);
}

/* --- our own --- */

static void small_files(void **state)
{
	(void)state;
	struct arena *ARENA_AUTO a = arena_new();
	struct value *v;
	struct err err = { 0 };
	struct str text = STR("unqualified-search-registries = [\"docker.io\", 'quay.io']\n"
	                      "[[registry]]\nprefix = \"a/b\"\nlocation=\"c:5000/b\"\n"
	                      "[[registry.mirror]]\nlocation = \"m1\"\ninsecure = true # yes\n"
	                      "[[registry.mirror]]\nlocation = \"m2\"\n"
	                      "[[registry]]\nlocation = \"d\"\n[aliases]\n\"nginx\" = \"docker.io/library/nginx\"\nn.m = 1_000\n");
	assert_int_equal(toml_parse(a, text, &v, &err), 0);
	assert_int_equal(value_len(value_get(v, "registry")), 2);
	const struct value *mirrors = value_get(value_at(value_get(v, "registry"), 0), "mirror");
	assert_int_equal(value_len(mirrors), 2);
	assert_true(value_bool(value_get(value_at(mirrors, 0), "insecure")));
	int64_t n = 0;
	assert_true(value_int(value_get(value_get(value_get(v, "aliases"), "n"), "m"), &n) && n == 1000);
	assert_int_equal(toml_parse(a, STR("a = 1\na = 2\n"), &v, &err), ERR_FORMAT);
	assert_true(str_contains(str_from(err.text), STR("line 2")));
	assert_int_equal(toml_parse(a, STR("[a]\n[a]\n"), &v, &err), ERR_FORMAT);
	assert_int_equal(toml_parse(a, STR("a = {b = 1}\n[a.c]\n"), &v, &err), ERR_FORMAT);
	assert_int_equal(toml_parse(a, STR("a = \"\xff\""), &v, &err), ERR_FORMAT);
}

static void hostile(void **state)
{
	(void)state;
	struct arena *ARENA_AUTO a = arena_new();
	struct value *v;
	struct err err = { 0 };
	struct buf BUF_AUTO b = { 0 };
	buf_init(&b, TOML_SIZE_MAX);
	(void)buf_put(&b, STR("a = "));
	for (int i = 0; i < 100000; i++)
		(void)buf_byte(&b, '[');
	assert_int_equal(toml_parse(a, buf_view(&b), &v, &err), ERR_LIMIT);
	buf_clear(&b);
	for (int i = 0; i < 1000; i++)
		(void)buf_put(&b, STR("a."));
	assert_int_equal(toml_parse(a, buf_view(&b), &v, &err), ERR_LIMIT);
	buf_clear(&b);
	for (int i = 0; b.len < TOML_SIZE_MAX - 20; i++)
		(void)buf_printf(&b, "k%d=1\n", i);
	assert_int_equal(toml_parse(a, buf_view(&b), &v, &err), 0); /* and in no time */
	assert_true(value_len(v) > 50000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(public_suite),
		cmocka_unit_test(small_files),
		cmocka_unit_test(hostile),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
