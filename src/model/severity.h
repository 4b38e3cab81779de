/* Severities and states of findings, and their names in reports. */
#ifndef PLIMSOLL_MODEL_SEVERITY_H
#define PLIMSOLL_MODEL_SEVERITY_H

#include "base/str.h"

/* Ordered: a higher number is worse. UNKNOWN means that nobody has rated it, which is not "low" (DESIGN 1). */
enum severity {
	SEVERITY_UNKNOWN,
	SEVERITY_INFO,
	SEVERITY_LOW,
	SEVERITY_MEDIUM,
	SEVERITY_HIGH,
	SEVERITY_CRITICAL,
};
#define SEVERITY_COUNT 6

/* The vendor's word on one package; AFFECTED also where a fix exists. NONE: no such word applies. */
enum fix_status {
	STATUS_NONE,
	STATUS_AFFECTED,
	STATUS_NOT_AFFECTED,
	STATUS_WILL_NOT_FIX,
	STATUS_FIX_DEFERRED,
	STATUS_END_OF_LIFE,
	STATUS_UNDER_INVESTIGATION,
};
#define STATUS_COUNT 7

const char *severity_name(enum severity s);                     /* "critical" ... "unknown" */
bool severity_parse(struct str name, enum severity *ret);       /* any case; false if no such */
const char *status_name(enum fix_status s);                     /* "will_not_fix"; "" for NONE */
bool status_parse(struct str name, enum fix_status *ret);
enum severity severity_of_cvss(double score);                   /* CVSS v3 bands; 0 gives INFO */

#endif
