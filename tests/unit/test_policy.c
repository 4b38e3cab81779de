/* Ignores from both files, filters, the gate and the sums. */
#include "base/base.h"
#include "base/json.h"
#include "policy/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct arena *arena;

static int setup(void **state)
{
	(void)state;
	arena = arena_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

#define TODAY STR("2026-11-24")

static struct package *new_package(enum package_type type, const char *name, const char *source)
{
	struct package *p = ARENA_NEW(arena, struct package);
	*p = (struct package){ .type = type, .name = str_from(name), .version = STR("1-1"), .source_name = str_from(source),
		               .source_version = STR("1-1"), .db_path = STR("var/lib/dpkg/status") };
	return p;
}

static struct finding *add(struct target *t, const char *id, enum severity severity, const struct package *p,
                           const char *fixed)
{
	struct finding *f = vec_push(arena, &t->findings);
	f->id = str_from(id);
	f->severity = severity;
	f->package = p;
	f->fixed_version = str_from(fixed);
	f->status = STATUS_AFFECTED;
	f->epss = f->cvss_score = -1;
	return f;
}

static struct target *new_report(struct report *r, enum target_kind kind)
{
	*r = (struct report){ 0 };
	struct target *t = vec_push(arena, &r->targets);
	t->kind = kind;
	return t;
}

/* --- ignores from YAML (JSON is YAML) --- */

static int add_yaml(struct policy *p, const char *text, struct err *err)
{
	struct value *v = NULL;
	assert_int_equal(json_parse(arena, str_from(text), &v, err), 0);
	return policy_add_yaml(arena, p, STR(".plimsoll.yaml"), v, err);
}

static void yaml_entries_are_read(void **state)
{
	(void)state;
	struct policy p;
	struct err err = { 0 };
	policy_init(&p);
	assert_int_equal(add_yaml(&p,
	                          "[{\"id\":\"CVE-2024-*\",\"package\":\"openssl\",\"reason\":\"r\",\"until\":\"2026-12-31\"},"
	                          "{\"path\":\"usr/**\",\"subject\":\"container:web\"}]",
	                          &err),
	                 0);
	assert_int_equal(p.ignores.len, 2);
	assert_true(str_eq(p.ignores.ptr[0].id, STR("CVE-2024-*")));
	assert_true(str_eq(p.ignores.ptr[0].until, STR("2026-12-31")));
	assert_true(str_eq(p.ignores.ptr[1].path, STR("usr/**")));
	assert_true(str_starts(p.ignores.ptr[0].origin, STR(".plimsoll.yaml:")));
	assert_int_equal(policy_add_yaml(arena, &p, STR("f"), NULL, &err), 0);
	assert_int_equal(add_yaml(&p, "null", &err), 0);
	assert_int_equal(p.ignores.len, 2);
}

static void yaml_that_is_not_understood_is_refused_whole(void **state)
{
	(void)state;
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "{\"id\":\"x\"}", "must be a list" },
		{ "[\"CVE-2024-1\"]", "must be a map" },
		{ "[{\"id\":\"ok\"},{\"id\":5}]", "id must be text" },
		{ "[{\"id\":\"ok\"},{\"ids\":\"x\"}]", "unknown key 'ids'" },
		{ "[{\"id\":\"ok\"},{\"id\":\"\"}]", "id is empty" },
		{ "[{\"id\":\"x\",\"package\":\" \"}]", "package is empty" },
		{ "[{\"reason\":\"because\"}]", "needs one of" },
		{ "[{}]", "needs one of" },
		{ "[{\"id\":\"x\",\"until\":\"2026-02-30\"}]", "no date" },
		{ "[{\"id\":\"x\",\"until\":\"tomorrow\"}]", "no date" },
		{ "[{\"id\":\"x\",\"until\":null}]", "until must be text" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct policy p;
		struct err err = { 0 };
		policy_init(&p);
		if (add_yaml(&p, cases[i].text, &err) != ERR_USAGE || p.ignores.len != 0)
			fail_msg("%s was taken", cases[i].text);
		if (!strstr(err.text, cases[i].says) || strncmp(err.text, ".plimsoll.yaml:", 15) != 0)
			fail_msg("%s: '%s' does not say '%s'", cases[i].text, err.text, cases[i].says);
	}
}

