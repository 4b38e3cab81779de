/* Facts of an older advisory file into a builder: what a new build could not get anew keeps what was known of it, and its
 * date. Carried whole, an old file gives the same bytes again.
 * The file joins what several sources say of one vulnerability (rating, CWE, dates); those parts are carried for the source
 * that can have said them, as db_builder_vuln ranks it. */
#ifndef PLIMSOLL_ADVISORY_CARRY_H
#define PLIMSOLL_ADVISORY_CARRY_H

#include "advisory/builder.h"

/* want[i]: source i of the old file is carried. What the builder knows by then of the same source is joined with it, and
 * the source's date is the old one. ERR_FORMAT where the old file is damaged; the builder is then of no use. */
int db_carry(const struct db *old, const bool *want, struct db_builder *b, struct err *err);

#endif
