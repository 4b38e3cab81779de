/* What is kept of the files of an image or folder, and how it is read back: package lists and texts that name the
 * distribution. The writing half runs in workers, the reading half in the parent on what workers said. */
#ifndef PLIMSOLL_SCAN_COLLECT_H
#define PLIMSOLL_SCAN_COLLECT_H

#include "image/image.h"
#include "package/formats.h"

/* Part of the cache's version: raise it when a parser gives something else for the same bytes. */
#define COLLECT_VERSION 1u

enum collected_kind { COLLECTED_PACKAGES, COLLECTED_TEXT, COLLECTED_ERROR };

struct collected {
	enum collected_kind kind;
	struct str format;      /* PACKAGES: name of the row in package_formats */
	struct package *packages;
	size_t package_count;
	uint64_t bad_records;
	struct str diagnostics[DIAGNOSTICS_WORDED_MAX];
	size_t diagnostic_count;
	struct str text;        /* TEXT: content; ERROR: the reason */
};

struct layer_collector collect_collector(void);

/* Every canonical place of the tables. */
struct folder_paths collect_paths(struct arena *a);

/* False if the payload is none that collect wrote. Slices point into it. */
bool collect_decode(struct arena *a, struct str payload, struct collected *ret);

#endif
