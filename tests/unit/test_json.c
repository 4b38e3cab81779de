/* JSON: the public JSONTestSuite, values and places, errors, caps, hostile shapes, printer and writer. */
#include "base/json.h"
#include "shared_data.h"

#include <libgen.h>
#include <locale.h>
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

static const struct value *parse_str(struct str text)
{
	struct value *v = NULL;
	struct err err = { 0 };
	if (json_parse(arena, text, &v, &err) != 0)
		fail_msg("%.*s: %s", STR_ARG(text), err.text);
	return v;
}

static const struct value *parse(const char *text) { return parse_str(str_from(text)); }

static const char *print(const struct value *v, unsigned indent)
{
	struct buf b;
	buf_init(&b, 64 * MIB);
	assert_true(json_print(&b, v, indent));
	char *text = str_cstr(arena, buf_view(&b));
	buf_done(&b);
	return text;
}

/* --- the public suite --- */

static unsigned accepted, refused, either;

static void suite_file(const char *path)
{
	const char *slash = strrchr(path, '/');
	char kind = slash[1];
	struct str text = slurp(path);
	struct value *v = NULL;
	struct err err = { 0 };
	int r = json_parse(arena, text, &v, &err);
	if (r != 0 && (v || err.text[0] == '\0' || err.code != r))
		fail_msg("%s: an error without its words, or with an output", path);
	if (strstr(path, "/test_transform/")) {
		either++;
	} else if (kind == 'y') {
		if (r != 0)
			fail_msg("%s: refused: %s", path, err.text);
		accepted++;
	} else if (kind == 'n') {
		if (r == 0)
			fail_msg("%s: accepted", path);
		refused++;
	} else {
		either++;
	}
	if (r == 0) {
		const char *once = print(v, 0);
		assert_string_equal(once, print(parse(once), 0));
	}
	free((char *)(uintptr_t)text.ptr);
}

static void json_test_suite(void **state)
{
	(void)state;
	const char *archive = shared_path(arena, "conformance/json/JSONTestSuite.tar.gz");
	if (!archive)
		skip();
	const char *folder = temp_folder(arena);
	unpack(arena, archive, folder);
	run(arena, "rm -f", arena_printf(arena, "%s/LICENSE", folder).ptr);
	accepted = refused = either = 0;
	each_file(folder, suite_file);
	remove_folder(arena, folder);
	print_message("JSONTestSuite: %u accepted, %u refused, %u of either kind\n", accepted, refused, either);
	assert_true(accepted >= 95 && refused >= 185 && either >= 35);
}

/* --- values --- */

static void every_kind_is_read(void **state)
{
	(void)state;
	const struct value *v = parse(" {\"n\":null, \"t\":true,\"f\":false,\"i\":-12,\"u\":18446744073709551615,\n"
	                              "\"d\":1.5e1,\"s\":\"x\",\"l\":[1,[],{}],\"m\":{\"a\":{}},\"\":0}");
	int64_t i = 0;
	double d = 0;
	assert_int_equal(value_len(v), 10);
	assert_true(value_is(value_get(v, "n"), VALUE_NULL));
	assert_true(value_bool(value_get(v, "t")) && !value_bool(value_get(v, "f")));
	assert_true(value_int(value_get(v, "i"), &i) && i == -12);
	assert_true(value_is(value_get(v, "u"), VALUE_UINT) && value_get(v, "u")->uinteger == UINT64_MAX);
	assert_true(value_double(value_get(v, "d"), &d) && d == 15);
	assert_true(str_eq(value_str(value_get(v, "s")), STR("x")));
	assert_int_equal(value_len(value_get(v, "l")), 3);
	assert_true(value_is(value_get(v, ""), VALUE_INT));
	assert_null(value_get(v, "none"));
	assert_int_equal(value_get(v, "d")->line, 2);
	assert_int_equal(value_get(v, "d")->column, 5);
	assert_int_equal(value_get(v, "m")->line, 2);
	assert_int_equal(value_get(v, "m")->column, 37);
	assert_int_equal(v->column, 2);
}

