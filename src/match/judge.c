/* The comparison at the heart: does a range hold for a version, and what do several ranges say together. A package is
 * affected if any range that is meant for it holds and no source says that it is not affected. Pure: no allocation, no
 * text is made here, and no version is ever repaired before it is compared. */
#include "match/judge.h"

#include "base/base.h"

#define MODULE_MARK STR(".module")

struct str judge_stream(struct str label)
{
	ptrdiff_t first = str_find(label, ':');
	if (first < 0)
		return (struct str){ 0 };
	ptrdiff_t second = str_find(str_sub(label, (size_t)first + 1, label.len), ':');
	return second < 0 ? label : str_sub(label, 0, (size_t)first + 1 + (size_t)second);
}

/* Of some module, but of which stream of it the feed does not say. */
static bool stream_not_named(const struct db_fact *f)
{
	return str_eq(f->module, STR("*")) || (f->module.len == 0 && str_contains(f->fixed, MODULE_MARK));
}

static bool arch_fits(struct str fact, struct str package)
{
	return fact.len == 0 || package.len == 0 || str_eq(fact, package) || str_eq(fact, STR("noarch")) ||
	       str_eq(package, STR("noarch"));
}

/* The same package comes out of several streams of a module, and out of no module, each with versions of its own:
 * only the advisories of its own stream are about it. */
static bool stream_fits(const struct judge *j, const struct db_fact *f)
{
	if (!j->modules)
		return true;
	return !stream_not_named(f) && str_eq(f->module, j->stream);
}

/* "0" is how OSV writes "from the beginning". */
static bool from_start(struct str introduced)
{
	return introduced.len == 0 || str_eq(introduced, STR("0"));
}

static bool range_holds(const struct judge *j, const struct db_fact *f)
{
	int (*compare)(struct str, struct str) = j->scheme->compare;
	switch (f->range) {
	case DB_RANGE_EXACT:
		return compare(j->version, f->introduced) == 0;
	case DB_RANGE_NONE:
		return f->status == STATUS_NOT_AFFECTED;
	case DB_RANGE_SPAN:
		break;
	}
	if (!from_start(f->introduced) && compare(j->version, f->introduced) < 0)
		return false;
	if (f->fixed.len && compare(j->version, f->fixed) >= 0)
		return false;
	return f->last.len == 0 || compare(j->version, f->last) <= 0;
}

/* One advisory often lists builds of one and the same source release for several minor releases of the distribution
 * (.module_el8.4.0+.., .module_el8.5.0+..): each has the fix, so the lowest is where it starts. */
static bool is_rebuild(const struct judge *j, const struct db_fact *facts, size_t count, const struct db_fact *f)
{
	ptrdiff_t mark = j->modules ? str_find_str(f->fixed, MODULE_MARK) : -1;
	if (mark < 0 || f->advisory.len == 0 || count > FACTS_COMPARED_MAX)
		return false;
	struct str release = str_sub(f->fixed, 0, (size_t)mark);
	for (size_t i = 0; i < count; i++) {
		const struct db_fact *other = &facts[i];
		struct str rest = other->fixed;
		if (other != f && str_eq(other->advisory, f->advisory) && str_eq(other->module, f->module) &&
		    arch_fits(other->arch, j->arch) && str_skip(&rest, release) && str_starts(rest, MODULE_MARK) &&
		    j->scheme->compare(other->fixed, f->fixed) < 0)
			return true;
	}
	return false;
}

/* Where nobody knows a fix the most telling word counts. */
static int status_weight(enum fix_status s)
{
	switch (s) {
	case STATUS_END_OF_LIFE:
		return 4;
	case STATUS_WILL_NOT_FIX:
		return 3;
	case STATUS_FIX_DEFERRED:
		return 2;
	case STATUS_UNDER_INVESTIGATION:
		return 1;
	default:
		return 0;
	}
}

/* A source that also says "affected, no end to it" takes back the fix that it names elsewhere. */
static bool open_ended(const struct db_fact *f)
{
	return f->range == DB_RANGE_SPAN && f->fixed.len == 0 && f->last.len == 0;
}

static void take(const struct judge *j, struct verdict *v, const struct db_fact *f)
{
	if (f->severity > v->severity) {
		v->severity = f->severity;
		v->severity_by = f;
	}
	enum fix_status status = f->status == STATUS_NONE ? STATUS_AFFECTED : f->status;
	bool first = !v->affected;
	v->affected = true;
	bool fix = f->range == DB_RANGE_SPAN && f->fixed.len && !f->unreleased;
	if (fix && (v->fixed.len == 0 || j->scheme->compare(f->fixed, v->fixed) > 0)) {
		v->fixed = f->fixed;
		v->by = f;
		v->status = STATUS_AFFECTED;
	} else if (first || (v->fixed.len == 0 && status_weight(status) > status_weight(v->status))) {
		v->by = f;
		v->status = status;
	}
}

/* Sources whose fixes do not count, as a mask of the first 64: more than that never speak of one platform. */
static uint64_t open_sources(const struct judge *j, const struct db_fact *facts, size_t count)
{
	uint64_t mask = 0;
	for (size_t i = 0; i < count; i++)
		if (open_ended(&facts[i]) && facts[i].source < 64 && arch_fits(facts[i].arch, j->arch) &&
		    stream_fits(j, &facts[i]) && range_holds(j, &facts[i]))
			mask |= (uint64_t)1 << facts[i].source;
	return mask;
}

struct verdict judge_facts(const struct judge *j, const struct db_fact *facts, size_t count)
{
	struct verdict v = { 0 };
	uint64_t open = open_sources(j, facts, count);
	for (size_t i = 0; i < count; i++) {
		const struct db_fact *f = &facts[i];
		if (!arch_fits(f->arch, j->arch))
			continue;
		if (!range_holds(j, f) || is_rebuild(j, facts, count, f))
			continue;
		if (!stream_fits(j, f)) {
			v.stream_not_named |= j->stream.len && stream_not_named(f);
			continue;
		}
		if (f->status == STATUS_NOT_AFFECTED) {
			v.excused = true;
			continue;
		}
		if (f->source < 64 && (open >> f->source & 1) && !open_ended(f))
			continue;
		take(j, &v, f);
	}
	if (v.excused)
		v.affected = false;
	return v;
}