static void dates(void **state)
{
	(void)state;
	static const char *const good[] = { "2026-01-31", "2024-02-29", "2000-02-29", "0001-01-01", "9999-12-31" };
	static const char *const bad[] = { "",           "2026-1-31",  "2026-13-01", "2026-00-10", "2025-02-29",
		                           "1900-02-29", "2026-04-31", "2026/01/01", "2026-01-00", "2026-01-011",
		                           "-026-01-01", "2026-01-1 " };
	for (size_t i = 0; i < COUNT_OF(good); i++)
		assert_true(policy_is_date(str_from(good[i])));
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_false(policy_is_date(str_from(bad[i])));
}

/* --- .trivyignore --- */

static void trivyignore_lines(void **state)
{
	(void)state;
	static const struct {
		const char *text, *id, *until, *reason;
	} cases[] = {
		{ "CVE-2018-14618\n", "CVE-2018-14618", "", "" },
		{ "  CVE-2018-14618\t\r\n", "CVE-2018-14618", "", "" },
		{ "CVE-1 exp:2026-12-31", "CVE-1", "2026-12-31", "" },
		{ "CVE-1   exp:2026-12-31   # no such path", "CVE-1", "2026-12-31", "no such path" },
		{ "# Accept the risk\nCVE-1", "CVE-1", "", "Accept the risk" },
		{ "# about the file\n\nCVE-1", "CVE-1", "", "" },
		{ "#CVE-0\nCVE-1 not reachable  here", "CVE-1", "", "not reachable  here" },
		{ "CVE-1 # a # b", "CVE-1", "", "a # b" },
		{ "\xef\xbb\xbf" "CVE-1", "CVE-1", "", "" },
		{ "CVE-*", "CVE-\\*", "", "" },
		{ "AVD#1", "AVD#1", "", "" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct policy p;
		struct err err = { 0 };
		policy_init(&p);
		assert_int_equal(policy_add_trivyignore(arena, &p, STR(".trivyignore"), str_from(cases[i].text), &err), 0);
		if (p.ignores.len != 1)
			fail_msg("'%s' gave %zu ignores", cases[i].text, p.ignores.len);
		const struct ignore *g = &p.ignores.ptr[0];
		if (!str_eq(g->id, str_from(cases[i].id)) || !str_eq(g->until, str_from(cases[i].until)) ||
		    !str_eq(g->reason, str_from(cases[i].reason)))
			fail_msg("'%s' gave '%.*s' '%.*s' '%.*s'", cases[i].text, STR_ARG(g->id), STR_ARG(g->until),
			         STR_ARG(g->reason));
	}
}

static void trivyignore_with_a_bad_date_is_refused(void **state)
{
	(void)state;
	static const char *const cases[] = { "CVE-1\nCVE-2 exp:2026-02-30\n", "CVE-1\nCVE-2 exp:\n", "CVE-1\nCVE-2 exp:soon\n" };
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct policy p;
		struct err err = { 0 };
		policy_init(&p);
		assert_int_equal(policy_add_trivyignore(arena, &p, STR("f"), str_from(cases[i]), &err), ERR_USAGE);
		assert_int_equal(p.ignores.len, 0);
		assert_true(strncmp(err.text, "f:2: ", 5) == 0);
	}
	struct policy p;
	policy_init(&p);
	assert_int_equal(policy_add_trivyignore(arena, &p, STR("f"), STR(""), NULL), 0);
	assert_int_equal(policy_add_trivyignore(arena, &p, STR("f"), STR("# only\n\n"), NULL), 0);
	assert_int_equal(p.ignores.len, 0);
}

static void there_is_an_end_to_ignores(void **state)
{
	(void)state;
	struct buf BUF_AUTO b = { 0 };
	struct policy p;
	struct err err = { 0 };
	policy_init(&p);
	buf_init(&b, MIB);
	for (unsigned i = 0; i <= IGNORES_MAX; i++)
		buf_printf(&b, "CVE-2024-%u\n", i);
	assert_false(b.overflow);
	assert_int_equal(policy_add_trivyignore(arena, &p, STR("f"), buf_view(&b), &err), ERR_LIMIT);
	assert_non_null(strstr(err.text, "IGNORES_MAX"));
	assert_int_equal(p.ignores.len, 0);
}

/* --- what an ignore matches --- */

