/* The rules of each distribution, from a table: match_cases.txt holds small advisory files, systems and what must be
 * found. Each case is built into a real advisory file, matched, matched again with its packages in reverse, and
 * compared whole: every finding in order, every line of not_assessed.
 * With PLIMSOLL_MATCH_CASES=FILE the same language is read from FILE and what was found is printed, for comparisons
 * with other readings of whole feeds. */
#include "advisory/build.h"
#include "base/base.h"
#include "base/inflate.h"
#include "match/distro.h"
#include "match/match.h"
#include "match/support.h"
#include "version/versions.h"

#include "shared_data.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <time.h>

struct fixture {
	struct arena *a;
	struct db_builder *builder;
	uint32_t source; /* the last one named */
	uint32_t source_first;
	int64_t now;
	struct target target;
	struct str name;
	struct str_list want; /* lines, as dump writes them */
	unsigned line;
};

/* --- reading the table --- */

/* Words are parted by blanks; key="a b" holds blanks. */
static bool next_word(struct str *rest, struct str *ret)
{
	size_t from = 0, to;
	bool quoted = false;
	while (from < rest->len && ascii_space(rest->ptr[from]))
		from++;
	for (to = from; to < rest->len && (quoted || !ascii_space(rest->ptr[to])); to++)
		quoted ^= rest->ptr[to] == '"';
	*ret = str_sub(*rest, from, to);
	*rest = str_sub(*rest, to, rest->len);
	return ret->len > 0;
}

static struct str word(struct str *rest)
{
	struct str w;
	(void)next_word(rest, &w);
	return w;
}

/* The value of key=value among the rest of a line; empty if it is not there. */
static struct str option(struct str rest, const char *key)
{
	for (struct str w; next_word(&rest, &w);) {
		struct str v = w;
		if (!str_skip(&v, str_from(key)) || (v.len && v.ptr[0] != '='))
			continue;
		(void)str_skip(&v, STR("="));
		if (str_skip(&v, STR("\"")))
			(void)str_drop(&v, STR("\""));
		return v;
	}
	return (struct str){ 0 };
}

static bool has(struct str rest, const char *flag)
{
	for (struct str w; next_word(&rest, &w);)
		if (str_eq(w, str_from(flag)))
			return true;
	return false;
}

static int64_t date_of(struct str s)
{
	uint64_t y = 0, m = 0, d = 0;
	if (s.len != 10 || !str_to_u64(str_sub(s, 0, 4), &y) || !str_to_u64(str_sub(s, 5, 7), &m) ||
	    !str_to_u64(str_sub(s, 8, 10), &d))
		return 0;
	struct tm tm = { .tm_year = (int)y - 1900, .tm_mon = (int)m - 1, .tm_mday = (int)d };
	return timegm(&tm);
}

static double number_of(struct arena *a, struct str s)
{
	return s.len ? strtod(str_cstr(a, s), NULL) : -1;
}

static void read_fact(struct fixture *x, struct str rest)
{
	struct str platform = word(&rest), package = word(&rest), id = word(&rest), status = option(rest, "status"),
	           severity = option(rest, "severity");
	struct db_fact f = {
		.id = id,
		.advisory = option(rest, "advisory"),
		.source = x->source,
		.range = has(rest, "none") ? DB_RANGE_NONE : has(rest, "exact") ? DB_RANGE_EXACT : DB_RANGE_SPAN,
		.introduced = option(rest, "introduced"),
		.fixed = option(rest, "fixed"),
		.last = option(rest, "last"),
		.status = has(rest, "none") ? STATUS_NOT_AFFECTED : STATUS_AFFECTED,
		.arch = option(rest, "arch"),
		.module = option(rest, "module"),
		.unreleased = has(rest, "unreleased"),
	};
	if (status.len)
		assert_true(status_parse(status, &f.status));
	if (severity.len)
		assert_true(severity_parse(severity, &f.severity));
	db_builder_fact(x->builder, platform, package, &f);
}

