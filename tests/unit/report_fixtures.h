/* Reports built by hand for the tests of formats: an ordinary image, clean ones, a hostile one, several targets, a
 * large one. The same every time. */
#ifndef PLIMSOLL_TESTS_REPORT_FIXTURES_H
#define PLIMSOLL_TESTS_REPORT_FIXTURES_H

#include "base/base.h"
#include "model/report.h"

#define LAYER_A "sha256:8e012198eea15b2554b07014081c85fec4967a1b9cc4b65bd9a4bce3ae1c0c88"
#define LAYER_B "sha256:1f3aaa8b5a1bd7e1d4b4d1cf6d6c1f9f2b8f7a3c2e6d4b8a9c0e1f2a3b4c5d6e"
#define FIXTURE_PACKAGES_MAX 4000

static inline struct report *fixture_report(struct arena *a)
{
	struct report *r = ARENA_NEW(a, struct report);
	r->tool_version = STR("0.1.0");
	r->started = STR("2026-11-24T20:30:00Z");
	r->duration_ms = 187;
	r->sandbox = STR("full");
	r->database.present = true;
	r->database.built = STR("2026-11-20T06:00:00Z");
	r->database.age_days = 4;
	*vec_push(a, &r->database.sources) = (struct report_source){
		.name = STR("debian-changelogs"), .updated = STR("2026-11-19"), .advisories = 14730,
		.coverage = STR("partial: fixed states only, of 1473 source packages"), .licence = STR("CC0-1.0") };
	*vec_push(a, &r->database.sources) = (struct report_source){ .name = STR("cisa-kev"), .updated = STR("2026-11-18"),
		.advisories = 1460, .coverage = STR("complete"), .licence = STR("CC0-1.0") };
	return r;
}

static inline struct target *fixture_target(struct arena *a, struct report *r, const char *name)
{
	struct target *t = vec_push(a, &r->targets);
	t->kind = TARGET_IMAGE;
	t->name = str_from(name);
	t->digest = STR("sha256:3f2a9c1d04b77aab1c0de5f2a9c1d04b77aab1c0de5f2a9c1d04b77aab1c0de5");
	t->platform = STR("linux/amd64");
	t->os = (struct os){ .id = STR("debian"), .version = STR("12"), .name = STR("Debian GNU/Linux 12 (bookworm)"),
		             .codename = STR("bookworm"), .evidence = STR("etc/os-release") };
	t->os_supported = true;
	*vec_push(a, &t->layers) = (struct layer){ .diff_id = STR(LAYER_A), .size = 50331648,
		                                   .created_by = STR("debootstrap \"bookworm\"") };
	t->packages.ptr = arena_array(a, FIXTURE_PACKAGES_MAX, sizeof(*t->packages.ptr));
	t->packages.cap = FIXTURE_PACKAGES_MAX;
	return t;
}

static inline struct package *fixture_package(struct target *t, enum package_type type, struct str name,
                                              struct str version, struct str source, struct str source_version)
{
	struct package *p = &t->packages.ptr[t->packages.len++];
	*p = (struct package){ .type = type, .name = name, .version = version, .arch = STR("amd64"), .source_name = source,
		               .source_version = source_version, .vendor = STR("Debian Maintainers <m@example.org>"),
		               .db_path = STR("var/lib/dpkg/status"), .layer = STR(LAYER_A) };
	if (type == PACKAGE_RPM)
		p->db_path = STR("var/lib/rpm/rpmdb.sqlite");
	if (type == PACKAGE_APK)
		p->db_path = STR("lib/apk/db/installed");
	return p;
}

static inline struct finding *fixture_finding(struct arena *a, struct target *t, const struct package *p, struct str id,
                                              enum severity severity, struct str fixed)
{
	struct finding *f = vec_push(a, &t->findings);
	*f = (struct finding){ .id = id, .severity = severity, .package = p, .fixed_version = fixed,
		               .status = STATUS_AFFECTED, .cvss_score = -1, .epss = -1 };
	f->severity_source = severity == SEVERITY_UNKNOWN ? STR("") : STR("nvd");
	f->source = STR("debian-changelogs");
	f->title = arena_printf(a, "%.*s in %.*s", STR_ARG(id), STR_ARG(p->source_name));
	f->evidence = arena_printf(a, "debian:12 %.*s: installed %.*s < fixed %.*s", STR_ARG(p->source_name),
	                           STR_ARG(p->source_version), STR_ARG(fixed));
	if (fixed.len)
		f->fix_text = arena_printf(a, "Upgrade %.*s to %.*s", STR_ARG(p->source_name), STR_ARG(fixed));
	return f;
}

