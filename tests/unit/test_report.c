/* Every format against expected files (tests/golden/report-NAME/expect.*), made from reports built by hand. With
 * PLIMSOLL_UPDATE_GOLDEN=1 the files are written anew: look at the diff. */
#include "base/base.h"
#include "report/formats.h"

#include "report_fixtures.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <cmocka.h>

static struct str read_all(struct arena *a, FILE *f)
{
	struct buf b;
	buf_init(&b, 64 * MIB);
	while (buf_reserve(&b, 4096)) {
		size_t n = fread(b.ptr + b.len, 1, 4096, f);
		b.len += n;
		if (n == 0)
			break;
	}
	assert_false(b.overflow || ferror(f));
	struct str s = str_dup(a, buf_view(&b));
	buf_done(&b);
	return s;
}

static struct str render(struct arena *a, const struct report *r, const char *format, struct report_options o)
{
	struct err err = { 0 };
	const struct report_format *f = report_format_find(str_from(format));
	assert_non_null(f);
	FILE *out = tmpfile();
	assert_non_null(out);
	o.now = 1795552200;
	if (f->write(r, &o, out, &err) != 0)
		fail_msg("%s", err.text);
	rewind(out);
	struct str s = read_all(a, out);
	fclose(out);
	return s;
}

static void compare(struct arena *a, const char *name, const char *file, struct str got)
{
	const char *root = getenv("PLIMSOLL_SOURCE");
	const char *update = getenv("PLIMSOLL_UPDATE_GOLDEN");
	const char *dir = arena_printf(a, "%s/tests/golden/report-%s", root ? root : ".", name).ptr;
	const char *path = arena_printf(a, "%s/%s", dir, file).ptr;
	if (update && *update == '1') {
		assert_true(mkdir(dir, 0777) == 0 || errno == EEXIST);
		FILE *out = fopen(path, "w");
		assert_non_null(out);
		assert_int_equal(fwrite(got.ptr, 1, got.len, out), got.len);
		assert_int_equal(fclose(out), 0);
		return;
	}
	FILE *in = fopen(path, "r");
	if (!in)
		fail_msg("%s is missing: run this test once with PLIMSOLL_UPDATE_GOLDEN=1 and look at what it writes",
			 path);
	struct str want = read_all(a, in);
	fclose(in);
	size_t line = 1;
	for (struct str g, w; got.ptr || want.ptr; line++) {
		(void)str_cut(&got, '\n', &g);
		(void)str_cut(&want, '\n', &w);
		if (!str_eq(g, w))
			fail_msg("%s, line %zu\nexpected: %.*s\n     got: %.*s\n(after a wanted change: "
				 "PLIMSOLL_UPDATE_GOLDEN=1)",
				 path, line, STR_ARG(w), STR_ARG(g));
	}
}

static void compare_machine_formats(struct arena *a, const char *name, const struct report *r, bool packages)
{
	struct report_options o = { .list_all_pkgs = packages };
	compare(a, name, "expect.json", render(a, r, "json", o));
	compare(a, name, "expect.sarif", render(a, r, "sarif", o));
	compare(a, name, "expect.cdx.json", render(a, r, "cyclonedx", o));
}

static void compare_table(struct arena *a, const char *name, const struct report *r, unsigned width)
{
	struct report_options o = { .width = width };
	const char *file = width ? arena_printf(a, "expect.%u.txt", width).ptr : "expect.txt";
	compare(a, name, file, render(a, r, "table", o));
}

static void an_ordinary_image(void **state)
{
	(void)state;
	struct arena *ARENA_AUTO a = arena_new();
	struct report *r = fixture_ordinary(a);
	compare_table(a, "ordinary", r, 80);
	compare_table(a, "ordinary", r, 0);
	compare_table(a, "ordinary", r, 160);
	struct report_options all = { .width = 120, .color = true, .verbose = true, .show_suppressed = true };
	compare(a, "ordinary", "expect.all.txt", render(a, r, "table", all));
	compare_machine_formats(a, "ordinary", r, true);
}