static void read_vuln(struct fixture *x, struct str rest)
{
	struct str id = word(&rest), severity = option(rest, "severity");
	struct db_vuln v = { .cvss_score = number_of(x->a, option(rest, "cvss")), .epss = number_of(x->a, option(rest, "epss")),
		             .kev = has(rest, "kev"), .cvss_vector = option(rest, "vector") };
	uint64_t cwe;
	if (severity.len)
		assert_true(severity_parse(severity, &v.severity));
	v.severity_source = option(rest, "by");
	if (str_to_u64(option(rest, "cwe"), &cwe))
		v.cwes[v.cwe_count++] = (uint32_t)cwe;
	struct db_source nvd = { .name = v.severity_source.len ? v.severity_source : STR("nvd") };
	db_builder_vuln(x->builder, db_builder_source(x->builder, &nvd), id, &v);
}

static void read_package(struct fixture *x, struct str rest)
{
	static const char *const types[] = { "deb", "opkg", "apk", "rpm" };
	struct str type = word(&rest), source = option(rest, "source"), source_version = { 0 };
	struct package *p = vec_push(x->a, &x->target.packages);
	for (unsigned i = 0; i < COUNT_OF(types); i++)
		if (str_eq(type, str_from(types[i])))
			p->type = (enum package_type)i;
	p->name = p->source_name = word(&rest);
	p->version = p->source_version = word(&rest);
	if (str_eq(p->version, STR("-")))
		p->version = p->source_version = (struct str){ 0 };
	if (source.len) {
		(void)str_cut(&source, '/', &p->source_name);
		source_version = source;
		if (source_version.len)
			p->source_version = source_version;
	}
	p->arch = option(rest, "arch");
	p->vendor = option(rest, "vendor");
	p->module = option(rest, "module");
	p->db_path = option(rest, "db");
}

static void read_os(struct fixture *x, struct str rest)
{
	struct os *os = &x->target.os;
	os->id = word(&rest);
	os->version = word(&rest);
	if (str_eq(os->id, STR("-")))
		os->id = (struct str){ 0 };
	if (str_eq(os->version, STR("-")))
		os->version = (struct str){ 0 };
	os->codename = option(rest, "codename");
	os->name = option(rest, "name");
	os->apk_branch = option(rest, "branch");
}

static void read_line(struct fixture *x, struct str line)
{
	struct str rest = line, verb = word(&rest);
	if (str_eq(verb, STR("os"))) {
		read_os(x, rest);
	} else if (str_eq(verb, STR("now"))) {
		x->now = date_of(word(&rest));
	} else if (str_eq(verb, STR("source"))) {
		struct db_source s = { .name = word(&rest), .updated = date_of(option(rest, "updated")) };
		x->source = db_builder_source(x->builder, &s);
	} else if (str_eq(verb, STR("platform"))) {
		struct db_platform p = { .name = word(&rest), .complete = has(rest, "complete"),
			                 .unfixed = has(rest, "unfixed"), .coverage = option(rest, "coverage") };
		db_builder_platform(x->builder, &p, x->source);
	} else if (str_eq(verb, STR("entry"))) {
		struct str platform = word(&rest);
		db_builder_package(x->builder, platform, word(&rest));
	} else if (str_eq(verb, STR("fact"))) {
		read_fact(x, rest);
	} else if (str_eq(verb, STR("vuln"))) {
		read_vuln(x, rest);
	} else if (str_eq(verb, STR("package"))) {
		read_package(x, rest);
	} else if (str_eq(verb, STR("finding")) || str_eq(verb, STR("missing")) || str_eq(verb, STR("eol")) ||
	           str_eq(verb, STR("evidence")) || str_eq(verb, STR("note")) || str_eq(verb, STR("upgrade")) ||
	           str_eq(verb, STR("alias")) || str_eq(verb, STR("known"))) {
		*vec_push(x->a, &x->want) = line;
	} else {
		fail_msg("line %u: what is '%.*s'?", x->line, STR_ARG(verb));
	}
}