/* One line of a fixture's table; binaries are separated by spaces, the first fields of the source repeat. */
struct fixture_line {
	const char *source, *installed, *binaries, *id;
	enum severity severity;
	const char *fixed;
	enum fix_status status;
	double cvss, epss;
	bool kev;
};

static inline const struct package *fixture_binary(struct target *t, const struct fixture_line *l, struct str name)
{
	for (size_t i = 0; i < t->packages.len; i++)
		if (str_eq(t->packages.ptr[i].name, name))
			return &t->packages.ptr[i];
	return fixture_package(t, PACKAGE_DEB, name, str_from(l->installed), str_from(l->source), str_from(l->installed));
}

static inline void fixture_lines(struct arena *a, struct target *t, const struct fixture_line *lines, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct fixture_line *l = &lines[i];
		struct str rest = str_from(l->binaries), name;
		while (str_cut(&rest, ' ', &name)) {
			const struct package *p = fixture_binary(t, l, name);
			struct finding *f = fixture_finding(a, t, p, str_from(l->id), l->severity, str_from(l->fixed));
			f->status = l->status;
			f->cvss_score = l->cvss;
			if (l->cvss >= 9)
				f->cvss_vector = STR("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H");
			f->epss = l->epss;
			f->kev = l->kev;
		}
	}
}

static inline void fixture_fill_packages(struct arena *a, struct target *t, size_t count)
{
	for (size_t i = t->packages.len; i < count; i++) {
		struct str name = arena_printf(a, "filler-%03zu", i);
		fixture_package(t, PACKAGE_DEB, name, STR("1.0-1"), name, STR("1.0-1"));
	}
}

/* Upgrades as the matcher makes them: for each source the last line's fixed version (lines are in order of version). */
static inline void fixture_upgrades(struct arena *a, struct target *t)
{
	for (size_t i = 0; i < t->findings.len; i++) {
		const struct finding *f = &t->findings.ptr[i];
		if (f->hidden || f->suppressed.by.len || f->fixed_version.len == 0 || !f->package)
			continue;
		struct upgrade *u = NULL;
		for (size_t k = 0; k < t->upgrades.len && !u; k++)
			if (str_eq(t->upgrades.ptr[k].package, f->package->source_name))
				u = &t->upgrades.ptr[k];
		if (!u)
			u = vec_push(a, &t->upgrades);
		u->package = f->package->source_name;
		u->from = f->package->source_version;
		u->to = f->fixed_version;
		u->removes++;
		u->kev |= f->kev;
		if (f->severity > u->severity_max)
			u->severity_max = f->severity;
		bool known = false;
		for (size_t k = 0; k < u->binaries.len; k++)
			known |= str_eq(u->binaries.ptr[k], f->package->name);
		if (!known)
			*vec_push(a, &u->binaries) = f->package->name;
	}
	for (size_t i = 1; i < t->upgrades.len; i++) /* most removed first, stable */
		for (size_t k = i; k > 0 && t->upgrades.ptr[k].removes > t->upgrades.ptr[k - 1].removes; k--) {
			struct upgrade swap = t->upgrades.ptr[k];
			t->upgrades.ptr[k] = t->upgrades.ptr[k - 1];
			t->upgrades.ptr[k - 1] = swap;
		}
}

