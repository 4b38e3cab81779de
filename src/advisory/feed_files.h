/* Which files are feeds: those that a manifest names, or those below a folder whose path fits a row of feeds.c. */
#ifndef PLIMSOLL_ADVISORY_FEED_FILES_H
#define PLIMSOLL_ADVISORY_FEED_FILES_H

#include "base/err.h"
#include "base/vec.h"

struct feed_file {
	struct str path;                 /* below the folder of feeds */
	struct str licence, attribution; /* from the manifest, else empty */
	int64_t updated;                 /* 0: by the file's own time */
};

struct feed_files {
	struct feed_file *ptr;
	size_t len, cap;
};

/* In order of their paths. Folders of samples are passed over (but for `folder` itself). */
int feed_files_below(struct arena *a, const char *folder, struct feed_files *ret, struct err *err);
/* "PATH | LICENCE | ATTRIBUTION | YYYY-MM-DD", one a line; # starts a comment. In the manifest's order. */
int feed_files_of_manifest(struct arena *a, const char *manifest, struct feed_files *ret, struct err *err);

#endif
