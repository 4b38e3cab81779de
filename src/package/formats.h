/* The table of package databases and of the files that name a distribution. To add one: a file here and a row in
 * formats.c (and a test, a fuzz target, a line in doc/).
 *
 * A parser gets the content of one file and appends packages; it never opens anything, and it is run in a worker.
 * A malformed record is a diagnostic (counted, the first few worded), the others are still read; only a file that
 * cannot be read at all is an error. */
#ifndef PLIMSOLL_PACKAGE_FORMATS_H
#define PLIMSOLL_PACKAGE_FORMATS_H

#include "base/content.h"
#include "base/err.h"
#include "model/os.h"
#include "model/package.h"
#include "package/wish.h"

#define DIAGNOSTICS_WORDED_MAX 8

struct package_sink {
	struct arena *arena;      /* owns what the packages point to */
	struct package_list list;
	const struct file_wish *wish; /* NULL: nobody asks who owns what */
	uint64_t bad_records;     /* passed over */
	struct str diagnostics[DIAGNOSTICS_WORDED_MAX];
	size_t diagnostic_count;
};

/* Append p (slices are copied into the arena). ERR_LIMIT past PACKAGES_MAX. Fields over PACKAGE_FIELD_MAX, a package
 * without name or version, or with control characters in them, make it a bad record instead. An empty source_name or
 * source_version becomes the binary's. */
int package_sink_add(struct package_sink *s, const struct package *p, struct err *err);
/* Count a bad record and keep its reason (bounded). */
void package_sink_bad(struct package_sink *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

struct package_format {
	const char *name;         /* "dpkg-status", "apk", "rpm-sqlite", "rpm-ndb", "rpm-bdb", ... */
	enum package_type type;
	const char *const *paths; /* canonical places, NULL-terminated, without leading slash; "DIR/" + "*" at the end: every
	                             regular file of that folder. Several rows may share a place: `sniff` decides. */
	size_t size_max;          /* cap of the content ... */
	const char *size_max_name; /* ... and its name in limits.h */
	/* Whether the file at path is of this form, from its first bytes (up to 64; all of it where shorter). NULL: yes. */
	bool (*sniff)(struct str path, struct str head);
	int (*parse)(const struct content *c, struct str path, struct package_sink *sink, struct err *err);
};

extern const struct package_format package_formats[];
extern const size_t package_format_count;

int dpkg_parse(const struct content *c, struct str path, struct package_sink *sink, struct err *err);
int opkg_parse(const struct content *c, struct str path, struct package_sink *sink, struct err *err);
int apk_parse(const struct content *c, struct str path, struct package_sink *sink, struct err *err);
int rpm_sqlite_parse(const struct content *c, struct str path, struct package_sink *sink, struct err *err);
int rpm_ndb_parse(const struct content *c, struct str path, struct package_sink *sink, struct err *err);
int rpm_bdb_parse(const struct content *c, struct str path, struct package_sink *sink, struct err *err);
/* What stands at a rpm database's place and is none: always an error that says so. */
int rpm_other_parse(const struct content *c, struct str path, struct package_sink *sink, struct err *err);
bool rpm_sqlite_sniff(struct str path, struct str head);
bool rpm_ndb_sniff(struct str path, struct str head);
bool rpm_bdb_sniff(struct str path, struct str head);
/* Of a folder of records (status.d), the files that begin with a field, and not their .md5sums. */
bool dpkg_sniff(struct str path, struct str head);

/* Files whose text names the distribution, in the order in which they are believed. Each is kept whole (up to
 * OS_RELEASE_SIZE_MAX). */
extern const char *const os_files[]; /* canonical paths without leading slash, NULL-terminated */

/* What the root is, from those files that exist. get gives a file's text, or false. Slices of *ret live in the arena.
 * An image with none of them leaves ret->id empty. */
void os_detect(struct arena *a, bool (*get)(void *ctx, const char *path, struct str *ret_text), void *ctx, struct os *ret);

#endif
