/* The day on which a release's security updates end, as its vendor says. */
#ifndef PLIMSOLL_MATCH_SUPPORT_H
#define PLIMSOLL_MATCH_SUPPORT_H

#include "base/str.h"

/* id and release as os-release writes them ("alpine", "3.19.1"), os_name its PRETTY_NAME (only CentOS needs it).
 * False: the table does not know (a rolling release, or one that is too new). ret_date: YYYY-MM-DD, the last day. */
bool support_end(struct str id, struct str release, struct str os_name, struct str *ret_date);
/* The first moment after that day, as Unix time. */
bool support_past(struct str date, int64_t now);

#endif
