/* OSV records (schema 1.0 to 1.8), from zip or tar of any ecosystem. Ranges SEMVER and ECOSYSTEM are taken, GIT left
 * out; versions[] is taken only where there is no such range (where there is one the list repeats what it covers).
 * Which vulnerability a record speaks of: its own id if that is a CVE, else the CVEs of `upstream` and `aliases`; for
 * distributions, where neither names one, those of `related`, which is where AlmaLinux and Rocky put them (in language
 * ecosystems `related` means what it says). A record without any stands under its own id. */
#include "advisory/feed/feed.h"

#include "base/base.h"
#include "base/map.h"

#define OSV_IDS_MAX 512u
/* Builds of one package in one record: real ones have three. */
#define OSV_BUILDS_MAX 64u

struct osv {
	struct feed_input *in;
	struct feed_sink *sink;
	struct map sources;   /* family -> number + 1 */
	struct map platforms; /* platform -> flags below */
	int64_t updated;
	bool derived; /* rebuilt from lists: says what the lists say, no more */
};

#define OSV_SEEN 1u
#define OSV_UNFIXED 2u
#define OSV_EVERY_CVE 4u /* Debian: records for CVEs without an advisory are there, too */
#define OSV_SOURCE_SHIFT 8u

/* What is known of the databases that are not asked for a licence elsewhere. */
static const struct {
	struct str family;
	struct feed_words words;
} sources[] = {
	{ STR_INIT("AlmaLinux"), { "almalinux", "MIT", "AlmaLinux OSV database", "complete: fixed states only" } },
	{ STR_INIT("Rocky Linux"), { "rocky", "none stated", "Rocky Linux errata", "complete: fixed states only" } },
	{ STR_INIT("Go"), { "go", "CC-BY-4.0", "Go Vulnerability Database", "records of this database" } },
	{ STR_INIT("PyPI"), { "pypi", "CC-BY-4.0", "PyPA Advisory Database", "records of this database" } },
	{ STR_INIT("crates.io"),
	  { "rustsec", "CC0-1.0", "RustSec Advisory Database",
	    "vulnerabilities; unmaintained, unsound and notice left out" } },
	{ STR_INIT("Bitnami"), { "bitnami", "Apache-2.0", "Bitnami Vulnerability Database", "complete" } },
	{ STR_INIT("Debian"), { "osv-debian", "none stated", "Debian security tracker, as OSV records", "" } },
	{ STR_INIT("Ubuntu"), { "osv-ubuntu", "none stated", "Ubuntu CVE tracker, as OSV records", "" } },
};

static struct str family_of(struct str ecosystem)
{
	ptrdiff_t colon = str_find(ecosystem, ':');
	return colon < 0 ? ecosystem : str_sub(ecosystem, 0, (size_t)colon);
}

static struct feed_words words_of(const struct osv *o, struct str family, struct arena *a)
{
	for (size_t i = 0; i < COUNT_OF(sources); i++) {
		if (str_eq(family, sources[i].family)) {
			struct feed_words w = sources[i].words;
			if (o->derived)
				w.coverage = "rebuilt from the distribution's lists";
			return w;
		}
	}
	return (struct feed_words){
		.name = arena_printf(a, "osv-%.*s", STR_ARG(str_lower(a, family))).ptr,
		.licence = "none stated",
		.attribution = arena_printf(a, "OSV records of %.*s", STR_ARG(family)).ptr,
		.coverage = "records of this database",
	};
}

static uint32_t source_of(struct osv *o, struct str ecosystem)
{
	struct str family = family_of(ecosystem);
	const uint64_t *old = map_get(&o->sources, family);
	if (old)
		return (uint32_t)*old;
	struct str key = str_dup(o->in->arena, family);
	struct feed_words w = words_of(o, key, o->in->arena);
	uint32_t source = feed_source(o->in, o->sink, &w, 0);
	*map_put(o->in->arena, &o->sources, key, NULL) = source;
	return source;
}

static uint64_t *platform_flags(struct osv *o, struct str platform, uint32_t source)
{
	uint64_t *old = map_get(&o->platforms, platform);
	if (old)
		return old;
	uint64_t *new = map_put(o->in->arena, &o->platforms, str_dup(o->in->arena, platform), NULL);
	*new = OSV_SEEN | (uint64_t)source << OSV_SOURCE_SHIFT;
	return new;
}

/* --- one record --- */

struct record {
	const struct value *root;
	struct arena *a;
	struct str id, summary;
	struct str ids[OSV_IDS_MAX];
	size_t id_count;
	enum severity severity;
	struct map builds; /* ecosystem and package -> index + 1 of the last that is affected */
	uint32_t *before;  /* the one before it, + 1 */
};

