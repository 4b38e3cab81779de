/* Importers on real feeds, each compared with a second reading in another language (tests/support/db_expect.py): the
 * same packages, the same count of facts, the same sum over their text. Then forms that the real feeds here do not
 * have, as small texts. */
#include "advisory/build.h"
#include "advisory/feed/feed.h"

#include "base/base.h"
#include "base/fs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include <unistd.h>
#include <zlib.h>

static const char *shared(void)
{
	const char *s = getenv("PLIMSOLL_SHARED");
	return s ? s : "../shared";
}

static char db_path[] = "/tmp/plimsoll-feeds-XXXXXX";

/* One feed alone, through the table, into a file. */
static struct db *import(struct arena *a, const char *path, struct str bytes, const char *feed,
			 struct feed_sink *ret_sink)
{
	struct err err = { 0 };
	struct db_builder *b = db_builder_new();
	struct feed_input in = { .path = str_from(path), .bytes = bytes, .updated = 86400, .arena = a };
	struct feed_sink sink = feed_sink_builder(b);
	const struct feed *f = feed_recognise(&in);
	if (!f || !str_eq(str_from(f->name), str_from(feed)))
		fail_msg("%s: taken for %s", path, f ? f->name : "nothing");
	int rc = f->import(&in, &sink, &err);
	feed_done(&in);
	if (rc != 0)
		fail_msg("%s: %s", path, err.text);
	if (ret_sink)
		*ret_sink = sink;
	if (db_builder_write(b, 1, db_path, &err) != 0)
		fail_msg("%s", err.text);
	db_builder_free(b);
	struct db *db;
	assert_int_equal(db_open(db_path, &db, &err), 0);
	if (db_verify(db, &err) != 0)
		fail_msg("%s: %s", path, err.text);
	return db;
}

static struct db *import_text(struct arena *a, const char *path, struct str text, const char *feed)
{
	return import(a, path, text, feed, NULL);
}

/* --- against the second reading --- */

static const char *range_name(enum db_range r)
{
	return r == DB_RANGE_SPAN ? "span" : r == DB_RANGE_NONE ? "none" : "exact";
}

static uint32_t crc_of(struct buf *line) { return (uint32_t)crc32(0, (const Bytef *)line->ptr, (uInt)line->len); }

static void count_platform(const struct db *db, const struct db_platform *p, struct buf *line, char *out, size_t size)
{
	struct db_iter it;
	struct db_fact f;
	struct str name;
	uint32_t sum = 0;
	size_t facts = 0;
	for (uint64_t i = 0; db_package_at(db, p, i, &name, &it); i++) {
		while (db_next(&it, &f)) {
			const char *status = f.status == STATUS_NONE ? "" : status_name(f.status);
			buf_clear(line);
			buf_printf(line, "%.*s\t%.*s\t%s\t%.*s\t%.*s\t%.*s\t%s\t%s\t%.*s\t%d\t%.*s", STR_ARG(name),
				   STR_ARG(f.id), range_name(f.range), STR_ARG(f.introduced), STR_ARG(f.fixed),
				   STR_ARG(f.last), status, severity_name(f.severity), STR_ARG(f.module), f.unreleased,
				   STR_ARG(f.advisory));
			sum += crc_of(line);
			facts++;
		}
	}
	(void)snprintf(out, size, "%.*s\t%llu\t%zu\t%u\n", STR_ARG(p->name), (unsigned long long)p->package_count,
		       facts, sum);
}

static void count_vulns(const struct db *db, struct buf *line, char *out, size_t size)
{
	struct db_vuln v;
	struct str id;
	uint32_t sum = 0;
	uint64_t count = 0;
	for (; db_vuln_at(db, count, &id, &v); count++) {
		buf_clear(line);
		buf_printf(line, "%.*s\t%s\t%.*s\t", STR_ARG(id), severity_name(v.severity),
			   STR_ARG(v.severity_source));
		if (v.cvss_score >= 0)
			buf_printf(line, "%d", (int)(v.cvss_score * 10 + 0.5));
		buf_printf(line, "\t%.*s\t%d", STR_ARG(v.cvss_vector), v.kev);
		sum += crc_of(line);
	}
	(void)snprintf(out, size, "vulns\t%llu\t%u\n", (unsigned long long)count, sum);
}

