/* Collecting facts for the advisory file: see build.h. Keeps every string once and facts as numbers.
 * Decides nothing about vulnerabilities but one thing: whose rating counts where several are given. */
#include "advisory/builder.h"

#include "base/base.h"

struct db_builder *db_builder_new(void)
{
	struct db_builder *b = xcalloc(1, sizeof(*b));
	b->arena = arena_new();
	(void)builder_string(b, (struct str){ 0 });
	return b;
}

void db_builder_free(struct db_builder *b)
{
	if (!b)
		return;
	free(b->facts);
	arena_free(b->arena);
	free(b);
}

uint64_t db_builder_refused(const struct db_builder *b) { return b->refused; }

uint32_t builder_string(struct db_builder *b, struct str s)
{
	if (s.len > DB_STRING_MAX)
		return UINT32_MAX;
	const uint64_t *old = map_get(&b->string_map, s);
	if (old)
		return (uint32_t)*old;
	struct str copy = str_dup(b->arena, s);
	uint32_t number = (uint32_t)b->strings.len;
	*vec_push(b->arena, &b->strings) = copy;
	*map_put(b->arena, &b->string_map, copy, NULL) = number;
	return number;
}

/* Text for people: cut rather than refused. */
static uint32_t text(struct db_builder *b, struct str s) { return builder_string(b, str_sub(s, 0, DB_STRING_MAX)); }

uint32_t db_builder_source(struct db_builder *b, const struct db_source *s)
{
	uint32_t name = text(b, s->name);
	for (uint32_t i = 0; i < b->sources.len; i++) {
		if (b->sources.ptr[i].name == name) {
			if (s->updated > b->sources.ptr[i].updated)
				b->sources.ptr[i].updated = s->updated;
			return i;
		}
	}
	*vec_push(b->arena, &b->sources) = (struct build_source){
		.name = name,
		.licence = text(b, s->licence),
		.attribution = text(b, s->attribution),
		.coverage = text(b, s->coverage),
		.updated = s->updated,
	};
	return (uint32_t)b->sources.len - 1;
}

/* The smaller text of two wins, so that the order in which feeds come does not show in the file. */
static void join_platform(struct db_builder *b, struct build_platform *old, const struct build_platform *new)
{
	old->unfixed |= new->unfixed;
	bool take = new->complete != old->complete
			? new->complete
			: str_cmp(b->strings.ptr[new->coverage], b->strings.ptr[old->coverage]) < 0;
	if (take) {
		old->complete = new->complete;
		old->coverage = new->coverage;
	}
}

void db_builder_platform(struct db_builder *b, const struct db_platform *p, uint32_t source)
{
	struct build_platform new = {
		.name = text(b, p->name),
		.coverage = text(b, p->coverage),
		.complete = p->complete,
		.unfixed = p->unfixed,
	};
	if (source < b->sources.len)
		*vec_push(b->arena, &b->voices) = (struct build_voice){ new.name, source };
	for (size_t i = 0; i < b->platforms.len; i++) {
		if (b->platforms.ptr[i].name == new.name) {
			join_platform(b, &b->platforms.ptr[i], &new);
			return;
		}
	}
	*vec_push(b->arena, &b->platforms) = new;
}

static struct str key_of(struct db_builder *b, const void *p, size_t n)
{
	return str_dup(b->arena, (struct str){ p, n });
}

uint32_t builder_package(struct db_builder *b, uint32_t platform_name, uint32_t name)
{
	struct build_package key = { platform_name, name };
	if (b->last_package < b->packages.len && b->packages.ptr[b->last_package].platform == platform_name &&
	    b->packages.ptr[b->last_package].name == name)
		return b->last_package;
	const uint64_t *old = map_get(&b->package_map, (struct str){ (const char *)&key, sizeof(key) });
	if (!old) {
		uint32_t number = (uint32_t)b->packages.len;
		*vec_push(b->arena, &b->packages) = key;
		*map_put(b->arena, &b->package_map, key_of(b, &key, sizeof(key)), NULL) = number;
		return b->last_package = number;
	}
	return b->last_package = (uint32_t)*old;
}

void db_builder_package(struct db_builder *b, struct str platform, struct str package)
{
	uint32_t p = builder_string(b, platform), n = builder_string(b, package);
	if (p == UINT32_MAX || n == UINT32_MAX || n == 0)
		b->refused++;
	else
		(void)builder_package(b, p, n);
}

static uint32_t shape_of(struct db_builder *b, const struct builder_fact *f)
{
	struct build_shape s = {
		.source = f->source,
		.arch = f->arch,
		.module = f->module,
		.range = f->range,
		.status = f->status,
		.severity = f->severity,
		.flags = f->unreleased,
	};
	const uint64_t *old = map_get(&b->shape_map, (struct str){ (const char *)&s, sizeof(s) });
	if (old)
		return (uint32_t)*old;
	uint32_t number = (uint32_t)b->shapes.len;
	*vec_push(b->arena, &b->shapes) = s;
	*map_put(b->arena, &b->shape_map, key_of(b, &s, sizeof(s)), NULL) = number;
	return number;
}

static bool is_known(const struct db_builder *b, uint32_t string) { return string < b->strings.len; }