static void add_cves(struct record *r, const struct value *list)
{
	for (size_t i = 0; i < value_len(list); i++) {
		struct str s = value_str(value_at(list, i));
		bool known = !feed_is_cve(s);
		for (size_t j = 0; !known && j < r->id_count; j++)
			known = str_eq(s, r->ids[j]);
		if (!known && r->id_count < COUNT_OF(r->ids))
			r->ids[r->id_count++] = s;
	}
}

static void find_ids(struct record *r, bool distribution)
{
	r->id_count = 0;
	if (feed_is_cve(r->id)) {
		r->ids[r->id_count++] = r->id;
		return;
	}
	add_cves(r, value_get(r->root, "upstream"));
	add_cves(r, value_get(r->root, "aliases"));
	if (r->id_count == 0 && distribution)
		add_cves(r, value_get(r->root, "related"));
	if (r->id_count == 0)
		r->ids[r->id_count++] = r->id;
}

/* "Important: kernel security update" (AlmaLinux, Rocky), {"type": "Ubuntu", "score": "medium"}, or the word that
 * GitHub and others put into database_specific. */
static enum severity vendor_severity(const struct record *r)
{
	const struct value *list = value_get(r->root, "severity");
	for (size_t i = 0; i < value_len(list); i++)
		if (str_eq(value_str(value_get(value_at(list, i), "type")), STR("Ubuntu")))
			return feed_severity(value_str(value_get(value_at(list, i), "score")));
	enum severity s = feed_severity(value_str(value_get(value_get(r->root, "database_specific"), "severity")));
	ptrdiff_t colon = str_find(r->summary, ':');
	return s != SEVERITY_UNKNOWN || colon < 0 ? s : feed_severity(str_sub(r->summary, 0, (size_t)colon));
}

/* Errata for bugs and enhancements (ALBA, ALEA, RLBA, RLEA) that name no vulnerability are none. */
static bool is_plain_erratum(const struct record *r)
{
	bool kind =
	    r->id.len > 5 && r->id.ptr[4] == '-' && (r->id.ptr[2] == 'B' || r->id.ptr[2] == 'E') && r->id.ptr[3] == 'A';
	return kind && r->id_count == 1 && str_eq(r->ids[0], r->id);
}

/* --- one package of it --- */

struct target {
	struct osv *o;
	struct record *r;
	struct str platform, package;
	uint64_t *flags;
	struct db_fact fact;
	struct str module[2];
	size_t module_count;
};

static void emit(struct target *t, const struct db_fact *f)
{
	struct db_fact one = *f;
	for (size_t m = 0; m < t->module_count; m++) {
		one.module = t->module[m];
		for (size_t i = 0; i < t->r->id_count; i++) {
			one.id = t->r->ids[i];
			bool same = str_ends(t->r->id, one.id);
			one.advisory = same ? STR("") : t->r->id;
			t->o->sink->fact(t->o->sink->ctx, t->platform, t->package, &one);
		}
	}
}

static void emit_span(struct target *t, struct str from, struct str fixed, struct str last)
{
	struct db_fact f = t->fact;
	f.range = DB_RANGE_SPAN;
	f.introduced = str_eq(from, STR("0")) ? STR("") : from;
	f.fixed = fixed;
	f.last = last;
	if (fixed.len == 0)
		*t->flags |= OSV_UNFIXED;
	if ((f.introduced.len && !feed_version(f.introduced)) || (fixed.len && !feed_version(fixed)) ||
	    (last.len && !feed_version(last)))
		t->o->sink->skipped++;
	else
		emit(t, &f);
}

/* Events come in the order of versions, several pairs in a row; "fixed" of "0" was never affected. `limit` is for
 * commits alone. */
static void take_events(struct target *t, const struct value *events)
{
	struct str from = { 0 };
	bool open = false;
	for (size_t i = 0; i < value_len(events); i++) {
		const struct value *e = value_at(events, i);
		struct str introduced = value_str(value_get(e, "introduced")), fixed = value_str(value_get(e, "fixed"));
		struct str last = value_str(value_get(e, "last_affected"));
		if (introduced.len) {
			if (open)
				emit_span(t, from, (struct str){ 0 }, (struct str){ 0 });
			from = introduced;
			open = true;
		}
		if (fixed.len && open && !str_eq(fixed, STR("0")))
			emit_span(t, from, fixed, (struct str){ 0 });
		if (last.len && open)
			emit_span(t, from, (struct str){ 0 }, last);
		open &= fixed.len == 0 && last.len == 0;
	}
	if (open)
		emit_span(t, from, (struct str){ 0 }, (struct str){ 0 });
}