static void an_ignore_matches_all_that_it_asks(void **state)
{
	(void)state;
	static const struct {
		const char *id, *package, *path, *subject;
		bool match;
	} cases[] = {
		{ "CVE-2024-1", "", "", "", true },
		{ "CVE-2024-2", "", "", "", false },
		{ "CVE-2024-*", "", "", "", true },
		{ "DSA-1-1", "", "", "", true }, /* an alias */
		{ "DSA-*", "", "", "", true },
		{ "", "libssl3", "", "", true },
		{ "", "openssl", "", "", true }, /* the source */
		{ "", "libssl*", "", "", true },
		{ "", "ssl", "", "", false },
		{ "CVE-2024-1", "openssl", "", "", true },
		{ "CVE-2024-1", "curl", "", "", false },
		{ "CVE-2024-2", "openssl", "", "", false },
		{ "", "", "var/lib/**", "", true },
		{ "", "", "var/*", "", false },
		{ "", "", "", "container:*", true },
		{ "", "", "", "container:db", false },
		{ "CVE-2024-1", "openssl", "var/lib/dpkg/status", "container:web", true },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct policy p;
		struct report r;
		policy_init(&p);
		struct ignore g = { str_from(cases[i].id), str_from(cases[i].package), str_from(cases[i].path),
			            str_from(cases[i].subject), STR("why"), STR(""), STR("f:1") };
		assert_int_equal(policy_add_ignore(arena, &p, &g, NULL), 0);
		struct target *t = new_report(&r, TARGET_IMAGE);
		struct finding *f = add(t, "CVE-2024-1", SEVERITY_HIGH, new_package(PACKAGE_DEB, "libssl3", "openssl"), "2");
		*vec_push(arena, &f->aliases) = STR("DSA-1-1");
		f->subject = STR("container:web");
		policy_apply(arena, &p, TODAY, &r);
		if ((f->suppressed.by.len > 0) != cases[i].match)
			fail_msg("case %zu: %s %s %s %s", i, cases[i].id, cases[i].package, cases[i].path, cases[i].subject);
		assert_int_equal(r.summary.suppressed, cases[i].match);
		if (cases[i].match)
			assert_true(str_eq(f->suppressed.by, STR("f:1")) && str_eq(f->suppressed.reason, STR("why")));
	}
}

static void an_ignore_holds_through_its_last_day(void **state)
{
	(void)state;
	static const struct {
		const char *until;
		bool holds;
	} cases[] = { { "2026-11-23", false }, { "2026-11-24", true }, { "2026-11-25", true }, { "", true } };
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct policy p;
		struct report r;
		struct str_list notes = { 0 };
		policy_init(&p);
		struct ignore g = { .id = STR("CVE-1"), .until = str_from(cases[i].until), .origin = STR("f:7") };
		assert_int_equal(policy_add_ignore(arena, &p, &g, NULL), 0);
		struct target *t = new_report(&r, TARGET_IMAGE);
		struct finding *f = add(t, "CVE-1", SEVERITY_LOW, NULL, "");
		add(t, "CVE-1", SEVERITY_LOW, NULL, "");
		policy_apply(arena, &p, TODAY, &r);
		assert_int_equal(f->suppressed.by.len > 0, cases[i].holds);
		assert_int_equal(t->notes.len, !cases[i].holds); /* once, not for each finding */
		policy_notes(arena, &p, TODAY, &r, &notes);
		assert_int_equal(notes.len, !cases[i].holds);
	}
}

static void the_first_that_holds_is_named_and_an_expired_one_does_not_stand_in_its_way(void **state)
{
	(void)state;
	struct policy p;
	struct report r;
	struct str_list notes = { 0 };
	policy_init(&p);
	const struct ignore list[] = {
		{ .id = STR("CVE-1"), .until = STR("2020-01-01"), .origin = STR("f:1") },
		{ .id = STR("CVE-*"), .reason = STR("glob"), .origin = STR("f:2") },
		{ .id = STR("CVE-1"), .reason = STR("plain"), .origin = STR("f:3") },
		{ .id = STR("CVE-9"), .origin = STR("f:4") },
	};
	for (size_t i = 0; i < COUNT_OF(list); i++)
		assert_int_equal(policy_add_ignore(arena, &p, &list[i], NULL), 0);
	struct target *t = new_report(&r, TARGET_IMAGE);
	struct finding *f = add(t, "CVE-1", SEVERITY_LOW, NULL, "");
	policy_apply(arena, &p, TODAY, &r);
	assert_true(str_eq(f->suppressed.by, STR("f:2")));
	assert_int_equal(t->notes.len, 0);
	policy_notes(arena, &p, TODAY, &r, &notes);
	assert_int_equal(notes.len, 3); /* f:1 ran out; f:3 and f:4 suppress nothing */
}

