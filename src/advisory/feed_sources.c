/* The table of feeds' addresses: see feed_sources.h. Facts only; what a file is says its content. A feed whose terms forbid
 * to be passed on, and one that repeats another, is taken only where it is named. */
#include "advisory/feed_sources.h"

#include "base/base.h"

#define OSV_BUCKET "https://osv-vulnerabilities.storage.googleapis.com/"
#define PUBLISHED "published for scanners; none stated"

/* Its arguments are string literals, some of them joined: parentheses would forbid that. */
/* NOLINTBEGIN(bugprone-macro-parentheses) */
#define OSV(name_, at_, source_, licence_, attribution_, size_, standard_, why_not_)                            \
	{                                                                                                                  \
		.name = "osv/" name_, .form = "osv", .packing = "zip of OSV records", .source = source_,                   \
		.licence = licence_, .attribution = attribution_, .standard = standard_, .why_not = why_not_,              \
		.cadence = "hourly", .size = size_, .size_max = 2 * GIB, .bases = OSV_BUCKET, .files = "all.zip=" at_ "/all.zip" \
	}
/* NOLINTEND(bugprone-macro-parentheses) */

#define GHSA "CC-BY-4.0 (GHSA); others per record"

const struct feed_row feed_rows[] = {
	{ .name = "cisa-kev",
	  .form = "kev",
	  .packing = "JSON",
	  .source = "cisa-kev",
	  .licence = "CC0-1.0",
	  .attribution = "Known Exploited Vulnerabilities Catalog, CISA",
	  .standard = true,
	  .cadence = "weekdays",
	  .size = "2 MB",
	  .size_max = 64 * MIB,
	  .bases = "https://www.cisa.gov/sites/default/files/feeds/ "
		   "https://raw.githubusercontent.com/cisagov/kev-data/develop/",
	  .files = "known_exploited_vulnerabilities.json" },
	{ .name = "epss",
	  .form = "epss",
	  .packing = "CSV, gzip",
	  .source = "epss",
	  .licence = "free to use, with attribution",
	  .attribution = "EPSS, FIRST.org (https://www.first.org/epss)",
	  .standard = true,
	  .cadence = "daily",
	  .size = "3 MB",
	  .size_max = 64 * MIB,
	  .bases = "https://epss.empiricalsecurity.com/ https://epss.cyentia.com/",
	  .files = "epss_scores-current.csv.gz" },
	{ .name = "debian",
	  .form = "debian-json",
	  .packing = "JSON",
	  .source = "debian-tracker",
	  .replaces = "debian-changelogs debian-lists",
	  .licence = PUBLISHED,
	  .attribution = "Debian security tracker",
	  .standard = true,
	  .cadence = "hourly",
	  .size = "70 MB, or 8 packed",
	  .size_max = 512 * MIB,
	  .bases = "https://security-tracker.debian.org/tracker/data/",
	  .files = "tracker.json=json" },
	{ .name = "debian-lists",
	  .form = "debian-lists",
	  .packing = "tar.gz of data/{CVE,DSA,DLA,DTSA}/list",
	  .source = "debian-lists",
	  .licence = PUBLISHED,
	  .attribution = "Debian security tracker",
	  .why_not = "says what debian says",
	  .cadence = "hourly",
	  .size = "60 MB",
	  .size_max = 1 * GIB,
	  .bases = "https://salsa.debian.org/security-tracker-team/security-tracker/-/archive/master/",
	  .files = "security-tracker-master.tar.gz" },
	{ .name = "ubuntu",
	  .form = "osv",
	  .packing = "tar.xz of OSV records",
	  .source = "osv-ubuntu",
	  .replaces = "ubuntu",
	  .licence = PUBLISHED,
	  .attribution = "Ubuntu security data, Canonical Ltd.",
	  .standard = true,
	  .cadence = "hourly",
	  .size = "40 MB",
	  .size_max = 1 * GIB,
	  .bases = "https://security-metadata.canonical.com/osv/",
	  .files = "osv-all.tar.xz" },
	{ .name = "ubuntu-tracker",
	  .form = "ubuntu",
	  .packing = "tar of active/, retired/, ignored/",
	  .source = "ubuntu",
	  .licence = PUBLISHED,
	  .attribution = "Ubuntu CVE tracker",
	  .why_not = "published by git alone (git.launchpad.net/ubuntu-cve-tracker): from a mirror or a folder",
	  .cadence = "hourly",
	  .size = "20 MB",
	  .size_max = 1 * GIB,
	  .files = "ubuntu-cve-tracker.tar.zst" },
	{ .name = "alpine-secdb",
	  .form = "secdb",
	  .packing = "JSON, two for each release",
	  .source = "alpine",
	  .licence = PUBLISHED,
	  .attribution = "Alpine Linux secdb",
	  .standard = true,
	  .cadence = "hourly",
	  .size = "5 MB",
	  .size_max = 32 * MIB,
	  .bases = "https://secdb.alpinelinux.org/",
	  .files = "v3.10/main.json v3.10/community.json v3.11/main.json v3.11/community.json v3.12/main.json "
		   "v3.12/community.json v3.13/main.json v3.13/community.json v3.14/main.json v3.14/community.json "
		   "v3.15/main.json v3.15/community.json v3.16/main.json v3.16/community.json v3.17/main.json "
		   "v3.17/community.json v3.18/main.json v3.18/community.json v3.19/main.json v3.19/community.json "
		   "v3.20/main.json v3.20/community.json v3.21/main.json v3.21/community.json v3.22/main.json "
		   "v3.22/community.json ?v3.23/main.json ?v3.23/community.json ?v3.24/main.json ?v3.24/community.json "
		   "edge/main.json edge/community.json" },
	{ .name = "wolfi",
	  .form = "secdb",
	  .packing = "JSON",
	  .source = "wolfi",
	  .licence = "no redistribution (since 2025-05-07)",
	  .attribution = "Wolfi advisories, Chainguard, Inc.",
	  .why_not = "its licence changed: read it, then name the feed",
	  .cadence = "hourly",
	  .size = "2 MB",
	  .size_max = 64 * MIB,
	  .bases = "https://packages.wolfi.dev/os/",
	  .files = "security.json" },
	{ .name = "chainguard",
	  .form = "secdb",
	  .packing = "JSON",
	  .source = "chainguard",
	  .licence = "none stated",
	  .attribution = "Chainguard security data, Chainguard, Inc.",
	  .why_not = "no licence stated, and its sister's forbids redistribution",
	  .cadence = "hourly",
	  .size = "5 MB",
	  .size_max = 64 * MIB,
	  .bases = "https://packages.cgr.dev/chainguard/",
	  .files = "security.json" },
	{ .name = "vulnrichment",
	  .form = "cve5",
	  .packing = "tar.gz of CVE JSON 5 records",
	  .source = "cve",
	  .licence = "CC0-1.0",
	  .attribution = "CVE Program records with CISA's Vulnrichment",
	  .standard = true,
	  .cadence = "daily",
	  .size = "100 MB",
	  .size_max = 2 * GIB,
	  .bases = "https://github.com/cisagov/vulnrichment/archive/refs/heads/",
	  .files = "vulnrichment.tar.gz=develop.tar.gz" },
	{ .name = "cvelist",
	  .form = "cve5",
	  .packing = "zip of CVE JSON 5 records",
	  .source = "cve",
	  .licence = "CVE Program terms of use (free)",
	  .attribution = "CVE Program",
	  .why_not = "large",
	  .cadence = "hourly",
	  .size = "600 MB",
	  .size_max = 3 * GIB,
	  .bases = "https://github.com/CVEProject/cvelistV5/archive/refs/heads/",
	  .files = "cvelistV5.zip=main.zip" },
	{ .name = "nvd",
	  .form = "nvd",
	  .packing = "JSON 2.0, gzip, one a year",
	  .source = "nvd",
	  .licence = "public domain",
	  .attribution = "National Vulnerability Database, NIST (this product is not endorsed or certified by the NVD)",
	  .standard = true,
	  .cadence = "daily",
	  .size = "250 MB",
	  .size_max = 256 * MIB,
	  .bases = "https://nvd.nist.gov/feeds/json/cve/2.0/",
	  .files = "nvdcve-2.0-2002.json.gz nvdcve-2.0-2003.json.gz nvdcve-2.0-2004.json.gz nvdcve-2.0-2005.json.gz "
		   "nvdcve-2.0-2006.json.gz nvdcve-2.0-2007.json.gz nvdcve-2.0-2008.json.gz nvdcve-2.0-2009.json.gz "
		   "nvdcve-2.0-2010.json.gz nvdcve-2.0-2011.json.gz nvdcve-2.0-2012.json.gz nvdcve-2.0-2013.json.gz "
		   "nvdcve-2.0-2014.json.gz nvdcve-2.0-2015.json.gz nvdcve-2.0-2016.json.gz nvdcve-2.0-2017.json.gz "
		   "nvdcve-2.0-2018.json.gz nvdcve-2.0-2019.json.gz nvdcve-2.0-2020.json.gz nvdcve-2.0-2021.json.gz "
		   "nvdcve-2.0-2022.json.gz nvdcve-2.0-2023.json.gz nvdcve-2.0-2024.json.gz nvdcve-2.0-2025.json.gz "
		   "nvdcve-2.0-2026.json.gz ?nvdcve-2.0-2027.json.gz ?nvdcve-2.0-2028.json.gz" },
	OSV("AlmaLinux", "AlmaLinux", "almalinux", "MIT", "AlmaLinux OSV database, AlmaLinux OS Foundation", "5 MB",
	    true, NULL),
	OSV("Rocky", "Rocky%20Linux", "rocky", "BSD-3-Clause (as OSV lists it)", "Rocky Linux errata, RESF", "5 MB",
	    true, NULL),
	OSV("Go", "Go", "go", "CC-BY-4.0", "Go Vulnerability Database; GitHub Advisory Database", "10 MB", true, NULL),
	OSV("PyPI", "PyPI", "pypi", "CC-BY-4.0", "PyPA Advisory Database; GitHub Advisory Database", "20 MB", true, NULL),
	OSV("crates.io", "crates.io", "rustsec", "CC0-1.0 (a few CC-BY-4.0)",
	    "RustSec Advisory Database; GitHub Advisory Database", "3 MB", true, NULL),
	OSV("npm", "npm", "osv-npm", GHSA, "GitHub Advisory Database; OpenSSF Malicious Packages", "200 MB", true, NULL),
	OSV("Maven", "Maven", "osv-maven", GHSA, "GitHub Advisory Database", "15 MB", true, NULL),
	OSV("RubyGems", "RubyGems", "osv-rubygems", GHSA, "GitHub Advisory Database", "5 MB", true, NULL),
	OSV("NuGet", "NuGet", "osv-nuget", GHSA, "GitHub Advisory Database", "5 MB", true, NULL),
	OSV("Packagist", "Packagist", "osv-packagist", GHSA, "GitHub Advisory Database; DrupalSecurityTeam", "10 MB",
	    true, NULL),
	OSV("Hex", "Hex", "osv-hex", GHSA, "GitHub Advisory Database", "1 MB", true, NULL),
	OSV("Pub", "Pub", "osv-pub", GHSA, "GitHub Advisory Database", "1 MB", true, NULL),
	OSV("SwiftURL", "SwiftURL", "osv-swifturl", GHSA, "GitHub Advisory Database", "1 MB", true, NULL),
	OSV("Bitnami", "Bitnami", "bitnami", "Apache-2.0", "Bitnami Vulnerability Database", "10 MB", true, NULL),
	OSV("Hackage", "Hackage", "osv-hackage", "CC0-1.0", "Haskell Security Advisories", "1 MB", true, NULL),
	OSV("Julia", "Julia", "osv-julia", "CC-BY-4.0", "JuliaLang Security Advisories", "3 MB", true, NULL),
	OSV("CRAN", "CRAN", "osv-cran", "Apache-2.0", "R Advisory Database, R Consortium", "1 MB", true, NULL),
};
const size_t feed_row_count = COUNT_OF(feed_rows);