static bool has_bounds(const struct value *range)
{
	struct str type = value_str(value_get(range, "type"));
	return !str_eq(type, STR("GIT")) && value_len(value_get(range, "events")) > 0;
}

static void take_versions(struct target *t, const struct value *versions)
{
	struct db_fact f = t->fact;
	f.range = DB_RANGE_EXACT;
	for (size_t i = 0; i < value_len(versions); i++) {
		f.introduced = value_str(value_at(versions, i));
		if (feed_version(f.introduced))
			emit(t, &f);
		else
			t->o->sink->skipped++;
	}
	*t->flags |= OSV_UNFIXED;
}

static struct str fixed_alone(const struct value *affected)
{
	const struct value *ranges = value_get(affected, "ranges"), *e = value_get(value_at(ranges, 0), "events");
	bool plain = value_len(ranges) == 1 && value_len(e) == 2;
	return plain ? value_str(value_get(value_at(e, 1), "fixed")) : (struct str){ 0 };
}

/* "2.git2d0b8a3.module_el8.5.0+119+9a9ec082" -> what stands before the build's own mark */
static struct str before_module(struct str version)
{
	ptrdiff_t at = str_find_str(version, STR(".module"));
	return at < 0 ? version : str_sub(version, 0, (size_t)at);
}

static struct str build_key(const struct value *affected, struct arena *a)
{
	const struct value *p = value_get(affected, "package");
	return arena_printf(a, "%.*s\n%.*s", STR_ARG(value_str(value_get(p, "ecosystem"))),
			    STR_ARG(value_str(value_get(p, "name"))));
}

static void index_builds(struct record *r, const struct value *affected)
{
	size_t n = value_len(affected);
	r->before = arena_array(r->a, n, sizeof(*r->before));
	for (size_t i = 0; i < n; i++) {
		uint64_t *last = map_put(r->a, &r->builds, build_key(value_at(affected, i), r->a), NULL);
		r->before[i] = (uint32_t)*last;
		*last = i + 1;
	}
}

/* One advisory often lists several builds of one package (of each minor release, or with a rebuild's suffix). Whoever
 * has any of them has the fix, so of those that differ at their end alone the lowest counts. */
static bool another_build_is_lower(const struct record *r, const struct value *affected, size_t index)
{
	struct str mine = fixed_alone(value_at(affected, index));
	const uint64_t *last = map_get(&r->builds, build_key(value_at(affected, index), r->a));
	size_t seen = 0;
	for (uint64_t i = last ? *last : 0; mine.len && i != 0 && seen++ < OSV_BUILDS_MAX; i = r->before[i - 1]) {
		struct str other = fixed_alone(value_at(affected, (size_t)i - 1));
		if (i - 1 == index || other.len == 0)
			continue;
		bool modules = str_eq(before_module(mine), before_module(other)) && str_cmp(other, mine) < 0;
		if (modules || (str_starts(mine, other) && mine.len > other.len) ||
		    (str_eq(mine, other) && i - 1 < index))
			return true;
	}
	return false;
}

/* "Moderate: python39:3.9 and python39-devel:3.9 security update": the streams, where the build is a module's. */
static void find_modules(struct target *t, const struct value *affected)
{
	t->module_count = 1;
	t->module[0] = (struct str){ 0 };
	if (!str_contains(fixed_alone(affected), STR(".module")))
		return;
	struct str rest = t->r->summary, word;
	t->module_count = 0;
	while (str_cut(&rest, ' ', &word)) {
		(void)str_drop(&word, STR(","));
		/* "httpd:2.4/mod_http2" names the package, too; "ALSA-2022:5468:" is no stream. */
		ptrdiff_t colon = str_find(word, ':'), slash = str_find(word, '/');
		word = slash > colon ? str_sub(word, 0, (size_t)slash) : word;
		if (colon > 0 && (size_t)colon + 1 < word.len && !str_ends(word, STR(":")) &&
		    t->module_count < COUNT_OF(t->module))
			t->module[t->module_count++] = word;
	}
	if (t->module_count == 0)
		t->module[t->module_count++] = STR("*");
}

static struct str package_name(struct str ecosystem, struct str name, struct arena *a)
{
	if (!str_eq(ecosystem, STR("PyPI")))
		return name;
	/* PEP 503: lower case, runs of - _ . are one dash. */
	char *out = arena_alloc(a, name.len);
	size_t n = 0;
	for (size_t i = 0; i < name.len; i++) {
		char c = ascii_tolower(name.ptr[i]);
		bool dash = c == '-' || c == '_' || c == '.';
		if (!dash || n == 0 || out[n - 1] != '-')
			out[n++] = dash ? '-' : c;
	}
	return (struct str){ out, n };
}