static void expect(const char *path, const char *feed, const char *reader)
{
	struct arena *a ARENA_AUTO = arena_new();
	struct err err = { 0 };
	struct str bytes;
	const char *whole = arena_printf(a, "%s/feeds/%s", shared(), path).ptr;
	if (access(whole, R_OK) != 0) {
		print_message("%s is missing: skipped\n", whole);
		arena_free(a); /* skip leaves without cleaning up */
		skip();
	}
	if (fs_read(a, whole, 64 * MIB, &bytes, &err) != 0)
		fail_msg("%s", err.text);
	struct db *db = import(a, path, bytes, feed, NULL);
	const char *command =
	    arena_printf(a, "python3 '%s/tests/support/db_expect.py' '%s' %s", getenv("PLIMSOLL_SOURCE"), whole, reader)
		.ptr;
	FILE *p = popen(command, "r");
	assert_non_null(p);
	char want[256], got[256];
	struct buf BUF_AUTO line = { 0 };
	buf_init(&line, 64 * KIB);
	size_t lines = 0;
	while (fgets(want, sizeof(want), p)) {
		struct db_platform pl;
		struct str name, rest = str_from(want);
		assert_true(str_cut(&rest, '\t', &name));
		if (str_eq(name, STR("vulns")))
			count_vulns(db, &line, got, sizeof(got));
		else if (db_platform(db, name, &pl, &err) == 0)
			count_platform(db, &pl, &line, got, sizeof(got));
		else
			fail_msg("%s", err.text);
		if (strcmp(want, got) != 0)
			fail_msg("%s: want %s got %s", path, want, got);
		lines++;
	}
	assert_int_equal(pclose(p), 0);
	assert_true(lines > 0);
	print_message("%s: %zu platforms agree\n", path, lines);
	db_close(db);
}

#define EXPECT(name, path, feed, reader)                                                                               \
	static void name(void **state)                                                                                 \
	{                                                                                                              \
		(void)state;                                                                                           \
		expect(path, feed, reader);                                                                            \
	}
EXPECT(debian_changelogs, "debian/tracker-bookworm-from-changelogs.json.gz", "debian-json", "debian-json")
EXPECT(debian_lists, "debian/security-tracker-data-2023-04.tar.zst", "debian-lists", "debian-lists")
EXPECT(ubuntu_tracker, "ubuntu/ubuntu-cve-tracker-2020-06.tar.zst", "ubuntu", "ubuntu")
EXPECT(wolfi, "wolfi/security.json", "secdb", "secdb")
EXPECT(alpine, "alpine/secdb-json/v3.11/main.json", "secdb", "secdb")
EXPECT(alpine_old, "alpine/secdb-json/v3.8/main.json", "secdb", "secdb")
EXPECT(almalinux, "osv/AlmaLinux/all.zip", "osv", "almalinux")
EXPECT(go, "osv/Go/all.zip", "osv", "go")
EXPECT(kev, "cisa-kev/known_exploited_vulnerabilities.json", "kev", "kev")
EXPECT(cve5, "cve5/vulnrichment-slice-2024-10.tar.zst", "cve5", "cve5")

/* --- small texts --- */

/* "id range introduced fixed last status" of every fact, one a line. */
static struct str facts_of(struct arena *a, const struct db *db, const char *platform, const char *package)
{
	struct db_platform p;
	struct db_iter it;
	struct db_fact f;
	struct err err;
	struct str all = { 0 };
	if (db_platform(db, str_from(platform), &p, &err) != 0)
		return STR("no platform");
	if (db_lookup(db, &p, str_from(package), &it, &err) != 0)
		return STR("no entry");
	while (db_next(&it, &f))
		all = arena_printf(a, "%.*s%.*s %s %.*s %.*s %.*s %s%s\n", STR_ARG(all), STR_ARG(f.id),
				   range_name(f.range), STR_ARG(f.introduced), STR_ARG(f.fixed), STR_ARG(f.last),
				   status_name(f.status), f.unreleased ? " unreleased" : "");
	return all;
}

