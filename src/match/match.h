/* Package x advisory -> findings, by the rules of the distribution (reference: image scanning, section 2).
 * Touches nothing but its arguments: the same target and database give the same findings anywhere. */
#ifndef PLIMSOLL_MATCH_MATCH_H
#define PLIMSOLL_MATCH_MATCH_H

#include "advisory/db.h"
#include "model/report.h"

/* Fills target->findings, ->not_assessed, ->os_supported, ->os_eol, ->os_eol_date from target->os and ->packages.
 * db may not be NULL. now (Unix time) decides what is past its support. Never fails: what cannot be judged is in
 * not_assessed. */
void match_target(struct arena *a, const struct db *db, int64_t now, struct target *target);

/* The scheme by which an installed package's versions compare; NULL for none. */
struct version_scheme;
const struct version_scheme *match_scheme(const struct target *target);

/* "What to do first", most findings removed first, of findings neither suppressed nor hidden. */
void match_upgrades(struct arena *a, const struct target *target, struct upgrade_list *ret);

#endif
