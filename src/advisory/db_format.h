/* The numbers of the advisory file's format (doc/advisory-file.md), shared by its reader and its writer only.
 * Whatever is changed here changes the format: raise DB_SCHEMA and the document with it. */
#ifndef PLIMSOLL_ADVISORY_DB_FORMAT_H
#define PLIMSOLL_ADVISORY_DB_FORMAT_H

#include "base/hash.h"
#include "base/str.h"

#define DB_MAGIC "PLIMSADV"
#define DB_SCHEMA 1u

/* In the order in which they stand in the file; each is there exactly once. */
enum db_section {
	DB_SOURCES,
	DB_PLATFORMS,
	DB_PACKAGES,
	DB_SLOTS,
	DB_FACTS,
	DB_SHAPES,
	DB_VULNS,
	DB_CWES,
	DB_POOL_IDS,
	DB_POOL_NAMES,
	DB_POOL_VERSIONS, /* from here on string 0 is the empty one */
	DB_POOL_ADVISORIES,
	DB_POOL_WORDS,
	DB_SECTION_COUNT,
};
#define DB_POOL_FIRST DB_POOL_IDS
#define DB_POOL_COUNT 5

#define DB_HEADER_FIXED 64u
#define DB_SECTION_ENTRY 56u /* type, zero, offset, size, SHA-256 */
#define DB_HEADER_SIZE (DB_HEADER_FIXED + DB_SECTION_COUNT * DB_SECTION_ENTRY + SHA256_SIZE)
#define DB_ALIGN 8u

/* Fixed-size records. */
#define DB_SOURCE_SIZE 40u
#define DB_PLATFORM_SIZE 32u
#define DB_PACKAGE_SIZE 8u
#define DB_SLOT_SIZE 8u
#define DB_SHAPE_SIZE 16u
#define DB_VULN_SIZE 24u

#define DB_PLATFORM_COMPLETE 1u
#define DB_PLATFORM_UNFIXED 2u
#define DB_SHAPE_UNRELEASED 1u
#define DB_VULN_KEV 1u

/* Strings of a pool: so many share a block, the first of which is written whole. */
#define DB_POOL_BLOCK 16u
#define DB_POOL_HEAD 16u
#define DB_POOL_ENTRY 8u
/* Decoded, a string has its length before it, in so many bytes. */
#define DB_POOL_LENGTH 2u

/* Control byte of a fact. */
#define DB_HAS_SHAPE 1u
#define DB_HAS_INTRODUCED 2u
#define DB_HAS_FIXED 4u
#define DB_HAS_LAST 8u
#define DB_HAS_ADVISORY 16u
#define DB_ID_SHIFT 5u
#define DB_ID_MORE 7u

/* EPSS and scores as whole numbers. */
#define DB_EPSS_UNIT 1e9
#define DB_SCORE_NONE 255u
#define DB_SECONDS_A_DAY 86400

/* FNV-1a over the platform's index (four bytes, little-endian) and the package's name, then one round of mixing so
 * that the high bits, which choose the slot, depend on every byte. */
static inline uint64_t db_slot_hash(uint32_t platform, struct str name)
{
	uint64_t h = 0xcbf29ce484222325u;
	for (unsigned i = 0; i < 4; i++)
		h = (h ^ (platform >> (8 * i) & 0xff)) * 0x100000001b3u;
	for (size_t i = 0; i < name.len; i++)
		h = (h ^ (uint8_t)name.ptr[i]) * 0x100000001b3u;
	h ^= h >> 32;
	return h * 0x9e3779b97f4a7c15u;
}

static inline uint64_t db_slot_start(uint64_t hash, uint64_t slots)
{
	return (uint64_t)((unsigned __int128)hash * slots >> 64);
}

static inline uint64_t db_zigzag(int64_t v) { return v < 0 ? ~((uint64_t)v << 1) : (uint64_t)v << 1; }
static inline int64_t db_unzigzag(uint64_t v) { return (int64_t)(v >> 1) ^ -(int64_t)(v & 1); }

#endif
