/* What is known of a vulnerability apart from packages: records of fixed size in the order of their ids. */
#include "advisory/db_internal.h"

#include "base/base.h"

static int64_t days(uint32_t v) { return (int64_t)v * DB_SECONDS_A_DAY; }

static bool read_cwes(const struct db *db, uint32_t at, struct db_vuln *ret)
{
	struct reader r = reader_of(db->section[DB_CWES]);
	read_seek(&r, at);
	size_t n = read_count(&r, 1);
	if (n > COUNT_OF(ret->cwes))
		return false;
	for (size_t i = 0; i < n; i++)
		ret->cwes[i] = (uint32_t)read_varint(&r);
	ret->cwe_count = (uint32_t)n;
	return !r.bad;
}

/* 0 id, 4 vector, 8 EPSS, 12 CWE list, 16 KEV day, 18 published day, 20 score, 21 severity, 22 source, 23 flags */
bool db_vuln_at(const struct db *db, uint64_t index, struct str *ret_id, struct db_vuln *ret)
{
	if (index >= db_records(db, DB_VULNS, DB_VULN_SIZE))
		return false;
	uint64_t at = index * DB_VULN_SIZE;
	uint32_t epss = db_u32(db, DB_VULNS, at + 8), cwes = db_u32(db, DB_VULNS, at + 12);
	uint32_t tail = db_u32(db, DB_VULNS, at + 20);
	unsigned score = tail & 0xff, severity = tail >> 8 & 0xff, source = tail >> 16 & 0xff;
	struct db_vuln v = {
		.severity = severity < SEVERITY_COUNT ? (enum severity)severity : SEVERITY_UNKNOWN,
		.severity_source = db_string(db, DB_POOL_WORDS, source),
		.cvss_vector = db_string(db, DB_POOL_WORDS, db_u32(db, DB_VULNS, at + 4)),
		.cvss_score = score == DB_SCORE_NONE ? -1 : score / 10.0,
		.epss = epss == 0 ? -1 : (epss - 1) / DB_EPSS_UNIT,
		.kev = (tail >> 24 & DB_VULN_KEV) != 0,
		.kev_added = days(db_u16(db, DB_VULNS, at + 16)),
		.published = days(db_u16(db, DB_VULNS, at + 18)),
	};
	if (!read_cwes(db, cwes, &v) || severity >= SEVERITY_COUNT || v.cvss_score > 10 || v.epss > 1) {
		db_mark_broken(db);
		return false;
	}
	*ret_id = db_string(db, DB_POOL_IDS, db_u32(db, DB_VULNS, at));
	*ret = v;
	return true;
}

bool db_vuln(const struct db *db, struct str id, struct db_vuln *ret)
{
	uint32_t want;
	struct str same;
	if (!db_pool_find(db_pool_of(db, DB_POOL_IDS), id, &want))
		return false;
	uint64_t lo = 0, hi = db_records(db, DB_VULNS, DB_VULN_SIZE);
	while (lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;
		uint32_t got = db_u32(db, DB_VULNS, mid * DB_VULN_SIZE);
		if (got == want)
			return db_vuln_at(db, mid, &same, ret);
		if (got < want)
			lo = mid + 1;
		else
			hi = mid;
	}
	return false;
}