/* The summary as policy fills it (distinct is left to the few fixtures that show it). */
static inline void fixture_summary(struct arena *a, struct report *r)
{
	struct map ids = { 0 };
	for (size_t i = 0; i < r->targets.len; i++) {
		const struct target *t = &r->targets.ptr[i];
		r->summary.not_assessed += t->not_assessed.len;
		for (size_t k = 0; k < t->findings.len; k++) {
			const struct finding *f = &t->findings.ptr[k];
			if (f->suppressed.by.len) {
				r->summary.suppressed++;
			} else if (f->hidden) {
				r->summary.hidden++;
				r->summary.hidden_unknown += f->severity == SEVERITY_UNKNOWN;
			} else {
				r->summary.by_severity[f->severity]++;
				r->summary.fixable += f->fixed_version.len > 0;
				r->summary.kev += f->kev;
				(void)map_put(a, &ids, f->id, NULL);
			}
		}
	}
	r->summary.distinct = ids.len;
}

/* --- an ordinary Debian image: KEV, unrated, unfixed, ignored, hidden, not assessed, a failed gate --- */
static inline struct report *fixture_ordinary(struct arena *a)
{
	/* clang-format off */
	static const struct fixture_line lines[] = {
		{ "glibc", "2.36-9+deb12u1", "libc6 libc-bin", "CVE-2023-4911", SEVERITY_HIGH, "2.36-9+deb12u3", STATUS_AFFECTED, 7.8, 0.7124, true },
		{ "glibc", "2.36-9+deb12u1", "libc6 libc-bin", "CVE-2023-6246", SEVERITY_HIGH, "2.36-9+deb12u4", STATUS_AFFECTED, 7.8, 0.0541, false },
		{ "glibc", "2.36-9+deb12u1", "libc6 libc-bin", "CVE-2024-2961", SEVERITY_HIGH, "2.36-9+deb12u6", STATUS_AFFECTED, 7.3, 0.9312, false },
		{ "glibc", "2.36-9+deb12u1", "libc6 libc-bin", "CVE-2024-33599", SEVERITY_HIGH, "2.36-9+deb12u7", STATUS_AFFECTED, 8.1, 0.0031, false },
		{ "glibc", "2.36-9+deb12u1", "libc6 libc-bin", "CVE-2024-33600", SEVERITY_MEDIUM, "2.36-9+deb12u7", STATUS_AFFECTED, 5.9, 0.0012, false },
		{ "glibc", "2.36-9+deb12u1", "libc6 libc-bin", "CVE-2025-4802", SEVERITY_HIGH, "2.36-9+deb12u11", STATUS_AFFECTED, 7.8, 0.0001, false },
		{ "glibc", "2.36-9+deb12u1", "libc6 libc-bin", "CVE-2019-1010022", SEVERITY_UNKNOWN, "", STATUS_AFFECTED, -1, 0.0021, false },
		{ "zlib", "1:1.2.13.dfsg-1", "zlib1g", "CVE-2023-45853", SEVERITY_CRITICAL, "", STATUS_WILL_NOT_FIX, 9.8, 0.0122, false },
		{ "gnutls28", "3.7.9-2+deb12u1", "libgnutls30", "CVE-2024-0553", SEVERITY_HIGH, "3.7.9-2+deb12u2", STATUS_AFFECTED, 7.5, 0.0188, false },
		{ "gnutls28", "3.7.9-2+deb12u1", "libgnutls30", "CVE-2024-28834", SEVERITY_MEDIUM, "3.7.9-2+deb12u3", STATUS_AFFECTED, 5.3, 0.0043, false },
		{ "gnutls28", "3.7.9-2+deb12u1", "libgnutls30", "CVE-2011-3389", SEVERITY_MEDIUM, "", STATUS_AFFECTED, 4.3, 0.0387, false },
		{ "perl", "5.36.0-7", "perl-base", "CVE-2023-31484", SEVERITY_HIGH, "5.36.0-7+deb12u2", STATUS_AFFECTED, 8.1, 0.0087, false },
		{ "perl", "5.36.0-7", "perl-base", "CVE-2011-4116", SEVERITY_LOW, "", STATUS_AFFECTED, 3.3, 0.0019, false },
		{ "systemd", "252.12-1~deb12u1", "libsystemd0 libudev1", "CVE-2023-50387", SEVERITY_HIGH, "252.23-1~deb12u1", STATUS_AFFECTED, 7.5, 0.4477, false },
		{ "systemd", "252.12-1~deb12u1", "libsystemd0 libudev1", "CVE-2023-7008", SEVERITY_MEDIUM, "252.21-1~deb12u1", STATUS_AFFECTED, 5.9, 0.0007, false },
		{ "tar", "1.34+dfsg-1.2", "tar", "CVE-2023-39804", SEVERITY_UNKNOWN, "1.34+dfsg-1.2+deb12u1", STATUS_AFFECTED, -1, 0.0004, false },
		{ "util-linux", "2.38.1-5+b1", "util-linux mount libmount1 libblkid1 libuuid1 libsmartcols1 bsdutils", "CVE-2024-28085", SEVERITY_LOW, "2.38.1-5+deb12u1", STATUS_AFFECTED, 3.3, 0.0255, false },
		{ "apt", "2.6.1", "apt libapt-pkg6.0", "CVE-2011-3374", SEVERITY_LOW, "", STATUS_AFFECTED, 3.7, 0.0011, false },
	};
	/* clang-format on */
	static const char *const headers[] = { "CVE-2024-26581", "CVE-2024-26593", "CVE-2024-26600" };
	struct report *r = fixture_report(a);
	struct target *t = fixture_target(a, r, "registry.example.org/shop/web:1.25");
	fixture_lines(a, t, lines, COUNT_OF(lines));
	struct package *kernel = fixture_package(t, PACKAGE_DEB, STR("linux-libc-dev"), STR("6.1.55-1"), STR("linux"), STR("6.1.55-1"));
	kernel->layer = STR(LAYER_B);
	for (size_t i = 0; i < COUNT_OF(headers); i++) {
		struct finding *f = fixture_finding(a, t, kernel, str_from(headers[i]), SEVERITY_HIGH, STR("6.1.76-1"));
		f->suppressed.by = STR("built-in");
		f->suppressed.reason = STR("kernel headers: no kernel runs from an image");
	}
	t->findings.ptr[0].aliases = (struct str_list){ 0 };
	*vec_push(a, &t->findings.ptr[0].aliases) = STR("DSA-5514-1");
	*vec_push(a, &t->findings.ptr[0].cwes) = STR("CWE-122");
	*vec_push(a, &t->findings.ptr[0].cwes) = STR("CWE-787");
	*vec_push(a, &t->findings.ptr[0].references) = STR("https://security-tracker.debian.org/tracker/CVE-2023-4911");
	for (size_t i = 0; i < t->findings.len; i++) {
		struct finding *f = &t->findings.ptr[i];
		f->hidden = str_eq(f->id, STR("CVE-2011-3374")) || str_eq(f->id, STR("CVE-2019-1010022"));
		if (str_eq(f->id, STR("CVE-2011-4116"))) {
			f->suppressed.by = STR(".plimsoll.yaml:12");
			f->suppressed.reason = STR("no temporary files are made by our scripts");
			f->suppressed.until = STR("2027-01-31");
		}
	}
	fixture_fill_packages(a, t, 30);
	*vec_push(a, &t->layers) = (struct layer){ .diff_id = STR(LAYER_B), .digest = STR(LAYER_A), .size = 1234,
		                                   .created_by = STR("RUN apt-get install gcc") };
	*vec_push(a, &t->not_assessed) = (struct not_assessed){ .what = STR("source packages"), .count = 12, .of = 71,
		.reason = STR("the feed has looked at others only (adduser, base-files, dash ...)") };
	*vec_push(a, &t->not_assessed) = (struct not_assessed){ .what = STR("postgresql-16"),
		.reason = STR("from a third-party repository (PGDG): Debian's advisories do not speak of it") };
	*vec_push(a, &t->notes) = STR("digests were checked on 2026-11-23 and the file has not changed since");
	fixture_upgrades(a, t);
	fixture_summary(a, r);
	r->summary.gate.asked = STR("high");
	r->summary.gate.failed = true;
	r->summary.gate.by = STR("CVE-2023-4911 in glibc (high, KEV), and 16 more");
	*vec_push(a, &r->summary.policy_files) = STR(".plimsoll.yaml");
	*vec_push(a, &r->summary.policy_files) = STR(".trivyignore");
	return r;
}

