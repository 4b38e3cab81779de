/* The template interpreter against what Go's text/template (1.26, with sprig 3.3 and Trivy's functions) made of the same
 * templates over the same data: template_cases.jsonl, one case a line. And its caps. */
#include "base/base.h"
#include "base/fs.h"
#include "base/json.h"
#include "report/trivy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct str source_file(struct arena *a, const char *name)
{
	const char *root = getenv("PLIMSOLL_SOURCE");
	struct str text;
	struct err err = { 0 };
	if (fs_read(a, arena_printf(a, "%s/tests/unit/%s", root ? root : ".", name).ptr, 16 * MIB, &text, &err) < 0)
		fail_msg("%s", err.text);
	return text;
}

static struct tv data_of(struct arena *a)
{
	struct value *v;
	assert_int_equal(json_parse(a, source_file(a, "template_data.json"), &v, NULL), 0);
	return template_value(a, v, &trivy_results_shape);
}

static int render(struct arena *a, struct str text, struct tv data, bool terminal, struct str *ret, struct err *err)
{
	struct template_env env = { .app_version = STR("1.2.3"), .now = 1795552200, .terminal = terminal };
	struct template *t;
	char *out = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&out, &size);
	assert_non_null(f);
	int rc = template_parse(a, text, &t, err);
	if (rc == 0)
		rc = template_run(a, t, data, &env, f, err);
	fclose(f);
	*ret = str_dup(a, (struct str){ out, size });
	free(out);
	return rc;
}

static void as_go_does(void **state)
{
	(void)state;
	struct arena *ARENA_AUTO a = arena_new();
	struct tv data = data_of(a);
	size_t line_number = 0, wrong = 0;
	for (struct str line, rest = source_file(a, "template_cases.jsonl"); str_cut(&rest, '\n', &line); line_number++) {
		struct value *v;
		struct str got;
		struct err err = { 0 };
		if (line.len == 0)
			continue;
		assert_int_equal(json_parse(a, line, &v, NULL), 0);
		struct str text = value_str(value_get(v, "template")), want = value_str(value_get(v, "want"));
		int rc = render(a, text, data, false, &got, &err);
		bool fails = value_bool(value_get(v, "error"));
		if (fails ? rc < 0 : rc == 0 && str_eq(got, want))
			continue;
		wrong++;
		print_error("case %zu: %.*s\nwanted: %.*s%s\n   got: %.*s %s\n", line_number + 1, STR_ARG(text), STR_ARG(want),
		            fails ? "(an error)" : "", STR_ARG(got), err.text);
	}
	assert_true(line_number > 200);
	assert_int_equal(wrong, 0);
}

static void caps_hold(void **state)
{
	(void)state;
	static const char *const endless[] = {
		"{{define \"x\"}}{{template \"x\"}}{{end}}{{template \"x\"}}",
		"{{repeat 1000000000 \"x\"}}",
		"{{until 1000000000}}",
		"{{range until 1000000}}{{range until 1000000}}{{end}}{{end}}",
		"{{$x := \"x\"}}{{range until 60}}{{$x = print $x $x}}{{end}}",
		"{{regexFind \"((a{100}){100}){100}\" \"a\"}}",
		"{{printf \"%1000000000d\" 1 | len}}{{indent 1000000000 \"x\"}}",
	};
	for (size_t i = 0; i < COUNT_OF(endless); i++) {
		struct arena *ARENA_AUTO a = arena_new();
		struct str got;
		struct err err = { 0 };
		if (render(a, str_from(endless[i]), (struct tv){ 0 }, false, &got, &err) != ERR_LIMIT)
			fail_msg("%s: %s", endless[i], err.text);
	}
	struct arena *ARENA_AUTO a = arena_new();
	struct buf BUF_AUTO deep = { 0 };
	struct str got;
	struct err err = { 0 };
	buf_init(&deep, MIB);
	for (size_t i = 0; i < 5000; i++)
		buf_put(&deep, STR("{{if true}}"));
	assert_int_equal(render(a, buf_view(&deep), (struct tv){ 0 }, false, &got, &err), ERR_LIMIT);
	buf_clear(&deep);
	buf_put(&deep, STR("{{"));
	for (size_t i = 0; i < 5000; i++)
		buf_byte(&deep, '(');
	assert_int_equal(render(a, buf_view(&deep), (struct tv){ 0 }, false, &got, &err), ERR_LIMIT);
}

static void a_map_within_itself(void **state)
{
	(void)state;
	struct arena *ARENA_AUTO a = arena_new();
	struct str got;
	struct err err = { 0 };
	const char *text = "{{$d := dict}}{{$_ := set $d \"d\" $d}}{{len (print $d)}}{{deepEqual $d (dict \"d\" $d)}}{{len (toJson $d)}}";
	assert_int_equal(render(a, str_from(text), (struct tv){ 0 }, false, &got, &err), 0);
}

static void errors_say_where(void **state)
{
	(void)state;
	struct arena *ARENA_AUTO a = arena_new();
	struct str got;
	struct err err = { 0 };
	assert_int_equal(render(a, STR("line\n  {{ nofunc 1 }}"), (struct tv){ 0 }, false, &got, &err), ERR_USAGE);
	assert_true(str_starts(str_from(err.text), STR("2:6: ")));
	assert_int_equal(render(a, STR("{{range .}}{{\n.Nope}}{{end}}"), data_of(a), false, &got, &err), ERR_USAGE);
	assert_true(str_starts(str_from(err.text), STR("2:1: ")));
}

static void a_terminal_is_not_steered(void **state)
{
	(void)state;
	struct arena *ARENA_AUTO a = arena_new();
	struct str got;
	struct err err = { 0 };
	struct str text = STR("{{\"a\\x1b[31mb\\n\"}}");
	assert_int_equal(render(a, text, (struct tv){ 0 }, true, &got, &err), 0);
	assert_true(str_eq(got, STR("a\xef\xbf\xbd[31mb\n")));
	assert_int_equal(render(a, text, (struct tv){ 0 }, false, &got, &err), 0);
	assert_true(str_eq(got, STR("a\x1b[31mb\n")));
}

static void times_and_versions(void **state)
{
	(void)state;
	struct arena *ARENA_AUTO a = arena_new();
	struct str got;
	struct err err = { 0 };
	struct str text = STR("{{appVersion}} {{getCurrentTime}} {{now | date \"Mon Jan _2 2006 3:04PM\"}} {{now.Format \"06-1-2\"}}");
	if (render(a, text, (struct tv){ 0 }, false, &got, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(str_cstr(a, got), "1.2.3 2026-11-24T20:30:00Z Tue Nov 24 2026 8:30PM 26-11-24");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_go_does),      cmocka_unit_test(caps_hold),
		cmocka_unit_test(a_map_within_itself), cmocka_unit_test(errors_say_where),
		cmocka_unit_test(a_terminal_is_not_steered), cmocka_unit_test(times_and_versions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
