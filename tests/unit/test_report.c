/* Every format against expected files (tests/golden/report-NAME/expect.*), made from reports built by hand. With
 * PLIMSOLL_UPDATE_GOLDEN=1 the files are written anew: look at the diff. */
#include "base/base.h"
#include "base/json.h"
#include "match/match.h"
#include "policy/policy.h"
#include "report/formats.h"
#include "report/read.h"

#include "report_fixtures.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <cmocka.h>

#define TEMPLATE "{{ range . }}{{ .Target }} {{ len .Packages }}\n{{ range .Vulnerabilities }}{{ .VulnerabilityID }} {{ .Severity }} " \
	"{{ .PkgName | printf \"%q\" }} {{ escapeXML .Title }}\n{{ end }}{{ end }}"

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
	if (o.template.len == 0)
		o.template = STR(TEMPLATE);
	setenv("AWS_REGION", "eu-central-1", 1);
	setenv("AWS_ACCOUNT_ID", "123456789012", 1);
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
	o.show_suppressed = true;
	compare(a, name, "expect.trivy.json", render(a, r, "trivy-json", o));
	compare(a, name, "expect.gitlab.json", render(a, r, "gitlab", o));
	compare(a, name, "expect.codequality.json", render(a, r, "gitlab-codequality", o));
	compare(a, name, "expect.asff.json", render(a, r, "asff", o));
	compare(a, name, "expect.junit.xml", render(a, r, "junit", o));
	compare(a, name, "expect.csv", render(a, r, "csv", o));
	compare(a, name, "expect.md", render(a, r, "markdown", o));
	compare(a, name, "expect.html", render(a, r, "html", o));
	o.template = STR(TEMPLATE);
	compare(a, name, "expect.template.txt", render(a, r, "template", o));
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

/* What plimsoll report does, without its worker. */
static struct report *stored(struct arena *a, const struct report *r, bool packages)
{
	struct report *again = ARENA_NEW(a, struct report);
	struct value *v;
	struct policy policy;
	struct err err = { 0 };
	struct str text = render(a, r, "json", (struct report_options){ .list_all_pkgs = packages });
	assert_int_equal(json_parse(a, text, &v, &err), 0);
	if (report_read(a, v, again, &err) < 0)
		fail_msg("%s", err.text);
	policy_init(&policy);
	policy.builtin_ignores = false;
	policy.files = again->summary.policy_files;
	struct report before = *again;
	policy_apply(a, &policy, STR("2026-11-24"), again);
	again->summary.gate = before.summary.gate;
	again->summary.hidden = before.summary.hidden;
	again->summary.hidden_unknown = before.summary.hidden_unknown;
	for (size_t i = 0; i < again->targets.len; i++)
		match_upgrades(a, &again->targets.ptr[i], &again->targets.ptr[i].upgrades);
	return again;
}

static void compare_texts(const char *name, const char *format, struct str one, struct str other)
{
	for (struct str x, y; one.ptr || other.ptr;) {
		bool more = str_cut(&one, '\n', &x);
		if (more != str_cut(&other, '\n', &y) || !str_eq(x, y))
			fail_msg("%s, %s\n direct: %.*s\n stored: %.*s", name, format, STR_ARG(x), STR_ARG(y));
		if (!more)
			break;
	}
}

static void from_stored_json_as_direct(void **state)
{
	(void)state;
	struct arena *ARENA_AUTO a = arena_new();
	const struct {
		const char *name;
		struct report *report;
	} reports[] = { { "ordinary", fixture_ordinary(a) }, { "clean", fixture_clean(a) }, { "partial", fixture_partial(a) },
		        { "several", fixture_several(a) },   { "large", fixture_large(a, true) } };
	for (size_t i = 0; i < COUNT_OF(reports); i++) {
		struct report *direct = reports[i].report;
		/* What a filter hides is not stored, and the fixtures' upgrades are made by hand. */
		for (size_t k = 0; k < direct->targets.len; k++)
			for (size_t f = 0; f < direct->targets.ptr[k].findings.len; f++)
				direct->targets.ptr[k].findings.ptr[f].hidden = false;
		memset(&direct->summary.by_severity, 0, sizeof(direct->summary.by_severity));
		direct->summary.hidden = direct->summary.hidden_unknown = direct->summary.suppressed = 0;
		direct->summary.not_assessed = direct->summary.fixable = direct->summary.kev = 0;
		fixture_summary(a, direct);
		for (size_t k = 0; k < direct->targets.len; k++) {
			direct->targets.ptr[k].upgrades.len = 0;
			match_upgrades(a, &direct->targets.ptr[k], &direct->targets.ptr[k].upgrades);
		}
		struct report *again = stored(a, direct, true);
		struct report_options o = { .list_all_pkgs = true, .show_suppressed = true, .width = 100 };
		for (size_t k = 0; k < report_format_count; k++)
			compare_texts(reports[i].name, report_formats[k].name, render(a, direct, report_formats[k].name, o),
			              render(a, again, report_formats[k].name, o));
		/* Without the list of packages: what does not list packages is the same. */
		again = stored(a, direct, false);
		o.list_all_pkgs = false;
		static const char *const formats[] = { "table", "json", "sarif", "trivy-json", "gitlab", "junit", "csv", "markdown", "html" };
		for (size_t k = 0; k < COUNT_OF(formats); k++)
			compare_texts(reports[i].name, formats[k], render(a, direct, formats[k], o), render(a, again, formats[k], o));
	}
}