static void a_clean_image(void **state)
{
	(void)state;
	struct arena *ARENA_AUTO a = arena_new();
	struct report *r = fixture_clean(a);
	compare_table(a, "clean", r, 80);
	compare(a, "clean", "expect.json", render(a, r, "json", (struct report_options){ 0 }));
	compare(a, "clean", "expect.sarif", render(a, r, "sarif", (struct report_options){ 0 }));
	struct str text = render(a, r, "table", (struct report_options){ 0 });
	assert_true(str_contains(text, STR("No known vulnerabilities in 88 packages.")));
}

static void nothing_found_is_not_clean_where_not_all_was_assessed(void **state)
{
	(void)state;
	struct arena *ARENA_AUTO a = arena_new();
	struct report *r = fixture_partial(a);
	compare_table(a, "partial", r, 80);
	compare_machine_formats(a, "partial", r, false);
	struct str text = render(a, r, "table", (struct report_options){ 0 });
	assert_false(str_contains(text, STR("No known vulnerabilities in 34 packages.")));
	assert_true(str_contains(text, STR("debian 10: past its support")));
	r->database.present = false;
	text = render(a, r, "table", (struct report_options){ 0 });
	assert_false(str_contains(text, STR("No known")));
}

static void several_targets(void **state)
{
	(void)state;
	struct arena *ARENA_AUTO a = arena_new();
	struct report *r = fixture_several(a);
	compare_table(a, "several", r, 80);
	compare_machine_formats(a, "several", r, true);
}

static void a_hostile_image(void **state)
{
	(void)state;
	struct arena *ARENA_AUTO a = arena_new();
	struct report *r = fixture_hostile(a);
	compare_table(a, "hostile", r, 80);
	compare_machine_formats(a, "hostile", r, true);
}

static void the_large_image(void **state)
{
	(void)state;
	struct arena *ARENA_AUTO a = arena_new();
	struct report *r = fixture_large(a, false);
	assert_int_equal(r->targets.ptr[0].findings.len, 2938);
	compare_table(a, "large", r, 80);
	compare_table(a, "large", r, 120);
	r = fixture_large(a, true);
	compare_table(a, "large-headers-ignored", r, 80);
}

/* --write DIR: machine formats of every fixture, for validators (tests/e2e/report_formats.sh). */
static int write_all(const char *dir)
{
	static const struct {
		const char *format, *suffix;
	} outputs[] = { { "json", "json" }, { "sarif", "sarif" }, { "cyclonedx", "cdx.json" } };
	struct arena *ARENA_AUTO a = arena_new();
	const struct {
		const char *name;
		struct report *report;
	} reports[] = {
		{ "ordinary", fixture_ordinary(a) }, { "clean", fixture_clean(a) },
		{ "partial", fixture_partial(a) },   { "several", fixture_several(a) },
		{ "hostile", fixture_hostile(a) },   { "large", fixture_large(a, true) },
	};
	for (size_t i = 0; i < COUNT_OF(reports) * COUNT_OF(outputs); i++) {
		size_t k = i % COUNT_OF(outputs), n = i / COUNT_OF(outputs);
		struct str text =
		    render(a, reports[n].report, outputs[k].format, (struct report_options){ .list_all_pkgs = true });
		FILE *out = fopen(arena_printf(a, "%s/%s.%s", dir, reports[n].name, outputs[k].suffix).ptr, "w");
		if (!out || fwrite(text.ptr, 1, text.len, out) != text.len || fclose(out) != 0) {
			perror(dir);
			return 1;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && str_eq(str_from(argv[1]), STR("--write")))
		return write_all(argv[2]);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_ordinary_image),
		cmocka_unit_test(a_clean_image),
		cmocka_unit_test(nothing_found_is_not_clean_where_not_all_was_assessed),
		cmocka_unit_test(several_targets),
		cmocka_unit_test(a_hostile_image),
		cmocka_unit_test(the_large_image),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