static void numbers(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum value_kind kind;
		double d;
	} cases[] = {
		{ "0", VALUE_INT, 0 },
		{ "-0", VALUE_INT, 0 },
		{ "9223372036854775807", VALUE_INT, 0x1p63 },
		{ "9223372036854775808", VALUE_UINT, 0x1p63 },
		{ "-9223372036854775808", VALUE_INT, -0x1p63 },
		{ "-9223372036854775809", VALUE_DOUBLE, -0x1p63 },
		{ "18446744073709551615", VALUE_UINT, 0x1p64 },
		{ "18446744073709551616", VALUE_DOUBLE, 0x1p64 },
		{ "100000000000000000000000", VALUE_DOUBLE, 1e23 },
		{ "1.0", VALUE_DOUBLE, 1 },
		{ "1e2", VALUE_DOUBLE, 100 },
		{ "0.1", VALUE_DOUBLE, 0.1 },
		{ "0.00043", VALUE_DOUBLE, 0.00043 },
		{ "1.7976931348623157e308", VALUE_DOUBLE, 1.7976931348623157e308 },
		{ "2.2250738585072011e-308", VALUE_DOUBLE, 2.2250738585072011e-308 },
		{ "5e-324", VALUE_DOUBLE, 5e-324 },
		{ "1e-99999999999999999999", VALUE_DOUBLE, 0 },
		{ "0e99999999999999999999", VALUE_DOUBLE, 0 },
		{ "0.000000000000000000000000000001e30", VALUE_DOUBLE, 1 },
		{ "9007199254740993.0", VALUE_DOUBLE, 9007199254740992.0 },
		{ "123456789012345678901234567890e-20", VALUE_DOUBLE, 1234567890.1234567890123 },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct value *v = parse(cases[i].text);
		double d = 0;
		if (!value_is(v, cases[i].kind) || !value_double(v, &d) || d != cases[i].d)
			fail_msg("%s: kind %d, %.17g", cases[i].text, (int)v->kind, d);
	}
	assert_true(signbit(parse("-0.0")->number));
}

/* A locale with a decimal comma, made for the test where the machine can. */
static bool set_comma_locale(const char *folder)
{
	const char *command = arena_printf(arena, "localedef -i de_DE -f UTF-8 '%s/de_DE.UTF-8' >/dev/null 2>&1", folder).ptr;
	(void)!system(command);
	(void)setenv("LOCPATH", folder, 1);
	bool set = setlocale(LC_ALL, "de_DE.UTF-8") != NULL && localeconv()->decimal_point[0] == ',';
	(void)unsetenv("LOCPATH");
	return set;
}

static void a_locale_with_commas_changes_nothing(void **state)
{
	(void)state;
	const char *folder = temp_folder(arena);
	bool set = set_comma_locale(folder);
	double d = parse("1.2345678901234567890123")->number;
	const char *text = print(parse("[0.25,1e300]"), 0);
	setlocale(LC_ALL, "C");
	remove_folder(arena, folder);
	if (!set) {
		print_message("skipped: no locale with a decimal comma can be made here\n");
		skip();
	}
	assert_true(d == 1.2345678901234567890123);
	assert_string_equal(text, "[0.25,1e+300]");
}

static void strings_without_escapes_point_into_the_text(void **state)
{
	(void)state;
	struct str text = STR("[\"plain and long enough for a vector \xc3\xa9\",\"a\\n\\u00e9\\ud83d\\ude00\\u0000b\"]");
	const struct value *v = parse_str(text);
	assert_ptr_equal(value_str(value_at(v, 0)).ptr, text.ptr + 2);
	assert_true(str_eq(value_str(value_at(v, 1)), STR("a\n\xc3\xa9\xf0\x9f\x98\x80\0b")));
}

/* A special byte at every place of a string longer than two vectors. */
static void every_place_of_a_string_is_looked_at(void **state)
{
	(void)state;
	char text[64];
	for (size_t at = 1; at < 40; at++) {
		struct value *v = NULL;
		memset(text, 'x', sizeof(text));
		text[0] = text[41] = '"';
		struct str whole = { text, 42 };
		for (int c = 0; c < 256; c++) {
			text[at] = (char)c;
			bool want = c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
			if ((json_parse(arena, whole, &v, NULL) == 0) != want)
				fail_msg("byte %02x at %zu", c, at);
		}
	}
}

