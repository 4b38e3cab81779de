/* What the builder has collected, shared by what fills it (builder.c), what reads a worker's frames into it (wire.c)
 * and what packs it (db_write.c). Strings are numbers: each is kept once. String 0 is the empty one. */
#ifndef PLIMSOLL_ADVISORY_BUILDER_H
#define PLIMSOLL_ADVISORY_BUILDER_H

#include "advisory/build.h"
#include "base/map.h"
#include "base/vec.h"

struct build_source {
	uint32_t name, licence, attribution, coverage; /* strings */
	int64_t updated;
	uint64_t advisories_min; /* carried from an older file: at least so many are said to be in it */
};

struct build_platform {
	uint32_t name, coverage;
	bool complete, unfixed;
	int64_t updated_min; /* carried: not older than this */
};

/* A source speaks of a platform: the newest such source dates it. */
struct build_voice {
	uint32_t platform_name, source;
};

struct build_package {
	uint32_t platform, name;
};

struct build_shape {
	uint32_t source, arch, module;
	uint8_t range, status, severity, flags;
};

struct build_fact {
	uint32_t package; /* in packages */
	uint32_t id, advisory, introduced, fixed, last;
	uint32_t shape; /* in shapes */
};

struct build_vuln {
	uint32_t id, severity_source, vector;
	enum severity severity;
	double score, epss;
	bool kev;
	int64_t kev_added, published;
	uint32_t cwe_count, cwes[8];
	int severity_rank, cvss_rank, cwe_rank; /* who said it: see builder.c */
};

/* A source has spoken of a vulnerability: for the count of advisories. */
struct build_mention {
	uint32_t source, id;
};

struct db_builder {
	struct arena *arena;
	struct map string_map;
	VEC(struct str) strings;
	VEC(struct build_source) sources;
	VEC(struct build_platform) platforms;
	VEC(struct build_voice) voices;
	struct map package_map;
	VEC(struct build_package) packages;
	struct map shape_map;
	VEC(struct build_shape) shapes;
	struct build_fact *facts; /* on the heap: the largest array by far, grown in place */
	size_t fact_count, fact_cap;
	struct map vuln_map;
	VEC(struct build_vuln) vulns;
	VEC(struct build_mention) mentions;
	uint32_t last_package;
	uint64_t refused;
};

/* The number of a string; UINT32_MAX if it is over DB_STRING_MAX. */
uint32_t builder_string(struct db_builder *b, struct str s);
uint32_t builder_package(struct db_builder *b, uint32_t platform_name, uint32_t name);

/* A fact in numbers of strings. */
struct builder_fact {
	uint32_t platform, package;
	uint32_t id, advisory, introduced, fixed, last, arch, module;
	uint32_t source;
	uint8_t range, status, severity;
	bool unreleased;
};
void builder_add(struct db_builder *b, const struct builder_fact *f);

#endif
