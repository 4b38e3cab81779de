/* "What to do first": of what is shown, by source package, the one version that removes all that has a fix. */
#include "match/match.h"

#include "base/base.h"
#include "match/distro.h"
#include "version/versions.h"

static int order(const struct version_scheme *s, struct str a, struct str b)
{
	return s ? s->compare(a, b) : str_cmp(a, b);
}

static bool counts(const struct finding *f)
{
	return f->kind == FINDING_VULNERABILITY && f->package && f->fixed_version.len && f->suppressed.by.len == 0 &&
	       !f->hidden;
}

static void add_binary(struct arena *a, struct upgrade *u, struct str name)
{
	/* Findings come package by package, so a name that is there already is mostly the last one. */
	for (size_t i = u->binaries.len; i > 0; i--)
		if (str_eq(u->binaries.ptr[i - 1], name))
			return;
	*vec_push(a, &u->binaries) = name;
}

static void add_finding(struct arena *a, const struct version_scheme *s, struct upgrade *u, const struct finding *f,
                        struct str installed)
{
	if (u->to.len == 0 || order(s, f->fixed_version, u->to) > 0)
		u->to = f->fixed_version;
	if (u->from.len == 0 || order(s, installed, u->from) < 0)
		u->from = installed;
	u->removes++;
	u->kev |= f->kev;
	if (f->severity > u->severity_max)
		u->severity_max = f->severity;
	add_binary(a, u, f->package->name);
}

static int upgrade_cmp(const void *a, const void *b)
{
	const struct upgrade *ua = a, *ub = b;
	if (ua->removes != ub->removes)
		return ua->removes > ub->removes ? -1 : 1;
	if (ua->kev != ub->kev)
		return ua->kev ? -1 : 1;
	if (ua->severity_max != ub->severity_max)
		return ua->severity_max > ub->severity_max ? -1 : 1;
	return str_cmp(ua->package, ub->package);
}

void match_upgrades(struct arena *a, const struct target *target, struct upgrade_list *ret)
{
	const struct distro *d = distro_find(&target->os);
	const struct version_scheme *s = match_scheme(target);
	struct map by_source = { 0 };
	*ret = (struct upgrade_list){ 0 };
	for (size_t i = 0; i < target->findings.len; i++) {
		const struct finding *f = &target->findings.ptr[i];
		if (!counts(f))
			continue;
		struct distro_subject subject = { f->package->source_name, f->package->version };
		if (d && d->by_source)
			subject = distro_subject(d, f->package);
		bool new;
		uint64_t *slot = map_put(a, &by_source, subject.name, &new);
		if (new) {
			*slot = ret->len;
			vec_push(a, ret)->package = subject.name;
		}
		add_finding(a, s, &ret->ptr[*slot], f, subject.version);
	}
	if (ret->len)
		qsort(ret->ptr, ret->len, sizeof(*ret->ptr), upgrade_cmp);
}
