/* Alpine's secdb and those that follow its form (Wolfi, Chainguard, MinimOS), as JSON or YAML: of each package the
 * versions that fixed something, with the ids. "0" says that the package never had it. Only fixes are named. */
#include "advisory/feed/feed.h"
#include "advisory/feed/secdb_names.h"

#include "base/base.h"
#include "base/yaml.h"

struct secdb {
	struct str platform;
	uint32_t source;
	struct feed_sink *sink;
	struct arena *a;
	struct secdb_names names;
};

/* "CVE_2019-2426", "CVE-2019-19451.patch", "CVE-2020-1234?": the id is what stands in front. Anything else that is not
 * a CVE (XSA-182, GHSA-..., wnpa-sec-2017-18) is kept as it is. */
static struct str clean_id(struct str s, struct arena *a)
{
	if (str_starts(s, STR("CVE_")))
		s = arena_printf(a, "CVE-%.*s", STR_ARG(str_sub(s, 4, s.len)));
	if (!str_starts(s, STR("CVE-")))
		return s;
	size_t n = 4;
	while (n < s.len && (ascii_digit(s.ptr[n]) || (n == 8 && s.ptr[n] == '-')))
		n++;
	struct str cve = str_sub(s, 0, n);
	return feed_is_cve(cve) ? cve : (struct str){ 0 };
}

/* "(+", "regression", "fix)": words of people. */
static bool is_id(struct str s)
{
	if (s.len < 4 || s.len > 64 || !ascii_alpha(s.ptr[0]))
		return false;
	if (str_starts(s, STR("GHSA-")))
		return true;
	bool digit = false, dash = false;
	for (size_t i = 0; i < s.len; i++) {
		digit |= ascii_digit(s.ptr[i]);
		dash |= s.ptr[i] == '-';
		if (!ascii_alnum(s.ptr[i]) && s.ptr[i] != '-' && s.ptr[i] != '_' && s.ptr[i] != '.' && s.ptr[i] != ':')
			return false;
	}
	return digit && dash;
}

static bool next_word(struct str *rest, struct str *ret)
{
	while (rest->len && (ascii_space(rest->ptr[0]) || rest->ptr[0] == ',' || rest->ptr[0] == ';'))
		*rest = str_sub(*rest, 1, rest->len);
	size_t n = 0;
	while (n < rest->len && !ascii_space(rest->ptr[n]) && rest->ptr[n] != ',' && rest->ptr[n] != ';')
		n++;
	*ret = str_sub(*rest, 0, n);
	*rest = str_sub(*rest, n, rest->len);
	return n > 0;
}

/* One item may hold several ids of one vulnerability ("CVE-2017-2887 TALOS-2017-0394"): with a CVE among them, that is
 * the id and the other the advisory. */
static void take_item(const struct secdb *db, struct str package, struct str fixed, struct str item)
{
	struct str word, cve[8], other = { 0 };
	size_t cves = 0;
	/* "CVE 2018-16859" was met. */
	if (str_skip(&item, STR("CVE ")))
		item = arena_printf(db->a, "CVE-%.*s", STR_ARG(item));
	while (next_word(&item, &word)) {
		struct str id = clean_id(word, db->a);
		if (feed_is_cve(id) && cves < COUNT_OF(cve))
			cve[cves++] = id;
		else if (other.len == 0 && is_id(word) && !str_starts(word, STR("CVE")))
			other = word;
	}
	bool never = str_eq(fixed, STR("0"));
	struct db_fact f = {
		.source = db->source,
		.range = never ? DB_RANGE_NONE : DB_RANGE_SPAN,
		.fixed = never ? STR("") : fixed,
		.status = never ? STATUS_NOT_AFFECTED : STATUS_AFFECTED,
		.advisory = cves ? other : (struct str){ 0 },
	};
	if (cves == 0 && other.len)
		cve[cves++] = other;
	if (cves == 0)
		db->sink->skipped++;
	for (size_t i = 0; i < cves; i++) {
		f.id = cve[i];
		db->sink->records++;
		db->sink->fact(db->sink->ctx, db->platform, package, &f);
	}
}

