/* Orders of findings and packages: see order.h. Never changes what it orders. */
#include "report/order.h"

#include "base/base.h"

bool finding_is_suppressed(const struct finding *f) { return f->suppressed.by.len > 0; }

bool finding_is_shown(const struct finding *f) { return !f->hidden && !finding_is_suppressed(f); }

int severity_weight(enum severity s)
{
	static const int weights[SEVERITY_COUNT] = {
		[SEVERITY_CRITICAL] = 6, [SEVERITY_HIGH] = 5, [SEVERITY_UNKNOWN] = 4,
		[SEVERITY_MEDIUM] = 3,   [SEVERITY_LOW] = 2,  [SEVERITY_INFO] = 1,
	};
	return (unsigned)s < SEVERITY_COUNT ? weights[s] : 4;
}

int finding_urgency_cmp(const struct finding *a, const struct finding *b)
{
	bool used_a = a->package && a->package->use == USE_YES, used_b = b->package && b->package->use == USE_YES;
	if (a->kev != b->kev)
		return a->kev ? -1 : 1;
	if (used_a != used_b)
		return used_a ? -1 : 1;
	int wa = severity_weight(a->severity), wb = severity_weight(b->severity);
	if (wa != wb)
		return wb - wa;
	if (a->epss > b->epss || a->epss < b->epss)
		return a->epss > b->epss ? -1 : 1;
	return (b->fixed_version.len > 0) - (a->fixed_version.len > 0);
}

static int package_or_none_cmp(const struct package *a, const struct package *b)
{
	if (!a || !b)
		return (a != NULL) - (b != NULL);
	return a == b ? 0 : package_cmp(a, b);
}

static int number_cmp(uint32_t a, uint32_t b) { return (a > b) - (a < b); }

int finding_identity_cmp(const struct finding *a, const struct finding *b)
{
	const int steps[] = {
		package_or_none_cmp(a->package, b->package),
		str_cmp(a->id, b->id),
		(int)a->kind - (int)b->kind,
		str_cmp(a->location.path, b->location.path),
		number_cmp(a->location.line, b->location.line),
		number_cmp(a->location.column, b->location.column),
		str_cmp(a->subject, b->subject),
		str_cmp(a->fixed_version, b->fixed_version),
		str_cmp(a->evidence, b->evidence),
	};
	for (size_t i = 0; i < COUNT_OF(steps); i++)
		if (steps[i] != 0)
			return steps[i];
	return 0;
}

static int refs_cmp(const void *a, const void *b)
{
	return finding_identity_cmp(*(const struct finding *const *)a, *(const struct finding *const *)b);
}

void order_findings(struct arena *a, const struct target *t, struct finding_refs *ret)
{
	*ret = (struct finding_refs){ 0 };
	for (size_t i = 0; i < t->findings.len; i++) {
		const struct finding *f = &t->findings.ptr[i];
		if (finding_is_shown(f) || finding_is_suppressed(f))
			*vec_push(a, ret) = f;
	}
	if (ret->len)
		qsort(ret->ptr, ret->len, sizeof(*ret->ptr), refs_cmp);
}

uint64_t target_package_count(const struct target *t)
{
	return t->package_count > t->packages.len ? t->package_count : t->packages.len;
}

static int packages_cmp(const void *a, const void *b)
{
	return package_cmp(*(const struct package *const *)a, *(const struct package *const *)b);
}

const struct package **order_packages(struct arena *a, const struct target *t)
{
	const struct package **ret = arena_array(a, t->packages.len, sizeof(struct package *));
	for (size_t i = 0; i < t->packages.len; i++)
		ret[i] = &t->packages.ptr[i];
	if (t->packages.len)
		qsort(ret, t->packages.len, sizeof(*ret), packages_cmp);
	return ret;
}
