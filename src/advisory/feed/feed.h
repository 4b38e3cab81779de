/* Importers of advisory feeds: one file a form, one row each in feeds.c.
 * An importer runs anywhere (a confined worker, a test, a fuzz target): it reads the documents that feed_next gives
 * and says what it finds to a sink. It opens nothing, prints nothing, and believes nothing: a malformed record is
 * counted in the sink and passed over.
 * What a feed does not say of itself (its date, licence, attribution) comes with the input. */
#ifndef PLIMSOLL_ADVISORY_FEED_H
#define PLIMSOLL_ADVISORY_FEED_H

#include "advisory/db.h"
#include "base/value.h"
#include "base/vec.h"

/* --- what goes in --- */

/* One document: a member of an archive, or the whole file. Lives until the next feed_next. */
struct feed_doc {
	struct str name; /* path in the archive, or the feed's own path */
	struct str text;
	struct arena *arena; /* for this document alone */
	int64_t mtime;
};

struct feed_input {
	struct str path;  /* as the folder of feeds or the manifest names it: recognition goes by it, too */
	struct str bytes; /* the file as stored */
	int64_t updated;  /* date for data that has none of its own; 0: none */
	int64_t latest;   /* data that says it is newer than this (today) is not believed; 0: all is */
	struct str licence, attribution; /* from the manifest; empty: the importer's own words */
	struct arena *arena;             /* for the whole import */
	void *state;                     /* feed_next's */
};

/* 1 and the next document whose name `want` accepts (NULL: every one), 0 at the end, negative on error. gzip, zstd, xz,
 * bzip2, tar inside of them, and zip are opened; documents over FEED_DOC_SIZE_MAX are an error. */
int feed_next(struct feed_input *in, bool (*want)(struct str name), struct feed_doc *ret, struct err *err);
void feed_rewind(struct feed_input *in);
void feed_done(struct feed_input *in);
/* The document as JSON, or NULL (counted by the caller). */
const struct value *feed_json(const struct feed_doc *doc);

/* --- what comes out --- */

struct feed_sink {
	uint32_t (*source)(void *ctx, const struct db_source *s);
	void (*platform)(void *ctx, const struct db_platform *p, uint32_t source);
	void (*package)(void *ctx, struct str platform, struct str package);
	void (*fact)(void *ctx, struct str platform, struct str package, const struct db_fact *f);
	void (*vuln)(void *ctx, uint32_t source, struct str id, const struct db_vuln *v);
	void *ctx;
	uint64_t records;  /* read */
	uint64_t left_out; /* on purpose: withdrawn, rejected, no vulnerability */
	uint64_t skipped;  /* malformed */
};

/* A sink that fills a builder; ctx is set. */
struct db_builder;
struct feed_sink feed_sink_builder(struct db_builder *b);
/* A sink that only counts (fuzz targets). */
struct feed_sink feed_sink_null(void);

/* --- the table --- */

struct feed {
	const char *name;
	const char *what; /* for people: "OSV records (zip)" */
	/* By the path, any of these globs (in lower case); the content decides in the end. */
	const char *paths[8];
	bool (*mine)(const struct feed_doc *first); /* by the content of the first document that `want` accepts */
	bool (*want)(struct str name);
	int (*import)(struct feed_input *in, struct feed_sink *sink, struct err *err);
};
extern const struct feed feeds[];
extern const size_t feed_count;
/* The row whose paths and content fit, or NULL. */
const struct feed *feed_recognise(struct feed_input *in);
/* By the path alone: is there a row that might take it? */
bool feed_path_fits(struct str path);
const struct feed *feed_by_name(struct str name);

int import_osv(struct feed_input *in, struct feed_sink *sink, struct err *err);
int import_secdb(struct feed_input *in, struct feed_sink *sink, struct err *err);
int import_debian_lists(struct feed_input *in, struct feed_sink *sink, struct err *err);
int import_debian_json(struct feed_input *in, struct feed_sink *sink, struct err *err);
int import_ubuntu(struct feed_input *in, struct feed_sink *sink, struct err *err);
int import_cve5(struct feed_input *in, struct feed_sink *sink, struct err *err);
int import_nvd(struct feed_input *in, struct feed_sink *sink, struct err *err);
int import_kev(struct feed_input *in, struct feed_sink *sink, struct err *err);
int import_epss(struct feed_input *in, struct feed_sink *sink, struct err *err);

/* --- helpers that importers share (feed_util.c) --- */

/* What a source is called where the input says nothing else. */
struct feed_words {
	const char *name, *licence, *attribution, *coverage;
};
/* The source, made at its first mention. updated: the date of its data; 0 while it is not known yet; FEED_NO_DATE where
 * the data has none, so that the input's counts. The newest date said wins. */
#define FEED_NO_DATE ((int64_t)-1)
uint32_t feed_source(const struct feed_input *in, struct feed_sink *sink, const struct feed_words *w, int64_t updated);
void feed_platform(struct feed_sink *sink, struct str name, bool complete, bool unfixed, const char *coverage,
		   uint32_t source);
/* "CVE-2024-1234": four digits of year, at least four of number, nothing else. */
bool feed_is_cve(struct str s);
/* A db_vuln of which nothing is known. */
struct db_vuln feed_vuln_none(void);
/* "2024-05-08..." or "2024.05.08" -> Unix time of that day's start; 0 for anything else. */
int64_t feed_date(struct str s);
int64_t feed_day(unsigned year, unsigned month, unsigned day);
/* "CWE-79", "79" -> added to v unless there, or unless it is full. */
void feed_add_cwe(struct db_vuln *v, struct str s);
/* Vendors' words: critical, important/high, moderate/medium, low, negligible/unimportant/none. */
enum severity feed_severity(struct str word);
/* Version strings from feeds: no blanks, no control characters, at most VERSION_LEN_MAX; "0" is no bound. */
bool feed_version(struct str s);

/* Debian and Ubuntu codenames: "bookworm" -> "debian:12", "sid" -> "debian:sid"; empty: not known. */
struct str feed_debian_platform(struct str codename);
struct str feed_debian_number(struct str number, struct arena *a);
struct str feed_ubuntu_platform(struct str codename, bool esm);
/* OSV's name of an ecosystem -> ours; empty: one that is left out (Red Hat's by CPE, Ubuntu's FIPS, ...). */
struct str feed_osv_platform(struct str ecosystem, struct arena *a);

#endif
