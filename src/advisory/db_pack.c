/* Putting what the builder holds in order. The order depends on the content alone, never on the order in which feeds
 * and workers delivered it: the same facts give the same bytes. */
#include "advisory/db_pack.h"

#include "base/base.h"

static int cmp_u32(uint32_t a, uint32_t b) { return (a > b) - (a < b); }

static int cmp_strings(const void *a, const void *b, void *ctx)
{
	const struct str *s = ctx;
	return str_cmp(s[*(const uint32_t *)a], s[*(const uint32_t *)b]);
}

static uint32_t *numbers(struct arena *a, size_t count)
{
	uint32_t *v = arena_array(a, count, sizeof(*v));
	for (size_t i = 0; i < count; i++)
		v[i] = (uint32_t)i;
	return v;
}

static uint32_t *inverse(struct arena *a, const uint32_t *order, size_t count, size_t space)
{
	uint32_t *v = arena_array(a, space, sizeof(*v));
	memset(v, 0xff, space * sizeof(*v));
	for (size_t i = 0; i < count; i++)
		v[order[i]] = (uint32_t)i;
	return v;
}

static void rank_strings(struct pack *p)
{
	size_t n = p->b->strings.len;
	p->sorted = numbers(p->a, n);
	qsort_r(p->sorted, n, sizeof(*p->sorted), cmp_strings, p->b->strings.ptr);
	p->rank = inverse(p->a, p->sorted, n, n);
}

/* A distribution's own feed stands before the same as OSV records: of a fact that both have, its is kept. */
static int cmp_sources(const void *a, const void *b, void *ctx)
{
	const struct pack *p = ctx;
	const struct build_source *x = &p->b->sources.ptr[*(const uint32_t *)a];
	const struct build_source *y = &p->b->sources.ptr[*(const uint32_t *)b];
	bool osv_x = str_starts(p->b->strings.ptr[x->name], STR("osv-"));
	bool osv_y = str_starts(p->b->strings.ptr[y->name], STR("osv-"));
	return osv_x != osv_y ? osv_x - osv_y : cmp_u32(p->rank[x->name], p->rank[y->name]);
}

static int cmp_platforms(const void *a, const void *b, void *ctx)
{
	const struct pack *p = ctx;
	const struct build_platform *x = &p->b->platforms.ptr[*(const uint32_t *)a];
	const struct build_platform *y = &p->b->platforms.ptr[*(const uint32_t *)b];
	return cmp_u32(p->rank[x->name], p->rank[y->name]);
}

static int cmp_packages(const void *a, const void *b, void *ctx)
{
	const struct pack *p = ctx;
	const struct build_package *x = &p->b->packages.ptr[*(const uint32_t *)a];
	const struct build_package *y = &p->b->packages.ptr[*(const uint32_t *)b];
	int c = cmp_u32(p->rank[x->platform], p->rank[y->platform]);
	return c ? c : cmp_u32(p->rank[x->name], p->rank[y->name]);
}

static void sort_tables(struct pack *p)
{
	const struct db_builder *b = p->b;
	p->source_order = numbers(p->a, b->sources.len);
	qsort_r(p->source_order, b->sources.len, sizeof(uint32_t), cmp_sources, p);
	p->source_number = inverse(p->a, p->source_order, b->sources.len, b->sources.len);
	p->platform_order = numbers(p->a, b->platforms.len);
	qsort_r(p->platform_order, b->platforms.len, sizeof(uint32_t), cmp_platforms, p);
	p->platform_of_string = arena_array(p->a, b->strings.len, sizeof(uint32_t));
	memset(p->platform_of_string, 0xff, b->strings.len * sizeof(uint32_t));
	for (size_t i = 0; i < b->platforms.len; i++)
		p->platform_of_string[b->platforms.ptr[p->platform_order[i]].name] = (uint32_t)i;
	p->package_order = numbers(p->a, b->packages.len);
	qsort_r(p->package_order, b->packages.len, sizeof(uint32_t), cmp_packages, p);
	p->package_number = inverse(p->a, p->package_order, b->packages.len, b->packages.len);
}

