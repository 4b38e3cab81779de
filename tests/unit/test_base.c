/* The primitives of base/: slices, buffers, arena, map, reader, errors. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void cut_walks_every_line(void **state)
{
	(void)state;
	struct str rest = STR("a\n\nb\n"), line;
	const char *const want[] = { "a", "", "b", "" };
	size_t i = 0;
	while (str_cut(&rest, '\n', &line)) {
		assert_true(i < COUNT_OF(want));
		assert_true(str_eq(line, str_from(want[i++])));
	}
	assert_int_equal(i, COUNT_OF(want));
}

static void numbers_refuse_what_is_no_number(void **state)
{
	(void)state;
	uint64_t v;
	assert_true(str_to_u64(STR("18446744073709551615"), &v) && v == UINT64_MAX);
	assert_false(str_to_u64(STR("18446744073709551616"), &v));
	assert_false(str_to_u64(STR(""), &v));
	assert_false(str_to_u64(STR("-1"), &v));
	assert_false(str_to_u64(STR("1 "), &v));
	assert_true(str_to_u64_base(STR("0755"), 8, &v) && v == 0755);
	assert_false(str_to_u64_base(STR("8"), 8, &v));
}

static void globs(void **state)
{
	(void)state;
	static const struct {
		const char *pattern, *text;
		bool match;
	} cases[] = {
		{ "*", "abc", true },          { "*", "a/c", false },           { "**", "a/c", true },
		{ "a?c", "abc", true },        { "a?c", "a/c", false },         { "[a-c]x", "bx", true },
		{ "[!a-c]x", "bx", false },    { "**/x", "x", true },           { "**/x", "a/b/x", true },
		{ "**/x", "a/bx", false },     { "usr/**/x", "usr/x", true },   { "usr/**/x", "usr/a/b/x", true },
		{ "*.so*", "libc.so.6", true },{ "a**b", "a/x/b", true },       { "\\*", "*", true },
		{ "\\*", "a", false },         { "", "", true },                { "", "a", false },
		{ "CVE-2024-*", "CVE-2024-1", true }, { "**/a*/b", "x/ac/y/ad/b", true }, { "[", "[", true },
		{ "**/y/*z", "a/y/q/y/xz", true }, { "*a*b", "xaxxb", true },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		if (str_glob(str_from(cases[i].pattern), str_from(cases[i].text)) != cases[i].match)
			fail_msg("%s against %s", cases[i].pattern, cases[i].text);
}

static void a_buffer_stops_at_its_maximum(void **state)
{
	(void)state;
	struct buf BUF_AUTO b = { 0 };
	buf_init(&b, 5);
	assert_true(buf_put(&b, STR("abc")));
	assert_false(buf_put(&b, STR("def")));
	assert_false(buf_put(&b, STR("d")));
	assert_true(b.overflow && b.len == 3);
}

static void a_reader_stays_bad(void **state)
{
	(void)state;
	struct reader r = reader_of(STR("\x01\x02\x03"));
	assert_int_equal(read_u16be(&r), 0x0102);
	assert_int_equal(read_u16be(&r), 0);
	assert_true(r.bad);
	assert_int_equal(read_u8(&r), 0);
	struct reader v = reader_of(STR("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"));
	(void)read_varint(&v);
	assert_true(v.bad);
}

static void what_buf_writes_reader_reads(void **state)
{
	(void)state;
	struct buf BUF_AUTO b = { 0 };
	buf_init(&b, 1000);
	buf_varint(&b, UINT64_MAX);
	buf_str(&b, STR("hello"));
	buf_u32(&b, 0x01020304);
	struct reader r = reader_of(buf_view(&b));
	assert_true(read_varint(&r) == UINT64_MAX);
	assert_true(str_eq(read_str(&r), STR("hello")));
	assert_int_equal(read_u32le(&r), 0x01020304);
	assert_true(!r.bad && reader_left(&r) == 0);
}

static void a_map_finds_what_was_put(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct map m = { 0 };
	for (uint64_t i = 0; i < 1000; i++)
		*map_put(a, &m, arena_printf(a, "key%d", (int)i), NULL) = i;
	for (uint64_t i = 0; i < 1000; i++)
		assert_int_equal(*map_get(&m, arena_printf(a, "key%d", (int)i)), i);
	assert_null(map_get(&m, STR("none")));
	arena_free(a);
}

static void errors_gather_context_and_lose_control_characters(void **state)
{
	(void)state;
	struct err err = { 0 };
	assert_int_equal(err_set(&err, ERR_FORMAT, "bad \x1b[31m name"), ERR_FORMAT);
	assert_int_equal(err_wrap(&err, "layer %d", 3), ERR_FORMAT);
	assert_string_equal(err.text, "layer 3: bad ?[31m name");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cut_walks_every_line),
		cmocka_unit_test(numbers_refuse_what_is_no_number),
		cmocka_unit_test(globs),
		cmocka_unit_test(a_buffer_stops_at_its_maximum),
		cmocka_unit_test(a_reader_stays_bad),
		cmocka_unit_test(what_buf_writes_reader_reads),
		cmocka_unit_test(a_map_finds_what_was_put),
		cmocka_unit_test(errors_gather_context_and_lose_control_characters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
