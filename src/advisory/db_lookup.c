/* Packages and their facts: the hash slots, the packages of a platform, and the stream of facts of one package.
 * The stream is a row of small numbers, each relative to one before; whatever they add up to is only ever an index
 * that its table checks. */
#include "advisory/db_internal.h"

#include "base/base.h"

/* Collisions in a row are few at the writer's load of 4/5; a file that shows more is not the writer's. */
#define PROBES_MAX 4096u

static uint32_t first_package(const struct db *db, uint32_t platform)
{
	return db_u32(db, DB_PLATFORMS, (uint64_t)platform * DB_PLATFORM_SIZE + 8);
}

bool db_iter_at(const struct db *db, uint32_t package, struct db_iter *ret)
{
	uint64_t at = db_u32(db, DB_PACKAGES, (uint64_t)package * DB_PACKAGE_SIZE + 4);
	struct reader r = reader_of(db->section[DB_FACTS]);
	read_seek(&r, (size_t)at);
	uint64_t count = read_count(&r, 1);
	*ret = (struct db_iter){ .db = db };
	if (r.bad) {
		db_mark_broken(db);
		return false;
	}
	ret->at = r.at;
	ret->left = count;
	return true;
}

int db_lookup(const struct db *db, const struct db_platform *platform, struct str package, struct db_iter *ret,
	      struct err *err)
{
	uint64_t slots = db_records(db, DB_SLOTS, DB_SLOT_SIZE);
	uint64_t hash = db_slot_hash(platform->index, package);
	uint32_t first = first_package(db, platform->index);
	uint64_t slot = slots ? db_slot_start(hash, slots) : 0;
	for (uint64_t i = 0; i < slots && i < PROBES_MAX; i++) {
		uint32_t at = db_u32(db, DB_SLOTS, slot * DB_SLOT_SIZE + 4);
		if (at == 0)
			break;
		if (db_u32(db, DB_SLOTS, slot * DB_SLOT_SIZE) == (uint32_t)hash && at - 1 >= first &&
		    at - 1 - first < platform->package_count) {
			uint32_t name = db_u32(db, DB_PACKAGES, (uint64_t)(at - 1) * DB_PACKAGE_SIZE);
			if (str_eq(db_string(db, DB_POOL_NAMES, name), package))
				return db_iter_at(db, at - 1, ret)
					   ? 0
					   : err_set(err, ERR_FORMAT, "the facts of %.*s are broken", STR_ARG(package));
		}
		slot = slot + 1 == slots ? 0 : slot + 1;
	}
	return err_set(err, ERR_NOT_FOUND, "no entry for %.*s", STR_ARG(package));
}

bool db_package_at(const struct db *db, const struct db_platform *platform, uint64_t index, struct str *ret_name,
		   struct db_iter *ret)
{
	if (index >= platform->package_count)
		return false;
	uint64_t package = first_package(db, platform->index) + index;
	if (package >= db_records(db, DB_PACKAGES, DB_PACKAGE_SIZE)) {
		db_mark_broken(db);
		return false;
	}
	*ret_name = db_string(db, DB_POOL_NAMES, db_u32(db, DB_PACKAGES, package * DB_PACKAGE_SIZE));
	if (!db_iter_at(db, (uint32_t)package, ret))
		*ret = (struct db_iter){ .db = db };
	return true;
}

static uint32_t next_version(struct reader *r, uint32_t *version)
{
	uint64_t code = read_varint(r);
	if (code == 0)
		return 0;
	*version += (uint32_t)db_unzigzag(code - 1);
	return *version;
}

static void next_numbers(struct reader *r, struct db_iter *it)
{
	unsigned control = read_u8(r);
	uint64_t step = control >> DB_ID_SHIFT;
	if (step == DB_ID_MORE)
		step += read_varint(r);
	it->id += (uint32_t)step;
	if (control & DB_HAS_SHAPE)
		it->shape = (uint32_t)read_varint(r);
	if (control & DB_HAS_INTRODUCED)
		it->introduced = next_version(r, &it->version);
	if (control & DB_HAS_FIXED)
		it->fixed = next_version(r, &it->version);
	if (control & DB_HAS_LAST)
		it->last = next_version(r, &it->version);
	if (control & DB_HAS_ADVISORY)
		it->advisory += (uint32_t)db_unzigzag(read_varint(r));
}

/* String 0 of the pools but ids and names is the empty one, and by far the most common. */
static struct str string_of(const struct db *db, enum db_section pool, uint32_t index, bool *bad)
{
	struct str s = { 0 };
	if (index != 0 || pool < DB_POOL_VERSIONS)
		*bad |= !db_pool_get(db_pool_of(db, pool), index, &s);
	return s;
}

static bool fill(const struct db *db, const struct db_iter *it, struct db_fact *ret)
{
	uint64_t at = (uint64_t)it->shape * DB_SHAPE_SIZE;
	if (it->shape >= db_records(db, DB_SHAPES, DB_SHAPE_SIZE))
		return false;
	uint32_t kinds = db_u32(db, DB_SHAPES, at + 4);
	unsigned range = kinds & 0xff, status = kinds >> 8 & 0xff, severity = kinds >> 16 & 0xff;
	if (range > DB_RANGE_NONE || status >= STATUS_COUNT || severity >= SEVERITY_COUNT)
		return false;
	bool bad = false;
	struct db_fact f = {
		.source = db_u32(db, DB_SHAPES, at),
		.range = (enum db_range)range,
		.status = (enum fix_status)status,
		.severity = (enum severity)severity,
		.unreleased = (kinds >> 24 & DB_SHAPE_UNRELEASED) != 0,
		.id = string_of(db, DB_POOL_IDS, it->id, &bad),
		.advisory = string_of(db, DB_POOL_ADVISORIES, it->advisory, &bad),
		.introduced = string_of(db, DB_POOL_VERSIONS, it->introduced, &bad),
		.fixed = string_of(db, DB_POOL_VERSIONS, it->fixed, &bad),
		.last = string_of(db, DB_POOL_VERSIONS, it->last, &bad),
		.arch = string_of(db, DB_POOL_WORDS, db_u32(db, DB_SHAPES, at + 8), &bad),
		.module = string_of(db, DB_POOL_WORDS, db_u32(db, DB_SHAPES, at + 12), &bad),
	};
	if (bad || f.id.len == 0)
		return false;
	*ret = f;
	return true;
}

bool db_next(struct db_iter *it, struct db_fact *ret)
{
	if (it->left == 0)
		return false;
	struct reader r = reader_of(it->db->section[DB_FACTS]);
	read_seek(&r, (size_t)it->at);
	next_numbers(&r, it);
	it->at = r.at;
	it->left--;
	if (!r.bad && fill(it->db, it, ret))
		return true;
	/* Every later fact counts from this one, so none of them can be believed. */
	db_mark_broken(it->db);
	it->left = 0;
	return false;
}