static void assert_facts(struct arena *a, const struct db *db, const char *platform, const char *package,
			 const char *want)
{
	struct str got = facts_of(a, db, platform, package);
	if (!str_eq(got, str_from(want)))
		fail_msg("%s %s: want\n%s got\n%.*s", platform, package, want, STR_ARG(got));
}

static void debian_cve_list(void **state)
{
	(void)state;
	struct arena *a ARENA_AUTO = arena_new();
	struct db *db = import_text(a, "x/data/CVE/list",
				    STR("CVE-2023-1 (Some words ...)\n"
					"\t{DSA-1-1}\n"
					"\t- qemu 1:8.1-2 (low; bug #1)\n"
					"\t[bookworm] - qemu <no-dsa> (Minor issue)\n"
					"\t[bullseye] - qemu <postponed> (Minor)\n"
					"CVE-2023-2222 [words]\n"
					"\t- vlc <unfixed> (unimportant)\n"
					"\t[bookworm] - vlc 3.0-0+deb12u1\n"
					"\t[bullseye] - vlc <not-affected> (Vulnerable code not present)\n"
					"\t- gone <removed>\n"
					"\t- wish <itp> (bug #2)\n"
					"CVE-2023-XXXX [no name yet]\n"
					"\t- vlc 9\n"
					"CVE-2023-4444\n"
					"\tREJECTED\n"
					"CVE-2023-5555 (x)\n"
					"\t- hm <undetermined>\n"
					"\t[bookworm] - hm <ignored> (y)\n"
					"\t[buster] - hm <end-of-life> (z)\n"),
				    "debian-lists");
	/* CVE-2023-1 has a number that is too short to be a CVE's. */
	assert_facts(a, db, "debian:12", "qemu", "no entry");
	assert_facts(a, db, "debian:sid", "vlc", "CVE-2023-2222 span    affected\n");
	assert_facts(a, db, "debian:12", "vlc", "CVE-2023-2222 span  3.0-0+deb12u1  affected\n");
	assert_facts(a, db, "debian:11", "vlc", "CVE-2023-2222 none    not_affected\n");
	assert_facts(a, db, "debian:13", "vlc", "CVE-2023-2222 span    affected\n");
	assert_facts(a, db, "debian:sid", "gone", "no entry");
	assert_facts(a, db, "debian:12", "gone", "CVE-2023-2222 span    affected\n");
	assert_facts(a, db, "debian:12", "wish", "no entry");
	assert_facts(a, db, "debian:12", "hm", "CVE-2023-5555 span    will_not_fix\n");
	assert_facts(a, db, "debian:13", "hm", "CVE-2023-5555 span    under_investigation\n");
	assert_facts(a, db, "debian:10", "hm", "CVE-2023-5555 span    end_of_life\n");
	struct db_platform p;
	struct err err;
	assert_int_equal(db_platform(db, STR("debian:12"), &p, &err), 0);
	assert_true(p.complete && p.unfixed);
	assert_int_equal(db_platform(db, STR("debian:10"), &p, &err), 0);
	assert_false(p.complete);
	db_close(db);
}

static void debian_inherits_from_unstable(void **state)
{
	(void)state;
	struct arena *a ARENA_AUTO = arena_new();
	struct db *db = import_text(a, "CVE/list",
				    STR("CVE-2023-1111\n\t- qemu 1:8.1-2 (medium)\n\t[bookworm] - qemu <no-dsa> (x)\n"),
				    "debian-lists");
	assert_facts(a, db, "debian:sid", "qemu", "CVE-2023-1111 span  1:8.1-2  affected\n");
	assert_facts(a, db, "debian:12", "qemu", "CVE-2023-1111 span    affected\n");
	assert_facts(a, db, "debian:13", "qemu", "CVE-2023-1111 span  1:8.1-2  affected unreleased\n");
	db_close(db);
}