/* --- nothing found, all looked at --- */
static inline struct report *fixture_clean(struct arena *a)
{
	struct report *r = fixture_report(a);
	struct target *t = fixture_target(a, r, "debian-12.tar");
	fixture_fill_packages(a, t, 88);
	fixture_summary(a, r);
	r->summary.gate.asked = STR("high");
	r->summary.gate.by = STR("nothing at or above high");
	return r;
}

/* --- nothing found, but not all looked at; a folder; past its support; a stale database; a weaker sandbox --- */
static inline struct report *fixture_partial(struct arena *a)
{
	struct report *r = fixture_report(a);
	struct target *t = fixture_target(a, r, "/mnt/disk");
	t->kind = TARGET_FS;
	t->digest = t->platform = (struct str){ 0 };
	t->layers.len = 0;
	t->os = (struct os){ .id = STR("debian"), .version = STR("10"), .name = STR("Debian GNU/Linux 10 (buster)") };
	t->os_eol = true;
	t->os_eol_date = STR("2024-06-30");
	fixture_fill_packages(a, t, 34);
	for (size_t i = 0; i < t->packages.len; i++)
		t->packages.ptr[i].layer = (struct str){ 0 };
	*vec_push(a, &t->not_assessed) = (struct not_assessed){ .what = STR("debian 10"),
		.reason = STR("past its support; the last data is of 2024-06-30") };
	r->database.stale = true;
	r->database.age_days = 12;
	r->sandbox = STR("no Landlock (kernel); Landlock ABI 1: truncation not covered");
	fixture_summary(a, r);
	return r;
}

