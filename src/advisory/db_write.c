/* Writing the advisory file: sections from what db_pack.c has put in order, then header and digests, then one atomic
 * replacement. doc/advisory-file.md describes every byte that is written here. */
#include "advisory/db_pack.h"

#include "advisory/db_pool.h"

#include "base/base.h"
#include "base/fs.h"

static uint32_t number_of(struct pack *p, enum db_section pool, uint32_t string)
{
	return pack_pool_of(p, pool)->number[string];
}

static void put_u16(struct buf *out, uint32_t v)
{
	buf_byte(out, (uint8_t)(v & 0xff));
	buf_byte(out, (uint8_t)(v >> 8 & 0xff));
}

static void write_sources(struct pack *p, struct buf *out)
{
	for (size_t i = 0; i < p->b->sources.len; i++) {
		const struct build_source *s = &p->b->sources.ptr[p->source_order[i]];
		buf_u32(out, number_of(p, DB_POOL_WORDS, s->name));
		buf_u32(out, number_of(p, DB_POOL_WORDS, s->licence));
		buf_u32(out, number_of(p, DB_POOL_WORDS, s->attribution));
		buf_u32(out, number_of(p, DB_POOL_WORDS, s->coverage));
		buf_u64(out, (uint64_t)s->updated);
		buf_u64(out, p->source_advisories[i] > s->advisories_min ? p->source_advisories[i] : s->advisories_min);
		buf_u64(out, p->source_facts[i]);
	}
}

static int64_t platform_date(const struct db_builder *b, const struct build_platform *p)
{
	int64_t newest = p->updated_min;
	for (size_t i = 0; i < b->voices.len; i++) {
		int64_t date = b->sources.ptr[b->voices.ptr[i].source].updated;
		if (b->voices.ptr[i].platform_name == p->name && date > newest)
			newest = date;
	}
	return newest;
}

static void write_platforms(struct pack *p, struct buf *out)
{
	const struct db_builder *b = p->b;
	size_t at = 0;
	for (size_t i = 0; i < b->platforms.len; i++) {
		const struct build_platform *f = &b->platforms.ptr[p->platform_order[i]];
		size_t first = at;
		while (at < b->packages.len && b->packages.ptr[p->package_order[at]].platform == f->name)
			at++;
		buf_u32(out, number_of(p, DB_POOL_WORDS, f->name));
		buf_u32(out, number_of(p, DB_POOL_WORDS, f->coverage));
		buf_u32(out, (uint32_t)first);
		buf_u32(out, (uint32_t)(at - first));
		buf_u32(out, (f->complete ? DB_PLATFORM_COMPLETE : 0) | (f->unfixed ? DB_PLATFORM_UNFIXED : 0));
		buf_u32(out, 0);
		buf_u64(out, (uint64_t)platform_date(b, f));
	}
}

static void write_shapes(struct pack *p, struct buf *out)
{
	for (size_t i = 0; i < p->shape_count; i++) {
		const struct build_shape *s = &p->b->shapes.ptr[p->shape_order[i]];
		buf_u32(out, p->source_number[s->source]);
		buf_byte(out, s->range);
		buf_byte(out, s->status);
		buf_byte(out, s->severity);
		buf_byte(out, s->flags ? DB_SHAPE_UNRELEASED : 0);
		buf_u32(out, number_of(p, DB_POOL_WORDS, s->arch));
		buf_u32(out, number_of(p, DB_POOL_WORDS, s->module));
	}
}

/* --- facts --- */

struct state {
	uint32_t id, shape, introduced, fixed, last, advisory, version;
};

static void put_version(struct buf *out, struct state *at, uint32_t version)
{
	if (version == 0) {
		buf_varint(out, 0);
		return;
	}
	buf_varint(out, db_zigzag((int64_t)version - at->version) + 1);
	at->version = version;
}