static void debian_json_states(void **state)
{
	(void)state;
	struct arena *a ARENA_AUTO = arena_new();
	struct db *db = import_text(
	    a, "debian/tracker.json",
	    STR("{\"389-ds\":{\"CVE-2012-0833\":{\"releases\":{"
		"\"bullseye\":{\"status\":\"resolved\",\"fixed_version\":\"0\",\"urgency\":\"unimportant\"},"
		"\"bookworm\":{\"status\":\"open\",\"urgency\":\"low**\",\"nodsa\":\"x\",\"nodsa_reason\":\"ignored\"},"
		"\"trixie\":{\"status\":\"open\",\"urgency\":\"end-of-life\"},"
		"\"sid\":{\"status\":\"undetermined\"},\"martian\":{\"status\":\"open\"},"
		"\"forky\":{\"status\":\"resolved\"}}}},\"empty\":{},\"bad\":7}"),
	    "debian-json");
	assert_facts(a, db, "debian:11", "389-ds", "CVE-2012-0833 none    not_affected\n");
	assert_facts(a, db, "debian:12", "389-ds", "CVE-2012-0833 span    will_not_fix\n");
	assert_facts(a, db, "debian:13", "389-ds", "CVE-2012-0833 span    end_of_life\n");
	assert_facts(a, db, "debian:sid", "389-ds", "CVE-2012-0833 span    under_investigation\n");
	assert_facts(a, db, "debian:14", "389-ds", "");
	assert_facts(a, db, "debian:12", "empty", "");
	assert_facts(a, db, "debian:12", "bad", "no entry");
	db_close(db);
}

static void osv_shapes(void **state)
{
	(void)state;
	struct arena *a ARENA_AUTO = arena_new();
	struct db *db = import_text(
	    a, "osv/all.json",
	    STR("[{\"id\":\"PYSEC-1\",\"modified\":\"2024-01-01T00:00:00Z\",\"aliases\":[\"CVE-2024-1000\",\"GHSA-x\"],"
		"\"affected\":[{\"package\":{\"ecosystem\":\"PyPI\",\"name\":\"Zope.Interface_x\"},\"ranges\":["
		"{\"type\":\"GIT\",\"events\":[{\"introduced\":\"0\"},{\"fixed\":\"abc\"}]},"
		"{\"type\":\"ECOSYSTEM\",\"events\":[{\"introduced\":\"0\"},{\"fixed\":\"1.2\"},{\"introduced\":\"2."
		"0\"},"
		"{\"last_affected\":\"2.3\"},{\"introduced\":\"3\"}]}],\"versions\":[\"1.0\"]}]},"
		"{\"id\":\"MAL-2\",\"affected\":[{\"package\":{\"ecosystem\":\"npm\",\"name\":\"evil\"},"
		"\"versions\":[\"1.0.0\",\"1.0.1\"]}]},"
		"{\"id\":\"GONE\",\"withdrawn\":\"2024-01-01T00:00:00Z\",\"affected\":[{\"package\":{\"ecosystem\":"
		"\"npm\","
		"\"name\":\"gone\"},\"versions\":[\"1\"]}]},"
		"{\"id\":\"RLSA-2023:1\",\"summary\":\"Important: "
		"x\",\"related\":[\"CVE-2023-1001\",\"CVE-2023-1002\"],"
		"\"affected\":[{\"package\":{\"ecosystem\":\"Rocky Linux:9\",\"name\":\"x\"},\"ranges\":[{\"type\":"
		"\"ECOSYSTEM\",\"events\":[{\"introduced\":\"0\"},{\"fixed\":\"0:1-2.el9\"}]}]}]},"
		"{\"id\":\"GHSA-r\",\"related\":[\"CVE-2023-1003\"],\"affected\":[{\"package\":{\"ecosystem\":\"Go\","
		"\"name\":"
		"\"g\"},\"ranges\":[{\"type\":\"SEMVER\",\"events\":[{\"introduced\":\"0\"}]}]}]},"
		"{\"id\":\"UBUNTU-CVE-2024-1004\",\"upstream\":[\"CVE-2024-1004\"],\"affected\":[{\"package\":{"
		"\"ecosystem\":"
		"\"Ubuntu:Pro:20.04:LTS\",\"name\":\"u\"},\"ranges\":[{\"type\":\"ECOSYSTEM\",\"events\":[{"
		"\"introduced\":"
		"\"0\"},{\"fixed\":\"2\"}]}]},{\"package\":{\"ecosystem\":\"Ubuntu:Pro:FIPS:20.04:LTS\",\"name\":\"u\"}"
		","
		"\"ranges\":[{\"type\":\"ECOSYSTEM\",\"events\":[{\"introduced\":\"0\"},{\"fixed\":\"9\"}]}]}]},"
		"{\"id\":\"CVE-2024-1005\",\"affected\":[{\"package\":{\"ecosystem\":\"Alpine:v3.19\",\"name\":\"b\"},"
		"\"ranges\":[{\"type\":\"ECOSYSTEM\",\"events\":[{\"introduced\":\"0\"},{\"fixed\":\"0\"}]}]}]},"
		"17, {\"affected\":3}]"),
	    "osv");
	assert_facts(a, db, "PyPI", "zope-interface-x",
		     "CVE-2024-1000 span  1.2  affected\n"
		     "CVE-2024-1000 span 2.0  2.3 affected\n"
		     "CVE-2024-1000 span 3   affected\n");
	assert_facts(a, db, "npm", "evil", "MAL-2 exact 1.0.0   affected\nMAL-2 exact 1.0.1   affected\n");
	assert_facts(a, db, "npm", "gone", "no entry");
	assert_facts(a, db, "rocky:9", "x",
		     "CVE-2023-1001 span  0:1-2.el9  affected\nCVE-2023-1002 span  0:1-2.el9  affected\n");
	assert_facts(a, db, "Go", "g", "GHSA-r span    affected\n");
	assert_facts(a, db, "ubuntu:20.04:esm", "u", "CVE-2024-1004 span  2  affected\n");
	assert_facts(a, db, "alpine:3.19", "b", "no entry");
	db_close(db);
}