static void the_first_written_wins_whether_plain_or_pattern(void **state)
{
	(void)state;
	static const char *const orders[][3] = {
		{ "CVE-1", "CVE-*", "CVE-1" }, { "CVE-*", "CVE-1", "CVE-1" }, { "CVE-1", "CVE-1", "CVE-*" },
		{ "", "CVE-1", "CVE-1" },
	};
	for (size_t i = 0; i < COUNT_OF(orders); i++) {
		struct policy p;
		struct report r;
		policy_init(&p);
		for (size_t j = 0; j < 3; j++) {
			struct ignore g = { .id = str_from(orders[i][j]), .subject = STR("*"),
				            .origin = arena_printf(arena, "f:%zu", j + 1) };
			assert_int_equal(policy_add_ignore(arena, &p, &g, NULL), 0);
		}
		struct finding *f = add(new_report(&r, TARGET_FS), "CVE-1", SEVERITY_LOW, NULL, "");
		policy_apply(arena, &p, TODAY, &r);
		assert_true(str_eq(f->suppressed.by, STR("f:1")));
	}
}

static void an_ignore_without_origin_still_suppresses(void **state)
{
	(void)state;
	struct policy p;
	struct report r;
	policy_init(&p);
	struct ignore g = { .id = STR("CVE-1") };
	assert_int_equal(policy_add_ignore(arena, &p, &g, NULL), 0);
	struct finding *f = add(new_report(&r, TARGET_FS), "CVE-1", SEVERITY_LOW, NULL, "");
	policy_apply(arena, &p, TODAY, &r);
	assert_true(f->suppressed.by.len > 0);
}

/* --- kernel headers --- */

static void kernel_headers_in_an_image_are_suppressed(void **state)
{
	(void)state;
	static const struct {
		enum package_type type;
		const char *name, *source;
		bool match;
	} cases[] = {
		{ PACKAGE_DEB, "linux-libc-dev", "linux", true },
		{ PACKAGE_DEB, "linux-libc-dev-arm64-cross", "linux", true },
		{ PACKAGE_DEB, "linux-headers-6.1.0-13-amd64", "linux", true },
		{ PACKAGE_DEB, "linux-aws-headers-6.5.0-1001", "linux-aws", true },
		{ PACKAGE_DEB, "linux-image-6.1.0-13-amd64", "linux-signed-amd64", false },
		{ PACKAGE_DEB, "linux-perf", "linux", false },
		{ PACKAGE_DEB, "libc6-dev", "glibc", false },
		{ PACKAGE_DEB, "linux-libc-dev", "evil", false },
		{ PACKAGE_APK, "linux-headers", "linux-headers", true },
		{ PACKAGE_APK, "linux-lts", "linux-lts", false },
		{ PACKAGE_RPM, "kernel-headers", "kernel", true },
		{ PACKAGE_RPM, "kernel-devel", "kernel", true },
		{ PACKAGE_RPM, "kernel-core", "kernel", false },
		{ PACKAGE_RPM, "linux-libc-dev", "linux", false },
	};
	static const struct {
		enum target_kind kind;
		bool may;
	} kinds[] = { { TARGET_IMAGE, true }, { TARGET_FS, true }, { TARGET_HOST, false }, { TARGET_SBOM, false } };
	for (size_t k = 0; k < COUNT_OF(kinds); k++)
		for (size_t i = 0; i < COUNT_OF(cases); i++) {
			struct policy p;
			struct report r;
			policy_init(&p);
			p.builtin_ignores = true;
			struct finding *f = add(new_report(&r, kinds[k].kind), "CVE-1", SEVERITY_HIGH,
			                        new_package(cases[i].type, cases[i].name, cases[i].source), "2");
			policy_apply(arena, &p, TODAY, &r);
			if (str_eq(f->suppressed.by, STR("built-in")) != (cases[i].match && kinds[k].may))
				fail_msg("%s of %s", cases[i].name, cases[i].source);
			f->suppressed.by = (struct str){ 0 };
			p.builtin_ignores = false;
			policy_apply(arena, &p, TODAY, &r);
			assert_int_equal(f->suppressed.by.len, 0);
		}
}

/* --- filters, gate, sums --- */