static void write_fact(struct pack *p, struct buf *out, const struct build_fact *f, struct state *at)
{
	struct state new = {
		.id = number_of(p, DB_POOL_IDS, f->id),
		.shape = p->shape_number[f->shape],
		.introduced = number_of(p, DB_POOL_VERSIONS, f->introduced),
		.fixed = number_of(p, DB_POOL_VERSIONS, f->fixed),
		.last = number_of(p, DB_POOL_VERSIONS, f->last),
		.advisory = number_of(p, DB_POOL_ADVISORIES, f->advisory),
		.version = at->version,
	};
	uint32_t step = new.id - at->id;
	unsigned control = (step < DB_ID_MORE ? step : DB_ID_MORE) << DB_ID_SHIFT;
	control |= new.shape != at->shape ? DB_HAS_SHAPE : 0;
	control |= new.introduced != at->introduced ? DB_HAS_INTRODUCED : 0;
	control |= new.fixed != at->fixed ? DB_HAS_FIXED : 0;
	control |= new.last != at->last ? DB_HAS_LAST : 0;
	control |= new.advisory != at->advisory ? DB_HAS_ADVISORY : 0;
	buf_byte(out, (uint8_t)control);
	if (step >= DB_ID_MORE)
		buf_varint(out, step - DB_ID_MORE);
	if (control & DB_HAS_SHAPE)
		buf_varint(out, new.shape);
	if (control & DB_HAS_INTRODUCED)
		put_version(out, &new, new.introduced);
	if (control & DB_HAS_FIXED)
		put_version(out, &new, new.fixed);
	if (control & DB_HAS_LAST)
		put_version(out, &new, new.last);
	if (control & DB_HAS_ADVISORY)
		buf_varint(out, db_zigzag((int64_t) new.advisory - at->advisory));
	*at = new;
}

/* Binary packages of one source often have the very same facts: such a stream is written once. */
static uint32_t put_stream(struct pack *p, struct map *streams, struct buf *facts, struct str stream)
{
	const uint64_t *old = map_get(streams, stream);
	if (old)
		return (uint32_t)*old;
	uint32_t at = (uint32_t)facts->len;
	buf_put(facts, stream);
	*map_put(p->a, streams, str_dup(p->a, stream), NULL) = at;
	return at;
}

static void write_packages(struct pack *p, struct buf *packages, struct buf *facts)
{
	struct buf BUF_AUTO stream = { 0 };
	buf_init(&stream, facts->max);
	struct map streams = { 0 };
	size_t at = 0;
	for (size_t i = 0; i < p->b->packages.len; i++) {
		uint32_t package = p->package_order[i];
		size_t first = at;
		while (at < p->fact_count && p->b->facts[p->fact_order[at]].package == package)
			at++;
		buf_clear(&stream);
		buf_varint(&stream, at - first);
		struct state state = { 0 };
		for (size_t j = first; j < at; j++)
			write_fact(p, &stream, &p->b->facts[p->fact_order[j]], &state);
		buf_u32(packages, number_of(p, DB_POOL_NAMES, p->b->packages.ptr[package].name));
		buf_u32(packages, put_stream(p, &streams, facts, buf_view(&stream)));
	}
}

struct slot {
	uint32_t tag, package;
};

static void write_slots(struct pack *p, struct buf *out)
{
	size_t n = p->b->packages.len, slots = n + n / 4 + 1;
	struct slot *slot = arena_array(p->a, slots, sizeof(*slot));
	for (size_t i = 0; i < n; i++) {
		const struct build_package *k = &p->b->packages.ptr[p->package_order[i]];
		uint64_t hash = db_slot_hash(p->platform_of_string[k->platform], p->b->strings.ptr[k->name]);
		size_t at = (size_t)db_slot_start(hash, slots);
		while (slot[at].package != 0)
			at = at + 1 == slots ? 0 : at + 1;
		slot[at] = (struct slot){ (uint32_t)hash, (uint32_t)i + 1 };
	}
	for (size_t i = 0; i < slots; i++) {
		buf_u32(out, slot[i].tag);
		buf_u32(out, slot[i].package);
	}
}

/* --- vulnerabilities --- */

static uint32_t day_of(int64_t seconds)
{
	int64_t day = seconds / DB_SECONDS_A_DAY;
	return seconds <= 0 || day > UINT16_MAX ? 0 : (uint32_t)day;
}

/* Offset 0 is the empty list. */
static uint32_t put_cwes(struct pack *p, struct map *lists, struct buf *cwes, const struct build_vuln *v)
{
	struct buf BUF_AUTO list = { 0 };
	buf_init(&list, 128);
	buf_varint(&list, v->cwe_count);
	for (uint32_t i = 0; i < v->cwe_count; i++)
		buf_varint(&list, v->cwes[i]);
	return put_stream(p, lists, cwes, buf_view(&list));
}