static void secdb_items(void **state)
{
	(void)state;
	struct arena *a ARENA_AUTO = arena_new();
	struct db *db = import_text(
	    a, "alpine/secdb/edge/main.json",
	    STR("{\"urlprefix\":\"https://dl-cdn.alpinelinux.org/"
		"alpine\",\"distroversion\":\"edge\",\"packages\":[null,{\"pkg\":null},"
		"{\"pkg\":{\"name\":\"x\",\"secfixes\":{\"0\":[\"CVE-2020-1111\"],\"1.2-r0\":[null,\"CVE_2020-2222\","
		"\"CVE-2020-3333 XSA-1\",\"CVE-2020-4444 (+ regression fix)\",\"CVE-?-?  "
		"XSA-2\",\"CVE-2020-5555.patch\"],"
		"\"1.3-r0 (note)\":[\"CVE-2020-6666 CVE-2020-7777\"],\"1.4-r0\":null}}},{\"pkg\":{\"name\":\"y\"}}]}"),
	    "secdb");
	assert_facts(a, db, "alpine:edge", "x",
		     "CVE-2020-1111 none    not_affected\n"
		     "CVE-2020-2222 span  1.2-r0  affected\n"
		     "CVE-2020-3333 span  1.2-r0  affected\n"
		     "CVE-2020-4444 span  1.2-r0  affected\n"
		     "CVE-2020-5555 span  1.2-r0  affected\n"
		     "CVE-2020-6666 span  1.3-r0  affected\n"
		     "CVE-2020-7777 span  1.3-r0  affected\n"
		     "XSA-2 span  1.2-r0  affected\n");
	assert_facts(a, db, "alpine:edge", "y", "");
	db_close(db);
	db = import_text(
	    a, "secdb/v3.3/main.json",
	    STR("{\"urlprefix\":\"http://x.alpinelinux.org\",\"distroversion\":\"v3.3\",\"packages\":null}"), "secdb");
	struct db_platform p;
	struct err err;
	assert_int_equal(db_platform(db, STR("alpine:3.3"), &p, &err), 0);
	assert_true(p.complete && !p.unfixed && p.package_count == 0);
	db_close(db);
	db = import_text(
	    a, "secdb/v3.3/main.yaml",
	    STR("urlprefix: http://x.alpinelinux.org\ndistroversion: v3.3\npackages:\n  - pkg:\n      name: z\n"
		"      secfixes:\n        1.0-r1:\n        - CVE-2020-1234\n"),
	    "secdb");
	assert_facts(a, db, "alpine:3.3", "z", "CVE-2020-1234 span  1.0-r1  affected\n");
	db_close(db);
}