/* All that facts share, the source last. */
static int cmp_shapes_apart(const struct pack *p, const struct build_shape *x, const struct build_shape *y)
{
	int c = cmp_u32(x->range, y->range);
	c = c ? c : cmp_u32(x->status, y->status);
	c = c ? c : cmp_u32(x->severity, y->severity);
	c = c ? c : cmp_u32(x->flags, y->flags);
	c = c ? c : cmp_u32(p->rank[x->arch], p->rank[y->arch]);
	return c ? c : cmp_u32(p->rank[x->module], p->rank[y->module]);
}

static int cmp_shapes(const void *a, const void *b, void *ctx)
{
	const struct pack *p = ctx;
	const struct build_shape *x = &p->b->shapes.ptr[*(const uint32_t *)a];
	const struct build_shape *y = &p->b->shapes.ptr[*(const uint32_t *)b];
	int c = cmp_shapes_apart(p, x, y);
	return c ? c : cmp_u32(p->source_number[x->source], p->source_number[y->source]);
}

static void group_shapes(struct pack *p)
{
	const struct db_builder *b = p->b;
	p->shape_order = numbers(p->a, b->shapes.len);
	qsort_r(p->shape_order, b->shapes.len, sizeof(uint32_t), cmp_shapes, p);
	p->shape_group = arena_array(p->a, b->shapes.len, sizeof(uint32_t));
	uint32_t group = 0;
	for (size_t i = 0; i < b->shapes.len; i++) {
		const struct build_shape *s = &b->shapes.ptr[p->shape_order[i]];
		if (i > 0 && cmp_shapes_apart(p, s, &b->shapes.ptr[p->shape_order[i - 1]]) != 0)
			group++;
		p->shape_group[p->shape_order[i]] = group;
	}
}

static int cmp_facts_apart(const struct pack *p, const struct build_fact *x, const struct build_fact *y)
{
	int c = cmp_u32(p->package_number[x->package], p->package_number[y->package]);
	c = c ? c : cmp_u32(p->rank[x->id], p->rank[y->id]);
	c = c ? c : cmp_u32(p->shape_group[x->shape], p->shape_group[y->shape]);
	c = c ? c : cmp_u32(p->rank[x->introduced], p->rank[y->introduced]);
	c = c ? c : cmp_u32(p->rank[x->fixed], p->rank[y->fixed]);
	c = c ? c : cmp_u32(p->rank[x->last], p->rank[y->last]);
	return c ? c : cmp_u32(p->rank[x->advisory], p->rank[y->advisory]);
}

static uint32_t source_of(const struct pack *p, const struct build_fact *f)
{
	return p->source_number[p->b->shapes.ptr[f->shape].source];
}

static int cmp_facts(const void *a, const void *b, void *ctx)
{
	const struct pack *p = ctx;
	const struct build_fact *x = &p->b->facts[*(const uint32_t *)a], *y = &p->b->facts[*(const uint32_t *)b];
	int c = cmp_facts_apart(p, x, y);
	return c ? c : cmp_u32(source_of(p, x), source_of(p, y));
}

/* Of facts that differ in their source alone the first is kept. */
static void sort_facts(struct pack *p)
{
	const struct db_builder *b = p->b;
	p->fact_order = numbers(p->a, b->fact_count);
	qsort_r(p->fact_order, b->fact_count, sizeof(uint32_t), cmp_facts, p);
	for (size_t i = 0; i < b->fact_count; i++) {
		const struct build_fact *f = &b->facts[p->fact_order[i]];
		if (p->fact_count > 0 && cmp_facts_apart(p, f, &b->facts[p->fact_order[p->fact_count - 1]]) == 0)
			continue;
		p->fact_order[p->fact_count++] = p->fact_order[i];
		p->source_facts[source_of(p, f)]++;
	}
}

struct shape_use {
	uint32_t shape, uses, place;
};

static int cmp_uses(const void *a, const void *b)
{
	const struct shape_use *x = a, *y = b;
	int c = cmp_u32(y->uses, x->uses);
	return c ? c : cmp_u32(x->place, y->place);
}

