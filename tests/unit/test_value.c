/* The document tree: look-ups that take anything, building, and additions to arrays that a parser made. */
#include "base/json.h"
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void look_ups_take_anything(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	const struct value *s = value_new_str(a, STR("x"));
	int64_t i;
	double d;
	assert_null(value_get(NULL, "a"));
	assert_null(value_get(s, "a"));
	assert_null(value_at(NULL, 0));
	assert_null(value_at(s, 0));
	assert_int_equal(value_len(NULL) + value_len(s), 0);
	assert_int_equal(value_str(NULL).len + value_str(value_new_null(a)).len, 0);
	assert_false(value_bool(s) || value_bool(NULL));
	assert_false(value_int(s, &i) || value_int(NULL, &i));
	assert_false(value_double(s, &d) || value_double(NULL, &d));
	assert_false(value_is(NULL, VALUE_NULL));
	arena_free(a);
}

static void whole_numbers_in_range(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	int64_t i = 0;
	assert_true(value_int(value_new_double(a, 3), &i) && i == 3);
	assert_true(value_int(value_new_double(a, -0x1p63), &i) && i == INT64_MIN);
	assert_false(value_int(value_new_double(a, 0x1p63), &i));
	assert_false(value_int(value_new_double(a, 3.5), &i));
	assert_false(value_int(value_new_double(a, __builtin_nan("")), &i));
	struct value *u = value_new_int(a, 0);
	u->kind = VALUE_UINT;
	u->uinteger = (uint64_t)INT64_MAX + 1;
	assert_false(value_int(u, &i));
	arena_free(a);
}

static void maps_replace_and_grow(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct value *m = value_new_map(a), *l = value_new_list(a);
	int64_t n = 0;
	for (int i = 0; i < 200; i++) {
		value_set(a, m, arena_printf(a, "k%d", i % 100), value_new_int(a, i));
		value_add(a, l, value_new_int(a, i));
	}
	assert_int_equal(value_len(m), 100);
	assert_int_equal(value_len(l), 200);
	assert_true(value_int(value_get(m, "k7"), &n) && n == 107);
	assert_true(value_int(value_at(l, 199), &n) && n == 199);
	assert_null(value_at(l, 200));
	arena_free(a);
}

/* Arrays made to measure must be copied before they grow: the sanitizer sees it if they are not. */
static void parsed_arrays_can_be_added_to(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	for (int len = 0; len < 20; len++) {
		struct buf BUF_AUTO b = { 0 };
		struct value *v = NULL;
		int64_t n = 0;
		buf_init(&b, 4096);
		buf_put(&b, STR("[0"));
		for (int i = 1; i < len; i++)
			buf_printf(&b, ",%d", i);
		buf_byte(&b, ']');
		assert_int_equal(json_parse(a, buf_view(&b), &v, NULL), 0);
		size_t before = value_len(v);
		void *behind = arena_alloc(a, 16);
		value_add(a, v, value_new_int(a, 1000));
		value_add(a, v, value_new_int(a, 1001));
		assert_int_equal(value_len(v), before + 2);
		assert_true(value_int(value_at(v, before + 1), &n) && n == 1001);
		assert_memory_equal(behind, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	}
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(look_ups_take_anything),
		cmocka_unit_test(whole_numbers_in_range),
		cmocka_unit_test(maps_replace_and_grow),
		cmocka_unit_test(parsed_arrays_can_be_added_to),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
