/* The advisory file: read-only, mapped, opened without parsing; facts only, no prose (DESIGN 2). Its format is written
 * down to the byte in doc/advisory-file.md. Every offset is checked on use: a hostile file gives ERR_FORMAT or fewer
 * facts (db_broken tells), never a read outside the map.
 * Slices given out point into the map and live until db_close. Safe for several threads to read. */
#ifndef PLIMSOLL_ADVISORY_DB_H
#define PLIMSOLL_ADVISORY_DB_H

#include "base/arena.h"
#include "base/err.h"
#include "model/severity.h"

struct db;

/* ERR_NOT_FOUND, ERR_IO, ERR_FORMAT, ERR_UNSUPPORTED (another schema, said with both numbers). */
int db_open(const char *path, struct db **ret, struct err *err);
/* The file that was built into the program, as if at DB_EMBEDDED_NAME; ERR_NOT_FOUND where none was. */
#define DB_EMBEDDED_NAME "(built into the program)"
int db_open_embedded(struct db **ret, struct err *err);
void db_close(struct db *db); /* NULL is fine */
/* Every section's SHA-256 against the header's, every record walked. 0, or ERR_DIGEST / ERR_FORMAT with the place. */
int db_verify(const struct db *db, struct err *err);
bool db_broken(const struct db *db); /* an offset that led nowhere was met */

struct db_info {
	uint32_t schema;
	int64_t built; /* Unix time */
	uint64_t size; /* of the file */
	uint64_t source_count, platform_count, package_count, fact_count, vuln_count;
};
void db_info(const struct db *db, struct db_info *ret);

/* One feed that went in. */
struct db_source {
	struct str name;        /* "debian-changelogs", "almalinux", "wolfi", "cisa-kev", "nvd", "epss" */
	struct str licence;     /* "CC0-1.0", "none stated" */
	struct str attribution; /* what the licence wants said */
	struct str coverage;    /* "complete", or "partial: fixed states only, of 1473 source packages" */
	int64_t updated;        /* Unix time of the data */
	uint64_t advisories, facts;
};
bool db_source(const struct db *db, uint32_t index, struct db_source *ret);

/* A release of a distribution ("debian:12", "ubuntu:22.04", "alpine:3.19", "wolfi", "almalinux:9", lower case) or an
 * ecosystem ("PyPI", "Go", ...: OSV's spelling). */
struct db_platform {
	uint32_t index;
	struct str name;
	bool complete; /* a package without an entry has been looked at and has no advisory; if false only packages that
			  have an entry (perhaps an empty one) were looked at */
	bool unfixed;  /* the source also names vulnerabilities without a fix */
	struct str coverage; /* in words, empty where complete */
	int64_t updated;     /* the newest of its sources */
	uint64_t package_count;
};
/* ERR_NOT_FOUND if no source speaks of it. */
int db_platform(const struct db *db, struct str name, struct db_platform *ret, struct err *err);
bool db_platform_at(const struct db *db, uint32_t index, struct db_platform *ret);

/* What a source says of one package and one vulnerability. A vulnerability with several ranges gives several facts. */
enum db_range {
	DB_RANGE_SPAN,  /* introduced <= version, and version < fixed or version <= last (each may be empty: open) */
	DB_RANGE_EXACT, /* version == introduced */
	DB_RANGE_NONE,  /* says that no version of the package is affected (status NOT_AFFECTED) */
};

struct db_fact {
	struct str id; /* the CVE, or the advisory's own id where it names none */
	struct str
	    advisory; /* the vendor's id (DSA-5514-1, ALSA-2024:1234), empty if it is the CVE itself or has none */
	uint32_t source;
	enum db_range range;
	struct str introduced, fixed, last;
	enum fix_status status;
	enum severity severity; /* the vendor's own word; UNKNOWN: none given */
	struct str arch;        /* only for this architecture; empty: any */
	struct str module; /* rpm: only in this module stream "name:stream"; empty: not of a module; "*": of a module
			      whose stream the feed does not name */
	/* `fixed` bounds the range, but this platform has no package of it yet (Debian names unstable's version alone,
	 * Ubuntu says "pending"): affected below it, and nothing to upgrade to. */
	bool unreleased;
};

struct db_iter {
	const struct db *db;
	uint64_t left; /* facts not yet given */
	/* private: place in the stream, and the numbers from which the next fact counts */
	uint64_t at;
	uint32_t id, shape, introduced, fixed, last, advisory, version;
};

/* The facts of one package, in order of id. ERR_NOT_FOUND: no entry (see db_platform.complete); 0: an entry, perhaps
 * without facts. Comparison of names: as stored by the importer (PyPI: normalised by PEP 503). */
int db_lookup(const struct db *db, const struct db_platform *platform, struct str package, struct db_iter *ret,
	      struct err *err);
bool db_next(struct db_iter *it, struct db_fact *ret);

/* What is known of a vulnerability apart from packages. */
struct db_vuln {
	enum severity severity; /* NVD's, else the CNA's or ADP's; UNKNOWN: none */
	struct str severity_source;
	struct str cvss_vector; /* "CVSS:3.1/AV:N/..."; may be empty */
	double cvss_score;      /* < 0: none */
	double epss;            /* < 0: none */
	bool kev;
	int64_t kev_added; /* Unix time, 0: none */
	int64_t published; /* Unix time, 0: none */
	uint32_t cwe_count;
	uint32_t cwes[8];
};
bool db_vuln(const struct db *db, struct str id, struct db_vuln *ret);
/* Walk them, in order of id. */
bool db_vuln_at(const struct db *db, uint64_t index, struct str *ret_id, struct db_vuln *ret);

/* Walk everything (db status, db verify, tests): packages of a platform in order of name. */
bool db_package_at(const struct db *db, const struct db_platform *platform, uint64_t index, struct str *ret_name,
		   struct db_iter *ret);

/* A detached Ed25519 signature beside the file, in PATH.sig: 64 bytes over the file's header, which holds the SHA-256
 * of every section. Checks the signature with the public key (PEM) and then the header's and every section's digest.
 * ERR_NOT_FOUND: no signature; ERR_DIGEST: it does not fit; ERR_IO, ERR_FORMAT. */
int db_verify_signature(const char *path, const char *public_key_path, struct err *err);

#endif
