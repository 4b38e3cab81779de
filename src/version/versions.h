/* One comparer per ecosystem. Exact: the same order as the ecosystem's own tool, for any bytes; no allocation,
 * no recursion, linear time. Text that is no valid version still has a place (DESIGN: the matcher must not fail on it);
 * `valid` tells. What no version is and how it then compares stands at the head of each comparer's file. */
#ifndef PLIMSOLL_VERSION_VERSIONS_H
#define PLIMSOLL_VERSION_VERSIONS_H

#include "base/err.h"
#include "base/str.h"

#include <stdio.h>

struct version_scheme {
	const char *name;       /* "debian": as in `plimsoll db compare NAME` and conformance/versions */
	const char *const *aliases; /* NULL-terminated, may be NULL */
	int (*compare)(struct str a, struct str b); /* <0, 0, >0 */
	bool (*valid)(struct str v);
};

extern const struct version_scheme version_schemes[];
extern const size_t version_scheme_count;

const struct version_scheme *version_scheme_find(struct str name); /* NULL if there is none */

int dpkg_version_compare(struct str a, struct str b);
int apk_version_compare(struct str a, struct str b);
int rpm_version_compare(struct str a, struct str b); /* [epoch:]version[-release]; missing epoch is 0; a side without
                                                        a release compares equal in it */
bool dpkg_version_valid(struct str v);
bool apk_version_valid(struct str v);
bool rpm_version_valid(struct str v);

/* Reads lines `A B` (two words, blanks between) and writes for each the line `<`, `=` or `>`. The first line that is not
 * of that form ends it with ERR_FORMAT and its number, one that is too long (VERSION_LEN_MAX a version) with ERR_LIMIT;
 * what was written before stays. Versions that are not valid in the scheme are compared like any other. */
int versions_compare_stream(const struct version_scheme *scheme, FILE *in, FILE *out, struct err *err);

#endif
