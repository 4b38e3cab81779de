/* Comma-separated values (RFC 4180): one record at a time out of text that stays where it is. */
#ifndef PLIMSOLL_ADVISORY_FEED_CSV_H
#define PLIMSOLL_ADVISORY_FEED_CSV_H

#include "base/arena.h"

#define CSV_FIELDS_MAX 32

/* The next record's fields; quoted ones are unquoted (into the arena where they hold doubled quotes). Fields over
 * CSV_FIELDS_MAX are passed over. Returns their count; false at the end of the text. */
bool csv_next(struct arena *a, struct str *rest, struct str fields[CSV_FIELDS_MAX], size_t *ret_count);
/* The number of the field with this name in a head record, or CSV_FIELDS_MAX. */
size_t csv_column(const struct str *head, size_t count, struct str name);

#endif
