/* The document that Grype's `-o json` writes (grype/presenter/models): matches, ignored matches with the rules that
 * ignored them, source, distro, descriptor. For what reads Grype's reports; a Grype document is of one target, so of several
 * targets the matches stand together and the source is the first. Keys that Grype leaves out where they are empty are
 * left out; lists that it always writes are written. Must never write what is hidden by a display filter, nor make up
 * what is not known: percentiles of EPSS, CPEs and dates of fixes are not. */
#include "base/base.h"
#include "base/json.h"
#include "policy/policy.h"
#include "report/formats.h"
#include "report/order.h"

struct ctx {
	struct json_writer w;
	struct arena *arena;
	const struct target *target;
};

static void put(struct json_writer *w, const char *key, struct str s)
{
	json_key(w, key);
	json_str(w, s);
}

static void put_empty_list(struct json_writer *w, const char *key)
{
	json_key(w, key);
	json_begin_list(w);
	json_end_list(w);
}

static const char *severity_of(const struct finding *f)
{
	static const char *const names[SEVERITY_COUNT] = { "Unknown", "Negligible", "Low", "Medium", "High", "Critical" };
	return names[f->severity];
}

/* The page of whoever the advisory is from. */
static struct str data_source(struct ctx *c, const struct finding *f)
{
	static const struct {
		const char *id, *page;
	} pages[] = {
		{ "debian", "https://security-tracker.debian.org/tracker/" },
		{ "ubuntu", "https://ubuntu.com/security/" },
		{ "rhel", "https://access.redhat.com/security/cve/" },
	};
	for (size_t i = 0; i < COUNT_OF(pages); i++)
		if (str_eq(c->target->os.id, str_from(pages[i].id)) && str_starts(f->id, STR("CVE-")))
			return arena_printf(c->arena, "%s%.*s", pages[i].page, STR_ARG(f->id));
	if (f->references.len)
		return f->references.ptr[0];
	if (str_starts(f->id, STR("CVE-")))
		return arena_printf(c->arena, "https://nvd.nist.gov/vuln/detail/%.*s", STR_ARG(f->id));
	return (struct str){ 0 };
}

/* Threat (EPSS, or exploitation that is known) times severity, of a hundred. */
static double risk_of(const struct finding *f)
{
	static const double of_word[SEVERITY_COUNT] = { 0.5, 0.05, 0.3, 0.5, 0.75, 0.9 };
	double severity = of_word[f->severity];
	if (f->cvss_score >= 0)
		severity = (severity + f->cvss_score / 10) / 2;
	double risk = (f->kev ? 1.05 : f->epss >= 0 ? f->epss : 0) * severity * 100;
	return risk > 100 ? 100 : risk;
}

static void put_cvss(struct ctx *c, const struct finding *f)
{
	struct json_writer *w = &c->w;
	struct str version = f->cvss_vector;
	json_key(w, "cvss");
	json_begin_list(w);
	if (f->cvss_score >= 0) {
		bool named = str_skip(&version, STR("CVSS:"));
		struct str head;
		(void)str_cut(&version, '/', &head);
		json_begin_map(w);
		json_key_str(w, "source", f->severity_source);
		put(w, "version", named ? head : STR("2.0"));
		put(w, "vector", f->cvss_vector);
		json_key(w, "metrics");
		json_begin_map(w);
		json_key(w, "baseScore");
		json_double(w, f->cvss_score, 1);
		json_end_map(w);
		json_key(w, "vendorMetadata");
		json_begin_map(w);
		json_end_map(w);
		json_end_map(w);
	}
	json_end_list(w);
}

static void put_exploitation(struct ctx *c, const struct finding *f)
{
	struct json_writer *w = &c->w;
	if (f->kev) {
		json_key(w, "knownExploited");
		json_begin_list(w);
		json_begin_map(w);
		put(w, "cve", f->id);
		put(w, "knownRansomwareCampaignUse", STR("Unknown"));
		json_end_map(w);
		json_end_list(w);
	}
	if (f->epss >= 0) {
		json_key(w, "epss");
		json_begin_list(w);
		json_begin_map(w);
		put(w, "cve", f->id);
		json_key(w, "epss");
		json_double(w, f->epss, 5);
		json_end_map(w);
		json_end_list(w);
	}
}

static void put_cwes(struct ctx *c, const struct finding *f)
{
	struct json_writer *w = &c->w;
	if (f->cwes.len == 0)
		return;
	json_key(w, "cwes");
	json_begin_list(w);
	for (size_t i = 0; i < f->cwes.len; i++) {
		json_begin_map(w);
		put(w, "cve", f->id);
		put(w, "cwe", f->cwes.ptr[i]);
		json_end_map(w);
	}
	json_end_list(w);
}

static void put_urls(struct json_writer *w, const struct finding *f)
{
	json_key(w, "urls");
	json_begin_list(w);
	for (size_t i = 0; i < f->references.len; i++)
		json_str(w, f->references.ptr[i]);
	json_end_list(w);
}