static void the_last_of_repeated_keys_counts(void **state)
{
	(void)state;
	assert_string_equal(print(parse("{\"a\":1,\"b\":2,\"a\":3}"), 0), "{\"a\":3,\"b\":2}");
	struct buf BUF_AUTO b = { 0 };
	buf_init(&b, MIB);
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < 1000; i++)
			buf_printf(&b, "%c\"key%d\":%d", b.len ? ',' : '{', i, i + round);
	buf_byte(&b, '}');
	const struct value *v = parse_str(buf_view(&b));
	int64_t n = 0;
	assert_int_equal(value_len(v), 1000);
	assert_true(value_int(value_get(v, "key999"), &n) && n == 1000);
	assert_true(str_eq(v->map.pairs[0].key, STR("key0")));
}

/* --- errors and caps --- */

static void errors_say_where(void **state)
{
	(void)state;
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "line 1, column 1: the text ends too early" },
		{ "{\n  \"a\": tru\n}", "line 2, column 8: unknown word" },
		{ "[1,\n2,]", "line 2, column 3: expected a value" },
		{ "{\"a\" 1}", "line 1, column 6: expected ':'" },
		{ "[1 2]", "line 1, column 4: expected ',' or ']'" },
		{ "[\"a\nb\"]", "line 1, column 4: a control character in a string" },
		{ "[\"\\ud800\"]", "line 1, column 3: bad escape in a string" },
		{ "{} {}", "line 1, column 4: more text after the value" },
		{ "1e999", "line 1, column 1: a number too large for a double" },
		{ "[01]", "line 1, column 2: bad number" },
		{ "{a:1}", "line 1, column 2: expected a key in double quotes" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct value *v = NULL;
		struct err err = { 0 };
		assert_int_equal(json_parse(arena, str_from(cases[i].text), &v, &err), ERR_FORMAT);
		assert_string_equal(err.text, cases[i].want);
		assert_null(v);
	}
}

static void depth_is_capped(void **state)
{
	(void)state;
	struct buf BUF_AUTO b = { 0 };
	buf_init(&b, 4 * MIB);
	for (int i = 0; i < VALUE_DEPTH_MAX; i++)
		buf_byte(&b, '[');
	for (int i = 0; i < VALUE_DEPTH_MAX; i++)
		buf_byte(&b, ']');
	(void)parse_str(buf_view(&b));
	buf_clear(&b);
	for (int i = 0; i < 1000000; i++)
		buf_put(&b, i & 1 ? STR("[") : STR("{\"\":"));
	struct value *v = NULL;
	assert_int_equal(json_parse(arena, buf_view(&b), &v, NULL), ERR_LIMIT);
}

/* 200,000 keys of 200 equal bytes each with a number behind: quadratic work would take minutes. */
static void many_keys_take_linear_time(void **state)
{
	(void)state;
	struct buf BUF_AUTO b = { 0 };
	buf_init(&b, 64 * MIB);
	for (int i = 0; i < 200000; i++)
		buf_printf(&b, "%c\"%0200d\":0", i ? ',' : '{', i);
	buf_byte(&b, '}');
	clock_t start = clock();
	assert_int_equal(value_len(parse_str(buf_view(&b))), 200000);
	assert_true((double)(clock() - start) / CLOCKS_PER_SEC < 10);
}

static void every_prefix_of_a_document_is_refused(void **state)
{
	(void)state;
	static const char text[] = "{\"a\":[1,-2.5e+3,true,false,null,\"x\\u00e9\\ud83d\\ude00\xe2\x82\xac\"],\"b\":{}}";
	for (size_t n = 0; n < sizeof(text) - 1; n++) {
		char *copy = xmalloc(n);
		struct value *v = NULL;
		memcpy(copy, text, n);
		assert_int_equal(json_parse(arena, (struct str){ copy, n }, &v, NULL), ERR_FORMAT);
		free(copy);
	}
}

