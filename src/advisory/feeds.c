/* The table of feeds: which files they may be, by path and by content, and who reads them. A new feed is a file in
 * feed/ and a row here (and a fuzz target). The first row that fits wins, so the narrow ones stand first. */
#include "advisory/feed/feed.h"

#include "base/base.h"

static bool is_map_with(const struct feed_doc *doc, const char *key)
{
	const struct value *v = feed_json(doc);
	return value_get(v, key) != NULL;
}

static bool is_kev(const struct feed_doc *doc)
{
	struct str head = str_sub(doc->text, 0, 512);
	return str_contains(head, STR("cveID")) || str_contains(head, STR("catalogVersion"));
}

static bool is_epss(const struct feed_doc *doc)
{
	struct str head = str_sub(doc->text, 0, 512);
	return str_contains(head, STR("cve,epss"));
}

static bool is_cve5(const struct feed_doc *doc) { return is_map_with(doc, "cveMetadata"); }

static bool is_nvd(const struct feed_doc *doc)
{
	const struct value *v = feed_json(doc);
	const struct value *list = value_get(v, "vulnerabilities");
	return value_is(list, VALUE_LIST) ? str_eq(value_str(value_get(v, "format")), STR("NVD_CVE"))
					  : value_get(v, "cve") != NULL;
}

static bool is_secdb(const struct feed_doc *doc)
{
	return str_contains(doc->text, STR("urlprefix")) && str_contains(doc->text, STR("packages"));
}

static bool is_lists(const struct feed_doc *doc)
{
	struct str head = str_sub(doc->text, 0, 4);
	return str_ends(doc->name, STR("config.json")) || str_starts(head, STR("[")) || str_eq(head, STR("CVE-"));
}

static bool is_tracker(const struct feed_doc *doc)
{
	const struct value *v = feed_json(doc);
	for (size_t i = 0; value_is(v, VALUE_MAP) && i < value_len(v); i++) {
		const struct value *vulns = v->map.pairs[i].value;
		if (!value_is(vulns, VALUE_MAP))
			return false;
		if (value_len(vulns) > 0)
			return value_is(value_get(vulns->map.pairs[0].value, "releases"), VALUE_MAP);
	}
	return false;
}

static bool is_ubuntu(const struct feed_doc *doc) { return str_contains(doc->text, STR("Candidate:")); }

static bool is_osv(const struct feed_doc *doc)
{
	const struct value *v = feed_json(doc);
	if (value_is(v, VALUE_LIST))
		v = value_at(v, 0);
	return value_str(value_get(v, "id")).len > 0 &&
	       (value_get(v, "affected") || value_get(v, "modified") || value_get(v, "withdrawn"));
}

static bool want_json(struct str name) { return str_ends(name, STR(".json")); }

static bool want_text(struct str name)
{
	return str_ends(name, STR(".json")) || str_ends(name, STR(".yaml")) || str_ends(name, STR(".yml"));
}

static bool want_list(struct str name)
{
	return str_ends(name, STR("SA/list")) || str_ends(name, STR("LA/list")) || str_ends(name, STR("CVE/list"));
}

static bool want_cve_record(struct str name) { return str_contains(name, STR("CVE-")) && str_ends(name, STR(".json")); }

static bool want_cve(struct str name)
{
	ptrdiff_t slash = str_rfind(name, '/');
	return feed_is_cve(str_sub(name, (size_t)(slash + 1), name.len));
}

const struct feed feeds[] = {
	{ "kev",
	  "CISA Known Exploited Vulnerabilities (JSON, CSV)",
	  { "**/known_exploited_vulnerabilities.*" },
	  is_kev,
	  NULL,
	  import_kev },
	{ "epss", "EPSS scores (CSV)", { "**/epss_scores*", "**/epss*.csv*" }, is_epss, NULL, import_epss },
	{ "cve5",
	  "CVE records, JSON 5 (tar, zip)",
	  { "**/*cve5*/*", "**/*vulnrichment*", "**/*cvelist*" },
	  is_cve5,
	  want_cve_record,
	  import_cve5 },
	{ "nvd", "NVD 2.0 (JSON)", { "**/nvdcve*", "**/nvd/**/*.json*" }, is_nvd, want_json, import_nvd },
	{ "debian-lists",
	  "Debian security tracker, lists (tar)",
	  { "**/*security-tracker*.tar*", "**/?sa/list", "**/?la/list", "**/dtsa/list", "**/cve/list" },
	  is_lists,
	  want_list,
	  import_debian_lists },
	{ "debian-json",
	  "Debian security tracker, JSON",
	  { "**/*debian*/**/*.json*", "**/*tracker*.json*" },
	  is_tracker,
	  NULL,
	  import_debian_json },
	{ "ubuntu",
	  "Ubuntu CVE tracker (tar)",
	  { "**/*ubuntu-cve-tracker*.tar*", "**/active/cve-*", "**/retired/cve-*", "**/ignored/cve-*" },
	  is_ubuntu,
	  want_cve,
	  import_ubuntu },
	{ "secdb",
	  "Alpine secdb and its kin (JSON, tar)",
	  { "**/*secdb*/**", "**/*secdb*.tar*", "**/security.json*", "**/alpine/*.json" },
	  is_secdb,
	  want_text,
	  import_secdb },
	{ "osv", "OSV records (zip, tar)", { "**/all.zip", "**/*osv*/**", "**/*osv*" }, is_osv, want_json, import_osv },
};
const size_t feed_count = COUNT_OF(feeds);

static bool path_fits(const struct feed *f, struct str path)
{
	for (size_t i = 0; i < COUNT_OF(f->paths) && f->paths[i]; i++)
		if (str_glob(str_from(f->paths[i]), path))
			return true;
	return false;
}

bool feed_path_fits(struct str path)
{
	struct arena *a ARENA_AUTO = arena_new();
	struct str low = str_lower(a, path);
	for (size_t i = 0; i < feed_count; i++)
		if (path_fits(&feeds[i], low))
			return true;
	return false;
}

const struct feed *feed_recognise(struct feed_input *in)
{
	struct str low = str_lower(in->arena, in->path);
	const struct feed *found = NULL;
	for (size_t i = 0; i < feed_count && !found; i++) {
		struct feed_doc doc;
		struct err err;
		if (!path_fits(&feeds[i], low))
			continue;
		feed_rewind(in);
		if (feed_next(in, feeds[i].want, &doc, &err) > 0 && feeds[i].mine(&doc))
			found = &feeds[i];
	}
	feed_rewind(in);
	return found;
}

const struct feed *feed_by_name(struct str name)
{
	for (size_t i = 0; i < feed_count; i++)
		if (str_eq(name, str_from(feeds[i].name)))
			return &feeds[i];
	return NULL;
}
