/* Peers' flags: see peer_flags.h. */
#include "cmd/peer_flags.h"

#include "base/base.h"

static const struct {
	const char *name, *hint;
} hints[] = {
	{ "input", "write the archive as the target: plimsoll image FILE" },
	{ "only-fixed", "use --ignore-unfixed" },
	{ "only-notfixed", "use --ignore-status" },
	{ "ignore-states", "use --ignore-status" },
	{ "file", "use -o FILE" },
	{ "template", "templates are not in this version" },
	{ "skip-db-update", "not needed: nothing is downloaded during a scan" },
	{ "skip-java-db-update", "not needed: nothing is downloaded during a scan" },
	{ "skip-update", "not needed: nothing is downloaded during a scan" },
	{ "skip-version-check", "not needed: nothing is downloaded during a scan" },
	{ "offline-scan", "use --offline" },
	{ "db-repository", "use --db FILE" },
	{ "download-db-only", "the database comes with the program; see plimsoll db build" },
	{ "security-checks", "use --scanners" },
	{ "vuln-type", "use --pkg-types" },
	{ "image-src", "name the source in the target: docker-archive:FILE, oci:DIR" },
	{ "removed-pkgs", "not in this version" },
	{ "by-cve", "not needed: findings are named by their CVE" },
	{ "add-cpes-if-none", "there is no matching by CPE names here" },
	{ "scope", "not in this version: the merged image is scanned" },
	{ "exclude", "use --skip-dirs or --skip-files" },
	{ "ignore-policy", "use --ignorefile, or the ignore list in .plimsoll.yaml" },
	{ "ignore-unfixable", "use --ignore-unfixed" },
	{ "cache-backend", "the cache is a folder: --cache-dir DIR" },
	{ "server", "not in this version" },
	{ "compliance", "not in this version" },
	{ "dependency-tree", "not in this version" },
	{ "failure-threshold", "use --fail-on" },
	{ "debug", "use -v" },
	{ "insecure", "this version reads files, no registries" },
	{ "username", "this version reads files, no registries" },
	{ "password", "this version reads files, no registries" },
};

const char *peer_flag_hint(struct str name)
{
	for (size_t i = 0; i < COUNT_OF(hints); i++)
		if (str_eq(name, str_from(hints[i].name)))
			return hints[i].hint;
	return NULL;
}