static void put_fix(struct json_writer *w, const struct finding *f)
{
	json_key(w, "fix");
	json_begin_map(w);
	json_key(w, "versions");
	json_begin_list(w);
	if (f->fixed_version.len)
		json_str(w, f->fixed_version);
	json_end_list(w);
	put(w, "state", str_from(policy_fix_state(f)));
	json_end_map(w);
}

static void put_vulnerability(struct ctx *c, const struct finding *f)
{
	struct json_writer *w = &c->w;
	json_key(w, "vulnerability");
	json_begin_map(w);
	put(w, "id", f->id);
	put(w, "dataSource", data_source(c, f));
	json_key_str(w, "namespace", policy_grype_namespace(c->arena, &c->target->os));
	put(w, "severity", str_from(severity_of(f)));
	put_urls(w, f);
	json_key_str(w, "description", f->title);
	put_cvss(c, f);
	put_exploitation(c, f);
	put_cwes(c, f);
	put_fix(w, f);
	put_empty_list(w, "advisories");
	json_key(w, "risk");
	json_double(w, risk_of(f), 4);
	json_end_map(w);
}

/* The same id in another name, as Grype has it: the vendor's record by the name of the CVE, NVD's beside it. */
static void put_related(struct ctx *c, const struct finding *f)
{
	struct json_writer *w = &c->w;
	json_key(w, "relatedVulnerabilities");
	json_begin_list(w);
	for (size_t i = 0; i <= f->aliases.len; i++) {
		struct str id = i ? f->aliases.ptr[i - 1] : f->id;
		if (!str_starts(id, STR("CVE-")))
			continue;
		json_begin_map(w);
		put(w, "id", id);
		put(w, "dataSource", arena_printf(c->arena, "https://nvd.nist.gov/vuln/detail/%.*s", STR_ARG(id)));
		put(w, "namespace", STR("nvd:cpe"));
		put_empty_list(w, "urls");
		put_empty_list(w, "cvss");
		json_end_map(w);
	}
	json_end_list(w);
}

static void put_details(struct ctx *c, const struct finding *f, const struct package *p)
{
	struct json_writer *w = &c->w;
	const struct os *os = &c->target->os;
	bool direct = str_eq(p->name, p->source_name);
	json_key(w, "matchDetails");
	json_begin_list(w);
	json_begin_map(w);
	put(w, "type", direct ? STR("exact-direct-match") : STR("exact-indirect-match"));
	put(w, "matcher",
	    p->type == PACKAGE_RPM ? STR("rpm-matcher") : p->type == PACKAGE_APK ? STR("apk-matcher") : STR("dpkg-matcher"));
	json_key(w, "searchedBy");
	json_begin_map(w);
	json_key(w, "distro");
	json_begin_map(w);
	put(w, "type", os->id);
	put(w, "version", os->version);
	json_end_map(w);
	json_key(w, "package");
	json_begin_map(w);
	put(w, "name", p->source_name);
	put(w, "version", p->source_version);
	json_end_map(w);
	json_key_str(w, "namespace", policy_grype_namespace(c->arena, os));
	json_end_map(w);
	json_key(w, "found");
	json_begin_map(w);
	put(w, "vulnerabilityID", f->id);
	put(w, "versionConstraint",
	    f->fixed_version.len ? arena_printf(c->arena, "< %.*s", STR_ARG(f->fixed_version)) : STR("none (unknown)"));
	json_end_map(w);
	if (f->fixed_version.len) {
		json_key(w, "fix");
		json_begin_map(w);
		put(w, "suggestedVersion", f->fixed_version);
		json_end_map(w);
	}
	json_end_map(w);
	json_end_list(w);
}

static struct str artifact_id(struct arena *a, struct str purl, const struct package *p)
{
	return arena_printf(a, "%016llx",
	                    (unsigned long long)str_hash(arena_printf(a, "%.*s %.*s", STR_ARG(purl), STR_ARG(p->layer))));
}

static void put_artifact(struct ctx *c, const struct package *p)
{
	struct json_writer *w = &c->w;
	struct str purl = package_purl(c->arena, p, c->target->os.id, c->target->os.version);
	struct str path = arena_printf(c->arena, "/%.*s", STR_ARG(p->db_path));
	json_key(w, "artifact");
	json_begin_map(w);
	put(w, "id", artifact_id(c->arena, purl, p));
	put(w, "name", p->name);
	put(w, "version", p->version);
	put(w, "type", str_from(package_type_name(p->type)));
	json_key(w, "locations");
	json_begin_list(w);
	json_begin_map(w);
	put(w, "path", path);
	json_key_str(w, "layerID", p->layer);
	put(w, "accessPath", path);
	json_end_map(w);
	json_end_list(w);
	put(w, "language", (struct str){ 0 });
	put_empty_list(w, "licenses");
	put_empty_list(w, "cpes");
	put(w, "purl", purl);
	json_key(w, "upstreams");
	json_begin_list(w);
	if (!str_eq(p->name, p->source_name)) {
		json_begin_map(w);
		put(w, "name", p->source_name);
		json_key_str(w, "version", str_eq(p->version, p->source_version) ? (struct str){ 0 } : p->source_version);
		json_end_map(w);
	}
	json_end_list(w);
	json_end_map(w);
}

