/* Ignores in Trivy's and Grype's forms, and the patterns in them. */
#include "base/base.h"
#include "base/yaml.h"
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

/* Three findings: a direct one with a fix, one by its source without, one that the vendor will not fix. */
static void fill(struct report *r)
{
	static const struct {
		const char *id, *alias, *name, *version, *source, *fixed;
		enum fix_status status;
	} rows[] = {
		{ "CVE-1", "DSA-1", "openssl", "3.0.9-1", "openssl", "3.0.11-1", STATUS_AFFECTED },
		{ "CVE-2", "CVE-9", "libssl3", "1:3.0.9-1", "openssl", "", STATUS_AFFECTED },
		{ "CVE-3", "", "zlib1g", "1:1.2.13.dfsg-1", "zlib", "", STATUS_WILL_NOT_FIX },
	};
	*r = (struct report){ 0 };
	struct target *t = vec_push(arena, &r->targets);
	t->kind = TARGET_IMAGE;
	t->os = (struct os){ .id = STR("debian"), .version = STR("12") };
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct package *p = ARENA_NEW(arena, struct package);
		*p = (struct package){ .type = PACKAGE_DEB, .name = str_from(rows[i].name), .version = str_from(rows[i].version),
			               .arch = STR("amd64"), .source_name = str_from(rows[i].source),
			               .source_version = str_from(rows[i].version), .db_path = STR("var/lib/dpkg/status") };
		struct finding *f = vec_push(arena, &t->findings);
		*f = (struct finding){ .id = str_from(rows[i].id), .severity = SEVERITY_HIGH, .package = p,
			               .fixed_version = str_from(rows[i].fixed), .status = rows[i].status, .cvss_score = -1, .epss = -1 };
		*vec_push(arena, &f->aliases) = str_from(rows[i].alias);
	}
}

/* Which of the three are suppressed, as "13". */
static void expect(const struct policy *p, const char *what, const char *expected)
{
	struct report r;
	char got[4] = { 0 };
	size_t n = 0;
	fill(&r);
	policy_apply(arena, p, TODAY, &r);
	for (size_t i = 0; i < 3; i++)
		if (r.targets.ptr[0].findings.ptr[i].suppressed.by.len)
			got[n++] = (char)('1' + i);
	if (strcmp(got, expected) != 0)
		fail_msg("%s: suppresses \"%s\", not \"%s\"", what, got, expected);
}