static void ubuntu_labels(void **state)
{
	(void)state;
	struct arena *a ARENA_AUTO = arena_new();
	struct db *db =
	    import_text(a, "ubuntu-cve-tracker/active/CVE-2022-36879",
			STR("Candidate: CVE-2022-36879\nPublicDate: 2022-07-27 04:15:00 UTC\nPriority: medium\n"
			    "Priority_linux-x: low (words)\n"
			    "upstream_linux: needs-triage\nPatches_linux:\n break-fix: - x\n"
			    "trusty_linux: ignored (out of standard support)\n"
			    "trusty/esm_linux: needs-triage\nesm-infra/xenial_linux: pending (4.4.0-233.267)\n"
			    "bionic_linux: ignored (code-not-compiled)\nfocal_linux: released (5.4.0-126.142)\n"
			    "jammy_linux: needed\nfips/jammy_linux: needed\ndevel_linux: DNE\n"
			    "jammy_linux-x: deferred (2022-09-01)\nkinetic_linux: released\n"
			    "lunar_linux: ignored (abandoned)\n"),
			"ubuntu");
	assert_facts(a, db, "ubuntu:14.04", "linux", "CVE-2022-36879 span    end_of_life\n");
	assert_facts(a, db, "ubuntu:14.04:esm", "linux", "CVE-2022-36879 span    under_investigation\n");
	assert_facts(a, db, "ubuntu:16.04:esm", "linux", "CVE-2022-36879 span  4.4.0-233.267  affected unreleased\n");
	assert_facts(a, db, "ubuntu:18.04", "linux", "no entry");
	assert_facts(a, db, "ubuntu:20.04", "linux", "CVE-2022-36879 span  5.4.0-126.142  affected\n");
	assert_facts(a, db, "ubuntu:22.04", "linux", "CVE-2022-36879 span    affected\n");
	assert_facts(a, db, "ubuntu:22.04", "linux-x", "CVE-2022-36879 span    fix_deferred\n");
	assert_facts(a, db, "ubuntu:22.10", "linux", "no entry");
	assert_facts(a, db, "ubuntu:23.04", "linux", "CVE-2022-36879 span    will_not_fix\n");
	struct db_platform p;
	struct db_iter it;
	struct db_fact f;
	struct err err;
	assert_int_equal(db_platform(db, STR("ubuntu:22.04"), &p, &err), 0);
	assert_int_equal(db_lookup(db, &p, STR("linux-x"), &it, &err), 0);
	assert_true(db_next(&it, &f) && f.severity == SEVERITY_LOW);
	assert_int_equal(db_lookup(db, &p, STR("linux"), &it, &err), 0);
	assert_true(db_next(&it, &f) && f.severity == SEVERITY_MEDIUM);
	db_close(db);
}