/* --- writing what was found in the same language --- */

static void put(struct fixture *x, struct str_list *out, const char *verb, const char *format, ...)
        __attribute__((format(printf, 4, 5)));

/* Lines of evidence, notes and the like are compared only in cases that ask for them. */
static void put(struct fixture *x, struct str_list *out, const char *verb, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	struct str line = arena_vprintf(x->a, format, args);
	va_end(args);
	bool always = strcmp(verb, "finding") == 0 || strcmp(verb, "missing") == 0, asked = always;
	for (size_t i = 0; i < x->want.len && !asked; i++)
		asked = str_starts(x->want.ptr[i], str_from(verb));
	if (asked)
		*vec_push(x->a, out) = line;
}

static struct str or_dash(struct str s)
{
	return s.len ? s : STR("-");
}

static void dump_finding(struct fixture *x, const struct finding *f, struct str_list *out)
{
	put(x, out, "finding", "finding %.*s %.*s %.*s %s %s/%.*s", STR_ARG(f->package->name), STR_ARG(f->id),
	    STR_ARG(or_dash(f->fixed_version)), status_name(f->status), severity_name(f->severity),
	    STR_ARG(or_dash(f->severity_source)));
	put(x, out, "evidence", "evidence %.*s", STR_ARG(f->evidence));
	for (size_t i = 0; i < f->aliases.len; i++)
		put(x, out, "alias", "alias %.*s", STR_ARG(f->aliases.ptr[i]));
	if (f->kev || f->epss >= 0 || f->cvss_score >= 0 || f->cwes.len)
		put(x, out, "known", "known kev=%d epss=%.2f cvss=%.1f %.*s", f->kev, f->epss, f->cvss_score,
		    STR_ARG(f->cwes.len ? f->cwes.ptr[0] : STR("-")));
}

static void dump(struct fixture *x, struct str_list *out)
{
	struct target *t = &x->target;
	for (size_t i = 0; i < t->findings.len; i++)
		dump_finding(x, &t->findings.ptr[i], out);
	for (size_t i = 0; i < t->not_assessed.len; i++) {
		const struct not_assessed *n = &t->not_assessed.ptr[i];
		put(x, out, "missing", "missing %llu/%llu %.*s: %.*s", (unsigned long long)n->count,
		    (unsigned long long)n->of, STR_ARG(n->what), STR_ARG(n->reason));
	}
	for (size_t i = 0; i < t->notes.len; i++)
		put(x, out, "note", "note %.*s", STR_ARG(t->notes.ptr[i]));
	put(x, out, "eol", "eol %s %.*s %s", t->os_eol ? "yes" : "no", STR_ARG(or_dash(t->os_eol_date)),
	    t->os_supported ? "supported" : "unsupported");
	struct upgrade_list upgrades;
	match_upgrades(x->a, t, &upgrades);
	for (size_t i = 0; i < upgrades.len; i++) {
		const struct upgrade *u = &upgrades.ptr[i];
		put(x, out, "upgrade", "upgrade %.*s %.*s -> %.*s removes %llu of %zu packages", STR_ARG(u->package),
		    STR_ARG(u->from), STR_ARG(u->to), (unsigned long long)u->removes, u->binaries.len);
	}
}

/* --- running --- */

static struct db *build(struct fixture *x)
{
	char path[] = "/tmp/plimsoll-match-XXXXXX";
	struct err err = { 0 };
	struct db *db = NULL;
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	if (db_builder_write(x->builder, 1700000000, path, &err) < 0 || db_open(path, &db, &err) < 0)
		fail_msg("%.*s: %s", STR_ARG(x->name), err.text);
	(void)unlink(path);
	return db;
}

static void match_once(struct fixture *x, const struct db *db, struct str_list *out)
{
	struct target *t = &x->target;
	t->findings = (struct finding_list){ 0 };
	t->not_assessed = (struct not_assessed_list){ 0 };
	t->notes = (struct str_list){ 0 };
	t->os_eol = t->os_supported = false;
	t->os_eol_date = (struct str){ 0 };
	match_target(x->a, db, x->now, t);
	dump(x, out);
}