/* The most common shapes get the numbers that take one byte; those of dropped repetitions get none. */
static void number_shapes(struct pack *p)
{
	size_t n = p->b->shapes.len;
	struct shape_use *use = arena_array(p->a, n, sizeof(*use));
	for (size_t i = 0; i < n; i++) {
		use[p->shape_order[i]].shape = p->shape_order[i];
		use[p->shape_order[i]].place = (uint32_t)i;
	}
	for (size_t i = 0; i < p->fact_count; i++)
		use[p->b->facts[p->fact_order[i]].shape].uses++;
	qsort(use, n, sizeof(*use), cmp_uses);
	p->shape_number = arena_array(p->a, n, sizeof(uint32_t));
	for (size_t i = 0; i < n && use[i].uses > 0; i++) {
		p->shape_order[i] = use[i].shape;
		p->shape_number[use[i].shape] = (uint32_t)i;
		p->shape_count = i + 1;
	}
}

/* --- pools --- */

static void pool_begin(struct pack *p, struct pack_pool *pool)
{
	size_t n = p->b->strings.len;
	pool->number = arena_array(p->a, n, sizeof(uint32_t));
	memset(pool->number, 0xff, n * sizeof(uint32_t));
	pool->order = arena_array(p->a, n, sizeof(uint32_t));
}

static void pool_add(struct pack_pool *pool, uint32_t string)
{
	if (pool->number[string] != UINT32_MAX)
		return;
	pool->order[pool->count] = string;
	pool->number[string] = (uint32_t)pool->count++;
}

/* Marked strings (number 0) in byte order. */
static void pool_sort(struct pack *p, struct pack_pool *pool)
{
	for (size_t i = 0; i < p->b->strings.len; i++) {
		uint32_t s = p->sorted[i];
		if (pool->number[s] == 0) {
			pool->order[pool->count] = s;
			pool->number[s] = (uint32_t)pool->count++;
		}
	}
}

static void sorted_pools(struct pack *p)
{
	struct pack_pool *ids = pack_pool_of(p, DB_POOL_IDS), *names = pack_pool_of(p, DB_POOL_NAMES);
	struct pack_pool *advisories = pack_pool_of(p, DB_POOL_ADVISORIES);
	pool_begin(p, ids);
	pool_begin(p, names);
	pool_begin(p, advisories);
	advisories->number[0] = 0;
	for (size_t i = 0; i < p->fact_count; i++) {
		const struct build_fact *f = &p->b->facts[p->fact_order[i]];
		ids->number[f->id] = 0;
		advisories->number[f->advisory] = 0;
	}
	for (size_t i = 0; i < p->b->vulns.len; i++)
		ids->number[p->b->vulns.ptr[i].id] = 0;
	for (size_t i = 0; i < p->b->packages.len; i++)
		names->number[p->b->packages.ptr[i].name] = 0;
	pool_sort(p, ids);
	pool_sort(p, names);
	pool_sort(p, advisories);
}

struct version_use {
	uint64_t key; /* rank of the package's name, rank of the version */
};

static int cmp_version_uses(const void *a, const void *b)
{
	const struct version_use *x = a, *y = b;
	return (x->key > y->key) - (x->key < y->key);
}

/* Versions stand by the package that uses them, in byte order: neighbours share prefixes, and a fact's versions are
 * near each other, whatever the platform. */
static void version_pool(struct pack *p)
{
	struct pack_pool *versions = pack_pool_of(p, DB_POOL_VERSIONS);
	pool_begin(p, versions);
	pool_add(versions, 0);
	struct version_use *use = arena_array(p->a, p->fact_count * 3, sizeof(*use));
	size_t n = 0;
	for (size_t i = 0; i < p->fact_count; i++) {
		const struct build_fact *f = &p->b->facts[p->fact_order[i]];
		uint64_t name = (uint64_t)p->rank[p->b->packages.ptr[f->package].name] << 32;
		const uint32_t strings[] = { f->introduced, f->fixed, f->last };
		for (size_t j = 0; j < COUNT_OF(strings); j++)
			if (strings[j] != 0)
				use[n++].key = name | p->rank[strings[j]];
	}
	qsort(use, n, sizeof(*use), cmp_version_uses);
	for (size_t i = 0; i < n; i++)
		pool_add(versions, p->sorted[(uint32_t)use[i].key]);
}

