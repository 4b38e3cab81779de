/* Text from images on a terminal and in files: widths, cuts, controls, lines to copy; and what every format promises
 * whatever the names are. */
#include "base/base.h"
#include "base/json.h"
#include "base/utf8.h"
#include "report/advice.h"
#include "report/formats.h"
#include "report/sarif.h"
#include "report/text.h"

#include "report_fixtures.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define MARK "\xef\xbf\xbd" /* U+FFFD */

static void what_a_terminal_obeys_is_replaced(void **state)
{
	(void)state;
	static const struct {
		struct str in, out;
	} cases[] = {
		{ STR_INIT("plain"), STR_INIT("plain") },
		{ STR_INIT("a\nb\tc\rd"), STR_INIT("a b c d") },
		{ STR_INIT("\x1b[31mred\x1b[0m"), STR_INIT(MARK "[31mred" MARK "[0m") },
		{ STR_INIT("bell\x07 nul\0 del\x7f"), STR_INIT("bell" MARK " nul" MARK " del" MARK) },
		{ STR_INIT("csi\xc2\x9b"
			   "2J"),
		  STR_INIT("csi" MARK "2J") }, /* C1 as UTF-8 */
		{ STR_INIT("raw\x9b"
			   "2J"),
		  STR_INIT("raw" MARK "2J") }, /* C1 as a byte */
		{ STR_INIT("rtl\xe2\x80\xae"
			   "exe"),
		  STR_INIT("rtl" MARK "exe") }, /* U+202E */
		{ STR_INIT("\xe2\x80\xaa\xe2\x80\xab\xe2\x80\xac\xe2\x80\xad"),
		  STR_INIT(MARK MARK MARK MARK) }, /* 202A..D */
		{ STR_INIT("\xe2\x81\xa6\xe2\x81\xa7\xe2\x81\xa8\xe2\x81\xa9"),
		  STR_INIT(MARK MARK MARK MARK) }, /* 2066..9 */
		{ STR_INIT("zero\xe2\x80\x8bwidth\xef\xbb\xbf"), STR_INIT("zero" MARK "width" MARK) },
		{ STR_INIT("line\xe2\x80\xa8"
			   "sep"),
		  STR_INIT("line" MARK "sep") },
		{ STR_INIT("\xff\xfe"), STR_INIT(MARK MARK) },
		{ STR_INIT("\xc0\xaf"), STR_INIT(MARK MARK) },          /* overlong slash */
		{ STR_INIT("\xed\xa0\x80"), STR_INIT(MARK MARK MARK) }, /* surrogate */
		{ STR_INIT("cut\xe4\xb8"), STR_INIT("cut" MARK MARK) }, /* truncated */
		{ STR_INIT("caf\xc3\xa9 \xe4\xb8\xad"), STR_INIT("caf\xc3\xa9 \xe4\xb8\xad") },
		{ STR_INIT("e\xcc\x81"), STR_INIT("e\xcc\x81") }, /* an honest accent */
		{ STR_INIT("\xcc\x81"
			   "e"),
		  STR_INIT("e") }, /* one that would sit on what is not ours */
		{ STR_INIT("o\xcc\x80\xcc\x80\xcc\x80\xcc\x80\xcc\x80x"), STR_INIT("o\xcc\x80\xcc\x80\xcc\x80x") },
	};
	struct arena *ARENA_AUTO a = arena_new();
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		if (!str_eq(text_clean(a, cases[i].in), cases[i].out))
			fail_msg("case %zu: got \"%.*s\"", i, STR_ARG(text_clean(a, cases[i].in)));
}

static void widths_are_those_of_terminals(void **state)
{
	(void)state;
	struct arena *ARENA_AUTO a = arena_new();
	assert_int_equal(text_width(STR("abc")), 3);
	assert_int_equal(text_width(STR("\xe4\xb8\xad\xe6\x96\x87")), 4);
	assert_int_equal(text_width(STR("e\xcc\x81")), 1);
	assert_int_equal(text_width(STR("\xf0\x9f\x98\x80")), 2);
	assert_int_equal(text_width(STR("\xed\x95\x9c")), 2);
	assert_true(str_eq(text_cut(a, STR("abcdef"), 4), STR("abc\xe2\x80\xa6")));
	assert_true(str_eq(text_cut(a, STR("abcd"), 4), STR("abcd")));
	assert_true(
	    str_eq(text_cut(a, STR("\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad"), 4), STR("\xe4\xb8\xad\xe2\x80\xa6")));
	assert_int_equal(text_cut(a, STR("abc"), 0).len, 0);
	assert_true(str_eq(text_fit(STR("\xe4\xb8\xad\xe6\x96\x87"), 1), STR("\xe4\xb8\xad")));
}