static bool same(const struct str_list *a, const struct str_list *b)
{
	if (a->len != b->len)
		return false;
	for (size_t i = 0; i < a->len; i++)
		if (!str_eq(a->ptr[i], b->ptr[i]))
			return false;
	return true;
}

static void reverse(struct package_list *list)
{
	for (size_t i = 0; i < list->len / 2; i++) {
		struct package p = list->ptr[i];
		list->ptr[i] = list->ptr[list->len - 1 - i];
		list->ptr[list->len - 1 - i] = p;
	}
}

static void show(const char *what, const struct str_list *list)
{
	printf("%s\n", what);
	for (size_t i = 0; i < list->len; i++)
		printf("\t%.*s\n", STR_ARG(list->ptr[i]));
}

/* True if it went as wanted. */
static bool finish_case(struct fixture *x, bool print)
{
	struct str_list got = { 0 }, again = { 0 };
	struct db *db = build(x);
	match_once(x, db, &got);
	reverse(&x->target.packages);
	match_once(x, db, &again);
	bool good = same(&got, &again);
	if (!good) {
		printf("%.*s: the order of packages matters\n", STR_ARG(x->name));
		show("in order:", &got);
		show("in reverse:", &again);
	} else if (!print && !same(&got, &x->want)) {
		good = false;
		printf("%.*s:\n", STR_ARG(x->name));
		show("wanted:", &x->want);
		show("got:", &got);
	}
	if (print)
		show(x->name.len ? str_cstr(x->a, x->name) : "", &got);
	db_close(db);
	db_builder_free(x->builder);
	arena_free(x->a);
	return good;
}

static void begin_case(struct fixture *x, struct str name)
{
	*x = (struct fixture){ .a = arena_new(), .builder = db_builder_new(), .line = x->line, .name = name };
	x->now = date_of(STR("2026-11-24"));
	struct db_source s = { .name = STR("feed"), .updated = date_of(STR("2026-11-22")) };
	x->source = db_builder_source(x->builder, &s);
}

static struct str read_table(struct arena *a, const char *path)
{
	FILE *f = fopen(path, "rb");
	if (!f)
		fail_msg("%s: no such file", path);
	struct buf b;
	buf_init(&b, 256 * MIB);
	while (buf_reserve(&b, 65536)) {
		size_t n = fread(b.ptr + b.len, 1, 65536, f);
		if (n == 0)
			break;
		b.len += n;
	}
	fclose(f);
	struct str text = str_dup(a, buf_view(&b));
	buf_done(&b);
	return text;
}

static void run_table(const char *path, bool print)
{
	struct arena *a = arena_new();
	struct str text = read_table(a, path), line;
	struct fixture x = { 0 };
	unsigned cases = 0, bad = 0;
	while (str_cut(&text, '\n', &line)) {
		x.line++;
		line = str_trim(line);
		if (line.len == 0 || line.ptr[0] == '#')
			continue;
		struct str rest = line;
		if (str_skip(&rest, STR("case "))) {
			if (x.a)
				bad += !finish_case(&x, print);
			begin_case(&x, rest);
			cases++;
		} else {
			assert_non_null(x.a);
			read_line(&x, line);
		}
	}
	if (x.a)
		bad += !finish_case(&x, print);
	arena_free(a);
	printf("%u cases\n", cases);
	assert_true(cases > 0);
	assert_int_equal(bad, 0);
}

static void every_rule(void **state)
{
	(void)state;
	const char *source = getenv("PLIMSOLL_SOURCE");
	assert_non_null(source);
	char path[4096];
	(void)snprintf(path, sizeof(path), "%s/tests/unit/match_cases.txt", source);
	run_table(path, false);
}

/* --- what needs no advisory file --- */

