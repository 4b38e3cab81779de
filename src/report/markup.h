/* What formats that are no JSON share: text from strangers made safe for XML and HTML, and words about findings. */
#ifndef PLIMSOLL_REPORT_MARKUP_H
#define PLIMSOLL_REPORT_MARKUP_H

#include "report/formats.h"
#include "report/order.h"

/* One line (text_clean), with & < > " ' as references: for elements and for attributes in either quote. */
void markup_put(FILE *out, struct arena *a, struct str text);

/* "Critical" ... "Unknown". */
const char *severity_title(enum severity s);
/* Where a finding is: package, else path, else subject. Not cleaned. */
struct str finding_place(const struct finding *f);
/* At most `max` columns, one line. */
struct str brief(struct arena *a, struct str text, size_t max);
/* A UUID (version 8) over texts: the same texts, the same UUID. */
struct str uuid_of(struct arena *a, const struct str *parts, size_t count);
/* 64 hexadecimal digits over texts. */
struct str hash_of(struct arena *a, const struct str *parts, size_t count);
/* "2026-11-24T20:30:00", moved by seconds; the report's times may be anything where it was read from a file. */
struct str time_moved(struct arena *a, struct str rfc3339, uint64_t seconds);

#endif