/* --- output --- */

static void the_printer_escapes_what_must_be(void **state)
{
	(void)state;
	struct value *l = value_new_list(arena);
	value_add(arena, l, value_new_str(arena, STR("\"\\/\b\f\n\r\t\x01\x7f\xc2\x9b\xc3\xa9\xf0\x9f\x98\x80")));
	value_add(arena, l, value_new_str(arena, STR("\xff\xc0\x80\xed\xa0\x80\xc2")));
	value_add(arena, l, value_new_double(arena, (double)INFINITY));
	value_add(arena, l, value_new_double(arena, 0.1));
	value_add(arena, l, value_new_double(arena, 3));
	struct value *bytes = value_new_str(arena, STR("\x00\xff" "A"));
	bytes->kind = VALUE_BYTES;
	value_add(arena, l, bytes);
	assert_string_equal(print(l, 0), "[\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u007f\\u009b\xc3\xa9\xf0\x9f\x98\x80\","
	                                 "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
	                                 "\xef\xbf\xbd\",null,0.1,3.0,\"AP9B\"]");
	struct value *m = value_new_map(arena);
	value_set(arena, m, STR("l"), value_new_list(arena));
	value_set(arena, m, STR("m"), parse("{\"a\":[1,2]}") ? value_new_bool(arena, true) : NULL);
	assert_string_equal(print(m, 2), "{\n  \"l\": [],\n  \"m\": true\n}");
}

static void a_full_buffer_is_told(void **state)
{
	(void)state;
	struct buf BUF_AUTO b = { 0 };
	buf_init(&b, 5);
	assert_false(json_print(&b, parse("[1,2,3]"), 0));
	assert_true(b.overflow);
}

static void write_all(struct json_writer *w)
{
	json_begin_map(w);
	json_key(w, "list");
	json_begin_list(w);
	json_int(w, INT64_MIN);
	json_double(w, 9.8125, 2);
	json_double(w, (double)NAN, 1);
	json_begin_list(w);
	json_end_list(w);
	json_begin_map(w);
	json_end_map(w);
	json_end_list(w);
	json_key_str(w, "left out", (struct str){ 0 });
	json_key_str(w, "s", STR("a\x1b[31m"));
	json_key(w, "c");
	json_cstr(w, NULL);
	json_key(w, "b");
	json_bool(w, false);
	json_key(w, "n");
	json_null(w);
	json_end_map(w);
}

static void the_writer_keeps_commas_and_indentation(void **state)
{
	(void)state;
	char text[1024];
	for (unsigned indent = 0; indent <= 2; indent += 2) {
		struct json_writer w;
		FILE *f = fmemopen(text, sizeof(text), "w");
		json_writer_init(&w, f, indent);
		write_all(&w);
		fclose(f);
		if (indent == 0)
			assert_string_equal(text, "{\"list\":[-9223372036854775808,9.81,null,[],{}],"
			                          "\"s\":\"a\\u001b[31m\",\"c\":\"\",\"b\":false,\"n\":null}");
		else
			assert_string_equal(text, "{\n  \"list\": [\n    -9223372036854775808,\n    9.81,\n    null,\n"
			                          "    [],\n    {}\n  ],\n  \"s\": \"a\\u001b[31m\",\n  \"c\": \"\",\n"
			                          "  \"b\": false,\n  \"n\": null\n}");
		(void)parse(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(json_test_suite, set_up, tear_down),
		cmocka_unit_test_setup_teardown(every_kind_is_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(numbers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_locale_with_commas_changes_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(strings_without_escapes_point_into_the_text, set_up, tear_down),
		cmocka_unit_test_setup_teardown(every_place_of_a_string_is_looked_at, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_last_of_repeated_keys_counts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(errors_say_where, set_up, tear_down),
		cmocka_unit_test_setup_teardown(depth_is_capped, set_up, tear_down),
		cmocka_unit_test_setup_teardown(many_keys_take_linear_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(every_prefix_of_a_document_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_printer_escapes_what_must_be, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_full_buffer_is_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_writer_keeps_commas_and_indentation, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