/* --- names that an attacker chose --- */
#define HOSTILE_NAME "ev\x1b]0;owned\x07il\x1b[31m\n\"quoted\\\xff\xfe\xc2\x9b" "2J$(touch /tmp/x)`id`<b>[x](http://e){0}"
static inline struct report *fixture_hostile(struct arena *a)
{
	struct report *r = fixture_report(a);
	struct target *t = fixture_target(a, r, "evil\x1b[2Jimage\n:latest \xe2\x80\xae" "gpj.exe /../../etc//passwd");
	static const struct {
		struct str name, version;
	} names[] = {
		{ STR_INIT(HOSTILE_NAME), STR_INIT("1.0\x1b[0m\n2") },
		{ STR_INIT("\xe4\xb8\xad\xe6\x96\x87\xe8\xbd\xaf\xe4\xbb\xb6\xe5\x8c\x85"), STR_INIT("2.0-1") },
		{ STR_INIT("rtl\xe2\x80\xaetxt.exe\xe2\x81\xa6\xe2\x80\x8b"), STR_INIT("3.0") },
		{ STR_INIT("zalgo" "\xcc\x80\xcc\x80\xcc\x80\xcc\x80\xcc\x80\xcc\x80\xcc\x80\xcc\x80" "end"), STR_INIT("4.0") },
		{ STR_INIT("-oDebug::NoLocking=1"), STR_INIT("5") },
		{ STR_INIT("a-name-that-goes-on-and-on-and-on-and-on-and-on-and-on-and-on-and-on-until-nobody-reads-it"),
		  STR_INIT("1:20240101.1234567890abcdef1234567890abcdef12345678-0ubuntu0.22.04.1~ppa1") },
		{ STR_INIT("nul\0inside"), STR_INIT("6") },
		{ STR_INIT(""), STR_INIT("") },
	};
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct package *p = fixture_package(t, PACKAGE_DEB, names[i].name, names[i].version, names[i].name, names[i].version);
		p->vendor = names[i].name;
		p->layer = STR(LAYER_B);
		struct finding *f = fixture_finding(a, t, p, arena_printf(a, "CVE-2024-100%02zu", i), SEVERITY_HIGH, names[i].version);
		f->title = names[i].name;
		f->evidence = names[i].name;
		*vec_push(a, &f->references) = names[i].name;
		*vec_push(a, &f->aliases) = names[i].name;
		*vec_push(a, &f->cwes) = names[i].name;
	}
	struct finding *odd = fixture_finding(a, t, &t->packages.ptr[0], STR(HOSTILE_NAME), SEVERITY_UNKNOWN, STR(""));
	odd->suppressed.by = STR(".plimsoll.yaml:\x1b[31m1");
	odd->suppressed.reason = STR(HOSTILE_NAME);
	*vec_push(a, &t->not_assessed) = (struct not_assessed){ .what = STR(HOSTILE_NAME), .reason = STR(HOSTILE_NAME) };
	*vec_push(a, &t->notes) = STR(HOSTILE_NAME);
	t->os.name = STR(HOSTILE_NAME);
	t->platform = STR("linux/\x1b[31m");
	t->layers.ptr[0].created_by = STR(HOSTILE_NAME);
	fixture_upgrades(a, t);
	fixture_summary(a, r);
	r->summary.gate.asked = STR("high");
	r->summary.gate.failed = true;
	r->summary.gate.by = STR(HOSTILE_NAME);
	*vec_push(a, &r->summary.policy_files) = STR(HOSTILE_NAME);
	return r;
}