static void support_ends_on_its_day(void **state)
{
	(void)state;
	static const struct {
		const char *id, *release, *name, *end;
	} cases[] = {
		{ "debian", "12", "", "2028-06-30" },   { "debian", "12.5", "", "2028-06-30" },
		{ "debian", "1", "", NULL },            { "debian", "120", "", NULL },
		{ "ubuntu", "18.04", "", "2023-05-31" },{ "ubuntu", "22.04", "", "2027-06-01" },
		{ "alpine", "3.1", "", NULL },          { "alpine", "3.10", "", "2021-05-01" },
		{ "alpine", "3.10.9", "", "2021-05-01" },{ "alpine", "edge", "", NULL },
		{ "almalinux", "8.10", "", "2029-03-01" },{ "centos", "7", "CentOS Linux 7 (Core)", "2024-06-30" },
		{ "centos", "8", "CentOS Linux 8", "2021-12-31" }, { "centos", "8", "CentOS Stream 8", "2024-05-31" },
		{ "amzn", "2", "", "2026-06-30" },      { "amzn", "2018.03", "", "2023-12-31" },
		{ "amzn", "2023", "", NULL },           { "wolfi", "20230201", "", NULL },
		{ "", "", "", NULL },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct str end = { 0 };
		bool known = support_end(str_from(cases[i].id), str_from(cases[i].release), str_from(cases[i].name), &end);
		if (known != (cases[i].end != NULL) || !str_eq(end, str_from(cases[i].end)))
			fail_msg("%s %s: %.*s", cases[i].id, cases[i].release, STR_ARG(end));
	}
	int64_t last = date_of(STR("2028-06-30")) + 86399;
	assert_false(support_past(STR("2028-06-30"), last));
	assert_true(support_past(STR("2028-06-30"), last + 1));
	assert_false(support_past(STR("2028"), last + 1));
}

/* Debian and Ubuntu publish their dates in distro-info-data: where it is installed the table must agree. */
static void support_ends_agree_with_distro_info(void **state)
{
	(void)state;
	static const struct {
		const char *id, *path;
		size_t column; /* eol-lts of Debian, eol of Ubuntu */
	} files[] = { { "debian", "/usr/share/distro-info/debian.csv", 6 }, { "ubuntu", "/usr/share/distro-info/ubuntu.csv", 5 } };
	unsigned compared = 0;
	for (size_t i = 0; i < COUNT_OF(files); i++) {
		if (access(files[i].path, R_OK) != 0) {
			printf("skipped: no %s\n", files[i].path);
			continue;
		}
		struct arena *a = arena_new();
		struct str text = read_table(a, files[i].path), line;
		while (str_cut(&text, '\n', &line)) {
			struct str field[9] = { 0 }, end = { 0 }, rest = line;
			for (size_t n = 0; n < COUNT_OF(field) && str_cut(&rest, ',', &field[n]); n++)
				;
			(void)str_drop(&field[0], STR(" LTS"));
			if (!field[files[i].column].len || !support_end(str_from(files[i].id), field[0], STR(""), &end))
				continue;
			compared++;
			if (!str_eq(end, field[files[i].column]))
				fail_msg("%s %.*s: %.*s here, %.*s there", files[i].id, STR_ARG(field[0]), STR_ARG(end),
				         STR_ARG(field[files[i].column]));
		}
		arena_free(a);
	}
	printf("%u dates compared\n", compared);
}

/* --- origins, against whole archives --- */

/* "Key: value" lines of paragraphs, as in dpkg's status and in Packages files. */
static unsigned count_foreign(const struct distro *d, struct str text, unsigned *ret_packages)
{
	struct package p = { .type = PACKAGE_DEB };
	struct str line;
	unsigned foreign = 0;
	*ret_packages = 0;
	do {
		bool more = str_cut(&text, '\n', &line);
		if (more && line.len) {
			struct str value = line;
			if (str_skip(&value, STR("Package: ")))
				p.name = value;
			else if (str_skip(&value, STR("Version: ")))
				p.version = value;
			else if (str_skip(&value, STR("Maintainer: ")))
				p.vendor = value;
			continue;
		}
		if (p.name.len) {
			struct str origin = distro_origin(d, &p, false);
			if (origin.len && ++foreign < 4)
				printf("%.*s %.*s: %.*s\n", STR_ARG(p.name), STR_ARG(p.version), STR_ARG(origin));
			++*ret_packages;
		}
		p = (struct package){ .type = PACKAGE_DEB };
		if (!more)
			return foreign;
	} while (true);
}

