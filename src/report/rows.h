/* The vulnerabilities of a target gathered by source package: what tables for people show, one row each. A CVE that
 * hits five binary packages of one source is one vulnerability of its row (and five findings). */
#ifndef PLIMSOLL_REPORT_ROWS_H
#define PLIMSOLL_REPORT_ROWS_H

#include "report/order.h"

struct row {
	enum package_type type;
	struct str name;                      /* source package */
	struct str installed;                 /* its version */
	struct str fix;                       /* the version that fixes all that can be fixed; empty: nothing can */
	struct finding_refs ids;              /* one finding an id, worst first */
	uint64_t by_severity[SEVERITY_COUNT]; /* of ids */
	size_t unfixed;                       /* ids without a fix */
	uint64_t findings;
	bool kev;
	bool used;              /* one of the packages is in use */
	double epss;            /* highest; < 0: none */
	enum fix_status status; /* the vendor's word on all of them; NONE: none or several */
};

struct row_list {
	struct row *ptr;
	size_t len, cap;
};

/* Rows of the vulnerabilities of packages for which `want` is true, worst row first: KEV, severity, EPSS, fix at
 * hand, then the most vulnerabilities. */
void rows_collect(struct arena *a, const struct target *t, bool (*want)(const struct finding *), struct row_list *ret);

#endif
