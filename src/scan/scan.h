/* The way from a target to findings: image or folder -> layers -> packages and distribution -> matches. Called by
 * commands (and later the server); prints nothing. */
#ifndef PLIMSOLL_SCAN_SCAN_H
#define PLIMSOLL_SCAN_SCAN_H

#include "advisory/db.h"
#include "cache/cache.h"
#include "model/report.h"
#include "policy/policy.h"

struct image_access;
struct image_memo;

struct scan_options {
	struct str platform;
	struct str distro;         /* "debian:12": overrides what the image says; may be empty */
	bool in_use;               /* mark packages that running processes have mapped */
	bool plain_names;          /* targets are called by their references alone, without "docker:" */
	struct str_list skip;      /* globs of paths that are not looked at */
	const struct image_access *access; /* engines and registries; may be NULL */
	const struct cache *cache;
	struct image_memo *memo;           /* layers that this run has read; may be NULL */
	const struct db *db;
	int64_t now;               /* Unix time */
	void (*progress)(void *ctx, uint64_t done, uint64_t total);
	void *progress_ctx;
};

/* Add one target to the report. Errors are those of image_load. */
int scan_image(struct arena *a, const struct scan_options *o, const char *target, struct report *report, struct err *err);
int scan_folder(struct arena *a, const struct scan_options *o, const char *path, struct report *report, struct err *err);

/* The head of the report: tool, start; the database and its sources. */
void scan_begin(struct arena *a, int64_t now, struct report *report);
void scan_describe_db(struct arena *a, const struct db *db, const char *path, int64_t now, int64_t age_days_max,
                      struct report *report);
/* After the last target: policy, summary, upgrades, duration, sandbox. */
void scan_finish(struct arena *a, const struct policy *policy, uint64_t duration_ms, struct report *report);

/* "2026-11-24T20:18:15Z" and "2026-11-24". */
struct str scan_time(struct arena *a, int64_t t);
struct str scan_date(struct arena *a, int64_t t);

#endif
