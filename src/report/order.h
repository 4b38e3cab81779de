/* In which order reports speak: one order for people (worst first), one for machines (by package and id, so that two
 * reports compare line by line). Both are total: equal input in any order gives the same output. */
#ifndef PLIMSOLL_REPORT_ORDER_H
#define PLIMSOLL_REPORT_ORDER_H

#include "model/report.h"

struct finding_refs {
	const struct finding **ptr;
	size_t len, cap;
};

/* What a person is shown: neither ignored nor hidden by a display filter. */
bool finding_is_shown(const struct finding *f);
/* Ignored by policy: kept by every machine format, marked. */
bool finding_is_suppressed(const struct finding *f);

/* How much a severity weighs in an order for people: nobody having rated it is not "low" (DESIGN 1), so UNKNOWN
 * stands right behind HIGH. */
int severity_weight(enum severity s);

/* Worst first: KEV, severity, EPSS, fix at hand. <0: a is worse. Ties are 0. */
int finding_urgency_cmp(const struct finding *a, const struct finding *b);
/* Package (none first), id, kind, place, subject, fixed version. */
int finding_identity_cmp(const struct finding *a, const struct finding *b);

/* What machine formats write of a target, in order of identity: shown findings and suppressed ones. */
void order_findings(struct arena *a, const struct target *t, struct finding_refs *ret);
/* Packages that the target has, also where a stored report did not keep them all. */
uint64_t target_package_count(const struct target *t);
/* The target's packages in order of package_cmp. */
const struct package **order_packages(struct arena *a, const struct target *t);

#endif