static void take_package(const struct secdb *db, const struct value *pkg)
{
	struct str name = value_str(value_get(pkg, "name"));
	const struct value *fixes = value_get(pkg, "secfixes");
	if (name.len == 0) {
		db->sink->skipped++;
		return;
	}
	db->sink->package(db->sink->ctx, db->platform, name);
	if (!value_is(fixes, VALUE_MAP))
		return;
	for (size_t i = 0; i < value_len(fixes); i++) {
		struct str fixed = fixes->map.pairs[i].key;
		const struct value *ids = fixes->map.pairs[i].value;
		/* "1.2.3-r0 (reason)" was met. */
		struct str rest = fixed, word;
		fixed = next_word(&rest, &word) ? word : fixed;
		if (!feed_version(fixed)) {
			db->sink->skipped++;
			continue;
		}
		for (size_t j = 0; j < value_len(ids); j++) {
			struct str item = value_str(value_at(ids, j));
			if (secdb_names_other(&db->names, ids, item))
				db->sink->left_out++;
			else
				take_item(db, name, fixed, item);
		}
	}
}

struct vendor {
	struct str url; /* in urlprefix */
	struct str platform;
	struct feed_words words;
};

static const struct vendor vendors[] = {
	{ STR_INIT("packages.wolfi.dev"),
	  STR_INIT("wolfi"),
	  { "wolfi", "Apache-2.0", "Wolfi advisories, Chainguard, Inc.", "complete: fixed states only" } },
	{ STR_INIT("packages.cgr.dev"),
	  STR_INIT("chainguard"),
	  { "chainguard", "none stated", "Chainguard security data", "complete: fixed states only" } },
	{ STR_INIT("packages.mini.dev"),
	  STR_INIT("minimos"),
	  { "minimos", "none stated", "MinimOS security data", "complete: fixed states only" } },
	{ STR_INIT("alpinelinux.org"),
	  { 0 },
	  { "alpine", "none stated", "Alpine Linux secdb", "complete: fixed states only" } },
};

/* Alpine: "v3.19" or "edge", in the document, else in the path. */
static struct str alpine_release(const struct value *root, const struct feed_doc *doc)
{
	struct str v = value_str(value_get(root, "distroversion"));
	if (v.len == 0) {
		struct str rest = doc->name, part;
		while (str_cut(&rest, '/', &part))
			if (str_eq(part, STR("edge")) ||
			    (part.len > 2 && part.ptr[0] == 'v' && ascii_digit(part.ptr[1])))
				v = part;
	}
	(void)str_skip(&v, STR("v"));
	return v.len && v.len < 16 && feed_version(v) ? arena_printf(doc->arena, "alpine:%.*s", STR_ARG(v))
						      : (struct str){ 0 };
}

static const struct value *parse(const struct feed_doc *doc)
{
	if (!str_ends(doc->name, STR(".yaml")) && !str_ends(doc->name, STR(".yml")))
		return feed_json(doc);
	struct value *docs;
	struct err err;
	return yaml_parse(doc->arena, doc->text, &docs, &err) == 0 ? value_at(docs, 0) : NULL;
}

static void take_doc(struct feed_input *in, const struct feed_doc *doc, struct feed_sink *sink)
{
	const struct value *root = parse(doc), *packages = value_get(root, "packages");
	struct str url = value_str(value_get(root, "urlprefix"));
	for (size_t i = 0; i < COUNT_OF(vendors) && value_is(root, VALUE_MAP); i++) {
		const struct vendor *v = &vendors[i];
		if (!str_contains(url, v->url))
			continue;
		struct secdb db = { .platform = v->platform, .sink = sink, .a = doc->arena };
		if (db.platform.len == 0)
			db.platform = alpine_release(root, doc);
		if (db.platform.len == 0)
			break;
		db.source = feed_source(in, sink, &v->words, FEED_NO_DATE);
		feed_platform(sink, db.platform, true, false, "", db.source);
		secdb_names_learn(doc->arena, packages, &db.names);
		for (size_t j = 0; j < value_len(packages); j++)
			take_package(&db, value_get(value_at(packages, j), "pkg"));
		return;
	}
	sink->skipped++;
}

static bool is_secdb(struct str name)
{
	return str_ends(name, STR(".json")) || str_ends(name, STR(".yaml")) || str_ends(name, STR(".yml"));
}

int import_secdb(struct feed_input *in, struct feed_sink *sink, struct err *err)
{
	struct feed_doc doc;
	int rc;
	while ((rc = feed_next(in, is_secdb, &doc, err)) > 0)
		take_doc(in, &doc, sink);
	return rc;
}
