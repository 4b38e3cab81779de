/* Facts of an older advisory file into a builder: what a new build could not get anew keeps what was known of it, and its
 * date. Carried whole, an old file gives the same bytes again.
 * The file joins what several sources say of one vulnerability (rating, CWE, dates); those parts are carried for the source
 * that can have said them, as db_builder_vuln ranks it. */
#ifndef PLIMSOLL_ADVISORY_CARRY_H
#define PLIMSOLL_ADVISORY_CARRY_H

#include "advisory/builder.h"

enum carry {
	CARRY_NOT,
	CARRY_ALL,  /* what the builder knows of the same source by then is joined with it, and its date is the old one */
	CARRY_REST, /* of packages that the builder knows nothing of by then; the date is the newer one */
};

/* want[i] is about source i of the old file. ERR_FORMAT where that is damaged; the builder is then of no use. */
int db_carry(const struct db *old, const enum carry *want, struct db_builder *b, struct err *err);

#endif