/* --- several targets of several kinds, the same name twice, no distribution, no sandbox --- */
static inline struct report *fixture_several(struct arena *a)
{
	struct report *r = fixture_report(a);
	r->targets.ptr = arena_array(a, 4, sizeof(*r->targets.ptr));
	r->targets.cap = 4;
	r->sandbox = STR("off (--no-sandbox)");

	struct target *alpine = fixture_target(a, r, "alpine:3.19");
	alpine->os = (struct os){ .id = STR("alpine"), .version = STR("3.19.1"), .name = STR("Alpine Linux v3.19") };
	struct package *ssl = fixture_package(alpine, PACKAGE_APK, STR("libssl3"), STR("3.1.4-r5"), STR("openssl"), STR("3.1.4-r5"));
	struct package *crypto = fixture_package(alpine, PACKAGE_APK, STR("libcrypto3"), STR("3.1.4-r5"), STR("openssl"), STR("3.1.4-r5"));
	fixture_finding(a, alpine, ssl, STR("CVE-2024-2511"), SEVERITY_LOW, STR("3.1.4-r6"));
	fixture_finding(a, alpine, crypto, STR("CVE-2024-2511"), SEVERITY_LOW, STR("3.1.4-r6"));
	fixture_upgrades(a, alpine);

	struct target *alma = fixture_target(a, r, "alma.tar");
	alma->os = (struct os){ .id = STR("almalinux"), .version = STR("9.4"), .name = STR("AlmaLinux 9.4 (Seafoam Ocelot)") };
	struct package *bind = fixture_package(alma, PACKAGE_RPM, STR("bind-libs"), STR("32:9.16.23-18.el9_4.1"), STR("bind"), STR("32:9.16.23-18.el9_4.1"));
	bind->arch = STR("x86_64");
	bind->module = STR("bind:9:123:abc");
	fixture_finding(a, alma, bind, STR("CVE-2024-1737"), SEVERITY_HIGH, STR("32:9.16.23-18.el9_4.6"));
	struct finding *secret = fixture_finding(a, alma, bind, STR("aws-access-key"), SEVERITY_CRITICAL, STR(""));
	secret->package = NULL;
	secret->kind = FINDING_SECRET;
	secret->status = STATUS_NONE;
	secret->title = STR("AWS access key");
	secret->location.path = STR("root/.aws/credentials");
	secret->location.line = 2;
	secret->location.column = 21;
	secret->location.layer = STR(LAYER_A);
	fixture_upgrades(a, alma);

	struct target *twin = fixture_target(a, r, "alma.tar");
	*twin = (struct target){ .kind = TARGET_IMAGE, .name = STR("alma.tar"), .digest = alma->digest };
	*vec_push(a, &twin->not_assessed) = (struct not_assessed){ .what = STR("layer 3"),
		.reason = STR("encrypted") };
	fixture_summary(a, r);
	return r;
}