void builder_add(struct db_builder *b, const struct builder_fact *f)
{
	bool good = is_known(b, f->platform) && is_known(b, f->package) && is_known(b, f->id) && f->package != 0 &&
		    f->id != 0 && is_known(b, f->advisory) && is_known(b, f->introduced) && is_known(b, f->fixed) &&
		    is_known(b, f->last) && is_known(b, f->arch) && is_known(b, f->module) &&
		    f->source < b->sources.len && f->range <= DB_RANGE_NONE && f->status < STATUS_COUNT &&
		    f->severity < SEVERITY_COUNT;
	if (!good) {
		b->refused++;
		return;
	}
	if (b->fact_count == b->fact_cap) {
		b->fact_cap = b->fact_cap ? b->fact_cap * 2 : 4096;
		b->facts = xrealloc(b->facts, b->fact_cap * sizeof(*b->facts));
	}
	b->facts[b->fact_count++] = (struct build_fact){
		.package = builder_package(b, f->platform, f->package),
		.id = f->id,
		.advisory = f->advisory,
		.introduced = f->introduced,
		.fixed = f->fixed,
		.last = f->last,
		.shape = shape_of(b, f),
	};
}

void db_builder_fact(struct db_builder *b, struct str platform, struct str package, const struct db_fact *f)
{
	struct builder_fact n = {
		.platform = builder_string(b, platform),
		.package = builder_string(b, package),
		.id = builder_string(b, f->id),
		.advisory = builder_string(b, f->advisory),
		.introduced = builder_string(b, f->introduced),
		.fixed = builder_string(b, f->fixed),
		.last = builder_string(b, f->last),
		.arch = builder_string(b, f->arch),
		.module = builder_string(b, f->module),
		.source = f->source,
		.range = (uint8_t)f->range,
		.status = (uint8_t)f->status,
		.severity = (uint8_t)f->severity,
		.unreleased = f->unreleased,
	};
	builder_add(b, &n);
}

/* NVD analyses, the CNA knows its product, an ADP (CISA) fills gaps; anyone else comes last. */
static int rank_of(struct str source)
{
	if (str_eq(source, STR("nvd")))
		return 4;
	if (str_eq(source, STR("cna")))
		return 3;
	return str_ends(source, STR("-adp")) ? 2 : 1;
}

/* Of two that rank the same the worse rating counts, so that the order of feeds does not matter. */
static void join_rating(struct db_builder *b, struct build_vuln *old, const struct db_vuln *v, int rank)
{
	bool rated = v->severity > SEVERITY_UNKNOWN && v->severity < SEVERITY_COUNT;
	if (rated && (rank > old->severity_rank || (rank == old->severity_rank && v->severity > old->severity))) {
		old->severity = v->severity;
		old->severity_source = text(b, v->severity_source);
		old->severity_rank = rank;
	}
	bool scored = v->cvss_score >= 0 && v->cvss_score <= 10;
	struct str vector = b->strings.ptr[old->vector];
	bool worse = v->cvss_score > old->score || (v->cvss_score >= old->score && str_cmp(v->cvss_vector, vector) < 0);
	if (scored && (rank > old->cvss_rank || (rank == old->cvss_rank && worse))) {
		old->score = v->cvss_score;
		old->vector = text(b, v->cvss_vector);
		old->cvss_rank = rank;
	}
}

static void join_cwes(struct build_vuln *old, const struct db_vuln *v, int rank)
{
	uint32_t n = v->cwe_count < COUNT_OF(v->cwes) ? v->cwe_count : (uint32_t)COUNT_OF(v->cwes);
	bool less = n > 0 && memcmp(v->cwes, old->cwes, sizeof(v->cwes)) < 0;
	if (n == 0 || rank < old->cwe_rank || (rank == old->cwe_rank && !less))
		return;
	memset(old->cwes, 0, sizeof(old->cwes));
	memcpy(old->cwes, v->cwes, n * sizeof(v->cwes[0]));
	old->cwe_count = n;
	old->cwe_rank = rank;
}

void db_builder_vuln(struct db_builder *b, uint32_t source, struct str id, const struct db_vuln *v)
{
	uint32_t number = builder_string(b, id);
	if (number == UINT32_MAX || number == 0 || source >= b->sources.len) {
		b->refused++;
		return;
	}
	bool new;
	uint64_t *at = map_put(b->arena, &b->vuln_map, b->strings.ptr[number], &new);
	if (new) {
		*at = b->vulns.len;
		*vec_push(b->arena, &b->vulns) = (struct build_vuln){ .id = number, .score = -1, .epss = -1 };
	}
	struct build_vuln *old = &b->vulns.ptr[*at];
	int rank = rank_of(v->severity_source);
	join_rating(b, old, v, rank);
	join_cwes(old, v, rank);
	if (v->epss > old->epss && v->epss <= 1)
		old->epss = v->epss;
	old->kev |= v->kev;
	if (v->kev_added > 0 && (old->kev_added == 0 || v->kev_added < old->kev_added))
		old->kev_added = v->kev_added;
	if (v->published > 0 && (old->published == 0 || v->published < old->published))
		old->published = v->published;
	*vec_push(b->arena, &b->mentions) = (struct build_mention){ source, number };
}