static void severities_and_statuses_are_parsed(void **state)
{
	(void)state;
	bool shown[SEVERITY_COUNT] = { true, true }, ignored[STATUS_COUNT] = { 0 };
	struct err err = { 0 };
	assert_int_equal(policy_parse_severities(STR("HIGH, critical,Unknown"), shown, &err), 0);
	assert_true(shown[SEVERITY_HIGH] && shown[SEVERITY_CRITICAL] && shown[SEVERITY_UNKNOWN]);
	assert_false(shown[SEVERITY_LOW] || shown[SEVERITY_INFO] || shown[SEVERITY_MEDIUM]);
	assert_int_equal(policy_parse_severities(STR("high,"), shown, &err), ERR_USAGE);
	assert_int_equal(policy_parse_severities(STR(""), shown, &err), ERR_USAGE);
	assert_int_equal(policy_parse_severities(STR("severe"), shown, &err), ERR_USAGE);
	assert_non_null(strstr(err.text, "severe"));
	assert_true(shown[SEVERITY_HIGH]); /* an error changes nothing */
	assert_int_equal(policy_parse_statuses(STR("will_not_fix,Fixed"), ignored, &err), 0);
	assert_true(ignored[STATUS_WILL_NOT_FIX] && ignored[STATUS_NONE] && !ignored[STATUS_AFFECTED]);
	assert_int_equal(policy_parse_statuses(STR("wontfix"), ignored, &err), ERR_USAGE);
	assert_int_equal(policy_parse_statuses(STR(""), ignored, &err), ERR_USAGE);
}

static void filters_hide_and_say_how_many(void **state)
{
	(void)state;
	struct policy p;
	struct report r;
	policy_init(&p);
	assert_int_equal(policy_parse_severities(STR("high,critical"), p.severity_shown, NULL), 0);
	p.ignore_unfixed = true;
	struct target *t = new_report(&r, TARGET_IMAGE);
	struct package *pkg = new_package(PACKAGE_DEB, "a", "a");
	add(t, "CVE-1", SEVERITY_CRITICAL, pkg, "2");
	add(t, "CVE-1", SEVERITY_CRITICAL, new_package(PACKAGE_DEB, "b", "a"), "2")->kev = true;
	add(t, "CVE-2", SEVERITY_HIGH, pkg, "");      /* no fix */
	add(t, "CVE-3", SEVERITY_LOW, pkg, "2");      /* low */
	add(t, "CVE-4", SEVERITY_UNKNOWN, pkg, "2");  /* unrated */
	add(t, "rule-1", SEVERITY_HIGH, NULL, "")->kind = FINDING_CONFIG;
	*vec_push(arena, &t->not_assessed) = (struct not_assessed){ .what = STR("x") };
	policy_apply(arena, &p, TODAY, &r);
	assert_int_equal(r.summary.by_severity[SEVERITY_CRITICAL], 2);
	assert_int_equal(r.summary.by_severity[SEVERITY_HIGH], 1);
	assert_int_equal(r.summary.hidden, 3);
	assert_int_equal(r.summary.hidden_unknown, 1);
	assert_int_equal(r.summary.distinct, 2);
	assert_int_equal(r.summary.fixable, 2);
	assert_int_equal(r.summary.kev, 1);
	assert_int_equal(r.summary.not_assessed, 1);
	assert_int_equal(r.summary.gate.asked.len, 0);
}

static void statuses_hide_as_in_trivy(void **state)
{
	(void)state;
	static const struct {
		const char *flag;
		const char *hidden; /* one letter a finding, of f(ixed), a(ffected), w(ill not fix), n(one stated) */
	} cases[] = { { "affected", "an" }, { "fixed", "f" }, { "will_not_fix", "w" }, { "fixed,will_not_fix", "fw" } };
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct policy p;
		struct report r;
		policy_init(&p);
		assert_int_equal(policy_parse_statuses(str_from(cases[i].flag), p.status_ignored, NULL), 0);
		struct target *t = new_report(&r, TARGET_IMAGE);
		add(t, "f", SEVERITY_LOW, NULL, "2");
		add(t, "a", SEVERITY_LOW, NULL, "");
		add(t, "w", SEVERITY_LOW, NULL, "")->status = STATUS_WILL_NOT_FIX;
		add(t, "n", SEVERITY_LOW, NULL, "")->status = STATUS_NONE;
		add(t, "rule", SEVERITY_LOW, NULL, "")->kind = FINDING_CONFIG;
		policy_apply(arena, &p, TODAY, &r);
		for (size_t j = 0; j < t->findings.len; j++) {
			const struct finding *f = &t->findings.ptr[j];
			if (f->hidden != (strchr(cases[i].hidden, f->id.ptr[0]) != NULL))
				fail_msg("%s: %.*s", cases[i].flag, STR_ARG(f->id));
		}
	}
}