/* Bytes that are no text cannot be stored: what was read once is stored and read again without a change. */
static void a_hostile_report_is_stable(void **state)
{
	(void)state;
	struct arena *ARENA_AUTO a = arena_new();
	struct report *once = stored(a, fixture_hostile(a), true), *twice = stored(a, once, true);
	struct report_options o = { .list_all_pkgs = true, .show_suppressed = true };
	for (size_t k = 0; k < report_format_count; k++)
		compare_texts("hostile", report_formats[k].name, render(a, once, report_formats[k].name, o),
		              render(a, twice, report_formats[k].name, o));
}

static void what_is_no_report_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int code;
	} cases[] = {
		{ "{}", ERR_FORMAT },
		{ "[]", ERR_FORMAT },
		{ "{\"schema\": 1}", ERR_FORMAT },
		{ "{\"schema\": \"plimsoll.report/v2\"}", ERR_UNSUPPORTED },
		{ "{\"schema\": \"plimsoll.report/v1\", \"targets\": [{\"kind\": \"moon\"}]}", ERR_FORMAT },
		{ "{\"schema\": \"plimsoll.report/v1\", \"targets\": [{\"kind\": \"fs\", \"findings\": [{\"id\": \"x\"}]}]}", ERR_FORMAT },
		{ "{\"schema\": \"plimsoll.report/v1\", \"targets\": [{\"kind\": \"fs\", \"findings\": [{\"id\": \"x\", \"kind\": "
		  "\"vulnerability\", \"severity\": \"low\", \"package\": 7}]}]}", ERR_FORMAT },
		{ "{\"schema\": \"plimsoll.report/v1\"}", 0 },
		{ "{\"schema\": \"plimsoll.report/v1\", \"targets\": 3, \"summary\": [], \"database\": 1}", 0 },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct arena *ARENA_AUTO a = arena_new();
		struct value *v;
		struct report r;
		struct err err = { 0 };
		assert_int_equal(json_parse(a, str_from(cases[i].text), &v, &err), 0);
		assert_int_equal(report_read(a, v, &r, &err), cases[i].code);
	}
}

static void names_of_templates(void **state)
{
	(void)state;
	struct err err = { 0 };
	assert_ptr_equal(report_format_for_template(STR("@contrib/html.tpl")), report_format_find(STR("html")));
	assert_ptr_equal(report_format_for_template(STR("/usr/share/trivy/gitlab-codequality.tpl")), report_format_find(STR("gitlab-codequality")));
	assert_null(report_format_for_template(STR("contrib/sarif2.tpl")));
	assert_null(report_format_for_template(STR("html")));
	assert_int_equal(report_template_check(STR("{{ range . }}"), &err), ERR_USAGE);
}

/* --write DIR: machine formats of every fixture, for validators (tests/e2e/report_formats.sh). */
static int write_all(const char *dir)
{
	static const struct {
		const char *format, *suffix;
	} outputs[] = { { "json", "json" },
			{ "sarif", "sarif" },
			{ "cyclonedx", "cdx.json" },
			{ "trivy-json", "trivy.json" },
			{ "gitlab", "gitlab.json" },
			{ "gitlab-codequality", "codequality.json" },
			{ "asff", "asff.json" },
			{ "junit", "junit.xml" },
			{ "csv", "csv" },
			{ "markdown", "md" },
			{ "html", "html" } };
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
		cmocka_unit_test(from_stored_json_as_direct),
		cmocka_unit_test(a_hostile_report_is_stable),
		cmocka_unit_test(what_is_no_report_is_refused),
		cmocka_unit_test(names_of_templates),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
