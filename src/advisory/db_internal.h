/* An opened advisory file, shared by the files that read it (db.c, db_lookup.c, db_vuln.c, db_verify.c). */
#ifndef PLIMSOLL_ADVISORY_DB_INTERNAL_H
#define PLIMSOLL_ADVISORY_DB_INTERNAL_H

#include "advisory/db.h"
#include "advisory/db_format.h"
#include "advisory/db_pool.h"

#include <stdatomic.h>

struct db {
	struct str map;
	bool mapped; /* by db_open: unmapped at the end */
	uint32_t schema;
	int64_t built;
	uint64_t fact_count;
	struct str section[DB_SECTION_COUNT];
	struct db_pool pool[DB_POOL_COUNT];
	atomic_bool *broken;
};

/* Little-endian numbers at an offset of a section; what lies outside reads as 0 and marks the file broken. */
uint16_t db_u16(const struct db *db, enum db_section s, uint64_t at);
uint32_t db_u32(const struct db *db, enum db_section s, uint64_t at);
uint64_t db_u64(const struct db *db, enum db_section s, uint64_t at);
void db_mark_broken(const struct db *db);
/* A string of a pool; a wrong index gives the empty slice and marks the file broken. */
struct str db_string(const struct db *db, enum db_section pool, uint32_t index);
uint64_t db_records(const struct db *db, enum db_section s, uint64_t record_size);
/* The iterator over the facts of a package by its index in DB_PACKAGES. */
bool db_iter_at(const struct db *db, uint32_t package, struct db_iter *ret);

/* Where the header says that its sections are, checked against the size of the file: 0 or ERR_FORMAT,
 * ERR_UNSUPPORTED. digests (may be NULL) takes the SHA-256 of each section and, last, of the header. */
int db_header_parse(struct str bytes, struct db *ret, struct sha256 *digests, struct err *err);

/* As db_open, of bytes that stay the caller's (fuzz targets). */
int db_open_memory(struct str bytes, struct db **ret, struct err *err);
/* db_verify without the digests: does everything lead somewhere? */
int db_verify_records(const struct db *db, struct err *err);

static inline const struct db_pool *db_pool_of(const struct db *db, enum db_section s)
{
	return &db->pool[s - DB_POOL_FIRST];
}

#endif
