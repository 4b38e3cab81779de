/* From a target's packages to its findings: finds the distribution's rule and the release's platform in the advisory
 * file, asks it for each package, and writes down what could not be asked. Packages are walked in the reports' order,
 * so findings do not depend on the order in which a database listed them. Never reads a file, never drops a package
 * without an entry in not_assessed. */
#include "match/match.h"

#include "base/base.h"
#include "match/distro.h"
#include "match/judge.h"
#include "match/support.h"
#include "match/words.h"
#include "version/versions.h"

/* Names that a line of not_assessed lists before it goes on with "and 12 more". */
#define NAMES_SHOWN 5

/* Packages that share a reason for not being assessed. */
struct group {
	struct str label;
	struct map names; /* subjects, each once */
	uint64_t packages;
};

struct group_list {
	struct group *ptr;
	size_t len, cap;
};

struct run {
	struct arena *a;
	const struct db *db;
	struct target *target;
	const struct distro *distro;
	const struct version_scheme *scheme;
	struct db_platform platform;
	bool complete;      /* for this target: a relative's data never is */
	bool vendors_known;
	struct map vulns;   /* id -> struct db_vuln *, NULL where nothing is known */
	struct map subjects; /* names that advisories can be asked for */
	struct group no_data, no_version, no_stream, over_budget;
	uint64_t facts_read;
	struct group_list foreign; /* by origin */
	struct group_list types;   /* by package type */
	struct err lookup_err;
	uint64_t lookups_failed;
	VEC(struct db_fact) facts; /* of one package and id; reused */
};

static void not_assessed(struct run *r, struct str what, struct str reason, uint64_t count, uint64_t of)
{
	*vec_push(r->a, &r->target->not_assessed) =
	        (struct not_assessed){ .what = what, .reason = reason, .count = count, .of = of };
}

static void group_add(struct run *r, struct group *g, struct str name)
{
	g->packages++;
	(void)map_put(r->a, &g->names, name, NULL);
}

static struct group *group_of(struct run *r, struct group_list *list, struct str label)
{
	for (size_t i = 0; i < list->len; i++)
		if (str_eq(list->ptr[i].label, label))
			return &list->ptr[i];
	struct group *g = vec_push(r->a, list);
	g->label = label;
	return g;
}

static int name_cmp(const void *a, const void *b)
{
	const struct map_entry *ea = a, *eb = b;
	return str_cmp(ea->key, eb->key);
}

/* "acl, bash, curl, dash, ed and 12 more" */
static struct str names_of(struct run *r, const struct map *names)
{
	struct map_entry *sorted = arena_array(r->a, names->len, sizeof(*sorted));
	if (names->len == 0)
		return STR("");
	memcpy(sorted, names->entries, names->len * sizeof(*sorted));
	qsort(sorted, names->len, sizeof(*sorted), name_cmp);
	struct str text = sorted[0].key;
	for (size_t i = 1; i < names->len && i < NAMES_SHOWN; i++)
		text = arena_printf(r->a, "%.*s, %.*s", STR_ARG(text), STR_ARG(sorted[i].key));
	if (names->len > NAMES_SHOWN)
		text = arena_printf(r->a, "%.*s and %zu more", STR_ARG(text), names->len - NAMES_SHOWN);
	return text;
}

static struct str source_name(const struct run *r, const struct db_fact *f)
{
	struct db_source s;
	return db_source(r->db, f->source, &s) ? s.name : STR("the advisory file");
}

static const struct db_vuln *vuln_of(struct run *r, struct str id)
{
	bool new;
	uint64_t *slot = map_put(r->a, &r->vulns, id, &new);
	if (new) {
		struct db_vuln *v = ARENA_NEW(r->a, struct db_vuln);
		*slot = (uint64_t)(uintptr_t)(db_vuln(r->db, id, v) ? v : NULL);
	}
	return (const struct db_vuln *)(uintptr_t)*slot;
}

static void add_once(struct arena *a, struct str_list *list, struct str s)
{
	for (size_t i = 0; i < list->len; i++)
		if (str_eq(list->ptr[i], s))
			return;
	*vec_push(a, list) = s;
}