/* --- the large image of the design: 17 sources, 2,938 pairs, many binaries --- */
static inline struct report *fixture_large(struct arena *a, bool ignore_headers)
{
	static const struct {
		const char *source, *installed, *fixed;
		size_t binaries, ids;
	} sources[] = {
		{ "linux", "6.1.129-1", "6.1.153-1", 1, 2573 },
		{ "openjdk-17", "17.0.14+7-1~deb12u1", "17.0.17+10-1~deb12u1", 2, 21 },
		{ "nodejs", "18.19.0+dfsg-6~deb12u2", "18.20.4+dfsg-1~deb12u1", 3, 13 },
		{ "python3.11", "3.11.2-6+deb12u5", "3.11.2-6+deb12u6", 4, 12 },
		{ "ruby3.1", "3.1.2-7+deb12u1", "3.1.2-8.5", 3, 12 },
		{ "git", "1:2.39.5-0+deb12u1", "1:2.39.5-0+deb12u2", 2, 11 },
		{ "libxml2", "2.9.14+dfsg-1.3~deb12u1", "2.9.14+dfsg-1.3~deb12u4", 1, 10 },
		{ "curl", "7.88.1-10+deb12u8", "7.88.1-10+deb12u14", 2, 9 },
		{ "krb5", "1.20.1-2+deb12u2", "1.20.1-2+deb12u4", 4, 8 },
		{ "openssl", "3.0.15-1~deb12u1", "3.0.17-1~deb12u2", 3, 7 },
		{ "glibc", "2.36-9+deb12u10", "2.36-9+deb12u13", 6, 3 },
		{ "perl", "5.36.0-7+deb12u1", "5.36.0-7+deb12u3", 4, 4 },
		{ "expat", "2.5.0-1+deb12u1", "2.5.0-1+deb12u2", 2, 5 },
		{ "gnutls28", "3.7.9-2+deb12u3", "3.7.9-2+deb12u5", 1, 6 },
		{ "libtasn1-6", "4.19.0-2", "4.19.0-2+deb12u1", 1, 1 },
		{ "sqlite3", "3.40.1-2+deb12u1", "3.40.1-2+deb12u2", 1, 4 },
		{ "gcc-12", "12.2.0-14", "12.2.0-14+deb12u1", 42, 1 },
	};
	static const enum severity severities[] = { SEVERITY_HIGH, SEVERITY_MEDIUM, SEVERITY_MEDIUM, SEVERITY_UNKNOWN,
		                                    SEVERITY_MEDIUM, SEVERITY_LOW };
	struct report *r = fixture_report(a);
	struct target *t = fixture_target(a, r, "bench-large.tar");
	for (size_t s = 0; s < COUNT_OF(sources); s++)
		for (size_t b = 0; b < sources[s].binaries; b++) {
			struct str name = b ? arena_printf(a, "lib%s-part%zu", sources[s].source, b) : str_from(sources[s].source);
			struct package *p = fixture_package(t, PACKAGE_DEB, name, str_from(sources[s].installed),
			                                    str_from(sources[s].source), str_from(sources[s].installed));
			for (size_t i = 0; i < sources[s].ids; i++) {
				struct finding *f = fixture_finding(a, t, p, arena_printf(a, "CVE-202%zu-%zu", 3 + i % 3, 10000 + s * 3000 + i),
				                                    severities[(i + s) % COUNT_OF(severities)], str_from(sources[s].fixed));
				f->epss = (double)((i * 7919 + s * 104729) % 1000) / 20000;
				if (s == 0 && i % 500 == 0)
					f->severity = SEVERITY_CRITICAL;
				if ((s == 0 || s == 7) && i == 0) {
					f->kev = true;
					f->epss = 0.61;
				}
				if (s == 0 && ignore_headers) {
					f->suppressed.by = STR("built-in");
					f->suppressed.reason = STR("kernel headers: no kernel runs from an image");
				}
			}
		}
	fixture_fill_packages(a, t, 637);
	fixture_upgrades(a, t);
	fixture_summary(a, r);
	r->summary.gate.asked = STR("high");
	r->summary.gate.failed = true;
	r->summary.gate.by = STR("CVE-2023-31000 in curl (high, KEV), and 140 more");
	return r;
}

#endif