static void put_rules(struct ctx *c, const struct finding *f)
{
	struct json_writer *w = &c->w;
	json_key(w, "appliedIgnoreRules");
	json_begin_list(w);
	json_begin_map(w);
	put(w, "vulnerability", f->id);
	put(w, "reason",
	    arena_printf(c->arena, "%.*s%s%.*s", STR_ARG(f->suppressed.reason), f->suppressed.reason.len ? ", by " : "",
	                 STR_ARG(f->suppressed.by)));
	put(w, "namespace", (struct str){ 0 });
	json_end_map(w);
	json_end_list(w);
}

static void put_matches(struct ctx *c, const struct report *r, bool ignored)
{
	struct json_writer *w = &c->w;
	for (size_t i = 0; i < r->targets.len; i++) {
		struct arena *ARENA_AUTO a = arena_new();
		struct finding_refs refs = { 0 };
		c->arena = a;
		c->target = &r->targets.ptr[i];
		order_findings(a, c->target, &refs);
		for (size_t k = 0; k < refs.len; k++) {
			const struct finding *f = refs.ptr[k];
			if (!f->package || f->kind != FINDING_VULNERABILITY || finding_is_suppressed(f) != ignored)
				continue;
			json_begin_map(w);
			put_vulnerability(c, f);
			put_related(c, f);
			put_details(c, f, f->package);
			put_artifact(c, f->package);
			if (ignored)
				put_rules(c, f);
			json_end_map(w);
		}
	}
}

static void put_image(struct json_writer *w, const struct target *t)
{
	struct str os = t->platform, arch = t->platform;
	uint64_t size = 0;
	(void)str_cut(&arch, '/', &os);
	for (size_t i = 0; i < t->layers.len; i++)
		size += t->layers.ptr[i].size;
	json_begin_map(w);
	put(w, "userInput", t->name);
	put(w, "imageID", t->digest);
	put(w, "manifestDigest", t->digest);
	put(w, "mediaType", (struct str){ 0 });
	put_empty_list(w, "tags");
	json_key(w, "imageSize");
	json_int(w, (int64_t)size);
	json_key(w, "layers");
	json_begin_list(w);
	for (size_t i = 0; i < t->layers.len; i++) {
		json_begin_map(w);
		put(w, "mediaType", (struct str){ 0 });
		put(w, "digest", t->layers.ptr[i].diff_id);
		json_key(w, "size");
		json_int(w, (int64_t)t->layers.ptr[i].size);
		json_end_map(w);
	}
	json_end_list(w);
	put_empty_list(w, "repoDigests");
	put(w, "architecture", arch);
	put(w, "os", os);
	json_end_map(w);
}

static void put_source(struct json_writer *w, const struct target *t)
{
	json_key(w, "source");
	if (!t) {
		json_null(w);
		return;
	}
	json_begin_map(w);
	put(w, "type", t->kind == TARGET_IMAGE ? STR("image") : STR("directory"));
	json_key(w, "target");
	if (t->kind == TARGET_IMAGE)
		put_image(w, t);
	else
		json_str(w, t->name);
	json_end_map(w);
}

static void put_distro(struct json_writer *w, const struct target *t)
{
	json_key(w, "distro");
	json_begin_map(w);
	put(w, "name", t ? t->os.id : (struct str){ 0 });
	put(w, "version", t ? t->os.version : (struct str){ 0 });
	json_key(w, "idLike");
	json_begin_list(w);
	for (struct str rest = t ? t->os.id_like : (struct str){ 0 }, word; str_cut(&rest, ' ', &word);)
		if (word.len)
			json_str(w, word);
	json_end_list(w);
	json_end_map(w);
}

static void put_descriptor(struct json_writer *w, const struct report *r)
{
	json_key(w, "descriptor");
	json_begin_map(w);
	put(w, "name", STR("plimsoll"));
	put(w, "version", r->tool_version);
	json_key(w, "db");
	json_begin_map(w);
	json_key(w, "status");
	json_begin_map(w);
	put(w, "path", r->database.path);
	put(w, "built", r->database.built);
	json_key(w, "valid");
	json_bool(w, r->database.present);
	json_end_map(w);
	json_end_map(w);
	put(w, "timestamp", r->started);
	json_end_map(w);
}

int report_grype_json_write(const struct report *r, const struct report_options *o, FILE *out, struct err *err)
{
	struct ctx c = { 0 };
	const struct target *t = r->targets.len ? &r->targets.ptr[0] : NULL;
	(void)o;
	json_writer_init(&c.w, out, 1);
	json_begin_map(&c.w);
	json_key(&c.w, "matches");
	json_begin_list(&c.w);
	put_matches(&c, r, false);
	json_end_list(&c.w);
	if (r->summary.suppressed) {
		json_key(&c.w, "ignoredMatches");
		json_begin_list(&c.w);
		put_matches(&c, r, true);
		json_end_list(&c.w);
	}
	put_source(&c.w, t);
	put_distro(&c.w, t);
	put_descriptor(&c.w, r);
	json_end_map(&c.w);
	fputc('\n', out);
	return report_written(out, "grype-json", err);
}
