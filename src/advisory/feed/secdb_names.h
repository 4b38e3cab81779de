/* Which GHSA ids of a secdb document are other names of CVEs. Wolfi and its kin list both side by side under a version,
 * without saying which belongs to which; reporting both would count a vulnerability twice, dropping every GHSA id would
 * lose those that have no CVE. */
#ifndef PLIMSOLL_ADVISORY_FEED_SECDB_NAMES_H
#define PLIMSOLL_ADVISORY_FEED_SECDB_NAMES_H

#include "base/map.h"
#include "base/value.h"
#include "base/vec.h"

struct secdb_names {
	struct map cve_of; /* GHSA id -> number + 1 of its CVE in cves */
	struct map alone;  /* GHSA ids that were met without a CVE that could be theirs */
	VEC(struct str) cves;
};

/* Looks through the document's packages. The ids must live as long as the answer is used. */
void secdb_names_learn(struct arena *a, const struct value *packages, struct secdb_names *ret);
/* Whether id, one of the ids of a list, is another name of a CVE in that list. */
bool secdb_names_other(const struct secdb_names *n, const struct value *ids, struct str id);

#endif