/* The vendor's own word goes first: it has looked at its build, the others at the upstream code. */
static void rate(struct run *r, struct finding *f, const struct verdict *v)
{
	const struct db_vuln *known = vuln_of(r, f->id);
	f->cvss_score = f->epss = -1;
	if (v->severity != SEVERITY_UNKNOWN) {
		f->severity = v->severity;
		f->severity_source = r->distro->vendor;
	}
	if (!known)
		return;
	if (f->severity == SEVERITY_UNKNOWN && known->severity != SEVERITY_UNKNOWN) {
		f->severity = known->severity;
		f->severity_source = known->severity_source;
	}
	f->cvss_vector = known->cvss_vector;
	f->cvss_score = known->cvss_score;
	f->epss = known->epss;
	f->kev = known->kev;
	for (uint32_t i = 0; i < known->cwe_count && i < COUNT_OF(known->cwes); i++)
		*vec_push(r->a, &f->cwes) = arena_printf(r->a, "CWE-%u", known->cwes[i]);
}

static void add_finding(struct run *r, const struct package *p, struct distro_subject subject, const struct verdict *v)
{
	struct finding *f = vec_push(r->a, &r->target->findings);
	f->kind = FINDING_VULNERABILITY;
	f->id = v->by->id;
	f->package = p;
	f->fixed_version = v->fixed;
	f->status = v->status;
	f->source = source_name(r, v->by);
	f->location.path = p->db_path;
	f->location.layer = p->layer;
	rate(r, f, v);
	if (v->by->advisory.len && !str_eq(v->by->advisory, f->id))
		*vec_push(r->a, &f->aliases) = v->by->advisory;
	for (size_t i = 0; i < r->facts.len; i++)
		if (r->facts.ptr[i].advisory.len && !str_eq(r->facts.ptr[i].advisory, f->id) &&
		    str_eq(r->facts.ptr[i].fixed, v->fixed))
			add_once(r->a, &f->aliases, r->facts.ptr[i].advisory);
	struct words w = { r->distro, p, subject, r->platform.name, f->source, f->id, v };
	f->title = words_title(r->a, &w);
	f->evidence = words_evidence(r->a, &w);
	f->fix_text = words_fix(r->a, &w);
	words_references(r->a, &w, &f->aliases, &f->references);
}

static void judge_group(struct run *r, const struct judge *j, const struct package *p, struct distro_subject subject)
{
	if (r->facts.len == 0)
		return;
	struct verdict v = judge_facts(j, r->facts.ptr, r->facts.len);
	if (v.affected)
		add_finding(r, p, subject, &v);
	else if (v.stream_not_named && !v.excused)
		group_add(r, &r->no_stream, p->name);
	r->facts.len = 0;
}

static void match_facts(struct run *r, const struct package *p, struct distro_subject subject, struct db_iter *it)
{
	struct judge j = { .scheme = r->scheme, .version = subject.version, .arch = p->arch,
		           .stream = judge_stream(p->module), .modules = r->distro->modules };
	for (struct db_fact f; db_next(it, &f); r->facts_read++) {
		if (r->facts.len && !str_eq(r->facts.ptr[0].id, f.id))
			judge_group(r, &j, p, subject);
		*vec_push(r->a, &r->facts) = f;
	}
	judge_group(r, &j, p, subject);
}

static bool over_budget(const struct run *r)
{
	return r->facts_read > MATCH_FACTS_MAX || r->target->findings.len >= FINDINGS_MAX;
}

/* True if the advisories can be asked about the package; else it has been put where it belongs. */
static bool may_ask(struct run *r, const struct package *p, struct distro_subject subject)
{
	if (p->type != r->distro->type) {
		group_add(r, group_of(r, &r->types, str_from(package_type_name(p->type))), p->name);
		return false;
	}
	(void)map_put(r->a, &r->subjects, subject.name, NULL);
	struct str origin = distro_origin(r->distro, p, r->vendors_known);
	if (origin.len) {
		group_add(r, group_of(r, &r->foreign, origin), p->name);
		return false;
	}
	if (subject.version.len == 0) {
		group_add(r, &r->no_version, p->name);
		return false;
	}
	if (over_budget(r)) {
		group_add(r, &r->over_budget, p->name);
		return false;
	}
	return true;
}

static void match_package(struct run *r, const struct package *p)
{
	struct distro_subject subject = distro_subject(r->distro, p);
	bool ask = may_ask(r, p, subject);
	if (p->type != r->distro->type)
		return;
	struct db_iter it;
	struct err err = { 0 };
	int code = db_lookup(r->db, &r->platform, subject.name, &it, &err);
	if (code == ERR_NOT_FOUND) {
		if (!r->complete)
			group_add(r, &r->no_data, subject.name);
	} else if (code < 0) {
		r->lookup_err = err;
		r->lookups_failed++;
	} else if (ask) {
		match_facts(r, p, subject, &it);
	}
}

