/* Grouping by source package: see rows.h. Compares no versions: which one fixes all is the matcher's word, brought
 * by target->upgrades. */
#include "report/rows.h"

#include "base/base.h"

static int source_cmp(const struct package *a, const struct package *b)
{
	if (a->type != b->type)
		return (int)a->type - (int)b->type;
	int c = str_cmp(a->source_name, b->source_name);
	return c ? c : str_cmp(a->source_version, b->source_version);
}

/* By source, then id, the worst finding of an id first. */
static int grouping_cmp(const void *pa, const void *pb)
{
	const struct finding *a = *(const struct finding *const *)pa, *b = *(const struct finding *const *)pb;
	int c = source_cmp(a->package, b->package);
	if (c == 0)
		c = str_cmp(a->id, b->id);
	if (c == 0)
		c = finding_urgency_cmp(a, b);
	return c ? c : finding_identity_cmp(a, b);
}

static int ids_cmp(const void *pa, const void *pb)
{
	const struct finding *a = *(const struct finding *const *)pa, *b = *(const struct finding *const *)pb;
	int c = finding_urgency_cmp(a, b);
	return c ? c : str_cmp(a->id, b->id);
}

/* Each binary package's upgrade: found by that name, for the matcher's source may be called otherwise (a signed
 * kernel's is the kernel's own). */
static struct map upgrades_by_binary(struct arena *a, const struct target *t)
{
	struct map m = { 0 };
	for (size_t i = 0; i < t->upgrades.len; i++)
		for (size_t k = 0; k < t->upgrades.ptr[i].binaries.len; k++)
			*map_put(a, &m, t->upgrades.ptr[i].binaries.ptr[k], NULL) = i;
	return m;
}

/* What stands in "fixed by". Ignored findings have no upgrade: then it is what the worst of them names. */
static struct str row_fix(const struct target *t, const struct map *upgrades, const struct row *row)
{
	struct str otherwise = { 0 };
	for (size_t i = 0; i < row->ids.len; i++) {
		const struct finding *f = row->ids.ptr[i];
		if (f->fixed_version.len == 0)
			continue;
		const uint64_t *at = map_get(upgrades, f->package->name);
		if (at)
			return t->upgrades.ptr[*at].to;
		if (otherwise.len == 0)
			otherwise = f->fixed_version;
	}
	return otherwise;
}

/* One row of the findings [0, count), which are of one source and sorted by id. */
static struct row make_row(struct arena *a, const struct target *t, const struct map *upgrades,
			   const struct finding **f, size_t count)
{
	struct row row = { .type = f[0]->package->type,
			   .name = f[0]->package->source_name,
			   .installed = f[0]->package->source_version,
			   .findings = count,
			   .epss = -1,
			   .status = f[0]->status };
	for (size_t i = 0; i < count; i++) {
		row.kev |= f[i]->kev;
		row.used |= f[i]->package->use == USE_YES;
		if (f[i]->epss > row.epss)
			row.epss = f[i]->epss;
		if (f[i]->status != row.status)
			row.status = STATUS_NONE;
		if (i > 0 && str_eq(f[i]->id, f[i - 1]->id))
			continue;
		*vec_push(a, &row.ids) = f[i];
		row.by_severity[(unsigned)f[i]->severity < SEVERITY_COUNT ? f[i]->severity : SEVERITY_UNKNOWN]++;
		row.unfixed += f[i]->fixed_version.len == 0;
	}
	qsort(row.ids.ptr, row.ids.len, sizeof(*row.ids.ptr), ids_cmp);
	row.fix = row_fix(t, upgrades, &row);
	return row;
}

static int worst_weight(const struct row *r)
{
	int worst = 0;
	for (unsigned s = 0; s < SEVERITY_COUNT; s++)
		if (r->by_severity[s] && severity_weight((enum severity)s) > worst)
			worst = severity_weight((enum severity)s);
	return worst;
}

static int rows_cmp(const void *pa, const void *pb)
{
	const struct row *a = pa, *b = pb;
	if (a->kev != b->kev)
		return a->kev ? -1 : 1;
	if (a->used != b->used)
		return a->used ? -1 : 1;
	int c = worst_weight(b) - worst_weight(a);
	if (c)
		return c;
	if (a->epss > b->epss || a->epss < b->epss)
		return a->epss > b->epss ? -1 : 1;
	if ((a->fix.len > 0) != (b->fix.len > 0))
		return a->fix.len ? -1 : 1;
	if (a->ids.len != b->ids.len)
		return a->ids.len > b->ids.len ? -1 : 1;
	c = str_cmp(a->name, b->name);
	if (c == 0)
		c = str_cmp(a->installed, b->installed);
	return c ? c : (int)a->type - (int)b->type;
}

void rows_collect(struct arena *a, const struct target *t, bool (*want)(const struct finding *), struct row_list *ret)
{
	struct finding_refs refs = { 0 };
	*ret = (struct row_list){ 0 };
	for (size_t i = 0; i < t->findings.len; i++) {
		const struct finding *f = &t->findings.ptr[i];
		if (f->kind == FINDING_VULNERABILITY && f->package && want(f))
			*vec_push(a, &refs) = f;
	}
	if (refs.len == 0)
		return;
	qsort(refs.ptr, refs.len, sizeof(*refs.ptr), grouping_cmp);
	struct map upgrades = upgrades_by_binary(a, t);
	for (size_t from = 0, to; from < refs.len; from = to) {
		for (to = from + 1; to < refs.len; to++)
			if (source_cmp(refs.ptr[from]->package, refs.ptr[to]->package) != 0)
				break;
		*vec_push(a, ret) = make_row(a, t, &upgrades, refs.ptr + from, to - from);
	}
	qsort(ret->ptr, ret->len, sizeof(*ret->ptr), rows_cmp);
}