static void write_vulns(struct pack *p, struct buf *vulns, struct buf *cwes)
{
	struct map lists = { 0 };
	(void)put_stream(p, &lists, cwes, (struct str){ "", 1 });
	for (size_t i = 0; i < p->b->vulns.len; i++) {
		const struct build_vuln *v = &p->b->vulns.ptr[p->vuln_order[i]];
		buf_u32(vulns, number_of(p, DB_POOL_IDS, v->id));
		buf_u32(vulns, number_of(p, DB_POOL_WORDS, v->vector));
		buf_u32(vulns, v->epss < 0 ? 0 : (uint32_t)(v->epss * DB_EPSS_UNIT + 0.5) + 1);
		buf_u32(vulns, put_cwes(p, &lists, cwes, v));
		put_u16(vulns, day_of(v->kev_added));
		put_u16(vulns, day_of(v->published));
		buf_byte(vulns, v->score < 0 ? DB_SCORE_NONE : (uint8_t)(v->score * 10 + 0.5));
		buf_byte(vulns, (uint8_t)v->severity);
		uint32_t source = number_of(p, DB_POOL_WORDS, v->severity_source);
		buf_byte(vulns, source <= UINT8_MAX ? (uint8_t)source : 0);
		buf_byte(vulns, v->kev ? DB_VULN_KEV : 0);
	}
}

/* --- the file --- */

static void write_header(const struct pack *p, const struct buf *section, int64_t built, struct buf *out)
{
	uint64_t at = DB_HEADER_SIZE, size = DB_HEADER_SIZE;
	for (unsigned i = 0; i < DB_SECTION_COUNT; i++)
		size = (size + DB_ALIGN - 1) / DB_ALIGN * DB_ALIGN + section[i].len;
	buf_put(out, STR(DB_MAGIC));
	buf_u32(out, DB_SCHEMA);
	buf_u32(out, DB_HEADER_SIZE);
	buf_u64(out, size);
	buf_u64(out, (uint64_t)built);
	buf_u64(out, p->fact_count);
	buf_u32(out, DB_SECTION_COUNT);
	while (out->len < DB_HEADER_FIXED)
		buf_byte(out, 0);
	for (unsigned i = 0; i < DB_SECTION_COUNT; i++) {
		at = (at + DB_ALIGN - 1) / DB_ALIGN * DB_ALIGN;
		struct sha256 sum = sha256_of(buf_view(&section[i]));
		buf_u32(out, i);
		buf_u32(out, 0);
		buf_u64(out, at);
		buf_u64(out, section[i].len);
		buf_put_mem(out, sum.bytes, sizeof(sum.bytes));
		at += section[i].len;
	}
	struct sha256 sum = sha256_of(buf_view(out));
	buf_put_mem(out, sum.bytes, sizeof(sum.bytes));
}

static int write_file(const struct pack *p, const struct buf *section, int64_t built, const char *path, struct err *err)
{
	struct buf BUF_AUTO out = { 0 };
	buf_init(&out, DB_SIZE_MAX);
	write_header(p, section, built, &out);
	for (unsigned i = 0; i < DB_SECTION_COUNT; i++) {
		while (out.len % DB_ALIGN != 0)
			buf_byte(&out, 0);
		buf_put(&out, buf_view(&section[i]));
		out.overflow |= section[i].overflow;
	}
	if (out.overflow)
		return err_set(err, ERR_LIMIT, "%s: over DB_SIZE_MAX or DB_TEXT_SIZE_MAX", path);
	return fs_replace(path, buf_view(&out), 0644, err);
}

static void write_sections(struct pack *p, struct buf *section)
{
	write_sources(p, &section[DB_SOURCES]);
	write_platforms(p, &section[DB_PLATFORMS]);
	write_packages(p, &section[DB_PACKAGES], &section[DB_FACTS]);
	write_slots(p, &section[DB_SLOTS]);
	write_shapes(p, &section[DB_SHAPES]);
	write_vulns(p, &section[DB_VULNS], &section[DB_CWES]);
	for (unsigned i = DB_POOL_FIRST; i < DB_SECTION_COUNT; i++) {
		const struct pack_pool *pool = pack_pool_of(p, (enum db_section)i);
		db_pool_write(&section[i], p->b->strings.ptr, pool->order, pool->count);
	}
}

int db_builder_write(struct db_builder *b, int64_t built, const char *path, struct err *err)
{
	int rc = hash_setup(err);
	if (rc != 0)
		return rc;
	struct arena *a ARENA_AUTO = arena_new();
	struct pack p;
	pack_sort(&p, b, a);
	struct buf section[DB_SECTION_COUNT];
	for (unsigned i = 0; i < DB_SECTION_COUNT; i++)
		buf_init(&section[i], DB_SIZE_MAX);
	write_sections(&p, section);
	rc = write_file(&p, section, built, path, err);
	for (unsigned i = 0; i < DB_SECTION_COUNT; i++)
		buf_done(&section[i]);
	return rc;
}
