/* Building the advisory file. Importers (advisory/feed/) put facts into a builder; db_build_write sorts, packs and
 * replaces the file atomically.
 * db_build_feeds walks a folder of feeds (or those rows of a manifest), recognises each by path and content through
 * the table of feeds.c, runs its importer in a worker, and adds what it says. A feed that fails is said in `log` and
 * leaves the others alone. */
#ifndef PLIMSOLL_ADVISORY_BUILD_H
#define PLIMSOLL_ADVISORY_BUILD_H

#include "advisory/db.h"

struct db_builder;

struct db_builder *db_builder_new(void);
void db_builder_free(struct db_builder *b);
/* Slices are copied. A name that was said before gives the same source, of the newer date. Returns the source's index;
 * what is counted (advisories, facts) is counted when the file is written. */
uint32_t db_builder_source(struct db_builder *b, const struct db_source *s);
/* Declares a platform; said again by another source the coverage is joined (complete if one is). */
void db_builder_platform(struct db_builder *b, const struct db_platform *p, uint32_t source);
/* "Looked at": an entry without facts. */
void db_builder_package(struct db_builder *b, struct str platform, struct str package);
void db_builder_fact(struct db_builder *b, struct str platform, struct str package, const struct db_fact *f);
/* Joins with what was said of the id before; fields that are set win in the order nvd, cna, adp. */
void db_builder_vuln(struct db_builder *b, uint32_t source, struct str id, const struct db_vuln *v);
/* Strings longer than DB_STRING_MAX make a fact that is left out and counted here. */
uint64_t db_builder_refused(const struct db_builder *b);
/* The order of facts given does not matter: the same facts give the same bytes. */
int db_builder_write(struct db_builder *b, int64_t built, const char *path, struct err *err);

struct db_build_options {
	const char *feeds;    /* folder */
	const char *manifest; /* NULL: every feed below the folder that is recognised, but samples never */
	const char *output;
	int64_t built; /* 0: now (SOURCE_DATE_EPOCH where set) */
	void (*log)(const void *ctx, const char *line);
	const void *log_ctx;
};
/* given, else SOURCE_DATE_EPOCH, else now. */
int64_t db_build_time(int64_t given);
int db_build_feeds(const struct db_build_options *o, struct err *err);

#endif
