/* What a match says to people: title, evidence, pages to read. */
#ifndef PLIMSOLL_MATCH_WORDS_H
#define PLIMSOLL_MATCH_WORDS_H

#include "match/distro.h"
#include "match/judge.h"
#include "model/report.h"

/* All that one finding is told from. */
struct words {
	const struct distro *distro;
	const struct package *package;
	struct distro_subject subject;
	struct str platform;
	struct str source; /* name of the database's source that decided */
	struct str id;
	const struct verdict *verdict;
};

struct str words_title(struct arena *a, const struct words *w);
struct str words_evidence(struct arena *a, const struct words *w);
struct str words_fix(struct arena *a, const struct words *w); /* empty where no fix is known */
/* Pages of the vendor, of its advisories (the aliases) and of the id's own register. */
void words_references(struct arena *a, const struct words *w, const struct str_list *aliases, struct str_list *ret);

/* YYYY-MM-DD; "an unknown date" for 0. */
struct str words_date(struct arena *a, int64_t time);

#endif
