/* What all that an advisory source says of one vulnerability means for one package. */
#ifndef PLIMSOLL_MATCH_JUDGE_H
#define PLIMSOLL_MATCH_JUDGE_H

#include "advisory/db.h"
#include "model/package.h"
#include "version/versions.h"

/* One package as the advisories see it. */
struct judge {
	const struct version_scheme *scheme;
	struct str version; /* the one that advisories speak about */
	struct str arch;
	struct str stream;  /* "name:stream"; empty: of no module */
	bool modules;       /* whether this distribution has module streams at all */
};

struct verdict {
	bool affected;
	bool excused;             /* a source says that this version is not affected */
	bool stream_not_named;    /* a fix was built in a module, and the source does not say in which stream of it */
	const struct db_fact *by; /* the fact that decided: of those that hold, the one with the highest fixed version */
	struct str fixed;         /* empty: no fix known */
	enum fix_status status;
	enum severity severity;   /* the vendor's; UNKNOWN: none given */
	const struct db_fact *severity_by;
};

/* facts: all of one id. */
struct verdict judge_facts(const struct judge *j, const struct db_fact *facts, size_t count);

/* "nodejs:18:8090020230714:abc" -> "nodejs:18"; empty where there is no stream. */
struct str judge_stream(struct str module_label);

#endif
