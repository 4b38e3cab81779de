/* Between the two files that write CycloneDX: the document and its components (cyclonedx.c), and its vulnerabilities
 * (cyclonedx_vuln.c). */
#ifndef PLIMSOLL_REPORT_CYCLONEDX_H
#define PLIMSOLL_REPORT_CYCLONEDX_H

#include "base/json.h"
#include "base/map.h"
#include "report/order.h"

struct cdx_target {
	const struct target *target;
	struct str ref;
	struct str os_ref;               /* empty: no distribution known */
	const struct package **packages; /* sorted */
	struct str *refs;                /* theirs */
};

struct cdx {
	struct json_writer *w;
	struct arena *arena;
	const struct report *report;
	struct cdx_target *targets;
	struct map refs; /* every bom-ref given out */
};

void cdx_str(struct json_writer *w, const char *key, struct str s);
/* One element of a list of properties; nothing where the value is empty. */
void cdx_property(struct json_writer *w, const char *name, struct str value);

/* The wanted reference, or with "#2" and so on behind it where that is taken. */
struct str cdx_unique_ref(struct cdx *c, struct str wanted);
/* The reference of an equal package of that target; empty where it lists none. */
struct str cdx_ref_of(const struct cdx_target *ct, const struct package *p);

/* The list of vulnerabilities: one entry for each id and each way in which policy treats it. */
void cdx_put_vulnerabilities(struct cdx *c);

#endif