/* Names of severity sources first: a record has one byte for them. */
static void word_pool(struct pack *p)
{
	const struct db_builder *b = p->b;
	struct pack_pool *words = pack_pool_of(p, DB_POOL_WORDS);
	pool_begin(p, words);
	pool_add(words, 0);
	for (size_t i = 0; i < b->vulns.len; i++)
		pool_add(words, b->vulns.ptr[p->vuln_order[i]].severity_source);
	for (size_t i = 0; i < b->sources.len; i++) {
		const struct build_source *s = &b->sources.ptr[p->source_order[i]];
		pool_add(words, s->name);
		pool_add(words, s->licence);
		pool_add(words, s->attribution);
		pool_add(words, s->coverage);
	}
	for (size_t i = 0; i < b->platforms.len; i++) {
		pool_add(words, b->platforms.ptr[p->platform_order[i]].name);
		pool_add(words, b->platforms.ptr[p->platform_order[i]].coverage);
	}
	for (size_t i = 0; i < p->shape_count; i++) {
		pool_add(words, b->shapes.ptr[p->shape_order[i]].arch);
		pool_add(words, b->shapes.ptr[p->shape_order[i]].module);
	}
	bool *vector = arena_array(p->a, b->strings.len, sizeof(*vector));
	for (size_t i = 0; i < b->vulns.len; i++)
		vector[b->vulns.ptr[i].vector] = true;
	for (size_t i = 0; i < b->strings.len; i++)
		if (vector[p->sorted[i]])
			pool_add(words, p->sorted[i]);
}

/* --- counts --- */

static int cmp_vulns(const void *a, const void *b, void *ctx)
{
	const struct pack *p = ctx;
	return cmp_u32(p->rank[p->b->vulns.ptr[*(const uint32_t *)a].id],
		       p->rank[p->b->vulns.ptr[*(const uint32_t *)b].id]);
}

/* An advisory of a source is a vulnerability that it speaks of, in facts or apart from packages. */
static void count_advisories(struct pack *p)
{
	const struct db_builder *b = p->b;
	size_t row = (b->strings.len + 63) / 64;
	uint64_t *seen = xcalloc(row * b->sources.len, sizeof(*seen));
	for (size_t i = 0; i < b->fact_count + b->mentions.len; i++) {
		bool fact = i < b->fact_count;
		const struct build_mention *m = fact ? NULL : &b->mentions.ptr[i - b->fact_count];
		uint32_t source = fact ? b->shapes.ptr[b->facts[i].shape].source : m->source;
		uint32_t id = fact ? b->facts[i].id : m->id;
		uint64_t *word = &seen[source * row + id / 64], bit = (uint64_t)1 << (id % 64);
		if (!(*word & bit))
			p->source_advisories[p->source_number[source]]++;
		*word |= bit;
	}
	free(seen);
}

/* A platform that facts name and no source declared is one of which nothing is promised. */
static void declare_platforms(struct db_builder *b)
{
	bool *known = xcalloc(b->strings.len, sizeof(*known));
	for (size_t i = 0; i < b->platforms.len; i++)
		known[b->platforms.ptr[i].name] = true;
	for (size_t i = 0; i < b->packages.len; i++) {
		uint32_t name = b->packages.ptr[i].platform;
		if (!known[name])
			*vec_push(b->arena, &b->platforms) = (struct build_platform){ .name = name };
		known[name] = true;
	}
	free(known);
}

void pack_sort(struct pack *p, struct db_builder *b, struct arena *a)
{
	declare_platforms(b);
	*p = (struct pack){ .b = b, .a = a };
	p->source_facts = arena_array(a, b->sources.len, sizeof(uint64_t));
	p->source_advisories = arena_array(a, b->sources.len, sizeof(uint64_t));
	rank_strings(p);
	sort_tables(p);
	group_shapes(p);
	sort_facts(p);
	number_shapes(p);
	count_advisories(p);
	p->vuln_order = numbers(a, b->vulns.len);
	qsort_r(p->vuln_order, b->vulns.len, sizeof(uint32_t), cmp_vulns, p);
	sorted_pools(p);
	version_pool(p);
	word_pool(p);
}