static struct str inflated(struct arena *a, const char *path)
{
	struct str stored = read_table(a, path);
	struct err err = { 0 };
	struct inflate *s = inflate_open(source_of_str(&stored), &err);
	struct buf BUF_AUTO b = { 0 };
	buf_init(&b, 256 * MIB);
	assert_non_null(s);
	for (ssize_t n = 1; n > 0 && buf_reserve(&b, MIB);) {
		n = inflate_read(s, b.ptr + b.len, MIB, &err);
		assert_true(n >= 0);
		b.len += (size_t)n;
	}
	inflate_close(s);
	return str_dup(a, buf_view(&b));
}

static void nothing_in_an_archive_is_foreign(void **state)
{
	(void)state;
	static const struct {
		const char *file, *os;
		unsigned packages, foreign;
	} cases[] = {
		{ "feeds/debian/dists-bookworm-security/Packages.xz", "debian", 3006, 0 },
		{ "inventories/debian-12/var/lib/dpkg/status", "debian", 915, 17 }, /* Google's, kubectl, NodeSource's node */
		{ "inventories/dpkg-texlive/var/lib/dpkg/status", "ubuntu", 357, 0 },
		{ "inventories/dpkg-postgresql/var/lib/dpkg/status", "debian", 3, 0 },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct arena *a = arena_new();
		const char *path = shared_path(a, cases[i].file);
		if (path) {
			struct os os = { .id = str_from(cases[i].os) };
			unsigned packages, foreign = count_foreign(distro_find(&os), inflated(a, path), &packages);
			if (packages != cases[i].packages || foreign != cases[i].foreign)
				fail_msg("%s: %u of %u", cases[i].file, foreign, packages);
		}
		arena_free(a);
	}
}

/* --- an image that lies about its packages --- */

static void there_is_an_end_to_findings(void **state)
{
	(void)state;
	struct fixture x = { 0 };
	begin_case(&x, STR("budget"));
	struct db_platform p = { .name = STR("debian:12"), .complete = true };
	db_builder_platform(x.builder, &p, x.source);
	for (unsigned i = 0; i < 2000; i++) {
		struct db_fact f = { .id = arena_printf(x.a, "CVE-2024-%04u", i), .fixed = STR("9"), .source = x.source };
		db_builder_fact(x.builder, p.name, STR("linux"), &f);
	}
	struct db *db = build(&x);
	for (unsigned i = 0; i < FINDINGS_MAX / 2000 + 10; i++)
		*vec_push(x.a, &x.target.packages) = (struct package){ .name = arena_printf(x.a, "p%u", i), .version = STR("1"),
			                                               .source_name = STR("linux"), .source_version = STR("1") };
	x.target.os = (struct os){ .id = STR("debian"), .version = STR("12") };
	match_target(x.a, db, x.now, &x.target);
	assert_int_equal(x.target.findings.len, FINDINGS_MAX);
	assert_int_equal(x.target.not_assessed.len, 1);
	assert_int_equal(x.target.not_assessed.ptr[0].count, 10);
	assert_true(str_starts(x.target.not_assessed.ptr[0].reason, STR("FINDINGS_MAX")));
	db_close(db);
	db_builder_free(x.builder);
	arena_free(x.a);
}