/* RustSec's notices of crates that are unmaintained or unsound are no vulnerabilities. */
static bool is_informational(const struct value *affected)
{
	return value_str(value_get(value_get(affected, "database_specific"), "informational")).len > 0;
}

static void take_ranges(struct target *t, const struct value *affected)
{
	const struct value *ranges = value_get(affected, "ranges"), *versions = value_get(affected, "versions");
	bool bounds = false;
	for (size_t i = 0; i < value_len(ranges); i++) {
		if (has_bounds(value_at(ranges, i))) {
			take_events(t, value_get(value_at(ranges, i), "events"));
			bounds = true;
		}
	}
	if (!bounds)
		take_versions(t, versions);
}

static void take_affected(struct osv *o, struct record *r, const struct value *list, size_t index)
{
	const struct value *affected = value_at(list, index), *package = value_get(affected, "package");
	struct str ecosystem = value_str(value_get(package, "ecosystem"));
	struct str name = value_str(value_get(package, "name"));
	struct str platform = feed_osv_platform(ecosystem, r->a);
	if (platform.len == 0 || name.len == 0 || is_informational(affected)) {
		o->sink->left_out++;
		return;
	}
	bool distribution = !str_eq(platform, ecosystem);
	find_ids(r, distribution);
	if (is_plain_erratum(r) || (distribution && another_build_is_lower(r, list, index))) {
		o->sink->left_out++;
		return;
	}
	uint32_t source = source_of(o, ecosystem);
	struct target t = {
		.o = o,
		.r = r,
		.platform = platform,
		.package = package_name(ecosystem, name, r->a),
		.flags = platform_flags(o, platform, source),
		.fact = { .source = source, .status = STATUS_AFFECTED, .severity = r->severity },
	};
	if (str_starts(r->id, STR("DEBIAN-CVE-")))
		*t.flags |= OSV_EVERY_CVE;
	find_modules(&t, affected);
	take_ranges(&t, affected);
}

static void take_record(struct osv *o, const struct value *root, struct arena *a)
{
	struct record r = {
		.root = root,
		.a = a,
		.id = value_str(value_get(root, "id")),
		.summary = value_str(value_get(root, "summary")),
	};
	const struct value *affected = value_get(root, "affected");
	if (r.id.len == 0 || r.id.len > 128) {
		o->sink->skipped++;
		return;
	}
	o->sink->records++;
	int64_t modified = feed_date(value_str(value_get(root, "modified")));
	o->updated = modified > o->updated ? modified : o->updated;
	if (value_str(value_get(root, "withdrawn")).len > 0) {
		o->sink->left_out++;
		return;
	}
	r.severity = vendor_severity(&r);
	index_builds(&r, affected);
	for (size_t i = 0; i < value_len(affected); i++)
		take_affected(o, &r, affected, i);
}

/* A distribution's platform is complete but for Debian's where only DSA and DLA are there. */
static void declare_platforms(struct osv *o)
{
	for (size_t i = 0; i < o->platforms.len; i++) {
		struct str name = o->platforms.entries[i].key;
		uint64_t flags = o->platforms.entries[i].value;
		bool debian = str_starts(name, STR("debian:"));
		bool complete = !debian || (flags & OSV_EVERY_CVE);
		feed_platform(o->sink, name, complete, (flags & OSV_UNFIXED) != 0,
			      complete ? "" : "partial: what DSA and DLA fixed, no unfixed vulnerabilities",
			      (uint32_t)(flags >> OSV_SOURCE_SHIFT));
	}
}

static bool is_json(struct str name) { return str_ends(name, STR(".json")); }

int import_osv(struct feed_input *in, struct feed_sink *sink, struct err *err)
{
	struct osv o = { .in = in, .sink = sink, .derived = str_contains(in->path, STR("osv-derived")) };
	struct feed_doc doc;
	int rc;
	while ((rc = feed_next(in, is_json, &doc, err)) > 0) {
		const struct value *root = feed_json(&doc);
		if (value_is(root, VALUE_LIST))
			for (size_t i = 0; i < value_len(root); i++)
				take_record(&o, value_at(root, i), doc.arena);
		else
			take_record(&o, root, doc.arena);
	}
	declare_platforms(&o);
	for (size_t i = 0; i < o.sources.len; i++) {
		struct feed_words w = words_of(&o, o.sources.entries[i].key, in->arena);
		(void)feed_source(in, sink, &w, o.updated ? o.updated : FEED_NO_DATE);
	}
	return rc;
}