static void ratings_and_exploits(void **state)
{
	(void)state;
	struct arena *a ARENA_AUTO = arena_new();
	struct db_vuln v;
	struct db *db = import_text(
	    a, "nvdcve-2.0-x.json",
	    STR("{\"format\":\"NVD_CVE\",\"vulnerabilities\":[{\"cve\":{\"id\":\"CVE-2024-1111\","
		"\"published\":\"2024-02-03T00:00:00\",\"metrics\":{\"cvssMetricV31\":[{\"source\":\"cna@x\","
		"\"cvssData\":{\"baseScore\":5.5,\"baseSeverity\":\"MEDIUM\",\"vectorString\":\"C\"}},"
		"{\"source\":\"nvd@nist.gov\",\"cvssData\":{\"baseScore\":9.8,\"baseSeverity\":\"CRITICAL\","
		"\"vectorString\":\"N\"}}]},\"weaknesses\":[{\"source\":\"nvd@nist.gov\",\"description\":"
		"[{\"value\":\"NVD-CWE-Other\"},{\"value\":\"CWE-787\"}]}]}},"
		"{\"cve\":{\"id\":\"CVE-2024-2222\",\"vulnStatus\":\"Rejected\",\"metrics\":{}}}]}"),
	    "nvd");
	assert_true(db_vuln(db, STR("CVE-2024-1111"), &v));
	assert_int_equal(v.severity, SEVERITY_CRITICAL);
	assert_true(str_eq(v.severity_source, STR("nvd")) && str_eq(v.cvss_vector, STR("N")) && v.cwes[0] == 787);
	assert_false(db_vuln(db, STR("CVE-2024-2222"), &v));
	db_close(db);
	db = import_text(a, "epss_scores-2023-03-07.csv",
			 STR("#model_version:v2023.03.01,score_date:2023-03-07T00:00:00+0000\ncve,epss,percentile\r\n"
			     "CVE-2020-5902,0.97567,0.99995\nCVE-2020-5903,1.00000,1\nCVE-2020-5904,1.5,1\nCVE-2020-"
			     "5905,x,1\nnothing\n"),
			 "epss");
	struct db_source s;
	assert_true(db_source(db, 0, &s) && s.updated == feed_day(2023, 3, 7) && s.advisories == 2);
	assert_true(db_vuln(db, STR("CVE-2020-5902"), &v) && v.epss > 0.975669 && v.epss < 0.975671);
	assert_true(db_vuln(db, STR("CVE-2020-5903"), &v) && v.epss > 0.9999);
	assert_false(db_vuln(db, STR("CVE-2020-5904"), &v));
	db_close(db);
	db = import_text(
	    a, "known_exploited_vulnerabilities.csv",
	    STR("\"cveID\",x,dateAdded\nCVE-2025-48384,\"a \"\"b\"\",\nc\",2025-08-25\r\nCVE-2025-48385,,bad\n,,\n"),
	    "kev");
	assert_true(db_vuln(db, STR("CVE-2025-48384"), &v) && v.kev && v.kev_added == feed_day(2025, 8, 25));
	assert_true(db_vuln(db, STR("CVE-2025-48385"), &v) && v.kev && v.kev_added == 0);
	db_close(db);
}

static void nothing_else_is_a_feed(void **state)
{
	(void)state;
	struct arena *a ARENA_AUTO = arena_new();
	static const struct {
		const char *path;
		struct str text;
	} cases[] = {
		{ "osv/all.zip", STR_INIT("") },
		{ "osv/all.zip", STR_INIT("PK\3\4 not a zip") },
		{ "debian/x.json", STR_INIT("{\"a\":{\"b\":1}}") },
		{ "known_exploited_vulnerabilities.json", STR_INIT("hello") },
		{ "ubuntu-cve-tracker.tar.gz", STR_INIT("\x1f\x8b broken") },
		{ "README.md", STR_INIT("# osv") },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct feed_input in = { .path = str_from(cases[i].path), .bytes = cases[i].text, .arena = a };
		assert_null(feed_recognise(&in));
		feed_done(&in);
	}
}

static void days(void **state)
{
	(void)state;
	assert_int_equal(feed_day(1970, 1, 1), 0);
	assert_int_equal(feed_day(2000, 2, 29), 951782400);
	assert_int_equal(feed_day(2026, 11, 22), 1795305600);
	assert_int_equal(feed_date(STR("2024-05-08T15:31:14.530Z")), 1715126400);
	assert_int_equal(feed_date(STR("2025.08.25")), 1756080000);
	assert_int_equal(feed_date(STR("2024-13-08")), 0);
	assert_int_equal(feed_date(STR("8 May 2024")), 0);
}

static int setup(void **state)
{
	(void)state;
	int fd = mkstemp(db_path);
	return fd < 0 ? -1 : close(fd);
}

static int teardown(void **state)
{
	(void)state;
	return unlink(db_path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(debian_cve_list),
		cmocka_unit_test(debian_inherits_from_unstable),
		cmocka_unit_test(debian_json_states),
		cmocka_unit_test(osv_shapes),
		cmocka_unit_test(secdb_items),
		cmocka_unit_test(ubuntu_labels),
		cmocka_unit_test(ratings_and_exploits),
		cmocka_unit_test(nothing_else_is_a_feed),
		cmocka_unit_test(days),
		cmocka_unit_test(debian_changelogs),
		cmocka_unit_test(debian_lists),
		cmocka_unit_test(ubuntu_tracker),
		cmocka_unit_test(wolfi),
		cmocka_unit_test(alpine),
		cmocka_unit_test(alpine_old),
		cmocka_unit_test(almalinux),
		cmocka_unit_test(go),
		cmocka_unit_test(kev),
		cmocka_unit_test(cve5),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