static void there_is_an_end_to_work_that_finds_nothing(void **state)
{
	(void)state;
	struct fixture x = { 0 };
	begin_case(&x, STR("budget of facts"));
	struct db_platform p = { .name = STR("debian:12"), .complete = true };
	db_builder_platform(x.builder, &p, x.source);
	for (unsigned i = 0; i < 20000; i++) {
		struct db_fact f = { .id = arena_printf(x.a, "CVE-2024-%05u", i), .fixed = STR("1"), .source = x.source };
		db_builder_fact(x.builder, p.name, STR("linux"), &f);
	}
	struct db *db = build(&x);
	for (unsigned i = 0; i < MATCH_FACTS_MAX / 20000 + 10; i++)
		*vec_push(x.a, &x.target.packages) = (struct package){ .name = arena_printf(x.a, "p%u", i), .version = STR("1"),
			                                               .source_name = STR("linux"), .source_version = STR("1") };
	x.target.os = (struct os){ .id = STR("debian"), .version = STR("12") };
	match_target(x.a, db, x.now, &x.target);
	assert_int_equal(x.target.findings.len, 0);
	assert_int_equal(x.target.not_assessed.len, 1);
	assert_true(str_starts(x.target.not_assessed.ptr[0].reason, STR("MATCH_FACTS_MAX")));
	db_close(db);
	db_builder_free(x.builder);
	arena_free(x.a);
}

static void upgrades_leave_out_what_is_not_shown(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct package p = { .name = STR("libssl3"), .version = STR("1"), .source_name = STR("openssl"), .source_version = STR("1") };
	struct finding findings[] = {
		{ .id = STR("CVE-1"), .package = &p, .fixed_version = STR("2") },
		{ .id = STR("CVE-2"), .package = &p, .fixed_version = STR("3"), .suppressed.by = STR("f:1") },
		{ .id = STR("CVE-3"), .package = &p, .fixed_version = STR("4"), .hidden = true },
		{ .id = STR("CVE-4"), .package = &p },
		{ .id = STR("rule"), .kind = FINDING_CONFIG, .package = &p, .fixed_version = STR("5") },
		{ .id = STR("CVE-5"), .package = &p, .fixed_version = STR("10"), .kev = true, .severity = SEVERITY_HIGH },
	};
	struct target t = { .os = { .id = STR("debian"), .version = STR("12") },
		            .findings = { findings, COUNT_OF(findings), COUNT_OF(findings) } };
	struct upgrade_list list;
	match_upgrades(a, &t, &list);
	assert_int_equal(list.len, 1);
	assert_int_equal(list.ptr[0].removes, 2);
	assert_true(str_eq(list.ptr[0].to, STR("10")) && str_eq(list.ptr[0].from, STR("1")));
	assert_true(list.ptr[0].kev && list.ptr[0].severity_max == SEVERITY_HIGH && list.ptr[0].binaries.len == 1);
	arena_free(a);
}

static void a_target_has_its_scheme(void **state)
{
	(void)state;
	struct target t = { .os = { .id = STR("almalinux") } };
	assert_string_equal(match_scheme(&t)->name, "redhat");
	t.os.id = STR("fedora");
	assert_null(match_scheme(&t));
	struct package p = { .type = PACKAGE_RPM };
	t.packages = (struct package_list){ &p, 1, 1 };
	assert_string_equal(match_scheme(&t)->name, "redhat");
	p.type = PACKAGE_APK;
	assert_string_equal(match_scheme(&t)->name, "alpine");
}

int main(void)
{
	const char *table = getenv("PLIMSOLL_MATCH_CASES");
	if (table) {
		run_table(table, true);
		return 0;
	}
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_rule),
		cmocka_unit_test(support_ends_on_its_day),
		cmocka_unit_test(support_ends_agree_with_distro_info),
		cmocka_unit_test(nothing_in_an_archive_is_foreign),
		cmocka_unit_test(there_is_an_end_to_findings),
		cmocka_unit_test(there_is_an_end_to_work_that_finds_nothing),
		cmocka_unit_test(upgrades_leave_out_what_is_not_shown),
		cmocka_unit_test(a_target_has_its_scheme),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
