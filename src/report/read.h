/* plimsoll.report/v1 back into a report: what json.c wrote, from files that anybody may have touched. Lists are capped
 * (REPORT_*_MAX, PACKAGES_MAX, FINDINGS_MAX); what an older version did not write is empty, what a newer one adds is passed
 * over. Runs in a worker. */
#ifndef PLIMSOLL_REPORT_READ_H
#define PLIMSOLL_REPORT_READ_H

#include "base/value.h"
#include "model/report.h"

/* ERR_UNSUPPORTED for another schema, ERR_FORMAT for what is no report, ERR_LIMIT. Slices point into the document.
 * The summary is what was stored, its counts by severity, upgrades and sums excepted: policy_apply and match_upgrades
 * make those. */
int report_read(struct arena *a, const struct value *document, struct report *ret, struct err *err);

#endif