static void the_gate(void **state)
{
	(void)state;
	static const struct {
		enum severity finding, fail_on, unrated;
		bool hidden, suppressed, fails;
	} cases[] = {
		{ SEVERITY_HIGH, SEVERITY_HIGH, SEVERITY_HIGH, false, false, true },
		{ SEVERITY_CRITICAL, SEVERITY_HIGH, SEVERITY_HIGH, false, false, true },
		{ SEVERITY_MEDIUM, SEVERITY_HIGH, SEVERITY_HIGH, false, false, false },
		{ SEVERITY_HIGH, SEVERITY_HIGH, SEVERITY_HIGH, true, false, true }, /* a filter is not a pardon */
		{ SEVERITY_HIGH, SEVERITY_HIGH, SEVERITY_HIGH, false, true, false },
		{ SEVERITY_UNKNOWN, SEVERITY_HIGH, SEVERITY_HIGH, false, false, true }, /* unrated is not low */
		{ SEVERITY_UNKNOWN, SEVERITY_CRITICAL, SEVERITY_HIGH, false, false, false },
		{ SEVERITY_UNKNOWN, SEVERITY_CRITICAL, SEVERITY_CRITICAL, false, false, true },
		{ SEVERITY_UNKNOWN, SEVERITY_MEDIUM, SEVERITY_LOW, false, false, false },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct policy p;
		struct report r;
		policy_init(&p);
		p.gate = true;
		p.fail_on = cases[i].fail_on;
		p.unrated = cases[i].unrated;
		if (cases[i].hidden)
			p.severity_shown[cases[i].finding] = false;
		struct ignore g = { .id = STR("CVE-1"), .origin = STR("f:1") };
		if (cases[i].suppressed)
			assert_int_equal(policy_add_ignore(arena, &p, &g, NULL), 0);
		add(new_report(&r, TARGET_IMAGE), "CVE-1", cases[i].finding, new_package(PACKAGE_DEB, "a", "a"), "2");
		policy_apply(arena, &p, TODAY, &r);
		if (r.summary.gate.failed != cases[i].fails)
			fail_msg("case %zu", i);
		assert_int_equal(r.summary.gate.by.len > 0, cases[i].fails);
	}
}

static void the_gate_names_the_worst_and_how_many_more(void **state)
{
	(void)state;
	struct policy p;
	struct report r;
	policy_init(&p);
	p.gate = true;
	p.fail_on = SEVERITY_MEDIUM;
	struct target *t = new_report(&r, TARGET_IMAGE);
	struct package *pkg = new_package(PACKAGE_DEB, "libssl3", "openssl");
	add(t, "CVE-3", SEVERITY_CRITICAL, pkg, "2");
	add(t, "CVE-2", SEVERITY_UNKNOWN, pkg, "2");
	policy_apply(arena, &p, TODAY, &r);
	assert_true(str_eq(r.summary.gate.by, STR("CVE-3 in libssl3 (critical), and 1 more")));
	add(t, "CVE-1", SEVERITY_MEDIUM, pkg, "2")->kev = true;
	policy_apply(arena, &p, TODAY, &r);
	assert_true(str_eq(r.summary.gate.by, STR("CVE-1 in libssl3 (medium, known to be exploited), and 2 more")));
	t->findings.len = 0;
	add(t, "CVE-2", SEVERITY_UNKNOWN, pkg, "2");
	policy_apply(arena, &p, TODAY, &r);
	assert_true(str_eq(r.summary.gate.by, STR("CVE-2 in libssl3 (unrated, counts as high)")));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(yaml_entries_are_read),
		TEST(yaml_that_is_not_understood_is_refused_whole),
		TEST(dates),
		TEST(trivyignore_lines),
		TEST(trivyignore_with_a_bad_date_is_refused),
		TEST(there_is_an_end_to_ignores),
		TEST(an_ignore_matches_all_that_it_asks),
		TEST(an_ignore_holds_through_its_last_day),
		TEST(the_first_that_holds_is_named_and_an_expired_one_does_not_stand_in_its_way),
		TEST(the_first_written_wins_whether_plain_or_pattern),
		TEST(an_ignore_without_origin_still_suppresses),
		TEST(kernel_headers_in_an_image_are_suppressed),
		TEST(severities_and_statuses_are_parsed),
		TEST(filters_hide_and_say_how_many),
		TEST(statuses_hide_as_in_trivy),
		TEST(the_gate),
		TEST(the_gate_names_the_worst_and_how_many_more),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