static void numbers_are_read_at_a_glance(void **state)
{
	(void)state;
	struct arena *ARENA_AUTO a = arena_new();
	assert_true(str_eq(text_count(a, 0), STR("0")));
	assert_true(str_eq(text_count(a, 999), STR("999")));
	assert_true(str_eq(text_count(a, 1000), STR("1,000")));
	assert_true(str_eq(text_count(a, UINT64_MAX), STR("18,446,744,073,709,551,615")));
	assert_true(str_eq(text_counted(a, 1, "finding", "findings"), STR("1 finding")));
	assert_true(str_eq(text_decimal(a, 9.96, 1), STR("10.0")));
	assert_true(str_eq(text_decimal(a, 0.00043, 5), STR("0.00043")));
	assert_true(str_eq(text_decimal(a, -1, 2), STR("0.00")));
}

static void only_names_that_a_shell_cannot_misread_are_copied(void **state)
{
	(void)state;
	static const char *const good[] = { "libc6", "g++-12", "python3.11", "libstdc++6", "perl-XML-Parser", "gcc_x" };
	static const char *const bad[] = { "",    "-y",  "a b",         "a;b", "$(id)", "`id`", "a\nb",
					   "a/b", "a'b", "a\"b",        "a&b", "a|b",   "a>b",  "a*b",
					   "~",   "+x",  "caf\xc3\xa9", "a=b", "a\\b",  "#a" };
	for (size_t i = 0; i < COUNT_OF(good); i++)
		assert_true(advice_name_is_safe(str_from(good[i])));
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		if (advice_name_is_safe(str_from(bad[i])))
			fail_msg("\"%s\" would be copied", bad[i]);
	assert_false(advice_name_is_safe((struct str){ "a\0b", 3 }));
}