/* The same package said twice (status and status.d, an archive of the database) is one package. */
static bool same_package(const struct package *a, const struct package *b)
{
	struct package ca = *a, cb = *b;
	ca.db_path = cb.db_path = ca.layer = cb.layer = (struct str){ 0 };
	return package_cmp(&ca, &cb) == 0;
}

static int pointer_cmp(const void *a, const void *b)
{
	const struct package *const *pa = a, *const *pb = b;
	return package_cmp(*pa, *pb);
}

static void match_packages(struct run *r)
{
	const struct package_list *list = &r->target->packages;
	const struct package **sorted = arena_array(r->a, list->len, sizeof(*sorted));
	size_t count = 0;
	for (size_t i = 0; i < list->len; i++) {
		if (!distro_is_package(&list->ptr[i]))
			continue;
		sorted[count++] = &list->ptr[i];
		r->vendors_known |= list->ptr[i].vendor.len > 0;
	}
	if (count)
		qsort(sorted, count, sizeof(struct package *), pointer_cmp);
	for (size_t i = 0; i < count; i++)
		if (i == 0 || !same_package(sorted[i - 1], sorted[i]))
			match_package(r, sorted[i]);
}

static void say_no_data(struct run *r)
{
	const struct db_platform *p = &r->platform;
	if (r->no_data.names.len == 0)
		return;
	struct str unit = r->distro->by_source ? STR("source packages") : STR("packages");
	struct str coverage = p->coverage.len ? arena_printf(r->a, " (%.*s)", STR_ARG(p->coverage)) : STR("");
	not_assessed(r, unit,
	             arena_printf(r->a, "no data for %.*s%.*s: %.*s", STR_ARG(p->name), STR_ARG(coverage),
	                          STR_ARG(names_of(r, &r->no_data.names))),
	             r->no_data.names.len, r->subjects.len);
}

static void say_groups(struct run *r)
{
	uint64_t all = r->target->packages.len;
	struct str name = r->distro->name;
	for (size_t i = 0; i < r->foreign.len; i++) {
		struct group *g = &r->foreign.ptr[i];
		not_assessed(r, arena_printf(r->a, "packages of unknown origin (%.*s)", STR_ARG(g->label)),
		             arena_printf(r->a, "not built by %.*s, whose advisories do not speak of them: %.*s",
		                          STR_ARG(name), STR_ARG(names_of(r, &g->names))),
		             g->packages, all);
	}
	for (size_t i = 0; i < r->types.len; i++) {
		struct group *g = &r->types.ptr[i];
		not_assessed(r, arena_printf(r->a, "%.*s packages", STR_ARG(g->label)),
		             arena_printf(r->a, "%.*s's advisories speak of %s packages only: %.*s", STR_ARG(name),
		                          package_type_name(r->distro->type), STR_ARG(names_of(r, &g->names))),
		             g->packages, all);
	}
	if (r->no_version.packages)
		not_assessed(r, STR("packages without a version"), names_of(r, &r->no_version.names),
		             r->no_version.packages, all);
	if (r->over_budget.packages)
		not_assessed(r, STR("packages"),
		             arena_printf(r->a, "%s was reached before them: %.*s",
		                          r->target->findings.len >= FINDINGS_MAX ? "FINDINGS_MAX" : "MATCH_FACTS_MAX",
		                          STR_ARG(names_of(r, &r->over_budget.names))),
		             r->over_budget.packages, all);
	if (r->no_stream.packages)
		not_assessed(r, STR("advisories for packages of module streams"),
		             arena_printf(r->a, "the advisories for %.*s do not name the stream: %.*s",
		                          STR_ARG(r->platform.name), STR_ARG(names_of(r, &r->no_stream.names))),
		             r->no_stream.packages, 0);
}

static void say_database(struct run *r)
{
	if (r->lookups_failed)
		not_assessed(r, STR("packages"), arena_printf(r->a, "look-up in the advisory file: %s", r->lookup_err.text),
		             r->lookups_failed, r->target->packages.len);
	if (db_broken(r->db))
		not_assessed(r, STR("advisories"), STR("the advisory file is damaged: `plimsoll db verify` says where"), 0, 0);
	if (!r->platform.unfixed && r->complete)
		*vec_push(r->a, &r->target->notes) =
		        arena_printf(r->a, "%.*s: the data names vulnerabilities that have a fix, not open ones",
		                     STR_ARG(r->platform.name));
}