static const struct value *yaml(const char *text)
{
	struct value *documents = NULL;
	struct err err = { 0 };
	if (yaml_parse(arena, str_from(text), &documents, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	return value_at(documents, 0);
}

static void trivyignore_yaml(void **state)
{
	(void)state;
	static const struct {
		const char *text, *suppresses;
	} cases[] = {
		{ "vulnerabilities: [{id: CVE-1}]", "1" },
		{ "vulnerabilities: [{id: CVE-1}, {id: CVE-3, statement: why}]", "13" },
		{ "vulnerabilities: [{id: DSA-1}]", "" }, /* Trivy knows no aliases */
		{ "vulnerabilities: [{id: CVE-*}]", "" }, /* nor globs */
		{ "misconfigurations: [{id: CVE-1}]\nsecrets: [{id: CVE-1}]\nlicenses: [{id: CVE-1}]", "" },
		{ "vulnerabilities: [{id: CVE-1, expired_at: 2026-11-25}]", "1" },
		{ "vulnerabilities: [{id: CVE-1, expired_at: 2026-11-24}]", "" },
		{ "vulnerabilities: [{id: CVE-1, expired_at: 2026-11-24T12:00:00Z}]", "" },
		{ "vulnerabilities: [{id: CVE-1, paths: [usr/lib/x, 'var/lib/dpkg/*']}]", "1" },
		{ "vulnerabilities: [{id: CVE-1, paths: [usr/lib/x]}]", "" },
		{ "vulnerabilities: [{id: CVE-1, paths: []}]", "1" },
		{ "vulnerabilities: [{id: CVE-1, purls: ['pkg:deb/debian/openssl']}]", "1" },
		{ "vulnerabilities: [{id: CVE-1, purls: ['pkg:deb/debian/openssl@3.0.9-1?arch=amd64']}]", "1" },
		{ "vulnerabilities: [{id: CVE-1, purls: ['pkg:deb/debian/openssl@3.0.9-2']}]", "" },
		{ "vulnerabilities: [{id: CVE-1, purls: ['pkg:deb/debian/openssl?arch=arm64']}]", "" },
		{ "vulnerabilities: [{id: CVE-1, purls: ['pkg:deb/ubuntu/openssl', 'pkg:rpm/debian/openssl', 'pkg:deb/debian/open']}]",
		  "" },
		{ "vulnerabilities: [{id: CVE-3, purls: ['pkg:deb/debian/zlib1g@1.2.13.dfsg-1?epoch=1']}]", "3" },
		{ "vulnerabilities: [{id: CVE-3, purls: ['pkg:deb/debian/zlib1g@1%3A1.2.13.dfsg-1']}]", "3" },
		{ "vulnerabilities: [{id: CVE-3, purls: ['pkg:deb/debian/zlib1g@1.2.13.dfsg-1']}]", "" },
		{ "vulnerabilities:\n", "" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct policy p;
		struct err err = { 0 };
		policy_init(&p);
		assert_true(policy_is_trivyignore_yaml(yaml(cases[i].text)));
		if (policy_add_trivyignore_yaml(arena, &p, STR("f.yaml"), yaml(cases[i].text), &err) < 0)
			fail_msg("%s: %s", cases[i].text, err.text);
		expect(&p, cases[i].text, cases[i].suppresses);
	}
	assert_false(policy_is_trivyignore_yaml(yaml("ignore: []")));
	assert_false(policy_is_trivyignore_yaml(yaml("[]")));
}

static void trivyignore_yaml_refused(void **state)
{
	(void)state;
	static const char *const cases[] = {
		"vulnerabilities: {id: CVE-1}",      "vulnerabilities: [CVE-1]",
		"vulnerabilities: [{id: [CVE-1]}]",  "vulnerabilities: [{id: CVE-1}, {paths: [x]}]",
		"vulnerabilities: [{id: CVE-1, expired_at: soon}]", "vulnerabilities: [{id: CVE-1, expired_at: 2026-02-30}]",
		"vulnerabilities: [{id: CVE-1, paths: x}]", "vulnerabilities: [{id: CVE-1, purls: [openssl]}]",
		"vulnerabilities: [{id: CVE-1, expires: 2026-01-01}]", "vulnerabilities: [{id: CVE-1}]\nvulns: []",
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct policy p;
		struct err err = { 0 };
		policy_init(&p);
		if (policy_add_trivyignore_yaml(arena, &p, STR("f.yaml"), yaml(cases[i]), &err) != ERR_USAGE || p.ignores.len)
			fail_msg("%s was taken", cases[i]);
		assert_memory_equal(err.text, "f.yaml:", 7);
	}
}

static void trivyignore_line_ends_on_its_day(void **state)
{
	(void)state;
	struct policy p;
	struct err err = { 0 };
	policy_init(&p);
	assert_int_equal(policy_add_trivyignore(arena, &p, STR("f"), STR("CVE-1 exp:2026-11-24\nCVE-2 exp:2026-11-25\n"), &err), 0);
	expect(&p, "exp:", "2");
}

static void grype_rules(void **state)
{
	(void)state;
	static const struct {
		const char *text, *suppresses;
	} cases[] = {
		{ "[{vulnerability: CVE-1}]", "1" },
		{ "[{vulnerability: CVE-9}]", "" },
		{ "[{vulnerability: CVE-9, include-aliases: true}]", "2" },
		{ "[{vulnerability: CVE-1, reason: r}, {vulnerability: CVE-3}]", "13" },
		{ "[{reason: r}]", "" },
		{ "[{}]", "" },
		{ "[{fix-state: fixed}]", "1" },
		{ "[{fix-state: not-fixed}]", "2" },
		{ "[{fix-state: wont-fix}]", "3" },
		{ "[{fix-state: nonsense}]", "" },
		{ "[{fix-state: ''}]", "" },
		{ "[{package: {name: openssl}}]", "1" }, /* the source's name is none */
		{ "[{package: {name: openss}}]", "" },
		{ "[{package: {name: openss.}}]", "" }, /* a dot alone makes no pattern */
		{ "[{package: {name: 'openss.+'}}]", "1" },
		{ "[{package: {name: 'lib.*|zlib.*'}}]", "23" },
		{ "[{package: {upstream-name: openssl}}]", "2" },
		{ "[{package: {upstream-name: '(open|z).*'}}]", "23" },
		{ "[{package: {version: 3.0.9-1}}]", "1" },
		{ "[{package: {type: deb}}]", "123" },
		{ "[{package: {type: rpm}}]", "" },
		{ "[{package: {type: deb, language: python}}]", "" },
		{ "[{package: {location: '/var/lib/**'}}]", "123" },
		{ "[{package: {location: '/usr/**'}}]", "" },
		{ "[{namespace: 'debian:distro:debian:12'}]", "123" },
		{ "[{namespace: 'debian:distro:debian:11'}]", "" },
		{ "[{match-type: exact-direct-match}]", "1" },
		{ "[{match-type: exact-indirect-match, fix-state: not-fixed}]", "2" },
		{ "[{match-type: cpe-match}]", "" },
		{ "[{vex-status: not_affected}]", "" },
		{ "[{vulnerability: CVE-1, fix-state: not-fixed}]", "" },
		{ "[{vulnerability: 'CVE-*'}]", "" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct policy p;
		struct err err = { 0 };
		policy_init(&p);
		if (policy_add_grype_rules(arena, &p, STR(".grype.yaml"), yaml(cases[i].text), &err) < 0)
			fail_msg("%s: %s", cases[i].text, err.text);
		expect(&p, cases[i].text, cases[i].suppresses);
	}
}

static void grype_rules_refused(void **state)
{
	(void)state;
	static const char *const cases[] = { "{vulnerability: CVE-1}", "[CVE-1]", "[{vulnerability: CVE-1, colour: red}]",
		                             "[{package: {name: '(x'}}]", "[{package: {name: '\\b+'}}]", "[{package: openssl}]",
		                             "[{package: {colour: red}}]", "[{vulnerability: [CVE-1]}]" };
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct policy p;
		struct err err = { 0 };
		policy_init(&p);
		if (policy_add_grype_rules(arena, &p, STR(".grype.yaml"), yaml(cases[i]), &err) >= 0 || p.ignores.len)
			fail_msg("%s was taken", cases[i]);
	}
}

static void fix_states_leave_the_gate(void **state)
{
	(void)state;
	struct policy p;
	struct report r;
	policy_init(&p);
	p.gate = true;
	p.fail_on = SEVERITY_HIGH;
	assert_int_equal(policy_add_fix_states(arena, &p, FIX_FIXED, STR("--only-notfixed"), NULL), 0);
	fill(&r);
	policy_apply(arena, &p, TODAY, &r);
	assert_true(r.summary.gate.failed);
	assert_int_equal(policy_add_fix_states(arena, &p, FIX_NOT_FIXED | FIX_WONT_FIX, STR("--only-fixed"), NULL), 0);
	fill(&r);
	policy_apply(arena, &p, TODAY, &r);
	assert_false(r.summary.gate.failed);
	assert_int_equal(r.summary.suppressed, 3);
}

/* --- patterns --- */

static void patterns(void **state)
{
	(void)state;
	static const struct {
		const char *pattern, *text;
		bool found;
	} cases[] = {
		{ "", "", true },            { "", "x", true },             { "a", "xay", true },         { "a", "b", false },
		{ "^a$", "a", true },        { "^a$", "ab", false },        { "^a$", "ba", false },       { "^a|b$", "ax", true },
		{ "^a|b$", "xb", true },     { "^a|b$", "xa", false },      { "^a.c$", "abc", true },     { "^a.c$", "a\nc", false },
		{ "^a*$", "", true },        { "^a+$", "", false },         { "^a+$", "aaa", true },      { "^ab?c$", "ac", true },
		{ "^ab?c$", "abbc", false }, { "^(ab)+$", "abab", true },   { "^(ab)+$", "aba", false },  { "^(?:a|b)c$", "bc", true },
		{ "^[a-c]+$", "abc", true }, { "^[a-c]+$", "abd", false },  { "^[^a-c]$", "d", true },    { "^[^a-c]$", "b", false },
		{ "^[]a]+$", "]a", true },   { "^[a-]+$", "a-", true },     { "^\\d+$", "123", true },    { "^\\d+$", "12a", false },
		{ "^\\D+$", "ab", true },    { "^\\w+$", "a_1", true },     { "^[\\d.]+$", "1.2", true }, { "^a\\.b$", "a.b", true },
		{ "^a\\.b$", "axb", false }, { "^a{2}$", "aa", true },      { "^a{2}$", "aaa", false },   { "^a{2,}$", "aaaa", true },
		{ "^a{1,2}$", "aaa", false }, { "^a{0}b$", "b", true },     { "^a{x$", "a{x", true },     { "^a*?$", "aa", true },
		{ "(?i)^ABC$", "abc", true }, { "^(?i)abc$", "ABC", true }, { "^(?i)[a-c]$", "B", true }, { "^(a|)$", "", true },
		{ "^(a*)*$", "aaaa", true }, { "^linux(-.*)?-headers-.*$", "linux-5-headers-x", true },
		{ "^a$|^b$", "b", true },    { "a^b", "a^b", false },       { "^$", "", true },           { "^$", "x", false },
		{ "^\\x$", "", false },
	};
	for (size_t i = 0; i + 1 < COUNT_OF(cases); i++) {
		struct pattern *p = NULL;
		struct err err = { 0 };
		if (pattern_compile(arena, str_from(cases[i].pattern), &p, &err) < 0)
			fail_msg("%s: %s", cases[i].pattern, err.text);
		if (pattern_find(p, str_from(cases[i].text)) != cases[i].found)
			fail_msg("%s on \"%s\" is not %d", cases[i].pattern, cases[i].text, cases[i].found);
		if (pattern_find(p, str_from(cases[i].text)) != cases[i].found)
			fail_msg("%s on \"%s\": other when asked again", cases[i].pattern, cases[i].text);
	}
}

static void patterns_refused(void **state)
{
	(void)state;
	static const char *const cases[] = { "(", ")", "(a", "a)", "[a", "[z-a]", "*", "a|*", "\\", "\\b", "\\p", "[[:alpha:]]",
		                             "(?P<x>a)", "(?=a)", "((((((a{1000}){1000}){1000}){1000}){1000}){1000})" };
	struct pattern *p = NULL;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct err err = { 0 };
		if (pattern_compile(arena, str_from(cases[i]), &p, &err) >= 0)
			fail_msg("%s was taken", cases[i]);
		assert_true(err.text[0] != '\0');
	}
	/* Deep and long ones meet the caps. */
	char *deep = arena_alloc(arena, PATTERN_SIZE_MAX + 2);
	memset(deep, '(', PATTERN_SIZE_MAX + 2);
	assert_int_equal(pattern_compile(arena, (struct str){ deep, PATTERN_SIZE_MAX }, &p, NULL), ERR_LIMIT);
	assert_int_equal(pattern_compile(arena, (struct str){ deep, PATTERN_SIZE_MAX + 1 }, &p, NULL), ERR_LIMIT);
	/* Nothing, many times over: ends. */
	assert_int_equal(pattern_compile(arena, STR("(((((){1000}){1000}){1000}){1000}){1000}"), &p, NULL), 0);
	assert_true(pattern_find(p, STR("x")));
}

/* What makes others backtrack for ever is done in a moment. */
static void patterns_are_linear(void **state)
{
	(void)state;
	struct pattern *p = NULL;
	size_t n = 200 * 1000;
	char *text = arena_alloc(arena, n);
	memset(text, 'a', n);
	text[n - 1] = 'b';
	assert_int_equal(pattern_compile(arena, STR("^(a|aa|a*)*(a*)*c$"), &p, NULL), 0);
	assert_false(pattern_find(p, (struct str){ text, n }));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(trivyignore_yaml),
		TEST(trivyignore_yaml_refused),
		TEST(trivyignore_line_ends_on_its_day),
		TEST(grype_rules),
		TEST(grype_rules_refused),
		TEST(fix_states_leave_the_gate),
		TEST(patterns),
		TEST(patterns_refused),
		TEST(patterns_are_linear),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