static void places_in_sarif_are_relative(void **state)
{
	(void)state;
	struct arena *ARENA_AUTO a = arena_new();
	static const char *const cases[][2] = {
		{ "var/lib/dpkg/status", "var/lib/dpkg/status" },
		{ "/../../etc//passwd", "etc/passwd" },
		{ "https://evil/x", "https%3A/evil/x" },
		{ "nginx:1.25", "nginx%3A1.25" },
		{ "a b\n\xff", "a%20b%0A%FF" },
		{ "", "else" },
		{ "/.././", "else" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct str got = sarif_relative_uri(a, str_from(cases[i][0]), STR("else"));
		if (!str_eq(got, str_from(cases[i][1])))
			fail_msg("%s: got %.*s", cases[i][0], STR_ARG(got));
	}
	assert_true(str_eq(sarif_message(a, STR("{0} [x](y) \\")), STR("{{0}} \\[x\\](y) \\\\")));
}

static struct str render(struct arena *a, const struct report *r, const struct report_format *f,
			 struct report_options o)
{
	struct err err = { 0 };
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	assert_non_null(out);
	assert_int_equal(f->write(r, &o, out, &err), 0);
	fclose(out);
	struct str s = str_dup(a, (struct str){ text, len });
	free(text);
	return s;
}

/* No control character but the line feed, no C1, nothing but UTF-8. */
static void assert_harmless(struct str s, const char *format)
{
	for (size_t i = 0, n; i < s.len; i += n) {
		unsigned char c = (unsigned char)s.ptr[i];
		uint32_t code = text_decode(str_sub(s, i, s.len), &n);
		if (code == UINT32_MAX || (c < 0x20 && c != '\n') || (code >= 0x7f && code < 0xa0))
			fail_msg("%s: byte 0x%02x at %zu", format, c, i);
	}
}

static bool is_json(const struct report_format *f)
{
	static const char *const others[] = { "table", "junit", "csv", "markdown", "html", "template" };
	for (size_t i = 0; i < COUNT_OF(others); i++)
		if (str_eq(str_from(f->name), str_from(others[i])))
			return false;
	return true;
}

static void no_format_passes_on_what_a_terminal_obeys(void **state)
{
	(void)state;
	struct arena *ARENA_AUTO a = arena_new();
	struct report *r = fixture_hostile(a);
	for (size_t i = 0; i < report_format_count; i++) {
		struct report_options o = {
			.list_all_pkgs = true, .show_suppressed = true, .verbose = true, .width = 80
		};
		struct str text = render(a, r, &report_formats[i], o);
		assert_harmless(text, report_formats[i].name);
		struct value *v;
		struct err err = { 0 };
		if (is_json(&report_formats[i]) && json_parse(a, text, &v, &err) != 0)
			fail_msg("%s: %s", report_formats[i].name, err.text);
	}
}

static void the_line_to_copy_holds_no_shell(void **state)
{
	(void)state;
	struct arena *ARENA_AUTO a = arena_new();
	struct str text =
	    render(a, fixture_hostile(a), report_format_find(STR("table")), (struct report_options){ .width = 80 });
	ptrdiff_t at = str_find_str(text, STR("    apt-get update"));
	assert_true(at >= 0);
	struct str command = str_sub(text, (size_t)at, text.len), line;
	assert_true(str_cut(&command, '\n', &line));
	assert_true(str_ends(line, STR("-y \\")));
	assert_true(str_cut(&command, '\n', &line));
	assert_true(advice_name_is_safe(str_trim(line)));
	assert_false(str_ends(line, STR("\\")));
}

static void no_line_is_wider_than_the_terminal(void **state)
{
	(void)state;
	struct arena *ARENA_AUTO a = arena_new();
	struct report *const reports[] = { fixture_ordinary(a), fixture_clean(a),        fixture_partial(a),
					   fixture_several(a),  fixture_large(a, false), fixture_hostile(a) };
	static const unsigned widths[] = { 60, 72, 80, 100, 117, 132, 200 };
	for (size_t i = 0; i < COUNT_OF(reports); i++)
		for (size_t w = 0; w < COUNT_OF(widths); w++) {
			struct report_options o = { .width = widths[w], .show_suppressed = true };
			struct str rest = render(a, reports[i], report_format_find(STR("table")), o), line;
			while (str_cut(&rest, '\n', &line)) {
				bool copied = str_starts(line, STR("        a-name-that-goes-on"));
				if (text_width(line) > widths[w] && !copied)
					fail_msg("report %zu at %u: %zu columns: %.*s", i, widths[w], text_width(line),
						 STR_ARG(line));
				if (str_ends(line, STR(" ")))
					fail_msg("report %zu at %u: blanks at the end of: %.*s", i, widths[w],
						 STR_ARG(line));
			}
		}
}

/* The same facts in another order. */
static void reverse(struct arena *a, struct target *t)
{
	struct package *packages = arena_array(a, t->packages.len, sizeof(*packages));
	struct finding *findings = arena_array(a, t->findings.len, sizeof(*findings));
	for (size_t i = 0; i < t->packages.len; i++)
		packages[i] = t->packages.ptr[t->packages.len - 1 - i];
	for (size_t i = 0; i < t->findings.len; i++) {
		findings[i] = t->findings.ptr[t->findings.len - 1 - i];
		if (findings[i].package)
			findings[i].package =
			    &packages[t->packages.len - 1 - (size_t)(findings[i].package - t->packages.ptr)];
	}
	t->packages.ptr = packages;
	t->findings.ptr = findings;
}

static void the_order_of_input_does_not_show(void **state)
{
	(void)state;
	struct arena *ARENA_AUTO a = arena_new();
	for (size_t i = 0; i < report_format_count; i++) {
		struct report_options o = { .list_all_pkgs = true, .show_suppressed = true };
		struct report *one = fixture_ordinary(a), *two = fixture_ordinary(a);
		reverse(a, &two->targets.ptr[0]);
		assert_true(str_eq(render(a, one, &report_formats[i], o), render(a, two, &report_formats[i], o)));
	}
}

static size_t occurrences(struct str text, struct str needle)
{
	size_t n = 0;
	for (ptrdiff_t at; (at = str_find_str(text, needle)) >= 0; n++)
		text = str_sub(text, (size_t)at + needle.len, text.len);
	return n;
}

static void sarif_stops_where_github_does_and_keeps_the_worst(void **state)
{
	(void)state;
	struct arena *ARENA_AUTO a = arena_new();
	struct report *r = fixture_report(a);
	struct target *t = fixture_target(a, r, "huge.tar");
	struct package *p = fixture_package(t, PACKAGE_DEB, STR("linux"), STR("1"), STR("linux"), STR("1"));
	for (size_t i = 0; i < SARIF_RESULTS_MAX + 10; i++) {
		struct finding *f =
		    fixture_finding(a, t, p, arena_printf(a, "CVE-2024-%zu", 10000 + i), SEVERITY_LOW, STR("2"));
		if (i == SARIF_RESULTS_MAX + 9)
			f->severity = SEVERITY_CRITICAL;
		if (i < 3)
			f->suppressed.by = STR("--ignore");
	}
	struct str text = render(a, r, report_format_find(STR("sarif")), (struct report_options){ 0 });
	assert_int_equal(occurrences(text, STR("\"ruleId\"")), SARIF_RESULTS_MAX);
	assert_true(str_contains(text, STR("\"ruleId\": \"CVE-2024-35009\"")));
	assert_false(str_contains(text, STR("\"ruleId\": \"CVE-2024-10000\""))); /* suppressed ones go first */
	assert_true(str_contains(text, STR("10 results were left out")));
}

static void hidden_findings_are_nowhere_and_suppressed_ones_everywhere(void **state)
{
	(void)state;
	struct arena *ARENA_AUTO a = arena_new();
	struct report *r = fixture_ordinary(a);
	for (size_t i = 0; i < report_format_count; i++) {
		const char *name = report_formats[i].name;
		/* Formats of others have no word for what is ignored, or want to be asked for it. */
		bool always = str_eq(str_from(name), STR("json")) || str_eq(str_from(name), STR("sarif")) ||
		              str_eq(str_from(name), STR("cyclonedx")) || str_eq(str_from(name), STR("grype-json"));
		struct str text = render(a, r, &report_formats[i], (struct report_options){ 0 });
		assert_false(str_contains(text, STR("CVE-2011-3374")));
		assert_int_equal(str_contains(text, STR("CVE-2024-26581")), always);
	}
}

static void a_full_disk_is_an_error(void **state)
{
	(void)state;
	struct arena *ARENA_AUTO a = arena_new();
	for (size_t i = 0; i < report_format_count; i++) {
		FILE *full = fopen("/dev/full", "w");
		if (!full)
			skip();
		struct err err = { 0 };
		struct report_options o = { .template = STR("text") };
		assert_int_equal(report_formats[i].write(fixture_clean(a), &o, full, &err), ERR_IO);
		fclose(full);
	}
}

static void an_empty_report_is_written(void **state)
{
	(void)state;
	struct arena *ARENA_AUTO a = arena_new();
	struct report empty = { 0 };
	for (size_t i = 0; i < report_format_count; i++)
		(void)render(a, &empty, &report_formats[i], (struct report_options){ .list_all_pkgs = true });
	assert_null(report_format_find(STR("tabl")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_terminal_obeys_is_replaced),
		cmocka_unit_test(widths_are_those_of_terminals),
		cmocka_unit_test(numbers_are_read_at_a_glance),
		cmocka_unit_test(only_names_that_a_shell_cannot_misread_are_copied),
		cmocka_unit_test(places_in_sarif_are_relative),
		cmocka_unit_test(no_format_passes_on_what_a_terminal_obeys),
		cmocka_unit_test(the_line_to_copy_holds_no_shell),
		cmocka_unit_test(no_line_is_wider_than_the_terminal),
		cmocka_unit_test(the_order_of_input_does_not_show),
		cmocka_unit_test(sarif_stops_where_github_does_and_keeps_the_worst),
		cmocka_unit_test(hidden_findings_are_nowhere_and_suppressed_ones_everywhere),
		cmocka_unit_test(a_full_disk_is_an_error),
		cmocka_unit_test(an_empty_report_is_written),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