/* "12" of "debian:12": what a release is called once the ways of stating it are sorted out. */
static struct str release_of(const struct target *t, const struct distro_platforms *names)
{
	struct str rest = names->len ? names->name[0] : (struct str){ 0 }, id = { 0 };
	(void)str_cut(&rest, ':', &id);
	return rest.len ? rest : t->os.version;
}

static void find_support(struct target *t, const struct distro_platforms *names, int64_t now)
{
	struct str end;
	if (!support_end(t->os.id, release_of(t, names), t->os.name, &end))
		return;
	t->os_eol_date = end;
	t->os_eol = support_past(end, now);
}

static bool find_platform(struct run *r, const struct distro_platforms *names, struct err *err)
{
	for (size_t i = 0; i < names->len; i++) {
		int code = db_platform(r->db, names->name[i], &r->platform, err);
		if (code == 0) {
			r->complete = r->platform.complete && i < names->own;
			return true;
		}
		if (code != ERR_NOT_FOUND)
			return false;
	}
	return false;
}

static struct str os_text(struct arena *a, const struct target *t)
{
	if (t->os.version.len == 0)
		return t->os.name.len ? t->os.name : t->os.id;
	return arena_printf(a, "%.*s %.*s", STR_ARG(t->os.id), STR_ARG(t->os.version));
}

static uint64_t package_count(const struct target *t)
{
	uint64_t n = 0;
	for (size_t i = 0; i < t->packages.len; i++)
		n += distro_is_package(&t->packages.ptr[i]);
	return n;
}

/* Nothing can be said: one entry for all packages. */
static void nothing_asked(struct run *r, struct str reason)
{
	struct target *t = r->target;
	uint64_t n = package_count(t);
	struct str os = t->os.id.len ? os_text(r->a, t) : STR("an unknown distribution");
	if (t->os_eol)
		reason = arena_printf(r->a, "%.*s; its support ended on %.*s", STR_ARG(reason), STR_ARG(t->os_eol_date));
	if (n)
		not_assessed(r, arena_printf(r->a, "packages of %.*s", STR_ARG(os)), reason, n, n);
}

const struct version_scheme *match_scheme(const struct target *target)
{
	const struct distro *d = distro_find(&target->os);
	if (d)
		return version_scheme_find(d->scheme);
	if (target->packages.len == 0)
		return NULL;
	switch (target->packages.ptr[0].type) {
	case PACKAGE_DEB:
	case PACKAGE_OPKG:
		return version_scheme_find(STR("debian"));
	case PACKAGE_APK:
		return version_scheme_find(STR("alpine"));
	case PACKAGE_RPM:
		return version_scheme_find(STR("redhat"));
	}
	return NULL;
}

void match_target(struct arena *a, const struct db *db, int64_t now, struct target *t)
{
	struct run r = { .a = a, .db = db, .target = t, .distro = distro_find(&t->os) };
	struct distro_platforms names = { 0 };
	if (r.distro)
		r.distro->platforms(a, &t->os, &names);
	find_support(t, &names, now);
	if (!r.distro) {
		nothing_asked(&r, t->os.id.len ? STR("this version reads no advisories for this distribution")
		                               : STR("no file says which distribution this is"));
		return;
	}
	r.scheme = version_scheme_find(r.distro->scheme);
	struct err err = { 0 };
	if (!r.scheme || !find_platform(&r, &names, &err)) {
		struct str asked = names.len ? names.name[0] : STR("a release that it does not name");
		nothing_asked(&r, err.code && err.code != ERR_NOT_FOUND
		                          ? arena_printf(a, "advisory file: %s", err.text)
		                          : arena_printf(a, "the advisory file has no data for %.*s", STR_ARG(asked)));
		return;
	}
	t->os_supported = true;
	match_packages(&r);
	if (t->os_eol)
		not_assessed(&r, arena_printf(a, "vulnerabilities of %.*s found since", STR_ARG(r.platform.name)),
		             arena_printf(a, "its support ended on %.*s; the data ends on %.*s", STR_ARG(t->os_eol_date),
		                          STR_ARG(words_date(a, r.platform.updated))),
		             0, 0);
	say_no_data(&r);
	say_groups(&r);
	say_database(&r);
}
