/* YAML: scalars, places, anchors and merges, errors, caps and hostile shapes, and all manifests of the public corpus. */
#include "base/json.h"
#include "base/scalar.h"
#include "base/yaml.h"
#include "shared_data.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <time.h>
#include <cmocka.h>

static struct arena *arena;

static int set_up(void **state)
{
	(void)state;
	arena = arena_new();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static const struct value *parse_all(struct str text)
{
	struct value *v = NULL;
	struct err err = { 0 };
	if (yaml_parse(arena, text, &v, &err) != 0)
		fail_msg("%.*s: %s", STR_ARG(text), err.text);
	return v;
}

static const struct value *parse(const char *text)
{
	const struct value *all = parse_all(str_from(text));
	assert_int_equal(value_len(all), 1);
	return value_at(all, 0);
}

static const char *print(const struct value *v)
{
	struct buf b;
	buf_init(&b, 64 * MIB);
	assert_true(json_print(&b, v, 0));
	char *text = str_cstr(arena, buf_view(&b));
	buf_done(&b);
	return text;
}

static void assert_error(struct str text, int code, const char *words)
{
	struct value *v = NULL;
	struct err err = { 0 };
	int r = yaml_parse(arena, text, &v, &err);
	if (r != code || v || !strstr(err.text, words))
		fail_msg("%.*s: %d, %s, wanted %s", STR_ARG(str_sub(text, 0, 200)), r, err.text, words);
}

/* --- meaning --- */

static void plain_scalars(void **state)
{
	(void)state;
	static const struct {
		const char *text, *json;
	} cases[] = {
		{ "", "null" }, { "~", "null" }, { "null", "null" }, { "NULL", "null" }, { "nUll", "\"nUll\"" },
		{ "true", "true" }, { "False", "false" }, { "yes", "\"yes\"" }, { "on", "\"on\"" }, { "n", "\"n\"" },
		{ "0", "0" }, { "-12", "-12" }, { "+12", "12" }, { "0o17", "15" }, { "017", "15" }, { "0644", "420" },
		{ "089", "89" }, { "0x1F", "31" }, { "00", "0" }, { "-017", "-17" }, { "0x", "\"0x\"" },
		{ "1_000", "\"1_000\"" }, { "22:22", "\"22:22\"" }, { "1.5", "1.5" }, { ".5", "0.5" }, { "5.", "5.0" },
		{ "1e3", "1000.0" }, { "-1.5E-3", "-0.0015" }, { ".", "\".\"" }, { "-", "\"-\"" }, { "1e", "\"1e\"" },
		{ "e3", "\"e3\"" }, { "1.2.3", "\"1.2.3\"" }, { ".inf", "null" }, { "-.INF", "null" }, { ".nan", "null" },
		{ "9223372036854775808", "9223372036854775808" }, { "-9223372036854775808", "-9223372036854775808" },
		{ "99999999999999999999", "1e+20" }, { "2001-12-14", "\"2001-12-14\"" }, { "<<", "\"<<\"" },
		{ "0b11", "\"0b11\"" }, { "+.inf", "null" }, { "inf", "\"inf\"" }, { "08", "8" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct value v = { 0 };
		scalar_resolve(str_from(cases[i].text), &v);
		const char *got = print(&v);
		if (strcmp(got, cases[i].json) != 0)
			fail_msg("%s: %s", cases[i].text, got);
	}
	struct value v = { 0 };
	scalar_resolve(STR("-.inf"), &v);
	assert_true(v.kind == VALUE_DOUBLE && v.number < 0 && isinf(v.number));
	scalar_resolve(STR(".NaN"), &v);
	assert_true(v.kind == VALUE_DOUBLE && isnan(v.number));
}

static void quotes_and_tags(void **state)
{
	(void)state;
	assert_string_equal(print(parse("- \"1\"\n- '~'\n- |\n  a\n  b\n- >-\n  c\n  d\n")),
	                    "[\"1\",\"~\",\"a\\nb\\n\",\"c d\"]");
	assert_string_equal(print(parse("[!!str 1, !!int \"1\", !!float 1, !!bool \"true\", !!null \"\", ! 1, !reset 2]")),
	                    "[\"1\",1,1.0,true,null,\"1\",\"2\"]");
	const struct value *b = value_at(parse("[!!binary \"aGVs\\n bG8=\"]"), 0);
	assert_true(value_is(b, VALUE_BYTES) && str_eq(b->string, STR("hello")));
	assert_error(STR("!!int x"), ERR_FORMAT, "line 1, column 1: the text does not fit its tag !!int");
	assert_error(STR("!!binary a"), ERR_FORMAT, "!!binary");
	assert_error(STR("!!binary a==="), ERR_FORMAT, "!!binary");
	assert_error(STR("!!binary ab=c"), ERR_FORMAT, "!!binary");
}

static void streams(void **state)
{
	(void)state;
	assert_int_equal(value_len(parse_all(STR(""))), 0);
	assert_int_equal(value_len(parse_all((struct str){ 0 })), 0);
	assert_int_equal(value_len(parse_all(STR("# only a comment\n"))), 0);
	assert_string_equal(print(parse_all(STR("a: 1\n---\n---\n- 2\n...\n"))), "[{\"a\":1},null,[2]]");
	assert_string_equal(print(parse("\xef\xbb\xbf" "a: \xc3\xa9\n")), "{\"a\":\"\xc3\xa9\"}");
	/* Anchors end with their document. */
	assert_error(STR("a: &x 1\n---\nb: *x\n"), ERR_FORMAT, "line 3, column 4: alias *x");
}

static void every_node_has_its_place(void **state)
{
	(void)state;
	const struct value *v = parse("# c\nspec:\n  - name: x\n    ports: [80, \xc3\xa9, 81]\n");
	const struct value *item = value_at(value_get(v, "spec"), 0);
	const struct value *port = value_at(value_get(item, "ports"), 2);
	assert_int_equal(v->line, 2);
	assert_int_equal(item->line, 3);
	assert_int_equal(item->column, 5);
	assert_int_equal(port->line, 4);
	assert_int_equal(port->column, 20);
}

static void keys_are_strings(void **state)
{
	(void)state;
	assert_string_equal(print(parse("80: a\n~: b\ntrue: c\n\"\": d\n0x1f: e\n")),
	                    "{\"80\":\"a\",\"~\":\"b\",\"true\":\"c\",\"\":\"d\",\"0x1f\":\"e\"}");
	assert_string_equal(print(parse("a: &k x\n*k : y\n")), "{\"a\":\"x\",\"x\":\"y\"}");
	assert_error(STR("? [a]\n: b\n"), ERR_UNSUPPORTED, "line 1, column 3: a key");
	assert_error(STR("a: &k [1]\n*k : y\n"), ERR_UNSUPPORTED, "a key");
}

static void merges(void **state)
{
	(void)state;
	assert_string_equal(print(parse("a: &a {x: 1, y: 2}\nb: {<<: *a, x: 3}\n")),
	                    "{\"a\":{\"x\":1,\"y\":2},\"b\":{\"x\":3,\"y\":2}}");
	assert_string_equal(print(parse("a: &a {x: 1}\nb: &b {x: 2, y: 2}\nc: {<<: [*a, *b], z: 3}\n")),
	                    "{\"a\":{\"x\":1},\"b\":{\"x\":2,\"y\":2},\"c\":{\"z\":3,\"x\":1,\"y\":2}}");
	assert_string_equal(print(parse("a: &a {x: 1}\nb: &b {<<: *a, y: 2}\nc: {<<: *b}\n")),
	                    "{\"a\":{\"x\":1},\"b\":{\"y\":2,\"x\":1},\"c\":{\"y\":2,\"x\":1}}");
	assert_string_equal(print(parse("{\"<<\": 1}")), "{\"<<\":1}");
	assert_string_equal(print(parse("{<<: {a: 1}}")), "{\"a\":1}");
	assert_string_equal(print(parse("{<<: []}")), "{}");
	assert_error(STR("{<<: 1}"), ERR_FORMAT, "<< takes");
	assert_error(STR("{<<: [1]}"), ERR_FORMAT, "<< takes");
	assert_error(STR("a: &a {x: 1}\nb:\n  <<: *a\n  <<: *a\n"), ERR_FORMAT, "line 4, column 3: repeated key \"<<\"");
}

/* --- errors and caps --- */

static void errors_say_where(void **state)
{
	(void)state;
	assert_error(STR("a: 1\nb: 2\na: 3\n"), ERR_FORMAT, "line 3, column 1: repeated key \"a\"");
	assert_error(STR("1: a\n\"1\": b\n"), ERR_FORMAT, "line 2, column 1: repeated key \"1\"");
	assert_error(STR("a: [1\n"), ERR_FORMAT, "line 2");
	assert_error(STR("a:\n\t- b\n"), ERR_FORMAT, "line 2, column 1");
	assert_error(STR("a: *none\n"), ERR_FORMAT, "line 1, column 4: alias *none");
	assert_error(STR("a: b: c\n"), ERR_FORMAT, "line 1");
	assert_error(STR("a: \"\xff\"\n"), ERR_FORMAT, "at byte 4");
	assert_error(STR("a: \0b\n"), ERR_FORMAT, "control characters");
	assert_error(STR("a: \x1b[31m\n"), ERR_FORMAT, "control characters");
	assert_error(STR("a: \"\xed\xa0\x80\"\n"), ERR_FORMAT, "");
	assert_error(STR("&a [*a]"), ERR_FORMAT, "alias *a");
	assert_error(STR("&a {b: *a}"), ERR_FORMAT, "alias *a");
	struct value *v = NULL;
	assert_int_equal(yaml_parse(arena, STR("["), &v, NULL), ERR_FORMAT);
}

static struct str repeat(const char *text, size_t count)
{
	size_t n = strlen(text);
	char *p = arena_alloc(arena, n * count);
	for (size_t i = 0; i < count; i++)
		memcpy(p + i * n, text, n);
	return (struct str){ p, n * count };
}

static void depth_is_capped(void **state)
{
	(void)state;
	char text[4096] = "";
	size_t n = 0;
	for (int i = 0; i < VALUE_DEPTH_MAX; i++)
		text[n++] = '[';
	for (int i = 0; i < VALUE_DEPTH_MAX; i++)
		text[n++] = ']';
	(void)parse(text);
	assert_error(repeat("[", 1000000), ERR_LIMIT, "VALUE_DEPTH_MAX");
	assert_error(repeat("{a: ", 1000000), ERR_LIMIT, "VALUE_DEPTH_MAX");
	assert_error(repeat("- ", 1000000), ERR_LIMIT, "VALUE_DEPTH_MAX");
	assert_error(repeat("? ", 1000000), ERR_LIMIT, "VALUE_DEPTH_MAX");
	/* By aliases: each level holds the one before. */
	struct buf BUF_AUTO b = { 0 };
	buf_init(&b, MIB);
	buf_put(&b, STR("- &a0 []\n"));
	for (int i = 1; i < 200; i++)
		buf_printf(&b, "- &a%d [*a%d]\n", i, i - 1);
	assert_error(buf_view(&b), ERR_LIMIT, "VALUE_DEPTH_MAX");
}

static void laughs_are_capped(void **state)
{
	(void)state;
	struct buf BUF_AUTO b = { 0 }, m = { 0 };
	buf_init(&b, MIB);
	buf_init(&m, MIB);
	buf_put(&b, STR("a0: &a0 [lol,lol,lol,lol,lol,lol,lol,lol,lol]\n"));
	buf_put(&m, STR("a0: &a0 {x: lol}\n"));
	for (int i = 1; i < 10; i++) {
		buf_printf(&b, "a%d: &a%d [", i, i);
		buf_printf(&m, "a%d: &a%d {<<: [", i, i);
		for (int k = 0; k < 9; k++) {
			buf_printf(&b, "%s*a%d", k ? "," : "", i - 1);
			buf_printf(&m, "%s*a%d", k ? "," : "", i - 1);
		}
		buf_put(&b, STR("]\n"));
		buf_put(&m, STR("]}\n"));
	}
	assert_error(buf_view(&b), ERR_LIMIT, "YAML_NODES_MAX");
	assert_error(buf_view(&m), ERR_LIMIT, "YAML_NODES_MAX");
	assert_true(arena_used(arena) < 4 * MIB);
}

static void size_is_capped(void **state)
{
	(void)state;
	assert_error(repeat("# comment\n", YAML_SIZE_MAX / 10 + 1), ERR_LIMIT, "YAML_SIZE_MAX");
}

/* Shapes that make careless readers quadratic; each takes well under a second here, a quadratic one minutes. */
static void hostile_shapes_take_linear_time(void **state)
{
	(void)state;
	struct buf BUF_AUTO b = { 0 };
	struct value *v;
	const struct str shapes[] = {
		repeat("a", 4 * MIB), repeat("a ", 2 * MIB), repeat("&a ", MIB), repeat("! ", MIB), repeat("- a\n", MIB / 2),
		repeat("\"", MIB), repeat("'", MIB), repeat("#", 4 * MIB), repeat("\n", 4 * MIB), repeat("--- \n", 400000),
		repeat("[a,b],", MIB / 2), repeat("a: b: ", MIB / 2), repeat(":", MIB), repeat("*a ", MIB), repeat("%", MIB),
		repeat("|\n", MIB), repeat(">\n ", MIB),
	};
	buf_init(&b, 16 * MIB);
	for (int i = 0; i < 200000; i++)
		buf_printf(&b, "key%d: &anchor%d 1\n", i, i);
	clock_t start = clock();
	for (size_t i = 0; i < COUNT_OF(shapes); i++) {
		struct arena ARENA_AUTO *a = arena_new();
		(void)yaml_parse(a, shapes[i], &v, NULL);
	}
	assert_int_equal(value_len(value_at(parse_all(buf_view(&b)), 0)), 200000);
	double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
	print_message("hostile shapes: %.1f s\n", seconds);
	assert_true(seconds < 60);
}

/* --- the public corpus --- */

static unsigned files, documents, with_kind, with_services, templates, repeated;

static void corpus_file(const char *path)
{
	if (!str_ends(str_from(path), STR(".yaml")) && !str_ends(str_from(path), STR(".yml")))
		return;
	struct str text = slurp(path);
	struct value *all = NULL;
	struct err err = { 0 };
	int r = yaml_parse(arena, text, &all, &err);
	bool template = str_contains(text, STR("{{"));
	free((char *)(uintptr_t)text.ptr);
	files++;
	if (r != 0 && template) {
		templates++;
		return;
	}
	/* A few archived manifests really repeat a key. */
	if (r != 0 && strstr(err.text, ": repeated key ")) {
		print_message("%s: %s\n", strrchr(path, '/') + 1, err.text);
		repeated++;
		return;
	}
	if (r != 0)
		fail_msg("%s: %s", path, err.text);
	for (size_t i = 0; i < value_len(all); i++) {
		const struct value *v = value_at(all, i);
		documents += v->kind != VALUE_NULL;
		with_kind += value_str(value_get(v, "kind")).len > 0;
		with_services += value_len(value_get(v, "services")) > 0;
	}
	(void)print(all);
}

static void public_corpus(void **state)
{
	(void)state;
	static const char *const archives[] = { "compose", "kubernetes", "pod-security" };
	const char *folder = temp_folder(arena);
	files = documents = with_kind = with_services = templates = repeated = 0;
	for (size_t i = 0; i < COUNT_OF(archives); i++) {
		const char *archive =
		        shared_path(arena, arena_printf(arena, "corpus/%s.tar.gz", archives[i]).ptr);
		if (!archive) {
			remove_folder(arena, folder);
			skip();
		}
		unpack(arena, archive, folder);
	}
	each_file(folder, corpus_file);
	remove_folder(arena, folder);
	print_message("corpus: %u files, %u documents, %u with a kind, %u with services, %u templates refused\n", files,
	              documents, with_kind, with_services, templates);
	assert_int_equal(repeated, 3);
	assert_true(files >= 215 && with_services >= 20 && with_kind >= 180 && templates <= 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(plain_scalars, set_up, tear_down),
		cmocka_unit_test_setup_teardown(quotes_and_tags, set_up, tear_down),
		cmocka_unit_test_setup_teardown(streams, set_up, tear_down),
		cmocka_unit_test_setup_teardown(every_node_has_its_place, set_up, tear_down),
		cmocka_unit_test_setup_teardown(keys_are_strings, set_up, tear_down),
		cmocka_unit_test_setup_teardown(merges, set_up, tear_down),
		cmocka_unit_test_setup_teardown(errors_say_where, set_up, tear_down),
		cmocka_unit_test_setup_teardown(depth_is_capped, set_up, tear_down),
		cmocka_unit_test_setup_teardown(laughs_are_capped, set_up, tear_down),
		cmocka_unit_test_setup_teardown(size_is_capped, set_up, tear_down),
		cmocka_unit_test_setup_teardown(hostile_shapes_take_linear_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(public_corpus, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
