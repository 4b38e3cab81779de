/* What is kept of the files of an image or folder, and how it is read back: package lists and texts that name the
 * distribution. The writing half runs in workers, the reading half in the parent on what workers said. */
#ifndef PLIMSOLL_SCAN_COLLECT_H
#define PLIMSOLL_SCAN_COLLECT_H

#include "image/image.h"
#include "package/formats.h"

/* Part of the cache's version: raise it when a parser gives something else for the same bytes. */
#define COLLECT_VERSION 2u

enum collected_kind {
	COLLECTED_PACKAGES,
	COLLECTED_TEXT,
	COLLECTED_ERROR,
	COLLECTED_OWNER, /* a package's list of files: owns says whether one of those that were asked about is in it */
};

struct collected {
	enum collected_kind kind;
	struct str format;      /* PACKAGES: name of the row in package_formats */
	struct package *packages;
	size_t package_count;
	uint64_t bad_records;
	struct str diagnostics[DIAGNOSTICS_WORDED_MAX];
	size_t diagnostic_count;
	bool owns;              /* OWNER */
	struct str text;        /* TEXT: content; ERROR: the reason */
};

/* wish: packages that own one of these files are marked (package.use), and dpkg's lists of files are read, too. It is read
 * when the collector runs. NULL: nobody asks; what is collected so may be cached, the other not. */
struct layer_collector collect_collector(const struct file_wish *wish);

/* Every canonical place of the tables; with lists of files where somebody asks who owns what. */
struct folder_paths collect_paths(struct arena *a, bool owners);
/* Where dpkg's lists lie: a folder of NAME.list or NAME:ARCH.list, and one of NAME.md5sums. */
#define COLLECT_LISTS "var/lib/dpkg/info"
#define COLLECT_SUMS "var/lib/dpkg/status.d"

/* False if the payload is none that collect wrote. Slices point into it. */
bool collect_decode(struct arena *a, struct str payload, struct collected *ret);

#endif
