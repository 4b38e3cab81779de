/* The advisory file: opening, and its tables of sources and platforms. See db.h and doc/advisory-file.md.
 * Opening maps the file and looks at the header alone; nothing of the file is believed before it is used, and a
 * number from the file never reaches memory but through db_u32 and its like. */
#include "advisory/db_internal.h"

#include "base/base.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* n bytes at an offset, or NULL; byte by byte from there, for the map is aligned to nothing that counts. */
static const uint8_t *bytes_at(const struct db *db, enum db_section s, uint64_t at, size_t n)
{
	struct str section = db->section[s];
	if (at > section.len || section.len - at < n) {
		db_mark_broken(db);
		return NULL;
	}
	return (const uint8_t *)section.ptr + at;
}

uint16_t db_u16(const struct db *db, enum db_section s, uint64_t at)
{
	const uint8_t *p = bytes_at(db, s, at, 2);
	return p ? (uint16_t)((uint32_t)p[0] | (uint32_t)p[1] << 8) : (uint16_t)0;
}

uint32_t db_u32(const struct db *db, enum db_section s, uint64_t at)
{
	const uint8_t *p = bytes_at(db, s, at, 4);
	return p ? (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24 : 0;
}

uint64_t db_u64(const struct db *db, enum db_section s, uint64_t at)
{
	const uint8_t *p = bytes_at(db, s, at, 8);
	uint64_t v = 0;
	for (unsigned i = 0; p && i < 8; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

void db_mark_broken(const struct db *db) { atomic_store_explicit(db->broken, true, memory_order_relaxed); }

bool db_broken(const struct db *db) { return atomic_load_explicit(db->broken, memory_order_relaxed); }

struct str db_string(const struct db *db, enum db_section pool, uint32_t index)
{
	struct str s = { 0 };
	if (index == 0 && pool >= DB_POOL_VERSIONS)
		return s; /* string 0 of these pools is the empty one, by definition */
	if (!db_pool_get(db_pool_of(db, pool), index, &s))
		db_mark_broken(db);
	return s;
}

uint64_t db_records(const struct db *db, enum db_section s, uint64_t record_size)
{
	return db->section[s].len / record_size;
}

static int parse_section(struct reader *r, struct str bytes, uint32_t type, uint64_t *end, struct str *ret,
			 struct sha256 *digest, struct err *err)
{
	uint32_t got = read_u32le(r), zero = read_u32le(r);
	uint64_t at = read_u64le(r), size = read_u64le(r);
	struct str sum = read_bytes(r, SHA256_SIZE);
	uint64_t want = (*end + DB_ALIGN - 1) / DB_ALIGN * DB_ALIGN;
	if (r->bad || got != type || zero != 0 || at != want || at > bytes.len || size > bytes.len - at)
		return err_set(err, ERR_FORMAT, "section %u of the header is wrong", type);
	if (digest)
		memcpy(digest->bytes, sum.ptr, SHA256_SIZE);
	*ret = str_sub(bytes, (size_t)at, (size_t)(at + size));
	*end = at + size;
	return 0;
}

int db_header_parse(struct str bytes, struct db *ret, struct sha256 *digests, struct err *err)
{
	struct reader r = reader_of(bytes);
	if (!str_eq(read_bytes(&r, 8), STR(DB_MAGIC)))
		return err_set(err, ERR_FORMAT, "not an advisory file");
	ret->schema = read_u32le(&r);
	uint32_t header = read_u32le(&r);
	uint64_t size = read_u64le(&r);
	ret->built = (int64_t)read_u64le(&r);
	ret->fact_count = read_u64le(&r);
	uint32_t sections = read_u32le(&r);
	if (r.bad)
		return err_set(err, ERR_FORMAT, "advisory file: cut off in its header");
	if (ret->schema != DB_SCHEMA)
		return err_set(err, ERR_UNSUPPORTED, "advisory file of schema %u, this version reads schema %u",
			       ret->schema, DB_SCHEMA);
	if (header != DB_HEADER_SIZE || sections != DB_SECTION_COUNT || bytes.len < DB_HEADER_SIZE)
		return err_set(err, ERR_FORMAT, "advisory file: wrong header");
	if (size != bytes.len)
		return err_set(err, ERR_FORMAT, "advisory file: %zu bytes instead of %llu", bytes.len,
			       (unsigned long long)size);
	read_seek(&r, DB_HEADER_FIXED);
	uint64_t end = DB_HEADER_SIZE;
	for (uint32_t i = 0; i < DB_SECTION_COUNT; i++) {
		int rc = parse_section(&r, bytes, i, &end, &ret->section[i], digests ? &digests[i] : NULL, err);
		if (rc != 0)
			return err_wrap(err, "advisory file");
	}
	struct str sum = read_bytes(&r, SHA256_SIZE);
	if (digests)
		memcpy(digests[DB_SECTION_COUNT].bytes, sum.ptr, SHA256_SIZE);
	return end == bytes.len ? 0 : err_set(err, ERR_FORMAT, "advisory file: bytes behind the last section");
}

static int map_file(const char *path, struct str *ret, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return err_set(err, errno == ENOENT || errno == ENOTDIR ? ERR_NOT_FOUND : ERR_IO, "%s: %m", path);
	struct stat st;
	int rc = 0;
	void *p = NULL;
	if (fstat(fd, &st) != 0)
		rc = err_set(err, ERR_IO, "%s: %m", path);
	else if (!S_ISREG(st.st_mode) || st.st_size < (off_t)DB_HEADER_SIZE)
		rc = err_set(err, ERR_FORMAT, "%s: not an advisory file", path);
	else if ((uint64_t)st.st_size > DB_SIZE_MAX)
		rc = err_set(err, ERR_LIMIT, "%s: over DB_SIZE_MAX", path);
	else if ((p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0)) == MAP_FAILED)
		rc = err_set(err, ERR_IO, "%s: %m", path);
	close(fd);
	if (rc == 0)
		*ret = (struct str){ p, (size_t)st.st_size };
	return rc;
}

static int open_map(struct db *db, struct err *err)
{
	db->broken = xcalloc(1, sizeof(*db->broken));
	atomic_init(db->broken, false);
	int rc = db_header_parse(db->map, db, NULL, err);
	for (unsigned i = 0; rc == 0 && i < DB_POOL_COUNT; i++)
		rc = db_pool_open(db->section[DB_POOL_FIRST + i], &db->pool[i], err);
	return rc;
}

int db_open(const char *path, struct db **ret, struct err *err)
{
	struct db *db = xcalloc(1, sizeof(*db));
	int rc = map_file(path, &db->map, err);
	if (rc == 0) {
		db->mapped = true;
		rc = open_map(db, err);
		if (rc != 0)
			(void)err_wrap(err, "%s", path);
	}
	if (rc != 0) {
		db_close(db);
		return rc;
	}
	*ret = db;
	return 0;
}

int db_open_memory(struct str bytes, struct db **ret, struct err *err)
{
	struct db *db = xcalloc(1, sizeof(*db));
	db->map = bytes;
	int rc = open_map(db, err);
	if (rc != 0) {
		db_close(db);
		return rc;
	}
	*ret = db;
	return 0;
}

void db_close(struct db *db)
{
	if (!db)
		return;
	for (unsigned i = 0; i < DB_POOL_COUNT; i++)
		db_pool_close(&db->pool[i]);
	if (db->mapped)
		munmap((void *)(uintptr_t)db->map.ptr, db->map.len);
	free(db->broken);
	free(db);
}

void db_info(const struct db *db, struct db_info *ret)
{
	*ret = (struct db_info){
		.schema = db->schema,
		.built = db->built,
		.size = db->map.len,
		.source_count = db_records(db, DB_SOURCES, DB_SOURCE_SIZE),
		.platform_count = db_records(db, DB_PLATFORMS, DB_PLATFORM_SIZE),
		.package_count = db_records(db, DB_PACKAGES, DB_PACKAGE_SIZE),
		.fact_count = db->fact_count,
		.vuln_count = db_records(db, DB_VULNS, DB_VULN_SIZE),
	};
}

bool db_source(const struct db *db, uint32_t index, struct db_source *ret)
{
	if (index >= db_records(db, DB_SOURCES, DB_SOURCE_SIZE))
		return false;
	uint64_t at = (uint64_t)index * DB_SOURCE_SIZE;
	*ret = (struct db_source){
		.name = db_string(db, DB_POOL_WORDS, db_u32(db, DB_SOURCES, at)),
		.licence = db_string(db, DB_POOL_WORDS, db_u32(db, DB_SOURCES, at + 4)),
		.attribution = db_string(db, DB_POOL_WORDS, db_u32(db, DB_SOURCES, at + 8)),
		.coverage = db_string(db, DB_POOL_WORDS, db_u32(db, DB_SOURCES, at + 12)),
		.updated = (int64_t)db_u64(db, DB_SOURCES, at + 16),
		.advisories = db_u64(db, DB_SOURCES, at + 24),
		.facts = db_u64(db, DB_SOURCES, at + 32),
	};
	return true;
}

bool db_platform_at(const struct db *db, uint32_t index, struct db_platform *ret)
{
	if (index >= db_records(db, DB_PLATFORMS, DB_PLATFORM_SIZE))
		return false;
	uint64_t at = (uint64_t)index * DB_PLATFORM_SIZE;
	uint32_t flags = db_u32(db, DB_PLATFORMS, at + 16);
	*ret = (struct db_platform){
		.index = index,
		.name = db_string(db, DB_POOL_WORDS, db_u32(db, DB_PLATFORMS, at)),
		.coverage = db_string(db, DB_POOL_WORDS, db_u32(db, DB_PLATFORMS, at + 4)),
		.package_count = db_u32(db, DB_PLATFORMS, at + 12),
		.complete = (flags & DB_PLATFORM_COMPLETE) != 0,
		.unfixed = (flags & DB_PLATFORM_UNFIXED) != 0,
		.updated = (int64_t)db_u64(db, DB_PLATFORMS, at + 24),
	};
	return true;
}

int db_platform(const struct db *db, struct str name, struct db_platform *ret, struct err *err)
{
	struct db_platform p;
	for (uint32_t i = 0; db_platform_at(db, i, &p); i++) {
		if (str_eq(p.name, name)) {
			*ret = p;
			return 0;
		}
	}
	return err_set(err, ERR_NOT_FOUND, "no advisories for %.*s", STR_ARG(name));
}
