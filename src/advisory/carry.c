/* From an old advisory file into a builder: see carry.h. Reads through the reader alone and invents nothing: a platform
 * is carried where a source that is carried has facts in it, or where nobody is known to have any. */
#include "advisory/carry.h"

#include "base/base.h"

struct carrying {
	const struct db *old;
	const enum carry *want;
	uint32_t count;
	uint32_t *number; /* of an old source in the builder */
	struct db_builder *b;
	size_t packages_before; /* that the builder knew */
};

static void carry_sources(struct carrying *c)
{
	struct db_source s;
	for (uint32_t i = 0; db_source(c->old, i, &s); i++) {
		if (!c->want[i])
			continue;
		c->number[i] = db_builder_source(c->b, &s);
		struct build_source *to = &c->b->sources.ptr[c->number[i]];
		if (c->want[i] == CARRY_ALL)
			to->updated = s.updated;
		/* An id that a rating alone came from is not in the file under its source's name, so the count is kept. */
		to->advisories_min = s.advisories;
	}
}

/* The first carried source that speaks of the platform in facts; UINT32_MAX: none does. *ret_any: does anybody? */
static uint32_t platform_voice(const struct carrying *c, const struct db_platform *p, bool *said, bool *ret_any)
{
	uint32_t first = UINT32_MAX;
	struct str name;
	struct db_iter it;
	struct db_fact f;
	*ret_any = false;
	memset(said, 0, c->count * sizeof(*said));
	for (uint64_t i = 0; db_package_at(c->old, p, i, &name, &it); i++) {
		while (db_next(&it, &f)) {
			if (f.source >= c->count)
				continue;
			*ret_any = true;
			said[f.source] = true;
		}
	}
	for (uint32_t i = c->count; i-- > 0;)
		if (said[i] && c->want[i])
			first = i;
	return first;
}

static bool is_declared(const struct db_builder *b, struct str platform)
{
	for (size_t i = 0; i < b->platforms.len; i++)
		if (str_eq(b->strings.ptr[b->platforms.ptr[i].name], platform))
			return true;
	return false;
}

static bool is_known(const struct carrying *c, struct str platform, struct str package)
{
	uint32_t p = builder_string(c->b, platform), n = builder_string(c->b, package);
	if (p == UINT32_MAX || n == UINT32_MAX)
		return true;
	return builder_package(c->b, p, n) < c->packages_before;
}

static void carry_packages(struct carrying *c, const struct db_platform *p)
{
	struct str name;
	struct db_iter it;
	struct db_fact f;
	for (uint64_t i = 0; db_package_at(c->old, p, i, &name, &it); i++) {
		if (it.left == 0)
			db_builder_package(c->b, p->name, name);
		while (db_next(&it, &f)) {
			if (f.source >= c->count || !c->want[f.source])
				continue;
			if (c->want[f.source] == CARRY_REST && is_known(c, p->name, name))
				continue;
			f.source = c->number[f.source];
			db_builder_fact(c->b, p->name, name, &f);
		}
	}
}

static void carry_platform(struct carrying *c, const struct db_platform *p, bool *said)
{
	bool any;
	uint32_t voice = platform_voice(c, p, said, &any);
	if (voice == UINT32_MAX && (any || is_declared(c->b, p->name)))
		return;
	db_builder_platform(c->b, p, UINT32_MAX);
	for (uint32_t i = 0; i < c->count; i++)
		if (said[i] && c->want[i])
			db_builder_platform(c->b, p, c->number[i]);
	/* Its date may be that of a source which has no fact in it. */
	for (size_t i = 0; i < c->b->platforms.len; i++)
		if (str_eq(c->b->strings.ptr[c->b->platforms.ptr[i].name], p->name))
			c->b->platforms.ptr[i].updated_min = p->updated;
	carry_packages(c, p);
}

/* --- vulnerabilities --- */

/* The sources that speak of vulnerabilities apart from packages. */
struct speakers {
	bool kev, epss, cve, nvd;
	uint32_t kev_number, epss_number, cve_number, nvd_number;
};

static bool speaker(const struct carrying *c, struct str name, uint32_t *ret)
{
	struct db_source s;
	for (uint32_t i = 0; db_source(c->old, i, &s); i++) {
		if (str_eq(s.name, name) && c->want[i]) {
			*ret = c->number[i];
			return true;
		}
	}
	return false;
}

static struct db_vuln nothing_known(void) { return (struct db_vuln){ .cvss_score = -1, .epss = -1 }; }

/* NVD's feed repeats what the CNA said; an ADP stands in CVE records alone. */
static bool rated_by_carried(const struct speakers *s, struct str who)
{
	if (str_eq(who, STR("nvd")))
		return s->nvd;
	return s->cve || (str_eq(who, STR("cna")) && s->nvd);
}

static void carry_vuln(const struct carrying *c, const struct speakers *s, struct str id, const struct db_vuln *v)
{
	struct db_vuln part = nothing_known();
	if (s->kev && v->kev) {
		part.kev = true;
		part.kev_added = v->kev_added;
		db_builder_vuln(c->b, s->kev_number, id, &part);
	}
	if (s->epss && v->epss >= 0) {
		part = nothing_known();
		part.epss = v->epss;
		db_builder_vuln(c->b, s->epss_number, id, &part);
	}
	if (!s->cve && !s->nvd)
		return;
	bool known = v->severity != SEVERITY_UNKNOWN || v->cvss_score >= 0 || v->cwe_count > 0 || v->published > 0;
	if (!known)
		return;
	part = *v;
	part.kev = false;
	part.kev_added = 0;
	part.epss = -1;
	if (v->severity_source.len && !rated_by_carried(s, v->severity_source)) {
		/* The one that rated speaks for itself; what is left may be the other's, and gives way to anybody's. */
		part.severity = SEVERITY_UNKNOWN;
		part.severity_source = (struct str){ 0 };
		part.cvss_score = -1;
		part.cvss_vector = (struct str){ 0 };
	}
	bool nvd = s->nvd && (!s->cve || str_eq(part.severity_source, STR("nvd")));
	db_builder_vuln(c->b, nvd ? s->nvd_number : s->cve_number, id, &part);
}

static void carry_vulns(const struct carrying *c)
{
	struct speakers s = { 0 };
	struct str id;
	struct db_vuln v;
	s.kev = speaker(c, STR("cisa-kev"), &s.kev_number);
	s.epss = speaker(c, STR("epss"), &s.epss_number);
	s.cve = speaker(c, STR("cve"), &s.cve_number);
	s.nvd = speaker(c, STR("nvd"), &s.nvd_number);
	for (uint64_t i = 0; db_vuln_at(c->old, i, &id, &v); i++)
		carry_vuln(c, &s, id, &v);
}

int db_carry(const struct db *old, const enum carry *want, struct db_builder *b, struct err *err)
{
	struct arena *a ARENA_AUTO = arena_new();
	struct db_info info;
	struct db_platform p;
	db_info(old, &info);
	struct carrying c = { .old = old, .want = want, .count = (uint32_t)info.source_count, .b = b };
	c.packages_before = b->packages.len;
	c.number = arena_array(a, c.count, sizeof(*c.number));
	bool *said = arena_array(a, c.count, sizeof(*said));
	carry_sources(&c);
	for (uint32_t i = 0; db_platform_at(old, i, &p); i++)
		carry_platform(&c, &p, said);
	carry_vulns(&c);
	return db_broken(old) ? err_set(err, ERR_FORMAT, "the old database is damaged") : 0;
}
