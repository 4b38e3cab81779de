/* "What to do first": the upgrades that remove most, and a line to copy into a shell or a Dockerfile. */
#ifndef PLIMSOLL_REPORT_ADVICE_H
#define PLIMSOLL_REPORT_ADVICE_H

#include "report/rows.h"
#include "report/term.h"

/* rows are those of the same target. Says so where no upgrade is known. */
void advice_draw(struct term *t, const struct target *target, const struct row_list *rows);

/* Whether a package name from an image may stand in a line that people copy into a shell: the characters that
 * dpkg, apk and rpm allow in names, and no leading dash. */
bool advice_name_is_safe(struct str name);

#endif