const struct feed_row *feed_row_find(struct str name)
{
	for (size_t i = 0; i < feed_row_count; i++)
		if (str_eq_nocase(name, str_from(feed_rows[i].name)))
			return &feed_rows[i];
	return NULL;
}

bool feed_row_file(const struct feed_row *row, size_t i, struct feed_row_file *ret)
{
	struct str rest = str_from(row->files), word;
	for (size_t n = 0; str_cut(&rest, ' ', &word); n++) {
		if (n != i)
			continue;
		struct feed_row_file f = { .optional = str_skip(&word, STR("?")) };
		f.at = word;
		(void)str_cut(&word, '=', &f.name);
		if (word.len)
			f.at = word;
		*ret = f;
		return true;
	}
	return false;
}

size_t feed_row_files(const struct feed_row *row)
{
	struct feed_row_file f;
	size_t n = 0;
	while (feed_row_file(row, n, &f))
		n++;
	return n;
}

struct str feed_row_path(struct arena *a, const struct feed_row *row, const struct feed_row_file *f)
{
	return arena_printf(a, "%s/%.*s", row->name, STR_ARG(f->name));
}

struct str feed_row_url(struct arena *a, const struct feed_row *row, const struct feed_row_file *f, size_t i)
{
	struct str rest = str_from(row->bases), base;
	for (size_t n = 0; str_cut(&rest, ' ', &base); n++)
		if (n == i)
			return arena_printf(a, "%.*s%.*s", STR_ARG(base), STR_ARG(f->at));
	return (struct str){ 0 };
}

struct str feed_row_mirror_url(struct arena *a, struct str prefix, const struct feed_row *row,
			       const struct feed_row_file *f)
{
	while (str_drop(&prefix, STR("/")))
		;
	return arena_printf(a, "%.*s/%s/%.*s", STR_ARG(prefix), row->name, STR_ARG(f->name));
}

const struct feed_row *feed_row_of_path(struct str path, size_t *ret_file)
{
	struct arena *a ARENA_AUTO = arena_new();
	struct feed_row_file f;
	for (size_t i = 0; i < feed_row_count; i++) {
		for (size_t j = 0; feed_row_file(&feed_rows[i], j, &f); j++) {
			struct str own = feed_row_path(a, &feed_rows[i], &f), head = path;
			if (!str_drop(&head, own) || (head.len && head.ptr[head.len - 1] != '/'))
				continue;
			*ret_file = j;
			return &feed_rows[i];
		}
	}
	return NULL;
}
